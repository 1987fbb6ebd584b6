/* One session to one Redis: rest, resolve, connect, greet, ready; whatever goes wrong drops the session and rests.
 *
 * hiredis does the protocol on a descriptor that the host watches; the few lines between the two are at the end. Answers come
 * in the order of the commands, so a ring of (sent at, size) is all that is needed to know what is in flight and since when. */
#include "backends/redis.h"

#include <arpa/inet.h>
#include <assert.h>
#include <hiredis/async.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NUMERIC_MAX 4                     /* addresses of a name that are tried in turn */
#define COMMANDS_OF_EVENT 2

/* KEYS[1] key; ARGV json, ttl, epoch, seq, token ('' = a key that several nodes write). Answers 1 when written, 0 when what
 * stands there is newer. What cannot be read counts as older. */
static const char set_unless_older[] =
    "local stood = redis.call('GET', KEYS[1])\n"
    "if stood then\n"
    "  local is_json, was = pcall(cjson.decode, stood)\n"
    "  if is_json and type(was) == 'table' then\n"
    "    local epoch, seq = tonumber(was.epoch) or 0, tonumber(was.seq) or 0\n"
    "    local new_epoch, new_seq = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
    "    if ARGV[5] ~= '' then\n"
    "      if was.token == ARGV[5] and seq > new_seq then return 0 end\n"
    "    elseif epoch > new_epoch or (epoch == new_epoch and seq > new_seq) then\n"
    "      return 0\n"
    "    end\n"
    "  end\n"
    "end\n"
    "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])\n"
    "return 1\n";

#define DIGEST_LENGTH 40                  /* of SHA1 in hexadecimal digits: what SCRIPT LOAD answers */

enum stage { RESTING, RESOLVING, CONNECTING, GREETING, READY };

struct parcel {
    enum redis_kind kind;
    uint64_t epoch, seq;
    size_t length;
    char name[64];
    char json[];
};

struct sent { struct fc_time at; size_t size; };

/* A name lookup on a worker. It outlives a redis that is closed meanwhile, then with `redis` NULL. */
struct lookup {
    struct redis *redis;
    char name[ADDRESS_SIZE], port[8];
    int count;
    char numeric[NUMERIC_MAX][INET6_ADDRSTRLEN];
    char error[96];
};

struct redis {
    const struct host *host;
    struct redis_listener listener;
    config_text address, password, prefix;
    char host_name[ADDRESS_SIZE];         /* "" = a unix path */
    int port;
    char token[80];
    int ttl_seconds, stream_max;

    enum stage stage;
    redisAsyncContext *line;
    struct host_watch *watch;
    int wanted;                           /* what the watch waits for */
    struct host_timer *deadline;          /* of the rest, the connect, or the oldest command in flight */
    struct host_timer *refresh;
    struct lookup *lookup;
    unsigned attempt;
    int rest_ms;
    char script[48];                      /* the script's name on this server */
    bool has_erred;                       /* since the last refresh: then what was wrong stays shown */

    struct sent in_flight[REDIS_IN_FLIGHT_MAX];
    int in_flight_first, in_flight_count;
    size_t in_flight_size;
    struct parcel *waiting[REDIS_WAITING_MAX];
    int waiting_first, waiting_count;
    size_t waiting_size;

    struct redis_state state;
};

static void adapter_attach(struct redis *redis);
static void adapter_detach(struct redis *redis);
static void send_waiting(struct redis *redis);

/* ---- what waits ---- */

static struct parcel **waiting_place(struct redis *redis, int index)
{
    return &redis->waiting[(redis->waiting_first + index) % REDIS_WAITING_MAX];
}

static struct parcel *waiting_take(struct redis *redis)
{
    struct parcel *parcel = *waiting_place(redis, 0);
    redis->waiting_first = (redis->waiting_first + 1) % REDIS_WAITING_MAX;
    redis->waiting_count--;
    redis->waiting_size -= parcel->length;
    return parcel;
}

static struct parcel *parcel_new(const struct redis_message *message, size_t length)
{
    struct parcel *parcel = malloc(sizeof *parcel + length + 1);
    if (parcel == NULL)
        return NULL;
    *parcel = (struct parcel){ .kind = message->kind, .epoch = message->epoch, .seq = message->seq, .length = length };
    if (message->kind != REDIS_EVENT)
        TEXT_SET(parcel->name, message->name);
    memcpy(parcel->json, message->json, length + 1);
    return parcel;
}

