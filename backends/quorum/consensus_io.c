/* Raft's I/O is the world's with calls of ours in between, for two reasons.
 *
 * Votes: requests for one are neither sent nor heard while this node has promised not to (promise.h) or lacks what it had
 * confirmed (held.h), and none is sent by a node that does not stand. What is confirmed to a leader is marked before it is sent.
 *
 * A disk that fails: libraft 0.15 does not survive it. When a term or a vote is not written it frees what it has freed; when an entry is
 * not written it shortens its log to before it, reads beyond the end when a later one was not written either, and as leader goes on with
 * a log shorter than what it sent. So raft is never told: from the first write that failed on, nothing leaves this node and nothing
 * reaches raft, which is as if the process had ended at that write; at the next turn raft is closed (consensus_turned). What it waits
 * for is told then, as done: a closed raft only frees it. */
#include "backends/quorum/consensus_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- what this node has confirmed --------------------------------------------------------------------------------- */

static uint64_t held_of(struct consensus *c) { return c->world.held == NULL ? 0 : c->world.held(c->world.owner); }

static void hold(struct consensus *c, uint64_t index)
{
    if (c->world.hold != NULL && index > held_of(c))
        c->world.hold(c->world.owner, index);
}

void consensus_hold_stored(struct consensus *c)
{
    if (c->is_running)
        hold(c, c->raft.last_stored);
}

void consensus_measure_log(struct consensus *c)
{
    const raft_index last = raft_last_index(&c->raft);
    c->is_short = voters(c) > 1 && last < held_of(c);
    if (!c->is_short)
        return;
    TEXT_FORMAT(c->why, "its log ends at entry %" PRIu64 ", and it had confirmed %" PRIu64 ": its disk lost what it had called durable; it neither "
                        "votes nor stands until a leader has given it as much again", (uint64_t)last, held_of(c));
    consensus_say(c, "raft: %s", c->why);
}

void consensus_look_whether_whole(struct consensus *c)
{
    if (!c->is_short || c->raft.last_stored < held_of(c))
        return;
    c->is_short = false;
    c->why[0] = '\0';
    consensus_say(c, "raft: its log is whole again: entry %" PRIu64, (uint64_t)c->raft.last_stored);
}

/* ---- votes -------------------------------------------------------------------------------------------------------- */

static bool lets_vote(struct consensus *c) { return !c->is_short && promise_lets_vote(&c->promise, c->now); }

bool consensus_may_ask_for_votes(struct consensus *c)
{
    /* Who yielded lets others go first, and so does a witness, which would have to hand over, and a slow disk; but its log may be the only one
     * that is long enough, so not for ever. */
    const bool is_needed = fc_since(c->led_at, c->now).us > 2 * election(c).us;
    const bool lets_go_first = c->disk.is_slow || c->settings->is_witness || !fc_reached(c->paused_until, c->now);
    return c->stands && !c->is_out && (is_needed || !lets_go_first) && lets_vote(c);
}

static struct consensus *of(struct raft_io *io) { return (struct consensus *)((char *)io - offsetof(struct consensus, io)); }

/* ---- how far the own log agrees with the leader's ------------------------------------------------------------------ */

/* libraft 0.15 confirms to a leader all that is on its own disk, and takes as decided, up to the same end, what the leader says is. But
 * what stands behind the entries that the leader sent may be another leader's: then an entry counts as stored by a majority that does
 * not have it, or one that was never decided is applied. Raft's own rule is the index of the last entry that came (Ongaro, figure 3.1:
 * AppendEntries, receiver 5). So both are cut to how far this log is known to be that of the leader of this term. */
static void arrive(struct consensus *c, raft_term term, raft_index index) { c->arriving = (struct agreed){ term, index }; }

static void agree(struct consensus *c)
{
    const struct agreed come = c->arriving;
    c->arriving.index = 0;
    if (come.index > 0 && (come.term > c->agreed.term || (come.term == c->agreed.term && come.index > c->agreed.index)))
        c->agreed = come;
}

