/* Who has asked the boards for a server, and what was heard: this node's own board and, by their agent-check ports, those of the
 * other nodes. One round at a time; a node that does not answer within the bound has said nothing. */
#ifndef FC_AGENT_ASKERS_H
#define FC_AGENT_ASKERS_H

#include "agent/doors/board.h"
#include "backends/host.h"
#include "core/config.h"
#include "core/event.h"

#define ASKERS_LIMIT_MS 150

struct askers;

/* feed takes one ASKERS_SEEN for each node that has answered, from the loop, never from within askers_look. */
typedef void askers_feed(void *owner, const struct event *event);
struct askers *askers_new(const struct host *host, const struct config *config, const char *own_name, const struct board *board,
                          askers_feed *feed, void *owner);    /* NULL when out of memory */
void askers_free(struct askers *askers);
/* While a round is under way nothing is begun. */
void askers_look(struct askers *askers, const char *pool, const char *server);

#endif
