/* The operator's verbs: one grammar for every door. A pure parser, fuzzed; who may do what is in the table.
 *
 *   status                              pools                          events [COUNT]
 *   explain [POOL[/SERVER] | leader | HAPROXY | ORDER]                 plan [POOL]
 *   history [COUNT] [SUBJECT] [since TIME] [before ID]
 *   failback POOL                       yield [[to] NODE] [from NODE]  verify-backends
 *   switch POOL [to] SERVER [force] [within SECONDS]
 *   maint POOL/SERVER [because TEXT]    drain POOL/SERVER [because TEXT]    ready POOL/SERVER
 *   down POOL/SERVER [because TEXT]     up POOL/SERVER                      weight POOL/SERVER PERCENT
 *   pause POOL [because TEXT]           resume POOL
 *   raft-add NODE@HOST:PORT             raft-promote NODE                  raft-remove NODE    raft-backup
 *
 * Words are separated by blanks; `because` takes the rest of the line (plain UTF-8, shorter than WHY_SIZE bytes). Case matters
 * for names, not for verbs and the small words. "POOL SERVER" is taken for "POOL/SERVER". */
#ifndef FC_ACT_ORDERS_H
#define FC_ACT_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/config.h"
#include "model/look.h"

enum verb {
    VERB_STATUS = 0, VERB_POOLS, VERB_EVENTS, VERB_EXPLAIN, VERB_PLAN, VERB_HISTORY, VERB_VERIFY,
    VERB_SWITCH, VERB_FAILBACK, VERB_MAINT, VERB_DOWN, VERB_DRAIN, VERB_READY, VERB_UP, VERB_WEIGHT, VERB_PAUSE, VERB_RESUME, VERB_YIELD,
    VERB_RAFT_ADD, VERB_RAFT_PROMOTE, VERB_RAFT_REMOVE, VERB_RAFT_BACKUP,
    VERB_COUNT
};

struct verb_row {
    const char *word;
    const char *usage;           /* "switch POOL [to] SERVER [force] [within SECONDS]" */
    const char *meaning;         /* one sentence */
    const char *example;
    bool changes;                /* needs authority */
    bool leader_only;            /* a follower lays it into the store for the leader */
};

extern const struct verb_row verb_table[VERB_COUNT];

#define ORDER_ABOUT_SIZE 320
#define HISTORY_ASKED_MAX 200        /* lines of history in one answer */

struct order {
    enum verb verb;
    char pool[64];
    char server[64];             /* yield: the node that is to lead; raft-...: the member */
    char from[64];               /* yield: only while this node leads */
    char address[ADDRESS_SIZE];  /* raft-add: where it lives, host:port */
    bool is_forced;
    uint32_t limit_ms;           /* 0 = the configured one */
    int weight_percent;          /* weight: 0 to 100 */
    int count;                   /* events, history: the last so many; 0 = events: all that are kept, history: 20 */
    char because[WHY_SIZE];
    char about[ORDER_ABOUT_SIZE];/* explain: the order that is asked about, checked; "" = none. history's SUBJECT is in `pool` */
    int64_t since_unix_ms;       /* history: not older; negative = so many ms before now; 0 = no matter */
    uint64_t before;             /* history: older than this id; 0 = the newest */
};

#define ORDER_TEXT_MAX 1024

/* Takes one line without its line end. On failure one clear sentence: what was not understood, and the usage of the nearest
 * verb: FC_BAD_INPUT, or FC_REFUSED for a verb that exists elsewhere and not here. */
enum fc_code order_parse(const char *text, size_t length, struct order *ret, struct fc_err *err);

#endif
