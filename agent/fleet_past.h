/* A cluster as it once was, from the store's snapshots: the newest whose moment ("2026-11-20 10:00:00" of UTC, or seconds since
 * 1970) fits a pattern and in which the server is, then the servers that were of its cluster, as a tree (judge/past.h). */
#ifndef FC_AGENT_FLEET_PAST_H
#define FC_AGENT_FLEET_PAST_H

#include "agent/doors/desk.h"
#include "agent/fleet_pages.h"

#define FLEET_PASTS_MAX 2              /* asked for at one time */
#define FLEET_PAST_SNAPSHOTS_MAX 4000  /* that are looked at, the newest first: one an hour makes 166 days */
#define FLEET_PAST_MS 8000             /* of all of it; a door waits longer */

struct fleet_pasts;

struct fleet_pasts *fleet_pasts_new(const struct host *host);
void fleet_pasts_free(struct fleet_pasts *pasts);                /* after the store was closed; NULL is fine */
/* Answered once, later, with a whole envelope: its Message says of which snapshot. FC_NOT_FOUND: none fits. False: too many ask, or the store is
 * not read here. `asked`: fleet_page_meant() has found its pattern to be one. `store` NULL: there are no snapshots. */
bool fleet_pasts_ask(struct fleet_pasts *pasts, struct fleet_store *store, const struct fleet_page_asked *asked, uint64_t ticket,
                     desk_report *reply, void *waiter);
void fleet_pasts_drop(struct fleet_pasts *pasts, uint64_t ticket);

#endif
