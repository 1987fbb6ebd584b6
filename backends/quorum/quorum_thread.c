/* Raft's thread. Everything here runs on its loop: at each turn of it the role is compared with what it was, at each beat (a tenth of
 * the election time) pings go out and what waits is looked at.
 *
 * Raft's I/O is the library's (raft_uv) with two calls of ours in between: requests for a vote are neither sent nor heard while this
 * node has promised not to (promise.h), and none is sent by a node that does not stand. */
#include "backends/quorum/quorum_inside.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/quorum/bytes.h"
#include "base/text.h"

#define SEGMENT_BYTES (256 * 1024)       /* of the log's files: they are laid out in full, and our entries are small */
#define YIELD_RELEASE_MS 300             /* beyond a lease: how long releases are awaited before the lease is taken up again */
#define SNAPSHOT_WAIT_MS 5000
#define REFUSED_NOT_LEADER 1
#define REFUSED_BUSY 2

static struct quorum *quorum_of(struct quorum_raft *r) { return (struct quorum *)((char *)r - offsetof(struct quorum, inside)); }
static int voters(struct quorum_raft *r) { return quorum_of(r)->settings.member_count; }
static int own(struct quorum_raft *r) { return quorum_of(r)->settings.own; }
static struct fc_span election(struct quorum_raft *r) { return fc_ms(quorum_of(r)->settings.election_ms); }
static struct fc_span lease(struct quorum_raft *r) { return quorum_lease(&quorum_of(r)->settings); }
static const char *name_of(struct quorum_raft *r, int member) { return quorum_of(r)->settings.members[member].name; }

/* Streams know peers without ourselves. */
static int member_of(struct quorum_raft *r, int peer) { return peer < own(r) ? peer : peer + 1; }
static int peer_of(struct quorum_raft *r, int member) { return member < own(r) ? member : member - 1; }

static int member_by_id(struct quorum_raft *r, uint64_t id)
{
    for (int i = 0; i < voters(r); i++) {
        if (r->ids[i] == id)
            return i;
    }
    return -1;
}

/* ---- the picture -------------------------------------------------------------------------------------------------- */

static enum quorum_role role_of(struct quorum_raft *r)
{
    if (r->is_out)
        return QUORUM_OUT;
    if (!r->is_running)
        return QUORUM_STARTING;
    switch (raft_state(&r->raft)) {
    case RAFT_FOLLOWER: return QUORUM_FOLLOWER;
    case RAFT_CANDIDATE: return QUORUM_CANDIDATE;
    case RAFT_LEADER: return voters(r) == 1 ? QUORUM_ALONE : QUORUM_LEADER;
    default: return QUORUM_OUT;
    }
}

static int leader_of(struct quorum_raft *r)
{
    raft_id id = 0;
    const char *address = NULL;
    if (r->is_running)
        raft_leader(&r->raft, &id, &address);
    return id == 0 ? -1 : member_by_id(r, id);
}

static struct fc_time may_act_until(struct quorum_raft *r)
{
    if (r->led_term == 0 || !r->is_ready || r->yielding != 0)
        return FC_EVER;
    return confirmed_until(r->confirmed, voters(r), lease(r), quorum_of(r)->settings.drift_percent);
}

static void show(struct quorum_raft *r)
{
    struct quorum_view view = { .role = role_of(r), .leader = leader_of(r), .is_ready = r->led_term != 0 && r->is_ready };
    if (r->is_running) {
        view.term = r->raft.current_term;
        view.last_index = raft_last_index(&r->raft);
        view.applied_index = raft_last_applied(&r->raft);
        view.snapshot_index = r->raft.log.snapshot.last_index;
    }
    view.until = may_act_until(r);
    TEXT_SET(view.why, r->why);
    for (int i = 0; i < voters(r); i++) {
        view.peers[i].heard_at = r->heard_at[i];
        view.peers[i].is_open = i == own(r) || (r->streams != NULL && streams_is_open(r->streams, peer_of(r, i)));
    }
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++)
        view.proposals += r->proposals[i].number != 0;
    view.elections_won = r->elections_won;
    view.votes_withheld = r->votes_withheld;
    view.entries = r->state.entries;
    view.repeated = r->state.repeated;
    view.strange = r->state.strange;
    if (r->streams != NULL)
        view.streams = streams_counters(r->streams);
    quorum_show(quorum_of(r), &view);
}

static void go_out(struct quorum_raft *r, const char *why)
{
    if (!r->is_out)
        quorum_say(quorum_of(r), "raft: this node takes no part: %s", why);
    r->is_out = true;
    TEXT_SET(r->why, why);
}

