/* The servers of a managed cluster, and how nodes look at them. */
#include "sim/sim_fleet.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

#define REPLICA_ALONE_US 1500000     /* a replica that hears nothing of a silent master has lost it by then */
#define LOSS_HEARD_US 2500           /* a session that ends is heard so soon */

static const char *name_of(int member) { return party_name(party_member(member)); }
static struct sim_member *at(struct world *world, int member) { return &world->fleet[member]; }

bool fleet_is_master_open(const struct world *world, int member)
{
    const struct sim_member *m = &world->fleet[member];
    return m->is_up && !m->is_frozen && !m->is_read_only;
}

static bool hears_its_master(const struct world *world, int member)
{
    const struct sim_member *m = &world->fleet[member];
    return m->master >= 0 && world->fleet[m->master].is_up && !world->fleet[m->master].is_frozen &&
           net_talks(&world->net, party_member(member), party_member(m->master));
}

/* ---- what it is ------------------------------------------------------------------------------------------------------- */

void fleet_configure(struct world *world, struct config *c)
{
    if (!world->script.has_cluster)
        return;
    for (int i = 0; i < SIM_MEMBERS; i++)
        TEXT_FORMAT(c->cluster_servers.item[i], "shop/m%d=10.0.3.%d:3306", i + 1, i + 1);
    c->cluster_servers.count = SIM_MEMBERS;
    TEXT_SET(c->writer_pools.item[0], FLEET_WRITERS "=shop@127.0.0.1:3307");
    TEXT_SET(c->reader_pools.item[0], FLEET_READERS "=shop@127.0.0.1:3308");
    c->writer_pools.count = c->reader_pools.count = 1;
    c->instance_poll_seconds = 1;
    c->reader_floor = (int)(world->seed % 3);
}

void fleet_init(struct world *world)
{
    memset(world->fleet, 0, sizeof world->fleet);
    for (int i = 0; i < SIM_MEMBERS; i++)
        *at(world, i) = (struct sim_member){ .is_up = true, .is_read_only = i != 0, .master = i == 0 ? -1 : 0, .opened_at = -1, .closed_at = -1 };
}

static void watch_reading(struct world *world)
{
    for (int i = 0; i < SIM_MEMBERS; i++) {
        if (!hears_its_master(world, i) || at(world, i)->is_sql_stopped)
            at(world, i)->reads_since = world->now;
    }
}

/* ---- what is done to it ------------------------------------------------------------------------------------------------- */

void fleet_set_read_only(struct world *world, int member, bool is_read_only)
{
    struct sim_member *m = at(world, member);
    if (!m->is_up || m->is_frozen || m->is_read_only == is_read_only)
        return;
    m->is_read_only = is_read_only;
    *(is_read_only ? &m->closed_at : &m->opened_at) = world->now;
    tell(world, name_of(member), "is %s by somebody", is_read_only ? "closed" : "opened");
}

void fleet_kill(struct world *world, int member, int64_t back_after_us)
{
    struct sim_member *m = at(world, member);
    if (!m->is_up)
        return;
    tell(world, name_of(member), "is killed, back after %lld ms", (long long)(back_after_us / 1000));
    m->is_up = m->is_frozen = false;
    happen(world, world->now + back_after_us, HAP_FLEET_BOOT, member, 0, 0);
    watch_reading(world);
    for (int n = 0; n < world->node_count; n++) {
        if (world->nodes[n].is_up && net_talks(&world->net, party_node(n), party_member(member)))
            happen(world, world->now + LOSS_HEARD_US, HAP_FLEET_ASK, n, member | FLEET_NOW, world->nodes[n].life);
    }
}

/* As its option file says: closed. */
void fleet_boots(struct world *world, int member)
{
    struct sim_member *m = at(world, member);
    if (m->is_up)
        return;
    world->last_back_at = world->now;
    m->is_up = m->is_read_only = true;
    m->closed_at = world->now;
    tell(world, name_of(member), "starts, read_only");
    if (world->is_healed)
        fleet_heal(world);
}

static void follow(struct world *world, int to, bool is_everybody)
{
    for (int i = 0; i < SIM_MEMBERS; i++) {
        if (i != to && (is_everybody || (at(world, i)->is_up && !at(world, i)->is_frozen)))
            at(world, i)->master = to;
    }
    at(world, to)->master = -1;
    at(world, to)->is_sql_stopped = false;
    at(world, to)->behind_s = 0;
}

void fleet_failover(struct world *world, int to, enum failover_way way)
{
    if (!at(world, to)->is_up || at(world, to)->is_frozen)
        return;
    tell(world, name_of(to), "is promoted by somebody, way %d", (int)way);
    for (int i = 0; way == FAILOVER_CLEAN && i < SIM_MEMBERS; i++) {
        if (i != to)
            fleet_set_read_only(world, i, true);
    }
    if (way == FAILOVER_MOVES_NOBODY)
        at(world, to)->master = -1;
    else
        follow(world, to, false);
    fleet_set_read_only(world, to, false);
    for (int i = 0; i < SIM_MEMBERS; i++) {
        if (way == FAILOVER_LEAVES_OLD_OPEN && !at(world, i)->is_read_only && i != to)
            at(world, i)->master = -1;                     /* nobody tells it anything: it goes on as a master of its own */
        else if (way == FAILOVER_OPENS_FIRST && i != to)
            fleet_set_read_only(world, i, true);
    }
    watch_reading(world);
}

