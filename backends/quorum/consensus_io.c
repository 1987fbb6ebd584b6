/* Raft's I/O is the world's with two calls of ours in between: requests for a vote are neither sent nor heard while this node has
 * promised not to (promise.h) or lacks what it had confirmed (held.h), and none is sent by a node that does not stand. What is
 * confirmed to a leader is marked before it is sent. */
#include "backends/quorum/consensus_inside.h"

#include <inttypes.h>

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

static int io_truncate(struct raft_io *io, raft_index index)
{
    struct consensus *c = (struct consensus *)((char *)io - offsetof(struct consensus, io));
    if (c->world.hold != NULL && !c->is_short && held_of(c) >= index)
        c->world.hold(c->world.owner, index - 1);          /* a leader takes back what was confirmed to another and not decided */
    return c->below.truncate(io, index);
}

/* ---- votes -------------------------------------------------------------------------------------------------------- */

static bool lets_vote(struct consensus *c) { return !c->is_short && promise_lets_vote(&c->promise, c->now); }

bool consensus_may_ask_for_votes(struct consensus *c)
{
    /* Who yielded lets others go first; but its log may be the only one that is long enough, so not for ever. */
    const bool is_needed = fc_since(c->led_at, c->now).us > 2 * election(c).us;
    return c->stands && (is_needed || fc_reached(c->paused_until, c->now)) && lets_vote(c);
}

static int io_send(struct raft_io *io, struct raft_io_send *request, const struct raft_message *message, raft_io_send_cb cb)
{
    struct consensus *c = (struct consensus *)((char *)io - offsetof(struct consensus, io));
    c->now = consensus_clock(c);
    if (message->type == RAFT_IO_REQUEST_VOTE && !consensus_may_ask_for_votes(c)) {
        c->votes_withheld++;
        return RAFT_NOCONNECTION;
    }
    if (message->type == RAFT_IO_APPEND_ENTRIES_RESULT && message->append_entries_result.rejected == 0)
        hold(c, message->append_entries_result.last_log_index);
    return c->below.send(io, request, message, cb);
}

static void io_came(struct raft_io *io, struct raft_message *message)
{
    struct consensus *c = (struct consensus *)((char *)io - offsetof(struct consensus, io));
    const int member = consensus_member_by_id(c, message->server_id);
    c->now = consensus_clock(c);
    if (member >= 0)
        c->heard_at[member] = c->now;
    if (message->type == RAFT_IO_REQUEST_VOTE && !lets_vote(c)) {
        c->votes_withheld++;
        return;
    }
    c->recv(io, message);
}

static int io_start(struct raft_io *io, unsigned every_ms, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct consensus *c = (struct consensus *)((char *)io - offsetof(struct consensus, io));
    c->recv = recv;
    return c->below.start(io, every_ms, tick, io_came);
}

void consensus_wrap_io(struct consensus *c)
{
    c->below = c->io;
    c->io.send = io_send;
    c->io.start = io_start;
    c->io.truncate = io_truncate;
}
