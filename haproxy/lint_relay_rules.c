/* Rules about the relay: the small listen through which all checks of the backend pool reach the nodes. One frozen or cut-off node
 * must cost no session, so the relay has to leave it before the token check gives up (spec/steering.md 7.4). */
#include <string.h>

#include "base/text.h"
#include "haproxy/agent_answer.h"
#include "haproxy/lint_scene.h"

static bool speaks_http(struct lint_scene *s)
{
    const char *mode = lint_setting(s, s->relay, SETTING_MODE, 1);

    s->where = s->relay->setting[SETTING_MODE];
    return mode != NULL && text_is(mode, "http");
}

static bool asks_for_no_voice(struct lint_scene *s)
{
    const struct proxy_line *line = NULL;
    const char *check = lint_setting(s, s->relay, SETTING_CHECK, 1), *text = lint_send(s, s->relay, &line);
    const char *expected = lint_expect(s, s->relay, "string", NULL);

    if (check == NULL || !text_is(check, "tcp-check"))
        return lint_say(s, "no `option tcp-check`");
    if (text == NULL)
        return lint_say(s, "no `tcp-check send`");
    const size_t length = strcspn(text, "\r\n");
    const size_t voice = strlen("voice");
    if (length < voice || memcmp(text + length - voice, "voice", voice) != 0 || (length > voice && text[length - voice - 1] != ' '))
        return lint_say_at(s, line, "it sends '%.*s'", (int)(length > 80 ? 80 : length), text);
    return expected == NULL ? lint_say(s, "no `tcp-check expect string`")
                            : !text_is(expected, AGENT_VOICE_TOKEN) && lint_say(s, "it expects '%.60s'", expected);
}

static bool is_spread(struct lint_scene *s)
{
    const char *balance = lint_setting(s, s->relay, SETTING_BALANCE, 1);

    if (balance != NULL)
        s->where = s->relay->setting[SETTING_BALANCE];
    return (balance == NULL || !text_is(balance, "first")) && lint_say_at(s, s->where, "%s", balance == NULL ? "roundrobin" : balance);
}

static bool gives_up_at_once(struct lint_scene *s) { return s->relay->setting[SETTING_REDISPATCH] == NULL; }

/* Does a line of the relay lead to this node? */
static bool has_node(const struct lint_scene *s, int node)
{
    for (int i = 0; i < s->relay->server_count; i++) {
        struct proxy_door door;
        if (proxy_door_read(s->file->servers[s->relay->first_server + i].address, &door) && lint_node_at(s, &door) == node)
            return true;
    }
    return false;
}

static bool lacks_node(struct lint_scene *s)
{
    char names[160] = "";

    for (int i = 0; i < s->node_count; i++) {
        const size_t length = strlen(names);
        if (!has_node(s, i))
            text_format(names + length, sizeof names - length, "%s%s", length == 0 ? "" : ", ", s->nodes[i].name);
    }
    return names[0] != '\0' && lint_say(s, "%s", names);
}

static bool is_no_node(struct lint_scene *s)
{
    struct proxy_door door;

    return s->is_configured && proxy_door_read(s->server->address, &door) && lint_node_at(s, &door) < 0 &&
           lint_say(s, "'%.80s'", s->server->address);
}

static bool is_unchecked(struct lint_scene *s) { return !proxy_server_has(s->server, KEY_CHECK); }

static bool is_wrapped(struct lint_scene *s)
{
    const enum proxy_key key = proxy_server_has(s->server, KEY_SSL) ? KEY_SSL : KEY_SEND_PROXY;

    return proxy_server_has(s->server, key) &&
           lint_say_at(s, s->server->keys.at[key].line, "`%s`", proxy_server_value(s->file, s->server, key));
}

/* The token check that gives up first. */
static int64_t shortest_patience_ms(const struct lint_scene *s)
{
    const struct proxy_section *pool = s->pool[0];
    int64_t shortest_ms = INT64_MAX;

    for (int i = 0; i < pool->server_count; i++) {
        const struct lint_patience p = lint_patience(s, &s->file->servers[pool->first_server + i]);
        shortest_ms = p.shortest_ms < shortest_ms ? p.shortest_ms : shortest_ms;
    }
    return shortest_ms;
}

