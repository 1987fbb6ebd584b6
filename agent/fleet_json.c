/* A table of fields: what is one value of an observation is a row with its place, the rest are small functions. */
#include "agent/fleet_json.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/fleet_list.h"
#include "base/text.h"
#include "judge/problems.h"

#define NS_A_US 1000
#define ANCESTORS_MAX 64              /* as judge/errant.c */

void fleet_reader_init(struct fleet_reader *reader, struct room *room, const struct picture *picture)
{
    *reader = (struct fleet_reader){ .picture = picture, .desk.room = room };
}

void fleet_reader_done(struct fleet_reader *reader) { errant_desk_done(&reader->desk); }

/* ---- small things ---- */

void fleet_json_key(struct json_page *page, const char *name, const struct instance_key *key)
{
    page_open(page, name, '{');
    page_text(page, "Hostname", key->host);
    page_uint(page, "Port", key->port);
    page_close(page, '}');
}

static void put_place(struct json_page *page, const char *name, const struct coordinates *place, int type)
{
    page_open(page, name, '{');
    page_text(page, "LogFile", place->file);
    page_uint(page, "LogPos", place->offset);
    page_int(page, "Type", type);
    page_close(page, '}');
}

static void put_maybe(struct json_page *page, const char *name, bool is_known, int64_t value)
{
    page_open(page, name, '{');
    page_int(page, "Int64", is_known ? value : 0);
    page_bool(page, "Valid", is_known);
    page_close(page, '}');
}

