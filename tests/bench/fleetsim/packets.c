#include "packets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *grow(struct packets *to, size_t more)
{
    if (to->length + more > to->room) {
        to->room = (to->length + more) * 2;
        to->bytes = realloc(to->bytes, to->room);
        if (to->bytes == NULL)
            abort();
    }
    to->length += more;
    return to->bytes + to->length - more;
}

void packets_clear(struct packets *to, uint8_t order)
{
    to->length = 0;
    to->order = order;
    to->status = 2;                   /* autocommit */
}

void packets_done(struct packets *to)
{
    free(to->bytes);
    to->bytes = NULL;
}

void put_number(struct packets *to, uint64_t value, int bytes)
{
    uint8_t *at = grow(to, (size_t)bytes);
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void put_bytes(struct packets *to, const void *bytes, size_t length)
{
    uint8_t *at = grow(to, length);
    if (length > 0)
        memcpy(at, bytes, length);
}

void put_word(struct packets *to, const char *text)
{
    const size_t length = strlen(text);
    if (length < 251) {
        put_number(to, length, 1);
    } else {
        put_number(to, 0xfc, 1);
        put_number(to, length, 2);
    }
    put_bytes(to, text, length);
}

void packet_begin(struct packets *to)
{
    to->head = to->length;
    grow(to, PACKET_HEAD);
}

void packet_end(struct packets *to)
{
    const size_t length = to->length - to->head - PACKET_HEAD;
    uint8_t *head = to->bytes + to->head;
    for (int i = 0; i < 3; i++)
        head[i] = (uint8_t)(length >> (8 * i));
    head[3] = to->order++;
}

void put_ok(struct packets *to, const void *more, size_t length)
{
    packet_begin(to);
    put_bytes(to, "\0\0\0", 3);
    put_number(to, (uint64_t)to->status | (length > 0 ? 0x4000 : 0), 2);
    put_number(to, 0, 2);
    put_bytes(to, more, length);
    packet_end(to);
}

void put_end(struct packets *to)
{
    packet_begin(to);
    put_number(to, 0xfe, 1);
    put_number(to, 0, 2);
    put_number(to, to->status, 2);
    packet_end(to);
}

void put_error(struct packets *to, unsigned number, const char *state, const char *text)
{
    packet_begin(to);
    put_number(to, 0xff, 1);
    put_number(to, number, 2);
    put_bytes(to, "#", 1);
    put_bytes(to, state, 5);
    put_bytes(to, text, strlen(text));
    packet_end(to);
}

void put_column_count(struct packets *to, int count)
{
    packet_begin(to);
    put_number(to, (uint64_t)count, 1);
    put_number(to, 1, 1);             /* they follow (MARIADB_CLIENT_CACHE_METADATA) */
    packet_end(to);
}

void put_column(struct packets *to, const struct column *column)
{
    packet_begin(to);
    put_word(to, "def");
    put_word(to, column->schema);
    put_word(to, column->table);
    put_word(to, column->org_table);
    put_word(to, column->name);
    put_word(to, column->org_name);
    put_word(to, "");                 /* no extended metadata */
    put_number(to, 12, 1);
    put_number(to, column->charset, 2);
    put_number(to, column->size, 4);
    put_number(to, column->type, 1);
    put_number(to, column->flags, 2);
    put_number(to, column->decimals, 1);
    put_number(to, 0, 2);
    packet_end(to);
}

void put_columns(struct packets *to, const struct column *columns, int count)
{
    put_column_count(to, count);
    for (int i = 0; i < count; i++)
        put_column(to, &columns[i]);
    put_end(to);
}

void put_row_number(struct packets *to, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    put_word(to, text);
}

void put_row_null(struct packets *to) { put_number(to, 0xfb, 1); }
