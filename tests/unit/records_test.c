/* What is left for those who ask later: one line of history for whatever changed who leads, who sits and what holds. */
#include <criterion/criterion.h>

#include "core_stage.h"

static void switch_to_db2(struct stage *s)
{
    stage_order(s, "switch fc_backend db2");
    stage_deeds(s, "catch-up intend fence catch-up seat open");
}

Test(records, a_switch_leaves_the_move_and_the_order_with_who_gave_it)
{
    struct stage s = stage_open("db1 db2", "db1");

    switch_to_db2(&s);
    stage_records(&s, "move", "db1 > db2: switch by ann@test");
    stage_records(&s, "order", "ann@test: switch fc_backend db2: db2 sits (epoch 6)");
    stage_close(&s);
}

Test(records, a_refused_order_leaves_its_refusal)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db2", "broken");
    stage_order(&s, "switch fc_backend db2");
    stage_records(&s, "order", "ann@test: switch fc_backend db2: refused: db2 does not apply");
    stage_records_no(&s, "move");
    stage_close(&s);
}

Test(records, what_nobody_may_order_or_understand_leaves_nothing)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "swich fc_backend db2");
    stage_order(&s, "status");
    stage_records_no(&s, "order");
    stage_close(&s);
}

Test(records, a_follower_leaves_the_record_of_an_order_to_the_leader)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_order(&s, "switch fc_backend db2");
    stage_finds_answer(&s, "refused", "db2 is in maint by bob");
    stage_says(&s, "db2 is in maint by bob");
    stage_records_no(&s, "order");
    stage_close(&s);
}

Test(records, a_hold_leaves_itself_and_its_order)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "maint fc_backend/db2 because disks");
    stage_records_no(&s, "order");
    stage_deed(&s, "hold", "ok");
    stage_records(&s, "hold", "db2: maint by ann@test");
    stage_records(&s, "order", "maint fc_backend/db2 because disks: db2: maint");
    stage_close(&s);
}

Test(records, a_failed_move_says_where_it_stopped)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deed(&s, "catch-up", "timeout");
    stage_records(&s, "move-failed", "db1 > db2 stopped at approach: timeout");
    stage_records(&s, "order", "refused: stopped at approach");
    stage_close(&s);
}

Test(records, a_new_leader_says_after_whom_and_what_it_found)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_forget(&s);
    stage_lead(&s);
    stage_records(&s, "leader", "fc1 leads after fc2; found db1 seated (epoch 5): first in the configuration");
    stage_close(&s);
}

Test(records, a_new_leader_says_what_a_dead_one_left_half_done)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db2");
    stage_forget(&s);
    stage_lead(&s);
    stage_records(&s, "leader", "fc1 leads after fc2; found the chair half moved from db1 to db2");
    stage_close(&s);
}

Test(records, a_leader_that_had_lost_the_store_leads_again)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_lose_lease(&s, "silent");
    stage_forget(&s);
    stage_lead(&s);
    stage_records(&s, "leader", "fc1 leads again; found db1 seated");
    stage_close(&s);
}

Test(records, a_renewal_or_a_move_is_no_hand_over)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_pass(&s, 400);
    switch_to_db2(&s);
    stage_records_no(&s, "leader");
    stage_close(&s);
}

Test(records, a_stray_that_will_not_close_is_recorded_once)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_report(&s, "db2", "open");
    stage_records(&s, "stray", "db2 was writable beside db1 and is fenced; its log ends at bin.000001:400");
    stage_forget(&s);
    stage_pass(&s, 1100);
    stage_report(&s, "db2", "open");
    stage_asks(&s, "fence db2");
    stage_records_no(&s, "stray");
    stage_close(&s);
}
