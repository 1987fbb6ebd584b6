/* What is to be done, in lines that the performer empties. A server stands in the line of rows once, however often it changes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "watch/watch_inside.h"

/* ---- lines ---- */

bool line_reserve(struct watch_line *line, struct room *room)
{
    if (line->count < line->capacity)
        return true;
    const uint32_t capacity = line->capacity == 0 ? 64 : line->capacity * 2;
    struct watch_step *list = room_reserve(room, capacity * sizeof *list);
    if (list == NULL)
        return false;
    for (uint32_t i = 0; i < line->count; i++)
        list[i] = line->list[(line->first + i) & (line->capacity - 1)];
    room_release(room, line->list);
    line->list = list;
    line->first = 0;
    line->capacity = capacity;
    return true;
}

bool line_push(struct watch_line *line, struct room *room, struct watch_step step)
{
    if (!line_reserve(line, room))
        return false;
    line->list[(line->first + line->count++) & (line->capacity - 1)] = step;
    return true;
}

bool line_pop(struct watch_line *line, struct watch_step *ret)
{
    if (line->count == 0)
        return false;
    *ret = line->list[line->first];
    line->first = (line->first + 1) & (line->capacity - 1);
    line->count--;
    return true;
}

void watch_mark(struct watch *w, member_id id, bool is_changed)
{
    struct watch_place *place = watch_place_of(w, id);
    place->is_changed |= is_changed;
    if (!place->is_in_line)
        place->is_in_line = line_push(&w->rows, w->room, (struct watch_step){ .id = id });
}

void watch_note(struct watch *w, enum watch_note level, const char *format, ...)
{
    va_list args;
    if (w->note_count == WATCH_NOTES_MAX) {
        w->counts.notes_dropped++;
        return;
    }
    const uint32_t at = (w->note_first + w->note_count++) % WATCH_NOTES_MAX;
    va_start(args, format);
    vsnprintf(w->notes[at].text, sizeof w->notes[at].text, format, args);
    va_end(args);
    w->notes[at].level = level;
}

/* ---- taking ---- */

static bool next_gone(struct watch *w, struct watch_effect *ret)
{
    struct watch_step step;
    if (!line_pop(&w->gone, &step))
        return false;
    text_copy(w->told, sizeof w->told, names_text(&w->topology.names, step.host));
    names_drop(&w->topology.names, step.host);
    *ret = (struct watch_effect){ .type = WATCH_GONE, .id = step.id, .key = { w->told, step.port } };
    return true;
}

static bool next_row(struct watch *w, struct watch_effect *ret)
{
    struct watch_step step;
    while (line_pop(&w->rows, &step)) {
        struct watch_place *place = watch_place_of(w, step.id);
        const struct member *m = topology_member(&w->topology, step.id);
        const bool is_changed = place->is_changed;
        place->is_in_line = place->is_changed = false;
        if (m->kind != MEMBER_KNOWN)
            continue;
        place->told_head = m->head;
        place->told_depth = m->depth;
        place->told_ring = m->ring;
        *ret = (struct watch_effect){ .type = WATCH_ROW, .id = step.id, .key = topology_key(&w->topology, step.id), .is_changed = is_changed };
        return true;
    }
    return false;
}

/* Worse than before is a warning; that it is well again, or better known, is told. */
static enum watch_note level_of(const struct fleet_change *change)
{
    if (change->is == ANALYSIS_NO_PROBLEM)
        return WATCH_TELLS;
    return analysis_codes[change->is].recovery != RECOVERY_NONE ? WATCH_ALARMS : WATCH_WARNS;
}

/* Of a server that analyses leave out nothing is told. */
static bool is_left_out(const struct watch *w, const struct fleet_change *change)
{
    const char *host;
    size_t length;
    char name[INSTANCE_HOST_MAX + 1];
    struct instance_key key = { .host = name };
    return instance_key_parse(change->server, strlen(change->server), 0, &host, &length, &key.port) &&
           text_copy_bytes(name, sizeof name, host, length) && watch_fits(w, FILTER_ANALYSIS, &key);
}

static const struct fleet_change *next_change(struct watch *w)
{
    while (w->change_told < w->fleet.change_count) {
        const struct fleet_change *change = fleet_change(&w->fleet, ++w->change_told);
        if (change != NULL && !is_left_out(w, change))           /* NULL: more than are kept changed at once */
            return change;
    }
    return NULL;
}

static bool next_note(struct watch *w, struct watch_effect *ret)
{
    const struct fleet_change *change = next_change(w);
    if (change != NULL) {
        fleet_change_text(change, w->told, sizeof w->told);
        *ret = (struct watch_effect){ .type = WATCH_NOTE, .id = MEMBER_NONE, .level = level_of(change), .text = w->told, .change = change };
        return true;
    }
    if (w->note_count == 0)
        return false;
    text_copy(w->told, sizeof w->told, w->notes[w->note_first].text);
    *ret = (struct watch_effect){ .type = WATCH_NOTE, .id = MEMBER_NONE, .level = w->notes[w->note_first].level, .text = w->told };
    w->note_first = (w->note_first + 1) % WATCH_NOTES_MAX;
    w->note_count--;
    return true;
}

static bool next_name(struct watch *w, struct watch_effect *ret)
{
    struct watch_step step;
    while (line_pop(&w->names, &step)) {
        if (topology_member(&w->topology, step.id)->kind != MEMBER_KNOWN) {
            watch_place_of(w, step.id)->is_name_awaited = false;
            continue;
        }
        *ret = (struct watch_effect){ .type = WATCH_RESOLVE, .id = step.id, .key = topology_key(&w->topology, step.id) };
        return true;
    }
    return false;
}

const int64_t watch_late_bounds_us[WATCH_LATE_BOUNDS] = { 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000 };

static void count_late(struct watch *w, struct fc_span late)
{
    const int64_t us = late.us > 0 ? late.us : 0;
    int at = 0;
    while (at < WATCH_LATE_BOUNDS && us > watch_late_bounds_us[at])
        at++;
    w->counts.late_within[at]++;
    w->counts.late_us += (uint64_t)us;
    if (us > w->counts.late_most_us)
        w->counts.late_most_us = us;
}

static bool next_look(struct watch *w, struct fc_time now, struct watch_effect *ret)
{
    struct fc_span late;
    if (w->is_resting || w->is_recalling || !line_reserve(&w->under_way, w->room))
        return false;
    const uint64_t urged = w->calendar.urged_count;
    const uint32_t id = discovery_begin(&w->calendar, now, &late);
    if (id == DISCOVERY_NONE)
        return false;
    if (w->calendar.urged_count == urged)
        count_late(w, late);
    topology_attempted(&w->topology, id, now);
    line_push(&w->under_way, w->room, (struct watch_step){ .id = id, .at = now });
    *ret = (struct watch_effect){ .type = WATCH_LOOK, .id = id, .key = topology_key(&w->topology, id) };
    return true;
}

bool watch_next(struct watch *w, struct fc_time now, struct watch_effect *ret)
{
    *ret = (struct watch_effect){ .type = WATCH_NOTHING, .id = MEMBER_NONE };
    return next_gone(w, ret) || next_note(w, ret) || next_name(w, ret) || next_look(w, now, ret) || next_row(w, ret);
}
