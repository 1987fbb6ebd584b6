/* Any bytes as a server's key, a place of a log and a version: refused, or within their bounds and inside the bytes given. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/coordinates.h"
#include "model/instance.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *text = (const char *)bytes, *host = NULL;
    struct coordinates_text place;
    size_t host_length = 0;
    uint16_t port = 0;

    if (instance_key_parse(text, length, 3306, &host, &host_length, &port)) {
        assert(host >= text && host + host_length <= text + length);
        assert(host_length > 0 && host_length <= INSTANCE_HOST_MAX && port > 0);
    }
    if (coordinates_parse(text, length, &place)) {
        assert(place.file >= text && place.file + place.file_length < text + length);
        assert(place.file_length > 0 && place.file_length <= COORDINATES_FILE_MAX);
    }
    char *version = strndup(text, length);
    assert(version_number(version) < 100000000);
    free(version);
    return 0;
}
