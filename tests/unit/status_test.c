/* The picture that every door shows: copied from what the core knows, with the age of each fact. */
#include <criterion/criterion.h>

#include "core_stage.h"

Test(status, who_leads_and_who_sits_with_epochs_and_ages)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_pass(&s, 300);
    const struct status *status = stage_status(&s);
    cr_expect_str_eq(status->node, "fc1");
    cr_expect_str_eq(status->leadership, "leading");
    cr_expect(status->leads);
    cr_expect_str_eq(status->leader, "fc1");
    cr_expect_eq(status->epoch, 5);
    cr_expect_eq(status->lease_left_ms, 1800);
    cr_expect_eq(status->server_count, 2);
    cr_expect(status->servers[0].is_seated);
    cr_expect_not(status->servers[1].is_seated);
    cr_expect_eq(status->servers[0].age_ms, 300);
    cr_expect_str_eq(status->pools[0].state, "seated");
    cr_expect_str_eq(status->pools[0].seated, "db1");
    cr_expect_str_eq(status->pools[0].why, "first in the configuration");
    cr_expect_eq(status->pools[0].servers[0].answer.voice, VOICE_FIRST);
    cr_expect(status->pools[0].servers[0].is_within_term);
    cr_expect_str_eq(status->pools[1].seated, "fc1");
    stage_close(&s);
}

Test(status, a_lease_that_ran_out_leads_no_more_even_before_anybody_says_so)
{
    struct stage s = stage_open("db1 db2", "db1");

    s.now = fc_plus(s.now, fc_ms(1799));
    const struct status *status = stage_status(&s);
    cr_expect_not(status->leads);
    cr_expect_eq(status->lease_left_ms, 0);
    cr_expect_not(status->pools[0].servers[0].is_within_term);
    stage_close(&s);
}

Test(status, moments_follow_a_wall_clock_that_is_stepped_so_that_spans_stay_true)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_pass(&s, 5000);
    const int64_t chair_since = stage_status(&s)->pools[0].since_unix_ms, leader_since = stage_status(&s)->leader_since_unix_ms;

    for (int64_t step_ms = 3600000; step_ms >= -3600000; step_ms -= 3600000) {
        s.wall_step_ms = step_ms;
        stage_pass(&s, 100);
        cr_expect_eq(stage_status(&s)->pools[0].since_unix_ms, chair_since + step_ms);
        cr_expect_eq(stage_status(&s)->leader_since_unix_ms, leader_since + step_ms);
    }
    stage_close(&s);
}

Test(status, a_move_is_shown_with_its_step_and_its_age)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_pass(&s, 98);
    const struct status_pool *pool = &stage_status(&s)->pools[0];
    cr_expect(pool->is_moving);
    cr_expect_str_eq(pool->state, "moving");
    cr_expect_str_eq(pool->seated, "");
    cr_expect_str_eq(pool->move_from, "db1");
    cr_expect_str_eq(pool->move_to, "db2");
    cr_expect_str_eq(pool->move_step, "fence");
    cr_expect_eq(pool->move_age_ms, 100);
    stage_close(&s);
}

Test(status, a_follower_shows_the_leaders_move)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db2");
    const struct status *status = stage_status(&s);
    cr_expect_str_eq(status->leader, "fc2");
    cr_expect_str_eq(status->leadership, "following");
    cr_expect(status->pools[0].is_moving);
    cr_expect_str_eq(status->pools[0].move_to, "db2");
    cr_expect_str_eq(status->pools[0].move_step, "by the leader");
    stage_close(&s);
}

Test(status, a_lost_server_keeps_its_last_look_and_says_how_it_was_lost)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lost(&s, "db2", "refused");
    stage_pass(&s, 999);
    const struct status *status = stage_status(&s);
    cr_expect_not(status->servers[1].is_reachable);
    cr_expect_eq(status->servers[1].loss, LOSS_REFUSED);
    cr_expect_eq(status->servers[1].age_ms, 1000);
    cr_expect_str_eq(status->servers[1].look.identity, "uid:b/2");
    cr_expect(status->store_is_reachable);
    stage_lost(&s, "db1", "refused");
    cr_expect_not(stage_status(&s)->store_is_reachable);
    stage_close(&s);
}

Test(status, holds_and_a_pause_name_their_author_and_their_reason)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "maint fc_backend/db2 because disks");
    stage_deed(&s, "hold", "ok");
    stage_order(&s, "pause fc_backend");
    stage_deed(&s, "hold", "ok");
    const struct status_pool *pool = &stage_status(&s)->pools[0];
    cr_expect(pool->is_paused);
    cr_expect_eq(pool->servers[1].hold, HOLD_MAINT);
    cr_expect_str_eq(pool->servers[1].hold_by, "ann@test");
    cr_expect_str_eq(pool->servers[1].hold_why, "disks");
    stage_close(&s);
}

Test(status, each_proxys_view_stands_beside_the_intent_with_the_age_of_their_quarrel)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999 HAProxyInstances=px2=10.0.5.2:9999");

    stage_proxy(&s, "px1", "db2 usable");
    stage_proxy_lost(&s, "px2");
    stage_proxy(&s, "px1", "db2 usable");
    stage_pass(&s, 700);
    const struct status *status = stage_status(&s);
    cr_expect_eq(status->proxy_count, 2);
    cr_expect(status->proxies[0].is_reachable);
    cr_expect_eq(status->proxies[0].age_ms, 700);
    cr_expect_eq(status->proxies[1].age_ms, -1);
    cr_expect_str_eq(status->proxies[1].text, "connection refused");
    const struct status_view *view = &status->pools[0].servers[0].views[0];
    cr_expect(view->is_known);
    cr_expect_not(view->is_usable);
    cr_expect_eq(view->drift_ms, 700);
    cr_expect_str_eq(view->status, "MAINT");
    cr_expect_not(status->pools[0].servers[0].views[1].is_known);
    cr_expect_eq(status->pools[0].servers[0].views[1].sessions, -1);
    stage_close(&s);
}

Test(status, before_the_first_look_nothing_is_known_and_said_so)
{
    struct stage s = stage_open("db1 db2", "");

    const struct status *status = stage_status(&s);
    cr_expect_str_eq(status->leader, "");
    cr_expect_str_eq(status->pools[0].state, "nobody");
    cr_expect_str_eq(status->pools[0].seated, "");
    cr_expect_str_eq(status->arbitration, "local");
    cr_expect_neq(status->notice[0], '\0', "what local cannot promise is said");
    stage_close(&s);
}

Test(status, what_was_done_and_what_failed_is_counted)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deed(&s, "catch-up", "timeout");
    stage_order(&s, "switch fc_backend db2 force");
    stage_deeds(&s, "intend fence catch-up seat open");
    const struct status *status = stage_status(&s);
    cr_expect_eq(status->orders, 2);
    cr_expect_eq(status->moves, 1);
    cr_expect_eq(status->moves_failed, 1);
    stage_close(&s);
}
