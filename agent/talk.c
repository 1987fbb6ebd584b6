/* Connect, write, read to the end, report. The owner gets exactly one callback, from the loop, never from talk_open. */
#include "agent/talk.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "core/config.h"

struct talk {
    const struct host *host;
    int fd;
    struct host_watch *watch;
    struct host_timer *timer;
    talk_done *done;
    void *owner;
    char *said;
    size_t said_length, said_sent;
    char *answer;
    size_t answer_length, answer_max;
};

void talk_close(struct talk *talk)
{
    if (talk == NULL)
        return;
    talk->host->unwatch(talk->watch);
    talk->host->untimer(talk->timer);
    if (talk->fd >= 0)
        close(talk->fd);
    free(talk->said);
    free(talk->answer);
    free(talk);
}

static void end(struct talk *talk, enum fc_code code, const char *text)
{
    talk_done *const done = talk->done;
    void *const owner = talk->owner;
    talk->host->unwatch(talk->watch);
    talk->watch = NULL;
    talk->answer[talk->answer_length] = '\0';
    done(owner, code, talk->answer, talk->answer_length, text);
    talk_close(talk);
}

static void say(struct talk *talk)
{
    while (talk->said_sent < talk->said_length) {
        const ssize_t sent = send(talk->fd, talk->said + talk->said_sent, talk->said_length - talk->said_sent, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0) {
            end(talk, FC_UNREACHABLE, strerror(errno));
            return;
        }
        talk->said_sent += (size_t)sent;
    }
    talk->host->watch_change(talk->watch, HOST_READ);
}

static void hear(struct talk *talk)
{
    for (;;) {
        const size_t room = talk->answer_max - talk->answer_length;
        if (room == 0) {
            end(talk, FC_OK, "");
            return;
        }
        const ssize_t got = recv(talk->fd, talk->answer + talk->answer_length, room, 0);
        if (got > 0) {
            talk->answer_length += (size_t)got;
        } else if (got == 0) {
            end(talk, FC_OK, "");
            return;
        } else if (errno == EAGAIN || errno == EINTR) {
            return;
        } else {
            end(talk, talk->answer_length > 0 ? FC_OK : FC_UNREACHABLE, strerror(errno));
            return;
        }
    }
}

static void ready(void *owner, int what)
{
    struct talk *talk = owner;
    int error = 0;
    socklen_t size = sizeof error;
    if ((what & HOST_WRITE) != 0 && talk->said_sent < talk->said_length) {
        if (getsockopt(talk->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0)
            end(talk, FC_UNREACHABLE, strerror(error));
        else
            say(talk);
        return;
    }
    if ((what & HOST_READ) != 0)
        hear(talk);
}

static void too_late(void *owner)
{
    end(owner, FC_TIMEOUT, "no answer in time");
}

static bool connect_unix(int *fd, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!TEXT_SET(address.sun_path, path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return *fd >= 0 && (connect(*fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS || errno == EAGAIN);
}

/* Numeric only: a name would have to be looked up, and that blocks. */
static bool connect_tcp(int *fd, const char *where)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char host[ADDRESS_SIZE], service[16];
    int port = 0;
    errno = EINVAL;
    if (!address_split(where, host, sizeof host, &port) || !TEXT_FORMAT(service, "%d", port) ||
        getaddrinfo(host[0] == '\0' ? "127.0.0.1" : host, service, &hints, &found) != 0)
        return false;
    *fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool begun = *fd >= 0 && (connect(*fd, found->ai_addr, found->ai_addrlen) == 0 || errno == EINPROGRESS);
    const int saved = errno;
    freeaddrinfo(found);
    errno = saved;
    return begun;
}

struct talk *talk_open(const struct host *host, const char *address, const char *said, size_t length, size_t answer_max,
                       int limit_ms, talk_done *done, void *owner, struct fc_err *err)
{
    struct talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory"), NULL;
    talk->host = host;
    talk->fd = -1;
    talk->done = done;
    talk->owner = owner;
    talk->answer_max = answer_max;
    talk->answer = malloc(answer_max + 1);
    talk->said = malloc(length + 1);
    if (talk->answer == NULL || talk->said == NULL) {
        talk_close(talk);
        return fc_fail(err, FC_NO_MEMORY, "out of memory"), NULL;
    }
    memcpy(talk->said, said, length);
    talk->said_length = length;
    if (!(address[0] == '/' ? connect_unix(&talk->fd, address) : connect_tcp(&talk->fd, address))) {
        fc_fail(err, FC_UNREACHABLE, "%s: %s", address, strerror(errno));
        talk_close(talk);
        return NULL;
    }
    talk->watch = host->watch(host->agent, talk->fd, HOST_WRITE, ready, talk);
    talk->timer = host->timer(host->agent, too_late, talk);
    if (talk->watch == NULL || talk->timer == NULL) {
        talk_close(talk);
        return fc_fail(err, FC_NO_MEMORY, "out of memory"), NULL;
    }
    host->timer_set(talk->timer, fc_plus(host->now(host->agent), fc_ms(limit_ms)));
    return talk;
}
