/* Names to subjects, and the HAProxies' views against the board. */
#include "core/core_explain.h"

#include <string.h>

#include "base/text.h"

/* ---- what is asked for -------------------------------------------------------------------------------------------- */

static void add(struct explain_subject *list, int *count, enum explain_kind kind, int pool, int member, int proxy)
{
    list[(*count)++] = (struct explain_subject){ .kind = kind, .pool = pool, .member = member, .proxy = proxy };
}

static void add_members(const struct core *core, int pool, struct explain_subject *list, int *count)
{
    for (int i = 0; i < core->steering.pools[pool].count; i++)
        add(list, count, EXPLAIN_ANSWER, pool, i, -1);
}

static void add_everything(const struct core *core, struct explain_subject *list, int *count)
{
    const struct steering *st = &core->steering;
    add(list, count, EXPLAIN_LEADER, -1, -1, -1);
    for (int p = 0; p < st->pool_count; p++) {
        if (p == st->backend)
            add(list, count, EXPLAIN_CHAIR, p, -1, -1);
        add_members(core, p, list, count);
    }
    for (int i = 0; i < core->proxy_count; i++)
        add(list, count, EXPLAIN_PROXY, -1, -1, i);
}

static int pool_named(const struct steering *st, const char *name)
{
    for (int p = 0; p < st->pool_count; p++) {
        if (text_is(st->pools[p].name, name))
            return p;
    }
    return -1;
}

static int proxy_named(const struct core *core, const char *name)
{
    for (int i = 0; i < core->proxy_count; i++) {
        if (text_is(core->proxies[i].name, name))
            return i;
    }
    return -1;
}

static enum fc_code unknown(const struct core *core, const char *name, struct fc_err *err)
{
    char known[400] = "";
    for (int p = 0; p < core->steering.pool_count; p++)
        text_format(known + strlen(known), sizeof known - strlen(known), "%s, ", core->steering.pools[p].name);
    for (int i = 0; i < core->proxy_count; i++)
        text_format(known + strlen(known), sizeof known - strlen(known), "%s, ", core->proxies[i].name);
    return fc_fail(err, FC_NOT_FOUND, "nothing here is called '%s'; there is %sleader, and any order", name, known);
}

static enum fc_code pool_subjects(const struct core *core, const struct order *order, int pool, struct explain_subject *list,
                                  int *count, struct fc_err *err)
{
    const struct steering *st = &core->steering;
    if (order->server[0] == '\0') {
        if (!pool_is_of_cluster(&st->pools[pool]))
            add(list, count, pool == st->backend ? EXPLAIN_CHAIR : EXPLAIN_LEADER, pool, -1, -1);
        add_members(core, pool, list, count);
        return FC_OK;
    }
    const int member = pool_member_find(&st->pools[pool], order->server);
    if (member < 0)
        return fc_fail(err, FC_NOT_FOUND, "the pool '%s' has no server '%s'; pools shows those that are", order->pool, order->server);
    add(list, count, EXPLAIN_ANSWER, pool, member, -1);
    return FC_OK;
}

static enum fc_code plan_subject(const struct core *core, const struct order *order, struct explain_subject *list, int *count,
                                 struct fc_err *err)
{
    const struct steering *st = &core->steering;
    if (st->backend < 0)
        return fc_fail(err, FC_REFUSED, "this store has no chair: there is nothing to plan");
    if (order->pool[0] != '\0' && pool_named(st, order->pool) != st->backend)
        return fc_fail(err, FC_NOT_FOUND, "there is no chair '%s' here; the pool with a chair is %s", order->pool,
                       st->pools[st->backend].name);
    add(list, count, EXPLAIN_PLAN, st->backend, -1, -1);
    return FC_OK;
}

enum fc_code core_explain_subjects(const struct core *core, const struct order *order,
                                   struct explain_subject list[EXPLAIN_SUBJECTS_MAX], int *count, struct fc_err *err)
{
    const int pool = pool_named(&core->steering, order->pool), proxy = proxy_named(core, order->pool);
    *count = 0;
    if (core->servers.looks_at_none && (order->verb == VERB_PLAN || order->about[0] != '\0'))
        return fc_fail(err, FC_REFUSED, "this is a witness, which sees no server and plans nothing: ask %s",
                       core->leadership.leader[0] != '\0' ? core->leadership.leader : "a node");
    if (order->verb == VERB_PLAN)
        return plan_subject(core, order, list, count, err);
    if (order->about[0] != '\0')
        add(list, count, EXPLAIN_ORDER, -1, -1, -1);
    else if (order->pool[0] == '\0')
        add_everything(core, list, count);
    else if (pool >= 0)
        return pool_subjects(core, order, pool, list, count, err);
    else if (order->server[0] != '\0')
        return unknown(core, order->pool, err);
    else if (text_is(order->pool, "leader"))
        add(list, count, EXPLAIN_LEADER, -1, -1, -1);
    else if (proxy >= 0)
        add(list, count, EXPLAIN_PROXY, -1, -1, proxy);
    else
        return unknown(core, order->pool, err);
    return FC_OK;
}

/* ---- an HAProxy --------------------------------------------------------------------------------------------------- */

