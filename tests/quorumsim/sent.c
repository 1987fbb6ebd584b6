/* See sent.h. */
#include "quorumsim/sent.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void configuration_copy(const struct raft_configuration *from, struct raft_configuration *to)
{
    raft_configuration_init(to);
    for (unsigned i = 0; i < from->n; i++)
        raft_configuration_add(to, from->servers[i].id, from->servers[i].address, from->servers[i].role);
}

/* ---- copies ------------------------------------------------------------------------------------------------------- */

/* The bytes of all of them lie in one piece of memory, as raft wants it. */
static void entries_copy(const struct raft_append_entries *from, struct raft_append_entries *to)
{
    size_t all = 0, at = 0;
    to->entries = NULL;
    if (from->n_entries == 0)
        return;
    for (unsigned i = 0; i < from->n_entries; i++)
        all += from->entries[i].buf.len;
    uint8_t *batch = raft_malloc(all);
    to->entries = raft_calloc(from->n_entries, sizeof *to->entries);
    for (unsigned i = 0; i < from->n_entries; i++) {
        to->entries[i] = from->entries[i];
        to->entries[i].buf.base = batch + at;
        to->entries[i].batch = batch;
        memcpy(batch + at, from->entries[i].buf.base, from->entries[i].buf.len);
        at += from->entries[i].buf.len;
    }
}

static void install_copy(const struct raft_install_snapshot *from, struct raft_install_snapshot *to)
{
    configuration_copy(&from->conf, &to->conf);
    to->data.base = raft_malloc(from->data.len);
    memcpy(to->data.base, from->data.base, from->data.len);
}

void sent_copy(const struct raft_message *from, struct raft_message *to)
{
    *to = *from;
    if (from->type == RAFT_IO_APPEND_ENTRIES)
        entries_copy(&from->append_entries, &to->append_entries);
    else if (from->type == RAFT_IO_INSTALL_SNAPSHOT)
        install_copy(&from->install_snapshot, &to->install_snapshot);
}

void sent_drop(struct raft_message *message)
{
    if (message->type == RAFT_IO_APPEND_ENTRIES && message->append_entries.entries != NULL) {
        raft_free(message->append_entries.entries[0].batch);
        raft_free(message->append_entries.entries);
    } else if (message->type == RAFT_IO_INSTALL_SNAPSHOT) {
        raft_configuration_close(&message->install_snapshot.conf);
        raft_free(message->install_snapshot.data.base);
    }
}

/* ---- who waits ---------------------------------------------------------------------------------------------------- */

struct sent_waiting *sent_wait(struct sent_waiting **sends, struct raft_io_send *request, raft_io_send_cb cb)
{
    struct sent_waiting *send = calloc(1, sizeof *send);
    request->cb = cb;
    send->request = request;
    while (*sends != NULL)
        sends = &(*sends)->next;
    *sends = send;
    return send;
}

static void first_ends(struct sent_waiting **sends, int status)
{
    struct sent_waiting *send = *sends;
    *sends = send->next;
    if (send->request->cb != NULL)
        send->request->cb(send->request, status);
    free(send);
}

void sent_first_is_through(struct sent_waiting **sends)
{
    if (*sends != NULL)
        first_ends(sends, (*sends)->status);
}

void sent_let_go(struct sent_waiting **sends)
{
    while (*sends != NULL)
        first_ends(sends, RAFT_CANCELED);
}
