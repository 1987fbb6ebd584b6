/* The timetable. Every entry is one moment; the earliest of all is the one WAKE_AT of the step. */
#include "core/schedule.h"

#include "base/text.h"

#define REGISTER_EVERY_MS 1000       /* node_health: other tools count a node as available for 2 s (spec/ha-modes.md 2) */
#define PREPARE_EVERY_MS 2000        /* the schema is asked for again at most this often */
#define PREPARE_TURN_MS 1500         /* the second server waits so long for what the first replicates to it */
#define MOVING_POLL_MS 20            /* while the chair is being moved: whoever answers HAProxy must not be late with the end */
#define MOVING_PROXY_POLL_MS 100     /* the same of the HAProxies: what they show may end a wait */
#define LOOK_AGAIN_MS 50             /* after a loss: the next look comes early, to tell gone from silent */
/* A server that hangs keeps a session for each look that gave up: ask it seldom, or it has none left for the fence. One that is out of
 * reach keeps nothing: it is found as soon as it is back. */
#define SILENT_AGAIN_MS 2000
#define CHECK_AGAIN_MS 5000          /* a check that brought nothing is repeated so soon: nothing but people waits for it */
#define CHECK_LOST_MS 30000          /* and is given up, should nobody tell its end */
#define DENIED_AGAIN_MS 1000         /* refused or answered with nonsense: it costs the server or us something each time, and only people mend it */

static struct fc_span ms(int64_t value) { return fc_ms(value); }

static struct fc_span poll_span(const struct core *core)
{
    const int poll_ms = core->config->poll_ms;
    return ms(core->steering.chair.state == CHAIR_MOVING && poll_ms > MOVING_POLL_MS ? MOVING_POLL_MS : poll_ms);
}

static struct fc_span proxy_poll_span(const struct core *core)
{
    const int poll_ms = core->config->haproxy_poll_ms;
    return ms(core->steering.chair.state == CHAIR_MOVING && poll_ms > MOVING_PROXY_POLL_MS ? MOVING_PROXY_POLL_MS : poll_ms);
}

static int64_t check_again_ms(const struct core *core)
{
    const int64_t usual_ms = (int64_t)core->config->check_seconds * 1000;
    return usual_ms < CHECK_AGAIN_MS ? usual_ms : CHECK_AGAIN_MS;
}

void schedule_check(struct core *core, int server)
{
    core->schedule[server].check_at = core->now;
}

/* Somebody is about to mend it, and then wants to give the order at once. */
static bool bars_orders(const struct core *core, int server)
{
    return server < core->needs.count && needs_refusal(&core->needs, server) >= 0;
}

/* A deed that its server refused may lack a privilege or a login: people are told at once which one. */
static void check_after_failure(struct core *core, const struct event *event)
{
    const enum fc_code code = event->as.ended.code;
    const int server = event->as.ended.server;
    if (code == FC_OK || code == FC_NOT_LEADER || code == FC_TIMEOUT || code == FC_BUSY || server < 0 ||
        server >= core->servers.count)
        return;
    struct core_server_schedule *s = &core->schedule[server];
    const struct fc_time soonest = fc_plus(s->check_sent_at, ms(check_again_ms(core)));
    s->check_at = fc_earlier(s->check_at, fc_later(soonest, core->now));
}

void schedule_start(struct core *core)
{
    for (int i = 0; i < STORE_SERVERS_MAX; i++) {
        core->schedule[i].look_at = core->now;
        core->schedule[i].is_looking = core->schedule[i].is_checking = false;
        core->schedule[i].check_at = core->now;
        core->schedule[i].check_sent_at = FC_EVER;
        core->schedule[i].look_sent_at = FC_EVER;
        core->schedule[i].prepare_at = fc_plus(core->now, ms((int64_t)i * PREPARE_TURN_MS));
    }
    for (int i = 0; i < core->proxy_count; i++)
        core->proxies[i].look_at = core->now;
    core->register_at = fc_plus(core->now, ms(REGISTER_EVERY_MS / 2));
    core->push_again_at = FC_EVER;
}

