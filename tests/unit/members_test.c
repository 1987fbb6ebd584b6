/* Scenes of the group's members while it runs: four nodes of which three are founders. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "quorum_stage.h"

static struct stage s;
static int asked;                        /* the node that was ordered */

static void open_three_of_four(void)
{
    stage_open_for(&s, 4, 3);
    for (int i = 0; i < 3; i++)
        stage_start(&s, i);
}

static void close_all(void)
{
    stage_close(&s);
    cr_assert_eq(s.two_leaders, 0, "two nodes could act at one moment, %d times", s.two_leaders);
}

static bool somebody_leads(struct stage *stage) { return stage_leader(stage) >= 0; }

static int wanted_holds;
static bool all_have_the_holds(struct stage *stage)
{
    for (int i = 0; i < stage->count; i++) {
        if (stage->nodes[i].quorum != NULL && stage->nodes[i].view.role != QUORUM_OUT && stage->nodes[i].state.hold_count != wanted_holds)
            return false;
    }
    return true;
}

static void hold_another(void)
{
    char server[16];
    snprintf(server, sizeof server, "db%d", ++wanted_holds);
    stage_until(&s, somebody_leads);
    stage_hold(&s, stage_leader(&s), server, "work");
    stage_until(&s, all_have_the_holds);
}

static bool fourth_votes_everywhere(struct stage *stage)
{
    for (int i = 0; i < stage->count; i++) {
        if (stage->nodes[i].quorum != NULL && stage_role_of(&stage->nodes[i], 3) != ROSTER_VOTER)
            return false;
    }
    return true;
}

static void changes(enum member_change change, int whom)
{
    cr_assert_eq(stage_change(&s, change, whom, &asked), FC_OK, "%s", s.nodes[asked].last.text);
}

static void is_refused(enum member_change change, int whom, const char *because)
{
    cr_assert_neq(stage_change(&s, change, whom, &asked), FC_OK);
    cr_assert_not_null(strstr(s.nodes[asked].last.text, because), "%s", s.nodes[asked].last.text);
}

/* A founder that does not lead at this moment. */
static int follower(void)
{
    stage_until(&s, somebody_leads);
    return (stage_leader(&s) + 1) % 3;
}

TestSuite(members, .init = open_three_of_four, .fini = close_all, .timeout = 120);

Test(members, a_newcomer_learns_first_and_votes_when_it_is_promoted)
{
    hold_another();
    stage_start(&s, 3);
    is_refused(MEMBER_PROMOTE, 3, "fc4 is no member of the group");
    changes(MEMBER_ADD, 3);
    stage_until(&s, all_have_the_holds);
    cr_assert_eq(stage_role_of(&s.nodes[asked], 3), ROSTER_LEARNER);
    is_refused(MEMBER_ADD, 3, "fc4 is a member already (learner)");
    changes(MEMBER_PROMOTE, 3);
    stage_until(&s, fourth_votes_everywhere);
    hold_another();
}

Test(members, what_was_added_is_found_again_after_all_have_been_restarted)
{
    stage_start(&s, 3);
    changes(MEMBER_ADD, 3);
    changes(MEMBER_PROMOTE, 3);
    hold_another();
    for (int i = 0; i < 4; i++)
        stage_stop(&s, i);
    for (int i = 0; i < 4; i++)
        stage_start(&s, i);
    stage_until(&s, fourth_votes_everywhere);
    stage_stop(&s, follower());
    hold_another();
}

static int lost;
static bool it_says_that_it_is_lost(struct stage *stage) { return strstr(stage->nodes[lost].view.why, "its data directory is empty") != NULL; }
static bool it_waits_to_be_added(struct stage *stage) { return strstr(stage->nodes[lost].view.why, "in a group that this node is no member of") != NULL; }
static bool it_is_a_voter_to_itself(struct stage *stage) { return stage_role_of(&stage->nodes[lost], lost) == ROSTER_VOTER; }

