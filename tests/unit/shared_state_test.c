/* Scenes of what all nodes of a raft group hold in common, and of the arithmetic of the lease. No thread, no disk. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/quorum/promise.h"
#include "backends/fleet/fleet_say.h"
#include "backends/quorum/shared_state.h"
#include "backends/quorum/state_text.h"

static struct shared_state state, other;
static uint8_t snapshot[SHARED_STATE_SIZE];

static void fresh(void)
{
    shared_state_init(&state);
    shared_state_init(&other);
}

TestSuite(shared_state, .init = fresh);

struct bytes { uint8_t at[SHARED_ENTRY_SIZE]; size_t length; };

static struct bytes entry(const struct store_request *request, const char *issuer, uint64_t number)
{
    struct shared_entry made;
    struct bytes bytes;
    shared_entry_of(request, issuer, number, &made);
    cr_assert_eq(shared_entry_encode(&made, bytes.at, sizeof bytes.at, &bytes.length), FC_OK);
    return bytes;
}

static struct bytes hold(const char *server, uint64_t seq, const char *issuer, uint64_t number)
{
    struct store_request r = { .deed = STORE_HOLD, .hold = { .pool = "p", .kind = HOLD_MAINT, .epoch = 1, .seq = seq } };
    snprintf(r.hold.server, sizeof r.hold.server, "%s", server);
    return entry(&r, issuer, number);
}

static struct bytes order(enum store_deed deed, uint64_t id, enum order_state answered, const char *answer, uint64_t number)
{
    struct store_request r = { .deed = deed, .order = { .id = id, .state = answered, .text = "maint p/db1", .node = "fc2" } };
    snprintf(r.order.answer, sizeof r.order.answer, "%s", answer);
    return entry(&r, "fc1~aa", number);
}

static enum shared_verdict apply(struct bytes bytes) { return shared_state_apply(&state, bytes.at, bytes.length); }

Test(shared_state, the_higher_hold_stays_whatever_came_last)
{
    cr_assert_eq(apply(hold("db1", 7, "fc1~aa", 1)), SHARED_APPLIED);
    cr_assert_eq(apply(hold("db1", 3, "fc2~bb", 1)), SHARED_APPLIED);
    cr_assert_eq(state.hold_count, 1);
    cr_assert_eq(state.holds[0].seq, 7);
}

Test(shared_state, an_entry_that_comes_again_changes_nothing)
{
    cr_assert_eq(apply(order(STORE_ORDER_LAY, 5, ORDER_ASKED, "", 1)), SHARED_APPLIED);
    cr_assert_eq(apply(order(STORE_ORDER_CLOSE, 5, ORDER_DONE, "it is so", 2)), SHARED_APPLIED);
    cr_assert_eq(apply(order(STORE_ORDER_LAY, 5, ORDER_ASKED, "", 1)), SHARED_REPEATED);
    cr_assert_eq(state.orders[0].state, ORDER_DONE);
    cr_assert_eq(state.repeated, 1);
}

Test(shared_state, entries_of_one_issuer_may_come_out_of_order_but_each_only_once)
{
    static const uint64_t numbers[] = { 3, 1, 2, 70, 69, 8 };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char server[8];
        snprintf(server, sizeof server, "s%zu", i);
        cr_assert_eq(apply(hold(server, 1, "fc1~aa", numbers[i])), SHARED_APPLIED, "number %zu", i);
        cr_assert_eq(apply(hold(server, 2, "fc1~aa", numbers[i])), SHARED_REPEATED, "number %zu", i);
    }
    cr_assert_eq(apply(hold("old", 1, "fc1~aa", 4)), SHARED_REPEATED, "further back than anybody remembers: it is asked again");
}

Test(shared_state, of_two_answers_done_stays)
{
    apply(order(STORE_ORDER_CLOSE, 5, ORDER_REFUSED, "no", 1));
    apply(order(STORE_ORDER_CLOSE, 5, ORDER_DONE, "yes", 2));
    apply(order(STORE_ORDER_CLOSE, 5, ORDER_REFUSED, "no", 3));
    cr_assert_eq(state.orders[0].state, ORDER_DONE);
    cr_assert_str_eq(state.orders[0].answer, "yes");
}

Test(shared_state, when_the_orders_are_too_many_the_oldest_answered_one_goes)
{
    uint64_t number = 1;
    for (uint64_t id = 1; id <= SHARED_ORDERS_MAX; id++)
        apply(order(STORE_ORDER_LAY, id, ORDER_ASKED, "", number++));
    apply(order(STORE_ORDER_CLOSE, 9, ORDER_DONE, "", number++));
    apply(order(STORE_ORDER_LAY, 1000, ORDER_ASKED, "", number++));
    cr_assert_eq(state.order_count, SHARED_ORDERS_MAX);
    for (int i = 0; i < state.order_count; i++)
        cr_assert_neq(state.orders[i].id, 9);
    cr_assert_eq(state.orders[0].id, 1);
}

Test(shared_state, the_newest_lines_of_history_are_kept_in_their_order)
{
    for (uint64_t i = 1; i <= SHARED_HISTORY_MAX + 10; i++) {
        const struct store_request r = { .deed = STORE_HISTORY, .history = { .id = i * 7 % 1000 + 1, .kind = "k" } };
        apply(entry(&r, "fc1~aa", i));
    }
    cr_assert_eq(state.history_count, SHARED_HISTORY_MAX);
    for (int i = 1; i < state.history_count; i++)
        cr_assert_lt(state.history[i - 1].id, state.history[i].id);
}

Test(shared_state, a_snapshot_gives_back_the_same_bytes)
{
    size_t length, again;
    struct fc_err err;
    static uint8_t second[SHARED_STATE_SIZE];
    for (uint64_t i = 1; i < 60; i++) {
        char server[16];
        snprintf(server, sizeof server, "db%d", (int)(i * 37 % 60));
        apply(hold(server, i, i % 2 ? "fc1~aa" : "fc2~bb", i));
        apply(order(STORE_ORDER_LAY, i, ORDER_ASKED, "", 1000 + i));
    }
    cr_assert_eq(shared_state_encode(&state, snapshot, sizeof snapshot, &length), FC_OK);
    cr_assert_eq(shared_state_decode(snapshot, length, &other, &err), FC_OK, "%s", err.text);
    cr_assert_eq(shared_state_encode(&other, second, sizeof second, &again), FC_OK);
    cr_assert(again == length && memcmp(snapshot, second, length) == 0);
}

Test(shared_state, a_full_state_fits_into_a_snapshot)
{
    struct store_request r = { .deed = STORE_HOLD };
    uint64_t number = 1;
    size_t length;
    memset(r.hold.pool, 'p', sizeof r.hold.pool - 1), memset(r.hold.by, 'b', sizeof r.hold.by - 1), memset(r.hold.why, 'w', sizeof r.hold.why - 1);
    for (int i = 0; i < SHARED_HOLDS_MAX + 1; i++) {
        snprintf(r.hold.server, sizeof r.hold.server, "%063d", i);
        cr_assert_eq(apply(entry(&r, "fc1~aa", number++)), i < SHARED_HOLDS_MAX ? SHARED_APPLIED : SHARED_STRANGE);
    }
    r = (struct store_request){ .deed = STORE_ORDER_CLOSE };
    memset(r.order.text, 't', sizeof r.order.text - 1), memset(r.order.by, 'b', sizeof r.order.by - 1);
    memset(r.order.node, 'n', sizeof r.order.node - 1), memset(r.order.answer, 'a', sizeof r.order.answer - 1);
    for (r.order.id = 1; r.order.id <= SHARED_ORDERS_MAX; r.order.id++)
        cr_assert_eq(apply(entry(&r, "fc1~aa", number++)), SHARED_APPLIED);
    r = (struct store_request){ .deed = STORE_HISTORY };
    memset(r.history.text, 't', sizeof r.history.text - 1), memset(r.history.node, 'n', sizeof r.history.node - 1);
    memset(r.history.kind, 'k', sizeof r.history.kind - 1), memset(r.history.subject, 's', sizeof r.history.subject - 1);
    for (r.history.id = 1; r.history.id <= SHARED_HISTORY_MAX; r.history.id++)
        cr_assert_eq(apply(entry(&r, "fc1~aa", number++)), SHARED_APPLIED);
    cr_assert_eq(shared_state_encode(&state, snapshot, sizeof snapshot, &length), FC_OK);
}

Test(shared_state, a_snapshot_with_any_byte_changed_or_cut_off_is_refused)
{
    size_t length;
    struct fc_err err;
    apply(hold("db1", 1, "fc1~aa", 1));
    apply(order(STORE_ORDER_LAY, 5, ORDER_ASKED, "", 2));
    cr_assert_eq(shared_state_encode(&state, snapshot, sizeof snapshot, &length), FC_OK);
    for (size_t i = 0; i < length; i++) {
        snapshot[i] ^= 0x40;
        cr_assert_eq(shared_state_decode(snapshot, length, &other, &err), FC_BAD_INPUT, "byte %zu", i);
        snapshot[i] ^= 0x40;
        cr_assert_eq(shared_state_decode(snapshot, i, &other, &err), FC_BAD_INPUT, "cut at %zu", i);
    }
    cr_assert_eq(other.entries, 0, "and nothing was taken over");
}

Test(shared_state, an_entry_that_nobody_understands_changes_nothing_on_any_node)
{
    struct bytes good = hold("db1", 1, "fc1~aa", 1);
    for (size_t i = 0; i < good.length; i++)
        cr_assert_eq(shared_state_apply(&state, good.at, i), SHARED_STRANGE, "cut at %zu", i);
    cr_assert_eq(state.hold_count, 0);
    cr_assert_eq(state.issuer_count, 0);
    cr_assert_eq(state.strange, good.length);
}

/* ---- words ---------------------------------------------------------------------------------------------------------- */

