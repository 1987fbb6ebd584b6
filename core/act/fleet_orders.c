/* The table of orders, their check, and what each does in memory: one row, one small function. */
#include "act/fleet_orders.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define DOWNTIME_MOST_S (10 * 366 * 86400LL)     /* longer is a mistake of the unit */

const struct fleet_verb_row fleet_verbs[FLEET_VERB_COUNT] = {
    [FLEET_DISCOVER] = { "discover", FLEET_TAKES_SERVER, false, "look at a server now, and from it at its neighbours" },
    [FLEET_ASYNC_DISCOVER] = { "async-discover", FLEET_TAKES_SERVER, false, "the same, without waiting for it" },
    [FLEET_REFRESH] = { "refresh", FLEET_TAKES_SERVER, false, "look at a known server now" },
    [FLEET_FORGET] = { "forget", FLEET_TAKES_SERVER, false, "forget a server" },
    [FLEET_FORGET_CLUSTER] = { "forget-cluster", FLEET_TAKES_CLUSTER, false, "forget all servers of a cluster" },
    [FLEET_BEGIN_DOWNTIME] = { "begin-downtime", FLEET_TAKES_SERVER | FLEET_TAKES_REASON, true, "what is wrong with it is expected" },
    [FLEET_END_DOWNTIME] = { "end-downtime", FLEET_TAKES_SERVER, true, "it counts again" },
    [FLEET_BEGIN_MAINTENANCE] = { "begin-maintenance", FLEET_TAKES_SERVER | FLEET_TAKES_REASON, true, "one owner works on it" },
    [FLEET_END_MAINTENANCE] = { "end-maintenance", FLEET_TAKES_SERVER, true, "the owner is done with it" },
    [FLEET_REGISTER_CANDIDATE] = { "register-candidate", FLEET_TAKES_SERVER, true, "how gladly it is promoted" },
    [FLEET_TAG] = { "tag", FLEET_TAKES_SERVER | FLEET_TAKES_SUBJECT, true, "give it a tag, or a tag another value" },
    [FLEET_UNTAG] = { "untag", FLEET_TAKES_SERVER | FLEET_TAKES_SUBJECT, true, "take a tag off it" },
    [FLEET_UNTAG_ALL] = { "untag-all", FLEET_TAKES_SUBJECT, true, "take a tag with this value off all servers" },
    [FLEET_SET_CLUSTER_ALIAS] = { "set-cluster-alias", FLEET_TAKES_CLUSTER, true, "the operator's name for a cluster" },
    [FLEET_SUBMIT_POOL] = { "submit-pool-instances", FLEET_TAKES_SUBJECT, true, "who is in a pool from now on" },
    [FLEET_REGISTER_UNRESOLVE] = { "register-hostname-unresolve", FLEET_TAKES_SERVER | FLEET_TAKES_SUBJECT, true,
                                   "the name that stands for a host in CHANGE MASTER" },
    [FLEET_DEREGISTER_UNRESOLVE] = { "deregister-hostname-unresolve", FLEET_TAKES_SERVER, true, "the host's own name again" },
    [FLEET_RESET_RESOLVE_CACHE] = { "reset-hostname-resolve-cache", 0, true, "resolve all names anew" },
    [FLEET_RESOLVE] = { "resolve", FLEET_TAKES_SERVER, false, "resolve a name, and connect to it" },
    [FLEET_SNAPSHOT_TOPOLOGIES] = { "snapshot-topologies", 0, false, "keep who replicates from whom as history" },
    [FLEET_ACK_RECOVERIES] = { "ack-recovery", 0, false, "recoveries were seen by a person" },
};

/* ---- may it be meant? ---- */

static enum fc_code check_server(const struct fleet_order *order, struct fc_err *err)
{
    const struct instance_key key = { order->host, order->port };
    if (instance_key_is_valid(&key))
        return FC_OK;
    return fc_fail(err, FC_BAD_INPUT, "'%.64s:%u' names no server", order->host, order->port);
}

