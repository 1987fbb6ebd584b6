/* The picture as numbers, in Prometheus' text form. Families and their meaning: one table in metrics.c; a family without a
 * value at the moment (never seen) has no sample, so that nobody takes -1 for a measurement. */
#ifndef FC_AGENT_METRICS_H
#define FC_AGENT_METRICS_H

#include <stdio.h>

#include "agent/doors/desk.h"
#include "core/status.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Text from malloc, freed by the caller; NULL when out of memory. */
char *metrics_print(const struct status *status, const struct desk_counters *counters);

/* Prints docs/metrics.md. */
void metrics_docs_print(FILE *to);

#endif