static const struct proxy_row *row_of(const struct core_proxy *p, const struct pool *pool, const struct pool_member *member)
{
    for (int i = 0; i < p->row_count; i++) {
        if (text_is(p->rows[i].pool, pool->name) && text_is(p->rows[i].server, member->name))
            return &p->rows[i];
    }
    return NULL;
}

/* False when the HAProxy has no such server. */
static bool add_view(struct explanation *e, const struct core *core, const struct core_proxy *p, int pool, int member, struct fc_time now)
{
    const struct pool *of = &core->steering.pools[pool];
    const struct pool_member *m = &of->members[member];
    const struct proxy_row *row = row_of(p, of, m);
    const struct fc_time since = p->drift_since[pool][member];
    const int64_t age = fc_span_ms(fc_since(p->seen_at, now));
    const enum voice voice = fc_before(now, m->answer.until) ? m->answer.voice : m->answer.late;
    char name[160];
    TEXT_FORMAT(name, "%.60s/%.60s", of->name, m->name);
    if (row == NULL) {
        explain_input(e, age, name, "it has no such server; the board says %s", voice_word(voice));
        return false;
    }
    explain_input(e, age, name, "%s (%s, %d sessions, heard epoch %llu); the board says %s%s", row->is_usable ? "sends" : "does not send",
                  row->status, row->sessions, (unsigned long long)row->epoch, voice_word(voice),
                  voice == VOICE_NEUTRAL ? ", which asks nothing of it" : "");
    if (!fc_is_ever(since))
        explain_instead(e, name, "against the board for %lld ms: it %s, and the board says %s", (long long)fc_span_ms(fc_since(since, now)),
                        row->is_usable ? "sends" : "does not send", voice_word(voice));
    return true;
}

static void proxy_verdict(struct explanation *e, const struct core_proxy *p, int unknown_count)
{
    if (!p->has_answered)
        TEXT_SET(e->verdict, "it has not been asked yet");
    else if (!p->is_reachable)
        TEXT_FORMAT(e->verdict, "its runtime socket does not answer: %s", p->text);
    else if (e->alternative_count > 0)
        TEXT_FORMAT(e->verdict, "it contradicts the board on %d server%s", e->alternative_count, e->alternative_count == 1 ? "" : "s");
    else if (unknown_count > 0)
        TEXT_FORMAT(e->verdict, "it lacks %d of the chair's servers", unknown_count);
    else
        TEXT_SET(e->verdict, "it does what the board says");
}

static void explain_proxy(const struct core *core, int proxy, struct fc_time now, int64_t unix_ms, struct explanation *e)
{
    const struct core_proxy *p = &core->proxies[proxy];
    const int b = core->steering.backend;
    int unknown_count = 0;
    explain_begin(e, EXPLAIN_PROXY, p->name);
    TEXT_SET(e->rule, "read-back");
    TEXT_SET(e->because, "the chair's servers are compared with the board at each read-back; a neutral answer asks nothing");
    explain_input(e, -1, "runtime socket", "%s", p->address);
    for (int i = 0; b >= 0 && p->has_been_seen && i < core->steering.pools[b].count; i++)
        unknown_count += !add_view(e, core, p, b, i, now);
    for (int i = 0; b >= 0 && i < core->steering.pools[b].count; i++) {
        const struct fc_time since = p->drift_since[b][i];
        const int64_t began = fc_is_ever(since) ? 0 : unix_ms - fc_span_ms(fc_since(since, now));
        if (began != 0 && (e->since_unix_ms == 0 || began < e->since_unix_ms))
            e->since_unix_ms = began;
    }
    proxy_verdict(e, p, unknown_count);
    explain_change(e, "it is read back each %d ms", core->config->haproxy_poll_ms);
    if (unknown_count > 0)
        explain_change(e, "print its file again (`firstchair haproxy-config`) and reload it");
    if (e->alternative_count > 0)
        explain_change(e, "%s", !core->config->haproxy_push ? "HAProxyPush is off: only its own agent checks correct it"
                                : "the leader pushes what the board says, after two seconds of contradiction and each two seconds");
}

/* ---- each --------------------------------------------------------------------------------------------------------- */

void core_explain(const struct core *core, struct fc_time now, int64_t unix_ms, const struct explain_subject *subject,
                  const struct order *order, const char *by, bool may_change, struct explain_room *room, struct explanation *ret)
{
    const struct steering *st = &core->steering;
    const struct steer_stage stage = core_stage(core, now, unix_ms);
    switch (subject->kind) {
    case EXPLAIN_LEADER:
        explain_leader(st, &stage, ret);
        break;
    case EXPLAIN_CHAIR:
        explain_chair(st, &stage, ret);
        break;
    case EXPLAIN_ANSWER:
        explain_answer(st, &stage, subject->pool, subject->member, ret);
        break;
    case EXPLAIN_PROXY:
        explain_proxy(core, subject->proxy, now, unix_ms, ret);
        break;
    case EXPLAIN_ORDER:
        explain_order(st, &stage, order->about, by, may_change, room, ret);
        break;
    case EXPLAIN_PLAN:
        explain_plan(st, &stage, room, ret);
        break;
    case EXPLAIN_KIND_COUNT:
        break;
    }
}
