/* Events into picture, calendar and verdicts. What is to be done waits in lines (watch_effects.c). */
#include "watch/watch.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "watch/watch_inside.h"

/* ---- memory ---- */

struct watch_place *watch_place_of(struct watch *w, member_id id)
{
    assert(id < w->place_capacity);
    return &w->places[id];
}

static void empty_place(struct watch *w, struct watch_place *place)
{
    names_drop(&w->topology.names, place->tried);
    *place = (struct watch_place){ .candidate_of = MEMBER_NONE, .tried_until = FC_EVER, .named_at = FC_EVER, .told_head = MEMBER_NONE,
                                   .is_in_line = place->is_in_line, .is_alarmed = place->is_alarmed,
                                   .is_name_awaited = place->is_name_awaited };
}

bool watch_make_places(struct watch *w)
{
    const uint32_t capacity = w->topology.capacity;
    if (w->place_capacity >= capacity)
        return true;
    struct watch_place *places = room_reserve(w->room, capacity * sizeof *places);
    if (places == NULL)
        return false;
    if (w->place_capacity > 0)
        memcpy(places, w->places, w->place_capacity * sizeof *places);
    for (uint32_t id = w->place_capacity; id < capacity; id++)
        places[id] = (struct watch_place){ .candidate_of = MEMBER_NONE, .tried_until = FC_EVER, .named_at = FC_EVER,
                                           .told_head = MEMBER_NONE };
    room_release(w->room, w->places);
    w->places = places;
    w->place_capacity = capacity;
    return true;
}

/* A server whose verdict or place may have changed: is it watched, does its row say something else, is it worth more looks? */
static void told(void *listener, member_id id);

bool watch_init(struct watch *w, struct room *room, const struct watch_setting *setting)
{
    memset(w, 0, sizeof *w);
    w->room = room;
    w->setting = *setting;
    w->turn_due = w->aliases_due = FC_EVER;
    w->judge_due = w->overrides_due = FC_NEVER;
    if (!discovery_init(&w->calendar, room, &setting->calendar))
        return false;
    if (!topology_init(&w->topology, room, WATCH_SERVERS_MAX))
        return false;
    overrides_init(&w->overrides, room, &w->topology.names);
    server_pools_init(&w->pools, room, &w->topology.names);
    host_names_init(&w->resolved, room, &w->topology.names);
    host_names_init(&w->unresolved, room, &w->topology.names);
    classifications_init(&w->classifications, room, &w->topology);
    aliases_init(&w->aliases, room, &w->topology.names);
    called_init(&w->called, room, &w->topology.names);
    if (!fleet_init(&w->fleet, room, &w->topology, &w->overrides, &setting->policy) || !watch_make_places(w)) {
        watch_done(w);
        return false;
    }
    w->fleet.told = told;
    w->fleet.listener = w;
    return true;
}

void watch_done(struct watch *w)
{
    if (w->room == NULL || w->topology.room == NULL)
        return;
    fleet_done(&w->fleet);
    called_done(&w->called);
    aliases_done(&w->aliases);
    classifications_done(&w->classifications);
    host_names_done(&w->unresolved);
    host_names_done(&w->resolved);
    server_pools_done(&w->pools);
    overrides_done(&w->overrides);
    discovery_done(&w->calendar);
    topology_done(&w->topology);
    struct watch_line *const lines[] = { &w->rows, &w->gone, &w->names, &w->under_way };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        room_release(w->room, lines[i]->list);
    room_release(w->room, w->places);
    memset(w, 0, sizeof *w);
}

bool watch_fits(const struct watch *w, enum watch_filter filter, const struct instance_key *key)
{
    return w->setting.filters.fits != NULL && w->setting.filters.fits(w->setting.filters.lender, filter, key);
}

/* ---- verdicts ---- */

static enum analysis_emergency emergency_of(const struct watch *w, member_id id)
{
    const struct analysis *found = fleet_analysis(&w->fleet, id);
    return found == NULL ? EMERGENCY_NONE : analysis_codes[found->code].emergency;
}

