/* One sorted array. */
#include "model/host_names.h"

#include <string.h>

#include "model/instance.h"

#define FIRST_CAPACITY 16u

void host_names_init(struct host_names *t, struct room *room, struct names *names)
{
    *t = (struct host_names){ .room = room, .names = names };
}

static void drop_row(struct host_names *t, const struct host_name *row)
{
    names_drop(t->names, row->host);
    names_drop(t->names, row->other);
}

void host_names_clear(struct host_names *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        drop_row(t, &t->list[i]);
    t->count = 0;
}

void host_names_done(struct host_names *t)
{
    host_names_clear(t);
    if (t->room != NULL)
        room_release(t->room, t->list);
    *t = (struct host_names){ 0 };
}

/* Where it is, or where it would be. */
static uint32_t place_of(const struct host_names *t, const char *host, bool *is_there)
{
    uint32_t low = 0, high = t->count;
    *is_there = false;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = strcmp(names_text(t->names, t->list[middle].host), host);
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_host(const char *text)
{
    const char *host;
    size_t length;
    uint16_t port;
    const size_t whole = text == NULL ? 0 : strlen(text);
    return whole > 0 && whole <= INSTANCE_HOST_MAX && strpbrk(text, "[]") == NULL &&
           instance_key_parse(text, whole, 1, &host, &length, &port) && length == whole;
}

static bool has_room(struct host_names *t)
{
    if (t->count < t->capacity)
        return true;
    const uint32_t capacity = t->capacity == 0 ? FIRST_CAPACITY : t->capacity * 2;
    struct host_name *list = room_reserve(t->room, capacity * sizeof *list);
    if (list == NULL)
        return false;
    if (t->count > 0)
        memcpy(list, t->list, t->count * sizeof *list);
    room_release(t->room, t->list);
    t->list = list;
    t->capacity = capacity;
    return true;
}

static bool insert(struct host_names *t, uint32_t place, const char *host, const char *other, struct fc_time now, struct fc_time until)
{
    struct host_name row = { .since = now, .until = until };
    if (!has_room(t) || !names_use(t->names, host, strlen(host), &row.host))
        return false;
    if (!names_use(t->names, other, strlen(other), &row.other)) {
        names_drop(t->names, row.host);
        return false;
    }
    memmove(&t->list[place + 1], &t->list[place], (t->count - place) * sizeof *t->list);
    t->list[place] = row;
    t->count++;
    return true;
}

enum fc_code host_names_set(struct host_names *t, const char *host, const char *other, struct fc_time now, struct fc_time until,
                            struct fc_err *err)
{
    bool is_there;
    if (!is_host(host) || !is_host(other))
        return fc_fail(err, FC_BAD_INPUT, "'%.64s' is no host name", is_host(host) ? other == NULL ? "" : other : host == NULL ? "" : host);
    const uint32_t place = place_of(t, host, &is_there);
    if (!is_there && t->count == HOST_NAMES_MAX)
        return fc_fail(err, FC_BUSY, "host '%s': %u names is the bound", host, HOST_NAMES_MAX);
    if (!is_there && !insert(t, place, host, other, now, until))
        return fc_fail(err, FC_NO_MEMORY, "host '%s': out of memory", host);
    if (is_there && !names_set(t->names, &t->list[place].other, other))
        return fc_fail(err, FC_NO_MEMORY, "host '%s': out of memory", host);
    t->list[place].since = now;
    t->list[place].until = until;
    return FC_OK;
}

static void take_out(struct host_names *t, uint32_t place)
{
    drop_row(t, &t->list[place]);
    memmove(&t->list[place], &t->list[place + 1], (t->count - place - 1) * sizeof *t->list);
    t->count--;
}

bool host_names_remove(struct host_names *t, const char *host)
{
    bool is_there;
    const uint32_t place = place_of(t, host, &is_there);
    if (is_there)
        take_out(t, place);
    return is_there;
}

const char *host_names_of(const struct host_names *t, const char *host, struct fc_time now)
{
    bool is_there;
    const uint32_t place = place_of(t, host, &is_there);
    return is_there && !fc_reached(t->list[place].until, now) ? names_text(t->names, t->list[place].other) : "";
}

struct fc_time host_names_expire(struct host_names *t, struct fc_time now)
{
    struct fc_time next = FC_NEVER;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (fc_reached(t->list[i].until, now)) {
            drop_row(t, &t->list[i]);
            continue;
        }
        next = fc_earlier(next, t->list[i].until);
        t->list[kept++] = t->list[i];
    }
    t->count = kept;
    return next;
}
