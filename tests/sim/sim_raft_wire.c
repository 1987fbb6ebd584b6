/* Between two threads: raft's connection, and ours for frames, on which the answers come back. They keep the order of what they carry,
 * hold it back while a path is cut, and end when nothing passed for too long; then what was on its way is lost. */
#include "sim/sim_raft_inside.h"

#include <assert.h>
#include <stdlib.h>

#define SILENCE_US 5000000               /* transport.h: silence_limit_ms */
#define AGAIN_US 250000
#define UNDER_WAY_MAX 100                /* packets on one connection; beyond, it takes no more */

static struct raft_line *line_of(struct world *w, const struct raft_packet *p)
{
    return p->is_back ? &w->raft.lines[p->to][p->from][p->kind] : &w->raft.lines[p->from][p->to][p->kind];
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

static int packet_new(struct world *w, const struct raft_packet *packet)
{
    int place = 0;
    while (place < RAFT_PACKETS_MAX && w->raft.packets[place] != NULL)
        place++;
    assert(place < RAFT_PACKETS_MAX);
    w->raft.packets[place] = malloc(sizeof *packet);
    *w->raft.packets[place] = *packet;
    return place;
}

void raft_packet_drop(struct world *w, int place)
{
    struct raft_packet *p = w->raft.packets[place];
    sent_drop(&p->message);
    line_of(w, p)->under_way -= line_of(w, p)->epoch == p->epoch;
    free(p);
    w->raft.packets[place] = NULL;
}

/* ---- connections -------------------------------------------------------------------------------------------------- */

static bool may_meet(const struct world *w, int from, int to)
{
    return w->raft.rafts[from].quorum != NULL && w->raft.rafts[to].quorum != NULL && net_talks(&w->net, party_node(from), party_node(to)) &&
           !w->nodes[to].is_frozen && w->raft.rafts[to].stands_still == 0;
}

bool raft_wire_is_up(struct world *w, int from, int to, enum raft_line_kind kind)
{
    struct raft_line *line = &w->raft.lines[from][to][kind];
    if (line->is_up)
        return true;
    if (line->up_at != 0 && line->up_at <= w->now) {
        line->is_up = may_meet(w, from, to);
        line->up_at = 0;
        return line->is_up;
    }
    if (line->up_at == 0 && line->again_at <= w->now) {
        line->again_at = w->now + AGAIN_US;
        line->up_at = may_meet(w, from, to) ? w->now + 3 * net_delay_us(w) : 0;
    }
    return false;
}

void raft_wire_break(struct world *w, int from, int to, enum raft_line_kind kind)
{
    struct raft_line *line = &w->raft.lines[from][to][kind];
    *line = (struct raft_line){ .epoch = line->epoch + 1, .again_at = w->now + chance_between(w, 0, AGAIN_US) };
}

void raft_wire_break_all(struct world *w, int node)
{
    for (int i = 0; i < w->node_count; i++) {
        for (int kind = 0; kind < RAFT_LINE_KINDS && i != node; kind++) {
            raft_wire_break(w, node, i, (enum raft_line_kind)kind);
            raft_wire_break(w, i, node, (enum raft_line_kind)kind);
        }
    }
}

/* ---- packets ------------------------------------------------------------------------------------------------------ */

static void put_on_line(struct world *w, const struct raft_packet *packet, int64_t left_at, bool is_ordered)
{
    struct raft_line *line = line_of(w, packet);
    int64_t at = left_at + net_delay_between_us(w, party_node(packet->from), party_node(packet->to));
    const int place = packet_new(w, packet);
    if (is_ordered) {
        at = at > line->last_at[packet->is_back] ? at : line->last_at[packet->is_back];
        line->last_at[packet->is_back] = at;
    }
    w->raft.packets[place]->epoch = line->epoch;
    line->under_way++;
    happen(w, at, HAP_RAFT_ARRIVES, -1, place, 0);
}

static void put_frame(struct world *w, int from, int to, bool is_back, const struct frame *frame)
{
    const struct raft_packet packet = { .from = from, .to = to, .kind = RAFT_LINE_FRAMES, .is_back = is_back, .frame = *frame };
    const int64_t now = raft_true_now(w, from), later = (int64_t)w->config.raft_election_ms * 2000;
    if (w->raft.mangle_percent == 0 || !chance(w, w->raft.mangle_percent)) {
        put_on_line(w, &packet, now, true);
        return;
    }
    if (chance(w, 40))
        return;                                            /* lost */
    if (chance(w, 60))
        put_on_line(w, &packet, now + chance_between(w, 0, later), false);     /* doubled */
    put_on_line(w, &packet, now + chance_between(w, 0, later), false);         /* overtaken */
}

bool raft_wire_send(struct quorum *q, int to, const struct frame *frame)
{
    int node;
    struct world *w = raft_world_of(q, &node);
    if (to >= w->node_count || !raft_wire_is_up(w, node, to, RAFT_LINE_FRAMES) ||
        w->raft.lines[node][to][RAFT_LINE_FRAMES].under_way >= UNDER_WAY_MAX)
        return false;
    put_frame(w, node, to, false, frame);
    return true;
}

static void give_frame(struct world *w, int place)
{
    const struct raft_packet *p = w->raft.packets[place];
    struct quorum *q = raft_quorum_of(w, p->to);
    struct frame answer = { .kind = 0 };
    if (p->is_back) {
        consensus_answered(raft_consensus(q), p->from, &p->frame);
        return;
    }
    consensus_asked(raft_consensus(q), p->from, &p->frame, &answer);
    if (answer.kind != 0 && line_of(w, p)->epoch == p->epoch)
        put_frame(w, p->to, p->from, true, &answer);
}

/* Raft owns what it is given. */
static void give_message(struct world *w, int place)
{
    struct raft_packet *p = w->raft.packets[place];
    struct quorum *q = raft_quorum_of(w, p->to);
    struct raft_io *io;
    const raft_io_recv_cb recv = raft_receives(q, &io);
    if (recv == NULL)
        return;
    p->message.server_id = quorum_member_id(raft_consensus(q)->settings->members[p->from].name);
    p->message.server_address = raft_consensus(q)->settings->members[p->from].name;
    recv(io, &p->message);
    p->message.type = 0;
}

int raft_receiver(const struct world *w, int packet) { return w->raft.packets[packet]->to; }

/* What a cut path holds back is tried again, and comes late; nothing behind it comes before it. Cut for too long the connection ends. */
static bool is_held_back(struct world *w, int place)
{
    const struct raft_packet *p = w->raft.packets[place];
    struct raft_line *line = line_of(w, p);
    int64_t *blocked = &line->blocked_until[p->is_back], *stuck = &line->stuck_since[p->is_back];
    const bool is_cut = !net_carries(&w->net, party_node(p->from), party_node(p->to));
    if (*blocked <= w->now && is_cut) {
        *blocked = w->now + chance_between(w, 30000, 400000);
        *stuck = *stuck != 0 ? *stuck : w->now;
    }
    if (*stuck != 0 && is_cut && w->now - *stuck > SILENCE_US) {
        raft_wire_break(w, p->is_back ? p->to : p->from, p->is_back ? p->from : p->to, p->kind);
        return false;
    }
    if (*blocked <= w->now) {
        *stuck = 0;
        return false;
    }
    happen(w, *blocked, HAP_RAFT_ARRIVES, -1, place, 0);
    return true;
}

void raft_arrives(struct world *w, int place)
{
    const struct raft_packet *p = w->raft.packets[place];
    const int to = p->to;
    if (line_of(w, p)->epoch == p->epoch && is_held_back(w, place))
        return;
    if (line_of(w, p)->epoch == p->epoch && raft_quorum_of(w, to) != NULL) {
        if (p->kind == RAFT_LINE_FRAMES)
            give_frame(w, place);
        else
            give_message(w, place);
        raft_turned(raft_quorum_of(w, to));
    }
    raft_packet_drop(w, place);
}

/* ---- raft's calls ------------------------------------------------------------------------------------------------- */

static int io_send(struct raft_io *io, struct raft_io_send *request, const struct raft_message *message, raft_io_send_cb cb)
{
    int node, to = 0;
    struct quorum *q = io->impl;
    struct world *w = raft_world_of(q, &node);
    while (to < w->node_count && quorum_member_id(raft_consensus(q)->settings->members[to].name) != message->server_id)
        to++;
    if (to == w->node_count)
        return RAFT_NOCONNECTION;
    struct sent_waiting *send = sent_wait(raft_sends(q), request, cb);
    if (raft_wire_is_up(w, node, to, RAFT_LINE_RAFT) && w->raft.lines[node][to][RAFT_LINE_RAFT].under_way < UNDER_WAY_MAX) {
        struct raft_packet packet = { .from = node, .to = to, .kind = RAFT_LINE_RAFT };
        sent_copy(message, &packet.message);
        put_on_line(w, &packet, raft_true_now(w, node), true);
    } else {
        send->status = RAFT_NOCONNECTION;
    }
    happen(w, raft_true_now(w, node) + 50, HAP_RAFT_SENT, node, 0, w->raft.rafts[node].life);
    return 0;
}

void raft_sent(struct world *w, int node) { sent_first_is_through(raft_sends(raft_quorum_of(w, node))); }

void raft_wire_lend(struct raft_io *io) { io->send = io_send; }
