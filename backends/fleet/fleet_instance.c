/* Column by column, both ways. */
#include "backends/fleet/fleet_instance.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ANCESTRY_MAX 32              /* servers above one: longer chains are cut at the top */

int64_t fleet_unix_of(const struct fleet_clock *clock, struct fc_time moment)
{
    if (fc_is_ever(moment) || fc_is_never(moment))
        return 0;
    return (clock->unix_ms - fc_span_ms(fc_since(moment, clock->now))) / 1000;
}

struct fc_time fleet_moment_of(const struct fleet_clock *clock, int64_t unix_seconds)
{
    return unix_seconds <= 0 ? FC_EVER : fc_plus(clock->now, fc_ms(unix_seconds * 1000 - clock->unix_ms));
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

#define TEXT(column, value) fleet_set_text(row, database_instance_##column, value)
#define NUMBER(column, value) fleet_set_number(row, database_instance_##column, (int64_t)(value))

static void moments(const struct member *m, const struct fleet_clock *clock, struct fleet_row *row)
{
    const int64_t checked = fleet_unix_of(clock, m->checked_at), seen = fleet_unix_of(clock, m->seen_at);
    const int64_t attempted = fleet_unix_of(clock, m->attempted_at);
    NUMBER(last_checked, checked > 0 ? checked : 1);              /* never: the oldest there is, so that somebody looks */
    NUMBER(last_attempted_check, attempted > checked ? attempted : checked);
    NUMBER(last_check_partial_success, m->is_partly_seen);
    if (seen > 0)
        NUMBER(last_seen, m->is_seen && seen < checked ? checked : seen);    /* valid is last_checked <= last_seen */
    else
        fleet_set_null(row, database_instance_last_seen);
}

static void what_it_is(const struct instance_seen *s, struct fleet_instance_texts *texts, struct fleet_row *row)
{
    TEXT_FORMAT(texts->major, "%u.%u", s->version / 10000, s->version / 100 % 100);
    NUMBER(uptime, s->uptime_s);
    NUMBER(server_id, s->server_id);
    TEXT(server_uuid, s->server_uuid);
    TEXT(version, s->version_text);
    TEXT(major_version, texts->major);
    TEXT(version_comment, s->version_comment);
    NUMBER(binlog_server, s->flavour == FLAVOUR_MAXSCALE);
    NUMBER(read_only, s->is_read_only);
    TEXT(binlog_format, s->binlog_format);
    TEXT(binlog_row_image, s->binlog_row_image);
    NUMBER(log_bin, s->has_log);
    NUMBER(log_slave_updates, s->relogs);
    TEXT(binary_log_file, s->written.file);
    NUMBER(binary_log_pos, s->written.offset);
    NUMBER(supports_oracle_gtid, s->gtid.mode != NULL && s->gtid.mode[0] != '\0' && !text_is(s->gtid.mode, "OFF"));
    TEXT(executed_gtid_set, s->gtid.executed);
    TEXT(gtid_purged, s->gtid.purged);
    TEXT(gtid_mode, s->gtid.mode);
    NUMBER(replication_credentials_available, s->has_replication_password);
    NUMBER(last_discovery_latency, fc_since(s->sent_at, s->seen_at).us * 1000);
}

static void semi_sync(const struct semi_sync_seen *s, struct fleet_row *row)
{
    NUMBER(semi_sync_available, s->is_available);
    NUMBER(semi_sync_master_enabled, s->is_master_enabled);
    NUMBER(semi_sync_master_status, s->is_master_active);
    NUMBER(semi_sync_master_timeout, s->timeout_ms > INT64_MAX ? INT64_MAX : s->timeout_ms);
    NUMBER(semi_sync_master_wait_for_slave_count, s->wait_count);
    NUMBER(semi_sync_master_clients, s->clients);
    NUMBER(semi_sync_replica_enabled, s->is_replica_enabled);
    NUMBER(semi_sync_replica_status, s->is_replica_active);
}

/* -1 no thread, 0 stopped, 1 running, 2 other. */
static int64_t thread_number(enum thread_state state)
{
    switch (state) {
    case THREAD_ABSENT: return -1;
    case THREAD_STOPPED: return 0;
    case THREAD_CONNECTING: return 2;
    case THREAD_RUNNING: return 1;
    }
    return 2;
}

static void lag(const struct channel_seen *c, struct fleet_row *row)
{
    if (c == NULL || c->lag_s < 0) {
        fleet_set_null(row, database_instance_seconds_behind_master);
        fleet_set_null(row, database_instance_slave_lag_seconds);
        return;
    }
    NUMBER(seconds_behind_master, c->lag_s);
    NUMBER(slave_lag_seconds, c->lag_s);
}

static void replication(const struct channel_seen *c, struct fleet_row *row)
{
    lag(c, row);
    NUMBER(replication_sql_thread_state, c == NULL ? -1 : thread_number(c->sql));
    NUMBER(replication_io_thread_state, c == NULL ? -1 : thread_number(c->io));
    if (c == NULL)
        return;
    TEXT(master_host, c->master.host);
    NUMBER(master_port, c->master.port);
    NUMBER(slave_sql_running, c->sql == THREAD_RUNNING);
    NUMBER(slave_io_running, c->io == THREAD_RUNNING);
    NUMBER(has_replication_filters, c->has_filters);
    NUMBER(oracle_gtid, c->gtid_use == GTID_AUTO_POSITION);
    NUMBER(mariadb_gtid, c->gtid_use == GTID_SLAVE_POS || c->gtid_use == GTID_CURRENT_POS);
    TEXT(master_uuid, c->master_uuid);
    TEXT(master_log_file, c->read.file);
    NUMBER(read_master_log_pos, c->read.offset);
    TEXT(relay_master_log_file, c->applied.file);
    NUMBER(exec_master_log_pos, c->applied.offset);
    TEXT(relay_log_file, c->relay.file);
    NUMBER(relay_log_pos, c->relay.offset);
    TEXT(last_sql_error, c->sql_error);
    TEXT(last_io_error, c->io_error);
    NUMBER(sql_delay, c->delay_s);
    NUMBER(allow_tls, c->tls.is_allowed);
    NUMBER(has_replication_credentials, c->user != NULL && c->user[0] != '\0');
}

/* One of `[{"Hostname":"h","Port":3306},...]`. False: no room for it and the end. */
static bool add_server(char *list, size_t size, size_t *length, const char *host, uint16_t port)
{
    char one[2 * INSTANCE_HOST_MAX + 64], name[2 * INSTANCE_HOST_MAX + 2];
    size_t at = 0;
    for (; *host != '\0' && at + 2 < sizeof name; host++) {
        if (*host == '"' || *host == '\\')
            name[at++] = '\\';
        name[at++] = (unsigned char)*host < ' ' ? '.' : *host;
    }
    name[at] = '\0';
    TEXT_FORMAT(one, "%s{\"Hostname\":\"%s\",\"Port\":%u}", *length > 1 ? "," : "", name, (unsigned)port);
    if (*length + strlen(one) + 2 > size)
        return false;
    memcpy(list + *length, one, strlen(one) + 1);
    *length += strlen(one);
    return true;
}

static void replicas(const struct topology *topology, member_id id, struct fleet_instance_texts *texts, struct fleet_row *row)
{
    size_t length = 1;
    uint32_t count = 0;
    TEXT_SET(texts->replicas, "[");
    for (member_id r = topology_first_replica(topology, id); r != MEMBER_NONE; r = topology_next_replica(topology, r), count++) {
        const struct instance_key key = topology_key(topology, r);
        add_server(texts->replicas, sizeof texts->replicas, &length, key.host, key.port);
    }
    memcpy(texts->replicas + length, "]", 2);
    TEXT(slave_hosts, texts->replicas);
    NUMBER(num_slave_hosts, count);
}

static void group(const struct instance_seen *s, struct fleet_instance_texts *texts, struct fleet_row *row)
{
    size_t length = 1;
    TEXT_SET(texts->members, "[");
    for (uint32_t i = 0; i < s->member_count; i++) {
        const struct member_seen *m = &s->members[i];
        add_server(texts->members, sizeof texts->members, &length, m->key.host == NULL ? "" : m->key.host, m->key.port);
        if (text_is(m->role, "PRIMARY")) {
            TEXT(replication_group_primary_host, m->key.host);
            NUMBER(replication_group_primary_port, m->key.port);
        }
    }
    memcpy(texts->members + length, "]", 2);
    TEXT(replication_group_name, s->group_name);
    TEXT(replication_group_member_state, s->group_state);
    TEXT(replication_group_member_role, s->group_role);
    NUMBER(replication_group_is_single_primary_mode, s->is_single_primary);
    TEXT(replication_group_members, texts->members);
}

/* The uuids from the top down, the own one last. Servers that have none (MariaDB) are passed over. */
static void ancestry(const struct topology *topology, member_id id, struct fleet_instance_texts *texts, struct fleet_row *row)
{
    const char *uuids[ANCESTRY_MAX];
    int count = 0;
    size_t length = 0;
    member_id at = id;
    for (int step = 0; step < ANCESTRY_MAX && at != MEMBER_NONE; step++) {
        const struct member *m = topology_member(topology, at);
        if (m->kept.seen != NULL && m->kept.seen->server_uuid != NULL && m->kept.seen->server_uuid[0] != '\0')
            uuids[count++] = m->kept.seen->server_uuid;
        at = m->master == id ? MEMBER_NONE : m->master;
    }
    texts->ancestry[0] = '\0';
    while (count > 0 && length < sizeof texts->ancestry) {
        text_format(texts->ancestry + length, sizeof texts->ancestry - length, "%s%s", length == 0 ? "" : ",", uuids[--count]);
        length += strlen(texts->ancestry + length);
    }
    TEXT(ancestry_uuid, texts->ancestry);
}

static void standing(struct topology *topology, const struct classifications *classifications, member_id id,
                     struct fleet_instance_texts *texts, struct fleet_row *row)
{
    const struct member *m = topology_member(topology, id);
    const struct classification *c = classification_of(classifications, id);
    topology_key_text(topology, m->head, texts->cluster, sizeof texts->cluster);
    TEXT(cluster_name, texts->cluster);
    NUMBER(replication_depth, m->depth);
    NUMBER(is_co_master, m->ring == 2);
    TEXT(instance_alias, classification_text(classifications, id, CLASSIFIED_INSTANCE_ALIAS));
    TEXT(data_center, classification_text(classifications, id, CLASSIFIED_DATA_CENTER));
    TEXT(region, classification_text(classifications, id, CLASSIFIED_REGION));
    TEXT(physical_environment, classification_text(classifications, id, CLASSIFIED_ENVIRONMENT));
    NUMBER(semi_sync_enforced, c == NULL ? 0 : c->semi_sync_priority);
    if (m->link == LINK_REPLICATES && m->master != MEMBER_NONE) {     /* as it is resolved */
        const struct instance_key master = topology_key(topology, m->master);
        TEXT(master_host, master.host);
        NUMBER(master_port, master.port);
    }
}

/* What the server itself says of its master, also when that is none ("//host", "_"). */
static const struct channel_seen *shown_channel(const struct instance_seen *s)
{
    const struct channel_seen *c = instance_channel(s);
    return c != NULL ? c : s->channel_count > 0 ? &s->channels[0] : NULL;
}

void fleet_instance_row(struct topology *topology, const struct classifications *classifications, member_id id,
                        const struct fleet_instance_words *words, const struct fleet_clock *clock, struct fleet_instance_texts *texts,
                        struct fleet_row *row)
{
    const struct member *m = topology_member(topology, id);
    const struct instance_key key = topology_key(topology, id);
    *row = fleet_row_of(FLEET_database_instance);
    TEXT(hostname, key.host);
    NUMBER(port, key.port);
    moments(m, clock, row);
    if (m->kept.seen != NULL) {
        what_it_is(m->kept.seen, texts, row);
        semi_sync(&m->kept.seen->semi_sync, row);
        replication(shown_channel(m->kept.seen), row);
        group(m->kept.seen, texts, row);
    } else {
        NUMBER(last_discovery_latency, 0);
        replication(NULL, row);
    }
    standing(topology, classifications, id, texts, row);
    replicas(topology, id, texts, row);
    ancestry(topology, id, texts, row);
    TEXT(suggested_cluster_alias, words->cluster_alias);
    TEXT(gtid_errant, words->errant);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

#undef TEXT
#undef NUMBER
#define TEXT(column) fleet_text(row, database_instance_##column)
#define NUMBER(column) fleet_number(row, database_instance_##column)

static enum thread_state thread_of(int64_t number, bool is_running)
{
    if (is_running || number == 1)
        return THREAD_RUNNING;
    return number < 0 ? THREAD_ABSENT : number == 0 ? THREAD_STOPPED : THREAD_CONNECTING;
}

static enum flavour flavour_of(const struct fleet_row *row)
{
    if (NUMBER(binlog_server) != 0)
        return FLAVOUR_MAXSCALE;
    if (strstr(TEXT(version), "MariaDB") != NULL)
        return FLAVOUR_MARIADB;
    return strstr(TEXT(version_comment), "Percona") != NULL ? FLAVOUR_PERCONA : FLAVOUR_MYSQL;
}

static uint16_t port_of(int64_t number) { return number > 0 && number <= UINT16_MAX ? (uint16_t)number : 0; }

static int64_t span_of(const struct fleet_row *row, int column) { return fleet_is_null(row, column) ? -1 : fleet_number(row, column); }

static void read_channel(const struct fleet_row *row, struct channel_seen *c)
{
    *c = (struct channel_seen){
        .name = "", .master = { TEXT(master_host), port_of(NUMBER(master_port)) },
        .user = NUMBER(has_replication_credentials) != 0 ? "?" : "",
        .io = thread_of(NUMBER(replication_io_thread_state), NUMBER(slave_io_running) != 0),
        .sql = thread_of(NUMBER(replication_sql_thread_state), NUMBER(slave_sql_running) != 0),
        .io_state = "", .sql_state = "", .io_error = TEXT(last_io_error), .sql_error = TEXT(last_sql_error),
        .read = { TEXT(master_log_file), (uint64_t)NUMBER(read_master_log_pos) },
        .applied = { TEXT(relay_master_log_file), (uint64_t)NUMBER(exec_master_log_pos) },
        .relay = { TEXT(relay_log_file), (uint64_t)NUMBER(relay_log_pos) },
        .lag_s = span_of(row, database_instance_seconds_behind_master), .delay_s = NUMBER(sql_delay), .delay_left_s = -1,
        .master_uuid = TEXT(master_uuid), .has_filters = NUMBER(has_replication_filters) != 0,
        .gtid_use = NUMBER(oracle_gtid) != 0 ? GTID_AUTO_POSITION : NUMBER(mariadb_gtid) != 0 ? GTID_SLAVE_POS : GTID_UNUSED,
        .tls = { .is_allowed = NUMBER(allow_tls) != 0 },
    };
}

static void read_semi_sync(const struct fleet_row *row, struct semi_sync_seen *s)
{
    *s = (struct semi_sync_seen){
        .is_available = NUMBER(semi_sync_available) != 0, .is_master_enabled = NUMBER(semi_sync_master_enabled) != 0,
        .is_master_active = NUMBER(semi_sync_master_status) != 0, .is_replica_enabled = NUMBER(semi_sync_replica_enabled) != 0,
        .is_replica_active = NUMBER(semi_sync_replica_status) != 0, .timeout_ms = (uint64_t)NUMBER(semi_sync_master_timeout),
        .wait_count = (uint32_t)NUMBER(semi_sync_master_wait_for_slave_count), .clients = (uint32_t)NUMBER(semi_sync_master_clients),
    };
}

#define READINGS_OF_A_ROW \
    (READING_BIT(READING_SETTINGS) | READING_BIT(READING_REPLICATION) | READING_BIT(READING_LOG_POSITION) | READING_BIT(READING_SEMI_SYNC) | \
     READING_BIT(READING_UPTIME) | READING_BIT(READING_REPLICA_LIST))

static void read_seen(const struct fleet_row *row, const struct fleet_clock *clock, struct fleet_instance *ret)
{
    struct instance_seen *s = &ret->seen;
    const int64_t latency_us = NUMBER(last_discovery_latency) / 1000;
    s->wanted = READINGS_OF_A_ROW;
    s->flavour = flavour_of(row);
    s->version = version_number(TEXT(version));
    s->version_text = TEXT(version);
    s->version_comment = TEXT(version_comment);
    s->server_id = (uint32_t)NUMBER(server_id);
    s->server_uuid = TEXT(server_uuid);
    s->is_read_only = NUMBER(read_only) != 0;
    s->uptime_s = (uint64_t)NUMBER(uptime);
    s->has_log = NUMBER(log_bin) != 0;
    s->relogs = NUMBER(log_slave_updates) != 0;
    s->binlog_format = TEXT(binlog_format);
    s->binlog_row_image = TEXT(binlog_row_image);
    s->written = (struct coordinates){ TEXT(binary_log_file), (uint64_t)NUMBER(binary_log_pos) };
    s->gtid.mode = TEXT(gtid_mode);
    s->gtid.executed = TEXT(executed_gtid_set);
    s->gtid.purged = TEXT(gtid_purged);
    s->has_replication_password = NUMBER(replication_credentials_available) != 0;
    s->group_name = TEXT(replication_group_name);
    s->group_state = TEXT(replication_group_member_state);
    s->group_role = TEXT(replication_group_member_role);
    s->is_single_primary = NUMBER(replication_group_is_single_primary_mode) != 0;
    s->seen_at = fleet_moment_of(clock, NUMBER(last_seen));
    s->sent_at = latency_us > 0 ? fc_plus(s->seen_at, (struct fc_span){ -latency_us }) : s->seen_at;
    read_semi_sync(row, &s->semi_sync);
    if (TEXT(master_host)[0] != '\0') {
        read_channel(row, &ret->channel);
        s->channels = &ret->channel;
        s->channel_count = 1;
    }
}

static bool take_replica(const cJSON *item, struct fleet_instance *ret, char **name)
{
    const cJSON *host = cJSON_GetObjectItem(item, "Hostname"), *port = cJSON_GetObjectItem(item, "Port");
    if (!cJSON_IsString(host) || !cJSON_IsNumber(port) || strlen(host->valuestring) > INSTANCE_HOST_MAX)
        return false;
    const struct instance_key key = { *name, port_of((int64_t)port->valuedouble) };
    memcpy(*name, host->valuestring, strlen(host->valuestring) + 1);
    if (!instance_key_is_valid(&key))
        return false;
    ret->replicas[ret->seen.replica_count++] = (struct replica_listed){ .key = key, .how = LISTED_REGISTERED, .uuid = "", .user = "" };
    *name += strlen(*name) + 1;
    return true;
}

/* A list that cannot be read is none: the server's next look tells it. */
static bool read_replicas(const struct fleet_row *row, struct fleet_instance *ret)
{
    cJSON *list = cJSON_Parse(TEXT(slave_hosts));
    const int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    const cJSON *item;
    if (count > 0) {
        ret->replicas = calloc((size_t)count, sizeof *ret->replicas);
        ret->names = malloc((size_t)count * (INSTANCE_HOST_MAX + 1));
    }
    const bool has_memory = count == 0 || (ret->replicas != NULL && ret->names != NULL);
    char *name = ret->names;
    if (has_memory && count > 0) {
        cJSON_ArrayForEach(item, list) {
            if (ret->seen.replica_count < INSTANCE_REPLICAS_MAX)
                take_replica(item, ret, &name);
        }
        ret->seen.replicas = ret->replicas;
    }
    cJSON_Delete(list);
    return has_memory;
}

bool fleet_instance_read(const struct fleet_row *row, const struct fleet_clock *clock, struct fleet_instance *ret)
{
    *ret = (struct fleet_instance){ .seen.key = { TEXT(hostname), port_of(NUMBER(port)) } };
    if (row->table != FLEET_database_instance || !instance_key_is_valid(&ret->seen.key))
        return false;
    ret->was_seen = NUMBER(last_seen) > 0 && TEXT(version)[0] != '\0';
    ret->is_seen = ret->was_seen && NUMBER(last_checked) <= NUMBER(last_seen);
    ret->is_partly_seen = !ret->is_seen && NUMBER(last_check_partial_success) != 0;
    ret->checked_at = fleet_moment_of(clock, NUMBER(last_checked));
    ret->seen_at = fleet_moment_of(clock, NUMBER(last_seen));
    ret->cluster = TEXT(cluster_name);
    ret->cluster_alias = TEXT(suggested_cluster_alias);
    ret->detected.answer[CLASSIFIED_DATA_CENTER] = TEXT(data_center);
    ret->detected.answer[CLASSIFIED_REGION] = TEXT(region);
    ret->detected.answer[CLASSIFIED_ENVIRONMENT] = TEXT(physical_environment);
    ret->detected.answer[CLASSIFIED_INSTANCE_ALIAS] = TEXT(instance_alias);
    read_seen(row, clock, ret);
    if (read_replicas(row, ret))
        return true;
    fleet_instance_done(ret);
    return false;
}

void fleet_instance_done(struct fleet_instance *instance)
{
    free(instance->replicas);
    free(instance->names);
    instance->replicas = NULL;
    instance->names = NULL;
}