static void urge_replicas(struct watch *w, member_id id)
{
    for (member_id replica = topology_first_replica(&w->topology, id); replica != MEMBER_NONE;
         replica = topology_next_replica(&w->topology, replica))
        discovery_urge(&w->calendar, replica);
}

void watch_urge_around(struct watch *w, member_id id)
{
    const member_id master = topology_member(&w->topology, id)->master;
    discovery_urge(&w->calendar, id);
    if (master != MEMBER_NONE)
        discovery_urge(&w->calendar, master);
    urge_replicas(w, id);
}

/* Restarting IO threads is a deed for a recovery; to look is what everybody may. */
static void look_into(struct watch *w, member_id id)
{
    const member_id master = topology_member(&w->topology, id)->master;
    switch (emergency_of(w, id)) {
    case EMERGENCY_LOOK_AT_MASTER:
        if (master != MEMBER_NONE)
            discovery_urge(&w->calendar, master);
        break;
    case EMERGENCY_LOOK_AT_IT:
        discovery_urge(&w->calendar, id);
        break;
    case EMERGENCY_LOOK_AT_ALL:
    case EMERGENCY_RESTART_IO:
        discovery_urge(&w->calendar, id);
        urge_replicas(w, id);
        break;
    case EMERGENCY_NONE:
    case EMERGENCY_KIND_COUNT:
        break;
    }
}

static void be_alarmed(struct watch *w, member_id id)
{
    if (w->places[id].is_alarmed || w->alarmed_count == WATCH_ALARMED_MAX)
        return;
    w->places[id].is_alarmed = true;
    w->alarmed[w->alarmed_count++] = id;
    look_into(w, id);
}

static void look_into_alarms(struct watch *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->alarmed_count; i++) {
        const member_id id = w->alarmed[i];
        if (topology_member(&w->topology, id)->kind != MEMBER_KNOWN || emergency_of(w, id) == EMERGENCY_NONE) {
            w->places[id].is_alarmed = false;
            continue;
        }
        look_into(w, id);
        w->alarmed[kept++] = id;
    }
    w->alarmed_count = kept;
}

static void told(void *listener, member_id id)
{
    struct watch *w = listener;
    const struct member *m = topology_member(&w->topology, id);
    if (m->kind != MEMBER_KNOWN || !watch_make_places(w))
        return;
    struct watch_place *place = &w->places[id];
    const struct analysis *found = fleet_analysis(&w->fleet, id);
    const bool is_sick = found != NULL && found->code != ANALYSIS_NO_PROBLEM;
    discovery_watch(&w->calendar, id, m->first_replica != MEMBER_NONE || is_sick, w->now);
    if (place->told_head != m->head || place->told_depth != m->depth || place->told_ring != m->ring)
        watch_mark(w, id, true);
    if (emergency_of(w, id) != EMERGENCY_NONE)
        be_alarmed(w, id);
}

static void settle(struct watch *w, struct fc_time now)
{
    if (w->is_recalling)
        return;
    w->now = now;
    w->judge_due = fleet_judge(&w->fleet, now);
}

/* ---- who is known ---- */

static bool is_forgotten(const struct watch *w, const struct instance_key *key, struct fc_time now)
{
    for (uint32_t i = 0; i < w->forgotten_count; i++) {
        const struct forgotten *f = &w->forgotten[i];
        if (f->port == key->port && !fc_reached(f->until, now) && text_is(names_text(&w->topology.names, f->host), key->host))
            return true;
    }
    return false;
}

static void remember_no_more(struct watch *w, uint32_t at)
{
    names_drop(&w->topology.names, w->forgotten[at].host);
    memmove(&w->forgotten[at], &w->forgotten[at + 1], (w->forgotten_count - at - 1) * sizeof w->forgotten[0]);
    w->forgotten_count--;
}

static void expire_forgotten(struct watch *w, struct fc_time now)
{
    while (w->forgotten_count > 0 && fc_reached(w->forgotten[0].until, now))
        remember_no_more(w, 0);
}

