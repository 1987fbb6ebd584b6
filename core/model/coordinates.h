/* A place in a binary or relay log: a file and an offset, as servers write it ("bin.000012:345").
 *
 * Files of one server are ordered by the number behind their last dot, of any length (bin.999999 comes before bin.1000000);
 * places of two servers, or of two base names, have no order. */
#ifndef FC_MODEL_COORDINATES_H
#define FC_MODEL_COORDINATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COORDINATES_FILE_MAX 255     /* bytes of a file's name; servers keep the name alone, not its folder, below that */

struct coordinates {
    const char *file;                /* NULL or "": not known. Borrowed, or in the block of an instance */
    uint64_t offset;                 /* bytes */
};

struct coordinates_text {            /* of a text that was read: the file's name stays where it stood */
    const char *file;
    size_t file_length;
    uint64_t offset;
    bool is_detached;                /* "//file:offset", how older tools mark a replica that they took off its master */
};

/* FILE:OFFSET, all of it. False: no file, no offset, a blank or control byte in the name, a number that is none. */
bool coordinates_parse(const char *text, size_t length, struct coordinates_text *ret);

bool coordinates_are_known(const struct coordinates *place);

enum coordinates_order { COORDINATES_BEFORE = -1, COORDINATES_SAME = 0, COORDINATES_AFTER = 1, COORDINATES_UNORDERED = 2 };
/* UNORDERED when one is not known or the base names differ. */
enum coordinates_order coordinates_compare(const struct coordinates *a, const struct coordinates *b);

/* The number behind the last dot. False: there is none. */
bool coordinates_file_number(const char *file, uint64_t *ret);

#endif
