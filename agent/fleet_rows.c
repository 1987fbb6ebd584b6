/* One table of fields serves both directions; what is no plain field follows it. */
#include "agent/fleet_rows.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/traits.h"

enum field_kind { FIELD_TEXT, FIELD_BOOL, FIELD_U16, FIELD_U32, FIELD_U64, FIELD_I64, FIELD_NULLABLE, FIELD_THREAD };
struct field { int column; enum field_kind kind; size_t at; };

#define SEEN(column, kind, field) { database_instance_##column, FIELD_##kind, offsetof(struct instance_seen, field) }
static const struct field seen_fields[] = {
    SEEN(server_id, U32, server_id), SEEN(version, TEXT, version_text),
    SEEN(version_comment, TEXT, version_comment), SEEN(read_only, BOOL, is_read_only), SEEN(uptime, U64, uptime_s),
    SEEN(binlog_format, TEXT, binlog_format), SEEN(binlog_row_image, TEXT, binlog_row_image), SEEN(log_bin, BOOL, has_log),
    SEEN(log_slave_updates, BOOL, relogs), SEEN(binary_log_file, TEXT, written.file), SEEN(binary_log_pos, U64, written.offset),
    SEEN(executed_gtid_set, TEXT, gtid.executed), SEEN(gtid_purged, TEXT, gtid.purged), SEEN(gtid_mode, TEXT, gtid.mode),
    SEEN(replication_credentials_available, BOOL, has_replication_password),
    SEEN(semi_sync_available, BOOL, semi_sync.is_available), SEEN(semi_sync_master_enabled, BOOL, semi_sync.is_master_enabled),
    SEEN(semi_sync_master_status, BOOL, semi_sync.is_master_active), SEEN(semi_sync_master_timeout, U64, semi_sync.timeout_ms),
    SEEN(semi_sync_master_wait_for_slave_count, U32, semi_sync.wait_count), SEEN(semi_sync_master_clients, U32, semi_sync.clients),
    SEEN(semi_sync_replica_enabled, BOOL, semi_sync.is_replica_enabled), SEEN(semi_sync_replica_status, BOOL, semi_sync.is_replica_active),
    SEEN(replication_group_name, TEXT, group_name), SEEN(replication_group_member_state, TEXT, group_state),
    SEEN(replication_group_member_role, TEXT, group_role), SEEN(replication_group_is_single_primary_mode, BOOL, is_single_primary),
};

#define CHANNEL(column, kind, field) { database_instance_##column, FIELD_##kind, offsetof(struct channel_seen, field) }
static const struct field channel_fields[] = {
    CHANNEL(master_host, TEXT, master.host), CHANNEL(master_port, U16, master.port), CHANNEL(master_uuid, TEXT, master_uuid),
    CHANNEL(replication_sql_thread_state, THREAD, sql), CHANNEL(replication_io_thread_state, THREAD, io),
    CHANNEL(has_replication_filters, BOOL, has_filters), CHANNEL(master_log_file, TEXT, read.file),
    CHANNEL(read_master_log_pos, U64, read.offset), CHANNEL(relay_master_log_file, TEXT, applied.file),
    CHANNEL(exec_master_log_pos, U64, applied.offset), CHANNEL(relay_log_file, TEXT, relay.file), CHANNEL(relay_log_pos, U64, relay.offset),
    CHANNEL(last_sql_error, TEXT, sql_error), CHANNEL(last_io_error, TEXT, io_error), CHANNEL(seconds_behind_master, NULLABLE, lag_s),
    CHANNEL(sql_delay, I64, delay_s), CHANNEL(allow_tls, BOOL, tls.is_allowed),
};

/* As the column says it: no thread, stopped, running, something else. */
static const int64_t thread_numbers[] = { [THREAD_ABSENT] = -1, [THREAD_STOPPED] = 0, [THREAD_CONNECTING] = 2, [THREAD_RUNNING] = 1 };

