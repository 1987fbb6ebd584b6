/* The rules of decisions. */
#include "sim/judge_decisions.h"

#include <string.h>

#include "backends/quorum/quorum_chair.h"

#include "base/text.h"
#include "sim/world.h"

#define RAFT_TERMS ((int)(sizeof ((struct judged_decisions *)0)->raft_term_of / sizeof ((struct judged_decisions *)0)->raft_term_of[0]))
#define STOOD_KEPT ((int)(sizeof ((struct judged_decisions *)0)->stood[0] / sizeof ((struct judged_decisions *)0)->stood[0][0]))
#define ROUNDING_US 2000             /* of a clock that runs at another speed than the world */

static const char *name_of(int node) { return party_name(party_node(node)); }

void judge_decisions_init(struct world *world)
{
    struct judged_decisions *j = &world->judge.decisions;
    j->count = 0;
    memset(j->has_heard, 0, sizeof j->has_heard);
    memset(j->stood_count, 0, sizeof j->stood_count);
    memset(j->raft_term_of, 0, sizeof j->raft_term_of);
    memset(j->gives_back, 0, sizeof j->gives_back);
}

static struct judged_decision *decision_of(struct judged_decisions *j, const struct rank *rank)
{
    for (int i = j->count - 1; i >= 0 && i >= j->count - DECISIONS_KEPT; i--) {
        if (rank_compare(&j->list[i % DECISIONS_KEPT].row.rank, rank) == 0)
            return &j->list[i % DECISIONS_KEPT];
    }
    return NULL;
}

/* ---- one rank, one decision --------------------------------------------------------------------------------------- */

void judge_decision(struct world *world, const char *who, const struct decision *row)
{
    struct judged_decisions *j = &world->judge.decisions;
    if (row->rank.epoch == 0)
        return;
    const struct judged_decision *known = decision_of(j, &row->rank);
    if (known == NULL) {
        j->list[j->count++ % DECISIONS_KEPT] = (struct judged_decision){ .row = *row, .gone_beyond_at = -1 };
        return;
    }
    if (known->row.phase != row->phase || known->row.intent_id != row->intent_id || !text_is(known->row.successor, row->successor))
        violate(world, "epoch %llu seq %llu by %s has two meanings: %s has `%s` to `%s`, and before it was `%s` to `%s`",
                (unsigned long long)row->rank.epoch, (unsigned long long)row->rank.seq, row->rank.node, who, phase_word(row->phase),
                row->successor, phase_word(known->row.phase), known->row.successor);
}

void judge_row_stands(struct world *world, int server)
{
    struct judged_decisions *j = &world->judge.decisions;
    const struct decision *row = &world->servers[server].row;
    judge_decision(world, SERVER_NAME(server), row);
    j->stood[server][j->stood_count[server]++ % STOOD_KEPT] = row->rank;
}

static bool has_stood(const struct world *world, int server, const struct rank *rank)
{
    const struct judged_decisions *j = &world->judge.decisions;
    for (int i = 0; i < STOOD_KEPT && i < j->stood_count[server]; i++) {
        if (rank_compare(&j->stood[server][i], rank) == 0)
            return true;
    }
    return rank_compare(&world->servers[server].row.rank, rank) == 0;
}

/* ---- the log ------------------------------------------------------------------------------------------------------ */

void judge_gone_beyond(struct world *world, const struct decision *before)
{
    struct judged_decision *known = decision_of(&world->judge.decisions, &before->rank);
    if (known != NULL && known->gone_beyond_at < 0)
        known->gone_beyond_at = world->now;
}

void judge_stands_over(struct world *world, const struct decision *row, const struct rank *old)
{
    struct judged_decisions *j = &world->judge.decisions;
    struct judged_decision *known = decision_of(j, &row->rank);
    if (known == NULL || known->has_old)
        return;
    known->old = *old;
    known->has_old = true;
    for (int i = j->count - 1; i >= 0 && i >= j->count - DECISIONS_KEPT; i--) {
        const struct judged_decision *other = &j->list[i % DECISIONS_KEPT];
        if (other != known && other->has_old && rank_compare(&other->old, old) == 0)
            violate(world, "two decisions stand over epoch %llu seq %llu: by %s at epoch %llu, and by %s at epoch %llu",
                    (unsigned long long)old->epoch, (unsigned long long)old->seq, other->row.rank.node,
                    (unsigned long long)other->row.rank.epoch, row->rank.node, (unsigned long long)row->rank.epoch);
    }
}

