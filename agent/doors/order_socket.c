/* One client is one small machine: a line comes in, is answered, and only when the answer is out the next line is looked at.
 * So no queue can grow: what a client sends ahead stays in its line buffer and then in the kernel.
 *
 * Names of users are looked up once, at the start; on the loop nothing asks a name service. */
#include "agent/doors/order_socket.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/doors/socket_file.h"
#include "act/orders.h"
#include "agent/status_json.h"
#include "base/text.h"

#define CLIENTS_MAX 64
#define IDLE_SECONDS 60.0          /* without a whole order */
#define STALL_SECONDS 10.0         /* without reading a byte of what was answered */
#define BREATHER_SECONDS 1.0       /* no accept while the process has no descriptor left */
#define PROGRESS_OUT_MAX 65536     /* unread beyond this, progress is left out; the final answer never is */

struct user { uid_t uid; char name[48]; };

struct client {
    struct order_socket *door;
    struct ev_io io;
    struct ev_timer patience;      /* idle, or stalled */
    bool may_change;
    char by[64];
    char line[ORDER_TEXT_MAX + 2]; /* the longest order with "\r\n" */
    size_t line_length;
    bool is_too_long;              /* the rest of an endless line is being skipped */
    bool has_ended;                /* it sends no more */
    bool is_waiting;               /* an order is under way; no further one is looked at */
    uint64_t ticket;
    char *out;
    size_t out_length, out_sent, out_room;
    ev_tstamp active_at;
};

struct order_socket {
    struct ev_loop *loop;
    const struct desk *desk;
    struct ev_io arrival;
    struct ev_timer breather;
    char path[sizeof ((struct sockaddr_un *)0)->sun_path];
    dev_t device;                  /* of our socket file, so that only ours is removed */
    ino_t inode;
    struct user users[LIST_MAX + 2];
    int user_count;
    struct client *clients[CLIENTS_MAX];
    int client_count;
};

/* ---- who may change something ---- */

static enum fc_code add_user(struct order_socket *door, const char *item, struct fc_err *err)
{
    struct user *user = &door->users[door->user_count];
    uint64_t number;
    const bool is_number = text_to_u64(item, strlen(item), &number) && number <= UINT32_MAX;
    const struct passwd *entry = is_number ? getpwuid((uid_t)number) : getpwnam(item);

    if (entry == NULL && !is_number)
        return fc_fail(err, FC_BAD_CONFIG, "OrderUsers has '%s'; it must be the name or number of a user of this machine", item);
    user->uid = is_number ? (uid_t)number : entry->pw_uid;
    TEXT_SET(user->name, entry != NULL ? entry->pw_name : item);
    door->user_count++;
    return FC_OK;
}

static enum fc_code add_users(struct order_socket *door, struct fc_err *err)
{
    const struct config_list *list = &door->desk->config->order_users;
    char own[24];
    enum fc_code code = add_user(door, "0", err);

    TEXT_FORMAT(own, "%u", (unsigned)geteuid());
    if (code == FC_OK)
        code = add_user(door, own, err);
    for (int i = 0; code == FC_OK && i < list->count; i++)
        code = add_user(door, list->item[i], err);
    return code;
}

