/* Routes about the fleet: what each answers, in which shape, and what cannot be understood. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fleet_pages.h"
#include "agent/fleet_samples.h"
#include "base/text.h"
#include "core/config.h"
#include "fleet_stage.h"

TestSuite(fleet_answer, .init = fleet_stage_open, .fini = fleet_stage_close);

static void answers(const char *path, const char *body)
{
    cr_expect_str_eq(stage_ask("%s", path), body);
    cr_expect_eq(fleet_stage.status, 200, "%s", path);
}

static void shows(const char *path, const char *hosts)
{
    stage_ask("%s", path);
    cr_expect_str_eq(stage_hosts(""), hosts, "%s: %s", path, fleet_stage.body);
    cr_expect_eq(fleet_stage.status, 200, "%s", path);
}

static void refuses(const char *path, const char *message)
{
    char body[512];
    TEXT_FORMAT(body, "{\"Code\":\"ERROR\",\"Message\":\"%s\",\"Details\":null}", message);
    cr_expect_str_eq(stage_ask("%s", path), body);
    cr_expect_geq(fleet_stage.status, 400, "%s", path);
}

#define KEY(host) "{\"Hostname\":\"" host ".example\",\"Port\":3306}"
#define OK_KEY(message, host) "{\"Code\":\"OK\",\"Message\":\"" message "\",\"Details\":" KEY(host) "}"

/* ---- servers ---- */

Test(fleet_answer, a_server_is_found_by_its_key_or_by_the_only_name_like_it)
{
    stage_ask("/api/instance/db2.example/3306");
    cr_expect_str_eq(stage_part(".Key"), KEY("db2"));
    cr_expect_str_eq(stage_part(".MasterKey"), KEY("db1"));
    stage_ask("/api/instance/db2/3306");
    cr_expect_str_eq(stage_part(".Key"), KEY("db2"));
    refuses("/api/instance/example/3306", "there is no known server 'example:3306'");
    refuses("/api/instance/db2/3307", "there is no known server 'db2:3307'");
}

Test(fleet_answer, what_is_no_server_is_refused_with_one_sentence)
{
    refuses("/api/instance/db2/0", "'0' is no port: 1 to 65535");
    refuses("/api/instance/db2/65536", "'65536' is no port: 1 to 65535");
    refuses("/api/instance/db2/-1", "'-1' is no port: 1 to 65535");
    refuses("/api/instance/a%20b/3306", "'a b' is no host name of at most 127 bytes");
    refuses("/api/instance/_/3306", "'_' is no host name of at most 127 bytes");
    refuses("/api/instance/%2F%2Fdb2/3306", "'//db2' is no host name of at most 127 bytes");
    cr_expect_null(stage_ask("/api/instance//3306"));
    cr_expect_null(stage_ask("/api/instance/db2"));
    cr_expect_null(stage_ask("/api/Instance/db2/3306"), "paths are case-sensitive");
}

