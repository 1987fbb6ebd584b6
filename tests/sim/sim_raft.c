/* The process's half: what the consensus is lent, the two queues between its thread and the pump, its life. See sim_raft.h. */
#include "sim/sim_raft_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backends/quorum/quorum_chair.h"
#include "base/text.h"

#define TOLD_MAX (QUORUM_PROPOSALS_MAX + 16)
#define QUEUE_MAX 64                 /* less than quorum.c's: more often the whole state is handed over instead */
#define TRAILING_ENTRIES 8

enum told_kind { TOLD_PROPOSE, TOLD_STAND, TOLD_YIELD, TOLD_SNAPSHOT, TOLD_WORDS };

struct told {
    enum told_kind kind;
    uint64_t number;
    int to;
    uint32_t limit_ms;
    size_t length;
    uint8_t bytes[SHARED_ENTRY_SIZE];
    struct rank rank;                    /* WORDS */
    struct chair_words words;
};

struct quorum {
    struct world *world;
    int node;
    uint32_t life;
    struct quorum_settings settings;
    struct quorum_port port;
    struct consensus *consensus;
    struct raft_io *io;
    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    int64_t tick_every_us;
    struct sent_waiting *sends;
    bool is_closing;

    int told_head, told_count;
    struct told told[TOLD_MAX];
    int heard_head, heard_count;
    struct quorum_heard heard[QUEUE_MAX];
    bool must_hand_over, is_rung;
    struct shared_state *handed_over;    /* to be heard after so many of those that wait */
    int handed_over_after;
    struct quorum_view view;
};

struct world *raft_world_of(const struct quorum *q, int *node)
{
    *node = q->node;
    return q->world;
}

struct quorum *raft_quorum_of(struct world *world, int node) { return world->raft.rafts[node].quorum; }
struct consensus *raft_consensus(struct quorum *q) { return q->consensus; }
struct sent_waiting **raft_sends(struct quorum *q) { return &q->sends; }

raft_io_recv_cb raft_receives(struct quorum *q, struct raft_io **io)
{
    *io = q->io;
    return q->recv;
}

static struct sim_raft *raft_at(struct world *world, int node) { return &world->raft.rafts[node]; }

int64_t raft_busy_until(const struct world *world, int node) { return world->raft.rafts[node].busy_until; }
bool raft_stands_still(const struct world *world, int node) { return world->raft.rafts[node].stands_still > 0; }

int64_t raft_true_now(const struct world *world, int node)
{
    const int64_t busy = world->raft.rafts[node].busy_until;
    return busy > world->now ? busy : world->now;
}

static struct fc_time own_clock(const struct quorum *q) { return node_clock_at(q->world, q->node, raft_true_now(q->world, q->node)); }

static void at_thread(struct quorum *q, int64_t at, enum happening_kind kind) { happen(q->world, at, kind, q->node, 0, q->life); }

/* ---- the queues --------------------------------------------------------------------------------------------------- */

static void ring(struct quorum *q)
{
    if (q->is_rung)
        return;
    q->is_rung = true;
    at_thread(q, raft_true_now(q->world, q->node) + (chance(q->world, 3) ? chance_between(q->world, 1000, 8000) : chance_between(q->world, 5, 100)),
              HAP_RAFT_RUNG);
}

static void hear(struct quorum *q, const struct quorum_heard *heard)
{
    const bool is_of_others = heard->kind == QUORUM_APPLIED && heard->number == 0;
    const int most = is_of_others ? QUEUE_MAX / 2 : QUEUE_MAX;
    if (is_of_others && (q->must_hand_over || chance(q->world, 1)))
        q->must_hand_over = true;                          /* as if the queue had been full */
    else if (q->heard_count < most)
        q->heard[(q->heard_head + q->heard_count++) % QUEUE_MAX] = *heard;
    else
        q->must_hand_over = true;
    ring(q);
}

static void hear_state(struct quorum *q, const struct shared_state *state)
{
    if (q->handed_over == NULL)
        q->handed_over = malloc(sizeof *q->handed_over);
    *q->handed_over = *state;
    q->handed_over_after = q->heard_count;
    q->must_hand_over = false;
    ring(q);
}

static void hear_handed_over(struct quorum *q)
{
    struct shared_state *state = q->handed_over;
    const struct quorum_heard heard = { .kind = QUORUM_STATE, .state = state };
    q->handed_over = NULL;
    q->port.heard(q->port.owner, &heard);
    free(state);
}

