/* Raft's disk: operations are made in the order in which they were asked for; a process that ends loses the end of them. What goes wrong
 * with a disk itself is told by tests/quorumsim. */
#include "sim/sim_raft_inside.h"

#include <stdlib.h>

static struct stored *disk_of(struct raft_io *io)
{
    int node;
    struct world *world = raft_world_of(io->impl, &node);
    return &world->raft.rafts[node].disk;
}

static int64_t takes_us(struct world *world)
{
    return chance(world, 95) ? chance_between(world, 100, 3000) : chance_between(world, 3000, 40000);
}

void raft_wait_for_disk(struct world *world, int node)
{
    world->raft.rafts[node].busy_until = raft_true_now(world, node) + takes_us(world);
}

static void begin_op(struct world *world, int node)
{
    happen(world, raft_true_now(world, node) + takes_us(world), HAP_RAFT_DISK, node, 0, world->raft.rafts[node].life);
}

void raft_disk_done(struct world *world, int node)
{
    struct stored *d = &world->raft.rafts[node].disk;
    struct stored_op *op = stored_take_first(d);
    if (op == NULL)
        return;
    stored_make(d, op, op->count);
    if (d->ops != NULL)
        begin_op(world, node);
    stored_end(d, op, 0);
}

void raft_disk_let_go(struct world *world, int node)
{
    struct stored *d = &world->raft.rafts[node].disk;
    const int through = (int)chance_between(world, 0, stored_asked_count(d));
    struct stored_op *op;
    for (int i = 0; (op = stored_take_first(d)) != NULL; i++) {
        if (i < through)
            stored_make(d, op, op->count);
        else if (i == through && op->kind == STORED_APPEND)
            stored_make(d, op, (int)chance_between(world, 0, op->count));
        stored_end(d, op, RAFT_CANCELED);
    }
}

/* ---- raft's calls ------------------------------------------------------------------------------------------------- */

static int io_load(struct raft_io *io, raft_term *term, raft_id *vote, struct raft_snapshot **snapshot, raft_index *start,
                   struct raft_entry *entries[], size_t *count)
{
    return stored_load(disk_of(io), term, vote, snapshot, start, entries, count);
}

/* Its thread waits for these writes. */
static int io_set_term(struct raft_io *io, raft_term term)
{
    int node;
    struct world *world = raft_world_of(io->impl, &node);
    raft_wait_for_disk(world, node);
    disk_of(io)->term = term;
    disk_of(io)->vote = 0;
    return 0;
}

static int io_set_vote(struct raft_io *io, raft_id vote)
{
    int node;
    struct world *world = raft_world_of(io->impl, &node);
    raft_wait_for_disk(world, node);
    disk_of(io)->vote = vote;
    return 0;
}

static int io_recover(struct raft_io *io, const struct raft_configuration *configuration)
{
    return stored_add_configuration(disk_of(io), configuration);
}

static int io_bootstrap(struct raft_io *io, const struct raft_configuration *configuration)
{
    if (disk_of(io)->term != 0)
        return RAFT_CANTBOOTSTRAP;
    disk_of(io)->term = 1;
    return io_recover(io, configuration);
}

static int asked(struct raft_io *io, bool is_first)
{
    int node;
    struct world *world = raft_world_of(io->impl, &node);
    if (is_first)
        begin_op(world, node);
    return 0;
}

static int io_append(struct raft_io *io, struct raft_io_append *request, const struct raft_entry entries[], unsigned count,
                     raft_io_append_cb cb)
{
    return asked(io, stored_ask_append(disk_of(io), request, entries, count, cb));
}

static int io_truncate(struct raft_io *io, raft_index index) { return asked(io, stored_ask_truncate(disk_of(io), index)); }

static int io_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                  raft_io_snapshot_put_cb cb)
{
    return asked(io, stored_ask_put(disk_of(io), trailing, request, snapshot, cb));
}

static int io_get(struct raft_io *io, struct raft_io_snapshot_get *request, raft_io_snapshot_get_cb cb)
{
    return asked(io, stored_ask_get(disk_of(io), request, cb));
}

void raft_disk_lend(struct raft_io *io)
{
    io->load = io_load;
    io->bootstrap = io_bootstrap;
    io->recover = io_recover;
    io->set_term = io_set_term;
    io->set_vote = io_set_vote;
    io->append = io_append;
    io->truncate = io_truncate;
    io->snapshot_put = io_put;
    io->snapshot_get = io_get;
}
