/* A cluster as text, one line a server, masters above their replicas: what `topology`, `topology-tabulated`, `topology-tags` print, in the form that
 * orchestrator's users and their scripts know.
 *
 *      db1:3306     [0s,ok,10.11.6-MariaDB-log,rw,ROW,>>,GTID]
 *      + db2:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]
 *        - db4:3306 [null,nonreplicating,10.11.6-MariaDB-log,ro,ROW,>>,GTID]
 *
 * Behind the name: lag, state, version, read-only or not, binary log, what else. '+': its last look was good and recent, and both of
 * its threads run. Servers of a ring have no master above them: each begins a branch. Different from orchestrator: trees of
 * servers without a common head are never left out, because a cluster has one head here; a server that was never seen has no
 * version, mode or log instead of those of an empty row. */
#ifndef FC_JUDGE_TREE_H
#define FC_JUDGE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "judge/facts.h"
#include "judge/fleet.h"
#include "model/classification.h"
#include "model/overrides.h"
#include "model/topology.h"

enum tree_form { TREE_BRACKETS = 0, TREE_TABULATED, TREE_TAGS };     /* tags: brackets, and the tags of a server behind them */

struct tree_style {
    enum tree_form form;
    struct fc_time now;
    const struct analysis_policy *policy;            /* what is recent, and what is late */
    /* NULL, each: nothing of it is shown. */
    const struct fleet *fleet;                       /* errant transactions */
    const struct overrides *overrides;               /* downtime, tags */
    const struct classifications *classifications;   /* what a server is called */
};

/* The cluster of `any`. Lines end with a line break but the last. Returns the length of all of it, also when that is not below `size`
 * (then it is cut); 0: not known, or no memory. */
size_t tree_print(const struct topology *topology, struct room *room, member_id any, const struct tree_style *style, char *to,
                  size_t size);

#endif