/* ---- what the log applies ----------------------------------------------------------------------------------------- */

static struct proposal *proposal_numbered(struct quorum_raft *r, uint64_t number)
{
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++) {
        if (number != 0 && r->proposals[i].number == number)
            return &r->proposals[i];
    }
    return NULL;
}

static void fail(struct quorum_raft *r, uint64_t number, enum quorum_heard_kind kind, enum fc_code code, const char *text)
{
    struct quorum_heard heard = { .kind = kind, .number = number, .code = code };
    TEXT_SET(heard.text, text);
    quorum_hear(quorum_of(r), &heard);
}

static int fsm_apply(struct raft_fsm *fsm, const struct raft_buffer *buffer, void **result)
{
    struct quorum_raft *r = fsm->data;
    struct quorum_heard heard = { .kind = QUORUM_APPLIED };
    *result = NULL;
    const enum shared_verdict verdict = shared_state_apply(&r->state, buffer->base, buffer->len);
    if (shared_entry_decode(buffer->base, buffer->len, &heard.entry) != FC_OK || heard.entry.deed == STORE_LOOK)
        return 0;
    struct proposal *p = NULL;
    if (text_is(heard.entry.issuer, quorum_of(r)->settings.node))
        p = proposal_numbered(r, heard.entry.number);
    heard.number = p == NULL ? 0 : p->number;
    if (p != NULL)
        p->number = 0;
    if (verdict == SHARED_APPLIED)
        quorum_hear(quorum_of(r), &heard);
    else if (p != NULL)
        fail(r, heard.number, QUORUM_FAILED, verdict == SHARED_STRANGE ? FC_REFUSED : FC_BUSY,
             verdict == SHARED_STRANGE ? "the nodes have no room for it" : "it came too late in the log; ask again");
    return 0;
}

static int fsm_snapshot(struct raft_fsm *fsm, struct raft_buffer *buffers[], unsigned *count)
{
    struct quorum_raft *r = fsm->data;
    *buffers = raft_malloc(sizeof **buffers);
    uint8_t *bytes = raft_malloc(SHARED_STATE_SIZE);
    size_t length = 0;
    if (*buffers == NULL || bytes == NULL ||
        shared_state_encode(&r->state, bytes, SHARED_STATE_SIZE, &length) != FC_OK) {
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
    struct quorum_raft *r = fsm->data;
    struct fc_err err = { .code = FC_OK };
    if (shared_state_decode(buffer->base, buffer->len, &r->state, &err) != FC_OK) {
        go_out(r, err.text);
        return RAFT_CORRUPT;
    }
    raft_free(buffer->base);                               /* ours on success */
    quorum_hear_state(quorum_of(r), &r->state);
    return 0;
}

/* ---- between raft and its I/O ------------------------------------------------------------------------------------- */

static bool may_ask_for_votes(struct quorum_raft *r)
{
    /* Who yielded lets others go first; but its log may be the only one that is long enough, so not for ever. */
    const bool is_needed = fc_since(r->led_at, r->now).us > 2 * election(r).us;
    return r->stands && (is_needed || fc_reached(r->paused_until, r->now)) && promise_lets_vote(&r->promise, r->now);
}

static int io_send(struct raft_io *io, struct raft_io_send *request, const struct raft_message *message, raft_io_send_cb cb)
{
    struct quorum_raft *r = (struct quorum_raft *)((char *)io - offsetof(struct quorum_raft, io));
    r->now = quorum_now();
    if (message->type == RAFT_IO_REQUEST_VOTE && !may_ask_for_votes(r)) {
        r->votes_withheld++;
        return RAFT_NOCONNECTION;
    }
    return r->below.send(io, request, message, cb);
}

static void io_came(struct raft_io *io, struct raft_message *message)
{
    struct quorum_raft *r = (struct quorum_raft *)((char *)io - offsetof(struct quorum_raft, io));
    const int member = member_by_id(r, message->server_id);
    r->now = quorum_now();
    if (member >= 0)
        r->heard_at[member] = r->now;
    if (message->type == RAFT_IO_REQUEST_VOTE && !promise_lets_vote(&r->promise, r->now)) {
        r->votes_withheld++;
        return;
    }
    r->recv(io, message);
}

static int io_start(struct raft_io *io, unsigned every_ms, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct quorum_raft *r = (struct quorum_raft *)((char *)io - offsetof(struct quorum_raft, io));
    r->recv = recv;
    return r->below.start(io, every_ms, tick, io_came);
}

/* ---- entries ------------------------------------------------------------------------------------------------------ */

struct applying { struct raft_apply request; struct quorum_raft *r; uint64_t number; };      /* number 0: a follower's */

static void applied(struct raft_apply *request, int status, void *result)
{
    struct applying *a = request->data;
    struct proposal *p = proposal_numbered(a->r, a->number);
    (void)result;
    if (status != 0 && p != NULL)
        p->next_try = a->r->now;                           /* somebody else leads, who may have it or not: repeating is harmless */
    free(a);
}

static int apply(struct quorum_raft *r, const uint8_t *bytes, size_t length, uint64_t number)
{
    struct applying *a = calloc(1, sizeof *a);
    struct raft_buffer buffer = { .base = raft_malloc(length), .len = length };
    if (a == NULL || buffer.base == NULL) {
        free(a);
        raft_free(buffer.base);
        return RAFT_NOMEM;
    }
    memcpy(buffer.base, bytes, length);
    *a = (struct applying){ .r = r, .number = number };
    a->request.data = a;
    const int code = raft_apply(&r->raft, &a->request, &buffer, 1, applied);
    if (code != 0) {
        raft_free(buffer.base);
        free(a);
    }
    return code;
}

static bool leads(struct quorum_raft *r) { return r->is_running && raft_state(&r->raft) == RAFT_LEADER; }

/* One attempt: into the own log, or to the leader. The end is told by the log alone. */
static void try_proposal(struct quorum_raft *r, struct proposal *p)
{
    const int leader = leader_of(r);
    p->next_try = fc_plus(r->now, fc_ms(quorum_of(r)->settings.election_ms / 10));
    if (leads(r)) {
        p->next_try = FC_NEVER;                            /* before the call: it may be applied within */
        if (apply(r, p->bytes, p->length, p->number) != 0)
            p->next_try = fc_plus(r->now, election(r));
        return;
    }
    if (leader < 0 || leader == own(r))
        return;
    struct frame frame = { .kind = FRAME_PROPOSE, .term = r->raft.current_term, .number = p->number, .length = p->length };
    memcpy(frame.payload, p->bytes, p->length);
    if (streams_send(r->streams, peer_of(r, leader), &frame))
        p->next_try = fc_plus(r->now, fc_ms(2 * (int64_t)quorum_of(r)->settings.election_ms));
}

static void propose(struct quorum_raft *r, const struct told *told)
{
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++) {
        struct proposal *p = &r->proposals[i];
        if (p->number != 0)
            continue;
        *p = (struct proposal){ .number = told->number, .deadline = fc_plus(r->now, fc_ms(told->limit_ms)), .length = told->length };
        memcpy(p->bytes, told->bytes, told->length);
        if (r->is_running)
            try_proposal(r, p);
        return;
    }
    fail(r, told->number, QUORUM_FAILED, FC_BUSY, "too many entries are on their way");
}

