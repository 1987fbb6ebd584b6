/* Effects become deeds: one table from effect to performer. A performer starts something and returns; its result comes back
 * as an event. Who may act is asked here once more, right before the deed (law 3): past `until` nothing is begun. */
#include "agent/daemon.h"

#include <string.h>

#include "base/text.h"
#include "haproxy/agent_answer.h"

typedef void perform(struct daemon *d, const struct effect *effect);

static struct fc_time now_of(const struct daemon *d)
{
    return loop_now(loop_ev(d->loop));
}

static void ask_store(struct daemon *d, const struct store_request *request)
{
    d->store_requests++;
    store_ask(d->store, request);
}

int daemon_write_server(const struct daemon *d)
{
    const struct servers *servers = &d->core->servers;
    const int seated = servers_named(servers, d->core->steering.chair.row.rank.server);
    const int place = d->core->leadership.place;
    if (seated >= 0 && servers->list[seated].is_reachable)
        return seated;
    if (place >= 0 && servers->list[place].is_reachable)
        return place;
    for (int i = 0; i < servers->count; i++) {
        if (servers->list[i].is_reachable)
            return i;
    }
    return 0;
}

/* ---- the store ---------------------------------------------------------------------------------------------------- */

static enum deed deed_of(enum effect_type type)
{
    switch (type) {
    case FENCE: return DEED_FENCE;
    case CATCH_UP: return DEED_CATCH_UP;
    case OPEN: return DEED_OPEN;
    case HOLD_WRITE: return DEED_HOLD;
    case ORDER_LAY:
    case ORDER_CLOSE: return DEED_ORDER;
    case PREPARE: return DEED_PREPARE;
    case ALONE: return DEED_ALONE;
    case RESUME: return DEED_RESUME;
    case WAKE_AT: case NOTE: case LOOK: case CHECK: case STAND: case GIVE_BACK: case MEMBERS: case INTEND: case SEAT: case ORDER_REPLY: case REGISTER:
    case RECORD: case ANSWER_SHOW: case ANSWER_EXTEND: case VOICE_EXTEND: case PROXY_PUSH: case PROXY_LOOK: case ASKERS_LOOK:
    case SIGHTS_LOOK:
    case PUBLISH:
    case STOP: case EFFECT_TYPE_COUNT: break;
    }
    return DEED_NONE;
}

static void end_deed(struct daemon *d, enum deed deed, uint64_t id, int server, enum fc_code code, const char *text)
{
    struct event event = { .type = DEED_ENDED };
    event.as.ended.deed = deed;
    event.as.ended.id = id;
    event.as.ended.server = server;
    event.as.ended.code = code;
    TEXT_SET(event.as.ended.text, text);
    daemon_feed(d, &event);
}

static void begin_deed(struct daemon *d, const struct effect *effect, struct store_request *request)
{
    request->id = effect->id;
    request->server = effect->server >= 0 ? effect->server : daemon_write_server(d);
    if (fc_reached(effect->until, now_of(d))) {
        if (effect->id != 0)
            end_deed(d, deed_of(effect->type), effect->id, request->server, FC_NOT_LEADER, "the lease is over");
        return;
    }
    /* Nobody may sit at this moment, and what an operator was told must be stored all the same. */
    request->by_fence = d->store->has_chair && d->core->servers.list[request->server].look.is_read_only;
    ask_store(d, request);
}

void daemon_look(struct daemon *d, int server)
{
    const struct store_request request = { .deed = STORE_LOOK, .server = server };
    ask_store(d, &request);
}

static void perform_look(struct daemon *d, const struct effect *effect)
{
    daemon_look(d, effect->server);
}

static void perform_check(struct daemon *d, const struct effect *effect)
{
    const struct store_request request = { .deed = STORE_CHECK, .server = effect->server, .limit_ms = DAEMON_CHECK_LIMIT_MS };
    ask_store(d, &request);
}

static void perform_prepare(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_PREPARE };
    request.limit_ms = 10000;                              /* DDL on a cold server takes its time; nobody waits for it */
    begin_deed(d, effect, &request);
}

static void perform_fence(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_FENCE, .limit_ms = effect->as.fence.limit_ms };
    const struct decision *row = d->source.row(d->source.self);
    if (row != NULL)
        request.row = *row;
    begin_deed(d, effect, &request);
}

static void perform_resume(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_RESUME };
    begin_deed(d, effect, &request);
}

static void perform_alone(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_ALONE, .limit_ms = effect->as.alone.limit_ms };
    request.position = effect->as.alone.position;
    request.has_position = true;
    begin_deed(d, effect, &request);
}

