/* Bytes as lines that survive mail, tickets and copying by hand. */
#include "backends/quorum/state_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define LINE_BYTES 40
#define HEAD "firstchair-raft-state 1\n"

char *state_text_make(const struct shared_state *state, const char *node, uint64_t index)
{
    uint8_t *bytes = malloc(SHARED_STATE_SIZE);
    char *text = malloc(STATE_TEXT_MAX);
    size_t length = 0;
    if (bytes == NULL || text == NULL || shared_state_encode(state, bytes, SHARED_STATE_SIZE, &length) != FC_OK) {
        free(bytes);
        free(text);
        return NULL;
    }
    text_format(text, STATE_TEXT_MAX, HEAD "node %s index %llu\nbytes %zu\n", node, (unsigned long long)index, length);
    char *at = text + strlen(text);
    for (size_t i = 0; i < length; i++) {
        at += snprintf(at, 3, "%02x", bytes[i]);
        if (i % LINE_BYTES == LINE_BYTES - 1 || i == length - 1)
            *at++ = '\n';
    }
    memcpy(at, "end\n", sizeof "end\n");
    free(bytes);
    return text;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes that were read; `at` is where reading ended. */
static size_t hex_read(const char *at, const char *end, uint8_t *to, size_t size, const char **ended)
{
    size_t count = 0;
    while (at < end && count < size) {
        if (*at == '\n' || *at == '\r') {
            at++;
            continue;
        }
        if (end - at < 2 || digit_of(at[0]) < 0 || digit_of(at[1]) < 0)
            break;
        to[count++] = (uint8_t)(digit_of(at[0]) << 4 | digit_of(at[1]));
        at += 2;
    }
    while (at < end && (*at == '\n' || *at == '\r'))
        at++;
    *ended = at;
    return count;
}

enum fc_code state_text_read(const char *text, size_t length, struct shared_state *ret, struct fc_err *err)
{
    char head[256];
    char node[NODE_NAME_SIZE];
    unsigned long long index, wanted;
    int used = 0;
    text_copy_bytes(head, sizeof head, text, length < sizeof head - 1 ? length : sizeof head - 1);
    if (sscanf(head, "firstchair-raft-state 1 node %63s index %llu bytes %llu%n", node, &index, &wanted, &used) != 3)
        return fc_fail(err, FC_BAD_INPUT, "this is no backup that `firstchairctl raft-backup` makes");
    if (wanted > SHARED_STATE_SIZE)
        return fc_fail(err, FC_BAD_INPUT, "the backup says that it has %llu bytes; at most %d are possible", wanted, SHARED_STATE_SIZE);
    uint8_t *bytes = malloc(SHARED_STATE_SIZE);
    const char *ended;
    if (bytes == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    const size_t count = hex_read(text + used, text + length, bytes, (size_t)wanted, &ended);
    enum fc_code code = FC_OK;
    if (count != wanted || text + length - ended < 3 || memcmp(ended, "end", 3) != 0)
        code = fc_fail(err, FC_BAD_INPUT, "the backup is cut off, or was changed: %zu of %llu bytes can be read", count, wanted);
    else if (shared_state_decode(bytes, count, ret, err) != FC_OK)
        code = FC_BAD_INPUT;
    free(bytes);
    return code;
}
