#include "lines.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answers.h"

#define EVENTS_A_TURN 512
#define READ_SIZE 65536
#define SPARE_DESCRIPTORS 64
enum command { QUIT = 1, USE = 2, QUERY = 3, PING = 14, SET_OPTION = 27 };

enum kind { LISTENER, LINE, INPUT };

struct line {
    enum kind kind;                   /* first: what an event belongs to */
    int fd;
    struct server *server;
    LIST_ENTRY(line) of_server, of_gone;
    struct asker asker;
    bool has_greeted;
    uint8_t *in, *out;                /* what came of a packet; what the socket did not take */
    size_t in_length, out_length;
};

struct listener {
    enum kind kind;
    int fd;
    struct server *server;
    LIST_HEAD(, line) lines;
};

struct lines {
    struct fleet *fleet;
    int epoll;
    struct listener *listeners;
    unsigned count, ever;
    struct packets packets;
    enum kind input;
    LIST_HEAD(, line) gone;           /* freed after the turn: an event of it may still be in hand */
    uint8_t bytes[READ_SIZE];
};

int64_t lines_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void watch(const struct lines *l, int fd, void *who, bool is_new, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = who };
    epoll_ctl(l->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}

static void line_end(struct lines *l, struct line *line)
{
    if (line->fd < 0)
        return;
    close(line->fd);
    line->fd = -1;
    LIST_REMOVE(line, of_server);
    LIST_INSERT_HEAD(&l->gone, line, of_gone);
    l->count--;
}

static void free_gone(struct lines *l)
{
    while (!LIST_EMPTY(&l->gone)) {
        struct line *line = LIST_FIRST(&l->gone);
        LIST_REMOVE(line, of_gone);
        free(line->in);
        free(line->out);
        free(line);
    }
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static bool keep(uint8_t **where, size_t *length, const uint8_t *bytes, size_t count)
{
    uint8_t *more = realloc(*where, *length + count);
    if (more == NULL)
        return false;
    *where = more;
    memcpy(more + *length, bytes, count);
    *length += count;
    return true;
}

static void say(struct lines *l, struct line *line)
{
    const uint8_t *bytes = l->packets.bytes;
    size_t left = l->packets.length;
    if (line->out_length == 0) {
        const ssize_t sent = send(line->fd, bytes, left, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            line_end(l, line);
            return;
        }
        bytes += sent < 0 ? 0 : sent;
        left -= sent < 0 ? 0 : (size_t)sent;
    }
    if (left == 0)
        return;
    if (keep(&line->out, &line->out_length, bytes, left))
        watch(l, line->fd, line, false, EPOLLIN | EPOLLOUT);
    else
        line_end(l, line);
}

static void say_rest(struct lines *l, struct line *line)
{
    const ssize_t sent = send(line->fd, line->out, line->out_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        if (errno != EAGAIN)
            line_end(l, line);
        return;
    }
    line->out_length -= (size_t)sent;
    memmove(line->out, line->out + sent, line->out_length);
    if (line->out_length == 0)
        watch(l, line->fd, line, false, EPOLLIN);
}

/* --- what is asked ------------------------------------------------------------------------------------------------ */

/* The name stands behind 32 bytes of what the client can do. The password is not looked at. */
static void welcome(struct lines *l, struct line *line, const uint8_t *body, size_t length)
{
    if (length < 33 || memchr(body + 32, 0, length - 32) == NULL) {
        put_error(&l->packets, 1043, "08S01", "Bad handshake");
        return;
    }
    snprintf(line->asker.user, sizeof line->asker.user, "%s", (const char *)body + 32);
    line->has_greeted = true;
    put_ok(&l->packets, NULL, 0);
}

static bool obey(struct lines *l, struct line *line, const uint8_t *body, size_t length)
{
    switch (length == 0 ? 0 : body[0]) {
    case QUERY:
        answer_query(l->fleet, line->server, &line->asker, (const char *)body + 1, length - 1, lines_now_ms(), &l->packets);
        return true;
    case PING:
    case USE:
        put_ok(&l->packets, NULL, 0);
        return true;
    case SET_OPTION:
        put_end(&l->packets);
        return true;
    case QUIT:
        return false;
    default:
        put_error(&l->packets, 1047, "08S01", "Unknown command");
        return true;
    }
}

/* False: the line has ended. */
static bool take_packet(struct lines *l, struct line *line, const uint8_t *packet, size_t length)
{
    packets_clear(&l->packets, (uint8_t)(packet[3] + 1));
    if (!line->has_greeted)
        welcome(l, line, packet + PACKET_HEAD, length);
    else if (!obey(l, line, packet + PACKET_HEAD, length)) {
        line_end(l, line);
        return false;
    }
    say(l, line);
    return line->fd >= 0;
}

/* Takes whole packets, and tells how many bytes they were. */
static size_t take_packets(struct lines *l, struct line *line, const uint8_t *bytes, size_t count)
{
    size_t at = 0;
    while (count - at >= PACKET_HEAD) {
        const size_t length = bytes[at] | (size_t)bytes[at + 1] << 8 | (size_t)bytes[at + 2] << 16;
        if (count - at < PACKET_HEAD + length)
            break;
        if (!take_packet(l, line, bytes + at, length))
            return count;
        at += PACKET_HEAD + length;
    }
    return at;
}

static void hear(struct lines *l, struct line *line)
{
    const ssize_t got = recv(line->fd, l->bytes, sizeof l->bytes, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            line_end(l, line);
        return;
    }
    if (line->in_length == 0) {
        const size_t taken = take_packets(l, line, l->bytes, (size_t)got);
        if (line->fd >= 0 && taken < (size_t)got && !keep(&line->in, &line->in_length, l->bytes + taken, (size_t)got - taken))
            line_end(l, line);
        return;
    }
    if (!keep(&line->in, &line->in_length, l->bytes, (size_t)got)) {
        line_end(l, line);
        return;
    }
    const size_t taken = take_packets(l, line, line->in, line->in_length);
    line->in_length -= taken;
    memmove(line->in, line->in + taken, line->in_length);
}

/* --- visitors ----------------------------------------------------------------------------------------------------- */

static void let_in(struct lines *l, struct listener *listener)
{
    const int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    struct line *line = fd < 0 ? NULL : calloc(1, sizeof *line);
    if (line == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    *line = (struct line){ .kind = LINE, .fd = fd, .server = listener->server, .asker = { .host = "127.0.0.1", .session = ++l->ever } };
    l->count++;
    LIST_INSERT_HEAD(&listener->lines, line, of_server);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(l, fd, line, true, EPOLLIN);
    answer_greeting(l->fleet, &line->asker, &l->packets);
    say(l, line);
}

bool lines_start(struct lines *l, uint32_t server)
{
    struct listener *listener = &l->listeners[server];
    const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(l->fleet->port), .sin_addr = listener->server->address };
    const int on = 1;
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 || setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener->fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(listener->fd, 16) != 0) {
        fprintf(stderr, "fleetsim: %s:%u cannot be listened on: %s\n", listener->server->host, l->fleet->port, strerror(errno));
        return false;
    }
    watch(l, listener->fd, listener, true, EPOLLIN);
    return true;
}

