/* Raft's I/O is the world's with two calls of ours in between: requests for a vote are neither sent nor heard while this node has
 * promised not to (promise.h), and none is sent by a node that does not stand. */
#include "backends/quorum/consensus_inside.h"

bool consensus_may_ask_for_votes(struct consensus *c)
{
    /* Who yielded lets others go first; but its log may be the only one that is long enough, so not for ever. */
    const bool is_needed = fc_since(c->led_at, c->now).us > 2 * election(c).us;
    return c->stands && (is_needed || fc_reached(c->paused_until, c->now)) && promise_lets_vote(&c->promise, c->now);
}

static int io_send(struct raft_io *io, struct raft_io_send *request, const struct raft_message *message, raft_io_send_cb cb)
{
    struct consensus *c = (struct consensus *)((char *)io - offsetof(struct consensus, io));
    c->now = consensus_clock(c);
    if (message->type == RAFT_IO_REQUEST_VOTE && !consensus_may_ask_for_votes(c)) {
        c->votes_withheld++;
        return RAFT_NOCONNECTION;
    }
    return c->below.send(io, request, message, cb);
}

static void io_came(struct raft_io *io, struct raft_message *message)
{
    struct consensus *c = (struct consensus *)((char *)io - offsetof(struct consensus, io));
    const int member = consensus_member_by_id(c, message->server_id);
    c->now = consensus_clock(c);
    if (member >= 0)
        c->heard_at[member] = c->now;
    if (message->type == RAFT_IO_REQUEST_VOTE && !promise_lets_vote(&c->promise, c->now)) {
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
}
