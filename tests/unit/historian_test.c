/* Lines of history on their way: kept until a server has them, given up only with a word, merged when they are read. The store
 * and the clock are lent: a scene answers for the servers itself. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/historian.h"
#include "base/text.h"

#define ASKED_MAX 512
#define TIMERS 2

struct host_timer { host_tick *tick; void *owner; struct fc_time at; bool is_set; };

static struct fc_time now;
static struct host_timer timers[TIMERS];
static int timer_count, place, asked_count, told_count;
static bool is_cut[STORE_SERVERS_MAX];
static struct store_request asked[ASKED_MAX];
static struct store store = { .server_count = 2, .name = { "db1", "db2" }, .has_chair = true };
static struct historian *historian;
static struct log lines_of_log;
static int log_pipe[2];
static enum fc_code told_code;
static char told[200000];

/* ---- what is lent ---- */

static struct fc_time lent_now(void *agent) { (void)agent; return now; }
static int64_t lent_unix_ms(void *agent) { (void)agent; return 1790000000000 + now.us / 1000; }
static struct host_timer *lent_timer(void *agent, host_tick *tick, void *owner)
{
    (void)agent;
    cr_assert_lt(timer_count, TIMERS);
    timers[timer_count] = (struct host_timer){ .tick = tick, .owner = owner };
    return &timers[timer_count++];
}
static void lent_timer_set(struct host_timer *timer, struct fc_time at)
{
    timer->at = at;
    timer->is_set = true;
}
static void lent_timer_stop(struct host_timer *timer) { timer->is_set = false; }
static void lent_untimer(struct host_timer *timer) { if (timer != NULL) timer->is_set = false; }

static const struct host host = { .now = lent_now, .unix_ms = lent_unix_ms, .timer = lent_timer, .timer_set = lent_timer_set,
                                  .timer_stop = lent_timer_stop, .untimer = lent_untimer };

static void ask_store(void *owner, const struct store_request *request)
{
    (void)owner;
    cr_assert_lt(asked_count, ASKED_MAX);
    asked[asked_count++] = *request;
}
static int write_place(void *owner, bool *by_fence)
{
    (void)owner;
    *by_fence = true;
    return place;
}
static bool in_sight(void *owner, int server) { (void)owner; return !is_cut[server]; }

static void reply(void *waiter, enum fc_code code, const char *text, const char *json)
{
    (void)waiter;
    told_count++;
    told_code = code;
    TEXT_SET(told, json != NULL ? json : text);
}

static void stage_open(void)
{
    const struct historian_port port = { .ask = ask_store, .place = write_place, .is_in_sight = in_sight };
    cr_assert_eq(pipe2(log_pipe, O_NONBLOCK), 0);
    log_init(&lines_of_log, log_pipe[1], NOTE_DEBUG);
    historian = historian_new(&host, &store, &port, &lines_of_log, "fc1");
    cr_assert(historian != NULL);
}

static void stage_close(void)
{
    historian_free(historian);
    close(log_pipe[0]);
    close(log_pipe[1]);
}

TestSuite(historian, .init = stage_open, .fini = stage_close);

/* ---- the scene's hands ---- */

static struct history_row line_of(uint64_t id, const char *text)
{
    struct history_row line = { .id = id, .unix_ms = 1700000000000 + (int64_t)(id % 1000), .epoch = 7, .kind = "move", .subject = "p", .node = "fc1" };
    TEXT_SET(line.text, text);
    return line;
}

static void record(uint64_t id, const char *text)
{
    const struct history_row line = line_of(id, text);
    historian_record(historian, &line);
}

static void answer(const struct store_request *request, enum fc_code code, const char *text)
{
    struct store_result result = { .deed = request->deed, .id = request->id, .server = request->server, .code = code };
    TEXT_SET(result.text, text);
    historian_heard(historian, &result);
}

static void wrote(enum fc_code code) { const struct store_request last = asked[asked_count - 1]; answer(&last, code, "no"); }

static void pass(int64_t ms)
{
    now = fc_plus(now, fc_ms(ms));
    for (int i = 0; i < timer_count; i++) {
        if (timers[i].is_set && fc_reached(timers[i].at, now)) {
            timers[i].is_set = false;
            timers[i].tick(timers[i].owner);
        }
    }
}

static bool ask(uint32_t limit)
{
    const struct history_wanted wanted = { .limit = limit };
    return historian_ask(historian, 77, &wanted, reply, NULL);
}

/* One server's answer to the reading asked `back` requests before the last one: ids, newest first, 0 ends them. */
static void has(int back, const uint64_t *ids)
{
    static struct history_rows rows;
    const struct store_request request = asked[asked_count - 1 - back];
    struct store_result result = { .deed = STORE_HISTORY_READ, .id = request.id, .server = request.server, .history = &rows };
    for (rows.count = 0; ids[rows.count] != 0; rows.count++)
        rows.list[rows.count] = line_of(ids[rows.count], "x");
    historian_heard(historian, &result);
}

