/* A raft group in one process: each node has its own thread, directory and port on loopback; all of them are heard on one loop. */
#ifndef FC_TESTS_QUORUM_STAGE_H
#define FC_TESTS_QUORUM_STAGE_H

#include "agent/loop.h"
#include "backends/quorum/peer_streams.h"
#include "backends/quorum/quorum.h"

#define STAGE_ELECTION_MS 400

struct stage;

struct stage_node {
    struct stage *stage;
    int place;
    char name[NODE_NAME_SIZE];           /* with the mark of this start */
    struct quorum *quorum;               /* NULL: not running */
    struct peer_streams *streams;        /* of it */
    struct quorum_view view;
    uint64_t next_number;
    int applied, own_applied, failed, ended, states;
    struct quorum_heard last;            /* of the last FAILED or ENDED */
    struct shared_state state;           /* built from what was heard, as a private store would */
    char said[240];
};

struct stage {
    struct loop *loop;
    const struct host *host;
    char dir[64];
    int count;
    int founders;                        /* RaftNodes of each names these, and itself */
    int ports[QUORUM_NODES_MAX];
    struct stage_node nodes[QUORUM_NODES_MAX];
    int two_leaders;                     /* times that two nodes could act at one moment */
    int snapshot_entries;
    int witness;                         /* 1 + the node that is one; 0 none */
};

void stage_open(struct stage *stage, int count);
/* `count` nodes have a place; the first `founders` of them form the group. */
void stage_open_for(struct stage *stage, int count, int founders);
void stage_close(struct stage *stage);
void stage_start(struct stage *stage, int node);
void stage_start_all(struct stage *stage);
void stage_stop(struct stage *stage, int node);      /* gracefully: its directory stays */
void stage_wipe(struct stage *stage, int node);
/* Runs the loop until the claim holds; fails the test after a long while. */
#define stage_until(stage, claim) stage_until_(stage, claim, #claim, __LINE__)
typedef bool stage_claim(struct stage *stage);
void stage_until_(struct stage *stage, stage_claim *claim, const char *name, int line);
void stage_run_ms(struct stage *stage, int ms);
/* Who may act at this moment; -1 nobody. */
int stage_leader(struct stage *stage);
/* The leader is ordered to change the members, again where leadership moved meanwhile; how it ended is in `last` of *node. */
enum fc_code stage_change(struct stage *stage, enum member_change change, int whom, int *node);
enum roster_role stage_role_of(const struct stage_node *node, int whom);      /* as this node has it */
uint64_t stage_hold(struct stage *stage, int node, const char *server, const char *why);

#endif
