/* Why. Each row of the tables that decide is reached by a scene and explained; and over random stories no explanation says
 * anything else than the board shows, or than an order then hears. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "core/core_explain.h"
#include "core_stage.h"

static struct explain_room room;
static struct explanation e;

static int64_t wall(const struct stage *s) { return 1790000000000 + s->now.us / 1000; }

/* The n-th subject of what these words ask for. */
static void explain_nth(const struct stage *s, const char *text, int n)
{
    struct explain_subject list[EXPLAIN_SUBJECTS_MAX];
    struct order order;
    struct fc_err err = { .code = FC_OK };
    int count = 0;
    cr_assert_eq(order_parse(text, strlen(text), &order, &err), FC_OK, "%s: %s", text, err.text);
    cr_assert_eq(core_explain_subjects(s->core, &order, list, &count, &err), FC_OK, "%s: %s", text, err.text);
    cr_assert_lt(n, count);
    core_explain(s->core, s->now, wall(s), &list[n], &order, "ann@test", true, &room, &e);
    cr_assert(e.verdict[0] != '\0' && e.subject[0] != '\0' && !e.is_cut, "%s: no verdict, or too much", text);
}

static void explain(const struct stage *s, const char *text) { explain_nth(s, text, 0); }

static bool has_input(const char *name, const char *part)
{
    for (int i = 0; i < e.input_count; i++) {
        if (text_is(e.inputs[i].name, name) && strstr(e.inputs[i].value, part) != NULL)
            return true;
    }
    return false;
}

static bool has_instead(const char *what, const char *part)
{
    for (int i = 0; i < e.alternative_count; i++) {
        if (text_is(e.alternatives[i].what, what) && strstr(e.alternatives[i].why_not, part) != NULL)
            return true;
    }
    return false;
}

static bool has_change(const char *part)
{
    for (int i = 0; i < e.change_count; i++) {
        if (strstr(e.changes[i], part) != NULL)
            return true;
    }
    return false;
}

static const char *step_state(const char *word)
{
    for (int i = 0; i < e.step_count; i++) {
        if (text_is(e.steps[i].word, word))
            return e.steps[i].state;
    }
    return "";
}

/* ---- openings ----------------------------------------------------------------------------------------------------- */

static void nothing(struct stage *s) { (void)s; }
static void db1_gone(struct stage *s)
{
    stage_report(s, "db2", "io=connecting");
    stage_lost(s, "db1", "ended");
    stage_lost(s, "db1", "refused");
}
static void db1_silent(struct stage *s)
{
    stage_report(s, "db2", "io=connecting");
    stage_out_of_sight(s, "db1");
}
static void db1_out_of_sight(struct stage *s)
{
    db1_silent(s);
    stage_lead(s);
}
static void half_moved(struct stage *s)
{
    stage_lose_lease(s, "denied");
    stage_finds_moving(s, "db1", "db2");
}
static void never_looked(struct stage *s)
{
    s->core->servers.list[1].has_answered = false;         /* as right after a start */
    stage_pass(s, 1);
}
static void switched_by_hand(struct stage *s)
{
    stage_report(s, "db2", "open");
    stage_report(s, "db1", "read_only=1");
    stage_report(s, "db2", "open");
}
static void db1_closed(struct stage *s) { stage_report(s, "db1", "read_only=1"); }
static void db2_open(struct stage *s) { stage_report(s, "db2", "open"); }
static void follows(struct stage *s) { stage_lose_lease(s, "denied"); }
static void suspended(struct stage *s) { stage_lose_lease(s, "silent"); }
static void lease_ran_out(struct stage *s)
{
    s->leads = false;
    stage_pass(s, 5000);
}
static void moving(struct stage *s)
{
    stage_order(s, "switch fc_backend db2");
    stage_deeds(s, "catch-up intend");
}
static void begun(struct stage *s) { stage_order(s, "switch fc_backend db2"); }
static void paused(struct stage *s)
{
    stage_order(s, "pause fc_backend because network work");
    stage_deed(s, "hold", "ok");
}
static void db2_held(struct stage *s)
{
    stage_order(s, "maint fc_backend/db2 because disks");
    stage_deed(s, "hold", "ok");
}
static void opening(struct stage *s)
{
    moving(s);
    stage_deeds(s, "fence catch-up seat");
}
static void on_db2(struct stage *s)
{
    opening(s);
    stage_deed(s, "open", "ok");
    stage_report(s, "db1", "read_only=1");
    stage_report(s, "db2", "open");
}
static void db1_contested(struct stage *s)
{
    stage_reload(s, "FailureDetectionQuorum=majority");
    s->fc2_says = "sees it";
    db1_out_of_sight(s);
}
static void yielding(struct stage *s) { stage_order(s, "yield"); }

