/* The contract on real, private MariaDB servers: one alone, and a master-master pair under STATEMENT replication; and what is
 * the pair's own: rows that arrive late or in the wrong order, rows that are missing, a server that goes away. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/compare.h"
#include "base/text.h"
#include "private_dialect.h"
#include "private_mariadb.h"
#include "statement_replay.h"
#include "store_contract.h"

struct place {
    struct mariadb servers[2];
    int server_count;
    struct config config;
    int ended_count;
};

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

static void on_session_ended(void *owner, int server, enum loss loss, const char *text)
{
    struct bench *b = owner;
    (void)server;
    (void)text;
    ((struct place *)b->place)->ended_count += loss == LOSS_ENDED;
}

static struct store *open_store(struct bench *b)
{
    const struct place *place = b->place;
    struct store *store = NULL;
    struct fc_err err = { 0 };
    cr_assert_eq(store_mysql_open(pump_host(&b->pump), &place->config, "fc1", bench_heard, on_session_ended, b, &store, &err),
                 FC_OK, "%s", err.text);
    return store;
}

static void query(struct bench *b, const char *sql, char *to, size_t size)
{
    struct mariadb *server = &((struct place *)b->place)->servers[0];
    mariadb_do(server, "use fc");
    mariadb_query(server, sql, to, size);
}

static struct bench *bench_new(int server_count)
{
    struct bench *b = calloc(1, sizeof *b);
    struct place *place = calloc(1, sizeof *place);
    struct config *config = &place->config;

    place->server_count = server_count;
    config_preset(config);
    TEXT_SET(config->backend_db, "mysql");
    TEXT_SET(config->mysql_database, "fc");
    TEXT_SET(config->mysql_user, "store");
    TEXT_SET(config->mysql_password, "s");
    TEXT_SET(config->fence_user, "fence");
    TEXT_SET(config->fence_password, "f");
    for (int i = 0; i < server_count; i++)
        mariadb_open(&place->servers[i], i + 1);
    mariadb_do(&place->servers[0], "set global read_only = 0");
    if (server_count == 1) {
        TEXT_SET(config->mysql_host, "127.0.0.1");
        config->mysql_port = place->servers[0].port;
    } else {
        mariadb_pair(&place->servers[0], &place->servers[1]);
        config->backend_servers.count = 2;
        TEXT_FORMAT(config->backend_servers.item[0], "db1=127.0.0.1:%d", place->servers[0].port);
        TEXT_FORMAT(config->backend_servers.item[1], "db2=127.0.0.1:%d", place->servers[1].port);
    }
    b->place = place;
    b->open = open_store;
    b->query = query;
    bench_open(b);
    return b;
}

static void bench_free(struct bench *b)
{
    struct place *place = b->place;
    bench_close(b);
    for (int i = 0; i < place->server_count; i++)
        mariadb_close(&place->servers[i]);
    free(place);
    mysql_rows_done(&b->rows);
    free(b);
}

#define SCENE_ALONE(name)                   \
    Test(store_mysql, name)                 \
    {                                       \
        struct bench *b = bench_new(1);     \
        contract_##name(b);                 \
        bench_free(b);                      \
    }
STORE_CONTRACT(SCENE_ALONE)

#define SCENE_OF_A_PAIR(name)               \
    Test(store_pair, name)                  \
    {                                       \
        struct bench *b = bench_new(2);     \
        contract_##name(b);                 \
        bench_free(b);                      \
    }
STORE_CONTRACT(SCENE_OF_A_PAIR)

/* ---- the statements, on two servers that do not replicate ---- */

static void run_statement(void *db, enum sql_name name, const struct sql_values *values)
{
    char sql[8192];
    cr_assert_gt(sql_fill(name, values, sql, sizeof sql), 0, "%s", sql_statements[name].name);
    mariadb_do(db, sql);
    mariadb_query(db, "show warnings", sql, sizeof sql);
    cr_assert_null(strstr(sql, "1592"), "%s is unsafe for statement replication: %s", sql_statements[name].name, sql);
}

static void query_server(void *db, const char *sql, char *to, size_t size) { mariadb_query(db, sql, to, size); }

