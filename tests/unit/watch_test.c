/* A fleet kept from events alone: who is found, when each is looked at, which name it has, what is told and stored of it. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "scarce_room.h"
#include "watch/watch.h"

#define FLEET_MAX 64
#define TOLD_MAX 8192

/* A world of described servers that answer looks at once, or hang, or refuse. */
struct described {
    char host[32], calls_itself[32], master[32];
    uint32_t server_id, master_id;
    bool is_down, hangs, is_deaf;          /* deaf: its io thread does not reach the master */
    const char *lists[4];
};

static struct room room;
static struct watch *watch;
static struct watch_setting setting;
static struct classifier classifier;
static struct described servers[FLEET_MAX];
static int server_count;
static int64_t now_ms;
static char told[TOLD_MAX];                /* what came out: "row a:3306*" (changed), "gone a:3306", sentences */
static uint64_t looks[FLEET_MAX];
static struct instance_key hanging[FLEET_MAX];
static int hanging_count;

static struct fc_time now(void) { return (struct fc_time){ now_ms * 1000 }; }

static struct instance_key key_of(const char *host) { return (struct instance_key){ host, 3306 }; }

static struct described *server(const char *host)
{
    for (int i = 0; i < server_count; i++) {
        if (text_is(servers[i].host, host))
            return &servers[i];
    }
    return NULL;
}

/* By another name it is the same server. */
static struct described *server_behind(const char *host)
{
    struct described *found = server(host);
    return found != NULL && found->calls_itself[0] == '@' ? server(found->calls_itself + 1) : found;
}

static struct described *stands(const char *host, const char *master)
{
    struct described *s = &servers[server_count++];
    *s = (struct described){ .server_id = (uint32_t)server_count };
    TEXT_SET(s->host, host);
    TEXT_SET(s->calls_itself, host);
    TEXT_SET(s->master, master == NULL ? "" : master);
    return s;
}

/* Whoever asks for `name` reaches the server `host`. */
static void is_alias(const char *name, const char *host)
{
    struct described *s = stands(name, NULL);
    TEXT_FORMAT(s->calls_itself, "@%s", host);
}

static void answer(const char *asked)
{
    const struct described *s = server_behind(asked);
    struct channel_seen channel = { .name = "", .master = key_of(s->master), .gtid_use = GTID_SLAVE_POS, .sql = THREAD_RUNNING,
                                    .io = s->is_deaf ? THREAD_CONNECTING : THREAD_RUNNING, .io_error_number = s->is_deaf ? 2003 : 0,
                                    .io_error = s->is_deaf ? "error connecting to master" : "", .master_server_id = s->master_id };
    struct replica_listed listed[4] = { 0 };
    struct instance_seen seen = { .key = key_of(asked), .host_name = s->calls_itself, .flavour = FLAVOUR_MARIADB, .version = 101106,
                                  .server_id = s->server_id, .has_log = true, .relogs = true, .binlog_format = "ROW", .trouble = "",
                                  .channels = &channel, .channel_count = s->master[0] != '\0', .replicas = listed,
                                  .sent_at = now(), .seen_at = now() };
    for (int i = 0; i < 4 && s->lists[i] != NULL; i++)
        listed[seen.replica_count++] = (struct replica_listed){ .key = key_of(s->lists[i]), .how = LISTED_REGISTERED };
    watch_saw(watch, &seen, NULL, now());
}

static void lose(const char *asked, enum loss loss, enum probe_phase phase)
{
    const struct instance_lost lost = { .key = key_of(asked), .loss = loss, .phase = phase, .text = "lost", .sent_at = now(),
                                        .lost_at = now() };
    watch_lost(watch, &lost, now());
}

static void tell(const char *text)
{
    const size_t used = strlen(told);
    text_format(told + used, sizeof told - used, "%s\n", text);
}

static void look(const struct watch_effect *effect)
{
    char host[INSTANCE_HOST_MAX + 1];
    text_copy(host, sizeof host, effect->key.host);
    const struct described *asked = server(host), *s = asked == NULL ? NULL : server_behind(host);
    if (asked != NULL)
        looks[asked - servers]++;
    if (s == NULL || s->is_down)
        lose(host, LOSS_REFUSED, PROBE_CONNECTING);
    else if (s->hangs)
        hanging[hanging_count++] = key_of(asked->host);
    else
        answer(host);
}