static void write_field(struct fleet_row *row, const struct field *field, const void *from)
{
    const char *at = (const char *)from + field->at;
    switch (field->kind) {
    case FIELD_TEXT: fleet_set_text(row, field->column, *(const char *const *)(const void *)at); break;
    case FIELD_BOOL: fleet_set_number(row, field->column, *(const bool *)at); break;
    case FIELD_U16: fleet_set_number(row, field->column, *(const uint16_t *)(const void *)at); break;
    case FIELD_U32: fleet_set_number(row, field->column, *(const uint32_t *)(const void *)at); break;
    case FIELD_U64:
    case FIELD_I64: fleet_set_number(row, field->column, *(const int64_t *)(const void *)at); break;
    case FIELD_NULLABLE:
        if (*(const int64_t *)(const void *)at < 0)
            fleet_set_null(row, field->column);
        else
            fleet_set_number(row, field->column, *(const int64_t *)(const void *)at);
        break;
    case FIELD_THREAD: fleet_set_number(row, field->column, thread_numbers[*(const enum thread_state *)(const void *)at]); break;
    }
}

static enum thread_state thread_of(int64_t number)
{
    return number < 0 ? THREAD_ABSENT : number == 0 ? THREAD_STOPPED : number == 1 ? THREAD_RUNNING : THREAD_CONNECTING;
}

static void read_field(const struct fleet_row *row, const struct field *field, void *to)
{
    char *at = (char *)to + field->at;
    const int64_t number = fleet_number(row, field->column);
    switch (field->kind) {
    case FIELD_TEXT: *(const char **)(void *)at = fleet_text(row, field->column); break;
    case FIELD_BOOL: *(bool *)at = number != 0; break;
    case FIELD_U16: *(uint16_t *)(void *)at = (uint16_t)number; break;
    case FIELD_U32: *(uint32_t *)(void *)at = (uint32_t)number; break;
    case FIELD_U64:
    case FIELD_I64: *(int64_t *)(void *)at = number; break;
    case FIELD_NULLABLE: *(int64_t *)(void *)at = fleet_is_null(row, field->column) ? -1 : number; break;
    case FIELD_THREAD: *(enum thread_state *)(void *)at = thread_of(number); break;
    }
}

#define ALL_FIELDS(table, call, row, place)                                                                                    \
    do {                                                                                                                       \
        for (size_t i = 0; i < sizeof(table) / sizeof(table)[0]; i++)                                                          \
            call(row, &(table)[i], place);                                                                                     \
    } while (0)

/* ---- moments ---- */

static int64_t unix_s(struct fc_time at, const struct both_clocks *clocks)
{
    return (clocks->unix_ms - fc_span_ms(fc_since(at, clocks->now))) / 1000;
}

static struct fc_time moment_of(int64_t unix_seconds, const struct both_clocks *clocks)
{
    return fc_plus(clocks->now, fc_ms(unix_seconds * 1000 - clocks->unix_ms));
}

static void set_moment(struct fleet_row *row, int column, struct fc_time at, const struct both_clocks *clocks)
{
    if (fc_is_ever(at))
        fleet_set_null(row, column);
    else
        fleet_set_number(row, column, unix_s(at, clocks));
}

/* ---- lists ---- */

void fleet_row_texts_done(struct fleet_row_texts *texts)
{
    free(texts->replicas.text);
    free(texts->members.text);
    if (texts->desk.room != NULL) {
        room_release(texts->desk.room, texts->errant);
        errant_desk_done(&texts->desk);
    }
    *texts = (struct fleet_row_texts){ 0 };
}

struct json_list { struct fleet_row_list *texts; size_t length; bool is_good; };

static void list_add(struct json_list *list, const struct instance_key *key)
{
    struct fleet_row_list *t = list->texts;
    const size_t wanted = list->length + INSTANCE_HOST_MAX + 48;
    if (wanted > t->room) {
        char *more = realloc(t->text, wanted * 2);
        list->is_good &= more != NULL;
        if (more == NULL)
            return;
        t->text = more;
        t->room = wanted * 2;
    }
    text_format(t->text + list->length, t->room - list->length, "%s{\"Hostname\":\"%s\",\"Port\":%u}", list->length == 0 ? "[" : ",",
                key->host, key->port);
    list->length += strlen(t->text + list->length);
}

