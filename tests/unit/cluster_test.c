/* Pools of a managed cluster: whom a writer's pool calls first, whom a readers' pool lets read. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/text.h"
#include "core_stage.h"
#include "core/core_explain.h"
#include "steer/explain.h"

#define KEYS "WriterPools=rw=main@127.0.0.1:3307 ReaderPools=ro=main@127.0.0.1:3308 ClusterServers=main/m1=10.0.2.1:3306 " \
             "ClusterServers=main/m2=10.0.2.2:3306 ClusterServers=main/m3=10.0.2.3:3306 MySQLTopologyUser=topo "
#define GAP_MS 550              /* 2 x AgentInter and TokenCheckTimeout, and the drift */
#define BOUND_MS 19250          /* 18 x (300 + 100) + 300, HAProxyHardStop 10 s, and the drift */

static struct stage cluster_open(void)
{
    struct stage s = stage_open_with("db1 db2", "db1", KEYS);
    stage_fleet(&s, "m1", "open replicas=2");
    stage_fleet(&s, "m2", "replica");
    stage_fleet(&s, "m3", "replica");
    stage_pass(&s, GAP_MS);
    return s;
}

static const char *explained(struct stage *s, const char *target)
{
    static struct explanation e;
    static struct explain_room room;
    struct explain_subject list[EXPLAIN_SUBJECTS_MAX];
    struct order order;
    char text[80];
    int count;
    TEXT_FORMAT(text, "explain %s", target);
    cr_assert_eq(order_parse(text, strlen(text), &order, NULL), FC_OK);
    cr_assert_eq(core_explain_subjects(s->core, &order, list, &count, NULL), FC_OK);
    core_explain(s->core, s->now, 1790000000000, &list[0], &order, "ann@test", true, &room, &e);
    cr_expect_gt(e.change_count, 0, "nothing would change %s", target);
    return e.rule;
}

Test(cluster, the_one_open_master_is_first_once_nobody_can_have_heard_of_another)
{
    struct stage s = stage_open_with("db1 db2", "db1", KEYS);

    stage_hears(&s, "rw/m1", "neutral: starting");
    stage_hears(&s, "ro/m2", "neutral: starting");
    stage_fleet(&s, "m1", "open replicas=2");
    stage_fleet(&s, "m2", "replica");
    stage_hears(&s, "rw/m1", "neutral: starting");
    stage_fleet(&s, "m3", "replica");
    stage_hears(&s, "rw/m1", "neutral: awaited");
    cr_expect(stage_answer(&s, "rw/m1")->keeps_token, "who is first already stays so");
    stage_hears(&s, "rw/m2", "rest: read-only");
    stage_pass(&s, GAP_MS - 100);
    stage_hears(&s, "rw/m1", "neutral: awaited");
    stage_pass(&s, 100);
    stage_hears(&s, "rw/m1", "first: m1 sits");
    stage_hears_late(&s, "rw/m1", 1800, "neutral");
    stage_close(&s);
}

Test(cluster, a_server_that_is_not_seen_is_waited_for_until_every_proxy_has_left_it)
{
    struct stage s = stage_open_with("db1 db2", "db1", KEYS);

    stage_fleet(&s, "m1", "open replicas=1");
    stage_fleet(&s, "m2", "replica");
    stage_fleet(&s, "m3", "lost");
    stage_pass(&s, BOUND_MS - 100);
    stage_fleet(&s, "m1", "open replicas=1");
    stage_fleet(&s, "m2", "replica");
    stage_hears(&s, "rw/m1", "neutral: awaited");
    stage_pass(&s, 100);
    stage_hears(&s, "rw/m1", "first: m1 sits");
    stage_hears(&s, "rw/m3", "rest: unseen");
    stage_close(&s);
}

Test(cluster, the_old_one_rests_before_the_new_one_is_first)
{
    struct stage s = cluster_open();

    stage_fleet(&s, "m2", "open replicas=1");
    stage_hears(&s, "rw/m1", "first: m1 sits");
    stage_hears(&s, "rw/m2", "rest: m1 sits");
    stage_fleet(&s, "m1", "replicas=1");
    stage_hears(&s, "rw/m1", "rest: read-only");
    stage_hears(&s, "rw/m2", "rest: waiting for m1");
    cr_expect_str_eq(explained(&s, "rw/m2"), "waiting");
    stage_pass(&s, GAP_MS);
    stage_hears(&s, "rw/m2", "first: m2 sits");
    stage_records(&s, "writer", "m2 is first");
    stage_fleet(&s, "m1", "open replicas=5");
    stage_hears(&s, "rw/m1", "rest: m2 sits");
    stage_hears(&s, "rw/m2", "first: m2 sits");
    stage_close(&s);
}

