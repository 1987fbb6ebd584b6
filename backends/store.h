/* The store: what must survive a restart and be seen by the other nodes. One interface, several kinds:
 * SQLite file (worker thread), one MySQL, a master-master pair (async, direct connections to each server).
 *
 * Every request returns at once; its result comes later through `heard`, exactly once, from the loop's thread, never from
 * within store_ask. Requests to one server of one kind of session are done in the order asked. A request that is not done
 * within its bound ends with FC_TIMEOUT. Nothing is retried silently: who asked decides. */
#ifndef FC_BACKENDS_STORE_H
#define FC_BACKENDS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/fleet/fleet_row.h"
#include "backends/host.h"
#include "base/err.h"
#include "base/moment.h"
#include "core/config.h"
#include "core/effect.h"
#include "model/decision.h"
#include "model/look.h"
#include "model/mark.h"
#include "model/settings.h"

struct mysql_rows;

enum store_deed {
    STORE_LOOK,        /* one round trip: everything of struct server_look */
    STORE_PREPARE,     /* look into the catalogue, create what is missing, lay the zero row; safe to repeat */
    STORE_RENEW,       /* write `row` as a maximum, read back */
    STORE_TAKE,        /* write `row` only where the stored turn is still `old` (and lower), read back */
    STORE_FENCE,       /* leave `row` there as a maximum, so that nothing decided on the row of before is done any more; read_only on
                        * (bounded), end client sessions, read back; result: position, sessions_left; text on FC_OK: the row could
                        * not be left. A row without a node is none: nothing is written. FC_REFUSED: the server's own row seats it
                        * at a higher epoch than `row`, so this fence comes late; nothing was changed and no session ended */
    STORE_CATCH_UP,    /* until `position` is applied, or (no position) until all that was fetched is applied */
    STORE_OPEN,        /* read_only off, guarded by the row: server, epoch and node as given, seated; read back */
    STORE_HOLD,        /* write `hold` as a maximum, read back; durable_count = servers that show it */
    STORE_ORDER_LAY,   /* insert the order (idempotent) */
    STORE_ORDER_CLOSE, /* state and answer, where still asked; of two answers `done` stays */
    STORE_REGISTER,    /* node_health (and active_node when leading), for other tools */
    STORE_HISTORY,     /* one line of history (idempotent by id) */
    STORE_HISTORY_READ,/* the newest lines of history that fit `wanted`; also of a server that does not sit */
    STORE_WORD,        /* what an operator or a tool said of a server or a cluster, or took back; read back. FC_REFUSED: something newer
                        * stands there, or another one's lock, or this row is not taken. Its table is made where it is missing */
    STORE_CHECK,       /* one round trip: struct server_settings, as the account `fence`. A pair's */
    STORE_COMPARE,     /* one round trip: the rows of the tables in backends/compare.h, as the account `fence`; FC_NOT_FOUND: they are not there. A pair's */
    STORE_ALONE,       /* what the server itself wrote from `position` on: result `alone`. A pair's */
    STORE_RESUME,      /* the procedure firstchair_resume, which the owner of the servers has laid there: begin fetching again; FC_NOT_FOUND: there is
                        * none, or the account may not call it. A pair's */
    STORE_DEED_COUNT
};

#define HISTORY_ROWS_MAX 200         /* lines in one answer */

struct history_row {
    uint64_t id;                      /* below 2^53, unique, given by the writer; rises with the writer's wall clock */
    int64_t unix_ms;
    uint64_t epoch;
    char kind[24];
    char subject[64];                 /* a pool, or "leader" */
    char node[NODE_NAME_SIZE];        /* who wrote it */
    char text[240];
};
struct history_rows { int count; struct history_row list[HISTORY_ROWS_MAX]; };      /* newest first */
struct history_wanted {
    uint64_t before;                  /* only lower ids; 0 = all */
    int64_t since_unix_ms;            /* not older; 0 = all */
    char subject[64];                 /* "" = all */
    uint32_t limit;                   /* 1 to HISTORY_ROWS_MAX */
};

