/* Raft's face of the peers' streams: its four calls, the listener, the counters and what is said of them. */
#include "backends/quorum/transport.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backends/quorum/transport_inside.h"
#include "base/text.h"

#define BACKLOG 512                        /* what waits for its turn in a flood is served well within a connect's limit */
/* A flood takes turns with raft: at most so many are accepted, then the loop does something else. */
#define ACCEPT_BURST 16
#define ACCEPT_PAUSE_MS 10
#define SAY_MOST 3                         /* sentences of a kind ... */
#define SAY_WINDOW_MS 10000                /* ... in so long */

bool transport_nonce(uint8_t *to, size_t length)
{
    return getrandom(to, length, 0) == (ssize_t)length;
}

/* ---- counted and said ---- */

static void say(struct transport *transport, enum transport_count kind, const char *sentence)
{
    struct saying *saying = &transport->sayings[kind];
    const uint64_t now = uv_now(transport->loop);
    char more[320];

    if (saying->said == 0 || now - saying->since_ms >= SAY_WINDOW_MS) {
        saying->since_ms = now;
        saying->said = 0;
    }
    if (saying->said == SAY_MOST) {
        saying->left_out++;
        return;
    }
    saying->said++;
    if (saying->left_out > 0) {
        TEXT_FORMAT(more, "%s (and %u more like it before)", sentence, saying->left_out);
        saying->left_out = 0;
        sentence = more;
    }
    transport->config.say(transport->config.owner, kind, sentence);
}

void transport_note(struct transport *transport, enum transport_count kind, const char *format, ...)
{
    char sentence[256];
    va_list args;

    atomic_fetch_add_explicit(&transport->counts->of[kind], 1, memory_order_relaxed);
    if (transport->config.say == NULL)
        return;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    say(transport, kind, sentence);
}

void transport_hears(struct transport *transport, raft_id id)
{
    struct heard_peer *longest_silent = &transport->heard[0];

    for (int i = 0; i < HEARD_MAX; i++) {
        struct heard_peer *peer = &transport->heard[i];
        if (peer->id == id) {
            peer->at_ms = uv_now(transport->loop);
            return;
        }
        if (peer->at_ms < longest_silent->at_ms)
            longest_silent = peer;
    }
    *longest_silent = (struct heard_peer){ id, uv_now(transport->loop) };
}

uint64_t transport_heard_ms(const struct raft_uv_transport *face, raft_id id)
{
    const struct transport *transport = face->impl;

    for (int i = 0; i < HEARD_MAX; i++) {
        if (transport->heard[i].id == id)
            return transport->heard[i].at_ms;
    }
    return 0;
}

/* ---- after a cut ---- */

/* TCP tries again after ever longer waits, of seconds soon. That packets pass now is known first by who tried last. */
void transport_peer_is_back(const struct line *proven)
{
    struct transport *transport = proven->transport;

    for (struct line *line = transport->newest; line != NULL; line = line->older) {
        if (line == proven || line->id != proven->id)
            continue;
        connect_anew(line);
        if (line_is_stuck(line)) {
            atomic_fetch_add_explicit(&transport->counts->of[TRANSPORT_REPLACED], 1, memory_order_relaxed);
            line_end(line);
        }
    }
}

/* ---- the end ---- */

void transport_line_gone(struct transport *transport)
{
    if (transport->is_closing && transport->newest == NULL && transport->handles == 0)
        transport->closed(transport->face);
}

static void on_closed(uv_handle_t *handle)
{
    struct transport *transport = handle->data;
    transport->handles--;
    transport_line_gone(transport);
}

static void face_close(struct raft_uv_transport *face, raft_uv_transport_close_cb cb)
{
    struct transport *transport = face->impl;

    assert(!transport->is_closing && transport->handles > 0);
    transport->closed = cb;
    transport->is_closing = true;
    for (struct line *line = transport->newest; line != NULL; line = line->older)
        line_end(line);
    for (struct lookup *lookup = transport->lookups; lookup != NULL; lookup = lookup->next)
        lookup->transport = NULL;
    transport->lookups = NULL;
    uv_close((uv_handle_t *)&transport->accept_pause, on_closed);
    if (transport->listener.data == transport)
        uv_close((uv_handle_t *)&transport->listener, on_closed);
}

/* ---- the listener ---- */

static void on_pause_over(uv_timer_t *timer);

/* What is over the burst stays in libuv's hand: it reads no further from the listener until that one is accepted. */
static void accept_waiting(struct transport *transport)
{
    if (!transport->has_waiting || transport->accepted_lately >= ACCEPT_BURST)
        return;
    if (transport->accepted_lately++ == 0)
        uv_timer_start(&transport->accept_pause, on_pause_over, ACCEPT_PAUSE_MS, 0);
    accept_one(transport);
}

static void on_pause_over(uv_timer_t *timer)
{
    struct transport *transport = timer->data;

    transport->accepted_lately = 0;
    accept_waiting(transport);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct transport *transport = listener->data;

    if (status != 0) {
        transport_note(transport, TRANSPORT_LOST, "a connection could not be accepted: %s", uv_strerror(status));
        return;
    }
    transport->has_waiting = true;
    accept_waiting(transport);
}

static int fail(struct raft_uv_transport *face, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct raft_uv_transport *face, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(face->errmsg, sizeof face->errmsg, format, args);
    va_end(args);
    return code;
}

