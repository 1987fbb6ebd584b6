/* One host name for another, for a time. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/host_names.h"
#include "model/instance.h"
#include "scarce_room.h"

static struct room libc_room, room;
static struct names names;
static struct host_names table;
static struct fc_err err;
static const struct fc_time now = { 1000000 }, later = { 2000000 };

static void open_table(void)
{
    libc_room = room_of_libc();
    room = scarce_room(&libc_room);
    lent = 1000000;
    cr_assert(names_init(&names, &room));
    host_names_init(&table, &room, &names);
}

static void close_table(void)
{
    host_names_done(&table);
    cr_expect_eq(names.in_use, 0, "%u names are left", names.in_use);
    names_done(&names);
}

TestSuite(host_names, .init = open_table, .fini = close_table);

Test(host_names, a_name_stands_for_another_until_it_ends)
{
    cr_expect_eq(host_names_set(&table, "db2", "db2.vip", now, FC_NEVER, &err), FC_OK);
    cr_expect_eq(host_names_set(&table, "db1", "db1.vip", now, later, &err), FC_OK);
    cr_expect_str_eq(host_names_of(&table, "db1", now), "db1.vip");
    cr_expect_str_eq(host_names_of(&table, "db1", later), "");
    cr_expect_str_eq(host_names_of(&table, "db3", now), "");
    cr_expect_eq(host_names_expire(&table, now).us, later.us);
    cr_expect(fc_is_never(host_names_expire(&table, later)));
    cr_expect_eq(table.count, 1);
}

Test(host_names, the_last_word_counts)
{
    cr_expect_eq(host_names_set(&table, "db1", "a", now, later, &err), FC_OK);
    cr_expect_eq(host_names_set(&table, "db1", "b", now, FC_NEVER, &err), FC_OK);
    cr_expect_str_eq(host_names_of(&table, "db1", later), "b");
    cr_expect(host_names_remove(&table, "db1"));
    cr_expect_not(host_names_remove(&table, "db1"));
    cr_expect_str_eq(host_names_of(&table, "db1", now), "");
}

Test(host_names, what_is_no_host_name_is_refused)
{
    const char *const bad[] = { "", "a b", "a,b", "db1:3306", "//db1", "[::1]", "a\nb" };
    char longer[INSTANCE_HOST_MAX + 2];
    memset(longer, 'h', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(host_names_set(&table, "db1", bad[i], now, FC_NEVER, &err), FC_BAD_INPUT, "'%s'", bad[i]);
        cr_expect_eq(host_names_set(&table, bad[i], "db1", now, FC_NEVER, &err), FC_BAD_INPUT, "'%s'", bad[i]);
    }
    cr_expect_eq(host_names_set(&table, longer, "db1", now, FC_NEVER, &err), FC_BAD_INPUT);
    cr_expect_eq(table.count, 0);
    cr_expect_eq(host_names_set(&table, "2001:db8::1", "db1", now, FC_NEVER, &err), FC_OK);
}

Test(host_names, without_memory_everything_stays_as_it_was)
{
    for (int some = 0; some < 3; some++) {
        lent = some;
        cr_expect_eq(host_names_set(&table, "db1", "db1.vip", now, FC_NEVER, &err), FC_NO_MEMORY, "with %d", some);
        cr_expect_eq(table.count, 0);
        cr_expect_eq(names.in_use, 0);
        room_release(&room, table.list);
        table.list = NULL;
        table.capacity = 0;
    }
    lent = 1000000;
}
