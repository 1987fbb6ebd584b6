/* The scenes of the store's contract. Each starts with a store that nobody has prepared. */
#include "store_contract.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backends/fleet/fleet_say.h"
#include "backends/sql_statements.h"
#include "base/text.h"

#define MS_LONG 10000

/* ---- the bench ---- */

void bench_heard(void *owner, const struct store_result *result)
{
    struct bench *b = owner;
    b->result = *result;
    b->heard_id = result->id;
    b->heard_count++;
    b->went_well_count += result->code == FC_OK;
    if (result->settings != NULL)
        b->settings = *result->settings;
    if (result->rows != NULL)
        cr_assert(mysql_rows_copy(&b->rows, result->rows));
    if (result->look != NULL)
        b->look = *result->look;
    if (result->history != NULL)
        b->history = *result->history;
}

static bool has_heard(void *owner)
{
    struct bench *b = owner;
    return b->heard_id == b->asked_id;
}

struct store *bench_open_another(struct bench *b)
{
    cr_assert_lt(b->store_count, BENCH_STORES_MAX);
    return b->stores[b->store_count++] = b->open(b);
}

void bench_open(struct bench *b)
{
    pump_open(&b->pump, 2);
    bench_open_another(b);
}

void bench_close_first(struct bench *b)
{
    store_close(b->stores[0]);
    memmove(b->stores, b->stores + 1, sizeof b->stores - sizeof b->stores[0]);
    b->store_count--;
}

void bench_close(struct bench *b)
{
    while (b->store_count > 0)
        bench_close_first(b);
    pump_close(&b->pump);
}

const struct store_result *bench_ask(struct bench *b, int n, struct store_request request)
{
    request.id = ++b->asked_id;
    if (request.limit_ms == 0)
        request.limit_ms = 4000;                         /* of a busy machine */
    request.by_fence = b->by_fence;
    const int before = b->heard_count;
    store_ask(b->stores[n], &request);
    cr_assert_eq(b->heard_count, before, "never from within store_ask");
    cr_assert(pump_until(&b->pump, has_heard, b, MS_LONG), "%s was never answered", store_deed_word(request.deed));
    cr_assert_eq(b->heard_count, before + 1);
    cr_assert_eq(b->result.deed, request.deed);
    return &b->result;
}

const struct server_look *bench_look(struct bench *b, int n, int server)
{
    const struct store_result *r = bench_ask(b, n, (struct store_request){ .deed = STORE_LOOK, .server = server });
    cr_assert_eq(r->code, FC_OK, "%s", r->text);
    return &b->look;
}

struct decision row_of(uint64_t epoch, uint64_t seq, const char *node)
{
    struct decision row = { .rank = { .epoch = epoch, .seq = seq }, .phase = PHASE_SEATED };
    TEXT_SET(row.rank.server, "server-1");
    TEXT_SET(row.rank.node, node);
    TEXT_SET(row.why, "a scene");
    return row;
}

const char *row_words(const struct decision *row)
{
    static char words[160];
    TEXT_FORMAT(words, "e=%" PRIu64 " s=%" PRIu64 " %s %s", row->rank.epoch, row->rank.seq, row->rank.node,
                phase_word(row->phase));
    return words;
}

static const struct store_result *prepare(struct bench *b)
{
    const struct store_result *r = bench_ask(b, 0, (struct store_request){ .deed = STORE_PREPARE });
    cr_assert_eq(r->code, FC_OK, "%s", r->text);
    return r;
}

static const struct store_result *renew(struct bench *b, struct decision row)
{
    return bench_ask(b, 0, (struct store_request){ .deed = STORE_RENEW, .row = row });
}

static const struct store_result *take(struct bench *b, int n, struct decision old, struct decision row)
{
    return bench_ask(b, n, (struct store_request){ .deed = STORE_TAKE, .old = old, .row = row });
}

#define OK(result) do { const struct store_result *r_ = (result); cr_assert_eq(r_->code, FC_OK, "%s", r_->text); } while (0)
#define REFUSED(result) cr_assert_eq((result)->code, FC_REFUSED)
#define STORED(b, words) cr_assert_str_eq(row_words(&bench_look((b), 0, 0)->lease), (words))
#define ZERO ((struct decision){ .phase = PHASE_SEATED })

