/* The types, the tables, and looking them up by name. */
#include "backends/fleet/fleet_schema.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

#define ASCII " character set ascii"
#define UTF8 " character set utf8"
#define U32_MAX 4294967295
#define AS_LONG_AS_THERE_IS INT64_MAX    /* of 64 bits the lower 63: no position or number of ours is longer */

#define NUMBER TYPE_NUMBER
#define MOMENT TYPE_MOMENT
const struct fleet_type fleet_type_u8 = { NUMBER, "tinyint unsigned not null", "tinyint not null", 0, 0, NULL, 0, 255 };
const struct fleet_type fleet_type_u16 = { NUMBER, "smallint unsigned not null", "smallint not null", 0, 0, NULL, 0, 65535 };
const struct fleet_type fleet_type_u32 = { NUMBER, "int unsigned not null", "int not null", 0, 0, NULL, 0, U32_MAX };
const struct fleet_type fleet_type_u64 = { NUMBER, "bigint unsigned not null", "bigint not null", 0, 0, NULL, 0, AS_LONG_AS_THERE_IS };
const struct fleet_type fleet_type_i8 = { NUMBER, "tinyint not null", "tinyint not null", 0, 0, NULL, -128, 127 };
const struct fleet_type fleet_type_i64 = { NUMBER, "bigint not null", "bigint not null", 0, 0, NULL, INT64_MIN, INT64_MAX };
const struct fleet_type fleet_type_u16_null = { NUMBER, "smallint unsigned", "smallint", 1, 0, NULL, 0, 65535 };
const struct fleet_type fleet_type_u32_null = { NUMBER, "int unsigned", "int", 1, 0, NULL, 0, U32_MAX };
const struct fleet_type fleet_type_u64_null = { NUMBER, "bigint unsigned", "bigint", 1, 0, NULL, 0, AS_LONG_AS_THERE_IS };
const struct fleet_type fleet_type_i8_null = { NUMBER, "tinyint", "tinyint", 1, 0, NULL, -128, 127 };
const struct fleet_type fleet_type_ai = { NUMBER, "bigint unsigned not null auto_increment", "integer", 0, 0, NULL, 1, INT64_C(1) << 53 };
const struct fleet_type fleet_type_ai32 = { NUMBER, "int unsigned not null auto_increment", "integer", 0, 0, NULL, 1, U32_MAX };
const struct fleet_type fleet_type_vc = { TYPE_TEXT, "varchar(%u)" ASCII " not null", "varchar(%u) not null", 0, 0, NULL, 0, 0 };
const struct fleet_type fleet_type_vc_null = { TYPE_TEXT, "varchar(%u)" ASCII, "varchar(%u)", 1, 0, NULL, 0, 0 };
const struct fleet_type fleet_type_vcu = { TYPE_TEXT, "varchar(%u)" UTF8 " not null", "varchar(%u) not null", 0, 1, NULL, 0, 0 };
const struct fleet_type fleet_type_tinytext = { TYPE_TEXT, "tinytext" ASCII " not null", "tinytext not null", 0, 0, NULL, 0, 0 };
const struct fleet_type fleet_type_text = { TYPE_TEXT, "text" ASCII " not null", "text not null", 0, 0, NULL, 0, 0 };
const struct fleet_type fleet_type_textu = { TYPE_TEXT, "text" UTF8 " not null", "text not null", 0, 1, NULL, 0, 0 };
const struct fleet_type fleet_type_rule = {
    TYPE_TEXT, "enum('must', 'prefer', 'neutral', 'prefer_not', 'must_not') not null",
    "text check (promotion_rule in ('must', 'prefer', 'neutral', 'prefer_not', 'must_not')) not null", 0, 0, NULL, 0, 0
};
const struct fleet_type fleet_type_ts = { MOMENT, "timestamp not null", "timestamp not null", 0, 0, "current_timestamp", 0, 0 };
const struct fleet_type fleet_type_tsx = { MOMENT, "timestamp not null", "timestamp not null", 0, 0, "'1971-01-01 00:00:00'", 0, 0 };
const struct fleet_type fleet_type_ts_null = { MOMENT, "timestamp null", "timestamp", 1, 0, NULL, 0, 0 };
const struct fleet_type fleet_type_ts_null_now = { MOMENT, "timestamp null", "timestamp", 1, 0, "current_timestamp", 0, 0 };

