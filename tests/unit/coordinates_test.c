/* Places of logs: read, and ordered only where an order exists. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/coordinates.h"

static enum coordinates_order compared(const char *file_a, uint64_t a, const char *file_b, uint64_t b)
{
    const struct coordinates left = { file_a, a }, right = { file_b, b };
    return coordinates_compare(&left, &right);
}

static bool reads(const char *text, const char *file, uint64_t offset)
{
    struct coordinates_text found;
    return coordinates_parse(text, strlen(text), &found) && found.file_length == strlen(file) &&
           memcmp(found.file, file, found.file_length) == 0 && found.offset == offset;
}

static bool is_refused(const char *text)
{
    struct coordinates_text found;
    return !coordinates_parse(text, strlen(text), &found);
}

Test(coordinates, file_and_offset_are_read)
{
    cr_expect(reads("bin.000012:345", "bin.000012", 345));
    cr_expect(reads("c:\\logs\\bin.000012:0", "c:\\logs\\bin.000012", 0));
    cr_expect(reads("//bin.000012:345", "bin.000012", 345));
}

Test(coordinates, a_detached_place_says_so)
{
    struct coordinates_text found;
    cr_assert(coordinates_parse("//bin.1:4", 9, &found));
    cr_expect(found.is_detached);
    cr_assert(coordinates_parse("bin.1:4", 7, &found));
    cr_expect_not(found.is_detached);
}

Test(coordinates, what_is_no_place_is_refused)
{
    cr_expect(is_refused(""));
    cr_expect(is_refused("bin.000012"));
    cr_expect(is_refused(":5"));
    cr_expect(is_refused("//:5"));
    cr_expect(is_refused("bin.000012:"));
    cr_expect(is_refused("bin.000012:-1"));
    cr_expect(is_refused("bin 12:5"));
    cr_expect(is_refused("bin.000012:99999999999999999999"));
}

Test(coordinates, files_are_ordered_by_their_number_however_long)
{
    cr_expect_eq(compared("bin.000012", 5, "bin.000012", 7), COORDINATES_BEFORE);
    cr_expect_eq(compared("bin.000012", 7, "bin.000012", 7), COORDINATES_SAME);
    cr_expect_eq(compared("bin.000013", 4, "bin.000012", 9000), COORDINATES_AFTER);
    cr_expect_eq(compared("bin.999999", 4, "bin.1000000", 4), COORDINATES_BEFORE);
    cr_expect_eq(compared("my.host.bin.000002", 4, "my.host.bin.000001", 4), COORDINATES_AFTER);
}

Test(coordinates, places_of_different_logs_have_no_order)
{
    cr_expect_eq(compared("bin.000012", 5, "log.000013", 5), COORDINATES_UNORDERED);
    cr_expect_eq(compared("", 0, "bin.000001", 4), COORDINATES_UNORDERED);
    cr_expect_eq(compared("bin", 4, "bin.000001", 4), COORDINATES_UNORDERED);
}
