/* The deciding row: who leads, who sits, and what is being moved. One row named "lease" on every server of the store.
 *
 * spec/steering.md 4: the row carries its literal rank (epoch, seq, server, node) and only ever rises, so that applied
 * twice, late or in the other order it is the same row on both servers. Leadership and chair of the store's own pair live
 * in one row because either change raises the same epoch: what is one fact cannot contradict itself. */
#ifndef FC_MODEL_DECISION_H
#define FC_MODEL_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_SIZE 80       /* a server's identity with its zero byte */
#define NODE_NAME_SIZE 64      /* a firstchair node's name with its zero byte */
#define WHY_SIZE 128           /* one plain sentence */
#define MARK_SIZE 40
#define RANK_MAX (UINT64_C(1) << 53)   /* of epoch and seq: a thousand a second for 280,000 years; beyond, somebody lies */

/* What an order does to the members of the raft group: a newcomer learns the log first, and votes when it is promoted. */
enum member_change { MEMBER_ADD = 0, MEMBER_PROMOTE, MEMBER_REMOVE };

enum phase {
    PHASE_SEATED = 0,   /* `server` sits ("" = nobody yet); `node` leads ("" = nobody: anyone may take the lease at once) */
    PHASE_MOVING,       /* revoked: nobody sits; `node` moves the chair from `server` to `successor` */
    PHASE_COUNT
};

struct rank {
    uint64_t epoch;                    /* the chair's age; never falls */
    uint64_t seq;                      /* renewals within the epoch */
    char server[IDENTITY_SIZE];        /* identity of the server that sits (or sat, while moving) */
    char node[NODE_NAME_SIZE];         /* the node that leads: "NAME~MARK", the mark new at each process start */
};

struct decision {
    struct rank rank;
    enum phase phase;
    char successor[IDENTITY_SIZE];     /* only while moving; may equal rank.server (a new seating of the same server) */
    uint64_t intent_id;                /* of the move; 0 when none */
    uint32_t limit_ms;                 /* the move's bound, counted by each watcher from when it first saw the intent */
    char why[WHY_SIZE];                /* why this server sits or the chair moves */
    char mark[MARK_SIZE];              /* what the seating could not assure, "" = nothing: model/mark.h */
};

/* < 0, 0 or > 0: epoch, then seq, then server, then node, texts bytewise. The same order as the SQL row comparison. */
int rank_compare(const struct rank *a, const struct rank *b);
bool rank_is_same_turn(const struct rank *a, const struct rank *b);    /* same epoch and seq */

const char *phase_word(enum phase phase);                              /* "seated", "moving" */
bool phase_from_word(const char *word, enum phase *ret);

/* Is the row possible: a known phase, printable names, no move without a leader and a successor? What a server says is
 * checked here once, before anybody decides by it. */
bool decision_is_sound(const struct decision *decision);
bool decision_is_same_seat(const struct decision *a, const struct decision *b);      /* the same server sits by both */
bool decision_is_free(const struct decision *decision);                /* nobody leads */

/* "fc1~7f3a9c" -> "fc1". */
void node_name_of(const char *node, char *to, size_t size);

#endif
