/* The HTTP door on our loop: libmicrohttpd keeps its connections in an epoll set of its own, and that one descriptor is
 * watched here. No thread: it runs when somebody knocks, when its set is ready, when its own time-outs are due, and when an order
 * has ended.
 *
 * The way of a request: headers -> who asks (401) -> path (404) -> may they (Unauthorized) -> handler -> answer; a handler that
 * gives an order leaves the connection asleep, and the same request comes by here again when the order has ended. */
#include "agent/doors/http_inside.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/doors/http_tls_files.h"
#include "base/text.h"

#define VISITORS_A_TURN 16           /* let in at one time: others on the loop have their turn too */
#define REST_SECONDS 0.2             /* after the process had no descriptor left */
#define SPARE_MAX 64                 /* ended requests whose memory is used again */
#define FAREWELL_RUNS 8              /* turns that answers get on their way out when the door closes */

/* ---- the pump ---- */

static void rearm(struct http_door *door)
{
    MHD_UNSIGNED_LONG_LONG ms;

    ev_timer_stop(door->loop, &door->wake);
    if (MHD_get_timeout(door->mhd, &ms) == MHD_YES) {
        ev_timer_set(&door->wake, (double)ms / 1000.0, 0.0);
        ev_timer_start(door->loop, &door->wake);
    }
}

/* Under TLS more than the library knows of: who shakes hands yet, and whose last bytes are on their way. */
static uint64_t connections_of(const struct http_door *door)
{
    if (door->tls != NULL)
        return http_tls_visitors(door->tls);
    const union MHD_DaemonInfo *known = MHD_get_daemon_info(door->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return known == NULL ? 0 : known->num_connections;
}

static void run(struct http_door *door)
{
    MHD_run(door->mhd);
    rearm(door);
    if (door->is_full && connections_of(door) < HTTP_CONNECTIONS_MAX) {
        door->is_full = false;
        ev_io_start(door->loop, &door->knock);
    }
}

static void on_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    run(watcher->data);
}

static void on_wake(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    run(timer->data);
}

void http_door_wake(struct http_door *door)
{
    ev_timer_stop(door->loop, &door->wake);
    ev_timer_set(&door->wake, 0.0, 0.0);
    ev_timer_start(door->loop, &door->wake);
}

/* ---- visitors ---- */

/* Connections are accepted here and handed to the library: left to itself it turns without rest when the process has no
 * descriptor left, and does not take up listening again by itself after its bound was reached. */
static void rest_a_while(struct http_door *door)
{
    ev_io_stop(door->loop, &door->knock);
    ev_timer_stop(door->loop, &door->rest);
    ev_timer_set(&door->rest, REST_SECONDS, 0.0);
    ev_timer_start(door->loop, &door->rest);
}

/* False when there is nobody more to let in at the moment. */
static bool let_one_in(struct http_door *door)
{
    struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
    socklen_t size = sizeof from;

    if (connections_of(door) >= HTTP_CONNECTIONS_MAX) {
        door->is_full = true;
        ev_io_stop(door->loop, &door->knock);
        return false;
    }
    const int fd = accept4(door->socket.fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            rest_a_while(door);
        return errno == ECONNABORTED || errno == EINTR;
    }
    if (door->tls != NULL)
        http_tls_welcome(door->tls, fd, (const struct sockaddr *)&from, size);
    else
        MHD_add_connection(door->mhd, fd, (const struct sockaddr *)&from, size);     /* closes it when it cannot be taken */
    return true;
}

/* The plain end of somebody who has shaken hands. */
static void take(void *owner, int fd, const struct sockaddr *from, socklen_t size)
{
    struct http_door *door = owner;
    MHD_add_connection(door->mhd, fd, from, size);
    http_door_wake(door);
}

static void left(void *owner)
{
    struct http_door *door = owner;
    if (door->is_full)
        http_door_wake(door);
}

static void on_knock(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http_door *door = watcher->data;
    (void)loop;
    (void)events;
    for (int i = 0; i < VISITORS_A_TURN && let_one_in(door); i++)
        continue;
    run(door);
}

static void on_rest(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct http_door *door = timer->data;
    (void)events;
    if (!door->is_full)
        ev_io_start(loop, &door->knock);
}

/* ---- a request ---- */

bool request_argument(const struct http_request *request, const char *name, char *to, size_t size)
{
    const char *value = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    to[0] = '\0';
    return value == NULL || http_text_decode(value, strlen(value), to, size);
}

