/* The statements of the fleet's tables, made from fleet_schema.h, as one text for either kind of backend. With sql_statements.h
 * this is the only place where SQL for a store is written; why replaying is harmless stands in each table's row.
 *
 * Every text is deterministic: literal keys, literal moments, no insert-select, no LIMIT and no auto-increment where something is
 * written. SQLite's texts hold the same literals: there is one way to quote for each kind of value and backend. */
#ifndef FC_BACKENDS_FLEET_SQL_H
#define FC_BACKENDS_FLEET_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/fleet/fleet_row.h"
#include "backends/fleet_store.h"

enum fleet_dialect { FLEET_SQLITE, FLEET_MYSQL, FLEET_MARIADB };

/* Grows as it is written to. When memory is out it is marked and nothing more is added. Begin with zeros. */
struct fleet_text { char *bytes; size_t length, room; bool is_short; };
void fleet_text_done(struct fleet_text *text);
void fleet_text_clear(struct fleet_text *text);      /* keeps its memory */
void fleet_text_add(struct fleet_text *text, const char *bytes, size_t length);

/* Which columns are there: one bit a column. */
struct fleet_present { bool is_there; bool column[FLEET_COLUMNS_MAX]; };

/* Two columns, table and column, of all tables of ours that are there. */
void fleet_sql_catalogue(struct fleet_text *to, enum fleet_dialect dialect);
/* The table with its indexes; where it is there already, nothing. Statements end with ';' between them. */
void fleet_sql_create(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name table);
void fleet_sql_add_column(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name table, int column);
/* SQLite: the times that orchestrator's raft snapshots leave behind, in the form that compares. Nothing for tables without times. */
void fleet_sql_normalise(struct fleet_text *to, enum fleet_table_name table, const struct fleet_present *present);

/* Writing: the head, tuples with a comma between, the tail. Texts that a column cannot hold are cut at a character (lists at a comma);
 * what its character set does not have becomes '?'; moments that no backend holds are the nearest ones. */
void fleet_sql_put_head(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name table);
void fleet_sql_tuple(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row);
void fleet_sql_put_tail(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name table);
/* One row, whole; of a lock: the older active row is ended first (two statements). */
void fleet_sql_put(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row);
/* The row goes, where its rank is not above that of `row`. */
void fleet_sql_delete(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row);
/* The columns that are set, of a row that is there by name or key and not marked later. */
void fleet_sql_mark_row(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row);
/* What an operator said, and then what stands now: the last set is one number, 1 where the row stands as it was said; of what was taken
 * back, 0 where it is gone. `makes_table`: the table first, where it is missing. */
void fleet_sql_word(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row, bool takes_back, bool makes_table);
void fleet_sql_stands(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row, bool takes_back);
/* database_instance: these moments of `count` servers (rows with last_checked, last_attempted_check and, if the look was good, last_seen);
 * all rows have the same three. */
void fleet_sql_refresh(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *moments,
                       const char *const *hosts, const uint16_t *ports, int count);

/* Rows whose moment is before `moment`, literally the same ones wherever it is said. */
void fleet_sql_tidy(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_life *life, int64_t moment);

/* Reading, by key from `after` (NULL: from the first row on), only columns that are there; moments as seconds.
 * `keys_only`: just the key. `since` (not 0): only rows whose first rank is not older. */
struct fleet_range {
    const struct fleet_row *after;
    int limit;
    bool keys_only;
    int64_t since;
};
void fleet_sql_range(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name table, const struct fleet_present *present,
                     const struct fleet_range *range);
/* One row by its key. */
void fleet_sql_one(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *key, const struct fleet_present *present);
/* Newest first: by a number as key, else by rank (and `from` and `before` say nothing). */
void fleet_sql_page(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_present *present, const struct fleet_page *page);
/* One row, one column: how many rows there are, and (a table with a rank) the newest moment, as "count/moment": it changes when somebody
 * else has put rows there or taken them away. */
void fleet_sql_mark(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name table);

#endif