/* ---- the chair: every finding ------------------------------------------------------------------------------------- */

static const struct { const char *finding, *seated; void (*opening)(struct stage *s); const char *verdict; } findings[] = {
    { "not-looked",   "db1", never_looked,     "db1 sits" },
    { "half-moved",   "db1", half_moved,       "the chair is being moved from db1 to db2" },
    { "empty",        "",    nothing,          "nobody sits" },
    { "gone",         "db1", db1_gone,         "the chair is being moved from db1 to db2 by this node: step intend" },
    { "out-of-sight", "db1", db1_out_of_sight, "the chair is being moved from db1 to db2 by this node: step intend" },
    { "contested",    "db1", db1_contested,    "db1 sits" },
    { "doubtful",     "db1", db1_silent,       "db1 sits" },
    { "elsewhere",    "db1", switched_by_hand, "the chair is being moved from" },
    { "closed",       "db1", db1_closed,       "the chair is being moved from db1 to db1 by this node: step intend" },
    { "stray",        "db1", db2_open,         "db1 sits" },
    { "well",         "db1", nothing,          "db1 sits" },
};

Test(explain, every_finding_is_told_with_the_fact_that_each_row_above_it_lacks)
{
    cr_assert_eq(sizeof findings / sizeof findings[0], seat_rule_count, "a row of seat_rules has no scene");
    for (size_t i = 0; i < seat_rule_count; i++) {
        struct stage s = stage_open("db1 db2", findings[i].seated);
        int above = 0;
        findings[i].opening(&s);
        explain(&s, "explain fc_backend");
        cr_expect_eq(e.kind, EXPLAIN_CHAIR);
        cr_expect_str_eq(e.rule, findings[i].finding);
        cr_expect_str_eq(e.rule, seat_rules[i].word);
        cr_expect_str_eq(e.because, seat_rules[i].because);
        cr_expect(text_begins(e.verdict, findings[i].verdict), "%s: %s", e.rule, e.verdict);
        for (int k = 0; k < e.alternative_count; k++)
            above += strstr(e.alternatives[k].why_not, "not so, it wants") != NULL;
        cr_expect_eq(above, (int)i, "%s: %d rows above it are told", e.rule, above);
        stage_close(&s);
    }
}

Test(explain, the_other_servers_are_told_with_why_they_do_not_sit)
{
    struct stage s = stage_open("db1 db2 db3", "db1");

    db2_held(&s);
    explain(&s, "explain fc_backend");
    cr_expect(has_instead("db2", "db2 is in maint by ann@test; `ready fc_backend/db2` ends that"));
    cr_expect(has_instead("db3", "it could sit (as a successor 3 of 3: it replicates and has applied all that it fetched)"));
    cr_expect(has_change("`switch fc_backend db3` would seat db3"));
    cr_expect_not(has_change("`switch fc_backend db2`"));
    cr_expect(has_input("db1", "answers, writable"));
    cr_expect(has_input("why this one", "first in the configuration"));
    stage_close(&s);
}

Test(explain, the_wait_for_a_server_that_could_not_be_fenced_says_what_it_waits_for)
{
    struct stage s = stage_open("db1 db2", "db1");

    db1_out_of_sight(&s);
    stage_deed(&s, "intend", "ok");
    stage_deed(&s, "fence", "unreachable");
    stage_deed(&s, "catch-up", "ok");
    explain(&s, "explain fc_backend");
    cr_expect(strstr(e.verdict, "step wait") != NULL, "%s", e.verdict);
    cr_expect(has_input("still awaited", ""), "what is awaited is not told");
    cr_expect(has_change("db1 could not be fenced: the wait ends in"));
    cr_expect_str_eq(step_state("wait"), "now");
    cr_expect_str_eq(step_state("intend"), "done");
    cr_expect_str_eq(step_state("seat"), "to come");
    cr_expect_str_eq(step_state("approach"), "left out");
    stage_close(&s);
}