/* The raw text stays as it came: it is split before it is decoded. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static bool method_fits(const struct http_route *route, const char *method)
{
    if (text_is(method, MHD_HTTP_METHOD_GET))
        return true;
    return text_is(method, route->right == HTTP_READ ? MHD_HTTP_METHOD_HEAD : MHD_HTTP_METHOD_POST);
}

static void answer_nowhere(struct http_request *request, const char *method, const char *url, struct http_answer *answer)
{
    char message[300], shown[160];

    request->door->counters.not_found++;
    TEXT_SET(shown, url);
    text_make_plain(shown);
    TEXT_FORMAT(message, "there is no %.16s %s; GET %s/ lists what there is", method, shown,
                request->door->desk->config->url_prefix);
    answer_envelope(answer, MHD_HTTP_NOT_FOUND, false, message, NULL);
}

static bool only_looks(const char *method) { return text_is(method, MHD_HTTP_METHOD_GET) || text_is(method, MHD_HTTP_METHOD_HEAD); }

static void handle(struct http_request *request, const char *method, const char *url, struct http_answer *answer)
{
    const struct config *config = request->door->desk->config;

    request->door->counters.requests++;
    if (!http_auth_enter(request, url, answer))
        return;
    request->kept = only_looks(method) ? http_kept_find(request, url) : NULL;
    if (request->kept != NULL) {
        request->door->counters.failed += request->kept->status >= 500;
        return;
    }
    if (strlen(url) > HTTP_PATH_MAX) {
        answer_envelope(answer, MHD_HTTP_URI_TOO_LONG, false, "the path is longer than 2048 bytes", NULL);
        return;
    }
    request->route = http_route_find(config, request, url);
    if (request->route == NULL || !method_fits(request->route, method)) {
        answer_nowhere(request, method, url, answer);
        return;
    }
    if (!http_auth_change(request, request->route->right, answer))
        return;
    request->stamp = http_kept_stamp(request->door, request->route->keeps);
    request->route->handle(request, answer);
    if (!answer->is_later && answer->status >= 500)
        request->door->counters.failed++;
}

static struct http_request *request_new(struct http_door *door, struct MHD_Connection *connection)
{
    struct http_request *request = door->spare;
    if (request != NULL) {
        door->spare = request->next_spare;
        door->spare_count--;
    } else if ((request = malloc(sizeof *request)) == NULL) {
        return NULL;
    }
    memset(request, 0, offsetof(struct http_request, path));
    request->path.count = 0;
    request->door = door;
    request->connection = connection;
    return request;
}

static void request_end(struct http_request *request)
{
    struct http_door *door = request->door;
    if (door->spare_count == SPARE_MAX) {
        free(request);
        return;
    }
    request->next_spare = door->spare;
    door->spare = request;
    door->spare_count++;
}

static enum MHD_Result give(struct http_request *request, struct http_answer *answer)
{
    if (answer->is_later || http_later_pack(request, answer))
        return MHD_YES;
    return answer_send(answer, request);
}

/* Called once for the headers, once per piece of body, once when all is there, and once more after an order has ended. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *body, size_t *body_size, void **mine)
{
    struct http_request *request = *mine;
    struct http_answer answer = { 0 };
    (void)version;
    (void)body;

    if (request == NULL) {
        *mine = request_new(cls, connection);
        return *mine != NULL ? MHD_YES : MHD_NO;
    }
    if (*body_size != 0) {
        request->body_size += *body_size;
        *body_size = 0;
        return request->body_size <= HTTP_BODY_MAX ? MHD_YES : MHD_NO;
    }
    switch (request->later) {
    case HTTP_LATER_NONE:
        break;
    case HTTP_LATER_WAITS:
        return MHD_YES;
    case HTTP_LATER_READY:
        request->later = HTTP_LATER_NONE;
        answer = request->ready;
        request->ready.body = NULL;
        return answer_send(&answer, request);
    }
    switch (request->order.state) {
    case HTTP_ORDER_NONE:
        request->url = url;
        handle(request, method, url, &answer);
        if (request->kept != NULL)
            return MHD_queue_response(connection, request->kept->status, request->kept->response);
        break;
    case HTTP_ORDER_WAITING:
        return MHD_YES;
    case HTTP_ORDER_ENDED:
        http_order_answer(request, &answer);
        break;
    }
    return give(request, &answer);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **mine, enum MHD_RequestTerminationCode how)
{
    struct http_request *request = *mine;
    (void)cls;
    (void)connection;
    (void)how;
    if (request == NULL)
        return;
    http_order_forget(request);
    http_later_forget(request);
    free(request->order.report);
    free(request->fleet_details);
    request_end(request);
    *mine = NULL;
}

/* ---- open and close ---- */

