/* Drift is measured from the first read-back that contradicts. A view lags behind the board by a poll of ours and one of HAProxy's,
 * so a moment of contradiction is no news; what lasts is an alarm, and where pushing is allowed it is pushed away. */
#include "core/views.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define DRIFT_PUSH_MS 2000           /* a proxy that contradicts the board for so long is pushed again, at most this often */
#define DRIFT_ALARM_PUSHES 3         /* and if it still does after so many, a human must look */

__attribute__((format(printf, 5, 6))) static void say(const struct core *core, struct effects *effects, enum note_level level,
                                                      const struct core_proxy *p, const char *format, ...)
{
    struct effect *note = effects_add(effects, NOTE);
    va_list args;
    note->as.note.level = level;
    note->as.note.epoch = core->leadership.epoch;
    TEXT_SET(note->as.note.subject, p->name);
    va_start(args, format);
    vsnprintf(note->as.note.text, sizeof note->as.note.text, format, args);
    va_end(args);
}

/* ---- seen and lost ------------------------------------------------------------------------------------------------ */

static void seen(struct core *core, const struct event *event, struct effects *effects)
{
    struct core_proxy *p = &core->proxies[event->as.proxy.proxy];
    if (p->has_answered && !p->is_reachable)
        say(core, effects, NOTE_INFO, p, "its runtime socket answers again");
    p->is_reachable = p->has_been_seen = p->has_answered = true;
    p->seen_at = core->now;
    p->text[0] = '\0';
    p->row_count = event->as.proxy.count < PROXY_ROWS_MAX ? event->as.proxy.count : PROXY_ROWS_MAX;
    for (int i = 0; i < p->row_count; i++)
        p->rows[i] = event->as.proxy.rows[i];
}

static void lost(struct core *core, const struct event *event, struct effects *effects)
{
    struct core_proxy *p = &core->proxies[event->as.proxy_lost.proxy];
    if (p->is_reachable || !p->has_answered)
        say(core, effects, NOTE_WARNING, p, "its runtime socket does not answer: %s; its polls go on without it",
            event->as.proxy_lost.text);
    p->is_reachable = false;
    p->has_answered = true;
    TEXT_SET(p->text, event->as.proxy_lost.text);
}

void views_hear(struct core *core, const struct event *event, struct effects *effects)
{
    if (event->type == PROXY_SEEN)
        seen(core, event, effects);
    else if (event->type == PROXY_LOST)
        lost(core, event, effects);
}

/* ---- against the board -------------------------------------------------------------------------------------------- */

static const struct proxy_row *row_of(const struct core_proxy *p, const struct pool *pool, int member)
{
    for (int i = 0; i < p->row_count; i++) {
        if (text_is(p->rows[i].pool, pool->name) && text_is(p->rows[i].server, pool->members[member].name))
            return &p->rows[i];
    }
    return NULL;
}

static enum voice voice_now(const struct pool_member *member, struct fc_time now)
{
    return fc_before(now, member->answer.until) ? member->answer.voice : member->answer.late;
}

/* Neutral asks nothing of it; a server that it does not know is said apart. */
static bool agrees(const struct core_proxy *p, const struct pool *pool, int member, struct fc_time now)
{
    const enum voice voice = voice_now(&pool->members[member], now);
    const struct proxy_row *row = row_of(p, pool, member);
    return voice == VOICE_NEUTRAL || row == NULL || row->is_usable == (voice == VOICE_FIRST);
}

/* Without pushes it has to poll us first, and we have to read it back: the keys may make that slow. */
static struct fc_span patience(const struct config *config)
{
    const int64_t polls_ms = 2 * ((int64_t)config->agent_inter_ms + config->haproxy_poll_ms);
    return fc_ms(config->haproxy_push || polls_ms < DRIFT_PUSH_MS ? DRIFT_PUSH_MS : polls_ms);
}

/* The member that has contradicted for longest; -1 when none does. A proxy out of sight contradicts nothing that we know of. */
static int measure(struct core *core, struct core_proxy *p, const struct pool *pool)
{
    struct fc_time *since = p->drift_since[core->steering.backend];
    int worst = -1;
    for (int m = 0; m < pool->count; m++) {
        if (!p->is_reachable || agrees(p, pool, m, core->now))
            since[m] = FC_EVER;
        else if (fc_is_ever(since[m]))
            since[m] = core->now;
        if (!fc_is_ever(since[m]) && (worst < 0 || fc_before(since[m], since[worst])))
            worst = m;
    }
    return worst;
}