Test(fleet_answer, every_field_of_an_instance_is_there_with_its_type)
{
    stage_ask("/api/instance/db2.example/3306");
    static const struct { const char *path, *value; } fields[] = {
        { ".InstanceAlias", "\"\"" }, { ".Uptime", "77" }, { ".ServerUUID", "\"\"" }, { ".Version", "\"10.11.6-MariaDB-log\"" },
        { ".VersionComment", "\"Debian 12\"" }, { ".FlavorName", "\"MariaDB\"" }, { ".ReadOnly", "true" },
        { ".Binlog_format", "\"ROW\"" }, { ".BinlogRowImage", "\"\"" }, { ".LogBinEnabled", "true" },
        { ".LogSlaveUpdatesEnabled", "true" }, { ".LogReplicationUpdatesEnabled", "true" },
        { ".SelfBinlogCoordinates", "{\"LogFile\":\"bin.000002\",\"LogPos\":345,\"Type\":0}" }, { ".MasterUUID", "\"\"" },
        { ".AncestryUUID", "\"\"" }, { ".IsDetachedMaster", "false" }, { ".Slave_SQL_Running", "true" },
        { ".ReplicationSQLThreadRuning", "true" }, { ".Slave_IO_Running", "true" }, { ".ReplicationIOThreadRuning", "true" },
        { ".ReplicationSQLThreadState", "1" }, { ".ReplicationIOThreadState", "1" }, { ".HasReplicationFilters", "false" },
        { ".GTIDMode", "\"\"" }, { ".SupportsOracleGTID", "false" }, { ".UsingOracleGTID", "false" }, { ".UsingMariaDBGTID", "true" },
        { ".UsingPseudoGTID", "false" }, { ".ReadBinlogCoordinates.LogPos", "300" }, { ".ExecBinlogCoordinates.LogPos", "290" },
        { ".IsDetached", "false" }, { ".RelaylogCoordinates", "{\"LogFile\":\"relay.000007\",\"LogPos\":12,\"Type\":1}" },
        { ".LastSQLError", "\"\"" }, { ".LastIOError", "\"\"" }, { ".SecondsBehindMaster", "{\"Int64\":0,\"Valid\":true}" },
        { ".SQLDelay", "0" }, { ".ExecutedGtidSet", "\"\"" }, { ".GtidPurged", "\"\"" }, { ".GtidErrant", "\"\"" },
        { ".SlaveLagSeconds", "{\"Int64\":0,\"Valid\":true}" }, { ".ReplicationLagSeconds", "{\"Int64\":0,\"Valid\":true}" },
        { ".SlaveHosts", "[" KEY("db4") "]" }, { ".Replicas", "[" KEY("db4") "]" }, { ".ClusterName", "\"db1.example:3306\"" },
        { ".SuggestedClusterAlias", "\"\"" }, { ".DataCenter", "\"\"" }, { ".Region", "\"\"" }, { ".PhysicalEnvironment", "\"\"" },
        { ".ReplicationDepth", "1" }, { ".IsCoMaster", "false" }, { ".HasReplicationCredentials", "true" },
        { ".ReplicationCredentialsAvailable", "false" }, { ".SemiSyncAvailable", "false" }, { ".SemiSyncPriority", "0" },
        { ".SemiSyncMasterEnabled", "false" }, { ".SemiSyncReplicaEnabled", "false" }, { ".SemiSyncMasterTimeout", "0" },
        { ".SemiSyncMasterWaitForReplicaCount", "0" }, { ".SemiSyncMasterStatus", "false" }, { ".SemiSyncMasterClients", "0" },
        { ".SemiSyncReplicaStatus", "false" }, { ".LastSeenTimestamp", "\"2026-11-23 08:00:00\"" }, { ".IsLastCheckValid", "true" },
        { ".IsUpToDate", "true" }, { ".IsRecentlyChecked", "true" }, { ".SecondsSinceLastSeen", "{\"Int64\":0,\"Valid\":true}" },
        { ".CountMySQLSnapshots", "0" }, { ".IsCandidate", "false" }, { ".PromotionRule", "\"neutral\"" }, { ".IsDowntimed", "false" },
        { ".DowntimeReason", "\"\"" }, { ".DowntimeOwner", "\"\"" }, { ".DowntimeEndTimestamp", "\"\"" }, { ".ElapsedDowntime", "0" },
        { ".UnresolvedHostname", "\"\"" }, { ".AllowTLS", "false" }, { ".Problems", "[]" }, { ".LastDiscoveryLatency", "1500000" },
        { ".ReplicationGroupName", "\"\"" }, { ".ReplicationGroupIsSinglePrimary", "false" },
        { ".ReplicationGroupMemberState", "\"\"" }, { ".ReplicationGroupMemberRole", "\"\"" }, { ".ReplicationGroupMembers", "[]" },
        { ".ReplicationGroupPrimaryInstanceKey", "{\"Hostname\":\"\",\"Port\":0}" },
        { ".ReplicationSSLVerifyServerCert", "{\"Bool\":false,\"Valid\":true}" },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        cr_expect_str_eq(stage_part(fields[i].path), fields[i].value, "%s is %s", fields[i].path, stage_part(fields[i].path));
}

Test(fleet_answer, a_master_has_no_master_no_lag_and_no_threads)
{
    stage_ask("/api/instance/db1.example/3306");
    cr_expect_str_eq(stage_part(".MasterKey"), "{\"Hostname\":\"\",\"Port\":0}");
    cr_expect_str_eq(stage_part(".SecondsBehindMaster"), "{\"Int64\":0,\"Valid\":false}");
    cr_expect_str_eq(stage_part(".ReplicationSQLThreadState"), "-1");
    cr_expect_str_eq(stage_part(".Replicas"), "[" KEY("db2") "," KEY("db3") "]");
    cr_expect_str_eq(stage_part(".ReplicationDepth"), "0");
}

Test(fleet_answer, the_lag_that_was_asked_for_counts_for_who_has_no_master_too)
{
    struct described master = describe("db1.example", NULL);
    master.seen.has_told_lag = true;
    master.seen.told_lag_s = 42;
    stage_saw(&master);
    stage_ask("/api/instance/db1/3306");
    cr_expect_str_eq(stage_part(".SlaveLagSeconds"), "{\"Int64\":42,\"Valid\":true}");
    cr_expect_str_eq(stage_part(".ReplicationLagSeconds"), "{\"Int64\":42,\"Valid\":true}");
    cr_expect_str_eq(stage_part(".SecondsBehindMaster"), "{\"Int64\":0,\"Valid\":false}");
}

Test(fleet_answer, numbers_are_exact_and_texts_are_escaped)
{
    struct described d = describe("db5.example", "db1.example");
    d.seen.written.offset = UINT64_MAX;
    d.channel.io_error = "line 1\nsays \"no\" \\ \x01 \xc3\xa9 \xff\xe2\x82";
    d.channel.io = THREAD_CONNECTING;
    d.channel.lag_s = -1;
    stage_saw(&d);
    stage_ask("/api/instance/db5/3306");
    cr_expect_not_null(strstr(fleet_stage.body, "\"LogPos\":18446744073709551615,"));
    cr_expect_not_null(strstr(fleet_stage.body, "\"LastIOError\":\"line 1\\nsays \\\"no\\\" \\\\ \\u0001 \xc3\xa9 \xef\xbf\xbd"
                                                "\xef\xbf\xbd\xef\xbf\xbd\""));
    cr_expect_str_eq(stage_part(".ReplicationIOThreadState"), "2");
    cr_expect_str_eq(stage_part(".SecondsBehindMaster"), "{\"Int64\":0,\"Valid\":false}");
    cr_expect_str_eq(stage_part(".Problems"), "[\"not_replicating\"]");
}

Test(fleet_answer, a_detached_replica_says_so_and_is_alone)
{
    struct described d = describe("db3.example", "//db1.example");
    d.channel.io = d.channel.sql = THREAD_STOPPED;
    stage_saw(&d);
    stage_ask("/api/instance/db3/3306");
    cr_expect_str_eq(stage_part(".MasterKey"), "{\"Hostname\":\"//db1.example\",\"Port\":3306}");
    cr_expect_str_eq(stage_part(".IsDetachedMaster"), "true");
    cr_expect_str_eq(stage_part(".ClusterName"), "\"db3.example:3306\"");
}

Test(fleet_answer, ages_are_counted_from_the_last_good_look)
{
    stage_later(7000);
    stage_lost("db2.example");
    stage_later(1000);
    stage_ask("/api/instance/db2/3306");
    cr_expect_str_eq(stage_part(".LastSeenTimestamp"), "\"2026-11-23 08:00:00\"");
    cr_expect_str_eq(stage_part(".SecondsSinceLastSeen"), "{\"Int64\":8,\"Valid\":true}");
    cr_expect_str_eq(stage_part(".IsLastCheckValid"), "false");
    cr_expect_str_eq(stage_part(".IsUpToDate"), "true");
    cr_expect_str_eq(stage_part(".Problems"), "[\"last_check_invalid\"]");
    stage_later(25000);
    stage_ask("/api/instance/db2/3306");
    cr_expect_str_eq(stage_part(".IsUpToDate"), "false");
    cr_expect_str_eq(stage_part(".IsRecentlyChecked"), "false");
}

Test(fleet_answer, errant_transactions_are_named)
{
    struct described master = describe("db1.example", NULL), replica = describe("db3.example", "db1.example");
    master.seen.gtid.current_position = "0-1-100";
    replica.seen.gtid.binlog_position = "0-9-101,7-9-3";
    stage_saw(&master);
    stage_saw(&replica);
    stage_judge();
    stage_ask("/api/instance/db3/3306");
    cr_expect_str_eq(stage_part(".GtidErrant"), "\"0-9-101,7-9-3\"");
    cr_expect_str_eq(stage_part(".Problems"), "[\"errant_gtid\"]");
    stage_ask("/api/replication-analysis");
    cr_expect_str_eq(stage_part(".Details[0].MaxReplicaGTIDErrant"), "\"0-9-101,7-9-3\"");
    cr_expect_str_eq(stage_part(".Details[0].StructureAnalysis"), "[\"ErrantGTIDStructureWarning\"]");
}

Test(fleet_answer, lists_stand_in_their_promised_order)
{
    shows("/api/all-instances", "db1 db2 db3 db4");
    shows("/api/instance-replicas/db1.example/3306", "db2 db3");
    shows("/api/instance-replicas/nobody/3306", "");
    shows("/api/bulk-instances", "db1 db2 db3 db4");
    shows("/api/cluster/db1.example:3306", "db1 db2 db3 db4");
    shows("/api/cluster/db4.example:3306", "db1 db2 db3 db4");
    shows("/api/cluster/db4", "db1 db2 db3 db4");
    shows("/api/cluster/instance/db4.example/3306", "db1 db2 db3 db4");
    shows("/api/masters", "db1");
    shows("/api/all-instances/", "db1 db2 db3 db4");
}

Test(fleet_answer, a_search_looks_at_names_versions_and_numbers)
{
    shows("/api/search?s=db3%0A", "db3");
    shows("/api/search/db4", "db4");
    shows("/api/search?s=MariaDB", "db1 db2 db3 db4");
    shows("/api/search?s=Debian", "db1 db2 db3 db4");
    shows("/api/search?s=3306", "db1 db2 db3 db4");
    shows("/api/search?s=", "db1 db2 db3 db4");
    shows("/api/search", "db1 db2 db3 db4");
    shows("/api/search?s=nothing", "");
    shows("/api/find?pattern=%5Edb%5B24%5D", "db2 db4");
    stage_ask("%s", "/api/find?pattern=%5B");
    cr_expect_str_eq(stage_part(".Code"), "\"ERROR\"");
}

Test(fleet_answer, an_empty_fleet_answers_with_empty_lists)
{
    fleet_stage_close();
    fleet_stage_empty();
    static const char *const raw[] = { "all-instances", "clusters", "clusters-info", "masters", "problems", "downtimed", "maintenance",
                                       "bulk-instances", "bulk-promotion-rules", "search",
                                       "tagged?tag=a", "problems/none:1" };
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++)
        cr_expect_str_eq(stage_ask("/api/%s", raw[i]), "[]", "%s", raw[i]);
    answers("/api/replication-analysis", "{\"Code\":\"OK\",\"Message\":\"Analysis\",\"Details\":[]}");
    refuses("/api/cluster/none", "no cluster is known by 'none': not by name, alias or member");
}