static void perform(void)
{
    struct watch_effect effect;
    char line[512];
    while (watch_next(watch, now(), &effect)) {
        if (effect.type == WATCH_LOOK) {
            look(&effect);
        } else if (effect.type == WATCH_NOTE) {
            tell(effect.text);
        } else if (effect.type != WATCH_RESOLVE) {
            TEXT_FORMAT(line, "%s %s%s", effect.type == WATCH_ROW ? "row" : "gone", effect.key.host, effect.is_changed ? "*" : "");
            tell(line);
        }
    }
}

static void pass_ms(int64_t ms)
{
    for (const int64_t end = now_ms + ms; now_ms < end;) {
        const struct fc_time wake = watch_wake_at(watch, now());
        const int64_t at = wake.us / 1000 + (wake.us % 1000 > 0);
        now_ms = fc_is_never(wake) || at > end ? end : at > now_ms ? at : now_ms + 1;
        watch_woken(watch, now());
        perform();
    }
}

static void seed(const char *host)
{
    const struct instance_key key = key_of(host);
    struct fc_err err = { .code = FC_OK };
    cr_assert_eq(watch_named(watch, &key, NAMED_AS_SEED, now(), NULL, &err), FC_OK, "%s", err.text);
    perform();
}

static void open_with(void)
{
    cr_assert(watch_init(watch, &room, &setting));
}

static void open_all(void)
{
    room = room_of_libc();
    watch = calloc(1, sizeof *watch);
    server_count = hanging_count = 0;
    memset(looks, 0, sizeof looks);
    told[0] = '\0';
    now_ms = 1000000;
    setting = (struct watch_setting){
        .calendar = { .period = fc_ms(5000), .limit = 100, .urgent_limit = 16, .dead_factor = 1, .dead_most = fc_ms(300000), .capacity = 1000 },
        .policy = analysis_policy_preset, .forget_after = fc_ms(240 * INT64_C(3600000)), .name_life = fc_ms(3600000), .classifier = &classifier,
    };
    open_with();
}

static void close_all(void)
{
    watch_done(watch);
    free(watch);
}

TestSuite(watch, .init = open_all, .fini = close_all);

/* "a b< c<": heads and depth marks by key order of the scene's servers. */
static const char *picture(void)
{
    static char text[1024];
    text[0] = '\0';
    for (int i = 0; i < server_count; i++) {
        const struct instance_key key = key_of(servers[i].host);
        const member_id id = topology_find(&watch->topology, &key);
        if (id == MEMBER_NONE || topology_member(&watch->topology, id)->kind != MEMBER_KNOWN)
            continue;
        const struct member *m = topology_member(&watch->topology, id);
        const size_t used = strlen(text);
        text_format(text + used, sizeof text - used, "%s%.*s%s%s", used == 0 ? "" : " ", (int)m->depth, "<<<<", servers[i].host,
                    m->is_seen ? "" : "?");
    }
    return text;
}

static const char *code_of(const char *host)
{
    const struct instance_key key = key_of(host);
    const struct analysis *found = fleet_analysis(&watch->fleet, topology_find(&watch->topology, &key));
    return found == NULL ? "none" : analysis_codes[found->code].word;
}

static void chain_of_three(void)
{
    stands("a", NULL)->lists[0] = "b";
    stands("b", "a")->lists[0] = "c";
    stands("c", "b");
}

/* ---- finding ---- */

Test(watch, from_any_one_of_them_all_are_found)
{
    chain_of_three();
    seed("c");
    pass_ms(10);
    cr_expect_str_eq(picture(), "a <b <<c");
    cr_expect(watch_is_quiet(watch));
}

Test(watch, the_order_of_arrival_changes_nothing)
{
    static const char *const orders[] = { "abc", "acb", "bac", "bca", "cab", "cba" };
    chain_of_three();
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 3; j++)
            seed((char[]){ orders[i][j], '\0' });
        pass_ms(20000);
        cr_expect_str_eq(picture(), "a <b <<c", "%s", orders[i]);
        cr_expect_str_eq(code_of("a"), "NoProblem");
        watch_done(watch);
        open_with();
    }
}

