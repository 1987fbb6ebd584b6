/* Events in the order of true time, and what a story's lines do. */
#include "quorumsim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CALM_ELECTIONS 30                /* after the heal, until the story ends */
#define CALM_US 12000000                 /* and for connections that nobody knows to be dead yet */
#define LAST_ORDERS_ELECTIONS 12         /* before the end, each node is asked for an entry once more */

/* ---- chance and story --------------------------------------------------------------------------------------------- */

int64_t world_between(struct world *w, int64_t from, int64_t to) { return to <= from ? from : from + (int64_t)rng_below(&w->chance, (uint64_t)(to - from + 1)); }

bool world_percent(struct world *w, int64_t percent) { return percent > 0 && (int64_t)rng_below(&w->chance, 100) < percent; }

int64_t world_election_us(const struct world *w) { return w->plot->election_ms * INT64_C(1000); }

void world_tell(struct world *w, int node, const char *format, ...)
{
    va_list arguments;
    if (!w->is_told)
        return;
    char *line = w->story[w->story_count++ % STORY_LINES];
    const size_t size = sizeof w->story[0];
    text_format(line, size, "%10.6f %s%.0d ", (double)w->now / 1e6, node < 0 ? "--" : "n", node + 1);
    va_start(arguments, format);
    vsnprintf(line + strlen(line), size - strlen(line), format, arguments);
    va_end(arguments);
    if (w->is_printed)
        puts(line);
}

void world_print_end(const struct world *w)
{
    const uint64_t from = w->story_count > STORY_LINES ? w->story_count - STORY_LINES : 0;
    for (uint64_t i = from; i < w->story_count; i++)
        puts(w->story[i % STORY_LINES]);
}

/* ---- events ------------------------------------------------------------------------------------------------------- */

static bool is_before(const struct world_event *a, const struct world_event *b) { return a->at != b->at ? a->at < b->at : a->order < b->order; }

static void heap_put(struct world *w, struct world_event event)
{
    if (w->heap_count == w->heap_room) {
        w->heap_room = w->heap_room == 0 ? 1024 : 2 * w->heap_room;
        w->heap = realloc(w->heap, sizeof w->heap[0] * (size_t)w->heap_room);
    }
    int i = w->heap_count++;
    for (int up = (i - 1) / 2; i > 0 && is_before(&event, &w->heap[up]); i = up, up = (i - 1) / 2)
        w->heap[i] = w->heap[up];
    w->heap[i] = event;
}

static struct world_event heap_take(struct world *w)
{
    const struct world_event first = w->heap[0], last = w->heap[--w->heap_count];
    int i = 0;
    for (int down = 1; down < w->heap_count; i = down, down = 2 * i + 1) {
        if (down + 1 < w->heap_count && is_before(&w->heap[down + 1], &w->heap[down]))
            down++;
        if (!is_before(&w->heap[down], &last))
            break;
        w->heap[i] = w->heap[down];
    }
    w->heap[i] = last;
    return first;
}

void world_at(struct world *w, int64_t at, enum event_kind kind, int node, void *what)
{
    const struct world_event event = { .at = at < w->now ? w->now : at, .order = ++w->next_order, .kind = kind, .node = node,
                                       .life = node < 0 ? 0 : w->nodes[node].life, .what = what };
    heap_put(w, event);
}

void world_again(struct world *w, const struct world_event *event, int64_t at)
{
    struct world_event again = *event;
    again.at = at;
    heap_put(w, again);
}

/* ---- parties ------------------------------------------------------------------------------------------------------ */

/* The one of the highest term that runs; -1: none. */
static int leader_of(const struct world *w)
{
    int leader = -1;
    for (int i = 0; i < w->node_count; i++) {
        const struct quorum_view *view = &w->nodes[i].view;
        if (w->nodes[i].is_up && (view->role == QUORUM_LEADER || view->role == QUORUM_ALONE) &&
            (leader < 0 || view->term > w->nodes[leader].view.term))
            leader = i;
    }
    return leader;
}

