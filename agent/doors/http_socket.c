/* One listening socket, opened before the daemon serves, with one clear sentence when it cannot be had. */
#include "agent/doors/http_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/doors/socket_file.h"
#include "base/text.h"

#define BACKLOG 256

/* -1 with errno. */
static int listen_on(const struct sockaddr *address, socklen_t size)
{
    const int yes = 1, no = 0;
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (address->sa_family == AF_UNIX)
        fchmod(fd, 0660);                      /* the file is made with this mode less the umask: never wider */
    if (bind(fd, address, size) != 0 || listen(fd, BACKLOG) != 0) {
        const int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* IPv6 that takes IPv4 too; where the kernel has no IPv6, IPv4 alone. */
static int listen_everywhere(int port)
{
    const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    const int fd = listen_on((const struct sockaddr *)&six, sizeof six);
    if (fd >= 0 || errno != EAFNOSUPPORT)
        return fd;
    return listen_on((const struct sockaddr *)&four, sizeof four);
}

static int port_of(int fd)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((const struct sockaddr_in *)&bound)->sin_port);
}

static enum fc_code tcp_open(const char *text, struct http_socket *ret, struct fc_err *err)
{
    char host[ADDRESS_SIZE];
    int port;
    if (!address_split(text, host, sizeof host, &port))
        return fc_fail(err, FC_BAD_CONFIG, "ListenAddress is '%s'; it must be \"host:port\" or \":port\"", text);
    if (host[0] == '\0') {
        ret->fd = listen_everywhere(port);
    } else {
        const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
        struct addrinfo *found = NULL;
        const int trouble = getaddrinfo(host, NULL, &wanted, &found);
        if (trouble != 0)
            return fc_fail(err, FC_BAD_CONFIG, "ListenAddress: '%s' is no address of this host: %s", host,
                           gai_strerror(trouble));
        if (found->ai_family == AF_INET6)
            ((struct sockaddr_in6 *)found->ai_addr)->sin6_port = htons((uint16_t)port);
        else
            ((struct sockaddr_in *)found->ai_addr)->sin_port = htons((uint16_t)port);
        ret->fd = listen_on(found->ai_addr, found->ai_addrlen);
        const int why = errno;
        freeaddrinfo(found);
        errno = why;
    }
    if (ret->fd < 0)
        return fc_fail(err, FC_UNREACHABLE, "ListenAddress: cannot listen on '%s': %s", text, strerror(errno));
    ret->port = port_of(ret->fd);
    return FC_OK;
}

static enum fc_code unix_open(const char *path, struct http_socket *ret, struct fc_err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat made;
    if (!TEXT_SET(address.sun_path, path))
        return fc_fail(err, FC_BAD_CONFIG, "ListenSocket: '%s' is longer than %zu bytes", path, sizeof address.sun_path - 1);
    const enum fc_code code = socket_file_make_way("ListenSocket", &address, err);
    if (code != FC_OK)
        return code;
    ret->fd = listen_on((const struct sockaddr *)&address, sizeof address);
    if (ret->fd < 0)
        return fc_fail(err, FC_UNREACHABLE, "ListenSocket: cannot listen on '%s': %s", path, strerror(errno));
    if (chmod(path, 0660) == 0 && lstat(path, &made) == 0) {
        TEXT_SET(ret->path, path);
        ret->device = made.st_dev;
        ret->inode = made.st_ino;
    }
    return FC_OK;
}

enum fc_code http_socket_open(const struct config *config, struct http_socket *ret, struct fc_err *err)
{
    *ret = (struct http_socket){ .fd = -1 };
    if (config->listen_socket[0] != '\0')
        return unix_open(config->listen_socket, ret, err);
    return tcp_open(config->listen_address, ret, err);
}

void http_socket_close(struct http_socket *socket)
{
    struct stat at;
    if (socket->fd >= 0)
        close(socket->fd);
    socket->fd = -1;
    if (socket->path[0] != '\0' && lstat(socket->path, &at) == 0 && at.st_dev == socket->device &&
        at.st_ino == socket->inode)
        unlink(socket->path);
    socket->path[0] = '\0';
}
