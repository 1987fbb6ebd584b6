/* Links, clusters and depths: told scenes first, then any order and any graph against a model that is computed anew each time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "model/topology.h"
#include "scarce_room.h"

static struct room room;
static struct topology fleet;

static void open_fleet(void)
{
    room = room_of_libc();
    cr_assert(topology_init(&fleet, &room, 100000));
}

static void close_fleet(void)
{
    topology_done(&fleet);
}

TestSuite(topology, .init = open_fleet, .fini = close_fleet);

/* "db1" is db1:3306. */
static struct instance_key key(const char *host)
{
    return (struct instance_key){ .host = host, .port = 3306 };
}

static enum fc_code says(struct topology *t, const char *host, const char *master)
{
    struct channel_seen channel = { .name = "", .master = key(master == NULL ? "" : master), .gtid_use = GTID_SLAVE_POS,
                                    .io = THREAD_RUNNING, .sql = THREAD_RUNNING };
    const struct instance_seen seen = { .key = key(host), .server_id = 1, .channels = &channel, .channel_count = master != NULL,
                                        .seen_at = { 1 } };
    return topology_saw(t, &seen, NULL, NULL, NULL);
}

/* What a server says of itself: it replicates from `master`; NULL: from nobody. */
static void say(const char *host, const char *master)
{
    cr_assert_eq(says(&fleet, host, master), FC_OK);
}

static member_id member(const char *host)
{
    const struct instance_key wanted = key(host);
    return topology_find(&fleet, &wanted);
}

/* "db1 0" = in the cluster of db1 at depth 0; " ring 2" behind it; "-" = not there. */
static const char *place_of(const char *host)
{
    static char text[4][200];
    static int turn;
    char *to = text[turn++ % 4];
    const member_id id = member(host);
    if (id == MEMBER_NONE)
        return "-";
    const struct member *m = topology_member(&fleet, id);
    const int length = snprintf(to, sizeof text[0], "%s %u", topology_key(&fleet, m->head).host, m->depth);
    if (m->ring > 0)
        snprintf(to + length, sizeof text[0] - (size_t)length, " ring %u", m->ring);
    return to;
}

Test(topology, a_chain_is_one_cluster_named_by_its_head)
{
    say("a", NULL);
    say("b", "a");
    say("c", "b");
    cr_expect_str_eq(place_of("a"), "a 0");
    cr_expect_str_eq(place_of("b"), "a 1");
    cr_expect_str_eq(place_of("c"), "a 2");
    char name[64];
    cr_expect(topology_key_text(&fleet, topology_member(&fleet, member("c"))->head, name, sizeof name));
    cr_expect_str_eq(name, "a:3306");
}

Test(topology, replicas_that_are_seen_before_their_master_wait_in_its_place)
{
    say("c", "b");
    say("d", "b");
    cr_expect_str_eq(place_of("c"), "b 1");
    cr_expect_eq(fleet.named, 1u);
    say("b", "a");
    say("a", NULL);
    cr_expect_str_eq(place_of("d"), "a 2");
    cr_expect_eq(fleet.named, 0u);
    cr_expect_eq(fleet.head_count, 1u);
}

Test(topology, a_promoted_replica_takes_those_below_it_along_and_they_are_a_cluster_of_their_own)
{
    say("a", NULL);
    say("b", "a");
    say("c", "a");
    say("d", "b");
    say("b", NULL);
    cr_expect_str_eq(place_of("d"), "b 1");
    cr_expect_str_eq(place_of("c"), "a 1");
    say("c", "b");
    say("a", "b");
    cr_expect_str_eq(place_of("a"), "b 1");
    cr_expect_eq(fleet.head_count, 1u);
    cr_expect_eq(topology_member(&fleet, member("b"))->cluster_count, 4u);
}

Test(topology, two_that_replicate_from_each_other_are_co_masters_named_by_who_was_the_master_before)
{
    say("z", NULL);
    say("b", "z");
    say("c", "b");
    say("z", "b");
    cr_expect_str_eq(place_of("z"), "z 0 ring 2");
    cr_expect_str_eq(place_of("b"), "z 1 ring 2");
    cr_expect_str_eq(place_of("c"), "z 2");
}

