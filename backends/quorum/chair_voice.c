/* See chair_voice.h. */
#include "backends/quorum/chair_voice.h"

#include <assert.h>
#include <string.h>

#include "backends/quorum/bytes.h"
#include "base/text.h"

size_t chair_voice_put(const struct chair_voice *voice, uint8_t to[CHAIR_VOICE_SIZE])
{
    struct bytes_out out = { .to = to, .size = CHAIR_VOICE_SIZE };
    bytes_put_number(&out, voice->own_clock, 8);
    bytes_put_number(&out, voice->epoch, 8);
    bytes_put_number(&out, voice->seq, 8);
    if (voice->words.is_known) {
        bytes_put_number(&out, voice->words.is_open, 1);
        bytes_put_text(&out, voice->words.seat);
        bytes_put_text(&out, voice->words.paused_by);
    }
    assert(!out.is_full);
    return out.length;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

bool chair_voice_get(const uint8_t *from, size_t size, struct chair_voice *ret)
{
    struct bytes_in in = { .from = from, .size = size };
    *ret = (struct chair_voice){ .own_clock = bytes_get_number(&in, 8) };
    ret->epoch = bytes_get_number(&in, 8);
    ret->seq = bytes_get_number(&in, 8);
    if (in.is_bad || in.at == in.size)
        return !in.is_bad;
    const uint64_t is_open = bytes_get_number(&in, 1);
    bytes_get_text(&in, ret->words.seat, sizeof ret->words.seat);
    bytes_get_text(&in, ret->words.paused_by, sizeof ret->words.paused_by);
    ret->words.is_open = is_open == 1;
    ret->words.is_known = !in.is_bad && in.at == in.size && is_open <= 1 && text_is_name(ret->words.seat, strlen(ret->words.seat)) &&
                          is_plain(ret->words.paused_by);
    return ret->words.is_known;
}