void fleet_unix_text(int64_t unix_s, char to[FLEET_MOMENT_SIZE])
{
    const time_t seconds = (time_t)unix_s;
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(to, FLEET_MOMENT_SIZE, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        to[0] = '\0';
}

void fleet_moment_text(const struct picture *picture, struct fc_time at, char to[FLEET_MOMENT_SIZE])
{
    to[0] = '\0';
    if (!fc_is_ever(at) && !fc_is_never(at))
        fleet_unix_text((picture->unix_ms - fc_span_ms(fc_since(at, picture->now))) / 1000, to);
}

static void put_moment(struct json_page *page, const char *name, const struct picture *picture, struct fc_time at)
{
    char text[FLEET_MOMENT_SIZE];
    fleet_moment_text(picture, at, text);
    page_text(page, name, text);
}

const char *fleet_alias(const struct picture *picture, member_id head)
{
    const struct aliases *aliases = picture->aliases;
    return head < aliases->capacity ? names_text(aliases->names, aliases->of[head]) : "";
}

static const struct override *override_of(const struct picture *picture, member_id id)
{
    const struct instance_key key = topology_key(picture->topology, id);
    return overrides_of(picture->overrides, &key);
}

bool fleet_is_downtimed(const struct picture *picture, member_id id)
{
    return override_is_downtimed(override_of(picture, id), picture->now);
}

/* What the server itself answers is newer than what was said of it. */
enum promotion_rule fleet_rule(const struct picture *picture, member_id id)
{
    const struct classification *own = classification_of(picture->classifications, id);
    return own != NULL && own->has_rule ? own->rule : override_rule(override_of(picture, id), picture->now);
}

/* ---- an instance ---- */

static const struct instance_seen nothing_seen;
static const struct channel_seen no_channel;

struct instance_view {
    struct fleet_reader *reader;
    const struct picture *picture;
    member_id id;
    const struct member *member;
    const struct instance_seen *seen;         /* never NULL */
    const struct channel_seen *channel;       /* never NULL: the one that counts, else the first */
    bool is_replica;
    const struct override *override;
};

static struct instance_view view_of(struct fleet_reader *reader, member_id id)
{
    struct instance_view v = { .reader = reader, .picture = reader->picture, .id = id,
                               .member = topology_member(reader->picture->topology, id), .seen = &nothing_seen, .channel = &no_channel };
    if (v.member->kept.seen != NULL)
        v.seen = v.member->kept.seen;
    const struct channel_seen *counts = instance_channel(v.seen);
    v.is_replica = counts != NULL;
    v.channel = counts != NULL ? counts : v.seen->channel_count > 0 ? &v.seen->channels[0] : &no_channel;
    v.override = override_of(v.picture, id);
    return v;
}

typedef void put_field(struct json_page *page, const char *name, const struct instance_view *v);
#define FIELD(field) static void put_##field(struct json_page *page, const char *name, const struct instance_view *v)

static const char *known(const char *text) { return text == NULL ? "" : text; }

FIELD(key)
{
    const struct instance_key key = topology_key(v->picture->topology, v->id);
    fleet_json_key(page, name, &key);
}

FIELD(instance_alias) { page_text(page, name, classification_text(v->picture->classifications, v->id, CLASSIFIED_INSTANCE_ALIAS)); }
FIELD(data_center) { page_text(page, name, classification_text(v->picture->classifications, v->id, CLASSIFIED_DATA_CENTER)); }
FIELD(region) { page_text(page, name, classification_text(v->picture->classifications, v->id, CLASSIFIED_REGION)); }
FIELD(environment) { page_text(page, name, classification_text(v->picture->classifications, v->id, CLASSIFIED_ENVIRONMENT)); }

/* MariaDB's own id of a machine is none of a server: images of one machine share it. */
static const char *uuid_of(const struct instance_seen *seen)
{
    return seen->flavour == FLAVOUR_MARIADB ? "" : known(seen->server_uuid);
}

FIELD(server_uuid) { page_text(page, name, uuid_of(v->seen)); }

FIELD(flavour)
{
    static const char *const words[FLAVOUR_COUNT] = { "unknown", "MariaDB", "MySQL", "Percona", "MaxScale" };
    page_text(page, name, words[v->seen->flavour]);
}

FIELD(own_place) { put_place(page, name, &v->seen->written, 0); }

/* By the name under which the master is known, else as it is configured (detached, itself, "_"). */
FIELD(master_key)
{
    const bool is_linked = v->member->link == LINK_REPLICATES;
    const struct instance_key key = is_linked ? topology_key(v->picture->topology, v->member->master) : v->channel->master;
    fleet_json_key(page, name, &key);
}

FIELD(ancestry)
{
    char text[ANCESTORS_MAX * 40] = "";
    size_t length = 0;
    const char *uuids[ANCESTORS_MAX];
    int count = 0;
    for (member_id at = v->id; at != MEMBER_NONE && count < ANCESTORS_MAX;) {
        const struct member *m = topology_member(v->picture->topology, at);
        if (m->kept.seen != NULL && uuid_of(m->kept.seen)[0] != '\0')
            uuids[count++] = uuid_of(m->kept.seen);
        at = m->ring > 0 && at != v->id ? MEMBER_NONE : m->master;       /* a ring ends with the next one */
    }
    while (count-- > 0 && length < sizeof text - 1) {
        text_format(text + length, sizeof text - length, "%s%s", length == 0 ? "" : ",", uuids[count]);
        length += strlen(text + length);
    }
    page_text(page, name, text);
}

static bool is_detached_master(const struct instance_view *v) { return text_begins(known(v->channel->master.host), "//"); }

FIELD(is_detached_master) { page_bool(page, name, is_detached_master(v)); }
FIELD(sql_running) { page_bool(page, name, v->channel->sql == THREAD_RUNNING); }
FIELD(io_running) { page_bool(page, name, v->channel->io == THREAD_RUNNING); }

static int thread_number(enum thread_state state)
{
    static const int numbers[] = { [THREAD_ABSENT] = -1, [THREAD_STOPPED] = 0, [THREAD_CONNECTING] = 2, [THREAD_RUNNING] = 1 };
    return numbers[state];
}

FIELD(sql_state) { page_int(page, name, thread_number(v->channel->sql)); }
FIELD(io_state) { page_int(page, name, thread_number(v->channel->io)); }

static bool supports_oracle_gtid(const struct instance_seen *seen)
{
    return known(seen->gtid.mode)[0] != '\0' && !text_is(seen->gtid.mode, "OFF");
}

static bool uses_mariadb_gtid(const struct channel_seen *channel)
{
    return channel->gtid_use == GTID_SLAVE_POS || channel->gtid_use == GTID_CURRENT_POS;
}

FIELD(supports_oracle) { page_bool(page, name, supports_oracle_gtid(v->seen)); }
FIELD(uses_oracle) { page_bool(page, name, v->channel->gtid_use == GTID_AUTO_POSITION); }
FIELD(uses_mariadb) { page_bool(page, name, uses_mariadb_gtid(v->channel)); }
FIELD(never) { (void)v; page_bool(page, name, false); }
FIELD(zero) { (void)v; page_int(page, name, 0); }
FIELD(read_place) { put_place(page, name, &v->channel->read, 0); }
FIELD(applied_place) { put_place(page, name, &v->channel->applied, 0); }
FIELD(relay_place) { put_place(page, name, &v->channel->relay, 1); }
FIELD(is_detached) { page_bool(page, name, text_begins(known(v->channel->applied.file), "//")); }
FIELD(told_lag)
{
    const bool is_told = v->seen->has_told_lag && !v->is_replica;
    put_maybe(page, name, is_told || (v->is_replica && v->channel->lag_s >= 0), is_told ? v->seen->told_lag_s : v->channel->lag_s);
}
FIELD(lag) { put_maybe(page, name, v->is_replica && v->channel->lag_s >= 0, v->channel->lag_s); }

static bool has_trait(const struct instance_view *v, enum trait trait)
{
    return v->id < v->picture->fleet->capacity && trait_is(&v->picture->fleet->traits[v->id], trait);
}

FIELD(errant)
{
    char *text = has_trait(v, TRAIT_ERRANT) ? errant_text(&v->reader->desk, v->picture->topology, v->id) : NULL;
    page_text(page, name, text);
    room_release(v->reader->desk.room, text);
}

FIELD(replicas)
{
    struct fleet_list list = { 0 };
    fleet_list_replicas(&list, v->picture, v->id);
    page_open(page, name, '[');
    for (uint32_t i = 0; i < list.count; i++) {
        const struct instance_key key = topology_key(v->picture->topology, list.ids[i]);
        fleet_json_key(page, NULL, &key);
    }
    page_close(page, ']');
    page->is_short = page->is_short || list.is_short;
    fleet_list_done(&list);
}

FIELD(cluster_name)
{
    char text[FLEET_KEY_SIZE] = "";
    if (v->member->head != MEMBER_NONE)
        topology_key_text(v->picture->topology, v->member->head, text, sizeof text);
    page_text(page, name, text);
}

FIELD(alias) { page_text(page, name, v->member->head == MEMBER_NONE ? "" : fleet_alias(v->picture, v->member->head)); }
FIELD(depth) { page_uint(page, name, v->member->depth); }
FIELD(is_co_master) { page_bool(page, name, v->member->ring == 2); }
FIELD(has_credentials) { page_bool(page, name, known(v->channel->user)[0] != '\0'); }

FIELD(semi_priority)
{
    const struct classification *own = classification_of(v->picture->classifications, v->id);
    page_uint(page, name, own == NULL ? 0 : own->semi_sync_priority);
}

/* MariaDB waits for one replica and has no variable for it. */
FIELD(semi_wait_count)
{
    const struct semi_sync_seen *semi = &v->seen->semi_sync;
    page_uint(page, name, semi->is_available && semi->wait_count == 0 ? 1 : semi->wait_count);
}

static struct problem_view problems_view(const struct instance_view *v)
{
    static const struct traits no_traits;
    const struct fleet *fleet = v->picture->fleet;
    const struct traits *traits = v->id < fleet->capacity ? &fleet->traits[v->id] : &no_traits;
    return (struct problem_view){ v->member, traits, &fleet->policy, v->picture->now };
}

static bool is_checked_within(const struct instance_view *v, int64_t ms)
{
    return !fc_is_ever(v->member->checked_at) && fc_span_ms(fc_since(v->member->checked_at, v->picture->now)) <= ms;
}

FIELD(last_seen) { put_moment(page, name, v->picture, v->member->seen_at); }
FIELD(is_valid) { page_bool(page, name, v->member->is_seen); }
FIELD(is_up_to_date) { page_bool(page, name, is_checked_within(v, v->picture->fleet->policy.poll_ms)); }

FIELD(is_recent)
{
    const struct problem_view view = problems_view(v);
    page_bool(page, name, problems_is_recent(&view));
}

FIELD(seen_ago)
{
    const bool is_known = !fc_is_ever(v->member->seen_at);
    put_maybe(page, name, is_known, is_known ? fc_span_ms(fc_since(v->member->seen_at, v->picture->now)) / 1000 : 0);
}

FIELD(is_candidate) { page_bool(page, name, promotion_rule_is_candidate(fleet_rule(v->picture, v->id))); }
FIELD(rule) { page_text(page, name, promotion_rule_word(fleet_rule(v->picture, v->id))); }

static const struct bounded_word *downtime_of(const struct instance_view *v)
{
    return override_is_downtimed(v->override, v->picture->now) ? &v->override->downtime : NULL;
}

static const char *word_of(const struct instance_view *v, const struct bounded_word *word, bool is_owner)
{
    return word == NULL ? "" : names_text(v->picture->overrides->names, is_owner ? word->owner : word->reason);
}

FIELD(is_downtimed) { page_bool(page, name, downtime_of(v) != NULL); }
FIELD(downtime_reason) { page_text(page, name, word_of(v, downtime_of(v), false)); }
FIELD(downtime_owner) { page_text(page, name, word_of(v, downtime_of(v), true)); }
FIELD(downtime_end) { put_moment(page, name, v->picture, downtime_of(v) == NULL ? FC_EVER : downtime_of(v)->end); }

FIELD(downtime_elapsed)
{
    const struct bounded_word *word = downtime_of(v);
    page_int(page, name, word == NULL ? 0 : fc_since(word->begin, v->picture->now).us * NS_A_US);
}

FIELD(unresolved)
{
    const struct host_names *table = v->picture->unresolved;
    page_text(page, name, table == NULL ? "" : host_names_of(table, topology_key(v->picture->topology, v->id).host, v->picture->now));
}

FIELD(problems)
{
    const struct problem_view view = problems_view(v);
    const uint32_t found = problems_of(&view);
    page_open(page, name, '[');
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        if (found >> i & 1)
            page_text(page, NULL, problem_rows[i].word);
    }
    page_close(page, ']');
}

