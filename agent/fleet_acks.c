/* A job an order: its words are made while the rows go by, because those are only lent. */
#include "agent/fleet_acks.h"

#include <stdlib.h>
#include <string.h>

#include "backends/fleet/fleet_say.h"
#include "base/text.h"

#define CHUNK_ROWS 200

struct ack_job {
    struct fleet_acks *acks;
    struct fleet_store *store;
    uint64_t ticket;                   /* 0: free */
    struct fleet_order order;
    char who[sizeof ((struct fleet_order *)0)->by];
    int64_t unix_s;
    uint64_t before;
    int chunks, chunk_rows;
    struct fleet_word_list words;
    enum fc_code code;
    struct fc_err err;
};

struct fleet_acks {
    struct fleet_words *words;
    struct fleet_acks_port port;
    struct ack_job jobs[FLEET_ACKS_MAX];
};

bool fleet_ack_fits(const struct fleet_order *o, const struct fleet_row *row)
{
    const bool is_seen = fleet_number(row, topology_recovery_acknowledged) != 0 && fleet_number(row, topology_recovery_in_active_period) == 0;
    uint64_t number = 0;
    if (is_seen)
        return false;
    switch (o->ack) {
    case ACK_ALL:
        return true;
    case ACK_CLUSTER:
        return text_is(fleet_text(row, topology_recovery_cluster_name), o->subject) ||
               (o->name[0] != '\0' && text_is(fleet_text(row, topology_recovery_cluster_alias), o->name));
    case ACK_INSTANCE:
        return text_is(fleet_text(row, topology_recovery_hostname), o->host) && fleet_number(row, topology_recovery_port) == o->port;
    case ACK_ID:
        return text_to_u64(o->subject, strlen(o->subject), &number) && fleet_number(row, topology_recovery_recovery_id) == (int64_t)number;
    case ACK_UID:
        return text_is(fleet_text(row, topology_recovery_uid), o->subject);
    }
    return false;
}

/* ---- words ---------------------------------------------------------------------------------------------------------- */

/* No two of one server may end in the same second: the table's key. */
static void on_row(void *owner, const struct fleet_row *row)
{
    struct ack_job *job = owner;
    const struct fleet_said said = { .at = job->unix_s, .until = job->unix_s - job->words.count, .owner = job->who, .reason = job->order.text };
    job->before = (uint64_t)fleet_number(row, topology_recovery_recovery_id);
    job->chunk_rows++;
    if (job->code != FC_OK || job->words.count == FLEET_SAID_MAX || !fleet_ack_fits(&job->order, row))
        return;
    struct fleet_word *word = fleet_word_list_place(&job->words);
    job->code = word == NULL ? fc_fail(&job->err, FC_NO_MEMORY, "out of memory") : fleet_say_seen(&said, row, word, &job->err);
    job->words.count += job->code == FC_OK;
}

/* ---- the walk over the store ------------------------------------------------------------------------------------------ */

static void end(struct ack_job *job, enum fc_code code, const char *text)
{
    const uint64_t ticket = job->ticket;
    const struct fleet_acks *acks = job->acks;
    free(job->words.list);
    job->words = (struct fleet_word_list){ 0 };
    job->ticket = 0;                   /* the text may be the job's own */
    acks->port.done(acks->port.owner, ticket, code, text);
}

static void say(struct ack_job *job)
{
    char text[96];
    TEXT_FORMAT(text, "%d recoveries acknowledged%s", job->words.count,
                job->words.count == FLEET_SAID_MAX ? "; there may be more: say it again" : "");
    const bool is_one = job->order.ack == ACK_ID || job->order.ack == ACK_UID;
    if (job->words.count == 0) {
        end(job, FC_OK, is_one ? "0 recoveries acknowledged: there is none of this name, or it was already" : text);
        return;
    }
    const enum fc_code code = fleet_words_say_list(job->acks->words, job->ticket, &job->words, text, &job->err);
    if (code != FC_OK)
        end(job, code, job->err.text);
    else
        *job = (struct ack_job){ .ticket = 0 };
}

static bool ask_chunk(struct ack_job *job);

static void on_done(void *owner, enum fc_code code, const char *sentence)
{
    struct ack_job *job = owner;
    const bool is_all = job->chunk_rows < CHUNK_ROWS || job->words.count == FLEET_SAID_MAX || ++job->chunks == FLEET_ACK_CHUNKS_MAX ||
                        job->order.ack == ACK_ID || job->before <= 1;
    if (code != FC_OK)
        end(job, code, sentence);
    else if (job->code != FC_OK)
        end(job, job->code, job->err.text);
    else if (is_all)
        say(job);
    else if (!ask_chunk(job))
        end(job, FC_BUSY, "too many ask the store at one time; ask again");
}

static bool ask_chunk(struct ack_job *job)
{
    const struct fleet_page page = { .table = FLEET_topology_recovery, .before = job->before, .limit = CHUNK_ROWS,
                                     .equal_column = job->order.ack == ACK_UID ? topology_recovery_uid : -1, .equal = job->order.subject,
                                     .owner = job, .row = on_row, .done = on_done };
    job->chunk_rows = 0;
    return fleet_store_page(job->store, &page);
}

enum fc_code fleet_acks_ask(struct fleet_acks *acks, struct fleet_store *store, const struct fleet_order *order, uint64_t ticket, int64_t unix_s,
                            struct fc_err *err)
{
    uint64_t number = 0;
    for (int i = 0; i < FLEET_ACKS_MAX; i++) {
        struct ack_job *job = &acks->jobs[i];
        if (job->ticket != 0)
            continue;
        *job = (struct ack_job){ .acks = acks, .store = store, .ticket = ticket, .order = *order, .unix_s = unix_s };
        text_copy_bytes(job->who, sizeof job->who, order->by, strcspn(order->by, "@"));
        if (order->ack == ACK_ID && text_to_u64(order->subject, strlen(order->subject), &number) && number < INT64_MAX)
            job->before = number + 1;
        if (ask_chunk(job))
            return FC_OK;
        job->ticket = 0;
        return fc_fail(err, FC_BUSY, "the store is not read yet, or too many ask it; ask again");
    }
    return fc_fail(err, FC_BUSY, "too many orders wait for the store");
}

struct fleet_acks *fleet_acks_new(struct fleet_words *words, const struct fleet_acks_port *port)
{
    struct fleet_acks *acks = calloc(1, sizeof *acks);
    if (acks != NULL)
        *acks = (struct fleet_acks){ .words = words, .port = *port };
    return acks;
}

void fleet_acks_free(struct fleet_acks *acks)
{
    for (int i = 0; acks != NULL && i < FLEET_ACKS_MAX; i++)
        free(acks->jobs[i].words.list);
    free(acks);
}