static void perform_catch_up(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_CATCH_UP, .limit_ms = effect->as.catch_up.limit_ms };
    request.has_position = effect->as.catch_up.has_position;
    request.position = effect->as.catch_up.position;
    begin_deed(d, effect, &request);
}

static void perform_open(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_OPEN };
    request.row.rank.epoch = effect->as.open.epoch;
    request.row.phase = PHASE_SEATED;
    TEXT_SET(request.row.rank.server, effect->as.open.identity);
    TEXT_SET(request.row.rank.node, d->node);
    begin_deed(d, effect, &request);
}

static void perform_hold_write(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_HOLD, .hold = effect->as.hold };
    begin_deed(d, effect, &request);
}

static void perform_order_lay(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_ORDER_LAY, .order = effect->as.order };
    begin_deed(d, effect, &request);
}

static void perform_order_close(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_ORDER_CLOSE, .order = effect->as.order };
    begin_deed(d, effect, &request);
}

static void perform_register(struct daemon *d, const struct effect *effect)
{
    struct store_request request = { .deed = STORE_REGISTER };
    TEXT_SET(request.registration.hostname, d->core->name);
    TEXT_SET(request.registration.token, d->token);
    TEXT_SET(request.registration.version, d->version);
    request.registration.count = ++d->registrations;
    request.registration.started_unix_ms = d->started_unix_ms;
    request.registration.leads_since_unix_ms = d->core->leadership.since_unix_ms;
    request.registration.leads = effect->as.registration.leads;
    begin_deed(d, effect, &request);
}

static void perform_record(struct daemon *d, const struct effect *effect)
{
    struct history_row line = { .id = effect->as.record.id, .unix_ms = effect->as.record.unix_ms, .epoch = effect->as.record.epoch };
    TEXT_SET(line.kind, effect->as.record.kind);
    TEXT_SET(line.subject, effect->as.record.subject);
    TEXT_SET(line.node, d->core->name);
    TEXT_SET(line.text, effect->as.record.text);
    historian_record(d->historian, &line);
}

bool daemon_is_in_sight(void *owner, int server)
{
    const struct daemon *d = owner;
    return d->core->servers.list[server].is_reachable;
}

int daemon_history_place(void *owner, bool *by_fence)
{
    const struct daemon *d = owner;
    const int server = daemon_write_server(d);
    const struct server_state *s = &d->core->servers.list[server];
    *by_fence = d->store->has_chair && s->look.is_read_only;
    return s->is_reachable && s->look.has_schema ? server : -1;
}

/* ---- the lease, the board, the doors ------------------------------------------------------------------------------ */

static void perform_stand(struct daemon *d, const struct effect *effect)
{
    d->source.stand(d->source.self, effect->as.stand, now_of(d));
}

static void perform_leader_command(struct daemon *d, const struct effect *effect)
{
    d->source.command(d->source.self, effect, now_of(d));
}

static void perform_show(struct daemon *d, const struct effect *effect)
{
    if (!board_show(d->board, effect->as.show.pool, effect->as.show.server, &effect->as.show.answer))
        log_say(&d->log, NOTE_ALARM, effect->as.show.pool, "the board is full, %s is not shown", effect->as.show.server);
}

static void perform_extend(struct daemon *d, const struct effect *effect)
{
    board_extend(d->board, effect->as.show.pool, effect->as.show.server, effect->as.show.answer.until);
}

static void perform_voice(struct daemon *d, const struct effect *effect)
{
    board_voice(d->board, effect->until);
}

static void perform_reply(struct daemon *d, const struct effect *effect)
{
    for (int i = 0; i < DAEMON_WAITERS_MAX; i++) {
        struct waiter waiter = d->waiters[i];
        if (waiter.ticket != effect->as.reply.ticket)
            continue;
        if (effect->as.reply.is_final)
            memset(&d->waiters[i], 0, sizeof d->waiters[i]);
        waiter.reply(waiter.waiter, effect->as.reply.code, effect->as.reply.text, effect->as.reply.is_final);
        return;
    }
}

static void perform_wake(struct daemon *d, const struct effect *effect)
{
    d->host->timer_set(d->core_timer, effect->as.wake_at);
}

static void perform_note(struct daemon *d, const struct effect *effect)
{
    log_note(&d->log, loop_unix_ms(), effect->as.note.level, effect->as.note.subject, effect->as.note.epoch,
             effect->as.note.text);
    daemon_publish_soon(d);
}

static void perform_publish(struct daemon *d, const struct effect *effect)
{
    (void)effect;
    daemon_publish_soon(d);
}

