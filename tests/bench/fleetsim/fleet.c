#include "fleet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRANSACTION_BYTES 160
#define LOG_HEAD_BYTES 330
#define FIRST_TRANSACTIONS 1000
#define FIRST_ADDRESS 0x7f100001u    /* 127.16.0.1 has the server id 1 */

static uint32_t master_of_place(uint32_t index, uint32_t each)
{
    const uint32_t place = index % each, head = index - place;
    if (place == 0)
        return NO_MASTER;
    return place > 2 && place % 3 == 0 ? head + 1 : head;
}

bool fleet_init(struct fleet *fleet, uint32_t count, uint32_t each, struct in_addr first, int64_t now_ms)
{
    const uint32_t first_id = (ntohl(first.s_addr) - FIRST_ADDRESS) + 1;       /* so that several of these programs are one fleet */
    fleet->servers = calloc(count, sizeof *fleet->servers);
    fleet->count = count;
    fleet->each = each;
    gethostname(fleet->host_name, sizeof fleet->host_name - 1);
    for (uint32_t i = 0; fleet->servers != NULL && i < count; i++) {
        struct server *s = &fleet->servers[i];
        *s = (struct server){
            .index = i, .server_id = first_id + i, .domain = first_id + i - i % each, .master = master_of_place(i, each), .fetches = true,
            .applies = true, .is_read_only = i % each != 0, .settled = FIRST_TRANSACTIONS, .settled_fetched = FIRST_TRANSACTIONS,
            .settled_at_ms = now_ms, .started_ms = now_ms, .writer_id = first_id + i - i % each,
        };
        s->address.s_addr = htonl(ntohl(first.s_addr) + i);
        inet_ntop(AF_INET, &s->address, s->host, sizeof s->host);
    }
    if (fleet->servers != NULL)
        fleet_link(fleet);
    return fleet->servers != NULL;
}

void fleet_link(struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->count; i++)
        fleet->servers[i].first_replica = NO_MASTER;
    for (uint32_t i = fleet->count; i-- > 0;) {          /* backwards, so that lists count up */
        struct server *s = &fleet->servers[i];
        s->next_replica = NO_MASTER;
        if (s->master == NO_MASTER)
            continue;
        s->next_replica = fleet->servers[s->master].first_replica;
        fleet->servers[s->master].first_replica = i;
    }
}

void fleet_done(struct fleet *fleet)
{
    free(fleet->servers);
    fleet->servers = NULL;
}

bool fleet_is_fetching(const struct fleet *fleet, const struct server *server)
{
    const struct server *master = fleet_master(fleet, server);
    return master != NULL && server->fetches && !master->is_dead && !server->is_dead;
}

static uint64_t written(const struct fleet *fleet, const struct server *server, int64_t now_ms)
{
    const bool writes = !server->is_dead && !server->is_frozen && now_ms > server->settled_at_ms;
    return server->settled + (writes ? (uint64_t)(now_ms - server->settled_at_ms) * fleet->writes_per_s / 1000 : 0);
}

uint64_t fleet_fetched(const struct fleet *fleet, const struct server *server, int64_t now_ms)
{
    if (!fleet_is_fetching(fleet, server) || server->is_frozen)
        return server->settled_fetched;
    const uint64_t there = fleet_applied(fleet, fleet_master(fleet, server), now_ms);
    return there > server->settled_fetched ? there : server->settled_fetched;
}

uint64_t fleet_applied(const struct fleet *fleet, const struct server *server, int64_t now_ms)
{
    const struct server *master = fleet_master(fleet, server);
    if (master == NULL)
        return written(fleet, server, now_ms);
    if (!server->applies || server->is_broken || server->is_dead || server->is_frozen)
        return server->settled;
    const uint64_t fetched = fleet_fetched(fleet, server, now_ms), then = fleet_applied(fleet, master, now_ms - server->lag_ms);
    const uint64_t applied = then < fetched ? then : fetched;
    return applied > server->settled ? applied : server->settled;
}

uint64_t fleet_offset(uint64_t transactions) { return LOG_HEAD_BYTES + transactions * TRANSACTION_BYTES; }

void fleet_gtid(const struct server *server, uint64_t transactions, char to[GTID_TEXT])
{
    to[0] = '\0';
    if (transactions > 0)
        snprintf(to, GTID_TEXT, "%u-%u-%llu", server->domain, server->writer_id, (unsigned long long)transactions);
}

void fleet_gtid_state(const struct server *server, uint64_t transactions, char to[GTID_TEXT])
{
    char last[GTID_TEXT / 2];
    if (server->former_writer_id == 0) {
        fleet_gtid(server, transactions, to);
        return;
    }
    snprintf(last, sizeof last, "%u-%u-%llu", server->domain, server->writer_id, (unsigned long long)transactions);
    snprintf(to, GTID_TEXT, "%u-%u-%llu,%s", server->domain, server->former_writer_id, (unsigned long long)server->former_last, last);
}

void fleet_settle(struct fleet *fleet, int64_t now_ms)
{
    uint64_t *of = calloc(2 * (size_t)fleet->count, sizeof *of);
    if (of == NULL)
        abort();
    for (uint32_t i = 0; i < fleet->count; i++) {        /* all of the old state first: a replica's depends on its master's */
        of[2 * i] = fleet_applied(fleet, &fleet->servers[i], now_ms);
        of[2 * i + 1] = fleet_fetched(fleet, &fleet->servers[i], now_ms);
    }
    for (uint32_t i = 0; i < fleet->count; i++) {
        fleet->servers[i].settled = of[2 * i];
        fleet->servers[i].settled_fetched = of[2 * i + 1] > of[2 * i] ? of[2 * i + 1] : of[2 * i];
        fleet->servers[i].settled_at_ms = now_ms;
    }
    free(of);
}

static bool is_above(const struct fleet *fleet, uint32_t server, uint32_t index)
{
    for (uint32_t steps = 0; index != NO_MASTER && steps <= fleet->count; steps++, index = fleet->servers[index].master) {
        if (index == server)
            return true;
    }
    return false;
}

/* Whose transactions come from now on, for a server and all below it. */
static void set_writer(struct fleet *fleet, struct server *head)
{
    for (uint32_t i = 0; i < fleet->count; i++) {
        struct server *s = &fleet->servers[i];
        const uint32_t writer = is_above(fleet, head->index, i) ? head->server_id : s->writer_id;
        if (writer == s->writer_id)
            continue;
        s->former_writer_id = s->writer_id;
        s->former_last = s->settled;
        s->writer_id = writer;
        s->domain = head->domain;
    }
}

bool fleet_move(struct fleet *fleet, struct server *server, uint32_t master)
{
    if (master != NO_MASTER && is_above(fleet, server->index, master))
        return false;
    server->master = master;
    server->is_read_only = master != NO_MASTER;
    server->fetches = server->applies = true;
    server->is_broken = false;
    server->lag_ms = 0;
    struct server *head = server;
    while (head->master != NO_MASTER)
        head = &fleet->servers[head->master];
    set_writer(fleet, head);
    fleet_link(fleet);
    return true;
}
