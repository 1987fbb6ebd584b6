/* What counts of one server: for itself, and for the server that it replicates from. Taken once after each look; facts of a master
 * are then sums over its replicas' traits, and a look after which the traits are the same touches nobody. */
#ifndef FC_JUDGE_TRAITS_H
#define FC_JUDGE_TRAITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"
#include "judge/facts.h"
#include "model/overrides.h"
#include "model/topology.h"

enum trait {
    /* what its master counts */
    TRAIT_VALID, TRAIT_REPLICATING, TRAIT_FAILING, TRAIT_DOWNTIMED, TRAIT_LAGGING, TRAIT_DELAYED, TRAIT_ORACLE_GTID,
    TRAIT_MARIADB_GTID, TRAIT_BINLOG_SERVER, TRAIT_LOGGING, TRAIT_STATEMENT, TRAIT_MIXED, TRAIT_ROW, TRAIT_SEMI_SYNC_REPLICA,
    TRAIT_ERRANT,
    /* its own affair */
    TRAIT_HUNG,                      /* a look hangs for longer than the policy allows */
    TRAIT_PARTLY_SEEN, TRAIT_EVER_SEEN, TRAIT_MASTER, TRAIT_GROUP_MEMBER, TRAIT_READ_ONLY, TRAIT_FORMER_MASTER,
    TRAIT_MULTI_SOURCE, TRAIT_SEMI_SYNC_MASTER, TRAIT_SEMI_SYNC_ON, TRAIT_IN_MAINTENANCE, TRAIT_DEAF, TRAIT_STUCK,
    TRAIT_COUNT
};
#define TRAIT_BIT(name) (1u << TRAIT_##name)
#define TRAITS_OF_A_REPLICA (TRAIT_BIT(HUNG) - 1)        /* all above the line */

struct traits {
    uint32_t bits;
    uint32_t major_version;          /* major * 100 + minor; 0 unknown */
    uint8_t gtid_mode;               /* index of traits_gtid_mode */
    int32_t semi_sync_wanted, semi_sync_clients;
    struct fc_time due;              /* when a trait changes by time alone; FC_NEVER */
};

/* What outlives one look of a server. */
struct trait_memory {
    uint64_t log_place;              /* of its own binary log, as a number that differs when the place does */
    struct fc_time standing_since;   /* the log has stood there, and semi-sync been short, since; FC_EVER: not so */
};

struct traits traits_take(const struct topology *topology, member_id id, const struct override *override, const struct names *names,
                          bool is_errant, const struct analysis_policy *policy, struct trait_memory *memory, struct fc_time now);
bool traits_are_same(const struct traits *a, const struct traits *b);
/* Do they count the same for the master? */
bool traits_count_the_same(const struct traits *a, const struct traits *b);
static inline bool trait_is(const struct traits *traits, enum trait trait) { return traits->bits >> trait & 1; }

/* The sums. `traits` is by member_id. */
struct analysis_facts facts_count(const struct topology *topology, const struct traits *traits, member_id id);

/* The IO thread does not reach its master: by the error's number, or its text where the number says nothing. */
bool channel_is_failing_to_connect(const struct channel_seen *channel);
extern const char *const traits_gtid_mode[];

#endif