static const char *list_end(struct json_list *list)
{
    if (list->length == 0 || !list->is_good)
        return "[]";
    text_copy(list->texts->text + list->length, list->texts->room - list->length, "]");
    return list->texts->text;
}

static void set_replicas(struct fleet_row *row, const struct watch *w, member_id id, struct fleet_row_texts *texts)
{
    struct json_list list = { .texts = &texts->replicas, .is_good = true };
    for (member_id replica = topology_first_replica(&w->topology, id); replica != MEMBER_NONE;
         replica = topology_next_replica(&w->topology, replica)) {
        const struct instance_key key = topology_key(&w->topology, replica);
        list_add(&list, &key);
    }
    fleet_set_number(row, database_instance_num_slave_hosts, topology_member(&w->topology, id)->replica_count);
    fleet_set_text(row, database_instance_slave_hosts, list_end(&list));
}

static void set_group(struct fleet_row *row, const struct instance_seen *seen, struct fleet_row_texts *texts)
{
    struct json_list list = { .texts = &texts->members, .is_good = true };
    for (uint32_t i = 0; i < seen->member_count; i++) {
        const struct member_seen *member = &seen->members[i];
        list_add(&list, &member->key);
        if (!text_is(member->role, "PRIMARY"))
            continue;
        fleet_set_text(row, database_instance_replication_group_primary_host, member->key.host);
        fleet_set_number(row, database_instance_replication_group_primary_port, member->key.port);
    }
    fleet_set_text(row, database_instance_replication_group_members, list_end(&list));
}

/* ---- a server's row ---- */

/* MariaDB has none: what it calls server_uid is the machine's, shared by all its servers. */
static const char *uuid_of(const struct instance_seen *seen) { return seen->flavour == FLAVOUR_MARIADB ? "" : seen->server_uuid; }

static void set_kind(struct fleet_row *row, const struct instance_seen *seen, struct fleet_row_texts *texts)
{
    fleet_set_text(row, database_instance_server_uuid, uuid_of(seen));
    TEXT_FORMAT(texts->version, "%u.%u", seen->version / 10000, seen->version / 100 % 100);
    fleet_set_text(row, database_instance_major_version, texts->version);
    fleet_set_number(row, database_instance_binlog_server, seen->flavour == FLAVOUR_MAXSCALE);
    fleet_set_number(row, database_instance_pseudo_gtid, 0);
    fleet_set_number(row, database_instance_supports_oracle_gtid, !text_is(seen->gtid.mode, "") && !text_is(seen->gtid.mode, "OFF"));
}

static void set_channel(struct fleet_row *row, const struct watch *w, member_id id, const struct instance_seen *seen)
{
    static const struct channel_seen none = { .io = THREAD_ABSENT, .sql = THREAD_ABSENT, .lag_s = -1, .master.host = "" };
    const struct channel_seen *channel = instance_channel(seen);
    struct channel_seen shown = channel == NULL ? none : *channel;
    const struct member *m = topology_member(&w->topology, id);
    if (channel != NULL && m->link == LINK_REPLICATES)
        shown.master = topology_key(&w->topology, m->master);          /* by the name under which it is known */
    ALL_FIELDS(channel_fields, write_field, row, &shown);
    fleet_set_number(row, database_instance_slave_sql_running, shown.sql == THREAD_RUNNING);
    fleet_set_number(row, database_instance_slave_io_running, shown.io == THREAD_RUNNING);
    fleet_set_number(row, database_instance_oracle_gtid, shown.gtid_use == GTID_AUTO_POSITION);
    fleet_set_number(row, database_instance_mariadb_gtid, shown.gtid_use == GTID_SLAVE_POS || shown.gtid_use == GTID_CURRENT_POS);
    fleet_set_number(row, database_instance_has_replication_credentials, !text_is(shown.user, ""));
    row->values[database_instance_slave_lag_seconds] = row->values[database_instance_seconds_behind_master];      /* as ReplicationLagQuery tells it */
}