static void remember_forgotten(struct watch *w, const struct instance_key *key, struct fc_time now)
{
    struct forgotten fresh = { .port = key->port };
    fresh.until = fc_plus(now, (struct fc_span){ w->setting.calendar.period.us * WATCH_FORGOTTEN_PERIODS });
    if (w->forgotten_count == WATCH_FORGOTTEN_MAX)
        remember_no_more(w, 0);
    if (names_use(&w->topology.names, key->host, strlen(key->host), &fresh.host))
        w->forgotten[w->forgotten_count++] = fresh;
}

enum fc_code watch_know(struct watch *w, const struct instance_key *key, struct fc_time now, member_id *ret, struct fc_err *err)
{
    member_id id = topology_find(&w->topology, key);
    const bool is_new = id == MEMBER_NONE || topology_member(&w->topology, id)->kind != MEMBER_KNOWN;
    const enum fc_code code = topology_add(&w->topology, key, &id, err);
    if (code != FC_OK) {
        w->counts.refused++;
        return code;
    }
    if (!watch_make_places(w) || (!w->is_resting && !discovery_add(&w->calendar, id, now))) {
        if (is_new)
            topology_forget(&w->topology, key);
        w->counts.refused++;
        return fc_fail(err, FC_BUSY, "%s:%u is not looked at: as many servers are known as there may be", key->host, key->port);
    }
    if (is_new) {
        empty_place(w, &w->places[id]);
        w->unlooked++;
    }
    w->places[id].named_at = now;
    *ret = id;
    return FC_OK;
}

enum fc_code watch_named(struct watch *w, const struct instance_key *key, enum watch_namer by, struct fc_time now, member_id *ret,
                         struct fc_err *err)
{
    member_id id;
    const struct instance_key is = called_is(&w->called, key);
    if (!instance_key_is_valid(key))
        return fc_fail(err, FC_BAD_INPUT, "'%s:%u' names no server", key->host == NULL ? "" : key->host, key->port);
    if (watch_fits(w, FILTER_SERVER, &is))
        return fc_fail(err, FC_REFUSED, "%s:%u is not looked at: DiscoveryIgnoreHostnameFilters", is.host, is.port);
    const enum fc_code code = watch_know(w, &is, now, &id, err);
    if (code != FC_OK)
        return code;
    for (uint32_t i = w->forgotten_count; i-- > 0;) {
        if (w->forgotten[i].port == is.port && text_is(names_text(&w->topology.names, w->forgotten[i].host), is.host))
            remember_no_more(w, i);
    }
    w->places[id].is_seed |= by == NAMED_AS_SEED;
    w->places[id].is_tried_only = false;
    discovery_urge(&w->calendar, id);
    settle(w, now);
    if (ret != NULL)
        *ret = id;
    return FC_OK;
}

/* Named by a server: what is none, what is filtered, what was just forgotten is passed over. */
static void know_neighbour(struct watch *w, const struct instance_key *key, enum watch_filter filter, struct fc_time now)
{
    const char *host;
    size_t length;
    uint16_t port;
    member_id id;
    char text[INSTANCE_HOST_MAX + 10];
    if (!instance_key_is_valid(key) || !instance_key_text(key, text, sizeof text) ||
        !instance_key_parse(text, strlen(text), key->port, &host, &length, &port))
        return;
    const struct instance_key is = called_is(&w->called, key);
    id = topology_find(&w->topology, &is);
    if (id != MEMBER_NONE && topology_member(&w->topology, id)->kind == MEMBER_KNOWN) {
        w->places[id].named_at = now;
        w->places[id].is_tried_only = false;
        return;
    }
    if (is_forgotten(w, &is, now))
        return;
    if (watch_fits(w, FILTER_SERVER, &is) || watch_fits(w, filter, &is)) {
        w->counts.filtered++;
        return;
    }
    watch_know(w, &is, now, &id, NULL);
}

