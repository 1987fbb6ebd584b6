/* The statements, their places, and the one function that fills them in. */
#include "backends/sql_statements.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define BOTH(text) .mysql = text, .sqlite = text
#define ENGINE_OURS " engine=InnoDB default character set ascii collate ascii_bin"
#define ENGINE_THEIRS " engine=InnoDB default charset=ascii"
#define FREE_TEXT "character set utf8mb4 collate utf8mb4_bin"
#define NORMALISE_REPLAY "the same moment in the other form; the second time there is none left"
#define DDL_REPLAY "does nothing where the table is already there"

#define DECISION_SET \
    "update firstchair_decision set epoch = ?, seq = ?, server = ?, node = ?, phase = ?, successor = ?, intent_id = ?, " \
    "limit_ms = ?, why = ?, mark = ?, written_at = "
#define DECISION_WHERE " where name = 'lease' and (epoch, seq, server, node) < (?, ?, ?, ?)"
#define DECISION_GUARD " and epoch = ? and seq = ? and server = ? and node = ?"
#define DECISION_PLACES "nnttttnntt" "nntt"

#define HOLD_COLUMNS "pool, server, kind, epoch, seq, since_unix_ms, set_by, why"
#define ORDER_COLUMNS "order_id, state, order_text, asked_by, node, answer"
#define ORDERS_SORT " order by state = 'asked' desc, case when state = 'asked' then order_id else -order_id end limit 8"

/* What was asked never changes; where a row lacks it (of an earlier version), it is filled in. */
#define FILL_IN_MYSQL \
    "order_text = if(order_text = '', ?, order_text), asked_by = if(asked_by = '', ?, asked_by), " \
    "node = if(node = '', ?, node), "
#define FILL_IN_SQLITE \
    "order_text = case when order_text = '' then ? else order_text end, " \
    "asked_by = case when asked_by = '' then ? else asked_by end, node = case when node = '' then ? else node end, "

#define SESSIONS_OF_OTHERS \
    "select id, user, command from information_schema.processlist where id <> connection_id() and user not in " \
    "('system user', 'event_scheduler', ?, ?) and command not in ('Binlog Dump', 'Binlog Dump GTID', 'Daemon')"

#define SITS_LATER \
    "(select 1 from firstchair_decision where name = 'lease' and epoch > ? and server = ? and phase = 'seated')"

