/* See stored.h. */
#include "quorumsim/stored.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "quorumsim/sent.h"

static void *copy_of(const void *bytes, size_t length)
{
    void *copy = malloc(length == 0 ? 1 : length);
    memcpy(copy, bytes, length);
    return copy;
}

/* ---- snapshots ---------------------------------------------------------------------------------------------------- */

static void snapshot_free(struct stored_snapshot *s)
{
    if (s->is_there) {
        raft_configuration_close(&s->configuration);
        free(s->bytes);
    }
    *s = (struct stored_snapshot){ .is_there = false };
}

static void snapshot_take(const struct raft_snapshot *from, struct stored_snapshot *to)
{
    *to = (struct stored_snapshot){ .is_there = true, .index = from->index, .term = from->term, .configuration_index = from->configuration_index };
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

static struct raft_snapshot *snapshot_give(const struct stored_snapshot *from)
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

static raft_index last_index(const struct stored *s) { return s->first + (raft_index)s->count - 1; }

static void entries_add(struct stored *s, const struct stored_entry *e)
{
    if (s->count == s->room) {
        s->room = s->room == 0 ? 64 : 2 * s->room;
        s->entries = realloc(s->entries, sizeof s->entries[0] * (size_t)s->room);
    }
    s->entries[s->count++] = (struct stored_entry){ e->term, e->type, e->length, copy_of(e->bytes, e->length) };
}

void stored_cut_from(struct stored *s, raft_index index)
{
    while (s->count > 0 && last_index(s) >= index)
        free(s->entries[--s->count].bytes);
}

static void cut_to(struct stored *s, raft_index index)
{
    int gone = 0;
    while (gone < s->count && s->first + (raft_index)gone <= index)
        free(s->entries[gone++].bytes);
    if (gone == 0)
        return;
    memmove(s->entries, s->entries + gone, sizeof s->entries[0] * (size_t)(s->count - gone));
    s->count -= gone;
    s->first += (raft_index)gone;
}

static void begin_after_snapshot(struct stored *s)
{
    stored_cut_from(s, 1);
    s->first = s->snapshot.index + 1;
}

static void snapshot_put(struct stored *s, struct stored_op *op)
{
    snapshot_free(&s->snapshot);
    s->snapshot = op->snapshot;
    op->snapshot.is_there = false;
    if (op->trailing == 0)
        begin_after_snapshot(s);                           /* installed: what was in the log is of no use */
    else if (s->snapshot.index > op->trailing)
        cut_to(s, s->snapshot.index - op->trailing);
}

void stored_make(struct stored *s, struct stored_op *op, int part)
{
    switch (op->kind) {
    case STORED_APPEND:
        for (int i = 0; i < part; i++)
            entries_add(s, &op->entries[i]);
        break;
    case STORED_TRUNCATE: stored_cut_from(s, op->index); break;
    case STORED_PUT: snapshot_put(s, op); break;
    case STORED_GET: break;
    }
}

int stored_add_configuration(struct stored *s, const struct raft_configuration *configuration)
{
    struct raft_buffer buffer;
    if (raft_configuration_encode(configuration, &buffer) != 0)
        return RAFT_NOMEM;
    entries_add(s, &(struct stored_entry){ 1, RAFT_CHANGE, buffer.len, buffer.base });
    raft_free(buffer.base);
    return 0;
}

static struct raft_entry *entries_give(const struct stored *s)
{
    size_t all = 0, at = 0;
    if (s->count == 0)
        return NULL;
    for (int i = 0; i < s->count; i++)
        all += s->entries[i].length;
    uint8_t *batch = raft_malloc(all);
    struct raft_entry *ret = raft_calloc((size_t)s->count, sizeof *ret);
    for (int i = 0; i < s->count; i++) {
        const struct stored_entry *e = &s->entries[i];
        memcpy(batch + at, e->bytes, e->length);
        ret[i] = (struct raft_entry){ .term = e->term, .type = e->type, .buf = { batch + at, e->length }, .batch = batch };
        at += e->length;
    }
    return ret;
}

int stored_load(struct stored *s, raft_term *term, raft_id *vote, struct raft_snapshot **snapshot, raft_index *start,
                struct raft_entry *entries[], size_t *count)
{
    if (s->snapshot.is_there && last_index(s) < s->snapshot.index)
        begin_after_snapshot(s);                           /* as the library does with segments that end before the snapshot */
    *term = s->term;
    *vote = s->vote;
    *snapshot = s->snapshot.is_there ? snapshot_give(&s->snapshot) : NULL;
    *start = s->first;
    *count = (size_t)s->count;
    *entries = entries_give(s);
    return 0;
}

void stored_init(struct stored *s) { *s = (struct stored){ .first = 1 }; }
bool stored_has_log(const struct stored *s) { return s->term != 0 || s->count > 0 || s->snapshot.is_there; }

void stored_wipe(struct stored *s)
{
    stored_cut_from(s, 0);
    free(s->entries);
    snapshot_free(&s->snapshot);
    stored_init(s);
}

/* ---- what is asked for -------------------------------------------------------------------------------------------- */

static struct stored_op *op_add(struct stored *s, enum stored_op_kind kind, void *request)
{
    struct stored_op *op = calloc(1, sizeof *op), **at = &s->ops;
    op->kind = kind;
    op->request = request;
    while (*at != NULL)
        at = &(*at)->next;
    *at = op;
    return op;
}

bool stored_ask_append(struct stored *s, struct raft_io_append *request, const struct raft_entry entries[], unsigned count,
                       raft_io_append_cb cb)
{
    struct stored_op *op = op_add(s, STORED_APPEND, request);
    request->cb = cb;
    op->entries = calloc(count, sizeof op->entries[0]);
    op->count = (int)count;
    for (unsigned i = 0; i < count; i++)
        op->entries[i] = (struct stored_entry){ entries[i].term, entries[i].type, entries[i].buf.len,
                                                copy_of(entries[i].buf.base, entries[i].buf.len) };
    return s->ops == op;
}

bool stored_ask_truncate(struct stored *s, raft_index index)
{
    struct stored_op *op = op_add(s, STORED_TRUNCATE, NULL);
    op->index = index;
    return s->ops == op;
}

bool stored_ask_put(struct stored *s, unsigned trailing, struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                    raft_io_snapshot_put_cb cb)
{
    struct stored_op *op = op_add(s, STORED_PUT, request);
    request->cb = cb;
    op->trailing = trailing;
    op->list = trailing == 0 ? snapshot->bufs : NULL;
    snapshot_take(snapshot, &op->snapshot);
    return s->ops == op;
}

bool stored_ask_get(struct stored *s, struct raft_io_snapshot_get *request, raft_io_snapshot_get_cb cb)
{
    request->cb = cb;
    return op_add(s, STORED_GET, request) == s->ops;
}

int stored_asked_count(const struct stored *s)
{
    int ret = 0;
    for (const struct stored_op *op = s->ops; op != NULL; op = op->next)
        ret++;
    return ret;
}

struct stored_op *stored_take_first(struct stored *s)
{
    struct stored_op *op = s->ops;
    if (op != NULL)
        s->ops = op->next;
    return op;
}

static void call_back(const struct stored *s, struct stored_op *op, int status)
{
    struct raft_io_append *append = op->request;
    struct raft_io_snapshot_put *put = op->request;
    struct raft_io_snapshot_get *get = op->request;
    switch (op->kind) {
    case STORED_APPEND: append->cb(append, status); break;
    case STORED_PUT:
        put->cb(put, status);
        if (status != 0)
            raft_free(op->list);                           /* libraft 0.15 forgets it when an install fails */
        break;
    case STORED_GET: get->cb(get, status == 0 ? snapshot_give(&s->snapshot) : NULL, status); break;
    case STORED_TRUNCATE: break;
    }
}

void stored_end(const struct stored *s, struct stored_op *op, int status)
{
    call_back(s, op, status);
    for (int i = 0; i < op->count; i++)
        free(op->entries[i].bytes);
    free(op->entries);
    snapshot_free(&op->snapshot);
    free(op);
}

/* ---- the directory's marks ---------------------------------------------------------------------------------------- */

enum fc_code stored_mark_read(const struct stored *s, const char *file, char *to, size_t size)
{
    const char *text = text_is(file, "identity") ? s->identity : s->peers;
    text_copy(to, size, text);
    return text[0] == '\0' ? FC_NOT_FOUND : FC_OK;
}

enum fc_code stored_mark_write(struct stored *s, const char *file, const char *text, struct fc_err *err)
{
    const bool fits = text_is(file, "identity") ? TEXT_SET(s->identity, text) : TEXT_SET(s->peers, text);
    return fits ? FC_OK : fc_fail(err, FC_STORE, "'%s' is too long", file);
}
