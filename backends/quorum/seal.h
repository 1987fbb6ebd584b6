/* Seals what flows after the handshake: a changed, forged, repeated, left out or exchanged record is refused. Bytes in, bytes out.
 *
 * A record is   length (4 bytes, network order, 1..SEAL_BODY_MAX)  body  tag (16 bytes)
 * sealed by ChaCha20-Poly1305 (RFC 8439): the key is of this stream alone (handshake_stream_key), the nonce is the record's number
 * in it, the length is authenticated too. Cut off at the end of a record is all that a stranger can do to a stream; that is a
 * lost connection, which raft is made for. */
#ifndef FC_BACKENDS_QUORUM_SEAL_H
#define FC_BACKENDS_QUORUM_SEAL_H

#include <nettle/chacha-poly1305.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/quorum/handshake.h"

#define SEAL_HEAD 4
#define SEAL_TAG 16
#define SEAL_BODY_MAX 16384
#define SEAL_RECORD_MAX (SEAL_HEAD + SEAL_BODY_MAX + SEAL_TAG)

struct seal { struct chacha_poly1305_ctx cipher; uint64_t number; };     /* one direction of one stream */

void seal_init(struct seal *seal, const uint8_t key[HANDSHAKE_STREAM_KEY]);
void seal_done(struct seal *seal);                                       /* wipes it */

/* The body stands at record + SEAL_HEAD; head and tag are written around it. Returns the length of the record. */
size_t seal_close(struct seal *seal, uint8_t *record, size_t body_length);
/* The length of the body that such a head announces; 0 = out of bounds. */
size_t seal_body_length(const uint8_t head[SEAL_HEAD]);
/* Opens a whole record in place; false = not sealed as the next record of this stream, and the body is not to be looked at. */
bool seal_open(struct seal *seal, uint8_t *record, size_t body_length);

#endif
