/* The doors that HAProxy knocks at: one TCP port, one unix socket, and ports that are bound to one server each.
 *
 * The usual visit is over within the call that accepts it: accept, read, write, close, without ever meeting epoll. Only a
 * client whose line is not there yet is kept: in a slot made at start, in a queue by age (1 s of life) and, once it has
 * said something, in a queue by silence (20 ms). Each queue has one timer, which looks at the head. Whoever is told to go
 * while bytes may still be on the way is shut down and drained, so that a reset cannot overtake the line. */
#include "agent/doors/agent_listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/doors/socket_file.h"
#include "base/text.h"

#define BACKLOG 1024           /* a full accept queue looks like a time-out to HAProxy and freezes it silently */
#define ACCEPTS_AT_ONCE 64     /* then the loop's other work has its turn */
#define LIFE_MS 1000
#define SILENCE_MS 20          /* lines set by HAProxy's command line have no end */
#define LIFE_GRAIN_MS 50       /* a thousand silent clients are looked at 20 times a second, not a thousand times */
#define SILENCE_GRAIN_MS 2
#define REST_MS 50             /* the doors stay closed so long when the kernel has nothing left to give */
#define DOORS_MAX (LIST_MAX + 2)
#define SOURCES_MAX (LIST_MAX + NODES_MAX + LIST_MAX + 2)
#define SOURCE_SIZE INET6_ADDRSTRLEN
#define DRAIN_SIZE 4096

struct agent_listener;

enum door_kind { DOOR_TCP, DOOR_UNIX, DOOR_FIXED };

struct door {
    ev_io knock;
    struct agent_listener *listener;
    enum door_kind kind;
    struct agent_request request;        /* DOOR_FIXED: what everybody at this port asks */
};

struct client {
    ev_io readable;
    struct agent_listener *listener;
    TAILQ_ENTRY(client) by_age;          /* in young_last, or in the list of free slots */
    TAILQ_ENTRY(client) by_silence;      /* in silent_first while has_spoken and not is_leaving */
    struct fc_time accepted_at, heard_at;
    bool has_spoken, is_leaving;
    size_t length;
    char source[SOURCE_SIZE];
    char bytes[AGENT_REQUEST_MAX];
};

TAILQ_HEAD(client_queue, client);

/* IPv4 as ::ffff:a.b.c.d, so that there is one comparison. Both halves in network order. */
struct network { uint64_t value[2], mask[2]; };

struct agent_listener {
    struct ev_loop *loop;
    struct board *board;
    struct client *slots;                /* clients_max + 1: the one who arrives is heard before anybody has to go */
    size_t clients_max;
    struct client_queue unused, oldest_first, silent_first;
    ev_timer life, silence, rest;
    struct door doors[DOORS_MAX];
    int door_count;
    struct network allowed[SOURCES_MAX];
    int allowed_count;
    int reserve;                         /* an open descriptor to give up when there are no others; -1 = lost */
    int port;
    struct sockaddr_un unix_address;     /* what we made, and must take away */
    dev_t unix_device;
    ino_t unix_inode;
    bool has_unix;
    struct agent_listener_counters counters;
};

/* ---- who may ask ---- */

static struct network network_of(const struct in6_addr *address, int bits)
{
    unsigned char mask[16] = { 0 };
    struct network network;
    for (int i = 0; i < 16; i++) {
        const int left = bits - 8 * i;
        mask[i] = (unsigned char)(left >= 8 ? 0xff : left <= 0 ? 0 : 0xff00 >> left);
    }
    memcpy(network.value, address, sizeof network.value);
    memcpy(network.mask, mask, sizeof network.mask);
    network.value[0] &= network.mask[0];
    network.value[1] &= network.mask[1];
    return network;
}

static struct in6_addr v4_mapped(const struct in_addr *v4)
{
    struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
    memcpy(mapped.s6_addr + 12, v4, sizeof *v4);
    return mapped;
}