Test(topology, co_masters_that_nobody_saw_before_are_named_by_the_first_key_whoever_came_first)
{
    say("b", "z");
    say("z", "b");
    cr_expect_str_eq(place_of("z"), "b 1 ring 2");
    say("y", "x");
    say("x", "y");
    cr_expect_str_eq(place_of("y"), "x 1 ring 2");
}

Test(topology, a_ring_that_opens_is_a_chain_again)
{
    say("a", "c");
    say("b", "a");
    say("c", "b");
    say("r", "b");
    cr_expect_str_eq(place_of("c"), "a 2 ring 3");
    say("b", NULL);
    cr_expect_str_eq(place_of("b"), "b 0");
    cr_expect_str_eq(place_of("c"), "b 1");
    cr_expect_str_eq(place_of("a"), "b 2");
    cr_expect_str_eq(place_of("r"), "b 1");
}

Test(topology, who_replicates_from_itself_stands_alone_and_says_so)
{
    say("a", "a");
    say("b", "a");
    cr_expect_str_eq(place_of("a"), "a 0");
    cr_expect_str_eq(place_of("b"), "a 1");
    cr_expect(topology_member(&fleet, member("a"))->is_looped);
    say("a", NULL);
    cr_expect_not(topology_member(&fleet, member("a"))->is_looped);
}

Test(topology, a_forgotten_master_keeps_its_place_while_somebody_replicates_from_it)
{
    say("a", NULL);
    say("b", "a");
    say("c", "b");
    const struct instance_key a = key("a"), b = key("b"), c = key("c");
    cr_expect(topology_forget(&fleet, &b));
    cr_expect_not(topology_forget(&fleet, &b), "nobody knows it any more");
    cr_expect_str_eq(place_of("c"), "b 1");
    cr_expect_null(topology_member(&fleet, member("b"))->kept.seen);
    cr_expect(topology_forget(&fleet, &c));
    cr_expect_str_eq(place_of("b"), "-");
    cr_expect(topology_forget(&fleet, &a));
    cr_expect_eq(fleet.known + fleet.named + fleet.head_count, 0u);
    cr_expect_eq(fleet.names.in_use, 0u);
}

Test(topology, a_forgotten_head_of_a_ring_leaves_a_chain)
{
    say("a", "b");
    say("b", "a");
    const struct instance_key a = key("a");
    cr_expect(topology_forget(&fleet, &a));
    cr_expect_str_eq(place_of("b"), "a 1");
    say("a", "b");
    cr_expect_str_eq(place_of("b"), "a 1 ring 2");
}

Test(topology, a_master_of_another_name_is_given_as_it_is_resolved)
{
    const struct instance_key resolved = key("a");
    struct channel_seen channel = { .name = "", .master = key("10.0.0.1"), .gtid_use = GTID_SLAVE_POS };
    const struct instance_seen seen = { .key = key("b"), .channels = &channel, .channel_count = 1 };
    say("a", NULL);
    cr_assert_eq(topology_saw(&fleet, &seen, &resolved, NULL, NULL), FC_OK);
    cr_expect_str_eq(place_of("b"), "a 1");
    cr_expect_str_eq(place_of("10.0.0.1"), "-");
}

Test(topology, a_detached_master_is_none)
{
    say("b", "//a");
    cr_expect_str_eq(place_of("b"), "b 0");
    cr_expect_eq(fleet.known + fleet.named, 1u);
}

Test(topology, a_secondary_of_a_group_is_in_its_primarys_cluster_at_its_depth_and_is_no_replica)
{
    const struct member_seen members[] = { { .key = key("p"), .role = "PRIMARY" }, { .key = key("s"), .role = "SECONDARY" } };
    const struct instance_seen seen = { .key = key("s"), .group_name = "g", .group_role = "SECONDARY", .members = members,
                                        .member_count = 2 };
    say("p", NULL);
    cr_assert_eq(topology_saw(&fleet, &seen, NULL, NULL, NULL), FC_OK);
    say("r", "s");
    cr_expect_str_eq(place_of("s"), "p 0");
    cr_expect_str_eq(place_of("r"), "p 1");
    cr_expect_eq(topology_member(&fleet, member("p"))->replica_count, 0u);
    cr_expect_eq(topology_first_replica(&fleet, member("p")), MEMBER_NONE);
    cr_expect_eq(topology_first_replica(&fleet, member("s")), member("r"));
}