Test(cluster, one_lost_look_moves_nothing_and_a_dead_master_rests)
{
    struct stage s = cluster_open();

    stage_fleet(&s, "m1", "lost");
    stage_hears(&s, "rw/m1", "first: m1 sits, out of sight");
    stage_fleet(&s, "m1", "gone");
    stage_hears(&s, "rw/m1", "rest: gone");
    stage_fleet(&s, "m2", "open replicas=1");
    stage_hears(&s, "rw/m2", "rest: waiting for m1");
    stage_pass(&s, BOUND_MS - 100);
    stage_fleet(&s, "m2", "open replicas=1");
    stage_hears(&s, "rw/m2", "rest: waiting for m1");
    stage_fleet(&s, "m1", "replicas=0");
    stage_hears(&s, "rw/m2", "first: m2 sits");
    stage_close(&s);
}

Test(cluster, a_master_that_comes_back_before_another_one_was_named_sits_at_once)
{
    struct stage s = cluster_open();

    stage_fleet(&s, "m1", "replicas=2");
    stage_hears(&s, "rw/m1", "rest: read-only");
    stage_fleet(&s, "m1", "open replicas=2");
    stage_hears(&s, "rw/m1", "first: m1 sits");
    stage_close(&s);
}

Test(cluster, of_several_open_ones_nobody_is_named_unless_one_has_more_replicas)
{
    struct stage s = stage_open_with("db1 db2", "db1", KEYS);

    stage_fleet(&s, "m1", "open replicas=1");
    stage_fleet(&s, "m2", "open replicas=1");
    stage_fleet(&s, "m3", "open replica");
    stage_hears(&s, "rw/m1", "rest: undecided");
    stage_hears(&s, "rw/m3", "rest: replica");
    cr_expect_str_eq(explained(&s, "rw/m1"), "undecided");
    cr_expect_str_eq(explained(&s, "rw/m3"), "replica");
    stage_fleet(&s, "m2", "open replicas=2");
    stage_hears(&s, "rw/m2", "neutral: awaited");
    stage_hears(&s, "rw/m1", "rest: m2 sits");
    stage_pass(&s, BOUND_MS);
    stage_fleet(&s, "m2", "open replicas=2");
    stage_hears(&s, "rw/m2", "first: m2 sits");
    stage_close(&s);
}

Test(cluster, an_open_co_master_is_a_master)
{
    struct stage s = cluster_open();

    stage_fleet(&s, "m1", "open ring replicas=1");
    stage_fleet(&s, "m2", "ring replicas=1");
    stage_hears(&s, "rw/m1", "first: m1 sits");
    stage_hears(&s, "rw/m2", "rest: read-only");
    stage_close(&s);
}

Test(cluster, who_does_not_lead_says_nothing_of_a_cluster)
{
    struct stage s = cluster_open();

    stage_lose_lease(&s, "denied");
    stage_hears(&s, "rw/m1", "neutral: not-leading");
    stage_hears(&s, "ro/m2", "neutral: not-leading");
    cr_expect_not(stage_answer(&s, "rw/m1")->keeps_token);
    cr_expect_str_eq(explained(&s, "rw/m1"), "not-leading");
    stage_lead(&s);
    stage_hears(&s, "rw/m1", "neutral: awaited");
    stage_pass(&s, GAP_MS);
    stage_hears(&s, "rw/m1", "first: m1 sits");
    stage_close(&s);
}

Test(cluster, readers_weigh_less_the_later_they_are_and_come_back_at_half)
{
    struct stage s = cluster_open();

    stage_hears(&s, "ro/m1", "read: master");
    cr_expect_eq(stage_answer(&s, "ro/m1")->weight_percent, 1);
    stage_hears(&s, "ro/m2", "read: lag 0s");
    cr_expect_eq(stage_answer(&s, "ro/m2")->weight_percent, 100);
    stage_fleet(&s, "m2", "replica lag=10");
    stage_hears(&s, "ro/m2", "read: lag 10s");
    cr_expect_eq(stage_answer(&s, "ro/m2")->weight_percent, 10);
    stage_fleet(&s, "m2", "replica lag=11");
    stage_hears(&s, "ro/m2", "late: lag 11s");
    stage_fleet(&s, "m2", "replica lag=6");
    stage_hears(&s, "ro/m2", "late: lag 6s");
    cr_expect_str_eq(explained(&s, "ro/m2"), "late");
    stage_fleet(&s, "m2", "replica lag=5");
    stage_hears(&s, "ro/m2", "read: lag 5s");
    stage_close(&s);
}

