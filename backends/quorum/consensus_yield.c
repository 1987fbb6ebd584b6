/* Leadership is given away: acting has stopped, a majority releases its promises, then raft transfers. */
#include "backends/quorum/consensus_inside.h"

#include <string.h>

#define WITNESS_AGAIN_ELECTIONS 2        /* nobody took over: the chairs are kept for so long, then it is tried again */
#define YIELD_RELEASE_MS 300             /* beyond a lease: how long releases are awaited before the lease is taken up again */

void consensus_end_yield(struct consensus *c, enum fc_code code, const char *text)
{
    const uint64_t number = c->yielding;
    c->yielding = 0;
    if (code == FC_OK)
        c->paused_until = fc_plus(c->now, fc_ms(c->yield_pause_ms));
    c->is_handing_over = false;
    if (number != HAND_OVER_NUMBER)
        consensus_tell_end(c, number, QUORUM_ENDED, code, text);
    consensus_show(c);
}

static void transferred(struct raft_transfer *request)
{
    struct consensus *c = request->data;
    c->is_transferring = false;
    if (c->yielding != 0 && consensus_leads(c))
        consensus_end_yield(c, FC_TIMEOUT, "the other node did not take over");
}

static void ask_for_releases(struct consensus *c)
{
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (is_other(c, i) && is_voter(c, i) && !(c->has_released[i] && c->may_stand[i]))
            consensus_ask_member(c, i, FRAME_RELEASE);
    }
}

void consensus_yield(struct consensus *c, uint64_t number, int to, uint32_t pause_ms)
{
    c->now = consensus_clock(c);
    if (c->led_term == 0 || c->yielding != 0 || c->is_transferring) {
        consensus_tell_end(c, number, QUORUM_ENDED, c->led_term == 0 ? FC_OK : FC_BUSY,
                           c->led_term == 0 ? "" : "it is being given back already");
        return;
    }
    if (c->change.number != 0 || c->is_change_out) {
        consensus_tell_end(c, number, QUORUM_ENDED, FC_BUSY, "a change of the members is under way");
        return;
    }
    if (voters(c) == 1 || to == own(c)) {
        consensus_tell_end(c, number, QUORUM_ENDED, FC_REFUSED, "there is no other node to lead");
        return;
    }
    c->yielding = number;
    c->yield_to = to;
    c->yield_pause_ms = pause_ms;
    c->yield_by = fc_plus(c->now, (struct fc_span){ fc_ms(YIELD_RELEASE_MS).us + lease(c).us });
    c->yield_round = (uint64_t)c->now.us;
    memset(c->has_released, 0, sizeof c->has_released);
    memset(c->may_stand, 0, sizeof c->may_stand);
    consensus_show(c);                                     /* no lease from here on */
    promise_release(&c->promise, consensus_own_id(c), c->led_term, c->yield_round, c->now);
    for (int i = 0; i < ROSTER_PLACES_MAX; i++)
        c->confirmed[i] = FC_EVER;                         /* nobody stands still for it any more, also when nobody takes over */
    c->has_released[own(c)] = true;
    ask_for_releases(c);
}

/* The best of those that released: named, or the one whose log is the furthest. */
static int successor(struct consensus *c)
{
    int best = -1;
    raft_index best_index = 0;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (!is_other(c, i) || !is_voter(c, i) || !c->has_released[i] || !c->may_stand[i] || (c->yield_to >= 0 && i != c->yield_to))
            continue;
        if (best < 0 || consensus_matched(c, i) > best_index) {
            best = i;
            best_index = consensus_matched(c, i);
        }
    }
    return best;
}

static const char *why_nobody(const struct consensus *c)
{
    if (c->yield_to < 0)
        return "no other node that may lead answers";
    return c->has_released[c->yield_to] ? "the named node may not stand: it is a witness, was just started, or lags behind"
                                        : "the named node does not answer";
}

void consensus_go_on_yielding(struct consensus *c, bool is_beat)
{
    int released = 0;
    if (c->yielding == 0 || c->is_transferring)
        return;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++)
        released += is_voter(c, i) && c->has_released[i];
    const int to = successor(c);
    if (released > voters(c) / 2 && to >= 0) {
        c->transfer.data = c;
        c->is_transferring = true;
        if (raft_transfer(&c->raft, &c->transfer, id_of(c, to), transferred) != 0) {
            c->is_transferring = false;
            consensus_end_yield(c, FC_BUSY, raft_errmsg(&c->raft));
        }
    } else if (!fc_reached(c->yield_by, c->now)) {
        if (is_beat)
            ask_for_releases(c);
    } else {
        consensus_end_yield(c, FC_UNREACHABLE, why_nobody(c));
    }
}

void consensus_hand_over_as_witness(struct consensus *c)
{
    if (!c->settings->is_witness || c->led_term == 0 || voters(c) == 1 || c->yielding != 0 || c->is_transferring ||
        !fc_reached(c->hand_over_again, c->now))
        return;
    c->hand_over_again = fc_plus(c->now, fc_ms(WITNESS_AGAIN_ELECTIONS * (int64_t)c->settings->election_ms));
    consensus_yield(c, HAND_OVER_NUMBER, -1, 0);
}