/* A key's newer value takes the place of the one that still waits. */
static bool waiting_replace(struct redis *redis, struct parcel *parcel)
{
    for (int i = 0; i < redis->waiting_count && parcel->kind != REDIS_EVENT; i++) {
        struct parcel **place = waiting_place(redis, i);
        if ((*place)->kind == parcel->kind && text_is((*place)->name, parcel->name)) {
            redis->waiting_size = redis->waiting_size - (*place)->length + parcel->length;
            free(*place);
            *place = parcel;
            return true;
        }
    }
    return false;
}

static void drop_what_is_too_much(struct redis *redis, size_t size_wanted, int count_wanted)
{
    while (redis->waiting_count > 0 && (redis->waiting_size + size_wanted > REDIS_TEXT_MAX ||
                                        redis->waiting_count + count_wanted > REDIS_WAITING_MAX)) {
        free(waiting_take(redis));
        redis->state.dropped++;
    }
}

static void waiting_put(struct redis *redis, const struct redis_message *message)
{
    const size_t length = strlen(message->json);
    struct parcel *parcel = length > REDIS_TEXT_MAX ? NULL : parcel_new(message, length);

    if (parcel == NULL) {
        redis->state.dropped++;
        return;
    }
    if (waiting_replace(redis, parcel)) {
        drop_what_is_too_much(redis, 0, 0);
        return;
    }
    drop_what_is_too_much(redis, length, 1);
    *waiting_place(redis, redis->waiting_count++) = parcel;
    redis->waiting_size += length;
}

/* wants_all brings them back, fresher. */
static void forget_waiting_keys(struct redis *redis)
{
    for (int left = redis->waiting_count; left > 0; left--) {
        struct parcel *parcel = waiting_take(redis);
        if (parcel->kind == REDIS_EVENT) {
            *waiting_place(redis, redis->waiting_count++) = parcel;
            redis->waiting_size += parcel->length;
        } else {
            free(parcel);
        }
    }
}

/* ---- what is in flight ---- */

static struct fc_time limit_from(struct fc_time sent_at) { return fc_plus(sent_at, fc_ms(REDIS_COMMAND_LIMIT_MS)); }

static void note_sent(struct redis *redis, size_t size)
{
    assert(redis->in_flight_count < REDIS_IN_FLIGHT_MAX);
    const struct fc_time now = redis->host->now(redis->host->agent);
    const int place = (redis->in_flight_first + redis->in_flight_count++) % REDIS_IN_FLIGHT_MAX;

    redis->in_flight[place] = (struct sent){ now, size };
    redis->in_flight_size += size;
    if (redis->in_flight_count == 1)
        redis->host->timer_set(redis->deadline, limit_from(now));
}

static void note_answered(struct redis *redis)
{
    assert(redis->in_flight_count > 0);
    redis->in_flight_size -= redis->in_flight[redis->in_flight_first].size;
    redis->in_flight_first = (redis->in_flight_first + 1) % REDIS_IN_FLIGHT_MAX;
    if (--redis->in_flight_count > 0)
        redis->host->timer_set(redis->deadline, limit_from(redis->in_flight[redis->in_flight_first].at));
    else
        redis->host->timer_stop(redis->deadline);
}

/* ---- the end of a session ---- */

static void say(struct redis *redis, bool is_ready, const char *text)
{
    const bool is_news = redis->state.is_ready != is_ready || !text_is(redis->state.text, text);
    redis->state.is_ready = is_ready;
    TEXT_SET(redis->state.text, text);
    if (is_news && redis->listener.changed != NULL)
        redis->listener.changed(redis->listener.owner, is_ready, redis->state.text);
}

