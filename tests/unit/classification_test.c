/* Where a server stands and what its cluster is called: each source, which of them wins, and who owns an alias that two claim. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "judge/aliases.h"
#include "model/classification.h"
#include "scarce_room.h"

/* A matcher of the scene's own: a pattern is a text; it matches where that stands, and captures what follows up to the next dash. */
struct pattern { const char *text; };

static bool stands_in(void *lender, const struct pattern *pattern, const char *text)
{
    (void)lender;
    return strstr(text, pattern->text) != NULL;
}

static bool what_follows(void *lender, const struct pattern *pattern, const char *text, char *to, size_t size)
{
    (void)lender;
    const char *at = strstr(text, pattern->text);
    if (at == NULL)
        return false;
    at += strlen(pattern->text);
    return text_copy_bytes(to, size, at, strcspn(at, "-"));
}

static const struct matcher matcher = { stands_in, what_follows, NULL };
static const struct pattern dc = { "dc" }, shop = { "shop" };

static struct room room;
static struct topology topology;
static struct overrides said;
static struct fleet fleet;
static struct classifications classes;
static struct aliases aliases;
static struct classifier classifier;

static void open_all(void)
{
    room = room_of_libc();
    classifier = (struct classifier){ .matcher = &matcher };
    cr_assert(topology_init(&topology, &room, 1000));
    overrides_init(&said, &room, &topology.names);
    cr_assert(fleet_init(&fleet, &room, &topology, &said, &analysis_policy_preset));
    classifications_init(&classes, &room, &topology);
    aliases_init(&aliases, &room, &topology.names);
}

static void close_all(void)
{
    aliases_done(&aliases);
    classifications_done(&classes);
    fleet_done(&fleet);
    overrides_done(&said);
    for (member_id id = 0; id < topology.count; id++) {
        if (topology_member(&topology, id)->kind == MEMBER_KNOWN) {
            char host[64];
            const struct instance_key key = { host, topology_key(&topology, id).port };
            TEXT_SET(host, topology_key(&topology, id).host);
            topology_forget(&topology, &key);
        }
    }
    cr_expect_eq(topology.names.in_use, 0u, "every name is given back");
    topology_done(&topology);
}

TestSuite(classification, .init = open_all, .fini = close_all);

static const struct fc_time second_one = { 1000000 };

static member_id member(const char *host)
{
    const struct instance_key key = { host, 3306 };
    return topology_find(&topology, &key);
}

/* Seen, writable or not, with what its queries answered. */
static member_id say(const char *host, const char *master, bool is_read_only, const struct detected *detected)
{
    const struct channel_seen channel = { .name = "", .master = { master, 3306 }, .gtid_use = GTID_SLAVE_POS, .io = THREAD_RUNNING,
                                          .sql = THREAD_RUNNING };
    const struct instance_seen seen = { .key = { host, 3306 }, .flavour = FLAVOUR_MARIADB, .is_read_only = is_read_only,
                                        .channels = &channel, .channel_count = master != NULL, .seen_at = second_one };
    member_id id;
    cr_assert_eq(topology_saw(&topology, &seen, NULL, &id, NULL), FC_OK);
    cr_assert(fleet_looked(&fleet, id, second_one));
    cr_assert(classification_take(&classes, &classifier, id, detected, NULL));
    return id;
}

static const struct detected *called(const char *alias)
{
    static struct detected answer;
    answer = (struct detected){ .answer = { [CLASSIFIED_CLUSTER_ALIAS] = alias } };
    return &answer;
}

static const char *text(const char *host, enum classified what)
{
    return classification_text(&classes, member(host), what);
}

static const char *alias_of(const char *host)
{
    static char to[2][160];
    static int turn;
    char *at = to[turn++ % 2];
    cr_assert(aliases_choose(&aliases, &fleet, &classes, &classifier));
    aliases_text(&aliases, &topology, topology_member(&topology, member(host))->head, at, sizeof to[0]);
    return at;
}