/* ---- clusters ---- */

Test(fleet_answer, clusters_are_told_with_their_aliases)
{
    answers("/api/clusters", "[\"db1.example:3306\"]");
    answers("/api/clusters-info",
            "[{\"ClusterName\":\"db1.example:3306\",\"ClusterAlias\":\"db1.example:3306\",\"ClusterDomain\":\"\",\"CountInstances\":4,"
            "\"HeuristicLag\":0,\"HasAutomatedMasterRecovery\":false,\"HasAutomatedIntermediateMasterRecovery\":false}]");
    answers("/api/set-cluster-alias/db1.example:3306?alias=main%0A", "{\"Code\":\"OK\",\"Message\":\"Alias set\",\"Details\":null}");
    stage_ask("/api/cluster-info/main");
    cr_expect_str_eq(stage_part(".ClusterAlias"), "\"main\"");
    stage_ask("/api/cluster-info/alias/main");
    cr_expect_str_eq(stage_part(".ClusterName"), "\"db1.example:3306\"");
    shows("/api/cluster/alias/main", "db1 db2 db3 db4");
    shows("/api/cluster/main", "db1 db2 db3 db4");
    refuses("/api/cluster/alias/db4.example:3306", "no cluster has the alias 'db4.example:3306'");
    stage_ask("/api/instance/db4/3306");
    cr_expect_str_eq(stage_part(".SuggestedClusterAlias"), "\"main\"");
    stage_ask("/api/set-cluster-alias/db1.example:3306");
    refuses("/api/cluster-info/alias/main", "no cluster has the alias 'main'");
}

Test(fleet_answer, the_master_is_the_writable_one)
{
    stage_ask("/api/master/db4");
    cr_expect_str_eq(stage_part(".Key"), KEY("db1"));
    struct described a = describe("a.example", "b.example"), b = describe("b.example", "a.example");
    b.seen.is_read_only = false;
    stage_saw(&a);
    stage_saw(&b);
    stage_judge();
    stage_ask("/api/master/a.example:3306");
    cr_expect_str_eq(stage_part(".Key"), KEY("b"));
    cr_expect_str_eq(stage_part(".IsCoMaster"), "true");
    shows("/api/masters", "b db1");
    stage_saw_plain("lonely.example", "unseen.example");
    refuses("/api/master/lonely", "the master of 'lonely' is not known");
}

Test(fleet_answer, a_clusters_lag_is_that_of_the_replicas_that_stand_for_it)
{
    struct described late = describe("db4.example", "db2.example");
    late.channel.lag_s = 33;
    stage_saw(&late);
    shows("/api/cluster-osc-replicas/db1", "db2 db4 db3");
    shows("/api/cluster-osc-slaves/db1", "db2 db4 db3");
    shows("/api/cluster-gh-ost-replicas/db1", "db3 db4 db2");
    stage_ask("/api/cluster-info/db1");
    cr_expect_str_eq(stage_part(".HeuristicLag"), "33");
}

Test(fleet_answer, the_topology_is_told_as_a_tree_a_table_and_with_tags)
{
    stage_ask("/api/tag/db2.example/3306?tag=role=main");
    stage_ask("/api/tag/db2.example/3306?tag=vip");
    stage_ask("/api/begin-downtime/db3.example/3306/amy/disk");
    answers("/api/topology/db4.example/3306",
            "{\"Code\":\"OK\",\"Message\":\"Topology for cluster\",\"Details\":\""
            "db1.example:3306     [0s,ok,10.11.6-MariaDB-log,rw,ROW,>>]\\n"
            "+ db2.example:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\\n"
            "  + db4.example:3306 [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\\n"
            "+ db3.example:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID,downtimed]\"}");
    stage_ask("/api/topology-tabulated/db1");
    cr_expect_not_null(strstr(fleet_stage.body, "\\n+ db3.example:3306  |0s|ok|10.11.6-MariaDB-log|ro|ROW|>>,GTID,downtimed\""));
    stage_ask("/api/topology-tags/db1.example:3306");
    cr_expect_not_null(strstr(fleet_stage.body, "+ db2.example:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID] [role=main,vip]\\n"));
    cr_expect_not_null(strstr(fleet_stage.body, "db1.example:3306     [0s,ok,10.11.6-MariaDB-log,rw,ROW,>>] []\\n"));
    refuses("/api/topology/none:3306", "no cluster is known by 'none:3306': not by name, alias or member");
}

/* ---- what is wrong ---- */

