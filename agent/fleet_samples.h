/* What a keeper of a fleet has done in the last minutes, a sample a second and a sample a statement of its store: for the routes that dashboards
 * of orchestrator ask for figures. Two rings; what is not kept any more is not told. */
#ifndef FC_AGENT_FLEET_SAMPLES_H
#define FC_AGENT_FLEET_SAMPLES_H

#include "backends/fleet_store.h"

#define FLEET_SECONDS_MAX 300
#define FLEET_STATEMENTS_MAX 4096

struct fleet_second { int64_t unix_ms; uint32_t active, queued; };      /* looks under way; due, and not begun */

struct fleet_samples {
    struct fleet_second seconds[FLEET_SECONDS_MAX];
    uint64_t second_count;             /* ever */
    struct fleet_statement statements[FLEET_STATEMENTS_MAX];
    uint64_t statement_count;
};

#endif
