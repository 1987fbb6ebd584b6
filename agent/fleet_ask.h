/* One question to a running node over HTTP: plain blocking I/O with one deadline, for commands. Never used by the node itself. */
#ifndef FC_AGENT_FLEET_ASK_H
#define FC_AGENT_FLEET_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ASK_BODY_MAX (256u << 20)     /* of an answer: ten thousand servers have fifty million bytes */
#define ASK_URL_SIZE 512

struct ask_trust {                   /* where TLS is spoken; docs/https.md */
    bool is_tls;
    bool is_own;                     /* the node of this host's configuration: it shows `certificate` itself */
    bool is_blind;                   /* whoever answers is believed */
    char authorities[256], certificate[256], key[256];       /* paths; "": none */
};

struct ask_endpoint {
    char host[128], port[16];        /* host "": a unix socket */
    char socket[108];
    char prefix[128];                /* in front of /api: "" or "/x" */
    char auth[256];                  /* user:password of HTTP Basic; "" none */
    char header[256];                /* one more line of the request, for a proxy that authenticates: "Name: value"; "" none */
    struct ask_trust trust;
};

/* A scheme (http or https), a host, and if need be :PORT, /PREFIX, /api. FC_BAD_INPUT: anything else. */
enum fc_code ask_endpoint_of(const char *url, struct ask_endpoint *ret, struct fc_err *err);
/* Until the descriptor is ready. False: the time is over. */
bool ask_wait(int fd, short events, int64_t deadline_ms);
/* Does anybody listen there? */
bool ask_is_there(const struct ask_endpoint *endpoint, int timeout_ms);
/* "Name:value" as clients write it. FC_BAD_INPUT: it is no header, or would be two. */
enum fc_code ask_header_of(const char *text, struct ask_endpoint *ret, struct fc_err *err);
/* The request for a path. False: it does not fit. */
bool ask_request(const struct ask_endpoint *endpoint, const char *path, char *to, size_t size);
/* The endpoint for people: host:port, or the socket. */
void ask_name(const struct ask_endpoint *endpoint, char *to, size_t size);
/* GET of a path below the prefix, as in "/api/clusters". FC_OK: an answer came, whatever it says; *body is from malloc, the caller's.
 * FC_UNREACHABLE, FC_TIMEOUT, FC_NO_MEMORY. */
enum fc_code ask_node(const struct ask_endpoint *endpoint, const char *path, int timeout_ms, char **body, int *status, struct fc_err *err);

#endif