static void say_drift(struct core *core, struct core_proxy *p, const struct pool *pool, int member, struct effects *effects)
{
    const struct proxy_row *row = row_of(p, pool, member);
    const bool is_pushed = core->config->haproxy_push;
    say(core, effects, is_pushed ? NOTE_WARNING : NOTE_ALARM, p, "it %s %s/%s (%s), the board says %s: %s",
        row->is_usable ? "uses" : "does not use", pool->name, pool->members[member].name, row->status,
        voice_word(voice_now(&pool->members[member], core->now)),
        is_pushed ? "pushing what the board says" : "HAProxyPush is off, so its own polls must mend that");
    p->drift_said = is_pushed ? DRIFT_SAID : DRIFT_ALARMED;
    p->drift_said_at = core->now;
}

/* Returns true when it is to be pushed. */
static bool watch_drift(struct core *core, struct core_proxy *p, const struct pool *pool, struct effects *effects)
{
    const int worst = measure(core, p, pool);
    if (worst < 0) {
        if (p->drift_said != DRIFT_QUIET && p->is_reachable) {
            p->drift_said = DRIFT_QUIET;
            say(core, effects, NOTE_INFO, p, "it does what the board says again, after %lld s",
                (long long)(fc_span_ms(fc_since(p->drift_said_at, core->now)) / 1000));
        }
        return false;
    }
    const struct fc_time since = p->drift_since[core->steering.backend][worst];
    if (!leadership_may_act(&core->leadership, core->now) || fc_since(since, core->now).us <= patience(core->config).us)
        return false;
    if (p->drift_said == DRIFT_QUIET) {
        say_drift(core, p, pool, worst, effects);
    } else if (p->drift_said == DRIFT_SAID &&
               fc_since(p->drift_said_at, core->now).us > fc_ms(DRIFT_ALARM_PUSHES * DRIFT_PUSH_MS).us) {
        p->drift_said = DRIFT_ALARMED;
        say(core, effects, NOTE_ALARM, p, "pushing does not help: it still contradicts the board about %s/%s", pool->name,
            pool->members[worst].name);
    }
    return core->config->haproxy_push;
}

/* Its clients would find nobody when the chair moves to a server that it does not have. */
static void watch_unknown(struct core *core, struct core_proxy *p, const struct pool *pool, struct effects *effects)
{
    int first = -1, count = 0;
    if (!p->is_reachable || !leadership_may_act(&core->leadership, core->now))
        return;
    for (int m = 0; m < pool->count; m++) {
        if (row_of(p, pool, m) == NULL) {
            first = first < 0 ? m : first;
            count++;
        }
    }
    if ((count > 0) == p->says_unknown)
        return;
    p->says_unknown = count > 0;
    if (count == 0)
        say(core, effects, NOTE_INFO, p, "it knows every server of %s now", pool->name);
    else if (count == pool->count)
        say(core, effects, NOTE_WARNING, p, "it has no backend %s: print its file again (firstchair haproxy-config) and reload it",
            pool->name);
    else
        say(core, effects, NOTE_WARNING, p, "it does not know %s/%s: print its file again (firstchair haproxy-config) and reload it",
            pool->name, pool->members[first].name);
}

/* Such a server is not seated by order. An HAProxy that has none of them does not serve the pool at all. */
static void find_unknown(struct core *core, const struct pool *pool)
{
    memset(core->unknown_to, 0, sizeof core->unknown_to);
    for (int i = 0; i < core->proxy_count; i++) {
        const struct core_proxy *p = &core->proxies[i];
        int known = 0;
        for (int m = 0; m < pool->count && p->is_reachable; m++)
            known += row_of(p, pool, m) != NULL;
        for (int m = 0; m < pool->count && m < STORE_SERVERS_MAX && known > 0; m++) {
            if (row_of(p, pool, m) == NULL)
                core->unknown_to[m] = p->name;
        }
    }
}

void views_watch(struct core *core, struct effects *effects)
{
    bool repair = false;
    if (core->steering.backend < 0)
        return;
    const struct pool *pool = &core->steering.pools[core->steering.backend];
    for (int i = 0; i < core->proxy_count; i++) {
        repair = watch_drift(core, &core->proxies[i], pool, effects) || repair;
        watch_unknown(core, &core->proxies[i], pool, effects);
    }
    find_unknown(core, pool);
    if (!repair || (!fc_is_ever(core->push_again_at) && !fc_reached(core->push_again_at, core->now)))
        return;
    core->push_again_at = fc_plus(core->now, fc_ms(DRIFT_PUSH_MS));
    TEXT_SET(effects_add(effects, PROXY_PUSH)->as.show.pool, pool->name);
}
