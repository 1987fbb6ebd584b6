/* A node: facts in, effects performed, exactly as agent/daemon.c does it, on simulated links and time. */
#include "sim/sim_node.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "backends/quorum/quorum_chair.h"
#include "base/text.h"
#include "haproxy/agent_request.h"
#include "sim/world.h"

#define PUSH_LIMIT_US 150000         /* how long the others may take to say the same before HAProxy is pushed */
#define PUSH_LOOK_US 5000
#define PROXY_LIMIT_US 500000
#define SIGHT_LIMIT_US 150000
#define TIMER_NONE INT64_MAX
#define LANE_DEEDS 2

static struct sim_node *node_at(struct world *world, int node) { return &world->nodes[node]; }
static const char *name_of(int node) { return party_name(party_node(node)); }

static void node_feed(struct world *world, int node, const struct event *event);
static void node_drain(struct world *world, int node);

/* ---- its own clock ----------------------------------------------------------------------------------------------------- */

struct fc_time node_clock_at(const struct world *world, int node, int64_t at)
{
    const struct sim_node *n = &world->nodes[node];
    const int64_t passed = at - n->clock_from;
    return (struct fc_time){ n->clock_offset + passed + passed * n->clock_ppm / 1000000 };
}

struct fc_time node_clock(const struct world *world, int node) { return node_clock_at(world, node, world->now); }

static int64_t world_time(const struct world *world, int node, struct fc_time at)
{
    const struct sim_node *n = &world->nodes[node];
    const int64_t left = at.us - node_clock(world, node).us;
    if (left > INT64_C(4000000000))
        return world->now + INT64_C(4000000000);
    return left <= 0 ? world->now : world->now + left * 1000000 / (1000000 + n->clock_ppm) + 1;
}

static int64_t wall_ms(const struct world *world, int node)
{
    return INT64_C(1790000000000) + world->now / 1000 + 10 * node + world->nodes[node].wall_offset_ms;
}

static void timer_set(struct world *world, int node, struct sim_timer *timer, enum happening_kind kind, struct fc_time at)
{
    timer->asked = at;
    timer->wanted = world_time(world, node, at);
    if (timer->wanted < timer->set) {
        timer->set = timer->wanted;
        happen(world, timer->wanted, kind, node, 0, node_at(world, node)->life);
    }
}

void node_clock_speed(struct world *world, int node, int64_t ppm)
{
    struct sim_node *n = node_at(world, node);
    n->clock_offset = node_clock(world, node).us;
    n->clock_from = world->now;
    n->clock_ppm = ppm;
    if (n->core_timer.wanted != TIMER_NONE)
        timer_set(world, node, &n->core_timer, HAP_NODE_WOKEN, n->core_timer.asked);
    if (n->lease_timer.wanted != TIMER_NONE)
        timer_set(world, node, &n->lease_timer, HAP_LEASE_WOKEN, n->lease_timer.asked);
}

/* Has the moment come, or was the timer moved to a later one meanwhile? */
static bool timer_rings(struct world *world, int node, struct sim_timer *timer, enum happening_kind kind)
{
    if (world->now < timer->set)
        return false;                                      /* an earlier happening than the one that counts */
    timer->set = TIMER_NONE;
    if (timer->wanted == TIMER_NONE)
        return false;
    if (world->now < timer->wanted) {
        timer->set = timer->wanted;
        happen(world, timer->wanted, kind, node, 0, node_at(world, node)->life);
        return false;
    }
    timer->wanted = TIMER_NONE;
    return true;
}

/* ---- requests ------------------------------------------------------------------------------------------------------------ */

static int lane_of(enum store_deed deed)
{
    return deed == STORE_LOOK ? 0 : deed == STORE_FENCE || deed == STORE_OPEN || deed == STORE_CATCH_UP ? LANE_DEEDS : 1;
}

/* Into the void where nobody hears it; the asker's bound will tell. */
void node_send(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_node *n = node_at(world, m->node);
    const int from = party_node(m->node), to = party_server(m->server);
    const bool is_heard = n->is_up && n->life == m->node_life && net_carries(&world->net, from, to) &&
                          (world->servers[m->server].is_up || net_carries(&world->net, to, from));
    if (!is_heard) {
        m->result.is_unconnected = !n->has_session[m->server];
        message_drop(world, message);
        return;
    }
    if (world->net.refused[from][to] > 0) {
        m->result.code = FC_UNREACHABLE;
        m->result.loss = LOSS_REFUSED;
        TEXT_SET(m->result.text, "connection refused");
        happen(world, world->now + 2 * net_delay_us(world), HAP_NODE_RESULT, m->node, message, 0);
        return;
    }
    int64_t *last = &n->last_delivery[m->server][lane_of(m->request.deed)];
    int64_t at = world->now + world->net.late_us[from][to] + net_delay_us(world) * (n->has_session[m->server] ? 1 : 3);
    if (lane_of(m->request.deed) == LANE_DEEDS)
        at += world->servers[m->server].late_deeds_us;
    if (m->request.deed == STORE_TAKE)
        at += 2 * net_delay_us(world);
    if (!n->has_session[m->server])
        *last = 0;                                         /* a new connection does not wait for what the old one carries */
    if (at <= *last)
        at = *last + 1;
    *last = at;
    happen(world, at, HAP_SERVER_REQUEST, m->server, message, 0);
}

static void freeze_before_send(struct world *world, int node)
{
    struct sim_node *n = node_at(world, node);
    const struct fault freeze = { .kind = FAULT_FREEZE, .a = node, .b = -1, .for_us = n->freezes_before_send_us };
    n->freezes_before_send_us = 0;
    fault_begin(world, &freeze);
}

