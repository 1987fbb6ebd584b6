/* Links: a table of cuts, and one delay for everybody. */
#include "sim/net.h"

#include <assert.h>

#include "base/text.h"
#include "sim/world.h"

static const char *const names[ROLE_END] = {
    "fc1", "fc2", "fc3", "fc4", "fc5", "db1", "db2", "lb1", "lb2", "m1", "m2", "m3",
    [ROLE_LEADER] = "leader", [ROLE_FOLLOWER] = "follower", [ROLE_SEATED] = "seated", [ROLE_OTHER] = "other", [ROLE_WITNESS] = "witness",
    [ROLE_NODES] = "nodes", [ROLE_EVERYBODY] = "everybody",
};

const char *party_name(int party) { return party < 0 || party >= ROLE_END ? "-" : names[party]; }

int party_of_name(const char *name)
{
    for (int i = 0; i < ROLE_END; i++) {
        if (text_is(names[i], name))
            return i;
    }
    return -1;
}

bool net_carries(const struct net *net, int from, int to) { return net->cut[from][to] == 0; }
bool net_talks(const struct net *net, int a, int b) { return net->cut[a][b] == 0 && net->cut[b][a] == 0; }

void net_cut(struct net *net, int from, int to, int by)
{
    net->cut[from][to] += by;
    assert(net->cut[from][to] >= 0);
}

void net_refuse(struct net *net, int from, int to, int by)
{
    net->refused[from][to] += by;
    assert(net->refused[from][to] >= 0);
}

/* A fifth of a millisecond usually, now and then some milliseconds. */
int64_t net_delay_us(struct world *world)
{
    return chance(world, 3) ? chance_between(world, 1000, 8000) : chance_between(world, 80, 400);
}

int64_t net_delay_between_us(struct world *world, int from, int to)
{
    return net_delay_us(world) + world->net.late_us[from][to];
}
