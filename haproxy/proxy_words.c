/* HAProxy's words. A word never grows: every escape is shorter than what it stands for, so one buffer of the line's size is enough. */
#include "haproxy/proxy_words.h"

#include <string.h>

struct reader {
    const char *at, *end;
    char *to;
    struct proxy_words *words;
    char quote;                       /* '\0', '\'' or '"' */
    bool in_word;
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static void begin_word(struct reader *r)
{
    if (r->in_word)
        return;
    if (r->words->count == PROXY_LINE_WORDS_MAX) {
        r->words->trouble = "it has more than 64 words";
        return;
    }
    r->words->word[r->words->count++] = (struct proxy_word){ r->to, false };
    r->in_word = true;
}

static void end_word(struct reader *r)
{
    if (r->in_word)
        *r->to++ = '\0';
    r->in_word = false;
}

static void emit(struct reader *r, char c) { *r->to++ = c; }

static void read_hex(struct reader *r)
{
    const int high = r->end - r->at > 2 ? hex_digit(r->at[2]) : -1;
    const int low = r->end - r->at > 3 ? hex_digit(r->at[3]) : -1;

    if (high < 0 || low < 0 || high + low == 0) {
        r->words->trouble = "after \\x two digits other than 00 are needed";
        return;
    }
    emit(r, (char)(high * 16 + low));
    r->at += 4;
}

static void read_escape(struct reader *r)
{
    static const char from[] = "\\\"'# rnt", into[] = "\\\"'# \r\n\t";
    const char next = r->end - r->at > 1 ? r->at[1] : '\0';
    const char *found = next == '\0' ? NULL : strchr(from, next);

    if (next == 'x') {
        read_hex(r);
    } else if (next == '$' && r->quote == '"') {
        emit(r, '$');
        r->at += 2;
    } else if (found != NULL) {
        emit(r, into[found - from]);
        r->at += 2;
    } else {
        emit(r, *r->at++);
    }
}

static bool is_name_start(const struct reader *r)
{
    const char next = r->end - r->at > 1 ? r->at[1] : '\0';

    return next == '{' || next == '_' || ((next | 0x20) >= 'a' && (next | 0x20) <= 'z');
}

static void read_one(struct reader *r)
{
    const char c = *r->at;

    begin_word(r);
    if (r->words->trouble != NULL)
        return;
    if ((c == '"' || c == '\'') && (r->quote == '\0' || r->quote == c)) {
        r->quote = r->quote == '\0' ? c : '\0';
        r->at++;
    } else if (c == '\\' && r->quote != '\'') {
        read_escape(r);
    } else {
        if (c == '$' && r->quote == '"' && is_name_start(r))
            r->words->word[r->words->count - 1].expands = true;
        emit(r, *r->at++);
    }
}

void proxy_words_read(const char *line, size_t length, char *to, struct proxy_words *ret)
{
    struct reader r = { line, line + length, to, ret, '\0', false };

    ret->count = 0;
    ret->trouble = NULL;
    while (r.at < r.end && *r.at != '\0' && *r.at != '\n' && *r.at != '\r' && ret->trouble == NULL) {
        if (r.quote == '\0' && *r.at == '#')
            break;
        if (r.quote == '\0' && is_blank(*r.at)) {
            end_word(&r);
            r.at++;
        } else {
            read_one(&r);
        }
    }
    end_word(&r);
    if (ret->trouble == NULL && r.quote != '\0')
        ret->trouble = "a quote is not closed";
    ret->used = (size_t)(r.to - to);
}
