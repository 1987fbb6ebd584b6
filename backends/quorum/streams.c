/* A shim between the transport and raft. Streams are made by the transport (raft_malloc) and end in uv_close and raft_free. */
#include "backends/quorum/streams.h"

#include <stdlib.h>
#include <string.h>

#include "backends/quorum/bytes.h"
#include "base/text.h"

#define KIND_RAFT 'R'
#define KIND_OURS 'S'
#define HEAD_SIZE 21                 /* length, kind, term, number */
#define WAITING_MAX 16               /* accepted, and not yet said which kind */
#define WAITING_MS 2000
#define AGAIN_MS 150                 /* between two attempts to connect */
#define QUEUE_BYTES_MAX (64 * 1024)

enum line_state { LINE_WAITING, LINE_SERVED, LINE_OURS };

/* One stream that is ours, or not yet known to be raft's. */
struct line {
    struct line *next;
    struct streams *streams;
    uv_stream_t *stream;
    enum line_state state;
    int peer;
    uint64_t id;
    char address[STREAMS_ADDRESS_SIZE];
    struct fc_time since;
    size_t filled;
    uint8_t buffer[2 * (HEAD_SIZE + FRAME_PAYLOAD_MAX)];
};

struct peer_link {
    struct streams_peer peer;
    struct line *line;               /* outgoing, open */
    bool is_connecting;
    struct raft_uv_connect request;
    struct streams *streams;
    struct fc_time again_at;
};

struct streams {
    uv_loop_t *loop;
    struct raft_uv_transport *below;
    struct raft_uv_transport raft;   /* what raft sees */
    raft_uv_accept_cb raft_accept;   /* NULL: raft does not run */
    raft_uv_transport_close_cb raft_closed;
    uv_check_t raft_close_turn;      /* tells raft at the next turn of the loop that its transport is closed */
    struct streams_port port;
    struct peer_link links[QUORUM_NODES_MAX];
    int peer_count, waiting;
    int connecting;                  /* attempts of ours and of raft under way: their requests are not ours to free before */
    struct line *lines;
    struct streams_counters counters;
    struct fc_time now;
    bool is_closing, is_below_closed, is_turn_closed;
    void (*closed)(void *owner);
    void *owner;
};

/* ---- lines -------------------------------------------------------------------------------------------------------- */

static void stream_closed(uv_handle_t *handle) { raft_free(handle); }

static void stream_drop(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, stream_closed);
}

static void line_forget(struct line *line)
{
    struct streams *s = line->streams;
    for (struct line **at = &s->lines; *at != NULL; at = &(*at)->next) {
        if (*at == line) {
            *at = line->next;
            break;
        }
    }
    if (line->state == LINE_WAITING)
        s->waiting--;
    if (line->state == LINE_OURS && s->links[line->peer].line == line) {
        s->links[line->peer].line = NULL;
        s->links[line->peer].again_at = fc_plus(s->now, fc_ms(AGAIN_MS));
    }
    free(line);
}

static void line_drop(struct line *line)
{
    uv_stream_t *stream = line->stream;
    stream->data = NULL;
    line_forget(line);
    stream_drop(stream);
}

static struct line *line_new(struct streams *s, uv_stream_t *stream, enum line_state state, int peer)
{
    struct line *line = calloc(1, sizeof *line);
    if (line == NULL) {
        stream_drop(stream);
        return NULL;
    }
    *line = (struct line){ .next = s->lines, .streams = s, .stream = stream, .state = state, .peer = peer, .since = s->now };
    s->lines = line;
    s->waiting += state == LINE_WAITING;
    stream->data = line;
    return line;
}

struct written { uv_write_t request; uint8_t bytes[HEAD_SIZE + FRAME_PAYLOAD_MAX]; };

static void was_written(uv_write_t *request, int status)
{
    (void)status;                                          /* a broken stream is told by its reading side */
    free(request->data);
}

static bool stream_write(uv_stream_t *stream, const uint8_t *bytes, size_t length)
{
    if (uv_is_closing((uv_handle_t *)stream) || stream->write_queue_size > QUEUE_BYTES_MAX)
        return false;
    struct written *written = malloc(sizeof *written);
    if (written == NULL)
        return false;
    memcpy(written->bytes, bytes, length);
    written->request.data = written;
    const uv_buf_t buffer = uv_buf_init((char *)written->bytes, (unsigned)length);
    if (uv_write(&written->request, stream, &buffer, 1, was_written) != 0) {
        free(written);
        return false;
    }
    return true;
}

