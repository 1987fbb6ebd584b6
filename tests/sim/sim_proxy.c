/* HAProxy: what the shipped configuration does with words, tokens, voices, pushes and reloads. */
#include "sim/sim_proxy.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

#define RELAY_FALL 2

static int64_t relay_inter_us(const struct config *c)
{
    const int64_t ms = (int64_t)(c->check_fall - 1) * c->check_inter_ms / 10 - 1;
    return (ms > 250 ? 250 : ms) * 1000;
}

static void end_sessions(struct world *world, struct sim_proxy *p, int server, const char *why)
{
    p->servers[server].kill_count++;
    tell(world, p->name, "takes %s out: %s", SERVER_NAME(server), why);
}

static bool is_usable(const struct sim_proxy_server *s) { return !s->is_maint && s->is_agent_up && s->is_health_up; }

bool proxy_offers(const struct sim_proxy *proxy, int server)
{
    return proxy->is_up && !proxy->is_frozen && proxy->lacks[server] == 0 && is_usable(&proxy->servers[server]);
}

bool proxy_process_lives(const struct world *world, const struct sim_proxy *p, uint32_t process)
{
    if (process < p->oldest_process)
        return false;
    return process == p->process ? p->is_up : world->now < p->stops_at[process % PROCESSES_KEPT];
}

void proxy_init(struct world *world, int proxy)
{
    struct sim_proxy *p = &world->proxies[proxy];
    memset(p, 0, sizeof *p);
    p->index = proxy;
    p->is_up = true;
    p->process = p->oldest_process = 1;
    TEXT_FORMAT(p->name, "lb%d", proxy + 1);
    for (int i = 0; i < SIM_SERVERS; i++)
        p->servers[i] = (struct sim_proxy_server){ .is_maint = true, .is_saved_maint = true, .is_agent_up = true, .is_health_up = true };
    fleet_proxy_init(world, p);
    happen(world, chance_between(world, 0, 200000), HAP_PROXY_AGENTS, proxy, 0, 0);
    happen(world, chance_between(world, 0, 300000), HAP_PROXY_TOKENS, proxy, 0, 0);
    happen(world, chance_between(world, 0, 100000), HAP_PROXY_VOICES, proxy, 0, 0);
}

static void begin_anew(struct world *world, struct sim_proxy *p)
{
    p->started_at = p->disturbed_at = world->now;
    memset(p->voice_misses, 0, sizeof p->voice_misses);
    for (int i = 0; i < SIM_SERVERS; i++) {
        p->servers[i].is_agent_up = p->servers[i].is_health_up = true;
        p->servers[i].misses = 0;
    }
}

/* The state file keeps the admin state; the agent's and the health check's words are forgotten. */
void proxy_reload(struct world *world, int proxy)
{
    struct sim_proxy *p = &world->proxies[proxy];
    if (!p->is_up || p->is_frozen)
        return;
    tell(world, p->name, "is reloaded");
    p->stops_at[p->process % PROCESSES_KEPT] = world->now + (int64_t)world->config.hard_stop_seconds * 1000000;
    p->process++;
    if (p->process - p->oldest_process >= PROCESSES_KEPT)
        p->oldest_process = p->process - PROCESSES_KEPT + 1;
    for (int i = 0; i < SIM_SERVERS; i++)
        p->servers[i].is_saved_maint = p->servers[i].is_maint;
    fleet_proxy_reloaded(world, p);
    begin_anew(world, p);
}

void proxy_kill(struct world *world, int proxy, int64_t back_after_us)
{
    struct sim_proxy *p = &world->proxies[proxy];
    if (!p->is_up)
        return;
    tell(world, p->name, "is killed, back after %lld ms", (long long)(back_after_us / 1000));
    p->is_up = p->is_frozen = false;
    p->process++;
    p->oldest_process = p->process;
    fleet_proxy_killed(world, p);
    happen(world, world->now + back_after_us, HAP_PROXY_START, proxy, 0, 0);
    world_thaw(world);
}

void proxy_start(struct world *world, int proxy)
{
    struct sim_proxy *p = &world->proxies[proxy];
    if (p->is_up)
        return;
    tell(world, p->name, "starts");
    world->last_back_at = world->now;
    p->is_up = true;
    for (int i = 0; i < SIM_SERVERS; i++)
        p->servers[i].is_maint = p->servers[i].is_saved_maint;
    fleet_proxy_started(world, p);
    begin_anew(world, p);
}

/* The first node whose voice is heard; a dead one refuses and the next is tried, a silent one swallows the question. */
static const char *ask_relay(struct world *world, const struct sim_proxy *p, const char *request)
{
    for (int i = 0; i < world->node_count; i++) {
        if (p->voice_misses[i] >= RELAY_FALL)
            continue;
        if (!world->nodes[i].is_up && net_talks(&world->net, party_node(i), party_proxy(p->index)))
            continue;
        return p->deaf > 0 ? NULL : node_answers(world, i, p->index, request);
    }
    return NULL;
}

