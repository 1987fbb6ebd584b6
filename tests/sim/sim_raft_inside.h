/* What the files of sim_raft share. */
#ifndef FC_SIM_RAFT_INSIDE_H
#define FC_SIM_RAFT_INSIDE_H

#include "backends/quorum/consensus_inside.h"
#include "quorumsim/sent.h"
#include "sim/world.h"

struct raft_packet {
    int from, to;
    enum raft_line_kind kind;
    bool is_back;
    uint32_t epoch;
    struct frame frame;
    struct raft_message message;     /* deep */
};

struct quorum *raft_quorum_of(struct world *world, int node);
struct world *raft_world_of(const struct quorum *quorum, int *node);
int64_t raft_true_now(const struct world *world, int node);      /* later than the world's while it waits for its disk */
struct consensus *raft_consensus(struct quorum *quorum);
raft_io_recv_cb raft_receives(struct quorum *quorum, struct raft_io **io);
struct sent_waiting **raft_sends(struct quorum *quorum);
void raft_turned(struct quorum *quorum);

void raft_disk_lend(struct raft_io *io);
void raft_disk_let_go(struct world *world, int node);
void raft_wait_for_disk(struct world *world, int node);

void raft_wire_lend(struct raft_io *io);
bool raft_wire_send(struct quorum *quorum, int to, const struct frame *frame);
bool raft_wire_is_up(struct world *world, int from, int to, enum raft_line_kind kind);
void raft_wire_break(struct world *world, int from, int to, enum raft_line_kind kind);
void raft_wire_break_all(struct world *world, int node);
void raft_packet_drop(struct world *world, int packet);

#endif
