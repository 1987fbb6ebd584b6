/* Walks from the newest log to the oldest; what is kept is what has not been found yet. */
#include "judge/errant_logs.h"

#include <string.h>

struct errant_trail {                    /* what one server wrote in one domain */
    uint32_t domain, server;
    uint64_t master;                     /* so far it is the master's too */
    uint64_t upto;                       /* the last one of it that the log to be told next can hold */
};

void errant_logs_done(struct errant_logs *logs)
{
    if (logs->room != NULL) {
        room_release(logs->room, logs->trails);
        room_release(logs->room, logs->errant_list);
        room_release(logs->room, logs->missing_list);
    }
    *logs = (struct errant_logs){ 0 };
}

/* ---- MariaDB ---- */

/* Memory of the room, the caller's to release. NULL: malformed, or no memory. */
static struct gtid_place *read_places(struct room *room, const char *text, size_t *count)
{
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    const size_t bound = gtid_places_bound(text, length);
    struct gtid_place *places = room_reserve(room, bound * sizeof *places);
    if (places == NULL || gtid_places_parse(text, length, places, bound, count))
        return places;
    room_release(room, places);
    return NULL;
}

static uint64_t written_by(const struct errant_trail *trail, const struct gtid_place *places, size_t count)
{
    uint64_t upto = 0;
    for (size_t i = 0; i < count; i++) {
        if (places[i].domain == trail->domain && places[i].server == trail->server && places[i].sequence > upto)
            upto = places[i].sequence;
    }
    return upto;
}

/* Where both have the same sequence by different servers, the master's ends one before it. */
static uint64_t masters_part(const struct gtid_place *errant, const struct gtid_place *masters, size_t count)
{
    const struct gtid_place *place = gtid_places_of(masters, count, errant->domain);
    if (place == NULL)
        return 0;
    return place->sequence < errant->sequence || errant->sequence == 0 ? place->sequence : errant->sequence - 1;
}

static bool begin_places(struct errant_logs *logs, const char *errant, const char *masters, const char *last)
{
    size_t own_count = 0, master_count = 0, last_count = 0;
    struct gtid_place *own = read_places(logs->room, errant, &own_count);
    struct gtid_place *master = read_places(logs->room, masters, &master_count);
    struct gtid_place *all = read_places(logs->room, last, &last_count);
    logs->trails = room_reserve(logs->room, (own_count + 1) * sizeof *logs->trails);
    const bool is_read = own != NULL && master != NULL && all != NULL && logs->trails != NULL;
    for (size_t i = 0; is_read && i < own_count; i++) {
        struct errant_trail *trail = &logs->trails[logs->trail_count++];
        *trail = (struct errant_trail){ own[i].domain, own[i].server, masters_part(&own[i], master, master_count), 0 };
        trail->upto = written_by(trail, all, last_count);
    }
    room_release(logs->room, own);
    room_release(logs->room, master);
    room_release(logs->room, all);
    return is_read;
}

static enum errant_log next_places(struct errant_logs *logs, const char *beginning)
{
    enum errant_log found = ERRANT_LOG_WITHOUT;
    size_t count = 0;
    struct gtid_place *places = read_places(logs->room, beginning, &count);
    if (places == NULL)
        return ERRANT_LOG_UNKNOWN;
    for (size_t i = 0; i < logs->trail_count; i++) {
        struct errant_trail *trail = &logs->trails[i];
        const uint64_t before = written_by(trail, places, count);
        if (trail->upto > before && trail->upto > trail->master)
            found = ERRANT_LOG_WITH;
        trail->upto = before;
    }
    room_release(logs->room, places);
    return found;
}

static bool are_places_covered(const struct errant_logs *logs)
{
    for (size_t i = 0; i < logs->trail_count; i++) {
        if (logs->trails[i].upto > logs->trails[i].master)
            return false;
    }
    return true;
}

/* ---- MySQL ---- */

/* The errant ones without what is in the text become the missing ones. */
static bool subtract(struct errant_logs *logs, const char *text)
{
    const size_t bound = gtid_set_bound(text, strlen(text)), rest = logs->errant.count + bound;
    struct gtid_interval *list = room_reserve(logs->room, (rest + bound + 1) * sizeof *list);
    if (list == NULL)
        return false;
    struct gtid_set missing = { .list = list, .room = rest }, held = { .list = list + rest, .room = bound };
    if (!gtid_set_parse(text, strlen(text), &held) || !gtid_set_subtract(&logs->errant, &held, &missing)) {
        room_release(logs->room, list);
        return false;
    }
    room_release(logs->room, logs->missing_list);
    logs->missing_list = list;
    logs->missing = missing;
    return true;
}

static bool begin_sets(struct errant_logs *logs, const char *errant, const char *last)
{
    const size_t bound = gtid_set_bound(errant, strlen(errant));
    logs->errant_list = room_reserve(logs->room, (bound + 1) * sizeof *logs->errant_list);
    logs->errant = (struct gtid_set){ .list = logs->errant_list, .room = bound };
    return logs->errant_list != NULL && gtid_set_parse(errant, strlen(errant), &logs->errant) && subtract(logs, last);
}

/* More are missing at the beginning of the log than at its end: those stand in it. */
static enum errant_log next_set(struct errant_logs *logs, const char *beginning)
{
    const uint64_t at_end = gtid_set_count(&logs->missing);
    if (!subtract(logs, beginning))
        return ERRANT_LOG_UNKNOWN;
    return gtid_set_count(&logs->missing) > at_end ? ERRANT_LOG_WITH : ERRANT_LOG_WITHOUT;
}

/* ---- both ---- */

bool errant_logs_begin(struct errant_logs *logs, struct room *room, bool is_mariadb, const char *errant, const char *masters, const char *last)
{
    *logs = (struct errant_logs){ .room = room, .is_mariadb = is_mariadb };
    return is_mariadb ? begin_places(logs, errant, masters, last) : begin_sets(logs, errant, last);
}

enum errant_log errant_logs_next(struct errant_logs *logs, const char *beginning)
{
    return logs->is_mariadb ? next_places(logs, beginning) : next_set(logs, beginning);
}

bool errant_logs_is_covered(const struct errant_logs *logs)
{
    return logs->is_mariadb ? are_places_covered(logs) : gtid_set_is_same(&logs->missing, &logs->errant);
}