static struct bytes tag(const char *host, const char *value, int64_t at, bool takes_back, uint64_t number)
{
    struct store_request r = { .deed = STORE_WORD };
    const struct fleet_said said = { .takes_back = takes_back, .at = at, .key = { host, 3306 } };
    struct fc_err err = { 0 };
    cr_assert_eq(fleet_say_tag(&said, "owner", value, &r.word, &err), FC_OK, "%s", err.text);
    return entry(&r, "fc1~aa", number);
}

static struct bytes server(const char *host, int64_t at, bool takes_back, uint64_t number)
{
    struct store_request r = { .deed = STORE_WORD };
    const struct fleet_said said = { .takes_back = takes_back, .at = at, .key = { host, 3306 } };
    struct fc_err err = { 0 };
    cr_assert_eq(fleet_say_server(&said, &r.word, &err), FC_OK, "%s", err.text);
    return entry(&r, "fc1~aa", number);
}

/* "db1=anna db2-" in the order of the rows that a private store is given. */
static const char *words(const struct shared_state *of)
{
    static char text[400];
    struct store_request request;
    text[0] = '\0';
    for (int i = 0; shared_state_row(of, i, &request); i++) {
        struct fleet_row row;
        cr_assert_eq(request.deed, STORE_WORD);
        cr_assert_eq(fleet_word_row(&request.word, &row), FC_OK);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s ", fleet_text(&row, database_instance_tags_hostname),
                 request.word.takes_back ? "-" : "=", fleet_text(&row, database_instance_tags_tag_value));
    }
    return text;
}

