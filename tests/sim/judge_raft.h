/* What the arbiter `quorum` adds: who speaks of a chair must have heard of it from who might act, within a term, however it is cut off;
 * a chair that the log has taken from a server is not spoken for any longer than that. Judged by what the log of anybody applied, by
 * the links as they are, and by what HAProxies are answered. */
#ifndef FC_SIM_JUDGE_RAFT_H
#define FC_SIM_JUDGE_RAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/decision.h"
#include "sim/net.h"

struct world;

struct judged_raft {
    struct decision chair;                       /* the highest row that any log has applied */
    int64_t left_at[SIM_SERVERS];                /* since when the log has it no more in the chair; -1: it sits, or never sat */
    bool has_sat[SIM_SERVERS];
    int64_t talked_at[SIM_NODES_MAX][SIM_NODES_MAX];      /* last: [0] could talk to [1] */
    int64_t majority_at[SIM_NODES_MAX];          /* the latest moment since which a majority can have given it its word */
    int64_t could_hear_at[SIM_NODES_MAX];        /* the last such moment that it, or somebody who can talk to it since, had: what was confirmed then may be told later */
    int64_t hindered_at[SIM_NODES_MAX];          /* last: something kept a majority from answering it in time */
    int64_t apart_at[SIM_NODES_MAX][SIM_NODES_MAX];      /* last: this one could not answer that one in time */
    int64_t stands_not_at[SIM_NODES_MAX];        /* last: it was not up to lead, by its own word */
    int64_t follows_at[SIM_NODES_MAX];           /* last: it was not raft's leader; asked of witnesses */
};

void judge_raft_init(struct world *world);
void judge_raft_step(struct world *world);
/* A node's log has come to this chair, or was given it as a whole. */
void judge_chair_applied(struct world *world, int node, const struct decision *chair);
/* The node says its voice, or the token for this server (-1: the voice). */
void judge_raft_says(struct world *world, int node, int server);
/* The leader's lease has run out. */
void judge_raft_lapse(struct world *world, int node);
/* `server` is opened although the other one, `old`, could not be fenced: by then nobody speaks for `old`. */
void judge_raft_opened_unfenced(struct world *world, int server, int old);
/* Could this node have been elected all the time since then? */
bool judge_raft_is_eligible(const struct world *world, int node, int64_t since);

#endif
