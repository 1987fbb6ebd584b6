/* One case a server, then its words. Cases are found for a whole pool at once, because a floor is everybody's. */
#include "steer/cluster.h"

#include <string.h>

#include "base/text.h"
#include "core/event.h"
#include "steer/steering.h"

#define W POOL_WRITER
#define R POOL_READER
const struct cluster_rule cluster_rules[CLUSTER_RULE_COUNT] = {
    [WRITER_NOT_LEADING] = { W, VOICE_NEUTRAL, "not-leading", "the node that leads answers for this pool", "this node leads" },
    [WRITER_STARTING]    = { W, VOICE_NEUTRAL, "starting", "since this node leads, not every server of the pool has been looked at",
                             "every server has been looked at, or has had the time" },
    [WRITER_FIRST]       = { W, VOICE_FIRST, "first", "it is the writeable master", "it is not the one that sits" },
    [WRITER_AWAITED]     = { W, VOICE_NEUTRAL, "awaited",
                             "it is the one writeable master; who was first before this node led is not known, so HAProxy keeps what it has "
                             "until nobody can use another one", "it is not the one that is to sit, or the one before it is known" },
    [WRITER_WAITING]     = { W, VOICE_REST, "waiting", "it is to sit as soon as nobody can use the one that sat", "it is not the one that is to sit" },
    [WRITER_GONE]        = { W, VOICE_REST, "gone", "it sat, it is lost, and its replicas have lost it too", "its replicas have not lost it" },
    [WRITER_UNSEEN]      = { W, VOICE_REST, "unseen", "it does not answer", "it answers" },
    [WRITER_READ_ONLY]   = { W, VOICE_REST, "read-only", "it is read_only", "it is writable" },
    [WRITER_REPLICA]     = { W, VOICE_REST, "replica", "it is writable, and a replica", "it is no replica" },
    [WRITER_OTHER]       = { W, VOICE_REST, "other-sits", "one server sits at most, and it is another one", "nobody sits" },
    [WRITER_UNDECIDED]   = { W, VOICE_REST, "undecided", "several are writable, none sat, and none has more replicas than the others", "" },
    [READER_NOT_LEADING] = { R, VOICE_NEUTRAL, "not-leading", "the node that leads answers for this pool", "this node leads" },
    [READER_STARTING]    = { R, VOICE_NEUTRAL, "starting", "it has not been looked at since this node leads", "it has been looked at" },
    [READER_BLIND]       = { R, VOICE_NEUTRAL, "blind", "no server of the pool answers this node: its own sight is in doubt", "a server of the pool answers" },
    [READER_MASTER]      = { R, VOICE_READ, "master", "it is the master: it reads too, but hardly, while there is another one", "it is not the master" },
    [READER_UNSEEN]      = { R, VOICE_BROKEN, "unseen", "it does not answer", "it answers" },
    [READER_DETACHED]    = { R, VOICE_BROKEN, "detached", "it is read_only and replicates from nobody", "it replicates" },
    [READER_STOPPED]     = { R, VOICE_BROKEN, "stopped", "it applies nothing", "it applies what it fetches" },
    [READER_FIT]         = { R, VOICE_READ, "fit", "it is near enough to its master", "it is too far behind, or was and is not near enough yet" },
    [READER_FLOOR]       = { R, VOICE_READ, "floor", "it is too far behind, and among the nearest of those without whom too few are left",
                             "others are left to read, or are nearer" },
    [READER_LATE]        = { R, VOICE_LATE, "late", "it is too far behind", "" },
};
#undef W
#undef R

/* ---- bounds ------------------------------------------------------------------------------------------------------- */

struct fc_span cluster_patience(const struct config *c)
{
    return fc_ms((2 * (int64_t)c->instance_poll_seconds + c->reasonable_check_seconds) * 1000);
}

static struct fc_span drifting(const struct config *c, int64_t ms) { return fc_ms(ms + ms * c->drift_percent / 100); }

struct fc_span cluster_gap(const struct config *c)
{
    return drifting(c, 2 * (int64_t)c->agent_inter_ms + c->check_timeout_ms);
}

struct fc_span cluster_bound(const struct config *c)
{
    const int64_t check_ms = (int64_t)config_cluster_fall(c) * (c->check_inter_ms + c->check_timeout_ms) + c->check_inter_ms;
    return drifting(c, check_ms + (int64_t)c->hard_stop_seconds * 1000);
}

/* ---- what is seen ------------------------------------------------------------------------------------------------- */

void cluster_init(struct cluster_pool *c)
{
    memset(c, 0, sizeof *c);
    c->leading_since = c->revoked_at = FC_EVER;
    c->seated = c->next = c->revoked = -1;
    for (int i = 0; i < STEER_MEMBERS_MAX; i++)
        c->sights[i].seen_at = c->sights[i].checked_at = c->fetched_at[i] = FC_EVER;
}