/* ---- the lease ---- */

void contract_a_store_without_tables_is_looked_at_without_an_error(struct bench *b)
{
    const struct server_look *look = bench_look(b, 0, 0);
    cr_expect_not(look->has_schema);
    cr_expect_str_neq(look->identity, "");
    cr_expect_str_neq(look->version, "");
}

void contract_prepare_can_be_repeated_and_lays_the_zero_row(struct bench *b)
{
    prepare(b);
    cr_expect(bench_look(b, 0, 0)->has_schema);
    STORED(b, "e=0 s=0  seated");
    OK(take(b, 0, ZERO, row_of(1, 1, "fc1~a")));

    prepare(b);

    STORED(b, "e=1 s=1 fc1~a seated");
}

void contract_the_lease_is_taken_from_zero(struct bench *b)
{
    prepare(b);
    const struct store_result *r = take(b, 0, ZERO, row_of(1, 1, "fc1~a"));
    cr_expect_eq(r->code, FC_OK, "%s", r->text);
    cr_expect_str_eq(row_words(&r->stored), "e=1 s=1 fc1~a seated");
    STORED(b, "e=1 s=1 fc1~a seated");
}

void contract_a_take_with_a_stale_old_is_refused_and_shows_what_stands(struct bench *b)
{
    prepare(b);
    OK(take(b, 0, ZERO, row_of(1, 1, "fc1~a")));
    OK(renew(b, row_of(1, 2, "fc1~a")));

    const struct store_result *r = take(b, 0, row_of(1, 1, "fc1~a"), row_of(2, 1, "fc2~b"));

    cr_expect_eq(r->code, FC_REFUSED);
    cr_expect_str_eq(row_words(&r->stored), "e=1 s=2 fc1~a seated");
    cr_expect_str_neq(r->text, "");
    STORED(b, "e=1 s=2 fc1~a seated");
}

void contract_a_renewal_only_raises(struct bench *b)
{
    prepare(b);
    OK(renew(b, row_of(3, 5, "fc1~a")));
    REFUSED(renew(b, row_of(3, 4, "fc1~a")));
    REFUSED(renew(b, row_of(2, 900, "fc2~b")));
    STORED(b, "e=3 s=5 fc1~a seated");
    REFUSED(renew(b, row_of(3, 5, "fc0~z")));            /* the same turn: the higher name stands */
    OK(renew(b, row_of(3, 10, "fc1~a")));                /* 10 after 9, not after 1 */
    STORED(b, "e=3 s=10 fc1~a seated");
}

void contract_a_repeated_write_is_the_same_write(struct bench *b)
{
    prepare(b);
    OK(take(b, 0, ZERO, row_of(1, 1, "fc1~a")));
    OK(take(b, 0, ZERO, row_of(1, 1, "fc1~a")));         /* its answer was lost, say */
    OK(renew(b, row_of(1, 2, "fc1~a")));
    OK(renew(b, row_of(1, 2, "fc1~a")));
    STORED(b, "e=1 s=2 fc1~a seated");
}

void contract_of_two_contenders_one_wins(struct bench *b)
{
    prepare(b);
    OK(renew(b, row_of(4, 9, "fc0~x")));
    bench_open_another(b);
    const struct decision old = bench_look(b, 0, 0)->lease;
    const struct store_request first = { .deed = STORE_TAKE, .id = ++b->asked_id, .limit_ms = 4000, .by_fence = b->by_fence,
                                         .old = old, .row = row_of(5, 1, "fc1~a") };
    const struct store_request second = { .deed = STORE_TAKE, .id = first.id, .limit_ms = 4000, .by_fence = b->by_fence,
                                          .old = old, .row = row_of(5, 1, "fc2~b") };

    const int before = b->heard_count, well_before = b->went_well_count;
    store_ask(b->stores[0], &first);
    store_ask(b->stores[1], &second);
    for (int i = 0; i < 2000 && b->heard_count < before + 2; i++)      /* both may be heard in one turn */
        ev_run(loop_ev(b->pump.loop), EVRUN_ONCE);
    cr_assert_eq(b->heard_count, before + 2);

    cr_expect_eq(b->went_well_count, well_before + 1);
    const struct decision stands = bench_look(b, 1, 0)->lease;
    cr_expect_eq(stands.rank.epoch, 5);
    cr_expect_str_eq(row_words(&bench_look(b, 0, 0)->lease), row_words(&stands));
}