FIELD(latency) { page_int(page, name, fc_since(v->seen->sent_at, v->seen->seen_at).us * NS_A_US); }

FIELD(group_members)
{
    page_open(page, name, '[');
    for (uint32_t i = 0; i < v->seen->member_count; i++)
        fleet_json_key(page, NULL, &v->seen->members[i].key);
    page_close(page, ']');
}

FIELD(group_primary)
{
    struct instance_key key = { "", 0 };
    for (uint32_t i = 0; i < v->seen->member_count; i++) {
        if (text_is(v->seen->members[i].role, "PRIMARY"))
            key = v->seen->members[i].key;
    }
    fleet_json_key(page, name, &key);
}

static void put_maybe_bool(struct json_page *page, const char *name, bool is_known, bool value)
{
    page_open(page, name, '{');
    page_bool(page, "Bool", is_known && value);
    page_bool(page, "Valid", is_known);
    page_close(page, '}');
}

FIELD(tls_verifies) { put_maybe_bool(page, name, v->is_replica, v->channel->tls.verifies_server); }
FIELD(tls_gets_key) { put_maybe_bool(page, name, v->is_replica, v->channel->tls.gets_public_key); }

enum value_type { BY_FUNCTION = 0, VALUE_TEXT, VALUE_BOOL, VALUE_U32, VALUE_U64, VALUE_I64 };
enum value_source { OF_SEEN, OF_CHANNEL };

