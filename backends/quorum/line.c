/* The life of one line, and its two verbs. */
#include <assert.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/quorum/transport_inside.h"
#include "base/text.h"

#define KEEPALIVE_PROBES 3
#define STUCK_RETRANSMITS 3          /* in a row: the first is waited for 0.2 s and more, each other one twice as long as the one before */

struct line *line_new(struct transport *transport, bool is_accepted)
{
    struct line *line = calloc(1, sizeof *line);

    if (line == NULL)
        return NULL;
    line->transport = transport;
    line->is_accepted = is_accepted;
    line->phase = is_accepted ? LINE_GREETING : LINE_RESOLVING;
    line->born_ms = uv_now(transport->loop);
    line->status = RAFT_NOCONNECTION;
    line->older = transport->newest;
    if (line->older != NULL)
        line->older->newer = line;
    transport->newest = line;
    uv_timer_init(transport->loop, &line->timer);
    line->timer.data = line;
    line->handles = 1;
    if (is_accepted)
        atomic_fetch_add_explicit(&transport->counts->half_open, 1, memory_order_relaxed);
    return line;
}

bool line_open_tcp(struct line *line)
{
    if (uv_tcp_init(line->transport->loop, &line->tcp) != 0)
        return false;
    line->tcp.data = line;
    line->handles++;
    return true;
}

bool line_is_half_open(const struct line *line)
{
    return line->is_accepted && line->phase < LINE_PROVEN;
}

/* ---- the end ---- */

static void unlink_line(struct line *line)
{
    if (line->newer != NULL)
        line->newer->older = line->older;
    else
        line->transport->newest = line->older;
    if (line->older != NULL)
        line->older->newer = line->newer;
}

static void free_line(struct line *line)
{
    struct transport *transport = line->transport;
    struct raft_uv_connect *request = line->request;
    const int status = line->status;

    unlink_line(line);
    free(line->records);
    explicit_bzero(line, sizeof *line);
    free(line);
    if (request != NULL)
        request->cb(request, NULL, transport->is_closing ? RAFT_CANCELED : status);
    transport_line_gone(transport);
}

void line_handle_closed(uv_handle_t *handle)
{
    struct line *line = handle->data;

    if (--line->handles == 0)
        free_line(line);
}

static void close_opened(struct line *line, uv_handle_t *handle)
{
    if (handle->data == line && !uv_is_closing(handle))
        uv_close(handle, line_handle_closed);
}

void line_end(struct line *line)
{
    struct transport_counts *counts = line->transport->counts;

    if (line->phase == LINE_ENDED)
        return;
    if (line_is_half_open(line))
        atomic_fetch_sub_explicit(&counts->half_open, 1, memory_order_relaxed);
    if (line->phase == LINE_PROVEN) {
        seal_done(&line->seal_out);
        seal_done(&line->seal_in);
        atomic_fetch_add_explicit(&counts->of[TRANSPORT_CLOSED], 1, memory_order_relaxed);
    }
    line->phase = LINE_ENDED;
    if (line->lookup != NULL) {                     /* it is let go: the resolver ends it when it will */
        line->lookup->line = NULL;
        uv_cancel((uv_req_t *)&line->lookup->request);
        line->lookup = NULL;
    }
    close_opened(line, (uv_handle_t *)&line->tcp);
    close_opened(line, (uv_handle_t *)&line->inner);
    close_opened(line, (uv_handle_t *)&line->timer);
}

void line_fail(struct line *line, enum transport_count kind, const char *format, ...)
{
    char sentence[256];
    va_list args;

    if (line->phase == LINE_ENDED)
        return;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    transport_note(line->transport, kind, "%s", sentence);
    line_end(line);
}

void line_lost(struct line *line, int why)
{
    const char *text = why == UV_EOF ? "closed" : uv_strerror(why);

    if (line->phase == LINE_PROVEN)
        line_end(line);
    else if (line->phase == LINE_INTRODUCING)
        line_fail(line, TRANSPORT_REFUSED_US, "peer %s (%s) ends on our proof: %s; has it the same key and cluster?", line->name,
                  line->place, text);
    else if (line->is_accepted)
        line_fail(line, TRANSPORT_LOST, "%s left in the midst of its handshake: %s", line->place, text);
    else
        line_fail(line, TRANSPORT_LOST, "peer %s (%s) left in the midst of the handshake: %s", line->name, line->place, text);
}

