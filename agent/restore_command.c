/* The state goes row by row through the log of a group that is formed for it: nothing of an old log, no vote and no member comes along.
 * It is made beside RaftDataDir and renamed into its place, so that a cut leaves nothing half restored. Nobody is connected to. */
#include "agent/restore_command.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/loop.h"
#include "backends/quorum/quorum.h"
#include "backends/quorum/state_text.h"
#include "base/text.h"

#define RESTORE_LIMIT_MS 60000

struct restoring {
    struct loop *loop;
    struct quorum *quorum;
    struct shared_state *state;
    struct quorum_settings settings;
    int row;                             /* the next one; the one before is under way */
    bool is_under_way;
    enum fc_code code;
    struct fc_err *err;
};

/* ---- a transport for a group of one ---- */

static int init_nothing(struct raft_uv_transport *t, raft_id id, const char *address)
{
    (void)t, (void)id, (void)address;
    return 0;
}

static int listen_nowhere(struct raft_uv_transport *t, raft_uv_accept_cb accept)
{
    (void)t, (void)accept;
    return 0;
}

static int connect_nobody(struct raft_uv_transport *t, struct raft_uv_connect *request, raft_id id, const char *address, raft_uv_connect_cb cb)
{
    (void)t, (void)request, (void)id, (void)address, (void)cb;
    return RAFT_NOCONNECTION;
}

static void close_nothing(struct raft_uv_transport *t, raft_uv_transport_close_cb cb) { cb(t); }

static enum fc_code make_transport(void *owner, struct uv_loop_s *loop, struct raft_uv_transport *ret, struct fc_err *err)
{
    (void)owner, (void)loop, (void)err;
    *ret = (struct raft_uv_transport){ .init = init_nothing, .listen = listen_nowhere, .connect = connect_nobody, .close = close_nothing };
    return FC_OK;
}

static void transport_is_done(void *owner, struct raft_uv_transport *transport) { (void)owner, (void)transport; }

/* ---- the group ---- */

static void stop(struct restoring *r, enum fc_code code, const char *text)
{
    if (code != FC_OK && r->code == FC_OK)
        r->code = fc_fail(r->err, code, "not restored: %s", text);
    loop_stop(r->loop);
}

static void give_next(struct restoring *r)
{
    struct store_request request;
    struct shared_entry entry;
    if (r->is_under_way)
        return;
    if (!shared_state_row(r->state, r->row, &request)) {
        stop(r, FC_OK, "");
        return;
    }
    r->row++;
    r->is_under_way = true;
    shared_entry_of(&request, r->settings.node, (uint64_t)r->row, &entry);
    if (!quorum_propose(r->quorum, (uint64_t)r->row, &entry, RESTORE_LIMIT_MS))
        stop(r, FC_INTERNAL, "raft's queue is full");
}

static void heard(void *owner, const struct quorum_heard *h)
{
    struct restoring *r = owner;
    if (h->kind == QUORUM_FAILED) {
        stop(r, h->code, h->text);
    } else if (h->kind == QUORUM_APPLIED && h->number != 0) {
        r->is_under_way = false;
        give_next(r);
    }
}

static void changed(void *owner, const struct quorum_view *view)
{
    struct restoring *r = owner;
    if (view->role == QUORUM_OUT)
        stop(r, FC_STORE, view->why);
    else if (!fc_is_ever(view->until) && r->row == 0)
        give_next(r);
}

static void say(void *owner, const char *sentence) { (void)owner, (void)sentence; }

static void too_late(void *owner) { stop(owner, FC_TIMEOUT, "the disk did not take it in time"); }

static enum fc_code form_group(struct restoring *r)
{
    const struct host *host = loop_host(r->loop);
    const struct quorum_port port = { .owner = r, .heard = heard, .changed = changed, .say = say };
    struct host_timer *timer = host->timer(host->agent, too_late, r);
    if (timer == NULL)
        return fc_fail(r->err, FC_NO_MEMORY, "out of memory");
    host->timer_set(timer, fc_plus(host->now(host->agent), fc_ms(RESTORE_LIMIT_MS)));
    r->code = quorum_open(host, &r->settings, &port, &r->quorum, r->err);
    if (r->code == FC_OK) {
        quorum_stand(r->quorum, true);
        loop_run(r->loop);
        quorum_close(r->quorum);
    }
    host->untimer(timer);
    return r->code;
}

/* ---- files ---- */

