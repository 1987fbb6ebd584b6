/* Any bytes as each message of the peers' handshake and as a sealed record: never proven. And our own messages, one byte of them
 * altered where and how the input says: proven only when nothing was altered. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backends/quorum/handshake.h"
#include "backends/quorum/seal.h"

#define KEY "the key of the fuzzer, not of anybody"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct peer_key key;
static const struct handshake_introduction self = { .nonce = { 2 }, .id = 1, .incarnation = 3, .other_id = 2, .cluster = "home",
                                                    .name = "fc1", .other_name = "fc2" };
static struct handshake_transcript acceptor, connector;
static uint8_t welcome[HANDSHAKE_WELCOME];

static void prepare(void)
{
    static const uint8_t nonce[HANDSHAKE_NONCE] = { 1 };
    struct handshake_introduction heard;

    assert(peer_key_take(KEY, sizeof KEY - 1, "the fuzzer", &key, NULL) == FC_OK);
    handshake_greet(&acceptor, nonce);
    assert(handshake_introduce(&connector, &key, &self, acceptor.greeting, HANDSHAKE_GREETING) == HANDSHAKE_PROVEN);
    assert(handshake_hear(&acceptor, &key, "home", connector.introduction, HANDSHAKE_INTRODUCTION, &heard) == HANDSHAKE_PROVEN);
    handshake_welcome(&acceptor, &key, ANSWER_WELCOME, welcome);
}

static void read_all(const uint8_t *bytes, size_t size)
{
    struct handshake_transcript of_stranger = acceptor, to_stranger;
    struct handshake_introduction heard;
    enum handshake_answer answer;

    assert(handshake_hear(&of_stranger, &key, "home", bytes, size, &heard) != HANDSHAKE_PROVEN ||
           memcmp(bytes, connector.introduction, HANDSHAKE_INTRODUCTION) == 0);
    assert(handshake_conclude(&connector, &key, bytes, size, &answer) != HANDSHAKE_PROVEN ||
           memcmp(bytes, welcome, HANDSHAKE_WELCOME) == 0);
    if (handshake_introduce(&to_stranger, &key, &self, bytes, size) == HANDSHAKE_PROVEN)
        assert(size == HANDSHAKE_GREETING && memcmp(to_stranger.greeting, bytes, size) == 0);
}

static void open_record(const uint8_t *bytes, size_t size)
{
    static uint8_t record[SEAL_RECORD_MAX];
    static const uint8_t stream_key[HANDSHAKE_STREAM_KEY] = { 9 };
    struct seal seal;

    const size_t body = size < SEAL_HEAD ? 0 : seal_body_length(bytes);
    assert(body <= SEAL_BODY_MAX);
    if (body == 0 || size < SEAL_HEAD + body + SEAL_TAG)
        return;
    memcpy(record, bytes, SEAL_HEAD + body + SEAL_TAG);
    seal_init(&seal, stream_key);
    assert(!seal_open(&seal, record, body));
}

static void alter_one(const uint8_t *bytes, size_t size)
{
    struct handshake_transcript again = acceptor;
    struct handshake_introduction heard;
    enum handshake_answer answer;
    uint8_t introduction[HANDSHAKE_INTRODUCTION], told[HANDSHAKE_WELCOME];

    if (size < 3)
        return;
    const size_t at = (size_t)bytes[0] << 8 | bytes[1];
    memcpy(introduction, connector.introduction, sizeof introduction);
    introduction[at % sizeof introduction] ^= bytes[2];
    assert((handshake_hear(&again, &key, "home", introduction, sizeof introduction, &heard) == HANDSHAKE_PROVEN) == (bytes[2] == 0));
    memcpy(told, welcome, sizeof told);
    told[at % sizeof told] ^= bytes[2];
    assert((handshake_conclude(&connector, &key, told, sizeof told, &answer) == HANDSHAKE_PROVEN) == (bytes[2] == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (key.length == 0)
        prepare();
    read_all(bytes, size);
    open_record(bytes, size);
    alter_one(bytes, size);
    return 0;
}
