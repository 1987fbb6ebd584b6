/* The picture as JSON, for every door that shows it: order socket, HTTP, Redis. Fields: docs/status-json.md, printed from the
 * same tables.
 *
 * Names are those of core/status.h. Enumerations are words. An age that does not exist (never seen) is null, not -1, so that
 * nobody takes it for fresh. A moment of the wall clock comes twice: "x" as RFC 3339 text in UTC and "x_unix_ms" as a number;
 * both are null when there is none. Bytes that are not UTF-8 become '?', so that every answer can be parsed.
 *
 * Each function returns text from malloc, to be freed by the caller, or NULL when out of memory. */
#ifndef FC_AGENT_STATUS_JSON_H
#define FC_AGENT_STATUS_JSON_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "core/status.h"

char *status_json_print(const struct status *status);             /* the whole picture */

/* Parts, each with "seq", "epoch" and "node" (who says so), as they go to Redis. */
char *status_json_node(const struct status *status);               /* everything but the lists */
char *status_json_pool(const struct status *status, int pool);     /* 0 <= pool < status->pool_count */
char *status_json_event(const char *node, const struct status_event *event);

/* Lists, for HTTP. */
char *status_json_pools(const struct status *status);              /* [pool] */
char *status_json_events(const struct status *status, int most);   /* [event], oldest first, at most so many of the latest */

/* A string that is certainly UTF-8; NULL when out of memory. The tree owns it once added. */
cJSON *json_text(const char *text);

/* A whole number with all its digits: a double is printed by cJSON with 15 of them where it thinks that enough, or as 7.3e+15. NULL when
 * out of memory. The tree owns it once added. */
cJSON *json_unsigned(uint64_t number);

/* "2026-11-22T22:41:03.123Z" */
#define RFC3339_SIZE 32
void rfc3339_of_unix_ms(int64_t unix_ms, char to[RFC3339_SIZE]);

const char *note_level_word(enum note_level level);                 /* "debug", "info", "warning", "alarm" */

/* Prints docs/status-json.md. */
void status_json_docs_print(FILE *to);

#endif