/* "10.0.0.0/8", "10.0.0.1", "fd00::/8", "::1". */
static bool network_parse(const char *text, struct network *ret)
{
    char host[ADDRESS_SIZE];
    struct in6_addr address;
    struct in_addr v4;
    uint64_t bits;
    const char *slash = strchr(text, '/');
    const size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (!text_copy_bytes(host, sizeof host, text, length))
        return false;
    const bool is_v4 = inet_pton(AF_INET, host, &v4) == 1;
    if (is_v4)
        address = v4_mapped(&v4);
    else if (inet_pton(AF_INET6, host, &address) != 1)
        return false;
    const uint64_t most = is_v4 ? 32 : 128;
    if (slash == NULL)
        bits = most;
    else if (!text_to_u64(slash + 1, strlen(slash + 1), &bits) || bits > most)
        return false;
    *ret = network_of(&address, (int)bits + (is_v4 ? 96 : 0));
    return true;
}

static bool allow(struct agent_listener *listener, const char *text)
{
    if (listener->allowed_count == SOURCES_MAX || !network_parse(text, &listener->allowed[listener->allowed_count]))
        return false;
    listener->allowed_count++;
    return true;
}

/* Names among the hosts are left out: nothing is looked up here, and a name that is asked for is no proof of a source. */
static enum fc_code allow_nodes_and_proxies(struct agent_listener *listener, const struct config *config,
                                            struct fc_err *err)
{
    struct node_address node;
    struct named_address proxy;
    char host[ADDRESS_SIZE];
    enum fc_code code = FC_OK;
    int port;
    allow(listener, "127.0.0.0/8");
    allow(listener, "::1");
    for (int i = 0; code == FC_OK && i < config->nodes.count; i++) {
        code = node_address_parse(config->nodes.item[i], &node, err);
        if (code == FC_OK)
            allow(listener, node.host);
    }
    for (int i = 0; code == FC_OK && i < config->haproxy_instances.count; i++) {
        code = named_address_parse(config->haproxy_instances.item[i], &proxy, err);
        if (code == FC_OK && proxy.address[0] != '/' && address_split(proxy.address, host, sizeof host, &port))
            allow(listener, host);
    }
    return code;
}

static enum fc_code read_allowed(struct agent_listener *listener, const struct config *config, struct fc_err *err)
{
    if (config->agent_allowed_sources.count == 0)
        return allow_nodes_and_proxies(listener, config, err);
    for (int i = 0; i < config->agent_allowed_sources.count; i++) {
        const char *item = config->agent_allowed_sources.item[i];
        if (!allow(listener, item))
            return fc_fail(err, FC_BAD_CONFIG, "AgentAllowedSources: '%s' is not an address or network like 10.0.9.0/24",
                           item);
    }
    return FC_OK;
}

/* Writes the source as text on the way. A unix socket is guarded by the file's mode instead. */
static bool source_is_allowed(const struct agent_listener *listener, const struct sockaddr_storage *from,
                              char source[SOURCE_SIZE])
{
    struct in6_addr address;
    uint64_t value[2];
    if (from->ss_family == AF_INET) {
        address = v4_mapped(&((const struct sockaddr_in *)from)->sin_addr);
    } else if (from->ss_family == AF_INET6) {
        address = ((const struct sockaddr_in6 *)from)->sin6_addr;
    } else {
        text_copy(source, SOURCE_SIZE, "unix");
        return from->ss_family == AF_UNIX;
    }
    memcpy(value, &address, sizeof value);
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&address);
    inet_ntop(is_mapped ? AF_INET : AF_INET6, address.s6_addr + (is_mapped ? 12 : 0), source, SOURCE_SIZE);
    for (int i = 0; i < listener->allowed_count; i++) {
        const struct network *network = &listener->allowed[i];
        if ((value[0] & network->mask[0]) == network->value[0] && (value[1] & network->mask[1]) == network->value[1])
            return true;
    }
    return false;
}

/* ---- a client's end ---- */

static void silence_leave(struct agent_listener *listener, struct client *client)
{
    if (client->has_spoken && !client->is_leaving)
        TAILQ_REMOVE(&listener->silent_first, client, by_silence);
    client->has_spoken = false;
}

static void client_close(struct agent_listener *listener, struct client *client)
{
    silence_leave(listener, client);
    ev_io_stop(listener->loop, &client->readable);
    close(client->readable.fd);
    TAILQ_REMOVE(&listener->oldest_first, client, by_age);
    TAILQ_INSERT_HEAD(&listener->unused, client, by_age);
    listener->counters.open--;
}

