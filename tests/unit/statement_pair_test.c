/* Every writing statement on two real masters of each other, through both appliers under STATEMENT replication: an older and a
 * newer one, each on a side of its own while the servers are cut apart, so that one side applies new-then-old; twice; on a side
 * that lacks rows; on a side that has others; with the newer one on a server whose clock is behind; and without a cut, both
 * appliers running. Replication must go on, and afterwards the tables must be the same on both sides, column by column, with the
 * newer row in them. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <string.h>

#include "backends/sql_statements.h"
#include "base/text.h"
#include "private_mariadb.h"

#define TURNS_MAX 4
#define NOON INT64_C(1800000000)           /* the servers' clock when a story begins */
#define DAY 86400
#define ORDER_7 "7372800000000007"         /* asked at NOON */
#define PICTURE_SIZE 16384

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    mariadb_template_make();
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    mariadb_template_remove();
}

struct turn {
    enum sql_name name;
    int64_t after;                         /* seconds after NOON, by the clock of the server where it is said first */
    struct store_request request;
};
struct turns { int count; struct turn list[TURNS_MAX]; };

/* What is told of one statement. `settled`: what firstchair says next all by itself, where the statement alone leaves it to that. */
struct story {
    struct turns before, older, newer, settled;
    const char *stands, *gone;             /* in the tables of both sides at the end; NULL: nothing to look for */
};

static struct store_request *say(struct turns *turns, enum sql_name name, int64_t after)
{
    cr_assert_lt(turns->count, TURNS_MAX);
    struct turn *turn = &turns->list[turns->count++];
    *turn = (struct turn){ .name = name, .after = after };
    return &turn->request;
}

/* ---- the stories ------------------------------------------------------------------------------------------------------ */

static struct decision row(uint64_t epoch, uint64_t seq, const char *node)
{
    struct decision row = { .rank = { .epoch = epoch, .seq = seq }, .phase = PHASE_SEATED };
    TEXT_SET(row.rank.server, "server-1");
    TEXT_SET(row.rank.node, node);
    TEXT_SET(row.why, node);
    return row;
}

static void tell_lease_lay(struct story *story)
{
    say(&story->older, SQL_LEASE_LAY, 10);
    say(&story->newer, SQL_LEASE_LAY, 20);
    story->stands = "lease|0|0|||seated||0|0|||1970-01-01 00:00:01";
}

static void tell_lease_renew(struct story *story)
{
    say(&story->before, SQL_LEASE_LAY, 0);
    say(&story->older, SQL_LEASE_RENEW, 10)->row = row(2, 7, "older~a");
    say(&story->newer, SQL_LEASE_RENEW, 20)->row = row(3, 1, "newer~b");
    say(&story->settled, SQL_LEASE_LAY, 21);               /* where the last look found no row */
    say(&story->settled, SQL_LEASE_RENEW, 21)->row = row(3, 2, "newer~b");
    story->stands = "lease|3|2|server-1|newer~b|seated|";
    story->gone = "older";
}

/* The old leader renews, and the next one's fence leaves its row there; meanwhile that one seats the other server. */
static void tell_lease_left_by_a_fence(struct story *story)
{
    struct decision moving = row(3, 2, "newer~b");
    moving.phase = PHASE_MOVING;
    say(&story->before, SQL_LEASE_LAY, 0);
    say(&story->before, SQL_LEASE_RENEW, 0)->row = row(2, 7, "older~a");
    say(&story->older, SQL_LEASE_RENEW, 10)->row = row(2, 8, "older~a");
    say(&story->older, SQL_LEASE_RENEW, 11)->row = moving;
    say(&story->older, SQL_LEASE_RENEW, 12)->row = row(2, 9, "older~a");       /* it has slept, and is not heard any more */
    say(&story->newer, SQL_LEASE_RENEW, 20)->row = moving;
    struct store_request *seat = say(&story->newer, SQL_LEASE_TAKE, 20);
    seat->old = moving;
    seat->row = row(4, 0, "newer~b");
    say(&story->settled, SQL_LEASE_LAY, 21);
    say(&story->settled, SQL_LEASE_RENEW, 21)->row = row(4, 1, "newer~b");
    story->stands = "lease|4|1|server-1|newer~b|seated|";
    story->gone = "older";
}

