/* Small texts in the deciding row: written and read here, and nowhere else. */
#include "model/mark.h"

#include <string.h>

#include "base/text.h"

#define UNFENCED "unfenced"
#define STALE "stale"
#define FETCHED " (fetched to "

void mark_write(bool is_unfenced, bool is_stale, int64_t stale_since_unix_ms, char to[MARK_SIZE])
{
    char since[24] = "";
    if (is_stale && stale_since_unix_ms > 0)
        TEXT_FORMAT(since, "@%lld", (long long)(stale_since_unix_ms / 1000));
    text_format(to, MARK_SIZE, "%s%s%s%s", is_unfenced ? UNFENCED : "", is_unfenced && is_stale ? " " : "", is_stale ? STALE : "",
                since);
}

/* The word at its beginning: what follows it, NULL when it is not there. */
static const char *after_word(const char *mark, const char *word)
{
    const char *at = strstr(mark, word);
    if (at == NULL || (at > mark && at[-1] != ' '))
        return NULL;
    at += strlen(word);
    return *at == '\0' || *at == ' ' || *at == '@' ? at : NULL;
}

bool mark_is_unfenced(const char *mark) { return after_word(mark, UNFENCED) != NULL; }
bool mark_is_stale(const char *mark) { return after_word(mark, STALE) != NULL; }

int64_t mark_stale_since_ms(const char *mark)
{
    const char *at = after_word(mark, STALE);
    uint64_t seconds;
    if (at == NULL || *at != '@' || !text_to_u64(at + 1, strcspn(at + 1, " "), &seconds) || seconds > INT64_MAX / 1000)
        return 0;
    return (int64_t)seconds * 1000;
}

void mark_words(const char *mark, char *to, size_t size)
{
    const bool is_unfenced = mark_is_unfenced(mark), is_stale = mark_is_stale(mark);
    text_format(to, size, "%s%s%s", is_unfenced ? UNFENCED : "", is_unfenced && is_stale ? " " : "", is_stale ? STALE : "");
}

void fetched_to_write(char why[WHY_SIZE], const struct log_position *position)
{
    char tail[FILE_SIZE + 48];
    if (position->file[0] == '\0')
        return;
    TEXT_FORMAT(tail, FETCHED "%s:%llu)", position->file, (unsigned long long)position->offset);
    const size_t tail_length = strlen(tail);
    size_t length = strlen(why);
    if (length + tail_length >= WHY_SIZE)
        length = WHY_SIZE - 1 - tail_length;
    memcpy(why + length, tail, tail_length + 1);
}

bool fetched_to_read(const char *why, struct log_position *ret)
{
    const char *at = strstr(why, FETCHED), *next;
    while (at != NULL && (next = strstr(at + 1, FETCHED)) != NULL)
        at = next;
    const char *colon = at == NULL ? NULL : strrchr(at, ':');
    if (colon == NULL)
        return false;
    const char *file = at + strlen(FETCHED);
    const size_t digits = strspn(colon + 1, "0123456789");
    memset(ret, 0, sizeof *ret);
    return colon > file && text_copy_bytes(ret->file, sizeof ret->file, file, (size_t)(colon - file)) &&
           text_to_u64(colon + 1, digits, &ret->offset) && text_is(colon + 1 + digits, ")");
}
