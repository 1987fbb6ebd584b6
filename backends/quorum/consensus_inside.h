/* What the files of the consensus share and nobody else sees; the struct is here so that who runs it can hold it.
 *
 * consensus.c its life and its picture; consensus_io.c between raft and its I/O; consensus_disk.c how its disk does; consensus_log.c what the log applies and the entries
 * on their way into it; consensus_lease.c pings and what they confirm; consensus_yield.c; consensus_snapshot.c; consensus_peers.c what
 * members ask and answer; consensus_members.c who is a member, and orders that change it. */
#ifndef FC_BACKENDS_QUORUM_CONSENSUS_INSIDE_H
#define FC_BACKENDS_QUORUM_CONSENSUS_INSIDE_H

#include "backends/quorum/consensus.h"

#define REFUSED_NOT_LEADER 1
#define REFUSED_BUSY 2

struct proposal {
    uint64_t number;                     /* 0: free */
    struct fc_time deadline, next_try;   /* next_try FC_NEVER: in this node's own log, to be heard of */
    size_t length;
    uint8_t bytes[SHARED_ENTRY_SIZE];
};

struct appending;

/* How a mark that was shown stands to who was asked (FRAME_MARK_TELL). */
enum mark_standing {
    STANDING_OPEN = 0,                   /* the asked node takes no part itself yet */
    STANDING_FOUNDER,                    /* a member by its name alone */
    STANDING_ADDED,                      /* a member with this mark */
    STANDING_OTHER,                      /* a member with another mark: what had it is lost */
    STANDING_NONE                        /* there is a group, and it is no member of it */
};

enum change_step { CHANGE_SHOWS = 0, CHANGE_ENTERS, CHANGE_LEARNS, CHANGE_VOTES, CHANGE_LEAVES };

struct change {                          /* of the members, on the leader; one at a time */
    uint64_t number;                     /* 0: none */
    enum change_step step;               /* the next to be taken, or under way (is_out) */
    int place;
    uint64_t id;
    char address[ADDRESS_SIZE];
    struct fc_time since;
};

/* Up to where the own log is known to be that of the leader of this term. */
struct agreed { raft_term term; raft_index index; };

struct consensus {
    const struct quorum_settings *settings;
    struct consensus_world world;
    struct raft raft;
    struct raft_io io, below;            /* below: the world's own calls, under ours */
    raft_io_recv_cb recv;
    raft_io_tick_cb tick;
    raft_io_close_cb io_closed;
    bool is_disk_lost;                   /* a write failed, or raft is being closed: consensus_io.c */
    char disk_error[160];
    struct appending *failed_appends;
    struct unsent *unsent;
    struct quorum_disk_view disk;
    int appends_out;
    bool is_handing_over;                /* leads on a slow disk: no lease is taken any more, and when this one is over another shall lead */
    struct fc_time acts_until, hand_over_again;
    bool waits_for_disk;                 /* raft is closed after a failed write, and begins anew when there is room */
    struct fc_time disk_again;
    char disk_why[QUORUM_SENTENCE_SIZE];
    struct raft_fsm fsm;
    bool has_raft, is_running, is_raft_closing, is_ending;
    void (*closed)(void *owner);

    struct birth birth;
    int marks_shown;                     /* others that know our mark */
    bool has_shown[ROSTER_PLACES_MAX], is_mark_refused[ROSTER_PLACES_MAX];
    bool may_join;                       /* out, and would take part if the group took it in */
    struct fc_time now;

    struct agreed agreed, arriving;      /* arriving: while raft takes what a leader sent; it agrees unless raft refuses it */
    bool is_short;                       /* its log ends before what it had confirmed: neither votes nor stands until it is given back */

    struct roster roster;
    raft_index taken_index, taken_uncommitted;      /* of the configuration that the roster shows */
    struct fc_time voters_changed_at;
    uint64_t members_asked;              /* counts questions */
    int told_count;                      /* of the members that were told one after the other; -1: this node was among them */
    char mark_of[ROSTER_PLACES_MAX][BIRTH_MARK_SIZE];      /* as shown to this node lately, by a directory that takes no part yet */
    struct fc_time shown_at[ROSTER_PLACES_MAX];
    struct change change;
    struct raft_change change_request;
    bool is_change_out;

    struct promise promise;
    struct fc_time confirmed[ROSTER_PLACES_MAX];
    struct fc_time heard_at[ROSTER_PLACES_MAX], raft_heard_at[ROSTER_PLACES_MAX];      /* by any stream; by raft's */
    struct fc_time asked_at[ROSTER_PLACES_MAX];    /* since when an answer is missing; EVER none */
    struct pong { struct fc_time heard_at; uint64_t theirs; } pongs[ROSTER_PLACES_MAX];     /* of the term led; theirs: by their clock */
    struct fc_time voiced_at;            /* the latest moment at which who may act is known to have had the chair as it is here */
    struct chair_words words;            /* of the chair as it is here; whoever leads passes them on */
    struct fc_time words_at;             /* when they were true at the latest, by this node's clock */
    uint64_t led_term;                   /* 0: does not lead */
    struct raft_barrier barrier;
    bool is_ready, is_barrier_out;
    uint64_t barrier_term;