Test(watch, a_seed_that_nobody_reaches_stays_known_and_what_a_dead_one_was_said_to_have_does_not)
{
    stands("a", NULL)->lists[0] = "ghost";
    stands("ghost", NULL)->is_down = true;
    stands("seed", NULL)->is_down = true;
    seed("a");
    seed("seed");
    pass_ms(1000);
    cr_expect_str_eq(picture(), "a ghost? seed?");
    server("a")->lists[0] = NULL;
    pass_ms(200000);
    cr_expect_str_eq(picture(), "a seed?");
    cr_expect_not_null(strstr(told, "gone ghost"));
}

Test(watch, each_is_looked_at_once_a_period)
{
    chain_of_three();
    seed("a");
    pass_ms(10000);
    memset(looks, 0, sizeof looks);
    pass_ms(50000);
    for (int i = 0; i < 3; i++)
        cr_expect(looks[i] >= 9 && looks[i] <= 11, "%s: %d looks", servers[i].host, (int)looks[i]);
    uint64_t scheduled = 0;
    for (int i = 0; i <= WATCH_LATE_BOUNDS; i++)
        scheduled += watch->counts.late_within[i];
    cr_expect_eq(scheduled, watch->calendar.begun_count - watch->calendar.urged_count);
    cr_expect_eq(watch->counts.late_within[WATCH_LATE_BOUNDS], 0);
}

/* ---- filters ---- */

static bool ignore_by_letter(void *lender, enum watch_filter filter, const struct instance_key *key)
{
    return filter == *(enum watch_filter *)lender && key->host[0] == 'c';
}

Test(watch, who_is_filtered_is_not_looked_at_and_not_taken_from_an_operator)
{
    enum watch_filter which = FILTER_SERVER;
    const struct instance_key key = key_of("c");
    struct fc_err err;
    setting.filters = (struct watch_filters){ ignore_by_letter, &which };
    watch_set(watch, &setting, now());
    chain_of_three();
    cr_expect_eq(watch_named(watch, &key, NAMED_AS_SEED, now(), NULL, &err), FC_REFUSED);
    cr_expect_not_null(strstr(err.text, "DiscoveryIgnoreHostnameFilters"));
    seed("a");
    pass_ms(10000);
    cr_expect_str_eq(picture(), "a <b");
    which = FILTER_MASTER;                       /* it is a replica: that filter lets it through */
    pass_ms(10000);
    cr_expect_str_eq(picture(), "a <b <<c");
}

Test(watch, of_whom_analyses_leave_out_no_change_is_told)
{
    enum watch_filter which = FILTER_ANALYSIS;
    setting.filters = (struct watch_filters){ ignore_by_letter, &which };
    watch_set(watch, &setting, now());
    stands("c", NULL)->lists[0] = "b";
    stands("b", "c");
    seed("c");
    pass_ms(20000);
    told[0] = '\0';
    server("c")->is_down = true;
    lose("c", LOSS_ENDED, PROBE_IDLE);
    perform();
    pass_ms(20000);
    cr_expect_str_neq(code_of("c"), "NoProblem");
    cr_expect_null(strstr(told, "c:3306: "), "%s", told);
    which = FILTER_USER;
    server("c")->is_down = false;
    pass_ms(20000);
    cr_expect_not_null(strstr(told, "c:3306: "), "%s", told);
}

Test(watch, whom_a_filter_fits_from_now_on_is_let_go_also_when_the_store_has_it)
{
    enum watch_filter which = FILTER_SERVER;
    chain_of_three();
    seed("a");
    pass_ms(10000);
    cr_assert_str_eq(picture(), "a <b <<c");
    setting.filters = (struct watch_filters){ ignore_by_letter, &which };
    told[0] = '\0';
    watch_set(watch, &setting, now());
    pass_ms(10000);
    cr_expect_str_eq(picture(), "a <b");
    cr_expect_not_null(strstr(told, "gone c\n"), "%s", told);
    cr_expect_not_null(strstr(told, "c:3306 is forgotten: DiscoveryIgnoreHostnameFilters"), "%s", told);
    told[0] = '\0';
    memset(looks, 0, sizeof looks);
    const struct watch_recalled row = { .key = key_of("c"), .checked_at = FC_EVER };
    cr_expect_eq(watch_recall(watch, &row, now(), NULL), FC_REFUSED);
    pass_ms(10000);
    cr_expect_str_eq(picture(), "a <b");
    cr_expect_not_null(strstr(told, "gone c\n"), "its row goes too: %s", told);
    cr_expect_eq(looks[2], 0);
}

