/* Lines of history on their way into the store and out of it.
 *
 * In: what the core asks to be recorded waits here until a server of the store has it; one line is written at a time, tried again
 * each second for as long as it takes. HISTORIAN_QUEUE_MAX lines are kept; beyond that the oldest is given up, and the log says
 * which. Writing is idempotent by the line's id, so that a line whose answer was lost is simply written again.
 *
 * Out: all servers in sight are asked and their lines merged by id, so that a line which only some of them have is seen as such:
 * not yet replicated, or never. What still waits here is told with them. HISTORIAN_ASKS_MAX may ask at one time. */
#ifndef FC_AGENT_HISTORIAN_H
#define FC_AGENT_HISTORIAN_H

#include "agent/doors/desk.h"
#include "agent/log.h"
#include "backends/host.h"
#include "backends/store.h"

#define HISTORIAN_QUEUE_MAX 256
#define HISTORIAN_ASKS_MAX 4

/* What the daemon lends. */
struct historian_port {
    void *owner;
    void (*ask)(void *owner, const struct store_request *request);
    /* The server that a line is written to, and whether by the fence account; -1 = none is fit to be written to now. */
    int (*place)(void *owner, bool *by_fence);
    bool (*is_in_sight)(void *owner, int server);
};

struct historian;

/* Everything is borrowed and outlives it. NULL when memory is out. */
struct historian *historian_new(const struct host *host, const struct store *store, const struct historian_port *port, struct log *log,
                                const char *node);
/* Says in the log which lines were not stored. NULL is fine. */
void historian_free(struct historian *historian);

void historian_record(struct historian *historian, const struct history_row *line);
/* Results of STORE_HISTORY and STORE_HISTORY_READ. */
void historian_heard(struct historian *historian, const struct store_result *result);
/* `reply` comes once, later, with the JSON document (docs/operating.md), or a sentence. False: too many ask. */
bool historian_ask(struct historian *historian, uint64_t ticket, const struct history_wanted *wanted, desk_report *reply, void *waiter);
void historian_forget(struct historian *historian, uint64_t ticket);
int historian_waiting(const struct historian *historian);     /* lines that no server has taken yet */

#endif
