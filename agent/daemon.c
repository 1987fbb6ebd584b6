/* The event pump. Time enters in daemon_feed and nowhere else; effects are performed in order; what they cause comes back
 * through the queue, so that the core is never entered twice. */
#include "agent/daemon.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/text.h"
#include "core/record.h"
#include "haproxy/sight.h"

#define TOKEN_MARK "fc1c4a17"        /* the first 8 digits by which nodes of firstchair know each other's rows */
#define PEER_LOOK_EVERY_MS 10        /* other nodes' hints cause at most one look in this time */
#define WORKER_COUNT 2
#define JOB_MAX 256

/* ---- the pump ----------------------------------------------------------------------------------------------------- */

static void step(struct daemon *d, struct event *event)
{
    event->at = loop_now(loop_ev(d->loop));                /* time enters here and nowhere else */
    event->unix_ms = loop_unix_ms();
    recorder_write(d->recorder, event);
    effects_clear(&d->effects);
    core_step(d->core, event, &d->effects);
    recorder_answered(d->recorder, &d->effects);
    for (int i = 0; i < d->effects.count; i++)
        effect_perform(d, &d->effects.list[i]);
}

void daemon_feed(struct daemon *d, struct event *event)
{
    if (d->is_feeding) {                                   /* said by a performer: after this step */
        if (d->queue_count == DAEMON_QUEUE_MAX) {
            log_say(&d->log, NOTE_ALARM, "daemon", "the event queue is full, %s is lost", event_type_word(event->type));
            return;
        }
        d->queue[(d->queue_head + d->queue_count++) % DAEMON_QUEUE_MAX] = *event;
        return;
    }
    d->is_feeding = true;
    step(d, event);
    while (d->queue_count > 0) {
        struct event next = d->queue[d->queue_head];
        d->queue_head = (d->queue_head + 1) % DAEMON_QUEUE_MAX;
        d->queue_count--;
        step(d, &next);
    }
    d->is_feeding = false;
    fleet_keeper_turn(d->fleet, d->core->leadership.state == LEADING, d->core->leadership.place);
}

static void core_woken(void *owner)
{
    struct event event = { .type = WOKEN };
    daemon_feed(owner, &event);
}

/* ---- the lease's port --------------------------------------------------------------------------------------------- */

static struct fc_time now_of(const struct daemon *d)
{
    return loop_now(loop_ev(d->loop));
}

static void lease_ask(void *owner, const struct store_request *request)
{
    struct daemon *d = owner;
    d->store_requests++;
    store_ask(d->store, request);
}

static void lease_say(void *owner, const struct event *event)
{
    struct event copy = *event;
    daemon_feed(owner, &copy);
}

static void lease_look(void *owner, int server)
{
    daemon_look(owner, server);
}

static void lease_wake(void *owner, struct fc_time at)
{
    struct daemon *d = owner;
    d->host->timer_set(d->lease_timer, at);
}

static void lease_due(void *owner)
{
    struct daemon *d = owner;
    lease_woken(&d->lease, now_of(d));
}

static struct lease_settings lease_settings_of(const struct daemon *d)
{
    struct lease_settings s = {
        .lease_ms = d->config->lease_ms, .renew_ms = d->config->lease_renew_ms, .drift_percent = d->config->drift_percent,
        .term_ms = d->config->term_ms, .probe_timeout_ms = d->config->probe_timeout_ms,
        .server_count = d->store->server_count, .has_chair = d->store->has_chair,
    };
    TEXT_SET(s.node, d->node);
    return s;
}

/* ---- orders at the doors ------------------------------------------------------------------------------------------ */

static void feed_orders(void *owner)
{
    struct daemon *d = owner;
    struct laid_order laid[16];
    const int count = d->laid_count;
    memcpy(laid, d->laid, sizeof laid);
    d->laid_count = 0;
    for (int i = 0; i < count; i++) {
        struct event event = { .type = ORDER_GIVEN };
        event.as.order.ticket = laid[i].ticket;
        event.as.order.text = laid[i].text;
        event.as.order.length = laid[i].length;
        event.as.order.may_change = laid[i].may_change;
        TEXT_SET(event.as.order.by, laid[i].by);
        daemon_feed(d, &event);
    }
}

