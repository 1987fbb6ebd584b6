/* Scenes with a real, private redis-server: published, expired, absent, frozen, flushed, refused, overtaken.
 *
 * The node of a scene publishes one key of its own, one pool and, when told to, events; a second, blocking connection looks. */
#include "backends/redis.h"

#include <criterion/criterion.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "private_server.h"

#define MS_SOON 4000

struct scene {
    char folder[FOLDER_SIZE];
    char path[FOLDER_SIZE + 16];
    pid_t server;
    struct pump pump;
    struct config config;
    struct redis *redis;
    const char *token;
    uint64_t epoch, seq;
    int asked_for_all, changed;
    char said[200];
};

/* ---- the node ---- */

static void publish(struct scene *s)
{
    char node[200], pool[200];
    TEXT_FORMAT(node, "{\"token\":\"%s\",\"epoch\":%" PRIu64 ",\"seq\":%" PRIu64 "}", s->token, s->epoch, s->seq);
    TEXT_FORMAT(pool, "{\"node\":\"%s\",\"epoch\":%" PRIu64 ",\"seq\":%" PRIu64 "}", s->token, s->epoch, s->seq);
    const struct redis_message messages[] = {
        { REDIS_NODE, "fc1", node, s->epoch, s->seq },
        { REDIS_POOL, "fc_backend", pool, s->epoch, s->seq },
    };
    redis_publish(s->redis, messages, 2);
}

static void publish_event(struct scene *s, const char *json)
{
    redis_publish(s->redis, &(struct redis_message){ REDIS_EVENT, "", json, s->epoch, s->seq }, 1);
}

static void on_wants_all(void *owner)
{
    struct scene *s = owner;
    s->asked_for_all++;
    publish(s);
}

static void on_changed(void *owner, bool is_ready, const char *text)
{
    struct scene *s = owner;
    (void)is_ready;
    s->changed++;
    TEXT_SET(s->said, text);
}

static void node_open(struct scene *s)
{
    const struct redis_listener listener = { s, on_wants_all, on_changed };
    struct fc_err err = { 0 };
    cr_assert_eq(redis_open(pump_host(&s->pump), &s->config, s->token, &listener, &s->redis, &err), FC_OK, "%s", err.text);
}

/* ---- the server ---- */

static redisContext *look_open(struct scene *s)
{
    for (int i = 0; i < 200; i++) {
        redisContext *look = redisConnectUnix(s->path);
        if (look != NULL && look->err == 0)
            return look;
        redisFree(look);
        usleep(20000);
    }
    cr_assert_fail("redis-server does not come up in %s", s->folder);
    return NULL;
}

/* The answer as text: nil, a number, or the string. */
static const char *ask(struct scene *s, const char *command)
{
    static char text[400];
    redisContext *look = look_open(s);
    redisReply *reply = redisCommand(look, command);
    cr_assert_not_null(reply, "%s", command);
    if (reply->type == REDIS_REPLY_INTEGER)
        TEXT_FORMAT(text, "%lld", reply->integer);
    else
        TEXT_SET(text, reply->type == REDIS_REPLY_NIL ? "nil" : reply->str != NULL ? reply->str : "?");
    freeReplyObject(reply);
    redisFree(look);
    return text;
}

static void server_start(struct scene *s, const char *option, const char *value)
{
    const char *words[] = { "redis-server", "--port", "0", "--unixsocket", s->path, "--save", "", "--appendonly", "no",
                            "--dir", s->folder, option, value, NULL };
    s->server = program_start(s->folder, NULL, words);
    redisFree(look_open(s));
}

static struct scene *scene_open(void)
{
    struct scene *s = calloc(1, sizeof *s);
    folder_open(s->folder);
    TEXT_FORMAT(s->path, "%s/r.sock", s->folder);
    pump_open(&s->pump, 1);
    s->config = (struct config){ .redis_ttl_seconds = 3, .redis_stream_max = 100 };
    TEXT_SET(s->config.redis_address, s->path);
    TEXT_SET(s->config.redis_prefix, "fc:");
    s->token = "t1";
    s->epoch = 7;
    s->seq = 40;
    return s;
}

static void scene_close(struct scene *s)
{
    redis_close(s->redis);
    pump_close(&s->pump);
    program_end(&s->server);
    folder_close(s->folder);
    free(s);
}

