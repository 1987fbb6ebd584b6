/* Pings, and the lease that they confirm; the barrier after which a leader may act. */
#include "backends/quorum/consensus_inside.h"

struct fc_time consensus_may_act_until(struct consensus *c)
{
    if (c->led_term == 0 || !c->is_ready || c->yielding != 0)
        return FC_EVER;
    if (c->is_handing_over)
        return c->acts_until;
    /* Of the voters of the newest configuration, decided or not, as raft counts (docs/adr/0023). */
    struct fc_time of_voters[ROSTER_PLACES_MAX];
    int count = 0;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (is_voter(c, i))
            of_voters[count++] = c->confirmed[i];
    }
    return confirmed_until(of_voters, count, lease(c), c->settings->drift_percent);
}

void consensus_ask_member(struct consensus *c, int member, enum frame_kind kind)
{
    const struct frame frame = { .kind = kind, .term = c->led_term, .number = (uint64_t)c->now.us };
    if (consensus_send(c, member, &frame) && fc_is_ever(c->asked_at[member]))
        c->asked_at[member] = c->now;
    /* A cut connection says nothing by itself. */
    if (!fc_is_ever(c->asked_at[member]) && fc_since(c->asked_at[member], c->now).us > 3 * election(c).us) {
        c->world.break_off(c->world.owner, member);
        c->asked_at[member] = FC_EVER;
    }
}

void consensus_ping_all(struct consensus *c)
{
    if (c->led_term == 0 || c->yielding != 0 || c->is_handing_over)
        return;
    if (promise_give(&c->promise, consensus_own_id(c), c->led_term, (uint64_t)c->now.us, c->raft.current_term, lease(c), c->now))
        c->confirmed[own(c)] = c->now;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (is_other(c, i) && c->roster.places[i].role != ROSTER_NONE)      /* learners too: one that is promoted has promised already */
            consensus_ask_member(c, i, FRAME_PING);
    }
}

static void barrier_passed(struct raft_barrier *request, int status)
{
    struct consensus *c = request->data;
    c->is_barrier_out = false;
    if (status == 0 && c->led_term == c->barrier_term && c->led_term != 0) {
        c->is_ready = true;
        consensus_show(c);
    }
}

void consensus_lay_barrier(struct consensus *c)
{
    if (c->led_term == 0 || c->is_ready || c->is_barrier_out)
        return;
    c->barrier.data = c;
    c->barrier_term = c->led_term;
    c->is_barrier_out = true;
    if (raft_barrier(&c->raft, &c->barrier, barrier_passed) != 0)
        c->is_barrier_out = false;
}

void consensus_role_changed(struct consensus *c)
{
    const bool is_leading = consensus_leads(c);
    if (is_leading == (c->led_term != 0) && (!is_leading || c->led_term == c->raft.current_term))
        return;
    c->led_term = is_leading ? c->raft.current_term : 0;
    c->is_ready = c->is_handing_over = false;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++)
        c->confirmed[i] = c->asked_at[i] = FC_EVER;
    c->elections_won += is_leading;
    if (is_leading) {
        consensus_ping_all(c);
        consensus_lay_barrier(c);
    } else if (c->yielding != 0) {
        consensus_end_yield(c, FC_OK, "");
    }
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++) {
        if (c->proposals[i].number != 0 && !fc_is_never(c->proposals[i].next_try))
            c->proposals[i].next_try = c->now;
    }
}
