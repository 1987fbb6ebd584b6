/* The files of UseSSL as GnuTLS wants them: certificate, key, authorities of clients. Read at start and at each reload; who has begun with
 * those of before holds them to the end of the connection. */
#ifndef FC_HTTP_TLS_FILES_H
#define FC_HTTP_TLS_FILES_H

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "core/config.h"

struct tls_files {
    gnutls_certificate_credentials_t credentials;
    int holders;
};

/* One holder: the caller. FC_BAD_CONFIG names the key, the file and what would be right. */
enum fc_code tls_files_read(const struct config *config, struct tls_files **ret, struct fc_err *err);
void tls_files_leave(struct tls_files *files);           /* the last holder's frees them; NULL is fine */

#endif
