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
    int pool;                        /* being read back */
    struct fc_time sent_at;
    int64_t uptime_ms;
    int row_count;
    struct proxy_row rows[PROXY_ROWS_MAX];
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

static void look_at_pool(struct proxy *proxy);

static void told_all(struct proxy *proxy)
{
    struct event event = { .type = PROXY_SEEN };
    event.as.proxy.proxy = proxy->index;
    event.as.proxy.count = proxy->row_count;
    event.as.proxy.rows = proxy->rows;
    event.as.proxy.sent_at = proxy->sent_at;
    event.as.proxy.uptime_ms = proxy->uptime_ms;
    proxy->all->feed(proxy->all->owner, &event);
}

static void keep_row(struct proxy *proxy, const struct proxy_server_view *view)
{
    if (proxy->row_count == PROXY_ROWS_MAX)
        return;
    struct proxy_row *row = &proxy->rows[proxy->row_count++];
    memset(row, 0, sizeof *row);
    TEXT_SET(row->pool, view->pool);
    TEXT_SET(row->server, view->server);
    TEXT_SET(row->status, view->status);
    TEXT_SET(row->last_agent, view->last_agent);
    row->is_usable = view->is_usable;
    row->epoch = view->epoch;
    row->sessions = view->current_sessions;
}

static void looked(void *owner, enum fc_code code, const char *bytes, size_t length, const char *text)
{
    struct proxy *proxy = owner;
    struct proxy_server_view views[POOL_SERVERS_MAX];
    struct fc_err err;
    int count = 0;
    proxy->looking = NULL;
    if (code != FC_OK) {
        lost(proxy, text);
        return;
    }
    code = runtime_look_parse(bytes, length, views, POOL_SERVERS_MAX, &count, &proxy->uptime_ms, &err);
    if (code != FC_OK && code != FC_NOT_FOUND) {           /* a proxy need not have every pool */
        lost(proxy, err.text);
        return;
    }
    for (int i = 0; i < count; i++)
        keep_row(proxy, &views[i]);
    if (++proxy->pool < proxy->all->core->steering.pool_count)
        look_at_pool(proxy);
    else
        told_all(proxy);
}

static void look_at_pool(struct proxy *proxy)
{
    const struct core *core = proxy->all->core;
    char line[256];
    struct fc_err err;
    const size_t length = runtime_look_format(core->steering.pools[proxy->pool].name, line, sizeof line);
    proxy->looking = talk_open(proxy->all->host, core->proxies[proxy->index].address, line, length, PROXY_ANSWER_MAX,
                               PROXY_LIMIT_MS, looked, proxy, &err);
    if (proxy->looking == NULL)
        lost(proxy, err.text);
}

/* One pool after the other, told together. */
void proxies_look(struct proxies *proxies, int index)
{
    struct proxy *proxy = &proxies->list[index];
    if (proxy->looking != NULL)
        return;
    proxy->pool = 0;
    proxy->row_count = 0;
    proxy->sent_at = proxies->host->now(proxies->host->agent);
    look_at_pool(proxy);
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
