/* The queue of happenings, and one run from start to quiet. */
#include "sim/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define QUIET_FOR_US 1500000         /* the quiet picture must last for so long */
#define HEAL_LIMIT_US 40000000       /* after the last fault: by then somebody sits again, or it is a violation */
#define PLAYED_OUT_US 300000         /* after a scene's last fault: what it set off is under way by then */
#define GIVE_UP_US 25000000          /* a scene whose next line has not begun by then is healed, and counted as not staged */
#define ORDER_PERCENT 40
#define WITNESS_PERCENT 40
#define CLUSTER_PERCENT 30
#define CLUSTER_STEPS 3              /* times as many: what is waited for there takes longer than terms */
#define STORY_LINES 400

/* ---- the story ---------------------------------------------------------------------------------------------------- */

static char story[STORY_LINES][320];
static int story_count;
static bool story_is_printed;

static void story_begin(bool is_printed)
{
    story_count = 0;
    story_is_printed = is_printed;
}

void tell_line(struct world *world, const char *who, const char *format, ...)
{
    char *line = story[story_count++ % STORY_LINES];
    va_list args;
    const int at = snprintf(line, sizeof story[0], "%9.4f  %-4s ", (double)world->now / 1e6, who);
    va_start(args, format);
    vsnprintf(line + at, sizeof story[0] - (size_t)at, format, args);
    va_end(args);
    if (story_is_printed)
        puts(line);
}

void story_print_end(int lines)
{
    const int kept = story_count < STORY_LINES ? story_count : STORY_LINES;
    for (int i = story_count - (lines < kept ? lines : kept); i < story_count; i++)
        puts(story[i % STORY_LINES]);
}

/* ---- chance ------------------------------------------------------------------------------------------------------- */

int64_t chance_between(struct world *world, int64_t least, int64_t most)
{
    return least + (int64_t)rng_below(&world->rng, (uint64_t)(most - least + 1));
}

bool chance(struct world *world, int percent) { return rng_below(&world->rng, 100) < (uint64_t)percent; }

/* ---- the queue: a heap by moment, then by order of asking ------------------------------------------------------------ */