static void rest(struct redis *redis, const char *why)
{
    char text[sizeof redis->state.text];

    redis->state.lost += (uint64_t)redis->in_flight_count;
    redis->in_flight_count = 0;
    redis->in_flight_size = 0;
    forget_waiting_keys(redis);
    redis->stage = RESTING;
    redis->host->timer_stop(redis->refresh);
    redis->host->timer_set(redis->deadline, fc_plus(redis->host->now(redis->host->agent), fc_ms(redis->rest_ms)));
    redis->rest_ms = redis->rest_ms * 2 < REDIS_REST_LAST_MS ? redis->rest_ms * 2 : REDIS_REST_LAST_MS;
    TEXT_FORMAT(text, "redis '%s': %s", redis->address, why);
    text_make_plain(text);
    say(redis, false, text);
}

static void drop_line(struct redis *redis)
{
    redisAsyncContext *line = redis->line;
    if (line == NULL)
        return;
    adapter_detach(redis);
    redis->line = NULL;
    redisAsyncFree(line);                 /* calls what waits for answers with NULL: ignored, see take_reply */
}

static void drop_and_rest(struct redis *redis, const char *why)
{
    drop_line(redis);
    rest(redis, why);
}

/* ---- answers ---- */

/* Every callback starts here. NULL when the session is being torn down. */
static const redisReply *take_reply(redisAsyncContext *line, void *reply, struct redis *redis)
{
    if (reply == NULL || line != redis->line)
        return NULL;
    note_answered(redis);
    return reply;
}

/* A server that says so is of no use at present; another may answer behind the same address later. NOSCRIPT: its scripts were
 * flushed, and the greeting brings ours back. */
static bool ends_the_session(const char *error)
{
    static const char *const grave[] = { "LOADING", "READONLY", "NOAUTH", "WRONGPASS", "MASTERDOWN", "NOSCRIPT", "NOPERM" };
    for (size_t i = 0; i < sizeof grave / sizeof grave[0]; i++) {
        if (strstr(error, grave[i]) != NULL)   /* a script's error has the word inside */
            return true;
    }
    return false;
}

static bool is_error(struct redis *redis, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR)
        return false;
    redis->state.errors++;
    if (redis->stage != READY || ends_the_session(reply->str)) {
        drop_and_rest(redis, reply->str);
    } else {
        char text[sizeof redis->state.text];
        TEXT_FORMAT(text, "redis '%s': %s", redis->address, reply->str);
        text_make_plain(text);
        redis->has_erred = true;
        say(redis, true, text);
    }
    return true;
}

static void on_key(redisAsyncContext *line, void *answer, void *owner)
{
    struct redis *redis = owner;
    const redisReply *reply = take_reply(line, answer, redis);
    if (reply == NULL || is_error(redis, reply))
        return;
    if (reply->type == REDIS_REPLY_INTEGER && reply->integer == 1)
        redis->state.stored++;
    else
        redis->state.refused_older++;
    redis->rest_ms = REDIS_REST_FIRST_MS;     /* only now: a server that greets and then refuses is not hammered */
    send_waiting(redis);
}

static void on_channel(redisAsyncContext *line, void *answer, void *owner)
{
    struct redis *redis = owner;
    const redisReply *reply = take_reply(line, answer, redis);
    if (reply != NULL && !is_error(redis, reply))
        send_waiting(redis);
}

static void on_stream(redisAsyncContext *line, void *answer, void *owner)
{
    struct redis *redis = owner;
    const redisReply *reply = take_reply(line, answer, redis);
    if (reply == NULL || is_error(redis, reply))
        return;
    redis->state.published++;
    send_waiting(redis);
}

static void refresh_later(struct redis *redis)
{
    const struct fc_time now = redis->host->now(redis->host->agent);
    redis->host->timer_set(redis->refresh, fc_plus(now, fc_ms((int64_t)redis->ttl_seconds * 1000 / 3)));
}

static void on_script(redisAsyncContext *line, void *answer, void *owner)
{
    struct redis *redis = owner;
    const redisReply *reply = take_reply(line, answer, redis);
    if (reply == NULL || is_error(redis, reply))
        return;
    if (reply->type != REDIS_REPLY_STRING || reply->len != DIGEST_LENGTH || !TEXT_SET(redis->script, reply->str)) {
        drop_and_rest(redis, "SCRIPT LOAD was answered with nonsense");
        return;
    }
    redis->stage = READY;
    redis->state.connected++;
    redis->has_erred = false;
    say(redis, true, "");
    refresh_later(redis);
    redis->listener.wants_all(redis->listener.owner);
    send_waiting(redis);
}