Test(shared_state, whom_to_look_at_and_whom_to_forget_is_heard_and_not_kept)
{
    struct shared_entry read;
    struct fleet_row row;
    const struct bytes good = server("db1", 100, true, 1);
    cr_assert_eq(shared_entry_decode(good.at, good.length, &read), FC_OK);
    cr_assert_eq(fleet_word_row(&read.word, &row), FC_OK);
    cr_expect(read.word.takes_back && row.table == FLEET_database_instance);
    cr_expect_str_eq(fleet_text(&row, database_instance_hostname), "db1");
    apply(server("db1", 100, false, 2));
    apply(server("db1", 101, true, 3));
    cr_expect_str_eq(words(&state), "");
}

Test(shared_state, of_two_words_the_newer_stays_whatever_came_last)
{
    cr_assert_eq(apply(tag("db1", "anna", 100, false, 1)), SHARED_APPLIED);
    cr_assert_eq(apply(tag("db1", "berta", 90, false, 2)), SHARED_APPLIED);
    cr_expect_str_eq(words(&state), "db1=anna ");
    cr_assert_eq(apply(tag("db1", "carl", 100, false, 3)), SHARED_APPLIED);
    cr_expect_str_eq(words(&state), "db1=carl ", "within one second the one said last");
    cr_assert_eq(apply(tag("db1", NULL, 101, true, 4)), SHARED_APPLIED);
    cr_expect_str_eq(words(&state), "db1- ", "what was taken back is told to who was away");
    cr_assert_eq(apply(tag("db1", "anna", 100, false, 5)), SHARED_APPLIED);
    cr_expect_str_eq(words(&state), "db1- ");
    cr_assert_eq(apply(tag("db1", "dora", 102, false, 6)), SHARED_APPLIED);
    cr_expect_str_eq(words(&state), "db1=dora ");
}

Test(shared_state, a_maintenance_is_one_word_a_server)
{
    struct store_request r = { .deed = STORE_WORD };
    struct fleet_said said = { .at = 100, .until = 200, .key = { "db1", 3306 }, .owner = "anna", .reason = "disk" };
    cr_assert_eq(fleet_say_maintenance(&said, 7, "fc1", "t", &r.word, NULL), FC_OK);
    cr_assert_eq(apply(entry(&r, "fc1~aa", 1)), SHARED_APPLIED);
    said.at = 150;
    said.takes_back = true;
    cr_assert_eq(fleet_say_maintenance(&said, 8, "fc1", "t", &r.word, NULL), FC_OK);
    cr_assert_eq(apply(entry(&r, "fc1~aa", 2)), SHARED_APPLIED);
    cr_expect_eq(state.word_count, 1);
    cr_expect(state.words[0].takes_back);
}

