/* A story's faults as lines: what a seed drew, or what a file tells. One line a fault, in simulated seconds:
 *
 *   seed 17                           chance of everything that is not a fault
 *   nodes 3
 *   election 800                      milliseconds
 *   0.8 kill n1 for 1.5               a node's name, or a role at that moment: leader, other (follows), last (another one that follows)
 *   1.2 cut-one-way leader other for 2
 *   1.3 slow-disk other 5000 for 8    an amount stands before "for"; plot_faults says of what
 *   2.0 orders other 5
 *   20 heal                           from here on nothing is wrong any more
 *
 * Comments begin with '#'. */
#ifndef FC_QUORUMSIM_PLOT_H
#define FC_QUORUMSIM_PLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define PLOT_LINES_MAX 200
#define PLOT_NODES_MAX 5

enum plot_fault {
    PLOT_KILL, PLOT_STOP, PLOT_POWER_CUT, PLOT_WIPE, PLOT_LOSE_TAIL, PLOT_FREEZE, PLOT_CUT, PLOT_CUT_ONE_WAY, PLOT_ISOLATE, PLOT_BREAK, PLOT_LOSSY, PLOT_LATE,
    PLOT_MANGLE, PLOT_SLOW_DISK, PLOT_FULL_DISK, PLOT_ORDERS, PLOT_YIELD, PLOT_STAND_DOWN, PLOT_SNAPSHOT, PLOT_HEAL, PLOT_FAULT_COUNT
};

enum { PARTY_NONE = -1, PARTY_LEADER = -2, PARTY_OTHER = -3, PARTY_LAST = -4 };     /* else a node's place */

struct plot_line {
    int64_t at_us, for_us;
    enum plot_fault fault;
    int a, b;
    int64_t amount;
};

struct plot {
    uint64_t seed;
    int node_count, election_ms;
    int count;
    struct plot_line lines[PLOT_LINES_MAX];
};

/* What a line of this kind has, and how often chance draws it. */
struct plot_row {
    const char *word;
    int parties;
    bool has_amount, lasts;
    unsigned weight;
    int64_t amount_from, amount_to;
    const char *meaning;
};
extern const struct plot_row plot_faults[PLOT_FAULT_COUNT];

/* `nodes` 0: 1, 3 or 5 by chance. */
void plot_draw(struct plot *ret, uint64_t seed, int nodes);
enum fc_code plot_read(FILE *from, struct plot *ret, struct fc_err *err);
void plot_line_text(const struct plot_line *line, char *to, size_t size);
void plot_print(const struct plot *plot, FILE *to);

#endif