Test(explain, what_each_node_sees_of_a_lost_server_is_told_with_its_age_and_the_share_that_is_wanted)
{
    struct stage s = stage_open("db1 db2", "db1");

    db1_contested(&s);
    explain(&s, "explain fc_backend");
    cr_expect(has_input("agreement", "1 of 2 nodes has lost it, 1 sees it; FailureDetectionQuorum majority wants 2"));
    cr_expect(has_input("fc1", "has lost db1: silent"));
    cr_expect(has_input("fc2", "sees db1"));
    cr_expect(has_input("what the leader does about it", "nothing is moved while too few nodes have lost it"));
    stage_close(&s);
}

Test(explain, a_pause_after_a_failed_move_is_counted_down)
{
    struct stage s = stage_open("db1 db2", "db1");

    db1_gone(&s);
    stage_deed(&s, "intend", "refused");
    stage_pass(&s, 100);
    explain(&s, "explain fc_backend");
    cr_expect(has_change("a move has failed; it is tried again after a pause, at once when what is seen changes: 400 ms left; last: db1 > db2 stopped at intend: refused"), "%s", e.changes[0]);
    stage_close(&s);
}

/* ---- failback: every bar ------------------------------------------------------------------------------------------ */

static const struct { const char *keys, *told; } bars[] = {
    { "FailbackAfterSeconds=0",  "FailbackAfterSeconds is 0: the chair goes back by order only" },
    { "FailbackAfterSeconds=60", "an operator's switch put the chair where it is" },
};

Test(explain, what_keeps_the_chair_from_going_home_is_told)
{
    for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++) {
        struct stage s = stage_open_with("db1 db2", "db1", bars[i].keys);
        on_db2(&s);
        explain(&s, "explain fc_backend");
        cr_expect(has_change(bars[i].told), "%s is not told: %s", bars[i].told, e.changes[0]);
        stage_close(&s);
    }
}

Test(explain, the_time_until_a_failback_is_counted_down)
{
    struct stage s = stage_open_with("db1 db2", "db2", "FailbackAfterSeconds=60");

    stage_pass(&s, 20000);
    explain(&s, "explain fc_backend");
    cr_expect(has_change("failback to db1: the preferred server has not been fit for FailbackAfterSeconds yet, 40000 ms left"), "%s",
              e.changes[0]);
    stage_report(&s, "db1", "broken");
    explain(&s, "explain fc_backend");
    cr_expect(has_change("failback to db1: the preferred server is not fit to sit"));
    stage_close(&s);
}

/* Who looks at no server, and has been told of another chair than this one. */
static void witness_untold(struct stage *s)
{
    stage_lose_lease(s, "denied");
    s->core->servers.looks_at_none = s->core->servers.was_told = true;
    stage_pass(s, 10);
}

/* ---- answers: every row ------------------------------------------------------------------------------------------- */

static const struct { const char *word, *seated, *subject; void (*opening)(struct stage *s); } answers[] = {
    { "paused",     "db1", "fc_backend/db2", paused },
    { "starting",   "db1", "fc_backend/db1", never_looked },
    { "moving",     "db1", "fc_backend/db1", moving },
    { "nobody",     "",    "fc_backend/db1", nothing },
    { "untold",     "db1", "fc_backend/db1", witness_untold },
    { "held",       "db1", "fc_backend/db2", db2_held },
    { "other-sits", "db1", "fc_backend/db2", nothing },
    { "not-open",   "db1", "fc_backend/db2", opening },
    { "first",      "db1", "fc_backend/db1", nothing },
    { "other-node", "db1", "fc_leader/fc2",  nothing },
    { "leads",      "db1", "fc_leader/fc1",  nothing },
    { "suspended",  "db1", "fc_leader/fc1",  suspended },
    { "leaderless", "db1", "fc_leader/fc1",  lease_ran_out },
    { "follows",    "db1", "fc_leader/fc1",  follows },
};

Test(explain, every_answer_is_told_as_the_board_shows_it)
{
    cr_assert_eq(sizeof answers / sizeof answers[0], ANSWER_RULE_COUNT, "a row of answer_rules has no scene");
    for (int i = 0; i < ANSWER_RULE_COUNT; i++) {
        struct stage s = stage_open("db1 db2", answers[i].seated);
        char text[80], shown[160];
        answers[i].opening(&s);
        TEXT_FORMAT(text, "explain %s", answers[i].subject);
        explain(&s, text);
        const struct answer *board = stage_answer(&s, answers[i].subject);
        TEXT_FORMAT(shown, "%s: %s", voice_word(board->voice), board->reason);
        cr_expect_str_eq(e.rule, answers[i].word);
        cr_expect_str_eq(e.rule, answer_rules[i].word);
        cr_expect_str_eq(e.verdict, shown);
        cr_expect_eq(board->voice, answer_rules[i].voice);
        cr_expect_gt(e.change_count, 0, "%s: nothing is said to change it", e.rule);
        stage_close(&s);
    }
}

