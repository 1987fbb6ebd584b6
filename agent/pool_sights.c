/* A second's timer sees to what no look tells: names that are learned, findings that change by time. */
#include "agent/pool_sights.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define EACH_MS 1000

struct pool_place { member_id id; bool is_told; struct fleet_sight told; };

struct pool_sights {
    const struct host *host;
    const struct core *core;
    struct watch *watch;
    struct pool_sights_port port;
    struct host_timer *timer;
    struct pool_place places[STEER_POOLS_MAX][STEER_MEMBERS_MAX];
};

static bool is_dead_for_all(const struct watch *w, member_id id)
{
    const struct analysis *found = fleet_analysis(&w->fleet, id);
    return found != NULL && (found->code == ANALYSIS_DEAD_MASTER || found->code == ANALYSIS_DEAD_MASTER_AND_SOME_REPLICAS);
}

static void add_replication(const struct member *m, const struct instance_seen *seen, struct fleet_sight *to)
{
    const struct channel_seen *channel = instance_channel(seen);
    to->replicates = channel != NULL || m->link != LINK_NONE;
    to->is_below = to->replicates && m->ring == 0 && !m->is_looped;
    if (channel != NULL) {
        to->is_fetching = channel->io == THREAD_RUNNING;
        to->is_applying = channel->sql == THREAD_RUNNING;
        to->lag_s = channel->lag_s > INT32_MAX ? INT32_MAX : (int32_t)channel->lag_s;
    } else if (m->link == LINK_GROUP) {
        to->is_fetching = to->is_applying = text_is(seen->group_state, "ONLINE");
        to->lag_s = to->is_applying ? 0 : -1;
    }
}

struct fleet_sight pool_sight_of(const struct watch *w, member_id id, struct fc_time now)
{
    struct fleet_sight sight;
    memset(&sight, 0, sizeof sight);                  /* compared as bytes */
    sight.lag_s = -1;
    sight.seen_at = sight.checked_at = FC_EVER;
    const struct member *m = id == MEMBER_NONE ? NULL : topology_member(&w->topology, id);
    if (m == NULL || m->kind != MEMBER_KNOWN)
        return sight;
    const bool is_hung = !fc_is_ever(m->attempted_at) && fc_since(m->attempted_at, now).us > fc_ms(w->setting.policy.reasonable_check_ms).us;
    sight.seen_at = m->seen_at;
    sight.checked_at = m->checked_at;
    sight.is_gone = is_dead_for_all(w, id);
    sight.replica_count = m->replica_count;
    if (m->kept.seen == NULL)
        return sight;
    sight.is_seen = m->is_seen && !is_hung;
    sight.is_read_only = m->kept.seen->is_read_only || m->kept.seen->is_super_read_only || m->kept.seen->is_offline;
    add_replication(m, m->kept.seen, &sight);
    return sight;
}

bool pool_member_key(const struct pool_member *member, char to[INSTANCE_HOST_MAX + 1], struct instance_key *ret)
{
    const char *host;
    size_t length;
    ret->host = to;
    return instance_key_parse(member->address, strlen(member->address), 0, &host, &length, &ret->port) && length <= INSTANCE_HOST_MAX &&
           text_copy_bytes(to, INSTANCE_HOST_MAX + 1, host, length);
}

static member_id find(const struct pool_sights *s, const struct pool_member *member)
{
    char host[INSTANCE_HOST_MAX + 1];
    struct instance_key key;
    if (!pool_member_key(member, host, &key))
        return MEMBER_NONE;
    const struct instance_key is = called_is(&s->watch->called, &key);
    return topology_find(&s->watch->topology, &is);
}

static void tell(struct pool_sights *s, int pool, int member)
{
    struct pool_place *place = &s->places[pool][member];
    place->id = find(s, &s->core->steering.pools[pool].members[member]);
    const struct fleet_sight sight = pool_sight_of(s->watch, place->id, s->host->now(s->host->agent));
    if (place->is_told && memcmp(&sight, &place->told, sizeof sight) == 0)
        return;
    place->is_told = true;
    memcpy(&place->told, &sight, sizeof sight);
    struct event event = { .type = FLEET_SEEN };
    event.as.fleet.pool = pool;
    event.as.fleet.member = member;
    event.as.fleet.sight = sight;
    s->port.feed(s->port.owner, &event);
}

static bool has_pools(const struct pool_sights *s)
{
    for (int p = 0; p < s->core->steering.pool_count; p++) {
        if (pool_is_of_cluster(&s->core->steering.pools[p]))
            return true;
    }
    return false;
}

static void tell_all(void *owner)
{
    struct pool_sights *s = owner;
    for (int p = 0; p < s->core->steering.pool_count; p++) {
        for (int m = 0; pool_is_of_cluster(&s->core->steering.pools[p]) && m < s->core->steering.pools[p].count; m++)
            tell(s, p, m);
    }
    s->host->timer_set(s->timer, fc_plus(s->host->now(s->host->agent), fc_ms(EACH_MS)));
}

struct pool_sights *pool_sights_new(const struct host *host, const struct core *core, struct watch *watch, const struct pool_sights_port *port)
{
    struct pool_sights *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (struct pool_sights){ .host = host, .core = core, .watch = watch, .port = *port };
    for (int i = 0; i < STEER_POOLS_MAX * STEER_MEMBERS_MAX; i++)
        s->places[i / STEER_MEMBERS_MAX][i % STEER_MEMBERS_MAX].id = MEMBER_NONE;
    s->timer = host->timer(host->agent, tell_all, s);
    if (s->timer == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void pool_sights_free(struct pool_sights *s)
{
    if (s == NULL)
        return;
    s->host->untimer(s->timer);
    free(s);
}

void pool_sights_row(struct pool_sights *s, member_id id)
{
    for (int p = 0; p < s->core->steering.pool_count; p++) {
        for (int m = 0; m < s->core->steering.pools[p].count; m++) {
            if (s->places[p][m].id == id) {
                s->host->timer_set(s->timer, s->host->now(s->host->agent));
                return;
            }
        }
    }
}

void pool_sights_urge(struct pool_sights *s)
{
    char host[INSTANCE_HOST_MAX + 1];
    struct instance_key key;
    if (!has_pools(s))
        return;
    for (int p = 0; p < s->core->steering.pool_count; p++) {
        for (int m = 0; pool_is_of_cluster(&s->core->steering.pools[p]) && m < s->core->steering.pools[p].count; m++) {
            if (!pool_member_key(&s->core->steering.pools[p].members[m], host, &key))
                continue;
            const struct instance_key is = called_is(&s->watch->called, &key);
            watch_urge(s->watch, &is);
        }
    }
    s->host->timer_set(s->timer, s->host->now(s->host->agent));
}