void cluster_hear(struct steering *st, const struct event *event)
{
    const int pool = event->as.fleet.pool, member = event->as.fleet.member;
    if (event->type != FLEET_SEEN || pool < 0 || pool >= st->pool_count || member < 0 || member >= st->pools[pool].count ||
        !pool_is_of_cluster(&st->pools[pool]))
        return;
    struct cluster_pool *c = &st->clusters[pool];
    c->sights[member] = event->as.fleet.sight;
    if (c->sights[member].is_seen && c->sights[member].is_fetching)
        c->fetched_at[member] = c->sights[member].seen_at;
}

bool cluster_sees(const struct cluster_pool *c, const struct config *config, int member, struct fc_time now)
{
    const struct fleet_sight *s = &c->sights[member];
    return s->is_seen && fc_since(s->seen_at, now).us <= cluster_patience(config).us;
}

static bool was_looked_at(const struct cluster_pool *c, const struct config *config, int member)
{
    struct fc_span before = cluster_patience(config);
    before.us = -before.us;
    return !fc_is_ever(c->sights[member].checked_at) && !fc_before(c->sights[member].checked_at, fc_plus(c->leading_since, before));
}

static void begin_or_end(struct cluster_pool *c, const struct steer_stage *stage, int count)
{
    if (!steer_may_act(stage)) {
        c->leading_since = FC_EVER;
        c->is_started = false;
        c->seated = c->next = c->revoked = -1;
        return;
    }
    if (fc_is_ever(c->leading_since))
        c->leading_since = stage->now;
    int looked = 0;
    for (int i = 0; i < count; i++)
        looked += was_looked_at(c, stage->config, i);
    c->is_started = c->is_started || looked == count || fc_since(c->leading_since, stage->now).us > cluster_patience(stage->config).us;
}

/* ---- the writer --------------------------------------------------------------------------------------------------- */

static bool is_open_master(const struct cluster_pool *c, const struct steer_stage *stage, int member)
{
    const struct fleet_sight *s = &c->sights[member];
    return cluster_sees(c, stage->config, member, stage->now) && !s->is_read_only && !s->is_below;
}

/* The only open master; of several the one from which strictly most replicate. -1: none. */
static int find_master(const struct cluster_pool *c, const struct steer_stage *stage, int count)
{
    int best = -1;
    bool is_tied = false;
    for (int i = 0; i < count; i++) {
        if (!is_open_master(c, stage, i))
            continue;
        if (best < 0 || c->sights[i].replica_count > c->sights[best].replica_count) {
            best = i;
            is_tied = false;
        } else if (c->sights[i].replica_count == c->sights[best].replica_count) {
            is_tied = true;
        }
    }
    return is_tied ? -1 : best;
}

/* Out of our sight it stays, while its replicas have not lost it and no other master is there: our sight is not theirs. */
static bool stays(const struct cluster_pool *c, const struct steer_stage *stage, int found)
{
    const struct fleet_sight *s = &c->sights[c->seated];
    if (is_open_master(c, stage, c->seated))
        return true;
    if (s->is_seen && (s->is_read_only || s->is_below))
        return false;
    if (s->is_gone)
        return false;
    const bool is_lost_for_long = fc_since(s->seen_at, stage->now).us > cluster_patience(stage->config).us;
    return found < 0 || (c->sights[found].replica_count == 0 && !is_lost_for_long);
}

static bool is_closed(const struct cluster_pool *c, const struct config *config, int member, struct fc_time now)
{
    return cluster_sees(c, config, member, now) && c->sights[member].is_read_only;
}

struct fc_time cluster_waits_until(const struct cluster_pool *c, const struct config *config, int count, struct fc_time now)
{
    if (c->next < 0)
        return FC_NEVER;
    if (c->revoked >= 0)
        return c->revoked == c->next ? now
               : fc_plus(c->revoked_at, is_closed(c, config, c->revoked, now) ? cluster_gap(config) : cluster_bound(config));
    bool is_sure = true;
    for (int i = 0; i < count; i++)
        is_sure = is_sure && (i == c->next || is_closed(c, config, i, now));
    return fc_plus(c->leading_since, is_sure ? cluster_gap(config) : cluster_bound(config));
}

