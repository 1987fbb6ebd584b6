/* The rules of the arbiter `quorum`. */
#include "sim/judge_raft.h"

#include "backends/quorum/quorum_chair.h"
#include "base/text.h"
#include "sim/world.h"

#define HAND_OVER_ELECTIONS 6        /* by then a witness that was elected has given leadership to a node that could take it */
#define HAND_OVER_MORE_US 500000

static const char *name_of(int node) { return party_name(party_node(node)); }

void judge_raft_init(struct world *world)
{
    struct judged_raft *j = &world->judge.raft;
    *j = (struct judged_raft){ .left_at = { -1, -1 } };
}

/* By a clock that runs as slowly as is promised. */
static int64_t at_most_us(const struct config *c, int64_t ms) { return ms * 1000 * 100 / (100 - c->drift_percent) + 1000; }

static int64_t raft_lease_ms(const struct config *c) { return (int64_t)c->raft_election_ms * 3 / 4; }

/* ---- links -------------------------------------------------------------------------------------------------------- */

static bool is_awake(const struct world *world, int node)
{
    return world->nodes[node].is_up && !world->nodes[node].is_frozen && !raft_stands_still(world, node);
}

static bool is_prompt(const struct world *world, int a, int b)
{
    return world->net.late_us[party_node(a)][party_node(b)] + world->net.late_us[party_node(b)][party_node(a)] == 0;
}

/* How many it could have an answer of, itself among them. */
static int reached_by(const struct world *world, int node, bool promptly)
{
    int count = 0;
    for (int i = 0; i < world->node_count; i++)
        count += i == node || (is_awake(world, i) && net_talks(&world->net, party_node(node), party_node(i)) &&
                               (!promptly || is_prompt(world, node, i)));
    return count;
}

static bool has_majority(const struct world *world, int node, bool promptly)
{
    return world->nodes[node].is_up && reached_by(world, node, promptly) > world->node_count / 2;
}

static void judge_standing(struct world *world, int node)
{
    const struct sim_node *n = &world->nodes[node];
    if (!n->is_up || world_is_witness(world, node) || !n->core->stands || n->core->is_stopping)
        world->judge.raft.stands_not_at[node] = world->now;
    if (!n->is_up || n->chair == NULL || quorum_chair_view(n->chair)->role != QUORUM_LEADER)
        world->judge.raft.follows_at[node] = world->now;
}

/* It hands leadership over at once to a node that could have it: that answered it, and a majority, in time, since before it was elected. */
static void judge_witness(struct world *world, int witness)
{
    struct judged_raft *j = &world->judge.raft;
    const int64_t led_us = world->now - j->follows_at[witness];
    const int64_t most_us = HAND_OVER_ELECTIONS * (int64_t)world->config.raft_election_ms * 1000 + HAND_OVER_MORE_US;
    if (led_us < most_us)
        return;
    for (int i = 0; i < world->node_count; i++) {
        if (j->stands_not_at[i] < world->now - most_us && j->hindered_at[i] < world->now - most_us && j->hindered_at[witness] < world->now - most_us &&
            j->apart_at[witness][i] < world->now - most_us && j->apart_at[i][witness] < world->now - most_us)
            violate(world, "%s, a witness, has led for %lld ms, and %s could all the time", name_of(witness), (long long)(led_us / 1000), name_of(i));
    }
}

/* The latest moment since which a majority can have given this node its word: each when it could be talked to, not all at one time. */
static int64_t confirmed_at_most(struct world *world, int node)
{
    struct judged_raft *j = &world->judge.raft;
    int64_t moments[SIM_NODES_MAX];
    for (int i = 0; i < world->node_count; i++) {
        if (world->nodes[node].is_up && (i == node || (is_awake(world, i) && net_talks(&world->net, party_node(node), party_node(i)))))
            j->talked_at[node][i] = world->now;
        int at = i;
        for (; at > 0 && moments[at - 1] < j->talked_at[node][i]; at--)
            moments[at] = moments[at - 1];
        moments[at] = j->talked_at[node][i];
    }
    return moments[world->node_count / 2];
}

/* Its directory is laid: before, it answers nobody. */
static bool is_founded(const struct world *world, int node)
{
    const struct sim_node *n = &world->nodes[node];
    return n->chair != NULL && quorum_chair_view(n->chair)->role != QUORUM_STARTING;
}

