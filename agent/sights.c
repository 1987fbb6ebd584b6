/* One line out, one line back, for each of the other nodes. */
#include "agent/sights.h"

#include <stdlib.h>
#include <string.h>

#include "agent/talk.h"
#include "base/text.h"
#include "haproxy/sight.h"

struct neighbour {
    struct sights *all;
    char name[NODE_NAME_SIZE], address[ADDRESS_SIZE];
    struct talk *talk;
    int server;
    struct fc_time asked_at;
    bool is_deaf;                    /* not even begun: told at the next turn of the loop */
};

struct sights {
    const struct host *host;
    sights_feed *feed;
    void *owner;
    char own_name[NODE_NAME_SIZE];
    struct host_timer *deaf;
    int count;
    struct neighbour list[NODES_MAX];
};

static void tell(struct neighbour *neighbour, struct sight sight)
{
    struct event event = { .type = SIGHT_SEEN };
    TEXT_SET(event.as.sight.node, neighbour->name);
    event.as.sight.server = neighbour->server;
    event.as.sight.told = sight;
    neighbour->all->feed(neighbour->all->owner, &event);
}

/* The age counts from when the answer was made, at the earliest when it was asked for: so old its look is at the most. */
static void answered(void *owner, enum fc_code code, const char *bytes, size_t length, const char *text)
{
    struct neighbour *neighbour = owner;
    struct sight sight = { .state = SIGHT_MUTE, .at = neighbour->asked_at };
    int64_t age_us;
    (void)text;
    neighbour->talk = NULL;
    if (code == FC_OK && sight_is_witness(bytes, length)) {
        sight.state = SIGHT_NONE;
    } else if (code == FC_OK && sight_parse(bytes, length, &sight.loss, &age_us, NULL) == FC_OK) {
        sight.state = SIGHT_TOLD;
        sight.at = fc_plus(neighbour->asked_at, (struct fc_span){ -age_us });
    }
    tell(neighbour, sight);
}

static void tell_of_the_deaf(void *owner)
{
    struct sights *sights = owner;
    for (int i = 0; i < sights->count; i++) {
        struct neighbour *neighbour = &sights->list[i];
        if (!neighbour->is_deaf)
            continue;
        neighbour->is_deaf = false;
        tell(neighbour, (struct sight){ .state = SIGHT_MUTE, .at = neighbour->asked_at });
    }
}

void sights_look(struct sights *sights, const char *pool, int server, const char *name)
{
    const struct fc_time now = sights->host->now(sights->host->agent);
    char line[256];
    TEXT_FORMAT(line, "%s sight %s/%s\n", sights->own_name, pool, name);
    for (int i = 0; i < sights->count; i++) {
        struct neighbour *neighbour = &sights->list[i];
        if (neighbour->talk != NULL || neighbour->is_deaf)
            continue;
        neighbour->server = server;
        neighbour->asked_at = now;
        neighbour->talk = talk_open(sights->host, neighbour->address, line, strlen(line), SIGHT_ANSWER_SIZE, SIGHTS_LIMIT_MS,
                                    answered, neighbour, NULL);
        if (neighbour->talk == NULL) {
            neighbour->is_deaf = true;
            sights->host->timer_set(sights->deaf, now);
        }
    }
}

struct sights *sights_new(const struct host *host, const struct config *config, const char *own_name, sights_feed *feed,
                          void *owner)
{
    struct sights *sights = calloc(1, sizeof *sights);
    struct node_address others[NODES_MAX];
    if (sights == NULL)
        return NULL;
    sights->host = host;
    sights->feed = feed;
    sights->owner = owner;
    TEXT_SET(sights->own_name, own_name);
    sights->count = config_other_nodes(config, own_name, others);
    for (int i = 0; i < sights->count; i++) {
        sights->list[i].all = sights;
        TEXT_SET(sights->list[i].name, others[i].name);
        node_agent_address(&others[i], sights->list[i].address);
    }
    sights->deaf = host->timer(host->agent, tell_of_the_deaf, sights);
    if (sights->deaf == NULL) {
        sights_free(sights);
        return NULL;
    }
    return sights;
}

void sights_free(struct sights *sights)
{
    if (sights == NULL)
        return;
    for (int i = 0; i < sights->count; i++)
        talk_close(sights->list[i].talk);
    sights->host->untimer(sights->deaf);
    free(sights);
}
