/* Patterns as they stand in people's files, what is refused, and that none can hold the loop up. */
#include <criterion/criterion.h>
#include <string.h>

#include "backends/pattern.h"
#include "base/text.h"

static struct fc_err err;

static struct pattern *compiled(const char *text)
{
    struct pattern *pattern = NULL;
    cr_assert_eq(pattern_compile("DataCenterPattern", text, &pattern, &err), FC_OK, "%s", err.text);
    return pattern;
}

/* What the pattern takes out of the name; "-" when nothing. */
static const char *taken(const char *text, const char *name)
{
    static char to[33];
    struct pattern *pattern = compiled(text);
    const bool is_taken = pattern_capture(pattern, name, to, sizeof to);
    pattern_free(pattern);
    return is_taken ? to : "-";
}

Test(pattern, takes_the_first_group_out_of_a_name)
{
    cr_expect_str_eq(taken("[.]([^.]+)[.][^.]+[.]example[.]com", "db1.west.prod.example.com"), "west");
    cr_expect_str_eq(taken("^db-(?P<dc>[a-z]+)-\\d+", "db-east-01"), "east");
    cr_expect_str_eq(taken("(?i)^DB-(\\w+)-", "db-north-2"), "north");
    cr_expect_str_eq(taken("^db-(.*?)-", "db-a-b-c"), "a");
    cr_expect_str_eq(taken("^(a)?db", "db1"), "-", "the group is no part of the match");
    cr_expect_str_eq(taken("^db", "db1"), "-", "there is no group");
    cr_expect_str_eq(taken("^web-(.*)", "db1"), "-");
    cr_expect_str_eq(taken("(.*)", "a name that is far longer than what the column holds"), "-");
    cr_expect_str_eq(taken("^db()", "db1"), "", "an empty group is one");
}

Test(pattern, what_is_no_pattern_is_said_with_key_and_place)
{
    struct pattern *pattern = NULL;
    cr_expect_eq(pattern_compile("RegionPattern", "[a-", &pattern, &err), FC_BAD_CONFIG);
    cr_expect(text_begins(err.text, "RegionPattern: '[a-' is no pattern: "), "%s", err.text);
    cr_expect_eq(pattern_compile("RegionPattern", "", &pattern, &err), FC_BAD_CONFIG);
    char longest[PATTERN_LENGTH_MAX + 2] = { 0 };
    memset(longest, 'a', PATTERN_LENGTH_MAX + 1);
    cr_expect_eq(pattern_compile("RegionPattern", longest, &pattern, &err), FC_BAD_CONFIG);
    cr_expect_null(pattern);
}

Test(pattern, one_that_explodes_gives_up_and_is_counted)
{
    struct pattern *pattern = compiled("^(a+)+$");
    cr_expect_not(pattern_is_match(pattern, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
    cr_expect_eq(pattern_given_up(pattern), 1u);
    cr_expect(pattern_is_match(pattern, "aaa"));
    pattern_free(pattern);
}

Test(pattern, is_what_the_core_is_lent)
{
    struct pattern *pattern = compiled("-(\\w+)-");
    char to[16];
    cr_expect(pattern_matcher.is_match(pattern_matcher.lender, pattern, "db-west-1"));
    cr_expect(pattern_matcher.capture(pattern_matcher.lender, pattern, "db-west-1", to, sizeof to));
    cr_expect_str_eq(to, "west");
    pattern_free(pattern);
}

static struct host_filters *filters(const char *first, const char *second)
{
    const char *texts[] = { first, second };
    struct host_filters *all = NULL;
    cr_assert_eq(host_filters_compile("DiscoveryIgnoreHostnameFilters", texts, second == NULL ? 1 : 2, &all, &err), FC_OK);
    return all;
}

static bool fits(const struct host_filters *all, const char *host, uint16_t port)
{
    const struct instance_key key = { host, port };
    return host_filters_fit(all, &key);
}

Test(pattern, a_filter_that_is_an_address_is_that_host_and_no_other)
{
    struct host_filters *all = filters("10.0.0.1", "::1");
    cr_expect(fits(all, "10.0.0.1", 3306));
    cr_expect_not(fits(all, "10.0.0.15", 3306));
    cr_expect_not(fits(all, "10a0b0c1", 3306), "its dots are no pattern");
    cr_expect(fits(all, "::1", 3306));
    host_filters_free(all);
}

Test(pattern, any_other_filter_is_looked_for_in_host_and_port)
{
    struct host_filters *all = filters("^test-", ":3307$");
    cr_expect(fits(all, "test-1", 3306));
    cr_expect(fits(all, "db1", 3307));
    cr_expect_not(fits(all, "db1", 3306));
    cr_expect_not(host_filters_fit_host(all, "db1"), "the host alone has no port");
    cr_expect(host_filters_fit_host(all, "test-1"));
    cr_expect_not(fits(NULL, "test-1", 3306));
    host_filters_free(all);
}

Test(pattern, a_filter_that_would_fit_everybody_by_mistake_is_refused)
{
    const char *texts[] = { "^test-", "" };
    struct host_filters *all = NULL;
    cr_expect_eq(host_filters_compile("DiscoveryIgnoreHostnameFilters", texts, 2, &all, &err), FC_BAD_CONFIG);
    cr_expect_str_eq(err.text, "DiscoveryIgnoreHostnameFilters: a pattern has 1 to 1024 bytes");
    cr_expect_null(all);
}
