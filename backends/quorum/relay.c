/* What flows when a line is proven, both ways:   raft -> pair -> inner -> sealed -> TCP,   TCP -> opened -> inner -> pair -> raft
 *
 * One record each way is under way at a time: the next is read only when the last is written, so that what waits is bounded and a
 * slow end slows the other. Either end's close ends the line; what was written before it is passed on first. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/quorum/transport_inside.h"

static void add_bytes(_Atomic uint64_t *count, size_t length)
{
    atomic_fetch_add_explicit(count, length, memory_order_relaxed);
}

/* ---- out: from raft to the peer ---- */

static void read_raft(struct line *line);

static void on_alloc_body(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct line *line = handle->data;
    (void)suggested;
    *ret = uv_buf_init((char *)line->record_out + SEAL_HEAD, SEAL_BODY_MAX);
}

static void on_body(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct line *line = stream->data;
    (void)buffer;

    if (line->phase == LINE_ENDED || count == 0)
        return;
    if (count < 0) {                        /* raft has let go of its end, and all that it wrote before is told */
        line_end(line);
        return;
    }
    uv_read_stop(stream);
    add_bytes(&line->transport->counts->bytes_sent, (size_t)count);
    line_tell(line, line->record_out, seal_close(&line->seal_out, line->record_out, (size_t)count), read_raft);
}

static void read_raft(struct line *line)
{
    if (uv_read_start((uv_stream_t *)&line->inner, on_alloc_body, on_body) != 0)
        line_end(line);
}

/* ---- in: from the peer to raft ---- */

static void read_head(struct line *line);

static void on_passed_on(uv_write_t *write, int status)
{
    struct line *line = write->data;

    if (line->phase == LINE_ENDED)
        return;
    if (status != 0)
        line_end(line);
    else
        read_head(line);
}

static void body_heard(struct line *line)
{
    const uv_buf_t body = uv_buf_init((char *)line->record_in + SEAL_HEAD, (unsigned)line->body_length);

    if (!seal_open(&line->seal_in, line->record_in, line->body_length)) {
        line_fail(line, TRANSPORT_FORGED, "a record on a stream of peer %s (%s) was not sealed by it", line->name, line->place);
        return;
    }
    transport_hears(line->transport, line->id);
    add_bytes(&line->transport->counts->bytes_received, line->body_length);
    line->pass_on.data = line;
    if (uv_write(&line->pass_on, (uv_stream_t *)&line->inner, &body, 1, on_passed_on) != 0)
        line_end(line);
}

static void head_heard(struct line *line)
{
    line->body_length = seal_body_length(line->record_in);
    if (line->body_length == 0)
        line_fail(line, TRANSPORT_FORGED, "a record on a stream of peer %s (%s) has no length of ours", line->name, line->place);
    else
        line_hear(line, line->record_in + SEAL_HEAD, line->body_length + SEAL_TAG, body_heard);
}

static void read_head(struct line *line)
{
    line_hear(line, line->record_in, SEAL_HEAD, head_heard);
}

/* ---- the pair ---- */

static void on_raft_end_closed(uv_handle_t *handle)
{
    raft_free(handle);
}

/* Raft closes the stream and releases it with raft_free. Takes the descriptor over, also on failure. */
static struct uv_stream_s *open_raft_end(struct uv_loop_s *loop, int fd)
{
    uv_pipe_t *pipe = raft_malloc(sizeof *pipe);

    if (pipe == NULL || uv_pipe_init(loop, pipe, 0) != 0) {
        raft_free(pipe);
        close(fd);
        return NULL;
    }
    if (uv_pipe_open(pipe, fd) != 0) {
        close(fd);
        uv_close((uv_handle_t *)pipe, on_raft_end_closed);
        return NULL;
    }
    return (struct uv_stream_s *)pipe;
}

static bool open_inner(struct line *line, int fd)
{
    const bool is_made = uv_pipe_init(line->transport->loop, &line->inner, 0) == 0;

    if (is_made) {
        line->inner.data = line;
        line->handles++;
    }
    if (is_made && uv_pipe_open(&line->inner, fd) == 0)
        return true;
    close(fd);
    return false;
}

static void seal_as(const struct line *line, enum handshake_role sender, struct seal *seal)
{
    uint8_t key[HANDSHAKE_STREAM_KEY];

    handshake_stream_key(&line->transcript, &line->transport->config.key, sender, key);
    seal_init(seal, key);
    explicit_bzero(key, sizeof key);
}

static void begin(struct line *line)
{
    seal_as(line, line->is_accepted ? ROLE_ACCEPTOR : ROLE_CONNECTOR, &line->seal_out);
    seal_as(line, line->is_accepted ? ROLE_CONNECTOR : ROLE_ACCEPTOR, &line->seal_in);
    if (line->is_accepted)
        atomic_fetch_sub_explicit(&line->transport->counts->half_open, 1, memory_order_relaxed);
    line->phase = LINE_PROVEN;
    read_head(line);
    if (line->phase == LINE_PROVEN)
        read_raft(line);
}

struct uv_stream_s *relay_begin(struct line *line)
{
    int pair[2];

    line->records = malloc(2 * SEAL_RECORD_MAX);
    if (line->records == NULL || uv_socketpair(SOCK_STREAM, 0, pair, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE) != 0)
        return NULL;
    line->record_out = line->records;
    line->record_in = line->records + SEAL_RECORD_MAX;
    if (!open_inner(line, pair[0])) {
        close(pair[1]);
        return NULL;
    }
    struct uv_stream_s *stream = open_raft_end(line->transport->loop, pair[1]);
    if (stream != NULL)
        begin(line);
    return stream;
}