Test(store_mysql, every_statement_can_be_replayed)
{
    static struct mariadb servers[2];
    struct replay_side sides[2];
    const struct sql_values none = { 0 };
    for (int i = 0; i < 2; i++) {
        mariadb_open(&servers[i], i + 1);
        mariadb_do(&servers[i], "create database fc; use fc");
        sides[i] = (struct replay_side){ &servers[i], run_statement, query_server };
        for (int again = 0; again < 2; again++) {
            for (int name = SQL_CREATE_FIRST; name <= SQL_CREATE_LAST; name++)
                run_statement(&servers[i], (enum sql_name)name, &none);
        }
    }
    replay_every_statement(&sides[0], &sides[1]);
    mariadb_close(&servers[0]);
    mariadb_close(&servers[1]);
}

/* ---- the pair ---- */

static const struct store_result *ask(struct bench *b, int server, enum store_deed deed, struct decision old, struct decision row)
{
    return bench_ask(b, 0, (struct store_request){ .deed = deed, .server = server, .old = old, .row = row });
}

static struct bench *pair_new(void)
{
    struct bench *b = bench_new(2);
    struct place *place = b->place;
    const struct decision none = { .phase = PHASE_SEATED };
    cr_assert_eq(ask(b, 0, STORE_PREPARE, none, none)->code, FC_OK, "%s", b->result.text);
    mariadb_catch_up(&place->servers[0], &place->servers[1]);
    b->by_fence = true;                                   /* both servers are written to, whichever is read_only */
    return b;
}

static void both(struct bench *b, const char *sql)
{
    struct place *place = b->place;
    mariadb_do(&place->servers[0], sql);
    mariadb_do(&place->servers[1], sql);
}

static void heal(struct bench *b)
{
    struct place *place = b->place;
    both(b, "start slave");
    mariadb_catch_up(&place->servers[0], &place->servers[1]);
    mariadb_catch_up(&place->servers[1], &place->servers[0]);
}

#define STANDS(b, server, words) cr_expect_str_eq(row_words(&bench_look((b), 0, (server))->lease), (words))

Test(store_pair, decision_rows_written_on_both_sides_of_a_cut_meet_at_the_highest)
{
    struct bench *b = pair_new();
    const struct decision none = { .phase = PHASE_SEATED };
    both(b, "stop slave");
    for (uint64_t seq = 1; seq <= 5; seq++)
        cr_assert_eq(ask(b, 0, STORE_RENEW, none, row_of(1, seq, "fc1~a"))->code, FC_OK, "%s", b->result.text);
    cr_assert_eq(ask(b, 1, STORE_TAKE, none, row_of(2, 1, "fc2~b"))->code, FC_OK, "%s", b->result.text);
    cr_assert_eq(ask(b, 1, STORE_RENEW, none, row_of(2, 2, "fc2~b"))->code, FC_OK, "%s", b->result.text);
    STANDS(b, 0, "e=1 s=5 fc1~a seated");
    STANDS(b, 1, "e=2 s=2 fc2~b seated");

    heal(b);

    STANDS(b, 0, "e=2 s=2 fc2~b seated");
    STANDS(b, 1, "e=2 s=2 fc2~b seated");
    bench_free(b);
}

Test(store_pair, a_refused_take_leaves_no_trace_on_the_other_server)
{
    struct bench *b = pair_new();
    struct place *place = b->place;
    const struct decision none = { .phase = PHASE_SEATED };
    cr_assert_eq(ask(b, 0, STORE_RENEW, none, row_of(1, 1, "fc1~a"))->code, FC_OK);
    mariadb_catch_up(&place->servers[0], &place->servers[1]);
    both(b, "stop slave");
    cr_assert_eq(ask(b, 0, STORE_RENEW, none, row_of(1, 2, "fc1~a"))->code, FC_OK);

    cr_expect_eq(ask(b, 0, STORE_TAKE, row_of(1, 1, "fc1~a"), row_of(2, 1, "fc2~b"))->code, FC_REFUSED);
    heal(b);

    STANDS(b, 0, "e=1 s=2 fc1~a seated");
    STANDS(b, 1, "e=1 s=2 fc1~a seated");
    bench_free(b);
}

