/* The first chair, as a DBA would tell it: who sits, what is asked of whom, what the operator hears. */
#include <criterion/criterion.h>

#include "core_stage.h"

/* ---- a planned switch ---- */

Test(steering, second_chair_waits_until_the_first_has_left)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_shows(&s, "db1 first, db2 resting");
    stage_order(&s, "switch fc_backend db2");
    stage_asks(&s, "catch-up db2");
    stage_shows(&s, "db1 first, db2 resting");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "intend db1 > db2");
    stage_deed(&s, "intend", "ok");
    stage_shows(&s, "db1 leaving, db2 waiting");
    stage_asks(&s, "fence db1");
    stage_deed(&s, "fence", "ok");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "seat db2");
    stage_deed(&s, "seat", "ok");
    stage_shows(&s, "db1 resting, db2 resting");
    stage_asks(&s, "open db2");
    stage_deed(&s, "open", "ok");
    stage_shows(&s, "db1 resting, db2 first");
    stage_says(&s, "db2 sits");
    stage_close(&s);
}

Test(steering, a_server_that_does_not_come_near_is_never_waited_for_with_nobody_in_the_chair)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deed(&s, "catch-up", "timeout");
    stage_shows(&s, "db1 first, db2 resting");
    stage_says(&s, "stopped at approach");
    stage_close(&s);
}

Test(steering, when_the_old_server_cannot_be_fenced_it_gets_the_chair_back)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_deed(&s, "fence", "timeout");
    stage_asks(&s, "intend db1 > db1");
    stage_deeds(&s, "intend seat open");
    stage_shows(&s, "db1 first, db2 resting");
    stage_says(&s, "db1 sits again");
    stage_close(&s);
}

Test(steering, when_the_new_server_does_not_catch_up_the_old_one_gets_the_chair_back)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend fence");
    stage_deed(&s, "catch-up", "timeout");
    stage_asks(&s, "intend db1 > db1");
    stage_close(&s);
}

Test(steering, a_forced_switch_asks_once_for_the_catching_up_and_never_skips_the_fence)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2 force");
    stage_asks(&s, "intend db1 > db2");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "fence db1");
    stage_deed(&s, "fence", "ok");
    stage_asks(&s, "catch-up db2");
    stage_limits(&s, "catch-up 100");
    stage_deed(&s, "catch-up", "timeout");
    stage_asks(&s, "seat db2 stale@1790001000");
    stage_close(&s);
}

/* ---- what force waived, and what it may have lost ---- */

Test(steering, a_forced_seat_that_lacks_writes_is_marked_stale_like_any_other)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_pass(&s, 30000);
    stage_report(&s, "db1", "open");
    stage_report(&s, "db2", "broken");
    stage_order(&s, "switch fc_backend db2 force");
    stage_deeds(&s, "intend fence");
    stage_deed(&s, "catch-up", "its SQL thread is stopped");
    stage_deeds(&s, "seat open");
    stage_says(&s, ", forced despite not-applying; marked stale@1790001000: what db1 wrote in the last 31 s may be missing");
    stage_hears(&s, "fc_backend/db2", "first: db2 sits, stale");
    cr_expect_str_eq(stage_status(&s)->pools[0].mark, "stale");
    cr_expect_eq(stage_status(&s)->pools[0].stale_since_unix_ms, 1790001000000);
    stage_close(&s);
}

Test(steering, the_history_of_a_forced_seat_names_the_rules_and_the_loss)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db2", "unconfigured behind");
    stage_order(&s, "switch fc_backend db2 force");
    stage_deeds(&s, "intend fence");
    stage_deed(&s, "catch-up", "it replicates from nobody");
    stage_deed(&s, "seat", "ok");
    stage_deed(&s, "open", "ok");
    stage_records(&s, "move", "db1 > db2: switch by ann@test, forced despite no-master, far-behind (planned");
    stage_records(&s, "move", "; marked stale@");
    stage_close(&s);
}

