/* What is counted of one server and of those that replicate from it, once, before anything is judged: spec "analysis", 2.
 *
 * Counts are what an operator and the API are shown; columns are the same facts as the few values that rules ask for, one bit
 * each, so that a rule is a row of masks (judge/analysis_rules.c). */
#ifndef FC_JUDGE_FACTS_H
#define FC_JUDGE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACT_TEXT_SIZE 32            /* of a gtid_mode */

struct analysis_facts {
    /* of the analysed server itself */
    bool is_master;                  /* replicates from nobody, and is no secondary of a group */
    bool is_co_master;               /* replicates in a ring of two */
    bool is_group_member;
    bool is_last_check_valid;        /* the last finished look succeeded, and none hangs for longer than allowed */
    bool is_partly_seen;             /* a look got through to the server, and not to its end */
    bool is_failing_to_connect;      /* its own replication cannot reach its master */
    bool is_binlog_server;
    bool is_read_only;
    bool is_downtimed;
    bool is_former_master;           /* downtimed as lost in a recovery */
    bool is_multi_source;            /* more than one replication channel */
    bool is_never_seen;              /* never, or not whether it replicates: what it is, is a guess, and nobody acts on it */
    bool is_stuck;                   /* its binary log has not grown for as long as the policy allows */
    bool has_pseudo_gtid;
    int ring;                        /* servers in the ring that it replicates in; 0 = in none */
    int depth;                       /* masters above it */
    bool has_semi_sync, is_semi_sync_on;             /* enabled; in force */
    int semi_sync_wanted, semi_sync_clients;         /* acknowledgements waited for; replicas that give them */
    char gtid_mode[FACT_TEXT_SIZE];

    /* of those that replicate from it: how many */
    int replicas, valid, replicating;                /* valid by the last look; valid with both threads running */
    int failing_to_connect;          /* valid, and their replication cannot reach this server */
    int downtimed;
    int lagging;                     /* behind by more than the policy's threshold, whether seen lately or not */
    int delayed;                     /* behind on purpose */
    int prompt, prompt_lagging;      /* valid and not delayed on purpose; those of them that lag */
    int oracle_gtid, mariadb_gtid, binlog_servers;   /* valid ones */
    int logging, logging_statement, logging_mixed, logging_row;      /* with a binary log of what they apply */
    int logging_major_versions;      /* distinct ones */
    int semi_sync_replicas;
    int errant;                      /* with transactions that this server does not have; downtimed ones do not count */
    char least_gtid_mode[FACT_TEXT_SIZE], most_gtid_mode[FACT_TEXT_SIZE];     /* "" when there are none */
};

struct analysis_policy {             /* from the configuration; the key's name behind each */
    int64_t poll_ms;                             /* InstancePollSeconds */
    int64_t reasonable_check_ms;                 /* ReasonableInstanceCheckSeconds */
    int64_t reasonable_lag_ms;                   /* ReasonableReplicationLagSeconds */
    int64_t locked_semi_sync_ms;                 /* ReasonableLockedSemiSyncMasterSeconds; 0 = reasonable_lag_ms */
    int64_t maintenance_lag_ms;                  /* ReasonableMaintenanceReplicationLagSeconds */
    bool wants_exact_semi_sync;                  /* EnforceExactSemiSyncReplicas */
    bool wants_writeable_master;                 /* RecoverNonWriteableMaster */
};

extern const struct analysis_policy analysis_policy_preset;      /* orchestrator's defaults */

