/* The contract on a SQLite file, and what is a file's own: two processes, full and refusing disks, garbage, locks, bounds.
 *
 * The first scene prints what opening and renewing cost. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "statement_replay.h"
#include "store_contract.h"

struct place {
    char folder[FOLDER_SIZE];
    char path[FOLDER_SIZE + 32];
};

static struct store *open_store(struct bench *b)
{
    const struct place *place = b->place;
    struct store *store = NULL;
    struct fc_err err = { 0 };
    cr_assert_eq(store_sqlite_open(pump_host(&b->pump), place->path, "fc1", bench_heard, b, &store, &err), FC_OK, "%s", err.text);
    cr_assert_eq(store->server_count, 1);
    return store;
}

static void query_file(void *db, const char *sql, char *to, size_t size)
{
    sqlite3_stmt *rows = NULL;
    size_t length = 0;

    to[0] = '\0';
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            text_format(to + length, size - length, "%s%s", i == 0 ? "" : "|", (const char *)sqlite3_column_text(rows, i));
            length += strlen(to + length);
        }
        text_copy(to + length, size - length, "\n");
        length += strlen(to + length);
    }
    cr_assert_eq(sqlite3_finalize(rows), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
}

static void query(struct bench *b, const char *sql, char *to, size_t size)
{
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(((struct place *)b->place)->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 2000);
    query_file(db, sql, to, size);
    sqlite3_close(db);
}

static struct place *place_new(void)
{
    struct place *place = calloc(1, sizeof *place);
    folder_open(place->folder);
    TEXT_FORMAT(place->path, "%s/deep/store.db", place->folder);
    return place;
}

static struct bench *bench_at(struct place *place)
{
    struct bench *b = calloc(1, sizeof *b);
    b->place = place;
    b->open = open_store;
    b->query = query;
    bench_open(b);
    return b;
}

static struct bench *bench_new(void) { return bench_at(place_new()); }

static void bench_free(struct bench *b)
{
    struct place *place = b->place;
    bench_close(b);
    folder_close(place->folder);
    free(place);
    free(b);
}

#define SCENE(name)                         \
    Test(store_sqlite, name)                \
    {                                       \
        struct bench *b = bench_new();      \
        contract_##name(b);                 \
        bench_free(b);                      \
    }
STORE_CONTRACT(SCENE)

static const struct store_result *ask(struct bench *b, enum store_deed deed)
{
    return bench_ask(b, 0, (struct store_request){ .deed = deed, .limit_ms = 1000 });
}

static const char *path_of(struct bench *b) { return ((struct place *)b->place)->path; }

Test(store_sqlite, a_fresh_file_is_looked_at_prepared_and_renewed_quickly)
{
    const double began = now_ms();
    struct bench *b = bench_new();
    bench_look(b, 0, 0);
    const double looked = now_ms();
    ask(b, STORE_PREPARE);
    const double prepared = now_ms();
    for (uint64_t seq = 1; seq <= 200; seq++)
        cr_assert_eq(bench_ask(b, 0, (struct store_request){ .deed = STORE_RENEW, .row = row_of(1, seq, "fc1~a") })->code, FC_OK);
    const double renewed = now_ms();
    for (int i = 0; i < 200; i++)
        bench_look(b, 0, 0);
    printf("sqlite: open to first look %.1f ms, prepare %.1f ms, renew %.3f ms, look %.3f ms\n", looked - began,
           prepared - looked, (renewed - prepared) / 200, (now_ms() - renewed) / 200);
    fflush(stdout);
    cr_expect_lt(looked - began, 300, "%.1f ms: 30 ms are usual", looked - began);
    bench_free(b);
}

Test(store_sqlite, the_file_is_for_its_owner_alone)
{
    struct bench *b = bench_new();
    struct stat seen;
    ask(b, STORE_PREPARE);
    cr_assert_eq(stat(path_of(b), &seen), 0);
    cr_expect_eq(seen.st_mode & 0777, 0600);
    bench_free(b);
}

Test(store_sqlite, the_chairs_deeds_are_done_at_once)
{
    struct bench *b = bench_new();
    cr_expect_eq(ask(b, STORE_FENCE)->code, FC_OK);
    cr_expect_eq(ask(b, STORE_CATCH_UP)->code, FC_OK);
    cr_expect_eq(ask(b, STORE_OPEN)->code, FC_OK);
    cr_expect(bench_look(b, 0, 0)->is_fixed_writable);
    bench_free(b);
}

Test(store_sqlite, garbage_is_said_and_a_mended_file_works)
{
    struct bench *b = bench_new();
    bench_look(b, 0, 0);
    bench_close_first(b);
    FILE *garbage = fopen(path_of(b), "w");
    for (int i = 0; i < 4096; i++)
        fputs("no database ", garbage);
    fclose(garbage);
    bench_open_another(b);

    cr_expect_eq(ask(b, STORE_LOOK)->code, FC_STORE);
    cr_expect_eq(b->result.loss, LOSS_BROKEN);
    cr_expect_not_null(strstr(b->result.text, "it is not a SQLite database"), "%s", b->result.text);
    unlink(path_of(b));

    cr_expect_eq(ask(b, STORE_PREPARE)->code, FC_OK, "%s", b->result.text);
    cr_expect_eq(ask(b, STORE_LOOK)->code, FC_OK);
    bench_free(b);
}

Test(store_sqlite, a_folder_that_cannot_be_made_is_said_and_works_when_it_can)
{
    struct bench *b = bench_new();
    struct place *place = b->place;
    char in_the_way[FOLDER_SIZE + 8];
    TEXT_FORMAT(in_the_way, "%s/deep", place->folder);
    fclose(fopen(in_the_way, "w"));

    cr_expect_eq(ask(b, STORE_PREPARE)->code, FC_STORE);
    cr_expect_not_null(strstr(b->result.text, "it cannot be created (Not a directory)"), "%s", b->result.text);
    cr_expect_eq(ask(b, STORE_LOOK)->loss, LOSS_DENIED);
    unlink(in_the_way);

    cr_expect_eq(ask(b, STORE_PREPARE)->code, FC_OK, "%s", b->result.text);
    bench_free(b);
}

Test(store_sqlite, a_disk_that_takes_no_more_is_said_and_works_when_it_does)
{
    struct bench *b = bench_new();
    struct rlimit before, none = { 4096, 0 };
    ask(b, STORE_PREPARE);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    none.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &none);

    cr_expect_eq(bench_ask(b, 0, (struct store_request){ .deed = STORE_RENEW, .row = row_of(1, 1, "fc1~a") })->code, FC_STORE);
    cr_expect_str_neq(b->result.text, "");
    setrlimit(RLIMIT_FSIZE, &before);

    cr_expect_eq(bench_ask(b, 0, (struct store_request){ .deed = STORE_RENEW, .row = row_of(1, 2, "fc1~a") })->code, FC_OK, "%s",
                 b->result.text);
    cr_expect_str_eq(row_words(&bench_look(b, 0, 0)->lease), "e=1 s=2 fc1~a seated");
    bench_free(b);
}

Test(store_sqlite, a_lock_of_another_process_is_said_within_the_bound_and_a_look_still_works)
{
    struct bench *b = bench_new();
    sqlite3 *other = NULL;
    ask(b, STORE_PREPARE);
    sqlite3_open(path_of(b), &other);
    cr_assert_eq(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);

    const double began = now_ms();
    const struct store_request renew = { .deed = STORE_RENEW, .row = row_of(1, 1, "fc1~a"), .limit_ms = 300 };
    cr_expect_eq(bench_ask(b, 0, renew)->code, FC_STORE);
    cr_expect_lt(now_ms() - began, 300);
    cr_expect_eq(b->result.loss, LOSS_SILENT);
    cr_expect_not_null(strstr(b->result.text, "another process keeps it locked"), "%s", b->result.text);
    cr_expect_eq(ask(b, STORE_LOOK)->code, FC_OK);

    sqlite3_exec(other, "commit", NULL, NULL, NULL);
    sqlite3_close(other);
    cr_expect_eq(bench_ask(b, 0, renew)->code, FC_OK);
    bench_free(b);
}

#define TAKES 80                         /* of each process; the count of wins is its exit status */

