/* The faults: a table with weights; what ends by itself is undone by a happening, or all at once when everything heals. */
#include "sim/faults.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

static int any_node(struct world *world) { return (int)chance_between(world, 0, world->node_count - 1); }
static int any_server(struct world *world) { return (int)chance_between(world, 0, SIM_SERVERS - 1); }
static int any_proxy(struct world *world) { return (int)chance_between(world, 0, SIM_PROXIES - 1); }

static int any_leader(struct world *world)
{
    for (int i = 0; i < world->node_count; i++) {
        if (node_may_act(world, i))
            return i;
    }
    return any_node(world);
}

static int seated(const struct world *world)
{
    const int newer = rank_compare(&world->servers[0].row.rank, &world->servers[1].row.rank) >= 0 ? 0 : 1;
    return text_is(world->servers[newer].row.rank.server, world->servers[1].identity) ? 1 : 0;
}

/* Short ones are as interesting as long ones: most of it lies between a poll and a lease. */
static int64_t some_time(struct world *world)
{
    switch (chance_between(world, 0, 3)) {
    case 0:  return chance_between(world, 5000, 300000);
    case 1:  return chance_between(world, 300000, 1500000);
    case 2:  return chance_between(world, 1500000, 4000000);
    default: return chance_between(world, 4000000, 9000000);
    }
}

/* ---- undoing ------------------------------------------------------------------------------------------------------------- */

static void undo_later(struct world *world, enum undo_kind kind, int a, int b, bool both)
{
    assert(world->undo_count < UNDO_MAX);
    world->undo[world->undo_count] = (struct undo){ kind, a, b, both };
    happen(world, world->now + some_time(world), HAP_FAULT_END, 0, world->undo_count++, 0);
}

void faults_end(struct world *world, int place)
{
    struct undo *u = &world->undo[place];
    switch (u->kind) {
    case UNDO_NONE:
        return;
    case UNDO_CUT:
        net_cut(&world->net, u->a, u->b, -1);
        if (u->both)
            net_cut(&world->net, u->b, u->a, -1);
        tell(world, "sim", "%s and %s: one cut less", party_name(u->a), party_name(u->b));
        break;
    case UNDO_FREEZE_NODE:
        world->nodes[u->a].is_frozen = false;
        tell(world, party_name(party_node(u->a)), "thaws");
        break;
    case UNDO_FREEZE_SERVER:
        world->servers[u->a].is_frozen = false;
        tell(world, SERVER_NAME(u->a), "thaws");
        break;
    case UNDO_FREEZE_PROXY:
        world->proxies[u->a].is_frozen = false;
        world->proxies[u->a].disturbed_at = world->now;
        tell(world, world->proxies[u->a].name, "thaws");
        break;
    case UNDO_SLOW:
        world->servers[u->a].replica.slow_us = 0;
        break;
    case UNDO_SQL_STOP:
        world->servers[u->a].replica.is_sql_stopped = false;
        tell(world, SERVER_NAME(u->a), "applies again");
        break;
    }
    u->kind = UNDO_NONE;
    world_thaw(world);
}

/* ---- the faults ------------------------------------------------------------------------------------------------------------ */

static void cut(struct world *world, int a, int b, bool both)
{
    net_cut(&world->net, a, b, 1);
    if (both)
        net_cut(&world->net, b, a, 1);
    tell(world, "sim", "cut %s %s %s", party_name(a), both ? "<->" : "->", party_name(b));
    undo_later(world, UNDO_CUT, a, b, both);
}

static void kill_node(struct world *world, int node)
{
    if (!world->nodes[node].is_up)
        return;
    tell(world, party_name(party_node(node)), "is killed");
    node_kill(world, node);
    happen(world, world->now + chance_between(world, 50000, 4000000), HAP_NODE_START, node, 0, 0);
}

static void kill_a_node(struct world *world) { kill_node(world, any_node(world)); }
static void kill_the_leader(struct world *world) { kill_node(world, any_leader(world)); }

