/* Any bytes as what a server says to a look: a code and one sentence, or facts that are within their bounds.
 *
 * The first two bytes choose the kind of server; the rest is its rows as text (rows_text.h). */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backends/mysql/mysql_check.h"
#include "backends/mysql/mysql_look.h"
#include "model/decision.h"
#include "rows_text.h"

#define PEERS 1

/* The same rows taken for those of a check: every value ends, and nothing that disturbs a line is in it. */
static void check(const struct mysql_rows *rows, int set_count, const struct look_shape *shape)
{
    static struct server_settings settings;
    const struct check_times times = { 1790000000000, 1790000000010 };
    if (!mysql_check_fold(rows, set_count, shape, "fence", "fc", times, &settings))
        return;
    for (int i = 0; i < SETTING_COUNT; i++) {
        assert(memchr(settings.value[i], '\0', sizeof settings.value[i]) != NULL);
        for (const char *c = settings.value[i]; *c != '\0'; c++)
            assert(*c >= ' ' && *c <= '~');
    }
    assert(settings.uptime_s >= -1 && settings.clock_error_ms >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char peers[PEERS][ADDRESS_SIZE] = { "10.0.1.2:3306" };
    struct mysql_rows rows = { 0 };
    struct server_look look;
    struct fc_err err = { .code = FC_OK };

    if (size < 2)
        return 0;
    const struct mysql_server_kind kind = { .is_mariadb = (bytes[0] & 1) != 0, .is_new_names = (bytes[0] & 2) != 0,
                                            .has_gtid = (bytes[0] & 4) != 0, .identity = "one", .version = "10.11" };
    const struct look_shape shape = { .kind = &kind, .has_replication = (bytes[1] & 1) != 0, .has_use = (bytes[1] & 2) != 0,
                                      .has_boot = (bytes[1] & 8) != 0,
                                      .peer_count = PEERS, .peers = peers };
    read_sets(&rows, (const char *)bytes + 2, (const char *)bytes + size);
    const enum fc_code code = mysql_look_fold(&rows, &shape, (bytes[1] & 4) != 0, &look, &err);
    mysql_fold_applier_waits(&rows, 2, &shape);
    check(&rows, bytes[1] >> 4, &shape);
    mysql_rows_done(&rows);

    assert((code == FC_OK) == (err.code == FC_OK));
    assert(code == FC_OK || err.text[0] != '\0');
    if (code != FC_OK)
        return 0;
    assert(look.hold_count >= 0 && look.hold_count <= HOLDS_MAX && look.order_count >= 0 && look.order_count <= ORDERS_MAX);
    assert(decision_is_sound(&look.lease));
    assert(look.replica.lag_ms >= -1);
    assert(memchr(look.gtid, '\0', sizeof look.gtid) != NULL && memchr(look.replica.error, '\0', sizeof look.replica.error));
    for (int i = 0; i < look.hold_count; i++)
        assert((unsigned)look.holds[i].kind < HOLD_KIND_COUNT);
    return 0;
}