static void on_auth(redisAsyncContext *line, void *answer, void *owner)
{
    struct redis *redis = owner;
    const redisReply *reply = take_reply(line, answer, redis);
    if (reply != NULL)
        is_error(redis, reply);               /* no error: SCRIPT LOAD follows */
}

/* ---- commands ---- */

static void send_command(struct redis *redis, redisCallbackFn *answered, int count, const char **words, size_t size)
{
    size_t lengths[12];
    assert(count <= 12);
    for (int i = 0; i < count; i++)
        lengths[i] = strlen(words[i]);
    if (redisAsyncCommandArgv(redis->line, answered, redis, count, words, lengths) == REDIS_OK)
        note_sent(redis, size);
    else
        redis->state.lost++;
}

static void send_key(struct redis *redis, const struct parcel *parcel)
{
    const bool is_node = parcel->kind == REDIS_NODE;
    char key[CONFIG_TEXT_SIZE + 80], ttl[16], epoch[24], seq[24];

    TEXT_FORMAT(key, "%s%s/%s", redis->prefix, is_node ? "node" : "pool", parcel->name);
    TEXT_FORMAT(ttl, "%d", redis->ttl_seconds);
    TEXT_FORMAT(epoch, "%" PRIu64, parcel->epoch);
    TEXT_FORMAT(seq, "%" PRIu64, parcel->seq);
    const char *words[] = { "EVALSHA", redis->script, "1", key, parcel->json, ttl, epoch, seq, is_node ? redis->token : "" };
    send_command(redis, on_key, 9, words, parcel->length);
}

static void send_event(struct redis *redis, const struct parcel *parcel)
{
    char channel[CONFIG_TEXT_SIZE + 16], stream[CONFIG_TEXT_SIZE + 16], most[16], epoch[24], seq[24];

    TEXT_FORMAT(channel, "%schannel", redis->prefix);
    TEXT_FORMAT(stream, "%sevents", redis->prefix);
    TEXT_FORMAT(most, "%d", redis->stream_max);
    TEXT_FORMAT(epoch, "%" PRIu64, parcel->epoch);
    TEXT_FORMAT(seq, "%" PRIu64, parcel->seq);
    const char *publish[] = { "PUBLISH", channel, parcel->json };
    const char *add[] = { "XADD", stream, "MAXLEN", "~", most, "*", "epoch", epoch, "seq", seq, "json", parcel->json };
    send_command(redis, on_channel, 3, publish, 0);
    send_command(redis, on_stream, 12, add, parcel->length);
}

static bool may_send(struct redis *redis)
{
    return redis->stage == READY && redis->waiting_count > 0 &&
           redis->in_flight_count + COMMANDS_OF_EVENT <= REDIS_IN_FLIGHT_MAX &&
           redis->in_flight_size + (*waiting_place(redis, 0))->length <= REDIS_TEXT_MAX;
}

static void send_waiting(struct redis *redis)
{
    while (may_send(redis)) {
        struct parcel *parcel = waiting_take(redis);
        if (parcel->kind == REDIS_EVENT)
            send_event(redis, parcel);
        else
            send_key(redis, parcel);
        free(parcel);
    }
}

static void greet(struct redis *redis)
{
    const char *auth[] = { "AUTH", redis->password };
    const char *load[] = { "SCRIPT", "LOAD", set_unless_older };

    redis->stage = GREETING;
    if (redis->password[0] != '\0')
        send_command(redis, on_auth, 2, auth, 0);
    send_command(redis, on_script, 3, load, 0);
}

/* ---- connecting ---- */

/* hiredis itself frees a line that failed to connect, after this. */
static void on_connected(const redisAsyncContext *line, int status)
{
    struct redis *redis = line->data;
    if (redis == NULL || line != redis->line)
        return;
    if (status == REDIS_OK) {
        greet(redis);
        return;
    }
    char why[128];
    TEXT_SET(why, line->c.errstr[0] == '\0' ? "cannot connect" : line->c.errstr);
    adapter_detach(redis);
    redis->line = NULL;
    rest(redis, why);
}

