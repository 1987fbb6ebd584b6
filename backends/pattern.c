/* The only file that knows PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "backends/pattern.h"

#include <arpa/inet.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define HEAP_MAX_KIB 256u
#define FILTERS_MAX 256

struct pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *bounds;
    uint64_t given_up;
};

void pattern_free(struct pattern *p)
{
    if (p == NULL)
        return;
    pcre2_match_context_free(p->bounds);
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
    free(p);
}

enum fc_code pattern_compile(const char *key, const char *text, struct pattern **ret, struct fc_err *err)
{
    const size_t length = strlen(text);
    int number;
    PCRE2_SIZE at;
    if (length == 0 || length > PATTERN_LENGTH_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "%s: a pattern has 1 to %d bytes", key, PATTERN_LENGTH_MAX);
    struct pattern *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fc_fail(err, FC_NO_MEMORY, "%s: out of memory", key);
    p->code = pcre2_compile((PCRE2_SPTR)text, length, PCRE2_NEVER_BACKSLASH_C, &number, &at, NULL);
    if (p->code == NULL) {
        char why[128] = "";
        pcre2_get_error_message(number, (PCRE2_UCHAR *)why, sizeof why);
        pattern_free(p);
        return fc_fail(err, FC_BAD_CONFIG, "%s: '%.100s' is no pattern: %s, at byte %zu", key, text, why, at);
    }
    p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
    p->bounds = pcre2_match_context_create(NULL);
    if (p->match == NULL || p->bounds == NULL) {
        pattern_free(p);
        return fc_fail(err, FC_NO_MEMORY, "%s: out of memory", key);
    }
    pcre2_set_match_limit(p->bounds, PATTERN_STEPS_MAX);
    pcre2_set_depth_limit(p->bounds, PATTERN_STEPS_MAX);
    pcre2_set_heap_limit(p->bounds, HEAP_MAX_KIB);
    *ret = p;
    return FC_OK;
}

/* How many groups matched, the whole one first; 0: none did. A match changes what lies behind the pointers only. */
static int matched(const struct pattern *pattern, const char *text)
{
    const int count = pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0, pattern->match, pattern->bounds);
    if (count < 0 && count != PCRE2_ERROR_NOMATCH)
        ((struct pattern *)pattern)->given_up++;
    return count < 0 ? 0 : count;
}

bool pattern_is_match(const struct pattern *pattern, const char *text)
{
    return matched(pattern, text) > 0;
}

bool pattern_capture(const struct pattern *pattern, const char *text, char *to, size_t size)
{
    if (matched(pattern, text) < 2)
        return false;
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(pattern->match);
    if (places[2] == PCRE2_UNSET || places[2] > places[3] || places[3] - places[2] >= size)
        return false;
    return text_copy_bytes(to, size, text + places[2], places[3] - places[2]);
}

uint64_t pattern_given_up(const struct pattern *pattern)
{
    return pattern->given_up;
}

static bool lent_is_match(void *lender, const struct pattern *pattern, const char *text)
{
    (void)lender;
    return pattern_is_match(pattern, text);
}

static bool lent_capture(void *lender, const struct pattern *pattern, const char *text, char *to, size_t size)
{
    (void)lender;
    return pattern_capture(pattern, text, to, size);
}

const struct matcher pattern_matcher = { lent_is_match, lent_capture, NULL };

/* ---- filters of hosts ---- */

struct host_filter { char address[INET6_ADDRSTRLEN]; struct pattern *pattern; };       /* one of the two */
struct host_filters { size_t count; struct host_filter list[]; };

static bool is_address(const char *text)
{
    struct in6_addr any;
    return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
}

void host_filters_free(struct host_filters *filters)
{
    for (size_t i = 0; filters != NULL && i < filters->count; i++)
        pattern_free(filters->list[i].pattern);
    free(filters);
}

enum fc_code host_filters_compile(const char *key, const char *const *texts, size_t count, struct host_filters **ret, struct fc_err *err)
{
    if (count > FILTERS_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "%s: has %zu filters, and %d at most are right", key, count, FILTERS_MAX);
    struct host_filters *filters = calloc(1, sizeof *filters + count * sizeof filters->list[0]);
    if (filters == NULL)
        return fc_fail(err, FC_NO_MEMORY, "%s: out of memory", key);
    filters->count = count;
    for (size_t i = 0; i < count; i++) {
        if (is_address(texts[i])) {
            TEXT_SET(filters->list[i].address, texts[i]);
            continue;
        }
        const enum fc_code code = pattern_compile(key, texts[i], &filters->list[i].pattern, err);
        if (code != FC_OK) {
            host_filters_free(filters);
            return code;
        }
    }
    *ret = filters;
    return FC_OK;
}

static bool fit(const struct host_filters *filters, const char *host, const char *searched)
{
    for (size_t i = 0; filters != NULL && i < filters->count; i++) {
        const struct host_filter *filter = &filters->list[i];
        if (filter->pattern == NULL ? text_is(filter->address, host) : pattern_is_match(filter->pattern, searched))
            return true;
    }
    return false;
}

bool host_filters_fit(const struct host_filters *filters, const struct instance_key *key)
{
    char searched[INSTANCE_HOST_MAX + 16];
    snprintf(searched, sizeof searched, "%s:%u", key->host, key->port);
    return fit(filters, key->host, searched);
}

bool host_filters_fit_host(const struct host_filters *filters, const char *host)
{
    return fit(filters, host, host);
}
