/* A shim between the transport and raft. Streams are made by the transport (raft_malloc) and end in uv_close and raft_free. */
#include "backends/quorum/streams.h"

#include <stdlib.h>
#include <string.h>

#include "backends/quorum/bytes.h"
#include "base/text.h"

#define KIND_RAFT 'r'
#define KIND_OURS 's'
#define PREFACE_SIZE 17              /* kind, own id, id that is looked for */
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
    uint64_t id, wanted;             /* of the other end; for whom it is, of this end */
    char address[STREAMS_ADDRESS_SIZE];
    struct fc_time since;
    size_t filled;
    uint8_t buffer[2 * (HEAD_SIZE + FRAME_PAYLOAD_MAX)];
};

struct peer_link {
    struct streams_peer peer;
    struct line *line;               /* outgoing, open */
    uint64_t heard_id;               /* of who brought a raft stream while the members are not known */
    bool is_connecting, is_stale;    /* stale: what it connects to is somebody else meanwhile */
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
    struct peer_link links[STREAMS_PLACES_MAX];
    int waiting;
    uint64_t own_id;
    bool knows_members;
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
    const bool is_member = line->id != 0 && line->id == s->links[line->peer].peer.id;
    if (!is_member && frame->kind != FRAME_MARK_ASK && frame->kind != FRAME_MEMBERS_ASK) {
        s->counters.strange++;
        return;
    }
    const uv_stream_t *stream = line->stream;
    s->port.asked(s->port.owner, line->peer, frame, &answer);
    if (answer.kind != 0 && stream->data == line)          /* not broken meanwhile */
        line_send(line, &answer);                          /* not sent: the asker asks again */
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct line *line = handle->data;
    (void)suggested;
    if (line->state == LINE_WAITING)                       /* what follows the preface may be raft's */
        *ret = uv_buf_init((char *)line->buffer + line->filled, (unsigned)(PREFACE_SIZE - line->filled));
    else
        *ret = uv_buf_init((char *)line->buffer + line->filled, (unsigned)(sizeof line->buffer - line->filled));
}

static void preface_came(struct line *line);

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
    line->filled += (size_t)count;
    if (line->state == LINE_WAITING) {
        if (line->filled == PREFACE_SIZE)
            preface_came(line);
        return;
    }
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

/* Who is for another incarnation than this one is not heard; who stands there while this node is none yet may be. */
static bool is_for_us(const struct line *line) { return line->wanted == 0 || line->streams->own_id == 0 || line->wanted == line->streams->own_id; }

static bool may_be_raft(const struct line *line)
{
    const struct streams *s = line->streams;
    return line->id != 0 && line->wanted != 0 && (!s->knows_members || line->id == s->links[line->peer].peer.id);
}