Test(topology, replication_that_could_not_be_read_is_taken_from_the_look_before)
{
    say("b", "a");
    const struct instance_seen seen = { .key = key("b"), .missing = READING_BIT(READING_REPLICATION), .server_id = 7 };
    cr_assert_eq(topology_saw(&fleet, &seen, NULL, NULL, NULL), FC_OK);
    cr_expect_str_eq(place_of("b"), "a 1");
    cr_expect_eq(topology_member(&fleet, member("b"))->kept.seen->server_id, 7u);
}

Test(topology, who_is_below_whom_is_found_by_walking_also_in_rings)
{
    say("a", NULL);
    say("b", "a");
    say("c", "b");
    say("x", "y");
    say("y", "x");
    say("z", "y");
    cr_expect(topology_is_below(&fleet, member("c"), member("a")));
    cr_expect_not(topology_is_below(&fleet, member("a"), member("c")));
    cr_expect_not(topology_is_below(&fleet, member("a"), member("a")));
    cr_expect_not(topology_is_below(&fleet, member("c"), member("x")));
    cr_expect(topology_is_below(&fleet, member("z"), member("x")));
    cr_expect(topology_is_below(&fleet, member("x"), member("y")), "each is below the other");
    cr_expect_not(topology_is_below(&fleet, member("z"), member("a")));
}

Test(topology, what_changes_is_touched_and_what_does_not_is_not)
{
    say("a", NULL);
    say("b", "a");
    say("c", "a");
    while (topology_take_touched(&fleet) != MEMBER_NONE)
        ;
    say("b", "a");
    cr_expect_eq(topology_take_touched(&fleet), MEMBER_NONE, "the same as before");
    say("b", NULL);
    int touched = 0;
    for (member_id id = topology_take_touched(&fleet); id != MEMBER_NONE; id = topology_take_touched(&fleet)) {
        cr_expect(id == member("a") || id == member("b"));
        touched++;
    }
    cr_expect_eq(touched, 2, "it, and the master that it left");
}

Test(topology, looks_that_failed_and_looks_that_hang_are_kept_beside_the_last_good_one)
{
    say("a", NULL);
    const member_id a = member("a");
    topology_attempted(&fleet, a, (struct fc_time){ 5 });
    cr_expect_eq(topology_member(&fleet, a)->attempted_at.us, 5);
    topology_missed(&fleet, a, true, (struct fc_time){ 9 });
    const struct member *m = topology_member(&fleet, a);
    cr_expect(!m->is_seen && m->is_partly_seen && m->kept.seen != NULL);
    cr_expect(m->checked_at.us == 9 && m->seen_at.us == 1 && fc_is_ever(m->attempted_at));
}

Test(topology, bad_keys_and_too_many_servers_are_refused_and_change_nothing)
{
    struct topology small;
    struct fc_err err;
    cr_assert(topology_init(&small, &room, 2));
    cr_expect_eq(says(&small, "", NULL), FC_BAD_INPUT);
    cr_expect_eq(says(&small, "//a", NULL), FC_BAD_INPUT);
    cr_expect_eq(says(&small, "a", "b"), FC_OK);
    cr_expect_eq(says(&small, "c", "a"), FC_BUSY);
    cr_expect_eq(says(&small, "a", "c"), FC_BUSY);
    const struct instance_key c = key("c");
    cr_expect_eq(topology_add(&small, &c, NULL, &err), FC_BUSY);
    cr_expect_str_eq(err.text, "server c:3306: 2 servers are known, which is the bound");
    cr_expect_eq(small.known + small.named, 2u);
    topology_done(&small);
}

/* ---- memory that runs out ---- */

Test(topology, without_memory_an_observation_is_refused_whole_wherever_it_runs_out)
{
    struct room scarce = scarce_room(&room);
    for (int most = 0; most < 12; most++) {
        struct topology t;
        lent = 1000;
        cr_assert(topology_init(&t, &scarce, 1000));
        lent = most;
        const enum fc_code code = says(&t, "b", "a");
        cr_expect(code == FC_OK || code == FC_NO_MEMORY);
        cr_expect_eq(t.known + t.named, code == FC_OK ? 2u : 0u, "after %d reservations", most);
        cr_expect_eq(t.names.in_use, code == FC_OK ? 2u : 0u);
        topology_done(&t);
    }
}

/* ---- any order, any graph, against a model ---- */

