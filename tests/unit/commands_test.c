/* Orders at a door and orders through the store: who carries them out, and what the asker hears. */
#include <criterion/criterion.h>

#include "core_stage.h"

/* ---- through the store ---- */

Test(commands, the_leader_carries_out_what_a_follower_laid_and_stores_the_answer)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_finds_order(&s, "switch fc_backend db2", 1);
    stage_asks(&s, "catch-up db2");
    stage_deeds(&s, "catch-up intend fence catch-up seat open");
    stage_closes_order(&s, "done", "db2 sits (epoch 6)");
    stage_close(&s);
}

Test(commands, an_order_that_is_seen_again_and_again_is_carried_out_once)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_finds_order(&s, "switch fc_backend db2", 1);
    stage_deed(&s, "catch-up", "timeout");
    stage_closes_order(&s, "refused", "stopped at approach");
    stage_forget(&s);
    stage_report(&s, "db1", "");
    stage_report(&s, "db2", "");
    stage_pass(&s, 1000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(commands, an_answer_that_the_store_did_not_take_is_written_again)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_finds_order(&s, "switch fc_backend db7", 1);
    stage_closes_order(&s, "refused", "has no server db7");
    stage_forget(&s);
    stage_report(&s, "db1", "");
    stage_counts(&s, "ORDER_CLOSE", 0);
    stage_pass(&s, 2500);
    stage_report(&s, "db1", "");
    stage_closes_order(&s, "refused", "has no server db7");
    stage_close(&s);
}

Test(commands, a_stored_order_from_long_ago_is_refused_instead_of_carried_out_by_surprise)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_finds_order(&s, "switch fc_backend db2", 61);
    stage_asks(&s, "");
    stage_closes_order(&s, "refused", "give it again");
    stage_close(&s);
}

Test(commands, a_stored_order_from_a_clock_that_goes_ahead_is_refused_and_both_ways_out_are_named)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_finds_order(&s, "switch fc_backend db2", -3600);
    stage_asks(&s, "");
    stage_closes_order(&s, "refused", " s ahead by the clock of fc1, who leads");
    stage_closes_order(&s, "refused", "set the clocks right or give it to fc1 itself");
    stage_close(&s);
}

Test(commands, a_switch_to_a_server_that_an_haproxy_lacks_is_refused_unless_forced)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "db1 usable, no db2");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "the HAProxy px1 does not know db2, its clients would find nobody");
    stage_proxy(&s, "px1", "no db1, no db2");               /* it serves another pool, and is no obstacle */
    stage_forget(&s);
    stage_order(&s, "switch fc_backend db2");
    stage_asks(&s, "catch-up db2");
    stage_close(&s);
}

Test(commands, a_switch_all_the_same_to_a_server_that_an_haproxy_lacks)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "db1 usable, no db2");
    stage_forget(&s);
    stage_order(&s, "switch fc_backend db2 force");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(commands, a_dead_server_is_replaced_by_one_that_an_haproxy_lacks)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "db1 usable, no db2");
    stage_forget(&s);
    stage_dies(&s, "db1");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(commands, a_switch_to_a_server_for_which_a_hold_is_being_stored_has_to_wait)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "maint fc_backend/db2");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "maint for db2 by ");
    stage_says(&s, "is being stored; ask again");
    stage_deed(&s, "hold", "ok");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "db2 is in maint by ");
    stage_shows(&s, "db1 first, db2 resting");
    stage_close(&s);
}

Test(commands, a_switch_while_a_pause_is_being_stored_has_to_wait)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "pause fc_backend");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "a pause by ");
    stage_deed(&s, "hold", "ok");
    stage_shows(&s, "db1 paused, db2 paused");
    stage_order(&s, "resume fc_backend");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "is paused");
    stage_deed(&s, "hold", "refused");
    stage_close(&s);
}

Test(commands, a_stored_order_that_nobody_understands_is_answered)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_finds_order(&s, "swich fc_backend db2", 1);
    stage_closes_order(&s, "refused", "swich");
    stage_close(&s);
}

Test(commands, a_follower_does_not_touch_a_stored_order)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_forget(&s);
    stage_finds_order(&s, "switch fc_backend db2", 1);
    stage_asks(&s, "");
    stage_counts(&s, "ORDER_CLOSE", 0);
    stage_close(&s);
}

Test(commands, the_asker_at_a_follower_hears_the_leaders_answer)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_order(&s, "switch fc_backend db2");
    cr_expect_not(s.is_final);
    stage_deed(&s, "order", "ok");
    stage_finds_answer(&s, "done", "db2 sits (epoch 7) after 300 ms");
    stage_says(&s, "db2 sits (epoch 7)");
    cr_expect(s.is_final);
    stage_close(&s);
}

Test(commands, an_order_that_cannot_be_laid_is_said_to_be_so)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_order(&s, "switch fc_backend db2");
    stage_deed(&s, "order", "unreachable");
    stage_says(&s, "could not be handed to the leader: unreachable");
    cr_expect(s.is_final);
    stage_close(&s);
}

Test(commands, eight_may_wait_for_the_leader_and_the_ninth_is_told_so)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_order(&s, "pause fc_backend");
    stage_order(&s, "pause fc_backend");
    stage_order(&s, "pause fc_backend");
    stage_order(&s, "pause fc_backend");
    stage_order(&s, "pause fc_backend");
    stage_order(&s, "pause fc_backend");
    stage_order(&s, "pause fc_backend");
    stage_order(&s, "pause fc_backend");
    stage_says(&s, "handed to fc2");
    stage_order(&s, "pause fc_backend");
    stage_says(&s, "too many orders wait for the leader");
    stage_close(&s);
}

