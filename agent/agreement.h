/* The mode raft, put together from the configuration: members, directory, transport; then either a private store behind the log, or
 * the chair of a pair in the log. */
#ifndef FC_AGENT_AGREEMENT_H
#define FC_AGENT_AGREEMENT_H

#include "backends/quorum/quorum_chair.h"
#include "backends/quorum/quorum_store.h"
#include "core/config.h"

struct agreement;

/* What the doors are told of raft: /api/raft-*. */
struct agreement_view {
    const struct quorum_view *quorum;
    const struct quorum_settings *settings;
    int own;
    char address[ADDRESS_SIZE];          /* RaftAdvertise, or this node's own of RaftNodes */
    const char *bind;
    struct fc_time now;
    int unapplied;                       /* entries that the private store has still to take */
};

/* `node` is NAME~MARK. FC_BAD_CONFIG, FC_STORE: one sentence. */
enum fc_code agreement_open(const struct host *host, const struct config *config, const char *node, quorum_store_below *open_below,
                            const struct quorum_store_port *port, store_heard *heard, store_session_ended *session_ended, void *listener,
                            struct agreement **ret, struct fc_err *err);
enum fc_code agreement_open_chair(const struct host *host, const struct config *config, const char *node, int server_count,
                                  const struct quorum_chair_port *port, struct agreement **ret, struct fc_err *err);
void agreement_retime(struct agreement *agreement, const struct config *config);     /* a reload */
struct store *agreement_store(struct agreement *agreement);          /* NULL with a pair; closed by its owner, before agreement_free */
struct leader_source agreement_source(struct agreement *agreement);
void agreement_view(const struct agreement *agreement, struct agreement_view *ret);
/* The address by which a node of the roster is shown; own: RaftAdvertise. */
const char *agreement_address(const struct agreement_view *view, int member);
/* Who came to the peers' port, and what became of it: for metrics. */
const struct transport_counts *agreement_peer_counts(const struct agreement *agreement);
bool agreement_snapshot(struct agreement *agreement, void (*done)(void *owner, enum fc_code code, const char *text), void *owner);
bool agreement_backup(struct agreement *agreement, void (*done)(void *owner, enum fc_code code, const char *text, const char *backup), void *owner);
void agreement_free(struct agreement *agreement);                    /* NULL is fine */

#endif