static int resolve(const struct world *w, int party)
{
    const int leader = leader_of(w) < 0 ? 0 : leader_of(w);
    switch (party) {
    case PARTY_LEADER: return leader;
    case PARTY_OTHER: return (leader + 1) % w->node_count;
    case PARTY_LAST: return (leader + w->node_count - 1) % w->node_count;
    default: return party >= w->node_count ? party % w->node_count : party;
    }
}

/* ---- what lines do ------------------------------------------------------------------------------------------------ */

static void end_for(struct world *w, struct machine *m, int64_t for_us, bool is_orderly)
{
    if (!m->is_up)
        return;
    machine_end(m, is_orderly);
    m->back_at = w->now + for_us;
    world_at(w, m->back_at, EVENT_BACK, m->place, NULL);
}

static void wipe(struct world *w, struct machine *m, int64_t for_us)
{
    int wiped = 0;
    for (int i = 0; i < w->node_count; i++)
        wiped += w->nodes[i].may_stay_out || w->nodes[i].lacks_entries;
    if (wiped >= (w->node_count - 1) / 2 || m->may_stay_out)
        return;                                            /* a majority that forgot is beyond any promise */
    m->is_wiped = strstr(m->disk.stored.identity, "state member") != NULL;
    m->may_stay_out = m->disk.stored.identity[0] != '\0';
    end_for(w, m, for_us, false);
    disk_wipe(&m->disk);
    w->tally->wiped_out += m->is_wiped;
}

/* A mark in the directory is what a node knows it by; the power's loss could take the mark with it, which is beyond the promise. */
static void lose_tail(struct world *w, const struct plot_line *line)
{
    struct machine *m = &w->nodes[line->a];
    int without = !m->is_up;
    for (int i = 0; i < w->node_count; i++)
        without += w->nodes[i].may_stay_out || w->nodes[i].lacks_entries;
    if (without >= (w->node_count - 1) / 2)
        return;                                            /* the others must be able to elect somebody without it */
    end_for(w, m, line->for_us, false);
    const int lost = disk_lose_tail(&m->disk, (int)line->amount);
    m->lacks_entries = lost > 0;
    w->tally->lied_tails += lost > 0;
}

static void isolate(struct world *w, int node, int by)
{
    for (int i = 0; i < w->node_count; i++) {
        if (i != node) {
            w->cut[node][i] += by;
            w->cut[i][node] += by;
        }
    }
}

static void cut(struct world *w, const struct plot_line *line, int by)
{
    if (line->a != line->b)
        w->cut[line->a][line->b] += by;
    if (line->a != line->b && line->fault == PLOT_CUT)
        w->cut[line->b][line->a] += by;
}

/* What one can ask of a process that runs and is awake. */
static void ask(struct world *w, const struct plot_line *line)
{
    struct machine *m = &w->nodes[line->a];
    if (m->consensus == NULL || m->frozen_until > w->now || m->busy_until > w->now)
        return;
    for (int64_t i = 0; line->fault == PLOT_ORDERS && i < line->amount; i++)
        machine_order(m);
    if (line->fault == PLOT_YIELD)
        machine_yield(m, line->amount > w->node_count ? -1 : (int)line->amount - 1);
    if (line->fault == PLOT_SNAPSHOT)
        machine_snapshot(m);
    consensus_turned(m->consensus);
}

static void heal(struct world *w)
{
    w->is_healed = true;
    w->healed_at = w->now;
    memset(w->cut, 0, sizeof w->cut);
    w->lossy_percent = w->late_ms = w->mangle_percent = 0;
    for (int i = 0; i < w->node_count; i++) {
        struct machine *m = &w->nodes[i];
        m->frozen_until = 0;
        m->disk.is_full = false;
        m->disk.slow_us = 0;
        m->disk.writes_left = m->is_up ? -1 : m->disk.writes_left;
        m->stands = true;
        if (m->is_up && machine_is_out(m) && !m->may_stay_out)
            machine_end(m, true);                          /* what an operator does */
        if (m->consensus != NULL)
            consensus_stand(m->consensus, true);
        if (!m->is_up)
            machine_start(m);
    }
}

