/* Orders that are remembered: what can be meant, and what each does in memory. */
#include <criterion/criterion.h>
#include <string.h>

#include "act/fleet_orders.h"
#include "base/text.h"

static struct room room;
static struct topology topology;
static struct overrides overrides;
static struct classifications classifications;
static struct server_pools pools;
static struct host_names resolved, unresolved;
static struct fleet_memory memory;
static struct fleet_order order;
static struct fc_err err;
static struct fc_time now = { 1000000000 };
static const struct instance_key db1 = { "db1", 3306 };

static void open_memory(void)
{
    room = room_of_libc();
    cr_assert(topology_init(&topology, &room, 100));
    overrides_init(&overrides, &room, &topology.names);
    classifications_init(&classifications, &room, &topology);
    server_pools_init(&pools, &room, &topology.names);
    host_names_init(&resolved, &room, &topology.names);
    host_names_init(&unresolved, &room, &topology.names);
    memory = (struct fleet_memory){ &overrides, &classifications, &pools, &resolved, &unresolved, fc_ms(60000), fc_ms(60000), fc_ms(60000) };
}

static void close_memory(void)
{
    host_names_done(&unresolved);
    host_names_done(&resolved);
    server_pools_done(&pools);
    classifications_done(&classifications);
    overrides_done(&overrides);
    topology_done(&topology);
}

TestSuite(fleet_orders, .init = open_memory, .fini = close_memory);

static struct fleet_order *of(enum fleet_verb verb)
{
    order = (struct fleet_order){ .verb = verb, .host = "db1", .port = 3306, .seconds = 600, .rule = PROMOTION_PREFER };
    return &order;
}

static struct fleet_order *named(enum fleet_verb verb, const char *name, const char *text)
{
    of(verb);
    TEXT_SET(order.name, name);
    TEXT_SET(order.text, text);
    return &order;
}

static enum fc_code give(const struct fleet_order *given)
{
    const enum fc_code code = fleet_order_check(given, &err);
    return code == FC_OK ? fleet_order_apply(&memory, given, now, &err) : code;
}

static const struct override *said(void) { return overrides_of(&overrides, &db1); }

Test(fleet_orders, a_downtime_lasts_as_long_as_it_was_ordered)
{
    cr_expect_eq(give(named(FLEET_BEGIN_DOWNTIME, "amy", "disk")), FC_OK);
    cr_expect(override_is_downtimed(said(), fc_plus(now, fc_ms(599999))));
    cr_expect_not(override_is_downtimed(said(), fc_plus(now, fc_ms(600000))));
    cr_expect_eq(give(of(FLEET_END_DOWNTIME)), FC_OK);
    cr_expect_not(override_is_downtimed(said(), now));
    cr_expect_eq(give(of(FLEET_END_DOWNTIME)), FC_OK, "said twice is as good as once");
}

Test(fleet_orders, maintenance_is_a_lock_for_its_own_owner_too)
{
    cr_expect_eq(give(named(FLEET_BEGIN_MAINTENANCE, "amy", "upgrade")), FC_OK);
    cr_expect_eq(give(named(FLEET_BEGIN_MAINTENANCE, "bob", "me too")), FC_BUSY);
    cr_expect_eq(give(named(FLEET_BEGIN_MAINTENANCE, "amy", "again")), FC_BUSY);
    cr_expect_str_eq(err.text, "db1:3306 is in maintenance by amy: upgrade");
    cr_expect_eq(give(of(FLEET_END_MAINTENANCE)), FC_OK);
    cr_expect_eq(give(named(FLEET_BEGIN_MAINTENANCE, "bob", "now")), FC_OK);
}

Test(fleet_orders, a_rule_ends_when_nobody_says_it_again)
{
    cr_expect_eq(give(of(FLEET_REGISTER_CANDIDATE)), FC_OK);
    cr_expect_eq(override_rule(said(), now), PROMOTION_PREFER);
    cr_expect_eq(override_rule(said(), fc_plus(now, fc_ms(60000))), PROMOTION_NEUTRAL);
}

Test(fleet_orders, tags_come_and_go)
{
    cr_expect_eq(give(named(FLEET_TAG, "role", "main")), FC_OK);
    cr_expect_str_eq(override_tag(&overrides, said(), "role"), "main");
    named(FLEET_UNTAG, "role", "other")->has_value = true;
    cr_expect_eq(give(&order), FC_OK);
    cr_expect_str_eq(override_tag(&overrides, said(), "role"), "main", "it has another value");
    cr_expect_eq(give(named(FLEET_UNTAG, "role", "")), FC_OK);
    cr_expect_null(said());
    cr_expect_eq(give(named(FLEET_UNTAG, "role", "")), FC_OK, "nothing to take off");
}

