/* In which binary logs do a server's errant transactions stand? The server itself is asked, with the account that looks at the fleet, over a
 * session of its own: what it has and which logs there are, then of each log how it begins, the newest first, until all are found
 * (judge/errant_logs.h). */
#ifndef FC_AGENT_FLEET_ERRANT_H
#define FC_AGENT_FLEET_ERRANT_H

#include "agent/doors/desk.h"
#include "agent/picture.h"
#include "backends/host.h"
#include "core/config.h"

#define FLEET_ERRANTS_MAX 4            /* asked for at one time */
#define FLEET_ERRANT_MS 8000           /* of all of it; a door waits longer */
#define FLEET_ERRANT_LOGS_MAX 1000     /* whose beginnings are read */

struct fleet_errants;

/* Both are borrowed and outlive it. NULL: no memory. */
struct fleet_errants *fleet_errants_new(const struct host *host, const struct config *config);
void fleet_errants_free(struct fleet_errants *errants);          /* NULL is fine; nobody is told */
/* Answered once, later, with a whole envelope; its Details are names of logs, the oldest first. False: too many ask. */
bool fleet_errants_ask(struct fleet_errants *errants, const struct picture *picture, const struct instance_key *key, uint64_t ticket,
                       desk_report *reply, void *waiter);
void fleet_errants_drop(struct fleet_errants *errants, uint64_t ticket);

#endif