/* The uuids from the head down to this server; only Oracle's have them. A ring is gone round once. */
static void set_ancestry(struct fleet_row *row, const struct watch *w, member_id id, struct fleet_row_texts *texts)
{
    uint32_t left = topology_member(&w->topology, topology_member(&w->topology, id)->head)->cluster_count;
    texts->ancestry[0] = '\0';
    for (member_id at = id; at != MEMBER_NONE && left > 0; at = topology_member(&w->topology, at)->master, left--) {
        const struct instance_seen *seen = topology_member(&w->topology, at)->kept.seen;
        char below[sizeof texts->ancestry];
        if (seen == NULL || seen->flavour == FLAVOUR_MARIADB || text_is(seen->server_uuid, ""))
            break;
        TEXT_SET(below, texts->ancestry);
        if (!TEXT_FORMAT(texts->ancestry, "%s%s%s", seen->server_uuid, below[0] == '\0' ? "" : ",", below)) {
            TEXT_SET(texts->ancestry, below);
            break;
        }
    }
    fleet_set_text(row, database_instance_ancestry_uuid, texts->ancestry);
}

static const struct { enum classified what; int column; } classified_columns[] = {
    { CLASSIFIED_DATA_CENTER, database_instance_data_center }, { CLASSIFIED_REGION, database_instance_region },
    { CLASSIFIED_ENVIRONMENT, database_instance_physical_environment }, { CLASSIFIED_INSTANCE_ALIAS, database_instance_instance_alias },
    { CLASSIFIED_CLUSTER_ALIAS, database_instance_suggested_cluster_alias },
};
#define CLASSIFIED_COLUMNS (sizeof classified_columns / sizeof classified_columns[0])

static void set_place(struct fleet_row *row, const struct watch *w, member_id id, struct fleet_row_texts *texts)
{
    const struct member *m = topology_member(&w->topology, id);
    topology_key_text(&w->topology, m->head, texts->cluster, sizeof texts->cluster);
    fleet_set_text(row, database_instance_cluster_name, texts->cluster);
    fleet_set_number(row, database_instance_replication_depth, m->depth > UINT8_MAX ? UINT8_MAX : m->depth);
    fleet_set_number(row, database_instance_is_co_master, m->ring == 2);
    for (size_t i = 0; i < CLASSIFIED_COLUMNS; i++)
        fleet_set_text(row, classified_columns[i].column, classification_text(&w->classifications, id, classified_columns[i].what));
    const struct classification *known = classification_of(&w->classifications, id);
    fleet_set_number(row, database_instance_semi_sync_enforced, known == NULL ? 0 : known->semi_sync_priority);
}

/* As it was judged last: what a look brings is judged behind it, and stands in the row of the next one. */
static void set_errant(struct fleet_row *row, const struct watch *w, member_id id, struct fleet_row_texts *texts)
{
    const bool is_errant = id < w->fleet.capacity && trait_is(&w->fleet.traits[id], TRAIT_ERRANT);
    texts->desk.room = w->room;
    room_release(w->room, texts->errant);
    texts->errant = is_errant ? errant_text(&texts->desk, &w->topology, id) : NULL;
    fleet_set_text(row, database_instance_gtid_errant, texts->errant);
}

/* A look that hangs for longer than is allowed stands as attempted, before it is known how it ends. */
static struct fc_time attempted_at(const struct watch *w, const struct member *m, const struct both_clocks *clocks)
{
    const bool hangs = fc_before(m->checked_at, m->attempted_at) &&
                       fc_reached(fc_plus(m->attempted_at, fc_ms(w->fleet.policy.reasonable_check_ms)), clocks->now);
    return hangs ? m->attempted_at : m->checked_at;
}

static void set_looks(struct fleet_row *row, const struct watch *w, const struct member *m, const struct both_clocks *clocks)
{
    const struct instance_seen *seen = m->kept.seen;
    set_moment(row, database_instance_last_checked, m->checked_at, clocks);
    set_moment(row, database_instance_last_attempted_check, attempted_at(w, m, clocks), clocks);
    set_moment(row, database_instance_last_seen, m->seen_at, clocks);
    fleet_set_number(row, database_instance_last_check_partial_success, m->is_seen || m->is_partly_seen);
    fleet_set_number(row, database_instance_last_discovery_latency, fc_since(seen->sent_at, seen->seen_at).us * 1000);
}

