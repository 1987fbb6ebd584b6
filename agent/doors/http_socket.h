/* The listening socket of the HTTP door: TCP on ListenAddress, or the unix socket ListenSocket. */
#ifndef FC_HTTP_SOCKET_H
#define FC_HTTP_SOCKET_H

#include <sys/stat.h>

#include "base/err.h"
#include "core/config.h"

struct http_socket {
    int fd;
    int port;                         /* 0 on a unix socket */
    config_text path;                 /* of the unix socket that we made; "" when none */
    dev_t device;                     /* what was made, so that somebody else's file is not removed */
    ino_t inode;
};

enum fc_code http_socket_open(const struct config *config, struct http_socket *ret, struct fc_err *err);
void http_socket_close(struct http_socket *socket);      /* closes and removes the file; a second call does nothing */

#endif
