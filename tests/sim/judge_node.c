/* The rules of one node. What it knows is taken from its core; what it may do with it is said here again, in other words. */
#include "sim/judge_node.h"

#include <string.h>

#include "base/text.h"
#include "sim/world.h"

#define IN_ITS_FAVOUR 80             /* percent of a wait that must have passed in the world's time: drift, and how late it knew */
#define FOREIGN_US 6000000           /* a living foreign owner is seen to be one within that, whatever else is slow */
#define NOTICED_US 1500000           /* a loss that lasts so long is noticed by every node that can look */

static const char *name_of(int node) { return party_name(party_node(node)); }

static struct judged_node *judged(struct world *world, int node)
{
    struct judged_node *j = &world->judge.nodes[node];
    if (j->life != world->nodes[node].life) {
        memset(j, 0, sizeof *j);
        j->started_at = node_clock(world, node);
        j->rose_at = j->rose_heard_at = j->wrote_at = j->open_at = j->stands_at = FC_EVER;
        j->life = world->nodes[node].life;
        j->moving_since = j->frozen_at = -1;
    }
    return j;
}

static bool has_passed(const struct world *world, int64_t since, int64_t wanted_ms)
{
    return world->now - since >= wanted_ms * 1000 * IN_ITS_FAVOUR / 100;
}

/* ---- the servers, as they are ----------------------------------------------------------------------------------------------- */

/* Long enough to see a stamp change. */
static bool has_sight(struct world *world, int node)
{
    const struct judged_node *j = judged(world, node);
    for (int i = 0; i < SIM_SERVERS; i++) {
        if (j->shown[i].is_seen && fc_since(j->shown[i].seen_since, node_clock(world, node)).us > NOTICED_US)
            return true;
    }
    return false;
}

/* While somebody else's orchestrator lives on these servers, nobody of ours acts (steering.md 4.2). */
static void judge_foreign(struct world *world)
{
    struct judged_seat *seat = &world->judge.seat;
    if (world->foreign_fresh == 0 || world->servers[0].under_way[FAULT_LOOK_DENIED] + world->servers[1].under_way[FAULT_LOOK_DENIED] +
                                         world->servers[0].under_way[FAULT_SUPER] + world->servers[1].under_way[FAULT_SUPER] > 0)
        seat->foreign_since = world->now;
    for (int i = 0; i < world->node_count && world->now - seat->foreign_since > FOREIGN_US; i++) {
        if (!world->nodes[i].is_frozen && world->now - judged(world, i)->frozen_at > FOREIGN_US && node_may_act(world, i) &&
            has_sight(world, i))
            violate(world, "%s acts beside a living foreign owner", name_of(i));
    }
}

void judge_servers_step(struct world *world)
{
    struct judged_seat *seat = &world->judge.seat;
    const struct decision *a = &world->servers[0].row, *b = &world->servers[1].row;
    const struct decision *higher = rank_compare(&a->rank, &b->rank) >= 0 ? a : b;
    const struct decision *row = world_has_quorum(world) ? &world->judge.raft.chair : higher;
    if (row->phase == PHASE_SEATED && !text_is(row->rank.server, seat->row.server))
        seat->since = world->now;
    if (row->phase == PHASE_SEATED)
        seat->row = row->rank;
    for (int i = 0; i < SIM_SERVERS; i++) {
        if (world->servers[i].is_up)
            seat->down_since[i] = world->now;
        else if (world->now - seat->down_since[i] > NOTICED_US)
            seat->up_since[i] = world->now;
        if (world->servers[i].under_way[FAULT_DISK_FULL] > 0 || world->servers[i].replica.slow_us > 0)
            seat->slow_at[i] = world->now;
        if (world->servers[i].is_frozen)
            seat->asleep_at[i] = world->now;
        if (!replication_is_well(world, i))
            seat->heard_since[i] = world->now;
        if (!world->servers[i].replica.is_io_running || world->servers[i].replica.applied == world->servers[i].replica.read)
            seat->heard_at[i] = world->now;
    }
    for (int i = 0; i < world->node_count; i++) {
        if (world->nodes[i].is_up && world->nodes[i].is_frozen)
            judged(world, i)->frozen_at = world->now;
    }
    judge_foreign(world);
}