bool fleet_row_of_server(const struct watch *w, member_id id, const struct both_clocks *clocks, struct fleet_row_texts *texts,
                         struct fleet_row *ret)
{
    const struct member *m = topology_member(&w->topology, id);
    const struct instance_key key = topology_key(&w->topology, id);
    const struct instance_seen *seen = m->kept.seen;
    if (seen == NULL)
        return false;
    *ret = fleet_row_of(FLEET_database_instance);
    fleet_set_text(ret, database_instance_hostname, key.host);
    fleet_set_number(ret, database_instance_port, key.port);
    ALL_FIELDS(seen_fields, write_field, ret, seen);
    set_kind(ret, seen, texts);
    set_channel(ret, w, id, seen);
    set_replicas(ret, w, id, texts);
    set_group(ret, seen, texts);
    set_place(ret, w, id, texts);
    set_errant(ret, w, id, texts);
    set_ancestry(ret, w, id, texts);
    set_looks(ret, w, m, clocks);
    return true;
}

struct fleet_row fleet_row_of_gone(const struct instance_key *key, const struct both_clocks *clocks)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance);
    fleet_set_text(&row, database_instance_hostname, key->host);
    fleet_set_number(&row, database_instance_port, key->port);
    fleet_set_number(&row, database_instance_last_checked, clocks->unix_ms / 1000);
    fleet_set_number(&row, database_instance_last_attempted_check, clocks->unix_ms / 1000);
    return row;
}

/* ---- and back ---- */

static enum flavour flavour_of(const struct fleet_row *row)
{
    const char *version = fleet_text(row, database_instance_version), *comment = fleet_text(row, database_instance_version_comment);
    if (fleet_number(row, database_instance_binlog_server) != 0)
        return FLAVOUR_MAXSCALE;
    if (strstr(version, "MariaDB") != NULL)
        return FLAVOUR_MARIADB;
    return strstr(comment, "Percona") != NULL ? FLAVOUR_PERCONA : version_number(version) == 0 ? FLAVOUR_UNKNOWN : FLAVOUR_MYSQL;
}

#define USER_UNTOLD "?"                /* there is an account of replication; which one a row does not say */

static void read_channel(const struct fleet_row *row, struct channel_seen *channel)
{
    ALL_FIELDS(channel_fields, read_field, row, channel);
    channel->name = "";
    channel->user = fleet_number(row, database_instance_has_replication_credentials) != 0 ? USER_UNTOLD : "";
    if (!fleet_is_null(row, database_instance_slave_lag_seconds))
        channel->lag_s = fleet_number(row, database_instance_slave_lag_seconds);
    channel->gtid_use = fleet_number(row, database_instance_oracle_gtid) != 0     ? GTID_AUTO_POSITION
                        : fleet_number(row, database_instance_mariadb_gtid) != 0 ? GTID_SLAVE_POS
                                                                                 : GTID_UNUSED;
}

/* Of the others the row says who they are, and who is the primary. */
static void read_group(const struct fleet_row *row, struct fleet_server_read *ret)
{
    const struct instance_key primary = { fleet_text(row, database_instance_replication_group_primary_host),
                                          (uint16_t)fleet_number(row, database_instance_replication_group_primary_port) };
    cJSON *list = cJSON_Parse(fleet_text(row, database_instance_replication_group_members));
    const cJSON *one;
    uint32_t count = 0;
    cJSON_ArrayForEach(one, list) {
        const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "Hostname"));
        const double port = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(one, "Port"));
        if (count == FLEET_GROUP_MAX || host == NULL || !(port >= 1 && port <= UINT16_MAX) || !TEXT_SET(ret->member_hosts[count], host))
            continue;
        const struct instance_key key = { ret->member_hosts[count], (uint16_t)port };
        ret->members[count++] = (struct member_seen){ .key = key, .uuid = "", .state = "",
                                                      .role = instance_key_is_same(&key, &primary) ? "PRIMARY" : "" };
    }
    cJSON_Delete(list);
    ret->seen.members = ret->members;
    ret->seen.member_count = count;
}

