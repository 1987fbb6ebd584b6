/* The whole core: its start and its end, what a reload changes, what it asks for by the clock, and that it is a function. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core_stage.h"

/* ---- a reload ---- */

Test(core, a_reload_changes_bounds_in_time_and_nothing_that_others_count_on)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_reload(&s, "BackendPollMilliseconds=1000 FenceTimeoutMilliseconds=700 LeaseMilliseconds=9000 BackendServers=db3=10.0.1.3:3306");
    cr_expect_eq(s.core->config->poll_ms, 1000);
    cr_expect_eq(s.core->config->fence_timeout_ms, 700);
    cr_expect_eq(s.core->config->lease_ms, 2000, "the lease of a running node stays");
    cr_expect_eq(s.core->servers.count, 2);
    stage_shows(&s, "db1 first, db2 resting");
    stage_close(&s);
}

/* ---- a graceful stop ---- */

Test(core, who_leads_gives_the_lease_back_before_it_stops)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_stop(&s);
    stage_asks(&s, "give-back");
    stage_counts(&s, "STAND", 1);
    stage_counts(&s, "STOP", 0);
    stage_deed(&s, "give-back", "ok");
    stage_counts(&s, "STOP", 1);
    stage_close(&s);
}

Test(core, a_store_that_does_not_answer_delays_the_stop_by_a_second_and_a_half)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_stop(&s);
    stage_pass(&s, 1499);
    stage_counts(&s, "STOP", 0);
    stage_pass(&s, 1);
    stage_counts(&s, "STOP", 1);
    stage_close(&s);
}

Test(core, a_follower_stops_at_once)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_stop(&s);
    stage_asks(&s, "");
    stage_counts(&s, "STOP", 1);
    stage_close(&s);
}

Test(core, asked_twice_it_stops_once)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_stop(&s);
    stage_stop(&s);
    stage_counts(&s, "GIVE_BACK", 1);
    stage_deed(&s, "give-back", "ok");
    stage_pass(&s, 5000);
    stage_counts(&s, "STOP", 1);
    stage_close(&s);
}

Test(core, a_move_under_way_comes_to_its_end_before_the_lease_is_given_back)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2 force");
    stage_deeds(&s, "intend fence catch-up");
    stage_stop(&s);
    stage_asks(&s, "seat db2");
    stage_deed(&s, "seat", "ok");
    stage_asks(&s, "open db2");
    stage_deed(&s, "open", "ok");
    stage_says(&s, "db2 sits");
    stage_asks(&s, "give-back");
    stage_deed(&s, "give-back", "ok");
    stage_counts(&s, "STOP", 1);
    stage_close(&s);
}

Test(core, a_move_that_takes_too_long_is_left_to_the_next_leader)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2 force");
    stage_deed(&s, "intend", "ok");
    stage_stop(&s);
    stage_pass(&s, 1500);
    stage_counts(&s, "GIVE_BACK", 0);
    stage_counts(&s, "STOP", 1);
    stage_close(&s);
}

/* ---- the clock ---- */

Test(core, a_server_is_looked_at_again_a_poll_after_its_last_look_and_never_twice_at_a_time)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_pass(&s, 199);
    stage_counts(&s, "LOOK", 0);
    stage_pass(&s, 1);
    stage_counts(&s, "LOOK", 2);
    stage_pass(&s, 1000);
    stage_counts(&s, "LOOK", 2);
    stage_report(&s, "db1", "");
    stage_pass(&s, 200);
    stage_counts(&s, "LOOK", 3);
    stage_close(&s);
}

Test(core, an_ended_session_is_asked_about_at_once_here_and_at_the_others)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lost(&s, "db1", "ended");
    stage_counts(&s, "LOOK", 2);
    stage_close(&s);
}

Test(core, the_rows_for_other_tools_are_refreshed_every_second)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_pass(&s, 500);
    stage_counts(&s, "REGISTER", 1);
    stage_pass(&s, 999);
    stage_counts(&s, "REGISTER", 1);
    stage_pass(&s, 1);
    stage_counts(&s, "REGISTER", 2);
    stage_close(&s);
}

Test(core, missing_tables_are_made_on_the_first_server_and_later_on_the_second)
{
    struct stage s = stage_open("db1 db2", "");

    s.looks[0].has_schema = s.looks[1].has_schema = false;
    stage_report(&s, "db1", "");
    stage_report(&s, "db2", "");
    stage_counts(&s, "PREPARE", 1);
    stage_pass(&s, 1500);
    stage_counts(&s, "PREPARE", 2);
    stage_close(&s);
}

