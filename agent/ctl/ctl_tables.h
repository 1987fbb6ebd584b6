/* The picture as people read it in a terminal: aligned tables and plain sentences, from the daemon's JSON (status-json.md).
 *
 * Ages count from the picture's own time, so the same JSON always gives the same text. A missing field reads as "" or 0. */
#ifndef FC_CTL_TABLES_H
#define FC_CTL_TABLES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct ctl_style { bool has_colour; };

/* Control bytes in any string become '.': what a server calls itself must not steer the operator's terminal. */
void ctl_make_plain(cJSON *json);

/* "db1 sits (epoch 9, since 12 s): operator's switch" */
void ctl_pool_sentence(FILE *to, const cJSON *status, const cJSON *pool);

void ctl_print_status(FILE *to, const cJSON *status, struct ctl_style style);
void ctl_print_pools(FILE *to, const cJSON *status, struct ctl_style style);
/* The last `count` events, oldest first; 0 = all. */
void ctl_print_events(FILE *to, const cJSON *status, int count, struct ctl_style style);
/* ctl_told.c: the document of `explain` and `plan` (agent/explain_json.h), and of `history`, oldest first. */
void ctl_print_explain(FILE *to, const cJSON *explain, struct ctl_style style);
void ctl_print_history(FILE *to, const cJSON *history, struct ctl_style style);
/* One section of the live picture. */
void ctl_print_watch(FILE *to, const cJSON *status, struct ctl_style style);

/* "0.4 s", "12 s", "3 min 5 s", "2 h 5 min", "3 d 4 h"; negative is "never". */
void ctl_span_text(int64_t ms, char *to, size_t size);

#endif
