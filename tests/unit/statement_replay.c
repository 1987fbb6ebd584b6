/* A short story of a pair, as the statements that its servers would log; told in order, backwards, doubled and into sides
 * that differ. What is compared are all rows that the story writes, without the columns that only count or tell the time. */
#include "statement_replay.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store_contract.h"

#define STEPS_MAX 40
#define TEXT_MAX_OF_ALL 8192
#define ASKED_AT_MS UINT64_C(1900000000000)             /* not yet to be tidied away */
#define TOKEN_A SQL_TOKEN_MARK "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOKEN_B SQL_TOKEN_MARK "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct step { enum sql_name name; struct store_request request; };
struct story { int count; uint64_t registrations; struct step steps[STEPS_MAX]; };

static struct store_request *add(struct story *story, enum sql_name name)
{
    cr_assert_lt(story->count, STEPS_MAX);
    struct step *step = &story->steps[story->count++];
    *step = (struct step){ .name = name };
    return &step->request;
}

static void add_row(struct story *story, enum sql_name name, struct decision old, struct decision row)
{
    struct store_request *request = add(story, name);
    request->old = old;
    request->row = row;
}

static void add_hold(struct story *story, uint64_t epoch, uint64_t seq, enum hold_kind kind, const char *why)
{
    struct store_request request = { .hold = { .epoch = epoch, .seq = seq, .kind = kind, .since_unix_ms = 1700000000000 } };
    TEXT_SET(request.hold.pool, "fc_backend");
    TEXT_SET(request.hold.server, "db1");
    TEXT_SET(request.hold.by, "anna");
    TEXT_SET(request.hold.why, why);
    *add(story, SQL_HOLD_LAY) = request;
    *add(story, SQL_HOLD_RAISE) = request;
}

static void add_order(struct story *story, enum sql_name name, uint64_t id, enum order_state state, const char *answer)
{
    struct store_request *request = add(story, name);
    request->order = (struct stored_order){ .id = ASKED_AT_MS << ORDER_ID_CHANCE_BITS | id, .state = state };
    TEXT_SET(request->order.text, "switch fc_backend db2 because 'it\\'s late'");
    TEXT_SET(request->order.by, "anna");
    TEXT_SET(request->order.node, "fc1");
    TEXT_SET(request->order.answer, answer);
}

static void add_registration(struct story *story, enum sql_name name, const char *hostname, const char *token)
{
    struct store_request *request = add(story, name);
    TEXT_SET(request->registration.hostname, hostname);
    TEXT_SET(request->registration.token, token);
    TEXT_SET(request->registration.version, "0.1.0");
    request->registration.count = ++story->registrations;
    request->registration.started_unix_ms = text_is(hostname, "fc1") ? 1700000000000 : 1700000060000;
    request->registration.leads_since_unix_ms = request->registration.started_unix_ms + 3000;
}

static void add_history(struct story *story)
{
    struct store_request *request = add(story, SQL_HISTORY_LAY);
    request->history.id = 77;
    request->history.unix_ms = INT64_C(4000000000000);     /* not yet to be tidied away */
    request->history.epoch = 2;
    TEXT_SET(request->history.kind, "move");
    TEXT_SET(request->history.subject, "fc_backend");
    TEXT_SET(request->history.node, "fc1");
    TEXT_SET(request->history.text, "db1 left, db2 sits");
}

