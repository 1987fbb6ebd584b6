/* Scenes in the operator's terminal: what the tables and sentences say about a picture. The picture goes through the very
 * JSON that the daemon sends, so that a renamed field is noticed here. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "agent/ctl/ctl_report.h"
#include "agent/ctl/ctl_tables.h"
#include "agent/status_json.h"
#include "base/text.h"

#define NOW 1700000000000

static struct status *picture;
static const struct ctl_style plain = { false };
static cJSON *json;
static char *shown;
static size_t shown_size;
static FILE *to;

static void add_server(const char *name, const char *address, bool is_seated)
{
    struct status_server *server = &picture->servers[picture->server_count++];
    TEXT_SET(server->name, name);
    TEXT_SET(server->address, address);
    server->is_reachable = server->has_been_seen = true;
    server->is_seated = is_seated;
    server->age_ms = 120;
    server->look.is_read_only = !is_seated;
    TEXT_SET(server->look.written.file, "bin.000007");
    server->look.written.offset = 455;
    server->look.replica = (struct replica_look){ .is_configured = true, .io = THREAD_RUNNING, .sql = THREAD_RUNNING };
    TEXT_SET(server->look.replica.master, is_seated ? "10.0.1.2:3306" : "10.0.1.1:3306");
}

static void add_view(struct status_pool_server *server, const char *proxy, bool is_usable, int sessions)
{
    struct status_view *view = &server->views[server->view_count++];
    *view = (struct status_view){ .is_known = true, .is_usable = is_usable, .epoch = 9, .sessions = sessions, .age_ms = 300 };
    TEXT_SET(view->proxy, proxy);
    TEXT_SET(view->status, is_usable ? "UP" : "MAINT (agent)");
}

static struct status_pool_server *add_member(struct status_pool *pool, const char *name, enum voice voice)
{
    struct status_pool_server *server = &pool->servers[pool->server_count++];
    TEXT_SET(server->name, name);
    TEXT_SET(server->address, text_is(name, "db1") ? "10.0.1.1:3306" : "10.0.1.2:3306");
    server->answer = (struct answer){ .voice = voice, .epoch = 9, .late = VOICE_REST };
    TEXT_SET(server->answer.reason, voice == VOICE_FIRST ? "operator's switch" : "db1 sits");
    server->is_within_term = true;
    add_view(server, "ha1", voice == VOICE_FIRST, voice == VOICE_FIRST ? 12 : 0);
    return server;
}

static void stage_open(void)
{
    picture = calloc(1, sizeof *picture);
    picture->unix_ms = NOW;
    TEXT_SET(picture->node, "fc1");
    TEXT_SET(picture->version, "0.1.0");
    TEXT_SET(picture->leadership, "leading");
    picture->leads = true;
    TEXT_SET(picture->leader, "fc1");
    picture->epoch = 9;
    picture->lease_left_ms = 1400;
    picture->leader_since_unix_ms = NOW - 125000;
    picture->store_is_reachable = true;
    picture->store_age_ms = 200;
    TEXT_SET(picture->store_word, "mysql");
    TEXT_SET(picture->arbitration, "local");
    add_server("db1", "10.0.1.1:3306", true);
    add_server("db2", "10.0.1.2:3306", false);
    struct status_pool *pool = &picture->pools[picture->pool_count++];
    TEXT_SET(pool->name, "fc_backend");
    TEXT_SET(pool->state, "seated");
    TEXT_SET(pool->seated, "db1");
    pool->epoch = 9;
    TEXT_SET(pool->why, "operator's switch");
    pool->since_unix_ms = NOW - 12000;
    add_member(pool, "db1", VOICE_FIRST);
    add_member(pool, "db2", VOICE_REST);
    picture->proxy_count = 1;
    TEXT_SET(picture->proxies[0].name, "ha1");
    picture->proxies[0].is_reachable = true;
    picture->proxies[0].age_ms = 300;
    for (int i = 0; i < 3; i++) {
        struct status_event *event = &picture->events[picture->event_count++];
        *event = (struct status_event){ .seq = (uint64_t)i + 1, .unix_ms = NOW + i, .level = i == 2 ? NOTE_ALARM : NOTE_INFO };
        TEXT_SET(event->subject, "fc_backend");
        TEXT_FORMAT(event->text, "event %d", i + 1);
    }
}

static void forget_text(void)
{
    cJSON_Delete(json);
    free(shown);
    json = NULL;
    shown = NULL;
}

static void stage_close(void)
{
    forget_text();
    free(picture);
}

TestSuite(ctl_tables, .init = stage_open, .fini = stage_close);

static const cJSON *begin(void)
{
    forget_text();
    char *text = status_json_print(picture);
    json = cJSON_Parse(text);
    free(text);
    cr_assert(json != NULL);
    to = open_memstream(&shown, &shown_size);
    return json;
}

static const char *end(void)
{
    fclose(to);
    return shown;
}

static const char *sentence(void)
{
    const cJSON *status = begin();
    ctl_pool_sentence(to, status, cJSON_GetArrayItem(cJSON_GetObjectItem(status, "pools"), 0));
    return end();
}

static const char *pools(struct ctl_style style)
{
    const cJSON *status = begin();
    ctl_print_pools(to, status, style);
    return end();
}

static const char *status_text(void)
{
    const cJSON *status = begin();
    ctl_print_status(to, status, plain);
    return end();
}

static const char *told(const char *document, void (*print)(FILE *, const cJSON *, struct ctl_style))
{
    forget_text();
    json = cJSON_Parse(document);
    cr_assert(json != NULL, "no JSON: %s", document);
    to = open_memstream(&shown, &shown_size);
    print(to, json, plain);
    return end();
}

static const char *events(int count)
{
    const cJSON *status = begin();
    ctl_print_events(to, status, count, plain);
    return end();
}

#define SHOWS(text, part) cr_assert(strstr((text), (part)) != NULL, "%s", shown)
#define HIDES(text, part) cr_assert(strstr((text), (part)) == NULL, "%s", shown)

Test(ctl_tables, a_seated_server_is_told_with_epoch_age_and_reason)
{
    cr_assert_str_eq(sentence(), "db1 sits (epoch 9, since 12 s): operator's switch");
}

Test(ctl_tables, a_move_says_from_where_to_where_and_which_step)
{
    struct status_pool *pool = &picture->pools[0];
    TEXT_SET(pool->state, "moving");
    pool->is_moving = true;
    TEXT_SET(pool->move_from, "db1");
    TEXT_SET(pool->move_to, "db2");
    TEXT_SET(pool->move_step, "fence");
    pool->move_age_ms = 2300;
    cr_assert_str_eq(sentence(), "moving from db1 to db2, step fence for 2.3 s (epoch 9, since 12 s): operator's switch");
}

Test(ctl_tables, an_empty_chair_and_an_unknown_one_are_two_things)
{
    struct status_pool *pool = &picture->pools[0];
    TEXT_SET(pool->seated, "");
    TEXT_SET(pool->why, "");
    TEXT_SET(pool->state, "nobody");
    cr_assert_str_eq(sentence(), "nobody sits (epoch 9, since 12 s)");
    TEXT_SET(pool->state, "unknown");
    pool->since_unix_ms = 0;
    pool->is_paused = true;
    cr_assert_str_eq(sentence(), "not known yet who sits (epoch 9); paused by an operator");
}

Test(ctl_tables, a_pool_is_a_sentence_and_two_aligned_tables)
{
    cr_assert_str_eq(pools(plain),
        "fc_backend (backend): db1 sits (epoch 9, since 12 s): operator's switch\n"
        "  SERVER  ADDRESS        TOLD   EPOCH  REASON             HOLD\n"
        "  db1     10.0.1.1:3306  sits   9      operator's switch  -\n"
        "  db2     10.0.1.2:3306  rests  9      db1 sits           -\n"
        "  HAPROXY  db1                 db2                        READ BACK\n"
        "  ha1      sends, 12 sessions  does not send, 0 sessions  0.3 s ago\n");
}

Test(ctl_tables, a_hold_names_who_and_why)
{
    struct status_pool_server *server = &picture->pools[0].servers[1];
    server->hold = HOLD_MAINT;
    TEXT_SET(server->hold_by, "anna@socket");
    TEXT_SET(server->hold_why, "disk swap");
    SHOWS(pools(plain), "maint by anna@socket: disk swap\n");
}

Test(ctl_tables, an_answer_past_its_term_is_shown_as_what_is_really_said)
{
    picture->pools[0].servers[0].is_within_term = false;
    SHOWS(pools(plain), "rests (term over)");
}

Test(ctl_tables, an_haproxy_that_contradicts_us_is_seen)
{
    picture->pools[0].servers[1].views[0].is_usable = true;
    picture->pools[0].servers[1].views[0].sessions = 1;
    picture->pools[0].servers[1].views[0].drift_ms = 3000;
    SHOWS(pools(plain), "sends, 1 session, against our word for 3.0 s");
}

Test(ctl_tables, an_haproxy_that_does_not_answer_is_seen)
{
    picture->proxies[0].is_reachable = false;
    picture->proxies[0].age_ms = -1;
    picture->pools[0].servers[0].view_count = picture->pools[0].servers[1].view_count = 0;
    SHOWS(pools(plain), "ha1      unknown  unknown  does not answer, never\n");
}

Test(ctl_tables, marks_are_spelt_out)
{
    TEXT_SET(picture->pools[0].mark, "unfenced stale");
    SHOWS(pools(plain), "  unfenced: the old server could not be reached");
    SHOWS(shown, "  stale: it was not up to date");
}

Test(ctl_tables, colours_come_only_when_asked_for_and_do_not_disturb_the_columns)
{
    cr_assert(strchr(pools(plain), '\x1b') == NULL);
    SHOWS(pools((struct ctl_style){ true }), "\x1b[32msits\x1b[0m   9");
}

Test(ctl_tables, the_status_says_who_leads_what_the_store_does_and_how_the_servers_are)
{
    TEXT_SET(picture->notice, "with two nodes a cut between them has no judge");
    SHOWS(status_text(), "fc1 0.1.0, leading (epoch 9, lease 1.4 s left), since 2 min 5 s\n");
    SHOWS(shown, "store: mysql, answers, last confirmed 0.2 s ago; arbitration: local\n");
    SHOWS(shown, "notice: with two nodes a cut between them has no judge\n");
    SHOWS(shown, "  SERVER  ADDRESS        STATE               SITS  WRITES     REPLICATION            LOG AT\n"
                 "  db1     10.0.1.1:3306  answers, 0.1 s ago  sits  writable   running, 0.0 s behind  bin.000007:455\n"
                 "  db2     10.0.1.2:3306  answers, 0.1 s ago  -     read only  running, 0.0 s behind  bin.000007:455\n");
}

Test(ctl_tables, a_follower_names_its_leader_and_a_lonely_node_says_so)
{
    picture->leads = false;
    TEXT_SET(picture->leadership, "following");
    TEXT_SET(picture->leader, "fc2");
    SHOWS(status_text(), "fc1 0.1.0, following; fc2 leads (epoch 9), since 2 min 5 s\n");
    TEXT_SET(picture->leader, "");
    SHOWS(status_text(), "; nobody is known to lead");
}

Test(ctl_tables, a_lost_server_and_broken_replication_are_told_with_their_reasons)
{
    struct status_server *server = &picture->servers[1];
    server->look.replica.sql = THREAD_STOPPED;
    TEXT_SET(server->look.replica.error, "duplicate key");
    server->is_reachable = false;
    server->loss = LOSS_SILENT;
    server->age_ms = 65000;
    TEXT_SET(server->loss_text, "no answer within 1000 ms");
    SHOWS(status_text(), "lost (silent), last seen 65 s ago");
    SHOWS(shown, "fetching running, applying stopped");
    SHOWS(shown, "  db2: no answer within 1000 ms\n  db2 does not replicate: duplicate key\n");
}

Test(ctl_tables, a_server_never_seen_invents_nothing)
{
    picture->servers[1].has_been_seen = picture->servers[1].is_reachable = false;
    picture->servers[1].age_ms = -1;
    picture->servers[1].loss = LOSS_REFUSED;
    SHOWS(status_text(), "never seen (refused)  -     unknown   unknown                unknown\n");
}

Test(ctl_tables, the_last_events_come_oldest_first)
{
    SHOWS(events(0), "event 1\n");
    SHOWS(events(2), "  2023-11-14T22:13:20.001Z  info   fc_backend  -      event 2\n"
                     "  2023-11-14T22:13:20.002Z  alarm  fc_backend  -      event 3\n");
    HIDES(shown, "event 1");
    SHOWS(events(99), "event 1\n");
    picture->event_count = 0;
    cr_assert_str_eq(events(0), "  nothing has been noted yet\n");
}

Test(ctl_tables, an_explanation_reads_from_the_verdict_to_what_would_change_it)
{
    cr_assert_str_eq(told("{\"time_unix_ms\":1700000012000,\"explanations\":[{\"kind\":\"chair\",\"subject\":\"fc_backend\","
                          "\"verdict\":\"db1 sits\",\"since_unix_ms\":1700000000000,\"rule\":\"well\",\"because\":\"it sits and is open\","
                          "\"inputs\":[{\"name\":\"db1\",\"value\":\"answers\",\"age_ms\":120},{\"name\":\"moving\",\"value\":\"no\",\"age_ms\":null}],"
                          "\"instead\":[{\"what\":\"db2\",\"why_not\":\"db2 is in maint\"}],\"changes\":[\"`ready fc_backend/db2`\"],"
                          "\"steps\":[{\"step\":\"intend\",\"state\":\"done\",\"failure\":\"its failure ends the move\"},"
                          "{\"step\":\"wait\",\"state\":\"left out\",\"failure\":\"\"}]}]}", ctl_print_explain),
                     "chair fc_backend: db1 sits (since 12 s)\n"
                     "  because  well: it sits and is open\n"
                     "  steps\n"
                     "    intend  done, its failure ends the move\n"
                     "    wait    left out\n"
                     "  inputs\n"
                     "    db1     answers (0.1 s ago)\n"
                     "    moving  no\n"
                     "  instead\n"
                     "    db2  db2 is in maint\n"
                     "  what would change it\n"
                     "    `ready fc_backend/db2`\n");
}

#define LINE(id, text, on, all) \
    "{\"id\":" id ",\"at\":\"2026-01-02T03:04:05.000Z\",\"epoch\":7,\"node\":\"fc1\",\"kind\":\"move\",\"subject\":\"p\",\"text\":\"" text \
    "\",\"on\":[" on "],\"is_on_all\":" all "}"

Test(ctl_tables, history_reads_from_old_to_new_and_marks_what_only_some_servers_have)
{
    cr_assert_str_eq(told("{\"servers\":[{\"name\":\"db1\",\"has_answered\":true},{\"name\":\"db3\",\"has_answered\":false,\"text\":\"cut off\"}],"
                          "\"lines\":[" LINE("9", "third", "", "false") "," LINE("8", "second", "\"db1\"", "false") ","
                          LINE("7", "first", "\"db1\",\"db2\"", "true") "],\"next_before\":7}", ctl_print_history),
                     "2026-01-02T03:04:05.000Z     7  fc1  move  p  first\n"
                     "2026-01-02T03:04:05.000Z     7  fc1  move  p  second  [only on db1]\n"
                     "2026-01-02T03:04:05.000Z     7  fc1  move  p  third  [not stored yet]\n"
                     "db3 was not asked or did not answer: cut off\n"
                     "older ones: history before 7\n");
}

Test(ctl_tables, a_history_without_lines_says_so)
{
    cr_assert_str_eq(told("{\"lines\":[],\"next_before\":null}", ctl_print_history), "nothing is remembered that fits\n");
}

Test(ctl_tables, watch_is_one_page_with_the_last_events)
{
    const cJSON *status = begin();
    ctl_print_watch(to, status, plain);
    SHOWS(end(), "fc1 0.1.0, leading");
    SHOWS(shown, "db1 sits (epoch 9");
    SHOWS(shown, "event 3\n");
}

Test(ctl_tables, spans_read_like_spans)
{
    static const struct { int64_t ms; const char *text; } spans[] = {
        { -1, "never" }, { 0, "0.0 s" }, { 999, "0.9 s" }, { 9999, "9.9 s" }, { 10000, "10 s" }, { 119999, "119 s" },
        { 125000, "2 min 5 s" }, { 3600000, "1 h 0 min" }, { 90000000, "1 d 1 h" },
    };
    char text[40];
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        ctl_span_text(spans[i].ms, text, sizeof text);
        cr_assert_str_eq(text, spans[i].text);
    }
}

Test(ctl_tables, what_a_server_calls_itself_cannot_steer_the_terminal)
{
    cJSON *hostile = cJSON_Parse("{\"a\":[\"\\u001b[2J\",{\"b\":\"x\\ny\\u007f\\u009b1m\"}]}");
    ctl_make_plain(hostile);
    char *text = cJSON_PrintUnformatted(hostile);
    cr_assert_str_eq(text, "{\"a\":[\".[2J\",{\"b\":\"x.y...1m\"}]}");
    cJSON_free(text);
    cJSON_Delete(hostile);
}

Test(ctl_tables, a_picture_of_the_wrong_shape_is_survived)
{
    json = cJSON_Parse("{\"servers\":[1,{\"look\":[]},null],\"pools\":[{\"servers\":{\"x\":3},\"epoch\":\"9\"},7],"
                       "\"events\":\"none\",\"proxies\":[{}],\"time_unix_ms\":1e300}");
    to = open_memstream(&shown, &shown_size);
    ctl_print_status(to, json, plain);
    ctl_print_events(to, json, 3, plain);
    ctl_print_explain(to, json, plain);
    ctl_print_history(to, json, plain);
    ctl_print_status(to, NULL, plain);
    cr_assert_gt(strlen(end()), 0);
}

/* ---- verify-backends ---- */

