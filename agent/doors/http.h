/* The HTTP door: orchestrator's health and leader checks, the steering of the pools, metrics. libmicrohttpd on our loop,
 * without a thread of its own; everything is answered from memory with its age. Only an order waits, and then its connection
 * sleeps while the loop goes on.
 *
 * Bounds: HTTP_CONNECTIONS_MAX connections, HTTP_IDLE_SECONDS of silence, HTTP_MEMORY bytes for line and headers,
 * HTTP_BODY_MAX bytes of body (read and ignored), HTTP_ORDERS_MAX orders that wait at one time, each for the bound of its move
 * and HTTP_ORDER_SPARE_MS more. The routes and who may do what: docs/http-routes.md, printed by http_routes_print. */
#ifndef FC_HTTP_H
#define FC_HTTP_H

#include <ev.h>
#include <stdint.h>
#include <stdio.h>

#include "agent/doors/desk.h"
#include "base/err.h"

#define HTTP_CONNECTIONS_MAX 512
#define HTTP_IDLE_SECONDS 30
#define HTTP_MEMORY (16 * 1024)
#define HTTP_PATH_MAX 2048
#define HTTP_BODY_MAX (64 * 1024)
#define HTTP_ORDERS_MAX 64
#define HTTP_ORDER_SPARE_MS 15000

struct http_door;

struct http_door_counters {
    uint64_t requests, unauthenticated, denied, not_found, failed;   /* failed: answered with ERROR for any other reason */
    uint64_t orders, orders_waiting, connections;                    /* the last two: now */
};

/* Opens ListenSocket, or else ListenAddress (port 0 takes a free one). The loop and the desk are borrowed and outlive the
 * door. A host name in ListenAddress is looked up here, before the loop runs. */
enum fc_code http_door_open(struct ev_loop *loop, const struct desk *desk, struct http_door **ret, struct fc_err *err);
/* Could it be opened, as far as files go (those of UseSSL)? The sentence is that of http_door_open. */
enum fc_code http_door_check(const struct config *config, struct fc_err *err);
/* NULL is fine. Orders that wait are answered "stopping" and forgotten; they go on. Removes the unix socket that it made. */
void http_door_close(struct http_door *door);
/* Certificate and key of UseSSL once more. On failure the old ones stay. */
enum fc_code http_door_reload(struct http_door *door, struct fc_err *err);
int http_door_port(const struct http_door *door);                     /* 0 on a unix socket */
struct http_door_counters http_door_counters(const struct http_door *door);

/* Prints docs/http-routes.md. */
void http_routes_print(FILE *to);

#endif
