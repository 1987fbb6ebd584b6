/* The HTTP door with real sockets: a lent desk and picture on one side, a client that does not block on the other, both turned
 * by the same loop. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include <cjson/cJSON.h>

#include "agent/doors/http.h"
#include "agent/doors/http_path.h"
#include "agent/workers.h"
#include "base/text.h"
#include "fleet_stage.h"

#define PATIENCE 2000                 /* turns of at most 5 ms */
#define LOCAL "Host: localhost\r\n"

/* ---- the stage ---- */

static struct {
    struct ev_loop *loop;
    struct config config;
    struct status status;
    struct desk desk;
    struct http_door *door;
    /* the order that the desk has taken */
    int order_count, forgotten_count;
    char order[1024], by[64];
    desk_reply *reply;
    void *waiter;
    enum fc_code reload_code;
} stage;

static uint64_t take_order(void *daemon, const char *text, size_t length, const char *by, bool may_change, desk_reply *reply,
                           void *waiter)
{
    (void)daemon;
    cr_assert(may_change);
    text_copy_bytes(stage.order, sizeof stage.order, text, length);
    TEXT_SET(stage.by, by);
    stage.reply = reply;
    stage.waiter = waiter;
    return (uint64_t)++stage.order_count;
}

static void forget_order(void *daemon, uint64_t ticket)
{
    (void)daemon;
    cr_assert(ticket >= 1 && ticket <= (uint64_t)stage.order_count);
    stage.forgotten_count++;
    stage.reply = NULL;
}

static desk_report *told_to;
static void *told_whom;
static bool is_full_up;

static uint64_t take_verify(void *daemon, desk_report *reply, void *waiter)
{
    (void)daemon;
    told_to = reply;
    told_whom = waiter;
    return is_full_up ? 0 : 4711;
}

static const struct status *lend_status(void *daemon)
{
    (void)daemon;
    return &stage.status;
}

static enum fc_code reload_config(void *daemon, struct fc_err *err)
{
    (void)daemon;
    return stage.reload_code == FC_OK ? FC_OK : fc_fail(err, stage.reload_code, "NodeName is ''; it must be a name");
}

static enum fc_code explain_order_given(void *daemon, const struct order *order, const char *by, bool may_change, char **json,
                                        struct fc_err *err)
{
    (void)daemon;
    if (text_is(order->pool, "nowhere"))
        return fc_fail(err, FC_NOT_FOUND, "nothing here is called 'nowhere'");
    cr_assert(asprintf(json, "{\"verb\":\"%s\",\"about\":\"%s/%s%s\",\"by\":\"%s\",\"may\":%d}", verb_table[order->verb].word, order->pool,
                       order->server, order->about, by, may_change) > 0);
    return FC_OK;
}

static uint64_t take_history(void *daemon, const struct order *order, desk_report *reply, void *waiter)
{
    (void)daemon;
    if (text_is(order->pool, "busy"))
        return 0;
    TEXT_FORMAT(stage.order, "%d %s %lld %llu", order->count, order->pool, (long long)order->since_unix_ms, (unsigned long long)order->before);
    told_to = reply;
    told_whom = waiter;
    return 4712;
}

static void count(void *daemon, struct desk_counters *to)
{
    (void)daemon;
    to->agent_answered = 7;
}

static void stage_set(void)
{
    struct status *status = &stage.status;

    signal(SIGPIPE, SIG_IGN);
    memset(&stage, 0, sizeof stage);
    stage.loop = ev_loop_new(0);
    TEXT_SET(stage.config.listen_address, "127.0.0.1:0");
    TEXT_SET(stage.config.status_endpoint, "/api/status");
    TEXT_SET(stage.config.auth_user_header, "X-Remote-Name");
    TEXT_SET(stage.config.node_name, "fc1");
    stage.config.move_limit_ms = 20000;
    status->unix_ms = 1795387263123;
    TEXT_SET(status->node, "fc1");
    TEXT_SET(status->token, "abcd");
    TEXT_SET(status->version, "0.1.0");
    TEXT_SET(status->leadership, "leading");
    TEXT_SET(status->leader, "fc1");
    TEXT_SET(status->store_word, "mysql");
    status->leads = status->store_is_reachable = true;
    status->store_age_ms = 200;
    status->epoch = 9;
    status->leader_since_unix_ms = 1795387200000;
    status->server_count = 1;
    TEXT_SET(status->servers[0].address, "10.0.0.1:3306");
    status->pool_count = 1;
    TEXT_SET(status->pools[0].name, "fc_backend");
    stage.desk = (struct desk){ .config = &stage.config, .order = take_order, .verify = take_verify, .forget = forget_order,
                                .status = lend_status, .explain = explain_order_given, .history = take_history,
                                .reload = reload_config, .counters = count };
}

static void stage_open(void)
{
    struct fc_err err = { .code = FC_OK };
    cr_assert_eq(http_door_open(stage.loop, &stage.desk, &stage.door, &err), FC_OK, "%s", err.text);
}

static void stage_close(void)
{
    http_door_close(stage.door);
    ev_loop_destroy(stage.loop);
}

/* ---- the client ---- */

struct client { int fd; size_t length; char heard[256 * 1024]; bool is_over; };

static struct client *client_new(int fd, const struct sockaddr *address, socklen_t size)
{
    struct client *client = calloc(1, sizeof *client);
    client->fd = fd;
    cr_assert_eq(connect(fd, address, size), 0, "connect: %s", strerror(errno));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return client;
}

static struct client *client_open(void)
{
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_door_port(stage.door)),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    return client_new(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr *)&address, sizeof address);
}

static void client_close(struct client *client)
{
    close(client->fd);
    free(client);
}

