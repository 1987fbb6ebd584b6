/* One function a table. */
#include "backends/fleet/fleet_say.h"

#include "base/text.h"

static bool is_of_server(const struct fleet_said *said, struct fc_err *err)
{
    if (instance_key_is_valid(&said->key))
        return true;
    fc_fail(err, FC_BAD_INPUT, "that is no server: a host and a port are needed");
    return false;
}

static void until_or_null(struct fleet_row *row, int column, int64_t until)
{
    if (until > 0)
        fleet_set_number(row, column, until);
    else
        fleet_set_null(row, column);
}

enum fc_code fleet_say_server(const struct fleet_said *said, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance);
    if (!is_of_server(said, err))
        return FC_BAD_INPUT;
    fleet_set_text(&row, database_instance_hostname, said->key.host);
    fleet_set_number(&row, database_instance_port, said->key.port);
    fleet_set_number(&row, database_instance_last_checked, said->at);
    return fleet_word_of(&row, said->takes_back, ret, err);
}

enum fc_code fleet_say_downtime(const struct fleet_said *said, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance_downtime);
    if (!is_of_server(said, err))
        return FC_BAD_INPUT;
    fleet_set_text(&row, database_instance_downtime_hostname, said->key.host);
    fleet_set_number(&row, database_instance_downtime_port, said->key.port);
    fleet_set_number(&row, database_instance_downtime_downtime_active, 1);
    fleet_set_number(&row, database_instance_downtime_begin_timestamp, said->at);
    until_or_null(&row, database_instance_downtime_end_timestamp, said->until);
    fleet_set_text(&row, database_instance_downtime_owner, said->owner);
    fleet_set_text(&row, database_instance_downtime_reason, said->reason);
    return fleet_word_of(&row, said->takes_back, ret, err);
}

enum fc_code fleet_say_maintenance(const struct fleet_said *said, uint64_t number, const char *node, const char *token, struct fleet_word *ret,
                                   struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance_maintenance);
    if (!is_of_server(said, err))
        return FC_BAD_INPUT;
    /* The column counts to 2^32 by itself; ours stay in the lower half, so that there is always a next number for other tools. */
    fleet_set_number(&row, database_instance_maintenance_database_instance_maintenance_id, (int64_t)(number % 0x7fffffff) + 1);
    fleet_set_text(&row, database_instance_maintenance_hostname, said->key.host);
    fleet_set_number(&row, database_instance_maintenance_port, said->key.port);
    fleet_set_number(&row, database_instance_maintenance_maintenance_active, 1);
    fleet_set_number(&row, database_instance_maintenance_begin_timestamp, said->at);
    until_or_null(&row, database_instance_maintenance_end_timestamp, said->until);
    fleet_set_text(&row, database_instance_maintenance_owner, said->owner);
    fleet_set_text(&row, database_instance_maintenance_reason, said->reason);
    fleet_set_text(&row, database_instance_maintenance_processing_node_hostname, node);
    fleet_set_text(&row, database_instance_maintenance_processing_node_token, token);
    fleet_set_number(&row, database_instance_maintenance_explicitly_bounded, said->until > 0);
    return fleet_word_of(&row, said->takes_back, ret, err);
}

enum fc_code fleet_say_rule(const struct fleet_said *said, enum promotion_rule rule, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_candidate_database_instance);
    if (!is_of_server(said, err))
        return FC_BAD_INPUT;
    fleet_set_text(&row, candidate_database_instance_hostname, said->key.host);
    fleet_set_number(&row, candidate_database_instance_port, said->key.port);
    fleet_set_number(&row, candidate_database_instance_last_suggested, said->at);
    fleet_set_text(&row, candidate_database_instance_promotion_rule, promotion_rule_word(rule));
    return fleet_word_of(&row, said->takes_back, ret, err);
}

enum fc_code fleet_say_tag(const struct fleet_said *said, const char *name, const char *value, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance_tags);
    if (!is_of_server(said, err))
        return FC_BAD_INPUT;
    fleet_set_text(&row, database_instance_tags_hostname, said->key.host);
    fleet_set_number(&row, database_instance_tags_port, said->key.port);
    fleet_set_text(&row, database_instance_tags_tag_name, name);
    fleet_set_text(&row, database_instance_tags_tag_value, value);
    fleet_set_number(&row, database_instance_tags_last_updated, said->at);
    return fleet_word_of(&row, said->takes_back, ret, err);
}

enum fc_code fleet_say_pool(const struct fleet_said *said, const char *pool, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance_pool);
    if (!is_of_server(said, err))
        return FC_BAD_INPUT;
    fleet_set_text(&row, database_instance_pool_hostname, said->key.host);
    fleet_set_number(&row, database_instance_pool_port, said->key.port);
    fleet_set_text(&row, database_instance_pool_pool, pool);
    fleet_set_number(&row, database_instance_pool_registered_at, said->at);
    return fleet_word_of(&row, said->takes_back, ret, err);
}

enum fc_code fleet_say_alias(const struct fleet_said *said, const char *cluster, const char *alias, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_cluster_alias_override);
    fleet_set_text(&row, cluster_alias_override_cluster_name, cluster);
    fleet_set_text(&row, cluster_alias_override_alias, alias);
    return fleet_word_of(&row, said->takes_back, ret, err);
}

enum fc_code fleet_say_unresolve(const struct fleet_said *said, const char *host, const char *name, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_hostname_unresolve);
    fleet_set_text(&row, hostname_unresolve_hostname, host);
    fleet_set_text(&row, hostname_unresolve_unresolved_hostname, name);
    fleet_set_number(&row, hostname_unresolve_last_registered, said->at);
    return fleet_word_of(&row, said->takes_back, ret, err);
}

enum fc_code fleet_say_seen(const struct fleet_said *said, const struct fleet_row *recovery, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_topology_recovery);
    fleet_set_number(&row, topology_recovery_recovery_id, fleet_number(recovery, topology_recovery_recovery_id));
    fleet_set_text(&row, topology_recovery_uid, fleet_text(recovery, topology_recovery_uid));
    fleet_set_text(&row, topology_recovery_hostname, fleet_text(recovery, topology_recovery_hostname));
    fleet_set_number(&row, topology_recovery_port, fleet_number(recovery, topology_recovery_port));
    fleet_set_number(&row, topology_recovery_acknowledged, 1);
    fleet_set_number(&row, topology_recovery_acknowledged_at, said->at);
    fleet_set_text(&row, topology_recovery_acknowledged_by, said->owner);
    fleet_set_text(&row, topology_recovery_acknowledge_comment, said->reason);
    if (fleet_number(recovery, topology_recovery_in_active_period) != 0) {
        fleet_set_number(&row, topology_recovery_in_active_period, 0);
        fleet_set_number(&row, topology_recovery_end_active_period_unixtime, said->until);
    }
    return fleet_word_of(&row, false, ret, err);
}

enum fc_code fleet_say_no_recoveries(const struct fleet_said *said, struct fleet_word *ret, struct fc_err *err)
{
    struct fleet_row row = fleet_row_of(FLEET_global_recovery_disable);
    fleet_set_number(&row, global_recovery_disable_disable_recovery, 1);
    return fleet_word_of(&row, said->takes_back, ret, err);
}