static void tell_lease_take(struct story *story)
{
    const struct decision zero = { .phase = PHASE_SEATED };
    say(&story->before, SQL_LEASE_LAY, 0);
    struct store_request *take = say(&story->older, SQL_LEASE_TAKE, 10);
    take->old = zero;
    take->row = row(2, 1, "older~a");
    take = say(&story->newer, SQL_LEASE_TAKE, 20);
    take->old = zero;
    take->row = row(2, 1, "takes~b");                      /* both over the same turn: the greater name */
    say(&story->settled, SQL_LEASE_LAY, 21);
    say(&story->settled, SQL_LEASE_RENEW, 21)->row = row(2, 2, "takes~b");
    story->stands = "lease|2|2|server-1|takes~b|seated|";
    story->gone = "older";
}

static void add_hold(struct turns *turns, int64_t after, uint64_t epoch, enum hold_kind kind, const char *why)
{
    struct store_request request = {
        .hold = { .epoch = epoch, .seq = 1, .kind = kind, .since_unix_ms = (NOON + after) * 1000 },
    };
    TEXT_SET(request.hold.pool, "fc_backend");
    TEXT_SET(request.hold.server, "db1");
    TEXT_SET(request.hold.by, "anna");
    TEXT_SET(request.hold.why, why);
    *say(turns, SQL_HOLD_LAY, after) = request;            /* the two of one deed */
    *say(turns, SQL_HOLD_RAISE, after) = request;
}

static void tell_hold(struct story *story)
{
    add_hold(&story->older, 10, 2, HOLD_MAINT, "older");
    add_hold(&story->newer, 20, 3, HOLD_NONE, "newer");
    story->stands = "fc_backend|db1|3|1|none|1800000020000|anna|newer";
    story->gone = "older";
}

static void tell_hold_of_one_turn(struct story *story)
{
    add_hold(&story->older, 10, 2, HOLD_MAINT, "older");
    add_hold(&story->newer, 20, 2, HOLD_DRAIN, "newer");
    story->stands = "fc_backend|db1|2|1|drain|1800000020000|anna|newer";
    story->gone = "older";
}

static void add_order(struct turns *turns, enum sql_name name, int64_t after, enum order_state state, const char *answer)
{
    struct store_request *request = say(turns, name, after);
    request->order = (struct stored_order){ .id = (uint64_t)NOON * 1000 << ORDER_ID_CHANCE_BITS | 7, .state = state };
    TEXT_SET(request->order.text, "switch fc_backend db2");
    TEXT_SET(request->order.by, "anna");
    TEXT_SET(request->order.node, "fc1");
    TEXT_SET(request->order.answer, answer);
}

static void tell_order_lay(struct story *story)
{
    add_order(&story->older, SQL_ORDER_LAY, 10, ORDER_ASKED, "");
    add_order(&story->newer, SQL_ORDER_LAY, 20, ORDER_ASKED, "");
    story->stands = ORDER_7 "|asked|switch fc_backend db2|anna|fc1||2027-01-15 08:00:00";
}

static void tell_order_close_before_it_is_there(struct story *story)
{
    add_order(&story->older, SQL_ORDER_LAY, 10, ORDER_ASKED, "");
    add_order(&story->newer, SQL_ORDER_CLOSE, 20, ORDER_DONE, "db2 sits");
    story->stands = ORDER_7 "|done|switch fc_backend db2|anna|fc1|db2 sits|2027-01-15 08:00:00";
    story->gone = ORDER_7 "|asked";
}

static void tell_order_close_by_two(struct story *story)
{
    add_order(&story->before, SQL_ORDER_LAY, 0, ORDER_ASKED, "");
    add_order(&story->older, SQL_ORDER_CLOSE, 10, ORDER_REFUSED, "nobody sits");
    add_order(&story->newer, SQL_ORDER_CLOSE, 20, ORDER_DONE, "db2 sits");
    story->stands = ORDER_7 "|done|switch fc_backend db2|anna|fc1|db2 sits|2027-01-15 08:00:00";
    story->gone = "refused";
}

