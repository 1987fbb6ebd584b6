/* Keys of the configuration into the watch's setting. */
#include "agent/survey_rules.h"

#include <stdlib.h>
#include <string.h>

#include "backends/pattern.h"
#include "base/text.h"
#include "watch/watch.h"

#define URGENT_MOST 64                 /* looks beyond DiscoveryMaxConcurrency for what is urgent */

struct survey_rules {
    struct config_map aliases;         /* the classifier borrows its texts */
    struct host_filters *filters[FILTER_COUNT];
    struct host_filters *problems_ignored, *osc_ignored;         /* for who shows the fleet */
    struct classifier classifier;
    struct watch_setting setting;
};

/* ---- filters ---- */

static const struct { enum watch_filter filter; const char *key; size_t offset; } filter_keys[] = {
    { FILTER_SERVER, "DiscoveryIgnoreHostnameFilters", offsetof(struct config, ignore_servers) },
    { FILTER_REPLICA, "DiscoveryIgnoreReplicaHostnameFilters", offsetof(struct config, ignore_replicas) },
    { FILTER_MASTER, "DiscoveryIgnoreMasterHostnameFilters", offsetof(struct config, ignore_masters) },
    { FILTER_ANALYSIS, "RecoveryIgnoreHostnameFilters", offsetof(struct config, recovery_ignored) },
    { FILTER_USER, "DiscoveryIgnoreReplicationUsernameFilters", offsetof(struct config, ignore_users) },
};

static enum fc_code compile_list(const char *key, const struct config_many *many, struct host_filters **ret, struct fc_err *err)
{
    const char **texts = many->count == 0 ? NULL : malloc((size_t)many->count * sizeof *texts);
    size_t count = 0;
    if (many->count == 0)
        return FC_OK;
    if (texts == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    for (const char *text = config_many_next(many, NULL); text != NULL; text = config_many_next(many, text))
        texts[count++] = text;
    const enum fc_code code = host_filters_compile(key, texts, count, ret, err);
    free(texts);
    return code;
}

static enum fc_code compile_filters(struct survey_rules *rules, const struct config *config, struct fc_err *err)
{
    const char *rejected = config->reject_resolve_pattern;
    enum fc_code code = FC_OK;
    for (size_t i = 0; code == FC_OK && i < sizeof filter_keys / sizeof filter_keys[0]; i++)
        code = compile_list(filter_keys[i].key, (const void *)((const char *)config + filter_keys[i].offset),
                            &rules->filters[filter_keys[i].filter], err);
    if (code == FC_OK)
        code = compile_list("ProblemIgnoreHostnameFilters", &config->problem_ignored, &rules->problems_ignored, err);
    if (code == FC_OK)
        code = compile_list("OSCIgnoreHostnameFilters", &config->osc_ignored, &rules->osc_ignored, err);
    if (code == FC_OK && rejected[0] != '\0')
        code = host_filters_compile("RejectHostnameResolvePattern", &rejected, 1, &rules->filters[FILTER_OWN_NAME], err);
    return code;
}

static bool filter_fits(void *lender, enum watch_filter filter, const struct instance_key *key)
{
    const struct survey_rules *rules = lender;
    const bool is_host_alone = filter == FILTER_USER || filter == FILTER_OWN_NAME || filter == FILTER_ANALYSIS;
    return is_host_alone ? host_filters_fit_host(rules->filters[filter], key->host) : host_filters_fit(rules->filters[filter], key);
}

/* ---- classification ---- */

void survey_rules_queries(const struct config *config, const char **to)
{
    const struct { enum classified what; const char *query; } queries[] = {
        { CLASSIFIED_DATA_CENTER, config->detect_data_center }, { CLASSIFIED_REGION, config->detect_region },
        { CLASSIFIED_ENVIRONMENT, config->detect_environment }, { CLASSIFIED_INSTANCE_ALIAS, config->detect_instance_alias },
        { CLASSIFIED_CLUSTER_ALIAS, config->detect_cluster_alias }, { CLASSIFIED_CLUSTER_DOMAIN, config->detect_cluster_domain },
        { CLASSIFIED_PROMOTION_RULE, config->detect_promotion_rule }, { CLASSIFIED_SEMI_SYNC_PRIORITY, config->detect_semi_sync },
    };
    _Static_assert(sizeof queries / sizeof queries[0] == CLASSIFIED_COUNT, "each has its key");
    for (size_t i = 0; i < CLASSIFIED_COUNT; i++)
        to[queries[i].what] = queries[i].query;
}

static enum fc_code compile_patterns(struct survey_rules *rules, const struct config *config, struct fc_err *err)
{
    const struct { enum classified what; const char *text; } patterns[] = {
        { CLASSIFIED_DATA_CENTER, config->data_center_pattern },
        { CLASSIFIED_REGION, config->region_pattern },
        { CLASSIFIED_ENVIRONMENT, config->environment_pattern },
    };
    const char *queries[CLASSIFIED_COUNT];
    survey_rules_queries(config, queries);
    for (int what = 0; what < CLASSIFIED_COUNT; what++)
        rules->classifier.asks[what] = queries[what][0] != '\0';
    rules->classifier.matcher = &pattern_matcher;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct pattern *compiled = NULL;
        if (patterns[i].text[0] == '\0')
            continue;
        const enum fc_code code = pattern_compile(classified_rows[patterns[i].what].pattern_key, patterns[i].text, &compiled, err);
        if (code != FC_OK)
            return code;
        rules->classifier.patterns[patterns[i].what] = compiled;
    }
    return FC_OK;
}

