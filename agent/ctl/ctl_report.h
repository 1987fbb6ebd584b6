/* The report of verify-backends as a table for people (agent/verify.h says what is in it). */
#ifndef FC_CTL_REPORT_H
#define FC_CTL_REPORT_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "agent/ctl/ctl_tables.h"

/* What is missing, as it stands in the picture (docs/status-json.md); prints nothing when nothing is. */
void ctl_print_needs(FILE *to, const cJSON *status, struct ctl_style style);
void ctl_print_report(FILE *to, const cJSON *report, struct ctl_style style);

#endif