static void send_request(struct world *world, int node, const struct store_request *request, bool is_lease, enum deed deed,
                         uint64_t effect_id)
{
    struct sim_node *n = node_at(world, node);
    const int server = request->server, message = message_new(world);
    if (world_is_witness(world, node))
        violate(world, "%s, a witness, asks %s for something", name_of(node), SERVER_NAME(server));
    struct sim_message *m = &world->messages[message];
    const uint32_t limit_ms = request->limit_ms > 0 ? request->limit_ms : (uint32_t)world->config.probe_timeout_ms;
    m->node = node;
    m->node_life = n->life;
    m->server = server;
    m->is_lease = is_lease;
    m->deed = deed;
    m->effect_id = effect_id;
    m->epoch = n->core->leadership.epoch;
    m->request = *request;
    m->until_us = world->now + (int64_t)limit_ms * 1000;
    m->result.deed = request->deed;
    m->result.id = request->id;
    m->result.server = server;
    m->result.sent_at = node_clock(world, node);
    m->refs = 2;
    if (n->freezes_before_send_us > 0 && n->freezes_before == (int)request->deed)
        freeze_before_send(world, node);
    if (n->is_frozen)
        happen(world, world->now, HAP_NODE_SEND, node, message, 0);      /* handed out, and not on its way yet */
    happen(world, world_time(world, node, fc_plus(node_clock(world, node), fc_ms(limit_ms))), HAP_NODE_TIMEOUT, node, message, 0);
    if (!n->is_frozen)
        node_send(world, message);
}

static void ask_look(struct world *world, int node, int server)
{
    const struct store_request request = { .deed = STORE_LOOK, .server = server };
    send_request(world, node, &request, false, DEED_NONE, 0);
}

static void feed_ended(struct world *world, int node, enum deed deed, uint64_t id, int server, enum fc_code code,
                       const char *text)
{
    struct event event = { .type = DEED_ENDED };
    event.as.ended.deed = deed;
    event.as.ended.id = id;
    event.as.ended.server = server;
    event.as.ended.code = code;
    TEXT_SET(event.as.ended.text, text);
    node_feed(world, node, &event);
}

static void hear_loss(struct world *world, int node, const struct store_result *how)
{
    const int server = how->server;
    struct sim_node *n = node_at(world, node);
    struct event event = { .type = SERVER_LOST };
    n->has_session[server] = false;
    judge_shown(world, node, server, NULL, FC_EVER);
    n->source.lost(n->source.self, server, node_clock(world, node));
    event.as.lost.server = server;
    event.as.lost.loss = how->loss;
    event.as.lost.is_unconnected = how->is_unconnected;
    event.as.lost.sent_at = how->sent_at;
    TEXT_SET(event.as.lost.text, how->text);
    node_feed(world, node, &event);
}

static void deliver(struct world *world, int node, struct sim_message *m)
{
    struct sim_node *n = node_at(world, node);
    const struct store_result *result = &m->result;
    if (m->is_lease) {
        if (result->code == FC_OK || result->code == FC_REFUSED)
            judge_wrote(world, node, result->sent_at);
        n->source.wrote(n->source.self, result, node_clock(world, node));
    } else if (m->request.deed == STORE_LOOK && result->code == FC_OK) {
        struct event event = { .type = SERVER_SEEN };
        judge_shown(world, node, m->server, &m->look, result->sent_at);
        n->source.saw(n->source.self, m->server, &m->look, result->sent_at, node_clock(world, node));
        event.as.seen.server = m->server;
        event.as.seen.sent_at = result->sent_at;
        event.as.seen.look = &m->look;
        node_feed(world, node, &event);
    } else if (m->request.deed == STORE_LOOK) {
        hear_loss(world, node, result);
    } else if (m->effect_id != 0) {
        struct event event = { .type = DEED_ENDED };
        event.as.ended.deed = m->deed;
        event.as.ended.id = m->effect_id;
        event.as.ended.server = m->server;
        event.as.ended.code = result->code;
        event.as.ended.position = result->position;
        event.as.ended.alone = result->alone;
        event.as.ended.is_durable_on_all = result->durable_count >= SIM_SERVERS;
        TEXT_SET(event.as.ended.text, result->text);
        if (m->deed == DEED_OPEN && result->code == FC_OK)
            judge_told_open(world, m->server);
        tell(world, name_of(node), "%s on %s ended: %s %s", deed_word(m->deed), SERVER_NAME(m->server),
             fc_code_word(result->code), result->text);
        node_feed(world, node, &event);
    }
}

void node_result(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_node *n = node_at(world, m->node);
    if (!m->is_done && n->is_up && n->life == m->node_life) {
        m->is_done = true;
        deliver(world, m->node, m);
        node_drain(world, m->node);
        if (m->is_lease)
            judge_answered(world, m->node, &m->result);
    }
    m->is_done = true;
    message_drop(world, message);
}

void node_timeout(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_node *n = node_at(world, m->node);
    if (!m->is_done && n->is_up && n->life == m->node_life) {
        m->is_done = true;
        m->result.code = FC_TIMEOUT;
        m->result.loss = LOSS_SILENT;
        TEXT_SET(m->result.text, "no answer within the bound");
        n->has_session[m->server] = false;
        deliver(world, m->node, m);
        node_drain(world, m->node);
    }
    m->is_done = true;
    message_drop(world, message);
}