/* Who sees no server of the pair can do nothing with a leadership: another node may see more. */
void judge_proposes(struct world *world, int node, const struct rank *row, const struct rank *old)
{
    const struct judged_node *j = &world->judge.nodes[node];
    const bool begins = !text_is(row->node, old->node);
    bool sees_one = false;
    for (int i = 0; i < SIM_SERVERS; i++)
        sees_one = sees_one || (j->life == world->nodes[node].life && j->shown[i].has_answered_last);
    if (world_is_witness(world, node))
        violate(world, "%s, a witness, lays a decision into the log", name_of(node));
    if (begins && !sees_one)
        violate(world, "%s is about to lead, and sees no server", name_of(node));
}

void judge_yields(struct world *world, int node) { world->judge.decisions.gives_back[node] = true; }

void judge_decisions_forget(struct world *world, int node)
{
    world->judge.decisions.gives_back[node] = world->judge.decisions.has_heard[node] = false;
}

void judge_own_entry(struct world *world, int node, bool stands)
{
    world->judge.decisions.has_heard[node] = true;
    world->judge.decisions.stands[node] = stands;
}

/* ---- what is told to the core ------------------------------------------------------------------------------------- */

/* Counted from a moment at which the chair was this one, or an earlier one: so nobody speaks for longer than a term after it is another. */
static void judge_term(struct world *world, int node, const struct event *event)
{
    const struct sim_node *n = &world->nodes[node];
    const struct judged_decision *known = decision_of(&world->judge.decisions, &event->as.chair.decision.rank);
    if (fc_is_ever(event->as.chair.until) || known == NULL || known->gone_beyond_at < 0)
        return;
    const int64_t age_us = node_clock(world, node).us - (event->as.chair.until.us - (int64_t)world->config.term_ms * 1000);
    const int64_t counted_from = world->now - age_us * 1000000 / (1000000 + n->clock_ppm);
    if (counted_from > n->clock_from && counted_from > known->gone_beyond_at + ROUNDING_US)
        violate(world, "%s is given a term for the chair of epoch %llu seq %llu that counts from %lld us after the log went beyond it", name_of(node),
                (unsigned long long)known->row.rank.epoch, (unsigned long long)known->row.rank.seq,
                (long long)(counted_from - known->gone_beyond_at));
}

/* A leadership has an epoch of its own, also that of who led before. */
static void judge_leadership(struct world *world, int node, uint64_t epoch)
{
    struct judged_decisions *j = &world->judge.decisions;
    const uint64_t term = quorum_chair_view(world->nodes[node].chair)->term;
    if (j->gives_back[node])
        violate(world, "%s is to lead, and is giving that away", name_of(node));
    if (epoch >= (uint64_t)RAFT_TERMS)
        return;
    if (j->raft_term_of[epoch] != 0 && j->raft_term_of[epoch] != term)
        violate(world, "%s leads at epoch %llu in raft's term %llu, and that epoch was led in term %llu", name_of(node),
                (unsigned long long)epoch, (unsigned long long)term, (unsigned long long)j->raft_term_of[epoch]);
    j->raft_term_of[epoch] = term;
}

static void judge_seat_is_done(struct world *world, int node, int server)
{
    const struct decision *row = world->nodes[node].source.row(world->nodes[node].source.self);
    if (server >= 0 && row != NULL && !has_stood(world, server, &row->rank))
        violate(world, "%s is told that %s is seated at epoch %llu, and that never stood in its table", name_of(node), SERVER_NAME(server),
                (unsigned long long)row->rank.epoch);
}

void judge_arbiter_says(struct world *world, int node, const struct event *event)
{
    struct judged_decisions *j = &world->judge.decisions;
    if (event->type == CHAIR_GRANTED || event->type == CHAIR_REVOKED)
        judge_term(world, node, event);
    if (event->type == LEASE_GRANTED)
        judge_leadership(world, node, event->as.lease.epoch);
    if (event->type != DEED_ENDED)
        return;
    if (event->as.ended.deed == DEED_GIVE_BACK)
        j->gives_back[node] = false;
    if (event->as.ended.code != FC_OK)
        return;
    if ((event->as.ended.deed == DEED_INTEND || event->as.ended.deed == DEED_SEAT) && j->has_heard[node] && !j->stands[node])
        violate(world, "%s is told that its decision is done, and it does not stand in the log", name_of(node));
    if (event->as.ended.deed == DEED_SEAT)
        judge_seat_is_done(world, node, event->as.ended.server);
}
