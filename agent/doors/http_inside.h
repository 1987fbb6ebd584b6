/* What the parts of the HTTP door share: the door, a request on its way, a route, an answer. Nobody else includes this. */
#ifndef FC_HTTP_INSIDE_H
#define FC_HTTP_INSIDE_H

#include <cjson/cJSON.h>
#include <ev.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "agent/doors/desk.h"
#include "agent/doors/http.h"
#include "agent/doors/http_path.h"
#include "agent/doors/http_socket.h"
#include "agent/doors/http_tls.h"

#define HTTP_USER_SIZE 48             /* with "@http" it fits the 64 bytes of an order's `by` */

struct http_request;
struct http_answer;

typedef void http_handler(struct http_request *request, struct http_answer *answer);

/* ---- routes ---- */

enum http_right {
    HTTP_READ,                        /* everybody who is let in */
    HTTP_WRITE,                       /* orchestrator's W routes: as AuthenticationMethod and ReadOnly say */
    HTTP_ORDER,                       /* steering orders: the same, and a name or a local asker */
};

/* Of what a route's answer is made, when it may be given again while that is the same. */
enum http_keeps { HTTP_KEEPS_NOTHING = 0, HTTP_KEEPS_STATUS, HTTP_KEEPS_FLEET };

#define TAKES_FORCE 1
#define TAKES_WITHIN 2
#define TAKES_BECAUSE 4

struct http_route {
    const char *path;                 /* pattern, below URLPrefix */
    enum http_right right;
    http_handler *handle;
    const char *order;                /* for orders: its text, $1 and $2 being the path's parameters */
    int takes;                        /* TAKES_..., the query's arguments that the order understands */
    const char *meaning;
    enum http_keeps keeps;
};

/* The first route that fits the path, with its parameters; NULL when none. */
const struct http_route *http_route_find(const struct config *config, struct http_request *request, const char *url);
bool http_is_status_endpoint(const struct config *config, const char *url);

http_handler http_page;               /* http_routes.c */
http_handler http_health, http_ping, http_leader_check, http_headers, http_grab_election, http_no_alias;
http_handler http_live, http_ready, http_leader;                                            /* http_health.c */
http_handler http_pools, http_pool, http_picture, http_events, http_metrics, http_flat_metrics, http_reload;   /* http_steering.c */
http_handler http_explain, http_plan;                                                       /* http_steering.c */
http_handler http_order, http_reelect, http_verify, http_history;                           /* http_order.c */

http_handler http_fleet_read, http_fleet_order, http_fleet_page;                                             /* http_fleet.c */

http_handler http_raft_state, http_raft_leader, http_raft_health, http_raft_status, http_raft_peers, http_raft_snapshot;
http_handler http_raft_yield, http_raft_yield_hint, http_raft_add, http_raft_promote, http_raft_remove, http_raft_report;   /* http_raft.c */
void http_raft_in_health(struct http_request *request, cJSON *details);
bool http_raft_is_healthy(const struct status *status, const struct agreement_view *view);
/* Confirmed by the store a moment ago; a witness has none. */
bool http_is_healthy(const struct status *status);
/* The connection sleeps until its end is known (http_order.c). */
#define HTTP_ORDER_SIZE 160              /* as long as an order that a follower hands on */
/* An order about raft's members, waited for as long as raft's thread tries. */
void http_give_members(struct http_request *request, const char *order, struct http_answer *answer);
void http_give_yield(struct http_request *request, const char *node, struct http_answer *answer);
http_handler http_wait_for_snapshot;

/* ---- the fleet (http_fleet.c) ---- */

struct fleet_route;
/* The answer to its order, which was done. */
void http_fleet_answer(struct http_request *request, struct http_answer *answer);

/* ---- answers (http_answer.c) ---- */

struct http_answer {
    unsigned status;
    const char *type;
    char *body;                       /* from malloc; NULL = out of memory */
    size_t length;                    /* of the body */
    bool is_packed;                   /* gzip */
    bool asks_for_name;               /* 401: with the header that makes a browser ask */
    bool is_later;                    /* the connection sleeps; there is nothing to send yet */
};

void answer_json(struct http_answer *answer, unsigned status, char *body);                  /* takes the text over */
void answer_text(struct http_answer *answer, unsigned status, const char *type, char *body);
/* {"Code","Message","Details"}; takes `details` over, NULL is null. Lone quotes in the message are made harmless: the client
 * script runs xargs over it. */