Test(shared_state, words_come_back_from_a_snapshot_and_one_of_before_has_none)
{
    size_t length, again;
    struct fc_err err;
    static uint8_t second[SHARED_STATE_SIZE];
    for (uint64_t i = 1; i <= 300; i++) {
        char host[16];
        snprintf(host, sizeof host, "db%d", (int)(i * 37 % 100));
        apply(tag(host, i % 7 == 0 ? NULL : "anna", (int64_t)i, i % 7 == 0, i));
    }
    cr_assert_eq(state.word_count, 100);
    cr_assert_eq(shared_state_encode(&state, snapshot, sizeof snapshot, &length), FC_OK);
    cr_assert_eq(shared_state_decode(snapshot, length, &other, &err), FC_OK, "%s", err.text);
    cr_assert_eq(shared_state_encode(&other, second, sizeof second, &again), FC_OK);
    cr_assert(again == length && memcmp(snapshot, second, length) == 0);
}

Test(shared_state, what_was_taken_back_makes_room_and_then_there_is_none)
{
    uint64_t number = 1;
    size_t length;
    for (int i = 0; i < SHARED_WORDS_MAX; i++) {
        char host[16];
        snprintf(host, sizeof host, "db%04d", i);
        cr_assert_eq(apply(tag(host, "anna", 100, i == 77, number++)), SHARED_APPLIED);
    }
    cr_assert_eq(apply(tag("one-more", "anna", 100, false, number++)), SHARED_APPLIED);
    cr_assert_eq(apply(tag("too-many", "anna", 100, false, number++)), SHARED_STRANGE);
    cr_assert_eq(apply(tag("db0001", "berta", 101, false, number++)), SHARED_APPLIED, "a known one is changed all the same");
    cr_assert_eq(state.word_count, SHARED_WORDS_MAX);
    cr_assert_eq(shared_state_encode(&state, snapshot, sizeof snapshot, &length), FC_OK);
}

Test(shared_state, what_has_ended_makes_room_too)
{
    uint64_t number = 1;
    struct store_request r = { .deed = STORE_WORD };
    const struct fleet_said said = { .at = 100, .until = 200, .key = { "worked-on", 3306 }, .owner = "anna", .reason = "disk" };
    cr_assert_eq(fleet_say_downtime(&said, &r.word, NULL), FC_OK);
    cr_assert_eq(apply(entry(&r, "fc1~aa", number++)), SHARED_APPLIED);
    for (int i = 1; i < SHARED_WORDS_MAX; i++) {
        char host[16];
        snprintf(host, sizeof host, "db%04d", i);
        cr_assert_eq(apply(tag(host, "anna", 150, false, number++)), SHARED_APPLIED);
    }
    cr_assert_eq(apply(tag("one-more", "anna", 200, false, number++)), SHARED_STRANGE, "the downtime may still stand");
    cr_assert_eq(apply(tag("one-more", "anna", 201, false, number++)), SHARED_APPLIED);
}

Test(shared_state, that_recoveries_were_seen_never_takes_the_room_of_what_stands)
{
    uint64_t number = 1;
    const struct fleet_said said = { .at = 100, .until = 100, .owner = "anna", .reason = "known" };
    struct fleet_row recovery = fleet_row_of(FLEET_topology_recovery);
    fleet_set_number(&recovery, topology_recovery_recovery_id, 1);
    for (int i = 0; i < SHARED_WORDS_MAX; i++) {
        struct store_request r = { .deed = STORE_WORD };
        char uid[16];
        snprintf(uid, sizeof uid, "u%d", i);
        fleet_set_text(&recovery, topology_recovery_uid, uid);
        cr_assert_eq(fleet_say_seen(&said, &recovery, &r.word, NULL), FC_OK);
        cr_assert_eq(apply(entry(&r, "fc1~aa", number++)), SHARED_APPLIED);
    }
    for (int i = 0; i < 100; i++) {
        char host[16];
        snprintf(host, sizeof host, "db%04d", i);
        cr_assert_eq(apply(tag(host, "anna", 50, false, number++)), SHARED_APPLIED);
    }
}

/* ---- the lease ---------------------------------------------------------------------------------------------------- */

#define AT(ms) ((struct fc_time){ (ms) * 1000 })
#define LEASE fc_ms(300)