/* ---- a lease is taken over ---------------------------------------------------------------------------------------------------- */

void judge_shown(struct world *world, int node, int server, const struct server_look *look, struct fc_time sent_at)
{
    struct judged_node *j = judged(world, node);
    struct judged_row *row = &j->shown[server];
    const struct fc_time now = node_clock(world, node);
    if (look == NULL && !row->is_lost)
        row->lost_at = world->now;
    row->is_lost = look == NULL;
    row->has_answered_last = look != NULL && look->has_schema;
    if (look == NULL)
        row->is_seen = false;                              /* the turn that it showed is the same when it shows it again */
    if (look == NULL || (row->has_answered && fc_before(sent_at, row->sent_at)))
        return;
    if (!row->is_seen)
        row->seen_since = now;
    row->is_seen = row->has_answered = true;
    row->sent_at = sent_at;
    if (!look->has_schema) {
        row->has_row = false;
        return;
    }
    if (!row->has_row || !rank_is_same_turn(&row->rank, &look->lease.rank) || !text_is(row->rank.node, look->lease.rank.node))
        row->changed_at = now;
    row->has_row = true;
    row->rank = look->lease.rank;
    if (fc_is_ever(j->rose_at) || rank_compare(&row->rank, &j->highest) > 0) {
        const bool is_of_now = !fc_is_ever(j->rose_at) && row->rank.epoch == j->highest.epoch;
        j->highest = row->rank;
        j->rose_at = is_of_now ? fc_later(j->rose_at, sent_at) : sent_at;
        j->rose_heard_at = now;
    }
    if (!look->is_read_only && look->lease.phase == PHASE_SEATED && row->rank.epoch == j->highest.epoch &&
        text_is(look->identity, j->highest.server))
        j->open_at = fc_later(j->open_at, sent_at);
}

static bool is_anothers(const struct world *world, int node, const struct rank *rank)
{
    return rank->node[0] != '\0' && !text_is(rank->node, world->nodes[node].name);
}

/* Is there a server that it does not see? Who has seen all of them may go first. */
static int unseen_by(const struct judged_node *j)
{
    for (int i = 0; i < SIM_SERVERS; i++) {
        if (!j->shown[i].is_seen || !j->shown[i].has_row)
            return i;
    }
    return -1;
}

static void watch_one(const struct world *world, int node, int server, struct fc_span least, char *hasty, size_t size)
{
    const struct judged_row *row = &world->judge.nodes[node].shown[server];
    if (is_anothers(world, node, &row->rank) && fc_since(row->changed_at, row->sent_at).us < least.us)
        text_format(hasty, size, "the row on %s stood still for %lld ms only", SERVER_NAME(server),
                    (long long)(fc_since(row->changed_at, row->sent_at).us / 1000));
    else if (row->rank.node[0] != '\0' && unseen_by(&world->judge.nodes[node]) >= 0 && fc_since(row->seen_since, row->sent_at).us < least.us)
        text_format(hasty, size, "%s, the only one in sight, came into sight %lld ms ago", SERVER_NAME(server),
                    (long long)(fc_since(row->seen_since, row->sent_at).us / 1000));
}

void judge_wrote(struct world *world, int node, struct fc_time sent_at)
{
    struct judged_node *j = judged(world, node);
    j->wrote_at = fc_later(j->wrote_at, sent_at);
}

void judge_told_open(struct world *world, int server) { world->judge.seat.told_open_at[server] = world->now; }

void judge_gives_back(struct world *world, int node, int64_t pause_ms)
{
    struct judged_node *j = judged(world, node);
    j->stands_at = fc_plus(node_clock(world, node), fc_ms(pause_ms));
}