#define U8 &fleet_type_u8, 0
#define U16 &fleet_type_u16, 0
#define U32 &fleet_type_u32, 0
#define U64 &fleet_type_u64, 0
#define I8 &fleet_type_i8, 0
#define I64 &fleet_type_i64, 0
#define U16_NULL &fleet_type_u16_null, 0
#define U32_NULL &fleet_type_u32_null, 0
#define U64_NULL &fleet_type_u64_null, 0
#define I8_NULL &fleet_type_i8_null, 0
#define AI &fleet_type_ai, 0
#define AI32 &fleet_type_ai32, 0
#define VC(length) &fleet_type_vc, length
#define VC_NULL(length) &fleet_type_vc_null, length
#define VCU(length) &fleet_type_vcu, length
#define TINYTEXT &fleet_type_tinytext, 255
#define TEXT &fleet_type_text, 65535
#define TEXTU &fleet_type_textu, 65535
#define RULE &fleet_type_rule, 16
#define TS &fleet_type_ts, 0
#define TSX &fleet_type_tsx, 0
#define TS_NULL &fleet_type_ts_null, 0
#define TS_NULL_NOW &fleet_type_ts_null_now, 0

#define COLUMN_ROW(table, column, type, part, preset) { #column, type, PART_##part, preset },
#define COLUMN_ROWS(table, columns) static const struct fleet_column table##_columns[] = { columns(COLUMN_ROW, table) };
FLEET_TABLES(COLUMN_ROWS)

#define COLUMNS_OF(table) .name = #table, .columns = table##_columns, .column_count = table##_column_count
#define NO_RANK { -1, -1 }
#define BY(column) { column, -1 }

#define REPLAY_LAID "its number is ours and below 2^53: where it is already there, nothing changes"
#define REPLAY_NEWER "a maximum by when it was said: the older of two changes nothing, in any order (of two in one second the later to come " \
                     "stays); what was taken back is deleted only up to that moment, and where an older word of it comes late, it is " \
                     "there until it is taken back again"