static void look_at_proposals(struct quorum_raft *r)
{
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++) {
        struct proposal *p = &r->proposals[i];
        if (p->number == 0)
            continue;
        if (fc_reached(p->deadline, r->now)) {
            const uint64_t number = p->number;
            p->number = 0;
            fail(r, number, QUORUM_FAILED, leader_of(r) < 0 ? FC_NOT_LEADER : FC_TIMEOUT,
                 leader_of(r) < 0 ? "no majority of the nodes agrees on a leader" : "the log did not confirm it in time");
        } else if (r->is_running && !fc_is_never(p->next_try) && fc_reached(p->next_try, r->now)) {
            try_proposal(r, p);
        }
    }
}

/* ---- pings and promises ------------------------------------------------------------------------------------------- */

static void ask_peer(struct quorum_raft *r, int member, enum frame_kind kind)
{
    const struct frame frame = { .kind = kind, .term = r->led_term, .number = (uint64_t)r->now.us };
    const int peer = peer_of(r, member);
    if (streams_send(r->streams, peer, &frame) && fc_is_ever(r->asked_at[member]))
        r->asked_at[member] = r->now;
    /* A cut connection says nothing by itself. */
    if (!fc_is_ever(r->asked_at[member]) && fc_since(r->asked_at[member], r->now).us > 3 * election(r).us) {
        streams_break(r->streams, peer);
        r->asked_at[member] = FC_EVER;
    }
}

static void ping_all(struct quorum_raft *r)
{
    if (r->led_term == 0 || r->yielding != 0)
        return;
    if (promise_give(&r->promise, r->ids[own(r)], r->led_term, r->raft.current_term, lease(r), r->now))
        r->confirmed[own(r)] = r->now;
    for (int i = 0; i < voters(r); i++) {
        if (i != own(r))
            ask_peer(r, i, FRAME_PING);
    }
}

