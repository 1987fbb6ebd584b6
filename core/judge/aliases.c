/* Claims, sorted by worth; the strongest that is still possible is granted. */
#include "judge/aliases.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DEFAULT_PORT 3306             /* DefaultInstancePort */

struct alias_claim {
    member_id head;
    name_id alias;
    bool is_operators, is_valid, is_writable;
    uint32_t replicas;
    struct instance_key by;          /* borrowed */
};

void aliases_init(struct aliases *a, struct room *room, struct names *names)
{
    *a = (struct aliases){ .room = room, .names = names };
}

void aliases_done(struct aliases *a)
{
    for (uint32_t id = 0; id < a->capacity; id++)
        names_drop(a->names, a->of[id]);
    if (a->room != NULL) {
        room_release(a->room, a->of);
        room_release(a->room, a->claims);
        room_release(a->room, a->is_taken);
    }
    *a = (struct aliases){ 0 };
}

static bool make_room(struct aliases *a, void **memory, uint32_t *has, uint32_t wanted, size_t size)
{
    if (wanted <= *has)
        return true;
    uint8_t *more = room_reserve(a->room, wanted * size);
    if (more == NULL)
        return false;
    if (*has > 0)
        memcpy(more, *memory, *has * size);
    room_release(a->room, *memory);
    *memory = more;
    *has = wanted;
    return true;
}

/* ---- claims ---- */

static struct alias_claim claim_of(const struct fleet *f, member_id id, name_id alias, bool is_operators)
{
    const struct member *m = topology_member(f->topology, id);
    const struct traits *t = &f->traits[id];
    return (struct alias_claim){ .head = m->head, .alias = alias, .is_operators = is_operators, .is_valid = trait_is(t, TRAIT_VALID),
                                 .is_writable = m->kept.seen != NULL && !trait_is(t, TRAIT_READ_ONLY), .replicas = m->replica_count,
                                 .by = topology_key(f->topology, id) };
}

/* Negative: the first is worth more. */
static int compare_claims(const void *first, const void *second)
{
    const struct alias_claim *a = first, *b = second;
    if (a->is_operators != b->is_operators)
        return a->is_operators ? -1 : 1;
    if (a->is_valid != b->is_valid)
        return a->is_valid ? -1 : 1;
    if (a->is_writable != b->is_writable)
        return a->is_writable ? -1 : 1;
    if (a->replicas != b->replicas)
        return a->replicas > b->replicas ? -1 : 1;
    return instance_key_compare(&a->by, &b->by);
}

static uint32_t claims_of_members(struct aliases *a, const struct fleet *f, const struct classifications *c, member_id head, uint32_t count)
{
    for (member_id id = topology_member(f->topology, head)->first_in_cluster; id != MEMBER_NONE;
         id = topology_member(f->topology, id)->next_in_cluster) {
        const name_id alias = classification_answered_alias(c, id);
        if (alias != NAME_EMPTY && topology_member(f->topology, id)->kind == MEMBER_KNOWN &&
            !trait_is(&f->traits[id], TRAIT_FORMER_MASTER))
            a->claims[count++] = claim_of(f, id, alias, false);
    }
    return count;
}

/* Each claim holds a use of its alias. False: no memory. */
static bool gather(struct aliases *a, const struct fleet *f, struct classifications *c, const struct classifier *by, uint32_t *ret)
{
    uint32_t count = 0;
    bool is_good = true;
    for (member_id head = f->topology->first_head; head != MEMBER_NONE && is_good; head = topology_member(f->topology, head)->next_head) {
        const uint32_t before = count;
        const name_id operators = classification_operators_alias(c, head);
        if (operators != NAME_EMPTY)
            a->claims[count++] = claim_of(f, head, operators, true);
        else
            count = claims_of_members(a, f, c, head, count);
        for (uint32_t i = before; i < count; i++) {
            const char *text = names_text(a->names, a->claims[i].alias);
            names_use(a->names, text, strlen(text), &a->claims[i].alias);      /* it is there: no memory is asked for */
        }
        const char *pattern = count > before || trait_is(&f->traits[head], TRAIT_FORMER_MASTER)
                                  ? "" : classification_pattern_alias(c, by, head);
        if (pattern[0] != '\0') {
            a->claims[count] = claim_of(f, head, NAME_EMPTY, false);
            is_good = names_use(a->names, pattern, strlen(pattern), &a->claims[count].alias);
            count += is_good;
        }
    }
    *ret = count;
    return is_good;
}

