/* A chair on its way: each step that may fail, what follows from it, and how long a wait is. */
#include <criterion/criterion.h>

#include "core_stage.h"

/* ---- the intent ---- */

Test(move, an_intent_that_only_one_server_shows_is_taken_back_and_nothing_was_fenced)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deed(&s, "catch-up", "ok");
    stage_deed(&s, "intend", "timeout");
    stage_asks(&s, "intend db1 > db1");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "seat db1");
    stage_deeds(&s, "seat open");
    stage_shows(&s, "db1 first, db2 resting");
    stage_says(&s, "given back at intend");
    stage_close(&s);
}

Test(move, by_force_the_intent_says_that_it_need_not_arrive_by_replication)
{
    struct stage s = stage_open("db1 db2", "db1");
    const struct effect *asked = NULL;

    stage_order(&s, "switch fc_backend db2 force");
    for (int i = 0; i < s.effects->count; i++)
        asked = s.effects->list[i].type == INTEND ? &s.effects->list[i] : asked;
    cr_assert(asked != NULL, "no intent");
    cr_expect(asked->as.intend.is_forced);
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "fence db1");
    stage_close(&s);
}

Test(move, an_intent_that_was_refused_leaves_all_as_it_was)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deed(&s, "catch-up", "ok");
    stage_deed(&s, "intend", "refused");
    stage_says(&s, "stopped at intend");
    stage_shows(&s, "db1 first, db2 resting");
    stage_asks(&s, "");
    stage_close(&s);
}

/* ---- the fence ---- */

Test(move, a_fence_that_could_not_leave_its_row_counts_and_people_are_told)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_deed(&s, "fence", "ok: it is fenced, but a late opening would not be refused: its row could not be written: disk full");
    stage_asks(&s, "catch-up db2");
    stage_notes(&s, "db1: it is fenced, but a late opening would not be refused: its row could not be written: disk full");
    stage_close(&s);
}

Test(move, a_fence_that_is_refused_because_the_server_sits_by_a_later_decision_ends_the_move)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_deed(&s, "fence", "refused");
    stage_says(&s, "stopped at fence");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(move, a_fence_that_is_refused_while_waiting_ends_the_wait_without_a_seat)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "timeout");
    stage_deed(&s, "catch-up", "ok");
    stage_pass(&s, 600);
    stage_report(&s, "db1", "open");
    stage_deed(&s, "fence", "refused");
    stage_notes(&s, "stopped at wait");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(move, an_old_server_that_vanishes_at_the_fence_is_waited_for_if_nobody_knows_it_gone)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_deed(&s, "fence", "unreachable");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "");
    stage_pass(&s, 15177);
    stage_asks(&s, "");
    stage_pass(&s, 1);
    stage_asks(&s, "seat db2 unfenced");
    stage_close(&s);
}

/* ---- seat and open ---- */

Test(move, a_seat_that_is_refused_is_looked_at_again_and_the_intent_is_finished)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend fence catch-up");
    stage_deed(&s, "seat", "refused");
    stage_says(&s, "stopped at seat");
    stage_shows(&s, "db1 leaving, db2 waiting");
    stage_asks(&s, "");
    stage_pass(&s, 500);
    stage_report(&s, "db1", "read_only=1");
    stage_report(&s, "db2", "read_only=1");
    stage_asks(&s, "catch-up db2");
    stage_close(&s);
}

Test(move, an_opening_that_fails_is_tried_again_after_half_a_second)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend fence catch-up seat");
    stage_deed(&s, "open", "timeout");
    stage_says(&s, "stopped at open");
    stage_shows(&s, "db1 resting, db2 resting");
    stage_report(&s, "db1", "read_only=1");
    stage_report(&s, "db2", "read_only=1");
    stage_finds(&s, "closed");
    stage_asks(&s, "");
    stage_pass(&s, 497);
    stage_asks(&s, "");
    stage_pass(&s, 1);
    stage_asks(&s, "intend db2 > db2");
    stage_deeds(&s, "intend seat open");
    stage_shows(&s, "db1 resting, db2 first");
    stage_close(&s);
}

Test(move, nobody_hears_of_the_new_server_before_it_is_open)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_hears(&s, "fc_backend/db1", "rest: moving to db2");
    stage_hears(&s, "fc_backend/db2", "rest: moving to db2");
    stage_deeds(&s, "fence catch-up seat");
    stage_hears(&s, "fc_backend/db2", "rest: not open yet");
    stage_deed(&s, "open", "ok");
    stage_hears(&s, "fc_backend/db2", "first: db2 sits");
    stage_close(&s);
}

/* ---- the wait for a server that could not be fenced ---- */

Test(move, the_wait_is_the_sum_of_what_may_still_let_sessions_in_times_the_drift)
{
    struct config config;
    config_preset(&config);
    config.term_ms = 1000;               /* an answer that was given may be believed so long */
    config.check_fall = 3;               /* then so many token checks fail, each in its time and its time-out, */
    config.check_inter_ms = 200;
    config.check_timeout_ms = 50;        /* and one more may just have passed */
    config.hard_stop_seconds = 4;        /* a process left over from a reload keeps its sessions so long */
    config.drift_percent = 20;
    cr_expect_eq(move_unfenced_wait(&config).us, (1000 + 3 * 250 + 200 + 4000) * 1200);
}