void contract_a_move_is_stored_whole(struct bench *b)
{
    struct decision moving = row_of(7, 1, "fc1~a");
    moving.phase = PHASE_MOVING;
    moving.intent_id = UINT64_C(9007199254740991);
    moving.limit_ms = 30000;
    TEXT_SET(moving.successor, "server-2");
    TEXT_SET(moving.mark, "unfenced stale");
    prepare(b);
    OK(renew(b, moving));

    const struct decision *stored = &bench_look(b, 0, 0)->lease;

    cr_expect_str_eq(row_words(stored), "e=7 s=1 fc1~a moving");
    cr_expect_str_eq(stored->rank.server, "server-1");
    cr_expect_str_eq(stored->successor, "server-2");
    cr_expect_str_eq(stored->mark, "unfenced stale");
    cr_expect_str_eq(stored->why, "a scene");
    cr_expect_eq(stored->intent_id, moving.intent_id);
    cr_expect_eq(stored->limit_ms, 30000);
}

/* ---- holds and orders ---- */

static const struct store_result *hold(struct bench *b, uint64_t epoch, uint64_t seq, enum hold_kind kind, const char *why)
{
    struct store_request request = { .deed = STORE_HOLD,
                                     .hold = { .kind = kind, .epoch = epoch, .seq = seq, .since_unix_ms = 1700000000123 } };
    TEXT_SET(request.hold.pool, "fc_backend");
    TEXT_SET(request.hold.server, "db1");
    TEXT_SET(request.hold.by, "anna@fc1");
    TEXT_SET(request.hold.why, why);
    return bench_ask(b, 0, request);
}

void contract_the_newest_hold_stands(struct bench *b)
{
    prepare(b);
    OK(hold(b, 1, 2, HOLD_MAINT, "disk"));
    cr_expect_geq(b->result.durable_count, 1);
    REFUSED(hold(b, 1, 1, HOLD_DRAIN, "late"));

    const struct hold *stored = &bench_look(b, 0, 0)->holds[0];
    cr_expect_eq(b->look.hold_count, 1);
    cr_expect_eq(stored->kind, HOLD_MAINT);
    cr_expect_str_eq(stored->why, "disk");
    cr_expect_str_eq(stored->by, "anna@fc1");
    cr_expect_eq(stored->since_unix_ms, 1700000000123);

    OK(hold(b, 2, 1, HOLD_NONE, "mended"));
    bench_look(b, 0, 0);
    cr_expect(b->look.hold_count == 0 || b->look.holds[0].kind == HOLD_NONE);
    OK(hold(b, 2, 2, HOLD_PAUSE, "again"));
    cr_expect_eq(bench_look(b, 0, 0)->holds[0].kind, HOLD_PAUSE);
}

void contract_of_two_holds_of_one_turn_the_same_stays(struct bench *b)
{
    prepare(b);
    OK(hold(b, 2, 1, HOLD_MAINT, "by one leader"));
    REFUSED(hold(b, 2, 1, HOLD_DRAIN, "by the other leader"));
    cr_expect_eq(bench_look(b, 0, 0)->holds[0].kind, HOLD_MAINT);
    OK(hold(b, 2, 1, HOLD_NONE, "by a third"));
    cr_expect_str_eq(bench_look(b, 0, 0)->holds[0].why, "by a third");
}

/* Asked just now, as every order is: its number says when. */
static uint64_t order_id(uint64_t chance)
{
    static struct timespec asked;
    if (asked.tv_sec == 0)
        clock_gettime(CLOCK_REALTIME, &asked);
    return (uint64_t)asked.tv_sec * 1000 << ORDER_ID_CHANCE_BITS | chance;
}

static const struct store_result *order(struct bench *b, enum store_deed deed, uint64_t id, enum order_state state,
                                        const char *text, const char *answer)
{
    struct store_request request = { .deed = deed, .order = { .id = id, .state = state } };
    TEXT_SET(request.order.text, text);
    TEXT_SET(request.order.by, "anna@fc2");
    TEXT_SET(request.order.node, "fc1");
    TEXT_SET(request.order.answer, answer);
    return bench_ask(b, 0, request);
}

