/* Two heaps by due moment (who answers, who does not), and a line of what is urged. */
#include "discover/discovery.h"

#include <assert.h>
#include <string.h>

#define FIRST_PLACES 64

/* --- heaps -------------------------------------------------------------------------------------------------------- */

static bool is_before(const struct discovery *d, uint32_t a, uint32_t b)
{
    const struct fc_time due_a = d->places[a].due, due_b = d->places[b].due;
    return due_a.us != due_b.us ? due_a.us < due_b.us : a < b;      /* never ties */
}

static void put(struct discovery *d, struct discovery_heap *heap, uint32_t at, uint32_t place)
{
    heap->places[at] = place;
    d->places[place].at = at;
}

static void rise(struct discovery *d, struct discovery_heap *heap, uint32_t at)
{
    const uint32_t place = heap->places[at];
    while (at > 0 && is_before(d, place, heap->places[(at - 1) / 2])) {
        put(d, heap, at, heap->places[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(d, heap, at, place);
}

static void sink(struct discovery *d, struct discovery_heap *heap, uint32_t at)
{
    const uint32_t place = heap->places[at];
    for (uint32_t child = 2 * at + 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && is_before(d, heap->places[child + 1], heap->places[child]))
            child++;
        if (!is_before(d, heap->places[child], place))
            break;
        put(d, heap, at, heap->places[child]);
        at = child;
    }
    put(d, heap, at, place);
}

/* --- whose heap --------------------------------------------------------------------------------------------------- */

static bool is_dead(const struct discovery_place *p) { return p->failures > 0 && !p->is_watched; }

static struct discovery_heap *heap_of(struct discovery *d, const struct discovery_place *p)
{
    return is_dead(p) ? &d->dead : &d->living;
}

static void enter(struct discovery *d, uint32_t place)
{
    struct discovery_heap *heap = heap_of(d, &d->places[place]);
    d->places[place].stage = STAGE_WAITING;
    heap->places[heap->count] = place;
    rise(d, heap, heap->count++);
}

static void leave(struct discovery *d, uint32_t place)
{
    struct discovery_heap *heap = heap_of(d, &d->places[place]);
    const uint32_t at = d->places[place].at, last = heap->places[--heap->count];
    assert(heap->places[at] == place || at == heap->count);
    if (last == place)
        return;
    put(d, heap, at, last);
    sink(d, heap, at);
    rise(d, heap, d->places[last].at);
}

/* --- when --------------------------------------------------------------------------------------------------------- */

/* Places apart by the golden ratio never bunch, however many there are. */
static int64_t phase_us(const struct discovery *d, uint32_t place)
{
    return (int64_t)(((unsigned __int128)(uint32_t)(place * 2654435769u) * (uint64_t)d->setting.period.us) >> 32);
}

/* The first moment of its grid that is at least half a period away: a server added between two of them is not looked at twice
 * in a row. */
static struct fc_time next_on_grid(const struct discovery *d, uint32_t place, struct fc_time now)
{
    const int64_t period = d->setting.period.us, from = now.us + period / 2;
    int64_t rest = (from - phase_us(d, place)) % period;
    rest += rest < 0 ? period : 0;
    return (struct fc_time){ rest == 0 ? from : from + period - rest };
}

static struct fc_span dead_wait(const struct discovery *d, uint32_t failures)
{
    double wait_us = (double)d->setting.period.us;
    for (uint32_t i = 1; i < failures && wait_us < (double)d->setting.dead_most.us; i++) {
        wait_us *= d->setting.dead_factor;
        if (d->setting.dead_factor <= 1)
            break;
    }
    const struct fc_span wait = { wait_us < (double)d->setting.dead_most.us ? (int64_t)wait_us : d->setting.dead_most.us };
    return wait.us < d->setting.period.us ? d->setting.period : wait;
}

static struct fc_time due_after(const struct discovery *d, uint32_t place, struct fc_time now)
{
    const struct discovery_place *p = &d->places[place];
    const struct fc_time soon = next_on_grid(d, place, now);
    return is_dead(p) ? fc_later(soon, fc_plus(now, dead_wait(d, p->failures))) : soon;
}

/* --- urged -------------------------------------------------------------------------------------------------------- */

static void urged_append(struct discovery *d, uint32_t place)
{
    d->places[place].is_urged = true;
    d->places[place].next_urged = DISCOVERY_NONE;
    if (d->last_urged == DISCOVERY_NONE)
        d->first_urged = place;
    else
        d->places[d->last_urged].next_urged = place;
    d->last_urged = place;
}

static void urged_unlink(struct discovery *d, uint32_t place)
{
    uint32_t before = DISCOVERY_NONE;
    for (uint32_t at = d->first_urged; at != place; at = d->places[at].next_urged)
        before = at;
    const uint32_t next = d->places[place].next_urged;
    if (before == DISCOVERY_NONE)
        d->first_urged = next;
    else
        d->places[before].next_urged = next;
    if (d->last_urged == place)
        d->last_urged = before;
    d->places[place].is_urged = false;
}

static struct fc_time urge_allowed_at(const struct discovery_place *p)
{
    return fc_plus(p->urged_at, fc_ms(p->urged_twice ? DISCOVERY_URGE_GAP_MS : DISCOVERY_URGE_SOON_MS));
}

/* The first in line that is not under way and may be looked at again. */
static uint32_t urged_ready(const struct discovery *d, struct fc_time now)
{
    for (uint32_t at = d->first_urged; at != DISCOVERY_NONE; at = d->places[at].next_urged) {
        if (d->places[at].stage == STAGE_WAITING && fc_reached(urge_allowed_at(&d->places[at]), now))
            return at;
    }
    return DISCOVERY_NONE;
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

static bool is_sound(const struct discovery_setting *s)
{
    return s->period.us > 0 && s->limit >= 2 && s->dead_limit < s->limit && s->dead_factor >= 1 && s->capacity > 0 &&
           s->capacity < DISCOVERY_NONE && s->dead_most.us >= s->period.us;
}

static void *grown(struct room *room, void *from, size_t used, size_t size)
{
    void *memory = room_reserve(room, size);
    if (memory != NULL && used > 0)
        memcpy(memory, from, used);
    return memory;
}

static bool grow(struct discovery *d, uint32_t wanted)
{
    uint64_t count = d->place_count == 0 ? FIRST_PLACES : d->place_count;
    while (count < wanted)
        count *= 2;
    struct discovery_place *places = grown(d->room, d->places, d->place_count * sizeof *places, count * sizeof *places);
    uint32_t *living = grown(d->room, d->living.places, d->living.count * sizeof *living, count * sizeof *living);
    uint32_t *dead = grown(d->room, d->dead.places, d->dead.count * sizeof *dead, count * sizeof *dead);
    if (places == NULL || living == NULL || dead == NULL) {
        room_release(d->room, places);
        room_release(d->room, living);
        room_release(d->room, dead);
        return false;
    }
    discovery_done(d);
    d->places = places;
    d->living.places = living;
    d->dead.places = dead;
    d->place_count = (uint32_t)count;
    return true;
}

bool discovery_init(struct discovery *d, struct room *room, const struct discovery_setting *setting)
{
    *d = (struct discovery){ .room = room, .setting = *setting, .first_urged = DISCOVERY_NONE, .last_urged = DISCOVERY_NONE };
    return is_sound(setting);
}

void discovery_done(struct discovery *d)
{
    room_release(d->room, d->places);
    room_release(d->room, d->living.places);
    room_release(d->room, d->dead.places);
    d->places = NULL;
    d->living.places = d->dead.places = NULL;
}

void discovery_set(struct discovery *d, const struct discovery_setting *setting)
{
    assert(is_sound(setting));
    d->setting = *setting;
    if (d->setting.capacity < d->known)
        d->setting.capacity = d->known;
}

/* --- the contract ------------------------------------------------------------------------------------------------- */

static struct discovery_place *place_of(struct discovery *d, uint32_t place)
{
    return place < d->place_count && d->places[place].stage != STAGE_ABSENT ? &d->places[place] : NULL;
}

bool discovery_add(struct discovery *d, uint32_t place, struct fc_time now)
{
    if (place_of(d, place) != NULL)
        return true;
    if (d->known >= d->setting.capacity || place >= DISCOVERY_NONE / 2 || (place >= d->place_count && !grow(d, place + 1))) {
        d->refused_count++;
        return false;
    }
    d->places[place] = (struct discovery_place){ .due = now, .urged_at = FC_EVER, .next_urged = DISCOVERY_NONE };
    d->known++;
    enter(d, place);
    return true;
}

static void count_end(struct discovery *d, const struct discovery_place *p)
{
    d->under_way -= !p->began_urgent;
    d->urgent_under_way -= p->began_urgent;
    d->dead_under_way -= p->began_dead;
}

void discovery_remove(struct discovery *d, uint32_t place)
{
    struct discovery_place *p = place_of(d, place);
    if (p == NULL)
        return;
    if (p->is_urged)
        urged_unlink(d, place);
    if (p->stage == STAGE_WAITING)
        leave(d, place);
    else
        count_end(d, p);
    *p = (struct discovery_place){ 0 };
    d->known--;
}

void discovery_watch(struct discovery *d, uint32_t place, bool is_watched, struct fc_time now)
{
    struct discovery_place *p = place_of(d, place);
    if (p == NULL || p->is_watched == is_watched)
        return;
    const bool is_waiting = p->stage == STAGE_WAITING;
    if (is_waiting)
        leave(d, place);
    p->is_watched = is_watched;
    if (is_waiting) {
        if (p->failures > 0 && is_watched)      /* what was put off is put off no longer */
            p->due = fc_earlier(p->due, next_on_grid(d, place, now));
        enter(d, place);
    }
}

void discovery_urge(struct discovery *d, uint32_t place)
{
    if (place_of(d, place) == NULL || d->places[place].is_urged)
        return;
    urged_append(d, place);
}

static uint32_t begin(struct discovery *d, uint32_t place, bool is_urgent)
{
    struct discovery_place *p = &d->places[place];
    leave(d, place);
    p->stage = STAGE_UNDER_WAY;
    p->began_urgent = is_urgent;
    p->began_dead = !is_urgent && is_dead(p);
    d->under_way += !is_urgent;
    d->urgent_under_way += is_urgent;
    d->dead_under_way += p->began_dead;
    d->begun_count++;
    if (p->is_urged)
        urged_unlink(d, place);
    return place;
}

static uint32_t dead_limit(const struct discovery *d)
{
    return d->setting.dead_limit > 0 ? d->setting.dead_limit : d->setting.limit / 2;
}

/* The heap whose first is due and within its bound; of two the one that waits longer. */
static const struct discovery_heap *heap_ready(const struct discovery *d, struct fc_time now)
{
    const bool living = d->living.count > 0 && fc_reached(d->places[d->living.places[0]].due, now);
    const bool dead = d->dead.count > 0 && fc_reached(d->places[d->dead.places[0]].due, now) && d->dead_under_way < dead_limit(d);
    if (living && dead)
        return is_before(d, d->dead.places[0], d->living.places[0]) ? &d->dead : &d->living;
    return living ? &d->living : dead ? &d->dead : NULL;
}

uint32_t discovery_begin(struct discovery *d, struct fc_time now, struct fc_span *late)
{
    const uint32_t urged = d->urgent_under_way < d->setting.urgent_limit ? urged_ready(d, now) : DISCOVERY_NONE;
    *late = (struct fc_span){ 0 };
    if (urged != DISCOVERY_NONE) {
        d->places[urged].urged_twice = fc_since(d->places[urged].urged_at, now).us < fc_ms(2 * DISCOVERY_URGE_GAP_MS).us;
        d->places[urged].urged_at = now;
        d->urged_count++;
        return begin(d, urged, true);
    }
    const struct discovery_heap *heap = d->under_way < d->setting.limit ? heap_ready(d, now) : NULL;
    if (heap == NULL)
        return DISCOVERY_NONE;
    const uint32_t place = heap->places[0];
    *late = fc_since(d->places[place].due, now);
    return begin(d, place, false);
}

void discovery_ended(struct discovery *d, uint32_t place, bool has_answered, struct fc_time now)
{
    struct discovery_place *p = place_of(d, place);
    if (p == NULL || p->stage != STAGE_UNDER_WAY)
        return;
    count_end(d, p);
    p->failures = has_answered ? 0 : p->failures + (p->failures < UINT32_MAX);
    p->due = due_after(d, place, now);
    enter(d, place);
}

static struct fc_time urge_wake(const struct discovery *d, struct fc_time now)
{
    struct fc_time earliest = FC_NEVER;
    if (d->urgent_under_way >= d->setting.urgent_limit)
        return FC_NEVER;
    for (uint32_t at = d->first_urged; at != DISCOVERY_NONE && earliest.us > now.us; at = d->places[at].next_urged) {
        if (d->places[at].stage == STAGE_WAITING)
            earliest = fc_earlier(earliest, fc_later(urge_allowed_at(&d->places[at]), now));
    }
    return earliest;
}

struct fc_time discovery_wake_at(const struct discovery *d, struct fc_time now)
{
    struct fc_time earliest = urge_wake(d, now);
    if (d->under_way >= d->setting.limit)
        return earliest;
    if (d->living.count > 0)
        earliest = fc_earlier(earliest, d->places[d->living.places[0]].due);
    if (d->dead.count > 0 && d->dead_under_way < dead_limit(d))
        earliest = fc_earlier(earliest, d->places[d->dead.places[0]].due);
    return earliest;
}
