/* The fleet over HTTP: questions are answered from the picture at once; orders are given at the desk and waited for, as steering orders
 * are (http_order.c). What a path means and what is told stands in agent/fleet_answer.c. */
#include "agent/doors/http_inside.h"

#include <stdlib.h>
#include <string.h>

#include "agent/fleet_answer.h"
#include "agent/fleet_pages.h"
#include "base/text.h"

#define PAGE_WAIT_MS 10000
#define FLEET_WAIT_MS 45000           /* a look at a server, its connection and its statement, with the store behind it */

static bool argument(void *lender, const char *name, char *to, size_t size)
{
    return request_argument(lender, name, to, size);
}

/* False: no fleet is kept here, and the answer says so. */
static bool ask(struct http_request *request, struct fleet_asked *ret, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    const struct picture *picture = desk->picture == NULL ? NULL : desk->picture(desk->daemon);
    if (picture == NULL) {
        answer_error(answer, FC_REFUSED, "this node keeps no fleet: name a server of it in DiscoverySeeds, and the account in "
                                         "MySQLTopologyUser");
        return false;
    }
    *ret = (struct fleet_asked){ .picture = picture, .route = request->fleet_route, .parameter_count = request->parameter_count,
                                 .argument = argument, .lender = request };
    memcpy(ret->parameter, request->parameter, sizeof ret->parameter);
    return true;
}

/* A long raw list is told a slice a turn. */
void http_fleet_read(struct http_request *request, struct http_answer *answer)
{
    struct fleet_asked asked;
    unsigned status;
    if (!ask(request, &asked, answer))
        return;
    const bool may_be_long = request->fleet_route->shape == FLEET_RAW && asked.picture->topology->known > FLEET_SLICE;
    asked.sliced = request->sliced = may_be_long ? fleet_sliced_new() : NULL;
    char *text = fleet_answer_read(&asked, &status);
    if (request->sliced != NULL && fleet_sliced_is_begun(request->sliced))
        http_later_slice(request, answer);
    else
        answer_json(answer, status, text);
}

bool http_fleet_slice(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    char *text = NULL;
    size_t length = 0;
    if (!fleet_sliced_more(request->sliced, desk->picture(desk->daemon), &text, &length))
        return false;
    fleet_sliced_free(request->sliced);
    request->sliced = NULL;
    answer_json(answer, MHD_HTTP_OK, text);
    answer->length = length;
    return true;
}

static void answer_failure(struct http_answer *answer, const struct fc_err *err)
{
    unsigned status;
    char *text = fleet_answer_error(err, &status);
    answer_json(answer, status, text);
}

void http_fleet_order(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    struct fleet_asked asked;
    struct fleet_order *order = malloc(sizeof *order);
    struct fc_err err = { .code = FC_NO_MEMORY, .text = "out of memory" };

    if (order == NULL) {
        answer_failure(answer, &err);
        return;
    }
    *order = (struct fleet_order){ .keys = NULL };
    if (!ask(request, &asked, answer) || !http_order_may_wait(request, answer)) {
        free(order);
        return;
    }
    if (fleet_answer_make(&asked, order, &err) != FC_OK || fleet_answer_before(&asked, &request->fleet_details, &err) != FC_OK) {
        answer_failure(answer, &err);
    } else if (desk->fleet_order == NULL) {
        answer_error(answer, FC_REFUSED, "this node takes no orders about the fleet");
    } else {
        TEXT_FORMAT(order->by, "%s@http", request->user);
        request->door->counters.orders++;
        http_order_wait(request, desk->fleet_order(desk->daemon, order, http_order_replied, request), FLEET_WAIT_MS, answer);
    }
    free((void *)order->keys);
    free(order);
}

void http_fleet_answer(struct http_request *request, struct http_answer *answer)
{
    struct fleet_asked asked;
    unsigned status;
    if (!ask(request, &asked, answer))
        return;
    asked.reply = request->order.text;
    char *text = fleet_answer_done(&asked, request->fleet_details, &status);
    answer_json(answer, status, text);
}

void http_fleet_page(struct http_request *request, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    struct fleet_asked asked;
    struct fleet_page_asked page;
    struct fc_err err = { .code = FC_OK };
    if (!ask(request, &asked, answer) || !http_order_may_wait(request, answer))
        return;
    if (fleet_page_meant(&asked, &page, &err) != FC_OK)
        answer_failure(answer, &err);
    else if (desk->fleet_page == NULL)
        answer_error(answer, FC_REFUSED, "this node keeps no fleet");
    else
        http_order_wait(request, desk->fleet_page(desk->daemon, &page, http_order_reported, request), PAGE_WAIT_MS, answer);
}
