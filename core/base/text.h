/* Bounded text. Every destination has a size; what does not fit is cut and still ends in a zero byte. */
#ifndef FC_BASE_TEXT_H
#define FC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies at most size - 1 bytes. Returns false when the source was longer. */
bool text_copy(char *to, size_t size, const char *from);
bool text_copy_bytes(char *to, size_t size, const char *from, size_t length);
#define TEXT_SET(array, from) text_copy((array), sizeof(array), (from))

/* snprintf that says whether all of it fitted. */
bool text_format(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define TEXT_FORMAT(array, ...) text_format((array), sizeof(array), __VA_ARGS__)

bool text_is(const char *a, const char *b);              /* equal; NULL is the empty text */
bool text_is_nocase(const char *a, const char *b);       /* ASCII only */
bool text_begins(const char *text, const char *with);

/* Decimal digits only, the whole text, no sign, no blank. False when empty, too large or anything else. */
bool text_to_u64(const char *text, size_t length, uint64_t *ret);

/* A name that we accept for pools, servers and nodes: 1 to 63 of [A-Za-z0-9._-], the first a letter or digit. */
bool text_is_name(const char *text, size_t length);

/* Replaces what would disturb one line of a protocol (control bytes, ';', non-ASCII) by '.', in place. */
void text_make_plain(char *text);

#endif
