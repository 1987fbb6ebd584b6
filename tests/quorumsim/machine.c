/* A node: its clock, its process, and what its consensus is lent. */
#include "quorumsim/world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- clock -------------------------------------------------------------------------------------------------------- */

int64_t machine_now(const struct machine *m) { return m->world->now > m->busy_until ? m->world->now : m->busy_until; }

struct fc_time machine_clock(const struct machine *m)
{
    const int64_t now = machine_now(m);
    return (struct fc_time){ m->clock_begin_us + now + now / 1000 * m->clock_ppm / 1000 };
}

int64_t machine_true(const struct machine *m, struct fc_time own)
{
    if (fc_is_ever(own) || fc_is_never(own))
        return own.us;
    return (int64_t)((double)(own.us - m->clock_begin_us) / (1.0 + (double)m->clock_ppm / 1e6));
}

/* ---- what the consensus is lent ----------------------------------------------------------------------------------- */

static struct fc_time lend_now(void *owner) { return machine_clock(owner); }

static int io_init(struct raft_io *io, raft_id id, const char *address)
{
    (void)io, (void)id, (void)address;
    return 0;
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
    struct machine *m = io->impl;
    m->tick = NULL;
    m->recv = NULL;
    sent_let_go(&m->sends);
    disk_let_go(m, m->is_ending);
    cb(io);
}

static int io_start(struct raft_io *io, unsigned every_ms, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct machine *m = io->impl;
    m->tick = tick;
    m->recv = recv;
    m->tick_every_us = every_ms * INT64_C(1000);
    world_at(m->world, machine_now(m) + m->tick_every_us, EVENT_TICK, m->place, NULL);
    return 0;
}

static raft_time io_time(struct raft_io *io) { return (raft_time)(machine_clock(io->impl).us / 1000); }

static int io_random(struct raft_io *io, int min, int max)
{
    struct machine *m = io->impl;
    return min + (int)rng_below(&m->chance, (uint64_t)(max - min));
}

static int lend_io(void *owner, struct raft_io *ret)
{
    struct machine *m = owner;
    *ret = (struct raft_io){ .version = 1, .impl = m, .init = io_init, .close = io_close, .start = io_start, .time = io_time,
                             .random = io_random };
    disk_lend(m, ret);
    wire_lend(m, ret);
    m->io = ret;
    return 0;
}

static bool lend_send(void *owner, int member, const struct frame *frame) { return wire_send_frame(owner, member, frame); }

static void lend_break_off(void *owner, int member)
{
    struct machine *m = owner;
    wire_break(m->world, m->place, member, LINE_FRAMES);
}

static uint64_t lend_held(void *owner) { return ((struct machine *)owner)->disk.stored.held; }
static void lend_hold(void *owner, uint64_t index) { ((struct machine *)owner)->disk.stored.held = index; }

static bool is_heard(const struct machine *m) { return !m->is_ended && m->disk.writes_left != 0; }

static void count_end(struct tally *t, const struct quorum_heard *heard, enum asked_for what)
{
    t->acknowledged += heard->kind == QUORUM_APPLIED;
    t->failed += heard->kind == QUORUM_FAILED;
    t->yields_done += what == ASKED_YIELD && heard->code == FC_OK;
    t->yields_failed += what == ASKED_YIELD && heard->code != FC_OK;
    t->snapshots_asked += what == ASKED_SNAPSHOT && heard->code == FC_OK;
}

static void forget_waiting(struct machine *m, const struct quorum_heard *heard)
{
    for (int i = 0; i < m->outstanding_count; i++) {
        struct outstanding *o = &m->outstanding[i];
        if (o->number == heard->number && (o->what != ASKED_ENTRY) == (heard->kind == QUORUM_ENDED)) {
            count_end(m->world->tally, heard, o->what);
            *o = m->outstanding[--m->outstanding_count];
            return;
        }
    }
    judge_break(m->world, "each is answered once", "n%d is answered %" PRIu64 ", which nobody waits for", m->place + 1, heard->number);
}

static void lend_heard(void *owner, const struct quorum_heard *heard)
{
    struct machine *m = owner;
    if (!is_heard(m))
        return;
    judge_heard(m, heard);
    if (heard->number != 0)
        forget_waiting(m, heard);
    if (heard->kind == QUORUM_APPLIED)
        world_tell(m->world, m->place, "applies %s's %" PRIu64 " as number %" PRIu64 "%s", heard->entry.issuer, heard->entry.number,
                   m->consensus->state.entries, heard->number == 0 ? "" : ", and tells who asked");
    else
        world_tell(m->world, m->place, "%s %" PRIu64 ": %s", heard->kind == QUORUM_FAILED ? "gives up" : "has ended", heard->number,
                   heard->text[0] == '\0' ? "well" : heard->text);
}

