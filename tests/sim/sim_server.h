/* A MariaDB as firstchair meets it: the deciding row, holds, orders and application rows; a binary log of statements that
 * the peer evaluates again; read_only; client sessions; a crash that loses nothing synced and a boot that comes back closed.
 *
 * What it takes from /measured/ behaviour: a lost guarded update is rolled back and never logged, a maximum is always logged;
 * read_only waits for running statements and ends sessions; a replica of a dead master says Connecting within 3 ms, that of a
 * silent one only after its net timeout. */
#ifndef FC_SIM_SERVER_H
#define FC_SIM_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/store.h"
#include "sim/net.h"
#include "sim/script.h"

#define LOG_MAX 16384
#define WRITES_MAX 1024
#define SMALL_MAX 256
#define SIM_CLIENTS 8
#define APP_ROWS_MAX 8192
#define SIM_ORDERS_MAX 64

enum statement_kind { STMT_NOISE, STMT_APP, STMT_SCHEMA, STMT_MAXIMUM, STMT_GUARDED, STMT_HOLD, STMT_ORDER_LAY, STMT_ORDER_CLOSE };

struct statement { uint8_t kind; uint8_t client; uint32_t n; int64_t at; };    /* n: place of the payload, or the client's number */
struct row_write { struct decision row; struct rank old; };

struct sim_replica {
    bool is_io_running, is_io_stopped, is_sql_stopped, is_connecting;
    bool is_refused;                 /* connecting, and at its last attempt nobody listened there */
    int64_t tried_at;
    int read, applied;               /* of the other server's log */
    int source_boot;                 /* its log file, as known here */
    int64_t slow_us;                 /* per statement; 0 = at once */
    int64_t silent_since;            /* -1 = hears its master */
    bool has_read_due, has_apply_due;
};

struct sim_server {
    int index;
    char identity[IDENTITY_SIZE];
    bool is_up, is_frozen, is_read_only, has_schema;
    uint32_t life, boot, kill_count; /* kill_count: sessions from before it are ended */
    struct decision row;
    int hold_count, order_count;
    struct hold holds[HOLDS_MAX];
    struct stored_order orders[SIM_ORDERS_MAX];
    struct sim_replica replica;
    int64_t busy_until;              /* of the longest running client statement */
    int fencing;                     /* fences under way: new statements wait, which here means fail */
    int log_count, write_count;
    uint64_t opened_epoch;           /* at which it was last opened; 0 = never by us */
    int under_way[FAULT_KIND_COUNT]; /* faults of each kind that only change how it answers */
    int64_t late_looks_us;           /* so long after it was taken a look leaves */
    int64_t late_deeds_us;           /* so long after it has arrived a fence, a catch-up or an opening begins */
    int last_acked;                  /* log length right after the last statement that a client was told of */
    uint64_t acked, doubled;
    uint8_t rows[SIM_CLIENTS][APP_ROWS_MAX / 8];
    int log_hold_count, log_order_count;
    struct statement log[LOG_MAX];       /* from here on: only the counted part means anything */
    struct row_write writes[WRITES_MAX];
    struct hold log_holds[SMALL_MAX];
    struct stored_order log_orders[SMALL_MAX];
};

void server_init(struct sim_server *server, int index);
void server_boot(struct world *world, int server);
void server_crash(struct world *world, int server, int64_t back_after_us);
/* A request has arrived; the answer leaves when it is done. */
void server_serve(struct world *world, int message);
void server_fence_step(struct world *world, int message);
void server_catch_up_step(struct world *world, int message);
void server_read(struct world *world, int server);          /* replication: fetch */
void server_apply(struct world *world, int server);
void server_hears_again(struct world *world, int server);   /* the net timeout and reconnects of replication */
/* A client's statement commits. False: refused or ended. */
bool server_commit(struct world *world, int server, int client, uint32_t n);
/* Decision rows of long ago are applied again, on this server only. */
void server_replay(struct world *world, int server, int from, int count, bool is_backwards);
void server_noise(struct world *world, int server);         /* rows that other tools read */
/* Does what `from` logs arrive and get applied on the other, promptly? */
bool replication_is_well(const struct world *world, int from);

#endif