static bool is_left_late(struct lint_scene *s)
{
    const struct lint_patience relay = lint_patience(s, s->server);

    if (s->pool[0] == NULL || !s->is_closed || is_unchecked(s))
        return false;
    const int64_t patience_ms = shortest_patience_ms(s);
    return relay.longest_ms >= patience_ms - patience_ms / 2 &&
           lint_say(s, "left after up to %lld ms; the token check may give up after %lld ms", (long long)relay.longest_ms,
                    (long long)patience_ms);
}

/* Pools of managed clusters: the node that leads is the only one that answers for them. */
static bool asks_who_does_not_lead(struct lint_scene *s)
{
    const struct proxy_section *relay = NULL;
    const struct proxy_line *line = NULL;
    struct proxy_door door;
    char wanted[CONFIG_TEXT_SIZE];

    for (int i = 0; i < s->section->server_count && relay == NULL; i++) {
        if (lint_agent_door(s, &s->file->servers[s->section->first_server + i], &door))
            relay = lint_relay_at(s, &door);
    }
    if (relay == NULL || relay == s->section)
        return false;                         /* that is another finding */
    const char *text = lint_send(s, relay, &line), *expected = lint_expect(s, relay, "string", NULL);
    const size_t length = text == NULL ? 0 : strcspn(text, "\r\n");
    TEXT_FORMAT(wanted, "%s/%%[srv_name]", s->config->leader_pool);
    if (text == NULL || length < strlen(wanted) || memcmp(text + length - strlen(wanted), wanted, strlen(wanted)) != 0)
        return lint_say_at(s, line != NULL ? line : relay->head, "%.60s sends '%.*s'", relay->name, (int)(length > 60 ? 60 : length), text == NULL ? "" : text);
    return (expected == NULL || !text_is(expected, AGENT_TOKEN)) && lint_say_at(s, relay->head, "%.60s expects '%.60s'", relay->name, expected == NULL ? "" : expected);
}

static const struct lint_rule rules[] = {
    { "relay-mode", LINT_ERROR, LINT_RELAY, 0, speaks_http, "reads the checks as HTTP", "write `mode tcp` in the relay" },
    { "relay-voice", LINT_ERROR, LINT_RELAY, 0, asks_for_no_voice,
      "does not ask its nodes whether they may speak, so a node that is cut off goes on being asked",
      "write `option tcp-check`, `tcp-check send \"voice\\n\"` and `tcp-check expect string fc-voice`" },
    { "relay-balance", LINT_WARNING, LINT_RELAY, 0, is_spread,
      "spreads the checks over the nodes, so that the pool hears several voices", "write `balance first`" },
    { "relay-redispatch", LINT_HINT, LINT_RELAY, 0, gives_up_at_once,
      "loses a check when a node refuses the connection", "write `option redispatch 1` and `retries 1`" },
    { "relay-lacks-node", LINT_WARNING, LINT_RELAY, 0, lacks_node, "does not lead to every node", "add a line for each of Nodes" },
    { "relay-unknown-node", LINT_ERROR, LINT_RELAY_SERVER, 0, is_no_node,
      "is no node of firstchair's configuration, and would be believed", "write host and agent port of one of Nodes" },
    { "relay-unchecked", LINT_ERROR, LINT_RELAY_SERVER, 0, is_unchecked,
      "has no `check`: dead or cut off, it goes on being asked", "add `check`" },
    { "relay-slow", LINT_WARNING, LINT_RELAY_SERVER, 0, is_left_late,
      "is left too late: frozen, it costs sessions", "make `inter` and `timeout check` of the relay shorter" },
    { "relay-wrapped", LINT_ERROR, LINT_RELAY_SERVER, 0, is_wrapped,
      "is asked in a way that no node understands", "take it out; nodes know neither TLS nor the PROXY header" },
    { "cluster-relay", LINT_ERROR, LINT_POOL, LINT_CLUSTERS, asks_who_does_not_lead,
      "has its checks answered by nodes that do not lead, which say nothing of a managed cluster",
      "let the relay ask each node about itself: `tcp-check send-lf \"LEADERPOOL/%[srv_name]\\n\"`, `tcp-check expect string fc-ok`" },
};

const struct lint_table lint_relay_rules = LINT_TABLE("The relay", rules);
