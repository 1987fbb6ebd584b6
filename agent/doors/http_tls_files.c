/* Each of the three files, and what may be wrong with it, in one sentence. Nothing of a key stands in a sentence. */
#include "agent/doors/http_tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1 << 20)     /* of one file: a bundle of all public authorities has a quarter of it */

static void text_done(gnutls_datum_t *text)
{
    if (text->data != NULL)
        explicit_bzero(text->data, text->size);
    free(text->data);
    *text = (gnutls_datum_t){ .data = NULL };
}

static enum fc_code read_open_file(int fd, const char *key, const char *path, bool is_secret, gnutls_datum_t *ret, struct fc_err *err)
{
    struct stat what;
    ssize_t got = 1;
    if (fstat(fd, &what) != 0 || !S_ISREG(what.st_mode))
        return fc_fail(err, FC_BAD_CONFIG, "%s: %s is not a regular file", key, path);
    if (is_secret && (what.st_mode & (S_IWGRP | S_IRWXO)) != 0)
        return fc_fail(err, FC_BAD_CONFIG, "%s: %s has mode %04o; others may not read or change a key: chmod 0640 it", key, path,
                       (unsigned)(what.st_mode & 07777));
    if (what.st_size > FILE_BYTES_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "%s: %s has %lld bytes; at most %d are read", key, path, (long long)what.st_size, FILE_BYTES_MAX);
    gnutls_datum_t text = { .data = calloc(1, (size_t)what.st_size + 1) };
    if (text.data == NULL)
        return fc_fail(err, FC_NO_MEMORY, "%s: out of memory", key);
    while (text.size < (size_t)what.st_size && got > 0) {
        got = read(fd, text.data + text.size, (size_t)what.st_size - text.size);
        text.size += got > 0 ? (unsigned)got : 0;
    }
    if (got < 0) {
        text_done(&text);
        return fc_fail(err, FC_BAD_CONFIG, "%s: %s cannot be read: %s", key, path, strerror(errno));
    }
    *ret = text;
    return FC_OK;
}

static enum fc_code read_file(const char *key, const char *path, bool is_secret, gnutls_datum_t *ret, struct fc_err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);    /* a FIFO in its place must not hold us */
    if (fd < 0)
        return fc_fail(err, FC_BAD_CONFIG, "%s: %s cannot be read: %s", key, path, strerror(errno));
    const enum fc_code code = read_open_file(fd, key, path, is_secret, ret, err);
    close(fd);
    return code;
}

/* A file of certificates, read and looked through. */
static enum fc_code read_certificates(const char *key, const char *path, gnutls_datum_t *ret, struct fc_err *err)
{
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    const enum fc_code code = read_file(key, path, false, ret, err);
    if (code != FC_OK)
        return code;
    const int trouble = gnutls_x509_crt_list_import2(&list, &count, ret, GNUTLS_X509_FMT_PEM, 0);
    for (unsigned i = 0; trouble >= 0 && i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    if (trouble >= 0 && count > 0)
        return FC_OK;
    text_done(ret);
    return fc_fail(err, FC_BAD_CONFIG, "%s: %s holds no certificate in PEM form: %s", key, path, gnutls_strerror(trouble));
}

/* The certificates have been looked through: what is wrong now is the key. */
static enum fc_code refuse_key(const struct config *config, int trouble, struct fc_err *err)
{
    const char *path = config->http_key_file;
    switch (trouble) {
    case GNUTLS_E_CERTIFICATE_KEY_MISMATCH:
        return fc_fail(err, FC_BAD_CONFIG, "SSLPrivateKeyFile: %s is not the key of the first certificate in %s", path,
                       config->http_certificate_file);
    case GNUTLS_E_DECRYPTION_FAILED:
    case GNUTLS_E_UNKNOWN_CIPHER_TYPE:
        return fc_fail(err, FC_BAD_CONFIG, "SSLPrivateKeyFile: the key in %s is encrypted, and nobody is there to be asked for its password; "
                       "store it without one: openssl pkey -in KEY -out PLAIN", path);
    default:
        return fc_fail(err, FC_BAD_CONFIG, "SSLPrivateKeyFile: %s holds no key in PEM form: %s", path, gnutls_strerror(trouble));
    }
}

static enum fc_code take_identity(struct tls_files *files, const struct config *config, struct fc_err *err)
{
    gnutls_datum_t certificates = { .data = NULL }, key = { .data = NULL };
    enum fc_code code = read_certificates("SSLCertFile", config->http_certificate_file, &certificates, err);
    if (code == FC_OK)
        code = read_file("SSLPrivateKeyFile", config->http_key_file, true, &key, err);
    if (code == FC_OK) {
        const int trouble = gnutls_certificate_set_x509_key_mem2(files->credentials, &certificates, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
        code = trouble >= 0 ? FC_OK : refuse_key(config, trouble, err);
    }
    text_done(&certificates);
    text_done(&key);
    return code;
}

static enum fc_code take_authorities(struct tls_files *files, const struct config *config, struct fc_err *err)
{
    gnutls_datum_t authorities = { .data = NULL };
    enum fc_code code = read_certificates("SSLCAFile", config->http_ca_file, &authorities, err);
    if (code != FC_OK)
        return code;
    const int trouble = gnutls_certificate_set_x509_trust_mem(files->credentials, &authorities, GNUTLS_X509_FMT_PEM);
    text_done(&authorities);
    if (trouble <= 0)
        return fc_fail(err, FC_BAD_CONFIG, "SSLCAFile: %s: %s", config->http_ca_file, gnutls_strerror(trouble));
    return FC_OK;
}

enum fc_code tls_files_read(const struct config *config, struct tls_files **ret, struct fc_err *err)
{
    struct tls_files *files = calloc(1, sizeof *files);
    if (files == NULL || gnutls_certificate_allocate_credentials(&files->credentials) < 0) {
        free(files);
        return fc_fail(err, FC_NO_MEMORY, "HTTPS: out of memory");
    }
    files->holders = 1;
    enum fc_code code = take_identity(files, config, err);
    if (code == FC_OK && config->http_wants_certificate)
        code = take_authorities(files, config, err);
    if (code != FC_OK) {
        tls_files_leave(files);
        return code;
    }
    *ret = files;
    return FC_OK;
}

void tls_files_leave(struct tls_files *files)
{
    if (files == NULL || --files->holders > 0)
        return;
    gnutls_certificate_free_credentials(files->credentials);
    free(files);
}