const struct sql_statement sql_statements[SQL_STATEMENT_COUNT] = {
    /* orchestrator's four tables, column for column */
    [SQL_CREATE_ACTIVE_NODE] = {
        .name = "create-active-node", .table = "active_node", .writes = true, .places = "", .replay = DDL_REPLAY,
        .mysql = "create table if not exists active_node (anchor tinyint unsigned not null, "
                 "hostname varchar(128) not null, token varchar(128) not null, "
                 "last_seen_active timestamp not null default current_timestamp, "
                 "first_seen_active timestamp not null default '1971-01-01 00:00:00', primary key (anchor))" ENGINE_THEIRS,
        .sqlite = "create table if not exists active_node (anchor tinyint not null, hostname varchar(128) not null, "
                  "token varchar(128) not null, last_seen_active timestamp not null default '', "
                  "first_seen_active timestamp not null default '1971-01-01 00:00:00', primary key (anchor))",
    },
    [SQL_CREATE_NODE_HEALTH] = {
        .name = "create-node-health", .table = "node_health", .writes = true, .places = "", .replay = DDL_REPLAY,
        .mysql = "create table if not exists node_health (hostname varchar(128) not null, token varchar(128) not null, "
                 "last_seen_active timestamp not null default current_timestamp, "
                 "first_seen_active timestamp not null default '1971-01-01 00:00:00', "
                 "extra_info varchar(128) character set utf8 not null, command varchar(128) character set utf8 not null, "
                 "app_version varchar(64) not null default '', db_backend varchar(255) not null default '', "
                 "incrementing_indicator bigint not null default 0, primary key (hostname, token), "
                 "key last_seen_active_idx (last_seen_active))" ENGINE_THEIRS,
        .sqlite = "create table if not exists node_health (hostname varchar(128) not null, token varchar(128) not null, "
                  "last_seen_active timestamp not null default '', "
                  "first_seen_active timestamp not null default '1971-01-01 00:00:00', "
                  "extra_info varchar(128) not null default '', command varchar(128) not null default '', "
                  "app_version varchar(64) not null default '', db_backend varchar(255) not null default '', "
                  "incrementing_indicator bigint not null default 0, primary key (hostname, token))",
    },
    [SQL_CREATE_NODE_HEALTH_HISTORY] = {
        .name = "create-node-health-history", .table = "node_health_history", .writes = true, .places = "",
        .replay = DDL_REPLAY,
        .mysql = "create table if not exists node_health_history (history_id bigint unsigned not null auto_increment, "
                 "hostname varchar(128) not null, token varchar(128) not null, "
                 "first_seen_active timestamp not null default current_timestamp, "
                 "extra_info varchar(128) character set utf8 not null, command varchar(128) character set utf8 not null, "
                 "app_version varchar(64) not null default '', primary key (history_id), "
                 "unique key hostname_token_idx (hostname, token), "
                 "key first_seen_active_idx (first_seen_active))" ENGINE_THEIRS,
        .sqlite = "create table if not exists node_health_history (history_id integer primary key, "
                  "hostname varchar(128) not null, token varchar(128) not null, first_seen_active timestamp not null, "
                  "extra_info varchar(128) not null, command varchar(128) not null, "
                  "app_version varchar(64) not null default '', unique (hostname, token))",
    },
    [SQL_CREATE_DEPLOYMENTS] = {
        .name = "create-deployments", .table = "orchestrator_db_deployments", .writes = true, .places = "",
        .replay = DDL_REPLAY,
        .mysql = "create table if not exists orchestrator_db_deployments (deployed_version varchar(128) not null, "
                 "deployed_timestamp timestamp not null default current_timestamp, "
                 "primary key (deployed_version))" ENGINE_THEIRS,
        .sqlite = "create table if not exists orchestrator_db_deployments (deployed_version varchar(128) not null, "
                  "deployed_timestamp timestamp not null, primary key (deployed_version))",
    },
    /* our own */
    [SQL_CREATE_DECISION] = {
        .name = "create-decision", .table = "firstchair_decision", .writes = true, .places = "", .replay = DDL_REPLAY,
        .mysql = "create table if not exists firstchair_decision (name varchar(64) not null, "
                 "epoch bigint unsigned not null, seq bigint unsigned not null, server varchar(79) not null, "
                 "node varchar(63) not null, phase varchar(16) not null, successor varchar(79) not null, "
                 "intent_id bigint unsigned not null, limit_ms int unsigned not null, "
                 "why varchar(127) " FREE_TEXT " not null, mark varchar(39) not null, "
                 "written_at timestamp not null default current_timestamp, primary key (name))" ENGINE_OURS,
        .sqlite = "create table if not exists firstchair_decision (name text not null primary key, epoch integer not null, "
                  "seq integer not null, server text not null, node text not null, phase text not null, "
                  "successor text not null, intent_id integer not null, limit_ms integer not null, why text not null, "
                  "mark text not null, written_at timestamp not null default current_timestamp)",
    },
    [SQL_CREATE_HOLD] = {
        .name = "create-hold", .table = "firstchair_hold", .writes = true, .places = "", .replay = DDL_REPLAY,
        .mysql = "create table if not exists firstchair_hold (pool varchar(63) not null, server varchar(63) not null, "
                 "epoch bigint unsigned not null, seq bigint unsigned not null, kind varchar(16) not null, "
                 "since_unix_ms bigint not null, set_by varchar(63) " FREE_TEXT " not null, "
                 "why varchar(127) " FREE_TEXT " not null, primary key (pool, server))" ENGINE_OURS,
        .sqlite = "create table if not exists firstchair_hold (pool text not null, server text not null, "
                  "epoch integer not null, seq integer not null, kind text not null, since_unix_ms integer not null, "
                  "set_by text not null, why text not null, primary key (pool, server))",
    },
    [SQL_CREATE_ORDER] = {
        .name = "create-order", .table = "firstchair_order", .writes = true, .places = "", .replay = DDL_REPLAY,
        .mysql = "create table if not exists firstchair_order (order_id bigint not null, state varchar(16) not null, "
                 "order_text varchar(159) " FREE_TEXT " not null, asked_by varchar(63) " FREE_TEXT " not null, "
                 "node varchar(63) not null, answer varchar(255) " FREE_TEXT " not null, "
                 "asked_at timestamp not null default current_timestamp, primary key (order_id))" ENGINE_OURS,
        .sqlite = "create table if not exists firstchair_order (order_id integer not null primary key, "
                  "state text not null, order_text text not null, asked_by text not null, node text not null, "
                  "answer text not null, asked_at timestamp not null default current_timestamp)",
    },
    [SQL_CREATE_HISTORY] = {
        .name = "create-history", .table = "firstchair_history", .writes = true, .places = "", .replay = DDL_REPLAY,
        .mysql = "create table if not exists firstchair_history (event_id bigint not null, unix_ms bigint not null, "
                 "kind varchar(24) not null, subject varchar(64) " FREE_TEXT " not null, epoch bigint unsigned not null, "
                 "node varchar(63) not null, message text " FREE_TEXT " not null, primary key (event_id))" ENGINE_OURS,
        .sqlite = "create table if not exists firstchair_history (event_id integer not null primary key, "
                  "unix_ms integer not null, kind text not null, subject text not null, epoch integer not null, "
                  "node text not null, message text not null)",
    },
    [SQL_TABLES] = {
        .name = "tables", .places = "",
        .mysql = "select table_name from information_schema.tables where table_schema = database()",
        .sqlite = "select name from sqlite_master where type = 'table'",
    },
    [SQL_DEPLOYMENT_LAY] = {
        .name = "deployment-lay", .writes = true, .places = "t", .replay = "natural key; a minimum of the times",
        .mysql = "insert into orchestrator_db_deployments (deployed_version, deployed_timestamp) values (?, now()) "
                 "on duplicate key update deployed_timestamp = least(deployed_timestamp, now())",
        .sqlite = "insert into orchestrator_db_deployments (deployed_version, deployed_timestamp) values (?, datetime('now')) "
                  "on conflict (deployed_version) do update set deployed_timestamp = min(deployed_timestamp, datetime('now'))",
    },

    [SQL_LEASE_LAY] = {
        .name = "lease-lay", .writes = true, .places = "", .replay = "lays the lowest row, in literals, where there is none",
        .mysql = "insert ignore into firstchair_decision (name, epoch, seq, server, node, phase, successor, intent_id, "
                 "limit_ms, why, mark, written_at) values ('lease', 0, 0, '', '', 'seated', '', 0, 0, '', '', from_unixtime(1))",
        .sqlite = "insert or ignore into firstchair_decision (name, epoch, seq, server, node, phase, successor, intent_id, "
                  "limit_ms, why, mark, written_at) values ('lease', 0, 0, '', '', 'seated', '', 0, 0, '', '', "
                  "datetime(1, 'unixepoch'))",
    },
    /* The owner's procedure, so that `fence` may begin fetching again and nothing else of replication (docs/accounts.md). */
    [SQL_REPLICA_RESUME] = { .name = "replica-resume", .places = "", .mysql = "call firstchair_resume()" },
    [SQL_LEASE_RENEW] = {
        .name = "lease-renew", .writes = true, .places = DECISION_PLACES,
        .replay = "a maximum by rank: a lower or equal row changes nothing, in any order",
        .mysql = DECISION_SET "now()" DECISION_WHERE,
        .sqlite = DECISION_SET "datetime('now')" DECISION_WHERE,
    },
    [SQL_LEASE_TAKE] = {
        .name = "lease-take", .writes = true, .places = DECISION_PLACES "nntt",
        .replay = "only raises, and only the row that was seen; the taker's next renewal is a maximum and settles the rest",
        .mysql = DECISION_SET "now()" DECISION_WHERE DECISION_GUARD,
        .sqlite = DECISION_SET "datetime('now')" DECISION_WHERE DECISION_GUARD,
    },
    [SQL_LEASE_READ] = {
        .name = "lease-read", .places = "",
        BOTH("select epoch, seq, server, node, phase, successor, intent_id, limit_ms, why, mark "
             "from firstchair_decision where name = 'lease'"),
    },

    [SQL_HOLD_LAY] = {
        .name = "hold-lay", .writes = true, .places = "tttnnitt",
        .replay = "natural key: where a row is already there, hold-raise decides",
        .mysql = "insert ignore into firstchair_hold (" HOLD_COLUMNS ") values (?, ?, ?, ?, ?, ?, ?, ?)",
        .sqlite = "insert or ignore into firstchair_hold (" HOLD_COLUMNS ") values (?, ?, ?, ?, ?, ?, ?, ?)",
    },
    [SQL_HOLD_RAISE] = {
        .name = "hold-raise", .writes = true, .places = "tnnitttt" "nnittt",
        .replay = "a maximum by (epoch, seq), and of two leaders' holds of one turn by what they say: hold_compare()",
        BOTH("update firstchair_hold set kind = ?, epoch = ?, seq = ?, since_unix_ms = ?, set_by = ?, why = ? "
             "where pool = ? and server = ? and (epoch, seq, since_unix_ms, kind, set_by, why) < (?, ?, ?, ?, ?, ?)"),
    },
    [SQL_HOLD_READ] = {
        .name = "hold-read", .places = "tt",
        BOTH("select " HOLD_COLUMNS " from firstchair_hold where pool = ? and server = ?"),
    },
    [SQL_HOLDS_READ] = {   /* released ones last: their ranks matter to who sets the next one */
        .name = "holds-read", .places = "",
        BOTH("select " HOLD_COLUMNS " from firstchair_hold order by kind = 'none', pool, server limit 32"),
    },

    [SQL_ORDER_LAY] = {
        .name = "order-lay", .writes = true, .places = "nttttt" "n" "ttt",
        .replay = "unique number given by the asker, literal values; only what a row lacks is filled in",
        .mysql = "insert into firstchair_order (" ORDER_COLUMNS ", asked_at) values (?, ?, ?, ?, ?, ?, from_unixtime(?)) "
                 "on duplicate key update " FILL_IN_MYSQL "state = state",
        .sqlite = "insert into firstchair_order (" ORDER_COLUMNS ", asked_at) values (?, ?, ?, ?, ?, ?, datetime(?, 'unixepoch')) "
                  "on conflict (order_id) do update set " FILL_IN_SQLITE "state = state",
    },
    [SQL_ORDER_CLOSE] = {   /* assigned from left to right: `answer` before the `state` that its condition reads */
        .name = "order-close", .writes = true, .places = "nttttt" "n" "ttt" "ttt" "tt",
        .replay = "literal key; where the order is not there yet, its answer comes first and whole; of two answers (two leaders, "
                  "while the servers were cut apart) 'done' stays, then the lesser text",
        .mysql = "insert into firstchair_order (" ORDER_COLUMNS ", asked_at) values (?, ?, ?, ?, ?, ?, from_unixtime(?)) "
                 "on duplicate key update " FILL_IN_MYSQL "answer = if(state = 'asked' or (state, answer) > (?, ?), ?, answer), "
                 "state = if(state = 'asked' or state > ?, ?, state)",
        .sqlite = "insert into firstchair_order (" ORDER_COLUMNS ", asked_at) values (?, ?, ?, ?, ?, ?, datetime(?, 'unixepoch')) "
                  "on conflict (order_id) do update set " FILL_IN_SQLITE
                  "answer = case when state = 'asked' or (state, answer) > (?, ?) then ? else answer end, "
                  "state = case when state = 'asked' or state > ? then ? else state end",
    },
    [SQL_ORDER_READ] = {
        .name = "order-read", .places = "n",
        BOTH("select " ORDER_COLUMNS " from firstchair_order where order_id = ?"),
    },
    [SQL_ORDERS_READ] = {   /* asked ones first, oldest first; then what this node was answered, newest first */
        .name = "orders-read", .places = "t",
        .mysql = "select " ORDER_COLUMNS " from firstchair_order where state = 'asked' or "
                 "(node = ? and asked_at > now() - interval 1 hour)" ORDERS_SORT,
        .sqlite = "select " ORDER_COLUMNS " from firstchair_order where state = 'asked' or "
                  "(node = ? and asked_at > datetime('now', '-1 hour'))" ORDERS_SORT,
    },

    [SQL_ACTIVE_NODE_READ] = {
        .name = "active-node-read", .places = "",
        BOTH("select hostname, token, last_seen_active from active_node where anchor = 1"),
    },
    [SQL_ACTIVE_NODE_RAISE] = {
        .name = "active-node-raise", .writes = true, .places = "ttn" "ttn",
        .replay = "one unique key, literal values: the last writer's row stays, and who leads writes every second",
        .mysql = "insert into active_node (anchor, hostname, token, last_seen_active, first_seen_active) "
                 "values (1, ?, ?, now(), from_unixtime(?)) on duplicate key update "
                 "hostname = ?, token = ?, first_seen_active = from_unixtime(?), last_seen_active = now()",
        .sqlite = "insert into active_node (anchor, hostname, token, last_seen_active, first_seen_active) "
                  "values (1, ?, ?, datetime('now'), datetime(?, 'unixepoch')) on conflict (anchor) do update set "
                  "hostname = ?, token = ?, first_seen_active = datetime(?, 'unixepoch'), last_seen_active = datetime('now')",
    },
    [SQL_NODE_HEALTH_RAISE] = {
        .name = "node-health-raise", .writes = true, .places = "ttntn" "nn",
        .replay = "one unique key of this process alone; a maximum by its own count of registrations",
        .mysql = "insert into node_health (hostname, token, last_seen_active, first_seen_active, extra_info, command, "
                 "app_version, db_backend, incrementing_indicator) "
                 "values (?, ?, now(), from_unixtime(?), 'HttpMode', '', ?, '', ?) on duplicate key update "
                 "last_seen_active = if(incrementing_indicator < ?, now(), last_seen_active), "
                 "incrementing_indicator = greatest(incrementing_indicator, ?)",
        .sqlite = "insert into node_health (hostname, token, last_seen_active, first_seen_active, extra_info, command, "
                  "app_version, db_backend, incrementing_indicator) "
                  "values (?, ?, datetime('now'), datetime(?, 'unixepoch'), 'HttpMode', '', ?, '', ?) "
                  "on conflict (hostname, token) do update set "
                  "last_seen_active = case when incrementing_indicator < ? then datetime('now') else last_seen_active end, "
                  "incrementing_indicator = max(incrementing_indicator, ?)",
    },
    [SQL_NODE_HEALTH_HISTORY_LAY] = {   /* the number comes from the token: nothing is counted up on either server */
        .name = "node-health-history-lay", .writes = true, .places = "nttnt",
        .replay = "literal number, natural key and literal start of this process; first one stays",
        .mysql = "insert ignore into node_health_history (history_id, hostname, token, first_seen_active, extra_info, "
                 "command, app_version) values (?, ?, ?, from_unixtime(?), 'HttpMode', '', ?)",
        .sqlite = "insert or ignore into node_health_history (history_id, hostname, token, first_seen_active, extra_info, "
                  "command, app_version) values (?, ?, ?, datetime(?, 'unixepoch'), 'HttpMode', '', ?)",
    },
    [SQL_HISTORY_LAY] = {
        .name = "history-lay", .writes = true, .places = "nittntt", .replay = "unique number given by the writer",
        .mysql = "insert ignore into firstchair_history (event_id, unix_ms, kind, subject, epoch, node, message) "
                 "values (?, ?, ?, ?, ?, ?, ?)",
        .sqlite = "insert or ignore into firstchair_history (event_id, unix_ms, kind, subject, epoch, node, message) "
                  "values (?, ?, ?, ?, ?, ?, ?)",
    },
    [SQL_HISTORY_READ] = {   /* ids rise with the writers' clocks: the newest first, by the key */
        .name = "history-read", .places = "nittn",
        BOTH("select event_id, unix_ms, kind, subject, epoch, node, message from firstchair_history "
             "where event_id < ? and unix_ms >= ? and (? = '' or subject = ?) order by event_id desc limit ?"),
    },
    [SQL_TIDY_NODE_HEALTH] = {
        .name = "tidy-node-health", .writes = true, .places = "", .replay = "age condition at the statement's own time",
        .mysql = "delete from node_health where last_seen_active < now() - interval 1 hour",
        .sqlite = "delete from node_health where datetime(last_seen_active) < datetime('now', '-1 hour')",
    },
    [SQL_TIDY_ORDERS] = {
        .name = "tidy-orders", .writes = true, .places = "", .replay = "age condition at the statement's own time",
        .mysql = "delete from firstchair_order where state <> 'asked' and asked_at < now() - interval 1 day",
        .sqlite = "delete from firstchair_order where state <> 'asked' and asked_at < datetime('now', '-1 day')",
    },
    [SQL_TIDY_HISTORY] = {   /* a month is kept */
        .name = "tidy-history", .writes = true, .places = "", .replay = "age condition at the statement's own time",
        .mysql = "delete from firstchair_history where unix_ms < (unix_timestamp() - 2678400) * 1000",
        .sqlite = "delete from firstchair_history where unix_ms < (strftime('%s', 'now') - 2678400) * 1000",
    },

    /* "2026-01-02T03:04:05Z" sorts behind every "2026-01-02 ..." of the same day, so that nothing would expire before midnight. */
    [SQL_NORMALISE_ACTIVE_NODE] = {
        .name = "normalise-active-node", .writes = true, .places = "", .replay = NORMALISE_REPLAY,
        .sqlite = "update active_node set last_seen_active = coalesce(datetime(last_seen_active), ''), "
                  "first_seen_active = coalesce(datetime(first_seen_active), '') "
                  "where last_seen_active like '%T%' or first_seen_active like '%T%'",
    },
    [SQL_NORMALISE_NODE_HEALTH] = {
        .name = "normalise-node-health", .writes = true, .places = "", .replay = NORMALISE_REPLAY,
        .sqlite = "update node_health set last_seen_active = coalesce(datetime(last_seen_active), ''), "
                  "first_seen_active = coalesce(datetime(first_seen_active), '') "
                  "where last_seen_active like '%T%' or first_seen_active like '%T%'",
    },
    [SQL_NORMALISE_NODE_HEALTH_HISTORY] = {
        .name = "normalise-node-health-history", .writes = true, .places = "", .replay = NORMALISE_REPLAY,
        .sqlite = "update node_health_history set first_seen_active = coalesce(datetime(first_seen_active), '') "
                  "where first_seen_active like '%T%'",
    },

    /* Every setting that a statement of ours relies on is said, not hoped for. REPEATABLE READ: InnoDB refuses STATEMENT
     * logging below it. */
    [SQL_SESSION_SETTINGS] = {
        .name = "session-settings", .places = "",
        .mysql = "set session sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
                 "lock_wait_timeout = 1, innodb_lock_wait_timeout = 1, autocommit = 1, "
                 "group_concat_max_len = 1024; set session transaction isolation level repeatable read",
    },
    [SQL_SERVER_CAPABILITIES] = {
        .name = "server-capabilities", .places = "",
        .mysql = "show global variables where variable_name in ('version', 'server_id', 'server_uuid', 'server_uid', "
                 "'feedback_server_uid', 'hostname', 'super_read_only', 'gtid_binlog_pos', 'gtid_executed')",
    },
    [SQL_NOTHING] = { .name = "nothing", .places = "", .mysql = "do 0" },   /* only to have a session opened */
    [SQL_DATABASE_USE] = { .name = "database-use", .places = "d", .mysql = "use ?" },
    [SQL_DATABASE_CREATE] = {
        .name = "database-create", .writes = true, .places = "d", .replay = "does nothing where it is already there",
        .mysql = "create database if not exists ?",
    },
    [SQL_SERVER_GRANTS] = { .name = "server-grants", .places = "", .mysql = "show grants" },
    [SQL_SERVER_FACTS_MARIADB] = {
        .name = "server-facts-mariadb", .places = "",
        .mysql = "select @@global.read_only as read_only, @@global.server_id as server_id, @@global.gtid_binlog_pos as gtid",
    },
    [SQL_SERVER_FACTS_MYSQL] = {
        .name = "server-facts-mysql", .places = "",
        .mysql = "select @@global.read_only as read_only, @@global.server_id as server_id, @@global.gtid_executed as gtid",
    },
    [SQL_SERVER_FACTS_PLAIN] = {
        .name = "server-facts-plain", .places = "",
        .mysql = "select @@global.read_only as read_only, @@global.server_id as server_id, '' as gtid",
    },
    [SQL_LOG_POSITION] = { .name = "log-position", .places = "", .mysql = "show master status" },
    [SQL_LOG_POSITION_NEW] = { .name = "log-position-new", .places = "", .mysql = "show binary log status" },
    [SQL_LOG_EVENTS] = { .name = "log-events", .places = "tn", .mysql = "show binlog events in ? from ? limit 100" },
    [SQL_LOG_NAMES] = { .name = "log-names", .places = "", .mysql = "show binary logs" },
    [SQL_LOG_BEGINNING] = { .name = "log-beginning", .places = "t", .mysql = "show binlog events in ? limit 5" },
    [SQL_LOG_STATE_MARIADB] = { .name = "log-state-mariadb", .places = "", .mysql = "select @@global.gtid_binlog_state" },
    [SQL_LOG_STATE_MYSQL] = { .name = "log-state-mysql", .places = "", .mysql = "select @@global.gtid_executed" },
    [SQL_REPLICA_STATUS_ALL] = { .name = "replica-status-all", .places = "", .mysql = "show all slaves status" },
    [SQL_REPLICA_STATUS_NEW] = { .name = "replica-status-new", .places = "", .mysql = "show replica status" },
    [SQL_REPLICA_STATUS_OLD] = { .name = "replica-status-old", .places = "", .mysql = "show slave status" },
    [SQL_READ_ONLY_ON] = { .name = "read-only-on", .places = "", .mysql = "set global read_only = 1" },
    [SQL_SUPER_READ_ONLY_ON] = { .name = "super-read-only-on", .places = "", .mysql = "set global super_read_only = 1" },
    /* A server that sits by a later decision than this fence stays as it is; whoever else is there is closed, whatever its row
     * says of others. Nothing is ever opened by it: what is on stays on. */
    [SQL_READ_ONLY_ON_GUARDED] = {
        .name = "read-only-on-guarded", .places = "nt",
        .mysql = "set global read_only = @@global.read_only or not exists " SITS_LATER,
    },
    [SQL_SUPER_READ_ONLY_ON_GUARDED] = {
        .name = "super-read-only-on-guarded", .places = "nt",
        .mysql = "set global super_read_only = @@global.super_read_only or not exists " SITS_LATER,
    },
    /* read_only stays on. Only so can the fence account write the deciding row of a server that it is about to open. */
    [SQL_SUPER_READ_ONLY_OFF] = { .name = "super-read-only-off", .places = "", .mysql = "set global super_read_only = 0" },
    /* No row must mean closed: an expression that can be NULL would open the server (NULL is taken as 0). The row is
     * locked while this runs, so an intent is written before it, and seen, or after it, and fenced. */
    [SQL_READ_ONLY_OFF_GUARDED] = {
        .name = "read-only-off-guarded", .places = "ntt",
        .mysql = "set global read_only = not exists (select 1 from firstchair_decision where name = 'lease' and "
                 "epoch = ? and server = ? and node = ? and phase = 'seated')",
    },
    [SQL_READ_ONLY_READ] = { .name = "read-only-read", .places = "", .mysql = "select @@global.read_only as read_only" },
    [SQL_SESSIONS_READ] = { .name = "sessions-read", .places = "tt", .mysql = SESSIONS_OF_OTHERS },
    /* Parallel appliers at work. The thread before them says that it has read everything as soon as it has handed it on. */
    [SQL_APPLIERS_READ] = {
        .name = "appliers-read", .places = "",
        .mysql = "select id, state from information_schema.processlist where command = 'Slave_worker' and "
                 "state <> 'Waiting for work from SQL thread'",
    },
    [SQL_APPLIERS_READ_MYSQL] = {
        .name = "appliers-read-mysql", .places = "",
        .mysql = "select id, state from information_schema.processlist where user = 'system user' and "
                 "state <> 'Waiting for an event from Coordinator' and state not like '%has read all relay log%' and "
                 "state not like '%master%' and state not like '%source%'",
    },
    [SQL_SESSION_END] = { .name = "session-end", .places = "n", .mysql = "kill ?" },

    /* The variables of core/model/settings.h under the names of both kinds of server. */
    [SQL_SETTINGS_READ] = {
        .name = "settings-read", .places = "",
        .mysql = "show global variables where variable_name in ('log_bin', 'binlog_format', 'server_id', 'gtid_domain_id', "
                 "'gtid_strict_mode', 'log_slave_updates', 'log_replica_updates', 'sync_binlog', "
                 "'innodb_flush_log_at_trx_commit', 'relay_log_recovery', 'tx_isolation', 'transaction_isolation', "
                 "'auto_increment_increment', 'auto_increment_offset', 'slave_net_timeout', 'replica_net_timeout', 'sql_mode', "
                 "'time_zone', 'system_time_zone', 'slave_exec_mode', 'replica_exec_mode', 'slave_skip_errors', "
                 "'replica_skip_errors', 'event_scheduler')",
    },
    /* UTC, so that neither a time zone nor its summer time has a say. */
    [SQL_CLOCK_READ] = {
        .name = "clock-read", .places = "",
        .mysql = "select timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000 as unix_ms",
    },
    [SQL_UPTIME_READ] = { .name = "uptime-read", .places = "", .mysql = "show global status like 'Uptime'" },
    /* Without SELECT on the schema mysql an account sees itself alone here. */
    [SQL_ACCOUNTS_READ] = {
        .name = "accounts-read", .places = "",
        .mysql = "select grantee, max(privilege_type in ('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN')) as is_above "
                 "from information_schema.user_privileges group by grantee order by is_above desc, grantee limit 100",
    },
    [SQL_ACCOUNTS_READ_MYSQL] = {
        .name = "accounts-read-mysql", .places = "",
        .mysql = "select grantee, max(privilege_type in ('SUPER', 'CONNECTION_ADMIN')) as is_above "
                 "from information_schema.user_privileges group by grantee order by is_above desc, grantee limit 100",
    },
    /* Where the present value comes from. SQL and DYNAMIC: set since the start, which hides what it started with. */
    [SQL_BOOT_READ_ONLY] = {
        .name = "boot-read-only", .places = "",
        .mysql = "select global_value as value, global_value_origin as origin from information_schema.system_variables "
                 "where variable_name = 'READ_ONLY'",
    },
    [SQL_BOOT_READ_ONLY_MYSQL] = {
        .name = "boot-read-only-mysql", .places = "",
        .mysql = "select if(@@global.read_only, 'ON', 'OFF') as value, variable_source as origin "
                 "from performance_schema.variables_info where variable_name = 'read_only'",
    },

    /* Limits keep six results together below what one round trip may bring back (mysql_rows.h), and are the same on both
     * sides; behind the last row of a full result nothing is said (backends/compare.h). Sorted as compare.c compares keys. */
    [SQL_COMPARE_DECISION] = {
        .name = "compare-decision", .places = "",
        .mysql = "select name, epoch, seq, server, node, phase, successor, intent_id, limit_ms, why, mark "
                 "from firstchair_decision order by name limit 10",
    },
    [SQL_COMPARE_HOLD] = {
        .name = "compare-hold", .places = "",
        .mysql = "select " HOLD_COLUMNS " from firstchair_hold order by pool, server limit 200",
    },
    [SQL_COMPARE_ORDER] = {
        .name = "compare-order", .places = "",
        .mysql = "select " ORDER_COLUMNS " from firstchair_order order by order_id desc limit 200",
    },
    [SQL_COMPARE_HISTORY] = {
        .name = "compare-history", .places = "",
        .mysql = "select event_id, unix_ms, kind, subject, epoch, node, message from firstchair_history "
                 "order by event_id desc limit 300",
    },
    [SQL_COMPARE_ACTIVE_NODE] = {   /* its times change each second and decide nothing */
        .name = "compare-active-node", .places = "",
        .mysql = "select anchor, hostname, token from active_node order by anchor limit 10",
    },
    [SQL_COMPARE_NODE_HEALTH] = {
        .name = "compare-node-health", .places = "",
        .mysql = "select hostname, token, extra_info, command, app_version from node_health "
                 "order by binary hostname, binary token limit 200",
    },

    /* A probe. Naming the variables costs the server 10 us, having it look for them 350; so they are found once a connection. */
    [SQL_VARIABLES_FIND] = {
        .name = "variables-find", .places = "l", .mysql = "show global variables where variable_name in (?)",
    },
    [SQL_VARIABLES_READ] = { .name = "variables-read", .places = "v", .mysql = "select ?" },
    [SQL_STATUS_READ] = {
        .name = "status-read", .places = "",
        .mysql = "show global status where variable_name in ('Uptime', 'Rpl_semi_sync_master_status', "
                 "'Rpl_semi_sync_source_status', 'Rpl_semi_sync_master_clients', 'Rpl_semi_sync_source_clients', "
                 "'Rpl_semi_sync_slave_status', 'Rpl_semi_sync_replica_status')",
    },
    [SQL_REPLICA_LIST] = { .name = "replica-list", .places = "", .mysql = "show slave hosts" },
    [SQL_REPLICA_LIST_NEW] = { .name = "replica-list-new", .places = "", .mysql = "show replicas" },
    [SQL_DUMP_THREADS] = {
        .name = "dump-threads", .places = "",
        .mysql = "select user, host from information_schema.processlist "
                 "where command in ('Binlog Dump', 'Binlog Dump GTID') order by host limit 16384",
    },
    [SQL_DUMP_THREADS_NEW] = {
        .name = "dump-threads-new", .places = "",
        .mysql = "select user, host from performance_schema.processlist "
                 "where command in ('Binlog Dump', 'Binlog Dump GTID') order by host limit 16384",
    },
    /* Is there an account that may be handed on? Its name alone is asked for. */
    [SQL_REPLICATION_ACCOUNT] = {
        .name = "replication-account", .places = "",
        .mysql = "select count(*) as accounts from mysql.slave_master_info where user_name <> ''",
    },
    [SQL_GROUP_MEMBERS] = {
        .name = "group-members", .places = "",
        .mysql = "select member_id, member_host, member_port, member_state, member_role "
                 "from performance_schema.replication_group_members order by member_id limit 64",
    },
    /* A server that no longer hears its client gives its locks free after so many seconds of silence. */
    [SQL_SESSION_PATIENCE] = { .name = "session-patience", .places = "n", .mysql = "set session wait_timeout = ?" },
    [SQL_DEED_LOCK_TAKE] = { .name = "deed-lock-take", .places = "tn", .mysql = "select get_lock(?, ?) as taken" },
    [SQL_DEED_LOCK_HOLDER] = { .name = "deed-lock-holder", .places = "t", .mysql = "select is_used_lock(?) as holder" },
};