Test(store_pair, a_hold_is_durable_on_both_and_says_so_when_it_is_not)
{
    struct bench *b = pair_new();
    struct place *place = b->place;
    struct store_request hold = { .deed = STORE_HOLD, .hold = { .kind = HOLD_MAINT, .epoch = 1, .seq = 1, .pool = "p" } };

    cr_expect_eq(bench_ask(b, 0, hold)->code, FC_OK, "%s", b->result.text);
    cr_expect_eq(b->result.durable_count, 2);
    mariadb_kill(&place->servers[1]);
    hold.hold.seq = 2;
    cr_expect_eq(bench_ask(b, 0, hold)->code, FC_OK, "%s", b->result.text);
    cr_expect_eq(b->result.durable_count, 1);
    bench_free(b);
}

Test(store_pair, a_missing_lease_row_is_laid_again_on_the_server_that_lacks_it)
{
    struct bench *b = pair_new();
    struct place *place = b->place;
    const struct decision none = { .phase = PHASE_SEATED };
    cr_assert_eq(ask(b, 0, STORE_RENEW, none, row_of(1, 1, "fc1~a"))->code, FC_OK);
    mariadb_catch_up(&place->servers[0], &place->servers[1]);
    mariadb_do(&place->servers[1], "set session sql_log_bin = 0; delete from fc.firstchair_decision; set session sql_log_bin = 1");
    bench_look(b, 0, 0);
    bench_look(b, 0, 1);

    cr_assert_eq(ask(b, 0, STORE_RENEW, none, row_of(1, 2, "fc1~a"))->code, FC_OK);
    mariadb_catch_up(&place->servers[0], &place->servers[1]);

    STANDS(b, 1, "e=1 s=2 fc1~a seated");
    bench_free(b);
}

/* ---- what a fence leaves behind ---- */

static struct mariadb *server_of(struct bench *b, int server) { return &((struct place *)b->place)->servers[server]; }
static bool is_read_only(struct bench *b, int server) { return bench_look(b, 0, server)->is_read_only; }

/* db2 is claimed by fc1 in epoch 1 and not opened yet; then the servers are cut apart. Returns the row that claims it. */
static struct decision claimed_and_cut(struct bench *b)
{
    const struct decision none = { .phase = PHASE_SEATED };
    struct decision claim = row_of(1, 3, "fc1~a");
    TEXT_SET(claim.rank.server, bench_look(b, 0, 1)->identity);
    cr_assert_eq(ask(b, 1, STORE_RENEW, none, claim)->code, FC_OK, "%s", b->result.text);
    both(b, "stop slave");
    return claim;
}

static struct decision intent_of(struct bench *b)
{
    struct decision intent = row_of(2, 0, "fc2~b");
    intent.phase = PHASE_MOVING;
    TEXT_SET(intent.rank.server, b->look.identity);
    TEXT_SET(intent.successor, "server-1");
    return intent;
}

static const struct store_result *fence(struct bench *b, struct decision row)
{
    bench_ask(b, 0, (struct store_request){ .deed = STORE_FENCE, .server = 1, .row = row, .limit_ms = 4000 });
    mariadb_log_in_again(server_of(b, 1));
    return &b->result;
}

static void write_opening(const struct decision *claim, char *sql, size_t size)
{
    const struct store_request request = { .deed = STORE_OPEN, .row = *claim };
    struct sql_values values;
    sql_values_of(SQL_READ_ONLY_OFF_GUARDED, &request, &values);
    cr_assert_gt(sql_fill(SQL_READ_ONLY_OFF_GUARDED, &values, sql, size), 0);
}

/* The bytes of a leader that had read the row and slept before it sent them: nothing but the server says no. */
static void open_late(struct bench *b, const struct decision *claim)
{
    char sql[1024];
    write_opening(claim, sql, sizeof sql);
    mariadb_do(server_of(b, 1), "use fc");
    mariadb_do(server_of(b, 1), sql);
}

