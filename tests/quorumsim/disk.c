/* A disk: what is durable, and what was asked of it and is not yet. Operations are made in the order in which they were asked for. */
#include "quorumsim/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static struct machine *machine_of(struct raft_io *io) { return io->impl; }

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

static void snapshot_free(struct disk_snapshot *s)
{
    if (s->is_there) {
        raft_configuration_close(&s->configuration);
        free(s->bytes);
    }
    *s = (struct disk_snapshot){ .is_there = false };
}

static void snapshot_take(const struct raft_snapshot *from, struct disk_snapshot *to)
{
    *to = (struct disk_snapshot){ .is_there = true, .index = from->index, .term = from->term, .configuration_index = from->configuration_index };
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

static struct raft_snapshot *snapshot_give(const struct disk_snapshot *from)
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

static raft_index last_index(const struct disk *d) { return d->first + (raft_index)d->count - 1; }

static void entries_add(struct disk *d, const struct disk_entry *e)
{
    if (d->count == d->room) {
        d->room = d->room == 0 ? 64 : 2 * d->room;
        d->entries = realloc(d->entries, sizeof d->entries[0] * (size_t)d->room);
    }
    d->entries[d->count++] = (struct disk_entry){ e->term, e->type, e->length, copy_of(e->bytes, e->length) };
}

static void entries_cut_from(struct disk *d, raft_index index)
{
    while (d->count > 0 && last_index(d) >= index)
        free(d->entries[--d->count].bytes);
}

static void entries_cut_to(struct disk *d, raft_index index)
{
    int gone = 0;
    while (gone < d->count && d->first + (raft_index)gone <= index)
        free(d->entries[gone++].bytes);
    memmove(d->entries, d->entries + gone, sizeof d->entries[0] * (size_t)(d->count - gone));
    d->count -= gone;
    d->first += (raft_index)gone;
}

static void put_durable(struct disk *d, struct disk_op *op)
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
static void make_durable(struct disk *d, struct disk_op *op, int part)
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

static void op_free(struct disk_op *op)
{
    for (int i = 0; i < op->count; i++)
        free(op->entries[i].bytes);
    free(op->entries);
    snapshot_free(&op->snapshot);
    free(op);
}

static int64_t takes(struct machine *m)
{
    if (m->disk.slow_us != 0)
        return world_between(m->world, m->disk.slow_us / 10, m->disk.slow_us);
    return world_percent(m->world, 95) ? world_between(m->world, 100, 3000) : world_between(m->world, 3000, 40000);
}

static void begin_op(struct machine *m) { world_at(m->world, machine_now(m) + takes(m), EVENT_DISK, m->place, NULL); }

static struct disk_op *op_add(struct machine *m, enum disk_op_kind kind, void *request)
{
    struct disk_op *op = calloc(1, sizeof *op), **at = &m->disk.ops;
    op->kind = kind;
    op->request = request;
    while (*at != NULL)
        at = &(*at)->next;
    *at = op;
    if (m->disk.ops == op)
        begin_op(m);
    return op;
}

static void call_back(struct disk *d, struct disk_op *op, int status)
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
            raft_free(op->list);                           /* libraft 0.15 forgets it when an install fails */
        break;
    case DISK_GET: get->cb(get, status == 0 ? snapshot_give(&d->snapshot) : NULL, status); break;
    case DISK_TRUNCATE: break;
    }
}

/* The power goes at a write: the machine is gone with the event that is under way. */
static bool power_holds(struct machine *m)
{
    struct disk *d = &m->disk;
    if (d->writes_left > 0)
        d->writes_left--;
    return d->writes_left != 0;
}

