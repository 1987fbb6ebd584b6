/* The event log: what a core was told, as bytes, so that a production incident can be replayed. Pure: bytes in, bytes out.
 *
 * The bytes are this build's own structs, named as such in the header: a log is replayed by the build that wrote it (its
 * version and sizes are checked), not kept as an archive. Secrets do not come here: the configuration is written without
 * them. */
#ifndef FC_CORE_RECORD_H
#define FC_CORE_RECORD_H

#include <stddef.h>

#include "base/err.h"
#include "core/event.h"

#define RECORD_HEADER_SIZE 64
#define RECORD_ENTRY_MAX (512 * 1024)        /* STARTED with its configuration is the largest */

struct record_header { unsigned char bytes[RECORD_HEADER_SIZE]; };

/* Fills the header of this build. */
void record_header_make(struct record_header *header);
/* Was it written by a build whose shapes are ours? */
enum fc_code record_header_check(const struct record_header *header, struct fc_err *err);

/* One entry. Returns its length, 0 when it does not fit. */
size_t record_encode(const struct event *event, unsigned char *to, size_t size);

/* What a decoded event borrows: keep one per reader. */
struct record_room;
struct record_room *record_room_new(void *(*reserve)(size_t));
/* Reads one entry from (bytes, length). Returns the bytes used, 0 when more are needed; (size_t)-1 when it is no entry. */
size_t record_decode(const unsigned char *bytes, size_t length, struct record_room *room, struct event *ret);

#endif
