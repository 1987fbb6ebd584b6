/* Arrays beside the topology's slots. What is touched comes from the topology's list, what is due from the list of the timed. */
#include "judge/fleet.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

#define NO_MEMORY_REST_MS 1000       /* before memory is asked for again */

static bool resize(struct fleet *f, uint32_t capacity)
{
    struct traits *traits = room_reserve(f->room, capacity * sizeof *traits);
    struct verdict *verdicts = room_reserve(f->room, capacity * sizeof *verdicts);
    member_id *timed = room_reserve(f->room, capacity * sizeof *timed);
    if (traits == NULL || verdicts == NULL || timed == NULL) {
        room_release(f->room, traits);
        room_release(f->room, verdicts);
        room_release(f->room, timed);
        return false;
    }
    if (f->capacity > 0) {
        memcpy(traits, f->traits, f->capacity * sizeof *traits);
        memcpy(verdicts, f->verdicts, f->capacity * sizeof *verdicts);
        memcpy(timed, f->timed, f->timed_count * sizeof *timed);
    }
    for (uint32_t id = f->capacity; id < capacity; id++) {
        traits[id].due = FC_NEVER;
        verdicts[id] = (struct verdict){ .memory.standing_since = FC_EVER, .grace_until = FC_EVER };
    }
    room_release(f->room, f->traits);
    room_release(f->room, f->verdicts);
    room_release(f->room, f->timed);
    f->traits = traits;
    f->verdicts = verdicts;
    f->timed = timed;
    f->capacity = capacity;
    return true;
}

bool fleet_init(struct fleet *f, struct room *room, struct topology *topology, const struct overrides *overrides,
                const struct analysis_policy *policy)
{
    *f = (struct fleet){ .room = room, .topology = topology, .overrides = overrides, .policy = *policy, .desk.room = room,
                         .due = FC_NEVER };
    f->changes = room_reserve(room, FLEET_CHANGES_MAX * sizeof *f->changes);
    if (f->changes != NULL && resize(f, topology->capacity))
        return true;
    fleet_done(f);
    return false;
}

void fleet_done(struct fleet *f)
{
    errant_desk_done(&f->desk);
    if (f->room != NULL) {
        room_release(f->room, f->traits);
        room_release(f->room, f->verdicts);
        room_release(f->room, f->timed);
        room_release(f->room, f->changes);
    }
    *f = (struct fleet){ 0 };
}

/* ---- traits ---- */

static void keep_time(struct fleet *f, member_id id, struct fc_time due)
{
    f->due = fc_earlier(f->due, due);
    if (fc_is_never(due) || f->verdicts[id].is_timed)
        return;
    f->verdicts[id].is_timed = true;
    f->timed[f->timed_count++] = id;
}

static struct fc_time due_of(const struct fleet *f, member_id id)
{
    const struct fc_time grace = f->verdicts[id].grace_until;
    return fc_is_ever(grace) ? f->traits[id].due : fc_earlier(f->traits[id].due, grace);
}

static void touch_around(struct fleet *f, member_id id)
{
    const member_id master = topology_member(f->topology, id)->master;
    topology_touch(f->topology, id);
    if (master != MEMBER_NONE)
        topology_touch(f->topology, master);
}

static void take(struct fleet *f, member_id id, struct fc_time now)
{
    struct topology *t = f->topology;
    struct verdict *v = &f->verdicts[id];
    if (v->awaits_look && topology_member(t, id)->checked_at.us != v->looked_before.us) {
        v->awaits_look = false;
        touch_around(f, id);
    }
    const struct instance_key key = topology_key(t, id);
    const bool is_errant = errant_judge(&f->desk, t, id) == ERRANT_YES;
    const struct traits fresh = traits_take(t, id, overrides_of(f->overrides, &key), f->overrides->names, is_errant, &f->policy,
                                            &f->verdicts[id].memory, now);
    if (!traits_are_same(&f->traits[id], &fresh))
        topology_touch(t, id);
    if (!traits_count_the_same(&f->traits[id], &fresh) && topology_member(t, id)->master != MEMBER_NONE)
        topology_touch(t, topology_member(t, id)->master);
    f->traits[id] = fresh;
    keep_time(f, id, due_of(f, id));
}

static bool has_room(struct fleet *f)
{
    return f->capacity >= f->topology->capacity || resize(f, f->topology->capacity);
}

bool fleet_looked(struct fleet *f, member_id id, struct fc_time now)
{
    if (!has_room(f))
        return false;
    take(f, id, now);
    return true;
}

void fleet_grant_grace(struct fleet *f, member_id id, struct fc_time until)
{
    assert(id < f->capacity);
    f->verdicts[id].grace_until = until;
    keep_time(f, id, until);
    topology_touch(f->topology, id);
}

void fleet_await_look(struct fleet *f, member_id id)
{
    assert(id < f->capacity);
    f->verdicts[id].awaits_look = true;
    f->verdicts[id].looked_before = topology_member(f->topology, id)->checked_at;
}

void fleet_recall_told(struct fleet *f, member_id id, enum analysis_code told)
{
    assert(id < f->capacity);
    f->verdicts[id].told = told;
    f->verdicts[id].has_told = true;
}

void fleet_set_policy(struct fleet *f, const struct analysis_policy *policy, struct fc_time now)
{
    f->policy = *policy;
    for (member_id id = 0; id < f->topology->count && id < f->capacity; id++) {
        if (topology_member(f->topology, id)->kind != MEMBER_KNOWN)
            continue;
        take(f, id, now);
        topology_touch(f->topology, id);
    }
}

