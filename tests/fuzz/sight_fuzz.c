/* Any bytes as another node's answer about what it sees of a server: a code and one sentence, or a sight that survives being told again. */
#include <assert.h>
#include <stdint.h>

#include "haproxy/sight.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum loss loss = LOSS_COUNT, again = LOSS_COUNT;
    struct fc_err err = { .code = FC_OK };
    char told[SIGHT_ANSWER_SIZE];
    int64_t age_us = -1, age_again_us = -1;
    const enum fc_code code = sight_parse((const char *)bytes, size, &loss, &age_us, &err);

    assert((code == FC_OK) == (err.code == FC_OK));
    if (code != FC_OK) {
        assert(err.text[0] != '\0');
        return 0;
    }
    assert(!sight_is_witness((const char *)bytes, size));    /* one answer means one thing */
    assert((unsigned)loss < LOSS_COUNT && age_us >= 0);
    const size_t length = sight_format(loss, age_us, told);
    assert(sight_parse(told, length, &again, &age_again_us, NULL) == FC_OK && again == loss && age_again_us == age_us);
    return 0;
}