void node_session_ended(struct world *world, int node, int server)
{
    if (!node_at(world, node)->is_up)
        return;
    const struct store_result how = { .server = server, .loss = LOSS_ENDED, .sent_at = node_clock(world, node),
                                      .text = "the server has ended the session" };
    hear_loss(world, node, &how);
    node_drain(world, node);
}

void node_lose_results(struct world *world, int node)
{
    struct sim_node *n = node_at(world, node);
    int kept = 0;
    for (int i = 0; i < world->waiting_count; i++) {
        const struct happening h = world->waiting[i];
        if (h.kind == HAP_NODE_RESULT && world->messages[h.what].node == node)
            message_drop(world, h.what);                   /* its own bound will tell it */
        else
            world->waiting[kept++] = h;
    }
    world->waiting_count = kept;
    memset(n->has_session, 0, sizeof n->has_session);
}

/* ---- the lease's port ----------------------------------------------------------------------------------------------------- */

static struct sim_host hosts[SIM_NODES_MAX];

static void port_ask(void *host, const struct store_request *request)
{
    const struct sim_host *h = host;
    tell(h->world, name_of(h->node), "%s on %s: epoch %llu seq %llu %s", request->deed == STORE_TAKE ? "take" : "renew",
         SERVER_NAME(request->server), (unsigned long long)request->row.rank.epoch,
         (unsigned long long)request->row.rank.seq, phase_word(request->row.phase));
    if (request->row.rank.node[0] != '\0' && !text_is(request->row.rank.node, node_at(h->world, h->node)->name))
        violate(h->world, "%s writes the lease of another process: %s", name_of(h->node), request->row.rank.node);
    if (!world_has_quorum(h->world) && !node_may_act(h->world, h->node) && request->row.rank.node[0] != '\0')
        judge_takes(h->world, h->node, &request->row, request->deed == STORE_RENEW);
    send_request(h->world, h->node, request, true, DEED_NONE, 0);
}

static void port_say(void *host, const struct event *event)
{
    const struct sim_host *h = host;
    if (world_has_quorum(h->world))
        judge_arbiter_says(h->world, h->node, event);
    node_feed(h->world, h->node, event);
}

static void port_look(void *host, int server)
{
    const struct sim_host *h = host;
    ask_look(h->world, h->node, server);
}

static void port_wake(void *host, struct fc_time at)
{
    const struct sim_host *h = host;
    timer_set(h->world, h->node, &node_at(h->world, h->node)->lease_timer, HAP_LEASE_WOKEN, at);
}

/* ---- effects ------------------------------------------------------------------------------------------------------------- */

/* Where an order or a hold without a server goes: the seated server, the lease's place, the first in sight. */
static int place_for_rows(const struct sim_node *n)
{
    const struct servers *servers = &n->core->servers;
    const int seated = servers_by_identity(servers, n->core->steering.chair.row.rank.server);
    if (seated >= 0 && servers->list[seated].is_reachable)
        return seated;
    if (n->core->leadership.place >= 0 && servers->list[n->core->leadership.place].is_reachable)
        return n->core->leadership.place;
    for (int i = 0; i < servers->count; i++) {
        if (servers->list[i].is_reachable)
            return i;
    }
    return -1;
}

static void fill_request(const struct sim_node *n, const struct effect *effect, struct store_request *request)
{
    if (effect->type == FENCE) {
        request->limit_ms = effect->as.fence.limit_ms;
        if (n->source.row(n->source.self) != NULL)
            request->row = *n->source.row(n->source.self);
    } else if (effect->type == CATCH_UP) {
        request->limit_ms = effect->as.catch_up.limit_ms;
        request->has_position = effect->as.catch_up.has_position;
        request->position = effect->as.catch_up.position;
    } else if (effect->type == ALONE) {
        request->limit_ms = effect->as.alone.limit_ms;
        request->position = effect->as.alone.position;
    } else if (effect->type == OPEN) {
        request->row.rank.epoch = effect->as.open.epoch;
        TEXT_SET(request->row.rank.server, effect->as.open.identity);
        TEXT_SET(request->row.rank.node, n->name);
    } else if (effect->type == HOLD_WRITE) {
        request->hold = effect->as.hold;
    } else if (effect->type == ORDER_LAY || effect->type == ORDER_CLOSE) {
        request->order = effect->as.order;
    }
}

static void begin_deed(struct world *world, int node, const struct effect *effect, enum store_deed what, enum deed deed)
{
    struct sim_node *n = node_at(world, node);
    struct store_request request = { .deed = what, .server = effect->server };
    if (request.server < 0)
        request.server = place_for_rows(n);
    if (fc_reached(effect->until, node_clock(world, node)) || request.server < 0) {
        if (effect->id != 0)
            feed_ended(world, node, deed, effect->id, effect->server, request.server < 0 ? FC_UNREACHABLE : FC_NOT_LEADER,
                       request.server < 0 ? "no server is in sight" : "the lease was over before it was begun");
        return;
    }
    judge_deed_begins(world, node, effect);
    fill_request(n, effect, &request);
    if (deed != DEED_PREPARE)
        tell(world, name_of(node), "%s on %s", deed_word(deed), SERVER_NAME(request.server));
    send_request(world, node, &request, false, deed, effect->id);
}

