/* Writers: through each proxy two that keep their session and one that opens a new one each time, and beside each server one
 * that goes there directly and writes whenever the server lets it. Every row is (client, n), so nothing ever conflicts and
 * every acknowledged row must in the end stand on both servers once.
 *
 * A statement goes to the proxy, from there to the server, runs for a while and commits. A frozen proxy passes it on when it
 * thaws; a process that a reload left behind passes on what its sessions send until it is stopped. */
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
};

void client_init(struct world *world, int client);
void client_begin(struct world *world, int client);
void client_send(struct world *world, int client);           /* leaves the proxy */
void client_arrive(struct world *world, int client);         /* at the server */
void client_commit(struct world *world, int client);
bool client_session_lives(const struct world *world, const struct sim_client *client);

#endif
