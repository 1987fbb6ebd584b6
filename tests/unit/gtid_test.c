/* GTIDs of both families: what is read, what is refused, and the questions that promotion and repointing ask. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "model/gtid.h"

#define UUID_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID_B "4e11fa47-71ca-11e1-9e33-c80aa9429562"
#define ROOM 64

struct owned { struct gtid_interval list[ROOM]; struct gtid_set set; };

static struct gtid_set *set_of(struct owned *owned, const char *text)
{
    owned->set = (struct gtid_set){ owned->list, 0, ROOM };
    cr_assert(gtid_set_parse(text, strlen(text), &owned->set), "'%s' is refused", text);
    cr_assert_leq(owned->set.count, gtid_set_bound(text, strlen(text)));
    return &owned->set;
}

static const char *printed(const struct gtid_set *set)
{
    static char text[2000];
    cr_assert(gtid_set_write(set, text, sizeof text));
    return text;
}

static const char *read_again(const char *text)
{
    struct owned one;
    return printed(set_of(&one, text));
}

static bool is_refused(const char *text)
{
    struct owned one = { .set = { one.list, 0, ROOM } };
    return !gtid_set_parse(text, strlen(text), &one.set);
}

static const char *difference(const char *a, const char *b)
{
    struct owned left, right, rest = { .set = { rest.list, 0, ROOM } };
    cr_assert(gtid_set_subtract(set_of(&left, a), set_of(&right, b), &rest.set));
    return printed(&rest.set);
}

static bool contains(const char *a, const char *b)
{
    struct owned left, right;
    return gtid_set_contains(set_of(&left, a), set_of(&right, b));
}

Test(gtid, a_set_is_printed_as_servers_print_it)
{
    cr_expect_str_eq(read_again(""), "");
    cr_expect_str_eq(read_again(UUID_A ":1-5"), UUID_A ":1-5");
    cr_expect_str_eq(read_again(UUID_A ":1-5:7,\n" UUID_B ":3"), UUID_A ":1-5:7," UUID_B ":3");
    cr_expect_str_eq(read_again(" " UUID_B ":3 , 3E11FA47-71CA-11E1-9E33-C80AA9429562:1"), UUID_A ":1," UUID_B ":3");
}

Test(gtid, intervals_that_touch_or_overlap_become_one)
{
    cr_expect_str_eq(read_again(UUID_A ":1-5:6-9"), UUID_A ":1-9");
    cr_expect_str_eq(read_again(UUID_A ":7:1-5:2-3," UUID_A ":6"), UUID_A ":1-7");
}

Test(gtid, tags_stand_behind_the_intervals_without_one)
{
    cr_expect_str_eq(read_again(UUID_A ":1-5:blue:1-2:7:red:3"), UUID_A ":1-5:blue:1-2:7:red:3");
    cr_expect_str_eq(read_again(UUID_A ":Blue:1:2"), UUID_A ":blue:1-2");
}

Test(gtid, what_is_no_set_is_refused)
{
    cr_expect(is_refused("nonsense"));
    cr_expect(is_refused(UUID_A));
    cr_expect(is_refused(UUID_A ":"));
    cr_expect(is_refused(UUID_A ":0"));
    cr_expect(is_refused(UUID_A ":5-3"));
    cr_expect(is_refused(UUID_A ":1-"));
    cr_expect(is_refused(UUID_A ":99999999999999999999"));
    cr_expect(is_refused(UUID_A ":blue"));
    cr_expect(is_refused(UUID_A ":blue:red:1"));
    cr_expect(is_refused(UUID_A ":1 " UUID_B ":1"));
    cr_expect(is_refused("3e11fa4771ca-11e1-9e33-c80aa9429562x:1"));
    cr_expect(is_refused(UUID_A ":aaaaaaaaaabbbbbbbbbbccccccccccddd:1"));
}

Test(gtid, a_set_larger_than_its_room_is_refused_and_not_cut)
{
    struct owned one = { .set = { one.list, 0, 1 } };
    cr_expect_not(gtid_set_parse(UUID_A ":1:3", strlen(UUID_A ":1:3"), &one.set));
}

Test(gtid, what_a_replica_has_and_its_master_has_not_is_left)
{
    cr_expect_str_eq(difference(UUID_A ":1-10", UUID_A ":1-10"), "");
    cr_expect_str_eq(difference(UUID_A ":1-10," UUID_B ":1-2", UUID_A ":1-12"), UUID_B ":1-2");
    cr_expect_str_eq(difference(UUID_A ":1-10", UUID_A ":3-4:8"), UUID_A ":1-2:5-7:9-10");
    cr_expect_str_eq(difference(UUID_A ":1-3:5-7:9", UUID_A ":2-6"), UUID_A ":1:7:9");
    cr_expect_str_eq(difference(UUID_A ":1-5:blue:1-5", UUID_A ":1-5:blue:2-4"), UUID_A ":blue:1:5");
}

Test(gtid, purged_inside_executed_can_be_attached)
{
    cr_expect(contains(UUID_A ":1-10", UUID_A ":1-3:7"));
    cr_expect(contains(UUID_A ":1-10", ""));
    cr_expect_not(contains(UUID_A ":1-10", UUID_A ":1-11"));
    cr_expect_not(contains(UUID_A ":1-3:5-10", UUID_A ":2-6"));
    cr_expect_not(contains(UUID_A ":1-10", UUID_B ":1"));
    cr_expect_not(contains(UUID_A ":1-10", UUID_A ":blue:1"));
}

Test(gtid, a_source_goes_with_all_its_tags)
{
    struct owned one;
    uint8_t source[16];
    struct gtid_set *set = set_of(&one, UUID_A ":1-5:blue:1," UUID_B ":1-4");
    cr_assert(gtid_source_parse(UUID_A, 36, source));
    gtid_set_remove_source(set, source);
    cr_expect_str_eq(printed(set), UUID_B ":1-4");
    cr_expect_eq(gtid_set_count(set), 4);
}

/* Against the plainest model there is: one bit a transaction. */
static uint64_t chance_bits(struct fc_rng *rng) { return rng_next(rng) & rng_next(rng); }