/* ---- time ---- */

void line_limit(struct line *line, uint64_t ms, uv_timer_cb late)
{
    uv_update_time(line->transport->loop);
    uv_timer_start(&line->timer, late, ms, 0);
}

/* ---- to hear ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct line *line = handle->data;
    (void)suggested;
    *ret = uv_buf_init((char *)line->hearing + line->hearing_got, (unsigned)(line->hearing_wanted - line->hearing_got));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct line *line = stream->data;
    (void)buffer;

    if (line->phase == LINE_ENDED || count == 0)
        return;
    if (count < 0) {
        line_lost(line, (int)count);
        return;
    }
    line->hearing_got += (size_t)count;
    assert(line->hearing_got <= line->hearing_wanted);
    if (line->hearing_got == line->hearing_wanted) {
        uv_read_stop(stream);               /* what comes after it stays in the kernel for who reads next */
        line->heard(line);
    }
}

void line_hear(struct line *line, uint8_t *to, size_t wanted, line_step *heard)
{
    assert(wanted > 0);
    line->hearing = to;
    line->hearing_wanted = wanted;
    line->hearing_got = 0;
    line->heard = heard;
    const int rv = uv_read_start((uv_stream_t *)&line->tcp, on_alloc, on_read);
    if (rv != 0)
        line_lost(line, rv);
}

/* ---- to tell ---- */

static void on_written(uv_write_t *write, int status)
{
    struct line *line = write->data;

    if (line->phase == LINE_ENDED)
        return;
    if (status != 0)
        line_lost(line, status);
    else
        line->told(line);
}

void line_tell(struct line *line, const uint8_t *bytes, size_t length, line_step *told)
{
    const uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)length);

    line->told = told;
    line->write.data = line;
    const int rv = uv_write(&line->write, (uv_stream_t *)&line->tcp, &buffer, 1, on_written);
    if (rv != 0)
        line_lost(line, rv);
}

/* ---- the socket ---- */

void line_tune(struct line *line)
{
    const unsigned silence_ms = (unsigned)line->transport->config.silence_limit_ms;
    const int probe_seconds = (int)(silence_ms / 1000 / (KEEPALIVE_PROBES + 1)) + 1;
    const int probes = KEEPALIVE_PROBES;
    uv_os_fd_t fd;

    uv_tcp_nodelay(&line->tcp, 1);
    uv_tcp_keepalive(&line->tcp, 1, (unsigned)probe_seconds);
    if (uv_fileno((uv_handle_t *)&line->tcp, &fd) != 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe_seconds, sizeof probe_seconds);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
}

bool line_is_stuck(const struct line *line)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    uv_os_fd_t fd;

    return line->phase == LINE_PROVEN && uv_fileno((uv_handle_t *)&line->tcp, &fd) == 0 &&
           getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_retransmits >= STUCK_RETRANSMITS;
}

void place_text(const struct sockaddr *address, char to[PLACE_SIZE], struct in6_addr *from)
{
    char host[INET6_ADDRSTRLEN] = "?";
    struct in6_addr mapped = IN6ADDR_ANY_INIT;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    unsigned port = 0;

    if (address->sa_family == AF_INET) {
        mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
        memcpy(mapped.s6_addr + 12, &four->sin_addr, 4);
        port = ntohs(four->sin_port);
    }
    else if (address->sa_family == AF_INET6) {
        mapped = six->sin6_addr;
        port = ntohs(six->sin6_port);
    }
    const bool is_four = IN6_IS_ADDR_V4MAPPED(&mapped);
    inet_ntop(is_four ? AF_INET : AF_INET6, is_four ? (const void *)(mapped.s6_addr + 12) : &mapped, host, sizeof host);
    text_format(to, PLACE_SIZE, is_four ? "%s:%u" : "[%s]:%u", host, port);
    *from = mapped;
}
