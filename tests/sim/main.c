/* The simulator's command: seeds, one story, scripts, directed scenes, shrinking. Kept stories run first with every range of
 * seeds. The closing line is `N passed, N failed`. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sim/scenes.h"
#include "sim/shrink.h"
#include "sim/tally.h"
#include "sim/world.h"

#define STEPS_PRESET 3000
#define STORY_END 80
#define VARIANTS_BELOW 100000        /* a scene's seed is the seed asked for times this, and the variant */
#define FAILED_MAX 5                 /* enough to see what it is */

#ifndef FC_SIM_KEPT
#define FC_SIM_KEPT "tests/sim/kept"
#endif

static struct world world;
static struct tally tally;
static struct script script;

struct wish {
    uint64_t from, to, steps, every;
    int nodes;
    enum arbiter arbiter;
    bool is_told, has_seeds, wants_shrinking, wants_scenes, wants_states, wants_unstaged, wants_list, is_beyond_drift;
    const char *kept, *script, *scene, *to_file;
};

static int usage(void)
{
    fputs("usage: sim [--seeds A..B | --seed N] [--steps N] [--nodes 2..5] [--arbiter local|quorum] [--story] [--states] [--kept FOLDER|none]\n"
          "       sim --seed N --shrink [--to FILE]      the shortest story that breaks the same rule\n"
          "       sim --script FILE [--story]            a story as told by its lines (tests/sim/script.h)\n"
          "       sim --scenes [--every N]               each directed scene: seeds, steps, faults, states, violations; of a matrix\n"
          "                                              every Nth cell only\n"
          "       sim --scenes --list                    what spec/steering.md 10 wants to see, and the stories that show it\n"
          "       sim --scene WORD [--seeds A..B] [--unstaged]       one of them; the stories that could not be staged\n"
          "       sim --beyond-drift ...                 clocks three times as far apart as LeaseDriftPercent promises\n",
          stderr);
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

static bool flag_read(const char *word, struct wish *wish)
{
    const struct { const char *word; bool *flag; } flags[] = {
        { "--story", &wish->is_told }, { "--shrink", &wish->wants_shrinking }, { "--scenes", &wish->wants_scenes },
        { "--states", &wish->wants_states }, { "--unstaged", &wish->wants_unstaged }, { "--list", &wish->wants_list }, { "--beyond-drift", &wish->is_beyond_drift },
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (text_is(flags[i].word, word)) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

static bool text_read(const char *word, const char *value, struct wish *wish)
{
    const struct { const char *word; const char **text; } texts[] = {
        { "--kept", &wish->kept }, { "--script", &wish->script }, { "--scene", &wish->scene }, { "--to", &wish->to_file },
    };
    for (size_t i = 0; value != NULL && i < sizeof texts / sizeof texts[0]; i++) {
        if (text_is(texts[i].word, word)) {
            *texts[i].text = value;
            return true;
        }
    }
    return false;
}

static bool number_read(const char *word, const char *value, struct wish *wish)
{
    uint64_t number = 0;
    if (text_is(word, "--arbiter") && value != NULL) {
        wish->arbiter = text_is(value, "quorum") ? ARBITER_QUORUM : ARBITER_LOCAL;
        return text_is(value, "quorum") || text_is(value, "local");
    }
    if (!number_of(value, &number))
        return false;
    if (text_is(word, "--seed")) {
        wish->from = wish->to = number;
        wish->has_seeds = true;
    } else if (text_is(word, "--steps")) {
        wish->steps = number;
    } else if (text_is(word, "--every") && number > 0) {
        wish->every = number;
    } else if (text_is(word, "--nodes") && number >= 2 && number <= SIM_NODES_MAX) {
        wish->nodes = (int)number;
    } else {
        return false;
    }
    return true;
}

static bool wish_read(int count, char **words, struct wish *wish)
{
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : NULL;
        if (flag_read(words[i], wish))
            continue;
        if (!text_read(words[i], value, wish) && !(text_is(words[i], "--seeds") && seeds_of(value, wish)) &&
            !number_read(words[i], value, wish))
            return false;
        i++;
    }
    return true;
}

/* ---- one story ------------------------------------------------------------------------------------------------------------- */

/* One story; when it breaks, once more from the start and told, which is the same to the byte. */
static bool run_one(struct run_options options, const char *name)
{
    if (world_run(&world, &options, &tally))
        return true;
    if (!options.is_told) {
        static struct tally again;
        options.is_told = true;
        world_run(&world, &options, &again);
        story_print_end(STORY_END);
    }
    printf("%sseed %" PRIu64 " --steps %" PRIu64 " --nodes %d broke at step %" PRIu64 ": %s\n", name, options.seed, options.steps,
           world.node_count, world.step, world.broken);
    return false;
}

static struct run_options options_of(const struct wish *wish, uint64_t seed)
{
    return (struct run_options){ .seed = seed, .steps = wish->steps, .node_count = wish->nodes, .arbiter = wish->arbiter, .is_told = wish->is_told,
                                 .is_printed = wish->is_told, .is_beyond_drift = wish->is_beyond_drift };
}

static int run_script_file(const struct wish *wish, const char *path)
{
    struct fc_err err = { FC_OK, "" };
    char name[128];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "%s cannot be opened\n", path);
        return -1;
    }
    const enum fc_code code = script_read(file, &script, &err);
    fclose(file);
    if (code != FC_OK) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        return -1;
    }
    struct run_options options = options_of(wish, script.seed);
    options.node_count = script.node_count;
    options.script = &script;
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "scene %.100s: ", slash == NULL ? path : slash + 1);
    return run_one(options, name) ? 1 : 0;
}

