/* Pings, and the lease that they confirm; the barrier after which a leader may act. */
#include "backends/quorum/consensus_inside.h"

#include "backends/quorum/chair_voice.h"

/* For so long from when pings were sent that a majority has confirmed. */
static struct fc_time confirmed_for(struct consensus *c, struct fc_span span, int drift_percent)
{
    /* Of the voters of the newest configuration, decided or not, as raft counts (docs/adr/0024). */
    struct fc_time of_voters[ROSTER_PLACES_MAX];
    int count = 0;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (is_voter(c, i))
            of_voters[count++] = c->confirmed[i];
    }
    return confirmed_until(of_voters, count, span, drift_percent);
}

struct fc_time consensus_may_act_until(struct consensus *c)
{
    if (c->led_term == 0 || !c->is_ready || c->yielding != 0)
        return FC_EVER;
    if (c->is_handing_over)
        return c->acts_until;
    return confirmed_for(c, lease(c), c->settings->drift_percent);
}

/* ---- the chair's voice ---- */

/* A ping of who may act gives back the moment of the voter's own latest pong. At that moment or later its sender had heard the pong,
 * might act, and had applied the chair as the ping says. So a voter that has the same chair applied knows, by its own clock alone,
 * that nobody can have moved it before then: whoever moves it has to be elected after this leader's lease, or is this leader, who
 * says another chair as soon as the move is in the log. How late the ping comes makes no difference. */
static void put_chair(struct consensus *c, int member, struct frame *ping)
{
    if (!fc_before(c->now, consensus_may_act_until(c)))
        return;
    const struct pong *pong = &c->pongs[member];
    const bool is_fresh = !fc_is_ever(pong->heard_at) && fc_since(pong->heard_at, c->now).us < election(c).us;
    const struct chair_voice voice = { .own_clock = is_fresh ? pong->theirs : 0, .epoch = c->state.chair.rank.epoch,
                                       .seq = c->state.chair.rank.seq, .words = c->words };
    ping->length = chair_voice_put(&voice, ping->payload);
}

void consensus_hear_chair(struct consensus *c, const struct frame *ping)
{
    struct chair_voice voice;
    if (!chair_voice_get(ping->payload, ping->length, &voice) || voice.own_clock == 0 || voice.own_clock > (uint64_t)c->now.us ||
        voice.epoch != c->state.chair.rank.epoch || voice.seq != c->state.chair.rank.seq)
        return;
    const struct fc_time at = { (int64_t)voice.own_clock };
    c->voiced_at = fc_later(c->voiced_at, at);
    if (voice.words.is_known && !fc_before(at, c->words_at)) {
        c->words = voice.words;
        c->words_at = at;
    }
}

void consensus_chair_applied(struct consensus *c, const struct decision *before)
{
    if (!decision_is_same_seat(before, &c->state.chair))
        c->words.is_known = false;
}

/* At once: whoever answers by them shall not be late. */
void consensus_tell_words(struct consensus *c, const struct rank *rank, const struct chair_words *words)
{
    c->now = consensus_clock(c);
    if (rank_compare(rank, &c->state.chair.rank) != 0)
        return;                                            /* of an earlier chair; those of this one follow */
    c->words = *words;
    c->words_at = c->now;
    consensus_ping_all(c);
    consensus_show(c);
}

/* The leader's own: since when a majority has confirmed it. */
struct fc_time consensus_voiced_at(struct consensus *c)
{
    if (fc_before(c->now, consensus_may_act_until(c)))
        c->voiced_at = fc_later(c->voiced_at, confirmed_for(c, fc_ms(0), 0));
    return c->voiced_at;
}

/* ---- pings ---- */

void consensus_ask_member(struct consensus *c, int member, enum frame_kind kind)
{
    struct frame frame = { .kind = kind, .term = c->led_term, .number = (uint64_t)c->now.us };
    if (kind == FRAME_PING)
        put_chair(c, member, &frame);
    if (kind == FRAME_RELEASE && c->settings->is_witness)
        frame.payload[frame.length++] = 1;                 /* somebody is needed: nobody leads as long as this one does */
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
        c->confirmed[i] = c->asked_at[i] = c->pongs[i].heard_at = FC_EVER;
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
