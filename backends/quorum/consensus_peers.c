/* What members ask and answer on our own stream. */
#include "backends/quorum/consensus_inside.h"

#include "backends/quorum/bytes.h"
#include "base/text.h"

static void mark_asked(struct consensus *c, int member, const struct frame *frame, struct frame *answer)
{
    char name[NODE_NAME_SIZE], mark[BIRTH_MARK_SIZE], known[BIRTH_MARK_SIZE];
    struct fc_err err = { .code = FC_OK };
    struct bytes_in in = { .from = frame->payload, .size = frame->length };
    bytes_get_text(&in, name, sizeof name);
    bytes_get_text(&in, mark, sizeof mark);
    if (in.is_bad || !text_is(name, name_of(c, member)))
        return;                                            /* proven to be somebody else */
    const bool is_met = birth_meet(&c->birth, name, mark, known, &err) == FC_OK;
    if (!is_met && !c->is_mark_refused[member])            /* it asks several times a second */
        consensus_say(c, "raft: the mark of %s is not written down: %s", name, err.text);
    c->is_mark_refused[member] = !is_met;
    if (!is_met)
        return;
    TEXT_SET(c->mark_of[member], mark);
    c->shown_at[member] = c->now;
    struct bytes_out out = { .to = answer->payload, .size = sizeof answer->payload };
    bytes_put_text(&out, known);
    bytes_put_number(&out, consensus_standing(c, member, mark), 1);
    answer->kind = FRAME_MARK_TELL;
    answer->length = out.length;
}

static bool is_entry(const struct frame *frame)
{
    struct shared_entry entry;
    return frame->length <= SHARED_ENTRY_SIZE && shared_entry_decode(frame->payload, frame->length, &entry) == FC_OK;
}

static void ping_heard(struct consensus *c, int member, const struct frame *ping, struct frame *pong)
{
    const bool is_promised = c->is_running && promise_give(&c->promise, id_of(c, member), ping->term, ping->number, c->raft.current_term,
                                                                lease(c), c->now);
    struct bytes_out out = { .to = pong->payload, .size = sizeof pong->payload };
    if (is_promised && ping->length > 0)
        consensus_hear_chair(c, ping);
    bytes_put_number(&out, is_promised, 1);
    bytes_put_number(&out, (uint64_t)c->now.us, 8);
    pong->kind = FRAME_PONG;
    pong->length = out.length;
}

static void pong_heard(struct consensus *c, int member, const struct frame *pong)
{
    struct bytes_in in = { .from = pong->payload, .size = pong->length };
    const bool is_promised = bytes_get_number(&in, 1) == 1;
    const uint64_t theirs = bytes_get_number(&in, 8);
    if (c->led_term == 0 || pong->term != c->led_term || in.is_bad || in.at != in.size || !is_promised ||
        pong->number <= c->yield_round || pong->number > (uint64_t)c->now.us)
        return;
    c->confirmed[member] = fc_later(c->confirmed[member], (struct fc_time){ (int64_t)pong->number });
    c->pongs[member] = (struct pong){ .heard_at = c->now, .theirs = theirs };
    consensus_show(c);
}

void consensus_asked(struct consensus *c, int member, const struct frame *frame, struct frame *answer)
{
    c->now = c->heard_at[member] = consensus_clock(c);
    answer->term = frame->term;
    answer->number = frame->number;
    switch (frame->kind) {
    case FRAME_PING:
        ping_heard(c, member, frame, answer);
        break;
    case FRAME_RELEASE:
        promise_release(&c->promise, id_of(c, member), frame->term, frame->number, c->now);
        if (frame->length == 1 && frame->payload[0] == 1) {
            c->witness_term = frame->term;                 /* who lets others go first, or has a slow disk, is needed now */
            c->led_at = FC_EVER;
        }
        answer->kind = FRAME_RELEASED;
        answer->length = 2;
        answer->payload[0] = promise_lets_vote(&c->promise, c->now);      /* not, when it has just been started */
        answer->payload[1] = !c->settings->is_witness && consensus_may_ask_for_votes(c);
        break;
    case FRAME_PROPOSE:
        /* Never handed on from here: who asked asks whom it then believes to lead. */
        if (!is_entry(frame))
            break;                                         /* nobody waits for nonsense */
        if (consensus_leads(c) && consensus_append(c, frame->payload, frame->length, 0) == 0)
            break;
        answer->kind = FRAME_REFUSED;
        answer->length = 1;
        answer->payload[0] = consensus_leads(c) ? REFUSED_BUSY : REFUSED_NOT_LEADER;
        break;
    case FRAME_MARK_ASK:
        mark_asked(c, member, frame, answer);
        break;
    case FRAME_MEMBERS_ASK:
        consensus_members_asked(c, frame, answer);
        break;
    case FRAME_PONG: case FRAME_RELEASED: case FRAME_REFUSED: case FRAME_MARK_TELL: case FRAME_MEMBERS_TELL: case FRAME_KIND_COUNT:
        break;                                             /* answers to nothing */
    }
}

