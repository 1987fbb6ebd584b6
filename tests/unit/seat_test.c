/* The findings about the first chair, each from the facts that make it. */
#include <criterion/criterion.h>

#include "base/text.h"
#include "judge/seat.h"

static struct servers two(void)
{
    struct servers s = { .count = 2, .has_chair = true };
    for (int i = 0; i < 2; i++) {
        struct server_state *one = &s.list[i];
        TEXT_FORMAT(one->name, "db%d", i + 1);
        TEXT_FORMAT(one->look.identity, "id%d", i + 1);
        one->has_answered = one->has_been_seen = one->is_reachable = true;
        one->look.is_read_only = i == 1;
        one->look.replica = (struct replica_look){ .is_configured = true, .io = THREAD_RUNNING, .sql = THREAD_RUNNING };
    }
    return s;
}

static const char *found(const struct servers *s, const char *seated, enum phase phase, int place)
{
    struct decision row = { .phase = phase };
    TEXT_SET(row.rank.server, seated);
    const struct seat_facts facts = seat_facts_count(s, &row, place);
    return seat_judge(&facts)->word;
}

Test(seat, an_open_first_and_a_closed_second_are_well)
{
    struct servers s = two();
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "well");
}

Test(seat, nothing_is_judged_before_every_server_has_answered)
{
    struct servers s = two();
    s.list[1].has_answered = false;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "not-looked");
}

Test(seat, an_intent_is_half_moved_whatever_else_is_true)
{
    struct servers s = two();
    s.list[0].is_reachable = false;
    cr_expect_str_eq(found(&s, "id1", PHASE_MOVING, 0), "half-moved");
}

Test(seat, no_name_in_the_row_is_an_empty_chair)
{
    struct servers s = two();
    cr_expect_str_eq(found(&s, "", PHASE_SEATED, 0), "empty");
}

Test(seat, refused_and_unheard_is_gone_refused_and_heard_is_doubtful)
{
    struct servers s = two();
    s.list[0].is_reachable = false;
    s.list[0].loss = LOSS_REFUSED;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "doubtful");
    s.list[1].look.replica.io = THREAD_CONNECTING;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "gone");
}

Test(seat, silent_is_out_of_sight_only_when_the_lease_lies_elsewhere)
{
    struct servers s = two();
    s.list[0].is_reachable = false;
    s.list[0].loss = LOSS_SILENT;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "doubtful");
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "out-of-sight");
}

Test(seat, closed_alone_closed_beside_an_open_one_and_two_open_ones)
{
    struct servers s = two();
    s.list[0].look.is_read_only = true;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "closed");
    s.list[1].look.is_read_only = false;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "elsewhere");
    s.list[0].look.is_read_only = false;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "stray");
}

Test(seat, a_named_server_never_seen_is_the_one_that_nobody_else_can_be)
{
    struct servers s = two();
    s.list[0].has_been_seen = s.list[0].is_reachable = false;
    s.list[0].loss = LOSS_SILENT;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "out-of-sight");
    cr_expect_eq(servers_named(&s, "id1"), 0);
    cr_expect_eq(servers_named(&s, "id2"), 1);
}

Test(seat, several_open_ones_beside_a_closed_seat_are_nobodys_choice)
{
    struct servers s = two();
    struct decision row = { .phase = PHASE_SEATED };
    s.count = 3;
    s.list[2] = s.list[1];
    TEXT_SET(s.list[2].look.identity, "id3");
    s.list[0].look.is_read_only = true;
    s.list[1].look.is_read_only = s.list[2].look.is_read_only = false;
    TEXT_SET(row.rank.server, "id1");
    const struct seat_facts facts = seat_facts_count(&s, &row, 0);
    cr_expect_eq(facts.other_open, YES);
    cr_expect_eq(facts.other_open_at, -1);
}

Test(seat, a_second_that_is_lost_is_no_finding_about_the_first)
{
    struct servers s = two();
    s.list[1].is_reachable = false;
    s.list[1].look.is_read_only = false;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "well");
}

Test(seat, a_gone_server_that_nobody_can_ask_about_is_gone)
{
    struct servers s = two();
    s.list[0].is_reachable = s.list[1].is_reachable = false;
    s.list[0].loss = LOSS_REFUSED;
    s.list[1].loss = LOSS_SILENT;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "gone");
}

Test(seat, a_denied_login_is_a_living_server)
{
    struct servers s = two();
    s.list[0].is_reachable = false;
    s.list[0].loss = LOSS_DENIED;
    s.list[1].look.replica.io = THREAD_CONNECTING;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "doubtful");
}

Test(seat, a_stranger_in_the_chair_is_not_taken_for_one_of_ours)
{
    struct servers s = two();
    cr_expect_eq(servers_named(&s, "id9"), -1);
    cr_expect_str_eq(found(&s, "id9", PHASE_SEATED, 0), "out-of-sight");
}
