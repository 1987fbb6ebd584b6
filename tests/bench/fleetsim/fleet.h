/* The servers of a simulated fleet: who replicates from whom, how far each one is, who is dead or frozen. No sockets here.
 *
 * Servers stand in clusters of `each`: the first is the master, the second replicates from it and has every third of the rest below it, the
 * others replicate from the master. How far a server is follows from the clock: a master writes so many transactions a second, a replica has
 * those of its master as of `lag` ago. A change settles what was so far, so nothing ever goes back. */
#ifndef FLEETSIM_FLEET_H
#define FLEETSIM_FLEET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_MASTER UINT32_MAX
#define ADDRESS_TEXT 16
#define GTID_TEXT 128

struct server {
    uint32_t index, server_id, domain;
    struct in_addr address;
    char host[ADDRESS_TEXT];
    uint32_t master;                  /* index; NO_MASTER: it replicates from nobody */
    bool is_dead, is_frozen, is_read_only, fetches, applies, is_broken;
    int64_t lag_ms;
    uint64_t settled, settled_fetched;           /* transactions, as of settled_at_ms */
    int64_t settled_at_ms, started_ms;
    uint32_t writer_id, former_writer_id;        /* whose transactions the last ones are, and those before; 0: none */
    uint64_t former_last;
    uint32_t first_replica, next_replica;        /* kept by fleet_link(); NO_MASTER ends a list */
};

struct fleet {
    struct server *servers;
    uint32_t count, each;
    uint16_t port;
    uint32_t writes_per_s;
    const char *version, *comment;
    char host_name[65];
};

/* `first`: the address of the first server, the others count up from it. False: out of memory. */
bool fleet_init(struct fleet *fleet, uint32_t count, uint32_t each, struct in_addr first, int64_t now_ms);
void fleet_done(struct fleet *fleet);

/* Transactions that a server has applied (or written), and that it has fetched. */
uint64_t fleet_applied(const struct fleet *fleet, const struct server *server, int64_t now_ms);
uint64_t fleet_fetched(const struct fleet *fleet, const struct server *server, int64_t now_ms);
uint64_t fleet_offset(uint64_t transactions);    /* where they end in a binary log */
/* "" when there are none. */
void fleet_gtid(const struct server *server, uint64_t transactions, char to[GTID_TEXT]);
void fleet_gtid_state(const struct server *server, uint64_t transactions, char to[GTID_TEXT]);

static inline const struct server *fleet_master(const struct fleet *fleet, const struct server *server)
{
    return server->master == NO_MASTER ? NULL : &fleet->servers[server->master];
}
/* Does its thread hear its master? A frozen one is not missed for long, as with slave_net_timeout. */
bool fleet_is_fetching(const struct fleet *fleet, const struct server *server);

/* Before anything about anybody is changed. */
void fleet_settle(struct fleet *fleet, int64_t now_ms);
/* Who replicates from whom, the other way round: after masters were changed. */
void fleet_link(struct fleet *fleet);
/* NO_MASTER: it is a master from now on, and writes. False: it would replicate from itself. */
bool fleet_move(struct fleet *fleet, struct server *server, uint32_t master);

#endif