static int take_again_and_again(struct place *place, const char *node)
{
    struct bench *b = bench_at(place);
    int won = 0;
    for (int i = 0; i < TAKES; i++) {
        const struct decision old = bench_look(b, 0, 0)->lease;
        const struct store_request take = { .deed = STORE_TAKE, .old = old, .row = row_of(old.rank.epoch + 1, 1, node) };
        won += bench_ask(b, 0, take)->code == FC_OK;
    }
    bench_close(b);
    return won;
}

Test(store_sqlite, of_two_processes_each_epoch_has_one_winner)
{
    struct place *place = place_new();
    pid_t contenders[2];
    int won = 0;
    struct bench *b = bench_at(place);
    ask(b, STORE_PREPARE);
    bench_close(b);

    for (int i = 0; i < 2; i++) {
        contenders[i] = fork();
        if (contenders[i] == 0)
            _exit(take_again_and_again(place, i == 0 ? "fc1~a" : "fc2~b"));
    }
    for (int i = 0; i < 2; i++) {
        int status = 0;
        waitpid(contenders[i], &status, 0);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) > 0);
        won += WEXITSTATUS(status);
    }

    bench_open(b);
    cr_expect_eq((int)bench_look(b, 0, 0)->lease.rank.epoch, won);
    cr_expect_leq(won, 2 * TAKES);
    bench_free(b);
}

