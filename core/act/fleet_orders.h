/* What operators and tools ask of a fleet beside looking: to discover and forget servers, and to say something of them that is
 * remembered (downtime, maintenance, promotion rules, tags, aliases, pools, names). No order here touches a server's data.
 *
 * A door reads words into a fleet_order and fleet_order_check() says whether it can be meant; then it is given at the desk
 * (agent/doors/desk.h), which answers when it is done: in memory and, where there is one, in the store. fleet_order_apply() is the
 * part in memory, for the orders whose row says so. */
#ifndef FC_ACT_FLEET_ORDERS_H
#define FC_ACT_FLEET_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/classification.h"
#include "model/host_names.h"
#include "model/overrides.h"
#include "model/server_pools.h"

enum fleet_verb {
    FLEET_DISCOVER = 0,              /* look at it now, and at its master and replicas after; done when it was seen */
    FLEET_ASYNC_DISCOVER,            /* the same; done at once */
    FLEET_REFRESH,                   /* look at a known one now */
    FLEET_FORGET, FLEET_FORGET_CLUSTER,
    FLEET_BEGIN_DOWNTIME, FLEET_END_DOWNTIME, FLEET_BEGIN_MAINTENANCE, FLEET_END_MAINTENANCE, FLEET_REGISTER_CANDIDATE,
    FLEET_TAG, FLEET_UNTAG, FLEET_UNTAG_ALL, FLEET_SET_CLUSTER_ALIAS, FLEET_SUBMIT_POOL,
    FLEET_REGISTER_UNRESOLVE, FLEET_DEREGISTER_UNRESOLVE, FLEET_RESET_RESOLVE_CACHE,
    FLEET_RESOLVE,                   /* its name, and a TCP connection to it */
    FLEET_SNAPSHOT_TOPOLOGIES,
    FLEET_ACK_RECOVERIES,
    FLEET_VERB_COUNT
};

/* What an order carries: which fields of struct fleet_order have a meaning. */
#define FLEET_TAKES_SERVER 1
#define FLEET_TAKES_CLUSTER 2        /* in `subject`: the cluster's name */
#define FLEET_TAKES_SUBJECT 4        /* a pool, a tag, a virtual name, an alias: in `name` */
#define FLEET_TAKES_REASON 8         /* an owner in `name`, a reason in `text` */

struct fleet_verb_row {
    const char *word;                /* of the API */
    int takes;
    bool is_of_memory;               /* fleet_order_apply() does it */
    const char *meaning;
};
extern const struct fleet_verb_row fleet_verbs[FLEET_VERB_COUNT];

#define FLEET_SUBJECT_SIZE 192       /* [host]:port, an id, a UID of a recovery */
#define FLEET_NAME_SIZE 129
#define FLEET_TEXT_SIZE (OVERRIDE_TEXT_MAX + 1)

enum ack_scope { ACK_ALL = 0, ACK_CLUSTER, ACK_INSTANCE, ACK_ID, ACK_UID };

struct fleet_order {
    enum fleet_verb verb;
    char host[INSTANCE_HOST_MAX + 1];
    uint16_t port;
    char subject[FLEET_SUBJECT_SIZE];/* cluster's name; of ACK_ID and ACK_UID: the id */
    char name[FLEET_NAME_SIZE];      /* owner; tag; pool; virtual name; alias ("" takes it back) */
    char text[FLEET_TEXT_SIZE];      /* reason; comment; the tag's value */
    bool has_value;                  /* untag: only where the tag has the value in `text` */
    int64_t seconds;                 /* downtime, maintenance: for so long */
    enum promotion_rule rule;
    enum ack_scope ack;
    const struct instance_key *keys; /* submit-pool-instances; borrowed for the call */
    uint32_t key_count;
    char by[64];                     /* user@door */
};

/* Can it be meant? FC_BAD_INPUT with a sentence. */
enum fc_code fleet_order_check(const struct fleet_order *order, struct fc_err *err);

struct fleet_memory {                /* what is remembered beside what is seen, and for how long */
    struct overrides *overrides;
    struct classifications *classifications;
    struct server_pools *pools;
    struct host_names *resolved, *unresolved;
    struct fc_span rule_life, pool_life, name_life;   /* CandidateInstanceExpireMinutes, InstancePoolExpiryMinutes,
                                                       * ExpiryHostnameResolvesMinutes */
};
/* The order's verb is one `is_of_memory`, and it was checked. Nothing changes unless FC_OK. Whoever judges by it is told by the
 * caller (fleet_looked). */
enum fc_code fleet_order_apply(struct fleet_memory *memory, const struct fleet_order *order, struct fc_time now, struct fc_err *err);

#endif