static bool is_ready(void *owner) { return redis_state(((struct scene *)owner)->redis)->is_ready; }
static bool is_away(void *owner) { return !is_ready(owner); }
static bool has_stored_two(void *owner) { return redis_state(((struct scene *)owner)->redis)->stored >= 2; }
static bool has_failed(void *owner) { return redis_state(((struct scene *)owner)->redis)->text[0] != '\0'; }
static bool has_refused(void *owner) { return redis_state(((struct scene *)owner)->redis)->refused_older > 0; }

/* ---- scenes ---- */

Test(redis, what_is_published_stands_there_with_a_life)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    node_open(s);

    cr_assert(pump_until(&s->pump, has_stored_two, s, MS_SOON));

    cr_expect_str_eq(ask(s, "GET fc:node/fc1"), "{\"token\":\"t1\",\"epoch\":7,\"seq\":40}");
    cr_expect_str_eq(ask(s, "GET fc:pool/fc_backend"), "{\"node\":\"t1\",\"epoch\":7,\"seq\":40}");
    cr_expect_str_eq(ask(s, "TTL fc:node/fc1"), "3");
    cr_expect_eq(s->asked_for_all, 1);
    cr_expect_str_eq(s->said, "");
    scene_close(s);
}

static bool has_published_three(void *owner) { return redis_state(((struct scene *)owner)->redis)->published == 3; }

Test(redis, events_go_to_channel_and_stream_even_those_said_before_the_server_was_up)
{
    struct scene *s = scene_open();
    node_open(s);
    pump_for(&s->pump, 50);
    publish_event(s, "{\"text\":\"first\"}");
    publish_event(s, "{\"text\":\"second\"}");

    server_start(s, NULL, NULL);
    redisContext *listener = look_open(s);
    freeReplyObject(redisCommand(listener, "SUBSCRIBE fc:channel"));
    cr_assert(pump_until(&s->pump, is_ready, s, MS_SOON));
    publish_event(s, "{\"text\":\"third\"}");
    cr_assert(pump_until(&s->pump, has_published_three, s, MS_SOON));

    cr_expect_str_eq(ask(s, "XLEN fc:events"), "3");
    redisReply *heard = NULL;
    cr_assert_eq(redisGetReply(listener, (void **)&heard), REDIS_OK);
    cr_expect_str_eq(heard->element[2]->str, "{\"text\":\"first\"}");
    freeReplyObject(heard);
    redisFree(listener);
    scene_close(s);
}

Test(redis, a_key_lives_while_its_node_lives_and_goes_when_it_stops)
{
    struct scene *s = scene_open();
    s->config.redis_ttl_seconds = 2;
    server_start(s, NULL, NULL);
    node_open(s);
    cr_assert(pump_until(&s->pump, has_stored_two, s, MS_SOON));

    pump_for(&s->pump, 2500);
    cr_expect_str_neq(ask(s, "GET fc:node/fc1"), "nil", "renewed beyond its first life");
    redis_close(s->redis);
    s->redis = NULL;
    usleep(2300000);

    cr_expect_str_eq(ask(s, "GET fc:node/fc1"), "nil");
    scene_close(s);
}

Test(redis, a_server_that_is_down_at_the_start_is_found_when_it_comes)
{
    struct scene *s = scene_open();
    node_open(s);
    cr_assert(pump_until(&s->pump, has_failed, s, MS_SOON));
    cr_expect_not_null(strstr(s->said, "No such file"), "%s", s->said);

    server_start(s, NULL, NULL);
    cr_assert(pump_until(&s->pump, has_stored_two, s, MS_SOON));

    cr_expect_str_neq(ask(s, "GET fc:node/fc1"), "nil");
    scene_close(s);
}

