/* One snapshot at a time: slices, then waiting for the store. */
#include "agent/fleet_snapshot.h"

#include <stdlib.h>

#include "base/text.h"
#include "judge/fleet.h"

#define WAIT_MS 20                     /* between two looks whether the store has it all */
#define HOUR_MS INT64_C(3600000)

struct fleet_snapshot {
    const struct host *host;
    struct watch *watch;
    struct fleet_snapshot_port port;
    struct fleet_store *store;         /* NULL: none is being taken */
    uint64_t ticket;
    int64_t unix_s;                    /* the moment of all its rows */
    struct fc_time begun;
    member_id next;
    uint64_t dropped, turns;           /* of the store, when it began */
    struct host_timer *slice, *clock;
    struct fleet_store *clock_store;
    int hours;
};

static struct fc_time now_of(const struct fleet_snapshot *s) { return s->host->now(s->host->agent); }

/* ---- rows ------------------------------------------------------------------------------------------------------------- */

static void put_server(struct fleet_snapshot *s, member_id id)
{
    const struct topology *t = &s->watch->topology;
    const struct member *m = topology_member(t, id);
    const struct instance_key key = topology_key(t, id);
    struct fleet_row row = fleet_row_of(FLEET_database_instance_topology_history);
    char cluster[FLEET_KEY_SIZE] = "";
    if (m->kind != MEMBER_KNOWN || m->kept.seen == NULL)
        return;
    const struct channel_seen *channel = instance_channel(m->kept.seen);
    topology_key_text(t, m->head, cluster, sizeof cluster);
    fleet_set_number(&row, database_instance_topology_history_snapshot_unix_timestamp, s->unix_s);
    fleet_set_text(&row, database_instance_topology_history_hostname, key.host);
    fleet_set_number(&row, database_instance_topology_history_port, key.port);
    fleet_set_text(&row, database_instance_topology_history_master_host, channel == NULL ? "" : channel->master.host);
    fleet_set_number(&row, database_instance_topology_history_master_port, channel == NULL ? 0 : channel->master.port);
    fleet_set_text(&row, database_instance_topology_history_cluster_name, cluster);
    fleet_set_text(&row, database_instance_topology_history_version, m->kept.seen->version_text);
    fleet_store_put(s->store, &row);
}

/* ---- turn by turn ------------------------------------------------------------------------------------------------------ */

static void end(struct fleet_snapshot *s, enum fc_code code, const char *text)
{
    const uint64_t ticket = s->ticket;
    s->store = NULL;
    s->host->timer_stop(s->slice);
    s->port.done(s->port.owner, ticket, code, text);
}

static void told(struct fleet_snapshot *s)
{
    const int64_t took_ms = fc_span_ms(fc_since(s->begun, now_of(s)));
    char text[64];
    if (fleet_store_counts(s->store).dropped > s->dropped) {
        end(s, FC_STORE, "the store has no room for all of it");
        return;
    }
    if (took_ms < 1000)
        TEXT_FORMAT(text, "Took %lldms", (long long)took_ms);
    else
        TEXT_FORMAT(text, "Took %lld.%03llds", (long long)(took_ms / 1000), (long long)(took_ms % 1000));
    end(s, FC_OK, text);
}

static void on_slice(void *owner)
{
    struct fleet_snapshot *s = owner;
    const uint32_t count = s->watch->topology.count;
    int wait_ms = 0;
    for (int i = 0; i < FLEET_SNAPSHOT_SLICE && s->next < count; i++)
        put_server(s, s->next++);
    if (!fleet_store_takes(s->store, FLEET_database_instance_topology_history) || fleet_store_counts(s->store).turns != s->turns) {
        end(s, FC_NOT_LEADER, "the store of the fleet has changed hands meanwhile; ask again");
        return;
    }
    if (s->next >= count && fleet_store_waits(s->store, FLEET_database_instance_topology_history)) {
        wait_ms = WAIT_MS;
        if (fc_reached(fc_plus(s->begun, fc_ms(FLEET_SNAPSHOT_MS)), now_of(s))) {
            end(s, FC_TIMEOUT, "the store has not taken all of it yet");
            return;
        }
    } else if (s->next >= count) {
        told(s);
        return;
    }
    s->host->timer_set(s->slice, fc_plus(now_of(s), fc_ms(wait_ms)));
}

enum fc_code fleet_snapshot_take(struct fleet_snapshot *s, struct fleet_store *store, uint64_t ticket, struct fc_err *err)
{
    if (s->store != NULL)
        return fc_fail(err, FC_BUSY, "a snapshot is being taken");
    if (!fleet_store_takes(store, FLEET_database_instance_topology_history))
        return fc_fail(err, FC_BUSY, "the store is not read yet, or its table cannot be written; ask again");
    s->store = store;
    s->ticket = ticket;
    s->unix_s = s->host->unix_ms(s->host->agent) / 1000;
    s->begun = now_of(s);
    s->next = 0;
    s->dropped = fleet_store_counts(store).dropped;
    s->turns = fleet_store_counts(store).turns;
    s->host->timer_set(s->slice, now_of(s));
    return FC_OK;
}

/* ---- by the clock ------------------------------------------------------------------------------------------------------ */

static void set_clock(struct fleet_snapshot *s)
{
    const int64_t period_ms = s->hours * HOUR_MS;
    s->host->timer_set(s->clock, fc_plus(now_of(s), fc_ms(period_ms - s->host->unix_ms(s->host->agent) % period_ms)));
}

static void on_clock(void *owner)
{
    struct fleet_snapshot *s = owner;
    struct fc_err err;
    const enum fc_code code = fleet_snapshot_take(s, s->clock_store, 0, &err);
    if (code != FC_OK)
        s->port.done(s->port.owner, 0, code, err.text);
    set_clock(s);
}

void fleet_snapshot_every(struct fleet_snapshot *s, struct fleet_store *store, int hours)
{
    if (s->hours == hours && s->clock_store == store)
        return;
    s->hours = hours;
    s->clock_store = store;
    if (hours > 0)
        set_clock(s);
    else
        s->host->timer_stop(s->clock);
}

struct fleet_snapshot *fleet_snapshot_new(const struct host *host, struct watch *watch, const struct fleet_snapshot_port *port)
{
    struct fleet_snapshot *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (struct fleet_snapshot){ .host = host, .watch = watch, .port = *port };
    s->slice = host->timer(host->agent, on_slice, s);
    s->clock = host->timer(host->agent, on_clock, s);
    if (s->slice != NULL && s->clock != NULL)
        return s;
    fleet_snapshot_free(s);
    return NULL;
}

void fleet_snapshot_free(struct fleet_snapshot *s)
{
    if (s == NULL)
        return;
    s->host->untimer(s->slice);
    s->host->untimer(s->clock);
    free(s);
}
