/* Memory for the core: counted, zeroed, and from one place. The only file of the core that may name malloc's family. */
#include "base/room.h"

#include <assert.h>
#include <stdlib.h>

static void *libc_reserve(void *lender, size_t size)
{
    (void)lender;
    return calloc(1, size);
}

static void libc_release(void *lender, void *memory)
{
    (void)lender;
    free(memory);
}

struct room room_of_libc(void)
{
    return (struct room){ .reserve = libc_reserve, .release = libc_release };
}

void *room_reserve(struct room *room, size_t size)
{
    assert(size > 0);
    room->reserved_count++;
    return room->reserve(room->lender, size);
}

void room_release(struct room *room, void *memory)
{
    if (memory != NULL)
        room->release(room->lender, memory);
}
