/* A knock: NAMING (a worker has it) --> TRYING (one address after the other) --> told. */
#include "agent/fleet_knock.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

/* What the worker touches. Who asked may be gone when it comes back. */
struct name_job {
    struct knock *knock;
    char host[INSTANCE_HOST_MAX + 1], port[8];
    struct sockaddr_storage address[FLEET_KNOCK_ADDRESSES_MAX];
    socklen_t size[FLEET_KNOCK_ADDRESSES_MAX];
    int count, error;
};

struct knock {
    struct fleet_knocks *knocks;
    uint64_t ticket;                   /* 0: free */
    struct name_job *job;              /* until it came back; then its addresses are ours */
    bool is_named;
    int next, fd;
    struct host_watch *watch;
    struct host_timer *timer;
    struct fc_time until;
    char said[INSTANCE_HOST_MAX + 16];
};

struct fleet_knocks {
    const struct host *host;
    struct fleet_knocks_port port;
    struct knock list[FLEET_KNOCKS_MAX];
};

static struct fc_time now_of(const struct knock *k) { return k->knocks->host->now(k->knocks->host->agent); }

/* ---- the name --------------------------------------------------------------------------------------------------------- */

static void look_up(void *owner)
{
    struct name_job *job = owner;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    job->error = getaddrinfo(job->host, job->port, &hints, &found);
    for (const struct addrinfo *a = found; a != NULL && job->count < FLEET_KNOCK_ADDRESSES_MAX; a = a->ai_next) {
        memcpy(&job->address[job->count], a->ai_addr, a->ai_addrlen);
        job->size[job->count++] = a->ai_addrlen;
    }
    if (found != NULL)
        freeaddrinfo(found);
}

/* ---- connecting ------------------------------------------------------------------------------------------------------- */

static void hang_up(struct knock *k)
{
    k->knocks->host->unwatch(k->watch);
    k->watch = NULL;
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
}

static void leave(struct knock *k)
{
    hang_up(k);
    k->knocks->host->untimer(k->timer);
    if (k->job != NULL && !k->is_named)
        k->job->knock = NULL;          /* it frees itself when it comes back */
    else
        free(k->job);
    *k = (struct knock){ .knocks = k->knocks, .fd = -1 };
}

static void tell(struct knock *k, enum fc_code code, const char *text)
{
    struct fleet_knocks *knocks = k->knocks;
    const uint64_t ticket = k->ticket;
    leave(k);
    knocks->port.done(knocks->port.owner, ticket, code, text);
}

static void tell_connected(struct knock *k)
{
    char ip[64] = "", text[160];
    getnameinfo((const struct sockaddr *)&k->job->address[k->next - 1], k->job->size[k->next - 1], ip, sizeof ip, NULL, 0, NI_NUMERICHOST);
    TEXT_FORMAT(text, "connected to %s", ip);
    tell(k, FC_OK, text);
}

static void tell_refused(struct knock *k, int error)
{
    char text[320];
    TEXT_FORMAT(text, "%s: no connection: %s", k->said, strerror(error));
    tell(k, FC_UNREACHABLE, text);
}

static void on_ready(void *owner, int ready);

/* The next address that takes a connection, or would: the rest comes by on_ready. */
static void try_next(struct knock *k)
{
    int error = ECONNREFUSED;
    hang_up(k);
    while (k->next < k->job->count) {
        const int at = k->next++;
        k->fd = socket(k->job->address[at].ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const int result = k->fd < 0 ? -1 : connect(k->fd, (const struct sockaddr *)&k->job->address[at], k->job->size[at]);
        if (result == 0) {
            tell_connected(k);
            return;
        }
        error = errno;
        if (k->fd >= 0 && error == EINPROGRESS) {
            k->watch = k->knocks->host->watch(k->knocks->host->agent, k->fd, HOST_WRITE, on_ready, k);
            if (k->watch != NULL)
                return;
            error = ENOMEM;
        }
        hang_up(k);
    }
    tell_refused(k, error);
}

static void on_ready(void *owner, int ready)
{
    struct knock *k = owner;
    int error = 0;
    socklen_t length = sizeof error;
    (void)ready;
    if (getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (error == 0)
        tell_connected(k);
    else if (k->next < k->job->count)
        try_next(k);
    else
        tell_refused(k, error);
}

static void on_late(void *owner)
{
    struct knock *k = owner;
    char text[320];
    TEXT_FORMAT(text, "%s: %s within %d s", k->said, k->is_named ? "no connection" : "its name is not found", FLEET_KNOCK_MS / 1000);
    tell(k, FC_TIMEOUT, text);
}

static void named(void *owner)
{
    struct name_job *job = owner;
    struct knock *k = job->knock;
    char text[320];
    if (k == NULL) {
        free(job);
        return;
    }
    k->is_named = true;
    if (job->count > 0) {
        k->knocks->host->timer_set(k->timer, fc_plus(now_of(k), fc_ms(FLEET_KNOCK_MS)));
        try_next(k);
        return;
    }
    TEXT_FORMAT(text, "%s: its name is not found: %s", k->said, gai_strerror(job->error));
    tell(k, FC_NOT_FOUND, text);
}

/* ---- asking ----------------------------------------------------------------------------------------------------------- */

static enum fc_code begin(struct knock *k, const struct instance_key *key, struct fc_err *err)
{
    const struct host *host = k->knocks->host;
    k->job = calloc(1, sizeof *k->job);
    k->timer = host->timer(host->agent, on_late, k);
    if (k->job == NULL || k->timer == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    k->job->knock = k;
    TEXT_SET(k->job->host, key->host);
    TEXT_FORMAT(k->job->port, "%u", key->port);
    instance_key_text(key, k->said, sizeof k->said);
    if (!host->work(host->agent, look_up, named, k->job))
        return fc_fail(err, FC_BUSY, "too many names are being looked up; ask again");
    host->timer_set(k->timer, fc_plus(now_of(k), fc_ms(FLEET_KNOCK_MS)));
    return FC_OK;
}

enum fc_code fleet_knock(struct fleet_knocks *knocks, const struct instance_key *key, uint64_t ticket, struct fc_err *err)
{
    for (int i = 0; i < FLEET_KNOCKS_MAX; i++) {
        struct knock *k = &knocks->list[i];
        if (k->ticket != 0)
            continue;
        *k = (struct knock){ .knocks = knocks, .ticket = ticket, .fd = -1 };
        const enum fc_code code = begin(k, key, err);
        if (code != FC_OK) {
            k->is_named = true;        /* no worker has it */
            leave(k);
        }
        return code;
    }
    return fc_fail(err, FC_BUSY, "too many connections are being tried; ask again");
}

struct fleet_knocks *fleet_knocks_new(const struct host *host, const struct fleet_knocks_port *port)
{
    struct fleet_knocks *knocks = calloc(1, sizeof *knocks);
    if (knocks == NULL)
        return NULL;
    *knocks = (struct fleet_knocks){ .host = host, .port = *port };
    for (int i = 0; i < FLEET_KNOCKS_MAX; i++)
        knocks->list[i] = (struct knock){ .knocks = knocks, .fd = -1 };
    return knocks;
}

void fleet_knocks_free(struct fleet_knocks *knocks)
{
    for (int i = 0; knocks != NULL && i < FLEET_KNOCKS_MAX; i++) {
        if (knocks->list[i].ticket != 0)
            leave(&knocks->list[i]);
    }
    free(knocks);
}
