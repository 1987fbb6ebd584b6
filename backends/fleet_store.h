/* The store of the fleet: what is known of many servers, in the tables that orchestrator and its tools know (spec/schema.md;
 * backends/fleet/fleet_schema.h). Memory is the truth at run time; this is its journal, and where other tools' rows come from.
 *
 *   servers, analyses, audit    are written behind: put() returns at once, the newest state of each key waits for the next batch;
 *                               what waits is bounded, what did not change is not written, a look that found the same as before
 *                               is a refresh of three moments together with those of many other servers
 *   words of operators, tools   (downtime, maintenance, tags, rules, aliases, pools) are orders and done when they are durable:
 *                               fleet_word_order(), through the same store as holds (in raft: through the log). They reach memory
 *                               by being read back, as other tools' rows do
 *
 * Who writes: one node at a time. In raft mode each its own private store; with a shared one the leader. Who does not write reads
 * the rows of who does. It is told which by fleet_store_turn(), and says nothing to any server before.
 *
 * All functions are called from the loop's thread and never wait; nothing is heard from within them. What is heard must not close it. */
#ifndef FC_BACKENDS_FLEET_STORE_H
#define FC_BACKENDS_FLEET_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/fleet/fleet_row.h"
#include "backends/host.h"
#include "base/err.h"
#include "core/config.h"

#define FLEET_BATCH_ROWS 100             /* of one upsert; refreshes: 500 servers of one statement */
#define FLEET_REFRESH_ROWS 500
#define FLEET_BATCH_BYTES (512 * 1024)   /* of one statement: below every max_allowed_packet in use */
#define FLEET_WAITING_BYTES (64u << 20)  /* of rows that wait; beyond, they are dropped, counted, and written at their next put */
#define FLEET_KEYS_MAX 200000u           /* rows of which it is remembered what was written */

struct fleet_store;

enum fleet_turn {
    FLEET_RESTS,      /* the beginning: neither */
    FLEET_READS,      /* another node writes */
    FLEET_WRITES      /* this one; tables and columns that are missing are added first */
};

/* The session is the fleet's own: no statement waits for another's. Of rows that were written: how many. */
struct fleet_statement { int64_t unix_ms, took_us; int rows; bool writes, is_good; };

struct fleet_store_port {
    void *owner;
    /* A row of a table that is kept in memory, as it stands in the store: at the first reading every one, later those that are not
     * as this node knows them. Borrowed for the call. */
    void (*row)(void *owner, const struct fleet_row *row);
    /* It was read before, and is there no more: only its key is set. */
    void (*gone)(void *owner, const struct fleet_row *row);
    /* The first reading of this turn is complete (FC_OK), or could not be done yet and is tried again (once each time; one sentence). */
    void (*was_read)(void *owner, enum fc_code code, const char *sentence);
    void (*note)(void *owner, const char *sentence);         /* for the log; the first of a trouble, and its end */
    void (*answered)(void *owner, const struct fleet_statement *statement);      /* a statement, whatever became of it; NULL: nobody counts */
};

struct fleet_store_setting {
    bool is_sqlite;
    config_text sqlite_file;
    int poll_ms;                         /* InstancePollSeconds: other tools' rows are looked for once a poll */
    int flush_ms;                        /* InstanceFlushIntervalMilliseconds; 0: the preset */
    int places_ms;                       /* positions alone are written at most once in this long; 0: the preset, 15 s */
    int whole_ms;                        /* every row is written whole at least once in this long; 0: the preset, 10 min */
    int tidy_ms;                         /* between two deletions of what is too old (fleet_lives); 0: the preset, 5 s */
    int64_t life_s[LIFE_COUNT];          /* 0: the preset */
};

struct fleet_store_counts {
    uint64_t puts, unchanged;            /* rows handed over; of them those that said nothing new */
    uint64_t coalesced;                  /* replaced by a newer state of the same key before they were written */
    uint64_t rows, refreshes, deletions; /* written */
    uint64_t statements, bytes;          /* that wrote; without those that tidied */
    uint64_t tidied;                     /* statements that deleted what is too old */
    uint64_t dropped, refused, failures; /* no room; the store will not take this one row; statements that failed and were repeated */
    uint64_t read_rows, readings;        /* rows that came back; tables read from one end to the other */
    uint64_t turns;                      /* begun: what still waited in the one before is lost */
    uint32_t waiting, keys;              /* now */
    size_t waiting_bytes;
};

/* `server` of fleet_store_turn is an index into BackendServers (a pair), else 0. `setting` NULL: as the configuration says. */
enum fc_code fleet_store_open(const struct host *host, const struct config *config, const struct fleet_store_setting *setting,
                              const struct fleet_store_port *port, struct fleet_store **ret, struct fc_err *err);
/* A reload: how long rows stay, and how often others' are looked for. */
void fleet_store_reload(struct fleet_store *store, const struct config *config);
/* What waits is lost: fleet_store_flush() comes first. NULL is fine. */
void fleet_store_close(struct fleet_store *store);

/* Each change of turn or server reads everything anew, because others may have written meanwhile. Repeating the present one is nothing. */
void fleet_store_turn(struct fleet_store *store, enum fleet_turn turn, int server);

/* Of database_instance, resolving, analyses, audit, detections: everything but words. Ignored unless it is this node's turn to write and
 * the first reading of the turn is complete: then put what you know.
 * Rows whose key is a number (audit, changelog, ...) are laid once; fleet_new_number() gives one. */
void fleet_store_put(struct fleet_store *store, const struct fleet_row *row);
/* Forgotten: the row goes. Key and rank (for a server: last_checked) are set. */
void fleet_store_delete(struct fleet_store *store, const struct fleet_row *row);
uint64_t fleet_new_number(struct fleet_store *store);
/* Would a row of this table be taken now? Do rows of it still wait to be written? */
bool fleet_store_takes(const struct fleet_store *store, enum fleet_table_name table);
bool fleet_store_waits(const struct fleet_store *store, enum fleet_table_name table);

/* Words were written (by this node's order, by the log): they are read back now and not at the next poll. */
void fleet_store_look(struct fleet_store *store);

/* All that waits is written, or the time is over: FC_OK, FC_TIMEOUT. Called once, later. One at a time. */
void fleet_store_flush(struct fleet_store *store, int limit_ms, void (*done)(void *owner, enum fc_code code), void *owner);

#define FLEET_PAGE_LIMIT_MAX 20000       /* rows of one page: of a snapshot, all servers of a cluster */

/* A page of one table, newest (highest key) first: audit, changelog, detections, recoveries, snapshots. `before`: only lower numbers of the key's
 * first column; 0: all. `from`: only this one and higher. `equal_column`: -1, or a text column that must be `equal`. A row at a time, then done;
 * while the store cannot be read, done with the reason. */
struct fleet_page {
    enum fleet_table_name table;
    uint64_t from, before;
    int limit;                           /* 1 to FLEET_PAGE_LIMIT_MAX */
    int equal_column;
    const char *equal;                   /* copied */
    void *owner;
    void (*row)(void *owner, const struct fleet_row *row);
    void (*done)(void *owner, enum fc_code code, const char *sentence);
};
/* False: too many are asked, or nobody reads here; then nothing is called. */
bool fleet_store_page(struct fleet_store *store, const struct fleet_page *page);

struct fleet_store_counts fleet_store_counts(const struct fleet_store *store);

#endif
