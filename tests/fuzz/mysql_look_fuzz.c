/* Any bytes as what a server says to a look: a code and one sentence, or facts that are within their bounds.
 *
 * The first two bytes choose the kind of server; the rest is one result set a paragraph: the first line its column names,
 * each further line a row, columns apart by tabs; a lone "-" is NULL. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backends/mysql/mysql_check.h"
#include "backends/mysql/mysql_look.h"
#include "model/decision.h"

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

static const char *end_of(const char *from, const char *end, char at)
{
    const char *found = memchr(from, at, (size_t)(end - from));
    return found == NULL ? end : found;
}

static uint32_t columns_of(const char *line, const char *end)
{
    uint32_t count = 1;
    for (; line < end; line++)
        count += *line == '\t';
    return count;
}

/* One line into `columns` cells: what is missing is NULL, what is too much is left out. */
static bool add_line(struct mysql_rows *rows, const char *line, const char *end, uint32_t columns, bool is_names)
{
    for (uint32_t i = 0; i < columns; i++) {
        const char *stop = end_of(line, end, '\t');
        char name[64] = "";
        const bool is_null = stop == line || (stop == line + 1 && *line == '-');
        bool fits;
        memcpy(name, line, (size_t)(stop - line) < sizeof name ? (size_t)(stop - line) : sizeof name - 1);
        fits = is_names ? mysql_rows_add_name(rows, name)
                        : mysql_rows_add_cell(rows, is_null ? NULL : line, (size_t)(stop - line));
        if (!fits)
            return false;
        line = stop < end ? stop + 1 : end;
    }
    if (!is_names)
        mysql_rows_end_row(rows);
    return true;
}

static void read_sets(struct mysql_rows *rows, const char *from, const char *end)
{
    bool is_begin = true;
    uint32_t columns = 0;
    for (; from < end; from = from < end ? from + 1 : end) {
        const char *stop = end_of(from, end, '\n');
        if (stop == from) {
            is_begin = true;
        } else {
            if (is_begin)
                columns = columns_of(from, stop);
            if (is_begin && !mysql_rows_begin_set(rows, columns))
                return;
            if (!add_line(rows, from, stop, columns, is_begin))
                return;
            is_begin = false;
        }
        from = stop;
    }
}

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
