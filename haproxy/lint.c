/* Walks the table of rules: each rule is asked of everything in its scope, and its findings are sorted by line. */
#include "haproxy/lint.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/lint_scene.h"

const struct lint_table *const lint_tables[] = {
    &lint_process_rules, &lint_pool_rules, &lint_agent_rules, &lint_check_rules, &lint_relay_rules,
};
const size_t lint_table_count = sizeof lint_tables / sizeof lint_tables[0];

const char *lint_severity_word(enum lint_severity severity)
{
    static const char *const words[LINT_SEVERITY_COUNT] = {
        [LINT_ERROR] = "error", [LINT_WARNING] = "warning", [LINT_HINT] = "hint",
    };
    return (unsigned)severity < LINT_SEVERITY_COUNT ? words[severity] : "unknown";
}

const char *lint_scope_text(enum lint_scope scope)
{
    static const char *const texts[LINT_SCOPE_COUNT] = {
        [LINT_FILE] = "the file",           [LINT_SERVER] = "a server",
        [LINT_AGENT_SERVER] = "a server with agent-check",
        [LINT_POOL] = "a pool",             [LINT_POOL_SERVER] = "a server of a pool",
        [LINT_RELAY] = "the relay",         [LINT_RELAY_SERVER] = "a node in the relay",
        [LINT_DOOR] = "a frontend of a pool",
    };
    return (unsigned)scope < LINT_SCOPE_COUNT ? texts[scope] : "unknown";
}

bool lint_finding_text(const struct lint_finding *finding, const char *file_name, char *to, size_t size)
{
    const struct lint_rule *rule = finding->rule;
    char line[16] = "";

    if (finding->line > 0)
        TEXT_FORMAT(line, ":%d", finding->line);
    return text_format(to, size, "%s%s: %s: %s %s%s%s%s; %s [%s]", file_name, line, lint_severity_word(rule->severity),
                       finding->subject, rule->finding, finding->detail[0] == '\0' ? "" : " (", finding->detail,
                       finding->detail[0] == '\0' ? "" : ")", rule->mend, rule->word);
}

/* ---- findings ---- */

static bool is_found_already(const struct lint *lint, const struct lint_rule *rule, const struct proxy_line *line)
{
    for (int i = 0; line != NULL && i < lint->finding_count; i++) {
        const struct lint_finding *finding = &lint->findings[i];
        if (finding->rule == rule && finding->line == line->number && finding->file == line->file)
            return true;                      /* a `default-server` line is wrong once, not once a server */
    }
    return false;
}

static void subject_text(const struct lint_scene *scene, char *to, size_t size)
{
    if (scene->server != NULL)
        text_format(to, size, "%s/%s", scene->section->name, scene->server->name);
    else
        text_copy(to, size, scene->section != NULL ? scene->section->name : "the file");
}

static void ask(struct lint_scene *scene, const struct lint_rule *rule, struct lint *lint)
{
    scene->where = scene->server != NULL ? scene->server->line : scene->section != NULL ? scene->section->head : NULL;
    scene->detail[0] = '\0';
    if (!rule->is_broken(scene) || is_found_already(lint, rule, scene->where))
        return;
    lint->counts[rule->severity]++;
    if (lint->finding_count == LINT_FINDINGS_MAX) {
        lint->dropped++;
        return;
    }
    struct lint_finding *finding = &lint->findings[lint->finding_count++];
    finding->rule = rule;
    finding->order = scene->order;
    finding->file = scene->where == NULL ? 0 : scene->where->file;
    finding->line = scene->where == NULL ? 0 : scene->where->number;
    subject_text(scene, finding->subject, sizeof finding->subject);
    text_copy(finding->detail, sizeof finding->detail, scene->detail);
    text_make_plain(finding->subject);        /* bytes of the file: one line, whatever they are */
    text_make_plain(finding->detail);
}

static int by_place(const void *left, const void *right)
{
    const struct lint_finding *a = left, *b = right;

    if (a->file != b->file)
        return a->file - b->file;
    if (a->line != b->line)
        return a->line - b->line;
    return a->order - b->order;
}