static bool is_before(const struct happening *a, const struct happening *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void heap_push(struct world *world, const struct happening *item)
{
    assert(world->heap_count < HEAP_MAX);
    int at = world->heap_count++;
    while (at > 0 && is_before(item, &world->heap[(at - 1) / 2])) {
        world->heap[at] = world->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world->heap[at] = *item;
}

static struct happening heap_pop(struct world *world)
{
    const struct happening first = world->heap[0], last = world->heap[--world->heap_count];
    int at = 0;
    for (int child = 1; child < world->heap_count; child = 2 * at + 1) {
        if (child + 1 < world->heap_count && is_before(&world->heap[child + 1], &world->heap[child]))
            child++;
        if (!is_before(&world->heap[child], &last))
            break;
        world->heap[at] = world->heap[child];
        at = child;
    }
    world->heap[at] = last;
    return first;
}

void happen(struct world *world, int64_t at, enum happening_kind kind, int who, int what, uint32_t life)
{
    const struct happening item = { at < world->now ? world->now : at, world->seq++, kind, who, what, life };
    heap_push(world, &item);
}

int message_new(struct world *world)
{
    assert(world->free_count > 0);
    const int place = world->free_messages[--world->free_count];
    struct sim_message *m = &world->messages[place];
    memset(m, 0, offsetof(struct sim_message, request));
    memset(&m->result, 0, sizeof m->result);
    m->is_used = true;
    return place;
}

void message_drop(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    assert(m->is_used && m->refs > 0);
    if (--m->refs == 0) {
        m->is_used = false;
        world->free_messages[world->free_count++] = message;
    }
}

/* ---- who is frozen lets it wait at the door ----------------------------------------------------------------------------- */

static bool is_at_a_frozen_door(const struct world *world, const struct happening *h)
{
    switch (h->kind) {
    case HAP_NODE_PERFORMS:
    case HAP_NODE_WOKEN:
    case HAP_LEASE_WOKEN:
    case HAP_NODE_SESSION_ENDED:
    case HAP_NODE_LOOK_ALL:
    case HAP_NODE_PUSH:
    case HAP_NODE_PROXY_LOOKED:
    case HAP_NODE_ASKERS:
    case HAP_NODE_SIGHT:
    case HAP_FLEET_ASK:
    case HAP_FLEET_SEES:
    case HAP_FLEET_LOSES:
        return world->nodes[h->who].is_frozen;
    case HAP_RAFT_RUNG:
        return world->nodes[h->who].is_frozen;
    case HAP_RAFT_TICK: case HAP_RAFT_BEAT: case HAP_RAFT_DISK: case HAP_RAFT_SENT: case HAP_RAFT_TOLD:
        return world->nodes[h->who].is_frozen || raft_stands_still(world, h->who);
    case HAP_RAFT_ARRIVES: {
        const int to = raft_receiver(world, h->what);
        return world->nodes[to].is_frozen || raft_stands_still(world, to);
    }
    case HAP_NODE_TELLS_ASKERS:
        return world->nodes[h->what].is_frozen;
    case HAP_NODE_TELLS_SIGHT:
        return world->nodes[h->what & 15].is_frozen;
    case HAP_NODE_SEND:
    case HAP_NODE_RESULT:
    case HAP_NODE_TIMEOUT:
        return world->nodes[world->messages[h->what].node].is_frozen;
    case HAP_SERVER_REQUEST:
    case HAP_SERVER_FENCE:
    case HAP_SERVER_CATCH_UP:
        return world->servers[world->messages[h->what].server].is_frozen;
    case HAP_SERVER_APPLY:
        return world->servers[h->who].is_frozen;
    case HAP_CLIENT_SEND:
        return world->clients[h->who].proxy >= 0 && world->proxies[world->clients[h->who].proxy].is_frozen;
    case HAP_CLIENT_ARRIVE:
    case HAP_CLIENT_COMMIT:
        return world->servers[world->clients[h->who].server].is_frozen;
    case HAP_PROXY_PUSHED:
    case HAP_PROXY_LOOKED_AT:
        return world->proxies[h->who].is_frozen;
    case HAP_FAULT:
    case HAP_FLEET_BOOT:
    case HAP_NODE_START:
    case HAP_SERVER_BOOT:
    case HAP_PROXY_START:
    case HAP_SERVER_READ:
    case HAP_SERVER_HEARS:
    case HAP_PROXY_AGENTS:
    case HAP_PROXY_TOKENS:
    case HAP_PROXY_VOICES:
    case HAP_CLIENT_BEGIN:
    case HAP_FAULT_END:
        break;
    }
    return false;
}

void world_thaw(struct world *world)
{
    int kept = 0;
    for (int i = 0; i < world->waiting_count; i++) {
        struct happening *h = &world->waiting[i];
        if (is_at_a_frozen_door(world, h)) {
            world->waiting[kept++] = *h;
        } else {
            h->at = world->now;
            h->seq = world->seq++;
            heap_push(world, h);
        }
    }
    world->waiting_count = kept;
}

/* ---- the script -------------------------------------------------------------------------------------------------------- */

/* Faults have the lowest turns of all, in the order of their lines, so that a line left out shifts nobody else's. */
static void schedule_line(struct world *world, int line, int64_t at)
{
    const struct happening item = { at < world->now ? world->now : at, (uint64_t)line, HAP_FAULT, 0, line, 0 };
    heap_push(world, &item);
}

static void begin_line(struct world *world, int place)
{
    const struct script_line *line = &world->script.lines[place];
    char text[256];
    script_line_text(line, text, sizeof text);
    tell(world, "sim", "fault: %s", text);
    if (place == world->waiting_line && line->when.kind != WHEN_MOMENT) {
        world->waiting_line++;
        world->is_line_scheduled = false;
    }
    world->line_begun_at = world->now;
    world->lines_begun++;
    world->fault_count += line->fault.kind != FAULT_ORDER && line->fault.kind != FAULT_HEAL;
    world->order_count += line->fault.kind == FAULT_ORDER;
    world->tally->faults_of[line->fault.kind]++;
    fault_begin(world, &line->fault);
}

/* The line that is waited for next, if it is of this kind: it begins so long after what it waited for. */
static void line_is_due(struct world *world, enum when_kind kind, int step, int64_t since)
{
    while (world->waiting_line < world->script.count && world->script.lines[world->waiting_line].when.kind == WHEN_MOMENT)
        world->waiting_line++;
    if (world->is_line_scheduled || world->waiting_line >= world->script.count)
        return;
    const struct when *when = &world->script.lines[world->waiting_line].when;
    if (when->kind != kind || (kind == WHEN_STEP && when->step != step))
        return;
    world->is_line_scheduled = true;
    schedule_line(world, world->waiting_line, since + when->us);
}

void world_saw_move(struct world *world, int node, int step_before, int step)
{
    (void)node;
    if (step != STEP_NONE)
        line_is_due(world, WHEN_STEP, step, world->now);
    else if (step_before == STEP_OPEN)
        line_is_due(world, WHEN_GRANT, 0, world->now);
}

static bool is_of_this_thread(const struct world *world, const struct happening *h)
{
    return world->raft.rafts[h->who].quorum != NULL && world->raft.rafts[h->who].life == h->life;
}

static void dispatch(struct world *world, const struct happening *h)
{
    switch (h->kind) {
    case HAP_FAULT:               begin_line(world, h->what); break;
    case HAP_NODE_PERFORMS:       if (world->nodes[h->who].life == h->life) node_performs(world, h->who); break;
    case HAP_NODE_SEND:           node_send(world, h->what); break;
    case HAP_PROXY_LOOKED_AT:
        if (world->nodes[h->what].life == h->life)
            node_proxy_is_looked_at(world, h->what, h->who);
        break;
    case HAP_NODE_TELLS_ASKERS:   if (world->nodes[h->who].life == h->life) node_tells_askers(world, h->who, h->what); break;
    case HAP_NODE_ASKERS:         if (world->nodes[h->who].life == h->life) node_askers(world, h->who, h->what); break;
    case HAP_NODE_TELLS_SIGHT:    if (world->nodes[h->who].life == h->life) node_tells_sight(world, h->who, h->what); break;
    case HAP_NODE_SIGHT:          if (world->nodes[h->who].life == h->life) node_sight(world, h->who, h->what); break;
    case HAP_PROXY_START:         proxy_start(world, h->who); break;
    case HAP_CLIENT_SEND:         client_send(world, h->who); break;
    case HAP_CLIENT_ARRIVE:       client_arrive(world, h->who); break;
    case HAP_NODE_START:          node_start(world, h->who); break;
    case HAP_NODE_WOKEN:          if (world->nodes[h->who].life == h->life) node_woken(world, h->who); break;
    case HAP_LEASE_WOKEN:         if (world->nodes[h->who].life == h->life) node_lease_woken(world, h->who); break;
    case HAP_NODE_RESULT:         node_result(world, h->what); break;
    case HAP_NODE_TIMEOUT:        node_timeout(world, h->what); break;
    case HAP_NODE_SESSION_ENDED:
        if (world->nodes[h->who].life == h->life)
            node_session_ended(world, h->who, h->what);
        break;
    case HAP_NODE_LOOK_ALL:       node_look_all(world, h->who); break;
    case HAP_NODE_PUSH:           if (world->nodes[h->who].life == h->life) node_push_step(world, h->who); break;
    case HAP_NODE_PROXY_LOOKED:
        if (world->nodes[h->who].life == h->life)
            node_proxy_looked(world, h->who, h->what);
        break;
    case HAP_SERVER_BOOT:         server_boot(world, h->who); break;
    case HAP_SERVER_REQUEST:      server_serve(world, h->what); break;
    case HAP_SERVER_FENCE:        server_fence_step(world, h->what); break;
    case HAP_SERVER_CATCH_UP:     server_catch_up_step(world, h->what); break;
    case HAP_SERVER_READ:         server_read(world, h->who); break;
    case HAP_SERVER_APPLY:        server_apply(world, h->who); break;
    case HAP_SERVER_HEARS:        server_hears_again(world, h->who); break;
    case HAP_PROXY_AGENTS:        proxy_poll_agents(world, h->who); break;
    case HAP_PROXY_TOKENS:        proxy_check_tokens(world, h->who); break;
    case HAP_PROXY_VOICES:        proxy_check_voices(world, h->who); break;
    case HAP_PROXY_PUSHED:        proxy_take_push(world, h->who, h->what); break;
    case HAP_FLEET_ASK:           if (world->nodes[h->who].life == h->life) fleet_ask(world, h->who, h->what); break;
    case HAP_FLEET_SEES:          if (world->nodes[h->who].life == h->life) fleet_sees(world, h->who, h->what); break;
    case HAP_FLEET_LOSES:         if (world->nodes[h->who].life == h->life) fleet_loses(world, h->who, h->what); break;
    case HAP_FLEET_BOOT:          fleet_boots(world, h->who); break;
    case HAP_CLIENT_BEGIN:        client_begin(world, h->who); break;
    case HAP_CLIENT_COMMIT:       client_commit(world, h->who); break;
    case HAP_FAULT_END:           faults_end(world, h->what); break;
    case HAP_RAFT_RUNG:           if (is_of_this_thread(world, h)) node_raft_rung(world, h->who); break;
    case HAP_RAFT_TICK:           if (is_of_this_thread(world, h)) raft_tick(world, h->who); break;
    case HAP_RAFT_BEAT:           if (is_of_this_thread(world, h)) raft_beat(world, h->who); break;
    case HAP_RAFT_DISK:           if (is_of_this_thread(world, h)) raft_disk_done(world, h->who); break;
    case HAP_RAFT_SENT:           if (is_of_this_thread(world, h)) raft_sent(world, h->who); break;
    case HAP_RAFT_TOLD:           if (is_of_this_thread(world, h)) raft_take_told(world, h->who); break;
    case HAP_RAFT_ARRIVES:        raft_arrives(world, h->what); break;
    }
}

static bool is_in_raft(const struct happening *h) { return h->kind >= HAP_RAFT_TICK && h->kind <= HAP_RAFT_ARRIVES; }

/* A thread that waits for its disk does the next thing when that is over. */
static bool is_thread_busy(struct world *world, const struct happening *h)
{
    if (!is_in_raft(h))
        return false;
    const int64_t until = raft_busy_until(world, h->kind == HAP_RAFT_ARRIVES ? raft_receiver(world, h->what) : h->who);
    if (until > world->now)
        happen(world, until, h->kind, h->who, h->what, h->life);
    return until > world->now;
}

static void world_step(struct world *world)
{
    const struct happening h = heap_pop(world);
    world->now = h.at;
    world->step += !is_in_raft(&h);                        /* a step is what the chair's side does */
    if (is_at_a_frozen_door(world, &h)) {
        assert(world->waiting_count < WAITING_MAX);
        world->waiting[world->waiting_count++] = h;
        return;
    }
    if (is_thread_busy(world, &h))
        return;
    dispatch(world, &h);
    if (!is_in_raft(&h))
        judge_step(world);
}

/* ---- one run ------------------------------------------------------------------------------------------------------- */

static void set_up_config(struct world *world, const struct script *script)
{
    struct config *c = &world->config;
    const bool is_quick = chance(world, 50);
    config_preset(c);
    TEXT_SET(c->backend_db, "mysql");
    c->backend_servers.count = 2;
    TEXT_SET(c->backend_servers.item[0], "db1=10.0.1.1:3306");
    TEXT_SET(c->backend_servers.item[1], "db2=10.0.1.2:3306");
    c->nodes.count = world->node_count;
    for (int i = 0; i < world->node_count; i++)
        TEXT_FORMAT(c->nodes.item[i], "fc%d=10.0.9.%d:3000/9377", i + 1, i + 1);
    c->haproxy_instances.count = SIM_PROXIES;
    TEXT_SET(c->haproxy_instances.item[0], "lb1=/run/lb1.sock");
    TEXT_SET(c->haproxy_instances.item[1], "lb2=/run/lb2.sock");
    c->hard_stop_seconds = chance(world, 50) ? 1 : 6;      /* the longer one outlasts terms and checks */
    c->move_limit_ms = 5000;
    c->yield_pause_ms = 3000;
    c->failback_after_seconds = chance(world, 20) ? 3 : 0;
    if (is_quick) {
        c->lease_ms = 1000;
        c->lease_renew_ms = 200;
        c->term_ms = 700;
        c->poll_ms = 100;
        c->probe_timeout_ms = 200;
    }
    c->raft_enabled = world_has_quorum(world);
    if (is_quick && c->raft_enabled)
        c->raft_election_ms = 200;
    if (c->raft_enabled && chance(world, 50))
        c->raft_snapshot_entries = 16;
    fleet_configure(world, c);
    if (script != NULL)
        script_configure(script, c);
    if (world->script.witness_count > 0) {
        world->witness_config = *c;
        TEXT_SET(world->witness_config.role, "witness");
        world->witness_config.backend_db[0] = '\0';
    }
}

/* Both closed, one open, both open (nobody has ever looked after them), or the first one down. */
static void set_up_servers(struct world *world)
{
    for (int i = 0; i < SIM_SERVERS; i++)
        server_init(&world->servers[i], i);
    const int64_t way = chance_between(world, 0, 9);
    world->servers[0].is_read_only = way != 6 && way != 8;
    world->servers[1].is_read_only = way != 7 && way != 8;
    if (way == 9)
        server_crash(world, 0, chance_between(world, 500000, 6000000));
    for (int i = 0; i < SIM_SERVERS; i++)
        happen(world, 1000 + i, HAP_SERVER_HEARS, i, 0, 0);
    tell(world, "sim", "seed %llu: %d nodes, %d of them witnesses, arbiter %s, db1 %s, db2 %s, lease %d ms", (unsigned long long)world->seed,
         world->node_count, world->script.witness_count,
         world_has_quorum(world) ? "quorum" : "local",
         way == 9 ? "down" : world->servers[0].is_read_only ? "closed" : "open",
         world->servers[1].is_read_only ? "closed" : "open", world->config.lease_ms);
}

/* How far clocks may differ in speed, each way: what LeaseDriftPercent promises, or three times that. */
static int64_t drift_ppm_of(const struct world *world, bool is_beyond)
{
    return (int64_t)world->config.drift_percent * 10000 * (is_beyond ? 3 : 1);
}

/* By a chance of its own, so that the other arbiter's story is the same with and without it. A majority needs three. */
static void set_up_arbiter(struct world *world, const struct run_options *options)
{
    struct fc_rng rng = { options->seed * UINT64_C(0x94d049bb133111eb) + 5 };
    const bool is_drawn = rng_below(&rng, 2) == 0, has_five = rng_below(&rng, 10) < 3;
    const uint64_t witness_percent = rng_below(&rng, 100), cluster_percent = rng_below(&rng, 100);
    world->script.count = world->script.setting_count = 0;
    world->script.has_quorum = options->script != NULL ? options->script->has_quorum
                               : options->arbiter == ARBITER_BY_CHANCE ? is_drawn : options->arbiter == ARBITER_QUORUM;
    if (world_has_quorum(world) && options->node_count == 0)
        world->node_count = has_five ? 5 : 3;
    else if (world_has_quorum(world) && world->node_count < 3)
        world->node_count = 3;
    world->script.has_cluster = options->script != NULL ? options->script->has_cluster : cluster_percent < CLUSTER_PERCENT;
    world->script.witness_count = 0;
    if (world_has_quorum(world) && options->script != NULL)
        world->script.witness_count = options->script->witness_count;
    else if (world_has_quorum(world))
        world->script.witness_count = witness_percent < WITNESS_PERCENT ? 1 + (world->node_count == 5 && witness_percent % 2 == 0) : 0;
}

static void set_up_script(struct world *world, const struct script *script)
{
    const bool has_quorum = world_has_quorum(world);
    const bool has_cluster = world->script.has_cluster;
    const int witness_count = world->script.witness_count;
    world->waiting_line = world->lines_begun = 0;
    world->line_begun_at = 0;
    world->is_line_scheduled = false;
    if (script != NULL)
        world->script = *script;
    world->script.seed = world->seed;
    world->script.node_count = world->node_count;
    world->script.has_quorum = has_quorum;
    world->script.witness_count = witness_count;
    world->script.has_cluster = has_cluster;
    for (int i = 0; i < world->script.count; i++) {
        if (world->script.lines[i].when.kind == WHEN_MOMENT)
            schedule_line(world, i, world->script.lines[i].when.us);
    }
}

static void set_up(struct world *world, const struct run_options *options, struct tally *tally)
{
    world->seed = options->seed;
    world->tally = tally;
    world->rng.state = options->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world->fault_rng.state = options->seed * UINT64_C(0xd1342543de82ef95) + 7;
    world->now = world->last_back_at = 0;
    world->step = world->fault_count = world->order_count = 0;
    world->seq = FAULTS_SEQ_BELOW;
    world->is_told = options->is_told;
    world->is_healed = world->is_broken = false;
    world->broken_rule = NULL;
    world->foreign_fresh = world->foreign_stale = 0;
    world->heap_count = world->waiting_count = world->ticket_count = world->undo_count = 0;
    memset(&world->net, 0, sizeof world->net);
    world->free_count = MESSAGES_MAX;
    for (int i = 0; i < MESSAGES_MAX; i++) {
        world->free_messages[i] = MESSAGES_MAX - 1 - i;
        world->messages[i].is_used = false;
    }
    story_begin(options->is_printed);
    const int drawn = (int)chance_between(world, 2, 3);      /* drawn in any case: the same seed is the same story */
    world->node_count = options->node_count > 0 ? options->node_count : drawn;
    set_up_arbiter(world, options);
    raft_world_begin(world);
    memset(world->nodes, 0, sizeof world->nodes);
    set_up_config(world, options->script);
    set_up_servers(world);
    fleet_init(world);
    for (int i = 0; i < SIM_PROXIES; i++)
        proxy_init(world, i);
    for (int i = 0; i < SIM_CLIENTS; i++)
        client_init(world, i);
    const int64_t drift_ppm = drift_ppm_of(world, options->is_beyond_drift);
    for (int i = 0; i < SIM_NODES_MAX; i++) {
        world->nodes[i].index = i;
        world->nodes[i].clock_offset = chance_between(world, 0, INT64_C(4000000000));
        world->nodes[i].clock_ppm = chance_between(world, -drift_ppm, drift_ppm);
        if (i < world->node_count)
            happen(world, chance_between(world, 0, 400000), HAP_NODE_START, i, 0, 0);
    }
    judge_init(world);
    set_up_script(world, options->script);
}

static void draw_line(struct world *world, struct fault fault)
{
    const struct when when = { WHEN_MOMENT, 0, world->now + 1 };
    if (world->script.count >= SCRIPT_LINES_MAX)
        return;
    script_add(&world->script, when, fault.kind, fault.a)->fault = fault;
    schedule_line(world, world->script.count - 1, when.us);
}

static void run_chance(struct world *world, uint64_t steps)
{
    const struct fault heal = { .kind = FAULT_HEAL, .a = -1, .b = -1, .expected = -1 };
    uint64_t next = 200;
    bool ends = false;
    if (world->script.has_cluster)
        steps *= CLUSTER_STEPS;
    while (!world->is_broken && !world->is_healed) {
        world_step(world);
        if (world->step >= steps && !ends) {
            draw_line(world, heal);
            ends = true;
        } else if (world->step >= next && !ends) {
            draw_line(world, fault_draw(world));
            if (rng_below(&world->fault_rng, 100) < ORDER_PERCENT)
                draw_line(world, order_draw(world));
            if (rng_below(&world->fault_rng, 100) < ORDER_PERCENT / 3)
                draw_line(world, order_draw(world));       /* two operators at one time */
            next = world->step + 30 + rng_below(&world->fault_rng, 100);
        }
    }
}

static bool is_played_out(const struct world *world)
{
    if (world->lines_begun < world->script.count)
        return false;
    for (int i = 0; i < world->undo_count; i++) {
        if (world->undo[i].is_due)
            return false;
    }
    return world->now > world->line_begun_at + PLAYED_OUT_US;
}

/* A script heals by its own line; a scene without one when everything it stages has begun and ended, or can begin no more. */
static void run_script(struct world *world)
{
    char why[160];
    bool has_heal = false;
    for (int i = 0; i < world->script.count; i++)
        has_heal = has_heal || world->script.lines[i].fault.kind == FAULT_HEAL;
    while (!world->is_broken && !world->is_healed) {
        world_step(world);
        line_is_due(world, WHEN_THEN, 0, world->line_begun_at);
        if (world->waiting_line < world->script.count && !world->is_line_scheduled &&
            world->script.lines[world->waiting_line].when.kind == WHEN_QUIET && judge_is_quiet(world, why, sizeof why))
            line_is_due(world, WHEN_QUIET, 0, world->now);
        if ((!has_heal && is_played_out(world)) || (world->now > world->line_begun_at + GIVE_UP_US && !has_heal))
            faults_heal_all(world);
    }
}

static void note_heal(struct world *world, int64_t took_us)
{
    struct tally *t = world->tally;
    const int64_t bucket = took_us < 0 ? 0 : took_us / 10000;
    t->heals[bucket < HEAL_BUCKETS ? bucket : HEAL_BUCKETS - 1]++;
    if (took_us > t->worst_heal_us) {
        t->worst_heal_us = took_us;
        t->worst_heal_seed = world->seed;
    }
}

/* The operators take their holds back. */
static void help(struct world *world, int turn)
{
    static const char *const orders[] = { "resume fc_backend", "ready fc_backend/db1", "ready fc_backend/db2" };
    order_give(world, (int)chance_between(world, 0, world->node_count - 1), orders[turn % 3], -1);
}

static void run_until_quiet(struct world *world)
{
    char why[160] = "";
    int64_t quiet_since = -1, sits_since = -1, healed_at = world->now, next_help = world->now + 500000;
    int help_count = 0;
    tell(world, "sim", "everything is healed");
    while (!world->is_broken) {
        world_step(world);
        if (world->last_back_at > healed_at)
            healed_at = world->last_back_at;               /* or when the last one killed is back */
        const bool is_quiet = judge_is_quiet(world, why, sizeof why);
        if (!is_quiet && !text_is(why, JUDGE_UNANSWERED) && !text_is(why, JUDGE_UNTOLD) && !text_is(why, JUDGE_CLUSTER))
            sits_since = -1;
        else if (sits_since < 0)
            sits_since = world->now;
        if (!is_quiet) {
            quiet_since = -1;
        } else if (quiet_since < 0) {
            quiet_since = world->now;
            for (int i = 0; i < SIM_SERVERS; i++)
                world->judge.acked_at_quiet[i] = world->servers[i].last_acked;
        } else if (world->now - quiet_since > QUIET_FOR_US) {
            break;
        }
        if (world->now - healed_at > HEAL_LIMIT_US)
            violate(world, "not quiet %lld s after the last fault: %s", (long long)(HEAL_LIMIT_US / 1000000), why);
        if (world->now >= next_help && quiet_since < 0) {
            next_help = world->now + 1000000;
            help(world, help_count++);
        }
    }
    if (!world->is_broken)
        note_heal(world, sits_since - healed_at);
}

static void count_up(struct world *world)
{
    struct tally *t = world->tally;
    t->seeds++;
    t->steps += world->step;
    t->faults += world->fault_count;
    t->violations += world->is_broken;
    t->handovers += world->judge.handovers;
    t->orders += world->order_count;
    t->not_staged += !world->is_broken && world->lines_begun < world->script.count;
    for (int i = 0; i < SIM_SERVERS; i++)
        t->acked += world->servers[i].acked;
    if (world->judge.longest_overlap_us > t->longest_overlap_us)
        t->longest_overlap_us = world->judge.longest_overlap_us;
}

bool world_run(struct world *world, const struct run_options *options, struct tally *tally)
{
    set_up(world, options, tally);
    if (options->script != NULL)
        run_script(world);
    else
        run_chance(world, options->steps);
    if (!world->is_broken)
        run_until_quiet(world);
    if (!world->is_broken)
        judge_end(world);
    count_up(world);
    for (int i = 0; i < SIM_NODES_MAX; i++)
        node_free(&world->nodes[i]);
    raft_world_end(world);
    return !world->is_broken;
}
