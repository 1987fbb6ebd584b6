/* Each fault: how it begins, how it ends. What ends by itself is undone by a happening, or all at once when everything heals. */
#include "sim/faults.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

#define BACK_AFTER_US 500000         /* of who is killed without a word for how long */

static struct sim_node *node_of(struct world *world, int party)
{
    return party >= 0 && party < world->node_count ? &world->nodes[party] : NULL;
}

static struct sim_server *server_of(struct world *world, int party)
{
    return party_is_server(party) ? &world->servers[party - SIM_NODES_MAX] : NULL;
}

static struct sim_proxy *proxy_of(struct world *world, int party)
{
    return party_is_proxy(party) ? &world->proxies[party - SIM_NODES_MAX - SIM_SERVERS] : NULL;
}

/* ---- who that is ---------------------------------------------------------------------------------------------------------- */

static int leader_of(const struct world *world)
{
    for (int i = 0; i < world->node_count; i++) {
        if (node_may_act(world, i))
            return i;
    }
    return 0;
}

static int follower_of(const struct world *world)
{
    const int leader = leader_of(world);
    return leader == 0 ? 1 : 0;
}

static int seated_of(const struct world *world)
{
    const int newer = rank_compare(&world->servers[0].row.rank, &world->servers[1].row.rank) >= 0 ? 0 : 1;
    return text_is(world->servers[newer].row.rank.server, world->servers[1].identity) ? 1 : 0;
}

int party_resolve(const struct world *world, int party)
{
    switch (party) {
    case ROLE_LEADER:   return party_node(leader_of(world));
    case ROLE_FOLLOWER: return party_node(follower_of(world));
    case ROLE_SEATED:   return party_server(seated_of(world));
    case ROLE_WITNESS:  return party_node(world->node_count - 1);
    case ROLE_OTHER:    return party_server(1 - seated_of(world));
    default:            return party;
    }
}

/* ---- processes -------------------------------------------------------------------------------------------------------------- */

static void begin_kill(struct world *world, const struct fault *f)
{
    const int64_t back_us = f->for_us > 0 ? f->for_us : BACK_AFTER_US;
    if (party_is_member(f->a)) {
        fleet_kill(world, member_of_party(f->a), back_us);
    } else if (party_is_server(f->a)) {
        server_crash(world, f->a - SIM_NODES_MAX, back_us);
    } else if (party_is_proxy(f->a)) {
        proxy_kill(world, proxy_of(world, f->a)->index, back_us);
    } else if (node_of(world, f->a) != NULL && world->nodes[f->a].is_up) {
        tell(world, party_name(f->a), "is killed");
        node_kill(world, f->a);
        happen(world, world->now + back_us, HAP_NODE_START, f->a, 0, 0);
    }
}

static void begin_stop(struct world *world, const struct fault *f)
{
    struct sim_node *n = node_of(world, f->a);
    if (n == NULL || !n->is_up || n->is_frozen)
        return;
    tell(world, party_name(f->a), "is asked to stop");
    node_stop(world, f->a);                                /* it comes back some time after it has stopped */
}

static void set_frozen(struct world *world, int party, bool is_frozen)
{
    if (party_is_member(party) && world->fleet[member_of_party(party)].is_up)
        world->fleet[member_of_party(party)].is_frozen = is_frozen;
    if (party_is_server(party) && server_of(world, party)->is_up)
        server_of(world, party)->is_frozen = is_frozen;
    else if (party_is_proxy(party) && proxy_of(world, party)->is_up)
        proxy_of(world, party)->is_frozen = is_frozen;
    else if (node_of(world, party) != NULL && world->nodes[party].is_up)
        world->nodes[party].is_frozen = is_frozen;
    if (party_is_proxy(party) && !is_frozen)
        proxy_of(world, party)->disturbed_at = world->now;
}

static void begin_freeze(struct world *world, const struct fault *f)
{
    set_frozen(world, f->a, true);
    tell(world, party_name(f->a), "freezes");
}

