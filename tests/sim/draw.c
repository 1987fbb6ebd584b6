/* Which fault is next, by chance of the seed. Those who matter most at this moment are drawn more often than others. */
#include <string.h>

#include "base/text.h"
#include "sim/faults.h"
#include "sim/world.h"

#define SITE_PERCENT 6

static int64_t between(struct world *world, int64_t least, int64_t most)
{
    return least + (int64_t)rng_below(&world->fault_rng, (uint64_t)(most - least + 1));
}

static bool in_so_many(struct world *world, int percent) { return rng_below(&world->fault_rng, 100) < (uint64_t)percent; }
static int any_node(struct world *world) { return (int)between(world, 0, world->node_count - 1); }
static int any_server(struct world *world) { return party_server((int)between(world, 0, SIM_SERVERS - 1)); }
static int any_proxy(struct world *world) { return party_proxy((int)between(world, 0, SIM_PROXIES - 1)); }
static int some_node(struct world *world) { return in_so_many(world, 60) ? party_resolve(world, ROLE_LEADER) : any_node(world); }
static int some_server(struct world *world) { return in_so_many(world, 50) ? party_resolve(world, ROLE_SEATED) : any_server(world); }

static int some_party(struct world *world)
{
    return in_so_many(world, 45) ? some_server(world) : in_so_many(world, 75) ? some_node(world) : any_proxy(world);
}

/* Short ones are as interesting as long ones: most of it lies between a poll and a lease. */
static int64_t some_time(struct world *world)
{
    switch (between(world, 0, 3)) {
    case 0:  return between(world, 5000, 300000);
    case 1:  return between(world, 300000, 1500000);
    case 2:  return between(world, 1500000, 4000000);
    default: return between(world, 4000000, 9000000);
    }
}

static void draw_parties(struct world *world, struct fault *f)
{
    switch (f->kind) {
    case FAULT_KILL:
        f->a = in_so_many(world, 3) ? ROLE_NODES : some_party(world);
        break;
    case FAULT_FREEZE:
    case FAULT_ISOLATE:
        f->a = some_party(world);
        break;
    case FAULT_STOP: case FAULT_SUSPEND: case FAULT_DRIFT: case FAULT_STEP_CLOCK: case FAULT_FREEZE_BEFORE_SEND:
    case FAULT_FREEZE_BEFORE_DEED:
        f->a = some_node(world);
        break;
    case FAULT_CUT:
    case FAULT_CUT_ONE_WAY:
        f->a = in_so_many(world, 40) ? any_server(world) : in_so_many(world, 60) ? some_node(world) : any_proxy(world);
        do
            f->b = in_so_many(world, 60) ? any_server(world) : in_so_many(world, 80) ? any_node(world) : any_proxy(world);
        while (f->a == f->b);
        break;
    case FAULT_REFUSE:
        f->a = some_node(world);
        f->b = some_server(world);
        break;
    case FAULT_LATE:
        f->a = some_node(world);
        f->b = any_server(world);
        if (in_so_many(world, 50)) {
            const int a = f->a;
            f->a = f->b;
            f->b = a;
        }
        break;
    case FAULT_RELOAD:
        f->a = any_proxy(world);
        break;
    case FAULT_CLOSE:
        f->a = party_resolve(world, ROLE_SEATED);
        break;
    case FAULT_APPLY_SLOWLY: case FAULT_APPLY_NOT: case FAULT_FETCH_NOT: case FAULT_OPEN: case FAULT_BOOT_WRITABLE: case FAULT_DISK_FULL:
    case FAULT_FENCE_DENIED: case FAULT_LOOK_DENIED: case FAULT_SUPER: case FAULT_LOSE_ROW: case FAULT_LATE_LOOKS:
    case FAULT_LATE_DEEDS:
        f->a = any_server(world);
        break;
    case FAULT_REPLAY:
        f->a = any_server(world);
        f->b = any_server(world);
        break;
    case FAULT_DEAF:
        f->a = any_proxy(world);
        break;
    case FAULT_LAST_ANSWER:
        f->a = some_node(world);
        f->b = any_proxy(world);
        break;
    case FAULT_LACK:
        f->a = any_proxy(world);
        f->b = any_server(world);
        break;
    case FAULT_RAFT_STANDS:
        f->a = some_node(world);
        break;
    case FAULT_OTHER_ROW: case FAULT_FAILOVER: case FAULT_BEHIND:
    case FAULT_FOREIGN_FRESH: case FAULT_FOREIGN_STALE: case FAULT_SPLIT: case FAULT_SPLIT_OUT: case FAULT_SPLIT_IN: case FAULT_MANGLE: case FAULT_ORDER: case FAULT_HEAL: case FAULT_KIND_COUNT:
        break;
    }
}

