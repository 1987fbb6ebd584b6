/* The HAProxies' runtime sockets: read back what they really do, and push what the board says. One conversation at a time
 * and proxy; a second push meanwhile is sent after it with the newest words. */
#ifndef FC_AGENT_PROXIES_H
#define FC_AGENT_PROXIES_H

#include "backends/host.h"
#include "core/core.h"
#include "core/event.h"

#define PROXY_LIMIT_MS 500
#define PROXY_ANSWER_MAX (256 * 1024)

struct proxies;

/* core is read for pools and proxies (names, addresses, the answers on the board); feed takes PROXY_SEEN and PROXY_LOST. */
typedef void proxies_feed(void *owner, const struct event *event);
struct proxies *proxies_new(const struct host *host, const struct core *core, proxies_feed *feed, void *owner);
void proxies_free(struct proxies *proxies);
void proxies_look(struct proxies *proxies, int proxy);
void proxies_push(struct proxies *proxies, const char *pool);    /* to every proxy */

#endif
