/* Bounded writing and reading of bytes: numbers little-endian, texts with their length in two bytes before them. A writer
 * that is full and a reader that is past the end only remember it: the caller asks once, at the end. */
#ifndef FC_BACKENDS_QUORUM_BYTES_H
#define FC_BACKENDS_QUORUM_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes_out { uint8_t *to; size_t size, length; bool is_full; };
struct bytes_in { const uint8_t *from; size_t size, at; bool is_bad; };

void bytes_put_number(struct bytes_out *out, uint64_t number, int width);      /* width: 1, 2, 4 or 8 bytes */
void bytes_put_text(struct bytes_out *out, const char *text);                  /* at most 65535 bytes */
uint64_t bytes_get_number(struct bytes_in *in, int width);
/* A text that does not fit, or holds a zero byte, is bad input. */
void bytes_get_text(struct bytes_in *in, char *to, size_t size);

/* CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320). */
uint32_t bytes_checksum(const uint8_t *from, size_t size);

#endif
