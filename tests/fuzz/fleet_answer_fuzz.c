/* Fuzz: any bytes as path and query of a question about a small fleet. Whatever is answered is one JSON value: a raw one, or an envelope;
 * and an order that is made passes its own check. */
#include <assert.h>
#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fleet_answer.h"
#include "agent/fleet_pages.h"
#include "base/text.h"

static struct room room;
static struct topology topology;
static struct overrides overrides;
static struct classifications classifications;
static struct aliases aliases;
static struct fleet fleet;
static struct server_pools pools;
static struct host_names resolved, unresolved;
static struct picture picture;

static void see(const char *host, const char *master)
{
    struct channel_seen channel = { .name = "", .master = { master, 3306 }, .gtid_use = GTID_SLAVE_POS, .io = THREAD_RUNNING,
                                    .sql = THREAD_RUNNING };
    struct instance_seen seen = { .key = { host, 3306 }, .flavour = FLAVOUR_MARIADB, .version = 101106, .channels = &channel,
                                  .channel_count = master != NULL, .has_log = true, .relogs = true };
    member_id id;
    assert(topology_saw(&topology, &seen, NULL, &id, NULL) == FC_OK && fleet_looked(&fleet, id, picture.now));
}

static void build(void)
{
    struct classifier classifier = { .matcher = NULL };
    const struct instance_key db2 = { "db2", 3306 };
    room = room_of_libc();
    assert(topology_init(&topology, &room, 100));
    overrides_init(&overrides, &room, &topology.names);
    classifications_init(&classifications, &room, &topology);
    aliases_init(&aliases, &room, &topology.names);
    server_pools_init(&pools, &room, &topology.names);
    host_names_init(&resolved, &room, &topology.names);
    host_names_init(&unresolved, &room, &topology.names);
    assert(fleet_init(&fleet, &room, &topology, &overrides, &analysis_policy_preset));
    picture = (struct picture){ &topology, &fleet, &overrides, &classifications, &aliases, &pools, &resolved, &unresolved,
                                .default_port = 3306, .now = { 1000000000 }, .unix_ms = 1795420800000, .node = "fc1", .token = "t" };
    see("db1", NULL);
    see("db2", "db1");
    see("db3", "db1");
    overrides_tag(&overrides, &db2, "role", "main", NULL);
    server_pools_submit(&pools, "web", &db2, 1, picture.now, FC_NEVER, NULL);
    fleet_judge(&fleet, picture.now);
    assert(aliases_choose(&aliases, &fleet, &classifications, &classifier));
}

static const char *query;

/* Every argument is the same text: what it means is up to the route. */
static bool argument(void *lender, const char *name, char *to, size_t size)
{
    (void)lender, (void)name;
    return http_text_decode(query, strlen(query), to, size);
}

static void make(struct fleet_asked *asked)
{
    static struct fleet_order order;
    struct fc_err err = { .code = FC_OK };
    char *details = NULL;
    if (fleet_answer_make(asked, &order, &err) != FC_OK) {
        assert(err.code != FC_OK && err.text[0] != '\0' && order.keys == NULL);
        return;
    }
    assert(fleet_order_check(&order, &err) == FC_OK);
    fleet_answer_before(asked, &details, &err);
    free(details);
    free((void *)order.keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct http_path path;
    struct fleet_asked asked = { .picture = &picture, .argument = argument };
    unsigned status = 0;
    char *text = malloc(size + 1);

    if (picture.topology == NULL)
        build();
    memcpy(text, bytes, size);
    text[size] = '\0';
    const size_t length = strcspn(text, "?");
    query = text[length] == '?' ? text + length + 1 : "";
    if (http_path_split(text, length, &path) && fleet_route_find(&path, &asked) != NULL) {
        struct fleet_page_asked page;
        struct fc_err err = { .code = FC_OK };
        if (asked.route->make != NULL)
            make(&asked);
        if (asked.route->paging != NULL && fleet_page_meant(&asked, &page, &err) != FC_OK)
            assert(err.text[0] != '\0');
        asked.reply = "done";
        char *body = asked.route->make == NULL ? fleet_answer_read(&asked, &status) : fleet_answer_done(&asked, NULL, &status);
        cJSON *tree = cJSON_Parse(body);
        assert(body != NULL && tree != NULL && status >= 200);
        assert(status == 200 || cJSON_GetObjectItemCaseSensitive(tree, "Message") != NULL);
        cJSON_Delete(tree);
        free(body);
    }
    free(text);
    return 0;
}
