/* Whom we connect to: looked up, reached, proven. All of it within one limit; raft tries again by itself. */
#include <stdlib.h>
#include <string.h>

#include "backends/quorum/transport_inside.h"
#include "base/text.h"

#define ASKED_JUST_NOW_MS 200        /* an address; more than a way there and back in most networks */

/* A SYN that a cut swallows is repeated by the kernel after a second and more, and a cut may end any moment: so an address is asked
 * anew within its time, each time for twice as long. What part of the time that is left each try has: 1, 2 and 4 sevenths. */
static const unsigned part_of_try[] = { 7, 3, 1 };
#define TRIES ((int)(sizeof part_of_try / sizeof part_of_try[0]))

/* ---- the handshake ---- */

static void welcomed(struct line *line)
{
    struct transport *transport = line->transport;
    enum handshake_answer answer = ANSWER_WELCOME;

    if (handshake_conclude(&line->transcript, &transport->config.key, line->bytes, HANDSHAKE_WELCOME, &answer) !=
        HANDSHAKE_PROVEN) {
        line_fail(line, TRANSPORT_WRONG_PROOF, "what answers for peer %s at %s does not hold our key", line->name, line->place);
        return;
    }
    if (answer != ANSWER_WELCOME) {
        line_fail(line, TRANSPORT_REFUSED_US, "peer %s at %s turns us away: %s", line->name, line->place,
                  handshake_answer_text(answer));
        return;
    }
    uv_timer_stop(&line->timer);
    struct uv_stream_s *stream = relay_begin(line);
    if (stream == NULL) {
        line_fail(line, TRANSPORT_LOST, "peer %s (%s): out of descriptors or memory", line->name, line->place);
        return;
    }
    transport_peer_is_back(line);
    transport_note(transport, TRANSPORT_CONNECTED, "connected to peer %s (id %llu) at %s", line->name, line->id, line->place);
    struct raft_uv_connect *request = line->request;
    line->request = NULL;
    request->cb(request, stream, 0);
}

static void introduced(struct line *line)
{
    line_hear(line, line->bytes, HANDSHAKE_WELCOME, welcomed);
}

static void greeted(struct line *line)
{
    const struct transport_config *config = &line->transport->config;
    struct handshake_introduction self = { .id = config->id, .incarnation = line->transport->incarnation, .other_id = line->id };

    TEXT_SET(self.cluster, config->cluster);
    TEXT_SET(self.name, config->name);
    TEXT_SET(self.other_name, line->name);
    if (!transport_nonce(self.nonce, sizeof self.nonce)) {
        line_fail(line, TRANSPORT_LOST, "peer %s: the kernel gives no random bytes", line->name);
        return;
    }
    if (handshake_introduce(&line->transcript, &config->key, &self, line->bytes, HANDSHAKE_GREETING) != HANDSHAKE_PROVEN) {
        line_fail(line, TRANSPORT_GARBAGE, "what answers for peer %s at %s speaks no handshake of ours", line->name, line->place);
        return;
    }
    line->phase = LINE_INTRODUCING;
    line_tell(line, line->transcript.introduction, HANDSHAKE_INTRODUCTION, introduced);
}

/* ---- TCP, one address after the other ---- */

static void reach_next(struct line *line);

static uint64_t until(uint64_t limit_ms, uint64_t now) { return limit_ms > now ? limit_ms - now : 0; }

static void on_late(uv_timer_t *timer)
{
    struct line *line = timer->data;
    line_fail(line, TRANSPORT_TOO_SLOW, "peer %s at %s is not through with the handshake in time", line->name, line->place);
}

static void on_reopened(uv_handle_t *handle)
{
    struct line *line = handle->data;

    if (line->phase == LINE_ENDED) {             /* while the handle closed */
        line_handle_closed(handle);
        return;
    }
    line->tcp.data = NULL;
    line->handles--;
    reach_next(line);
}

void connect_anew(struct line *line)
{
    if (line->phase != LINE_REACHING || uv_is_closing((uv_handle_t *)&line->tcp) ||
        uv_now(line->transport->loop) < line->asked_ms + ASKED_JUST_NOW_MS)
        return;
    uv_timer_stop(&line->timer);
    uv_close((uv_handle_t *)&line->tcp, on_reopened);
}

static void give_up_address(struct line *line, int why)
{
    const bool has_next_try = why == UV_ETIMEDOUT && line->tries + 1 < TRIES;

    line->tries = has_next_try ? line->tries + 1 : 0;
    if (!has_next_try && ++line->address_index == line->address_count) {
        line_fail(line, TRANSPORT_UNREACHED, "peer %s cannot be reached at %s: %s", line->name, line->place, uv_strerror(why));
        return;
    }
    uv_timer_stop(&line->timer);
    uv_close((uv_handle_t *)&line->tcp, on_reopened);
}

static void on_address_late(uv_timer_t *timer)
{
    give_up_address(timer->data, UV_ETIMEDOUT);
}

static void on_reached(uv_connect_t *request, int status)
{
    struct line *line = request->data;

    if (line->phase == LINE_ENDED || status == UV_ECANCELED)
        return;
    if (status != 0) {
        give_up_address(line, status);
        return;
    }
    const uint64_t now = uv_now(line->transport->loop);
    line->phase = LINE_GREETED;
    line_tune(line);
    line_limit(line, until(line->limit_ms, now), on_late);
    line_hear(line, line->bytes, HANDSHAKE_GREETING, greeted);
}