Test(core, every_step_says_when_it_wants_to_be_woken_and_says_it_last)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db1", "");
    stage_counts(&s, "WAKE_AT", 1);
    const struct effect *last = &s.effects->list[s.effects->count - 1];
    cr_expect_eq(last->type, WAKE_AT);
    cr_expect(fc_before(s.now, last->as.wake_at), "not in the past: that would spin");
    stage_close(&s);
}

Test(core, an_unfenced_wait_wakes_it_at_its_end)
{
    struct stage s = stage_open_with("db1 db2", "db1", "BackendPollMilliseconds=60000");

    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "timeout");
    stage_deed(&s, "catch-up", "ok");
    s.core->servers.other_count = 0;                       /* nobody is asked what he sees */
    stage_pass(&s, 14990);
    stage_pass(&s, 100);
    const struct effect *last = &s.effects->list[s.effects->count - 1];
    cr_expect_eq(fc_since(s.now, last->as.wake_at).us, fc_ms(88).us);
    stage_close(&s);
}

/* ---- what people are told ---- */

Test(core, the_last_sixty_four_events_are_kept_oldest_first)
{
    struct stage s = stage_open("db1 db2", "db1");
    const uint64_t before = s.core->event_seq;

    for (int i = 0; i < 40; i++) {                         /* no story: each round is one loss and one return */
        stage_lost(&s, "db2", "refused");
        stage_report(&s, "db2", "read_only=1");
    }
    const struct status *status = stage_status(&s);
    cr_expect_eq(status->event_count, 64);
    cr_expect_eq(status->events[63].seq, before + 80);
    cr_expect_eq(status->events[0].seq, before + 17);
    cr_expect_str_eq(status->events[62].text, "lost: refused");
    cr_expect_str_eq(status->events[63].text, "answers again, read_only");
    stage_close(&s);
}

Test(core, a_loss_is_told_once_and_not_at_every_look)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lost(&s, "db2", "refused");
    stage_notes(&s, "lost: refused");
    stage_counts(&s, "NOTE", 1);
    stage_lost(&s, "db2", "refused");
    stage_lost(&s, "db2", "refused");
    stage_counts(&s, "NOTE", 1);
    stage_close(&s);
}

/* ---- drift ---- */

Test(core, a_proxy_that_contradicts_the_board_for_two_seconds_is_pushed_and_not_twice_at_once)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "db1 usable");
    stage_forget(&s);
    stage_proxy(&s, "px1", "db2 usable");
    stage_pass(&s, 2000);
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_pass(&s, 1);
    stage_counts(&s, "PROXY_PUSH", 1);
    stage_notes(&s, "it uses fc_backend/db2 (UP), the board says rest: pushing what the board says");
    stage_pass(&s, 1999);
    stage_counts(&s, "PROXY_PUSH", 1);
    stage_pass(&s, 1);
    stage_counts(&s, "PROXY_PUSH", 2);
    stage_close(&s);
}

Test(core, a_proxy_that_agrees_again_is_left_alone)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "db1 usable");
    stage_forget(&s);
    stage_proxy(&s, "px1", "nobody");
    stage_pass(&s, 1900);
    stage_proxy(&s, "px1", "db1 usable");
    stage_pass(&s, 1000);
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_close(&s);
}

Test(core, a_follower_repairs_no_proxy_and_nobody_does_where_pushes_are_off)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "db1 usable");
    stage_lose_lease(&s, "denied");
    stage_forget(&s);
    stage_proxy(&s, "px1", "db2 usable");
    stage_pass(&s, 5000);
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_lead(&s);
    stage_reload(&s, "HAProxyPush=false");
    stage_forget(&s);
    stage_pass(&s, 5000);
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_close(&s);
}

Test(core, what_a_paused_pools_proxies_do_is_no_contradiction)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "db1 usable");
    stage_order(&s, "pause fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_forget(&s);
    stage_proxy(&s, "px1", "db2 usable");
    stage_pass(&s, 5000);
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_close(&s);
}

Test(core, what_contradicts_is_said_once_alarms_when_pushes_do_not_help_and_its_end_is_said)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999 HAProxyInstances=px2=10.0.5.2:9999");

    stage_proxy(&s, "px1", "nobody");
    stage_proxy(&s, "px2", "db1 usable");
    stage_forget(&s);
    stage_proxy(&s, "px2", "db2 usable");
    stage_pass(&s, 2001);
    stage_notes(&s, "it uses fc_backend/db2 (UP), the board says rest");
    stage_pass(&s, 6000);
    stage_counts(&s, "NOTE", 1);
    stage_pass(&s, 1);
    stage_counts(&s, "NOTE", 2);
    stage_notes(&s, "pushing does not help: it still contradicts the board about fc_backend/db2");
    stage_pass(&s, 60000);
    stage_counts(&s, "NOTE", 2);
    stage_proxy(&s, "px2", "nobody");
    stage_counts(&s, "NOTE", 3);
    stage_notes(&s, "it does what the board says again, after 66 s");
    stage_close(&s);
}