static int send_result(struct consensus *c, struct raft_io_send *request, const struct raft_message *message, bool is_durable,
                       raft_io_send_cb cb)
{
    struct raft_message answer = *message;
    struct raft_append_entries_result *result = &answer.append_entries_result;
    if (result->rejected != 0) {
        c->arriving.index = 0;
        return c->below.send(&c->io, request, message, cb);
    }
    agree(c);
    const raft_index agreed = c->agreed.term == result->term ? c->agreed.index : 0;
    if (result->last_log_index > agreed)
        result->last_log_index = agreed;
    if (is_durable)
        hold(c, result->last_log_index);
    return c->below.send(&c->io, request, &answer, cb);
}

/* ---- what passes -------------------------------------------------------------------------------------------------- */

/* While a snapshot is installed, libraft 0.15 answers heartbeats as if it were durable. All of it is decided without this node, so
 * that harms nobody; but this node does not hold it yet. */
static bool is_installing(const struct consensus *c) { return c->raft.snapshot.put.data != NULL && c->raft.snapshot.pending.term == 0; }

/* Not every sender in libraft frees its request when it is refused; so nothing is refused but requests for votes. */
struct unsent { struct raft_io_send *request; struct unsent *next; };

static int keep_unsent(struct consensus *c, struct raft_io_send *request, raft_io_send_cb cb)
{
    struct unsent *u = malloc(sizeof *u);
    if (u == NULL)
        return RAFT_NOMEM;
    request->cb = cb;
    *u = (struct unsent){ request, c->unsent };
    c->unsent = u;
    return 0;
}

/* libraft 0.15 refuses a pre-vote of an older term and answers with that same term. So who stands in it never learns of the later one,
 * and where the refusing node cannot win (its log is shorter) and is needed, nobody is ever elected. */
static int send_own_term(struct consensus *c, struct raft_io_send *request, const struct raft_message *message, raft_io_send_cb cb)
{
    struct raft_message answer = *message;
    answer.request_vote_result.term = c->raft.current_term;
    return c->below.send(&c->io, request, &answer, cb);
}

static int io_send(struct raft_io *io, struct raft_io_send *request, const struct raft_message *message, raft_io_send_cb cb)
{
    struct consensus *c = of(io);
    c->now = consensus_clock(c);
    if (message->type == RAFT_IO_REQUEST_VOTE && !consensus_may_ask_for_votes(c)) {
        c->votes_withheld++;
        return RAFT_NOCONNECTION;
    }
    if (c->is_disk_lost)
        return keep_unsent(c, request, cb);
    if (message->type == RAFT_IO_APPEND_ENTRIES_RESULT)
        return send_result(c, request, message, !is_installing(c), cb);
    if (message->type == RAFT_IO_REQUEST_VOTE_RESULT && message->request_vote_result.term < c->raft.current_term)
        return send_own_term(c, request, message, cb);
    return c->below.send(io, request, message, cb);
}

static void entries_free(struct raft_append_entries *message)
{
    if (message->n_entries == 0)
        return;
    raft_free(message->entries[0].batch);
    raft_free(message->entries);
    message->entries = NULL;
    message->n_entries = 0;
}

static void message_free(struct raft_message *message)
{
    if (message->type == RAFT_IO_APPEND_ENTRIES)
        entries_free(&message->append_entries);
    if (message->type == RAFT_IO_INSTALL_SNAPSHOT) {
        raft_configuration_close(&message->install_snapshot.conf);
        raft_free(message->install_snapshot.data.base);
    }
}

/* Entries that come a second time, behind one that a snapshot has taken the place of: libraft 0.15 would add them at its log's end when
 * they are its very first, and refuse them for ever when they begin where its log begins (its term of the entry before is gone, and the
 * leader has no other to offer). All that a snapshot holds is agreed upon, so what is behind it is as good. */
static void leave_out_what_is_held(const struct raft_log *log, struct raft_append_entries *message)
{
    if (message->n_entries == 0 || message->prev_log_index > log->offset || message->prev_log_index >= log->snapshot.last_index)
        return;
    const raft_index held = log->snapshot.last_index - message->prev_log_index;
    if (held >= message->n_entries) {
        entries_free(message);
    } else {
        message->n_entries -= (unsigned)held;
        memmove(message->entries, message->entries + held, sizeof message->entries[0] * message->n_entries);
    }
    message->prev_log_index = log->snapshot.last_index;
    message->prev_log_term = log->snapshot.last_term;
}