void contract_an_order_is_laid_once(struct bench *b)
{
    const uint64_t id = order_id(4095);
    prepare(b);
    OK(order(b, STORE_ORDER_LAY, id, ORDER_ASKED, "switch fc_backend db2", ""));
    cr_expect_geq(b->result.durable_count, 1);
    OK(order(b, STORE_ORDER_LAY, id, ORDER_ASKED, "switch fc_backend db2", ""));

    bench_look(b, 0, 0);
    cr_expect_eq(b->look.order_count, 1);
    cr_expect_eq(b->look.orders[0].id, id);
    cr_expect_eq(b->look.orders[0].state, ORDER_ASKED);
    cr_expect_str_eq(b->look.orders[0].text, "switch fc_backend db2");
    cr_expect_str_eq(b->look.orders[0].by, "anna@fc2");
    cr_expect_str_eq(b->look.orders[0].node, "fc1");
}

void contract_an_order_is_closed_once(struct bench *b)
{
    prepare(b);
    OK(order(b, STORE_ORDER_LAY, order_id(7), ORDER_ASKED, "pause fc_backend", ""));
    OK(order(b, STORE_ORDER_CLOSE, order_id(7), ORDER_DONE, "pause fc_backend", "paused"));
    REFUSED(order(b, STORE_ORDER_CLOSE, order_id(7), ORDER_REFUSED, "pause fc_backend", "too late"));
    OK(order(b, STORE_ORDER_LAY, order_id(7), ORDER_ASKED, "pause fc_backend", ""));           /* replayed late */

    bench_look(b, 0, 0);                                  /* fc1 is this store's node: it still sees its answer */
    cr_assert_eq(b->look.order_count, 1);
    cr_expect_eq(b->look.orders[0].state, ORDER_DONE);
    cr_expect_str_eq(b->look.orders[0].answer, "paused");
}

/* The order lies on one server, its answer was written on the other one. */
void contract_an_answer_that_comes_before_its_order_waits_for_it(struct bench *b)
{
    prepare(b);
    OK(order(b, STORE_ORDER_CLOSE, order_id(8), ORDER_DONE, "", "paused"));
    OK(order(b, STORE_ORDER_LAY, order_id(8), ORDER_ASKED, "pause fc_backend", ""));

    bench_look(b, 0, 0);
    cr_assert_eq(b->look.order_count, 1);
    cr_expect_eq(b->look.orders[0].state, ORDER_DONE, "it is not asked a second time");
    cr_expect_str_eq(b->look.orders[0].text, "pause fc_backend");
    cr_expect_str_eq(b->look.orders[0].by, "anna@fc2");
    cr_expect_str_eq(b->look.orders[0].answer, "paused");
}

void contract_of_two_answers_done_stays(struct bench *b)
{
    prepare(b);
    OK(order(b, STORE_ORDER_LAY, order_id(7), ORDER_ASKED, "pause fc_backend", ""));
    OK(order(b, STORE_ORDER_CLOSE, order_id(7), ORDER_REFUSED, "", "nobody sits"));
    OK(order(b, STORE_ORDER_CLOSE, order_id(7), ORDER_DONE, "", "paused"));                    /* by the other half's leader */
    REFUSED(order(b, STORE_ORDER_CLOSE, order_id(7), ORDER_REFUSED, "", "nobody sits"));

    cr_expect_str_eq(bench_look(b, 0, 0)->orders[0].answer, "paused");
}

/* ---- for other tools ---- */

static struct store_request registration(const char *hostname, bool leads)
{
    static uint64_t count;
    struct store_request request = { .deed = STORE_REGISTER, .registration = { .leads = leads, .count = ++count } };
    TEXT_SET(request.registration.hostname, hostname);
    TEXT_SET(request.registration.token, SQL_TOKEN_MARK "0123456789abcdef0123456789abcdef0123456789abcdef01234567");
    TEXT_SET(request.registration.version, "0.1.0");
    return request;
}

#define ASK_SQL(b, sql, expected)                         \
    do {                                                  \
        char rows_[1024];                                 \
        (b)->query((b), (sql), rows_, sizeof rows_);      \
        cr_assert_str_eq(rows_, (expected));              \
    } while (0)

