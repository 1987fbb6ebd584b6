/* Two peers prove themselves to each other, and everybody in between tries. */
#include "backends/quorum/handshake.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"

#define CLUSTER "home"

struct scene {
    struct peer_key key;
    struct handshake_transcript acceptor, connector;
    struct handshake_introduction self;          /* of the connector, fc1 */
    uint8_t welcome[HANDSHAKE_WELCOME];
};

static struct peer_key key_of(const char *text)
{
    struct peer_key key = { .length = 0 };
    cr_assert_eq(peer_key_take(text, strlen(text), "the scene", &key, NULL), FC_OK);
    return key;
}

static void nonce_of(uint8_t *nonce, uint8_t seed)
{
    for (int i = 0; i < HANDSHAKE_NONCE; i++)
        nonce[i] = (uint8_t)(seed + 7 * i);
}

/* fc1 connects to fc2, up to and with fc1's introduction. */
static struct scene scene_open(void)
{
    struct scene s = { .key = key_of("the key that all peers share"),
                       .self = { .id = 1, .incarnation = 77, .other_id = 2, .cluster = CLUSTER, .name = "fc1", .other_name = "fc2" } };
    uint8_t nonce[HANDSHAKE_NONCE];

    nonce_of(nonce, 10);
    nonce_of(s.self.nonce, 20);
    handshake_greet(&s.acceptor, nonce);
    cr_assert_eq(handshake_introduce(&s.connector, &s.key, &s.self, s.acceptor.greeting, sizeof s.acceptor.greeting),
                 HANDSHAKE_PROVEN);
    return s;
}

static enum handshake_result hear_as(struct scene *s, const struct peer_key *key, const char *cluster, const uint8_t *bytes,
                                     size_t length)
{
    struct handshake_introduction introduction;
    return handshake_hear(&s->acceptor, key, cluster, bytes, length, &introduction);
}

static enum handshake_result hear(struct scene *s, const uint8_t *bytes, size_t length)
{
    return hear_as(s, &s->key, CLUSTER, bytes, length);
}

static enum handshake_result conclude(struct scene *s, const uint8_t *bytes, size_t length)
{
    enum handshake_answer answer;
    return handshake_conclude(&s->connector, &s->key, bytes, length, &answer);
}

