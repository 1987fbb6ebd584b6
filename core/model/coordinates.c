/* Reading and ordering places of a log. */
#include "model/coordinates.h"

#include <string.h>

#include "base/text.h"

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return false;
    }
    return length > 0 && length <= COORDINATES_FILE_MAX;
}

bool coordinates_parse(const char *text, size_t length, struct coordinates_text *ret)
{
    const bool is_detached = length >= 2 && memcmp(text, "//", 2) == 0;
    const char *from = is_detached ? text + 2 : text, *end = text + length;
    const char *colon = end;
    uint64_t offset = 0;
    while (colon > from && colon[-1] != ':')      /* the last one: Windows names have one in front */
        colon--;
    if (colon == from || !is_name(from, (size_t)(colon - 1 - from)) || !text_to_u64(colon, (size_t)(end - colon), &offset))
        return false;
    *ret = (struct coordinates_text){ from, (size_t)(colon - 1 - from), offset, is_detached };
    return true;
}

bool coordinates_are_known(const struct coordinates *place) { return place->file != NULL && place->file[0] != '\0'; }

bool coordinates_file_number(const char *file, uint64_t *ret)
{
    const char *dot = file == NULL ? NULL : strrchr(file, '.');
    return dot != NULL && text_to_u64(dot + 1, strlen(dot + 1), ret);
}

static enum coordinates_order order_of(uint64_t a, uint64_t b)
{
    return a < b ? COORDINATES_BEFORE : a > b ? COORDINATES_AFTER : COORDINATES_SAME;
}

enum coordinates_order coordinates_compare(const struct coordinates *a, const struct coordinates *b)
{
    uint64_t number_a = 0, number_b = 0;
    if (!coordinates_are_known(a) || !coordinates_are_known(b))
        return COORDINATES_UNORDERED;
    if (text_is(a->file, b->file))
        return order_of(a->offset, b->offset);
    if (!coordinates_file_number(a->file, &number_a) || !coordinates_file_number(b->file, &number_b))
        return COORDINATES_UNORDERED;
    const size_t base_a = (size_t)(strrchr(a->file, '.') - a->file), base_b = (size_t)(strrchr(b->file, '.') - b->file);
    if (base_a != base_b || memcmp(a->file, b->file, base_a) != 0)
        return COORDINATES_UNORDERED;
    return number_a == number_b ? order_of(a->offset, b->offset) : order_of(number_a, number_b);
}
