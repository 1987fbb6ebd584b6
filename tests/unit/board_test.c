/* Scenes of the answer board: what is said within the term and past it, who is remembered, and what a typo hears. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "agent/doors/board.h"
#include "base/text.h"
#include "haproxy/sight.h"

static struct fc_time at_ms(int64_t ms)
{
    return (struct fc_time){ ms * 1000 };
}

static struct answer first_until(int64_t ms, uint64_t epoch)
{
    struct answer answer = { .kind = POOL_WRITER, .voice = VOICE_FIRST, .epoch = epoch, .until = at_ms(ms),
                             .late = VOICE_REST };
    TEXT_SET(answer.reason, "primary");
    return answer;
}

static void show(struct board *board, const char *pool, const char *server, int64_t until_ms, uint64_t epoch)
{
    const struct answer answer = first_until(until_ms, epoch);
    cr_assert(board_show(board, pool, server, &answer));
}

static const char *ask_as(struct board *board, const char *asker, const char *pool, const char *server, int64_t now_ms)
{
    static char said[256];
    struct agent_request request = { .is_voice = false };
    TEXT_SET(request.asker, asker);
    TEXT_SET(request.pool, pool);
    TEXT_SET(request.server, server);
    const struct board_line line = board_line(board, &request, "10.0.0.1", at_ms(now_ms));
    text_copy_bytes(said, sizeof said, line.bytes, line.length);
    return said;
}

static const char *ask(struct board *board, const char *pool, const char *server, int64_t now_ms)
{
    return ask_as(board, "lb1", pool, server, now_ms);
}

static const char *ask_voice(struct board *board, int64_t now_ms)
{
    static char said[256];
    const struct agent_request request = { .is_voice = true };
    const struct board_line line = board_line(board, &request, "10.0.0.1", at_ms(now_ms));
    text_copy_bytes(said, sizeof said, line.bytes, line.length);
    return said;
}

Test(board, the_token_is_given_within_the_term_and_withheld_from_its_last_moment_on)
{
    struct board *board = board_new(4, 4);
    show(board, "rw", "m1", 1000, 9);

    cr_expect_str_eq(ask(board, "rw", "m1", 999), "up ready 100% # fc-ok e=9 primary\n");
    cr_expect_str_eq(ask(board, "rw", "m1", 1000), "down maint # e=9 term over\n");
    cr_expect_eq(board_counters(board).late, 1);
    cr_expect_eq(board_counters(board).answered, 2);
    board_free(board);
}

Test(board, a_renewed_term_moves_the_end_and_nothing_else)
{
    struct board *board = board_new(4, 4);
    show(board, "rw", "m1", 1000, 9);

    cr_expect(board_extend(board, "rw", "m1", at_ms(2000)));
    cr_expect_str_eq(ask(board, "rw", "m1", 1500), "up ready 100% # fc-ok e=9 primary\n");
    cr_expect_str_eq(ask(board, "rw", "m1", 2000), "down maint # e=9 term over\n");
    cr_expect_not(board_extend(board, "rw", "m2", at_ms(2000)));
    board_free(board);
}

Test(board, an_answer_that_needs_no_term_is_never_late)
{
    struct board *board = board_new(4, 4);
    struct answer answer = { .kind = POOL_READER, .voice = VOICE_READ, .weight_percent = 80, .until = FC_NEVER };
    TEXT_SET(answer.reason, "lag 3s");
    cr_assert(board_show(board, "ro", "m1", &answer));

    const struct agent_request request = { .pool = "ro", .server = "m1" };
    const struct board_line line = board_line(board, &request, "unix", FC_NEVER);
    cr_expect(strncmp(line.bytes, "up ready 80% # lag 3s\n", line.length) == 0);
    cr_expect_eq(board_counters(board).late, 0);
    board_free(board);
}

Test(board, what_is_shown_again_replaces_what_was_said)
{
    struct board *board = board_new(1, 4);
    show(board, "rw", "m1", 1000, 9);
    show(board, "rw", "m1", 1000, 10);

    cr_expect_str_eq(ask(board, "rw", "m1", 0), "up ready 100% # fc-ok e=10 primary\n");
    board_free(board);
}

Test(board, a_full_board_refuses_a_new_target_until_one_is_forgotten)
{
    struct board *board = board_new(1, 4);
    const struct answer answer = first_until(1000, 1);
    show(board, "rw", "m1", 1000, 9);

    cr_expect_not(board_show(board, "rw", "m2", &answer));
    board_forget(board, "rw", "m1");
    cr_expect(board_show(board, "rw", "m2", &answer));
    cr_expect_eq(board_says(board, "rw", "m1", at_ms(0)).length, 0);
    cr_expect_neq(board_says(board, "rw", "m2", at_ms(0)).length, 0);
    board_free(board);
}

Test(board, a_name_that_is_too_long_is_refused_and_takes_no_room)
{
    struct board *board = board_new(1, 1);
    const struct answer answer = first_until(1000, 1);
    char name[80];
    memset(name, 'x', 79);
    name[79] = '\0';

    cr_expect_not(board_show(board, name, "m1", &answer));
    cr_expect(board_show(board, "rw", "m1", &answer));
    board_free(board);
}

Test(board, an_unknown_target_is_named_and_counted)
{
    struct board *board = board_new(4, 4);

    cr_expect_str_eq(ask(board, "rw", "m7", 0), "fc-no-such-target # rw/m7\n");
    cr_expect_eq(board_counters(board).unknown_target, 1);
    struct board_asker asker;
    cr_expect_eq(board_askers(board, &asker, 1), 0, "a typo must not push out those who ask rightly");
    board_free(board);
}

Test(board, an_unknown_target_never_gets_a_long_line_nor_a_token_by_echo)
{
    struct board *board = board_new(4, 4);
    const char *long_name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    cr_expect_leq(strlen(ask(board, long_name, long_name, 0)), 100);
    cr_expect_str_eq(ask(board, "my-fc-ok-pool", "m1", 0), "fc-no-such-target # (not repeated)\n");
    cr_expect_str_eq(ask(board, "rw", "fc-voice", 0), "fc-no-such-target # (not repeated)\n");
    cr_expect_str_eq(ask(board, "r;w", "m\n1", 0), "fc-no-such-target # r.w/m.1\n");
    board_free(board);
}

Test(board, the_voice_is_given_only_inside_the_term)
{
    struct board *board = board_new(4, 4);

    cr_expect_str_eq(ask_voice(board, 0), "fc-mute # no valid term\n", "nothing is said before the first term");
    board_voice(board, at_ms(1000));
    cr_expect_str_eq(ask_voice(board, 999), "fc-voice # within its term\n");
    cr_expect_str_eq(ask_voice(board, 1000), "fc-mute # no valid term\n");
    cr_expect_eq(board_counters(board).voice_given, 1);
    cr_expect_eq(board_counters(board).voice_withheld, 2);
    board_free(board);
}

Test(board, askers_are_remembered_with_the_epoch_that_they_were_given)
{
    struct board *board = board_new(4, 4);
    struct board_asker askers[4];
    show(board, "rw", "m1", 1000, 9);
    ask_as(board, "lb1", "rw", "m1", 10);
    ask_as(board, "lb2", "rw", "m1", 20);
    show(board, "rw", "m1", 1000, 10);
    ask_as(board, "lb1", "rw", "m1", 30);

    cr_assert_eq(board_askers(board, askers, 4), 2);
    cr_expect_str_eq(askers[0].name, "lb1");
    cr_expect_str_eq(askers[0].source, "10.0.0.1");
    cr_expect_str_eq(askers[0].pool, "rw");
    cr_expect_str_eq(askers[0].server, "m1");
    cr_expect_eq(askers[0].epoch, 10);
    cr_expect_eq(askers[0].asked_count, 2);
    cr_expect_eq(askers[0].at.us, 30000);
    cr_expect_str_eq(askers[1].name, "lb2");
    cr_expect_eq(askers[1].epoch, 9, "lb2 has not heard of epoch 10");
    board_free(board);
}

Test(board, the_asker_who_was_quiet_for_longest_is_forgotten_first)
{
    struct board *board = board_new(4, 2);
    struct board_asker askers[3];
    show(board, "rw", "m1", 1000, 9);
    ask_as(board, "lb1", "rw", "m1", 10);
    ask_as(board, "lb2", "rw", "m1", 20);
    ask_as(board, "lb1", "rw", "m1", 30);
    ask_as(board, "lb3", "rw", "m1", 40);

    cr_assert_eq(board_askers(board, askers, 3), 2);
    cr_expect_str_eq(askers[0].name, "lb3");
    cr_expect_str_eq(askers[1].name, "lb1");
    cr_expect_eq(askers[1].asked_count, 2);
    board_free(board);
}

Test(board, a_forgotten_target_takes_its_askers_with_it)
{
    struct board *board = board_new(2, 4);
    struct board_asker askers[4];
    show(board, "rw", "m1", 1000, 9);
    show(board, "rw", "m2", 1000, 9);
    ask(board, "rw", "m1", 10);
    ask(board, "rw", "m2", 20);
    board_forget(board, "rw", "m1");
    show(board, "rw", "m3", 1000, 9);

    cr_assert_eq(board_askers(board, askers, 4), 1, "m3 has taken m1's slot and nobody has asked for it");
    cr_expect_str_eq(askers[0].server, "m2");
    board_free(board);
}

Test(board, targets_and_askers_come_and_go_without_losing_each_other)
{
    enum { MANY = 300 };
    struct board *board = board_new(MANY, 64);
    struct board_asker askers[64];
    char server[16], wanted[64];
    for (int i = 0; i < MANY; i++) {
        TEXT_FORMAT(server, "s%d", i);
        show(board, "p", server, 1000, (uint64_t)i + 1);
    }
    for (int i = 0; i < MANY; i += 3) {
        TEXT_FORMAT(server, "s%d", i);
        board_forget(board, "p", server);
    }
    for (int i = 0; i < MANY; i++) {
        TEXT_FORMAT(server, "s%d", i);
        TEXT_FORMAT(wanted, "up ready 100%% # fc-ok e=%d primary\n", i + 1);
        if (i % 3 == 0)
            TEXT_FORMAT(wanted, "fc-no-such-target # p/s%d\n", i);
        cr_expect_str_eq(ask(board, "p", server, i), wanted);
    }
    cr_assert_eq(board_askers(board, askers, 64), 64);
    cr_expect_str_eq(askers[0].server, "s299");
    cr_expect_str_eq(askers[63].server, "s205");
    board_free(board);
}

Test(board, a_bad_request_gets_one_clear_line_and_is_counted)
{
    struct board *board = board_new(1, 1);
    const struct board_line line = board_line_of_bad_request(board);

    cr_expect(strncmp(line.bytes, "fc-bad-request # ", 17) == 0);
    cr_expect_eq(line.bytes[line.length - 1], '\n');
    cr_expect_leq(line.length, 100);
    cr_expect_eq(board_counters(board).bad_request, 1);
    board_free(board);
}

/* ---- what was heard ---- */

