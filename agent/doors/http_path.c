/* Splitting first, decoding after: see the header. */
#include "agent/doors/http_path.h"

#include <assert.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t trim(char *text, size_t length)
{
    size_t begin = 0;
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    while (begin < length && is_blank(text[begin]))
        begin++;
    memmove(text, text + begin, length - begin);
    text[length - begin] = '\0';
    return length - begin;
}

bool http_text_decode(const char *raw, size_t length, char *to, size_t size)
{
    size_t filled = 0;

    assert(size > 0);
    for (size_t i = 0; i < length; i++) {
        char c = raw[i];
        if (c == '%') {
            const int high = length - i > 2 ? hex_value(raw[i + 1]) : -1;
            const int low = length - i > 2 ? hex_value(raw[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(unsigned char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0' || filled == size - 1)
            return false;
        to[filled++] = c;
    }
    trim(to, filled);
    return true;
}

bool http_path_split(const char *raw, size_t length, struct http_path *ret)
{
    ret->count = 0;
    if (length == 0 || raw[0] != '/')
        return false;
    for (size_t at = 1; at < length; ) {
        const char *slash = memchr(raw + at, '/', length - at);
        const size_t end = slash == NULL ? length : (size_t)(slash - raw);
        if (end == at || ret->count == HTTP_SEGMENTS_MAX)
            return false;
        char *segment = ret->segment[ret->count];
        if (!http_text_decode(raw + at, end - at, segment, HTTP_SEGMENT_SIZE) || segment[0] == '\0')
            return false;
        ret->count++;
        at = end + 1;
    }
    return true;
}

bool http_path_fits(const struct http_path *path, const char *pattern, const char *parameter[HTTP_PARAMETERS_MAX], int *count)
{
    int index = 0;

    *count = 0;
    assert(pattern[0] == '/');
    for (const char *at = pattern + 1; *at != '\0'; index++) {
        const size_t length = strcspn(at, "/");
        if (index == path->count)
            return false;
        const char *segment = path->segment[index];
        if (at[0] == ':') {
            assert(*count < HTTP_PARAMETERS_MAX);
            parameter[(*count)++] = segment;
        } else if (strlen(segment) != length || memcmp(segment, at, length) != 0) {
            return false;
        }
        at += length + (at[length] == '/');
    }
    return index == path->count;
}
