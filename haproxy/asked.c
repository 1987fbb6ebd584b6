/* The rows of a board's memory as lines. An asker's name is any host name: blanks in it become '_', so that it stays a word. */
#include "haproxy/asked.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define HEAD "fc-askers "
#define WORDS 7

static void word_of(const char *text, char *to, size_t size)
{
    text_copy(to, size, text[0] == '\0' ? "-" : text);
    text_make_plain(to);
    for (char *c = to; *c != '\0'; c++) {
        if (*c == ' ')
            *c = '_';
    }
}

static void number_of(int64_t value, char *to, size_t size)
{
    if (value < 0)
        text_copy(to, size, "-");
    else
        text_format(to, size, "%" PRId64, value);
}

size_t asked_format(const struct asked_row *rows, int count, char *to, size_t size)
{
    char name[64], source[64], age[24], first[24], prompt[24], earlier[24];
    char lines[ASKED_ANSWER_SIZE];
    size_t used = 0;
    int told = 0;
    lines[0] = '\0';
    for (int i = 0; i < count && told < ASKED_ROWS_MAX; i++) {
        word_of(rows[i].name, name, sizeof name);
        word_of(rows[i].source, source, sizeof source);
        number_of(rows[i].age_ms, age, sizeof age);
        number_of(rows[i].first_age_ms, first, sizeof first);
        number_of(rows[i].prompt_age_ms[0], prompt, sizeof prompt);
        number_of(rows[i].prompt_age_ms[1], earlier, sizeof earlier);
        if (!text_format(lines + used, sizeof lines - used, "%s %s %" PRIu64 " %s %s %s %s\n", name, source, rows[i].epoch,
                         age, first, prompt, earlier))
            break;
        used += strlen(lines + used);
        told++;
    }
    if (!text_format(to, size, HEAD "%d\n%.*s", told, (int)used, lines))
        return 0;
    return strlen(to);
}

struct words { const char *at[WORDS]; size_t length[WORDS]; };

/* Exactly seven words with one blank between them. */
static bool words_split(const char *line, size_t length, struct words *ret)
{
    size_t i = 0;
    for (int word = 0; word < WORDS; word++) {
        const size_t begin = i;
        while (i < length && line[i] != ' ')
            i++;
        ret->at[word] = line + begin;
        ret->length[word] = i - begin;
        if (i == begin || (word + 1 < WORDS) != (i < length))
            return false;
        i++;
    }
    return true;
}

static bool text_from(const struct words *words, int word, char *to, size_t size)
{
    if (words->length[word] == 1 && words->at[word][0] == '-') {
        to[0] = '\0';
        return true;
    }
    const bool fits = text_copy_bytes(to, size, words->at[word], words->length[word]);
    text_make_plain(to);
    return fits;
}

static bool number_from(const struct words *words, int word, int64_t *ret)
{
    uint64_t value;
    if (words->length[word] == 1 && words->at[word][0] == '-') {
        *ret = -1;
        return true;
    }
    if (!text_to_u64(words->at[word], words->length[word], &value) || value > INT64_MAX / 1000)
        return false;
    *ret = (int64_t)value;
    return true;
}

static bool row_parse(const char *line, size_t length, struct asked_row *ret)
{
    struct words words;
    memset(ret, 0, sizeof *ret);
    return words_split(line, length, &words) && text_from(&words, 0, ret->name, sizeof ret->name) &&
           text_from(&words, 1, ret->source, sizeof ret->source) &&
           text_to_u64(words.at[2], words.length[2], &ret->epoch) && number_from(&words, 3, &ret->age_ms) && ret->age_ms >= 0 &&
           number_from(&words, 4, &ret->first_age_ms) && number_from(&words, 5, &ret->prompt_age_ms[0]) &&
           number_from(&words, 6, &ret->prompt_age_ms[1]);
}

static const char *line_end(const char *at, const char *end)
{
    return at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
}

enum fc_code asked_parse(const char *bytes, size_t length, struct asked_row rows[ASKED_ROWS_MAX], int *count, struct fc_err *err)
{
    const char *const end = bytes + length;
    const char *newline = line_end(bytes, end);
    uint64_t told;
    *count = 0;
    if (newline == NULL || (size_t)(newline - bytes) <= strlen(HEAD) || memcmp(bytes, HEAD, strlen(HEAD)) != 0 ||
        !text_to_u64(bytes + strlen(HEAD), (size_t)(newline - bytes) - strlen(HEAD), &told) || told > ASKED_ROWS_MAX)
        return fc_fail(err, FC_BAD_INPUT, "the node does not say who asked it; is it another version?");
    const char *at = newline + 1;
    for (uint64_t i = 0; i < told; i++) {
        newline = line_end(at, end);
        if (newline == NULL || !row_parse(at, (size_t)(newline - at), &rows[i]))
            return fc_fail(err, FC_BAD_INPUT, "line %d of who asked the node cannot be read", (int)i + 1);
        at = newline + 1;
    }
    if (at != end)
        return fc_fail(err, FC_BAD_INPUT, "more than the %d lines that were told of who asked the node", (int)told);
    *count = (int)told;
    return FC_OK;
}