#define FACT_COLUMNS(X)                                                                                                        \
    X(ROLE, "role", "replicates from nobody, or from somebody", "master", "replica")                                           \
    X(CO, "co-master", "it or one of its replicas replicates in a ring of two", "no", "yes")                                   \
    X(MEMBER, "group member", "of MySQL group replication, and not OFFLINE", "no", "yes")                                      \
    X(SEEN, "seen", "by the last look: whole, in part, or not at all", "well", "partly", "lost")                               \
    X(REPLICAS, "replicas", "how many replicate from it", "none", "one", "many")                                               \
    X(VALID, "valid", "replicas whose last look succeeded", "none", "some", "all")                                             \
    X(REPLICATING, "replicating", "valid replicas with both threads running", "none", "some")                                  \
    X(FAILING, "failing", "valid replicas that cannot connect to it, of the valid ones", "none", "some", "all")                \
    X(LAGGING, "lagging", "valid replicas without a delay of their own that lag", "not all", "all")                            \
    X(SEMI_SYNC, "semi-sync", "as its master: acknowledging replicas against those waited for; dropped = it stopped waiting",   \
      "off", "enough", "short", "dropped", "surplus")                                                                          \
    X(STUCK, "log stuck", "its binary log has not moved for ReasonableLockedSemiSyncMasterSeconds", "no", "yes")                \
    X(READ_ONLY, "read only", "its read_only", "no", "yes")                                                                    \
    X(EXACT, "exact wanted", "EnforceExactSemiSyncReplicas", "no", "yes")                                                      \
    X(WRITEABLE, "writeable wanted", "RecoverNonWriteableMaster", "no", "yes")                                                 \
    X(BINLOG_SERVER, "binlog server", "serves another server's binary log", "no", "yes")                                       \
    X(FIRST_TIER, "first tier", "its master replicates from nobody", "no", "yes")                                              \
    X(DEAF, "deaf", "its own replication cannot connect to its master", "no", "yes")                                           \
    X(LOGGING, "logging", "replicas that log what they apply", "none", "some")                                                 \
    X(POSITIONS, "positions", "all valid replicas share a way to be repointed: GTID, binlog servers, Pseudo-GTID", "no", "yes") \
    X(STATEMENT, "statement", "a logging replica has binlog_format STATEMENT", "no", "yes")                                    \
    X(MIXED, "mixed", "... MIXED", "no", "yes")                                                                                \
    X(ROW, "row", "... ROW", "no", "yes")                                                                                      \
    X(VERSIONS, "versions", "major versions among logging replicas", "one", "many")                                            \
    X(MODES, "gtid modes", "gtid_mode of it and its replicas", "same", "differ")                                               \
    X(ERRANT, "errant", "a replica has transactions that it lacks", "no", "yes")                                               \
    X(FORMER, "former master", "was lost in a recovery, and is back", "no", "yes")                                             \
    X(RING, "ring", "replicates in a ring of three or more", "no", "yes")                                                      \
    X(SOURCES, "sources", "replication channels", "one", "many")

enum fact_column {
#define X(name, ...) FACT_##name,
    FACT_COLUMNS(X)
#undef X
    FACT_COLUMN_COUNT
};

/* The values, a bit each in the order of the column's words. */
enum {
    FACT_IS_MASTER = 1, FACT_IS_REPLICA = 2,
    FACT_IS_NO = 1, FACT_IS_YES = 2,
    FACT_IS_WELL = 1, FACT_IS_PARTLY = 2, FACT_IS_LOST = 4, FACT_IS_UNSEEN = 6,
    FACT_IS_NONE = 1, FACT_IS_SOME = 2, FACT_IS_ALL = 4, FACT_IS_PRESENT = 6,
    FACT_IS_ONE = 2, FACT_IS_MANY = 4,
    FACT_IS_OFF = 1, FACT_IS_ENOUGH = 2, FACT_IS_SHORT = 4, FACT_IS_DROPPED = 8, FACT_IS_SURPLUS = 16,
};

#define FACT_VALUES_MAX 5
struct fact_column_row { const char *word, *meaning, *values[FACT_VALUES_MAX]; };
extern const struct fact_column_row fact_columns[FACT_COLUMN_COUNT];

struct fact_row { uint8_t is[FACT_COLUMN_COUNT]; };      /* exactly one bit in each */

/* The counts as columns. Asserts that no part is larger than its whole. */
struct fact_row facts_columns(const struct analysis_facts *facts, const struct analysis_policy *policy);
/* Sound: no negative count, and no part larger than its whole. */
bool facts_are_sound(const struct analysis_facts *facts);

#endif
