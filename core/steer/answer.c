/* The words of answers, for logs and JSON. HAProxy's own words are made in haproxy/agent_answer.c. */
#include "steer/answer.h"

static const char *const kind_words[POOL_KIND_COUNT] = {
    [POOL_BACKEND] = "backend", [POOL_LEADER] = "leader", [POOL_WRITER] = "writer", [POOL_READER] = "reader",
};
static const char *const voice_words[VOICE_COUNT] = {
    [VOICE_NEUTRAL] = "neutral", [VOICE_FIRST] = "first", [VOICE_REST] = "rest",
    [VOICE_READ] = "read", [VOICE_LATE] = "late", [VOICE_BROKEN] = "broken",
};

const char *pool_kind_word(enum pool_kind kind)
{
    return (unsigned)kind < POOL_KIND_COUNT ? kind_words[kind] : "unknown";
}

const char *voice_word(enum voice voice)
{
    return (unsigned)voice < VOICE_COUNT ? voice_words[voice] : "unknown";
}