static void kill_all_nodes(struct world *world)
{
    for (int i = 0; i < world->node_count; i++)
        kill_node(world, i);
}

static void stop_a_node(struct world *world)
{
    const int node = any_node(world);
    if (!world->nodes[node].is_up || world->nodes[node].is_frozen)
        return;
    tell(world, party_name(party_node(node)), "is asked to stop");
    node_stop(world, node);                                /* it comes back some time after it has stopped */
}

static void freeze_node(struct world *world, int node)
{
    if (!world->nodes[node].is_up || world->nodes[node].is_frozen)
        return;
    world->nodes[node].is_frozen = true;
    tell(world, party_name(party_node(node)), "freezes");
    undo_later(world, UNDO_FREEZE_NODE, node, 0, false);
}

static void freeze_a_node(struct world *world) { freeze_node(world, any_node(world)); }
static void freeze_the_leader(struct world *world) { freeze_node(world, any_leader(world)); }
static void kill_a_server(struct world *world) { server_crash(world, any_server(world), some_time(world)); }
static void kill_the_seated(struct world *world) { server_crash(world, seated(world), some_time(world)); }

static void freeze_a_server(struct world *world)
{
    const int server = chance(world, 60) ? seated(world) : any_server(world);
    if (!world->servers[server].is_up || world->servers[server].is_frozen)
        return;
    world->servers[server].is_frozen = true;
    tell(world, SERVER_NAME(server), "freezes");
    undo_later(world, UNDO_FREEZE_SERVER, server, 0, false);
}

static void cut_a_pair(struct world *world)
{
    const int from = chance(world, 40) ? party_server(any_server(world))
                     : chance(world, 50) ? party_node(any_node(world)) : party_proxy(any_proxy(world));
    const int to = chance(world, 60) ? party_server(any_server(world)) : party_node(any_node(world));
    if (from != to)
        cut(world, from, to, chance(world, 60));
}

static void cut_the_servers(struct world *world) { cut(world, party_server(0), party_server(1), true); }

static void isolate(struct world *world)
{
    const int party = chance(world, 40) ? party_server(any_server(world))
                      : chance(world, 60) ? party_node(any_leader(world)) : party_node(any_node(world));
    tell(world, "sim", "%s is isolated", party_name(party));
    for (int i = 0; i < SIM_PARTIES; i++) {
        if (i != party && (i >= SIM_NODES_MAX || i < world->node_count)) {
            net_cut(&world->net, party, i, 1);
            net_cut(&world->net, i, party, 1);
            assert(world->undo_count < UNDO_MAX);
            world->undo[world->undo_count++] = (struct undo){ UNDO_CUT, party, i, true };
        }
    }
    const int64_t until = world->now + some_time(world);
    for (int i = world->undo_count - 1; i >= 0 && world->undo[i].kind == UNDO_CUT && world->undo[i].a == party; i--)
        happen(world, until, HAP_FAULT_END, 0, i, 0);
}

static void slow_replication(struct world *world)
{
    const int server = any_server(world);
    world->servers[server].replica.slow_us = chance_between(world, 5000, 120000);
    tell(world, SERVER_NAME(server), "applies slowly: %lld us each", (long long)world->servers[server].replica.slow_us);
    undo_later(world, UNDO_SLOW, server, 0, false);
}

static void break_replication(struct world *world)
{
    const int server = any_server(world);
    world->servers[server].replica.is_sql_stopped = true;
    tell(world, SERVER_NAME(server), "stops applying");
    undo_later(world, UNDO_SQL_STOP, server, 0, false);
}

static void reload_a_proxy(struct world *world) { proxy_reload(world, any_proxy(world)); }

static void freeze_a_proxy(struct world *world)
{
    const int proxy = any_proxy(world);
    if (world->proxies[proxy].is_frozen)
        return;
    world->proxies[proxy].is_frozen = true;
    tell(world, world->proxies[proxy].name, "freezes");
    undo_later(world, UNDO_FREEZE_PROXY, proxy, 0, false);
}

