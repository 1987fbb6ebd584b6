/* What answers about a fleet cost: servers in clusters of ten (a master, three replicas, two below each), as many as are asked for; each
 * path is answered over and over for a second. No socket: what HTTP costs is measured by whoever measures HTTP.
 *
 *     fleet_answer_bench SERVERS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/fleet_answer.h"
#include "base/text.h"

#define CLUSTER 10u

static struct room room;
static struct topology topology;
static struct overrides overrides;
static struct classifications classifications;
static struct aliases aliases;
static struct fleet fleet;
static struct picture picture;

static void see(uint32_t cluster, uint32_t place)
{
    static const uint32_t masters[CLUSTER] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3 };
    char host[64], master[64];
    struct channel_seen channel = { .name = "", .master = { master, 3306 }, .gtid_use = GTID_SLAVE_POS, .io = THREAD_RUNNING,
                                    .sql = THREAD_RUNNING, .user = "repl", .read = { "bin.000002", 300 }, .applied = { "bin.000002", 290 },
                                    .relay = { "relay.000007", 12 } };
    struct instance_seen seen = { .key = { host, 3306 }, .flavour = FLAVOUR_MARIADB, .version = 101106, .has_log = true, .relogs = true,
                                  .version_text = "10.11.6-MariaDB-log", .version_comment = "Debian 12", .binlog_format = "ROW",
                                  .is_read_only = place != 0, .server_id = cluster * CLUSTER + place + 1, .channels = &channel,
                                  .channel_count = place != 0, .written = { "bin.000002", 345 }, .sent_at = picture.now,
                                  .seen_at = picture.now };
    member_id id;
    TEXT_FORMAT(host, "db%u.c%05u.example", place, cluster);
    TEXT_FORMAT(master, "db%u.c%05u.example", masters[place], cluster);
    if (topology_saw(&topology, &seen, NULL, &id, NULL) != FC_OK || !fleet_looked(&fleet, id, picture.now))
        abort();
}

static void build(uint32_t servers)
{
    static struct classifier classifier;
    room = room_of_libc();
    if (!topology_init(&topology, &room, servers + CLUSTER) ||
        !fleet_init(&fleet, &room, &topology, &overrides, &analysis_policy_preset))
        abort();
    overrides_init(&overrides, &room, &topology.names);
    classifications_init(&classifications, &room, &topology);
    aliases_init(&aliases, &room, &topology.names);
    picture = (struct picture){ .topology = &topology, .fleet = &fleet, .overrides = &overrides, .classifications = &classifications,
                                .aliases = &aliases, .default_port = 3306, .now = { 1000000000 }, .unix_ms = 1795420800000,
                                .node = "fc1", .token = "t" };
    for (uint32_t i = 0; i < servers; i++)
        see(i / CLUSTER, i % CLUSTER);
    for (uint32_t i = 0; i < servers; i += CLUSTER * 10) {           /* in each tenth cluster a replica with others below it is dead */
        char host[64];
        TEXT_FORMAT(host, "db1.c%05u.example", i / CLUSTER);
        const member_id dead = topology_find(&topology, &(struct instance_key){ host, 3306 });
        topology_missed(&topology, dead, false, picture.now);
        fleet_looked(&fleet, dead, picture.now);
    }
    fleet_judge(&fleet, picture.now);
    if (!aliases_choose(&aliases, &fleet, &classifications, &classifier))
        abort();
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void measure(const char *url)
{
    static struct http_path path;
    struct fleet_asked asked = { .picture = &picture };
    unsigned status = 0;
    size_t bytes = 0;
    long count = 0;
    const int64_t began = now_us();
    int64_t took = 0;
    for (; took < 1000000; count++, took = now_us() - began) {
        if (!http_path_split(url, strlen(url), &path) || fleet_route_find(&path, &asked) == NULL)
            abort();
        char *body = fleet_answer_read(&asked, &status);
        bytes = strlen(body);
        free(body);
    }
    printf("%-44s %3u %10zu bytes %12.1f us %10.0f a second\n", url, status, bytes, (double)took / (double)count,
           (double)count * 1e6 / (double)took);
}

int main(int argc, char **argv)
{
    static const char *const urls[] = { "/api/instance/db3.c00003.example/3306", "/api/cluster/db0.c00003.example:3306",
                                        "/api/cluster-info/db5.c00003.example", "/api/topology/db0.c00003.example:3306",
                                        "/api/clusters", "/api/clusters-info", "/api/masters", "/api/problems",
                                        "/api/replication-analysis", "/api/search/c00003", "/api/all-instances" };
    uint64_t servers = 0;
    if (argc != 2 || !text_to_u64(argv[1], strlen(argv[1]), &servers) || servers < CLUSTER * 10 || servers > 1000000) {
        fputs("usage: fleet_answer_bench SERVERS (100 to 1000000)\n", stderr);
        return 2;
    }
    build((uint32_t)servers);
    printf("%u servers in %u clusters, processor time of one core\n", topology.known, topology.head_count);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        measure(urls[i]);
    return 0;
}