static void stop_loop(void *owner) { loop_stop(((struct daemon *)owner)->loop); }

static void perform_stop(struct daemon *d, const struct effect *effect)
{
    (void)effect;
    fleet_keeper_flush(d->fleet, stop_loop, d);
}

/* ---- the proxies: first the other nodes, then the push ------------------------------------------------------------- */

static void words_of(void *owner, const char *pool, const char *server, char *to, size_t size)
{
    struct daemon *d = owner;
    const struct board_line line = board_says(d->board, pool, server, now_of(d));
    text_copy_bytes(to, size, line.bytes, line.length);
    to[strcspn(to, "#\r\n")] = '\0';
    for (size_t length = strlen(to); length > 0 && to[length - 1] == ' '; length--)
        to[length - 1] = '\0';
}

static void peers_have_been_told(void *owner, const char *pool);

static void tell_and_push(struct daemon *d, const char *pool)
{
    const struct steering *st = &d->core->steering;
    const char *server = st->backend >= 0 ? st->pools[st->backend].members[0].name : "";
    for (int i = 0; st->backend >= 0 && i < st->pools[st->backend].count; i++) {
        if (st->pools[st->backend].members[i].answer.voice == VOICE_FIRST)
            server = st->pools[st->backend].members[i].name;
    }
    peers_tell(d->peers, pool, server, words_of, peers_have_been_told, d);
}

static void peers_have_been_told(void *owner, const char *pool)
{
    struct daemon *d = owner;
    proxies_push(d->proxies, pool);
}

static void perform_push(struct daemon *d, const struct effect *effect)
{
    tell_and_push(d, effect->as.show.pool);
}

static void perform_proxy_look(struct daemon *d, const struct effect *effect)
{
    proxies_look(d->proxies, effect->as.proxy.proxy);
}

static void perform_askers_look(struct daemon *d, const struct effect *effect)
{
    askers_look(d->askers, effect->as.askers.pool, effect->as.askers.server);
}

static void perform_sights_look(struct daemon *d, const struct effect *effect)
{
    const struct steering *st = &d->core->steering;
    sights_look(d->sights, st->pools[st->backend].name, effect->server, d->core->servers.list[effect->server].name);
}

static perform *const performers[EFFECT_TYPE_COUNT] = {
    [WAKE_AT] = perform_wake,            [NOTE] = perform_note,             [LOOK] = perform_look,
    [CHECK] = perform_check,             [PREPARE] = perform_prepare,         [STAND] = perform_stand,           [GIVE_BACK] = perform_leader_command,
    [MEMBERS] = perform_leader_command,
    [INTEND] = perform_leader_command,    [FENCE] = perform_fence,           [CATCH_UP] = perform_catch_up,
    [SEAT] = perform_leader_command,      [OPEN] = perform_open,             [HOLD_WRITE] = perform_hold_write,
    [ORDER_LAY] = perform_order_lay,     [ORDER_CLOSE] = perform_order_close, [ORDER_REPLY] = perform_reply,
    [REGISTER] = perform_register,       [RECORD] = perform_record,         [ANSWER_SHOW] = perform_show,
    [ANSWER_EXTEND] = perform_extend,    [VOICE_EXTEND] = perform_voice,    [PROXY_PUSH] = perform_push,
    [PROXY_LOOK] = perform_proxy_look,   [ASKERS_LOOK] = perform_askers_look, [ALONE] = perform_alone, [RESUME] = perform_resume,
    [SIGHTS_LOOK] = perform_sights_look,
    [PUBLISH] = perform_publish,
    [STOP] = perform_stop,
};

void effect_perform(struct daemon *d, const struct effect *effect)
{
    performers[effect->type](d, effect);
}

/* ---- what the store answers --------------------------------------------------------------------------------------- */

static void server_lost(struct daemon *d, const struct store_result *how)
{
    struct event event = { .type = SERVER_LOST };
    event.as.lost.server = how->server;
    event.as.lost.loss = how->loss == LOSS_NONE ? LOSS_BROKEN : how->loss;
    event.as.lost.is_unconnected = how->is_unconnected;
    event.as.lost.sent_at = how->sent_at;                  /* this process may have slept since: that a port refused then is old news now */
    TEXT_SET(event.as.lost.text, how->text);
    d->source.lost(d->source.self, how->server, now_of(d));
    daemon_feed(d, &event);
}