static void end_freeze(struct world *world, const struct fault *f)
{
    set_frozen(world, f->a, false);
    tell(world, party_name(f->a), "thaws");
    world_thaw(world);
}

/* The whole machine sleeps: its clock goes on, its connections do not. */
static void end_suspend(struct world *world, const struct fault *f)
{
    if (node_of(world, f->a) != NULL)
        node_lose_results(world, f->a);
    end_freeze(world, f);
}

/* ---- links ------------------------------------------------------------------------------------------------------------------ */

static bool is_there(const struct world *world, int party)
{
    return party_is_member(party) ? world->script.has_cluster : party >= SIM_NODES_MAX || party < world->node_count;
}

static void isolate(struct world *world, int party, int by)
{
    for (int i = 0; i < SIM_PARTIES; i++) {
        if (i != party && is_there(world, i)) {
            net_cut(&world->net, party, i, by);
            net_cut(&world->net, i, party, by);
        }
    }
}

static void begin_isolate(struct world *world, const struct fault *f) { isolate(world, f->a, 1); }
static void end_isolate(struct world *world, const struct fault *f) { isolate(world, f->a, -1); }

static void cut(struct world *world, const struct fault *f, int by)
{
    net_cut(&world->net, f->a, f->b, by);
    if (f->kind == FAULT_CUT)
        net_cut(&world->net, f->b, f->a, by);
}

static void begin_cut(struct world *world, const struct fault *f) { cut(world, f, 1); }
static void end_cut(struct world *world, const struct fault *f) { cut(world, f, -1); }

/* Everybody on one side is cut off from everybody on the other, or in one direction only: nothing leaves this side, or nothing comes in. */
static void split(struct world *world, const struct fault *f, int by)
{
    for (int a = 0; a < SIM_PARTIES; a++) {
        for (int b = 0; b < SIM_PARTIES; b++) {
            const bool leaves = (f->amount >> a & 1) != 0 && (f->amount >> b & 1) == 0;
            const bool comes = (f->amount >> a & 1) == 0 && (f->amount >> b & 1) != 0;
            if ((leaves && f->kind != FAULT_SPLIT_IN) || (comes && f->kind != FAULT_SPLIT_OUT))
                net_cut(&world->net, a, b, by);
        }
    }
}

static void begin_split(struct world *world, const struct fault *f) { split(world, f, 1); }
static void end_split(struct world *world, const struct fault *f) { split(world, f, -1); }

int fault_side(const char *text)
{
    int side = 0;
    while (*text != '\0') {
        char name[16];
        const size_t length = strcspn(text, ",");
        TEXT_FORMAT(name, "%.*s", (int)length, text);
        const int party = party_of_name(name);
        if (party < 0 || party >= ROLE_NODES)
            return -1;
        side |= 1 << party;
        text += length + (text[length] == ',');
    }
    return side;
}

/* With the roles as the parties that they are now. */
static int64_t side_now(const struct world *world, const char *text)
{
    const int named = fault_side(text);
    int64_t side = 0;
    for (int i = 0; i < ROLE_NODES; i++) {
        if ((named >> i & 1) != 0)
            side |= INT64_C(1) << party_resolve(world, i);
    }
    return side;
}

static void begin_late(struct world *world, const struct fault *f) { world->net.late_us[f->a][f->b] += f->amount * 1000; }
static void end_late(struct world *world, const struct fault *f) { world->net.late_us[f->a][f->b] -= f->amount * 1000; }

static void begin_refuse(struct world *world, const struct fault *f)
{
    struct sim_node *n = node_of(world, f->a);
    net_refuse(&world->net, f->a, f->b, 1);
    if (n != NULL && n->is_up && party_is_server(f->b))
        happen(world, world->now + net_delay_us(world), HAP_NODE_SESSION_ENDED, f->a, f->b - SIM_NODES_MAX, n->life);
}

static void end_refuse(struct world *world, const struct fault *f) { net_refuse(&world->net, f->a, f->b, -1); }

