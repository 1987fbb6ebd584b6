/* What a server that was replaced unfenced wrote alone: when it is looked for, and what people are told. */
#include <criterion/criterion.h>
#include <string.h>

#include "core_stage.h"

/* db1 was silent and replaced unfenced; db2 sits and had fetched its log to bin.000007:400. */
static struct stage replaced_unfenced(void)
{
    struct stage s = stage_open("db1 db2", "db1");
    stage_fetched(&s, "db2", "bin.000007", 400);
    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "timeout");
    stage_deed(&s, "catch-up", "ok");
    stage_pass(&s, 16000);
    stage_deeds(&s, "seat open");
    stage_forget(&s);
    return s;
}

Test(alone, the_row_says_so_far_the_old_ones_log_was_fetched)
{
    struct stage s = replaced_unfenced();

    cr_expect_str_eq(s.row.why, "db1 is out of sight (fetched to bin.000007:400)");
    stage_close(&s);
}

Test(alone, its_log_is_read_when_it_is_back_and_closed)
{
    struct stage s = replaced_unfenced();

    stage_report(&s, "db1", "open");
    stage_asks(&s, "fence db1");
    stage_report(&s, "db1", "read_only=1");
    stage_asks(&s, "fence db1, alone db1 bin.000007:400");
    stage_close(&s);
}

Test(alone, what_clients_wrote_there_is_told_and_shown)
{
    struct stage s = replaced_unfenced();

    stage_report(&s, "db1", "read_only=1");
    stage_found_alone(&s, 3, "1-1-55", "1-1-57");
    stage_notes(&s, "db1 took 3 transactions alone (1-1-55 to 1-1-57): its log from bin.000007:400");
    cr_expect_str_eq(stage_status(&s)->pools[0].alone_server, "db1");
    cr_expect_eq(stage_status(&s)->pools[0].alone_transactions, 3);
    cr_expect_str_eq(stage_status(&s)->pools[0].alone_from, "bin.000007:400");
    stage_forget(&s);
    stage_pass(&s, 60000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(alone, nothing_found_is_told_as_well)
{
    struct stage s = replaced_unfenced();

    stage_report(&s, "db1", "read_only=1");
    stage_found_alone(&s, 0, "", "");
    stage_notes(&s, "db1 took no write of a client alone");
    stage_close(&s);
}

Test(alone, a_log_that_cannot_be_read_is_tried_again_a_few_times_and_then_its_range_is_told)
{
    struct stage s = replaced_unfenced();

    stage_report(&s, "db1", "read_only=1");
    for (int i = 0; i < 5; i++) {
        stage_deed(&s, "alone", "refused");
        stage_pass(&s, 3001);
    }
    stage_notes(&s, "db1 took at least 0 transactions alone: its log from bin.000007:400");
    cr_expect(stage_status(&s)->pools[0].alone_is_more);
    stage_forget(&s);
    stage_pass(&s, 60000);
    stage_asks(&s, "");
    stage_close(&s);
}

Test(alone, a_fenced_server_took_nothing_and_is_not_asked)
{
    struct stage s = stage_open("db1 db2", "db1");

    stage_order(&s, "switch fc_backend db2");
    stage_deeds(&s, "catch-up intend fence catch-up seat open");
    stage_forget(&s);
    stage_report(&s, "db1", "read_only=1");
    stage_asks(&s, "");
    stage_close(&s);
}
