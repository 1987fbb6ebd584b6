/* The rules, one row each. */
#include "judge/below.h"

#include <string.h>

#include "base/text.h"
#include "model/gtid.h"

struct pair {
    const struct below_asked *asked;
    const struct instance_seen *x, *y;            /* the replica to be, and its master to be */
};

static bool is_binlog_server(const struct instance_seen *seen) { return seen->flavour == FLAVOUR_MAXSCALE; }
static int64_t delay_of(const struct instance_seen *seen)
{
    const struct channel_seen *channel = instance_channel(seen);
    return channel == NULL ? 0 : channel->delay_s;
}

static bool has_filters(const struct instance_seen *seen)
{
    const struct channel_seen *channel = instance_channel(seen);
    return channel != NULL && channel->has_filters;
}

static int format_rank(const char *format)
{
    return text_is(format, "ROW") ? 3 : text_is(format, "MIXED") ? 2 : text_is(format, "STATEMENT") ? 1 : 0;
}

static bool is_same(const struct pair *p) { return p->asked->replica == p->asked->master; }
/* By the links, because MariaDB has no server_uuid to tell it by. A ring ends where it began. */
static bool is_above(const struct pair *p)
{
    const struct topology *t = p->asked->topology;
    member_id at = topology_member(t, p->asked->master)->master;
    for (uint32_t steps = 0; at != MEMBER_NONE && at != p->asked->master && steps < t->count; steps++) {
        if (at == p->asked->replica)
            return true;
        at = topology_member(t, at)->master;
    }
    return false;
}
static bool has_no_log(const struct pair *p) { return !p->y->has_log; }
static bool relogs_not(const struct pair *p) { return instance_is_replica(p->y) && !p->y->relogs; }
static bool is_other_flavour(const struct pair *p)
{
    const bool x_is_mariadb = p->x->flavour == FLAVOUR_MARIADB, y_is_mariadb = p->y->flavour == FLAVOUR_MARIADB;
    return !is_binlog_server(p->x) && !is_binlog_server(p->y) && x_is_mariadb != y_is_mariadb;
}
static bool is_older(const struct pair *p) { return !is_binlog_server(p->x) && p->x->version / 100 < p->y->version / 100; }
static bool logs_coarser(const struct pair *p)
{
    return p->x->has_log && p->x->relogs && format_rank(p->x->binlog_format) < format_rank(p->y->binlog_format);
}
static bool is_same_id(const struct pair *p) { return !is_binlog_server(p->x) && p->x->server_id == p->y->server_id; }
static bool is_same_uuid(const struct pair *p)
{
    return p->x->flavour != FLAVOUR_MARIADB && !text_is(p->x->server_uuid, "") && text_is(p->x->server_uuid, p->y->server_uuid);
}
static bool is_delayed_more(const struct pair *p)
{
    return delay_of(p->x) < delay_of(p->y) && delay_of(p->y) * 1000 > p->asked->policy->maintenance_lag_ms;
}
static bool filters_more(const struct pair *p) { return has_filters(p->y) && !has_filters(p->x); }

static const struct below_rule { bool (*says_no)(const struct pair *pair); const char *because; } rules[] = {
    { is_same, "a server does not replicate from itself" },
    { is_above, "the second replicates from the first" },
    { has_no_log, "the second writes no binary log (log_bin)" },
    { relogs_not, "the second is a replica and does not log what it applies (log_slave_updates)" },
    { is_other_flavour, "one is MariaDB and the other is not" },
    { is_older, "the first is of an older version" },
    { logs_coarser, "the first logs in a coarser format than the second (STATEMENT, MIXED, ROW)" },
    { filters_more, "the second has replication filters and the first has none" },
    { is_same_id, "they have the same server_id" },
    { is_same_uuid, "they have the same server_uuid" },
    { is_delayed_more, "the second is delayed more than the first" },
};

/* ---- by GTID ---- */

static enum gtid_use use_of(const struct instance_seen *seen)
{
    const struct channel_seen *channel = instance_channel(seen);
    return channel == NULL ? GTID_UNUSED : channel->gtid_use;
}

static bool is_compatible(const struct pair *p)
{
    const enum gtid_use use = use_of(p->x);
    if (use == GTID_AUTO_POSITION)
        return !text_is(p->y->gtid.mode, "") && !text_is(p->y->gtid.mode, "OFF");
    return use != GTID_UNUSED && p->y->flavour == FLAVOUR_MARIADB;
}

/* Has the replica all that the master has purged? */
static enum fc_code check_purged(const struct pair *p, struct fc_err *err)
{
    const char *executed = p->x->gtid.executed == NULL ? "" : p->x->gtid.executed;
    const char *purged = p->y->gtid.purged == NULL ? "" : p->y->gtid.purged;
    struct gtid_set has = { .room = gtid_set_bound(executed, strlen(executed)) };
    struct gtid_set wants = { .room = gtid_set_bound(purged, strlen(purged)) };
    struct gtid_interval *list = room_reserve(p->asked->room, (has.room + wants.room + 1) * sizeof *list);
    if (list == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    has.list = list;
    wants.list = list + has.room;
    const bool is_good = gtid_set_parse(executed, strlen(executed), &has) && gtid_set_parse(purged, strlen(purged), &wants) &&
                         gtid_set_contains(&has, &wants);
    room_release(p->asked->room, list);
    return is_good ? FC_OK : fc_fail(err, FC_REFUSED, "no: the second has purged transactions that the first does not have");
}

enum fc_code below_check(const struct below_asked *asked, struct fc_err *err)
{
    const struct pair pair = { asked, topology_member(asked->topology, asked->replica)->kept.seen,
                               topology_member(asked->topology, asked->master)->kept.seen };
    if (pair.x == NULL || pair.y == NULL)
        return fc_fail(err, FC_REFUSED, "no: one of the two was never seen");
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].says_no(&pair))
            return fc_fail(err, FC_REFUSED, "no: %s", rules[i].because);
    }
    if (!asked->by_gtid)
        return FC_OK;
    if (!is_compatible(&pair))
        return fc_fail(err, FC_REFUSED, "no: the first does not replicate by a GTID that the second understands");
    return use_of(pair.x) == GTID_AUTO_POSITION ? check_purged(&pair, err) : FC_OK;
}
