/* TLS in front of the HTTP door, with real sockets: certificates made here, a client of GnuTLS that does not block, and the door, all
 * turned by one loop. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/doors/http.h"
#include "base/text.h"

#define PATIENCE 4000                 /* turns of at most 2 ms */
#define HEARD_SIZE (8u << 20)
#define VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* ---- certificates ---- */

struct party { gnutls_x509_privkey_t key; gnutls_x509_crt_t certificate; };

static char folder[] = "/tmp/fc-https-XXXXXX";
static char paths[8][64];

static const char *file_of(int place, const char *name)
{
    TEXT_FORMAT(paths[place], "%s/%s", folder, name);
    return paths[place];
}

static void keep(const char *name, const gnutls_datum_t *text, mode_t mode)
{
    char path[64];
    TEXT_FORMAT(path, "%s/%s", folder, name);
    FILE *to = fopen(path, "w");
    cr_assert_not_null(to);
    fwrite(text->data, 1, text->size, to);
    fclose(to);
    chmod(path, mode);
}

static void keep_party(const struct party *party, const char *certificate, const char *key)
{
    gnutls_datum_t text;
    cr_assert_geq(gnutls_x509_crt_export2(party->certificate, GNUTLS_X509_FMT_PEM, &text), 0);
    keep(certificate, &text, 0644);
    gnutls_free(text.data);
    cr_assert_geq(gnutls_x509_privkey_export2(party->key, GNUTLS_X509_FMT_PEM, &text), 0);
    keep(key, &text, 0600);
    gnutls_free(text.data);
}