Test(watch, what_an_operator_names_and_nobody_sees_is_let_go_and_a_seed_is_not)
{
    const struct instance_key typo = key_of("typo");
    stands("later", NULL)->is_down = true;
    stands("typo", NULL)->is_down = true;
    seed("later");
    cr_assert_eq(watch_named(watch, &typo, NAMED_BY_OPERATOR, now(), NULL, NULL), FC_OK);
    perform();
    cr_expect_str_eq(picture(), "later? typo?");
    pass_ms(2 * WATCH_UNNAMED_PERIODS * 5000);
    cr_expect_str_eq(picture(), "later?");
    server("later")->is_down = false;
    pass_ms(400000);
    cr_expect_str_eq(picture(), "later");
}

/* ---- verdicts ---- */

Test(watch, a_dead_master_is_known_as_soon_as_its_session_ends_and_its_replicas_noticed)
{
    stands("a", NULL)->lists[0] = "b";
    server("a")->lists[1] = "c";
    stands("b", "a");
    stands("c", "a");
    seed("a");
    pass_ms(20000);
    told[0] = '\0';
    server("a")->is_down = true;
    lose("a", LOSS_ENDED, PROBE_IDLE);
    perform();
    pass_ms(5);
    cr_expect_str_eq(code_of("a"), "UnreachableMaster");
    server("b")->is_deaf = server("c")->is_deaf = true;
    pass_ms(1200);
    cr_expect_str_eq(code_of("a"), "DeadMaster");
    cr_expect_not_null(strstr(told, "a:3306: UnreachableMaster -> DeadMaster, 2 replicas"), "%s", told);
}

Test(watch, a_look_that_hangs_is_held_against_the_server_before_it_ends)
{
    stands("a", NULL)->lists[0] = "b";
    stands("b", "a");
    seed("a");
    pass_ms(20000);
    server("a")->hangs = true;
    told[0] = '\0';
    pass_ms(5000 + 1100);
    cr_expect_str_eq(code_of("a"), "UnreachableMaster");
    cr_expect_not_null(strstr(told, "row a\n"), "that it was attempted stands in its row: %s", told);
    server("a")->hangs = false;
    answer("a");
    perform();
    cr_expect_str_eq(code_of("a"), "NoProblem");
}

Test(watch, a_replica_that_lost_its_master_has_the_master_looked_at_now)
{
    stands("a", NULL)->lists[0] = "b";
    stands("b", "a");
    seed("a");
    pass_ms(20000);
    looks[0] = 0;
    server("b")->is_deaf = true;
    answer("b");
    perform();
    cr_expect_eq(looks[0], 1);
}

Test(watch, an_alarm_is_looked_into_each_second_and_no_longer_when_it_is_over)
{
    stands("a", NULL)->lists[0] = "b";
    stands("b", "a");
    seed("a");
    pass_ms(20000);
    server("a")->is_down = true;
    lose("a", LOSS_ENDED, PROBE_IDLE);
    pass_ms(10);
    memset(looks, 0, sizeof looks);
    pass_ms(10000);
    cr_expect(looks[0] >= 9 && looks[0] <= 14, "%d looks", (int)looks[0]);
    server("a")->is_down = false;
    pass_ms(3000);
    cr_expect_str_eq(code_of("a"), "NoProblem");
    memset(looks, 0, sizeof looks);
    pass_ms(10000);
    cr_expect(looks[0] <= 3, "%d looks", (int)looks[0]);
}

Test(watch, what_an_operator_said_is_heard_at_once_and_ends_by_itself)
{
    const struct instance_key key = key_of("a");
    stands("a", NULL)->lists[0] = "b";
    stands("b", "a");
    seed("a");
    pass_ms(10000);
    cr_assert_eq(overrides_begin_maintenance(&watch->overrides, &key, "ann", "disks", now(), fc_plus(now(), fc_ms(60000)), NULL), FC_OK);
    watch_said(watch, &key, now());
    cr_expect_str_eq(code_of("a"), "none");
    pass_ms(61000);
    cr_expect_str_eq(code_of("a"), "NoProblem");
    cr_expect_eq(watch->overrides.count, 0u);
}

/* ---- rows ---- */

