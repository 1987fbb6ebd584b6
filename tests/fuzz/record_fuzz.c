/* Any bytes as an event log: refused, asked to go on, or an event that is possible. And an entry of ours, the order in it and
 * the byte that is altered chosen by the input: told again as it was, never taken when it was altered. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static unsigned char entry[8192];
static struct event event;
static struct record_room *kept;

static void *reserve(size_t size) { return calloc(1, size); }

static void read_all(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    for (;;) {
        const size_t used = record_decode(bytes + at, length - at, kept, &event);
        if (used == 0 || used == (size_t)-1)
            return;
        assert(used <= length - at && event.type < EVENT_TYPE_COUNT);
        at += used;
    }
}

static void alter_one(const uint8_t *bytes, size_t length)
{
    struct event order = { .type = ORDER_GIVEN };
    order.as.order.text = (const char *)bytes + 3;
    order.as.order.length = length - 3 < 1024 ? length - 3 : 1024;
    const size_t whole = record_encode(&order, entry, sizeof entry);
    assert(whole > 0 && record_decode(entry, whole, kept, &event) == whole);
    assert(event.as.order.length == order.as.order.length &&
           memcmp(event.as.order.text, order.as.order.text, order.as.order.length) == 0);
    entry[(bytes[0] << 8 | bytes[1]) % whole] ^= bytes[2] == 0 ? 1 : bytes[2];
    const size_t used = record_decode(entry, whole, kept, &event);
    assert(used == 0 || used == (size_t)-1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (kept == NULL)
        kept = record_room_new(reserve);
    read_all(bytes, length);
    if (length >= 3)
        alter_one(bytes, length);
    return 0;
}