Test(fleet_answer, an_analysis_is_told_with_its_counts)
{
    stage_lost("db2.example");
    struct described lost = describe("db4.example", "db2.example");
    lost.channel.io = THREAD_CONNECTING;
    lost.channel.io_error_number = 2003;
    stage_saw(&lost);
    stage_judge();
    stage_ask("/api/replication-analysis");
    static const struct { const char *path, *value; } fields[] = {
        { ".Code", "\"OK\"" }, { ".Details[0].AnalyzedInstanceKey", KEY("db2") }, { ".Details[0].AnalyzedInstanceMasterKey", KEY("db1") },
        { ".Details[0].ClusterDetails.ClusterName", "\"db1.example:3306\"" },
        { ".Details[0].ClusterDetails.ClusterDomain", "\"db1.example:3306\"" }, { ".Details[0].ClusterDetails.CountInstances", "0" },
        { ".Details[0].AnalyzedInstanceBinlogCoordinates.LogFile", "\"bin.000002\"" }, { ".Details[0].IsMaster", "false" },
        { ".Details[0].LastCheckValid", "false" }, { ".Details[0].CountReplicas", "1" }, { ".Details[0].CountValidReplicas", "1" },
        { ".Details[0].CountValidReplicatingReplicas", "0" }, { ".Details[0].CountReplicasFailingToConnectToMaster", "1" },
        { ".Details[0].ReplicationDepth", "1" }, { ".Details[0].Replicas", "[" KEY("db4") "]" },
        { ".Details[0].SlaveHosts", "[" KEY("db4") "]" },
        { ".Details[0].Analysis", "\"DeadIntermediateMasterWithSingleReplicaFailingToConnect\"" },
        { ".Details[0].StructureAnalysis", "null" }, { ".Details[0].IsActionableRecovery", "false" },
        { ".Details[0].MariaDBGTIDImmediateTopology", "true" }, { ".Details[0].ProcessingNodeHostname", "\"fc1\"" },
        { ".Details[0].SkippableDueToDowntime", "false" }, { ".Details[0].CountLoggingReplicas", "1" },
        { ".Details[0].CountRowBasedLoggingReplicas", "1" }, { ".Details[0].IsReadOnly", "true" }, { ".Details[0].CommandHint", "\"\"" },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        cr_expect_str_eq(stage_part(fields[i].path), fields[i].value, "%s is %s", fields[i].path, stage_part(fields[i].path));
    stage_ask("/api/replication-analysis/db1.example:3306");
    cr_expect_str_eq(stage_part(".Details[0].AnalyzedInstanceKey"), KEY("db2"));
    stage_ask("/api/replication-analysis/instance/db2.example/3306");
    cr_expect_str_eq(stage_part(".Details[0].AnalyzedInstanceKey"), KEY("db2"));
    answers("/api/replication-analysis/none", "{\"Code\":\"OK\",\"Message\":\"Analysis\",\"Details\":[]}");
    answers("/api/replication-analysis/instance/db3.example/3306", "{\"Code\":\"OK\",\"Message\":\"Analysis\",\"Details\":[]}");
}

Test(fleet_answer, a_downtimed_server_is_analysed_and_is_no_problem)
{
    stage_lost("db2.example");
    shows("/api/problems", "db2");
    shows("/api/problems/db1.example:3306", "db2");
    shows("/api/problems/other:3306", "");
    stage_ask("/api/begin-downtime/db2.example/3306/amy/disk/2h");
    shows("/api/problems", "");
    shows("/api/downtimed", "db2");
    shows("/api/downtimed/db1", "db2");
    stage_ask("/api/replication-analysis");
    cr_expect_str_eq(stage_part(".Details[0].IsDowntimed"), "true");
    cr_expect_str_eq(stage_part(".Details[0].SkippableDueToDowntime"), "true");
    cr_expect_str_eq(stage_part(".Details[0].DowntimeEndTimestamp"), "\"2026-11-23 10:00:00\"");
    cr_expect_str_eq(stage_part(".Details[0].DowntimeRemainingSeconds"), "7200");
}

/* ---- what was said ---- */

Test(fleet_answer, a_downtime_is_said_with_owner_reason_and_duration)
{
    answers("/api/begin-downtime/db2.example/3306/amy%0A/disk%2Ffan%20is%20loud%0A/30m", OK_KEY("Downtime begun", "db2"));
    cr_expect_eq(fleet_stage.ordered.seconds, 1800);
    stage_later(5000);
    stage_ask("/api/instance/db2/3306");
    cr_expect_str_eq(stage_part(".IsDowntimed"), "true");
    cr_expect_str_eq(stage_part(".DowntimeOwner"), "\"amy\"");
    cr_expect_str_eq(stage_part(".DowntimeReason"), "\"disk/fan is loud\"");
    cr_expect_str_eq(stage_part(".DowntimeEndTimestamp"), "\"2026-11-23 08:30:00\"");
    cr_expect_str_eq(stage_part(".ElapsedDowntime"), "5000000000");
    answers("/api/end-downtime/db2.example/3306", OK_KEY("Downtime ended", "db2"));
    shows("/api/downtimed", "");
    answers("/api/begin-downtime/new.example/3306/amy/not%20seen%20yet", OK_KEY("Downtime begun", "new"));
    cr_expect_eq(fleet_stage.ordered.seconds, 600, "ten minutes when nothing is said");
    refuses("/api/begin-downtime/db2.example/3306/amy/disk/10", "'10' is no duration: a number and s, m, h, d or w");
    refuses("/api/begin-downtime/db2.example/3306/amy/disk/m", "'m' is no duration: a number and s, m, h, d or w");
    refuses("/api/begin-downtime/db2.example/3306/amy/disk/0s", "begin-downtime lasts from a second to ten years, not 0 seconds");
    cr_expect_null(stage_ask("%s", "/api/begin-downtime/db2.example/3306/%20/disk/10m"), "no owner is no path");
}

Test(fleet_answer, maintenance_is_listed_with_a_number_that_ends_it)
{
    answers("/api/begin-maintenance/db2.example/3306/amy/upgrade", OK_KEY("Maintenance begun", "db2"));
    refuses("/api/begin-maintenance/db2.example/3306/bob/too", "db2.example:3306 is in maintenance by amy: upgrade");
    answers("/api/in-maintenance/db2.example/3306", "{\"Code\":\"OK\",\"Message\":\"true\",\"Details\":\"db2.example:3306\"}");
    answers("/api/in-maintenance/db3.example/3306", "{\"Code\":\"OK\",\"Message\":\"false\",\"Details\":\"\"}");
    stage_later(3000);
    stage_ask("/api/maintenance");
    cr_expect_str_eq(stage_part("[0].Key"), KEY("db2"));
    cr_expect_str_eq(stage_part("[0].BeginTimestamp"), "\"2026-11-23 08:00:00\"");
    cr_expect_str_eq(stage_part("[0].SecondsElapsed"), "3");
    cr_expect_str_eq(stage_part("[0].IsActive"), "true");
    cr_expect_str_eq(stage_part("[0].Owner"), "\"amy\"");
    cr_expect_str_eq(stage_part("[0].Reason"), "\"upgrade\"");
    char id[32], path[64];
    TEXT_SET(id, stage_part("[0].MaintenanceId"));
    TEXT_FORMAT(path, "/api/end-maintenance/%s", id);
    stage_ask("%s", path);
    cr_expect_str_eq(stage_part(".Details"), id);
    answers("/api/maintenance", "[]");
    answers("/api/end-maintenance/db2.example/3306", OK_KEY("Maintenance ended", "db2"));
    answers("/api/begin-maintenance/db2.example/3306/amy/upgrade/5h", OK_KEY("Maintenance begun", "db2"));
    cr_expect_eq(fleet_stage.ordered.seconds, 5 * 3600);
    refuses("/api/begin-maintenance/db3.example/3306/amy/upgrade/long", "'long' is no duration: a number and s, m, h, d or w");
    refuses("/api/end-maintenance/12", "there is no maintenance 12");
    refuses("/api/end-maintenance/twelve", "'twelve' is no number of a maintenance");
}

Test(fleet_answer, candidates_are_registered_by_a_rule_that_there_is)
{
    answers("/api/register-candidate/db2.example/3306/prefer", OK_KEY("Registered candidate", "db2"));
    stage_ask("/api/instance/db2/3306");
    cr_expect_str_eq(stage_part(".PromotionRule"), "\"prefer\"");
    cr_expect_str_eq(stage_part(".IsCandidate"), "true");
    answers("/api/bulk-promotion-rules", "[{\"Hostname\":\"db2.example\",\"Port\":3306,\"PromotionRule\":\"prefer\","
                                         "\"LastSuggestedString\":\"2026-11-23 08:00:00\",\"PromotionRuleExpiry\":\"2026-11-23 09:00:00\"}]");
    refuses("/api/register-candidate/db2.example/3306/must", "'must' is no promotion rule: prefer, neutral, prefer_not or must_not");
}

Test(fleet_answer, a_tags_name_is_free_text_without_the_blanks_around_it)
{
    answers("/api/tag/db2.example/3306?tag=%20owned%20by%20=%20anna%20", OK_KEY("Tagged", "db2"));
    answers("/api/tag/db2.example/3306?tag=vip", OK_KEY("Tagged", "db2"));
    answers("/api/tags/db2.example/3306", "[\"owned by=anna\",\"vip=\"]");
    shows("/api/tagged?tag=owned%20by%20,vip%20", "db2");
    shows("/api/tagged?tag=vip,%20,%20~nobody%20", "db2");
    refuses("/api/tag/db2.example/3306?tag=two%0Alines", "'two\\nlines' is no tag: NAME or NAME=VALUE, the name of at most 128 bytes");
    refuses("/api/tag/db2.example/3306?tag=%20=x", "'=x' is no tag: NAME or NAME=VALUE, the name of at most 128 bytes");
    answers("/api/untag/db2.example/3306?tag=owned%20by", "{\"Code\":\"OK\",\"Message\":\"Untagged\",\"Details\":[" KEY("db2") "]}");
    answers("/api/tags/db2.example/3306", "[\"vip=\"]");
}

Test(fleet_answer, tags_are_given_asked_for_and_taken_off)
{
    answers("/api/tag/db2.example/3306?tag=role%3Dmain%0A", OK_KEY("Tagged", "db2"));
    answers("/api/tag/db3.example/3306/role/other", OK_KEY("Tagged", "db3"));
    answers("/api/tag/db3.example/3306?tag=vip", OK_KEY("Tagged", "db3"));
    answers("/api/tags/db3.example/3306", "[\"role=other\",\"vip=\"]");
    answers("/api/tags/nobody/3306", "[]");
    answers("/api/tag-value/db2.example/3306?tag=role%0A", "\"main\"");
    answers("/api/tag-value/db3.example/3306/vip", "\"\"");
    refuses("/api/tag-value/db2.example/3306?tag=vip", "db2.example:3306 has no tag 'vip'");
    shows("/api/tagged?tag=role", "db2 db3");
    shows("/api/tagged/?tag=role%3Dmain%0A", "db2");
    shows("/api/tagged?tag=role,vip", "db3");
    shows("/api/tagged?tag=role,~vip", "db2");
    shows("/api/tagged?tag=!vip", "db2");
    shows("/api/tagged?tag=~role%3Dmain", "db3");
    shows("/api/tagged/db1.example/3306?tag=vip", "db3");
    refuses("/api/tagged", "which tag? ?tag=NAME, NAME=VALUE, ~NAME, ~NAME=VALUE, or several with commas");
    refuses("/api/tag/db2.example/3306?tag=~role", "'~role': a tag is meant, not its absence");
    refuses("/api/tag/db2.example/3306", "'' is no tag: NAME or NAME=VALUE, the name of at most 128 bytes");
    answers("/api/untag/db2.example/3306?tag=role=other", "{\"Code\":\"OK\",\"Message\":\"Untagged\",\"Details\":[]}");
    answers("/api/untag/db2.example/3306?tag=role=main", "{\"Code\":\"OK\",\"Message\":\"Untagged\",\"Details\":[" KEY("db2") "]}");
    answers("/api/untag/db3.example/3306/vip", "{\"Code\":\"OK\",\"Message\":\"Untagged\",\"Details\":[" KEY("db3") "]}");
    refuses("/api/untag-all?tag=role", "untag-all needs NAME=VALUE");
    answers("/api/untag-all/role/other", "{\"Code\":\"OK\",\"Message\":\"Untagged\",\"Details\":[" KEY("db3") "]}");
    answers("/api/untag-all?tag=role=other", "{\"Code\":\"OK\",\"Message\":\"Untagged\",\"Details\":[]}");
}

Test(fleet_answer, pools_are_submitted_and_told_by_cluster)
{
    answers("/api/submit-pool-instances/web?instances=db2.example:3306,db3:3306,%20far.example%0A",
            "{\"Code\":\"OK\",\"Message\":\"Applied\",\"Details\":\"web\"}");
    answers("/api/submit-pool-instances/batch?instances=db4.example", "{\"Code\":\"OK\",\"Message\":\"Applied\",\"Details\":\"batch\"}");
    answers("/api/cluster-pool-instances/db1.example:3306",
            "{\"Code\":\"OK\",\"Message\":\"Pools\",\"Details\":{\"batch\":[" KEY("db4") "],\"web\":[" KEY("db2") "," KEY("db3") "]}}");
    answers("/api/cluster-pool-instances/db1.example:3306/web",
            "{\"Code\":\"OK\",\"Message\":\"Pools\",\"Details\":{\"web\":[" KEY("db2") "," KEY("db3") "]}}");
    answers("/api/cluster-pool-instances/none", "{\"Code\":\"OK\",\"Message\":\"Pools\",\"Details\":{}}");
    stage_ask("/api/heuristic-cluster-pool-instances/db1/web");
    cr_expect_str_eq(stage_hosts(".Details"), "db2 db3");
    stage_ask("/api/heuristic-cluster-pool-instances/db1/");
    cr_expect_str_eq(stage_hosts(".Details"), "db2 db3 db4");
    answers("/api/heuristic-cluster-pool-lag/db1", "{\"Code\":\"OK\",\"Message\":\"Lag\",\"Details\":0}");
    refuses("/api/heuristic-cluster-pool-lag/db1/none", "no valid server of 'db1' is in pool none");
    refuses("/api/submit-pool-instances/web?instances=db2:none", "'db2:none' is no server: HOST:PORT");
    answers("/api/submit-pool-instances/web?instances=", "{\"Code\":\"OK\",\"Message\":\"Applied\",\"Details\":\"web\"}");
    stage_ask("/api/heuristic-cluster-pool-instances/db1");
    cr_expect_str_eq(stage_hosts(".Details"), "db4");
}

Test(fleet_answer, a_server_of_a_pool_may_have_to_be_named_in_full)
{
    answers("/api/submit-pool-instances/web?instances=db2", "{\"Code\":\"OK\",\"Message\":\"Applied\",\"Details\":\"web\"}");
    stage_ask("/api/cluster-pool-instances/db1.example:3306");
    cr_expect_str_eq(stage_hosts(".Details.web"), "db2");
    fleet_stage.picture.is_pool_exact = true;
    answers("/api/submit-pool-instances/web?instances=db2,db3.example:3306", "{\"Code\":\"OK\",\"Message\":\"Applied\",\"Details\":\"web\"}");
    stage_ask("/api/cluster-pool-instances/db1.example:3306");
    cr_expect_str_eq(stage_hosts(".Details.web"), "db3", "nobody is called just db2");
}

Test(fleet_answer, who_is_ignored_is_no_problem_and_stands_for_no_lag)
{
    static const char *const texts[] = { "^db[34]" };
    struct host_filters *filters = NULL;
    stage_lost("db3.example");
    stage_judge();
    stage_ask("/api/problems");
    cr_expect_str_eq(stage_hosts(""), "db3");
    stage_ask("/api/cluster-osc-replicas/db1.example:3306");
    cr_expect_not_null(strstr(stage_hosts(""), "db4"));
    cr_assert_eq(host_filters_compile("ProblemIgnoreHostnameFilters", texts, 1, &filters, NULL), FC_OK);
    fleet_stage.picture.problems_ignored = fleet_stage.picture.osc_ignored = filters;
    answers("/api/problems", "[]");
    stage_ask("/api/cluster-osc-replicas/db1.example:3306");
    cr_expect_str_eq(stage_hosts(""), "db2");
    fleet_stage.picture.problems_ignored = fleet_stage.picture.osc_ignored = NULL;
    host_filters_free(filters);
}

Test(fleet_answer, who_is_left_out_of_recovery_is_left_out_of_analyses)
{
    static const char *const texts[] = { "^db2[.]" };
    static struct config config;
    struct host_filters *filters = NULL;
    stage_lost("db2.example");
    stage_judge();
    stage_ask("/api/replication-analysis");
    cr_expect_str_eq(stage_part(".Details[0].AnalyzedInstanceKey"), KEY("db2"));
    cr_assert_eq(host_filters_compile("RecoveryIgnoreHostnameFilters", texts, 1, &filters, NULL), FC_OK);
    fleet_stage.picture.recoveries_ignored = filters;
    stage_ask("/api/replication-analysis");
    cr_expect_null(strstr(fleet_stage.body, KEY("db2") ",\"AnalyzedMaster"), "%s", fleet_stage.body);
    answers("/api/replication-analysis/instance/db2.example/3306", "{\"Code\":\"OK\",\"Message\":\"Analysis\",\"Details\":[]}");
    config_add_item(&config, config_key_find("RecoveryIgnoreHostnameFilters"), texts[0], NULL);
    fleet_stage.picture.recoveries_ignored_texts = &config.recovery_ignored;
    stage_ask("/api/automated-recovery-filters");
    cr_expect_str_eq(stage_part(".Details.RecoveryIgnoreHostnameFilters"), "[\"^db2[.]\"]");
    fleet_stage.picture.recoveries_ignored = NULL;
    fleet_stage.picture.recoveries_ignored_texts = NULL;
    host_filters_free(filters);
}

Test(fleet_answer, a_virtual_name_is_registered_and_taken_back)
{
    answers("/api/register-hostname-unresolve/db2.example/3306/vip.example", OK_KEY("Hostname registered unresolve", "db2"));
    stage_ask("/api/instance/db2/3306");
    cr_expect_str_eq(stage_part(".UnresolvedHostname"), "\"vip.example\"");
    answers("/api/deregister-hostname-unresolve/db2.example/3306", OK_KEY("Hostname deregister unresolve", "db2"));
    stage_ask("/api/instance/db2/3306");
    cr_expect_str_eq(stage_part(".UnresolvedHostname"), "\"\"");
    refuses("/api/register-hostname-unresolve/db2.example/3306/a%20b", "'a b' is no host name");
    refuses("/api/deregister-hostname-unresolve/db2.example/none", "'none' is no port: 1 to 65535");
}

Test(fleet_answer, what_is_not_in_this_version_is_refused_in_one_sentence)
{
    refuses("/api/submit-masters-to-kv-stores", "this version writes to no key-value stores; all-clusters-masters tells the masters");
    refuses("/api/submit-masters-to-kv-stores/main", "this version writes to no key-value stores; all-clusters-masters tells the masters");
    refuses("/api/get-candidate-replica/db1.example/3306", "this version recovers no clusters, so it chooses no candidate; which-replicas and "
                                                            "can-replicate-from tell who there is");
}

Test(fleet_answer, names_that_were_resolved_are_used_and_told)
{
    struct fc_err err;
    const struct fc_time until = fc_plus(fleet_stage.picture.now, fc_ms(60000));
    cr_assert_eq(host_names_set(&fleet_stage.resolved, "vip", "db2.example", fleet_stage.picture.now, until, &err), FC_OK);
    stage_ask("/api/instance/vip/3306");
    cr_expect_str_eq(stage_part(".Key"), KEY("db2"));
    stage_ask("/api/hostname-resolve-cache");
    cr_expect_not_null(strstr(fleet_stage.body, "\"Details\":{\"vip\":{\"Object\":\"db2.example\",\"Expiration\":1795420860000000000}}"));
    answers("/api/reset-hostname-resolve-cache", "{\"Code\":\"OK\",\"Message\":\"Hostname cache cleared\",\"Details\":null}");
    answers("/api/hostname-resolve-cache", "{\"Code\":\"OK\",\"Message\":\"Cache retrieved\",\"Details\":{}}");
}

/* ---- orders that are carried out elsewhere ---- */

Test(fleet_answer, discovery_and_forgetting_carry_the_key_that_is_meant)
{
    stage_ask("/api/discover/db2/3306");
    cr_expect_eq(fleet_stage.ordered.verb, FLEET_DISCOVER);
    cr_expect_str_eq(fleet_stage.ordered.host, "db2.example");
    cr_expect_str_eq(stage_part(".Details.Key"), KEY("db2"));
    answers("/api/async-discover/new.example/3307", "{\"Code\":\"OK\",\"Message\":\"Asynchronous discovery initiated\",\"Details\":"
                                                    "{\"Key\":{\"Hostname\":\"new.example\",\"Port\":3307}}}");
    answers("/api/refresh/db3.example/3306", OK_KEY("Instance refreshed", "db3"));
    refuses("/api/refresh/nobody/3306", "there is no known server 'nobody:3306'");
    answers("/api/forget/db3.example/3306", OK_KEY("Instance forgotten", "db3"));
    refuses("/api/forget/nobody/3306", "there is no known server 'nobody:3306'");
    answers("/api/forget-cluster/db4", "{\"Code\":\"OK\",\"Message\":\"Cluster forgotten\",\"Details\":null}");
    cr_expect_str_eq(fleet_stage.ordered.subject, "db1.example:3306");
    answers("/api/resolve/db3.example/3306", OK_KEY("Instance resolved", "db3"));
    answers("/api/snapshot-topologies", "{\"Code\":\"OK\",\"Message\":\"Topology snapshot completed\",\"Details\":\"Took 3ms\"}");
}

Test(fleet_answer, recoveries_are_acknowledged_with_a_comment)
{
    answers("/api/ack-recovery/cluster/db4?comment=seen%0A", "{\"Code\":\"OK\",\"Message\":\"Took 3ms\",\"Details\":\"db1.example:3306\"}");
    cr_expect_eq(fleet_stage.ordered.ack, ACK_CLUSTER);
    cr_expect_str_eq(fleet_stage.ordered.text, "seen");
    cr_expect_str_neq(fleet_stage.ordered.name, "", "its alias too: after a failover the name is another one");
    answers("/api/ack-recovery/instance/db2.example/3306?comment=seen", OK_KEY("Took 3ms", "db2"));
    answers("/api/ack-recovery/12?comment=seen", "{\"Code\":\"OK\",\"Message\":\"Took 3ms\",\"Details\":\"12\"}");
    answers("/api/ack-recovery/uid/1:ab?comment=seen", "{\"Code\":\"OK\",\"Message\":\"Took 3ms\",\"Details\":\"1:ab\"}");
    answers("/api/ack-all-recoveries?comment=seen", "{\"Code\":\"OK\",\"Message\":\"Took 3ms\",\"Details\":\"seen\"}");
    refuses("/api/ack-all-recoveries", "an acknowledgement needs a comment");
    refuses("/api/ack-all-recoveries?comment=%20%0A", "an acknowledgement needs a comment");
    refuses("/api/ack-recovery/twelve?comment=seen", "'twelve' is no number of a recovery");
    answers("/api/check-global-recoveries", "{\"Code\":\"OK\",\"Message\":\"Global recoveries disabled\",\"Details\":\"disabled\"}");
}

/* ---- may it replicate? ---- */

Test(fleet_answer, one_server_may_replicate_from_another_when_no_rule_says_no)
{
    answers("/api/can-replicate-from/db4.example/3306/db1.example/3306", OK_KEY("true", "db1"));
    answers("/api/can-replicate-from-gtid/db4.example/3306/db1.example/3306", OK_KEY("true", "db1"));
    refuses("/api/can-replicate-from/db2.example/3306/db2.example/3306", "no: a server does not replicate from itself");
    refuses("/api/can-replicate-from/db2.example/3306/db4.example/3306", "no: the second replicates from the first");
    refuses("/api/can-replicate-from/db1.example/3306/nobody/3306", "there is no known server 'nobody:3306'");
    refuses("/api/can-replicate-from-gtid/db1.example/3306/far.example/3306", "there is no known server 'far.example:3306'");
    struct described one = describe("one.example", "db1.example");
    one.seen.relogs = false;
    stage_saw(&one);
    refuses("/api/can-replicate-from/db3.example/3306/one.example/3306",
            "no: the second is a replica and does not log what it applies (log_slave_updates)");
    one.seen.relogs = true;
    one.seen.version = 110402;
    stage_saw(&one);
    refuses("/api/can-replicate-from/db3.example/3306/one.example/3306", "no: the first is of an older version");
    one.seen.version = 101106;
    one.seen.flavour = FLAVOUR_MYSQL;
    stage_saw(&one);
    refuses("/api/can-replicate-from/db3.example/3306/one.example/3306", "no: one is MariaDB and the other is not");
    one.seen.flavour = FLAVOUR_MARIADB;
    one.channel.gtid_use = GTID_UNUSED;
    stage_saw(&one);
    answers("/api/can-replicate-from/one.example/3306/db3.example/3306", OK_KEY("true", "db3"));
    refuses("/api/can-replicate-from-gtid/one.example/3306/db3.example/3306",
            "no: the first does not replicate by a GTID that the second understands");
}

/* ---- pages of the store ---- */

static bool no_argument(void *lender, const char *name, char *to, size_t size)
{
    (void)name;
    return text_copy(to, size, lender == NULL ? "" : lender);
}

static enum fc_code meant(const char *text, const char *unacknowledged, struct fleet_page_asked *ret, struct fc_err *err)
{
    static struct http_path path;
    struct fleet_asked asked = { .argument = no_argument, .lender = (void *)unacknowledged };
    cr_assert(http_path_split(text, strlen(text), &path));
    cr_assert_not_null(fleet_route_find(&path, &asked), "%s", text);
    cr_assert_not_null(asked.route->paging, "%s", text);
    return fleet_page_meant(&asked, ret, err);
}

Test(fleet_answer, a_page_is_meant_by_its_number_and_what_is_none_is_the_first)
{
    static const struct { const char *path; uint32_t skip; } pages[] = {
        { "/api/audit", 0 }, { "/api/audit/0", 0 }, { "/api/audit/3", 60 }, { "/api/audit/x", 0 }, { "/api/audit/-1", 0 },
        { "/api/audit/instance/db1/3306/2", 40 }, { "/api/audit-recovery/cluster/c/1", 20 }, { "/api/audit-recovery/cluster/9", 0 },
        { "/api/audit-failure-detection/alias/a/99999999999", 0 },
    };
    struct fleet_page_asked page;
    struct fc_err err;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        cr_assert_eq(meant(pages[i].path, "", &page, &err), FC_OK);
        cr_expect_eq(page.skip, pages[i].skip, "%s", pages[i].path);
        cr_expect_eq(page.limit, FLEET_PAGE_ROWS);
    }
    cr_expect_eq(meant("/api/audit-recovery/id/0", "", &page, &err), FC_BAD_INPUT);
    cr_expect_eq(meant("/api/audit-recovery/id/18446744073709551615", "", &page, &err), FC_BAD_INPUT);
    cr_expect_eq(meant("/api/audit/instance/db1/65536", "", &page, &err), FC_BAD_INPUT);
    stage_ask("/api/audit");
    cr_expect_neq(fleet_stage.status, 200, "it is not of memory");
}