Test(watch, a_row_is_told_once_an_event_and_says_whether_more_than_moments_changed)
{
    stands("a", NULL);
    seed("a");
    cr_expect_str_eq(told, "row a*\n");
    told[0] = '\0';
    pass_ms(5000);
    cr_expect_str_eq(told, "row a\n");
    told[0] = '\0';
    server("a")->server_id = 9;
    answer("a");
    answer("a");
    perform();
    cr_expect_str_eq(told, "row a*\n", "%s", told);
}

Test(watch, a_server_whose_cluster_changed_has_its_row_told_although_its_look_is_the_same)
{
    chain_of_three();
    seed("a");
    pass_ms(20000);
    TEXT_SET(server("b")->master, "");
    told[0] = '\0';
    answer("b");
    perform();
    cr_expect_not_null(strstr(told, "row c*"), "%s", told);
}

/* ---- forgetting ---- */

Test(watch, who_is_forgotten_is_not_taken_up_again_for_three_periods)
{
    const struct instance_key key = key_of("b");
    stands("a", NULL)->lists[0] = "b";
    stands("b", "a");
    seed("a");
    pass_ms(10000);
    cr_assert_eq(watch_forget(watch, &key, now(), NULL), FC_OK);
    perform();
    cr_expect_not_null(strstr(told, "gone b"));
    pass_ms(14000);
    cr_expect_str_eq(picture(), "a");
    pass_ms(7000);
    cr_expect_str_eq(picture(), "a <b");
    cr_expect_eq(watch_forget(watch, &(struct instance_key){ "nobody", 3306 }, now(), NULL), FC_NOT_FOUND);
}

Test(watch, a_forgotten_one_is_back_as_soon_as_somebody_asks_for_it)
{
    const struct instance_key key = key_of("a");
    stands("a", NULL);
    seed("a");
    cr_assert_eq(watch_forget(watch, &key, now(), NULL), FC_OK);
    seed("a");
    cr_expect_str_eq(picture(), "a");
}

Test(watch, who_was_not_seen_for_the_time_that_is_configured_is_forgotten)
{
    setting.forget_after = fc_ms(600000);
    watch_set(watch, &setting, now());
    stands("a", NULL);
    stands("b", NULL);
    seed("a");
    seed("b");
    pass_ms(10000);
    server("b")->is_down = true;
    pass_ms(500000);
    cr_expect_str_eq(picture(), "a b?");
    pass_ms(200000);
    cr_expect_str_eq(picture(), "a");
    cr_expect_not_null(strstr(told, "b:3306 is forgotten: it was not seen for UnseenInstanceForgetHours"));
}

Test(watch, a_look_that_comes_back_from_a_forgotten_server_changes_nothing)
{
    const struct instance_key key = key_of("a");
    stands("a", NULL)->hangs = true;
    seed("a");
    cr_assert_eq(watch_forget(watch, &key, now(), NULL), FC_OK);
    perform();
    answer("a");
    lose("a", LOSS_SILENT, PROBE_READING);
    perform();
    cr_expect_str_eq(picture(), "");
    cr_expect_eq(watch->topology.known, 0u);
}

/* ---- names ---- */

static void asks_for_own_names(void)
{
    setting.own_name = OWN_NAME_HOST;
    watch_set(watch, &setting, now());
}

Test(watch, a_server_is_known_by_its_own_name_when_it_answers_there)
{
    asks_for_own_names();
    stands("a", NULL);
    is_alias("vip", "a");
    seed("vip");
    pass_ms(10);
    cr_expect_str_eq(picture(), "a");
    cr_expect_not_null(strstr(told, "vip:3306 calls itself a, answers there, and is known by that name"), "%s", told);
    cr_expect_not_null(strstr(told, "gone vip"));
    seed("vip");
    pass_ms(10000);
    cr_expect_str_eq(picture(), "a", "whoever names it as before means the same");
}

Test(watch, replicas_that_name_their_master_otherwise_stay_in_its_cluster)
{
    asks_for_own_names();
    stands("a", NULL);
    is_alias("vip", "a");
    stands("b", "vip")->master_id = 1;
    seed("b");
    pass_ms(10000);
    cr_expect_str_eq(picture(), "a <b");
}