static bool line_send(int fd, struct board_line line)
{
    ssize_t sent;
    do {
        sent = send(fd, line.bytes, line.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)line.length;       /* a fresh socket has room for one line; a full one is beyond help */
}

/* Reads what is left and throws it away, a bounded amount. True when the other side has closed. */
static bool drained_to_end(int fd)
{
    char lost[DRAIN_SIZE];
    for (int i = 0; i < 4; i++) {
        const ssize_t got = recv(fd, lost, sizeof lost, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno != EAGAIN;
        if (got == 0)
            return true;
    }
    return false;
}

/* Closing a socket with unread bytes resets it, and a reset may overtake the line. So when more may be on the way, our side
 * is shut, and the client stays until it closes too or its second is over. */
static void client_leave(struct agent_listener *listener, struct client *client)
{
    shutdown(client->readable.fd, SHUT_WR);
    if (drained_to_end(client->readable.fd)) {
        client_close(listener, client);
        return;
    }
    silence_leave(listener, client);
    client->is_leaving = true;
}

/* One line, then the end. */
static void client_answer(struct agent_listener *listener, struct client *client, struct board_line line,
                          bool is_all_read)
{
    if (!line_send(client->readable.fd, line)) {
        listener->counters.reset++;
        client_close(listener, client);
    } else if (is_all_read) {
        client_close(listener, client);
    } else {
        client_leave(listener, client);
    }
}

/* ---- time ---- */

static struct fc_span until_over(struct fc_time since, int64_t limit_ms, struct fc_time now)
{
    return fc_since(now, fc_plus(since, fc_ms(limit_ms)));
}

static void timer_start(struct ev_loop *loop, ev_timer *timer, struct fc_span in, int64_t grain_ms)
{
    const int64_t least = grain_ms * 1000;
    ev_timer_set(timer, (double)(in.us > least ? in.us : least) / 1e6, 0.);
    ev_timer_start(loop, timer);
}

/* ---- a client's words ---- */

/* How long the request (or, at a fixed port, the visitor) has been waiting: a node that was frozen finds questions in its
 * queue that nobody waits for any more. The kernel knows; -1 on a unix socket, where it does not say. */
static int64_t waited_ms(const struct agent_listener *listener, const struct client *client)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(client->readable.fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return -1;
    const int64_t kept = fc_span_ms(fc_since(client->accepted_at, loop_now(listener->loop)));
    return kept > (int64_t)info.tcpi_last_data_recv ? kept : (int64_t)info.tcpi_last_data_recv;
}

/* Answers if the line is whole, or held to be. `is_all_read`: the last read found less than it had room for. */
static void client_judge(struct agent_listener *listener, struct client *client, bool is_over, bool is_all_read)
{
    struct agent_request request;
    const enum agent_request_state state = agent_request_parse(client->bytes, client->length, is_over, &request);
    if (state == AGENT_REQUEST_READY) {
        listener->counters.answered++;
        request.waited_ms = waited_ms(listener, client);
        client_answer(listener, client,
                      board_line(listener->board, &request, client->source, loop_now(listener->loop)), is_all_read);
    } else if (state == AGENT_REQUEST_BAD || is_over || client->length == sizeof client->bytes) {
        listener->counters.dropped_bad++;
        client_answer(listener, client, board_line_of_bad_request(listener->board), false);
    }
}

static void client_has_said(struct agent_listener *listener, struct client *client, size_t length)
{
    client->length += length;
    client->heard_at = loop_now(listener->loop);
    if (client->has_spoken)
        TAILQ_REMOVE(&listener->silent_first, client, by_silence);
    client->has_spoken = true;
    TAILQ_INSERT_TAIL(&listener->silent_first, client, by_silence);
    client_judge(listener, client, false, client->length < sizeof client->bytes);
    if (!TAILQ_EMPTY(&listener->silent_first) && !ev_is_active(&listener->silence))
        timer_start(listener->loop, &listener->silence, fc_ms(SILENCE_MS), SILENCE_GRAIN_MS);
}

/* `is_silent`: nothing has been read from it for so long that the line is over, unless there is more right now. */
static void client_hear(struct agent_listener *listener, struct client *client, bool is_silent)
{
    const size_t room = sizeof client->bytes - client->length;
    const ssize_t got = recv(client->readable.fd, client->bytes + client->length, room, MSG_DONTWAIT);
    if (got > 0) {
        client_has_said(listener, client, (size_t)got);
    } else if ((got == 0 && client->length > 0) || (got < 0 && errno == EAGAIN && is_silent)) {
        client_judge(listener, client, true, true);       /* with 0 it has shut its side down: the line is over, too */
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        listener->counters.reset++;
        client_close(listener, client);
    }
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct client *client = (struct client *)watcher->data;
    (void)loop;
    (void)events;
    if (!client->is_leaving)
        client_hear(client->listener, client, false);
    else if (drained_to_end(watcher->fd))
        client_close(client->listener, client);
}

/* ---- limits ---- */

static void on_life(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_listener *listener = (struct agent_listener *)timer->data;
    const struct fc_time now = loop_now(loop);
    struct client *client;
    (void)events;
    while ((client = TAILQ_FIRST(&listener->oldest_first)) != NULL &&
           until_over(client->accepted_at, LIFE_MS, now).us <= 0) {
        listener->counters.dropped_slow += !client->is_leaving;
        client_close(listener, client);
    }
    if (client != NULL)
        timer_start(loop, timer, until_over(client->accepted_at, LIFE_MS, now), LIFE_GRAIN_MS);
}

static void on_silence(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_listener *listener = (struct agent_listener *)timer->data;
    const struct fc_time now = loop_now(loop);
    struct client *client;
    (void)events;
    while ((client = TAILQ_FIRST(&listener->silent_first)) != NULL &&
           until_over(client->heard_at, SILENCE_MS, now).us <= 0)
        client_hear(listener, client, true);       /* a loop that was held up has not seen yet what came meanwhile */
    ev_timer_stop(loop, timer);
    if (client != NULL)
        timer_start(loop, timer, until_over(client->heard_at, SILENCE_MS, now), SILENCE_GRAIN_MS);
}

/* ---- arrival ---- */

static void drop_oldest(struct agent_listener *listener)
{
    struct client *oldest = TAILQ_FIRST(&listener->oldest_first);
    listener->counters.dropped_full += !oldest->is_leaving;
    client_close(listener, oldest);
}

/* Not answered at once: now epoll and the timers have to know it. */
static void client_keep(struct agent_listener *listener, struct client *client)
{
    ev_io_start(listener->loop, &client->readable);
    if (!ev_is_active(&listener->life))
        timer_start(listener->loop, &listener->life, fc_ms(LIFE_MS), LIFE_GRAIN_MS);
    if (listener->counters.open > listener->clients_max)
        drop_oldest(listener);
}

static struct client *client_take(struct agent_listener *listener, int fd, const char *source)
{
    struct client *client = TAILQ_FIRST(&listener->unused);
    assert(client != NULL);
    TAILQ_REMOVE(&listener->unused, client, by_age);
    TAILQ_INSERT_TAIL(&listener->oldest_first, client, by_age);
    ev_io_set(&client->readable, fd, EV_READ);
    client->accepted_at = loop_now(listener->loop);
    client->has_spoken = false;
    client->is_leaving = false;
    client->length = 0;
    memcpy(client->source, source, SOURCE_SIZE);
    listener->counters.open++;
    return client;
}

/* `is_hurried`: the descriptor is borrowed from the reserve, so the visit ends here, answered or not. */
static void client_arrives(struct agent_listener *listener, struct door *door, int fd, const char *source,
                           bool is_hurried)
{
    const uint64_t open_before = listener->counters.open;
    struct client *client = client_take(listener, fd, source);
    if (door->kind == DOOR_FIXED) {
        listener->counters.answered++;
        door->request.waited_ms = waited_ms(listener, client);
        client_answer(listener, client,
                      board_line(listener->board, &door->request, client->source, client->accepted_at), false);
    } else {
        client_hear(listener, client, false);
    }
    if (listener->counters.open == open_before)
        return;                                /* it has gone already */
    if (is_hurried)
        client_close(listener, client);
    else
        client_keep(listener, client);
}

static void client_greet(struct agent_listener *listener, struct door *door, int fd,
                         const struct sockaddr_storage *from, bool is_hurried)
{
    char source[SOURCE_SIZE] = "";
    listener->counters.accepted++;
    if (source_is_allowed(listener, from, source)) {
        client_arrives(listener, door, fd, source, is_hurried);
    } else {
        listener->counters.refused_source++;
        close(fd);
    }
}

static int door_accept(const struct door *door, struct sockaddr_storage *from)
{
    socklen_t size = sizeof *from;
    from->ss_family = AF_UNSPEC;
    const int fd = accept4(door->knock.fd, (struct sockaddr *)from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && door->kind == DOOR_UNIX)
        from->ss_family = AF_UNIX;             /* an unnamed peer may come without an address at all */
    return fd;
}

/* No descriptor left in the process: the reserve lets in one visitor at a time, who is answered if the line is there. Left
 * alone, the queue would keep the door readable and the loop would turn without rest. 0 or errno. */
static int accept_on_reserve(struct agent_listener *listener, struct door *door)
{
    struct sockaddr_storage from;
    if (listener->reserve < 0)
        return EMFILE;
    close(listener->reserve);
    const int fd = door_accept(door, &from);
    const int trouble = fd < 0 ? errno : 0;
    if (fd >= 0) {
        listener->counters.no_descriptor++;
        client_greet(listener, door, fd, &from, true);
    }
    listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return trouble;
}

static int accept_one(struct agent_listener *listener, struct door *door)
{
    struct sockaddr_storage from;
    const int fd = door_accept(door, &from);
    if (fd >= 0) {
        client_greet(listener, door, fd, &from, false);
        return 0;
    }
    return errno == EMFILE || errno == ENFILE ? accept_on_reserve(listener, door) : errno;
}

/* accept(2): what went wrong with one visitor before he was let in is reported here, and the next one may be well. */
static bool is_one_visitors_trouble(int trouble)
{
    return trouble == 0 || trouble == EINTR || trouble == ECONNABORTED || trouble == EPROTO || trouble == EPERM ||
           trouble == ENETDOWN || trouble == ENETUNREACH || trouble == EHOSTDOWN || trouble == EHOSTUNREACH ||
           trouble == ENOPROTOOPT || trouble == EOPNOTSUPP;
}

static void rest_a_while(struct agent_listener *listener)
{
    for (int i = 0; i < listener->door_count; i++)
        ev_io_stop(listener->loop, &listener->doors[i].knock);
    if (!ev_is_active(&listener->rest))
        timer_start(listener->loop, &listener->rest, fc_ms(REST_MS), REST_MS);
}

static void on_knock(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct door *door = (struct door *)watcher->data;
    int trouble = 0;
    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE && is_one_visitors_trouble(trouble); i++)
        trouble = accept_one(door->listener, door);
    if (trouble != EAGAIN && !is_one_visitors_trouble(trouble))
        rest_a_while(door->listener);          /* no descriptors, no memory: asking again at once would only burn time */
}

static void on_rest(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_listener *listener = (struct agent_listener *)timer->data;
    (void)events;
    if (listener->reserve < 0)
        listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < listener->door_count; i++)
        ev_io_start(loop, &listener->doors[i].knock);
}