Test(store_sqlite, a_replaced_file_is_the_store_at_once)
{
    struct bench *b = bench_new();
    struct place *place = b->place;
    char away[FOLDER_SIZE + 16];
    TEXT_FORMAT(away, "%s/away.db", place->folder);
    ask(b, STORE_PREPARE);
    cr_assert_eq(rename(place->path, away), 0);

    cr_expect_not(bench_look(b, 0, 0)->has_schema);
    bench_free(b);
}

Test(store_sqlite, a_row_that_cannot_be_is_said_and_not_believed)
{
    struct bench *b = bench_new();
    char rows[64];
    ask(b, STORE_PREPARE);
    query(b, "update firstchair_decision set phase = 'dancing', epoch = 4, node = 'fc9'", rows, sizeof rows);

    cr_expect_eq(ask(b, STORE_LOOK)->code, FC_STORE);
    cr_expect_not_null(strstr(b->result.text, "cannot be understood"), "%s", b->result.text);
    bench_free(b);
}

/* Both forms that orchestrator leaves behind: schema facts, section 2. */
Test(store_sqlite, times_in_the_form_of_a_raft_snapshot_are_understood)
{
    struct bench *b = bench_new();
    char rows[256];
    struct store_request leads = { .deed = STORE_REGISTER, .registration = { .hostname = "fc1", .token = "t", .leads = true } };
    ask(b, STORE_PREPARE);
    query(b, "insert into node_health values ('old', 't', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-2 hour'), "
             "'2026-01-02T03:04:05Z', '', '', '', '', 0)", rows, sizeof rows);

    ask(b, STORE_PREPARE);
    query(b, "select first_seen_active from node_health", rows, sizeof rows);
    cr_expect_str_eq(rows, "2026-01-02 03:04:05\n");
    cr_expect_eq(bench_ask(b, 0, leads)->code, FC_OK, "%s", b->result.text);

    query(b, "select hostname from node_health", rows, sizeof rows);
    cr_expect_str_eq(rows, "fc1\n", "what is older than an hour is tidied away");
    bench_free(b);
}

/* ---- the statements ---- */

