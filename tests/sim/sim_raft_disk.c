/* Raft's disk: operations are made in the order in which they were asked for; a process that ends loses the end of them. What goes wrong
 * with a disk itself is told by tests/quorumsim. */
#include "sim/sim_raft_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum disk_op_kind { DISK_APPEND, DISK_TRUNCATE, DISK_PUT, DISK_GET };

struct raft_disk_op {
    enum disk_op_kind kind;
    void *request;                       /* raft's; NULL: nobody waits */
    int count;
    struct raft_disk_entry *entries;     /* APPEND; owned */
    raft_index index;                    /* TRUNCATE */
    unsigned trailing;                   /* PUT */
    struct raft_disk_snapshot snapshot;  /* PUT; owned */
    struct raft_buffer *list;            /* PUT of one that is installed: raft's, which forgets it when that fails */
    struct raft_disk_op *next;
};

static struct raft_disk *disk_of(struct raft_io *io)
{
    int node;
    struct world *world = raft_world_of(io->impl, &node);
    return &world->raft.rafts[node].disk;
}

static void *copy_of(const void *bytes, size_t length)
{
    void *copy = malloc(length == 0 ? 1 : length);
    memcpy(copy, bytes, length);
    return copy;
}

/* ---- snapshots ---------------------------------------------------------------------------------------------------- */

static void configuration_copy(const struct raft_configuration *from, struct raft_configuration *to)
{
    raft_configuration_init(to);
    for (unsigned i = 0; i < from->n; i++)
        raft_configuration_add(to, from->servers[i].id, from->servers[i].address, from->servers[i].role);
}

static void snapshot_free(struct raft_disk_snapshot *s)
{
    if (s->is_there) {
        raft_configuration_close(&s->configuration);
        free(s->bytes);
    }
    *s = (struct raft_disk_snapshot){ .is_there = false };
}

static void snapshot_take(const struct raft_snapshot *from, struct raft_disk_snapshot *to)
{
    *to = (struct raft_disk_snapshot){ .is_there = true, .index = from->index, .term = from->term,
                                       .configuration_index = from->configuration_index };
    configuration_copy(&from->configuration, &to->configuration);
    for (unsigned i = 0; i < from->n_bufs; i++)
        to->length += from->bufs[i].len;
    to->bytes = malloc(to->length + 1);
    size_t at = 0;
    for (unsigned i = 0; i < from->n_bufs; i++) {
        memcpy(to->bytes + at, from->bufs[i].base, from->bufs[i].len);
        at += from->bufs[i].len;
    }
}

static struct raft_snapshot *snapshot_give(const struct raft_disk_snapshot *from)
{
    struct raft_snapshot *ret = raft_calloc(1, sizeof *ret);
    ret->index = from->index;
    ret->term = from->term;
    ret->configuration_index = from->configuration_index;
    configuration_copy(&from->configuration, &ret->configuration);
    ret->n_bufs = 1;
    ret->bufs = raft_malloc(sizeof *ret->bufs);
    ret->bufs[0] = (struct raft_buffer){ .base = raft_malloc(from->length), .len = from->length };
    memcpy(ret->bufs[0].base, from->bytes, from->length);
    return ret;
}

/* ---- what is durable ---------------------------------------------------------------------------------------------- */

static raft_index last_index(const struct raft_disk *d) { return d->first + (raft_index)d->count - 1; }

static void entries_add(struct raft_disk *d, const struct raft_disk_entry *e)
{
    if (d->count == d->room) {
        d->room = d->room == 0 ? 64 : 2 * d->room;
        d->entries = realloc(d->entries, sizeof d->entries[0] * (size_t)d->room);
    }
    d->entries[d->count++] = (struct raft_disk_entry){ e->term, e->type, e->length, copy_of(e->bytes, e->length) };
}

static void entries_cut_from(struct raft_disk *d, raft_index index)
{
    while (d->count > 0 && last_index(d) >= index)
        free(d->entries[--d->count].bytes);
}

