/* What raft has on the false disk of either simulator: what is durable, and what was asked of the disk and is not yet. Operations are
 * made in the order in which they were asked for. When one is made, how much of it, and what goes wrong is the simulator's. */
#ifndef FC_QUORUMSIM_STORED_H
#define FC_QUORUMSIM_STORED_H

#include <raft.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct stored_entry { raft_term term; unsigned short type; size_t length; uint8_t *bytes; };

struct stored_snapshot {
    bool is_there;
    raft_index index, configuration_index;
    raft_term term;
    struct raft_configuration configuration;
    uint8_t *bytes;
    size_t length;
};

enum stored_op_kind { STORED_APPEND, STORED_TRUNCATE, STORED_PUT, STORED_GET };

struct stored_op {
    enum stored_op_kind kind;
    void *request;                       /* raft's; NULL: nobody waits */
    int count;
    struct stored_entry *entries;        /* APPEND; owned */
    raft_index index;                    /* TRUNCATE */
    unsigned trailing;                   /* PUT; 0: one that is installed */
    struct stored_snapshot snapshot;     /* PUT; owned */
    struct raft_buffer *list;            /* PUT of one that is installed: raft's, see stored_end */
    struct stored_op *next;
};

struct stored {
    /* durable */
    raft_term term;
    raft_id vote;
    raft_index first;                    /* of the entries */
    int count, room;
    struct stored_entry *entries;
    struct stored_snapshot snapshot;
    char identity[256], peers[512];      /* the directory's marks; "" = no such file */
    uint64_t held;                       /* up to where entries were confirmed: a mapped page, which outlives the process */
    /* not yet */
    struct stored_op *ops;               /* the first is under way */
};

void stored_init(struct stored *s);
void stored_wipe(struct stored *s);      /* all of its memory; as new then. Nothing may be asked for any more. */
bool stored_has_log(const struct stored *s);
void stored_cut_from(struct stored *s, raft_index index);
int stored_add_configuration(struct stored *s, const struct raft_configuration *configuration);
int stored_load(struct stored *s, raft_term *term, raft_id *vote, struct raft_snapshot **snapshot, raft_index *start,
                struct raft_entry *entries[], size_t *count);

/* As raft asks. True when nothing else is under way: it begins now. */
bool stored_ask_append(struct stored *s, struct raft_io_append *request, const struct raft_entry entries[], unsigned count,
                       raft_io_append_cb cb);
bool stored_ask_truncate(struct stored *s, raft_index index);
bool stored_ask_put(struct stored *s, unsigned trailing, struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                    raft_io_snapshot_put_cb cb);
bool stored_ask_get(struct stored *s, struct raft_io_snapshot_get *request, raft_io_snapshot_get_cb cb);
int stored_asked_count(const struct stored *s);

/* The first one, from now on the caller's, who gives it to stored_end; NULL: raft was closed meanwhile. */
struct stored_op *stored_take_first(struct stored *s);
/* It is durable; of an append the first `part` entries. */
void stored_make(struct stored *s, struct stored_op *op, int part);
/* Raft is told how it went, and its memory goes. */
void stored_end(const struct stored *s, struct stored_op *op, int status);

enum fc_code stored_mark_read(const struct stored *s, const char *file, char *to, size_t size);
enum fc_code stored_mark_write(struct stored *s, const char *file, const char *text, struct fc_err *err);

#endif
