/* Observation, marks and moments into traits; traits into sums. */
#include "judge/traits.h"

#include <string.h>

#include "base/text.h"

/* Sorted, so that the least and the greatest index are the least and the greatest word. */
const char *const traits_gtid_mode[] = { "", "OFF", "OFF_PERMISSIVE", "ON", "ON_PERMISSIVE" };
#define GTID_MODES (sizeof traits_gtid_mode / sizeof traits_gtid_mode[0])

/* ---- one channel ---- */

/* Of the client library and of the server: the master was not reached, or did not let us in. */
static const unsigned connect_errors[] = { 2002, 2003, 2005, 2013, 2026, 1040, 1045, 1129, 1130, 1158, 1159, 1160, 1161, 1184, 1189,
                                           1203 };

static bool is_connect_error(const struct channel_seen *channel)
{
    for (size_t i = 0; i < sizeof connect_errors / sizeof connect_errors[0]; i++) {
        if (channel->io_error_number == connect_errors[i])
            return true;
    }
    const char *text = channel->io_error == NULL ? "" : channel->io_error;
    const char *error = strstr(text, "error ");
    return (channel->io == THREAD_CONNECTING && text[0] != '\0') ||
           (error != NULL && (strstr(error, "connecting to master") != NULL || strstr(error, "connecting to source") != NULL));
}

bool channel_is_failing_to_connect(const struct channel_seen *channel)
{
    return channel != NULL && channel->sql == THREAD_RUNNING && channel->io != THREAD_RUNNING && is_connect_error(channel);
}

/* ---- traits ---- */

static uint32_t bit_if(bool is_true, enum trait trait)
{
    return is_true ? 1u << trait : 0;
}

static uint32_t traits_of_channel(const struct channel_seen *channel, bool is_valid, const struct analysis_policy *policy)
{
    if (channel == NULL)
        return 0;
    const bool is_running = channel_is_running(channel);
    const bool is_failing = channel_is_failing_to_connect(channel);
    return bit_if(is_valid && is_running, TRAIT_REPLICATING) | bit_if(is_valid && is_failing, TRAIT_FAILING) |
           bit_if(is_failing, TRAIT_DEAF) | bit_if(channel->lag_s > policy->reasonable_lag_ms / 1000, TRAIT_LAGGING) |
           bit_if(channel->delay_s > 0, TRAIT_DELAYED) |
           bit_if(is_valid && channel->gtid_use == GTID_AUTO_POSITION, TRAIT_ORACLE_GTID) |
           bit_if(is_valid && (channel->gtid_use == GTID_SLAVE_POS || channel->gtid_use == GTID_CURRENT_POS), TRAIT_MARIADB_GTID);
}

static uint32_t traits_of_log(const struct instance_seen *seen)
{
    if (!seen->has_log || !seen->relogs)
        return 0;
    return TRAIT_BIT(LOGGING) | bit_if(text_is(seen->binlog_format, "STATEMENT"), TRAIT_STATEMENT) |
           bit_if(text_is(seen->binlog_format, "MIXED"), TRAIT_MIXED) | bit_if(text_is(seen->binlog_format, "ROW"), TRAIT_ROW);
}

static uint32_t traits_of_seen(const struct instance_seen *seen, bool is_valid, bool is_errant, const struct analysis_policy *policy)
{
    const struct channel_seen *channel = instance_channel(seen);
    const bool is_member = !text_is(seen->group_name, "") && !text_is(seen->group_state, "OFFLINE");
    const bool is_guess = channel == NULL && (seen->missing & READING_BIT(READING_REPLICATION)) != 0;
    return bit_if(!is_guess, TRAIT_EVER_SEEN) | traits_of_channel(channel, is_valid, policy) | traits_of_log(seen) |
           bit_if(is_valid && seen->flavour == FLAVOUR_MAXSCALE, TRAIT_BINLOG_SERVER) |
           bit_if(seen->semi_sync.is_replica_enabled, TRAIT_SEMI_SYNC_REPLICA) | bit_if(is_errant, TRAIT_ERRANT) |
           bit_if(channel == NULL && (text_is(seen->group_name, "") || text_is(seen->group_role, "PRIMARY")), TRAIT_MASTER) |
           bit_if(is_member, TRAIT_GROUP_MEMBER) | bit_if(seen->is_read_only, TRAIT_READ_ONLY) |
           bit_if(instance_channel_count(seen) > 1, TRAIT_MULTI_SOURCE) |
           bit_if(seen->semi_sync.is_master_enabled, TRAIT_SEMI_SYNC_MASTER) |
           bit_if(seen->semi_sync.is_master_active, TRAIT_SEMI_SYNC_ON);
}