void disk_done(struct machine *m)
{
    struct disk *d = &m->disk;
    struct disk_op *op = d->ops;
    int status = 0;
    if (op == NULL)
        return;                                            /* raft was closed meanwhile */
    d->ops = op->next;
    const bool writes = op->kind == DISK_APPEND || op->kind == DISK_PUT;
    if (writes && (d->is_full || (d->is_broken && op->kind == DISK_APPEND)))
        status = RAFT_NOSPACE;
    if (status != 0 && op->kind == DISK_APPEND) {
        text_format(m->io->errmsg, sizeof m->io->errmsg, "no space left on device");
        m->world->tally->full_disks += !d->is_broken;
        d->is_broken = true;
    }
    if (writes && status == 0 && !power_holds(m)) {
        make_durable(d, op, op->kind == DISK_PUT ? 0 : (int)world_between(m->world, 0, op->count));
        status = RAFT_IOERR;
    } else if (status == 0) {
        make_durable(d, op, op->count);
    }
    if (d->ops != NULL)
        begin_op(m);
    if (op->kind == DISK_PUT && status == 0) {
        m->world->tally->snapshots_taken += op->trailing != 0;
        m->world->tally->snapshots_installed += op->trailing == 0;
    }
    if (d->writes_left != 0)
        call_back(d, op, status);
    else if (op->request != NULL)
        call_back(d, op, RAFT_CANCELED);                   /* nobody is there to hear it; its memory has to go */
    op_free(op);
}

void disk_let_go(struct machine *m, bool is_orderly)
{
    struct disk *d = &m->disk;
    int asked = 0, lost = 0;
    for (struct disk_op *op = d->ops; op != NULL; op = op->next)
        asked++;
    const int through = is_orderly ? asked : (int)world_between(m->world, 0, asked);
    for (int i = 0; d->ops != NULL; i++) {
        struct disk_op *op = d->ops;
        d->ops = op->next;
        const bool writes = op->kind == DISK_APPEND || op->kind == DISK_PUT;
        const bool is_possible = !d->is_broken && d->writes_left != 0 && !(writes && d->is_full);
        if (i < through && is_possible)
            make_durable(d, op, op->count);
        else if (i == through && is_possible && op->kind == DISK_APPEND)
            make_durable(d, op, (int)world_between(m->world, 0, op->count));
        lost += i >= through && op->kind == DISK_APPEND;
        call_back(d, op, RAFT_CANCELED);
        op_free(op);
    }
    m->world->tally->lost_tails += lost > 0;
    d->is_broken = false;
    d->writes_left = d->writes_left == 0 ? 0 : -1;         /* the power goes when the event that is under way is over */
}

/* ---- raft's calls ------------------------------------------------------------------------------------------------- */

static int io_load(struct raft_io *io, raft_term *term, raft_id *vote, struct raft_snapshot **snapshot, raft_index *start,
                   struct raft_entry *entries[], size_t *count)
{
    struct disk *d = &machine_of(io)->disk;
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
        const struct disk_entry *e = &d->entries[i];
        memcpy(batch + at, e->bytes, e->length);
        (*entries)[i] = (struct raft_entry){ .term = e->term, .type = e->type, .buf = { batch + at, e->length }, .batch = batch };
        at += e->length;
    }
    return 0;
}

/* A write that raft's thread waits for: the process stands still meanwhile. */
static int write_now(struct machine *m)
{
    if (m->disk.is_full && world_percent(m->world, 50)) {
        text_format(m->io->errmsg, sizeof m->io->errmsg, "no space left on device");
        return RAFT_IOERR;
    }
    if (!power_holds(m))
        return RAFT_IOERR;
    m->busy_until = machine_now(m) + takes(m);
    return 0;
}

static int io_set_term(struct raft_io *io, raft_term term)
{
    struct machine *m = machine_of(io);
    const int code = write_now(m);
    if (code == 0) {
        m->disk.term = term;
        m->disk.vote = 0;
    }
    return code;
}

static int io_set_vote(struct raft_io *io, raft_id vote)
{
    struct machine *m = machine_of(io);
    const int code = write_now(m);
    if (code == 0)
        m->disk.vote = vote;
    return code;
}

static int write_configuration(struct machine *m, const struct raft_configuration *configuration)
{
    struct raft_buffer buffer;
    if (raft_configuration_encode(configuration, &buffer) != 0)
        return RAFT_NOMEM;
    const int code = write_now(m);
    if (code == 0)
        entries_add(&m->disk, &(struct disk_entry){ 1, RAFT_CHANGE, buffer.len, buffer.base });
    raft_free(buffer.base);
    return code;
}