Test(core, where_pushes_are_off_a_contradiction_is_an_alarm_and_nothing_else)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999 HAProxyPush=false");

    stage_proxy(&s, "px1", "db1 usable");
    stage_forget(&s);
    stage_proxy(&s, "px1", "db2 usable");
    stage_pass(&s, 2001);
    stage_counts(&s, "NOTE", 1);
    stage_notes(&s, "it uses fc_backend/db2 (UP), the board says rest: HAProxyPush is off");
    stage_pass(&s, 60000);
    stage_counts(&s, "NOTE", 1);
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_proxy(&s, "px1", "nobody");
    stage_counts(&s, "NOTE", 2);
    stage_notes(&s, "does what the board says again");
    stage_close(&s);
}

Test(core, a_proxy_out_of_sight_is_said_once_and_contradicts_nothing)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "nobody");
    stage_forget(&s);
    stage_proxy_lost(&s, "px1");
    stage_proxy_lost(&s, "px1");
    stage_pass(&s, 5000);
    stage_counts(&s, "NOTE", 1);
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_notes(&s, "its runtime socket does not answer: connection refused");
    stage_proxy(&s, "px1", "db1 usable");
    stage_counts(&s, "NOTE", 2);
    stage_notes(&s, "its runtime socket answers again");
    stage_close(&s);
}

Test(core, a_proxy_that_does_not_know_a_server_is_told_what_to_do_once)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=px1=10.0.5.1:9999");

    stage_proxy(&s, "px1", "db1 usable");
    stage_forget(&s);
    stage_proxy(&s, "px1", "db1 usable, no db2");
    stage_proxy(&s, "px1", "db1 usable, no db2");
    stage_counts(&s, "NOTE", 1);
    stage_notes(&s, "it does not know fc_backend/db2: print its file again");
    stage_proxy(&s, "px1", "db1 usable");
    stage_notes(&s, "it knows every server of fc_backend now");
    stage_proxy(&s, "px1", "no db1, no db2");
    stage_notes(&s, "it has no backend fc_backend");
    stage_counts(&s, "PROXY_PUSH", 0);
    stage_close(&s);
}

/* ---- a function with memory ---- */

static void tell_the_same_story(struct stage *s)
{
    stage_order(s, "switch fc_backend db2");
    stage_out_of_sight(s, "db1");
    stage_lead(s);
    stage_order(s, "pause fc_backend");
    stage_finds_order(s, "yield", 3);
    stage_pass(s, 700);
}

Test(core, the_same_events_give_the_same_effects_byte_for_byte)
{
    struct stage one = stage_open("db1 db2", "db1"), two = stage_open("db1 db2", "db1");

    tell_the_same_story(&one);
    tell_the_same_story(&two);
    cr_assert_gt(one.effects->count, 10);
    cr_assert_eq(one.effects->count, two.effects->count);
    cr_expect_eq(memcmp(one.effects->list, two.effects->list, (size_t)one.effects->count * sizeof one.effects->list[0]), 0);
    stage_close(&one);
    stage_close(&two);
}

Test(core, memory_is_reserved_at_the_start_and_by_no_step)
{
    struct room room = room_of_libc();
    struct stage s = stage_open("db1 db2", "db1");
    struct event event = { .type = STARTED, .at = s.now };

    core_free(s.core);
    s.core = core_new(&room);
    event.as.started.config = &s.config;
    event.as.started.node = "fc1~aaaa";
    core_step(s.core, &event, s.effects);
    const uint64_t at_start = room.reserved_count;
    tell_the_same_story(&s);
    cr_expect_eq(room.reserved_count, at_start);
    stage_close(&s);
}

/* Gives memory as often as its lender's number says. */
static void *reserve_so_often(void *lender, size_t size)
{
    int *left = lender;
    return (*left)-- > 0 ? calloc(1, size) : NULL;
}

static void release(void *lender, void *memory)
{
    (void)lender;
    free(memory);
}

