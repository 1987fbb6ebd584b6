/* The tables as spec/schema.md describes them, written from that text and not from backends/fleet: what an existing backend looks like. */
#include "golden_schema.h"

#include <stddef.h>

const char *const golden_mysql[] = {
    ("create table candidate_database_instance (hostname varchar(128) character set ascii not null, port smallint unsigned "
    "not null, last_suggested timestamp not null default current_timestamp, priority tinyint not null default 1, "
    "promotion_rule enum('must','prefer','neutral','prefer_not','must_not') not null default 'neutral', primary key "
    "(hostname, port)) engine=InnoDB default charset=ascii"),
    ("create table database_instance_downtime (hostname varchar(128) character set ascii not null, port smallint unsigned "
    "not null, downtime_active tinyint default null, begin_timestamp timestamp null default current_timestamp, "
    "end_timestamp timestamp null default null, owner varchar(128) character set utf8 not null, reason text character set "
    "utf8 not null, primary key (hostname, port)) engine=InnoDB default charset=ascii"),
    ("create table database_instance_maintenance (database_instance_maintenance_id int unsigned not null auto_increment, "
    "hostname varchar(128) character set ascii not null, port smallint unsigned not null, maintenance_active tinyint "
    "default null, begin_timestamp timestamp null default null, end_timestamp timestamp null default null, owner "
    "varchar(128) character set utf8 not null, reason text character set utf8 not null, processing_node_hostname "
    "varchar(128) character set ascii not null, processing_node_token varchar(128) character set ascii not null, "
    "explicitly_bounded tinyint unsigned not null, primary key (database_instance_maintenance_id), unique key golden_uidx "
    "(maintenance_active, hostname, port)) engine=InnoDB default charset=ascii"),
    ("create table database_instance_pool (hostname varchar(128) character set ascii not null, port smallint unsigned not "
    "null, pool varchar(128) character set ascii not null, registered_at timestamp not null default '1971-01-01 00:00:00', "
    "primary key (hostname, port, pool)) engine=InnoDB default charset=ascii"),
    ("create table database_instance_tags (hostname varchar(128) character set ascii not null, port smallint unsigned not "
    "null, tag_name varchar(128) character set utf8 not null, tag_value varchar(128) character set utf8 not null, "
    "last_updated timestamp not null default current_timestamp, primary key (hostname, port, tag_name)) engine=InnoDB "
    "default charset=ascii"),
    ("create table hostname_resolve (hostname varchar(128) character set ascii not null, resolved_hostname varchar(128) "
    "character set ascii not null, resolved_timestamp timestamp not null default current_timestamp, primary key "
    "(hostname)) engine=InnoDB default charset=ascii"),
    ("create table hostname_unresolve (hostname varchar(128) character set ascii not null, unresolved_hostname varchar(128) "
    "character set ascii not null, last_registered timestamp not null default current_timestamp, primary key (hostname)) "
    "engine=InnoDB default charset=ascii"),
    ("create table cluster_alias_override (cluster_name varchar(128) character set ascii not null, alias varchar(128) "
    "character set ascii not null, primary key (cluster_name)) engine=InnoDB default charset=ascii"),
    ("create table cluster_domain_name (cluster_name varchar(128) character set ascii not null, domain_name varchar(128) "
    "character set ascii not null, last_registered timestamp not null default current_timestamp, primary key "
    "(cluster_name)) engine=InnoDB default charset=ascii"),
    ("create table host_attributes (hostname varchar(128) character set ascii not null, attribute_name varchar(128) "
    "character set ascii not null, attribute_value varchar(128) character set ascii not null, submit_timestamp timestamp "
    "not null default current_timestamp, expire_timestamp timestamp null default null, primary key (hostname, "
    "attribute_name)) engine=InnoDB default charset=ascii"),
    ("create table global_recovery_disable (disable_recovery tinyint unsigned not null, primary key (disable_recovery)) "
    "engine=InnoDB default charset=ascii"),
    ("create table database_instance (hostname varchar(128) character set ascii not null, port smallint unsigned not null, "
    "last_checked timestamp not null default current_timestamp, last_attempted_check timestamp not null default "
    "'1971-01-01 00:00:00', last_check_partial_success tinyint unsigned not null, last_seen timestamp null default null, "
    "uptime int unsigned not null, server_id int unsigned not null, server_uuid varchar(64) character set ascii not null, "
    "version varchar(128) character set ascii not null, major_version varchar(16) character set ascii not null, "
    "version_comment varchar(128) character set ascii not null default '', binlog_server tinyint unsigned not null, "
    "read_only tinyint unsigned not null, binlog_format varchar(16) character set ascii not null, binlog_row_image "
    "varchar(16) character set ascii not null, log_bin tinyint unsigned not null, log_slave_updates tinyint unsigned not "
    "null, binary_log_file varchar(128) character set ascii not null, binary_log_pos bigint unsigned not null, master_host "
    "varchar(128) character set ascii not null, master_port smallint unsigned not null, slave_sql_running tinyint unsigned "
    "not null, slave_io_running tinyint unsigned not null, replication_sql_thread_state tinyint not null default 0, "
    "replication_io_thread_state tinyint not null default 0, has_replication_filters tinyint unsigned not null, "
    "supports_oracle_gtid tinyint unsigned not null, oracle_gtid tinyint unsigned not null, mariadb_gtid tinyint unsigned "
    "not null, pseudo_gtid tinyint unsigned not null, master_uuid varchar(64) character set ascii not null, ancestry_uuid "
    "text character set ascii not null, executed_gtid_set text character set ascii not null, gtid_purged text character "
    "set ascii not null, gtid_errant text character set ascii not null, gtid_mode varchar(32) character set ascii not "
    "null, master_log_file varchar(128) character set ascii not null, read_master_log_pos bigint unsigned not null, "
    "relay_master_log_file varchar(128) character set ascii not null, exec_master_log_pos bigint unsigned not null, "
    "relay_log_file varchar(128) character set ascii not null, relay_log_pos bigint unsigned not null, last_sql_error text "
    "character set ascii not null, last_io_error text character set ascii not null, seconds_behind_master bigint unsigned "
    "default null, slave_lag_seconds bigint unsigned default null, sql_delay int unsigned not null, allow_tls tinyint "
    "unsigned not null, num_slave_hosts int unsigned not null, slave_hosts text character set ascii not null, cluster_name "
    "varchar(128) character set ascii not null, suggested_cluster_alias varchar(128) character set ascii not null, "
    "instance_alias varchar(128) character set ascii not null, data_center varchar(32) character set ascii not null, "
    "region varchar(32) character set ascii not null, physical_environment varchar(32) character set ascii not null, "
    "replication_depth tinyint unsigned not null, is_co_master tinyint unsigned not null, "
    "replication_credentials_available tinyint unsigned not null, has_replication_credentials tinyint unsigned not null, "
    "semi_sync_enforced tinyint unsigned not null, semi_sync_available tinyint unsigned not null default 0, "
    "semi_sync_master_enabled tinyint unsigned not null, semi_sync_master_status tinyint unsigned not null default 0, "
    "semi_sync_master_timeout bigint unsigned not null default 0, semi_sync_master_wait_for_slave_count int unsigned not "
    "null default 0, semi_sync_master_clients int unsigned not null default 0, semi_sync_replica_enabled tinyint unsigned "
    "not null, semi_sync_replica_status tinyint unsigned not null default 0, last_discovery_latency bigint not null, "
    "replication_group_name varchar(64) character set ascii not null default '', replication_group_member_state "
    "varchar(16) character set ascii not null default '', replication_group_member_role varchar(16) character set ascii "
    "not null default '', replication_group_is_single_primary_mode tinyint unsigned not null default 1, "
    "replication_group_members text character set ascii not null, replication_group_primary_host varchar(128) character "
    "set ascii not null default '', replication_group_primary_port smallint unsigned not null default 0, primary key "
    "(hostname, port)) engine=InnoDB default charset=ascii"),
    ("create table hostname_resolve_history (resolved_hostname varchar(128) character set ascii not null, hostname "
    "varchar(128) character set ascii not null, resolved_timestamp timestamp not null default current_timestamp, primary "
    "key (resolved_hostname)) engine=InnoDB default charset=ascii"),
    ("create table hostname_unresolve_history (unresolved_hostname varchar(128) character set ascii not null, hostname "
    "varchar(128) character set ascii not null, last_registered timestamp not null default current_timestamp, primary key "
    "(unresolved_hostname)) engine=InnoDB default charset=ascii"),
    ("create table cluster_alias (cluster_name varchar(128) character set ascii not null, alias varchar(128) character set "
    "ascii not null, last_registered timestamp not null default current_timestamp, primary key (cluster_name), unique key "
    "golden_uidx (alias)) engine=InnoDB default charset=ascii"),
    ("create table database_instance_last_analysis (hostname varchar(128) character set ascii not null, port smallint "
    "unsigned not null, analysis_timestamp timestamp not null default current_timestamp, analysis varchar(128) character "
    "set ascii not null, primary key (hostname, port)) engine=InnoDB default charset=ascii"),
    ("create table database_instance_analysis_changelog (changelog_id bigint unsigned not null auto_increment, hostname "
    "varchar(128) character set ascii not null, port smallint unsigned not null, analysis_timestamp timestamp not null "
    "default current_timestamp, analysis varchar(128) character set ascii not null, primary key (changelog_id)) "
    "engine=InnoDB default charset=ascii"),
    ("create table topology_failure_detection (detection_id bigint unsigned not null auto_increment, hostname varchar(128) "
    "character set ascii not null, port smallint unsigned not null, in_active_period tinyint unsigned not null default 0, "
    "start_active_period timestamp not null default current_timestamp, end_active_period_unixtime int unsigned not null, "
    "processing_node_hostname varchar(128) character set ascii not null, processcing_node_token varchar(128) character set "
    "ascii not null, analysis varchar(128) character set ascii not null, cluster_name varchar(128) character set ascii not "
    "null, cluster_alias varchar(128) character set ascii not null, count_affected_slaves int unsigned not null, "
    "slave_hosts text character set ascii not null, is_actionable tinyint not null default 0, primary key (detection_id), "
    "unique key golden_uidx (hostname, port, in_active_period, end_active_period_unixtime, is_actionable)) engine=InnoDB "
    "default charset=ascii"),
    ("create table topology_recovery (recovery_id bigint unsigned not null auto_increment, hostname varchar(128) character "
    "set ascii not null, port smallint unsigned not null, in_active_period tinyint unsigned not null default 0, "
    "start_active_period timestamp not null default current_timestamp, end_active_period_unixtime int unsigned default "
    "null, end_recovery timestamp null default null, processing_node_hostname varchar(128) character set ascii not null, "
    "processcing_node_token varchar(128) character set ascii not null, is_successful tinyint unsigned not null default 0, "
    "successor_hostname varchar(128) character set ascii default null, successor_port smallint unsigned default null, "
    "successor_alias varchar(128) character set ascii default null, analysis varchar(128) character set ascii not null, "
    "cluster_name varchar(128) character set ascii not null, cluster_alias varchar(128) character set ascii not null, "
    "count_affected_slaves int unsigned not null, slave_hosts text character set ascii not null, participating_instances "
    "text character set ascii not null, lost_slaves text character set ascii not null, all_errors text character set ascii "
    "not null, acknowledged tinyint unsigned not null default 0, acknowledged_at timestamp null default null, "
    "acknowledged_by varchar(128) character set utf8 not null, acknowledge_comment text character set utf8 not null, "
    "last_detection_id bigint unsigned not null, uid varchar(128) character set ascii not null, primary key (recovery_id), "
    "unique key golden_uidx (hostname, port, in_active_period, end_active_period_unixtime)) engine=InnoDB default "
    "charset=ascii"),
    ("create table topology_recovery_steps (recovery_step_id bigint unsigned not null auto_increment, recovery_uid "
    "varchar(128) character set ascii not null, audit_at timestamp not null default current_timestamp, message text "
    "character set utf8 not null, primary key (recovery_step_id)) engine=InnoDB default charset=ascii"),
    ("create table blocked_topology_recovery (hostname varchar(128) character set ascii not null, port smallint unsigned "
    "not null, cluster_name varchar(128) character set ascii not null, analysis varchar(128) character set ascii not null, "
    "last_blocked_timestamp timestamp not null default current_timestamp, blocking_recovery_id bigint unsigned default "
    "null, primary key (hostname, port)) engine=InnoDB default charset=ascii"),
    ("create table access_token (access_token_id bigint unsigned not null auto_increment, public_token varchar(128) "
    "character set ascii not null, secret_token varchar(128) character set ascii not null, generated_at timestamp not null "
    "default current_timestamp, generated_by varchar(128) character set utf8 not null, is_acquired tinyint unsigned not "
    "null default 0, is_reentrant tinyint unsigned not null default 0, acquired_at timestamp not null default '1971-01-01 "
    "00:00:00', primary key (access_token_id), unique key golden_uidx (public_token)) engine=InnoDB default charset=ascii"),
    ("create table audit (audit_id bigint unsigned not null auto_increment, audit_timestamp timestamp not null default "
    "current_timestamp, audit_type varchar(128) character set ascii not null, hostname varchar(128) character set ascii "
    "not null default '', port smallint unsigned not null, cluster_name varchar(128) character set ascii not null default "
    "'', message text character set utf8 not null, primary key (audit_id)) engine=InnoDB default charset=ascii"),
    NULL,
};