/* Each address gets its share of the time that is left, so that a silent one leaves some to the next. */
static void reach_next(struct line *line)
{
    struct sockaddr *address = (struct sockaddr *)&line->addresses[line->address_index];
    const uint64_t now = uv_now(line->transport->loop);

    if (line->tries == 0)
        line->address_limit_ms = now + until(line->limit_ms, now) / (uint64_t)(line->address_count - line->address_index);
    place_text(address, line->place, &line->from);
    line->phase = LINE_REACHING;
    line->asked_ms = now;
    if (!line_open_tcp(line)) {
        line_fail(line, TRANSPORT_LOST, "peer %s: out of descriptors", line->name);
        return;
    }
    line_limit(line, until(line->address_limit_ms, now) / part_of_try[line->tries], on_address_late);
    line->reach.data = line;
    const int rv = uv_tcp_connect(&line->reach, &line->tcp, address, on_reached);
    if (rv != 0)
        give_up_address(line, rv);
}

/* ---- the name ---- */

static void forget_lookup(struct lookup *lookup)
{
    for (struct lookup **at = &lookup->transport->lookups; *at != NULL; at = &(*at)->next) {
        if (*at == lookup) {
            *at = lookup->next;
            return;
        }
    }
}

static void take_addresses(struct line *line, const struct addrinfo *found)
{
    for (; found != NULL && line->address_count < ADDRESSES_MAX; found = found->ai_next) {
        if (found->ai_addrlen <= sizeof line->addresses[0])
            memcpy(&line->addresses[line->address_count++], found->ai_addr, found->ai_addrlen);
    }
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct lookup *lookup = request->data;
    struct line *line = lookup->line;

    if (lookup->transport != NULL)
        forget_lookup(lookup);
    if (line != NULL) {
        line->lookup = NULL;
        take_addresses(line, status == 0 ? found : NULL);
        if (line->address_count == 0)
            line_fail(line, TRANSPORT_UNRESOLVED, "peer %s: %s does not resolve: %s", line->name, line->place,
                      status == 0 ? "no address" : uv_strerror(status));
        else
            reach_next(line);
    }
    uv_freeaddrinfo(found);
    free(lookup);
}

static void on_unresolved(uv_timer_t *timer)
{
    struct line *line = timer->data;
    line_fail(line, TRANSPORT_UNRESOLVED, "peer %s: %s does not resolve in time", line->name, line->place);
}

static bool is_being_looked_up(const struct transport *transport, raft_id id)
{
    for (const struct lookup *lookup = transport->lookups; lookup != NULL; lookup = lookup->next) {
        if (lookup->id == id)
            return true;
    }
    return false;
}

/* At most one lookup a peer: a resolver that hangs must not fill the pool, where raft's disk works too. */
static bool begin_lookup(struct line *line, const char *host, int port)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct transport *transport = line->transport;
    struct lookup *lookup = is_being_looked_up(transport, line->id) ? NULL : calloc(1, sizeof *lookup);
    char service[8];

    if (lookup == NULL)
        return false;
    TEXT_FORMAT(service, "%d", port);
    lookup->request.data = lookup;
    if (uv_getaddrinfo(transport->loop, &lookup->request, on_resolved, host, service, &hints) != 0) {
        free(lookup);
        return false;
    }
    lookup->transport = transport;
    lookup->line = line;
    lookup->id = line->id;
    lookup->next = transport->lookups;
    transport->lookups = lookup;
    line->lookup = lookup;
    line_limit(line, (uint64_t)transport->config.connect_limit_ms, on_unresolved);
    return true;
}

/* What is an address already needs no lookup, and no thread of the pool. */
static bool take_literal(struct line *line, const char *host, int port)
{
    struct sockaddr_storage *to = &line->addresses[0];

    line->address_count = uv_ip4_addr(host, port, (struct sockaddr_in *)to) == 0 ||
                          uv_ip6_addr(host, port, (struct sockaddr_in6 *)to) == 0;
    return line->address_count == 1;
}

int connect_begin(struct raft_uv_transport *face, struct raft_uv_connect *request, raft_id id, const char *address,
                  raft_uv_connect_cb cb)
{
    struct transport *transport = face->impl;
    struct transport_peer peer;
    char host[ADDRESS_SIZE];
    int port;

    if (!transport->config.lookup(transport->config.owner, id, &peer) || !text_is(peer.name, address) ||
        !address_split(peer.address, host, sizeof host, &port)) {
        transport_note(transport, TRANSPORT_UNKNOWN_PEER, "raft asks for peer %s (id %llu), who is not known", address, id);
        return RAFT_NOCONNECTION;
    }
    struct line *line = line_new(transport, false);
    if (line == NULL)
        return RAFT_NOMEM;
    request->cb = cb;
    line->request = request;
    line->id = id;
    line->limit_ms = uv_now(transport->loop) + (uint64_t)transport->config.connect_limit_ms;
    TEXT_SET(line->name, peer.name);
    TEXT_SET(line->place, peer.address);
    if (take_literal(line, host, port))
        reach_next(line);
    else if (!begin_lookup(line, host, port))
        line_fail(line, TRANSPORT_UNRESOLVED, "peer %s: the lookup of %s still hangs", line->name, line->place);
    return 0;
}
