/* The only way by which the core gets memory: an allocator lent at start. A step that adds nothing new asks for nothing. */
#ifndef FC_BASE_ROOM_H
#define FC_BASE_ROOM_H

#include <stddef.h>
#include <stdint.h>

struct room {
    void *(*reserve)(void *lender, size_t size);   /* zeroed memory, or NULL */
    void (*release)(void *lender, void *memory);
    void *lender;
    uint64_t reserved_count;                       /* how often memory was asked for: benches watch that it stands still */
};

struct room room_of_libc(void);                    /* calloc and free */
void *room_reserve(struct room *room, size_t size);
void room_release(struct room *room, void *memory);

#endif