#define HAS(back, ...) has((back), (const uint64_t[]){ __VA_ARGS__, 0 })

static const char *logged(void)
{
    static char text[65536];
    const ssize_t got = read(log_pipe[0], text, sizeof text - 1);
    text[got < 0 ? 0 : got] = '\0';
    return text;
}

/* ---- in ---- */

Test(historian, lines_are_written_one_after_another_in_their_order)
{
    record(1, "one");
    record(2, "two");
    cr_assert_eq(asked_count, 1);
    cr_assert_str_eq(asked[0].history.text, "one");
    cr_assert(asked[0].by_fence);
    wrote(FC_OK);
    cr_assert_eq(asked_count, 2);
    cr_assert_str_eq(asked[1].history.text, "two");
    wrote(FC_OK);
    cr_assert_eq(historian_waiting(historian), 0);
    cr_assert_eq(asked_count, 2);
}

Test(historian, a_line_that_cannot_be_stored_is_tried_again_until_it_can_and_said_once)
{
    record(1, "one");
    for (int i = 0; i < 500; i++) {
        wrote(FC_UNREACHABLE);
        pass(1000);
        cr_assert_eq(asked_count, i + 2);
        cr_assert_eq(asked[i + 1].history.id, 1);
    }
    wrote(FC_OK);
    cr_assert_eq(historian_waiting(historian), 0);
    const char *text = logged();
    cr_assert(strstr(text, "could not be stored, it is tried again: no") != NULL);
    cr_assert(strstr(strstr(text, "could not be stored") + 1, "could not be stored") == NULL, "it is said again and again");
    cr_assert(strstr(text, "lines are stored again") != NULL);
}

Test(historian, without_a_server_to_write_to_it_waits_and_asks_nobody)
{
    place = -1;
    record(1, "one");
    pass(5000);
    cr_assert_eq(asked_count, 0);
    place = 1;
    pass(1000);
    cr_assert_eq(asked_count, 1);
    cr_assert_eq(asked[0].server, 1);
}

Test(historian, an_answer_that_was_lost_makes_it_written_again_with_the_same_id)
{
    record(9, "nine");
    wrote(FC_TIMEOUT);
    pass(1000);
    cr_assert_eq(asked[1].history.id, asked[0].history.id);
    cr_assert_neq(asked[1].id, asked[0].id);
    answer(&asked[0], FC_OK, "");                          /* late: of the first try, and not believed for the second */
    cr_assert_eq(historian_waiting(historian), 1);
    wrote(FC_OK);
    cr_assert_eq(historian_waiting(historian), 0);
}

Test(historian, a_line_that_the_store_will_never_take_does_not_stop_the_others)
{
    record(1, "poison");
    record(2, "two");
    for (int i = 0; i < 60; i++) {
        wrote(FC_STORE);
        pass(1000);
    }
    cr_assert_str_eq(asked[asked_count - 1].history.text, "two");
    wrote(FC_OK);
    cr_assert_eq(historian_waiting(historian), 0);
    cr_assert(strstr(logged(), "a line is given up, the store will not take it: move p: poison") != NULL);
}

Test(historian, beyond_its_bound_the_oldest_is_given_up_with_a_word)
{
    place = -1;
    for (uint64_t id = 1; id <= HISTORIAN_QUEUE_MAX + 1; id++)
        record(id, id == 1 ? "the first" : "a later one");
    cr_assert_eq(historian_waiting(historian), HISTORIAN_QUEUE_MAX);
    const char *text = logged();
    cr_assert(strstr(text, "too many wait for the store: move p: the first") != NULL, "%s", text);
    cr_assert(strstr(text, "a later one") == NULL);
    place = 0;
    pass(1000);
    cr_assert_eq(asked[0].history.id, 2);
}

Test(historian, the_one_under_way_may_be_given_up_too)
{
    for (uint64_t id = 1; id <= HISTORIAN_QUEUE_MAX + 1; id++)
        record(id, "line");
    cr_assert_eq(asked[0].history.id, 1);
    cr_assert_eq(asked[asked_count - 1].history.id, 2);
    answer(&asked[0], FC_OK, "");
    cr_assert_eq(historian_waiting(historian), HISTORIAN_QUEUE_MAX, "the answer is of a line that is not here any more");
}

/* ---- out ---- */

