/* What one probe of a server of our own store saw: one round trip, folded into plain values by the store.
 *
 * A store has one or more servers, numbered from 0 in the order of the configuration. SQLite and a single shared MySQL
 * have one; the master-master pair has two (or more). Only facts stand here; judgement is in steer/. */
#ifndef FC_MODEL_LOOK_H
#define FC_MODEL_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"
#include "model/decision.h"

#define STORE_SERVERS_MAX 4     /* servers of our own backend: two is usual; the bound keeps the tables small */
#define HOLDS_MAX 32            /* operator's holds that are kept at one time */
#define ORDERS_MAX 8            /* asked orders that are carried in one look */
#define FILE_SIZE 64            /* a binary log's file name */
#define GTID_SIZE 256           /* longer sets are cut: they are shown, never compared */

enum thread_state { THREAD_ABSENT = 0, THREAD_STOPPED, THREAD_CONNECTING, THREAD_RUNNING };

struct log_position {
    char file[FILE_SIZE];
    uint64_t offset;
};

struct replica_look {
    bool is_configured;               /* SHOW SLAVE STATUS has a row */
    enum thread_state io, sql;        /* io CONNECTING: its master is lost to it */
    int64_t lag_ms;                   /* Seconds_Behind_Master * 1000; -1 unknown (NULL) */
    char master[IDENTITY_SIZE];       /* host:port it replicates from */
    struct log_position read;         /* of the master's log: fetched */
    struct log_position applied;      /* of the master's log: executed. read == applied: nothing waits in the relay log */
    char error[160];                  /* Last_SQL_Error or Last_IO_Error, plain */
    bool is_torn;                     /* io STOPPED by an error of the way there (1595, 1743), sql runs: begun again, it goes on */
    bool is_refused;                  /* io CONNECTING, and its last attempt found that nobody listens there any more */
};

/* An operator's hold on a server of a pool (or on the whole pool, server ""), as stored. Higher rank wins. */
enum hold_kind { HOLD_NONE = 0, HOLD_MAINT, HOLD_DRAIN, HOLD_PAUSE, HOLD_PIN, HOLD_KIND_COUNT };

struct hold {
    char pool[64];
    char server[64];                  /* the server's name in the pool; "" = the pool itself (pause) */
    enum hold_kind kind;
    uint64_t epoch, seq;              /* rank of this hold's row, raised at each change */
    int64_t since_unix_ms;            /* wall clock of the node that took the order; shown, and orders two of the same turn */
    char by[64];                      /* who ordered it */
    char why[WHY_SIZE];
};

/* An order that a follower laid into the store for the leader. */
enum order_state { ORDER_ASKED = 0, ORDER_DONE, ORDER_REFUSED, ORDER_STATE_COUNT };

#define ORDER_ID_CHANCE_BITS 12

struct stored_order {
    uint64_t id;                      /* unique, below 2^53: the moment when it was asked (Unix ms) and chance */
    enum order_state state;
    char text[160];                   /* in the grammar of act/orders */
    char by[64];                      /* who gave it, and at which node */
    char node[NODE_NAME_SIZE];        /* the node that waits for the answer */
    char answer[256];
};

struct server_look {
    char identity[IDENTITY_SIZE];     /* server_uuid, or server_id with the creation mark; never the address */
    char version[64];
    uint32_t server_id;
    bool is_read_only;
    char boot_read_only[8];           /* first look of a session: read_only as the server started; "" not asked, or SET since */
    bool has_schema;                  /* our tables are there; without them there is no lease, hold or order below */
    struct log_position written;      /* SHOW MASTER STATUS */
    char gtid[GTID_SIZE];
    struct replica_look replica;
    struct decision lease;            /* as stored on this server */
    int hold_count;
    struct hold holds[HOLDS_MAX];
    int order_count;
    struct stored_order orders[ORDERS_MAX];   /* asked, and the answered ones of this node */
    char foreign_owner[NODE_NAME_SIZE];       /* active_node's owner when it is no firstchair node; "" otherwise */
    char foreign_stamp[32];                   /* its last_seen_active as text: fresh = it changes while we watch */
    bool is_fixed_writable;           /* no server to be opened or fenced (SQLite, a proxy's address): chair rules do not apply */
};

/* How a server was lost. A lost connection is an event, not an error. */
enum loss {
    LOSS_NONE = 0,
    LOSS_ENDED,          /* the standing session ended or was reset */
    LOSS_REFUSED,        /* connect: refused; with ended sessions = the process is gone */
    LOSS_SILENT,         /* no answer within the bound: frozen or cut */
    LOSS_DENIED,         /* wrong password or missing privilege: it lives, and we cannot look */
    LOSS_BROKEN,         /* answered nonsense or an error where none may be */
    LOSS_COUNT
};

/* What a session was lost in. IDLE: between two looks or probes, told by the kernel. */
enum probe_phase { PROBE_RESOLVING = 0, PROBE_CONNECTING, PROBE_GREETING, PROBE_READING, PROBE_IDLE };

const char *loss_word(enum loss loss);
const char *thread_state_word(enum thread_state state);
const char *hold_kind_word(enum hold_kind kind);
/* < 0, 0 or > 0: epoch, seq; of one turn (two leaders that did not know of each other) by since, kind's word, by, why, texts
 * bytewise. The same order as the SQL row comparison, so that both servers and every node keep the same one. */
int hold_compare(const struct hold *a, const struct hold *b);
bool hold_kind_from_word(const char *word, enum hold_kind *ret);
const char *order_state_word(enum order_state state);
bool order_state_from_word(const char *word, enum order_state *ret);

bool log_position_is_same(const struct log_position *a, const struct log_position *b);
/* A replica that lives, replicates and has nothing left to apply of what it fetched. */
bool replica_is_drained(const struct replica_look *replica);

#endif
