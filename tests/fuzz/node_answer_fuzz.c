/* Any bytes as a node's answer to a command: printed in each form, or refused in a sentence; never with a byte that steers a terminal. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fleet_forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *body = strndup((const char *)bytes, length);
    for (int form = 0; form < FORM_COUNT; form++) {
        char *said = NULL, *trouble = NULL;
        size_t said_size, trouble_size;
        FILE *to = open_memstream(&said, &said_size), *other = open_memstream(&trouble, &trouble_size);
        fleet_form_print((enum fleet_form)form, "db1:3306", body, to, other);
        fclose(to);
        fclose(other);
        assert(memchr(said, 0x1b, said_size) == NULL || form == FORM_RAW);
        assert(memchr(trouble, 0x1b, trouble_size) == NULL);
        free(said);
        free(trouble);
    }
    free(body);
    return 0;
}
