/* What a check asks, from bytes. Lenient about blanks and the end of the line, strict about names; binary is refused at once.
 *
 * An asker's name is only a label: HAPROXY_LOCALPEER may be any host name, so it is cut and made plain, never refused. */
#include "haproxy/agent_request.h"

#include <string.h>

#include "base/text.h"

struct word {
    const char *at;
    size_t length;
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }
static bool is_end(char c) { return c == '\n' || c == '\r'; }
static bool is_binary(char c) { return ((unsigned char)c < ' ' && !is_blank(c) && !is_end(c)) || (unsigned char)c > '~'; }

#define WORDS_MAX 3

/* Splits the line; returns how many words there are, at most one more than fit. */
static int split_words(const char *line, size_t length, struct word words[WORDS_MAX])
{
    int count = 0;

    for (size_t i = 0; i < length && count <= WORDS_MAX;) {
        size_t begin;
        while (i < length && is_blank(line[i]))
            i++;
        for (begin = i; i < length && !is_blank(line[i]);)
            i++;
        if (i == begin)
            break;
        if (count < WORDS_MAX)
            words[count] = (struct word){ line + begin, i - begin };
        count++;
    }
    return count;
}

static bool word_is(struct word word, const char *text)
{
    return word.length == strlen(text) && memcmp(word.at, text, word.length) == 0;
}

static bool target_parse(struct word word, struct agent_request *ret)
{
    if (word_is(word, "voice")) {
        ret->is_voice = true;
        return true;
    }
    if (word_is(word, "look")) {
        ret->is_look = true;
        return true;
    }
    const char *slash = memchr(word.at, '/', word.length);
    if (slash == NULL)
        return false;
    const size_t pool_length = (size_t)(slash - word.at);
    const size_t server_length = word.length - pool_length - 1;
    if (!text_is_name(word.at, pool_length) || !text_is_name(slash + 1, server_length))
        return false;
    text_copy_bytes(ret->pool, sizeof ret->pool, word.at, pool_length);
    text_copy_bytes(ret->server, sizeof ret->server, slash + 1, server_length);
    return true;
}

enum agent_request_state agent_request_parse(const char *bytes, size_t length, bool is_over, struct agent_request *ret)
{
    const size_t seen = length < AGENT_REQUEST_MAX ? length : AGENT_REQUEST_MAX;
    struct agent_request request = { .is_voice = false };
    struct word words[WORDS_MAX];
    size_t line = 0;

    while (line < seen && !is_end(bytes[line])) {
        if (is_binary(bytes[line]))
            return AGENT_REQUEST_BAD;
        line++;
    }
    if (line == seen) {                                   /* no end of line */
        if (length >= AGENT_REQUEST_MAX)
            return AGENT_REQUEST_BAD;
        if (!is_over)
            return AGENT_REQUEST_PARTIAL;
    }
    const int count = split_words(bytes, line, words);
    if (count < 1 || count > WORDS_MAX || !target_parse(words[count - 1], &request))
        return AGENT_REQUEST_BAD;
    if (count == WORDS_MAX) {
        request.is_for_askers = word_is(words[1], "askers");
        request.is_for_sight = word_is(words[1], "sight");
        if ((!request.is_for_askers && !request.is_for_sight) || request.is_voice || request.is_look)
            return AGENT_REQUEST_BAD;
    }
    if (count >= 2) {
        text_copy_bytes(request.asker, sizeof request.asker, words[0].at, words[0].length);
        text_make_plain(request.asker);
    }
    *ret = request;
    return AGENT_REQUEST_READY;
}