/* ---- refused at the door ---- */

Test(commands, when_nobody_leads_the_asker_hears_why)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "silent");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "nobody leads at this moment (the scene says so)");
    cr_expect(s.is_final);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(commands, who_may_only_look_changes_nothing)
{
    struct stage s = stage_open("db1 db2", "db1");
    struct event event = { .type = ORDER_GIVEN, .at = s.now };

    event.as.order.ticket = 9;
    event.as.order.text = "pause fc_backend";
    event.as.order.length = 16;
    core_step(s.core, &event, s.effects);
    stage_counts(&s, "HOLD_WRITE", 0);
    cr_expect_eq(s.effects->list[0].type, ORDER_REPLY);
    cr_expect_eq(s.effects->list[0].as.reply.code, FC_NOT_ALLOWED);
    stage_close(&s);
}

Test(commands, names_that_do_not_exist_are_named)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db7");
    stage_says(&s, "pool fc_backend has no server db7");
    stage_order(&s, "maint fc_backend/db7");
    stage_says(&s, "pool fc_backend has no server db7");
    stage_order(&s, "switch shop db2");
    stage_says(&s, "there is no pool shop here; the pool with a chair is fc_backend");
    stage_order(&s, "switch fc_leader fc2");
    stage_says(&s, "`yield` hands it over");
    stage_asks(&s, "");
    stage_close(&s);
}

/* ---- holds ---- */

Test(commands, a_hold_that_one_server_only_shows_is_said_to_be_durable_on_one)
{
    struct stage s = stage_open("db1 db2", "db1");
    struct event ended = { .type = DEED_ENDED, .at = s.now };

    stage_order(&s, "maint fc_backend/db2");
    ended.as.ended.id = s.core->steering.writing_holds[0].deed_id;
    effects_clear(s.effects);
    core_step(s.core, &ended, s.effects);
    cr_expect_str_eq(s.effects->list[2].as.reply.text, "db2: maint (durable on 1 of 2)");
    stage_close(&s);
}

Test(commands, a_hold_that_was_not_stored_does_not_hold)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "maint fc_backend/db2");
    stage_deed(&s, "hold", "timeout");
    stage_says(&s, "not stored");
    stage_hears(&s, "fc_backend/db2", "rest: db1 sits");
    stage_close(&s);
}

Test(commands, to_release_what_is_not_held_is_no_write)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "ready fc_backend/db2");
    stage_says(&s, "fc_backend/db2 has no hold");
    stage_order(&s, "resume fc_backend");
    stage_says(&s, "fc_backend has no hold");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(commands, who_is_being_seated_cannot_be_held)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_order(&s, "maint fc_backend/db2");
    stage_says(&s, "db2 is being seated");
    stage_close(&s);
}

Test(commands, no_switch_in_a_paused_pool)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "pause fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "fc_backend is paused");
    stage_close(&s);
}

Test(commands, a_server_too_far_behind_is_seated_only_by_force)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db2", "behind");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, "db2 is 90 s behind, MaxSeatLagSeconds is 30");
    stage_reload(&s, "MaxSeatLagSeconds=120");
    stage_order(&s, "switch fc_backend db2");
    stage_asks(&s, "catch-up db2");
    stage_close(&s);
}

Test(commands, the_lease_is_not_given_back_while_nobody_sits)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend fence catch-up");
    stage_deed(&s, "seat", "refused");
    stage_order(&s, "yield");
    stage_says(&s, "yield after that");
    stage_asks(&s, "");
    stage_close(&s);
}

/* ---- HAProxy's own words ---- */

Test(commands, down_is_a_hold_and_up_removes_it)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "down fc_backend/db2 because new disk");
    stage_deed(&s, "hold", "ok");
    stage_says(&s, "db2: maint");
    stage_hears(&s, "fc_backend/db2", "rest: maint by ann@test");
    stage_order(&s, "up fc_backend/db2");
    stage_deed(&s, "hold", "ok");
    stage_says(&s, "db2: ready");
    stage_hears(&s, "fc_backend/db2", "rest: db1 sits");
    stage_order(&s, "up fc_backend/db2");
    stage_says(&s, "fc_backend/db2 has no hold");
    stage_close(&s);
}

Test(commands, down_on_the_server_that_sits_is_refused_like_maint)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "down fc_backend/db1");
    stage_says(&s, "db1 sits; `switch fc_backend` to another server first");
    stage_order(&s, "up fc_backend/db9");
    stage_says(&s, "pool fc_backend has no server db9");
    stage_close(&s);
}

Test(commands, a_weight_removes_a_hold_and_shares_nothing)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "weight fc_backend/db2 50");
    stage_says(&s, "one server of fc_backend sits and gets everything, so a weight of 50% changes nothing; `switch` seats another one");
    stage_order(&s, "maint fc_backend/db2");
    stage_deed(&s, "hold", "ok");
    stage_order(&s, "weight fc_backend/db2 0");
    stage_says(&s, "`down` takes a server out");
    stage_order(&s, "weight fc_backend/db2 100%");
    stage_deed(&s, "hold", "ok");
    stage_says(&s, "db2: ready");
    stage_shows(&s, "db1 first, db2 resting");
    stage_close(&s);
}
