/* The store of the fleet on a SQLite file and on a real, private MariaDB: the same scenes. An existing backend is made by the
 * text of spec/schema.md (golden_schema.c), other tools are plain SQL. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/fleet_store.h"
#include "base/text.h"
#include "golden_schema.h"
#include "private_mariadb.h"

#define LONG_MS 60000
#define NOON INT64_C(1800000000)     /* a moment that both kinds of backend hold */
#define MANY 10000

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

/* ---- the bench ------------------------------------------------------------------------------------------------------ */

struct bench {
    struct pump pump;
    struct config config;
    struct fleet_store_setting setting;
    struct fleet_store *store;
    bool is_sqlite;
    char folder[FOLDER_SIZE];
    struct mariadb server;
    int read_count, failed_count;                /* was_read */
    int rows[FLEET_TABLE_COUNT], gone[FLEET_TABLE_COUNT];
    char heard[512];                             /* the last row: its first two texts and a value */
    char lost[160];
    int notes;
    char note[320];
    bool is_flushed;
    enum fc_code flush_code;
    char page[512];
    bool is_paged;
    enum fc_code page_code;
    uint64_t tidied_before;
};

static void on_row(void *owner, const struct fleet_row *row)
{
    struct bench *b = owner;
    b->rows[row->table]++;
    switch ((int)row->table) {
    case FLEET_database_instance:
        TEXT_FORMAT(b->heard, "%s:%lld cluster=%s checked=%lld seen=%lld version=%s lag=%s region=%s",
                    fleet_text(row, database_instance_hostname), (long long)fleet_number(row, database_instance_port),
                    fleet_text(row, database_instance_cluster_name), (long long)fleet_number(row, database_instance_last_checked),
                    (long long)fleet_number(row, database_instance_last_seen), fleet_text(row, database_instance_version),
                    fleet_is_null(row, database_instance_seconds_behind_master) ? "null" : "number",
                    fleet_text(row, database_instance_region));
        break;
    case FLEET_database_instance_tags:
        TEXT_FORMAT(b->heard, "%s %s=%s", fleet_text(row, database_instance_tags_hostname),
                    fleet_text(row, database_instance_tags_tag_name), fleet_text(row, database_instance_tags_tag_value));
        break;
    case FLEET_database_instance_downtime:
        TEXT_FORMAT(b->heard, "%s until %lld by %s: %s", fleet_text(row, database_instance_downtime_hostname),
                    (long long)fleet_number(row, database_instance_downtime_end_timestamp),
                    fleet_text(row, database_instance_downtime_owner), fleet_text(row, database_instance_downtime_reason));
        break;
    default: break;
    }
}

static void on_gone(void *owner, const struct fleet_row *row)
{
    struct bench *b = owner;
    b->gone[row->table]++;
    TEXT_SET(b->lost, fleet_text(row, 0));
}

static void on_read(void *owner, enum fc_code code, const char *sentence)
{
    struct bench *b = owner;
    (void)sentence;
    b->read_count += code == FC_OK;
    b->failed_count += code != FC_OK;
}

static void on_note(void *owner, const char *sentence)
{
    struct bench *b = owner;
    b->notes++;
    TEXT_SET(b->note, sentence);
}

static void on_flushed(void *owner, enum fc_code code)
{
    struct bench *b = owner;
    b->is_flushed = true;
    b->flush_code = code;
}

static bool was_read(void *owner) { return ((struct bench *)owner)->read_count > 0; }
static bool has_failed(void *owner) { return ((struct bench *)owner)->failed_count > 0; }
static bool is_flushed(void *owner) { return ((struct bench *)owner)->is_flushed; }
static bool is_paged(void *owner) { return ((struct bench *)owner)->is_paged; }

