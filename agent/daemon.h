/* The process around the core: every fact becomes an event, every effect a deed. What is wired to what is decided once, at
 * the start: which store, which source of leadership, which doors. */
#ifndef FC_AGENT_DAEMON_H
#define FC_AGENT_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/agreement.h"
#include "agent/askers.h"
#include "agent/config_file.h"
#include "agent/doors/agent_listener.h"
#include "agent/doors/board.h"
#include "agent/doors/desk.h"
#include "agent/doors/http.h"
#include "agent/doors/order_socket.h"
#include "agent/log.h"
#include "agent/loop.h"
#include "agent/peers.h"
#include "agent/proxies.h"
#include "agent/recorder.h"
#include "agent/sights.h"
#include "agent/verify.h"
#include "backends/lease.h"
#include "backends/redis.h"
#include "agent/explain_json.h"
#include "agent/fleet_keeper.h"
#include "agent/historian.h"
#include "backends/store.h"
#include "base/room.h"
#include "core/core.h"

#define DAEMON_CHECK_LIMIT_MS 5000   /* a check has its own session; nothing but people waits for it */
#define DAEMON_QUEUE_MAX 256         /* events that the performers of one step may cause */
#define DAEMON_VERIFY_WAITERS_MAX 32
#define DAEMON_VERIFY_MARK (UINT64_C(1) << 62)      /* no deed of the core has so high a number */
#define DAEMON_WAITERS_MAX 128       /* orders whose answer is awaited at a door */

struct waiter { uint64_t ticket; desk_reply *reply; void *waiter; };
struct verify_waiter { uint64_t ticket; desk_report *reply; void *waiter; };
struct laid_order { uint64_t ticket; bool may_change; char by[64]; char text[ORDER_TEXT_MAX]; size_t length; };

struct daemon {
    struct loop *loop;
    const struct host *host;
    struct log log;
    struct room room;
    char config_path[512];           /* "" = the usual places */
    struct config *config;           /* in force */
    char token[65], node[NODE_NAME_SIZE], version[32];

    struct core *core;
    struct effects effects;
    struct event queue[DAEMON_QUEUE_MAX];    /* without pointers: only what lease and deeds say */
    int queue_head, queue_count;
    bool is_feeding;

    struct store *store;
    struct leader_source source;             /* the lease below, or raft: chosen at the start */
    struct lease lease;
    struct agreement *agreement;             /* raft; NULL in all other modes */
    struct board *board;
    struct agent_listener *listener;
    struct order_socket *orders;
    struct http_door *http;
    struct redis *redis;
    struct peers *peers;
    struct askers *askers;
    struct sights *sights;
    struct proxies *proxies;
    struct recorder *recorder;
    struct fleet_keeper *fleet;
    struct fleet_keeper_numbers fleet_numbers;
    struct historian *historian;
    struct explain_desk *explaining;
    struct desk desk;

    struct host_timer *core_timer, *lease_timer, *order_timer, *publish_timer, *look_timer;
    struct fc_time looked_for_peer_at;

    struct verify_waiter backup_waiter;      /* of raft's state; ticket 0: none */
    struct waiter snapshot_waiter;           /* raft's snapshot under way; ticket 0: none, or whoever asked went away */
    bool is_snapshotting;
    struct waiter waiters[DAEMON_WAITERS_MAX];
    uint64_t next_ticket;
    struct verification *verification;       /* under way; NULL none */
    struct verify_waiter verify_waiters[DAEMON_VERIFY_WAITERS_MAX];
    struct host_timer *verify_timer;         /* begins one, or says why not, at the next turn of the loop */
    struct laid_order laid[16];      /* given at a door, fed at the next turn of the loop */
    int laid_count;

    struct status status;
    struct fc_time status_at;
    uint64_t status_seq, core_seq;   /* published seq (rises with the wall clock, so nodes can be compared) and the core's */
    uint64_t store_requests, store_failures, registrations, published_event_seq;
    struct ev_signal on_hup, on_term, on_int;
    int64_t started_unix_ms;
};

/* Everything is opened here or nothing: on failure err says in one sentence what was wrong. */
enum fc_code daemon_open(const char *config_path, struct config *config, struct daemon **ret, struct fc_err *err);
void daemon_run(struct daemon *daemon);
void daemon_close(struct daemon *daemon);        /* NULL is fine */

/* The whole program is this function, fed by every watcher. */
void daemon_feed(struct daemon *daemon, struct event *event);

/* deeds.c */
void effect_perform(struct daemon *daemon, const struct effect *effect);
void daemon_store_heard(void *daemon, const struct store_result *result);
void daemon_session_ended(void *daemon, int server, enum loss loss, const char *text);
/* Where a write without a server of its own goes: the seated server, else where the lease lies, else the first that answers. */
int daemon_write_server(const struct daemon *daemon);
void daemon_look(struct daemon *daemon, int server);
/* The historian's port. */
int daemon_history_place(void *daemon, bool *by_fence);
bool daemon_is_in_sight(void *daemon, int server);

/* publish.c: the picture, for doors and Redis. */
const struct status *daemon_status(void *daemon);
enum fc_code daemon_explain(void *daemon, const struct order *order, const char *by, bool may_change, char **json, struct fc_err *err);
uint64_t daemon_history(void *daemon, const struct order *order, desk_report *reply, void *waiter);
void daemon_publish_soon(struct daemon *daemon);
enum fc_code publish_open(struct daemon *daemon, struct fc_err *err);

#endif
