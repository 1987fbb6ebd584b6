/* A visitor, and what goes through:
 *
 *     client <--- TLS ---> outside | guest | inside <--- pair of sockets ---> libmicrohttpd
 *
 * Each direction has one buffer of a record's size, filled only when it is empty, so that who does not read holds up nobody but the one
 * who writes to them. Handshakes that have something to do stand in a queue, of which one is served in a turn: a signature takes
 * its time, and a hundred visitors at once must not stop the loop.
 *
 * Under UseMutualTLS a certificate is asked for and not insisted on: the status check must be answered without one, and a sentence
 * with 401 says more than a handshake that breaks off. */
#include "agent/doors/http_tls.h"

#include <ctype.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "agent/doors/http.h"
#include "agent/doors/http_tls_files.h"

/* TLS 1.2 and 1.3, each connection with keys of its own: a key that is stolen later opens nothing that was recorded. */
#define VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:%SERVER_PRECEDENCE"
#define RECORD_SIZE 16384            /* the most that one record holds */
#define PIECES_A_TURN 8              /* of one visitor, in each direction */
#define UNITS_MAX 32                 /* of one certificate that are looked at */

static const char plain_spoken[] = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
                                   "this port speaks HTTPS: write https:// in front\n";

enum course { SHAKING, LET_THROUGH, LEAVING };      /* LEAVING: the library is done, the last bytes are on their way out */

enum verdict { NOT_JUDGED, LET_IN, SHOWS_NONE, NOT_BELIEVED, OTHER_UNIT };

static const char *const refusals[] = {
    [LET_IN] = NULL,
    [SHOWS_NONE] = "Not Authorized: this node wants to see a client certificate",
    [NOT_BELIEVED] = "Not Authorized: the client certificate is not of an authority in SSLCAFile, not valid now, or not made for clients",
    [OTHER_UNIT] = "Not Authorized: the client certificate has none of the organizational units in SSLValidOUs",
};

struct piece { size_t from, to; char bytes[RECORD_SIZE]; };      /* from == to: empty */

struct guest {
    LIST_ENTRY(guest) by_tls;
    TAILQ_ENTRY(guest) by_queue;
    struct http_tls *tls;
    struct tls_files *files;             /* that the handshake began with */
    gnutls_session_t session;
    struct sockaddr_storage address;
    socklen_t address_size;
    enum course course;
    bool is_queued;
    bool has_spoken;
    bool is_deaf;                        /* nothing more comes from outside, or nobody inside wants it */
    int library_fd;                      /* the library's end; only to know the guest by */
    ev_io outside, inside;
    ev_timer bound;
    enum verdict verdict;
    uint64_t judged_at;                  /* reload_count then */
    struct piece inwards, outwards;
};

struct http_tls {
    struct ev_loop *loop;
    const struct config *config;
    struct http_tls_house house;
    struct tls_files *files;
    gnutls_priority_t versions;
    uint64_t reload_count, guest_count;
    LIST_HEAD(guest_list, guest) guests;         /* the newest first */
    TAILQ_HEAD(guest_queue, guest) queue;        /* handshakes that have something to do */
    ev_timer work;
};

/* ---- coming and going ---- */

static void guest_end(struct guest *guest)
{
    struct http_tls *tls = guest->tls;
    if (guest->is_queued)
        TAILQ_REMOVE(&tls->queue, guest, by_queue);
    LIST_REMOVE(guest, by_tls);
    tls->guest_count--;
    ev_io_stop(tls->loop, &guest->outside);
    ev_io_stop(tls->loop, &guest->inside);
    ev_timer_stop(tls->loop, &guest->bound);
    close(guest->outside.fd);
    if (guest->inside.fd >= 0)
        close(guest->inside.fd);
    gnutls_deinit(guest->session);
    tls_files_leave(guest->files);
    free(guest);
    tls->house.left(tls->house.door);
}

static void set_bound(struct guest *guest)
{
    ev_timer_stop(guest->tls->loop, &guest->bound);
    ev_timer_set(&guest->bound, HTTP_IDLE_SECONDS, 0.0);
    ev_timer_start(guest->tls->loop, &guest->bound);
}

static void on_bound(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    guest_end(timer->data);
}

static void watch(struct guest *guest, ev_io *watcher, int events)
{
    if (watcher->fd < 0 || (ev_is_active(watcher) ? (watcher->events & (EV_READ | EV_WRITE)) == events : events == 0))
        return;
    ev_io_stop(guest->tls->loop, watcher);
    if (events == 0)
        return;
    ev_io_set(watcher, watcher->fd, events);
    ev_io_start(guest->tls->loop, watcher);
}

