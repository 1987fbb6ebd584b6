/* Reads the shared key. Every copy on the way is wiped. */
#include "backends/quorum/peer_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define FILE_MAX (PEER_KEY_MAX + 64)      /* the key, and line ends around it */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum fc_code peer_key_take(const char *text, size_t length, const char *from, struct peer_key *ret, struct fc_err *err)
{
    while (length > 0 && is_blank(*text)) {
        text++;
        length--;
    }
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    if (length < PEER_KEY_MIN || length > PEER_KEY_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "the peers' key in %s has %zu bytes; it takes %d to %d", from, length, PEER_KEY_MIN,
                       PEER_KEY_MAX);
    if (memchr(text, '\0', length) != NULL)
        return fc_fail(err, FC_BAD_CONFIG, "the peers' key in %s holds a zero byte; it is to be text", from);
    peer_key_wipe(ret);
    memcpy(ret->bytes, text, length);
    ret->length = length;
    return FC_OK;
}

static enum fc_code read_open_file(int fd, const char *path, struct peer_key *ret, struct fc_err *err)
{
    struct stat what;
    char bytes[FILE_MAX + 1];
    size_t length = 0;
    ssize_t got = 1;

    if (fstat(fd, &what) != 0 || !S_ISREG(what.st_mode))
        return fc_fail(err, FC_BAD_CONFIG, "RaftPeerKeyFile: %s is not a regular file", path);
    if ((what.st_mode & (S_IWGRP | S_IRWXO)) != 0)
        return fc_fail(err, FC_BAD_CONFIG, "RaftPeerKeyFile: %s has mode %04o; others may not read or change a key: chmod 0640 it",
                       path, (unsigned)(what.st_mode & 07777));
    while (length < sizeof bytes && got > 0) {
        got = read(fd, bytes + length, sizeof bytes - length);
        length += got > 0 ? (size_t)got : 0;
    }
    const enum fc_code code = got < 0 ? fc_fail(err, FC_BAD_CONFIG, "RaftPeerKeyFile: %s cannot be read: %s", path, strerror(errno))
                                      : peer_key_take(bytes, length, path, ret, err);
    explicit_bzero(bytes, sizeof bytes);
    return code;
}

enum fc_code peer_key_read(const char *path, const char *environment, struct peer_key *ret, struct fc_err *err)
{
    if (text_is(path, "")) {
        if (environment == NULL)
            return fc_fail(err, FC_BAD_CONFIG, "raft's peers need a key in common: name its file in RaftPeerKeyFile, or set "
                           PEER_KEY_ENVIRONMENT);
        return peer_key_take(environment, strlen(environment), PEER_KEY_ENVIRONMENT, ret, err);
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);    /* a FIFO in its place must not hold us */
    if (fd < 0)
        return fc_fail(err, FC_BAD_CONFIG, "RaftPeerKeyFile: %s cannot be read: %s", path, strerror(errno));
    const enum fc_code code = read_open_file(fd, path, ret, err);
    close(fd);
    return code;
}

void peer_key_wipe(struct peer_key *key)
{
    explicit_bzero(key, sizeof *key);
}
