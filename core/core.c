/* core_step: one event goes through the rooms once, in one direction, and the effects come back. */
#include "core/core.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "core/schedule.h"
#include "core/views.h"

#define STOP_WITHIN_MS 1500          /* a graceful stop gives the lease back, but does not wait longer for it */
#define NAMESAKE_TURNS 6             /* renewals seen of another process with our name, before it is said */
#define CHECK_MENDED_MS 1000         /* a look that sees replication mended has it checked again at most this often */

struct core *core_new(struct room *room)
{
    struct core *core = room_reserve(room, sizeof *core);
    if (core == NULL)
        return NULL;
    core->room = room;
    core->config = room_reserve(room, sizeof *core->config);
    if (core->config == NULL) {
        room_release(room, core);
        return NULL;
    }
    config_preset(core->config);
    leadership_init(&core->leadership);
    return core;
}

void core_free(struct core *core)
{
    if (core == NULL)
        return;
    struct room *room = core->room;
    room_release(room, core->config);
    room_release(room, core);
}

/* After its start a node looks at the world before it speaks: every server and every proxy's own view (or its failure). */
static bool has_looked(const struct core *core)
{
    for (int i = 0; i < core->proxy_count; i++) {
        if (!core->proxies[i].has_answered)
            return false;
    }
    if (core->servers.looks_at_none)
        return core->servers.count == 0 || core->servers.was_told;
    return servers_have_all_answered(&core->servers);
}

static struct steer_stage stage_of(struct core *core, struct effects *effects)
{
    return (struct steer_stage){
        .config = core->config, .servers = &core->servers, .needs = &core->needs, .leadership = &core->leadership, .out = effects,
        .closed = &core->steering.closed, .unknown_to = core->unknown_to,
        .now = core->now, .unix_ms = core->unix_ms, .node = core->name, .next_id = &core->next_id, .rng = &core->rng, .has_looked = has_looked(core),
    };
}

struct steer_stage core_stage(const struct core *core, struct fc_time now, int64_t unix_ms)
{
    struct steer_stage stage = stage_of((struct core *)core, NULL);
    stage.now = now;
    stage.unix_ms = unix_ms;
    return stage;
}

/* ---- the start ---------------------------------------------------------------------------------------------------- */

static void set_up_servers(struct core *core)
{
    const struct config *config = core->config;
    struct named_address item;
    core->servers.has_chair = config_has_pair(config);
    core->servers.looks_at_none = config_is_witness(config);
    if (!core->servers.has_chair && core->servers.looks_at_none)
        return;                                            /* no store, no servers: it votes, and says who leads */
    if (!core->servers.has_chair) {
        core->servers.count = 1;
        TEXT_SET(core->servers.list[0].name, "store");
        if (text_is(config->backend_db, "mysql"))
            TEXT_FORMAT(core->servers.list[0].address, "%s:%d", config->mysql_host, config->mysql_port);
        else
            TEXT_SET(core->servers.list[0].address, config->sqlite3_data_file);
        return;
    }
    for (int i = 0; i < config->backend_servers.count && core->servers.count < STORE_SERVERS_MAX; i++) {
        if (named_address_parse(config->backend_servers.item[i], &item, NULL) != FC_OK)
            continue;
        TEXT_SET(core->servers.list[core->servers.count].name, item.name);
        TEXT_SET(core->servers.list[core->servers.count].address, item.address);
        core->servers.count++;
    }
}

static void set_up_other_nodes(struct core *core)
{
    _Static_assert(SIGHTS_MAX >= NODES_MAX, "nobody who can look is left out");
    struct servers *servers = &core->servers;
    struct node_address others[NODES_MAX];
    servers->other_count = config_other_nodes(core->config, core->name, others);
    for (int i = 0; i < servers->other_count; i++)
        TEXT_SET(servers->others[i], others[i].name);
}

/* What of the configuration tells how losses are judged; it may change while it runs. */
static void set_up_judging(struct core *core)
{
    const struct config *c = core->config;
    struct servers *servers = &core->servers;
    servers->consent = config_consent(c, servers->other_count + 1);
    servers->gap = fc_ms(3 * (int64_t)c->poll_ms + 2 * (int64_t)c->probe_timeout_ms);
    servers->patience = fc_ms(2 * (int64_t)c->poll_ms + c->probe_timeout_ms + GONE_AGAIN_MOST_MS);
}

