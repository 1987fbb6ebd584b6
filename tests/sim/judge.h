/* What must hold after every step, and what must hold in the end.
 *
 * When an overlap of two leaders or two usable writable servers is allowed (arbitration `local`, spec/steering.md 2):
 *   - while what one server logs does not reach the other within 150 ms (their link is cut, one is down or frozen, its
 *     replication is stopped, connecting or late), and for one look (poll + probe time-out) after that;
 *   - while a node cannot reach a server or is frozen, but then no longer than one look: two contenders who see different servers may
 *     both win, and replication tells them;
 *   - and only if the later one has watched as long as steering.md 4.3 says (judge_node.h).
 * With the arbiter `quorum` none of this is allowed: never two leaders, never two servers that HAProxies' clients may write to.
 *
 * An unfenced grant says so in the row's mark: as long as a row carries it, the old server may still be writable, but no HAProxy
 * process that was left alone since the revoke carries a write to it any more. A server opened by hand has five seconds, counted
 * while a leader could close it.
 *
 * A fence is for good, also while the servers are apart: who led before it opens the fenced server no more, however late he wakes.
 *
 * In a paused pool nothing is opened or closed, so nothing of this is judged there.
 *
 * Two writers are judged by what clients were told: a write acknowledged by one server after the other has acknowledged one at
 * a higher epoch. */
#ifndef FC_SIM_JUDGE_H
#define FC_SIM_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/judge_decisions.h"
#include "sim/judge_fleet.h"
#include "sim/judge_node.h"
#include "sim/judge_raft.h"
#include "sim/judge_said.h"

struct world;

#define EPOCHS_MAX 4096
#define JUDGE_CLUSTER "the HAProxies do not offer exactly the open master of the managed cluster"
#define JUDGE_UNANSWERED "an order has no answer"     /* the last thing that may lack: somebody sits, all agree */

struct epoch_fact { int8_t server, node; };      /* 0 = not seen yet */

struct judge {
    int64_t apart_until;             /* an overlap is allowed before this moment */
    int64_t steered_until;           /* HAProxies may go on for so long with what they were told while it was allowed */
    int64_t paused_until;            /* some node knows of a pause */
    int64_t blind_until;             /* some node could not reach some server */
    int64_t by_hand_until;           /* somebody opened a server by hand: it may take so long until it is fenced */
    bool is_by_hand[2];              /* this one is open because of that */
    bool is_left_open[2];            /* the other one was opened unfenced, and this one was not closed since */
    bool is_unfenced[2];             /* the same, also when it was closed then: what opens it late may be on its way */
    int64_t left_at[2], revoked_at[2];
    int64_t resolve_until[2];        /* this one may be found open beside the other until then */
    struct rank row_rank[2];         /* the highest row that has stood there: it only rises */
    uint64_t fenced_epoch[2];        /* the highest at which a fence could leave its row there */
    uint64_t acked_epoch[2];         /* at which it was open when it last acknowledged a write */
    int64_t cannot_look_at[SIM_NODES_MAX][2];              /* when this node last could not look at this server */
    int64_t cannot_renew_at[SIM_NODES_MAX][2];             /* or was kept from writing there in time */
    int64_t cannot_ask_at[SIM_NODES_MAX][SIM_NODES_MAX];   /* when these two last could not talk to each other */
    int64_t follows_at[2];           /* when the other one last fetched and applied this one's log as it was written */
    int64_t late_at;                 /* when something last answered late, or denied something */
    int64_t hindered_at;             /* something besides cut links last kept whoever sees all servers from leading */
    int leader;                      /* who last acted alone, 1 is fc1 */
    uint64_t handovers;
    struct epoch_fact facts[EPOCHS_MAX];
    int64_t overlap_us, longest_overlap_us;
    int64_t last_at;
    int acked_at_quiet[2];
    struct judged_seat seat;
    struct judged_node nodes[SIM_NODES_MAX];
    struct judge_said said;
    struct judged_raft raft;         /* arbiter `quorum` */
    struct judged_fleet fleet;
    struct judged_decisions decisions;
};

struct sim_client;

void judge_init(struct world *world);
void judge_step(struct world *world);
/* The whole picture is quiet: one leads, the same one sits everywhere, open, usable at each proxy, rows equal. */
bool judge_is_quiet(const struct world *world, char *why, int why_size);
/* Two may lead now, each by what it sees (arbiter `local`). */
bool judge_overlap_is_allowed(const struct world *world);
void judge_end(struct world *world);
void judge_opened(struct world *world, int node, int server);
void judge_opened_by_hand(struct world *world, int server);
void judge_closed(struct world *world, int server);
void judge_fenced(struct world *world, int server, uint64_t epoch);      /* epoch: in which it was decided */
/* A fence of a leader of this epoch has arrived where its row could be written: what was decided before is over there. */
void judge_fence_begins(struct world *world, int server, uint64_t epoch);
void judge_row_lost(struct world *world, int server);
/* A client has been told that its write is committed. */
void judge_acked(struct world *world, const struct sim_client *client);
void violate(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
