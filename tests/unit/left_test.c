/* Scenes: this node alone does not see the server that sits, and another one does. */
#include "core_stage.h"

#include <criterion/criterion.h>

/* The leader has lost db1; what fc2 tells of it is known. */
static struct stage lost_db1_and_fc2(const char *says)
{
    struct stage s = stage_open("db1 db2", "db1");
    s.fc2_says = says;
    stage_forget(&s);
    stage_out_of_sight(&s, "db1");
    return s;
}

/* In so small steps that fc2 is asked again and again, as it is when the timer rings. */
static void pass_asking(struct stage *s, int64_t ms)
{
    for (; ms > 100; ms -= 100)
        stage_pass(s, 100);
    stage_pass(s, ms);
}

Test(left, who_alone_has_lost_the_seated_server_leaves_the_lease_to_a_node_that_sees_it)
{
    struct stage s = lost_db1_and_fc2("sees it");
    stage_counts(&s, "STAND", 1);
    stage_notes(&s, "db1 is lost here, and fc2 sees it: leadership is left to a node that does, for 4400 ms at most");
    stage_asks(&s, "");
    stage_close(&s);
}

Test(left, a_server_that_nobody_sees_is_left_to_nobody)
{
    struct stage s = lost_db1_and_fc2("silent");
    stage_counts(&s, "STAND", 0);
    stage_lead(&s);
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(left, what_a_node_saw_before_the_loss_is_no_sight)
{
    struct stage s = lost_db1_and_fc2("saw it");
    stage_counts(&s, "STAND", 0);
    stage_close(&s);
}

Test(left, it_stands_again_when_the_other_one_has_lost_it_too)
{
    struct stage s = lost_db1_and_fc2("sees it");
    stage_counts(&s, "STAND", 1);
    s.fc2_says = "silent";
    stage_pass(&s, 500);
    stage_counts(&s, "STAND", 2);
    stage_close(&s);
}

Test(left, it_stands_again_when_it_sees_the_server_itself)
{
    struct stage s = lost_db1_and_fc2("sees it");
    stage_report(&s, "db1", "open");
    stage_counts(&s, "STAND", 2);
    stage_asks(&s, "");
    stage_close(&s);
}

/* Whoever sees the server and does not lead has a reason: two watches of a lease, and not longer. */
Test(left, it_stands_again_after_two_watches_although_the_other_one_sees_it)
{
    struct stage s = lost_db1_and_fc2("sees it");
    pass_asking(&s, 4390);
    stage_counts(&s, "STAND", 1);
    stage_pass(&s, 20);
    stage_counts(&s, "STAND", 2);
    stage_lead(&s);
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(left, a_lease_that_lies_on_the_other_server_is_given_back_once_before_the_chair_is_moved)
{
    struct stage s = lost_db1_and_fc2("sees it");
    stage_lead(&s);
    stage_finds(&s, "out-of-sight");
    stage_asks(&s, "give-back");
    stage_pass(&s, 100);
    stage_report(&s, "db2", "read_only=1");
    stage_counts(&s, "GIVE_BACK", 1);
    stage_counts(&s, "INTEND", 0);
    stage_deed(&s, "give-back", "refused");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(left, nothing_is_begun_before_the_others_were_asked_for_a_moment)
{
    struct stage s = lost_db1_and_fc2("nothing");
    stage_lead(&s);
    stage_asks(&s, "");
    s.fc2_says = "sees it";
    stage_pass(&s, 100);
    stage_asks(&s, "give-back");
    stage_close(&s);
}

Test(left, who_is_told_nothing_within_that_moment_moves)
{
    struct stage s = lost_db1_and_fc2("nothing");
    stage_lead(&s);
    stage_pass(&s, 390);
    stage_asks(&s, "");
    stage_pass(&s, 20);
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

/* With a share of the nodes wanted it leads again, and moves nothing: it says why, once. */
Test(left, what_a_majority_sees_is_not_moved_after_the_two_watches_either)
{
    struct stage s = stage_open_with("db1 db2", "db1", "FailureDetectionQuorum=majority");
    s.fc2_says = "sees it";
    stage_forget(&s);
    stage_out_of_sight(&s, "db1");
    pass_asking(&s, 4410);
    stage_lead(&s);
    stage_finds(&s, "contested");
    pass_asking(&s, 3000);
    stage_counts(&s, "INTEND", 0);
    stage_notes(&s, "db1 is lost here and not replaced: 1 of 2 nodes has lost it, 1 sees it; FailureDetectionQuorum majority wants 2");
    stage_records(&s, "contested", "db1 is lost here and not replaced (fc1 silent ");
    stage_forget(&s);
    s.fc2_says = "silent";
    stage_pass(&s, 500);
    stage_finds(&s, "out-of-sight");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(left, where_the_others_cannot_be_asked_what_nobody_sees_is_moved_as_without_them)
{
    struct stage s = stage_open_with("db1 db2", "db1", "FailureDetectionQuorum=majority");
    s.fc2_says = "mute";
    stage_forget(&s);
    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_finds(&s, "out-of-sight");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(left, a_half_moved_chair_is_left_to_who_sees_its_old_server)
{
    struct stage s = stage_open("db1 db2", "db1");
    s.fc2_says = "sees it";
    stage_lose_lease(&s, "denied");
    stage_finds_moving(&s, "db1", "db2");
    stage_out_of_sight(&s, "db1");
    stage_lead(&s);
    stage_finds(&s, "half-moved");
    stage_asks(&s, "give-back");
    stage_close(&s);
}

Test(left, a_node_that_stops_stands_no_more_whoever_sees_what)
{
    struct stage s = lost_db1_and_fc2("sees it");
    stage_stop(&s);
    s.fc2_says = "silent";
    stage_pass(&s, 500);
    stage_counts(&s, "STAND", 1);
    stage_close(&s);
}