Test(fleet_answer, a_row_of_the_store_is_among_those_asked_for_or_not)
{
    struct fleet_page_asked page;
    struct fc_err err;
    struct fleet_row row = fleet_row_of(FLEET_topology_recovery);
    fleet_set_number(&row, topology_recovery_recovery_id, 4);
    fleet_set_number(&row, topology_recovery_acknowledged, 1);
    fleet_set_null(&row, topology_recovery_end_recovery);
    cr_assert_eq(meant("/api/audit-recovery", "", &page, &err), FC_OK);
    cr_expect(fleet_page_fits(&page, &row, 1000));
    cr_assert_eq(meant("/api/audit-recovery", "true", &page, &err), FC_OK);
    cr_expect_not(fleet_page_fits(&page, &row, 1000));
    cr_assert_eq(meant("/api/audit-recovery/id/5", "", &page, &err), FC_OK);
    cr_expect_not(fleet_page_fits(&page, &row, 1000));
    cr_assert_eq(meant("/api/active-cluster-recovery/c", "", &page, &err), FC_OK);
    cr_expect(fleet_page_fits(&page, &row, 1000));
    fleet_set_number(&row, topology_recovery_end_recovery, 700);
    cr_expect_not(fleet_page_fits(&page, &row, 1000));
    cr_assert_eq(meant("/api/recently-active-cluster-recovery/c", "", &page, &err), FC_OK);
    cr_expect(fleet_page_fits(&page, &row, 1000));
    cr_expect_not(fleet_page_fits(&page, &row, 1001), "more than five minutes ago");
}