Test(classification, a_pattern_on_the_name_says_where_a_server_stands_and_is_asked_once)
{
    classifier.patterns[CLASSIFIED_DATA_CENTER] = &dc;
    say("dcwest-1", NULL, false, NULL);
    say("other-1", NULL, false, NULL);
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_DATA_CENTER), "west");
    cr_expect_str_eq(text("other-1", CLASSIFIED_DATA_CENTER), "");
    say("dcwest-1", NULL, false, NULL);
    cr_expect_eq(classes.matches, 2u);
    classifications_forget_patterns(&classes);
    say("dcwest-1", NULL, false, NULL);
    cr_expect_eq(classes.matches, 3u, "after a reload it is asked again");
}

Test(classification, a_query_wins_over_the_pattern_and_stays_when_it_is_not_answered_again)
{
    struct detected answer = { .answer = { [CLASSIFIED_DATA_CENTER] = "east", [CLASSIFIED_INSTANCE_ALIAS] = "the big one" } };
    classifier.patterns[CLASSIFIED_DATA_CENTER] = &dc;
    say("dcwest-1", NULL, false, &answer);
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_DATA_CENTER), "east");
    say("dcwest-1", NULL, false, NULL);
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_DATA_CENTER), "east");
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_INSTANCE_ALIAS), "the big one");
    answer.answer[CLASSIFIED_DATA_CENTER] = "";
    say("dcwest-1", NULL, false, &answer);
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_DATA_CENTER), "", "an empty answer is one");
}

Test(classification, what_is_no_value_is_refused_and_the_rest_is_taken)
{
    const struct detected answer = { .answer = { [CLASSIFIED_REGION] = "a region whose name is longer than any column",
                                                 [CLASSIFIED_PROMOTION_RULE] = "must", [CLASSIFIED_SEMI_SYNC_PRIORITY] = "256",
                                                 [CLASSIFIED_ENVIRONMENT] = "production" } };
    const member_id a = say("a", NULL, false, NULL);
    uint32_t refused = 0;
    cr_expect(classification_take(&classes, &classifier, a, &answer, &refused));
    cr_expect_eq(refused, 1u << CLASSIFIED_REGION | 1u << CLASSIFIED_PROMOTION_RULE | 1u << CLASSIFIED_SEMI_SYNC_PRIORITY);
    cr_expect_str_eq(text("a", CLASSIFIED_ENVIRONMENT), "production");
    cr_expect_str_eq(text("a", CLASSIFIED_REGION), "");
    cr_expect_not(classification_of(&classes, a)->has_rule);
}

Test(classification, rules_and_priorities_are_read)
{
    const struct detected answer = { .answer = { [CLASSIFIED_PROMOTION_RULE] = "prefer_not", [CLASSIFIED_SEMI_SYNC_PRIORITY] = "7" } };
    const member_id a = say("a", NULL, false, &answer);
    cr_expect(classification_of(&classes, a)->has_rule);
    cr_expect_eq(classification_of(&classes, a)->rule, PROMOTION_PREFER_NOT);
    cr_expect_eq(classification_of(&classes, a)->semi_sync_priority, 7);
}

Test(classification, only_the_head_says_the_clusters_domain)
{
    const struct detected answer = { .answer = { [CLASSIFIED_CLUSTER_DOMAIN] = "db.example.com" } };
    say("a", NULL, false, &answer);
    say("b", "a", true, &answer);
    cr_expect_str_eq(text("a", CLASSIFIED_CLUSTER_DOMAIN), "db.example.com");
    cr_expect_str_eq(text("b", CLASSIFIED_CLUSTER_DOMAIN), "");
}

