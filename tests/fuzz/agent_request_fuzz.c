/* Any bytes as a check's request: what is accepted has names, and the same bytes with an end of line mean the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/agent_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct agent_request waiting, over;
    const enum agent_request_state state = agent_request_parse((const char *)bytes, size, false, &waiting);
    const enum agent_request_state end = agent_request_parse((const char *)bytes, size, true, &over);

    assert(end != AGENT_REQUEST_PARTIAL);
    assert(state != AGENT_REQUEST_PARTIAL || size < AGENT_REQUEST_MAX);
    if (state == AGENT_REQUEST_READY) {
        assert(end == AGENT_REQUEST_READY);
        assert(text_is(waiting.asker, over.asker) && text_is(waiting.pool, over.pool) && text_is(waiting.server, over.server));
    }
    if (end == AGENT_REQUEST_READY && !over.is_voice && !over.is_look)
        assert(text_is_name(over.pool, strlen(over.pool)) && text_is_name(over.server, strlen(over.server)));
    return 0;
}
