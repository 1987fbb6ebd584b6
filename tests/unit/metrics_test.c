/* /metrics: the numbers of a picture, and that the format holds: one HELP and TYPE per family, samples together, labels
 * escaped, nothing where nothing is known. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fleet_keeper.h"
#include "agent/metrics.h"
#include "backends/quorum/transport.h"
#include "base/text.h"

static struct status status;         /* large: not on the stack */
static struct desk_counters counters;

static void fill(void)
{
    memset(&status, 0, sizeof status);
    counters = (struct desk_counters){ .agent_answered = 12345, .process_start_unix_ms = 1795387263500 };
    TEXT_SET(status.version, "0.1.0");
    TEXT_SET(status.node, "fc1");
    TEXT_SET(status.leadership, "suspended");
    status.epoch = 9;
    status.lease_left_ms = 2500;
    status.store_age_ms = -1;
    status.server_count = 2;
    TEXT_SET(status.servers[0].name, "db1");
    status.servers[0].has_been_seen = status.servers[0].is_reachable = true;
    status.servers[0].look.replica.lag_ms = 1500;
    status.servers[0].look.replica.is_configured = true;
    status.servers[0].look.replica.io = THREAD_RUNNING;
    TEXT_SET(status.servers[1].name, "db\"2\\\n\xc3");
    status.servers[1].age_ms = -1;
    status.pool_count = 1;
    struct status_pool *pool = &status.pools[0];
    TEXT_SET(pool->name, "fc_backend");
    TEXT_SET(pool->state, "seated");
    TEXT_SET(pool->seated, "db1");
    pool->epoch = 8;
    pool->server_count = 1;
    TEXT_SET(pool->servers[0].name, "db1");
    pool->servers[0].answer.voice = VOICE_FIRST;
    pool->servers[0].view_count = 2;
    TEXT_SET(pool->servers[0].views[0].proxy, "lb1");
    pool->servers[0].views[0].is_known = true;
    pool->servers[0].views[0].drift_ms = 700;
    TEXT_SET(pool->servers[0].views[1].proxy, "lb2");
    pool->servers[0].views[1].age_ms = -1;
}

static char *text;

static void print(void)
{
    text = metrics_print(&status, &counters);
    cr_assert_neq(text, NULL);
}

static bool has(const char *part) { return strstr(text, part) != NULL; }

#define SHOWS(line) cr_assert(has("\n" line "\n"), "'%s' is not in:\n%s", line, text)
#define SHOWS_NOT(part) cr_assert(!has(part), "'%s' is in:\n%s", part, text)

TestSuite(metrics, .init = fill);

Test(metrics, says_who_leads_in_which_epoch_for_how_long)
{
    print();
    SHOWS("firstchair_build_info{version=\"0.1.0\",node=\"fc1\",store=\"\",arbitration=\"\"} 1");
    SHOWS("firstchair_leads 0");
    SHOWS("firstchair_leadership{state=\"suspended\"} 1");
    SHOWS("firstchair_leadership{state=\"leading\"} 0");
    SHOWS("firstchair_epoch 9");
    SHOWS("firstchair_lease_left_seconds 2.5");
    free(text);
}

Test(metrics, says_what_is_meant_and_what_each_proxy_does)
{
    print();
    SHOWS("firstchair_pool_state{pool=\"fc_backend\",kind=\"backend\",state=\"seated\"} 1");
    SHOWS("firstchair_pool_epoch{pool=\"fc_backend\",kind=\"backend\"} 8");
    SHOWS("firstchair_pool_server_seated{pool=\"fc_backend\",server=\"db1\"} 1");
    SHOWS("firstchair_pool_server_intent{pool=\"fc_backend\",server=\"db1\",state=\"first\"} 1");
    SHOWS("firstchair_pool_server_intent{pool=\"fc_backend\",server=\"db1\",state=\"rest\"} 0");
    SHOWS("firstchair_pool_server_hold{pool=\"fc_backend\",server=\"db1\",state=\"maint\"} 0");
    SHOWS("firstchair_view_drift_seconds{proxy=\"lb1\",pool=\"fc_backend\",server=\"db1\"} 0.7");
    SHOWS("firstchair_server_replication_lag_seconds{server=\"db1\"} 1.5");
    SHOWS("firstchair_server_replication_io_running{server=\"db1\"} 1");
    SHOWS("firstchair_server_replication_sql_running{server=\"db1\"} 0");
    SHOWS("firstchair_agent_answered_total 12345");
    free(text);
}

Test(metrics, has_no_sample_for_what_is_not_known)
{
    print();
    SHOWS_NOT("\nfirstchair_store_age_seconds ");
    SHOWS_NOT("firstchair_view_drift_seconds{proxy=\"lb2\"");
    SHOWS_NOT("firstchair_view_usable{proxy=\"lb2\"");
    SHOWS_NOT("firstchair_server_replication_lag_seconds{server=\"db\\\"2");
    SHOWS_NOT(" -1\n");
    SHOWS("firstchair_view_known{proxy=\"lb2\",pool=\"fc_backend\",server=\"db1\"} 0");
    free(text);
}

Test(metrics, escapes_labels)
{
    print();
    SHOWS("firstchair_server_reachable{server=\"db\\\"2\\\\\\n?\"} 0");
    free(text);
}

