/* One simulated cluster on one seed: a queue of happenings in simulated microseconds, chance from the seed, and a story.
 * Nothing here reads a clock; the same seed gives the same story, byte for byte. */
#ifndef FC_SIM_WORLD_H
#define FC_SIM_WORLD_H

#include "base/rng.h"
#include "core/config.h"
#include "sim/faults.h"
#include "sim/judge.h"
#include "sim/net.h"
#include "sim/script.h"
#include "sim/sim_client.h"
#include "sim/sim_fleet.h"
#include "sim/sim_node.h"
#include "sim/sim_proxy.h"
#include "sim/sim_raft.h"
#include "sim/sim_server.h"

enum happening_kind {
    HAP_FAULT,                       /* first: at one moment, what goes wrong goes before what it happens to */
    HAP_NODE_START, HAP_NODE_SEND, HAP_NODE_PERFORMS, HAP_NODE_WOKEN, HAP_LEASE_WOKEN, HAP_NODE_RESULT, HAP_NODE_TIMEOUT, HAP_NODE_SESSION_ENDED,
    HAP_NODE_LOOK_ALL, HAP_NODE_PUSH, HAP_NODE_PROXY_LOOKED, HAP_NODE_TELLS_ASKERS, HAP_NODE_ASKERS, HAP_NODE_TELLS_SIGHT, HAP_NODE_SIGHT,
    HAP_SERVER_BOOT, HAP_SERVER_REQUEST, HAP_SERVER_FENCE, HAP_SERVER_CATCH_UP, HAP_SERVER_READ, HAP_SERVER_APPLY,
    HAP_SERVER_HEARS,
    HAP_PROXY_AGENTS, HAP_PROXY_TOKENS, HAP_PROXY_VOICES, HAP_PROXY_PUSHED,
    HAP_PROXY_START, HAP_PROXY_LOOKED_AT,
    HAP_RAFT_TICK, HAP_RAFT_BEAT, HAP_RAFT_DISK, HAP_RAFT_SENT, HAP_RAFT_TOLD, HAP_RAFT_ARRIVES, HAP_RAFT_RUNG,
    HAP_FLEET_ASK, HAP_FLEET_SEES, HAP_FLEET_LOSES, HAP_FLEET_BOOT,
    HAP_CLIENT_BEGIN, HAP_CLIENT_SEND, HAP_CLIENT_ARRIVE, HAP_CLIENT_COMMIT, HAP_FAULT_END
};

struct happening { int64_t at; uint64_t seq; enum happening_kind kind; int who, what; uint32_t life; };

#define HEAP_MAX 16384
#define WAITING_MAX 8192             /* at the doors of the frozen */
#define MESSAGES_MAX 2048
#define TICKETS_MAX 256
#define UNDO_MAX SCRIPT_LINES_MAX
#define FAULTS_SEQ_BELOW (UINT64_C(1) << 32)

/* A request to a server and what became of it. Freed when it has been answered or lost, and its bound is over. */
struct sim_message {
    bool is_used, is_done;           /* done: the asker has its result */
    int refs;                        /* happenings that still name it */
    int node, server;
    uint32_t node_life, server_life;
    bool is_lease, is_at_server;     /* is_lease: result goes to lease_wrote */
    enum deed deed;                  /* of the effect; DEED_NONE = a look or nothing */
    uint64_t effect_id;
    uint64_t epoch;                  /* that the asker led in when it asked, as its core knew it */
    int64_t until_us;                /* of the catch-up and fence at the server */
    bool is_setting;                 /* a fence that waits for statements */
    struct store_request request;
    struct store_result result;
    struct server_look look;
};

struct ticket { int node; uint32_t life; int finals, expected; int64_t at; char text[96]; };

struct undo { bool is_due; struct fault fault; };

#define HEAL_BUCKETS 4096            /* of 10 ms */
#define STATE_COUNT ((int)CHAIR_STATE_COUNT * LEADERSHIP_STATE_COUNT * STEP_COUNT * SEAT_FINDING_COUNT)

