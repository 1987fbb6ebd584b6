/* Ids in an array, sorted by one comparison each. */
#include "agent/fleet_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define FIRST_CAPACITY 16u
#define OSC_OF_A_KIND 2

void fleet_list_add(struct fleet_list *list, member_id id)
{
    if (list->count == list->capacity) {
        const uint32_t capacity = list->capacity == 0 ? FIRST_CAPACITY : list->capacity * 2;
        member_id *ids = realloc(list->ids, capacity * sizeof *ids);
        if (ids == NULL) {
            list->is_short = true;
            return;
        }
        list->ids = ids;
        list->capacity = capacity;
    }
    list->ids[list->count++] = id;
}

void fleet_list_done(struct fleet_list *list)
{
    free(list->ids);
    *list = (struct fleet_list){ 0 };
}

/* ---- picking ---- */

static bool is_known(const struct picture *picture, member_id id)
{
    return topology_member(picture->topology, id)->kind == MEMBER_KNOWN;
}

void fleet_list_pick(struct fleet_list *list, const struct picture *picture, member_id head, fleet_test *test, const void *asked)
{
    if (head == MEMBER_NONE) {
        for (member_id id = 0; id < picture->topology->count; id++) {
            if (is_known(picture, id) && (test == NULL || test(picture, id, asked)))
                fleet_list_add(list, id);
        }
        return;
    }
    for (member_id id = topology_member(picture->topology, head)->first_in_cluster; id != MEMBER_NONE;
         id = topology_member(picture->topology, id)->next_in_cluster) {
        if (is_known(picture, id) && (test == NULL || test(picture, id, asked)))
            fleet_list_add(list, id);
    }
}

void fleet_list_replicas(struct fleet_list *list, const struct picture *picture, member_id master)
{
    for (member_id id = topology_first_replica(picture->topology, master); id != MEMBER_NONE;
         id = topology_next_replica(picture->topology, id)) {
        if (is_known(picture, id))
            fleet_list_add(list, id);
    }
    fleet_list_by_key(list, picture);
}

void fleet_list_clusters(struct fleet_list *list, const struct picture *picture)
{
    for (member_id head = picture->topology->first_head; head != MEMBER_NONE; head = topology_member(picture->topology, head)->next_head)
        fleet_list_add(list, head);
    fleet_list_by_key(list, picture);
}

/* ---- orders ---- */

typedef int comparison(const void *a, const void *b, void *asker);

static void sort(struct fleet_list *list, const struct picture *picture, comparison *compare)
{
    if (list->count > 1)
        qsort_r(list->ids, list->count, sizeof *list->ids, compare, (void *)picture);
}

static int by_key(const void *a, const void *b, void *asker)
{
    const struct picture *picture = asker;
    return topology_compare(picture->topology, *(const member_id *)a, *(const member_id *)b);
}

static int more_first(uint32_t a, uint32_t b) { return (a < b) - (a > b); }
static int less_first(uint32_t a, uint32_t b) { return more_first(b, a); }

static int by_place(const void *a, const void *b, void *asker)
{
    const struct picture *picture = asker;
    const struct member *first = topology_member(picture->topology, *(const member_id *)a);
    const struct member *second = topology_member(picture->topology, *(const member_id *)b);
    int order = less_first(first->depth, second->depth);
    if (order == 0)
        order = more_first(first->replica_count, second->replica_count);
    if (order == 0 && first->head != second->head)
        order = topology_compare(picture->topology, first->head, second->head);
    return order != 0 ? order : by_key(a, b, asker);
}

static int by_weight(const void *a, const void *b, void *asker)
{
    const struct picture *picture = asker;
    const member_id first = *(const member_id *)a, second = *(const member_id *)b;
    const struct analysis_facts one = fleet_facts(picture->fleet, first), two = fleet_facts(picture->fleet, second);
    const int order = analysis_order(&one, topology_member(picture->topology, first)->head == first, &two,
                                     topology_member(picture->topology, second)->head == second);
    return order != 0 ? order : by_key(a, b, asker);
}

static int by_fewest_replicas(const void *a, const void *b, void *asker)
{
    const struct picture *picture = asker;
    const int order = less_first(topology_member(picture->topology, *(const member_id *)a)->replica_count,
                                 topology_member(picture->topology, *(const member_id *)b)->replica_count);
    return order != 0 ? order : by_key(a, b, asker);
}

static int by_most_replicas(const void *a, const void *b, void *asker)
{
    const struct picture *picture = asker;
    const int order = more_first(topology_member(picture->topology, *(const member_id *)a)->replica_count,
                                 topology_member(picture->topology, *(const member_id *)b)->replica_count);
    return order != 0 ? order : by_key(a, b, asker);
}