static uint64_t desk_order(void *owner, const char *text, size_t length, const char *by, bool may_change, desk_reply *reply,
                           void *waiter)
{
    struct daemon *d = owner;
    struct waiter *place = NULL;
    for (int i = 0; i < DAEMON_WAITERS_MAX && place == NULL; i++) {
        if (d->waiters[i].ticket == 0)
            place = &d->waiters[i];
    }
    if (place == NULL || d->laid_count == 16 || length > ORDER_TEXT_MAX)
        return 0;
    place->ticket = ++d->next_ticket;
    place->reply = reply;
    place->waiter = waiter;
    struct laid_order *laid = &d->laid[d->laid_count++];
    laid->ticket = place->ticket;
    laid->may_change = may_change;
    laid->length = length;
    memcpy(laid->text, text, length);
    TEXT_SET(laid->by, by);
    d->host->timer_set(d->order_timer, now_of(d));         /* never answered from within */
    return place->ticket;
}

static void tell_verified(void *owner, enum fc_code code, const char *text, const char *report)
{
    struct daemon *d = owner;
    d->verification = NULL;
    for (int i = 0; i < DAEMON_VERIFY_WAITERS_MAX; i++) {
        const struct verify_waiter waiter = d->verify_waiters[i];
        memset(&d->verify_waiters[i], 0, sizeof d->verify_waiters[i]);
        if (waiter.ticket != 0)
            waiter.reply(waiter.waiter, code, text, report);
    }
}

static void verified(void *owner, enum fc_code code, const char *report)
{
    tell_verified(owner, code, report == NULL ? "out of memory" : "", report);
}

static void begin_verification(void *owner)
{
    struct daemon *d = owner;
    const struct verify_port port = {
        .host = d->host, .store = d->store, .mark = DAEMON_VERIFY_MARK, .done = verified, .owner = d,
    };
    if (d->verification != NULL)
        return;
    if (!d->store->has_chair) {
        tell_verified(d, FC_REFUSED, "verify-backends is about the pair that BackendServers names; there is none here", NULL);
        return;
    }
    d->verification = verify_begin(&port, &d->core->servers, &d->core->needs);
    if (d->verification == NULL)
        tell_verified(d, FC_NO_MEMORY, "out of memory", NULL);
}

static uint64_t desk_verify(void *owner, desk_report *reply, void *waiter)
{
    struct daemon *d = owner;
    for (int i = 0; i < DAEMON_VERIFY_WAITERS_MAX; i++) {
        if (d->verify_waiters[i].ticket != 0)
            continue;
        d->verify_waiters[i] = (struct verify_waiter){ .ticket = ++d->next_ticket, .reply = reply, .waiter = waiter };
        d->host->timer_set(d->verify_timer, now_of(d));    /* never answered from within */
        return d->verify_waiters[i].ticket;
    }
    return 0;
}

static bool desk_raft(void *owner, struct agreement_view *ret)
{
    struct daemon *d = owner;
    if (d->agreement == NULL)
        return false;
    agreement_view(d->agreement, ret);
    ret->now = now_of(d);
    return true;
}

static void snapshot_done(void *owner, enum fc_code code, const char *text)
{
    struct daemon *d = owner;
    const struct waiter waiter = d->snapshot_waiter;
    d->is_snapshotting = false;
    memset(&d->snapshot_waiter, 0, sizeof d->snapshot_waiter);
    if (waiter.ticket != 0)
        waiter.reply(waiter.waiter, code, text, true);
}

static uint64_t desk_snapshot(void *owner, desk_reply *reply, void *waiter)
{
    struct daemon *d = owner;
    if (d->is_snapshotting || d->agreement == NULL || !agreement_snapshot(d->agreement, snapshot_done, d))
        return 0;
    d->is_snapshotting = true;
    d->snapshot_waiter = (struct waiter){ .ticket = ++d->next_ticket, .reply = reply, .waiter = waiter };
    return d->snapshot_waiter.ticket;
}

static const struct picture *desk_picture(void *owner)
{
    return fleet_keeper_picture(((struct daemon *)owner)->fleet);
}

