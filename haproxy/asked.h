/* One node's answer to another: who asked its board for a server, and what was heard. Bytes both ways; a pure parser, fuzzed.
 *
 * "fc-askers N\n", then a line for each asker: "NAME SOURCE EPOCH AGE FIRST PROMPT BEFORE\n" in the units of struct asked_row,
 * "-" for what is not there. Told to nodes only: to HAProxy these would be unknown words. */
#ifndef FC_HAPROXY_ASKED_H
#define FC_HAPROXY_ASKED_H

#include <stddef.h>

#include "base/err.h"
#include "core/event.h"

#define ASKED_ANSWER_SIZE (16 + ASKED_ROWS_MAX * 256)

/* Returns the length. Rows of which there is no room are left out, and so missing in N as well. */
size_t asked_format(const struct asked_row *rows, int count, char *to, size_t size);
/* Fills at most ASKED_ROWS_MAX rows. Anything that is not wholly such an answer yields a code and one sentence. */
enum fc_code asked_parse(const char *bytes, size_t length, struct asked_row rows[ASKED_ROWS_MAX], int *count, struct fc_err *err);

#endif
