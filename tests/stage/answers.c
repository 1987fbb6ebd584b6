/* Every answer that the board can print, for tests that hand them to a real HAProxy:  answers
 *
 * One line an answer, fields divided by a tab: kind, voice, weight, late voice, "token" or "-", "within" or "past" the term, what
 * firstchair would push for it to a runtime socket ("-" = nothing), and last the line as HAProxy hears it. The lines come from the
 * board itself, asked as an agent-check asks. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/doors/board.h"
#include "base/text.h"
#include "haproxy/runtime.h"

#define POOL "p"
#define SERVER "s"

static const struct fc_time shown_at = { 1000000 }, term_ends_at = { 2000000 }, past_term = { 2000001 };

static void print_line(struct board_line line)
{
    printf("%.*s", (int)line.length, line.bytes);
}

static void print_answer(struct board *board, const struct answer *answer, bool is_past)
{
    const struct agent_request request = { .asker = "lb1", .pool = POOL, .server = SERVER };
    char push[512];
    size_t length = is_past ? 0 : runtime_push_format(POOL, SERVER, answer, push, sizeof push);

    printf("%s\t%s\t%u\t%s\t%s\t%s\t%.*s\t", pool_kind_word(answer->kind), voice_word(answer->voice), answer->weight_percent,
           voice_word(answer->late), answer->keeps_token ? "token" : "-", is_past ? "past" : "within",
           length == 0 ? 1 : (int)length - 1, length == 0 ? "-" : push);
    print_line(board_line(board, &request, "127.0.0.1", is_past ? past_term : shown_at));
}

static void print_voice(struct board *board, enum pool_kind kind, enum voice voice, unsigned weight)
{
    struct answer answer = { .kind = kind, .voice = voice, .weight_percent = (uint8_t)weight, .epoch = 9, .until = term_ends_at };

    TEXT_SET(answer.reason, "why, \"quoted\"");
    for (int keeps = 0; keeps < 2; keeps++) {
        for (int late = 0; late < 2; late++) {
            answer.keeps_token = keeps == 1;
            answer.late = late == 0 ? VOICE_REST : VOICE_NEUTRAL;
            board_show(board, POOL, SERVER, &answer);
            print_answer(board, &answer, false);
            print_answer(board, &answer, true);
        }
    }
}

int main(void)
{
    struct board *board = board_new(4, 4);
    const struct agent_request stranger = { .asker = "lb1", .pool = "no", .server = "body" };
    const struct agent_request relay = { .asker = "lb1", .is_voice = true };

    if (board == NULL)
        return 1;
    for (int kind = 0; kind < POOL_KIND_COUNT; kind++) {
        for (int voice = 0; voice < VOICE_COUNT; voice++) {
            const bool is_weighed = kind == POOL_READER && voice == VOICE_READ;
            for (unsigned weight = is_weighed ? 0 : 100; weight <= (is_weighed ? 101 : 100); weight++)
                print_voice(board, (enum pool_kind)kind, (enum voice)voice, weight);
        }
    }
    printf("none\tstranger\t0\t-\t-\twithin\t-\t");
    print_line(board_line(board, &stranger, "127.0.0.1", shown_at));
    board_voice(board, term_ends_at);
    printf("none\tvoice\t0\t-\ttoken\twithin\t-\t");
    print_line(board_line(board, &relay, "127.0.0.1", shown_at));
    printf("none\tbad\t0\t-\t-\twithin\t-\t");
    print_line(board_line_of_bad_request(board));
    board_free(board);
    return 0;
}