static void barrier_passed(struct raft_barrier *request, int status)
{
    struct quorum_raft *r = request->data;
    r->is_barrier_out = false;
    if (status == 0 && r->led_term == r->barrier_term && r->led_term != 0) {
        r->is_ready = true;
        show(r);
    }
}

static void lay_barrier(struct quorum_raft *r)
{
    if (r->led_term == 0 || r->is_ready || r->is_barrier_out)
        return;
    r->barrier.data = r;
    r->barrier_term = r->led_term;
    r->is_barrier_out = true;
    if (raft_barrier(&r->raft, &r->barrier, barrier_passed) != 0)
        r->is_barrier_out = false;
}

static void end_yield(struct quorum_raft *r, enum fc_code code, const char *text);

static void role_changed(struct quorum_raft *r)
{
    const bool is_leading = leads(r);
    if (is_leading == (r->led_term != 0) && (!is_leading || r->led_term == r->raft.current_term))
        return;
    r->led_term = is_leading ? r->raft.current_term : 0;
    r->is_ready = false;
    for (int i = 0; i < QUORUM_NODES_MAX; i++)
        r->confirmed[i] = r->asked_at[i] = FC_EVER;
    r->elections_won += is_leading;
    if (is_leading) {
        ping_all(r);
        lay_barrier(r);
    } else if (r->yielding != 0) {
        end_yield(r, FC_OK, "");
    }
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++) {
        if (r->proposals[i].number != 0 && !fc_is_never(r->proposals[i].next_try))
            r->proposals[i].next_try = r->now;
    }
}

/* ---- yield -------------------------------------------------------------------------------------------------------- */

static void end_yield(struct quorum_raft *r, enum fc_code code, const char *text)
{
    const uint64_t number = r->yielding;
    r->yielding = 0;
    if (code == FC_OK)
        r->paused_until = fc_plus(r->now, fc_ms(r->yield_pause_ms));
    fail(r, number, QUORUM_ENDED, code, text);
    show(r);
}

static void transferred(struct raft_transfer *request)
{
    struct quorum_raft *r = request->data;
    r->is_transferring = false;
    if (r->yielding != 0 && leads(r))
        end_yield(r, FC_TIMEOUT, "the other node did not take over");
}

static void ask_for_releases(struct quorum_raft *r)
{
    for (int i = 0; i < voters(r); i++) {
        if (i != own(r) && !(r->has_released[i] && r->may_stand[i]))
            ask_peer(r, i, FRAME_RELEASE);
    }
}

static void begin_yield(struct quorum_raft *r, const struct told *told)
{
    if (r->led_term == 0 || r->yielding != 0 || r->is_transferring) {
        fail(r, told->number, QUORUM_ENDED, r->led_term == 0 ? FC_OK : FC_BUSY,
             r->led_term == 0 ? "" : "it is being given back already");
        return;
    }
    if (voters(r) == 1 || told->to == own(r)) {
        fail(r, told->number, QUORUM_ENDED, FC_REFUSED, "there is no other node to lead");
        return;
    }
    r->yielding = told->number;
    r->yield_to = told->to;
    r->yield_pause_ms = told->limit_ms;
    r->yield_by = fc_plus(r->now, (struct fc_span){ fc_ms(YIELD_RELEASE_MS).us + lease(r).us });
    r->yield_round = (uint64_t)r->now.us;
    memset(r->has_released, 0, sizeof r->has_released);
    memset(r->may_stand, 0, sizeof r->may_stand);
    show(r);                                               /* no lease from here on */
    promise_release(&r->promise, r->ids[own(r)], r->led_term, r->now);
    r->has_released[own(r)] = true;
    ask_for_releases(r);
}

/* The best of those that released: named, or the one whose log is the furthest. */
static int successor(struct quorum_raft *r)
{
    int best = -1;
    raft_index best_index = 0;
    for (int i = 0; i < voters(r); i++) {
        if (i == own(r) || !r->has_released[i] || !r->may_stand[i] || (r->yield_to >= 0 && i != r->yield_to))
            continue;
        for (unsigned k = 0; k < r->raft.configuration.n; k++) {
            if (r->raft.configuration.servers[k].id == r->ids[i] &&
                (best < 0 || r->raft.leader_state.progress[k].match_index > best_index)) {
                best = i;
                best_index = r->raft.leader_state.progress[k].match_index;
            }
        }
    }
    return best;
}

