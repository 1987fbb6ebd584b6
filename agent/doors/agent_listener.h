/* The embedded agent-check listener: accepts HAProxy's polls on TCP ports and a unix socket, answers from the board.
 *
 * Bounds: a fixed number of clients (the slowest idle one is dropped first), AGENT_REQUEST_MAX bytes each, 1 s of life;
 * a request without end of line is answered after 20 ms of silence; one write, then close by either side.
 * Sources outside the allow-list are closed unanswered and counted. No name lookup, no log per request, no allocation. */
#ifndef FC_AGENT_LISTENER_H
#define FC_AGENT_LISTENER_H

#include <ev.h>
#include <stdint.h>

#include "agent/doors/board.h"
#include "base/err.h"
#include "core/config.h"

struct agent_listener;

struct agent_listener_counters {
    uint64_t accepted, answered, refused_source, dropped_full, dropped_slow, dropped_bad, reset;
    uint64_t no_descriptor;      /* arrived while the process had no file descriptor left; answered if it was quick */
    uint64_t open;               /* now */
};

/* Opens what the configuration names (AgentListenAddress, AgentListenSocket, AgentFixedPorts). The board is borrowed and
 * outlives the listener. A port of 0 in AgentListenAddress takes a free one; see agent_listener_port. */
enum fc_code agent_listener_open(struct ev_loop *loop, const struct config *config, struct board *board,
                                 struct agent_listener **ret, struct fc_err *err);
void agent_listener_close(struct agent_listener *listener);    /* NULL is fine; removes the unix socket that it made */
int agent_listener_port(const struct agent_listener *listener);
struct agent_listener_counters agent_listener_counters(const struct agent_listener *listener);

/* The loop's moment on CLOCK_BOOTTIME (agent/loop.c); declared here so that tests can lend their own. */
struct fc_time loop_now(struct ev_loop *loop);

#endif