/* ---- opening ---- */

static struct door *door_add(struct agent_listener *listener, enum door_kind kind, int fd)
{
    assert(listener->door_count < DOORS_MAX);
    struct door *door = &listener->doors[listener->door_count++];
    door->listener = listener;
    door->kind = kind;
    ev_io_init(&door->knock, on_knock, fd, EV_READ);
    door->knock.data = door;
    ev_io_start(listener->loop, &door->knock);
    return door;
}

/* Bound and listening, or -1 with errno. */
static int tcp_listen(const struct sockaddr *address, socklen_t size)
{
    const int on = 1, off = 0;
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* "" = both families on one socket; IPv4 alone where the machine has no IPv6. */
static int tcp_listen_everywhere(int port)
{
    const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    const struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    const int fd = tcp_listen((const struct sockaddr *)&v6, sizeof v6);
    if (fd >= 0 || errno == EADDRINUSE || errno == EACCES)
        return fd;
    return tcp_listen((const struct sockaddr *)&v4, sizeof v4);
}

static enum fc_code tcp_open(const char *key, const char *host, int port, int *ret, struct fc_err *err)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
    struct addrinfo *found = NULL;
    char service[8];
    int fd;
    if (host[0] == '\0') {
        fd = tcp_listen_everywhere(port);
    } else {
        TEXT_FORMAT(service, "%d", port);
        if (getaddrinfo(host, service, &hints, &found) != 0)
            return fc_fail(err, FC_BAD_CONFIG, "%s: '%s' is not a numeric address; names are not looked up here", key, host);
        fd = tcp_listen(found->ai_addr, found->ai_addrlen);
        freeaddrinfo(found);
    }
    if (fd < 0)
        return fc_fail(err, FC_UNREACHABLE, "%s: cannot listen on '%s' port %d: %s", key, host, port, strerror(errno));
    *ret = fd;
    return FC_OK;
}