Test(core, without_memory_there_is_no_core_and_nothing_is_kept)
{
    int never = 0, once = 1;
    struct room none = { .reserve = reserve_so_often, .release = release, .lender = &never };
    struct room half = { .reserve = reserve_so_often, .release = release, .lender = &once };

    cr_expect_eq(core_new(&none), NULL);
    cr_expect_eq(core_new(&half), NULL);
    core_free(NULL);
}

Test(core, nothing_happens_before_the_start)
{
    struct room room = room_of_libc();
    struct core *core = core_new(&room);
    static struct effects effects;
    struct event event = { .type = WOKEN };

    core_step(core, &event, &effects);
    cr_expect_eq(effects.count, 0);
    core_free(core);
}

/* ---- the list of effects ---- */

Test(core, the_fullest_house_fits_into_one_step)
{
    struct stage s = stage_open_with("db1 db2 db3 db4", "db1",
        "HAProxyInstances=p1=h:1 HAProxyInstances=p2=h:2 HAProxyInstances=p3=h:3 HAProxyInstances=p4=h:4 "
        "HAProxyInstances=p5=h:5 HAProxyInstances=p6=h:6 HAProxyInstances=p7=h:7 HAProxyInstances=p8=h:8 "
        "HAProxyInstances=p9=h:9 HAProxyInstances=pa=h:10 HAProxyInstances=pb=h:11 HAProxyInstances=pc=h:12 "
        "HAProxyInstances=pd=h:13 HAProxyInstances=pe=h:14 HAProxyInstances=pf=h:15 HAProxyInstances=pg=h:16");

    stage_order(&s, "switch fc_backend db2");              /* each step of the stage checks that nothing was dropped */
    stage_lose_lease(&s, "denied");
    stage_pass(&s, 60000);
    cr_expect_lt(s.effects->count, EFFECTS_MAX);
    cr_expect_eq(s.core->notes_dropped, 0);
    stage_close(&s);
}

Test(core, more_than_fits_is_counted_and_the_last_place_is_used_again)
{
    static struct effects effects;
    for (int i = 0; i < EFFECTS_MAX; i++)
        effects_add(&effects, NOTE);
    cr_expect_eq(effects.dropped, 0);
    cr_expect_neq(effects_add(&effects, WAKE_AT), NULL);
    cr_expect_eq(effects.dropped, 1);
    cr_expect_eq(effects.count, EFFECTS_MAX);
    cr_expect_eq(effects.list[EFFECTS_MAX - 1].type, WAKE_AT);
}

/* ---- a second process with our name ---- */

static void stage_renews_as(struct stage *s, const char *node, int times)
{
    TEXT_SET(s->row.rank.node, node);
    for (int i = 0; i < times; i++) {
        s->row.rank.seq++;
        stage_report(s, "db1", "open");
    }
}

Test(core, another_living_process_with_our_name_is_said_once)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_renews_as(&s, "fc1~dead", 12);
    stage_notes(&s, "another living process calls itself fc1");
    const uint64_t seq = s.core->event_seq;
    stage_renews_as(&s, "fc1~dead", 12);
    cr_expect_eq(s.core->event_seq, seq);
    stage_close(&s);
}

Test(core, the_row_of_the_process_before_a_restart_is_no_namesake)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    TEXT_SET(s.row.rank.node, "fc1~dead");
    for (int i = 0; i < 20; i++)
        stage_report(&s, "db1", "open");
    cr_expect_eq(s.core->namesake_turns, 1);
    stage_close(&s);
}

/* ---- a server that hangs ---- */

Test(core, a_server_that_hangs_is_asked_seldom_after_a_while)
{
    struct stage s = stage_open("db1 db2", "db1");

    for (int i = 0; i < 9; i++)
        stage_lost(&s, "db2", "silent");
    cr_expect_eq(s.core->schedule[1].look_at.us, s.now.us + 2000000, "no more sessions than the fence can do without");
    stage_report(&s, "db2", "read_only=1");
    cr_expect_eq(s.core->schedule[1].look_at.us, s.now.us + 200000, "it answers: as before");
    stage_close(&s);
}

Test(core, a_server_that_nothing_reaches_is_asked_on_for_it_keeps_no_session)
{
    struct stage s = stage_open("db1 db2", "db1");

    for (int i = 0; i < 100; i++)
        stage_lost(&s, "db2", "out of reach");
    cr_expect_eq(s.core->schedule[1].look_at.us, s.now.us + 50000);
    stage_lost(&s, "db2", "silent");
    cr_expect_eq(s.core->schedule[1].look_at.us, s.now.us + 2000000, "it took a connection and hangs");
    stage_close(&s);
}
