/* Pools and holds: small tables, looked up by name. */
#include "steer/pool.h"

#include <stddef.h>

#include "base/text.h"

static struct hold *row_of(struct holds *holds, const char *pool, const char *server)
{
    for (int i = 0; i < holds->count; i++) {
        if (text_is(holds->list[i].pool, pool) && text_is(holds->list[i].server, server))
            return &holds->list[i];
    }
    return NULL;
}

bool holds_merge(struct holds *holds, const struct hold *hold)
{
    struct hold *row = row_of(holds, hold->pool, hold->server);
    if (row == NULL) {
        if (holds->count == HOLDS_MAX)
            return false;
        row = &holds->list[holds->count++];
    } else if (hold_compare(hold, row) <= 0) {
        return false;
    }
    *row = *hold;
    return true;
}

const struct hold *holds_row(const struct holds *holds, const char *pool, const char *server)
{
    return row_of((struct holds *)holds, pool, server);
}

const struct hold *holds_find(const struct holds *holds, const char *pool, const char *server)
{
    const struct hold *row = holds_row(holds, pool, server);
    return row != NULL && row->kind != HOLD_NONE ? row : NULL;
}

int pool_member_find(const struct pool *pool, const char *name)
{
    for (int i = 0; i < pool->count; i++) {
        if (text_is(pool->members[i].name, name))
            return i;
    }
    return -1;
}
