/* Rules about the pools and their servers: who is in them, and what would let a second writer in or keep an old session alive. */
#include <string.h>

#include "base/text.h"
#include "haproxy/lint_scene.h"

static bool is_of_servers(const struct lint_scene *s) { return s->pool_kind != LINT_LEADER_POOL; }

static bool says_key(struct lint_scene *s, enum proxy_key key, const char *word)
{
    const char *value = proxy_server_value(s->file, s->server, key);

    return value != NULL && lint_say_at(s, s->server->keys.at[key].line, "`%s %s`", word, value);
}

/* ---- who is in it ---- */

static bool is_of_nobody(struct lint_scene *s)
{
    const char *pool = s->section->name;

    if (!s->is_configured || !lint_asks_us(s, s->server) || lint_is_pool(s, s->section))
        return false;
    return lint_say(s, "firstchair has no pool '%s'", pool);
}

static bool is_unknown(struct lint_scene *s)
{
    if (!s->is_configured || s->server->is_template)
        return false;
    return is_of_servers(s) ? lint_server_named(s, s->server->name) < 0 : lint_node_named(s, s->server->name) < 0;
}

static bool has_server(const struct lint_scene *s, const char *name)
{
    for (int i = 0; i < s->section->server_count; i++) {
        if (text_is(s->file->servers[s->section->first_server + i].name, name))
            return true;
    }
    return false;
}

static bool lacks_server(struct lint_scene *s)
{
    const int count = is_of_servers(s) ? lint_server_count(s) : s->node_count;
    char names[160] = "";

    for (int i = 0; i < count; i++) {
        const char *name = is_of_servers(s) ? lint_server(s, i)->name : s->nodes[i].name;
        const size_t length = strlen(names);
        if (!has_server(s, name))
            text_format(names + length, sizeof names - length, "%s%s", length == 0 ? "" : ", ", name);
    }
    return s->is_configured && names[0] != '\0' && lint_say(s, "%s", names);
}

/* Where firstchair's configuration has the server or the node. False when it does not know it. */
static bool own_door(const struct lint_scene *s, struct proxy_door *ret)
{
    const int index = is_of_servers(s) ? lint_server_named(s, s->server->name) : lint_node_named(s, s->server->name);

    if (!s->is_configured || index < 0)
        return false;
    if (is_of_servers(s))
        return proxy_door_read(lint_server(s, index)->address, ret);
    *ret = (struct proxy_door){ .port = s->nodes[index].http_port };
    return TEXT_SET(ret->host, s->nodes[index].host);
}

static bool is_same_kind(const struct proxy_door *a, const struct proxy_door *b)
{
    return a->is_unix == b->is_unix && proxy_host_is_number(a->host) == proxy_host_is_number(b->host);
}

static bool is_elsewhere(struct lint_scene *s)
{
    struct proxy_door own, door;
    char text[CONFIG_TEXT_SIZE];

    if (s->server->is_template || !own_door(s, &own) || !proxy_door_read(s->server->address, &door) ||
        proxy_door_is_same(&own, &door) || !is_same_kind(&own, &door))
        return false;
    proxy_door_text(&own, text, sizeof text);
    return lint_say(s, "'%.60s', firstchair has %.60s", s->server->address, text);
}

static bool may_be_elsewhere(struct lint_scene *s)
{
    struct proxy_door own, door;
    char text[CONFIG_TEXT_SIZE];

    if (s->server->is_template || !own_door(s, &own) || !proxy_door_read(s->server->address, &door) || is_same_kind(&own, &door))
        return false;
    proxy_door_text(&own, text, sizeof text);
    return lint_say(s, "'%.60s', firstchair has %.60s", s->server->address, text);
}

static bool is_template(struct lint_scene *s) { return s->server->is_template; }