Test(store_pair, what_was_decided_before_a_fence_is_refused_by_the_fenced_server_itself)
{
    struct bench *b = pair_new();
    const struct decision claim = claimed_and_cut(b);
    struct decision renewal = claim, seat = claim;
    renewal.rank.seq = 9;
    seat.rank.epoch = 2;
    cr_assert_eq(fence(b, intent_of(b))->code, FC_OK, "%s", b->result.text);
    cr_expect_str_eq(b->result.text, "");
    STANDS(b, 1, "e=2 s=0 fc2~b moving");
    cr_expect(is_read_only(b, 1));

    open_late(b, &claim);
    cr_expect(is_read_only(b, 1), "its row says no");
    cr_expect_eq(ask(b, 1, STORE_RENEW, claim, renewal)->code, FC_REFUSED);
    cr_expect_eq(ask(b, 1, STORE_TAKE, claim, seat)->code, FC_REFUSED);
    cr_expect_eq(ask(b, 1, STORE_OPEN, claim, claim)->code, FC_REFUSED);
    STANDS(b, 1, "e=2 s=0 fc2~b moving");
    cr_expect(is_read_only(b, 1));

    heal(b);
    STANDS(b, 0, "e=2 s=0 fc2~b moving");
    bench_free(b);
}

/* It has evaluated its guard and not opened yet. Its row is locked until it has: so the fence's row comes after it, and read_only
 * after that. */
Test(store_pair, an_opening_that_is_under_way_when_the_fence_comes_is_over_before_and_closed_by_it)
{
    struct bench *b = pair_new();
    struct mariadb *server = server_of(b, 1);
    const struct decision claim = claimed_and_cut(b);
    char sql[1024];
    write_opening(&claim, sql, sizeof sql);
    cr_assert_eq(sql[strlen(sql) - 1], ')');
    text_copy(sql + strlen(sql) - 1, sizeof sql - strlen(sql) + 1, " and sleep(0.6) = 0)");      /* between its guard and its deed */
    MYSQL *opener = mysql_init(NULL);
    cr_assert_not_null(mysql_real_connect(opener, "127.0.0.1", "fence", "f", "fc", (unsigned)server->port, NULL, 0), "%s", mysql_error(opener));
    cr_assert_eq(mysql_send_query(opener, sql, (unsigned long)strlen(sql)), 0);
    mariadb_comes_to_show(server, &b->pump, "select count(*) from information_schema.processlist where user = 'fence' and state = 'User sleep'", "1\n");

    cr_assert_eq(fence(b, intent_of(b))->code, FC_OK, "%s", b->result.text);
    cr_expect_str_eq(b->result.text, "");
    cr_assert_eq(mysql_read_query_result(opener), 0, "%s", mysql_error(opener));
    STANDS(b, 1, "e=2 s=0 fc2~b moving");
    cr_expect(is_read_only(b, 1), "it was opened before the fence closed it, not after");
    mysql_close(opener);
    bench_free(b);
}

Test(store_pair, without_the_row_of_the_fence_a_late_opening_would_open_the_fenced_server)
{
    struct bench *b = pair_new();
    const struct decision claim = claimed_and_cut(b), none = { .phase = PHASE_SEATED };
    cr_assert_eq(fence(b, none)->code, FC_OK, "%s", b->result.text);
    open_late(b, &claim);
    cr_expect_not(is_read_only(b, 1), "so the scene before shows something");
    bench_free(b);
}

/* db2 sits, opened in epoch 1, with a client on it; `late` is what a leader of epoch 0 decided before. */
static struct decision seated_and_open(struct bench *b, MYSQL **client, struct decision *late)
{
    const struct decision claim = claimed_and_cut(b), none = { .phase = PHASE_SEATED };
    cr_assert_eq(ask(b, 1, STORE_OPEN, none, claim)->code, FC_OK, "%s", b->result.text);
    mariadb_do(server_of(b, 1), "create user if not exists app@127.0.0.1 identified by 'a'");
    *client = mysql_init(NULL);
    cr_assert_not_null(mysql_real_connect(*client, "127.0.0.1", "app", "a", NULL, (unsigned)server_of(b, 1)->port, NULL, 0), "%s", mysql_error(*client));
    *late = row_of(0, 7, "fc2~b");
    TEXT_SET(late->rank.server, "server-1");
    return claim;
}