static uint64_t desk_fleet_order(void *owner, const struct fleet_order *order, desk_reply *reply, void *waiter)
{
    struct daemon *d = owner;
    const uint64_t ticket = d->next_ticket + 1;
    if (!fleet_keeper_order(d->fleet, order, ticket, reply, waiter))
        return 0;
    return d->next_ticket = ticket;
}

static uint64_t desk_fleet_page(void *owner, const struct fleet_page_asked *asked, desk_report *reply, void *waiter)
{
    struct daemon *d = owner;
    const uint64_t ticket = d->next_ticket + 1;
    if (!fleet_keeper_page(d->fleet, asked, ticket, reply, waiter))
        return 0;
    return d->next_ticket = ticket;
}

static char *lines_json(const char *text)
{
    cJSON *list = cJSON_CreateArray();
    char line[256];
    for (const char *at = text; list != NULL && *at != '\0';) {
        const size_t length = strcspn(at, "\n");
        text_copy_bytes(line, sizeof line, at, length);
        cJSON_AddItemToArray(list, cJSON_CreateString(line));
        at += length + (at[length] == '\n');
    }
    char *json = list == NULL ? NULL : cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    return json;
}

static void backup_done(void *owner, enum fc_code code, const char *text, const char *backup)
{
    struct daemon *d = owner;
    const struct verify_waiter waiter = d->backup_waiter;
    char *json = backup == NULL ? NULL : lines_json(backup);
    memset(&d->backup_waiter, 0, sizeof d->backup_waiter);
    if (waiter.ticket != 0)
        waiter.reply(waiter.waiter, json == NULL && code == FC_OK ? FC_NO_MEMORY : code, text, json);
    cJSON_free(json);
}

static uint64_t desk_backup(void *owner, desk_report *reply, void *waiter)
{
    struct daemon *d = owner;
    if (d->agreement == NULL || !agreement_backup(d->agreement, backup_done, d))
        return 0;
    d->backup_waiter = (struct verify_waiter){ .ticket = ++d->next_ticket, .reply = reply, .waiter = waiter };
    return d->backup_waiter.ticket;
}

static void desk_forget(void *owner, uint64_t ticket)
{
    struct daemon *d = owner;
    if (ticket != 0 && d->backup_waiter.ticket == ticket)
        memset(&d->backup_waiter, 0, sizeof d->backup_waiter);
    if (ticket != 0 && d->snapshot_waiter.ticket == ticket)
        memset(&d->snapshot_waiter, 0, sizeof d->snapshot_waiter);
    for (int i = 0; i < DAEMON_VERIFY_WAITERS_MAX; i++) {
        if (ticket != 0 && d->verify_waiters[i].ticket == ticket)
            memset(&d->verify_waiters[i], 0, sizeof d->verify_waiters[i]);
    }
    historian_forget(d->historian, ticket);
    fleet_keeper_drop_waiter(d->fleet, ticket);
    for (int i = 0; i < DAEMON_WAITERS_MAX; i++) {
        if (ticket != 0 && d->waiters[i].ticket == ticket)
            memset(&d->waiters[i], 0, sizeof d->waiters[i]);
    }
}

/* ---- configuration ------------------------------------------------------------------------------------------------ */

