/* The promotion rule that a server answers, as words: when they are said, and again, and not. The store is this file. */
#include <criterion/criterion.h>

#include "agent/fleet_rows.h"
#include "agent/fleet_rules.h"
#include "base/text.h"

static struct room room;
static struct watch *watch;
static const struct classifier classifier;
static struct fleet_rules rules;
static struct fleet_words *words;
static struct store_request asked;
static int asked_count;
static struct both_clocks clocks;
static struct fleet_memory memory;
static enum fc_code store_says;

static void ask(void *owner, const struct store_request *request)
{
    (void)owner;
    asked = *request;
    asked_count++;
}

static void stands(void *owner, const struct fleet_row *row, bool takes_back)
{
    struct instance_key key;
    (void)owner;
    fleet_word_take(&memory, row, takes_back, &clocks, &key);
}

static void done(void *owner, uint64_t ticket, enum fc_code code, const char *text)
{
    (void)owner, (void)text;
    cr_assert_eq(ticket, FLEET_RULES_TICKET);
    fleet_rules_said(&rules, code, clocks.now);
}

static void open_all(void)
{
    const struct fleet_words_port port = { NULL, ask, stands, done };
    const struct watch_setting setting = {
        .calendar = { .period = fc_ms(5000), .limit = 100, .urgent_limit = 16, .dead_factor = 1, .dead_most = fc_ms(300000), .capacity = 1000 },
        .policy = analysis_policy_preset, .classifier = &classifier,
    };
    room = room_of_libc();
    watch = room_reserve(&room, sizeof *watch);
    cr_assert(watch_init(watch, &room, &setting));
    memory = (struct fleet_memory){ .overrides = &watch->overrides, .rule_life = fc_ms(3600000) };
    clocks = (struct both_clocks){ { 5000000000 }, INT64_C(1800000000000) };
    words = fleet_words_new(&port);
}

static void close_all(void)
{
    fleet_words_free(words);
    watch_done(watch);
    room_release(&room, watch);
}

TestSuite(fleet_rules, .init = open_all, .fini = close_all);

static void answers(const char *host, const char *rule)
{
    const struct instance_seen seen = { .key = { host, 3306 }, .host_name = host, .flavour = FLAVOUR_MYSQL, .version = 80036, .trouble = "",
                                        .sent_at = clocks.now, .seen_at = clocks.now };
    const struct detected detected = { .answer = { [CLASSIFIED_PROMOTION_RULE] = rule } };
    const struct watch_recalled known = { .key = seen.key, .checked_at = FC_EVER };
    cr_assert_eq(watch_recall(watch, &known, clocks.now, NULL), FC_OK);
    watch_saw(watch, &seen, &detected, clocks.now);
}

/* So many seconds later: the word that was said last, "" when nothing was. The store takes it at once, or says no. */
static const char *after(int64_t seconds)
{
    static char said[200];
    struct fleet_row row;
    const int before = asked_count;
    clocks.now.us += seconds * 1000000;
    clocks.unix_ms += seconds * 1000;
    fleet_rules_second(&rules, words, watch, memory.rule_life, clocks.now, clocks.unix_ms / 1000);
    said[0] = '\0';
    if (asked_count == before)
        return said;
    cr_assert_eq(fleet_word_row(&asked.word, &row), FC_OK);
    TEXT_FORMAT(said, "%s %s", fleet_text(&row, candidate_database_instance_hostname), fleet_text(&row, candidate_database_instance_promotion_rule));
    const struct store_result result = { .deed = STORE_WORD, .id = asked.id, .code = store_says };
    fleet_words_heard(words, &result);
    return said;
}

Test(fleet_rules, a_rule_is_said_when_it_changes_and_before_it_ends)
{
    answers("db1", "prefer");
    cr_expect_str_eq(after(1), "db1 prefer");
    cr_expect_str_eq(after(1), "");
    cr_expect_str_eq(after(850), "");
    cr_expect_str_eq(after(60), "db1 prefer", "a quarter of its life is over");
    answers("db1", "must_not");
    cr_expect_str_eq(after(1), "db1 must_not");
    answers("db1", "neutral");
    cr_expect_str_eq(after(1), "db1 neutral", "it takes back what stands there");
    cr_expect_str_eq(after(1000), "", "it is what a server without a row is");
}

Test(fleet_rules, who_answers_no_rule_has_none_said)
{
    answers("db1", NULL);
    answers("db2", "neutral");
    cr_expect_str_eq(after(1), "");
}

Test(fleet_rules, of_who_is_dead_the_rule_ends)
{
    answers("db1", "prefer");
    cr_expect_str_eq(after(1), "db1 prefer");
    topology_missed(&watch->topology, topology_find(&watch->topology, &(struct instance_key){ "db1", 3306 }), false, clocks.now);
    cr_expect_str_eq(after(3700), "");
}

Test(fleet_rules, what_the_store_did_not_take_is_said_again_later)
{
    answers("db1", "prefer");
    store_says = FC_UNREACHABLE;
    cr_expect_str_eq(after(1), "db1 prefer");
    cr_expect_str_eq(after(1), "");
    store_says = FC_OK;
    cr_expect_str_eq(after(10), "db1 prefer");
    cr_expect_str_eq(after(10), "");
}
