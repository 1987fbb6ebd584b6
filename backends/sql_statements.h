/* Every statement that we ever send to a backend store: one table, one row each, for both kinds of store.
 *
 * (The tables of a fleet are too many to be written by hand: backends/fleet/fleet_sql.h makes theirs, under the same rules.)
 *
 * Rules for rows that write (spec/ha-modes.md 5): safe to replay under STATEMENT replication, on a peer that lacks rows or
 * has others, twice and late. So: natural keys, literal values, no insert-select, no LIMIT, no auto-increment; and no
 * verdict by affected rows, but by reading back. `replay` says for each row why it is so.
 *
 * Texts carry `?` places. MySQL gets them filled with escaped literals by sql_fill(), the only function that escapes;
 * SQLite binds the same values in the same order. */
#ifndef FC_BACKENDS_SQL_STATEMENTS_H
#define FC_BACKENDS_SQL_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/store.h"

#define SQL_PLACES_MAX 20

enum sql_name {
    /* the schema: SQL_CREATE_FIRST to SQL_CREATE_LAST create one table each */
    SQL_CREATE_ACTIVE_NODE,
    SQL_CREATE_NODE_HEALTH,
    SQL_CREATE_NODE_HEALTH_HISTORY,
    SQL_CREATE_DEPLOYMENTS,
    SQL_CREATE_DECISION,
    SQL_CREATE_HOLD,
    SQL_CREATE_ORDER,
    SQL_CREATE_HISTORY,
    SQL_TABLES,              /* the catalogue: one column, names of the tables that are there */
    SQL_DEPLOYMENT_LAY,
    /* the deciding row */
    SQL_LEASE_LAY,
    SQL_REPLICA_RESUME,
    SQL_LEASE_RENEW,
    SQL_LEASE_TAKE,
    SQL_LEASE_READ,
    /* holds, orders */
    SQL_HOLD_LAY,
    SQL_HOLD_RAISE,
    SQL_HOLD_READ,
    SQL_HOLDS_READ,
    SQL_ORDER_LAY,
    SQL_ORDER_CLOSE,
    SQL_ORDER_READ,
    SQL_ORDERS_READ,
    /* rows for other tools and for people */
    SQL_ACTIVE_NODE_READ,
    SQL_ACTIVE_NODE_RAISE,
    SQL_NODE_HEALTH_RAISE,
    SQL_NODE_HEALTH_HISTORY_LAY,
    SQL_HISTORY_LAY,
    SQL_HISTORY_READ,
    SQL_TIDY_NODE_HEALTH,
    SQL_TIDY_ORDERS,
    SQL_TIDY_HISTORY,
    /* one SQLite file (no MySQL text): times in the form that orchestrator's raft snapshots leave behind */
    SQL_NORMALISE_ACTIVE_NODE,
    SQL_NORMALISE_NODE_HEALTH,
    SQL_NORMALISE_NODE_HEALTH_HISTORY,
    /* one MySQL server (no SQLite text) */
    SQL_SESSION_SETTINGS,
    SQL_SERVER_CAPABILITIES,
    SQL_NOTHING,
    SQL_DATABASE_USE,
    SQL_DATABASE_CREATE,
    SQL_SERVER_GRANTS,
    SQL_SERVER_FACTS_MARIADB,
    SQL_SERVER_FACTS_MYSQL,
    SQL_SERVER_FACTS_PLAIN,
    SQL_LOG_POSITION,
    SQL_LOG_POSITION_NEW,
    SQL_LOG_EVENTS,
    SQL_LOG_NAMES,
    SQL_LOG_BEGINNING,
    SQL_LOG_STATE_MARIADB,
    SQL_LOG_STATE_MYSQL,
    SQL_REPLICA_STATUS_ALL,
    SQL_REPLICA_STATUS_NEW,
    SQL_REPLICA_STATUS_OLD,
    SQL_READ_ONLY_ON,
    SQL_SUPER_READ_ONLY_ON,
    SQL_READ_ONLY_ON_GUARDED,
    SQL_SUPER_READ_ONLY_ON_GUARDED,
    SQL_SUPER_READ_ONLY_OFF,
    SQL_READ_ONLY_OFF_GUARDED,
    SQL_READ_ONLY_READ,
    SQL_SESSIONS_READ,
    SQL_APPLIERS_READ,
    SQL_APPLIERS_READ_MYSQL,
    SQL_SESSION_END,
    /* what the mode needs, and whether both servers hold the same */
    SQL_SETTINGS_READ,
    SQL_CLOCK_READ,
    SQL_UPTIME_READ,
    SQL_ACCOUNTS_READ,
    SQL_ACCOUNTS_READ_MYSQL,
    SQL_BOOT_READ_ONLY,
    SQL_BOOT_READ_ONLY_MYSQL,
    SQL_COMPARE_DECISION,
    SQL_COMPARE_HOLD,
    SQL_COMPARE_ORDER,
    SQL_COMPARE_HISTORY,
    SQL_COMPARE_ACTIVE_NODE,
    SQL_COMPARE_NODE_HEALTH,
    /* one probe of a server of a fleet, besides the position and the replica status above */
    SQL_VARIABLES_FIND,
    SQL_VARIABLES_READ,
    SQL_STATUS_READ,
    SQL_REPLICA_LIST,
    SQL_REPLICA_LIST_NEW,
    SQL_DUMP_THREADS,
    SQL_DUMP_THREADS_NEW,
    SQL_REPLICATION_ACCOUNT,
    SQL_GROUP_MEMBERS,
    /* the lock before a deed on a managed cluster */
    SQL_SESSION_PATIENCE,
    SQL_DEED_LOCK_TAKE,
    SQL_DEED_LOCK_HOLDER,
    SQL_STATEMENT_COUNT
};

