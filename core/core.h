/* The brain: events in, effects out. Same start, same events, same seed: same effects, byte for byte.
 *
 * The way of an event: observe > leadership > judge > steering > schedule > status, each room once. Nothing here waits,
 * logs, reads a clock or touches a file; memory comes from the lent room at core_new and nowhere else. */
#ifndef FC_CORE_CORE_H
#define FC_CORE_CORE_H

#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/room.h"
#include "core/config.h"
#include "core/effect.h"
#include "core/event.h"
#include "core/status.h"
#include "judge/needs.h"
#include "lead/leadership.h"
#include "model/servers.h"
#include "steer/steering.h"

struct core_server_schedule {
    struct fc_time look_at, look_sent_at, prepare_at;
    bool is_looking;
    struct fc_time check_at, check_sent_at;
    bool is_checking;
};

struct core_proxy {
    char name[64], address[ADDRESS_SIZE];
    bool is_reachable, has_been_seen;
    bool has_answered;               /* seen or lost at least once since the start */
    struct fc_time seen_at, look_at;
    bool is_looking;
    char text[160];
    int row_count;
    struct proxy_row rows[PROXY_ROWS_MAX];
    struct fc_time drift_since[STEER_POOLS_MAX][STEER_MEMBERS_MAX];    /* FC_EVER: agrees */
    enum { DRIFT_QUIET = 0, DRIFT_SAID, DRIFT_ALARMED } drift_said;    /* until it agrees again */
    struct fc_time drift_said_at;
    bool says_unknown;               /* that it lacks a server of the pool with the chair was said */
};

struct core {
    struct room *room;
    struct config *config;           /* own copy of the one in force */
    char node[NODE_NAME_SIZE];       /* "NAME~MARK" */
    char name[NODE_NAME_SIZE];
    struct fc_rng rng;
    struct fc_time now, started_at;
    int64_t unix_ms;
    uint64_t next_id;
    bool is_started, is_stopping, has_said_stop;
    bool stands;                     /* for the lease, as it was last told to */
    uint64_t stop_deed;
    struct fc_time stop_by;

    struct servers servers;
    struct needs needs;
    struct leadership leadership;
    struct steering steering;
    struct core_server_schedule schedule[STORE_SERVERS_MAX];
    struct fc_time register_at, push_again_at;
    int proxy_count;
    struct core_proxy proxies[PROXIES_MAX];
    const char *unknown_to[STORE_SERVERS_MAX];   /* an HAProxy that has the backend without this server; NULL = none in sight */

    struct rank namesake;            /* the last turn of another process that calls itself as we do */
    int namesake_turns;

    struct status_event events[STATUS_EVENTS_MAX];   /* a ring; seq says the order */
    uint64_t event_seq, status_seq, steps, notes_dropped;
};

/* What a step lends to steering, for those who only read: `out` is NULL, and nothing may be changed through it. */
struct steer_stage core_stage(const struct core *core, struct fc_time now, int64_t unix_ms);
/* The allocator is borrowed and outlives the core. NULL when it gives nothing. */
struct core *core_new(struct room *room);
void core_free(struct core *core);
/* One event; the effects are added to the (cleared) list. The first event is STARTED. */
void core_step(struct core *core, const struct event *event, struct effects *effects);

#endif
