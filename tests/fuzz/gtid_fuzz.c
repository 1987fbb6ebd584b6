/* Any bytes as GTIDs: refused, or a set that is printed and read again as the same one, and answers for itself. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/gtid.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct gtid_set set_with(size_t room)
{
    return (struct gtid_set){ calloc(room + 1, sizeof(struct gtid_interval)), 0, room };
}

static void read_set(const char *text, size_t length)
{
    struct gtid_set set = set_with(gtid_set_bound(text, length));
    if (gtid_set_parse(text, length, &set)) {
        const size_t size = set.count * 120 + 1;
        char *printed = malloc(size);
        assert(gtid_set_write(&set, printed, size));
        struct gtid_set again = set_with(gtid_set_bound(printed, strlen(printed)));
        assert(gtid_set_parse(printed, strlen(printed), &again));
        assert(gtid_set_is_same(&set, &again));
        struct gtid_set rest = set_with(set.count * 2);
        assert(gtid_set_subtract(&set, &again, &rest) && rest.count == 0);
        assert(set.count == 0 || gtid_set_count(&set) > 0);
        free(rest.list);
        free(again.list);
        free(printed);
    }
    free(set.list);
}

static void read_places(const char *text, size_t length)
{
    const size_t room = gtid_places_bound(text, length);
    struct gtid_place *places = calloc(room, sizeof *places);
    size_t count = 0;
    if (gtid_places_parse(text, length, places, room, &count))
        assert(count <= room && gtid_places_reach(places, count, places, count));
    free(places);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    read_set((const char *)bytes, length);
    read_places((const char *)bytes, length);
    return 0;
}
