/* The fleet in the running node: it is looked at (agent/survey.h), remembered, shown to doors, and orders about it are taken.
 *
 * With raft every node looks at everybody and has a picture of its own. With a shared store the leader looks, and the others read what it
 * writes. Without MySQLTopologyUser nobody looks. */
#ifndef FC_AGENT_FLEET_KEEPER_H
#define FC_AGENT_FLEET_KEEPER_H

#include "agent/doors/desk.h"
#include "agent/log.h"
#include "agent/picture.h"
#include "core/core.h"
#include "backends/fleet_store.h"
#include "backends/host.h"
#include "core/config.h"
#include "watch/watch.h"

#define FLEET_FLUSH_MS 1000            /* of a graceful stop */
#define FLEET_WAITERS_MAX 64           /* orders about the fleet whose end is awaited at a door */

struct fleet_keeper;

struct fleet_keeper_numbers {
    uint32_t known, clusters, under_way, urgent_under_way, waiting_rows;
    uint64_t begun, urged;
    struct watch_counts counts;
    bool is_looking;
    struct fleet_store_counts store;
};

struct fleet_keeper_port {
    void *owner;
    void (*ask)(void *owner, const struct store_request *request);    /* of the store: words of operators (STORE_WORD) */
    void (*feed)(void *owner, struct event *event);                   /* FLEET_SEEN: of servers in pools of managed clusters */
    const struct core *core;                                          /* whose pools these are */
    void (*was_read)(void *owner, enum fc_code code, const char *sentence);    /* the store, by fleet_keeper_read(); NULL: nobody waits for it */
};
/* Everything is borrowed and outlives it; `node` and `token` are shown. FC_BAD_CONFIG, FC_NO_MEMORY. */
enum fc_code fleet_keeper_open(const struct host *host, const struct config *config, const struct fleet_keeper_port *port, struct log *log,
                               const char *node, const char *token, struct fleet_keeper **ret, struct fc_err *err);
/* A STORE_WORD was answered. NULL is fine. */
void fleet_keeper_heard(struct fleet_keeper *keeper, const struct store_result *result);
/* Raft: a word of the log was applied on this node: a server that was named is looked at here too, one that was forgotten is forgotten. NULL is fine. */
void fleet_keeper_said(struct fleet_keeper *keeper, const struct fleet_word *word);
/* The store has changed under it (raft's log): words are read now and not at the next poll. NULL is fine. */
void fleet_keeper_look(struct fleet_keeper *keeper);
void fleet_keeper_close(struct fleet_keeper *keeper);          /* NULL is fine */
/* Leadership may have changed, or the server of the store on which it lies (an index into BackendServers; else 0). NULL is fine. */
void fleet_keeper_turn(struct fleet_keeper *keeper, bool leads, int server);
/* The store is read and nothing is looked at or written; its first reading is told to the port. For who has no leadership to wait for. */
void fleet_keeper_read(struct fleet_keeper *keeper, int server);
/* What waits for the store is written, or the bound is over: `done` comes once, later. */
void fleet_keeper_flush(struct fleet_keeper *keeper, void (*done)(void *owner), void *owner);
/* The configuration has been changed in place; its patterns were compiled when it was read. */
void fleet_keeper_reload(struct fleet_keeper *keeper);

/* NULL: no fleet is kept here. Borrowed until the loop's next turn. */
const struct picture *fleet_keeper_picture(struct fleet_keeper *keeper);
/* Answered once, finally, never from within; `ticket` is the caller's. False: too many wait. */
bool fleet_keeper_order(struct fleet_keeper *keeper, const struct fleet_order *order, uint64_t ticket, desk_reply *reply, void *waiter);
/* Who asked went away and is not told. An order goes on to its end, and keeps its place until then. NULL is fine. */
void fleet_keeper_drop_waiter(struct fleet_keeper *keeper, uint64_t ticket);
/* A page of the store: answered once, later; `ticket` is the caller's. False: too many are asked, or the store is not read yet. */
bool fleet_keeper_page(struct fleet_keeper *keeper, const struct fleet_page_asked *asked, uint64_t ticket, desk_report *reply, void *waiter);
/* False: no fleet is looked at here. */
bool fleet_keeper_numbers(struct fleet_keeper *keeper, struct fleet_keeper_numbers *to);

#endif
