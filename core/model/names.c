/* A chained hash table over an array that doubles. Ids of freed names are used again, so forgetting servers for years does not
 * grow it. */
#include "model/names.h"

#include <assert.h>
#include <string.h>

#define FIRST_CAPACITY 64u

struct name {
    char *text;                      /* NULL = free */
    uint32_t hash, uses;
    uint32_t next;                   /* in its bucket, or in the free list; 0 ends both */
};

uint32_t names_hash(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

static void put_in_bucket(struct names *names, uint32_t id)
{
    uint32_t *bucket = &names->buckets[names->list[id].hash & (names->bucket_count - 1)];
    names->list[id].next = *bucket;
    *bucket = id;
}

/* Both tables double together: as many buckets as slots. */
static bool grow(struct names *names)
{
    const uint32_t capacity = names->capacity == 0 ? FIRST_CAPACITY : names->capacity * 2;
    struct name *list = room_reserve(names->room, capacity * sizeof *list);
    uint32_t *buckets = room_reserve(names->room, capacity * sizeof *buckets);
    if (list == NULL || buckets == NULL) {
        room_release(names->room, list);
        room_release(names->room, buckets);
        return false;
    }
    if (names->count > 0)
        memcpy(list, names->list, names->count * sizeof *list);
    room_release(names->room, names->list);
    room_release(names->room, names->buckets);
    names->list = list;
    names->buckets = buckets;
    names->capacity = names->bucket_count = capacity;
    for (uint32_t id = 1; id < names->count; id++) {
        if (list[id].text != NULL)
            put_in_bucket(names, id);
    }
    return true;
}

bool names_init(struct names *names, struct room *room)
{
    *names = (struct names){ .room = room };
    if (!grow(names))
        return false;
    names->count = 1;                /* the empty name */
    return true;
}

void names_done(struct names *names)
{
    for (uint32_t id = 1; id < names->count; id++)
        room_release(names->room, names->list[id].text);
    if (names->room != NULL) {
        room_release(names->room, names->list);
        room_release(names->room, names->buckets);
    }
    *names = (struct names){ 0 };
}

name_id names_find(const struct names *names, const char *text, size_t length)
{
    const uint32_t hash = names_hash(text, length);
    if (length == 0)
        return NAME_EMPTY;
    for (uint32_t id = names->buckets[hash & (names->bucket_count - 1)]; id != 0; id = names->list[id].next) {
        const struct name *name = &names->list[id];
        if (name->hash == hash && strlen(name->text) == length && memcmp(name->text, text, length) == 0)
            return id;
    }
    return NAME_EMPTY;
}

static bool add(struct names *names, const char *text, size_t length, name_id *ret)
{
    if (names->free_head == 0 && names->count == names->capacity && !grow(names))
        return false;
    char *copy = room_reserve(names->room, length + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text, length);      /* the room is zeroed: the end is there */
    uint32_t id = names->free_head;
    if (id != 0)
        names->free_head = names->list[id].next;
    else
        id = names->count++;
    names->list[id] = (struct name){ .text = copy, .hash = names_hash(text, length), .uses = 1 };
    put_in_bucket(names, id);
    names->in_use++;
    *ret = id;
    return true;
}

bool names_use(struct names *names, const char *text, size_t length, name_id *ret)
{
    if (length > NAME_LENGTH_MAX || memchr(text, '\0', length) != NULL)
        return false;
    const name_id found = names_find(names, text, length);
    if (found == NAME_EMPTY && length > 0)
        return add(names, text, length, ret);
    names->list[found].uses += found != NAME_EMPTY;
    *ret = found;
    return true;
}

void names_drop(struct names *names, name_id id)
{
    struct name *name = &names->list[id];
    if (id == NAME_EMPTY)
        return;
    assert(id < names->count && name->text != NULL && name->uses > 0);
    if (--name->uses > 0)
        return;
    uint32_t *at = &names->buckets[name->hash & (names->bucket_count - 1)];
    while (*at != id)
        at = &names->list[*at].next;
    *at = name->next;
    room_release(names->room, name->text);
    *name = (struct name){ .next = names->free_head };
    names->free_head = id;
    names->in_use--;
}

bool names_set(struct names *names, name_id *place, const char *text)
{
    const size_t length = text == NULL ? 0 : strlen(text);
    name_id fresh;
    if (!names_use(names, text == NULL ? "" : text, length, &fresh))
        return false;
    names_drop(names, *place);
    *place = fresh;
    return true;
}

const char *names_text(const struct names *names, name_id id)
{
    assert(id < names->count);
    return id == NAME_EMPTY ? "" : names->list[id].text;
}
