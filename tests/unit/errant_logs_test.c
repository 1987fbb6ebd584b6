/* In which binary logs errant transactions stand, from how each log begins. */
#include <criterion/criterion.h>
#include <string.h>

#include "judge/errant_logs.h"
#include "scarce_room.h"

#define LENDS_MAX 100           /* it needs far fewer */
#define UUID_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID_B "4e11fa47-71ca-11e1-9e33-c80aa9429562"

/* Logs are given as they began, the newest first; told is a letter each: `x` holds some, `-` none, `?` not understood, `|` and the rest is not asked. */
static const char *told(bool is_mariadb, const char *errant, const char *masters, const char *last, const char *const *beginnings)
{
    static char letters[64];
    struct room room = room_of_libc();
    struct errant_logs logs;
    size_t count = 0;
    cr_assert(errant_logs_begin(&logs, &room, is_mariadb, errant, masters, last));
    for (; *beginnings != NULL && !errant_logs_is_covered(&logs); beginnings++)
        letters[count++] = "-x?"[errant_logs_next(&logs, *beginnings)];
    if (errant_logs_is_covered(&logs))
        letters[count++] = '|';
    letters[count] = '\0';
    errant_logs_done(&logs);
    return letters;
}
#define BEGINNINGS(...) (const char *const[]){ __VA_ARGS__, NULL }

Test(errant_logs, of_mariadb_the_log_is_told_in_which_a_server_wrote_past_the_master)
{
    cr_expect_str_eq(told(true, "7-2-1", "0-1-90", "0-1-90,7-2-1", BEGINNINGS("[0-1-80]", "[0-1-40]", "[]")), "x|");
    cr_expect_str_eq(told(true, "7-2-1", "0-1-90", "0-1-90,7-2-1", BEGINNINGS("[0-1-85, 7-2-1]", "[0-1-80, 7-2-1]", "[0-1-40]", "[]")), "--x|");
    cr_expect_str_eq(told(true, "7-2-3", "0-1-90", "0-1-90,7-2-3", BEGINNINGS("[0-1-85,7-2-2]", "[0-1-80,7-2-2]", "[7-2-1]", "[]")), "x-xx|");
}

Test(errant_logs, of_mariadb_what_the_master_has_too_is_not_looked_for)
{
    cr_expect_str_eq(told(true, "0-2-104", "0-1-100", "0-1-103,0-2-104", BEGINNINGS("0-1-103,0-2-50", "0-2-50", "0-2-40")), "x|",
                     "what it wrote while it was the master itself");
    cr_expect_str_eq(told(true, "0-2-100", "0-1-100", "0-1-99,0-2-100", BEGINNINGS("0-1-99", "0-1-50")), "x|", "one sequence, two servers");
    cr_expect_str_eq(told(true, "0-2-104,7-2-1", "0-1-100", "0-1-103,0-2-104,7-2-1", BEGINNINGS("0-1-103,0-2-104", "0-1-90", "")), "xx|",
                     "two domains, a log each");
}

Test(errant_logs, of_mysql_the_log_is_told_between_whose_ends_they_appear)
{
    const char *last = UUID_A ":1-90," UUID_B ":1-3";
    cr_expect_str_eq(told(false, UUID_B ":1-3", "", last, BEGINNINGS(UUID_A ":1-80", UUID_A ":1-40")), "x|");
    cr_expect_str_eq(told(false, UUID_B ":1-3", "", last, BEGINNINGS(UUID_A ":1-85,\n" UUID_B ":1-2", UUID_A ":1-80," UUID_B ":1-2", UUID_A ":1-70", "")),
                     "x-x|");
    cr_expect_str_eq(told(false, UUID_B ":2", "", last, BEGINNINGS(UUID_B ":1", "")), "x|", "only those that are errant");
}

Test(errant_logs, what_was_purged_or_is_in_no_log_is_never_covered)
{
    cr_expect_str_eq(told(false, UUID_B ":1-3", "", UUID_B ":1-3", BEGINNINGS(UUID_B ":1-3", UUID_B ":1-3")), "--");
    cr_expect_str_eq(told(false, UUID_B ":1-3", "", UUID_B ":1-3", BEGINNINGS(UUID_B ":1-2", UUID_B ":1")), "xx", "the first of them is gone");
    cr_expect_str_eq(told(true, "7-2-3", "0-1-9", "0-1-9,7-2-3", BEGINNINGS("[0-1-9,7-2-3]", "[7-2-3]")), "--");
    cr_expect_str_eq(told(true, "7-2-3", "0-1-9", "", BEGINNINGS("")), "|", "the server has reset its logs: nothing is in any");
}

Test(errant_logs, what_is_not_understood_is_said)
{
    struct room room = room_of_libc();
    struct errant_logs logs;
    cr_expect_str_eq(told(true, "7-2-1", "0-1-9", "7-2-1", BEGINNINGS("7-2")), "?");
    cr_expect_str_eq(told(false, UUID_B ":1", "", UUID_B ":1", BEGINNINGS("nothing")), "?");
    cr_expect_not(errant_logs_begin(&logs, &room, true, "7-2", "", ""));
    errant_logs_done(&logs);
    cr_expect_not(errant_logs_begin(&logs, &room, false, UUID_A, "", ""));
    errant_logs_done(&logs);
    errant_logs_done(&logs);
}

Test(errant_logs, without_memory_nothing_is_made_up)
{
    struct room libc = room_of_libc(), room = scarce_room(&libc);
    for (int is_mariadb = 0; is_mariadb < 2; is_mariadb++) {
        const char *errant = is_mariadb ? "7-2-1" : UUID_B ":1-3", *has = is_mariadb ? "7-2-1" : UUID_B ":1-3";
        int lends = 0;
        for (enum errant_log found = ERRANT_LOG_UNKNOWN; found == ERRANT_LOG_UNKNOWN && lends < LENDS_MAX; lends++) {
            struct errant_logs logs;
            lent = lends;
            found = errant_logs_begin(&logs, &room, is_mariadb, errant, "", has) ? errant_logs_next(&logs, "") : ERRANT_LOG_UNKNOWN;
            cr_expect_neq(found, ERRANT_LOG_WITHOUT);
            errant_logs_done(&logs);
        }
        cr_expect(lends >= 3 && lends < LENDS_MAX, "%d", lends);
    }
}
