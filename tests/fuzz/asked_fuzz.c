/* Any bytes as another node's answer about its askers: a code and one sentence, or rows that survive being told again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/asked.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct asked_row rows[ASKED_ROWS_MAX], again[ASKED_ROWS_MAX];
    struct fc_err err = { .code = FC_OK };
    char told[ASKED_ANSWER_SIZE];
    int count = -1, count_again = -1;
    const enum fc_code code = asked_parse((const char *)bytes, size, rows, &count, &err);

    assert((code == FC_OK) == (err.code == FC_OK));
    if (code != FC_OK) {
        assert(count == 0 && err.text[0] != '\0');
        return 0;
    }
    const size_t length = asked_format(rows, count, told, sizeof told);
    assert(length > 0 && asked_parse(told, length, again, &count_again, NULL) == FC_OK && count_again == count);
    for (int i = 0; i < count; i++) {
        assert(rows[i].epoch == again[i].epoch && rows[i].age_ms == again[i].age_ms && rows[i].age_ms >= 0);
        assert(text_is(rows[i].name, again[i].name) && text_is(rows[i].source, again[i].source));
    }
    return 0;
}
