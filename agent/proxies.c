/* Runtime API conversations. Words and parsing are the haproxy room's; here is only who is asked when. */
#include "agent/proxies.h"

#include <stdlib.h>
#include <string.h>

#include "agent/talk.h"
#include "base/text.h"
#include "haproxy/runtime.h"

struct proxy {
    struct proxies *all;
    int index;
    struct talk *looking, *pushing;
    char push_next[64];              /* pool to be pushed once the present push has ended; "" = none */
};

struct proxies {
    const struct host *host;
    const struct core *core;
    proxies_feed *feed;
    void *owner;
    struct proxy list[PROXIES_MAX];
};

static void lost(struct proxy *proxy, const char *text)
{
    struct event event = { .type = PROXY_LOST };
    event.as.proxy_lost.proxy = proxy->index;
    TEXT_SET(event.as.proxy_lost.text, text);
    proxy->all->feed(proxy->all->owner, &event);
}

static void looked(void *owner, enum fc_code code, const char *bytes, size_t length, const char *text)
{
    struct proxy *proxy = owner;
    static struct proxy_server_view views[PROXY_ROWS_MAX];
    static struct proxy_row rows[PROXY_ROWS_MAX];
    struct event event = { .type = PROXY_SEEN };
    struct fc_err err;
    int count = 0;
    proxy->looking = NULL;
    if (code != FC_OK) {
        lost(proxy, text);
        return;
    }
    if (runtime_look_parse(bytes, length, views, PROXY_ROWS_MAX, &count, &err) != FC_OK) {
        lost(proxy, err.text);
        return;
    }
    for (int i = 0; i < count; i++) {
        memset(&rows[i], 0, sizeof rows[i]);
        TEXT_SET(rows[i].pool, views[i].pool);
        TEXT_SET(rows[i].server, views[i].server);
        TEXT_SET(rows[i].status, views[i].status);
        TEXT_SET(rows[i].last_agent, views[i].last_agent);
        rows[i].is_usable = views[i].is_usable;
        rows[i].epoch = views[i].epoch;
        rows[i].sessions = views[i].current_sessions;
    }
    event.as.proxy.proxy = proxy->index;
    event.as.proxy.count = count;
    event.as.proxy.rows = rows;
    proxy->all->feed(proxy->all->owner, &event);
}

/* All pools in one line of commands: one conversation a read-back. */
void proxies_look(struct proxies *proxies, int index)
{
    struct proxy *proxy = &proxies->list[index];
    const struct steering *st = &proxies->core->steering;
    char line[2048] = "";
    size_t used = 0;
    struct fc_err err;
    if (proxy->looking != NULL)
        return;
    for (int p = 0; p < st->pool_count; p++) {
        const size_t length = runtime_look_format(st->pools[p].name, line + used, sizeof line - used);
        if (length == 0)
            break;
        used += length;
        if (p + 1 < st->pool_count)
            line[used - 1] = ';';
    }
    if (used > 0 && line[used - 1] == ';')
        line[used - 1] = '\n';
    proxy->looking = talk_open(proxies->host, proxies->core->proxies[index].address, line, used, PROXY_ANSWER_MAX,
                               PROXY_LIMIT_MS, looked, proxy, &err);
    if (proxy->looking == NULL)
        lost(proxy, err.text);
}

static void push(struct proxy *proxy, const char *pool);

static void pushed(void *owner, enum fc_code code, const char *bytes, size_t length, const char *text)
{
    struct proxy *proxy = owner;
    char pool[64];
    (void)bytes;
    (void)length;
    proxy->pushing = NULL;
    if (code != FC_OK)
        lost(proxy, text);
    if (proxy->push_next[0] == '\0') {
        if (code == FC_OK)
            proxies_look(proxy->all, proxy->index);        /* success is an empty reply: read back to be sure */
        return;
    }
    TEXT_SET(pool, proxy->push_next);
    proxy->push_next[0] = '\0';
    push(proxy, pool);
}

static const struct pool *pool_of(const struct core *core, const char *name)
{
    for (int i = 0; i < core->steering.pool_count; i++) {
        if (text_is(core->steering.pools[i].name, name))
            return &core->steering.pools[i];
    }
    return NULL;
}

/* Who leaves first, then who sits: one line, in this order. */
static size_t push_line(const struct pool *pool, char *line, size_t size)
{
    size_t used = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < pool->count; i++) {
            const struct answer *answer = &pool->members[i].answer;
            if ((answer->voice == VOICE_FIRST) != (turn == 1))
                continue;
            const size_t length = runtime_push_format(pool->name, pool->members[i].name, answer, line + used, size - used);
            used += length;
            if (length > 0)
                line[used - 1] = ';';
        }
    }
    if (used > 0)
        line[used - 1] = '\n';
    return used;
}

static void push(struct proxy *proxy, const char *name)
{
    const struct pool *pool = pool_of(proxy->all->core, name);
    char line[4096];
    struct fc_err err;
    if (pool == NULL)
        return;
    if (proxy->pushing != NULL) {
        TEXT_SET(proxy->push_next, name);
        return;
    }
    const size_t length = push_line(pool, line, sizeof line);
    if (length == 0)
        return;
    proxy->pushing = talk_open(proxy->all->host, proxy->all->core->proxies[proxy->index].address, line, length, 4096,
                               PROXY_LIMIT_MS, pushed, proxy, &err);
    if (proxy->pushing == NULL)
        lost(proxy, err.text);
}

void proxies_push(struct proxies *proxies, const char *pool)
{
    for (int i = 0; i < proxies->core->proxy_count; i++)
        push(&proxies->list[i], pool);
}

struct proxies *proxies_new(const struct host *host, const struct core *core, proxies_feed *feed, void *owner)
{
    struct proxies *proxies = calloc(1, sizeof *proxies);
    if (proxies == NULL)
        return NULL;
    proxies->host = host;
    proxies->core = core;
    proxies->feed = feed;
    proxies->owner = owner;
    for (int i = 0; i < PROXIES_MAX; i++) {
        proxies->list[i].all = proxies;
        proxies->list[i].index = i;
    }
    return proxies;
}

void proxies_free(struct proxies *proxies)
{
    for (int i = 0; proxies != NULL && i < PROXIES_MAX; i++) {
        talk_close(proxies->list[i].looking);
        talk_close(proxies->list[i].pushing);
    }
    free(proxies);
}
