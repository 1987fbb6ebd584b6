/* Each asker has a moment from which it is harmless; the latest of them counts. Nothing is ever taken for heard before the
 * terms are over: until then a node that has not seen the revoke may still say the old word, and undo it. */
#include "steer/heard.h"

#include <string.h>

#include "base/text.h"

#define STOP_BEGINS_MS 1000          /* a reload: from the new process' start until it tells the old one to stop; and a grain of
                                      * HAProxy's uptime, which is told in whole seconds */

static struct fc_span drifting(const struct config *c, int64_t ms)
{
    return fc_ms(ms + ms * c->drift_percent / 100);
}

struct fc_span heard_terms(const struct config *c) { return drifting(c, c->term_ms); }

struct fc_span heard_check(const struct config *c)
{
    return drifting(c, (int64_t)c->check_fall * (c->check_inter_ms + c->check_timeout_ms) + c->check_inter_ms);
}

struct fc_span heard_leavings(const struct config *c) { return drifting(c, (int64_t)c->hard_stop_seconds * 1000); }

static struct fc_time terms_over(const struct heard *heard, const struct config *config)
{
    return fc_plus(heard->revoked_at, heard_terms(config));
}

static struct fc_time all_over(const struct heard *heard, const struct config *config)
{
    return fc_plus(fc_plus(terms_over(heard, config), heard_check(config)), heard_leavings(config));
}

void heard_begin(struct heard *heard, const struct config *config, const char *pool, const char *server, uint64_t epoch,
                 struct fc_time now)
{
    struct named_address item;
    memset(heard, 0, sizeof *heard);
    heard->is_listening = true;
    heard->epoch = epoch;
    heard->revoked_at = heard->look_at = now;
    TEXT_SET(heard->pool, pool);
    TEXT_SET(heard->server, server);
    for (int i = 0; i < config->haproxy_instances.count && heard->count < PROXIES_MAX; i++) {
        if (named_address_parse(config->haproxy_instances.item[i], &item, NULL) != FC_OK)
            continue;                                      /* config_check refused such a file */
        struct heard_asker *asker = &heard->askers[heard->count];
        TEXT_SET(asker->name, item.name);
        asker->sessions = -1;
        asker->uptime_ms = -1;
        asker->calm_since = asker->misled_at = FC_EVER;
        asker->proxy = heard->count++;
    }
}

void heard_end(struct heard *heard)
{
    heard->is_listening = false;
}

/* As far as its latest view shows. */
static bool is_in_use(const struct heard_asker *asker)
{
    return asker->was_seen && (asker->is_usable || asker->sessions != 0);
}

/* ---- its own view -------------------------------------------------------------------------------------------------- */

/* A poll that is answered with the old word by another node undoes a push, but not for longer than until the next. */
static struct fc_span calm(const struct config *c) { return drifting(c, 2 * (int64_t)c->agent_inter_ms); }

static void hear_view(struct heard *heard, const struct config *config, const struct event *event)
{
    const struct proxy_row *row = NULL;
    for (int i = 0; i < event->as.proxy.count && row == NULL; i++) {
        if (text_is(event->as.proxy.rows[i].pool, heard->pool) && text_is(event->as.proxy.rows[i].server, heard->server))
            row = &event->as.proxy.rows[i];
    }
    for (int i = 0; i < heard->count; i++) {
        struct heard_asker *asker = &heard->askers[i];
        if (asker->proxy != event->as.proxy.proxy || row == NULL || fc_before(event->as.proxy.sent_at, heard->revoked_at))
            continue;
        asker->was_seen = true;
        asker->is_usable = row->is_usable;
        asker->sessions = row->sessions;
        if (fc_before(event->as.proxy.sent_at, terms_over(heard, config)))
            continue;
        if (is_in_use(asker)) {
            asker->by = HEARD_NOT;                         /* whatever it was told */
            asker->calm_since = FC_EVER;
            continue;
        }
        if (fc_is_ever(asker->calm_since))
            asker->calm_since = event->as.proxy.sent_at;
        if (fc_since(fc_later(asker->calm_since, asker->misled_at), event->as.proxy.sent_at).us < calm(config).us)
            continue;
        if (asker->by == HEARD_VIEW && asker->uptime_ms >= 0 && event->as.proxy.uptime_ms > asker->uptime_ms)
            continue;                                      /* the same process, seen earlier: no need to wait longer */
        asker->by = HEARD_VIEW;
        asker->at = event->as.proxy.sent_at;
        asker->uptime_ms = event->as.proxy.uptime_ms;
    }
}

/* ---- answers that it was given -------------------------------------------------------------------------------------- */

/* The other nodes ask each other's boards by their own names. */
static bool is_node(const struct config *config, const char *name, const char *own_name)
{
    struct node_address node;
    for (int i = 0; i < config->nodes.count; i++) {
        if (node_address_parse(config->nodes.item[i], &node, NULL) == FC_OK && text_is(node.name, name))
            return true;
    }
    return text_is(own_name, name);
}

/* One that HAProxyInstances names is itself whatever address it asks from; another one is its name and address. */
static struct heard_asker *asker_of(struct heard *heard, const struct asked_row *row)
{
    for (int i = 0; i < heard->count; i++) {
        struct heard_asker *asker = &heard->askers[i];
        if (text_is(asker->name, row->name) && (asker->proxy >= 0 || text_is(asker->source, row->source)))
            return asker;
    }
    if (heard->count == HEARD_MAX) {
        heard->is_full = true;
        return NULL;
    }
    struct heard_asker *asker = &heard->askers[heard->count++];
    memset(asker, 0, sizeof *asker);
    TEXT_SET(asker->name, row->name);
    TEXT_SET(asker->source, row->source);
    asker->proxy = asker->sessions = -1;
    asker->uptime_ms = -1;
    asker->calm_since = asker->misled_at = FC_EVER;
    return asker;
}