static void set_up_proxies(struct core *core)
{
    struct named_address item;
    core->proxy_count = 0;
    for (int i = 0; i < core->config->haproxy_instances.count && core->proxy_count < PROXIES_MAX; i++) {
        if (named_address_parse(core->config->haproxy_instances.item[i], &item, NULL) != FC_OK)
            continue;
        struct core_proxy *p = &core->proxies[core->proxy_count++];
        memset(p, 0, sizeof *p);
        TEXT_SET(p->name, item.name);
        TEXT_SET(p->address, item.address);
        p->seen_at = FC_EVER;
        for (int k = 0; k < STEER_POOLS_MAX * STEER_MEMBERS_MAX; k++)
            p->drift_since[k / STEER_MEMBERS_MAX][k % STEER_MEMBERS_MAX] = FC_EVER;
    }
}

static void start(struct core *core, const struct event *event)
{
    assert(!core->is_started);
    *core->config = *event->as.started.config;
    TEXT_SET(core->node, event->as.started.node);
    node_name_of(core->node, core->name, sizeof core->name);
    core->rng.state = event->as.started.seed;
    core->started_at = core->now;
    core->next_id = 1;
    core->is_started = true;
    set_up_servers(core);
    set_up_other_nodes(core);
    set_up_judging(core);
    set_up_proxies(core);
    needs_init(&core->needs, core->servers.has_chair && !core->servers.looks_at_none ? core->servers.count : 0);
    steering_init(&core->steering, core->config, core->name);
    schedule_start(core);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void stop_asked(struct core *core)
{
    if (core->is_stopping)
        return;
    core->is_stopping = true;
    core->stop_by = fc_plus(core->now, fc_ms(STOP_WITHIN_MS));
    if (!leadership_may_act(&core->leadership, core->now))
        core->stop_by = core->now;
}

/* Who stops does not stand for the lease, nor who leaves it to another node. */
static void stand_step(struct core *core, const struct steer_stage *stage, struct effects *effects)
{
    const bool stands = !core->is_stopping && !left_to_another(&core->steering, stage);
    if (stands == core->stands)
        return;
    core->stands = stands;
    effects_add(effects, STAND)->as.stand = stands;
}

/* A chair on its way keeps its leader: the lease is given back when somebody sits, or is left to run out. */
static void stop_give_back(struct core *core, struct effects *effects)
{
    if (!core->is_stopping || core->stop_deed != 0 || core->steering.move.step != STEP_NONE ||
        core->steering.chair.state == CHAIR_MOVING || !leadership_may_act(&core->leadership, core->now) ||
        fc_reached(core->stop_by, core->now))
        return;
    struct effect *effect = effects_add(effects, GIVE_BACK);
    effect->id = core->stop_deed = core->next_id++;
    effect->until = core->leadership.until;
    effect->as.give_back.pause_ms = 60000;
}

static void stop_step(struct core *core, const struct event *event, struct effects *effects)
{
    const bool is_back = event->type == DEED_ENDED && core->stop_deed != 0 && event->as.ended.id == core->stop_deed;
    if (core->is_stopping && !core->has_said_stop && (is_back || fc_reached(core->stop_by, core->now))) {
        core->has_said_stop = true;
        effects_add(effects, STOP);
    }
}

/* ---- the step ----------------------------------------------------------------------------------------------------- */

static void keep_notes(struct core *core, const struct effects *effects)
{
    for (int i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->list[i];
        if (effect->type != NOTE || effect->as.note.level == NOTE_DEBUG)
            continue;
        struct status_event *kept = &core->events[core->event_seq % STATUS_EVENTS_MAX];
        kept->seq = ++core->event_seq;
        kept->unix_ms = core->unix_ms;
        kept->level = effect->as.note.level;
        kept->epoch = effect->as.note.epoch;
        TEXT_SET(kept->subject, effect->as.note.subject);
        TEXT_SET(kept->text, effect->as.note.text);
        core->status_seq++;
    }
}

static void note_server(struct core *core, int server, bool is_seen, const char *text, struct effects *effects)
{
    struct effect *note = effects_add(effects, NOTE);
    note->as.note.level = is_seen ? NOTE_INFO : NOTE_WARNING;
    note->as.note.epoch = core->leadership.epoch;
    TEXT_SET(note->as.note.subject, core->servers.list[server].name);
    TEXT_FORMAT(note->as.note.text, is_seen ? "answers again, %s" : "lost: %s", text);
}

/* Without our tables nobody can lead, so why they are missing is said, once for each reason. */
static void note_trouble(struct core *core, const struct event *event, struct effects *effects)
{
    struct server_state *s = &core->servers.list[event->as.ended.server];
    const char *why = event->as.ended.code == FC_OK ? "" : event->as.ended.text;
    const bool is_news = why[0] != '\0' && strncmp(s->trouble, why, sizeof s->trouble - 1) != 0;
    TEXT_SET(s->trouble, why);
    if (!is_news)
        return;
    struct effect *note = effects_add(effects, NOTE);
    note->as.note.level = NOTE_ALARM;
    note->as.note.epoch = core->leadership.epoch;
    TEXT_SET(note->as.note.subject, s->name);
    TEXT_FORMAT(note->as.note.text, "firstchair's tables cannot be laid: %s", why);
}

/* Another living process with this node's name: after a restart the row of the process before stands still, this one goes on. */
static void watch_namesake(struct core *core, const struct decision *row, struct effects *effects)
{
    char name[NODE_NAME_SIZE];
    node_name_of(row->rank.node, name, sizeof name);
    if (!text_is(name, core->name) || text_is(row->rank.node, core->node) || rank_is_same_turn(&row->rank, &core->namesake))
        return;
    core->namesake = row->rank;
    if (++core->namesake_turns != NAMESAKE_TURNS)
        return;
    struct effect *note = effects_add(effects, NOTE);
    note->as.note.level = NOTE_ALARM;
    note->as.note.epoch = core->leadership.epoch;
    TEXT_SET(note->as.note.subject, core->name);
    TEXT_FORMAT(note->as.note.text, "another living process calls itself %s too: give each node a NodeName of its own", core->name);
}

/* A finding is said when it appears and when it is gone, not at each check. */
static void note_needs(struct core *core, int server, uint64_t before, struct effects *effects)
{
    const uint64_t now = core->needs.list[server].missing, unknown = core->needs.list[server].unknown;
    for (size_t r = 0; r < need_rule_count; r++) {
        const bool was = (before >> r & 1) != 0, is = (now >> r & 1) != 0;
        if (was == is)
            continue;
        struct effect *note = effects_add(effects, NOTE);
        note->as.note.level = !is ? NOTE_INFO : need_rules[r].severity == NEED_WARNING ? NOTE_WARNING : NOTE_ALARM;
        note->as.note.epoch = core->leadership.epoch;
        TEXT_SET(note->as.note.subject, core->servers.list[server].name);
        if (is)
            need_sentence(&core->needs, &core->servers, server, r, note->as.note.text, sizeof note->as.note.text);
        else
            TEXT_FORMAT(note->as.note.text, (unknown >> r & 1) != 0 ? "%s is no longer known to be wrong" : "%s is well now",
                        need_rules[r].word);
    }
}

static void judge_needs(struct core *core, struct effects *effects)
{
    uint64_t before[STORE_SERVERS_MAX];
    for (int i = 0; i < core->needs.count; i++)
        before[i] = core->needs.list[i].missing;
    needs_judge(&core->needs, &core->servers);
    for (int i = 0; i < core->needs.count; i++)
        note_needs(core, i, before[i], effects);
}

static void observe_check(struct core *core, const struct event *event, struct effects *effects)
{
    const int server = event->as.checked.server;
    if (server >= core->needs.count)
        return;
    if (event->as.checked.settings != NULL)
        needs_read(&core->needs, server, event->as.checked.settings, core->now);
    else if (event->as.checked.loss == LOSS_DENIED)
        needs_denied(&core->needs, server, event->as.checked.text, core->now);
    else
        return;
    judge_needs(core, effects);
}

/* What may have changed the settings: a start of the server, another server behind the name. And replication that was mended is
 * seen by the look at once: its finding need not stand for the rest of the minute. */
static bool wants_check(const struct core *core, int server, bool was_reachable, const struct server_look *look)
{
    const struct server_needs *n = &core->needs.list[server];
    if (!was_reachable || (n->has_settings && !text_is(n->settings.identity, look->identity)))
        return true;
    return look->replica.io == THREAD_RUNNING && look->replica.sql == THREAD_RUNNING && n->has_settings &&
           fc_since(n->read_at, core->now).us >= fc_ms(CHECK_MENDED_MS).us &&
           n->settings.value[SETTING_REPLICATION][0] != '\0' && !text_is(n->settings.value[SETTING_REPLICATION], "running");
}

static void observe(struct core *core, const struct event *event, struct effects *effects)
{
    static const struct chair_words nothing = { 0 };
    if (core->servers.looks_at_none && (event->type == CHAIR_GRANTED || event->type == CHAIR_REVOKED))
        servers_hear_of_chair(&core->servers, event->as.chair.decision.rank.server,
                              event->type == CHAIR_GRANTED ? &event->as.chair.words : &nothing);
    if (event->type == SERVER_CHECKED)
        observe_check(core, event, effects);
    if (event->type == DEED_ENDED && event->as.ended.deed == DEED_PREPARE)
        note_trouble(core, event, effects);
    if (event->type == SERVER_SEEN) {
        const int i = event->as.seen.server;
        const bool was_reachable = core->servers.list[i].is_reachable;
        servers_saw(&core->servers, i, event->as.seen.look, event->as.seen.sent_at);
        needs_saw_boot(&core->needs, i, event->as.seen.look, core->now);
        if (wants_check(core, i, was_reachable, event->as.seen.look))
            schedule_check(core, i);
        if (event->as.seen.look->has_schema)
            watch_namesake(core, &event->as.seen.look->lease, effects);
        if (!was_reachable)
            note_server(core, i, true, event->as.seen.look->is_read_only ? "read_only" : "writable", effects);
    } else if (event->type == SERVER_LOST) {
        const int i = event->as.lost.server;
        const bool was_new = !core->servers.list[i].has_answered;
        if (servers_lost(&core->servers, i, event->as.lost.loss, event->as.lost.text, event->as.lost.sent_at, core->now) || was_new)
            note_server(core, i, false, event->as.lost.text, effects);
    } else if (event->type == SIGHT_SEEN && event->as.sight.server < core->servers.count) {
        servers_told(&core->servers, event->as.sight.server, event->as.sight.node, event->as.sight.told);
    }
}

/* By whom, after whom, and what it found: the record of a leader that died before it was written is made good by the next. */
static void record_leadership(struct core *core, const char *before, struct effects *effects)
{
    const struct steering *st = &core->steering;
    const struct decision *row = &st->chair.row;
    const int seated = servers_named(&core->servers, row->rank.server);
    struct steer_stage stage = stage_of(core, effects);
    char found[200] = "";
    if (st->backend >= 0 && st->chair.state == CHAIR_MOVING)
        TEXT_FORMAT(found, "; found the chair half moved from %s to %s (epoch %llu): %s", steer_server_name(&stage, seated),
                    steer_server_name(&stage, servers_named(&core->servers, row->successor)),
                    (unsigned long long)row->rank.epoch, row->why);
    else if (st->backend >= 0 && st->chair.state == CHAIR_SEATED)
        TEXT_FORMAT(found, "; found %s seated (epoch %llu): %s", steer_server_name(&stage, seated),
                    (unsigned long long)row->rank.epoch, row->why);
    steer_record(&stage, "leader", "leader", core->leadership.epoch, "%s leads%s%s%s", core->name,
                 text_is(before, core->name) ? " again" : before[0] != '\0' ? " after " : ", nobody was known to lead before",
                 text_is(before, core->name) ? "" : before, found);
}

static void hear_leadership(struct core *core, const struct event *event, struct effects *effects)
{
    const bool was_leading = core->leadership.state == LEADING;
    char before[NODE_NAME_SIZE];
    TEXT_SET(before, core->leadership.leader);
    if (leadership_hear(&core->leadership, event, core->name, effects))
        effects_add(effects, PUBLISH);
    if (!was_leading && core->leadership.state == LEADING)
        record_leadership(core, before, effects);
}

void core_step(struct core *core, const struct event *event, struct effects *effects)
{
    core->now = event->at;
    core->unix_ms = event->unix_ms;
    core->steps++;
    if (event->type == STARTED)
        start(core, event);
    if (!core->is_started)
        return;
    if (event->type == RELOADED) {
        config_reload(core->config, event->as.started.config);
        set_up_judging(core);
    } else if (event->type == STOP_ASKED) {
        stop_asked(core);
    }

    observe(core, event, effects);
    views_hear(core, event, effects);
    if (event->type == LEASE_GRANTED || event->type == LEASE_DENIED || event->type == STORE_SILENT)
        hear_leadership(core, event, effects);
    struct steer_stage stage = stage_of(core, effects);
    schedule_hear(core, event);
    steering_hear(&core->steering, &stage, event);
    steering_step(&core->steering, &stage);
    views_watch(core, effects);
    stand_step(core, &stage, effects);
    stop_give_back(core, effects);
    stop_step(core, event, effects);
    schedule_step(core, effects);

    struct effect *wake = &effects->list[effects->count - 1];
    if (wake->type == WAKE_AT)
        wake->as.wake_at = fc_later(fc_earlier(wake->as.wake_at, steering_wakes_at(&core->steering, &stage)),
                                    fc_plus(core->now, (struct fc_span){ 500 }));
    keep_notes(core, effects);
    core->notes_dropped += (uint64_t)effects->dropped;
}