Test(cluster, the_nearest_of_the_late_is_kept_by_the_floor)
{
    struct stage s = cluster_open();

    stage_fleet(&s, "m2", "replica lag=95");
    stage_fleet(&s, "m3", "replica lag=40");
    stage_hears(&s, "ro/m2", "late: lag 95s");
    stage_hears(&s, "ro/m3", "read: lag 40s, kept by the floor");
    cr_expect_eq(stage_answer(&s, "ro/m3")->weight_percent, 1);
    cr_expect_str_eq(explained(&s, "ro/m3"), "floor");
    stage_reload(&s, "ReaderFloor=2");
    stage_hears(&s, "ro/m2", "read: lag 95s, kept by the floor");
    stage_fleet(&s, "m3", "replica lag=0");
    stage_reload(&s, "ReaderFloor=0");
    stage_hears(&s, "ro/m2", "late: lag 95s");
    stage_close(&s);
}

Test(cluster, replicas_of_a_dead_master_read_on_until_they_are_late)
{
    struct stage s = cluster_open();

    stage_fleet(&s, "m1", "gone");
    stage_fleet(&s, "m2", "replica unfetching lag=-1");
    stage_hears(&s, "ro/m1", "broken: unseen");
    stage_hears(&s, "ro/m2", "read: lag 0s");
    stage_pass(&s, 10500);
    stage_fleet(&s, "m3", "replica");
    stage_fleet(&s, "m2", "replica unfetching lag=-1");
    stage_hears(&s, "ro/m2", "late: lag 11s");
    stage_close(&s);
}

Test(cluster, a_stopped_or_detached_reader_is_broken_and_a_blind_node_says_nothing)
{
    struct stage s = cluster_open();

    stage_fleet(&s, "m2", "replica stopped");
    stage_fleet(&s, "m3", "");
    stage_hears(&s, "ro/m2", "broken: sql thread stopped");
    stage_hears(&s, "ro/m3", "broken: detached");
    cr_expect_str_eq(explained(&s, "ro/m2"), "stopped");
    cr_expect_str_eq(explained(&s, "ro/m3"), "detached");
    stage_fleet(&s, "m1", "lost");
    stage_fleet(&s, "m2", "lost");
    stage_hears(&s, "ro/m2", "broken: unseen");
    stage_fleet(&s, "m3", "lost");
    stage_hears(&s, "ro/m1", "neutral: blind");
    stage_hears(&s, "ro/m3", "neutral: blind");
    stage_hears(&s, "rw/m1", "first: m1 sits, out of sight");
    stage_close(&s);
}

Test(cluster, a_look_that_hangs_is_believed_for_two_periods_and_no_longer)
{
    struct stage s = cluster_open();

    stage_pass(&s, 12000);
    stage_fleet(&s, "m1", "open replicas=2");
    stage_hears(&s, "ro/m2", "broken: unseen");
    stage_hears(&s, "rw/m2", "rest: unseen");
    stage_close(&s);
}

Test(cluster, its_pools_take_no_orders_and_are_shown)
{
    struct stage s = cluster_open();

    stage_order(&s, "maint rw/m1");
    stage_says(&s, "takes no orders");
    const struct status *status = stage_status(&s);
    int rw = 0;
    while (rw < status->pool_count && !text_is(status->pools[rw].name, "rw"))
        rw++;
    cr_assert_lt(rw, status->pool_count, "the pool is not shown");
    cr_expect_str_eq(status->pools[rw].seated, "m1");
    stage_close(&s);
}

Test(cluster, every_rule_has_a_voice_that_its_pool_knows)
{
    for (int i = 0; i < CLUSTER_RULE_COUNT; i++) {
        const struct cluster_rule *rule = &cluster_rules[i];
        cr_expect(rule->word != NULL && rule->because != NULL && rule->not != NULL, "row %d is empty", i);
        cr_expect(rule->kind == (i < READER_NOT_LEADING ? POOL_WRITER : POOL_READER));
        for (int k = 0; k < i; k++)
            cr_expect(cluster_rules[k].kind != rule->kind || !text_is(cluster_rules[k].word, rule->word), "%s stands twice", rule->word);
    }
}
