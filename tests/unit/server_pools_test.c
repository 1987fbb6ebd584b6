/* Pools of servers as deployment tools submit them: wholly or not at all, and only for a time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/server_pools.h"
#include "scarce_room.h"

static struct room libc_room, room;
static struct names names;
static struct server_pools pools;
static struct fc_err err;
static const struct fc_time now = { 1000000 };

static void open_pools(void)
{
    libc_room = room_of_libc();
    room = scarce_room(&libc_room);
    lent = 1000000;
    cr_assert(names_init(&names, &room));
    server_pools_init(&pools, &room, &names);
}

static void close_pools(void)
{
    server_pools_done(&pools);
    cr_expect_eq(names.in_use, 0, "%u names are left", names.in_use);
    names_done(&names);
}

TestSuite(server_pools, .init = open_pools, .fini = close_pools);

static enum fc_code submit(const char *pool, struct fc_time until, const char *a, const char *b, const char *c)
{
    const struct instance_key keys[3] = { { a, 3306 }, { b, 3306 }, { c, 3306 } };
    return server_pools_submit(&pools, pool, keys, c != NULL ? 3 : b != NULL ? 2 : a != NULL ? 1 : 0, now, until, &err);
}

static const char *all(void)
{
    static char text[512];
    text[0] = '\0';
    for (uint32_t i = 0; i < pools.count; i++)
        text_format(text + strlen(text), sizeof text - strlen(text), "%s%s/%s", i == 0 ? "" : " ", names_text(&names, pools.list[i].pool),
                    names_text(&names, pools.list[i].host));
    return text;
}

Test(server_pools, a_submission_is_the_pools_whole_content)
{
    cr_expect_eq(submit("web", FC_NEVER, "db3", "db1", "db3"), FC_OK);
    cr_expect_eq(submit("batch", FC_NEVER, "db2", NULL, NULL), FC_OK);
    cr_expect_str_eq(all(), "batch/db2 web/db1 web/db3");
    cr_expect_eq(submit("web", FC_NEVER, "db2", NULL, NULL), FC_OK);
    cr_expect_str_eq(all(), "batch/db2 web/db2");
    cr_expect_eq(submit("batch", FC_NEVER, NULL, NULL, NULL), FC_OK);
    cr_expect_str_eq(all(), "web/db2");
}

Test(server_pools, a_server_is_asked_for_in_one_pool_or_in_any)
{
    const struct instance_key db1 = { "db1", 3306 }, other_port = { "db1", 3307 };
    cr_assert_eq(submit("web", FC_NEVER, "db1", NULL, NULL), FC_OK);
    cr_expect(server_pools_have(&pools, "web", &db1, now));
    cr_expect(server_pools_have(&pools, NULL, &db1, now));
    cr_expect(server_pools_have(&pools, "", &db1, now));
    cr_expect_not(server_pools_have(&pools, "batch", &db1, now));
    cr_expect_not(server_pools_have(&pools, "web", &other_port, now));
}

Test(server_pools, a_pool_that_is_not_submitted_again_ends)
{
    const struct instance_key db1 = { "db1", 3306 };
    const struct fc_time later = { 2000000 };
    cr_assert_eq(submit("web", later, "db1", NULL, NULL), FC_OK);
    cr_assert_eq(submit("batch", FC_NEVER, "db1", NULL, NULL), FC_OK);
    cr_expect_eq(server_pools_expire(&pools, now).us, later.us);
    cr_expect_not(server_pools_have(&pools, "web", &db1, later), "before anybody took it out");
    cr_expect(fc_is_never(server_pools_expire(&pools, later)));
    cr_expect_str_eq(all(), "batch/db1");
}

Test(server_pools, what_is_no_pool_or_no_server_changes_nothing)
{
    char long_name[SERVER_POOL_NAME_MAX + 2];
    memset(long_name, 'p', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    cr_assert_eq(submit("web", FC_NEVER, "db1", NULL, NULL), FC_OK);
    cr_expect_eq(submit("", FC_NEVER, "db2", NULL, NULL), FC_BAD_INPUT);
    cr_expect_eq(submit(long_name, FC_NEVER, "db2", NULL, NULL), FC_BAD_INPUT);
    cr_expect_eq(submit("web", FC_NEVER, "db2", "_", NULL), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "pool 'web': '_:3306' names no server");
    cr_expect_str_eq(all(), "web/db1");
}

Test(server_pools, without_memory_everything_stays_as_it_was)
{
    cr_assert_eq(submit("web", FC_NEVER, "db1", NULL, NULL), FC_OK);
    const uint32_t in_use = names.in_use;
    for (int some = 0; some < 6; some++) {
        lent = some;
        cr_expect_eq(submit("batch", FC_NEVER, "db7", "db8", "db9"), FC_NO_MEMORY, "with %d", some);
        cr_expect_str_eq(all(), "web/db1");
        cr_expect_eq(names.in_use, in_use);
    }
    lent = 1000000;
}