/* ---- what goes through ---- */

static bool is_empty(const struct piece *piece) { return piece->from == piece->to; }

static bool may_wait(ssize_t result) { return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED; }

/* From the client. False: nothing at the moment. */
static bool hear_outside(struct guest *guest)
{
    if (guest->is_deaf || !is_empty(&guest->inwards))
        return false;
    const ssize_t got = gnutls_record_recv(guest->session, guest->inwards.bytes, RECORD_SIZE);
    if (may_wait(got))
        return false;
    if (got < 0 && !gnutls_error_is_fatal((int)got) && got != GNUTLS_E_REHANDSHAKE)
        return true;                     /* a warning, which changes nothing: counted as a piece, for they may come without end */
    guest->inwards.from = 0;
    guest->inwards.to = got > 0 ? (size_t)got : 0;
    if (got <= 0) {                      /* the end, or no TLS any more: whoever is inside hears that nothing more comes */
        guest->is_deaf = true;
        if (guest->inside.fd >= 0)
            shutdown(guest->inside.fd, SHUT_WR);
    }
    return true;
}

static bool say_inside(struct guest *guest)
{
    struct piece *piece = &guest->inwards;
    if (is_empty(piece))
        return false;
    const ssize_t sent = guest->inside.fd < 0 ? -1 : send(guest->inside.fd, piece->bytes + piece->from, piece->to - piece->from, MSG_NOSIGNAL);
    if (sent > 0) {
        piece->from += (size_t)sent;
        return true;
    }
    if (guest->inside.fd >= 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    guest->is_deaf = true;               /* nobody there wants it any more; what they have said still goes out */
    piece->from = piece->to = 0;
    return true;
}

static void leave(struct guest *guest)
{
    guest->course = LEAVING;
    guest->is_deaf = true;
    guest->inwards.from = guest->inwards.to = 0;
    ev_io_stop(guest->tls->loop, &guest->inside);
    close(guest->inside.fd);
    ev_io_set(&guest->inside, -1, 0);
    guest->library_fd = -1;
    set_bound(guest);
}

static bool hear_inside(struct guest *guest)
{
    struct piece *piece = &guest->outwards;
    if (guest->inside.fd < 0 || !is_empty(piece))
        return false;
    const ssize_t got = recv(guest->inside.fd, piece->bytes, RECORD_SIZE, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    piece->from = 0;
    piece->to = got > 0 ? (size_t)got : 0;
    if (got <= 0)
        leave(guest);
    return true;
}

/* False: it cannot go on, and the guest is gone. */
static bool say_outside(struct guest *guest, bool *has_moved)
{
    struct piece *piece = &guest->outwards;
    if (is_empty(piece))
        return true;
    const ssize_t sent = gnutls_record_send(guest->session, piece->bytes + piece->from, piece->to - piece->from);
    if (sent > 0) {
        piece->from += (size_t)sent;
        *has_moved = true;
    } else if (!may_wait(sent)) {
        guest_end(guest);
        return false;
    }
    return true;
}

/* False: the guest is gone. */
static bool pump(struct guest *guest)
{
    bool has_moved = true;
    for (int i = 0; i < PIECES_A_TURN && has_moved; i++) {
        has_moved = hear_outside(guest);
        has_moved = say_inside(guest) || has_moved;
        has_moved = hear_inside(guest) || has_moved;
        if (!say_outside(guest, &has_moved))
            return false;
    }
    if (guest->course == LEAVING && is_empty(&guest->outwards)) {
        gnutls_bye(guest->session, GNUTLS_SHUT_WR);
        guest_end(guest);
        return false;
    }
    return true;
}

static void pump_and_watch(struct guest *guest)
{
    if (!pump(guest))
        return;
    const bool hears_outside = !guest->is_deaf && is_empty(&guest->inwards), hears_inside = is_empty(&guest->outwards);
    watch(guest, &guest->outside, (hears_outside ? EV_READ : 0) | (hears_inside ? 0 : EV_WRITE));
    watch(guest, &guest->inside, (hears_inside ? EV_READ : 0) | (is_empty(&guest->inwards) ? 0 : EV_WRITE));
    if (hears_outside && gnutls_record_check_pending(guest->session) > 0)        /* it is here already: no socket tells of it */
        ev_feed_event(guest->tls->loop, &guest->outside, EV_READ);
}

static void on_inside(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    pump_and_watch(watcher->data);
}

/* ---- handshake ---- */

/* The library gets its end of the pair. */
static void let_in(struct guest *guest)
{
    const int yes = 1;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        guest_end(guest);                /* no descriptor left */
        return;
    }
    /* Nothing is said after a handshake, so the kernel would confirm its end 40 ms late: for so long many clients hold their question back. */
    setsockopt(guest->outside.fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
    ev_timer_stop(guest->tls->loop, &guest->bound);
    guest->course = LET_THROUGH;
    guest->library_fd = ends[1];
    ev_io_set(&guest->inside, ends[0], EV_READ);
    guest->tls->house.take(guest->tls->house.door, ends[1], (const struct sockaddr *)&guest->address, guest->address_size);
    pump_and_watch(guest);
}

/* Somebody who writes http:// is told so: no handshake begins with a letter. */
static bool speaks_plain(struct guest *guest)
{
    char first = '\0', rest[4096];
    if (guest->has_spoken)
        return false;
    guest->has_spoken = true;
    if (recv(guest->outside.fd, &first, 1, MSG_PEEK) != 1 || !isalpha((unsigned char)first))
        return false;
    recv(guest->outside.fd, rest, sizeof rest, 0);         /* read, so that closing does not take the answer with it */
    send(guest->outside.fd, plain_spoken, sizeof plain_spoken - 1, MSG_NOSIGNAL);
    guest_end(guest);
    return true;
}

static void shake(struct guest *guest)
{
    const int result = gnutls_handshake(guest->session);
    if (result == GNUTLS_E_SUCCESS) {
        let_in(guest);
    } else if (may_wait(result) || !gnutls_error_is_fatal(result)) {
        watch(guest, &guest->outside, gnutls_record_get_direction(guest->session) == 0 ? EV_READ : EV_WRITE);
    } else {
        gnutls_alert_send_appropriate(guest->session, result);
        guest_end(guest);
    }
}

static void again_soon(struct http_tls *tls)
{
    if (TAILQ_EMPTY(&tls->queue) || ev_is_active(&tls->work))
        return;
    ev_timer_set(&tls->work, 0.0, 0.0);
    ev_timer_start(tls->loop, &tls->work);
}

static void on_work(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct http_tls *tls = timer->data;
    struct guest *guest = TAILQ_FIRST(&tls->queue);
    (void)loop;
    (void)events;
    if (guest != NULL) {
        TAILQ_REMOVE(&tls->queue, guest, by_queue);
        guest->is_queued = false;
        shake(guest);
    }
    again_soon(tls);
}

static void on_outside(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct guest *guest = watcher->data;
    (void)loop;
    (void)events;
    if (guest->course != SHAKING) {
        pump_and_watch(guest);
        return;
    }
    if (speaks_plain(guest))
        return;
    watch(guest, &guest->outside, 0);
    guest->is_queued = true;
    TAILQ_INSERT_TAIL(&guest->tls->queue, guest, by_queue);
    again_soon(guest->tls);
}

/* NULL: out of memory. */
static gnutls_session_t session_new(struct http_tls *tls, int fd)
{
    static unsigned char http[] = "http/1.1";
    const gnutls_datum_t protocol = { .data = http, .size = sizeof http - 1 };
    gnutls_session_t session = NULL;
    if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS) < 0)
        return NULL;
    if (gnutls_priority_set(session, tls->versions) < 0 ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->files->credentials) < 0 ||
        gnutls_alpn_set_protocols(session, &protocol, 1, 0) < 0) {
        gnutls_deinit(session);
        return NULL;
    }
    if (tls->config->http_wants_certificate)
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    gnutls_transport_set_int(session, fd);
    return session;
}

