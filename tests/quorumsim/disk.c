/* When a write is made, and what goes wrong with it. What is durable, and what is not yet: stored.c. */
#include "quorumsim/world.h"

#include "base/text.h"

static struct machine *machine_of(struct raft_io *io) { return io->impl; }

static int64_t takes(struct machine *m)
{
    if (m->disk.slow_us != 0)
        return world_between(m->world, m->disk.slow_us / 10, m->disk.slow_us);
    return world_percent(m->world, 95) ? world_between(m->world, 100, 3000) : world_between(m->world, 3000, 40000);
}

static void begin_op(struct machine *m) { world_at(m->world, machine_now(m) + takes(m), EVENT_DISK, m->place, NULL); }

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
    struct stored_op *op = stored_take_first(&d->stored);
    int status = 0;
    if (op == NULL)
        return;
    const bool writes = op->kind == STORED_APPEND || op->kind == STORED_PUT;
    if (writes && (d->is_full || (d->is_broken && op->kind == STORED_APPEND)))
        status = RAFT_NOSPACE;
    if (status != 0 && op->kind == STORED_APPEND) {
        text_format(m->io->errmsg, sizeof m->io->errmsg, "no space left on device");
        m->world->tally->full_disks += !d->is_broken;
        d->is_broken = true;
    }
    if (writes && status == 0 && !power_holds(m)) {
        stored_make(&d->stored, op, op->kind == STORED_PUT ? 0 : (int)world_between(m->world, 0, op->count));      /* a snapshot: whole */
        status = RAFT_IOERR;
    } else if (status == 0) {
        stored_make(&d->stored, op, op->count);
    }
    if (d->stored.ops != NULL)
        begin_op(m);
    if (op->kind == STORED_PUT && status == 0) {
        m->world->tally->snapshots_taken += op->trailing != 0;
        m->world->tally->snapshots_installed += op->trailing == 0;
    }
    stored_end(&d->stored, op, d->writes_left != 0 ? status : RAFT_CANCELED);      /* cancelled: nobody is there to hear it */
}

void disk_let_go(struct machine *m, bool is_orderly)
{
    struct disk *d = &m->disk;
    struct stored_op *op;
    const int asked = stored_asked_count(&d->stored);
    int lost = 0;
    const int through = is_orderly ? asked : (int)world_between(m->world, 0, asked);
    for (int i = 0; (op = stored_take_first(&d->stored)) != NULL; i++) {
        const bool writes = op->kind == STORED_APPEND || op->kind == STORED_PUT;
        const bool is_possible = !d->is_broken && d->writes_left != 0 && !(writes && d->is_full);
        if (i < through && is_possible)
            stored_make(&d->stored, op, op->count);
        else if (i == through && is_possible && op->kind == STORED_APPEND)
            stored_make(&d->stored, op, (int)world_between(m->world, 0, op->count));
        lost += i >= through && op->kind == STORED_APPEND;
        stored_end(&d->stored, op, RAFT_CANCELED);
    }
    m->world->tally->lost_tails += lost > 0;
    d->is_broken = false;
    d->writes_left = d->writes_left == 0 ? 0 : -1;         /* the power goes when the event that is under way is over */
}

/* ---- raft's calls ------------------------------------------------------------------------------------------------- */

static int io_load(struct raft_io *io, raft_term *term, raft_id *vote, struct raft_snapshot **snapshot, raft_index *start,
                   struct raft_entry *entries[], size_t *count)
{
    return stored_load(&machine_of(io)->disk.stored, term, vote, snapshot, start, entries, count);
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
        m->disk.stored.term = term;
        m->disk.stored.vote = 0;
    }
    return code;
}

static int io_set_vote(struct raft_io *io, raft_id vote)
{
    struct machine *m = machine_of(io);
    const int code = write_now(m);
    if (code == 0)
        m->disk.stored.vote = vote;
    return code;
}

static int io_recover(struct raft_io *io, const struct raft_configuration *configuration)
{
    struct machine *m = machine_of(io);
    const int code = write_now(m);
    return code != 0 ? code : stored_add_configuration(&m->disk.stored, configuration);
}

static int io_bootstrap(struct raft_io *io, const struct raft_configuration *configuration)
{
    struct machine *m = machine_of(io);
    if (m->disk.stored.term != 0)
        return RAFT_CANTBOOTSTRAP;
    const int code = write_now(m);
    if (code != 0)
        return code;
    m->disk.stored.term = 1;                               /* the library writes it before the first entry */
    return io_recover(io, configuration);
}

static int asked(struct machine *m, bool is_first)
{
    if (is_first)
        begin_op(m);
    return 0;
}

static int io_append(struct raft_io *io, struct raft_io_append *request, const struct raft_entry entries[], unsigned count, raft_io_append_cb cb)
{
    struct machine *m = machine_of(io);
    if (m->disk.is_broken) {
        text_format(io->errmsg, sizeof io->errmsg, "an earlier write failed");
        return RAFT_IOERR;
    }
    return asked(m, stored_ask_append(&m->disk.stored, request, entries, count, cb));
}

static int io_truncate(struct raft_io *io, raft_index index)
{
    struct machine *m = machine_of(io);
    return m->disk.is_broken ? RAFT_IOERR : asked(m, stored_ask_truncate(&m->disk.stored, index));
}

static int io_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                  raft_io_snapshot_put_cb cb)
{
    return asked(machine_of(io), stored_ask_put(&machine_of(io)->disk.stored, trailing, request, snapshot, cb));
}

static int io_get(struct raft_io *io, struct raft_io_snapshot_get *request, raft_io_snapshot_get_cb cb)
{
    return asked(machine_of(io), stored_ask_get(&machine_of(io)->disk.stored, request, cb));
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

enum fc_code disk_file_read(const struct birth *birth, const char *file, char *to, size_t size, struct fc_err *err)
{
    (void)err;
    return stored_mark_read(&((struct machine *)birth->owner)->disk.stored, file, to, size);
}

enum fc_code disk_file_write(const struct birth *birth, const char *file, const char *text, struct fc_err *err)
{
    struct machine *m = birth->owner;
    if (m->disk.is_full)
        return fc_fail(err, FC_STORE, "cannot write '%s': no space left on device", file);
    if (!power_holds(m))
        return fc_fail(err, FC_STORE, "cannot write '%s': the power is gone", file);
    m->busy_until = machine_now(m) + takes(m);
    return stored_mark_write(&m->disk.stored, file, text, err);
}

int disk_lose_tail(struct disk *d, int count)
{
    struct stored *s = &d->stored;
    const int lost = count < s->count - 1 ? count : s->count > 0 ? s->count - 1 : 0;      /* the first segment is an older file */
    if (lost > 0)
        stored_cut_from(s, s->first + (raft_index)(s->count - lost));
    return lost;
}

void disk_wipe(struct disk *d)
{
    stored_wipe(&d->stored);
    *d = (struct disk){ .stored = d->stored, .writes_left = -1 };
}