Test(explain, an_answer_says_since_when_and_for_how_long)
{
    struct stage s = stage_open("db1 db2", "db1");

    const int64_t began = wall(&s);
    stage_pass(&s, 900);
    explain(&s, "explain fc_backend/db2");
    cr_expect_eq(e.since_unix_ms, began);
    cr_expect(has_input("term", "599 ms left, then rest"), "%s", e.inputs[1].value);
    s.now = fc_plus(s.now, fc_ms(700));
    explain(&s, "explain fc_backend/db2");
    cr_expect_str_eq(e.rule, "term-over");
    cr_expect_str_eq(e.verdict, "rest: term over (before: db1 sits)");
    stage_close(&s);
}

Test(explain, the_order_that_would_seat_it_is_named_or_why_it_would_be_refused)
{
    struct stage s = stage_open("db1 db2", "db1");

    explain(&s, "explain fc_backend/db2");
    cr_expect(has_change("`switch fc_backend db2` would seat it"));
    stage_report(&s, "db2", "behind");
    explain(&s, "explain fc_backend/db2");
    cr_expect(has_change("`switch fc_backend db2` would be refused: db2 is 90 s behind"));
    stage_close(&s);
}

/* ---- the leadership ----------------------------------------------------------------------------------------------- */

static const struct { void (*opening)(struct stage *s); const char *verdict, *rule, *change; } leaders[] = {
    { nothing,       "fc1 (this node) leads",                  "leads",      "`yield` gives the lease back" },
    { follows,       "fc2 leads; fc1 (this node) follows",     "follows",    "stand still for 2200 ms" },
    { suspended,     "this node led and may not act",          "suspended",  "the store answers again" },
    { lease_ran_out, "nobody is known to lead",                "leaderless", "stand still for 2200 ms" },
};

Test(explain, who_leads_and_why)
{
    for (size_t i = 0; i < sizeof leaders / sizeof leaders[0]; i++) {
        struct stage s = stage_open("db1 db2", "db1");
        leaders[i].opening(&s);
        explain(&s, "explain leader");
        cr_expect(text_begins(e.verdict, leaders[i].verdict), "%s", e.verdict);
        cr_expect_str_eq(e.rule, leaders[i].rule);
        cr_expect(has_change(leaders[i].change), "%s", e.changes[0]);
        stage_close(&s);
    }
}

/* ---- an HAProxy --------------------------------------------------------------------------------------------------- */

Test(explain, an_haproxy_that_contradicts_the_board_is_told_with_how_long)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=lb1=10.0.5.1:9999");

    explain(&s, "explain lb1");
    cr_expect_str_eq(e.verdict, "it has not been asked yet");
    stage_proxy(&s, "lb1", "db1 usable");
    explain(&s, "explain lb1");
    cr_expect_str_eq(e.verdict, "it does what the board says");
    stage_proxy(&s, "lb1", "db1 usable db2 usable");
    stage_pass(&s, 1200);
    explain(&s, "explain lb1");
    cr_expect_str_eq(e.verdict, "it contradicts the board on 1 server");
    cr_expect(has_instead("fc_backend/db2", "against the board for 1200 ms: it sends, and the board says rest"));
    cr_expect_eq(e.since_unix_ms, wall(&s) - 1200);
    stage_proxy_lost(&s, "lb1");
    explain(&s, "explain lb1");
    cr_expect_str_eq(e.verdict, "its runtime socket does not answer: connection refused");
    stage_close(&s);
}

/* ---- orders: every refusal at the door, told and then heard -------------------------------------------------------- */