Test(metrics, shows_the_process_itself)
{
    print();
    SHOWS("process_start_time_seconds 1795387263.5");
    SHOWS_NOT("process_resident_memory_bytes 0\n");
    cr_assert(has("\nprocess_open_fds "));
    cr_assert(has("\nprocess_cpu_seconds_total "));
    free(text);
}

/* Every sample line stands under the TYPE of its own family, and no family comes twice. */
Test(metrics, keeps_the_samples_of_a_family_together)
{
    char family[128] = "", seen[8192] = "", *save = NULL;
    print();
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        if (text_begins(line, "# TYPE ")) {
            char mark[160];
            text_copy_bytes(family, sizeof family, line + 7, strcspn(line + 7, " "));
            TEXT_FORMAT(mark, "<%s>", family);
            cr_assert_eq(strstr(seen, mark), NULL, "%s comes twice", family);
            cr_assert(text_copy(seen + strlen(seen), sizeof seen - strlen(seen), mark));
        } else if (line[0] != '#') {
            const size_t length = strcspn(line, "{ ");
            cr_assert(length == strlen(family) && memcmp(line, family, length) == 0, "%s stands under %s", line, family);
        }
    }
    free(text);
}

Test(metrics, the_page_names_every_family)
{
    char *page = NULL, *save = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&page, &size);
    metrics_docs_print(to);
    fclose(to);
    print();
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        if (text_begins(line, "# TYPE ")) {
            char row[160];
            TEXT_FORMAT(row, "| `%.*s` |", (int)strcspn(line + 7, " "), line + 7);
            cr_assert_neq(strstr(page, row), NULL, "%s is not on the page", row);
        }
    free(text);
    free(page);
}

Test(metrics, says_who_came_to_the_peers_port_where_there_is_one)
{
    static struct transport_counts streams;

    print();
    SHOWS_NOT("\nfirstchair_peer_streams_total{");
    SHOWS_NOT("\nfirstchair_peer_half_open ");
    free(text);

    streams.of[TRANSPORT_WRONG_PROOF] = 3;
    streams.half_open = 2;
    counters.peer_streams = &streams;
    print();
    SHOWS("firstchair_peer_streams_total{what=\"wrong_proof\"} 3");
    SHOWS("firstchair_peer_streams_total{what=\"forged\"} 0");
    SHOWS("firstchair_peer_half_open 2");
    free(text);
}

Test(metrics, says_how_raft_stands_where_it_is_in_use)
{
    static struct quorum_view view = { .role = QUORUM_LEADER, .leader = 0, .term = 7, .last_index = 40, .applied_index = 39, .until = { 10500000 },
                                       .elections_won = 2, .disk = { .appends = 4, .total = { 2000000 }, .last = { 250000 },
                                                                     .waits_since = { 9000000 }, .held_index = 38 } };
    static const struct quorum_settings settings = { .member_count = 2, .members = { { .name = "fc1" }, { .name = "fc2" } } };
    print();
    SHOWS_NOT("\nfirstchair_raft_term ");
    SHOWS_NOT("firstchair_raft_role{");
    free(text);
    view.peers[1].is_open = true;
    view.peers[1].heard_at = (struct fc_time){ 9750000 };
    counters.has_raft = true;
    counters.raft = (struct agreement_view){ .quorum = &view, .settings = &settings, .now = { 10000000 }, .unapplied = 3 };
    print();
    SHOWS("firstchair_raft_role{state=\"leader\"} 1");
    SHOWS("firstchair_raft_role{state=\"out\"} 0");
    SHOWS("firstchair_raft_term 7");
    SHOWS("firstchair_raft_lease_left_seconds 0.5");
    SHOWS("firstchair_raft_elections_won_total 2");
    SHOWS("firstchair_raft_unapplied 3");
    SHOWS("firstchair_raft_held_index 38");
    SHOWS("firstchair_raft_append_seconds_total 2");
    SHOWS("firstchair_raft_append_last_seconds 0.25");
    SHOWS("firstchair_raft_append_waits_seconds 1");
    SHOWS("firstchair_raft_peer_connected{peer=\"fc2\"} 1");
    SHOWS("firstchair_raft_peer_heard_age_seconds{peer=\"fc2\"} 0.25");
    SHOWS("firstchair_raft_trouble 0");
    free(text);
}

Test(metrics, lateness_is_a_histogram_that_only_rises)
{
    struct fleet_keeper_numbers fleet = { .known = 3, .counts = { .late_us = 1500000, .late_within = { 5, 0, 2 } } };
    print();
    SHOWS_NOT("firstchair_fleet_lateness_seconds_bucket");
    free(text);
    fleet.counts.late_within[WATCH_LATE_BOUNDS] = 1;
    counters.fleet = &fleet;
    print();
    SHOWS("# TYPE firstchair_fleet_lateness_seconds histogram");
    SHOWS("firstchair_fleet_lateness_seconds_bucket{le=\"0.001\"} 5");
    SHOWS("firstchair_fleet_lateness_seconds_bucket{le=\"0.002\"} 5");
    SHOWS("firstchair_fleet_lateness_seconds_bucket{le=\"0.005\"} 7");
    SHOWS("firstchair_fleet_lateness_seconds_bucket{le=\"5\"} 7");
    SHOWS("firstchair_fleet_lateness_seconds_bucket{le=\"+Inf\"} 8");
    SHOWS("firstchair_fleet_lateness_seconds_sum 1.5");
    SHOWS("firstchair_fleet_lateness_seconds_count 8");
    free(text);
}
