/* What a seating could not assure, as it stands in the deciding row, with what is needed to make good for it later.
 *
 * mark: words of "unfenced" and "stale", the latter with the wall clock's second from which on writes may be missing:
 * "unfenced stale@1790000000". The row's `why` of an unfenced seating ends in "(fetched to FILE:OFFSET)": so far the new
 * server had fetched the old one's log. What the old one wrote after that, it took alone. */
#ifndef FC_MODEL_MARK_H
#define FC_MODEL_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/decision.h"
#include "model/look.h"

/* stale_since_unix_ms: 0 = not known. */
void mark_write(bool is_unfenced, bool is_stale, int64_t stale_since_unix_ms, char to[MARK_SIZE]);
/* The words alone: "unfenced stale". */
void mark_words(const char *mark, char *to, size_t size);
bool mark_is_unfenced(const char *mark);
bool mark_is_stale(const char *mark);
int64_t mark_stale_since_ms(const char *mark);       /* 0: not stale, or not known */

/* Ends `why` with the position, cutting what was said before if it must. An unknown position adds nothing. */
void fetched_to_write(char why[WHY_SIZE], const struct log_position *position);
bool fetched_to_read(const char *why, struct log_position *ret);

/* What a server that was replaced unfenced wrote, and nobody else, found in its binary log. */
struct alone {
    uint32_t transactions;           /* of clients */
    uint32_t own;                    /* firstchair's own (lease, orders, node health) */
    bool is_more;                    /* the count was ended by a bound */
    char first[64], last[64];        /* GTIDs of the clients'; "" without GTID */
    struct log_position end;         /* how far its log was read */
};

#endif