static struct fc_time before(struct fc_time now, int64_t age_ms)
{
    return fc_plus(now, (struct fc_span){ -fc_ms(age_ms).us });
}

static void hear_misled(const struct heard *heard, const struct config *config, struct heard_asker *asker,
                        const struct asked_row *row, const struct event *event)
{
    const struct fc_time told_at = before(event->at, row->first_age_ms);
    if (row->first_age_ms < 0 || fc_before(told_at, terms_over(heard, config)))
        return;
    asker->misled_at = fc_later(asker->misled_at, told_at);
    if (asker->by != HEARD_NOT && fc_before(asker->at, fc_plus(asker->misled_at, calm(config))))
        asker->by = HEARD_NOT;
}

static void hear_asked(struct heard *heard, const struct config *config, const struct asked_row *row, const struct event *event)
{
    struct heard_asker *asker = asker_of(heard, row);
    if (asker != NULL)
        hear_misled(heard, config, asker, row, event);
    if (asker == NULL || asker->by != HEARD_NOT || row->epoch < heard->epoch || is_in_use(asker) ||
        row->prompt_age_ms[0] < 0 || row->prompt_age_ms[1] < 0)
        return;
    /* It asks again only when it is done with the answer before: the earlier of the two has been taken. */
    const struct fc_time taken_at = before(event->as.askers.sent_at, row->prompt_age_ms[1]);
    if (fc_before(taken_at, terms_over(heard, config)) || fc_before(taken_at, asker->misled_at))
        return;                                            /* what was on its way for long is no younger for that */
    asker->by = HEARD_SERVED;
    asker->at = before(event->at, row->prompt_age_ms[0]);
}

static void hear_askers(struct heard *heard, const struct config *config, const struct event *event, const char *own_name)
{
    const int64_t memory_ms = fc_span_ms(fc_since(heard->revoked_at, all_over(heard, config)));
    if (!text_is(event->as.askers.pool, heard->pool) || !text_is(event->as.askers.server, heard->server))
        return;
    if (text_is(event->as.askers.node, own_name))
        heard->has_own = true;
    if (event->as.askers.count == ASKED_ROWS_MAX)
        heard->is_full = true;
    for (int i = 0; i < event->as.askers.count; i++) {
        const struct asked_row *row = &event->as.askers.rows[i];
        /* Who has asked nobody for so long has cut the server off by itself. */
        if (row->age_ms <= memory_ms && !is_node(config, row->name, own_name))
            hear_asked(heard, config, row, event);
    }
}

void heard_hear(struct heard *heard, const struct config *config, const struct event *event, const char *own_name)
{
    if (!heard->is_listening)
        return;
    if (event->type == PROXY_SEEN)
        hear_view(heard, config, event);
    else if (event->type == ASKERS_SEEN)
        hear_askers(heard, config, event, own_name);
}

/* ---- until when ------------------------------------------------------------------------------------------------------ */

static struct fc_time harmless_from(const struct heard *heard, const struct config *config, const struct heard_asker *asker)
{
    struct fc_span leavings = heard_leavings(config);
    if (asker->by == HEARD_NOT)
        return all_over(heard, config);
    if (asker->by == HEARD_VIEW && asker->uptime_ms >= 0) {
        leavings.us += drifting(config, STOP_BEGINS_MS).us - fc_ms(asker->uptime_ms).us;
        if (leavings.us < 0)
            leavings.us = 0;
    }
    return fc_plus(asker->at, leavings);
}

struct fc_time heard_until(const struct heard *heard, const struct config *config)
{
    const struct fc_time most = all_over(heard, config);
    struct fc_time until = terms_over(heard, config);
    if (config->haproxy_instances.count == 0 || !heard->has_own || heard->is_full)
        return most;
    for (int i = 0; i < heard->count; i++)
        until = fc_later(until, harmless_from(heard, config, &heard->askers[i]));
    return fc_earlier(until, most);
}

void heard_awaited(const struct heard *heard, const struct config *config, char *to, size_t size)
{
    if (config->haproxy_instances.count == 0) {
        text_copy(to, size, "HAProxyInstances names no HAProxy: the whole time is waited");
        return;
    }
    if (heard->is_full) {
        text_copy(to, size, "too many ask: the whole time is waited");
        return;
    }
    const struct fc_time until = heard_until(heard, config);
    for (int i = 0; i < heard->count; i++) {
        const struct heard_asker *asker = &heard->askers[i];
        const char *name = asker->name[0] != '\0' ? asker->name : asker->source;
        if (fc_before(harmless_from(heard, config, asker), until))
            continue;
        if (asker->by != HEARD_NOT)
            text_format(to, size, "%s has heard; a process left by its last reload may still have sessions", name);
        else if (asker->was_seen && asker->is_usable)
            text_format(to, size, "%s still sends to %s", name, heard->server);
        else if (asker->was_seen && asker->sessions > 0)
            text_format(to, size, "%s still has %d sessions on %s", name, asker->sessions, heard->server);
        else if (asker->was_seen)
            text_format(to, size, "the nodes' terms, then %s once more", name);
        else
            text_format(to, size, "%s has not shown that it has heard", name);
        return;
    }
    text_copy(to, size, "the nodes' terms");
}
