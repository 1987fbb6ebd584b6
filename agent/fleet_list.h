/* Servers picked from the picture, in an order that the API promises. */
#ifndef FC_AGENT_FLEET_LIST_H
#define FC_AGENT_FLEET_LIST_H

#include "agent/picture.h"

struct fleet_list { member_id *ids; uint32_t count, capacity; bool is_short; };     /* is_short: memory was out */

/* Begin with zeros. */
void fleet_list_add(struct fleet_list *list, member_id id);
void fleet_list_done(struct fleet_list *list);

typedef bool fleet_test(const struct picture *picture, member_id id, const void *asked);
/* All known servers that pass (NULL: all); of one cluster unless head is MEMBER_NONE. */
void fleet_list_pick(struct fleet_list *list, const struct picture *picture, member_id head, fleet_test *test, const void *asked);
void fleet_list_replicas(struct fleet_list *list, const struct picture *picture, member_id master);     /* by key */
/* The heads of all clusters with a known server, by name. */
void fleet_list_clusters(struct fleet_list *list, const struct picture *picture);

void fleet_list_by_key(struct fleet_list *list, const struct picture *picture);
/* Depth, then more replicas first, then the cluster's name, then key: as all-instances and search are told. */
void fleet_list_by_place(struct fleet_list *list, const struct picture *picture);
/* As replication-analysis is told: masters, heads, more replicas first, then key. Of servers with a verdict. */
void fleet_list_by_weight(struct fleet_list *list, const struct picture *picture);

/* Replicas whose lag stands for the cluster's (spec/discovery.md 14b): up to two of the first tier with most replicas, of their replicas
 * up to two, of the third tier up to two, up to two leaves of the first tier. */
void fleet_list_osc(struct fleet_list *list, const struct picture *picture, member_id head);
/* Replicas fit for gh-ost: valid, ROW, relogging, fewest replicas first. */
void fleet_list_gh_ost(struct fleet_list *list, const struct picture *picture, member_id head);
/* The largest lag of those that tell one; 0 when nobody does. */
int64_t fleet_list_lag(const struct fleet_list *list, const struct picture *picture);

/* The master of the cluster: the head or a co-master; a writable one before others, then the lesser depth, then key. NONE: not known. */
member_id fleet_master(const struct picture *picture, member_id head, bool must_be_writable);

#endif