/* The picture is taken before what was heard is, and a state is heard in its place in the log, as in quorum.c. */
void raft_rung(struct world *world, int node)
{
    struct quorum *q = raft_at(world, node)->quorum;
    const struct quorum_view view = q->view;
    q->is_rung = false;
    while (q->heard_count > 0 || q->handed_over != NULL) {
        if (q->handed_over != NULL && q->handed_over_after-- == 0) {
            hear_handed_over(q);
            continue;
        }
        const struct quorum_heard heard = q->heard[q->heard_head];
        q->heard_head = (q->heard_head + 1) % QUEUE_MAX;
        q->heard_count--;
        if (heard.kind == QUORUM_APPLIED && heard.number != 0 && heard.entry.deed == STORE_TAKE)
            judge_own_entry(world, node, heard.stands);
        q->port.heard(q->port.owner, &heard);
    }
    q->port.changed(q->port.owner, &view);
}

static bool tell_thread(struct quorum *q, const struct told *told)
{
    if (q->told_count == TOLD_MAX)
        return false;
    q->told[(q->told_head + q->told_count++) % TOLD_MAX] = *told;
    at_thread(q, q->world->now + (chance(q->world, 3) ? chance_between(q->world, 1000, 8000) : chance_between(q->world, 5, 100)), HAP_RAFT_TOLD);
    return true;
}

void raft_take_told(struct world *world, int node)
{
    struct quorum *q = raft_at(world, node)->quorum;
    struct consensus *c = q->consensus;
    while (q->told_count > 0) {
        const struct told told = q->told[q->told_head];
        q->told_head = (q->told_head + 1) % TOLD_MAX;
        q->told_count--;
        switch (told.kind) {
        case TOLD_PROPOSE: consensus_propose(c, told.number, told.bytes, told.length, told.limit_ms); break;
        case TOLD_STAND: consensus_stand(c, told.to != 0); break;
        case TOLD_YIELD: consensus_yield(c, told.number, told.to, told.limit_ms); break;
        case TOLD_SNAPSHOT: consensus_snapshot(c, told.number); break;
        case TOLD_WORDS: consensus_tell_words(c, &told.rank, &told.words); break;
        }
    }
    raft_turned(q);
}

/* ---- what the pump asks for: quorum.h ----------------------------------------------------------------------------- */

bool quorum_propose(struct quorum *q, uint64_t number, const struct shared_entry *entry, uint32_t limit_ms)
{
    struct told told = { .kind = TOLD_PROPOSE, .number = number, .limit_ms = limit_ms };
    raft_at(q->world, q->node)->proposals++;
    if (entry->deed == STORE_TAKE)
        judge_proposes(q->world, q->node, &entry->row.rank, &entry->old);
    return shared_entry_encode(entry, told.bytes, sizeof told.bytes, &told.length) == FC_OK && tell_thread(q, &told);
}

void quorum_stand(struct quorum *q, bool stands) { tell_thread(q, &(struct told){ .kind = TOLD_STAND, .to = stands }); }

bool quorum_yield(struct quorum *q, uint64_t number, int to, uint32_t pause_ms)
{
    raft_at(q->world, q->node)->yields++;
    judge_yields(q->world, q->node);
    return tell_thread(q, &(struct told){ .kind = TOLD_YIELD, .number = number, .to = to, .limit_ms = pause_ms });
}

bool quorum_snapshot(struct quorum *q, uint64_t number) { return tell_thread(q, &(struct told){ .kind = TOLD_SNAPSHOT, .number = number }); }

/* Members are told about by tests/quorumsim and tests/integration. */
bool quorum_change_members(struct quorum *q, uint64_t number, enum member_change change, const char *name, const char *address)
{
    (void)q, (void)number, (void)change, (void)name, (void)address;
    return false;
}

bool quorum_tell_words(struct quorum *q, const struct rank *rank, const struct chair_words *words)
{
    return tell_thread(q, &(struct told){ .kind = TOLD_WORDS, .rank = *rank, .words = *words });
}

void quorum_hand_over(struct quorum *q) { q->must_hand_over = true; }
struct fc_span quorum_lease(const struct quorum_settings *settings) { return fc_ms((int64_t)settings->election_ms * 3 / 4); }
uint64_t quorum_member_id(const char *name) { return raft_digest(name, 0); }

const char *quorum_role_word(enum quorum_role role)
{
    static const char *const words[] = { "starting", "alone", "follower", "candidate", "leader", "out" };
    return words[role];
}

/* ---- what the consensus is lent ----------------------------------------------------------------------------------- */

static struct fc_time lend_now(void *owner) { return own_clock(owner); }

static int io_init(struct raft_io *io, raft_id id, const char *address)
{
    (void)io, (void)id, (void)address;
    return 0;
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
    struct quorum *q = io->impl;
    q->tick = NULL;
    q->recv = NULL;
    sent_let_go(&q->sends);
    raft_disk_let_go(q->world, q->node);
    cb(io);
}

static int io_start(struct raft_io *io, unsigned every_ms, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct quorum *q = io->impl;
    q->tick = tick;
    q->recv = recv;
    q->tick_every_us = every_ms * INT64_C(1000);
    at_thread(q, raft_true_now(q->world, q->node) + q->tick_every_us, HAP_RAFT_TICK);
    return 0;
}