Test(store_pair, a_fence_that_comes_late_is_refused_by_the_server_that_sits_by_now)
{
    struct bench *b = pair_new();
    MYSQL *client;
    struct decision late;
    seated_and_open(b, &client, &late);
    cr_assert_eq(fence(b, late)->code, FC_REFUSED, "%s", b->result.text);
    cr_expect_str_eq(b->result.text, "this server sits since epoch 1, by a later decision than this fence of epoch 0: it is left as it is");
    cr_expect_not(is_read_only(b, 1));
    cr_expect_eq(mysql_query(client, "do 1"), 0, "its session lives: %s", mysql_error(client));
    STANDS(b, 1, "e=1 s=3 fc1~a seated");
    mysql_close(client);
    bench_free(b);
}

/* The bytes of a leader that slept before it sent them: the row is asked by the statement that closes. */
Test(store_pair, the_statement_that_closes_asks_the_row_and_opens_nothing)
{
    struct bench *b = pair_new();
    MYSQL *client;
    struct decision late;
    const struct decision claim = seated_and_open(b, &client, &late);
    struct sql_values values = { 0 };
    char sql[512], seen[16];
    sql_values_number(&values, 0);
    sql_values_text(&values, claim.rank.server);
    cr_assert_gt(sql_fill(SQL_READ_ONLY_ON_GUARDED, &values, sql, sizeof sql), 0);
    mariadb_do(server_of(b, 1), "use fc");
    mariadb_do(server_of(b, 1), sql);
    cr_expect_not(is_read_only(b, 1), "it sits by a later decision");
    mariadb_do(server_of(b, 1), "set global read_only = 1");
    mariadb_do(server_of(b, 1), sql);
    cr_expect(is_read_only(b, 1), "what is closed stays closed");
    mariadb_do(server_of(b, 1), "set global read_only = 0; update firstchair_decision set phase = 'moving'");
    mariadb_do(server_of(b, 1), sql);
    mariadb_query(server_of(b, 1), "select @@global.read_only", seen, sizeof seen);
    cr_expect_str_eq(seen, "1\n", "nobody sits while the chair is moved");
    mysql_close(client);
    bench_free(b);
}

Test(store_pair, a_late_fence_is_refused_where_its_row_cannot_be_written)
{
    struct bench *b = pair_new();
    struct mariadb *server = server_of(b, 1);
    MYSQL *client, *holder = mysql_init(NULL);
    struct decision late;
    seated_and_open(b, &client, &late);
    cr_assert_not_null(mysql_real_connect(holder, "127.0.0.1", "store", "s", "fc", (unsigned)server->port, NULL, 0), "%s", mysql_error(holder));
    cr_assert_eq(mysql_query(holder, "begin"), 0);
    cr_assert_eq(mysql_query(holder, "update firstchair_decision set why = 'held'"), 0, "%s", mysql_error(holder));
    cr_expect_eq(fence(b, late)->code, FC_REFUSED, "its row is locked: %s", b->result.text);
    mysql_close(holder);

    mariadb_do(server, "set session sql_log_bin = 0; revoke update on fc.* from fence@127.0.0.1");
    mariadb_end_sessions(server, "fence");      /* a session keeps the privileges of its login */
    bench_look(b, 0, 1);
    cr_expect_eq(fence(b, late)->code, FC_REFUSED, "its row may not be written: %s", b->result.text);
    mariadb_do(server, "grant update on fc.* to fence@127.0.0.1");
    cr_expect_not(is_read_only(b, 1));
    cr_expect_eq(mysql_query(client, "do 1"), 0, "%s", mysql_error(client));
    mysql_close(client);
    bench_free(b);
}