Test(redis, a_frozen_server_delays_nothing_and_gets_the_present_when_it_wakes)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    node_open(s);
    cr_assert(pump_until(&s->pump, has_stored_two, s, MS_SOON));

    program_freeze(s->server);
    const double began = now_ms();
    for (int i = 0; i < 2000; i++) {
        s->seq++;
        publish(s);
        publish_event(s, "{\"text\":\"while it was frozen, and a little longer so that the queue is full soon enough\"}");
    }
    cr_expect_lt(now_ms() - began, 200, "2000 pictures took %.0f ms", now_ms() - began);
    cr_expect_gt(redis_state(s->redis)->dropped, 0);
    cr_assert(pump_until(&s->pump, is_away, s, MS_SOON));
    cr_expect_not_null(strstr(s->said, "no answer within a second"), "%s", s->said);
    kill(s->server, SIGCONT);
    cr_assert(pump_until(&s->pump, is_ready, s, 8000));
    pump_for(&s->pump, 100);

    cr_expect_str_eq(ask(s, "GET fc:node/fc1"), "{\"token\":\"t1\",\"epoch\":7,\"seq\":2040}");
    cr_expect_gt(redis_state(s->redis)->lost, 0);
    scene_close(s);
}

Test(redis, a_flushed_server_is_filled_again)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    node_open(s);
    cr_assert(pump_until(&s->pump, has_stored_two, s, MS_SOON));

    ask(s, "FLUSHALL");
    ask(s, "SCRIPT FLUSH");
    pump_for(&s->pump, 1600);

    cr_expect_str_neq(ask(s, "GET fc:node/fc1"), "nil");
    cr_expect_str_neq(ask(s, "GET fc:pool/fc_backend"), "nil");
    scene_close(s);
}

Test(redis, a_restarted_server_is_filled_again)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    node_open(s);
    cr_assert(pump_until(&s->pump, has_stored_two, s, MS_SOON));

    program_end(&s->server);
    cr_assert(pump_until(&s->pump, is_away, s, MS_SOON));
    server_start(s, NULL, NULL);
    cr_assert(pump_until(&s->pump, is_ready, s, MS_SOON));
    pump_for(&s->pump, 50);

    cr_expect_str_neq(ask(s, "GET fc:node/fc1"), "nil");
    scene_close(s);
}

Test(redis, an_older_picture_of_a_pool_loses_against_a_newer_one)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    ask(s, "SET fc:pool/fc_backend {\"epoch\":8,\"seq\":1}");
    node_open(s);

    cr_assert(pump_until(&s->pump, has_refused, s, MS_SOON));
    cr_expect_str_eq(ask(s, "GET fc:pool/fc_backend"), "{\"epoch\":8,\"seq\":1}");
    cr_expect_str_eq(ask(s, "TTL fc:pool/fc_backend"), "-1", "nor is its life prolonged");

    s->epoch = 8;
    publish(s);
    pump_for(&s->pump, 100);
    cr_expect_str_eq(ask(s, "GET fc:pool/fc_backend"), "{\"node\":\"t1\",\"epoch\":8,\"seq\":40}");
    scene_close(s);
}

Test(redis, a_restarted_node_replaces_its_own_key_although_it_counts_from_one_again)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    ask(s, "SET fc:node/fc1 {\"token\":\"t0\",\"epoch\":7,\"seq\":900}");
    s->seq = 1;
    node_open(s);

    cr_assert(pump_until(&s->pump, has_stored_two, s, MS_SOON));
    cr_expect_str_eq(ask(s, "GET fc:node/fc1"), "{\"token\":\"t1\",\"epoch\":7,\"seq\":1}");
    scene_close(s);
}

Test(redis, what_is_no_json_is_replaced)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    ask(s, "SET fc:pool/fc_backend {broken");
    node_open(s);

    cr_assert(pump_until(&s->pump, has_stored_two, s, MS_SOON));
    cr_expect_str_eq(ask(s, "GET fc:pool/fc_backend"), "{\"node\":\"t1\",\"epoch\":7,\"seq\":40}");
    scene_close(s);
}

Test(redis, a_wrong_password_is_said_without_the_password_and_the_right_one_works)
{
    struct scene *s = scene_open();
    server_start(s, "--requirepass", "right-pass");
    TEXT_SET(s->config.redis_password, "wrong-pass");
    node_open(s);
    cr_assert(pump_until(&s->pump, has_failed, s, MS_SOON));
    cr_expect_not_null(strstr(s->said, "WRONGPASS"), "%s", s->said);
    cr_expect_null(strstr(s->said, "wrong-pass"));
    redis_close(s->redis);

    TEXT_SET(s->config.redis_password, "right-pass");
    node_open(s);
    cr_expect(pump_until(&s->pump, has_stored_two, s, MS_SOON));
    scene_close(s);
}