static void io_came(struct raft_io *io, struct raft_message *message)
{
    struct consensus *c = of(io);
    const int member = roster_by_id(&c->roster, message->server_id);
    c->now = consensus_clock(c);
    if (member >= 0)
        c->heard_at[member] = c->raft_heard_at[member] = c->now;
    if (c->is_disk_lost) {
        message_free(message);
        return;
    }
    if (message->type == RAFT_IO_REQUEST_VOTE && !lets_vote(c)) {
        c->votes_withheld++;
        return;
    }
    if (message->type == RAFT_IO_APPEND_ENTRIES) {
        struct raft_append_entries *come = &message->append_entries;
        leave_out_what_is_held(&c->raft.log, come);
        const raft_index end = come->prev_log_index + come->n_entries;
        if (come->leader_commit > end)
            come->leader_commit = end;
        arrive(c, come->term, end);
    }
    if (message->type == RAFT_IO_INSTALL_SNAPSHOT)
        arrive(c, message->install_snapshot.term, message->install_snapshot.last_index);
    c->recv(io, message);
    agree(c);
}

static void io_tick(struct raft_io *io)
{
    struct consensus *c = of(io);
    if (!c->is_disk_lost)
        c->tick(io);
}

static int io_start(struct raft_io *io, unsigned every_ms, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct consensus *c = of(io);
    c->tick = tick;
    c->recv = recv;
    return c->below.start(io, every_ms, io_tick, io_came);
}

/* ---- what is found at the start ----------------------------------------------------------------------------------- */

void consensus_free_loaded(struct raft_snapshot *snapshot, struct raft_entry *entries, size_t count)
{
    for (size_t k = 0; k < count; k++) {                   /* entries of one batch stand side by side */
        if (k == 0 || entries[k].batch != entries[k - 1].batch)
            raft_free(entries[k].batch);
    }
    raft_free(entries);
    if (snapshot == NULL)
        return;
    raft_configuration_close(&snapshot->configuration);
    for (unsigned k = 0; k < snapshot->n_bufs; k++)
        raft_free(snapshot->bufs[k].base);
    raft_free(snapshot->bufs);
    raft_free(snapshot);
}

/* The library has checksums of the log and of a snapshot's head; that of its content is ours, and is looked at before raft takes it:
 * what it does with one that is refused later is not its best part. */
static int io_load(struct raft_io *io, raft_term *term, raft_id *voted_for, struct raft_snapshot **snapshot, raft_index *start_index,
                   struct raft_entry *entries[], size_t *count)
{
    struct consensus *c = of(io);
    struct fc_err err = { .code = FC_OK };
    const int code = c->below.load(io, term, voted_for, snapshot, start_index, entries, count);
    if (code != 0 || *snapshot == NULL)
        return code;
    struct shared_state *state = malloc(sizeof *state);
    const bool is_good = state != NULL && (*snapshot)->n_bufs == 1 &&
                         shared_state_decode((*snapshot)->bufs[0].base, (*snapshot)->bufs[0].len, state, &err) == FC_OK;
    free(state);
    if (is_good)
        return 0;
    text_format(io->errmsg, sizeof io->errmsg, "%s; `raft-remove` this node, empty its RaftDataDir and `raft-add` it", err.text);
    consensus_free_loaded(*snapshot, *entries, *count);
    *snapshot = NULL;
    *entries = NULL;
    *count = 0;
    return RAFT_CORRUPT;
}

/* ---- what is written ---------------------------------------------------------------------------------------------- */

static int written(struct consensus *c, int code)
{
    if (code != 0 && !c->is_disk_lost) {
        c->is_disk_lost = true;
        TEXT_SET(c->disk_error, c->io.errmsg[0] != '\0' ? c->io.errmsg : raft_strerror(code));
    }
    return 0;
}

static int io_set_term(struct raft_io *io, raft_term term) { return written(of(io), of(io)->is_disk_lost ? 0 : of(io)->below.set_term(io, term)); }
static int io_set_vote(struct raft_io *io, raft_id id) { return written(of(io), of(io)->is_disk_lost ? 0 : of(io)->below.set_vote(io, id)); }