Test(store_pair, a_stray_is_fenced_whatever_its_row_says_of_others_and_without_one)
{
    struct bench *b = pair_new();
    struct mariadb *server = server_of(b, 1);
    MYSQL *client;
    struct decision late;
    seated_and_open(b, &client, &late);
    mysql_close(client);
    mariadb_do(server, "set session sql_log_bin = 0; update fc.firstchair_decision set server = 'server-1', epoch = 40");
    cr_expect_eq(fence(b, late)->code, FC_OK, "a later decision seats another one: %s", b->result.text);
    cr_expect(is_read_only(b, 1));

    mariadb_do(server, "set session sql_log_bin = 0; set global read_only = 0; drop database fc");
    cr_expect_eq(fence(b, late)->code, FC_OK, "there is no row to ask: %s", b->result.text);
    cr_expect(is_read_only(b, 1));
    bench_free(b);
}

Test(store_pair, a_fence_that_may_not_write_its_row_counts_and_says_so)
{
    struct bench *b = pair_new();
    struct mariadb *server = server_of(b, 1);
    claimed_and_cut(b);
    mariadb_do(server, "set session sql_log_bin = 0; set global read_only = 0; revoke update on fc.* from fence@127.0.0.1");
    mariadb_end_sessions(server, "fence");
    bench_look(b, 0, 1);

    cr_assert_eq(fence(b, intent_of(b))->code, FC_OK, "%s", b->result.text);
    cr_expect(strstr(b->result.text, "a late opening would not be refused") != NULL, "%s", b->result.text);
    cr_expect(strstr(b->result.text, "UPDATE command denied") != NULL, "%s", b->result.text);
    cr_expect(is_read_only(b, 1));
    STANDS(b, 1, "e=1 s=3 fc1~a seated");
    mariadb_do(server, "set global read_only = 0; grant update on fc.* to fence@127.0.0.1");
    bench_free(b);
}

Test(store_pair, a_fence_whose_row_hangs_ends_what_hangs_and_closes_the_server_within_its_bound)
{
    struct bench *b = pair_new();
    struct mariadb *server = server_of(b, 1);
    char seen[64];
    claimed_and_cut(b);
    /* An account whose sessions no fence ends holds the row. */
    mariadb_do(server, "set global read_only = 0");
    MYSQL *holder = mysql_init(NULL);
    cr_assert_not_null(mysql_real_connect(holder, "127.0.0.1", "store", "s", "fc", (unsigned)server->port, NULL, 0), "%s", mysql_error(holder));
    cr_assert_eq(mysql_query(holder, "begin"), 0);
    cr_assert_eq(mysql_query(holder, "update firstchair_decision set why = 'held'"), 0, "%s", mysql_error(holder));

    cr_assert_eq(fence(b, intent_of(b))->code, FC_OK, "%s", b->result.text);
    cr_expect(strstr(b->result.text, "a late opening would not be refused") != NULL, "%s", b->result.text);
    cr_expect(is_read_only(b, 1));
    mariadb_query(server, "select count(*) from information_schema.processlist where user = 'fence' and info like '%firstchair_decision%'"
                  " and id <> connection_id()", seen, sizeof seen);
    cr_expect_str_eq(seen, "0\n");
    mysql_close(holder);
    bench_free(b);
}

static bool has_ended(void *owner) { return ((struct place *)((struct bench *)owner)->place)->ended_count > 0; }

Test(store_pair, a_killed_server_is_noticed_at_once_and_found_again)
{
    struct bench *b = pair_new();
    struct place *place = b->place;
    bench_look(b, 0, 1);
    const double killed = now_ms();
    program_end(&place->servers[1].pid);
    cr_expect(pump_until(&b->pump, has_ended, b, 2000));
    cr_expect_lt(now_ms() - killed, 500);
    cr_expect_eq(bench_ask(b, 0, (struct store_request){ .deed = STORE_LOOK, .server = 1 })->loss, LOSS_REFUSED);

    mariadb_restart(&place->servers[1]);
    for (int i = 0; i < 20 && bench_ask(b, 0, (struct store_request){ .deed = STORE_LOOK, .server = 1 })->code != FC_OK; i++)
        pump_for(&b->pump, 100);
    cr_expect_eq(b->result.code, FC_OK, "%s", b->result.text);
    bench_free(b);
}

/* ---- what the mode needs, read from real servers ---- */

static const struct server_settings *check(struct bench *b, int server)
{
    const struct store_result *r = bench_ask(b, 0, (struct store_request){ .deed = STORE_CHECK, .server = server, .limit_ms = 5000 });
    cr_assert_eq(r->code, FC_OK, "%s", r->text);
    return &b->settings;
}