struct instance_field {
    const char *name;
    put_field *put;
    enum value_type type;
    enum value_source source;
    size_t at;
};

#define BY(name, field) { name, put_##field, BY_FUNCTION, OF_SEEN, 0 }
#define SEEN(name, type, field) { name, NULL, VALUE_##type, OF_SEEN, offsetof(struct instance_seen, field) }
#define CHANNEL(name, type, field) { name, NULL, VALUE_##type, OF_CHANNEL, offsetof(struct channel_seen, field) }

static const struct instance_field instance_fields[] = {
    BY("Key", key), BY("InstanceAlias", instance_alias), SEEN("Uptime", U64, uptime_s), SEEN("ServerID", U32, server_id),
    BY("ServerUUID", server_uuid), SEEN("Version", TEXT, version_text), SEEN("VersionComment", TEXT, version_comment),
    BY("FlavorName", flavour), SEEN("ReadOnly", BOOL, is_read_only), SEEN("Binlog_format", TEXT, binlog_format),
    SEEN("BinlogRowImage", TEXT, binlog_row_image), SEEN("LogBinEnabled", BOOL, has_log),
    SEEN("LogSlaveUpdatesEnabled", BOOL, relogs), SEEN("LogReplicationUpdatesEnabled", BOOL, relogs),
    BY("SelfBinlogCoordinates", own_place), BY("MasterKey", master_key), CHANNEL("MasterUUID", TEXT, master_uuid),
    BY("AncestryUUID", ancestry), BY("IsDetachedMaster", is_detached_master), BY("Slave_SQL_Running", sql_running),
    BY("ReplicationSQLThreadRuning", sql_running), BY("Slave_IO_Running", io_running), BY("ReplicationIOThreadRuning", io_running),
    BY("ReplicationSQLThreadState", sql_state), BY("ReplicationIOThreadState", io_state),
    CHANNEL("HasReplicationFilters", BOOL, has_filters), SEEN("GTIDMode", TEXT, gtid.mode),
    BY("SupportsOracleGTID", supports_oracle), BY("UsingOracleGTID", uses_oracle), BY("UsingMariaDBGTID", uses_mariadb),
    BY("UsingPseudoGTID", never), BY("ReadBinlogCoordinates", read_place), BY("ExecBinlogCoordinates", applied_place),
    BY("IsDetached", is_detached), BY("RelaylogCoordinates", relay_place), CHANNEL("LastSQLError", TEXT, sql_error),
    CHANNEL("LastIOError", TEXT, io_error), BY("SecondsBehindMaster", lag), CHANNEL("SQLDelay", I64, delay_s),
    SEEN("ExecutedGtidSet", TEXT, gtid.executed), SEEN("GtidPurged", TEXT, gtid.purged), BY("GtidErrant", errant),
    BY("SlaveLagSeconds", told_lag), BY("ReplicationLagSeconds", told_lag), BY("SlaveHosts", replicas), BY("Replicas", replicas),
    BY("ClusterName", cluster_name), BY("SuggestedClusterAlias", alias), BY("DataCenter", data_center), BY("Region", region),
    BY("PhysicalEnvironment", environment), BY("ReplicationDepth", depth), BY("IsCoMaster", is_co_master),
    BY("HasReplicationCredentials", has_credentials), SEEN("ReplicationCredentialsAvailable", BOOL, has_replication_password),
    SEEN("SemiSyncAvailable", BOOL, semi_sync.is_available), BY("SemiSyncPriority", semi_priority),
    SEEN("SemiSyncMasterEnabled", BOOL, semi_sync.is_master_enabled), SEEN("SemiSyncReplicaEnabled", BOOL, semi_sync.is_replica_enabled),
    SEEN("SemiSyncMasterTimeout", U64, semi_sync.timeout_ms), BY("SemiSyncMasterWaitForReplicaCount", semi_wait_count),
    SEEN("SemiSyncMasterStatus", BOOL, semi_sync.is_master_active), SEEN("SemiSyncMasterClients", U32, semi_sync.clients),
    SEEN("SemiSyncReplicaStatus", BOOL, semi_sync.is_replica_active), BY("LastSeenTimestamp", last_seen),
    BY("IsLastCheckValid", is_valid), BY("IsUpToDate", is_up_to_date), BY("IsRecentlyChecked", is_recent),
    BY("SecondsSinceLastSeen", seen_ago), BY("CountMySQLSnapshots", zero), BY("IsCandidate", is_candidate), BY("PromotionRule", rule),
    BY("IsDowntimed", is_downtimed), BY("DowntimeReason", downtime_reason), BY("DowntimeOwner", downtime_owner),
    BY("DowntimeEndTimestamp", downtime_end), BY("ElapsedDowntime", downtime_elapsed), BY("UnresolvedHostname", unresolved),
    CHANNEL("AllowTLS", BOOL, tls.is_allowed), BY("Problems", problems), BY("LastDiscoveryLatency", latency),
    SEEN("ReplicationGroupName", TEXT, group_name), SEEN("ReplicationGroupIsSinglePrimary", BOOL, is_single_primary),
    SEEN("ReplicationGroupMemberState", TEXT, group_state), SEEN("ReplicationGroupMemberRole", TEXT, group_role),
    BY("ReplicationGroupMembers", group_members), BY("ReplicationGroupPrimaryInstanceKey", group_primary),
    /* of the living fork */
    SEEN("SemiSyncMasterPluginNewVersion", BOOL, semi_sync.has_new_master_names),
    SEEN("SemiSyncReplicaPluginNewVersion", BOOL, semi_sync.has_new_replica_names),
    CHANNEL("ReplicationSSLCAFile", TEXT, tls.ca_file), CHANNEL("ReplicationSSLCAPath", TEXT, tls.ca_path),
    CHANNEL("ReplicationSSLCert", TEXT, tls.certificate), CHANNEL("ReplicationSSLCipher", TEXT, tls.cipher),
    CHANNEL("ReplicationSSLCRLFile", TEXT, tls.crl), CHANNEL("ReplicationSSLCRLPath", TEXT, tls.crl_path),
    CHANNEL("ReplicationSSLKey", TEXT, tls.key), BY("ReplicationSSLVerifyServerCert", tls_verifies),
    CHANNEL("ReplicationTLSVersion", TEXT, tls.versions), CHANNEL("ReplicationTLSCiphersuites", TEXT, tls.cipher_suites),
    CHANNEL("ReplicationSourcePublicKeyPath", TEXT, tls.public_key_path), BY("ReplicationGetSourcePublicKey", tls_gets_key),
};

