/* One sorted array; names are numbers, so that it is sorted by numbers. */
#include "watch/called.h"

#include <string.h>

void called_init(struct called *c, struct room *room, struct names *names)
{
    *c = (struct called){ .room = room, .names = names };
}

void called_done(struct called *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        names_drop(c->names, c->list[i].host);
        names_drop(c->names, c->list[i].is);
    }
    if (c->room != NULL)
        room_release(c->room, c->list);
    *c = (struct called){ 0 };
}

static bool is_before(const struct called_row *row, name_id host, uint16_t port)
{
    return row->host != host ? row->host < host : row->port < port;
}

/* The first row that is not before. */
static uint32_t place_of(const struct called *c, name_id host, uint16_t port)
{
    uint32_t low = 0, high = c->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (is_before(&c->list[middle], host, port))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Its place; c->count: there is none. */
static uint32_t find(const struct called *c, const struct instance_key *key)
{
    const name_id host = key->host == NULL ? NAME_EMPTY : names_find(c->names, key->host, strlen(key->host));
    if (host == NAME_EMPTY)
        return c->count;
    const uint32_t place = place_of(c, host, key->port);
    return place < c->count && c->list[place].host == host && c->list[place].port == key->port ? place : c->count;
}

struct instance_key called_is(const struct called *c, const struct instance_key *key)
{
    const uint32_t place = find(c, key);
    return place == c->count ? *key : (struct instance_key){ .host = names_text(c->names, c->list[place].is), .port = key->port };
}

static bool has_room(struct called *c)
{
    if (c->count < c->capacity)
        return true;
    const uint32_t capacity = c->capacity == 0 ? 64 : c->capacity * 2;
    struct called_row *list = c->count >= CALLED_MAX ? NULL : room_reserve(c->room, capacity * sizeof *list);
    if (list == NULL)
        return false;
    if (c->count > 0)
        memcpy(list, c->list, c->count * sizeof *list);
    room_release(c->room, c->list);
    c->list = list;
    c->capacity = capacity;
    return true;
}

bool called_learn(struct called *c, const struct instance_key *key, const char *is)
{
    struct called_row fresh = { .port = key->port };
    const uint32_t known = find(c, key);
    if (known < c->count)
        return names_set(c->names, &c->list[known].is, is);
    if (!has_room(c) || !names_use(c->names, key->host, strlen(key->host), &fresh.host))
        return false;
    if (!names_use(c->names, is, strlen(is), &fresh.is)) {
        names_drop(c->names, fresh.host);
        return false;
    }
    const uint32_t place = place_of(c, fresh.host, fresh.port);
    memmove(&c->list[place + 1], &c->list[place], (c->count - place) * sizeof *c->list);
    c->list[place] = fresh;
    c->count++;
    return true;
}

void called_forget(struct called *c, const struct instance_key *key)
{
    const uint32_t place = find(c, key);
    if (place == c->count)
        return;
    names_drop(c->names, c->list[place].host);
    names_drop(c->names, c->list[place].is);
    memmove(&c->list[place], &c->list[place + 1], (c->count - place - 1) * sizeof *c->list);
    c->count--;
}
