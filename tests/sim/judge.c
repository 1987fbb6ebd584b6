/* The invariants. Cheap enough to be asked after every happening. */
#include "sim/judge.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

#define STALE_US 6000000             /* the replica's own time-out, and what may pass before a look shows it */
#define DENIED_AGAIN_US 1000000      /* a server that denies something is asked again so much later */
#define WELL_KNOWN_US 3000000        /* so long a server was seen by others, and every node that asked has heard so */
#define FOLLOWED_US 10000000         /* a replica that did not follow for so long knows nothing of its master's end */
#define BY_HAND_US 5000000           /* from when a leader could, until it has closed what is open beside the seated one */

void violate(struct world *world, const char *format, ...)
{
    va_list args;
    if (world->is_broken)
        return;
    world->is_broken = true;
    world->broken_rule = format;
    va_start(args, format);
    vsnprintf(world->broken, sizeof world->broken, format, args);
    va_end(args);
    tell(world, "!!!!", "%s", world->broken);
}

void judge_init(struct world *world)
{
    struct judge *j = &world->judge;
    memset(j, 0, offsetof(struct judge, decisions));
    judge_decisions_init(world);
    judge_fleet_init(world);
    judge_said_init(&j->said);
    judge_raft_init(world);
}

/* How long a node may go on acting on what it saw before the servers heard each other again: until its next look is back. */
static int64_t aftermath_us(const struct config *c) { return ((int64_t)c->probe_timeout_ms + c->poll_ms) * 1000; }

/* How long an HAProxy may go on with what it was told: a term, and its token check's bound. */
static int64_t steered_us(const struct config *c)
{
    return ((int64_t)c->term_ms + (int64_t)c->check_fall * (c->check_inter_ms + c->check_timeout_ms) + c->check_inter_ms +
            c->agent_inter_ms) * 1000;
}

/* The two servers do not hear each other: of no matter to a quorum. */
static bool each_decides_alone(const struct world *world) { return !world_has_quorum(world) && world->now < world->judge.apart_until; }

static bool overlap_is_allowed(const struct world *world)
{
    return each_decides_alone(world) || (!world_has_quorum(world) && world->now < world->judge.blind_until);
}

bool judge_overlap_is_allowed(const struct world *world) { return overlap_is_allowed(world); }

/* Hands off: firstchair neither opens nor closes anything in a paused pool. */
static bool is_paused_somewhere(const struct world *world)
{
    for (int i = 0; i < world->node_count; i++) {
        if (world->nodes[i].is_up && holds_find(&world->nodes[i].core->steering.holds, "fc_backend", "") != NULL)
            return true;
    }
    return false;
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
        if (world_is_witness(world, i))
            violate(world, "fc%d, a witness, may act", i + 1);
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
        /* Two leases on one server were decided there, one after the other: who sees what does not matter. */
        const bool is_one_place = world->nodes[first].core->leadership.place == world->nodes[second].core->leadership.place;
        if (!each_decides_alone(world) && (world_has_quorum(world) || is_one_place || world->now >= j->blind_until ||
                                           j->overlap_us > aftermath_us(&world->config)))
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
    return world->judge.is_left_open[0] || world->judge.is_left_open[1];
}

static bool is_opened_by_hand(const struct world *world)
{
    return (world->judge.is_by_hand[0] || world->judge.is_by_hand[1]) && world->now < world->judge.by_hand_until;
}

/* Could the leader close it, if it wanted to? */
static bool is_within_reach(const struct world *world, int server)
{
    const struct sim_server *s = &world->servers[server];
    if (!s->is_up || s->is_frozen || s->under_way[FAULT_FENCE_DENIED] > 0 || s->under_way[FAULT_LOOK_DENIED] > 0 || s->under_way[FAULT_SUPER] > 0)
        return false;
    for (int i = 0; i < world->node_count; i++) {
        const struct steering *st = node_may_act(world, i) ? &world->nodes[i].core->steering : NULL;
        if (st != NULL && !world->nodes[i].is_frozen && net_talks(&world->net, party_node(i), party_server(server)) &&
            holds_find(&st->holds, "fc_backend", "") == NULL)
            return true;
    }
    return false;
}

