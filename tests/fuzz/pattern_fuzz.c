/* Any bytes as a pattern (up to the first line end) and a name (behind it): compiled or refused with a sentence, matched or given up,
 * and never for long. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backends/pattern.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char text[PATTERN_LENGTH_MAX + 2], name[INSTANCE_HOST_MAX + 1], taken[33];
    const uint8_t *end = memchr(bytes, '\n', length);
    const size_t pattern_length = end == NULL ? length : (size_t)(end - bytes);
    struct pattern *pattern = NULL;
    struct fc_err err = { .code = FC_OK };

    text_copy_bytes(text, sizeof text, (const char *)bytes, pattern_length);
    text_copy_bytes(name, sizeof name, end == NULL ? "" : (const char *)end + 1, end == NULL ? 0 : length - pattern_length - 1);
    if (pattern_compile("DataCenterPattern", text, &pattern, &err) != FC_OK) {
        assert(pattern == NULL && err.code != FC_OK && err.text[0] != '\0');
        return 0;
    }
    if (pattern_capture(pattern, name, taken, sizeof taken)) {
        assert(strlen(taken) < sizeof taken && strstr(name, taken) != NULL);
        assert(pattern_is_match(pattern, name));
    }
    pattern_free(pattern);
    return 0;
}
