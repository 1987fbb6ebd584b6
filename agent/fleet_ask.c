/* HTTP/1.0, so that an answer ends with its connection. */
#include "agent/fleet_ask.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/ask_tls.h"
#include "base/text.h"

#define REQUEST_SIZE (16 * 1024)

/* ---- where ---- */

static bool take_authority(const char *text, size_t length, struct ask_endpoint *ret)
{
    const char *end = text + length, *at = memchr(text, '@', length), *colon;
    if (at != NULL && !text_copy_bytes(ret->auth, sizeof ret->auth, text, (size_t)(at - text)))
        return false;
    text = at == NULL ? text : at + 1;
    const char *from = text[0] == '[' ? text + 1 : text;
    const char *stop = text[0] == '[' ? memchr(text, ']', (size_t)(end - text)) : NULL;
    if (text[0] == '[' && stop == NULL)
        return false;
    colon = memchr(stop == NULL ? text : stop, ':', (size_t)(end - (stop == NULL ? text : stop)));
    stop = stop != NULL ? stop : colon != NULL ? colon : end;
    if (colon != NULL ? !text_copy_bytes(ret->port, sizeof ret->port, colon + 1, (size_t)(end - colon - 1)) : !TEXT_SET(ret->port, ret->trust.is_tls ? "443" : "80"))
        return false;
    return stop > from && text_copy_bytes(ret->host, sizeof ret->host, from, (size_t)(stop - from));
}

/* What stands in front of a host may be a password. */
static enum fc_code refuse(const char *url, struct fc_err *err)
{
    const char *at = strrchr(url, '@');
    return fc_fail(err, FC_BAD_INPUT, "'%.128s' is no address of a node: http://HOST:PORT or https://HOST:PORT", at == NULL ? url : at + 1);
}

enum fc_code ask_endpoint_of(const char *url, struct ask_endpoint *ret, struct fc_err *err)
{
    static const char plain[] = "http://", tls[] = "https://";
    *ret = (struct ask_endpoint){ .trust.is_tls = text_begins(url, tls) };
    const char *authority = url + (ret->trust.is_tls ? sizeof tls : sizeof plain) - 1;
    if (!ret->trust.is_tls && !text_begins(url, plain))
        return refuse(url, err);
    const size_t length = strcspn(authority, "/");
    if (length == 0 || !take_authority(authority, length, ret) || !TEXT_SET(ret->prefix, authority + length))
        return refuse(url, err);
    size_t end = strlen(ret->prefix);
    while (end > 0 && ret->prefix[end - 1] == '/')
        ret->prefix[--end] = '\0';
    if (end >= 4 && text_is(ret->prefix + end - 4, "/api"))
        ret->prefix[end - 4] = '\0';
    return FC_OK;
}

enum fc_code ask_header_of(const char *text, struct ask_endpoint *ret, struct fc_err *err)
{
    const size_t name = strcspn(text, ":"), length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        const bool is_plain = (unsigned char)text[i] >= 0x20 && text[i] != 0x7f && (i >= name || text[i] != ' ');
        if (!is_plain)
            return fc_fail(err, FC_BAD_INPUT, "a header is 'Name: value' in one line, without a blank in its name");
    }
    if (name == 0 || name == length || !TEXT_SET(ret->header, text))
        return fc_fail(err, FC_BAD_INPUT, "a header is 'Name: value', of at most %zu bytes", sizeof ret->header - 1);
    return FC_OK;
}

void ask_name(const struct ask_endpoint *endpoint, char *to, size_t size)
{
    if (endpoint->host[0] == '\0')
        text_copy(to, size, endpoint->socket);
    else
        text_format(to, size, strchr(endpoint->host, ':') != NULL ? "[%s]:%s" : "%s:%s", endpoint->host, endpoint->port);
}

/* ---- connection ---- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool ask_wait(int fd, short events, int64_t deadline_ms)
{
    struct pollfd wait = { .fd = fd, .events = events };
    const int64_t left = deadline_ms - now_ms();
    return left > 0 && poll(&wait, 1, left > 1 << 30 ? 1 << 30 : (int)left) == 1;
}

static bool is_connected(int fd, const struct sockaddr *address, socklen_t size, int64_t deadline_ms)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (connect(fd, address, size) == 0)
        return true;
    return errno == EINPROGRESS && ask_wait(fd, POLLOUT, deadline_ms) &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

static int open_unix(const struct ask_endpoint *endpoint, int64_t deadline_ms)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!TEXT_SET(address.sun_path, endpoint->socket) || fd < 0 ||
        is_connected(fd, (struct sockaddr *)&address, sizeof address, deadline_ms))
        return fd;
    close(fd);
    return -1;
}

static int open_tcp(const struct ask_endpoint *endpoint, int64_t deadline_ms)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    int fd = -1;
    if (getaddrinfo(endpoint->host, endpoint->port, &hints, &list) != 0)
        return -1;
    for (const struct addrinfo *one = list; one != NULL && fd < 0; one = one->ai_next) {
        fd = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0 && !is_connected(fd, one->ai_addr, one->ai_addrlen, deadline_ms)) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

/* ---- talk ---- */

