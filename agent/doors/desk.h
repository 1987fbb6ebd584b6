/* What the daemon lends to its doors (order socket, HTTP): give an order, read the picture. One struct, no globals. */
#ifndef FC_AGENT_DESK_H
#define FC_AGENT_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/fleet_orders.h"
#include "act/orders.h"
#include "agent/agreement.h"
#include "base/err.h"
#include "core/config.h"
#include "core/status.h"

/* Called zero or more times with is_final false (progress), then once with true. Never from within desk->order. */
typedef void desk_reply(void *waiter, enum fc_code code, const char *text, bool is_final);

/* Called once, never from within desk->verify. `json` is the report of agent/verify.h, borrowed; NULL when there is none, and then
 * `text` says why. */
typedef void desk_report(void *waiter, enum fc_code code, const char *text, const char *json);

struct host;
struct transport_counts;
struct fleet_keeper_numbers;
struct picture;
struct fleet_page_asked;

/* Numbers of the process for /metrics, beside those in struct status. */
struct desk_counters {
    uint64_t agent_accepted, agent_answered, agent_refused_source, agent_dropped, agent_open, agent_unknown_target, agent_late;
    uint64_t orders_open, http_requests, redis_published, redis_dropped, store_requests, store_failures;
    int64_t process_start_unix_ms;
    const struct transport_counts *peer_streams;    /* raft's (backends/quorum/transport.h), borrowed; NULL in all other modes */
    const struct fleet_keeper_numbers *fleet;       /* agent/fleet_keeper.h, borrowed; NULL: no fleet is looked at here */
    bool has_raft;
    struct agreement_view raft;                     /* with has_raft */
};

struct desk {
    void *daemon;
    const struct host *host;                     /* whose workers pack large answers; NULL: none */
    const struct config *config;                 /* the one in force; changes with a reload */
    /* Gives an order in the grammar of core/act/orders.h. Returns a ticket for desk->forget. `by` = "user@door". */
    uint64_t (*order)(void *daemon, const char *text, size_t length, const char *by, bool may_change, desk_reply *reply,
                      void *waiter);
    /* Checks the servers of the pair now; whoever asks while that is under way gets the same report. Ticket as above; 0: too many
     * ask at one time. */
    uint64_t (*verify)(void *daemon, desk_report *reply, void *waiter);
    void (*forget)(void *daemon, uint64_t ticket);          /* the asker went away: no reply any more; the order goes on */
    const struct status *(*status)(void *daemon);           /* the picture, at most a few ms old; borrowed until the next call */
    enum fc_code (*reload)(void *daemon, struct fc_err *err);
    /* `explain` and `plan`: *json is from malloc (agent/explain_json.h); else one clear sentence. `by` and may_change are the
     * asker's, for the trial of an order. */
    enum fc_code (*explain)(void *daemon, const struct order *order, const char *by, bool may_change, char **json, struct fc_err *err);
    /* `history`: the lines that fit, as JSON (docs/operating.md). Ticket as above; 0: too many ask at one time. */
    uint64_t (*history)(void *daemon, const struct order *order, desk_report *reply, void *waiter);
    /* How raft stands here; false when it is not in use. NULL is fine: then it is not. Borrowed until the loop's next turn. */
    bool (*raft)(void *daemon, struct agreement_view *ret);
    /* A snapshot of raft's log now: reply once, finally. Ticket as above; 0: one is being taken. */
    uint64_t (*snapshot)(void *daemon, desk_reply *reply, void *waiter);
    /* What raft's nodes hold in common, as a JSON list of the lines of quorum/state_text.h. Ticket as above; 0: one is being made, or this node takes no part. */
    uint64_t (*backup)(void *daemon, desk_report *reply, void *waiter);
    void (*counters)(void *daemon, struct desk_counters *to);
    /* The fleet as it is known now (agent/picture.h), borrowed until the loop's next turn. NULL, or a NULL answer: no fleet is kept here. */
    const struct picture *(*picture)(void *daemon);
    /* A page of the store (agent/fleet_pages.h): a list as JSON. Ticket as above; 0: too many ask, or the store is not read yet. NULL: none. */
    uint64_t (*fleet_page)(void *daemon, const struct fleet_page_asked *asked, desk_report *reply, void *waiter);
    /* An order that fleet_order_check() has passed; borrowed for the call. Answered once, finally: done, in memory and durably in the
     * store where the order is remembered there. Ticket as above; 0: too many wait. NULL: none is taken here. */
    uint64_t (*fleet_order)(void *daemon, const struct fleet_order *order, desk_reply *reply, void *waiter);
};

#endif
