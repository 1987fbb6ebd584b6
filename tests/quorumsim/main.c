/* The simulator's command. The last line is `N passed, N failed`. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "quorumsim/shorten.h"
#include "quorumsim/world.h"

#define FAILED_MAX 5                     /* enough to see what it is */

static struct world world;
static struct tally tally;
static struct plot plot;

struct wish {
    uint64_t from, to, nodes;
    bool is_told, wants_shortest;
    const char *script, *to_file;
};

static int usage(void)
{
    fputs("usage: quorumsim [--seeds A..B | --seed N] [--nodes 1|3|5] [--story]\n"
          "       quorumsim --seed N --shrink [--to FILE]      the shortest story that breaks the same rule\n"
          "       quorumsim --script FILE [--story]            a story as told by its lines (tests/quorumsim/plot.h)\n",
          stderr);
    return 2;
}

static bool number_of(const char *text, size_t length, uint64_t *ret) { return text != NULL && text_to_u64(text, length, ret); }

static bool value_read(const char *word, const char *value, struct wish *wish)
{
    const char *dots = strstr(value, "..");
    if (text_is(word, "--seeds"))
        return dots != NULL && number_of(value, (size_t)(dots - value), &wish->from) && number_of(dots + 2, strlen(dots + 2), &wish->to);
    if (text_is(word, "--seed") && number_of(value, strlen(value), &wish->from)) {
        wish->to = wish->from;
        return true;
    }
    if (text_is(word, "--nodes"))
        return number_of(value, strlen(value), &wish->nodes) && wish->nodes >= 1 && wish->nodes <= SIM_NODES_MAX;
    if (text_is(word, "--script"))
        wish->script = value;
    else if (text_is(word, "--to"))
        wish->to_file = value;
    else
        return false;
    return true;
}

static bool wish_read(int count, char **words, struct wish *wish)
{
    for (int i = 1; i < count; i++) {
        if (text_is(words[i], "--story"))
            wish->is_told = true;
        else if (text_is(words[i], "--shrink"))
            wish->wants_shortest = true;
        else if (i + 1 == count || !value_read(words[i], words[i + 1], wish))
            return false;
        else
            i++;
    }
    return true;
}

/* When it breaks: once more from the start and told, which is the same to the byte. */
static bool run_one(const struct plot *of, bool is_told)
{
    const struct run_options options = { .plot = of, .is_told = is_told, .is_printed = is_told };
    if (world_run(&world, &options, &tally))
        return true;
    if (!is_told) {
        static struct tally again;
        const struct run_options told = { .plot = of, .is_told = true };
        world_run(&world, &told, &again);
        world_print_end(&world);
    }
    printf("seed %" PRIu64 " --nodes %d broke at step %" PRIu64 ": %s: %s\n", of->seed, of->node_count, world.step, world.judge.rule,
           world.judge.broken);
    return false;
}

static const struct { const char *word; size_t at; } counts[] = {
    { "stories", offsetof(struct tally, stories) }, { "steps", offsetof(struct tally, steps) }, { "faults and orders", offsetof(struct tally, faults) },
    { "entries applied", offsetof(struct tally, entries) }, { "entries acknowledged", offsetof(struct tally, acknowledged) },
    { "entries given up", offsetof(struct tally, failed) }, { "entries that came twice", offsetof(struct tally, repeated) },
    { "elections won", offsetof(struct tally, elections) }, { "leases confirmed", offsetof(struct tally, leases) },
    { "votes withheld", offsetof(struct tally, withheld) }, { "yields done", offsetof(struct tally, yields_done) },
    { "yields in vain", offsetof(struct tally, yields_failed) }, { "snapshots taken", offsetof(struct tally, snapshots_taken) },
    { "snapshots taken as asked for", offsetof(struct tally, snapshots_asked) },
    { "snapshots installed", offsetof(struct tally, snapshots_installed) }, { "tails lost", offsetof(struct tally, lost_tails) },
    { "tails lost that were called durable", offsetof(struct tally, lied_tails) },
    { "appends on a full disk", offsetof(struct tally, full_disks) }, { "power lost at a write", offsetof(struct tally, power_cuts) },
    { "directories lost", offsetof(struct tally, wiped_out) }, { "nodes that went out", offsetof(struct tally, outs) },
    { "frames", offsetof(struct tally, frames) }, { "frames lost", offsetof(struct tally, lost_frames) },
    { "frames doubled", offsetof(struct tally, doubled_frames) }, { "raft's messages", offsetof(struct tally, messages) },
    { "connections ended", offsetof(struct tally, broken_lines) },
};

