/* Probing the servers of a fleet: one persistent session a server, all readings of a probe in one round trip.
 *
 * A probe ends in exactly one word: `seen` or `lost`. Between two probes a session that ends is told at once by `lost` with
 * PROBE_IDLE, once; the next probe connects anew. Each wait has a bound: name, connect, greeting and first round trip together
 * connect_limit; all reading of one probe read_limit behind it.
 *
 * In a round trip of several statements the first that fails ends the rest. So what failed is remembered, the others are asked
 * in another round trip of the same probe, and what failed is left out (and marked as missing) for PROBE_ASIDE_MS, after which the
 * connection is made anew, because a session keeps the privileges that it had when it began. A reading that hung while others
 * came back is left out likewise: a server that answers is not taken for a dead one because one lock is held there. */
#ifndef FC_BACKENDS_MYSQL_PROBE_H
#define FC_BACKENDS_MYSQL_PROBE_H

#include <stdbool.h>

#include "backends/host.h"
#include "backends/mysql/mysql_session.h"
#include "model/classification.h"
#include "model/instance.h"

#define PROBE_ASIDE_MS 60000
#define PROBE_QUERIES (CLASSIFIED_COUNT + 1)
#define PROBE_QUERY_LAG CLASSIFIED_COUNT

struct mysql_prober_setting {
    config_text user, password;
    struct mysql_tls tls;                 /* its files are borrowed for the life of the prober */
    struct fc_span connect_limit, read_limit;      /* both > 0 */
    /* The operator's, asked with each probe; NULL or "": none. Borrowed likewise. The last one, ReplicationLagQuery: its number takes the place of
     * Seconds_Behind_Master of the channel that counts (instance_channel()). */
    const char *queries[PROBE_QUERIES];
    struct fc_span connection_life;       /* a session is made anew after so long; 0: never */
};

struct mysql_prober;                      /* what all probes of a node share */
struct mysql_probe;                       /* one server */

/* Borrowed for the call. `owner` is the probe's. It may be closed from within. */
typedef void mysql_probe_seen(void *owner, const struct instance_seen *seen);
typedef void mysql_probe_lost(void *owner, const struct instance_lost *lost);

/* `setting` is copied. NULL: out of memory. */
struct mysql_prober *mysql_prober_open(const struct host *host, const struct mysql_prober_setting *setting, mysql_probe_seen *seen,
                                       mysql_probe_lost *lost);
void mysql_prober_close(struct mysql_prober *prober);      /* after its probes; NULL is fine */

/* Within `seen`: what the queries of that probe brought, borrowed like the observation. */
const struct detected *mysql_prober_detected(const struct mysql_prober *prober);

/* `key` is copied. Nothing happens yet. NULL: out of memory. */
struct mysql_probe *mysql_probe_open(struct mysql_prober *prober, const struct instance_key *key, void *owner);
void mysql_probe_close(struct mysql_probe *probe);         /* NULL is fine; a word not yet given is not given any more */
/* False: the last one is still under way, and nothing new begins. */
bool mysql_probe_start(struct mysql_probe *probe);
bool mysql_probe_is_busy(const struct mysql_probe *probe);
/* Round trips of the last probe behind the first one of a connection. 1 when all is permitted. */
int mysql_probe_round_trips(const struct mysql_probe *probe);

#endif