void schedule_hear(struct core *core, const struct event *event)
{
    struct core_server_schedule *s;
    switch (event->type) {
    case SERVER_SEEN:
        s = &core->schedule[event->as.seen.server];
        s->is_looking = false;
        s->look_at = fc_plus(core->now, poll_span(core));
        break;
    case SERVER_LOST:
        s = &core->schedule[event->as.lost.server];
        if (event->as.lost.loss == LOSS_ENDED) {
            s->look_at = core->now;                        /* an ended session: ask at once whether the process is gone */
            for (int i = 0; i < core->servers.count; i++) {
                if (i != event->as.lost.server && !core->schedule[i].is_looking)
                    core->schedule[i].look_at = core->now; /* and ask the others what they still hear */
            }
        } else if (event->as.lost.loss == LOSS_DENIED || event->as.lost.loss == LOSS_BROKEN) {
            s->look_at = fc_plus(core->now, ms(DENIED_AGAIN_MS));
        } else if (event->as.lost.loss == LOSS_SILENT && !event->as.lost.is_unconnected &&
                   server_hangs(&core->servers.list[event->as.lost.server])) {
            s->look_at = fc_plus(core->now, ms(SILENT_AGAIN_MS));
        } else {
            s->look_at = fc_plus(core->now, ms(core->config->poll_ms < LOOK_AGAIN_MS ? core->config->poll_ms : LOOK_AGAIN_MS));
        }
        s->is_looking = false;
        break;
    case SERVER_CHECKED:
        s = &core->schedule[event->as.checked.server];
        s->is_checking = false;
        s->check_at = fc_plus(core->now, ms(event->as.checked.settings != NULL && !bars_orders(core, event->as.checked.server)
                                                ? (int64_t)core->config->check_seconds * 1000
                                                : check_again_ms(core)));
        break;
    case PROXY_SEEN:
        core->proxies[event->as.proxy.proxy].is_looking = false;
        core->proxies[event->as.proxy.proxy].look_at = fc_plus(core->now, proxy_poll_span(core));
        break;
    case PROXY_LOST:
        core->proxies[event->as.proxy_lost.proxy].is_looking = false;
        core->proxies[event->as.proxy_lost.proxy].look_at = fc_plus(core->now, proxy_poll_span(core));
        break;
    case DEED_ENDED:
        check_after_failure(core, event);
        break;
    case STARTED:
    case WOKEN:
    case RELOADED:
    case STOP_ASKED:
    case LEASE_GRANTED:
    case LEASE_DENIED:
    case STORE_SILENT:
    case CHAIR_GRANTED:
    case CHAIR_REVOKED:
    case ORDER_GIVEN:
    case ASKERS_SEEN:
    case SIGHT_SEEN:
    case FLEET_SEEN:
    case EVENT_TYPE_COUNT:
        break;
    }
}

static bool wants_schema(const struct core *core, int server)
{
    const struct server_state *s = &core->servers.list[server];
    return s->is_reachable && !s->look.has_schema && fc_reached(core->schedule[server].prepare_at, core->now);
}

static struct fc_time servers_due(struct core *core, struct effects *effects, struct fc_time next)
{
    for (int i = 0; i < core->servers.count && !core->servers.looks_at_none; i++) {
        struct core_server_schedule *s = &core->schedule[i];
        if (!s->is_looking && fc_reached(s->look_at, core->now)) {
            s->is_looking = true;
            s->look_sent_at = core->now;
            effects_add(effects, LOOK)->server = i;
        }
        if (!s->is_looking)
            next = fc_earlier(next, s->look_at);
        if (wants_schema(core, i)) {
            s->prepare_at = fc_plus(core->now, ms(PREPARE_EVERY_MS));
            effects_add(effects, PREPARE)->server = i;
        }
    }
    return next;
}

/* The slow probe: only where there is a pair, and only of a server that answers. */
static struct fc_time checks_due(struct core *core, struct effects *effects, struct fc_time next)
{
    for (int i = 0; core->servers.has_chair && i < core->servers.count; i++) {
        struct core_server_schedule *s = &core->schedule[i];
        if (s->is_checking && fc_reached(fc_plus(s->check_sent_at, ms(CHECK_LOST_MS)), core->now))
            s->is_checking = false;
        if (!core->servers.list[i].is_reachable || s->is_checking)
            continue;
        if (!fc_reached(s->check_at, core->now)) {
            next = fc_earlier(next, s->check_at);
            continue;
        }
        s->is_checking = true;
        s->check_sent_at = core->now;
        effects_add(effects, CHECK)->server = i;
    }
    return next;
}

static struct fc_time proxies_due(struct core *core, struct effects *effects, struct fc_time next)
{
    for (int i = 0; i < core->proxy_count; i++) {
        struct core_proxy *p = &core->proxies[i];
        if (!p->is_looking && fc_reached(p->look_at, core->now)) {
            p->is_looking = true;
            effects_add(effects, PROXY_LOOK)->as.proxy.proxy = i;
        }
        if (!p->is_looking)
            next = fc_earlier(next, p->look_at);
    }
    return next;
}

static struct fc_time registration_due(struct core *core, struct effects *effects, struct fc_time next)
{
    if (fc_reached(core->register_at, core->now)) {
        core->register_at = fc_plus(core->now, ms(REGISTER_EVERY_MS));
        struct effect *effect = effects_add(effects, REGISTER);
        effect->as.registration.leads = leadership_may_act(&core->leadership, core->now);
        effect->as.registration.unix_ms = core->unix_ms;
    }
    return fc_earlier(next, core->register_at);
}

void schedule_step(struct core *core, struct effects *effects)
{
    struct fc_time next = fc_plus(core->now, ms(REGISTER_EVERY_MS));
    next = servers_due(core, effects, next);
    next = checks_due(core, effects, next);
    next = proxies_due(core, effects, next);
    if (!core->servers.looks_at_none)
        next = registration_due(core, effects, next);
    if (core->is_stopping)
        next = fc_earlier(next, core->stop_by);
    if (core->leadership.state == LEADING)
        next = fc_earlier(next, core->leadership.until);
    effects_add(effects, WAKE_AT)->as.wake_at = fc_later(next, fc_plus(core->now, (struct fc_span){ 500 }));
}