static void put_value(struct json_page *page, const struct instance_field *field, const struct instance_view *v)
{
    const char *at = (field->source == OF_SEEN ? (const char *)v->seen : (const char *)v->channel) + field->at;
    switch (field->type) {
    case BY_FUNCTION: field->put(page, field->name, v); break;
    case VALUE_TEXT: page_text(page, field->name, *(const char *const *)at); break;
    case VALUE_BOOL: page_bool(page, field->name, *(const bool *)at); break;
    case VALUE_U32: page_uint(page, field->name, *(const uint32_t *)at); break;
    case VALUE_U64: page_uint(page, field->name, *(const uint64_t *)at); break;
    case VALUE_I64: page_int(page, field->name, *(const int64_t *)at); break;
    }
}

void fleet_json_instance(struct json_page *page, const char *name, struct fleet_reader *reader, member_id id)
{
    const struct instance_view view = view_of(reader, id);
    page_open(page, name, '{');
    for (size_t i = 0; i < sizeof instance_fields / sizeof instance_fields[0]; i++)
        put_value(page, &instance_fields[i], &view);
    page_close(page, '}');
}

/* ---- a cluster ---- */

static void put_cluster(struct json_page *page, const char *name, const struct picture *picture, member_id head, int64_t count, int64_t lag,
                        bool has_name_for_domain)
{
    char own[FLEET_KEY_SIZE] = "";
    const char *domain = classification_domain(picture->classifications, head);
    const char *alias = fleet_alias(picture, head);
    topology_key_text(picture->topology, head, own, sizeof own);
    page_open(page, name, '{');
    page_text(page, "ClusterName", own);
    page_text(page, "ClusterAlias", alias[0] == '\0' ? own : alias);
    page_text(page, "ClusterDomain", domain[0] == '\0' && has_name_for_domain ? own : domain);
    page_int(page, "CountInstances", count);
    page_int(page, "HeuristicLag", lag);
    page_bool(page, "HasAutomatedMasterRecovery", false);                 /* nothing is recovered automatically by this version */
    page_bool(page, "HasAutomatedIntermediateMasterRecovery", false);
    page_close(page, '}');
}