static void encode64(const char *text, char *to, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t length = strlen(text);
    size_t filled = 0;
    for (size_t i = 0; i < length && filled + 5 <= size; i += 3) {
        const unsigned one = (unsigned char)text[i], two = i + 1 < length ? (unsigned char)text[i + 1] : 0;
        const unsigned three = i + 2 < length ? (unsigned char)text[i + 2] : 0, all = one << 16 | two << 8 | three;
        to[filled++] = digits[all >> 18 & 63];
        to[filled++] = digits[all >> 12 & 63];
        to[filled++] = i + 1 < length ? digits[all >> 6 & 63] : '=';
        to[filled++] = i + 2 < length ? digits[all & 63] : '=';
    }
    to[filled] = '\0';
}

bool ask_request(const struct ask_endpoint *endpoint, const char *path, char *to, size_t size)
{
    char auth[sizeof endpoint->auth * 4 / 3 + 8] = "";
    encode64(endpoint->auth, auth, sizeof auth);
    return text_format(to, size, "GET %s%s HTTP/1.0\r\nHost: %s\r\n%s%s%s%s%sAccept: application/json\r\n\r\n", endpoint->prefix, path,
                       endpoint->host[0] == '\0' ? "localhost" : endpoint->host, auth[0] == '\0' ? "" : "Authorization: Basic ", auth,
                       auth[0] == '\0' ? "" : "\r\n", endpoint->header, endpoint->header[0] == '\0' ? "" : "\r\n");
}

struct line { int fd; struct ask_tls *tls; };            /* tls NULL: plain */

static bool say(const struct line *line, const char *text, int64_t deadline_ms)
{
    for (size_t length = strlen(text); length > 0;) {
        const ssize_t sent = line->tls != NULL ? ask_tls_send(line->tls, text, length) : send(line->fd, text, length, MSG_NOSIGNAL);
        if (sent > 0) {
            text += sent;
            length -= (size_t)sent;
        } else if (errno != EAGAIN || !ask_wait(line->fd, POLLOUT, deadline_ms)) {
            return false;
        }
    }
    return true;
}

/* All that comes until the other side is done; NULL: `err` says why. */
static char *hear(const struct line *line, int64_t deadline_ms, struct fc_err *err)
{
    size_t length = 0, size = 64 * 1024;
    char *text = malloc(size);
    while (text != NULL) {
        const ssize_t got = line->tls != NULL ? ask_tls_recv(line->tls, text + length, size - 1 - length)
                                              : recv(line->fd, text + length, size - 1 - length, 0);
        if (got == 0) {
            text[length] = '\0';
            return text;
        }
        if (got < 0 && (errno != EAGAIN || !ask_wait(line->fd, POLLIN, deadline_ms))) {
            fc_fail(err, errno == EAGAIN ? FC_TIMEOUT : FC_UNREACHABLE, "the node does not answer: %s",
                    errno == EAGAIN ? "the time is over" : strerror(errno));
            free(text);
            return NULL;
        }
        length += got > 0 ? (size_t)got : 0;
        if (length < size - 1)
            continue;
        char *more = size < ASK_BODY_MAX ? realloc(text, size * 2) : NULL;
        if (more == NULL)
            free(text);
        text = more;
        size *= 2;
    }
    fc_fail(err, FC_NO_MEMORY, "out of memory");
    return NULL;
}

static enum fc_code take_answer(char *text, char **body, int *status, struct fc_err *err)
{
    const char *gap = strstr(text, "\r\n\r\n"), *code = strchr(text, ' ');
    uint64_t number = 0;
    if (!text_begins(text, "HTTP/1.") || gap == NULL || code == NULL || !text_to_u64(code + 1, 3, &number)) {
        free(text);
        return fc_fail(err, FC_UNREACHABLE, "what answers there is no node");
    }
    *status = (int)number;
    memmove(text, gap + 4, strlen(gap + 4) + 1);
    *body = text;
    return FC_OK;
}

static int open_any(const struct ask_endpoint *endpoint, int64_t deadline_ms)
{
    return endpoint->host[0] == '\0' ? open_unix(endpoint, deadline_ms) : open_tcp(endpoint, deadline_ms);
}

bool ask_is_there(const struct ask_endpoint *endpoint, int timeout_ms)
{
    const int fd = open_any(endpoint, now_ms() + timeout_ms);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

enum fc_code ask_node(const struct ask_endpoint *endpoint, const char *path, int timeout_ms, char **body, int *status, struct fc_err *err)
{
    const int64_t deadline_ms = now_ms() + timeout_ms;
    char name[192], *request = malloc(REQUEST_SIZE), *heard = NULL;
    ask_name(endpoint, name, sizeof name);
    if (request == NULL || !ask_request(endpoint, path, request, REQUEST_SIZE)) {
        free(request);
        return fc_fail(err, FC_BAD_INPUT, "the question is too long");
    }
    struct line line = { .fd = open_any(endpoint, deadline_ms) };
    if (line.fd < 0)
        fc_fail(err, FC_UNREACHABLE, "no node answers at %s", name);
    else if (endpoint->trust.is_tls && ask_tls_open(line.fd, endpoint, deadline_ms, &line.tls, err) != FC_OK)
        heard = NULL;                    /* the sentence is there */
    else if (!say(&line, request, deadline_ms))
        fc_fail(err, FC_UNREACHABLE, "the node at %s went away", name);
    else
        heard = hear(&line, deadline_ms, err);
    ask_tls_close(line.tls);
    if (line.fd >= 0)
        close(line.fd);
    explicit_bzero(request, REQUEST_SIZE);           /* it may hold a password */
    free(request);
    return heard == NULL ? err->code : take_answer(heard, body, status, err);
}
