/* One write at a time: find a way to a server, run the statement for a while, hear or not hear that it is committed. */
#include "sim/sim_client.h"

#include <string.h>

#include "sim/world.h"

#define CLIENTS_A_PROXY ((SIM_CLIENTS - SIM_SERVERS) / SIM_PROXIES)

void client_init(struct world *world, int index)
{
    struct sim_client *c = &world->clients[index];
    const bool is_direct = index >= CLIENTS_A_PROXY * SIM_PROXIES;
    memset(c, 0, sizeof *c);
    c->index = index;
    c->proxy = is_direct ? -1 : index / CLIENTS_A_PROXY;
    c->direct = index - CLIENTS_A_PROXY * SIM_PROXIES;
    c->is_persistent = is_direct || index % CLIENTS_A_PROXY > 0;
    happen(world, chance_between(world, 0, 300000), HAP_CLIENT_BEGIN, index, 0, 0);
}

static bool server_side_lives(const struct world *world, const struct sim_client *c)
{
    const struct sim_server *s = &world->servers[c->server];
    return s->life == c->server_life && s->kill_count == c->server_kills;
}

bool client_session_lives(const struct world *world, const struct sim_client *c)
{
    if (!c->has_session || !server_side_lives(world, c))
        return false;
    if (c->proxy < 0)
        return true;
    const struct sim_proxy *p = &world->proxies[c->proxy];
    if (!proxy_process_lives(world, p, c->proxy_process))
        return false;
    return c->proxy_process != p->process || p->servers[c->server].kill_count == c->proxy_kills;
}

static bool open_session(struct world *world, struct sim_client *c)
{
    int server = c->direct;
    c->has_session = false;
    if (c->proxy >= 0) {
        const struct sim_proxy *p = &world->proxies[c->proxy];
        server = proxy_offers(p, 0) ? 0 : proxy_offers(p, 1) ? 1 : -1;
        if (server < 0 || !net_talks(&world->net, party_proxy(c->proxy), party_server(server)))
            return false;
        c->proxy_process = p->process;
        c->proxy_kills = p->servers[server].kill_count;
    }
    const struct sim_server *s = &world->servers[server];
    if (!s->is_up || s->is_frozen)
        return false;
    c->server = server;
    c->server_life = s->life;
    c->server_kills = s->kill_count;
    c->has_session = true;
    return true;
}

static void next_begin(struct world *world, const struct sim_client *c)
{
    happen(world, world->now + chance_between(world, 80000, 300000), HAP_CLIENT_BEGIN, c->index, 0, 0);
}

static void refused(struct world *world, struct sim_client *c)
{
    c->refused++;
    next_begin(world, c);
}

void client_begin(struct world *world, int index)
{
    struct sim_client *c = &world->clients[index];
    const bool keeps = c->is_persistent && client_session_lives(world, c);
    const bool sleeps = c->proxy >= 0 && world->proxies[c->proxy].is_frozen;
    if (!keeps && (sleeps || !open_session(world, c)))
        refused(world, c);
    else
        happen(world, world->now + chance_between(world, 40, 200), HAP_CLIENT_SEND, index, 0, 0);
}

/* Who wakes passes on what has been waiting, before it looks at its own clocks and checks. */
void client_send(struct world *world, int index)
{
    struct sim_client *c = &world->clients[index];
    const struct sim_proxy *p = c->proxy < 0 ? NULL : &world->proxies[c->proxy];
    const bool is_gone = p != NULL && (c->proxy_process < p->oldest_process || (c->proxy_process == p->process &&
                                       (!p->is_up || p->servers[c->server].kill_count != c->proxy_kills)));
    if (is_gone || (p != NULL && !net_talks(&world->net, party_proxy(c->proxy), party_server(c->server))))
        refused(world, c);
    else
        happen(world, world->now + chance_between(world, 40, 200), HAP_CLIENT_ARRIVE, index, 0, 0);
}

void client_arrive(struct world *world, int index)
{
    struct sim_client *c = &world->clients[index];
    struct sim_server *s = &world->servers[c->server];
    const int64_t takes = chance(world, 2) ? chance_between(world, 200000, 1500000) : chance_between(world, 400, 3000);
    if (!server_side_lives(world, c) || s->is_read_only || s->fencing > 0 || s->under_way[FAULT_DISK_FULL] > 0) {
        refused(world, c);
        return;
    }
    if (world->now + takes > s->busy_until)
        s->busy_until = world->now + takes;
    happen(world, world->now + takes, HAP_CLIENT_COMMIT, index, 0, 0);
}

/* The server ended the session: the statement is rolled back. HAProxy ended it: the server may have committed all the same,
 * and the client does not know. */
void client_commit(struct world *world, int index)
{
    struct sim_client *c = &world->clients[index];
    struct sim_server *s = &world->servers[c->server];
    const uint32_t n = c->next++;
    if (!server_side_lives(world, c) || !server_commit(world, c->server, index, n)) {
        c->unknown++;
    } else if (client_session_lives(world, c) && (c->proxy < 0 || !world->proxies[c->proxy].is_frozen)) {
        c->acked++;
        s->acked++;
        s->last_acked = s->log_count;
        judge_acked(world, c);
    } else {
        c->unknown++;
    }
    next_begin(world, c);
}
