/* Links in an array of slots. A change first cuts the server off, which makes it a head with all that is below it, and then puts
 * it below its new master; both times only what is below it is walked over. */
#include "model/topology.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

#define FIRST_CAPACITY 64u

static struct member *at(const struct topology *t, member_id id)
{
    assert(id < t->count);
    return &t->members[id];
}

/* ---- slots and keys ---- */

static member_id *bucket_of(const struct topology *t, name_id host, uint16_t port)
{
    const uint32_t hash = (host * 2654435761u) ^ (port * 40503u);
    return &t->buckets[(hash ^ hash >> 15) & (t->bucket_count - 1)];
}

static member_id find(const struct topology *t, name_id host, uint16_t port)
{
    if (host == NAME_EMPTY)
        return MEMBER_NONE;
    member_id id = *bucket_of(t, host, port);
    while (id != MEMBER_NONE && (at(t, id)->host != host || at(t, id)->port != port))
        id = at(t, id)->next_in_bucket;
    return id;
}

member_id topology_find(const struct topology *t, const struct instance_key *key)
{
    return key->host == NULL ? MEMBER_NONE : find(t, names_find(&t->names, key->host, strlen(key->host)), key->port);
}

static void put_in_bucket(struct topology *t, member_id id)
{
    member_id *bucket = bucket_of(t, at(t, id)->host, at(t, id)->port);
    at(t, id)->next_in_bucket = *bucket;
    *bucket = id;
}

static void take_from_bucket(struct topology *t, member_id id)
{
    member_id *place = bucket_of(t, at(t, id)->host, at(t, id)->port);
    while (*place != id)
        place = &at(t, *place)->next_in_bucket;
    *place = at(t, id)->next_in_bucket;
}

static bool grow(struct topology *t)
{
    const uint32_t capacity = t->capacity == 0 ? FIRST_CAPACITY : t->capacity * 2;
    struct member *members = room_reserve(t->room, capacity * sizeof *members);
    member_id *buckets = room_reserve(t->room, capacity * sizeof *buckets);
    if (members == NULL || buckets == NULL) {
        room_release(t->room, members);
        room_release(t->room, buckets);
        return false;
    }
    if (t->count > 0)
        memcpy(members, t->members, t->count * sizeof *members);
    room_release(t->room, t->members);
    room_release(t->room, t->buckets);
    t->members = members;
    t->buckets = buckets;
    t->capacity = t->bucket_count = capacity;
    memset(buckets, 0xff, capacity * sizeof *buckets);           /* MEMBER_NONE everywhere */
    for (member_id id = 0; id < t->count; id++) {
        if (members[id].kind != MEMBER_FREE)
            put_in_bucket(t, id);
    }
    return true;
}

/* Room for `wanted` more, so that what follows cannot fail half way and no pointer moves under it. */
static bool has_slots(struct topology *t, uint32_t wanted)
{
    while (t->capacity - (t->known + t->named) < wanted) {
        if (!grow(t))
            return false;
    }
    return true;
}

bool topology_init(struct topology *t, struct room *room, uint32_t limit)
{
    *t = (struct topology){ .room = room, .limit = limit, .free_head = MEMBER_NONE, .first_head = MEMBER_NONE,
                            .first_touched = MEMBER_NONE };
    if (names_init(&t->names, room) && grow(t))
        return true;
    topology_done(t);
    return false;
}

void topology_done(struct topology *t)
{
    for (member_id id = 0; id < t->count; id++)
        instance_release(t->room, &t->members[id].kept);
    if (t->room != NULL) {
        names_done(&t->names);
        room_release(t->room, t->members);
        room_release(t->room, t->buckets);
    }
    *t = (struct topology){ 0 };
}

void topology_touch(struct topology *t, member_id id)
{
    struct member *m = at(t, id);
    if (m->is_touched)
        return;
    m->is_touched = true;
    m->next_touched = t->first_touched;
    t->first_touched = id;
}

