/* Two sorted lists walked side by side, once a table. What is found is looked up in the later reading before it counts. */
#include "backends/compare.h"

#include <string.h>

#include "base/text.h"

const struct compare_table compare_tables[] = {
    /* table                  statement                 keys  number  falling */
    { "firstchair_decision",  SQL_COMPARE_DECISION,     1,    false,  false },
    { "firstchair_hold",      SQL_COMPARE_HOLD,         2,    false,  false },
    { "firstchair_order",     SQL_COMPARE_ORDER,        1,    true,   true },
    { "firstchair_history",   SQL_COMPARE_HISTORY,      1,    true,   true },
    { "active_node",          SQL_COMPARE_ACTIVE_NODE,  1,    true,   false },
    { "node_health",          SQL_COMPARE_NODE_HEALTH,  2,    false,  false },
};
const int compare_table_count = sizeof compare_tables / sizeof compare_tables[0];

#define LIMIT_OF(statement) limit_of(sql_statements[statement].mysql)

struct walk {
    int set;
    const struct compare_table *table;
    struct reading first;
    const struct reading *later;
    struct comparison *found;
};

static const char *cell(const struct mysql_rows *rows, int set, uint32_t row, int column)
{
    const char *text = mysql_rows_cell(rows, set, row, column);
    return text == NULL ? "" : text;
}

/* The "limit N" that every statement of this table ends in: a result that has so many rows may go on behind them. */
static uint32_t limit_of(const char *statement)
{
    const char *number = strrchr(statement, ' ');
    uint64_t limit = 0;
    return number != NULL && text_to_u64(number + 1, strlen(number + 1), &limit) ? (uint32_t)limit : 0;
}

/* Negative: the row of `a` comes first. */
static int key_compare(const struct walk *w, const struct mysql_rows *a, uint32_t row_a, const struct mysql_rows *b, uint32_t row_b)
{
    if (w->table->is_number) {
        const uint64_t left = mysql_rows_number(a, w->set, row_a, 0), right = mysql_rows_number(b, w->set, row_b, 0);
        const int order = left < right ? -1 : left > right;
        return w->table->is_falling ? -order : order;
    }
    for (int i = 0; i < w->table->key_count; i++) {
        const int order = strcmp(cell(a, w->set, row_a, i), cell(b, w->set, row_b, i));
        if (order != 0)
            return order;
    }
    return 0;
}

/* The row with the same key; -1 none. */
static int64_t row_like(const struct walk *w, const struct mysql_rows *from, uint32_t row, const struct mysql_rows *in)
{
    for (uint32_t i = 0; i < mysql_rows_count(in, w->set); i++) {
        if (key_compare(w, from, row, in, i) == 0)
            return i;
    }
    return -1;
}

static struct difference *add(struct walk *w, const struct mysql_rows *rows, uint32_t row)
{
    if (w->found->count == COMPARE_DIFFERENCES_MAX) {
        w->found->more++;
        return NULL;
    }
    struct difference *d = &w->found->list[w->found->count++];
    memset(d, 0, sizeof *d);
    d->table = w->table->name;
    for (int i = 0; i < w->table->key_count; i++) {
        const size_t length = strlen(d->key);
        text_format(d->key + length, sizeof d->key - length, "%s%s", i == 0 ? "" : "/", cell(rows, w->set, row, i));
    }
    text_make_plain(d->key);
    return d;
}

/* ---- a row on one side only ---------------------------------------------------------------------------------------- */

static bool is_still_alone(const struct walk *w, const struct mysql_rows *rows, uint32_t row, bool is_left)
{
    if (w->later == NULL)
        return true;
    return row_like(w, rows, row, is_left ? w->later->left : w->later->right) >= 0 &&
           row_like(w, rows, row, is_left ? w->later->right : w->later->left) < 0;
}

static void tell_alone(struct walk *w, const struct mysql_rows *rows, uint32_t row, bool is_left)
{
    struct difference *d = is_still_alone(w, rows, row, is_left) ? add(w, rows, row) : NULL;
    if (d == NULL)
        return;
    d->is_on_left = is_left;
    d->is_on_right = !is_left;
}

/* ---- a column that differs ----------------------------------------------------------------------------------------- */

static bool still_differs(const struct walk *w, uint32_t left, uint32_t right, int column)
{
    if (w->later == NULL)
        return true;
    const int64_t l = row_like(w, w->first.left, left, w->later->left), r = row_like(w, w->first.right, right, w->later->right);
    if (l < 0 || r < 0)
        return false;
    const char *now_left = cell(w->later->left, w->set, (uint32_t)l, column);
    const char *now_right = cell(w->later->right, w->set, (uint32_t)r, column);
    return !text_is(now_left, now_right) && (text_is(now_left, cell(w->first.left, w->set, left, column)) ||
                                             text_is(now_right, cell(w->first.right, w->set, right, column)));
}

static void tell_columns(struct walk *w, uint32_t left, uint32_t right)
{
    const int columns = mysql_rows_columns(w->first.left, w->set);
    for (int c = w->table->key_count; c < columns; c++) {
        const char *on_left = cell(w->first.left, w->set, left, c), *on_right = cell(w->first.right, w->set, right, c);
        if (text_is(on_left, on_right) || !still_differs(w, left, right, c))
            continue;
        struct difference *d = add(w, w->first.left, left);
        if (d == NULL)
            continue;
        d->is_on_left = d->is_on_right = true;
        TEXT_SET(d->column, mysql_rows_column_name(w->first.left, w->set, c));
        TEXT_SET(d->left, on_left);
        TEXT_SET(d->right, on_right);
        text_make_plain(d->left);
        text_make_plain(d->right);
    }
}

/* ---- the walk ------------------------------------------------------------------------------------------------------ */

static void walk_table(struct walk *w)
{
    const struct mysql_rows *left = w->first.left, *right = w->first.right;
    const uint32_t left_count = mysql_rows_count(left, w->set), right_count = mysql_rows_count(right, w->set);
    const uint32_t limit = LIMIT_OF(w->table->statement);
    uint32_t l = 0, r = 0;
    while (l < left_count || r < right_count) {
        if ((l == left_count && left_count == limit) || (r == right_count && right_count == limit))
            return;                                          /* what comes behind a full result was not read there */
        const int order = l == left_count ? 1 : r == right_count ? -1 : key_compare(w, left, l, right, r);
        if (order == 0)
            tell_columns(w, l, r);
        else
            tell_alone(w, order < 0 ? left : right, order < 0 ? l : r, order < 0);
        l += order <= 0;
        r += order >= 0;
    }
}

void compare_rows(struct reading first, const struct reading *later, struct comparison *ret)
{
    ret->count = ret->more = 0;
    for (int i = 0; i < compare_table_count; i++) {
        struct walk walk = { .set = i, .table = &compare_tables[i], .first = first, .later = later, .found = ret };
        walk_table(&walk);
    }
}
