/* The key that all peers of a cluster share. It proves who is a peer and is never sent.
 *
 * It comes from a file (RaftPeerKeyFile), or where none is named from the environment variable FIRSTCHAIR_PEER_KEY; never from
 * the configuration's own text. Any text: blanks and line ends around it are cut off. Make one with: openssl rand -hex 32 */
#ifndef FC_BACKENDS_QUORUM_PEER_KEY_H
#define FC_BACKENDS_QUORUM_PEER_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PEER_KEY_ENVIRONMENT "FIRSTCHAIR_PEER_KEY"
#define PEER_KEY_MIN 16            /* bytes: fewer can be guessed from one recorded handshake */
#define PEER_KEY_MAX 1024

struct peer_key { uint8_t bytes[PEER_KEY_MAX]; size_t length; };

/* Takes `text` as the key. FC_BAD_CONFIG when it is too short, too long or holds a zero byte; `from` names where it stood. */
enum fc_code peer_key_take(const char *text, size_t length, const char *from, struct peer_key *ret, struct fc_err *err);

/* Reads the file, or where `path` is "" the environment's value (`environment`, may be NULL). FC_BAD_CONFIG when neither is there,
 * when the file is not a regular one, and when others than its owner and group may read or write it. */
enum fc_code peer_key_read(const char *path, const char *environment, struct peer_key *ret, struct fc_err *err);

void peer_key_wipe(struct peer_key *key);

#endif