static void tell(struct story *story)
{
    const struct decision zero = { .phase = PHASE_SEATED };
    struct decision moving = row_of(2, 1, "fc2~b");
    moving.phase = PHASE_MOVING;
    TEXT_SET(moving.successor, "server-2");

    *story = (struct story){ 0 };
    add(story, SQL_LEASE_LAY);
    add(story, SQL_DEPLOYMENT_LAY);
    add_registration(story, SQL_NODE_HEALTH_HISTORY_LAY, "fc1", TOKEN_A);
    add_registration(story, SQL_NODE_HEALTH_RAISE, "fc1", TOKEN_A);
    add_row(story, SQL_LEASE_TAKE, zero, row_of(1, 1, "fc1~a"));
    add_registration(story, SQL_ACTIVE_NODE_RAISE, "fc1", TOKEN_A);
    add_row(story, SQL_LEASE_RENEW, zero, row_of(1, 2, "fc1~a"));
    add_hold(story, 1, 2, HOLD_MAINT, "disk");
    add_order(story, SQL_ORDER_LAY, 7, ORDER_ASKED, "");
    add_row(story, SQL_LEASE_RENEW, zero, row_of(1, 3, "fc1~a"));
    add_order(story, SQL_ORDER_CLOSE, 7, ORDER_DONE, "db2 sits");
    add_order(story, SQL_ORDER_LAY, 8, ORDER_ASKED, "");
    add_hold(story, 1, 3, HOLD_NONE, "mended");
    add_row(story, SQL_LEASE_TAKE, row_of(1, 3, "fc1~a"), moving);
    add_row(story, SQL_LEASE_TAKE, row_of(1, 3, "fc1~a"), row_of(2, 1, "fc0~z"));        /* came too late */
    add_registration(story, SQL_NODE_HEALTH_RAISE, "fc2", TOKEN_B);
    add_registration(story, SQL_NODE_HEALTH_HISTORY_LAY, "fc2", TOKEN_B);
    add_registration(story, SQL_ACTIVE_NODE_RAISE, "fc2", TOKEN_B);
    add_history(story);
    add(story, SQL_TIDY_NODE_HEALTH);
    add(story, SQL_TIDY_ORDERS);
    add(story, SQL_TIDY_HISTORY);
    add_hold(story, 2, 2, HOLD_DRAIN, "again");
    add_row(story, SQL_LEASE_RENEW, zero, row_of(3, 1, "fc2~b"));
    add_row(story, SQL_LEASE_RENEW, zero, row_of(3, 2, "fc2~b"));
}

static void play_one(struct replay_side *side, const struct step *step)
{
    struct sql_values values;
    sql_values_of(step->name, &step->request, &values);
    if (step->name == SQL_DEPLOYMENT_LAY)
        sql_values_text(&values, "firstchair 0.1.0");
    side->run(side->db, step->name, &values);
}

static void play(struct replay_side *side, const struct story *story, int times)
{
    for (int i = 0; i < story->count; i++) {
        for (int n = 0; n < times; n++)
            play_one(side, &story->steps[i]);
    }
}

static void play_backwards(struct replay_side *side, const struct story *story)
{
    for (int i = story->count - 1; i >= 0; i--)
        play_one(side, &story->steps[i]);
}

/* ---- what is compared ---- */

static const char *const pictures[] = {
    "select name, epoch, seq, server, node, phase, successor, intent_id, limit_ms, why, mark from firstchair_decision",
    ("select pool, server, epoch, seq, kind, since_unix_ms, set_by, why from firstchair_hold where pool <> 'extra' "
     "order by pool, server"),
    ("select order_id & 4095, state, order_text, asked_by, node, answer, asked_at from firstchair_order "
     "where order_id <> 5000 order by order_id"),
    "select event_id, unix_ms, kind, subject, epoch, node, message from firstchair_history where event_id < 1000",
    "select anchor, hostname, token, first_seen_active from active_node",
    ("select hostname, token, first_seen_active, extra_info, command, app_version, incrementing_indicator from node_health "
     "where hostname <> 'extra' order by hostname"),
    ("select hostname, token, history_id, first_seen_active from node_health_history where hostname <> 'extra' "
     "order by hostname"),
    "select deployed_version from orchestrator_db_deployments where deployed_version <> 'extra'",
};

static void look_at_all(struct replay_side *side, char *to, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        side->query(side->db, pictures[i], to + length, size - length);
        length += strlen(to + length);
    }
}

static void look_at_maxima(struct replay_side *side, char *to, size_t size)
{
    side->query(side->db, pictures[0], to, size);
    side->query(side->db, pictures[1], to + strlen(to), size - strlen(to));
}

static void run_plain(struct replay_side *side, const char *sql)
{
    char none[16];
    side->query(side->db, sql, none, sizeof none);
}

static void empty(struct replay_side *side)
{
    char sql[128];
    for (int i = SQL_CREATE_FIRST; i <= SQL_CREATE_LAST; i++) {
        TEXT_FORMAT(sql, "delete from %s", sql_statements[i].table);
        run_plain(side, sql);
    }
}

