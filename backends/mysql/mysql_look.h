/* One look at a MySQL or MariaDB server: which statements it consists of, and how their rows become a server_look.
 * Folding is a function of rows: the fuzzer calls the same one. */
#ifndef FC_BACKENDS_MYSQL_LOOK_H
#define FC_BACKENDS_MYSQL_LOOK_H

#include <stdbool.h>

#include "backends/mysql/mysql_rows.h"
#include "backends/mysql/mysql_session.h"
#include "backends/sql_statements.h"
#include "base/err.h"
#include "core/config.h"
#include "model/look.h"

#define LOOK_STATEMENTS_MAX 9

struct look_shape {
    const struct mysql_server_kind *kind;
    bool has_replication;            /* a pair: log position and replica status are asked for */
    bool has_boot;                   /* a new session: what the server started with is asked for, before anybody sets it */
    bool has_use;                    /* the schema was not there when last seen: try to use it again */
    int peer_count;                  /* the other configured servers: which channel is ours */
    const char (*peers)[ADDRESS_SIZE];
};

/* The statements in order; returns their number. SQL_DATABASE_USE and SQL_ORDERS_READ have places of the caller's. */
int mysql_look_statements(const struct look_shape *shape, enum sql_name to[LOOK_STATEMENTS_MAX]);
/* How many of them come before the schema: a look whose later ones fail for want of a table is still a look. */
int mysql_look_server_count(const struct look_shape *shape);

/* FC_STORE: the rows cannot be what a server of ours says (the sentence tells which); nothing is decided by them. */
enum fc_code mysql_look_fold(const struct mysql_rows *rows, const struct look_shape *shape, bool has_schema,
                             struct server_look *ret, struct fc_err *err);

/* Parts of it that others need too. A set that is not there reads as absent. */
/* read_only as the server started with it; "" when it was set since (or the set is not there). */
void mysql_fold_boot(const struct mysql_rows *rows, int set, char *to, size_t size);
void mysql_fold_position(const struct mysql_rows *rows, int set, struct log_position *ret);
/* The row among several channels that is told about: the one from another server of ours, else the default one, else the first. */
uint32_t mysql_replica_row(const struct mysql_rows *rows, int set, const struct look_shape *shape);
void mysql_fold_replica(const struct mysql_rows *rows, int set, const struct look_shape *shape, struct replica_look *ret);
/* The applier says that it has read everything there is: what is left is the beginning of a transaction without its end. */
bool mysql_fold_applier_waits(const struct mysql_rows *rows, int set, const struct look_shape *shape);
/* false: no such row. A kind of a later version reads as HOLD_KIND_COUNT. */
bool mysql_fold_hold(const struct mysql_rows *rows, int set, uint32_t row, struct hold *ret);
bool mysql_fold_lease(const struct mysql_rows *rows, int set, struct decision *ret);   /* false: no such row (ret zero) */
void mysql_fold_history(const struct mysql_rows *rows, int set, struct history_rows *ret);   /* lines without an id are left out */
enum sql_name mysql_position_statement(const struct mysql_server_kind *kind);
enum sql_name mysql_replica_statement(const struct mysql_server_kind *kind);
enum sql_name mysql_boot_statement(const struct mysql_server_kind *kind);      /* SQL_NOTHING: it cannot tell */

/* Does `reached` include everything up to `wanted`? Files are compared by the number at their end. */
bool mysql_position_has_reached(const struct log_position *reached, const struct log_position *wanted);

#endif
