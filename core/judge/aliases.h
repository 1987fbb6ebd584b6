/* Which cluster owns which alias: one alias a cluster, one cluster an alias. When two clusters claim one (a failover leaves the old
 * master behind with the answer that it always gave), the better claim has it: the operator's word, then a valid server's, a
 * writable one's, one with more replicas, the first by key. A server that a recovery has lost claims nothing. */
#ifndef FC_JUDGE_ALIASES_H
#define FC_JUDGE_ALIASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "judge/fleet.h"
#include "model/classification.h"

struct alias_claim;
struct aliases {
    struct room *room;
    struct names *names;             /* the topology's, borrowed */
    name_id *of;                     /* by member_id of the head; NAME_EMPTY: the cluster's own name */
    uint32_t capacity;
    struct alias_claim *claims;
    uint32_t claim_capacity;
    uint8_t *is_taken;               /* by name_id */
    uint32_t taken_capacity;
};

void aliases_init(struct aliases *aliases, struct room *room, struct names *names);
void aliases_done(struct aliases *aliases);            /* before the topology */

/* Anew, for the whole fleet: once a poll period, not once an event. False: no memory, and everything is as it was. */
bool aliases_choose(struct aliases *aliases, const struct fleet *fleet, struct classifications *classifications,
                    const struct classifier *classifier);
/* The alias of the cluster of this head, or the cluster's name. False: cut. */
bool aliases_text(const struct aliases *aliases, const struct topology *topology, member_id head, char *to, size_t size);
/* The known server that a person means: exactly this one, or the only one of this port whose host name has the text in it (not for
 * addresses). MEMBER_NONE: none, or more than one. */
member_id aliases_find_server(const struct topology *topology, const struct instance_key *key);
/* The head of the cluster that a person means: by the cluster's name, by alias, by a member's host:port, or by the one server whose
 * host name has the hint in it (not for addresses). MEMBER_NONE: none, or more than one. */
member_id aliases_find_cluster(const struct aliases *aliases, const struct topology *topology, const char *hint);
/* By alias alone. */
member_id aliases_find_alias(const struct aliases *aliases, const struct topology *topology, const char *alias);

#endif
