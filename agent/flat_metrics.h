/* The numbers that dashboards of orchestrator read as flat JSON, name -> number. Of its names those that are counted here; a number that
 * is not known is left out. */
#ifndef FC_AGENT_FLAT_METRICS_H
#define FC_AGENT_FLAT_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/doors/desk.h"
#include "core/status.h"

struct flat_asked {
    const struct status *status;
    const struct desk_counters *counters;
    bool is_healthy, is_raft_healthy;    /* as /api/health and /api/raft-health say; the second counts with counters->has_raft */
};

/* From malloc, the caller's; NULL: out of memory. */
char *flat_metrics_print(const struct flat_asked *asked);
/* Their part of docs/metrics.md. */
void flat_metrics_docs_print(FILE *to);

#endif
