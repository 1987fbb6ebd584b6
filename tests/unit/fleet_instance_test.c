/* Servers as rows of database_instance and back, without a store; and rows and words as values. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "backends/fleet/fleet_instance.h"
#include "backends/fleet/fleet_say.h"
#include "backends/fleet/fleet_sql.h"
#include "base/text.h"

#define NOON INT64_C(1800000000)

static struct room room;
static struct topology topology;
static struct classifications classes;
static struct classifier classifier;
static struct fleet_instance_texts texts;
static const struct fleet_clock clock_now = { { 500 * INT64_C(1000000) }, NOON * 1000 };      /* 500 s since boot */

static void open_all(void)
{
    room = room_of_libc();
    classifier = (struct classifier){ 0 };
    cr_assert(topology_init(&topology, &room, 1000));
    classifications_init(&classes, &room, &topology);
}

static void close_all(void)
{
    classifications_done(&classes);
    topology_done(&topology);
}

TestSuite(fleet_instance, .init = open_all, .fini = close_all);

static struct fc_time second(int64_t s) { return (struct fc_time){ s * 1000000 }; }

static struct instance_seen server_of(const char *host)
{
    return (struct instance_seen){
        .key = { host, 3306 }, .wanted = READING_BIT(READING_SETTINGS) | READING_BIT(READING_REPLICATION), .flavour = FLAVOUR_MARIADB,
        .version = 101106, .version_text = "10.11.6-MariaDB-log", .version_comment = "Debian", .server_id = 7, .uptime_s = 9,
        .has_log = true, .relogs = true, .binlog_format = "ROW", .binlog_row_image = "FULL", .written = { "bin.000003", 5000000000 },
        .semi_sync = { .is_available = true, .is_master_enabled = true, .timeout_ms = 18446744073709551615u, .wait_count = 1 },
        .sent_at = { 489990000 }, .seen_at = second(490),
    };
}

static member_id see(struct instance_seen seen)
{
    member_id id;
    struct fc_err err;
    cr_assert_eq(topology_saw(&topology, &seen, NULL, &id, &err), FC_OK, "%s", err.text);
    return id;
}

static struct channel_seen from(const char *master)
{
    return (struct channel_seen){
        .name = "", .master = { master, 3306 }, .user = "repl", .io = THREAD_CONNECTING, .sql = THREAD_RUNNING,
        .read = { "bin.000003", 100 }, .applied = { "bin.000003", 90 }, .relay = { "relay.1", 5 }, .lag_s = 12, .delay_s = 60,
        .io_error = "no route", .gtid_use = GTID_SLAVE_POS, .has_filters = true,
    };
}

static struct fleet_row row_of(member_id id)
{
    const struct fleet_instance_words words = { "shop", NULL };
    struct fleet_row row;
    fleet_instance_row(&topology, &classes, id, &words, &clock_now, &texts, &row);
    return row;
}

#define TEXT(row, column) fleet_text(&(row), database_instance_##column)
#define NUMBER(row, column) fleet_number(&(row), database_instance_##column)

Test(fleet_instance, a_replica_is_a_row_in_orchestrators_words)
{
    const struct channel_seen channel = from("db1");
    struct instance_seen replica = server_of("db2");
    replica.channels = &channel;
    replica.channel_count = 1;
    see(server_of("db1"));
    const struct fleet_row row = row_of(see(replica));

    cr_expect_str_eq(TEXT(row, hostname), "db2");
    cr_expect_eq(NUMBER(row, last_checked), NOON - 10);
    cr_expect_eq(NUMBER(row, last_seen), NOON - 10);
    cr_expect_eq(NUMBER(row, last_attempted_check), NOON - 10);
    cr_expect_str_eq(TEXT(row, version), "10.11.6-MariaDB-log");
    cr_expect_str_eq(TEXT(row, major_version), "10.11");
    cr_expect_str_eq(TEXT(row, master_host), "db1");
    cr_expect_eq(NUMBER(row, master_port), 3306);
    cr_expect_eq(NUMBER(row, slave_io_running), 0);
    cr_expect_eq(NUMBER(row, replication_io_thread_state), 2);
    cr_expect_eq(NUMBER(row, slave_sql_running), 1);
    cr_expect_eq(NUMBER(row, replication_sql_thread_state), 1);
    cr_expect_eq(NUMBER(row, seconds_behind_master), 12);
    cr_expect_eq(NUMBER(row, sql_delay), 60);
    cr_expect_eq(NUMBER(row, mariadb_gtid), 1);
    cr_expect_eq(NUMBER(row, oracle_gtid), 0);
    cr_expect_eq(NUMBER(row, read_master_log_pos), 100);
    cr_expect_eq(NUMBER(row, exec_master_log_pos), 90);
    cr_expect_str_eq(TEXT(row, last_io_error), "no route");
    cr_expect_str_eq(TEXT(row, cluster_name), "db1:3306");
    cr_expect_eq(NUMBER(row, replication_depth), 1);
    cr_expect_eq(NUMBER(row, last_discovery_latency), 10000000);
    cr_expect_str_eq(TEXT(row, suggested_cluster_alias), "shop");
    cr_expect_str_eq(TEXT(row, slave_hosts), "[]");
}

