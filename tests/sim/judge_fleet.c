/* The rules of a managed cluster's pools. */
#include "sim/judge_fleet.h"

#include <string.h>

#include "base/text.h"
#include "sim/world.h"
#include "steer/cluster.h"

#define SETTLED_US 4000000           /* so long nothing was wrong: nobody has a reason to let go */
#define ASKED_EVERY_US 50000
#define OPEN_LONG_US 1500000          /* since when it is open is known by then: a look, and what is asked after it */

static const char *name_of(int node) { return party_name(party_node(node)); }
static const char *member_of(int member) { return party_name(party_member(member)); }

/* An HAProxy that reaches nobody has left the writer by then, and its old processes have ended. */
static int64_t bound_us(const struct world *world) { return cluster_bound(&world->config).us; }

void judge_fleet_init(struct world *world)
{
    struct judged_fleet *j = &world->judge.fleet;
    memset(j, 0, sizeof *j);
    for (int i = 0; i < SIM_MEMBERS; i++)
        j->offered_since[i] = -1;
    for (int i = 0; i < SIM_NODES_MAX; i++)
        j->first_of[i] = j->leads_since[i] = -1;
}

/* ---- writers ---------------------------------------------------------------------------------------------------------- */

bool judge_fleet_is_disturbed(const struct world *world, const struct sim_proxy *p)
{
    return p->disturbed_at > 0 && world->now < p->disturbed_at + bound_us(world);
}

/* May a client write to it through this one? */
static bool carries(const struct world *world, const struct sim_proxy *p, int member)
{
    if (!net_talks(&world->net, party_proxy(p->index), party_member(member)))
        return false;
    return world->now < p->carries_until[member] || (fleet_proxy_offers(p, POOL_OF_WRITERS, member) && !judge_fleet_is_disturbed(world, p));
}

static bool is_carried(const struct world *world, int member)
{
    for (int i = 0; i < SIM_PROXIES; i++) {
        if (carries(world, &world->proxies[i], member))
            return true;
    }
    return false;
}

/* It sat first and was let go because it was closed, and somebody has opened it again since. */
static bool is_opened_again(const struct world *world, int member, int other)
{
    const int64_t opened_at = world->fleet[member].opened_at, *since = world->judge.fleet.offered_since;
    return opened_at >= 0 && since[other] >= 0 && since[member] < since[other] && opened_at > since[other] && world->now < opened_at + bound_us(world);
}

static void judge_writers(struct world *world)
{
    struct judged_fleet *j = &world->judge.fleet;
    int writable[SIM_MEMBERS], count = 0;
    for (int i = 0; i < SIM_MEMBERS; i++) {
        const bool is = is_carried(world, i);
        if (!is)
            j->offered_since[i] = -1;
        else if (j->offered_since[i] < 0)
            j->offered_since[i] = world->now;
        if (is && fleet_is_master_open(world, i))
            writable[count++] = i;
    }
    if (count < 2 || world->now < j->excused_until || is_opened_again(world, writable[0], writable[1]) || is_opened_again(world, writable[1], writable[0]))
        return;
    violate(world, "%s and %s are both writable, and clients may write to both through HAProxies", member_of(writable[0]), member_of(writable[1]));
}

/* ---- who is let go ------------------------------------------------------------------------------------------------------ */

static bool is_in_sight_of_all(const struct world *world, int member)
{
    for (int i = 0; i < world->node_count - world->script.witness_count; i++) {
        if (world->net.late_us[party_node(i)][party_member(member)] > 0 || !net_talks(&world->net, party_node(i), party_member(member)))
            return false;
    }
    return world->fleet[member].is_up && !world->fleet[member].is_frozen;
}

static bool is_well(const struct world *world, int master)
{
    for (int i = 0; i < SIM_MEMBERS; i++) {
        const struct sim_member *m = &world->fleet[i];
        if ((i == master) == m->is_read_only || (i == master ? m->master >= 0 : m->master != master) || !m->is_up || m->is_frozen ||
            (i != master && !is_in_sight_of_all(world, i)) ||
            !net_talks(&world->net, party_member(i), party_member(master)))
            return false;
    }
    return true;
}

/* ---- what is said ------------------------------------------------------------------------------------------------------- */

/* By the clock of the node: neither on its way, nor too old to be believed. */
static bool is_known(const struct world *world, int node, int member)
{
    const struct fleet_sight *s = &world->nodes[node].fleet.told[member];
    const int64_t age_us = fc_is_ever(s->checked_at) ? -1 : fc_since(s->checked_at, node_clock(world, node)).us;
    return age_us >= 0 && age_us < cluster_patience(&world->config).us * 3 / 4 && world->now - world->judge.fleet.heard_at[node] > SETTLED_US;
}