void http_tls_welcome(struct http_tls *tls, int fd, const struct sockaddr *from, socklen_t size)
{
    const int yes = 1;
    struct guest *guest = calloc(1, sizeof *guest);
    gnutls_session_t session = guest == NULL ? NULL : session_new(tls, fd);
    if (session == NULL) {
        close(fd);
        free(guest);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    guest->tls = tls;
    guest->files = tls->files;
    guest->files->holders++;
    guest->session = session;
    guest->library_fd = -1;
    guest->address_size = size < sizeof guest->address ? size : sizeof guest->address;
    memcpy(&guest->address, from, guest->address_size);
    ev_io_init(&guest->outside, on_outside, fd, EV_READ);
    ev_io_init(&guest->inside, on_inside, -1, EV_READ);
    ev_init(&guest->bound, on_bound);
    guest->outside.data = guest->inside.data = guest->bound.data = guest;
    LIST_INSERT_HEAD(&tls->guests, guest, by_tls);
    tls->guest_count++;
    set_bound(guest);
    ev_io_start(tls->loop, &guest->outside);
}

uint64_t http_tls_visitors(const struct http_tls *tls) { return tls->guest_count; }

/* ---- who is at the other end ---- */

static bool is_accepted(const struct config_list *units, const char *unit, size_t length)
{
    for (int i = 0; i < units->count; i++) {
        if (strlen(units->item[i]) == length && memcmp(units->item[i], unit, length) == 0)
            return true;
    }
    return false;
}

static bool has_accepted_unit(gnutls_x509_crt_t certificate, const struct config_list *units)
{
    for (unsigned i = 0; i < UNITS_MAX; i++) {
        char unit[CONFIG_TEXT_SIZE];
        size_t size = sizeof unit;
        const int trouble = gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, i, 0, unit, &size);
        if (trouble >= 0 && is_accepted(units, unit, size))
            return true;
        if (trouble < 0 && trouble != GNUTLS_E_SHORT_MEMORY_BUFFER)      /* no more of them; one that is too long is none of ours */
            return false;
    }
    return false;
}