member_id topology_take_touched(struct topology *t)
{
    const member_id id = t->first_touched;
    if (id != MEMBER_NONE) {
        t->first_touched = at(t, id)->next_touched;
        at(t, id)->is_touched = false;
    }
    return id;
}

/* ---- clusters ---- */

static void become_head(struct topology *t, member_id id)
{
    struct member *m = at(t, id);
    m->previous_head = MEMBER_NONE;
    m->next_head = t->first_head;
    if (t->first_head != MEMBER_NONE)
        at(t, t->first_head)->previous_head = id;
    t->first_head = id;
    t->head_count++;
}

static void cease_as_head(struct topology *t, member_id id)
{
    struct member *m = at(t, id);
    if (m->previous_head == MEMBER_NONE)
        t->first_head = m->next_head;
    else
        at(t, m->previous_head)->next_head = m->next_head;
    if (m->next_head != MEMBER_NONE)
        at(t, m->next_head)->previous_head = m->previous_head;
    t->head_count--;
}

static void leave_cluster(struct topology *t, member_id id)
{
    struct member *m = at(t, id), *head = at(t, m->head);
    if (m->previous_in_cluster == MEMBER_NONE)
        head->first_in_cluster = m->next_in_cluster;
    else
        at(t, m->previous_in_cluster)->next_in_cluster = m->next_in_cluster;
    if (m->next_in_cluster != MEMBER_NONE)
        at(t, m->next_in_cluster)->previous_in_cluster = m->previous_in_cluster;
    head->cluster_count--;
    if (m->head == id)
        cease_as_head(t, id);
    m->head = MEMBER_NONE;
}

static void enter_cluster(struct topology *t, member_id id, member_id head_id)
{
    struct member *m = at(t, id), *head = at(t, head_id);
    if (id == head_id)
        become_head(t, id);
    m->head = head_id;
    m->previous_in_cluster = MEMBER_NONE;
    m->next_in_cluster = head->first_in_cluster;
    if (head->first_in_cluster != MEMBER_NONE)
        at(t, head->first_in_cluster)->previous_in_cluster = id;
    head->first_in_cluster = id;
    head->cluster_count++;
}

static uint32_t depth_of(const struct topology *t, member_id id, member_id head)
{
    const struct member *m = at(t, id);
    return id == head ? 0 : at(t, m->master)->depth + (m->link == LINK_REPLICATES ? 1 : 0);
}

static void place(struct topology *t, member_id id, member_id head)
{
    struct member *m = at(t, id);
    const uint32_t depth = depth_of(t, id, head);
    t->visits++;
    if (m->head != head || m->depth != depth)
        topology_touch(t, id);
    if (m->head != head) {
        if (m->head != MEMBER_NONE)
            leave_cluster(t, id);
        enter_cluster(t, id, head);
    }
    m->depth = depth;
}

/* In a ring the head is below somebody as well; from there it is not entered again. */
static member_id passing_over(const struct topology *t, member_id id, member_id head)
{
    return id == head && id != MEMBER_NONE ? at(t, id)->next_replica : id;
}

/* Puts all that is below `top`, and itself, into the cluster of `head`. Masters come before their replicas. */
static void place_all(struct topology *t, member_id top, member_id head)
{
    member_id id = top;
    for (;;) {
        place(t, id, head);
        member_id next = passing_over(t, at(t, id)->first_replica, head);
        while (next == MEMBER_NONE) {
            if (id == top)
                return;
            next = passing_over(t, at(t, id)->next_replica, head);
            if (next == MEMBER_NONE)
                id = at(t, id)->master;
        }
        id = next;
    }
}

int topology_compare(const struct topology *t, member_id a, member_id b)
{
    const struct instance_key key_a = topology_key(t, a), key_b = topology_key(t, b);
    return instance_key_compare(&key_a, &key_b);
}

static uint32_t ring_length(const struct topology *t, member_id start)
{
    uint32_t count = 1;
    for (member_id id = at(t, start)->master; id != start; id = at(t, id)->master)
        count++;
    return count;
}