static void reply_heard(struct world *world, int node, const struct effect *effect)
{
    struct ticket *ticket = &world->tickets[effect->as.reply.ticket - 1];
    tell(world, name_of(node), "%s to `%s`: %s %s", effect->as.reply.is_final ? "answers" : "says", ticket->text,
         fc_code_word(effect->as.reply.code), effect->as.reply.text);
    if (!effect->as.reply.is_final)
        return;
    if (++ticket->finals > 1)
        violate(world, "`%s` at %s was answered twice", ticket->text, name_of(node));
    if (ticket->expected >= 0 && ticket->expected != (int)effect->as.reply.code)
        violate(world, "`%s` at %s was answered %s, not %s: %s", ticket->text, name_of(node),
                fc_code_word(effect->as.reply.code), fc_code_word((enum fc_code)ticket->expected), effect->as.reply.text);
}

static void begin_push(struct world *world, int node)
{
    struct sim_node *n = node_at(world, node);
    if (n->push_deadline >= 0) {
        n->push_again = true;
        return;
    }
    n->push_deadline = world->now + PUSH_LIMIT_US;
    for (int i = 0; i < world->node_count; i++) {
        if (i != node && world->nodes[i].is_up && net_carries(&world->net, party_node(node), party_node(i)))
            happen(world, world->now + net_delay_us(world), HAP_NODE_LOOK_ALL, i, 0, 0);
    }
    happen(world, world->now + PUSH_LOOK_US, HAP_NODE_PUSH, node, 0, n->life);
}

/* Asked now, taken there a little later, heard here later still, or not within the bound. */
static void begin_proxy_look(struct world *world, int node, int proxy)
{
    struct sim_node *n = node_at(world, node);
    struct sim_view *view = &n->views[proxy];
    view->sent_at = node_clock(world, node);
    view->was_taken = false;
    if (net_talks(&world->net, party_node(node), party_proxy(proxy)) && world->proxies[proxy].is_up && !world->proxies[proxy].is_frozen)
        happen(world, world->now + net_delay_us(world), HAP_PROXY_LOOKED_AT, proxy, node, n->life);
    else
        happen(world, world->now + PROXY_LIMIT_US, HAP_NODE_PROXY_LOOKED, node, proxy, n->life);
}

void node_proxy_is_looked_at(struct world *world, int node, int proxy)
{
    struct sim_node *n = node_at(world, node);
    struct sim_view *view = &n->views[proxy];
    const struct sim_proxy *p = &world->proxies[proxy];
    if (!n->is_up)
        return;
    view->was_taken = p->is_up && net_talks(&world->net, party_node(node), party_proxy(proxy));
    if (view->was_taken)
        view->row_count = proxy_rows(world, proxy, view->rows);
    view->uptime_ms = (world->now - p->started_at) / 1000000 * 1000;        /* HAProxy tells whole seconds */
    happen(world, world->now + net_delay_us(world), HAP_NODE_PROXY_LOOKED, node, proxy, n->life);
}

static void hear_askers(struct world *world, int node, const struct effect *effect)
{
    struct sim_node *n = node_at(world, node);
    for (int i = 0; i < world->node_count; i++) {
        struct sim_asked *asked = &n->asked[i];
        const bool is_late = fc_since(asked->sent_at, node_clock(world, node)).us > PROXY_LIMIT_US;
        if ((asked->is_under_way && !is_late) || (i != node && !net_talks(&world->net, party_node(node), party_node(i))))
            continue;
        asked->sent_at = node_clock(world, node);
        asked->is_under_way = true;
        TEXT_SET(asked->pool, effect->as.askers.pool);
        TEXT_SET(asked->server, effect->as.askers.server);
        happen(world, world->now + (i == node ? 0 : net_delay_us(world)), HAP_NODE_TELLS_ASKERS, node, i, n->life);
    }
}

void node_tells_askers(struct world *world, int node, int other)
{
    struct sim_node *n = node_at(world, node);
    const struct sim_node *o = node_at(world, other);
    struct sim_asked *asked = &n->asked[other];
    if (!n->is_up || !o->is_up || (node != other && !net_talks(&world->net, party_node(node), party_node(other))))
        return;
    node_name_of(o->name, asked->node, sizeof asked->node);
    asked->count = board_asked(o->board, asked->pool, asked->server, node_clock(world, other), asked->rows);
    happen(world, world->now + (node == other ? 0 : net_delay_us(world)), HAP_NODE_ASKERS, node, other, n->life);
}

void node_askers(struct world *world, int node, int other)
{
    struct sim_asked *asked = &node_at(world, node)->asked[other];
    struct event event = { .type = ASKERS_SEEN };
    asked->is_under_way = false;
    TEXT_SET(event.as.askers.node, asked->node);
    TEXT_SET(event.as.askers.pool, asked->pool);
    TEXT_SET(event.as.askers.server, asked->server);
    event.as.askers.sent_at = asked->sent_at;
    event.as.askers.count = asked->count;
    event.as.askers.rows = asked->rows;
    node_feed(world, node, &event);
    node_drain(world, node);
}

/* Who is dead refuses the question, who is cut off or frozen lets it wait beyond the bound. */
static void ask_sights(struct world *world, int node, int server)
{
    struct sim_node *n = node_at(world, node);
    for (int i = 0; i < world->node_count; i++) {
        struct sim_sight *sight = &n->sights[i];
        const bool is_heard = net_carries(&world->net, party_node(node), party_node(i));
        if (i == node || sight->is_under_way)
            continue;
        *sight = (struct sim_sight){ .sent_at = node_clock(world, node), .round = (sight->round + 1) & 0xffff, .server = server,
                                     .is_under_way = true };
        if (is_heard && world->nodes[i].is_up)
            happen(world, world->now + net_delay_us(world), HAP_NODE_TELLS_SIGHT, node, SIGHT_PLACE(i, sight->round), n->life);
        happen(world, world->now + (is_heard && !world->nodes[i].is_up ? 2 * net_delay_us(world) : SIGHT_LIMIT_US), HAP_NODE_SIGHT, node,
               SIGHT_PLACE(i, sight->round), n->life);
    }
}

