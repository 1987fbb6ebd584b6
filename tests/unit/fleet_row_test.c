/* Rows of the fleet's tables and words of operators as values, and what holds of every table; without a store. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "backends/fleet/fleet_say.h"
#include "backends/fleet/fleet_sql.h"
#include "base/text.h"

#define NOON INT64_C(1800000000)

Test(fleet_row, a_word_comes_back_as_it_was_said)
{
    const struct fleet_said said = { .at = NOON, .until = NOON + 60, .key = { "db1", 3306 }, .owner = "anna", .reason = "it's \xc3\xa9" };
    struct fleet_word word;
    struct fleet_row row;
    struct fc_err err;
    cr_assert_eq(fleet_say_downtime(&said, &word, &err), FC_OK, "%s", err.text);
    cr_assert_eq(fleet_word_row(&word, &row), FC_OK);
    cr_expect_str_eq(fleet_text(&row, database_instance_downtime_reason), "it's \xc3\xa9");
    cr_expect_eq(fleet_number(&row, database_instance_downtime_end_timestamp), NOON + 60);
    for (uint16_t cut = 0; cut < word.length; cut++) {
        struct fleet_word shorter = word;
        shorter.length = cut;
        fleet_word_row(&shorter, &row);                   /* some cuts are words; none is read beyond its end */
        shorter = word;
        shorter.bytes[cut] ^= 0x55;
        fleet_word_row(&shorter, &row);
    }
}

Test(fleet_row, what_cannot_be_kept_is_refused_in_a_sentence)
{
    static char longer[2000];
    struct fleet_word word;
    struct fc_err err;
    struct fleet_said said = { .at = NOON, .key = { "", 3306 }, .owner = "anna", .reason = longer };
    cr_expect_eq(fleet_say_downtime(&said, &word, &err), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "that is no server: a host and a port are needed");
    said.key.host = "db1";
    cr_expect_eq(fleet_say_tag(&said, "", "v", &word, &err), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "'tag_name' of 'database_instance_tags' has 1 to 128 bytes");
    memset(longer, 'x', sizeof longer - 1);
    cr_expect_eq(fleet_say_downtime(&said, &word, &err), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "what is said of 'database_instance_downtime' is longer than 896 bytes");
}

Test(fleet_row, every_table_says_why_its_replay_is_harmless_and_has_a_key)
{
    for (int i = 0; i < FLEET_TABLE_COUNT; i++) {
        const struct fleet_table *table = &fleet_tables[i];
        cr_expect(table->replay != NULL && table->replay[0] != '\0', "%s", table->name);
        cr_expect_gt(fleet_key_count(table), 0, "%s", table->name);
        cr_expect_leq(table->column_count, FLEET_COLUMNS_MAX, "%s", table->name);
        cr_expect_eq(fleet_table_named(table->name), i);
        cr_expect(table->merge != MERGE_NEWER || table->rank[0] >= 0, "%s: newer by what?", table->name);
        cr_expect(table->reading != READ_ASKED || !table->is_word, "%s: words come to memory by being read", table->name);
        for (int c = 0; c < table->column_count; c++)
            cr_expect_eq(fleet_column_named(table, table->columns[c].name), c, "%s", table->columns[c].name);
    }
}

/* Deterministic, keyed and literal: spec/ha-modes.md 5. */
Test(fleet_row, no_statement_that_writes_depends_on_what_a_server_has_of_its_own)
{
    static const char *const banned[] = { "now()", "current_timestamp,", "uuid(", "limit", "select ", "auto_increment,", "rand(", "sysdate" };
    for (int i = 0; i < FLEET_TABLE_COUNT; i++) {
        const enum fleet_table_name name = (enum fleet_table_name)i;
        struct fleet_row row = fleet_row_of(name);
        struct fleet_text text = { 0 };
        fleet_sql_put(&text, FLEET_MYSQL, &row);
        fleet_text_add(&text, ";", 1);
        fleet_sql_delete(&text, FLEET_MYSQL, &row);
        for (size_t k = 0; k < sizeof banned / sizeof banned[0]; k++)
            cr_expect(strstr(text.bytes, banned[k]) == NULL, "'%s' in: %s", banned[k], text.bytes);
        fleet_text_done(&text);
    }
}
