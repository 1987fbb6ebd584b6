/* Do both servers hold the same decision tables? A pure comparison of the rows that STORE_COMPARE read on each.
 *
 * Rows travel while they are read, so two readings some time apart tell a row in flight from a row that differs: a difference
 * counts that was there both times, and of whose two sides at least one stood still in between (a lease's `seq` rises on both
 * servers, one a little behind the other; when replication has stopped, one side stands). */
#ifndef FC_BACKENDS_COMPARE_H
#define FC_BACKENDS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/mysql/mysql_rows.h"
#include "backends/sql_statements.h"

#define COMPARE_DIFFERENCES_MAX 50   /* shown; more are counted */
#define COMPARE_KEY_SIZE 160
#define COMPARE_CELL_SIZE 96         /* of a value that differs: cut for people */

struct compare_table {
    const char *name;
    enum sql_name statement;         /* its first key_count columns are the key, in which the rows are sorted */
    int key_count;
    bool is_number;                  /* the key is one number */
    bool is_falling;                 /* the highest first */
};
extern const struct compare_table compare_tables[];
extern const int compare_table_count;

struct difference {
    const char *table;
    char key[COMPARE_KEY_SIZE];
    char column[40];                 /* "" = the row itself is on one side only */
    char left[COMPARE_CELL_SIZE], right[COMPARE_CELL_SIZE];      /* "" and is_on_... false where the row is not there */
    bool is_on_left, is_on_right;
};

struct comparison {
    int count;                       /* in `list` */
    int more;                        /* found beyond that */
    struct difference list[COMPARE_DIFFERENCES_MAX];
};

/* Two readings of two servers. With `later` NULL every difference of the first reading is told. Bounded by the rows themselves. */
struct reading { const struct mysql_rows *left, *right; };
void compare_rows(struct reading first, const struct reading *later, struct comparison *ret);

#endif
