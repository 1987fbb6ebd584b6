/* A room that lends so often and then no more; the libc's room is its lender. */
#ifndef FC_TESTS_SCARCE_ROOM_H
#define FC_TESTS_SCARCE_ROOM_H

#include "base/room.h"

static int lent;                     /* how often it still lends */

static void *reserve_some(void *lender, size_t size)
{
    struct room *libc = lender;
    return lent-- > 0 ? libc->reserve(libc->lender, size) : NULL;
}

static void release_some(void *lender, void *memory)
{
    struct room *libc = lender;
    libc->release(libc->lender, memory);
}

static struct room scarce_room(struct room *libc)
{
    return (struct room){ .reserve = reserve_some, .release = release_some, .lender = libc };
}

#endif
