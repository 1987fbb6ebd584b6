/* The tables check themselves: no duplicate row, no dead end, no name without a word. Who adds a row is told here. */
#include <criterion/criterion.h>
#include <string.h>

#include "act/orders.h"
#include "core/core.h"
#include "judge/seat.h"

Test(tables, every_leadership_state_has_one_row_for_each_of_its_three_events)
{
    const enum event_type events[] = { LEASE_GRANTED, LEASE_DENIED, STORE_SILENT };
    for (int state = 0; state < LEADERSHIP_STATE_COUNT; state++) {
        for (int e = 0; e < 3; e++) {
            int rows = 0;
            for (size_t i = 0; i < leadership_edge_count; i++)
                rows += leadership_edges[i].from == (enum leadership_state)state && leadership_edges[i].on == events[e];
            cr_expect_eq(rows, 1, "%s, %s", leadership_state_word((enum leadership_state)state), event_type_word(events[e]));
        }
    }
}

Test(tables, every_leadership_state_can_be_reached_and_left)
{
    for (int state = 0; state < LEADERSHIP_STATE_COUNT; state++) {
        bool in = state == FOLLOWING, out = false;
        for (size_t i = 0; i < leadership_edge_count; i++) {
            const struct leadership_edge *edge = &leadership_edges[i];
            in = in || (edge->to == (enum leadership_state)state && edge->from != edge->to);
            out = out || (edge->from == (enum leadership_state)state && edge->from != edge->to);
        }
        cr_expect(in && out, "%s", leadership_state_word((enum leadership_state)state));
    }
}

Test(tables, every_finding_has_one_row_in_its_own_order_and_a_word_of_its_own)
{
    cr_assert_eq(seat_rule_count, SEAT_FINDING_COUNT);
    for (size_t i = 0; i < seat_rule_count; i++) {
        cr_expect_eq((size_t)seat_rules[i].finding, i);
        cr_expect(strlen(seat_rules[i].word) > 0 && strlen(seat_rules[i].because) > 0);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(seat_rules[i].word, seat_rules[k].word);
    }
}

Test(tables, every_combination_of_facts_has_a_finding_and_every_finding_is_reached)
{
    int hits[SEAT_FINDING_COUNT] = { 0 };
    for (unsigned bits = 0; bits < 1024; bits++) {
        const struct seat_facts f = {
            .looked = bits & 1, .moving = bits >> 1 & 1, .named = bits >> 2 & 1, .seen = bits >> 3 & 1, .gone = bits >> 4 & 1,
            .asked = bits >> 5 & 1, .elsewhere = bits >> 6 & 1, .open = bits >> 7 & 1, .other_open = bits >> 8 & 1,
            .shared = bits >> 9 & 1,
        };
        hits[seat_judge(&f)->finding]++;
    }
    for (int i = 0; i < SEAT_FINDING_COUNT; i++)
        cr_expect_gt(hits[i], 0, "%s is never found", seat_rules[i].word);
}

Test(tables, every_plan_stands_in_its_place_writes_its_intent_seats_and_opens)
{
    for (int kind = 0; kind < MOVE_KIND_COUNT; kind++) {
        const struct move_plan *plan = &move_plans[kind];
        cr_expect_eq(plan->kind, (enum move_kind)kind);
        cr_expect(plan->word != NULL && strlen(plan->word) > 0);
        cr_expect_eq(plan->need[STEP_INTEND], NEEDED, "%s", plan->word);
        cr_expect_eq(plan->need[STEP_SEAT], NEEDED, "%s", plan->word);
        cr_expect_eq(plan->need[STEP_OPEN], NEEDED, "%s", plan->word);
        cr_expect(!plan->to_position || plan->need[STEP_FENCE] == NEEDED, "%s: an end of log needs a fence", plan->word);
    }
}

Test(tables, what_is_not_surely_fenced_is_waited_for)
{
    cr_expect_eq(move_plans[MOVE_SILENT].need[STEP_FENCE], TRIED);
    cr_expect_eq(move_plans[MOVE_SILENT].need[STEP_WAIT], NEEDED);
    cr_expect_eq(move_plans[MOVE_PLANNED].need[STEP_FENCE], NEEDED);
}

Test(tables, every_event_effect_deed_and_step_has_a_word)
{
    for (int i = 0; i < EVENT_TYPE_COUNT; i++)
        cr_expect_str_neq(event_type_word((enum event_type)i), "unknown");
    for (int i = 0; i < EFFECT_TYPE_COUNT; i++)
        cr_expect_str_neq(effect_type_word((enum effect_type)i), "unknown");
    for (int i = 0; i < DEED_COUNT; i++)
        cr_expect(deed_word((enum deed)i) != NULL && strlen(deed_word((enum deed)i)) > 0);
    cr_expect_str_eq(deed_word(DEED_COUNT), "unknown");
    for (int i = 0; i < STEP_COUNT; i++)
        cr_expect(move_step_word((enum move_step)i) != NULL);
    cr_expect_str_eq(event_type_word(EVENT_TYPE_COUNT), "unknown");
    cr_expect_str_eq(effect_type_word(EFFECT_TYPE_COUNT), "unknown");
}

