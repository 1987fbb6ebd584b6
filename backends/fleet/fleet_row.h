/* One row of one of the fleet's tables, as values. Moments are seconds since 1970, UTC, in both kinds of backend and in both
 * forms that SQLite's texts have. Texts are borrowed: of a row that is heard, for the call.
 *
 *     struct fleet_row row = fleet_row_of(FLEET_database_instance_tags);
 *     fleet_set_text(&row, database_instance_tags_hostname, "db1"); ...
 */
#ifndef FC_BACKENDS_FLEET_ROW_H
#define FC_BACKENDS_FLEET_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/fleet/fleet_schema.h"
#include "base/err.h"

struct mysql_rows;

enum fleet_value_kind { FLEET_PRESET = 0, FLEET_NULL, FLEET_NUMBER, FLEET_TEXT };    /* preset: the column's own default */
struct fleet_value {
    enum fleet_value_kind kind;
    union { int64_t number; const char *text; };
};

struct fleet_row {
    enum fleet_table_name table;
    struct fleet_value values[FLEET_COLUMNS_MAX];
};

struct fleet_row fleet_row_of(enum fleet_table_name table);
void fleet_set_text(struct fleet_row *row, int column, const char *text);          /* NULL: "" */
void fleet_set_number(struct fleet_row *row, int column, int64_t number);          /* moments too */
void fleet_set_null(struct fleet_row *row, int column);
/* "" and 0 for NULL and for what was not set. */
const char *fleet_text(const struct fleet_row *row, int column);
int64_t fleet_number(const struct fleet_row *row, int column);
bool fleet_is_null(const struct fleet_row *row, int column);

/* Is it a row that may be written: a key, a rank where its table has one, and of words numbers that fit (of what was seen, what a column
 * cannot hold is the nearest that it can)? `err` says what is wrong. */
enum fc_code fleet_row_check(const struct fleet_row *row, struct fc_err *err);

/* Of table and key; of all columns of one part. For telling rows apart, not for keeping. */
uint64_t fleet_key_hash(const struct fleet_row *row);
uint64_t fleet_part_hash(const struct fleet_row *row, enum fleet_part part);
bool fleet_key_is_same(const struct fleet_row *a, const struct fleet_row *b);
/* Which of two rows of one key stays: above 0, `a` is newer. 0 where the table has no rank. */
int fleet_rank_compare(const struct fleet_row *a, const struct fleet_row *b);

/* From one row of an answer whose columns are named as the table's. Columns that are not in it read as unset. */
void fleet_row_from(enum fleet_table_name table, const struct mysql_rows *rows, int set, uint32_t row, struct fleet_row *ret);

/* What an operator or a tool said of a server or a cluster, as bytes: names of table and columns stand in them, because logs outlive
 * versions. Shorter than the longest entry of a log. */
#define FLEET_WORD_SIZE 896
struct fleet_word {
    bool takes_back;                 /* the row goes, where it is not newer than what is said here (its rank) */
    uint16_t length;
    uint8_t bytes[FLEET_WORD_SIZE];
};
/* Whose word it is: the key's hash; of a lock, the server's. */
uint64_t fleet_word_key(const struct fleet_row *row);
/* FC_BAD_INPUT: not a table of words, not a sound row (of what is taken back: key and rank are enough), or too long. */
enum fc_code fleet_word_of(const struct fleet_row *row, bool takes_back, struct fleet_word *ret, struct fc_err *err);
/* Texts lie in `word`. FC_BAD_INPUT: of another version, or damaged. */
enum fc_code fleet_word_row(const struct fleet_word *word, struct fleet_row *ret);

#endif