static void says(const struct server_settings *s, enum setting setting, const char *wanted)
{
    cr_expect_str_eq(s->value[setting], wanted, "setting %d is '%s'", (int)setting, s->value[setting]);
}

Test(store_pair, a_check_reads_what_the_mode_needs_in_one_round_trip)
{
    const bool is_mysql = server_is_mysql();
    const struct { enum setting setting; const char *value; } wanted[] = {
        { SETTING_LOG_BIN, "ON" }, { SETTING_BINLOG_FORMAT, "STATEMENT" }, { SETTING_SERVER_ID, "2" },
        { SETTING_GTID_DOMAIN, is_mysql ? "" : "2" }, { SETTING_GTID_STRICT, is_mysql ? "" : "OFF" }, { SETTING_LOG_UPDATES, "ON" }, { SETTING_SYNC_BINLOG, "0" }, { SETTING_FLUSH_LOG, "0" },
        { SETTING_RELAY_RECOVERY, "OFF" }, { SETTING_ISOLATION, "REPEATABLE-READ" }, { SETTING_INCREMENT, "1" },
        { SETTING_OFFSET, "1" }, { SETTING_NET_TIMEOUT, "5" }, { SETTING_EXEC_MODE, "STRICT" }, { SETTING_SKIP_ERRORS, "OFF" },
        { SETTING_EVENT_SCHEDULER, "OFF" }, { SETTING_BOOT_READ_ONLY, "ON" }, { SETTING_FENCE_LOGIN, "none" },
        { SETTING_FENCE_LACKS, "none" }, { SETTING_ABOVE_READ_ONLY, "" }, { SETTING_BINLOG_FILTER, "none" },
        { SETTING_REPLICATION, "running" }, { SETTING_REPLICATES_FROM, "1" }, { SETTING_REPLICA_FILTER, "none" },
        { SETTING_CONNECT_RETRY, "1" }, { SETTING_USES_GTID, is_mysql ? "1" : "Slave_Pos" },
        { SETTING_RETRY_COUNT, is_mysql ? "0" : "none" },
    };
    struct bench *b = pair_new();
    const struct server_settings *s = check(b, 1);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        says(s, wanted[i].setting, wanted[i].value);
    cr_expect(s->is_mariadb != is_mysql && s->identity[0] != '\0' && s->uptime_s >= 0 && s->uptime_s < 600);
    cr_expect(s->clock_error_ms >= 0 && s->clock_skew_ms <= s->clock_error_ms && -s->clock_skew_ms <= s->clock_error_ms,
              "one machine has one clock: %s", s->value[SETTING_CLOCK]);
    cr_expect_str_neq(s->value[SETTING_SQL_MODE], "");
    cr_expect_str_neq(s->value[SETTING_TIME_ZONE], "SYSTEM");
    bench_free(b);
}

Test(store_pair, what_a_server_started_with_is_told_until_set_global_hides_it_and_again_after_its_start)
{
    struct bench *b = pair_new();
    struct place *place = b->place;
    says(check(b, 1), SETTING_BOOT_READ_ONLY, "ON");
    mariadb_do(&place->servers[1], "set global read_only = 0");
    says(check(b, 1), SETTING_BOOT_READ_ONLY, "");
    mariadb_do(&place->servers[1], "set global read_only = 1");
    says(check(b, 1), SETTING_BOOT_READ_ONLY, "");
    mariadb_restart(&place->servers[1]);
    for (int i = 0; i < 20 && bench_ask(b, 0, (struct store_request){ .deed = STORE_LOOK, .server = 1 })->code != FC_OK; i++)
        continue;
    cr_expect_str_eq(b->look.boot_read_only, "ON", "the first look of a session tells it");
    cr_assert_eq(bench_ask(b, 0, (struct store_request){ .deed = STORE_LOOK, .server = 1 })->code, FC_OK);
    cr_expect_str_eq(b->look.boot_read_only, "", "the next one does not ask");
    says(check(b, 1), SETTING_BOOT_READ_ONLY, "ON");
    bench_free(b);
}