static void go_on_yielding(struct quorum_raft *r, bool is_beat)
{
    int released = 0;
    if (r->yielding == 0 || r->is_transferring)
        return;
    for (int i = 0; i < voters(r); i++)
        released += r->has_released[i];
    const int to = successor(r);
    if (released > voters(r) / 2 && to >= 0) {
        r->transfer.data = r;
        r->is_transferring = true;
        if (raft_transfer(&r->raft, &r->transfer, r->ids[to], transferred) != 0) {
            r->is_transferring = false;
            end_yield(r, FC_BUSY, raft_errmsg(&r->raft));
        }
    } else if (!fc_reached(r->yield_by, r->now)) {
        if (is_beat)
            ask_for_releases(r);
    } else {
        end_yield(r, FC_UNREACHABLE, r->yield_to >= 0 ? "the named node does not answer" : "no other node answers");
    }
}

/* ---- what peers say ----------------------------------------------------------------------------------------------- */

static void mark_asked(struct quorum_raft *r, int member, const struct frame *frame, struct frame *answer)
{
    char name[NODE_NAME_SIZE], mark[BIRTH_MARK_SIZE], known[BIRTH_MARK_SIZE];
    struct fc_err err = { .code = FC_OK };
    struct bytes_in in = { .from = frame->payload, .size = frame->length };
    bytes_get_text(&in, name, sizeof name);
    bytes_get_text(&in, mark, sizeof mark);
    if (in.is_bad || !text_is(name, name_of(r, member)))
        return;                                            /* proven to be somebody else */
    if (birth_meet(&r->birth, name, mark, known, &err) != FC_OK) {
        quorum_say(quorum_of(r), "raft: the mark of %s is not written down: %s", name, err.text);
        return;
    }
    struct bytes_out out = { .to = answer->payload, .size = sizeof answer->payload };
    bytes_put_text(&out, known);
    answer->kind = FRAME_MARK_TELL;
    answer->length = out.length;
}

static bool is_entry(const struct frame *frame)
{
    struct shared_entry entry;
    return frame->length <= SHARED_ENTRY_SIZE && shared_entry_decode(frame->payload, frame->length, &entry) == FC_OK;
}

static void asked(void *owner, int peer, const struct frame *frame, struct frame *answer)
{
    struct quorum_raft *r = owner;
    const int member = member_of(r, peer);
    r->now = r->heard_at[member] = quorum_now();
    answer->term = frame->term;
    answer->number = frame->number;
    switch (frame->kind) {
    case FRAME_PING:
        answer->kind = FRAME_PONG;
        answer->length = 1;
        answer->payload[0] = r->is_running && promise_give(&r->promise, r->ids[member], frame->term, r->raft.current_term, lease(r), r->now);
        break;
    case FRAME_RELEASE:
        promise_release(&r->promise, r->ids[member], frame->term, r->now);
        answer->kind = FRAME_RELEASED;
        answer->length = 2;
        answer->payload[0] = promise_lets_vote(&r->promise, r->now);      /* not, when it has just been started */
        answer->payload[1] = may_ask_for_votes(r);
        break;
    case FRAME_PROPOSE:
        /* Never handed on from here: who asked asks whom it then believes to lead. */
        if (!is_entry(frame))
            break;                                         /* nobody waits for nonsense */
        if (leads(r) && apply(r, frame->payload, frame->length, 0) == 0)
            break;
        answer->kind = FRAME_REFUSED;
        answer->length = 1;
        answer->payload[0] = leads(r) ? REFUSED_BUSY : REFUSED_NOT_LEADER;
        break;
    case FRAME_MARK_ASK:
        mark_asked(r, member, frame, answer);
        break;
    case FRAME_PONG: case FRAME_RELEASED: case FRAME_REFUSED: case FRAME_MARK_TELL: case FRAME_KIND_COUNT:
        break;                                             /* answers to nothing */
    }
}

static void start_raft(struct quorum_raft *r);

static void mark_told(struct quorum_raft *r, int member, const struct frame *frame)
{
    char known[BIRTH_MARK_SIZE];
    char why[200];
    struct bytes_in in = { .from = frame->payload, .size = frame->length };
    bytes_get_text(&in, known, sizeof known);
    if (in.is_bad || r->is_running || r->is_out)
        return;
    if (!text_is(known, r->birth.mark)) {
        TEXT_FORMAT(why, "its data directory is empty, and %s knows this node by another one: what was lost was counted on; "
                         "give it back its directory, or bring this node in under a new name", name_of(r, member));
        go_out(r, why);
        show(r);
        return;
    }
    r->marks_shown += !r->has_shown[member];
    r->has_shown[member] = true;
    if (r->marks_shown >= birth_needed(voters(r)))
        start_raft(r);
}