void fleet_json_cluster(struct json_page *page, const char *name, struct fleet_reader *reader, member_id head)
{
    const struct picture *picture = reader->picture;
    struct fleet_list list = { 0 };
    int64_t count = 0, lag = 0;
    for (member_id id = topology_member(picture->topology, head)->first_in_cluster; id != MEMBER_NONE;
         id = topology_member(picture->topology, id)->next_in_cluster)
        count += topology_member(picture->topology, id)->kind == MEMBER_KNOWN;
    fleet_list_osc(&list, picture, head);
    lag = fleet_list_lag(&list, picture);
    page->is_short = page->is_short || list.is_short;
    fleet_list_done(&list);
    put_cluster(page, name, picture, head, count, lag, false);
}

/* ---- an analysis ---- */

#define ANALYSIS_COUNT(name, field) { name, offsetof(struct analysis_facts, field) }
static const struct { const char *name; size_t at; } analysis_counts[] = {
    ANALYSIS_COUNT("CountReplicas", replicas), ANALYSIS_COUNT("CountValidReplicas", valid),
    ANALYSIS_COUNT("CountValidReplicatingReplicas", replicating),
    ANALYSIS_COUNT("CountReplicasFailingToConnectToMaster", failing_to_connect), ANALYSIS_COUNT("CountDowntimedReplicas", downtimed),
    ANALYSIS_COUNT("ReplicationDepth", depth),
}, later_counts[] = {
    ANALYSIS_COUNT("SemiSyncMasterWaitForReplicaCount", semi_sync_wanted), ANALYSIS_COUNT("SemiSyncMasterClients", semi_sync_clients),
    ANALYSIS_COUNT("CountSemiSyncReplicasEnabled", semi_sync_replicas), ANALYSIS_COUNT("CountLoggingReplicas", logging),
    ANALYSIS_COUNT("CountStatementBasedLoggingReplicas", logging_statement),
    ANALYSIS_COUNT("CountMixedBasedLoggingReplicas", logging_mixed), ANALYSIS_COUNT("CountRowBasedLoggingReplicas", logging_row),
    ANALYSIS_COUNT("CountDistinctMajorVersionsLoggingReplicas", logging_major_versions),
    ANALYSIS_COUNT("CountDelayedReplicas", delayed), ANALYSIS_COUNT("CountLaggingReplicas", lagging),
};