static void looked(struct daemon *d, const struct store_result *result)
{
    if (result->code == FC_BUSY && result->loss == LOSS_NONE)
        return;                                            /* not even asked: those that wait before it will tell */
    if (result->code != FC_OK) {
        server_lost(d, result);
        return;
    }
    struct event event = { .type = SERVER_SEEN };
    event.as.seen.server = result->server;
    event.as.seen.sent_at = result->sent_at;
    event.as.seen.look = result->look;
    d->source.saw(d->source.self, result->server, result->look, result->sent_at, now_of(d));
    daemon_feed(d, &event);
}

static void checked(struct daemon *d, const struct store_result *result)
{
    struct event event = { .type = SERVER_CHECKED };
    event.as.checked.server = result->server;
    event.as.checked.loss = result->loss;
    event.as.checked.settings = result->code == FC_OK ? result->settings : NULL;
    TEXT_SET(event.as.checked.text, result->text);
    daemon_feed(d, &event);
}

static enum deed deed_of_store(enum store_deed deed)
{
    switch (deed) {
    case STORE_FENCE: return DEED_FENCE;
    case STORE_CATCH_UP: return DEED_CATCH_UP;
    case STORE_OPEN: return DEED_OPEN;
    case STORE_HOLD: return DEED_HOLD;
    case STORE_ORDER_LAY:
    case STORE_ORDER_CLOSE: return DEED_ORDER;
    case STORE_PREPARE: return DEED_PREPARE;
    case STORE_LOOK: case STORE_RENEW: case STORE_TAKE: case STORE_REGISTER: case STORE_HISTORY: case STORE_HISTORY_READ:
    case STORE_CHECK: case STORE_WORD:
    case STORE_COMPARE: case STORE_DEED_COUNT: break;
    case STORE_ALONE: return DEED_ALONE;
    case STORE_RESUME: return DEED_RESUME;
    }
    return DEED_NONE;
}

static void deed_ended(struct daemon *d, const struct store_result *result)
{
    struct event event = { .type = DEED_ENDED };
    event.as.ended.deed = deed_of_store(result->deed);
    event.as.ended.id = result->id;
    event.as.ended.server = result->server;
    event.as.ended.code = result->code;
    TEXT_SET(event.as.ended.text, result->text);
    event.as.ended.position = result->position;
    event.as.ended.alone = result->alone;
    event.as.ended.is_durable_on_all = result->durable_count >= d->store->server_count;
    const bool is_told = result->code == FC_OK ? result->id != 0           /* a remark: the core tells it */
                                               : event.as.ended.deed == DEED_PREPARE;    /* tried for ever: the core says it once */
    if (result->text[0] != '\0' && !is_told)
        log_say(&d->log, NOTE_WARNING, d->store->name[result->server], "%s: %s", store_deed_word(result->deed), result->text);
    if (result->id != 0 || event.as.ended.deed == DEED_PREPARE)
        daemon_feed(d, &event);
}

void daemon_store_heard(void *owner, const struct store_result *result)
{
    struct daemon *d = owner;
    if (result->code != FC_OK && result->code != FC_REFUSED)
        d->store_failures++;
    if (result->deed == STORE_CHECK)
        checked(d, result);
    if (result->id == DAEMON_VERIFY_MARK && d->verification != NULL)
        verify_heard(d->verification, result);
    switch (result->deed) {
    case STORE_LOOK:
        looked(d, result);
        break;
    case STORE_RENEW:
    case STORE_TAKE:
        d->source.wrote(d->source.self, result, now_of(d));
        break;
    case STORE_HISTORY:
    case STORE_HISTORY_READ:
        historian_heard(d->historian, result);
        break;
    case STORE_REGISTER:
        if (result->code != FC_OK)
            log_say(&d->log, NOTE_DEBUG, d->store->name[result->server], "%s: %s", store_deed_word(result->deed), result->text);
        break;
    case STORE_CHECK:
    case STORE_COMPARE:
        break;
    case STORE_WORD:
        fleet_keeper_heard(d->fleet, result);
        break;
    case STORE_PREPARE:
        daemon_look(d, result->server);                    /* the new tables are to be seen now, not at the next poll */
        deed_ended(d, result);
        break;
    case STORE_FENCE:
    case STORE_ALONE:
    case STORE_RESUME:
    case STORE_CATCH_UP:
    case STORE_OPEN:
    case STORE_HOLD:
    case STORE_ORDER_LAY:
    case STORE_ORDER_CLOSE:
        deed_ended(d, result);
        break;
    case STORE_DEED_COUNT:
        break;
    }
}

void daemon_session_ended(void *owner, int server, enum loss loss, const char *text)
{
    struct store_result how = { .server = server, .loss = loss, .sent_at = now_of(owner) };
    TEXT_SET(how.text, text);
    server_lost(owner, &how);
}
