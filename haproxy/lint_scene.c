/* Questions about a configuration that several rules ask. */
#include "haproxy/lint_scene.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/agent_request.h"

bool lint_say(struct lint_scene *scene, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(scene->detail, sizeof scene->detail, format, args);
    va_end(args);
    return true;
}

bool lint_say_at(struct lint_scene *scene, const struct proxy_line *where, const char *format, ...)
{
    va_list args;

    scene->where = where;
    va_start(args, format);
    vsnprintf(scene->detail, sizeof scene->detail, format, args);
    va_end(args);
    return true;
}

/* ---- values ---- */

int64_t lint_server_ms(const struct lint_scene *scene, const struct proxy_server *server, enum proxy_key key, int64_t preset)
{
    const char *value = proxy_server_value(scene->file, server, key);
    int64_t ms;

    return value != NULL && proxy_time_ms(value, &ms) ? ms : preset;
}

int64_t lint_server_number(const struct lint_scene *scene, const struct proxy_server *server, enum proxy_key key, int64_t preset)
{
    const char *value = proxy_server_value(scene->file, server, key);
    uint64_t number;

    return value != NULL && text_to_u64(value, strlen(value), &number) && number <= INT32_MAX ? (int64_t)number : preset;
}

const char *lint_setting(const struct lint_scene *scene, const struct proxy_section *section, enum proxy_setting setting, int index)
{
    const struct proxy_line *line = section->setting[setting];

    return line == NULL ? NULL : proxy_line_word(scene->file, line, index);
}

struct lint_patience lint_patience(const struct lint_scene *scene, const struct proxy_server *server)
{
    struct lint_patience p = { .inter_ms = lint_server_ms(scene, server, KEY_INTER, 2000),
                               .fall = lint_server_number(scene, server, KEY_FALL, 3) };
    const char *timeout = lint_setting(scene, server->section, SETTING_TIMEOUT_CHECK, 2);
    /* after the first failure the next check comes after `fastinter` */
    const int64_t again_ms = lint_server_ms(scene, server, KEY_FASTINTER, p.inter_ms);
    const int64_t most = INT32_MAX;

    if (timeout == NULL || !proxy_time_ms(timeout, &p.timeout_ms))
        p.timeout_ms = p.inter_ms;
    p.inter_ms = p.inter_ms < most ? p.inter_ms : most;
    p.timeout_ms = p.timeout_ms < most ? p.timeout_ms : most;
    const int64_t step_ms = again_ms > p.inter_ms ? (again_ms < most ? again_ms : most) : p.inter_ms;
    const int64_t quick_ms = again_ms < p.inter_ms ? again_ms : p.inter_ms;
    if (__builtin_mul_overflow(p.fall, step_ms + p.timeout_ms, &p.longest_ms) ||
        __builtin_add_overflow(p.longest_ms, p.inter_ms, &p.longest_ms))
        p.longest_ms = INT64_MAX;
    p.shortest_ms = (p.fall > 0 ? p.fall - 1 : 0) * quick_ms;
    return p;
}

/* ---- who asks where ---- */

bool lint_agent_door(const struct lint_scene *scene, const struct proxy_server *server, struct proxy_door *ret)
{
    const char *host = proxy_server_value(scene->file, server, KEY_AGENT_ADDR);
    const char *port = proxy_server_value(scene->file, server, KEY_AGENT_PORT);
    uint64_t number;

    if (host == NULL)
        host = proxy_server_value(scene->file, server, KEY_ADDR);
    if (!proxy_door_read(host == NULL ? server->address : host, ret))
        return false;
    if (ret->is_unix)
        return true;                          /* any port will do */
    if (port == NULL)
        port = proxy_server_value(scene->file, server, KEY_PORT);
    if (port == NULL || !text_to_u64(port, strlen(port), &number) || number > 65535)
        return false;
    ret->port = (int)number;
    return true;
}

/* Words of a rule come in any order behind its first two. */
static const char *word_after(const struct lint_scene *scene, const struct proxy_line *line, const char *word)
{
    for (int i = 2; i + 1 < line->word_count; i++) {
        if (text_is(proxy_line_word(scene->file, line, i), word))
            return proxy_line_word(scene->file, line, i + 1);
    }
    return NULL;
}

bool lint_check_door(const struct lint_scene *scene, const struct proxy_server *server, struct proxy_door *ret)
{
    const struct proxy_line *line = proxy_section_next(scene->file, server->section, NULL, "tcp-check", "connect");
    const char *host = line == NULL ? NULL : word_after(scene, line, "addr");
    const char *port = line == NULL ? NULL : word_after(scene, line, "port");
    uint64_t number;

    if (host == NULL)
        host = proxy_server_value(scene->file, server, KEY_ADDR);
    if (port == NULL)
        port = proxy_server_value(scene->file, server, KEY_PORT);
    if (!proxy_door_read(host == NULL ? server->address : host, ret))
        return false;
    if (!ret->is_unix && port != NULL) {
        if (!text_to_u64(port, strlen(port), &number) || number > 65535)
            return false;
        ret->port = (int)number;
    }
    return true;
}