static void client_say(struct client *client, const char *text)
{
    cr_assert_eq(send(client->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void client_hear(struct client *client)
{
    const ssize_t got = recv(client->fd, client->heard + client->length, sizeof client->heard - 1 - client->length, 0);
    if (got > 0)
        client->length += (size_t)got;
    else if (got == 0 || errno != EAGAIN)
        client->is_over = true;
    client->heard[client->length] = '\0';
}

static void turn(struct client *client)
{
    struct pollfd wait = { .fd = client->fd, .events = POLLIN };
    ev_run(stage.loop, EVRUN_NOWAIT);
    poll(&wait, 1, 2);
    client_hear(client);
}

static void client_wait(struct client *client)
{
    for (int i = 0; i < PATIENCE && !client->is_over; i++)
        turn(client);
    cr_assert(client->is_over, "no answer; heard: %s", client->heard);
}

static void some_turns(struct client *client)
{
    for (int i = 0; i < 20; i++)
        turn(client);
}

static struct client *client_ask(const char *method, const char *path, const char *headers)
{
    char request[4096];
    struct client *client = client_open();
    cr_assert(TEXT_FORMAT(request, "%s %s HTTP/1.1\r\n%sConnection: close\r\n\r\n", method, path, headers));
    client_say(client, request);
    return client;
}

/* The last answer, good until the next question. */
static char answer[256 * 1024];

static void ask_as(const char *method, const char *path, const char *headers)
{
    struct client *client = client_ask(method, path, headers);
    client_wait(client);
    memcpy(answer, client->heard, client->length + 1);
    client_close(client);
}

static void ask(const char *path)
{
    ask_as("GET", path, LOCAL);
}

static int answer_status(void)
{
    return text_begins(answer, "HTTP/1.1 ") ? (int)strtol(answer + 9, NULL, 10) : -1;
}

static const char *answer_body(void)
{
    const char *gap = strstr(answer, "\r\n\r\n");
    return gap == NULL ? "" : gap + 4;
}

static void answers(int status, const char *body)
{
    cr_assert_eq(answer_status(), status, "wanted %d, heard: %s", status, answer);
    cr_assert_str_eq(answer_body(), body);
}

static void answers_with(int status, const char *part)
{
    cr_assert_eq(answer_status(), status, "wanted %d, heard: %s", status, answer);
    cr_assert_neq(strstr(answer, part), NULL, "'%s' is not in: %s", part, answer);
}

/* Gives the final answer of the order that is waiting, once it has arrived. */
static void end_order(struct client *client, enum fc_code code, const char *text)
{
    for (int i = 0; i < PATIENCE && stage.reply == NULL; i++)
        turn(client);
    cr_assert_neq(stage.reply, NULL, "no order arrived; heard: %s", client->heard);
    desk_reply *reply = stage.reply;
    stage.reply = NULL;
    reply(stage.waiter, code, text, true);
}

static void ask_order(const char *path, const char *headers, enum fc_code code, const char *text)
{
    struct client *client = client_ask("GET", path, headers);
    end_order(client, code, text);
    client_wait(client);
    memcpy(answer, client->heard, client->length + 1);
    client_close(client);
}

TestSuite(http, .init = stage_set, .timeout = 60);

/* ---- health ---- */

Test(http, health_is_200_while_the_store_confirms)
{
    stage_open();
    ask("/api/health");
    answers_with(200, "{\"Code\":\"OK\",\"Message\":\"Application node is healthy\",\"Details\":{\"Healthy\":true,"
                      "\"Hostname\":\"fc1\",\"Token\":\"abcd\",\"IsActiveNode\":true,\"ActiveNode\":{\"Hostname\":\"fc1\","
                      "\"Token\":\"abcd\",\"AppVersion\":\"0.1.0\",\"FirstSeenActive\":\"2026-11-22 22:40:00\","
                      "\"LastSeenActive\":\"2026-11-22 22:41:02\",\"ExtraInfo\":\"\",\"Command\":\"\","
                      "\"DBBackend\":\"10.0.0.1:3306\",\"LastReported\":\"0001-01-01T00:00:00Z\"},\"Error\":null,"
                      "\"AvailableNodes\":[{");
    answers_with(200, "],\"RaftLeader\":\"\",\"IsRaftLeader\":false,\"RaftLeaderURI\":\"\",\"RaftAdvertise\":\"\","
                      "\"RaftHealthyMembers\":[],\"State\":\"leader\",\"Leadership\":\"leading\",\"AgeSeconds\":0.2,");
    answers_with(200, "Content-Type: application/json; charset=UTF-8");
    stage_close();
}

Test(http, health_is_500_once_the_last_confirmation_is_older_than_five_seconds)
{
    stage_open();
    stage.status.store_age_ms = 5000;
    ask("/api/health");
    answers_with(200, "\"Healthy\":true");
    stage.status.store_age_ms = 5001;
    ask("/api/health");
    answers_with(500, "{\"Code\":\"ERROR\",\"Message\":\"Application node is unhealthy: store-stale\"");
    answers_with(500, "\"Healthy\":false");
    ask("/health/ready");
    answers_with(503, "\"Code\":\"ERROR\"");
    ask("/health/live");
    answers_with(200, "\"Code\":\"OK\"");
    stage_close();
}

Test(http, health_is_500_before_the_store_was_ever_seen)
{
    stage_open();
    stage.status.store_age_ms = -1;
    ask("/api/status");
    answers_with(500, "\"AgeSeconds\":null");
    stage.status.store_is_reachable = false;
    ask("/api/status/");
    answers_with(500, "unhealthy: store-down");
    stage_close();
}

Test(http, a_stopping_node_is_not_ready)
{
    stage_open();
    stage.status.is_stopping = true;
    ask("/health/ready");
    answers_with(503, "draining");
    stage_close();
}

Test(http, pings_are_always_ok)
{
    stage_open();
    stage.status.store_is_reachable = false;
    ask("/api/lb-check");
    answers(200, "\"OK\"");
    ask("/api/_ping");
    answers(200, "\"OK\"");
    stage_close();
}

/* ---- leader checks ---- */

Test(http, the_leader_says_ok_whatever_code_is_asked_for)
{
    stage_open();
    ask("/api/leader-check");
    answers(200, "\"OK\"");
    ask("/api/leader-check/503");
    answers(200, "\"OK\"");
    ask("/api/routed-leader-check");
    answers(200, "\"OK\"");
    ask("/health/leader");
    answers_with(200, "\"leader\"");
    stage_close();
}

Test(http, who_does_not_lead_says_so_with_the_code_asked_for)
{
    stage_open();
    stage.status.leads = false;
    ask("/api/leader-check");
    answers(404, "\"Not leader\"");
    ask("/api/leader-check/503");
    answers(503, "\"Not leader\"");
    ask("/api/leader-check/200");
    answers(200, "\"Not leader\"");
    ask("/api/leader-check/nonsense");
    answers(404, "\"Not leader\"");
    ask("/api/leader-check/-1");
    answers(404, "\"Not leader\"");
    ask("/api/leader-check/42");
    answers(500, "\"Not leader\"");
    ask("/api/leader-check/1000");
    answers(500, "\"Not leader\"");
    ask("/api/leader-check/100");
    answers(500, "\"Not leader\"");
    ask("/health/leader");
    answers_with(503, "leader-unconfirmed");
    stage_close();
}

Test(http, head_answers_as_get_without_a_body)
{
    stage_open();
    ask_as("HEAD", "/api/leader-check", LOCAL);
    answers(200, "");
    stage.status.leads = false;
    ask_as("HEAD", "/api/leader-check", LOCAL);
    answers(404, "");
    answers_with(404, "Content-Length: 12");
    stage_close();
}

/* ---- paths ---- */

Test(http, what_is_not_there_answers_404_in_the_envelope)
{
    stage_open();
    ask("/api/nonsense");
    answers_with(404, "{\"Code\":\"ERROR\",\"Message\":\"there is no GET /api/nonsense; GET / lists what there is\"");
    ask("/api//health");
    answers_with(404, "\"Code\":\"ERROR\"");
    ask("/api/HEALTH");
    answers_with(404, "\"Code\":\"ERROR\"");
    ask("/api/health%zz");
    answers_with(404, "\"Code\":\"ERROR\"");
    ask("/api/health%00");
    answers_with(404, "\"Code\":\"ERROR\"");
    ask_as("OPTIONS", "/api/health", LOCAL);
    answers_with(404, "\"Code\":\"ERROR\"");
    ask_as("POST", "/api/health", LOCAL "Content-Length: 0\r\n");
    answers_with(404, "there is no POST /api/health");
    stage_close();
}

Test(http, a_write_is_not_done_by_head_delete_or_put)
{
    stage_open();
    ask_as("HEAD", "/api/reelect", LOCAL);
    answers(404, "");
    ask_as("DELETE", "/api/reelect", LOCAL);
    answers_with(404, "\"Code\":\"ERROR\"");
    ask_as("PUT", "/api/reelect", LOCAL "Content-Length: 0\r\n");
    answers_with(404, "\"Code\":\"ERROR\"");
    cr_assert_eq(stage.order_count, 0);
    stage_close();
}

Test(http, slash_newline_and_blanks_at_the_end_are_forgiven)
{
    stage_open();
    ask("/api/health/");
    answers_with(200, "\"OK\"");
    ask("/api/steering/pool/fc_backend%0A");
    answers_with(200, "\"name\":\"fc_backend\"");
    ask("/api/steering/pool/%20fc_backend%0A/");
    answers_with(200, "\"name\":\"fc_backend\"");
    stage_close();
}

Test(http, an_encoded_slash_stays_in_its_parameter)
{
    stage_open();
    ask("/api/steering/pool/a%2Fb");
    answers_with(500, "there is no pool 'a/b'");
    stage_close();
}

Test(http, the_prefix_stands_before_all_but_the_status_endpoint)
{
    TEXT_SET(stage.config.url_prefix, "/fc");
    TEXT_SET(stage.config.status_endpoint, "/my_status");
    stage_open();
    ask("/fc/api/lb-check");
    answers(200, "\"OK\"");
    ask("/api/lb-check");
    answers_with(404, "\"Code\":\"ERROR\"");
    ask("/fcx/api/lb-check");
    answers_with(404, "\"Code\":\"ERROR\"");
    ask("/my_status");
    answers_with(200, "\"Healthy\":true");
    ask("/fc/api/status");
    answers_with(404, "\"Code\":\"ERROR\"");
    ask("/fc");
    answers_with(200, "firstchair 0.1.0");
    stage_close();
}

Test(http, paths_and_headers_are_bounded)
{
    static char path[40000], headers[20000];
    stage_open();
    memset(path, 'a', 3000);
    path[0] = '/';
    ask(path);
    answers_with(414, "longer than 2048");

    struct client *client = client_open();
    memset(headers, 'x', sizeof headers - 1);
    client_say(client, "GET / HTTP/1.1\r\nX-Long: ");
    send(client->fd, headers, sizeof headers - 1, MSG_NOSIGNAL);
    client_wait(client);
    cr_assert_neq(strstr(client->heard, "HTTP/1.1 4"), NULL, "heard: %s", client->heard);
    client_close(client);
    ask("/api/lb-check");
    answers(200, "\"OK\"");
    stage_close();
}

Test(http, garbage_and_half_requests_disturb_nobody)
{
    stage_open();
    struct client *garbage = client_open(), *half = client_open();
    client_say(garbage, "\x16\x03\x01 garbage\r\n\r\n\r\n");
    client_say(half, "GET /api/he");
    some_turns(garbage);
    ask("/api/lb-check");
    answers(200, "\"OK\"");
    client_close(garbage);
    client_close(half);
    ask("/api/lb-check");
    answers(200, "\"OK\"");
    stage_close();
}

Test(http, a_body_is_read_and_ignored_up_to_its_bound)
{
    static char body[70000];
    stage_open();
    struct client *client = client_ask("POST", "/api/reelect", LOCAL "Content-Length: 5\r\n");
    client_say(client, "hello");
    end_order(client, FC_OK, "done");
    client_wait(client);
    cr_assert(text_begins(client->heard, "HTTP/1.1 200"), "heard: %s", client->heard);
    client_close(client);

    client = client_ask("POST", "/api/reelect", LOCAL "Content-Length: 70000\r\n");
    memset(body, 'b', sizeof body);
    send(client->fd, body, sizeof body, MSG_NOSIGNAL);
    client_wait(client);
    cr_assert_eq(stage.order_count, 1);
    client_close(client);
    stage_close();
}

/* ---- who may ---- */

Test(http, basic_asks_everybody_for_the_password)
{
    TEXT_SET(stage.config.authentication_method, "basic");
    TEXT_SET(stage.config.http_auth_user, "anna");
    TEXT_SET(stage.config.http_auth_password, "pass:word");
    stage_open();
    ask("/health/live");
    answers(401, "Not Authorized");
    answers_with(401, "HTTP/1.1 401 Unauthorized\r\n");
    answers_with(401, "WWW-Authenticate: Basic realm=\"Authorization Required\"");
    ask("/nowhere");
    answers(401, "Not Authorized");
    ask_as("GET", "/api/lb-check", LOCAL "Authorization: Basic YW5uYTpwYXNzOndvcmQ=\r\n");
    answers(200, "\"OK\"");
    ask_as("GET", "/api/lb-check", LOCAL "Authorization: Basic YW5uYTp3cm9uZw==\r\n");
    answers(401, "Not Authorized");
    ask_as("GET", "/api/lb-check", LOCAL "Authorization: Basic ????\r\n");
    answers(401, "Not Authorized");
    ask_as("GET", "/api/lb-check", LOCAL "Authorization: Basic cmVhZG9ubHk6eA==\r\n");
    answers(401, "Not Authorized");
    stage_close();
}

Test(http, basic_names_the_asker_in_the_order_also_from_afar)
{
    TEXT_SET(stage.config.authentication_method, "basic");
    TEXT_SET(stage.config.http_auth_user, "anna");
    TEXT_SET(stage.config.http_auth_password, "pass:word");
    stage_open();
    ask_order("/api/steering/switch/fc_backend/db2",
              "Host: fc.example.com\r\nX-Forwarded-For: 192.0.2.7\r\nAuthorization: Basic YW5uYTpwYXNzOndvcmQ=\r\n",
              FC_OK, "done");
    answers_with(200, "\"Code\":\"OK\"");
    cr_assert_str_eq(stage.by, "anna@http");
    stage_close();
}

Test(http, multi_lets_readonly_look_and_not_touch)
{
    TEXT_SET(stage.config.authentication_method, "multi");
    TEXT_SET(stage.config.http_auth_user, "anna");
    TEXT_SET(stage.config.http_auth_password, "pass:word");
    stage_open();
    ask_as("GET", "/api/lb-check", LOCAL "Authorization: Basic cmVhZG9ubHk6eA==\r\n");
    answers(200, "\"OK\"");
    ask_as("GET", "/api/reelect", LOCAL "Authorization: Basic cmVhZG9ubHk6eA==\r\n");
    answers(500, "{\"Code\":\"ERROR\",\"Message\":\"Unauthorized\",\"Details\":null}");
    cr_assert_eq(stage.order_count, 0);
    stage_close();
}

Test(http, proxy_trusts_the_name_in_its_header)
{
    TEXT_SET(stage.config.authentication_method, "proxy");
    config_clear_list(&stage.config, config_key_find("PowerAuthUsers"));
    config_add_item(&stage.config, config_key_find("PowerAuthUsers"), "anna", NULL);
    stage_open();
    ask_as("GET", "/api/reelect", LOCAL);
    answers(500, "{\"Code\":\"ERROR\",\"Message\":\"Unauthorized\",\"Details\":null}");
    ask_as("GET", "/api/reelect", LOCAL "X-Remote-Name: bert\r\n");
    answers_with(500, "Unauthorized");
    ask_order("/api/steering/yield", "Host: fc\r\nX-Forwarded-For: 192.0.2.7\r\nX-Remote-Name: anna\r\n", FC_OK, "done");
    answers_with(200, "\"OK\"");
    cr_assert_str_eq(stage.by, "anna@http");
    stage_close();
}

Test(http, read_only_refuses_every_change)
{
    stage.config.read_only = true;
    stage_open();
    ask("/api/reelect");
    answers(500, "{\"Code\":\"ERROR\",\"Message\":\"Unauthorized\",\"Details\":null}");
    ask("/api/steering/pause/fc_backend");
    answers_with(500, "Unauthorized");
    ask("/api/steering/pools");
    answers_with(200, "fc_backend");
    cr_assert_eq(stage.order_count, 0);
    stage_close();
}

Test(http, without_authentication_a_steering_order_must_come_from_this_host)
{
    stage_open();
    ask_as("GET", "/api/steering/yield", LOCAL "X-Forwarded-For: 192.0.2.7\r\n");
    answers_with(500, "needs a name (AuthenticationMethod");
    ask_as("GET", "/api/steering/yield", "Host: rebound.example.com\r\n");
    answers_with(500, "must come from this host itself");
    cr_assert_eq(stage.order_count, 0);
    ask_order("/api/steering/yield", "Host: 127.0.0.1:3000\r\n", FC_OK, "done");
    answers_with(200, "\"OK\"");
    ask_order("/api/steering/yield", "Host: [::1]:3000\r\n", FC_OK, "done");
    answers_with(200, "\"OK\"");
    cr_assert_str_eq(stage.by, "127.0.0.1@http");
    ask_order("/api/reelect", LOCAL "X-Forwarded-For: 192.0.2.7\r\n", FC_OK, "done");
    answers(200, "{\"Code\":\"OK\",\"Message\":\"done\",\"Details\":null}");
    stage_close();
}

Test(http, a_page_of_another_site_changes_nothing)
{
    stage_open();
    ask_as("GET", "/api/reelect", LOCAL "Sec-Fetch-Site: cross-site\r\n");
    answers_with(500, "a web page of another site");
    ask_as("GET", "/api/reelect", LOCAL "Origin: http://evil.example.com\r\n");
    answers_with(500, "a web page of another site");
    ask_as("GET", "/api/reelect", LOCAL "Origin: null\r\n");
    answers_with(500, "a web page of another site");
    cr_assert_eq(stage.order_count, 0);
    ask_order("/api/reelect", LOCAL "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n", FC_OK, "done");
    answers_with(200, "\"OK\"");
    stage_close();
}

/* ---- orders ---- */

Test(http, an_order_waits_for_its_end_while_others_are_answered)
{
    stage_open();
    struct client *client = client_ask("GET", "/api/steering/switch/fc_backend/db2?force=1&within=30", LOCAL);
    some_turns(client);
    cr_assert_str_eq(stage.order, "switch fc_backend to db2 force within 30");
    cr_assert_eq(client->length, 0u);
    stage.reply(stage.waiter, FC_OK, "db1 is fenced", false);
    ask("/api/lb-check");
    answers(200, "\"OK\"");
    cr_assert_eq(http_door_counters(stage.door).orders_waiting, 1u);
    end_order(client, FC_OK, "db2 sits (epoch 10)");
    client_wait(client);
    cr_assert_neq(strstr(client->heard, "{\"Code\":\"OK\",\"Message\":\"db2 sits (epoch 10)\",\"Details\":{\"code\":\"ok\","
                                        "\"order\":\"switch fc_backend to db2 force within 30\"}}"), NULL);
    cr_assert_eq(http_door_counters(stage.door).orders_waiting, 0u);
    client_close(client);
    stage_close();
}

Test(http, a_refused_order_says_why)
{
    stage_open();
    ask_order("/api/steering/maint/fc_backend/db1?because=disk%20swap;+then%0Aback", LOCAL, FC_REFUSED,
              "db1 sits and there's no successor");
    answers_with(500, "{\"Code\":\"ERROR\",\"Message\":\"db1 sits and there`s no successor\",\"Details\":{\"code\":\"refused\"");
    cr_assert_str_eq(stage.order, "maint fc_backend/db1 because disk swap. then.back");
    stage_close();
}

Test(http, each_order_route_speaks_the_grammar)
{
    stage_open();
    ask_order("/api/steering/failback/fc_backend", LOCAL, FC_OK, "");
    cr_assert_str_eq(stage.order, "failback fc_backend");
    ask_order("/api/steering/drain/fc_backend/db2/", LOCAL, FC_OK, "");
    cr_assert_str_eq(stage.order, "drain fc_backend/db2");
    ask_order("/api/steering/ready/fc_backend/db2%0A", LOCAL, FC_OK, "");
    cr_assert_str_eq(stage.order, "ready fc_backend/db2");
    ask_order("/api/steering/pause/fc_backend?because=upgrade", LOCAL, FC_OK, "");
    cr_assert_str_eq(stage.order, "pause fc_backend because upgrade");
    ask_order("/api/steering/resume/fc_backend", LOCAL, FC_OK, "");
    cr_assert_str_eq(stage.order, "resume fc_backend");
    ask_order("/api/steering/switch/fc_backend/db2?force=0", LOCAL, FC_OK, "");
    cr_assert_str_eq(stage.order, "switch fc_backend to db2");
    stage_close();
}

Test(http, what_cannot_be_meant_is_refused_before_it_is_an_order)
{
    stage_open();
    ask("/api/steering/switch/fc_backend/db2%20force");
    answers_with(500, "part 2 is no name");
    ask("/api/steering/switch/fc_backend/db2?forse=1");
    answers_with(500, "takes force=1, within=SECONDS");
    ask("/api/steering/switch/fc_backend/db2?force=maybe");
    answers_with(500, "force must be");
    ask("/api/steering/switch/fc_backend/db2?within=0");
    answers_with(500, "within must be");
    ask("/api/steering/switch/fc_backend/db2?within=-5");
    answers_with(500, "within must be");
    ask("/api/steering/yield?because=x");
    answers_with(500, "takes nothing");
    cr_assert_eq(stage.order_count, 0);
    stage_close();
}

Test(http, an_order_without_an_end_is_answered_at_its_bound)
{
    stage.config.move_limit_ms = 100 - HTTP_ORDER_SPARE_MS;
    stage_open();
    ask("/api/steering/yield");
    answers_with(500, "the order goes on");
    answers_with(500, "\"code\":\"timeout\"");
    cr_assert_eq(stage.forgotten_count, 1);
    stage_close();
}

static void ask_document(const char *path, enum fc_code code, const char *text, const char *json)
{
    struct client *client = client_ask("GET", path, LOCAL);
    told_to = NULL;
    for (int i = 0; i < PATIENCE && told_to == NULL; i++)
        turn(client);
    cr_assert(told_to != NULL, "nobody was asked: %s", client->heard);
    told_to(told_whom, code, text, json);
    client_wait(client);
    memcpy(answer, client->heard, client->length + 1);
    client_close(client);
}

Test(http, the_report_on_the_servers_comes_as_it_is_also_when_something_is_to_be_mended)
{
    stage_open();
    ask_document("/api/steering/verify-backends", FC_OK, "", "{\"verdict\":\"well\"}");
    answers(200, "{\"verdict\":\"well\"}");
    ask_document("/api/steering/verify-backends", FC_FINDINGS, "", "{\"verdict\":\"to-mend\"}");
    answers(200, "{\"verdict\":\"to-mend\"}");
    ask_document("/api/steering/verify-backends", FC_REFUSED, "there is no pair here", NULL);
    answers_with(500, "there is no pair here");
    is_full_up = true;
    ask("/api/steering/verify-backends");
    answers_with(500, "too many wait");
    cr_assert_eq(stage.order_count, 0);
    stage_close();
}

Test(http, an_asker_who_goes_away_harms_nobody)
{
    stage_open();
    struct client *client = client_ask("GET", "/api/steering/yield", LOCAL);
    for (int i = 0; i < PATIENCE && stage.reply == NULL; i++)
        turn(client);
    client_close(client);
    ask("/api/lb-check");
    answers(200, "\"OK\"");
    stage.reply(stage.waiter, FC_OK, "done", true);
    ask("/api/lb-check");
    answers(200, "\"OK\"");
    stage_close();
}

Test(http, who_waits_when_the_door_closes_is_told)
{
    stage_open();
    struct client *client = client_ask("GET", "/api/steering/yield", LOCAL);
    for (int i = 0; i < PATIENCE && stage.reply == NULL; i++)
        turn(client);
    http_door_close(stage.door);
    stage.door = NULL;
    client_wait(client);
    cr_assert_neq(strstr(client->heard, "this node is stopping"), NULL, "heard: %s", client->heard);
    cr_assert_eq(stage.forgotten_count, 1);
    client_close(client);
    stage_close();
}

static void on_half_second(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

Test(http, waiting_costs_no_turns_of_the_loop)
{
    ev_timer half_second;
    stage_open();
    struct client *client = client_ask("GET", "/api/steering/yield", LOCAL), *idle = client_open();
    some_turns(client);
    const unsigned before = ev_iteration(stage.loop);
    ev_timer_init(&half_second, on_half_second, 0.5, 0.0);
    ev_timer_start(stage.loop, &half_second);
    ev_run(stage.loop, 0);
    cr_assert_lt(ev_iteration(stage.loop) - before, 10u);
    end_order(client, FC_OK, "done");
    client_wait(client);
    client_close(client);
    client_close(idle);
    stage_close();
}

Test(http, a_process_without_descriptors_does_not_spin)
{
    ev_timer half_second;
    struct rlimit old, none;
    stage_open();
    getrlimit(RLIMIT_NOFILE, &old);
    none = old;
    struct client *late = client_open();
    none.rlim_cur = (rlim_t)late->fd + 1;
    setrlimit(RLIMIT_NOFILE, &none);
    const unsigned before = ev_iteration(stage.loop);
    ev_timer_init(&half_second, on_half_second, 0.5, 0.0);
    ev_timer_start(stage.loop, &half_second);
    ev_run(stage.loop, 0);
    const unsigned turns = ev_iteration(stage.loop) - before;
    setrlimit(RLIMIT_NOFILE, &old);
    cr_assert_lt(turns, 100u, "%u turns in half a second", turns);
    client_say(late, "GET /api/lb-check HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client_wait(late);
    cr_assert(text_begins(late->heard, "HTTP/1.1 200"));
    client_close(late);
    stage_close();
}

Test(http, too_many_waiting_orders_are_refused)
{
    static struct client *clients[HTTP_ORDERS_MAX];
    stage_open();
    for (int i = 0; i < HTTP_ORDERS_MAX; i++) {
        clients[i] = client_ask("GET", "/api/steering/yield", LOCAL);
        for (int j = 0; j < PATIENCE && stage.order_count == i; j++)
            turn(clients[i]);
    }
    cr_assert_eq(stage.order_count, HTTP_ORDERS_MAX);
    ask("/api/steering/yield");
    answers_with(500, "ask again");
    cr_assert_eq(stage.order_count, HTTP_ORDERS_MAX);
    stage_close();
    cr_assert_eq(stage.forgotten_count, HTTP_ORDERS_MAX);
    for (int i = 0; i < HTTP_ORDERS_MAX; i++)
        client_close(clients[i]);
}

/* ---- the rest ---- */

Test(http, orchestrators_other_routes_answer_in_the_envelope)
{
    stage_open();
    ask("/api/grab-election");
    answers_with(500, "firstchairctl yield");
    ask("/api/raft-leader");
    answers(500, "{\"Code\":\"ERROR\",\"Message\":\"raft-leader: raft is not in use here\",\"Details\":null}");
    ask("/api/raft-yield/fc2");
    answers_with(500, "raft-yield: raft is not in use here");
    ask("/api/reload-cluster-alias");
    answers_with(500, "\"Code\":\"ERROR\"");
    stage_close();
}

Test(http, a_reload_keeps_the_old_when_the_new_is_wrong)
{
    stage_open();
    ask("/api/reload-configuration");
    answers(200, "{\"Code\":\"OK\",\"Message\":\"configuration reloaded\",\"Details\":\"\"}");
    stage.reload_code = FC_BAD_CONFIG;
    ask("/api/reload-configuration");
    answers_with(500, "the earlier configuration stays in force: NodeName");
    ask("/api/reload-configuration?config=/etc/passwd");
    answers_with(500, "leave config out");
    stage_close();
}

Test(http, headers_come_back_without_the_secrets)
{
    stage_open();
    ask_as("GET", "/api/headers", LOCAL "X-Test: one\r\nX-Test: two\r\nAuthorization: Basic c2VjcmV0\r\nCookie: a=b\r\n");
    answers_with(200, "\"X-Test\":[\"one\",\"two\"]");
    answers_with(200, "\"Authorization\":[\"(set)\"]");
    cr_assert_eq(strstr(answer, "c2VjcmV0"), NULL);
    cr_assert_eq(strstr(answer, "a=b"), NULL);
    stage_close();
}

Test(http, picture_pools_events_metrics_and_page_are_there)
{
    stage.status.event_count = 3;
    for (int i = 0; i < 3; i++)
        stage.status.events[i].seq = (uint64_t)i + 1;
    stage_open();
    ask("/api/steering/status");
    answers_with(200, "{\"seq\":0,\"time\":\"2026-11-22T22:41:03.123Z\"");
    ask("/api/steering/pools");
    answers_with(200, "[{\"name\":\"fc_backend\"");
    ask("/api/steering/events?count=1");
    answers_with(200, "\r\n\r\n[{\"seq\":3,");
    ask("/api/steering/events?count=x");
    answers_with(500, "count must be a number");
    ask("/metrics");
    answers_with(200, "\nfirstchair_leads 1\n");
    answers_with(200, "\nfirstchair_agent_answered_total 7\n");
    ask("/debug/metrics");
    answers_with(200, "{\"elect.is_elected\":1,\"health.is_healthy\":1,\"recover.dead_co_master.start\":0,");
    answers_with(200, "\"recover.pending\":0}");
    ask("/debug/vars");
    answers_with(200, "{\"elect.is_elected\":1,");
    ask("/");
    answers_with(200, "/api/steering/switch/:pool/:server");
    answers_with(200, "Content-Type: text/plain");
    stage_close();
}

Test(http, explain_takes_a_subject_in_the_path_or_an_order_in_the_query)
{
    stage_open();
    ask("/api/steering/explain");
    answers_with(200, "{\"verb\":\"explain\",\"about\":\"/\",");
    ask("/api/steering/explain/fc_backend/db1");
    answers_with(200, "\"about\":\"fc_backend/db1\"");
    ask("/api/steering/explain?order=switch%20fc_backend%20db2");
    answers_with(200, "\"about\":\"/switch fc_backend db2\",\"by\":\"127.0.0.1@http\",\"may\":1");
    ask("/api/steering/plan");
    answers_with(200, "{\"verb\":\"plan\"");
    ask("/api/steering/explain/nowhere");
    answers_with(500, "nothing here is called 'nowhere'");
    ask("/api/steering/explain/a%20b");
    answers_with(500, "part 1 is no name");
    ask("/api/steering/explain?order=swi%2fch/");
    answers_with(500, "cannot be the name of a server");
    ask("/api/steering/explain/fc_backend?order=yield");
    answers_with(500, "either a subject in the path or an order in the query");
    cr_assert_eq(stage.order_count, 0);
    stage_close();
}

Test(http, history_waits_for_the_store_and_answers_its_document)
{
    stage_open();
    ask_document("/api/steering/history?limit=5&subject=fc_backend&since=2h&before=99", FC_OK, "", "{\"lines\":[1]}");
    cr_assert_str_eq(stage.order, "5 fc_backend -7200000 99");
    answers(200, "{\"lines\":[1]}");
    ask_document("/api/steering/history", FC_UNREACHABLE, "no server of the store answers", NULL);
    answers_with(500, "no server of the store answers");
    ask("/api/steering/history?limit=201");
    answers_with(500, "must be a number from 1 to 200");
    ask("/api/steering/history?subject=a%20since%202h");
    answers_with(500, "subject must be one word");
    ask("/api/steering/history?subject=busy");
    answers_with(500, "too many wait for an answer already");
    stage_close();
}

Test(http, one_connection_asks_one_thing_after_the_other)
{
    stage_open();
    struct client *client = client_open();
    client_say(client, "GET /api/lb-check HTTP/1.1\r\nHost: x\r\n\r\nGET /api/leader-check HTTP/1.1\r\nHost: x\r\n\r\n"
                       "GET /api/nonsense HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client_wait(client);
    const char *first = strstr(client->heard, "200 OK");
    cr_assert_neq(first, NULL);
    const char *second = strstr(first + 1, "200 OK");
    cr_assert_neq(second, NULL);
    cr_assert_neq(strstr(second, "404 Not Found"), NULL);
    cr_assert_eq(http_door_counters(stage.door).requests, 3u);
    cr_assert_eq(http_door_counters(stage.door).not_found, 1u);
    client_close(client);
    stage_close();
}

Test(http, a_unix_socket_is_local_and_removed_at_the_end)
{
    char directory[] = "/tmp/fc_http_XXXXXX";
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat at;

    cr_assert_neq(mkdtemp(directory), NULL);
    TEXT_FORMAT(stage.config.listen_socket, "%s/http.sock", directory);
    TEXT_SET(address.sun_path, stage.config.listen_socket);
    stage_open();
    cr_assert_eq(http_door_port(stage.door), 0);
    cr_assert_eq(stat(address.sun_path, &at), 0);
    cr_assert_eq(at.st_mode & 07, 0u);

    struct client *client = client_new(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
    client_say(client, "GET /api/steering/yield HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    end_order(client, FC_OK, "done");
    client_wait(client);
    cr_assert(text_begins(client->heard, "HTTP/1.1 200"), "heard: %s", client->heard);
    cr_assert_str_eq(stage.by, "unix@http");
    client_close(client);

    struct http_door *second = NULL;
    struct fc_err err;
    cr_assert_eq(http_door_open(stage.loop, &stage.desk, &second, &err), FC_BUSY);
    stage_close();
    cr_assert_neq(stat(address.sun_path, &at), 0);
    rmdir(directory);
}

Test(http, a_taken_port_is_one_clear_error)
{
    struct http_door *second = NULL;
    struct fc_err err;
    stage_open();
    TEXT_FORMAT(stage.config.listen_address, "127.0.0.1:%d", http_door_port(stage.door));
    cr_assert_eq(http_door_open(stage.loop, &stage.desk, &second, &err), FC_UNREACHABLE);
    cr_assert_neq(strstr(err.text, "cannot listen on"), NULL);
    cr_assert_eq(second, NULL);
    stage_close();
}

Test(http, connections_beyond_the_bound_wait_for_a_place)
{
    static struct client *idle[HTTP_CONNECTIONS_MAX + 20];
    stage_open();
    for (int i = 0; i < HTTP_CONNECTIONS_MAX + 20; i++) {
        idle[i] = client_open();
        ev_run(stage.loop, EVRUN_NOWAIT);
    }
    some_turns(idle[0]);
    cr_assert_eq(http_door_counters(stage.door).connections, (uint64_t)HTTP_CONNECTIONS_MAX);
    struct client *late = client_ask("GET", "/api/lb-check", LOCAL);
    some_turns(late);
    cr_assert_eq(late->length, 0u);
    for (int i = 0; i < HTTP_CONNECTIONS_MAX + 20; i++)
        client_close(idle[i]);
    client_wait(late);
    cr_assert(text_begins(late->heard, "HTTP/1.1 200"));
    client_close(late);
    stage_close();
}

/* ---- the path splitter alone ---- */

static bool splits(const char *raw, struct http_path *path)
{
    return http_path_split(raw, strlen(raw), path);
}

Test(http_path, is_split_before_it_is_decoded)
{
    struct http_path path;
    cr_assert(splits("/a/b%2Fc/%20d%0a", &path));
    cr_assert_eq(path.count, 3);
    cr_assert_str_eq(path.segment[1], "b/c");
    cr_assert_str_eq(path.segment[2], "d");
    cr_assert(splits("/", &path) && path.count == 0);
}

Test(http_path, refuses_what_is_no_path)
{
    struct http_path path;
    char longest[HTTP_SEGMENT_SIZE + 2];
    cr_assert_not(splits("", &path));
    cr_assert_not(splits("a/b", &path));
    cr_assert_not(splits("//", &path));
    cr_assert_not(splits("/a//b", &path));
    cr_assert_not(splits("/%0A/b", &path));
    cr_assert_not(splits("/a%", &path));
    cr_assert_not(splits("/a%4", &path));
    cr_assert_not(splits("/a%4g", &path));
    cr_assert_not(splits("/a%00b", &path));
    cr_assert_not(splits("/1/2/3/4/5/6/7/8/9", &path));
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    cr_assert(http_path_split(longest, HTTP_SEGMENT_SIZE, &path));
    cr_assert_not(http_path_split(longest, HTTP_SEGMENT_SIZE + 1, &path));
}

Test(http_path, fits_a_pattern_as_a_whole)
{
    struct http_path path;
    const char *parameter[HTTP_PARAMETERS_MAX];
    int number;
    cr_assert(splits("/api/pool/x", &path));
    cr_assert(http_path_fits(&path, "/api/pool/:pool", parameter, &number));
    cr_assert_eq(number, 1);
    cr_assert_str_eq(parameter[0], "x");
    cr_assert_not(http_path_fits(&path, "/api/pool", parameter, &number));
    cr_assert_not(http_path_fits(&path, "/api/pool/:pool/:server", parameter, &number));
    cr_assert_not(http_path_fits(&path, "/api/poo/:pool", parameter, &number));
    cr_assert_not(http_path_fits(&path, "/", parameter, &number));
}

/* ---- raft ---- */

static struct quorum_view raft_picture;
static struct quorum_settings raft_settings;
static struct named_address raft_members[] = { { "fc1", "10.0.0.1:10008" }, { "fc2", "10.0.0.2:10008" }, { "fc3", "10.0.0.3:10008" } };

static bool lend_raft(void *daemon, struct agreement_view *ret)
{
    (void)daemon;
    *ret = (struct agreement_view){ .quorum = &raft_picture, .settings = &raft_settings, .own = 0, .bind = "10.0.0.1:10008",
                                    .now = { 5000000 } };
    TEXT_SET(ret->address, "10.0.0.1:10008");
    return true;
}

static void stage_open_with_raft(enum quorum_role role, int leader)
{
    stage_open();
    stage.desk.raft = lend_raft;
    raft_settings = (struct quorum_settings){ .member_count = 3, .own = 0, .election_ms = 500 };
    for (int i = 0; i < 3; i++) {
        roster_book(&raft_picture.roster, i, raft_members[i].name, raft_members[i].address);
        raft_picture.peers[i].heard_at = (struct fc_time){ 4900000 };
    }
    raft_picture.role = role;
    raft_picture.leader = leader;
}

Test(http, a_follower_of_a_known_leader_is_healthy_in_raft)
{
    stage_open_with_raft(QUORUM_FOLLOWER, 1);
    stage.status.leads = false;
    ask("/api/raft-state");
    answers(200, "\"Follower\"");
    ask("/api/raft-leader");
    answers(200, "\"10.0.0.2:10008\"");
    ask("/api/raft-health");
    answers(200, "\"healthy\"");
    ask("/api/raft-peers");
    answers(200, "[\"10.0.0.1:10008\",\"10.0.0.2:10008\",\"10.0.0.3:10008\"]");
    stage_close();
}

Test(http, without_a_known_leader_nobody_is_healthy_in_raft)
{
    stage_open_with_raft(QUORUM_FOLLOWER, -1);
    stage.status.leads = false;
    ask("/api/raft-leader");
    answers(200, "\"\"");
    ask("/api/raft-health");
    answers(500, "{\"Code\":\"ERROR\",\"Message\":\"unhealthy\",\"Details\":null}");
    ask("/api/raft-status");
    answers_with(200, "\"IsPartOfQuorum\":false");
    stage_close();
}

Test(http, a_leader_that_no_majority_has_confirmed_is_not_healthy_and_leads_nothing)
{
    stage_open_with_raft(QUORUM_LEADER, 0);
    stage.status.leads = false;
    ask("/api/raft-state");
    answers(200, "\"Leader\"");
    ask("/api/raft-health");
    answers_with(500, "unhealthy");
    ask("/api/leader-check");
    answers(404, "\"Not leader\"");
    stage_close();
}

Test(http, changes_of_members_are_orders_and_go_by_names)
{
    stage_open_with_raft(QUORUM_LEADER, 0);
    ask("/api/raft-add-peer/10.0.0.4:10008");
    answers_with(500, "a member goes by its name: NAME@HOST:PORT");
    ask("/api/raft-remove-peer/fc9");
    answers_with(500, "the group has no such member");
    ask("/api/raft-yield/fc9");
    answers_with(500, "the group has no such member");
    ask_order("/api/raft-add-peer/fc4@10.0.0.4:10008", "", FC_OK, "fc4 is a learner");
    cr_expect_str_eq(stage.order, "raft-add fc4@10.0.0.4:10008");
    ask_order("/api/raft-promote-peer/10.0.0.2:10008", "", FC_OK, "fc2 votes");
    cr_expect_str_eq(stage.order, "raft-promote fc2");
    stage_close();
}

Test(http, learners_and_voters_are_told_apart)
{
    stage_open_with_raft(QUORUM_LEADER, 0);
    raft_picture.roster.has_log = true;
    raft_picture.roster.places[0].role = raft_picture.roster.places[1].role = ROSTER_VOTER;
    raft_picture.roster.places[2].role = ROSTER_LEARNER;
    raft_picture.log_matched[2] = 12;
    ask("/api/raft-status");
    answers_with(200, "\"Name\":\"fc2\",\"Role\":\"voter\"");
    answers_with(200, "\"Name\":\"fc3\",\"Role\":\"learner\"");
    answers_with(200, "\"MatchedIndex\":12");
    stage_close();
}

/* ---- the fleet ---- */

static const struct picture *lend_picture(void *daemon)
{
    (void)daemon;
    return &fleet_stage.picture;
}

static uint64_t take_fleet_order(void *daemon, const struct fleet_order *order, desk_reply *reply, void *waiter)
{
    (void)daemon;
    TEXT_FORMAT(stage.order, "%s %s:%u %s %s %d", fleet_verbs[order->verb].word, order->host, order->port, order->name, order->text,
                (int)order->seconds);
    TEXT_SET(stage.by, order->by);
    stage.reply = reply;
    stage.waiter = waiter;
    return (uint64_t)++stage.order_count;
}

static void fleet_open(void)
{
    fleet_stage_open();
    stage.desk.picture = lend_picture;
    stage.desk.fleet_order = take_fleet_order;
    stage_open();
}

static void fleet_close(void)
{
    stage_close();
    fleet_stage_close();
}

Test(http, a_question_about_the_fleet_is_answered_from_the_picture)
{
    fleet_open();
    ask("/api/clusters");
    answers(200, "[\"db1.example:3306\"]");
    answers_with(200, "Content-Type: application/json; charset=UTF-8");
    ask("/api/search?s=db3%0A");
    answers_with(200, "[{\"Key\":{\"Hostname\":\"db3.example\",\"Port\":3306},");
    ask("/api/instance/nobody/3306");
    answers(500, "{\"Code\":\"ERROR\",\"Message\":\"there is no known server 'nobody:3306'\",\"Details\":null}");
    ask_as("HEAD", "/api/clusters", LOCAL);
    answers(200, "");
    fleet_close();
}

Test(http, without_a_fleet_the_routes_say_so_in_the_envelope)
{
    stage_open();
    ask("/api/clusters");
    answers_with(500, "{\"Code\":\"ERROR\",\"Message\":\"this node keeps no fleet: ");
    ask("/api/forget/db1.example/3306");
    answers_with(500, "\"Message\":\"this node keeps no fleet: ");
    stage_close();
}

Test(http, an_order_about_the_fleet_is_answered_when_it_has_ended)
{
    fleet_open();
    ask_order("/api/begin-downtime/db2.example/3306/amy%0A/disk%20is%20loud%0A/30m", LOCAL, FC_OK, "done");
    answers(200, "{\"Code\":\"OK\",\"Message\":\"Downtime begun\",\"Details\":{\"Hostname\":\"db2.example\",\"Port\":3306}}");
    cr_expect_str_eq(stage.order, "begin-downtime db2.example:3306 amy disk is loud 1800");
    cr_expect_str_eq(stage.by, "127.0.0.1@http");
    ask_order("/api/discover/db2.example/3306", LOCAL, FC_UNREACHABLE, "db2.example:3306 does not answer");
    answers_with(500, "{\"Code\":\"ERROR\",\"Message\":\"db2.example:3306 does not answer\",\"Details\":null}");
    ask("/api/begin-downtime/db2.example/3306/amy/disk/soon");
    answers_with(500, "'soon' is no duration");
    cr_expect_eq(stage.order_count, 2);
    fleet_close();
}

Test(http, an_order_about_the_fleet_needs_the_right_to_write)
{
    fleet_open();
    stage.config.read_only = true;
    ask("/api/tag/db2.example/3306?tag=a");
    answers(500, "{\"Code\":\"ERROR\",\"Message\":\"Unauthorized\",\"Details\":null}");
    ask("/api/bulk-instances");
    answers_with(500, "Unauthorized");
    ask("/api/heuristic-cluster-pool-instances/db1.example:3306");
    answers_with(500, "Unauthorized");
    ask("/api/heuristic-cluster-pool-lag/db1.example:3306/web");
    answers_with(500, "Unauthorized");
    ask("/api/tags/db2.example/3306");
    answers(200, "[]");
    cr_expect_eq(stage.order_count, 0);
    ask_order("/api/resolve/db2.example/3306", LOCAL, FC_OK, "done");
    answers_with(200, "\"Message\":\"Instance resolved\"");
    fleet_close();
}

/* ---- answers that are made once, in slices, or packed -------------------------------------------------------------------- */

Test(http, an_answer_is_made_once_while_the_picture_is_the_same)
{
    stage.status.filling = 7;
    stage_open();
    ask("/api/leader-check");
    answers(200, "\"OK\"");
    stage.status.leads = false;                   /* and nobody has said that the picture is another one: it is not made anew */
    ask("/api/leader-check");
    answers(200, "\"OK\"");
    ask("/api/leader-check?why=not");
    answers(404, "\"Not leader\"");
    stage.status.filling = 8;
    ask("/api/leader-check");
    answers(404, "\"Not leader\"");
    answers_with(404, "Content-Type: application/json; charset=UTF-8");
    stage.status.leads = true;
    ask_as("HEAD", "/api/leader-check", LOCAL);
    answers(404, "");
    stage.status.filling = 9;
    ask("/api/leader-check/503");
    ask("/api/leader-check");
    answers(200, "\"OK\"");
    for (int i = 0; i < 100; i++) {                /* more paths than are kept */
        char path[40];
        TEXT_FORMAT(path, "/api/leader-check/%d", 200 + i);
        ask(path);
        answers(200, "\"OK\"");
    }
    stage_close();
}

Test(http, a_kept_answer_is_nobodys_who_may_not_ask)
{
    TEXT_SET(stage.config.authentication_method, "basic");
    TEXT_SET(stage.config.http_auth_user, "amy");
    TEXT_SET(stage.config.http_auth_password, "secret");
    stage.status.filling = 7;
    stage_open();
    ask_as("GET", "/api/leader-check", LOCAL "Authorization: Basic YW15OnNlY3JldA==\r\n");
    answers(200, "\"OK\"");
    ask("/api/leader-check");
    answers(401, "Not Authorized");
    stage_close();
}

Test(http, what_is_said_of_a_server_is_told_at_once_after_it)
{
    fleet_open();
    fleet_stage.picture.changes = 1;
    ask("/api/tags/db2.example/3306");
    answers(200, "[]");
    overrides_tag(&fleet_stage.overrides, &(struct instance_key){ "db2.example", 3306 }, "role", "main", NULL);
    fleet_stage.picture.changes = 2;
    ask("/api/tags/db2.example/3306");
    answers(200, "[\"role=main\"]");
    fleet_close();
}

/* Workers for the door; the rest of a host it does not need. */
static struct workers *workers;

static bool give_work(void *agent, host_work *work, host_worked *worked, void *job)
{
    (void)agent;
    return workers_give(workers, work, worked, job);
}

static const struct host lent = { .work = give_work };

static void open_with_workers(void)
{
    struct fc_err err;
    cr_assert_eq(workers_open(stage.loop, 1, 4, &workers, &err), FC_OK);
    stage.desk.host = &lent;
    fleet_open();
    for (int i = 0; i < 600; i++) {
        char host[32];
        TEXT_FORMAT(host, "r%03d.example", i);
        stage_saw_plain(host, "db1.example");
    }
    stage_judge();
}

static void close_with_workers(void)
{
    http_door_close(stage.door);
    workers_close(workers);
    ev_loop_destroy(stage.loop);
    fleet_stage_close();
}

static void turn_so_often(int turns)
{
    for (int i = 0; i < turns; i++)
        ev_run(stage.loop, EVRUN_NOWAIT);
}

static char large[4 * 1024 * 1024];

/* The whole answer of any length; its body behind the headers, and how long that is. */
static char *hear_all(const char *path, const char *headers, size_t *length)
{
    struct client *client = client_ask("GET", path, headers);
    size_t heard = 0;
    for (int i = 0; i < PATIENCE && !client->is_over; i++) {
        turn(client);
        cr_assert(heard + client->length < sizeof large);
        memcpy(large + heard, client->heard, client->length);
        heard += client->length;
        client->length = 0;
    }
    cr_assert(client->is_over);
    client_close(client);
    large[heard] = '\0';
    char *body = strstr(large, "\r\n\r\n");
    cr_assert_not_null(body);
    *length = heard - (size_t)(body + 4 - large);
    return body + 4;
}

Test(http, a_long_list_is_told_in_slices_and_is_whole)
{
    open_with_workers();
    size_t length;
    for (int turns = 0; turns < 10; turns++) {     /* who goes away, whenever it is, harms nobody */
        struct client *client = client_ask("GET", "/api/all-instances", LOCAL);
        turn_so_often(turns);
        client_close(client);
        turn_so_often(10);
    }
    char *body = hear_all("/api/all-instances", LOCAL, &length);
    cJSON *list = cJSON_Parse(body);
    cr_assert_not_null(list);
    cr_expect_eq(cJSON_GetArraySize(list), 604);
    cJSON_Delete(list);
    cr_expect_not_null(strstr(large, "Vary: Accept-Encoding"));
    body = hear_all("/api/search?s=r00", LOCAL, &length);
    list = cJSON_Parse(body);
    cr_expect_eq(cJSON_GetArraySize(list), 10);
    cJSON_Delete(list);
    close_with_workers();
}

Test(http, a_large_answer_is_packed_for_who_takes_it_so)
{
    static char unpacked[sizeof large];
    open_with_workers();
    size_t length, plain_length;
    char *body = hear_all("/api/all-instances", LOCAL, &plain_length);
    char *plain = strdup(body);
    for (int round = 0; round < 2; round++) {      /* made, and given again */
        fleet_stage.picture.changes = 1;
        body = hear_all("/api/all-instances", LOCAL "Accept-Encoding: br, gzip;q=1.0\r\n", &length);
        cr_expect_not_null(strstr(large, "Content-Encoding: gzip\r\n"));
        z_stream stream = { .next_in = (Bytef *)body, .avail_in = (uInt)length, .next_out = (Bytef *)unpacked, .avail_out = sizeof unpacked - 1 };
        cr_assert_eq(inflateInit2(&stream, 31), Z_OK);
        cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
        unpacked[stream.total_out] = '\0';
        inflateEnd(&stream);
        cr_expect_eq(strlen(unpacked), plain_length);
        cr_expect(length * 10 < plain_length, "%zu of %zu", length, plain_length);
    }
    cr_expect_str_eq(unpacked, plain);
    hear_all("/api/all-instances", LOCAL "Accept-Encoding: gzip;q=0\r\n", &length);
    cr_expect_null(strstr(large, "Content-Encoding"));
    ask_as("GET", "/api/clusters", LOCAL "Accept-Encoding: gzip\r\n");
    answers(200, "[\"db1.example:3306\"]");
    free(plain);
    close_with_workers();
}

/* The door closes after so many turns of the loop: who asked is told that, or has had the answer. Whom it was told. */
static void close_after(int turns, bool is_told[2])
{
    open_with_workers();
    struct client *clients[] = { client_ask("GET", "/api/all-instances", LOCAL), client_ask("GET", "/api/all-instances", LOCAL "Accept-Encoding: gzip\r\n") };
    turn_so_often(turns);
    http_door_close(stage.door);
    stage.door = NULL;
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 100; k++)
            client_hear(clients[i]);
        is_told[i] = strstr(clients[i]->heard, "this node is stopping") != NULL;
        cr_expect(clients[i]->is_over && (is_told[i] || text_begins(clients[i]->heard, "HTTP/1.1 200")), "%d turns: %.100s", turns, clients[i]->heard);
        client_close(clients[i]);
    }
    workers_close(workers);
    ev_loop_destroy(stage.loop);
    fleet_stage_close();
}

Test(http, who_waits_for_a_slice_or_the_packer_when_the_door_closes_is_told)
{
    int sliced = 0, packed = 0;
    for (int turns = 3; turns < 12; turns++) {
        bool is_told[2];
        if (turns > 3)
            stage_set();
        close_after(turns, is_told);
        sliced += is_told[0];
        packed += !is_told[0] && is_told[1];       /* its list is whole, as the other's */
    }
    cr_expect(sliced > 0 && packed > 0, "%d, %d", sliced, packed);
}

Test(http, who_goes_away_before_an_order_has_ended_is_forgotten)
{
    fleet_open();
    struct client *client = client_ask("GET", "/api/untag/db2.example/3306?tag=a", LOCAL);
    for (int i = 0; i < PATIENCE && stage.reply == NULL; i++)
        turn(client);
    cr_assert_eq(stage.order_count, 1);
    client_close(client);
    client = client_open();
    some_turns(client);
    client_close(client);
    http_door_close(stage.door);
    stage.door = NULL;
    cr_expect_eq(stage.forgotten_count, 1);
    ev_loop_destroy(stage.loop);
    fleet_stage_close();
}
