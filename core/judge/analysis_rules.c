/* The codes and the rules that find them. A new finding is a new row here and a scene in tests/unit/analysis_test.c, which fails
 * when a row is hit by none. A column that is not named accepts every value; what the values mean stands in judge/facts.h. */
#include "judge/analysis.h"

#define TOLD true
#define SILENT false

/* ---- the codes: what each says and what it leads to ---- */

#define CODE(name, word, told, recovery, emergency, description, beyond) \
    [ANALYSIS_##name] = { ANALYSIS_##name, word, description, told, RECOVERY_##recovery, EMERGENCY_##emergency, false, false, beyond },
#define CODE_AFTER_GRACE(name, word, told, recovery, emergency, description, beyond) \
    [ANALYSIS_##name] = { ANALYSIS_##name, word, description, told, RECOVERY_##recovery, EMERGENCY_##emergency, true, false, beyond },
#define CODE_OF_REPLICAS(name, word, told, recovery, emergency, description, beyond) \
    [ANALYSIS_##name] = { ANALYSIS_##name, word, description, told, RECOVERY_##recovery, EMERGENCY_##emergency, false, true, beyond },

#define ALSO_TOLD "a detection is registered and its hooks run; orchestrator runs none"

const struct analysis_code_row analysis_codes[ANALYSIS_CODE_COUNT] = {
    CODE(NO_PROBLEM, "NoProblem", SILENT, NONE, NONE, "nothing is wrong here", NULL)

    CODE(DEAD_MASTER_WITHOUT_REPLICAS, "DeadMasterWithoutReplicas", TOLD, NONE, NONE,
         "the master cannot be reached, and has no replica that could take its place", ALSO_TOLD)
    CODE_AFTER_GRACE(DEAD_MASTER, "DeadMaster", TOLD, DEAD_MASTER, NONE,
         "the master cannot be reached, and none of its replicas is replicating", NULL)
    CODE(DEAD_MASTER_AND_REPLICAS, "DeadMasterAndReplicas", TOLD, NONE, LOOK_AT_ALL,
         "neither the master nor any of its replicas can be reached",
         "it and all its replicas are looked at again at once; orchestrator looks at its master, which it does not have")
    CODE_AFTER_GRACE(DEAD_MASTER_AND_SOME_REPLICAS, "DeadMasterAndSomeReplicas", TOLD, DEAD_MASTER, NONE,
         "the master and some of its replicas cannot be reached, and none of the others is replicating", NULL)
    CODE(UNREACHABLE_MASTER_WITH_LAGGING_REPLICAS, "UnreachableMasterWithLaggingReplicas", TOLD, NONE, RESTART_IO,
         "the master cannot be reached, and its replicas believe to replicate but fall behind", NULL)
    CODE(UNREACHABLE_MASTER, "UnreachableMaster", TOLD, NONE, LOOK_AT_ALL,
         "the master cannot be reached from here, but has replicas that are replicating", NULL)
    CODE(LOCKED_SEMI_SYNC_MASTER_HYPOTHESIS, "LockedSemiSyncMasterHypothesis", SILENT, NONE, LOOK_AT_IT,
         "the master waits for more semi-sync replicas than it has; it may be locked", NULL)
    CODE_AFTER_GRACE(LOCKED_SEMI_SYNC_MASTER, "LockedSemiSyncMaster", TOLD, SEMI_SYNC, NONE,
         "the master waits for more semi-sync replicas than it has, and its binary log stands still", NULL)
    CODE(MASTER_WITH_TOO_MANY_SEMI_SYNC_REPLICAS, "MasterWithTooManySemiSyncReplicas", TOLD, SEMI_SYNC, NONE,
         "the master has more semi-sync replicas than it is to have", NULL)
    CODE(NO_WRITEABLE_MASTER, "NoWriteableMasterStructureWarning", TOLD, SET_WRITEABLE, NONE,
         "the master is read_only, and is wanted writeable", NULL)
    CODE_OF_REPLICAS(MASTER_SINGLE_REPLICA_NOT_REPLICATING, "MasterSingleReplicaNotReplicating", TOLD, NONE, NONE,
         "the master's only replica can be reached but is not replicating",
         ALSO_TOLD "; moot when that replica is downtimed, as it is when that is dead")
    CODE_OF_REPLICAS(MASTER_SINGLE_REPLICA_DEAD, "MasterSingleReplicaDead", TOLD, NONE, NONE,
         "the master's only replica cannot be reached", ALSO_TOLD)
    CODE_OF_REPLICAS(ALL_MASTER_REPLICAS_NOT_REPLICATING, "AllMasterReplicasNotReplicating", TOLD, NONE, LOOK_AT_IT,
         "the master can be reached, but none of its replicas is replicating", NULL)
    CODE_OF_REPLICAS(ALL_MASTER_REPLICAS_NOT_REPLICATING_OR_DEAD, "AllMasterReplicasNotReplicatingOrDead", TOLD, NONE, LOOK_AT_IT,
         "the master can be reached, but of its replicas some cannot and none is replicating", NULL)
    CODE_OF_REPLICAS(ALL_MASTER_REPLICAS_DEAD, "AllMasterReplicasDead", TOLD, NONE, LOOK_AT_ALL,
         "the master can be reached, but none of its several replicas can: all redundancy is lost",
         "ours: orchestrator says NoProblem")

    CODE(DEAD_CO_MASTER, "DeadCoMaster", TOLD, DEAD_CO_MASTER, NONE,
         "a co-master cannot be reached, and none of its replicas is replicating", NULL)
    CODE(DEAD_CO_MASTER_AND_SOME_REPLICAS, "DeadCoMasterAndSomeReplicas", TOLD, DEAD_CO_MASTER, NONE,
         "a co-master and some of its replicas cannot be reached, and none of the others is replicating", NULL)
    CODE(UNREACHABLE_CO_MASTER, "UnreachableCoMaster", TOLD, NONE, LOOK_AT_ALL,
         "a co-master cannot be reached from here, but has replicas that are replicating",
         ALSO_TOLD "; it and its replicas are looked at again at once")
    CODE_OF_REPLICAS(ALL_CO_MASTER_REPLICAS_NOT_REPLICATING, "AllCoMasterReplicasNotReplicating", TOLD, NONE, NONE,
         "a co-master can be reached, but none of its replicas is replicating", ALSO_TOLD)

    CODE_OF_REPLICAS(DEAD_INTERMEDIATE_MASTER_WITH_SINGLE_REPLICA_FAILING_TO_CONNECT,
         "DeadIntermediateMasterWithSingleReplicaFailingToConnect", TOLD, DEAD_INTERMEDIATE_MASTER, NONE,
         "an intermediate master cannot be reached, neither by its only replica", NULL)
    CODE_OF_REPLICAS(DEAD_INTERMEDIATE_MASTER_WITH_SINGLE_REPLICA, "DeadIntermediateMasterWithSingleReplica", TOLD,
         DEAD_INTERMEDIATE_MASTER, NONE, "an intermediate master cannot be reached, and its only replica is not replicating",
         ALSO_TOLD "; its replica is relocated, which orchestrator does only for its twin that fails to connect")
    CODE(DEAD_INTERMEDIATE_MASTER, "DeadIntermediateMaster", TOLD, DEAD_INTERMEDIATE_MASTER, NONE,
         "an intermediate master cannot be reached, and none of its replicas is replicating", NULL)
    CODE_OF_REPLICAS(DEAD_INTERMEDIATE_MASTER_AND_SOME_REPLICAS, "DeadIntermediateMasterAndSomeReplicas", TOLD,
         DEAD_INTERMEDIATE_MASTER, NONE,
         "an intermediate master and some of its replicas cannot be reached, and none of the others is replicating", NULL)
    CODE_OF_REPLICAS(DEAD_INTERMEDIATE_MASTER_AND_REPLICAS, "DeadIntermediateMasterAndReplicas", TOLD, NONE, LOOK_AT_ALL,
         "neither an intermediate master nor any of its replicas can be reached", "it and its replicas are looked at again at once")
    CODE(UNREACHABLE_INTERMEDIATE_MASTER_WITH_LAGGING_REPLICAS, "UnreachableIntermediateMasterWithLaggingReplicas", TOLD, NONE,
         RESTART_IO, "an intermediate master cannot be reached, and its replicas believe to replicate but fall behind", NULL)
    CODE(UNREACHABLE_INTERMEDIATE_MASTER, "UnreachableIntermediateMaster", TOLD, NONE, LOOK_AT_ALL,
         "an intermediate master cannot be reached from here, but has replicas that are replicating",
         ALSO_TOLD "; it and its replicas are looked at again at once")
    CODE_OF_REPLICAS(ALL_INTERMEDIATE_MASTER_REPLICAS_FAILING_TO_CONNECT_OR_DEAD,
         "AllIntermediateMasterReplicasFailingToConnectOrDead", TOLD, DEAD_INTERMEDIATE_MASTER, NONE,
         "an intermediate master can be reached, but by none of its replicas", NULL)
    CODE_OF_REPLICAS(ALL_INTERMEDIATE_MASTER_REPLICAS_NOT_REPLICATING, "AllIntermediateMasterReplicasNotReplicating", TOLD, NONE,
         NONE, "an intermediate master can be reached, but none of its replicas is replicating", ALSO_TOLD)
    CODE_OF_REPLICAS(ALL_INTERMEDIATE_MASTER_REPLICAS_DEAD, "AllIntermediateMasterReplicasDead", TOLD, NONE, LOOK_AT_ALL,
         "an intermediate master can be reached, but none of its replicas can",
         "ours: orchestrator says that they are not replicating, its fork says nothing")

    CODE(BINLOG_SERVER_FAILING_TO_CONNECT_TO_MASTER, "BinlogServerFailingToConnectToMaster", TOLD, NONE, NONE,
         "a binlog server cannot connect to its master", ALSO_TOLD)
    CODE(FIRST_TIER_REPLICA_FAILING_TO_CONNECT_TO_MASTER, "FirstTierReplicaFailingToConnectToMaster", TOLD, NONE, LOOK_AT_MASTER,
         "a replica of the master cannot connect to it", ALSO_TOLD)
    CODE(DEAD_REPLICATION_GROUP_MEMBER_WITH_REPLICAS, "DeadReplicationGroupMemberWithReplicas", TOLD, GROUP_MEMBER, NONE,
         "a member of a replication group cannot be reached, and none of its replicas is replicating", NULL)
};

/* ---- the rules: read downwards, the first that fits is the finding ---- */

#define WANT(column, value) [FACT_##column] = FACT_IS_##value,
#define RULE(name, wants) { ANALYSIS_##name, { wants }, NULL },
#define RULE_BEYOND(name, wants, beyond) { ANALYSIS_##name, { wants }, beyond },

#define MASTER WANT(ROLE, MASTER)
#define CO_MASTER WANT(CO, YES)
#define INTERMEDIATE WANT(ROLE, REPLICA)
#define UNSEEN WANT(SEEN, UNSEEN)
#define LOST WANT(SEEN, LOST)
#define PARTLY_SEEN WANT(SEEN, PARTLY)
#define WELL_SEEN WANT(SEEN, WELL)
#define REPLICAS(value) WANT(REPLICAS, value)
#define VALID(value) WANT(VALID, value)
#define REPLICATING(value) WANT(REPLICATING, value)
#define FAILING(value) WANT(FAILING, value)
#define ALL_LAG WANT(LAGGING, YES)

#define PROMPT_ONLY "only replicas that were seen and have no delay of their own are asked; orchestrator also counts the last known lag of dead ones"

const struct analysis_rule analysis_rules[] = {
    /* a group's members are judged by nothing else */
    RULE(DEAD_REPLICATION_GROUP_MEMBER_WITH_REPLICAS, WANT(MEMBER, YES) UNSEEN REPLICAS(PRESENT) REPLICATING(NONE))
    RULE(NO_PROBLEM,                                  WANT(MEMBER, YES))

    /* master */
    RULE(DEAD_MASTER_WITHOUT_REPLICAS,                MASTER UNSEEN REPLICAS(NONE))
    RULE(DEAD_MASTER,                                 MASTER UNSEEN VALID(ALL) REPLICATING(NONE))
    RULE(DEAD_MASTER_AND_REPLICAS,                    MASTER UNSEEN REPLICAS(PRESENT) VALID(NONE))
    RULE(DEAD_MASTER_AND_SOME_REPLICAS,               MASTER UNSEEN VALID(SOME) REPLICATING(NONE))
    RULE_BEYOND(UNREACHABLE_MASTER_WITH_LAGGING_REPLICAS, MASTER UNSEEN ALL_LAG REPLICATING(SOME), PROMPT_ONLY)
    RULE(UNREACHABLE_MASTER,                          MASTER LOST REPLICATING(SOME))
    RULE(UNREACHABLE_MASTER,                          MASTER PARTLY_SEEN FAILING(PRESENT) REPLICATING(SOME))
    RULE(LOCKED_SEMI_SYNC_MASTER,                     MASTER WANT(SEMI_SYNC, SHORT) WANT(STUCK, YES))
    RULE(LOCKED_SEMI_SYNC_MASTER_HYPOTHESIS,          MASTER WANT(SEMI_SYNC, SHORT))
    RULE(MASTER_WITH_TOO_MANY_SEMI_SYNC_REPLICAS,     MASTER WANT(SEMI_SYNC, SURPLUS) WANT(EXACT, YES))
    RULE(NO_WRITEABLE_MASTER,                         MASTER WELL_SEEN REPLICATING(SOME) WANT(READ_ONLY, YES) WANT(WRITEABLE, YES))
    RULE(MASTER_SINGLE_REPLICA_NOT_REPLICATING,       MASTER WELL_SEEN REPLICAS(ONE) VALID(ALL) REPLICATING(NONE))
    RULE(MASTER_SINGLE_REPLICA_DEAD,                  MASTER WELL_SEEN REPLICAS(ONE) VALID(NONE))
    RULE(ALL_MASTER_REPLICAS_NOT_REPLICATING,         MASTER WELL_SEEN REPLICAS(MANY) VALID(ALL) REPLICATING(NONE))
    RULE(ALL_MASTER_REPLICAS_NOT_REPLICATING_OR_DEAD, MASTER WELL_SEEN REPLICAS(MANY) VALID(SOME) REPLICATING(NONE))
    RULE_BEYOND(ALL_MASTER_REPLICAS_DEAD,             MASTER WELL_SEEN REPLICAS(MANY) VALID(NONE), "ours")

    /* co-master */
    RULE(DEAD_CO_MASTER,                              CO_MASTER UNSEEN VALID(ALL) REPLICATING(NONE))
    RULE(DEAD_CO_MASTER_AND_SOME_REPLICAS,            CO_MASTER UNSEEN VALID(SOME) REPLICATING(NONE))
    RULE(UNREACHABLE_CO_MASTER,                       CO_MASTER LOST REPLICATING(SOME))
    RULE(ALL_CO_MASTER_REPLICAS_NOT_REPLICATING,      CO_MASTER WELL_SEEN REPLICAS(PRESENT) REPLICATING(NONE))

    /* intermediate master: whatever replicates and has replicas */
    RULE(DEAD_INTERMEDIATE_MASTER_WITH_SINGLE_REPLICA_FAILING_TO_CONNECT,
                                            INTERMEDIATE UNSEEN REPLICAS(ONE) VALID(ALL) FAILING(ALL) REPLICATING(NONE))
    RULE(DEAD_INTERMEDIATE_MASTER_WITH_SINGLE_REPLICA, INTERMEDIATE UNSEEN REPLICAS(ONE) VALID(ALL) REPLICATING(NONE))
    RULE(DEAD_INTERMEDIATE_MASTER,                    INTERMEDIATE UNSEEN REPLICAS(MANY) VALID(ALL) REPLICATING(NONE))
    RULE(DEAD_INTERMEDIATE_MASTER_AND_SOME_REPLICAS,  INTERMEDIATE UNSEEN VALID(SOME) REPLICATING(NONE))
    RULE(DEAD_INTERMEDIATE_MASTER_AND_REPLICAS,       INTERMEDIATE UNSEEN REPLICAS(PRESENT) VALID(NONE))
    RULE_BEYOND(UNREACHABLE_INTERMEDIATE_MASTER_WITH_LAGGING_REPLICAS, INTERMEDIATE UNSEEN ALL_LAG REPLICATING(SOME), PROMPT_ONLY)
    RULE(UNREACHABLE_INTERMEDIATE_MASTER,             INTERMEDIATE LOST REPLICATING(SOME))
    RULE(ALL_INTERMEDIATE_MASTER_REPLICAS_FAILING_TO_CONNECT_OR_DEAD,
                                            INTERMEDIATE WELL_SEEN REPLICAS(MANY) FAILING(ALL) REPLICATING(NONE))
    RULE(ALL_INTERMEDIATE_MASTER_REPLICAS_NOT_REPLICATING,
                                            INTERMEDIATE WELL_SEEN VALID(PRESENT) REPLICATING(NONE))
    RULE_BEYOND(ALL_INTERMEDIATE_MASTER_REPLICAS_DEAD, INTERMEDIATE WELL_SEEN REPLICAS(PRESENT) VALID(NONE), "ours")

    /* others */
    RULE(BINLOG_SERVER_FAILING_TO_CONNECT_TO_MASTER,  WANT(BINLOG_SERVER, YES) WANT(DEAF, YES))
    RULE(FIRST_TIER_REPLICA_FAILING_TO_CONNECT_TO_MASTER, WANT(FIRST_TIER, YES) WANT(DEAF, YES))
    { .code = ANALYSIS_NO_PROBLEM },
};
const size_t analysis_rule_count = sizeof analysis_rules / sizeof analysis_rules[0];

/* ---- what is wrong with the structure, whatever else is ---- */

#define STRUCTURE(name, word, wants, description, beyond) [STRUCTURE_##name] = { STRUCTURE_##name, { wants }, word, description, beyond },

const struct structure_rule structure_rules[STRUCTURE_WARNING_COUNT] = {
    STRUCTURE(NO_LOGGING_REPLICAS, "NoLoggingReplicasStructureWarning", MASTER REPLICAS(MANY) WANT(LOGGING, NONE),
              "no replica logs what it applies, so none could have replicas of its own", NULL)
    STRUCTURE(NO_FAILOVER_SUPPORT, "NoFailoverSupportStructureWarning", MASTER REPLICAS(MANY) WANT(POSITIONS, NO),
              "the replicas share no way to be repointed", NULL)
    STRUCTURE(STATEMENT_AND_MIXED, "StatementAndMixedLoggingReplicasStructureWarning",
              MASTER WANT(STATEMENT, YES) WANT(MIXED, YES), "some replicas log in STATEMENT, some in MIXED", NULL)
    STRUCTURE(STATEMENT_AND_ROW, "StatementAndRowLoggingReplicasStructureWarning",
              MASTER WANT(STATEMENT, YES) WANT(ROW, YES), "some replicas log in STATEMENT, some in ROW", NULL)
    STRUCTURE(MIXED_AND_ROW, "MixedAndRowLoggingReplicasStructureWarning", MASTER WANT(MIXED, YES) WANT(ROW, YES),
              "some replicas log in MIXED, some in ROW", NULL)
    STRUCTURE(MULTIPLE_MAJOR_VERSIONS, "MultipleMajorVersionsLoggingReplicasStructureWarning", MASTER WANT(VERSIONS, YES),
              "logging replicas are of different major versions", NULL)
    STRUCTURE(DIFFERENT_GTID_MODES, "DifferentGTIDModesStructureWarning", WANT(MODES, YES),
              "gtid_mode is not the same on this server and its replicas", NULL)
    STRUCTURE(ERRANT_GTID, "ErrantGTIDStructureWarning", WANT(ERRANT, YES),
              "a replica has transactions that this server does not have", "of MariaDB as well: orchestrator judges MySQL only")
    STRUCTURE(NO_WRITEABLE_MASTER, "NoWriteableMasterStructureWarning", MASTER WANT(READ_ONLY, YES), "the master is read_only", NULL)
    STRUCTURE(NOT_ENOUGH_SEMI_SYNC, "NotEnoughValidSemiSyncReplicasStructureWarning", MASTER WANT(SEMI_SYNC, DROPPED),
              "semi-sync is enabled but not in force: too few replicas acknowledge",
              "of MariaDB as well: its count of wanted replicas is 1, where orchestrator takes it for 0")
    STRUCTURE(FORMER_MASTER_WRITEABLE, "FormerMasterWriteableStructureWarning", MASTER WANT(FORMER, YES) WANT(READ_ONLY, NO),
              "a server that was lost in a recovery is back and writeable: a second writer",
              "ours: orchestrator shows it as a healthy cluster of its own")
    STRUCTURE(RING, "RingReplicationStructureWarning", WANT(RING, YES),
              "it replicates in a ring of three or more, which no recovery understands: none acts here", "ours")
    STRUCTURE(MULTI_SOURCE, "MultiSourceReplicationStructureWarning", WANT(SOURCES, YES),
              "it replicates from several masters, which no recovery understands: none acts here",
              "ours: orchestrator sees the last channel only")
};