Test(classification, a_domain_of_the_store_counts_where_the_head_answers_none)
{
    const struct detected answer = { .answer = { [CLASSIFIED_CLUSTER_DOMAIN] = "db.example.com" } };
    const member_id a = say("a", NULL, false, NULL), b = say("b", NULL, false, &answer);
    cr_assert_eq(classifications_name_domain(&classes, "a:3306", "of.the.store", NULL), FC_OK);
    cr_assert_eq(classifications_name_domain(&classes, "b:3306", "of.the.store", NULL), FC_OK);
    cr_assert_eq(classifications_name_cluster(&classes, "a:3306", "an alias is none", NULL), FC_OK);
    cr_expect_str_eq(classification_domain(&classes, a), "of.the.store");
    cr_expect_str_eq(classification_domain(&classes, b), "db.example.com");
    cr_assert_eq(classifications_name_domain(&classes, "a:3306", "", NULL), FC_OK);
    cr_expect_str_eq(classification_domain(&classes, a), "");
}

Test(classification, another_server_in_a_place_given_up_begins_with_nothing)
{
    const struct detected answer = { .answer = { [CLASSIFIED_REGION] = "north" } };
    const struct instance_key a = { "a", 3306 };
    say("a", NULL, false, &answer);
    topology_forget(&topology, &a);
    say("z", NULL, false, NULL);
    cr_expect_str_eq(text("z", CLASSIFIED_REGION), "");
}

Test(classification, a_cluster_without_an_alias_has_its_name)
{
    say("a", NULL, false, NULL);
    say("b", "a", true, NULL);
    cr_expect_str_eq(alias_of("b"), "a:3306");
}

Test(classification, the_alias_is_the_answer_nearest_to_the_head)
{
    say("b", "a", true, called("old"));
    cr_expect_str_eq(alias_of("b"), "old", "the head was not seen yet");
    say("a", NULL, false, called("shop"));
    cr_expect_str_eq(alias_of("b"), "shop");
}

Test(classification, without_an_answer_the_clusters_name_says_the_alias)
{
    classifier.alias_patterns[0] = &shop;
    classifier.aliases[0] = "the shop";
    classifier.alias_count = 1;
    say("shop-1", NULL, false, NULL);
    say("b", "shop-1", true, NULL);
    cr_expect_str_eq(alias_of("b"), "the shop");
    const uint64_t asked = classes.matches;
    cr_expect_str_eq(alias_of("b"), "the shop");
    cr_expect_eq(classes.matches, asked, "each name is asked once");
    classifier.aliases[0] = "the new shop";
    classifications_forget_patterns(&classes);
    say("shop-1", NULL, false, NULL);
    cr_expect_str_eq(alias_of("b"), "the new shop");
    cr_expect_eq(classes.matches, asked + 1, "after a reload again");
    say("shop-1", NULL, false, called("answered"));
    cr_expect_str_eq(alias_of("b"), "answered");
}

Test(classification, the_operators_word_is_above_all_and_can_be_taken_back)
{
    struct fc_err err;
    say("a", NULL, false, called("answered"));
    cr_expect_eq(classifications_name_cluster(&classes, "a:3306", "mine", &err), FC_OK);
    cr_expect_str_eq(alias_of("a"), "mine");
    cr_expect_eq(classifications_name_cluster(&classes, "a:3306", "mine again", &err), FC_OK);
    cr_expect_str_eq(alias_of("a"), "mine again");
    cr_expect_eq(classifications_name_cluster(&classes, "a:3306", "", &err), FC_OK);
    cr_expect_str_eq(alias_of("a"), "answered");
    cr_expect_eq(classifications_name_cluster(&classes, "", "x", &err), FC_BAD_INPUT);
}

Test(classification, after_a_failover_the_alias_goes_to_the_cluster_that_works)
{
    say("a", NULL, false, called("shop"));
    say("b", NULL, false, called("shop"));
    say("c", "b", true, NULL);
    cr_expect_str_eq(alias_of("b"), "shop", "with a replica");
    cr_expect_str_eq(alias_of("a"), "a:3306");
    say("b", NULL, true, called("shop"));
    cr_expect_str_eq(alias_of("a"), "shop", "only a may be written to");
    topology_missed(&topology, member("a"), false, second_one);
    fleet_looked(&fleet, member("a"), second_one);
    cr_expect_str_eq(alias_of("b"), "shop", "a cannot be reached");
}

