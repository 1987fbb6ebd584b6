/* Any bytes as an order: understood or refused with a sentence, and never with names or texts that a line cannot carry. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "act/orders.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct order order;
    struct fc_err err = { .code = FC_OK };

    if (order_parse((const char *)bytes, length, &order, &err) != FC_OK) {
        assert(err.code != FC_OK && err.text[0] != '\0');
        for (const char *c = err.text; *c != '\0'; c++)
            assert((unsigned char)*c >= ' ' && (unsigned char)*c <= '~');
        return 0;
    }
    assert(order.verb < VERB_COUNT);
    assert(order.pool[0] == '\0' || text_is_name(order.pool, strlen(order.pool)));
    assert(order.server[0] == '\0' || text_is_name(order.server, strlen(order.server)));
    assert(strpbrk(order.because, "\r\n\t") == NULL);
    return 0;
}