void node_tells_sight(struct world *world, int node, int place)
{
    const int other = place & 15;
    struct sim_sight *sight = &node_at(world, node)->sights[other];
    const struct sim_node *o = node_at(world, other);
    enum loss loss;
    struct fc_time at;
    if (!o->is_up || !sight->is_under_way || sight->round != place >> 4 || !net_talks(&world->net, party_node(node), party_node(other)))
        return;
    if (world_is_witness(world, other)) {
        sight->is_told = true;
        sight->told = (struct sight){ .state = SIGHT_NONE, .at = sight->sent_at };
    } else if (server_own_sight(&o->core->servers.list[sight->server], &loss, &at)) {
        sight->is_told = true;
        sight->told = (struct sight){ SIGHT_TOLD, loss,
                                      fc_plus(sight->sent_at, (struct fc_span){ -fc_since(at, node_clock(world, other)).us }) };
    }
    happen(world, world->now + net_delay_us(world), HAP_NODE_SIGHT, node, place, node_at(world, node)->life);
    node_look_all(world, other);                           /* the question is a hint, too */
}

void node_sight(struct world *world, int node, int place)
{
    struct sim_sight *sight = &node_at(world, node)->sights[place & 15];
    struct event event = { .type = SIGHT_SEEN };
    if (!sight->is_under_way || sight->round != place >> 4)
        return;
    sight->is_under_way = false;
    TEXT_FORMAT(event.as.sight.node, "fc%d", (place & 15) + 1);
    event.as.sight.server = sight->server;
    event.as.sight.told = sight->is_told ? sight->told : (struct sight){ .state = SIGHT_MUTE, .at = sight->sent_at };
    node_feed(world, node, &event);
    node_drain(world, node);
}

static void node_stopped(struct world *world, int node)
{
    tell(world, name_of(node), "has stopped");
    node_kill(world, node);
    happen(world, world->now + chance_between(world, 500000, 3000000), HAP_NODE_START, node, 0, 0);
}

/* The servers of this world are set as they should be. The check costs it neither time nor chance: no decision waits for it. */
static void check(struct world *world, int node, int server)
{
    static struct server_settings settings[SIM_SERVERS];
    struct server_settings *s = &settings[server];
    struct event event = { .type = SERVER_CHECKED };
    event.as.checked.server = server;
    event.as.checked.loss = LOSS_SILENT;
    if (net_talks(&world->net, party_node(node), party_server(server)) && world->servers[server].is_up &&
        !world->servers[server].is_frozen) {
        s->uptime_s = s->clock_error_ms = -1;
        TEXT_SET(s->value[SETTING_LOG_BIN], "ON");
        TEXT_SET(s->value[SETTING_BINLOG_FORMAT], "STATEMENT");
        TEXT_FORMAT(s->value[SETTING_SERVER_ID], "%d", server + 1);
        event.as.checked.loss = LOSS_NONE;
        event.as.checked.settings = s;
    }
    node_feed(world, node, &event);
}

/* Did the arbiter's part begin a write because of it? */
static bool command_writes(struct world *world, struct sim_node *n, const struct effect *effect, struct fc_time now)
{
    const struct sim_raft *raft = &world->raft.rafts[n->index];
    const uint64_t before = n->lease.writing, asked = raft->proposals + raft->yields;
    if (world_has_quorum(world)) {
        n->source.command(n->source.self, effect, now);
        return raft->proposals + raft->yields != asked;
    }
    lease_command(&n->lease, effect, now);
    return n->lease.writing != 0 && n->lease.writing != before && n->lease.is_writing_for_command;
}

/* A row that nobody reads back here. */
static void noise(struct world *world, int node)
{
    const int place = place_for_rows(node_at(world, node));
    if (place >= 0 && net_carries(&world->net, party_node(node), party_server(place)))
        server_noise(world, place);
}