/* ---- servers ------------------------------------------------------------------------------------------------------------------ */

static void begin_apply_slowly(struct world *world, const struct fault *f) { server_of(world, f->a)->replica.slow_us = f->amount * 1000; }
static void end_apply_slowly(struct world *world, const struct fault *f) { server_of(world, f->a)->replica.slow_us = 0; }

static void set_apply_not(struct world *world, const struct fault *f, bool is_stopped)
{
    *(party_is_member(f->a) ? &world->fleet[member_of_party(f->a)].is_sql_stopped : &server_of(world, f->a)->replica.is_sql_stopped) = is_stopped;
}

static void begin_apply_not(struct world *world, const struct fault *f) { set_apply_not(world, f, true); }
static void end_apply_not(struct world *world, const struct fault *f) { set_apply_not(world, f, false); }

static void begin_open(struct world *world, const struct fault *f)
{
    if (party_is_member(f->a)) {
        fleet_set_read_only(world, member_of_party(f->a), false);
        return;
    }
    struct sim_server *s = server_of(world, f->a);
    if (!s->is_up || s->is_frozen || !s->is_read_only)
        return;
    s->is_read_only = false;
    judge_opened_by_hand(world, s->index);
    tell(world, SERVER_NAME(s->index), "is opened by hand");
}

static void begin_close(struct world *world, const struct fault *f)
{
    if (party_is_member(f->a)) {
        fleet_set_read_only(world, member_of_party(f->a), true);
        return;
    }
    struct sim_server *s = server_of(world, f->a);
    if (!s->is_up || s->is_frozen)
        return;
    s->is_read_only = true;
    s->kill_count++;
    judge_closed(world, s->index);
    tell(world, SERVER_NAME(s->index), "is closed by hand");
}

static void begin_fetch_not(struct world *world, const struct fault *f)
{
    struct sim_replica *r = &server_of(world, f->a)->replica;
    server_of(world, f->a)->under_way[FAULT_FETCH_NOT]++;
    r->is_io_stopped = true;
    r->is_io_running = r->is_connecting = r->is_refused = false;
}

static void end_fetch_not(struct world *world, const struct fault *f)
{
    struct sim_replica *r = &server_of(world, f->a)->replica;
    if (--server_of(world, f->a)->under_way[FAULT_FETCH_NOT] > 0)
        return;
    r->is_io_stopped = false;
    r->is_connecting = true;
    r->silent_since = -1;
}

/* A privilege is read at the login: who has a session keeps what it had, so the sessions end with the grant. */
static void begin_count(struct world *world, const struct fault *f) { server_of(world, f->a)->under_way[f->kind]++; }
static void end_count(struct world *world, const struct fault *f) { server_of(world, f->a)->under_way[f->kind]--; }

static void begin_replay(struct world *world, const struct fault *f)
{
    if (server_of(world, f->a)->is_up)
        server_replay(world, f->a - SIM_NODES_MAX, f->b - SIM_NODES_MAX, (int)(f->amount < 0 ? -f->amount : f->amount), f->amount < 0);
}

static void begin_lose_row(struct world *world, const struct fault *f)
{
    memset(&server_of(world, f->a)->row, 0, sizeof server_of(world, f->a)->row);
    judge_row_lost(world, server_of(world, f->a)->index);
}

/* Raft did not always decide here: what another arbiter left in this table is higher than anything that raft knows. */
static void begin_other_row(struct world *world, const struct fault *f)
{
    struct decision *row = &server_of(world, f->a)->row;
    row->rank.epoch += (uint64_t)(f->amount < 1 ? 1 : f->amount);
    row->rank.seq = 0;
    row->phase = PHASE_SEATED;
    row->successor[0] = '\0';
    row->intent_id = 0;
    TEXT_SET(row->rank.node, OTHER_ARBITER);
}

static void begin_foreign(struct world *world, const struct fault *f) { ++*(f->kind == FAULT_FOREIGN_FRESH ? &world->foreign_fresh : &world->foreign_stale); }
static void end_foreign(struct world *world, const struct fault *f) { --*(f->kind == FAULT_FOREIGN_FRESH ? &world->foreign_fresh : &world->foreign_stale); }

