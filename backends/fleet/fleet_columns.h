/* The columns of the fleet's tables, in the notation of spec/schema.md 1: C(table, column, type, part, preset).
 *
 * The names are those of the tables, misspelt ones too, and so the enumerators are in their case: `row.values[audit_hostname]`.
 * New columns go to the end of a list; the order is that of the lists only, every statement names its columns.
 *
 * part:  KEY    whose row it is                      SAME   what is written when it changes
 *        PLACE  positions, which a busy server moves all the time: a change of these alone is written now and then
 *        LOOK   when it was looked at: a change of these alone is a refresh, many servers in one statement
 * preset: the default as SQL; NULL: none (of `text` there is none in MySQL; TS and TSX have theirs) */
#ifndef FC_BACKENDS_FLEET_COLUMNS_H
#define FC_BACKENDS_FLEET_COLUMNS_H

#define DATABASE_INSTANCE_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, port, U16, KEY, NULL) \
    C(T, last_checked, TS, LOOK, NULL) \
    C(T, last_attempted_check, TSX, LOOK, NULL) \
    C(T, last_check_partial_success, U8, SAME, NULL) \
    C(T, last_seen, TS_NULL, LOOK, NULL) \
    C(T, uptime, U32, LOOK, NULL) \
    C(T, server_id, U32, SAME, NULL) \
    C(T, server_uuid, VC(64), SAME, NULL) \
    C(T, version, VC(128), SAME, NULL) \
    C(T, major_version, VC(16), SAME, NULL) \
    C(T, version_comment, VC(128), SAME, "''") \
    C(T, binlog_server, U8, SAME, NULL) \
    C(T, read_only, U8, SAME, NULL) \
    C(T, binlog_format, VC(16), SAME, NULL) \
    C(T, binlog_row_image, VC(16), SAME, NULL) \
    C(T, log_bin, U8, SAME, NULL) \
    C(T, log_slave_updates, U8, SAME, NULL) \
    C(T, binary_log_file, VC(128), SAME, NULL) \
    C(T, binary_log_pos, U64, PLACE, NULL) \
    C(T, master_host, VC(128), SAME, NULL) \
    C(T, master_port, U16, SAME, NULL) \
    C(T, slave_sql_running, U8, SAME, NULL) \
    C(T, slave_io_running, U8, SAME, NULL) \
    C(T, replication_sql_thread_state, I8, SAME, "0") \
    C(T, replication_io_thread_state, I8, SAME, "0") \
    C(T, has_replication_filters, U8, SAME, NULL) \
    C(T, supports_oracle_gtid, U8, SAME, NULL) \
    C(T, oracle_gtid, U8, SAME, NULL) \
    C(T, mariadb_gtid, U8, SAME, NULL) \
    C(T, pseudo_gtid, U8, SAME, NULL) \
    C(T, master_uuid, VC(64), SAME, NULL) \
    C(T, ancestry_uuid, TEXT, SAME, NULL) \
    C(T, executed_gtid_set, TEXT, PLACE, NULL) \
    C(T, gtid_purged, TEXT, SAME, NULL) \
    C(T, gtid_errant, TEXT, SAME, NULL) \
    C(T, gtid_mode, VC(32), SAME, NULL) \
    C(T, master_log_file, VC(128), SAME, NULL) \
    C(T, read_master_log_pos, U64, PLACE, NULL) \
    C(T, relay_master_log_file, VC(128), SAME, NULL) \
    C(T, exec_master_log_pos, U64, PLACE, NULL) \
    C(T, relay_log_file, VC(128), PLACE, NULL) \
    C(T, relay_log_pos, U64, PLACE, NULL) \
    C(T, last_sql_error, TEXT, SAME, NULL) \
    C(T, last_io_error, TEXT, SAME, NULL) \
    C(T, seconds_behind_master, U64_NULL, SAME, NULL) \
    C(T, slave_lag_seconds, U64_NULL, SAME, NULL) \
    C(T, sql_delay, U32, SAME, NULL) \
    C(T, allow_tls, U8, SAME, NULL) \
    C(T, num_slave_hosts, U32, SAME, NULL) \
    C(T, slave_hosts, TEXT, SAME, NULL) \
    C(T, cluster_name, VC(128), SAME, NULL) \
    C(T, suggested_cluster_alias, VC(128), SAME, NULL) \
    C(T, instance_alias, VC(128), SAME, NULL) \
    C(T, data_center, VC(32), SAME, NULL) \
    C(T, region, VC(32), SAME, NULL) \
    C(T, physical_environment, VC(32), SAME, NULL) \
    C(T, replication_depth, U8, SAME, NULL) \
    C(T, is_co_master, U8, SAME, NULL) \
    C(T, replication_credentials_available, U8, SAME, NULL) \
    C(T, has_replication_credentials, U8, SAME, NULL) \
    C(T, semi_sync_enforced, U8, SAME, NULL) \
    C(T, semi_sync_available, U8, SAME, "0") \
    C(T, semi_sync_master_enabled, U8, SAME, NULL) \
    C(T, semi_sync_master_status, U8, SAME, "0") \
    C(T, semi_sync_master_timeout, U64, SAME, "0") \
    C(T, semi_sync_master_wait_for_slave_count, U32, SAME, "0") \
    C(T, semi_sync_master_clients, U32, SAME, "0") \
    C(T, semi_sync_replica_enabled, U8, SAME, NULL) \
    C(T, semi_sync_replica_status, U8, SAME, "0") \
    C(T, last_discovery_latency, I64, LOOK, NULL) \
    C(T, replication_group_name, VC(64), SAME, "''") \
    C(T, replication_group_member_state, VC(16), SAME, "''") \
    C(T, replication_group_member_role, VC(16), SAME, "''") \
    C(T, replication_group_is_single_primary_mode, U8, SAME, "1") \
    C(T, replication_group_members, TEXT, SAME, NULL) \
    C(T, replication_group_primary_host, VC(128), SAME, "''") \
    C(T, replication_group_primary_port, U16, SAME, "0")

