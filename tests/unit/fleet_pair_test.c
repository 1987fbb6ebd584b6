/* Statements of the fleet's tables on a master-master pair under STATEMENT replication, said on both sides of a cut: the newer row
 * wins on both, whatever came last, came twice, or found rows missing. For each table of fleet_schema.c, made of its row. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <string.h>

#include "backends/fleet/fleet_sql.h"
#include "base/text.h"
#include "private_mariadb.h"

#define NOON INT64_C(1800000000)
#define PICTURE_SIZE 16384

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    mariadb_template_make();
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    mariadb_template_remove();
}

static struct mariadb servers[2];
static struct fleet_text text;

/* Every column says which row it is of. */
static struct fleet_row row_of(enum fleet_table_name name, const char *word, int64_t number)
{
    const struct fleet_table *table = &fleet_tables[name];
    struct fleet_row row = fleet_row_of(name);
    for (int i = 0; i < table->column_count; i++) {
        const struct fleet_column *column = &table->columns[i];
        const bool is_key = column->part == PART_KEY;
        if (column->type == &fleet_type_rule)
            fleet_set_text(&row, i, number > 1 ? "prefer" : "must_not");
        else if (column->type->kind == TYPE_TEXT)
            fleet_set_text(&row, i, is_key ? "key" : word);
        else if (column->type->kind == TYPE_MOMENT)
            fleet_set_number(&row, i, NOON + number * 10);
        else
            fleet_set_number(&row, i, is_key ? 1 : number);
    }
    if (table->merge == MERGE_LAID)
        fleet_set_number(&row, 0, 1);
    if (table->merge == MERGE_LOCK) {
        fleet_set_number(&row, 0, number);
        fleet_set_text(&row, database_instance_maintenance_hostname, "db1");
        fleet_set_number(&row, database_instance_maintenance_port, 3306);
        fleet_set_number(&row, database_instance_maintenance_maintenance_active, 1);
    }
    return row;
}

static void say(int side)
{
    char warnings[4096];
    for (char *statement = text.bytes, *end; statement != NULL; statement = end) {
        end = strchr(statement, ';');
        if (end != NULL)
            *end++ = '\0';
        mariadb_do(&servers[side], statement);
        mariadb_query(&servers[side], "show warnings", warnings, sizeof warnings);
        cr_assert_null(strstr(warnings, "1592"), "unsafe for statement replication: %s: %s", statement, warnings);
    }
}

static void put(int side, const struct fleet_row *row)
{
    fleet_text_clear(&text);
    fleet_sql_put(&text, FLEET_MARIADB, row);
    say(side);
}

static void take(int side, const struct fleet_row *row)
{
    fleet_text_clear(&text);
    fleet_sql_delete(&text, FLEET_MARIADB, row);
    say(side);
}

static void catch_up(void)
{
    for (int round = 0; round < 2; round++) {
        mariadb_catch_up(&servers[0], &servers[1]);
        mariadb_catch_up(&servers[1], &servers[0]);
    }
}

static void both(const char *sql)
{
    mariadb_do(&servers[0], sql);
    mariadb_do(&servers[1], sql);
}

static void alone(int side, const char *sql)
{
    mariadb_do(&servers[side], "set session sql_log_bin = 0");
    mariadb_do(&servers[side], sql);
    mariadb_do(&servers[side], "set session sql_log_bin = 1");
}

static void empty(enum fleet_table_name table)
{
    char sql[128];
    TEXT_FORMAT(sql, "delete from %s", fleet_tables[table].name);
    alone(0, sql);
    alone(1, sql);
}

/* Of a lock the active rows: what was ended on one side before the other heard of it has no line there. */
static const char *same_on_both(enum fleet_table_name table, const char *story)
{
    static char seen[2][PICTURE_SIZE];
    char sql[160];
    TEXT_FORMAT(sql, "select * from %s%s order by 1", fleet_tables[table].name,
                fleet_tables[table].merge == MERGE_LOCK ? " where maintenance_active = 1" : "");
    for (int i = 0; i < 2; i++)
        mariadb_query(&servers[i], sql, seen[i], PICTURE_SIZE);
    cr_expect_str_eq(seen[0], seen[1], "%s, %s: the sides differ:\n%s--- and\n%s", fleet_tables[table].name, story, seen[0], seen[1]);
    return seen[0];
}