/* ---- proxies, clocks, threads --------------------------------------------------------------------------------------------------- */

/* Its checks and polls reach nobody, as behind a firewall that lets only its runtime socket through. */
static void begin_deaf(struct world *world, const struct fault *f) { proxy_of(world, f->a)->deaf++; }
static void end_deaf(struct world *world, const struct fault *f) { proxy_of(world, f->a)->deaf--; }

static bool is_node_and_proxy(const struct world *world, const struct fault *f)
{
    return f->a >= 0 && f->a < world->node_count && party_is_proxy(f->b);
}

static void begin_last_answer(struct world *world, const struct fault *f)
{
    if (is_node_and_proxy(world, f))
        world->nodes[f->a].last_answer[proxy_of(world, f->b)->index]++;
}

static void end_last_answer(struct world *world, const struct fault *f)
{
    if (!is_node_and_proxy(world, f))
        return;
    int *cut = &world->nodes[f->a].cut_by_answer[proxy_of(world, f->b)->index];
    world->nodes[f->a].last_answer[proxy_of(world, f->b)->index]--;
    if (*cut > 0) {
        net_cut(&world->net, f->a, f->b, -1);
        net_cut(&world->net, f->b, f->a, -1);
        --*cut;
    }
}

static void begin_late_looks(struct world *world, const struct fault *f) { server_of(world, f->a)->late_looks_us += f->amount * 1000; }
static void end_late_looks(struct world *world, const struct fault *f) { server_of(world, f->a)->late_looks_us -= f->amount * 1000; }

static void begin_late_deeds(struct world *world, const struct fault *f) { server_of(world, f->a)->late_deeds_us += f->amount * 1000; }
static void end_late_deeds(struct world *world, const struct fault *f) { server_of(world, f->a)->late_deeds_us -= f->amount * 1000; }

static void begin_lack(struct world *world, const struct fault *f)
{
    if (proxy_of(world, f->a) != NULL && party_is_server(f->b))
        proxy_of(world, f->a)->lacks[server_of(world, f->b)->index]++;
}

static void end_lack(struct world *world, const struct fault *f)
{
    if (proxy_of(world, f->a) != NULL && party_is_server(f->b))
        proxy_of(world, f->a)->lacks[server_of(world, f->b)->index]--;
}

static void begin_reload(struct world *world, const struct fault *f) { proxy_reload(world, proxy_of(world, f->a)->index); }

/* ---- raft ------------------------------------------------------------------------------------------------------------------------- */

static void begin_mangle(struct world *world, const struct fault *f) { world->raft.mangle_percent += (int)f->amount; }
static void end_mangle(struct world *world, const struct fault *f) { world->raft.mangle_percent -= (int)f->amount; }

static void begin_raft_stands(struct world *world, const struct fault *f)
{
    if (node_of(world, f->a) != NULL)
        world->raft.rafts[f->a].stands_still++;
}

static void end_raft_stands(struct world *world, const struct fault *f)
{
    if (node_of(world, f->a) != NULL)
        world->raft.rafts[f->a].stands_still--;
    world_thaw(world);
}

/* ---- a managed cluster, changed by somebody ------------------------------------------------------------------------------------- */

static void begin_failover(struct world *world, const struct fault *f)
{
    if (party_is_member(f->a) && world->script.has_cluster)
        fleet_failover(world, member_of_party(f->a), (enum failover_way)((f->amount < 0 ? 0 : f->amount) % FAILOVER_WAYS));
}

static void set_behind(struct world *world, const struct fault *f, int64_t seconds)
{
    if (party_is_member(f->a))
        world->fleet[member_of_party(f->a)].behind_s = seconds;
}

static void begin_behind(struct world *world, const struct fault *f) { set_behind(world, f, f->amount); }
static void end_behind(struct world *world, const struct fault *f) { set_behind(world, f, 0); }