/* All addresses: of both families where there are two. */
static int bind_any(struct transport *transport, int port)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    uv_ip6_addr("::", port, &six);
    uv_ip4_addr("0.0.0.0", port, &four);
    const int rv = uv_tcp_bind(&transport->listener, (struct sockaddr *)&six, 0);
    return rv == UV_EAFNOSUPPORT || rv == UV_EADDRNOTAVAIL ? uv_tcp_bind(&transport->listener, (struct sockaddr *)&four, 0) : rv;
}

/* At start only, so the lookup of a name may take its time. */
static int bind_to(struct transport *transport)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    uv_getaddrinfo_t request;
    char host[ADDRESS_SIZE], service[8];
    int port;

    if (!address_split(transport->config.listen, host, sizeof host, &port))
        return UV_EINVAL;
    if (host[0] == '\0')
        return bind_any(transport, port);
    TEXT_FORMAT(service, "%d", port);
    int rv = uv_getaddrinfo(transport->loop, &request, NULL, host, service, &hints);
    if (rv != 0)
        return rv;
    rv = uv_tcp_bind(&transport->listener, request.addrinfo->ai_addr, 0);
    uv_freeaddrinfo(request.addrinfo);
    return rv;
}

static int face_listen(struct raft_uv_transport *face, raft_uv_accept_cb cb)
{
    struct transport *transport = face->impl;

    transport->accept = cb;
    int rv = uv_tcp_init(transport->loop, &transport->listener);
    if (rv == 0) {
        transport->listener.data = transport;
        transport->handles++;
        rv = bind_to(transport);
    }
    if (rv == 0)
        rv = uv_listen((uv_stream_t *)&transport->listener, BACKLOG, on_connection);
    return rv == 0 ? 0 : fail(face, RAFT_IOERR, "cannot listen at %s: %s", transport->config.listen, uv_strerror(rv));
}

int transport_port(const struct raft_uv_transport *face)
{
    const struct transport *transport = face->impl;
    struct sockaddr_storage address;
    int size = sizeof address;

    if (transport->listener.data != transport ||
        uv_tcp_getsockname(&transport->listener, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

/* ---- the beginning ---- */

static int face_init(struct raft_uv_transport *face, raft_id id, const char *address)
{
    struct transport *transport = face->impl;

    if (id != transport->config.id || !text_is(address, transport->config.name))
        return fail(face, RAFT_INVALID, "raft is to be given our id and name as the transport was: %llu %s", transport->config.id,
                    transport->config.name);
    uv_timer_init(transport->loop, &transport->accept_pause);
    transport->accept_pause.data = transport;
    transport->handles = 1;
    return 0;
}

void transport_config_preset(struct transport_config *config)
{
    config->connect_limit_ms = 1000;
    config->handshake_limit_ms = 1000;
    config->silence_limit_ms = 5000;
    config->half_open_max = 64;
    config->half_open_per_address_max = 16;
}

static enum fc_code check_config(const struct transport_config *config, struct fc_err *err)
{
    char host[ADDRESS_SIZE];
    int port;

    assert(config->lookup != NULL);
    if (config->id == 0)
        return fc_fail(err, FC_BAD_CONFIG, "a raft peer's id is 1 or more");
    if (!text_is_name(config->name, strlen(config->name)) || !text_is_name(config->cluster, strlen(config->cluster)))
        return fc_fail(err, FC_BAD_CONFIG, "raft's peers need names of letters, digits, '.', '_' and '-': '%s' of cluster '%s'",
                       config->name, config->cluster);
    if (!address_split(config->listen, host, sizeof host, &port))
        return fc_fail(err, FC_BAD_CONFIG, "raft cannot listen at '%s': it takes host:port", config->listen);
    if (config->key.length < PEER_KEY_MIN)
        return fc_fail(err, FC_BAD_CONFIG, "raft's peers need a key in common; see RaftPeerKeyFile");
    if (config->connect_limit_ms < 1 || config->handshake_limit_ms < 1 || config->silence_limit_ms < 1 ||
        config->half_open_max < 1 || config->half_open_per_address_max < 1)
        return fc_fail(err, FC_BAD_CONFIG, "the bounds of raft's peer streams are 1 or more");
    return FC_OK;
}

enum fc_code transport_init(struct raft_uv_transport *ret, struct uv_loop_s *loop, const struct transport_config *config,
                            struct transport_counts *counts, struct fc_err *err)
{
    const enum fc_code code = check_config(config, err);
    struct transport *transport = code == FC_OK ? calloc(1, sizeof *transport) : NULL;

    if (code != FC_OK)
        return code;
    if (transport == NULL)
        return fc_fail(err, FC_NO_MEMORY, "raft's peer streams: out of memory");
    if (!transport_nonce((uint8_t *)&transport->incarnation, sizeof transport->incarnation)) {
        free(transport);
        return fc_fail(err, FC_INTERNAL, "raft's peer streams: the kernel gives no random bytes");
    }
    transport->face = ret;
    transport->loop = loop;
    transport->config = *config;
    transport->counts = counts;
    *ret = (struct raft_uv_transport){ .impl = transport, .init = face_init, .listen = face_listen, .connect = connect_begin,
                                       .close = face_close };
    return FC_OK;
}

void transport_done(struct raft_uv_transport *face)
{
    struct transport *transport = face->impl;

    if (transport != NULL) {
        assert(transport->newest == NULL && transport->handles == 0);
        peer_key_wipe(&transport->config.key);
        free(transport);
    }
    face->impl = NULL;
}
