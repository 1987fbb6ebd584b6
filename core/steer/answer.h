/* What a pool's server is to be called, before it becomes bytes (haproxy/agent_answer.c makes the bytes).
 *
 * Words by kind of pool: spec/haproxy-agent-check.md 6. An answer is always the whole state. */
#ifndef FC_STEER_ANSWER_H
#define FC_STEER_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"

enum pool_kind { POOL_BACKEND = 0, POOL_LEADER, POOL_WRITER, POOL_READER, POOL_KIND_COUNT };

enum voice {
    VOICE_NEUTRAL = 0,   /* "fc-unknown # why": HAProxy keeps what it has and shows the word */
    VOICE_FIRST,         /* sits: backend, writer "up ready 100% # fc-ok e=N ..."; leader "up # fc-ok e=N ..." */
    VOICE_REST,          /* does not sit: backend, writer "down maint # ..."; leader "down # ..." */
    VOICE_READ,          /* reader fit to read: "up ready W% # ..." */
    VOICE_LATE,          /* reader too far behind: "up drain 100% # ..." */
    VOICE_BROKEN,        /* reader broken: "down ready 100% # ..." */
    VOICE_COUNT
};

#define REASON_SIZE 56   /* kept short: the whole line stays within 100 bytes, HAProxy keeps about 109 of reason */

struct answer {
    enum pool_kind kind;
    enum voice voice;
    uint8_t weight_percent;      /* VOICE_READ only: 1 to 100 */
    uint64_t epoch;              /* 0 = none shown */
    bool keeps_token;            /* VOICE_NEUTRAL only: HAProxy's token check goes on passing (a paused pool's open server) */
    char reason[REASON_SIZE];    /* plain words, without '#', ';' or control bytes */
    struct fc_time until;        /* the term: from then on `late` is answered. FC_NEVER for answers that need no term */
    enum voice late;             /* VOICE_REST = fail-closed, or VOICE_NEUTRAL; its reason is "term over" */
};

const char *pool_kind_word(enum pool_kind kind);    /* "backend", "leader", "writer", "reader" */
const char *voice_word(enum voice voice);           /* "neutral", "first", "rest", "read", "late", "broken" */

#endif