static void expect_newer(enum fleet_table_name table, const char *story)
{
    const struct fleet_table *of = &fleet_tables[table];
    const char *seen = same_on_both(table, story);
    if (of->merge == MERGE_LAID)
        return;                              /* the first one stays */
    if (table == FLEET_candidate_database_instance || table == FLEET_database_instance_pool) {     /* no words of their own: the moment tells */
        cr_expect_not_null(strstr(seen, "08:00:20"), "%s, %s:\n%s", of->name, story, seen);
        return;
    }
    cr_expect(strstr(seen, "newer") != NULL && strstr(seen, "older") == NULL, "%s, %s:\n%s", of->name, story, seen);
}

enum odds { ONCE, TWICE, ONE_SIDE_LACKS_ROWS };

static void tell_puts(enum fleet_table_name table, int old_side, enum odds odds)
{
    static const char *const words[] = { "once", "twice", "one side lacks rows" };
    const struct fleet_row first = row_of(table, "first", 0), older = row_of(table, "older", 1), newer = row_of(table, "newer", 2);
    char sql[128];
    put(old_side, &first);
    catch_up();
    both("stop slave");
    if (odds == ONE_SIDE_LACKS_ROWS) {
        TEXT_FORMAT(sql, "delete from %s", fleet_tables[table].name);
        alone(1 - old_side, sql);
    }
    for (int times = odds == TWICE ? 2 : 1; times > 0; times--) {
        put(old_side, &older);
        put(1 - old_side, &newer);
    }
    both("start slave");
    catch_up();
    if (fleet_tables[table].merge == MERGE_LAST || (fleet_tables[table].merge == MERGE_LAID && odds == ONE_SIDE_LACKS_ROWS)) {
        empty(table);                        /* no moment tells: as who writes now says it again */
        put(1 - old_side, &newer);
        catch_up();
    }
    expect_newer(table, words[odds]);
    empty(table);
}

static void tell_take(enum fleet_table_name table, int old_side)
{
    const struct fleet_row first = row_of(table, "first", 0), older = row_of(table, "older", 1), newer = row_of(table, "newer", 2);
    put(old_side, &first);
    catch_up();
    both("stop slave");
    put(old_side, &older);
    take(1 - old_side, &newer);
    both("start slave");
    catch_up();
    take(1 - old_side, &newer);              /* said again where an older word came late */
    catch_up();
    cr_expect_str_eq(same_on_both(table, "taken back"), "", "%s", fleet_tables[table].name);
    put(old_side, &newer);
    take(1 - old_side, &older);              /* an older deletion that comes late */
    catch_up();
    if (fleet_tables[table].rank[0] >= 0)
        cr_expect_str_neq(same_on_both(table, "an older deletion"), "", "%s", fleet_tables[table].name);
    empty(table);
}

static void refresh(int side, int64_t number)
{
    static const char *const hosts[] = { "key", "other" };
    static const uint16_t ports[] = { 1, 1 };
    struct fleet_row moments = fleet_row_of(FLEET_database_instance);
    fleet_set_number(&moments, database_instance_last_checked, NOON + number * 10);
    fleet_set_number(&moments, database_instance_last_attempted_check, NOON + number * 10);
    fleet_set_number(&moments, database_instance_last_seen, NOON + number * 10);
    fleet_text_clear(&text);
    fleet_sql_refresh(&text, FLEET_MARIADB, &moments, hosts, ports, 2);
    say(side);
}

static void tell_refresh(int old_side)
{
    const struct fleet_row first = row_of(FLEET_database_instance, "first", 0), newer = row_of(FLEET_database_instance, "newer", 3);
    put(old_side, &first);
    catch_up();
    both("stop slave");
    refresh(old_side, 2);
    refresh(1 - old_side, 1);
    both("start slave");
    catch_up();
    cr_expect_not_null(strstr(same_on_both(FLEET_database_instance, "two refreshes"), "2027-01-15 08:00:20"));
    both("stop slave");
    refresh(old_side, 2);
    put(1 - old_side, &newer);
    both("start slave");
    catch_up();
    expect_newer(FLEET_database_instance, "a refresh and a row");
    empty(FLEET_database_instance);
}