static int count_at(const struct analysis_facts *facts, size_t at) { return *(const int *)((const char *)facts + at); }

/* The greatest of the replicas' texts, as orchestrator tells it: one of them, for a person to look at. */
static void put_errant_replica(struct json_page *page, struct fleet_reader *reader, member_id id)
{
    const struct picture *picture = reader->picture;
    char *greatest = NULL;
    for (member_id r = topology_first_replica(picture->topology, id); r != MEMBER_NONE; r = topology_next_replica(picture->topology, r)) {
        if (r >= picture->fleet->capacity || !trait_is(&picture->fleet->traits[r], TRAIT_ERRANT) || fleet_is_downtimed(picture, r))
            continue;
        char *text = errant_text(&reader->desk, picture->topology, r);
        const bool is_greater = text != NULL && (greatest == NULL || strcmp(text, greatest) > 0);
        room_release(reader->desk.room, is_greater ? greatest : text);
        greatest = is_greater ? text : greatest;
    }
    page_text(page, "MaxReplicaGTIDErrant", greatest);
    room_release(reader->desk.room, greatest);
}

static void put_structure(struct json_page *page, const struct analysis *found)
{
    if (found->structure == 0) {
        page_null(page, "StructureAnalysis");
        return;
    }
    page_open(page, "StructureAnalysis", '[');
    for (int i = 0; i < STRUCTURE_WARNING_COUNT; i++) {
        if (found->structure >> i & 1)
            page_text(page, NULL, structure_rules[i].word);
    }
    page_close(page, ']');
}

static void put_who(struct json_page *page, const struct instance_view *v)
{
    put_key(page, "AnalyzedInstanceKey", v);
    put_master_key(page, "AnalyzedInstanceMasterKey", v);
    put_cluster(page, "ClusterDetails", v->picture, v->member->head, 0, 0, true);
    put_data_center(page, "AnalyzedInstanceDataCenter", v);
    put_region(page, "AnalyzedInstanceRegion", v);
    put_environment(page, "AnalyzedInstancePhysicalEnvironment", v);
    put_own_place(page, "AnalyzedInstanceBinlogCoordinates", v);
}

