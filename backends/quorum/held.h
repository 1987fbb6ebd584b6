/* Up to where this node has said that it holds the log: the defence against a disk that lost the end of what it had called durable.
 *
 * Raft's segments cannot tell a last entry that was being written when the process died (nobody was told of it) from one that was
 * confirmed and is lost: the library takes both for the first, and drops it. A voter that confirmed an entry, lost it and votes can
 * lead a majority past an answered order. So the highest index that was confirmed stands in a file of its own, `held` in RaftDataDir,
 * and a node whose log ends before it neither votes nor stands until a leader has given it as much again: that leader was elected
 * without its vote, so by a majority in which somebody holds what was decided (consensus_io.c).
 *
 * One mapped page, so that a mark costs no call and waits for no disk: it survives any end of the process, and the end of the machine
 * as far as the kernel has written it back (within half a minute). A disk that loses what it called durable together with the mark is
 * not seen. Removing the file while the node is stopped gives up what is missing: for the day when all nodes lack something. */
#ifndef FC_BACKENDS_QUORUM_HELD_H
#define FC_BACKENDS_QUORUM_HELD_H

#include <stdint.h>

#include "base/err.h"

struct held_page;

struct held { struct held_page *page; };     /* NULL: not opened; every call is harmless */

/* Made where there is none. FC_STORE: it cannot be read or made, or is not ours. */
enum fc_code held_open(const char *dir, struct held *ret, struct fc_err *err);
uint64_t held_index(const struct held *held);            /* 0: nothing was ever confirmed */
void held_set(struct held *held, uint64_t index);        /* also lower: a later leader had the end of the log taken back */
void held_close(struct held *held);

#endif