static void entries_cut_to(struct raft_disk *d, raft_index index)
{
    int gone = 0;
    while (gone < d->count && d->first + (raft_index)gone <= index)
        free(d->entries[gone++].bytes);
    if (gone == 0)
        return;
    memmove(d->entries, d->entries + gone, sizeof d->entries[0] * (size_t)(d->count - gone));
    d->count -= gone;
    d->first += (raft_index)gone;
}

static void put_durable(struct raft_disk *d, struct raft_disk_op *op)
{
    snapshot_free(&d->snapshot);
    d->snapshot = op->snapshot;
    op->snapshot.is_there = false;
    if (op->trailing == 0) {                               /* installed: what was in the log is of no use */
        entries_cut_from(d, 1);
        d->first = d->snapshot.index + 1;
    } else if (d->snapshot.index > op->trailing) {
        entries_cut_to(d, d->snapshot.index - op->trailing);
    }
}

/* `part`: how many of its entries, of an append. */
static void make_durable(struct raft_disk *d, struct raft_disk_op *op, int part)
{
    switch (op->kind) {
    case DISK_APPEND:
        for (int i = 0; i < part; i++)
            entries_add(d, &op->entries[i]);
        break;
    case DISK_TRUNCATE: entries_cut_from(d, op->index); break;
    case DISK_PUT: put_durable(d, op); break;
    case DISK_GET: break;
    }
}

/* ---- operations --------------------------------------------------------------------------------------------------- */

