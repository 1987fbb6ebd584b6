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
    const struct seat_facts facts = seat_facts_count(s, &row, place, (struct fc_time){ 20000000 });
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
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "doubtful", "it hears nothing, for whatever reason");
    s.list[1].look.replica.is_refused = true;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "gone");
}

/* Lost here at 10 s, refused; the other nodes have told at these moments. */
static struct servers refused_beside(enum thread_state io, int other_nodes)
{
    struct servers s = two();
    s.list[0].is_reachable = false;
    s.list[0].loss = LOSS_REFUSED;
    s.list[0].lost_at = (struct fc_time){ 10000000 };
    s.list[1].look.replica.io = io;
    s.other_count = other_nodes;
    for (int i = 0; i < other_nodes; i++)
        TEXT_FORMAT(s.others[i], "fc%d", i + 2);
    return s;
}

static enum gone told(struct servers *s, const char *node, enum sight_state state, enum loss loss, int64_t at_ms)
{
    cr_expect(servers_told(s, 0, node, (struct sight){ state, loss, { at_ms * 1000 } }));
    return servers_gone(s, 0);
}

Test(seat, refused_here_is_gone_when_every_other_node_says_so_too)
{
    struct servers s = refused_beside(THREAD_STOPPED, 2);
    cr_expect_eq(servers_gone(&s, 0), GONE_ASKED);
    cr_expect_eq(told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10001), GONE_ASKED);
    cr_expect_eq(told(&s, "fc3", SIGHT_TOLD, LOSS_REFUSED, 10002), GONE_AGREED);
    cr_expect_eq(told(&s, "fc3", SIGHT_TOLD, LOSS_NONE, 10003), GONE_NOT, "it is back, or was never away");
}

Test(seat, one_node_that_sees_it_outweighs_all_others)
{
    struct servers s = refused_beside(THREAD_CONNECTING, 2);
    s.list[1].look.replica.is_refused = true;
    cr_expect_eq(told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10001), GONE_ASKED);
    cr_expect_eq(told(&s, "fc3", SIGHT_TOLD, LOSS_NONE, 10001), GONE_NOT);
    cr_expect_eq(told(&s, "fc3", SIGHT_TOLD, LOSS_DENIED, 10002), GONE_NOT, "who is denied has met it alive");
}

Test(seat, a_look_of_before_the_loss_says_nothing_and_an_ended_session_not_yet)
{
    struct servers s = refused_beside(THREAD_STOPPED, 1);
    cr_expect_eq(told(&s, "fc2", SIGHT_TOLD, LOSS_NONE, 9800), GONE_ASKED);
    cr_expect_eq(told(&s, "fc2", SIGHT_TOLD, LOSS_ENDED, 10001), GONE_ASKED);
    cr_expect_eq(told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10002), GONE_AGREED);
    cr_expect_eq(told(&s, "fc2", SIGHT_TOLD, LOSS_NONE, 9900), GONE_AGREED, "an older answer changes nothing");
}

Test(seat, a_node_that_cannot_be_asked_or_cannot_look_leaves_it_to_the_replica)
{
    struct servers s = refused_beside(THREAD_STOPPED, 2);
    told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10001);
    cr_expect_eq(told(&s, "fc3", SIGHT_MUTE, LOSS_NONE, 10002), GONE_NOT);
    cr_expect_eq(told(&s, "fc3", SIGHT_TOLD, LOSS_SILENT, 10003), GONE_NOT);
    s.list[1].look.replica.io = THREAD_CONNECTING;
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT, "it has lost its master, and does not say that it was refused");
    s.list[1].look.replica.is_refused = true;
    cr_expect_eq(servers_gone(&s, 0), GONE_AGREED);
    s.list[1].is_reachable = false;
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT, "what an unseen replica said last is no witness");
}

Test(seat, a_witness_is_neither_asked_nor_missed)
{
    struct servers s = refused_beside(THREAD_STOPPED, 2);
    cr_expect_eq(told(&s, "fc3", SIGHT_NONE, LOSS_NONE, 10001), GONE_ASKED, "fc2 can look, and has not told");
    cr_expect_eq(told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10002), GONE_AGREED);
    cr_expect_eq(told(&s, "fc3", SIGHT_MUTE, LOSS_NONE, 10003), GONE_AGREED, "it has died: nobody who could look is missing");
    cr_expect_not(servers_await_sights(&s, 0));
    cr_expect_eq(servers_seen_by(&s, 0, fc_ms(60000), (struct fc_time){ 10003000 }), -1);
    cr_expect_eq(told(&s, "fc3", SIGHT_TOLD, LOSS_NONE, 10004), GONE_NOT, "a node of that name that looks is asked like any other");
}

