/* What is wrong with one server of a replication topology, by its facts: one failure code, any number of structure warnings.
 *
 * Codes have orchestrator's names, because its users' hooks, dashboards and scripts know them. Where we judge better, the code's
 * row says so (`beyond`), and docs/analysis.md, printed from these tables, tells the difference. Pure: facts in, verdict out. */
#ifndef FC_JUDGE_ANALYSIS_H
#define FC_JUDGE_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "judge/facts.h"

enum analysis_code {
    ANALYSIS_NO_PROBLEM = 0,
    ANALYSIS_DEAD_MASTER_WITHOUT_REPLICAS, ANALYSIS_DEAD_MASTER, ANALYSIS_DEAD_MASTER_AND_REPLICAS,
    ANALYSIS_DEAD_MASTER_AND_SOME_REPLICAS, ANALYSIS_UNREACHABLE_MASTER_WITH_LAGGING_REPLICAS, ANALYSIS_UNREACHABLE_MASTER,
    ANALYSIS_LOCKED_SEMI_SYNC_MASTER_HYPOTHESIS, ANALYSIS_LOCKED_SEMI_SYNC_MASTER,
    ANALYSIS_MASTER_WITH_TOO_MANY_SEMI_SYNC_REPLICAS, ANALYSIS_NO_WRITEABLE_MASTER,
    ANALYSIS_MASTER_SINGLE_REPLICA_NOT_REPLICATING, ANALYSIS_MASTER_SINGLE_REPLICA_DEAD,
    ANALYSIS_ALL_MASTER_REPLICAS_NOT_REPLICATING, ANALYSIS_ALL_MASTER_REPLICAS_NOT_REPLICATING_OR_DEAD,
    ANALYSIS_ALL_MASTER_REPLICAS_DEAD,
    ANALYSIS_DEAD_CO_MASTER, ANALYSIS_DEAD_CO_MASTER_AND_SOME_REPLICAS, ANALYSIS_UNREACHABLE_CO_MASTER,
    ANALYSIS_ALL_CO_MASTER_REPLICAS_NOT_REPLICATING,
    ANALYSIS_DEAD_INTERMEDIATE_MASTER_WITH_SINGLE_REPLICA_FAILING_TO_CONNECT,
    ANALYSIS_DEAD_INTERMEDIATE_MASTER_WITH_SINGLE_REPLICA, ANALYSIS_DEAD_INTERMEDIATE_MASTER,
    ANALYSIS_DEAD_INTERMEDIATE_MASTER_AND_SOME_REPLICAS, ANALYSIS_DEAD_INTERMEDIATE_MASTER_AND_REPLICAS,
    ANALYSIS_UNREACHABLE_INTERMEDIATE_MASTER_WITH_LAGGING_REPLICAS, ANALYSIS_UNREACHABLE_INTERMEDIATE_MASTER,
    ANALYSIS_ALL_INTERMEDIATE_MASTER_REPLICAS_FAILING_TO_CONNECT_OR_DEAD,
    ANALYSIS_ALL_INTERMEDIATE_MASTER_REPLICAS_NOT_REPLICATING, ANALYSIS_ALL_INTERMEDIATE_MASTER_REPLICAS_DEAD,
    ANALYSIS_BINLOG_SERVER_FAILING_TO_CONNECT_TO_MASTER, ANALYSIS_FIRST_TIER_REPLICA_FAILING_TO_CONNECT_TO_MASTER,
    ANALYSIS_DEAD_REPLICATION_GROUP_MEMBER_WITH_REPLICAS,
    ANALYSIS_CODE_COUNT
};

enum structure_warning {             /* bits of a mask, in the order in which they are told */
    STRUCTURE_NO_LOGGING_REPLICAS, STRUCTURE_NO_FAILOVER_SUPPORT, STRUCTURE_STATEMENT_AND_MIXED, STRUCTURE_STATEMENT_AND_ROW,
    STRUCTURE_MIXED_AND_ROW, STRUCTURE_MULTIPLE_MAJOR_VERSIONS, STRUCTURE_DIFFERENT_GTID_MODES, STRUCTURE_ERRANT_GTID,
    STRUCTURE_NO_WRITEABLE_MASTER, STRUCTURE_NOT_ENOUGH_SEMI_SYNC, STRUCTURE_FORMER_MASTER_WRITEABLE, STRUCTURE_RING,
    STRUCTURE_MULTI_SOURCE,
    STRUCTURE_WARNING_COUNT
};

