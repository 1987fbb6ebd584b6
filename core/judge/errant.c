/* Two kinds of GTID, two ways; who is above whom comes from the links, because MariaDB has no server_uuid to tell it by. */
#include "judge/errant.h"

#include <string.h>

#include "base/text.h"
#include "model/gtid.h"

#define ANCESTORS_MAX 64             /* further up nobody is asked: a chain that long does not exist */

void errant_desk_done(struct errant_desk *desk)
{
    if (desk->room != NULL) {
        room_release(desk->room, desk->intervals);
        room_release(desk->room, desk->places);
    }
    *desk = (struct errant_desk){ 0 };
}

static bool make_room(struct room *room, void **memory, size_t *has, size_t wanted, size_t size)
{
    if (wanted <= *has)
        return true;
    void *more = room_reserve(room, wanted * 2 * size);
    if (more == NULL)
        return false;
    room_release(room, *memory);
    *memory = more;
    *has = wanted * 2;
    return true;
}

static const char *known(const char *text)
{
    return text == NULL ? "" : text;
}

static size_t length_of(const char *text)
{
    return strlen(known(text));
}

static const struct instance_seen *seen_of(const struct topology *t, member_id id)
{
    return id == MEMBER_NONE ? NULL : topology_member(t, id)->kept.seen;
}

/* Walks up from the replica's master; a ring ends where it began. False ends it early. */
typedef bool each_ancestor(void *asker, const struct instance_seen *seen);
static void walk_up(const struct topology *t, member_id replica, each_ancestor *each, void *asker)
{
    int steps = 0;
    for (member_id id = topology_member(t, replica)->master; id != MEMBER_NONE && id != replica && steps < ANCESTORS_MAX;
         id = topology_member(t, id)->master, steps++) {
        const struct instance_seen *seen = seen_of(t, id);
        if (seen != NULL && !each(asker, seen))
            return;
    }
}

/* ---- MariaDB ---- */

struct writer { uint32_t server; bool is_above; };

static bool is_writer(void *asker, const struct instance_seen *seen)
{
    struct writer *writer = asker;
    writer->is_above = seen->server_id == writer->server;
    return !writer->is_above;
}

/* Was this written by the server's master or somebody above; of co-masters also by itself? */
static bool is_inherited(const struct topology *t, member_id replica, const struct gtid_place *place)
{
    struct writer writer = { .server = place->server };
    if (topology_member(t, replica)->ring > 0 && seen_of(t, replica)->server_id == place->server)
        return true;
    walk_up(t, replica, is_writer, &writer);
    return writer.is_above;
}

static bool holds_more(const struct topology *t, member_id replica, const struct gtid_place *own, const struct gtid_place *master)
{
    if (master != NULL && own->sequence < master->sequence)
        return false;
    if (master != NULL && own->sequence == master->sequence)
        return own->server != master->server;
    return !is_inherited(t, replica, own);
}

/* Those of the places that are errant are told to `each`; NULL: the first one is enough. */
typedef void each_place(void *asker, const struct gtid_place *place);
static enum errant judge_places(struct errant_desk *desk, const struct topology *t, member_id replica, each_place *each, void *asker)
{
    const char *own = known(seen_of(t, replica)->gtid.binlog_position);
    const char *master = seen_of(t, topology_member(t, replica)->master)->gtid.current_position;
    enum errant found = ERRANT_NO;
    const size_t own_bound = gtid_places_bound(own, length_of(own)), bound = own_bound + gtid_places_bound(master, length_of(master));
    size_t own_count, master_count;
    if (!make_room(desk->room, (void **)&desk->places, &desk->place_room, bound + 1, sizeof *desk->places))
        return ERRANT_UNKNOWN;
    struct gtid_place *masters = desk->places + own_bound;
    if (!gtid_places_parse(own, length_of(own), desk->places, own_bound, &own_count) ||
        !gtid_places_parse(master, length_of(master), masters, bound - own_bound, &master_count))
        return ERRANT_UNKNOWN;
    for (size_t i = 0; i < own_count; i++) {
        if (!holds_more(t, replica, &desk->places[i], gtid_places_of(masters, master_count, desk->places[i].domain)))
            continue;
        found = ERRANT_YES;
        if (each == NULL)
            break;
        each(asker, &desk->places[i]);
    }
    return found;
}

/* ---- MySQL ---- */

static bool remove_source(void *asker, const struct instance_seen *seen)
{
    uint8_t source[16];
    const char *names[] = { seen->server_uuid, seen->group_name };
    for (int i = 0; i < 2; i++) {
        if (names[i] != NULL && gtid_source_parse(names[i], strlen(names[i]), source))
            gtid_set_remove_source(asker, source);
    }
    return true;
}