static void begin_drift(struct world *world, const struct fault *f)
{
    if (node_of(world, f->a) != NULL)
        node_clock_speed(world, f->a, f->amount);
}

static void begin_step_clock(struct world *world, const struct fault *f)
{
    if (node_of(world, f->a) != NULL)
        world->nodes[f->a].wall_offset_ms += f->amount;
}

static void end_step_clock(struct world *world, const struct fault *f)
{
    if (node_of(world, f->a) != NULL)
        world->nodes[f->a].wall_offset_ms -= f->amount;
}

static void begin_freeze_before_send(struct world *world, const struct fault *f)
{
    struct sim_node *n = node_of(world, f->a);
    if (n == NULL || !n->is_up || n->is_frozen)
        return;
    n->freezes_before = (int)f->amount;
    n->freezes_before_send_us = f->for_us > 0 ? f->for_us : BACK_AFTER_US;
}

static void end_freeze_before_send(struct world *world, const struct fault *f)
{
    if (node_of(world, f->a) != NULL)
        world->nodes[f->a].freezes_before_send_us = 0;
}

static void begin_freeze_before_deed(struct world *world, const struct fault *f)
{
    struct sim_node *n = node_of(world, f->a);
    if (n == NULL || !n->is_up || n->is_frozen)
        return;
    n->freezes_before_effect = (int)f->amount;
    n->freezes_before_deed_us = f->for_us > 0 ? f->for_us : BACK_AFTER_US;
}

static void end_freeze_before_deed(struct world *world, const struct fault *f)
{
    if (node_of(world, f->a) != NULL)
        world->nodes[f->a].freezes_before_deed_us = 0;
}

/* ---- orders --------------------------------------------------------------------------------------------------------------------- */

void order_give(struct world *world, int node, const char *text, int expected)
{
    if (world->ticket_count == TICKETS_MAX || !world->nodes[node].is_up || world->nodes[node].is_frozen)
        return;
    struct ticket *ticket = &world->tickets[world->ticket_count++];
    *ticket = (struct ticket){ .node = node, .life = world->nodes[node].life, .at = world->now, .expected = expected };
    TEXT_SET(ticket->text, text);
    tell(world, party_name(party_node(node)), "is ordered `%s`", text);
    node_order(world, node, ticket->text, (uint64_t)world->ticket_count);
}

/* The words `seated` and `other` stand for the servers that they are at this moment. */
static void begin_order(struct world *world, const struct fault *f)
{
    static const struct { const char *word; int role; } places[] = { { "seated", ROLE_SEATED }, { "other", ROLE_OTHER } };
    char text[sizeof f->text];
    TEXT_SET(text, f->text);
    for (int i = 0; i < 2; i++) {
        char *at = strstr(text, places[i].word), rest[sizeof text];
        if (at == NULL)
            continue;
        TEXT_SET(rest, at + strlen(places[i].word));
        TEXT_FORMAT(text, "%.*s%s%s", (int)(at - text), f->text, party_name(party_resolve(world, places[i].role)), rest);
    }
    if (node_of(world, f->a) != NULL)
        order_give(world, f->a, text, f->expected);
}

static void begin_heal(struct world *world, const struct fault *f)
{
    (void)f;
    faults_heal_all(world);
}

/* ---- the table -------------------------------------------------------------------------------------------------------------------- */

