/* Scenes of the store in front of a store. The quorum under it is this file: its functions stand in the place of quorum.c's. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "backends/quorum/quorum_store.h"
#include "base/text.h"

static struct quorum_port port;                  /* by which the store hears its quorum */
static struct store below;
static struct store_request asked;               /* of the private store, last */
static bool is_asked;
static char kept[2000];                          /* history ids in the order in which the private store took them */
static int kept_count;
static struct quorum_store *store;
static struct shared_state whole;
static int states_asked;

enum fc_code quorum_open(const struct host *host, const struct quorum_settings *settings, const struct quorum_port *given,
                         struct quorum **ret, struct fc_err *err)
{
    (void)host, (void)settings, (void)err;
    port = *given;
    *ret = NULL;
    return FC_OK;
}
bool quorum_propose(struct quorum *q, uint64_t number, const struct shared_entry *entry, uint32_t limit_ms)
{
    (void)q, (void)number, (void)entry, (void)limit_ms;
    return true;
}
void quorum_stand(struct quorum *q, bool stands) { (void)q, (void)stands; }
bool quorum_yield(struct quorum *q, uint64_t number, int to, uint32_t pause_ms)
{
    (void)q, (void)number, (void)to, (void)pause_ms;
    return true;
}
bool quorum_snapshot(struct quorum *q, uint64_t number)
{
    (void)q, (void)number;
    return true;
}
bool quorum_change_members(struct quorum *q, uint64_t number, enum member_change change, const char *name, const char *address)
{
    (void)q, (void)number, (void)change, (void)name, (void)address;
    return true;
}
void quorum_hand_over(struct quorum *q)
{
    (void)q;
    states_asked++;
}
void quorum_close(struct quorum *q) { (void)q; }
struct fc_span quorum_lease(const struct quorum_settings *settings) { return fc_ms(settings->election_ms); }

static struct fc_time now(void *agent)
{
    (void)agent;
    return (struct fc_time){ 1000000 };
}
static struct host_timer *timer(void *agent, host_tick *tick, void *owner)
{
    (void)tick, (void)owner;
    return agent;
}
static void timer_set(struct host_timer *t, struct fc_time at) { (void)t, (void)at; }
static void untimer(struct host_timer *t) { (void)t; }

static void ask_below(struct store *s, const struct store_request *request)
{
    (void)s;
    cr_assert(!is_asked, "one after the other");
    asked = *request;
    is_asked = true;
}
static void close_below(struct store *s) { (void)s; }
static enum fc_code open_below(void *owner, store_heard *heard, store_session_ended *ended, void *listener, struct store **ret,
                               struct fc_err *err)
{
    static const struct store_class class = { .word = "false", .ask = ask_below, .close = close_below };
    (void)owner, (void)err;
    below = (struct store){ .class = &class, .server_count = 1, .heard = heard, .session_ended = ended, .listener = listener };
    *ret = &below;
    return FC_OK;
}

static void say(void *owner, const struct event *event) { (void)owner, (void)event; }
static void look(void *owner, int server) { (void)owner, (void)server; }
static void note(void *owner, const char *sentence) { (void)owner, (void)sentence; }
static char shown[200];                         /* orders of the last look as the core was shown them */
static void heard(void *listener, const struct store_result *result)
{
    (void)listener;
    shown[0] = '\0';
    for (int i = 0; result->look != NULL && i < result->look->order_count; i++)
        text_format(shown + strlen(shown), sizeof shown - strlen(shown), "%s%s %s", i > 0 ? ", " : "", result->look->orders[i].text,
                    order_state_word(result->look->orders[i].state));
}

static void open_store(void)
{
    static int agent;
    static const struct host host = { .agent = &agent, .now = now, .timer = timer, .timer_set = timer_set, .untimer = untimer };
    static const struct quorum_store_port to = { .say = say, .look = look, .note = note };
    static const struct quorum_settings settings = { .node = "fc1~000001", .member_count = 1, .election_ms = 1000,
                                                     .members = { { .name = "fc1" } } };
    struct fc_err err = { .code = FC_OK };
    cr_assert_eq(quorum_store_open(&host, &settings, open_below, &to, heard, NULL, NULL, &store, &err), FC_OK, "%s", err.text);
}

static void close_it(void) { store_close(quorum_store_as_store(store)); }

static void entry_comes(uint64_t id)
{
    const struct quorum_heard it = { .kind = QUORUM_APPLIED, .entry = { .deed = STORE_HISTORY, .issuer = "fc2~000001", .number = id,
                                                                      .history = { .id = id, .kind = "note" } } };
    port.heard(port.owner, &it);
}

static void state_comes(uint64_t first, int count)
{
    const struct quorum_heard it = { .kind = QUORUM_STATE, .state = &whole };
    shared_state_init(&whole);
    for (int i = 0; i < count; i++)
        whole.history[whole.history_count++] = (struct history_row){ .id = first + (uint64_t)i, .kind = "note" };
    port.heard(port.owner, &it);
}

static void below_takes_one(void)
{
    const struct store_result result = { .deed = asked.deed, .id = asked.id, .code = FC_OK };
    cr_assert(is_asked, "nothing is asked of the private store after %s", kept);
    is_asked = false;
    if (kept_count++ < 100)
        snprintf(kept + strlen(kept), sizeof kept - strlen(kept), "%s%llu", kept_count > 1 ? " " : "", (unsigned long long)asked.history.id);
    below.heard(below.listener, &result);
}