static bool is_user_ignored(const struct watch *w, const char *user)
{
    const struct instance_key as_key = { .host = user };
    return user != NULL && user[0] != '\0' && watch_fits(w, FILTER_USER, &as_key);
}

/* A dump thread tells a host alone: then its port is taken for that of its master, unless that would be the master itself. */
static void know_replica(struct watch *w, const struct instance_seen *seen, const struct replica_listed *replica, struct fc_time now)
{
    struct instance_key key = replica->key;
    if (key.port == 0)
        key.port = seen->key.port;
    if (!instance_key_is_same(&key, &seen->key) && !is_user_ignored(w, replica->user))
        know_neighbour(w, &key, FILTER_REPLICA, now);
}

static void know_neighbours(struct watch *w, const struct instance_seen *seen, struct fc_time now)
{
    for (uint32_t i = 0; i < seen->channel_count; i++)
        know_neighbour(w, &seen->channels[i].master, FILTER_MASTER, now);
    for (uint32_t i = 0; i < seen->replica_count; i++)
        know_replica(w, seen, &seen->replicas[i], now);
    for (uint32_t i = 0; i < seen->member_count; i++)
        know_neighbour(w, &seen->members[i].key, FILTER_REPLICA, now);
}

enum fc_code watch_drop(struct watch *w, member_id id, struct fc_err *err)
{
    const struct instance_key key = topology_key(&w->topology, id);
    struct watch_step step = { .id = id, .port = key.port };
    if (!line_reserve(&w->gone, w->room) || !names_use(&w->topology.names, key.host, strlen(key.host), &step.host))
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    line_push(&w->gone, w->room, step);
    const struct instance_key kept = { names_text(&w->topology.names, step.host), step.port };
    w->unlooked -= !w->places[id].was_looked_at;
    discovery_remove(&w->calendar, id);
    empty_place(w, &w->places[id]);
    topology_forget(&w->topology, &kept);
    w->counts.forgotten++;
    return FC_OK;
}

enum fc_code watch_forget(struct watch *w, const struct instance_key *key, struct fc_time now, struct fc_err *err)
{
    const struct instance_key is = called_is(&w->called, key);
    const member_id id = topology_find(&w->topology, &is);
    if (id == MEMBER_NONE || topology_member(&w->topology, id)->kind != MEMBER_KNOWN)
        return fc_fail(err, FC_NOT_FOUND, "%s:%u is not known", key->host, key->port);
    remember_forgotten(w, &is, now);
    const enum fc_code code = watch_drop(w, id, err);
    settle(w, now);
    return code;
}

/* ---- looks ---- */

static void end_look(struct watch *w, member_id id, bool has_answered, struct fc_time now)
{
    struct watch_place *place = &w->places[id];
    discovery_ended(&w->calendar, id, has_answered, now);
    w->unlooked -= !place->was_looked_at;
    place->was_looked_at = true;
}

static bool is_same_as_before(const struct member *m, const struct instance_seen *seen)
{
    return m->is_seen && m->kept.seen != NULL && instance_is_same(m->kept.seen, seen);
}

static void classify(struct watch *w, member_id id, const struct detected *detected)
{
    uint32_t refused = 0;
    if (w->setting.classifier == NULL || !classification_take(&w->classifications, w->setting.classifier, id, detected, &refused))
        return;
    for (int what = 0; what < CLASSIFIED_COUNT; what++) {
        if ((refused >> what & 1) == 0)
            continue;
        const struct instance_key key = topology_key(&w->topology, id);
        watch_note(w, WATCH_WARNS, "%s:%u: the answer of %s is no %s and is passed over", key.host, key.port,
                   classified_rows[what].query_key, classified_rows[what].word);
    }
}

/* A replica that lost its master may have noticed before we do. */
static void ask_its_master(struct watch *w, member_id id)
{
    const struct member *m = topology_member(&w->topology, id);
    const struct channel_seen *channel = instance_channel(m->kept.seen);
    if (m->master != MEMBER_NONE && channel != NULL && channel_is_failing_to_connect(channel))
        discovery_urge(&w->calendar, m->master);
}