/* Another tool. */
static void query(struct bench *b, const char *sql, char *to, size_t size)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    char path[FOLDER_SIZE + 16];
    if (!b->is_sqlite) {
        mariadb_query(&b->server, sql, to, size);
        return;
    }
    TEXT_FORMAT(path, "%s/store.db", b->folder);
    to[0] = '\0';
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    int step;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            const char *cell = (const char *)sqlite3_column_text(rows, i);
            text_format(to + strlen(to), size - strlen(to), "%s%s", i == 0 ? "" : "|", cell == NULL ? "" : cell);
        }
        text_format(to + strlen(to), size - strlen(to), "\n");
    }
    cr_assert_eq(step, SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static void tool(struct bench *b, const char *sql)
{
    char rows[256];
    query(b, sql, rows, sizeof rows);
}

#define SHOWS(b, sql, expected)                                                    \
    do {                                                                           \
        static char rows_[65536];                                                  \
        query((b), (sql), rows_, sizeof rows_);                                    \
        cr_assert_str_eq(rows_, (expected), "%s:\n%s", (sql), rows_);              \
    } while (0)

static void begin_without_waiting(struct bench *b, enum fleet_turn turn)
{
    const struct fleet_store_port port = { b, on_row, on_gone, on_read, on_note, NULL };
    struct fc_err err = { 0 };
    b->read_count = b->failed_count = 0;
    memset(b->rows, 0, sizeof b->rows);
    memset(b->gone, 0, sizeof b->gone);
    cr_assert_eq(fleet_store_open(pump_host(&b->pump), &b->config, &b->setting, &port, &b->store, &err), FC_OK, "%s", err.text);
    fleet_store_turn(b->store, turn, 0);
    cr_assert_eq(b->read_count, 0, "never from within");
}

static void begin(struct bench *b, enum fleet_turn turn)
{
    begin_without_waiting(b, turn);
    cr_assert(pump_until(&b->pump, was_read, b, LONG_MS), "not read: %s", b->note);
}

static void flush(struct bench *b)
{
    b->is_flushed = false;
    fleet_store_flush(b->store, LONG_MS, on_flushed, b);
    cr_assert(pump_until(&b->pump, is_flushed, b, LONG_MS));
    cr_assert_eq(b->flush_code, FC_OK);
}

static void end(struct bench *b)
{
    fleet_store_close(b->store);
    b->store = NULL;
}

/* db0007 is the 8th server of its cluster. `n` is kept in the text of its host. */
static struct fleet_row server_row(int n, int64_t checked, const char *version)
{
    static char host[16];
    struct fleet_row row = fleet_row_of(FLEET_database_instance);
    TEXT_FORMAT(host, "db%04d", n);
    fleet_set_text(&row, database_instance_hostname, host);
    fleet_set_number(&row, database_instance_port, 3306);
    fleet_set_number(&row, database_instance_last_checked, checked);
    fleet_set_number(&row, database_instance_last_attempted_check, checked);
    fleet_set_number(&row, database_instance_last_seen, checked);
    fleet_set_text(&row, database_instance_version, version);
    fleet_set_text(&row, database_instance_cluster_name, "db0000:3306");
    fleet_set_text(&row, database_instance_slave_hosts, "[]");
    fleet_set_number(&row, database_instance_binary_log_pos, 4);
    fleet_set_null(&row, database_instance_seconds_behind_master);
    return row;
}

static void put(struct bench *b, int n, int64_t checked, const char *version)
{
    const struct fleet_row row = server_row(n, checked, version);
    fleet_store_put(b->store, &row);
}

/* ---- the scenes ------------------------------------------------------------------------------------------------------ */

static const char *columns_query(const struct bench *b, char *to, size_t size, const char *table)
{
    if (b->is_sqlite)
        text_format(to, size, "select count(*) from pragma_table_info('%s')", table);
    else
        text_format(to, size, "select count(*) from information_schema.columns where table_schema = 'fc' and table_name = '%s'", table);
    return to;
}

static void an_empty_backend_gets_the_tables(struct bench *b)
{
    char sql[256];
    begin(b, FLEET_WRITES);
    for (int i = 0; i < FLEET_TABLE_COUNT; i++) {
        char expected[16];
        TEXT_FORMAT(expected, "%d\n", fleet_tables[i].column_count);
        SHOWS(b, columns_query(b, sql, sizeof sql, fleet_tables[i].name), expected);
    }
    end(b);
    const int notes = b->notes;
    begin(b, FLEET_WRITES);                              /* a second time there is nothing to be made */
    cr_expect_eq(fleet_store_counts(b->store).statements, b->is_sqlite ? (uint64_t)FLEET_TABLE_COUNT - 3 : 0,
                 "SQLite normalises each table that has moments");
    cr_expect_eq(b->notes, notes, "%s", b->note);
    end(b);
}

static void make_golden(struct bench *b)
{
    const char *const *tables = b->is_sqlite ? golden_sqlite : golden_mysql;
    for (int i = 0; tables[i] != NULL; i++)
        tool(b, tables[i]);
    tool(b, "insert into database_instance_tags (hostname, port, tag_name, tag_value, last_updated) "
            "values ('db1', 3306, 'owner', 'it''s anna', '2027-01-15 08:00:00')");
    tool(b, b->is_sqlite ? "insert into database_instance_downtime values ('db1', 3306, 1, '2027-01-15T08:00:00Z', "
                           "'2027-01-15T09:00:00Z', 'anna', 'disk')"
                         : "insert into database_instance_downtime (hostname, port, downtime_active, begin_timestamp, end_timestamp, owner, "
                           "reason) values ('db1', 3306, 1, '2027-01-15 08:00:00', '2027-01-15 09:00:00', 'anna', 'disk')");
}

static const char insert_server[] =
    "%s into database_instance (hostname, port, last_checked, last_attempted_check, last_check_partial_success, last_seen, uptime, "
    "server_id, server_uuid, version, major_version, binlog_server, read_only, binlog_format, binlog_row_image, log_bin, "
    "log_slave_updates, binary_log_file, binary_log_pos, master_host, master_port, slave_sql_running, slave_io_running, "
    "has_replication_filters, supports_oracle_gtid, oracle_gtid, mariadb_gtid, pseudo_gtid, master_uuid, ancestry_uuid, "
    "executed_gtid_set, gtid_purged, gtid_errant, gtid_mode, master_log_file, read_master_log_pos, relay_master_log_file, "
    "exec_master_log_pos, relay_log_file, relay_log_pos, last_sql_error, last_io_error, sql_delay, allow_tls, num_slave_hosts, "
    "slave_hosts, cluster_name, suggested_cluster_alias, instance_alias, data_center, physical_environment, replication_depth, "
    "is_co_master, replication_credentials_available, has_replication_credentials, semi_sync_enforced, semi_sync_master_enabled, "
    "semi_sync_replica_enabled, last_discovery_latency, replication_group_members) values "
    "('%s', 3306, '2027-01-15 08:00:00', '2027-01-15 08:00:00', 0, '2027-01-15 08:00:00', 5, 7, 'u', '10.11.6-MariaDB', '10.11', 0, 0, "
    "'ROW', 'FULL', 1, 1, 'bin.1', 5000000000, '', 0, 0, 0, 0, 0, 0, 1, 0, '', '', '', '', '', '', '', 0, '', 0, '', 0, '', '', 0, 0, 1, "
    "'[{\"Hostname\":\"db2\",\"Port\":3306}]', 'db1:3306', 'shop', '', 'ams', '', 0, 0, 0, 0, 0, 0, 0, 1234567, '[]')";

static void insert_as_a_tool(struct bench *b, const char *host)
{
    char sql[4096];
    text_format(sql, sizeof sql, insert_server, b->is_sqlite ? "insert" : "insert ignore", host);
    tool(b, sql);
}

/* Before its last patches: a column and two tables are missing. */
static void an_existing_backend_is_taken_over_in_place(struct bench *b)
{
    char sql[256];
    make_golden(b);
    if (!b->is_sqlite)
        tool(b, "grant alter on fc.* to store@127.0.0.1");
    tool(b, "alter table database_instance drop column region");
    tool(b, "drop table cluster_domain_name");
    tool(b, "drop table host_attributes");
    insert_as_a_tool(b, "db1");

    begin(b, FLEET_WRITES);

    cr_expect_eq(b->rows[FLEET_database_instance], 1);
    cr_expect_str_eq(b->heard, "db1:3306 cluster=db1:3306 checked=1800000000 seen=1800000000 version=10.11.6-MariaDB lag=null region=");
    cr_expect_eq(b->rows[FLEET_database_instance_tags], 1);
    cr_expect_eq(b->rows[FLEET_database_instance_downtime], 1);
    cr_expect(strstr(b->note, "has no column 'region'") != NULL, "%s", b->note);
    SHOWS(b, columns_query(b, sql, sizeof sql, "database_instance"), "78\n");
    SHOWS(b, columns_query(b, sql, sizeof sql, "host_attributes"), "5\n");
    SHOWS(b, "select hostname, binary_log_pos, suggested_cluster_alias from database_instance", "db1|5000000000|shop\n");
    SHOWS(b, "select begin_timestamp, end_timestamp, reason from database_instance_downtime",
          "2027-01-15 08:00:00|2027-01-15 09:00:00|disk\n");
    SHOWS(b, "select tag_value from database_instance_tags", "it's anna\n");

    struct fleet_row row = server_row(1, NOON + 5, "10.11.7-MariaDB");
    fleet_set_text(&row, database_instance_hostname, "db1");
    fleet_set_text(&row, database_instance_region, "eu");
    fleet_store_put(b->store, &row);
    flush(b);
    SHOWS(b, "select hostname, version, region, last_checked from database_instance", "db1|10.11.7-MariaDB|eu|2027-01-15 08:00:05\n");
    end(b);
}

static void what_may_not_be_completed_is_said_and_still_read(struct bench *b)
{
    if (b->is_sqlite)
        return;
    make_golden(b);
    insert_as_a_tool(b, "db1");
    tool(b, "revoke alter on fc.* from store@127.0.0.1");
    tool(b, "alter table database_instance drop column region");
    begin(b, FLEET_WRITES);
    cr_expect_eq(b->rows[FLEET_database_instance], 1);
    cr_expect(strstr(b->note, "cannot be made or completed") != NULL && strstr(b->note, "ALTER") != NULL, "%s", b->note);
    put(b, 1, NOON, "8.0");
    flush(b);
    SHOWS(b, "select hostname from database_instance", "db1\n");
    end(b);
}

static void a_node_that_only_reads_makes_nothing(struct bench *b)
{
    char sql[256];
    begin(b, FLEET_READS);
    put(b, 1, NOON, "8.0");
    flush(b);
    SHOWS(b, columns_query(b, sql, sizeof sql, "database_instance"), "0\n");
    cr_expect_eq(fleet_store_counts(b->store).statements, 0);
    end(b);
}

static bool has_refreshed(void *owner) { return fleet_store_counts(((struct bench *)owner)->store).refreshes >= MANY; }

static void ten_thousand_rows_are_written_in_batches(struct bench *b)
{
    begin(b, FLEET_WRITES);
    const struct fleet_store_counts before = fleet_store_counts(b->store);
    for (int n = 0; n < MANY; n++)
        put(b, n, NOON, "8.0.36");
    flush(b);
    const struct fleet_store_counts first = fleet_store_counts(b->store);
    SHOWS(b, "select count(*), min(hostname), max(hostname) from database_instance where last_seen = last_checked", "10000|db0000|db9999\n");
    cr_expect_eq(first.rows - before.rows, MANY);
    cr_expect_eq(first.statements - before.statements, MANY / FLEET_BATCH_ROWS);
    cr_expect_lt(first.bytes - before.bytes, (uint64_t)MANY * 600);

    for (int n = 0; n < MANY; n++)                       /* looked at again, and nothing new */
        put(b, n, NOON + 5, "8.0.36");
    cr_expect(pump_until(&b->pump, has_refreshed, b, LONG_MS));
    const struct fleet_store_counts second = fleet_store_counts(b->store);
    cr_expect_eq(second.rows, first.rows);
    cr_expect_eq(second.statements - first.statements, MANY / FLEET_REFRESH_ROWS);
    cr_expect_lt(second.bytes - first.bytes, (uint64_t)MANY * 20);
    SHOWS(b, "select count(*), min(last_checked), min(last_seen) from database_instance where last_attempted_check = last_checked",
          "10000|2027-01-15 08:00:05|2027-01-15 08:00:05\n");

    for (int n = 0; n < MANY; n++)                       /* the same look once more */
        put(b, n, NOON + 5, "8.0.36");
    flush(b);
    cr_expect_eq(fleet_store_counts(b->store).statements, second.statements);
    printf("%s: 10,000 rows in %llu statements of %llu bytes, refreshed by %llu of %llu bytes\n", b->is_sqlite ? "sqlite" : "mariadb",
           (unsigned long long)(first.statements - before.statements), (unsigned long long)(first.bytes - before.bytes),
           (unsigned long long)(second.statements - first.statements), (unsigned long long)(second.bytes - first.bytes));
    fflush(stdout);
    end(b);

    begin(b, FLEET_WRITES);                              /* restart: all of it is read */
    cr_expect_eq(b->rows[FLEET_database_instance], MANY);
    end(b);
}

static void of_many_states_the_newest_is_written_once(struct bench *b)
{
    begin(b, FLEET_WRITES);
    put(b, 1, NOON, "8.0.1");
    put(b, 1, NOON, "8.0.2");                            /* within the same second */
    put(b, 1, NOON, "8.0.3");
    flush(b);
    cr_expect_eq(fleet_store_counts(b->store).rows, 1);
    cr_expect_eq(fleet_store_counts(b->store).coalesced, 2);
    SHOWS(b, "select version from database_instance", "8.0.3\n");
    put(b, 1, NOON, "8.0.4");
    flush(b);
    SHOWS(b, "select version from database_instance where last_seen = last_checked", "8.0.4\n");
    end(b);
}

static void a_look_that_hangs_is_written_as_attempted(struct bench *b)
{
    begin(b, FLEET_WRITES);
    put(b, 1, NOON, "10.11.6-MariaDB");
    flush(b);
    struct fleet_row row = server_row(1, NOON, "10.11.6-MariaDB");
    fleet_set_number(&row, database_instance_last_attempted_check, NOON + 5);
    fleet_store_put(b->store, &row);
    flush(b);
    SHOWS(b, "select last_checked, last_attempted_check, last_seen from database_instance",
          "2027-01-15 08:00:00|2027-01-15 08:00:05|2027-01-15 08:00:00\n");
    fleet_store_put(b->store, &row);
    flush(b);
    cr_expect_eq(fleet_store_counts(b->store).refreshes, 1, "the same again is nothing");
    end(b);
}

static void positions_alone_are_written_now_and_then(struct bench *b)
{
    begin(b, FLEET_WRITES);
    for (int i = 0; i < 5; i++) {
        struct fleet_row row = server_row(1, NOON + i, "8.0");
        fleet_set_number(&row, database_instance_binary_log_pos, 100 + i);
        fleet_store_put(b->store, &row);
        flush(b);
    }
    cr_expect_eq(fleet_store_counts(b->store).rows, 1);
    SHOWS(b, "select binary_log_pos, last_checked from database_instance", "100|2027-01-15 08:00:04\n");
    end(b);
}

static void an_older_look_changes_nothing(struct bench *b)
{
    begin(b, FLEET_WRITES);
    put(b, 1, NOON, "8.0.1");
    flush(b);
    tool(b, "update database_instance set version = 'newer', last_checked = '2030-01-01 00:00:00'");   /* by another leader, say */
    put(b, 1, NOON + 60, "8.0.2");
    flush(b);
    SHOWS(b, "select version from database_instance", "newer\n");
    end(b);
}

static void a_failed_look_leaves_last_seen(struct bench *b)
{
    begin(b, FLEET_WRITES);
    put(b, 1, NOON, "8.0.1");
    flush(b);
    struct fleet_row row = server_row(1, NOON + 5, "8.0.1");
    fleet_set_number(&row, database_instance_last_seen, NOON);
    fleet_store_put(b->store, &row);
    flush(b);
    SHOWS(b, "select last_checked, last_seen from database_instance", "2027-01-15 08:00:05|2027-01-15 08:00:00\n");
    cr_expect_eq(fleet_store_counts(b->store).refreshes, 1);
    end(b);
}

static void a_forgotten_server_goes(struct bench *b)
{
    begin(b, FLEET_WRITES);
    put(b, 1, NOON, "8.0");
    put(b, 2, NOON, "8.0");
    flush(b);
    const struct fleet_row row = server_row(1, NOON, "8.0");
    fleet_store_delete(b->store, &row);
    flush(b);
    SHOWS(b, "select hostname from database_instance", "db0002\n");
    cr_expect_eq(b->gone[FLEET_database_instance], 0, "it was ourselves");
    end(b);
}

static bool has_heard_tag(void *owner) { return ((struct bench *)owner)->rows[FLEET_database_instance_tags] > 0; }
static bool has_lost_tag(void *owner) { return ((struct bench *)owner)->gone[FLEET_database_instance_tags] > 0; }
static bool has_heard_server(void *owner) { return ((struct bench *)owner)->rows[FLEET_database_instance] > 0; }
static bool has_lost_server(void *owner) { return ((struct bench *)owner)->gone[FLEET_database_instance] > 0; }

static void rows_of_other_tools_are_picked_up(struct bench *b)
{
    b->setting.poll_ms = 100;
    begin(b, FLEET_WRITES);
    put(b, 1, NOON, "8.0");
    flush(b);
    tool(b, "insert into database_instance_tags (hostname, port, tag_name, tag_value, last_updated) "
            "values ('db1', 3306, 'owner', 'anna', '2027-01-15 08:00:00')");
    cr_assert(pump_until(&b->pump, has_heard_tag, b, LONG_MS));
    cr_expect_str_eq(b->heard, "db1 owner=anna");
    tool(b, "delete from database_instance_tags");
    cr_assert(pump_until(&b->pump, has_lost_tag, b, LONG_MS));

    insert_as_a_tool(b, "seed");
    cr_assert(pump_until(&b->pump, has_heard_server, b, LONG_MS));
    cr_expect(text_begins(b->heard, "seed:3306 "), "%s", b->heard);
    cr_expect_eq(b->rows[FLEET_database_instance], 1, "our own row is no news");
    tool(b, "delete from database_instance where hostname = 'db0001'");
    cr_assert(pump_until(&b->pump, has_lost_server, b, LONG_MS));
    cr_expect_str_eq(b->lost, "db0001");
    end(b);
}

static bool has_heard_newer(void *owner) { return strstr(((struct bench *)owner)->heard, "version=newer") != NULL; }

static void who_reads_follows_who_writes(struct bench *b)
{
    b->setting.poll_ms = 100;
    begin(b, FLEET_WRITES);
    put(b, 1, NOON, "8.0");
    put(b, 2, NOON, "8.0");
    flush(b);
    end(b);
    begin(b, FLEET_READS);
    cr_expect_eq(b->rows[FLEET_database_instance], 2);
    tool(b, "update database_instance set version = 'newer', last_checked = '2027-01-15 08:00:05' where hostname = 'db0002'");
    cr_expect(pump_until(&b->pump, has_heard_newer, b, LONG_MS));
    cr_expect_eq(b->rows[FLEET_database_instance], 3);
    tool(b, "delete from database_instance where hostname = 'db0001'");
    cr_expect(pump_until(&b->pump, has_lost_server, b, LONG_MS));
    end(b);
}

static void one_row_that_is_refused_does_not_stop_the_others(struct bench *b)
{
    begin(b, FLEET_WRITES);
    tool(b, b->is_sqlite ? "create trigger no_poison before insert on database_instance when new.region = 'poison' begin "
                           "select raise(abort, 'no poison here'); end"
                         : "alter table database_instance add constraint no_poison check (region <> 'poison')");
    for (int n = 0; n < 150; n++) {
        struct fleet_row row = server_row(n, NOON, "8.0");
        fleet_set_text(&row, database_instance_region, n == 77 ? "poison" : "eu");
        fleet_store_put(b->store, &row);
    }
    flush(b);
    SHOWS(b, "select count(*) from database_instance", "149\n");
    cr_expect_eq(fleet_store_counts(b->store).refused, 1);
    cr_expect(strstr(b->note, "will not take one row") != NULL, "%s", b->note);
    end(b);
}

static void strange_texts_are_cut_and_survive(struct bench *b)
{
    static char longer[70000];
    struct fleet_row row = server_row(1, NOON, "it's \"5\\7\" \xc3\xa9 \xf0\x9f\x98\x80 \xff");
    memset(longer, 'u', sizeof longer - 1);
    longer[60000] = ',';
    begin(b, FLEET_WRITES);
    fleet_set_text(&row, database_instance_executed_gtid_set, longer);
    fleet_set_text(&row, database_instance_region, "a region whose name is far longer than its column is");
    fleet_store_put(b->store, &row);
    flush(b);
    SHOWS(b, "select version, region, length(executed_gtid_set) from database_instance",
          "it's \"5\\7\" ? ? ?|a region whose name is far longe|60000\n");
    end(b);
}

static void on_page_row(void *owner, const struct fleet_row *row)
{
    struct bench *b = owner;
    const size_t length = strlen(b->page);
    text_format(b->page + length, sizeof b->page - length, "%s %s;", fleet_text(row, audit_audit_type), fleet_text(row, audit_message));
}

static void on_page_done(void *owner, enum fc_code code, const char *sentence)
{
    struct bench *b = owner;
    b->is_paged = true;
    b->page_code = code;
    if (code != FC_OK)
        TEXT_SET(b->page, sentence);
}

static const char *page(struct bench *b, int limit, const char *host)
{
    const struct fleet_page page = { .table = FLEET_audit, .limit = limit, .equal_column = host == NULL ? -1 : audit_hostname, .equal = host,
                                     .owner = b, .row = on_page_row, .done = on_page_done };
    b->page[0] = '\0';
    b->is_paged = false;
    cr_assert(fleet_store_page(b->store, &page));
    cr_assert_not(b->is_paged, "never from within");
    cr_assert(pump_until(&b->pump, is_paged, b, LONG_MS));
    return b->page;
}

static void audit(struct bench *b, const char *type, const char *host, const char *message)
{
    struct fleet_row row = fleet_row_of(FLEET_audit);
    fleet_set_number(&row, audit_audit_id, (int64_t)fleet_new_number(b->store));
    fleet_set_number(&row, audit_audit_timestamp, NOON);
    fleet_set_text(&row, audit_audit_type, type);
    fleet_set_text(&row, audit_hostname, host);
    fleet_set_text(&row, audit_message, message);
    fleet_store_put(b->store, &row);
}

static void audit_is_paged_newest_first(struct bench *b)
{
    begin(b, FLEET_WRITES);
    audit(b, "discover", "db1", "first");
    audit(b, "forget", "db2", "second");
    audit(b, "discover", "db1", "third");
    flush(b);
    cr_expect_str_eq(page(b, 2, NULL), "discover third;forget second;");
    cr_expect_eq(b->page_code, FC_OK);
    cr_expect_str_eq(page(b, 20, "db1"), "discover third;discover first;");
    SHOWS(b, "select count(*) from audit where audit_id < 9007199254740992", "3\n");
    end(b);
}

static void on_snapshot_row(void *owner, const struct fleet_row *row)
{
    struct bench *b = owner;
    const size_t length = strlen(b->page);
    text_format(b->page + length, sizeof b->page - length, "%lld %s;",
                (long long)fleet_number(row, database_instance_topology_history_snapshot_unix_timestamp),
                fleet_text(row, database_instance_topology_history_hostname));
}

static const char *snapshots(struct bench *b, uint64_t from, uint64_t before, int limit, const char *cluster)
{
    const struct fleet_page page = { .table = FLEET_database_instance_topology_history, .from = from, .before = before, .limit = limit,
                                     .equal_column = cluster == NULL ? -1 : database_instance_topology_history_cluster_name, .equal = cluster,
                                     .owner = b, .row = on_snapshot_row, .done = on_page_done };
    b->page[0] = '\0';
    b->is_paged = false;
    cr_assert(fleet_store_page(b->store, &page));
    cr_assert(pump_until(&b->pump, is_paged, b, LONG_MS));
    return b->page;
}

static void one_snapshot_is_read_apart_from_those_around_it(struct bench *b)
{
    begin(b, FLEET_WRITES);
    for (int64_t at = 10; at <= 30; at += 10) {
        for (int server = 0; server < 2; server++) {
            struct fleet_row row = fleet_row_of(FLEET_database_instance_topology_history);
            fleet_set_number(&row, database_instance_topology_history_snapshot_unix_timestamp, at);
            fleet_set_text(&row, database_instance_topology_history_hostname, server == 0 ? "db1" : "db2");
            fleet_set_number(&row, database_instance_topology_history_port, 3306);
            fleet_set_text(&row, database_instance_topology_history_master_host, "");
            fleet_set_number(&row, database_instance_topology_history_master_port, 0);
            fleet_set_text(&row, database_instance_topology_history_cluster_name, server == 0 ? "one" : "two");
            fleet_set_text(&row, database_instance_topology_history_version, "");
            fleet_store_put(b->store, &row);
        }
    }
    flush(b);
    cr_expect_str_eq(snapshots(b, 20, 21, FLEET_PAGE_LIMIT_MAX, "two"), "20 db2;");
    cr_expect_str_eq(snapshots(b, 0, 0, FLEET_PAGE_LIMIT_MAX, "one"), "30 db1;20 db1;10 db1;");
    cr_expect_eq(strncmp(snapshots(b, 0, 20, 1, NULL), "10 ", 3), 0, "the next older one: %s", b->page);
    end(b);
}

static bool has_tables(void *owner)
{
    struct bench *b = owner;
    char rows[64];
    query(b, "select count(*) from information_schema.tables where table_schema = 'fc' and table_name = 'topology_recovery'", rows, sizeof rows);
    return text_is(rows, "1\n");
}

/* A pair at its first start: whoever leads writes, and nobody sits yet. */
static void tables_are_made_when_the_server_is_opened(struct bench *b)
{
    if (b->is_sqlite)
        return;
    mariadb_do(&b->server, "set global read_only = 1");
    begin_without_waiting(b, FLEET_WRITES);
    cr_assert(pump_until(&b->pump, has_failed, b, LONG_MS));
    cr_expect_not_null(strstr(b->note, "tried again"), "%s", b->note);
    const char *told = page(b, 20, NULL);
    cr_expect(b->page_code == FC_BUSY && strstr(told, "read-only") != NULL, "who asks meanwhile is told why, and does not wait: %s", told);
    mariadb_do(&b->server, "set global read_only = 0");
    cr_expect(pump_until(&b->pump, has_tables, b, LONG_MS));
    cr_expect(pump_until(&b->pump, was_read, b, LONG_MS));
    end(b);
}

static bool has_tidied(void *owner) { return fleet_store_counts(((struct bench *)owner)->store).tidied > (uint64_t)fleet_life_count; }

static void what_is_too_old_goes(struct bench *b)
{
    char an_hour_ago[32], sql[400];
    struct timespec then;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &then);
    then.tv_sec -= 3600;
    strftime(an_hour_ago, sizeof an_hour_ago, "%Y-%m-%d %H:%M:%S", gmtime_r(&then.tv_sec, &parts));
    begin(b, FLEET_WRITES);
    end(b);
    tool(b, "insert into database_instance_downtime (hostname, port, downtime_active, begin_timestamp, end_timestamp, owner, reason) "
            "values ('ended', 3306, 1, '2020-01-15 08:00:00', '2020-01-15 09:00:00', 'anna', ''), "
            "('holds', 3306, 1, '2020-01-15 08:00:00', '2037-01-15 09:00:00', 'anna', ''), "
            "('endless', 3306, 1, '2020-01-15 08:00:00', null, 'anna', '')");
    tool(b, "insert into database_instance_maintenance (database_instance_maintenance_id, hostname, port, maintenance_active, begin_timestamp, "
            "end_timestamp, owner, reason, processing_node_hostname, processing_node_token, explicitly_bounded) "
            "values (1, 'a', 1, null, '2020-01-15 08:00:00', '2020-01-15 09:00:00', '', '', '', '', 0), "
            "(3, 'holds', 1, 1, '2020-01-15 08:00:00', '2037-01-15 09:00:00', '', '', '', '', 0), "
            "(4, 'endless', 1, 1, '2020-01-15 08:00:00', null, '', '', '', '', 0)");
    TEXT_FORMAT(sql, "insert into database_instance_maintenance (database_instance_maintenance_id, hostname, port, maintenance_active, "
                     "begin_timestamp, end_timestamp, owner, reason, processing_node_hostname, processing_node_token, explicitly_bounded) "
                     "values (2, 'over', 1, 1, '2020-01-15 08:00:00', '%s', '', '', '', '', 0)", an_hour_ago);
    tool(b, sql);
    tool(b, "insert into audit (audit_id, audit_timestamp, audit_type, port, message) values (1, '2020-01-15 08:00:00', 'old', 0, ''), "
            "(2, '2037-01-15 08:00:00', 'new', 0, '')");
    b->setting.tidy_ms = 1;
    begin(b, FLEET_WRITES);
    cr_assert(pump_until(&b->pump, has_tidied, b, LONG_MS));
    SHOWS(b, "select hostname from database_instance_downtime order by 1", "endless\nholds\n");
    SHOWS(b, "select hostname, coalesce(maintenance_active, 0) from database_instance_maintenance order by 1", "endless|1\nholds|1\nover|0\n");
    SHOWS(b, "select audit_type from audit", "new\n");
    end(b);
}