static raft_time io_time(struct raft_io *io) { return (raft_time)(own_clock(io->impl).us / 1000); }
static int io_random(struct raft_io *io, int min, int max) { return (int)chance_between(((struct quorum *)io->impl)->world, min, max - 1); }

static int lend_io(void *owner, struct raft_io *ret)
{
    struct quorum *q = owner;
    *ret = (struct raft_io){ .version = 1, .impl = q, .init = io_init, .close = io_close, .start = io_start, .time = io_time,
                             .random = io_random };
    raft_disk_lend(ret);
    raft_wire_lend(ret);
    q->io = ret;
    return 0;
}

static bool lend_send(void *owner, int member, const struct frame *frame) { return raft_wire_send(owner, member, frame); }

static void lend_break_off(void *owner, int member)
{
    struct quorum *q = owner;
    raft_wire_break(q->world, q->node, member, RAFT_LINE_FRAMES);
}

static uint64_t lend_held(void *owner) { return raft_at(((struct quorum *)owner)->world, ((struct quorum *)owner)->node)->disk.held; }
static void lend_hold(void *owner, uint64_t index) { raft_at(((struct quorum *)owner)->world, ((struct quorum *)owner)->node)->disk.held = index; }

static void judge_take_applied(const struct quorum *q, const struct quorum_heard *heard)
{
    judge_chair_applied(q->world, q->node, &q->consensus->state.chair);
    if (heard->stands)
        judge_stands_over(q->world, &heard->entry.row, &heard->entry.old);
}

static void lend_heard(void *owner, const struct quorum_heard *heard)
{
    struct quorum *q = owner;
    if (q->is_closing)
        return;
    if (heard->kind == QUORUM_APPLIED && heard->entry.deed == STORE_TAKE)
        judge_take_applied(q, heard);
    hear(q, heard);
}

static void lend_state(void *owner, const struct shared_state *state)
{
    struct quorum *q = owner;
    if (q->is_closing)
        return;
    judge_chair_applied(q->world, q->node, &state->chair);
    hear_state(q, state);
}

static void tell_role(struct quorum *q, const struct quorum_view *view)
{
    const bool may = !fc_is_ever(view->until), might = !fc_is_ever(q->view.until);
    if (view->role != q->view.role || view->term != q->view.term || view->leader != q->view.leader || may != might)
        tell(q->world, party_name(party_node(q->node)), "raft: %s, term %llu, leader fc%d, %llu applied%s%s", quorum_role_word(view->role),
             (unsigned long long)view->term, view->leader + 1, (unsigned long long)view->applied_index, may ? ", may act" : "", view->why);
}

static void lend_show(void *owner, struct quorum_view *view)
{
    struct quorum *q = owner;
    if (q->is_closing)
        return;
    tell_role(q, view);
    q->view = *view;
    ring(q);
}

static void lend_say(void *owner, const char *sentence)
{
    struct quorum *q = owner;
    tell(q->world, party_name(party_node(q->node)), "raft: %s", sentence);
}

/* ---- the directory's marks ---------------------------------------------------------------------------------------- */

static struct stored *disk_of(const struct birth *birth)
{
    const struct quorum *q = birth->owner;
    return &raft_at(q->world, q->node)->disk;
}

static enum fc_code file_read(const struct birth *birth, const char *file, char *to, size_t size, struct fc_err *err)
{
    (void)err;
    return stored_mark_read(disk_of(birth), file, to, size);
}

static enum fc_code file_write(const struct birth *birth, const char *file, const char *text, struct fc_err *err)
{
    const struct quorum *q = birth->owner;
    raft_wait_for_disk(q->world, q->node);
    return stored_mark_write(disk_of(birth), file, text, err);
}

static bool file_chance(const struct birth *birth, unsigned char *to, size_t size)
{
    const struct quorum *q = birth->owner;
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)chance_between(q->world, 0, 255);
    return true;
}

static const struct birth_files files = { .read = file_read, .write = file_write, .chance = file_chance };

/* ---- life --------------------------------------------------------------------------------------------------------- */

void raft_turned(struct quorum *q) { consensus_turned(q->consensus); }

void raft_tick(struct world *world, int node)
{
    struct quorum *q = raft_at(world, node)->quorum;
    if (q->tick == NULL)
        return;
    at_thread(q, raft_true_now(world, node) + q->tick_every_us, HAP_RAFT_TICK);
    q->tick(q->io);
    raft_turned(q);
}

void raft_beat(struct world *world, int node)
{
    struct quorum *q = raft_at(world, node)->quorum;
    at_thread(q, raft_true_now(world, node) + q->settings.election_ms * INT64_C(100), HAP_RAFT_BEAT);
    if (q->must_hand_over)
        hear_state(q, consensus_state(q->consensus));
    consensus_beat(q->consensus);
    raft_turned(q);
}