static void revoke(struct cluster_pool *c, struct steer_stage *stage, const struct pool *pool)
{
    const struct fleet_sight *s = &c->sights[c->seated];
    const char *why = !s->is_seen ? (s->is_gone ? "it is lost, and its replicas have lost it too" : "it is lost, and another master is writable")
                      : s->is_read_only ? "it is read_only" : "it replicates from another one";
    steer_note(stage, NOTE_WARNING, pool->name, stage->leadership->epoch, "%s is first no more: %s", pool->members[c->seated].name, why);
    steer_record(stage, "writer", pool->name, stage->leadership->epoch, "%s is first no more: %s", pool->members[c->seated].name, why);
    c->revoked = c->seated;
    c->revoked_at = stage->now;
    c->seated = -1;
}

static void drive_writer(struct cluster_pool *c, struct steer_stage *stage, const struct pool *pool)
{
    const int found = find_master(c, stage, pool->count);
    if (c->seated >= 0 && stays(c, stage, found))
        return;
    if (c->seated >= 0)
        revoke(c, stage, pool);
    c->next = found;
    if (found < 0 || !fc_reached(cluster_waits_until(c, stage->config, pool->count, stage->now), stage->now))
        return;
    steer_note(stage, NOTE_INFO, pool->name, stage->leadership->epoch, "%s is first: it is the writeable master", pool->members[found].name);
    steer_record(stage, "writer", pool->name, stage->leadership->epoch, "%s is first: it is the writeable master", pool->members[found].name);
    c->seated = found;
    c->next = c->revoked = -1;
}

static enum cluster_case case_of_writer(const struct cluster_pool *c, const struct steer_stage *stage, int member)
{
    const struct fleet_sight *s = &c->sights[member];
    if (!steer_may_act(stage))
        return WRITER_NOT_LEADING;
    if (!c->is_started)
        return WRITER_STARTING;
    if (c->seated == member)
        return WRITER_FIRST;
    if (c->next == member)
        return c->revoked < 0 ? WRITER_AWAITED : WRITER_WAITING;
    if (c->revoked == member && s->is_gone)
        return WRITER_GONE;
    if (!cluster_sees(c, stage->config, member, stage->now))
        return WRITER_UNSEEN;
    if (s->is_read_only)
        return WRITER_READ_ONLY;
    if (s->is_below)
        return WRITER_REPLICA;
    return c->seated >= 0 || c->next >= 0 ? WRITER_OTHER : WRITER_UNDECIDED;
}

/* ---- the readers -------------------------------------------------------------------------------------------------- */

int64_t cluster_lag_s(const struct cluster_pool *c, int member, struct fc_time now)
{
    const struct fleet_sight *s = &c->sights[member];
    if (s->is_fetching && s->lag_s >= 0)
        return s->lag_s;
    return fc_is_ever(c->fetched_at[member]) ? -1 : fc_span_ms(fc_since(c->fetched_at[member], now)) / 1000;
}

/* Out beyond the limit, back below half of it: who swings around the limit does not come and go. */
static bool is_late(struct cluster_pool *c, const struct steer_stage *stage, int member)
{
    const int64_t lag = cluster_lag_s(c, member, stage->now), most = stage->config->reader_max_lag_seconds;
    c->is_out[member] = lag < 0 || lag > (c->is_out[member] ? most / 2 : most);
    return c->is_out[member];
}

static enum cluster_case case_of_reader(struct cluster_pool *c, const struct steer_stage *stage, int member, bool is_blind)
{
    const struct fleet_sight *s = &c->sights[member];
    if (!steer_may_act(stage))
        return READER_NOT_LEADING;
    if (!was_looked_at(c, stage->config, member) && !c->is_started)
        return READER_STARTING;
    if (is_blind)
        return READER_BLIND;
    if (!cluster_sees(c, stage->config, member, stage->now))
        return READER_UNSEEN;
    if (!s->is_read_only && !s->is_below)
        return READER_MASTER;
    if (!s->replicates)
        return READER_DETACHED;
    if (!s->is_applying)
        return READER_STOPPED;
    return is_late(c, stage, member) ? READER_LATE : READER_FIT;
}

/* The nearest of those who are late; who is known to be late beats whose lag is not known. -1: none is left. */
static int nearest_late(const struct cluster_pool *c, const struct steer_stage *stage, int count)
{
    int best = -1;
    uint64_t least = 0;
    for (int i = 0; i < count; i++) {
        const uint64_t lag = (uint64_t)cluster_lag_s(c, i, stage->now);      /* -1 is the largest */
        if (c->cases[i] == READER_LATE && (best < 0 || lag < least)) {
            best = i;
            least = lag;
        }
    }
    return best;
}