static bool has_tidied_again(void *owner)
{
    const struct bench *b = owner;
    return fleet_store_counts(b->store).tidied > b->tidied_before + (uint64_t)fleet_life_count + 1;
}

static void what_is_too_old_is_so_by_the_configuration_of_now(struct bench *b)
{
    begin(b, FLEET_WRITES);
    end(b);
    tool(b, "insert into candidate_database_instance (hostname, port, last_suggested, promotion_rule) values ('db1', 3306, '2020-01-15 08:00:00', 'prefer')");
    b->setting.tidy_ms = 1;
    b->setting.life_s[LIFE_RULE] = INT64_C(50) * 365 * 86400;
    begin(b, FLEET_WRITES);
    cr_assert(pump_until(&b->pump, has_tidied, b, LONG_MS));
    SHOWS(b, "select hostname from candidate_database_instance", "db1\n");
    fleet_store_reload(b->store, &b->config);
    b->tidied_before = fleet_store_counts(b->store).tidied;
    cr_assert(pump_until(&b->pump, has_tidied_again, b, LONG_MS));
    SHOWS(b, "select hostname from candidate_database_instance", "");
    end(b);
}

static const struct scene { const char *name; void (*play)(struct bench *b); } scenes[] = {
#define SCENE(name) { #name, name }
    SCENE(an_empty_backend_gets_the_tables), SCENE(an_existing_backend_is_taken_over_in_place), SCENE(what_may_not_be_completed_is_said_and_still_read),
    SCENE(a_node_that_only_reads_makes_nothing), SCENE(tables_are_made_when_the_server_is_opened),
    SCENE(ten_thousand_rows_are_written_in_batches), SCENE(of_many_states_the_newest_is_written_once),
    SCENE(a_look_that_hangs_is_written_as_attempted), SCENE(positions_alone_are_written_now_and_then), SCENE(an_older_look_changes_nothing), SCENE(a_failed_look_leaves_last_seen),
    SCENE(a_forgotten_server_goes), SCENE(rows_of_other_tools_are_picked_up), SCENE(who_reads_follows_who_writes),
    SCENE(one_row_that_is_refused_does_not_stop_the_others), SCENE(strange_texts_are_cut_and_survive), SCENE(audit_is_paged_newest_first),
    SCENE(one_snapshot_is_read_apart_from_those_around_it),
    SCENE(what_is_too_old_goes), SCENE(what_is_too_old_is_so_by_the_configuration_of_now),
};
#define SCENES ((int)(sizeof scenes / sizeof scenes[0]))

