/* Is somebody at a server's port? Its name is looked up on a worker, then a TCP connection is tried to one address after the other;
 * nothing is said over it. For the order `resolve`. */
#ifndef FC_AGENT_FLEET_KNOCK_H
#define FC_AGENT_FLEET_KNOCK_H

#include "backends/host.h"
#include "base/err.h"
#include "model/instance.h"

#define FLEET_KNOCKS_MAX 16            /* at one time */
#define FLEET_KNOCK_ADDRESSES_MAX 8    /* of one name */
#define FLEET_KNOCK_MS 5000            /* of the name, then of all its addresses */

struct fleet_knocks;

struct fleet_knocks_port {
    void *owner;
    /* FC_OK: connected, `text` says to which address. FC_NOT_FOUND: no such name; FC_UNREACHABLE, FC_TIMEOUT. */
    void (*done)(void *owner, uint64_t ticket, enum fc_code code, const char *text);
};

struct fleet_knocks *fleet_knocks_new(const struct host *host, const struct fleet_knocks_port *port);      /* NULL: no memory */
void fleet_knocks_free(struct fleet_knocks *knocks);   /* NULL is fine; nobody is told */
/* FC_OK: `done` comes later, never from within. FC_BUSY, FC_NO_MEMORY. */
enum fc_code fleet_knock(struct fleet_knocks *knocks, const struct instance_key *key, uint64_t ticket, struct fc_err *err);

#endif