static bool line_send(const struct line *line, const struct frame *frame)
{
    uint8_t bytes[HEAD_SIZE + FRAME_PAYLOAD_MAX];
    struct bytes_out out = { .to = bytes, .size = sizeof bytes };
    bytes_put_number(&out, HEAD_SIZE - 4 + frame->length, 4);
    bytes_put_number(&out, (uint64_t)frame->kind, 1);
    bytes_put_number(&out, frame->term, 8);
    bytes_put_number(&out, frame->number, 8);
    if (frame->length > FRAME_PAYLOAD_MAX)
        return false;
    memcpy(bytes + out.length, frame->payload, frame->length);
    return stream_write(line->stream, bytes, out.length + frame->length);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* 1: a frame was taken out; 0: not enough bytes yet; -1: nonsense. */
static int frame_take(struct line *line, struct frame *ret)
{
    struct bytes_in in = { .from = line->buffer, .size = line->filled };
    if (line->filled < HEAD_SIZE)
        return 0;
    const uint64_t length = bytes_get_number(&in, 4);
    const uint64_t kind = bytes_get_number(&in, 1);
    if (length < HEAD_SIZE - 4 || length > HEAD_SIZE - 4 + FRAME_PAYLOAD_MAX || kind == 0 || kind >= FRAME_KIND_COUNT)
        return -1;
    if (line->filled < 4 + length)
        return 0;
    ret->kind = (enum frame_kind)kind;
    ret->term = bytes_get_number(&in, 8);
    ret->number = bytes_get_number(&in, 8);
    ret->length = (size_t)length - (HEAD_SIZE - 4);
    memcpy(ret->payload, line->buffer + HEAD_SIZE, ret->length);
    line->filled -= 4 + (size_t)length;
    memmove(line->buffer, line->buffer + 4 + length, line->filled);
    return 1;
}

static void frame_came(struct line *line, const struct frame *frame)
{
    struct streams *s = line->streams;
    if (line->state == LINE_OURS) {
        s->port.answered(s->port.owner, line->peer, frame);
        return;
    }
    struct frame answer = { .kind = 0 };
    s->port.asked(s->port.owner, line->peer, frame, &answer);
    if (answer.kind != 0)
        line_send(line, &answer);                          /* not sent: the asker asks again */
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct line *line = handle->data;
    (void)suggested;
    if (line->state == LINE_WAITING)                       /* what follows the kind may be raft's */
        *ret = uv_buf_init((char *)line->buffer, 1);
    else
        *ret = uv_buf_init((char *)line->buffer + line->filled, (unsigned)(sizeof line->buffer - line->filled));
}

static void kind_came(struct line *line);

static void bytes_came(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct line *line = stream->data;
    struct frame frame;
    int taken;
    (void)buffer;
    if (count == 0)
        return;
    if (count < 0) {
        line->streams->counters.lost++;
        line_drop(line);
        return;
    }
    if (line->state == LINE_WAITING) {
        kind_came(line);
        return;
    }
    line->filled += (size_t)count;
    while ((taken = frame_take(line, &frame)) == 1) {
        frame_came(line, &frame);
        if (stream->data != line)
            return;                                        /* broken meanwhile */
    }
    if (taken < 0) {
        line->streams->counters.nonsense++;
        line_drop(line);
    }
}

static void serve(struct line *line)
{
    struct streams *s = line->streams;
    struct line *next;
    for (struct line *other = s->lines; other != NULL; other = next) {
        next = other->next;
        if (other != line && other->state == LINE_SERVED && other->peer == line->peer)
            line_drop(other);
    }
    s->waiting--;
    line->state = LINE_SERVED;
    line->filled = 0;
}

static void kind_came(struct line *line)
{
    struct streams *s = line->streams;
    const uint8_t kind = line->buffer[0];
    if (kind == KIND_OURS) {
        serve(line);
        return;
    }
    if (kind != KIND_RAFT || s->raft_accept == NULL) {
        *(kind == KIND_RAFT ? &s->counters.refused_raft : &s->counters.nonsense) += 1;
        line_drop(line);
        return;
    }
    uv_stream_t *stream = line->stream;
    char address[STREAMS_ADDRESS_SIZE];
    const uint64_t id = line->id;
    TEXT_SET(address, line->address);
    uv_read_stop(stream);
    stream->data = NULL;
    line_forget(line);
    s->raft_accept(&s->raft, id, address, stream);
}

/* ---- what the transport brings ------------------------------------------------------------------------------------ */

static void accepted(struct raft_uv_transport *below, raft_id id, const char *address, uv_stream_t *stream)
{
    struct streams *s = below->data;
    int peer = 0;
    while (peer < s->peer_count && s->links[peer].peer.id != id)
        peer++;
    if (s->is_closing || peer == s->peer_count || s->waiting == WAITING_MAX) {
        *(peer == s->peer_count ? &s->counters.unknown : &s->counters.crowded) += 1;
        stream_drop(stream);
        return;
    }
    struct line *line = line_new(s, stream, LINE_WAITING, peer);
    if (line == NULL)
        return;
    line->id = id;
    TEXT_SET(line->address, address);
    if (uv_read_start(stream, give_room, bytes_came) != 0)
        line_drop(line);
}

static void closed_when_all(struct streams *s)
{
    if (!s->is_closing || !s->is_below_closed || !s->is_turn_closed || s->connecting > 0)
        return;
    void (*closed)(void *) = s->closed;
    void *owner = s->owner;
    free(s);
    closed(owner);
}

static void link_connected(struct raft_uv_connect *request, uv_stream_t *stream, int status)
{
    struct peer_link *link = request->data;
    struct streams *s = link->streams;
    const uint8_t kind = KIND_OURS;
    link->is_connecting = false;
    s->connecting--;
    link->again_at = fc_plus(s->now, fc_ms(AGAIN_MS));
    if (status == 0 && (s->is_closing || !stream_write(stream, &kind, 1))) {
        stream_drop(stream);
    } else if (status == 0) {
        link->line = line_new(s, stream, LINE_OURS, (int)(link - s->links));
        if (link->line != NULL && uv_read_start(stream, give_room, bytes_came) != 0)
            line_drop(link->line);
    }
    closed_when_all(s);
}

static void link_connect(struct peer_link *link)
{
    struct streams *s = link->streams;
    link->request.data = link;
    link->again_at = fc_plus(s->now, fc_ms(AGAIN_MS));
    if (s->below->connect(s->below, &link->request, link->peer.id, link->peer.address, link_connected) == 0) {
        link->is_connecting = true;
        s->connecting++;
    }
}

/* ---- what raft sees ----------------------------------------------------------------------------------------------- */

static int raft_side_init(struct raft_uv_transport *t, raft_id id, const char *address)
{
    (void)t;
    (void)id;
    (void)address;                                         /* the transport below knows them already */
    return 0;
}

static int raft_side_listen(struct raft_uv_transport *t, raft_uv_accept_cb accept)
{
    struct streams *s = t->impl;
    s->raft_accept = accept;
    return 0;
}

struct raft_connecting { struct raft_uv_connect below; struct raft_uv_connect *asked; raft_uv_connect_cb cb; struct streams *streams; };

static void raft_connected(struct raft_uv_connect *request, uv_stream_t *stream, int status)
{
    struct raft_connecting *c = request->data;
    struct streams *s = c->streams;
    const uint8_t kind = KIND_RAFT;
    if (status == 0 && !stream_write(stream, &kind, 1)) {
        stream_drop(stream);
        stream = NULL;
        status = RAFT_NOCONNECTION;
    }
    s->connecting--;
    c->cb(c->asked, stream, status);
    free(c);
    closed_when_all(s);
}

static int raft_side_connect(struct raft_uv_transport *t, struct raft_uv_connect *request, raft_id id, const char *address,
                             raft_uv_connect_cb cb)
{
    struct streams *s = t->impl;
    struct raft_connecting *c = calloc(1, sizeof *c);
    if (c == NULL)
        return RAFT_NOMEM;
    *c = (struct raft_connecting){ .asked = request, .cb = cb, .streams = s };
    c->below.data = c;
    /* The address of the configuration, not that of the log: a node may move, its id stays. */
    for (int i = 0; i < s->peer_count; i++) {
        if (s->links[i].peer.id == id)
            address = s->links[i].peer.address;
    }
    const int code = s->below->connect(s->below, &c->below, id, address, raft_connected);
    if (code != 0)
        free(c);
    else
        s->connecting++;
    return code;
}

static void turn_came(uv_check_t *turn)
{
    struct streams *s = turn->data;
    raft_uv_transport_close_cb closed = s->raft_closed;
    uv_check_stop(turn);
    s->raft_closed = NULL;
    if (closed != NULL)
        closed(&s->raft);
}

/* Only raft's side: the transport below goes on until streams_close. Attempts of raft that are under way are waited for by raft
 * itself (it hears each of them, and has set its own mark that it is closing). */
static void raft_side_close(struct raft_uv_transport *t, raft_uv_transport_close_cb closed)
{
    struct streams *s = t->impl;
    s->raft_accept = NULL;
    s->raft_closed = closed;
    uv_check_start(&s->raft_close_turn, turn_came);
}

/* ---- opening and closing ------------------------------------------------------------------------------------------ */

int streams_open(uv_loop_t *loop, struct raft_uv_transport *transport, uint64_t own_id, const char *own_address,
                 const struct streams_peer *peers, int peer_count, const struct streams_port *port, struct streams **ret)
{
    struct streams *s = calloc(1, sizeof *s);
    if (s == NULL)
        return RAFT_NOMEM;
    s->loop = loop;
    s->below = transport;
    s->port = *port;
    s->now = FC_EVER;
    s->raft = (struct raft_uv_transport){ .impl = s, .init = raft_side_init, .listen = raft_side_listen,
                                          .connect = raft_side_connect, .close = raft_side_close };
    s->peer_count = peer_count;
    for (int i = 0; i < peer_count; i++)
        s->links[i] = (struct peer_link){ .peer = peers[i], .streams = s, .again_at = FC_EVER };
    transport->data = s;
    uv_check_init(loop, &s->raft_close_turn);
    s->raft_close_turn.data = s;
    int code = transport->init(transport, own_id, own_address);
    if (code == 0)
        code = transport->listen(transport, accepted);
    *ret = s;                                              /* also on failure: streams_close takes back what was begun */
    return code;
}

struct raft_uv_transport *streams_for_raft(struct streams *s) { return &s->raft; }

bool streams_is_open(const struct streams *s, int peer) { return s->links[peer].line != NULL; }

bool streams_send(struct streams *s, int peer, const struct frame *frame)
{
    return s->links[peer].line != NULL && line_send(s->links[peer].line, frame);
}

void streams_break(struct streams *s, int peer)
{
    if (s->links[peer].line != NULL) {
        s->counters.lost++;
        line_drop(s->links[peer].line);
    }
}

void streams_tick(struct streams *s, struct fc_time now)
{
    struct line *next;
    s->now = now;
    for (struct line *line = s->lines; line != NULL; line = next) {
        next = line->next;
        if (line->state == LINE_WAITING && fc_reached(fc_plus(line->since, fc_ms(WAITING_MS)), now)) {
            s->counters.nonsense++;
            line_drop(line);
        }
    }
    for (int i = 0; i < s->peer_count && !s->is_closing; i++) {
        struct peer_link *link = &s->links[i];
        if (link->line == NULL && !link->is_connecting && fc_reached(link->again_at, now))
            link_connect(link);
    }
}

struct streams_counters streams_counters(const struct streams *s) { return s->counters; }

static void below_closed(struct raft_uv_transport *below)
{
    struct streams *s = below->data;
    s->is_below_closed = true;
    closed_when_all(s);
}

static void turn_closed(uv_handle_t *handle)
{
    struct streams *s = handle->data;
    s->is_turn_closed = true;
    closed_when_all(s);
}

void streams_close(struct streams *s, void (*closed)(void *owner), void *owner)
{
    s->is_closing = true;
    s->closed = closed;
    s->owner = owner;
    while (s->lines != NULL)
        line_drop(s->lines);
    uv_close((uv_handle_t *)&s->raft_close_turn, turn_closed);
    s->below->close(s->below, below_closed);
}
