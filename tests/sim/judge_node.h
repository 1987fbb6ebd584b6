/* What a single node may decide and say, judged at every step of its core: that it acts only while it may, moves the chair only
 * for a reason that the rules of spec/steering.md 6 allow, finishes no intent whose time is over, and speaks only of what it
 * knows. An overlap of two leaders is nobody's fault where they see different servers, but only if the second one has watched as
 * long as steering.md 4.3 says. Waits are judged with the drift of its clock and a little more in its favour. */
#ifndef FC_SIM_JUDGE_NODE_H
#define FC_SIM_JUDGE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "sim/net.h"

struct store_result;
struct world;

#define JUDGED_HOLDS 16

/* What the looks of a node have shown of the deciding row on one server, on its own clock. */
struct judged_row {
    bool has_answered, is_seen, has_row, is_lost;
    bool has_answered_last;                  /* the last look that came back, however old, was good and showed a row */
    struct rank rank;
    struct fc_time seen_since, changed_at;   /* by when a look came back: what it showed was so before that */
    struct fc_time sent_at;
    int64_t lost_at;                         /* world time: when it went out of sight */
};

struct judged_hold { char pool[64], server[64]; uint64_t epoch, seq; };

/* What the judge remembers of a node; forgotten when it restarts. */
struct judged_node {
    uint32_t life;
    int64_t moving_since;            /* world time at which its chair was first known to be moving so; -1 = it is not */
    char moving_to[IDENTITY_SIZE];
    int64_t frozen_at;               /* last; -1 = never */
    int misses[SIM_SERVERS];         /* looks in a row without an answer, one after the other */
    struct fc_time missed_at[SIM_SERVERS];
    int failbacks;                   /* begun by this process */
    int hold_count;
    struct judged_hold holds[JUDGED_HOLDS];
    struct fc_time started_at;       /* on its own clock */
    struct judged_row shown[SIM_SERVERS];
    struct rank highest;             /* that it was ever shown */
    struct fc_time rose_at, wrote_at;    /* by what was sent when; its own last write that was answered */
    struct fc_time rose_heard_at;
    struct fc_time open_at;          /* and the last look that found the seated one open, by a row of that epoch */
    struct fc_time stands_at;        /* it gave the lease back and pauses until then */
    uint64_t taking_epoch;           /* of the lease that it is about to take over; 0 = none */
    char hasty[96];                  /* what it has not waited for; "" = it has watched as long as it must */
};

/* And of the servers. */
struct judged_seat {
    struct rank row;                 /* the highest one that seats somebody */
    int64_t since;                   /* from when on it has been the same server */
    int64_t down_since[SIM_SERVERS]; /* last up then */
    int64_t up_since[SIM_SERVERS];   /* after it was down for so long that everybody has noticed */
    int64_t heard_since[SIM_SERVERS];    /* the other one has heard it since then */
    int64_t slow_at[SIM_SERVERS];    /* last seen to apply slowly, or not for lack of room: it lags, and says so */
    int64_t asleep_at[SIM_SERVERS];  /* last frozen: on waking it takes its master for alive until its own time-out is over */
    int64_t opened_at[SIM_SERVERS];  /* by a node */
    int64_t told_open_at[SIM_SERVERS];   /* and the node has heard so */
    int64_t heard_at[SIM_SERVERS];   /* last seen to have applied all that it has fetched, or to fetch nothing */
    int64_t foreign_since;           /* no living foreign owner of active_node until then */
};

/* What a step of the core may change, as it was before. */
struct step_before { enum move_step move_step; uint64_t intent_id, orders; struct decision row; bool is_reachable[SIM_SERVERS]; };

void judge_servers_step(struct world *world);
void judge_step_before(const struct core *core, struct step_before *ret);
void judge_node_step(struct world *world, int node, const struct event *event, const struct step_before *before);
/* What a look brought, before anything is decided by it; look NULL: it brought nothing. */
void judge_shown(struct world *world, int node, int server, const struct server_look *look, struct fc_time sent_at);
/* A write of its lease was answered with what stands there; a server that it opened, with that it is open. */
void judge_wrote(struct world *world, int node, struct fc_time sent_at);
/* And everything that follows from it for this node has been done. */
void judge_answered(struct world *world, int node, const struct store_result *result);
void judge_told_open(struct world *world, int server);
void judge_gives_back(struct world *world, int node, int64_t pause_ms);
/* It is about to take a lease over, or to go on with its own, and may not act until then. */
void judge_takes(struct world *world, int node, const struct decision *row, bool is_its_own);
/* The token for this server: by a look, or a write of its own, that was sent within the term. */
void judge_token(struct world *world, int node, int server);
/* A deed is about to be begun, or a decision was written, under a lease that lasts until then. */
void judge_deed_begins(struct world *world, int node, const struct effect *effect);
/* Of an answer that an HAProxy is about to hear. */
void judge_node_says(struct world *world, int node, bool is_voice, const char *line);
/* A hold is about to be written: never one that keeps out who sits. */
void judge_hold_write(struct world *world, int node, const struct hold *hold);

#endif
