/* Orders over HTTP: made from path and query in the grammar of core/act/orders.h, given at the desk, and waited for with the
 * connection asleep. The wait is bounded by the move's own bound and a spare; when it is over the order goes on and the answer
 * says so. Names are checked before they become words of an order, so that a parameter cannot smuggle in another word. */
#include "agent/doors/http_inside.h"

#include <string.h>

#include "act/orders.h"
#include "agent/status_json.h"
#include "agent/verify.h"
#include "base/text.h"

/* ---- waiting ---- */

static void leave_waiting(struct http_request *request, enum http_order_state state)
{
    LIST_REMOVE(request, order.by_door);
    ev_timer_stop(request->door->loop, &request->order.bound);
    request->door->counters.orders_waiting--;
    request->order.state = state;
}

void http_order_end(struct http_request *request, enum fc_code code, const char *text)
{
    leave_waiting(request, HTTP_ORDER_ENDED);
    request->order.code = code;
    TEXT_SET(request->order.text, text);
    MHD_resume_connection(request->connection);
    http_door_wake(request->door);
}

void http_order_forget(struct http_request *request)
{
    if (request->order.state != HTTP_ORDER_WAITING)
        return;
    request->door->desk->forget(request->door->desk->daemon, request->order.ticket);
    leave_waiting(request, HTTP_ORDER_NONE);
}

void http_order_replied(void *waiter, enum fc_code code, const char *text, bool is_final)
{
    struct http_request *request = waiter;
    if (is_final && request->order.state == HTTP_ORDER_WAITING)
        http_order_end(request, code, text);
}

static void on_bound(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct http_request *request = timer->data;
    (void)loop;
    (void)events;
    request->door->desk->forget(request->door->desk->daemon, request->order.ticket);
    http_order_end(request, FC_TIMEOUT, request->order.said[0] == '\0'
                                            ? "the servers did not answer in time; ask again"
                                            : "the order goes on, but its end was not heard in time; see /api/steering/status");
}

bool http_order_may_wait(const struct http_request *request, struct http_answer *answer)
{
    if (request->door->counters.orders_waiting < HTTP_ORDERS_MAX)
        return true;
    answer_error(answer, FC_BUSY, "%d orders already wait for their end; ask again", HTTP_ORDERS_MAX);
    return false;
}

void http_order_wait(struct http_request *request, uint64_t ticket, int64_t limit_ms, struct http_answer *answer)
{
    struct http_door *door = request->door;

    if (ticket == 0) {
        answer_error(answer, FC_BUSY, "too many wait for an answer already; ask again");
        return;
    }
    request->order.ticket = ticket;
    request->order.state = HTTP_ORDER_WAITING;
    LIST_INSERT_HEAD(&door->waiting, request, order.by_door);
    door->counters.orders_waiting++;
    MHD_suspend_connection(request->connection);
    answer->is_later = true;
    ev_timer_init(&request->order.bound, on_bound, (double)(limit_ms + HTTP_ORDER_SPARE_MS) / 1000.0, 0.0);
    request->order.bound.data = request;
    ev_timer_start(door->loop, &request->order.bound);
}

void http_order_reported(void *waiter, enum fc_code code, const char *text, const char *json)
{
    struct http_request *request = waiter;
    if (request->order.state != HTTP_ORDER_WAITING)
        return;
    request->order.report = json == NULL ? NULL : strdup(json);
    http_order_end(request, json != NULL && request->order.report == NULL ? FC_NO_MEMORY : code, text);
}

void http_verify(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;

    if (http_order_may_wait(request, answer))
        http_order_wait(request, desk->verify(desk->daemon, http_order_reported, request), VERIFY_WHOLE_MS, answer);
}

static void give(struct http_request *request, const char *text, int64_t limit_ms, struct http_answer *answer)
{
    struct http_door *door = request->door;
    char by[HTTP_USER_SIZE + sizeof "@http"];

    if (!http_order_may_wait(request, answer))
        return;
    door->counters.orders++;
    TEXT_FORMAT(by, "%s@http", request->user);
    TEXT_SET(request->order.said, text);
    http_order_wait(request, door->desk->order(door->desk->daemon, text, strlen(text), by, true, http_order_replied, request), limit_ms, answer);
}

