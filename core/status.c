/* The picture: copied from the core's tables, judged nowhere. */
#include "core/status.h"

#include <string.h>

#include "base/text.h"
#include "core/core.h"

static int64_t age_ms(struct fc_time then, struct fc_time now)
{
    return fc_is_ever(then) ? -1 : fc_span_ms(fc_since(then, now));
}

static void show_needs(const struct core *core, int server, struct fc_time now, struct status_server *to)
{
    const struct server_needs *from = &core->needs.list[server];
    to->settings_age_ms = from->has_settings ? age_ms(from->read_at, now) : -1;
    for (size_t r = 0; server < core->needs.count && r < need_rule_count; r++) {
        if ((from->missing >> r & 1) == 0)
            continue;
        struct status_need *need = &to->needs[to->need_count++];
        need->word = need_rules[r].word;
        need->severity = need_rules[r].severity;
        need_sentence(&core->needs, &core->servers, server, r, need->text, sizeof need->text);
    }
}

static void show_servers(const struct core *core, struct fc_time now, struct status *s)
{
    const int seated = servers_named(&core->servers, core->steering.chair.row.rank.server);
    s->server_count = core->servers.count;
    for (int i = 0; i < core->servers.count; i++) {
        const struct server_state *from = &core->servers.list[i];
        struct status_server *to = &s->servers[i];
        TEXT_SET(to->name, from->name);
        TEXT_SET(to->address, from->address);
        to->is_reachable = from->is_reachable;
        to->has_been_seen = from->has_been_seen;
        to->loss = from->loss;
        TEXT_SET(to->loss_text, core->servers.looks_at_none ? "a witness looks at no server" : from->loss_text);
        TEXT_SET(to->trouble, from->trouble);
        to->age_ms = from->has_been_seen ? age_ms(from->seen_at, now) : -1;
        to->look = from->look;
        to->is_seated = core->servers.has_chair && i == seated && core->steering.chair.state == CHAIR_SEATED;
        show_needs(core, i, now, to);
        if (from->is_reachable)
            s->store_is_reachable = true;
    }
}

static void show_views(const struct core *core, const struct pool *pool, int pool_index, int member, struct fc_time now,
                       struct status_pool_server *to)
{
    to->view_count = core->proxy_count;
    for (int i = 0; i < core->proxy_count; i++) {
        const struct core_proxy *p = &core->proxies[i];
        struct status_view *view = &to->views[i];
        const struct fc_time since = p->drift_since[pool_index][member];
        TEXT_SET(view->proxy, p->name);
        view->age_ms = age_ms(p->seen_at, now);
        view->drift_ms = fc_is_ever(since) ? 0 : fc_span_ms(fc_since(since, now));
        view->sessions = -1;
        for (int r = 0; r < p->row_count; r++) {
            const struct proxy_row *row = &p->rows[r];
            if (!text_is(row->pool, pool->name) || !text_is(row->server, pool->members[member].name))
                continue;
            view->is_known = true;
            view->is_usable = row->is_usable;
            view->epoch = row->epoch;
            view->sessions = row->sessions;
            TEXT_SET(view->status, row->status);
            TEXT_SET(view->last_agent, row->last_agent);
        }
    }
}

static void show_alone(const struct core *core, const struct alone_search *search, struct status_pool *to)
{
    const struct alone *found = &search->found;
    TEXT_SET(to->alone_server, core->servers.list[search->server].name);
    TEXT_FORMAT(to->alone_from, "%s:%llu", search->from.file, (unsigned long long)search->from.offset);
    TEXT_FORMAT(to->alone_to, "%s:%llu", found->end.file, (unsigned long long)found->end.offset);
    TEXT_SET(to->alone_first, found->first);
    TEXT_SET(to->alone_last, found->last);
    to->alone_transactions = found->transactions;
    to->alone_is_more = found->is_more;
}

#define STEPPED_MS 1000              /* two clocks that agree to this have not been stepped */

/* A moment as the wall clock told it then; when that has been stepped since, as the present one would have told it. */
static int64_t moment_shown(const struct core *core, struct fc_time at, int64_t noted_unix_ms)
{
    if (noted_unix_ms == 0 || fc_is_ever(at))
        return noted_unix_ms;
    const int64_t unix_ms = core->unix_ms - fc_span_ms(fc_since(at, core->now));
    const int64_t apart_ms = unix_ms > noted_unix_ms ? unix_ms - noted_unix_ms : noted_unix_ms - unix_ms;
    return apart_ms < STEPPED_MS ? noted_unix_ms : unix_ms;
}