static void read_classified(const struct fleet_row *row, struct fleet_server_read *ret)
{
    for (size_t i = 0; i < CLASSIFIED_COLUMNS; i++)
        ret->classified.answer[classified_columns[i].what] = fleet_text(row, classified_columns[i].column);
    TEXT_FORMAT(ret->semi_sync_priority, "%u", (unsigned)(uint8_t)fleet_number(row, database_instance_semi_sync_enforced));
    ret->classified.answer[CLASSIFIED_SEMI_SYNC_PRIORITY] = ret->semi_sync_priority;
}

void fleet_server_of_row(const struct fleet_row *row, const struct both_clocks *clocks, struct fleet_server_read *ret)
{
    struct instance_seen *seen = &ret->seen;
    *ret = (struct fleet_server_read){ .recalled = { .key = { fleet_text(row, database_instance_hostname),
                                                              (uint16_t)fleet_number(row, database_instance_port) },
                                                     .checked_at = FC_EVER } };
    ALL_FIELDS(seen_fields, read_field, row, seen);
    read_channel(row, &ret->channel);
    seen->key = ret->recalled.key;
    seen->flavour = flavour_of(row);
    seen->server_uuid = fleet_text(row, database_instance_server_uuid);
    seen->version = version_number(seen->version_text);
    seen->trouble = "";
    seen->channels = &ret->channel;
    seen->channel_count = instance_key_is_valid(&ret->channel.master);
    read_group(row, ret);
    read_classified(row, ret);
    ret->recalled.is_partly_seen = fleet_number(row, database_instance_last_check_partial_success) != 0;
    if (!fleet_is_null(row, database_instance_last_checked))
        ret->recalled.checked_at = moment_of(fleet_number(row, database_instance_last_checked), clocks);
    /* A row without a version is no server's: a tool has named it, and nobody has seen it. */
    if (fleet_is_null(row, database_instance_last_seen) || seen->flavour == FLAVOUR_UNKNOWN)
        return;
    seen->seen_at = moment_of(fleet_number(row, database_instance_last_seen), clocks);
    seen->sent_at = fc_plus(seen->seen_at, (struct fc_span){ -fleet_number(row, database_instance_last_discovery_latency) / 1000 });
    ret->recalled.seen = seen;
}

/* ---- words ---- */

struct word { struct fleet_memory *memory; const struct fleet_row *row; bool is_gone; const struct both_clocks *clocks; struct instance_key key; };

static struct fc_time at(const struct word *w, int column) { return moment_of(fleet_number(w->row, column), w->clocks); }

/* Without one it holds until somebody ends it. */
static struct fc_time end_at(const struct word *w, int column) { return fleet_is_null(w->row, column) ? FC_NEVER : at(w, column); }

static void take_downtime(struct word *w)
{
    const struct fc_time begin = at(w, database_instance_downtime_begin_timestamp), end = end_at(w, database_instance_downtime_end_timestamp);
    overrides_end_downtime(w->memory->overrides, &w->key, NULL);
    if (!w->is_gone && !fleet_is_null(w->row, database_instance_downtime_downtime_active) && !fc_reached(end, w->clocks->now))
        overrides_begin_downtime(w->memory->overrides, &w->key, fleet_text(w->row, database_instance_downtime_owner),
                                 fleet_text(w->row, database_instance_downtime_reason), begin, end, NULL);
}

static void take_maintenance(struct word *w)
{
    const struct fc_time begin = at(w, database_instance_maintenance_begin_timestamp);
    const struct fc_time end = end_at(w, database_instance_maintenance_end_timestamp);
    const bool is_active = !w->is_gone && fleet_number(w->row, database_instance_maintenance_maintenance_active) == 1;
    const struct override *said = overrides_of(w->memory->overrides, &w->key);
    const bool is_this = said != NULL && said->maintenance.is_set &&
                         text_is(names_text(w->memory->overrides->names, said->maintenance.owner),
                                 fleet_text(w->row, database_instance_maintenance_owner));
    if (is_active || is_this)
        overrides_end_maintenance(w->memory->overrides, &w->key, NULL);
    if (is_active && !fc_reached(end, w->clocks->now))
        overrides_begin_maintenance(w->memory->overrides, &w->key, fleet_text(w->row, database_instance_maintenance_owner),
                                    fleet_text(w->row, database_instance_maintenance_reason), begin, end, NULL);
}