#define MODEL_MAX 14

struct model {                       /* what each said last; -1 from nobody, -2 not known */
    int master[MODEL_MAX];
    int count;
};

static const char *const hosts[MODEL_MAX] = { "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9", "i0", "i1", "i2", "i3" };

static int model_up(const struct model *m, int i)
{
    return m->master[i] >= 0 && m->master[i] != i ? m->master[i] : -1;
}

static bool model_has(const struct model *m, int i)
{
    for (int k = 0; k < m->count; k++) {
        if (k != i && model_up(m, k) == i)
            return true;
    }
    return m->master[i] != -2;
}

static int model_ring(const struct model *m, int i)
{
    int length = 1;
    for (int at = model_up(m, i); at != i; at = model_up(m, at), length++) {
        if (at < 0 || length > m->count)
            return 0;
    }
    return length;
}

/* The top of a tree, or anybody in the ring at its top. */
static int model_top(const struct model *m, int i)
{
    for (int steps = 0; steps < m->count && model_up(m, i) >= 0; steps++)
        i = model_up(m, i);
    return i;
}

static void agree_on_ring_head(const struct model *m, int i, int head, bool by_key_only)
{
    cr_assert_gt(model_ring(m, head), 0, "the head of %s's cluster is in its ring", hosts[i]);
    cr_assert_eq(model_ring(m, head), model_ring(m, model_top(m, i)));
    for (int k = 0; by_key_only && k < m->count; k++) {
        if (model_has(m, k) && model_ring(m, k) > 0) {
            bool is_in_it = k == head;
            for (int at = model_up(m, head); at != head; at = model_up(m, at))
                is_in_it = is_in_it || at == k;
            cr_assert(!is_in_it || head <= k, "%s heads a ring with %s in it", hosts[head], hosts[k]);
        }
    }
}

static int index_of(const char *host)
{
    for (int i = 0; i < MODEL_MAX; i++) {
        if (text_is(hosts[i], host))
            return i;
    }
    return -1;
}

static void agree(const struct model *m, bool by_key_only)
{
    uint32_t there = 0, known = 0;
    for (int i = 0; i < m->count; i++) {
        const member_id id = member(hosts[i]);
        cr_assert_eq(id != MEMBER_NONE, model_has(m, i), "%s", hosts[i]);
        if (id == MEMBER_NONE)
            continue;
        const struct member *is = topology_member(&fleet, id);
        const int head = index_of(topology_key(&fleet, is->head).host);
        there++;
        known += m->master[i] != -2;
        cr_assert_eq((int)is->ring, model_ring(m, i), "ring of %s", hosts[i]);
        cr_assert_eq(is->is_looped, m->master[i] == i);
        uint32_t depth = 0, replicas = 0;
        for (int at = i; at != head; at = model_up(m, at), depth++)
            cr_assert(at >= 0 && depth <= MODEL_MAX, "%s does not hang below its head %s", hosts[i], hosts[head]);
        cr_assert_eq(is->depth, depth, "depth of %s", hosts[i]);
        for (int k = 0; k < m->count; k++)
            replicas += model_up(m, k) == i;
        cr_assert_eq(is->replica_count, replicas);
        if (model_ring(m, model_top(m, i)) > 0)
            agree_on_ring_head(m, i, head, by_key_only);
        else
            cr_assert_eq(head, model_top(m, i), "head of %s", hosts[i]);
    }
    cr_assert_eq(fleet.known, known);
    cr_assert_eq(fleet.known + fleet.named, there);
    uint32_t in_clusters = 0, heads = 0;
    for (member_id head = fleet.first_head; head != MEMBER_NONE; head = topology_member(&fleet, head)->next_head, heads++) {
        uint32_t count = 0;
        for (member_id id = topology_member(&fleet, head)->first_in_cluster; id != MEMBER_NONE;
             id = topology_member(&fleet, id)->next_in_cluster, count++)
            cr_assert_eq(topology_member(&fleet, id)->head, head);
        cr_assert_eq(count, topology_member(&fleet, head)->cluster_count);
        in_clusters += count;
    }
    cr_assert_eq(in_clusters, there);
    cr_assert_eq(heads, fleet.head_count);
}

static int drawn_master(struct fc_rng *rng, int count)
{
    return rng_below(rng, 4) == 0 ? -1 : (int)rng_below(rng, (uint64_t)count);
}