Test(steering, force_that_nothing_needed_says_so)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2 force");
    stage_deeds(&s, "intend fence catch-up seat open");
    stage_says(&s, " ms; force was not needed, nothing is lost: it had applied all");
    cr_expect_str_eq(stage_status(&s)->pools[0].mark, "");
    stage_order(&s, "switch fc_backend db2 force");
    stage_says(&s, "db2 sits already (epoch 6); there is nothing to force");
    stage_close(&s);
}

Test(steering, force_despite_a_rule_that_lost_nothing_says_both)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db2", "behind");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "db2 is 90 s behind, MaxSeatLagSeconds is 30; `force` seats it all the same");
    stage_order(&s, "switch fc_backend db2 force");
    stage_deeds(&s, "intend fence catch-up seat open");
    stage_says(&s, ", forced despite far-behind; nothing is lost: it had applied all");
    stage_close(&s);
}

Test(steering, force_that_only_left_out_the_wait_says_what_may_be_missing)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2 force");
    stage_deeds(&s, "intend fence");
    stage_deed(&s, "catch-up", "timeout");
    stage_deeds(&s, "seat open");
    stage_says(&s, ", forced without the catch-up; marked stale@");
    stage_close(&s);
}

Test(steering, what_force_does_not_waive_is_said)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db2");
    stage_order(&s, "switch fc_backend db2 force");
    stage_says(&s, "db2 does not answer (silent); `force` does not waive that");
    stage_close(&s);
}

Test(steering, the_old_server_dies_in_the_middle_of_a_switch_and_the_switch_goes_on)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_deed(&s, "fence", "unreachable");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "ok");
    stage_shows(&s, "db1 leaving, db2 waiting");
    stage_lost(&s, "db1", "refused");
    stage_report(&s, "db2", "io=connecting");
    stage_asks(&s, "seat db2");
    stage_close(&s);
}

Test(steering, a_look_that_was_sent_before_the_opening_does_not_close_the_picture_again)
{
    struct stage s = stage_open("db1 db2", "");

    stage_lead(&s);
    stage_deeds(&s, "intend seat open");
    stage_shows(&s, "db1 first, db2 resting");
    s.now.us -= 2000;
    stage_report(&s, "db1", "read_only=1");
    stage_shows(&s, "db1 first, db2 resting");
    stage_close(&s);
}

/* ---- a first server that dies ---- */

Test(steering, a_server_that_is_gone_is_replaced_at_once_without_a_fence)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lost(&s, "db1", "ended");
    stage_finds(&s, "doubtful");
    stage_report(&s, "db2", "io=connecting");
    stage_lost(&s, "db1", "refused");
    stage_asks(&s, "intend db1 > db2");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "catch-up db2");
    stage_deeds(&s, "catch-up seat open");
    stage_shows(&s, "db1 resting, db2 first");
    stage_close(&s);
}

Test(steering, refused_here_and_heard_there_is_only_doubtful)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lost(&s, "db1", "refused");
    stage_finds(&s, "doubtful");
    stage_asks(&s, "");
    stage_shows(&s, "db1 first, db2 resting");
    stage_close(&s);
}

Test(steering, one_lost_look_never_flips)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lost(&s, "db1", "silent");
    stage_finds(&s, "well");
    stage_lost(&s, "db1", "silent");
    stage_finds(&s, "doubtful");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(steering, out_of_sight_is_waited_for_when_it_cannot_be_fenced_and_marked_unfenced)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_asks(&s, "intend db1 > db2");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "fence db1");
    stage_deed(&s, "fence", "timeout");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "");
    stage_pass(&s, 1000);
    stage_asks(&s, "");
    stage_pass(&s, 20000);
    stage_asks(&s, "seat db2 unfenced");
    stage_close(&s);
}

Test(steering, who_comes_back_during_the_wait_is_fenced_and_its_last_writes_are_taken_over)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "timeout");
    stage_deed(&s, "catch-up", "ok");
    stage_pass(&s, 600);
    stage_report(&s, "db1", "open");
    stage_asks(&s, "fence db1");
    stage_deed(&s, "fence", "ok");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "seat db2");
    stage_close(&s);
}