static void show_chair(const struct core *core, struct fc_time now, struct status_pool *to)
{
    const struct steering *st = &core->steering;
    const struct chair *chair = &st->chair;
    const int seated = servers_named(&core->servers, chair->row.rank.server);
    TEXT_SET(to->state, chair_state_word(chair->state));
    TEXT_SET(to->seated, chair->state == CHAIR_SEATED && seated >= 0 ? core->servers.list[seated].name : "");
    to->epoch = chair->row.rank.epoch;
    TEXT_SET(to->why, chair->row.why);
    mark_words(chair->row.mark, to->mark, sizeof to->mark);
    to->stale_since_unix_ms = mark_stale_since_ms(chair->row.mark);
    if (st->alone.is_done && text_is(st->alone.seated, chair->row.rank.server))
        show_alone(core, &st->alone, to);
    to->since_unix_ms = moment_shown(core, chair->since, chair->since_unix_ms);
    const struct steer_stage stage = core_stage(core, now, core->unix_ms);
    const int second = steer_second_writer(st, &stage);
    to->is_paused = holds_find(&st->holds, to->name, "") != NULL;
    TEXT_SET(to->second_writer, second < 0 ? "" : core->servers.list[second].name);
    to->failed_tries = (uint32_t)st->retry.failures;
    to->is_moving = chair->state == CHAIR_MOVING || st->move.step != STEP_NONE;
    if (st->move.step != STEP_NONE) {
        TEXT_SET(to->move_from, st->move.from < 0 ? "" : core->servers.list[st->move.from].name);
        TEXT_SET(to->move_to, core->servers.list[st->move.to].name);
        TEXT_SET(to->move_step, move_step_word(st->move.step));
        to->move_age_ms = age_ms(st->move.started_at, now);
        if (st->move.step == STEP_WAIT)
            heard_awaited(&st->heard, core->config, to->move_awaits, sizeof to->move_awaits);
    } else if (chair->state == CHAIR_MOVING) {
        const int next = servers_named(&core->servers, chair->row.successor);
        TEXT_SET(to->move_from, seated < 0 ? "" : core->servers.list[seated].name);
        TEXT_SET(to->move_to, next < 0 ? "" : core->servers.list[next].name);
        TEXT_SET(to->move_step, "by the leader");
        to->move_age_ms = age_ms(chair->since, now);
    }
}

static void show_leader_pool(const struct core *core, struct status_pool *to)
{
    const struct leadership *l = &core->leadership;
    TEXT_SET(to->state, l->leader[0] == '\0' ? "nobody" : "seated");
    TEXT_SET(to->seated, l->leader);
    to->epoch = l->epoch;
    TEXT_SET(to->why, l->why);
    to->since_unix_ms = moment_shown(core, l->since, l->since_unix_ms);
}

static void show_cluster_pool(const struct core *core, int pool, struct status_pool *to)
{
    const struct cluster_pool *c = &core->steering.clusters[pool];
    const struct pool *from = &core->steering.pools[pool];
    int readers = 0;
    for (int i = 0; i < from->count; i++)
        readers += from->members[i].answer.voice == VOICE_READ;
    if (fc_is_ever(c->leading_since) || (from->kind == POOL_WRITER && !c->is_started))
        TEXT_SET(to->state, "unknown");
    else if (from->kind == POOL_READER)
        TEXT_SET(to->state, readers > 0 ? "seated" : "nobody");
    else
        TEXT_SET(to->state, c->seated >= 0 ? "seated" : c->next >= 0 ? "moving" : "nobody");
    if (c->seated >= 0)
        TEXT_SET(to->seated, from->members[c->seated].name);
    if (c->next >= 0) {
        to->is_moving = true;
        TEXT_SET(to->move_from, c->revoked >= 0 ? from->members[c->revoked].name : "");
        TEXT_SET(to->move_to, from->members[c->next].name);
        TEXT_SET(to->move_step, "wait");
    }
    TEXT_SET(to->why, fc_is_ever(c->leading_since) ? "the node that leads answers for this pool" : "what is seen of its cluster");
}

