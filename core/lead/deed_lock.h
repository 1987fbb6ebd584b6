/* Before a managed cluster is changed: a named lock on its own servers (docs/adr/0028), so that two leaders, or one that slept and wakes up,
 * never change it at the same time. This decides; backends/mysql/mysql_locks.h has the sessions.
 *
 *      on each server:   take  ->  held
 *                        take  ->  somebody holds it: end that session  ->  take
 *                        any   ->  lost: out of reach, the session is over, or too late; for good
 *
 * Permitted is a deed when the lock is held on the server that it is about and on more than half of those that were in sight when this began, and
 * nobody else is still being dealt with: a server gives its lock only when the session that had it is over, with everything that this one had sent.
 * From then on every deed goes through the session that holds the lock of its server; a session that ends is not made anew, so what a leader sends
 * too late is never heard. One lock a server, whatever its cluster is called: names of clusters change with their masters.
 *
 * Who may end a holder? A node that may act by its own lease at the moment at which it hears who that is: no newer leader can have been the holder then. */
#ifndef FC_LEAD_DEED_LOCK_H
#define FC_LEAD_DEED_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"

#define DEED_LOCK_NAME "firstchair deeds"    /* at most 64 characters (MySQL 5.7), any case */
#define DEED_LOCK_ENDS_MAX 5                 /* holders ended on one server; who then still takes it is alive and means it */
#define DEED_LOCK_REST_MS 500                /* enough hold it: the others are waited for so long, and then left out */

enum deed_lock_state {
    DEED_LOCK_TAKING = 0,            /* asked for, or to be asked for */
    DEED_LOCK_ENDING,                /* somebody holds it: that session is to be ended, then it is asked for again */
    DEED_LOCK_HELD,
    DEED_LOCK_LOST,
    DEED_LOCK_STATE_COUNT
};

struct deed_lock_server { enum deed_lock_state state; uint64_t holder; int ended_count; };

enum deed_lock_verdict {
    DEED_LOCK_AWAITED = 0,
    DEED_LOCK_PERMITS,
    DEED_LOCK_REFUSED,               /* it never permitted a deed, and never will */
    DEED_LOCK_OVER,                  /* it permitted, and does not any more */
    DEED_LOCK_VERDICT_COUNT
};

/* What came of it on one server. */
enum deed_lock_word {
    DEED_LOCK_GIVEN = 0,             /* the lock is ours */
    DEED_LOCK_TAKEN,                 /* somebody has it: `holder` says who; 0: it has just been given back */
    DEED_LOCK_GONE,                  /* out of reach, refused, or the session is over */
    DEED_LOCK_WORD_COUNT
};

struct deed_lock {
    struct deed_lock_server *servers;    /* lent; as long as this */
    int count, target;
    int by[DEED_LOCK_STATE_COUNT];   /* so many servers in each state */
    struct fc_time until;            /* not obtained by then: refused */
    struct fc_time rest_until;       /* FC_NEVER: too few hold it yet to leave others out */
    enum deed_lock_verdict verdict;
    const char *because;             /* of a refusal or an end, in words; never NULL */
};

/* `servers`: those of the cluster that are in sight, count >= 1, all asked for the lock from now on; `target` is the one that the deed is about. */
void deed_lock_begin(struct deed_lock *lock, struct deed_lock_server *servers, int count, int target, struct fc_time until);
/* `may_act_until`: of this node, as it knows at this moment. */
void deed_lock_hear(struct deed_lock *lock, int server, enum deed_lock_word word, uint64_t holder, struct fc_time now, struct fc_time may_act_until);
/* Time has passed. */
void deed_lock_tick(struct deed_lock *lock, struct fc_time now, struct fc_time may_act_until);
/* When it wants to be ticked; FC_NEVER: not. */
struct fc_time deed_lock_wakes_at(const struct deed_lock *lock, struct fc_time may_act_until);
/* May a deed be sent to this server, at this moment? */
bool deed_lock_permits(const struct deed_lock *lock, int server, struct fc_time now, struct fc_time may_act_until);

#endif
