/* What the log applies, and the entries on their way into it. */
#include "backends/quorum/consensus_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct proposal *consensus_proposal_numbered(struct consensus *c, uint64_t number)
{
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++) {
        if (number != 0 && c->proposals[i].number == number)
            return &c->proposals[i];
    }
    return NULL;
}

/* ---- what the log applies ----------------------------------------------------------------------------------------- */

static int fsm_apply(struct raft_fsm *fsm, const struct raft_buffer *buffer, void **result)
{
    struct consensus *c = fsm->data;
    struct quorum_heard heard = { .kind = QUORUM_APPLIED };
    *result = NULL;
    consensus_hold_stored(c);                              /* a leader counts its own disk, and answers when this is over */
    const struct decision before = c->state.chair;
    const enum shared_verdict verdict = shared_state_apply(&c->state, buffer->base, buffer->len);
    consensus_chair_applied(c, &before);
    if (shared_entry_decode(buffer->base, buffer->len, &heard.entry) != FC_OK || heard.entry.deed == STORE_LOOK)
        return 0;
    heard.stands = heard.entry.deed == STORE_TAKE && rank_compare(&c->state.chair.rank, &heard.entry.row.rank) == 0;
    struct proposal *p = NULL;
    if (text_is(heard.entry.issuer, c->settings->node))
        p = consensus_proposal_numbered(c, heard.entry.number);
    heard.number = p == NULL ? 0 : p->number;
    if (p != NULL)
        p->number = 0;
    if (verdict == SHARED_APPLIED)
        c->world.heard(c->world.owner, &heard);
    else if (p != NULL)
        consensus_tell_end(c, heard.number, QUORUM_FAILED, verdict == SHARED_STRANGE ? FC_REFUSED : FC_BUSY,
                           verdict == SHARED_STRANGE ? "the nodes have no room for it" : "it came too late in the log; ask again");
    return 0;
}

static int fsm_snapshot(struct raft_fsm *fsm, struct raft_buffer *buffers[], unsigned *count)
{
    struct consensus *c = fsm->data;
    *buffers = raft_malloc(sizeof **buffers);
    uint8_t *bytes = raft_malloc(SHARED_STATE_SIZE);
    size_t length = 0;
    if (*buffers == NULL || bytes == NULL ||
        shared_state_encode(&c->state, bytes, SHARED_STATE_SIZE, &length) != FC_OK) {
        raft_free(*buffers);
        raft_free(bytes);
        *buffers = NULL;
        return RAFT_NOMEM;
    }
    (*buffers)[0] = (struct raft_buffer){ .base = bytes, .len = length };
    *count = 1;
    return 0;
}

static int fsm_restore(struct raft_fsm *fsm, struct raft_buffer *buffer)
{
    struct consensus *c = fsm->data;
    struct fc_err err = { .code = FC_OK };
    const struct decision before = c->state.chair;
    if (shared_state_decode(buffer->base, buffer->len, &c->state, &err) != FC_OK) {
        consensus_go_out(c, err.text);
        return RAFT_CORRUPT;
    }
    consensus_chair_applied(c, &before);
    raft_free(buffer->base);                               /* ours on success */
    c->world.heard_state(c->world.owner, &c->state);
    return 0;
}

const struct raft_fsm consensus_fsm = { .version = 1, .apply = fsm_apply, .snapshot = fsm_snapshot, .restore = fsm_restore };

/* ---- entries ------------------------------------------------------------------------------------------------------ */

struct applying { struct raft_apply request; struct consensus *consensus; uint64_t number; };      /* number 0: a follower's */

static void applied(struct raft_apply *request, int status, void *result)
{
    struct applying *a = request->data;
    struct proposal *p = consensus_proposal_numbered(a->consensus, a->number);
    (void)result;
    if (status != 0 && p != NULL)
        p->next_try = a->consensus->now;                   /* somebody else leads, who may have it or not: repeating is harmless */
    free(a);
}

int consensus_append(struct consensus *c, const uint8_t *bytes, size_t length, uint64_t number)
{
    struct applying *a = calloc(1, sizeof *a);
    struct raft_buffer buffer = { .base = raft_malloc(length), .len = length };
    if (a == NULL || buffer.base == NULL) {
        free(a);
        raft_free(buffer.base);
        return RAFT_NOMEM;
    }
    memcpy(buffer.base, bytes, length);
    *a = (struct applying){ .consensus = c, .number = number };
    a->request.data = a;
    const int code = raft_apply(&c->raft, &a->request, &buffer, 1, applied);
    if (code != 0) {
        raft_free(buffer.base);
        free(a);
    }
    return code;
}

/* One attempt: into the own log, or to the leader. The end is told by the log alone. */
static void try_proposal(struct consensus *c, struct proposal *p)
{
    const int leader = consensus_leader(c);
    p->next_try = fc_plus(c->now, fc_ms(c->settings->election_ms / 10));
    if (consensus_leads(c)) {
        p->next_try = FC_NEVER;                            /* before the call: it may be applied within */
        if (consensus_append(c, p->bytes, p->length, p->number) != 0)
            p->next_try = fc_plus(c->now, election(c));
        return;
    }
    if (leader < 0 || leader == own(c))
        return;
    struct frame frame = { .kind = FRAME_PROPOSE, .term = c->raft.current_term, .number = p->number, .length = p->length };
    memcpy(frame.payload, p->bytes, p->length);
    if (consensus_send(c, leader, &frame))
        p->next_try = fc_plus(c->now, fc_ms(2 * (int64_t)c->settings->election_ms));
}

void consensus_propose(struct consensus *c, uint64_t number, const uint8_t *bytes, size_t length, uint32_t limit_ms)
{
    c->now = consensus_clock(c);
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++) {
        struct proposal *p = &c->proposals[i];
        if (p->number != 0)
            continue;
        *p = (struct proposal){ .number = number, .deadline = fc_plus(c->now, fc_ms(limit_ms)), .length = length };
        memcpy(p->bytes, bytes, length);
        if (c->is_running)
            try_proposal(c, p);
        return;
    }
    consensus_tell_end(c, number, QUORUM_FAILED, FC_BUSY, "too many entries are on their way");
}

void consensus_look_at_proposals(struct consensus *c)
{
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++) {
        struct proposal *p = &c->proposals[i];
        if (p->number == 0)
            continue;
        if (fc_reached(p->deadline, c->now)) {
            const uint64_t number = p->number;
            p->number = 0;
            consensus_tell_end(c, number, QUORUM_FAILED, consensus_leader(c) < 0 ? FC_NOT_LEADER : FC_TIMEOUT,
                               consensus_leader(c) < 0 ? "no majority of the nodes agrees on a leader" : "the log did not confirm it in time");
        } else if (c->is_running && !fc_is_never(p->next_try) && fc_reached(p->next_try, c->now)) {
            try_proposal(c, p);
        }
    }
}
