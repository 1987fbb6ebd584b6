/* The way back to the preferred server: only when asked for by the configuration, and never in a hurry. */
#include <criterion/criterion.h>

#include "core_stage.h"

Test(failback, a_chair_stays_where_it_is_unless_the_configuration_says_otherwise)
{
    struct stage s = stage_open("db1 db2", "db2");

    stage_pass(&s, 86400000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(failback, the_preferred_server_is_seated_again_after_its_time_and_not_one_ms_earlier)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60");

    stage_pass(&s, 59999);
    stage_asks(&s, "");
    stage_pass(&s, 1);
    stage_asks(&s, "catch-up db1");
    stage_deed(&s, "catch-up", "ok");
    stage_asks(&s, "intend db2 > db1");
    stage_close(&s);
}

Test(failback, its_clock_starts_again_at_each_loss)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60");

    stage_pass(&s, 59000);
    stage_lost(&s, "db1", "refused");
    stage_report(&s, "db1", "read_only=1");
    stage_pass(&s, 59999);
    stage_asks(&s, "");
    stage_pass(&s, 1);
    stage_asks(&s, "catch-up db1");
    stage_close(&s);
}

Test(failback, a_loss_during_a_pause_starts_the_clock_again_as_well)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60");

    stage_order(&s, "pause fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_pass(&s, 59000);
    stage_lost(&s, "db1", "refused");
    stage_report(&s, "db1", "read_only=1");
    stage_order(&s, "resume fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_pass(&s, 59000);
    stage_asks(&s, "");
    stage_pass(&s, 1000);
    stage_asks(&s, "catch-up db1");
    stage_close(&s);
}

Test(failback, a_new_leader_counts_from_what_it_has_seen_itself)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60");

    stage_pass(&s, 30000);
    stage_lose_lease(&s, "denied");
    stage_lost(&s, "db1", "refused");
    stage_pass(&s, 40000);
    stage_report(&s, "db1", "read_only=1");
    stage_lead(&s);
    stage_asks(&s, "");
    stage_pass(&s, 59000);
    stage_asks(&s, "");
    stage_pass(&s, 1000);
    stage_asks(&s, "catch-up db1");
    stage_close(&s);
}

Test(failback, a_chair_is_kept_for_its_dwell_whatever_else_is_configured)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=1 ChairDwellMilliseconds=3000");

    stage_pass(&s, 2998);
    stage_asks(&s, "");
    stage_pass(&s, 1);
    stage_asks(&s, "catch-up db1");
    stage_close(&s);
}

Test(failback, at_most_so_many_an_hour)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60 FailbackMaxPerHour=1");

    stage_pass(&s, 60000);
    stage_asks(&s, "catch-up db1");
    stage_deed(&s, "catch-up", "timeout");
    stage_pass(&s, 3599998);
    stage_asks(&s, "");
    stage_pass(&s, 1);
    stage_asks(&s, "catch-up db1");
    stage_close(&s);
}

Test(failback, so_many_an_hour_whoever_leads)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60 FailbackMaxPerHour=1");

    stage_lose_lease(&s, "denied");
    stage_finds_seated(&s, "db1", "failback to the preferred server");
    stage_pass(&s, 1000);
    stage_finds_seated(&s, "db2", "db1 is gone");
    stage_lead(&s);
    stage_pass(&s, 600000);
    stage_asks(&s, "");
    stage_pass(&s, 3000000);
    stage_asks(&s, "catch-up db1");
    stage_close(&s);
}

Test(failback, sixty_an_hour_are_sixty)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60 FailbackMaxPerHour=60 ChairDwellMilliseconds=0");

    stage_lose_lease(&s, "denied");
    for (int i = 0; i < 59; i++) {
        stage_finds_seated(&s, "db1", "failback to the preferred server");
        stage_finds_seated(&s, "db2", "db1 is gone");
        stage_forget(&s);
    }
    stage_lead(&s);
    stage_pass(&s, 60000);
    stage_asks(&s, "catch-up db1");
    stage_deed(&s, "catch-up", "timeout");
    stage_pass(&s, 600000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(failback, never_to_a_server_that_is_behind_broken_or_held)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60");

    stage_report(&s, "db1", "broken");
    stage_pass(&s, 120000);
    stage_asks(&s, "");
    stage_report(&s, "db1", "behind");
    stage_pass(&s, 120000);
    stage_asks(&s, "");
    stage_report(&s, "db1", "read_only=1");
    stage_order(&s, "maint fc_backend/db1");
    stage_deed(&s, "hold", "ok");
    stage_pass(&s, 120000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(failback, never_against_an_operators_switch)
{
    struct stage s = stage_open_with("db1 db2", "db1", "FailbackAfterSeconds=60");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend fence catch-up seat open");
    stage_shows(&s, "db1 resting, db2 first");
    stage_report(&s, "db1", "read_only=1");
    stage_pass(&s, 86400000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(failback, not_even_when_another_leader_had_to_finish_that_switch)
{
    struct stage s = stage_open_with("db1 db2", "db1", "FailbackAfterSeconds=60");

    stage_order(&s, "switch fc_backend db2 force");
    stage_deed(&s, "intend", "ok");
    stage_lose_lease(&s, "denied");
    stage_pass(&s, 1000);
    stage_lead(&s);
    stage_deeds(&s, "catch-up intend fence catch-up seat open");
    stage_shows(&s, "db1 resting, db2 first");
    stage_report(&s, "db1", "read_only=1");
    stage_pass(&s, 86400000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(failback, by_order_it_needs_no_waiting)
{
    struct stage s = stage_open("db1 db2", "db2");

    stage_order(&s, "failback fc_backend");
    stage_asks(&s, "catch-up db1");
    stage_close(&s);
}

Test(failback, a_reload_switches_it_on)
{
    struct stage s = stage_open("db1 db2", "db2");

    stage_pass(&s, 90000);
    stage_asks(&s, "");
    stage_reload(&s, "FailbackAfterSeconds=60");
    stage_asks(&s, "catch-up db1");
    stage_close(&s);
}