static enum fc_code mhd_start(struct http_door *door, struct fc_err *err)
{
    door->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                                 on_request, door,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_SECONDS,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY,
                                 MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, door, MHD_OPTION_END);
    if (door->mhd == NULL)
        return fc_fail(err, FC_INTERNAL, "HTTP: libmicrohttpd does not start: %s", strerror(errno));
    const union MHD_DaemonInfo *set = MHD_get_daemon_info(door->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (set == NULL || set->epoll_fd < 0)
        return fc_fail(err, FC_INTERNAL, "HTTP: this libmicrohttpd has no epoll");
    ev_io_init(&door->ready, on_ready, set->epoll_fd, EV_READ);
    door->ready.data = door;
    ev_io_start(door->loop, &door->ready);
    ev_io_init(&door->knock, on_knock, door->socket.fd, EV_READ);
    door->knock.data = door;
    ev_io_start(door->loop, &door->knock);
    rearm(door);
    return FC_OK;
}

enum fc_code http_door_open(struct ev_loop *loop, const struct desk *desk, struct http_door **ret, struct fc_err *err)
{
    struct http_door *door = calloc(1, sizeof *door);
    if (door == NULL)
        return fc_fail(err, FC_NO_MEMORY, "HTTP: out of memory");
    door->loop = loop;
    door->desk = desk;
    door->socket.fd = -1;
    LIST_INIT(&door->waiting);
    http_later_open(door);
    ev_init(&door->ready, on_ready);
    ev_init(&door->knock, on_knock);
    ev_init(&door->wake, on_wake);
    ev_init(&door->rest, on_rest);
    door->wake.data = door->rest.data = door;

    const struct http_tls_house house = { .door = door, .take = take, .left = left };
    enum fc_code code = http_tls_open(loop, desk->config, &house, &door->tls, err);
    if (code == FC_OK)
        code = http_socket_open(desk->config, &door->socket, err);
    if (code == FC_OK)
        code = mhd_start(door, err);
    if (code != FC_OK) {
        http_door_close(door);
        return code;
    }
    *ret = door;
    return FC_OK;
}

static void end_waiting(struct http_door *door)
{
    while (!LIST_EMPTY(&door->waiting)) {
        struct http_request *request = LIST_FIRST(&door->waiting);
        door->desk->forget(door->desk->daemon, request->order.ticket);
        http_order_end(request, FC_BUSY, "this node is stopping; the order goes on, see the other nodes");
    }
    http_later_close(door);
    for (int i = 0; i < FAREWELL_RUNS; i++)
        MHD_run(door->mhd);
}

void http_door_close(struct http_door *door)
{
    if (door == NULL)
        return;
    ev_io_stop(door->loop, &door->knock);
    if (door->mhd != NULL) {
        end_waiting(door);
        ev_io_stop(door->loop, &door->ready);             /* before the library closes its descriptor */
        MHD_stop_daemon(door->mhd);
    }
    http_tls_close(door->tls);
    ev_timer_stop(door->loop, &door->wake);
    ev_timer_stop(door->loop, &door->rest);
    http_socket_close(&door->socket);
    http_kept_drop_all(door);
    while (door->spare != NULL) {
        struct http_request *spare = door->spare;
        door->spare = spare->next_spare;
        free(spare);
    }
    free(door);
}

enum fc_code http_door_check(const struct config *config, struct fc_err *err)
{
    struct tls_files *files = NULL;
    const enum fc_code code = config->http_uses_tls && config->listen_socket[0] == '\0' ? tls_files_read(config, &files, err) : FC_OK;
    tls_files_leave(files);
    return code;
}

enum fc_code http_door_reload(struct http_door *door, struct fc_err *err)
{
    return door->tls == NULL ? FC_OK : http_tls_reload(door->tls, err);
}

int http_door_port(const struct http_door *door)
{
    return door->socket.port;
}

struct http_door_counters http_door_counters(const struct http_door *door)
{
    struct http_door_counters counters = door->counters;
    counters.connections = connections_of(door);
    return counters;
}