static void close_ring(struct topology *t, member_id start, bool was_master)
{
    const uint32_t length = ring_length(t, start);
    member_id head = start, id = start;
    do {
        at(t, id)->ring = length;
        topology_touch(t, id);
        t->visits++;
        if (!was_master && topology_compare(t, id, head) < 0)
            head = id;
        id = at(t, id)->master;
    } while (id != start);
    place_all(t, head, head);
}

/* ---- links ---- */

static void cut(struct topology *t, member_id id)
{
    struct member *m = at(t, id);
    if (m->link == LINK_NONE)
        return;
    const member_id master = m->master;
    if (m->previous_replica == MEMBER_NONE)
        at(t, master)->first_replica = m->next_replica;
    else
        at(t, m->previous_replica)->next_replica = m->next_replica;
    if (m->next_replica != MEMBER_NONE)
        at(t, m->next_replica)->previous_replica = m->previous_replica;
    at(t, master)->replica_count -= m->link == LINK_REPLICATES;
    if (m->ring > 0) {
        member_id one = id;
        do {
            at(t, one)->ring = 0;
            topology_touch(t, one);
            one = at(t, one)->master;
        } while (one != id);
    }
    m->link = LINK_NONE;
    m->master = MEMBER_NONE;
    topology_touch(t, master);
    topology_touch(t, id);
    place_all(t, id, id);
}

static void join(struct topology *t, member_id id, member_id master, enum member_link link, bool was_master)
{
    struct member *m = at(t, id), *above = at(t, master);
    m->link = link;
    m->master = master;
    m->previous_replica = MEMBER_NONE;
    m->next_replica = above->first_replica;
    if (above->first_replica != MEMBER_NONE)
        at(t, above->first_replica)->previous_replica = id;
    above->first_replica = id;
    above->replica_count += link == LINK_REPLICATES;
    topology_touch(t, master);
    topology_touch(t, id);
    if (above->head == id)
        close_ring(t, id, was_master);
    else
        place_all(t, id, above->head);
}

static void free_slot(struct topology *t, member_id id)
{
    struct member *m = at(t, id);
    topology_touch(t, id);           /* those who keep something beside it learn that it is gone */
    leave_cluster(t, id);
    take_from_bucket(t, id);
    names_drop(&t->names, m->host);
    t->named--;
    *m = (struct member){ .is_touched = true, .next_touched = m->next_touched, .next_in_bucket = t->free_head };
    t->free_head = id;
}

static void drop_if_unused(struct topology *t, member_id id)
{
    if (id != MEMBER_NONE && at(t, id)->kind == MEMBER_NAMED && at(t, id)->first_replica == MEMBER_NONE)
        free_slot(t, id);
}

/* A slot for a key that has none; has_slots() was asked before. False: no memory for its name. */
static bool take_slot(struct topology *t, const struct instance_key *key, member_id *ret)
{
    name_id host;
    if (!names_use(&t->names, key->host, strlen(key->host), &host))
        return false;
    member_id id = t->free_head;
    if (id != MEMBER_NONE)
        t->free_head = t->members[id].next_in_bucket;
    else
        id = t->count++;
    struct member *m = at(t, id);
    *m = (struct member){ .kind = MEMBER_NAMED, .host = host, .port = key->port, .master = MEMBER_NONE, .first_replica = MEMBER_NONE,
                          .head = MEMBER_NONE, .first_in_cluster = MEMBER_NONE, .is_touched = m->is_touched,
                          .next_touched = m->next_touched, .attempted_at = FC_EVER, .checked_at = FC_EVER, .seen_at = FC_EVER };
    put_in_bucket(t, id);
    t->named++;
    place(t, id, id);
    *ret = id;
    return true;
}

static enum fc_code find_or_take(struct topology *t, const struct instance_key *key, member_id *ret, struct fc_err *err)
{
    *ret = topology_find(t, key);
    if (*ret != MEMBER_NONE || take_slot(t, key, ret))
        return FC_OK;
    return fc_fail(err, FC_NO_MEMORY, "server %s:%u: out of memory", key->host, key->port);
}