static void on_ended(const redisAsyncContext *line, int status)
{
    struct redis *redis = line->data;
    (void)status;
    if (redis == NULL || line != redis->line)
        return;
    char why[128];
    TEXT_SET(why, line->c.errstr[0] == '\0' ? "the session has ended" : line->c.errstr);
    adapter_detach(redis);
    redis->line = NULL;
    rest(redis, why);
}

static void connect_to(struct redis *redis, const char *numeric)
{
    redisAsyncContext *line = numeric == NULL ? redisAsyncConnectUnix(redis->address)
                                              : redisAsyncConnect(numeric, redis->port);
    if (line == NULL || line->err != 0) {
        char why[128];
        TEXT_SET(why, line == NULL ? "out of memory" : line->c.errstr);
        if (line != NULL)
            redisAsyncFree(line);
        rest(redis, why);
        return;
    }
    redis->line = line;
    line->data = redis;
    redis->stage = CONNECTING;
    redis->host->timer_set(redis->deadline, limit_from(redis->host->now(redis->host->agent)));
    redisAsyncSetDisconnectCallback(line, on_ended);
    adapter_attach(redis);
    if (redis->watch == NULL)
        drop_and_rest(redis, "the socket cannot be watched");
    else
        redisAsyncSetConnectCallback(line, on_connected);
}

static void look_up(void *job)
{
    struct lookup *lookup = job;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    const int error = getaddrinfo(lookup->name, lookup->port, &hints, &found);

    if (error != 0)
        TEXT_FORMAT(lookup->error, "the name cannot be resolved: %s", gai_strerror(error));
    for (const struct addrinfo *a = found; error == 0 && a != NULL && lookup->count < NUMERIC_MAX; a = a->ai_next) {
        if (getnameinfo(a->ai_addr, a->ai_addrlen, lookup->numeric[lookup->count], sizeof lookup->numeric[0], NULL, 0,
                        NI_NUMERICHOST) == 0)
            lookup->count++;
    }
    if (error == 0)
        freeaddrinfo(found);
}

static void on_looked_up(void *job)
{
    struct lookup *lookup = job;
    struct redis *redis = lookup->redis;

    if (redis != NULL) {
        redis->lookup = NULL;
        if (lookup->count > 0)
            connect_to(redis, lookup->numeric[redis->attempt++ % (unsigned)lookup->count]);
        else
            rest(redis, lookup->error[0] == '\0' ? "the name has no address" : lookup->error);
    }
    free(lookup);
}

static void resolve(struct redis *redis)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        rest(redis, "out of memory");
        return;
    }
    lookup->redis = redis;
    TEXT_SET(lookup->name, redis->host_name);
    TEXT_FORMAT(lookup->port, "%d", redis->port);
    if (!redis->host->work(redis->host->agent, look_up, on_looked_up, lookup)) {
        free(lookup);
        rest(redis, "the workers' queue is full");
        return;
    }
    redis->lookup = lookup;
    redis->stage = RESOLVING;
}

static bool is_numeric(const char *host_name)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host_name, address) == 1 || inet_pton(AF_INET6, host_name, address) == 1;
}

static void begin(struct redis *redis)
{
    if (redis->host_name[0] == '\0')
        connect_to(redis, NULL);
    else if (is_numeric(redis->host_name))
        connect_to(redis, redis->host_name);
    else
        resolve(redis);
}

/* ---- time ---- */

static void on_deadline(void *owner)
{
    struct redis *redis = owner;
    switch (redis->stage) {
    case RESTING: begin(redis); break;
    case RESOLVING: break;                    /* the worker's answer comes, sooner or later */
    case CONNECTING: drop_and_rest(redis, "no connection within a second"); break;
    case GREETING:
    case READY: drop_and_rest(redis, "no answer within a second"); break;
    }
}

static void on_refresh(void *owner)
{
    struct redis *redis = owner;
    if (!redis->has_erred)
        say(redis, true, "");
    redis->has_erred = false;
    refresh_later(redis);
    redis->listener.wants_all(redis->listener.owner);
}

/* ---- life ---- */