static void remove_own(const struct instance_seen *seen, bool is_in_ring, struct gtid_set *set)
{
    uint8_t source[16];
    if (is_in_ring && gtid_source_parse(known(seen->server_uuid), length_of(seen->server_uuid), source))
        gtid_set_remove_source(set, source);
    if (gtid_source_parse(known(seen->group_name), length_of(seen->group_name), source))
        gtid_set_remove_source(set, source);
}

/* What is left of the replica's set is in `rest`, in the desk's memory. False: not to be told. */
static bool subtract(struct errant_desk *desk, const struct topology *t, member_id replica, struct gtid_set *rest)
{
    const char *own = seen_of(t, replica)->gtid.executed, *master = seen_of(t, topology_member(t, replica)->master)->gtid.executed;
    const size_t own_bound = gtid_set_bound(own, length_of(own)), master_bound = gtid_set_bound(master, length_of(master));
    const size_t bound = 2 * (own_bound + master_bound) + 1;
    if (!make_room(desk->room, (void **)&desk->intervals, &desk->interval_room, bound, sizeof *desk->intervals))
        return false;
    struct gtid_set left = { .list = desk->intervals, .room = own_bound };
    struct gtid_set masters = { .list = desk->intervals + own_bound, .room = master_bound };
    *rest = (struct gtid_set){ .list = masters.list + master_bound, .room = own_bound + master_bound };
    if (!gtid_set_parse(own, length_of(own), &left) || !gtid_set_parse(master, length_of(master), &masters))
        return false;
    remove_own(seen_of(t, replica), topology_member(t, replica)->ring > 0, &left);
    walk_up(t, replica, remove_source, &left);
    return gtid_set_subtract(&left, &masters, rest);
}

enum gtid_kind { GTID_NOT_BOTH, GTID_PLACES, GTID_SETS };

static enum gtid_kind kind_of(const struct topology *t, member_id replica)
{
    const struct instance_seen *own = seen_of(t, replica), *master = seen_of(t, topology_member(t, replica)->master);
    if (own == NULL || master == NULL || topology_member(t, replica)->link != LINK_REPLICATES)
        return GTID_NOT_BOTH;
    if (own->flavour == FLAVOUR_MARIADB && master->flavour == FLAVOUR_MARIADB && !text_is(master->gtid.current_position, ""))
        return GTID_PLACES;
    if (own->flavour != FLAVOUR_MARIADB && !text_is(own->gtid.executed, "") && !text_is(master->gtid.executed, ""))
        return GTID_SETS;
    return GTID_NOT_BOTH;
}

enum errant errant_judge(struct errant_desk *desk, const struct topology *t, member_id replica)
{
    struct gtid_set rest;
    switch (kind_of(t, replica)) {
    case GTID_PLACES: return judge_places(desk, t, replica, NULL, NULL);
    case GTID_SETS: return !subtract(desk, t, replica, &rest) ? ERRANT_UNKNOWN : rest.count == 0 ? ERRANT_NO : ERRANT_YES;
    case GTID_NOT_BOTH: break;
    }
    return ERRANT_UNKNOWN;
}

/* ---- in words ---- */

#define INTERVAL_TEXT (36 + 1 + GTID_TAG_MAX + 1 + 20 + 1 + 20 + 1)

struct words { char *to; size_t size, length; };

static void add_place(void *asker, const struct gtid_place *place)
{
    struct words *words = asker;
    text_format(words->to + words->length, words->size - words->length, "%s%u-%u-%llu", words->length == 0 ? "" : ",", place->domain,
                place->server, (unsigned long long)place->sequence);
    words->length += strlen(words->to + words->length);
}

static char *text_of_places(struct errant_desk *desk, const struct topology *t, member_id replica)
{
    struct words words = { .size = 2 * length_of(seen_of(t, replica)->gtid.binlog_position) + 2 };
    words.to = room_reserve(desk->room, words.size);
    if (words.to == NULL || judge_places(desk, t, replica, add_place, &words) == ERRANT_YES)
        return words.to;
    room_release(desk->room, words.to);
    return NULL;
}

static char *text_of_sets(struct errant_desk *desk, const struct topology *t, member_id replica)
{
    struct gtid_set rest;
    if (!subtract(desk, t, replica, &rest) || rest.count == 0)
        return NULL;
    const size_t size = rest.count * INTERVAL_TEXT + 1;
    char *text = room_reserve(desk->room, size);
    if (text == NULL || gtid_set_write(&rest, text, size))
        return text;
    room_release(desk->room, text);
    return NULL;
}

char *errant_text(struct errant_desk *desk, const struct topology *t, member_id replica)
{
    switch (kind_of(t, replica)) {
    case GTID_PLACES: return text_of_places(desk, t, replica);
    case GTID_SETS: return text_of_sets(desk, t, replica);
    case GTID_NOT_BOTH: break;
    }
    return NULL;
}