static void lend_state(void *owner, const struct shared_state *state)
{
    struct machine *m = owner;
    if (!is_heard(m))
        return;
    world_tell(m->world, m->place, "takes a whole state of %" PRIu64 " entries", state->entries);
    judge_state(m);
}

static void tell_change(struct machine *m, const struct quorum_view *view)
{
    const bool may = !fc_is_ever(view->until), might = !fc_is_ever(m->view.until);
    if (view->role != m->view.role || view->term != m->view.term || view->leader != m->view.leader || may != might)
        world_tell(m->world, m->place, "%s, term %" PRIu64 ", leader n%d, %" PRIu64 " applied of %" PRIu64 "%s%s", quorum_role_word(view->role),
                   view->term, view->leader + 1, view->applied_index, view->last_index, may ? ", may act" : "", view->role == QUORUM_OUT ? view->why : "");
}

static void lend_show(void *owner, struct quorum_view *view)
{
    struct machine *m = owner;
    if (!is_heard(m))
        return;
    tell_change(m, view);
    judge_shown(m, view);
    m->world->tally->leases += view->until.us > m->view.until.us;
    m->world->tally->elections += view->elections_won > m->view.elections_won;
    m->world->tally->withheld += view->votes_withheld > m->view.votes_withheld;
    m->world->tally->repeated += view->repeated > m->view.repeated;
    m->world->tally->outs += view->role == QUORUM_OUT && m->view.role != QUORUM_OUT;
    m->view = *view;
}

static void lend_say(void *owner, const char *sentence)
{
    struct machine *m = owner;
    world_tell(m->world, m->place, "says: %s", sentence);
}

static bool lend_chance(const struct birth *birth, unsigned char *to, size_t size)
{
    struct machine *m = birth->owner;
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)rng_next(&m->chance);
    return true;
}

const struct birth_files machine_files = { .read = disk_file_read, .write = disk_file_write, .chance = lend_chance };

/* ---- process ------------------------------------------------------------------------------------------------------ */

void machine_init(struct machine *m, struct world *world, int place)
{
    m->world = world;
    m->place = place;
    m->chance.state = world->plot->seed * 31 + (uint64_t)place + 1;
    m->clock_begin_us = world_between(world, 1, INT64_C(100000000000));
    m->clock_ppm = world_between(world, -DRIFT_PERCENT * 4900, DRIFT_PERCENT * 4900);
    m->disk = (struct disk){ .writes_left = -1 };
    stored_init(&m->disk.stored);
    m->settings = (struct quorum_settings){ .member_count = world->node_count, .own = place, .election_ms = world->plot->election_ms,
                                            .drift_percent = DRIFT_PERCENT, .snapshot_entries = 48, .trailing_entries = 16 };
    for (int i = 0; i < world->node_count; i++)
        TEXT_FORMAT(m->settings.members[i].name, "n%d", i + 1);
}

static const struct consensus_world lent = { .now = lend_now, .open_io = lend_io, .send = lend_send, .break_off = lend_break_off,
                                             .held = lend_held, .hold = lend_hold, .heard = lend_heard, .heard_state = lend_state, .show = lend_show, .say = lend_say };

void machine_start(struct machine *m)
{
    struct birth birth;
    struct fc_err err = { .code = FC_OK };
    struct consensus_world world = lent;
    world.owner = m;
    m->life++;
    m->is_up = true;
    m->is_ended = m->is_ending = false;
    m->back_at = 0;
    m->frozen_until = m->busy_until = 0;
    m->next_number = 1;
    m->outstanding_count = 0;
    m->permitted_until = 0;
    m->view = (struct quorum_view){ .leader = -1, .until = FC_EVER };
    TEXT_FORMAT(m->settings.node, "n%d~%06u", m->place + 1, (unsigned)m->life);
    if (birth_open_on(&machine_files, m, "disk", m->settings.members[m->place].name, stored_has_log(&m->disk.stored), &birth, &err) != FC_OK) {
        world_tell(m->world, m->place, "does not start: %s", err.text);
        m->is_up = false;
        return;
    }
    m->consensus = malloc(sizeof *m->consensus);
    consensus_init(m->consensus, &m->settings, &birth, &world);
    consensus_stand(m->consensus, m->stands);
    consensus_begin(m->consensus);
    world_at(m->world, machine_now(m) + world_between(m->world, 0, 1000), EVENT_BEAT, m->place, NULL);
}