static enum fc_code read_state(const char *file, struct shared_state *state, struct fc_err *err)
{
    FILE *from = fopen(file, "re");
    char *text = malloc(STATE_TEXT_MAX);
    if (from == NULL || text == NULL) {
        const enum fc_code code = fc_fail(err, from == NULL ? FC_BAD_INPUT : FC_NO_MEMORY, "cannot read '%s': %s", file, strerror(errno));
        if (from != NULL)
            fclose(from);
        free(text);
        return code;
    }
    const size_t length = fread(text, 1, STATE_TEXT_MAX, from);
    struct fc_err why = { .code = FC_OK };
    const enum fc_code code = state_text_read(text, length, state, &why);
    if (code != FC_OK)
        fc_fail(err, code, "'%s': %s", file, why.text);
    fclose(from);
    free(text);
    return code;
}

static enum fc_code check_empty(const char *path, struct fc_err *err)
{
    DIR *dir = opendir(path);
    int count = 0;
    if (dir == NULL)
        return errno == ENOENT ? FC_OK : fc_fail(err, FC_STORE, "cannot read '%s': %s", path, strerror(errno));
    while (count < 3 && readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count <= 2 ? FC_OK : fc_fail(err, FC_REFUSED, "'%s' is not empty: stop the node and move its directory away first", path);
}

static enum fc_code take_settings(const struct config *config, struct quorum_settings *s, struct fc_err *err)
{
    struct named_address self = { .name = "" };
    if (!config->raft_enabled)
        return fc_fail(err, FC_REFUSED, "raft is not in use here: RaftEnabled is false");
    for (int i = 0; i < config->raft_nodes.count; i++) {
        struct named_address one;
        if (raft_node_parse(config->raft_nodes.item[i], config->raft_port, &one, err) != FC_OK)
            return FC_BAD_CONFIG;
        if (text_is(one.name, config->node_name))
            self = one;
    }
    if (self.name[0] == '\0')
        return fc_fail(err, FC_BAD_CONFIG, "RaftNodes does not name this node, '%s'", config->node_name);
    *s = (struct quorum_settings){ .member_count = 1, .forms_alone = true, .election_ms = config->raft_election_ms, .drift_percent = config->drift_percent,
                                   .snapshot_entries = config->raft_snapshot_entries, .trailing_entries = config->raft_snapshot_entries };
    TEXT_SET(s->members[0].name, self.name);
    TEXT_SET(s->members[0].address, self.address);
    TEXT_FORMAT(s->node, "%.40s~restored", self.name);
    TEXT_FORMAT(s->dir, "%s.restoring", config->raft_data_dir);
    s->transport = (struct quorum_transport){ .make = make_transport, .done = transport_is_done };
    return FC_OK;
}

static enum fc_code restore(const struct config *config, const char *file, struct restoring *r)
{
    enum fc_code code = read_state(file, r->state, r->err);
    if (code == FC_OK)
        code = take_settings(config, &r->settings, r->err);
    if (code == FC_OK)
        code = check_empty(config->raft_data_dir, r->err);
    if (code == FC_OK)
        code = check_empty(r->settings.dir, r->err);
    if (code == FC_OK)
        code = loop_open(1, 4, &r->loop, r->err);
    if (code == FC_OK)
        code = form_group(r);
    if (code == FC_OK && rename(r->settings.dir, config->raft_data_dir) != 0)
        code = fc_fail(r->err, FC_STORE, "cannot rename '%s' to '%s': %s", r->settings.dir, config->raft_data_dir, strerror(errno));
    return code;
}

int restore_command(const struct config *config, const char *file)
{
    struct fc_err err = { .code = FC_OK };
    struct restoring *r = calloc(1, sizeof *r);
    enum fc_code code = FC_NO_MEMORY;
    TEXT_SET(err.text, "out of memory");
    if (r != NULL && (r->state = calloc(1, sizeof *r->state)) != NULL) {
        r->err = &err;
        code = restore(config, file, r);
    }
    if (code == FC_OK)
        printf("restored into '%s': %d holds, %d orders, %d lines of history; a new group of %s alone. Start it, then take the others in, each with "
               "an empty RaftDataDir: `firstchairctl raft-add NODE@HOST:PORT`, `raft-promote NODE`\n", config->raft_data_dir, r->state->hold_count,
               r->state->order_count, r->state->history_count, r->settings.members[0].name);
    else
        fprintf(stderr, "firstchair: %s\n", err.text);
    if (r != NULL && r->loop != NULL)
        loop_close(r->loop);
    if (r != NULL)
        free(r->state);
    free(r);
    return fc_code_table[code].exit_code;
}
