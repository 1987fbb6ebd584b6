/* From keys to settings. */
#include "agent/agreement.h"

#include <stdlib.h>
#include <string.h>

#include "backends/lease.h"
#include "backends/quorum/peer_streams.h"
#include "base/text.h"

#define FETCH_EVERY_MS 250

struct agreement {
    struct quorum_store *store;          /* one of these two */
    struct quorum_chair *chair;
    int server_count;
    struct peer_streams streams;
    bool has_streams;
    const struct host *host;
    struct host_timer *fetch;
    void *note_owner;
    void (*note)(void *owner, const char *sentence);
    struct named_address members[QUORUM_NODES_MAX];
    char address[ADDRESS_SIZE], bind[ADDRESS_SIZE];
};

static enum fc_code take_members(struct agreement *a, const struct config *config, struct quorum_settings *s, struct fc_err *err)
{
    char name[NODE_NAME_SIZE];
    node_name_of(s->node, name, sizeof name);
    s->own = -1;
    for (int i = 0; i < config->raft_nodes.count; i++) {
        if (raft_node_parse(config->raft_nodes.item[i], config->raft_port, &a->members[i], err) != FC_OK)
            return FC_BAD_CONFIG;
        if (text_is(a->members[i].name, name))
            s->own = i;
    }
    s->member_count = config->raft_nodes.count;
    if (s->member_count == 0) {
        TEXT_SET(a->members[0].name, name);
        TEXT_SET(a->members[0].address, a->bind);
        s->member_count = 1;
        s->own = 0;
    }
    if (s->own < 0)
        return fc_fail(err, FC_BAD_CONFIG, "RaftNodes does not name this node, '%s'; it must list all nodes by their NodeName, this one too",
                       name);
    for (int i = 0; i < s->member_count; i++) {
        TEXT_SET(s->members[i].name, a->members[i].name);
        TEXT_SET(s->members[i].address, a->members[i].address);
    }
    return FC_OK;
}

/* What the transport says of who came and who was turned away waits on its side: it is fetched now and then. */
static void fetch_sentences(void *owner)
{
    struct agreement *a = owner;
    struct peer_sentence sentence;
    while (peer_streams_said(&a->streams, &sentence))
        a->note(a->note_owner, sentence.text);
    a->host->timer_set(a->fetch, fc_plus(a->host->now(a->host->agent), fc_ms(FETCH_EVERY_MS)));
}

static enum fc_code take_streams(struct agreement *a, const struct config *config, struct quorum_settings *s, struct fc_err *err)
{
    struct peer_key key;
    enum fc_code code = peer_key_read(config->raft_peer_key_file, getenv(PEER_KEY_ENVIRONMENT), &key, err);
    if (code == FC_OK)
        code = peer_streams_init(&a->streams, s, config->raft_cluster_name, a->bind, &key, err);
    a->has_streams = code == FC_OK;
    peer_key_wipe(&key);
    return code;
}

/* All but what lies above: the settings of the quorum, in memory of their own. NULL: err says why. */
static struct agreement *begin(const struct host *host, const struct config *config, const char *node, struct quorum_settings **settings,
                               struct fc_err *err)
{
    struct agreement *a = calloc(1, sizeof *a);
    struct quorum_settings *s = calloc(1, sizeof *s);
    enum fc_code code = a == NULL || s == NULL ? fc_fail(err, FC_NO_MEMORY, "out of memory") : FC_OK;
    if (code == FC_OK) {
        a->host = host;
        a->fetch = host->timer(host->agent, fetch_sentences, a);
        TEXT_SET(s->dir, config->raft_data_dir);
        TEXT_SET(s->node, node);
        s->is_witness = config_is_witness(config);
        s->election_ms = config->raft_election_ms;
        s->drift_percent = config->drift_percent;
        s->snapshot_entries = config->raft_snapshot_entries;
        s->trailing_entries = config->raft_snapshot_entries;       /* who was away for fewer entries is given these, not the whole state */
        address_with_port(config->raft_bind, config->raft_port, a->bind, sizeof a->bind);
        code = take_members(a, config, s, err);
    }
    if (code == FC_OK)
        code = take_streams(a, config, s, err);
    if (code != FC_OK) {
        free(s);
        agreement_free(a);
        return NULL;
    }
    TEXT_SET(a->address, a->members[s->own].address);
    if (config->raft_advertise[0] != '\0')
        address_with_port(config->raft_advertise, config->raft_port, a->address, sizeof a->address);
    *settings = s;
    return a;
}

