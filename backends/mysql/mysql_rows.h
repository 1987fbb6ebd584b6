/* What one round trip brought back: the result sets of a multi-statement as text, kept in one bounded arena.
 *
 * Filled by mysql_session.c from the wire, or by a test from a text; read by the folding functions. A statement without a
 * result set counts as a set without columns, so that the n-th statement is always the n-th set. */
#ifndef FC_BACKENDS_MYSQL_ROWS_H
#define FC_BACKENDS_MYSQL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWS_SETS_MAX 256
#define ROWS_CELLS_MAX 65536         /* 3 columns of 20000 sessions: more than max_connections of a server of ours */
#define ROWS_BYTES_MAX (1u << 20)
#define ROWS_COLUMNS_MAX 128         /* SHOW ALL SLAVES STATUS has about 70 */

struct rows_set { uint32_t first_name, first_cell, column_count, row_count; };

struct mysql_rows {
    int set_count;
    struct rows_set *sets;
    size_t set_room;
    uint32_t *cells;                 /* offsets into bytes; 0 is NULL. Names of columns stand among them */
    size_t cell_count, cell_room;
    char *bytes;                     /* texts with their zero bytes; byte 0 is not used */
    size_t byte_count, byte_room;
};

void mysql_rows_clear(struct mysql_rows *rows);      /* keeps its memory */
void mysql_rows_done(struct mysql_rows *rows);

/* Another's content, into an empty or used one. False: memory is out, and it is empty. */
bool mysql_rows_copy(struct mysql_rows *to, const struct mysql_rows *from);

/* Filling, in order: a set, its column names, then its cells row by row. False: a bound is reached or memory is out. */
bool mysql_rows_begin_set(struct mysql_rows *rows, uint32_t column_count);
bool mysql_rows_add_name(struct mysql_rows *rows, const char *name);
bool mysql_rows_add_cell(struct mysql_rows *rows, const char *text, size_t length);   /* text NULL: NULL */
void mysql_rows_end_row(struct mysql_rows *rows);

/* Reading. Everything out of range reads as "nothing": 0, NULL, "". */
uint32_t mysql_rows_count(const struct mysql_rows *rows, int set);
int mysql_rows_column(const struct mysql_rows *rows, int set, const char *name);      /* -1: no such column; any case */
int mysql_rows_columns(const struct mysql_rows *rows, int set);                       /* how many */
const char *mysql_rows_column_name(const struct mysql_rows *rows, int set, int column);
const char *mysql_rows_cell(const struct mysql_rows *rows, int set, uint32_t row, int column);   /* NULL for NULL */
const char *mysql_rows_named(const struct mysql_rows *rows, int set, uint32_t row, const char *name);
uint64_t mysql_rows_number(const struct mysql_rows *rows, int set, uint32_t row, int column);    /* 0 when no number */

#endif