static enum verdict judge_unit(const gnutls_datum_t *shown, const struct config_list *units)
{
    gnutls_x509_crt_t certificate = NULL;
    if (units->count == 0)
        return LET_IN;
    const bool is_good = gnutls_x509_crt_init(&certificate) >= 0 && gnutls_x509_crt_import(certificate, shown, GNUTLS_X509_FMT_DER) >= 0 &&
                         has_accepted_unit(certificate, units);
    if (certificate != NULL)
        gnutls_x509_crt_deinit(certificate);
    return is_good ? LET_IN : OTHER_UNIT;
}

static enum verdict judge(const struct guest *guest)
{
    static unsigned char for_clients[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = for_clients };
    unsigned count = 0, wrong = 0;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(guest->session, &count);
    if (shown == NULL || count == 0)
        return SHOWS_NONE;
    if (gnutls_certificate_verify_peers(guest->session, &purpose, 1, &wrong) < 0 || wrong != 0)
        return NOT_BELIEVED;
    return judge_unit(&shown[0], &guest->tls->config->http_units);
}

/* Looked at once a connection, and again after a reload. */
const char *http_tls_refusal(struct http_tls *tls, int fd)
{
    struct guest *guest;
    LIST_FOREACH(guest, &tls->guests, by_tls) {          /* a number that was given again belongs to the newest */
        if (guest->library_fd == fd)
            break;
    }
    if (guest == NULL)
        return refusals[SHOWS_NONE];
    if (guest->verdict == NOT_JUDGED || guest->judged_at != tls->reload_count)
        guest->verdict = judge(guest);
    guest->judged_at = tls->reload_count;
    return refusals[guest->verdict];
}

/* ---- open, reload, close ---- */

enum fc_code http_tls_open(struct ev_loop *loop, const struct config *config, const struct http_tls_house *house, struct http_tls **ret,
                           struct fc_err *err)
{
    *ret = NULL;
    if (!config->http_uses_tls || config->listen_socket[0] != '\0')
        return FC_OK;
    struct http_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return fc_fail(err, FC_NO_MEMORY, "HTTPS: out of memory");
    tls->loop = loop;
    tls->config = config;
    tls->house = *house;
    LIST_INIT(&tls->guests);
    TAILQ_INIT(&tls->queue);
    ev_init(&tls->work, on_work);
    tls->work.data = tls;
    enum fc_code code = tls_files_read(config, &tls->files, err);
    if (code == FC_OK && gnutls_priority_init(&tls->versions, VERSIONS, NULL) < 0)
        code = fc_fail(err, FC_INTERNAL, "HTTPS: this GnuTLS does not know '%s'", VERSIONS);
    if (code != FC_OK) {
        http_tls_close(tls);
        return code;
    }
    *ret = tls;
    return FC_OK;
}

enum fc_code http_tls_reload(struct http_tls *tls, struct fc_err *err)
{
    struct tls_files *fresh = NULL;
    const enum fc_code code = tls_files_read(tls->config, &fresh, err);
    if (code != FC_OK)
        return code;
    tls_files_leave(tls->files);
    tls->files = fresh;
    tls->reload_count++;
    return FC_OK;
}

void http_tls_close(struct http_tls *tls)
{
    if (tls == NULL)
        return;
    ev_timer_stop(tls->loop, &tls->work);
    while (!LIST_EMPTY(&tls->guests)) {
        struct guest *guest = LIST_FIRST(&tls->guests);
        if (guest->course == SHAKING || pump(guest))
            guest_end(guest);
    }
    tls_files_leave(tls->files);
    if (tls->versions != NULL)
        gnutls_priority_deinit(tls->versions);
    free(tls);
}