static void judge_servers(struct world *world)
{
    if (!is_writable(&world->servers[0]) || !is_writable(&world->servers[1]) || !is_offered(world, 0) || !is_offered(world, 1))
        return;
    if (world->now >= world->judge.steered_until && !is_declared_unfenced(world) && !is_opened_by_hand(world))
        violate(world, "db1 and db2 are both writable and both offered by an HAProxy");
}

/* ---- (c) epochs --------------------------------------------------------------------------------------------------------------- */

/* What carries one rank is one decision: neither row would ever replace the other. */
static void judge_one_decision(struct world *world)
{
    const struct decision *a = &world->servers[0].row, *b = &world->servers[1].row;
    if (a->rank.epoch > 0 && rank_compare(&a->rank, &b->rank) == 0 && (a->phase != b->phase || !text_is(a->successor, b->successor)))
        violate(world, "epoch %llu seq %llu by %s says `%s` on db1 and `%s` on db2", (unsigned long long)a->rank.epoch,
                (unsigned long long)a->rank.seq, a->rank.node, phase_word(a->phase), phase_word(b->phase));
}

static void judge_epochs(struct world *world)
{
    judge_one_decision(world);
    for (int i = 0; i < world->node_count; i++) {
        struct sim_node *n = &world->nodes[i];
        if (!n->is_up)
            continue;
        const uint64_t epoch = n->core->leadership.epoch, chair = n->core->steering.chair.row.rank.epoch;
        if (epoch < n->last_epoch || chair < n->last_chair_epoch)
            violate(world, "the epoch fell at fc%d: %llu after %llu, chair %llu after %llu", i + 1, (unsigned long long)epoch,
                    (unsigned long long)n->last_epoch, (unsigned long long)chair, (unsigned long long)n->last_chair_epoch);
        if (chair != n->last_chair_epoch || n->core->steering.chair.row.rank.seq != n->last_chair_seq)
            judge_decision(world, party_name(party_node(i)), &n->core->steering.chair.row);
        n->last_epoch = epoch;
        n->last_chair_epoch = chair;
        n->last_chair_seq = n->core->steering.chair.row.rank.seq;
    }
    for (int i = 0; i < SIM_SERVERS; i++) {
        const struct decision *row = &world->servers[i].row;
        if (rank_compare(&row->rank, &world->judge.row_rank[i]) < 0)
            violate(world, "the row of %s fell: epoch %llu seq %llu after epoch %llu seq %llu", SERVER_NAME(i),
                    (unsigned long long)row->rank.epoch, (unsigned long long)row->rank.seq,
                    (unsigned long long)world->judge.row_rank[i].epoch, (unsigned long long)world->judge.row_rank[i].seq);
        if (rank_compare(&row->rank, &world->judge.row_rank[i]) != 0)
            judge_row_stands(world, i);
        world->judge.row_rank[i] = row->rank;
        const int node = node_of_name(row->rank.node);
        if (node < 0 || row->rank.epoch >= EPOCHS_MAX || row->rank.server[0] == '\0')
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

static bool is_late(const struct world *world, int node, int server)
{
    const struct net *net = &world->net;
    return net->late_us[party_node(node)][party_server(server)] + net->late_us[party_server(server)][party_node(node)] +
           world->servers[server].late_looks_us > 0;
}

static void cannot_renew(struct world *world, int node, int server, int64_t until)
{
    int64_t *at = &world->judge.cannot_renew_at[node][server];
    *at = until > *at ? until : *at;
}

/* Who is denied asks again only so much later. */
static int64_t denial_us(const struct world *world, int server)
{
    const int *under_way = world->servers[server].under_way;
    return under_way[FAULT_FENCE_DENIED] + under_way[FAULT_LOOK_DENIED] + under_way[FAULT_SUPER] > 0 ? DENIED_AGAIN_US : 0;
}

/* Something that answers late, or not to everybody: what a node says of it may be of before, or wrong. */
static bool is_late_somewhere(const struct world *world)
{
    bool is = false;
    for (int i = 0; i < SIM_SERVERS; i++) {
        const struct sim_server *s = &world->servers[i];
        is = is || s->under_way[FAULT_DISK_FULL] + s->under_way[FAULT_FENCE_DENIED] + s->under_way[FAULT_LOOK_DENIED] + s->under_way[FAULT_SUPER] > 0 ||
             s->late_looks_us > 0 || s->late_deeds_us > 0 || s->replica.slow_us > 0;
    }
    for (int a = 0; a < SIM_PARTIES; a++) {
        for (int b = 0; b < SIM_PARTIES; b++)
            is = is || world->net.late_us[a][b] > 0;
    }
    return is;
}

static bool is_hindered(const struct world *world)
{
    return world->now < world->judge.apart_until || world->now < world->judge.paused_until || world->foreign_fresh > 0 ||
           is_late_somewhere(world);
}

/* Who can look, and who can be asked: kept so that a rule may ask since when. */
static void watch_sights(struct world *world)
{
    if (is_hindered(world))
        world->judge.hindered_at = world->now;
    if (is_late_somewhere(world))
        world->judge.late_at = world->now;
    for (int a = 0; a < world->node_count; a++) {
        const bool is_awake = world->nodes[a].is_up && !world->nodes[a].is_frozen;
        for (int s = 0; s < SIM_SERVERS; s++) {
            if (!is_awake || world_is_witness(world, a) || !net_talks(&world->net, party_node(a), party_server(s)) ||
                world->net.refused[party_node(a)][party_server(s)] > 0 || !world->servers[s].is_up || world->servers[s].is_frozen)
                world->judge.cannot_look_at[a][s] = world->now;
            if (world->judge.cannot_look_at[a][s] == world->now || is_late(world, a, s) || world->servers[s].under_way[FAULT_DISK_FULL] > 0)
                cannot_renew(world, a, s, world->now);
            if (denial_us(world, s) > 0)
                cannot_renew(world, a, s, world->now + denial_us(world, s));
        }
        for (int b = 0; b < world->node_count; b++) {
            if (!is_awake || !net_talks(&world->net, party_node(a), party_node(b)))
                world->judge.cannot_ask_at[a][b] = world->judge.cannot_ask_at[b][a] = world->now;
        }
    }
}

static void watch_following(struct world *world)
{
    for (int i = 0; i < SIM_SERVERS; i++) {
        const struct sim_replica *r = &world->servers[1 - i].replica;
        if (r->is_io_running && !r->is_sql_stopped)
            world->judge.follows_at[i] = world->now;
    }
}

/* The chair is on its way to it, and the other one takes nothing: whoever opened it, it is not beside anybody. */
static bool is_about_to_sit(const struct world *world, int server)
{
    for (int i = 0; i < world->node_count; i++) {
        const struct move *move = node_may_act(world, i) ? &world->nodes[i].core->steering.move : NULL;
        if (move != NULL && move->step != STEP_NONE && move->to == server)
            return !is_writable(&world->servers[1 - server]);
    }
    return false;
}

void judge_step(struct world *world)
{
    struct judge *j = &world->judge;
    if (!replication_is_well(world, 0) || !replication_is_well(world, 1))
        j->apart_until = world->now + aftermath_us(&world->config);
    if (some_node_is_blind(world))
        j->blind_until = world->now + aftermath_us(&world->config);
    if (is_paused_somewhere(world))
        j->paused_until = world->now + aftermath_us(&world->config);
    if (each_decides_alone(world) || world->now < j->paused_until)
        j->steered_until = world->now + steered_us(&world->config);
    for (int i = 0; i < SIM_SERVERS; i++) {
        /* One that was opened by hand is not what an arbiter decided, and a leader may have more to do while the other one is out of sight. */
        const bool is_apart = j->is_by_hand[i] ? world->now < j->apart_until : each_decides_alone(world);
        const bool may_last = world->servers[i].is_up && !world->servers[i].is_read_only &&
                              (is_apart || world->now < j->paused_until || !is_within_reach(world, i) || is_about_to_sit(world, i));
        if (may_last)
            j->resolve_until[i] = world->now + BY_HAND_US;
        if (may_last && j->is_by_hand[i])
            j->by_hand_until = world->now + BY_HAND_US;
    }
    watch_sights(world);
    watch_following(world);
    judge_servers_step(world);
    if (world_has_quorum(world))
        judge_raft_step(world);
    judge_leaders(world);
    judge_servers(world);
    judge_epochs(world);
    judge_drift(world);
    if (world->script.has_cluster)
        judge_fleet_step(world);
    j->last_at = world->now;
}

/* ---- (b) again, by what clients were told ----------------------------------------------------------------------------------- */

/* The other side of a cut: a node that sees only the old server speaks for it to this HAProxy, as long as the cut lasts. */
static bool is_on_the_other_side(const struct world *world, int proxy, int old)
{
    if (!each_decides_alone(world))
        return false;
    for (int i = 0; i < world->node_count; i++) {
        if (world->nodes[i].is_up && net_talks(&world->net, party_node(i), party_server(old)) &&
            net_talks(&world->net, party_node(i), party_proxy(proxy)))
            return true;
    }
    return false;
}

/* A server is opened although the old one could not be fenced. The wait before it has outlasted terms, token checks and the
 * processes left by reloads: no process that was left alone since the revoke carries a write to the old one any more. */
static void note_unfenced(struct world *world, int node, int old)
{
    struct judge *j = &world->judge;
    const struct move *move = &world->nodes[node].core->steering.move;
    j->is_left_open[old] = true;
    judge_left_alone(world, old);
    j->left_at[old] = world->now;
    j->revoked_at[old] = world->now - fc_since(move->started_at, node_clock(world, node)).us * 1000000 /
                                          (1000000 + world->nodes[node].clock_ppm);
    for (int i = 0; i < SIM_PROXIES; i++) {
        const struct sim_proxy *p = &world->proxies[i];
        if (proxy_offers(p, old) && p->disturbed_at < j->revoked_at[old] && !is_on_the_other_side(world, i, old))
            violate(world, "%s was opened unfenced while %s offers %s", SERVER_NAME(1 - old), p->name, SERVER_NAME(old));
    }
}

/* An overlap while the servers were apart may end a little later: for an HAProxy within what bounds it when nobody speaks to it,
 * for those whom no HAProxy of today stops when the leader has closed the lower one. */
static bool overlap_is_being_resolved(const struct world *world, const struct sim_client *c)
{
    if (c->proxy < 0 || (!world_has_quorum(world) && c->proxy_process != world->proxies[c->proxy].process))
        return world->now < world->judge.resolve_until[c->server];
    return world->now < world->judge.steered_until ||
           world->now < world->proxies[c->proxy].disturbed_at + steered_us(&world->config);
}

/* At which it writes: when it was opened, or a later one of the same chair, by its own row or by the log. */
static uint64_t writing_epoch(const struct world *world, const struct sim_server *s)
{
    const struct decision *rows[] = { &s->row, &world->judge.raft.chair };
    uint64_t epoch = s->opened_epoch;
    for (int i = 0; i < 2; i++) {
        if (rows[i]->phase == PHASE_SEATED && text_is(rows[i]->rank.server, s->identity) && rows[i]->rank.epoch > epoch)
            epoch = rows[i]->rank.epoch;
    }
    return epoch;
}

/* Each side went on alone, and the higher decision is the one by which it sits: it is not what was left, the other one is. */
static bool is_seated_by_the_higher(const struct world *world, int server)
{
    const struct decision *a = &world->servers[0].row, *b = &world->servers[1].row;
    const struct decision *higher = rank_compare(&a->rank, &b->rank) >= 0 ? a : b;
    return !world_has_quorum(world) && higher->phase == PHASE_SEATED && text_is(higher->rank.server, world->servers[server].identity);
}

void judge_acked(struct world *world, const struct sim_client *c)
{
    struct judge *j = &world->judge;
    const int s = c->server, other = 1 - s;
    const uint64_t epoch = writing_epoch(world, &world->servers[s]);
    const bool is_late = j->acked_epoch[other] > epoch;
    const bool is_past_every_proxy = c->proxy < 0 && j->is_unfenced[s];
    if (is_late && !overlap_is_being_resolved(world, c) && !j->is_left_open[s] && !is_past_every_proxy && !is_opened_by_hand(world))
        violate(world, "two writers: %s acknowledged a write at epoch %llu after %s had at epoch %llu", SERVER_NAME(s),
                (unsigned long long)epoch, SERVER_NAME(other), (unsigned long long)j->acked_epoch[other]);
    if (j->is_left_open[s] && c->proxy >= 0 && world->proxies[c->proxy].disturbed_at < j->revoked_at[s] &&
        !is_on_the_other_side(world, c->proxy, s) && !is_seated_by_the_higher(world, s))
        violate(world, "%s, process %u, carried a write to %s, %lld ms after %s was opened unfenced",
                world->proxies[c->proxy].name, c->proxy_process, SERVER_NAME(s),
                (long long)((world->now - j->left_at[s]) / 1000), SERVER_NAME(other));
    if (!j->is_by_hand[s])
        j->acked_epoch[s] = epoch;
}

void judge_closed(struct world *world, int server)
{
    world->judge.is_left_open[server] = world->judge.is_by_hand[server] = world->judge.is_unfenced[server] = false;
}

void judge_opened_by_hand(struct world *world, int server)
{
    world->judge.is_by_hand[server] = true;
    world->judge.by_hand_until = world->now + BY_HAND_US;
}

void judge_fence_begins(struct world *world, int server, uint64_t epoch)
{
    uint64_t *fenced = &world->judge.fenced_epoch[server];
    *fenced = epoch > *fenced ? epoch : *fenced;
}

void judge_row_lost(struct world *world, int server)
{
    world->judge.fenced_epoch[server] = 0;
    world->judge.row_rank[server] = world->servers[server].row.rank;
}

/* What was decided before it was seated closes it no more: its sessions would end, and it would sit closed. */
void judge_fenced(struct world *world, int server, uint64_t epoch)
{
    const struct sim_server *s = &world->servers[server];
    if (s->row.phase == PHASE_SEATED && text_is(s->row.rank.server, s->identity) && s->row.rank.epoch > epoch)
        violate(world, "%s sits since epoch %llu and is fenced late, by what was decided at epoch %llu", SERVER_NAME(server),
                (unsigned long long)s->row.rank.epoch, (unsigned long long)epoch);
    judge_closed(world, server);
    for (int i = 0; i < SIM_CLIENTS; i++) {
        const struct sim_client *c = &world->clients[i];
        if (c->server == server && client_session_lives(world, c))
            violate(world, "%s is fenced, and a client's session of before lives on", SERVER_NAME(server));
    }
}

/* What the seating could not assure stands in the row: that the old one may still be written to, and that writes which had all
 * the time to come over are not here. */
static void judge_mark(struct world *world, int node, const struct move *move, int server)
{
    const struct sim_server *s = &world->servers[server], *old = &world->servers[1 - server];
    if (move->from == 1 - server && move->kind == MOVE_PLANNED && old->last_acked > s->replica.applied && strstr(s->row.mark, "stale") == NULL)
        violate(world, "%s is seated by force without a write that %s acknowledged, and nothing says so", SERVER_NAME(server),
                SERVER_NAME(1 - server));
    if (move->from != 1 - server || (move->kind != MOVE_GONE && move->kind != MOVE_SILENT))
        return;
    if (old->is_up && !old->is_read_only && !world->judge.is_by_hand[1 - server] &&
        ((move->kind == MOVE_SILENT && !move->is_fenced) || world->now >= world->judge.apart_until) && strstr(s->row.mark, "unfenced") == NULL)
        violate(world, "%s is seated beside %s, which is up and writable, and nothing says so", SERVER_NAME(server),
                SERVER_NAME(1 - server));
    const struct server_state *seen = &world->nodes[node].core->servers.list[1 - server];
    const int64_t lost_at = world->now - fc_since(seen->lost_at, node_clock(world, node)).us;
    if (old->last_acked > s->replica.applied && seen->has_been_seen &&
        world->judge.seat.slow_at[server] < old->log[s->replica.applied].at && lost_at - old->log[s->replica.applied].at > STALE_US &&
        lost_at - world->judge.seat.asleep_at[server] > STALE_US && strstr(s->row.mark, "stale") == NULL)
        violate(world, "%s is seated without a write that %s acknowledged %lld ms before it was lost, and nothing says so",
                SERVER_NAME(server), SERVER_NAME(1 - server), (long long)((lost_at - old->log[s->replica.applied].at) / 1000));
}

/* A server counts as gone when every node that can look says so: none that could be asked all the while has seen it all the while. */
static void judge_gone(struct world *world, int node, const struct move *move, int old)
{
    const struct judge *j = &world->judge;
    const int64_t began_at = world->now - fc_since(move->started_at, node_clock(world, node)).us * 1000000 /
                                              (1000000 + world->nodes[node].clock_ppm);
    if (world->servers[old].is_read_only || !world->servers[old].is_up || j->is_by_hand[old] || !move->is_fenced)
        return;
    for (int i = 0; i < world->node_count; i++) {
        if (i != node && j->cannot_look_at[i][old] < began_at && j->cannot_ask_at[node][i] < began_at)
            violate(world, "%s is opened by fc%d as if %s were gone, which is writable, and fc%d sees it", SERVER_NAME(1 - old), node + 1,
                    SERVER_NAME(old), i + 1);
    }
}

/* What one node alone does not see is left to another one that does: it could look at both servers, be asked, and take the lease
 * over, for longer than a lease is watched twice. */
static void judge_unseen_alone(struct world *world, int node, const struct move *move, int old)
{
    const struct judge *j = &world->judge;
    const struct config *c = &world->config;
    const int64_t began_at = world->now - fc_since(move->started_at, node_clock(world, node)).us * 1000000 /
                                              (1000000 + world->nodes[node].clock_ppm);
    const int64_t since = began_at - 2 * (int64_t)c->lease_ms * (100 + c->drift_percent) * 10 * 5 / 4;
    if (j->hindered_at >= since || world->servers[old].is_read_only || !world->servers[old].is_up || j->is_by_hand[old])
        return;
    for (int i = 0; i < world->node_count; i++) {
        if (i != node && judge_raft_is_eligible(world, i, since) && j->cannot_look_at[i][0] < since && j->cannot_look_at[i][1] < since &&
            j->cannot_ask_at[node][i] < since &&
            j->nodes[i].life == world->nodes[i].life && fc_is_ever(j->nodes[i].stands_at))
            violate(world, "%s is opened by fc%d, which alone does not see %s, and fc%d sees both", SERVER_NAME(1 - old), node + 1,
                    SERVER_NAME(old), i + 1);
    }
}

static int64_t judged_began_at(const struct world *world, int node, const struct move *move)
{
    return world->now - fc_since(move->started_at, node_clock(world, node)).us * 1000000 / (1000000 + world->nodes[node].clock_ppm);
}

/* A majority of the nodes (where that is wanted) has seen it all the while: the leader's own link says nothing of it. A chair that was found
 * half moved is another matter, nobody sits there. */
static void judge_majority(struct world *world, int node, const struct move *move, int old)
{
    const struct judge *j = &world->judge;
    const int64_t since = judged_began_at(world, node, move) - WELL_KNOWN_US;
    int seen = 0;
    if (config_consent(&world->config, world->node_count) != CONSENT_MAJORITY || strstr(move->why, "is out of sight") == NULL ||
        text_begins(move->why, "finishing: ") || j->late_at >= since || world->servers[old].is_read_only || !world->servers[old].is_up)
        return;
    for (int i = 0; i < world->node_count; i++)
        seen += i != node && j->cannot_look_at[i][old] < since && j->cannot_ask_at[node][i] < since && j->nodes[i].life == world->nodes[i].life;
    const int lookers = world->node_count - world->script.witness_count;
    if (lookers - seen < lookers / 2 + 1)
        violate(world, "%s is opened by fc%d, which does not see %s, and %d of %d nodes do", SERVER_NAME(1 - old), node + 1, SERVER_NAME(old),
                seen, lookers);
}

/* It lives, and counts as gone to nodes that are refused: then all of them are, or the other server had followed it until then. */
static void judge_cut_off_together(struct world *world, int node, const struct move *move, int old)
{
    const int64_t since = judged_began_at(world, node, move) - FOLLOWED_US;
    bool all_are_refused = true;
    if (move->kind != MOVE_GONE || world->servers[old].is_read_only || !world->servers[old].is_up || world->judge.is_by_hand[old])
        return;
    for (int i = 0; i < world->node_count - world->script.witness_count; i++)
        all_are_refused = all_are_refused && world->nodes[i].is_up && world->net.refused[party_node(i)][party_server(old)] > 0;
    if (!all_are_refused && world->judge.follows_at[old] < since)
        violate(world, "%s is opened by fc%d as if %s were gone, which is writable and reset only some nodes; %s had long stopped following it",
                SERVER_NAME(1 - old), node + 1, SERVER_NAME(old), SERVER_NAME(1 - old));
}

/* (e) A planned move that was not forced opens the new server only when it has all that the old one acknowledged. */
void judge_opened(struct world *world, int node, int server)
{
    const struct move *move = &world->nodes[node].core->steering.move;
    const struct sim_server *old = &world->servers[1 - server];
    const bool is_unfenced = world->judge.is_unfenced[server] && move->step != STEP_OPEN;      /* a late one of who led before */
    judge_closed(world, server);
    world->judge.is_unfenced[server] = is_unfenced;
    world->judge.seat.opened_at[server] = world->now;
    if (world->servers[server].row.phase != PHASE_SEATED ||
        !text_is(world->servers[server].row.rank.server, world->servers[server].identity))
        violate(world, "%s is opened, and its row does not seat it", SERVER_NAME(server));
    if (move->step == STEP_OPEN && move->from == 1 - server && (move->kind == MOVE_GONE || move->kind == MOVE_SILENT)) {
        judge_gone(world, node, move, 1 - server);
        judge_cut_off_together(world, node, move, 1 - server);
    }
    if (world->servers[server].opened_epoch < world->judge.fenced_epoch[server])
        violate(world, "%s is opened late, at epoch %llu, and was fenced at epoch %llu", SERVER_NAME(server),
                (unsigned long long)world->servers[server].opened_epoch, (unsigned long long)world->judge.fenced_epoch[server]);
    if (move->step == STEP_OPEN)
        judge_mark(world, node, move, server);
    if (move->step == STEP_OPEN && move->kind == MOVE_SILENT && !move->is_fenced)
        world->judge.is_unfenced[1 - server] = true;
    if (move->step == STEP_OPEN && move->kind == MOVE_SILENT && !move->is_fenced && old->is_up && !old->is_read_only) {
        judge_unseen_alone(world, node, move, 1 - server);
        judge_majority(world, node, move, 1 - server);
        if (world_has_quorum(world))
            judge_raft_opened_unfenced(world, server, 1 - server);
        note_unfenced(world, node, 1 - server);
    }
    if (move->step == STEP_NONE || move->kind != MOVE_PLANNED || move->is_forced || move->to != server)
        return;
    if (old->last_acked > world->servers[server].replica.applied && !is_opened_by_hand(world))
        violate(world, "%s was opened by a planned move without the last acknowledged writes of %s (%d, applied %d)",
                SERVER_NAME(server), SERVER_NAME(1 - server), old->last_acked, world->servers[server].replica.applied);
    if (is_writable(old) && !overlap_is_allowed(world) && !is_opened_by_hand(world))
        violate(world, "%s was opened by a planned move while %s is writable", SERVER_NAME(server), SERVER_NAME(1 - server));
}

/* ---- (f) quiet ------------------------------------------------------------------------------------------------------------------ */

static bool is_anybody_down(const struct world *world, const char **why)
{
    for (int i = 0; i < SIM_PROXIES; i++) {
        if (!world->proxies[i].is_up)
            *why = "an HAProxy is down";
    }
    if (!world->servers[0].is_up || !world->servers[1].is_up)
        *why = "a server is down";
    return (*why)[0] != '\0';
}

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
    if (is_anybody_down(world, &reason))
        ;
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
    else if (!judge_is_told(world))
        reason = JUDGE_UNTOLD;
    else if (world->script.has_cluster && !judge_fleet_is_quiet(world))
        reason = JUDGE_CLUSTER;
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
