/* One name for another: what names resolve to (hostname_resolve), and which name stands for a host in CHANGE MASTER, because an
 * operator registered it (hostname_unresolve). A table for each; rows end. Moments are of the loop's clock. */
#ifndef FC_MODEL_HOST_NAMES_H
#define FC_MODEL_HOST_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/moment.h"
#include "base/room.h"
#include "model/names.h"

#define HOST_NAMES_MAX 65536u

struct host_name { name_id host, other; struct fc_time since, until; };

struct host_names {
    struct room *room;
    struct names *names;             /* borrowed: the topology's */
    struct host_name *list;          /* sorted by host, as text */
    uint32_t count, capacity;
};

void host_names_init(struct host_names *table, struct room *room, struct names *names);
void host_names_done(struct host_names *table);        /* before the names */

/* Sets or replaces. FC_BAD_INPUT: one of them is no host name (empty, longer than 127 bytes, blanks, control bytes, ','); FC_BUSY: the
 * bound; FC_NO_MEMORY. Nothing changes unless FC_OK. */
enum fc_code host_names_set(struct host_names *table, const char *host, const char *other, struct fc_time now, struct fc_time until,
                            struct fc_err *err);
bool host_names_remove(struct host_names *table, const char *host);      /* false: it was not there */
void host_names_clear(struct host_names *table);
/* "" when there is none, or it has ended. */
const char *host_names_of(const struct host_names *table, const char *host, struct fc_time now);
/* Takes out what has ended. The earliest end that is still to come; FC_NEVER: none. */
struct fc_time host_names_expire(struct host_names *table, struct fc_time now);

#endif