static uint32_t traits_of_override(const struct override *override, const struct names *names, struct fc_time now, struct fc_time *due)
{
    const bool is_downtimed = override_is_downtimed(override, now), is_held = override_is_in_maintenance(override, now);
    if (is_downtimed)
        *due = fc_earlier(*due, override->downtime.end);
    if (is_held)
        *due = fc_earlier(*due, override->maintenance.end);
    return bit_if(is_downtimed, TRAIT_DOWNTIMED) | bit_if(is_held, TRAIT_IN_MAINTENANCE) |
           bit_if(is_downtimed && text_is(names_text(names, override->downtime.reason), DOWNTIME_LOST_IN_RECOVERY),
                  TRAIT_FORMER_MASTER);
}

static bool is_reached(struct fc_time when, struct fc_time now, struct fc_time *due)
{
    if (fc_reached(when, now))
        return true;
    *due = fc_earlier(*due, when);
    return false;
}

static uint64_t place_number(const struct coordinates *place)
{
    const char *file = place->file == NULL ? "" : place->file;
    return ((uint64_t)names_hash(file, strlen(file)) << 32 ^ place->offset * 0x9e3779b97f4a7c15u) | 1;
}

/* MariaDB has no variable for how many replicas to wait for: it is one. */
static int32_t wanted_of(const struct semi_sync_seen *semi)
{
    return semi->wait_count == 0 ? 1 : (int32_t)semi->wait_count;
}

/* A master whose log stands still is only suspected while it lacks acknowledgements: an idle one stands still as well. */
static bool is_stuck(const struct instance_seen *seen, const struct analysis_policy *policy, struct trait_memory *memory,
                     struct fc_time now, struct fc_time *due)
{
    const uint64_t log_place = place_number(&seen->written);
    const struct semi_sync_seen *semi = &seen->semi_sync;
    const bool is_short = semi->is_master_enabled && semi->is_master_active && (int32_t)semi->clients < wanted_of(semi);
    if (!is_short)
        memory->standing_since = FC_EVER;
    else if (fc_is_ever(memory->standing_since) || memory->log_place != log_place)
        memory->standing_since = now;
    memory->log_place = log_place;
    const int64_t bound_ms = policy->locked_semi_sync_ms > 0 ? policy->locked_semi_sync_ms : policy->reasonable_lag_ms;
    return is_short && is_reached(fc_plus(memory->standing_since, fc_ms(bound_ms)), now, due);
}

static uint8_t mode_index(const char *mode)
{
    for (size_t i = 1; i < GTID_MODES; i++) {
        if (text_is(mode, traits_gtid_mode[i]))
            return (uint8_t)i;
    }
    return 0;
}

struct traits traits_take(const struct topology *topology, member_id id, const struct override *override, const struct names *names,
                          bool is_errant, const struct analysis_policy *policy, struct trait_memory *memory, struct fc_time now)
{
    const struct member *m = topology_member(topology, id);
    const struct instance_seen *seen = m->kept.seen;
    struct traits t = { .due = FC_NEVER };
    t.bits = bit_if(m->is_seen, TRAIT_VALID) | bit_if(m->is_partly_seen, TRAIT_PARTLY_SEEN) |
             traits_of_override(override, names, now, &t.due);
    if (!fc_is_ever(m->attempted_at))
        t.bits |= bit_if(is_reached(fc_plus(m->attempted_at, fc_ms(policy->reasonable_check_ms)), now, &t.due), TRAIT_HUNG);
    if (seen == NULL) {
        t.bits |= TRAIT_BIT(MASTER);
        return t;
    }
    t.bits |= traits_of_seen(seen, m->is_seen, is_errant, policy);
    t.bits |= bit_if(is_stuck(seen, policy, memory, now, &t.due), TRAIT_STUCK);
    t.major_version = seen->version / 100;
    t.gtid_mode = mode_index(seen->gtid.mode);
    t.semi_sync_wanted = wanted_of(&seen->semi_sync);
    t.semi_sync_clients = (int32_t)seen->semi_sync.clients;
    return t;
}

bool traits_count_the_same(const struct traits *a, const struct traits *b)
{
    return ((a->bits ^ b->bits) & TRAITS_OF_A_REPLICA) == 0 && a->major_version == b->major_version && a->gtid_mode == b->gtid_mode;
}

bool traits_are_same(const struct traits *a, const struct traits *b)
{
    return a->bits == b->bits && traits_count_the_same(a, b) && a->semi_sync_wanted == b->semi_sync_wanted &&
           a->semi_sync_clients == b->semi_sync_clients;
}

