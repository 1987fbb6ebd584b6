/* A cluster of a snapshot as text: who replicated from whom at one moment. Names alone, for a snapshot keeps nothing else:
 *
 *      db1:3306
 *      + db2:3306
 *        + db4:3306
 *
 * Servers of a ring have no master above them: each begins a branch. Whose master is not in the snapshot stands at the left. */
#ifndef FC_JUDGE_PAST_H
#define FC_JUDGE_PAST_H

#include <stddef.h>
#include <stdint.h>

#include "base/room.h"
#include "model/instance.h"

struct past_server { struct instance_key key, master; };       /* master.host "": none. Texts are borrowed */

/* Sorts the list. Lines end with a line break but the last. Returns the length of all of it, also when that is not below `size` (then it is
 * cut); 0: none, or no memory. */
size_t past_print(struct past_server *list, uint32_t count, struct room *room, char *to, size_t size);

#endif