struct store_request {
    enum store_deed deed;
    uint64_t id;                      /* given back in the result */
    int server;
    bool by_fence;                    /* RENEW, TAKE, HOLD, ORDER_*, HISTORY: through the fence account, because the server is read_only */
    uint32_t limit_ms;                /* bound of this deed; 0 = the configured probe time-out */
    struct decision row, old;
    struct log_position position;
    bool has_position;
    struct hold hold;
    struct stored_order order;
    struct {
        char hostname[NODE_NAME_SIZE], token[65], version[64];
        uint64_t count;               /* registrations of this process so far: it only rises, and decides between two of its rows */
        int64_t started_unix_ms, leads_since_unix_ms;
        bool leads;
    } registration;
    struct history_row history;
    struct history_wanted wanted;     /* HISTORY_READ */
    struct fleet_word word;           /* WORD */
};

struct store_result {
    enum store_deed deed;
    uint64_t id;
    int server;
    enum fc_code code;                /* FC_OK, FC_REFUSED (a guard said no), FC_TIMEOUT, FC_STORE, FC_UNREACHABLE, ... */
    enum loss loss;                   /* when the session was lost or could not be opened */
    bool is_unconnected;              /* LOSS_SILENT: no connection came about, so no session of ours is left there */
    char text[200];                   /* the sentence when not FC_OK; on FC_OK a remark, or "" */
    struct fc_time sent_at;           /* right before the first byte was sent */
    const struct server_look *look;   /* STORE_LOOK with FC_OK; borrowed for the call */
    const struct server_settings *settings;   /* STORE_CHECK with FC_OK; borrowed for the call */
    const struct mysql_rows *rows;    /* STORE_COMPARE with FC_OK: a set for each of compare_tables; borrowed for the call */
    const struct history_rows *history;       /* STORE_HISTORY_READ with FC_OK; borrowed for the call */
    struct decision stored;           /* RENEW, TAKE: the row as it stands now on this server */
    struct log_position position;     /* FENCE */
    int sessions_left;                /* FENCE */
    struct alone alone;               /* ALONE */
    int durable_count;                /* HOLD, ORDER_LAY, ORDER_CLOSE, WORD: servers on which it was read back */
};

struct store;

typedef void store_heard(void *listener, const struct store_result *result);
/* A standing session ended by itself (the kernel told us): LOSS_ENDED, before any look asks. */
typedef void store_session_ended(void *listener, int server, enum loss loss, const char *text);

struct store_class {
    const char *word;                                    /* "sqlite", "mysql" */
    void (*ask)(struct store *store, const struct store_request *request);
    void (*close)(struct store *store);                  /* ends sessions, frees; results not yet heard are dropped */
};

/* First member of each kind's own struct. */
struct store {
    const struct store_class *class;
    int server_count;
    char address[STORE_SERVERS_MAX][ADDRESS_SIZE];       /* host:port, or the file */
    char name[STORE_SERVERS_MAX][64];                    /* db1, db2; "store" when single */
    bool has_chair;                                      /* a pair: servers are opened and fenced */
    store_heard *heard;
    store_session_ended *session_ended;
    void *listener;
};

static inline void store_ask(struct store *store, const struct store_request *request) { store->class->ask(store, request); }
static inline void store_close(struct store *store) { if (store != NULL) store->class->close(store); }

/* Opening does not wait for any server: a store that is down is a fact that looks report. */
enum fc_code store_sqlite_open(const struct host *host, const char *path, const char *node, store_heard *heard, void *listener,
                               struct store **ret, struct fc_err *err);
enum fc_code store_mysql_open(const struct host *host, const struct config *config, const char *node, store_heard *heard,
                              store_session_ended *session_ended, void *listener, struct store **ret, struct fc_err *err);

/* Of a witness: no server, and every request ends with FC_REFUSED. */
enum fc_code store_none_open(const struct host *host, store_heard *heard, void *listener, struct store **ret, struct fc_err *err);

const char *store_deed_word(enum store_deed deed);

#endif
