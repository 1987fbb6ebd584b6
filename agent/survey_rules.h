/* The configuration of a fleet as the watch takes it: its numbers, its patterns compiled. */
#ifndef FC_AGENT_SURVEY_RULES_H
#define FC_AGENT_SURVEY_RULES_H

#include "base/err.h"
#include "core/config.h"

struct survey_rules;
struct host_filters;
struct watch_setting;

/* The Detect queries, by enum classified, one each; "" where there is none. Borrowed from the configuration. */
void survey_rules_queries(const struct config *config, const char **to);
/* FC_BAD_CONFIG names the key and the pattern. The configuration is not borrowed. */
enum fc_code survey_rules_compile(const struct config *config, struct survey_rules **ret, struct fc_err *err);
void survey_rules_free(struct survey_rules *rules);          /* NULL is fine */
/* Borrows from the rules: they live as long as the watch has the setting. */
void survey_rules_setting(const struct survey_rules *rules, struct watch_setting *to);
/* Whom ProblemIgnoreHostnameFilters, OSCIgnoreHostnameFilters and RecoveryIgnoreHostnameFilters mean; NULL: nobody. Borrowed likewise. */
const struct host_filters *survey_rules_problems_ignored(const struct survey_rules *rules);
const struct host_filters *survey_rules_osc_ignored(const struct survey_rules *rules);
const struct host_filters *survey_rules_recoveries_ignored(const struct survey_rules *rules);

#endif
