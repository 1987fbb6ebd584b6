/* One table of what is classified; values are names, so a fleet in two data centers keeps two texts. */
#include "model/classification.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

#define PLACE_MAX 32                  /* data_center, region, physical_environment: varchar(32) */
#define ALIAS_MAX 128
#define VALUE_SIZE (ALIAS_MAX + 1)

const struct classified_row classified_rows[CLASSIFIED_COUNT] = {
    { CLASSIFIED_DATA_CENTER, "data center", "DataCenterPattern", "DetectDataCenterQuery", PLACE_MAX, false, "where it stands" },
    { CLASSIFIED_REGION, "region", "RegionPattern", "DetectRegionQuery", PLACE_MAX, false, "where its data center stands" },
    { CLASSIFIED_ENVIRONMENT, "physical environment", "PhysicalEnvironmentPattern", "DetectPhysicalEnvironmentQuery", PLACE_MAX, false,
      "what it is for: production, test" },
    { CLASSIFIED_INSTANCE_ALIAS, "instance alias", NULL, "DetectInstanceAliasQuery", ALIAS_MAX, false, "its name for people" },
    { CLASSIFIED_CLUSTER_ALIAS, "cluster alias", NULL, "DetectClusterAliasQuery", ALIAS_MAX, false,
      "the name of its cluster for people; else by ClusterNameToAlias" },
    { CLASSIFIED_CLUSTER_DOMAIN, "cluster domain", NULL, "DetectClusterDomainQuery", ALIAS_MAX, true,
      "the name by which applications reach the cluster" },
    { CLASSIFIED_PROMOTION_RULE, "promotion rule", NULL, "DetectPromotionRuleQuery", 16, false,
      "prefer, neutral, prefer_not or must_not" },
    { CLASSIFIED_SEMI_SYNC_PRIORITY, "semi-sync priority", NULL, "DetectSemiSyncEnforcedQuery", 3, false,
      "0 is always asynchronous, up to 255; higher is preferred" },
};

void classifications_init(struct classifications *c, struct room *room, struct topology *topology)
{
    *c = (struct classifications){ .room = room, .topology = topology };
}

static void drop(struct classifications *c, struct classification *one)
{
    for (int what = 0; what < CLASSIFIED_COUNT; what++)
        names_drop(&c->topology->names, one->value[what]);
    names_drop(&c->topology->names, one->host);
    *one = (struct classification){ 0 };
}

static void drop_names(struct classifications *c, struct cluster_names *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        names_drop(&c->topology->names, t->list[i].cluster);
        names_drop(&c->topology->names, t->list[i].name);
    }
    if (c->room != NULL)
        room_release(c->room, t->list);
}

void classifications_done(struct classifications *c)
{
    for (uint32_t id = 0; id < c->capacity; id++)
        drop(c, &c->list[id]);
    drop_names(c, &c->aliases);
    drop_names(c, &c->domains);
    if (c->room != NULL)
        room_release(c->room, c->list);
    *c = (struct classifications){ 0 };
}

static bool resize(struct classifications *c, uint32_t capacity)
{
    struct classification *list = room_reserve(c->room, capacity * sizeof *list);
    if (list == NULL)
        return false;
    if (c->capacity > 0)
        memcpy(list, c->list, c->capacity * sizeof *list);
    room_release(c->room, c->list);
    c->list = list;
    c->capacity = capacity;
    return true;
}

static bool is_of(const struct classifications *c, const struct classification *one, member_id id)
{
    const struct member *m = topology_member(c->topology, id);
    return one->host != NAME_EMPTY && one->host == m->host && one->port == m->port;
}

const struct classification *classification_of(const struct classifications *c, member_id id)
{
    return id < c->capacity && is_of(c, &c->list[id], id) ? &c->list[id] : NULL;
}

const char *classification_text(const struct classifications *c, member_id id, enum classified what)
{
    const struct classification *one = classification_of(c, id);
    return one == NULL ? "" : names_text(&c->topology->names, one->value[what]);
}

/* ---- taking ---- */

static bool has_bit(uint32_t bits, int what) { return bits >> what & 1; }

/* False: it is no such value. */
static bool is_value(enum classified what, const char *text, struct classification *parsed)
{
    uint64_t number;
    if (strlen(text) > classified_rows[what].length_max)
        return false;
    if (what == CLASSIFIED_PROMOTION_RULE) {
        parsed->has_rule = text[0] != '\0';
        return text[0] == '\0' || promotion_rule_parse(text, false, &parsed->rule, NULL) == FC_OK;
    }
    if (what == CLASSIFIED_SEMI_SYNC_PRIORITY) {
        if (!text_to_u64(text, strlen(text), &number) || number > UINT8_MAX)
            return false;
        parsed->semi_sync_priority = (uint8_t)number;
    }
    return true;
}