static int port_of(int fd)
{
    struct sockaddr_storage own = { 0 };
    socklen_t size = sizeof own;
    if (getsockname(fd, (struct sockaddr *)&own, &size) != 0)
        return 0;
    return ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                           : ((struct sockaddr_in *)&own)->sin_port);
}

static enum fc_code main_door_open(struct agent_listener *listener, const struct config *config, struct fc_err *err)
{
    static const char key[] = "AgentListenAddress";
    char host[ADDRESS_SIZE];
    int port, fd;
    if (config->agent_listen_address[0] == '\0')
        return FC_OK;
    if (!address_split(config->agent_listen_address, host, sizeof host, &port))
        return fc_fail(err, FC_BAD_CONFIG, "%s: '%s' is not like ':9377' or '10.0.9.1:9377'", key,
                       config->agent_listen_address);
    const enum fc_code code = tcp_open(key, host, port, &fd, err);
    if (code != FC_OK)
        return code;
    door_add(listener, DOOR_TCP, fd);
    listener->port = port_of(fd);
    return FC_OK;
}

/* "9401=pool/server" listens where AgentListenAddress does; "host:9401=pool/server" and ":9401=..." say where. */
static enum fc_code fixed_door_open(struct agent_listener *listener, const struct config *config, const char *item,
                                    struct fc_err *err)
{
    static const char key[] = "AgentFixedPorts";
    char where[ADDRESS_SIZE], host[ADDRESS_SIZE] = "";
    struct agent_request request;
    uint64_t number = 0;
    int port = 0, fd;
    const char *equals = strchr(item, '=');
    const size_t length = equals == NULL ? 0 : (size_t)(equals - item);
    if (length == 0 || !text_copy_bytes(where, sizeof where, item, length) ||
        agent_request_parse(equals + 1, strlen(equals + 1), true, &request) != AGENT_REQUEST_READY)
        return fc_fail(err, FC_BAD_CONFIG, "%s: '%s' is not like '9401=pool/server'", key, item);
    if (text_to_u64(where, length, &number) && number > 0 && number < 65536) {
        if (!address_split(config->agent_listen_address, host, sizeof host, &port))
            host[0] = '\0';
        port = (int)number;
    } else if (!address_split(where, host, sizeof host, &port)) {
        return fc_fail(err, FC_BAD_CONFIG, "%s: '%s' does not begin with a port or host:port", key, item);
    }
    const enum fc_code code = tcp_open(key, host, port, &fd, err);
    if (code == FC_OK)
        door_add(listener, DOOR_FIXED, fd)->request = request;
    return code;
}

