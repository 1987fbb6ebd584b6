/* How two peers prove to each other that they hold the same key. Bytes in, bytes out: no socket, no clock, no chance (nonces are
 * given), no memory reserved.
 *
 *   acceptor                                       connector
 *     GREETING      nonce                  ---->
 *                                          <----     INTRODUCTION  nonce, who I am, whom I want, cluster, proof
 *     WELCOME       answer, proof          ---->
 *
 * A proof is HMAC-SHA-256 under the shared key over a label of the sender's role and every byte of the handshake before it. So
 *   - the key is never sent, and who holds none learns nothing made with it unless a peer connects to him;
 *   - nothing said before is of use again: each side's nonce, fresh from the kernel, is in both proofs;
 *   - nothing can be sent back to its sender: the labels differ, and an id is never its own peer's;
 *   - who relays bytes between two peers changes none of them unnoticed, also not names, ids, cluster and version.
 * From the same bytes both sides derive two keys for this one stream, one each way (quorum/seal.h). No forward secrecy: who has the shared key and
 * a recording can read it.
 *
 * Numbers are in network order. Texts are filled up with zero bytes. Every message has one size and one exact form. */
#ifndef FC_BACKENDS_QUORUM_HANDSHAKE_H
#define FC_BACKENDS_QUORUM_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

#include "backends/quorum/peer_key.h"
#include "model/decision.h"

#define HANDSHAKE_MARK 8                 /* "fcpeer", the version as one digit, one letter of the message */
#define HANDSHAKE_NONCE 32
#define HANDSHAKE_PROOF 32
#define HANDSHAKE_STREAM_KEY 32
#define HANDSHAKE_GREETING (HANDSHAKE_MARK + HANDSHAKE_NONCE)
#define HANDSHAKE_INTRODUCTION (HANDSHAKE_MARK + HANDSHAKE_NONCE + 3 * 8 + 3 * NODE_NAME_SIZE + HANDSHAKE_PROOF)
#define HANDSHAKE_WELCOME (HANDSHAKE_MARK + 1 + HANDSHAKE_PROOF)

enum handshake_result {
    HANDSHAKE_PROVEN,
    HANDSHAKE_GARBAGE,                   /* another length, mark, version or form */
    HANDSHAKE_WRONG_CLUSTER,             /* of our form, of another cluster; its proof was not looked at */
    HANDSHAKE_WRONG_PROOF                /* another key, changed on the way, or of another handshake */
};

/* What a connector with a good proof is told. */
enum handshake_answer { ANSWER_WELCOME, ANSWER_UNKNOWN_PEER, ANSWER_OTHER_NAME, ANSWER_OWN_ID, ANSWER_TWIN, ANSWER_WRONG_ADDRESSEE,
                        ANSWER_COUNT };

struct handshake_introduction {
    uint8_t nonce[HANDSHAKE_NONCE];
    uint64_t id;                         /* of the connector; not 0 */
    uint64_t incarnation;                /* drawn at its process's start: tells a new stream of it from a twin's */
    uint64_t other_id;                   /* whom it means to reach; not 0 */
    char cluster[NODE_NAME_SIZE], name[NODE_NAME_SIZE], other_name[NODE_NAME_SIZE];      /* text_is_name */
};

/* The bytes that both sides have seen, in order. Kept by the caller between the steps. */
struct handshake_transcript {
    uint8_t greeting[HANDSHAKE_GREETING];
    uint8_t introduction[HANDSHAKE_INTRODUCTION];
};

/* ---- acceptor ---- */

/* Writes the greeting into the transcript; it is to be sent as it stands there. */
void handshake_greet(struct handshake_transcript *transcript, const uint8_t nonce[HANDSHAKE_NONCE]);
/* Reads an introduction to the greeting of the transcript, and keeps it there when proven. *ret is set for PROVEN and
 * WRONG_CLUSTER; only PROVEN is to be believed. */
enum handshake_result handshake_hear(struct handshake_transcript *transcript, const struct peer_key *key, const char *cluster,
                                     const uint8_t *bytes, size_t length, struct handshake_introduction *ret);
void handshake_welcome(const struct handshake_transcript *transcript, const struct peer_key *key, enum handshake_answer answer,
                       uint8_t ret[HANDSHAKE_WELCOME]);

/* ---- connector ---- */

/* Reads a greeting and writes the introduction into the transcript; it is to be sent as it stands there. PROVEN or GARBAGE. */
enum handshake_result handshake_introduce(struct handshake_transcript *transcript, const struct peer_key *key,
                                          const struct handshake_introduction *self, const uint8_t *greeting, size_t length);
/* PROVEN: the other holds the key, heard exactly what we said, and says *ret. */
enum handshake_result handshake_conclude(const struct handshake_transcript *transcript, const struct peer_key *key,
                                         const uint8_t *bytes, size_t length, enum handshake_answer *ret);

/* ---- both, after PROVEN ---- */

enum handshake_role { ROLE_CONNECTOR, ROLE_ACCEPTOR };

/* The key under which `sender` seals. */
void handshake_stream_key(const struct handshake_transcript *transcript, const struct peer_key *key, enum handshake_role sender,
                          uint8_t ret[HANDSHAKE_STREAM_KEY]);
const char *handshake_answer_text(enum handshake_answer answer);

#endif
