/* A server as the fleet knows it, as a row of database_instance, and back: what is written for other tools, and what a restart or
 * a new leader starts from. Which column means what: spec/schema.md 4.1, spec/discovery.md 10. */
#ifndef FC_BACKENDS_FLEET_INSTANCE_H
#define FC_BACKENDS_FLEET_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/fleet/fleet_row.h"
#include "base/moment.h"
#include "model/classification.h"
#include "model/instance.h"
#include "model/topology.h"

/* Both clocks read at once: rows have the wall's seconds, memory the loop's moments. */
struct fleet_clock { struct fc_time now; int64_t unix_ms; };
int64_t fleet_unix_of(const struct fleet_clock *clock, struct fc_time moment);         /* 0: FC_EVER, FC_NEVER */
struct fc_time fleet_moment_of(const struct fleet_clock *clock, int64_t unix_seconds); /* FC_EVER: 0 */

/* ---- writing ---- */

#define FLEET_LIST_SIZE 65536        /* a JSON list of servers: what the column holds; more are not listed (their number is told) */
/* Where the row's texts lie that are made for it; begin with anything, one at a time. */
struct fleet_instance_texts {
    char cluster[192], major[16], ancestry[2048];
    char replicas[FLEET_LIST_SIZE], members[8192];
};
struct fleet_instance_words {        /* of rooms above: NULL is "" */
    const char *cluster_alias;       /* suggested_cluster_alias */
    const char *errant;              /* gtid_errant */
};

/* The row of a known server, seen or not. Borrowed from topology, classifications and `texts`. */
void fleet_instance_row(struct topology *topology, const struct classifications *classifications, member_id id,
                        const struct fleet_instance_words *words, const struct fleet_clock *clock, struct fleet_instance_texts *texts,
                        struct fleet_row *ret);

/* ---- reading ---- */

struct fleet_instance {
    struct instance_seen seen;       /* as far as the row tells; borrowed from the row and from here */
    struct channel_seen channel;
    struct replica_listed *replicas; /* heap */
    char *names;                     /* heap: their hosts */
    bool was_seen;                   /* at some time: `seen` says something */
    bool is_seen;                    /* the last look was good */
    bool is_partly_seen;
    struct fc_time checked_at, seen_at;     /* FC_EVER: never */
    const char *cluster, *cluster_alias;    /* as it was named; borrowed from the row */
    struct detected detected;        /* data center, region, environment, alias: as classified when it was written */
};

/* False: no memory, or the row names no server; then nothing is held. */
bool fleet_instance_read(const struct fleet_row *row, const struct fleet_clock *clock, struct fleet_instance *ret);
void fleet_instance_done(struct fleet_instance *instance);

#endif