static void open_again(void)
{
    topology_done(&fleet);
    cr_assert(topology_init(&fleet, &room, 1000));
}

Test(topology, any_history_of_links_and_forgetting_ends_in_what_is_so_now)
{
    struct fc_rng rng = { 7 };
    for (int round = 0; round < 150; round++) {
        struct model m = { .count = 2 + (int)rng_below(&rng, MODEL_MAX - 1) };
        for (int i = 0; i < m.count; i++)
            m.master[i] = -2;
        open_again();
        for (int event = 0; event < 40; event++) {
            const int i = (int)rng_below(&rng, (uint64_t)m.count);
            if (rng_below(&rng, 6) == 0) {
                const struct instance_key one = key(hosts[i]);
                cr_assert_eq(topology_forget(&fleet, &one), m.master[i] != -2);
                m.master[i] = -2;
            } else {
                m.master[i] = drawn_master(&rng, m.count);
                say(hosts[i], m.master[i] < 0 ? NULL : hosts[m.master[i]]);
            }
            agree(&m, false);
        }
    }
}

Test(topology, the_order_in_which_servers_are_seen_does_not_matter)
{
    struct fc_rng rng = { 11 };
    for (int round = 0; round < 300; round++) {
        struct model m = { .count = 2 + (int)rng_below(&rng, MODEL_MAX - 1) };
        int order[MODEL_MAX];
        open_again();
        for (int i = 0; i < m.count; i++) {
            const int k = (int)rng_below(&rng, (uint64_t)i + 1);
            order[i] = order[k];
            order[k] = i;
            m.master[i] = drawn_master(&rng, m.count);
        }
        for (int i = 0; i < m.count; i++)
            say(hosts[order[i]], m.master[order[i]] < 0 ? NULL : hosts[m.master[order[i]]]);
        agree(&m, true);
    }
}

/* ---- thousands ---- */

#define FLEET 5000

static const char *numbered(int i)
{
    static char text[2][16];
    static int turn;
    char *to = text[turn++ % 2];
    snprintf(to, sizeof text[0], "s%05d", i);
    return to;
}

Test(topology, thousands_below_one_master_cost_one_visit_each_and_the_same_again_costs_nothing)
{
    for (int i = 1; i < FLEET; i++)
        say(numbered(i), "s00000");
    say("s00000", NULL);
    cr_expect_leq(fleet.visits, 3u * FLEET);
    const uint64_t visits = fleet.visits, reserved = room.reserved_count;
    for (int i = 1; i < FLEET; i++)
        say(numbered(i), "s00000");
    cr_expect_eq(fleet.visits, visits, "nothing has changed, so nothing was walked over");
    cr_expect_leq(room.reserved_count - reserved, (uint64_t)FLEET, "the second place of each kept look, once");
    const uint64_t settled = room.reserved_count;
    for (int i = 1; i < FLEET; i++)
        say(numbered(i), "s00000");
    cr_expect_eq(room.reserved_count, settled, "a look that adds nothing new reserves nothing");
    say("s00001", NULL);
    say("s00001", "s00002");
    cr_expect_leq(fleet.visits - visits, 4u, "moving one leaf is not the fleet's affair");
}

Test(topology, a_chain_of_a_thousand_is_as_deep_whichever_end_came_first)
{
    for (int i = 999; i > 0; i--)
        say(numbered(i), numbered(i - 1));
    cr_expect_str_eq(place_of("s00999"), "s00000 999");
    say("s00000", "s00999");
    cr_expect_str_eq(place_of("s00999"), "s00000 999 ring 1000");
    say("s00500", NULL);
    cr_expect_str_eq(place_of("s00499"), "s00500 999");
}

Test(topology, flapping_servers_for_long_do_not_grow_it)
{
    for (int i = 0; i < 200; i++)
        say(numbered(i), "s00000");
    const uint32_t capacity = fleet.capacity, names = fleet.names.capacity;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 200; i++) {
            const struct instance_key one = key(numbered(i));
            topology_forget(&fleet, &one);
        }
        for (int i = 0; i < 200; i++)
            say(numbered(i), numbered(round % 200));
    }
    cr_expect_eq(fleet.capacity, capacity);
    cr_expect_eq(fleet.names.capacity, names);
}