static void recognise(struct client *client)
{
    const struct order_socket *door = client->door;
    struct ucred peer;
    socklen_t size = sizeof peer;

    TEXT_SET(client->by, "nobody@socket");
    if (getsockopt(client->io.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return;
    TEXT_FORMAT(client->by, "uid%u@socket", (unsigned)peer.uid);
    for (int i = 0; i < door->user_count; i++) {
        if (door->users[i].uid != peer.uid)
            continue;
        TEXT_FORMAT(client->by, "%s@socket", door->users[i].name);
        client->may_change = true;
        return;
    }
}

/* ---- a client's life ---- */

static void client_close(struct client *client)
{
    struct order_socket *door = client->door;

    if (client->is_waiting)
        door->desk->forget(door->desk->daemon, client->ticket);
    ev_io_stop(door->loop, &client->io);
    ev_timer_stop(door->loop, &client->patience);
    close(client->io.fd);
    for (int i = 0; i < door->client_count; i++) {
        if (door->clients[i] == client)
            door->clients[i] = door->clients[--door->client_count];
    }
    free(client->out);
    free(client);
}

static void watch_for(struct client *client)
{
    const bool is_full = client->line_length == sizeof client->line;
    const int events = (client->has_ended || is_full ? 0 : EV_READ) | (client->out_length > 0 ? EV_WRITE : 0);
    struct ev_loop *loop = client->door->loop;

    if ((client->io.events & (EV_READ | EV_WRITE)) != events || !ev_is_active(&client->io)) {
        ev_io_stop(loop, &client->io);
        ev_io_set(&client->io, client->io.fd, events);
        if (events != 0)
            ev_io_start(loop, &client->io);
    }
}

/* Starts anew the wait that fits the present state: for the reader, for the next order, or none while an order is under way. */
static void have_patience(struct client *client)
{
    struct ev_loop *loop = client->door->loop;

    client->active_at = ev_now(loop);
    client->patience.repeat = client->out_length > 0 ? STALL_SECONDS : client->is_waiting ? 0.0 : IDLE_SECONDS;
    ev_timer_again(loop, &client->patience);
}

static void on_impatience(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    client_close(timer->data);
}

/* ---- answers ---- */

/* Sends what can be sent now. False when the client is gone. */
static bool flush(struct client *client)
{
    while (client->out_sent < client->out_length) {
        const ssize_t sent = send(client->io.fd, client->out + client->out_sent, client->out_length - client->out_sent,
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            client_close(client);
            return false;
        }
        if (sent < 0) {
            if (client->patience.repeat != STALL_SECONDS)
                have_patience(client);
            return true;
        }
        client->out_sent += (size_t)sent;
        have_patience(client);
    }
    free(client->out);
    client->out = NULL;
    client->out_length = client->out_sent = client->out_room = 0;
    have_patience(client);
    return true;
}

static bool out_add(struct client *client, const char *text)
{
    const size_t length = strlen(text), wanted = client->out_length + length;

    if (wanted > client->out_room) {
        const size_t room = wanted + wanted / 2;
        char *out = realloc(client->out, room);
        if (out == NULL)
            return false;
        client->out = out;
        client->out_room = room;
    }
    memcpy(client->out + client->out_length, text, length);
    client->out_length += length;
    return true;
}

/* {"name":"text"} or {"code":"...","text":"..."} with a line end; false when out of memory. */
static bool out_object(struct client *client, const char *code, const char *name, const char *text)
{
    const size_t before = client->out_length;
    cJSON *object = cJSON_CreateObject();
    cJSON *string = json_text(text);
    char *line = NULL;

    if (object != NULL && (code == NULL || cJSON_AddStringToObject(object, "code", code) != NULL) && string != NULL &&
        cJSON_AddItemToObject(object, name, string)) {
        string = NULL;
        line = cJSON_PrintUnformatted(object);
    }
    cJSON_Delete(string);
    cJSON_Delete(object);
    const bool is_added = line != NULL && out_add(client, line) && out_add(client, "\n");
    cJSON_free(line);
    if (!is_added)
        client->out_length = before;     /* no half line */
    return is_added;
}

/* Without memory for an answer the connection ends: better than a half line. */
static bool end_unless(struct client *client, bool is_added)
{
    if (is_added)
        return flush(client);
    client_close(client);
    return false;
}

static bool say(struct client *client, enum fc_code code, const char *text)
{
    return end_unless(client, out_object(client, fc_code_word(code), "text", text));
}

static bool show_status(struct client *client, const struct status *status)
{
    char *text = status_json_print(status);
    const bool is_added = text != NULL && out_add(client, "{\"code\":\"ok\",\"status\":") && out_add(client, text) &&
                          out_add(client, "}\n");
    free(text);
    return end_unless(client, is_added);
}

/* ---- orders ---- */

/* {"code":"ok","NAME":JSON} */
static bool show_json(struct client *client, const char *name, const char *json)
{
    char head[48];
    TEXT_FORMAT(head, "{\"code\":\"ok\",\"%s\":", name);
    return end_unless(client, out_add(client, head) && out_add(client, json) && out_add(client, "}\n"));
}

static bool explain(struct client *client, const struct order *order)
{
    const struct desk *desk = client->door->desk;
    struct fc_err err = { .code = FC_OK };
    char *json = NULL;
    if (desk->explain(desk->daemon, order, client->by, client->may_change, &json, &err) != FC_OK)
        return say(client, err.code, err.text);
    const bool is_here = show_json(client, "explain", json);
    free(json);
    return is_here;
}

/* Called from within a step of the daemon: so nothing is ordered or forgotten here. The loop sends it, and goes on. */
static void on_reply(void *waiter, enum fc_code code, const char *text, bool is_final)
{
    struct client *client = waiter;

    assert(client->is_waiting);
    if (!is_final && client->out_length >= PROGRESS_OUT_MAX)
        return;
    client->is_waiting = !is_final;
    const bool is_added = is_final ? out_object(client, fc_code_word(code), "text", text)
                                   : out_object(client, NULL, "progress", text);
    if (is_final && !is_added) {
        client_close(client);
        return;
    }
    have_patience(client);
    watch_for(client);
}

/* As on_reply: from within a step of the daemon. */
static void tell_document(struct client *client, const char *name, enum fc_code code, const char *text, const char *json)
{
    char head[64];

    assert(client->is_waiting);
    client->is_waiting = false;
    TEXT_FORMAT(head, "{\"code\":\"%s\",\"%s\":", fc_code_word(code), name);
    const bool is_added = json == NULL ? out_object(client, fc_code_word(code), "text", text)
                                       : out_add(client, head) && out_add(client, json) && out_add(client, "}\n");
    if (!is_added) {
        client_close(client);
        return;
    }
    have_patience(client);
    watch_for(client);
}

static void on_report(void *waiter, enum fc_code code, const char *text, const char *json)
{
    tell_document(waiter, "report", code, text, json);
}

static void on_history(void *waiter, enum fc_code code, const char *text, const char *json)
{
    tell_document(waiter, "history", code, text, json);
}

static void on_backup(void *waiter, enum fc_code code, const char *text, const char *json)
{
    tell_document(waiter, "backup", code, text, json);
}

/* Ticket 0: it was not taken up. */
static bool wait_for(struct client *client, uint64_t ticket)
{
    client->ticket = ticket;
    if (ticket == 0)
        return say(client, FC_BUSY, "too many wait for such an answer already; ask again");
    client->is_waiting = true;
    have_patience(client);
    return true;
}

/* False when the client is gone. */
static bool take_order(struct client *client, const char *text, size_t length)
{
    const struct desk *desk = client->door->desk;
    struct order order;
    struct fc_err err = { 0 };

    if (order_parse(text, length, &order, &err) != FC_OK)
        return say(client, err.code, err.text);
    if (order.verb == VERB_VERIFY)
        return wait_for(client, desk->verify(desk->daemon, on_report, client));
    if (order.verb == VERB_HISTORY)
        return wait_for(client, desk->history(desk->daemon, &order, on_history, client));
    if (order.verb == VERB_RAFT_BACKUP)
        return desk->backup == NULL || !desk->config->raft_enabled ? say(client, FC_REFUSED, "raft is not in use here")
                                                                   : wait_for(client, desk->backup(desk->daemon, on_backup, client));
    if (order.verb == VERB_EXPLAIN || order.verb == VERB_PLAN)
        return explain(client, &order);
    if (!verb_table[order.verb].changes)
        return show_status(client, desk->status(desk->daemon));
    client->ticket = desk->order(desk->daemon, text, length, client->by, client->may_change, on_reply, client);
    if (client->ticket == 0)
        return say(client, FC_BUSY, "too many orders wait already; ask again");
    client->is_waiting = true;
    have_patience(client);
    return true;
}

/* Takes the first line of what has come; false when there is none. At the end of input the rest counts as a line. */
static bool take_line(struct client *client, char *line, size_t *length)
{
    const char *newline = memchr(client->line, '\n', client->line_length);
    size_t used;

    if (newline == NULL && (!client->has_ended || client->line_length == 0))
        return false;
    *length = newline == NULL ? client->line_length : (size_t)(newline - client->line);
    used = newline == NULL ? *length : *length + 1;
    memcpy(line, client->line, *length);
    if (*length > 0 && line[*length - 1] == '\r')
        --*length;
    memmove(client->line, client->line + used, client->line_length - used);
    client->line_length -= used;
    return true;
}

/* A line that fills the buffer without an end is answered once, and skipped until its end comes. False: the client is gone. */
static bool skip_endless_line(struct client *client)
{
    const bool was_too_long = client->is_too_long;
    char text[80];

    TEXT_FORMAT(text, "the order is too long; at most %d bytes are read", ORDER_TEXT_MAX);
    client->line_length = 0;
    client->is_too_long = true;
    return was_too_long || say(client, FC_BAD_INPUT, text);
}

/* For the next order. */
static bool is_free(const struct client *client) { return !client->is_waiting && client->out_length == 0; }

/* Answers line after line until one has to wait, or the reader has to catch up, or there is no more. */
static void go_on(struct client *client)
{
    char line[sizeof client->line];
    size_t length;

    while (is_free(client) && take_line(client, line, &length)) {
        const bool is_rest = client->is_too_long;
        client->is_too_long = false;
        if (!is_rest && !take_order(client, line, length))
            return;
    }
    if (is_free(client) && client->line_length == sizeof client->line && !skip_endless_line(client))
        return;
    if (is_free(client) && client->has_ended && client->line_length == 0)
        client_close(client);
    else
        watch_for(client);
}

static void receive(struct client *client)
{
    const size_t room = sizeof client->line - client->line_length;
    const ssize_t got = recv(client->io.fd, client->line + client->line_length, room, MSG_DONTWAIT);

    if (got > 0)
        client->line_length += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        client->has_ended = true;
}

static void on_client(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct client *client = io->data;
    (void)loop;

    if ((revents & EV_WRITE) != 0 && client->out_length > 0 && !flush(client))
        return;
    if ((revents & EV_READ) != 0 && !client->has_ended && client->line_length < sizeof client->line)
        receive(client);
    go_on(client);
}

/* ---- arrivals ---- */

static void make_room(struct order_socket *door)
{
    struct client *quietest = NULL;

    for (int i = 0; i < door->client_count; i++) {
        struct client *client = door->clients[i];
        if (!client->is_waiting && (quietest == NULL || client->active_at < quietest->active_at))
            quietest = client;
    }
    if (quietest != NULL)
        client_close(quietest);
}

static void admit(struct order_socket *door, int fd)
{
    static const char busy[] = "{\"code\":\"busy\",\"text\":\"too many orders are under way here; ask again\"}\n";
    struct client *client = NULL;

    if (door->client_count == CLIENTS_MAX)
        make_room(door);
    if (door->client_count < CLIENTS_MAX)
        client = calloc(1, sizeof *client);
    if (client == NULL) {
        (void)!send(fd, busy, sizeof busy - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
        return;
    }
    client->door = door;
    ev_io_init(&client->io, on_client, fd, EV_READ);
    ev_timer_init(&client->patience, on_impatience, 0.0, IDLE_SECONDS);
    client->io.data = client->patience.data = client;
    recognise(client);
    door->clients[door->client_count++] = client;
    ev_io_start(door->loop, &client->io);
    have_patience(client);
}

static void on_arrival(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct order_socket *door = io->data;
    const int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)revents;

    if (fd >= 0) {
        admit(door, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        ev_io_stop(loop, io);        /* or the loop would do nothing else */
        ev_timer_set(&door->breather, BREATHER_SECONDS, 0.0);
        ev_timer_start(loop, &door->breather);
    }
}

static void on_breather(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    struct order_socket *door = timer->data;
    (void)revents;
    ev_io_start(loop, &door->arrival);
}

/* ---- the socket file ---- */

static enum fc_code listen_at(struct order_socket *door, struct fc_err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat own;
    const int fd = door->arrival.fd;

    TEXT_SET(address.sun_path, door->path);
    const enum fc_code code = socket_file_make_way("OrderSocket", &address, err);
    if (code != FC_OK)
        return code;
    /* Before bind, so that the file is never open to others; after it, because bind applies the umask. */
    fchmod(fd, 0660);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return fc_fail(err, FC_BAD_CONFIG, "OrderSocket is '%s', which cannot be made: %s", door->path, strerror(errno));
    if (lstat(door->path, &own) == 0) {
        door->device = own.st_dev;
        door->inode = own.st_ino;
    }
    if (chmod(door->path, 0660) != 0 || listen(fd, CLIENTS_MAX) != 0)
        return fc_fail(err, FC_BAD_CONFIG, "OrderSocket is '%s', which cannot be opened: %s", door->path, strerror(errno));
    return FC_OK;
}

static enum fc_code door_fill(struct order_socket *door, struct fc_err *err)
{
    const char *path = door->desk->config->order_socket;

    if (!TEXT_SET(door->path, path) || path[0] == '\0')
        return fc_fail(err, FC_BAD_CONFIG, "OrderSocket is '%s'; it must be a path shorter than %zu bytes", path,
                       sizeof door->path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fc_fail(err, FC_INTERNAL, "order socket: %s", strerror(errno));
    ev_io_init(&door->arrival, on_arrival, fd, EV_READ);
    ev_init(&door->breather, on_breather);
    door->arrival.data = door->breather.data = door;
    enum fc_code code = add_users(door, err);
    if (code == FC_OK)
        code = listen_at(door, err);
    if (code == FC_OK)
        ev_io_start(door->loop, &door->arrival);
    return code;
}

enum fc_code order_socket_open(struct ev_loop *loop, const struct desk *desk, struct order_socket **ret, struct fc_err *err)
{
    struct order_socket *door = calloc(1, sizeof *door);

    if (door == NULL)
        return fc_fail(err, FC_NO_MEMORY, "order socket: out of memory");
    door->loop = loop;
    door->desk = desk;
    door->arrival.fd = -1;
    const enum fc_code code = door_fill(door, err);
    if (code != FC_OK) {
        order_socket_close(door);
        return code;
    }
    *ret = door;
    return FC_OK;
}

void order_socket_close(struct order_socket *door)
{
    struct stat now;

    if (door == NULL)
        return;
    while (door->client_count > 0)
        client_close(door->clients[door->client_count - 1]);
    if (door->arrival.fd >= 0) {
        ev_io_stop(door->loop, &door->arrival);
        ev_timer_stop(door->loop, &door->breather);
        close(door->arrival.fd);
    }
    if (door->inode != 0 && lstat(door->path, &now) == 0 && now.st_ino == door->inode && now.st_dev == door->device)
        unlink(door->path);
    free(door);
}

int order_socket_waiting(const struct order_socket *door)
{
    int waiting = 0;
    for (int i = 0; i < door->client_count; i++)
        waiting += door->clients[i]->is_waiting;
    return waiting;
}