/* Those whose moment has come: their traits are taken anew. The list is walked only when the earliest moment has come. */
static void take_due(struct fleet *f, struct fc_time now)
{
    if (!fc_reached(f->due, now))
        return;
    const uint32_t count = f->timed_count;
    f->due = FC_NEVER;
    f->timed_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const member_id id = f->timed[i];
        struct verdict *v = &f->verdicts[id];
        v->is_timed = false;
        if (topology_member(f->topology, id)->kind == MEMBER_FREE)
            continue;
        if (!fc_reached(due_of(f, id), now)) {
            keep_time(f, id, due_of(f, id));
            continue;
        }
        if (!fc_is_ever(v->grace_until) && fc_reached(v->grace_until, now)) {
            v->grace_until = FC_EVER;
            topology_touch(f->topology, id);
        }
        take(f, id, now);
    }
}

/* ---- verdicts ---- */

static void note_change(struct fleet *f, member_id id, const struct analysis_facts *facts, enum analysis_code was, struct fc_time now)
{
    struct fleet_change *change = &f->changes[f->change_count % FLEET_CHANGES_MAX];
    *change = (struct fleet_change){ .sequence = ++f->change_count, .at = now, .was = was, .is = f->verdicts[id].found.code,
                                     .replicas = facts->replicas, .valid = facts->valid, .replicating = facts->replicating,
                                     .failing_to_connect = facts->failing_to_connect, .lagging = facts->lagging,
                                     .downtimed = facts->downtimed };
    topology_key_text(f->topology, id, change->server, sizeof change->server);
}

/* A verdict made of rows of the store alone, its own or its replicas', may be of another moment than what was told last. */
static bool awaits_look(const struct fleet *f, member_id id)
{
    bool awaits = f->verdicts[id].awaits_look;
    for (member_id replica = topology_first_replica(f->topology, id); replica != MEMBER_NONE && !awaits;
         replica = topology_next_replica(f->topology, replica))
        awaits = f->verdicts[replica].awaits_look;
    return awaits;
}

static void tell_change(struct fleet *f, member_id id, const struct analysis_facts *facts, struct fc_time now)
{
    struct verdict *v = &f->verdicts[id];
    if (v->has_told && awaits_look(f, id))
        return;
    if (v->has_told && v->told != v->found.code && facts->replicas > 0)
        note_change(f, id, facts, v->told, now);
    v->told = v->found.code;
    v->has_told = true;
}

static bool is_judged(const struct fleet *f, member_id id)
{
    return topology_member(f->topology, id)->kind == MEMBER_KNOWN && !trait_is(&f->traits[id], TRAIT_IN_MAINTENANCE) &&
           !fc_is_ever(topology_member(f->topology, id)->checked_at);
}

/* A slot that was given up: the next server in it begins with nothing. */
static void forget(struct fleet *f, member_id id)
{
    const bool is_timed = f->verdicts[id].is_timed;
    f->verdicts[id] = (struct verdict){ .memory.standing_since = FC_EVER, .grace_until = FC_EVER, .is_timed = is_timed };
    f->traits[id] = (struct traits){ .due = FC_NEVER };
}

static void judge(struct fleet *f, member_id id, struct fc_time now)
{
    struct verdict *v = &f->verdicts[id];
    if (topology_member(f->topology, id)->kind != MEMBER_KNOWN) {
        forget(f, id);
        return;
    }
    if (!is_judged(f, id))
        return;
    const struct analysis_facts facts = facts_count(f->topology, f->traits, id);
    const enum analysis_code was = v->found.code;
    v->found = analysis_judge(&facts, &f->policy, !fc_is_ever(v->grace_until) && !fc_reached(v->grace_until, now));
    f->judged++;
    if (!v->has_code || was != v->found.code)
        v->since = now;
    v->has_code = true;
    tell_change(f, id, &facts, now);
}

struct fc_time fleet_judge(struct fleet *f, struct fc_time now)
{
    if (!has_room(f))
        return fc_plus(now, fc_ms(NO_MEMORY_REST_MS));           /* what was touched stays so, and is judged then */
    take_due(f, now);
    for (member_id id = topology_take_touched(f->topology); id != MEMBER_NONE; id = topology_take_touched(f->topology)) {
        judge(f, id, now);
        if (f->told != NULL)
            f->told(f->listener, id);
    }
    return f->due;
}

const struct analysis *fleet_analysis(const struct fleet *f, member_id id)
{
    return id < f->capacity && f->verdicts[id].has_code && is_judged(f, id) ? &f->verdicts[id].found : NULL;
}

struct analysis_facts fleet_facts(const struct fleet *f, member_id id)
{
    assert(id < f->capacity);
    return facts_count(f->topology, f->traits, id);
}

const struct fleet_change *fleet_change(const struct fleet *f, uint64_t sequence)
{
    if (sequence == 0 || sequence > f->change_count || sequence + FLEET_CHANGES_MAX <= f->change_count)
        return NULL;
    return &f->changes[(sequence - 1) % FLEET_CHANGES_MAX];
}

bool fleet_change_text(const struct fleet_change *c, char *to, size_t size)
{
    return text_format(to, size, "%s: %s -> %s, %d replicas, %d valid, %d replicating, %d failing, %d lagging, %d downtimed", c->server,
                       analysis_codes[c->was].word, analysis_codes[c->is].word, c->replicas, c->valid, c->replicating,
                       c->failing_to_connect, c->lagging, c->downtimed);
}