enum fc_code redis_open(const struct host *host, const struct config *config, const char *token,
                        const struct redis_listener *listener, struct redis **ret, struct fc_err *err)
{
    assert(listener->wants_all != NULL);
    struct redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL)
        return fc_fail(err, FC_NO_MEMORY, "redis: out of memory");
    redis->host = host;
    redis->listener = *listener;
    redis->rest_ms = REDIS_REST_FIRST_MS;
    TEXT_SET(redis->address, config->redis_address);
    TEXT_SET(redis->password, config->redis_password);
    TEXT_SET(redis->prefix, config->redis_prefix);
    TEXT_SET(redis->token, token);
    redis_reload(redis, config);
    if (config->redis_address[0] != '/') {
        if (!address_split(config->redis_address, redis->host_name, sizeof redis->host_name, &redis->port) ||
            redis->port == 0) {
            const enum fc_code code = fc_fail(err, FC_BAD_CONFIG, "RedisAddress '%s' must be host:port or a /path",
                                              redis->address);
            free(redis);
            return code;
        }
        if (redis->host_name[0] == '\0')
            TEXT_SET(redis->host_name, "127.0.0.1");
    }
    redis->deadline = host->timer(host->agent, on_deadline, redis);
    redis->refresh = host->timer(host->agent, on_refresh, redis);
    if (redis->deadline == NULL || redis->refresh == NULL) {
        redis_close(redis);
        return fc_fail(err, FC_NO_MEMORY, "redis: out of memory");
    }
    host->timer_set(redis->deadline, host->now(host->agent));     /* from the loop, not from here */
    *ret = redis;
    return FC_OK;
}

void redis_close(struct redis *redis)
{
    if (redis == NULL)
        return;
    drop_line(redis);
    while (redis->waiting_count > 0)
        free(waiting_take(redis));
    if (redis->lookup != NULL)
        redis->lookup->redis = NULL;
    redis->host->untimer(redis->deadline);
    redis->host->untimer(redis->refresh);
    explicit_bzero(redis->password, sizeof redis->password);
    free(redis);
}

void redis_reload(struct redis *redis, const struct config *config)
{
    redis->ttl_seconds = config->redis_ttl_seconds;
    redis->stream_max = config->redis_stream_max;
    if (redis->stage == READY)
        refresh_later(redis);
}

void redis_publish(struct redis *redis, const struct redis_message *messages, int count)
{
    for (int i = 0; i < count; i++) {
        if (messages[i].kind == REDIS_EVENT || redis->stage == READY)
            waiting_put(redis, &messages[i]);
    }
    send_waiting(redis);
}

const struct redis_state *redis_state(const struct redis *redis) { return &redis->state; }

/* ---- between hiredis and the host ---- */

static void on_ready(void *owner, int ready)
{
    struct redis *redis = owner;
    redisAsyncContext *line = redis->line;

    if (line != NULL && (ready & HOST_READ) != 0)
        redisAsyncHandleRead(line);
    if (line != NULL && line == redis->line && (ready & HOST_WRITE) != 0)   /* reading may have ended it */
        redisAsyncHandleWrite(line);
}

static void want(struct redis *redis, int wanted)
{
    if (redis->watch == NULL || redis->wanted == wanted)
        return;
    redis->wanted = wanted;
    redis->host->watch_change(redis->watch, wanted);
}

static void want_read(void *owner) { want(owner, ((struct redis *)owner)->wanted | HOST_READ); }
static void want_no_read(void *owner) { want(owner, ((struct redis *)owner)->wanted & ~HOST_READ); }
static void want_write(void *owner) { want(owner, ((struct redis *)owner)->wanted | HOST_WRITE); }
static void want_no_write(void *owner) { want(owner, ((struct redis *)owner)->wanted & ~HOST_WRITE); }

static void adapter_attach(struct redis *redis)
{
    redisAsyncContext *line = redis->line;
    redis->wanted = HOST_WRITE;
    redis->watch = redis->host->watch(redis->host->agent, line->c.fd, HOST_WRITE, on_ready, redis);
    line->ev.data = redis;
    line->ev.addRead = want_read;
    line->ev.delRead = want_no_read;
    line->ev.addWrite = want_write;
    line->ev.delWrite = want_no_write;
}

/* Before hiredis closes the descriptor; it calls no hook that is NULL. */
static void adapter_detach(struct redis *redis)
{
    redis->host->unwatch(redis->watch);
    redis->watch = NULL;
    memset(&redis->line->ev, 0, sizeof redis->line->ev);
}
