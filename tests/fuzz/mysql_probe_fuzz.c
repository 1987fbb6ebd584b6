/* Any bytes as what a server says to a probe: no server, or an observation within its bounds that can be kept, is the same as its
 * copy, and lists nobody twice as itself.
 *
 * Each of the first bytes chooses the set of one part (an odd one: it was not answered); the rest is its rows as text. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backends/mysql/mysql_probe_fold.h"
#include "rows_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct instance_seen *seen)
{
    struct room room = room_of_libc();
    struct instance_kept kept = { 0 };
    assert(seen->version_text != NULL && seen->version_text[0] != '\0' && (unsigned)seen->flavour < FLAVOUR_COUNT);
    assert(seen->channel_count <= INSTANCE_CHANNELS_MAX && seen->member_count <= INSTANCE_MEMBERS_MAX);
    assert(seen->replica_count <= INSTANCE_REPLICAS_MAX);
    for (uint32_t i = 0; i < seen->channel_count; i++)
        assert(seen->channels[i].lag_s >= -1 && seen->channels[i].delay_s >= 0 && seen->channels[i].sql != THREAD_CONNECTING);
    for (uint32_t i = 0; i < seen->replica_count; i++)
        assert(seen->replicas[i].how != 0 && !instance_key_is_same(&seen->replicas[i].key, &seen->key));
    assert(instance_keep(&room, &kept, seen) && instance_is_same(kept.seen, seen));
    instance_release(&room, &kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct probe_scratch scratch;
    struct mysql_rows rows = { 0 };
    struct part_sets sets;
    struct instance_seen seen = { .key = { "db1", 3306 }, .trouble = "" };

    if (size < PART_COUNT)
        return 0;
    for (int i = 0; i < PART_COUNT; i++)
        sets.of[i] = bytes[i] % 2 == 1 ? -1 : bytes[i] / 2 % 16;
    read_sets(&rows, (const char *)bytes + PART_COUNT, (const char *)bytes + size);
    mysql_probe_variables(&rows, sets.of[PART_VARIABLES]);
    mysql_probe_lacks_hosts(&rows, sets.of[PART_REPLICA_LIST]);
    if (mysql_probe_fold(&rows, &sets, &scratch, &seen))
        check(&seen);
    mysql_rows_done(&rows);
    return 0;
}
