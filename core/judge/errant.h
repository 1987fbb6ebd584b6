/* Does a replica hold transactions that its master does not: written on it, or left over from another life? Of MySQL by sets, of
 * MariaDB by the last place of each domain. spec/discovery.md 9.
 *
 * The master's observation may be older than the replica's; what the master or those above it wrote since is not errant. */
#ifndef FC_JUDGE_ERRANT_H
#define FC_JUDGE_ERRANT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/room.h"
#include "model/topology.h"

struct gtid_interval;
struct gtid_place;

/* Memory for parsing, kept between calls: begin with zeros and a room. */
struct errant_desk {
    struct room *room;
    struct gtid_interval *intervals;
    struct gtid_place *places;
    size_t interval_room, place_room;
};

void errant_desk_done(struct errant_desk *desk);

enum errant { ERRANT_NO = 0, ERRANT_YES, ERRANT_UNKNOWN };
/* Unknown: one of the two was not seen, uses no GTID, prints one that we do not understand, or memory is out. */
enum errant errant_judge(struct errant_desk *desk, const struct topology *topology, member_id replica);
/* Which ones: of MySQL the set, of MariaDB the last place of each domain that has any. Memory of the desk's room, the caller's to
 * release; NULL: none, unknown, or no memory. */
char *errant_text(struct errant_desk *desk, const struct topology *topology, member_id replica);

#endif
