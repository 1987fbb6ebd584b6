/* The arbiter `quorum`: who leads and who sits in the chair of the own pair, decided by raft's log. spec/steering.md 5 and 9.
 *
 * The deciding row (model/decision.h) lies in the log: an entry replaces it only over the very rank that it names, so of two
 * decisions one stands, on every node the same. A node that raft lets act first lays a row of its own there (a new epoch, the same
 * chair); only then it leads. INTEND and SEAT are entries. The servers' own tables get the leader's row as well, as a maximum: what
 * opens a server is evaluated by that server against its row (STORE_OPEN), and other tools read it there (replication brings it to the
 * second server; where it does not for as long as `watch`, it is written there as well). What stands in a server's
 * table decides nothing, except for the epoch: it never falls, so a higher one found there is gone beyond.
 *
 * Terms: a node speaks of the chair for `term_ms` from the latest moment at which who might act is known to have had the same one
 * (quorum_view.voiced_at). A node without a majority hears nothing of the kind and is silent before the wait for unfenced servers is
 * over, which counts the whole term from the revoke.
 *
 * `place`, on which the lease is said to lie: the server that sits, until it has been out of sight for as long as others would have
 * to watch (lease_watch_span); then the first one in sight, which tells the core that it is out of sight for good.
 *
 * All functions are called from the pump's thread. */
#ifndef FC_BACKENDS_QUORUM_CHAIR_H
#define FC_BACKENDS_QUORUM_CHAIR_H

#include "backends/foreign.h"
#include "backends/leader_source.h"
#include "backends/quorum/quorum_lead.h"
#include "backends/store.h"

struct quorum_chair_settings {
    int term_ms, probe_timeout_ms, renew_ms;
    struct fc_span watch;                        /* as in `place` above */
    int server_count;                            /* 0 on a witness: it takes no chair, and passes on what it is told of it */
    char pool[64], names[STORE_SERVERS_MAX][CHAIR_NAME_SIZE];     /* BackendPool, and the servers as BackendServers calls them */
};

struct quorum_chair_port {
    void *owner;
    void (*ask)(void *owner, const struct store_request *request);      /* STORE_RENEW at the pair; its result comes by `wrote` */
    void (*say)(void *owner, const struct event *event);                /* `at` and `unix_ms` are filled by the host */
    void (*note)(void *owner, const char *sentence);
};

struct quorum_chair;

enum fc_code quorum_chair_open(const struct host *host, const struct quorum_settings *settings, const struct quorum_chair_settings *own,
                               const struct quorum_chair_port *port, struct quorum_chair **ret, struct fc_err *err);
void quorum_chair_close(struct quorum_chair *chair);                     /* NULL is fine */
struct leader_source quorum_chair_as_source(struct quorum_chair *chair);
void quorum_chair_retime(struct quorum_chair *chair, const struct quorum_chair_settings *own);      /* a reload: times only */
const struct quorum_view *quorum_chair_view(const struct quorum_chair *chair);
const struct quorum_settings *quorum_chair_quorum_settings(const struct quorum_chair *chair);
/* As quorum_store_snapshot and quorum_store_backup. */
bool quorum_chair_backup(struct quorum_chair *chair, void (*done)(void *owner, enum fc_code code, const char *text, const char *backup),
                         void *owner);
bool quorum_chair_snapshot(struct quorum_chair *chair, void (*done)(void *owner, enum fc_code code, const char *text), void *owner);

#endif