Test(classification, who_was_lost_in_a_recovery_claims_nothing)
{
    const struct instance_key a = { "a", 3306 };
    say("a", NULL, false, called("shop"));
    say("b", NULL, true, called("shop"));
    overrides_begin_downtime(&said, &a, "firstchair", DOWNTIME_LOST_IN_RECOVERY, second_one, FC_NEVER, NULL);
    fleet_looked(&fleet, member("a"), second_one);
    cr_expect_str_eq(alias_of("b"), "shop");
    cr_expect_str_eq(alias_of("a"), "a:3306");
}

Test(classification, equal_claims_go_to_the_first_key_whoever_came_first)
{
    say("z", NULL, false, called("shop"));
    say("b", NULL, false, called("shop"));
    cr_expect_str_eq(alias_of("b"), "shop");
    cr_expect_str_eq(alias_of("z"), "z:3306");
}

static const char *meant(const char *hint)
{
    const member_id head = aliases_find_cluster(&aliases, &topology, hint);
    return head == MEMBER_NONE ? "none" : topology_key(&topology, head).host;
}

Test(classification, a_cluster_is_found_by_name_alias_member_or_a_part_that_only_one_has)
{
    say("db-shop-1", NULL, false, called("shop"));
    say("db-shop-2", "db-shop-1", true, NULL);
    say("db-mail-1", NULL, false, called("db-shop-1:3306"));
    say("10.0.0.15", NULL, false, NULL);
    alias_of("db-shop-1");
    cr_expect_str_eq(meant("db-shop-1:3306"), "db-shop-1", "its name comes before an alias that says the same");
    cr_expect_str_eq(meant("shop"), "db-shop-1");
    cr_expect_str_eq(meant("db-shop-2"), "db-shop-1");
    cr_expect_str_eq(meant("mail"), "db-mail-1");
    cr_expect_str_eq(meant("mail:3307"), "none");
    cr_expect_str_eq(meant("db-"), "none", "three have it");
    cr_expect_str_eq(meant("10.0.0.1"), "none", "a part of an address stands for nobody");
    cr_expect_str_eq(meant("10.0.0.15"), "10.0.0.15");
    cr_expect_str_eq(meant(""), "none");
}

/* ---- memory that runs out ---- */

Test(classification, without_memory_nothing_is_chosen_and_nothing_is_lost)
{
    struct room scarce = scarce_room(&room);
    struct aliases few;
    say("a", NULL, false, called("shop"));
    const uint32_t in_use = topology.names.in_use;
    for (int most = 0; most < 4; most++) {
        aliases_init(&few, &scarce, &topology.names);
        lent = most;
        const bool is_chosen = aliases_choose(&few, &fleet, &classes, &classifier);
        cr_expect_eq(is_chosen, most >= 3, "after %d reservations", most);
        char text[64];
        aliases_text(&few, &topology, member("a"), text, sizeof text);
        cr_expect_str_eq(text, is_chosen ? "shop" : "a:3306");
        aliases_done(&few);
        cr_expect_eq(topology.names.in_use, in_use);
    }
}

Test(classification, every_row_stands_in_its_place_and_says_where_it_comes_from)
{
    for (int i = 0; i < CLASSIFIED_COUNT; i++) {
        cr_expect_eq(classified_rows[i].what, (enum classified)i);
        cr_expect(strlen(classified_rows[i].word) > 0 && strlen(classified_rows[i].query_key) > 0 && classified_rows[i].length_max > 0);
    }
}

/* ---- rows of the store ---- */

static void recall(const char *host, enum classified what, const char *value, bool follows)
{
    struct detected stored = { .answer = { NULL } };
    stored.answer[what] = value;
    cr_assert(classification_recall(&classes, &classifier, member(host), &stored, follows));
}

