/* The lease of a raft leader, as arithmetic. spec/steering.md 9: a leader may act only while a majority has confirmed it
 * within the lease on its own clock.
 *
 * The leader sends each voter a ping with its term and the moment of sending. A voter that knows no later term promises by its
 * answer to help nobody else to be elected for one lease from when it heard the ping; the leader promises the same to itself.
 * So from the moment of sending until one lease later (less the drift margin, on the leader's clock) a majority stands still,
 * and no other leader can be elected without one of that majority. A promise is released by the leader alone, and only when it
 * has already stopped acting (yield). Every process starts with a promise of one lease to nobody, because it does not know what
 * it promised in its earlier life. No clock is compared with another node's; no disk is waited for.
 *
 * What raft itself offers is not enough for that: its leader steps down only after one to two election time-outs without a
 * majority, and counts from when an answer was received, not from when its question was sent (docs/adr). */
#ifndef FC_BACKENDS_QUORUM_PROMISE_H
#define FC_BACKENDS_QUORUM_PROMISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"

#define QUORUM_NODES_MAX 9

/* The voter's side. */
struct promise {
    uint64_t leader, term;           /* to whom; 0 = nobody in particular (after the start) */
    uint64_t asked;                  /* the number of the latest ping: the leader's own moment of sending */
    struct fc_time until;            /* before that no vote is given and none asked for */
};

void promise_init(struct promise *promise, struct fc_span lease, struct fc_time now);
/* A ping `number` of `leader` in `term` was heard; own_term is raft's. Returns whether the answer may confirm it. */
bool promise_give(struct promise *promise, uint64_t leader, uint64_t term, uint64_t number, uint64_t own_term, struct fc_span lease,
                  struct fc_time now);
/* The leader let go, and said so by `number`. False when the promise is another one, or was given anew since; it stays. */
bool promise_release(struct promise *promise, uint64_t leader, uint64_t term, uint64_t number, struct fc_time now);
bool promise_lets_vote(const struct promise *promise, struct fc_time now);

/* The leader's side: sent_at[i] is when the latest ping that voter i confirmed in this term was sent (FC_EVER: none); the
 * leader's own place holds when it last sent pings. Returns until when it may act; FC_EVER when no majority has confirmed. */
struct fc_time confirmed_until(const struct fc_time *sent_at, int voters, struct fc_span lease, int drift_percent);

#endif
