/* Rules about the agent's question: what `agent-send` says, and whom it asks. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/agent_request.h"
#include "haproxy/lint_scene.h"

static bool is_pool(const struct lint_scene *s) { return lint_is_pool(s, s->section); }

static bool has_agent(const struct lint_scene *s) { return proxy_server_has(s->server, KEY_AGENT_CHECK); }

static const char *question(const struct lint_scene *s) { return proxy_server_value(s->file, s->server, KEY_AGENT_SEND); }

static bool is_expanded(const struct lint_scene *s) { return s->file->expands[s->server->keys.at[KEY_AGENT_SEND].word]; }

static bool say_question(struct lint_scene *s)
{
    char shown[100];

    text_copy(shown, sizeof shown, question(s));
    return lint_say_at(s, s->server->keys.at[KEY_AGENT_SEND].line, "it sends '%.*s'", (int)strcspn(shown, "\r\n"), shown);
}

/* A question to firstchair that can be compared: none of its target's words is left to the environment. */
static bool read_question(const struct lint_scene *s, struct agent_request *ret)
{
    return has_agent(s) && question(s) != NULL && lint_asks_us(s, s->server) &&
           agent_request_parse(question(s), strlen(question(s)), true, ret) == AGENT_REQUEST_READY;
}

static const char *last_word(const char *text)
{
    const char *word = text;

    for (; *text != '\0'; text++) {
        if ((*text == ' ' || *text == '\t') && text[1] != '\0')
            word = text + 1;
    }
    return word;
}

/* ---- what is asked ---- */

static bool has_fixed_port(const struct lint_scene *s)
{
    const struct config_list *list = &s->config->agent_fixed_ports;
    struct proxy_door door;
    char wanted[CONFIG_TEXT_SIZE];

    if (!lint_agent_door(s, s->server, &door) || door.is_unix)
        return false;
    TEXT_FORMAT(wanted, "%d=%s/%s", door.port, s->section->name, s->server->name);
    for (int i = 0; i < list->count; i++) {
        if (text_is(list->item[i], wanted))
            return true;
    }
    return false;
}

static bool asks_nothing(struct lint_scene *s) { return is_pool(s) && has_agent(s) && question(s) == NULL && !has_fixed_port(s); }

static bool is_slowed_down(struct lint_scene *s)
{
    if (question(s) != NULL || asks_nothing(s))
        return false;
    for (int i = 0; i < s->file->server_count; i++) {
        const struct proxy_server *other = &s->file->servers[i];
        if (proxy_server_has(other, KEY_AGENT_CHECK) && proxy_server_has(other, KEY_AGENT_SEND))
            return lint_say(s, "%.60s/%.60s has one", other->section->name, other->name);
    }
    return false;
}

static bool has_no_end(struct lint_scene *s)
{
    if (question(s) == NULL || !lint_asks_us(s, s->server) || strstr(question(s), "\\n") != NULL)
        return false;
    return strpbrk(question(s), "\r\n") == NULL && say_question(s);
}

static bool is_taken_literally(struct lint_scene *s)
{
    if (question(s) == NULL || !lint_asks_us(s, s->server))
        return false;
    return (strchr(question(s), '\\') != NULL || (strchr(question(s), '$') != NULL && !is_expanded(s))) && say_question(s);
}

static bool is_no_question(struct lint_scene *s)
{
    struct agent_request request;

    if (!has_agent(s) || question(s) == NULL || !is_pool(s) || is_taken_literally(s) ||
        (is_expanded(s) && strchr(last_word(question(s)), '$') != NULL))
        return false;
    return (agent_request_parse(question(s), strlen(question(s)), true, &request) != AGENT_REQUEST_READY ||
            request.pool[0] == '\0') && say_question(s);
}

static bool asks_for_another(struct lint_scene *s)
{
    struct agent_request request;

    if (!is_pool(s) || !read_question(s, &request) || request.pool[0] == '\0')
        return false;
    return (!text_is(request.pool, s->section->name) || !text_is(request.server, s->server->name)) && say_question(s);
}

