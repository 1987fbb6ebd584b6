/* Who replicates from whom: the servers of a fleet, the links between them, the clusters that these make. Facts, not judgement.
 *
 *      a:3306  head, depth 0            A cluster is what hangs together; it is named by its head, the server above all others.
 *      |-- b:3306  depth 1              Of a ring the head is who was the master before it closed, else the first by key.
 *      |   `-- d:3306  depth 2          A link is what the replica says of its master, never what a master lists.
 *      `-- c:3306  depth 1              A master that was never seen has a place too, so that its replicas have a cluster.
 *
 * An event costs what it changes: a look that says the same as before costs a table lookup, a replica that is moved costs the
 * servers below it; nothing costs the fleet (`visits` counts servers walked over, tests hold it to that).
 *
 * Names and slots are the topology's own; ids stay valid until the server is forgotten and are then used again. */
#ifndef FC_MODEL_TOPOLOGY_H
#define FC_MODEL_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/moment.h"
#include "base/room.h"
#include "model/instance.h"
#include "model/names.h"

#define MEMBER_NONE UINT32_MAX

typedef uint32_t member_id;

enum member_kind { MEMBER_FREE = 0, MEMBER_NAMED, MEMBER_KNOWN };    /* named: only as the master of somebody */
enum member_link { LINK_NONE = 0, LINK_REPLICATES, LINK_GROUP };     /* group: a secondary, below its primary, at its depth */

struct member {
    enum member_kind kind;
    name_id host;
    uint16_t port;

    enum member_link link;
    member_id master;                 /* MEMBER_NONE: it is a head */
    member_id first_replica, next_replica, previous_replica;
    uint32_t replica_count;           /* by LINK_REPLICATES */

    member_id head;                   /* of its cluster; its own id when it is the head */
    member_id next_in_cluster, previous_in_cluster;
    uint32_t depth;                   /* links by LINK_REPLICATES up to the head */
    uint32_t ring;                    /* servers in the ring that it is part of; 0 = in none. 2: a co-master */
    bool is_looped;                   /* replicates from itself: no link is made of that */

    member_id first_in_cluster;       /* of a head */
    uint32_t cluster_count;
    member_id next_head, previous_head;

    bool is_touched;
    member_id next_touched;
    member_id next_in_bucket;         /* or in the list of free slots */

    struct instance_kept kept;        /* the last observation; seen == NULL: never */
    struct fc_time attempted_at;      /* a look was sent that is not back yet; FC_EVER: none is under way */
    struct fc_time checked_at;        /* the last look ended, either way; FC_EVER: never looked */
    struct fc_time seen_at;           /* the last good look */
    bool is_seen;                     /* the last look that ended was good */
    bool is_partly_seen;              /* it was not, but the server answered */
};

struct topology {
    struct room *room;
    struct names names;
    struct member *members;
    uint32_t count, capacity;         /* slots that were used at some time; slots there are */
    uint32_t known, named;
    uint32_t limit;                   /* of servers, known and named */
    member_id free_head, first_head, first_touched;
    uint32_t head_count;
    member_id *buckets;
    uint32_t bucket_count;
    uint64_t visits;
};

/* Room is borrowed and outlives the topology. False: no memory. */
bool topology_init(struct topology *topology, struct room *room, uint32_t limit);
void topology_done(struct topology *topology);

/* A look came back. Readings that it lacks are taken from the one before. `master`: the master's key as it is resolved; NULL: as
 * the replica has it configured. `ret` may be NULL. FC_BUSY: the limit is reached; FC_BAD_INPUT: the key is none; nothing changes. */
enum fc_code topology_saw(struct topology *topology, const struct instance_seen *seen, const struct instance_key *master,
                          member_id *ret, struct fc_err *err);
/* A server that somebody named (a seed, a listed replica): known, and not seen yet. */
enum fc_code topology_add(struct topology *topology, const struct instance_key *key, member_id *ret, struct fc_err *err);
void topology_attempted(struct topology *topology, member_id id, struct fc_time at);
void topology_missed(struct topology *topology, member_id id, bool is_partly_seen, struct fc_time at);
/* It is known no more; while somebody replicates from it, it keeps its place, unseen. False: nobody knew it. */
bool topology_forget(struct topology *topology, const struct instance_key *key);

member_id topology_find(const struct topology *topology, const struct instance_key *key);     /* MEMBER_NONE */
const struct member *topology_member(const struct topology *topology, member_id id);
struct instance_key topology_key(const struct topology *topology, member_id id);              /* borrowed */
/* host:port, [v6]:port; the cluster's name is that of its head. False: cut. */
bool topology_key_text(const struct topology *topology, member_id id, char *to, size_t size);
/* Bytewise by host, then port. */
int topology_compare(const struct topology *topology, member_id a, member_id b);
/* Is `below` somewhere below `above`? By walking up links, so it holds for every kind of server. False for the same one. */
bool topology_is_below(struct topology *topology, member_id below, member_id above);

/* Walking: the first, then each next one; MEMBER_NONE ends. Replicas: those that replicate from it, not secondaries of its group. */
member_id topology_first_replica(const struct topology *topology, member_id master);
member_id topology_next_replica(const struct topology *topology, member_id replica);
/* Clusters by their heads (first_head, next_head), their servers by first_in_cluster of the head and next_in_cluster. */
/* Servers whose place, cluster, depth, ring or replicas have changed since they were last taken from here. */
member_id topology_take_touched(struct topology *topology);
void topology_touch(struct topology *topology, member_id id);

#endif