static struct asked_row asked_at(struct board *board, int64_t now_ms)
{
    struct asked_row rows[ASKED_ROWS_MAX];
    cr_assert_eq(board_asked(board, "rw", "m1", at_ms(now_ms), rows), 1);
    return rows[0];
}

static void ask_after(struct board *board, int64_t waited_ms, int64_t now_ms)
{
    struct agent_request request = { .asker = "lb1", .pool = "rw", .server = "m1", .waited_ms = waited_ms };
    board_line(board, &request, "10.0.0.1", at_ms(now_ms));
}

Test(board, the_two_latest_answers_in_time_of_one_epoch_are_remembered)
{
    struct board *board = board_new(2, 4);
    board_prompt_limit(board, 50);
    show(board, "rw", "m1", 10000, 9);

    ask_after(board, 0, 100);
    cr_expect_eq(asked_at(board, 150).prompt_age_ms[0], 50);
    cr_expect_eq(asked_at(board, 150).prompt_age_ms[1], -1);
    ask_after(board, 50, 300);
    cr_expect_eq(asked_at(board, 400).prompt_age_ms[0], 100);
    cr_expect_eq(asked_at(board, 400).prompt_age_ms[1], 300);
    cr_expect_eq(asked_at(board, 400).epoch, 9);
    show(board, "rw", "m1", 10000, 10);
    ask_after(board, 0, 500);
    cr_expect_eq(asked_at(board, 500).epoch, 10);
    cr_expect_eq(asked_at(board, 500).prompt_age_ms[1], -1, "the one before was of another epoch");
    board_free(board);
}