static void perform(struct world *world, int node, const struct effect *effect)
{
    struct sim_node *n = node_at(world, node);
    const struct fc_time now = node_clock(world, node);
    switch (effect->type) {
    case WAKE_AT:       timer_set(world, node, &n->core_timer, HAP_NODE_WOKEN, effect->as.wake_at); break;
    case NOTE:
        tell(world, name_of(node), "%s [%s e=%llu] %s", effect->as.note.level >= NOTE_ALARM ? "!" : "-",
             effect->as.note.subject, (unsigned long long)effect->as.note.epoch, effect->as.note.text);
        judge_note(world, node, effect->as.note.subject, effect->as.note.text);
        break;
    case LOOK:          ask_look(world, node, effect->server); break;
    case CHECK:         check(world, node, effect->server); break;
    case PREPARE:       begin_deed(world, node, effect, STORE_PREPARE, DEED_PREPARE); break;
    case STAND:         n->source.stand(n->source.self, effect->as.stand, now); break;
    case MEMBERS:       break;             /* the core asks for it only where raft is in use */
    case GIVE_BACK:
        if (command_writes(world, n, effect, now)) {
            judge_deed_begins(world, node, effect);
            judge_gives_back(world, node, effect->as.give_back.pause_ms);
        }
        break;
    case INTEND:
    case SEAT:
        if (command_writes(world, n, effect, now))
            judge_deed_begins(world, node, effect);
        break;
    case FENCE:         begin_deed(world, node, effect, STORE_FENCE, DEED_FENCE); break;
    case CATCH_UP:      begin_deed(world, node, effect, STORE_CATCH_UP, DEED_CATCH_UP); break;
    case OPEN:          begin_deed(world, node, effect, STORE_OPEN, DEED_OPEN); break;
    case HOLD_WRITE:
        judge_hold_write(world, node, &effect->as.hold);
        begin_deed(world, node, effect, STORE_HOLD, DEED_HOLD);
        break;
    case ORDER_LAY:     begin_deed(world, node, effect, STORE_ORDER_LAY, DEED_ORDER); break;
    case ORDER_CLOSE:   begin_deed(world, node, effect, STORE_ORDER_CLOSE, DEED_ORDER); break;
    case ORDER_REPLY:   reply_heard(world, node, effect); break;
    case RECORD:
        judge_record(world, effect->as.record.kind, effect->as.record.text);
        noise(world, node);
        break;
    case REGISTER:
        noise(world, node);
        break;
    case ANSWER_SHOW:   board_show(n->board, effect->as.show.pool, effect->as.show.server, &effect->as.show.answer); break;
    case ANSWER_EXTEND:
        board_extend(n->board, effect->as.show.pool, effect->as.show.server, effect->as.show.answer.until);
        break;
    case VOICE_EXTEND:  board_voice(n->board, effect->until); break;
    case PROXY_PUSH:    begin_push(world, node); break;
    case PROXY_LOOK:    begin_proxy_look(world, node, effect->as.proxy.proxy); break;
    case ALONE:         begin_deed(world, node, effect, STORE_ALONE, DEED_ALONE); break;
    case RESUME:        begin_deed(world, node, effect, STORE_RESUME, DEED_RESUME); break;
    case ASKERS_LOOK:   hear_askers(world, node, effect); break;
    case SIGHTS_LOOK:   ask_sights(world, node, effect->server); break;
    case PUBLISH:       break;
    case STOP:          n->is_stopping = true; break;
    case EFFECT_TYPE_COUNT: break;
    }
}

/* ---- feeding --------------------------------------------------------------------------------------------------------------- */

static void count_state(struct world *world, const struct core *core)
{
    const struct steering *st = &core->steering;
    world->tally->reached[st->chair.state][core->leadership.state][st->move.step][st->finding->finding]++;
    if (st->move.step != STEP_NONE)
        world->tally->moved[st->move.kind][st->move.step]++;
}

/* It is decided, and nothing runs before it is done. */
static void freeze_before_deed(struct world *world, int node, const struct effect *effect)
{
    struct sim_node *n = node_at(world, node);
    const struct fault freeze = { .kind = FAULT_FREEZE, .a = node, .b = -1, .for_us = n->freezes_before_deed_us };
    n->freezes_before_deed_us = 0;
    n->held = *effect;
    happen(world, world->now, HAP_NODE_PERFORMS, node, 0, n->life);
    fault_begin(world, &freeze);
}

void node_performs(struct world *world, int node)
{
    const struct effect held = node_at(world, node)->held;
    perform(world, node, &held);
    node_drain(world, node);
}

static void step(struct world *world, int node, struct event *event)
{
    struct sim_node *n = node_at(world, node);
    const uint64_t moves = n->core->steering.moves, failed = n->core->steering.moves_failed;
    const enum move_step step_before = n->core->steering.move.step;
    struct step_before before;
    judge_step_before(n->core, &before);
    event->at = node_clock(world, node);
    event->unix_ms = wall_ms(world, node);
    effects_clear(&world->effects);
    core_step(n->core, event, &world->effects);
    if (world->effects.dropped > 0)
        violate(world, "%s dropped %d effects", name_of(node), world->effects.dropped);
    for (int i = 0; i < world->effects.count; i++) {
        if (n->freezes_before_deed_us > 0 && n->freezes_before_effect == (int)world->effects.list[i].type)
            freeze_before_deed(world, node, &world->effects.list[i]);
        else
            perform(world, node, &world->effects.list[i]);
    }
    world->tally->moves += n->core->steering.moves - moves;
    world->tally->moves_failed += n->core->steering.moves_failed - failed;
    count_state(world, n->core);
    judge_node_step(world, node, event, &before);
    if (event->type == PROXY_SEEN || event->type == PROXY_LOST)
        judge_view(world, node, event);
    if (step_before != n->core->steering.move.step)
        world_saw_move(world, node, (int)step_before, (int)n->core->steering.move.step);
}

static void node_feed(struct world *world, int node, const struct event *event)
{
    struct sim_node *n = node_at(world, node);
    assert(n->queue_count < NODE_QUEUE_MAX);
    n->queue[(n->queue_head + n->queue_count++) % NODE_QUEUE_MAX] = *event;
}

/* Everything that was said meanwhile goes through the core, one by one, after what said it has returned. */
static void node_drain(struct world *world, int node)
{
    struct sim_node *n = node_at(world, node);
    while (n->queue_count > 0 && n->is_up) {
        struct event next = n->queue[n->queue_head];
        n->queue_head = (n->queue_head + 1) % NODE_QUEUE_MAX;
        n->queue_count--;
        step(world, node, &next);
    }
    if (n->is_stopping && n->is_up)
        node_stopped(world, node);
}

void node_order(struct world *world, int node, const char *text, uint64_t ticket)
{
    struct event event = { .type = ORDER_GIVEN };
    event.as.order.ticket = ticket;
    event.as.order.text = text;
    event.as.order.length = strlen(text);
    event.as.order.may_change = true;
    TEXT_SET(event.as.order.by, "ann@fc");
    node_feed(world, node, &event);
    node_drain(world, node);
}

