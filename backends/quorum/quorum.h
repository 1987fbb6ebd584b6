/* Agreement of the nodes by raft (cowsql/raft), on one thread of its own with its own libuv loop: the library makes term and vote
 * durable synchronously, and a slow disk must not stop the answer board. Two bounded queues lead to and from the event pump; what
 * changes quickly (role, term, lease) is a picture that is read whole.
 *
 * Promises:
 *  - the picture says `leads` with an `until` only while a majority has promised this node to elect nobody else until then
 *    (promise.h), and only after everything decided before is applied here (a barrier of this term);
 *  - an entry that was reported applied is in the log of a majority, and is applied by every node in the same order, once;
 *  - a directory that was lost does not vote (birth.h).
 *
 * All functions are called from the pump's thread. */
#ifndef FC_BACKENDS_QUORUM_QUORUM_H
#define FC_BACKENDS_QUORUM_QUORUM_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/host.h"
#include "backends/quorum/birth.h"
#include "backends/quorum/promise.h"
#include "backends/quorum/roster.h"
#include "backends/quorum/shared_state.h"
#include "backends/quorum/streams.h"
#include "base/err.h"
#include "base/moment.h"
#include "model/chair_words.h"

#define QUORUM_PROPOSALS_MAX 128     /* entries of this node on their way */
#define QUORUM_HEARD_MAX 8192        /* events that wait for the pump; beyond, the whole state is handed over instead. A node that starts again
                                      * hears its whole log in one go: twice RaftSnapshotEntries */

#define QUORUM_SENTENCE_SIZE 240     /* for the log; longer ones are cut */

struct quorum_member {
    char name[NODE_NAME_SIZE];
    char address[STREAMS_ADDRESS_SIZE];  /* host:port; where the transport looks names up itself, the name */
};

struct quorum;

/* The transport that carries the streams, made and ended on the quorum's thread. */
struct quorum_transport {
    void *owner;
    enum fc_code (*make)(void *owner, struct uv_loop_s *loop, struct raft_uv_transport *ret, struct fc_err *err);
    void (*done)(void *owner, struct raft_uv_transport *transport);
    /* Who is to be known by name from now on, and where; by place. NULL: it is asked by address (the library's own transport). */
    void (*know)(void *owner, const struct roster *roster);
};

struct quorum_settings {
    char dir[BIRTH_DIR_SIZE];            /* RaftDataDir */
    char node[NODE_NAME_SIZE];           /* NAME~MARK, the issuer of this process's entries */
    int member_count, own;               /* RaftNodes: founders and address book; own: this node's place among them */
    struct quorum_member members[QUORUM_NODES_MAX];
    bool is_witness;                     /* it votes, is elected when nobody else can be, and then hands leadership over at once */
    bool forms_alone;                    /* an empty directory becomes a new group of this node alone (raft-restore) */
    int election_ms;                     /* a follower stands after one to two of these without a leader */
    int drift_percent;
    int snapshot_entries, trailing_entries;
    struct quorum_transport transport;
};

/* From election_ms: a heartbeat and a ping each tenth, a lease of three quarters, so that promises are over before anybody stands. */
struct fc_span quorum_lease(const struct quorum_settings *settings);

enum quorum_role { QUORUM_STARTING = 0, QUORUM_ALONE, QUORUM_FOLLOWER, QUORUM_CANDIDATE, QUORUM_LEADER, QUORUM_OUT };

/* FC_EVER: never. heard_at: by any stream; raft_heard_at: by raft's own, which carries the log (between followers: hardly ever). */
struct quorum_peer_view { struct fc_time heard_at, raft_heard_at; bool is_open; };

struct quorum_disk_view {
    uint64_t appends, failures;          /* appends to the log that became durable; that did not */
    struct fc_span last, total;          /* how long the last took, and all of them */
    struct fc_time waits_since;          /* since when the log waits for the disk; FC_EVER: it does not */
    bool is_slow;                        /* for so long that `why` says so */
    uint64_t held_index;                 /* up to where this node ever said that it holds the log */
};

