/* Where leadership comes from. Two kinds: the deciding row of the store (backends/lease.h) and the quorum
 * (backends/quorum/quorum_store.h). Which one is chosen once, at the start; the core hears the same events from either:
 * LEASE_GRANTED, LEASE_DENIED, STORE_SILENT, and of a pair CHAIR_GRANTED and CHAIR_REVOKED. */
#ifndef FC_BACKENDS_LEADER_SOURCE_H
#define FC_BACKENDS_LEADER_SOURCE_H

#include <stdbool.h>

#include "backends/store.h"
#include "core/effect.h"

struct leader_source {
    void *self;
    /* Facts of the store. */
    void (*saw)(void *self, int server, const struct server_look *look, struct fc_time sent_at, struct fc_time now);
    void (*lost)(void *self, int server, struct fc_time now);
    void (*wrote)(void *self, const struct store_result *result, struct fc_time now);
    /* Orders of the core: STAND; INTEND, SEAT and GIVE_BACK, each of which ends with a DEED_ENDED. */
    void (*stand)(void *self, bool stands, struct fc_time now);
    void (*command)(void *self, const struct effect *effect, struct fc_time now);
    /* The row by which this node leads a pair: what a fence leaves on the server that it closes. NULL: it does not lead. */
    const struct decision *(*row)(void *self);
};

#endif
