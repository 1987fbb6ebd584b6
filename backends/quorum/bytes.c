/* Plain bytes in one fixed order, the same on every machine. */
#include "backends/quorum/bytes.h"

#include <string.h>

void bytes_put_number(struct bytes_out *out, uint64_t number, int width)
{
    if (out->is_full || out->size - out->length < (size_t)width) {
        out->is_full = true;
        return;
    }
    for (int i = 0; i < width; i++)
        out->to[out->length++] = (uint8_t)(number >> (8 * i));
}

void bytes_put_text(struct bytes_out *out, const char *text)
{
    const size_t length = strlen(text);
    if (length > UINT16_MAX) {
        out->is_full = true;
        return;
    }
    bytes_put_number(out, length, 2);
    if (out->is_full || out->size - out->length < length) {
        out->is_full = true;
        return;
    }
    memcpy(out->to + out->length, text, length);
    out->length += length;
}

uint64_t bytes_get_number(struct bytes_in *in, int width)
{
    uint64_t number = 0;
    if (in->is_bad || in->size - in->at < (size_t)width) {
        in->is_bad = true;
        return 0;
    }
    for (int i = 0; i < width; i++)
        number |= (uint64_t)in->from[in->at++] << (8 * i);
    return number;
}

void bytes_get_text(struct bytes_in *in, char *to, size_t size)
{
    const size_t length = (size_t)bytes_get_number(in, 2);
    to[0] = '\0';
    if (in->is_bad || in->size - in->at < length || length >= size || memchr(in->from + in->at, 0, length) != NULL) {
        in->is_bad = true;
        return;
    }
    memcpy(to, in->from + in->at, length);
    to[length] = '\0';
    in->at += length;
}

uint32_t bytes_checksum(const uint8_t *from, size_t size)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        sum ^= from[i];
        for (int bit = 0; bit < 8; bit++)
            sum = (sum >> 1) ^ (0xEDB88320u & (0u - (sum & 1u)));
    }
    return ~sum;
}