static void db2_lost(struct stage *s)
{
    stage_out_of_sight(s, "db2");
}
static void db2_broken(struct stage *s) { stage_report(s, "db2", "broken"); }
static void db2_behind(struct stage *s) { stage_report(s, "db2", "behind"); }
static void db2_alone(struct stage *s) { stage_report(s, "db2", "unconfigured"); }
static void db2_bare(struct stage *s)
{
    s->looks[1].has_schema = false;
    stage_report(s, "db2", "");
}
static void db2_needy(struct stage *s)
{
    struct server_settings settings = { .uptime_s = -1, .clock_error_ms = -1 };
    TEXT_SET(settings.identity, "uid:b/2");
    TEXT_SET(settings.value[SETTING_BINLOG_FORMAT], "ROW");
    TEXT_SET(settings.value[SETTING_LOG_BIN], "OFF");
    stage_checked(s, 1, &settings);
}
static void many_holds(struct stage *s)
{
    struct holds *holds = &s->core->steering.holds;
    for (holds->count = 0; holds->count < HOLDS_MAX; holds->count++)
        TEXT_FORMAT(holds->list[holds->count].pool, "p%d", holds->count);
}
static void many_laid(struct stage *s)
{
    follows(s);
    for (int i = 0; i < PENDING_MAX; i++)
        stage_order(s, "pause fc_backend");
}

#define BLANKS "                                                                "
#define TOO_LONG "maint fc_backend/db2 " BLANKS " because 0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct { void (*opening)(struct stage *s); const char *order, *sentence; } refusals[] = {
    { nothing,       "switch fc_backend db9",      "pool fc_backend has no server db9" },
    { paused,        "switch fc_backend db2",      "fc_backend is paused; `resume fc_backend` first" },
    { begun,         "switch fc_backend db2",      "the chair is being moved to db2 (approach)" },
    { nothing,       "switch fc_backend db1",      "db1 sits already (epoch 5)" },
    { nothing,       "failback fc_backend",        "db1 sits already" },
    { db2_held,      "switch fc_backend db2",      "db2 is in maint by ann@test" },
    { db2_lost,      "switch fc_backend db2",      "db2 does not answer (silent)" },
    { db2_bare,      "switch fc_backend db2",      "db2 does not have firstchair's tables yet" },
    { db2_alone,     "switch fc_backend db2",      "db2 replicates from nobody" },
    { db2_broken,    "switch fc_backend db2",      "db2 does not apply" },
    { db2_behind,    "switch fc_backend db2",      "db2 is 90 s behind, MaxSeatLagSeconds is" },
    { db2_needy,     "switch fc_backend db2",      "`force` seats it all the same" },
    { db1_silent,    "switch fc_backend db2",      "nobody sits in sight" },
    { nothing,       "maint fc_backend/db9",       "pool fc_backend has no server db9" },
    { nothing,       "maint fc_backend/db1",       "db1 sits; `switch fc_backend` to another server first" },
    { begun,         "drain fc_backend/db2",       "db2 is being seated" },
    { begun,         "pause fc_backend",           "the chair is being moved, nobody sits at this moment; pause after that" },
    { nothing,       "ready fc_backend/db2",       "fc_backend/db2 has no hold" },
    { nothing,       "resume fc_backend",          "fc_backend has no hold" },
    { many_holds,    "maint fc_backend/db2",       "too many holds at one time" },
    { yielding,      "yield",                      "it is being given back already" },
    { begun,         "yield",                      "the chair is being moved; yield after that" },
    { nothing,       "pause nowhere",              "there is no pool nowhere here; the pool with a chair is fc_backend" },
    { nothing,       "pause fc_leader",            "fc_leader follows the leadership; `yield` hands it over" },
    { lease_ran_out, "pause fc_backend",           "nobody leads at this moment" },
    { many_laid,     "pause fc_backend",           "too many orders wait for the leader" },
    { follows,       TOO_LONG,                     "too long to be handed to the leader" },
};

Test(explain, every_refusal_at_the_door_is_told_before_the_order_is_given_and_is_heard_when_it_is)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct stage s = stage_open("db1 db2", "db1");
        char text[320], told[320];
        refusals[i].opening(&s);
        TEXT_FORMAT(text, "explain %s", refusals[i].order);
        explain(&s, text);
        cr_expect(strstr(e.verdict, refusals[i].sentence) != NULL, "%s: %s", refusals[i].order, e.verdict);
        stage_order(&s, refusals[i].order);
        TEXT_FORMAT(told, e.code == FC_OK ? "nothing would be done: %s" : "would be refused: %s", s.said);
        cr_expect(s.is_final);
        cr_expect_str_eq(e.verdict, told);
        stage_close(&s);
    }
}