#define SQL_CREATE_FIRST SQL_CREATE_ACTIVE_NODE
#define SQL_CREATE_LAST SQL_CREATE_HISTORY

struct sql_statement {
    const char *name;
    const char *table;       /* rows that create: the table; NULL otherwise */
    const char *mysql;       /* NULL: SQLite has this alone */
    const char *sqlite;      /* NULL: MySQL has this alone */
    bool writes;             /* a row or a definition of the store changes (not: a server's setting) */
    const char *places;      /* one letter a place, in order: t text, n number (uint64_t), i signed number (int64_t),
                              * d a schema's name, l names of variables as literals, v names of global variables as columns */
    const char *replay;      /* rows that write: why a second, late or lonely replay does no harm */
};

extern const struct sql_statement sql_statements[SQL_STATEMENT_COUNT];

struct sql_value {
    char kind;               /* as in `places` */
    uint64_t number;
    int64_t integer;
    const char *text;        /* t, d: borrowed, never NULL; l, v: names of [a-z0-9_] with one blank between */
};

struct sql_values {
    int count;
    struct sql_value list[SQL_PLACES_MAX];
};

/* The values of a row's places, taken from a request, ready to be filled in or bound. Texts are borrowed from the request
 * (and from `node`, `version`), which must outlive them. Rows without places give none. */
void sql_values_of(enum sql_name name, const struct store_request *request, struct sql_values *ret);
/* SQL_ORDERS_READ: the node whose answered orders are wanted. SQL_DEPLOYMENT_LAY: our version. */
void sql_values_text(struct sql_values *ret, const char *text);
void sql_values_database(struct sql_values *ret, const char *name);
void sql_values_number(struct sql_values *ret, uint64_t number);
void sql_values_names(struct sql_values *ret, char kind, const char *names);      /* l or v */

/* Writes the MySQL text with its places filled, and a zero byte. Returns the length, or 0 when it does not fit or the
 * values are not those that the row wants (then `to` is the empty text). Numbers are written as digits. Text of printable
 * ASCII without a backslash is quoted, with ' doubled: the same under every sql_mode. Any other text becomes a hex literal
 * of its UTF-8 bytes, in which bytes that are no UTF-8 are replaced by '?'. */
size_t sql_fill(enum sql_name name, const struct sql_values *values, char *to, size_t size);

/* What our own nodes' tokens begin with: an active_node row with another token is a foreign owner's. */
#define SQL_TOKEN_MARK "fc1c4a17"

#endif