/* A lease of its own that ran out long ago is no other than anybody's, where not every server is in sight. */
static void judge_goes_on(struct world *world, int node, const struct decision *row)
{
    const struct config *c = &world->config;
    struct judged_node *j = judged(world, node);
    const struct fc_time now = node_clock(world, node);
    const struct fc_span watch = fc_ms((int64_t)c->lease_ms * (100 + c->drift_percent) / 100);
    const int unseen = unseen_by(j), seen = 1 - unseen;
    if (j->taking_epoch == row->rank.epoch)
        return;                                            /* the maximum right behind the take, whose grant is not heard yet */
    j->taking_epoch = row->rank.epoch;
    j->hasty[0] = '\0';
    if (unseen >= 0 && j->shown[seen].is_seen && !fc_is_ever(j->wrote_at) && fc_since(j->wrote_at, now).us > watch.us &&
        fc_since(j->shown[seen].seen_since, now).us < watch.us)
        TEXT_FORMAT(j->hasty, "it renewed its own last %lld ms ago, and has seen only %s, for %lld ms",
                    (long long)(fc_since(j->wrote_at, now).us / 1000), SERVER_NAME(seen),
                    (long long)(fc_since(j->shown[seen].seen_since, now).us / 1000));
}

void judge_takes(struct world *world, int node, const struct decision *row, bool is_its_own)
{
    if (is_its_own) {
        judge_goes_on(world, node, row);
        return;
    }
    const struct config *c = &world->config;
    struct judged_node *j = judged(world, node);
    const struct fc_time now = node_clock(world, node);
    const int unseen = unseen_by(j), seen = 1 - unseen;
    const struct fc_span watch = fc_ms((int64_t)c->lease_ms * (100 + c->drift_percent) / 100);
    if (fc_before(now, j->stands_at))
        violate(world, "%s takes the lease again that it gave back, %lld ms before it may", name_of(node),
                (long long)(fc_since(now, j->stands_at).us / 1000));
    j->taking_epoch = row->rank.epoch;
    j->hasty[0] = '\0';
    for (int i = 0; i < SIM_SERVERS; i++) {
        if (j->shown[i].is_seen && j->shown[i].has_row)
            watch_one(world, node, i, fc_ms(fc_span_ms(watch) + (unseen >= 0 ? c->lease_renew_ms : 0)), j->hasty, sizeof j->hasty);
    }
    if (is_anothers(world, node, &j->highest) && fc_since(j->rose_heard_at, now).us < watch.us)
        TEXT_FORMAT(j->hasty, "it saw the lease rise %lld ms ago", (long long)(fc_since(j->rose_heard_at, now).us / 1000));
    if (unseen >= 0 && fc_since(j->started_at, now).us < watch.us)
        TEXT_FORMAT(j->hasty, "it started %lld ms ago and does not see %s", (long long)(fc_since(j->started_at, now).us / 1000),
                    SERVER_NAME(unseen));
    if (unseen >= 0 && !text_is(row->rank.server, world->servers[seen].identity) &&
        world->now - world->judge.seat.heard_at[seen] > ((int64_t)c->probe_timeout_ms + c->poll_ms) * 1000)
        TEXT_FORMAT(j->hasty, "%s has not applied what it hears of %s", SERVER_NAME(seen), SERVER_NAME(unseen));
}

/* Beside one who may still act; and never below what it knows, also when its write arrived where nobody knew that. */
static void judge_granted(struct world *world, int node, uint64_t epoch)
{
    struct judged_node *j = judged(world, node);
    const bool is_hasty = j->taking_epoch == epoch && j->hasty[0] != '\0';
    j->taking_epoch = 0;
    if (j->highest.epoch > epoch && is_anothers(world, node, &j->highest) && !text_is(j->highest.node, OTHER_ARBITER))
        violate(world, "%s holds the lease at epoch %llu and knew of a higher decision: epoch %llu by %s", name_of(node),
                (unsigned long long)epoch, (unsigned long long)j->highest.epoch, j->highest.node);
    for (int i = 0; i < world->node_count && is_hasty; i++) {
        if (i != node && !world->nodes[i].is_frozen && node_may_act(world, i))
            violate(world, "%s takes the lease over while %s may act: %s", name_of(node), name_of(i), j->hasty);
    }
}

