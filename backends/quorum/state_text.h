/* The shared state as a text that can be kept (raft-backup) and given to a new group (raft-restore):
 *
 *   firstchair-raft-state 1
 *   node NAME index N                        where it was taken, for people
 *   bytes N
 *   (lines of hex: shared_state_encode's bytes, which end in their checksum)
 *   end
 *
 * It holds no vote, no member and no key. */
#ifndef FC_BACKENDS_QUORUM_STATE_TEXT_H
#define FC_BACKENDS_QUORUM_STATE_TEXT_H

#include "backends/quorum/shared_state.h"

#define STATE_TEXT_MAX (3 * SHARED_STATE_SIZE)

/* From malloc; NULL: out of memory. */
char *state_text_make(const struct shared_state *state, const char *node, uint64_t index);
/* FC_BAD_INPUT: no such text, cut off, or changed; *ret is untouched then. */
enum fc_code state_text_read(const char *text, size_t length, struct shared_state *ret, struct fc_err *err);

#endif