static void take_candidate(struct word *w)
{
    enum promotion_rule rule = PROMOTION_NEUTRAL;
    const bool is_rule = !w->is_gone && promotion_rule_parse(fleet_text(w->row, candidate_database_instance_promotion_rule), true, &rule, NULL) == FC_OK;
    const struct fc_time since = is_rule ? at(w, candidate_database_instance_last_suggested) : w->clocks->now;
    const struct fc_time until = is_rule ? fc_plus(since, w->memory->rule_life) : since;
    overrides_set_rule(w->memory->overrides, &w->key, is_rule ? rule : PROMOTION_NEUTRAL, since, until, NULL);
}

static void take_tag(struct word *w)
{
    const char *name = fleet_text(w->row, database_instance_tags_tag_name);
    if (w->is_gone)
        overrides_untag(w->memory->overrides, &w->key, name, NULL);
    else
        overrides_tag(w->memory->overrides, &w->key, name, fleet_text(w->row, database_instance_tags_tag_value), NULL);
}

static void take_alias(struct word *w)
{
    classifications_name_cluster(w->memory->classifications, fleet_text(w->row, cluster_alias_override_cluster_name),
                                 w->is_gone ? "" : fleet_text(w->row, cluster_alias_override_alias), NULL);
}

/* Those of this node's own writing say what its head answered. */
static void take_domain(struct word *w)
{
    classifications_name_domain(w->memory->classifications, fleet_text(w->row, cluster_domain_name_cluster_name),
                                w->is_gone ? "" : fleet_text(w->row, cluster_domain_name_domain_name), NULL);
}

/* What was found here is not taken from others: it may be their older one. A host that is its own name says nothing. */
static void take_resolve(struct word *w)
{
    const char *host = fleet_text(w->row, hostname_resolve_hostname), *other = fleet_text(w->row, hostname_resolve_resolved_hostname);
    const struct fc_time since = w->is_gone ? FC_EVER : at(w, hostname_resolve_resolved_timestamp);
    const struct fc_time until = fc_plus(since, fc_ms(2 * fc_span_ms(w->memory->name_life)));
    const char *known = host_names_of(w->memory->resolved, host, w->clocks->now);
    if (w->is_gone)
        host_names_remove(w->memory->resolved, host);
    else if (!text_is(host, other) && !fc_reached(until, w->clocks->now) && (known[0] == '\0' || text_is(known, other)))
        host_names_set(w->memory->resolved, host, other, since, until, NULL);
}

static void take_unresolve(struct word *w)
{
    const char *host = fleet_text(w->row, hostname_unresolve_hostname);
    const struct fc_time since = at(w, hostname_unresolve_last_registered), until = fc_plus(since, w->memory->name_life);
    host_names_remove(w->memory->unresolved, host);
    if (!w->is_gone && !fc_reached(until, w->clocks->now))
        host_names_set(w->memory->unresolved, host, fleet_text(w->row, hostname_unresolve_unresolved_hostname), since, until, NULL);
}

/* A pool is said whole and stored by member: the others of it are kept. Of one that left nothing but its key may be known: the others
 * stay for as long as they were to. */
static void take_pool(struct word *w)
{
    struct server_pools *pools = w->memory->pools;
    const char *pool = fleet_text(w->row, database_instance_pool_pool);
    struct fc_time since = w->is_gone ? FC_EVER : at(w, database_instance_pool_registered_at);
    struct fc_time until = w->is_gone ? FC_EVER : fc_plus(since, w->memory->pool_life);
    const bool is_member = !w->is_gone && !fc_reached(until, w->clocks->now);
    struct instance_key *keys = calloc((size_t)pools->count + 1, sizeof *keys);
    uint32_t count = 0;
    for (uint32_t i = 0; keys != NULL && i < pools->count; i++) {
        const struct server_pool_member *row = &pools->list[i];
        const struct instance_key key = { names_text(pools->names, row->host), row->port };
        if (!text_is(names_text(pools->names, row->pool), pool))
            continue;
        since = fc_later(since, row->since);
        until = fc_later(until, row->until);
        if (!instance_key_is_same(&key, &w->key))
            keys[count++] = key;
    }
    if (keys != NULL && is_member)
        keys[count++] = w->key;
    if (keys != NULL)
        server_pools_submit(pools, pool, keys, count, since, until, NULL);
    free(keys);
}

