/* docs/configuration.md, printed from the table of keys, so that the page cannot say something else than the program does. */
#ifndef FC_CORE_CONFIG_DOCS_H
#define FC_CORE_CONFIG_DOCS_H

#include <stddef.h>

/* Writes the page, cut at size - 1 bytes and zero-terminated. Returns the length that the whole page needs without the zero
 * byte: what is >= size was cut. `to` may be NULL when size is 0. */
size_t config_docs_print(char *to, size_t size);

#endif
