/* What is said of servers: that it holds until it ends, that bad words change nothing, that rows go when nothing is in them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/overrides.h"

static struct room room;
static struct names names;
static struct overrides said;
static struct fc_err err;

static void open_all(void)
{
    room = room_of_libc();
    cr_assert(names_init(&names, &room));
    overrides_init(&said, &room, &names);
}

static void close_all(void)
{
    overrides_done(&said);
    cr_expect_eq(names.in_use, 0u, "every name is given back");
    names_done(&names);
}

TestSuite(overrides, .init = open_all, .fini = close_all);

static const struct instance_key db1 = { "db1", 3306 }, db2 = { "db2", 3306 }, db2b = { "db2", 3307 };

static struct fc_time second(int64_t seconds)
{
    return (struct fc_time){ seconds * 1000000 };
}

static bool is_downtimed(const struct instance_key *key, int64_t seconds)
{
    return override_is_downtimed(overrides_of(&said, key), second(seconds));
}

Test(overrides, a_downtime_holds_until_its_end_and_the_later_word_replaces_the_earlier)
{
    cr_expect_not(is_downtimed(&db1, 5));
    cr_expect_eq(overrides_begin_downtime(&said, &db1, "eve", "disk", second(0), second(10), &err), FC_OK);
    cr_expect(is_downtimed(&db1, 9));
    cr_expect_not(is_downtimed(&db1, 10));
    cr_expect_not(is_downtimed(&db2, 5), "not of another one");
    cr_expect_eq(overrides_begin_downtime(&said, &db1, "adam", "no end", second(0), FC_NEVER, &err), FC_OK);
    cr_expect(is_downtimed(&db1, 1000000));
    cr_expect_str_eq(names_text(&names, overrides_of(&said, &db1)->downtime.owner), "adam");
    cr_expect_eq(overrides_end_downtime(&said, &db1, &err), FC_OK);
    cr_expect_null(overrides_of(&said, &db1), "nothing is said of it any more");
    cr_expect_eq(overrides_end_downtime(&said, &db1, &err), FC_NOT_FOUND);
    cr_expect_str_eq(err.text, "db1:3306 is not downtimed");
}

Test(overrides, a_downtime_that_makes_no_sense_changes_nothing)
{
    char longest[OVERRIDE_TEXT_MAX + 2] = { 0 };
    memset(longest, 'x', OVERRIDE_TEXT_MAX + 1);
    cr_expect_eq(overrides_begin_downtime(&said, &db1, "", "disk", second(0), second(1), &err), FC_BAD_INPUT);
    cr_expect_eq(overrides_begin_downtime(&said, &db1, "eve", "", second(0), second(1), &err), FC_BAD_INPUT);
    cr_expect_eq(overrides_begin_downtime(&said, &db1, "eve", longest, second(0), second(1), &err), FC_BAD_INPUT);
    cr_expect_eq(overrides_begin_downtime(&said, &db1, "eve", "disk", second(1), second(1), &err), FC_BAD_INPUT);
    const struct instance_key nobody = { "//db1", 3306 };
    cr_expect_eq(overrides_begin_downtime(&said, &nobody, "eve", "disk", second(0), second(1), &err), FC_BAD_INPUT);
    cr_expect_eq(said.count, 0u);
}

Test(overrides, maintenance_is_a_lock_that_only_its_owner_may_take_again)
{
    cr_expect_eq(overrides_begin_maintenance(&said, &db1, "eve", "move", second(0), second(10), &err), FC_OK);
    cr_expect_eq(overrides_begin_maintenance(&said, &db1, "adam", "mine", second(5), second(20), &err), FC_BUSY);
    cr_expect_str_eq(err.text, "db1:3306 is in maintenance by eve: move");
    cr_expect_eq(overrides_begin_maintenance(&said, &db1, "eve", "still", second(5), second(20), &err), FC_OK);
    cr_expect(override_is_in_maintenance(overrides_of(&said, &db1), second(19)));
    cr_expect_eq(overrides_begin_maintenance(&said, &db1, "adam", "mine", second(20), second(30), &err), FC_OK, "it had ended");
    cr_expect_eq(overrides_end_maintenance(&said, &db1, &err), FC_OK);
    cr_expect_eq(overrides_end_maintenance(&said, &db1, &err), FC_NOT_FOUND);
}

Test(overrides, a_promotion_rule_is_neutral_again_when_nobody_repeats_it)
{
    enum promotion_rule rule;
    cr_expect_eq(promotion_rule_parse("prefer", false, &rule, &err), FC_OK);
    cr_expect_eq(overrides_set_rule(&said, &db1, rule, second(0), second(60), &err), FC_OK);
    cr_expect_eq(override_rule(overrides_of(&said, &db1), second(59)), PROMOTION_PREFER);
    cr_expect_eq(override_rule(overrides_of(&said, &db1), second(60)), PROMOTION_NEUTRAL);
    cr_expect_eq(override_rule(overrides_of(&said, &db2), second(0)), PROMOTION_NEUTRAL);
    cr_expect(promotion_rule_is_candidate(PROMOTION_PREFER) && promotion_rule_is_candidate(PROMOTION_MUST));
    cr_expect_not(promotion_rule_is_candidate(PROMOTION_NEUTRAL));
}

Test(overrides, must_is_read_from_rows_and_taken_from_nobody)
{
    enum promotion_rule rule = PROMOTION_NEUTRAL;
    cr_expect_eq(promotion_rule_parse("must", false, &rule, &err), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "'must' is no promotion rule: prefer, neutral, prefer_not or must_not");
    cr_expect_eq(rule, PROMOTION_NEUTRAL);
    cr_expect_eq(promotion_rule_parse("must", true, &rule, &err), FC_OK);
    cr_expect_eq(rule, PROMOTION_MUST);
    cr_expect_eq(promotion_rule_parse("Prefer", true, &rule, &err), FC_BAD_INPUT);
    cr_expect_str_eq(promotion_rule_word(PROMOTION_MUST_NOT), "must_not");
}

Test(overrides, tags_are_set_replaced_and_taken_away)
{
    cr_expect_eq(overrides_tag(&said, &db1, "role", "batch", &err), FC_OK);
    cr_expect_eq(overrides_tag(&said, &db1, "owner", "", &err), FC_OK);
    cr_expect_eq(overrides_tag(&said, &db1, "role", "web", &err), FC_OK);
    cr_expect_str_eq(override_tag(&said, overrides_of(&said, &db1), "role"), "web");
    cr_expect_str_eq(override_tag(&said, overrides_of(&said, &db1), "owner"), "");
    cr_expect_null(override_tag(&said, overrides_of(&said, &db1), "rol"));
    cr_expect_null(override_tag(&said, NULL, "role"));
    cr_expect_eq(overrides_untag(&said, &db1, "rack", &err), FC_NOT_FOUND);
    cr_expect_eq(overrides_untag(&said, &db1, "role", &err), FC_OK);
    cr_expect_eq(overrides_untag(&said, &db1, "owner", &err), FC_OK);
    cr_expect_eq(said.count, 0u);
}

Test(overrides, tags_have_a_bound_and_names_have_a_form)
{
    char name[32];
    for (int i = 0; i < TAGS_MAX; i++) {
        snprintf(name, sizeof name, "t%d", i);
        cr_assert_eq(overrides_tag(&said, &db1, name, "v", &err), FC_OK);
    }
    cr_expect_eq(overrides_tag(&said, &db1, "more", "v", &err), FC_BUSY);
    cr_expect_eq(overrides_tag(&said, &db1, "t1", "other", &err), FC_OK, "replacing one is no more");
    cr_expect_eq(overrides_tag(&said, &db2, "a=b", "v", &err), FC_BAD_INPUT);
    cr_expect_eq(overrides_tag(&said, &db2, "", "v", &err), FC_BAD_INPUT);
    cr_expect_null(overrides_of(&said, &db2));
}

static int told_count;

static void tell(void *asker, struct instance_key key)
{
    cr_expect_str_eq(key.host, asker);
    told_count++;
}

Test(overrides, what_has_ended_goes_and_is_told_and_the_next_end_is_known)
{
    char host[] = "db2";
    overrides_begin_downtime(&said, &db2, "eve", "disk", second(0), second(10), &err);
    overrides_begin_maintenance(&said, &db2b, "eve", "move", second(0), second(20), &err);
    overrides_set_rule(&said, &db2b, PROMOTION_MUST_NOT, second(0), second(30), &err);
    overrides_tag(&said, &db1, "role", "web", &err);
    cr_expect_eq(overrides_expire(&said, second(5), tell, host).us, second(10).us);
    cr_expect_eq(told_count, 0);
    cr_expect_eq(overrides_expire(&said, second(20), tell, host).us, second(30).us);
    cr_expect_eq(told_count, 2);
    cr_expect_null(overrides_of(&said, &db2));
    cr_expect(fc_is_never(overrides_expire(&said, second(30), tell, host)));
    cr_expect_eq(said.count, 1u, "the tag stays");
}

Test(overrides, many_are_found_in_any_order_of_coming)
{
    char host[16];
    for (int i = 0; i < 500; i++) {
        snprintf(host, sizeof host, "s%03d", i * 7 % 500);
        const struct instance_key key = { host, 3306 };
        cr_assert_eq(overrides_tag(&said, &key, "n", host, &err), FC_OK);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(host, sizeof host, "s%03d", i);
        const struct instance_key key = { host, 3306 };
        cr_assert_str_eq(override_tag(&said, overrides_of(&said, &key), "n"), host);
    }
}
