/* Replication that an error of the network has stopped: begun again by the leader, ever more seldom; every other stop is left alone. */
#include <criterion/criterion.h>

#include "core_stage.h"

static struct stage torn(void)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_forget(&s);
    stage_report(&s, "db2", "read_only=1 torn");
    return s;
}

Test(resume, a_replica_that_was_torn_off_is_told_to_fetch_again_and_it_is_kept)
{
    struct stage s = torn();
    stage_asks(&s, "resume db2");
    stage_deed(&s, "resume", "ok");
    stage_notes(&s, "its fetching had stopped by an error of the network and was begun again");
    stage_records(&s, "resume", "was begun again");
    stage_report(&s, "db2", "read_only=1");
    stage_pass(&s, 600000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(resume, the_server_that_sits_fetches_too)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_forget(&s);
    stage_report(&s, "db1", "open torn");
    stage_asks(&s, "resume db1");
    stage_close(&s);
}

static void torn_again_after(struct stage *s, int64_t ms)
{
    stage_deed(s, "resume", "ok");
    stage_report(s, "db2", "read_only=1 torn");
    stage_forget(s);
    stage_pass(s, ms - 3);
    stage_asks(s, "");
    stage_pass(s, 3);
    stage_asks(s, "resume db2");
}

Test(resume, one_that_is_torn_again_waits_ever_longer_up_to_a_minute)
{
    struct stage s = torn();
    torn_again_after(&s, 500);
    torn_again_after(&s, 1000);
    torn_again_after(&s, 2000);
    torn_again_after(&s, 4000);
    torn_again_after(&s, 8000);
    torn_again_after(&s, 16000);
    torn_again_after(&s, 32000);
    torn_again_after(&s, 60000);
    torn_again_after(&s, 60000);
    stage_close(&s);
}

Test(resume, without_the_procedure_people_are_told_once_and_it_is_asked_for_again_after_a_minute)
{
    struct stage s = torn();
    stage_deed(&s, "resume", "not there");
    stage_notes(&s, "there is no procedure firstchair_resume");
    stage_forget(&s);
    stage_report(&s, "db2", "read_only=1 torn");
    stage_pass(&s, 59000);
    stage_asks(&s, "");
    stage_pass(&s, 1000);
    stage_asks(&s, "resume db2");
    stage_deed(&s, "resume", "not there");
    stage_counts(&s, "NOTE", 0);
    stage_close(&s);
}

Test(resume, an_error_of_what_stands_in_the_log_is_left_to_people)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_forget(&s);
    stage_report(&s, "db2", "read_only=1 broken");
    stage_pass(&s, 1000);
    stage_counts(&s, "RESUME", 0);
    stage_close(&s);
}

Test(resume, who_does_not_lead_leaves_it_to_the_leader)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_lose_lease(&s, "denied");
    stage_forget(&s);
    stage_report(&s, "db2", "read_only=1 torn");
    stage_counts(&s, "RESUME", 0);
    stage_close(&s);
}
