/* `firstchair haproxy-config`: a complete haproxy.cfg for the pools, printed from firstchair's own configuration.
 *
 * Relay over all nodes, aligned polls, hold-the-door, token check, state over reloads, hard-stop-after:
 * spec/haproxy-agent-check.md 6, 7 and 8. Every choice is a line of comment in the file it prints. */
#ifndef FC_HAPROXY_PROXY_CONFIG_H
#define FC_HAPROXY_PROXY_CONFIG_H

#include <stddef.h>

#include "base/err.h"
#include "core/config.h"

/* The one `.if` of the printed file; the lint (proxy_file.c) takes it as its own. */
#define PROXY_CONFIG_CONDITION "version_atleast(3.1)"
/* What HAProxy shows a node under UseMutualTLS: made by whoever runs that HAProxy, and unknown to firstchair's configuration. */
#define PROXY_CONFIG_CERTIFICATE "/etc/haproxy/firstchair.pem"

/* Writes the text, zero-terminated, into `to`. FC_BAD_CONFIG when a needed key is missing, FC_BAD_INPUT when too long. */
enum fc_code proxy_config_print(const struct config *config, char *to, size_t size, struct fc_err *err);

#endif
