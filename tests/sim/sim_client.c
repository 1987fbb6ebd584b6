/* One write at a time: find a way to a server, run the statement for a while, hear or not hear that it is committed. */
#include "sim/sim_client.h"

#include <string.h>

#include "sim/world.h"

void client_init(struct world *world, int index)
{
    struct sim_client *c = &world->clients[index];
    memset(c, 0, sizeof *c);
    c->index = index;
    c->proxy = index < 4 ? index / 2 : -1;
    c->direct = index - 4;
    c->is_persistent = index % 2 == 0;
    c->last_ack_at = -1;
    happen(world, chance_between(world, 0, 300000), HAP_CLIENT_BEGIN, index, 0, 0);
}

static bool session_lives(const struct world *world, const struct sim_client *c)
{
    const struct sim_server *s = &world->servers[c->server];
    if (!c->has_session || s->life != c->server_life || s->kill_count != c->server_kills)
        return false;
    if (c->proxy < 0)
        return true;
    const struct sim_proxy *p = &world->proxies[c->proxy];
    if (c->proxy_process != p->process)
        return world->now < p->old_stops_at;
    return p->servers[c->server].kill_count == c->proxy_kills;
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

static int64_t next_pause(struct world *world) { return chance_between(world, 80000, 300000); }

void client_begin(struct world *world, int index)
{
    struct sim_client *c = &world->clients[index];
    const bool keeps = c->is_persistent && session_lives(world, c);
    if ((!keeps && !open_session(world, c)) || (c->proxy >= 0 && world->proxies[c->proxy].is_frozen) ||
        (c->proxy >= 0 && !net_talks(&world->net, party_proxy(c->proxy), party_server(c->server)))) {
        c->refused++;
        happen(world, world->now + next_pause(world), HAP_CLIENT_BEGIN, index, 0, 0);
        return;
    }
    struct sim_server *s = &world->servers[c->server];
    const int64_t takes = chance(world, 2) ? chance_between(world, 200000, 1500000) : chance_between(world, 400, 3000);
    if (s->is_read_only || s->fencing > 0) {
        c->refused++;
        happen(world, world->now + next_pause(world), HAP_CLIENT_BEGIN, index, 0, 0);
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
    if (s->life != c->server_life || s->kill_count != c->server_kills || !server_commit(world, c->server, index, n)) {
        c->unknown++;
    } else if (session_lives(world, c) && (c->proxy < 0 || !world->proxies[c->proxy].is_frozen)) {
        c->acked++;
        c->last_ack_at = world->now;
        s->acked++;
        s->last_acked = s->log_count;
    } else {
        c->unknown++;
    }
    happen(world, world->now + next_pause(world), HAP_CLIENT_BEGIN, index, 0, 0);
}
