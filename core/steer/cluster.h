/* Pools of managed clusters: `writer` follows the writeable master that is seen, `reader` names who is fit to read. spec/steering.md 8 is not
 * theirs: they never change a server, they only say what is.
 *
 *      writer:  one that is seen open and is no replica  ->  the old one is answered `rest`  ->  nobody can use it any more  ->  `first`
 *      reader:  seen, applying, and near enough to its master; never fewer than ReaderFloor, however late
 *
 * Only the node that leads speaks; all others, and a leader whose lease is over, are neutral: HAProxy keeps what it has, and its token
 * check (config_cluster_fall) lets go when nobody leads for longer than a change of leaders takes. */
#ifndef FC_STEER_CLUSTER_H
#define FC_STEER_CLUSTER_H

#include "core/config.h"
#include "model/fleet_sight.h"
#include "steer/answer.h"
#include "steer/pool.h"

#define READER_LEAST_PERCENT 10      /* of one that is as late as may be; the rest is spread over the lag */
#define READER_SPARE_PERCENT 1       /* the master, and who is kept by the floor */

enum cluster_case {
    WRITER_NOT_LEADING = 0, WRITER_STARTING, WRITER_FIRST, WRITER_AWAITED, WRITER_WAITING, WRITER_GONE, WRITER_UNSEEN, WRITER_READ_ONLY,
    WRITER_REPLICA, WRITER_OTHER, WRITER_UNDECIDED,
    READER_NOT_LEADING, READER_STARTING, READER_BLIND, READER_MASTER, READER_UNSEEN, READER_DETACHED, READER_STOPPED, READER_FIT,
    READER_FLOOR, READER_LATE,
    CLUSTER_RULE_COUNT
};
struct cluster_rule { enum pool_kind kind; enum voice voice; const char *word, *because, *not; };
extern const struct cluster_rule cluster_rules[CLUSTER_RULE_COUNT];      /* of each kind of pool in the order of precedence */

/* What is kept of one such pool, beside its answers. */
struct cluster_pool {
    struct fleet_sight sights[STEER_MEMBERS_MAX];
    enum cluster_case cases[STEER_MEMBERS_MAX];
    struct fc_time leading_since;    /* FC_EVER: this node does not */
    bool is_started;                 /* since then everybody has been looked at, or has had the time */
    /* writer */
    int seated;                      /* said to be first; -1 nobody */
    int next;                        /* is to sit, and waited for; -1 nobody */
    int revoked;                     /* sat before; -1 not known: another leader may have named anybody */
    struct fc_time revoked_at;
    /* reader */
    bool is_out[STEER_MEMBERS_MAX];  /* was too late, and is not near enough yet */
    struct fc_time fetched_at[STEER_MEMBERS_MAX];     /* it was last seen to fetch; FC_EVER: never */
};

struct steering;
struct steer_stage;
struct event;

void cluster_init(struct cluster_pool *cluster);
void cluster_hear(struct steering *steering, const struct event *event);              /* FLEET_SEEN */
void cluster_step(struct steering *steering, struct steer_stage *stage);
struct fc_time cluster_wakes_at(const struct steering *steering, const struct steer_stage *stage);
void cluster_answer(const struct steering *steering, const struct steer_stage *stage, int pool, int member, struct answer *ret);

/* A look is believed for so long. */
struct fc_span cluster_patience(const struct config *config);
/* From a revoke on: when everybody has heard it who can hear; when even those are cut off who cannot. */
struct fc_span cluster_gap(const struct config *config);
struct fc_span cluster_bound(const struct config *config);
/* How far behind a reader is, in seconds; -1 not known. One that does not fetch falls behind with the time. */
int64_t cluster_lag_s(const struct cluster_pool *cluster, int member, struct fc_time now);
/* The last look was good, and is not too old. */
bool cluster_sees(const struct cluster_pool *cluster, const struct config *config, int member, struct fc_time now);
/* Until when `next` is waited for. */
struct fc_time cluster_waits_until(const struct cluster_pool *cluster, const struct config *config, int member_count, struct fc_time now);

#endif