static void op_free(struct raft_disk_op *op)
{
    for (int i = 0; i < op->count; i++)
        free(op->entries[i].bytes);
    free(op->entries);
    snapshot_free(&op->snapshot);
    free(op);
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

static struct raft_disk_op *op_add(struct raft_io *io, enum disk_op_kind kind, void *request)
{
    int node;
    struct world *world = raft_world_of(io->impl, &node);
    struct raft_disk_op *op = calloc(1, sizeof *op), **at = &disk_of(io)->ops;
    op->kind = kind;
    op->request = request;
    while (*at != NULL)
        at = &(*at)->next;
    *at = op;
    if (disk_of(io)->ops == op)
        begin_op(world, node);
    return op;
}

static void call_back(struct raft_disk *d, struct raft_disk_op *op, int status)
{
    struct raft_io_append *append = op->request;
    struct raft_io_snapshot_put *put = op->request;
    struct raft_io_snapshot_get *get = op->request;
    if (op->request == NULL)
        return;
    switch (op->kind) {
    case DISK_APPEND: append->cb(append, status); break;
    case DISK_PUT:
        put->cb(put, status);
        if (status != 0)
            raft_free(op->list);
        break;
    case DISK_GET: get->cb(get, status == 0 ? snapshot_give(&d->snapshot) : NULL, status); break;
    case DISK_TRUNCATE: break;
    }
}

void raft_disk_done(struct world *world, int node)
{
    struct raft_disk *d = &world->raft.rafts[node].disk;
    struct raft_disk_op *op = d->ops;
    if (op == NULL)
        return;                                            /* raft was closed meanwhile */
    d->ops = op->next;
    make_durable(d, op, op->count);
    if (d->ops != NULL)
        begin_op(world, node);
    call_back(d, op, 0);
    op_free(op);
}

void raft_disk_let_go(struct world *world, int node)
{
    struct raft_disk *d = &world->raft.rafts[node].disk;
    int asked = 0;
    for (struct raft_disk_op *op = d->ops; op != NULL; op = op->next)
        asked++;
    const int through = (int)chance_between(world, 0, asked);
    for (int i = 0; d->ops != NULL; i++) {
        struct raft_disk_op *op = d->ops;
        d->ops = op->next;
        if (i < through)
            make_durable(d, op, op->count);
        else if (i == through && op->kind == DISK_APPEND)
            make_durable(d, op, (int)chance_between(world, 0, op->count));
        call_back(d, op, RAFT_CANCELED);
        op_free(op);
    }
}

/* ---- raft's calls ------------------------------------------------------------------------------------------------- */

static int io_load(struct raft_io *io, raft_term *term, raft_id *vote, struct raft_snapshot **snapshot, raft_index *start,
                   struct raft_entry *entries[], size_t *count)
{
    struct raft_disk *d = disk_of(io);
    size_t all = 0, at = 0;
    if (d->snapshot.is_there && last_index(d) < d->snapshot.index) {
        entries_cut_from(d, 1);                            /* as the library does with segments that end before the snapshot */
        d->first = d->snapshot.index + 1;
    }
    *term = d->term;
    *vote = d->vote;
    *snapshot = d->snapshot.is_there ? snapshot_give(&d->snapshot) : NULL;
    *start = d->first;
    *count = (size_t)d->count;
    *entries = NULL;
    if (d->count == 0)
        return 0;
    for (int i = 0; i < d->count; i++)
        all += d->entries[i].length;
    uint8_t *batch = raft_malloc(all);
    *entries = raft_calloc((size_t)d->count, sizeof **entries);
    for (int i = 0; i < d->count; i++) {
        const struct raft_disk_entry *e = &d->entries[i];
        memcpy(batch + at, e->bytes, e->length);
        (*entries)[i] = (struct raft_entry){ .term = e->term, .type = e->type, .buf = { batch + at, e->length }, .batch = batch };
        at += e->length;
    }
    return 0;
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
    struct raft_buffer buffer;
    if (raft_configuration_encode(configuration, &buffer) != 0)
        return RAFT_NOMEM;
    entries_add(disk_of(io), &(struct raft_disk_entry){ 1, RAFT_CHANGE, buffer.len, buffer.base });
    raft_free(buffer.base);
    return 0;
}

static int io_bootstrap(struct raft_io *io, const struct raft_configuration *configuration)
{
    if (disk_of(io)->term != 0)
        return RAFT_CANTBOOTSTRAP;
    disk_of(io)->term = 1;
    return io_recover(io, configuration);
}

static int io_append(struct raft_io *io, struct raft_io_append *request, const struct raft_entry entries[], unsigned count,
                     raft_io_append_cb cb)
{
    request->cb = cb;
    struct raft_disk_op *op = op_add(io, DISK_APPEND, request);
    op->entries = calloc(count, sizeof op->entries[0]);
    op->count = (int)count;
    for (unsigned i = 0; i < count; i++)
        op->entries[i] = (struct raft_disk_entry){ entries[i].term, entries[i].type, entries[i].buf.len,
                                                   copy_of(entries[i].buf.base, entries[i].buf.len) };
    return 0;
}

static int io_truncate(struct raft_io *io, raft_index index)
{
    op_add(io, DISK_TRUNCATE, NULL)->index = index;
    return 0;
}

static int io_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                  raft_io_snapshot_put_cb cb)
{
    request->cb = cb;
    struct raft_disk_op *op = op_add(io, DISK_PUT, request);
    op->trailing = trailing;
    op->list = trailing == 0 ? snapshot->bufs : NULL;
    snapshot_take(snapshot, &op->snapshot);
    return 0;
}

static int io_get(struct raft_io *io, struct raft_io_snapshot_get *request, raft_io_snapshot_get_cb cb)
{
    request->cb = cb;
    op_add(io, DISK_GET, request);
    return 0;
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

bool raft_disk_has_log(const struct raft_disk *d) { return d->term != 0 || d->count > 0 || d->snapshot.is_there; }

void raft_disk_wipe(struct raft_disk *d)
{
    entries_cut_from(d, 0);
    free(d->entries);
    snapshot_free(&d->snapshot);
    *d = (struct raft_disk){ .first = 1 };
}