Test(board, an_answer_that_came_too_late_or_nobody_knows_when_breaks_the_row)
{
    struct board *board = board_new(2, 4);
    board_prompt_limit(board, 50);
    show(board, "rw", "m1", 10000, 9);

    ask_after(board, 0, 100);
    ask_after(board, 51, 200);
    cr_expect_eq(asked_at(board, 250).prompt_age_ms[0], -1);
    cr_expect_eq(asked_at(board, 250).age_ms, 50);
    ask_after(board, 0, 300);
    ask_after(board, -1, 400);
    cr_expect_eq(asked_at(board, 400).prompt_age_ms[0], -1);
    board_free(board);
}

Test(board, another_node_is_told_who_asked_and_is_no_asker_itself)
{
    struct board *board = board_new(2, 4);
    const struct agent_request request = { .is_for_askers = true, .asker = "fc2", .pool = "rw", .server = "m1" };
    board_prompt_limit(board, 50);
    show(board, "rw", "m1", 10000, 9);

    ask_after(board, 0, 100);
    const struct board_line line = board_line(board, &request, "10.0.9.2", at_ms(120));
    cr_expect_eq(strncmp(line.bytes, "fc-askers 1\nlb1 10.0.0.1 9 20 20 20 -\n", line.length), 0);
    cr_expect_eq(line.length, strlen("fc-askers 1\nlb1 10.0.0.1 9 20 20 20 -\n"));
    asked_at(board, 130);
    board_free(board);
}

