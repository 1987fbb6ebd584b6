/* May this node act? Three events, three states. */
#include <criterion/criterion.h>

#include "base/text.h"
#include "lead/leadership.h"

static struct effects effects;

static void hears(struct leadership *l, enum event_type type, uint64_t epoch, int64_t now_us)
{
    struct event event = { .type = type, .at = { now_us } };
    effects_clear(&effects);
    if (type == LEASE_GRANTED) {
        event.as.lease.epoch = epoch;
        event.as.lease.until = (struct fc_time){ now_us + 1800000 };
    } else {
        event.as.denied.epoch = epoch;
        TEXT_SET(event.as.denied.leader, "fc2~bbbb");
    }
    leadership_hear(l, &event, "fc1", &effects);
}

Test(leadership, a_granted_lease_lets_it_act_until_its_end_and_not_a_moment_longer)
{
    struct leadership l;
    leadership_init(&l);
    cr_expect_not(leadership_may_act(&l, (struct fc_time){ 1 }));
    hears(&l, LEASE_GRANTED, 5, 1000);
    cr_expect(leadership_may_act(&l, (struct fc_time){ 1800999 }));
    cr_expect_not(leadership_may_act(&l, (struct fc_time){ 1801000 }));
}

Test(leadership, a_silent_store_suspends_and_a_new_grant_brings_it_back)
{
    struct leadership l;
    leadership_init(&l);
    hears(&l, LEASE_GRANTED, 5, 1000);
    hears(&l, STORE_SILENT, 5, 2000);
    cr_expect_eq(l.state, SUSPENDED);
    cr_expect_not(leadership_may_act(&l, (struct fc_time){ 2000 }));
    hears(&l, LEASE_GRANTED, 6, 3000);
    cr_expect(leadership_may_act(&l, (struct fc_time){ 3000 }));
}

Test(leadership, somebody_elses_lease_ends_it_and_names_them)
{
    struct leadership l;
    leadership_init(&l);
    hears(&l, LEASE_GRANTED, 5, 1000);
    hears(&l, LEASE_DENIED, 6, 2000);
    cr_expect_eq(l.state, FOLLOWING);
    cr_expect_str_eq(l.leader, "fc2");
    cr_expect_eq(l.epoch, 6);
}

Test(leadership, an_older_epoch_in_a_denial_does_not_lower_the_known_one)
{
    struct leadership l;
    leadership_init(&l);
    hears(&l, LEASE_GRANTED, 5, 1000);
    hears(&l, LEASE_DENIED, 3, 2000);
    cr_expect_eq(l.epoch, 5);
}

Test(leadership, a_renewal_is_no_news_and_a_new_epoch_is)
{
    struct leadership l;
    struct event event = { .type = LEASE_GRANTED, .at = { 1000 } };
    leadership_init(&l);
    event.as.lease.epoch = 5;
    cr_expect(leadership_hear(&l, &event, "fc1", &effects));
    cr_expect_not(leadership_hear(&l, &event, "fc1", &effects));
    event.as.lease.epoch = 6;
    cr_expect(leadership_hear(&l, &event, "fc1", &effects));
}

Test(leadership, each_way_is_told_once)
{
    struct leadership l;
    leadership_init(&l);
    hears(&l, LEASE_GRANTED, 5, 1000);
    cr_expect_str_eq(effects.list[0].as.note.text, "this node leads");
    hears(&l, LEASE_GRANTED, 5, 1400);
    cr_expect_eq(effects.count, 0);
    hears(&l, STORE_SILENT, 5, 3000);
    cr_expect_eq(effects.list[0].as.note.level, NOTE_ALARM);
    hears(&l, LEASE_DENIED, 6, 4000);
    cr_expect_str_eq(effects.list[0].as.note.text, "this node leads no more");
    hears(&l, LEASE_DENIED, 6, 4200);
    cr_expect_eq(effects.count, 0);
}

Test(leadership, a_follower_tells_who_now_leads)
{
    struct leadership l;
    leadership_init(&l);
    hears(&l, LEASE_DENIED, 6, 1000);
    cr_expect_str_eq(effects.list[0].as.note.text, "now leads: fc2");
    cr_expect_eq(l.state, FOLLOWING);
}

Test(leadership, an_event_that_is_none_of_its_own_changes_nothing_and_is_counted)
{
    struct leadership l;
    const struct event event = { .type = WOKEN };
    leadership_init(&l);
    hears(&l, LEASE_GRANTED, 5, 1000);
    cr_expect_not(leadership_hear(&l, &event, "fc1", &effects));
    cr_expect_eq(l.refused_count, 1);
    cr_expect_eq(l.state, LEADING);
}

Test(leadership, a_silence_says_nothing_about_the_store_and_a_denial_does)
{
    struct leadership l;
    leadership_init(&l);
    hears(&l, LEASE_GRANTED, 5, 1000);
    hears(&l, STORE_SILENT, 5, 9000);
    cr_expect_eq(l.confirmed_at.us, 1000);
    hears(&l, LEASE_DENIED, 6, 9500);
    cr_expect_eq(l.confirmed_at.us, 9500);
}