static void add_registration(struct turns *turns, enum sql_name name, int64_t after, const char *hostname, uint64_t count)
{
    struct store_request *request = say(turns, name, after);
    TEXT_SET(request->registration.hostname, hostname);
    TEXT_FORMAT(request->registration.token, SQL_TOKEN_MARK "%s", hostname);
    TEXT_SET(request->registration.version, "0.1.0");
    request->registration.count = count;
    request->registration.started_unix_ms = NOON * 1000 - 5000;
    request->registration.leads_since_unix_ms = (NOON + after) * 1000 - 1000;
}

static void tell_deployment_lay(struct story *story)
{
    say(&story->older, SQL_DEPLOYMENT_LAY, 10);
    say(&story->newer, SQL_DEPLOYMENT_LAY, 20);
    story->stands = "firstchair scene|2027-01-15 08:00:10";
}

static void tell_active_node_raise(struct story *story)
{
    add_registration(&story->older, SQL_ACTIVE_NODE_RAISE, 10, "older", 1);
    add_registration(&story->newer, SQL_ACTIVE_NODE_RAISE, 20, "newer", 1);
    add_registration(&story->settled, SQL_ACTIVE_NODE_RAISE, 21, "newer", 2);
    story->stands = "1|newer|" SQL_TOKEN_MARK "newer|2027-01-15 08:00:21|2027-01-15 08:00:20";
    story->gone = "older";
}

static void tell_node_health_raise(struct story *story)
{
    add_registration(&story->before, SQL_NODE_HEALTH_RAISE, 0, "fc1", 1);
    add_registration(&story->older, SQL_NODE_HEALTH_RAISE, 10, "fc1", 2);
    add_registration(&story->newer, SQL_NODE_HEALTH_RAISE, 20, "fc1", 3);
    story->stands = "fc1|" SQL_TOKEN_MARK "fc1|2027-01-15 08:00:20|2027-01-15 07:59:55|HttpMode||0.1.0||3";
}

static void tell_node_health_history_lay(struct story *story)
{
    add_registration(&story->older, SQL_NODE_HEALTH_HISTORY_LAY, 10, "fc1", 1);
    add_registration(&story->newer, SQL_NODE_HEALTH_HISTORY_LAY, 20, "fc1", 1);
    story->stands = "|fc1|" SQL_TOKEN_MARK "fc1|2027-01-15 07:59:55|HttpMode||0.1.0";
}

static void add_history(struct turns *turns, int64_t after, uint64_t id, int64_t unix_ms)
{
    struct store_request *request = say(turns, SQL_HISTORY_LAY, after);
    request->history.id = id;
    request->history.unix_ms = unix_ms;
    TEXT_SET(request->history.kind, "move");
    TEXT_FORMAT(request->history.text, "line %d", (int)id);
}

static void tell_history_lay(struct story *story)
{
    add_history(&story->older, 10, 77, (NOON + 10) * 1000);
    add_history(&story->newer, 20, 78, (NOON + 20) * 1000);
    add_history(&story->newer, 30, 77, (NOON + 10) * 1000);         /* sent again, on the other server */
    story->stands = "77|1800000010000|move||0||line 77\n78|1800000020000|move||0||line 78";
}

/* The process was frozen for two hours; it registers again on one server while the other one forgets it. */
static void tell_tidy_node_health(struct story *story)
{
    add_registration(&story->before, SQL_NODE_HEALTH_RAISE, 0, "fc1", 1);
    say(&story->older, SQL_TIDY_NODE_HEALTH, 7200);
    add_registration(&story->newer, SQL_NODE_HEALTH_RAISE, 7190, "fc1", 2);
    story->stands = "fc1|" SQL_TOKEN_MARK "fc1|2027-01-15 09:59:50|2027-01-15 07:59:55|HttpMode||0.1.0||2";
}