/* --- values of the places ----------------------------------------------------------------------------------------- */

static void add(struct sql_values *values, struct sql_value value)
{
    assert(values->count < SQL_PLACES_MAX);
    values->list[values->count++] = value;
}

void sql_values_text(struct sql_values *ret, const char *text)
{
    add(ret, (struct sql_value){ .kind = 't', .text = text });
}

void sql_values_number(struct sql_values *ret, uint64_t number)
{
    add(ret, (struct sql_value){ .kind = 'n', .number = number });
}

void sql_values_names(struct sql_values *ret, char kind, const char *names)
{
    add(ret, (struct sql_value){ .kind = kind, .text = names });
}

void sql_values_database(struct sql_values *ret, const char *name)
{
    add(ret, (struct sql_value){ .kind = 'd', .text = name });
}

static void add_integer(struct sql_values *values, int64_t integer)
{
    add(values, (struct sql_value){ .kind = 'i', .integer = integer });
}

/* Seconds of the wall clock as a TIMESTAMP can hold them: what is out of its range is a wrong clock, and stays inside. */
static uint64_t seconds_of(int64_t unix_ms)
{
    const int64_t seconds = unix_ms / 1000;
    return seconds < 1 ? 1 : seconds > INT32_MAX ? INT32_MAX : (uint64_t)seconds;
}

