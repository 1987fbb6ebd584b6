/* TLS of a question to a node (`https://`, or UseSSL in this host's own configuration), on a connection that does not block. */
#ifndef FC_AGENT_ASK_TLS_H
#define FC_AGENT_ASK_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/fleet_ask.h"
#include "base/err.h"

struct ask_tls;

/* Shakes hands and sees to it that it is the node that was meant: by the endpoint's trust. FC_UNREACHABLE, FC_TIMEOUT, FC_BAD_CONFIG. */
enum fc_code ask_tls_open(int fd, const struct ask_endpoint *endpoint, int64_t deadline_ms, struct ask_tls **ret, struct fc_err *err);
/* As send() and recv(): -1 and errno, EAGAIN when the connection is to be waited for. */
ssize_t ask_tls_send(struct ask_tls *tls, const void *bytes, size_t length);
ssize_t ask_tls_recv(struct ask_tls *tls, void *to, size_t size);
void ask_tls_close(struct ask_tls *tls);                 /* not the descriptor; NULL is fine */

#endif
