/* Who connects to us: greeted, heard, judged. The room for strangers is small, and the oldest of them leaves first. */
#include <string.h>

#include "backends/quorum/transport_inside.h"
#include "base/text.h"

/* A peer that we heard or accepted so lately is alive: another process under its name is a twin, not its restart. */
#define TWIN_ALIVE_MS 2000

/* ---- room for strangers ---- */

static bool is_from(const struct line *line, const struct in6_addr *from)
{
    return from == NULL || memcmp(&line->from, from, sizeof *from) == 0;
}

/* Makes sure that fewer than `most` are unproven, of this address or (NULL) of all. */
static void make_room(struct transport *transport, const struct in6_addr *from, int most)
{
    struct line *oldest = NULL;
    int count = 0;

    for (struct line *line = transport->newest; line != NULL; line = line->older) {
        if (line->phase == LINE_GREETING && is_from(line, from)) {
            oldest = line;
            count++;
        }
    }
    if (count >= most)
        line_fail(oldest, TRANSPORT_PUSHED_OUT, "%s is pushed out of its handshake: %d are in theirs%s", oldest->place, count,
                  from == NULL ? "" : " from that address");
}

/* ---- the verdict on who proved itself ---- */

static bool is_alive(const struct line *line)
{
    const struct transport *transport = line->transport;
    const uint64_t now = uv_now(transport->loop), heard = transport_heard_ms(transport->face, line->id);
    return now < heard + TWIN_ALIVE_MS || now < line->born_ms + TWIN_ALIVE_MS;
}

static bool is_of_peer(const struct line *line, const struct line *mine)
{
    return line != mine && line->is_accepted && line->phase == LINE_PROVEN && line->id == mine->id;
}

/* Is another process connected under this one's id and name? */
static bool has_twin(const struct line *mine)
{
    for (const struct line *line = mine->transport->newest; line != NULL; line = line->older) {
        if (is_of_peer(line, mine) && line->incarnation != mine->incarnation && is_alive(line))
            return true;
    }
    return false;
}

/* Ends what a process before this one left behind, and this one's oldest when there are too many. */
static void end_older(const struct line *mine)
{
    struct line *older;
    int count = 0;

    for (struct line *line = mine->transport->newest; line != NULL; line = older) {
        older = line->older;
        if (is_of_peer(line, mine) && (line->incarnation != mine->incarnation || ++count >= TRANSPORT_STREAMS_PER_PEER)) {
            atomic_fetch_add_explicit(&mine->transport->counts->of[TRANSPORT_REPLACED], 1, memory_order_relaxed);
            line_end(line);
        }
    }
}

static enum handshake_answer judge(const struct line *line, const struct handshake_introduction *who)
{
    const struct transport_config *config = &line->transport->config;
    struct transport_peer known;

    if (who->id == config->id)
        return ANSWER_OWN_ID;
    if (who->other_id != config->id || !text_is(who->other_name, config->name))
        return ANSWER_WRONG_ADDRESSEE;
    if (!config->lookup(config->owner, who->id, &known))
        return ANSWER_UNKNOWN_PEER;
    if (!text_is(known.name, who->name))
        return ANSWER_OTHER_NAME;
    if (has_twin(line))
        return ANSWER_TWIN;
    return ANSWER_WELCOME;
}

static const struct { enum transport_count kind; const char *text; } refusals[ANSWER_COUNT] = {
    [ANSWER_UNKNOWN_PEER]    = { TRANSPORT_UNKNOWN_PEER, "is nobody that this node knows" },
    [ANSWER_OTHER_NAME]      = { TRANSPORT_OTHER_NAME, "has an id that is known under another name" },
    [ANSWER_OWN_ID]          = { TRANSPORT_OWN_ID, "has our own id" },
    [ANSWER_TWIN]            = { TRANSPORT_TWIN, "is a second process under the id and name of a peer that is connected" },
    [ANSWER_WRONG_ADDRESSEE] = { TRANSPORT_WRONG_ADDRESSEE, "looks for somebody else" },
};

/* ---- the steps ---- */

static void refused(struct line *line)
{
    line_end(line);
}

