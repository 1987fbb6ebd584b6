/* The fleet as it is known now, for those who show it: routes of the API, commands, metrics. A struct of borrowed pointers, filled by
 * whoever keeps the fleet (the running node; a command that reads the store), and good until the loop's next turn.
 *
 * Only facts and verdicts that are there already; what is derived of them for showing (problems, words, JSON) is in
 * judge/problems.h and agent/fleet_json.h. */
#ifndef FC_AGENT_PICTURE_H
#define FC_AGENT_PICTURE_H

#include <stdint.h>

#include "backends/pattern.h"
#include "base/moment.h"
#include "judge/aliases.h"
#include "judge/fleet.h"
#include "model/classification.h"
#include "model/host_names.h"
#include "model/overrides.h"
#include "model/server_pools.h"
#include "model/topology.h"

struct config_many;
struct fleet_samples;

struct picture {
    const struct topology *topology;                 /* never NULL */
    const struct fleet *fleet;                       /* never NULL; its policy says what is recent and what is late */
    const struct overrides *overrides;               /* never NULL */
    const struct classifications *classifications;   /* never NULL */
    const struct aliases *aliases;                   /* never NULL */
    const struct server_pools *pools;                /* NULL: there are none; so of all below that may be missing */
    const struct host_names *resolved;               /* name asked for -> name found */
    const struct host_names *unresolved;             /* host -> the name that stands for it in CHANGE MASTER */
    const struct host_filters *problems_ignored;     /* ProblemIgnoreHostnameFilters */
    const struct host_filters *recoveries_ignored;   /* RecoveryIgnoreHostnameFilters */
    const struct config_many *recoveries_ignored_texts;
    const struct host_filters *osc_ignored;          /* OSCIgnoreHostnameFilters */
    bool is_pool_exact;                              /* servers of a pool are named in full (SupportFuzzyPoolHostnames) */
    const struct fleet_samples *samples;             /* agent/fleet_samples.h */
    int flush_ms;                                    /* InstanceFlushIntervalMilliseconds */
    uint16_t default_port;                           /* DefaultInstancePort */
    uint64_t changes;                                /* rises when somebody said something, or a server is not as it was. 0: nobody counts */
    struct fc_time now;
    int64_t unix_ms;                                 /* the wall clock at `now` */
    const char *node, *token;                        /* ours; "" in a command */
};

#endif
