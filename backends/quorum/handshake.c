/* The three messages, their proofs, and nothing else. nettle's HMAC neither fails nor reserves memory. */
#include "backends/quorum/handshake.h"

#include <assert.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>

#include "base/text.h"

#define MARK_GREETING "fcpeer1G"
#define MARK_INTRODUCTION "fcpeer1I"
#define MARK_WELCOME "fcpeer1W"

/* None is the beginning of another; the zero byte at the end is proven too. */
static const char label_connector[] = "firstchair peer stream 1: connector";
static const char label_acceptor[] = "firstchair peer stream 1: acceptor";
static const char label_to_acceptor[] = "firstchair peer stream 1: key of the connector's records";
static const char label_to_connector[] = "firstchair peer stream 1: key of the acceptor's records";

static const size_t introduced_length = HANDSHAKE_INTRODUCTION - HANDSHAKE_PROOF;    /* what the connector's proof covers of it */

struct place { uint8_t *at; };
struct sight { const uint8_t *at; };

static void put(struct place *place, const void *bytes, size_t length)
{
    memcpy(place->at, bytes, length);
    place->at += length;
}

static void put_u64(struct place *place, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *place->at++ = (uint8_t)(value >> shift);
}

static void put_name(struct place *place, const char *name)
{
    const size_t length = strlen(name);

    assert(length < NODE_NAME_SIZE);
    memset(place->at, 0, NODE_NAME_SIZE);
    memcpy(place->at, name, length);
    place->at += NODE_NAME_SIZE;
}

static void take(struct sight *sight, void *to, size_t length)
{
    memcpy(to, sight->at, length);
    sight->at += length;
}

static uint64_t take_u64(struct sight *sight)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | *sight->at++;
    return value;
}

/* A name and zero bytes up to the end, nothing behind them. */
static bool take_name(struct sight *sight, char to[NODE_NAME_SIZE])
{
    static const uint8_t zeros[NODE_NAME_SIZE];

    take(sight, to, NODE_NAME_SIZE);
    const size_t length = strnlen(to, NODE_NAME_SIZE);
    return length < NODE_NAME_SIZE && text_is_name(to, length) && memcmp(to + length, zeros, NODE_NAME_SIZE - length) == 0;
}

static bool is_marked(const uint8_t *bytes, size_t length, size_t right_length, const char *mark)
{
    return length == right_length && memcmp(bytes, mark, HANDSHAKE_MARK) == 0;
}

/* ---- proofs ---- */

struct proof { struct hmac_sha256_ctx mac; };

static struct proof proof_begin(const struct peer_key *key, const char *label, size_t label_size)
{
    struct proof proof;

    assert(key->length >= PEER_KEY_MIN);
    hmac_sha256_set_key(&proof.mac, key->length, key->bytes);
    hmac_sha256_update(&proof.mac, label_size, (const uint8_t *)label);
    return proof;
}

static void proof_end(struct proof *proof, uint8_t ret[HANDSHAKE_PROOF])
{
    hmac_sha256_digest(&proof->mac, HANDSHAKE_PROOF, ret);
    explicit_bzero(proof, sizeof *proof);
}

static void prove_connector(const struct handshake_transcript *transcript, const struct peer_key *key, uint8_t ret[HANDSHAKE_PROOF])
{
    struct proof proof = proof_begin(key, label_connector, sizeof label_connector);

    hmac_sha256_update(&proof.mac, sizeof transcript->greeting, transcript->greeting);
    hmac_sha256_update(&proof.mac, introduced_length, transcript->introduction);
    proof_end(&proof, ret);
}

/* `said` is the welcome up to its own proof. */
static void prove_acceptor(const struct handshake_transcript *transcript, const struct peer_key *key, const uint8_t *said,
                           uint8_t ret[HANDSHAKE_PROOF])
{
    struct proof proof = proof_begin(key, label_acceptor, sizeof label_acceptor);

    hmac_sha256_update(&proof.mac, sizeof transcript->greeting, transcript->greeting);
    hmac_sha256_update(&proof.mac, sizeof transcript->introduction, transcript->introduction);
    hmac_sha256_update(&proof.mac, HANDSHAKE_WELCOME - HANDSHAKE_PROOF, said);
    proof_end(&proof, ret);
}

void handshake_stream_key(const struct handshake_transcript *transcript, const struct peer_key *key, enum handshake_role sender,
                          uint8_t ret[HANDSHAKE_STREAM_KEY])
{
    struct proof proof = sender == ROLE_CONNECTOR ? proof_begin(key, label_to_acceptor, sizeof label_to_acceptor)
                                                  : proof_begin(key, label_to_connector, sizeof label_to_connector);

    hmac_sha256_update(&proof.mac, sizeof transcript->greeting, transcript->greeting);
    hmac_sha256_update(&proof.mac, sizeof transcript->introduction, transcript->introduction);
    proof_end(&proof, ret);
}

/* ---- acceptor ---- */

