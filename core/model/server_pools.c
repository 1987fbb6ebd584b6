/* One sorted array. A submission builds the array anew beside the old one, so that it happens wholly or not at all. */
#include "model/server_pools.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void server_pools_init(struct server_pools *p, struct room *room, struct names *names)
{
    *p = (struct server_pools){ .room = room, .names = names };
}

static void drop_member(struct server_pools *p, const struct server_pool_member *member)
{
    names_drop(p->names, member->pool);
    names_drop(p->names, member->host);
}

void server_pools_done(struct server_pools *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        drop_member(p, &p->list[i]);
    if (p->room != NULL)
        room_release(p->room, p->list);
    *p = (struct server_pools){ 0 };
}

static int compare_keys(const void *a, const void *b)
{
    return instance_key_compare(a, b);
}

static enum fc_code check(const struct server_pools *p, const char *pool, const struct instance_key *keys, uint32_t count,
                          struct fc_err *err)
{
    const size_t length = pool == NULL ? 0 : strlen(pool);
    if (length == 0 || length > SERVER_POOL_NAME_MAX)
        return fc_fail(err, FC_BAD_INPUT, "pool '%.64s': a name has 1 to %d bytes", pool == NULL ? "" : pool, SERVER_POOL_NAME_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (!instance_key_is_valid(&keys[i]) || strlen(keys[i].host) > INSTANCE_HOST_MAX)
            return fc_fail(err, FC_BAD_INPUT, "pool '%s': '%.64s:%u' names no server", pool, keys[i].host == NULL ? "" : keys[i].host,
                           keys[i].port);
    }
    if (count > SERVER_POOL_MEMBERS_MAX || p->count > SERVER_POOL_MEMBERS_MAX - count)
        return fc_fail(err, FC_BUSY, "pool '%s': %u members in all pools is the bound", pool, SERVER_POOL_MEMBERS_MAX);
    return FC_OK;
}

/* Sorted keys become members; uses of names are taken for each. How many; -1: no memory, and nothing is held. */
static int64_t make_members(struct server_pools *p, const char *pool, const struct instance_key *sorted, uint32_t count, struct fc_time now,
                            struct fc_time until, struct server_pool_member *to)
{
    int64_t made = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct server_pool_member member = { .port = sorted[i].port, .since = now, .until = until };
        if (i > 0 && instance_key_is_same(&sorted[i - 1], &sorted[i]))
            continue;
        const bool has_pool = names_use(p->names, pool, strlen(pool), &member.pool);
        if (has_pool && names_use(p->names, sorted[i].host, strlen(sorted[i].host), &member.host)) {
            to[made++] = member;
            continue;
        }
        if (has_pool)
            names_drop(p->names, member.pool);
        while (made > 0)
            drop_member(p, &to[--made]);
        return -1;
    }
    return made;
}

static uint32_t first_not_before(const struct server_pools *p, const char *pool)
{
    uint32_t low = 0, high = p->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (strcmp(names_text(p->names, p->list[middle].pool), pool) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t end_of(const struct server_pools *p, uint32_t from, const char *pool)
{
    while (from < p->count && text_is(names_text(p->names, p->list[from].pool), pool))
        from++;
    return from;
}

/* The old content is taken out and the new put in its place. */
static void exchange(struct server_pools *p, const char *pool, struct server_pool_member *list, uint32_t capacity,
                     const struct server_pool_member *fresh, uint32_t count)
{
    const uint32_t from = first_not_before(p, pool), to = end_of(p, from, pool);
    for (uint32_t i = from; i < to; i++)
        drop_member(p, &p->list[i]);
    if (from > 0)
        memcpy(list, p->list, from * sizeof *list);
    if (count > 0)
        memcpy(list + from, fresh, count * sizeof *list);
    if (to < p->count)
        memcpy(list + from + count, p->list + to, (p->count - to) * sizeof *list);
    p->count = from + count + (p->count - to);
    room_release(p->room, p->list);
    p->list = list;
    p->capacity = capacity;
}

enum fc_code server_pools_submit(struct server_pools *p, const char *pool, const struct instance_key *keys, uint32_t count,
                                 struct fc_time now, struct fc_time until, struct fc_err *err)
{
    const enum fc_code code = check(p, pool, keys, count, err);
    if (code != FC_OK)
        return code;
    const uint32_t capacity = p->count + count + 1;
    struct instance_key *sorted = room_reserve(p->room, (count + 1) * sizeof *sorted);
    struct server_pool_member *fresh = room_reserve(p->room, (count + 1) * sizeof *fresh);
    struct server_pool_member *list = room_reserve(p->room, capacity * sizeof *list);
    int64_t made = -1;
    if (sorted != NULL && fresh != NULL && list != NULL) {
        if (count > 0)
            memcpy(sorted, keys, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_keys);
        made = make_members(p, pool, sorted, count, now, until, fresh);
    }
    if (made >= 0)
        exchange(p, pool, list, capacity, fresh, (uint32_t)made);
    else
        room_release(p->room, list);
    room_release(p->room, sorted);
    room_release(p->room, fresh);
    return made >= 0 ? FC_OK : fc_fail(err, FC_NO_MEMORY, "pool '%s': out of memory", pool);
}

bool server_pools_have(const struct server_pools *p, const char *pool, const struct instance_key *key, struct fc_time now)
{
    const bool is_any = text_is(pool, "");
    for (uint32_t i = is_any ? 0 : first_not_before(p, pool); i < p->count; i++) {
        const struct server_pool_member *m = &p->list[i];
        if (!is_any && !text_is(names_text(p->names, m->pool), pool))
            return false;
        if (m->port == key->port && !fc_reached(m->until, now) && text_is(names_text(p->names, m->host), key->host))
            return true;
    }
    return false;
}

struct fc_time server_pools_expire(struct server_pools *p, struct fc_time now)
{
    struct fc_time next = FC_NEVER;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        if (fc_reached(p->list[i].until, now)) {
            drop_member(p, &p->list[i]);
            continue;
        }
        next = fc_earlier(next, p->list[i].until);
        p->list[kept++] = p->list[i];
    }
    p->count = kept;
    return next;
}