void watch_saw(struct watch *w, const struct instance_seen *seen, const struct detected *detected, struct fc_time now)
{
    struct instance_key master;
    struct fc_err err = { .code = FC_OK };
    const member_id id = topology_find(&w->topology, &seen->key);
    if (id == MEMBER_NONE || topology_member(&w->topology, id)->kind != MEMBER_KNOWN || !watch_make_places(w))
        return;
    const bool is_same = is_same_as_before(topology_member(&w->topology, id), seen);
    const struct channel_seen *channel = instance_channel(seen);
    w->counts.looks_seen++;
    if (channel != NULL && is_user_ignored(w, channel->user)) {
        w->counts.filtered++;
        end_look(w, id, true, now);
        return;
    }
    if (topology_saw(&w->topology, seen, watch_master_of(w, seen, &master), NULL, &err) != FC_OK || !watch_make_places(w) ||
        !fleet_looked(&w->fleet, id, now)) {
        watch_note(w, WATCH_WARNS, "%s", err.code == FC_OK ? "out of memory" : err.text);
        end_look(w, id, true, now);
        return;
    }
    classify(w, id, detected);
    know_neighbours(w, topology_member(&w->topology, id)->kept.seen, now);
    end_look(w, id, true, now);
    ask_its_master(w, id);
    watch_mark(w, id, !is_same);
    watch_own_name(w, id, now);
    settle(w, now);
}

void watch_lost(struct watch *w, const struct instance_lost *lost, struct fc_time now)
{
    const member_id id = topology_find(&w->topology, &lost->key);
    if (id == MEMBER_NONE || topology_member(&w->topology, id)->kind != MEMBER_KNOWN || w->is_resting)
        return;
    if (lost->phase == PROBE_IDLE) {
        watch_urge_around(w, id);
        return;
    }
    const struct member *m = topology_member(&w->topology, id);
    const bool is_news = m->is_seen || m->is_partly_seen != lost->has_answered;
    w->counts.looks_lost++;
    if (watch_name_failed(w, id, now)) {
        settle(w, now);
        return;
    }
    topology_missed(&w->topology, id, lost->has_answered, lost->lost_at);
    fleet_looked(&w->fleet, id, now);
    end_look(w, id, lost->has_answered || lost->loss == LOSS_DENIED, now);
    watch_mark(w, id, is_news);
    settle(w, now);
}

void watch_said(struct watch *w, const struct instance_key *key, struct fc_time now)
{
    const struct instance_key is = called_is(&w->called, key);
    const member_id id = topology_find(&w->topology, &is);
    w->overrides_due = now;
    if (id == MEMBER_NONE || topology_member(&w->topology, id)->kind != MEMBER_KNOWN)
        return;
    fleet_looked(&w->fleet, id, now);
    settle(w, now);
}

bool watch_knows(const struct watch *w, const struct instance_key *key)
{
    const struct instance_key is = called_is(&w->called, key);
    const member_id id = topology_find(&w->topology, &is);
    return id != MEMBER_NONE && topology_member(&w->topology, id)->kind == MEMBER_KNOWN;
}

bool watch_urge(struct watch *w, const struct instance_key *key)
{
    const struct instance_key is = called_is(&w->called, key);
    const member_id id = topology_find(&w->topology, &is);
    if (id == MEMBER_NONE || topology_member(&w->topology, id)->kind != MEMBER_KNOWN)
        return false;
    discovery_urge(&w->calendar, id);
    return true;
}

/* ---- the clock ---- */

static void expired(void *asker, struct instance_key key)
{
    struct watch *w = asker;
    const member_id id = topology_find(&w->topology, &key);
    if (id != MEMBER_NONE && topology_member(&w->topology, id)->kind == MEMBER_KNOWN)
        fleet_looked(&w->fleet, id, w->now);
}

