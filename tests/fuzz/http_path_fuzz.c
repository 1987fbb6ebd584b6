/* Fuzz: any bytes as the path of a request. What was split has no empty and no overlong segment, and fits a pattern of as many
 * parameters. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/doors/http_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const patterns[HTTP_PARAMETERS_MAX + 1] = { "/", "/:a", "/:a/:b", "/:a/:b/:c", "/:a/:b/:c/:d", "/:a/:b/:c/:d/:e" };
    const char *parameter[HTTP_PARAMETERS_MAX];
    struct http_path path;
    int count;

    if (!http_path_split((const char *)bytes, size, &path))
        return 0;
    assert(path.count >= 0 && path.count <= HTTP_SEGMENTS_MAX);
    for (int i = 0; i < path.count; i++)
        assert(path.segment[i][0] != '\0' && strnlen(path.segment[i], HTTP_SEGMENT_SIZE) < HTTP_SEGMENT_SIZE);
    for (int i = 0; i <= HTTP_PARAMETERS_MAX; i++)
        assert(http_path_fits(&path, patterns[i], parameter, &count) == (i == path.count));
    return 0;
}