struct alias_entry { const char *pattern, *alias; };

/* The order of a JSON object means nothing: patterns are asked in the order of their texts. */
static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct alias_entry *)a)->pattern, ((const struct alias_entry *)b)->pattern);
}

static enum fc_code compile_sorted(struct survey_rules *rules, const struct alias_entry *entries, int count, struct fc_err *err)
{
    for (int i = 0; i < count; i++) {
        struct pattern *compiled = NULL;
        const enum fc_code code = pattern_compile("ClusterNameToAlias", entries[i].pattern, &compiled, err);
        if (code != FC_OK)
            return code;
        rules->classifier.alias_patterns[i] = compiled;
        rules->classifier.aliases[i] = entries[i].alias;
        rules->classifier.alias_count = i + 1;
    }
    return FC_OK;
}

static enum fc_code compile_aliases(struct survey_rules *rules, const struct config *config, struct fc_err *err)
{
    const struct config_map *map = &rules->aliases;
    const char *value;
    int count = 0;
    _Static_assert(CONFIG_MAP_MAX <= CLASSIFICATION_PATTERNS_MAX, "every entry has a place");
    rules->aliases = config->cluster_aliases;
    struct alias_entry *entries = map->count == 0 ? NULL : malloc((size_t)map->count * sizeof *entries);
    if (map->count == 0)
        return FC_OK;
    if (entries == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    for (const char *at = config_map_next(map, NULL, &value); at != NULL; at = config_map_next(map, at, &value))
        entries[count++] = (struct alias_entry){ at, value };
    qsort(entries, (size_t)count, sizeof entries[0], compare_entries);
    const enum fc_code code = compile_sorted(rules, entries, count, err);
    free(entries);
    return code;
}

/* ---- numbers ---- */

static struct fc_span seconds(int count) { return fc_ms((int64_t)count * 1000); }

static struct analysis_policy policy_of(const struct config *config)
{
    return (struct analysis_policy){
        .poll_ms = config->instance_poll_seconds * INT64_C(1000), .reasonable_check_ms = config->reasonable_check_seconds * INT64_C(1000),
        .reasonable_lag_ms = config->reasonable_lag_seconds * INT64_C(1000),
        .maintenance_lag_ms = config->maintenance_lag_seconds * INT64_C(1000),
        .locked_semi_sync_ms = config->locked_semi_sync_seconds * INT64_C(1000),
        .wants_exact_semi_sync = config->wants_exact_semi_sync, .wants_writeable_master = config->wants_writeable_master,
    };
}

static struct discovery_setting calendar_of(const struct config *config)
{
    const int limit = config->discovery_max_concurrency, dead = config->dead_max_concurrency;
    return (struct discovery_setting){
        .period = seconds(config->instance_poll_seconds), .limit = (uint32_t)limit, .urgent_limit = URGENT_MOST,
        .dead_limit = (uint32_t)(dead < limit ? dead : limit - 1), .dead_factor = config->dead_factor,
        .dead_most = seconds(config->dead_poll_seconds_max), .capacity = (uint32_t)config->discovery_capacity,
    };
}

static enum own_name own_name_of(const char *method)
{
    if (text_is(method, "report_host") || text_is(method, "@@report_host"))
        return OWN_NAME_REPORT_HOST;
    return text_is(method, "") || text_is(method, "none") ? OWN_NAME_NONE : OWN_NAME_HOST;
}

enum fc_code survey_rules_compile(const struct config *config, struct survey_rules **ret, struct fc_err *err)
{
    struct survey_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    enum fc_code code = compile_filters(rules, config, err);
    if (code == FC_OK)
        code = compile_patterns(rules, config, err);
    if (code == FC_OK)
        code = compile_aliases(rules, config, err);
    if (code != FC_OK) {
        survey_rules_free(rules);
        return code;
    }
    rules->setting = (struct watch_setting){
        .calendar = calendar_of(config), .policy = policy_of(config), .forget_after = seconds(config->unseen_forget_hours * 3600),
        .own_name = own_name_of(config->mysql_resolve_method), .name_life = seconds(config->resolves_expire_minutes * 60),
        .asks_names = text_is(config->resolve_method, "cname") || text_is(config->resolve_method, "ip"),
        .filters = { filter_fits, rules }, .classifier = &rules->classifier,
    };
    *ret = rules;
    return FC_OK;
}

void survey_rules_free(struct survey_rules *rules)
{
    if (rules == NULL)
        return;
    for (int i = 0; i < FILTER_COUNT; i++)
        host_filters_free(rules->filters[i]);
    host_filters_free(rules->problems_ignored);
    host_filters_free(rules->osc_ignored);
    for (int i = 0; i < CLASSIFIED_COUNT; i++)
        pattern_free((struct pattern *)rules->classifier.patterns[i]);
    for (int i = 0; i < rules->classifier.alias_count; i++)
        pattern_free((struct pattern *)rules->classifier.alias_patterns[i]);
    free(rules);
}

void survey_rules_setting(const struct survey_rules *rules, struct watch_setting *to) { *to = rules->setting; }

const struct host_filters *survey_rules_problems_ignored(const struct survey_rules *rules) { return rules->problems_ignored; }

const struct host_filters *survey_rules_osc_ignored(const struct survey_rules *rules) { return rules->osc_ignored; }

const struct host_filters *survey_rules_recoveries_ignored(const struct survey_rules *rules) { return rules->filters[FILTER_ANALYSIS]; }
