/* Questions about the fleet and their answers, in the paths and shapes of orchestrator's API: the same for the HTTP door and for
 * commands that read the store. A route is a row; what it reads is a function from the picture to JSON.
 *
 *      path + arguments  ->  fleet_route_find()  ->  fleet_answer_read()              a route that only looks
 *                                                ->  fleet_answer_make() .. order .. fleet_answer_done()     one that changes something
 *
 * Shapes: a raw value, or an envelope {"Code","Message","Details"}; whatever fails is an envelope with the code's HTTP status. */
#ifndef FC_AGENT_FLEET_ANSWER_H
#define FC_AGENT_FLEET_ANSWER_H

#include <stdbool.h>
#include <stdio.h>

#include "act/fleet_orders.h"
#include "agent/doors/http_path.h"
#include "agent/fleet_json.h"
#include "base/err.h"

struct fleet_route;
struct fleet_paging;
struct fleet_sliced;

#define FLEET_SLICE 250                /* servers that are told in one turn of the loop */

struct fleet_asked {
    const struct picture *picture;
    const struct fleet_route *route;
    const char *parameter[HTTP_PARAMETERS_MAX];
    int parameter_count;
    /* The decoded argument of the query; false: it cannot be decoded or does not fit. Absent is "". */
    bool (*argument)(void *lender, const char *name, char *to, size_t size);
    void *lender;
    const char *reply;               /* the sentence with which an order ended; NULL before */
    struct fleet_sliced *sliced;     /* not NULL: a long list may be told in slices, and waits here for them */
    struct fleet_reader reader;      /* fleet_answer_read() and fleet_answer_done() fill it */
};

struct fleet_said {
    struct json_page page;
    char message[160];               /* of an envelope that is OK */
};

typedef enum fc_code fleet_reading(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err);
typedef enum fc_code fleet_making(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err);

enum fleet_shape { FLEET_RAW = 0, FLEET_ENVELOPE };

struct fleet_route {
    const char *path;
    bool needs_right;                /* as writes do */
    enum fleet_shape shape;
    fleet_reading *read;             /* of an order: its Details, read after it was done (is_read_before: before it is given) */
    fleet_making *make;              /* NULL: it only looks */
    bool is_read_before;
    enum fleet_verb verb;            /* of an order */
    int which;                       /* what the reading or making is to know beside the path */
    const char *message;             /* of its envelope */
    const char *meaning;
    const struct fleet_paging *paging;       /* agent/fleet_pages.h: asked of the store or of a server, and there is no `read`; NULL: of memory */
};

/* The first that fits, with its parameters in `asked`; NULL: none. */
const struct fleet_route *fleet_route_find(const struct http_path *path, struct fleet_asked *asked);
/* Walks over all rows: 0, 1, ...; NULL behind the last. */
const struct fleet_route *fleet_route_at(size_t index);

/* The whole answer, from malloc; NULL: memory was out. `status` is HTTP's.
 * With asked->sliced: NULL and status 0 when the list is long; it is told by fleet_sliced_more() then. */
char *fleet_answer_read(struct fleet_asked *asked, unsigned *status);

struct fleet_sliced *fleet_sliced_new(void);           /* NULL: no memory */
void fleet_sliced_free(struct fleet_sliced *sliced);   /* NULL is fine */
bool fleet_sliced_is_begun(const struct fleet_sliced *sliced);
/* FLEET_SLICE more, as they are in the picture now; who was forgotten meanwhile is left out. True: all of it is told, *ret is from malloc (NULL:
 * memory was out). */
bool fleet_sliced_more(struct fleet_sliced *sliced, const struct picture *picture, char **ret, size_t *length);
/* The order that the path means; it is good (fleet_order_check). Keys of a pool are memory of malloc: the caller frees order->keys. */
enum fc_code fleet_answer_make(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err);
/* The answer to an order that has ended; `details` is what fleet_answer_before() gave, or NULL. */
char *fleet_answer_done(struct fleet_asked *asked, const char *details, unsigned *status);
/* {"Code":"OK",...} around Details that are JSON already, from malloc. */
char *fleet_answer_enveloped(const char *message, const char *details, unsigned *status);
/* For rows that are read before: the Details, from malloc. FC_OK with NULL for all others. */
enum fc_code fleet_answer_before(struct fleet_asked *asked, char **ret, struct fc_err *err);
/* {"Code":"ERROR",...}, from malloc. */
char *fleet_answer_error(const struct fc_err *err, unsigned *status);

#endif
