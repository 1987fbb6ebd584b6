/* The picture of one node at one moment, as plain values: what every door shows (JSON, tables, metrics, Redis).
 *
 * Everything carries its age; nothing here is asked for when somebody looks: it is copied from memory. */
#ifndef FC_CORE_STATUS_H
#define FC_CORE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"
#include "core/config.h"
#include "core/effect.h"
#include "judge/needs.h"
#include "model/look.h"
#include "model/mark.h"
#include "steer/answer.h"

#define POOLS_MAX (2 + CLUSTER_POOLS_MAX)
#define POOL_SERVERS_MAX NODES_MAX
#define STATUS_EVENTS_MAX 64

struct core;

struct status_need {                  /* something that this mode needs of a server and that is missing there */
    const char *word;                 /* of the rule: core/judge/needs.c */
    enum need_severity severity;
    char text[NEED_TEXT_SIZE];        /* what is, and how to mend it */
};

struct status_server {                /* a server of the store */
    char name[64], address[ADDRESS_SIZE];
    bool is_reachable, has_been_seen;
    enum loss loss;
    char loss_text[160];
    char trouble[160];                /* why our schema could not be laid there; "" = nothing known */
    int64_t age_ms;                   /* of the last successful look; -1 never */
    struct server_look look;          /* the last successful one */
    bool is_seated;
    int64_t settings_age_ms;          /* of the last check of its settings; -1 never */
    int need_count;
    struct status_need needs[NEED_RULES_MAX];
};

struct status_view {                  /* what one HAProxy really does with one server */
    char proxy[64];
    bool is_known;                    /* read back at least once */
    bool is_usable;
    uint64_t epoch;
    int sessions;
    char status[32], last_agent[128];
    int64_t age_ms;                   /* of the read-back */
    int64_t drift_ms;                 /* for how long the view has contradicted the intent; 0 = agrees */
};

struct status_pool_server {
    char name[64], address[ADDRESS_SIZE];
    struct answer answer;             /* the intent: what the board says */
    bool is_within_term;
    enum hold_kind hold;
    char hold_by[64], hold_why[WHY_SIZE];
    int view_count;
    struct status_view views[PROXIES_MAX];
};

struct status_pool {
    char name[64];
    enum pool_kind kind;
    char state[24];                   /* "unknown", "seated", "moving", "nobody" */
    char seated[64];                  /* server's name; "" = nobody */
    uint64_t epoch;
    char why[WHY_SIZE], mark[MARK_SIZE];    /* mark: words only (model/mark.h) */
    int64_t stale_since_unix_ms;      /* marked stale: from when on writes may be missing; 0 = not, or not known */
    char alone_server[64];            /* replaced unfenced, and its log was read since; "" = not */
    char alone_from[96], alone_to[96];/* FILE:OFFSET: the part of its log that was read */
    char alone_first[64], alone_last[64];   /* GTIDs of the transactions that clients wrote there alone */
    uint32_t alone_transactions;
    bool alone_is_more;               /* there are at least so many */
    int64_t since_unix_ms;            /* when this node saw the present state begin */
    bool is_paused;
    char second_writer[64];           /* writable beside another one, both in sight; "" none. In a paused pool nobody fences it */
    uint32_t failed_tries;            /* of the automatic move that is due, one after another; 0 none */
    bool is_moving;
    char move_from[64], move_to[64], move_step[24];
    int64_t move_age_ms;
    char move_awaits[120];            /* while an old server that could not be fenced is waited for: who has not heard; else "" */
    int server_count;
    struct status_pool_server servers[POOL_SERVERS_MAX];
};

struct status_proxy { char name[64], address[ADDRESS_SIZE]; bool is_reachable; int64_t age_ms; char text[160]; };

struct status_event { uint64_t seq; int64_t unix_ms; enum note_level level; char subject[64]; uint64_t epoch; char text[240]; };

struct status {
    uint64_t seq;                     /* rises with every change that is worth publishing */
    uint64_t filling;                 /* set by the agent: how often it was filled. 0: nobody counts */
    int64_t unix_ms;
    char node[64];                    /* this node's name */
    char token[65];                   /* set by the agent */
    char version[32];                 /* set by the agent */
    char leadership[24];              /* "following", "leading", "suspended" */
    bool leads;                       /* may act at this very moment */
    char leader[64];                  /* who leads as far as this node knows; "" = nobody known */
    uint64_t epoch;
    int64_t lease_left_ms;            /* of the own lease; 0 when not leading */
    int64_t leader_since_unix_ms;
    char leader_why[WHY_SIZE];
    bool store_is_reachable;          /* at least one server of the store answers */
    int64_t store_age_ms;             /* of the last confirmation by the store; -1 never */
    char role[16];                    /* "node" or "witness" */
    char store_word[24];              /* "sqlite", "mysql"; "none" on a witness */
    char arbitration[16];             /* "local", "quorum" or "none" */
    char notice[240];                 /* what this arbitration cannot promise; "" when nothing */
    bool is_stopping;
    int server_count;
    struct status_server servers[STORE_SERVERS_MAX];
    int pool_count;
    struct status_pool pools[POOLS_MAX];
    int proxy_count;
    struct status_proxy proxies[PROXIES_MAX];
    int event_count;                  /* oldest first */
    struct status_event events[STATUS_EVENTS_MAX];
    uint64_t steps, orders, moves, moves_failed, notes_dropped;
};

/* Fills the whole picture as of `now`. `status` is large (about 1 MB is fine): keep one, do not put it on the stack. */
void core_status(const struct core *core, struct fc_time now, int64_t unix_ms, struct status *status);

#endif