Test(steering, a_fence_that_works_after_all_ends_the_wait_and_the_end_of_its_log_is_caught_up_to)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deeds(&s, "intend fence");
    stage_asks(&s, "catch-up db2");
    cr_expect(s.effects->count > 0);
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "seat db2");
    stage_close(&s);
}

Test(steering, an_old_server_that_is_found_alive_gets_the_chair_back_when_the_new_one_lacks_its_writes)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_report(&s, "db1", "open");
    stage_deed(&s, "fence", "ok");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "timeout");
    stage_asks(&s, "intend db1 > db1");
    stage_close(&s);
}

Test(steering, a_seated_server_that_was_never_seen_is_still_known_and_waited_for)
{
    struct stage s = stage_open("db1 db2", "db1");

    s.core->servers.list[0].has_been_seen = false;
    s.core->servers.list[0].is_reachable = false;
    s.core->servers.list[0].look.identity[0] = '\0';
    stage_lead(&s);
    stage_finds(&s, "out-of-sight");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(steering, nobody_is_seated_when_nobody_is_left)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lost(&s, "db2", "refused");
    stage_lost(&s, "db1", "refused");
    stage_finds(&s, "gone");
    stage_asks(&s, "");
    stage_close(&s);
}

/* ---- the first start, restarts, hands from outside ---- */

Test(steering, at_the_first_start_the_preferred_server_is_seated)
{
    struct stage s = stage_open("db1 db2", "");

    stage_shows(&s, "db1 resting, db2 resting");
    stage_lead(&s);
    stage_finds(&s, "empty");
    stage_asks(&s, "intend nobody > db1");
    stage_close(&s);
}

Test(steering, at_the_first_start_the_one_open_server_is_seated_because_clients_use_it)
{
    struct stage s = stage_open("db1 db2", "");

    stage_report(&s, "db2", "open");
    stage_lead(&s);
    stage_asks(&s, "intend nobody > db2");
    stage_close(&s);
}

Test(steering, at_the_first_start_two_open_servers_are_said_and_the_second_is_fenced)
{
    struct stage s = stage_open("db1 db2", "");

    stage_report(&s, "db1", "open");
    stage_report(&s, "db2", "open");
    stage_lead(&s);
    stage_records(&s, "stray", "db2 was writable beside db1");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "fence db2");
    stage_close(&s);
}

Test(steering, at_the_first_start_with_both_open_the_other_one_is_fenced_first)
{
    struct stage s = stage_open("db1 db2", "");

    stage_report(&s, "db1", "open");
    stage_report(&s, "db2", "open");
    stage_lead(&s);
    stage_asks(&s, "intend db2 > db1");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "fence db2");
    stage_close(&s);
}

Test(steering, a_seated_server_that_restarted_closed_is_opened_again)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db1", "read_only=1");
    stage_finds(&s, "closed");
    stage_shows(&s, "db1 resting, db2 resting");
    stage_asks(&s, "intend db1 > db1");
    stage_deeds(&s, "intend seat open");
    stage_shows(&s, "db1 first, db2 resting");
    stage_close(&s);
}

Test(steering, a_second_open_server_is_fenced_and_not_offered)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db2", "open");
    stage_finds(&s, "stray");
    stage_asks(&s, "fence db2");
    stage_shows(&s, "db1 first, db2 resting");
    stage_report(&s, "db2", "open");
    stage_asks(&s, "fence db2");
    stage_close(&s);
}