static void add_rank(struct sql_values *values, const struct rank *rank)
{
    sql_values_number(values, rank->epoch);
    sql_values_number(values, rank->seq);
    sql_values_text(values, rank->server);
    sql_values_text(values, rank->node);
}

static void add_decision(struct sql_values *values, const struct decision *row)
{
    add_rank(values, &row->rank);
    sql_values_text(values, phase_word(row->phase));
    sql_values_text(values, row->successor);
    sql_values_number(values, row->intent_id);
    sql_values_number(values, row->limit_ms);
    sql_values_text(values, row->why);
    sql_values_text(values, row->mark);
    add_rank(values, &row->rank);      /* the maximum's own condition */
}

static void add_hold_key(struct sql_values *values, const struct hold *hold)
{
    sql_values_text(values, hold->pool);
    sql_values_text(values, hold->server);
}

static void add_hold_columns(struct sql_values *values, const struct hold *hold)
{
    sql_values_text(values, hold_kind_word(hold->kind));
    sql_values_number(values, hold->epoch);
    sql_values_number(values, hold->seq);
    add_integer(values, hold->since_unix_ms);
    sql_values_text(values, hold->by);
    sql_values_text(values, hold->why);
}

static void add_hold_rank(struct sql_values *values, const struct hold *hold)      /* in the order of hold_compare() */
{
    sql_values_number(values, hold->epoch);
    sql_values_number(values, hold->seq);
    add_integer(values, hold->since_unix_ms);
    sql_values_text(values, hold_kind_word(hold->kind));
    sql_values_text(values, hold->by);
    sql_values_text(values, hold->why);
}