/* A way to a server of the pair beside its pool. */
static bool goes_beside(struct lint_scene *s)
{
    struct proxy_door own, door;

    if (s->section == s->pool[0] || s->section == s->relay || s->server->is_template || !proxy_door_read(s->server->address, &door))
        return false;
    if (proxy_server_has(s->server, KEY_AGENT_CHECK) && lint_asks_us(s, s->server))
        return false;                         /* that is another finding */
    for (int i = 0; i < s->server_count; i++) {
        if (proxy_door_read(s->servers[i].address, &own) && proxy_door_is_same(&own, &door))
            return lint_say(s, "%s of BackendServers", s->servers[i].name);
    }
    return false;
}

/* ---- who may be used ---- */

static bool asks_nobody(struct lint_scene *s) { return !proxy_server_has(s->server, KEY_AGENT_CHECK); }
static bool is_open_at_boot(struct lint_scene *s) { return !proxy_server_has(s->server, KEY_DISABLED); }

static bool stays_shut(struct lint_scene *s)
{
    if (!proxy_server_has(s->server, KEY_DISABLED))
        return false;
    s->where = s->server->keys.at[KEY_DISABLED].line;
    return true;
}

static bool keeps_sessions(struct lint_scene *s)
{
    const char *value = proxy_server_value(s->file, s->server, KEY_ON_MARKED_DOWN);

    return value == NULL || !text_is(value, "shutdown-sessions");
}

static bool has_limit(struct lint_scene *s)
{
    return lint_server_number(s, s->server, KEY_MAXCONN, 0) > 0 && says_key(s, KEY_MAXCONN, "maxconn");
}

static bool has_no_weight(struct lint_scene *s)
{
    return lint_server_number(s, s->server, KEY_WEIGHT, 0) == 0 && says_key(s, KEY_WEIGHT, "weight");
}

static bool has_little_weight(struct lint_scene *s)
{
    const int64_t weight = lint_server_number(s, s->server, KEY_WEIGHT, 1);

    return weight > 0 && weight < 100 && (says_key(s, KEY_WEIGHT, "weight") || lint_say(s, "no `weight`: 1"));
}

static bool is_sticky(struct lint_scene *s)
{
    static const enum proxy_setting settings[] = { SETTING_STICK, SETTING_COOKIE, SETTING_COOKIE_KEY };

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const struct proxy_line *line = s->section->setting[settings[i]];
        if (line != NULL)
            return lint_say_at(s, line, "`%s`", proxy_line_word(s->file, line, 0));
    }
    return false;
}

static bool redispatches(struct lint_scene *s)
{
    s->where = s->section->setting[SETTING_REDISPATCH];
    return s->where != NULL && s->section->server_count > 1;
}

static bool is_balanced_otherwise(struct lint_scene *s)
{
    const struct proxy_line *line = s->section->setting[SETTING_BALANCE];

    if (line == NULL)
        return lint_say(s, "no `balance`: roundrobin");
    return !text_is(proxy_line_word(s->file, line, 1), "first") &&
           lint_say_at(s, line, "`balance %s`", proxy_line_word(s->file, line, 1));
}

static bool has_mode(const struct lint_scene *s, const char *mode)
{
    const char *word = lint_setting(s, s->section, SETTING_MODE, 1);

    return word != NULL && text_is(word, mode);
}

static bool speaks_http(struct lint_scene *s)
{
    return has_mode(s, "http") && lint_say_at(s, s->section->setting[SETTING_MODE], "`mode http`");
}

static bool hides_clients(struct lint_scene *s)
{
    return has_mode(s, "http") && s->section->setting[SETTING_FORWARDFOR] == NULL;
}

