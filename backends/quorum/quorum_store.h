/* The mode raft, as the pump sees it: a store, and where leadership comes from.
 *
 * The store: each node has a private one (SQLite or MySQL), from which looks and readings are answered. What all nodes hold in
 * common (holds, orders and their answers, history) goes through the log instead; each node then applies the log's entries to its
 * private store, in the log's order, one after the other, by the same statements. A request of this kind is answered when the log
 * has it and the private store was asked to apply it: if that one is broken, the answer stands (a majority of the nodes has it),
 * and applying is tried again until it succeeds.
 *
 * Leadership: the quorum's picture, told as LEASE_GRANTED (epoch = raft's term), LEASE_DENIED and STORE_SILENT. A new leader first
 * applies to its private store what was decided before. */
#ifndef FC_BACKENDS_QUORUM_QUORUM_STORE_H
#define FC_BACKENDS_QUORUM_QUORUM_STORE_H

#include "backends/leader_source.h"
#include "backends/quorum/quorum.h"
#include "backends/store.h"
#include "core/event.h"

#define QUORUM_STORE_WAITING_MAX QUORUM_PROPOSALS_MAX
#define QUORUM_STORE_QUEUE_MAX 8192    /* entries to be applied; beyond, the whole state is applied in their place */

struct quorum_store_port {
    void *owner;
    void (*say)(void *owner, const struct event *event);       /* `at` and `unix_ms` are filled by the host */
    void (*look)(void *owner, int server);                     /* the private store has changed */
    void (*note)(void *owner, const char *sentence);           /* for the log */
    void (*said)(void *owner, const struct fleet_word *word);  /* an entry of the log was applied here: also one of before a restart. NULL: nobody listens */
};

struct quorum_store;

/* Takes `settings` as they are; opens directory and thread. The private store is opened by `open_below`, which is given the
 * functions and the listener that are to hear it. What is heard of requests given to the store itself is told to `heard`. */
typedef enum fc_code quorum_store_below(void *owner, store_heard *heard, store_session_ended *session_ended, void *listener,
                                        struct store **ret, struct fc_err *err);
enum fc_code quorum_store_open(const struct host *host, const struct quorum_settings *settings, quorum_store_below *open_below,
                               const struct quorum_store_port *port, store_heard *heard, store_session_ended *session_ended, void *listener,
                               struct quorum_store **ret, struct fc_err *err);
/* Closed by store_close. */
struct store *quorum_store_as_store(struct quorum_store *store);
struct leader_source quorum_store_as_source(struct quorum_store *store);
/* The last picture; borrowed. */
const struct quorum_view *quorum_store_view(const struct quorum_store *store);
const struct quorum_settings *quorum_store_settings(const struct quorum_store *store);
int quorum_store_unapplied(const struct quorum_store *store);
/* A snapshot now. `done` is called once, later, never from within. False: one is being taken. */
bool quorum_store_snapshot(struct quorum_store *store, void (*done)(void *owner, enum fc_code code, const char *text), void *owner);
/* The shared state as this node has it, as text (state_text.h; NULL: none, and `text` says why). `done` as above. False: one is being made.
 * The private store is given the whole state once more with it. */
bool quorum_store_backup(struct quorum_store *store, void (*done)(void *owner, enum fc_code code, const char *text, const char *backup), void *owner);

#endif