static void judge_readers(struct cluster_pool *c, const struct steer_stage *stage, int count)
{
    bool is_blind = true;
    int fit = 0;
    for (int i = 0; i < count; i++)
        is_blind = is_blind && !cluster_sees(c, stage->config, i, stage->now);
    for (int i = 0; i < count; i++) {
        c->cases[i] = case_of_reader(c, stage, i, is_blind);
        fit += c->cases[i] == READER_FIT;
    }
    for (int kept = nearest_late(c, stage, count); fit < stage->config->reader_floor && kept >= 0; fit++) {
        c->cases[kept] = READER_FLOOR;
        kept = nearest_late(c, stage, count);
    }
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

void cluster_step(struct steering *st, struct steer_stage *stage)
{
    for (int p = 0; p < st->pool_count; p++) {
        struct cluster_pool *c = &st->clusters[p];
        const struct pool *pool = &st->pools[p];
        if (!pool_is_of_cluster(pool))
            continue;
        begin_or_end(c, stage, pool->count);
        if (pool->kind == POOL_READER) {
            judge_readers(c, stage, pool->count);
            continue;
        }
        if (c->is_started)
            drive_writer(c, stage, pool);
        for (int i = 0; i < pool->count; i++)
            c->cases[i] = case_of_writer(c, stage, i);
    }
}

struct fc_time cluster_wakes_at(const struct steering *st, const struct steer_stage *stage)
{
    const struct fc_span patience = cluster_patience(stage->config);
    struct fc_time next = FC_NEVER;
    for (int p = 0; p < st->pool_count; p++) {
        const struct cluster_pool *c = &st->clusters[p];
        if (!pool_is_of_cluster(&st->pools[p]) || !steer_may_act(stage))
            continue;
        next = fc_earlier(next, cluster_waits_until(c, stage->config, st->pools[p].count, stage->now));
        if (!c->is_started)
            next = fc_earlier(next, fc_plus(c->leading_since, (struct fc_span){ patience.us + 1000 }));
        for (int i = 0; i < st->pools[p].count; i++) {
            const struct fc_time late = fc_plus(c->sights[i].seen_at, (struct fc_span){ patience.us + 1000 });
            if (fc_before(stage->now, late))
                next = fc_earlier(next, late);
        }
    }
    return next;
}

static uint8_t weight_of(const struct cluster_pool *c, const struct steer_stage *stage, int member)
{
    const int64_t lag = cluster_lag_s(c, member, stage->now), most = stage->config->reader_max_lag_seconds;
    if (c->cases[member] != READER_FIT)
        return READER_SPARE_PERCENT;
    return (uint8_t)(most == 0 ? 100 : 100 - (100 - READER_LEAST_PERCENT) * lag / most);
}

static void say_reader(const struct cluster_pool *c, const struct steer_stage *stage, int member, struct answer *a)
{
    const int64_t lag = cluster_lag_s(c, member, stage->now);
    char behind[32] = "lag unknown";
    if (lag >= 0)
        TEXT_FORMAT(behind, "lag %llds", (long long)lag);
    const enum cluster_case which = c->cases[member];
    if (which == READER_FIT || which == READER_LATE)
        TEXT_SET(a->reason, behind);
    else if (which == READER_FLOOR)
        TEXT_FORMAT(a->reason, "%s, kept by the floor", behind);
    else
        TEXT_SET(a->reason, which == READER_STOPPED ? "sql thread stopped" : cluster_rules[which].word);
}

static void say_writer(const struct cluster_pool *c, const struct steer_stage *stage, const struct pool *pool, int member, struct answer *a)
{
    const enum cluster_case which = c->cases[member];
    if (which == WRITER_FIRST)
        TEXT_FORMAT(a->reason, "%s sits%s", pool->members[member].name,
                    cluster_sees(c, stage->config, member, stage->now) ? "" : ", out of sight");
    else if (which == WRITER_OTHER)
        TEXT_FORMAT(a->reason, "%s sits", pool->members[c->seated >= 0 ? c->seated : c->next].name);
    else if (which == WRITER_WAITING)
        TEXT_FORMAT(a->reason, "waiting for %s", pool->members[c->revoked].name);
    else
        TEXT_SET(a->reason, cluster_rules[which].word);
}

void cluster_answer(const struct steering *st, const struct steer_stage *stage, int pool, int member, struct answer *a)
{
    const struct cluster_pool *c = &st->clusters[pool];
    a->voice = cluster_rules[c->cases[member]].voice;
    a->late = VOICE_NEUTRAL;
    a->until = steer_may_act(stage) ? stage->leadership->until : FC_NEVER;
    a->keeps_token = c->cases[member] == WRITER_AWAITED;
    if (st->pools[pool].kind == POOL_READER)
        say_reader(c, stage, member, a);
    else
        say_writer(c, stage, &st->pools[pool], member, a);
    if (a->voice == VOICE_READ)
        a->weight_percent = weight_of(c, stage, member);
}
