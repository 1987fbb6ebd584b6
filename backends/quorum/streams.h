/* Two kinds of streams over one transport: raft's own, and ours for what raft does not carry (pings of the lease, releases,
 * entries that a follower hands to the leader, marks of data directories). The side that connects sends one byte that names the
 * kind; then raft's stream belongs to raft, and ours carries frames.
 *
 * The transport below proves who the other side is before a stream comes up here (backends/quorum/transport.h); what it does not
 * know never comes. Here every buffer, every waiting stream and every queue has a bound; a stream that breaks a rule is closed and
 * made anew. One outgoing stream of ours to each peer, made again and again; of the incoming ones of a peer the latest is kept.
 *
 * The transport proves names. Which incarnation of a name (roster.h) stands at an end is said right after the kind, by both ids in
 * raft's sense: the own one, and the one that is looked for; 0 = none, or whichever. A stream for somebody that this node is not, or
 * is no more, is closed; raft's is taken of members only, and of who is none only marks and questions for the members are heard.
 *
 * Lives on one libuv loop; all calls are made from its thread. */
#ifndef FC_BACKENDS_QUORUM_STREAMS_H
#define FC_BACKENDS_QUORUM_STREAMS_H

#include <raft/uv.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/quorum/promise.h"
#include "base/moment.h"

#define FRAME_PAYLOAD_MAX 1100       /* an entry and a name */
#define STREAMS_ADDRESS_SIZE 320     /* host:port */
#define STREAMS_PLACES_MAX 12

/* On the wire: length of the rest (4 bytes), kind (1), term (8), number (8), payload; numbers little-endian. */
enum frame_kind {
    FRAME_PING = 1,      /* leader -> voter: term, number = moment of sending in microseconds of the sender's clock, given back. Payload
                          * only from who may act: the moment of the voter's latest pong, by the voter's clock (8 bytes; 0 = none
                          * lately), epoch and seq of the chair as applied here (8, 8) */
    FRAME_PONG,          /* its answer; payload: one byte, 1 = promised; the moment of sending by the voter's clock (8) */
    FRAME_RELEASE,       /* leader -> voter: term, number as in a ping. The promise of this term is over */
    FRAME_RELEASED,      /* its answer; payload: 1 = it may vote now, 1 = it may stand now */
    FRAME_PROPOSE,       /* follower -> leader: number = the issuer's own; payload: an entry */
    FRAME_REFUSED,       /* its answer when it did not go into the log: number; payload: one byte, 1 = not the leader, 2 = busy */
    FRAME_MARK_ASK,      /* payload: the sender's name and the mark of its data directory */
    FRAME_MARK_TELL,     /* payload: by which mark the asked node knows the sender from now on, and one byte of enum mark_standing */
    FRAME_MEMBERS_ASK,   /* number: which of them, from 0 */
    FRAME_MEMBERS_TELL,  /* term = index of the configuration; number; payload: how many (1), id (8), name, address ("" not told) */
    FRAME_KIND_COUNT
};

struct frame {
    enum frame_kind kind;
    uint64_t term, number;
    size_t length;
    uint8_t payload[FRAME_PAYLOAD_MAX];
};

struct streams_peer {
    uint64_t name_id;                            /* by which the transport knows the name; 0: nobody has this place */
    uint64_t id;                                 /* of the incarnation that is a member; 0: none, or not known */
    char address[STREAMS_ADDRESS_SIZE];          /* what the transport's connect is given */
};

struct streams_port {
    void *owner;
    /* A peer asks: `answer` is to be filled, or left with kind 0 for none. `peer` is its place. */
    void (*asked)(void *owner, int peer, const struct frame *frame, struct frame *answer);
    void (*answered)(void *owner, int peer, const struct frame *frame);
};

struct streams_counters { uint64_t unknown, crowded, nonsense, lost, refused_raft, strange; };     /* strange: of or for another incarnation */

struct streams;

/* `transport` is initialised and not yet started; it is started here, so that peers are heard before raft runs. */
int streams_open(uv_loop_t *loop, struct raft_uv_transport *transport, uint64_t own_name_id, const char *own_address,
                 const struct streams_port *port, struct streams **ret);
/* Who has this place from now on; streams with another who had it are closed. The own place stays free. */
void streams_put(struct streams *streams, int place, const struct streams_peer *peer);
/* This node's incarnation, 0 while it is none; and whether it knows who the members are: else raft's streams are taken of all peers. */
void streams_be(struct streams *streams, uint64_t own_id, bool knows_members);
/* What raft_uv_init is given. It serves one raft after the other; without one, peers' raft streams are closed at once. */
struct raft_uv_transport *streams_for_raft(struct streams *streams);
/* False: no stream to this peer yet, or its queue is full. It is not kept. */
bool streams_send(struct streams *streams, int peer, const struct frame *frame);
bool streams_is_open(const struct streams *streams, int peer);
/* Makes what is missing, closes what waits too long. To be called several times in a second. */
void streams_tick(struct streams *streams, struct fc_time now);
/* Breaks a stream on which answers do not come: a cut connection says nothing by itself. */
void streams_break(struct streams *streams, int peer);
struct streams_counters streams_counters(const struct streams *streams);
/* After raft is closed. `closed` is called when nothing of it is left on the loop; it is freed then. */
void streams_close(struct streams *streams, void (*closed)(void *owner), void *owner);

#endif