static struct scene scene_welcomed(void)
{
    struct scene s = scene_open();
    cr_assert_eq(hear(&s, s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_PROVEN);
    handshake_welcome(&s.acceptor, &s.key, ANSWER_WELCOME, s.welcome);
    return s;
}

Test(handshake, both_prove_themselves_and_hold_one_stream_key)
{
    struct scene s = scene_open();
    struct handshake_introduction heard;
    enum handshake_answer answer = ANSWER_TWIN;
    uint8_t one[HANDSHAKE_STREAM_KEY], other[HANDSHAKE_STREAM_KEY];

    cr_expect_eq(handshake_hear(&s.acceptor, &s.key, CLUSTER, s.connector.introduction, HANDSHAKE_INTRODUCTION, &heard),
                 HANDSHAKE_PROVEN);
    cr_expect_eq(heard.id, 1);
    cr_expect_eq(heard.incarnation, 77);
    cr_expect_eq(heard.other_id, 2);
    cr_expect_str_eq(heard.name, "fc1");
    cr_expect_str_eq(heard.other_name, "fc2");
    handshake_welcome(&s.acceptor, &s.key, ANSWER_WELCOME, s.welcome);
    cr_expect_eq(handshake_conclude(&s.connector, &s.key, s.welcome, sizeof s.welcome, &answer), HANDSHAKE_PROVEN);
    cr_expect_eq(answer, ANSWER_WELCOME);
    handshake_stream_key(&s.acceptor, &s.key, ROLE_CONNECTOR, one);
    handshake_stream_key(&s.connector, &s.key, ROLE_CONNECTOR, other);
    cr_expect_arr_eq(one, other, sizeof one);
    handshake_stream_key(&s.connector, &s.key, ROLE_ACCEPTOR, other);
    cr_expect_arr_neq(one, other, sizeof one, "and another one for the way back");
}

Test(handshake, a_refusal_is_proven_too)
{
    struct scene s = scene_welcomed();
    enum handshake_answer answer = ANSWER_WELCOME;

    handshake_welcome(&s.acceptor, &s.key, ANSWER_UNKNOWN_PEER, s.welcome);
    cr_expect_eq(handshake_conclude(&s.connector, &s.key, s.welcome, sizeof s.welcome, &answer), HANDSHAKE_PROVEN);
    cr_expect_eq(answer, ANSWER_UNKNOWN_PEER);
    s.welcome[HANDSHAKE_MARK] = ANSWER_WELCOME;
    cr_expect_eq(conclude(&s, s.welcome, sizeof s.welcome), HANDSHAKE_WRONG_PROOF, "no is not made yes on the way");
}

Test(handshake, any_bit_of_the_greeting_that_is_changed_is_noticed)
{
    for (size_t bit = 0; bit < HANDSHAKE_GREETING * 8; bit++) {
        struct scene s = scene_open();
        uint8_t greeting[HANDSHAKE_GREETING];
        memcpy(greeting, s.acceptor.greeting, sizeof greeting);
        greeting[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (handshake_introduce(&s.connector, &s.key, &s.self, greeting, sizeof greeting) == HANDSHAKE_GARBAGE) {
            cr_expect_lt(bit, HANDSHAKE_MARK * 8);
            continue;
        }
        cr_expect_geq(bit, HANDSHAKE_MARK * 8);
        cr_expect_eq(hear(&s, s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_WRONG_PROOF, "bit %zu", bit);
    }
}

Test(handshake, any_bit_of_the_introduction_that_is_changed_is_noticed)
{
    struct scene s = scene_open();

    for (size_t bit = 0; bit < HANDSHAKE_INTRODUCTION * 8; bit++) {
        s.connector.introduction[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_expect_neq(hear(&s, s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_PROVEN, "bit %zu", bit);
        s.connector.introduction[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_expect_eq(hear(&s, s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_PROVEN, "and unchanged it is right");
}

Test(handshake, any_bit_of_the_welcome_that_is_changed_is_noticed)
{
    struct scene s = scene_welcomed();

    for (size_t bit = 0; bit < HANDSHAKE_WELCOME * 8; bit++) {
        s.welcome[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_expect_neq(conclude(&s, s.welcome, sizeof s.welcome), HANDSHAKE_PROVEN, "bit %zu", bit);
        s.welcome[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_expect_eq(conclude(&s, s.welcome, sizeof s.welcome), HANDSHAKE_PROVEN, "and unchanged it is right");
}

Test(handshake, what_is_cut_off_at_any_byte_is_garbage)
{
    struct scene s = scene_welcomed();
    struct handshake_transcript other;

    for (size_t length = 0; length < HANDSHAKE_GREETING; length++)
        cr_expect_eq(handshake_introduce(&other, &s.key, &s.self, s.acceptor.greeting, length), HANDSHAKE_GARBAGE);
    for (size_t length = 0; length < HANDSHAKE_INTRODUCTION; length++)
        cr_expect_eq(hear(&s, s.connector.introduction, length), HANDSHAKE_GARBAGE);
    for (size_t length = 0; length < HANDSHAKE_WELCOME; length++)
        cr_expect_eq(conclude(&s, s.welcome, length), HANDSHAKE_GARBAGE);
}

Test(handshake, another_key_proves_nothing_to_either)
{
    struct scene s = scene_welcomed();
    const struct peer_key other = key_of("the key that all peers sharf");
    enum handshake_answer answer;

    cr_expect_eq(hear_as(&s, &other, CLUSTER, s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_WRONG_PROOF);
    cr_expect_eq(handshake_conclude(&s.connector, &other, s.welcome, sizeof s.welcome, &answer), HANDSHAKE_WRONG_PROOF);
}

Test(handshake, another_cluster_is_told_apart_from_another_key)
{
    struct scene s = scene_open();
    cr_expect_eq(hear_as(&s, &s.key, "away", s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_WRONG_CLUSTER);
}

Test(handshake, an_introduction_said_again_to_another_greeting_proves_nothing)
{
    struct scene s = scene_welcomed();
    uint8_t nonce[HANDSHAKE_NONCE];

    nonce_of(nonce, 11);
    handshake_greet(&s.acceptor, nonce);
    cr_expect_eq(hear(&s, s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_WRONG_PROOF);
}

Test(handshake, a_welcome_said_again_to_another_introduction_proves_nothing)
{
    struct scene s = scene_welcomed();

    nonce_of(s.self.nonce, 21);
    cr_assert_eq(handshake_introduce(&s.connector, &s.key, &s.self, s.acceptor.greeting, HANDSHAKE_GREETING), HANDSHAKE_PROVEN);
    cr_expect_eq(conclude(&s, s.welcome, sizeof s.welcome), HANDSHAKE_WRONG_PROOF);
}

Test(handshake, what_is_sent_back_to_its_sender_proves_nothing)
{
    struct scene s = scene_welcomed();
    uint8_t cut[HANDSHAKE_WELCOME];

    cr_expect_eq(conclude(&s, s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_GARBAGE);
    cr_expect_eq(hear(&s, s.acceptor.greeting, HANDSHAKE_GREETING), HANDSHAKE_GARBAGE);
    /* The connector's own proof in the place of the acceptor's: the roles' labels differ. */
    memcpy(cut, s.welcome, sizeof cut);
    memcpy(cut + HANDSHAKE_WELCOME - HANDSHAKE_PROOF,
           s.connector.introduction + HANDSHAKE_INTRODUCTION - HANDSHAKE_PROOF, HANDSHAKE_PROOF);
    cr_expect_eq(conclude(&s, cut, sizeof cut), HANDSHAKE_WRONG_PROOF);
}

Test(handshake, a_name_that_is_none_is_garbage_even_with_the_right_key)
{
    struct scene s = scene_open();

    TEXT_SET(s.self.name, "two words");
    cr_assert_eq(handshake_introduce(&s.connector, &s.key, &s.self, s.acceptor.greeting, HANDSHAKE_GREETING), HANDSHAKE_PROVEN);
    cr_expect_eq(hear(&s, s.connector.introduction, HANDSHAKE_INTRODUCTION), HANDSHAKE_GARBAGE);
}

Test(handshake, stream_keys_of_two_handshakes_differ)
{
    struct scene s = scene_welcomed();
    uint8_t one[HANDSHAKE_STREAM_KEY], other[HANDSHAKE_STREAM_KEY];

    handshake_stream_key(&s.connector, &s.key, ROLE_CONNECTOR, one);
    nonce_of(s.self.nonce, 22);
    cr_assert_eq(handshake_introduce(&s.connector, &s.key, &s.self, s.acceptor.greeting, HANDSHAKE_GREETING), HANDSHAKE_PROVEN);
    handshake_stream_key(&s.connector, &s.key, ROLE_CONNECTOR, other);
    cr_expect_arr_neq(one, other, sizeof one);
}

Test(handshake, neither_key_nor_stream_key_stands_in_what_is_sent)
{
    struct scene s = scene_welcomed();
    uint8_t stream_key[HANDSHAKE_STREAM_KEY];

    handshake_stream_key(&s.connector, &s.key, ROLE_CONNECTOR, stream_key);
    cr_expect_null(memmem(s.connector.introduction, HANDSHAKE_INTRODUCTION, s.key.bytes, 8));
    cr_expect_null(memmem(s.welcome, HANDSHAKE_WELCOME, s.key.bytes, 8));
    cr_expect_null(memmem(s.connector.introduction, HANDSHAKE_INTRODUCTION, stream_key, 8));
    cr_expect_null(memmem(s.welcome, HANDSHAKE_WELCOME, stream_key, 8));
}