Test(redis, a_read_only_replica_is_said_and_left_and_not_hammered)
{
    struct scene *s = scene_open();
    server_start(s, "--replicaof", "127.0.0.1 1");
    node_open(s);
    pump_for(&s->pump, 2000);

    cr_expect(is_away(s));
    cr_expect_not_null(strstr(s->said, "READONLY"), "%s", s->said);
    cr_expect_leq(redis_state(s->redis)->connected, 5);

    ask(s, "REPLICAOF NO ONE");
    cr_expect(pump_until(&s->pump, has_stored_two, s, 6000));
    scene_close(s);
}

Test(redis, one_unusable_key_is_said_and_does_not_end_the_session)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    ask(s, "LPUSH fc:pool/fc_backend x");
    node_open(s);

    cr_assert(pump_until(&s->pump, has_failed, s, MS_SOON));
    cr_expect(is_ready(s));
    cr_expect_not_null(strstr(s->said, "WRONGTYPE"), "%s", s->said);
    cr_expect_str_neq(ask(s, "GET fc:node/fc1"), "nil");
    scene_close(s);
}

Test(redis, a_name_is_resolved_by_a_worker_and_a_closed_port_is_said)
{
    struct scene *s = scene_open();
    TEXT_FORMAT(s->config.redis_address, "localhost:%d", free_port());
    node_open(s);
    cr_assert(pump_until(&s->pump, has_failed, s, MS_SOON));
    cr_expect_not_null(strstr(s->said, "refused"), "%s", s->said);
    scene_close(s);
}

Test(redis, over_tcp_and_by_name)
{
    struct scene *s = scene_open();
    char port[16];
    const int number = free_port();
    TEXT_FORMAT(port, "%d", number);
    server_start(s, "--port", port);
    TEXT_FORMAT(s->config.redis_address, "localhost:%d", number);
    node_open(s);

    cr_expect(pump_until(&s->pump, has_stored_two, s, MS_SOON), "%s", s->said);
    scene_close(s);
}

Test(redis, a_server_that_is_frozen_from_the_start_is_left_after_a_second)
{
    struct scene *s = scene_open();
    server_start(s, NULL, NULL);
    program_freeze(s->server);
    const double began = now_ms();
    node_open(s);

    cr_assert(pump_until(&s->pump, has_failed, s, MS_SOON));
    cr_expect_geq(now_ms() - began, 990);
    cr_expect_not_null(strstr(s->said, "within a second"), "%s", s->said);
    kill(s->server, SIGCONT);
    cr_expect(pump_until(&s->pump, has_stored_two, s, MS_SOON));
    scene_close(s);
}

static void answer_with(int listener, const char *bytes)
{
    const int fd = accept(listener, NULL, NULL);
    if (fd >= 0) {
        cr_expect_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
        usleep(20000);
        close(fd);
    }
}

Test(redis, what_is_no_redis_at_all_is_said_and_left)
{
    struct scene *s = scene_open();
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TEXT_SET(address.sun_path, s->path);
    cr_assert(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
    node_open(s);
    for (int i = 0; i < 10; i++) {
        pump_for(&s->pump, 30);
        answer_with(listener, i % 2 == 0 ? "HTTP/1.1 400 Bad Request\r\n\r\n" : "$4\r\nnope\r\n:1\r\n");
    }

    cr_expect(is_away(s));
    cr_expect_str_neq(s->said, "");
    cr_expect_eq(redis_state(s->redis)->stored, 0);
    close(listener);
    scene_close(s);
}

Test(redis, an_address_that_is_none_is_refused_at_the_start)
{
    struct scene *s = scene_open();
    const struct redis_listener listener = { s, on_wants_all, on_changed };
    struct fc_err err = { 0 };
    TEXT_SET(s->config.redis_address, "somewhere");
    cr_expect_eq(redis_open(pump_host(&s->pump), &s->config, "t1", &listener, &s->redis, &err), FC_BAD_CONFIG);
    cr_expect_str_eq(err.text, "RedisAddress 'somewhere' must be host:port or a /path");
    scene_close(s);
}