    bool stands;
    struct fc_time paused_until, led_at; /* led_at: when a leader was last known that was no witness */
    uint64_t witness_term;               /* in which a witness that leads has asked to be followed */
    uint64_t yielding;                   /* number; 0 none */
    int yield_to;
    uint32_t yield_pause_ms;
    struct fc_time yield_by;
    uint64_t yield_round;
    bool has_released[ROSTER_PLACES_MAX], may_stand[ROSTER_PLACES_MAX];
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

/* ---- short words ---- */
static inline int founders(const struct consensus *c) { return c->settings->member_count; }
static inline int voters(const struct consensus *c) { return roster_voters(&c->roster); }
static inline bool is_voter(const struct consensus *c, int place) { return c->roster.places[place].role == ROSTER_VOTER; }
static inline int own(const struct consensus *c) { return c->settings->own; }
static inline struct fc_span election(const struct consensus *c) { return fc_ms(c->settings->election_ms); }
static inline struct fc_span lease(const struct consensus *c) { return quorum_lease(c->settings); }
static inline bool is_other(const struct consensus *c, int place) { return place != own(c) && c->roster.places[place].name[0] != '\0'; }
static inline const char *name_of(const struct consensus *c, int place) { return c->roster.places[place].name; }
static inline uint64_t id_of(const struct consensus *c, int place) { return c->roster.places[place].id; }
static inline struct fc_time consensus_clock(struct consensus *c) { return c->world.now(c->world.owner); }
static inline bool consensus_send(struct consensus *c, int member, const struct frame *frame)
{
    return c->world.send(c->world.owner, member, frame);
}

/* ---- consensus.c ---- */
enum quorum_role consensus_role(struct consensus *consensus);
int consensus_leader(struct consensus *consensus);                        /* place in the roster; -1 nobody known */
bool consensus_leads(struct consensus *consensus);                        /* as raft has it; leads nothing before its barrier */
void consensus_start_raft(struct consensus *consensus);
void consensus_forget(struct consensus *consensus);       /* all that was known by the log and by others: raft begins anew */
void consensus_say(struct consensus *consensus, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What waits under `number` ends so. */
void consensus_tell_end(struct consensus *consensus, uint64_t number, enum quorum_heard_kind kind, enum fc_code code, const char *text);

/* ---- consensus_io.c ---- */
void consensus_wrap_io(struct consensus *consensus);
/* What raft_io's load gave; the snapshot may be NULL. */
void consensus_free_loaded(struct raft_snapshot *snapshot, struct raft_entry *entries, size_t count);
bool consensus_may_ask_for_votes(struct consensus *consensus);
/* Raft has read its log: does it end before the mark? */
void consensus_measure_log(struct consensus *consensus);
/* Everything that is on the own disk counts as confirmed from here on. */
void consensus_hold_stored(struct consensus *consensus);
void consensus_look_whether_whole(struct consensus *consensus);

/* ---- consensus_disk.c ---- */
void consensus_append_asked(struct consensus *consensus);
void consensus_append_done(struct consensus *consensus, struct fc_time asked_at, int status);
void consensus_stop_for_disk(struct consensus *consensus);
#define HAND_OVER_NUMBER (UINT64_C(1) << 62)     /* of a yield that nobody asked for, so nobody hears its end */
void consensus_look_at_disk(struct consensus *consensus);
void consensus_show_disk(struct consensus *consensus, struct quorum_view *view);

/* ---- consensus_log.c ---- */
extern const struct raft_fsm consensus_fsm;
struct proposal *consensus_proposal_numbered(struct consensus *consensus, uint64_t number);      /* NULL: none */
/* Into the own log, of `number` among the proposals, 0 for somebody else's; a code of raft's. */
int consensus_append(struct consensus *consensus, const uint8_t *bytes, size_t length, uint64_t number);
void consensus_look_at_proposals(struct consensus *consensus);

/* ---- consensus_lease.c ---- */
struct fc_time consensus_may_act_until(struct consensus *consensus);
struct fc_time consensus_voiced_at(struct consensus *consensus);
/* What the payload of a ping says of the chair, once it was promised to. */
void consensus_hear_chair(struct consensus *consensus, const struct frame *ping);
/* The chair was `before`: what was told of it counts for the same server, until it is moved. */
void consensus_chair_applied(struct consensus *consensus, const struct decision *before);
void consensus_ask_member(struct consensus *consensus, int member, enum frame_kind kind);
void consensus_ping_all(struct consensus *consensus);
void consensus_lay_barrier(struct consensus *consensus);
void consensus_role_changed(struct consensus *consensus);

/* ---- consensus_yield.c ---- */
void consensus_end_yield(struct consensus *consensus, enum fc_code code, const char *text);
void consensus_go_on_yielding(struct consensus *consensus, bool is_beat);

/* A witness that leads gives that away, again and again. */
void consensus_hand_over_as_witness(struct consensus *consensus);

/* ---- consensus_snapshot.c ---- */
void consensus_go_on_snapshotting(struct consensus *consensus);
void consensus_end_snapshot(struct consensus *consensus, enum fc_code code, const char *text);      /* where one was asked for */

/* ---- consensus_members.c ---- */
uint64_t consensus_own_id(const struct consensus *consensus);             /* as its directory has it; may be no member */
/* The log may say something else of the members than before. */
void consensus_take_members(struct consensus *consensus);
void consensus_know(struct consensus *consensus);                         /* the roster has changed: the world is told */
/* Up to where the log of this member is known to be the leader's; 0 unknown. */
raft_index consensus_matched(const struct consensus *consensus, int place);
void consensus_go_on_changing(struct consensus *consensus);
enum mark_standing consensus_standing(const struct consensus *consensus, int place, const char *mark);
/* Who has heard of no leader for long asks the others whether the members are still those of its log. */
void consensus_ask_for_members(struct consensus *consensus);
void consensus_members_asked(const struct consensus *consensus, const struct frame *frame, struct frame *answer);
void consensus_members_told(struct consensus *consensus, const struct frame *frame);

/* ---- consensus_peers.c ---- */
void consensus_show_mark(struct consensus *consensus);

#endif
