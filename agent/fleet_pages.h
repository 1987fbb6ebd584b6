/* Pages of what the store keeps and memory does not: audit, detections and recoveries, newest first, as orchestrator's API shows them. */
#ifndef FC_AGENT_FLEET_PAGES_H
#define FC_AGENT_FLEET_PAGES_H

#include "agent/doors/desk.h"
#include "agent/json_page.h"
#include "backends/fleet_store.h"
#include "backends/host.h"
#include "base/err.h"

#define FLEET_PAGE_ROWS 20             /* of one page; orchestrator's AuditPageSize */
#define FLEET_PAGE_STEPS_MAX 1000      /* of one recovery */
#define FLEET_PAGE_BLOCKED_MAX 200
#define FLEET_PAGE_CHANGES_MAX 1000    /* of all findings, the newest */
#define FLEET_PAGE_NUMBER_MAX 100000u
#define FLEET_PAGE_CHUNKS_MAX 500      /* of 200 rows each: who looks for something rare is told so far */
#define FLEET_PAGES_MAX 8              /* asked at one time */
#define FLEET_PAST_PATTERN_SIZE 256

/* By what a route's parameters choose rows. PAGE: the last parameter is its number, 0 the first; no number is 0. */
enum fleet_paged_by { PAGED_ALL = 0, PAGED_TEXT, PAGED_NUMBER, PAGED_SERVER, PAGED_RUNNING, PAGED_RECENT, PAGED_SUCCESSOR, PAGED_STEPS,
                      PAGED_LOGS,        /* none of the store: of binary logs, the server itself is asked (agent/fleet_errant.h) */
                      PAGED_PAST,        /* a cluster of a snapshot (agent/fleet_past.h) */
                      PAGED_CHANGES,     /* each server's together, the oldest first */
                      PAGED_DOMAIN };    /* by the domain of the cluster that the parameter means */

struct fleet_paging {
    enum fleet_table_name table;
    enum fleet_paged_by by;
    int column;                        /* whose text the first parameter is; -1 */
    bool has_page;
};

struct fleet_page_asked {
    enum fleet_table_name table;
    enum fleet_paged_by by;
    int column;                        /* must be `equal`; -1 none */
    char equal[160];
    uint64_t number;                   /* PAGED_NUMBER: of the key */
    uint16_t port;                     /* PAGED_SERVER, PAGED_SUCCESSOR, PAGED_LOGS, PAGED_PAST: of the host in `equal` */
    char pattern[FLEET_PAST_PATTERN_SIZE];       /* PAGED_PAST: on the snapshot's moment; "": the newest */
    bool is_unacknowledged;            /* recoveries: those that nobody has acknowledged */
    uint32_t skip, limit;
};

struct fleet_asked;

/* What a path and ?unacknowledged= mean. FC_BAD_INPUT: a server or an id that is none. PAGED_LOGS: FC_NOT_FOUND,
 * a server that is not known. PAGED_PAST: FC_NOT_FOUND, neither a cluster nor host:port; FC_BAD_INPUT, a pattern that is none.
 * PAGED_DOMAIN: FC_NOT_FOUND, no cluster, or one without a domain. */
enum fc_code fleet_page_meant(const struct fleet_asked *asked, struct fleet_page_asked *ret, struct fc_err *err);
/* Is the row among those asked for, apart from `column`? */
bool fleet_page_fits(const struct fleet_page_asked *asked, const struct fleet_row *row, int64_t unix_s);
/* The row as an object. False: of a table that has no shape. */
bool fleet_page_show(struct json_page *page, const struct fleet_row *row);
/* A change of a finding as one line of text, and such lines, the newest first, as a list by server: from malloc, NULL without memory. */
char *fleet_page_change(const struct fleet_row *row);
char *fleet_page_changes(char *const *lines, uint32_t count);

struct fleet_pages;

struct fleet_pages *fleet_pages_new(const struct host *host);
void fleet_pages_free(struct fleet_pages *pages);                /* after the store was closed; NULL is fine */
/* Answered once, later, with a list. `store` NULL: it is empty. False: too many are asked, or the store is not read here. */
bool fleet_pages_ask(struct fleet_pages *pages, struct fleet_store *store, const struct fleet_page_asked *asked, uint64_t ticket,
                     desk_report *reply, void *waiter);
void fleet_pages_drop(struct fleet_pages *pages, uint64_t ticket);

#endif
