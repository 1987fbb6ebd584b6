/* The invariants. Cheap enough to be asked after every happening. */
#include "sim/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

void violate(struct world *world, const char *format, ...)
{
    va_list args;
    if (world->is_broken)
        return;
    world->is_broken = true;
    va_start(args, format);
    vsnprintf(world->broken, sizeof world->broken, format, args);
    va_end(args);
    tell(world, "!!!!", "%s", world->broken);
}

void judge_init(struct world *world)
{
    struct judge *j = &world->judge;
    memset(j, 0, sizeof *j);
    j->apart_until = 0;
}

/* How long a node may go on acting on what it saw before the servers heard each other again: until its next look is back. */
static int64_t aftermath_us(const struct config *c) { return ((int64_t)c->probe_timeout_ms + c->poll_ms) * 1000; }

static bool overlap_is_allowed(const struct world *world)
{
    return world->now < world->judge.apart_until || world->now < world->judge.blind_until;
}

static bool some_node_is_blind(const struct world *world)
{
    for (int n = 0; n < world->node_count; n++) {
        if (world->nodes[n].is_frozen)
            return true;
        for (int s = 0; s < SIM_SERVERS; s++) {
            if (world->nodes[n].is_up && !net_talks(&world->net, party_node(n), party_server(s)))
                return true;
        }
    }
    return false;
}

static int node_of_name(const char *name)
{
    return name[0] == 'f' && name[1] == 'c' ? name[2] - '1' : -1;
}

/* ---- (a) two leaders ------------------------------------------------------------------------------------------------------ */

static void judge_leaders(struct world *world)
{
    int acting = 0, first = -1, second = -1;
    for (int i = 0; i < world->node_count; i++) {
        if (!node_may_act(world, i) || world->nodes[i].is_frozen)
            continue;
        acting++;
        if (first < 0)
            first = i;
        else
            second = i;
    }
    struct judge *j = &world->judge;
    if (acting > 1) {
        j->overlap_us += world->now - j->last_at;
        if (j->overlap_us > j->longest_overlap_us)
            j->longest_overlap_us = j->overlap_us;
        if (world->now >= j->apart_until && (world->now >= j->blind_until || j->overlap_us > aftermath_us(&world->config)))
            violate(world, "fc%d and fc%d may both act", first + 1, second + 1);
    } else {
        j->overlap_us = 0;
        j->handovers += first >= 0 && j->leader != 0 && j->leader != first + 1;
        j->leader = first >= 0 ? first + 1 : j->leader;
    }
}

/* ---- (b) two usable writable servers ---------------------------------------------------------------------------------------- */

static bool is_offered(const struct world *world, int server)
{
    for (int i = 0; i < SIM_PROXIES; i++) {
        if (proxy_offers(&world->proxies[i], server))
            return true;
    }
    return false;
}

static bool is_writable(const struct sim_server *s) { return s->is_up && !s->is_frozen && !s->is_read_only; }

static bool is_declared_unfenced(const struct world *world)
{
    return strstr(world->servers[0].row.mark, "unfenced") != NULL || strstr(world->servers[1].row.mark, "unfenced") != NULL;
}

static void judge_servers(struct world *world)
{
    if (!is_writable(&world->servers[0]) || !is_writable(&world->servers[1]) || !is_offered(world, 0) || !is_offered(world, 1))
        return;
    if (world->now >= world->judge.apart_until && !is_declared_unfenced(world) && world->now >= world->judge.by_hand_until)
        violate(world, "db1 and db2 are both writable and both offered by an HAProxy");
}

/* ---- (c) epochs --------------------------------------------------------------------------------------------------------------- */

static void judge_epochs(struct world *world)
{
    for (int i = 0; i < world->node_count; i++) {
        struct sim_node *n = &world->nodes[i];
        if (!n->is_up)
            continue;
        const uint64_t epoch = n->core->leadership.epoch, chair = n->core->steering.chair.row.rank.epoch;
        if (epoch < n->last_epoch || chair < n->last_chair_epoch)
            violate(world, "the epoch fell at fc%d: %llu after %llu, chair %llu after %llu", i + 1, (unsigned long long)epoch,
                    (unsigned long long)n->last_epoch, (unsigned long long)chair, (unsigned long long)n->last_chair_epoch);
        n->last_epoch = epoch;
        n->last_chair_epoch = chair;
    }
    for (int i = 0; i < SIM_SERVERS; i++) {
        const struct decision *row = &world->servers[i].row;
        const int node = node_of_name(row->rank.node);
        if (row->phase != PHASE_SEATED || node < 0 || row->rank.epoch >= EPOCHS_MAX || row->rank.server[0] == '\0')
            continue;
        struct epoch_fact *fact = &world->judge.facts[row->rank.epoch];
        const int8_t server = (int8_t)(row->rank.server[4] - 'a' + 1);
        const bool differs = fact->server > 0 && (fact->server != server || fact->node != (int8_t)(node + 1));
        if (differs && !overlap_is_allowed(world))
            violate(world, "epoch %llu has two meanings: db%d by fc%d, db%d by fc%d", (unsigned long long)row->rank.epoch,
                    fact->server, fact->node, server, node + 1);
        if (fact->server >= 0)
            *fact = (struct epoch_fact){ differs ? -1 : server, (int8_t)(node + 1) };    /* -1: of an overlap, has two */
    }
}

