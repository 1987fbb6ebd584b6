/* Numbers into words. */
#include "sim/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/world.h"

int tally_states_reached(const struct tally *t)
{
    const uint32_t *all = &t->reached[0][0][0][0];
    int count = 0;
    for (int i = 0; i < STATE_COUNT; i++)
        count += all[i] > 0;
    return count;
}

int64_t tally_heal_ms(const struct tally *t, int percent)
{
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < HEAL_BUCKETS; i++)
        total += t->heals[i];
    if (percent >= 100 || total == 0)
        return t->worst_heal_us / 1000;
    for (int i = 0; i < HEAL_BUCKETS; i++) {
        seen += t->heals[i];
        if (seen * 100 >= total * (uint64_t)percent)
            return i * 10;
    }
    return t->worst_heal_us / 1000;
}

static void add_counts(uint32_t *to, const uint32_t *more, int count)
{
    for (int i = 0; i < count; i++)
        to[i] += more[i];
}

void tally_add(struct tally *t, const struct tally *more)
{
    t->seeds += more->seeds;
    t->steps += more->steps;
    t->faults += more->faults;
    t->orders += more->orders;
    t->moves += more->moves;
    t->moves_failed += more->moves_failed;
    t->handovers += more->handovers;
    t->acked += more->acked;
    t->violations += more->violations;
    t->not_staged += more->not_staged;
    if (more->worst_heal_us > t->worst_heal_us) {
        t->worst_heal_us = more->worst_heal_us;
        t->worst_heal_seed = more->worst_heal_seed;
    }
    if (more->longest_overlap_us > t->longest_overlap_us)
        t->longest_overlap_us = more->longest_overlap_us;
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        t->faults_of[i] += more->faults_of[i];
    add_counts(t->heals, more->heals, HEAL_BUCKETS);
    add_counts(&t->reached[0][0][0][0], &more->reached[0][0][0][0], STATE_COUNT);
    add_counts(&t->moved[0][0], &more->moved[0][0], MOVE_KIND_COUNT * STEP_COUNT);
}

static void print_sums(const struct tally *t)
{
    uint64_t steps[STEP_COUNT] = { 0 }, findings[SEAT_FINDING_COUNT] = { 0 }, chairs[CHAIR_STATE_COUNT] = { 0 },
             leads[LEADERSHIP_STATE_COUNT] = { 0 };
    for (int i = 0; i < STATE_COUNT; i++) {
        const uint32_t n = (&t->reached[0][0][0][0])[i];
        findings[i % SEAT_FINDING_COUNT] += n;
        steps[i / SEAT_FINDING_COUNT % STEP_COUNT] += n;
        leads[i / SEAT_FINDING_COUNT / STEP_COUNT % LEADERSHIP_STATE_COUNT] += n;
        chairs[i / SEAT_FINDING_COUNT / STEP_COUNT / LEADERSHIP_STATE_COUNT] += n;
    }
    printf("reached: %d combinations of chair, leadership, move step and finding (--states lists them)\n  chair:     ",
           tally_states_reached(t));
    for (int c = 0; c < CHAIR_STATE_COUNT; c++)
        printf(" %s %" PRIu64, chair_state_word((enum chair_state)c), chairs[c]);
    printf("\n  leadership:");
    for (int l = 0; l < LEADERSHIP_STATE_COUNT; l++)
        printf(" %s %" PRIu64, leadership_state_word((enum leadership_state)l), leads[l]);
    printf("\n  finding:   ");
    for (int f = 0; f < SEAT_FINDING_COUNT; f++)
        printf(" %s %" PRIu64, seat_rules[f].word, findings[f]);
    printf("\n");
}

static void print_moves(const struct tally *t)
{
    printf("  steps of a move, in core steps ('-' is not in its plan)\n    %-8s", "");
    for (int s = STEP_NONE + 1; s < STEP_COUNT; s++)
        printf(" %9s", move_step_word((enum move_step)s));
    printf("\n");
    for (int k = 0; k < MOVE_KIND_COUNT; k++) {
        printf("    %-8s", move_plans[k].word);
        for (int s = STEP_NONE + 1; s < STEP_COUNT; s++) {
            if (move_plans[k].need[s] == NEVER && t->moved[k][s] == 0)
                printf(" %9s", "-");
            else
                printf(" %9" PRIu32, t->moved[k][s]);
        }
        printf("\n");
    }
}

static void print_faults(const struct tally *t)
{
    printf("faults:");
    for (int i = 0; i < FAULT_KIND_COUNT; i++) {
        if (t->faults_of[i] > 0 && i != FAULT_HEAL)
            printf(" %s %" PRIu64, fault_rows[i].word, t->faults_of[i]);
    }
    printf("\n");
}

void tally_print(const struct tally *t)
{
    printf("seeds %" PRIu64 ", steps %" PRIu64 ", faults %" PRIu64 " (%.1f per thousand steps), orders %" PRIu64 ", moves %" PRIu64
           " (failed %" PRIu64 "), handovers %" PRIu64 ", acknowledged writes %" PRIu64 "\n", t->seeds, t->steps, t->faults,
           t->steps == 0 ? 0.0 : 1000.0 * (double)t->faults / (double)t->steps, t->orders, t->moves, t->moves_failed, t->handovers,
           t->acked);
    printf("time to heal after the last fault: p50 %" PRId64 " ms, p99 %" PRId64 " ms, max %" PRId64 " ms (seed %" PRIu64
           "); longest allowed overlap of two leaders %" PRId64 " ms\n", tally_heal_ms(t, 50), tally_heal_ms(t, 99),
           tally_heal_ms(t, 100), t->worst_heal_seed, t->longest_overlap_us / 1000);
    print_faults(t);
    print_sums(t);
    print_moves(t);
}

/* One line for each chair, leadership and step: the findings with their counts, and those never seen. */
void tally_print_states(const struct tally *t)
{
    int never = 0;
    for (int c = 0; c < CHAIR_STATE_COUNT; c++) {
        for (int l = 0; l < LEADERSHIP_STATE_COUNT; l++) {
            for (int s = 0; s < STEP_COUNT; s++) {
                const uint32_t *findings = t->reached[c][l][s];
                printf("%-8s %-10s %-9s reached:", chair_state_word((enum chair_state)c),
                       leadership_state_word((enum leadership_state)l), move_step_word((enum move_step)s));
                for (int f = 0; f < SEAT_FINDING_COUNT; f++) {
                    if (findings[f] > 0)
                        printf(" %s %" PRIu32, seat_rules[f].word, findings[f]);
                }
                printf("; never:");
                for (int f = 0; f < SEAT_FINDING_COUNT; f++) {
                    never += findings[f] == 0;
                    if (findings[f] == 0)
                        printf(" %s", seat_rules[f].word);
                }
                printf("\n");
            }
        }
    }
    printf("%d of %d combinations were never reached\n", never, STATE_COUNT);
}