Test(store_pair, a_privilege_that_the_fence_lacks_is_named_and_the_rest_is_read_all_the_same)
{
    struct bench *b = pair_new();
    struct mariadb *server = &((struct place *)b->place)->servers[1];
    mariadb_do(server, "set session sql_log_bin = 0; revoke slave monitor, process on *.* from fence@127.0.0.1;"
                       "revoke insert on fc.* from fence@127.0.0.1");
    const struct server_settings *s = check(b, 1);
    says(s, SETTING_FENCE_LACKS, server_is_mysql() ? "PROCESS on *.*, REPLICATION CLIENT on *.*, INSERT on the schema"
                                                : "PROCESS on *.*, SLAVE MONITOR on *.*, INSERT on the schema");
    says(s, SETTING_LOG_BIN, "ON");
    says(s, SETTING_REPLICATION, "");
    mariadb_do(server, "grant slave monitor, process on *.* to fence@127.0.0.1; grant all on fc.* to fence@127.0.0.1");
    s = check(b, 1);      /* a new login: privileges are those of now */
    says(s, SETTING_FENCE_LACKS, "none");
    says(s, SETTING_REPLICATION, "running");
    mariadb_do(server, "alter user fence@127.0.0.1 identified by 'other'");
    const struct store_result *r = bench_ask(b, 0, (struct store_request){ .deed = STORE_CHECK, .server = 1, .limit_ms = 5000 });
    cr_expect(r->code != FC_OK && r->loss == LOSS_DENIED, "%s", r->text);
    bench_free(b);
}

Test(store_pair, accounts_above_read_only_are_named_where_the_fence_may_see_them)
{
    struct bench *b = pair_new();
    struct mariadb *server = &((struct place *)b->place)->servers[1];
    mariadb_do(server, "set session sql_log_bin = 0; create user boss@'10.%' identified by 'b'; create user tame@'%' identified by 't';"
                       "grant super on *.* to boss@'10.%'; grant process on *.* to tame@'%'; drop user if exists root@127.0.0.1");
    if (!server_is_mysql())
        mariadb_do(server, "delete from mysql.global_priv where user = 'root' and host <> 'localhost'; flush privileges");
    says(check(b, 1), SETTING_ABOVE_READ_ONLY, "");
    mariadb_do(server, "grant select on mysql.* to fence@127.0.0.1");
    says(check(b, 1), SETTING_ABOVE_READ_ONLY, "'boss'@'10.%'");
    mariadb_do(server, "revoke super on *.* from boss@'10.%'");
    says(check(b, 1), SETTING_ABOVE_READ_ONLY, "none");
    bench_free(b);
}

Test(store_pair, filters_a_stopped_replica_and_its_error_are_told)
{
    struct bench *b = pair_new();
    struct mariadb *server = &((struct place *)b->place)->servers[1];
    mariadb_do(server, server_is_mysql() ? "stop replica; change replication filter replicate_do_db = (a, b), replicate_wild_ignore_table = ('x.%')"
                                         : "stop slave; set global replicate_do_db = 'a,b'; set global replicate_wild_ignore_table = 'x.%'");
    const struct server_settings *s = check(b, 1);
    says(s, SETTING_REPLICATION, "stopped");
    says(s, SETTING_REPLICA_FILTER, "Replicate_Do_DB=a,b, Replicate_Wild_Ignore_Table=x.%");
    mariadb_do(server, "reset slave all");
    says(check(b, 1), SETTING_REPLICATION, "none");
    bench_free(b);
}

Test(store_pair, the_tables_of_both_are_read_in_one_round_trip_each)
{
    struct bench *b = pair_new();
    for (int i = 0; i < 2; i++) {
        const struct store_result *r = bench_ask(b, 0, (struct store_request){ .deed = STORE_COMPARE, .server = i, .limit_ms = 5000 });
        cr_assert_eq(r->code, FC_OK, "%s", r->text);
        cr_expect_eq(b->rows.set_count, compare_table_count);
        cr_expect_str_eq(mysql_rows_named(&b->rows, 0, 0, "name"), "lease");
    }
    bench_free(b);
}