#define CANDIDATE_DATABASE_INSTANCE_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, port, U16, KEY, NULL) \
    C(T, last_suggested, TS, SAME, NULL) \
    C(T, priority, I8, SAME, "1") \
    C(T, promotion_rule, RULE, SAME, "'neutral'")

#define DATABASE_INSTANCE_DOWNTIME_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, port, U16, KEY, NULL) \
    C(T, downtime_active, I8_NULL, SAME, NULL) \
    C(T, begin_timestamp, TS_NULL_NOW, SAME, NULL) \
    C(T, end_timestamp, TS_NULL, SAME, NULL) \
    C(T, owner, VCU(128), SAME, NULL) \
    C(T, reason, TEXTU, SAME, NULL)

#define DATABASE_INSTANCE_MAINTENANCE_COLUMNS(C, T) \
    C(T, database_instance_maintenance_id, AI32, KEY, NULL) \
    C(T, hostname, VC(128), SAME, NULL) \
    C(T, port, U16, SAME, NULL) \
    C(T, maintenance_active, I8_NULL, SAME, NULL) \
    C(T, begin_timestamp, TS_NULL, SAME, NULL) \
    C(T, end_timestamp, TS_NULL, SAME, NULL) \
    C(T, owner, VCU(128), SAME, NULL) \
    C(T, reason, TEXTU, SAME, NULL) \
    C(T, processing_node_hostname, VC(128), SAME, NULL) \
    C(T, processing_node_token, VC(128), SAME, NULL) \
    C(T, explicitly_bounded, U8, SAME, NULL)

#define DATABASE_INSTANCE_POOL_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, port, U16, KEY, NULL) \
    C(T, pool, VC(128), KEY, NULL) \
    C(T, registered_at, TSX, SAME, NULL)

#define DATABASE_INSTANCE_TAGS_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, port, U16, KEY, NULL) \
    C(T, tag_name, VCU(128), KEY, NULL) \
    C(T, tag_value, VCU(128), SAME, NULL) \
    C(T, last_updated, TS, SAME, NULL)

#define DATABASE_INSTANCE_TOPOLOGY_HISTORY_COLUMNS(C, T) \
    C(T, snapshot_unix_timestamp, U32, KEY, NULL) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, port, U16, KEY, NULL) \
    C(T, master_host, VC(128), SAME, NULL) \
    C(T, master_port, U16, SAME, NULL) \
    C(T, cluster_name, TINYTEXT, SAME, NULL) \
    C(T, version, VC(128), SAME, NULL)

#define HOSTNAME_RESOLVE_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, resolved_hostname, VC(128), SAME, NULL) \
    C(T, resolved_timestamp, TS, SAME, NULL)

#define HOSTNAME_RESOLVE_HISTORY_COLUMNS(C, T) \
    C(T, resolved_hostname, VC(128), KEY, NULL) \
    C(T, hostname, VC(128), SAME, NULL) \
    C(T, resolved_timestamp, TS, SAME, NULL)

#define HOSTNAME_UNRESOLVE_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, unresolved_hostname, VC(128), SAME, NULL) \
    C(T, last_registered, TS, SAME, NULL)