/* `on`: it begins; else it ends. */
static void play(struct world *w, const struct plot_line *line, bool on)
{
    struct machine *m = line->a < 0 ? NULL : &w->nodes[line->a];
    switch (line->fault) {
    case PLOT_KILL: case PLOT_STOP:
        if (on)
            end_for(w, m, line->for_us, line->fault == PLOT_STOP);
        break;
    case PLOT_POWER_CUT:
        if (on)
            m->disk.writes_left = m->is_up ? (int)line->amount : -1;
        else if (m->is_up)
            m->disk.writes_left = -1;
        break;
    case PLOT_WIPE:
        if (on)
            wipe(w, m, line->for_us);
        break;
    case PLOT_LOSE_TAIL:
        if (on)
            lose_tail(w, line);
        break;
    case PLOT_FREEZE:
        if (on)
            m->frozen_until = w->now + line->for_us;
        break;
    case PLOT_CUT: case PLOT_CUT_ONE_WAY: cut(w, line, on ? 1 : -1); break;
    case PLOT_ISOLATE: isolate(w, line->a, on ? 1 : -1); break;
    case PLOT_BREAK:
        for (int kind = 0; kind < LINE_KINDS && line->a != line->b; kind++)
            wire_break(w, line->a, line->b, (enum line_kind)kind);
        break;
    case PLOT_LOSSY: w->lossy_percent = on ? (int)line->amount : 0; break;
    case PLOT_LATE: w->late_ms = on ? (int)line->amount : 0; break;
    case PLOT_MANGLE: w->mangle_percent = on ? (int)line->amount : 0; break;
    case PLOT_SLOW_DISK: m->disk.slow_us = on ? line->amount * 1000 : 0; break;
    case PLOT_FULL_DISK: m->disk.is_full = on; break;
    case PLOT_ORDERS: case PLOT_YIELD: case PLOT_SNAPSHOT: ask(w, line); break;
    case PLOT_STAND_DOWN:
        m->stands = !on;
        if (m->consensus != NULL)
            consensus_stand(m->consensus, m->stands);
        break;
    case PLOT_HEAL: heal(w); break;
    case PLOT_FAULT_COUNT: break;
    }
}

static void line_begins(struct world *w, int number)
{
    struct plot_line *line = &w->running[number];
    char text[160];
    *line = w->plot->lines[number];
    plot_line_text(line, text, sizeof text);
    line->a = line->a == PARTY_NONE ? PARTY_NONE : resolve(w, line->a);
    line->b = line->b == PARTY_NONE ? PARTY_NONE : resolve(w, line->b);
    world_tell(w, -1, "%s (%s%.0d%s%.0d)", text, line->a < 0 ? "" : "n", line->a + 1, line->b < 0 ? "" : ", n", line->b + 1);
    w->tally->faults++;
    play(w, line, true);
    if (line->for_us > 0)
        world_at(w, w->now + line->for_us, EVENT_LINE_END, -1, line);
}

/* ---- the run ------------------------------------------------------------------------------------------------------ */

static void power_goes(struct world *w, struct machine *m)
{
    w->tally->power_cuts++;
    world_tell(w, m->place, "loses its power at a write");
    end_for(w, m, 2 * world_election_us(w), false);
}

static void happen_at(struct world *w, struct machine *m, const struct world_event *event)
{
    switch (event->kind) {
    case EVENT_TICK:
        if (m->tick != NULL) {
            world_at(w, machine_now(m) + m->tick_every_us, EVENT_TICK, m->place, NULL);
            m->tick(m->io);
        }
        break;
    case EVENT_BEAT: machine_beat(m); break;
    case EVENT_DISK: disk_done(m); break;
    case EVENT_SENT: sent_first_is_through(&m->sends); break;
    case EVENT_ARRIVE: wire_arrive(w, event); break;
    case EVENT_BACK: case EVENT_LINE: case EVENT_LINE_END: case EVENT_KIND_COUNT: break;
    }
}

/* Whose process it concerns; NULL: nobody's. */
static struct machine *party_of(struct world *w, const struct world_event *event)
{
    if (event->kind == EVENT_ARRIVE)
        return &w->nodes[((struct packet *)event->what)->to];
    return event->node < 0 ? NULL : &w->nodes[event->node];
}

