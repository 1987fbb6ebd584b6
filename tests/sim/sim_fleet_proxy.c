/* HAProxy and the pools of a managed cluster, as `firstchair haproxy-config` prints them: agent polls and the writers' token checks go to the
 * node that leads, each node is asked whether it does; writers are `disabled` at the start and cut off when they are marked down; readers
 * have a plain check of the server itself, which is left out here: what is judged of them is what they are told. */
#include <string.h>

#include "base/text.h"
#include "sim/judge_fleet.h"
#include "sim/sim_fleet.h"
#include "sim/world.h"

#define RELAY_FALL 2
#define POLLED_EVERY_US 200000

static const char *const pool_names[FLEET_POOLS] = { FLEET_WRITERS, FLEET_READERS };

static bool is_usable(const struct sim_proxy_server *s) { return !s->is_maint && s->is_agent_up && s->is_health_up; }

bool fleet_proxy_offers(const struct sim_proxy *p, enum fleet_pool pool, int member)
{
    return p->is_up && !p->is_frozen && is_usable(&p->members[pool][member]);
}

void fleet_proxy_init(struct world *world, struct sim_proxy *p)
{
    (void)world;
    for (int i = 0; i < SIM_MEMBERS; i++) {
        p->members[POOL_OF_WRITERS][i] = (struct sim_proxy_server){ .is_maint = true, .is_saved_maint = true, .is_agent_up = true, .is_health_up = true };
        p->members[POOL_OF_READERS][i] = (struct sim_proxy_server){ .is_agent_up = true, .is_health_up = true };
        p->carries_until[i] = 0;
    }
    memset(p->lead_misses, 0, sizeof p->lead_misses);
}

static void begin_anew(struct sim_proxy *p)
{
    for (int i = 0; i < FLEET_POOLS * SIM_MEMBERS; i++) {
        struct sim_proxy_server *s = &p->members[i / SIM_MEMBERS][i % SIM_MEMBERS];
        s->is_agent_up = s->is_health_up = true;
        s->misses = 0;
    }
    memset(p->lead_misses, 0, sizeof p->lead_misses);
}

/* The old process keeps its sessions and asks nobody. */
void fleet_proxy_reloaded(struct world *world, struct sim_proxy *p)
{
    for (int i = 0; i < SIM_MEMBERS; i++) {
        struct sim_proxy_server *s = &p->members[POOL_OF_WRITERS][i];
        if (is_usable(s) && !judge_fleet_is_disturbed(world, p))
            p->carries_until[i] = world->now + (int64_t)world->config.hard_stop_seconds * 1000000;
        s->is_saved_maint = s->is_maint;
    }
    begin_anew(p);
}

void fleet_proxy_killed(struct world *world, struct sim_proxy *p)
{
    (void)world;
    memset(p->carries_until, 0, sizeof p->carries_until);
}

void fleet_proxy_started(struct world *world, struct sim_proxy *p)
{
    (void)world;
    for (int i = 0; i < SIM_MEMBERS; i++)
        p->members[POOL_OF_WRITERS][i].is_maint = p->members[POOL_OF_WRITERS][i].is_saved_maint;
    begin_anew(p);
}

static const char *ask_relay(struct world *world, const struct sim_proxy *p, enum fleet_pool pool, int member)
{
    char request[64];
    TEXT_FORMAT(request, "%s %s/%s\n", p->name, pool_names[pool], party_name(party_member(member)));
    for (int i = 0; i < world->node_count; i++) {
        if (p->lead_misses[i] >= RELAY_FALL || (!world->nodes[i].is_up && net_talks(&world->net, party_node(i), party_proxy(p->index))))
            continue;
        const char *line = p->deaf > 0 ? NULL : node_answers_of_fleet(world, i, p->index, request);
        if (line != NULL)
            judge_fleet_says(world, i, pool, member, line);
        return line;
    }
    return NULL;
}

static void hear_words(struct world *world, struct sim_proxy *p, enum fleet_pool pool, int member, const char *line)
{
    struct sim_proxy_server *s = &p->members[pool][member];
    const bool was_usable = is_usable(s);
    if (text_begins(line, "up ready ")) {
        s->is_maint = false;
        s->is_agent_up = true;
    } else if (text_begins(line, "down maint")) {
        s->is_maint = true;
        s->is_agent_up = false;
    } else if (text_begins(line, "up drain")) {
        s->is_maint = true;                                /* it takes no new ones */
        s->is_agent_up = true;
    } else if (text_begins(line, "down ready")) {
        s->is_maint = s->is_agent_up = false;
    }
    if (was_usable != is_usable(s))
        tell(world, p->name, "%s %s of %s", was_usable ? "takes out" : "uses", party_name(party_member(member)), pool_names[pool]);
}

void fleet_proxy_polls(struct world *world, struct sim_proxy *p)
{
    for (int i = 0; i < FLEET_POOLS * SIM_MEMBERS; i++) {
        const char *line = ask_relay(world, p, i / SIM_MEMBERS, i % SIM_MEMBERS);
        if (line != NULL)
            hear_words(world, p, i / SIM_MEMBERS, i % SIM_MEMBERS, line);
    }
}

void fleet_proxy_checks(struct world *world, struct sim_proxy *p)
{
    for (int i = 0; i < SIM_MEMBERS; i++) {
        struct sim_proxy_server *s = &p->members[POOL_OF_WRITERS][i];
        if (s->is_maint)
            continue;
        const char *line = ask_relay(world, p, POOL_OF_WRITERS, i);
        if (line != NULL && strstr(line, "fc-ok") != NULL) {
            s->misses = 0;
            s->is_health_up = true;
        } else if (++s->misses >= config_cluster_fall(&world->config) && s->is_health_up) {
            s->is_health_up = false;
            tell(world, p->name, "takes out %s of " FLEET_WRITERS ": no token", party_name(party_member(i)));
        }
    }
}

void fleet_proxy_asks_who_leads(struct world *world, struct sim_proxy *p)
{
    for (int i = 0; i < world->node_count; i++) {
        char request[64];
        TEXT_FORMAT(request, "fc_leader/%s\n", party_name(party_node(i)));
        const char *line = p->deaf > 0 ? NULL : node_answers_of_fleet(world, i, p->index, request);
        if (line != NULL && strstr(line, "fc-ok") != NULL)
            p->lead_misses[i] = 0;
        else if (p->lead_misses[i] < RELAY_FALL)
            p->lead_misses[i]++;
    }
}
