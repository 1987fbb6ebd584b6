/* Raft's thread of a node: the real consensus (backends/quorum/consensus*.c) and the real raft library on a false disk, false streams and
 * the node's clock. Its functions for the pump (quorum.h) stand in the place of quorum.c's: two queues and a picture, each a little
 * late. The disk outlives the process; what it was asked for and had not done does not.
 *
 *   sim_raft.c        the process's half: what the consensus is lent, queues, life
 *   sim_raft_disk.c   when a write is made; what is durable and what is not yet: quorumsim/stored.c
 *   sim_raft_wire.c   what passes between two threads, and when; raft's messages, copied: quorumsim/sent.c
 *
 * Nothing of it is kinder than TCP and a disk: packets keep their order on a connection, wait while a path is cut and come late when
 * it heals, or are lost with it; frames are lost, doubled and overtaken while they are mangled; a thread stands still for its disk. */
#ifndef FC_SIM_RAFT_H
#define FC_SIM_RAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "quorumsim/stored.h"
#include "sim/net.h"

struct event;
struct store_request;
struct world;

#define RAFT_PACKETS_MAX 4096

/* ---- wire ---- */

enum raft_line_kind { RAFT_LINE_RAFT, RAFT_LINE_FRAMES, RAFT_LINE_KINDS };

/* A connection that one thread made to another one; answers to frames come back on it. */
struct raft_line {
    uint32_t epoch;                  /* rises when it ends */
    bool is_up;
    int64_t again_at, up_at;         /* while not up */
    int64_t last_at[2], blocked_until[2], stuck_since[2];      /* forward, back; stuck: 0 = not */
    int under_way;
};

struct raft_packet;

/* ---- a node's ---- */

struct quorum;

struct sim_raft {
    struct stored disk;              /* outlives the process */
    struct quorum *quorum;           /* NULL: no process */
    uint32_t life;                   /* rises with every start and every end */
    int64_t busy_until;              /* its thread waits for the disk; world time */
    int stands_still;                /* faults under way: its thread runs not */
    uint64_t proposals, yields;      /* that its pump asked for, ever */
};

struct raft_world {
    struct sim_raft rafts[SIM_NODES_MAX];
    struct raft_line lines[SIM_NODES_MAX][SIM_NODES_MAX][RAFT_LINE_KINDS];
    struct raft_packet *packets[RAFT_PACKETS_MAX];
    int mangle_percent;
};

void raft_world_begin(struct world *world);
void raft_world_end(struct world *world);        /* all of its memory */
struct quorum_chair;
/* A node's chair, with its raft under it. */
struct quorum_chair *raft_open_chair(struct world *world, int node, void *owner, void (*ask)(void *owner, const struct store_request *request),
                                     void (*say)(void *owner, const struct event *event), void (*note)(void *owner, const char *sentence));

/* Happenings of its thread; a thread that stands still lets them wait. */
bool raft_stands_still(const struct world *world, int node);
int64_t raft_busy_until(const struct world *world, int node);
void raft_tick(struct world *world, int node);
void raft_beat(struct world *world, int node);
void raft_disk_done(struct world *world, int node);
void raft_sent(struct world *world, int node);
void raft_take_told(struct world *world, int node);
void raft_arrives(struct world *world, int packet);
int raft_receiver(const struct world *world, int packet);
/* Of the pump: the picture and what was heard. */
void raft_rung(struct world *world, int node);

#endif