/* ---- scopes ---- */

static void ask_servers(struct lint_scene *scene, const struct lint_rule *rule, const struct proxy_section *section, struct lint *lint)
{
    for (int i = 0; i < section->server_count; i++) {
        scene->section = section;
        scene->server = &scene->file->servers[section->first_server + i];
        ask(scene, rule, lint);
    }
}

static bool leads_to(const struct lint_scene *scene, const struct proxy_section *section, const struct proxy_section *pool)
{
    const char *to = lint_setting(scene, section, SETTING_DEFAULT_BACKEND, 1);
    const struct proxy_line *line = NULL;

    if (section == pool && section->kind == PROXY_LISTEN)
        return true;
    if (section->kind != PROXY_FRONTEND && section->kind != PROXY_LISTEN)
        return false;
    if (to != NULL && text_is(to, pool->name))
        return true;
    while ((line = proxy_section_next(scene->file, section, line, "use_backend", NULL)) != NULL) {
        if (text_is(proxy_line_word(scene->file, line, 1), pool->name))
            return true;
    }
    return false;
}

static void ask_doors(struct lint_scene *scene, const struct lint_rule *rule, const struct proxy_section *pool, struct lint *lint)
{
    for (int i = 0; i < scene->file->section_count; i++) {
        scene->section = &scene->file->sections[i];
        if (leads_to(scene, scene->section, pool))
            ask(scene, rule, lint);
    }
}

static void ask_pool(struct lint_scene *scene, const struct lint_rule *rule, const struct proxy_section *pool, struct lint *lint)
{
    if (pool == NULL || (rule->pools & scene->pool_kind) == 0)
        return;
    if (rule->scope == LINT_POOL_SERVER) {
        ask_servers(scene, rule, pool, lint);
    } else if (rule->scope == LINT_DOOR) {
        ask_doors(scene, rule, pool, lint);
    } else {
        scene->section = pool;
        scene->server = NULL;
        ask(scene, rule, lint);
    }
}

static void ask_pools(struct lint_scene *scene, const struct lint_rule *rule, struct lint *lint)
{
    for (int p = 0; p < 2; p++) {
        scene->pool_kind = p == 0 ? LINT_BACKEND_POOL : LINT_LEADER_POOL;
        ask_pool(scene, rule, scene->pool[p], lint);
    }
    for (int i = 0; i < scene->cluster_count; i++) {
        scene->cluster = &scene->clusters[i];
        scene->pool_kind = scene->cluster->kind;
        ask_pool(scene, rule, scene->cluster->section, lint);
    }
    scene->cluster = NULL;
}

static void ask_all_servers(struct lint_scene *scene, const struct lint_rule *rule, struct lint *lint)
{
    for (int i = 0; i < scene->file->server_count; i++) {
        scene->server = &scene->file->servers[i];
        scene->section = scene->server->section;
        if (rule->scope == LINT_SERVER || proxy_server_has(scene->server, KEY_AGENT_CHECK))
            ask(scene, rule, lint);
    }
}

static void ask_all(struct lint_scene *scene, const struct lint_rule *rule, struct lint *lint)
{
    scene->pool_kind = 0;
    scene->section = NULL;
    scene->server = NULL;
    switch (rule->scope) {
    case LINT_FILE:
        ask(scene, rule, lint);
        break;
    case LINT_SERVER:
    case LINT_AGENT_SERVER:
        ask_all_servers(scene, rule, lint);
        break;
    case LINT_POOL:
    case LINT_POOL_SERVER:
    case LINT_DOOR:
        ask_pools(scene, rule, lint);
        break;
    case LINT_RELAY:
        scene->section = scene->relay;
        if (scene->relay != NULL)
            ask(scene, rule, lint);
        break;
    case LINT_RELAY_SERVER:
        if (scene->relay != NULL)
            ask_servers(scene, rule, scene->relay, lint);
        break;
    case LINT_SCOPE_COUNT:
        break;
    }
}

/* ---- the scene ---- */

