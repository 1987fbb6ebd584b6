/* The streams between raft's peers: a struct raft_uv_transport in the place of raft_uv_tcp, with authentication.
 *
 * Who is who: raft knows a member by its id and its NAME. Wherever raft's interface says "address" (raft_init, raft_add,
 * raft_configuration_add, raft_leader) it is given the name; where a name lives is asked of `lookup` and resolved anew at each
 * connect, off the loop. So a peer may move to another address without a change of membership, and an address alone is nobody.
 *
 * A stream carries nothing of raft's before both ends have proven that they hold the same key (quorum/handshake.h); after that
 * each record on the wire is sealed under a key of this one stream (quorum/seal.h). Raft is handed one end of a local pair of
 * sockets and keeps its own framing. A stream carries bytes both ways and says nothing of its own; either end's close ends it. A
 * peer may have several (raft's, and ours of quorum/streams.h); of too many the oldest is ended, and so are those that a process
 * of the peer left behind. When a cut is healed, one that comes through brings the others back: what waits for TCP to try again is
 * begun anew.
 *
 * Everything runs on the thread of the uv loop, and so are all callbacks; only the counters are read from elsewhere. No callback
 * is called from within transport_init. The process must ignore SIGPIPE. */
#ifndef FC_BACKENDS_QUORUM_TRANSPORT_H
#define FC_BACKENDS_QUORUM_TRANSPORT_H

#include <raft.h>
#include <raft/uv.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/quorum/peer_key.h"
#include "base/err.h"
#include "core/config.h"

/* Accepted streams of one peer: two in use, and some that were cut and that nobody has found dead yet. */
#define TRANSPORT_STREAMS_PER_PEER 8

/* What may happen to a stream, counted. One table (transport_counts.c) gives each its name and meaning. */
enum transport_count {
    TRANSPORT_ACCEPTED,            /* a peer proved itself to us; raft reads from it */
    TRANSPORT_CONNECTED,           /* we and a peer proved ourselves; raft writes to it */
    TRANSPORT_CLOSED,              /* of the two above, those that have ended since */
    TRANSPORT_REPLACED,            /* of those, ended because the peer came anew or too often, or could be reached by another one only */
    TRANSPORT_GARBAGE,             /* no handshake of ours, or of another version */
    TRANSPORT_WRONG_CLUSTER,
    TRANSPORT_WRONG_PROOF,         /* another key, or something said before and said again */
    TRANSPORT_UNKNOWN_PEER,        /* has the key, and is nobody that we know */
    TRANSPORT_OTHER_NAME,          /* a known id under another name: an id given twice */
    TRANSPORT_OWN_ID,              /* says that it is us: an id given twice, or our own stream come back */
    TRANSPORT_TWIN,                /* a second process with the id and name of a peer that is connected and alive */
    TRANSPORT_WRONG_ADDRESSEE,     /* meant for somebody else: a name that leads to the wrong place */
    TRANSPORT_TOO_SLOW,            /* not through with the handshake in time */
    TRANSPORT_PUSHED_OUT,          /* too many in their handshake: the oldest goes first */
    TRANSPORT_LOST,                /* ended or failed in the midst of the handshake */
    TRANSPORT_FORGED,              /* a record that was not sealed by the peer: the stream is ended */
    TRANSPORT_UNRESOLVED,          /* a peer's name did not resolve */
    TRANSPORT_UNREACHED,           /* no address of a peer took our connection */
    TRANSPORT_REFUSED_US,          /* the peer closed on our proof, or said why not */
    TRANSPORT_COUNT_KINDS
};

struct transport_counts {          /* starts zeroed; read by any thread at any time, memory_order_relaxed */
    _Atomic uint64_t of[TRANSPORT_COUNT_KINDS];
    _Atomic uint64_t bytes_sent, bytes_received;     /* of raft's own, without seals */
    _Atomic uint32_t half_open;                      /* accepted and not proven, at this moment */
};

struct transport_count_row { const char *name; const char *meaning; };    /* name as in metrics: "wrong_proof" */
extern const struct transport_count_row transport_count_table[TRANSPORT_COUNT_KINDS];

struct transport_peer {
    raft_id id;
    char name[NODE_NAME_SIZE];     /* text_is_name */
    char address[ADDRESS_SIZE];    /* "host:port", "[v6]:port"; the host may be a name */
};

struct transport_config {
    raft_id id;                            /* ours; the same as given to raft_init, not 0 */
    char name[NODE_NAME_SIZE];             /* ours; the same as raft_init's "address" */
    char cluster[NODE_NAME_SIZE];          /* text_is_name; peers of another cluster are turned away before anything else */
    char listen[ADDRESS_SIZE];             /* "host:port" or ":port" of all addresses; port 0 takes a free one */
    struct peer_key key;                   /* copied, wiped at transport_done */

    int connect_limit_ms;                  /* one connect of ours: all of lookup, addresses and handshake */
    int handshake_limit_ms;                /* one handshake of who connects to us */
    int silence_limit_ms;                  /* unanswered keepalives or data of a proven stream end it after about so long */
    int half_open_max;                     /* accepted connections that are not proven yet; the oldest goes first */
    int half_open_per_address_max;         /* of those, from one address; its oldest goes first */

    void *owner;
    /* The peer with this id: false when there is none. Our own id need not be known. May change its answer at any time; whom it
     * no longer knows gets no new stream. */
    bool (*lookup)(void *owner, raft_id id, struct transport_peer *ret);
    /* One sentence for the log, with the other end's address and no secret; at most a few of a kind in ten seconds, then how many
     * were left out. May be NULL. */
    void (*say)(void *owner, enum transport_count kind, const char *sentence);
};

/* Presets of the five bounds above, for a LAN: 1000 ms, 1000 ms, 5000 ms, 64, 16. */
void transport_config_preset(struct transport_config *config);

/* Fills *ret, to be handed to raft_uv_init. FC_BAD_CONFIG names what is wrong. `counts` outlives it. Listens only when raft
 * starts (raft_start fails with RAFT_IOERR and the sentence in errmsg when the address is taken). */
enum fc_code transport_init(struct raft_uv_transport *ret, struct uv_loop_s *loop, const struct transport_config *config,
                            struct transport_counts *counts, struct fc_err *err);
/* After raft_close has called back and raft_uv_close is through; the loop must have run until then. Half-built is fine. */
void transport_done(struct raft_uv_transport *transport);

/* The port listened at, in host order; 0 while none is. */
int transport_port(const struct raft_uv_transport *transport);
/* When a sealed record of this peer last came, in uv_now()'s milliseconds; 0 = never in this process. */
uint64_t transport_heard_ms(const struct raft_uv_transport *transport, raft_id id);

#endif