/* ---- what comes from outside ---- */

/* The master as this observation tells it. False: it replicates from nobody. */
static bool master_of(const struct instance_seen *seen, const struct instance_key *resolved, struct instance_key *ret,
                      enum member_link *link)
{
    const struct channel_seen *channel = instance_channel(seen);
    if (channel != NULL) {
        *ret = resolved != NULL ? *resolved : channel->master;
        *link = LINK_REPLICATES;
        return instance_key_is_valid(ret);
    }
    if (text_is(seen->group_name, "") || text_is(seen->group_role, "PRIMARY"))
        return false;
    for (uint32_t i = 0; i < seen->member_count; i++) {
        if (text_is(seen->members[i].role, "PRIMARY")) {
            *ret = seen->members[i].key;
            *link = LINK_GROUP;
            return instance_key_is_valid(ret);
        }
    }
    return false;
}

static enum fc_code check(struct topology *t, const struct instance_key *key, const struct instance_key *master, struct fc_err *err)
{
    if (!instance_key_is_valid(key))
        return fc_fail(err, FC_BAD_INPUT, "'%s:%u' names no server", key->host == NULL ? "" : key->host, key->port);
    if (strlen(key->host) > INSTANCE_HOST_MAX || (master != NULL && strlen(master->host) > INSTANCE_HOST_MAX))
        return fc_fail(err, FC_BAD_INPUT, "server %s:%u: a host name has at most %d bytes", key->host, key->port, INSTANCE_HOST_MAX);
    const uint32_t fresh = (topology_find(t, key) == MEMBER_NONE) + (master != NULL && topology_find(t, master) == MEMBER_NONE);
    if (t->known + t->named + fresh > t->limit)
        return fc_fail(err, FC_BUSY, "server %s:%u: %u servers are known, which is the bound", key->host, key->port,
                       t->known + t->named);
    if (!has_slots(t, 2))
        return fc_fail(err, FC_NO_MEMORY, "server %s:%u: out of memory", key->host, key->port);
    return FC_OK;
}

static void make_known(struct topology *t, member_id id)
{
    struct member *m = at(t, id);
    if (m->kind == MEMBER_KNOWN)
        return;
    m->kind = MEMBER_KNOWN;
    t->known++;
    t->named--;
    topology_touch(t, id);
}

static void relink(struct topology *t, member_id id, member_id master, enum member_link link, bool was_master)
{
    struct member *m = at(t, id);
    const member_id old = m->master;
    m->is_looped = master == id;
    if (m->is_looped) {
        master = MEMBER_NONE;
        link = LINK_NONE;
    }
    if (old == master && m->link == link)
        return;
    cut(t, id);
    if (link != LINK_NONE)
        join(t, id, master, link, was_master);
    drop_if_unused(t, old);
}

enum fc_code topology_add(struct topology *t, const struct instance_key *key, member_id *ret, struct fc_err *err)
{
    member_id id;
    enum fc_code code = check(t, key, NULL, err);
    if (code == FC_OK)
        code = find_or_take(t, key, &id, err);
    if (code != FC_OK)
        return code;
    make_known(t, id);
    if (ret != NULL)
        *ret = id;
    return FC_OK;
}

/* Observation and link of a server that has a slot; what may fail comes first. */
static enum fc_code fold_in(struct topology *t, member_id id, const struct instance_seen *seen, const struct instance_key *master_key,
                            enum member_link link, struct fc_err *err)
{
    struct member *m = at(t, id);
    const bool was_master = m->kept.seen != NULL && m->link == LINK_NONE;
    member_id master = MEMBER_NONE;
    if (link != LINK_NONE) {
        const enum fc_code code = find_or_take(t, master_key, &master, err);
        if (code != FC_OK)
            return code;
    }
    if (!instance_keep(t->room, &m->kept, seen)) {
        drop_if_unused(t, master);
        return fc_fail(err, FC_NO_MEMORY, "server %s:%u: out of memory", seen->key.host, seen->key.port);
    }
    make_known(t, id);
    relink(t, id, master, link, was_master);
    m->is_seen = true;
    m->is_partly_seen = false;
    m->seen_at = m->checked_at = seen->seen_at;
    m->attempted_at = FC_EVER;
    return FC_OK;
}

