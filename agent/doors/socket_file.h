/* The file of a unix socket: what a killed process left behind is removed, what somebody else uses is not. */
#ifndef FC_AGENT_SOCKET_FILE_H
#define FC_AGENT_SOCKET_FILE_H

#include <sys/un.h>

#include "base/err.h"

/* Makes way for bind: removes a socket file that nobody listens on. FC_BUSY when somebody does, FC_BAD_CONFIG when something
 * else stands there; both name `key` and the path. */
enum fc_code socket_file_make_way(const char *key, const struct sockaddr_un *address, struct fc_err *err);

#endif