static bool set_value(struct classifications *c, struct classification *one, int what, const char *value)
{
    struct classification parsed = *one;
    const bool is_good = is_value((enum classified)what, value, &parsed);
    if (!names_set(&c->topology->names, &one->value[what], is_good ? value : ""))
        return false;
    one->has_rule = what == CLASSIFIED_PROMOTION_RULE ? is_good && parsed.has_rule : one->has_rule;
    one->rule = parsed.rule;
    one->semi_sync_priority = what != CLASSIFIED_SEMI_SYNC_PRIORITY ? one->semi_sync_priority : is_good ? parsed.semi_sync_priority : 0;
    return true;
}

/* What its name alone says. A name that does not match leaves it empty. */
static bool derive(struct classifications *c, const struct classifier *by, struct classification *one, int what)
{
    char value[VALUE_SIZE] = "";
    if (by->patterns[what] != NULL) {
        c->matches++;
        if (!by->matcher->capture(by->matcher->lender, by->patterns[what], names_text(&c->topology->names, one->host), value,
                                  classified_rows[what].length_max + 1))
            value[0] = '\0';
    }
    one->recalled &= ~(1u << what);
    return set_value(c, one, what, value);
}

static bool derive_all(struct classifications *c, const struct classifier *by, struct classification *one)
{
    for (int what = 0; what < CLASSIFIED_COUNT; what++) {
        const bool is_kept = has_bit(one->recalled, what) && by->asks[what];
        if (by->patterns[what] != NULL && !is_kept && !derive(c, by, one, what))
            return false;
    }
    one->is_derived = true;
    return true;
}

/* NULL: no memory. */
static struct classification *begin(struct classifications *c, const struct classifier *by, member_id id)
{
    if (c->capacity < c->topology->capacity && !resize(c, c->topology->capacity))
        return NULL;
    struct classification *one = &c->list[id];
    const struct instance_key key = topology_key(c->topology, id);
    if (!is_of(c, one, id)) {
        drop(c, one);
        one->port = key.port;
        if (!names_use(&c->topology->names, key.host, strlen(key.host), &one->host))
            return NULL;
    }
    if (one->is_derived || derive_all(c, by, one))
        return one;
    drop(c, one);
    return NULL;
}

/* A look came back: what a row said and nobody is asked for is over. */
static bool end_recalled(struct classifications *c, const struct classifier *by, struct classification *one)
{
    for (int what = 0; what < CLASSIFIED_COUNT; what++) {
        if (has_bit(one->recalled, what) && !by->asks[what] && !derive(c, by, one, what))
            return false;
    }
    return true;
}

bool classification_take(struct classifications *c, const struct classifier *by, member_id id, const struct detected *detected,
                         uint32_t *refused)
{
    uint32_t bad = 0;
    struct classification *one = begin(c, by, id);
    if (one == NULL || (detected != NULL && !end_recalled(c, by, one)))
        return false;
    const bool is_head = topology_member(c->topology, id)->head == id;
    for (int what = 0; detected != NULL && what < CLASSIFIED_COUNT; what++) {
        const char *answer = detected->answer[what];
        struct classification parsed = *one;
        if (answer == NULL || (classified_rows[what].is_of_heads && !is_head))
            continue;
        if (!is_value((enum classified)what, answer, &parsed)) {
            bad |= 1u << what;
            continue;
        }
        if (!set_value(c, one, what, answer))
            return false;
        one->answered |= 1u << what;
        one->recalled &= ~(1u << what);
    }
    if (refused != NULL)
        *refused = bad;
    return true;
}

bool classification_recall(struct classifications *c, const struct classifier *by, member_id id, const struct detected *stored, bool follows)
{
    struct classification *one = begin(c, by, id);
    for (int what = 0; one != NULL && what < CLASSIFIED_COUNT; what++) {
        const char *value = stored->answer[what];
        struct classification parsed = *one;
        const bool is_of_pattern = by->patterns[what] != NULL && !by->asks[what];
        if (value == NULL || is_of_pattern || (!follows && (value[0] == '\0' || has_bit(one->answered, what))))
            continue;
        if (!is_value((enum classified)what, value, &parsed))
            continue;
        if (!set_value(c, one, what, value))
            return false;
        one->answered &= ~(1u << what);
        one->recalled |= 1u << what;
    }
    return one != NULL;
}

void classifications_forget_patterns(struct classifications *c)
{
    for (uint32_t id = 0; id < c->capacity; id++) {
        struct classification *one = &c->list[id];
        one->is_derived = false;
        one->pattern_alias = 0;
        one->answered = 0;
        for (int what = 0; what < CLASSIFIED_COUNT; what++)
            one->recalled |= one->value[what] == NAME_EMPTY ? 0 : 1u << what;
    }
}

/* ---- names of clusters ---- */

static uint32_t place_of(const struct cluster_names *t, name_id cluster)
{
    uint32_t i = 0;
    while (i < t->count && t->list[i].cluster != cluster)
        i++;
    return i;
}

