/* The unix socket of firstchairctl: one order a line (core/act/orders.h), answers as JSON lines.
 *
 *   switch fc_backend to db2        -> {"progress":"..."} (none or more)  {"code":"ok","text":"..."}
 *   status, pools, events           -> {"code":"ok","status":{...}}       the whole picture, agent/status_json.h
 *   explain, plan                   -> {"code":"ok","explain":{...}}      agent/explain_json.h
 *   history                         -> {"code":"ok","history":{...}}      docs/operating.md
 *
 * Codes are the words of base/err.h. Orders on one connection are answered one after another, in their order; what could not
 * be understood gets its sentence and the connection goes on. A peer that only shuts down its sending side still hears all.
 * Who asks is known by SO_PEERCRED: root, our own user and OrderUsers may change something, others may only look.
 * Bounds: 64 clients (the longest idle one makes room), ORDER_TEXT_MAX bytes a line, 60 s idle, 10 s for a reader that stalls. */
#ifndef FC_AGENT_ORDER_SOCKET_H
#define FC_AGENT_ORDER_SOCKET_H

#include <ev.h>

#include "agent/doors/desk.h"
#include "base/err.h"

struct order_socket;

/* Listens at desk->config->order_socket, mode 0660. A socket file that nobody listens on is replaced; FC_BUSY when somebody
 * does. The desk is borrowed and outlives the socket. */
enum fc_code order_socket_open(struct ev_loop *loop, const struct desk *desk, struct order_socket **ret, struct fc_err *err);
/* Forgets the orders under way (they go on), closes all clients and removes the socket file that it made. NULL is fine. */
void order_socket_close(struct order_socket *door);
/* Orders that wait for their answer now. */
int order_socket_waiting(const struct order_socket *door);

#endif