/* Two days pass while the servers are cut apart: what one tidied away, the other one answers. The next tidying settles it. */
static void tell_tidy_orders(struct story *story)
{
    add_order(&story->before, SQL_ORDER_LAY, 0, ORDER_ASKED, "");
    add_order(&story->older, SQL_ORDER_CLOSE, 10, ORDER_DONE, "db2 sits");
    say(&story->older, SQL_TIDY_ORDERS, 2 * DAY);
    add_order(&story->newer, SQL_ORDER_CLOSE, 20, ORDER_DONE, "db2 sits already");
    say(&story->settled, SQL_TIDY_ORDERS, 2 * DAY + 60);
    story->gone = ORDER_7 "|";
}

static void tell_tidy_history(struct story *story)
{
    add_history(&story->before, 0, 77, NOON * 1000);
    say(&story->older, SQL_TIDY_HISTORY, 40 * DAY);
    add_history(&story->newer, 20, 78, (NOON + 20) * 1000);
    add_history(&story->newer, 40 * DAY, 79, (NOON + 40 * DAY) * 1000);
    say(&story->settled, SQL_TIDY_HISTORY, 40 * DAY + 60);
    story->stands = "line 79";
    story->gone = "line 77";
}

static const struct {
    enum sql_name tried[2];
    const char *table, *title;
    void (*tell)(struct story *story);
} stories[] = {
    { { SQL_LEASE_LAY }, "firstchair_decision", "the zero row is laid on both", tell_lease_lay },
    { { SQL_LEASE_RENEW }, "firstchair_decision", "renewals of two leaders", tell_lease_renew },
    { { SQL_LEASE_RENEW }, "firstchair_decision", "a fence leaves its row here, and the other one is seated there", tell_lease_left_by_a_fence },
    { { SQL_LEASE_TAKE }, "firstchair_decision", "two take over from the same turn", tell_lease_take },
    { { SQL_HOLD_LAY, SQL_HOLD_RAISE }, "firstchair_hold", "a hold set here and ended there", tell_hold },
    { { SQL_HOLD_LAY, SQL_HOLD_RAISE }, "firstchair_hold", "two leaders' holds of one turn", tell_hold_of_one_turn },
    { { SQL_ORDER_LAY }, "firstchair_order", "an order laid on both", tell_order_lay },
    { { SQL_ORDER_CLOSE }, "firstchair_order", "an answer that overtakes its order", tell_order_close_before_it_is_there },
    { { SQL_ORDER_CLOSE }, "firstchair_order", "two leaders answer one order", tell_order_close_by_two },
    { { SQL_DEPLOYMENT_LAY }, "orchestrator_db_deployments", "two nodes prepare both servers", tell_deployment_lay },
    { { SQL_ACTIVE_NODE_RAISE }, "active_node", "two nodes say that they lead", tell_active_node_raise },
    { { SQL_NODE_HEALTH_RAISE }, "node_health", "one process registers on both", tell_node_health_raise },
    { { SQL_NODE_HEALTH_HISTORY_LAY }, "node_health_history", "one process is noted on both", tell_node_health_history_lay },
    { { SQL_HISTORY_LAY }, "firstchair_history", "lines of history on both", tell_history_lay },
    { { SQL_TIDY_NODE_HEALTH }, "node_health", "a process is forgotten here and registers there", tell_tidy_node_health },
    { { SQL_TIDY_ORDERS }, "firstchair_order", "an order is forgotten here and answered there", tell_tidy_orders },
    { { SQL_TIDY_HISTORY }, "firstchair_history", "history is forgotten here and written there", tell_tidy_history },
};
#define STORIES ((int)(sizeof stories / sizeof stories[0]))

static bool is_among(const struct turns *turns, int name)
{
    for (int i = 0; i < turns->count; i++) {
        if ((int)turns->list[i].name == name)
            return true;
    }
    return false;
}

static bool is_told(int number, int name)
{
    struct story story = { 0 };
    stories[number].tell(&story);
    return ((int)stories[number].tried[0] == name || (int)stories[number].tried[1] == name) &&
           (is_among(&story.older, name) || is_among(&story.newer, name));
}