/* What is higher wins, as soon as it is known. */
static void judge_higher(struct world *world, int node, const struct rank *shown)
{
    const struct core *core = world->nodes[node].core;
    if (text_is(shown->node, OTHER_ARBITER))
        return;                                            /* raft decides: it is gone beyond, by the log */
    if (shown->epoch > core->leadership.epoch && node_may_act(world, node) && !text_is(shown->node, world->nodes[node].name))
        violate(world, "%s goes on at epoch %llu and was shown a higher decision: epoch %llu by %s", name_of(node),
                (unsigned long long)core->leadership.epoch, (unsigned long long)shown->epoch, shown->node);
}

void judge_answered(struct world *world, int node, const struct store_result *result)
{
    if (result->code == FC_REFUSED)
        judge_higher(world, node, &result->stored.rank);
}

/* A lease runs out only where something has kept it from being renewed: a write whose answer was lost costs no more than its own
 * bound and the next renewal. */
static void judge_lapse(struct world *world, int node)
{
    const struct config *c = &world->config;
    const int place = world->nodes[node].core->leadership.place;
    const int64_t grace_us = (2 * (int64_t)c->probe_timeout_ms + c->poll_ms + c->lease_renew_ms) * 1000;
    if (place < 0)
        return;
    const int64_t unhindered_us = world->now - world->judge.cannot_renew_at[node][place];
    if (unhindered_us > grace_us)
        violate(world, "the lease of %s runs out, and nothing has kept it from %s for %lld ms", name_of(node), SERVER_NAME(place),
                (long long)(unhindered_us / 1000));
}

/* ---- a move is begun -------------------------------------------------------------------------------------------------------- */

static const char *reason_of(const char *why)
{
    return text_begins(why, "finishing: ") ? why + strlen("finishing: ") : why;
}

/* Without an order, and only as the configuration says. */
static void judge_failback(struct world *world, int node, const struct step_before *before)
{
    const struct config *c = &world->config;
    const struct judged_seat *seat = &world->judge.seat;
    struct judged_node *j = judged(world, node);
    if (c->failback_after_seconds <= 0)
        violate(world, "%s moved the chair back, which is switched off", name_of(node));
    if (text_begins(reason_of(before->row.why), "switch"))
        violate(world, "%s moved the chair back against an operator's order: `%s`", name_of(node), before->row.why);
    if (rank_compare(&before->row.rank, &seat->row) == 0 && !has_passed(world, seat->since, c->dwell_ms))
        violate(world, "%s moved the chair back %lld ms after it came here, ChairDwellMilliseconds is %d", name_of(node),
                (long long)((world->now - seat->since) / 1000), c->dwell_ms);
    if (world->now - j->frozen_at > NOTICED_US + (int64_t)c->failback_after_seconds * 1000000 &&
        !has_passed(world, seat->up_since[0], (int64_t)c->failback_after_seconds * 1000))
        violate(world, "%s moved the chair back %lld ms after the preferred server was up again, FailbackAfterSeconds is %d",
                name_of(node), (long long)((world->now - seat->up_since[0]) / 1000), c->failback_after_seconds);
    if (++j->failbacks > c->failback_max_per_hour)
        violate(world, "%s moved the chair back for the %d. time within an hour, FailbackMaxPerHour is %d", name_of(node),
                j->failbacks, c->failback_max_per_hour);
}