/* ---- in whose name ---- */

static bool is_nameless(struct lint_scene *s)
{
    struct agent_request request;

    return read_question(s, &request) && request.pool[0] != '\0' && request.asker[0] == '\0' && say_question(s);
}

static bool has_strange_name(struct lint_scene *s)
{
    struct agent_request request;
    struct named_address instance;

    if (s->config->haproxy_instances.count == 0 || !read_question(s, &request) || request.asker[0] == '\0' ||
        strchr(request.asker, '$') != NULL)
        return false;
    for (int i = 0; i < s->config->haproxy_instances.count; i++) {
        if (named_address_parse(s->config->haproxy_instances.item[i], &instance, NULL) == FC_OK &&
            text_is(instance.name, request.asker))
            return false;
    }
    return say_question(s);
}

/* ---- who is asked ---- */

static bool says_door(struct lint_scene *s, const struct proxy_door *door)
{
    char text[CONFIG_TEXT_SIZE];

    proxy_door_text(door, text, sizeof text);
    return lint_say(s, "%.100s", text);
}

static bool needs_a_lookup(struct lint_scene *s)
{
    const enum proxy_key key = proxy_server_has(s->server, KEY_AGENT_ADDR) ? KEY_AGENT_ADDR : KEY_ADDR;
    const char *address = proxy_server_value(s->file, s->server, key);
    struct proxy_door door;

    return address != NULL && proxy_door_read(address, &door) && !door.is_unix && !proxy_host_is_number(door.host) &&
           strchr(door.host, '$') == NULL && lint_say_at(s, s->server->keys.at[key].line, "'%.60s'", door.host);
}

static bool asks_one_node(struct lint_scene *s)
{
    struct proxy_door door;

    return has_agent(s) && lint_agent_door(s, s->server, &door) && lint_node_at(s, &door) >= 0 &&
           lint_say(s, "%s", s->nodes[lint_node_at(s, &door)].name);
}

static bool asks_nobody_of_ours(struct lint_scene *s)
{
    struct proxy_door door;

    if (!has_agent(s) || !s->is_configured || !lint_agent_door(s, s->server, &door) || lint_node_at(s, &door) >= 0)
        return false;
    for (int i = 0; i < s->file->section_count; i++) {
        if (lint_section_listens(s, &s->file->sections[i], &door))
            return false;
    }
    return says_door(s, &door);
}

static bool asks_another_node(struct lint_scene *s)
{
    struct proxy_door door;
    const int node = lint_node_named(s, s->server->name);

    if (!has_agent(s) || node < 0 || !lint_agent_door(s, s->server, &door))
        return false;
    if (!door.is_unix && door.port == s->nodes[node].agent_port && text_is_nocase(door.host, s->nodes[node].host))
        return false;
    /* a name beside a number cannot be compared, a port can */
    if (!door.is_unix && door.port == s->nodes[node].agent_port &&
        proxy_host_is_number(door.host) != proxy_host_is_number(s->nodes[node].host))
        return false;
    return says_door(s, &door);
}

static bool asks_several(struct lint_scene *s)
{
    struct proxy_door first, door;
    bool has_first = false;

    for (int i = 0; i < s->section->server_count; i++) {
        const struct proxy_server *server = &s->file->servers[s->section->first_server + i];
        if (!proxy_server_has(server, KEY_AGENT_CHECK) || !lint_agent_door(s, server, &door))
            continue;
        if (has_first && !proxy_door_is_same(&first, &door)) {
            char one[CONFIG_TEXT_SIZE], other[CONFIG_TEXT_SIZE];
            proxy_door_text(&first, one, sizeof one);
            proxy_door_text(&door, other, sizeof other);
            return lint_say(s, "%.60s and %.60s", one, other);
        }
        first = has_first ? first : door;
        has_first = true;
    }
    return false;
}