Test(move, a_server_found_gone_while_it_is_waited_for_ends_the_wait_and_leaves_no_mark)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "timeout");
    stage_deed(&s, "catch-up", "ok");
    stage_pass(&s, 1000);
    stage_asks(&s, "");
    stage_lost(&s, "db1", "refused");
    stage_asks(&s, "");                                    /* db2 has heard it until now */
    stage_report(&s, "db2", "io=connecting");
    stage_asks(&s, "seat db2");
    stage_close(&s);
}

Test(move, a_fence_that_fails_again_while_waiting_is_tried_twice_a_second)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "timeout");
    stage_deed(&s, "catch-up", "ok");
    stage_pass(&s, 100);
    stage_report(&s, "db1", "open");
    stage_pass(&s, 398);
    stage_asks(&s, "");
    stage_pass(&s, 1);
    stage_asks(&s, "fence db1");
    stage_deed(&s, "fence", "timeout");
    stage_pass(&s, 498);
    stage_asks(&s, "");
    stage_pass(&s, 1);
    stage_asks(&s, "fence db1");
    stage_close(&s);
}

/* ---- who may act ---- */

Test(move, a_lease_that_has_run_out_ends_the_move_before_the_next_step)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    s.leads = false;
    stage_pass(&s, 1800);
    stage_says(&s, "this node leads no more");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(move, a_result_that_comes_after_its_move_is_over_moves_nothing)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_lose_lease(&s, "denied");
    stage_lead(&s);
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "");
    stage_shows(&s, "db1 first, db2 resting");
    stage_close(&s);
}

Test(move, a_half_moved_chair_whose_old_server_is_gone_is_finished_without_a_fence)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db2");
    stage_lost(&s, "db1", "refused");
    stage_report(&s, "db2", "io=connecting");
    stage_lead(&s);
    stage_asks(&s, "intend db1 > db2");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "catch-up db2");
    stage_close(&s);
}

Test(move, a_half_moved_chair_whose_old_server_refuses_us_but_is_heard_by_the_new_one_is_finished_with_a_fence)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db2");
    stage_lost(&s, "db1", "refused");
    stage_lead(&s);
    stage_asks(&s, "intend db1 > db2");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "fence db1");
    stage_close(&s);
}

Test(move, an_intent_is_finished_until_its_time_is_over_and_then_given_back)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    s.row.limit_ms = 10000;
    stage_finds_moving(&s, "db1", "db2");
    stage_pass(&s, 9998);
    stage_lead(&s);
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "timeout");
    stage_notes(&s, "stopped at approach");
    stage_pass(&s, 500);
    stage_asks(&s, "intend db1 > db1");
    stage_close(&s);
}

Test(move, an_intent_whose_time_is_over_is_finished_all_the_same_when_nobody_is_left_to_give_it_back_to)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    s.row.limit_ms = 10000;
    stage_finds_moving(&s, "db1", "db2");
    stage_lost(&s, "db1", "refused");
    stage_pass(&s, 60000);
    stage_lost(&s, "db1", "refused");
    stage_report(&s, "db2", "io=connecting");
    stage_lead(&s);
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(move, a_short_bound_holds_for_every_step)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2 within 2");
    stage_limits(&s, "catch-up 2000");
    stage_deed(&s, "catch-up", "ok");
    stage_pass(&s, 1500);
    stage_deed(&s, "intend", "ok");
    stage_limits(&s, "fence 498");   /* each answer of the stage took a ms */
    stage_close(&s);
}

Test(move, a_dead_server_that_comes_back_writable_is_fenced_before_another_is_seated)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_dies(&s, "db1");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "catch-up db2");
    stage_forget(&s);
    stage_report(&s, "db1", "open");
    stage_asks(&s, "fence db1");
    stage_notes(&s, "db1 is back and writable");
    stage_deed(&s, "fence", "ok");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "seat db2");
    stage_close(&s);
}

Test(move, a_silent_server_that_comes_back_while_the_new_one_applies_is_fenced)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "unreachable");
    stage_asks(&s, "catch-up db2");
    stage_pass(&s, 600);
    stage_forget(&s);
    stage_report(&s, "db1", "open");
    stage_asks(&s, "fence db1");
    stage_deed(&s, "fence", "ok");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "seat db2");
    stage_close(&s);
}

/* It answers and cannot be fenced: the other one is seated, if late, as if it had stayed away. */
Test(move, fences_that_fail_give_what_was_fetched_no_more_time)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "unreachable");
    stage_limits(&s, "catch-up 10000");
    stage_pass(&s, 4000);
    stage_forget(&s);
    stage_report(&s, "db1", "open");
    stage_deed(&s, "fence", "denied");
    stage_limits(&s, "catch-up 5998");   /* each answer of the stage took a ms */
    stage_pass(&s, 400);
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "timeout");
    stage_notes(&s, "db2 is seated without all that it fetched");
    stage_close(&s);
}

Test(move, a_dead_server_that_comes_back_closed_delays_nothing)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_dies(&s, "db1");
    stage_deed(&s, "intend", "ok");
    stage_report(&s, "db1", "read_only=1");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "seat db2");
    stage_close(&s);
}

Test(move, refused_to_us_alone_does_not_end_the_wait)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lost(&s, "db1", "refused");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "unreachable");
    stage_deed(&s, "catch-up", "ok");
    stage_forget(&s);
    stage_pass(&s, 1000);
    stage_report(&s, "db2", "read_only=1");
    stage_asks(&s, "");
    stage_report(&s, "db2", "read_only=1 io=connecting");
    stage_asks(&s, "seat db2");
    stage_close(&s);
}

Test(move, a_chair_that_was_being_given_back_is_opened_again)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db1");
    stage_lead(&s);
    stage_asks(&s, "intend db1 > db1");
    stage_close(&s);
}