static void fill_with_others(struct replay_side *side)
{
    static const char *const others[] = {
        ("insert into firstchair_hold (pool, server, epoch, seq, kind, since_unix_ms, set_by, why) "
         "values ('extra', 'x', 9, 9, 'maint', 0, '', '')"),
        ("insert into firstchair_hold (pool, server, epoch, seq, kind, since_unix_ms, set_by, why) "
         "values ('fc_backend', 'db1', 1, 1, 'drain', 5, 'berta', 'older')"),
        ("insert into firstchair_order (order_id, state, order_text, asked_by, node, answer) "
         "values (5000, 'asked', 'extra', '', '', '')"),
        ("insert into firstchair_history (event_id, unix_ms, kind, subject, epoch, node, message) "
         "values (5000, 1, 'extra', '', 0, '', '')"),
        ("insert into firstchair_decision (name, epoch, seq, server, node, phase, successor, intent_id, limit_ms, why, mark) "
         "values ('lease', 1, 2, 'server-9', 'fc9~x', 'seated', '', 0, 0, 'alone', '')"),
        "insert into active_node (anchor, hostname, token) values (1, 'orc7', 'ab')",
        "insert into node_health (hostname, token, extra_info, command) values ('extra', 't', '', '')",
        ("insert into node_health (hostname, token, last_seen_active, extra_info, command) "
         "values ('extra', 'old', '2020-01-01 00:00:00', '', '')"),
        ("insert into node_health_history (history_id, hostname, token, first_seen_active, extra_info, command) "
         "values (1, 'extra', 't', '2020-01-01 00:00:00', '', '')"),
        "insert into orchestrator_db_deployments (deployed_version, deployed_timestamp) values ('extra', '2020-01-01 00:00:00')",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        run_plain(side, others[i]);
}

static void every_writing_statement_is_in(const struct story *story)
{
    for (int name = SQL_CREATE_LAST + 1; name < SQL_STATEMENT_COUNT; name++) {
        const struct sql_statement *row = &sql_statements[name];
        bool is_in = !row->writes || row->mysql == NULL || strncmp(row->mysql, "create ", 7) == 0;
        for (int i = 0; i < story->count; i++)
            is_in |= (int)story->steps[i].name == name;
        cr_expect(is_in, "'%s' is not tried", row->name);
    }
}

void replay_every_statement(struct replay_side *one, struct replay_side *other)
{
    static struct story story;
    static char wanted[TEXT_MAX_OF_ALL], seen[TEXT_MAX_OF_ALL];
    const struct step zero_row = { .name = SQL_LEASE_LAY };

    tell(&story);
    every_writing_statement_is_in(&story);
    play(one, &story, 1);
    look_at_all(one, wanted, sizeof wanted);
    cr_assert_not_null(strstr(wanted, "lease|3|2|server-1|fc2~b|seated"), "%s", wanted);
    cr_assert_not_null(strstr(wanted, "fc_backend|db1|2|2|drain"), "%s", wanted);
    cr_assert_not_null(strstr(wanted, "7|done|"), "%s", wanted);

    play(other, &story, 2);
    look_at_all(other, seen, sizeof seen);
    cr_expect_str_eq(seen, wanted, "each statement twice");

    play(one, &story, 1);
    look_at_all(one, seen, sizeof seen);
    cr_expect_str_eq(seen, wanted, "the whole story once more, late");

    empty(other);
    play_backwards(other, &story);
    play(other, &story, 1);
    look_at_all(other, seen, sizeof seen);
    cr_expect_str_eq(seen, wanted, "newest first, then in order");

    empty(other);
    fill_with_others(other);
    play(other, &story, 1);
    look_at_all(other, seen, sizeof seen);
    cr_expect_str_eq(seen, wanted, "on a side that has other rows");

    empty(other);
    play_one(other, &zero_row);
    play_backwards(other, &story);
    look_at_maxima(one, wanted, sizeof wanted);
    look_at_maxima(other, seen, sizeof seen);
    cr_expect_str_eq(seen, wanted, "maxima need no order at all");
}
