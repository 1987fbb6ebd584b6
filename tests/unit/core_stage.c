/* The stage behind core_stage.h: events in, deeds and words out. */
#include "core_stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static struct room room;

static int server_of(const struct stage *s, const char *name)
{
    const int i = servers_by_name(&s->core->servers, name);
    cr_assert_geq(i, 0, "no server %s", name);
    return i;
}

static void feed(struct stage *s, struct event *event);

/* What fc2 tells when it is asked what it sees of a server: s->fc2_says. */
static void play_fc2(struct stage *s, int server)
{
    static const struct { const char *word; enum loss loss; } losses[] = {
        { "refused", LOSS_REFUSED }, { "sees it", LOSS_NONE }, { "silent", LOSS_SILENT }, { "ended", LOSS_ENDED },
        { "denied", LOSS_DENIED },
    };
    const char *says = s->fc2_says == NULL ? "refused" : s->fc2_says;
    struct event event = { .type = SIGHT_SEEN };
    if (text_is(says, "nothing"))
        return;
    TEXT_SET(event.as.sight.node, "fc2");
    event.as.sight.server = server;
    event.as.sight.told = (struct sight){ .state = SIGHT_MUTE, .at = s->now };
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        if (text_is(says, losses[i].word))
            event.as.sight.told = (struct sight){ .state = SIGHT_TOLD, .loss = losses[i].loss, .at = s->now };
    }
    if (text_is(says, "saw it"))                           /* its look is older than the loss */
        event.as.sight.told = (struct sight){ .state = SIGHT_TOLD, .at = { s->now.us - 500000 } };
    feed(s, &event);
}

static void feed(struct stage *s, struct event *event)
{
    static struct effects step;
    int asked_about = -1;
    event->at = s->now;
    event->unix_ms = 1790000000000 + s->now.us / 1000 + s->wall_step_ms;
    effects_clear(&step);
    core_step(s->core, event, &step);
    cr_assert_eq(step.dropped, 0);
    for (int i = 0; i < step.count; i++) {
        if (s->effects->count < EFFECTS_MAX)
            s->effects->list[s->effects->count++] = step.list[i];
        if (step.list[i].type == ORDER_REPLY) {
            TEXT_SET(s->said, step.list[i].as.reply.text);
            s->is_final = step.list[i].as.reply.is_final;
        }
        if (step.list[i].type == SIGHTS_LOOK)
            asked_about = step.list[i].server;
    }
    if (asked_about >= 0)
        play_fc2(s, asked_about);
}

static void feed_look(struct stage *s, int server)
{
    struct event event = { .type = SERVER_SEEN };
    event.as.seen.server = server;
    event.as.seen.sent_at = s->now;
    s->looks[server].lease = s->row;
    event.as.seen.look = &s->looks[server];
    feed(s, &event);
}

static void feed_chair(struct stage *s)
{
    struct event event = { .type = s->row.phase == PHASE_MOVING ? CHAIR_REVOKED : CHAIR_GRANTED };
    event.as.chair.decision = s->row;
    event.as.chair.until = fc_plus(s->now, fc_ms(1500));
    feed(s, &event);
}

static void feed_lease(struct stage *s, int place)
{
    struct event event = { .type = LEASE_GRANTED };
    event.as.lease.epoch = s->row.rank.epoch;
    event.as.lease.until = fc_plus(s->now, fc_ms(1800));
    event.as.lease.place = place;
    s->leads = true;
    feed(s, &event);
}

static void look_preset(struct stage *s, int i, bool is_read_only)
{
    struct server_look *look = &s->looks[i];
    memset(look, 0, sizeof *look);
    TEXT_FORMAT(look->identity, "uid:%c/%d", 'a' + i, i + 1);
    look->is_read_only = is_read_only;
    look->has_schema = true;
    TEXT_SET(look->written.file, "bin.000001");
    look->written.offset = 400;
    look->replica = (struct replica_look){ .is_configured = true, .io = THREAD_RUNNING, .sql = THREAD_RUNNING };
}

