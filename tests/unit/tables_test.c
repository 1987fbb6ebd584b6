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
    for (unsigned bits = 0; bits < 512; bits++) {
        const struct seat_facts f = {
            .looked = bits & 1, .moving = bits >> 1 & 1, .named = bits >> 2 & 1, .seen = bits >> 3 & 1, .gone = bits >> 4 & 1,
            .heard = bits >> 5 & 1, .elsewhere = bits >> 6 & 1, .open = bits >> 7 & 1, .other_open = bits >> 8 & 1,
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