#define HOSTNAME_UNRESOLVE_HISTORY_COLUMNS(C, T) \
    C(T, unresolved_hostname, VC(128), KEY, NULL) \
    C(T, hostname, VC(128), SAME, NULL) \
    C(T, last_registered, TS, SAME, NULL)

#define CLUSTER_ALIAS_COLUMNS(C, T) \
    C(T, cluster_name, VC(128), KEY, NULL) \
    C(T, alias, VC(128), SAME, NULL) \
    C(T, last_registered, TS, SAME, NULL)

#define CLUSTER_ALIAS_OVERRIDE_COLUMNS(C, T) \
    C(T, cluster_name, VC(128), KEY, NULL) \
    C(T, alias, VC(128), SAME, NULL)

#define CLUSTER_DOMAIN_NAME_COLUMNS(C, T) \
    C(T, cluster_name, VC(128), KEY, NULL) \
    C(T, domain_name, VC(128), SAME, NULL) \
    C(T, last_registered, TS, SAME, NULL)

#define HOST_ATTRIBUTES_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, attribute_name, VC(128), KEY, NULL) \
    C(T, attribute_value, VC(128), SAME, NULL) \
    C(T, submit_timestamp, TS, SAME, NULL) \
    C(T, expire_timestamp, TS_NULL, SAME, NULL)

#define DATABASE_INSTANCE_LAST_ANALYSIS_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, port, U16, KEY, NULL) \
    C(T, analysis_timestamp, TS, SAME, NULL) \
    C(T, analysis, VC(128), SAME, NULL)

#define DATABASE_INSTANCE_ANALYSIS_CHANGELOG_COLUMNS(C, T) \
    C(T, changelog_id, AI, KEY, NULL) \
    C(T, hostname, VC(128), SAME, NULL) \
    C(T, port, U16, SAME, NULL) \
    C(T, analysis_timestamp, TS, SAME, NULL) \
    C(T, analysis, VC(128), SAME, NULL)

#define TOPOLOGY_FAILURE_DETECTION_COLUMNS(C, T) \
    C(T, detection_id, AI, KEY, NULL) \
    C(T, hostname, VC(128), SAME, NULL) \
    C(T, port, U16, SAME, NULL) \
    C(T, in_active_period, U8, SAME, "0") \
    C(T, start_active_period, TS, SAME, NULL) \
    C(T, end_active_period_unixtime, U32, SAME, NULL) \
    C(T, processing_node_hostname, VC(128), SAME, NULL) \
    C(T, processcing_node_token, VC(128), SAME, NULL) \
    C(T, analysis, VC(128), SAME, NULL) \
    C(T, cluster_name, VC(128), SAME, NULL) \
    C(T, cluster_alias, VC(128), SAME, NULL) \
    C(T, count_affected_slaves, U32, SAME, NULL) \
    C(T, slave_hosts, TEXT, SAME, NULL) \
    C(T, is_actionable, I8, SAME, "0")

#define TOPOLOGY_RECOVERY_COLUMNS(C, T) \
    C(T, recovery_id, AI, KEY, NULL) \
    C(T, hostname, VC(128), SAME, NULL) \
    C(T, port, U16, SAME, NULL) \
    C(T, in_active_period, U8, SAME, "0") \
    C(T, start_active_period, TS, SAME, NULL) \
    C(T, end_active_period_unixtime, U32_NULL, SAME, NULL) \
    C(T, end_recovery, TS_NULL, SAME, NULL) \
    C(T, processing_node_hostname, VC(128), SAME, NULL) \
    C(T, processcing_node_token, VC(128), SAME, NULL) \
    C(T, is_successful, U8, SAME, "0") \
    C(T, successor_hostname, VC_NULL(128), SAME, NULL) \
    C(T, successor_port, U16_NULL, SAME, NULL) \
    C(T, successor_alias, VC_NULL(128), SAME, NULL) \
    C(T, analysis, VC(128), SAME, NULL) \
    C(T, cluster_name, VC(128), SAME, NULL) \
    C(T, cluster_alias, VC(128), SAME, NULL) \
    C(T, count_affected_slaves, U32, SAME, NULL) \
    C(T, slave_hosts, TEXT, SAME, NULL) \
    C(T, participating_instances, TEXT, SAME, NULL) \
    C(T, lost_slaves, TEXT, SAME, NULL) \
    C(T, all_errors, TEXT, SAME, NULL) \
    C(T, acknowledged, U8, SAME, "0") \
    C(T, acknowledged_at, TS_NULL, SAME, NULL) \
    C(T, acknowledged_by, VCU(128), SAME, NULL) \
    C(T, acknowledge_comment, TEXTU, SAME, NULL) \
    C(T, last_detection_id, U64, SAME, NULL) \
    C(T, uid, VC(128), SAME, NULL)

