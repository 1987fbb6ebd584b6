/* A managed cluster: three servers of which one is the open master and the others follow it, changed by somebody else (firstchair changes
 * nothing there), looked at by every node at its own moments, and steered to by the HAProxies through two pools: one for writers, one for
 * readers. A look takes its time, a silent server is given up after ReasonableInstanceCheckSeconds, a dead one ends sessions at once. */
#ifndef FC_SIM_FLEET_H
#define FC_SIM_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "model/fleet_sight.h"
#include "sim/net.h"

#define FLEET_WRITERS "shop_rw"
#define FLEET_READERS "shop_ro"
#define FLEET_NOW 16                 /* of a look: besides the regular ones */

struct config;
struct fault;
struct sim_proxy;
struct sim_proxy_server;
struct world;

enum fleet_pool { POOL_OF_WRITERS, POOL_OF_READERS, FLEET_POOLS };

/* How somebody promotes another master. */
enum failover_way { FAILOVER_CLEAN, FAILOVER_OPENS_FIRST, FAILOVER_LEAVES_OLD_OPEN, FAILOVER_MOVES_NOBODY, FAILOVER_WAYS };

struct sim_member {
    bool is_up, is_frozen, is_read_only, is_sql_stopped;
    int master;                      /* -1: none */
    int64_t behind_s;                /* how far it is behind its master */
    int64_t opened_at, closed_at;    /* last, by somebody */
    int64_t reads_since;             /* its threads have run, and its master was there, since then */
};

/* What a node knows of a member. */
struct fleet_known { struct fleet_sight sight; int master; };

struct fleet_view {
    struct fleet_known known[SIM_MEMBERS];
    struct fleet_sight told[SIM_MEMBERS];
    bool is_told[SIM_MEMBERS];
};

void fleet_configure(struct world *world, struct config *config);
void fleet_init(struct world *world);
/* Somebody has repaired it: one master is open, the others follow it. */
void fleet_heal(struct world *world);
void fleet_node_starts(struct world *world, int node);
/* Happenings. */
void fleet_ask(struct world *world, int node, int what);
void fleet_sees(struct world *world, int node, int member);
void fleet_loses(struct world *world, int node, int member);
void fleet_boots(struct world *world, int member);
/* What goes wrong. */
void fleet_kill(struct world *world, int member, int64_t back_after_us);
void fleet_set_read_only(struct world *world, int member, bool is_read_only);
void fleet_failover(struct world *world, int to, enum failover_way way);
bool fleet_is_master_open(const struct world *world, int member);       /* up, awake, writable */

/* The HAProxies' half (sim_fleet_proxy.c). */
void fleet_proxy_init(struct world *world, struct sim_proxy *proxy);
void fleet_proxy_reloaded(struct world *world, struct sim_proxy *proxy);
void fleet_proxy_killed(struct world *world, struct sim_proxy *proxy);
void fleet_proxy_started(struct world *world, struct sim_proxy *proxy);
void fleet_proxy_polls(struct world *world, struct sim_proxy *proxy);
void fleet_proxy_checks(struct world *world, struct sim_proxy *proxy);
void fleet_proxy_asks_who_leads(struct world *world, struct sim_proxy *proxy);
bool fleet_proxy_offers(const struct sim_proxy *proxy, enum fleet_pool pool, int member);

#endif
