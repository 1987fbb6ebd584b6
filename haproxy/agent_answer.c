/* Answers as bytes. One table: kind of pool and voice -> HAProxy's words; then '#' after a blank, epoch, reason, newline.
 *
 * The words are always the whole state (spec/haproxy-agent-check.md 6.1). A voice that a pool kind does not have becomes
 * neutral: HAProxy then keeps what it has, and shows the word. */
#include "haproxy/agent_answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define NEUTRAL_WORD "fc-unknown"

/* NULL = this kind has no such voice. '%' stands for the weight. */
static const char *const state_words[POOL_KIND_COUNT][VOICE_COUNT] = {
    [POOL_BACKEND] = { [VOICE_FIRST] = "up ready 100%", [VOICE_REST] = "down maint" },
    [POOL_WRITER]  = { [VOICE_FIRST] = "up ready 100%", [VOICE_REST] = "down maint" },
    [POOL_LEADER]  = { [VOICE_FIRST] = "up",            [VOICE_REST] = "down" },
    [POOL_READER]  = { [VOICE_REST] = "down maint", [VOICE_READ] = "up ready %", [VOICE_LATE] = "up drain 100%",
                       [VOICE_BROKEN] = "down ready 100%" },
};

struct line {
    char *bytes;
    size_t length;
};

/* Appends what fits while leaving room for the newline and the zero byte. */
static void add(struct line *line, const char *text)
{
    const size_t room = AGENT_LINE_SIZE - 2 - line->length;
    const size_t length = strnlen(text, room);

    memcpy(line->bytes + line->length, text, length);
    line->length += length;
}

static void add_words(struct line *line, const char *words, unsigned weight_percent)
{
    char weighted[24];

    if (words[strlen(words) - 1] == '%' && words[strlen(words) - 2] == ' ') {
        /* 0 % would drain, and more than 100 % is not ours to say */
        const unsigned weight = weight_percent < 1 ? 1 : weight_percent > 100 ? 100 : weight_percent;
        TEXT_FORMAT(weighted, "%.*s%u%%", (int)strlen(words) - 1, words, weight);
        words = weighted;
    }
    add(line, words);
}

/* A reason is quoted by people and machines: it must carry no token and no epoch of its own making. */
static void make_harmless(char *reason)
{
    static const char *const reserved[] = { AGENT_TOKEN, AGENT_VOICE_TOKEN };

    text_make_plain(reason);
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        for (char *at = strstr(reason, reserved[i]); at != NULL; at = strstr(at, reserved[i]))
            at[strcspn(at, "-")] = '.';
    }
    for (char *at = strchr(reason, '#'); at != NULL; at = strchr(at, '#'))
        *at = '.';
    if (text_begins(reason, "e="))
        reason[1] = '.';
}

static enum voice voice_to_say(const struct answer *answer, int late)
{
    const enum voice voice = late ? answer->late : answer->voice;

    if ((unsigned)answer->kind >= POOL_KIND_COUNT || (unsigned)voice >= VOICE_COUNT ||
        state_words[answer->kind][voice] == NULL)
        return VOICE_NEUTRAL;
    /* past the term nobody is named first, whatever was prepared */
    return late && voice == VOICE_FIRST ? VOICE_REST : voice;
}

size_t agent_answer_format(const struct answer *answer, int late, char to[AGENT_LINE_SIZE])
{
    const enum voice voice = voice_to_say(answer, late);
    struct line line = { to, 0 };
    char reason[REASON_SIZE];
    char epoch[32] = "";

    text_copy_bytes(reason, sizeof reason, late ? "term over" : answer->reason,
                    late ? strlen("term over") : strnlen(answer->reason, REASON_SIZE));
    make_harmless(reason);
    if (answer->epoch != 0 && voice != VOICE_NEUTRAL)
        TEXT_FORMAT(epoch, " e=%" PRIu64, answer->epoch);

    if (voice == VOICE_NEUTRAL)
        add(&line, NEUTRAL_WORD);
    else
        add_words(&line, state_words[answer->kind][voice], answer->weight_percent);
    const bool has_token = voice == VOICE_FIRST || (voice == VOICE_NEUTRAL && answer->keeps_token && !late);
    if (has_token || epoch[0] != '\0' || reason[0] != '\0')
        add(&line, " #");
    if (has_token)
        add(&line, " " AGENT_TOKEN);
    add(&line, epoch);
    if (reason[0] != '\0') {
        add(&line, " ");
        add(&line, reason);
    }
    to[line.length++] = '\n';
    to[line.length] = '\0';
    return line.length;
}
