/* Observations of one server: keys and versions as they are read, what a replica is, and copies that own everything. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/instance.h"

/* --- words that are read --- */

static const char *key_of(const char *text)
{
    static char printed[200];
    const char *host;
    size_t length;
    uint16_t port;
    if (!instance_key_parse(text, strlen(text), 3306, &host, &length, &port))
        return "refused";
    TEXT_FORMAT(printed, "%.*s %u", (int)length, host, port);
    return printed;
}

Test(instance, a_key_is_read_in_all_its_forms)
{
    cr_expect_str_eq(key_of("db1"), "db1 3306");
    cr_expect_str_eq(key_of("db1:3307"), "db1 3307");
    cr_expect_str_eq(key_of("10.0.0.1:1"), "10.0.0.1 1");
    cr_expect_str_eq(key_of("[fe80::1]:3307"), "fe80::1 3307");
    cr_expect_str_eq(key_of("[fe80::1]"), "fe80::1 3306");
    cr_expect_str_eq(key_of("fe80::1"), "fe80::1 3306");
    cr_expect_str_eq(key_of("::"), ":: 3306");
    cr_expect_str_eq(key_of("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8 3306");
    cr_expect_str_eq(key_of("[::ffff:10.0.0.1]:3307"), "::ffff:10.0.0.1 3307");
}

Test(instance, what_is_no_key_is_refused)
{
    static const char *const words[] = {
        "", ":3306", "db1:", "db1:0", "db1:65536", "db1:3306x", "db 1", "a,b:1", "//db1:3306", "_", "_:3306", "[db1]:3306",
        "[::1", "[::1]3306", "[::1]:", "db1:3306:1", "d\tb:1", "db'1",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        cr_expect_str_eq(key_of(words[i]), "refused", "'%s'", words[i]);
    char long_name[INSTANCE_HOST_MAX + 2];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    cr_expect_str_eq(key_of(long_name), "refused");
    long_name[INSTANCE_HOST_MAX] = '\0';
    cr_expect_neq(strcmp(key_of(long_name), "refused"), 0);
}

Test(instance, keys_are_ordered_by_host_and_then_port)
{
    const struct instance_key a = { "db1", 3306 }, b = { "db1", 3307 }, c = { "db10", 1 };
    cr_expect_lt(instance_key_compare(&a, &b), 0);
    cr_expect_lt(instance_key_compare(&b, &c), 0);
    cr_expect_gt(instance_key_compare(&c, &a), 0);
    cr_expect(instance_key_is_same(&a, &a));
}

Test(instance, versions_are_numbers)
{
    cr_expect_eq(version_number("10.11.6-MariaDB-0+deb12u1-log"), 101106);
    cr_expect_eq(version_number("8.0.9"), 80009);
    cr_expect_eq(version_number("8.4"), 80400);
    cr_expect_gt(version_number("10.6.1-MariaDB"), version_number("9.1.0"));
    cr_expect_eq(version_number("5.7.44-48-log"), 50744);
    cr_expect_eq(version_number("maxscale"), 0);
    cr_expect_eq(version_number("10"), 0);
    cr_expect_eq(version_number("10.x"), 0);
    cr_expect_eq(version_number(""), 0);
    cr_expect_eq(version_number(NULL), 0);
}

/* --- replicas --- */

static struct channel_seen channel(const char *name, const char *host)
{
    return (struct channel_seen){ .name = name, .master = { host, 3306 }, .io = THREAD_RUNNING, .sql = THREAD_RUNNING,
                                  .read = { "bin.000001", 4 }, .lag_s = -1, .delay_left_s = -1 };
}

Test(instance, a_server_that_was_reset_is_no_replica)
{
    struct channel_seen one = channel("", "db1");
    struct instance_seen seen = { .channel_count = 1, .channels = &one };
    cr_expect(instance_is_replica(&seen));
    cr_expect(instance_is_running(&seen));
    one.master.host = "_";
    cr_expect_not(instance_is_replica(&seen));
    one.master.host = "//db1";
    cr_expect_not(instance_is_replica(&seen));
    one.master = (struct instance_key){ "db1", 3306 };
    one.read.file = "";
    cr_expect_not(instance_is_replica(&seen));
    one.gtid_use = GTID_SLAVE_POS;
    cr_expect(instance_is_replica(&seen));
    one.io = THREAD_CONNECTING;
    cr_expect_not(instance_is_running(&seen));
}

Test(instance, several_channels_are_counted)
{
    struct channel_seen two[] = { channel("", "_"), channel("east", "db1"), channel("west", "db2") };
    const struct instance_seen seen = { .channel_count = 3, .channels = two };
    cr_expect_eq(instance_channel_count(&seen), 2);
    cr_expect_str_eq(instance_channel(&seen)->name, "east");
}

/* --- copies --- */

struct scene {
    struct room room;
    struct instance_kept kept;
    struct channel_seen channel;
    struct replica_listed replicas[2];
    struct instance_seen seen;
};

static struct scene *scene_open(void)
{
    struct scene *s = calloc(1, sizeof *s);
    s->room = room_of_libc();
    s->channel = channel("", "db1");
    s->channel.io_error = "error connecting to master";
    s->replicas[0] = (struct replica_listed){ .key = { "db3", 3306 }, .how = LISTED_REGISTERED };
    s->replicas[1] = (struct replica_listed){ .key = { "db4", 3306 }, .how = LISTED_REGISTERED };
    s->seen = (struct instance_seen){
        .key = { "db2", 3306 }, .wanted = READING_BIT(READING_SETTINGS) | READING_BIT(READING_REPLICATION),
        .flavour = FLAVOUR_MARIADB, .version_text = "10.11.6-MariaDB", .server_id = 2, .is_read_only = true,
        .gtid = { .binlog_position = "0-1-9" }, .channel_count = 1, .channels = &s->channel, .replica_count = 2,
        .replicas = s->replicas, .uptime_s = 5, .sent_at = { 1000 },
    };
    return s;
}

static void scene_close(struct scene *s)
{
    instance_release(&s->room, &s->kept);
    free(s);
}

Test(instance, what_is_kept_borrows_nothing)
{
    struct scene *s = scene_open();
    char version[] = "10.11.6-MariaDB", host[] = "db1";
    s->seen.version_text = version;
    s->channel.master.host = host;
    cr_assert(instance_keep(&s->room, &s->kept, &s->seen));
    cr_expect(instance_is_same(s->kept.seen, &s->seen));
    memset(version, 'x', sizeof version - 1);
    memset(host, 'x', sizeof host - 1);
    memset(s->replicas, 0, sizeof s->replicas);
    cr_expect_str_eq(s->kept.seen->version_text, "10.11.6-MariaDB");
    cr_expect_str_eq(s->kept.seen->channels[0].master.host, "db1");
    cr_expect_str_eq(s->kept.seen->replicas[1].key.host, "db4");
    cr_expect_str_eq(s->kept.seen->group_name, "");
    scene_close(s);
}

Test(instance, keeping_again_reserves_nothing)
{
    struct scene *s = scene_open();
    for (int i = 0; i < 2; i++)
        cr_assert(instance_keep(&s->room, &s->kept, &s->seen));
    const uint64_t reserved = s->room.reserved_count;
    for (int i = 0; i < 100; i++) {
        s->seen.gtid.binlog_position = i % 2 == 0 ? "0-1-10" : "0-1-9";
        cr_assert(instance_keep(&s->room, &s->kept, &s->seen));
    }
    cr_expect_eq(s->room.reserved_count, reserved);
    scene_close(s);
}

Test(instance, every_difference_counts_except_time)
{
    struct scene *s = scene_open();
    cr_assert(instance_keep(&s->room, &s->kept, &s->seen));
    s->seen.uptime_s = 6;
    s->seen.sent_at.us = 2000;
    cr_expect(instance_is_same(s->kept.seen, &s->seen));
    s->channel.applied.offset = 1;
    cr_expect_not(instance_is_same(s->kept.seen, &s->seen));
    s->channel.applied.offset = 0;
    s->replicas[1].key.port = 1;
    cr_expect_not(instance_is_same(s->kept.seen, &s->seen));
    s->replicas[1].key.port = 3306;
    s->seen.missing = READING_BIT(READING_UPTIME);
    cr_expect_not(instance_is_same(s->kept.seen, &s->seen));
    scene_close(s);
}

Test(instance, what_could_not_be_read_is_carried_and_stays_marked)
{
    struct scene *s = scene_open();
    cr_assert(instance_keep(&s->room, &s->kept, &s->seen));
    struct instance_seen next = { .key = { "db2", 3306 }, .missing = READING_BIT(READING_REPLICATION), .server_id = 2,
                                  .version_text = "10.11.7-MariaDB" };
    instance_carry(&next, s->kept.seen);
    cr_expect(instance_is_replica(&next));
    cr_expect_eq(next.replica_count, 0);                        /* that one was read: nobody is there any more */
    cr_expect_str_eq(next.version_text, "10.11.7-MariaDB");
    cr_expect_eq(next.missing, READING_BIT(READING_REPLICATION));
    cr_assert(instance_keep(&s->room, &s->kept, &next));        /* although it borrows from what was kept */
    cr_expect_str_eq(s->kept.seen->channels[0].io_error, "error connecting to master");
    scene_close(s);
}