static bool is_open_master(const struct fleet_sight *s) { return s->is_seen && !s->is_read_only && !s->is_below; }

/* Out of its sight it is left for another open master that has replicas. */
static void judge_patience(struct world *world, int node, int member)
{
    const struct fleet_view *view = &world->nodes[node].fleet;
    struct judged_fleet *j = &world->judge.fleet;
    bool is_to_be_left = false;
    for (int i = 0; i < SIM_MEMBERS && !view->told[member].is_seen; i++)
        is_to_be_left = is_to_be_left || (i != member && is_open_master(&view->told[i]) && view->told[i].replica_count > 0 && is_known(world, node, i));
    if (!is_to_be_left || j->first_of[node] != member)
        j->kept_since[node] = world->now;
    else if (world->now - j->kept_since[node] > cluster_patience(&world->config).us)
        violate(world, "%s calls %s first, which it does not see, and another one is writable and has replicas", name_of(node), member_of(member));
}

static void judge_first(struct world *world, int node, int member)
{
    const struct fleet_view *view = &world->nodes[node].fleet;
    struct judged_fleet *j = &world->judge.fleet;
    const int before = j->first_of[node];
    if (before >= 0 && before != member && is_open_master(&view->told[before]) && is_known(world, node, before))
        violate(world, "%s calls %s first, and %s sat, which it sees writable", name_of(node), member_of(member), member_of(before));
    for (int i = 0; i < SIM_MEMBERS && before != member; i++) {
        if (i != member && is_open_master(&view->told[i]) && is_known(world, node, i) && is_known(world, node, member) &&
            world->now - j->not_open_at[node][i] > OPEN_LONG_US &&
            view->told[i].replica_count >= view->told[member].replica_count)
            violate(world, "%s calls %s first, and %s is writable and has as many replicas", name_of(node), member_of(member), member_of(i));
    }
    judge_patience(world, node, member);
    if (view->told[member].is_seen && view->told[member].is_read_only && is_known(world, node, member))
        violate(world, "%s calls %s first, which it sees closed", name_of(node), member_of(member));
    j->first_of[node] = member;
}

static void judge_rest(struct world *world, int node, int member, const char *line)
{
    struct judged_fleet *j = &world->judge.fleet;
    const bool is_settled = world->now - j->unwell_at[member] > SETTLED_US && world->now - j->heard_at[node] > SETTLED_US;
    if (j->first_of[node] == member && is_settled)
        violate(world, "%s lets go of %s, the only writable master, which nothing has happened to: %s", name_of(node), member_of(member), line);
    if (j->first_of[node] == member && world->now - j->not_open_at[node][member] > SETTLED_US)
        violate(world, "%s lets go of %s, which it sees to be an open master: %s", name_of(node), member_of(member), line);
    if (j->first_of[node] == member)
        j->first_of[node] = -1;
}

static bool has_looked_at_all(const struct world *world, int node)
{
    for (int i = 0; i < SIM_MEMBERS; i++) {
        if (!world->nodes[node].fleet.is_told[i] || fc_is_ever(world->nodes[node].fleet.told[i].checked_at))
            return false;
    }
    return true;
}

static int count_fit(const struct world *world, int node, int *reading)
{
    int fit = 0;
    *reading = 0;
    for (int i = 0; i < SIM_MEMBERS; i++) {
        const struct fleet_sight *s = &world->nodes[node].fleet.told[i];
        const struct board_line line = board_says(world->nodes[node].board, FLEET_READERS, member_of(i), node_clock(world, node));
        if (is_open_master(s) || !is_known(world, node, i))
            continue;
        fit += s->is_seen && s->replicates && s->is_applying;
        *reading += text_begins(line.bytes, "up ready");
    }
    return fit;
}

static void judge_reader(struct world *world, int node, int member, const char *line)
{
    const struct config *c = &world->config;
    const struct fleet_sight *s = &world->nodes[node].fleet.told[member];
    const bool reads = text_begins(line, "up ready"), replicates = s->is_seen && !is_open_master(s) && s->replicates;
    int reading = 0;
    const int fit = count_fit(world, node, &reading);
    if (!is_known(world, node, member))
        return;
    if (reading < c->reader_floor && reading < fit)
        violate(world, "%s lets %d read, %d are there, ReaderFloor is %d: %s", name_of(node), reading, fit, c->reader_floor, line);
    if (replicates && s->is_applying && s->is_fetching && s->lag_s >= 0 && s->lag_s <= c->reader_max_lag_seconds / 2 && !reads)
        violate(world, "%s keeps %s from reading, which is %d s behind: %s", name_of(node), member_of(member), s->lag_s, line);
    if (replicates && s->is_applying && s->is_fetching && s->lag_s > c->reader_max_lag_seconds && reads && reading > c->reader_floor)
        violate(world, "%s lets %s read, which is %d s behind, and others are left: %s", name_of(node), member_of(member), s->lag_s, line);
    if (replicates && !s->is_applying && reads)
        violate(world, "%s lets %s read, which applies nothing: %s", name_of(node), member_of(member), line);
    if (!s->is_seen && reads)
        violate(world, "%s lets %s read, which does not answer: %s", name_of(node), member_of(member), line);
}

