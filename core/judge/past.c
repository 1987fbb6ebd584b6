/* The list by name, and its places by master: so that a master is found by halving, and the replicas of each stand side by side. */
#include "judge/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/branches.h"

#define NOBODY UINT32_MAX
#define INDENT_MAX 100               /* deeper ones stand there too */

enum walked { NEW = 0, ON_THE_WAY, SEEN };

struct place { uint32_t master, at; };
struct visit { uint32_t at, depth; };

struct past {
    const struct past_server *list;
    uint32_t count;
    struct place *places;            /* by master, then by name */
    struct visit *waiting;           /* the branches still to be walked, the next one last */
    uint32_t waiting_count;
    uint8_t *walked;                 /* of each server */
    char *to;
    size_t size, length;
};

static int server_compare(const void *left, const void *right)
{
    const struct past_server *a = left, *b = right;
    return instance_key_compare(&a->key, &b->key);
}

static int place_compare(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    return a->master != b->master ? (a->master > b->master) - (a->master < b->master) : (a->at > b->at) - (a->at < b->at);
}

static uint32_t find(const struct past *past, const struct instance_key *key)
{
    const struct past_server sought = { .key = *key };
    const struct past_server *found = key->host[0] == '\0' ? NULL
                                                           : bsearch(&sought, past->list, past->count, sizeof sought, server_compare);
    return found == NULL ? NOBODY : (uint32_t)(found - past->list);
}

static uint32_t master_of(const struct past *past, uint32_t at) { return find(past, &past->list[at].master); }

/* Up from everybody, each once: who is met again on the same way is of a ring. */
static void cut_rings(struct past *past)
{
    for (uint32_t i = 0; i < past->count; i++) {
        uint32_t at = i;
        for (; at != NOBODY && past->walked[at] == NEW; at = past->places[at].master)
            past->walked[at] = ON_THE_WAY;
        while (at != NOBODY && past->walked[at] == ON_THE_WAY && past->places[at].master != NOBODY) {
            const uint32_t next = past->places[at].master;
            past->places[at].master = NOBODY;
            at = next;
        }
        for (at = i; at != NOBODY && past->walked[at] == ON_THE_WAY; at = master_of(past, at))
            past->walked[at] = SEEN;
    }
}

/* Last first, so that the first is taken first. Each waits once, so that `count` places are enough. */
static void push_replicas(struct past *past, uint32_t master, uint32_t depth)
{
    uint32_t to;
    const uint32_t from = branches_below(past->places, sizeof *past->places, past->count, master, &to);
    for (; to > from; to--)
        past->waiting[past->waiting_count++] = (struct visit){ past->places[to - 1].at, depth };
}

static void put(struct past *past, const struct visit *visit)
{
    const uint32_t blanks = visit->depth == 0 ? 0 : 2 * (visit->depth - 1) < INDENT_MAX ? 2 * (visit->depth - 1) : INDENT_MAX;
    const size_t rest = past->length < past->size ? past->size - past->length : 0;
    char key[INSTANCE_HOST_MAX + 10] = "", line[sizeof key + INDENT_MAX + 4];
    instance_key_text(&past->list[visit->at].key, key, sizeof key);
    text_make_plain(key);
    TEXT_FORMAT(line, "%s%*s%s%s", past->length == 0 ? "" : "\n", (int)blanks, "", visit->depth == 0 ? "" : "+ ", key);
    if (rest > 0)
        text_copy(past->to + past->length, rest, line);
    past->length += strlen(line);
}

static void walk(struct past *past)
{
    const struct place *last = &past->places[past->count - 1];       /* NOBODY is above all */
    const bool is_ring = last->master == NOBODY && master_of(past, last->at) != NOBODY;
    push_replicas(past, NOBODY, is_ring ? 1 : 0);
    while (past->waiting_count > 0) {
        const struct visit visit = past->waiting[--past->waiting_count];
        put(past, &visit);
        push_replicas(past, visit.at, visit.depth + 1);
    }
}

size_t past_print(struct past_server *list, uint32_t count, struct room *room, char *to, size_t size)
{
    struct past past = { .list = list, .count = count, .to = to, .size = size };
    if (size > 0)
        to[0] = '\0';
    if (count == 0)
        return 0;
    past.places = room_reserve(room, count * sizeof *past.places);
    past.waiting = room_reserve(room, count * sizeof *past.waiting);
    past.walked = room_reserve(room, count);
    if (past.places != NULL && past.waiting != NULL && past.walked != NULL) {
        qsort(list, count, sizeof *list, server_compare);
        memset(past.walked, NEW, count);
        for (uint32_t i = 0; i < count; i++)
            past.places[i] = (struct place){ master_of(&past, i), i };
        cut_rings(&past);
        qsort(past.places, count, sizeof *past.places, place_compare);
        walk(&past);
    }
    room_release(room, past.places);
    room_release(room, past.waiting);
    room_release(room, past.walked);
    return past.length;
}