Test(statement_pair, every_writing_statement_has_its_story)
{
    for (int name = 0; name < SQL_STATEMENT_COUNT; name++) {
        const struct sql_statement *statement = &sql_statements[name];
        const bool is_of_schema = (name >= (int)SQL_CREATE_FIRST && name <= (int)SQL_CREATE_LAST) || name == SQL_DATABASE_CREATE;
        bool is_tried = !statement->writes || statement->mysql == NULL || is_of_schema;    /* the schema has a scene of its own */
        for (int i = 0; i < STORIES; i++)
            is_tried |= is_told(i, name);
        cr_expect(is_tried, "'%s' writes, and no story of this file tries it", statement->name);
        cr_expect(!statement->writes || statement->replay != NULL, "'%s' does not say why its replay is harmless", statement->name);
    }
}

/* ---- telling them ------------------------------------------------------------------------------------------------------ */

struct pair { struct mariadb servers[2]; };

static const char *const tables[] = {
    "firstchair_decision", "firstchair_hold", "firstchair_order", "firstchair_history", "active_node", "node_health",
    "node_health_history", "orchestrator_db_deployments",
};
#define TABLES ((int)(sizeof tables / sizeof tables[0]))

static void both_do(struct pair *pair, const char *sql)
{
    mariadb_do(&pair->servers[0], sql);
    mariadb_do(&pair->servers[1], sql);
}

static void say_one(struct mariadb *server, enum sql_name name, const struct sql_values *values)
{
    char sql[8192];
    cr_assert_gt(sql_fill(name, values, sql, sizeof sql), 0, "%s", sql_statements[name].name);
    mariadb_do(server, sql);
    mariadb_query(server, "show warnings", sql, sizeof sql);
    cr_assert_null(strstr(sql, "1592"), "%s is unsafe for statement replication: %s", sql_statements[name].name, sql);
}

static void say_all(struct mariadb *server, const struct turns *turns, int times, int64_t clock_error)
{
    char clock[64];
    for (int n = 0; n < turns->count * times; n++) {
        const struct turn *turn = &turns->list[n / times];
        struct sql_values values;
        sql_values_of(turn->name, &turn->request, &values);
        if (turn->name == SQL_DEPLOYMENT_LAY)
            sql_values_text(&values, "firstchair scene");
        TEXT_FORMAT(clock, "set timestamp = %lld", (long long)(NOON + turn->after + clock_error));
        mariadb_do(server, clock);
        say_one(server, turn->name, &values);
    }
}

static void catch_up(struct pair *pair)
{
    for (int round = 0; round < 2; round++) {              /* what one applies it logs, for the other one to pass over */
        mariadb_catch_up(&pair->servers[0], &pair->servers[1]);
        mariadb_catch_up(&pair->servers[1], &pair->servers[0]);
    }
}

static void picture(struct mariadb *server, const char *table, char *to)
{
    char sql[128];
    TEXT_FORMAT(sql, "select * from %s order by 1, 2", table);
    mariadb_query(server, sql, to, PICTURE_SIZE);
}

/* Behind the other one's back. */
static void alone(struct mariadb *server, const char *const *texts, int count)
{
    mariadb_do(server, "set session sql_log_bin = 0");
    for (int i = 0; i < count; i++)
        mariadb_do(server, texts[i]);
    mariadb_do(server, "set session sql_log_bin = 1");
}

static void empty(struct mariadb *server)
{
    char texts[TABLES][64];
    const char *list[TABLES];
    for (int i = 0; i < TABLES; i++) {
        TEXT_FORMAT(texts[i], "delete from %s", tables[i]);
        list[i] = texts[i];
    }
    alone(server, list, TABLES);
}