void node_woken(struct world *world, int node)
{
    struct event event = { .type = WOKEN };
    if (timer_rings(world, node, &node_at(world, node)->core_timer, HAP_NODE_WOKEN))
        node_feed(world, node, &event);
    node_drain(world, node);
}

void node_lease_woken(struct world *world, int node)
{
    struct sim_node *n = node_at(world, node);
    if (timer_rings(world, node, &n->lease_timer, HAP_LEASE_WOKEN))
        lease_woken(&n->lease, node_clock(world, node));
    node_drain(world, node);
}

void node_raft_rung(struct world *world, int node)
{
    raft_rung(world, node);
    node_drain(world, node);
}

void node_look_all(struct world *world, int node)
{
    if (!node_at(world, node)->is_up || world_is_witness(world, node))
        return;
    for (int i = 0; i < SIM_SERVERS; i++) {
        if (!server_hangs(&node_at(world, node)->core->servers.list[i]))
            ask_look(world, node, i);
    }
}

void node_proxy_looked(struct world *world, int node, int proxy)
{
    const struct sim_view *view = &node_at(world, node)->views[proxy];
    struct event event = { .type = PROXY_LOST };
    if (view->was_taken) {
        event.type = PROXY_SEEN;
        event.as.proxy.proxy = proxy;
        event.as.proxy.count = view->row_count;
        event.as.proxy.rows = view->rows;
        event.as.proxy.sent_at = view->sent_at;
        event.as.proxy.uptime_ms = view->uptime_ms;
    } else {
        event.as.proxy_lost.proxy = proxy;
        TEXT_SET(event.as.proxy_lost.text, "no answer within the bound");
    }
    node_feed(world, node, &event);
    node_drain(world, node);
}

/* ---- pushing --------------------------------------------------------------------------------------------------------------- */

int node_words(struct world *world, int node)
{
    int words = 0;
    for (int i = 0; i < SIM_SERVERS; i++) {
        const struct board_line line = board_says(node_at(world, node)->board, "fc_backend", SERVER_NAME(i), node_clock(world, node));
        words |= (text_begins(line.bytes, "up ready") ? 1 : text_begins(line.bytes, "down maint") ? 2 : 0) << (2 * i);
    }
    return words;
}

void node_push_step(struct world *world, int node)
{
    struct sim_node *n = node_at(world, node);
    const int words = node_words(world, node);
    bool agree = true;
    for (int i = 0; i < world->node_count; i++) {
        const struct sim_node *other = &world->nodes[i];
        if (i == node || !other->is_up)
            continue;                                      /* a dead one refuses: it costs nothing */
        if (!net_talks(&world->net, party_node(node), party_node(i)) || other->is_frozen || node_words(world, i) != words)
            agree = false;
    }
    if (!agree && world->now < n->push_deadline) {
        happen(world, world->now + PUSH_LOOK_US, HAP_NODE_PUSH, node, 0, n->life);
        return;
    }
    n->push_deadline = -1;
    for (int i = 0; i < SIM_PROXIES; i++) {
        if (net_carries(&world->net, party_node(node), party_proxy(i)))
            happen(world, world->now + net_delay_us(world), HAP_PROXY_PUSHED, i, words, 0);
    }
    if (n->push_again) {
        n->push_again = false;
        begin_push(world, node);
    }
}

/* ---- answering ------------------------------------------------------------------------------------------------------------- */

/* (d) The token: for the one who sits, inside the term; in a paused pool for an open server that is still seen. */
static void check_token(struct world *world, int node, const struct agent_request *request, const char *line)
{
    const struct core *core = node_at(world, node)->core;
    if (strstr(line, "fc-ok") == NULL)
        return;
    const struct pool *pool = &core->steering.pools[core->steering.backend];
    const struct answer *said = &pool->members[pool_member_find(pool, request->server)].answer;
    const struct chair *chair = &core->steering.chair;
    const int seated = servers_named(&core->servers, chair->row.rank.server);
    const bool is_paused = said->voice == VOICE_NEUTRAL && said->keeps_token;
    if (!fc_before(node_clock(world, node), is_paused ? said->until : chair->until))
        violate(world, "%s gave the token for %s after its term: %s", name_of(node), request->server, line);
    if (!is_paused && (chair->state != CHAIR_SEATED || seated < 0 || !text_is(core->servers.list[seated].name, request->server)))
        violate(world, "%s gave the token for %s, which does not sit: %s", name_of(node), request->server, line);
    if (!is_paused && seated >= 0 && !text_is(chair->row.rank.server, world->servers[seated].identity))
        violate(world, "%s gave the token for %s, and it is another one that its chair names", name_of(node), request->server);
    if (!is_paused)
        judge_token(world, node, seated);
}

/* The board has said it, and nobody hears it: the link goes with it. */
static bool is_lost_on_its_way(struct world *world, int node, int proxy, const struct agent_request *request)
{
    struct sim_node *n = node_at(world, node);
    const int server = text_is(request->server, SERVER_NAME(0)) ? 0 : 1;
    if (request->is_voice || n->last_answer[proxy] <= n->cut_by_answer[proxy] || !proxy_offers(&world->proxies[proxy], server))
        return false;
    n->cut_by_answer[proxy]++;
    net_cut(&world->net, party_node(node), party_proxy(proxy), 1);
    net_cut(&world->net, party_proxy(proxy), party_node(node), 1);
    tell(world, name_of(node), "answers %s about %s, which is lost on its way", party_name(party_proxy(proxy)), request->server);
    return true;
}