void contract_registration_is_readable_by_orchestrators_names(struct bench *b)
{
    prepare(b);
    OK(bench_ask(b, 0, registration("fc1", false)));
    ASK_SQL(b, "select count(*) from active_node where hostname <> ''", "0\n");
    OK(bench_ask(b, 0, registration("fc1", true)));

    ASK_SQL(b, "select hostname, extra_info, command, app_version from node_health", "fc1|HttpMode||0.1.0\n");
    ASK_SQL(b, "select anchor, hostname, substr(token, 1, 12) from active_node", "1|fc1|fc1c4a170123\n");
    ASK_SQL(b, "select hostname, extra_info, app_version from node_health_history", "fc1|HttpMode|0.1.0\n");
    ASK_SQL(b, "select count(*) from node_health where last_seen_active >= first_seen_active and last_seen_active > '2020-01-01'",
            "1\n");
    ASK_SQL(b, "select count(*) from orchestrator_db_deployments where deployed_version like 'firstchair%'", "1\n");
    cr_expect_str_eq(bench_look(b, 0, 0)->foreign_owner, "");
}

void contract_a_foreign_owner_is_shown(struct bench *b)
{
    prepare(b);
    OK(bench_ask(b, 0, registration("fc1", true)));
    ASK_SQL(b, "update active_node set hostname = 'orc7', token = 'ab12', last_seen_active = '2026-01-02 03:04:05'", "");

    const struct server_look *look = bench_look(b, 0, 0);

    cr_expect_str_eq(look->foreign_owner, "orc7");
    cr_expect_str_eq(look->foreign_stamp, "2026-01-02 03:04:05");
}

void contract_history_is_written_once(struct bench *b)
{
    struct store_request line = { .deed = STORE_HISTORY,
                                  .history = { .id = 99, .unix_ms = 1700000000456, .epoch = 3, .kind = "move", .node = "fc1" } };
    TEXT_SET(line.history.subject, "fc_backend");
    TEXT_SET(line.history.text, "db1 left, 'db2' sits");
    prepare(b);
    OK(bench_ask(b, 0, line));
    OK(bench_ask(b, 0, line));
    ASK_SQL(b, "select event_id, unix_ms, kind, subject, epoch, node, message from firstchair_history",
            "99|1700000000456|move|fc_backend|3|fc1|db1 left, 'db2' sits\n");
}

static void lay_line(struct bench *b, uint64_t id, const char *subject, const char *text)
{
    struct store_request line = { .deed = STORE_HISTORY,
                                  .history = { .id = id, .unix_ms = 1700000000000 + (int64_t)id, .epoch = 3, .kind = "move", .node = "fc1" } };
    TEXT_SET(line.history.subject, subject);
    TEXT_SET(line.history.text, text);
    OK(bench_ask(b, 0, line));
}

/* "13:c 12:b" */
static const char *history_words(struct bench *b, struct history_wanted wanted)
{
    static char words[256];
    wanted.limit = wanted.limit == 0 ? HISTORY_ROWS_MAX : wanted.limit;
    OK(bench_ask(b, 0, (struct store_request){ .deed = STORE_HISTORY_READ, .wanted = wanted }));
    words[0] = '\0';
    for (int i = 0; i < b->history.count; i++)
        text_format(words + strlen(words), sizeof words - strlen(words), "%s%" PRIu64 ":%s", i == 0 ? "" : " ", b->history.list[i].id,
                    b->history.list[i].text);
    return words;
}