static int io_truncate(struct raft_io *io, raft_index index)
{
    struct consensus *c = of(io);
    if (c->is_disk_lost)
        return 0;
    if (c->world.hold != NULL && !c->is_short && held_of(c) >= index)
        c->world.hold(c->world.owner, index - 1);          /* a leader takes back what was confirmed to another and not decided */
    return written(c, c->below.truncate(io, index));
}

/* An append that is under way, or that failed and is told at the end. */
struct appending {
    struct raft_io_append below;
    struct raft_io_append *request;      /* raft's */
    struct consensus *consensus;
    struct fc_time asked_at;
    struct appending *next;
};

static void appended(struct raft_io_append *below, int status)
{
    struct appending *a = below->data;
    struct consensus *c = a->consensus;
    struct raft_io_append *request = a->request;
    c->now = consensus_clock(c);
    consensus_append_done(c, a->asked_at, status);
    if (status == 0 && !c->is_disk_lost) {
        free(a);
        request->cb(request, 0);
        if (c->led_term != 0)
            consensus_hold_stored(c);                      /* a leader counts its own disk, also for what is nobody's order */
        return;
    }
    written(c, status);
    a->next = c->failed_appends;
    c->failed_appends = a;
}

static int io_append(struct raft_io *io, struct raft_io_append *request, const struct raft_entry entries[], unsigned count, raft_io_append_cb cb)
{
    struct consensus *c = of(io);
    struct appending *a = calloc(1, sizeof *a);
    if (a == NULL)
        return RAFT_NOMEM;
    request->cb = cb;
    c->now = consensus_clock(c);
    *a = (struct appending){ .below = { .data = a }, .request = request, .consensus = c, .asked_at = c->now };
    consensus_append_asked(c);
    const int code = c->is_disk_lost ? RAFT_IOERR : c->below.append(io, &a->below, entries, count, appended);
    if (code != 0)
        appended(&a->below, code);
    return 0;
}

/* One that is taken here may fail: the log is still there. One that a leader sent has taken the log's place in memory already. */
struct putting { struct raft_io_snapshot_put below; struct raft_io_snapshot_put *request; struct consensus *consensus; bool is_install; };

static void put_done(struct raft_io_snapshot_put *below, int status)
{
    struct putting *p = below->data;
    struct raft_io_snapshot_put *request = p->request;
    if (p->is_install)
        written(p->consensus, status);
    free(p);
    request->cb(request, status);
}

static int io_snapshot_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                           raft_io_snapshot_put_cb cb)
{
    struct consensus *c = of(io);
    struct putting *p = c->is_disk_lost ? NULL : calloc(1, sizeof *p);
    if (p == NULL)
        return c->is_disk_lost ? RAFT_IOERR : RAFT_NOMEM;
    request->cb = cb;
    *p = (struct putting){ .below = { .data = p }, .request = request, .consensus = c, .is_install = trailing == 0 };
    const int code = c->below.snapshot_put(io, trailing, &p->below, snapshot, put_done);
    if (code != 0)
        free(p);
    return code;
}

static void io_closed(struct raft_io *io)
{
    struct consensus *c = of(io);
    while (c->failed_appends != NULL) {
        struct appending *a = c->failed_appends;
        struct raft_io_append *request = a->request;
        c->failed_appends = a->next;
        free(a);
        request->cb(request, 0);
    }
    while (c->unsent != NULL) {
        struct unsent *u = c->unsent;
        struct raft_io_send *request = u->request;
        c->unsent = u->next;
        free(u);
        if (request->cb != NULL)
            request->cb(request, RAFT_CANCELED);
    }
    c->io_closed(io);
}

static void io_close(struct raft_io *io, raft_io_close_cb closed)
{
    struct consensus *c = of(io);
    c->io_closed = closed;
    c->is_disk_lost = true;                                /* what is cancelled now is told as what failed */
    c->below.close(io, io_closed);
}

void consensus_wrap_io(struct consensus *c)
{
    c->below = c->io;
    c->io.send = io_send;
    c->io.start = io_start;
    c->io.load = io_load;
    c->io.set_term = io_set_term;
    c->io.set_vote = io_set_vote;
    c->io.truncate = io_truncate;
    c->io.append = io_append;
    c->io.snapshot_put = io_snapshot_put;
    c->io.close = io_close;
}