void handshake_greet(struct handshake_transcript *transcript, const uint8_t nonce[HANDSHAKE_NONCE])
{
    struct place place = { transcript->greeting };

    put(&place, MARK_GREETING, HANDSHAKE_MARK);
    put(&place, nonce, HANDSHAKE_NONCE);
    assert(place.at == transcript->greeting + sizeof transcript->greeting);
}

static bool introduction_parse(const uint8_t *bytes, size_t length, struct handshake_introduction *ret)
{
    struct sight sight = { bytes + HANDSHAKE_MARK };

    if (!is_marked(bytes, length, HANDSHAKE_INTRODUCTION, MARK_INTRODUCTION))
        return false;
    take(&sight, ret->nonce, HANDSHAKE_NONCE);
    ret->id = take_u64(&sight);
    ret->incarnation = take_u64(&sight);
    ret->other_id = take_u64(&sight);
    return ret->id != 0 && ret->other_id != 0 && take_name(&sight, ret->cluster) && take_name(&sight, ret->name) &&
           take_name(&sight, ret->other_name);
}

enum handshake_result handshake_hear(struct handshake_transcript *transcript, const struct peer_key *key, const char *cluster,
                                     const uint8_t *bytes, size_t length, struct handshake_introduction *ret)
{
    struct handshake_introduction introduction = { .id = 0 };
    uint8_t proof[HANDSHAKE_PROOF];

    if (!introduction_parse(bytes, length, &introduction))
        return HANDSHAKE_GARBAGE;
    if (!text_is(introduction.cluster, cluster)) {
        *ret = introduction;
        return HANDSHAKE_WRONG_CLUSTER;
    }
    memcpy(transcript->introduction, bytes, HANDSHAKE_INTRODUCTION);
    prove_connector(transcript, key, proof);
    if (memeql_sec(proof, bytes + introduced_length, HANDSHAKE_PROOF) == 0) {
        memset(transcript->introduction, 0, sizeof transcript->introduction);
        return HANDSHAKE_WRONG_PROOF;
    }
    *ret = introduction;
    return HANDSHAKE_PROVEN;
}

void handshake_welcome(const struct handshake_transcript *transcript, const struct peer_key *key, enum handshake_answer answer,
                       uint8_t ret[HANDSHAKE_WELCOME])
{
    struct place place = { ret };
    const uint8_t byte = (uint8_t)answer;

    assert(answer < ANSWER_COUNT);
    put(&place, MARK_WELCOME, HANDSHAKE_MARK);
    put(&place, &byte, 1);
    prove_acceptor(transcript, key, ret, place.at);
}

/* ---- connector ---- */

enum handshake_result handshake_introduce(struct handshake_transcript *transcript, const struct peer_key *key,
                                          const struct handshake_introduction *self, const uint8_t *greeting, size_t length)
{
    struct place place = { transcript->introduction };

    assert(self->id != 0 && self->other_id != 0);
    if (!is_marked(greeting, length, HANDSHAKE_GREETING, MARK_GREETING))
        return HANDSHAKE_GARBAGE;
    memcpy(transcript->greeting, greeting, HANDSHAKE_GREETING);
    put(&place, MARK_INTRODUCTION, HANDSHAKE_MARK);
    put(&place, self->nonce, HANDSHAKE_NONCE);
    put_u64(&place, self->id);
    put_u64(&place, self->incarnation);
    put_u64(&place, self->other_id);
    put_name(&place, self->cluster);
    put_name(&place, self->name);
    put_name(&place, self->other_name);
    assert(place.at == transcript->introduction + introduced_length);
    prove_connector(transcript, key, place.at);
    return HANDSHAKE_PROVEN;
}

enum handshake_result handshake_conclude(const struct handshake_transcript *transcript, const struct peer_key *key,
                                         const uint8_t *bytes, size_t length, enum handshake_answer *ret)
{
    uint8_t proof[HANDSHAKE_PROOF];

    if (!is_marked(bytes, length, HANDSHAKE_WELCOME, MARK_WELCOME) || bytes[HANDSHAKE_MARK] >= ANSWER_COUNT)
        return HANDSHAKE_GARBAGE;
    prove_acceptor(transcript, key, bytes, proof);
    if (memeql_sec(proof, bytes + HANDSHAKE_WELCOME - HANDSHAKE_PROOF, HANDSHAKE_PROOF) == 0)
        return HANDSHAKE_WRONG_PROOF;
    *ret = (enum handshake_answer)bytes[HANDSHAKE_MARK];
    return HANDSHAKE_PROVEN;
}

const char *handshake_answer_text(enum handshake_answer answer)
{
    static const char *const texts[ANSWER_COUNT] = {
        [ANSWER_WELCOME] = "welcome",
        [ANSWER_UNKNOWN_PEER] = "it knows no peer of our id",
        [ANSWER_OTHER_NAME] = "it knows our id under another name",
        [ANSWER_OWN_ID] = "our id is its own",
        [ANSWER_TWIN] = "another process with our id and name is connected to it",
        [ANSWER_WRONG_ADDRESSEE] = "it is not the peer that we look for",
    };

    assert(answer < ANSWER_COUNT);
    return texts[answer];
}