static int io_bootstrap(struct raft_io *io, const struct raft_configuration *configuration)
{
    struct machine *m = machine_of(io);
    if (m->disk.term != 0)
        return RAFT_CANTBOOTSTRAP;
    const int code = write_now(m);
    if (code != 0)
        return code;
    m->disk.term = 1;                                      /* the library writes it before the first entry */
    return write_configuration(m, configuration);
}

static int io_recover(struct raft_io *io, const struct raft_configuration *configuration)
{
    return write_configuration(machine_of(io), configuration);
}

static int io_append(struct raft_io *io, struct raft_io_append *request, const struct raft_entry entries[], unsigned count, raft_io_append_cb cb)
{
    struct machine *m = machine_of(io);
    if (m->disk.is_broken) {
        text_format(io->errmsg, sizeof io->errmsg, "an earlier write failed");
        return RAFT_IOERR;
    }
    request->cb = cb;
    struct disk_op *op = op_add(m, DISK_APPEND, request);
    op->entries = calloc(count, sizeof op->entries[0]);
    op->count = (int)count;
    for (unsigned i = 0; i < count; i++)
        op->entries[i] = (struct disk_entry){ entries[i].term, entries[i].type, entries[i].buf.len, copy_of(entries[i].buf.base, entries[i].buf.len) };
    return 0;
}

static int io_truncate(struct raft_io *io, raft_index index)
{
    if (machine_of(io)->disk.is_broken)
        return RAFT_IOERR;
    op_add(machine_of(io), DISK_TRUNCATE, NULL)->index = index;
    return 0;
}

static int io_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                  raft_io_snapshot_put_cb cb)
{
    request->cb = cb;
    struct disk_op *op = op_add(machine_of(io), DISK_PUT, request);
    op->trailing = trailing;
    op->list = trailing == 0 ? snapshot->bufs : NULL;
    snapshot_take(snapshot, &op->snapshot);
    return 0;
}

static int io_get(struct raft_io *io, struct raft_io_snapshot_get *request, raft_io_snapshot_get_cb cb)
{
    request->cb = cb;
    op_add(machine_of(io), DISK_GET, request);
    return 0;
}

void disk_lend(struct machine *m, struct raft_io *io)
{
    (void)m;
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

/* ---- the directory's marks ---------------------------------------------------------------------------------------- */

static char *file_named(struct disk *d, const char *file, size_t *size)
{
    *size = text_is(file, "identity") ? sizeof d->identity : sizeof d->peers;
    return text_is(file, "identity") ? d->identity : d->peers;
}

enum fc_code disk_file_read(const struct birth *birth, const char *file, char *to, size_t size, struct fc_err *err)
{
    size_t room;
    const char *text = file_named(&((struct machine *)birth->owner)->disk, file, &room);
    (void)err;
    text_copy(to, size, text);
    return text[0] == '\0' ? FC_NOT_FOUND : FC_OK;
}

enum fc_code disk_file_write(const struct birth *birth, const char *file, const char *text, struct fc_err *err)
{
    struct machine *m = birth->owner;
    size_t size;
    char *to = file_named(&m->disk, file, &size);
    if (m->disk.is_full)
        return fc_fail(err, FC_STORE, "cannot write '%s': no space left on device", file);
    if (!power_holds(m))
        return fc_fail(err, FC_STORE, "cannot write '%s': the power is gone", file);
    m->busy_until = machine_now(m) + takes(m);
    return text_copy(to, size, text) ? FC_OK : fc_fail(err, FC_STORE, "'%s' is too long", file);
}

bool disk_has_log(const struct disk *d) { return d->term != 0 || d->count > 0 || d->snapshot.is_there; }

int disk_lose_tail(struct disk *d, int count)
{
    const int lost = count < d->count - 1 ? count : d->count > 0 ? d->count - 1 : 0;      /* the first segment is an older file */
    if (lost > 0)
        entries_cut_from(d, last_index(d) - (raft_index)lost + 1);
    return lost;
}

void disk_wipe(struct disk *d)
{
    entries_cut_from(d, 0);
    free(d->entries);
    snapshot_free(&d->snapshot);
    *d = (struct disk){ .first = 1, .writes_left = -1 };
}