/* Rows of the same keys, as an older time may have left them on one side, and rows that nobody else has. */
static void add_others(struct mariadb *server)
{
    static const char *const others[] = {
        ("insert ignore into firstchair_decision (name, epoch, seq, server, node, phase, successor, intent_id, limit_ms, why, mark) "
         "values ('lease', 1, 2, 'server-9', 'older~x', 'seated', '', 0, 0, 'alone', '')"),
        ("insert ignore into firstchair_hold (pool, server, epoch, seq, kind, since_unix_ms, set_by, why) "
         "values ('fc_backend', 'db1', 1, 1, 'drain', 5, 'berta', 'older')"),
        "insert ignore into active_node (anchor, hostname, token) values (1, 'older', 'ab')",
        ("insert ignore into firstchair_order (order_id, state, order_text, asked_by, node, answer) "
         "values (5000, 'asked', 'extra', 'x', 'x', '')"),
        ("insert ignore into firstchair_history (event_id, unix_ms, kind, subject, epoch, node, message) "
         "values (5000, 1900000000000, 'extra', '', 0, '', '')"),
        ("insert ignore into node_health (hostname, token, last_seen_active, extra_info, command) "
         "values ('extra', 't', '2030-01-01 00:00:00', '', '')"),
        ("insert ignore into node_health_history (history_id, hostname, token, first_seen_active, extra_info, command) "
         "values (5000, 'extra', 't', '2030-01-01 00:00:00', '', '')"),
        ("insert ignore into orchestrator_db_deployments (deployed_version, deployed_timestamp) "
         "values ('extra', '2020-01-01 00:00:00')"),
    };
    alone(server, others, (int)(sizeof others / sizeof others[0]));
}

static void remove_others(struct mariadb *server)
{
    static const char *const others[] = {
        "delete from firstchair_order where order_id = 5000", "delete from firstchair_history where event_id = 5000",
        "delete from node_health where hostname = 'extra'", "delete from node_health_history where hostname = 'extra'",
        "delete from orchestrator_db_deployments where deployed_version = 'extra'",
    };
    alone(server, others, (int)(sizeof others / sizeof others[0]));
}

enum odds { NO_ODDS, TWICE, LACKS_ROWS, HAS_OTHERS, CLOCK_BEHIND, ALL_AT_ONCE };

static void expect_the_same(struct pair *pair, const struct story *story, int number, const char *words)
{
    static char seen[2][PICTURE_SIZE];
    const char *title = stories[number].title;
    for (int i = 0; i < 2; i++)
        picture(&pair->servers[i], stories[number].table, seen[i]);
    cr_expect_str_eq(seen[0], seen[1], "%s, %s: the sides differ:\n%s--- and\n%s", title, words, seen[0], seen[1]);
    cr_expect(story->stands == NULL || strstr(seen[0], story->stands) != NULL, "%s, %s: '%s' does not stand in\n%s", title, words,
              story->stands, seen[0]);
    cr_expect(story->gone == NULL || strstr(seen[0], story->gone) == NULL, "%s, %s: '%s' is there:\n%s", title, words, story->gone,
              seen[0]);
}

static void tell(struct pair *pair, int number, int old_side, enum odds odds, const char *words)
{
    struct mariadb *old = &pair->servers[old_side], *new = &pair->servers[1 - old_side];
    struct mariadb *odd = number % 2 == 0 ? old : new;     /* each side is the odd one in turn */
    const int times = odds == TWICE ? 2 : 1;
    struct story story = { 0 };

    stories[number].tell(&story);
    if (odds == HAS_OTHERS && stories[number].tried[0] == SQL_LEASE_LAY) {
        say(&story.settled, SQL_LEASE_RENEW, 21)->row = row(3, 2, "newer~b");      /* a row that is there stays until then */
        story.stands = "lease|3|2|server-1|newer~b|seated|";
    }
    say_all(old, &story.before, 1, 0);
    catch_up(pair);
    if (odds != ALL_AT_ONCE)
        both_do(pair, "stop slave");
    if (odds == LACKS_ROWS)
        empty(odd);
    if (odds == HAS_OTHERS)
        add_others(odd);
    say_all(old, &story.older, times, 0);
    say_all(new, &story.newer, times, odds == CLOCK_BEHIND ? -15 : 0);
    if (odds != ALL_AT_ONCE)
        both_do(pair, "start slave");
    catch_up(pair);
    say_all(new, &story.settled, times, 0);
    catch_up(pair);
    if (odds == HAS_OTHERS)
        remove_others(odd);
    if (odds == CLOCK_BEHIND)              /* the same on both sides; which times they show is the clock's doing */
        story.stands = NULL;
    expect_the_same(pair, &story, number, words);
    empty(&pair->servers[0]);
    empty(&pair->servers[1]);
}

