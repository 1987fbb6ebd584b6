/* What the other nodes see of a server of the store: asked by their agent-check ports ("NAME sight POOL/SERVER"), when it
 * refuses this node. The question causes a look there. One conversation a node at a time; who does not answer within the bound
 * could not be asked. */
#ifndef FC_AGENT_SIGHTS_H
#define FC_AGENT_SIGHTS_H

#include "backends/host.h"
#include "core/config.h"
#include "core/event.h"

#define SIGHTS_LIMIT_MS 150

struct sights;

/* feed takes one SIGHT_SEEN for each node, from the loop, never from within sights_look. */
typedef void sights_feed(void *owner, const struct event *event);
struct sights *sights_new(const struct host *host, const struct config *config, const char *own_name, sights_feed *feed,
                          void *owner);    /* NULL when out of memory */
void sights_free(struct sights *sights);
/* server: its index in the store, for the event, and its name in the pool. A node whose last answer is still awaited is left out. */
void sights_look(struct sights *sights, const char *pool, int server, const char *name);

#endif
