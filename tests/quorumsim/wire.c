/* Two connections lead from each node to each other one: raft's, and ours for frames, on which the answers come back. They keep the
 * order of what they carry, hold it back while a path is cut, and end when nothing passed for too long; then what was on its way is
 * lost. While frames are mangled they are also lost, doubled and overtaken one by one, which TCP never does: no promise rests on it. */
#include "quorumsim/world.h"

#include <stdlib.h>

#define SILENCE_US 5000000               /* transport.h: silence_limit_ms */
#define AGAIN_US 250000
#define UNDER_WAY_MAX 200                /* packets on one connection; beyond, it takes no more */

static int64_t passes(struct world *w)
{
    const int64_t usual = world_between(w, 100, 2500);
    return w->late_ms == 0 ? usual : usual + world_between(w, 0, w->late_ms * INT64_C(1000));
}

static struct wire_line *line_of(struct world *w, const struct packet *p)
{
    return p->is_back ? &w->lines[p->to][p->from][p->kind] : &w->lines[p->from][p->to][p->kind];
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

void wire_drop(struct world *w, struct packet *p)
{
    sent_drop(&p->message);
    struct wire_line *line = line_of(w, p);
    line->under_way -= line->epoch == p->epoch;
    free(p);
}

/* ---- connections -------------------------------------------------------------------------------------------------- */

static bool may_meet(struct world *w, int from, int to)
{
    return w->nodes[from].is_up && w->nodes[to].is_up && w->cut[from][to] == 0 && w->cut[to][from] == 0 && w->nodes[to].frozen_until <= w->now;
}

bool wire_is_up(struct world *w, int from, int to, enum line_kind kind)
{
    struct wire_line *line = &w->lines[from][to][kind];
    if (line->is_up)
        return true;
    if (line->up_at != 0 && line->up_at <= w->now) {
        line->is_up = may_meet(w, from, to);
        line->up_at = 0;
        return line->is_up;
    }
    if (line->up_at == 0 && line->again_at <= w->now) {
        line->again_at = w->now + AGAIN_US;
        line->up_at = may_meet(w, from, to) ? w->now + 2 * passes(w) : 0;
    }
    return false;
}

void wire_break(struct world *w, int from, int to, enum line_kind kind)
{
    struct wire_line *line = &w->lines[from][to][kind];
    w->tally->broken_lines += line->is_up;
    *line = (struct wire_line){ .epoch = line->epoch + 1, .again_at = w->now + world_between(w, 0, AGAIN_US) };
}

void wire_break_all(struct world *w, int node)
{
    for (int i = 0; i < w->node_count; i++) {
        for (int kind = 0; kind < LINE_KINDS; kind++) {
            wire_break(w, node, i, (enum line_kind)kind);
            wire_break(w, i, node, (enum line_kind)kind);
        }
    }
}

/* ---- packets ------------------------------------------------------------------------------------------------------ */

static void put_on_line(struct world *w, struct packet *p, bool is_ordered)
{
    struct wire_line *line = line_of(w, p);
    int64_t at = p->left_at + passes(w);
    if (is_ordered) {
        at = at > line->last_at[p->is_back] ? at : line->last_at[p->is_back];
        line->last_at[p->is_back] = at;
    }
    p->epoch = line->epoch;
    line->under_way++;
    world_at(w, at, EVENT_ARRIVE, -1, p);
}

static void put_frame(struct machine *m, int to, bool is_back, const struct frame *frame)
{
    struct world *w = m->world;
    struct packet *p = calloc(1, sizeof *p);
    *p = (struct packet){ .from = m->place, .to = to, .kind = LINE_FRAMES, .is_back = is_back, .left_at = machine_now(m), .frame = *frame };
    w->tally->frames++;
    if (!world_percent(w, w->mangle_percent)) {
        put_on_line(w, p, true);
        return;
    }
    if (world_percent(w, 40)) {
        w->tally->lost_frames++;
        free(p);
        return;
    }
    if (world_percent(w, 60)) {
        struct packet *twice = calloc(1, sizeof *twice);
        *twice = *p;
        twice->left_at += world_between(w, 0, 2 * world_election_us(w));
        w->tally->doubled_frames++;
        put_on_line(w, twice, false);
    }
    p->left_at += world_between(w, 0, 2 * world_election_us(w));
    put_on_line(w, p, false);
}

bool wire_send_frame(struct machine *m, int to, const struct frame *frame)
{
    const struct wire_line *line = &m->world->lines[m->place][to][LINE_FRAMES];
    if (m->disk.writes_left == 0 || !wire_is_up(m->world, m->place, to, LINE_FRAMES) || line->under_way >= UNDER_WAY_MAX)
        return false;
    put_frame(m, to, false, frame);
    return true;
}

static void give_frame(struct world *w, struct packet *p)
{
    struct machine *m = &w->nodes[p->to];
    struct frame answer = { .kind = 0 };
    if (p->is_back) {
        consensus_answered(m->consensus, p->from, &p->frame);
        return;
    }
    consensus_asked(m->consensus, p->from, &p->frame, &answer);
    if (answer.kind != 0 && line_of(w, p)->epoch == p->epoch && m->disk.writes_left != 0)
        put_frame(m, p->from, true, &answer);
}

/* Raft owns what it is given. */
static void give_message(struct world *w, struct packet *p)
{
    struct machine *m = &w->nodes[p->to];
    p->message.server_id = quorum_member_id(m->consensus->settings->members[p->from].name);
    p->message.server_address = m->settings.members[p->from].name;
    m->recv(m->io, &p->message);
    p->message.type = 0;
}

/* What a cut path holds back is tried again; nothing behind it comes before it. */
static bool is_held_back(struct world *w, const struct world_event *event, struct packet *p)
{
    struct wire_line *line = line_of(w, p);
    int64_t *blocked = &line->blocked_until[p->is_back], *stuck = &line->stuck_since[p->is_back];
    const bool is_cut = w->cut[p->from][p->to] > 0;
    if (*blocked <= w->now && (is_cut || world_percent(w, w->lossy_percent))) {
        *blocked = w->now + world_between(w, 30000, 400000);
        *stuck = *stuck != 0 || !is_cut ? *stuck : w->now;
    }
    if (*stuck != 0 && is_cut && w->now - *stuck > SILENCE_US) {
        wire_break(w, p->is_back ? p->to : p->from, p->is_back ? p->from : p->to, p->kind);
        return false;
    }
    if (*blocked <= w->now) {
        *stuck = 0;
        return false;
    }
    world_again(w, event, *blocked);
    return true;
}

void wire_arrive(struct world *w, const struct world_event *event)
{
    struct packet *p = event->what;
    struct machine *m = &w->nodes[p->to];
    if (line_of(w, p)->epoch != p->epoch) {
        wire_drop(w, p);
        return;
    }
    if (is_held_back(w, event, p))
        return;
    if (line_of(w, p)->epoch == p->epoch && m->is_up && m->consensus != NULL) {
        if (p->kind == LINE_FRAMES)
            give_frame(w, p);
        else if (m->recv != NULL)
            give_message(w, p);
    }
    wire_drop(w, p);
}

/* ---- raft's calls ------------------------------------------------------------------------------------------------- */

static int io_send(struct raft_io *io, struct raft_io_send *request, const struct raft_message *message, raft_io_send_cb cb)
{
    struct machine *m = io->impl;
    struct world *w = m->world;
    int to = 0;
    while (to < w->node_count && quorum_member_id(m->consensus->settings->members[to].name) != message->server_id)
        to++;
    if (to == w->node_count)
        return RAFT_NOCONNECTION;
    struct sent_waiting *send = sent_wait(&m->sends, request, cb);
    struct wire_line *line = &w->lines[m->place][to][LINE_RAFT];
    if (m->disk.writes_left != 0 && wire_is_up(w, m->place, to, LINE_RAFT) && line->under_way < UNDER_WAY_MAX) {
        struct packet *p = calloc(1, sizeof *p);
        *p = (struct packet){ .from = m->place, .to = to, .kind = LINE_RAFT, .left_at = machine_now(m) };
        sent_copy(message, &p->message);
        w->tally->messages++;
        put_on_line(w, p, true);
    } else {
        send->status = RAFT_NOCONNECTION;
    }
    world_at(w, machine_now(m) + 50, EVENT_SENT, m->place, NULL);
    return 0;
}

void wire_lend(struct machine *m, struct raft_io *io)
{
    (void)m;
    io->send = io_send;
}