static void pair_begin(struct pair *pair)
{
    const struct sql_values none = { 0 };
    for (int i = 0; i < 2; i++) {
        mariadb_open(&pair->servers[i], i + 1);
        mariadb_do(&pair->servers[i], "set time_zone = '+00:00'; set session sql_mode = 'STRICT_ALL_TABLES,"
                   "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'; set session sql_log_bin = 0; create database fc; use fc");
        for (int name = SQL_CREATE_FIRST; name <= SQL_CREATE_LAST; name++)
            say_one(&pair->servers[i], (enum sql_name)name, &none);
        mariadb_do(&pair->servers[i], "set session sql_log_bin = 1");
    }
    mariadb_pair(&pair->servers[0], &pair->servers[1]);
}

static void pair_end(struct pair *pair)
{
    mariadb_close(&pair->servers[0]);
    mariadb_close(&pair->servers[1]);
}

static void tell_all(enum odds odds, const char *words)
{
    static struct pair pair;
    pair_begin(&pair);
    for (int number = 0; number < STORIES; number++) {
        tell(&pair, number, 0, odds, words);
        tell(&pair, number, 1, odds, words);
    }
    pair_end(&pair);
}

Test(statement_pair, the_newer_row_wins_on_both_sides_of_a_cut) { tell_all(NO_ODDS, "once each"); }
Test(statement_pair, the_newer_row_wins_when_each_is_said_twice) { tell_all(TWICE, "twice each"); }
Test(statement_pair, the_newer_row_wins_where_one_side_lacks_rows) { tell_all(LACKS_ROWS, "one side was empty"); }
Test(statement_pair, the_newer_row_wins_where_one_side_has_others) { tell_all(HAS_OTHERS, "one side had other rows"); }
Test(statement_pair, the_sides_are_the_same_though_one_clock_is_behind) { tell_all(CLOCK_BEHIND, "the newer clock is behind"); }
Test(statement_pair, the_newer_row_wins_without_a_cut) { tell_all(ALL_AT_ONCE, "both appliers running"); }

/* Both servers are prepared by nodes that do not see each other. */
Test(statement_pair, the_schema_can_be_made_on_both_at_once)
{
    static struct pair pair;
    static char seen[2][PICTURE_SIZE];
    struct sql_values values = { 0 };
    char sql[128];
    for (int i = 0; i < 2; i++)
        mariadb_open(&pair.servers[i], i + 1);
    mariadb_pair(&pair.servers[0], &pair.servers[1]);
    catch_up(&pair);
    both_do(&pair, "stop slave");
    sql_values_database(&values, "fc");
    for (int n = 0; n < 4; n++) {                          /* each twice */
        struct mariadb *server = &pair.servers[n / 2];
        say_one(server, SQL_DATABASE_CREATE, &values);
        mariadb_do(server, "use fc");
        for (int name = SQL_CREATE_FIRST; name <= SQL_CREATE_LAST; name++)
            say_one(server, (enum sql_name)name, &(const struct sql_values){ 0 });
    }
    both_do(&pair, "start slave");
    catch_up(&pair);
    for (int i = 0; i < 2; i++) {
        for (int t = 0; t < TABLES; t++) {
            const size_t length = strlen(seen[i]);
            TEXT_FORMAT(sql, "show create table %s", tables[t]);
            mariadb_query(&pair.servers[i], sql, seen[i] + length, PICTURE_SIZE - length);
        }
    }
    cr_expect_str_eq(seen[0], seen[1]);
    pair_end(&pair);
}