static time_t today(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* `by` NULL: its own authority. */
static struct party party_made(const char *name, const char *unit, const struct party *by, const char *purpose, int days)
{
    static unsigned char serial;
    struct party party;
    serial++;
    gnutls_x509_privkey_init(&party.key);
    cr_assert_geq(gnutls_x509_privkey_generate(party.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    gnutls_x509_crt_init(&party.certificate);
    gnutls_x509_crt_set_version(party.certificate, 3);
    gnutls_x509_crt_set_serial(party.certificate, &serial, 1);
    gnutls_x509_crt_set_activation_time(party.certificate, today() - 10 * 86400);
    gnutls_x509_crt_set_expiration_time(party.certificate, today() + days * 86400);
    gnutls_x509_crt_set_dn_by_oid(party.certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
    if (unit != NULL) {
        gnutls_x509_crt_set_dn_by_oid(party.certificate, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, 0, "another", 7);
        gnutls_x509_crt_set_dn_by_oid(party.certificate, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, 0, unit, (unsigned)strlen(unit));
    }
    if (purpose != NULL)
        gnutls_x509_crt_set_key_purpose_oid(party.certificate, purpose, 0);
    gnutls_x509_crt_set_key(party.certificate, party.key);
    gnutls_x509_crt_set_ca_status(party.certificate, by == NULL);
    const struct party *signer = by == NULL ? &party : by;
    cr_assert_geq(gnutls_x509_crt_sign2(party.certificate, signer->certificate, signer->key, GNUTLS_DIG_SHA256, 0), 0);
    return party;
}

/* ---- the stage ---- */

static struct {
    struct ev_loop *loop;
    struct config config;
    struct status status;
    struct desk desk;
    struct http_door *door;
    struct party authority, stranger, node;
} stage;

static const struct status *lend_status(void *daemon)
{
    (void)daemon;
    return &stage.status;
}

static void stage_set(void)
{
    signal(SIGPIPE, SIG_IGN);
    cr_assert_not_null(mkdtemp(folder));
    stage.loop = ev_loop_new(0);
    stage.authority = party_made("authority", NULL, NULL, NULL, 1);
    stage.stranger = party_made("stranger", NULL, NULL, NULL, 1);
    stage.node = party_made("fc1", NULL, &stage.authority, NULL, 1);
    keep_party(&stage.authority, "authority.pem", "authority-key.pem");
    keep_party(&stage.node, "node.pem", "node-key.pem");
    TEXT_SET(stage.config.listen_address, "127.0.0.1:0");
    TEXT_SET(stage.config.status_endpoint, "/api/status");
    TEXT_SET(stage.config.http_certificate_file, file_of(0, "node.pem"));
    TEXT_SET(stage.config.http_key_file, file_of(1, "node-key.pem"));
    TEXT_SET(stage.config.http_ca_file, file_of(2, "authority.pem"));
    stage.config.http_uses_tls = true;
    stage.status.store_is_reachable = true;
    stage.desk = (struct desk){ .config = &stage.config, .status = lend_status };
}

static void stage_open(void)
{
    struct fc_err err = { .code = FC_OK };
    cr_assert_eq(http_door_open(stage.loop, &stage.desk, &stage.door, &err), FC_OK, "%s", err.text);
}

static void party_done(struct party *party)
{
    gnutls_x509_crt_deinit(party->certificate);
    gnutls_x509_privkey_deinit(party->key);
}

static void remove_folder(void)
{
    struct dirent *entry;
    DIR *all = opendir(folder);
    cr_assert_not_null(all);
    while ((entry = readdir(all)) != NULL)
        unlinkat(dirfd(all), entry->d_name, 0);
    closedir(all);
    cr_assert_eq(rmdir(folder), 0);
}

static void stage_close(void)
{
    http_door_close(stage.door);
    ev_loop_destroy(stage.loop);
    party_done(&stage.authority);
    party_done(&stage.stranger);
    party_done(&stage.node);
    remove_folder();
}

TestSuite(https, .init = stage_set, .fini = stage_close, .timeout = 120);

/* ---- the client ---- */

struct client {
    int fd;
    gnutls_session_t session;        /* NULL: it speaks as it likes */
    gnutls_certificate_credentials_t credentials;
    char *heard;
    size_t length;
    bool has_shaken, is_over;
    int trouble;
};

static struct client *client_open(void)
{
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_door_port(stage.door)),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct client *client = calloc(1, sizeof *client);
    client->heard = calloc(1, HEARD_SIZE);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &(int){ 8192 }, sizeof(int));          /* little is under way: who does not read is soon felt */
    cr_assert_eq(connect(client->fd, (const struct sockaddr *)&address, sizeof address), 0, "connect: %s", strerror(errno));
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    return client;
}

static struct client *client_secure(const char *versions, const struct party *as)
{
    struct client *client = client_open();
    gnutls_certificate_allocate_credentials(&client->credentials);
    cr_assert_geq(gnutls_certificate_set_x509_trust_file(client->credentials, file_of(3, "authority.pem"), GNUTLS_X509_FMT_PEM), 1);
    if (as != NULL) {
        gnutls_x509_crt_t certificate = as->certificate;
        cr_assert_geq(gnutls_certificate_set_x509_key(client->credentials, &certificate, 1, as->key), 0);
    }
    /* FORCE: also to somebody who did not name its authority */
    gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT);
    cr_assert_geq(gnutls_priority_set_direct(client->session, versions, NULL), 0);
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    gnutls_transport_set_int(client->session, client->fd);
    return client;
}

static void client_close(struct client *client)
{
    if (client->session != NULL) {
        gnutls_deinit(client->session);
        gnutls_certificate_free_credentials(client->credentials);
    }
    close(client->fd);
    free(client->heard);
    free(client);
}

static void client_hear(struct client *client)
{
    char *to = client->heard + client->length;
    const size_t size = HEARD_SIZE - 1 - client->length;
    const ssize_t got = client->session == NULL ? recv(client->fd, to, size, 0) : gnutls_record_recv(client->session, to, size);
    const bool may_wait = client->session == NULL ? got < 0 && errno == EAGAIN : got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED;
    client->length += got > 0 ? (size_t)got : 0;
    client->is_over = client->is_over || (got <= 0 && !may_wait);
}

static void turn(struct client *client)
{
    struct pollfd wait = { .fd = client->fd, .events = POLLIN };
    ev_run(stage.loop, EVRUN_NOWAIT);
    poll(&wait, 1, 1);
    if (client->session == NULL || client->has_shaken) {
        client_hear(client);
        return;
    }
    const int result = gnutls_handshake(client->session);
    client->has_shaken = result == GNUTLS_E_SUCCESS;
    client->trouble = gnutls_error_is_fatal(result) ? result : 0;
    client->is_over = client->trouble != 0;
}

static void client_shake(struct client *client)
{
    for (int i = 0; i < PATIENCE && !client->has_shaken && !client->is_over; i++)
        turn(client);
    cr_assert(client->has_shaken, "no handshake: %s", gnutls_strerror(client->trouble));
}

static void client_wait(struct client *client)
{
    for (int i = 0; i < PATIENCE && !client->is_over; i++)
        turn(client);
    cr_assert(client->is_over, "no end; heard: %s", client->heard);
}

static void client_say(struct client *client, const char *text)
{
    const ssize_t sent = client->session == NULL ? send(client->fd, text, strlen(text), MSG_NOSIGNAL)
                                                 : gnutls_record_send(client->session, text, strlen(text));
    cr_assert_eq(sent, (ssize_t)strlen(text));
}

static char answer[4096];

static void ask_as(const struct party *as, const char *path)
{
    char request[512];
    struct client *client = client_secure(VERSIONS, as);
    client_shake(client);
    TEXT_FORMAT(request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    client_say(client, request);
    client_wait(client);
    text_copy_bytes(answer, sizeof answer, client->heard, client->length < sizeof answer ? client->length : sizeof answer - 1);
    client_close(client);
}

static void answers(int status, const char *part)
{
    cr_assert(text_begins(answer, "HTTP/1.1 ") && strtol(answer + 9, NULL, 10) == status, "wanted %d, heard: %s", status, answer);
    cr_assert_not_null(strstr(answer, part), "'%s' is not in: %s", part, answer);
}

/* ---- it speaks TLS ---- */

Test(https, an_answer_comes_over_tls_1_2_and_1_3_and_not_below)
{
    stage_open();
    const char *good[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3" };
    for (int i = 0; i < 2; i++) {
        struct client *client = client_secure(good[i], NULL);
        client_shake(client);
        client_say(client, "GET /api/lb-check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        client_wait(client);
        cr_assert(text_begins(client->heard, "HTTP/1.1 200") && strstr(client->heard, "\"OK\"") != NULL, "%s", client->heard);
        client_close(client);
    }
    struct client *old = client_secure("NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", NULL);
    client_wait(old);
    cr_assert_not(old->has_shaken);
    client_close(old);
    ask_as(NULL, "/api/lb-check");
    answers(200, "\"OK\"");
}

Test(https, a_connection_is_kept_and_what_comes_in_pieces_is_one_request)
{
    stage_open();
    struct client *client = client_secure(VERSIONS, NULL);
    client_shake(client);
    for (int i = 0; i < 3; i++) {
        client_say(client, "GET /api/lb-check HT");
        turn(client);
        client_say(client, "TP/1.1\r\nHost: localhost\r\n\r\n");
        const size_t before = client->length;
        for (int k = 0; k < PATIENCE && strstr(client->heard + before, "\"OK\"") == NULL; k++)
            turn(client);
        cr_assert_not_null(strstr(client->heard + before, "\"OK\""));
    }
    cr_assert_not(client->is_over);
    client_close(client);
    for (int i = 0; i < 20; i++)
        ev_run(stage.loop, EVRUN_NOWAIT);
    cr_assert_eq(http_door_counters(stage.door).connections, 0u);
}

Test(https, a_client_that_does_not_read_gets_every_byte_later_and_holds_up_nobody)
{
    enum { QUESTIONS = 400 };
    size_t ends = 0;
    stage_open();
    struct client *lazy = client_secure(VERSIONS, NULL);
    client_shake(lazy);
    int said = 0;
    while (said < QUESTIONS) {
        const char *text = said == QUESTIONS - 1 ? "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                                                 : "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        const ssize_t sent = gnutls_record_send(lazy->session, text, strlen(text));
        if (sent == GNUTLS_E_AGAIN)
            break;
        cr_assert_eq(sent, (ssize_t)strlen(text));
        said++;
        ev_run(stage.loop, EVRUN_NOWAIT);
    }
    cr_assert_eq(said, QUESTIONS);
    for (int quiet = 0; quiet < 100; quiet++) {
        const uint64_t so_far = http_door_counters(stage.door).requests;
        poll(NULL, 0, 1);
        ev_run(stage.loop, EVRUN_NOWAIT);
        quiet = http_door_counters(stage.door).requests == so_far ? quiet : 0;
    }
    cr_assert_lt(http_door_counters(stage.door).requests, (uint64_t)QUESTIONS, "all was taken from the door: nothing has been held up");
    ask_as(NULL, "/api/lb-check");
    answers(200, "\"OK\"");
    client_wait(lazy);
    for (const char *at = lazy->heard; (at = strstr(at, "HTTP/1.1 200")) != NULL; at++)
        ends++;
    cr_assert_eq(ends, (size_t)QUESTIONS, "%zu answers in %zu bytes", ends, lazy->length);
    client_close(lazy);
}

Test(https, who_speaks_plain_http_is_told_and_garbage_is_ended)
{
    stage_open();
    struct client *plain = client_open();
    client_say(plain, "GET /api/lb-check HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client_wait(plain);
    cr_assert(text_begins(plain->heard, "HTTP/1.0 400") && strstr(plain->heard, "this port speaks HTTPS") != NULL, "%s", plain->heard);
    client_close(plain);
    const char *garbage[] = { "\x16\x03\x01\xff\xff garbage", "\x80\x2e\x01\x03\x01 of old times", "\x01\x02\x03\x04\x05\x06\x07\x08", "\x15\x03\x03\x01\x02\x02\x28" };
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        struct client *client = client_open();
        client_say(client, garbage[i]);
        shutdown(client->fd, SHUT_WR);
        client_wait(client);
        client_close(client);
    }
    cr_assert_eq(http_door_counters(stage.door).connections, 0u);
    ask_as(NULL, "/api/lb-check");
    answers(200, "\"OK\"");
}

/* ---- it does not stop the loop ---- */

static void stop_loop(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static unsigned turns_in(double seconds)
{
    ev_timer stop;
    const unsigned before = ev_iteration(stage.loop);
    ev_timer_init(&stop, stop_loop, seconds, 0.0);
    ev_timer_start(stage.loop, &stop);
    ev_run(stage.loop, 0);
    return ev_iteration(stage.loop) - before;
}

Test(https, a_handshake_that_stands_still_costs_no_turn_of_the_loop)
{
    stage_open();
    struct client *silent = client_open(), *begun = client_open(), *half = client_secure(VERSIONS, NULL);
    client_say(begun, "\x16\x03\x01\x02");
    cr_assert_eq(gnutls_handshake(half->session), GNUTLS_E_AGAIN);           /* its greeting is out, and it does not go on */
    for (int i = 0; i < 50; i++)
        ev_run(stage.loop, EVRUN_NOWAIT);
    cr_assert_eq(http_door_counters(stage.door).connections, 3u);
    cr_assert_leq(turns_in(0.5), 5u);
    client_close(silent);
    client_close(begun);
    client_close(half);
    for (int i = 0; i < 50; i++)
        ev_run(stage.loop, EVRUN_NOWAIT);
    cr_assert_eq(http_door_counters(stage.door).connections, 0u);
}

Test(https, of_many_handshakes_one_is_served_in_a_turn_and_all_in_the_end)
{
    enum { MANY = 60 };
    struct client *all[MANY];
    stage_open();
    for (int i = 0; i < MANY; i++) {
        all[i] = client_secure(VERSIONS, NULL);
        cr_assert_eq(gnutls_handshake(all[i]->session), GNUTLS_E_AGAIN);
    }
    const unsigned before = ev_iteration(stage.loop);
    int answered = 0, served = 0;
    for (int k = 0; k < PATIENCE && answered < MANY; k++) {
        ev_run(stage.loop, EVRUN_NOWAIT);
        const int so_far = answered;
        for (int i = 0; i < MANY; i++)
            answered += !all[i]->has_shaken && (all[i]->has_shaken = gnutls_handshake(all[i]->session) == GNUTLS_E_SUCCESS);
        served = answered - so_far > served ? answered - so_far : served;
    }
    cr_assert_eq(answered, MANY);
    cr_assert_leq(served, 1, "%d were answered in one turn", served);
    cr_assert_geq(ev_iteration(stage.loop) - before, (unsigned)MANY);
    for (int i = 0; i < MANY; i++)
        client_close(all[i]);
}

Test(https, visitors_beyond_the_bound_wait_for_a_place)
{
    static struct client *idle[HTTP_CONNECTIONS_MAX + 5];
    stage_open();
    for (int i = 0; i < HTTP_CONNECTIONS_MAX + 5; i++) {
        idle[i] = client_open();
        ev_run(stage.loop, EVRUN_NOWAIT);
    }
    for (int i = 0; i < 20; i++)
        ev_run(stage.loop, EVRUN_NOWAIT);
    cr_assert_eq(http_door_counters(stage.door).connections, (uint64_t)HTTP_CONNECTIONS_MAX);
    struct client *late = client_secure(VERSIONS, NULL);
    for (int i = 0; i < 20; i++)
        turn(late);
    cr_assert_not(late->has_shaken);
    for (int i = 0; i < HTTP_CONNECTIONS_MAX + 5; i++)
        client_close(idle[i]);
    client_shake(late);
    client_close(late);
}

/* ---- certificates of who asks ---- */

Test(https, a_certificate_is_wanted_of_an_authority_in_force_for_clients)
{
    struct party good = party_made("amy", NULL, &stage.authority, GNUTLS_KP_TLS_WWW_CLIENT, 1);
    struct party plain = party_made("bob", NULL, &stage.authority, NULL, 1);
    struct party server = party_made("web", NULL, &stage.authority, GNUTLS_KP_TLS_WWW_SERVER, 1);
    struct party late = party_made("eve", NULL, &stage.authority, NULL, -1);
    struct party other = party_made("joe", NULL, &stage.stranger, NULL, 1);
    stage.config.http_wants_certificate = true;
    stage_open();
    ask_as(&good, "/api/lb-check");
    answers(200, "\"OK\"");
    ask_as(&plain, "/api/lb-check");
    answers(200, "\"OK\"");
    ask_as(NULL, "/api/lb-check");
    answers(401, "Content-Type: text/plain");
    answers(401, "Not Authorized: this node wants to see a client certificate");
    const struct party *bad[] = { &server, &late, &other };
    for (int i = 0; i < 3; i++) {
        ask_as(bad[i], "/api/lb-check");
        answers(401, "Not Authorized: the client certificate is not of an authority in SSLCAFile, not valid now, or not made for clients");
    }
    cr_assert_eq(http_door_counters(stage.door).unauthenticated, 4u);
    party_done(&good);
    party_done(&plain);
    party_done(&server);
    party_done(&late);
    party_done(&other);
}

Test(https, the_certificate_has_one_of_the_units)
{
    struct party dba = party_made("amy", "dba", &stage.authority, NULL, 1), ops = party_made("bob", "ops", &stage.authority, NULL, 1);
    struct party none = party_made("joe", NULL, &stage.authority, NULL, 1), longer = party_made("max", "dbas", &stage.authority, NULL, 1);
    struct party shorter = party_made("kim", "db", &stage.authority, NULL, 1);
    stage.config.http_wants_certificate = true;
    TEXT_SET(stage.config.http_units.item[0], "haproxy");
    TEXT_SET(stage.config.http_units.item[1], "dba");
    stage.config.http_units.count = 2;
    stage_open();
    ask_as(&dba, "/api/lb-check");
    answers(200, "\"OK\"");
    const struct party *bad[] = { &ops, &none, &longer, &shorter };
    for (int i = 0; i < 4; i++) {
        ask_as(bad[i], "/api/lb-check");
        answers(401, "Not Authorized: the client certificate has none of the organizational units in SSLValidOUs");
    }
    party_done(&dba);
    party_done(&ops);
    party_done(&none);
    party_done(&longer);
    party_done(&shorter);
}

Test(https, the_status_check_alone_needs_none_and_only_by_its_exact_path)
{
    stage.config.http_wants_certificate = true;
    stage_open();
    ask_as(NULL, "/api/status");
    answers(200, "Application node is healthy");
    ask_as(NULL, "/api/status?x=1");
    answers(200, "Application node is healthy");
    const char *others[] = { "/api/health?/api/status", "/x/api/status", "/api/status/x", "/api/statusx", "/api/health#/api/status", "/API/status" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ask_as(NULL, others[i]);
        answers(401, "Not Authorized");
    }
    stage.config.http_status_wants_certificate = true;
    ask_as(NULL, "/api/status");
    answers(401, "Not Authorized");
}

/* ---- files ---- */

static void is_refused(const char *with)
{
    struct http_door *door = NULL;
    struct fc_err err = { .code = FC_OK };
    cr_expect_eq(http_door_open(stage.loop, &stage.desk, &door, &err), FC_BAD_CONFIG);
    cr_expect_not_null(strstr(err.text, with), "'%s' is not in: %s", with, err.text);
    cr_expect_eq(http_door_check(&stage.config, &err), FC_BAD_CONFIG);
    cr_expect_not_null(strstr(err.text, with), "'%s' is not in: %s", with, err.text);
}

Test(https, each_bad_file_is_one_sentence_that_names_its_key)
{
    gnutls_datum_t text, garbage = { .data = (unsigned char *)(uintptr_t)"geheim", .size = 6 };
    keep_party(&stage.stranger, "other.pem", "other-key.pem");
    keep("garbage.pem", &garbage, 0600);
    cr_assert_geq(gnutls_x509_privkey_export2_pkcs8(stage.node.key, GNUTLS_X509_FMT_PEM, "password", GNUTLS_PKCS_PBES2_AES_256, &text), 0);
    keep("locked.pem", &text, 0600);
    gnutls_free(text.data);

    TEXT_SET(stage.config.http_certificate_file, file_of(4, "none.pem"));
    is_refused("SSLCertFile: /tmp/fc-https-");
    is_refused("none.pem cannot be read: No such file or directory");
    TEXT_SET(stage.config.http_certificate_file, folder);
    is_refused("is not a regular file");
    TEXT_SET(stage.config.http_certificate_file, file_of(4, "garbage.pem"));
    is_refused("garbage.pem holds no certificate in PEM form");
    TEXT_SET(stage.config.http_certificate_file, file_of(4, "other.pem"));
    is_refused("node-key.pem is not the key of the first certificate in /tmp/fc-https-");
    TEXT_SET(stage.config.http_certificate_file, file_of(4, "node.pem"));

    TEXT_SET(stage.config.http_key_file, file_of(4, "garbage.pem"));
    is_refused("SSLPrivateKeyFile: /tmp/fc-https-");
    is_refused("garbage.pem holds no key in PEM form");
    TEXT_SET(stage.config.http_key_file, file_of(4, "locked.pem"));
    is_refused("locked.pem is encrypted, and nobody is there to be asked for its password");
    TEXT_SET(stage.config.http_key_file, file_of(4, "node-key.pem"));
    chmod(stage.config.http_key_file, 0644);
    is_refused("node-key.pem has mode 0644; others may not read or change a key: chmod 0640 it");
    chmod(stage.config.http_key_file, 0640);

    stage.config.http_wants_certificate = true;
    TEXT_SET(stage.config.http_ca_file, file_of(4, "garbage.pem"));
    is_refused("SSLCAFile: /tmp/fc-https-");
    is_refused("garbage.pem holds no certificate in PEM form");
    TEXT_SET(stage.config.http_ca_file, file_of(4, "authority.pem"));
    stage_open();
}

static bool is_shown(const struct client *client, const struct party *party)
{
    unsigned count = 0;
    gnutls_datum_t der;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(client->session, &count);
    cr_assert_geq(gnutls_x509_crt_export2(party->certificate, GNUTLS_X509_FMT_DER, &der), 0);
    const bool is_it = shown != NULL && count > 0 && shown->size == der.size && memcmp(shown->data, der.data, der.size) == 0;
    gnutls_free(der.data);
    return is_it;
}

Test(https, a_renewed_certificate_is_shown_after_a_reload_and_a_broken_one_never)
{
    struct fc_err err;
    struct party renewed = party_made("fc1", NULL, &stage.authority, NULL, 1);
    stage_open();
    struct client *early = client_secure(VERSIONS, NULL);
    cr_assert_eq(gnutls_handshake(early->session), GNUTLS_E_AGAIN);          /* it comes to the old one, and is slow */
    for (int i = 0; i < 20; i++)
        ev_run(stage.loop, EVRUN_NOWAIT);
    keep_party(&renewed, "node.pem", "node-key.pem");
    cr_assert_eq(http_door_reload(stage.door, &err), FC_OK, "%s", err.text);
    struct client *late = client_secure(VERSIONS, NULL);
    client_shake(late);
    cr_assert(is_shown(late, &renewed));
    client_shake(early);
    cr_assert(is_shown(early, &stage.node));
    client_say(early, "GET /api/lb-check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    client_wait(early);
    cr_assert_not_null(strstr(early->heard, "\"OK\""));
    client_close(early);
    client_close(late);

    keep_party(&stage.stranger, "node.pem", "elsewhere.pem");
    cr_assert_eq(http_door_reload(stage.door, &err), FC_BAD_CONFIG);
    late = client_secure(VERSIONS, NULL);
    client_shake(late);
    cr_assert(is_shown(late, &renewed));
    client_close(late);
    party_done(&renewed);
}

Test(https, after_a_reload_the_certificate_of_who_is_there_is_looked_at_again)
{
    struct fc_err err;
    struct party dba = party_made("amy", "dba", &stage.authority, NULL, 1);
    stage.config.http_wants_certificate = true;
    stage_open();
    struct client *client = client_secure(VERSIONS, &dba);
    client_shake(client);
    client_say(client, "GET /api/lb-check HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int k = 0; k < PATIENCE && strstr(client->heard, "\"OK\"") == NULL; k++)
        turn(client);
    cr_assert(text_begins(client->heard, "HTTP/1.1 200"), "%s", client->heard);
    TEXT_SET(stage.config.http_units.item[0], "ops");
    stage.config.http_units.count = 1;
    cr_assert_eq(http_door_reload(stage.door, &err), FC_OK, "%s", err.text);
    client_say(client, "GET /api/lb-check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    client_wait(client);
    cr_assert_not_null(strstr(client->heard, "HTTP/1.1 401"), "%s", client->heard);
    client_close(client);
    party_done(&dba);
}

Test(https, on_a_unix_socket_nothing_changes)
{
    TEXT_SET(stage.config.http_certificate_file, "/nowhere/node.pem");
    TEXT_SET(stage.config.listen_socket, file_of(5, "api.sock"));
    stage.config.http_wants_certificate = true;
    stage_open();
    cr_assert_eq(http_door_port(stage.door), 0);
    struct fc_err err;
    cr_assert_eq(http_door_reload(stage.door, &err), FC_OK);
}
