/* Where somebody listens or is asked, as haproxy.cfg writes it: host, host:port, :port, [v6]:port, /path, unix@path. */
#ifndef FC_HAPROXY_PROXY_DOOR_H
#define FC_HAPROXY_PROXY_DOOR_H

#include <stdbool.h>

#include "core/config.h"

struct proxy_door {
    bool is_unix;
    char path[CONFIG_TEXT_SIZE];     /* when is_unix */
    char host[ADDRESS_SIZE];         /* "" = every address of this host */
    int port;                        /* 0 = not said */
};

/* Lenient: what has no readable port is all host. False when it does not fit or names a socket of another kind (fd@, abns@). */
bool proxy_door_read(const char *text, struct proxy_door *ret);
/* Does one who asks `asked` come to one who listens at `bound`? */
bool proxy_door_leads_to(const struct proxy_door *asked, const struct proxy_door *bound);
bool proxy_door_is_same(const struct proxy_door *a, const struct proxy_door *b);
/* For a sentence: "10.0.9.1:9377", "/run/relay.sock". */
void proxy_door_text(const struct proxy_door *door, char *to, size_t size);
/* Digits and dots, or colons: nothing that must be looked up. "" counts as one. */
bool proxy_host_is_number(const char *host);

#endif