static bool has_room_for_one(struct classifications *c, struct cluster_names *t)
{
    if (t->count < t->capacity)
        return true;
    const uint32_t capacity = t->capacity == 0 ? 8 : t->capacity * 2;
    struct cluster_name *list = room_reserve(c->room, capacity * sizeof *list);
    if (list == NULL)
        return false;
    if (t->count > 0)
        memcpy(list, t->list, t->count * sizeof *list);
    room_release(c->room, t->list);
    t->list = list;
    t->capacity = capacity;
    return true;
}

static void take_back(struct classifications *c, struct cluster_names *t, uint32_t place)
{
    names_drop(&c->topology->names, t->list[place].cluster);
    names_drop(&c->topology->names, t->list[place].name);
    t->list[place] = t->list[--t->count];
}

static enum fc_code name_cluster(struct classifications *c, struct cluster_names *t, const char *what, const char *cluster, const char *name,
                                 struct fc_err *err)
{
    struct names *names = &c->topology->names;
    struct cluster_name fresh = { 0 };
    if (text_is(cluster, "") || strlen(cluster) > ALIAS_MAX || strlen(name) > ALIAS_MAX)
        return fc_fail(err, FC_BAD_INPUT, "a cluster and its %s are names of at most %d bytes", what, ALIAS_MAX);
    const name_id known = names_find(names, cluster, strlen(cluster));
    const uint32_t place = known == NAME_EMPTY ? t->count : place_of(t, known);
    if (name[0] == '\0') {
        if (place < t->count)
            take_back(c, t, place);
        return FC_OK;
    }
    if (place < t->count)
        return names_set(names, &t->list[place].name, name) ? FC_OK : fc_fail(err, FC_NO_MEMORY, "%s: out of memory", what);
    if (t->count == CLUSTER_NAMES_MAX)
        return fc_fail(err, FC_BUSY, "cluster '%s': %d clusters were given %ss, which is the bound", cluster, CLUSTER_NAMES_MAX, what);
    if (!has_room_for_one(c, t) || !names_set(names, &fresh.cluster, cluster) || !names_set(names, &fresh.name, name)) {
        names_drop(names, fresh.cluster);
        return fc_fail(err, FC_NO_MEMORY, "%s: out of memory", what);
    }
    t->list[t->count++] = fresh;
    return FC_OK;
}

enum fc_code classifications_name_cluster(struct classifications *c, const char *cluster, const char *alias, struct fc_err *err)
{
    return name_cluster(c, &c->aliases, "alias", cluster, alias, err);
}

enum fc_code classifications_name_domain(struct classifications *c, const char *cluster, const char *domain, struct fc_err *err)
{
    return name_cluster(c, &c->domains, "domain", cluster, domain, err);
}

static name_id given(const struct classifications *c, const struct cluster_names *t, member_id head)
{
    char cluster[INSTANCE_HOST_MAX + 16];
    topology_key_text(c->topology, head, cluster, sizeof cluster);
    const name_id known = names_find(&c->topology->names, cluster, strlen(cluster));
    const uint32_t place = known == NAME_EMPTY ? t->count : place_of(t, known);
    return place < t->count ? t->list[place].name : NAME_EMPTY;
}

name_id classification_operators_alias(const struct classifications *c, member_id head) { return given(c, &c->aliases, head); }

const char *classification_domain(const struct classifications *c, member_id head)
{
    const char *answer = classification_text(c, head, CLASSIFIED_CLUSTER_DOMAIN);
    return answer[0] != '\0' ? answer : names_text(&c->topology->names, given(c, &c->domains, head));
}

/* The last one that is found on the way up is the nearest to the head. */
name_id classification_answered_alias(const struct classifications *c, member_id id)
{
    const member_id head = topology_member(c->topology, id)->head;
    name_id found = NAME_EMPTY;
    for (member_id at = id; at != MEMBER_NONE; at = at == head ? MEMBER_NONE : topology_member(c->topology, at)->master) {
        const struct classification *one = classification_of(c, at);
        if (one != NULL && one->value[CLASSIFIED_CLUSTER_ALIAS] != NAME_EMPTY)
            found = one->value[CLASSIFIED_CLUSTER_ALIAS];
    }
    return found;
}

static int entry_of(struct classifications *c, const struct classifier *by, member_id head)
{
    char cluster[INSTANCE_HOST_MAX + 16];
    topology_key_text(c->topology, head, cluster, sizeof cluster);
    for (int i = 0; i < by->alias_count; i++) {
        c->matches++;
        if (by->matcher->is_match(by->matcher->lender, by->alias_patterns[i], cluster))
            return i;
    }
    return -1;
}

/* A thousand patterns for a thousand clusters take long: each name is asked once, as long as its server is known and the patterns stand. */
const char *classification_pattern_alias(struct classifications *c, const struct classifier *by, member_id head)
{
    struct classification *one = head < c->capacity && is_of(c, &c->list[head], head) ? &c->list[head] : NULL;
    const int entry = one != NULL && one->pattern_alias != 0 ? one->pattern_alias - 2 : entry_of(c, by, head);
    if (one != NULL)
        one->pattern_alias = (uint16_t)(entry + 2);
    return entry < 0 ? "" : by->aliases[entry];
}