void fleet_list_by_key(struct fleet_list *list, const struct picture *picture) { sort(list, picture, by_key); }
void fleet_list_by_place(struct fleet_list *list, const struct picture *picture) { sort(list, picture, by_place); }
void fleet_list_by_weight(struct fleet_list *list, const struct picture *picture) { sort(list, picture, by_weight); }

/* ---- those that stand for a cluster ---- */

static bool is_binlog_server(const struct member *member)
{
    return member->kept.seen != NULL && member->kept.seen->flavour == FLAVOUR_MAXSCALE;
}

struct osc_wish { uint32_t depth; bool has_replicas, is_leaf; member_id master; };      /* master NONE: of any */

static bool is_for_osc(const struct picture *picture, member_id id, const void *asked)
{
    const struct osc_wish *wish = asked;
    const struct member *m = topology_member(picture->topology, id);
    return m->is_seen && m->depth == wish->depth && !is_binlog_server(m) && (!wish->has_replicas || m->replica_count > 0) &&
           (!wish->is_leaf || m->replica_count == 0) && (wish->master == MEMBER_NONE || m->master == wish->master) &&
           !host_filters_fit_host(picture->osc_ignored, topology_key(picture->topology, id).host);
}

static void add_busiest(struct fleet_list *list, const struct picture *picture, member_id head, const struct osc_wish *wish, uint32_t most)
{
    struct fleet_list fit = { 0 };
    fleet_list_pick(&fit, picture, head, is_for_osc, wish);
    sort(&fit, picture, by_most_replicas);
    for (uint32_t i = 0; i < fit.count && i < most; i++)
        fleet_list_add(list, fit.ids[i]);
    list->is_short = list->is_short || fit.is_short;
    fleet_list_done(&fit);
}

void fleet_list_osc(struct fleet_list *list, const struct picture *picture, member_id head)
{
    add_busiest(list, picture, head, &(struct osc_wish){ 1, true, false, MEMBER_NONE }, OSC_OF_A_KIND);
    const uint32_t first_tier = list->count;
    for (uint32_t i = 0; i < first_tier; i++)
        add_busiest(list, picture, head, &(struct osc_wish){ 2, false, false, list->ids[i] }, first_tier == 1 ? OSC_OF_A_KIND : 1);
    add_busiest(list, picture, head, &(struct osc_wish){ 3, false, false, MEMBER_NONE }, OSC_OF_A_KIND);
    add_busiest(list, picture, head, &(struct osc_wish){ 1, false, true, MEMBER_NONE }, OSC_OF_A_KIND);
}

static bool is_for_gh_ost(const struct picture *picture, member_id id, const void *asked)
{
    const struct member *m = topology_member(picture->topology, id);
    const struct instance_seen *seen = m->kept.seen;
    (void)asked;
    return m->is_seen && m->depth > 0 && seen != NULL && text_is(seen->binlog_format, "ROW") && seen->has_log && seen->relogs &&
           !is_binlog_server(m);
}

void fleet_list_gh_ost(struct fleet_list *list, const struct picture *picture, member_id head)
{
    fleet_list_pick(list, picture, head, is_for_gh_ost, NULL);
    sort(list, picture, by_fewest_replicas);
}

int64_t fleet_list_lag(const struct fleet_list *list, const struct picture *picture)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct instance_seen *seen = topology_member(picture->topology, list->ids[i])->kept.seen;
        const struct channel_seen *channel = seen == NULL ? NULL : instance_channel(seen);
        if (channel != NULL && channel->lag_s > most)
            most = channel->lag_s;
    }
    return most;
}

static bool is_writable(const struct member *member)
{
    return member->kept.seen != NULL && !member->kept.seen->is_read_only;
}

static bool is_better_master(const struct picture *picture, member_id a, member_id than)
{
    if (than == MEMBER_NONE)
        return true;
    const struct member *one = topology_member(picture->topology, a), *other = topology_member(picture->topology, than);
    if (is_writable(one) != is_writable(other))
        return is_writable(one);
    if (one->depth != other->depth)
        return one->depth < other->depth;
    return topology_compare(picture->topology, a, than) < 0;
}

/* In a ring everybody of it is a master, else the head alone: so the walk is over the cluster only where there is a ring. */
member_id fleet_master(const struct picture *picture, member_id head, bool must_be_writable)
{
    member_id best = MEMBER_NONE;
    const struct member *m = topology_member(picture->topology, head);
    for (member_id id = m->ring > 0 ? m->first_in_cluster : head; id != MEMBER_NONE;
         id = m->ring > 0 ? topology_member(picture->topology, id)->next_in_cluster : MEMBER_NONE) {
        const struct member *at = topology_member(picture->topology, id);
        if (at->kind == MEMBER_KNOWN && (at->ring > 0 || id == head) && (is_writable(at) || !must_be_writable) &&
            is_better_master(picture, id, best))
            best = id;
    }
    return best;
}
