/* What the two sides of the quorum share: the pump's (quorum.c) and the thread's (quorum_thread.c). For these two files only. */
#ifndef FC_BACKENDS_QUORUM_INSIDE_H
#define FC_BACKENDS_QUORUM_INSIDE_H

#include <pthread.h>
#include <raft.h>
#include <raft/uv.h>

#include "backends/quorum/quorum.h"

#define TOLD_MAX (QUORUM_PROPOSALS_MAX + 16)

enum told_kind { TOLD_PROPOSE, TOLD_STAND, TOLD_YIELD, TOLD_SNAPSHOT, TOLD_END };

/* From the pump to the thread. */
struct told {
    enum told_kind kind;
    uint64_t number;
    int to;                              /* YIELD; STAND: 0 or 1 */
    uint32_t limit_ms;
    size_t length;
    uint8_t bytes[SHARED_ENTRY_SIZE];
};

struct proposal {
    uint64_t number;                     /* 0: free */
    struct fc_time deadline, next_try;   /* next_try FC_NEVER: in this node's own log, to be heard of */
    size_t length;
    uint8_t bytes[SHARED_ENTRY_SIZE];
};

struct quorum_raft {                     /* the thread's alone */
    uv_loop_t loop;
    uv_timer_t tick;
    uv_check_t turn;
    struct raft_uv_transport transport;
    struct streams *streams;
    struct raft raft;
    struct raft_io io, below;            /* below: the library's own calls, under ours */
    raft_io_recv_cb recv;
    struct raft_fsm fsm;
    bool has_transport, has_io, has_raft, is_running, is_ending, is_raft_closed, is_streams_closed;
    int handles_open;

    struct birth birth;
    int marks_shown;                     /* others that know our mark */
    bool has_shown[QUORUM_NODES_MAX];
    uint64_t ids[QUORUM_NODES_MAX];
    struct fc_time now, next_beat;

    struct promise promise;
    struct fc_time confirmed[QUORUM_NODES_MAX];
    struct fc_time heard_at[QUORUM_NODES_MAX], asked_at[QUORUM_NODES_MAX];   /* asked_at: since when an answer is missing; EVER none */
    uint64_t led_term;                   /* 0: does not lead */
    struct raft_barrier barrier;
    bool is_ready, is_barrier_out;
    uint64_t barrier_term;

    bool stands;
    struct fc_time paused_until, led_at; /* led_at: when a leader was last known */
    uint64_t yielding;                   /* number; 0 none */
    int yield_to;
    uint32_t yield_pause_ms;
    struct fc_time yield_by;
    uint64_t yield_round;
    bool has_released[QUORUM_NODES_MAX], may_stand[QUORUM_NODES_MAX];
    bool is_transferring;
    struct raft_transfer transfer;

    uint64_t snapshotting;
    struct fc_time snapshot_by;
    raft_index snapshot_before;
    struct raft_barrier snapshot_barrier;
    bool is_snapshot_barrier_out;

    struct proposal proposals[QUORUM_PROPOSALS_MAX];
    uint64_t elections_won, votes_withheld;
    char why[200];
    bool is_out;
    struct shared_state state;
};

struct quorum {
    const struct host *host;
    struct host_watch *watch;
    struct quorum_settings settings;
    struct quorum_port port;
    pthread_t thread;
    bool has_thread;
    int event_fd;
    uv_async_t wake;                     /* of the thread's loop */

    pthread_mutex_t lock;                /* over what follows */
    struct told told[TOLD_MAX];
    int told_head, told_count;
    struct quorum_heard heard[QUORUM_HEARD_MAX];
    int heard_head, heard_count;
    bool must_hand_over;                 /* the whole state follows, and single entries of others are left out until then */
    struct shared_state *handed_over;    /* to be heard; owned by the queue */
    struct quorum_view view;
    char said[4][240];
    int said_count;
    bool is_loop_gone;

    struct quorum_raft inside;
};

/* quorum_thread.c */
enum fc_code quorum_inside_open(struct quorum *quorum, struct fc_err *err);      /* before the thread runs */
void *quorum_inside_run(void *quorum);
/* The thread's side of the queues, in quorum.c. */
bool quorum_told_take(struct quorum *quorum, struct told *ret);
void quorum_say(struct quorum *quorum, const char *format, ...) __attribute__((format(printf, 2, 3)));
void quorum_hear(struct quorum *quorum, const struct quorum_heard *heard);
void quorum_hear_state(struct quorum *quorum, const struct shared_state *state);
void quorum_show(struct quorum *quorum, const struct quorum_view *view);
struct fc_time quorum_now(void);

#endif
