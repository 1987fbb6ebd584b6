/* What is known of one server of a managed cluster, as far as its pools must know it. Taken from the fleet (agent/pool_sights.c), judged in
 * steer/cluster.c. */
#ifndef FC_MODEL_FLEET_SIGHT_H
#define FC_MODEL_FLEET_SIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"

struct fleet_sight {
    bool is_seen;                    /* the last look that ended was good */
    bool is_gone;                    /* it is lost, and its replicas have lost it too (DeadMaster, DeadMasterAndSomeReplicas) */
    /* of the last good look */
    bool is_read_only;
    bool replicates;                 /* has a master */
    bool is_below;                   /* that master is not one of a ring with it: it is no master of its cluster */
    bool is_fetching, is_applying;   /* its two threads */
    int32_t lag_s;                   /* -1 unknown */
    uint32_t replica_count;          /* servers that replicate from it */
    struct fc_time seen_at;          /* FC_EVER: never */
    struct fc_time checked_at;       /* a look at it ended, good or not; FC_EVER: none has */
};

#endif