int lint_node_at(const struct lint_scene *scene, const struct proxy_door *door)
{
    for (int i = 0; i < scene->node_count && !door->is_unix; i++) {
        if (scene->nodes[i].agent_port == door->port && text_is_nocase(scene->nodes[i].host, door->host))
            return i;
    }
    return -1;
}

int lint_node_named(const struct lint_scene *scene, const char *name)
{
    for (int i = 0; i < scene->node_count; i++) {
        if (text_is(scene->nodes[i].name, name))
            return i;
    }
    return -1;
}

int lint_server_count(const struct lint_scene *scene) { return scene->cluster != NULL ? scene->cluster->member_count : scene->server_count; }

const struct named_address *lint_server(const struct lint_scene *scene, int index)
{
    return scene->cluster != NULL ? &scene->cluster->members[index] : &scene->servers[index];
}

int lint_server_named(const struct lint_scene *scene, const char *name)
{
    for (int i = 0; i < lint_server_count(scene); i++) {
        if (text_is(lint_server(scene, i)->name, name))
            return i;
    }
    return -1;
}

bool lint_is_pool(const struct lint_scene *scene, const struct proxy_section *section)
{
    for (int i = 0; i < scene->cluster_count; i++) {
        if (scene->clusters[i].section == section)
            return true;
    }
    return section == scene->pool[0] || section == scene->pool[1];
}

static bool is_name_of_pool(const struct lint_scene *scene, const char *name)
{
    for (int i = 0; i < scene->cluster_count; i++) {
        if (text_is(scene->clusters[i].name, name))
            return true;
    }
    return text_is(name, scene->config->backend_pool) || text_is(name, scene->config->leader_pool);
}

/* `bind` takes a list with commas. */
static bool bind_listens(const char *list, const struct proxy_door *door)
{
    while (*list != '\0') {
        const size_t length = strcspn(list, ",");
        char one[CONFIG_TEXT_SIZE];
        struct proxy_door bound;
        if (text_copy_bytes(one, sizeof one, list, length) && proxy_door_read(one, &bound) && proxy_door_leads_to(door, &bound))
            return true;
        list += length + (list[length] == ',');
    }
    return false;
}

bool lint_section_listens(const struct lint_scene *scene, const struct proxy_section *section, const struct proxy_door *door)
{
    const struct proxy_line *line = NULL;

    if (section->kind != PROXY_FRONTEND && section->kind != PROXY_LISTEN)
        return false;
    while ((line = proxy_section_next(scene->file, section, line, "bind", NULL)) != NULL) {
        if (bind_listens(proxy_line_word(scene->file, line, 1), door))
            return true;
    }
    return false;
}

bool lint_asks_us(const struct lint_scene *scene, const struct proxy_server *server)
{
    const char *send = proxy_server_value(scene->file, server, KEY_AGENT_SEND);
    struct agent_request request;
    struct proxy_door door, relay;

    if (lint_agent_door(scene, server, &door) &&
        (lint_node_at(scene, &door) >= 0 ||
         (proxy_door_read(scene->config->relay_listen, &relay) && proxy_door_leads_to(&door, &relay)) ||
         (scene->cluster_count > 0 && proxy_door_read(scene->config->cluster_relay_listen, &relay) && proxy_door_leads_to(&door, &relay))))
        return true;
    return send != NULL && agent_request_parse(send, strlen(send), true, &request) == AGENT_REQUEST_READY &&
           is_name_of_pool(scene, request.pool);
}

/* ---- rules of a check ---- */

const char *lint_expect(const struct lint_scene *scene, const struct proxy_section *section, const char *kind,
                        const struct proxy_line **line)
{
    const struct proxy_line *at = NULL;

    while ((at = proxy_section_next(scene->file, section, at, "tcp-check", "expect")) != NULL) {
        const char *pattern = word_after(scene, at, kind);
        if (pattern == NULL)
            continue;
        if (line != NULL)
            *line = at;
        return pattern;
    }
    return NULL;
}

const char *lint_send(const struct lint_scene *scene, const struct proxy_section *section, const struct proxy_line **line)
{
    const struct proxy_line *at = NULL;

    while ((at = proxy_section_next(scene->file, section, at, "tcp-check", NULL)) != NULL) {
        if (text_is(proxy_line_word(scene->file, at, 1), "send") || text_is(proxy_line_word(scene->file, at, 1), "send-lf")) {
            *line = at;
            return proxy_line_word(scene->file, at, 2);
        }
    }
    return NULL;
}
