/* One SQLite file as the store uses it: opened when needed, opened anew when it was broken, replaced or removed, every error
 * as one sentence.
 *
 * Used by one thread at a time; every call may block (never on the loop's thread, except sqlite_file_free). */
#ifndef FC_BACKENDS_SQLITE_FILE_H
#define FC_BACKENDS_SQLITE_FILE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "backends/sql_statements.h"
#include "base/err.h"
#include "model/look.h"

struct sqlite_file;

enum sqlite_care {
    SQLITE_READS,              /* a consistent picture */
    SQLITE_WRITES,             /* survives the end of every process; the last ones may be missing after a power failure */
    SQLITE_WRITES_FOR_GOOD,    /* on the disk before it is said to be done */
};

/* Opens nothing yet. NULL when out of memory. */
struct sqlite_file *sqlite_file_new(const char *path);
void sqlite_file_free(struct sqlite_file *file);

/* Opens the file if it is not open, creates it (0600, folders 0700) if it is not there, and begins a transaction. Waits at
 * most busy_ms for a lock, here and in what follows. FC_STORE with *loss otherwise. */
enum fc_code sqlite_file_begin(struct sqlite_file *file, enum sqlite_care care, int busy_ms, enum loss *loss, struct fc_err *err);
/* Ends the transaction: commits when `so_far` is FC_OK, else rolls back. Returns so_far, or what the commit said. */
enum fc_code sqlite_file_end(struct sqlite_file *file, enum fc_code so_far, enum loss *loss, struct fc_err *err);

typedef void sqlite_row(void *to, sqlite3_stmt *row);
/* Runs one statement of the table with its values (NULL: none); each row of its answer goes to on_row (may be NULL). */
enum fc_code sqlite_file_run(struct sqlite_file *file, enum sql_name name, const struct sql_values *values, sqlite_row *on_row,
                             void *to, enum loss *loss, struct fc_err *err);

/* Any number of statements with ';' between them, literals and all (backends/fleet/fleet_sql.h). `on_set` comes before the rows of each.
 * `why`: what failed it, when it was not the file. */
enum sqlite_no { SQLITE_NO_FILE, SQLITE_NO_STATEMENT, SQLITE_NO_ROW };     /* a table or column is missing; what a row holds is refused */
struct sqlite_texts { const char *text; sqlite_row *on_set, *on_row; void *to; };
enum fc_code sqlite_file_run_texts(struct sqlite_file *file, const struct sqlite_texts *texts, enum sqlite_no *why, enum loss *loss,
                                   struct fc_err *err);

/* Columns as plain values: NULL is "", a negative or strange number 0, text is cut where it is too long. */
uint64_t sqlite_column_number(sqlite3_stmt *row, int column);
void sqlite_column_words(sqlite3_stmt *row, int column, char *to, size_t size);

#endif
