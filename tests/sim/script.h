/* A story's faults as explicit lines: what a seed drew, what a scene stages, and what is kept of a defect. One line a fault:
 *
 *   seed 17                              chance of everything that is not a fault
 *   nodes 3
 *   arbiter quorum                       who decides about the chair; without this line `local`
 *   witnesses 1                          so many of the nodes, the last ones, are witnesses (arbiter quorum)
 *   cluster 1                            a managed cluster, its nodes' looks and its two pools (sim_fleet.h)
 *   set TokenCheckFall 10                a configuration key; what is not set is drawn by the seed, or preset
 *   0.812340 kill db1 for 1.500000       a moment of simulated time, in seconds
 *   quiet+0.1 order leader switch fc_backend other      once the picture is quiet, a tenth of a second later
 *   fence+0.002 freeze leader for 3      when a node's move next reaches this step
 *   then+0.5 isolate seated for 2        after the line before it
 *   12.000000 heal                       from here on nothing is wrong any more
 *
 * Lines that wait (all but moments) wait for the line before them. Comments begin with '#'. */
#ifndef FC_SIM_SCRIPT_H
#define FC_SIM_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "core/config.h"

enum fault_kind {
    FAULT_KILL, FAULT_STOP, FAULT_FREEZE, FAULT_SUSPEND, FAULT_ISOLATE, FAULT_CUT, FAULT_CUT_ONE_WAY, FAULT_LATE,
    FAULT_APPLY_SLOWLY, FAULT_APPLY_NOT, FAULT_FETCH_NOT, FAULT_RELOAD, FAULT_OPEN, FAULT_CLOSE, FAULT_BOOT_WRITABLE, FAULT_DISK_FULL,
    FAULT_FENCE_DENIED, FAULT_LOOK_DENIED, FAULT_SUPER, FAULT_FOREIGN_FRESH, FAULT_FOREIGN_STALE, FAULT_REPLAY,
    FAULT_LOSE_ROW, FAULT_OTHER_ROW, FAULT_DRIFT, FAULT_STEP_CLOCK, FAULT_FREEZE_BEFORE_SEND, FAULT_FREEZE_BEFORE_DEED, FAULT_REFUSE,
    FAULT_DEAF, FAULT_LAST_ANSWER, FAULT_LACK, FAULT_LATE_LOOKS, FAULT_LATE_DEEDS, FAULT_SPLIT, FAULT_SPLIT_OUT, FAULT_SPLIT_IN, FAULT_MANGLE, FAULT_RAFT_STANDS,
    FAULT_FAILOVER, FAULT_BEHIND,
    FAULT_ORDER, FAULT_HEAL, FAULT_KIND_COUNT
};

enum when_kind { WHEN_MOMENT, WHEN_QUIET, WHEN_STEP, WHEN_GRANT, WHEN_THEN };

struct when { enum when_kind kind; int step; int64_t us; };      /* WHEN_MOMENT: absolute; else: so long after it */

struct fault {
    enum fault_kind kind;
    int a, b;                        /* parties or roles; -1 none */
    int64_t amount;                  /* the kind says of what */
    int64_t for_us;                  /* 0 = does not end by itself, or needs no end */
    char text[96];                   /* of an order; the parties of one side */
    int expected;                    /* enum fc_code that the order must be answered with; -1 = any */
};

struct script_line { struct when when; struct fault fault; };

#define SCRIPT_LINES_MAX 320
#define SCRIPT_SETTINGS_MAX 12

struct script_setting { char key[48], value[64]; };      /* of a list: its only item; "" = an empty one */

struct script {
    uint64_t seed;
    int node_count, witness_count;
    bool has_quorum;                 /* arbiter */
    bool has_cluster;                /* a managed cluster with its two pools */
    int setting_count;
    struct script_setting settings[SCRIPT_SETTINGS_MAX];
    int count;
    struct script_line lines[SCRIPT_LINES_MAX];
};

struct script_line *script_add(struct script *script, struct when when, enum fault_kind kind, int a);
/* The configuration of this story, on top of what is drawn. */
void script_configure(const struct script *script, struct config *config);
/* One line as it stands in a file. False: it is none, or the script is full. */
bool script_add_text(struct script *script, const char *text);
enum fc_code script_read(FILE *from, struct script *ret, struct fc_err *err);
void script_line_text(const struct script_line *line, char *to, size_t size);
void script_print(const struct script *script, FILE *to);

#endif
