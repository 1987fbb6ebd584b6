/* Nodes that agree, in simulated time: the real consensus and the real raft library on false disks, a false network and clocks of
 * their own. One seed is one story, the same to the byte.
 *
 *   world.c    events in the order of true time, and what a story's lines do
 *   machine.c  a node: its clock, its process, what the consensus is lent
 *   disk.c     when a write is made, and what goes wrong with it; stored.c: what is durable and what is not yet
 *   wire.c     what passes between two, and when; sent.c: raft's messages, copied
 *   judge.c    what must hold
 *
 * True time is in microseconds from 0 and known to the world and the judge alone. A node's clock runs up to half of the promised drift
 * faster or slower, from a moment of its own. */
#ifndef FC_QUORUMSIM_WORLD_H
#define FC_QUORUMSIM_WORLD_H

#include "backends/quorum/consensus_inside.h"
#include "base/rng.h"
#include "quorumsim/sent.h"
#include "quorumsim/plot.h"
#include "quorumsim/stored.h"

#define SIM_NODES_MAX PLOT_NODES_MAX
#define DRIFT_PERCENT 10                 /* LeaseDriftPercent of every node */
#define OUTSTANDING_MAX 256
#define ORDER_LIMIT_ELECTIONS 8
#define STORY_LINES 120                  /* the last ones of a story, kept for when it breaks */

struct world;

/* ---- disk ---- */

struct disk {
    struct stored stored;
    bool is_broken;                      /* an append failed: the library takes none any more in this process */
    /* what is wrong with it */
    bool is_full;
    int64_t slow_us;                     /* 0 = as usual */
    int writes_left;                     /* then the power is gone; -1 = it stays */
};

/* ---- wire ---- */

enum line_kind { LINE_RAFT, LINE_FRAMES, LINE_KINDS };

/* A connection that `from` made to `to`. Packets of one direction keep their order, as TCP's do; what a cut path holds back comes
 * after it, unless the connection ended in between. */
struct wire_line {
    uint32_t epoch;                      /* rises when it ends */
    bool is_up;
    int64_t again_at, up_at;             /* while not up */
    int64_t last_at[2], blocked_until[2], stuck_since[2];      /* forward, back */
    int under_way;
};

struct packet {
    int from, to;                        /* of this packet */
    enum line_kind kind;
    bool is_back;                        /* an answer on the line that `to` made */
    uint32_t epoch;
    int64_t left_at;
    struct frame frame;
    struct raft_message message;         /* deep */
};

/* ---- machine ---- */

enum asked_for { ASKED_ENTRY, ASKED_YIELD, ASKED_SNAPSHOT };
struct outstanding { uint64_t number; enum asked_for what; };

struct machine {
    struct world *world;
    int place;
    bool is_up, is_ending;
    bool lacks_entries;                  /* its disk lost what it had called durable, and no leader has given it back yet */
    bool is_wiped, may_stay_out;         /* its directory was lost after it had taken part; after others may have known it */
    uint32_t life;                       /* rises with every start and every end */
    int64_t clock_begin_us, clock_ppm;
    int64_t frozen_until, busy_until;    /* true time */
    int64_t back_at;                     /* when it is started again; 0 = it runs, or not by itself */
    struct fc_rng chance;
    struct quorum_settings settings;
    struct consensus *consensus;         /* NULL: no process */
    struct raft_io *io;
    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    int64_t tick_every_us;
    struct sent_waiting *sends;
    struct disk disk;
    bool stands, is_ended;

    /* what its pump knows */
    uint64_t next_number, open_order, last_number;       /* last: asked for when all was well again; none of it may fail */
    int outstanding_count;
    struct outstanding outstanding[OUTSTANDING_MAX];
    struct quorum_view view;
    int64_t permitted_until;             /* true time */
};

/* ---- judge ---- */

#define CANON_MAX 8192
#define TERMS_MAX 4096

struct canon_entry { uint64_t entry, state; char issuer[NODE_NAME_SIZE]; uint64_t number; };

struct judge {
    struct canon_entry canon[CANON_MAX]; /* by how many entries came before: the one order that every node applies */
    uint64_t acknowledged;               /* the furthest place that somebody was told of */
    int8_t leader_of[TERMS_MAX];         /* place + 1 */
    const char *rule;                    /* which one broke; NULL = none */
    char broken[256];
};

/* ---- world ---- */

enum event_kind { EVENT_TICK, EVENT_BEAT, EVENT_ARRIVE, EVENT_DISK, EVENT_SENT, EVENT_BACK, EVENT_LINE, EVENT_LINE_END, EVENT_KIND_COUNT };

