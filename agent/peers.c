/* Tell: "NAME look". Ask: "NAME pool/server", again every few ms, until the words before the '#' are ours. */
#include "agent/peers.h"

#include <stdlib.h>
#include <string.h>

#include "agent/talk.h"
#include "base/text.h"

#define ASK_AGAIN_MS 8
#define ANSWER_MAX 256

struct peer {
    struct peers *all;
    char name[NODE_NAME_SIZE], address[ADDRESS_SIZE];
    struct talk *talk;
    bool is_done, is_told;
};

struct peers {
    const struct host *host;
    char own_name[NODE_NAME_SIZE];
    int count;
    struct peer list[NODES_MAX];
    bool is_telling;
    char pool[64], server[64];
    peers_words *words;
    peers_told *told;
    void *owner;
    struct host_timer *again, *limit;
};

static void ask(struct peer *peer);

static void finish(struct peers *peers)
{
    if (!peers->is_telling)
        return;
    peers->is_telling = false;
    peers->host->timer_stop(peers->again);
    peers->host->timer_stop(peers->limit);
    for (int i = 0; i < peers->count; i++) {
        talk_close(peers->list[i].talk);
        peers->list[i].talk = NULL;
    }
    peers->told(peers->owner, peers->pool);
}

static void ask_again(void *owner)
{
    struct peers *peers = owner;
    bool all_done = true;
    for (int i = 0; i < peers->count; i++) {
        if (!peers->list[i].is_done && peers->list[i].talk == NULL)
            ask(&peers->list[i]);
        all_done = all_done && peers->list[i].is_done;
    }
    if (all_done)
        finish(peers);
    else
        peers->host->timer_set(peers->again, fc_plus(peers->host->now(peers->host->agent), fc_ms(ASK_AGAIN_MS)));
}

static void too_late(void *owner)
{
    finish(owner);
}

/* The words before the reason, without the blank in front of it. */
static void words_of(const char *line, char *to, size_t size)
{
    size_t length = strcspn(line, "#\r\n");
    while (length > 0 && line[length - 1] == ' ')
        length--;
    text_copy_bytes(to, size, line, length);
}

static void answered(void *owner, enum fc_code code, const char *bytes, size_t length, const char *text)
{
    struct peer *peer = owner;
    char theirs[64], ours[64];
    (void)length;
    (void)text;
    peer->talk = NULL;
    if (code != FC_OK) {
        peer->is_done = true;                              /* dead or cut: it does not answer HAProxy either */
    } else if (!peer->is_told) {
        peer->is_told = true;
    } else {
        words_of(bytes, theirs, sizeof theirs);
        peer->all->words(peer->all->owner, peer->all->pool, peer->all->server, ours, sizeof ours);
        peer->is_done = text_is(theirs, ours);
    }
    if (peer->is_told && !peer->is_done)
        return;                                            /* the timer asks again */
    for (int i = 0; i < peer->all->count; i++) {
        if (!peer->all->list[i].is_done)
            return;
    }
    /* Not from here: finish() closes talks, and this one is still ending. */
    peer->all->host->timer_set(peer->all->limit, peer->all->host->now(peer->all->host->agent));
}

static void ask(struct peer *peer)
{
    char line[256];
    struct fc_err err;
    if (peer->is_told)
        TEXT_FORMAT(line, "%s %s/%s\n", peer->all->own_name, peer->all->pool, peer->all->server);
    else
        TEXT_FORMAT(line, "%s look\n", peer->all->own_name);
    peer->talk = talk_open(peer->all->host, peer->address, line, strlen(line), ANSWER_MAX, PEERS_TELL_LIMIT_MS, answered, peer,
                           &err);
    if (peer->talk == NULL)
        peer->is_done = true;
}

void peers_tell(struct peers *peers, const char *pool, const char *server, peers_words *words, peers_told *told, void *owner)
{
    peers->is_telling = true;
    TEXT_SET(peers->pool, pool);
    TEXT_SET(peers->server, server);
    peers->words = words;
    peers->told = told;
    peers->owner = owner;
    const struct fc_time now = peers->host->now(peers->host->agent);
    for (int i = 0; i < peers->count; i++) {
        talk_close(peers->list[i].talk);
        peers->list[i].talk = NULL;
        peers->list[i].is_done = peers->list[i].is_told = false;
        ask(&peers->list[i]);
    }
    peers->host->timer_set(peers->again, fc_plus(now, fc_ms(peers->count == 0 ? 0 : ASK_AGAIN_MS / 2)));
    peers->host->timer_set(peers->limit, fc_plus(now, fc_ms(PEERS_TELL_LIMIT_MS)));
}

struct peers *peers_new(const struct host *host, const struct config *config, const char *own_name)
{
    struct peers *peers = calloc(1, sizeof *peers);
    struct node_address others[NODES_MAX];
    if (peers == NULL)
        return NULL;
    peers->host = host;
    TEXT_SET(peers->own_name, own_name);
    peers->count = config_other_nodes(config, own_name, others);
    for (int i = 0; i < peers->count; i++) {
        peers->list[i].all = peers;
        TEXT_SET(peers->list[i].name, others[i].name);
        node_agent_address(&others[i], peers->list[i].address);
    }
    peers->again = host->timer(host->agent, ask_again, peers);
    peers->limit = host->timer(host->agent, too_late, peers);
    if (peers->again == NULL || peers->limit == NULL) {
        peers_free(peers);
        return NULL;
    }
    return peers;
}

void peers_free(struct peers *peers)
{
    if (peers == NULL)
        return;
    for (int i = 0; i < peers->count; i++)
        talk_close(peers->list[i].talk);
    peers->host->untimer(peers->again);
    peers->host->untimer(peers->limit);
    free(peers);
}