static void add_asked(struct sql_values *values, const struct stored_order *order)
{
    sql_values_text(values, order->text);
    sql_values_text(values, order->by);
    sql_values_text(values, order->node);
}

static void add_order(struct sql_values *values, const struct stored_order *order)
{
    sql_values_number(values, order->id);
    sql_values_text(values, order_state_word(order->state));
    add_asked(values, order);
    sql_values_text(values, order->answer);
    sql_values_number(values, seconds_of((int64_t)(order->id >> ORDER_ID_CHANCE_BITS)));
    add_asked(values, order);
}

static void add_order_answer(struct sql_values *values, const struct stored_order *order)
{
    const char *state = order_state_word(order->state);
    add_order(values, order);
    sql_values_text(values, state);
    sql_values_text(values, order->answer);
    sql_values_text(values, order->answer);
    sql_values_text(values, state);
    sql_values_text(values, state);
}

static void add_history(struct sql_values *values, const struct store_request *request)
{
    sql_values_number(values, request->history.id);
    add_integer(values, request->history.unix_ms);
    sql_values_text(values, request->history.kind);
    sql_values_text(values, request->history.subject);
    sql_values_number(values, request->history.epoch);
    sql_values_text(values, request->history.node);
    sql_values_text(values, request->history.text);
}