Test(historian, lines_of_all_servers_are_one_list_and_marked_where_one_lacks_them)
{
    cr_assert(ask(10));
    cr_assert_eq(asked_count, 2);
    HAS(1, 9, 8, 5);
    HAS(0, 9, 7, 5);
    cr_assert_eq(told_count, 0, "never from within");
    pass(0);
    cr_assert_eq(told_count, 1);
    cr_assert_eq(told_code, FC_OK);
    cr_assert(strstr(told, "\"servers\":[{\"name\":\"db1\",\"has_answered\":true,\"text\":\"\"},{\"name\":\"db2\",\"has_answered\":true,"
                           "\"text\":\"\"}],\"lines\":[{\"id\":9,\"at\":\"2023-11-14T22:13:20.009Z\",\"at_unix_ms\":1700000000009,\"epoch\":7,"
                           "\"node\":\"fc1\",\"kind\":\"move\",\"subject\":\"p\",\"text\":\"x\",\"on\":[\"db1\",\"db2\"],\"is_on_all\":true},"
                           "{\"id\":8,") != NULL, "%s", told);
    cr_assert(strstr(told, "\"id\":8,\"at\":\"2023-11-14T22:13:20.008Z\",\"at_unix_ms\":1700000000008,\"epoch\":7,\"node\":\"fc1\","
                           "\"kind\":\"move\",\"subject\":\"p\",\"text\":\"x\",\"on\":[\"db1\"],\"is_on_all\":false}") != NULL, "%s", told);
    cr_assert(strstr(told, "\"on\":[\"db2\"],\"is_on_all\":false}") != NULL);
    cr_assert(strstr(told, "\"next_before\":null") != NULL);
}

Test(historian, no_more_lines_than_asked_for_and_where_to_go_on)
{
    cr_assert(ask(2));
    HAS(1, 9, 8);
    HAS(0, 9, 7);
    pass(0);
    cr_assert(strstr(told, "\"id\":7") == NULL);
    cr_assert(strstr(told, "\"next_before\":8") != NULL, "%s", told);
}

/* Found by a page that ended in such a number: cJSON printed it as 7.34800000000001e+15, and one off for some others. */
Test(historian, a_number_is_shown_with_every_digit)
{
    cr_assert(ask(2));
    HAS(1, 7348000000000019, 7348000000000010);
    HAS(0, 7348000000000019, 7348000000000010);
    pass(0);
    cr_assert(strstr(told, "\"id\":7348000000000019,") != NULL, "%s", told);
    cr_assert(strstr(told, "\"id\":7348000000000010,") != NULL, "%s", told);
    cr_assert(strstr(told, "\"next_before\":7348000000000010") != NULL, "%s", told);
}

Test(historian, a_server_out_of_sight_is_named_and_not_waited_for)
{
    is_cut[0] = true;
    cr_assert(ask(10));
    cr_assert_eq(asked_count, 1);
    HAS(0, 9);
    pass(0);
    cr_assert(strstr(told, "{\"name\":\"db1\",\"has_answered\":false,\"text\":\"it does not answer at this moment\"}") != NULL, "%s", told);
    cr_assert(strstr(told, "\"on\":[\"db2\"],\"is_on_all\":true") != NULL, "all that were asked have it: %s", told);
}

Test(historian, what_still_waits_here_is_told_as_not_stored)
{
    place = -1;
    record(12, "a move past a store that is away");
    cr_assert(ask(10));
    HAS(1, 9);
    HAS(0, 9);
    pass(0);
    cr_assert(strstr(told, "\"text\":\"a move past a store that is away\",\"on\":[],\"is_on_all\":false},{\"id\":9") != NULL, "%s", told);
}

Test(historian, when_no_server_answers_the_asker_hears_why)
{
    is_cut[0] = is_cut[1] = true;
    cr_assert(ask(10));
    cr_assert_eq(told_count, 0);
    pass(0);
    cr_assert_eq(told_code, FC_UNREACHABLE);
    cr_assert_str_eq(told, "no server of the store answers: it does not answer at this moment");
    is_cut[0] = is_cut[1] = false;
    cr_assert(ask(10));
    const struct store_request first = asked[asked_count - 2], second = asked[asked_count - 1];
    answer(&first, FC_TIMEOUT, "not in time");
    answer(&second, FC_TIMEOUT, "not in time");
    pass(0);
    cr_assert_str_eq(told, "no server of the store answers: not in time");
}

Test(historian, so_many_may_ask_and_the_next_is_refused)
{
    for (int i = 0; i < HISTORIAN_ASKS_MAX; i++)
        cr_assert(ask(10));
    cr_assert_not(ask(10));
}

Test(historian, who_went_away_is_not_told)
{
    cr_assert(ask(10));
    historian_forget(historian, 77);
    HAS(1, 9);
    HAS(0, 9);
    pass(0);
    cr_assert_eq(told_count, 0);
    for (int i = 0; i < HISTORIAN_ASKS_MAX; i++)
        cr_assert(ask(10), "its place is free again");
}
