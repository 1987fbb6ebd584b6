/* TLS in front of the HTTP door (UseSSL, UseMutualTLS). A visitor shakes hands here; then libmicrohttpd gets one end of a pair of sockets
 * and speaks plain HTTP on it, while what goes through is packed and unpacked here, on the same loop. docs/adr/0029-tls-in-front.md
 * says why the library does not do it itself.
 *
 * Bounds: HTTP_CONNECTIONS_MAX visitors together, HTTP_IDLE_SECONDS for a whole handshake and for the last bytes on their way out,
 * one step of one handshake in a turn of the loop (it may sign: 0.3 ms with an EC key, 1.5 ms with RSA 2048). */
#ifndef FC_HTTP_TLS_H
#define FC_HTTP_TLS_H

#include <ev.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "core/config.h"

struct http_tls;

struct http_tls_house {               /* who takes visitors in */
    void *door;
    /* Takes `fd` over: plain HTTP of the visitor from this address. */
    void (*take)(void *door, int fd, const struct sockaddr *from, socklen_t size);
    void (*left)(void *door);         /* there is room for one more */
};

/* Reads and checks the files. *ret is NULL where the door speaks plain HTTP: without UseSSL, and on a unix socket. FC_BAD_CONFIG
 * names the key, the file and what would be right. Loop and configuration are borrowed and outlive it. */
enum fc_code http_tls_open(struct ev_loop *loop, const struct config *config, const struct http_tls_house *house, struct http_tls **ret,
                           struct fc_err *err);
/* After the door has closed its ends: what they left is sent as far as it goes at once. NULL is fine. */
void http_tls_close(struct http_tls *tls);

/* The files once more, for who comes from now on; of who is there the certificate is looked at again. On failure all stays as it was. */
enum fc_code http_tls_reload(struct http_tls *tls, struct fc_err *err);

/* Takes a connection over that has just been accepted and does not block. */
void http_tls_welcome(struct http_tls *tls, int fd, const struct sockaddr *from, socklen_t size);
uint64_t http_tls_visitors(const struct http_tls *tls);
/* May they ask, whose plain end is `fd`? NULL: yes; else the sentence why not. */
const char *http_tls_refusal(struct http_tls *tls, int fd);

#endif