static void below_takes_all(void)
{
    while (is_asked)
        below_takes_one();
}

TestSuite(quorum_store, .init = open_store, .fini = close_it);

Test(quorum_store, an_entry_that_comes_while_a_row_of_the_whole_state_is_under_way_is_applied_too)
{
    state_comes(1, 3);
    below_takes_one();
    entry_comes(9);
    below_takes_all();
    cr_assert_str_eq(kept, "1 2 9 3");
    cr_assert_eq(quorum_store_unapplied(store), 0);
}

Test(quorum_store, a_whole_state_that_takes_the_place_of_another_is_applied_from_its_first_row)
{
    state_comes(1, 3);
    below_takes_one();
    state_comes(11, 3);
    below_takes_all();
    cr_assert_str_eq(kept, "1 2 11 12 13");
}

Test(quorum_store, a_whole_state_that_comes_while_an_entry_is_under_way_follows_it)
{
    entry_comes(9);
    state_comes(1, 2);
    below_takes_all();
    cr_assert_str_eq(kept, "9 1 2");
}

static void too_many_entries_come(void)
{
    for (uint64_t id = 1; id <= QUORUM_STORE_QUEUE_MAX + 2; id++)
        entry_comes(id);
}

Test(quorum_store, what_there_was_no_room_for_is_applied_from_the_whole_state_when_there_is_room)
{
    too_many_entries_come();
    cr_assert_eq(states_asked, 0);
    below_takes_all();
    cr_assert_eq(kept_count, QUORUM_STORE_QUEUE_MAX);
    cr_assert_eq(states_asked, 1);
    cr_assert_eq(quorum_store_unapplied(store), 1, "what it waits for counts");
    state_comes(QUORUM_STORE_QUEUE_MAX + 1, 2);
    below_takes_all();
    cr_assert_eq(kept_count, QUORUM_STORE_QUEUE_MAX + 2);
    cr_assert_eq(states_asked, 1);
    cr_assert_eq(quorum_store_unapplied(store), 0);
}

Test(quorum_store, a_state_from_before_something_was_left_out_does_not_stand_for_it)
{
    too_many_entries_come();
    state_comes(1, 2);
    below_takes_all();
    cr_assert_eq(states_asked, 1);
    cr_assert_eq(quorum_store_unapplied(store), 1);
    state_comes(QUORUM_STORE_QUEUE_MAX + 1, 2);
    below_takes_all();
    cr_assert_eq(states_asked, 1);
    cr_assert_eq(quorum_store_unapplied(store), 0);
}

/* ---- orders that wait ---- */

static struct server_look rows;                  /* large: not on the stack */

static void below_shows(uint64_t id, enum order_state state, const char *text)
{
    struct stored_order *order = &rows.orders[rows.order_count++];
    *order = (struct stored_order){ .id = id, .state = state };
    TEXT_SET(order->text, text);
}

static void below_answers_a_look(void)
{
    const struct store_result result = { .deed = STORE_LOOK, .code = FC_OK, .look = &rows };
    below.heard(below.listener, &result);
}

static void order_comes(enum store_deed deed, uint64_t id, enum order_state state)
{
    const struct quorum_heard it = { .kind = QUORUM_APPLIED, .entry = { .deed = deed, .issuer = "fc2~000001", .number = id,
                                                                      .order = { .id = id, .state = state, .text = "yield" } } };
    port.heard(port.owner, &it);
}

Test(quorum_store, an_order_that_the_log_has_answered_does_not_wait_whatever_the_private_store_shows)
{
    memset(&rows, 0, sizeof rows);
    below_shows(1, ORDER_ASKED, "first");
    below_shows(2, ORDER_ASKED, "second");
    below_shows(3, ORDER_DONE, "third");
    order_comes(STORE_ORDER_LAY, 1, ORDER_ASKED);
    order_comes(STORE_ORDER_LAY, 2, ORDER_ASKED);
    below_answers_a_look();
    cr_assert_str_eq(shown, "first asked, second asked, third done");
    order_comes(STORE_ORDER_CLOSE, 1, ORDER_DONE);
    below_answers_a_look();
    cr_assert_str_eq(shown, "second asked, third done");
    below_takes_all();
}

Test(quorum_store, an_order_that_was_answered_while_this_node_was_away_is_closed_and_never_carried_out)
{
    memset(&rows, 0, sizeof rows);
    below_shows(1, ORDER_ASKED, "old");
    below_shows(2, ORDER_ASKED, "still waits");
    state_comes(1, 0);
    whole.orders[whole.order_count++] = (struct stored_order){ .id = 2, .state = ORDER_ASKED, .text = "still waits" };
    port.heard(port.owner, &(struct quorum_heard){ .kind = QUORUM_STATE, .state = &whole });
    below_takes_all();
    below_answers_a_look();
    cr_assert_str_eq(shown, "still waits asked");
    cr_assert(is_asked);
    cr_assert_eq(asked.deed, STORE_ORDER_CLOSE);
    cr_assert_eq(asked.order.id, 1);
    cr_assert_eq(asked.order.state, ORDER_REFUSED);
    below_takes_all();
    rows.orders[0].state = ORDER_REFUSED;
    below_answers_a_look();
    cr_assert(!is_asked, "once is enough");
}