Test(seat, with_a_witness_alone_beside_it_a_node_needs_the_replica)
{
    struct servers s = refused_beside(THREAD_CONNECTING, 1);
    cr_expect_eq(told(&s, "fc2", SIGHT_NONE, LOSS_NONE, 10001), GONE_NOT, "nobody but this node says so");
    s.list[1].look.replica.is_refused = true;
    cr_expect_eq(servers_gone(&s, 0), GONE_AGREED);
}

/* db2 was seen to replicate from db1 until it was lost here, and a look of afterwards says that it fetches no more. */
static struct servers refused_and_its_replica_lost_it_too(int other_nodes)
{
    struct servers s = refused_beside(THREAD_CONNECTING, other_nodes);
    s.consent = CONSENT_MAJORITY;
    s.gap = fc_ms(1600);
    s.list[1].has_followed = true;
    s.list[1].followed_at = (struct fc_time){ 9900000 };
    s.list[1].seen_at = (struct fc_time){ 10001000 };
    return s;
}

Test(seat, a_majority_that_is_refused_does_not_wait_for_the_replica_to_be_refused_where_a_node_is_missing)
{
    struct servers s = refused_and_its_replica_lost_it_too(2);
    cr_expect_eq(told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10001), GONE_ASKED, "fc3 may see it");
    cr_expect_eq(told(&s, "fc3", SIGHT_MUTE, LOSS_NONE, 10002), GONE_AGREED);
    s.consent = CONSENT_ANY;
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT, "that it is gone is a matter of the majority, or of all");
    s.consent = CONSENT_NONE;
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT);
}

Test(seat, a_majority_that_is_refused_is_not_believed_against_one_that_sees_it_or_a_replica_that_hears_it)
{
    struct servers s = refused_and_its_replica_lost_it_too(4);
    told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10001);
    told(&s, "fc3", SIGHT_TOLD, LOSS_REFUSED, 10001);
    told(&s, "fc4", SIGHT_MUTE, LOSS_NONE, 10001);
    cr_expect_eq(told(&s, "fc5", SIGHT_TOLD, LOSS_NONE, 10001), GONE_NOT);
    cr_expect_eq(told(&s, "fc5", SIGHT_MUTE, LOSS_NONE, 10002), GONE_AGREED);
    s.list[1].look.replica.io = THREAD_RUNNING;
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT);
}

/* They may be cut off together: the replica is the one that is not where they are. */
Test(seat, a_majority_that_is_refused_needs_a_replica_that_followed_until_then)
{
    struct servers s = refused_and_its_replica_lost_it_too(2);
    told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10001);
    told(&s, "fc3", SIGHT_MUTE, LOSS_NONE, 10001);
    cr_expect_eq(servers_gone(&s, 0), GONE_AGREED);
    s.list[1].followed_at = (struct fc_time){ 8300000 };
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT, "its fetching had ended before");
    s.list[1].followed_at = (struct fc_time){ 9900000 };
    s.list[1].look.replica.io = THREAD_STOPPED;
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT, "somebody has stopped it");
    s.list[1].look.replica.io = THREAD_CONNECTING;
    s.list[1].seen_at = (struct fc_time){ 9950000 };
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT, "a look of before the loss says nothing of it");
    s.list[1].seen_at = (struct fc_time){ 10001000 };
    s.list[1].is_reachable = false;
    cr_expect_eq(servers_gone(&s, 0), GONE_NOT);
}

Test(seat, fewer_than_a_majority_that_are_refused_leave_it_to_the_replica_as_ever)
{
    struct servers s = refused_and_its_replica_lost_it_too(4);
    told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10001);
    told(&s, "fc3", SIGHT_TOLD, LOSS_SILENT, 10001);
    told(&s, "fc4", SIGHT_MUTE, LOSS_NONE, 10001);
    cr_expect_eq(told(&s, "fc5", SIGHT_MUTE, LOSS_NONE, 10001), GONE_NOT, "2 of 5");
    s.list[1].look.replica.is_refused = true;
    cr_expect_eq(servers_gone(&s, 0), GONE_AGREED);
}