void judge_fleet_says(struct world *world, int node, enum fleet_pool pool, int member, const char *line)
{
    const bool is_said = text_begins(line, "up ") || text_begins(line, "down ");
    if (is_said && !node_may_act(world, node))
        violate(world, "%s does not lead and says of %s: %s", name_of(node), member_of(member), line);
    if (!node_may_act(world, node))
        return;
    if (is_said && !has_looked_at_all(world, node) && fc_since(world->judge.nodes[node].started_at, node_clock(world, node)).us < cluster_patience(&world->config).us * 3 / 4 &&
        pool == POOL_OF_WRITERS)
        violate(world, "%s has not looked at every server yet and says of %s: %s", name_of(node), member_of(member), line);
    if (pool == POOL_OF_READERS && is_said)
        judge_reader(world, node, member, line);
    else if (pool == POOL_OF_WRITERS && text_begins(line, "up "))
        judge_first(world, node, member);
    else if (pool == POOL_OF_WRITERS && is_said)
        judge_rest(world, node, member, line);
}

/* Who does not lead says nothing, whoever asks; and whom a leader calls first is judged as soon as it does. */
static void judge_boards(struct world *world)
{
    struct judged_fleet *j = &world->judge.fleet;
    if (world->now - j->asked_at < ASKED_EVERY_US)
        return;
    j->asked_at = world->now;
    for (int i = 0; i < world->node_count * FLEET_POOLS * SIM_MEMBERS; i++) {
        const int node = i / (FLEET_POOLS * SIM_MEMBERS), member = i % SIM_MEMBERS;
        const char *pool = i / SIM_MEMBERS % FLEET_POOLS == POOL_OF_WRITERS ? FLEET_WRITERS : FLEET_READERS;
        if (!world->nodes[node].is_up || world->nodes[node].is_frozen)
            continue;
        const struct board_line line = board_says(world->nodes[node].board, pool, member_of(member), node_clock(world, node));
        if (node_may_act(world, node) && text_is(pool, FLEET_WRITERS) && text_begins(line.bytes, "up "))
            judge_first(world, node, member);
        else if (!node_may_act(world, node) && (text_begins(line.bytes, "up ") || text_begins(line.bytes, "down ")))
            violate(world, "%s does not lead and would say of %s/%s: %s", name_of(node), pool, member_of(member), line.bytes);
    }
}

void judge_fleet_step(struct world *world)
{
    struct judged_fleet *j = &world->judge.fleet;
    for (int i = 0; i < SIM_MEMBERS; i++) {
        if (!is_well(world, i))
            j->unwell_at[i] = world->now;
    }
    for (int i = 0; i < world->node_count * SIM_MEMBERS; i++) {
        const int node = i / SIM_MEMBERS, member = i % SIM_MEMBERS;
        if (!fleet_is_master_open(world, member) || world->fleet[member].master >= 0 || !world->nodes[node].is_up || world->nodes[node].is_frozen ||
            !net_talks(&world->net, party_node(node), party_member(member)))
            j->not_open_at[node][member] = world->now;
    }
    for (int i = 0; i < world->node_count; i++) {
        const bool leads = node_may_act(world, i);
        if (!leads || j->life_of[i] != world->nodes[i].life) {
            j->first_of[i] = j->leads_since[i] = -1;
            j->life_of[i] = world->nodes[i].life;
        } else if (j->leads_since[i] < 0) {
            j->leads_since[i] = world->now;
        }
        if (world->nodes[i].is_frozen)
            j->heard_at[i] = world->now;
    }
    judge_boards(world);
    if (judge_overlap_is_allowed(world))
        j->excused_until = world->now + bound_us(world);
    judge_writers(world);
}

bool judge_fleet_is_quiet(const struct world *world)
{
    for (int p = 0; p < SIM_PROXIES; p++) {
        for (int i = 0; i < SIM_MEMBERS; i++) {
            if (!world->fleet[i].is_up || fleet_proxy_offers(&world->proxies[p], POOL_OF_WRITERS, i) == world->fleet[i].is_read_only)
                return false;
        }
    }
    return true;
}
