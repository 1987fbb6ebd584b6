/* Who has heard the revoke of a server that cannot be fenced, and how long the others are waited for. Default keys: terms
 * 1650 ms, token check 2530 ms, leavings 11000 ms, each from the one before it. The old server is db1, silent. */
#include <criterion/criterion.h>
#include <string.h>

#include "core_stage.h"

#define TWO_PROXIES "HAProxyInstances=lb1=10.0.5.1:9999 HAProxyInstances=lb2=10.0.5.2:9999"
#define OLD 3600000
#define CALM 440

/* db1 is silent, its chair is revoked 2 ms ago, and the wait has begun. */
static struct stage waiting_for(const char *keys)
{
    struct stage s = stage_open_with("db1 db2", "db1", keys);
    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "timeout");
    stage_deed(&s, "catch-up", "ok");
    stage_asked(&s, "fc1", "", -1, 0);
    stage_forget(&s);
    return s;
}

/* Its views show no use for as long as two polls take. */
static void stays_calm(struct stage *s, const char *proxies, int64_t uptime_ms)
{
    for (int i = 0; i < 2; i++) {
        if (i > 0)
            stage_pass(s, CALM);
        if (strstr(proxies, "lb1") != NULL)
            stage_proxy_idle(s, "lb1", 0, uptime_ms);
        if (strstr(proxies, "lb2") != NULL)
            stage_proxy_idle(s, "lb2", 0, uptime_ms);
    }
}

static void is_seated_after(struct stage *s, int64_t ms)
{
    stage_forget(s);
    stage_pass(s, ms - 1);
    stage_asks(s, "");
    stage_pass(s, 1);
    stage_asks(s, "seat db2 unfenced");
    stage_close(s);
}

Test(heard, when_all_have_shown_it_after_the_terms_nothing_more_is_waited_for)
{
    struct stage s = waiting_for(TWO_PROXIES);

    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", OLD);
    stage_asks(&s, "");
    stays_calm(&s, "lb2", OLD);
    stage_asks(&s, "seat db2 unfenced");
    stage_notes(&s, "every HAProxy has shown that it has heard");
    stage_close(&s);
}