/* Looks that hang for longer than allowed: the verdict has to hear of it. Those that ended meanwhile are passed over. */
static void note_hanging(struct watch *w, struct fc_time now)
{
    const struct fc_span limit = fc_ms(w->fleet.policy.reasonable_check_ms);
    while (w->under_way.count > 0 && fc_reached(fc_plus(w->under_way.list[w->under_way.first].at, limit), now)) {
        struct watch_step step;
        line_pop(&w->under_way, &step);
        const struct member *m = topology_member(&w->topology, step.id);
        if (m->kind != MEMBER_KNOWN || m->attempted_at.us != step.at.us)
            continue;
        fleet_looked(&w->fleet, step.id, now);
        watch_mark(w, step.id, false);               /* its row says that it was attempted */
    }
}

static bool is_long_unseen(const struct watch *w, member_id id, struct fc_time now)
{
    const struct member *m = topology_member(&w->topology, id);
    const struct watch_place *place = &w->places[id];
    if (m->kept.seen != NULL)
        return w->setting.forget_after.us > 0 && !m->is_seen && fc_reached(fc_plus(m->seen_at, w->setting.forget_after), now);
    const struct fc_span patience = { w->setting.calendar.period.us * WATCH_UNNAMED_PERIODS };
    return !place->is_seed && place->candidate_of == MEMBER_NONE && place->was_looked_at &&
           fc_reached(fc_plus(place->named_at, patience), now);
}

static void sweep(struct watch *w, struct fc_time now)
{
    const uint32_t all = w->topology.count, part = all / WATCH_SWEEP_TURNS + 1;
    for (uint32_t i = 0; i < part && all > 0; i++) {
        const member_id id = w->sweep_at < all ? w->sweep_at : 0;
        w->sweep_at = id + 1;
        if (id >= w->place_capacity || topology_member(&w->topology, id)->kind != MEMBER_KNOWN || !is_long_unseen(w, id, now))
            continue;
        const struct instance_key key = topology_key(&w->topology, id);
        if (topology_member(&w->topology, id)->kept.seen != NULL)
            watch_note(w, WATCH_TELLS, "%s:%u is forgotten: it was not seen for UnseenInstanceForgetHours", key.host, key.port);
        watch_drop(w, id, NULL);
    }
    if (++w->sweep_turn % WATCH_SWEEP_TURNS == 0) {
        w->counts.late_most_before_us = w->counts.late_most_us;
        w->counts.late_most_us = 0;
    }
}

static void turn(struct watch *w, struct fc_time now)
{
    w->turn_due = fc_plus(now, fc_ms(WATCH_TURN_MS));
    expire_forgotten(w, now);
    look_into_alarms(w);
    sweep(w, now);
    if (fc_reached(w->aliases_due, now) && w->setting.classifier != NULL) {
        w->aliases_due = fc_plus(now, w->setting.calendar.period);
        aliases_choose(&w->aliases, &w->fleet, &w->classifications, w->setting.classifier);
    }
}

void watch_woken(struct watch *w, struct fc_time now)
{
    if (w->is_resting || w->is_recalling)
        return;
    w->now = now;
    note_hanging(w, now);
    if (fc_reached(w->turn_due, now))
        turn(w, now);
    if (fc_reached(w->overrides_due, now)) {
        const struct fc_time names = fc_earlier(host_names_expire(&w->unresolved, now), server_pools_expire(&w->pools, now));
        w->overrides_due = fc_earlier(overrides_expire(&w->overrides, now, expired, w), names);
    }
    settle(w, now);
}

static struct fc_time hanging_due(const struct watch *w)
{
    return w->under_way.count == 0 ? FC_NEVER
                                   : fc_plus(w->under_way.list[w->under_way.first].at, fc_ms(w->fleet.policy.reasonable_check_ms));
}

