/* The rule of spec/ha-modes.md 5 and spec/steering.md 4, tried on real databases: every writing statement of the table, replayed
 * twice, late, newest first, and on a side that lacks rows or has others, succeeds and leads to the same rows. */
#ifndef FC_TESTS_STATEMENT_REPLAY_H
#define FC_TESTS_STATEMENT_REPLAY_H

#include "backends/sql_statements.h"

struct replay_side {
    void *db;
    /* Must fail the scene when the statement fails: an error stops replication. */
    void (*run)(void *db, enum sql_name name, const struct sql_values *values);
    void (*query)(void *db, const char *sql, char *to, size_t size);     /* rows as "a|b" lines */
};

/* A side whose tables are there and empty. `sides` are two of them, reset between the parts of the scene. */
void replay_every_statement(struct replay_side *one, struct replay_side *other);

#endif
