/* May one server replicate from another? Rules read downwards; the first that says no is the answer. Asked of what was seen of both;
 * nothing is asked of the servers. spec "refactor", 1. */
#ifndef FC_JUDGE_BELOW_H
#define FC_JUDGE_BELOW_H

#include <stdbool.h>

#include "base/err.h"
#include "judge/facts.h"
#include "model/topology.h"

struct below_asked {
    const struct topology *topology;
    struct room *room;               /* for sets of GTIDs, until the answer */
    const struct analysis_policy *policy;
    member_id replica, master;
    bool by_gtid;                    /* and by GTID */
};

/* FC_OK: it may. FC_REFUSED with the reason; FC_NO_MEMORY. */
enum fc_code below_check(const struct below_asked *asked, struct fc_err *err);

#endif
