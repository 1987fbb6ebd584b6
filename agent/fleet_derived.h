/* What follows from what is seen, as rows for those who read the store: which alias and which domain a cluster has, and which name of a server
 * was found to be another one's. The rows are said again long before they end. */
#ifndef FC_AGENT_FLEET_DERIVED_H
#define FC_AGENT_FLEET_DERIVED_H

#include "agent/fleet_rows.h"
#include "backends/fleet_store.h"

#define FLEET_DERIVED_AGAIN_S 600      /* a row is said again after so long, or after a quarter of its life */
#define FLEET_DERIVED_SLICE 500        /* names that are said again in one second */

struct fleet_derived {                 /* begin with zeros */
    uint32_t next;                     /* name that is said next */
    struct fc_time round_at;           /* the next round begins */
};

/* A row of this server goes to the store: if it heads a cluster, what its cluster is called. `name_life`: ExpiryHostnameResolvesMinutes. */
void fleet_derived_cluster(struct fleet_store *store, const struct watch *watch, member_id id, struct fc_span name_life,
                           const struct both_clocks *clocks);
/* A server is gone: no cluster is called by it. If it was found to be known by another name, that is kept, also as history. */
void fleet_derived_gone(struct fleet_store *store, const struct watch *watch, const struct instance_key *key, const struct both_clocks *clocks);
/* Once a second. */
void fleet_derived_second(struct fleet_derived *derived, struct fleet_store *store, const struct watch *watch, struct fc_span name_life,
                          const struct both_clocks *clocks);
/* A host has this virtual name, by a row of hostname_unresolve: kept as history too, which outlives the word. */
void fleet_derived_virtual_name(struct fleet_store *store, const struct fleet_row *row);
/* Names are resolved anew: what was found is taken out of the store; memory is the caller's to clear, after it. */
void fleet_derived_forget_names(struct fleet_store *store, const struct watch *watch, const struct both_clocks *clocks);

#endif