struct world_event {
    int64_t at;
    uint64_t order;
    enum event_kind kind;
    int node;                            /* whose; -1 = nobody's */
    uint32_t life;
    void *what;
};

struct tally {
    uint64_t stories, steps, faults, heals, healed_us_all, healed_us_most;
    uint64_t entries, acknowledged, failed, repeated;
    uint64_t elections, leases, withheld, yields_done, yields_failed, snapshots_taken, snapshots_installed, snapshots_asked;
    uint64_t lost_tails, lied_tails, full_disks, power_cuts, wiped_out, outs, frames, messages, lost_frames, doubled_frames, broken_lines;
};

struct world {
    const struct plot *plot;
    int64_t now;
    uint64_t step, orders_given;
    struct fc_rng chance;
    int node_count;
    struct machine nodes[SIM_NODES_MAX];
    struct wire_line lines[SIM_NODES_MAX][SIM_NODES_MAX][LINE_KINDS];
    int cut[SIM_NODES_MAX][SIM_NODES_MAX];       /* how many faults cut this direction */
    int lossy_percent, late_ms, mangle_percent;
    bool is_healed;
    int64_t healed_at, led_at;           /* led_at: since the heal; 0 = not yet */
    struct world_event *heap;
    int heap_count, heap_room;
    uint64_t next_order;
    struct plot_line running[PLOT_LINES_MAX];    /* with the parties that they were begun with */
    struct judge judge;
    struct tally *tally;
    bool is_told, is_printed;
    char story[STORY_LINES][200];
    uint64_t story_count;
};

struct run_options { const struct plot *plot; bool is_told, is_printed; };

/* True when no rule broke; else world->judge says which one and how. */
bool world_run(struct world *world, const struct run_options *options, struct tally *tally);
void world_at(struct world *world, int64_t at, enum event_kind kind, int node, void *what);
void world_again(struct world *world, const struct world_event *event, int64_t at);      /* keeps its place among those of one moment */
void world_tell(struct world *world, int node, const char *format, ...) __attribute__((format(printf, 3, 4)));
void world_print_end(const struct world *world);
int64_t world_between(struct world *world, int64_t from, int64_t to);       /* both included */
bool world_percent(struct world *world, int64_t percent);
int64_t world_election_us(const struct world *world);

/* ---- machine.c ---- */
void machine_init(struct machine *m, struct world *world, int place);
void machine_start(struct machine *m);
/* All of its memory goes; `is_orderly`: what was asked of the disk is done first. */
void machine_end(struct machine *m, bool is_orderly);
void machine_done(struct machine *m);
/* Its own clock, also as true time, while it waits for a write that its thread makes itself. */
struct fc_time machine_clock(const struct machine *m);
int64_t machine_true(const struct machine *m, struct fc_time own);
/* True time as this process has it: later than the world's while it waits for its disk. */
int64_t machine_now(const struct machine *m);
void machine_order(struct machine *m);
void machine_yield(struct machine *m, int to);
void machine_snapshot(struct machine *m);
void machine_beat(struct machine *m);
bool machine_is_out(const struct machine *m);
extern const struct birth_files machine_files;

/* ---- disk.c ---- */
void disk_lend(struct machine *m, struct raft_io *io);
void disk_done(struct machine *m);                       /* the first operation is through */
/* The process is gone: nothing is asked of the disk any more. Callbacks are made with RAFT_CANCELED. Orderly: all operations are through;
 * else a beginning of them, by chance. */
void disk_let_go(struct machine *m, bool is_orderly);
void disk_wipe(struct disk *disk);                       /* another one in its place */
/* The last entries, that were called durable, are gone. How many there were to lose. */
int disk_lose_tail(struct disk *disk, int count);
enum fc_code disk_file_read(const struct birth *birth, const char *file, char *to, size_t size, struct fc_err *err);
enum fc_code disk_file_write(const struct birth *birth, const char *file, const char *text, struct fc_err *err);

/* ---- wire.c ---- */
void wire_lend(struct machine *m, struct raft_io *io);
bool wire_send_frame(struct machine *m, int to, const struct frame *frame);
bool wire_is_up(struct world *world, int from, int to, enum line_kind kind);
void wire_break(struct world *world, int from, int to, enum line_kind kind);
void wire_break_all(struct world *world, int node);
void wire_arrive(struct world *world, const struct world_event *event);
void wire_drop(struct world *world, struct packet *packet);

/* ---- judge.c ---- */
void judge_init(struct judge *judge);
void judge_step(struct world *world);
void judge_shown(struct machine *m, const struct quorum_view *view);
void judge_heard(struct machine *m, const struct quorum_heard *heard);
void judge_state(struct machine *m);
void judge_end(struct world *world);
void judge_break(struct world *world, const char *rule, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
