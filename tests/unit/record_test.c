/* The event log's entries: what was told comes back the same, and bytes that were altered are refused. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/config.h"
#include "core/record.h"

static unsigned char bytes[RECORD_ENTRY_MAX];
static struct event back;
static struct record_room *kept;

static void *reserve(size_t size) { return calloc(1, size); }

static void set_up(void) { kept = record_room_new(reserve); }
static void tear_down(void) { free(kept); }

TestSuite(record, .init = set_up, .fini = tear_down);

/* Written and read again; the length is told. */
static size_t over_and_back(const struct event *event)
{
    memset(&back, 0x55, sizeof back);
    const size_t length = record_encode(event, bytes, sizeof bytes);
    cr_assert_gt(length, 0, "%s does not fit", event_type_word(event->type));
    cr_assert_eq(record_decode(bytes, length, kept, &back), length);
    cr_assert_eq(back.type, event->type);
    cr_expect_eq(back.at.us, event->at.us);
    cr_expect_eq(back.unix_ms, event->unix_ms);
    return length;
}

Test(record, a_start_brings_its_configuration_its_node_and_its_seed)
{
    static struct config config;
    config_preset(&config);
    config.lease_ms = 1234;
    TEXT_SET(config.mysql_password, "open sesame");
    struct event event = { .type = STARTED, .at = { 5 }, .unix_ms = 6 };
    event.as.started.config = &config;
    event.as.started.node = "fc1~aaaa";
    event.as.started.seed = 77;

    const size_t length = over_and_back(&event);
    cr_expect_eq(back.as.started.config->lease_ms, 1234);
    cr_expect_str_eq(back.as.started.node, "fc1~aaaa");
    cr_expect_eq(back.as.started.seed, 77);
    cr_expect_str_eq(back.as.started.config->mysql_password, "", "no secret goes to disk");
    cr_expect_eq(memmem(bytes, length, "open sesame", 11), NULL);
    cr_expect_str_eq(config.mysql_password, "open sesame", "the one in force is untouched");
}

Test(record, a_reload_without_a_node_is_a_reload)
{
    static struct config config;
    config_preset(&config);
    struct event event = { .type = RELOADED };
    event.as.started.config = &config;

    over_and_back(&event);
    cr_expect_eq(back.as.started.config->poll_ms, config.poll_ms);
    cr_expect_str_eq(back.as.started.node, "");
}

Test(record, a_look_comes_back_whole)
{
    static struct server_look look;
    look.is_read_only = true;
    look.hold_count = 1;
    TEXT_SET(look.identity, "uid:a/1");
    TEXT_SET(look.holds[0].by, "ann");
    look.lease.rank.epoch = 9;
    struct event event = { .type = SERVER_SEEN, .at = { 1 } };
    event.as.seen.server = 1;
    event.as.seen.look = &look;

    over_and_back(&event);
    cr_expect_eq(back.as.seen.server, 1);
    cr_expect_eq(memcmp(back.as.seen.look, &look, sizeof look), 0);
    cr_expect_neq(back.as.seen.look, &look);
}

Test(record, a_loss_keeps_its_kind_and_its_sentence)
{
    struct event event = { .type = SERVER_LOST };
    event.as.lost.server = 1;
    event.as.lost.loss = LOSS_REFUSED;
    TEXT_SET(event.as.lost.text, "connection refused");

    over_and_back(&event);
    cr_expect_eq(back.as.lost.loss, LOSS_REFUSED);
    cr_expect_str_eq(back.as.lost.text, "connection refused");
}

Test(record, leases_and_denials_keep_epoch_place_and_reason)
{
    struct event granted = { .type = LEASE_GRANTED }, denied = { .type = LEASE_DENIED }, silent = { .type = STORE_SILENT };
    granted.as.lease.epoch = 8;
    granted.as.lease.place = 1;
    TEXT_SET(denied.as.denied.leader, "fc2~bbbb");
    TEXT_SET(silent.as.denied.why, "nothing was confirmed");

    over_and_back(&granted);
    cr_expect_eq(back.as.lease.epoch, 8);
    cr_expect_eq(back.as.lease.place, 1);
    over_and_back(&denied);
    cr_expect_str_eq(back.as.denied.leader, "fc2~bbbb");
    over_and_back(&silent);
    cr_expect_str_eq(back.as.denied.why, "nothing was confirmed");
}

