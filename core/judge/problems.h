/* What is wrong with single servers, as `problems` tells it: one of the first rows, the first that fits, and every later one that does.
 * Times are asked of the clock, so this is counted when somebody asks. */
#ifndef FC_JUDGE_PROBLEMS_H
#define FC_JUDGE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/moment.h"
#include "judge/facts.h"
#include "judge/traits.h"
#include "model/topology.h"

enum problem {                       /* bits of a mask, in the order in which they are told */
    PROBLEM_LAST_CHECK_INVALID, PROBLEM_NOT_RECENTLY_CHECKED, PROBLEM_NOT_REPLICATING, PROBLEM_REPLICATION_LAG,
    PROBLEM_ERRANT_GTID, PROBLEM_GROUP_MEMBER_NOT_ONLINE, PROBLEM_DEGRADED_PROBE, PROBLEM_MULTI_SOURCE, PROBLEM_REPLICATES_FROM_ITSELF,
    PROBLEM_COUNT
};

struct problem_view {                /* one server, now */
    const struct member *member;
    const struct traits *traits;     /* for problems_of() */
    const struct analysis_policy *policy;
    struct fc_time now;
};

struct problem_row {
    enum problem problem;
    const char *word;                /* orchestrator's, or ours (the last three) */
    bool is_first_only;              /* told only when no row above fitted */
    bool (*fits)(const struct problem_view *view);
    const char *meaning;
};

extern const struct problem_row problem_rows[PROBLEM_COUNT];

uint32_t problems_of(const struct problem_view *view);
/* Was the last look good, and is it recent? */
bool problems_is_looked_at(const struct problem_view *view);
bool problems_is_recent(const struct problem_view *view);        /* a look ended within five periods, either way */
/* invalid, unchecked, nonreplicating, lag, ok. */
const char *problems_status_word(const struct problem_view *view);
/* detached, unknown, null, or the lag as "7s". */
void problems_lag_word(const struct problem_view *view, char *to, size_t size);

#endif
