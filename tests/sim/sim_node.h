/* One firstchair process: the real core, lease and board, wired as the daemon wires them; its clock runs at its own speed.
 * A restart keeps nothing. Freezing keeps what arrives waiting at the door. */
#ifndef FC_SIM_NODE_H
#define FC_SIM_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/doors/board.h"
#include "backends/lease.h"
#include "backends/leader_source.h"
#include "core/core.h"
#include "sim/net.h"
#include "sim/sim_fleet.h"

#define NODE_QUEUE_MAX 128
#define LANES 3

struct world;

struct sim_host { struct world *world; int node; };

struct sim_timer { int64_t wanted, set; struct fc_time asked; };     /* world time; INT64_MAX = none; on its own clock */

/* An HAProxy's view, taken there at one moment, heard here at a later one. */
struct sim_view {
    struct fc_time sent_at;
    bool was_taken;
    int64_t uptime_ms;
    int row_count;
    struct proxy_row rows[SIM_SERVERS];
};

/* What another node's board says of who asked it. */
struct sim_asked {
    struct fc_time sent_at;
    bool is_under_way;
    char pool[64], server[64], node[NODE_NAME_SIZE];
    int count;
    struct asked_row rows[ASKED_ROWS_MAX];
};

/* What another node sees of a server, asked by this one. */
struct sim_sight {
    struct fc_time sent_at;
    int round, server;
    bool is_under_way, is_told;
    struct sight told;
};

struct sim_node {
    int index;
    bool is_up, is_frozen, is_stopping;
    uint32_t life;
    char name[NODE_NAME_SIZE];                   /* "fc1~MARK" */
    struct core *core;
    struct lease lease;                          /* arbiter `local` */
    struct quorum_chair *chair;                  /* arbiter `quorum`; NULL else */
    struct leader_source source;                 /* of the one or the other */
    struct board *board;
    int64_t clock_offset, clock_ppm, clock_from; /* from that moment of the world on, at this speed */
    int64_t wall_offset_ms;
    int64_t freezes_before_send_us;              /* at its next deed of that kind, for so long; 0 = not */
    int freezes_before;                          /* enum store_deed */
    int64_t freezes_before_deed_us;              /* between its next decision of that kind and the deed; 0 = not */
    int freezes_before_effect;                   /* enum effect_type */
    struct effect held;                          /* decided, and to be performed on waking */
    int last_answer[SIM_PROXIES], cut_by_answer[SIM_PROXIES];   /* FAULT_LAST_ANSWER: still to come; links that it has cut */
    struct sim_timer core_timer, lease_timer;
    bool has_session[SIM_SERVERS];
    int64_t last_delivery[SIM_SERVERS][LANES];   /* a session each: looks, rows, deeds */
    struct sim_view views[SIM_PROXIES];          /* on their way to this node, and what the events in its queue point to */
    struct sim_asked asked[SIM_NODES_MAX];
    struct sim_sight sights[SIM_NODES_MAX];
    int64_t push_deadline;                       /* -1: no push under way */
    bool push_again;
    int queue_head, queue_count;
    struct event queue[NODE_QUEUE_MAX];
    struct fleet_view fleet;                     /* of the managed cluster */
    uint64_t last_epoch, last_chair_epoch;       /* never fall within a life */
    uint64_t last_chair_seq;                     /* of that epoch, as judged last */
};

struct fc_time node_clock(const struct world *world, int node);
struct fc_time node_clock_at(const struct world *world, int node, int64_t at);      /* at: of the world */
void node_clock_speed(struct world *world, int node, int64_t ppm);
void node_send(struct world *world, int message);           /* the bytes leave */
void node_performs(struct world *world, int node);          /* what was decided before it froze */
void node_lose_results(struct world *world, int node);      /* it slept: its connections are no more */
void node_start(struct world *world, int node);
void node_kill(struct world *world, int node);
void node_stop(struct world *world, int node);              /* gracefully */
void node_free(struct sim_node *node);
void node_order(struct world *world, int node, const char *text, uint64_t ticket);
void node_woken(struct world *world, int node);
void node_lease_woken(struct world *world, int node);
void node_raft_rung(struct world *world, int node);         /* raft has something to say */
void node_result(struct world *world, int message);
void node_timeout(struct world *world, int message);
void node_session_ended(struct world *world, int node, int server);
void node_look_all(struct world *world, int node);
void node_push_step(struct world *world, int node);
void node_proxy_is_looked_at(struct world *world, int node, int proxy);   /* the proxy's view is taken */
void node_tells_askers(struct world *world, int node, int other);         /* the other's board is read for this node */
void node_askers(struct world *world, int node, int other);               /* and heard here */
void node_tells_sight(struct world *world, int node, int place);          /* another one's sight is read for this node */
void node_sight(struct world *world, int node, int place);                /* and heard here, or too late; place: SIGHT_PLACE */
#define SIGHT_PLACE(other, round) ((other) | (round) << 4)
void node_proxy_looked(struct world *world, int node, int proxy);
/* What the board answers for the pool's server at this moment; NULL when the node cannot answer. */
const char *node_answers(struct world *world, int node, int proxy, const char *request);
/* The same of the node itself (`fc_leader/...`) and of a managed cluster's pools. */
const char *node_answers_of_fleet(struct world *world, int node, int proxy, const char *request);
/* A fact for its core, and everything that follows from what was told. */
void node_hears(struct world *world, int node, const struct event *event);
void node_hears_out(struct world *world, int node);
/* The class of its words for both servers, two bits each: 1 first, 2 rest, 0 nothing that is ever pushed. */
int node_words(struct world *world, int node);
bool node_may_act(const struct world *world, int node);

#endif