static void set_key(struct config *config, const char *name, const char *value)
{
    const struct config_key *key = config_key_find(name);
    cr_assert(key != NULL, "no key %s", name);
    struct fc_err err = { .code = FC_OK };
    const enum fc_code code = key->type == CONFIG_INT    ? config_set_int(config, key, strtod(value, NULL), &err)
                              : key->type == CONFIG_BOOL ? config_set_bool(config, key, text_is(value, "true"), &err)
                              : key->type == CONFIG_TEXT ? config_set_text(config, key, value, &err)
                                                         : config_add_item(config, key, value, &err);
    cr_assert_eq(code, FC_OK, "%s", err.text);
}

static void set_keys(struct config *config, const char *keys)
{
    char text[512], *rest = NULL;
    TEXT_SET(text, keys);
    for (char *one = strtok_r(text, " ", &rest); one != NULL; one = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(one, '=');
        cr_assert(value != NULL, "no value: %s", one);
        *value++ = '\0';
        set_key(config, one, value);
    }
}

struct stage stage_open(const char *servers, const char *seated) { return stage_open_with(servers, seated, ""); }

struct stage stage_open_with(const char *servers, const char *seated, const char *keys)
{
    struct stage s = { .now = { 1000000000 }, .epoch = 5 };
    char names[128], *rest = NULL;
    config_preset(&s.config);
    set_keys(&s.config, keys);
    TEXT_SET(s.config.backend_db, "mysql");
    TEXT_SET(names, servers);
    for (char *name = strtok_r(names, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        const int i = s.config.backend_servers.count++;
        TEXT_FORMAT(s.config.backend_servers.item[i], "%s=10.0.1.%d:3306", name, i + 1);
    }
    s.config.nodes.count = 2;
    TEXT_SET(s.config.nodes.item[0], "fc1=10.0.9.1:3000/9377");
    TEXT_SET(s.config.nodes.item[1], "fc2=10.0.9.2:3000/9377");
    room = room_of_libc();
    s.core = core_new(&room);
    s.effects = calloc(1, sizeof *s.effects);
    cr_assert(s.core != NULL && s.effects != NULL);
    struct event event = { .type = STARTED };
    event.as.started.config = &s.config;
    event.as.started.node = "fc1~aaaa";
    event.as.started.seed = 7;
    feed(&s, &event);
    s.row.rank.epoch = seated[0] == '\0' ? 0 : s.epoch;
    for (int i = 0; i < s.config.backend_servers.count; i++)
        look_preset(&s, i, !text_is(s.core->servers.list[i].name, seated));
    if (seated[0] != '\0') {
        TEXT_SET(s.row.rank.server, s.looks[server_of(&s, seated)].identity);
        TEXT_SET(s.row.rank.node, "fc1~aaaa");
        TEXT_SET(s.row.why, "first in the configuration");
        feed_lease(&s, server_of(&s, seated));
    }
    feed_chair(&s);
    s.now = fc_plus(s.now, fc_ms(1));
    for (int i = 0; i < s.config.backend_servers.count; i++)
        feed_look(&s, i);
    effects_clear(s.effects);
    return s;
}

void stage_close(struct stage *s)
{
    core_free(s->core);
    free(s->effects);
}

void stage_reload(struct stage *s, const char *keys)
{
    struct event event = { .type = RELOADED };
    struct config new = s->config;
    set_keys(&new, keys);
    event.as.started.config = &new;
    event.as.started.node = "fc1~aaaa";
    feed(s, &event);
}

void stage_checked(struct stage *s, int server, const struct server_settings *settings)
{
    struct event event = { .type = SERVER_CHECKED };
    event.as.checked.server = server;
    event.as.checked.settings = settings;
    feed(s, &event);
}

void stage_stop(struct stage *s)
{
    struct event event = { .type = STOP_ASKED };
    feed(s, &event);
}

void stage_forget(struct stage *s) { effects_clear(s->effects); }

void stage_lead(struct stage *s)
{
    const int seated = servers_named(&s->core->servers, s->row.rank.server);
    s->row.rank.epoch++;
    s->row.rank.seq = 0;
    TEXT_SET(s->row.rank.node, "fc1~aaaa");
    s->epoch = s->row.rank.epoch;
    feed_lease(s, seated >= 0 && s->core->servers.list[seated].is_reachable ? seated : seated == 0 ? 1 : 0);
    feed_chair(s);
    s->now = fc_plus(s->now, fc_ms(1));
    for (int i = 0; i < s->config.backend_servers.count; i++) {
        if (s->core->servers.list[i].is_reachable)
            feed_look(s, i);
    }
}

void stage_lose_lease(struct stage *s, const char *how)
{
    struct event event = { .type = text_is(how, "silent") ? STORE_SILENT : LEASE_DENIED };
    event.as.denied.epoch = s->row.rank.epoch + (event.type == LEASE_DENIED ? 1 : 0);
    TEXT_SET(event.as.denied.leader, event.type == LEASE_DENIED ? "fc2~bbbb" : "fc1~aaaa");
    TEXT_SET(event.as.denied.why, "the scene says so");
    s->leads = false;
    feed(s, &event);
}

void stage_order(struct stage *s, const char *text)
{
    struct event event = { .type = ORDER_GIVEN };
    s->said[0] = '\0';
    event.as.order.ticket = ++s->ticket;
    event.as.order.text = text;
    event.as.order.length = strlen(text);
    event.as.order.may_change = true;
    TEXT_SET(event.as.order.by, "ann@test");
    feed(s, &event);
}

void stage_report(struct stage *s, const char *server, const char *words)
{
    const int i = server_of(s, server);
    struct server_look *look = &s->looks[i];
    if (strstr(words, "read_only=1") != NULL)
        look->is_read_only = true;
    if (strstr(words, "open") != NULL)
        look->is_read_only = false;
    look->replica.is_configured = strstr(words, "unconfigured") == NULL;
    look->replica.sql = strstr(words, "broken") != NULL ? THREAD_STOPPED : THREAD_RUNNING;
    look->replica.is_torn = strstr(words, "torn") != NULL;
    look->replica.io = look->replica.is_torn                     ? THREAD_STOPPED
                       : strstr(words, "io=connecting") != NULL ? THREAD_CONNECTING : THREAD_RUNNING;
    look->replica.is_refused = strstr(words, "io=connecting") != NULL && strstr(words, "silently") == NULL;
    look->replica.lag_ms = strstr(words, "behind") != NULL ? 90000 : 0;
    s->now = fc_plus(s->now, fc_ms(1));
    feed_look(s, i);
}

void stage_lost(struct stage *s, const char *server, const char *how)
{
    struct event event = { .type = SERVER_LOST };
    event.as.lost.server = server_of(s, server);
    event.as.lost.loss = text_is(how, "refused") ? LOSS_REFUSED : text_is(how, "ended") ? LOSS_ENDED : LOSS_SILENT;
    event.as.lost.is_unconnected = text_is(how, "out of reach");
    event.as.lost.sent_at = s->now;
    TEXT_SET(event.as.lost.text, how);
    s->now = fc_plus(s->now, fc_ms(1));
    feed(s, &event);
}

/* What the lease tells when its write is confirmed. */
static void play_lease(struct stage *s, const struct effect *asked)
{
    if (asked->type == INTEND) {
        s->row.phase = PHASE_MOVING;
        s->row.rank.seq++;
        TEXT_SET(s->row.successor, s->looks[asked->as.intend.to].identity);
        TEXT_SET(s->row.why, asked->as.intend.why);
        feed_lease(s, asked->as.intend.to);
        feed_chair(s);
    } else if (asked->type == SEAT) {
        s->row.phase = PHASE_SEATED;
        s->row.rank.epoch++;
        s->row.rank.seq = 0;
        s->row.successor[0] = '\0';
        TEXT_SET(s->row.rank.server, s->looks[asked->as.seat.to].identity);
        TEXT_SET(s->row.why, asked->as.seat.why);
        TEXT_SET(s->row.mark, asked->as.seat.mark);
        feed_lease(s, asked->as.seat.to);
        feed_chair(s);
    } else if (asked->type == OPEN || asked->type == FENCE) {
        s->looks[asked->server].is_read_only = asked->type == FENCE;
    }
}

static enum effect_type effect_of(const char *deed)
{
    static const struct { const char *word; enum effect_type type; } table[] = {
        { "intend", INTEND }, { "fence", FENCE }, { "catch-up", CATCH_UP }, { "seat", SEAT }, { "open", OPEN },
        { "hold", HOLD_WRITE }, { "give-back", GIVE_BACK }, { "order", ORDER_LAY }, { "alone", ALONE }, { "resume", RESUME },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (text_is(deed, table[i].word))
            return table[i].type;
    }
    cr_assert(false, "no deed is called %s", deed);
    return NOTE;
}

static const struct effect *last_asked(const struct stage *s, enum effect_type type)
{
    for (int i = s->effects->count - 1; i >= 0; i--) {
        if (s->effects->list[i].type == type)
            return &s->effects->list[i];
    }
    return NULL;
}

/* Each server in sight shows the row as it stands now. */
static void stage_replicates(struct stage *s)
{
    for (int i = 0; i < s->core->servers.count; i++) {
        const struct server_state *state = &s->core->servers.list[i];
        s->looks[i].lease = s->row;
        s->looks[i].is_read_only = state->look.is_read_only;
        if (state->is_reachable)
            feed_look(s, i);
    }
}

void stage_deed(struct stage *s, const char *deed, const char *how)
{
    const struct effect *found = last_asked(s, effect_of(deed));
    cr_assert(found != NULL, "%s was not asked for", deed);
    const struct effect asked = *found;
    const bool is_ok = text_begins(how, "ok");
    struct event event = { .type = DEED_ENDED };
    s->now = fc_plus(s->now, fc_ms(1));
    effects_clear(s->effects);
    if (is_ok)
        play_lease(s, &asked);
    event.as.ended.id = asked.id;
    event.as.ended.server = asked.server;
    event.as.ended.code = is_ok ? FC_OK : text_is(how, "timeout") ? FC_TIMEOUT
                          : text_is(how, "unreachable") ? FC_UNREACHABLE : text_is(how, "not there") ? FC_NOT_FOUND : text_is(how, "denied") ? FC_STORE : FC_REFUSED;
    event.as.ended.is_durable_on_all = true;
    event.as.ended.position = s->looks[asked.server < 0 ? 0 : asked.server].written;
    TEXT_SET(event.as.ended.text, !is_ok ? how : text_begins(how, "ok: ") ? how + strlen("ok: ") : "");
    feed(s, &event);
    if (text_is(deed, "open") && is_ok)
        stage_replicates(s);
}

void stage_fetched(struct stage *s, const char *server, const char *file, uint64_t offset)
{
    const int i = server_of(s, server);
    TEXT_SET(s->looks[i].replica.read.file, file);
    s->looks[i].replica.read.offset = offset;
    s->looks[i].replica.applied = s->looks[i].replica.read;
    feed_look(s, i);
}

void stage_found_alone(struct stage *s, uint32_t transactions, const char *first, const char *last)
{
    const struct effect *asked = last_asked(s, ALONE);
    struct event event = { .type = DEED_ENDED };
    cr_assert(asked != NULL, "nobody asked for the log");
    event.as.ended.deed = DEED_ALONE;
    event.as.ended.id = asked->id;
    event.as.ended.server = asked->server;
    event.as.ended.alone.transactions = transactions;
    TEXT_SET(event.as.ended.alone.first, first);
    TEXT_SET(event.as.ended.alone.last, last);
    event.as.ended.alone.end = asked->as.alone.position;
    feed(s, &event);
}

void stage_deeds(struct stage *s, const char *deeds)
{
    char text[128], *rest = NULL;
    TEXT_SET(text, deeds);
    for (char *deed = strtok_r(text, " ", &rest); deed != NULL; deed = strtok_r(NULL, " ", &rest))
        stage_deed(s, deed, "ok");
}

void stage_out_of_sight(struct stage *s, const char *server)
{
    for (int i = 0; i < SERVER_SILENT_MISSES; i++)
        stage_lost(s, server, "silent");
}

void stage_dies(struct stage *s, const char *server)
{
    stage_lost(s, server, "ended");
    for (int i = 0; i < s->core->servers.count; i++) {
        if (!text_is(s->core->servers.list[i].name, server))
            stage_report(s, s->core->servers.list[i].name, "io=connecting");
    }
    stage_lost(s, server, "refused");
}

void stage_pass(struct stage *s, int64_t span_ms)
{
    struct event event = { .type = WOKEN };
    s->now = fc_plus(s->now, fc_ms(span_ms));
    if (s->leads)
        feed_lease(s, s->core->leadership.place);
    feed(s, &event);
}

void stage_finds_moving(struct stage *s, const char *from, const char *to)
{
    s->row.phase = PHASE_MOVING;
    TEXT_SET(s->row.rank.server, s->looks[server_of(s, from)].identity);
    TEXT_SET(s->row.successor, s->looks[server_of(s, to)].identity);
    TEXT_SET(s->row.rank.node, "fc2~bbbb");
    s->row.rank.epoch++;
    feed_chair(s);
}

void stage_finds_seated(struct stage *s, const char *server, const char *why)
{
    const int seated = server_of(s, server);
    s->row.phase = PHASE_SEATED;
    s->row.successor[0] = '\0';
    TEXT_SET(s->row.rank.server, s->looks[seated].identity);
    TEXT_SET(s->row.rank.node, "fc2~bbbb");
    TEXT_SET(s->row.why, why);
    s->row.rank.epoch++;
    feed_chair(s);
    for (int i = 0; i < s->core->servers.count; i++) {
        s->looks[i].is_read_only = i != seated;
        feed_look(s, i);
    }
}

/* ---- proxies, and orders that come by the store ---- */

static int proxy_of(const struct stage *s, const char *name)
{
    for (int i = 0; i < s->core->proxy_count; i++) {
        if (text_is(s->core->proxies[i].name, name))
            return i;
    }
    cr_assert(false, "no proxy %s", name);
    return -1;
}

static void feed_view(struct stage *s, const char *proxy, const char *words, int sessions, int64_t uptime_ms)
{
    struct proxy_row rows[STORE_SERVERS_MAX];
    struct event event = { .type = PROXY_SEEN };
    memset(rows, 0, sizeof rows);
    event.as.proxy.proxy = proxy_of(s, proxy);
    event.as.proxy.rows = rows;
    event.as.proxy.sent_at = s->now;
    event.as.proxy.uptime_ms = uptime_ms;
    for (int i = 0; i < s->core->servers.count; i++) {
        char usable[80], absent[80];
        TEXT_FORMAT(usable, "%s usable", s->core->servers.list[i].name);
        TEXT_FORMAT(absent, "no %s", s->core->servers.list[i].name);
        if (strstr(words, absent) != NULL)
            continue;
        struct proxy_row *row = &rows[event.as.proxy.count++];
        TEXT_SET(row->pool, "fc_backend");
        TEXT_SET(row->server, s->core->servers.list[i].name);
        row->is_usable = strstr(words, usable) != NULL;
        row->epoch = s->row.rank.epoch;
        row->sessions = sessions;
        TEXT_SET(row->status, row->is_usable ? "UP" : "MAINT");
    }
    feed(s, &event);
}

void stage_proxy(struct stage *s, const char *proxy, const char *words) { feed_view(s, proxy, words, 3, -1); }

void stage_proxy_idle(struct stage *s, const char *proxy, int sessions, int64_t uptime_ms)
{
    feed_view(s, proxy, "", sessions, uptime_ms);
}

static void feed_asked(struct stage *s, const char *node, const char *asker, struct asked_row row)
{
    struct event event = { .type = ASKERS_SEEN };
    TEXT_SET(row.name, asker);
    TEXT_SET(row.source, "10.0.5.1");
    TEXT_SET(event.as.askers.node, node);
    TEXT_SET(event.as.askers.pool, s->core->steering.heard.pool);
    TEXT_SET(event.as.askers.server, s->core->steering.heard.server);
    event.as.askers.sent_at = s->now;
    event.as.askers.count = asker[0] != '\0';
    event.as.askers.rows = &row;
    feed(s, &event);
}

void stage_misled(struct stage *s, const char *node, const char *asker, int64_t age_ms)
{
    feed_asked(s, node, asker, (struct asked_row){ .epoch = 1, .age_ms = age_ms, .first_age_ms = age_ms, .prompt_age_ms = { -1, -1 } });
}

void stage_asked(struct stage *s, const char *node, const char *asker, int64_t earlier_ms, uint64_t epoch)
{
    feed_asked(s, node, asker, (struct asked_row){ .epoch = epoch, .age_ms = 0, .first_age_ms = -1,
                                                   .prompt_age_ms = { earlier_ms < 0 ? -1 : 0, earlier_ms } });
}

void stage_proxy_lost(struct stage *s, const char *proxy)
{
    struct event event = { .type = PROXY_LOST };
    event.as.proxy_lost.proxy = proxy_of(s, proxy);
    TEXT_SET(event.as.proxy_lost.text, "connection refused");
    feed(s, &event);
}

/* Shown by every server's look, as a row of a table that replicates is. */
static void show_order(struct stage *s, const struct stored_order *order)
{
    s->now = fc_plus(s->now, fc_ms(1));
    for (int i = 0; i < s->core->servers.count; i++) {
        s->looks[i].order_count = 1;
        s->looks[i].orders[0] = *order;
        feed_look(s, i);
    }
}

void stage_finds_order(struct stage *s, const char *text, int64_t age_s)
{
    struct stored_order order = { .state = ORDER_ASKED };
    order.id = (uint64_t)(1790000000000 + s->now.us / 1000 - age_s * 1000) << 12 | ++s->ticket;
    TEXT_SET(order.text, text);
    TEXT_SET(order.by, "bob@fc2");
    TEXT_SET(order.node, "fc2");
    show_order(s, &order);
}

void stage_finds_answer(struct stage *s, const char *state, const char *text)
{
    struct stored_order order = { .id = s->core->steering.pending[0].order_id };
    cr_assert(order_state_from_word(state, &order.state), "no state %s", state);
    TEXT_SET(order.answer, text);
    show_order(s, &order);
}

/* ---- what is seen ---- */

static const char *word_of(const struct stage *s, int i)
{
    const struct steering *st = &s->core->steering;
    const struct answer *a = &st->pools[st->backend].members[i].answer;
    const char *name = s->core->servers.list[i].name;
    if (a->voice == VOICE_FIRST)
        return "first";
    if (a->voice == VOICE_NEUTRAL)
        return text_begins(a->reason, "paused") ? "paused" : "unknown";
    if (st->chair.state == CHAIR_MOVING && servers_named(&s->core->servers, st->chair.row.successor) == servers_by_name(&s->core->servers, name))
        return "waiting";
    if (st->chair.state == CHAIR_MOVING && servers_named(&s->core->servers, st->chair.row.rank.server) == i)
        return "leaving";
    return "resting";
}

void stage_shows(struct stage *s, const char *wanted)
{
    char shown[256] = "";
    size_t at = 0;
    for (int i = 0; i < s->core->servers.count; i++)
        at += (size_t)snprintf(shown + at, sizeof shown - at, "%s%s %s", i > 0 ? ", " : "", s->core->servers.list[i].name, word_of(s, i));
    cr_expect_str_eq(shown, wanted);
}

static const char *name_at(const struct stage *s, int server) { return server < 0 ? "nobody" : s->core->servers.list[server].name; }

static void add_deed(const struct stage *s, const struct effect *e, char *to, size_t size)
{
    const size_t at = strlen(to);
    const char *comma = at > 0 ? ", " : "";
    if (e->type == INTEND)
        snprintf(to + at, size - at, "%sintend %s > %s", comma, name_at(s, e->as.intend.from), name_at(s, e->as.intend.to));
    else if (e->type == FENCE)
        snprintf(to + at, size - at, "%sfence %s", comma, name_at(s, e->server));
    else if (e->type == CATCH_UP)
        snprintf(to + at, size - at, "%scatch-up %s", comma, name_at(s, e->server));
    else if (e->type == SEAT)
        snprintf(to + at, size - at, "%sseat %s%s%s", comma, name_at(s, e->server), e->as.seat.mark[0] != '\0' ? " " : "", e->as.seat.mark);
    else if (e->type == OPEN)
        snprintf(to + at, size - at, "%sopen %s", comma, name_at(s, e->server));
    else if (e->type == RESUME)
        snprintf(to + at, size - at, "%sresume %s", comma, name_at(s, e->server));
    else if (e->type == ALONE)
        snprintf(to + at, size - at, "%salone %s %s:%llu", comma, name_at(s, e->server), e->as.alone.position.file,
                 (unsigned long long)e->as.alone.position.offset);
    else if (e->type == HOLD_WRITE)
        snprintf(to + at, size - at, "%shold", comma);
    else if (e->type == GIVE_BACK)
        snprintf(to + at, size - at, "%sgive-back", comma);
    else if (e->type == ORDER_LAY)
        snprintf(to + at, size - at, "%sorder", comma);
}

void stage_asks(struct stage *s, const char *wanted)
{
    char asked[512] = "";
    for (int i = 0; i < s->effects->count; i++)
        add_deed(s, &s->effects->list[i], asked, sizeof asked);
    cr_expect_str_eq(asked, wanted);
}

static const struct effect *last_record(const struct stage *s, const char *kind)
{
    for (int i = s->effects->count - 1; i >= 0; i--) {
        if (s->effects->list[i].type == RECORD && text_is(s->effects->list[i].as.record.kind, kind))
            return &s->effects->list[i];
    }
    return NULL;
}

void stage_records(struct stage *s, const char *kind, const char *part)
{
    const struct effect *found = last_record(s, kind);
    cr_assert(found != NULL, "no record of kind %s", kind);
    cr_expect(strstr(found->as.record.text, part) != NULL, "recorded: \"%s\", wanted: \"%s\"", found->as.record.text, part);
}

void stage_records_no(struct stage *s, const char *kind)
{
    cr_expect(last_record(s, kind) == NULL, "a record of kind %s", kind);
}

void stage_finds(struct stage *s, const char *finding) { cr_expect_str_eq(s->core->steering.finding->word, finding); }

void stage_says(struct stage *s, const char *part)
{
    cr_expect(strstr(s->said, part) != NULL, "said: \"%s\", wanted: \"%s\"", s->said, part);
}

void stage_limits(struct stage *s, const char *wanted)
{
    char text[64] = "nothing";
    for (int i = 0; i < s->effects->count; i++) {
        const struct effect *effect = &s->effects->list[i];
        if (effect->type == FENCE)
            TEXT_FORMAT(text, "fence %u", (unsigned)effect->as.fence.limit_ms);
        else if (effect->type == CATCH_UP)
            TEXT_FORMAT(text, "catch-up %u", (unsigned)effect->as.catch_up.limit_ms);
    }
    cr_expect_str_eq(text, wanted);
}

void stage_counts(struct stage *s, const char *effect, int wanted)
{
    int count = 0;
    for (int i = 0; i < s->effects->count; i++)
        count += text_is(effect_type_word(s->effects->list[i].type), effect) ? 1 : 0;
    cr_expect_eq(count, wanted, "%s: %d times, wanted %d", effect, count, wanted);
}

const struct answer *stage_answer(const struct stage *s, const char *server)
{
    const struct steering *st = &s->core->steering;
    for (int p = 0; p < st->pool_count; p++) {
        for (int i = 0; i < st->pools[p].count; i++) {
            char name[160];
            TEXT_FORMAT(name, "%s/%s", st->pools[p].name, st->pools[p].members[i].name);
            if (text_is(name, server))
                return &st->pools[p].members[i].answer;
        }
    }
    cr_assert(false, "no server %s", server);
    return NULL;
}

void stage_hears(struct stage *s, const char *server, const char *wanted)
{
    const struct answer *a = stage_answer(s, server);
    char heard[128];
    TEXT_FORMAT(heard, "%s: %s", voice_word(a->voice), a->reason);
    cr_expect_str_eq(heard, wanted, "%s hears \"%s\", wanted \"%s\"", server, heard, wanted);
}

void stage_hears_late(struct stage *s, const char *server, int64_t after_ms, const char *wanted)
{
    const struct answer *a = stage_answer(s, server);
    cr_expect_eq(fc_since(s->now, a->until).us, fc_ms(after_ms).us, "the term of %s ends in %lld us", server,
                 (long long)fc_since(s->now, a->until).us);
    cr_expect_str_eq(voice_word(a->late), wanted);
}

const struct status *stage_status(const struct stage *s)
{
    static struct status status;
    core_status(s->core, s->now, 1790000000000 + s->now.us / 1000, &status);
    return &status;
}

void stage_notes(struct stage *s, const char *part)
{
    const struct status *status = stage_status(s);
    cr_assert_gt(status->event_count, 0, "nothing was noted");
    const char *text = status->events[status->event_count - 1].text;
    cr_expect(strstr(text, part) != NULL, "noted: \"%s\", wanted: \"%s\"", text, part);
}

void stage_closes_order(struct stage *s, const char *state, const char *part)
{
    const struct effect *closed = last_asked(s, ORDER_CLOSE);
    cr_assert(closed != NULL, "no stored order was answered");
    cr_expect_str_eq(order_state_word(closed->as.order.state), state);
    cr_expect(strstr(closed->as.order.answer, part) != NULL, "answered: \"%s\", wanted: \"%s\"", closed->as.order.answer, part);
}

static int number_behind(const char *words, const char *name, int otherwise)
{
    const char *at = strstr(words, name);
    return at == NULL ? otherwise : (int)strtol(at + strlen(name), NULL, 10);
}

void stage_fleet(struct stage *s, const char *server, const char *words)
{
    const char *replica = strstr(words, "replica");
    const bool is_replica = replica != NULL && replica[strlen("replica")] != 's', is_ring = strstr(words, "ring") != NULL;
    const bool is_lost = strstr(words, "lost") != NULL || strstr(words, "gone") != NULL;
    bool is_known = false;
    for (int p = 0; p < s->core->steering.pool_count; p++) {
        const struct pool *pool = &s->core->steering.pools[p];
        const int member = pool_member_find(pool, server);
        if (!pool_is_of_cluster(pool) || member < 0)
            continue;
        is_known = true;
        struct event event = { .type = FLEET_SEEN };
        struct fleet_sight *sight = &event.as.fleet.sight;
        event.as.fleet.pool = p;
        event.as.fleet.member = member;
        *sight = s->core->steering.clusters[p].sights[member];
        sight->checked_at = s->now;
        sight->is_seen = !is_lost;
        sight->is_gone = strstr(words, "gone") != NULL;
        if (!is_lost)
            *sight = (struct fleet_sight){ .is_seen = true, .is_read_only = strstr(words, "open") == NULL, .replicates = is_replica || is_ring,
                                           .is_below = is_replica, .is_fetching = is_replica && strstr(words, "unfetching") == NULL,
                                           .is_applying = is_replica && strstr(words, "stopped") == NULL, .lag_s = number_behind(words, "lag=", is_replica ? 0 : -1),
                                           .replica_count = (uint32_t)number_behind(words, "replicas=", 0), .seen_at = s->now, .checked_at = s->now };
        feed(s, &event);
    }
    cr_assert(is_known, "no pool of a cluster has %s", server);
}