/* Not because of a look that was taken before it was opened, if anybody was told so. */
static void judge_reseat(struct world *world, int node, int server)
{
    const struct sim_server *s = &world->servers[server];
    const int64_t look_age = fc_since(world->nodes[node].core->servers.list[server].seen_at, node_clock(world, node)).us;
    const int64_t open_age = world->now - world->judge.seat.opened_at[server];
    if (world->judge.seat.told_open_at[server] >= world->judge.seat.opened_at[server] && s->is_up && !s->is_read_only && s->row.phase == PHASE_SEATED && look_age * IN_ITS_FAVOUR / 100 > open_age)
        violate(world, "%s seats %s anew by a look of %lld ms ago, and it was opened %lld ms ago", name_of(node),
                SERVER_NAME(server), (long long)(look_age / 1000), (long long)(open_age / 1000));
}

/* No lease runs out on a server where raft decides: a leader that loses the one that sits waits for as long as others would have to watch. */
static void judge_patience(struct world *world, int node, int server)
{
    const struct config *c = &world->config;
    const int64_t watch_ms = (int64_t)c->lease_ms * (100 + c->drift_percent) / 100;
    const struct judged_row *row = &judged(world, node)->shown[server];
    if (!row->is_seen && !has_passed(world, row->lost_at, watch_ms))
        violate(world, "%s replaces %s, which it lost %lld ms ago, and has not waited for %lld ms", name_of(node), SERVER_NAME(server),
                (long long)((world->now - row->lost_at) / 1000), (long long)watch_ms);
}

/* A first seating may follow what somebody did by hand, whatever the holds say. */
static void judge_begun(struct world *world, int node, const struct step_before *before)
{
    const struct core *core = world->nodes[node].core;
    const struct steering *st = &core->steering;
    const struct move *move = &st->move;
    const struct judged_node *j = judged(world, node);
    const char *to = core->servers.list[move->to].name;
    if (before->move_step == STEP_NONE && holds_find(&st->holds, "fc_backend", "") != NULL)
        violate(world, "%s moves the chair of a paused pool: %s", name_of(node), move->why);
    if (move->to != move->from && move->kind != MOVE_FIRST && holds_find(&st->holds, "fc_backend", to) != NULL)
        violate(world, "%s seats %s, which an operator holds out: %s", name_of(node), to, move->why);
    if (move->kind == MOVE_RESEAT && move->asker.by[0] == '\0')
        judge_reseat(world, node, move->to);
    if (text_is(move->why, "failback to the preferred server"))
        judge_failback(world, node, before);
    if (move->kind == MOVE_PLANNED && j->moving_since >= 0 && text_begins(move->why, "finishing: ") &&
        world->now - j->moving_since > (int64_t)st->chair.row.limit_ms * 1000 * 100 / IN_ITS_FAVOUR)
        violate(world, "%s goes on with an intent that it has known for %lld ms, its bound was %u ms", name_of(node),
                (long long)((world->now - j->moving_since) / 1000), (unsigned)st->chair.row.limit_ms);
    if (move->kind == MOVE_SILENT && core->leadership.place == move->from && before->row.phase == PHASE_SEATED)
        violate(world, "%s replaces %s, which it alone has lost: its lease lies there and has not run out", name_of(node),
                SERVER_NAME(move->from));
    if (move->kind == MOVE_SILENT && world_has_quorum(world) && before->row.phase == PHASE_SEATED)
        judge_patience(world, node, move->from);
    if (move->kind == MOVE_GONE && world->servers[move->from].is_up && !world->servers[move->from].is_frozen &&
        world->now - world->judge.seat.heard_since[move->from] > NOTICED_US)
        violate(world, "%s takes %s for gone, which %s has heard all the time", name_of(node), SERVER_NAME(move->from),
                SERVER_NAME(1 - move->from));
}

/* ---- a step ----------------------------------------------------------------------------------------------------------------- */