/* Both sides have the row under numbers of their own; of two who have seen it the later stays on both. */
static void tell_seen(int old_side)
{
    static char seen[2][PICTURE_SIZE];
    for (int i = 0; i < 2; i++) {
        char sql[600];
        TEXT_FORMAT(sql, "insert into topology_recovery (recovery_id, hostname, port, in_active_period, end_active_period_unixtime, processing_node_hostname, "
                         "processcing_node_token, analysis, cluster_name, cluster_alias, count_affected_slaves, slave_hosts, participating_instances, lost_slaves, "
                         "all_errors, acknowledged_by, acknowledge_comment, last_detection_id, uid) values (%d, 'db1', 3306, 1, 0, '', '', '', '', '', 0, '', '', '', "
                         "'', '', '', 0, 'u7')", 10 + i);
        alone(i, sql);
    }
    both("stop slave");
    for (int times = 0; times < 2; times++) {
        for (int newer = 0; newer < 2; newer++) {
            struct fleet_row row = fleet_row_of(FLEET_topology_recovery);
            fleet_set_number(&row, topology_recovery_recovery_id, 10);
            fleet_set_text(&row, topology_recovery_uid, "u7");
            fleet_set_text(&row, topology_recovery_hostname, "db1");
            fleet_set_number(&row, topology_recovery_port, 3306);
            fleet_set_number(&row, topology_recovery_in_active_period, 0);
            fleet_set_number(&row, topology_recovery_end_active_period_unixtime, NOON + newer);
            fleet_set_number(&row, topology_recovery_acknowledged, 1);
            fleet_set_number(&row, topology_recovery_acknowledged_at, NOON + newer);
            fleet_set_text(&row, topology_recovery_acknowledged_by, newer ? "berta" : "anna");
            fleet_text_clear(&text);
            fleet_sql_word(&text, FLEET_MARIADB, &row, false, false);
            say(newer ? 1 - old_side : old_side);
        }
    }
    both("start slave");
    catch_up();
    for (int i = 0; i < 2; i++) {
        mariadb_query(&servers[i], "select uid, in_active_period, end_active_period_unixtime, acknowledged, acknowledged_by from topology_recovery", seen[i],
                      PICTURE_SIZE);
        cr_expect_str_eq(seen[i], "u7|0|1800000001|1|berta\n", "side %d", i);
    }
    empty(FLEET_topology_recovery);
}

static void pair_begin(void)
{
    for (int i = 0; i < 2; i++) {
        mariadb_open(&servers[i], i + 1);
        mariadb_do(&servers[i], "set time_zone = '+00:00'");
        mariadb_do(&servers[i], "set session sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'");
        mariadb_do(&servers[i], "set session sql_log_bin = 0");
        mariadb_do(&servers[i], "create database fc");
        mariadb_do(&servers[i], "use fc");
        for (int table = 0; table < FLEET_TABLE_COUNT; table++) {
            fleet_text_clear(&text);
            fleet_sql_create(&text, FLEET_MARIADB, (enum fleet_table_name)table);
            mariadb_do(&servers[i], text.bytes);
        }
        mariadb_do(&servers[i], "set session sql_log_bin = 1");
    }
    mariadb_pair(&servers[0], &servers[1]);
}

Test(fleet_pair, the_newer_row_wins_on_both_sides)
{
    pair_begin();
    for (int table = 0; table < FLEET_TABLE_COUNT; table++) {
        const enum odds odds = (enum odds)(table % 3);     /* each table with one, each of the odds with many tables */
        tell_puts((enum fleet_table_name)table, table / 3 % 2, odds);
        tell_puts((enum fleet_table_name)table, 1 - table / 3 % 2, ONCE);
        if (fleet_tables[table].is_word || table == FLEET_database_instance)
            tell_take((enum fleet_table_name)table, table % 2);
    }
    tell_refresh(0);
    tell_refresh(1);
    tell_seen(0);
    tell_seen(1);
    for (int i = 0; i < 2; i++)
        mariadb_close(&servers[i]);
    fleet_text_done(&text);
}