static void welcomed(struct line *line)
{
    struct transport *transport = line->transport;

    uv_timer_stop(&line->timer);
    end_older(line);
    struct uv_stream_s *stream = relay_begin(line);
    if (stream == NULL) {
        line_fail(line, TRANSPORT_LOST, "peer %s (%s) cannot be taken in: out of descriptors or memory", line->name, line->place);
        return;
    }
    transport_peer_is_back(line);
    transport_note(transport, TRANSPORT_ACCEPTED, "peer %s (id %llu) is connected from %s", line->name, line->id, line->place);
    transport->accept(transport->face, line->id, line->name, stream);
}

static void introduced(struct line *line)
{
    struct transport *transport = line->transport;
    struct handshake_introduction who = { .id = 0 };

    switch (handshake_hear(&line->transcript, &transport->config.key, transport->config.cluster, line->bytes,
                           HANDSHAKE_INTRODUCTION, &who)) {
    case HANDSHAKE_GARBAGE:
        line_fail(line, TRANSPORT_GARBAGE, "%s speaks no handshake of ours", line->place);
        return;
    case HANDSHAKE_WRONG_CLUSTER:
        line_fail(line, TRANSPORT_WRONG_CLUSTER, "%s is of cluster %s, not of %s", line->place, who.cluster,
                  transport->config.cluster);
        return;
    case HANDSHAKE_WRONG_PROOF:
        line_fail(line, TRANSPORT_WRONG_PROOF, "%s does not hold our key", line->place);
        return;
    case HANDSHAKE_PROVEN:
        break;
    }
    line->id = who.id;
    line->incarnation = who.incarnation;
    TEXT_SET(line->name, who.name);
    line->phase = LINE_INTRODUCED;
    const enum handshake_answer answer = judge(line, &who);
    if (answer != ANSWER_WELCOME)
        transport_note(transport, refusals[answer].kind, "%s (name %s, id %llu) holds our key and %s", line->place, who.name,
                       (unsigned long long)who.id, refusals[answer].text);
    handshake_welcome(&line->transcript, &transport->config.key, answer, line->bytes);
    line_tell(line, line->bytes, HANDSHAKE_WELCOME, answer == ANSWER_WELCOME ? welcomed : refused);
}

static void greeted(struct line *line)
{
    line_hear(line, line->bytes, HANDSHAKE_INTRODUCTION, introduced);
}

static void on_late(uv_timer_t *timer)
{
    struct line *line = timer->data;
    line_fail(line, TRANSPORT_TOO_SLOW, "%s is not through with its handshake after %d ms", line->place,
              line->transport->config.handshake_limit_ms);
}

static void greet(struct line *line)
{
    uint8_t nonce[HANDSHAKE_NONCE];

    if (!transport_nonce(nonce, sizeof nonce)) {
        line_fail(line, TRANSPORT_LOST, "%s cannot be greeted: the kernel gives no random bytes", line->place);
        return;
    }
    handshake_greet(&line->transcript, nonce);
    line_limit(line, (uint64_t)line->transport->config.handshake_limit_ms, on_late);
    line_tell(line, line->transcript.greeting, HANDSHAKE_GREETING, greeted);
}

void accept_one(struct transport *transport)
{
    const struct transport_config *config = &transport->config;
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    int size = sizeof address;

    make_room(transport, NULL, config->half_open_max);
    struct line *line = line_new(transport, true);
    if (line == NULL)                              /* it stays in the listener's hand; the pause timer comes back to it */
        return;
    if (!line_open_tcp(line) || uv_accept((uv_stream_t *)&transport->listener, (uv_stream_t *)&line->tcp) != 0) {
        transport->has_waiting = false;
        line_fail(line, TRANSPORT_LOST, "a connection was gone before it was accepted");
        return;
    }
    transport->has_waiting = false;
    uv_tcp_getpeername(&line->tcp, (struct sockaddr *)&address, &size);
    place_text((struct sockaddr *)&address, line->place, &line->from);
    make_room(transport, &line->from, config->half_open_per_address_max + 1);      /* itself is in already */
    line_tune(line);
    greet(line);
}