static void follow_intent(struct world *world, int node)
{
    const struct chair *chair = &world->nodes[node].core->steering.chair;
    struct judged_node *j = judged(world, node);
    if (chair->state != CHAIR_MOVING) {
        j->moving_since = -1;
    } else if (j->moving_since < 0 || !text_is(j->moving_to, chair->row.successor)) {
        j->moving_since = world->now;
        TEXT_SET(j->moving_to, chair->row.successor);
    }
}

static void judge_holds(struct world *world, int node)
{
    const struct holds *holds = &world->nodes[node].core->steering.holds;
    struct judged_node *j = judged(world, node);
    for (int i = 0; i < holds->count; i++) {
        const struct hold *hold = &holds->list[i];
        int k = 0;
        while (k < j->hold_count && !(text_is(j->holds[k].pool, hold->pool) && text_is(j->holds[k].server, hold->server)))
            k++;
        if (k == JUDGED_HOLDS)
            continue;
        struct judged_hold *seen = &j->holds[k];
        if (k == j->hold_count)
            j->hold_count++;
        else if (hold->epoch < seen->epoch || (hold->epoch == seen->epoch && hold->seq < seen->seq))
            violate(world, "at %s the hold on %s/%s fell from %llu.%llu to %llu.%llu", name_of(node), hold->pool, hold->server,
                    (unsigned long long)seen->epoch, (unsigned long long)seen->seq, (unsigned long long)hold->epoch,
                    (unsigned long long)hold->seq);
        TEXT_SET(seen->pool, hold->pool);
        TEXT_SET(seen->server, hold->server);
        seen->epoch = hold->epoch;
        seen->seq = hold->seq;
    }
}

static void judge_orders(struct world *world, int node, const struct event *event, const struct step_before *before)
{
    const struct steering *st = &world->nodes[node].core->steering;
    const int kept = (int)(sizeof st->executed / sizeof st->executed[0]);
    if (event->type == ORDER_GIVEN && st->orders > before->orders && !node_may_act(world, node))
        violate(world, "%s carries an order out and does not lead: %.*s", name_of(node), (int)event->as.order.length,
                event->as.order.text);
    if (st->orders == before->orders)
        return;
    for (int i = 1; i < kept && i < st->executed_count; i++) {
        for (int k = 0; k < i; k++) {
            if (st->executed[i] == st->executed[k])
                violate(world, "%s has carried order %llu out twice", name_of(node), (unsigned long long)st->executed[i]);
        }
    }
}

/* One lost probe never flips (steering.md 6). */
static void judge_loss(struct world *world, int node, const struct event *event, const struct step_before *before)
{
    struct judged_node *j = judged(world, node);
    const struct server_state *seen = &world->nodes[node].core->servers.list[event->type == SERVER_SEEN ? event->as.seen.server : 0];
    if (event->type == SERVER_SEEN && !fc_before(event->as.seen.sent_at, seen->seen_at))
        j->misses[event->as.seen.server] = 0;              /* an older one that came late says nothing new */
    if (event->type != SERVER_LOST)
        return;
    const int server = event->as.lost.server;
    if (event->as.lost.loss != LOSS_SILENT || j->misses[server] == 0 || !fc_before(event->as.lost.sent_at, j->missed_at[server])) {
        j->misses[server]++;                               /* looks that wait at one time are lost by one silence */
        j->missed_at[server] = node_clock(world, node);
    }
    if (event->as.lost.loss == LOSS_SILENT && j->misses[server] == 1 && before->is_reachable[server] &&
        !world->nodes[node].core->servers.list[server].is_reachable)
        violate(world, "%s gives %s up after a single look without an answer", name_of(node), SERVER_NAME(server));
}

void judge_step_before(const struct core *core, struct step_before *ret)
{
    const struct steering *st = &core->steering;
    ret->move_step = st->move.step;
    ret->intent_id = st->move.intent_id;
    ret->orders = st->orders;
    ret->row = st->chair.row;
    for (int i = 0; i < SIM_SERVERS; i++)
        ret->is_reachable[i] = core->servers.list[i].is_reachable;
}