static const char *report_shown(const char *report)
{
    static char text[4096];
    cJSON *read = cJSON_Parse(report);
    FILE *file = fmemopen(text, sizeof text, "w");
    cr_assert(read != NULL && file != NULL);
    ctl_print_report(file, read, plain);
    fclose(file);
    cJSON_Delete(read);
    return text;
}

Test(ctl_tables, a_report_is_a_row_a_requirement_with_its_sentence_and_then_the_tables)
{
    cr_expect_str_eq(report_shown(
        "{\"verdict\":\"to-mend\",\"servers\":[{\"name\":\"db1\",\"text\":\"\"},{\"name\":\"db2\",\"text\":\"\"}],\"needs\":["
        "{\"word\":\"log-bin\",\"severity\":\"refuse\",\"verdict\":\"missing\",\"values\":[\"ON\",\"OFF\"],"
        "\"verdicts\":[\"well\",\"missing\"],\"texts\":[\"db2 writes no binary log\"]},"
        "{\"word\":\"clock\",\"severity\":\"warning\",\"verdict\":\"not known\",\"values\":[\"\",\"\"],\"verdicts\":[],\"texts\":[]}],"
        "\"comparisons\":[{\"left\":\"db1\",\"right\":\"db2\",\"is_done\":true,\"differences\":["
        "{\"table\":\"firstchair_hold\",\"key\":\"p/db1\",\"column\":\"kind\",\"left\":\"maint\",\"right\":\"drain\"},"
        "{\"table\":\"firstchair_order\",\"key\":\"7\",\"column\":\"\",\"left\":null,\"right\":\"\"}],\"more\":3}]}"),
        "requirement  db1  db2  verdict    \n"
        "log-bin      ON   OFF  refuse     db2 writes no binary log\n"
        "clock        -    -    not known  \n"
        "tables of db1 and db2: 2 differ\n"
        "  firstchair_hold p/db1: kind is 'maint' on db1, 'drain' on db2\n"
        "  firstchair_order 7: only on db2\n"
        "  and 3 more\n"
        "there is something to mend\n");
}

Test(ctl_tables, half_a_report_crashes_nobody)
{
    cr_expect(strstr(report_shown("{}"), "not all servers could be asked") != NULL);
    cr_expect(strstr(report_shown("{\"needs\":7,\"servers\":[1],\"comparisons\":[{}]}"), "not compared") != NULL);
}
