/* Who replicates from whom, kept as history: one row a server in database_instance_topology_history, all of one moment. Rows are made a slice
 * a turn of the loop and written behind in batches; a snapshot is done when the last of them stands in the store. */
#ifndef FC_AGENT_FLEET_SNAPSHOT_H
#define FC_AGENT_FLEET_SNAPSHOT_H

#include "backends/fleet_store.h"
#include "backends/host.h"
#include "base/err.h"
#include "watch/watch.h"

#define FLEET_SNAPSHOT_SLICE 500       /* servers a turn of the loop */
#define FLEET_SNAPSHOT_MS 30000        /* the store has not taken all of it: told so */

struct fleet_snapshot;

struct fleet_snapshot_port {
    void *owner;
    /* Of an order (ticket not 0) or by the clock. `text` of FC_OK: "Took 12ms". */
    void (*done)(void *owner, uint64_t ticket, enum fc_code code, const char *text);
};

struct fleet_snapshot *fleet_snapshot_new(const struct host *host, struct watch *watch, const struct fleet_snapshot_port *port);
void fleet_snapshot_free(struct fleet_snapshot *snapshot);       /* before the store is closed; NULL is fine */
/* FC_OK: `done` comes later, never from within. FC_BUSY: one is under way, or the store is not read yet. */
enum fc_code fleet_snapshot_take(struct fleet_snapshot *snapshot, struct fleet_store *store, uint64_t ticket, struct fc_err *err);
/* Each time the wall clock has gone on by so many hours since 1970: whoever keeps the fleet then does it. 0: never. */
void fleet_snapshot_every(struct fleet_snapshot *snapshot, struct fleet_store *store, int hours);

#endif