void judge_raft_step(struct world *world)
{
    struct judged_raft *j = &world->judge.raft;
    for (int n = 0; n < world->node_count; n++)
        j->majority_at[n] = confirmed_at_most(world, n);
    for (int n = 0; n < world->node_count; n++) {
        for (int i = 0; i < world->node_count; i++) {
            if ((i == n || net_talks(&world->net, party_node(n), party_node(i))) && j->majority_at[i] > j->could_hear_at[n])
                j->could_hear_at[n] = j->majority_at[i];
        }
        for (int i = 0; i < world->node_count; i++) {
            if (!is_awake(world, i) || !is_founded(world, i) || !net_talks(&world->net, party_node(n), party_node(i)) || !is_prompt(world, n, i))
                j->apart_at[n][i] = world->now;
        }
        if (!is_awake(world, n) || !has_majority(world, n, true) || world->raft.mangle_percent > 0 || world->foreign_fresh > 0)
            j->hindered_at[n] = world->now;
        judge_standing(world, n);
    }
    for (int n = world->node_count - world->script.witness_count; n < world->node_count; n++)
        judge_witness(world, n);
}

bool judge_raft_is_eligible(const struct world *world, int node, int64_t since)
{
    return !world_has_quorum(world) || world->judge.raft.hindered_at[node] < since;
}

/* ---- the log ------------------------------------------------------------------------------------------------------ */

void judge_chair_applied(struct world *world, int node, const struct decision *chair)
{
    struct judged_raft *j = &world->judge.raft;
    judge_decision(world, name_of(node), chair);
    if (rank_compare(&chair->rank, &j->chair.rank) <= 0)
        return;
    judge_gone_beyond(world, &j->chair);
    tell(world, name_of(node), "the log: epoch %llu seq %llu %s `%s` by %s", (unsigned long long)chair->rank.epoch,
         (unsigned long long)chair->rank.seq, phase_word(chair->phase), chair->why, chair->rank.node);
    j->chair = *chair;
    for (int i = 0; i < SIM_SERVERS; i++) {
        const bool sits = chair->phase == PHASE_SEATED && text_is(chair->rank.server, world->servers[i].identity);
        if (sits)
            j->left_at[i] = -1;
        else if (j->has_sat[i] && j->left_at[i] < 0)
            j->left_at[i] = world->now;
        j->has_sat[i] = j->has_sat[i] || sits;
    }
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

void judge_raft_says(struct world *world, int node, int server)
{
    const struct judged_raft *j = &world->judge.raft;
    const struct config *c = &world->config;
    const int64_t cut_us = world->now - j->could_hear_at[node];
    if (cut_us > at_most_us(c, c->term_ms + raft_lease_ms(c)))
        violate(world, "%s speaks, and for %lld ms nobody with a majority could talk to it", name_of(node), (long long)(cut_us / 1000));
    if (server < 0 || j->left_at[server] < 0)
        return;
    const int64_t left_us = world->now - j->left_at[server];
    if (left_us > at_most_us(c, c->term_ms))
        violate(world, "%s gives the token for %s, %lld ms after the log took it out of the chair", name_of(node), SERVER_NAME(server),
                (long long)(left_us / 1000));
}

void judge_raft_opened_unfenced(struct world *world, int server, int old)
{
    for (int i = 0; i < world->node_count; i++) {
        if (world->nodes[i].is_up && !world->nodes[i].is_frozen && (node_words(world, i) >> (2 * old) & 3) == 1)
            violate(world, "%s is opened unfenced while %s speaks for %s", SERVER_NAME(server), name_of(i), SERVER_NAME(old));
    }
}

/* Connections that were cut are made anew within that. */
void judge_raft_lapse(struct world *world, int node)
{
    const struct config *c = &world->config;
    const int64_t unhindered_us = world->now - world->judge.raft.hindered_at[node], anew_us = 3 * (int64_t)c->raft_election_ms * 1000 + 1000000;
    int near = 1;
    for (int i = 0; i < world->node_count; i++)
        near += i != node && world->now - world->judge.raft.apart_at[node][i] > anew_us;
    if (unhindered_us > anew_us && near > world->node_count / 2)
        violate(world, "the lease of %s runs out, and for %lld ms nothing has kept a majority from answering it", name_of(node),
                (long long)(unhindered_us / 1000));
}
