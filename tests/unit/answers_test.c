/* What HAProxy hears, and until when it may believe it. */
#include <criterion/criterion.h>

#include "core_stage.h"

Test(answers, a_started_node_says_nothing_before_it_has_looked_at_the_proxies_too)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999 HAProxyInstances=px2=10.0.5.2:9999");

    stage_hears(&s, "fc_backend/db1", "neutral: starting, looking at the world");
    stage_proxy(&s, "px1", "db1 usable");
    stage_hears(&s, "fc_backend/db1", "neutral: starting, looking at the world");
    cr_expect(fc_is_ever(s.core->steering.voice_until), "a node that has not looked has no voice");
    stage_proxy_lost(&s, "px2");
    stage_hears(&s, "fc_backend/db1", "first: db1 sits");
    stage_hears(&s, "fc_backend/db2", "rest: db1 sits");
    cr_expect_not(fc_is_ever(s.core->steering.voice_until));
    stage_close(&s);
}

Test(answers, a_term_that_is_over_closes_the_chair)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_hears_late(&s, "fc_backend/db1", 1499, "rest");
    stage_hears_late(&s, "fc_backend/db2", 1499, "rest");
    stage_close(&s);
}

Test(answers, or_freezes_it_where_the_configuration_wants_that)
{
    struct stage s = stage_open_with("db1 db2", "db1", "SteeringTermOver=freeze");

    stage_hears_late(&s, "fc_backend/db1", 1499, "neutral");
    stage_close(&s);
}

Test(answers, a_paused_pool_keeps_the_token_of_the_open_server_only)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "pause fc_backend because network work");
    stage_deed(&s, "hold", "ok");
    stage_hears(&s, "fc_backend/db1", "neutral: paused by ann@test");
    stage_hears(&s, "fc_backend/db2", "neutral: paused by ann@test");
    cr_expect(stage_answer(&s, "fc_backend/db1")->keeps_token);
    cr_expect_not(stage_answer(&s, "fc_backend/db2")->keeps_token);
    stage_report(&s, "db1", "read_only=1");
    stage_report(&s, "db2", "open");
    cr_expect_not(stage_answer(&s, "fc_backend/db1")->keeps_token, "the operator's own switch is followed");
    cr_expect(stage_answer(&s, "fc_backend/db2")->keeps_token);
    stage_order(&s, "resume fc_backend");
    stage_deed(&s, "hold", "ok");
    cr_expect_not(stage_answer(&s, "fc_backend/db1")->keeps_token);
    stage_close(&s);
}

Test(answers, the_token_of_a_paused_server_ends_with_the_term_of_its_last_look)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "pause fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_report(&s, "db1", "open");
    stage_hears_late(&s, "fc_backend/db1", 1500, "neutral");
    stage_pass(&s, 400);
    stage_hears_late(&s, "fc_backend/db1", 1100, "neutral");
    stage_close(&s);
}

Test(answers, a_held_server_says_who_holds_it)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "drain fc_backend/db2 because disks");
    stage_deed(&s, "hold", "ok");
    stage_hears(&s, "fc_backend/db2", "rest: drain by ann@test");
    stage_order(&s, "ready fc_backend/db2");
    stage_deed(&s, "hold", "ok");
    stage_hears(&s, "fc_backend/db2", "rest: db1 sits");
    stage_close(&s);
}

/* A server that lags shows an older row later. */
Test(answers, a_later_epoch_has_a_term_of_its_own)
{
    struct chair chair;
    struct event older = { .type = CHAIR_GRANTED }, later = { .type = CHAIR_GRANTED };
    older.as.chair.decision.rank.epoch = 4;
    older.as.chair.until = (struct fc_time){ 1600000 };
    later.as.chair.decision.rank.epoch = 5;
    later.as.chair.until = (struct fc_time){ 1500000 };
    chair_init(&chair);
    chair_hear(&chair, &older);
    chair_hear(&chair, &later);
    cr_expect_eq(chair.until.us, 1500000);
    later.as.chair.until = (struct fc_time){ 1400000 };
    chair_hear(&chair, &later);
    cr_expect_eq(chair.until.us, 1500000, "of the same epoch the longest counts");
}

Test(answers, a_chair_seated_without_a_fence_carries_its_mark)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "timeout");
    stage_deed(&s, "catch-up", "timeout");
    stage_pass(&s, 15180);
    stage_asks(&s, "seat db2 unfenced stale@1790001000");
    stage_deeds(&s, "seat open");
    stage_hears(&s, "fc_backend/db2", "first: db2 sits, unfenced stale");
    stage_close(&s);
}

/* ---- the pool of the leader ---- */

Test(answers, the_leader_answers_first_for_itself_and_for_nobody_else)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_hears(&s, "fc_leader/fc1", "first: leader");
    stage_hears(&s, "fc_leader/fc2", "neutral: answers for itself");
    stage_hears_late(&s, "fc_leader/fc1", 1799, "rest");
    stage_close(&s);
}

Test(answers, a_follower_names_the_leader)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_hears(&s, "fc_leader/fc1", "rest: follower of fc2");
    stage_close(&s);
}

Test(answers, a_suspended_leader_stands_down_at_once)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "silent");
    stage_hears(&s, "fc_leader/fc1", "rest: suspended, the store is silent");
    stage_hears(&s, "fc_backend/db1", "first: db1 sits");
    stage_close(&s);
}

Test(answers, before_anybody_leads_nobody_is_named)
{
    struct stage s = stage_open("db1 db2", "");

    stage_hears(&s, "fc_leader/fc1", "rest: nobody leads");
    stage_hears(&s, "fc_backend/db1", "rest: nobody sits");
    stage_close(&s);
}

/* ---- pushes ---- */

/* It was cut off right after the seated server was found closed: that it is open again, the others see. */
Test(answers, who_saw_the_seated_server_closed_and_then_no_more_has_no_voice)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_report(&s, "db1", "read_only=1");
    cr_expect_not(fc_is_ever(s.core->steering.voice_until), "it sees it closed");
    stage_out_of_sight(&s, "db1");
    cr_expect(fc_is_ever(s.core->steering.voice_until));
    stage_report(&s, "db1", "open");
    cr_expect_not(fc_is_ever(s.core->steering.voice_until));
    stage_close(&s);
}

Test(answers, a_change_of_voice_is_pushed_by_the_leader_and_shown_by_everybody)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2 force");
    stage_deed(&s, "intend", "ok");
    stage_counts(&s, "PROXY_PUSH", 1);
    stage_counts(&s, "ANSWER_SHOW", 2);
    stage_lose_lease(&s, "denied");
    stage_forget(&s);
    stage_finds_moving(&s, "db1", "db2");
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_close(&s);
}

Test(answers, a_longer_term_alone_is_no_new_answer)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_pass(&s, 400);
    stage_counts(&s, "ANSWER_SHOW", 0);
    stage_counts(&s, "ANSWER_EXTEND", 1);
    stage_close(&s);
}