void http_give_yield(struct http_request *request, const char *node, struct http_answer *answer)
{
    char text[96];
    TEXT_FORMAT(text, "yield %s", node);
    give(request, text, request->door->desk->config->move_limit_ms, answer);
}

#define MEMBERS_WAIT_MS 15000            /* longer than raft's thread tries */

void http_give_members(struct http_request *request, const char *order, struct http_answer *answer)
{
    give(request, order, MEMBERS_WAIT_MS, answer);
}

/* Its answer is a bare word when all is well, as orchestrator's clients know it. */
static void on_snapshot(void *waiter, enum fc_code code, const char *text, bool is_final)
{
    struct http_request *request = waiter;
    if (!is_final || request->order.state != HTTP_ORDER_WAITING)
        return;
    request->order.report = code == FC_OK ? strdup("\"snapshot created\"") : NULL;
    http_order_end(request, code, text);
}

#define SNAPSHOT_WAIT_MS 8000            /* longer than raft's thread tries */

void http_wait_for_snapshot(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    if (http_order_may_wait(request, answer))
        http_order_wait(request, desk->snapshot(desk->daemon, on_snapshot, request), SNAPSHOT_WAIT_MS, answer);
}

/* ---- history: no order, but it waits for the store as one does ---- */

/* The query's words become the order's: checked by its grammar. */
static bool history_text(const struct http_request *request, char *to, size_t size, struct http_answer *answer)
{
    static const struct { const char *name, *word; } words[] = {
        { "limit", "" }, { "subject", "" }, { "since", "since " }, { "before", "before " },
    };
    char value[80];
    text_copy(to, size, "history");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!request_argument(request, words[i].name, value, sizeof value) || strpbrk(value, " \t") != NULL) {
            answer_error(answer, FC_BAD_INPUT, "%s must be one word", words[i].name);
            return false;
        }
        if (value[0] != '\0')
            text_format(to + strlen(to), size - strlen(to), " %s%s", words[i].word, value);
    }
    return true;
}

void http_history(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    struct order order;
    struct fc_err err = { .code = FC_OK };
    char text[512];

    if (!history_text(request, text, sizeof text, answer))
        return;
    if (order_parse(text, strlen(text), &order, &err) != FC_OK) {
        answer_error(answer, err.code, "%s", err.text);
        return;
    }
    if (http_order_may_wait(request, answer))
        http_order_wait(request, desk->history(desk->daemon, &order, http_order_reported, request), 0, answer);
}

/* orchestrator's route promises Details null; our own name the order and the code. */
void http_order_answer(struct http_request *request, struct http_answer *answer)
{
    const enum fc_code code = request->order.code;
    cJSON *details = NULL;

    if (request->order.report != NULL) {
        answer_json(answer, MHD_HTTP_OK, request->order.report);
        request->order.report = NULL;
        return;
    }
    if (code == FC_OK && request->fleet_route != NULL) {
        http_fleet_answer(request, answer);
        return;
    }
    if (code != FC_OK)
        request->door->counters.failed++;
    if (request->route->right == HTTP_ORDER) {
        details = cJSON_CreateObject();
        if (details != NULL) {
            cJSON_AddStringToObject(details, "code", fc_code_word(code));
            cJSON_AddItemToObject(details, "order", json_text(request->order.said));
        }
    }
    answer_envelope(answer, (unsigned)fc_code_table[code].http_status, code == FC_OK, request->order.text, details);
}

/* ---- from path and query to an order ---- */

/* Replaces $1, $2 and $3. Parameters are names, so the result needs no quoting. */
static bool fill_in(const struct http_request *request, char *to, size_t size)
{
    size_t length = 0;
    for (const char *c = request->route->order; *c != '\0'; c++) {
        char one[2] = { *c, '\0' };
        const char *piece = one;
        if (*c == '$')
            piece = request->parameter[*++c - '1'];
        if (!text_copy(to + length, size - length, piece))
            return false;
        length += strlen(to + length);
    }
    return true;
}

static bool parameters_are_names(const struct http_request *request, struct http_answer *answer)
{
    for (int i = 0; i < request->parameter_count; i++)
        if (!text_is_name(request->parameter[i], strlen(request->parameter[i]))) {
            answer_error(answer, FC_BAD_INPUT, "the path's part %d is no name: 1 to 63 of letters, digits, '.', '_' and '-'",
                         i + 1);
            return false;
        }
    return true;
}

