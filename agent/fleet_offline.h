/* What a running node would answer, without one: the store of the configuration is opened and read once, as a node that does not lead reads
 * it, and the question is answered from its rows. Nothing is written, nobody is looked at; an order is refused. For commands only. */
#ifndef FC_AGENT_FLEET_OFFLINE_H
#define FC_AGENT_FLEET_OFFLINE_H

#include "base/err.h"
#include "core/config.h"

#define FLEET_OFFLINE_MS 30000         /* of each server of the store that is read, and of a page */

/* Is there something to be read at all? A SQLite file that is not there is none: it is not made. */
bool fleet_offline_has_store(const struct config *config);
/* The store by its name for people: a file, or host:port. */
void fleet_offline_place(const struct config *config, char *to, size_t size);
/* The answer to a path with its query, as JSON of malloc. The configuration is the caller's copy, and may be changed.
 * FC_REFUSED: an order, or a path that is not about the fleet. FC_STORE, FC_UNREACHABLE, FC_TIMEOUT, FC_BAD_INPUT, FC_NO_MEMORY. */
enum fc_code fleet_offline_ask(struct config *config, const char *path, char **body, struct fc_err *err);

#endif
