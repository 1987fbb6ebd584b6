/* Joins the two halves: gives a quorum (quorum.h) our authenticated transport (transport.h) in the place of the library's own.
 *
 * A node is known by its name, and to the transport by the digest of that, as quorum_member_id makes it. Where it lives is kept here:
 * at the start as RaftNodes has it, then as the quorum knows it. Which incarnation of a name stands there is told on the streams. */
#ifndef FC_BACKENDS_QUORUM_PEER_STREAMS_H
#define FC_BACKENDS_QUORUM_PEER_STREAMS_H

#include <stdatomic.h>
#include <uv.h>

#include "backends/quorum/quorum.h"
#include "backends/quorum/transport.h"

#define PEER_SENTENCES_MAX 32            /* that wait for the log; the transport says few of a kind, and what is more is counted */

struct peer_sentence { enum transport_count kind; char text[320]; };

struct peer_streams {
    struct transport_config config;      /* presets; the bounds may be changed after peer_streams_init */
    struct transport_counts counts;      /* for metrics, by any thread */
    struct transport_peer peers[ROSTER_PLACES_MAX];      /* after make: the quorum's thread's alone */
    int peer_count;
    atomic_bool is_in_use;               /* between make and done, on the quorum's thread */
    uv_mutex_t door;                     /* of the ring: raft's thread puts in, the pump takes out */
    struct peer_sentence sentences[PEER_SENTENCES_MAX];
    unsigned put, taken;
};

/* Takes the members' addresses over from `settings`, and sets settings->transport. *ret
 * is to stay where it is, and until quorum_close is through. FC_BAD_CONFIG when a member's address or name cannot be used. */
enum fc_code peer_streams_init(struct peer_streams *ret, struct quorum_settings *settings, const char *cluster, const char *listen,
                               const struct peer_key *key, struct fc_err *err);
/* The next sentence for the log (who came, who was turned away and from where); false when there is none. Any thread. */
bool peer_streams_said(struct peer_streams *streams, struct peer_sentence *ret);
/* After quorum_close. False where the quorum's thread is not through (it hangs in its disk): it keeps using all of this, which must
 * then stay where it is to the process's end. Else wipes the key. */
bool peer_streams_done(struct peer_streams *streams);

#endif