struct argument { const char *name; int takes; };
static const struct argument arguments[] = {
    { "force", TAKES_FORCE }, { "within", TAKES_WITHIN }, { "because", TAKES_BECAUSE },
};

struct argument_check { int takes; bool is_known; };

static enum MHD_Result check_argument(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct argument_check *check = cls;
    bool is_taken = false;
    (void)kind;
    (void)value;
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        is_taken = is_taken || (text_is(name, arguments[i].name) && (check->takes & arguments[i].takes) != 0);
    check->is_known = check->is_known && is_taken;
    return MHD_YES;
}

/* An argument that is not understood is an error, not a thing to skip: somebody meant something by it. */
static bool arguments_are_known(const struct http_request *request, struct http_answer *answer)
{
    struct argument_check check = { request->route->takes, true };

    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, check_argument, &check);
    if (!check.is_known)
        answer_error(answer, FC_BAD_INPUT, "this order takes %s%s%s and nothing else in the query",
                     check.takes == 0 ? "nothing" : "", (check.takes & TAKES_FORCE) ? "force=1, within=SECONDS" : "",
                     (check.takes & TAKES_BECAUSE) ? "because=TEXT" : "");
    return check.is_known;
}

static bool add_force(const struct http_request *request, char *text, size_t size, struct http_answer *answer)
{
    char value[16];
    const bool is_read = request_argument(request, "force", value, sizeof value);

    if (!is_read || !(text_is(value, "") || text_is(value, "0") || text_is(value, "1") || text_is(value, "true") ||
                      text_is(value, "false"))) {
        answer_error(answer, FC_BAD_INPUT, "force must be 1 or 0");
        return false;
    }
    if (text_is(value, "1") || text_is(value, "true"))
        text_copy(text + strlen(text), size - strlen(text), " force");
    return true;
}

static bool add_within(const struct http_request *request, char *text, size_t size, int64_t *limit_ms,
                       struct http_answer *answer)
{
    char value[16];
    uint64_t seconds = 0;
    const bool is_read = request_argument(request, "within", value, sizeof value);

    if (is_read && value[0] == '\0')
        return true;
    if (!is_read || !text_to_u64(value, strlen(value), &seconds) || seconds == 0 || seconds > 3600) {
        answer_error(answer, FC_BAD_INPUT, "within must be a number of seconds from 1 to 3600");
        return false;
    }
    text_format(text + strlen(text), size - strlen(text), " within %d", (int)seconds);
    *limit_ms = (int64_t)seconds * 1000;
    return true;
}

static bool add_because(const struct http_request *request, char *text, size_t size, struct http_answer *answer)
{
    char value[WHY_SIZE];

    if (!request_argument(request, "because", value, sizeof value)) {
        answer_error(answer, FC_BAD_INPUT, "because must be a text of at most %d bytes", WHY_SIZE - 1);
        return false;
    }
    text_make_plain(value);
    if (value[0] != '\0')
        text_format(text + strlen(text), size - strlen(text), " because %s", value);
    return true;
}

void http_order(struct http_request *request, struct http_answer *answer)
{
    char text[ORDER_TEXT_MAX];
    int64_t limit_ms = request->door->desk->config->move_limit_ms;

    if (!parameters_are_names(request, answer) || !arguments_are_known(request, answer))
        return;
    if (!fill_in(request, text, sizeof text)) {
        answer_error(answer, FC_BAD_INPUT, "the order is too long");
        return;
    }
    if ((request->route->takes & TAKES_FORCE) && !add_force(request, text, sizeof text, answer))
        return;
    if ((request->route->takes & TAKES_WITHIN) && !add_within(request, text, sizeof text, &limit_ms, answer))
        return;
    if ((request->route->takes & TAKES_BECAUSE) && !add_because(request, text, sizeof text, answer))
        return;
    give(request, text, limit_ms, answer);
}

void http_reelect(struct http_request *request, struct http_answer *answer)
{
    give(request, "yield", request->door->desk->config->move_limit_ms, answer);
}
