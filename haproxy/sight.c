/* One line, two words. */
#include "haproxy/sight.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define HEAD "fc-sight "
#define WITNESS HEAD "witness\n"
#define AGE_MAX_US (INT64_C(366) * 86400 * 1000000)      /* nobody runs longer than that without a look */

size_t sight_format(enum loss loss, int64_t age_us, char to[SIGHT_ANSWER_SIZE])
{
    if (age_us < 0)
        text_copy(to, SIGHT_ANSWER_SIZE, HEAD "-\n");
    else
        text_format(to, SIGHT_ANSWER_SIZE, HEAD "%s %" PRId64 "\n", loss_word(loss), age_us > AGE_MAX_US ? AGE_MAX_US : age_us);
    return strlen(to);
}

size_t sight_format_witness(char to[SIGHT_ANSWER_SIZE])
{
    text_copy(to, SIGHT_ANSWER_SIZE, WITNESS);
    return strlen(to);
}

bool sight_is_witness(const char *bytes, size_t length)
{
    return length == strlen(WITNESS) && memcmp(bytes, WITNESS, length) == 0;
}

enum fc_code sight_parse(const char *bytes, size_t length, enum loss *loss, int64_t *age_us, struct fc_err *err)
{
    const size_t head = strlen(HEAD);
    uint64_t age;
    if (length <= head + 1 || memcmp(bytes, HEAD, head) != 0 || bytes[length - 1] != '\n')
        return fc_fail(err, FC_BAD_INPUT, "the node does not say what it sees; is it another version?");
    const char *word = bytes + head, *end = bytes + length - 1;
    const char *blank = memchr(word, ' ', (size_t)(end - word));
    if (blank == NULL || !text_to_u64(blank + 1, (size_t)(end - blank - 1), &age) || age > (uint64_t)AGE_MAX_US)
        return fc_fail(err, FC_BAD_INPUT, "the node has not looked yet, or its answer cannot be read");
    for (int i = 0; i < LOSS_COUNT; i++) {
        const char *known = loss_word((enum loss)i);
        if (strlen(known) == (size_t)(blank - word) && memcmp(known, word, strlen(known)) == 0) {
            *loss = (enum loss)i;
            *age_us = (int64_t)age;
            return FC_OK;
        }
    }
    return fc_fail(err, FC_BAD_INPUT, "the node names a loss that is not known here");
}