Test(record, a_chair_keeps_its_row_and_its_term)
{
    struct event granted = { .type = CHAIR_GRANTED }, revoked = { .type = CHAIR_REVOKED };
    granted.as.chair.decision.rank.epoch = 4;
    granted.as.chair.until = (struct fc_time){ 1500 };
    revoked.as.chair.decision.phase = PHASE_MOVING;
    TEXT_SET(revoked.as.chair.decision.successor, "uid:b/2");

    over_and_back(&granted);
    cr_expect_eq(back.as.chair.decision.rank.epoch, 4);
    cr_expect_eq(back.as.chair.until.us, 1500);
    over_and_back(&revoked);
    cr_expect_str_eq(back.as.chair.decision.successor, "uid:b/2");
}

Test(record, a_deeds_end_keeps_its_id_its_code_and_its_position)
{
    struct event event = { .type = DEED_ENDED };
    event.as.ended.deed = DEED_FENCE;
    event.as.ended.id = 42;
    event.as.ended.code = FC_TIMEOUT;
    event.as.ended.position.offset = 400;

    over_and_back(&event);
    cr_expect_eq(back.as.ended.deed, DEED_FENCE);
    cr_expect_eq(back.as.ended.id, 42);
    cr_expect_eq(back.as.ended.code, FC_TIMEOUT);
    cr_expect_eq(back.as.ended.position.offset, 400);
}

Test(record, an_order_comes_back_as_text_with_its_end)
{
    struct event event = { .type = ORDER_GIVEN };
    event.as.order.ticket = 3;
    event.as.order.text = "switch fc_backend db2 and more that is not part of it";
    event.as.order.length = 21;
    event.as.order.may_change = true;

    over_and_back(&event);
    cr_expect_str_eq(back.as.order.text, "switch fc_backend db2");
    cr_expect_eq(back.as.order.length, 21);
    cr_expect(back.as.order.may_change);
}

Test(record, an_empty_order_is_an_order)
{
    struct event event = { .type = ORDER_GIVEN };
    event.as.order.text = "";

    over_and_back(&event);
    cr_expect_str_eq(back.as.order.text, "");
}

Test(record, a_proxys_view_keeps_its_rows)
{
    static struct proxy_row rows[2] = { { .server = "db1", .is_usable = true }, { .server = "db2" } };
    struct event seen = { .type = PROXY_SEEN }, lost = { .type = PROXY_LOST };
    seen.as.proxy.proxy = 3;
    seen.as.proxy.count = 2;
    seen.as.proxy.rows = rows;
    lost.as.proxy_lost.proxy = 2;

    over_and_back(&seen);
    cr_expect_eq(back.as.proxy.count, 2);
    cr_expect(back.as.proxy.rows[0].is_usable);
    cr_expect_str_eq(back.as.proxy.rows[1].server, "db2");
    over_and_back(&lost);
    cr_expect_eq(back.as.proxy_lost.proxy, 2);
}

Test(record, a_bell_and_a_stop_need_no_more_than_their_moment)
{
    const struct event woken = { .type = WOKEN, .at = { 7 }, .unix_ms = 8 }, stop = { .type = STOP_ASKED, .at = { 9 } };
    over_and_back(&woken);
    over_and_back(&stop);
}

/* ---- bytes that are not what was written ---- */

static const struct event woken = { .type = WOKEN, .at = { 7 } };

Test(record, what_does_not_fit_is_not_written)
{
    const size_t length = record_encode(&woken, bytes, sizeof bytes);
    cr_expect_eq(record_encode(&woken, bytes, length), length);
    cr_expect_eq(record_encode(&woken, bytes, length - 1), 0);
}

