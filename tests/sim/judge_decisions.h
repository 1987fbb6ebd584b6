/* Decisions: one rank is one decision, whoever shows it; over one row one decision stands; and what the arbiter `quorum` says of them. A
 * term for a chair counts from a moment at which nobody had decided beyond it, so it is over one term after it was. */
#ifndef FC_SIM_JUDGE_DECISIONS_H
#define FC_SIM_JUDGE_DECISIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/decision.h"
#include "sim/net.h"

struct event;
struct world;

#define DECISIONS_KEPT 256           /* of the latest; an older one that is shown is not judged */

struct judged_decision {
    struct decision row;
    struct rank old;                 /* over which it stands in the log; epoch 0: not known, or the first */
    bool has_old;
    int64_t gone_beyond_at;          /* when the first log had a higher one; -1: none has */
};

struct judged_decisions {
    int count;                       /* ever; the last DECISIONS_KEPT are in the list */
    struct judged_decision list[DECISIONS_KEPT];
    bool has_heard[SIM_NODES_MAX], stands[SIM_NODES_MAX];    /* its pump heard of the end of an entry of its own: does that stand? */
    struct rank stood[SIM_SERVERS][8];   /* that stood in this server's table, the latest */
    int stood_count[SIM_SERVERS];
    uint64_t raft_term_of[4096];     /* in which this epoch was led; 0 = in none */
    bool gives_back[SIM_NODES_MAX];
};

void judge_decisions_init(struct world *world);
/* Somebody shows this row: a log, a server's table, a node. */
void judge_decision(struct world *world, const char *who, const struct decision *row);
/* A server's table has this row now. */
void judge_row_stands(struct world *world, int server);
/* The highest row of any log is another one. */
void judge_gone_beyond(struct world *world, const struct decision *before);
/* A log took this row over that one. */
void judge_stands_over(struct world *world, const struct decision *row, const struct rank *old);
/* A node lays a row into the log. */
void judge_proposes(struct world *world, int node, const struct rank *row, const struct rank *old);
/* It is to give its leadership away. */
void judge_yields(struct world *world, int node);
/* A process begins anew. */
void judge_decisions_forget(struct world *world, int node);
/* Its pump hears what became of an entry of its own. */
void judge_own_entry(struct world *world, int node, bool stands);
/* What the arbiter tells the core of a node. */
void judge_arbiter_says(struct world *world, int node, const struct event *event);

#endif