static void preface_came(struct line *line)
{
    struct streams *s = line->streams;
    struct bytes_in in = { .from = line->buffer, .size = PREFACE_SIZE };
    const uint64_t kind = bytes_get_number(&in, 1);
    line->id = bytes_get_number(&in, 8);
    line->wanted = bytes_get_number(&in, 8);
    if (kind == KIND_OURS && is_for_us(line)) {
        serve(line);
        return;
    }
    if (kind != KIND_RAFT || s->raft_accept == NULL || !is_for_us(line) || !may_be_raft(line)) {
        *(kind != KIND_RAFT && kind != KIND_OURS ? &s->counters.nonsense
          : kind == KIND_RAFT && s->raft_accept == NULL ? &s->counters.refused_raft : &s->counters.strange) += 1;
        line_drop(line);
        return;
    }
    s->links[line->peer].heard_id = line->id;
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
    while (peer < STREAMS_PLACES_MAX && s->links[peer].peer.name_id != id)
        peer++;
    if (s->is_closing || peer == STREAMS_PLACES_MAX || s->waiting == WAITING_MAX) {
        *(peer == STREAMS_PLACES_MAX ? &s->counters.unknown : &s->counters.crowded) += 1;
        stream_drop(stream);
        return;
    }
    struct line *line = line_new(s, stream, LINE_WAITING, peer);
    if (line == NULL)
        return;
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

static bool say_preface(uv_stream_t *stream, uint8_t kind, uint64_t own_id, uint64_t wanted)
{
    uint8_t bytes[PREFACE_SIZE];
    struct bytes_out out = { .to = bytes, .size = sizeof bytes };
    bytes_put_number(&out, kind, 1);
    bytes_put_number(&out, own_id, 8);
    bytes_put_number(&out, wanted, 8);
    return stream_write(stream, bytes, sizeof bytes);
}

static void link_connected(struct raft_uv_connect *request, uv_stream_t *stream, int status)
{
    struct peer_link *link = request->data;
    struct streams *s = link->streams;
    const bool is_wanted = !s->is_closing && !link->is_stale;
    link->is_stale = false;
    link->is_connecting = false;
    s->connecting--;
    link->again_at = fc_plus(s->now, fc_ms(AGAIN_MS));
    if (status == 0 && (!is_wanted || !say_preface(stream, KIND_OURS, s->own_id, link->peer.id))) {
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
    if (s->below->connect(s->below, &link->request, link->peer.name_id, link->peer.address, link_connected) == 0) {
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

struct raft_connecting {
    struct raft_uv_connect below;
    struct raft_uv_connect *asked;
    raft_uv_connect_cb cb;
    struct streams *streams;
    uint64_t wanted;
};

static void raft_connected(struct raft_uv_connect *request, uv_stream_t *stream, int status)
{
    struct raft_connecting *c = request->data;
    struct streams *s = c->streams;
    if (status == 0 && !say_preface(stream, KIND_RAFT, s->own_id, c->wanted)) {
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
    const struct peer_link *link = NULL;
    (void)address;                                         /* of the log; where the peer lives now is known here */
    for (int i = 0; i < STREAMS_PLACES_MAX; i++) {
        if (id != 0 && (s->links[i].peer.id == id || s->links[i].heard_id == id))
            link = &s->links[i];
    }
    if (link == NULL || s->own_id == 0)
        return RAFT_NOCONNECTION;
    struct raft_connecting *c = calloc(1, sizeof *c);
    if (c == NULL)
        return RAFT_NOMEM;
    *c = (struct raft_connecting){ .asked = request, .cb = cb, .streams = s, .wanted = id };
    c->below.data = c;
    const int code = s->below->connect(s->below, &c->below, link->peer.name_id, link->peer.address, raft_connected);
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

int streams_open(uv_loop_t *loop, struct raft_uv_transport *transport, uint64_t own_name_id, const char *own_address,
                 const struct streams_port *port, struct streams **ret)
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
    for (int i = 0; i < STREAMS_PLACES_MAX; i++)
        s->links[i] = (struct peer_link){ .streams = s, .again_at = FC_EVER };
    transport->data = s;
    uv_check_init(loop, &s->raft_close_turn);
    s->raft_close_turn.data = s;
    int code = transport->init(transport, own_name_id, own_address);
    if (code == 0)
        code = transport->listen(transport, accepted);
    *ret = s;                                              /* also on failure: streams_close takes back what was begun */
    return code;
}

static void lines_drop(struct streams *s, int place)
{
    struct line *next;
    for (struct line *line = s->lines; line != NULL; line = next) {
        next = line->next;
        if (line->peer == place)
            line_drop(line);
    }
}

void streams_put(struct streams *s, int place, const struct streams_peer *peer)
{
    struct peer_link *link = &s->links[place];
    const bool is_same_name = link->peer.name_id == peer->name_id && text_is(link->peer.address, peer->address);
    const bool is_other = link->peer.id != peer->id;
    link->peer = *peer;
    if (is_same_name && !is_other)
        return;
    link->is_stale = link->is_connecting;
    link->again_at = FC_EVER;
    if (is_other)
        link->heard_id = 0;
    if (!is_same_name)
        lines_drop(s, place);
    else if (link->line != NULL)
        line_drop(link->line);                             /* made anew, for the other incarnation */
}

void streams_be(struct streams *s, uint64_t own_id, bool knows_members)
{
    struct line *next;
    s->knows_members = knows_members;
    if (s->own_id == own_id)
        return;
    s->own_id = own_id;
    for (int i = 0; i < STREAMS_PLACES_MAX; i++)
        s->links[i].is_stale = s->links[i].is_connecting;
    for (struct line *line = s->lines; line != NULL; line = next) {
        next = line->next;
        if (line->state == LINE_OURS || (line->state == LINE_SERVED && !is_for_us(line)))
            line_drop(line);
    }
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
    for (int i = 0; i < STREAMS_PLACES_MAX && !s->is_closing; i++) {
        struct peer_link *link = &s->links[i];
        if (link->peer.name_id != 0 && link->line == NULL && !link->is_connecting && fc_reached(link->again_at, now))
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
