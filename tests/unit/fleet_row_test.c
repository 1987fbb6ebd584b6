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

/* ---- recoveries that were seen ---------------------------------------------------------------------------------------- */

static struct fleet_row recovery(const char *uid, int64_t active)
{
    struct fleet_row row = fleet_row_of(FLEET_topology_recovery);
    fleet_set_number(&row, topology_recovery_recovery_id, 7);
    fleet_set_text(&row, topology_recovery_uid, uid);
    fleet_set_text(&row, topology_recovery_hostname, "db1");
    fleet_set_number(&row, topology_recovery_port, 3306);
    fleet_set_number(&row, topology_recovery_in_active_period, active);
    return row;
}

static const char *seen_as(const struct fleet_row *of, enum fleet_dialect dialect)
{
    static struct fleet_text text;
    const struct fleet_said said = { .at = NOON, .until = NOON, .owner = "anna", .reason = "it's known" };
    struct fleet_word word;
    struct fleet_row row;
    struct fc_err err;
    cr_assert_eq(fleet_say_seen(&said, of, &word, &err), FC_OK, "%s", err.text);
    cr_assert_eq(fleet_word_row(&word, &row), FC_OK);
    fleet_text_clear(&text);
    fleet_sql_word(&text, dialect, &row, false, false);
    return text.bytes;
}

Test(fleet_row, a_recovery_that_was_seen_is_changed_where_it_is_and_never_made)
{
    const struct fleet_row active = recovery("1:ab", 1), old = recovery("", 0);
    cr_expect_str_eq(seen_as(&active, FLEET_MYSQL),
                     "update topology_recovery set in_active_period = 0, end_active_period_unixtime = 1800000000, acknowledged = 1, "
                     "acknowledged_at = from_unixtime(1800000000), acknowledged_by = 'anna', acknowledge_comment = 'it''s known' "
                     "where uid = '1:ab' and hostname = 'db1' and port = 3306 and coalesce(acknowledged_at, from_unixtime(1)) <= "
                     "from_unixtime(1800000000);select count(*) = 0 as stands from topology_recovery where uid = '1:ab' and "
                     "hostname = 'db1' and port = 3306 and coalesce(acknowledged_at, from_unixtime(1)) < from_unixtime(1800000000)");
    cr_expect_null(strstr(seen_as(&old, FLEET_SQLITE), "in_active_period"), "what is over has its end already");
    cr_expect_not_null(strstr(seen_as(&old, FLEET_SQLITE), "where recovery_id = 7 and hostname = 'db1' and port = 3306 and "));
}

Test(fleet_row, the_name_of_a_recovery_is_the_same_on_every_node_and_its_number_is_not)
{
    struct fleet_row here = recovery("1:ab", 1), there = recovery("1:ab", 0), other = recovery("1:ac", 1);
    fleet_set_number(&there, topology_recovery_recovery_id, 99);
    cr_expect_eq(fleet_word_key(&here), fleet_word_key(&there));
    cr_expect_neq(fleet_word_key(&here), fleet_word_key(&other));
}

Test(fleet_row, that_a_recovery_was_seen_needs_a_moment_and_is_not_taken_back)
{
    struct fleet_row row = recovery("1:ab", 1);
    struct fleet_word word;
    struct fc_err err;
    cr_expect_eq(fleet_word_of(&row, false, &word, &err), FC_BAD_INPUT);
    fleet_set_number(&row, topology_recovery_acknowledged_at, NOON);
    cr_expect_eq(fleet_word_of(&row, true, &word, &err), FC_BAD_INPUT);
    cr_assert_eq(fleet_word_of(&row, false, &word, &err), FC_OK);
    word.takes_back = true;
    cr_expect_eq(fleet_word_row(&word, &row), FC_BAD_INPUT, "nor is one of somebody else's");
}
