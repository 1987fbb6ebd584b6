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

static enum errant judge_places(struct errant_desk *desk, const struct topology *t, member_id replica, const char *own,
                                const char *master)
{
    const size_t own_bound = gtid_places_bound(own, length_of(own)), bound = own_bound + gtid_places_bound(master, length_of(master));
    size_t own_count, master_count;
    if (!make_room(desk->room, (void **)&desk->places, &desk->place_room, bound + 1, sizeof *desk->places))
        return ERRANT_UNKNOWN;
    struct gtid_place *masters = desk->places + own_bound;
    if (!gtid_places_parse(own, length_of(own), desk->places, own_bound, &own_count) ||
        !gtid_places_parse(master, length_of(master), masters, bound - own_bound, &master_count))
        return ERRANT_UNKNOWN;
    for (size_t i = 0; i < own_count; i++) {
        if (holds_more(t, replica, &desk->places[i], gtid_places_of(masters, master_count, desk->places[i].domain)))
            return ERRANT_YES;
    }
    return ERRANT_NO;
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

static enum errant judge_sets(struct errant_desk *desk, const struct topology *t, member_id replica, const char *own, const char *master)
{
    const size_t own_bound = gtid_set_bound(own, length_of(own)), master_bound = gtid_set_bound(master, length_of(master));
    const size_t bound = 2 * (own_bound + master_bound) + 1;
    if (!make_room(desk->room, (void **)&desk->intervals, &desk->interval_room, bound, sizeof *desk->intervals))
        return ERRANT_UNKNOWN;
    struct gtid_set left = { .list = desk->intervals, .room = own_bound };
    struct gtid_set masters = { .list = desk->intervals + own_bound, .room = master_bound };
    struct gtid_set rest = { .list = masters.list + master_bound, .room = own_bound + master_bound };
    if (!gtid_set_parse(own, length_of(own), &left) || !gtid_set_parse(master, length_of(master), &masters))
        return ERRANT_UNKNOWN;
    remove_own(seen_of(t, replica), topology_member(t, replica)->ring > 0, &left);
    walk_up(t, replica, remove_source, &left);
    return gtid_set_subtract(&left, &masters, &rest) && rest.count == 0 ? ERRANT_NO : ERRANT_YES;
}

enum errant errant_judge(struct errant_desk *desk, const struct topology *t, member_id replica)
{
    const struct instance_seen *own = seen_of(t, replica), *master = seen_of(t, topology_member(t, replica)->master);
    if (own == NULL || master == NULL || topology_member(t, replica)->link != LINK_REPLICATES)
        return ERRANT_UNKNOWN;
    if (own->flavour == FLAVOUR_MARIADB && master->flavour == FLAVOUR_MARIADB && !text_is(master->gtid.current_position, ""))
        return judge_places(desk, t, replica, known(own->gtid.binlog_position), master->gtid.current_position);
    if (own->flavour != FLAVOUR_MARIADB && !text_is(own->gtid.executed, "") && !text_is(master->gtid.executed, ""))
        return judge_sets(desk, t, replica, own->gtid.executed, master->gtid.executed);
    return ERRANT_UNKNOWN;
}