static void hear_words(struct world *world, struct sim_proxy *p, int server, const char *line)
{
    struct sim_proxy_server *s = &p->servers[server];
    const bool was_usable = is_usable(s);
    const char *epoch = strstr(line, " e=");
    if (text_begins(line, "up ready ")) {
        s->is_maint = false;
        s->is_agent_up = true;
    } else if (text_begins(line, "down maint")) {
        s->is_maint = true;
        s->is_agent_up = false;
    } else {
        return;
    }
    unsigned long long number = 0;
    if (epoch != NULL && sscanf(epoch, " e=%llu", &number) == 1)
        s->epoch = number;
    if (was_usable && !is_usable(s))
        end_sessions(world, p, server, "the agent says maint");
    else if (!was_usable && is_usable(s))
        tell(world, p->name, "uses %s", SERVER_NAME(server));
}

static void request_for(const struct sim_proxy *p, int server, char *to, size_t size)
{
    snprintf(to, size, "%s fc_backend/%s\n", p->name, SERVER_NAME(server));
}

void proxy_poll_agents(struct world *world, int proxy)
{
    struct sim_proxy *p = &world->proxies[proxy];
    happen(world, world->now + (int64_t)world->config.agent_inter_ms * 1000, HAP_PROXY_AGENTS, proxy, 0, 0);
    if (!p->is_up || p->is_frozen)
        return;
    for (int i = 0; i < SIM_SERVERS; i++) {
        char request[64];
        if (p->lacks[i] > 0)
            continue;
        request_for(p, i, request, sizeof request);
        const char *line = ask_relay(world, p, request);
        if (line != NULL)
            hear_words(world, p, i, line);
    }
    if (world->script.has_cluster)
        fleet_proxy_polls(world, p);
}

void proxy_check_tokens(struct world *world, int proxy)
{
    struct sim_proxy *p = &world->proxies[proxy];
    happen(world, world->now + (int64_t)world->config.check_inter_ms * 1000, HAP_PROXY_TOKENS, proxy, 0, 0);
    if (!p->is_up || p->is_frozen)
        return;
    for (int i = 0; i < SIM_SERVERS; i++) {
        struct sim_proxy_server *s = &p->servers[i];
        char request[64];
        if (s->is_maint || p->lacks[i] > 0)
            continue;                                      /* nothing is checked in maint */
        request_for(p, i, request, sizeof request);
        const char *line = ask_relay(world, p, request);
        if (line != NULL && strstr(line, "fc-ok") != NULL) {
            s->misses = 0;
            s->is_health_up = true;
        } else if (++s->misses >= world->config.check_fall && s->is_health_up) {
            const bool was_usable = is_usable(s);
            s->is_health_up = false;
            if (was_usable)
                end_sessions(world, p, i, "no token");
        }
    }
    if (world->script.has_cluster)
        fleet_proxy_checks(world, p);
}

void proxy_check_voices(struct world *world, int proxy)
{
    struct sim_proxy *p = &world->proxies[proxy];
    happen(world, world->now + relay_inter_us(&world->config), HAP_PROXY_VOICES, proxy, 0, 0);
    if (!p->is_up || p->is_frozen)
        return;
    for (int i = 0; i < world->node_count; i++) {
        const char *line = p->deaf > 0 ? NULL : node_answers(world, i, proxy, "voice\n");
        if (line != NULL && strstr(line, "fc-voice") != NULL)
            p->voice_misses[i] = 0;
        else if (p->voice_misses[i] < RELAY_FALL)
            p->voice_misses[i]++;
    }
    if (world->script.has_cluster)
        fleet_proxy_asks_who_leads(world, p);
}

/* words: two bits a server, 1 ready and up, 2 maint. */
void proxy_take_push(struct world *world, int proxy, int words)
{
    struct sim_proxy *p = &world->proxies[proxy];
    for (int i = 0; i < SIM_SERVERS && p->is_up; i++) {
        struct sim_proxy_server *s = &p->servers[i];
        if (p->lacks[i] > 0)
            continue;
        const int word = words >> (2 * i) & 3;
        const bool was_usable = is_usable(s);
        if (word == 1) {
            s->is_maint = false;
            s->is_agent_up = s->is_health_up = true;
            s->misses = 0;
        } else if (word == 2) {
            s->is_maint = true;
        }
        if (was_usable && !is_usable(s))
            end_sessions(world, p, i, "pushed");
        else if (!was_usable && is_usable(s))
            tell(world, p->name, "uses %s, pushed", SERVER_NAME(i));
    }
}

/* Of the present process only: what the processes before it still carry, its view does not show. */
static int sessions_of(const struct world *world, const struct sim_proxy *p, int server)
{
    int count = 0;
    for (int i = 0; i < SIM_CLIENTS; i++) {
        const struct sim_client *c = &world->clients[i];
        count += c->proxy == p->index && c->server == server && c->proxy_process == p->process && c->is_persistent &&
                 client_session_lives(world, c);
    }
    return count;
}

int proxy_rows(const struct world *world, int proxy, struct proxy_row rows[SIM_SERVERS])
{
    const struct sim_proxy *p = &world->proxies[proxy];
    int count = 0;
    for (int i = 0; i < SIM_SERVERS; i++) {
        if (p->lacks[i] > 0)
            continue;
        struct proxy_row *row = &rows[count++];
        memset(row, 0, sizeof *row);
        TEXT_SET(row->pool, "fc_backend");
        TEXT_SET(row->server, SERVER_NAME(i));
        row->is_usable = is_usable(&p->servers[i]);
        row->epoch = p->servers[i].epoch;
        row->sessions = sessions_of(world, p, i);
    }
    return count;
}
