/* Whom do we believe? A node that is named by its address shows a certificate for that name, of an authority in SSLCAFile (of this machine,
 * where none is given). The node of this very host is asked at a loopback address, for which certificates are seldom made out: it shows
 * the certificate of SSLCertFile itself. Where a node asks for a certificate (UseMutualTLS), ours is that of SSLCertFile. */
#include "agent/ask_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct ask_tls {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};

static bool is_address(const char *host)
{
    struct in6_addr bytes;
    return inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1;
}

static enum fc_code take_authorities(struct ask_tls *tls, const struct ask_trust *trust, struct fc_err *err)
{
    const int count = trust->authorities[0] == '\0'
        ? gnutls_certificate_set_x509_system_trust(tls->credentials)
        : gnutls_certificate_set_x509_trust_file(tls->credentials, trust->authorities, GNUTLS_X509_FMT_PEM);
    if (count > 0 || trust->authorities[0] == '\0')
        return FC_OK;
    return fc_fail(err, FC_BAD_CONFIG, "SSLCAFile: %s cannot be read as certificates in PEM form: %s", trust->authorities, gnutls_strerror(count));
}

static enum fc_code prepare(struct ask_tls *tls, int fd, const struct ask_endpoint *endpoint, struct fc_err *err)
{
    const struct ask_trust *trust = &endpoint->trust;
    if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0 || gnutls_init(&tls->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) < 0 ||
        gnutls_priority_set_direct(tls->session, VERSIONS, NULL) < 0 ||
        gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->credentials) < 0)
        return fc_fail(err, FC_NO_MEMORY, "HTTPS: out of memory");
    if (trust->key[0] != '\0')           /* a key that this user may not read is not shown; the node says whether it wants one */
        gnutls_certificate_set_x509_key_file(tls->credentials, trust->certificate, trust->key, GNUTLS_X509_FMT_PEM);
    if (!is_address(endpoint->host))
        gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, endpoint->host, strlen(endpoint->host));
    gnutls_transport_set_int(tls->session, fd);
    return take_authorities(tls, trust, err);
}

/* ---- is it whom we meant? ---- */

static bool is_same(const char *path, const gnutls_datum_t *shown)
{
    gnutls_datum_t text = { .data = NULL }, der = { .data = NULL };
    gnutls_x509_crt_t certificate = NULL;
    bool is_it = gnutls_load_file(path, &text) >= 0 && gnutls_x509_crt_init(&certificate) >= 0 &&
                 gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM) >= 0 &&
                 gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) >= 0;
    is_it = is_it && der.size == shown->size && memcmp(der.data, shown->data, der.size) == 0;
    if (certificate != NULL)
        gnutls_x509_crt_deinit(certificate);
    gnutls_free(text.data);
    gnutls_free(der.data);
    return is_it;
}

static enum fc_code verify(struct ask_tls *tls, const struct ask_endpoint *endpoint, struct fc_err *err)
{
    char name[192];
    unsigned count = 0, wrong = 0;
    gnutls_datum_t why = { .data = NULL };
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(tls->session, &count);
    ask_name(endpoint, name, sizeof name);
    if (endpoint->trust.is_blind)
        return FC_OK;
    if (endpoint->trust.is_own) {
        if (shown != NULL && count > 0 && is_same(endpoint->trust.certificate, &shown[0]))
            return FC_OK;
        return fc_fail(err, FC_UNREACHABLE, "what answers at %s shows another certificate than SSLCertFile (%s): if that is new, reload the node", name,
                       endpoint->trust.certificate);
    }
    if (gnutls_certificate_verify_peers3(tls->session, endpoint->host, &wrong) < 0)
        return fc_fail(err, FC_UNREACHABLE, "the node at %s is not believed: it shows no certificate that could be verified", name);
    if (wrong == 0)
        return FC_OK;
    gnutls_certificate_verification_status_print(wrong, GNUTLS_CRT_X509, &why, 0);
    fc_fail(err, FC_UNREACHABLE, "the node at %s is not believed: %s(authorities: %s)", name, why.data == NULL ? "" : (const char *)why.data,
            endpoint->trust.authorities[0] == '\0' ? "those of this machine, SSLCAFile names none" : endpoint->trust.authorities);
    gnutls_free(why.data);
    return FC_UNREACHABLE;
}

static enum fc_code shake(struct ask_tls *tls, int fd, const struct ask_endpoint *endpoint, int64_t deadline_ms, struct fc_err *err)
{
    char name[192];
    int result;
    ask_name(endpoint, name, sizeof name);
    while ((result = gnutls_handshake(tls->session)) != GNUTLS_E_SUCCESS) {
        if (gnutls_error_is_fatal(result))
            return fc_fail(err, FC_UNREACHABLE, "the node at %s does not speak HTTPS with us: %s", name,
                           result == GNUTLS_E_FATAL_ALERT_RECEIVED ? gnutls_alert_get_name(gnutls_alert_get(tls->session)) : gnutls_strerror(result));
        if (!ask_wait(fd, gnutls_record_get_direction(tls->session) == 0 ? POLLIN : POLLOUT, deadline_ms))
            return fc_fail(err, FC_TIMEOUT, "the node at %s does not answer: the time is over", name);
    }
    return FC_OK;
}

enum fc_code ask_tls_open(int fd, const struct ask_endpoint *endpoint, int64_t deadline_ms, struct ask_tls **ret, struct fc_err *err)
{
    struct ask_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return fc_fail(err, FC_NO_MEMORY, "HTTPS: out of memory");
    enum fc_code code = prepare(tls, fd, endpoint, err);
    if (code == FC_OK)
        code = shake(tls, fd, endpoint, deadline_ms, err);
    if (code == FC_OK)
        code = verify(tls, endpoint, err);
    if (code != FC_OK) {
        ask_tls_close(tls);
        return code;
    }
    *ret = tls;
    return FC_OK;
}

/* ---- what is said and heard ---- */

static ssize_t as_socket(ssize_t result)
{
    if (result >= 0)
        return result;
    errno = result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED || !gnutls_error_is_fatal((int)result) ? EAGAIN : ECONNRESET;
    return -1;
}

ssize_t ask_tls_send(struct ask_tls *tls, const void *bytes, size_t length) { return as_socket(gnutls_record_send(tls->session, bytes, length)); }
ssize_t ask_tls_recv(struct ask_tls *tls, void *to, size_t size) { return as_socket(gnutls_record_recv(tls->session, to, size)); }

void ask_tls_close(struct ask_tls *tls)
{
    if (tls == NULL)
        return;
    if (tls->session != NULL)
        gnutls_deinit(tls->session);
    if (tls->credentials != NULL)
        gnutls_certificate_free_credentials(tls->credentials);
    free(tls);
}