static void put_bits(uint64_t bits, struct owned *to, struct fc_rng *rng)
{
    to->set = (struct gtid_set){ to->list, 0, ROOM };
    char text[4000] = UUID_A, *end = text + strlen(text);
    if (bits == 0)
        return;
    for (int i = 0; i < 64; i++) {
        const int at = (int)((unsigned)i * 37 + 11) % 64;      /* out of order */
        if ((bits >> at & 1) != 0)
            text_format(end, sizeof text - (size_t)(end - text), rng_below(rng, 2) == 0 ? ":%d" : ":%d-%d", at + 1, at + 1);
        end += strlen(end);
    }
    cr_assert(gtid_set_parse(text, strlen(text), &to->set), "%s", text);
}

static uint64_t bits_of(const struct gtid_set *set)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < set->count; i++) {
        for (uint64_t at = set->list[i].first; at <= set->list[i].last; at++)
            bits |= UINT64_C(1) << (at - 1);
    }
    return bits;
}

Test(gtid, sets_answer_as_bits_do)
{
    struct fc_rng rng = { 7 };
    for (int i = 0; i < 2000; i++) {
        const uint64_t a = chance_bits(&rng), b = i % 3 == 0 ? a & rng_next(&rng) : chance_bits(&rng);
        struct owned left, right, rest = { .set = { rest.list, 0, ROOM } };
        put_bits(a, &left, &rng);
        put_bits(b, &right, &rng);
        cr_assert(gtid_set_subtract(&left.set, &right.set, &rest.set));
        cr_assert_eq(bits_of(&left.set), a);
        cr_assert_eq(bits_of(&rest.set), a & ~b);
        cr_assert_eq(gtid_set_contains(&left.set, &right.set), (b & ~a) == 0);
        cr_assert_eq(gtid_set_count(&left.set), (uint64_t)__builtin_popcountll(a));
        cr_assert_eq(gtid_set_is_same(&left.set, &right.set), a == b);
    }
}

/* --- MariaDB --- */

static size_t places(const char *text, struct gtid_place *to)
{
    size_t count = 99;
    cr_assert(gtid_places_parse(text, strlen(text), to, ROOM, &count), "'%s' is refused", text);
    cr_assert_leq(count, gtid_places_bound(text, strlen(text)));
    return count;
}

static bool are_no_places(const char *text)
{
    struct gtid_place to[ROOM];
    size_t count;
    return !gtid_places_parse(text, strlen(text), to, ROOM, &count);
}

Test(gtid, a_position_of_mariadb_has_one_place_a_domain)
{
    struct gtid_place at[ROOM];
    cr_expect_eq(places("", at), 0);
    cr_expect_eq(places("0-1-5, 7-2-18446744073709551615", at), 2);
    cr_expect_eq(at[1].domain, 7);
    cr_expect_eq(at[1].server, 2);
    cr_expect_eq(at[1].sequence, UINT64_MAX);
}

Test(gtid, what_is_no_position_is_refused)
{
    cr_expect(are_no_places("0-1"));
    cr_expect(are_no_places("0-1-5,"));
    cr_expect(are_no_places("0-1-5 0-1-6"));
    cr_expect(are_no_places("4294967296-1-5"));
    cr_expect(are_no_places("0-1--5"));
    cr_expect(are_no_places("0-1-x"));
}

static bool reaches(const char *a, const char *b)
{
    struct gtid_place left[ROOM], right[ROOM];
    const size_t left_count = places(a, left), right_count = places(b, right);
    return gtid_places_reach(left, left_count, right, right_count);
}

Test(gtid, a_position_reaches_another_in_every_domain_of_that)
{
    cr_expect(reaches("0-1-9,1-1-3", "0-2-9"));
    cr_expect(reaches("0-1-9", ""));
    cr_expect(reaches("0-1-4,0-2-9", "0-3-9"));        /* a binlog state: the highest of the domain counts */
    cr_expect_not(reaches("0-1-8", "0-1-9"));
    cr_expect_not(reaches("0-1-9", "0-1-9,1-1-1"));
}