static void closed(void *owner) { ((struct machine *)owner)->is_ended = true; }

void machine_end(struct machine *m, bool is_orderly)
{
    if (m->consensus != NULL) {
        m->is_ending = is_orderly && m->disk.writes_left != 0;
        m->is_ended = true;                                /* nobody hears it any more */
        consensus_end(m->consensus, closed);
        free(m->consensus);
    }
    m->consensus = NULL;
    m->io = NULL;
    m->is_up = false;
    m->life++;
    m->permitted_until = 0;
    m->view.until = FC_EVER;
    m->disk.writes_left = -1;
    wire_break_all(m->world, m->place);
}

void machine_done(struct machine *m)
{
    machine_end(m, false);
    disk_wipe(&m->disk);
}

bool machine_is_out(const struct machine *m) { return m->consensus != NULL && m->view.role == QUORUM_OUT; }

void machine_beat(struct machine *m)
{
    consensus_beat(m->consensus);
    world_at(m->world, m->world->now + m->settings.election_ms * INT64_C(100), EVENT_BEAT, m->place, NULL);
}

/* ---- what its pump asks for --------------------------------------------------------------------------------------- */

static bool wait_for(struct machine *m, enum asked_for what)
{
    if (m->outstanding_count == OUTSTANDING_MAX)
        return false;
    m->outstanding[m->outstanding_count++] = (struct outstanding){ m->next_number, what };
    return true;
}

/* Of all kinds; an order is closed as soon as another one of this node is laid, so that there is room. */
static void entry_draw(struct machine *m, struct shared_entry *entry)
{
    struct world *w = m->world;
    const uint64_t which = rng_below(&w->chance, 4);
    *entry = (struct shared_entry){ .number = m->next_number };
    TEXT_SET(entry->issuer, m->settings.node);
    if (which == 0) {
        entry->deed = STORE_HOLD;
        entry->hold = (struct hold){ .kind = HOLD_DRAIN, .epoch = 1, .seq = ++w->orders_given, .since_unix_ms = w->now / 1000 };
        TEXT_SET(entry->hold.pool, "db");
        TEXT_FORMAT(entry->hold.server, "db%" PRIu64, rng_below(&w->chance, 4) + 1);
        return;
    }
    if (which == 1) {
        entry->deed = m->open_order == 0 ? STORE_ORDER_LAY : STORE_ORDER_CLOSE;
        entry->order = (struct stored_order){ .id = m->open_order == 0 ? ++w->orders_given : m->open_order,
                                              .state = m->open_order == 0 ? ORDER_ASKED : ORDER_DONE };
        m->open_order = m->open_order == 0 ? entry->order.id : 0;
        TEXT_SET(entry->order.text, "switch db");
        TEXT_SET(entry->order.node, m->settings.members[m->place].name);
        return;
    }
    entry->deed = STORE_HISTORY;
    entry->history.id = ++w->orders_given;
    entry->history.unix_ms = w->now / 1000;
    TEXT_SET(entry->history.kind, "moved");
}

void machine_order(struct machine *m)
{
    const int64_t limit_us = ORDER_LIMIT_ELECTIONS * world_election_us(m->world);
    struct shared_entry entry;
    uint8_t bytes[SHARED_ENTRY_SIZE];
    size_t length = 0;
    entry_draw(m, &entry);
    if (shared_entry_encode(&entry, bytes, sizeof bytes, &length) != FC_OK || !wait_for(m, ASKED_ENTRY))
        return;
    m->next_number++;
    consensus_propose(m->consensus, entry.number, bytes, length, (uint32_t)(limit_us / 1000));
}

/* The pump has stopped acting before it asks. */
void machine_yield(struct machine *m, int to)
{
    m->permitted_until = 0;
    if (wait_for(m, ASKED_YIELD))
        consensus_yield(m->consensus, m->next_number++, to, 2 * (uint32_t)m->settings.election_ms);
}

void machine_snapshot(struct machine *m)
{
    if (wait_for(m, ASKED_SNAPSHOT))
        consensus_snapshot(m->consensus, m->next_number++);
}