Test(seat, a_node_that_is_not_configured_has_no_say_and_a_return_forgets_what_was_told)
{
    struct servers s = refused_beside(THREAD_STOPPED, 1);
    cr_expect_not(servers_told(&s, 0, "fc9", (struct sight){ SIGHT_TOLD, LOSS_NONE, { 10001000 } }));
    told(&s, "fc2", SIGHT_TOLD, LOSS_REFUSED, 10001);
    servers_saw(&s, 0, &s.list[0].look, (struct fc_time){ 11000000 });
    servers_lost(&s, 0, LOSS_REFUSED, "refused", (struct fc_time){ 12000000 }, (struct fc_time){ 12000000 });
    cr_expect_eq(servers_gone(&s, 0), GONE_ASKED);
}

Test(seat, another_node_is_told_what_failed_last_or_what_was_seen_last)
{
    struct servers s = two();
    enum loss loss;
    struct fc_time at;
    s.list[0].seen_at = (struct fc_time){ 5000 };
    cr_expect(server_own_sight(&s.list[0], &loss, &at) && loss == LOSS_NONE && at.us == 5000);
    servers_lost(&s, 0, LOSS_SILENT, "", (struct fc_time){ 6000 }, (struct fc_time){ 7000 });
    cr_expect(server_own_sight(&s.list[0], &loss, &at) && loss == LOSS_SILENT && at.us == 6000, "one silent look counts here");
    s.list[0].has_answered = false;
    cr_expect_not(server_own_sight(&s.list[0], &loss, &at));
}

/* A change of the chair is looked for every few milliseconds: many looks wait where a server hangs for half a second. */
Test(seat, looks_that_wait_at_one_time_are_lost_by_one_silence)
{
    struct servers s = two();
    for (int ms = 0; ms < 500; ms += 10)
        servers_lost(&s, 0, LOSS_SILENT, "", (struct fc_time){ 1000 * ms }, (struct fc_time){ 1000 * (ms + 500) });
    cr_expect(s.list[0].is_reachable && s.list[0].misses == 1);
    servers_lost(&s, 0, LOSS_SILENT, "", (struct fc_time){ 500000 }, (struct fc_time){ 1000000 });
    cr_expect(!s.list[0].is_reachable && s.list[0].misses == 2, "this one was sent after the first was given up");
    servers_saw(&s, 0, &s.list[0].look, (struct fc_time){ 1100000 });
    servers_lost(&s, 0, LOSS_SILENT, "", (struct fc_time){ 1050000 }, (struct fc_time){ 1550000 });
    cr_expect(s.list[0].is_reachable && s.list[0].misses == 0, "it was sent before one that was answered");
}

Test(seat, silent_is_out_of_sight_only_when_the_lease_lies_elsewhere)
{
    struct servers s = two();
    s.list[0].is_reachable = false;
    s.list[0].loss = LOSS_SILENT;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "doubtful");
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "out-of-sight");
}

Test(seat, what_a_majority_sees_is_contested_however_long_the_leader_has_lost_it)
{
    struct servers s = refused_beside(THREAD_RUNNING, 2);
    s.list[0].loss = LOSS_SILENT;
    s.consent = CONSENT_MAJORITY;
    told(&s, "fc2", SIGHT_TOLD, LOSS_NONE, 10001);
    told(&s, "fc3", SIGHT_TOLD, LOSS_NONE, 10001);
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "contested");
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "doubtful");
    cr_expect_str_eq(found(&s, "id1", PHASE_MOVING, 1), "half-moved", "nobody sits: it is finished");
    told(&s, "fc3", SIGHT_MUTE, LOSS_NONE, 10002);
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "contested", "fc2 sees it, and fc3 cannot say otherwise");
    told(&s, "fc3", SIGHT_TOLD, LOSS_SILENT, 10003);
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "out-of-sight");
    s.consent = CONSENT_NONE;
    told(&s, "fc3", SIGHT_TOLD, LOSS_NONE, 10004);
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "out-of-sight", "its own look decides");
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
    const struct seat_facts facts = seat_facts_count(&s, &row, 0, (struct fc_time){ 20000000 });
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

Test(seat, a_refusal_that_nobody_can_confirm_is_doubtful_until_the_lease_lies_elsewhere)
{
    struct servers s = two();
    s.list[0].is_reachable = s.list[1].is_reachable = false;
    s.list[0].loss = LOSS_REFUSED;
    s.list[1].loss = LOSS_SILENT;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 0), "doubtful");
    s.list[1].is_reachable = true;
    s.list[1].look.replica.io = THREAD_STOPPED;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "out-of-sight");
    s.other_count = 1;
    cr_expect_str_eq(found(&s, "id1", PHASE_SEATED, 1), "doubtful", "the other node is being asked");
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