void contract_history_is_read_newest_first_by_subject_and_time(struct bench *b)
{
    prepare(b);
    cr_expect_str_eq(history_words(b, (struct history_wanted){ 0 }), "");
    lay_line(b, 12, "leader", "fc1 leads");
    lay_line(b, 11, "fc_backend", "o'clock \\ ü");
    lay_line(b, 14, "fc_backend", "db2 sits");
    lay_line(b, 13, "fc_backend", "db1 sits");

    cr_expect_str_eq(history_words(b, (struct history_wanted){ 0 }), "14:db2 sits 13:db1 sits 12:fc1 leads 11:o'clock \\ ü");
    cr_expect_str_eq(history_words(b, (struct history_wanted){ .limit = 1 }), "14:db2 sits");
    cr_expect_str_eq(history_words(b, (struct history_wanted){ .before = 14, .limit = 2 }), "13:db1 sits 12:fc1 leads");
    cr_expect_str_eq(history_words(b, (struct history_wanted){ .subject = "leader" }), "12:fc1 leads");
    cr_expect_str_eq(history_words(b, (struct history_wanted){ .since_unix_ms = 1700000000013 }), "14:db2 sits 13:db1 sits");
    const struct history_row *line = &b->history.list[1];
    cr_expect_eq(line->unix_ms, 1700000000013);
    cr_expect_eq(line->epoch, 3);
    cr_expect_str_eq(line->kind, "move");
    cr_expect_str_eq(line->node, "fc1");
}

/* ---- words of operators --------------------------------------------------------------------------------------------- */

static const struct store_result *tag(struct bench *b, const char *value, int64_t at, bool takes_back)
{
    struct store_request request = { .deed = STORE_WORD };
    const struct fleet_said said = { .takes_back = takes_back, .at = at, .key = { "db1", 3306 } };
    cr_assert_eq(fleet_say_tag(&said, "owner", value, &request.word, NULL), FC_OK);
    return bench_ask(b, 0, request);
}

#define EIGHT INT64_C(1800000000)        /* 2027-01-15 08:00:00 */

void contract_a_word_is_written_changed_and_taken_back(struct bench *b)
{
    prepare(b);
    OK(tag(b, "anna", EIGHT, false));                     /* its table is made for it */
    cr_expect_geq(b->result.durable_count, 1);
    ASK_SQL(b, "select hostname, port, tag_name, tag_value from database_instance_tags", "db1|3306|owner|anna\n");
    OK(tag(b, "it's berta", EIGHT, false));               /* within the same second */
    ASK_SQL(b, "select tag_value from database_instance_tags", "it's berta\n");
    OK(tag(b, NULL, EIGHT + 1, true));
    ASK_SQL(b, "select count(*) from database_instance_tags", "0\n");
    OK(tag(b, NULL, EIGHT + 1, true));                    /* its answer was lost, say */
}

void contract_of_two_words_the_newer_stays(struct bench *b)
{
    prepare(b);
    OK(tag(b, "anna", EIGHT + 5, false));
    REFUSED(tag(b, "late", EIGHT, false));
    REFUSED(tag(b, NULL, EIGHT, true));
    ASK_SQL(b, "select tag_value from database_instance_tags", "anna\n");
}

static const struct store_result *maintain(struct bench *b, uint64_t number, int64_t at, const char *owner, bool takes_back)
{
    struct store_request request = { .deed = STORE_WORD };
    const struct fleet_said said = { .takes_back = takes_back, .at = at, .until = at + 600, .key = { "db1", 3306 }, .owner = owner,
                                     .reason = "disk" };
    cr_assert_eq(fleet_say_maintenance(&said, number, "fc1", "token", &request.word, NULL), FC_OK);
    return bench_ask(b, 0, request);
}

void contract_maintenance_is_a_lock(struct bench *b)
{
    prepare(b);
    OK(maintain(b, 7, EIGHT + 10, "anna", false));
    REFUSED(maintain(b, 8, EIGHT, "late", false));
    ASK_SQL(b, "select owner from database_instance_maintenance where maintenance_active = 1", "anna\n");
    OK(maintain(b, 9, EIGHT + 20, "berta", false));       /* whoever leads has found that anna's is over */
    ASK_SQL(b, "select owner, maintenance_active from database_instance_maintenance where maintenance_active = 1", "berta|1\n");
    OK(maintain(b, 10, EIGHT + 30, NULL, true));
    ASK_SQL(b, "select count(*) from database_instance_maintenance where maintenance_active is null", "2\n");
}

