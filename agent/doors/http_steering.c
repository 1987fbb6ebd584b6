/* What the steering shows: the picture, its pools, its events, its metrics; and the order to read the configuration again. */
#include "agent/doors/http_inside.h"

#include <string.h>

#include "act/orders.h"
#include "agent/flat_metrics.h"
#include "agent/metrics.h"
#include "agent/status_json.h"
#include "base/text.h"

void http_picture(struct http_request *request, struct http_answer *answer)
{
    answer_json(answer, MHD_HTTP_OK, status_json_print(request_status(request)));
}

void http_pools(struct http_request *request, struct http_answer *answer)
{
    answer_json(answer, MHD_HTTP_OK, status_json_pools(request_status(request)));
}

void http_pool(struct http_request *request, struct http_answer *answer)
{
    const struct status *status = request_status(request);
    char known[256] = "";

    for (int i = 0; i < status->pool_count; i++) {
        if (text_is(status->pools[i].name, request->parameter[0])) {
            answer_json(answer, MHD_HTTP_OK, status_json_pool(status, i));
            return;
        }
        text_format(known + strlen(known), sizeof known - strlen(known), "%s%s", i == 0 ? "" : ", ", status->pools[i].name);
    }
    answer_error(answer, FC_NOT_FOUND, "there is no pool '%.63s'; the pools are: %s", request->parameter[0], known);
}

void http_events(struct http_request *request, struct http_answer *answer)
{
    char text[16];
    uint64_t count = STATUS_EVENTS_MAX;

    if (!request_argument(request, "count", text, sizeof text) ||
        (text[0] != '\0' && !text_to_u64(text, strlen(text), &count))) {
        answer_error(answer, FC_BAD_INPUT, "count must be a number");
        return;
    }
    answer_json(answer, MHD_HTTP_OK,
                status_json_events(request_status(request), count < STATUS_EVENTS_MAX ? (int)count : STATUS_EVENTS_MAX));
}

static void explain(struct http_request *request, const char *text, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    struct order order;
    struct fc_err err = { .code = FC_OK };
    char by[HTTP_USER_SIZE + sizeof "@http"], *json = NULL;

    TEXT_FORMAT(by, "%s@http", request->user);
    if (order_parse(text, strlen(text), &order, &err) != FC_OK ||
        desk->explain(desk->daemon, &order, by, true, &json, &err) != FC_OK)
        answer_error(answer, err.code, "%s", err.text);
    else
        answer_json(answer, MHD_HTTP_OK, json);
}

void http_explain(struct http_request *request, struct http_answer *answer)
{
    char text[ORDER_TEXT_MAX], about[ORDER_ABOUT_SIZE];

    if (!request_argument(request, "order", about, sizeof about)) {
        answer_error(answer, FC_BAD_INPUT, "order must be a text of at most %d bytes", ORDER_ABOUT_SIZE - 1);
        return;
    }
    if (about[0] != '\0' && request->parameter_count > 0) {
        answer_error(answer, FC_BAD_INPUT, "either a subject in the path or an order in the query");
        return;
    }
    for (int i = 0; i < request->parameter_count; i++) {
        if (!text_is_name(request->parameter[i], strlen(request->parameter[i]))) {
            answer_error(answer, FC_BAD_INPUT, "the path's part %d is no name: 1 to 63 of letters, digits, '.', '_' and '-'", i + 1);
            return;
        }
    }
    TEXT_FORMAT(text, "explain %s%s%s%s", request->parameter_count > 0 ? request->parameter[0] : "",
                request->parameter_count > 1 ? "/" : "", request->parameter_count > 1 ? request->parameter[1] : "", about);
    explain(request, text, answer);
}

void http_plan(struct http_request *request, struct http_answer *answer) { explain(request, "plan", answer); }

void http_metrics(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    struct desk_counters counters = { 0 };

    desk->counters(desk->daemon, &counters);
    answer_text(answer, MHD_HTTP_OK, METRICS_CONTENT_TYPE, metrics_print(request_status(request), &counters));
}

void http_flat_metrics(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    struct desk_counters counters = { 0 };
    desk->counters(desk->daemon, &counters);
    const struct status *status = request_status(request);
    const struct flat_asked asked = { status, &counters, http_is_healthy(status), counters.has_raft && http_raft_is_healthy(status, &counters.raft) };
    answer_json(answer, MHD_HTTP_OK, flat_metrics_print(&asked));
}

/* orchestrator lets the asker name another file; a file that anybody may name is not read here. */
void http_reload(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    char file[CONFIG_TEXT_SIZE];
    struct fc_err err = { .code = FC_OK };

    if (!request_argument(request, "config", file, sizeof file) || file[0] != '\0') {
        answer_error(answer, FC_REFUSED, "only the file that the daemon was started with is read again; leave config out");
        return;
    }
    const enum fc_code code = desk->reload(desk->daemon, &err);
    if (code != FC_OK)
        answer_error(answer, code, "the earlier configuration stays in force: %s", err.text);
    else
        answer_envelope(answer, MHD_HTTP_OK, true, "configuration reloaded", cJSON_CreateString(""));
}