const struct fleet_table fleet_tables[FLEET_TABLE_COUNT] = {
    [FLEET_database_instance] = {
        COLUMNS_OF(database_instance), .merge = MERGE_NEWER, .reading = READ_SERVERS, .is_named = true, .unique = "",
        .rank = { database_instance_last_checked, database_instance_last_discovery_latency },
        .indexes = "cluster_name_idx_database_instance(cluster_name) last_checked_idx_database_instance(last_checked) "
                   "last_seen_idx_database_instance(last_seen) master_host_port_idx_database_instance(master_host,master_port) "
                   "suggested_cluster_alias_idx_database_instance(suggested_cluster_alias)",
        .replay = "a maximum by (last_checked, latency in ns): the older look changes nothing; a refresh only raises; a forgotten server "
                  "is deleted up to the moment of forgetting",
    },
    [FLEET_candidate_database_instance] = {
        COLUMNS_OF(candidate_database_instance), .merge = MERGE_NEWER, .rank = BY(candidate_database_instance_last_suggested),
        .is_word = true, .unique = "", .indexes = "last_suggested_idx_candidate_database_instance(last_suggested)", .replay = REPLAY_NEWER,
    },
    [FLEET_database_instance_downtime] = {
        COLUMNS_OF(database_instance_downtime), .merge = MERGE_NEWER, .rank = BY(database_instance_downtime_begin_timestamp),
        .is_word = true, .unique = "", .indexes = "end_timestamp_idx_database_instance_downtime(end_timestamp)", .replay = REPLAY_NEWER,
    },
    [FLEET_database_instance_maintenance] = {
        COLUMNS_OF(database_instance_maintenance), .merge = MERGE_LOCK, .rank = BY(database_instance_maintenance_begin_timestamp),
        .is_word = true, .unique = "maintenance_uidx_database_instance_maintenance(maintenance_active,hostname,port)",
        .indexes = "active_timestamp_idx_database_instance_maintenance(maintenance_active,begin_timestamp) "
                   "active_end_timestamp_idx_database_instance_maintenance(maintenance_active,end_timestamp)",
        .replay = "an older active row is ended by a literal moment, then the row is laid under a number of its own; one whose end is before a "
                  "literal moment is made inactive, which it stays",
    },
    [FLEET_database_instance_pool] = {
        COLUMNS_OF(database_instance_pool), .merge = MERGE_NEWER, .rank = BY(database_instance_pool_registered_at), .is_word = true,
        .unique = "", .indexes = "pool_idx_database_instance_pool(pool)", .replay = REPLAY_NEWER,
    },
    [FLEET_database_instance_tags] = {
        COLUMNS_OF(database_instance_tags), .merge = MERGE_NEWER, .rank = BY(database_instance_tags_last_updated), .is_word = true,
        .unique = "", .indexes = "tag_name_idx_database_instance_tags(tag_name)", .replay = REPLAY_NEWER,
    },
    [FLEET_hostname_resolve] = {
        COLUMNS_OF(hostname_resolve), .merge = MERGE_NEWER, .rank = BY(hostname_resolve_resolved_timestamp), .unique = "",
        .indexes = "resolved_timestamp_idx_hostname_resolve(resolved_timestamp)", .replay = REPLAY_NEWER,
    },
    [FLEET_hostname_resolve_history] = {
        COLUMNS_OF(hostname_resolve_history), .merge = MERGE_NEWER, .rank = BY(hostname_resolve_history_resolved_timestamp),
        .reading = READ_ASKED, .unique = "",
        .indexes = "hostname_hostname_resolve_history(hostname) "
                   "resolved_timestamp_idx_hostname_resolve_history(resolved_timestamp)",
        .replay = REPLAY_NEWER,
    },
    [FLEET_hostname_unresolve] = {
        COLUMNS_OF(hostname_unresolve), .merge = MERGE_NEWER, .rank = BY(hostname_unresolve_last_registered), .is_word = true,
        .unique = "",
        .indexes = "unresolved_hostname_idx_hostname_unresolve(unresolved_hostname) "
                   "last_registered_idx_hostname_unresolve(last_registered)",
        .replay = REPLAY_NEWER,
    },
    [FLEET_hostname_unresolve_history] = {
        COLUMNS_OF(hostname_unresolve_history), .merge = MERGE_NEWER, .rank = BY(hostname_unresolve_history_last_registered),
        .reading = READ_ASKED, .unique = "",
        .indexes = "hostname_hostname_unresolve_history(hostname) "
                   "last_registered_idx_hostname_unresolve_history(last_registered)",
        .replay = REPLAY_NEWER,
    },
    [FLEET_cluster_alias] = {
        COLUMNS_OF(cluster_alias), .merge = MERGE_LAST, .rank = BY(cluster_alias_last_registered), .reading = READ_ASKED,
        .unique = "alias_uidx_cluster_alias(alias)", .indexes = "last_registered_idx_cluster_alias(last_registered)",
        .replay = "who discovers writes the whole mapping again every period; the last writer stays",
    },
    [FLEET_cluster_alias_override] = {
        COLUMNS_OF(cluster_alias_override), .merge = MERGE_LAST, .rank = NO_RANK, .is_word = true, .unique = "", .indexes = "",
        .replay = "literal values under their key; the table has no moment in it, so the last writer stays",
    },
    [FLEET_cluster_domain_name] = {
        COLUMNS_OF(cluster_domain_name), .merge = MERGE_NEWER, .rank = BY(cluster_domain_name_last_registered), .unique = "",
        .indexes = "domain_name_idx_cluster_domain_name(domain_name) last_registered_idx_cluster_domain_name(last_registered)",
        .replay = REPLAY_NEWER,
    },
    [FLEET_host_attributes] = {
        COLUMNS_OF(host_attributes), .merge = MERGE_NEWER, .rank = BY(host_attributes_submit_timestamp), .is_word = true, .unique = "",
        .indexes = "attribute_name_idx_host_attributes(attribute_name) attribute_value_idx_host_attributes(attribute_value) "
                   "submit_timestamp_idx_host_attributes(submit_timestamp) expire_timestamp_idx_host_attributes(expire_timestamp)",
        .replay = REPLAY_NEWER,
    },
    [FLEET_global_recovery_disable] = {
        COLUMNS_OF(global_recovery_disable), .merge = MERGE_LAID, .rank = NO_RANK, .is_word = true, .unique = "", .indexes = "",
        .replay = "the row is its key: it is there or not, as was said last",
    },
    [FLEET_database_instance_last_analysis] = {
        COLUMNS_OF(database_instance_last_analysis), .merge = MERGE_NEWER, .rank = BY(database_instance_last_analysis_analysis_timestamp),
        .unique = "",
        .indexes = "analysis_timestamp_idx_database_instance_last_analysis(analysis_timestamp)", .replay = REPLAY_NEWER,
    },
    [FLEET_database_instance_analysis_changelog] = {
        COLUMNS_OF(database_instance_analysis_changelog), .merge = MERGE_LAID, .rank = NO_RANK, .reading = READ_ASKED, .unique = "",
        .indexes = "analysis_timestamp_idx_database_instance_analysis_changelog(analysis_timestamp) "
                   "instance_timestamp_idx_database_instance_analysis_changelog(hostname,port,analysis_timestamp)",
        .replay = REPLAY_LAID,
    },
    [FLEET_topology_failure_detection] = {
        COLUMNS_OF(topology_failure_detection), .merge = MERGE_LAID, .rank = NO_RANK, .reading = READ_ASKED,
        .unique = "host_port_active_recoverable_uidx_topology_failure_detection(hostname,port,in_active_period,"
                  "end_active_period_unixtime,is_actionable)",
        .indexes = "in_active_start_period_idx_topology_failure_detection(in_active_period,start_active_period)",
        .replay = REPLAY_LAID,
    },
    [FLEET_topology_recovery] = {
        COLUMNS_OF(topology_recovery), .merge = MERGE_LAID, .rank = NO_RANK, .reading = READ_ASKED,
        .unique = "in_active_end_period_uidx_topology_recovery(hostname,port,in_active_period,end_active_period_unixtime)",
        .indexes = "in_active_start_period_idx_topology_recovery(in_active_period,start_active_period) "
                   "start_active_period_idx_topology_recovery(start_active_period) end_recovery_idx_topology_recovery(end_recovery) "
                   "cluster_name_in_active_idx_topology_recovery(cluster_name,in_active_period) "
                   "acknowledged_idx_topology_recovery(acknowledged,acknowledged_at) "
                   "last_detection_idx_topology_recovery(last_detection_id) uid_idx_topology_recovery(uid)",
        .marked_by = topology_recovery_acknowledged_at, .marked_as = topology_recovery_uid,
        .replay = REPLAY_LAID "; an acknowledgement changes literal columns of a row that is there, up to its moment: of two the newer stays",
    },
    [FLEET_topology_recovery_steps] = {
        COLUMNS_OF(topology_recovery_steps), .merge = MERGE_LAID, .rank = NO_RANK, .reading = READ_ASKED, .unique = "",
        .indexes = "recovery_uid_idx_topology_recovery_steps(recovery_uid)", .replay = REPLAY_LAID,
    },
    [FLEET_blocked_topology_recovery] = {
        COLUMNS_OF(blocked_topology_recovery), .merge = MERGE_NEWER, .rank = BY(blocked_topology_recovery_last_blocked_timestamp),
        .reading = READ_ASKED, .unique = "",
        .indexes = "cluster_blocked_idx_blocked_topology_recovery(cluster_name,last_blocked_timestamp) "
                   "last_blocked_idx_blocked_topology_recovery(last_blocked_timestamp)",
        .replay = REPLAY_NEWER,
    },
    [FLEET_access_token] = {
        COLUMNS_OF(access_token), .merge = MERGE_LAID, .rank = NO_RANK, .reading = READ_ASKED,
        .unique = "public_token_uidx_access_token(public_token)", .indexes = "generated_at_idx_access_token(generated_at)",
        .replay = REPLAY_LAID,
    },
    [FLEET_database_instance_topology_history] = {
        COLUMNS_OF(database_instance_topology_history), .merge = MERGE_LAID, .rank = NO_RANK, .reading = READ_ASKED, .unique = "",
        .indexes = "",
        .replay = "a row is of one moment and one server: where it is already there, nothing changes",
    },
    [FLEET_audit] = {
        COLUMNS_OF(audit), .merge = MERGE_LAID, .rank = NO_RANK, .reading = READ_ASKED, .unique = "",
        .indexes = "audit_timestamp_idx_audit(audit_timestamp) host_port_idx_audit(hostname,port,audit_timestamp)",
        .replay = REPLAY_LAID,
    },
};

