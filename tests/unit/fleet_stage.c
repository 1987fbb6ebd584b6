/* See the header. */
#include "fleet_stage.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct fleet_stage fleet_stage;
static struct fleet_stage *const s = &fleet_stage;
static cJSON *tree;

#define START_UNIX_MS 1795420800000      /* 2026-11-23 08:00:00 */

void fleet_stage_empty(void)
{
    memset(s, 0, sizeof *s);
    s->room = room_of_libc();
    cr_assert(topology_init(&s->topology, &s->room, 100000));
    overrides_init(&s->overrides, &s->room, &s->topology.names);
    classifications_init(&s->classifications, &s->room, &s->topology);
    aliases_init(&s->aliases, &s->room, &s->topology.names);
    server_pools_init(&s->pools, &s->room, &s->topology.names);
    host_names_init(&s->resolved, &s->room, &s->topology.names);
    host_names_init(&s->unresolved, &s->room, &s->topology.names);
    cr_assert(fleet_init(&s->fleet, &s->room, &s->topology, &s->overrides, &analysis_policy_preset));
    s->picture = (struct picture){ .topology = &s->topology, .fleet = &s->fleet, .overrides = &s->overrides,
                                   .classifications = &s->classifications, .aliases = &s->aliases, .pools = &s->pools,
                                   .resolved = &s->resolved, .unresolved = &s->unresolved, .default_port = 3306,
                                   .now = { 1000000000 }, .unix_ms = START_UNIX_MS, .node = "fc1", .token = "abcd" };
}

void fleet_stage_open(void)
{
    fleet_stage_empty();
    stage_saw_plain("db1.example", NULL);
    stage_saw_plain("db2.example", "db1.example");
    stage_saw_plain("db3.example", "db1.example");
    stage_saw_plain("db4.example", "db2.example");
    stage_judge();
}

void fleet_stage_close(void)
{
    cJSON_Delete(tree);
    tree = NULL;
    free(s->body);
    fleet_done(&s->fleet);
    host_names_done(&s->unresolved);
    host_names_done(&s->resolved);
    server_pools_done(&s->pools);
    aliases_done(&s->aliases);
    classifications_done(&s->classifications);
    overrides_done(&s->overrides);
    topology_done(&s->topology);
}

/* ---- servers ---- */

struct described describe(const char *host, const char *master)
{
    static uint32_t ids;
    return (struct described){
        .seen = { .key = { host, 3306 }, .flavour = FLAVOUR_MARIADB, .version = 101106, .version_text = "10.11.6-MariaDB-log",
                  .version_comment = "Debian 12", .has_log = true, .relogs = true, .binlog_format = "ROW", .is_read_only = master != NULL,
                  .server_id = ++ids, .uptime_s = 77, .written = { "bin.000002", 345 }, .channel_count = master != NULL },
        .channel = { .name = "", .master = { master, 3306 }, .gtid_use = GTID_SLAVE_POS, .io = THREAD_RUNNING, .sql = THREAD_RUNNING,
                     .user = "repl", .read = { "bin.000002", 300 }, .applied = { "bin.000002", 290 }, .relay = { "relay.000007", 12 } },
    };
}

member_id stage_saw(struct described *d)
{
    member_id id;
    d->seen.channels = &d->channel;
    d->seen.sent_at = (struct fc_time){ s->picture.now.us - 1500 };
    d->seen.seen_at = s->picture.now;
    cr_assert_eq(topology_saw(&s->topology, &d->seen, NULL, &id, NULL), FC_OK);
    cr_assert(fleet_looked(&s->fleet, id, s->picture.now));
    return id;
}

void stage_saw_plain(const char *host, const char *master)
{
    struct described d = describe(host, master);
    stage_saw(&d);
}

static member_id member_of(const char *host)
{
    const member_id id = topology_find(&s->topology, &(struct instance_key){ host, 3306 });
    cr_assert_neq(id, MEMBER_NONE, "%s", host);
    return id;
}

void stage_lost(const char *host)
{
    topology_missed(&s->topology, member_of(host), false, s->picture.now);
    cr_assert(fleet_looked(&s->fleet, member_of(host), s->picture.now));
    stage_judge();
}

