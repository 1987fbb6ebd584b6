/* Scenes of what a ping says of the chair: it comes through as it was said, or not at all. */
#include <criterion/criterion.h>

#include <string.h>

#include "backends/quorum/chair_voice.h"

static uint8_t bytes[CHAIR_VOICE_SIZE + 1];

Test(chair_voice, words_come_through_and_may_be_left_out)
{
    const struct chair_voice said = { 123456789, 7, 2, { .is_known = true, .is_open = true, .seat = "db1", .paused_by = "ann@socket" } };
    struct chair_voice heard;
    size_t length = chair_voice_put(&said, bytes);
    cr_assert(chair_voice_get(bytes, length, &heard));
    cr_expect(heard.own_clock == 123456789 && heard.epoch == 7 && heard.seq == 2);
    cr_expect(heard.words.is_known && heard.words.is_open);
    cr_expect_str_eq(heard.words.seat, "db1");
    cr_expect_str_eq(heard.words.paused_by, "ann@socket");
    const struct chair_voice silent = { 123456789, 7, 2, { 0 } };
    length = chair_voice_put(&silent, bytes);
    cr_expect_eq(length, 24);
    cr_assert(chair_voice_get(bytes, length, &heard));
    cr_expect_not(heard.words.is_known);
}

Test(chair_voice, the_longest_names_fit)
{
    struct chair_voice said = { UINT64_MAX, UINT64_MAX, UINT64_MAX, { .is_known = true } }, heard;
    memset(said.words.seat, 'd', CHAIR_NAME_SIZE - 1);
    memset(said.words.paused_by, 'a', CHAIR_NAME_SIZE - 1);
    const size_t length = chair_voice_put(&said, bytes);
    cr_assert(length <= CHAIR_VOICE_SIZE && chair_voice_get(bytes, length, &heard));
    cr_expect_str_eq(heard.words.paused_by, said.words.paused_by);
}

Test(chair_voice, what_is_cut_longer_or_no_name_is_refused)
{
    const struct chair_voice said = { 1, 7, 2, { .is_known = true, .is_open = true, .seat = "db1", .paused_by = "ann" } };
    struct chair_voice heard;
    const size_t length = chair_voice_put(&said, bytes);
    for (size_t cut = 0; cut <= length + 1; cut++)
        cr_expect_eq(chair_voice_get(bytes, cut, &heard), cut == length || cut == 24, "%zu bytes", cut);
    bytes[24] = 2;
    cr_expect_not(chair_voice_get(bytes, length, &heard), "open is yes or no");
    bytes[24] = 1;
    bytes[27] = ' ';
    cr_expect_not(chair_voice_get(bytes, length, &heard), "no server has such a name");
    bytes[27] = 'd';
    bytes[length - 1] = '\n';
    cr_expect_not(chair_voice_get(bytes, length, &heard), "nobody has such a name");
}