/* Amounts by kind; both ways where the fault goes both ways. */
static const struct { enum fault_kind kind; int64_t least, most; bool goes_both_ways; } amounts[] = {
    { FAULT_LATE, 5, 900, false },
    { FAULT_APPLY_SLOWLY, 5, 120, false },
    { FAULT_LATE_LOOKS, 5, 400, false },
    { FAULT_LATE_DEEDS, 5, 400, false },
    { FAULT_MANGLE, 5, 60, false },
    { FAULT_REPLAY, 1, 60, true },
    { FAULT_STEP_CLOCK, 1000, 7200000, true },
};

static int64_t draw_amount(struct world *world, enum fault_kind kind)
{
    static const int deeds[] = { STORE_RENEW, STORE_TAKE, STORE_FENCE, STORE_CATCH_UP, STORE_OPEN, STORE_HOLD, STORE_RENEW };
    static const enum effect_type effects[] = { INTEND, FENCE, CATCH_UP, SEAT, OPEN, HOLD_WRITE, GIVE_BACK };
    const int64_t drift = (int64_t)world->config.drift_percent * 10000;
    if (kind == FAULT_FREEZE_BEFORE_SEND)
        return deeds[between(world, 0, 6)];
    if (kind == FAULT_FREEZE_BEFORE_DEED)
        return (int)effects[between(world, 0, (int64_t)(sizeof effects / sizeof effects[0]) - 1)];
    if (kind == FAULT_DRIFT)
        return between(world, -drift, drift);
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        if (amounts[i].kind == kind)
            return between(world, amounts[i].least, amounts[i].most) * (amounts[i].goes_both_ways && in_so_many(world, 50) ? -1 : 1);
    }
    return 0;
}

/* Some nodes with some servers and HAProxies: 2/3, 1/4, or whatever comes. */
static void draw_side(struct world *world, struct fault *f)
{
    for (int i = 0; i < SIM_PARTIES; i++) {
        if (party_is_member(i) && !world->script.has_cluster)
            continue;
        if ((i < world->node_count || i >= SIM_NODES_MAX) && in_so_many(world, 45)) {
            const size_t at = strlen(f->text);
            text_format(f->text + at, sizeof f->text - at, "%s%s", at == 0 ? "" : ",", party_name(i));
        }
    }
    if (f->text[0] == '\0')
        TEXT_SET(f->text, party_name(party_node(any_node(world))));
}

/* What matters where nodes agree by majority: the links between them, and their threads of raft. */
static struct fault quorum_fault_draw(struct world *world)
{
    static const enum fault_kind kinds[] = {
        FAULT_SPLIT, FAULT_SPLIT, FAULT_SPLIT, FAULT_CUT, FAULT_CUT_ONE_WAY, FAULT_LATE, FAULT_RAFT_STANDS, FAULT_RAFT_STANDS, FAULT_MANGLE,
        FAULT_ISOLATE, FAULT_FREEZE,
    };
    struct fault f = { .kind = kinds[between(world, 0, (int64_t)(sizeof kinds / sizeof kinds[0]) - 1)], .a = -1, .b = -1, .expected = -1 };
    if (f.kind == FAULT_SPLIT)
        draw_side(world, &f);
    else if (f.kind != FAULT_MANGLE)
        f.a = some_node(world);
    if (f.kind == FAULT_CUT || f.kind == FAULT_CUT_ONE_WAY || f.kind == FAULT_LATE)
        f.b = (f.a + (int)between(world, 1, world->node_count - 1)) % world->node_count;
    f.amount = draw_amount(world, f.kind);
    f.for_us = some_time(world);
    return f;
}

