/* A second writable server in a paused pool is the operator's own: nobody is fenced, and everybody is told. */
#include <criterion/criterion.h>

#include "base/text.h"
#include "core_stage.h"
#include "steer/explain.h"

static struct stage paused_with_two_writers(void)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_order(&s, "pause fc_backend because network");
    stage_deed(&s, "hold", "ok");
    stage_forget(&s);
    stage_report(&s, "db2", "open");
    return s;
}

static const char *input(const struct stage *s, const char *name)
{
    static struct explanation e;
    const struct steer_stage stage = core_stage(s->core, s->now, 0);
    explain_chair(&s->core->steering, &stage, &e);
    for (int i = 0; i < e.input_count; i++) {
        if (text_is(e.inputs[i].name, name))
            return e.inputs[i].value;
    }
    return "";
}

Test(writers, a_second_writer_in_a_paused_pool_is_told_and_not_fenced)
{
    struct stage s = paused_with_two_writers();
    stage_notes(&s, "db2 is writable beside db1, and the pool is paused by ann@test: nobody is fenced");
    stage_records(&s, "stray", "db2 is writable beside db1 and is left so");
    stage_asks(&s, "");
    cr_expect_str_eq(stage_status(&s)->pools[0].second_writer, "db2");
    cr_expect_str_eq(input(&s, "two writers"), "db2 is writable as well: the pool is paused, so nobody is fenced, and clients may write to both");
    stage_close(&s);
}

Test(writers, it_is_told_each_time_that_it_begins_and_not_at_each_look)
{
    struct stage s = paused_with_two_writers();
    stage_forget(&s);
    stage_report(&s, "db2", "open");
    stage_report(&s, "db1", "open");
    stage_counts(&s, "NOTE", 0);
    stage_report(&s, "db2", "read_only=1");
    stage_notes(&s, "one server at most is writable again");
    cr_expect_str_eq(stage_status(&s)->pools[0].second_writer, "");
    stage_report(&s, "db2", "open");
    stage_notes(&s, "db2 is writable beside db1");
    stage_close(&s);
}

Test(writers, one_that_falls_out_of_sight_may_still_be_writable)
{
    struct stage s = paused_with_two_writers();
    stage_out_of_sight(&s, "db2");
    stage_forget(&s);
    stage_report(&s, "db2", "open");
    stage_records_no(&s, "stray");
    stage_close(&s);
}

Test(writers, a_pause_that_begins_over_two_writers_tells_so_and_its_end_fences)
{
    struct stage s = paused_with_two_writers();
    stage_order(&s, "resume fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_asks(&s, "fence db2");
    stage_close(&s);
}

Test(writers, a_switch_by_hand_with_the_old_one_out_of_sight_is_no_second_writer)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_order(&s, "pause fc_backend");
    stage_deed(&s, "hold", "ok");
    stage_out_of_sight(&s, "db1");
    stage_forget(&s);
    stage_report(&s, "db2", "open");
    stage_records_no(&s, "stray");
    cr_expect_str_eq(stage_status(&s)->pools[0].second_writer, "");
    stage_close(&s);
}
