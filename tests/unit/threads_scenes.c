/* Everything that crosses a thread, in one plain program: the test framework does not start under ThreadSanitizer, this does.
 *
 * Jobs of the workers, the SQLite store, name lookups of the MySQL store and of Redis, the event log; each of them also closed
 * while its job is under way. What two threads touch without an agreement is ThreadSanitizer's to find (preset `tsan`). */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/loop.h"
#include "agent/recorder.h"
#include "backends/redis.h"
#include "backends/store.h"
#include "base/text.h"

#define JOBS 500
#define ROUNDS 40
#define WORKERS 4
#define JOBS_OUT_MAX 16

/* A claim that holds in every build, also without assert. */
static void claim(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "not so: %s\n", what);
        exit(1);
    }
}

static struct loop *loop_new(int workers)
{
    struct loop *loop = NULL;
    struct fc_err err = { 0 };
    claim(loop_open(workers, JOBS_OUT_MAX, &loop, &err) == FC_OK, "a loop is opened");
    return loop;
}

/* ---- jobs ---- */

struct job { struct crowd *crowd; int number, result; bool is_out; };

struct crowd { struct loop *loop; struct job jobs[JOBS]; int given, back; bool is_closing; };

static void square(void *owner)
{
    struct job *job = owner;
    job->result = job->number * job->number;
}

static void give_more(struct crowd *crowd);

static void squared(void *owner)
{
    struct job *job = owner;
    claim(job->is_out && (job->crowd->is_closing || job->result == job->number * job->number), "a job comes back once, done");
    job->is_out = false;
    job->crowd->back++;
    give_more(job->crowd);
    if (job->crowd->back == JOBS)
        loop_stop(job->crowd->loop);
}

static void give_more(struct crowd *crowd)
{
    const struct host *host = loop_host(crowd->loop);

    while (crowd->given < JOBS) {
        struct job *job = &crowd->jobs[crowd->given];
        *job = (struct job){ crowd, crowd->given, -1, true };
        if (!host->work(host->agent, square, squared, job))
            return;
        crowd->given++;
    }
}

static void every_job_comes_back_once(void)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    crowd->loop = loop_new(WORKERS);
    give_more(crowd);
    claim(crowd->given < JOBS, "a full queue refuses");
    loop_run(crowd->loop);
    claim(crowd->back == JOBS, "all jobs are back");
    loop_close(crowd->loop);
    free(crowd);
}

static void the_loop_closes_while_jobs_are_under_way(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct crowd *crowd = calloc(1, sizeof *crowd);
        crowd->loop = loop_new(WORKERS);
        give_more(crowd);
        crowd->is_closing = true;
        loop_close(crowd->loop);
        claim(crowd->back == crowd->given, "every job comes back, be it done or not");
        free(crowd);
    }
}

/* ---- stores ---- */

struct client { struct loop *loop; struct store *store; uint64_t seq; int heard; enum fc_code last; };

static void renew(struct client *client)
{
    struct store_request request = { .deed = STORE_RENEW, .limit_ms = 5000,
                                     .row = { .rank = { .epoch = 1, .seq = ++client->seq }, .phase = PHASE_SEATED } };
    TEXT_SET(request.row.rank.server, "store");
    TEXT_SET(request.row.rank.node, "fc1~a");
    store_ask(client->store, &request);
}

static void on_heard(void *owner, const struct store_result *result)
{
    struct client *client = owner;
    client->last = result->code;
    client->heard++;
    if (client->seq < ROUNDS)
        renew(client);
    else
        loop_stop(client->loop);
}

static void on_session_ended(void *owner, int server, enum loss loss, const char *text)
{
    (void)owner, (void)server, (void)loss, (void)text;
}

static void a_sqlite_store_works_on_threads(const char *folder)
{
    char path[128];
    struct fc_err err = { 0 };
    struct client client = { .loop = loop_new(WORKERS) };

    TEXT_FORMAT(path, "%s/store.db", folder);
    claim(store_sqlite_open(loop_host(client.loop), path, "fc1", on_heard, &client, &client.store, &err) == FC_OK, "it is opened");
    store_ask(client.store, &(struct store_request){ .deed = STORE_PREPARE, .limit_ms = 5000 });
    loop_run(client.loop);
    claim(client.heard == ROUNDS + 1 && client.last == FC_OK, "every renewal is stored");
    renew(&client);                                   /* closed while this one is under way */
    store_close(client.store);
    loop_close(client.loop);
    unlink(path);
}