Test(watch, a_name_that_leads_nowhere_is_not_taken_nor_tried_at_each_look)
{
    asks_for_own_names();
    TEXT_SET(stands("a", NULL)->calls_itself, "localhost");
    stands("localhost", NULL)->is_down = true;
    seed("a");
    pass_ms(60000);
    cr_expect_str_eq(picture(), "a");
    cr_expect_eq(looks[1], 1);
    cr_expect_not_null(strstr(told, "a:3306 keeps that name: it calls itself localhost, and nobody answers there"), "%s", told);
}

Test(watch, two_servers_with_one_name_stay_two)
{
    asks_for_own_names();
    TEXT_SET(stands("a", NULL)->calls_itself, "image");
    TEXT_SET(stands("b", "a")->calls_itself, "image");
    stands("image", NULL)->server_id = 77;
    seed("b");
    pass_ms(60000);
    cr_expect_str_eq(picture(), "a <b image");
}

Test(watch, a_name_that_moves_to_another_server_is_found_out_by_the_replicas)
{
    asks_for_own_names();
    stands("a", NULL);
    stands("z", NULL);
    is_alias("vip", "a");
    stands("b", "vip")->master_id = 1;
    seed("b");
    pass_ms(10000);
    TEXT_SET(server("vip")->calls_itself, "@z");
    server("b")->master_id = 2;
    pass_ms(20000);
    cr_expect_str_eq(picture(), "a z <b");
    const struct instance_key b = key_of("b"), z = key_of("z");
    const member_id id = topology_find(&watch->topology, &b);
    cr_expect_eq(topology_member(&watch->topology, id)->master, topology_find(&watch->topology, &z));
}

/* ---- rest and recall ---- */

Test(watch, while_another_node_looks_nothing_is_begun)
{
    chain_of_three();
    seed("a");
    pass_ms(10000);
    watch_rest(watch, true, now());
    memset(looks, 0, sizeof looks);
    pass_ms(30000);
    cr_expect_eq(looks[0] + looks[1] + looks[2], 0);
    cr_expect(fc_is_never(watch_wake_at(watch, now())));
    watch_rest(watch, false, now());
    pass_ms(10);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(looks[i], 1);
}

static void recall(const char *host, const char *master, int64_t seen_s_ago, int64_t checked_s_ago)
{
    struct channel_seen channel = { .name = "", .master = key_of(master), .gtid_use = GTID_SLAVE_POS, .sql = THREAD_RUNNING, .io = THREAD_RUNNING };
    const struct instance_seen seen = { .key = key_of(host), .flavour = FLAVOUR_MARIADB, .version = 101106, .server_id = 1, .trouble = "",
                                        .channels = &channel, .channel_count = master != NULL,
                                        .seen_at = { (now_ms - seen_s_ago * 1000) * 1000 } };
    const struct watch_recalled row = { .key = key_of(host), .seen = &seen, .checked_at = { (now_ms - checked_s_ago * 1000) * 1000 } };
    cr_assert_eq(watch_recall(watch, &row, now(), NULL), FC_OK);
}

Test(watch, a_node_begins_with_what_the_store_knows)
{
    stands("a", NULL)->is_down = true;
    stands("b", "a");
    watch_recall_begin(watch);
    recall("b", "a", 7, 7);
    recall("a", NULL, 30, 7);
    cr_expect(!watch_next(watch, now(), &(struct watch_effect){ 0 }), "nothing is begun or told before all is read");
    watch_recall_end(watch, now());
    cr_expect_str_eq(picture(), "a? <b");
    cr_expect_str_eq(code_of("a"), "UnreachableMaster");
    server("b")->is_deaf = true;
    pass_ms(1500);
    cr_expect_str_eq(code_of("a"), "DeadMaster", "a master that this node has never seen itself");
}

/* Replicas call their master by another name than it calls itself; the master is dead when this node begins. */
Test(watch, a_name_that_was_found_before_the_restart_is_still_the_masters)
{
    stands("a", NULL)->is_down = true;
    stands("vip", NULL)->is_down = true;
    stands("b", "vip")->is_deaf = true;
    host_names_set(&watch->resolved, "vip", "a", now(), (struct fc_time){ now().us + 3600000000 }, NULL);
    watch_recall_begin(watch);
    recall("b", "vip", 7, 7);
    recall("a", NULL, 30, 7);
    watch_recall_end(watch, now());
    cr_expect_str_eq(picture(), "a? <b");
    pass_ms(3000);
    cr_expect_str_eq(picture(), "a? <b");
    cr_expect_str_eq(code_of("a"), "DeadMaster");
    server("b")->master_id = 77;                           /* the name leads to another server meanwhile */
    pass_ms(10000);
    cr_expect_str_eq(picture(), "a? vip? <b");
}

