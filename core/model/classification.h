/* What a server is called and where it stands: data center, region, environment, aliases, domain. From patterns on names, from
 * queries that the server answered, from what operators said; spec/discovery.md 7.
 *
 * Patterns are matched by whoever lends a matcher (backends/pattern.h): the core has no regular expressions. They are asked once a
 * server, because names do not change; a query's answer is newer than a pattern and wins. */
#ifndef FC_MODEL_CLASSIFICATION_H
#define FC_MODEL_CLASSIFICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/names.h"
#include "model/overrides.h"
#include "model/topology.h"

#define CLASSIFICATION_PATTERNS_MAX 1024      /* entries of ClusterNameToAlias */
#define CLUSTER_NAMES_MAX 4096                /* clusters that were given an alias, or a domain */

enum classified {
    CLASSIFIED_DATA_CENTER, CLASSIFIED_REGION, CLASSIFIED_ENVIRONMENT, CLASSIFIED_INSTANCE_ALIAS, CLASSIFIED_CLUSTER_ALIAS,
    CLASSIFIED_CLUSTER_DOMAIN, CLASSIFIED_PROMOTION_RULE, CLASSIFIED_SEMI_SYNC_PRIORITY,
    CLASSIFIED_COUNT
};

struct classified_row {
    enum classified what;
    const char *word;
    const char *pattern_key;         /* configuration: a pattern on the host name, whose first group is the value; NULL: none */
    const char *query_key;           /* configuration: one row, one column */
    size_t length_max;               /* bytes: what every backend's column holds */
    bool is_of_heads;                /* asked only of the head of a cluster */
    const char *meaning;
};
extern const struct classified_row classified_rows[CLASSIFIED_COUNT];

struct pattern;                      /* compiled; the matcher's */
struct matcher {
    bool (*is_match)(void *lender, const struct pattern *pattern, const char *text);
    /* The first group of the first match. False: no match, no group, or it does not fit. */
    bool (*capture)(void *lender, const struct pattern *pattern, const char *text, char *to, size_t size);
    void *lender;
};

struct classifier {                  /* the configuration of it, borrowed */
    const struct matcher *matcher;
    const struct pattern *patterns[CLASSIFIED_COUNT];      /* NULL: none */
    const struct pattern *alias_patterns[CLASSIFICATION_PATTERNS_MAX];   /* ClusterNameToAlias, sorted by the patterns' texts */
    const char *aliases[CLASSIFICATION_PATTERNS_MAX];
    int alias_count;
    bool asks[CLASSIFIED_COUNT];     /* its query is configured: what the store has of it counts until a server answers */
};

/* What the queries of one probe brought; NULL: not configured, or no answer, and what was known stays. "" is an answer. */
struct detected { const char *answer[CLASSIFIED_COUNT]; };

struct classification {
    name_id host;                    /* of whom this is: slots of the topology are used again */
    uint16_t port;
    name_id value[CLASSIFIED_COUNT];
    uint16_t pattern_alias;          /* as the head of a cluster, of ClusterNameToAlias: 0 not asked yet, 1 none fits, else 2 and the entry */
    uint8_t semi_sync_priority;      /* 0 = always asynchronous; higher is preferred */
    bool has_rule;
    enum promotion_rule rule;
    bool is_derived;                 /* its name was matched */
    uint32_t answered, recalled;     /* bits of `enum classified`: the server said so here; a row of the store did, or it is of before a reload */
};

/* What somebody gave to clusters, by their names: rows of cluster_alias_override, of cluster_domain_name. */
struct cluster_name { name_id cluster, name; };
struct cluster_names { struct cluster_name *list; uint32_t count, capacity; };

struct classifications {
    struct room *room;
    struct topology *topology;       /* borrowed */
    struct classification *list;     /* by member_id */
    uint32_t capacity;
    struct cluster_names aliases, domains;
    uint64_t matches;                /* patterns asked: tests hold it to once a server */
};

void classifications_init(struct classifications *classifications, struct room *room, struct topology *topology);
void classifications_done(struct classifications *classifications);    /* before the topology */

/* A server was seen; `detected` may be NULL. What is no value (too long, no number, no rule) is not taken and its bit is set in
 * `refused` (may be NULL); the rest is. False: no memory, nothing taken. */
bool classification_take(struct classifications *classifications, const struct classifier *classifier, member_id id,
                         const struct detected *detected, uint32_t *refused);
/* What a row of the store has of a server; NULL: it has no such column. It stays until this node has an answer of its own, and where nothing
 * is configured that could bring one, until a look. What a pattern alone says is said by the pattern. `follows`: this node only reads, so
 * the row says more than what was answered here before, and "" too. False: no memory. */
bool classification_recall(struct classifications *classifications, const struct classifier *classifier, member_id id,
                           const struct detected *stored, bool follows);
/* "" when not known. */
const char *classification_text(const struct classifications *classifications, member_id id, enum classified what);
/* NULL: nothing was taken of it. */
const struct classification *classification_of(const struct classifications *classifications, member_id id);
/* After a reload: patterns are asked again at the next look, and what was answered is as a row of the store. */
void classifications_forget_patterns(struct classifications *classifications);

/* The operator's name for a cluster; "" takes it back. FC_BAD_INPUT: too long; FC_BUSY: the bound. */
enum fc_code classifications_name_cluster(struct classifications *classifications, const char *cluster, const char *alias,
                                          struct fc_err *err);
/* The domain of a cluster as the store has it; it counts where the head answers none. As above. */
enum fc_code classifications_name_domain(struct classifications *classifications, const char *cluster, const char *domain,
                                         struct fc_err *err);
/* The head's answer, else the store's word; "" when there is none. */
const char *classification_domain(const struct classifications *classifications, member_id head);
/* What the alias of a cluster may come from, in this order of worth; borrowed. NAME_EMPTY, "": there is none. */
name_id classification_operators_alias(const struct classifications *classifications, member_id head);
/* The answer of the server nearest to the head, of those from the head down to this one. */
name_id classification_answered_alias(const struct classifications *classifications, member_id id);
const char *classification_pattern_alias(struct classifications *classifications, const struct classifier *classifier, member_id head);

#endif