struct quorum_view {
    enum quorum_role role;               /* STARTING: shows its mark; OUT: must not or cannot take part, `why` says it */
    uint64_t term, last_index, applied_index, snapshot_index;
    int leader;                          /* place in the roster; -1 nobody known */
    bool is_ready;                       /* leader, and everything before is applied */
    struct fc_time until;                /* leader: until when it may act; FC_EVER without a majority */
    struct rank voiced;                  /* of the chair as applied here */
    struct fc_time voiced_at;            /* the latest moment at which somebody who might act is known to have had a chair that was
                                          * then the one here; FC_EVER: never. Counts for `voiced` if that has not changed since */
    struct chair_words words;            /* of `voiced`, as its leader tells it */
    char why[200];
    struct roster roster;
    struct quorum_peer_view peers[ROSTER_PLACES_MAX];
    uint64_t log_matched[ROSTER_PLACES_MAX];     /* on the leader: up to where a member's log is known to be ours */
    uint64_t elections_won, votes_withheld, entries, repeated, strange;
    struct quorum_disk_view disk;
    int proposals;
    struct streams_counters streams;
};

enum quorum_heard_kind {
    QUORUM_APPLIED,                      /* an entry, applied by the log */
    QUORUM_FAILED,                       /* an own entry (number) that will not be waited for any more: code, text */
    QUORUM_STATE,                        /* the whole state as it stands now, in place of single entries */
    QUORUM_ENDED                         /* a yield, a snapshot or a change of members (number): code, text */
};

struct quorum_heard {
    enum quorum_heard_kind kind;
    uint64_t number;                     /* APPLIED: own entry's number, 0 when somebody else's */
    enum fc_code code;
    char text[160];
    struct shared_entry entry;           /* APPLIED */
    bool stands;                         /* APPLIED, of the chair: it is now as the entry says */
    const struct shared_state *state;    /* STATE; borrowed for the call */
};

struct quorum_port {
    void *owner;
    void (*heard)(void *owner, const struct quorum_heard *heard);
    void (*changed)(void *owner, const struct quorum_view *view);     /* after what was heard before it; often */
    void (*say)(void *owner, const char *sentence);                   /* for the log; rare */
};

/* Opens the directory and starts the thread. FC_BAD_CONFIG, FC_STORE: it cannot take part with this directory. */
enum fc_code quorum_open(const struct host *host, const struct quorum_settings *settings, const struct quorum_port *port,
                         struct quorum **ret, struct fc_err *err);
/* False when the queue is full. Ends with APPLIED or FAILED under this number, which rises from 1. */
bool quorum_propose(struct quorum *quorum, uint64_t number, const struct shared_entry *entry, uint32_t limit_ms);
void quorum_stand(struct quorum *quorum, bool stands);
/* The caller has stopped acting. `to`: place of a voter, or -1 for whoever is best. ENDED under `number`. */
bool quorum_yield(struct quorum *quorum, uint64_t number, int to, uint32_t pause_ms);
bool quorum_snapshot(struct quorum *quorum, uint64_t number);
/* Adds a learner (address: host:port), makes it a voter, or removes a member: one at a time, on the leader. ENDED under `number`. */
bool quorum_change_members(struct quorum *quorum, uint64_t number, enum member_change change, const char *name, const char *address);
/* Who leads tells, beside the chair of this rank, what others cannot see of it. Told to all who vote or learn with the pings from then on. False: the queue is full. */
bool quorum_tell_words(struct quorum *quorum, const struct rank *rank, const struct chair_words *words);
/* STATE is heard after a beat, with all in it that was heard before. */
void quorum_hand_over(struct quorum *quorum);
/* Stops the thread; waits for it a bounded time (a hanging disk may keep it longer: then it is left to the process's end). */
void quorum_close(struct quorum *quorum);

/* The id of a founder comes from its name alone; by it the transport knows every name (roster.h). */
uint64_t quorum_member_id(const char *name);

const char *quorum_role_word(enum quorum_role role);

#endif
