/* Each problem of a server, the words of a listing, and that the first of the first four hides the rest of them. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "judge/problems.h"

static struct channel_seen channel;
static struct instance_seen seen;
static struct member member;
static struct traits traits;

/* A replica that is well, looked at a second ago. */
static void be_well(void)
{
    channel = (struct channel_seen){ .master = { "a", 3306 }, .gtid_use = GTID_SLAVE_POS, .io = THREAD_RUNNING, .sql = THREAD_RUNNING };
    seen = (struct instance_seen){ .key = { "b", 3306 }, .channels = &channel, .channel_count = 1 };
    member = (struct member){ .kind = MEMBER_KNOWN, .is_seen = true, .kept.seen = &seen, .checked_at = { 99000000 } };
    traits = (struct traits){ .bits = TRAIT_BIT(VALID) };
}

TestSuite(problems, .init = be_well);

static struct problem_view view(void)
{
    return (struct problem_view){ &member, &traits, &analysis_policy_preset, { 100000000 } };
}

/* All words, joined by a blank. */
static const char *problems(void)
{
    static char text[256];
    const struct problem_view v = view();
    const uint32_t found = problems_of(&v);
    text[0] = '\0';
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        if (found >> i & 1)
            text_format(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] == '\0' ? "" : " ", problem_rows[i].word);
    }
    return text;
}

static const char *status(void)
{
    const struct problem_view v = view();
    return problems_status_word(&v);
}

static const char *lag(void)
{
    static char text[32];
    const struct problem_view v = view();
    problems_lag_word(&v, text, sizeof text);
    return text;
}

Test(problems, a_replica_that_is_well_has_none)
{
    cr_expect_str_eq(problems(), "");
    cr_expect_str_eq(status(), "ok");
    cr_expect_str_eq(lag(), "0s");
}

Test(problems, the_first_of_the_first_four_hides_the_others)
{
    channel.lag_s = 11;
    cr_expect_str_eq(problems(), "replication_lag");
    channel.sql = THREAD_STOPPED;
    cr_expect_str_eq(problems(), "not_replicating");
    member.checked_at.us = 100000000 - 25001 * 1000;
    cr_expect_str_eq(problems(), "not_recently_checked");
    member.is_seen = false;
    traits.bits |= TRAIT_BIT(ERRANT);
    cr_expect_str_eq(problems(), "last_check_invalid errant_gtid");
}

Test(problems, the_others_are_told_beside_each_other)
{
    traits.bits |= TRAIT_BIT(ERRANT) | TRAIT_BIT(MULTI_SOURCE);
    seen.group_name = "g";
    seen.group_state = "RECOVERING";
    seen.missing = READING_BIT(READING_REPLICA_LIST);
    member.is_looped = true;
    cr_expect_str_eq(problems(), "errant_gtid group_replication_member_not_online degraded_probe multi_source replicates_from_itself");
}

Test(problems, a_reading_that_an_account_may_do_without_is_no_problem)
{
    seen.missing = seen.denied = READING_BIT(READING_CREDENTIALS);
    cr_expect_str_eq(problems(), "");
    seen.missing |= READING_BIT(READING_UPTIME);
    cr_expect_str_eq(problems(), "degraded_probe");
}

Test(problems, lag_is_measured_from_the_delay_both_ways)
{
    channel.delay_s = 3600;
    channel.lag_s = 3605;
    cr_expect_str_eq(problems(), "");
    cr_expect_str_eq(status(), "ok");
    channel.lag_s = 3000;
    cr_expect_str_eq(problems(), "replication_lag", "it does not wait as long as it should");
    cr_expect_str_eq(status(), "lag");
}

Test(problems, words_of_a_listing)
{
    channel.lag_s = 21;
    cr_expect_str_eq(status(), "lag");
    cr_expect_str_eq(lag(), "21s");
    channel.lag_s = -1;
    cr_expect_str_eq(lag(), "null");
    channel.io = THREAD_CONNECTING;
    cr_expect_str_eq(status(), "nonreplicating");
    member.checked_at = FC_EVER;
    cr_expect_str_eq(status(), "unchecked");
    cr_expect_str_eq(lag(), "unknown");
    member.is_seen = false;
    cr_expect_str_eq(status(), "invalid");
    channel.master.host = "//a";
    cr_expect_str_eq(lag(), "detached");
}

Test(problems, a_master_has_neither_lag_nor_threads_that_stand)
{
    seen.channel_count = 0;
    cr_expect_str_eq(problems(), "");
    cr_expect_str_eq(status(), "ok");
    cr_expect_str_eq(lag(), "0s");
}

Test(problems, a_server_that_was_never_seen_is_invalid_and_nothing_else)
{
    member = (struct member){ .kind = MEMBER_KNOWN, .checked_at = FC_EVER };
    cr_expect_str_eq(problems(), "last_check_invalid");
}

Test(problems, every_row_stands_in_its_place_with_a_word_of_its_own)
{
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        cr_expect_eq(problem_rows[i].problem, (enum problem)i);
        cr_expect(strlen(problem_rows[i].word) > 0 && strlen(problem_rows[i].meaning) > 0);
        for (int k = 0; k < i; k++)
            cr_expect_str_neq(problem_rows[i].word, problem_rows[k].word);
    }
}