static void open_by_hand(struct world *world)
{
    const int server = any_server(world);
    if (!world->servers[server].is_up || world->servers[server].is_frozen)
        return;
    world->servers[server].is_read_only = false;
    world->judge.by_hand_until = world->now + 5000000;
    tell(world, SERVER_NAME(server), "is opened by hand");
}

static void close_by_hand(struct world *world)
{
    const int server = seated(world);
    if (!world->servers[server].is_up || world->servers[server].is_frozen)
        return;
    world->servers[server].is_read_only = true;
    world->servers[server].kill_count++;
    tell(world, SERVER_NAME(server), "is closed by hand");
}

/* ---- orders ------------------------------------------------------------------------------------------------------------------ */

void order_give(struct world *world, int node, const char *text)
{
    if (world->ticket_count == TICKETS_MAX || !world->nodes[node].is_up || world->nodes[node].is_frozen)
        return;
    struct ticket *ticket = &world->tickets[world->ticket_count++];
    *ticket = (struct ticket){ .node = node, .life = world->nodes[node].life, .at = world->now };
    TEXT_SET(ticket->text, text);
    tell(world, party_name(party_node(node)), "is ordered `%s`", text);
    node_order(world, node, ticket->text, (uint64_t)world->ticket_count);
}

static void some_order(struct world *world)
{
    static const char *const orders[] = {
        "switch fc_backend db1", "switch fc_backend db2", "switch fc_backend db1", "switch fc_backend db2",
        "switch fc_backend db1", "switch fc_backend db2", "switch fc_backend db2 force", "switch fc_backend db1 force",
        "switch fc_backend db1 within 2", "failback fc_backend", "maint fc_backend/db1 because disks",
        "maint fc_backend/db2", "drain fc_backend/db2", "ready fc_backend/db1", "ready fc_backend/db2",
        "ready fc_backend/db1", "ready fc_backend/db2", "pause fc_backend", "resume fc_backend", "resume fc_backend",
        "resume fc_backend", "yield", "yield", "switch fc_backend db9", "switch nowhere db1", "dance", "maint fc_leader/fc1",
    };
    const int count = (int)(sizeof orders / sizeof orders[0]);
    order_give(world, any_node(world), orders[chance_between(world, 0, count - 1)]);
    if (chance(world, 25))                                 /* two operators at one time */
        order_give(world, any_node(world), orders[chance_between(world, 0, count - 1)]);
}

struct fault { const char *word; int weight; void (*begin)(struct world *world); };

static const struct fault faults[] = {
    { "kill a node", 4, kill_a_node },
    { "kill the leader", 6, kill_the_leader },
    { "kill all nodes", 1, kill_all_nodes },
    { "stop a node", 3, stop_a_node },
    { "freeze a node", 3, freeze_a_node },
    { "freeze the leader", 5, freeze_the_leader },
    { "kill a server", 4, kill_a_server },
    { "kill the seated", 8, kill_the_seated },
    { "freeze a server", 6, freeze_a_server },
    { "cut a pair", 10, cut_a_pair },
    { "cut the servers", 3, cut_the_servers },
    { "isolate", 5, isolate },
    { "slow replication", 4, slow_replication },
    { "break replication", 2, break_replication },
    { "reload a proxy", 3, reload_a_proxy },
    { "freeze a proxy", 3, freeze_a_proxy },
    { "open by hand", 1, open_by_hand },
    { "close by hand", 1, close_by_hand },
    { "order", 28, some_order },
};

void faults_begin_one(struct world *world)
{
    int total = 0;
    const size_t count = sizeof faults / sizeof faults[0];
    for (size_t i = 0; i < count; i++)
        total += faults[i].weight;
    int64_t at = chance_between(world, 0, total - 1);
    size_t i = 0;
    while (at >= faults[i].weight)
        at -= faults[i++].weight;
    world->fault_count++;
    tell(world, "sim", "fault: %s", faults[i].word);
    faults[i].begin(world);
}

void faults_heal_all(struct world *world)
{
    for (int i = 0; i < world->undo_count; i++)
        faults_end(world, i);
}
