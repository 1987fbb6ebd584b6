/* An HAProxy with the shipped configuration: `disabled` at boot, agent polls and token checks through a relay that checks each
 * node's voice, maint and a failed token end sessions. A reload keeps the admin state and forgets the agent's word; it leaves
 * a process that asks nobody any more and keeps its sessions until hard-stop-after. A killed one takes all its processes with
 * it and starts from the state that the last reload saved. */
#ifndef FC_SIM_PROXY_H
#define FC_SIM_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "sim/net.h"

#define PROCESSES_KEPT 8             /* left by reloads; an older one is stopped earlier than it would be */

struct sim_proxy_server {
    bool is_maint, is_agent_up, is_health_up;
    bool is_saved_maint;             /* in the state file */
    int misses;                      /* failed token checks in a row */
    uint64_t epoch;                  /* of the last answer */
    uint32_t kill_count;             /* sessions of this process from before it are ended */
};

struct sim_proxy {
    int index;
    bool is_up, is_frozen;
    char name[8];
    uint32_t process, oldest_process;    /* raised by a reload; those before the oldest are dead */
    int64_t stops_at[PROCESSES_KEPT];    /* of those that reloads have left */
    int64_t started_at;                  /* of the present process */
    int64_t disturbed_at;                /* thawed, reloaded or started: its token check begins anew */
    int deaf, lacks[SIM_SERVERS];        /* faults under way: its polls reach nobody; its file lacks this server */
    int voice_misses[SIM_NODES_MAX];
    struct sim_proxy_server servers[SIM_SERVERS];
    struct sim_proxy_server members[2][SIM_MEMBERS];     /* of a managed cluster's pools (enum fleet_pool) */
    int lead_misses[SIM_NODES_MAX];
    int64_t carries_until[SIM_MEMBERS];      /* a process that a reload left has writers' sessions there until then */
};

struct world;

void proxy_init(struct world *world, int proxy);
void proxy_reload(struct world *world, int proxy);
void proxy_kill(struct world *world, int proxy, int64_t back_after_us);
void proxy_start(struct world *world, int proxy);
bool proxy_process_lives(const struct world *world, const struct sim_proxy *proxy, uint32_t process);
void proxy_poll_agents(struct world *world, int proxy);
void proxy_check_tokens(struct world *world, int proxy);
void proxy_check_voices(struct world *world, int proxy);
/* A push arrives: two bits a server, 1 ready and up, 2 maint, 0 nothing. */
void proxy_take_push(struct world *world, int proxy, int words);
/* How many it shows. */
int proxy_rows(const struct world *world, int proxy, struct proxy_row rows[SIM_SERVERS]);
bool proxy_offers(const struct sim_proxy *proxy, int server);

#endif