/* ---- kept stories ------------------------------------------------------------------------------------------------------------ */

static int is_a_script(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 7 && text_is(entry->d_name + length - 7, ".script");
}

static uint64_t run_kept(const struct wish *wish, uint64_t *failed)
{
    struct dirent **list = NULL;
    const int count = scandir(wish->kept, &list, is_a_script, alphasort);
    char path[512];
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", wish->kept, list[i]->d_name);
        *failed += run_script_file(wish, path) != 1;
        free(list[i]);
    }
    free(list);
    if (count < 0 && !text_is(wish->kept, "none")) {
        fprintf(stderr, "the kept stories in '%s' cannot be read: begin in the source's folder, or say --kept none\n", wish->kept);
        ++*failed;
        return 1;
    }
    return count < 0 ? 0 : (uint64_t)count;
}

/* ---- wishes -------------------------------------------------------------------------------------------------------------------- */

static int say_shortest(const struct wish *wish, struct run_options options)
{
    static struct script shortest;
    int runs = 0;
    if (!shrink(&world, &options, &shortest, &runs)) {
        printf("nothing breaks\n");
        return 1;
    }
    static struct tally again;
    options.script = &shortest;
    options.node_count = shortest.node_count;
    options.is_told = true;
    options.is_printed = false;
    world_run(&world, &options, &again);
    printf("the end of the shortest story, found in %d runs:\n", runs);
    story_print_end(STORY_END);
    printf("it broke: %s\n\n", world.broken);
    script_print(&shortest, stdout);
    FILE *file = wish->to_file == NULL ? NULL : fopen(wish->to_file, "we");
    if (file != NULL) {
        script_print(&shortest, file);
        fclose(file);
        printf("\nsim --script %s tells it again\n", wish->to_file);
    }
    return 0;
}

/* When it breaks: told, with its lines, so that they can be kept. */
static bool run_variant(const struct wish *wish, const struct scene *scene, int variant, uint64_t seed, bool has_quorum, struct tally *one)
{
    struct run_options options = options_of(wish, seed * VARIANTS_BELOW + (uint64_t)variant);
    static struct tally again;
    char name[64];
    scene_build(scene, variant, options.seed, has_quorum, &script);
    options.script = &script;
    options.node_count = script.node_count;
    const bool is_well = world_run(&world, &options, one);
    if (is_well && wish->wants_unstaged && world.lines_begun < world.script.count)
        script_print(&world.script, stdout);               /* the step that it waits for was never reached */
    if (is_well)
        return true;
    options.is_told = true;
    world_run(&world, &options, &again);
    story_print_end(STORY_END);
    script_print(&script, stdout);
    TEXT_FORMAT(name, "scene %s, variant %d, %s: ", scene->word, variant, has_quorum ? "quorum" : "local");
    printf("%sseed %" PRIu64 " --nodes %d broke at step %" PRIu64 ": %s\n", name, options.seed, world.node_count, world.step,
           world.broken);
    return false;
}

static void print_scene(const struct scene *scene, bool has_quorum, const struct tally *t)
{
    printf("%-18s %-7s %7" PRIu64 " %10" PRIu64 " %8" PRIu64 " %7d %9" PRIu64 " %7" PRId64 " %10" PRIu64 "  %s\n", scene->word, has_quorum ? "quorum" : "local", t->seeds,
           t->steps, t->faults + t->orders, tally_states_reached(t), t->not_staged, tally_heal_ms(t, 99), t->violations, scene->what);
}

