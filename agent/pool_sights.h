/* What the pools of managed clusters need to know of their servers: taken from the fleet after each look, told to the core when it changes. */
#ifndef FC_AGENT_POOL_SIGHTS_H
#define FC_AGENT_POOL_SIGHTS_H

#include "backends/host.h"
#include "core/core.h"
#include "watch/watch.h"

struct pool_sights;

struct pool_sights_port {
    void *owner;
    void (*feed)(void *owner, struct event *event);
};

/* All is borrowed and outlives it. NULL: no memory. Without such pools it does nothing. */
struct pool_sights *pool_sights_new(const struct host *host, const struct core *core, struct watch *watch, const struct pool_sights_port *port);
void pool_sights_free(struct pool_sights *sights);               /* NULL is fine */
/* A look at this server ended, or what is said of it has changed. It is told at the loop's next turn. */
void pool_sights_row(struct pool_sights *sights, member_id id);
/* This node has come to lead: all servers of these pools are looked at now. */
void pool_sights_urge(struct pool_sights *sights);

/* The key of a member's address, as it stands in ClusterServers. `to` holds its host. False: it cannot be read. */
bool pool_member_key(const struct pool_member *member, char to[INSTANCE_HOST_MAX + 1], struct instance_key *ret);
/* Pure: what the fleet knows of it. MEMBER_NONE: nothing. */
struct fleet_sight pool_sight_of(const struct watch *watch, member_id id, struct fc_time now);

#endif