Test(steering, a_stray_that_resists_is_fenced_each_second_told_ever_less_often_and_told_to_be_over)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_forget(&s);
    stage_report(&s, "db2", "open");
    stage_notes(&s, "db2 is writable and does not sit: fencing it");
    stage_counts(&s, "NOTE", 1);
    stage_pass(&s, 1000);
    stage_report(&s, "db2", "open");
    stage_notes(&s, "db2 is still writable and does not sit: fence number 2");
    stage_counts(&s, "FENCE", 2);
    stage_counts(&s, "NOTE", 2);
    stage_pass(&s, 1000);
    stage_report(&s, "db2", "open");
    stage_counts(&s, "FENCE", 3);
    stage_counts(&s, "NOTE", 2);
    stage_report(&s, "db2", "read_only=1");
    stage_notes(&s, "db2 is closed now");
    stage_counts(&s, "NOTE", 3);
    stage_close(&s);
}

Test(steering, who_switched_by_hand_is_followed_not_undone)
{
    struct stage s = stage_open("db1 db2", "db1");

    s.looks[0].is_read_only = true;
    s.looks[1].is_read_only = false;
    stage_lose_lease(&s, "denied");
    stage_report(&s, "db1", "read_only=1");
    stage_report(&s, "db2", "open");
    stage_finds(&s, "elsewhere");
    stage_lead(&s);
    stage_asks(&s, "intend nobody > db2");
    stage_close(&s);
}

/* ---- a leader that dies in the middle ---- */

Test(steering, a_new_leader_finishes_what_it_finds_half_done)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db2");
    stage_shows(&s, "db1 leaving, db2 waiting");
    stage_asks(&s, "");
    stage_lead(&s);
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(steering, a_half_done_move_to_a_dead_server_is_given_back)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db2");
    stage_lost(&s, "db2", "refused");
    stage_lead(&s);
    stage_asks(&s, "intend db1 > db1");
    stage_close(&s);
}

Test(steering, a_leader_that_loses_the_lease_asks_for_nothing_more)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_lose_lease(&s, "silent");
    stage_says(&s, "the lease was lost");
    stage_deed(&s, "fence", "ok");
    stage_asks(&s, "");
    stage_close(&s);
}

/* ---- operators ---- */

Test(steering, a_held_server_is_not_seated_until_it_is_ready)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "maint fc_backend/db2 because disks");
    stage_asks(&s, "hold");
    stage_deed(&s, "hold", "ok");
    stage_order(&s, "switch fc_backend db2 force");
    stage_says(&s, "maint by ann@test");
    stage_order(&s, "ready fc_backend/db2");
    stage_deed(&s, "hold", "ok");
    stage_order(&s, "switch fc_backend db2");
    stage_asks(&s, "catch-up db2");
    stage_close(&s);
}

Test(steering, the_one_who_sits_cannot_be_put_into_maintenance)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "maint fc_backend/db1");
    stage_says(&s, "db1 sits");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(steering, a_paused_pool_moves_nothing_and_says_so)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "pause fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_shows(&s, "db1 paused, db2 paused");
    stage_dies(&s, "db1");
    stage_asks(&s, "");
    stage_order(&s, "resume fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(steering, nobody_pauses_with_nobody_in_the_chair)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend");
    stage_order(&s, "pause fc_backend");
    stage_says(&s, "the chair is being moved");
    stage_close(&s);
}

Test(steering, a_broken_replica_is_seated_only_by_force)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db2", "broken");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "`force` seats it all the same");
    stage_asks(&s, "");
    stage_order(&s, "switch fc_backend db2 force");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(steering, to_switch_to_the_seated_server_is_no_move)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db1");
    stage_says(&s, "db1 sits already");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(steering, two_orders_at_one_time_the_second_is_told_so)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "the chair is being moved");
    stage_order(&s, "yield");
    stage_says(&s, "yield after that");
    stage_close(&s);
}

Test(steering, a_follower_hands_the_order_to_the_leader)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "handed to fc2");
    stage_asks(&s, "order");
    stage_pass(&s, 60000);
    stage_says(&s, "the leader has not answered");
    stage_close(&s);
}

Test(steering, the_lease_is_given_back_by_order)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "yield");
    stage_asks(&s, "give-back");
    stage_deed(&s, "give-back", "ok");
    stage_says(&s, "another node leads in a moment");
    stage_close(&s);
}