/* The first open one stays, or the first of all is opened. */
void fleet_heal(struct world *world)
{
    int master = -1;
    if (!world->script.has_cluster)
        return;
    for (int i = 0; i < SIM_MEMBERS; i++) {
        at(world, i)->is_sql_stopped = false;
        at(world, i)->behind_s = 0;
        if (master < 0 && fleet_is_master_open(world, i) && at(world, i)->master < 0)
            master = i;
    }
    for (int i = 0; i < SIM_MEMBERS && master < 0; i++) {
        if (at(world, i)->is_up)
            master = i;
    }
    if (master < 0)
        return;                                            /* all are down: repaired when one is back (fleet_boots comes first) */
    for (int i = 0; i < SIM_MEMBERS; i++)
        fleet_set_read_only(world, i, i != master);
    follow(world, master, true);
    watch_reading(world);
}

/* ---- looks -------------------------------------------------------------------------------------------------------------- */

static int pool_of(const struct core *core, const char *name)
{
    for (int p = 0; p < core->steering.pool_count; p++) {
        if (text_is(core->steering.pools[p].name, name))
            return p;
    }
    return -1;
}

/* DeadMaster: it is lost, and all its replicas that are seen have lost it too. */
static bool is_gone(const struct fleet_view *view, int member)
{
    int seen = 0;
    for (int i = 0; i < SIM_MEMBERS; i++) {
        const struct fleet_known *k = &view->known[i];
        if (i == member || k->master != member || !k->sight.is_seen)
            continue;
        if (k->sight.is_fetching)
            return false;
        seen++;
    }
    return !view->known[member].sight.is_seen && !fc_is_ever(view->known[member].sight.checked_at) && seen > 0;
}

/* What is told of each member follows from what is known of all. */
static void tell_pools(struct world *world, int node)
{
    struct fleet_view *view = &world->nodes[node].fleet;
    const struct core *core = world->nodes[node].core;
    for (int m = 0; m < SIM_MEMBERS; m++) {
        struct fleet_sight sight = view->known[m].sight;
        sight.replica_count = 0;
        for (int i = 0; i < SIM_MEMBERS; i++)
            sight.replica_count += i != m && view->known[i].master == m;
        sight.is_gone = is_gone(view, m);
        if (view->is_told[m] && memcmp(&sight, &view->told[m], sizeof sight) == 0)
            continue;
        memcpy(&view->told[m], &sight, sizeof sight);
        view->is_told[m] = true;
        for (int p = 0; p < FLEET_POOLS; p++) {
            struct event event = { .type = FLEET_SEEN };
            event.as.fleet.pool = pool_of(core, p == POOL_OF_WRITERS ? FLEET_WRITERS : FLEET_READERS);
            event.as.fleet.member = m;
            event.as.fleet.sight = sight;
            node_hears(world, node, &event);
        }
    }
    node_hears_out(world, node);
}

void fleet_node_starts(struct world *world, int node)
{
    struct sim_node *n = &world->nodes[node];
    memset(&n->fleet, 0, sizeof n->fleet);
    for (int m = 0; m < SIM_MEMBERS; m++) {
        n->fleet.known[m].master = -1;
        n->fleet.known[m].sight.lag_s = -1;
        n->fleet.known[m].sight.seen_at = n->fleet.known[m].sight.checked_at = FC_EVER;
        if (world->script.has_cluster && !world_is_witness(world, node))
            happen(world, world->now + chance_between(world, 0, 1000000), HAP_FLEET_ASK, node, m, n->life);
    }
}

void fleet_ask(struct world *world, int node, int what)
{
    const int member = what & (FLEET_NOW - 1), from = party_node(node), to = party_member(member);
    const struct sim_node *n = &world->nodes[node];
    if (!n->is_up)
        return;
    if ((what & FLEET_NOW) == 0)
        happen(world, world->now + (int64_t)world->config.instance_poll_seconds * 1000000, HAP_FLEET_ASK, node, member, n->life);
    if (!net_talks(&world->net, from, to) || at(world, member)->is_frozen)
        happen(world, world->now + (int64_t)world->config.reasonable_check_seconds * 1000000, HAP_FLEET_LOSES, node, member, n->life);
    else if (!at(world, member)->is_up)
        happen(world, world->now + 2 * net_delay_us(world), HAP_FLEET_LOSES, node, member, n->life);
    else
        happen(world, world->now + net_delay_between_us(world, from, to) + net_delay_us(world), HAP_FLEET_SEES, node, member, n->life);
}

void fleet_loses(struct world *world, int node, int member)
{
    struct fleet_sight *s = &world->nodes[node].fleet.known[member].sight;
    if (s->is_seen)
        tell(world, party_name(party_node(node)), "- [%s] is out of sight", name_of(member));
    s->is_seen = false;
    s->checked_at = node_clock(world, node);
    tell_pools(world, node);
}

void fleet_sees(struct world *world, int node, int member)
{
    struct fleet_known *k = &world->nodes[node].fleet.known[member];
    const struct sim_member *m = at(world, member);
    if (!m->is_up || m->is_frozen || !net_talks(&world->net, party_node(node), party_member(member))) {
        fleet_loses(world, node, member);
        return;
    }
    watch_reading(world);
    k->master = m->master;
    k->sight.is_seen = true;
    k->sight.is_read_only = m->is_read_only;
    k->sight.replicates = k->sight.is_below = m->master >= 0;
    k->sight.is_fetching = m->master >= 0 && (hears_its_master(world, member) || (world->fleet[m->master].is_frozen &&
                                                                                world->now - m->reads_since < REPLICA_ALONE_US));
    k->sight.is_applying = m->master >= 0 && !m->is_sql_stopped;
    k->sight.lag_s = k->sight.is_fetching && k->sight.is_applying ? (int32_t)m->behind_s : -1;
    k->sight.seen_at = k->sight.checked_at = node_clock(world, node);
    tell_pools(world, node);
}
