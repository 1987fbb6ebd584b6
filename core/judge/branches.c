/* Found by halving. */
#include "judge/branches.h"

#include <string.h>

static uint32_t master_of(const void *rows, size_t row_size, uint32_t at)
{
    uint32_t master;
    memcpy(&master, (const char *)rows + at * row_size, sizeof master);
    return master;
}

uint32_t branches_below(const void *rows, size_t row_size, uint32_t count, uint32_t master, uint32_t *end)
{
    uint32_t from = 0, to = count;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (master_of(rows, row_size, middle) < master)
            from = middle + 1;
        else
            to = middle;
    }
    for (*end = from; *end < count && master_of(rows, row_size, *end) == master;)
        ++*end;
    return from;
}
