/* The HAProxies as they are read back: which answer, what each knows, and whether it does what the board says.
 *
 * Every trouble is said once, when it begins, by its HAProxy's name, and once when it is over. A socket that does not answer is
 * this node's own trouble and is said by every node; a view that contradicts the board, or knows no such server, by the leader. */
#ifndef FC_CORE_VIEWS_H
#define FC_CORE_VIEWS_H

#include "core/core.h"

/* PROXY_SEEN and PROXY_LOST; other events are none of its business. */
void views_hear(struct core *core, const struct event *event, struct effects *effects);
/* After every step: each view against the board. With HAProxyPush the leader repairs what contradicts for too long. */
void views_watch(struct core *core, struct effects *effects);

#endif
