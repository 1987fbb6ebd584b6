/* Records under seal: whole ones in their order pass, and nothing else. */
#include "backends/quorum/seal.h"

#include <criterion/criterion.h>
#include <string.h>

#define BODY "append entries 7 to 9"
#define BODY_LENGTH (sizeof BODY - 1)
#define RECORD_LENGTH (SEAL_HEAD + BODY_LENGTH + SEAL_TAG)

static const uint8_t stream_key[HANDSHAKE_STREAM_KEY] = "thirty-two bytes of a stream key";
static const uint8_t other_key[HANDSHAKE_STREAM_KEY] = "thirty-two bytes of another key!";

static struct seal sealer(const uint8_t *key)
{
    struct seal seal;
    seal_init(&seal, key);
    return seal;
}

static void close_record(struct seal *seal, uint8_t *record)
{
    memcpy(record + SEAL_HEAD, BODY, BODY_LENGTH);
    cr_assert_eq(seal_close(seal, record, BODY_LENGTH), RECORD_LENGTH);
}

static bool opens(struct seal *seal, const uint8_t *record)
{
    uint8_t copy[RECORD_LENGTH];
    memcpy(copy, record, sizeof copy);
    return seal_open(seal, copy, BODY_LENGTH);
}

Test(seal, records_come_out_as_they_went_in)
{
    struct seal in = sealer(stream_key), out = sealer(stream_key);
    uint8_t record[RECORD_LENGTH], again[RECORD_LENGTH];

    close_record(&in, record);
    cr_expect_eq(seal_body_length(record), BODY_LENGTH);
    cr_expect_null(memmem(record, sizeof record, "append", 6), "nobody reads it on the way");
    cr_assert(seal_open(&out, record, BODY_LENGTH));
    cr_expect_arr_eq(record + SEAL_HEAD, BODY, BODY_LENGTH);

    close_record(&in, record);
    close_record(&in, again);
    cr_expect_arr_neq(record, again, sizeof record, "the same words never look the same");
    cr_expect(seal_open(&out, record, BODY_LENGTH) && seal_open(&out, again, BODY_LENGTH));
}

Test(seal, any_bit_that_is_changed_is_noticed)
{
    struct seal in = sealer(stream_key);
    uint8_t record[RECORD_LENGTH];

    close_record(&in, record);
    for (size_t bit = 0; bit < sizeof record * 8; bit++) {
        struct seal out = sealer(stream_key);
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_expect_not(opens(&out, record), "bit %zu", bit);
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    struct seal out = sealer(stream_key);
    cr_expect(opens(&out, record));
}

Test(seal, a_record_that_is_repeated_left_out_or_overtaken_is_noticed)
{
    struct seal in = sealer(stream_key);
    uint8_t first[RECORD_LENGTH], second[RECORD_LENGTH];

    close_record(&in, first);
    close_record(&in, second);
    struct seal repeated = sealer(stream_key), overtaken = sealer(stream_key);
    cr_expect(opens(&repeated, first));
    cr_expect_not(opens(&repeated, first));
    cr_expect_not(opens(&overtaken, second));
}

Test(seal, a_record_of_another_stream_is_refused)
{
    struct seal in = sealer(other_key), out = sealer(stream_key);
    uint8_t record[RECORD_LENGTH];

    close_record(&in, record);
    cr_expect_not(opens(&out, record));
}

Test(seal, a_length_out_of_bounds_is_said_before_anything_is_read)
{
    cr_expect_eq(seal_body_length((const uint8_t[]){ 0, 0, 0, 0 }), 0);
    cr_expect_eq(seal_body_length((const uint8_t[]){ 0, 0, 0, 1 }), 1);
    cr_expect_eq(seal_body_length((const uint8_t[]){ 0, 0, 64, 0 }), SEAL_BODY_MAX);
    cr_expect_eq(seal_body_length((const uint8_t[]){ 0, 0, 64, 1 }), 0);
    cr_expect_eq(seal_body_length((const uint8_t[]){ 255, 255, 255, 255 }), 0);
}