static char *change(const char *host, int64_t at, const char *analysis)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance_analysis_changelog);
    fleet_set_text(&row, database_instance_analysis_changelog_hostname, host);
    fleet_set_number(&row, database_instance_analysis_changelog_port, 3306);
    fleet_set_number(&row, database_instance_analysis_changelog_analysis_timestamp, at);
    fleet_set_text(&row, database_instance_analysis_changelog_analysis, analysis);
    return fleet_page_change(&row);
}

Test(fleet_answer, changes_of_findings_are_told_by_server_the_oldest_first)
{
    struct fleet_page_asked page;
    struct fc_err err;
    char *lines[] = { change("db1.example", 1795420860, "NoProblem"), change("db2.example", 1795420830, "DeadIntermediateMaster"),
                      change("db1.example", 1795420860, "DeadMaster"), change("db1.example", 1795420800, "UnreachableMaster") };
    char *told = fleet_page_changes(lines, 4), *nothing = fleet_page_changes(NULL, 0);
    cr_expect_str_eq(told, "[{\"AnalyzedInstanceKey\":" KEY("db1") ",\"Changelog\":[\"2026-11-23 08:00:00;UnreachableMaster,\","
                           "\"2026-11-23 08:01:00;DeadMaster,\",\"2026-11-23 08:01:00;NoProblem,\"]},"
                           "{\"AnalyzedInstanceKey\":" KEY("db2") ",\"Changelog\":[\"2026-11-23 08:00:30;DeadIntermediateMaster,\"]}]");
    cr_expect_str_eq(nothing, "[]");
    for (int i = 0; i < 4; i++)
        free(lines[i]);
    free(told);
    free(nothing);
    cr_assert_eq(meant("/api/replication-analysis-changelog", "", &page, &err), FC_OK);
    cr_expect_eq(page.limit, FLEET_PAGE_CHANGES_MAX);
}

