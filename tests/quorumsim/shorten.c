#include "quorumsim/shorten.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/quorum/bytes.h"
#include "quorumsim/world.h"

#define RUNS_MAX 3000

static struct tally tally;               /* of no interest here */

/* In a process of its own, so that a story that crashes can be made shorter too. 0: nothing breaks. */
static uint32_t rule_broken(struct world *w, const struct plot *plot, int *runs)
{
    const struct run_options options = { .plot = plot };
    int status = 0, ends[2];
    uint32_t sum = 0;
    ++*runs;
    fflush(stdout);
    if (pipe(ends) != 0)
        return 0;
    const pid_t child = fork();
    if (child == 0) {
        if (!world_run(w, &options, &tally))
            sum = bytes_checksum((const uint8_t *)w->judge.rule, strlen(w->judge.rule));
        _exit(write(ends[1], &sum, sizeof sum) == (ssize_t)sizeof sum ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &sum, sizeof sum) != (ssize_t)sizeof sum)
        sum = 1;                                           /* it crashed */
    close(ends[0]);
    waitpid(child, &status, 0);
    return sum;
}

/* The heal, which is the last line, stays. */
static bool leave_out(struct world *w, struct plot *plot, uint32_t rule, int chunk, int *runs)
{
    static struct plot shorter;
    bool any = false;
    for (int from = 0; from < plot->count - 1 && *runs < RUNS_MAX;) {
        const int gone = from + chunk < plot->count ? chunk : plot->count - 1 - from;
        shorter = *plot;
        memmove(&shorter.lines[from], &shorter.lines[from + gone], sizeof shorter.lines[0] * (size_t)(plot->count - from - gone));
        shorter.count -= gone;
        if (rule_broken(w, &shorter, runs) == rule) {
            *plot = shorter;
            any = true;
        } else {
            from += gone;
        }
    }
    return any;
}

bool shorten(struct world *w, struct plot *plot, int *runs)
{
    const uint32_t rule = rule_broken(w, plot, runs);
    if (rule == 0)
        return false;
    for (int chunk = plot->count; chunk > 0; chunk = chunk == 1 ? 0 : (chunk + 1) / 2)
        leave_out(w, plot, rule, chunk, runs);
    while (*runs < RUNS_MAX && leave_out(w, plot, rule, 1, runs))
        continue;
    return true;
}