/* Which recovery knows what to do; the recoveries themselves are no part of this room. */
enum analysis_recovery {
    RECOVERY_NONE = 0, RECOVERY_DEAD_MASTER, RECOVERY_DEAD_CO_MASTER, RECOVERY_DEAD_INTERMEDIATE_MASTER, RECOVERY_SEMI_SYNC,
    RECOVERY_SET_WRITEABLE, RECOVERY_GROUP_MEMBER,
    RECOVERY_KIND_COUNT
};

/* What is worth another look at once, before the next poll. A restart of IO threads touches servers: only a leader does it. */
enum analysis_emergency {
    EMERGENCY_NONE = 0, EMERGENCY_LOOK_AT_IT, EMERGENCY_LOOK_AT_MASTER, EMERGENCY_LOOK_AT_ALL, EMERGENCY_RESTART_IO,
    EMERGENCY_KIND_COUNT
};

struct analysis_code_row {
    enum analysis_code code;
    const char *word;                /* orchestrator's, or ours where `beyond` begins with "ours" */
    const char *description;         /* one sentence; hooks get it as the failure's description */
    bool is_detected;                /* a detection is registered, and its hooks run */
    enum analysis_recovery recovery; /* not none: actionable */
    enum analysis_emergency emergency;
    bool waits_for_grace;            /* not actionable while the IO threads of the replicas are being restarted */
    bool is_moot_when_downtimed;     /* nothing to tell when all replicas are downtimed */
    const char *beyond;              /* how it differs from orchestrator; NULL = the same */
};

struct analysis_rule {
    enum analysis_code code;
    uint8_t wants[FACT_COLUMN_COUNT];                    /* accepted values of a column; 0 = any */
    const char *beyond;              /* how the condition differs from orchestrator's; NULL = the same */
};

struct structure_rule {
    enum structure_warning warning;
    uint8_t wants[FACT_COLUMN_COUNT];
    const char *word, *description, *beyond;
};

extern const struct analysis_code_row analysis_codes[ANALYSIS_CODE_COUNT];
/* Read downwards: the first row that fits is the finding; the last one always fits. */
extern const struct analysis_rule analysis_rules[];
extern const size_t analysis_rule_count;
/* Every row that fits is told. */
extern const struct structure_rule structure_rules[STRUCTURE_WARNING_COUNT];

struct analysis {
    enum analysis_code code;
    const struct analysis_rule *rule;                    /* the row that fitted */
    uint32_t structure;              /* a bit a warning */
    bool is_downtimed;               /* the server itself */
    bool is_replicas_downtimed;      /* all of its replicas, and so the code is moot */
    bool is_skippable;               /* because of either */
    bool is_actionable;              /* a recovery exists, and no grace runs. Skippable ones are not acted on all the same */
};

struct analysis analysis_judge(const struct analysis_facts *facts, const struct analysis_policy *policy, bool is_in_grace);

struct analysis_asked { bool downtimed, no_problem; };   /* what a caller wants to be told beside problems */
/* Is this told to such a caller? `is_ignored`: its host matches RecoveryIgnoreHostnameFilters. */
bool analysis_is_told(const struct analysis *analysis, struct analysis_asked asked, bool is_ignored);
/* ReduceReplicationAnalysisCount: is this server worth an entry at all? */
bool analysis_is_worth_an_entry(const struct analysis_facts *facts);
/* The order of entries: masters, then heads of clusters, then by replicas. Negative: a before b; 0 leaves it to the key. */
int analysis_order(const struct analysis_facts *a, bool is_head_a, const struct analysis_facts *b, bool is_head_b);

/* "DeadMaster, ErrantGTIDStructureWarning"; "" when there is nothing. False when it did not fit. */
bool analysis_text(const struct analysis *analysis, char *to, size_t size);
/* co-master, group-member, master or intermediate-master. */
const char *analysis_type_word(const struct analysis_facts *facts);
/* By its word, also by a name that older history holds. False when there is none. */
bool analysis_code_find(const char *word, enum analysis_code *ret);
const char *analysis_recovery_word(enum analysis_recovery recovery);
const char *analysis_emergency_word(enum analysis_emergency emergency);

#endif
