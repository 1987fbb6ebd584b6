/* The sessions of the lock that stands before every deed on a managed cluster (lead/deed_lock.h: what it is, and when it permits).
 *
 * One session a server, opened for one lock, never made anew. Everything that a deed says to a server goes through that server's session, so what
 * is sent after somebody else has taken over meets a session that is gone. A session that is idle says something each MYSQL_LOCK_KEEP_MS; a server
 * that hears nothing for MYSQL_LOCK_PATIENCE_SECONDS gives its lock free by itself. No privilege is needed beyond the one to connect: an account may end
 * its own sessions, and nodes use the same account (MySQLTopologyUser). */
#ifndef FC_BACKENDS_MYSQL_LOCKS_H
#define FC_BACKENDS_MYSQL_LOCKS_H

#include "backends/host.h"
#include "backends/mysql/mysql_probe.h"
#include "backends/mysql/mysql_session.h"
#include "lead/deed_lock.h"

#define MYSQL_LOCK_KEEP_MS 5000
#define MYSQL_LOCK_PATIENCE_SECONDS 20
#define MYSQL_LOCK_WAIT_SECONDS 1            /* for a session that was ended and is still at something */
#define MYSQL_LOCK_WHY_MAX 96

struct mysql_locks_setting {
    config_text user, password;
    struct mysql_tls tls;                    /* as in mysql_prober_setting */
    struct fc_span connect_limit, answer_limit;      /* both > 0; of the lock's own questions */
};

struct mysql_locks;                          /* all locks of this node */
struct mysql_lock;                           /* one of them, for one deed or recovery */

/* Until when this node may act, by its lease, as it knows at this moment. Asked right before anything is sent. */
typedef struct fc_time mysql_lock_may_act(void *owner);
/* Never from within a call. PERMITS or REFUSED first; after PERMITS perhaps OVER, once. May end the lock. */
typedef void mysql_lock_told(void *owner, enum deed_lock_verdict verdict, const char *sentence);

/* `setting` is copied. NULL: out of memory. */
struct mysql_locks *mysql_locks_open(const struct host *host, const struct mysql_locks_setting *setting);
void mysql_locks_close(struct mysql_locks *locks);      /* after its locks; NULL is fine */

struct mysql_lock_wish {
    const struct instance_key *servers;      /* those of the cluster that are in sight; copied */
    int count, target;                       /* target: which of them the deed is about */
    struct fc_time until;                    /* not permitted by then: refused */
    const char *why;                         /* "promotes m2:3306", for who is refused meanwhile; copied */
    mysql_lock_may_act *may_act;
    mysql_lock_told *told;
    void *owner;
};

/* FC_BUSY: this node itself is changing one of these servers (the sentence says which, and why). FC_NO_MEMORY. */
enum fc_code mysql_lock_begin(struct mysql_locks *locks, const struct mysql_lock_wish *wish, struct mysql_lock **ret, struct fc_err *err);
/* Gives it back. Deeds that have no answer yet get none. NULL is fine. */
void mysql_lock_end(struct mysql_lock *lock);

/* Says something to a server of the wish, by its place there. FC_REFUSED: not permitted (any more), and nothing is sent. FC_OK: there will be exactly one answer, never
 * from within; FC_REFUSED there, when it came to an end before it was sent. One at a time on each server. `text` is copied. */
enum fc_code mysql_lock_say(struct mysql_lock *lock, int server, const char *text, size_t length, struct fc_time deadline,
                            mysql_session_answered *answered, void *owner, struct fc_err *err);
const struct deed_lock *mysql_lock_state(const struct mysql_lock *lock);
/* Why it was lost there, in the server's or our own words; "" when it was not. */
const char *mysql_lock_loss(const struct mysql_lock *lock, int server);

#endif