void judge_node_step(struct world *world, int node, const struct event *event, const struct step_before *before)
{
    const struct steering *st = &world->nodes[node].core->steering;
    if (st->move.step != STEP_NONE && !node_may_act(world, node))
        violate(world, "%s moves the chair (%s) and may not act", name_of(node), move_step_word(st->move.step));
    judge_loss(world, node, event, before);
    if (event->type == LEASE_GRANTED)
        judge_granted(world, node, event->as.lease.epoch);
    if (event->type == STORE_SILENT && world_has_quorum(world))
        judge_raft_lapse(world, node);
    else if (event->type == STORE_SILENT)
        judge_lapse(world, node);
    if (event->type == SERVER_SEEN && event->as.seen.look->has_schema)
        judge_higher(world, node, &event->as.seen.look->lease.rank);
    follow_intent(world, node);
    if (st->move.step != STEP_NONE && (before->move_step == STEP_NONE || before->intent_id != st->move.intent_id))
        judge_begun(world, node, before);
    judge_holds(world, node);
    judge_orders(world, node, event, before);
}

/* ---- what is said ----------------------------------------------------------------------------------------------------------- */

static bool has_looked_everywhere(const struct core *core)
{
    for (int i = 0; i < core->servers.count && !core->servers.looks_at_none; i++) {
        if (!core->servers.list[i].has_answered)
            return false;
    }
    for (int i = 0; i < core->proxy_count; i++) {
        if (!core->proxies[i].has_answered)
            return false;
    }
    return true;
}

/* How long ago it last asked and heard who sits: that the row rose, or from the seated server itself that it is open. */
static struct fc_span age_of_what_it_knows(struct world *world, int node)
{
    const struct judged_node *j = judged(world, node);
    return fc_since(fc_later(fc_later(j->rose_at, j->wrote_at), j->open_at), node_clock(world, node));
}

void judge_node_says(struct world *world, int node, bool is_voice, const char *line)
{
    const struct core *core = world->nodes[node].core;
    const bool is_heard = is_voice ? strstr(line, "fc-voice") != NULL : text_begins(line, "up ") || text_begins(line, "down ");
    if (is_heard && !has_looked_everywhere(core))
        violate(world, "%s says `%s` and has not looked at the world yet", name_of(node), line);
    if (!is_heard || !is_voice)
        return;
    if (world_has_quorum(world)) {
        judge_raft_says(world, node, -1);
        return;
    }
    const struct fc_span age = age_of_what_it_knows(world, node);
    if (age.us >= fc_ms(world->config.term_ms).us)
        violate(world, "%s gives its voice, %lld ms after it last asked and heard who sits", name_of(node), (long long)(age.us / 1000));
}

void judge_token(struct world *world, int node, int server)
{
    if (world_has_quorum(world)) {
        judge_raft_says(world, node, server);
        return;
    }
    const struct fc_span age = age_of_what_it_knows(world, node);
    if (age.us >= fc_ms(world->config.term_ms).us)
        violate(world, "%s gives the token for %s, %lld ms after it last asked and heard that it sits", name_of(node),
                SERVER_NAME(server), (long long)(age.us / 1000));
}

void judge_deed_begins(struct world *world, int node, const struct effect *effect)
{
    if (fc_reached(effect->until, node_clock(world, node)))
        violate(world, "%s acts past its lease: %s", name_of(node), effect_type_word(effect->type));
}

void judge_hold_write(struct world *world, int node, const struct hold *hold)
{
    const struct core *core = world->nodes[node].core;
    const struct chair *chair = &core->steering.chair;
    const int seated = servers_named(&core->servers, chair->row.rank.server);
    if ((hold->kind == HOLD_MAINT || hold->kind == HOLD_DRAIN) && chair->state == CHAIR_SEATED && seated >= 0 &&
        text_is(core->servers.list[seated].name, hold->server))
        violate(world, "%s takes %s out by an order, which sits", name_of(node), hold->server);
}
