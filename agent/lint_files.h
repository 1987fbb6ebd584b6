/* `firstchair lint-haproxy FILE...`: reads the files, prints what haproxy/lint.h finds. */
#ifndef FC_AGENT_LINT_FILES_H
#define FC_AGENT_LINT_FILES_H

#include <stdio.h>

#include "base/err.h"
#include "core/config.h"

/* The files in the order in which HAProxy's -f has them; "-" is standard input. Prints to standard output, a line a finding and a
 * summary. FC_OK: no error and no warning was found; FC_FINDINGS: some were; else `err` says why nothing could be said. */
enum fc_code lint_files(const struct config *config, const char *const *paths, int count, struct fc_err *err);

/* docs/haproxy-lint.md, from the tables of rules. */
void lint_docs_print(FILE *to);

#endif
