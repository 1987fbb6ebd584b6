/* sim --seeds A..B [--steps N] [--nodes N] [--story]: whole clusters, one a seed; --seed N --story tells one.
 * Kept seeds (tests/sim/kept_seeds.txt) run first, always. The closing line is `N passed, N failed`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

#define STEPS_PRESET 3000
#define STORY_END 80

#ifndef FC_SIM_KEPT_SEEDS
#define FC_SIM_KEPT_SEEDS "tests/sim/kept_seeds.txt"
#endif

static struct world world;
static struct tally tally;

struct wish { uint64_t from, to, steps; int nodes; bool is_told, has_seeds; const char *kept; };

static int usage(void)
{
    fputs("usage: sim [--seeds A..B | --seed N] [--steps N] [--nodes 2..5] [--story] [--kept FILE]\n", stderr);
    return 2;
}

static bool number_of(const char *text, uint64_t *ret) { return text != NULL && text_to_u64(text, strlen(text), ret); }

static bool seeds_of(const char *text, struct wish *wish)
{
    const char *dots = text == NULL ? NULL : strstr(text, "..");
    if (dots == NULL || !text_to_u64(text, (size_t)(dots - text), &wish->from) || !number_of(dots + 2, &wish->to))
        return false;
    wish->has_seeds = true;
    return wish->from <= wish->to;
}

static bool wish_read(int count, char **words, struct wish *wish)
{
    uint64_t number = 0;
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : NULL;
        if (text_is(words[i], "--story")) {
            wish->is_told = true;
            continue;
        }
        i++;
        if (text_is(words[i - 1], "--seeds") && seeds_of(value, wish))
            continue;
        if (text_is(words[i - 1], "--kept") && value != NULL) {
            wish->kept = value;
            continue;
        }
        if (!number_of(value, &number))
            return false;
        if (text_is(words[i - 1], "--seed")) {
            wish->from = wish->to = number;
            wish->has_seeds = true;
        } else if (text_is(words[i - 1], "--steps")) {
            wish->steps = number;
        } else if (text_is(words[i - 1], "--nodes") && number >= 2 && number <= SIM_NODES_MAX) {
            wish->nodes = (int)number;
        } else {
            return false;
        }
    }
    return true;
}

/* One seed; when it breaks, once more from the start with its story, which is the same to the byte. */
static bool run_one(uint64_t seed, uint64_t steps, int nodes, bool is_told)
{
    struct run_options options = { seed, steps, nodes, is_told, is_told };
    if (world_run(&world, &options, &tally)) {
        return true;
    }
    if (!is_told) {
        static struct tally again;
        options.is_told = true;
        world_run(&world, &options, &again);
        story_print_end(STORY_END);
    }
    printf("seed %" PRIu64 " --steps %" PRIu64 " --nodes %d broke at step %" PRIu64 ": %s\n", seed, steps, world.node_count,
           world.step, world.broken);
    return false;
}

static int run_kept(const char *path, uint64_t *failed)
{
    char line[256];
    int count = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        uint64_t seed, steps;
        int nodes;
        if (line[0] == '#' || sscanf(line, "%" SCNu64 " %" SCNu64 " %d", &seed, &steps, &nodes) != 3)
            continue;
        count++;
        if (!run_one(seed, steps, nodes, false))
            ++*failed;
    }
    fclose(file);
    return count;
}

static void print_reached(void)
{
    int combinations = 0;
    uint64_t steps[STEP_COUNT] = { 0 }, findings[SEAT_FINDING_COUNT] = { 0 }, chairs[CHAIR_MOVING + 1] = { 0 },
             leads[LEADERSHIP_STATE_COUNT] = { 0 };
    for (int c = 0; c <= CHAIR_MOVING; c++)
        for (int l = 0; l < LEADERSHIP_STATE_COUNT; l++)
            for (int s = 0; s < STEP_COUNT; s++)
                for (int f = 0; f < SEAT_FINDING_COUNT; f++) {
                    const uint32_t n = tally.reached[c][l][s][f];
                    combinations += n > 0;
                    chairs[c] += n;
                    leads[l] += n;
                    steps[s] += n;
                    findings[f] += n;
                }
    printf("reached: %d combinations of chair, leadership, move step and finding\n  chair:     ", combinations);
    for (int c = 0; c <= CHAIR_MOVING; c++)
        printf(" %s %" PRIu64, chair_state_word((enum chair_state)c), chairs[c]);
    printf("\n  leadership:");
    for (int l = 0; l < LEADERSHIP_STATE_COUNT; l++)
        printf(" %s %" PRIu64, leadership_state_word((enum leadership_state)l), leads[l]);
    printf("\n  move step: ");
    for (int s = 0; s < STEP_COUNT; s++)
        printf(" %s %" PRIu64, move_step_word((enum move_step)s), steps[s]);
    printf("\n  finding:   ");
    for (int f = 0; f < SEAT_FINDING_COUNT; f++)
        printf(" %s %" PRIu64, seat_rules[f].word, findings[f]);
    printf("\n");
}

int main(int count, char **words)
{
    struct wish wish = { .from = 1, .to = 200, .steps = STEPS_PRESET, .kept = FC_SIM_KEPT_SEEDS };
    uint64_t failed = 0;
    if (!wish_read(count, words, &wish))
        return usage();
    const bool is_one = wish.is_told && wish.has_seeds && wish.from == wish.to;
    uint64_t scenes = is_one ? 0 : (uint64_t)run_kept(wish.kept, &failed);
    for (uint64_t seed = wish.from; seed <= wish.to && failed < 5; seed++) {
        scenes++;
        if (!run_one(seed, wish.steps, wish.nodes, wish.is_told))
            failed++;
    }
    printf("seeds %" PRIu64 ", steps %" PRIu64 ", faults %" PRIu64 " (of them %" PRIu64 " orders), moves %" PRIu64
           " (failed %" PRIu64 "), handovers %" PRIu64 ", acknowledged writes %" PRIu64 "\n", tally.seeds, tally.steps,
           tally.faults, tally.orders, tally.moves, tally.moves_failed, tally.handovers, tally.acked);
    printf("worst time to heal %.2f s (seed %" PRIu64 "), longest allowed overlap %.2f s\n", (double)tally.worst_heal_us / 1e6,
           tally.worst_heal_seed, (double)tally.longest_overlap_us / 1e6);
    print_reached();
    printf("violations %" PRIu64 "\n%" PRIu64 " passed, %" PRIu64 " failed\n", tally.violations, scenes - failed, failed);
    return failed == 0 ? 0 : 1;
}
