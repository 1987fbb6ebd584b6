/* Recoveries that a person says to have seen: they are found in the store, a chunk at a time, and each is a word of its own
 * (agent/fleet_words.h), so that it is durable where other words are. A recovery that was active blocks nothing any more. */
#ifndef FC_AGENT_FLEET_ACKS_H
#define FC_AGENT_FLEET_ACKS_H

#include "act/fleet_orders.h"
#include "agent/fleet_words.h"
#include "backends/fleet_store.h"

#define FLEET_ACKS_MAX 4               /* orders whose recoveries are being looked for */
#define FLEET_ACK_CHUNKS_MAX 500       /* of 200 recoveries each: older ones have been deleted */

struct fleet_acks;

struct fleet_acks_port {
    void *owner;
    /* There was nothing to say, or it could not be said: the order has ended. */
    void (*done)(void *owner, uint64_t ticket, enum fc_code code, const char *text);
};

struct fleet_acks *fleet_acks_new(struct fleet_words *words, const struct fleet_acks_port *port);      /* NULL: no memory */
void fleet_acks_free(struct fleet_acks *acks);         /* after the store was closed; NULL is fine */

/* Is this recovery meant, and still to be said? Of a cluster: by its name or its alias at the time. */
bool fleet_ack_fits(const struct fleet_order *order, const struct fleet_row *recovery);
/* FC_OK: it ends later, by `done` or by that of the words. FC_BUSY with a sentence. */
enum fc_code fleet_acks_ask(struct fleet_acks *acks, struct fleet_store *store, const struct fleet_order *order, uint64_t ticket, int64_t unix_s,
                            struct fc_err *err);

#endif
