/* Snapshots on request. */
#include "backends/quorum/consensus_inside.h"

#include "base/text.h"

#define SNAPSHOT_WAIT_MS 5000

static void snapshot_barrier_passed(struct raft_barrier *request, int status)
{
    struct consensus *c = request->data;
    (void)status;
    c->is_snapshot_barrier_out = false;
}

/* The leader is asked for an entry that says nothing. Nobody waits for it: its effect is the snapshot. */
static void lengthen_the_log(struct consensus *c)
{
    const int leader = consensus_leader(c);
    struct frame frame = { .kind = FRAME_PROPOSE };
    struct shared_entry entry = { .deed = STORE_LOOK, .number = 1 };
    TEXT_SET(entry.issuer, c->settings->node);
    if (leader >= 0 && shared_entry_encode(&entry, frame.payload, sizeof frame.payload, &frame.length) == FC_OK)
        consensus_send(c, leader, &frame);
}

/* The library takes one by itself when so many entries were applied since the last: the number is lowered until it has. */
void consensus_snapshot(struct consensus *c, uint64_t number)
{
    c->now = consensus_clock(c);
    if (!c->is_running || c->snapshotting != 0) {
        consensus_tell_end(c, number, QUORUM_ENDED, FC_BUSY, c->is_running ? "a snapshot is being taken" : "raft does not run yet");
        return;
    }
    c->snapshotting = number;
    c->snapshot_by = fc_plus(c->now, fc_ms(SNAPSHOT_WAIT_MS));
    c->snapshot_before = c->raft.log.snapshot.last_index;
    raft_set_snapshot_threshold(&c->raft, 1);
    if (!consensus_leads(c))
        lengthen_the_log(c);
    else if (!c->is_snapshot_barrier_out) {
        c->snapshot_barrier.data = c;
        c->is_snapshot_barrier_out = raft_barrier(&c->raft, &c->snapshot_barrier, snapshot_barrier_passed) == 0;
    }
}

void consensus_end_snapshot(struct consensus *c, enum fc_code code, const char *text)
{
    const uint64_t number = c->snapshotting;
    if (number == 0)
        return;
    c->snapshotting = 0;
    raft_set_snapshot_threshold(&c->raft, (unsigned)c->settings->snapshot_entries);
    consensus_tell_end(c, number, QUORUM_ENDED, code, text);
}

void consensus_go_on_snapshotting(struct consensus *c)
{
    if (c->snapshotting == 0)
        return;
    if (c->raft.log.snapshot.last_index > c->snapshot_before && c->raft.snapshot.pending.term == 0)
        consensus_end_snapshot(c, FC_OK, "");
    else if (fc_reached(c->snapshot_by, c->now))
        consensus_end_snapshot(c, FC_TIMEOUT, "nothing new was in the log, or the disk did not take it in time");
}
