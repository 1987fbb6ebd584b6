/* What is promised of a managed cluster's pools. Writers: never two servers that are writable and that HAProxies' clients may write to,
 * unless somebody has opened one again that was let go closed, and not in HAProxies that were frozen or reloaded a moment ago (their
 * checks begin anew); who sits stays while it is an open master that the leader sees, and while it is the only one and its replicas hear it.
 * Readers: who is fit reads, who is late does not as long as others are left, never fewer than ReaderFloor. Only who leads speaks. */
#ifndef FC_SIM_JUDGE_FLEET_H
#define FC_SIM_JUDGE_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_fleet.h"

struct judged_fleet {
    int64_t offered_since[SIM_MEMBERS];      /* by some HAProxy, to writers; -1: by none */
    int64_t excused_until;                   /* two may have led, each by its own word */
    int64_t unwell_at[SIM_MEMBERS];          /* last: not the only open master with all replicas at its heels, all in sight of all nodes */
    int64_t not_open_at[SIM_NODES_MAX][SIM_MEMBERS];     /* last: this node could not see it to be an open master */
    int first_of[SIM_NODES_MAX];             /* whom the board of this node called first; -1 nobody */
    uint32_t life_of[SIM_NODES_MAX];
    int64_t leads_since[SIM_NODES_MAX];      /* -1: it does not */
    int64_t heard_at[SIM_NODES_MAX];         /* last frozen: what it was told waited at its door */
    int64_t kept_since[SIM_NODES_MAX];       /* it calls somebody first whom it should leave, since then */
    int64_t asked_at;                        /* when those who do not lead were last asked */
};

struct sim_proxy;
struct world;

void judge_fleet_init(struct world *world);
void judge_fleet_step(struct world *world);
/* A node answers an HAProxy that asks through the relay. */
void judge_fleet_says(struct world *world, int node, enum fleet_pool pool, int member, const char *line);
/* Frozen, reloaded or started so short ago that it may still go on with what it was told before. */
bool judge_fleet_is_disturbed(const struct world *world, const struct sim_proxy *proxy);
/* Every HAProxy offers exactly the open master. */
bool judge_fleet_is_quiet(const struct world *world);

#endif