static void answered(void *owner, int peer, const struct frame *frame)
{
    struct quorum_raft *r = owner;
    const int member = member_of(r, peer);
    struct proposal *p;
    r->now = r->heard_at[member] = quorum_now();
    r->asked_at[member] = FC_EVER;
    switch (frame->kind) {
    case FRAME_PONG:
        if (r->led_term != 0 && frame->term == r->led_term && frame->length == 1 && frame->payload[0] == 1 && (int64_t)frame->number <= r->now.us) {
            r->confirmed[member] = fc_later(r->confirmed[member], (struct fc_time){ (int64_t)frame->number });
            show(r);
        }
        break;
    case FRAME_RELEASED:
        if (r->yielding != 0 && frame->term == r->led_term && frame->number >= r->yield_round && frame->length == 2) {
            r->has_released[member] = frame->payload[0] == 1;
            r->may_stand[member] = frame->payload[1] == 1;
        }
        go_on_yielding(r, false);
        break;
    case FRAME_REFUSED:
        if ((p = proposal_numbered(r, frame->number)) != NULL)
            p->next_try = fc_plus(r->now, fc_ms(quorum_of(r)->settings.election_ms / 10));
        break;
    case FRAME_MARK_TELL:
        mark_told(r, member, frame);
        break;
    case FRAME_PING: case FRAME_RELEASE: case FRAME_PROPOSE: case FRAME_MARK_ASK: case FRAME_KIND_COUNT:
        break;
    }
}

static void show_mark(struct quorum_raft *r)
{
    struct frame frame = { .kind = FRAME_MARK_ASK };
    struct bytes_out out = { .to = frame.payload, .size = sizeof frame.payload };
    bytes_put_text(&out, r->birth.name);
    bytes_put_text(&out, r->birth.mark);
    frame.length = out.length;
    for (int i = 0; i < voters(r); i++) {
        if (i != own(r) && !r->has_shown[i])
            streams_send(r->streams, peer_of(r, i), &frame);
    }
}

/* ---- snapshots on request ----------------------------------------------------------------------------------------- */

static void snapshot_barrier_passed(struct raft_barrier *request, int status)
{
    struct quorum_raft *r = request->data;
    (void)status;
    r->is_snapshot_barrier_out = false;
}

/* The leader is asked for an entry that says nothing. Nobody waits for it: its effect is the snapshot. */
static void lengthen_the_log(struct quorum_raft *r)
{
    const int leader = leader_of(r);
    struct frame frame = { .kind = FRAME_PROPOSE };
    struct shared_entry entry = { .deed = STORE_LOOK, .number = 1 };
    TEXT_SET(entry.issuer, quorum_of(r)->settings.node);
    if (leader >= 0 && shared_entry_encode(&entry, frame.payload, sizeof frame.payload, &frame.length) == FC_OK)
        streams_send(r->streams, peer_of(r, leader), &frame);
}

/* The library takes one by itself when so many entries were applied since the last: the number is lowered until it has. */
static void begin_snapshot(struct quorum_raft *r, const struct told *told)
{
    if (!r->is_running || r->snapshotting != 0) {
        fail(r, told->number, QUORUM_ENDED, FC_BUSY, r->is_running ? "a snapshot is being taken" : "raft does not run yet");
        return;
    }
    r->snapshotting = told->number;
    r->snapshot_by = fc_plus(r->now, fc_ms(SNAPSHOT_WAIT_MS));
    r->snapshot_before = r->raft.log.snapshot.last_index;
    raft_set_snapshot_threshold(&r->raft, 1);
    if (!leads(r))
        lengthen_the_log(r);
    else if (!r->is_snapshot_barrier_out) {
        r->snapshot_barrier.data = r;
        r->is_snapshot_barrier_out = raft_barrier(&r->raft, &r->snapshot_barrier, snapshot_barrier_passed) == 0;
    }
}