struct fc_time watch_wake_at(const struct watch *w, struct fc_time now)
{
    if (w->is_resting || w->is_recalling || (w->topology.known == 0 && fc_is_never(w->overrides_due)))
        return FC_NEVER;
    const struct fc_time own = fc_earlier(fc_earlier(w->turn_due, w->judge_due), fc_earlier(hanging_due(w), w->overrides_due));
    return fc_later(fc_earlier(own, discovery_wake_at(&w->calendar, now)), now);
}

/* ---- rows of the store ---- */

void watch_recall_begin(struct watch *w) { w->is_recalling = true; }

/* A filter has come since it was taken in. */
static void let_go(struct watch *w, member_id id)
{
    const struct instance_key key = topology_key(&w->topology, id);
    w->counts.filtered++;
    watch_note(w, WATCH_TELLS, "%s:%u is forgotten: DiscoveryIgnoreHostnameFilters", key.host, key.port);
    watch_drop(w, id, NULL);
}

enum fc_code watch_recall(struct watch *w, const struct watch_recalled *row, struct fc_time now, struct fc_err *err)
{
    struct instance_key master;
    member_id id;
    const enum fc_code code = watch_know(w, &row->key, now, &id, err);
    if (code != FC_OK)
        return code;
    if (watch_fits(w, FILTER_SERVER, &row->key)) {
        let_go(w, id);
        settle(w, now);
        return fc_fail(err, FC_REFUSED, "%s:%u is not looked at: DiscoveryIgnoreHostnameFilters", row->key.host, row->key.port);
    }
    const struct member *m = topology_member(&w->topology, id);
    if (!fc_is_ever(m->checked_at) && !fc_before(m->checked_at, row->checked_at))
        return FC_OK;
    if (row->seen != NULL && (m->kept.seen == NULL || fc_before(m->seen_at, row->seen->seen_at))) {
        const enum fc_code saw = topology_saw(&w->topology, row->seen, watch_master_of(w, row->seen, &master), NULL, err);
        if (saw != FC_OK)
            return saw;
    }
    if (!watch_make_places(w))
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    if (!fc_is_ever(row->checked_at) && (row->seen == NULL || fc_before(row->seen->seen_at, row->checked_at)))
        topology_missed(&w->topology, id, row->is_partly_seen, row->checked_at);
    classify(w, id, NULL);
    if (!fleet_looked(&w->fleet, id, now))
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    settle(w, now);
    return FC_OK;
}

void watch_set(struct watch *w, const struct watch_setting *setting, struct fc_time now)
{
    w->setting = *setting;
    discovery_set(&w->calendar, &setting->calendar);
    classifications_forget_patterns(&w->classifications);
    fleet_set_policy(&w->fleet, &setting->policy, now);
    w->judge_due = now;
    for (member_id id = 0; id < w->topology.count && id < w->place_capacity; id++) {
        const struct instance_key key = topology_key(&w->topology, id);
        if (topology_member(&w->topology, id)->kind == MEMBER_KNOWN && watch_fits(w, FILTER_SERVER, &key))
            let_go(w, id);
    }
}

void watch_recall_end(struct watch *w, struct fc_time now)
{
    w->is_recalling = false;
    for (member_id id = 0; id < w->topology.count && id < w->place_capacity; id++) {
        const struct member *m = topology_member(&w->topology, id);
        w->places[id].told_head = m->head;           /* what was read need not be written */
        w->places[id].told_depth = m->depth;
        w->places[id].told_ring = m->ring;
    }
    settle(w, now);
}

void watch_rest(struct watch *w, bool is_resting, struct fc_time now)
{
    if (w->is_resting == is_resting)
        return;
    w->is_resting = is_resting;
    for (member_id id = 0; id < w->topology.count && id < w->place_capacity; id++) {
        if (topology_member(&w->topology, id)->kind != MEMBER_KNOWN)
            continue;
        if (is_resting) {
            discovery_remove(&w->calendar, id);
            topology_attempted(&w->topology, id, FC_EVER);
        } else {
            discovery_add(&w->calendar, id, now);
        }
    }
    w->under_way.count = 0;
}

bool watch_is_quiet(const struct watch *w) { return w->unlooked == 0; }