static void set_config(struct config *config)
{
    config_preset(config);
    TEXT_SET(config->backend_db, "mysql");
    TEXT_SET(config->mysql_host, "localhost");
    TEXT_SET(config->mysql_database, "fc");
    TEXT_SET(config->mysql_user, "store");
    config->mysql_port = 1;                           /* nobody listens there */
    TEXT_SET(config->redis_address, "localhost:1");
}

static void a_mysql_store_looks_up_names_on_threads(void)
{
    struct config config;
    struct fc_err err = { 0 };

    set_config(&config);
    for (int i = 0; i < ROUNDS; i++) {
        struct client client = { .loop = loop_new(WORKERS), .seq = ROUNDS };
        claim(store_mysql_open(loop_host(client.loop), &config, "fc1", on_heard, on_session_ended, &client, &client.store,
                               &err) == FC_OK, "it is opened");
        store_ask(client.store, &(struct store_request){ .deed = STORE_LOOK, .limit_ms = 2000 });
        if (i % 2 == 0) {
            loop_run(client.loop);
            claim(client.heard == 1 && client.last != FC_OK, "a server that is not there is a failed look");
        }
        store_close(client.store);                    /* in odd rounds while the lookup is under way */
        loop_close(client.loop);
    }
}

/* ---- what has no answers of its own ---- */

static void on_changed(void *owner, bool is_ready, const char *text)
{
    (void)text;
    claim(!is_ready, "nobody is there");
    loop_stop(owner);
}

static void on_wants_all(void *owner)
{
    (void)owner;
    claim(false, "nobody is there to tell");
}

static void redis_looks_up_names_on_threads(void)
{
    struct config config;
    struct fc_err err = { 0 };

    set_config(&config);
    for (int i = 0; i < ROUNDS; i++) {
        struct loop *loop = loop_new(WORKERS);
        const struct redis_listener listener = { .owner = loop, .wants_all = on_wants_all, .changed = on_changed };
        struct redis *redis = NULL;
        claim(redis_open(loop_host(loop), &config, "t", &listener, &redis, &err) == FC_OK, "it is opened");
        if (i % 2 == 0)
            loop_run(loop);
        redis_close(redis);
        loop_close(loop);
    }
}

struct writing { struct loop *loop; struct recorder *recorder; struct host_timer *timer; int events; };

static void write_some(void *owner)
{
    struct writing *w = owner;
    const struct host *host = loop_host(w->loop);
    const struct event event = { .type = WOKEN, .at = host->now(host->agent) };

    recorder_write(w->recorder, &event);
    if (++w->events == 600)
        loop_stop(w->loop);                           /* several batches: one is written each 200 ms */
    else
        host->timer_set(w->timer, fc_plus(event.at, fc_ms(1)));
}

static void write_events(const char *path)
{
    struct fc_err err = { 0 };
    struct writing w = { .loop = loop_new(WORKERS) };
    const struct host *host = loop_host(w.loop);

    claim(recorder_open(host, path, &w.recorder, &err) == FC_OK, "the event log is opened");
    w.timer = host->timer(host->agent, write_some, &w);
    write_some(&w);
    loop_run(w.loop);
    host->untimer(w.timer);
    recorder_stop(w.recorder);
    loop_close(w.loop);
    recorder_close(w.recorder);
}

static void the_event_log_is_written_on_threads(const char *folder)
{
    char path[128];

    TEXT_FORMAT(path, "%s/events", folder);
    write_events(path);
    unlink(path);
    write_events("/dev/full");                        /* a disk that refuses is told to the loop's thread */
}

int main(void)
{
    char folder[] = "/tmp/fcXXXXXX";

    claim(mkdtemp(folder) != NULL, "there is a folder");
    alarm(100);                                       /* a loop that never stops fails here */
    every_job_comes_back_once();
    the_loop_closes_while_jobs_are_under_way();
    a_sqlite_store_works_on_threads(folder);
    a_mysql_store_looks_up_names_on_threads();
    redis_looks_up_names_on_threads();
    the_event_log_is_written_on_threads(folder);
    rmdir(folder);
    return 0;
}