const char *node_answers(struct world *world, int node, int proxy, const char *text)
{
    struct sim_node *n = node_at(world, node);
    struct agent_request request;
    if (!n->is_up || n->is_frozen || !net_talks(&world->net, party_node(node), party_proxy(proxy)))
        return NULL;
    if (agent_request_parse(text, strlen(text), true, &request) != AGENT_REQUEST_READY)
        return NULL;
    const struct board_line line = board_line(n->board, &request, party_name(party_proxy(proxy)), node_clock(world, node));
    judge_node_says(world, node, request.is_voice, line.bytes);
    if (!request.is_voice)
        check_token(world, node, &request, line.bytes);
    return is_lost_on_its_way(world, node, proxy, &request) ? NULL : line.bytes;
}

const char *node_answers_of_fleet(struct world *world, int node, int proxy, const char *text)
{
    struct sim_node *n = node_at(world, node);
    struct agent_request request;
    if (!n->is_up || n->is_frozen || !net_talks(&world->net, party_node(node), party_proxy(proxy)))
        return NULL;
    if (agent_request_parse(text, strlen(text), true, &request) != AGENT_REQUEST_READY)
        return NULL;
    return board_line(n->board, &request, party_name(party_proxy(proxy)), node_clock(world, node)).bytes;
}

void node_hears(struct world *world, int node, const struct event *event) { node_feed(world, node, event); }
void node_hears_out(struct world *world, int node) { node_drain(world, node); }

bool node_may_act(const struct world *world, int node)
{
    const struct sim_node *n = &world->nodes[node];
    return n->is_up && leadership_may_act(&n->core->leadership, node_clock(world, node));
}

/* ---- life ------------------------------------------------------------------------------------------------------------------- */

static void port_note(void *host, const char *sentence)
{
    const struct sim_host *h = host;
    tell(h->world, name_of(h->node), "%s", sentence);
}

static void start_lease(struct world *world, int node)
{
    struct sim_node *n = node_at(world, node);
    const struct config *c = &world->config;
    struct lease_settings settings = {
        .lease_ms = c->lease_ms, .renew_ms = c->lease_renew_ms, .drift_percent = c->drift_percent, .term_ms = c->term_ms,
        .probe_timeout_ms = c->probe_timeout_ms, .server_count = SIM_SERVERS, .has_chair = true,
    };
    hosts[node] = (struct sim_host){ world, node };
    const struct lease_port port = { &hosts[node], port_ask, port_say, port_look, port_wake };
    TEXT_SET(settings.node, n->name);
    lease_init(&n->lease, &settings, &port, node_clock(world, node));
    n->source = lease_as_source(&n->lease);
    if (world_has_quorum(world)) {
        n->chair = raft_open_chair(world, node, &hosts[node], port_ask, port_say, port_note);
        n->source = quorum_chair_as_source(n->chair);
    }
}

void node_start(struct world *world, int node)
{
    static struct room room;
    struct sim_node *n = node_at(world, node);
    if (n->is_up)
        return;
    room = room_of_libc();
    node_free(n);
    judge_decisions_forget(world, node);
    world->last_back_at = world->now;
    n->is_up = true;
    n->is_frozen = n->is_stopping = n->push_again = false;
    n->life++;
    n->queue_head = n->queue_count = 0;
    n->push_deadline = -1;
    n->core_timer = n->lease_timer = (struct sim_timer){ TIMER_NONE, TIMER_NONE, FC_NEVER };
    n->last_epoch = n->last_chair_epoch = 0;
    n->freezes_before_send_us = n->freezes_before_deed_us = 0;
    memset(n->asked, 0, sizeof n->asked);
    memset(n->sights, 0, sizeof n->sights);
    memset(n->has_session, 0, sizeof n->has_session);
    memset(n->last_delivery, 0, sizeof n->last_delivery);
    TEXT_FORMAT(n->name, "fc%d~%llx", node + 1, (unsigned long long)(rng_next(&world->rng) & 0xffffff));
    n->core = core_new(&room);
    n->board = board_new(16, 32);
    assert(n->core != NULL && n->board != NULL);
    tell(world, name_of(node), "starts as %s", n->name);
    start_lease(world, node);
    struct event event = { .type = STARTED };
    event.as.started.config = world_is_witness(world, node) ? &world->witness_config : &world->config;
    event.as.started.node = n->name;
    event.as.started.seed = rng_next(&world->rng);
    node_feed(world, node, &event);
    node_drain(world, node);
    fleet_node_starts(world, node);
}

void node_kill(struct world *world, int node)
{
    struct sim_node *n = node_at(world, node);
    n->is_up = n->is_frozen = false;
    n->is_stopping = false;
    n->life++;
    n->queue_count = 0;
    quorum_chair_close(n->chair);
    n->chair = NULL;
    for (int i = 0; i < world->ticket_count; i++) {
        if (world->tickets[i].node == node)
            world->tickets[i].node = -1;                   /* the door is gone: nobody waits there any more */
    }
    world_thaw(world);
}

void node_stop(struct world *world, int node)
{
    const struct event event = { .type = STOP_ASKED };
    node_feed(world, node, &event);
    node_drain(world, node);
}

void node_free(struct sim_node *n)
{
    quorum_chair_close(n->chair);
    n->chair = NULL;
    core_free(n->core);
    board_free(n->board);
    n->core = NULL;
    n->board = NULL;
}
