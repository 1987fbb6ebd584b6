/* The other nodes: told to look now, and asked whether their boards say the same, before HAProxy is pushed.
 *
 * A telling is only a hint that costs them one look; it decides nothing. Without it a push could be undone for a moment by a
 * poll that the relay sends to a node which has not looked yet (measured: an agent that still says the old word undoes a push
 * within 21 to 65 ms). One telling at a time; dead nodes cost nothing, frozen ones the bound. */
#ifndef FC_AGENT_PEERS_H
#define FC_AGENT_PEERS_H

#include "backends/host.h"
#include "core/config.h"

#define PEERS_TELL_LIMIT_MS 150

struct peers;

/* Those of config->nodes that are not this node. NULL when out of memory. */
struct peers *peers_new(const struct host *host, const struct config *config, const char *own_name);
void peers_free(struct peers *peers);

/* The words this node's board says for pool/server up to the reason, such as "up ready 100%"; asked anew at each comparison. */
typedef void peers_words(void *owner, const char *pool, const char *server, char *to, size_t size);
typedef void peers_told(void *owner, const char *pool);

/* Tells all, waits until they agree about pool/server or the bound is over, then calls told once. While a telling is under
 * way this one takes its place: they are told again at once, and told is called once, at the end. */
void peers_tell(struct peers *peers, const char *pool, const char *server, peers_words *words, peers_told *told, void *owner);

#endif