static enum fc_code end_opening(struct agreement *a, struct quorum_settings *s, enum fc_code code, struct agreement **ret)
{
    free(s);
    if (code != FC_OK) {
        agreement_free(a);
        return code;
    }
    if (a->fetch != NULL)
        fetch_sentences(a);
    *ret = a;
    return FC_OK;
}

enum fc_code agreement_open(const struct host *host, const struct config *config, const char *node, quorum_store_below *open_below,
                            const struct quorum_store_port *port, store_heard *heard, store_session_ended *session_ended, void *listener,
                            struct agreement **ret, struct fc_err *err)
{
    struct quorum_settings *s = NULL;
    struct agreement *a = begin(host, config, node, &s, err);
    if (a == NULL)
        return err->code;
    a->note = port->note;
    a->note_owner = port->owner;
    return end_opening(a, s, quorum_store_open(host, s, open_below, port, heard, session_ended, listener, &a->store, err), ret);
}

static struct quorum_chair_settings chair_settings(const struct agreement *a, const struct config *config)
{
    const struct lease_settings lease = { .lease_ms = config->lease_ms, .drift_percent = config->drift_percent };
    struct quorum_chair_settings settings = { .term_ms = config->term_ms, .probe_timeout_ms = config->probe_timeout_ms,
                                              .renew_ms = config->lease_renew_ms, .watch = lease_watch_span(&lease),
                                              .server_count = a->server_count };
    struct named_address server;
    TEXT_SET(settings.pool, config->backend_pool);
    for (int i = 0; i < a->server_count && i < config->backend_servers.count; i++) {
        if (named_address_parse(config->backend_servers.item[i], &server, NULL) == FC_OK)
            TEXT_SET(settings.names[i], server.name);
    }
    return settings;
}

enum fc_code agreement_open_chair(const struct host *host, const struct config *config, const char *node, int server_count,
                                  const struct quorum_chair_port *port, struct agreement **ret, struct fc_err *err)
{
    struct quorum_settings *s = NULL;
    struct agreement *a = begin(host, config, node, &s, err);
    if (a == NULL)
        return err->code;
    a->note = port->note;
    a->note_owner = port->owner;
    a->server_count = server_count;
    const struct quorum_chair_settings own = chair_settings(a, config);
    return end_opening(a, s, quorum_chair_open(host, s, &own, port, &a->chair, err), ret);
}

void agreement_retime(struct agreement *a, const struct config *config)
{
    if (a == NULL || a->chair == NULL)
        return;
    const struct quorum_chair_settings own = chair_settings(a, config);
    quorum_chair_retime(a->chair, &own);
}

struct store *agreement_store(struct agreement *a) { return a->store == NULL ? NULL : quorum_store_as_store(a->store); }
struct leader_source agreement_source(struct agreement *a)
{
    return a->chair != NULL ? quorum_chair_as_source(a->chair) : quorum_store_as_source(a->store);
}

void agreement_view(const struct agreement *a, struct agreement_view *ret)
{
    *ret = (struct agreement_view){ .bind = a->bind };
    if (a->chair != NULL) {
        ret->quorum = quorum_chair_view(a->chair);
        ret->settings = quorum_chair_quorum_settings(a->chair);
    } else {
        ret->quorum = quorum_store_view(a->store);
        ret->settings = quorum_store_settings(a->store);
        ret->unapplied = quorum_store_unapplied(a->store);
    }
    ret->own = ret->settings->own;
    TEXT_SET(ret->address, a->address);
}

const char *agreement_address(const struct agreement_view *view, int member)
{
    return member == view->own ? view->address : view->quorum->roster.places[member].address;
}

const struct transport_counts *agreement_peer_counts(const struct agreement *a)
{
    return &a->streams.counts;
}

bool agreement_snapshot(struct agreement *a, void (*done)(void *, enum fc_code, const char *), void *owner)
{
    return a->chair != NULL ? quorum_chair_snapshot(a->chair, done, owner) : quorum_store_snapshot(a->store, done, owner);
}

bool agreement_backup(struct agreement *a, void (*done)(void *, enum fc_code, const char *, const char *), void *owner)
{
    return a->chair != NULL ? quorum_chair_backup(a->chair, done, owner) : quorum_store_backup(a->store, done, owner);
}

void agreement_free(struct agreement *a)
{
    if (a == NULL)
        return;
    quorum_chair_close(a->chair);
    if (a->host != NULL)
        a->host->untimer(a->fetch);
    if (a->has_streams && !peer_streams_done(&a->streams))
        return;                                            /* its thread hangs in the disk and still uses it */
    free(a);
}