static void go_on_snapshotting(struct quorum_raft *r)
{
    if (r->snapshotting == 0)
        return;
    const bool is_taken = r->raft.log.snapshot.last_index > r->snapshot_before && r->raft.snapshot.pending.term == 0;
    if (!is_taken && !fc_reached(r->snapshot_by, r->now))
        return;
    raft_set_snapshot_threshold(&r->raft, (unsigned)quorum_of(r)->settings.snapshot_entries);
    const uint64_t number = r->snapshotting;
    r->snapshotting = 0;
    fail(r, number, QUORUM_ENDED, is_taken ? FC_OK : FC_TIMEOUT, is_taken ? "" : "nothing new was in the log, or the disk did not take it in time");
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

static void log_folder(struct quorum_raft *r, char *to, size_t size) { text_format(to, size, "%s/log", quorum_of(r)->settings.dir); }

static bool has_files(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;
    while (dir != NULL && count < 3 && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    return count > 2;                                      /* "." and ".." */
}

static int bootstrap(struct quorum_raft *r)
{
    const struct quorum_settings *s = &quorum_of(r)->settings;
    struct raft_configuration all;
    raft_configuration_init(&all);
    int code = 0;
    for (int i = 0; i < s->member_count && code == 0; i++)
        code = raft_configuration_add(&all, r->ids[i], s->members[i].name, RAFT_VOTER);
    if (code == 0)
        code = raft_bootstrap(&r->raft, &all);
    raft_configuration_close(&all);
    return code == RAFT_CANTBOOTSTRAP ? 0 : code;          /* done by an earlier start that ended before it took part */
}

static int open_raft(struct quorum_raft *r)
{
    const struct quorum_settings *s = &quorum_of(r)->settings;
    char path[BIRTH_DIR_SIZE + 8];
    log_folder(r, path, sizeof path);
    int code = raft_uv_init(&r->io, &r->loop, path, streams_for_raft(r->streams));
    if (code != 0)
        return code;
    r->has_io = true;
    r->below = r->io;
    r->io.send = io_send;
    r->io.start = io_start;
    raft_uv_set_segment_size(&r->io, SEGMENT_BYTES);
    raft_uv_set_connect_retry_delay(&r->io, (unsigned)(s->election_ms / 4));
    r->fsm = (struct raft_fsm){ .version = 1, .data = r, .apply = fsm_apply, .snapshot = fsm_snapshot, .restore = fsm_restore };
    if ((code = raft_init(&r->raft, &r->io, &r->fsm, r->ids[own(r)], name_of(r, own(r)))) != 0)
        return code;
    r->has_raft = true;
    r->raft.data = r;
    raft_set_election_timeout(&r->raft, (unsigned)s->election_ms);
    raft_set_heartbeat_timeout(&r->raft, (unsigned)(s->election_ms / 10));
    raft_set_pre_vote(&r->raft, true);
    raft_set_snapshot_threshold(&r->raft, (unsigned)s->snapshot_entries);
    raft_set_snapshot_trailing(&r->raft, (unsigned)s->trailing_entries);
    return 0;
}

static void start_raft(struct quorum_raft *r)
{
    struct fc_err err = { .code = FC_OK };
    char why[200];
    int code = open_raft(r);
    if (code == 0 && !r->birth.is_member) {
        code = bootstrap(r);
        if (code == 0 && birth_joined(&r->birth, &err) != FC_OK) {
            go_out(r, err.text);
            return;
        }
    }
    r->now = quorum_now();
    promise_init(&r->promise, lease(r), r->now);
    if (code == 0)
        code = raft_start(&r->raft);
    if (code == 0) {
        r->is_running = true;
        show(r);
        return;
    }
    TEXT_FORMAT(why, "raft does not start: %s: %s", raft_strerror(code), r->has_raft ? raft_errmsg(&r->raft) : r->io.errmsg);
    go_out(r, why);
}

static void handle_closed(uv_handle_t *handle)
{
    struct quorum_raft *r = handle->data;
    r->handles_open--;
}

static void streams_closed(void *owner)
{
    struct quorum_raft *r = owner;
    r->streams = NULL;
    uv_close((uv_handle_t *)&r->tick, handle_closed);
    uv_close((uv_handle_t *)&r->turn, handle_closed);
    uv_close((uv_handle_t *)&quorum_of(r)->wake, handle_closed);
}

static void raft_closed(struct raft *raft)
{
    struct quorum_raft *r = raft->data;
    r->is_raft_closed = true;
    streams_close(r->streams, streams_closed, r);
}

static void end(struct quorum_raft *r)
{
    struct quorum *q = quorum_of(r);
    if (r->is_ending)
        return;
    r->is_ending = true;
    pthread_mutex_lock(&q->lock);
    q->is_loop_gone = true;
    pthread_mutex_unlock(&q->lock);
    r->led_term = 0;
    if (r->has_raft)
        raft_close(&r->raft, raft_closed);
    else
        streams_close(r->streams, streams_closed, r);
}

static void take_told(uv_async_t *wake)
{
    struct quorum_raft *r = wake->data;
    struct told told;
    r->now = quorum_now();
    while (!r->is_ending && quorum_told_take(quorum_of(r), &told)) {
        switch (told.kind) {
        case TOLD_PROPOSE: propose(r, &told); break;
        case TOLD_STAND: r->stands = told.to != 0; break;
        case TOLD_YIELD: begin_yield(r, &told); break;
        case TOLD_SNAPSHOT: begin_snapshot(r, &told); break;
        case TOLD_END: end(r); break;
        }
    }
}

static void beat(uv_timer_t *timer)
{
    struct quorum_raft *r = timer->data;
    struct quorum *q = quorum_of(r);
    if (r->is_ending)
        return;
    r->now = quorum_now();
    streams_tick(r->streams, r->now);
    if (!r->is_running && !r->is_out && voters(r) > 1 && !r->birth.is_member)
        show_mark(r);
    if (r->is_running && role_of(r) == QUORUM_OUT)
        go_out(r, raft_errmsg(&r->raft)[0] != '\0' ? raft_errmsg(&r->raft) : "its disk failed");
    if (leader_of(r) >= 0)
        r->led_at = r->now;
    ping_all(r);
    lay_barrier(r);
    look_at_proposals(r);
    go_on_yielding(r, true);
    go_on_snapshotting(r);
    pthread_mutex_lock(&q->lock);
    const bool must_hand_over = q->must_hand_over;
    pthread_mutex_unlock(&q->lock);
    if (must_hand_over)
        quorum_hear_state(q, &r->state);
    show(r);
}

/* After each turn of the loop: a new role is acted upon at once. */
static void turned(uv_check_t *turn)
{
    struct quorum_raft *r = turn->data;
    if (!r->is_running || r->is_ending)
        return;
    r->now = quorum_now();
    const uint64_t led_before = r->led_term;
    role_changed(r);
    if (led_before != r->led_term)
        show(r);
}

static int open_streams(struct quorum_raft *r)
{
    const struct quorum_settings *s = &quorum_of(r)->settings;
    struct streams_peer peers[QUORUM_NODES_MAX];
    const struct streams_port port = { .owner = r, .asked = asked, .answered = answered };
    int count = 0;
    for (int i = 0; i < s->member_count; i++) {
        if (i == s->own)
            continue;
        peers[count] = (struct streams_peer){ .id = r->ids[i] };
        TEXT_SET(peers[count++].address, s->members[i].address);
    }
    return streams_open(&r->loop, &r->transport, r->ids[s->own], s->members[s->own].address, peers, count, &port, &r->streams);
}

enum fc_code quorum_inside_open(struct quorum *q, struct fc_err *err)
{
    struct quorum_raft *r = &q->inside;
    char path[BIRTH_DIR_SIZE + 8];
    for (int i = 0; i < q->settings.member_count; i++)
        r->ids[i] = quorum_member_id(q->settings.members[i].name);
    for (int i = 0; i < QUORUM_NODES_MAX; i++)
        r->heard_at[i] = r->confirmed[i] = r->asked_at[i] = FC_EVER;
    r->paused_until = r->led_at = FC_EVER;
    shared_state_init(&r->state);
    log_folder(r, path, sizeof path);
    enum fc_code code = birth_open(q->settings.dir, q->settings.members[q->settings.own].name, has_files(path), &r->birth, err);
    if (code == FC_OK && mkdir(path, 0700) != 0 && errno != EEXIST)
        code = fc_fail(err, FC_STORE, "cannot make '%s': %s", path, strerror(errno));
    if (code != FC_OK)
        return code;
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->tick);
    uv_check_init(&r->loop, &r->turn);
    uv_async_init(&r->loop, &q->wake, take_told);
    r->tick.data = r->turn.data = q->wake.data = r;
    r->handles_open = 3;
    r->now = quorum_now();
    promise_init(&r->promise, lease(r), r->now);
    return FC_OK;
}

static void begin(struct quorum_raft *r)
{
    struct quorum *q = quorum_of(r);
    struct fc_err err = { .code = FC_OK };
    const unsigned every_ms = (unsigned)q->settings.election_ms / 10;
    uv_check_start(&r->turn, turned);
    uv_timer_start(&r->tick, beat, 0, every_ms);
    r->has_transport = q->settings.transport.make(q->settings.transport.owner, &r->loop, &r->transport, &err) == FC_OK;
    if (!r->has_transport) {
        go_out(r, err.text);
        streams_closed(r);
        return;
    }
    if (open_streams(r) != 0)
        go_out(r, r->transport.errmsg[0] != '\0' ? r->transport.errmsg : "cannot listen at RaftBind");
    else if (r->birth.is_member || voters(r) == 1)
        start_raft(r);
    show(r);
}

void *quorum_inside_run(void *owner)
{
    struct quorum *q = owner;
    struct quorum_raft *r = &q->inside;
    begin(r);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    pthread_mutex_lock(&q->lock);
    q->is_loop_gone = true;
    pthread_mutex_unlock(&q->lock);
    if (r->has_io)
        raft_uv_close(&r->io);
    if (r->has_transport)
        q->settings.transport.done(q->settings.transport.owner, &r->transport);
    uv_loop_close(&r->loop);
    return NULL;
}