static enum fc_code reload(void *owner, struct fc_err *err)
{
    struct daemon *d = owner;
    struct config *fresh = calloc(1, sizeof *fresh);
    struct config_warnings *warnings = calloc(1, sizeof *warnings);
    enum fc_code code = fresh == NULL || warnings == NULL ? fc_fail(err, FC_NO_MEMORY, "out of memory") : FC_OK;
    char fixed[1024] = "";
    if (code == FC_OK)
        code = config_file_load(d->config_path[0] == '\0' ? NULL : d->config_path, fresh, warnings, err);
    if (code == FC_OK)
        code = http_door_reload(d->http, err);             /* first, so that what cannot be read leaves all as it was */
    if (code != FC_OK) {
        log_say(&d->log, NOTE_ALARM, "config", "not reloaded, the old configuration stays in force: %s",
                err != NULL ? err->text : "");
    } else {
        for (int i = 0; i < warnings->count; i++)
            log_say(&d->log, NOTE_WARNING, "config", "%s", warnings->text[i]);
        if (config_file_changes(d->config, fresh, fixed, sizeof fixed) > 0)
            log_say(&d->log, NOTE_WARNING, "config", "these changes need a restart: %s", fixed);
        struct event event = { .type = RELOADED };
        event.as.started.config = fresh;
        event.as.started.node = d->node;
        daemon_feed(d, &event);
        config_reload(d->config, fresh);                   /* never what is read at start: a lease longer on one node leads twice */
        d->log.least = d->config->debug ? NOTE_DEBUG : NOTE_INFO;
        const struct lease_settings settings = lease_settings_of(d);
        lease_retime(&d->lease, &settings);
        agreement_retime(d->agreement, d->config);
        if (d->redis != NULL)
            redis_reload(d->redis, d->config);
        fleet_keeper_reload(d->fleet);
        log_say(&d->log, NOTE_INFO, "config", "reloaded from %s", warnings->read_from);
    }
    free(fresh);
    free(warnings);
    return code;
}

static void hup(struct ev_loop *loop, struct ev_signal *w, int revents)
{
    struct fc_err err;
    (void)loop;
    (void)revents;
    reload(w->data, &err);
}

static void stop_asked(struct ev_loop *loop, struct ev_signal *w, int revents)
{
    struct event event = { .type = STOP_ASKED };
    (void)loop;
    (void)revents;
    daemon_feed(w->data, &event);
}

/* ---- another node's hint ------------------------------------------------------------------------------------------ */

static void look_everywhere(void *owner)
{
    struct daemon *d = owner;
    d->looked_for_peer_at = now_of(d);
    for (int i = 0; i < d->store->server_count; i++) {                   /* a witness has none */
        if (!server_hangs(&d->core->servers.list[i]))
            daemon_look(d, i);
    }
}

static void peer_moved(void *owner)
{
    struct daemon *d = owner;
    const struct fc_time next = fc_plus(d->looked_for_peer_at, fc_ms(PEER_LOOK_EVERY_MS));
    d->host->timer_set(d->look_timer, fc_is_ever(next) ? now_of(d) : fc_later(next, now_of(d)));
}