Test(promise, a_voter_is_silent_for_one_lease_after_its_start)
{
    struct promise p;
    promise_init(&p, LEASE, AT(1000));
    cr_assert_not(promise_lets_vote(&p, AT(1299)));
    cr_assert(promise_lets_vote(&p, AT(1300)));
}

Test(promise, each_ping_of_the_leader_renews_it_and_an_older_leader_gets_none)
{
    struct promise p;
    promise_init(&p, LEASE, AT(0));
    cr_assert(promise_give(&p, 1, 5, 1000, 5, LEASE, AT(1000)));
    cr_assert(promise_give(&p, 1, 5, 1200, 5, LEASE, AT(1200)));
    cr_assert_not(promise_lets_vote(&p, AT(1499)));
    cr_assert_not(promise_give(&p, 2, 4, 1200, 5, LEASE, AT(1200)));
    cr_assert_not(promise_give(&p, 2, 5, 1200, 5, LEASE, AT(1200)), "one term has one leader");
    cr_assert_not(promise_give(&p, 1, 5, 1200, 6, LEASE, AT(1200)), "raft here knows a later term: its vote may be given");
    cr_assert(promise_give(&p, 2, 6, 1200, 6, LEASE, AT(1200)));
}

Test(promise, only_its_own_leader_and_term_release_it)
{
    struct promise p;
    promise_init(&p, LEASE, AT(0));
    promise_give(&p, 1, 5, 1000, 5, LEASE, AT(1000));
    cr_assert_not(promise_release(&p, 2, 5, 1010, AT(1010)));
    cr_assert_not(promise_release(&p, 1, 4, 1010, AT(1010)));
    cr_assert_not(promise_lets_vote(&p, AT(1010)));
    cr_assert(promise_release(&p, 1, 5, 1010, AT(1010)));
    cr_assert(promise_lets_vote(&p, AT(1010)));
    cr_assert(promise_give(&p, 1, 5, 1020, 5, LEASE, AT(1020)), "a leader that goes on after all is promised to again");
    cr_assert_not(promise_release(&p, 1, 5, 1010, AT(1021)), "a release that was sent before the ping and comes after it");
    cr_assert_not(promise_lets_vote(&p, AT(1020)));
}

Test(promise, the_lease_runs_from_the_ping_that_a_majority_has_answered)
{
    const struct fc_time three[] = { AT(1000), AT(900), FC_EVER };
    const struct fc_time five[] = { AT(1000), AT(700), AT(900), FC_EVER, AT(800) };
    const struct fc_time lonely[] = { AT(1000), FC_EVER, FC_EVER };
    cr_assert_eq(confirmed_until(three, 3, LEASE, 10).us, AT(900 + 270).us);
    cr_assert_eq(confirmed_until(five, 5, LEASE, 10).us, AT(800 + 270).us);
    cr_assert(fc_is_ever(confirmed_until(lonely, 3, LEASE, 10)));
    cr_assert_eq(confirmed_until(three, 1, LEASE, 0).us, AT(1300).us);
}

Test(shared_state, what_was_kept_as_text_is_read_back_and_nothing_that_was_changed)
{
    struct fc_err err = { .code = FC_OK };
    apply(hold("db1", 7, "fc1~aa", 1));
    apply(order(STORE_ORDER_CLOSE, 5, ORDER_DONE, "it is so", 2));
    char *text = state_text_make(&state, "fc1~aa", 12);
    cr_assert_not_null(text);
    const size_t length = strlen(text);
    cr_assert_eq(state_text_read(text, length, &other, &err), FC_OK, "%s", err.text);
    cr_assert_eq(memcmp(&state, &other, sizeof state), 0);
    shared_state_init(&other);
    for (size_t cut = 1; cut < length - 1; cut += 7)
        cr_assert_eq(state_text_read(text, cut, &other, &err), FC_BAD_INPUT, "cut after %zu", cut);
    char *digit = strstr(text, "\nend") - 20;
    *digit = *digit == '0' ? '1' : '0';
    cr_assert_eq(state_text_read(text, length, &other, &err), FC_BAD_INPUT);
    cr_assert_not_null(strstr(err.text, "checksum is wrong"), "%s", err.text);
    cr_assert_eq(state_text_read("firstchair-raft-state 1\nnode a index 1\nbytes 99999999\n", 53, &other, &err), FC_BAD_INPUT);
    cr_assert_eq(state_text_read("", 0, &other, &err), FC_BAD_INPUT);
    cr_assert_eq(other.hold_count + other.order_count, 0, "a refused text changes nothing");
    free(text);
}