static const struct store_result *seen(struct bench *b, const char *uid, const char *who, int64_t at)
{
    struct store_request request = { .deed = STORE_WORD };
    const struct fleet_said said = { .at = at, .until = at, .owner = who, .reason = "known" };
    struct fleet_row recovery = fleet_row_of(FLEET_topology_recovery);
    fleet_set_number(&recovery, topology_recovery_recovery_id, 1);
    fleet_set_text(&recovery, topology_recovery_uid, uid);
    fleet_set_text(&recovery, topology_recovery_hostname, "db1");
    fleet_set_number(&recovery, topology_recovery_port, 3306);
    fleet_set_number(&recovery, topology_recovery_in_active_period, 1);
    cr_assert_eq(fleet_say_seen(&said, &recovery, &request.word, NULL), FC_OK);
    return bench_ask(b, 0, request);
}

void contract_a_recovery_is_seen_where_it_is(struct bench *b)
{
    char none[16];
    prepare(b);
    OK(seen(b, "u1", "anna", EIGHT));                     /* its table is made for it, and no row */
    ASK_SQL(b, "select count(*) from topology_recovery", "0\n");
    b->query(b, "insert into topology_recovery (recovery_id, hostname, port, in_active_period, end_active_period_unixtime, processing_node_hostname, "
                 "processcing_node_token, analysis, cluster_name, cluster_alias, count_affected_slaves, slave_hosts, participating_instances, lost_slaves, "
                 "all_errors, acknowledged_by, acknowledge_comment, last_detection_id, uid) values (5, 'db1', 3306, 1, 0, '', '', '', '', '', 0, '', '', '', '', "
                 "'', '', 0, 'u1')", none, sizeof none);
    OK(seen(b, "u1", "it's berta", EIGHT + 1));
    ASK_SQL(b, "select recovery_id, in_active_period, end_active_period_unixtime, acknowledged, acknowledged_by from topology_recovery",
            "5|0|1800000001|1|it's berta\n");
    OK(seen(b, "u1", "late", EIGHT));                     /* somebody has seen it, and that is what was said */
    ASK_SQL(b, "select acknowledged_by from topology_recovery", "it's berta\n");
}

void contract_a_word_that_the_store_will_not_take_is_refused(struct bench *b)
{
    struct store_request request = { .deed = STORE_WORD, .word = { .length = 9, .bytes = "FCW1rubble" } };
    prepare(b);
    REFUSED(bench_ask(b, 0, request));
    OK(tag(b, "anna", EIGHT, false));
}

void contract_after_a_restart_everything_is_there(struct bench *b)
{
    prepare(b);
    OK(take(b, 0, ZERO, row_of(1, 1, "fc1~a")));
    OK(hold(b, 1, 1, HOLD_DRAIN, "disk"));
    OK(order(b, STORE_ORDER_LAY, order_id(7), ORDER_ASKED, "pause fc_backend", ""));
    bench_open_another(b);
    bench_close_first(b);

    const struct server_look *look = bench_look(b, 0, 0);

    cr_expect_str_eq(row_words(&look->lease), "e=1 s=1 fc1~a seated");
    cr_expect_eq(look->hold_count, 1);
    cr_expect_eq(look->holds[0].kind, HOLD_DRAIN);
    cr_expect_eq(look->order_count, 1);
    cr_expect_str_eq(look->orders[0].text, "pause fc_backend");
}

void contract_strange_texts_survive(struct bench *b)
{
    static const char strange[] = "o'\"hare\\ 100% `x`; drop table t -- ü 漢 \xf0\x9f\x90\xac \\' ? %s\tend\\";
    char name[64];
    memset(name, 'n', sizeof name - 1);
    name[63] = '\0';
    struct decision row = row_of(1, 1, name);
    TEXT_SET(row.why, strange);
    prepare(b);

    OK(renew(b, row));
    OK(hold(b, 1, 1, HOLD_MAINT, strange));
    OK(order(b, STORE_ORDER_LAY, order_id(7), ORDER_ASKED, strange, ""));
    OK(order(b, STORE_ORDER_CLOSE, order_id(7), ORDER_REFUSED, strange, strange));

    const struct server_look *look = bench_look(b, 0, 0);
    cr_expect_str_eq(look->lease.rank.node, name);
    cr_expect_str_eq(look->lease.why, strange);
    cr_expect_str_eq(look->holds[0].why, strange);
    cr_assert_eq(look->order_count, 1);
    cr_expect_str_eq(look->orders[0].text, strange);
    cr_expect_str_eq(look->orders[0].answer, strange);
}