/* Of a managed cluster: it fails, somebody repairs it in his own way, and what lies between is cut. */
static struct fault cluster_fault_draw(struct world *world)
{
    static const enum fault_kind kinds[] = {
        FAULT_FAILOVER, FAULT_FAILOVER, FAULT_FAILOVER, FAULT_FAILOVER, FAULT_KILL, FAULT_KILL, FAULT_FREEZE, FAULT_OPEN, FAULT_CLOSE, FAULT_BEHIND,
        FAULT_BEHIND, FAULT_APPLY_NOT, FAULT_ISOLATE, FAULT_CUT, FAULT_CUT,
    };
    struct fault f = { .kind = kinds[between(world, 0, (int64_t)(sizeof kinds / sizeof kinds[0]) - 1)], .b = -1, .expected = -1 };
    f.a = party_member((int)between(world, 0, SIM_MEMBERS - 1));
    if (f.kind == FAULT_CUT)
        f.b = in_so_many(world, 60) ? some_node(world) : in_so_many(world, 50) ? any_proxy(world) : party_member((member_of_party(f.a) + 1) % SIM_MEMBERS);
    f.amount = f.kind == FAULT_FAILOVER ? between(world, 0, 3) : f.kind == FAULT_BEHIND ? between(world, 0, 40) : 0;
    if (strchr(fault_rows[f.kind].wants, 'd') != NULL)
        f.for_us = 2 * some_time(world);
    return f;
}

/* Two sites with a server, an HAProxy and nodes each, and a third one with a node: their names end in the site's number, fc4 and fc5 are with fc1
 * and fc2. The line of one of them is cut, both ways or one way. */
static struct fault site_fault_draw(struct world *world)
{
    static const enum fault_kind kinds[] = { FAULT_SPLIT, FAULT_SPLIT, FAULT_SPLIT_OUT, FAULT_SPLIT_IN };
    struct fault f = { .kind = kinds[between(world, 0, 3)], .a = -1, .b = -1, .expected = -1 };
    const int64_t site = between(world, 0, 2);
    for (int i = 0; i < SIM_PARTIES; i++) {
        const bool is_there = party_is_node(i) ? i < world->node_count : !party_is_member(i) || world->script.has_cluster;
        const char *name = party_name(i);
        if (is_there && (name[strlen(name) - 1] - '1') % 3 == site) {
            const size_t at = strlen(f.text);
            text_format(f.text + at, sizeof f.text - at, "%s%s", at == 0 ? "" : ",", name);
        }
    }
    if (f.text[0] == '\0')
        TEXT_SET(f.text, party_name(party_node(0)));       /* two nodes: the third site is empty */
    f.for_us = some_time(world);
    return f;
}

struct fault fault_draw(struct world *world)
{
    struct fault f = { .a = -1, .b = -1, .expected = -1 };
    if (in_so_many(world, SITE_PERCENT))
        return site_fault_draw(world);
    if (world->script.has_cluster && in_so_many(world, 25))
        return cluster_fault_draw(world);
    if (world_has_quorum(world) && in_so_many(world, 25))
        return quorum_fault_draw(world);
    int total = 0, kind = 0;
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        total += fault_rows[i].weight;
    int64_t at = between(world, 0, total - 1);
    while (at >= fault_rows[kind].weight)
        at -= fault_rows[kind++].weight;
    f.kind = (enum fault_kind)kind;
    draw_parties(world, &f);
    f.amount = draw_amount(world, f.kind);
    if (strchr(fault_rows[kind].wants, 'd') != NULL)
        f.for_us = some_time(world);
    return f;
}

struct fault order_draw(struct world *world)
{
    static const char *const orders[] = {
        "switch fc_backend db1", "switch fc_backend db2", "switch fc_backend db1", "switch fc_backend db2",
        "switch fc_backend db1", "switch fc_backend db2", "switch fc_backend db2 force", "switch fc_backend db1 force",
        "switch fc_backend db1 within 2", "failback fc_backend", "maint fc_backend/db1 because disks",
        "maint fc_backend/db2", "drain fc_backend/db2", "ready fc_backend/db1", "ready fc_backend/db2",
        "ready fc_backend/db1", "ready fc_backend/db2", "pause fc_backend", "resume fc_backend", "resume fc_backend",
        "resume fc_backend", "yield", "yield", "switch fc_backend db9", "switch nowhere db1", "dance", "maint fc_leader/fc1",
    };
    struct fault f = { .kind = FAULT_ORDER, .a = any_node(world), .b = -1, .expected = -1 };
    if (world_has_quorum(world) && in_so_many(world, 6)) {
        TEXT_FORMAT(f.text, "yield to %s", party_name(any_node(world)));
        return f;
    }
    TEXT_SET(f.text, orders[between(world, 0, (int64_t)(sizeof orders / sizeof orders[0]) - 1)]);
    return f;
}