static enum fc_code unix_door_open(struct agent_listener *listener, const struct config *config, struct fc_err *err)
{
    struct sockaddr_un *address = &listener->unix_address;
    struct stat made;
    const char *path = config->agent_listen_socket;
    if (path[0] == '\0')
        return FC_OK;
    address->sun_family = AF_UNIX;
    if (!text_copy(address->sun_path, sizeof address->sun_path, path))
        return fc_fail(err, FC_BAD_CONFIG, "AgentListenSocket: '%s' is longer than %zu bytes", path,
                       sizeof address->sun_path - 1);
    const enum fc_code code = socket_file_make_way("AgentListenSocket", address, err);
    if (code != FC_OK)
        return code;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fc_fail(err, FC_UNREACHABLE, "AgentListenSocket: socket: %s", strerror(errno));
    fchmod(fd, 0660);                          /* bind makes the file with this mode less the umask: never wider */
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 || listen(fd, BACKLOG) != 0) {
        const int why = errno;
        close(fd);
        return fc_fail(err, FC_UNREACHABLE, "AgentListenSocket: cannot listen on '%s': %s", path, strerror(why));
    }
    if (chmod(path, 0660) == 0 && lstat(path, &made) == 0) {
        listener->unix_device = made.st_dev;
        listener->unix_inode = made.st_ino;
        listener->has_unix = true;
    }
    door_add(listener, DOOR_UNIX, fd);
    return FC_OK;
}