static void looked_at(const char *host, enum classified what, const char *answer)
{
    struct detected detected = { .answer = { NULL } };
    detected.answer[what] = answer;
    cr_assert(classification_take(&classes, &classifier, member(host), &detected, NULL));
}

Test(classification, what_the_store_has_counts_until_the_server_answers)
{
    classifier.asks[CLASSIFIED_REGION] = true;
    say("db1", NULL, false, NULL);
    recall("db1", CLASSIFIED_REGION, "west", false);
    cr_expect_str_eq(text("db1", CLASSIFIED_REGION), "west");
    looked_at("db1", CLASSIFIED_REGION, NULL);
    cr_expect_str_eq(text("db1", CLASSIFIED_REGION), "west", "it was asked, and did not answer this");
    looked_at("db1", CLASSIFIED_REGION, "");
    cr_expect_str_eq(text("db1", CLASSIFIED_REGION), "", "nothing is an answer");
    recall("db1", CLASSIFIED_REGION, "west", false);
    cr_expect_str_eq(text("db1", CLASSIFIED_REGION), "", "its own answer is newer");
}

Test(classification, what_nobody_asks_for_is_as_the_store_has_it_until_a_look)
{
    say("db1", NULL, false, NULL);
    recall("db1", CLASSIFIED_SEMI_SYNC_PRIORITY, "3", false);
    cr_expect_eq(classification_of(&classes, member("db1"))->semi_sync_priority, 3);
    looked_at("db1", CLASSIFIED_REGION, NULL);
    cr_expect_eq(classification_of(&classes, member("db1"))->semi_sync_priority, 0);
}

Test(classification, what_a_pattern_alone_says_is_said_by_the_pattern)
{
    classifier.patterns[CLASSIFIED_DATA_CENTER] = &dc;
    say("dcwest-1", NULL, false, NULL);
    recall("dcwest-1", CLASSIFIED_DATA_CENTER, "of another pattern", true);
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_DATA_CENTER), "west");
    classifier.asks[CLASSIFIED_DATA_CENTER] = true;
    recall("dcwest-1", CLASSIFIED_DATA_CENTER, "answered before", false);
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_DATA_CENTER), "answered before", "a query wins over the pattern");
}

Test(classification, who_only_reads_follows_the_rows)
{
    classifier.asks[CLASSIFIED_REGION] = true;
    say("db1", NULL, false, NULL);
    looked_at("db1", CLASSIFIED_REGION, "as it led");
    recall("db1", CLASSIFIED_REGION, "west", true);
    cr_expect_str_eq(text("db1", CLASSIFIED_REGION), "west");
    recall("db1", CLASSIFIED_REGION, "", true);
    cr_expect_str_eq(text("db1", CLASSIFIED_REGION), "");
}

Test(classification, a_reload_loses_nothing_that_was_answered)
{
    classifier.asks[CLASSIFIED_REGION] = true;
    classifier.patterns[CLASSIFIED_DATA_CENTER] = &dc;
    say("dcwest-1", NULL, false, NULL);
    looked_at("dcwest-1", CLASSIFIED_REGION, "the coast");
    classifications_forget_patterns(&classes);
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_REGION), "the coast");
    classifier.patterns[CLASSIFIED_DATA_CENTER] = &shop;
    looked_at("dcwest-1", CLASSIFIED_REGION, NULL);
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_REGION), "the coast");
    cr_expect_str_eq(text("dcwest-1", CLASSIFIED_DATA_CENTER), "", "the new pattern says nothing of it");
}

Test(classification, of_whom_the_store_knew_the_alias_the_cluster_is_called_so)
{
    classifier.asks[CLASSIFIED_CLUSTER_ALIAS] = true;
    say("a", NULL, false, NULL);
    say("b", "a", true, NULL);
    recall("b", CLASSIFIED_CLUSTER_ALIAS, "main", false);
    cr_expect_str_eq(alias_of("b"), "main");
}