static void happen(struct world *w, const struct world_event *event)
{
    struct machine *m = party_of(w, event);
    if (event->kind == EVENT_LINE) {
        line_begins(w, (int)((const struct plot_line *)event->what - w->plot->lines));
        return;
    }
    if (event->kind == EVENT_LINE_END) {
        if (!w->is_healed)
            play(w, event->what, false);
        return;
    }
    if (event->kind == EVENT_BACK) {
        if (!m->is_up && m->life == event->life)
            machine_start(m);
        return;
    }
    if (event->kind != EVENT_ARRIVE && event->life != m->life)
        return;
    const int64_t awake_at = m->frozen_until > m->busy_until ? m->frozen_until : m->busy_until;
    if (m->is_up && awake_at > w->now) {
        world_again(w, event, awake_at);
        return;
    }
    happen_at(w, m, event);
    /* A process that was held up does several things before it looks at its role. */
    if (m->lacks_entries && m->consensus != NULL && m->consensus->is_running && !m->consensus->is_short)
        m->lacks_entries = m->consensus->raft.last_stored < m->disk.stored.held;
    if (m->consensus != NULL && (awake_at < w->now || world_percent(w, 50)))
        consensus_turned(m->consensus);
}

static void last_orders(struct world *w)
{
    world_tell(w, -1, "each node is asked once more");
    for (int i = 0; i < w->node_count; i++) {
        struct machine *m = &w->nodes[i];
        if (m->consensus == NULL || m->may_stay_out)
            continue;
        m->last_number = m->next_number;
        machine_order(m);
    }
}

static void run(struct world *w, int64_t end)
{
    bool are_ordered = false;
    while (w->heap_count > 0 && w->heap[0].at <= end && w->judge.rule == NULL) {
        const struct world_event event = heap_take(w);
        w->now = event.at;
        w->step++;
        if (!are_ordered && w->now > end - LAST_ORDERS_ELECTIONS * world_election_us(w)) {
            are_ordered = true;
            last_orders(w);
        }
        happen(w, &event);
        for (int i = 0; i < w->node_count; i++) {
            if (w->nodes[i].is_up && w->nodes[i].disk.writes_left == 0)
                power_goes(w, &w->nodes[i]);
        }
        judge_step(w);
    }
}

static void begin(struct world *w)
{
    for (int i = 0; i < w->node_count; i++)
        machine_init(&w->nodes[i], w, i);
    for (int i = 0; i < w->node_count; i++) {
        w->nodes[i].stands = true;
        w->nodes[i].life = 1;
        world_at(w, world_between(w, 0, world_election_us(w)), EVENT_BACK, i, NULL);
    }
    for (int i = 0; i < w->plot->count; i++)
        world_at(w, w->plot->lines[i].at_us, EVENT_LINE, -1, (void *)&w->plot->lines[i]);
}

static void end(struct world *w)
{
    for (int i = 0; i < w->node_count; i++)
        machine_done(&w->nodes[i]);
    for (int i = 0; i < w->heap_count; i++) {
        if (w->heap[i].kind == EVENT_ARRIVE)
            wire_drop(w, w->heap[i].what);
    }
    free(w->heap);
}

bool world_run(struct world *w, const struct run_options *options, struct tally *tally)
{
    memset(w, 0, sizeof *w);
    w->plot = options->plot;
    w->chance.state = options->plot->seed * 0x9e3779b97f4a7c15u + 7;
    w->node_count = options->plot->node_count;
    w->is_told = options->is_told;
    w->is_printed = options->is_printed;
    w->tally = tally;
    judge_init(&w->judge);
    begin(w);
    const int64_t healed = options->plot->lines[options->plot->count - 1].at_us;
    run(w, healed + CALM_ELECTIONS * world_election_us(w) + CALM_US);
    if (w->judge.rule == NULL)
        judge_end(w);
    tally->stories++;
    tally->steps += w->step;
    tally->heals += w->led_at != 0;
    const uint64_t took = w->led_at == 0 ? 0 : (uint64_t)(w->led_at - w->healed_at);
    tally->healed_us_all += took;
    tally->healed_us_most = took > tally->healed_us_most ? took : tally->healed_us_most;
    end(w);
    return w->judge.rule == NULL;
}
