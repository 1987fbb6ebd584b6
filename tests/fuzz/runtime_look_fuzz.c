/* Any bytes as HAProxy's reply: a code and one sentence, or rows that are within their bounds. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "haproxy/runtime.h"

#define ROWS 3

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct proxy_server_view rows[ROWS];
    struct fc_err err = { .code = FC_OK };
    int64_t uptime_ms;
    int count = -1;
    const enum fc_code code = runtime_look_parse((const char *)bytes, size, rows, ROWS, &count, &uptime_ms, &err);

    assert(count >= 0 && count <= ROWS);
    assert((code == FC_OK) == (err.code == FC_OK));
    assert(code == FC_OK || (count == 0 && err.text[0] != '\0'));
    for (int i = 0; i < count; i++) {
        assert(memchr(rows[i].last_agent, '\0', sizeof rows[i].last_agent) != NULL);
        assert(!rows[i].is_usable || rows[i].user_weight > 0);
    }
    return 0;
}