static size_t sight_of(void *owner, const char *name, char *to)
{
    const struct daemon *d = owner;
    const int server = servers_by_name(&d->core->servers, name);
    if (config_is_witness(d->config))
        return sight_format_witness(to);
    enum loss loss = LOSS_NONE;
    struct fc_time at = FC_EVER;
    const bool has_looked = server >= 0 && server_own_sight(&d->core->servers.list[server], &loss, &at);
    return sight_format(loss, has_looked ? fc_since(at, now_of(d)).us : -1, to);
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static void counters(void *owner, struct desk_counters *to)
{
    struct daemon *d = owner;
    memset(to, 0, sizeof *to);
    if (d->listener != NULL) {
        const struct agent_listener_counters c = agent_listener_counters(d->listener);
        to->agent_accepted = c.accepted;
        to->agent_answered = c.answered;
        to->agent_refused_source = c.refused_source;
        to->agent_dropped = c.dropped_full + c.dropped_slow + c.dropped_bad;
        to->agent_open = c.open;
    }
    const struct board_counters b = board_counters(d->board);
    to->agent_unknown_target = b.unknown_target;
    to->agent_late = b.late;
    for (int i = 0; i < DAEMON_WAITERS_MAX; i++)
        to->orders_open += d->waiters[i].ticket != 0;
    to->http_requests = d->http == NULL ? 0 : http_door_counters(d->http).requests;
    if (d->redis != NULL) {
        to->redis_published = redis_state(d->redis)->published;
        to->redis_dropped = redis_state(d->redis)->dropped;
    }
    to->peer_streams = d->agreement == NULL ? NULL : agreement_peer_counts(d->agreement);
    to->fleet = fleet_keeper_numbers(d->fleet, &d->fleet_numbers) ? &d->fleet_numbers : NULL;
    to->has_raft = desk_raft(d, &to->raft);
    to->store_requests = d->store_requests;
    to->store_failures = d->store_failures;
    to->process_start_unix_ms = d->started_unix_ms;
}

static enum fc_code name_the_process(struct daemon *d, struct fc_err *err)
{
    unsigned char chance[32];
    char name[64];
    if (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance)
        return fc_fail(err, FC_INTERNAL, "no randomness from the kernel: %s", strerror(errno));
    for (size_t i = 0; i < sizeof chance; i++)
        text_format(d->token + 2 * i, 3, "%02x", chance[i]);
    memcpy(d->token, TOKEN_MARK, 8);
    if (d->config->node_name[0] != '\0')
        TEXT_SET(name, d->config->node_name);
    else if (gethostname(name, sizeof name) != 0)
        return fc_fail(err, FC_BAD_CONFIG, "NodeName is not set and the host has no name: %s", strerror(errno));
    name[sizeof name - 1] = '\0';
    name[strcspn(name, ".")] = '\0';
    if (!text_is_name(name, strlen(name)) || strlen(name) > 48)
        return fc_fail(err, FC_BAD_CONFIG, "NodeName '%s': letters, digits, '.', '_' and '-', at most 48 of them", name);
    TEXT_FORMAT(d->node, "%s~%.6s", name, d->token + 8);
    return FC_OK;
}

static enum fc_code open_own_store(void *owner, store_heard *heard, store_session_ended *session_ended, void *listener, struct store **ret,
                                   struct fc_err *err)
{
    struct daemon *d = owner;
    char name[NODE_NAME_SIZE];
    node_name_of(d->node, name, sizeof name);
    if (config_is_witness(d->config))
        return store_none_open(d->host, heard, listener, ret, err);
    if (config_has_pair(d->config) || text_is(d->config->backend_db, "mysql"))
        return store_mysql_open(d->host, d->config, name, heard, session_ended, listener, ret, err);
    return store_sqlite_open(d->host, d->config->sqlite3_data_file, name, heard, listener, ret, err);
}

static void raft_notes(void *owner, const char *sentence)
{
    struct daemon *d = owner;
    const bool is_trouble = text_begins(sentence, "raft: ");      /* ours; of streams that come and go the transport tells much */
    log_say(&d->log, is_trouble ? NOTE_WARNING : NOTE_INFO, "raft", "%s", is_trouble ? sentence + 6 : sentence);
}

/* The log was applied to this node's own store: what it says of servers is read now. */
static void raft_look(void *owner, int server)
{
    struct daemon *d = owner;
    lease_look(owner, server);
    fleet_keeper_look(d->fleet);
}

static void raft_said(void *owner, const struct fleet_word *word)
{
    struct daemon *d = owner;
    fleet_keeper_said(d->fleet, word);
}

/* The one place where modes differ: which store, and where leadership comes from. */
static enum fc_code open_store(struct daemon *d, struct fc_err *err)
{
    const struct quorum_store_port port = { .owner = d, .say = lease_say, .look = raft_look, .note = raft_notes, .said = raft_said };
    if (!d->config->raft_enabled) {
        d->source = lease_as_source(&d->lease);
        return open_own_store(d, daemon_store_heard, daemon_session_ended, d, &d->store, err);
    }
    if (config_has_pair(d->config) || config_is_witness(d->config)) {
        const struct quorum_chair_port to = { .owner = d, .ask = lease_ask, .say = lease_say, .note = raft_notes };
        enum fc_code code = open_own_store(d, daemon_store_heard, daemon_session_ended, d, &d->store, err);
        if (code == FC_OK)
            code = agreement_open_chair(d->host, d->config, d->node, d->store->server_count, &to, &d->agreement, err);
        if (code == FC_OK)
            d->source = agreement_source(d->agreement);
        return code;
    }
    const enum fc_code code = agreement_open(d->host, d->config, d->node, open_own_store, &port, daemon_store_heard, daemon_session_ended, d,
                                             &d->agreement, err);
    if (code == FC_OK) {
        d->store = agreement_store(d->agreement);
        d->source = agreement_source(d->agreement);
    }
    return code;
}

static enum fc_code open_historian(struct daemon *d, struct fc_err *err)
{
    const struct historian_port port = { .owner = d, .ask = lease_ask, .place = daemon_history_place, .is_in_sight = daemon_is_in_sight };
    d->historian = historian_new(d->host, d->store, &port, &d->log, d->core->name);
    d->explaining = calloc(1, sizeof *d->explaining);
    return d->historian == NULL || d->explaining == NULL ? fc_fail(err, FC_NO_MEMORY, "out of memory") : FC_OK;
}

static void feed_sight(void *owner, struct event *event) { daemon_feed(owner, event); }

static enum fc_code open_fleet(struct daemon *d, struct fc_err *err)
{
    const struct fleet_keeper_port port = { .owner = d, .ask = lease_ask, .feed = feed_sight, .core = d->core };
    return fleet_keeper_open(d->host, d->config, &port, &d->log, d->core->name, d->token, &d->fleet, err);
}

static enum fc_code open_timers(struct daemon *d, struct fc_err *err)
{
    const struct host *h = d->host;
    d->core_timer = h->timer(h->agent, core_woken, d);
    d->lease_timer = h->timer(h->agent, lease_due, d);
    d->order_timer = h->timer(h->agent, feed_orders, d);
    d->look_timer = h->timer(h->agent, look_everywhere, d);
    d->verify_timer = h->timer(h->agent, begin_verification, d);
    d->looked_for_peer_at = FC_EVER;
    if (d->verify_timer == NULL || d->core_timer == NULL || d->lease_timer == NULL || d->order_timer == NULL || d->look_timer == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    return FC_OK;
}

static void feed_seen(void *owner, const struct event *event)
{
    struct event copy = *event;
    daemon_feed(owner, &copy);
}

static enum fc_code open_core(struct daemon *d, struct fc_err *err)
{
    char name[NODE_NAME_SIZE];
    node_name_of(d->node, name, sizeof name);
    d->room = room_of_libc();
    d->core = core_new(&d->room);
    d->board = board_new(STEER_POOLS_MAX * STEER_MEMBERS_MAX, 256);
    d->peers = peers_new(d->host, d->config, name);
    if (d->core == NULL || d->board == NULL || d->peers == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    d->proxies = proxies_new(d->host, d->core, feed_seen, d);
    d->askers = askers_new(d->host, d->config, name, d->board, feed_seen, d);
    d->sights = sights_new(d->host, d->config, name, feed_seen, d);
    if (d->proxies == NULL || d->askers == NULL || d->sights == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    board_prompt_limit(d->board, d->config->check_timeout_ms / 2);
    board_on_look(d->board, peer_moved, d);
    board_on_sight(d->board, sight_of, d);
    if (d->config->record_file[0] != '\0')
        return recorder_open(d->host, d->config->record_file, &d->recorder, err);
    return FC_OK;
}

static enum fc_code open_doors(struct daemon *d, struct fc_err *err)
{
    struct ev_loop *ev = loop_ev(d->loop);
    enum fc_code code;
    d->desk = (struct desk){ .daemon = d, .host = d->host, .config = d->config, .order = desk_order, .verify = desk_verify, .forget = desk_forget,
                             .status = daemon_status, .explain = daemon_explain, .history = daemon_history, .reload = reload,
                             .raft = desk_raft, .snapshot = desk_snapshot, .backup = desk_backup, .counters = counters, .picture = desk_picture,
                             .fleet_order = desk_fleet_order, .fleet_page = desk_fleet_page };
    if ((code = agent_listener_open(ev, d->config, d->board, &d->listener, err)) != FC_OK)
        return code;
    if (d->config->order_socket[0] != '\0' && (code = order_socket_open(ev, &d->desk, &d->orders, err)) != FC_OK)
        return code;
    return http_door_open(ev, &d->desk, &d->http, err);
}

static void watch_signals(struct daemon *d)
{
    struct ev_loop *ev = loop_ev(d->loop);
    signal(SIGPIPE, SIG_IGN);
    ev_signal_init(&d->on_hup, hup, SIGHUP);
    ev_signal_init(&d->on_term, stop_asked, SIGTERM);
    ev_signal_init(&d->on_int, stop_asked, SIGINT);
    d->on_hup.data = d->on_term.data = d->on_int.data = d;
    ev_signal_start(ev, &d->on_hup);
    ev_signal_start(ev, &d->on_term);
    ev_signal_start(ev, &d->on_int);
}

enum fc_code daemon_open(const char *config_path, struct config *config, struct daemon **ret, struct fc_err *err)
{
    struct daemon *d = calloc(1, sizeof *d);
    enum fc_code code;
    if (d == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    d->config = config;
    TEXT_SET(d->config_path, config_path == NULL ? "" : config_path);
    TEXT_SET(d->version, FC_VERSION);
    d->started_unix_ms = loop_unix_ms();
    log_init(&d->log, STDERR_FILENO, config->debug ? NOTE_DEBUG : NOTE_INFO);
    if ((code = loop_open(WORKER_COUNT, JOB_MAX, &d->loop, err)) == FC_OK) {
        d->host = loop_host(d->loop);
        if ((code = name_the_process(d, err)) == FC_OK && (code = open_timers(d, err)) == FC_OK &&
            (code = open_core(d, err)) == FC_OK && (code = open_store(d, err)) == FC_OK &&
            (code = open_historian(d, err)) == FC_OK && (code = open_fleet(d, err)) == FC_OK &&
            (code = open_doors(d, err)) == FC_OK)
            code = publish_open(d, err);
    }
    if (code != FC_OK) {
        d->config = NULL;                                  /* the caller keeps it on failure */
        daemon_close(d);
        return code;
    }
    const struct lease_settings settings = lease_settings_of(d);
    const struct lease_port port = { .host = d, .ask = lease_ask, .say = lease_say, .look = lease_look, .wake = lease_wake };
    lease_init(&d->lease, &settings, &port, now_of(d));
    watch_signals(d);
    *ret = d;
    return FC_OK;
}

void daemon_run(struct daemon *d)
{
    struct event event = { .type = STARTED };
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)loop_unix_ms();
    event.as.started.config = d->config;
    event.as.started.node = d->node;
    event.as.started.seed = seed;
    log_say(&d->log, NOTE_INFO, "daemon", "firstchair %s, node %s, store %s", d->version, d->node, d->store->class->word);
    daemon_feed(d, &event);
    loop_run(d->loop);
    if (d->recorder != NULL) {
        char told[128];
        recorder_tell(d->recorder, told, sizeof told);
        log_say(&d->log, NOTE_INFO, "recorder", "%s", told);
    }
    log_say(&d->log, NOTE_INFO, "daemon", "stopped");
}

void daemon_close(struct daemon *d)
{
    if (d == NULL)
        return;
    struct host_timer *const timers[] = { d->core_timer, d->lease_timer, d->order_timer, d->publish_timer, d->look_timer,
                                          d->verify_timer };
    http_door_close(d->http);
    order_socket_close(d->orders);
    agent_listener_close(d->listener);
    redis_close(d->redis);
    proxies_free(d->proxies);
    peers_free(d->peers);
    askers_free(d->askers);
    sights_free(d->sights);
    verify_drop(d->verification);
    fleet_keeper_close(d->fleet);
    historian_free(d->historian);
    store_close(d->store);
    agreement_free(d->agreement);
    recorder_stop(d->recorder);
    for (size_t i = 0; d->host != NULL && i < sizeof timers / sizeof timers[0]; i++)
        d->host->untimer(timers[i]);
    if (d->on_hup.data != NULL) {
        ev_signal_stop(loop_ev(d->loop), &d->on_hup);
        ev_signal_stop(loop_ev(d->loop), &d->on_term);
        ev_signal_stop(loop_ev(d->loop), &d->on_int);
        signal(SIGHUP, SIG_IGN);                           /* asked again while it ends: not to be cut short */
        signal(SIGTERM, SIG_IGN);
        signal(SIGINT, SIG_IGN);
    }
    if (d->loop != NULL)
        loop_close(d->loop);
    recorder_close(d->recorder);
    core_free(d->core);
    board_free(d->board);
    free(d->explaining);
    free(d->config);
    free(d);
}