static void put_finding(struct json_page *page, const struct analysis *found, const struct analysis_facts *facts)
{
    page_bool(page, "IsFailingToConnectToMaster", facts->is_failing_to_connect);
    page_text(page, "Analysis", analysis_codes[found->code].word);
    page_text(page, "Description", analysis_codes[found->code].description);
    put_structure(page, found);
    page_bool(page, "IsDowntimed", found->is_downtimed);
    page_bool(page, "IsReplicasDowntimed", found->is_replicas_downtimed);
}

/* Seconds left; orchestrator's number is negative by mistake. */
static void put_end_of_downtime(struct json_page *page, const struct instance_view *v)
{
    const struct bounded_word *word = downtime_of(v);
    const bool has_end = word != NULL && !fc_is_never(word->end);
    put_downtime_end(page, "DowntimeEndTimestamp", v);
    page_int(page, "DowntimeRemainingSeconds", has_end ? fc_span_ms(fc_since(v->picture->now, word->end)) / 1000 : 0);
}

/* Does every valid replica have it? */
static void put_immediate(struct json_page *page, const struct analysis_facts *facts)
{
    const bool has_any = facts->valid > 0;
    page_bool(page, "IsBinlogServer", facts->is_binlog_server);
    page_bool(page, "PseudoGTIDImmediateTopology", facts->has_pseudo_gtid);
    page_bool(page, "OracleGTIDImmediateTopology", has_any && facts->oracle_gtid == facts->valid);
    page_bool(page, "MariaDBGTIDImmediateTopology", has_any && facts->mariadb_gtid == facts->valid);
    page_bool(page, "BinlogServerImmediateTopology", has_any && facts->binlog_servers == facts->valid);
    page_bool(page, "SemiSyncMasterEnabled", facts->has_semi_sync);
    page_bool(page, "SemiSyncMasterStatus", facts->is_semi_sync_on);
}

static void put_tail(struct json_page *page, const struct instance_view *v, const struct analysis *found,
                     const struct analysis_facts *facts)
{
    page_bool(page, "IsActionableRecovery", false);          /* never told by the API, as orchestrator does not */
    page_text(page, "ProcessingNodeHostname", v->picture->node);
    page_text(page, "ProcessingNodeToken", v->picture->token);
    page_int(page, "CountAdditionalAgreeingNodes", 0);
    put_moment(page, "StartActivePeriod", v->picture, v->picture->fleet->verdicts[v->id].since);
    page_bool(page, "SkippableDueToDowntime", found->is_skippable);
    page_text(page, "GTIDMode", facts->gtid_mode);
    page_text(page, "MinReplicaGTIDMode", facts->least_gtid_mode);
    page_text(page, "MaxReplicaGTIDMode", facts->most_gtid_mode);
    put_errant_replica(page, v->reader, v->id);
    page_text(page, "CommandHint", "");                      /* takeovers are not in this version */
    page_bool(page, "IsReadOnly", facts->is_read_only);
}

void fleet_json_analysis(struct json_page *page, const char *name, struct fleet_reader *reader, member_id id)
{
    const struct instance_view v = view_of(reader, id);
    const struct analysis *found = fleet_analysis(v.picture->fleet, id);
    assert(found != NULL);
    const struct analysis_facts facts = fleet_facts(v.picture->fleet, id);
    page_open(page, name, '{');
    put_who(page, &v);
    page_bool(page, "IsMaster", facts.is_master);
    page_bool(page, "IsReplicationGroupMember", facts.is_group_member);
    page_bool(page, "IsCoMaster", facts.is_co_master);
    page_bool(page, "LastCheckValid", facts.is_last_check_valid);
    page_bool(page, "LastCheckPartialSuccess", facts.is_partly_seen);
    for (size_t i = 0; i < sizeof analysis_counts / sizeof analysis_counts[0]; i++)
        page_int(page, analysis_counts[i].name, count_at(&facts, analysis_counts[i].at));
    put_replicas(page, "Replicas", &v);
    put_replicas(page, "SlaveHosts", &v);
    put_finding(page, found, &facts);
    put_end_of_downtime(page, &v);
    put_immediate(page, &facts);
    for (size_t i = 0; i < sizeof later_counts / sizeof later_counts[0]; i++)
        page_int(page, later_counts[i].name, count_at(&facts, later_counts[i].at));
    put_tail(page, &v, found, &facts);
    page_close(page, '}');
}