Test(record, a_part_of_an_entry_asks_for_more_at_every_length)
{
    const size_t length = record_encode(&woken, bytes, sizeof bytes);
    for (size_t part = 0; part < length; part++)
        cr_assert_eq(record_decode(bytes, part, kept, &back), 0, "%zu of %zu bytes", part, length);
}

Test(record, one_altered_byte_anywhere_is_never_taken_for_what_was_told)
{
    struct event event = { .type = ORDER_GIVEN };
    event.as.order.text = "yield";
    event.as.order.length = 5;
    const size_t length = record_encode(&event, bytes, sizeof bytes);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 0x20;
        const size_t used = record_decode(bytes, length, kept, &back);
        cr_assert(used == 0 || used == (size_t)-1, "byte %zu of %zu", i, length);
        bytes[i] ^= 0x20;
    }
    cr_expect_eq(record_decode(bytes, length, kept, &back), length);
}

Test(record, an_event_that_cannot_be_is_refused)
{
    struct event event = { .type = EVENT_TYPE_COUNT };
    size_t length = record_encode(&event, bytes, sizeof bytes);
    cr_expect_eq(record_decode(bytes, length, kept, &back), (size_t)-1);

    event = (struct event){ .type = SERVER_LOST };
    event.as.lost.server = STORE_SERVERS_MAX;
    length = record_encode(&event, bytes, sizeof bytes);
    cr_expect_eq(record_decode(bytes, length, kept, &back), (size_t)-1);

    event = (struct event){ .type = PROXY_LOST };
    event.as.proxy_lost.proxy = -1;
    length = record_encode(&event, bytes, sizeof bytes);
    cr_expect_eq(record_decode(bytes, length, kept, &back), (size_t)-1);
}

Test(record, an_order_longer_than_any_is_refused)
{
    static char text[4000];
    struct event event = { .type = ORDER_GIVEN };
    memset(text, 'x', sizeof text);
    event.as.order.text = text;
    event.as.order.length = sizeof text;
    const size_t length = record_encode(&event, bytes, sizeof bytes);
    cr_expect_eq(record_decode(bytes, length, kept, &back), (size_t)-1);
}

Test(record, a_length_beyond_all_bounds_is_no_entry)
{
    memset(bytes, 0xff, 64);
    cr_expect_eq(record_decode(bytes, sizeof bytes, kept, &back), (size_t)-1);
}

Test(record, a_header_of_ours_is_ours_and_others_are_told_apart)
{
    struct record_header header;
    struct fc_err err = { .code = FC_OK };
    record_header_make(&header);
    cr_expect_eq(record_header_check(&header, &err), FC_OK);
    header.bytes[33] ^= 1;
    cr_expect_eq(record_header_check(&header, &err), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "this event log was written by another build; replay it with that one");
    header.bytes[0] ^= 1;
    cr_expect_eq(record_header_check(&header, &err), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "this is no event log of firstchair");
}

Test(record, a_check_brings_its_settings_or_why_there_are_none)
{
    static struct server_settings settings = { .uptime_s = 12 };
    TEXT_SET(settings.value[SETTING_BINLOG_FORMAT], "STATEMENT");
    struct event event = { .type = SERVER_CHECKED, .at = { 5 } };
    event.as.checked.server = 1;
    event.as.checked.settings = &settings;
    over_and_back(&event);
    cr_assert(back.as.checked.settings != NULL && back.as.checked.settings != &settings);
    cr_expect_eq(back.as.checked.settings->uptime_s, 12);
    cr_expect_str_eq(back.as.checked.settings->value[SETTING_BINLOG_FORMAT], "STATEMENT");
    event.as.checked.settings = NULL;
    event.as.checked.loss = LOSS_DENIED;
    over_and_back(&event);
    cr_expect(back.as.checked.settings == NULL && back.as.checked.loss == LOSS_DENIED);
}