struct tally {
    uint64_t seeds, steps, faults, orders, moves, moves_failed, handovers, acked, violations, not_staged;
    int64_t worst_heal_us, longest_overlap_us;
    uint64_t worst_heal_seed;
    uint64_t faults_of[FAULT_KIND_COUNT];
    uint32_t heals[HEAL_BUCKETS];    /* from the last fault's end to somebody sitting, agreed by all, usable at each proxy */
    uint32_t reached[CHAIR_STATE_COUNT][LEADERSHIP_STATE_COUNT][STEP_COUNT][SEAT_FINDING_COUNT];
    uint32_t moved[MOVE_KIND_COUNT][STEP_COUNT];
};

struct world {
    uint64_t seed, seq, step, fault_count, order_count;
    int64_t now, last_back_at;       /* when somebody killed came back last */
    int node_count;
    bool is_told, is_healed, is_broken;
    const char *broken_rule;         /* the same for the same rule: the format of its sentence */
    char broken[400];
    struct fc_rng rng, fault_rng;    /* two, so that a fault left out does not change what the others are */
    struct script script;            /* every fault of this story, as it was begun */
    int waiting_line;                /* the line that waits for something other than a moment */
    int64_t line_begun_at;           /* the line before it */
    int lines_begun;
    bool is_line_scheduled;
    int foreign_fresh, foreign_stale;    /* foreign orchestrators that own active_node */
    struct config config, witness_config;
    struct net net;
    struct sim_node nodes[SIM_NODES_MAX];
    struct sim_server servers[SIM_SERVERS];
    struct sim_proxy proxies[SIM_PROXIES];
    struct sim_client clients[SIM_CLIENTS];
    struct sim_member fleet[SIM_MEMBERS];    /* of a managed cluster; meaningless where the story has none */
    struct judge judge;
    struct raft_world raft;          /* of the arbiter `quorum` */
    int heap_count;
    struct happening heap[HEAP_MAX];
    int waiting_count;
    struct happening waiting[WAITING_MAX];
    int free_count;
    int free_messages[MESSAGES_MAX];
    struct sim_message messages[MESSAGES_MAX];
    int ticket_count;
    struct ticket tickets[TICKETS_MAX];
    struct undo undo[UNDO_MAX];
    int undo_count;
    struct effects effects;
    struct tally *tally;
};

static inline bool world_has_quorum(const struct world *world) { return world->script.has_quorum; }

/* The last ones: they vote, answer HAProxies, and look at no server. */
static inline bool world_is_witness(const struct world *world, int node) { return node >= world->node_count - world->script.witness_count; }

#define SERVER_NAME(i) ((i) == 0 ? "db1" : "db2")

int64_t chance_between(struct world *world, int64_t least, int64_t most);
bool chance(struct world *world, int percent);
void happen(struct world *world, int64_t at, enum happening_kind kind, int who, int what, uint32_t life);
int message_new(struct world *world);                        /* refs 0 */
void message_drop(struct world *world, int message);         /* one reference less */
void world_thaw(struct world *world);                        /* who waited at a door that is open again goes in */
#define tell(world, ...) do { if ((world)->is_told) tell_line((world), __VA_ARGS__); } while (0)
void tell_line(struct world *world, const char *who, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* `script` NULL: faults by chance of the seed for `steps` steps. world->script tells afterwards what was begun. */
enum arbiter { ARBITER_BY_CHANCE = 0, ARBITER_LOCAL, ARBITER_QUORUM };
struct run_options {
    uint64_t seed, steps;
    int node_count;
    enum arbiter arbiter;            /* of a story without a script */
    bool is_told, is_printed, is_beyond_drift;
    const struct script *script;
};
/* Runs one story from start to quiet. False when an invariant broke; world->broken says which. */
bool world_run(struct world *world, const struct run_options *options, struct tally *tally);
/* A node's core has taken a step: a line of the script may have waited for it. */
void world_saw_move(struct world *world, int node, int step_before, int step);
void story_print_end(int lines);

#endif