Test(steering, who_leads_already_is_told_so_and_keeps_the_lease)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "yield to fc1");
    stage_says(&s, "fc1 leads already");
    stage_asks(&s, "");
    stage_close(&s);
}

/* ---- refused is not believed of one node ---- */

/* Refused, and the other one's replication is stopped: only the other node can tell. */
static struct stage refused_beside_a_stopped_replica(const char *fc2_says)
{
    struct stage s = stage_open("db1 db2", "db1");
    s.fc2_says = fc2_says;
    stage_report(&s, "db2", "io=connecting silently");
    stage_lost(&s, "db1", "ended");
    stage_lost(&s, "db1", "refused");
    return s;
}

Test(steering, a_server_that_the_other_node_sees_is_not_gone)
{
    struct stage s = refused_beside_a_stopped_replica("sees it");
    stage_finds(&s, "doubtful");
    stage_asks(&s, "");
    s.fc2_says = "refused";                                /* now it has died */
    stage_pass(&s, 10);
    stage_finds(&s, "gone");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(steering, what_the_other_node_saw_before_the_loss_is_waited_for_and_asked_again)
{
    struct stage s = refused_beside_a_stopped_replica("saw it");
    stage_counts(&s, "SIGHTS_LOOK", 1);
    stage_pass(&s, 9);
    stage_counts(&s, "SIGHTS_LOOK", 1);
    s.fc2_says = "refused";
    stage_pass(&s, 1);
    stage_counts(&s, "SIGHTS_LOOK", 2);
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(steering, the_other_nodes_are_asked_ever_less_often_and_not_at_all_once_it_answers)
{
    struct stage s = refused_beside_a_stopped_replica("sees it");
    stage_counts(&s, "SIGHTS_LOOK", 1);
    stage_pass(&s, 10);
    stage_pass(&s, 20);
    stage_pass(&s, 40);
    stage_pass(&s, 80);
    stage_pass(&s, 160);
    stage_pass(&s, 320);
    stage_counts(&s, "SIGHTS_LOOK", 7);
    stage_pass(&s, 499);
    stage_counts(&s, "SIGHTS_LOOK", 7);
    stage_pass(&s, 1);
    stage_counts(&s, "SIGHTS_LOOK", 8);
    stage_report(&s, "db1", "open");
    stage_forget(&s);
    stage_pass(&s, 1000);
    stage_counts(&s, "SIGHTS_LOOK", 0);
    stage_close(&s);
}

Test(steering, a_node_that_cannot_be_asked_leaves_a_refused_server_to_the_lease)
{
    struct stage s = refused_beside_a_stopped_replica("mute");
    stage_finds(&s, "doubtful");
    stage_lead(&s);                                        /* the lease ran out there: taken on db2 */
    stage_finds(&s, "out-of-sight");
    stage_asks(&s, "intend db1 > db2");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "fence db1");
    stage_deed(&s, "fence", "unreachable");
    stage_deed(&s, "catch-up", "ok");
    stage_pass(&s, 1000);
    stage_asks(&s, "");                                    /* the unfenced wait */
    stage_close(&s);
}

Test(steering, a_refused_replica_speaks_for_a_node_that_cannot_be_asked)
{
    struct stage s = stage_open("db1 db2", "db1");
    s.fc2_says = "mute";
    stage_dies(&s, "db1");
    stage_finds(&s, "gone");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(steering, an_intent_of_another_is_not_finished_before_all_have_told_what_they_see)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db2");
    s.fc2_says = "nothing";
    stage_lost(&s, "db1", "refused");
    stage_report(&s, "db2", "io=connecting silently");
    stage_lead(&s);
    stage_asks(&s, "");
    s.fc2_says = "refused";
    stage_pass(&s, 10);
    stage_asks(&s, "intend db1 > db2");
    stage_deed(&s, "intend", "ok");
    stage_asks(&s, "catch-up db2");
    stage_close(&s);
}
