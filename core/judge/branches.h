/* Servers sorted by master, so that the replicas of each stand side by side: what both trees walk by (tree.c, past.c). */
#ifndef FC_JUDGE_BRANCHES_H
#define FC_JUDGE_BRANCHES_H

#include <stddef.h>
#include <stdint.h>

/* Each row begins with its master, a uint32_t, and the list rises by it. The first row of this master; *end is behind the last: the same when there
 * is none. */
uint32_t branches_below(const void *rows, size_t row_size, uint32_t count, uint32_t master, uint32_t *end);

#endif
