/* Clusters as text, in the two forms that people and scripts read. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/tree.h"

static struct room room;
static struct topology fleet;
static struct fc_time now;

static void open_fleet(void)
{
    room = room_of_libc();
    now.us = 1000000000;
    cr_assert(topology_init(&fleet, &room, 10000));
}

static void close_fleet(void) { topology_done(&fleet); }

TestSuite(tree, .init = open_fleet, .fini = close_fleet);

static struct channel_seen from(const char *master)
{
    return (struct channel_seen){ .name = "", .master = { master, 3306 }, .gtid_use = GTID_SLAVE_POS, .io = THREAD_RUNNING,
                                  .sql = THREAD_RUNNING, .lag_s = 0 };
}

static struct instance_seen server(const char *host)
{
    return (struct instance_seen){ .key = { host, 3306 }, .version_text = "10.11.6-MariaDB-log", .binlog_format = "ROW", .has_log = true,
                                   .relogs = true, .is_read_only = true, .seen_at = now };
}

static void saw(struct instance_seen seen, const struct channel_seen *channel)
{
    seen.channels = channel;
    seen.channel_count = channel != NULL;
    cr_assert_eq(topology_saw(&fleet, &seen, NULL, NULL, NULL), FC_OK);
}

static void saw_replica(const char *host, const char *master)
{
    const struct channel_seen channel = from(master);
    saw(server(host), &channel);
}

static member_id member(const char *host)
{
    const struct instance_key key = { host, 3306 };
    return topology_find(&fleet, &key);
}

static const char *printed(const char *host, enum tree_form form)
{
    static char text[20000];
    const struct tree_style style = { .form = form, .now = now, .policy = &analysis_policy_preset };
    const size_t length = tree_print(&fleet, &room, member(host), &style, text, sizeof text);
    cr_assert_eq(length, strlen(text));
    return text;
}

static void chain(void)
{
    struct channel_seen stopped = from("db2"), late = from("db1");
    struct instance_seen master = server("db1"), reader = server("db3");
    stopped.io = THREAD_STOPPED;
    late.lag_s = 27;
    master.is_read_only = reader.has_log = reader.relogs = false;
    saw(reader, &late);
    saw(server("db4"), &stopped);
    saw_replica("db2", "db1");
    saw(master, NULL);
}

Test(tree, masters_stand_above_their_replicas)
{
    chain();
    cr_expect_str_eq(printed("db4", TREE_BRACKETS),
                     "db1:3306     [0s,ok,10.11.6-MariaDB-log,rw,ROW,>>]\n"
                     "+ db2:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\n"
                     "  - db4:3306 [null,nonreplicating,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\n"
                     "+ db3:3306   [27s,lag,10.11.6-MariaDB-log,ro,nobinlog,GTID]");
}

Test(tree, the_table_keeps_empty_columns)
{
    chain();
    cr_expect_str_eq(printed("db1", TREE_TABULATED),
                     "db1:3306    |  0s|ok            |10.11.6-MariaDB-log|rw|ROW     |>>     \n"
                     "+ db2:3306  |  0s|ok            |10.11.6-MariaDB-log|ro|ROW     |>>,GTID\n"
                     "  - db4:3306|null|nonreplicating|10.11.6-MariaDB-log|ro|ROW     |>>,GTID\n"
                     "+ db3:3306  | 27s|lag           |10.11.6-MariaDB-log|ro|nobinlog|GTID   ");
}

Test(tree, each_server_of_a_ring_begins_a_branch)
{
    saw_replica("db1", "db2");
    saw_replica("db2", "db1");
    saw_replica("db3", "db1");
    cr_expect_str_eq(printed("db3", TREE_BRACKETS), "+ db1:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\n"
                                                    "  + db3:3306 [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\n"
                                                    "+ db2:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]");
}

Test(tree, a_server_that_is_not_seen_is_said_to_be_so)
{
    saw_replica("db2", "db1");
    cr_expect_str_eq(printed("db2", TREE_BRACKETS), "db1:3306   [unknown,invalid]\n"
                                                    "+ db2:3306 [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]");
    topology_missed(&fleet, member("db2"), false, now);
    cr_expect_not_null(strstr(printed("db2", TREE_BRACKETS), "- db2:3306 [unknown,invalid,10.11.6-MariaDB-log,ro,ROW,>>,GTID]"));
}

Test(tree, a_look_grows_old)
{
    saw_replica("db2", "db1");
    now = fc_plus(now, fc_ms(26000));
    cr_expect_not_null(strstr(printed("db2", TREE_BRACKETS), "- db2:3306 [unknown,unchecked,"), "%s", printed("db2", TREE_BRACKETS));
}

Test(tree, a_delayed_replica_is_late_only_when_it_is_not_where_it_should_be)
{
    struct channel_seen channel = from("db1");
    channel.delay_s = 3600;
    channel.lag_s = 3605;
    saw(server("db2"), &channel);
    cr_expect_not_null(strstr(printed("db2", TREE_BRACKETS), "[3605s,ok,"));
    channel.lag_s = 3700;
    saw(server("db2"), &channel);
    cr_expect_not_null(strstr(printed("db2", TREE_BRACKETS), "[3700s,lag,"));
}

Test(tree, what_does_not_fit_is_cut_and_its_length_is_told)
{
    char little[20];
    const struct tree_style style = { .now = now, .policy = &analysis_policy_preset };
    saw_replica("db2", "db1");
    const size_t whole = strlen(printed("db2", TREE_BRACKETS));
    cr_expect_eq(tree_print(&fleet, &room, member("db2"), &style, little, sizeof little), whole);
    cr_expect_eq(strlen(little), sizeof little - 1);
    cr_expect_eq(tree_print(&fleet, &room, member("db2"), &style, NULL, 0), whole);
    cr_expect_eq(tree_print(&fleet, &room, MEMBER_NONE, &style, little, sizeof little), 0);
}

Test(tree, a_thousand_servers_in_a_row_are_printed)
{
    for (int i = 1; i < 1000; i++) {
        char host[32], master[32];
        TEXT_FORMAT(host, "db%04d", i);
        TEXT_FORMAT(master, "db%04d", i - 1);
        saw_replica(host, master);
    }
    const struct tree_style style = { .now = now, .policy = &analysis_policy_preset };
    const size_t length = tree_print(&fleet, &room, member("db0500"), &style, NULL, 0);
    char *text = malloc(length + 1);
    int lines = 1;
    cr_assert_eq(tree_print(&fleet, &room, member("db0500"), &style, text, length + 1), length);
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    cr_expect_eq(lines, 1000);
    free(text);
}