Test(members, a_wiped_node_comes_back_under_its_name_and_is_another_voter)
{
    hold_another();
    lost = follower();
    stage_stop(&s, lost);
    stage_wipe(&s, lost);
    stage_start(&s, lost);
    stage_until(&s, it_says_that_it_is_lost);
    is_refused(MEMBER_ADD, lost, "is a member already (voter)");
    changes(MEMBER_REMOVE, lost);
    stage_until(&s, it_waits_to_be_added);
    hold_another();
    changes(MEMBER_ADD, lost);
    changes(MEMBER_PROMOTE, lost);
    stage_until(&s, it_is_a_voter_to_itself);
    /* Its vote counts: with one of the other two gone there is still a majority. */
    stage_stop(&s, 3 - lost - stage_leader(&s));
    hold_another();
    /* And it is known again after its restart, by the mark of its new directory. */
    stage_stop(&s, lost);
    stage_start(&s, lost);
    hold_another();
}

static void move_directory(const char *from, const char *to)
{
    char old[128], fresh[128];
    snprintf(old, sizeof old, "%s/%s", s.dir, from);
    snprintf(fresh, sizeof fresh, "%s/%s", s.dir, to);
    cr_assert_eq(rename(old, fresh), 0, "%s", old);
}

Test(members, a_directory_that_was_replaced_does_not_come_back)
{
    char its[16];
    lost = follower();
    hold_another();
    stage_stop(&s, lost);
    snprintf(its, sizeof its, "%d", lost);
    move_directory(its, "old");
    changes(MEMBER_REMOVE, lost);
    stage_start(&s, lost);
    changes(MEMBER_ADD, lost);
    changes(MEMBER_PROMOTE, lost);
    hold_another();
    stage_stop(&s, lost);
    move_directory(its, "new");
    move_directory("old", its);
    stage_start(&s, lost);
    stage_run_ms(&s, 3 * STAGE_ELECTION_MS);
    cr_assert_neq(s.nodes[lost].view.role, QUORUM_LEADER);
    cr_assert_eq(s.nodes[lost].view.elections_won, 0);
    cr_assert_leq(s.nodes[lost].state.hold_count, 1, "it is told nothing of what was decided since");
}

static bool it_was_told(struct stage *stage) { return strstr(stage->nodes[lost].view.why, "it was removed from the group") != NULL; }

Test(members, a_removed_node_is_told_so)
{
    lost = follower();
    hold_another();
    changes(MEMBER_REMOVE, lost);
    stage_until(&s, it_was_told);
    cr_assert_eq(s.nodes[lost].view.role, QUORUM_OUT);
    stage_until(&s, somebody_leads);
}

Test(members, what_would_leave_no_majority_is_refused)
{
    stage_until(&s, somebody_leads);
    const int leader = stage_leader(&s);
    is_refused(MEMBER_REMOVE, leader, "leads: `yield` first");
    is_refused(MEMBER_REMOVE, 3, "fc4 is no member of the group");
    lost = follower();
    stage_stop(&s, lost);
    stage_run_ms(&s, 3 * STAGE_ELECTION_MS);
    is_refused(MEMBER_REMOVE, 3 - lost - stage_leader(&s), "2 would vote and 1 of them answer");
    changes(MEMBER_REMOVE, lost);
    is_refused(MEMBER_REMOVE, 3 - lost - stage_leader(&s), "one voter would be left");
}

static bool all_but_the_third_have_the_holds(struct stage *stage)
{
    for (int i = 0; i < stage->count; i++) {
        if (i != 2 && stage->nodes[i].quorum != NULL && stage->nodes[i].state.hold_count != wanted_holds)
            return false;
    }
    return true;
}

static bool fourth_leads(struct stage *stage) { return stage_leader(stage) == 3; }

/* The one that was away knows neither the leader nor where it is: the others tell it. */
Test(members, who_was_away_finds_a_leader_that_came_meanwhile)
{
    hold_another();
    stage_stop(&s, 2);
    stage_start(&s, 3);
    changes(MEMBER_ADD, 3);
    changes(MEMBER_PROMOTE, 3);
    for (int i = 0; i < 5 && stage_leader(&s) != 3; i++) {
        stage_until(&s, somebody_leads);
        const int leader = stage_leader(&s);
        if (leader == 3)
            break;
        const int place = roster_by_name(&s.nodes[leader].view.roster, "fc4");
        s.nodes[leader].ended = 0;
        quorum_yield(s.nodes[leader].quorum, 7, place, 60000);
        stage_run_ms(&s, 2 * STAGE_ELECTION_MS);
    }
    stage_until(&s, fourth_leads);
    wanted_holds++;
    stage_hold(&s, 3, "while it was away", "work");
    stage_until(&s, all_but_the_third_have_the_holds);
    stage_start(&s, 2);
    stage_until(&s, all_have_the_holds);
}