static void show_pools(const struct core *core, struct fc_time now, struct status *s)
{
    const struct steering *st = &core->steering;
    s->pool_count = st->pool_count;
    for (int p = 0; p < st->pool_count; p++) {
        const struct pool *from = &st->pools[p];
        struct status_pool *to = &s->pools[p];
        TEXT_SET(to->name, from->name);
        to->kind = from->kind;
        if (pool_is_of_cluster(from))
            show_cluster_pool(core, p, to);
        else if (p == st->backend)
            show_chair(core, now, to);
        else
            show_leader_pool(core, to);
        to->server_count = from->count;
        for (int i = 0; i < from->count; i++) {
            struct status_pool_server *server = &to->servers[i];
            const struct hold *hold = holds_find(&st->holds, from->name, from->members[i].name);
            TEXT_SET(server->name, from->members[i].name);
            TEXT_SET(server->address, from->members[i].address);
            server->answer = from->members[i].answer;
            server->is_within_term = fc_before(now, server->answer.until);
            if (hold != NULL) {
                server->hold = hold->kind;
                TEXT_SET(server->hold_by, hold->by);
                TEXT_SET(server->hold_why, hold->why);
            }
            show_views(core, from, p, i, now, server);
        }
    }
}

static void show_events(const struct core *core, struct status *s)
{
    const uint64_t kept = core->event_seq < STATUS_EVENTS_MAX ? core->event_seq : STATUS_EVENTS_MAX;
    s->event_count = (int)kept;
    for (uint64_t i = 0; i < kept; i++)
        s->events[i] = core->events[(core->event_seq - kept + i) % STATUS_EVENTS_MAX];
}

static void show_leadership(const struct core *core, struct fc_time now, struct status *s)
{
    const struct leadership *l = &core->leadership;
    TEXT_SET(s->leadership, leadership_state_word(l->state));
    s->leads = leadership_may_act(l, now);
    TEXT_SET(s->leader, l->leader);
    TEXT_SET(s->leader_why, l->why);
    s->epoch = l->epoch;
    s->lease_left_ms = s->leads ? fc_span_ms(fc_since(now, l->until)) : 0;
    s->leader_since_unix_ms = moment_shown(core, l->since, l->since_unix_ms);
    int64_t youngest = age_ms(l->confirmed_at, now);
    for (int i = 0; i < core->servers.count; i++) {
        const struct server_state *server = &core->servers.list[i];
        const int64_t age = server->has_been_seen ? age_ms(server->seen_at, now) : -1;
        if (age >= 0 && (youngest < 0 || age < youngest))
            youngest = age;
    }
    s->store_age_ms = youngest;
}

void core_status(const struct core *core, struct fc_time now, int64_t unix_ms, struct status *s)
{
    char token[sizeof s->token], version[sizeof s->version];
    memcpy(token, s->token, sizeof token);                 /* the agent's own, kept over the refill */
    memcpy(version, s->version, sizeof version);
    memset(s, 0, sizeof *s);
    memcpy(s->token, token, sizeof token);
    memcpy(s->version, version, sizeof version);
    s->seq = core->status_seq;
    s->unix_ms = unix_ms;
    TEXT_SET(s->node, core->name);
    TEXT_SET(s->store_word, core->servers.has_chair || text_is(core->config->backend_db, "mysql") ? "mysql" : "sqlite");
    const bool is_local = core->servers.has_chair && !core->config->raft_enabled;
    TEXT_SET(s->arbitration, is_local ? "local" : core->servers.has_chair || core->servers.looks_at_none ? "quorum" : "none");
    if (is_local)
        TEXT_SET(s->notice, "local arbitration: while the servers are cut off from each other, each side may seat its own; "
                            "a node that reaches both prevents that");
    TEXT_SET(s->role, core->config->role);
    if (core->servers.looks_at_none) {
        TEXT_SET(s->store_word, "none");
        TEXT_SET(s->notice, "witness only: it votes and answers HAProxy by what raft's log and the leader tell it; it looks at no server, "
                            "leads nothing and takes no orders");
    }
    s->is_stopping = core->is_stopping;
    show_leadership(core, now, s);
    show_servers(core, now, s);
    show_pools(core, now, s);
    s->proxy_count = core->proxy_count;
    for (int i = 0; i < core->proxy_count; i++) {
        const struct core_proxy *p = &core->proxies[i];
        TEXT_SET(s->proxies[i].name, p->name);
        TEXT_SET(s->proxies[i].address, p->address);
        s->proxies[i].is_reachable = p->is_reachable;
        s->proxies[i].age_ms = age_ms(p->seen_at, now);
        TEXT_SET(s->proxies[i].text, p->text);
    }
    show_events(core, s);
    s->steps = core->steps;
    s->orders = core->steering.orders;
    s->moves = core->steering.moves;
    s->moves_failed = core->steering.moves_failed;
    s->notes_dropped = core->notes_dropped;
}
