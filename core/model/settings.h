/* What one server of the pair is set to, as far as the home mode depends on it: read by the slow probe beside the look
 * (STORE_CHECK), in one round trip, as the account `fence`. Facts as text; what they must be stands in judge/needs.c. */
#ifndef FC_MODEL_SETTINGS_H
#define FC_MODEL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/decision.h"

#define SETTING_TEXT_SIZE 256        /* MySQL's longest preset, sql_mode, has 117 bytes */
#define SETTING_NONE "none"          /* read, and there is nothing: no filter, no account, no missing privilege */

/* Name, the variable of MariaDB and of MySQL 8 (the same for both when it was never renamed). Those without a variable are put
 * together from something else: how is told in backends/mysql/mysql_check.c. */
#define SETTING_TABLE(X)                                                                             \
    X(LOG_BIN,            "log_bin",                        "")                                      \
    X(BINLOG_FORMAT,      "binlog_format",                  "")                                      \
    X(SERVER_ID,          "server_id",                      "")                                      \
    X(GTID_DOMAIN,        "gtid_domain_id",                 "")                                      \
    X(GTID_STRICT,        "gtid_strict_mode",               "")                                      \
    X(LOG_UPDATES,        "log_slave_updates",              "log_replica_updates")                   \
    X(SYNC_BINLOG,        "sync_binlog",                    "")                                      \
    X(FLUSH_LOG,          "innodb_flush_log_at_trx_commit", "")                                      \
    X(RELAY_RECOVERY,     "relay_log_recovery",             "")                                      \
    X(ISOLATION,          "tx_isolation",                   "transaction_isolation")                 \
    X(INCREMENT,          "auto_increment_increment",       "")                                      \
    X(OFFSET,             "auto_increment_offset",          "")                                      \
    X(NET_TIMEOUT,        "slave_net_timeout",              "replica_net_timeout")                   \
    X(SQL_MODE,           "sql_mode",                       "")                                      \
    X(TIME_ZONE,          "time_zone",                      "")   /* SYSTEM is told as system_time_zone */ \
    X(EXEC_MODE,          "slave_exec_mode",                "replica_exec_mode")                     \
    X(SKIP_ERRORS,        "slave_skip_errors",              "replica_skip_errors")                   \
    X(EVENT_SCHEDULER,    "event_scheduler",                "")                                      \
    X(BOOT_READ_ONLY,     "", "")    /* read_only as the server starts with it; "" once SET GLOBAL has hidden it */ \
    X(FENCE_LOGIN,        "", "")    /* why the account `fence` cannot be used; none */              \
    X(FENCE_LACKS,        "", "")    /* privileges that `fence` does not have; none */               \
    X(ABOVE_READ_ONLY,    "", "")    /* accounts that read_only does not bind; none; "" when `fence` may not see the others */ \
    X(BINLOG_FILTER,      "", "")    /* binlog_do_db, binlog_ignore_db; none */                      \
    X(REPLICATION,        "", "")    /* running, connecting, stopped, none; with the error */        \
    X(REPLICATES_FROM,    "", "")    /* server_id of its master; "" while it is not connected */     \
    X(REPLICA_FILTER,     "", "")    /* the replicate-* filters that are set; none */                \
    X(CONNECT_RETRY,      "", "")    /* seconds */                                                   \
    X(RETRY_COUNT,        "", "")    /* how often it tries to connect again; 0 without end; none: it has no such bound to tell */ \
    X(USES_GTID,          "", "")    /* No, Slave_Pos, Current_Pos; MySQL: 0, 1 (Auto_Position) */   \
    X(CLOCK,              "", "")    /* "+0.012 s (error 0.003 s)" against this node's wall clock */

enum setting {
#define X(name, mariadb, mysql) SETTING_##name,
    SETTING_TABLE(X)
#undef X
    SETTING_COUNT
};

struct setting_row { const char *mariadb, *mysql; };     /* names of the variable; "" = not a variable */
extern const struct setting_row setting_rows[SETTING_COUNT];

struct server_settings {
    char identity[IDENTITY_SIZE];
    bool is_mariadb;
    int64_t uptime_s;                /* -1 unknown */
    int64_t clock_skew_ms;           /* the server's wall clock less ours, at the middle of the round trip */
    int64_t clock_error_ms;          /* half of the round trip: the truth lies within; -1 = not measured */
    char value[SETTING_COUNT][SETTING_TEXT_SIZE];    /* "" = not known, or this kind of server has no such thing */
};

#endif
