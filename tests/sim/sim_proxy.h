/* An HAProxy with the shipped configuration: `disabled` at boot, agent polls and token checks through a relay that checks each
 * node's voice, maint and a failed token end sessions, a reload keeps the admin state and forgets the agent's word. */
#ifndef FC_SIM_PROXY_H
#define FC_SIM_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "sim/net.h"

struct sim_proxy_server {
    bool is_maint, is_agent_up, is_health_up;
    int misses;                      /* failed token checks in a row */
    uint64_t epoch;                  /* of the last answer */
    uint32_t kill_count;             /* sessions of this process from before it are ended */
};

struct sim_proxy {
    int index;
    bool is_frozen;
    char name[8];
    uint32_t process;                /* raised by a reload */
    int64_t old_stops_at;            /* the processes left by reloads end their sessions */
    int64_t disturbed_at;            /* thawed or reloaded: its token check begins anew */
    int voice_misses[SIM_NODES_MAX];
    struct sim_proxy_server servers[SIM_SERVERS];
};

struct world;

void proxy_init(struct world *world, int proxy);
void proxy_reload(struct world *world, int proxy);
void proxy_poll_agents(struct world *world, int proxy);
void proxy_check_tokens(struct world *world, int proxy);
void proxy_check_voices(struct world *world, int proxy);
/* A push arrives: two bits a server, 1 ready and up, 2 maint, 0 nothing. */
void proxy_take_push(struct world *world, int proxy, int words);
void proxy_rows(const struct world *world, int proxy, struct proxy_row rows[SIM_SERVERS]);
bool proxy_offers(const struct sim_proxy *proxy, int server);

#endif