void answer_envelope(struct http_answer *answer, unsigned status, bool is_ok, const char *message, cJSON *details);
void answer_error(struct http_answer *answer, enum fc_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Hands it to the connection and keeps it for who asks next, where the route says so; the body is gone afterwards. */
enum MHD_Result answer_send(struct http_answer *answer, struct http_request *request);

/* ---- answers that are given again (http_kept.c) ---- */

#define HTTP_KEPT_MAX 32
#define HTTP_KEPT_URL_SIZE 160

struct http_kept {
    char url[HTTP_KEPT_URL_SIZE];
    enum http_keeps keeps;
    uint64_t stamp, made;             /* the picture that it is made of; which one it was */
    ev_tstamp until;
    unsigned status;
    size_t length;
    bool is_packed;
    struct MHD_Response *response;    /* NULL: a free place */
};

/* What the picture is now; 0: nobody counts, and nothing is kept. */
uint64_t http_kept_stamp(struct http_door *door, enum http_keeps keeps);
struct http_kept *http_kept_find(const struct http_request *request, const char *url);       /* NULL: none that is good */
/* True: the response is the door's now. */
bool http_kept_put(struct http_request *request, const struct http_answer *answer, struct MHD_Response *response);
void http_kept_drop_all(struct http_door *door);
bool http_accepts_gzip(const struct http_request *request);

/* ---- answers that take more than a turn (http_later.c) ---- */

#define HTTP_PACK_LEAST 16384         /* shorter answers are sent as they are */

enum http_later { HTTP_LATER_NONE = 0, HTTP_LATER_WAITS, HTTP_LATER_READY };
struct pack_job;
struct fleet_sliced;

void http_later_open(struct http_door *door);
void http_later_close(struct http_door *door);           /* who waits is told that the node stops */
void http_later_forget(struct http_request *request);    /* the request goes away */
/* True: it is being packed, and is sent when that is done. */
bool http_later_pack(struct http_request *request, struct http_answer *answer);
/* request->sliced is told a slice a turn. */
void http_later_slice(struct http_request *request, struct http_answer *answer);
/* One more slice (http_fleet.c). True: it was the last, and the answer is there. */
bool http_fleet_slice(struct http_request *request, struct http_answer *answer);

/* ---- requests ---- */

enum http_order_state { HTTP_ORDER_NONE = 0, HTTP_ORDER_WAITING, HTTP_ORDER_ENDED };

struct http_request {
    struct http_door *door;
    struct MHD_Connection *connection;
    const struct http_route *route;
    const struct fleet_route *fleet_route;       /* NULL: none of those */
    char *fleet_details;              /* what an order took before it was given; from malloc */
    const char *url;
    const struct http_kept *kept;     /* the answer, when it is one that is given again */
    uint64_t stamp;                   /* of the picture when it was asked */
    enum http_later later;
    bool is_sliced;
    TAILQ_ENTRY(http_request) by_slice;
    struct fleet_sliced *sliced;
    struct pack_job *pack_job;
    struct http_answer ready;
    const char *parameter[HTTP_PARAMETERS_MAX];
    int parameter_count;
    char user[HTTP_USER_SIZE];        /* who asks: a name, else the address */
    bool is_named;                    /* `user` is a name that somebody vouches for */
    bool is_local;                    /* it comes from this host, and no proxy has touched it */
    bool may_only_look;               /* `multi`: the user readonly */
    size_t body_size;
    struct {
        enum http_order_state state;
        LIST_ENTRY(http_request) by_door;
        uint64_t ticket;
        ev_timer bound;
        enum fc_code code;
        char text[320];
        char said[160];                /* the order as given */
        char *report;                  /* of verify-backends and history: JSON from malloc; NULL else */
    } order;
    struct http_request *next_spare;
    struct http_path path;            /* last: it is large, and not cleared */
};

struct http_door {
    struct ev_loop *loop;
    const struct desk *desk;
    struct MHD_Daemon *mhd;
    struct http_socket socket;
    struct http_tls *tls;             /* NULL: plain HTTP */
    ev_io knock, ready;               /* a visitor; the library's own set */
    ev_timer wake, rest;
    bool is_full;                     /* nobody is let in until somebody leaves */
    LIST_HEAD(http_waiting, http_request) waiting;
    TAILQ_HEAD(http_sliced, http_request) sliced;
    ev_timer slice;
    struct pack_job *pack_job;        /* NULL: the packer is free */
    struct http_kept kept[HTTP_KEPT_MAX];
    uint64_t kept_count;
    size_t kept_bytes;
    struct http_request *spare;       /* requests that have ended: the next ones need no memory */
    int spare_count;
    struct http_door_counters counters;
};

const char *request_header(const struct http_request *request, const char *name);           /* NULL when absent */
/* The decoded query argument; false when it cannot be decoded or does not fit. Absent is "". */
bool request_argument(const struct http_request *request, const char *name, char *to, size_t size);
static inline const struct status *request_status(const struct http_request *request)
{
    return request->door->desk->status(request->door->desk->daemon);
}

/* ---- who asks, and what may they (http_auth.c) ---- */

/* Fills who asks. False: nobody whom we know, or without a certificate where one is wanted; the answer is 401. */
bool http_auth_enter(struct http_request *request, const char *url, struct http_answer *answer);
/* May they change something? False: the answer says why not. */
bool http_auth_change(struct http_request *request, enum http_right right, struct http_answer *answer);

/* ---- orders that wait (http_order.c) ---- */

/* May one more wait? False: the answer says why not. */
bool http_order_may_wait(const struct http_request *request, struct http_answer *answer);
/* The connection sleeps from here on, until http_order_replied() or the limit. Ticket 0: nobody took it up, and the answer says so. */
void http_order_wait(struct http_request *request, uint64_t ticket, int64_t limit_ms, struct http_answer *answer);
void http_order_reported(void *waiter, enum fc_code code, const char *text, const char *json);     /* a desk_report; likewise */
void http_order_replied(void *waiter, enum fc_code code, const char *text, bool is_final);  /* a desk_reply; the waiter is the request */
void http_order_answer(struct http_request *request, struct http_answer *answer);           /* after it has ended */
void http_order_forget(struct http_request *request);                                       /* the request goes away */
void http_order_end(struct http_request *request, enum fc_code code, const char *text);     /* and wakes the connection */
void http_door_wake(struct http_door *door);                                                /* http.c: run soon */

#endif
