/* Patterns of the configuration, by PCRE2: the matcher that the core is lent (model/classification.h), and filters of hosts.
 *
 * What people have in their files was written for RE2; the common part of both is what patterns on host names use. A match is
 * bounded in steps and memory: a pattern that explodes on a name does not match it, and is counted. No thread may share a pattern. */
#ifndef FC_BACKENDS_PATTERN_H
#define FC_BACKENDS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/classification.h"
#include "model/instance.h"

#define PATTERN_LENGTH_MAX 1024
#define PATTERN_STEPS_MAX 20000u      /* a host name of 127 bytes needs some hundreds */

/* FC_BAD_CONFIG with the key, the pattern and where it is wrong. The caller frees it. */
enum fc_code pattern_compile(const char *key, const char *text, struct pattern **ret, struct fc_err *err);
void pattern_free(struct pattern *pattern);
bool pattern_is_match(const struct pattern *pattern, const char *text);          /* anywhere in the text */
/* The first group of the first match. False: no match, no group, or larger than size. */
bool pattern_capture(const struct pattern *pattern, const char *text, char *to, size_t size);
uint64_t pattern_given_up(const struct pattern *pattern);                        /* matches that went beyond the bounds */

extern const struct matcher pattern_matcher;                                     /* lends the two above */

/* A list of filters (DiscoveryIgnoreHostnameFilters and its kin): one that is an address must be the host, any other is a pattern
 * that is looked for in "host:port". */
struct host_filters;
/* `texts`: of `count`; an empty one is refused, because it would fit everybody. */
enum fc_code host_filters_compile(const char *key, const char *const *texts, size_t count, struct host_filters **ret, struct fc_err *err);
void host_filters_free(struct host_filters *filters);
/* NULL filters fit nobody. */
bool host_filters_fit(const struct host_filters *filters, const struct instance_key *key);
/* RecoveryIgnoreHostnameFilters, ProblemIgnoreHostnameFilters, PromotionIgnoreHostnameFilters: the host name alone. */
bool host_filters_fit_host(const struct host_filters *filters, const char *host);

#endif