void stage_later(int64_t ms)
{
    s->picture.now.us += ms * 1000;
    s->picture.unix_ms += ms;
}

void stage_judge(void)
{
    fleet_judge(&s->fleet, s->picture.now);
    cr_assert(aliases_choose(&s->aliases, &s->fleet, &s->classifications, &s->classifier));
}

/* ---- questions ---- */

static char query[8192];

static bool argument(void *lender, const char *name, char *to, size_t size)
{
    const size_t length = strlen(name);
    (void)lender;
    to[0] = '\0';
    for (const char *at = query; *at != '\0'; at += strcspn(at, "&"), at += *at == '&') {
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return http_text_decode(at + length + 1, strcspn(at + length + 1, "&"), to, size);
    }
    return true;
}

static char *carry_out(struct fleet_asked *asked)
{
    struct fleet_memory memory = { &s->overrides, &s->classifications, &s->pools, &s->resolved, &s->unresolved, fc_ms(3600000),
                                   fc_ms(3600000), fc_ms(3600000) };
    struct fc_err err = { .code = FC_OK };
    char *details = NULL, *text;
    enum fc_code code = fleet_answer_make(asked, &s->ordered, &err);
    if (code == FC_OK)
        code = fleet_answer_before(asked, &details, &err);
    if (code == FC_OK && fleet_verbs[s->ordered.verb].is_of_memory)
        code = fleet_order_apply(&memory, &s->ordered, s->picture.now, &err);
    for (member_id id = 0; id < s->topology.count; id++)
        fleet_looked(&s->fleet, id, s->picture.now);
    stage_judge();
    asked->reply = "Took 3ms";
    text = code == FC_OK ? fleet_answer_done(asked, details, &s->status) : fleet_answer_error(&err, &s->status);
    free((void *)s->ordered.keys);
    s->ordered.keys = NULL;
    free(details);
    return text;
}

const char *stage_ask(const char *format, ...)
{
    static struct http_path path;
    struct fleet_asked asked = { .picture = &s->picture, .argument = argument };
    char url[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(url, sizeof url, format, args);
    va_end(args);
    cJSON_Delete(tree);
    tree = NULL;
    free(s->body);
    s->body = NULL;
    const size_t length = strcspn(url, "?");
    TEXT_SET(query, url[length] == '?' ? url + length + 1 : "");
    if (!http_path_split(url, length, &path) || fleet_route_find(&path, &asked) == NULL)
        return NULL;
    s->body = asked.route->make == NULL ? fleet_answer_read(&asked, &s->status) : carry_out(&asked);
    cr_assert_not_null(s->body);
    tree = cJSON_Parse(s->body);
    cr_assert_not_null(tree, "no JSON: %s", s->body);
    return s->body;
}

static const cJSON *part_of(const char *path)
{
    const cJSON *at = tree;
    while (at != NULL && *path != '\0') {
        char name[64];
        if (*path == '[') {
            uint64_t place = 0;
            const size_t length = strcspn(path, "]");
            cr_assert(text_to_u64(path + 1, length - 1, &place));
            at = cJSON_GetArrayItem(at, (int)place);
            path += length + 1;
            continue;
        }
        cr_assert_eq(*path, '.');
        const size_t length = strcspn(path + 1, ".[");
        text_copy_bytes(name, sizeof name, path + 1, length);
        at = cJSON_GetObjectItemCaseSensitive(at, name);
        path += length + 1;
    }
    return at;
}

const char *stage_part(const char *path)
{
    static char text[4096];
    const cJSON *part = part_of(path);
    char *printed = part == NULL ? NULL : cJSON_PrintUnformatted(part);
    TEXT_SET(text, printed == NULL ? "" : printed);
    free(printed);
    return text;
}

const char *stage_hosts(const char *path)
{
    static char text[1024];
    const cJSON *one;
    text[0] = '\0';
    cJSON_ArrayForEach(one, part_of(path)) {
        const cJSON *key = cJSON_GetObjectItemCaseSensitive(one, "Key");
        const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(key == NULL ? one : key, "Hostname"));
        cr_assert_not_null(host, "%s", s->body);
        const size_t length = strlen(text);
        text_format(text + length, sizeof text - length, "%s%.*s", length == 0 ? "" : " ", (int)strcspn(host, "."), host);
    }
    return text;
}
