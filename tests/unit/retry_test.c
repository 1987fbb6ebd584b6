/* Automatic moves that fail: tried again ever more seldom, at once when the picture changes, and said once. The closed first server
 * of these scenes is opened again by a move of the kind reseat, whose intent cannot be written. */
#include <criterion/criterion.h>

#include "core_stage.h"

static struct stage closed_and_failed_once(void)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_report(&s, "db1", "read_only=1");
    stage_asks(&s, "intend db1 > db1");
    stage_deed(&s, "intend", "disk full");
    return s;
}

/* Not a millisecond earlier; and that one fails too. */
static void fails_again_after(struct stage *s, int64_t ms)
{
    stage_pass(s, ms - 1);
    stage_asks(s, "");
    stage_pass(s, 1);
    stage_asks(s, "intend db1 > db1");
    stage_deed(s, "intend", "disk full");
}

Test(retry, the_pause_doubles_up_to_a_bound)
{
    struct stage s = closed_and_failed_once();
    fails_again_after(&s, 500);
    fails_again_after(&s, 1000);
    fails_again_after(&s, 2000);
    fails_again_after(&s, 4000);
    fails_again_after(&s, 8000);
    fails_again_after(&s, 8000);
    cr_expect_eq(stage_status(&s)->pools[0].failed_tries, 7);
    stage_close(&s);
}

Test(retry, what_changes_the_picture_is_tried_at_once)
{
    struct stage s = closed_and_failed_once();
    fails_again_after(&s, 500);
    fails_again_after(&s, 1000);
    fails_again_after(&s, 2000);
    stage_pass(&s, 600);
    stage_asks(&s, "");
    stage_report(&s, "db2", "broken");
    stage_asks(&s, "intend db1 > db1");
    stage_deed(&s, "intend", "disk full");
    fails_again_after(&s, 500);
    stage_close(&s);
}

Test(retry, a_look_that_shows_the_same_is_no_news)
{
    struct stage s = closed_and_failed_once();
    fails_again_after(&s, 500);
    stage_pass(&s, 600);
    stage_report(&s, "db2", "");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(retry, a_failure_is_recorded_once_and_again_when_its_reason_changes)
{
    struct stage s = closed_and_failed_once();
    stage_records(&s, "move-failed", "db1 > db1 stopped at intend: disk full");
    stage_pass(&s, 500);
    stage_deed(&s, "intend", "disk full");
    stage_records_no(&s, "move-failed");
    stage_pass(&s, 1000);
    stage_deed(&s, "intend", "another row stands, seq 12");
    stage_records(&s, "move-failed", "another row stands");
    stage_pass(&s, 2000);
    stage_deed(&s, "intend", "another row stands, seq 77");
    stage_records_no(&s, "move-failed");
    stage_pass(&s, 4000);
    stage_deeds(&s, "intend seat");
    stage_deed(&s, "open", "ok");
    stage_records(&s, "move", ", after 4 tries that failed)");
    cr_expect_eq(stage_status(&s)->pools[0].failed_tries, 0);
    stage_close(&s);
}

Test(retry, an_operators_order_never_waits_and_its_failure_is_always_said)
{
    struct stage s = closed_and_failed_once();
    fails_again_after(&s, 500);
    fails_again_after(&s, 1000);
    stage_order(&s, "switch fc_backend db2");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "timeout");
    stage_says(&s, "stopped at approach");
    stage_records(&s, "move-failed", "db1 > db2 stopped at approach");
    stage_order(&s, "switch fc_backend db2");
    stage_asks(&s, "catch-up db2");
    stage_deed(&s, "catch-up", "timeout");
    stage_records(&s, "move-failed", "db1 > db2 stopped at approach");
    stage_close(&s);
}
