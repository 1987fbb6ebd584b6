/* Writers: through each proxy one that keeps its session and one that opens a new one each time, and beside each server one
 * that goes there directly and writes whenever the server lets it. Every row is (client, n), so nothing ever conflicts and
 * every acknowledged row must in the end stand on both servers once. */
#ifndef FC_SIM_CLIENT_H
#define FC_SIM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

struct world;

struct sim_client {
    int index, proxy, direct;        /* proxy -1: direct to that server */
    bool is_persistent;
    bool has_session;
    int server;                      /* of the session */
    uint32_t server_kills, server_life, proxy_process, proxy_kills;
    uint32_t next;
    uint64_t acked, refused, unknown;
    int64_t last_ack_at;
};

void client_init(struct world *world, int client);
void client_begin(struct world *world, int client);
void client_commit(struct world *world, int client);

#endif