/* The node was stopped before it had tried the name. */
Test(watch, two_names_of_one_server_that_the_store_has_become_one)
{
    asks_for_own_names();
    stands("a", NULL);
    is_alias("vip", "a");
    watch_recall_begin(watch);
    recall("vip", NULL, 7, 7);
    recall("a", NULL, 7, 7);
    watch_recall_end(watch, now());
    pass_ms(20000);
    cr_expect_str_eq(picture(), "a");
}

Test(watch, an_older_row_does_not_undo_what_was_seen_here)
{
    stands("a", NULL);
    stands("b", NULL);
    seed("b");
    watch_recall_begin(watch);
    recall("b", "a", 60, 60);
    watch_recall_end(watch, now());
    cr_expect_str_eq(picture(), "b");
}

/* ---- bounds ---- */

Test(watch, beyond_the_capacity_a_server_is_refused_and_nothing_else_changes)
{
    setting.calendar.capacity = 2;
    watch_done(watch);
    open_with();
    chain_of_three();
    seed("a");
    pass_ms(20000);
    cr_expect_str_eq(picture(), "a <b");
    cr_expect_gt(watch->counts.refused, 0u);
}

Test(watch, where_memory_ends_nothing_is_lost_that_was_there)
{
    for (int left = 0; left < 60; left++) {
        struct room libc = room_of_libc();
        watch_done(watch);
        room = scarce_room(&libc);
        lent = INT_MAX;
        open_with();
        server_count = 0;
        chain_of_three();
        server("c")->lists[0] = "d";
        stands("d", "c");
        seed("a");
        pass_ms(6000);
        lent = left;
        for (int i = 0; i < 80; i++) {
            char host[16];
            TEXT_FORMAT(host, "x%d", i);
            watch_named(watch, &(struct instance_key){ host, 3306 }, NAMED_AS_SEED, now(), NULL, NULL);
            perform();
        }
        lent = INT_MAX;
        pass_ms(10000);
        cr_assert_eq(strncmp(picture(), "a <b <<c", 8), 0, "%s after %d", picture(), left);
        watch_done(watch);
        room = libc;
        open_with();
    }
}

/* Any events in any order: no crash, sound counts, and the same picture from the same events. */
Test(watch, random_events_leave_it_sound)
{
    for (uint64_t seed_number = 1; seed_number <= 20; seed_number++) {
        struct fc_rng rng = { seed_number };
        server_count = 0;
        asks_for_own_names();
        for (int i = 0; i < 12; i++)
            stands((char[]){ (char)('a' + i), '\0' }, NULL);
        for (int step = 0; step < 2000; step++) {
            struct described *s = &servers[rng_below(&rng, 12)];
            const struct instance_key key = key_of(s->host);
            switch (rng_below(&rng, 9)) {
            case 0: TEXT_SET(s->master, servers[rng_below(&rng, 12)].host); break;
            case 1: TEXT_SET(s->master, ""); break;
            case 2: s->is_down = !s->is_down; break;
            case 3: watch_named(watch, &key, NAMED_AS_SEED, now(), NULL, NULL); break;
            case 4: watch_forget(watch, &key, now(), NULL); break;
            case 5: lose(s->host, LOSS_ENDED, PROBE_IDLE); break;
            case 6: TEXT_SET(s->calls_itself, servers[rng_below(&rng, 12)].host); break;
            case 7: watch_rest(watch, rng_below(&rng, 8) == 0, now()); break;
            default: pass_ms((int64_t)rng_below(&rng, 3000)); break;
            }
            perform();
            told[0] = '\0';
        }
        watch_rest(watch, false, now());
        pass_ms(60000);
        uint32_t known = 0;
        for (member_id id = 0; id < watch->topology.count; id++)
            known += topology_member(&watch->topology, id)->kind == MEMBER_KNOWN;
        cr_assert_eq(known, watch->topology.known);
        cr_assert_eq(known, watch->calendar.known);
        cr_assert(watch_is_quiet(watch), "%u of %u", watch->unlooked, known);
    }
}