static bool polls_otherwise(struct lint_scene *s)
{
    const int64_t ms = lint_server_ms(s, s->server, KEY_AGENT_INTER, 2000);

    if (!has_agent(s) || !s->is_configured || ms == s->config->agent_inter_ms)
        return false;
    if (proxy_server_has(s->server, KEY_AGENT_INTER))
        s->where = s->server->keys.at[KEY_AGENT_INTER].line;
    return lint_say_at(s, s->where, "%lld ms, AgentInterMilliseconds is %d", (long long)ms, s->config->agent_inter_ms);
}

static const struct lint_rule rules[] = {
    { "agent-send-missing", LINT_ERROR, LINT_POOL_SERVER, LINT_ALL_POOLS, asks_nothing,
      "has `agent-check` without `agent-send`: no node knows which server is meant",
      "write `agent-send \"$HAPROXY_LOCALPEER POOL/SERVER\\n\"`, or give it a port of AgentFixedPorts" },
    { "agent-send-mixed", LINT_ERROR, LINT_AGENT_SERVER, 0, is_slowed_down,
      "has no `agent-send` while another server has: HAProxy then lets this one's answers wait for 200 ms",
      "give all servers with `agent-check` an `agent-send`, or none" },
    { "agent-send-unended", LINT_WARNING, LINT_AGENT_SERVER, 0, has_no_end,
      "asks without a newline, so each answer comes 20 ms late", "end the text with \\n, in double quotes" },
    { "agent-send-literal", LINT_ERROR, LINT_AGENT_SERVER, 0, is_taken_literally,
      "sends a `\\` or `$` as it stands there, which no node understands", "put the whole text into double quotes" },
    { "agent-send-form", LINT_ERROR, LINT_POOL_SERVER, LINT_ALL_POOLS, is_no_question,
      "asks nothing that a node understands", "write `agent-send \"$HAPROXY_LOCALPEER POOL/SERVER\\n\"`" },
    { "agent-send-target", LINT_ERROR, LINT_POOL_SERVER, LINT_ALL_POOLS, asks_for_another,
      "asks for another server than itself", "name its own POOL/SERVER" },
    { "agent-send-nameless", LINT_WARNING, LINT_AGENT_SERVER, 0, is_nameless,
      "does not say which HAProxy asks, so that a move cannot tell who has heard it", "write $HAPROXY_LOCALPEER and a blank in front" },
    { "agent-send-name", LINT_WARNING, LINT_AGENT_SERVER, 0, has_strange_name,
      "asks in a name that is not one of HAProxyInstances", "write $HAPROXY_LOCALPEER, and start HAProxy with that name: -L NAME" },
    { "agent-host-name", LINT_WARNING, LINT_AGENT_SERVER, 0, needs_a_lookup,
      "has a host name for its agent, which HAProxy looks up once, at its start", "write the address" },
    { "agent-one-node", LINT_WARNING, LINT_POOL_SERVER, LINT_OF_SERVERS, asks_one_node,
      "asks one node only: with that node dead HAProxy hears nothing and the token check cuts the server off",
      "ask the relay over all nodes, as `firstchair haproxy-config` prints it" },
    { "agent-astray", LINT_WARNING, LINT_POOL_SERVER, LINT_OF_SERVERS, asks_nobody_of_ours,
      "asks where neither this file nor a node listens", "ask the relay, as RelayListen has it" },
    { "agent-other-node", LINT_ERROR, LINT_POOL_SERVER, LINT_LEADER_POOL, asks_another_node,
      "asks another than its own node; each answers only for itself", "write the agent port of this node in Nodes, and no `agent-addr`" },
    { "agent-several", LINT_WARNING, LINT_POOL, LINT_OF_SERVERS, asks_several,
      "has several agents: while they disagree there are two usable servers, or none", "ask all of them in one place, the relay" },
    { "agent-inter", LINT_HINT, LINT_POOL_SERVER, LINT_ALL_POOLS, polls_otherwise,
      "is polled at another pace than firstchair's configuration says", "write the same in both" },
};

const struct lint_table lint_agent_rules = LINT_TABLE("What the agent asks", rules);