static struct agent_listener *listener_new(struct ev_loop *loop, struct board *board, size_t clients_max)
{
    struct agent_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return NULL;
    listener->slots = calloc(clients_max + 1, sizeof *listener->slots);
    if (listener->slots == NULL) {
        free(listener);
        return NULL;
    }
    listener->loop = loop;
    listener->board = board;
    listener->clients_max = clients_max;
    listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    TAILQ_INIT(&listener->unused);
    TAILQ_INIT(&listener->oldest_first);
    TAILQ_INIT(&listener->silent_first);
    for (size_t i = 0; i <= clients_max; i++) {
        struct client *client = &listener->slots[i];
        client->listener = listener;
        ev_io_init(&client->readable, on_readable, -1, EV_READ);
        client->readable.data = client;
        TAILQ_INSERT_TAIL(&listener->unused, client, by_age);
    }
    ev_timer_init(&listener->life, on_life, 0., 0.);
    ev_timer_init(&listener->silence, on_silence, 0., 0.);
    ev_timer_init(&listener->rest, on_rest, 0., 0.);
    listener->life.data = listener->silence.data = listener->rest.data = listener;
    return listener;
}

static enum fc_code doors_open(struct agent_listener *listener, const struct config *config, struct fc_err *err)
{
    enum fc_code code = read_allowed(listener, config, err);
    if (code == FC_OK)
        code = main_door_open(listener, config, err);
    if (code == FC_OK)
        code = unix_door_open(listener, config, err);
    for (int i = 0; code == FC_OK && i < config->agent_fixed_ports.count; i++)
        code = fixed_door_open(listener, config, config->agent_fixed_ports.item[i], err);
    return code;
}

enum fc_code agent_listener_open(struct ev_loop *loop, const struct config *config, struct board *board,
                                 struct agent_listener **ret, struct fc_err *err)
{
    assert(config->agent_clients_max > 0);
    struct agent_listener *listener = listener_new(loop, board, (size_t)config->agent_clients_max);
    if (listener == NULL)
        return fc_fail(err, FC_NO_MEMORY, "agent listener: out of memory for %d clients", config->agent_clients_max);
    const enum fc_code code = doors_open(listener, config, err);
    if (code != FC_OK) {
        agent_listener_close(listener);
        return code;
    }
    *ret = listener;
    return FC_OK;
}

static void unix_file_remove(const struct agent_listener *listener)
{
    struct stat at;
    const char *path = listener->unix_address.sun_path;
    if (listener->has_unix && lstat(path, &at) == 0 && at.st_dev == listener->unix_device &&
        at.st_ino == listener->unix_inode)
        unlink(path);
}

void agent_listener_close(struct agent_listener *listener)
{
    if (listener == NULL)
        return;
    while (!TAILQ_EMPTY(&listener->oldest_first))
        client_close(listener, TAILQ_FIRST(&listener->oldest_first));
    for (int i = 0; i < listener->door_count; i++) {
        ev_io_stop(listener->loop, &listener->doors[i].knock);
        close(listener->doors[i].knock.fd);
    }
    unix_file_remove(listener);
    ev_timer_stop(listener->loop, &listener->life);
    ev_timer_stop(listener->loop, &listener->silence);
    ev_timer_stop(listener->loop, &listener->rest);
    if (listener->reserve >= 0)
        close(listener->reserve);
    free(listener->slots);
    free(listener);
}

int agent_listener_port(const struct agent_listener *listener)
{
    return listener->port;
}

struct agent_listener_counters agent_listener_counters(const struct agent_listener *listener)
{
    return listener->counters;
}