const struct fault_row fault_rows[FAULT_KIND_COUNT] = {
    [FAULT_KILL]          = { "kill", "ad", 26, begin_kill, NULL, "the process dies at once and is started again" },
    [FAULT_STOP]          = { "stop", "a", 3, begin_stop, NULL, "a node is asked to stop" },
    [FAULT_FREEZE]        = { "freeze", "ad", 16, begin_freeze, end_freeze, "nothing runs; what arrives waits" },
    [FAULT_SUSPEND]       = { "suspend", "ad", 3, begin_freeze, end_suspend, "a node's machine sleeps; its connections are gone" },
    [FAULT_ISOLATE]       = { "isolate", "ad", 6, begin_isolate, end_isolate, "cut from everybody" },
    [FAULT_CUT]           = { "cut", "abd", 9, begin_cut, end_cut, "nothing passes between two" },
    [FAULT_CUT_ONE_WAY]   = { "cut-one-way", "abd", 6, begin_cut, end_cut, "nothing passes from one to the other" },
    [FAULT_LATE]          = { "late", "abnd", 4, begin_late, end_late, "what passes from one to the other takes so many ms" },
    [FAULT_APPLY_SLOWLY]  = { "apply-slowly", "and", 4, begin_apply_slowly, end_apply_slowly, "each statement takes so many ms" },
    [FAULT_APPLY_NOT]     = { "apply-not", "ad", 3, begin_apply_not, end_apply_not, "the SQL thread is stopped" },
    [FAULT_FETCH_NOT]     = { "fetch-not", "ad", 2, begin_fetch_not, end_fetch_not, "the IO thread is stopped" },
    [FAULT_RELOAD]        = { "reload", "a", 4, begin_reload, NULL, "the old process keeps its sessions and asks nobody" },
    [FAULT_OPEN]          = { "open", "a", 1, begin_open, NULL, "by hand: read_only off" },
    [FAULT_CLOSE]         = { "close", "a", 1, begin_close, NULL, "by hand: read_only on" },
    [FAULT_BOOT_WRITABLE] = { "boot-writable", "ad", 1, begin_count, end_count, "started meanwhile, it comes back writable" },
    [FAULT_DISK_FULL]     = { "disk-full", "ad", 2, begin_count, end_count, "what writes fails, what reads goes well" },
    [FAULT_FENCE_DENIED]  = { "fence-denied", "ad", 1, begin_count, end_count, "the fence account lacks a privilege" },
    [FAULT_LOOK_DENIED]   = { "look-denied", "ad", 1, begin_count, end_count, "the store account is refused" },
    [FAULT_SUPER]         = { "super", "ad", 1, begin_count, end_count, "the store account is above read_only" },
    [FAULT_FOREIGN_FRESH] = { "foreign-fresh", "d", 1, begin_foreign, end_foreign, "a living foreign owner of active_node" },
    [FAULT_FOREIGN_STALE] = { "foreign-stale", "d", 1, begin_foreign, end_foreign, "a dead foreign owner of active_node" },
    [FAULT_REPLAY]        = { "replay", "abn", 2, begin_replay, NULL, "so many old decision rows of the second again on the first; < 0: newest first" },
    [FAULT_LOSE_ROW]      = { "lose-row", "a", 0, begin_lose_row, NULL, "the deciding row is the lowest again" },
    [FAULT_OTHER_ROW]     = { "other-row", "an", 0, begin_other_row, NULL, "a row of another arbiter stands there, so many epochs higher" },
    [FAULT_DRIFT]         = { "drift", "an", 2, begin_drift, NULL, "a node's clock runs so many ppm too fast" },
    [FAULT_STEP_CLOCK]    = { "step-clock", "and", 2, begin_step_clock, end_step_clock, "a node's wall clock is off by so many ms" },
    [FAULT_FREEZE_BEFORE_SEND] = { "freeze-before-send", "and", 4, begin_freeze_before_send, end_freeze_before_send,
                                   "between check and send of its next deed of this number (enum store_deed)" },
    [FAULT_FREEZE_BEFORE_DEED] = { "freeze-before-deed", "and", 4, begin_freeze_before_deed, end_freeze_before_deed,
                                   "between its next decision of this number (enum effect_type) and the deed" },
    [FAULT_REFUSE]        = { "refuse", "abd", 2, begin_refuse, end_refuse, "a firewall refuses a node's connections to a server and resets them" },
    [FAULT_DEAF]          = { "deaf", "ad", 0, begin_deaf, end_deaf, "an HAProxy's polls and checks reach no node; its runtime socket answers" },
    [FAULT_LAST_ANSWER]   = { "last-answer", "abd", 0, begin_last_answer, end_last_answer,
                              "a node's next answer about the server in use is lost on its way to an HAProxy, and the link with it" },
    [FAULT_LACK]          = { "lack", "abd", 0, begin_lack, end_lack, "an HAProxy was started without this server in its file" },
    [FAULT_LATE_LOOKS]    = { "late-looks", "and", 0, begin_late_looks, end_late_looks, "what a server shows takes so many ms longer than what it does" },
    [FAULT_LATE_DEEDS]    = { "late-deeds", "and", 0, begin_late_deeds, end_late_deeds, "a fence, a catch-up, an opening begins so many ms later" },
    [FAULT_SPLIT]         = { "split", "sd", 0, begin_split, end_split, "these parties on one side, all others on the other" },
    [FAULT_SPLIT_OUT]     = { "split-out", "sd", 0, begin_split, end_split, "nothing passes from these parties to the others" },
    [FAULT_SPLIT_IN]      = { "split-in", "sd", 0, begin_split, end_split, "nothing passes from the others to these parties" },
    [FAULT_MANGLE]        = { "mangle", "nd", 0, begin_mangle, end_mangle, "so many percent of raft's frames are lost, doubled, overtaken" },
    [FAULT_RAFT_STANDS]   = { "raft-stands", "ad", 0, begin_raft_stands, end_raft_stands, "a node's thread of raft waits for its disk" },
    [FAULT_FAILOVER]      = { "failover", "an", 0, begin_failover, NULL,
                              "somebody promotes a server of the managed cluster: 0 clean, 1 opens it first, 2 leaves the old one open, 3 moves no replica" },
    [FAULT_BEHIND]        = { "behind", "and", 0, begin_behind, end_behind, "a replica of the managed cluster is so many seconds behind" },
    [FAULT_ORDER]         = { "order", "at", 0, begin_order, NULL, "an operator's order at a node's door" },
    [FAULT_HEAL]          = { "heal", "", 0, begin_heal, NULL, "everything ends; nothing goes wrong any more" },
};

