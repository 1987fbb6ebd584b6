/* verify-backends: every requirement of the mode checked now on every server of the pair, and the decision tables of both
 * compared. Used by a running node (its doors hand the report out) and by `firstchair verify-backends`, which connects itself.
 *
 * The report is JSON: {"verdict": "well" | "to-mend" | "unreachable",
 *   "servers": [{"name", "address", "is_checked", "text"}],
 *   "needs": [{"word", "severity", "wanted", "verdict", "values": [one a server], "verdicts": [...], "texts": [sentences]}],
 *   "comparisons": [{"left", "right", "is_done", "text", "differences": [{"table", "key", "column", "left", "right"}], "more"}]} */
#ifndef FC_AGENT_VERIFY_H
#define FC_AGENT_VERIFY_H

#include "backends/host.h"
#include "backends/store.h"
#include "judge/needs.h"
#include "model/servers.h"

#define VERIFY_LIMIT_MS 5000         /* of each question to a server */
#define VERIFY_AGAIN_MS 1000         /* between the two readings of the tables: rows in flight have arrived by then */
#define VERIFY_WHOLE_MS (2 * VERIFY_LIMIT_MS + VERIFY_AGAIN_MS)

struct verification;

/* `report` is borrowed for the call; NULL = out of memory. `code`: FC_OK, FC_FINDINGS or FC_UNREACHABLE, as the verdict. Never
 * called from within verify_begin. The verification is gone after it. */
typedef void verify_done(void *owner, enum fc_code code, const char *report);

struct verify_port {
    const struct host *host;
    struct store *store;
    uint64_t mark;                   /* id of its requests: no other request has it */
    bool asks_looks;                 /* nobody else looks at the servers: ask as the account `store` too */
    verify_done *done;
    void *owner;
};

/* `servers` and `known` (may be NULL) are copied: what is known already, as read_only at boot, need not be read again.
 * NULL when memory is out. */
struct verification *verify_begin(const struct verify_port *port, const struct servers *servers, const struct needs *known);
/* Every result with the mark as its id. */
void verify_heard(struct verification *verification, const struct store_result *result);
void verify_drop(struct verification *verification);     /* before its end; NULL is fine */

/* `firstchair verify-backends`: asks the servers of this configuration; prints a table, or the report as JSON. Returns the exit code. */
int verify_command(const struct config *config, bool is_json);

#endif
