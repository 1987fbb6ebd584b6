/* Clusters of a snapshot as text. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/past.h"

#define SERVERS_MAX 20000

static struct past_server servers[SERVERS_MAX];
static uint32_t count;

static void was(const char *host, const char *master)
{
    servers[count++] = (struct past_server){ { host, 3306 }, { master, master[0] == '\0' ? 0 : 3306 } };
}

static const char *printed(void)
{
    static char text[4096];
    struct room room = room_of_libc();
    const size_t length = past_print(servers, count, &room, text, sizeof text);
    cr_assert_eq(length, strlen(text));
    return text;
}

Test(past, replicas_stand_below_their_master_by_name)
{
    was("db4", "db2");
    was("db3", "db1");
    was("db2", "db1");
    was("db1", "");
    cr_expect_str_eq(printed(), "db1:3306\n"
                                "+ db2:3306\n"
                                "  + db4:3306\n"
                                "+ db3:3306");
}

Test(past, servers_of_a_ring_each_begin_a_branch)
{
    was("db1", "db2");
    was("db2", "db1");
    was("db4", "db3");
    was("db3", "db2");
    cr_expect_str_eq(printed(), "+ db1:3306\n"
                                "+ db2:3306\n"
                                "  + db3:3306\n"
                                "    + db4:3306");
    count = 0;
    was("db1", "db1");
    cr_expect_str_eq(printed(), "+ db1:3306", "its own master");
}

Test(past, whose_master_is_not_in_the_snapshot_stands_at_the_left)
{
    was("db2", "gone");
    was("db3", "db2");
    cr_expect_str_eq(printed(), "db2:3306\n"
                                "+ db3:3306");
}

Test(past, a_name_of_a_terminals_words_is_made_plain)
{
    was("db\x1b[31m", "");
    cr_expect_null(strchr(printed(), 0x1b));
}

Test(past, none_is_nothing_and_what_is_too_long_is_cut_and_told)
{
    char text[12];
    struct room room = room_of_libc();
    cr_expect_str_eq(printed(), "");
    was("db1", "");
    was("db2", "db1");
    cr_expect_eq(past_print(servers, count, &room, text, sizeof text), strlen("db1:3306\n+ db2:3306"));
    cr_expect_str_eq(text, "db1:3306\n+ ");
    cr_expect_eq(past_print(servers, count, &room, NULL, 0), strlen("db1:3306\n+ db2:3306"));
}

/* Deep and large, in the order of a random walk: every server has one line. */
Test(past, a_chain_and_a_star_of_thousands_are_told_whole)
{
    static char names[SERVERS_MAX][16];
    struct room room = room_of_libc();
    for (int i = 0; i < SERVERS_MAX; i++)
        TEXT_FORMAT(names[i], "db%05d", i);
    for (int shape = 0; shape < 2; shape++) {
        size_t lines = 1;
        count = 0;
        for (int i = 0; i < SERVERS_MAX; i++)
            was(names[(i * 7919) % SERVERS_MAX], i == 0 ? "" : names[shape == 0 ? 0 : ((i * 7919) % SERVERS_MAX) - 1]);
        const size_t length = past_print(servers, count, &room, NULL, 0);
        char *text = malloc(length + 1);
        past_print(servers, count, &room, text, length + 1);
        for (const char *at = text; *at != '\0'; at++)
            lines += *at == '\n';
        cr_expect_eq(lines, SERVERS_MAX);
        free(text);
    }
}