#define TOPOLOGY_RECOVERY_STEPS_COLUMNS(C, T) \
    C(T, recovery_step_id, AI, KEY, NULL) \
    C(T, recovery_uid, VC(128), SAME, NULL) \
    C(T, audit_at, TS, SAME, NULL) \
    C(T, message, TEXTU, SAME, NULL)

#define BLOCKED_TOPOLOGY_RECOVERY_COLUMNS(C, T) \
    C(T, hostname, VC(128), KEY, NULL) \
    C(T, port, U16, KEY, NULL) \
    C(T, cluster_name, VC(128), SAME, NULL) \
    C(T, analysis, VC(128), SAME, NULL) \
    C(T, last_blocked_timestamp, TS, SAME, NULL) \
    C(T, blocking_recovery_id, U64_NULL, SAME, NULL)

#define GLOBAL_RECOVERY_DISABLE_COLUMNS(C, T) \
    C(T, disable_recovery, U8, KEY, NULL)

#define ACCESS_TOKEN_COLUMNS(C, T) \
    C(T, access_token_id, AI, KEY, NULL) \
    C(T, public_token, VC(128), SAME, NULL) \
    C(T, secret_token, VC(128), SAME, NULL) \
    C(T, generated_at, TS, SAME, NULL) \
    C(T, generated_by, VCU(128), SAME, NULL) \
    C(T, is_acquired, U8, SAME, "0") \
    C(T, is_reentrant, U8, SAME, "0") \
    C(T, acquired_at, TSX, SAME, NULL)

#define AUDIT_COLUMNS(C, T) \
    C(T, audit_id, AI, KEY, NULL) \
    C(T, audit_timestamp, TS, SAME, NULL) \
    C(T, audit_type, VC(128), SAME, NULL) \
    C(T, hostname, VC(128), SAME, "''") \
    C(T, port, U16, SAME, NULL) \
    C(T, cluster_name, VC(128), SAME, "''") \
    C(T, message, TEXTU, SAME, NULL)

/* F(table, its columns): the order is that in which they are created and read. */
#define FLEET_TABLES(F) \
    F(candidate_database_instance, CANDIDATE_DATABASE_INSTANCE_COLUMNS) \
    F(database_instance_downtime, DATABASE_INSTANCE_DOWNTIME_COLUMNS) \
    F(database_instance_maintenance, DATABASE_INSTANCE_MAINTENANCE_COLUMNS) \
    F(database_instance_pool, DATABASE_INSTANCE_POOL_COLUMNS) \
    F(database_instance_tags, DATABASE_INSTANCE_TAGS_COLUMNS) \
    F(hostname_resolve, HOSTNAME_RESOLVE_COLUMNS) \
    F(hostname_unresolve, HOSTNAME_UNRESOLVE_COLUMNS) \
    F(cluster_alias_override, CLUSTER_ALIAS_OVERRIDE_COLUMNS) \
    F(cluster_domain_name, CLUSTER_DOMAIN_NAME_COLUMNS) \
    F(host_attributes, HOST_ATTRIBUTES_COLUMNS) \
    F(global_recovery_disable, GLOBAL_RECOVERY_DISABLE_COLUMNS) \
    F(database_instance, DATABASE_INSTANCE_COLUMNS) \
    F(hostname_resolve_history, HOSTNAME_RESOLVE_HISTORY_COLUMNS) \
    F(hostname_unresolve_history, HOSTNAME_UNRESOLVE_HISTORY_COLUMNS) \
    F(cluster_alias, CLUSTER_ALIAS_COLUMNS) \
    F(database_instance_last_analysis, DATABASE_INSTANCE_LAST_ANALYSIS_COLUMNS) \
    F(database_instance_analysis_changelog, DATABASE_INSTANCE_ANALYSIS_CHANGELOG_COLUMNS) \
    F(topology_failure_detection, TOPOLOGY_FAILURE_DETECTION_COLUMNS) \
    F(topology_recovery, TOPOLOGY_RECOVERY_COLUMNS) \
    F(topology_recovery_steps, TOPOLOGY_RECOVERY_STEPS_COLUMNS) \
    F(blocked_topology_recovery, BLOCKED_TOPOLOGY_RECOVERY_COLUMNS) \
    F(access_token, ACCESS_TOKEN_COLUMNS) \
    F(audit, AUDIT_COLUMNS) \
    F(database_instance_topology_history, DATABASE_INSTANCE_TOPOLOGY_HISTORY_COLUMNS)

#endif
