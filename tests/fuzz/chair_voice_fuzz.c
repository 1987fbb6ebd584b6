/* Any bytes as what a ping says of the chair: refused, or a voice that is the same after being said again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backends/quorum/chair_voice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct chair_voice voice, again;
    uint8_t told[CHAIR_VOICE_SIZE];
    if (!chair_voice_get(bytes, size, &voice))
        return 0;
    const size_t length = chair_voice_put(&voice, told);
    assert(length == size && memcmp(told, bytes, size) == 0);
    assert(chair_voice_get(told, length, &again) && again.words.is_known == voice.words.is_known);
    return 0;
}
