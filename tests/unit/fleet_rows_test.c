/* What is known of a server as a row of database_instance, and what comes of it when a node begins with it. */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/fleet_rows.h"
#include "base/text.h"

#define NOON INT64_C(1800000000)

static struct room room;
static struct watch *watch;
static const struct classifier classifier;
static struct watch_setting setting;
static struct fleet_row_texts texts;
static struct both_clocks clocks;

static void open_watch(void)
{
    watch = room_reserve(&room, sizeof *watch);
    cr_assert(watch_init(watch, &room, &setting));
}

static void close_watch(void)
{
    fleet_row_texts_done(&texts);
    watch_done(watch);
    room_release(&room, watch);
}

static void open_all(void)
{
    room = room_of_libc();
    setting = (struct watch_setting){
        .calendar = { .period = fc_ms(5000), .limit = 100, .urgent_limit = 16, .dead_factor = 1, .dead_most = fc_ms(300000), .capacity = 1000 },
        .policy = analysis_policy_preset, .name_life = fc_ms(3600000), .classifier = &classifier,
    };
    clocks = (struct both_clocks){ { 5000000000 }, NOON * 1000 };
    open_watch();
}

TestSuite(fleet_rows, .init = open_all, .fini = close_watch);

static struct instance_key key_of(const char *host) { return (struct instance_key){ host, 3306 }; }

static member_id saw(const struct instance_seen *seen, const struct detected *detected)
{
    const struct watch_recalled known = { .key = seen->key, .checked_at = FC_EVER };
    cr_assert_eq(watch_recall(watch, &known, clocks.now, NULL), FC_OK);
    watch_saw(watch, seen, detected, clocks.now);
    return topology_find(&watch->topology, &seen->key);
}

/* Its look took a millisecond and a half. */
static struct instance_seen server(const char *host, const struct channel_seen *channel)
{
    return (struct instance_seen){ .key = key_of(host), .host_name = host, .flavour = FLAVOUR_MYSQL, .version = 80036, .version_text = "8.0.36",
                                   .version_comment = "", .server_id = 7, .server_uuid = "4d1", .trouble = "", .channels = channel,
                                   .channel_count = channel != NULL, .sent_at = { clocks.now.us - 1500 }, .seen_at = clocks.now };
}

static struct fleet_row row_of(member_id id)
{
    struct fleet_row row;
    cr_assert(fleet_row_of_server(watch, id, &clocks, &texts, &row));
    return row;
}

static const struct channel_seen channel = { .name = "", .master = { "db1", 3306 }, .user = "repl", .gtid_use = GTID_AUTO_POSITION,
                                             .io = THREAD_RUNNING, .sql = THREAD_RUNNING, .lag_s = 3 };

Test(fleet_rows, what_a_row_says_is_known_again)
{
    struct fleet_server_read read;
    const struct instance_seen seen = server("db2", &channel);
    struct fleet_row row = row_of(saw(&seen, NULL));
    fleet_set_number(&row, database_instance_slave_lag_seconds, 77);        /* another tool's: its query told other than the server */
    fleet_server_of_row(&row, &clocks, &read);
    cr_expect_eq(read.channel.lag_s, 77);
    cr_expect_str_neq(read.channel.user, "", "that it has an account is known, its name is not");
    cr_expect_eq(fc_since(read.seen.sent_at, read.seen.seen_at).us, 1500);
    cr_expect_str_eq(read.seen.server_uuid, "4d1");
    fleet_set_null(&row, database_instance_slave_lag_seconds);
    fleet_set_number(&row, database_instance_has_replication_credentials, 0);
    fleet_server_of_row(&row, &clocks, &read);
    cr_expect_eq(read.channel.lag_s, 3, "what the server itself told");
    cr_expect_str_eq(read.channel.user, "");
}

Test(fleet_rows, a_mariadb_has_no_uuid_in_its_row)
{
    struct instance_seen seen = server("db1", NULL);
    seen.flavour = FLAVOUR_MARIADB;
    seen.version_text = "10.11.6-MariaDB";
    const struct fleet_row row = row_of(saw(&seen, NULL));
    cr_expect_str_eq(fleet_text(&row, database_instance_server_uuid), "", "server_uid is its machine's");
}

Test(fleet_rows, a_groups_members_and_its_primary_are_kept)
{
    const struct member_seen members[] = { { key_of("db1"), "1", "ONLINE", "SECONDARY" }, { key_of("db2"), "2", "ONLINE", "PRIMARY" } };
    struct fleet_server_read read;
    struct instance_seen seen = server("db1", NULL);
    seen.group_name = "g";
    seen.members = members;
    seen.member_count = 2;
    struct fleet_row row = row_of(saw(&seen, NULL));
    cr_expect_str_eq(fleet_text(&row, database_instance_replication_group_members),
                     "[{\"Hostname\":\"db1\",\"Port\":3306},{\"Hostname\":\"db2\",\"Port\":3306}]");
    cr_expect_str_eq(fleet_text(&row, database_instance_replication_group_primary_host), "db2");
    cr_expect_eq(fleet_number(&row, database_instance_replication_group_primary_port), 3306);
    fleet_server_of_row(&row, &clocks, &read);
    cr_assert_eq(read.seen.member_count, 2);
    cr_expect_str_eq(read.seen.members[1].key.host, "db2");
    cr_expect_str_eq(read.seen.members[1].role, "PRIMARY");
    cr_expect_str_neq(read.seen.members[0].role, "PRIMARY");
    fleet_set_text(&row, database_instance_replication_group_members, "no list");
    fleet_server_of_row(&row, &clocks, &read);
    cr_expect_eq(read.seen.member_count, 0);
}

Test(fleet_rows, a_look_that_hangs_stands_as_attempted)
{
    const struct instance_seen seen = server("db1", NULL);
    const member_id id = saw(&seen, NULL);
    struct fleet_row row = row_of(id);
    cr_expect_eq(fleet_number(&row, database_instance_last_attempted_check), NOON);
    clocks.now.us += 10000000;
    clocks.unix_ms += 10000;
    topology_attempted(&watch->topology, id, clocks.now);
    row = row_of(id);
    cr_expect_eq(fleet_number(&row, database_instance_last_attempted_check), NOON, "it has just begun");
    clocks.now.us += 2000000;
    clocks.unix_ms += 2000;
    row = row_of(id);
    cr_expect_eq(fleet_number(&row, database_instance_last_attempted_check), NOON + 10);
    cr_expect_eq(fleet_number(&row, database_instance_last_checked), NOON);
}