/* ---- beginning and ending ---------------------------------------------------------------------------------------------------------- */

static void begin_one(struct world *world, const struct fault *fault)
{
    const struct fault_row *row = &fault_rows[fault->kind];
    if (row->end != NULL) {
        assert(world->undo_count < UNDO_MAX);
        world->undo[world->undo_count] = (struct undo){ true, *fault };
        happen(world, world->now + (fault->for_us > 0 ? fault->for_us : BACK_AFTER_US), HAP_FAULT_END, 0, world->undo_count++, 0);
    }
    row->begin(world, fault);
}

void fault_begin(struct world *world, const struct fault *fault)
{
    struct fault f = *fault;
    f.a = party_resolve(world, fault->a);
    f.b = party_resolve(world, fault->b);
    if (f.kind == FAULT_SPLIT || f.kind == FAULT_SPLIT_OUT || f.kind == FAULT_SPLIT_IN)
        f.amount = side_now(world, f.text);
    if (f.a < ROLE_NODES) {
        begin_one(world, &f);
        return;
    }
    for (int i = 0; i < (fault->a == ROLE_NODES ? SIM_NODES_MAX : SIM_PARTIES); i++) {
        f.a = i;
        if (is_there(world, i))
            begin_one(world, &f);
    }
}

void faults_end(struct world *world, int place)
{
    struct undo *u = &world->undo[place];
    char text[256];
    if (!u->is_due)
        return;
    u->is_due = false;
    const struct script_line line = { { WHEN_MOMENT, 0, world->now }, u->fault };
    script_line_text(&line, text, sizeof text);
    tell(world, "sim", "ends: %s", text);
    fault_rows[u->fault.kind].end(world, &u->fault);
}

void faults_heal_all(struct world *world)
{
    for (int i = 0; i < world->undo_count; i++)
        faults_end(world, i);
    fleet_heal(world);
    world->is_healed = true;
}