static const struct consensus_world lent = { .now = lend_now, .open_io = lend_io, .send = lend_send, .break_off = lend_break_off,
                                             .held = lend_held, .hold = lend_hold, .heard = lend_heard, .heard_state = lend_state,
                                             .show = lend_show, .say = lend_say };

enum fc_code quorum_open(const struct host *host, const struct quorum_settings *settings, const struct quorum_port *port,
                         struct quorum **ret, struct fc_err *err)
{
    const struct sim_host *h = host->agent;
    struct sim_raft *raft = raft_at(h->world, h->node);
    struct quorum *q = calloc(1, sizeof *q);
    struct consensus_world world = lent;
    struct birth birth;
    q->world = h->world;
    q->node = h->node;
    q->life = ++raft->life;
    q->settings = *settings;
    q->port = *port;
    q->view = (struct quorum_view){ .leader = -1, .until = FC_EVER, .voiced_at = FC_EVER };
    world.owner = q;
    raft->quorum = q;
    raft->busy_until = 0;
    const enum fc_code code = birth_open_on(&files, q, "disk", settings->members[settings->own].name, stored_has_log(&raft->disk), &birth, err);
    assert(code == FC_OK);
    q->consensus = malloc(sizeof *q->consensus);
    consensus_init(q->consensus, &q->settings, &birth, &world);
    consensus_begin(q->consensus);
    at_thread(q, raft_true_now(q->world, q->node) + chance_between(q->world, 0, 1000), HAP_RAFT_BEAT);
    *ret = q;
    return code;
}

static void closed(void *owner) { (void)owner; }

/* As when the process ends: nothing that is on its way is waited for. */
void quorum_close(struct quorum *q)
{
    struct sim_raft *raft = raft_at(q->world, q->node);
    q->is_closing = true;
    consensus_end(q->consensus, closed);
    raft_wire_break_all(q->world, q->node);
    raft->quorum = NULL;
    raft->life++;
    raft->busy_until = 0;
    free(q->consensus);
    free(q->handed_over);
    free(q);
}

void raft_world_begin(struct world *world)
{
    memset(&world->raft, 0, sizeof world->raft);
    for (int i = 0; i < SIM_NODES_MAX; i++)
        stored_init(&world->raft.rafts[i].disk);
}

void raft_world_end(struct world *world)
{
    for (int i = 0; i < RAFT_PACKETS_MAX; i++) {
        if (world->raft.packets[i] != NULL)
            raft_packet_drop(world, i);
    }
    for (int i = 0; i < SIM_NODES_MAX; i++)
        stored_wipe(&world->raft.rafts[i].disk);
}

static struct fc_time host_now(void *agent)
{
    const struct sim_host *h = agent;
    return node_clock(h->world, h->node);
}

struct quorum_chair *raft_open_chair(struct world *world, int node, void *owner, void (*ask)(void *owner, const struct store_request *request),
                                     void (*say)(void *owner, const struct event *event), void (*note)(void *owner, const char *sentence))
{
    static struct host hosts[SIM_NODES_MAX];
    const struct config *c = &world->config;
    const struct lease_settings lease = { .lease_ms = c->lease_ms, .drift_percent = c->drift_percent };
    struct quorum_chair_settings own = { .term_ms = c->term_ms, .probe_timeout_ms = c->probe_timeout_ms, .renew_ms = c->lease_renew_ms,
                                               .watch = lease_watch_span(&lease), .server_count = world_is_witness(world, node) ? 0 : SIM_SERVERS,
                                         .pool = "fc_backend" };
    const struct quorum_chair_port port = { .owner = owner, .ask = ask, .say = say, .note = note };
    struct quorum_settings settings = { .member_count = world->node_count, .own = node, .election_ms = c->raft_election_ms,
                                        .drift_percent = c->drift_percent, .snapshot_entries = c->raft_snapshot_entries,
                                        .trailing_entries = TRAILING_ENTRIES, .is_witness = world_is_witness(world, node) };
    struct quorum_chair *ret = NULL;
    struct fc_err err = { .code = FC_OK };
    hosts[node] = (struct host){ .agent = owner, .now = host_now };
    TEXT_SET(settings.node, world->nodes[node].name);
    for (int i = 0; i < own.server_count; i++)
        TEXT_SET(own.names[i], SERVER_NAME(i));
    for (int i = 0; i < world->node_count; i++)
        TEXT_SET(settings.members[i].name, party_name(party_node(i)));
    const enum fc_code code = quorum_chair_open(&hosts[node], &settings, &own, &port, &ret, &err);
    assert(code == FC_OK);
    (void)code;
    return ret;
}
