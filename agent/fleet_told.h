/* Findings as they were told before the start, by rows of database_instance_last_analysis. They come before their servers or after them, so
 * they wait until all is read. */
#ifndef FC_AGENT_FLEET_TOLD_H
#define FC_AGENT_FLEET_TOLD_H

#include "backends/fleet/fleet_row.h"
#include "watch/watch.h"

#define FLEET_TOLD_MAX WATCH_SERVERS_MAX       /* more are passed over: those are told again */

struct fleet_finding { char host[INSTANCE_HOST_MAX + 1]; uint16_t port; enum analysis_code code; };
struct fleet_told { struct fleet_finding *list; uint32_t count, room; };      /* begin with zeros */

void fleet_told_row(struct fleet_told *told, const struct fleet_row *row);
/* All is read: they count, and the list is empty again. */
void fleet_told_count(struct fleet_told *told, struct watch *watch);
void fleet_told_done(struct fleet_told *told);

#endif