static const struct { enum fleet_table_name table; int host, port; void (*take)(struct word *word); } words[] = {
    { FLEET_database_instance_downtime, database_instance_downtime_hostname, database_instance_downtime_port, take_downtime },
    { FLEET_database_instance_maintenance, database_instance_maintenance_hostname, database_instance_maintenance_port, take_maintenance },
    { FLEET_candidate_database_instance, candidate_database_instance_hostname, candidate_database_instance_port, take_candidate },
    { FLEET_database_instance_tags, database_instance_tags_hostname, database_instance_tags_port, take_tag },
    { FLEET_database_instance_pool, database_instance_pool_hostname, database_instance_pool_port, take_pool },
    { FLEET_cluster_alias_override, -1, -1, take_alias },
    { FLEET_cluster_domain_name, -1, -1, take_domain },
    { FLEET_hostname_resolve, -1, -1, take_resolve },
    { FLEET_hostname_unresolve, -1, -1, take_unresolve },
};

bool fleet_word_take(struct fleet_memory *memory, const struct fleet_row *row, bool is_gone, const struct both_clocks *clocks,
                     struct instance_key *key)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct word word = { .memory = memory, .row = row, .is_gone = is_gone, .clocks = clocks, .key = { "", 0 } };
        if (words[i].table != row->table)
            continue;
        if (words[i].host >= 0)
            word.key = (struct instance_key){ fleet_text(row, words[i].host), (uint16_t)fleet_number(row, words[i].port) };
        words[i].take(&word);
        *key = word.key;
        return true;
    }
    return false;
}

/* ---- findings ---- */

struct fleet_row fleet_row_of_finding(const struct instance_key *key, const char *word, const struct both_clocks *clocks)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance_last_analysis);
    fleet_set_text(&row, database_instance_last_analysis_hostname, key->host);
    fleet_set_number(&row, database_instance_last_analysis_port, key->port);
    fleet_set_number(&row, database_instance_last_analysis_analysis_timestamp, clocks->unix_ms / 1000);
    fleet_set_text(&row, database_instance_last_analysis_analysis, word);
    return row;
}

struct fleet_row fleet_row_of_change(const struct instance_key *key, const char *word, uint64_t number, const struct both_clocks *clocks)
{
    struct fleet_row row = fleet_row_of(FLEET_database_instance_analysis_changelog);
    fleet_set_number(&row, database_instance_analysis_changelog_changelog_id, (int64_t)number);
    fleet_set_text(&row, database_instance_analysis_changelog_hostname, key->host);
    fleet_set_number(&row, database_instance_analysis_changelog_port, key->port);
    fleet_set_number(&row, database_instance_analysis_changelog_analysis_timestamp, clocks->unix_ms / 1000);
    fleet_set_text(&row, database_instance_analysis_changelog_analysis, word);
    return row;
}

struct fleet_row fleet_row_of_audit(const char *type, const struct instance_key *key, const char *cluster, const char *message, uint64_t number,
                                    const struct both_clocks *clocks)
{
    struct fleet_row row = fleet_row_of(FLEET_audit);
    fleet_set_number(&row, audit_audit_id, (int64_t)number);
    fleet_set_number(&row, audit_audit_timestamp, clocks->unix_ms / 1000);
    fleet_set_text(&row, audit_audit_type, type);
    fleet_set_text(&row, audit_hostname, key->host);
    fleet_set_number(&row, audit_port, key->port);
    fleet_set_text(&row, audit_cluster_name, cluster);
    fleet_set_text(&row, audit_message, message);
    return row;
}
