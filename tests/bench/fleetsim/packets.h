/* The server's side of MySQL's protocol as bytes: packets with their heads, one behind the other, in one buffer that is used again. */
#ifndef FLEETSIM_PACKETS_H
#define FLEETSIM_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_HEAD 4

struct packets {
    uint8_t *bytes;
    size_t length, room, head;
    uint8_t order;                    /* of the next packet */
    uint16_t status;                  /* told with each end and OK */
};

struct column {
    const char *schema, *table, *org_table, *name, *org_name;
    uint8_t charset;
    uint32_t size;
    uint8_t type;
    uint16_t flags;
    uint8_t decimals;
};

void packets_clear(struct packets *to, uint8_t order);
void packets_done(struct packets *to);

void packet_begin(struct packets *to);
void packet_end(struct packets *to);
void put_number(struct packets *to, uint64_t value, int bytes);
void put_bytes(struct packets *to, const void *bytes, size_t length);
void put_word(struct packets *to, const char *text);             /* with its length before it */

void put_ok(struct packets *to, const void *more, size_t length);    /* `more`: what of the session has changed */
void put_end(struct packets *to);
void put_error(struct packets *to, unsigned number, const char *state, const char *text);
void put_columns(struct packets *to, const struct column *columns, int count);
void put_column(struct packets *to, const struct column *column);
void put_column_count(struct packets *to, int count);
void put_row_number(struct packets *to, uint64_t value);
void put_row_null(struct packets *to);

#endif