Test(explain, a_server_that_an_haproxy_lacks_is_told_to_be_refused)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=lb1=10.0.5.1:9999");

    stage_proxy(&s, "lb1", "db1 usable, no db2");
    explain(&s, "explain switch fc_backend db2");
    const char *sentence = e.verdict + strlen("would be refused: ");
    stage_order(&s, "switch fc_backend db2");
    stage_says(&s, sentence);
    cr_expect(has_instead("force", "it would seat db2 despite unknown-to-haproxy"));
    stage_close(&s);
}

Test(explain, who_may_not_order_is_told_so)
{
    struct stage s = stage_open("db1 db2", "db1");
    const struct steer_stage stage = core_stage(s.core, s.now, wall(&s));

    explain_order(&s.core->steering, &stage, "yield", "bob@socket", false, &room, &e);
    cr_expect_eq(e.code, FC_NOT_ALLOWED);
    cr_expect(strstr(e.verdict, "bob@socket may look, not change") != NULL, "%s", e.verdict);
    stage_close(&s);
}

Test(explain, an_order_that_would_go_through_shows_its_steps_and_asks_nothing)
{
    struct stage s = stage_open("db1 db2", "db1");

    explain(&s, "explain switch fc_backend db2");
    cr_expect_str_eq(e.verdict, "would move the chair from db1 to db2: switch by ann@test");
    cr_expect_str_eq(e.rule, "planned");
    cr_expect_str_eq(step_state("catch-up"), "to come");
    cr_expect_str_eq(step_state("wait"), "left out");
    cr_expect(has_instead("force", "not needed"));
    explain(&s, "explain switch fc_backend db2 force");
    cr_expect_str_eq(step_state("approach"), "left out");
    explain(&s, "explain maint fc_backend/db2");
    cr_expect_str_eq(e.verdict, "would store for fc_backend/db2: maint");
    explain(&s, "explain yield");
    cr_expect(text_begins(e.verdict, "would give the lease back"));
    stage_asks(&s, "");
    stage_finds(&s, "well");
    cr_expect_eq(s.core->steering.orders, 0);
    stage_close(&s);
}

Test(explain, a_refused_switch_says_whether_force_or_another_server_would_do)
{
    struct stage s = stage_open("db1 db2 db3", "db1");

    stage_report(&s, "db2", "broken");
    explain(&s, "explain switch fc_backend db2");
    cr_expect(has_instead("force", "it would seat db2 despite not-applying, and lose what that lacks"));
    cr_expect(has_instead("db3", "it could sit"));
    db2_lost(&s);
    explain(&s, "explain switch fc_backend db2");
    cr_expect(has_instead("force", "it would not help: db2 does not answer"));
    stage_close(&s);
}

Test(explain, a_follower_tells_what_the_leader_would_do_by_what_it_sees_itself)
{
    struct stage s = stage_open("db1 db2", "db1");

    follows(&s);
    explain(&s, "explain switch fc_backend db2");
    cr_expect(has_input("handed on", "to fc2, who leads"));
    cr_expect(text_begins(e.verdict, "would move the chair from db1 to db2"), "%s", e.verdict);
    stage_report(&s, "db2", "broken");
    explain(&s, "explain switch fc_backend db2");
    cr_expect(text_begins(e.verdict, "would be refused: db2 does not apply"), "%s", e.verdict);
    stage_close(&s);
}

/* ---- plan --------------------------------------------------------------------------------------------------------- */

Test(explain, plan_tells_the_next_move_or_why_there_is_none)
{
    struct stage s = stage_open("db1 db2", "db1");

    explain(&s, "plan");
    cr_expect_str_eq(e.verdict, "nothing: who sits is well");
    follows(&s);
    stage_report(&s, "db2", "io=connecting");
    stage_lost(&s, "db1", "ended");
    stage_lost(&s, "db1", "refused");
    explain(&s, "plan fc_backend");
    cr_expect_str_eq(e.verdict, "would move the chair from db1 to db2: db1 is gone");
    cr_expect(has_input("who decides", "fc2; this is what this node would do"));
    stage_asks(&s, "");
    stage_lead(&s);
    explain(&s, "plan fc_backend");
    cr_expect_str_eq(e.verdict, "the chair is being moved from db1 to db2 by this node: step intend");
    cr_expect_str_eq(step_state("intend"), "now");
    stage_close(&s);
}

