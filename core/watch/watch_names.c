/* By which name a server is known: what it calls itself is tried before it is believed. */
#include <string.h>

#include "base/text.h"
#include "watch/watch_inside.h"

static const struct instance_seen *seen_of(const struct watch *w, member_id id)
{
    return topology_member(&w->topology, id)->kept.seen;
}

/* Images of one machine share host name and uid; members of one replication never share a server id. */
static bool is_one_server(const struct instance_seen *a, const struct instance_seen *b)
{
    return a->server_id == b->server_id && a->report_port == b->report_port && text_is(a->host_name, b->host_name) &&
           text_is(a->server_uuid, b->server_uuid);
}

/* ---- names of masters ---- */

static bool is_learned_name_wrong(const struct watch *w, const struct instance_key *is, const struct channel_seen *channel)
{
    const member_id id = topology_find(&w->topology, is);
    const struct instance_seen *seen = id == MEMBER_NONE ? NULL : seen_of(w, id);
    return seen == NULL || (channel->master_server_id != 0 && channel->master_server_id != seen->server_id);
}

/* The store has it from before this process, or from another tool: a master may be dead now, and cannot be asked under that name. */
static void take_name_of_before(struct watch *w, const struct channel_seen *channel, struct instance_key *to)
{
    const struct instance_key is = { host_names_of(&w->resolved, channel->master.host, w->now), channel->master.port };
    const member_id id = topology_find(&w->topology, &is);
    const bool may_still_come = w->is_recalling && (id == MEMBER_NONE || seen_of(w, id) == NULL);      /* rows come in the order of their keys */
    if (is.host[0] == '\0' || text_is(is.host, channel->master.host) || (!may_still_come && is_learned_name_wrong(w, &is, channel)) ||
        !called_learn(&w->called, &channel->master, is.host))
        return;
    *to = called_is(&w->called, &channel->master);
    host_names_set(&w->resolved, channel->master.host, to->host, w->now, FC_NEVER, NULL);
}

const struct instance_key *watch_master_of(struct watch *w, const struct instance_seen *seen, struct instance_key *to)
{
    const member_id id = topology_find(&w->topology, &seen->key);
    const bool is_carried = (seen->missing & READING_BIT(READING_REPLICATION)) != 0 && id != MEMBER_NONE && seen_of(w, id) != NULL;
    const struct channel_seen *channel = instance_channel(is_carried ? seen_of(w, id) : seen);
    if (channel == NULL)
        return NULL;
    *to = called_is(&w->called, &channel->master);
    if (!instance_key_is_same(to, &channel->master) && is_learned_name_wrong(w, to, channel)) {
        called_forget(&w->called, &channel->master);       /* the name leads to another server now: that is found out anew */
        *to = channel->master;
    } else if (instance_key_is_same(to, &channel->master)) {
        take_name_of_before(w, channel, to);
    }
    return to;
}

/* ---- a server's own name ---- */

static const char *told_name(const struct watch *w, const struct instance_seen *seen)
{
    switch (w->setting.own_name) {
    case OWN_NAME_HOST: return seen->host_name == NULL ? "" : seen->host_name;
    case OWN_NAME_REPORT_HOST: return seen->report_host == NULL ? "" : seen->report_host;
    case OWN_NAME_NONE: break;
    }
    return "";
}

static void do_not_try_again(struct watch *w, member_id id, const char *name, struct fc_time now)
{
    struct watch_place *place = watch_place_of(w, id);
    if (names_set(&w->topology.names, &place->tried, name))
        place->tried_until = fc_plus(now, w->setting.name_life);
}

static bool is_worth_trying(const struct watch *w, member_id id, const char *name, struct fc_time now)
{
    const struct instance_key key = topology_key(&w->topology, id);
    const struct watch_place *place = &w->places[id];
    const struct instance_key as_key = { name, key.port };
    const bool was_tried = place->tried != NAME_EMPTY && text_is(names_text(&w->topology.names, place->tried), name) &&
                           !fc_reached(place->tried_until, now);
    return name[0] != '\0' && strchr(name, ',') == NULL && instance_key_is_valid(&as_key) && !text_is_nocase(name, key.host) && !was_tried &&
           !watch_fits(w, FILTER_OWN_NAME, &as_key);
}

/* `id` is known by its own name from now on; `other` was the same server, asked by another name. */
static void take_name(struct watch *w, member_id id, member_id other, struct fc_time now)
{
    const struct instance_key old = topology_key(&w->topology, other), key = topology_key(&w->topology, id);
    if (!called_learn(&w->called, &old, key.host))
        return;
    host_names_set(&w->resolved, old.host, key.host, now, FC_NEVER, NULL);       /* shown; nothing goes by it */
    watch_note(w, WATCH_TELLS, "%s:%u calls itself %s, answers there, and is known by that name", old.host, old.port, key.host);
    watch_place_of(w, id)->is_seed |= watch_place_of(w, other)->is_seed;
    for (member_id replica = topology_first_replica(&w->topology, other); replica != MEMBER_NONE;
         replica = topology_next_replica(&w->topology, replica))
        discovery_urge(&w->calendar, replica);             /* it names the old one still */
    watch_drop(w, other, NULL);
}

