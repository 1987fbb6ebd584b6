/* A witness has no store: every request is refused, later and once, as a store answers. What it must remember is raft's. */
#include "backends/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define WAITING_MAX 64               /* a witness asks next to nothing: no look, no row, no order */

struct waiting { enum store_deed deed; uint64_t id; int server; struct fc_time sent_at; };

struct store_none {
    struct store store;
    const struct host *host;
    struct host_timer *timer;
    int count;
    struct waiting waiting[WAITING_MAX];
};

static void refuse_all(void *owner)
{
    struct store_none *n = owner;
    const int count = n->count;
    struct waiting waiting[WAITING_MAX];
    memcpy(waiting, n->waiting, sizeof waiting);
    n->count = 0;
    for (int i = 0; i < count; i++) {
        struct store_result result = { .deed = waiting[i].deed, .id = waiting[i].id, .server = waiting[i].server, .code = FC_REFUSED,
                                       .sent_at = waiting[i].sent_at };
        TEXT_SET(result.text, "this is a witness: it has no store and reaches no server");
        n->store.heard(n->store.listener, &result);
    }
}

static void ask(struct store *store, const struct store_request *request)
{
    struct store_none *n = (struct store_none *)store;
    if (n->count == WAITING_MAX)
        return;                                            /* who asked has a bound of its own, as with a store that is silent */
    const struct fc_time now = n->host->now(n->host->agent);
    n->waiting[n->count++] = (struct waiting){ request->deed, request->id, request->server, now };
    n->host->timer_set(n->timer, now);
}

static void close_none(struct store *store)
{
    struct store_none *n = (struct store_none *)store;
    n->host->untimer(n->timer);
    free(n);
}

enum fc_code store_none_open(const struct host *host, store_heard *heard, void *listener, struct store **ret, struct fc_err *err)
{
    static const struct store_class class = { .word = "none", .ask = ask, .close = close_none };
    struct store_none *n = calloc(1, sizeof *n);
    if (n == NULL || (n->timer = host->timer(host->agent, refuse_all, n)) == NULL) {
        free(n);
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    }
    n->host = host;
    n->store.class = &class;
    n->store.heard = heard;
    n->store.listener = listener;
    *ret = &n->store;
    return FC_OK;
}
