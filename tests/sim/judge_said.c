/* The rules of what is said. */
#include "sim/judge_said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

#define LOOK_EVERY_US 100000
#define DRIFT_MOST_US 6000000        /* read, borne, pushed at most every two seconds: no HAProxy contradicts for so long */
#define TOLD_ALL INT64_MAX           /* "at least": the log could not be read */

static const char *name_of(int node) { return party_name(party_node(node)); }

void judge_said_init(struct judge_said *said)
{
    memset(said, 0, sizeof *said);
    for (int i = 0; i < SIM_PROXIES; i++)
        said->contradicts_since[i] = -1;
    for (int i = 0; i < SIM_SERVERS; i++)
        said->alone_from[i] = -1;
}

static struct judged_sayings *sayings(struct world *world, int node)
{
    struct judged_sayings *s = &world->judge.said.nodes[node];
    if (s->life != world->nodes[node].life)
        *s = (struct judged_sayings){ .life = world->nodes[node].life };
    return s;
}

/* ---- what an HAProxy shows --------------------------------------------------------------------------------------------------- */

/* One sentence begins a trouble, another ends it; neither is said twice in a row. */
static void follow(struct world *world, int node, int proxy, bool *is_said, bool begins, bool ends, const char *what)
{
    if ((begins && *is_said) || (ends && !*is_said))
        violate(world, "%s says again that %s %s", name_of(node), world->proxies[proxy].name, what);
    *is_said = begins || (*is_said && !ends);
}

void judge_note(struct world *world, int node, const char *subject, const char *text)
{
    struct judged_sayings *s = sayings(world, node);
    for (int i = 0; i < SIM_PROXIES; i++) {
        if (!text_is(world->proxies[i].name, subject))
            continue;
        follow(world, node, i, &s->is_lost[i], text_begins(text, "its runtime socket does not answer"),
               text_begins(text, "its runtime socket answers again"), "is out of sight, or back");
        follow(world, node, i, &s->lacks[i], text_begins(text, "it does not know ") || text_begins(text, "it has no backend "),
               text_begins(text, "it knows every server"), "lacks a server, or has it");
    }
}

void judge_view(struct world *world, int node, const struct event *event)
{
    const struct judged_sayings *s = sayings(world, node);
    const bool is_lost = event->type == PROXY_LOST;
    const int proxy = is_lost ? event->as.proxy_lost.proxy : event->as.proxy.proxy;
    if (s->is_lost[proxy] != is_lost)
        violate(world, "%s %s %s and does not say so", name_of(node), is_lost ? "has lost" : "sees again", world->proxies[proxy].name);
    if (!is_lost && node_may_act(world, node) && s->lacks[proxy] != (event->as.proxy.count < SIM_SERVERS))
        violate(world, "%s sees that %s %s, leads, and does not say so", name_of(node), world->proxies[proxy].name,
                s->lacks[proxy] ? "lacks nothing any more" : "lacks a server");
}

/* ---- an HAProxy that contradicts the board ------------------------------------------------------------------------------------ */

/* The one who leads, if the world lets it read this HAProxy and push it; -1 otherwise. */
static int who_could_push(const struct world *world, int proxy)
{
    const struct sim_proxy *p = &world->proxies[proxy];
    int leader = -1;
    for (int i = 0; i < world->node_count; i++) {
        if (!node_may_act(world, i))
            continue;
        if (leader >= 0)
            return -1;
        leader = i;
    }
    const bool could = leader >= 0 && !world->nodes[leader].is_frozen && p->is_up && !p->is_frozen && p->lacks[0] + p->lacks[1] == 0 &&
                       net_talks(&world->net, party_node(leader), party_proxy(proxy)) && world->config.haproxy_push &&
                       world->config.haproxy_poll_ms <= 500;
    return could ? leader : -1;
}

static bool contradicts(struct world *world, int node, int proxy)
{
    const int words = node_words(world, node);
    for (int i = 0; i < SIM_SERVERS; i++) {
        const int word = words >> (2 * i) & 3;
        if ((word == 1 && !proxy_offers(&world->proxies[proxy], i)) || (word == 2 && proxy_offers(&world->proxies[proxy], i)))
            return true;
    }
    return false;
}

void judge_drift(struct world *world)
{
    struct judge_said *said = &world->judge.said;
    if (world->now - said->looked_at < LOOK_EVERY_US)
        return;
    said->looked_at = world->now;
    for (int i = 0; i < SIM_PROXIES; i++) {
        const int leader = who_could_push(world, i);
        if (leader < 0 || leader != said->leader[i] || !contradicts(world, leader, i))
            said->contradicts_since[i] = -1;
        else if (said->contradicts_since[i] < 0)
            said->contradicts_since[i] = world->now;
        else if (world->now - said->contradicts_since[i] > DRIFT_MOST_US)
            violate(world, "%s has contradicted the board of %s for %lld ms, and nobody pushes it", world->proxies[i].name,
                    name_of(leader), (long long)((world->now - said->contradicts_since[i]) / 1000));
        said->leader[i] = leader;
    }
}

/* ---- what was written alone ----------------------------------------------------------------------------------------------------- */

void judge_left_alone(struct world *world, int old)
{
    world->judge.said.alone_from[old] = world->servers[1 - old].replica.read;
    world->judge.said.alone_told[old] = -1;
}

/* Is the seated one marked as seated beside it, unfenced? */
static bool is_left_alone(const struct world *world, int old)
{
    const struct sim_server *seated = &world->servers[1 - old];
    return world->judge.said.alone_from[old] >= 0 && strstr(seated->row.mark, "unfenced") != NULL &&
           text_is(seated->row.rank.server, seated->identity);
}

/* What is told is all that it took: it is closed by then. */
static void judge_is_closed(struct world *world, int old)
{
    const struct sim_server *s = &world->servers[old];
    if (is_left_alone(world, old) && s->is_up && !s->is_read_only && !world->judge.is_by_hand[old])
        violate(world, "it is told what %s took alone, which still takes writes", SERVER_NAME(old));
}

void judge_record(struct world *world, const char *kind, const char *text)
{
    if (!text_is(kind, "alone"))
        return;
    for (int i = 0; i < SIM_SERVERS; i++) {
        const char *took = strstr(text, " took ");
        if (!text_begins(text, SERVER_NAME(i)) || took == NULL)
            continue;
        const int64_t count = strtoll(took + strlen(" took "), NULL, 10);      /* "no write": 0 */
        const int64_t told = strstr(text, "at least") != NULL ? TOLD_ALL : count;
        if (told > world->judge.said.alone_told[i])
            world->judge.said.alone_told[i] = told;
        judge_is_closed(world, i);
    }
}

bool judge_is_told(const struct world *world)
{
    for (int old = 0; old < SIM_SERVERS; old++) {
        const struct sim_server *s = &world->servers[old];
        int64_t count = 0;
        if (!is_left_alone(world, old))
            continue;
        for (int i = world->judge.said.alone_from[old]; i < s->log_count; i++)
            count += s->log[i].kind == STMT_APP;
        if (count > 0 && world->judge.said.alone_told[old] < count)
            return false;
    }
    return true;
}