const struct fleet_life fleet_lives[] = {
    { FLEET_database_instance_downtime, database_instance_downtime_end_timestamp, LIFE_ENDED, NULL, NULL },
    { FLEET_database_instance_maintenance, database_instance_maintenance_end_timestamp, LIFE_OVER, "maintenance_active = 1",
      "maintenance_active = null" },                /* other tools go by it, and know no other end of a lock */
    { FLEET_database_instance_maintenance, database_instance_maintenance_end_timestamp, LIFE_WEEK, "maintenance_active is null", NULL },
    { FLEET_candidate_database_instance, candidate_database_instance_last_suggested, LIFE_RULE, NULL, NULL },
    { FLEET_database_instance_pool, database_instance_pool_registered_at, LIFE_POOL, NULL, NULL },
    { FLEET_hostname_resolve, hostname_resolve_resolved_timestamp, LIFE_NAME_TWICE, NULL, NULL },
    { FLEET_hostname_unresolve, hostname_unresolve_last_registered, LIFE_NAME, NULL, NULL },
    { FLEET_cluster_domain_name, cluster_domain_name_last_registered, LIFE_NAME, NULL, NULL },
    { FLEET_cluster_alias, cluster_alias_last_registered, LIFE_FORGET, NULL, NULL },
    { FLEET_database_instance_analysis_changelog, database_instance_analysis_changelog_analysis_timestamp, LIFE_FORGET, NULL, NULL },
    { FLEET_topology_failure_detection, topology_failure_detection_start_active_period, LIFE_AUDIT, NULL, NULL },
    { FLEET_topology_recovery, topology_recovery_start_active_period, LIFE_AUDIT, NULL, NULL },
    { FLEET_topology_recovery_steps, topology_recovery_steps_audit_at, LIFE_AUDIT, NULL, NULL },
    { FLEET_audit, audit_audit_timestamp, LIFE_AUDIT, NULL, NULL },
};
const int fleet_life_count = sizeof fleet_lives / sizeof fleet_lives[0];

int fleet_column_named(const struct fleet_table *table, const char *name)
{
    for (int i = 0; i < table->column_count; i++) {
        if (text_is_nocase(table->columns[i].name, name))
            return i;
    }
    return -1;
}

int fleet_table_named(const char *name)
{
    for (int i = 0; i < FLEET_TABLE_COUNT; i++) {
        if (text_is_nocase(fleet_tables[i].name, name))
            return i;
    }
    return -1;
}

int fleet_key_count(const struct fleet_table *table)
{
    int count = 0;
    while (count < table->column_count && table->columns[count].part == PART_KEY)
        count++;
    return count;
}