void lines_kill(struct lines *l, uint32_t server)
{
    struct listener *listener = &l->listeners[server];
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
    while (!LIST_EMPTY(&listener->lines))
        line_end(l, LIST_FIRST(&listener->lines));
}

void lines_freeze(struct lines *l, uint32_t server)
{
    const struct listener *listener = &l->listeners[server];
    struct line *line;
    watch(l, listener->fd, &l->listeners[server], false, 0);
    LIST_FOREACH(line, &listener->lines, of_server)
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, line->fd, NULL);      /* an end that comes meanwhile would be told without being asked for */
}

void lines_thaw(struct lines *l, uint32_t server)
{
    const struct listener *listener = &l->listeners[server];
    struct line *line;
    watch(l, listener->fd, &l->listeners[server], false, EPOLLIN);
    LIST_FOREACH(line, &listener->lines, of_server)
        watch(l, line->fd, line, true, line->out_length > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static bool raise_limit(uint32_t servers)
{
    const rlim_t wanted = 2 * (rlim_t)servers + SPARE_DESCRIPTORS;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted)
        return true;
    limit = (struct rlimit){ wanted, limit.rlim_max > wanted ? limit.rlim_max : wanted };
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return true;
    fprintf(stderr, "fleetsim: %lu descriptors are needed, and the limit cannot be raised: %s\n", (unsigned long)wanted, strerror(errno));
    return false;
}

struct lines *lines_open(struct fleet *fleet)
{
    struct lines *l = raise_limit(fleet->count) ? calloc(1, sizeof *l) : NULL;
    if (l == NULL)
        return NULL;
    *l = (struct lines){ .fleet = fleet, .input = INPUT, .epoll = epoll_create1(EPOLL_CLOEXEC) };
    l->listeners = calloc(fleet->count, sizeof *l->listeners);
    if (l->listeners == NULL || l->epoll < 0)
        abort();
    for (uint32_t i = 0; i < fleet->count; i++)
        l->listeners[i] = (struct listener){ .kind = LISTENER, .fd = -1, .server = &fleet->servers[i] };
    for (uint32_t i = 0; i < fleet->count; i++) {
        if (!lines_start(l, i)) {
            lines_close(l);
            return NULL;
        }
    }
    watch(l, STDIN_FILENO, &l->input, true, EPOLLIN);
    return l;
}

void lines_close(struct lines *l)
{
    for (uint32_t i = 0; i < l->fleet->count; i++)
        lines_kill(l, i);
    free_gone(l);
    close(l->epoll);
    packets_done(&l->packets);
    free(l->listeners);
    free(l);
}

bool lines_turn(struct lines *l, int limit_ms)
{
    struct epoll_event events[EVENTS_A_TURN];
    const int count = epoll_wait(l->epoll, events, EVENTS_A_TURN, limit_ms);
    bool has_input = false;
    for (int i = 0; i < count; i++) {
        enum kind *const who = events[i].data.ptr;
        struct line *line = *who == LINE ? (struct line *)who : NULL;
        if (*who == INPUT)
            has_input = true;
        else if (line == NULL)
            let_in(l, (struct listener *)who);
        else if (line->fd >= 0 && (events[i].events & EPOLLOUT) != 0)
            say_rest(l, line);
        else if (line->fd >= 0)
            hear(l, line);
    }
    free_gone(l);
    return has_input;
}

void lines_deaf(struct lines *l) { epoll_ctl(l->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL); }

unsigned lines_count(const struct lines *l, unsigned *ever)
{
    *ever = l->ever;
    return l->count;
}
