/* From keys to settings. */
#include "agent/agreement.h"

#include <stdlib.h>
#include <string.h>

#include "backends/quorum/peer_streams.h"
#include "base/text.h"

#define FETCH_EVERY_MS 250

struct agreement {
    struct quorum_store *store;
    struct peer_streams streams;
    bool has_streams;
    const struct host *host;
    struct host_timer *fetch;
    struct quorum_store_port port;
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
        a->port.note(a->port.owner, sentence.text);
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

enum fc_code agreement_open(const struct host *host, const struct config *config, const char *node, quorum_store_below *open_below,
                            const struct quorum_store_port *port, store_heard *heard, store_session_ended *session_ended, void *listener,
                            struct agreement **ret, struct fc_err *err)
{
    struct agreement *a = calloc(1, sizeof *a);
    struct quorum_settings *s = calloc(1, sizeof *s);
    enum fc_code code = a == NULL || s == NULL ? fc_fail(err, FC_NO_MEMORY, "out of memory") : FC_OK;
    if (code == FC_OK) {
        a->host = host;
        a->port = *port;
        a->fetch = host->timer(host->agent, fetch_sentences, a);
        TEXT_SET(s->dir, config->raft_data_dir);
        TEXT_SET(s->node, node);
        s->election_ms = config->raft_election_ms;
        s->drift_percent = config->drift_percent;
        s->snapshot_entries = config->raft_snapshot_entries;
        s->trailing_entries = config->raft_snapshot_entries / 4;
        address_with_port(config->raft_bind, config->raft_port, a->bind, sizeof a->bind);
        code = take_members(a, config, s, err);
    }
    if (code == FC_OK)
        code = take_streams(a, config, s, err);
    if (code == FC_OK) {
        TEXT_SET(a->address, a->members[s->own].address);
        if (config->raft_advertise[0] != '\0')
            address_with_port(config->raft_advertise, config->raft_port, a->address, sizeof a->address);
        code = quorum_store_open(host, s, open_below, port, heard, session_ended, listener, &a->store, err);
    }
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

struct store *agreement_store(struct agreement *a) { return quorum_store_as_store(a->store); }
struct leader_source agreement_source(struct agreement *a) { return quorum_store_as_source(a->store); }

void agreement_view(const struct agreement *a, struct agreement_view *ret)
{
    *ret = (struct agreement_view){ .quorum = quorum_store_view(a->store), .settings = quorum_store_settings(a->store), .bind = a->bind,
                                    .unapplied = quorum_store_unapplied(a->store) };
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
    return quorum_store_snapshot(a->store, done, owner);
}

bool agreement_backup(struct agreement *a, void (*done)(void *, enum fc_code, const char *, const char *), void *owner)
{
    return quorum_store_backup(a->store, done, owner);
}

void agreement_free(struct agreement *a)
{
    if (a == NULL)
        return;
    if (a->host != NULL)
        a->host->untimer(a->fetch);
    if (a->has_streams && !peer_streams_done(&a->streams))
        return;                                            /* its thread hangs in the disk and still uses it */
    free(a);
}