Test(fleet_answer, a_row_without_anything_is_shown_as_an_object_all_the_same)
{
    static const enum fleet_table_name tables[] = { FLEET_audit, FLEET_topology_recovery, FLEET_topology_recovery_steps, FLEET_topology_failure_detection,
                                                     FLEET_blocked_topology_recovery };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const struct fleet_row row = fleet_row_of(tables[i]);
        struct json_page page = { 0 };
        cr_assert(fleet_page_show(&page, &row));
        char *text = page_take(&page);
        cr_expect_eq(text[0], '{');
        free(text);
    }
    const struct fleet_row row = fleet_row_of(FLEET_database_instance);
    struct json_page page = { 0 };
    cr_expect_not(fleet_page_show(&page, &row));
}

/* The names of an object's members at its first level, each with a blank behind. */
static char *members_of(enum fleet_table_name table)
{
    static char names[1024];
    const struct fleet_row row = fleet_row_of(table);
    struct json_page page = { 0 };
    int depth = 0;
    fleet_page_show(&page, &row);
    char *text = page_take(&page);
    names[0] = '\0';
    for (const char *c = text; *c != '\0'; c++) {
        depth += (*c == '{' || *c == '[') - (*c == '}' || *c == ']');
        if (depth == 1 && *c == '"' && (c[-1] == '{' || c[-1] == ','))
            text_format(names + strlen(names), sizeof names - strlen(names), "%.*s ", (int)strcspn(c + 1, "\""), c + 1);
    }
    free(text);
    return names;
}

Test(fleet_answer, a_detection_has_the_members_of_a_recovery)
{
    char recovery[1024];
    TEXT_SET(recovery, members_of(FLEET_topology_recovery));
    cr_expect_str_eq(members_of(FLEET_topology_failure_detection), recovery);
    cr_expect_eq(recovery, strstr(recovery, "Id UID AnalysisEntry SuccessorKey "));
}

