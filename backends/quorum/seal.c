/* Records under ChaCha20-Poly1305, numbered. A stream ends long before its numbers do. */
#include "backends/quorum/seal.h"

#include <assert.h>
#include <nettle/memops.h>
#include <string.h>

_Static_assert(CHACHA_POLY1305_KEY_SIZE == HANDSHAKE_STREAM_KEY && CHACHA_POLY1305_DIGEST_SIZE == SEAL_TAG, "one size each");

void seal_init(struct seal *seal, const uint8_t key[HANDSHAKE_STREAM_KEY])
{
    chacha_poly1305_set_key(&seal->cipher, key);
    seal->number = 0;
}

void seal_done(struct seal *seal)
{
    explicit_bzero(seal, sizeof *seal);
}

static void begin_record(struct seal *seal, const uint8_t head[SEAL_HEAD])
{
    uint8_t nonce[CHACHA_POLY1305_NONCE_SIZE] = { 0 };

    assert(seal->number != UINT64_MAX);
    for (size_t i = 0; i < 8; i++)
        nonce[sizeof nonce - 1 - i] = (uint8_t)(seal->number >> (8 * i));
    seal->number++;
    chacha_poly1305_set_nonce(&seal->cipher, nonce);
    chacha_poly1305_update(&seal->cipher, SEAL_HEAD, head);
}

size_t seal_close(struct seal *seal, uint8_t *record, size_t body_length)
{
    uint8_t *body = record + SEAL_HEAD;

    assert(body_length > 0 && body_length <= SEAL_BODY_MAX);
    for (size_t i = 0; i < SEAL_HEAD; i++)
        record[i] = (uint8_t)(body_length >> (8 * (SEAL_HEAD - 1 - i)));
    begin_record(seal, record);
    chacha_poly1305_encrypt(&seal->cipher, body_length, body, body);
    chacha_poly1305_digest(&seal->cipher, SEAL_TAG, body + body_length);
    return SEAL_HEAD + body_length + SEAL_TAG;
}

size_t seal_body_length(const uint8_t head[SEAL_HEAD])
{
    size_t length = 0;

    for (size_t i = 0; i < SEAL_HEAD; i++)
        length = length << 8 | head[i];
    return length <= SEAL_BODY_MAX ? length : 0;
}

bool seal_open(struct seal *seal, uint8_t *record, size_t body_length)
{
    uint8_t *body = record + SEAL_HEAD, tag[SEAL_TAG];

    assert(body_length > 0 && body_length <= SEAL_BODY_MAX);
    begin_record(seal, record);
    chacha_poly1305_decrypt(&seal->cipher, body_length, body, body);
    chacha_poly1305_digest(&seal->cipher, SEAL_TAG, tag);
    return memeql_sec(tag, body + body_length, SEAL_TAG) != 0;
}