static void add_wanted(struct sql_values *values, const struct history_wanted *wanted)
{
    sql_values_number(values, wanted->before == 0 ? UINT64_C(1) << 53 : wanted->before);
    add_integer(values, wanted->since_unix_ms);
    sql_values_text(values, wanted->subject);
    sql_values_text(values, wanted->subject);
    sql_values_number(values, wanted->limit);
}

/* 52 bits of the token behind its mark: a number of this process alone. */
static uint64_t number_of_token(const char *token)
{
    uint64_t number = 0;
    const size_t length = strlen(token), from = length > 13 ? length - 13 : 0;
    for (size_t i = from; i < length; i++)
        number = number << 4 | (uint64_t)((token[i] & 0xf) + (token[i] > '9' ? 9 : 0));
    return number == 0 ? 1 : number & UINT64_C(0xfffffffffffff);
}

static void add_process(struct sql_values *values, const struct store_request *request, int64_t first_unix_ms)
{
    sql_values_text(values, request->registration.hostname);
    sql_values_text(values, request->registration.token);
    sql_values_number(values, seconds_of(first_unix_ms));
}

static void add_registration(struct sql_values *values, enum sql_name name, const struct store_request *request)
{
    if (name == SQL_ACTIVE_NODE_RAISE) {
        add_process(values, request, request->registration.leads_since_unix_ms);
        add_process(values, request, request->registration.leads_since_unix_ms);
        return;
    }
    if (name == SQL_NODE_HEALTH_HISTORY_LAY)
        sql_values_number(values, number_of_token(request->registration.token));
    add_process(values, request, request->registration.started_unix_ms);
    sql_values_text(values, request->registration.version);
    for (int i = 0; name == SQL_NODE_HEALTH_RAISE && i < 3; i++)
        sql_values_number(values, request->registration.count);
}

