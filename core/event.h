/* Events: past-tense facts that the agent feeds into core_step, one at a time, each with its moment.
 *
 * Whatever comes by pointer is borrowed for the step. Every result of a deed comes back as an event, never on the spot. */
#ifndef FC_CORE_EVENT_H
#define FC_CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/moment.h"
#include "model/chair_words.h"
#include "model/decision.h"
#include "model/fleet_sight.h"
#include "model/look.h"
#include "model/mark.h"
#include "model/servers.h"
#include "model/settings.h"

struct config;

/* One server of one pool as an HAProxy sees it (haproxy/runtime.h reads it; this is what the core needs of it). */
struct proxy_row {
    char pool[64], server[64];
    bool is_usable;
    uint64_t epoch;              /* of the last answer it heard; 0 unknown */
    int sessions;                /* current; -1 unknown */
    char status[32];
    char last_agent[128];
};
#define PROXY_ROWS_MAX 96

/* Who asked a node's board for one server, and what it was told: of the two latest answers that were given in time. */
struct asked_row {
    char name[64], source[64];   /* as the asker calls itself ("" = it does not), and its address */
    uint64_t epoch;              /* of both answers; 0 = they differ */
    int64_t age_ms;              /* since the latest answer of any kind */
    int64_t first_age_ms;        /* since it was last told that this server is first; -1 = never */
    int64_t prompt_age_ms[2];    /* since the latest and the one before it, given within half the token check's time-out of
                                  * being asked, the same epoch; -1 = none */
};
#define ASKED_ROWS_MAX 16

#define EVENT_TABLE(X)                                                                                        \
    X(STARTED,       "the process has started; the configuration is in force")                                \
    X(WOKEN,         "the moment asked for by WAKE_AT has come")                                              \
    X(RELOADED,      "a new, checked configuration is in force")                                              \
    X(STOP_ASKED,    "a graceful stop is wanted")                                                             \
    X(SERVER_SEEN,   "a look at a server of the store has succeeded")                                         \
    X(SERVER_LOST,   "a look or the standing session has failed")                                             \
    X(SERVER_CHECKED, "a slow probe of a server has ended: its settings, or why there are none")              \
    X(LEASE_GRANTED, "this node leads in this epoch until the moment given")                                  \
    X(LEASE_DENIED,  "somebody else leads, or nobody does")                                                   \
    X(STORE_SILENT,  "the store has confirmed nothing for so long that the lease is over")                    \
    X(CHAIR_GRANTED, "a server sits at this epoch; again and again, with a later term")                       \
    X(CHAIR_REVOKED, "nobody sits: the chair is being moved")                                                 \
    X(DEED_ENDED,    "a deed asked for by an effect has ended, well or not")                                  \
    X(ORDER_GIVEN,   "somebody gave an order at a door")                                                      \
    X(PROXY_SEEN,    "an HAProxy's own view was read back")                                                   \
    X(PROXY_LOST,    "an HAProxy's runtime socket does not answer")                                           \
    X(ASKERS_SEEN,   "a node's board says who asked for a server, and what was heard")                         \
    X(SIGHT_SEEN,    "another node has told what it sees of a server, or could not be asked")                 \
    X(FLEET_SEEN,    "what is known of a server of a managed cluster's pool")

enum event_type {
#define X(name, meaning) name,
    EVENT_TABLE(X)
#undef X
    EVENT_TYPE_COUNT
};

/* Deeds whose end is reported by DEED_ENDED. */
enum deed {
    DEED_NONE = 0,
    DEED_INTEND,       /* the intent is written (and seen on the other server, when the old one lives) */
    DEED_FENCE,        /* read_only read back, no client session left */
    DEED_CATCH_UP,     /* the new server has applied everything it could fetch */
    DEED_SEAT,         /* the deciding row names the new server */
    DEED_OPEN,         /* read_only is off, read back */
    DEED_HOLD,         /* a hold is stored */
    DEED_ORDER,        /* an order is laid into the store, or its answer */
    DEED_GIVE_BACK,    /* the lease is given back */
    DEED_MEMBERS,      /* a member of the raft group is added, promoted or removed */
    DEED_PREPARE,      /* the schema is there */
    DEED_PUSH,         /* an HAProxy took the push */
    DEED_ALONE,        /* the log of a server that was replaced unfenced is read */
    DEED_RESUME,       /* a replica was told to fetch again */
    DEED_COUNT
};

struct event {
    enum event_type type;
    struct fc_time at;               /* CLOCK_BOOTTIME: decides */
    int64_t unix_ms;                 /* wall clock: shown and recorded, never decided upon */
    union {
        struct { const struct config *config; const char *node; uint64_t seed; } started;   /* RELOADED too */
        struct { int server; struct fc_time sent_at; const struct server_look *look; } seen;
        struct {
            int server; enum loss loss;
            bool is_unconnected;         /* LOSS_SILENT: no connection came about, so this look left no session there */
            struct fc_time sent_at;      /* right before it was asked: what it tells is not older. Of a session that ended: when that was found */
            char text[160];
        } lost;
        struct { int server; enum loss loss; const struct server_settings *settings; char text[160]; } checked;   /* NULL: not read */
        struct { uint64_t epoch; struct fc_time until; int place; } lease;                   /* LEASE_GRANTED; place: server the lease lies on */
        struct { uint64_t epoch; char leader[NODE_NAME_SIZE]; char why[WHY_SIZE]; } denied;  /* LEASE_DENIED, STORE_SILENT */
        struct { struct decision decision; struct fc_time until; struct chair_words words; } chair;      /* CHAIR_GRANTED, _REVOKED; words: to a witness */
        struct {
            enum deed deed;
            uint64_t id;                 /* as in the effect */
            int server;
            enum fc_code code;
            char text[200];              /* the sentence when code is not FC_OK; else a remark, may be "" */
            struct log_position position;/* DEED_FENCE: where the old server's log ends */
            struct alone alone;          /* DEED_ALONE */
            bool is_durable_on_all;      /* DEED_HOLD, DEED_INTEND: read back on every server; else on one */
        } ended;
        struct {
            uint64_t ticket;             /* answered by ORDER_REPLY with the same ticket, once finally */
            const char *text; size_t length;
            char by[64];                 /* user@door, for the record */
            bool may_change;             /* the asker has the authority for orders that change something */
        } order;
        struct {
            int proxy; int count; const struct proxy_row *rows;
            struct fc_time sent_at;          /* when it was asked: the view is not older */
            int64_t uptime_ms;               /* of the HAProxy process that answered; -1 unknown. What an older one left behind
                                              * by a reload still does, no view shows */
        } proxy;
        struct {
            char node[NODE_NAME_SIZE];       /* whose board */
            char pool[64], server[64];
            struct fc_time sent_at;          /* when it was asked: the ages count from there at the earliest, from `at` at the latest */
            int count; const struct asked_row *rows;
        } askers;
        struct { int proxy; char text[160]; } proxy_lost;
        struct { int pool, member; struct fleet_sight sight; } fleet;
        struct { char node[NODE_NAME_SIZE]; int server; struct sight told; } sight;      /* never SIGHT_UNKNOWN */
    } as;
};

const char *event_type_word(enum event_type type);
const char *deed_word(enum deed deed);

#endif