static void print_tally(void)
{
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        printf("%12" PRIu64 " %s\n", *(const uint64_t *)((const char *)&tally + counts[i].at), counts[i].word);
    if (tally.heals > 0)
        printf("%12.1f seconds from the heal to a leader that may act, at most; %.1f in the mean\n", (double)tally.healed_us_most / 1e6,
               (double)tally.healed_us_all / 1e6 / (double)tally.heals);
}

/* 1 passed, 0 failed, -1 it cannot be read. */
static int run_script(const char *path, bool is_told)
{
    struct fc_err err = { .code = FC_OK };
    FILE *file = fopen(path, "re");
    const bool is_read = file != NULL && plot_read(file, &plot, &err) == FC_OK;
    if (file != NULL)
        fclose(file);
    if (!is_read) {
        fprintf(stderr, "%s: %s\n", path, file == NULL ? "cannot be opened" : err.text);
        return -1;
    }
    return run_one(&plot, is_told);
}

static int is_a_plot(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 5 && text_is(entry->d_name + length - 5, ".plot");
}

/* The stories that once broke a rule. */
static void run_kept(uint64_t *stories, uint64_t *failed)
{
    struct dirent **list = NULL;
    char path[512];
    const int count = scandir(FC_QUORUMSIM_KEPT, &list, is_a_plot, alphasort);
    for (int i = 0; i < count; i++) {
        TEXT_FORMAT(path, "%s/%s", FC_QUORUMSIM_KEPT, list[i]->d_name);
        const bool is_well = run_script(path, false) == 1;
        if (!is_well)
            printf("that was %s\n", path);
        *failed += !is_well;
        ++*stories;
        free(list[i]);
    }
    free(list);
}

static int say_shortest(const struct wish *wish)
{
    int runs = 0;
    plot_draw(&plot, wish->from, (int)wish->nodes);
    if (!shorten(&world, &plot, &runs)) {
        puts("nothing breaks");
        return 1;
    }
    printf("the shortest story, found in %d runs:\n\n", runs);
    plot_print(&plot, stdout);
    FILE *file = wish->to_file == NULL ? NULL : fopen(wish->to_file, "we");
    if (file != NULL) {
        plot_print(&plot, file);
        fclose(file);
    }
    run_one(&plot, false);
    return 0;
}

int main(int count, char **words)
{
    struct wish wish = { .from = 1, .to = 100 };
    uint64_t stories = 0, failed = 0;
    if (!wish_read(count, words, &wish) || (wish.wants_shortest && wish.from != wish.to))
        return usage();
    setvbuf(stdout, NULL, _IOLBF, 0);                      /* a story that crashes is told to its end */
    if (wish.script != NULL) {
        const int ret = run_script(wish.script, wish.is_told);
        printf("%d passed, %d failed\n", ret == 1, ret != 1);
        return ret == 1 ? 0 : ret == 0 ? 1 : 2;
    }
    if (wish.wants_shortest)
        return say_shortest(&wish);
    if (wish.from != wish.to)
        run_kept(&stories, &failed);
    for (uint64_t seed = wish.from; seed <= wish.to && failed < FAILED_MAX; seed++) {
        plot_draw(&plot, seed, (int)wish.nodes);
        failed += !run_one(&plot, wish.is_told);
        stories++;
    }
    print_tally();
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", stories - failed, failed);
    return failed == 0 ? 0 : 1;
}