/* It goes on showing its mark: when it is added, it takes part. */
static void stay_out(struct consensus *c, const char *why)
{
    consensus_go_out(c, why);
    c->may_join = true;
    consensus_show(c);
}

static void join(struct consensus *c)
{
    struct fc_err err = { .code = FC_OK };
    c->may_join = false;
    if (birth_joining(&c->birth, &err) != FC_OK) {
        consensus_go_out(c, err.text);
        return;
    }
    c->is_out = false;
    c->why[0] = '\0';
    consensus_say(c, "this node was added to the group, and is given its log");
    consensus_start_raft(c);
}

static void mark_told(struct consensus *c, int member, const struct frame *frame)
{
    char known[BIRTH_MARK_SIZE];
    char why[200];
    struct bytes_in in = { .from = frame->payload, .size = frame->length };
    bytes_get_text(&in, known, sizeof known);
    const enum mark_standing standing = (enum mark_standing)bytes_get_number(&in, 1);
    if (in.is_bad || c->is_running || c->birth.is_member || (c->is_out && !c->may_join))
        return;
    if (standing == STANDING_ADDED) {
        join(c);
        return;
    }
    if (standing == STANDING_NONE) {
        TEXT_FORMAT(why, "%s is in a group that this node is no member of: `raft-add %s@HOST:PORT` takes it in", name_of(c, member),
                    name_of(c, own(c)));
        stay_out(c, why);
        return;
    }
    if (standing == STANDING_OTHER || !text_is(known, c->birth.mark)) {
        TEXT_FORMAT(why, "its data directory is empty, and %s knows this node by another one: give it back its directory, or order "
                         "`raft-remove %s`, then `raft-add %s@HOST:PORT`", name_of(c, member), name_of(c, own(c)), name_of(c, own(c)));
        stay_out(c, why);
        return;
    }
    if (c->is_out)
        return;                                            /* another one told what stands against it */
    c->marks_shown += !c->has_shown[member];
    c->has_shown[member] = true;
    if (c->marks_shown >= birth_needed(founders(c)))
        consensus_start_raft(c);
}

void consensus_answered(struct consensus *c, int member, const struct frame *frame)
{
    struct proposal *p;
    c->now = c->heard_at[member] = consensus_clock(c);
    c->asked_at[member] = FC_EVER;
    switch (frame->kind) {
    case FRAME_PONG:
        pong_heard(c, member, frame);
        break;
    case FRAME_RELEASED:
        if (c->yielding != 0 && frame->term == c->led_term && frame->number >= c->yield_round && frame->length == 2) {
            c->has_released[member] = frame->payload[0] == 1;
            c->may_stand[member] = frame->payload[1] == 1;
        }
        consensus_go_on_yielding(c, false);
        break;
    case FRAME_REFUSED:
        if ((p = consensus_proposal_numbered(c, frame->number)) != NULL)
            p->next_try = fc_plus(c->now, fc_ms(c->settings->election_ms / 10));
        break;
    case FRAME_MARK_TELL:
        mark_told(c, member, frame);
        break;
    case FRAME_MEMBERS_TELL:
        consensus_members_told(c, frame);
        break;
    case FRAME_PING: case FRAME_RELEASE: case FRAME_PROPOSE: case FRAME_MARK_ASK: case FRAME_MEMBERS_ASK: case FRAME_KIND_COUNT:
        break;
    }
}

void consensus_show_mark(struct consensus *c)
{
    struct frame frame = { .kind = FRAME_MARK_ASK };
    struct bytes_out out = { .to = frame.payload, .size = sizeof frame.payload };
    bytes_put_text(&out, c->birth.name);
    bytes_put_text(&out, c->birth.mark);
    frame.length = out.length;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (is_other(c, i) && !c->has_shown[i])
            consensus_send(c, i, &frame);
    }
}