static void grant(struct aliases *a, uint32_t count)
{
    for (uint32_t id = 0; id < a->capacity; id++) {
        names_drop(a->names, a->of[id]);
        a->of[id] = NAME_EMPTY;
    }
    memset(a->is_taken, 0, a->taken_capacity);
    for (uint32_t i = 0; i < count; i++) {
        const struct alias_claim *claim = &a->claims[i];
        if (a->of[claim->head] != NAME_EMPTY || a->is_taken[claim->alias]) {
            names_drop(a->names, claim->alias);
            continue;
        }
        a->of[claim->head] = claim->alias;
        a->is_taken[claim->alias] = 1;
    }
}

bool aliases_choose(struct aliases *a, const struct fleet *f, struct classifications *c, const struct classifier *by)
{
    uint32_t count = 0;
    if (f->capacity < f->topology->capacity || !make_room(a, (void **)&a->of, &a->capacity, f->topology->capacity, sizeof *a->of) ||
        !make_room(a, (void **)&a->claims, &a->claim_capacity, f->topology->capacity, sizeof *a->claims))
        return false;
    const bool is_whole = gather(a, f, c, by, &count);
    if (!is_whole || !make_room(a, (void **)&a->is_taken, &a->taken_capacity, a->names->capacity, sizeof *a->is_taken)) {
        for (uint32_t i = 0; i < count; i++)
            names_drop(a->names, a->claims[i].alias);
        return false;
    }
    if (count > 0)
        qsort(a->claims, count, sizeof *a->claims, compare_claims);
    grant(a, count);
    return true;
}

/* ---- asking ---- */

bool aliases_text(const struct aliases *a, const struct topology *t, member_id head, char *to, size_t size)
{
    if (head < a->capacity && a->of[head] != NAME_EMPTY)
        return text_copy(to, size, names_text(a->names, a->of[head]));
    return topology_key_text(t, head, to, size);
}

member_id aliases_find_alias(const struct aliases *a, const struct topology *t, const char *hint)
{
    const name_id alias = names_find(a->names, hint, strlen(hint));
    if (alias == NAME_EMPTY)
        return MEMBER_NONE;
    for (member_id head = t->first_head; head != MEMBER_NONE; head = topology_member(t, head)->next_head) {
        if (head < a->capacity && a->of[head] == alias)
            return head;
    }
    return MEMBER_NONE;
}

/* Four groups of digits: a part of an address must not stand for another one. */
static bool is_address(const char *host)
{
    return host[0] != '\0' && host[strspn(host, "0123456789.")] == '\0';
}

static member_id only_one_like(const struct topology *t, const char *host, uint16_t port)
{
    member_id found = MEMBER_NONE;
    for (member_id id = 0; id < t->count; id++) {
        const struct member *m = topology_member(t, id);
        if (m->kind != MEMBER_KNOWN || m->port != port || strstr(names_text(&t->names, m->host), host) == NULL)
            continue;
        if (found != MEMBER_NONE)
            return MEMBER_NONE;
        found = id;
    }
    return found;
}

/* host:port, of a known server or one that is the only one like it. */
static member_id member_meant(const struct topology *t, const char *hint)
{
    const char *host;
    size_t length;
    char text[INSTANCE_HOST_MAX + 1];
    struct instance_key key = { .host = text };
    if (!instance_key_parse(hint, strlen(hint), DEFAULT_PORT, &host, &length, &key.port) ||
        !text_copy_bytes(text, sizeof text, host, length))
        return MEMBER_NONE;
    const member_id exact = topology_find(t, &key);
    return exact != MEMBER_NONE || is_address(text) ? exact : only_one_like(t, text, key.port);
}

member_id aliases_find_server(const struct topology *t, const struct instance_key *key)
{
    const member_id exact = topology_find(t, key);
    if (exact != MEMBER_NONE && topology_member(t, exact)->kind == MEMBER_KNOWN)
        return exact;
    return is_address(key->host) ? MEMBER_NONE : only_one_like(t, key->host, key->port);
}

member_id aliases_find_cluster(const struct aliases *a, const struct topology *t, const char *hint)
{
    const member_id named = member_meant(t, hint), aliased = aliases_find_alias(a, t, hint);
    char name[FLEET_KEY_SIZE];
    if (named != MEMBER_NONE && topology_member(t, named)->head == named && topology_key_text(t, named, name, sizeof name) &&
        text_is(name, hint))
        return named;                /* the cluster's own name comes before anybody's alias */
    if (aliased != MEMBER_NONE)
        return aliased;
    return named == MEMBER_NONE ? MEMBER_NONE : topology_member(t, named)->head;
}