static const struct lint_rule rules[] = {
    { "unknown-pool", LINT_ERROR, LINT_AGENT_SERVER, 0, is_of_nobody,
      "asks firstchair in a backend that is none of its pools: the answer never changes anything",
      "name the backend as BackendPool, LeaderPool, WriterPools or ReaderPools says" },
    { "unknown-server", LINT_ERROR, LINT_POOL_SERVER, LINT_ALL_POOLS, is_unknown,
      "is not in firstchair's configuration, so nobody steers it", "name it as in BackendServers (ClusterServers in a managed cluster's pool, Nodes in the leader's)" },
    { "server-missing", LINT_ERROR, LINT_POOL, LINT_ALL_POOLS, lacks_server,
      "lacks a server of firstchair's configuration: when that one sits, nobody is served", "add its line" },
    { "server-address", LINT_ERROR, LINT_POOL_SERVER, LINT_ALL_POOLS, is_elsewhere,
      "has another address than in firstchair's configuration: one server is steered, another gets the traffic",
      "write the same address in both" },
    { "server-address-not-compared", LINT_HINT, LINT_POOL_SERVER, LINT_ALL_POOLS, may_be_elsewhere,
      "has a name where firstchair's configuration has a number, or the other way round, so they cannot be compared",
      "write the same in both" },
    { "server-template", LINT_ERROR, LINT_POOL_SERVER, LINT_ALL_POOLS, is_template,
      "comes from a template: all its servers would ask the same", "write one `server` line for each" },
    { "beside-the-pool", LINT_HINT, LINT_SERVER, 0, goes_beside,
      "leads to a server of the pair without asking who sits; only `read_only` protects that one",
      "nothing, if only reads go this way; else send them through the pool" },
    { "no-agent-check", LINT_ERROR, LINT_POOL_SERVER, LINT_ALL_POOLS, asks_nobody,
      "has no `agent-check`, so it is usable whoever sits", "add `agent-check` with the words that `firstchair haproxy-config` prints" },
    { "not-disabled", LINT_ERROR, LINT_POOL_SERVER, LINT_ONE_WRITER, is_open_at_boot,
      "is not `disabled`, so at each start it is usable before anybody has answered", "write `disabled` on its `default-server` line" },
    { "leader-disabled", LINT_ERROR, LINT_POOL_SERVER, LINT_LEADER_POOL, stays_shut,
      "is `disabled`, and the answers of the leader's pool never say `ready`: it stays shut", "take `disabled` out" },
    { "sessions-live-on", LINT_ERROR, LINT_POOL_SERVER, LINT_ONE_WRITER, keeps_sessions,
      "keeps its old sessions when it no longer sits", "write `on-marked-down shutdown-sessions` on its `default-server` line" },
    { "writer-maxconn", LINT_WARNING, LINT_POOL_SERVER, LINT_ONE_WRITER, has_limit,
      "has a limit of connections: past it they queue until they fail, or spill to a second writer", "take it out and limit at the frontend" },
    { "weight-zero", LINT_ERROR, LINT_POOL_SERVER, LINT_ALL_POOLS, has_no_weight,
      "has the weight 0, of which every percentage is 0: it is never used", "write `weight 100`" },
    { "weight-small", LINT_WARNING, LINT_POOL_SERVER, LINT_OF_SERVERS, has_little_weight,
      "has a weight of which a percentage is rounded down, to 0 where it is 1", "write `weight 100`" },
    { "writer-sticky", LINT_WARNING, LINT_POOL, LINT_ONE_WRITER, is_sticky,
      "ties clients to a server, so that they come back to one that does not sit as soon as HAProxy lets them", "take the line out" },
    { "writer-redispatch", LINT_WARNING, LINT_POOL, LINT_ONE_WRITER, redispatches,
      "may send a connection that failed to another server", "write `no option redispatch` in this backend" },
    { "balance", LINT_HINT, LINT_POOL, LINT_BOTH_POOLS | LINT_WRITER_POOL, is_balanced_otherwise,
      "spreads over its servers if ever two were usable", "write `balance first`" },
    { "pool-mode", LINT_ERROR, LINT_POOL, LINT_OF_SERVERS, speaks_http,
      "reads MySQL as HTTP", "write `mode tcp` in this backend and its frontend" },
    { "forwardfor", LINT_WARNING, LINT_POOL, LINT_LEADER_POOL, hides_clients,
      "hides who asks: a node takes a far client for the near HAProxy", "write `option forwardfor`" },
};

const struct lint_table lint_pool_rules = LINT_TABLE("Pools and their servers", rules);