/* Each line of section 10 with its scenes, and how many stories a seed each is under either arbiter. */
static int list_scenes(void)
{
    int missing = 0;
    printf("%-70s %7s %7s  %s\n", "what must be shown (spec/steering.md 10)", "local", "quorum", "scenes");
    for (size_t i = 0; i < scene_line_count; i++) {
        char words[128], *rest = words;
        int local = 0, quorum = 0;
        TEXT_SET(words, scene_lines[i].scenes);
        for (const char *word = strtok_r(rest, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
            const struct scene *scene = scene_find(word);
            missing += scene == NULL;
            local += scene == NULL || scene->needs_quorum ? 0 : scene_variants(scene);
            quorum += scene == NULL ? 0 : scene_variants(scene);
        }
        printf("%-70s %7d %7d  %s\n", scene_lines[i].what, local, quorum, scene_lines[i].scenes);
    }
    return missing == 0 ? 0 : 1;
}

static int run_scenes(const struct wish *wish)
{
    if (wish->wants_list)
        return list_scenes();
    const uint64_t from = wish->has_seeds ? wish->from : 1, to = wish->has_seeds ? wish->to : 2;
    uint64_t passed = 0, failed = 0;
    static struct tally all, one;
    if (wish->scene != NULL && scene_find(wish->scene) == NULL) {
        fprintf(stderr, "there is no scene %s; --scenes names them\n", wish->scene);
        return 2;
    }
    printf("%-18s %-7s %7s %10s %8s %7s %9s %7s %10s  %s\n", "scene", "arbiter", "stories", "steps", "faults", "states", "unstaged", "p99 ms",
           "violations", "what");
    for (size_t i = 0; i < 2 * scene_count; i++) {
        const struct scene *scene = &scenes[i / 2];
        const bool has_quorum = i % 2 == 1;
        if ((wish->scene != NULL && !text_is(scene->word, wish->scene)) || (wish->arbiter == ARBITER_LOCAL && has_quorum) ||
            (wish->arbiter == ARBITER_QUORUM && !has_quorum) || (scene->needs_quorum && !has_quorum))
            continue;
        memset(&one, 0, sizeof one);
        const int every = scene->faults != NULL ? (int)wish->every : 1;
        for (int variant = 0; variant < scene_variants(scene); variant += every) {
            for (uint64_t seed = from; seed <= to && failed < FAILED_MAX; seed++) {
                const bool is_well = run_variant(wish, scene, variant, seed, has_quorum, &one);
                passed += is_well;
                failed += !is_well;
            }
        }
        print_scene(scene, has_quorum, &one);
        tally_add(&all, &one);
    }
    tally_print(&all);
    if (wish->wants_states)
        tally_print_states(&all);
    printf("violations %" PRIu64 "\n%" PRIu64 " passed, %" PRIu64 " failed\n", all.violations, passed, failed);
    return failed == 0 ? 0 : 1;
}

static int run_seeds(const struct wish *wish)
{
    uint64_t failed = 0;
    const bool is_one = wish->is_told && wish->has_seeds && wish->from == wish->to;
    uint64_t stories = is_one ? 0 : run_kept(wish, &failed);
    for (uint64_t seed = wish->from; seed <= wish->to && failed < FAILED_MAX; seed++) {
        stories++;
        failed += !run_one(options_of(wish, seed), "");
    }
    tally_print(&tally);
    if (wish->wants_states)
        tally_print_states(&tally);
    printf("violations %" PRIu64 "\n%" PRIu64 " passed, %" PRIu64 " failed\n", tally.violations, stories - failed, failed);
    return failed == 0 ? 0 : 1;
}

int main(int count, char **words)
{
    struct wish wish = { .from = 1, .to = 200, .every = 1, .steps = STEPS_PRESET, .kept = FC_SIM_KEPT };
    if (!wish_read(count, words, &wish))
        return usage();
    if (wish.wants_shrinking && wish.has_seeds && wish.from == wish.to)
        return say_shortest(&wish, options_of(&wish, wish.from));
    if (wish.wants_scenes || wish.scene != NULL)
        return run_scenes(&wish);
    if (wish.script != NULL) {
        const int ret = run_script_file(&wish, wish.script);
        printf("%d passed, %d failed\n", ret == 1, ret != 1);
        return ret == 1 ? 0 : 1;
    }
    return run_seeds(&wish);
}