static void add_guard(struct sql_values *values, const struct decision *row)
{
    sql_values_number(values, row->rank.epoch);
    sql_values_text(values, row->rank.server);
    sql_values_text(values, row->rank.node);
}

void sql_values_of(enum sql_name name, const struct store_request *request, struct sql_values *ret)
{
    ret->count = 0;
    if (name == SQL_LEASE_RENEW || name == SQL_LEASE_TAKE)
        add_decision(ret, &request->row);
    if (name == SQL_LEASE_TAKE)
        add_rank(ret, &request->old.rank);
    if (name == SQL_HOLD_LAY || name == SQL_HOLD_READ)
        add_hold_key(ret, &request->hold);
    if (name == SQL_HOLD_LAY || name == SQL_HOLD_RAISE)
        add_hold_columns(ret, &request->hold);
    if (name == SQL_HOLD_RAISE) {
        add_hold_key(ret, &request->hold);
        add_hold_rank(ret, &request->hold);
    }
    if (name == SQL_ORDER_LAY)
        add_order(ret, &request->order);
    if (name == SQL_ORDER_CLOSE)
        add_order_answer(ret, &request->order);
    if (name == SQL_ORDER_READ)
        sql_values_number(ret, request->order.id);
    if (name == SQL_ACTIVE_NODE_RAISE || name == SQL_NODE_HEALTH_RAISE || name == SQL_NODE_HEALTH_HISTORY_LAY)
        add_registration(ret, name, request);
    if (name == SQL_HISTORY_LAY)
        add_history(ret, request);
    if (name == SQL_HISTORY_READ)
        add_wanted(ret, &request->wanted);
    if (name == SQL_READ_ONLY_OFF_GUARDED)
        add_guard(ret, &request->row);
}