Test(fleet_instance, a_master_lists_its_replicas)
{
    const struct channel_seen channel = from("db1");
    struct instance_seen replica = server_of("db2");
    replica.channels = &channel;
    replica.channel_count = 1;
    const member_id master = see(server_of("db1"));
    see(replica);
    replica.key.host = "we\"ird";
    see(replica);
    const struct fleet_row row = row_of(master);
    cr_expect_eq(NUMBER(row, num_slave_hosts), 2);
    cr_expect(strstr(TEXT(row, slave_hosts), "{\"Hostname\":\"db2\",\"Port\":3306}") != NULL, "%s", TEXT(row, slave_hosts));
    cr_expect(strstr(TEXT(row, slave_hosts), "{\"Hostname\":\"we\\\"ird\",\"Port\":3306}") != NULL, "%s", TEXT(row, slave_hosts));
    cr_expect(fleet_is_null(&row, database_instance_seconds_behind_master));
    cr_expect_eq(NUMBER(row, replication_io_thread_state), -1);
    cr_expect_eq(NUMBER(row, semi_sync_master_enabled), 1);
    cr_expect_eq(NUMBER(row, semi_sync_master_timeout), INT64_MAX, "2^64 - 1 is what never is called");
    cr_expect_eq(fleet_row_check(&row, NULL), FC_OK);
}

Test(fleet_instance, a_server_that_was_never_seen_is_due_at_once)
{
    const struct instance_key key = { "new", 3306 };
    struct fc_err err;
    member_id id;
    cr_assert_eq(topology_add(&topology, &key, &id, &err), FC_OK);
    const struct fleet_row row = row_of(id);
    cr_expect_eq(NUMBER(row, last_checked), 1);
    cr_expect(fleet_is_null(&row, database_instance_last_seen));
    cr_expect_str_eq(TEXT(row, cluster_name), "new:3306");
    cr_expect_eq(fleet_row_check(&row, &err), FC_OK, "%s", err.text);
}

Test(fleet_instance, what_is_written_is_what_is_read)
{
    const struct channel_seen channel = from("db1");
    struct instance_seen replica = server_of("db2");
    struct fleet_instance read;
    replica.channels = &channel;
    replica.channel_count = 1;
    const member_id master = see(server_of("db1")), id = see(replica);

    const struct fleet_row row = row_of(id);
    cr_assert(fleet_instance_read(&row, &clock_now, &read));
    cr_expect(read.is_seen && read.was_seen);
    cr_expect_eq(read.checked_at.us, second(490).us);
    cr_expect_eq(read.seen.sent_at.us, 489990000);
    cr_expect_eq(read.seen.flavour, FLAVOUR_MARIADB);
    cr_expect_eq(read.seen.version, 101106);
    cr_expect(instance_is_replica(&read.seen));
    cr_expect_not(instance_is_running(&read.seen));
    cr_expect_eq(instance_channel(&read.seen)->lag_s, 12);
    cr_expect_eq(instance_channel(&read.seen)->io, THREAD_CONNECTING);
    cr_expect_str_eq(instance_channel(&read.seen)->master.host, "db1");
    cr_expect_str_eq(read.cluster, "db1:3306");
    fleet_instance_done(&read);

    const struct fleet_row above = row_of(master);
    cr_assert(fleet_instance_read(&above, &clock_now, &read));
    cr_assert_eq(read.seen.replica_count, 1);
    cr_expect_str_eq(read.seen.replicas[0].key.host, "db2");
    cr_expect_not(instance_is_replica(&read.seen));
    cr_expect_eq(read.seen.written.offset, 5000000000);
    fleet_instance_done(&read);
}

Test(fleet_instance, rows_that_others_left_half_empty_are_read)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance);
    struct fleet_instance read;
    cr_expect_not(fleet_instance_read(&row, &clock_now, &read), "it names nobody");
    fleet_set_text(&row, database_instance_hostname, "seed");
    fleet_set_number(&row, database_instance_port, 3306);
    fleet_set_text(&row, database_instance_slave_hosts, "[{\"Hostname\":\"x\",\"Port\":3306},{\"Hostname\":5},\"y\",{\"Hostname\":\"\",\"Port\":1}]");
    cr_assert(fleet_instance_read(&row, &clock_now, &read));
    cr_expect_not(read.was_seen);
    cr_expect_eq(read.seen.replica_count, 1);
    fleet_instance_done(&read);
    fleet_set_text(&row, database_instance_slave_hosts, "[{");
    cr_assert(fleet_instance_read(&row, &clock_now, &read));
    cr_expect_eq(read.seen.replica_count, 0);
    fleet_instance_done(&read);
}

/* ---- words and rows ------------------------------------------------------------------------------------------------- */

Test(fleet_instance, a_word_comes_back_as_it_was_said)
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

Test(fleet_instance, what_cannot_be_kept_is_refused_in_a_sentence)
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

Test(fleet_instance, every_table_says_why_its_replay_is_harmless_and_has_a_key)
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
Test(fleet_instance, no_statement_that_writes_depends_on_what_a_server_has_of_its_own)
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