Test(explain, plan_of_a_paused_pool_is_nothing_now)
{
    struct stage s = stage_open("db1 db2", "db1");

    paused(&s);
    explain(&s, "plan");
    cr_expect_str_eq(e.verdict, "nothing now: an operator has paused the pool");
    cr_expect(has_change("`resume fc_backend` ends the pause"));
    stage_close(&s);
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static const char *unknown(const struct stage *s, const char *text)
{
    static struct fc_err err;
    struct explain_subject list[EXPLAIN_SUBJECTS_MAX];
    struct order order;
    int count = 0;
    cr_assert_eq(order_parse(text, strlen(text), &order, &err), FC_OK);
    cr_assert_neq(core_explain_subjects(s->core, &order, list, &count, &err), FC_OK);
    return err.text;
}

Test(explain, what_is_not_here_is_answered_with_what_is)
{
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=lb1=10.0.5.1:9999");

    cr_expect_str_eq(unknown(&s, "explain nowhere"), "nothing here is called 'nowhere'; there is fc_backend, fc_leader, lb1, leader, and any order");
    cr_expect_str_eq(unknown(&s, "explain fc_backend/db9"), "the pool 'fc_backend' has no server 'db9'; pools shows those that are");
    cr_expect_str_eq(unknown(&s, "plan fc_leader"), "there is no chair 'fc_leader' here; the pool with a chair is fc_backend");
    stage_close(&s);
}

Test(explain, everything_at_once_is_the_leadership_each_chair_each_answer_each_haproxy)
{
    static const enum explain_kind kinds[] = { EXPLAIN_LEADER, EXPLAIN_CHAIR, EXPLAIN_ANSWER, EXPLAIN_ANSWER, EXPLAIN_ANSWER,
                                               EXPLAIN_ANSWER, EXPLAIN_PROXY };
    struct stage s = stage_open_with("db1 db2", "db1", "HAProxyInstances=lb1=10.0.5.1:9999");

    for (int i = 0; i < 7; i++) {
        explain_nth(&s, "explain", i);
        cr_expect_eq(e.kind, kinds[i]);
    }
    stage_close(&s);
}

/* ---- it changes nothing ------------------------------------------------------------------------------------------- */

/* Looking at everything, planning, and trying an order leave the core as it was, byte for byte. */
static void explaining_changes_nothing(const struct stage *s)
{
    static struct core before;
    memcpy(&before, s->core, sizeof before);
    explain(s, "plan");
    explain(s, "explain switch fc_backend db2");
    explain(s, "explain yield");
    explain(s, "explain fc_backend");
    cr_assert_eq(memcmp(&before, s->core, sizeof before), 0, "explaining has changed the core");
}

/* ---- it never disagrees ------------------------------------------------------------------------------------------- */

static const char *const words[] = { "open", "read_only=1", "", "behind", "broken", "io=connecting", "unconfigured" };
static const char *const losses[] = { "ended", "refused", "silent" };
static const char *const random_orders[] = {
    "switch fc_backend db1", "switch fc_backend db2", "switch fc_backend db2 force", "failback fc_backend", "maint fc_backend/db1",
    "maint fc_backend/db2", "ready fc_backend/db2", "ready fc_backend/db1", "pause fc_backend", "resume fc_backend", "yield",
};

#define ANY_OF(list) (list)[rng_below(rng, sizeof (list) / sizeof (list)[0])]

static void answer_the_deed(struct stage *s, struct fc_rng *rng)
{
    static const char *const deeds[STEP_COUNT] = {
        [STEP_APPROACH] = "catch-up", [STEP_INTEND] = "intend", [STEP_FENCE] = "fence", [STEP_CATCH_UP] = "catch-up",
        [STEP_WAIT] = "fence",
        [STEP_SEAT] = "seat", [STEP_OPEN] = "open",
    };
    const struct move *move = &s->core->steering.move;
    if (move->deed_id != 0 && deeds[move->step] != NULL)
        stage_deed(s, deeds[move->step], rng_below(rng, 5) > 0 ? "ok" : rng_below(rng, 2) > 0 ? "timeout" : "unreachable");
}

static void answer_the_hold(struct stage *s)
{
    bool is_asked = false;
    for (int i = 0; i < s->effects->count; i++)
        is_asked = is_asked || s->effects->list[i].type == HOLD_WRITE;
    if (is_asked && s->core->steering.move.deed_id == 0 && s->leads)
        stage_deed(s, "hold", "ok");
}

/* What `explain ORDER` says is what the order hears, and whether something begins. */
static void order_as_told(struct stage *s, const char *order)
{
    char text[80], told[320];
    TEXT_FORMAT(text, "explain %s", order);
    explain(s, text);
    const bool was_moving = s->core->steering.move.step != STEP_NONE, is_handed_on = has_input("handed on", "");
    stage_order(s, order);
    TEXT_FORMAT(told, e.code == FC_OK ? "nothing would be done: %s" : "would be refused: %s", s->said);
    if (s->said[0] != '\0' && s->is_final)
        cr_assert_str_eq(e.verdict, told);
    else if (!is_handed_on)
        cr_assert_eq(text_begins(e.verdict, "would move"), !was_moving && s->core->steering.move.step != STEP_NONE, "%s: %s", order, e.verdict);
}

/* The stage keeps what was asked until a deed ends: here only what is still to be answered. */
static void forget_the_answered(struct stage *s)
{
    int kept = 0;
    for (int i = 0; i < s->effects->count; i++) {
        const struct effect effect = s->effects->list[i];
        if (effect.id != 0 && (effect.id == s->core->steering.move.deed_id || effect.type == HOLD_WRITE))
            s->effects->list[kept++] = effect;
    }
    s->effects->count = kept > 50 ? 0 : kept;
}

static void happen(struct stage *s, struct fc_rng *rng)
{
    const char *server = rng_below(rng, 2) == 0 ? "db1" : "db2";
    switch (rng_below(rng, 9)) {
    case 0: case 1: answer_the_deed(s, rng); break;
    case 2: stage_report(s, server, ANY_OF(words)); break;
    case 3: stage_lost(s, server, ANY_OF(losses)); break;
    case 4: order_as_told(s, ANY_OF(random_orders)); break;
    case 5: stage_pass(s, (int64_t)rng_below(rng, 3000)); break;
    case 6: if (rng_below(rng, 3) == 0) stage_lose_lease(s, rng_below(rng, 2) == 0 ? "denied" : "silent"); break;
    case 7: if (!s->leads) stage_lead(s); break;
    case 8: answer_the_hold(s); break;
    }
}

static void board_agrees(const struct stage *s)
{
    const struct steering *st = &s->core->steering;
    for (int p = 0; p < st->pool_count; p++) {
        for (int m = 0; m < st->pools[p].count; m++) {
            const struct pool_member *member = &st->pools[p].members[m];
            char text[160], shown[160];
            TEXT_FORMAT(text, "explain %s/%s", st->pools[p].name, member->name);
            explain(s, text);
            if (!fc_before(s->now, member->answer.until))
                continue;                                  /* "term over": told in a scene of its own */
            TEXT_FORMAT(shown, "%s: %s", voice_word(member->answer.voice), member->answer.reason);
            cr_assert_str_eq(e.verdict, shown);
            const struct steer_stage stage = core_stage(s->core, s->now, wall(s));
            cr_assert_eq(answer_rules[answer_case_of(st, &stage, p, m)].voice, member->answer.voice, "%s: the rule %s", text, e.rule);
        }
    }
    explain(s, "explain fc_backend");
    cr_assert_str_eq(e.rule, st->finding->word);
    cr_assert_eq(strstr(e.verdict, "being moved") != NULL, st->move.step != STEP_NONE || st->chair.state == CHAIR_MOVING, "%s", e.verdict);
}

/* What `plan` says is what the next turn of the clock does, when nothing else happens. */
static void plan_agrees(struct stage *s)
{
    explain(s, "plan");
    const bool was_moving = s->core->steering.move.step != STEP_NONE, leads = leadership_may_act(&s->core->leadership, s->now);
    const bool would_move = text_begins(e.verdict, "would move");
    char from_to[200];
    TEXT_SET(from_to, e.verdict);
    if (was_moving || !leads)
        return;
    stage_pass(s, 0);
    const struct move *move = &s->core->steering.move;
    cr_assert_eq(would_move, move->step != STEP_NONE, "plan: %s; now: %s", from_to, move_step_word(move->step));
}

Test(explain, over_random_stories_it_never_says_anything_else_than_the_board_and_the_orders)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct stage s = stage_open_with("db1 db2", seed % 5 == 0 ? "" : "db1", "FailbackAfterSeconds=5 HAProxyPush=false");
        struct fc_rng rng = { .state = seed };
        s.leads = seed % 5 != 0;
        for (int i = 0; i < 120; i++) {
            happen(&s, &rng);
            explaining_changes_nothing(&s);
            board_agrees(&s);
            plan_agrees(&s);
            forget_the_answered(&s);
        }
        stage_close(&s);
    }
}
