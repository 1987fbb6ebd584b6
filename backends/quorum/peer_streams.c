/* Who is asked for by id is looked up among those that the quorum knows, on its own thread; only sentences cross the threads. */
#include "backends/quorum/peer_streams.h"

#include <string.h>

#include "base/text.h"

static bool on_lookup(void *owner, raft_id id, struct transport_peer *ret)
{
    const struct peer_streams *streams = owner;

    for (int i = 0; i < streams->peer_count; i++) {
        if (streams->peers[i].id == id && id != 0) {
            *ret = streams->peers[i];
            return true;
        }
    }
    return false;
}

/* A full ring keeps what is older: the first of a flood says more than its last. */
static void on_say(void *owner, enum transport_count kind, const char *sentence)
{
    struct peer_streams *streams = owner;

    uv_mutex_lock(&streams->door);
    if (streams->put - streams->taken < PEER_SENTENCES_MAX) {
        struct peer_sentence *to = &streams->sentences[streams->put++ % PEER_SENTENCES_MAX];
        to->kind = kind;
        TEXT_SET(to->text, sentence);
    }
    uv_mutex_unlock(&streams->door);
}

bool peer_streams_said(struct peer_streams *streams, struct peer_sentence *ret)
{
    uv_mutex_lock(&streams->door);
    const bool has_one = streams->taken != streams->put;
    if (has_one)
        *ret = streams->sentences[streams->taken++ % PEER_SENTENCES_MAX];
    uv_mutex_unlock(&streams->door);
    return has_one;
}

static enum fc_code make(void *owner, struct uv_loop_s *loop, struct raft_uv_transport *ret, struct fc_err *err)
{
    struct peer_streams *streams = owner;
    const enum fc_code code = transport_init(ret, loop, &streams->config, &streams->counts, err);
    streams->is_in_use = code == FC_OK;
    return code;
}

static void done(void *owner, struct raft_uv_transport *transport)
{
    struct peer_streams *streams = owner;
    transport_done(transport);
    streams->is_in_use = false;
}

static void know(void *owner, const struct roster *roster)
{
    struct peer_streams *streams = owner;

    streams->peer_count = ROSTER_PLACES_MAX;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        const struct roster_place *place = &roster->places[i];
        struct transport_peer *peer = &streams->peers[i];
        *peer = (struct transport_peer){ .id = place->name[0] == '\0' ? 0 : quorum_member_id(place->name) };
        TEXT_SET(peer->name, place->name);
        TEXT_SET(peer->address, place->address);
    }
}

static enum fc_code take_member(struct transport_peer *peer, struct quorum_member *member, struct fc_err *err)
{
    char host[ADDRESS_SIZE];
    int port;

    if (!text_is_name(member->name, strlen(member->name)))
        return fc_fail(err, FC_BAD_CONFIG, "'%s' is no name for a raft node: it takes letters, digits, '.', '_' and '-'", member->name);
    if (!address_split(member->address, host, sizeof host, &port) || host[0] == '\0' || port == 0 ||
        !TEXT_SET(peer->address, member->address))
        return fc_fail(err, FC_BAD_CONFIG, "raft node %s cannot be reached at '%s': it takes host:port", member->name,
                       member->address);
    TEXT_SET(peer->name, member->name);
    peer->id = quorum_member_id(member->name);
    return FC_OK;
}

enum fc_code peer_streams_init(struct peer_streams *ret, struct quorum_settings *settings, const char *cluster, const char *listen,
                               const struct peer_key *key, struct fc_err *err)
{
    *ret = (struct peer_streams){ .peer_count = settings->member_count };
    for (int i = 0; i < settings->member_count; i++) {
        const enum fc_code code = take_member(&ret->peers[i], &settings->members[i], err);
        if (code != FC_OK)
            return code;
    }
    if (uv_mutex_init(&ret->door) != 0)
        return fc_fail(err, FC_NO_MEMORY, "raft's peer streams: out of memory");
    transport_config_preset(&ret->config);
    ret->config.id = ret->peers[settings->own].id;
    TEXT_SET(ret->config.name, ret->peers[settings->own].name);
    TEXT_SET(ret->config.cluster, cluster);
    TEXT_SET(ret->config.listen, listen);
    ret->config.key = *key;
    ret->config.owner = ret;
    ret->config.lookup = on_lookup;
    ret->config.say = on_say;
    settings->transport = (struct quorum_transport){ .owner = ret, .make = make, .done = done, .know = know };
    return FC_OK;
}

bool peer_streams_done(struct peer_streams *streams)
{
    if (streams->is_in_use)
        return false;
    uv_mutex_destroy(&streams->door);
    peer_key_wipe(&streams->config.key);
    return true;
}