/* ---- sums ---- */

static struct analysis_facts own_facts(const struct member *m, const struct traits *t)
{
    struct analysis_facts f = {
        .is_master = trait_is(t, TRAIT_MASTER), .is_co_master = m->ring == 2, .is_group_member = trait_is(t, TRAIT_GROUP_MEMBER),
        .is_last_check_valid = trait_is(t, TRAIT_VALID) && !trait_is(t, TRAIT_HUNG), .is_partly_seen = trait_is(t, TRAIT_PARTLY_SEEN),
        .is_failing_to_connect = trait_is(t, TRAIT_DEAF), .is_binlog_server = trait_is(t, TRAIT_BINLOG_SERVER),
        .is_read_only = trait_is(t, TRAIT_READ_ONLY), .is_downtimed = trait_is(t, TRAIT_DOWNTIMED),
        .is_former_master = trait_is(t, TRAIT_FORMER_MASTER), .is_multi_source = trait_is(t, TRAIT_MULTI_SOURCE),
        .is_never_seen = !trait_is(t, TRAIT_EVER_SEEN), .is_stuck = trait_is(t, TRAIT_STUCK),
        .ring = (int)m->ring, .depth = (int)m->depth,
        .has_semi_sync = trait_is(t, TRAIT_SEMI_SYNC_MASTER), .is_semi_sync_on = trait_is(t, TRAIT_SEMI_SYNC_ON),
        .semi_sync_wanted = t->semi_sync_wanted, .semi_sync_clients = t->semi_sync_clients,
    };
    TEXT_SET(f.gtid_mode, traits_gtid_mode[t->gtid_mode]);
    return f;
}

/* Where each trait of a replica is summed up. */
static const struct { enum trait trait; size_t at; } sums[] = {
#define SUM(trait, field) { TRAIT_##trait, offsetof(struct analysis_facts, field) }
    SUM(VALID, valid), SUM(REPLICATING, replicating), SUM(FAILING, failing_to_connect), SUM(DOWNTIMED, downtimed),
    SUM(LAGGING, lagging), SUM(DELAYED, delayed), SUM(ORACLE_GTID, oracle_gtid), SUM(MARIADB_GTID, mariadb_gtid),
    SUM(BINLOG_SERVER, binlog_servers), SUM(LOGGING, logging), SUM(STATEMENT, logging_statement), SUM(MIXED, logging_mixed),
    SUM(ROW, logging_row), SUM(SEMI_SYNC_REPLICA, semi_sync_replicas),
#undef SUM
};

#define MAJOR_VERSIONS_MAX 8         /* more than one is all that is asked for */
struct versions { uint32_t list[MAJOR_VERSIONS_MAX]; int count; };

static void note_version(struct versions *versions, uint32_t version)
{
    for (int i = 0; i < versions->count; i++) {
        if (versions->list[i] == version)
            return;
    }
    if (versions->count < MAJOR_VERSIONS_MAX)
        versions->list[versions->count++] = version;
}

static void add_replica(struct analysis_facts *f, const struct traits *t, struct versions *versions)
{
    const bool is_prompt = trait_is(t, TRAIT_VALID) && !trait_is(t, TRAIT_DELAYED);
    f->replicas++;
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        *(int *)((char *)f + sums[i].at) += trait_is(t, sums[i].trait);
    f->prompt += is_prompt;
    f->prompt_lagging += is_prompt && trait_is(t, TRAIT_LAGGING);
    f->errant += trait_is(t, TRAIT_ERRANT) && !trait_is(t, TRAIT_DOWNTIMED);
    if (trait_is(t, TRAIT_LOGGING))
        note_version(versions, t->major_version);
}

struct analysis_facts facts_count(const struct topology *topology, const struct traits *traits, member_id id)
{
    struct analysis_facts f = own_facts(topology_member(topology, id), &traits[id]);
    struct versions versions = { .count = 0 };
    int least = GTID_MODES, most = 0;
    for (member_id replica = topology_first_replica(topology, id); replica != MEMBER_NONE;
         replica = topology_next_replica(topology, replica)) {
        const struct traits *t = &traits[replica];
        add_replica(&f, t, &versions);
        least = t->gtid_mode < least ? t->gtid_mode : least;
        most = t->gtid_mode > most ? t->gtid_mode : most;
    }
    f.logging_major_versions = versions.count;
    if (f.replicas > 0) {
        TEXT_SET(f.least_gtid_mode, traits_gtid_mode[least]);
        TEXT_SET(f.most_gtid_mode, traits_gtid_mode[most]);
    }
    return f;
}