Test(tables, every_event_and_effect_says_what_it_means)
{
#define X(name, meaning) cr_expect_gt(strlen(meaning), 10, #name);
    EVENT_TABLE(X)
    EFFECT_TABLE(X)
#undef X
}

Test(tables, every_verb_is_there_once_with_usage_meaning_and_example)
{
    for (int i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *row = &verb_table[i];
        cr_assert(row->word != NULL && row->usage != NULL && row->meaning != NULL && row->example != NULL);
        cr_expect(strncmp(row->usage, row->word, strlen(row->word)) == 0, "%s", row->word);
        for (int k = 0; k < i; k++)
            cr_expect_str_neq(row->word, verb_table[k].word);
    }
}

/* A word for each member, another for each, and "unknown" for what is none. */
#define WORDS_ARE_TOLD_APART(word_of, type, count)                                          \
    for (int i = 0; i < (int)(count); i++) {                                                \
        cr_expect_str_neq(word_of((type)i), "unknown", #type " %d has no word", i);          \
        for (int k = 0; k < i; k++)                                                         \
            cr_expect_str_neq(word_of((type)i), word_of((type)k));                          \
    }                                                                                       \
    cr_expect_str_eq(word_of((type)(count)), "unknown")

Test(tables, no_two_members_of_a_list_share_a_word)
{
    WORDS_ARE_TOLD_APART(phase_word, enum phase, PHASE_COUNT);
    WORDS_ARE_TOLD_APART(loss_word, enum loss, LOSS_COUNT);
    WORDS_ARE_TOLD_APART(hold_kind_word, enum hold_kind, HOLD_KIND_COUNT);
    WORDS_ARE_TOLD_APART(order_state_word, enum order_state, ORDER_STATE_COUNT);
    WORDS_ARE_TOLD_APART(thread_state_word, enum thread_state, THREAD_RUNNING + 1);
    WORDS_ARE_TOLD_APART(voice_word, enum voice, VOICE_COUNT);
    WORDS_ARE_TOLD_APART(pool_kind_word, enum pool_kind, POOL_KIND_COUNT);
    WORDS_ARE_TOLD_APART(move_step_word, enum move_step, STEP_COUNT);
    WORDS_ARE_TOLD_APART(deed_word, enum deed, DEED_COUNT);
    WORDS_ARE_TOLD_APART(event_type_word, enum event_type, EVENT_TYPE_COUNT);
    WORDS_ARE_TOLD_APART(effect_type_word, enum effect_type, EFFECT_TYPE_COUNT);
}

Test(tables, words_that_are_stored_are_read_back_as_what_they_were)
{
    enum phase phase;
    enum hold_kind kind;
    enum order_state state;
    for (int i = 0; i < PHASE_COUNT; i++)
        cr_expect(phase_from_word(phase_word((enum phase)i), &phase) && (int)phase == i);
    for (int i = 0; i < HOLD_KIND_COUNT; i++)
        cr_expect(hold_kind_from_word(hold_kind_word((enum hold_kind)i), &kind) && (int)kind == i);
    for (int i = 0; i < ORDER_STATE_COUNT; i++)
        cr_expect(order_state_from_word(order_state_word((enum order_state)i), &state) && (int)state == i);
    cr_expect_not(phase_from_word("sitting", &phase));
    cr_expect_not(hold_kind_from_word("", &kind));
    cr_expect_not(order_state_from_word("ask", &state));
}

/* Is this row hidden by one above it, whose every column is the same or ANY? */
static bool is_hidden(const struct seat_rule *row, const struct seat_rule *above)
{
    const enum fact *wanted = &row->looked, *hides = &above->looked;
    for (int column = 0; column < 10; column++) {
        if (hides[column] != ANY && hides[column] != wanted[column])
            return false;
    }
    return true;
}

Test(tables, no_finding_stands_where_a_row_above_it_takes_all_that_it_could)
{
    for (size_t i = 0; i < seat_rule_count; i++) {
        for (size_t k = 0; k < i; k++)
            cr_expect_not(is_hidden(&seat_rules[i], &seat_rules[k]), "%s hides %s", seat_rules[k].word, seat_rules[i].word);
    }
}

Test(tables, every_error_has_its_word_its_status_and_its_exit_code)
{
    for (int i = 0; i < FC_CODE_COUNT; i++) {
        const struct fc_code_row *row = &fc_code_table[i];
        cr_assert(row->word != NULL && row->meaning != NULL);
        cr_expect(row->http_status >= 200 && row->http_status < 600, "%s", row->word);
        cr_expect((i == FC_OK) == (row->exit_code == 0), "%s", row->word);
        for (int k = 0; k < i; k++)
            cr_expect_str_neq(row->word, fc_code_table[k].word);
    }
}
