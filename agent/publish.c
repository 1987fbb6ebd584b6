/* The picture: taken from the core when somebody looks, at most every few ms, and sent to Redis when it has changed. */
#include "agent/daemon.h"

#include <stdlib.h>
#include <string.h>

#include "agent/status_json.h"
#include "base/text.h"

_Static_assert(HISTORY_ASKED_MAX == HISTORY_ROWS_MAX, "what may be asked for is what one answer holds");

#define STATUS_FRESH_MS 5            /* doors are served from one picture for so long */
#define PUBLISH_WITHIN_MS 20         /* changes are gathered for so long before Redis hears of them */

const struct status *daemon_status(void *owner)
{
    struct daemon *d = owner;
    const struct fc_time now = loop_now(loop_ev(d->loop));
    if (!fc_is_ever(d->status_at) && fc_since(d->status_at, now).us < fc_ms(STATUS_FRESH_MS).us)
        return &d->status;
    d->status_at = now;
    const uint64_t filling = d->status.filling + 1;
    core_status(d->core, now, loop_unix_ms(), &d->status);
    d->status.filling = filling;
    TEXT_SET(d->status.token, d->token);
    TEXT_SET(d->status.version, d->version);
    TEXT_SET(d->status.store_word, d->store->class->word);
    if (d->status_seq == 0 || d->core_seq != d->status.seq) {
        /* Comparable among nodes: counted from the wall clock, and rising even when that stands still or is set back. */
        d->core_seq = d->status.seq;
        d->status_seq = d->status_seq + 1 > (uint64_t)d->status.unix_ms ? d->status_seq + 1 : (uint64_t)d->status.unix_ms;
    }
    d->status.seq = d->status_seq;
    return &d->status;
}

enum fc_code daemon_explain(void *owner, const struct order *order, const char *by, bool may_change, char **json, struct fc_err *err)
{
    struct daemon *d = owner;
    return explain_json_print(d->core, loop_now(loop_ev(d->loop)), loop_unix_ms(), order, by, may_change, d->explaining, json, err);
}

#define HISTORY_PRESET 20            /* lines, when the order names no number */

uint64_t daemon_history(void *owner, const struct order *order, desk_report *reply, void *waiter)
{
    struct daemon *d = owner;
    struct history_wanted wanted = { .before = order->before, .since_unix_ms = order->since_unix_ms };
    wanted.limit = order->count > 0 ? (uint32_t)order->count : HISTORY_PRESET;
    if (wanted.since_unix_ms < 0)
        wanted.since_unix_ms += loop_unix_ms();
    TEXT_SET(wanted.subject, order->pool);
    const uint64_t ticket = d->next_ticket + 1;
    if (!historian_ask(d->historian, ticket, &wanted, reply, waiter))
        return 0;
    return d->next_ticket = ticket;
}

static void publish_key(struct daemon *d, enum redis_kind kind, const char *name, char *json, uint64_t epoch, uint64_t seq)
{
    const struct redis_message message = { .kind = kind, .name = name, .json = json, .epoch = epoch, .seq = seq };
    if (json != NULL)
        redis_publish(d->redis, &message, 1);
    free(json);
}

static void publish_events(struct daemon *d, const struct status *s)
{
    for (int i = 0; i < s->event_count; i++) {
        const struct status_event *event = &s->events[i];
        if (event->seq <= d->published_event_seq)
            continue;
        d->published_event_seq = event->seq;
        publish_key(d, REDIS_EVENT, NULL, status_json_event(s->node, event), event->epoch, event->seq);
    }
}

static void publish_all(void *owner)
{
    struct daemon *d = owner;
    if (d->redis == NULL)
        return;
    d->status_at = FC_EVER;
    const struct status *s = daemon_status(d);
    publish_key(d, REDIS_NODE, s->node, status_json_node(s), s->epoch, s->seq);
    for (int i = 0; i < s->pool_count; i++)
        publish_key(d, REDIS_POOL, s->pools[i].name, status_json_pool(s, i), s->pools[i].epoch, s->seq);
    publish_events(d, s);
}

void daemon_publish_soon(struct daemon *d)
{
    if (d->redis != NULL)
        d->host->timer_set(d->publish_timer, fc_plus(loop_now(loop_ev(d->loop)), fc_ms(PUBLISH_WITHIN_MS)));
}

static void redis_changed(void *owner, bool is_ready, const char *text)
{
    struct daemon *d = owner;
    log_say(&d->log, is_ready ? NOTE_INFO : NOTE_WARNING, "redis", "%s", is_ready ? "connected" : text);
}

enum fc_code publish_open(struct daemon *d, struct fc_err *err)
{
    const struct redis_listener listener = { .owner = d, .wants_all = publish_all, .changed = redis_changed };
    d->status_at = FC_EVER;
    d->publish_timer = d->host->timer(d->host->agent, publish_all, d);
    if (d->publish_timer == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    if (d->config->redis_address[0] == '\0')
        return FC_OK;
    return redis_open(d->host, d->config, d->token, &listener, &d->redis, err);
}