Test(fleet_answer, a_statement_is_put_between_those_that_stop_and_start_what_runs)
{
    answers("/api/restart-replica-statements/db2.example/3306?q=set%20global%20x=1;%0A",
            "{\"Code\":\"OK\",\"Message\":\"Restart statements\",\"Details\":[\"stop slave;\",\"set global x=1;\",\"start slave;\"]}");
    answers("/api/restart-slave-statements/db1.example/3306?q=select%201",
            "{\"Code\":\"OK\",\"Message\":\"Restart statements\",\"Details\":[\"select 1;\"]}");
    struct described stopped = describe("db3.example", "db1.example");
    stopped.channel.sql = THREAD_STOPPED;
    stopped.seen.flavour = FLAVOUR_MYSQL;
    stopped.seen.version = 80400;
    stage_saw(&stopped);
    stage_ask("/api/restart-replica-statements/db3.example/3306?q=select%%201");
    cr_expect_str_eq(stage_part(".Details[0]"), "\"stop replica io_thread;\"");
    refuses("/api/restart-replica-statements/db2.example/3306?q=%20;", "which statement? ?q=TEXT");
}

/* ---- figures ---- */

static void all_are_told(const char *path, const char *const fields[], size_t count)
{
    stage_ask("%s", path);
    cr_assert_eq(fleet_stage.status, 200, "%s", path);
    for (size_t i = 0; i < count; i++) {
        char part[80];
        TEXT_FORMAT(part, ".%s", fields[i]);
        cr_expect_str_neq(stage_part(part), "", "%s has no %s", path, fields[i]);
    }
}
#define ALL(path, ...) \
    all_are_told(path, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

Test(fleet_answer, looks_are_told_one_a_server_and_together)
{
    stage_lost("db4.example");
    stage_ask("/api/discovery-metrics-raw/60");
    cr_expect_str_eq(stage_part("[0].Hostname"), "\"db1.example\"");
    cr_expect_str_eq(stage_part("[0].Err"), "null");
    cr_expect_str_eq(stage_part("[3].Err"), "\"not seen\"");
    ALL("/api/discovery-metrics-aggregated/60", "FirstSeen", "LastSeen", "MeanTotalSeconds", "FailedMeanTotalSeconds", "MaxBackendSeconds",
        "FailedMaxInstanceSeconds", "MedianInstanceSeconds", "FailedMedianBackendSeconds", "P95TotalSeconds", "FailedP95InstanceSeconds");
    cr_expect_str_eq(stage_part(".CountDistinctOkInstanceKeys"), "3");
    cr_expect_str_eq(stage_part(".FailedDiscoveries"), "1");
    stage_later(120000);
    answers("/api/discovery-metrics-raw/60", "[]");
    refuses("/api/discovery-metrics-raw/0", "'0' is no number of seconds");
    refuses("/api/discovery-queue-metrics-raw/SLOW/60", "there is no queue 'SLOW': DEFAULT or DEADINSTANCES");
}

Test(fleet_answer, the_queue_and_the_stores_statements_are_told_of_so_many_seconds)
{
    static struct fleet_samples samples;
    const int64_t now = fleet_stage.picture.unix_ms;
    answers("/api/discovery-queue-metrics-raw/60", "[]");
    for (int i = 0; i < 3; i++)
        samples.seconds[i] = (struct fleet_second){ now - (2 - i) * 1000, (uint32_t)i, 7 };
    samples.second_count = 3;
    samples.statements[0] = (struct fleet_statement){ now - 900, 2000, 40, true, true };
    samples.statements[1] = (struct fleet_statement){ now - 100, 1000, 0, false, false };
    samples.statement_count = 2;
    fleet_stage.picture.samples = &samples;
    fleet_stage.picture.flush_ms = 100;
    answers("/api/discovery-queue-metrics-raw/1", "[{\"Active\":1,\"Queued\":7},{\"Active\":2,\"Queued\":7}]");
    answers("/api/discovery-queue-metrics-raw/DEADINSTANCES/0001", "[{\"Active\":0,\"Queued\":0},{\"Active\":0,\"Queued\":0}]");
    ALL("/api/discovery-queue-metrics-aggregated/60", "ActiveMinEntries", "ActiveMeanEntries", "ActiveMedianEntries", "ActiveP95Entries", "QueuedMaxEntries");
    cr_expect_str_eq(stage_part(".ActiveMaxEntries"), "2");
    stage_ask("/api/backend-query-metrics-raw/60");
    cr_expect_str_eq(stage_part("[1].ExecuteLatency"), "1000000");
    cr_expect_str_eq(stage_part("[1].Err"), "\"failed\"");
    ALL("/api/backend-query-metrics-aggregated/60", "Count", "MaxLatencySeconds", "MeanWaitSeconds", "MedianLatencySeconds", "P95WaitSeconds");
    cr_expect_str_eq(stage_part(".Count"), "2");
    stage_ask("/api/write-buffer-metrics-raw/60");
    cr_expect_str_eq(stage_part("[0].Instances"), "40");
    cr_expect_str_eq(stage_part("[1]"), "");
    ALL("/api/write-buffer-metrics-aggregated/60", "InstanceWriteBufferSize", "MaxInstances", "MeanWaitSeconds", "P95WriteSeconds");
    cr_expect_str_eq(stage_part(".CountInstances"), "40");
    cr_expect_str_eq(stage_part(".InstanceFlushIntervalMilliseconds"), "100");
    fleet_stage.picture.samples = NULL;
}

/* ---- the table ---- */

Test(fleet_answer, every_route_is_reached_by_its_own_path_and_says_what_it_is_for)
{
    const struct fleet_route *route;
    for (size_t i = 0; (route = fleet_route_at(i)) != NULL; i++) {
        struct fleet_asked asked = { .parameter_count = 0 };
        struct http_path path;
        cr_assert(http_path_split(route->path, strlen(route->path), &path));
        cr_expect_eq(fleet_route_find(&path, &asked), route, "%s is hidden by %s", route->path, asked.route->path);
        cr_expect(route->meaning[0] != '\0');
        cr_expect_neq(route->read == NULL, route->paging == NULL, "%s is read from memory or from the store", route->path);
        cr_expect(route->make == NULL || ((route->needs_right || route->verb == FLEET_RESOLVE) && route->shape == FLEET_ENVELOPE), "%s", route->path);
    }
}

Test(fleet_answer, no_route_answers_anything_but_json_to_odd_words)
{
    static const char *const odd[] = { "x", "%0A", "%FF%FE", "%22", "a:b:c", "[", "0", "-", "db1.example:3306", "~", "=" };
    const struct fleet_route *route;
    for (size_t i = 0; (route = fleet_route_at(i)) != NULL; i++) {
        for (size_t k = 0; k < sizeof odd / sizeof odd[0]; k++) {
            char path[512] = "";
            for (const char *at = route->path; *at != '\0'; at += 1 + strcspn(at + 1, "/")) {
                const size_t length = strcspn(at + 1, "/"), filled = strlen(path);
                if (at[1] == ':')
                    text_format(path + filled, sizeof path - filled, "/%s", odd[k]);
                else
                    text_format(path + filled, sizeof path - filled, "/%.*s", (int)length, at + 1);
            }
            stage_ask("%s?tag=%s&s=%s&pattern=%s&instances=%s&alias=%s&comment=%s", path, odd[k], odd[k], odd[k], odd[k], odd[k], odd[k]);
        }
    }
}