const struct proxy_section *lint_relay_at(const struct lint_scene *scene, const struct proxy_door *door)
{
    for (int i = 0; i < scene->file->section_count; i++) {
        const struct proxy_section *section = &scene->file->sections[i];
        if (!lint_section_listens(scene, section, door))
            continue;
        if (section->server_count > 0)
            return section;
        const char *to = lint_setting(scene, section, SETTING_DEFAULT_BACKEND, 1);
        return to == NULL ? NULL : proxy_file_backend(scene->file, to);
    }
    return NULL;
}

/* Where the backend pool's checks go; when they go nowhere in this file, where firstchair's configuration has it. */
static const struct proxy_section *find_relay(const struct lint_scene *scene)
{
    const struct proxy_section *pool = scene->pool[0], *found = NULL;
    struct proxy_door door;

    for (int i = 0; pool != NULL && found == NULL && i < pool->server_count; i++) {
        if (lint_agent_door(scene, &scene->file->servers[pool->first_server + i], &door))
            found = lint_relay_at(scene, &door);
    }
    if (found == NULL && pool != NULL && proxy_door_read(scene->config->relay_listen, &door))
        found = lint_relay_at(scene, &door);
    return found == pool ? NULL : found;
}

static void add_clusters(struct lint_scene *scene, const struct config_list *list, int kind)
{
    struct cluster_pool_item item;
    struct cluster_server_item server;
    for (int p = 0; p < list->count && scene->cluster_count < CLUSTER_POOLS_MAX; p++) {
        if (cluster_pool_parse(list->item[p], &item, NULL) != FC_OK)
            continue;
        struct lint_cluster *cluster = &scene->clusters[scene->cluster_count++];
        cluster->kind = kind;
        TEXT_SET(cluster->name, item.name);
        cluster->section = proxy_file_backend(scene->file, item.name);
        for (int i = 0; i < scene->config->cluster_servers.count && cluster->member_count < CLUSTER_SERVERS_MAX; i++) {
            if (cluster_server_parse(scene->config->cluster_servers.item[i], &server, NULL) != FC_OK || !text_is(server.cluster, item.cluster))
                continue;
            TEXT_SET(cluster->members[cluster->member_count].name, server.name);
            TEXT_SET(cluster->members[cluster->member_count++].address, server.address);
        }
    }
}

static void scene_open(const struct proxy_file *file, const struct config *config, struct lint_scene *scene)
{
    memset(scene, 0, sizeof *scene);
    scene->config = config;
    scene->file = file;
    scene->is_closed = !text_is(config->steering_term_over, "freeze");
    for (int i = 0; i < config->nodes.count && i < NODES_MAX; i++)
        scene->node_count += node_address_parse(config->nodes.item[i], &scene->nodes[scene->node_count], NULL) == FC_OK;
    for (int i = 0; i < config->backend_servers.count; i++)
        scene->server_count += named_address_parse(config->backend_servers.item[i], &scene->servers[scene->server_count], NULL) == FC_OK;
    scene->is_configured = scene->node_count > 0;
    if (scene->server_count > 0 || !scene->is_configured)
        scene->pool[0] = proxy_file_backend(file, config->backend_pool);
    scene->pool[1] = proxy_file_backend(file, config->leader_pool);
    add_clusters(scene, &config->writer_pools, LINT_WRITER_POOL);
    add_clusters(scene, &config->reader_pools, LINT_READER_POOL);
    scene->relay = find_relay(scene);
}

void lint_run(const struct proxy_file *file, const struct config *config, struct lint *ret)
{
    struct lint_scene scene;

    ret->finding_count = ret->dropped = 0;
    memset(ret->counts, 0, sizeof ret->counts);
    scene_open(file, config, &scene);
    for (size_t t = 0; t < lint_table_count; t++) {
        for (size_t i = 0; i < lint_tables[t]->count; i++, scene.order++)
            ask_all(&scene, &lint_tables[t]->rules[i], ret);
    }
    qsort(ret->findings, (size_t)ret->finding_count, sizeof ret->findings[0], by_place);
}