enum fc_code topology_saw(struct topology *t, const struct instance_seen *seen, const struct instance_key *resolved, member_id *ret,
                          struct fc_err *err)
{
    struct instance_seen whole = *seen;
    struct instance_key master;
    enum member_link link = LINK_NONE;
    member_id id = topology_find(t, &seen->key);
    if (id != MEMBER_NONE && at(t, id)->kept.seen != NULL)
        instance_carry(&whole, at(t, id)->kept.seen);
    const bool has_master = master_of(&whole, resolved, &master, &link);
    if (!has_master)
        link = LINK_NONE;

    enum fc_code code = check(t, &seen->key, has_master ? &master : NULL, err);
    if (code == FC_OK)
        code = find_or_take(t, &seen->key, &id, err);
    if (code != FC_OK)
        return code;
    code = fold_in(t, id, &whole, &master, link, err);
    if (code != FC_OK) {
        drop_if_unused(t, id);
        return code;
    }
    if (ret != NULL)
        *ret = id;
    return FC_OK;
}

void topology_attempted(struct topology *t, member_id id, struct fc_time when)
{
    at(t, id)->attempted_at = when;
}

void topology_missed(struct topology *t, member_id id, bool is_partly_seen, struct fc_time when)
{
    struct member *m = at(t, id);
    if (fc_is_ever(m->checked_at))
        topology_touch(t, id);       /* from now on there is something to say of it */
    m->is_seen = false;
    m->is_partly_seen = is_partly_seen;
    m->checked_at = when;
    m->attempted_at = FC_EVER;
}

bool topology_forget(struct topology *t, const struct instance_key *key)
{
    const member_id id = topology_find(t, key);
    if (id == MEMBER_NONE || at(t, id)->kind != MEMBER_KNOWN)
        return false;
    struct member *m = at(t, id);
    relink(t, id, MEMBER_NONE, LINK_NONE, false);
    instance_release(t->room, &m->kept);
    m->kept = (struct instance_kept){ 0 };
    m->kind = MEMBER_NAMED;
    m->is_seen = m->is_partly_seen = m->is_looped = false;
    m->attempted_at = m->checked_at = m->seen_at = FC_EVER;
    t->known--;
    t->named++;
    topology_touch(t, id);
    drop_if_unused(t, id);
    return true;
}

/* ---- reading ---- */

const struct member *topology_member(const struct topology *t, member_id id)
{
    return at(t, id);
}

struct instance_key topology_key(const struct topology *t, member_id id)
{
    return (struct instance_key){ .host = names_text(&t->names, at(t, id)->host), .port = at(t, id)->port };
}

bool topology_key_text(const struct topology *t, member_id id, char *to, size_t size)
{
    const struct instance_key key = topology_key(t, id);
    return instance_key_text(&key, to, size);
}

bool topology_is_below(struct topology *t, member_id below, member_id above)
{
    uint32_t steps = at(t, at(t, below)->head)->cluster_count;
    for (member_id id = at(t, below)->master; id != MEMBER_NONE && id != below && steps > 0; id = at(t, id)->master, steps--) {
        t->visits++;
        if (id == above)
            return true;
    }
    return false;
}

static member_id from(const struct topology *t, member_id id)
{
    while (id != MEMBER_NONE && at(t, id)->link != LINK_REPLICATES)
        id = at(t, id)->next_replica;
    return id;
}

member_id topology_first_replica(const struct topology *t, member_id master)
{
    return from(t, at(t, master)->first_replica);
}

member_id topology_next_replica(const struct topology *t, member_id replica)
{
    return from(t, at(t, replica)->next_replica);
}