static struct bench *bench_new(bool is_sqlite)
{
    struct bench *b = calloc(1, sizeof *b);
    b->is_sqlite = is_sqlite;
    config_preset(&b->config);
    b->setting.is_sqlite = is_sqlite;
    pump_open(&b->pump, 2);
    return b;
}

static void bench_free(struct bench *b)
{
    pump_close(&b->pump);
    free(b);
}

Test(fleet_store, a_sqlite_file_keeps_the_contract)
{
    for (int i = 0; i < SCENES; i++) {
        struct bench *b = bench_new(true);
        folder_open(b->folder);
        TEXT_FORMAT(b->setting.sqlite_file, "%s/store.db", b->folder);
        fprintf(stderr, "sqlite: %s\n", scenes[i].name);
        scenes[i].play(b);
        folder_close(b->folder);
        bench_free(b);
    }
}

Test(fleet_store, a_mariadb_keeps_the_contract)
{
    static struct mariadb server;
    mariadb_open(&server, 1);
    mariadb_do(&server, "set global read_only = 0");
    for (int i = 0; i < SCENES; i++) {
        struct bench *b = bench_new(false);
        b->server = server;
        mariadb_do(&server, "set time_zone = '+00:00'");
        mariadb_do(&server, "drop database if exists fc");
        mariadb_do(&server, "create database fc");
        mariadb_do(&server, "use fc");
        TEXT_SET(b->config.mysql_database, "fc");
        TEXT_SET(b->config.mysql_user, "store");
        TEXT_SET(b->config.mysql_password, "s");
        TEXT_SET(b->config.mysql_host, "127.0.0.1");
        b->config.mysql_port = server.port;
        fprintf(stderr, "mariadb: %s\n", scenes[i].name);
        scenes[i].play(b);
        bench_free(b);
    }
    mariadb_close(&server);
}