static void run_statement(void *db, enum sql_name name, const struct sql_values *values)
{
    sqlite3_stmt *statement = NULL;
    cr_assert_eq(sqlite3_prepare_v2(db, sql_statements[name].sqlite, -1, &statement, NULL), SQLITE_OK, "%s: %s",
                 sql_statements[name].name, sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_bind_parameter_count(statement), (int)strlen(sql_statements[name].places));
    for (int i = 0; i < values->count; i++) {
        const struct sql_value *value = &values->list[i];
        cr_assert_eq(value->kind, sql_statements[name].places[i]);
        if (value->kind == 't')
            sqlite3_bind_text(statement, i + 1, value->text, -1, SQLITE_TRANSIENT);
        else
            sqlite3_bind_int64(statement, i + 1, value->kind == 'n' ? (int64_t)value->number : value->integer);
    }
    cr_assert_eq(sqlite3_step(statement), SQLITE_DONE, "%s: %s", sql_statements[name].name, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
}

Test(store_sqlite, every_statement_can_be_replayed)
{
    struct replay_side sides[2];
    const struct sql_values none = { 0 };
    for (int i = 0; i < 2; i++) {
        sqlite3 *db = NULL;
        cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
        sides[i] = (struct replay_side){ db, run_statement, query_file };
        for (int name = SQL_CREATE_FIRST; name <= SQL_CREATE_LAST; name++)
            run_statement(db, (enum sql_name)name, &none);
    }
    replay_every_statement(&sides[0], &sides[1]);
    sqlite3_close(sides[0].db);
    sqlite3_close(sides[1].db);
}

/* ---- bounds ---- */

static bool has_heard_all(void *owner) { return ((struct bench *)owner)->heard_count == 200; }

Test(store_sqlite, too_many_requests_are_refused_and_each_is_answered_once)
{
    struct bench *b = bench_new();
    for (uint64_t i = 1; i <= 200; i++)
        store_ask(b->stores[0], &(struct store_request){ .deed = STORE_LOOK, .id = i, .limit_ms = 4000 });
    cr_expect(pump_until(&b->pump, has_heard_all, b, 4000), "%d of 200", b->heard_count);
    pump_for(&b->pump, 20);
    cr_expect_eq(b->heard_count, 200);
    bench_free(b);
}

static bool has_heard_one(void *owner) { return ((struct bench *)owner)->heard_count == 1; }

Test(store_sqlite, a_request_that_waits_too_long_for_a_worker_is_a_time_out)
{
    struct bench *b = bench_new();
    sqlite3 *other = NULL;
    ask(b, STORE_PREPARE);
    sqlite3_open(path_of(b), &other);
    sqlite3_exec(other, "begin immediate", NULL, NULL, NULL);
    store_ask(b->stores[0], &(struct store_request){ .deed = STORE_RENEW, .id = 70, .limit_ms = 2000, .row = row_of(1, 1, "a") });
    store_ask(b->stores[0], &(struct store_request){ .deed = STORE_LOOK, .id = 71, .limit_ms = 50 });

    b->heard_count = 0;
    cr_assert(pump_until(&b->pump, has_heard_one, b, 1000));
    cr_expect_eq(b->result.id, 71);
    cr_expect_eq(b->result.code, FC_TIMEOUT);
    sqlite3_exec(other, "commit", NULL, NULL, NULL);
    sqlite3_close(other);
    bench_free(b);
}

Test(store_sqlite, closing_while_a_job_runs_hears_nothing_more)
{
    struct bench *b = bench_new();
    store_ask(b->stores[0], &(struct store_request){ .deed = STORE_PREPARE, .id = 1, .limit_ms = 4000 });
    store_ask(b->stores[0], &(struct store_request){ .deed = STORE_LOOK, .id = 2, .limit_ms = 4000 });
    bench_close_first(b);
    pump_for(&b->pump, 100);
    cr_expect_eq(b->heard_count, 0);
    bench_free(b);
}