static enum fc_code check_reason(const struct fleet_order *order, struct fc_err *err)
{
    if (order->name[0] == '\0' || order->text[0] == '\0')
        return fc_fail(err, FC_BAD_INPUT, "%s needs an owner and a reason", fleet_verbs[order->verb].word);
    if (order->seconds < 1 || order->seconds > DOWNTIME_MOST_S)
        return fc_fail(err, FC_BAD_INPUT, "%s lasts from a second to ten years, not %" PRId64 " seconds", fleet_verbs[order->verb].word,
                       order->seconds);
    return FC_OK;
}

static enum fc_code check_ack(const struct fleet_order *order, struct fc_err *err)
{
    if (order->text[0] == '\0')
        return fc_fail(err, FC_BAD_INPUT, "an acknowledgement needs a comment");
    if ((order->ack == ACK_CLUSTER || order->ack == ACK_ID || order->ack == ACK_UID) && order->subject[0] == '\0')
        return fc_fail(err, FC_BAD_INPUT, "an acknowledgement of what?");
    return order->ack == ACK_INSTANCE ? check_server(order, err) : FC_OK;
}

enum fc_code fleet_order_check(const struct fleet_order *order, struct fc_err *err)
{
    const struct fleet_verb_row *row = &fleet_verbs[order->verb];
    enum fc_code code = FC_OK;
    assert(order->verb < FLEET_VERB_COUNT);
    if (row->takes & FLEET_TAKES_SERVER)
        code = check_server(order, err);
    if (code == FC_OK && (row->takes & FLEET_TAKES_REASON))
        code = check_reason(order, err);
    if (code == FC_OK && (row->takes & FLEET_TAKES_CLUSTER) && order->subject[0] == '\0')
        code = fc_fail(err, FC_BAD_INPUT, "%s needs a cluster", row->word);
    if (code == FC_OK && (row->takes & FLEET_TAKES_SUBJECT) && order->name[0] == '\0')
        code = fc_fail(err, FC_BAD_INPUT, "%s needs a name", row->word);
    if (code == FC_OK && order->verb == FLEET_UNTAG_ALL && !order->has_value)
        code = fc_fail(err, FC_BAD_INPUT, "untag-all needs NAME=VALUE");
    if (code == FC_OK && order->verb == FLEET_ACK_RECOVERIES)
        code = check_ack(order, err);
    return code;
}

/* ---- what each does in memory ---- */

typedef enum fc_code deed(struct fleet_memory *memory, const struct fleet_order *order, const struct instance_key *key,
                          struct fc_time now, struct fc_err *err);

static struct fc_time end_of(const struct fleet_order *order, struct fc_time now)
{
    return fc_plus(now, fc_ms(order->seconds * 1000));
}

static deed begin_downtime, begin_maintenance, end_downtime, end_maintenance, register_candidate, tag, untag, untag_all,
    set_alias, submit_pool, register_unresolve, deregister_unresolve, reset_resolve;

static enum fc_code begin_downtime(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key,
                                   struct fc_time now, struct fc_err *err)
{
    return overrides_begin_downtime(m->overrides, key, o->name, o->text, now, end_of(o, now), err);
}

/* A lock: its own owner does not take it a second time either. */
static enum fc_code begin_maintenance(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key,
                                      struct fc_time now, struct fc_err *err)
{
    const struct override *row = overrides_of(m->overrides, key);
    if (override_is_in_maintenance(row, now))
        return fc_fail(err, FC_BUSY, "%s:%u is in maintenance by %s: %.128s", key->host, key->port,
                       names_text(m->overrides->names, row->maintenance.owner), names_text(m->overrides->names, row->maintenance.reason));
    return overrides_begin_maintenance(m->overrides, key, o->name, o->text, now, end_of(o, now), err);
}

/* Said twice is as good as once. */
static enum fc_code is_gone(enum fc_code code)
{
    return code == FC_NOT_FOUND ? FC_OK : code;
}

static enum fc_code end_downtime(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key,
                                 struct fc_time now, struct fc_err *err)
{
    (void)o, (void)now;
    return is_gone(overrides_end_downtime(m->overrides, key, err));
}

