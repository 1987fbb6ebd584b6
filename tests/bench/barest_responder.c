/* The least that a program can do for an agent-check: one loop, accept, read, one write of the same bytes, close.
 *
 * It is what the board is measured against, and knows nothing: no parser, no board, no limits, no time. Like the listener
 * it reads at once and asks epoll only for those whose line is not there yet. Usage: barest_responder LINE. It prints its
 * port and serves until its standard input ends. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64

static const char *line;
static size_t line_length;

/* True when the client has been served, or has gone. */
static int serve(int fd)
{
    char bytes[256];
    const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got > 0)
        (void)!send(fd, line, line_length, MSG_NOSIGNAL);
    close(fd);
    return 1;
}

static void accept_all(int epoll_fd, int listen_fd)
{
    for (int i = 0; i < EVENTS_AT_ONCE; i++) {
        const int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
        if (!serve(fd))
            epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static int door_open(void)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof own;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, size) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &size) != 0)
        return -1;
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    const int listen_fd = argc == 2 ? door_open() : -1;
    struct epoll_event door = { .events = EPOLLIN, .data.fd = listen_fd }, end = { .events = EPOLLIN, .data.fd = 0 };
    if (epoll_fd < 0 || listen_fd < 0)
        return 1;
    line = argv[1];
    line_length = strlen(line);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &door);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &end);
    for (;;) {
        const int count = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == 0)
                return 0;
            if (events[i].data.fd == listen_fd)
                accept_all(epoll_fd, listen_fd);
            else
                serve(events[i].data.fd);
        }
    }
}