const char *const golden_sqlite[] = {
    ("create table candidate_database_instance (hostname varchar(128) not null, port smallint not null, last_suggested "
    "timestamp not null default '', priority tinyint not null default 1, promotion_rule text check (promotion_rule in "
    "('must','prefer','neutral','prefer_not','must_not')) not null default 'neutral', primary key (hostname, port))"),
    ("create table database_instance_downtime (hostname varchar(128) not null, port smallint not null, downtime_active "
    "tinyint default null, begin_timestamp timestamp default current_timestamp, end_timestamp timestamp null default null, "
    "owner varchar(128) not null, reason text not null, primary key (hostname, port))"),
    ("create table database_instance_maintenance (database_instance_maintenance_id integer primary key, hostname "
    "varchar(128) not null, port smallint not null, maintenance_active tinyint default null, begin_timestamp timestamp "
    "null default null, end_timestamp timestamp null default null, owner varchar(128) not null, reason text not null, "
    "processing_node_hostname varchar(128) not null, processing_node_token varchar(128) not null, explicitly_bounded "
    "tinyint not null, unique (maintenance_active, hostname, port))"),
    ("create table database_instance_pool (hostname varchar(128) not null, port smallint not null, pool varchar(128) not "
    "null, registered_at timestamp not null default '1971-01-01 00:00:00', primary key (hostname, port, pool))"),
    ("create table database_instance_tags (hostname varchar(128) not null, port smallint not null, tag_name varchar(128) "
    "not null, tag_value varchar(128) not null, last_updated timestamp not null default '', primary key (hostname, port, "
    "tag_name))"),
    ("create table hostname_resolve (hostname varchar(128) not null, resolved_hostname varchar(128) not null, "
    "resolved_timestamp timestamp not null default '', primary key (hostname))"),
    ("create table hostname_unresolve (hostname varchar(128) not null, unresolved_hostname varchar(128) not null, "
    "last_registered timestamp not null default '', primary key (hostname))"),
    ("create table cluster_alias_override (cluster_name varchar(128) not null, alias varchar(128) not null, primary key "
    "(cluster_name))"),
    ("create table cluster_domain_name (cluster_name varchar(128) not null, domain_name varchar(128) not null, "
    "last_registered timestamp not null default '', primary key (cluster_name))"),
    ("create table host_attributes (hostname varchar(128) not null, attribute_name varchar(128) not null, attribute_value "
    "varchar(128) not null, submit_timestamp timestamp not null default '', expire_timestamp timestamp null default null, "
    "primary key (hostname, attribute_name))"),
    "create table global_recovery_disable (disable_recovery tinyint not null, primary key (disable_recovery))",
    ("create table database_instance (hostname varchar(128) not null, port smallint not null, last_checked timestamp not "
    "null default '', last_attempted_check timestamp not null default '1971-01-01 00:00:00', last_check_partial_success "
    "tinyint not null, last_seen timestamp null default null, uptime int not null, server_id int not null, server_uuid "
    "varchar(64) not null, version varchar(128) not null, major_version varchar(16) not null, version_comment varchar(128) "
    "not null default '', binlog_server tinyint not null, read_only tinyint not null, binlog_format varchar(16) not null, "
    "binlog_row_image varchar(16) not null, log_bin tinyint not null, log_slave_updates tinyint not null, binary_log_file "
    "varchar(128) not null, binary_log_pos bigint not null, master_host varchar(128) not null, master_port smallint not "
    "null, slave_sql_running tinyint not null, slave_io_running tinyint not null, replication_sql_thread_state tinyint not "
    "null default 0, replication_io_thread_state tinyint not null default 0, has_replication_filters tinyint not null, "
    "supports_oracle_gtid tinyint not null, oracle_gtid tinyint not null, mariadb_gtid tinyint not null, pseudo_gtid "
    "tinyint not null, master_uuid varchar(64) not null, ancestry_uuid text not null, executed_gtid_set text not null, "
    "gtid_purged text not null, gtid_errant text not null, gtid_mode varchar(32) not null, master_log_file varchar(128) "
    "not null, read_master_log_pos bigint not null, relay_master_log_file varchar(128) not null, exec_master_log_pos "
    "bigint not null, relay_log_file varchar(128) not null, relay_log_pos bigint not null, last_sql_error text not null, "
    "last_io_error text not null, seconds_behind_master bigint default null, slave_lag_seconds bigint default null, "
    "sql_delay int not null, allow_tls tinyint not null, num_slave_hosts int not null, slave_hosts text not null, "
    "cluster_name varchar(128) not null, suggested_cluster_alias varchar(128) not null, instance_alias varchar(128) not "
    "null, data_center varchar(32) not null, region varchar(32) not null, physical_environment varchar(32) not null, "
    "replication_depth tinyint not null, is_co_master tinyint not null, replication_credentials_available tinyint not "
    "null, has_replication_credentials tinyint not null, semi_sync_enforced tinyint not null, semi_sync_available tinyint "
    "not null default 0, semi_sync_master_enabled tinyint not null, semi_sync_master_status tinyint not null default 0, "
    "semi_sync_master_timeout bigint not null default 0, semi_sync_master_wait_for_slave_count int not null default 0, "
    "semi_sync_master_clients int not null default 0, semi_sync_replica_enabled tinyint not null, semi_sync_replica_status "
    "tinyint not null default 0, last_discovery_latency bigint not null, replication_group_name varchar(64) not null "
    "default '', replication_group_member_state varchar(16) not null default '', replication_group_member_role varchar(16) "
    "not null default '', replication_group_is_single_primary_mode tinyint not null default 1, replication_group_members "
    "text not null, replication_group_primary_host varchar(128) not null default '', replication_group_primary_port "
    "smallint not null default 0, primary key (hostname, port))"),
    ("create table hostname_resolve_history (resolved_hostname varchar(128) not null, hostname varchar(128) not null, "
    "resolved_timestamp timestamp not null default '', primary key (resolved_hostname))"),
    ("create table hostname_unresolve_history (unresolved_hostname varchar(128) not null, hostname varchar(128) not null, "
    "last_registered timestamp not null default '', primary key (unresolved_hostname))"),
    ("create table cluster_alias (cluster_name varchar(128) not null, alias varchar(128) not null, last_registered "
    "timestamp not null default '', primary key (cluster_name), unique (alias))"),
    ("create table database_instance_last_analysis (hostname varchar(128) not null, port smallint not null, "
    "analysis_timestamp timestamp not null default '', analysis varchar(128) not null, primary key (hostname, port))"),
    ("create table database_instance_analysis_changelog (changelog_id integer primary key, hostname varchar(128) not null, "
    "port smallint not null, analysis_timestamp timestamp not null default '', analysis varchar(128) not null)"),
    ("create table topology_failure_detection (detection_id integer primary key, hostname varchar(128) not null, port "
    "smallint not null, in_active_period tinyint not null default 0, start_active_period timestamp not null default '', "
    "end_active_period_unixtime int not null, processing_node_hostname varchar(128) not null, processcing_node_token "
    "varchar(128) not null, analysis varchar(128) not null, cluster_name varchar(128) not null, cluster_alias varchar(128) "
    "not null, count_affected_slaves int not null, slave_hosts text not null, is_actionable tinyint not null default 0, "
    "unique (hostname, port, in_active_period, end_active_period_unixtime, is_actionable))"),
    ("create table topology_recovery (recovery_id integer primary key, hostname varchar(128) not null, port smallint not "
    "null, in_active_period tinyint not null default 0, start_active_period timestamp not null default '', "
    "end_active_period_unixtime int default null, end_recovery timestamp null default null, processing_node_hostname "
    "varchar(128) not null, processcing_node_token varchar(128) not null, is_successful tinyint not null default 0, "
    "successor_hostname varchar(128) default null, successor_port smallint default null, successor_alias varchar(128) "
    "default null, analysis varchar(128) not null, cluster_name varchar(128) not null, cluster_alias varchar(128) not "
    "null, count_affected_slaves int not null, slave_hosts text not null, participating_instances text not null, "
    "lost_slaves text not null, all_errors text not null, acknowledged tinyint not null default 0, acknowledged_at "
    "timestamp null default null, acknowledged_by varchar(128) not null, acknowledge_comment text not null, "
    "last_detection_id bigint not null, uid varchar(128) not null, unique (hostname, port, in_active_period, "
    "end_active_period_unixtime))"),
    ("create table topology_recovery_steps (recovery_step_id integer primary key, recovery_uid varchar(128) not null, "
    "audit_at timestamp not null default '', message text not null)"),
    ("create table blocked_topology_recovery (hostname varchar(128) not null, port smallint not null, cluster_name "
    "varchar(128) not null, analysis varchar(128) not null, last_blocked_timestamp timestamp not null default '', "
    "blocking_recovery_id bigint default null, primary key (hostname, port))"),
    ("create table access_token (access_token_id integer primary key, public_token varchar(128) not null, secret_token "
    "varchar(128) not null, generated_at timestamp not null default '', generated_by varchar(128) not null, is_acquired "
    "tinyint not null default 0, is_reentrant tinyint not null default 0, acquired_at timestamp not null default "
    "'1971-01-01 00:00:00', unique (public_token))"),
    ("create table audit (audit_id integer primary key, audit_timestamp timestamp not null default '', audit_type "
    "varchar(128) not null, hostname varchar(128) not null default '', port smallint not null, cluster_name varchar(128) "
    "not null default '', message text not null)"),
    NULL,
};
