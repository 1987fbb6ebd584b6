/* Names that many things share (hosts, aliases, data centers, tags), each kept once and counted by its uses. An id is an index,
 * so that names are compared as numbers. The empty name is 0, and is always there. */
#ifndef FC_MODEL_NAMES_H
#define FC_MODEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/room.h"

#define NAME_LENGTH_MAX 1024          /* longer ones are refused: tags and reasons are shorter */
#define NAME_EMPTY 0u

typedef uint32_t name_id;

struct name;
struct names {
    struct room *room;
    struct name *list;               /* by id; 0 is the empty one */
    uint32_t count, capacity;        /* slots that were used at some time; slots there are */
    uint32_t in_use;
    uint32_t free_head;              /* 0 = none */
    uint32_t *buckets;
    uint32_t bucket_count;           /* a power of two */
};

/* The room is borrowed and outlives the names. False: no memory. */
bool names_init(struct names *names, struct room *room);
void names_done(struct names *names);

/* One more use of it. False: too long, or no memory; nothing has changed. */
bool names_use(struct names *names, const char *text, size_t length, name_id *ret);
void names_drop(struct names *names, name_id id);        /* one use less; the last one frees it */
/* One use less of what stood in `place`, one more of the text. False: what stood there stays. */
bool names_set(struct names *names, name_id *place, const char *text);
/* NAME_EMPTY: there is none (or it is asked for). */
name_id names_find(const struct names *names, const char *text, size_t length);
const char *names_text(const struct names *names, name_id id);

/* FNV-1a, for tables of others that hash texts the same way. */
uint32_t names_hash(const char *text, size_t length);

#endif
