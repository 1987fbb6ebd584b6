/* What a ping says of the chair, as bytes: which one it is, the moment by the hearer's own clock at which that was so at the latest, and
 * in words what the hearer may not see (model/chair_words.h). A pure parser, fuzzed. */
#ifndef FC_BACKENDS_QUORUM_CHAIR_VOICE_H
#define FC_BACKENDS_QUORUM_CHAIR_VOICE_H

#include <stddef.h>
#include <stdint.h>

#include "model/chair_words.h"

#define CHAIR_VOICE_SIZE 160

struct chair_voice {
    uint64_t own_clock;              /* microseconds; 0 = the sender has not heard from the hearer lately */
    uint64_t epoch, seq;
    struct chair_words words;
};

size_t chair_voice_put(const struct chair_voice *voice, uint8_t to[CHAIR_VOICE_SIZE]);
/* False: that many bytes are no voice. Words are left out or whole. */
bool chair_voice_get(const uint8_t *from, size_t size, struct chair_voice *ret);

#endif