void judge_step(struct world *world)
{
    struct judge *j = &world->judge;
    if (!replication_is_well(world, 0) || !replication_is_well(world, 1))
        j->apart_until = world->now + aftermath_us(&world->config);
    if (some_node_is_blind(world))
        j->blind_until = world->now + aftermath_us(&world->config);
    judge_leaders(world);
    judge_servers(world);
    judge_epochs(world);
    j->last_at = world->now;
}

/* (b) When a server is opened although the old one could not be fenced, no HAProxy offers the old one any more: the wait has
 * outlasted its token check. Left out: an HAProxy that was reloaded or frozen meanwhile, and one that a node in sight of the
 * old server speaks to (the other side of a cut). */
static void judge_unfenced(struct world *world, int node, int old)
{
    bool has_other_side = false;
    for (int i = 0; i < world->node_count; i++)
        has_other_side = has_other_side || (i != node && world->nodes[i].is_up && world->servers[old].is_up &&
                                            net_talks(&world->net, party_node(i), party_server(old)));
    for (int i = 0; i < SIM_PROXIES && !has_other_side; i++) {
        const struct sim_proxy *p = &world->proxies[i];
        if (proxy_offers(p, old) && world->now - p->disturbed_at > move_unfenced_wait(&world->config).us)
            violate(world, "%s was opened unfenced while %s offers %s", SERVER_NAME(1 - old), p->name, SERVER_NAME(old));
    }
}

/* (e) A planned move that was not forced opens the new server only when it has all that the old one acknowledged. */
void judge_opened(struct world *world, int node, int server)
{
    const struct move *move = &world->nodes[node].core->steering.move;
    if (move->step == STEP_OPEN && move->kind == MOVE_SILENT && !move->is_fenced)
        judge_unfenced(world, node, 1 - server);
    if (move->step == STEP_NONE || move->kind != MOVE_PLANNED || move->is_forced || move->to != server)
        return;
    const struct sim_server *old = &world->servers[1 - server];
    if (old->last_acked > world->servers[server].replica.applied)
        violate(world, "%s was opened by a planned move without the last acknowledged writes of %s (%d, applied %d)",
                SERVER_NAME(server), SERVER_NAME(1 - server), old->last_acked, world->servers[server].replica.applied);
    if (is_writable(old) && !overlap_is_allowed(world) && world->now >= world->judge.by_hand_until)
        violate(world, "%s was opened by a planned move while %s is writable", SERVER_NAME(server), SERVER_NAME(1 - server));
}

/* ---- (f) quiet ------------------------------------------------------------------------------------------------------------------ */

static int open_servers(const struct world *world, int *which)
{
    int count = 0;
    for (int i = 0; i < SIM_SERVERS; i++) {
        if (is_writable(&world->servers[i])) {
            count++;
            *which = i;
        }
    }
    return count;
}

static bool nodes_agree(const struct world *world, int seat, const char **why)
{
    int leaders = 0;
    for (int i = 0; i < world->node_count; i++) {
        const struct sim_node *n = &world->nodes[i];
        if (!n->is_up || n->core->is_stopping) {
            *why = "a node is down";
            return false;
        }
        leaders += node_may_act(world, i);
        const struct chair *chair = &n->core->steering.chair;
        if (chair->state != CHAIR_SEATED || !text_is(chair->row.rank.server, world->servers[seat].identity)) {
            *why = "the nodes do not agree who sits";
            return false;
        }
    }
    *why = leaders == 0 ? "nobody leads" : "two lead";
    return leaders == 1;
}

static bool proxies_agree(const struct world *world, int seat)
{
    for (int i = 0; i < SIM_PROXIES; i++) {
        if (!proxy_offers(&world->proxies[i], seat) || proxy_offers(&world->proxies[i], 1 - seat))
            return false;
    }
    return true;
}

bool judge_is_quiet(const struct world *world, char *why, int why_size)
{
    const char *reason = "";
    int seat = -1;
    const int open = open_servers(world, &seat);
    const struct rank *a = &world->servers[0].row.rank, *b = &world->servers[1].row.rank;
    bool answered = true;
    for (int i = 0; i < world->ticket_count; i++)
        answered = answered && (world->tickets[i].node < 0 || world->tickets[i].finals > 0);
    if (!world->servers[0].is_up || !world->servers[1].is_up)
        reason = "a server is down";
    else if (open != 1)
        reason = open == 0 ? "no server is open" : "two servers are open";
    else if (!nodes_agree(world, seat, &reason))
        ;
    else if (!proxies_agree(world, seat))
        reason = "the proxies do not offer exactly the seated server";
    else if (a->epoch != b->epoch || !text_is(a->server, b->server) || !text_is(a->node, b->node) ||
             world->servers[0].row.phase != world->servers[1].row.phase)
        reason = "the rows of the servers differ";
    else if (!answered)
        reason = JUDGE_UNANSWERED;
    else
        return true;
    if (why_size > 0)
        text_copy(why, (size_t)why_size, reason);
    return false;
}

/* (e) again, at the very end: what any client was told is committed stands on both servers (what was told before the quiet
 * began; the rest is on its way). */
void judge_end(struct world *world)
{
    for (int i = 0; i < SIM_SERVERS; i++) {
        const struct sim_replica *r = &world->servers[1 - i].replica;
        if (r->applied < world->judge.acked_at_quiet[i])
            violate(world, "%s acknowledged writes that %s never got", SERVER_NAME(i), SERVER_NAME(1 - i));
    }
    for (int i = 0; i < world->ticket_count; i++) {
        if (world->tickets[i].node >= 0 && world->tickets[i].finals != 1)
            violate(world, "`%s` got %d answers", world->tickets[i].text, world->tickets[i].finals);
    }
}