static void try_name(struct watch *w, member_id id, const char *name, struct fc_time now)
{
    const struct instance_key own = { name, topology_key(&w->topology, id).port };
    member_id there = topology_find(&w->topology, &own);
    const bool is_known = there != MEMBER_NONE && topology_member(&w->topology, there)->kind == MEMBER_KNOWN;
    if (is_known && seen_of(w, there) != NULL) {
        if (!watch_place_of(w, there)->was_looked_at)
            return;                      /* a row of the store lacks what is compared: at the next look */
        if (is_one_server(seen_of(w, there), seen_of(w, id)))
            take_name(w, there, id, now);
        else
            do_not_try_again(w, id, name, now);
        return;
    }
    if (!is_known && watch_know(w, &own, now, &there, NULL) != FC_OK)
        return;
    struct watch_place *place = watch_place_of(w, there);
    place->is_tried_only |= !is_known;
    if (place->candidate_of == MEMBER_NONE)
        place->candidate_of = id;
}

/* Whether the server that this one was tried for is still there, and unseen under no other key. */
static bool is_waiting(const struct watch *w, member_id other, member_id id)
{
    return other != id && other < w->topology.count && topology_member(&w->topology, other)->kind == MEMBER_KNOWN &&
           seen_of(w, other) != NULL && topology_member(&w->topology, other)->port == topology_member(&w->topology, id)->port;
}

static void finish_trial(struct watch *w, member_id id, struct fc_time now)
{
    struct watch_place *place = watch_place_of(w, id);
    const member_id other = place->candidate_of;
    place->candidate_of = MEMBER_NONE;
    place->is_tried_only = false;
    if (!is_waiting(w, other, id))
        return;
    if (is_one_server(seen_of(w, id), seen_of(w, other)))
        take_name(w, id, other, now);
    else
        do_not_try_again(w, other, topology_key(&w->topology, id).host, now);
}

void watch_own_name(struct watch *w, member_id id, struct fc_time now)
{
    if (watch_place_of(w, id)->candidate_of != MEMBER_NONE) {
        finish_trial(w, id, now);
        return;
    }
    char name[INSTANCE_HOST_MAX + 1];
    if (!text_copy(name, sizeof name, told_name(w, seen_of(w, id))))
        return;
    if (name[0] != '\0' && is_worth_trying(w, id, name, now)) {
        try_name(w, id, name, now);
        return;
    }
    struct watch_place *place = watch_place_of(w, id);
    if (name[0] == '\0' && w->setting.asks_names && !place->is_name_awaited && fc_reached(place->tried_until, now))
        place->is_name_awaited = line_push(&w->names, w->room, (struct watch_step){ .id = id });
}

bool watch_name_failed(struct watch *w, member_id id, struct fc_time now)
{
    struct watch_place *place = watch_place_of(w, id);
    const member_id other = place->candidate_of;
    const struct instance_key own = topology_key(&w->topology, id);
    if (other == MEMBER_NONE)
        return false;
    place->candidate_of = MEMBER_NONE;
    if (is_waiting(w, other, id)) {
        const struct instance_key key = topology_key(&w->topology, other);
        watch_note(w, WATCH_TELLS, "%s:%u keeps that name: it calls itself %s, and nobody answers there", key.host, key.port, own.host);
        do_not_try_again(w, other, own.host, now);
    }
    return place->is_tried_only && watch_drop(w, id, NULL) == FC_OK;
}

void watch_resolved(struct watch *w, const struct instance_key *key, const char *name, struct fc_time now)
{
    const member_id id = topology_find(&w->topology, key);
    if (id == MEMBER_NONE || id >= w->place_capacity)
        return;
    struct watch_place *place = watch_place_of(w, id);
    place->is_name_awaited = false;
    place->tried_until = fc_plus(now, w->setting.name_life);      /* asked again after so long, whatever it was */
    if (name == NULL || topology_member(&w->topology, id)->kind != MEMBER_KNOWN || seen_of(w, id) == NULL)
        return;
    const struct fc_time again = place->tried_until;
    place->tried_until = place->tried == NAME_EMPTY ? FC_EVER : again;
    if (is_worth_trying(w, id, name, now))
        try_name(w, id, name, now);
    place = watch_place_of(w, id);
    if (topology_member(&w->topology, id)->kind == MEMBER_KNOWN)
        place->tried_until = again;
}