Test(board, what_it_says_to_nobody_is_not_remembered)
{
    struct board *board = board_new(2, 4);
    struct asked_row rows[ASKED_ROWS_MAX];
    show(board, "rw", "m1", 1000, 9);

    cr_expect(strncmp(board_says(board, "rw", "m1", at_ms(0)).bytes, "up ready ", 9) == 0);
    cr_expect(strncmp(board_says(board, "rw", "m1", at_ms(1000)).bytes, "down maint ", 11) == 0);
    cr_expect_eq(board_asked(board, "rw", "m1", at_ms(0), rows), 0);
    board_free(board);
}

/* ---- what this node sees ---- */

struct eye { int looks; };

static void look_now(void *owner) { ((struct eye *)owner)->looks++; }

static size_t sees(void *owner, const char *server, char *to)
{
    (void)owner;
    return sight_format(strcmp(server, "m1") == 0 ? LOSS_REFUSED : LOSS_NONE, 70, to);
}

Test(board, another_node_is_told_what_is_seen_of_a_server_and_makes_it_look)
{
    struct board *board = board_new(2, 4);
    struct eye eye = { 0 };
    const struct agent_request request = { .is_for_sight = true, .asker = "fc2", .pool = "rw", .server = "m1" };
    show(board, "rw", "m1", 10000, 9);

    cr_expect_eq(strncmp(board_line(board, &request, "10.0.9.2", at_ms(0)).bytes, "fc-sight -\n", 11), 0, "nobody looks here");
    board_on_look(board, look_now, &eye);
    board_on_sight(board, sees, &eye);
    const struct board_line line = board_line(board, &request, "10.0.9.2", at_ms(0));
    cr_expect_eq(line.length, strlen("fc-sight refused 70\n"));
    cr_expect_eq(strncmp(line.bytes, "fc-sight refused 70\n", line.length), 0);
    cr_expect_eq(eye.looks, 1);
    board_free(board);
}