/* --- filling ------------------------------------------------------------------------------------------------------ */

struct filling { char *to; size_t size, length; bool fits; };

static void put_bytes(struct filling *f, const char *bytes, size_t length)
{
    if (!f->fits || length >= f->size - f->length) {
        f->fits = false;
        return;
    }
    memcpy(f->to + f->length, bytes, length);
    f->length += length;
    f->to[f->length] = '\0';
}

static void put_number(struct filling *f, const struct sql_value *value)
{
    char digits[24];
    const int length = value->kind == 'n' ? snprintf(digits, sizeof digits, "%" PRIu64, value->number)
                                          : snprintf(digits, sizeof digits, "%" PRId64, value->integer);
    put_bytes(f, digits, (size_t)length);
}

static bool is_quotable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~' || *text == '\\')
            return false;
    }
    return true;
}

static void put_quoted(struct filling *f, const char *text, char quote)
{
    const char twice[2] = { quote, quote };
    put_bytes(f, twice, 1);
    for (const char *from = text; *from != '\0'; from++)
        put_bytes(f, *from == quote ? twice : from, *from == quote ? 2 : 1);
    put_bytes(f, twice, 1);
}

/* Length of the well-formed UTF-8 character at the beginning, 0 when there is none. */
static size_t utf8_length(const unsigned char *text)
{
    const unsigned char c = text[0];
    const size_t length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) || (c == 0xf0 && text[1] < 0x90) ||
        (c == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

static void put_hex(struct filling *f, const char *text)
{
    put_bytes(f, "_utf8mb4 0x", 11);
    for (const unsigned char *from = (const unsigned char *)text; *from != '\0';) {
        const size_t length = utf8_length(from), bytes = length == 0 ? 1 : length;
        for (size_t i = 0; i < bytes; i++) {
            char hex[3];
            snprintf(hex, sizeof hex, "%02x", length == 0 ? '?' : from[i]);
            put_bytes(f, hex, 2);
        }
        from += bytes;
    }
}

static void put_names(struct filling *f, const char *names, bool is_column)
{
    f->fits = f->fits && names[0] != '\0';
    for (const char *from = names; f->fits && *from != '\0';) {
        const size_t length = strspn(from, "abcdefghijklmnopqrstuvwxyz0123456789_");
        f->fits = length > 0 && (from[length] == '\0' || (from[length] == ' ' && from[length + 1] != '\0'));
        put_bytes(f, is_column ? "@@global." : "'", is_column ? 9 : 1);
        put_bytes(f, from, length);
        put_bytes(f, is_column ? " as " : "'", is_column ? 4 : 1);
        put_bytes(f, from, is_column ? length : 0);
        from += length;
        if (*from == ' ') {
            put_bytes(f, ", ", 2);
            from++;
        }
    }
}

static void put_value(struct filling *f, const struct sql_value *value)
{
    if (value->kind == 'l' || value->kind == 'v')
        put_names(f, value->text, value->kind == 'v');
    else if (value->kind == 'd')
        put_quoted(f, value->text, '`');
    else if (value->kind != 't')
        put_number(f, value);
    else if (is_quotable(value->text))
        put_quoted(f, value->text, '\'');
    else
        put_hex(f, value->text);
}

size_t sql_fill(enum sql_name name, const struct sql_values *values, char *to, size_t size)
{
    const struct sql_statement *row = &sql_statements[name];
    struct filling f = { .to = to, .size = size, .fits = size > 0 && row->mysql != NULL };
    int place = 0;

    if (size > 0)
        to[0] = '\0';
    for (const char *from = row->mysql; f.fits && *from != '\0'; from++) {
        if (*from != '?') {
            put_bytes(&f, from, 1);
            continue;
        }
        if (values == NULL || place >= values->count || values->list[place].kind != row->places[place])
            f.fits = false;
        else
            put_value(&f, &values->list[place++]);
    }
    if (f.fits && place == (values == NULL ? 0 : values->count))
        return f.length;
    if (size > 0)
        to[0] = '\0';
    return 0;
}