Test(fleet_orders, a_tag_is_taken_off_all_who_have_that_value)
{
    const char *const hosts[] = { "a", "b", "c", "d" };
    for (int i = 0; i < 4; i++) {
        named(FLEET_TAG, "role", i == 2 ? "other" : "main");
        TEXT_SET(order.host, hosts[i]);
        cr_assert_eq(give(&order), FC_OK);
    }
    cr_expect_eq(give(named(FLEET_UNTAG_ALL, "role", "main")), FC_BAD_INPUT, "a name alone would be too much");
    order.has_value = true;
    cr_expect_eq(give(&order), FC_OK);
    cr_expect_eq(overrides.count, 1);
    cr_expect_str_eq(names_text(&topology.names, overrides.list[0].host), "c");
}

Test(fleet_orders, clusters_pools_and_names_are_remembered)
{
    const struct instance_key keys[] = { { "db2", 3306 }, { "db1", 3306 } };
    of(FLEET_SET_CLUSTER_ALIAS);
    TEXT_SET(order.subject, "db1:3306");
    TEXT_SET(order.name, "main");
    cr_expect_eq(give(&order), FC_OK);
    cr_expect_eq(classifications.aliases.count, 1);
    order.name[0] = '\0';
    cr_expect_eq(give(&order), FC_OK, "no alias takes it back");
    cr_expect_eq(classifications.aliases.count, 0);

    named(FLEET_SUBMIT_POOL, "web", "");
    order.keys = keys;
    order.key_count = 2;
    cr_expect_eq(give(&order), FC_OK);
    cr_expect(server_pools_have(&pools, "web", &db1, now));

    cr_expect_eq(give(named(FLEET_REGISTER_UNRESOLVE, "db1.vip", "")), FC_OK);
    cr_expect_str_eq(host_names_of(&unresolved, "db1", now), "db1.vip");
    cr_expect_eq(give(of(FLEET_DEREGISTER_UNRESOLVE)), FC_OK);
    cr_expect_str_eq(host_names_of(&unresolved, "db1", now), "");
    cr_assert_eq(host_names_set(&resolved, "a", "b", now, FC_NEVER, &err), FC_OK);
    cr_expect_eq(give(of(FLEET_RESET_RESOLVE_CACHE)), FC_OK);
    cr_expect_eq(resolved.count, 0);
}

Test(fleet_orders, what_cannot_be_meant_is_refused)
{
    cr_expect_eq(give(named(FLEET_BEGIN_DOWNTIME, "amy", "")), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "begin-downtime needs an owner and a reason");
    named(FLEET_BEGIN_DOWNTIME, "amy", "disk")->seconds = 0;
    cr_expect_eq(give(&order), FC_BAD_INPUT);
    order.seconds = INT64_MAX;
    cr_expect_eq(give(&order), FC_BAD_INPUT);
    of(FLEET_DISCOVER)->port = 0;
    cr_expect_eq(fleet_order_check(&order, &err), FC_BAD_INPUT);
    TEXT_SET(of(FLEET_FORGET)->host, "//db1");
    cr_expect_eq(fleet_order_check(&order, &err), FC_BAD_INPUT);
    cr_expect_eq(fleet_order_check(of(FLEET_FORGET_CLUSTER), &err), FC_BAD_INPUT);
    cr_expect_eq(fleet_order_check(of(FLEET_SUBMIT_POOL), &err), FC_BAD_INPUT);
    cr_expect_eq(fleet_order_check(of(FLEET_ACK_RECOVERIES), &err), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "an acknowledgement needs a comment");
    named(FLEET_ACK_RECOVERIES, "", "seen")->ack = ACK_CLUSTER;
    cr_expect_eq(fleet_order_check(&order, &err), FC_BAD_INPUT);
    order.ack = ACK_ALL;
    cr_expect_eq(fleet_order_check(&order, &err), FC_OK);
}

Test(fleet_orders, every_order_has_a_row)
{
    for (int i = 0; i < FLEET_VERB_COUNT; i++) {
        cr_expect_not_null(fleet_verbs[i].word, "%d", i);
        cr_expect_not_null(fleet_verbs[i].meaning, "%d", i);
        for (int k = 0; k < i; k++)
            cr_expect_str_neq(fleet_verbs[i].word, fleet_verbs[k].word);
    }
}
