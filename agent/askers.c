/* "NAME askers POOL/SERVER" to each of the other nodes; the own board is read at the same moment. */
#include "agent/askers.h"

#include <stdlib.h>
#include <string.h>

#include "agent/talk.h"
#include "base/text.h"
#include "haproxy/asked.h"

struct neighbour {
    struct askers *all;
    char name[NODE_NAME_SIZE], address[ADDRESS_SIZE];
    struct talk *talk;
};

struct askers {
    const struct host *host;
    const struct board *board;
    askers_feed *feed;
    void *owner;
    char own_name[NODE_NAME_SIZE];
    char pool[64], server[64];
    struct fc_time asked_at;
    struct host_timer *own;
    int count;
    struct neighbour list[NODES_MAX];
};

static void tell(struct askers *askers, const char *node, const struct asked_row *rows, int count)
{
    struct event event = { .type = ASKERS_SEEN };
    TEXT_SET(event.as.askers.node, node);
    TEXT_SET(event.as.askers.pool, askers->pool);
    TEXT_SET(event.as.askers.server, askers->server);
    event.as.askers.sent_at = askers->asked_at;
    event.as.askers.count = count;
    event.as.askers.rows = rows;
    askers->feed(askers->owner, &event);
}

static void read_own_board(void *owner)
{
    struct askers *askers = owner;
    struct asked_row rows[ASKED_ROWS_MAX];
    const int count = board_asked(askers->board, askers->pool, askers->server, askers->host->now(askers->host->agent), rows);
    tell(askers, askers->own_name, rows, count);
}

static void answered(void *owner, enum fc_code code, const char *bytes, size_t length, const char *text)
{
    struct neighbour *neighbour = owner;
    struct asked_row rows[ASKED_ROWS_MAX];
    int count;
    (void)text;
    neighbour->talk = NULL;
    if (code == FC_OK && asked_parse(bytes, length, rows, &count, NULL) == FC_OK)
        tell(neighbour->all, neighbour->name, rows, count);
}

void askers_look(struct askers *askers, const char *pool, const char *server)
{
    char line[256];
    for (int i = 0; i < askers->count; i++) {
        if (askers->list[i].talk != NULL)
            return;
    }
    TEXT_SET(askers->pool, pool);
    TEXT_SET(askers->server, server);
    askers->asked_at = askers->host->now(askers->host->agent);
    askers->host->timer_set(askers->own, askers->host->now(askers->host->agent));
    TEXT_FORMAT(line, "%s askers %s/%s\n", askers->own_name, pool, server);
    for (int i = 0; i < askers->count; i++) {
        struct neighbour *neighbour = &askers->list[i];
        neighbour->talk = talk_open(askers->host, neighbour->address, line, strlen(line), ASKED_ANSWER_SIZE, ASKERS_LIMIT_MS,
                                    answered, neighbour, NULL);
    }
}

struct askers *askers_new(const struct host *host, const struct config *config, const char *own_name, const struct board *board,
                          askers_feed *feed, void *owner)
{
    struct askers *askers = calloc(1, sizeof *askers);
    struct node_address others[NODES_MAX];
    if (askers == NULL)
        return NULL;
    askers->host = host;
    askers->board = board;
    askers->feed = feed;
    askers->owner = owner;
    TEXT_SET(askers->own_name, own_name);
    askers->count = config_other_nodes(config, own_name, others);
    for (int i = 0; i < askers->count; i++) {
        askers->list[i].all = askers;
        TEXT_SET(askers->list[i].name, others[i].name);
        node_agent_address(&others[i], askers->list[i].address);
    }
    askers->own = host->timer(host->agent, read_own_board, askers);
    if (askers->own == NULL) {
        askers_free(askers);
        return NULL;
    }
    return askers;
}

void askers_free(struct askers *askers)
{
    if (askers == NULL)
        return;
    for (int i = 0; i < askers->count; i++)
        talk_close(askers->list[i].talk);
    askers->host->untimer(askers->own);
    free(askers);
}