static enum fc_code end_maintenance(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key,
                                    struct fc_time now, struct fc_err *err)
{
    (void)o, (void)now;
    return is_gone(overrides_end_maintenance(m->overrides, key, err));
}

static enum fc_code register_candidate(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key,
                                       struct fc_time now, struct fc_err *err)
{
    return overrides_set_rule(m->overrides, key, o->rule, now, fc_plus(now, m->rule_life), err);
}

static enum fc_code tag(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key, struct fc_time now,
                        struct fc_err *err)
{
    (void)now;
    return overrides_tag(m->overrides, key, o->name, o->text, err);
}

static enum fc_code untag(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key, struct fc_time now,
                          struct fc_err *err)
{
    const char *value = override_tag(m->overrides, overrides_of(m->overrides, key), o->name);
    (void)now;
    if (value == NULL || (o->has_value && !text_is(value, o->text)))
        return FC_OK;
    return overrides_untag(m->overrides, key, o->name, err);
}

/* From the last row on: a row that says nothing any more goes, and those behind it move up. */
static enum fc_code untag_all(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key, struct fc_time now,
                              struct fc_err *err)
{
    enum fc_code code = FC_OK;
    (void)key;
    for (uint32_t i = m->overrides->count; i-- > 0 && code == FC_OK;) {
        const struct override *row = &m->overrides->list[i];
        char host[INSTANCE_HOST_MAX + 1];
        TEXT_SET(host, names_text(m->overrides->names, row->host));
        code = untag(m, o, &(struct instance_key){ host, row->port }, now, err);
    }
    return code;
}

static enum fc_code set_alias(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key, struct fc_time now,
                              struct fc_err *err)
{
    (void)key, (void)now;
    return classifications_name_cluster(m->classifications, o->subject, o->name, err);
}

static enum fc_code submit_pool(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key, struct fc_time now,
                                struct fc_err *err)
{
    (void)key;
    return server_pools_submit(m->pools, o->name, o->keys, o->key_count, now, fc_plus(now, m->pool_life), err);
}

static enum fc_code register_unresolve(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key,
                                       struct fc_time now, struct fc_err *err)
{
    return host_names_set(m->unresolved, key->host, o->name, now, fc_plus(now, m->name_life), err);
}

static enum fc_code deregister_unresolve(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key,
                                         struct fc_time now, struct fc_err *err)
{
    (void)o, (void)now, (void)err;
    host_names_remove(m->unresolved, key->host);
    return FC_OK;
}

static enum fc_code reset_resolve(struct fleet_memory *m, const struct fleet_order *o, const struct instance_key *key,
                                  struct fc_time now, struct fc_err *err)
{
    (void)o, (void)key, (void)now, (void)err;
    host_names_clear(m->resolved);
    return FC_OK;
}

static deed *const deeds[FLEET_VERB_COUNT] = {
    [FLEET_BEGIN_DOWNTIME] = begin_downtime, [FLEET_END_DOWNTIME] = end_downtime,
    [FLEET_BEGIN_MAINTENANCE] = begin_maintenance, [FLEET_END_MAINTENANCE] = end_maintenance,
    [FLEET_REGISTER_CANDIDATE] = register_candidate, [FLEET_TAG] = tag, [FLEET_UNTAG] = untag, [FLEET_UNTAG_ALL] = untag_all,
    [FLEET_SET_CLUSTER_ALIAS] = set_alias, [FLEET_SUBMIT_POOL] = submit_pool, [FLEET_REGISTER_UNRESOLVE] = register_unresolve,
    [FLEET_DEREGISTER_UNRESOLVE] = deregister_unresolve, [FLEET_RESET_RESOLVE_CACHE] = reset_resolve,
};

enum fc_code fleet_order_apply(struct fleet_memory *memory, const struct fleet_order *order, struct fc_time now, struct fc_err *err)
{
    const struct instance_key key = { order->host, order->port };
    assert(fleet_verbs[order->verb].is_of_memory && deeds[order->verb] != NULL);
    return deeds[order->verb](memory, order, &key, now, err);
}
