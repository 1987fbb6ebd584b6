/* Two servers' tables side by side: what differs is told by table, key and column; what is merely on its way is not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/compare.h"
#include "base/text.h"

struct side { struct mysql_rows rows; };

static const char *const columns[] = {
    "name epoch seq server node phase successor intent_id limit_ms why mark", "pool server epoch seq kind since_unix_ms set_by why",
    "order_id state order_text asked_by node answer", "event_id unix_ms kind subject epoch node message", "anchor hostname token",
    "hostname token extra_info command app_version",
};

/* One text a table: rows by ';', cells by '|'. A NULL table is empty. */
static struct side side_of(const char *const tables[6])
{
    struct side side = { 0 };
    char text[65536], *row_rest = NULL, *rest = NULL;
    mysql_rows_clear(&side.rows);
    for (int t = 0; t < 6; t++) {
        uint32_t count = 0;
        text_copy(text, sizeof text, columns[t]);
        for (const char *c = text; c != NULL; c = strchr(c + 1, ' '))
            count++;
        cr_assert(mysql_rows_begin_set(&side.rows, count));
        for (char *name = strtok_r(text, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
            cr_assert(mysql_rows_add_name(&side.rows, name));
        text_copy(text, sizeof text, tables[t] == NULL ? "" : tables[t]);
        for (char *row = strtok_r(text, ";", &row_rest); row != NULL; row = strtok_r(NULL, ";", &row_rest)) {
            uint32_t cells = 0;
            for (char *cell = strtok_r(row, "|", &rest); cell != NULL; cell = strtok_r(NULL, "|", &rest), cells++)
                cr_assert(mysql_rows_add_cell(&side.rows, cell, strlen(cell)));
            for (; cells < count; cells++)
                cr_assert(mysql_rows_add_cell(&side.rows, "", 0));
            mysql_rows_end_row(&side.rows);
        }
    }
    return side;
}

#define SIDE(...) side_of((const char *const[6]){ __VA_ARGS__ })

static struct comparison found;

static void compare(struct side a, struct side b)
{
    compare_rows((struct reading){ &a.rows, &b.rows }, NULL, &found);
    mysql_rows_done(&a.rows);
    mysql_rows_done(&b.rows);
}

static void compare_twice(struct side a, struct side b, struct side later_a, struct side later_b)
{
    const struct reading later = { &later_a.rows, &later_b.rows };
    compare_rows((struct reading){ &a.rows, &b.rows }, &later, &found);
    mysql_rows_done(&a.rows);
    mysql_rows_done(&b.rows);
    mysql_rows_done(&later_a.rows);
    mysql_rows_done(&later_b.rows);
}

/* "table key column left>right", or "table key only left". */
static void finds(int index, const char *wanted)
{
    char text[400];
    const struct difference *d = &found.list[index];
    cr_assert_lt(index, found.count, "nothing there: %s", wanted);
    if (d->is_on_left && d->is_on_right)
        TEXT_FORMAT(text, "%s %s %s %s>%s", d->table, d->key, d->column, d->left, d->right);
    else
        TEXT_FORMAT(text, "%s %s only %s", d->table, d->key, d->is_on_left ? "left" : "right");
    cr_expect_str_eq(text, wanted);
}

#define LEASE(seq) "lease|9|" seq "|uid:1|fc1~a|seated"

Test(compare, equal_tables_do_not_differ)
{
    compare(SIDE(LEASE("7"), "fc_backend|db1|3|1|maint"), SIDE(LEASE("7"), "fc_backend|db1|3|1|maint"));
    cr_expect_eq(found.count, 0);
}

Test(compare, a_row_on_one_side_and_a_column_are_told_by_their_keys)
{
    compare(SIDE(LEASE("7"), "fc_backend|db1|3|1|maint;fc_backend|db2|4|1|drain", "30|asked;10|done"),
            SIDE(LEASE("7"), "fc_backend|db2|4|1|maint", "30|asked;20|done;10|done"));
    cr_assert_eq(found.count, 3);
    finds(0, "firstchair_hold fc_backend/db1 only left");
    finds(1, "firstchair_hold fc_backend/db2 kind drain>maint");
    finds(2, "firstchair_order 20 only right");
}

Test(compare, a_lease_in_renewal_does_not_differ_but_one_that_stands_still_on_a_side_does)
{
    compare_twice(SIDE(LEASE("7")), SIDE(LEASE("6")), SIDE(LEASE("10")), SIDE(LEASE("9")));
    cr_expect_eq(found.count, 0, "both went on");
    compare_twice(SIDE(LEASE("7")), SIDE(LEASE("6")), SIDE(LEASE("10")), SIDE(LEASE("6")));
    cr_assert_eq(found.count, 1, "the right one stands: replication has stopped");
    finds(0, "firstchair_decision lease seq 7>6");
    compare_twice(SIDE(LEASE("7")), SIDE(LEASE("6")), SIDE(LEASE("7")), SIDE(LEASE("6")));
    cr_expect_eq(found.count, 1, "nobody renews, and they differ");
}

Test(compare, a_row_that_has_arrived_meanwhile_does_not_differ)
{
    compare_twice(SIDE(NULL, NULL, "30|asked;10|done"), SIDE(NULL, NULL, "10|asked"),
                  SIDE(NULL, NULL, "40|asked;30|done;10|done"), SIDE(NULL, NULL, "30|done;10|done"));
    cr_expect_eq(found.count, 0);
    compare_twice(SIDE(NULL, NULL, "30|asked"), SIDE(NULL, NULL, NULL), SIDE(NULL, NULL, "30|asked"), SIDE(NULL, NULL, NULL));
    cr_assert_eq(found.count, 1);
    finds(0, "firstchair_order 30 only left");
    compare_twice(SIDE(NULL, NULL, "30|done"), SIDE(NULL, NULL, NULL), SIDE(NULL, NULL, NULL), SIDE(NULL, NULL, NULL));
    cr_expect_eq(found.count, 0, "tidied away on both");
}

Test(compare, behind_the_last_row_of_a_full_result_nothing_is_said)
{
    static char many[16384], one_less[16384];
    size_t length = 0;
    for (int id = 1000; id > 700; id--) {      /* 300 rows: as many as the statement asks for */
        text_format(many + length, sizeof many - length, "%d|1|k;", id);
        length = strlen(many);
    }
    text_copy(one_less, sizeof one_less, strchr(many, ';') + 1);
    text_copy(one_less + strlen(one_less), 64, "700|1|k;699|1|k;");      /* 301 would not come: 999 .. 699 */
    one_less[strlen(one_less) - 8] = '\0';
    compare(SIDE(NULL, NULL, NULL, many), SIDE(NULL, NULL, NULL, one_less));
    cr_assert_eq(found.count, 1, "1000 is missing on the right; 700 may well be on the left");
    finds(0, "firstchair_history 1000 only left");
}

Test(compare, more_than_can_be_shown_is_counted)
{
    static char many[16384];
    size_t length = 0;
    for (int id = 200; id > 80; id--) {
        text_format(many + length, sizeof many - length, "%d|done;", id);
        length = strlen(many);
    }
    compare(SIDE(NULL, NULL, many), SIDE(NULL));
    cr_expect_eq(found.count, COMPARE_DIFFERENCES_MAX);
    cr_expect_eq(found.more, 120 - COMPARE_DIFFERENCES_MAX);
}

Test(compare, numbers_are_compared_as_numbers)
{
    compare(SIDE(NULL, NULL, "100|done;20|done;3|done"), SIDE(NULL, NULL, "100|done;3|done"));
    cr_assert_eq(found.count, 1);
    finds(0, "firstchair_order 20 only left");
}

Test(compare, every_table_has_a_key_a_limit_and_only_reads)
{
    for (int i = 0; i < compare_table_count; i++) {
        const struct sql_statement *s = &sql_statements[compare_tables[i].statement];
        cr_expect(!s->writes && strstr(s->mysql, compare_tables[i].name) != NULL, "%s", s->name);
        cr_expect(strstr(s->mysql, " order by ") != NULL && strstr(s->mysql, " limit ") != NULL, "%s", s->name);
        cr_expect(compare_tables[i].key_count >= 1 && (!compare_tables[i].is_number || compare_tables[i].key_count == 1));
        cr_expect_eq(compare_tables[i].is_falling, strstr(s->mysql, " desc ") != NULL, "%s", s->name);
    }
}
