/* One row a name. */
#include "agent/flat_metrics.h"

#include <stddef.h>

#include "agent/fleet_keeper.h"
#include "agent/json_page.h"
#include "backends/quorum/quorum.h"

typedef uint64_t flat_value(const struct flat_asked *at);

#define VALUE(name, expression) static uint64_t name(const struct flat_asked *at) { return (uint64_t)(expression); }
#define FLEET(name, expression) VALUE(name, at->counters->fleet->expression)

FLEET(looks, begun)
FLEET(looks_lost, counts.looks_lost)
FLEET(looks_seen, counts.looks_seen)
FLEET(rows_read, store.read_rows)
FLEET(rows_written, store.rows)
VALUE(leads, at->status->leads)
VALUE(is_healthy, at->is_healthy)
VALUE(is_raft_healthy, at->is_raft_healthy)
VALUE(is_raft_leader, at->counters->raft.quorum->role == QUORUM_LEADER && at->status->leads)
static uint64_t nothing(const struct flat_asked *at) { (void)at; return 0; }

enum of { OF_ALL, OF_FLEET, OF_RAFT };

#define RECOVERY(kind) \
    { "recover." kind ".start", OF_ALL, nothing, "0: no recoveries in this version" }, { "recover." kind ".success", OF_ALL, nothing, "the same" }, \
    { "recover." kind ".fail", OF_ALL, nothing, "the same" }

static const struct { const char *name; enum of of; flat_value *value; const char *meaning; } rows[] = {
    { "discoveries.attempt", OF_FLEET, looks, "looks begun" },
    { "discoveries.fail", OF_FLEET, looks_lost, "looks that brought nothing" },
    { "elect.is_elected", OF_ALL, leads, "1 while this node leads" },
    { "health.is_healthy", OF_ALL, is_healthy, "1 when /api/health says OK" },
    { "instance.read", OF_FLEET, rows_read, "rows of the fleet read from the store" },
    { "instance.read_topology", OF_FLEET, looks_seen, "looks that brought something" },
    { "instance.write", OF_FLEET, rows_written, "rows of the fleet written into the store" },
    { "raft.is_healthy", OF_RAFT, is_raft_healthy, "1 when /api/raft-health says healthy" },
    { "raft.is_leader", OF_RAFT, is_raft_leader, "1 for raft's leader" },
    RECOVERY("dead_co_master"), RECOVERY("dead_intermediate_master"), RECOVERY("dead_master"), RECOVERY("dead_replication_group_member"),
    { "recover.pending", OF_ALL, nothing, "the same" },
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static bool is_known(enum of of, const struct flat_asked *asked)
{
    return of == OF_ALL || (of == OF_FLEET ? asked->counters->fleet != NULL : asked->counters->has_raft);
}

char *flat_metrics_print(const struct flat_asked *asked)
{
    struct json_page page = { 0 };
    page_open(&page, NULL, '{');
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (is_known(rows[i].of, asked))
            page_uint(&page, rows[i].name, rows[i].value(asked));
    }
    page_close(&page, '}');
    return page_take(&page);
}

void flat_metrics_docs_print(FILE *to)
{
    static const char *const when[] = { [OF_ALL] = "", [OF_FLEET] = "; where a fleet is kept", [OF_RAFT] = "; with raft" };
    fputs("\n## As orchestrator's dashboards read them\n\n`GET /debug/metrics` and `/debug/vars` answer flat JSON, name and number. Of orchestrator's names these "
          "are counted here; `cmdline`, `memstats` and the others are left out.\n\n| name | meaning |\n|---|---|\n", to);
    for (size_t i = 0; i < ROW_COUNT; i++)
        fprintf(to, "| `%s` | %s%s |\n", rows[i].name, rows[i].meaning, when[rows[i].of]);
}