Test(heard, before_the_terms_are_over_nothing_is_taken_for_heard)
{
    struct stage s = waiting_for(TWO_PROXIES);

    stage_pass(&s, 1100);
    stays_calm(&s, "lb1 lb2", OLD);
    stage_pass(&s, 200);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(heard, who_is_silent_is_waited_for_to_the_end)
{
    struct stage s = waiting_for(TWO_PROXIES);

    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", OLD);
    is_seated_after(&s, 15180 - 1650 - CALM - 2);
}

Test(heard, a_young_process_may_have_left_one_behind)
{
    struct stage s = waiting_for("HAProxyInstances=lb1=10.0.5.1:9999");

    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", 9000);                           /* leavings 11000, and 1100 from its start to the old one's stop */
    is_seated_after(&s, 11000 + 1100 - 9000);
}

Test(heard, one_that_does_not_say_how_old_it_is_may_be_new)
{
    struct stage s = waiting_for("HAProxyInstances=lb1=10.0.5.1:9999");

    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", -1);
    is_seated_after(&s, 11000);
}

Test(heard, a_session_that_is_left_keeps_it_waiting)
{
    struct stage s = waiting_for("HAProxyInstances=lb1=10.0.5.1:9999");

    stage_pass(&s, 1650);
    stage_proxy_idle(&s, "lb1", 1, OLD);
    stage_pass(&s, 500);
    stage_proxy_idle(&s, "lb1", 0, OLD);
    stage_asks(&s, "");
    stays_calm(&s, "lb1", OLD);
    stage_asks(&s, "seat db2 unfenced");
    stage_close(&s);
}

Test(heard, who_uses_it_again_has_not_heard)
{
    struct stage s = waiting_for(TWO_PROXIES);

    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", OLD);
    stage_proxy(&s, "lb1", "db1 usable, db2 not");
    stays_calm(&s, "lb2", OLD);
    stage_pass(&s, 1000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(heard, one_view_between_a_push_and_the_next_poll_shows_nothing)
{
    struct stage s = waiting_for("HAProxyInstances=lb1=10.0.5.1:9999");

    stage_pass(&s, 1650);
    for (int i = 0; i < 10; i++) {                         /* pushed, polled at a node that does not know, pushed, ... */
        stage_proxy_idle(&s, "lb1", 0, OLD);
        stage_pass(&s, 150);
        stage_proxy(&s, "lb1", "db1 usable, db2 not");
        stage_pass(&s, 150);
    }
    stage_asks(&s, "");
    stage_close(&s);
}

Test(heard, a_node_that_still_calls_the_old_server_first_takes_back_what_was_shown)
{
    struct stage s = waiting_for(TWO_PROXIES);

    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", OLD);
    stage_misled(&s, "fc2", "lb1", 100);
    stays_calm(&s, "lb2", OLD);                            /* lb1's own views have not come since */
    stage_asks(&s, "");
    stays_calm(&s, "lb1", OLD);
    stage_asks(&s, "seat db2 unfenced");
    stage_close(&s);
}

Test(heard, two_answers_in_time_end_the_agents_part_and_leave_that_of_reloads)
{
    struct stage s = waiting_for("HAProxyInstances=lb1=10.0.5.1:9999");
    const uint64_t epoch = s.core->steering.heard.epoch;

    stage_pass(&s, 1650 + 200);
    stage_asked(&s, "fc2", "lb1", 150, epoch);
    is_seated_after(&s, 11000);
}

Test(heard, one_answer_or_one_of_an_older_epoch_is_not_enough)
{
    struct stage s = waiting_for("HAProxyInstances=lb1=10.0.5.1:9999");
    const uint64_t epoch = s.core->steering.heard.epoch;

    stage_pass(&s, 1650 + 200);
    stage_asked(&s, "fc2", "lb1", -1, epoch);
    stage_asked(&s, "fc2", "lb1", 150, epoch - 1);
    stage_asked(&s, "fc2", "lb1", 250, epoch);             /* the earlier one before the terms were over */
    is_seated_after(&s, 15180 - 1650 - 200 - 2);
}

Test(heard, an_asker_whom_nobody_named_is_waited_for_as_well)
{
    struct stage s = waiting_for("HAProxyInstances=lb1=10.0.5.1:9999");

    stage_asked(&s, "fc2", "lb9", -1, 0);
    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", OLD);
    is_seated_after(&s, 15180 - 1650 - CALM - 2);
}

Test(heard, without_a_list_of_the_proxies_the_whole_time_is_waited)
{
    struct stage s = waiting_for("BackendPollMilliseconds=60000");

    is_seated_after(&s, 15180 - 2);
}

Test(heard, nodes_that_ask_each_other_are_no_proxies)
{
    struct stage s = waiting_for("HAProxyInstances=lb1=10.0.5.1:9999");

    stage_asked(&s, "fc2", "fc1", -1, 0);
    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", OLD);
    stage_asks(&s, "seat db2 unfenced");
    stage_close(&s);
}

Test(heard, people_are_told_whom_it_waits_for)
{
    struct stage s = waiting_for(TWO_PROXIES);

    stage_pass(&s, 1650);
    stays_calm(&s, "lb1", OLD);
    cr_expect_str_eq(stage_status(&s)->pools[0].move_awaits, "lb2 has not shown that it has heard");
    stage_proxy(&s, "lb2", "db1 usable, db2 not");
    cr_expect_str_eq(stage_status(&s)->pools[0].move_awaits, "lb2 still sends to db1");
    stage_proxy_idle(&s, "lb2", 2, OLD);
    cr_expect_str_eq(stage_status(&s)->pools[0].move_awaits, "lb2 still has 2 sessions on db1");
    stage_close(&s);
}
