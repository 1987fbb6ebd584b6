/* Rules about the health checks: the token check of the backend pool, which is the lease at HAProxy, and the leader's HTTP check.
 *
 * The unfenced wait counts on the token check: a server that could not be fenced is cut off within fall x (inter + timeout) + inter. */
#include <string.h>

#include "base/text.h"
#include "haproxy/agent_answer.h"
#include "haproxy/lint_scene.h"

static bool is_checked_by(const struct lint_scene *s, const struct proxy_section *section, const char *option)
{
    const char *word = lint_setting(s, section, SETTING_CHECK, 1);

    return word != NULL && text_is(word, option);
}

/* Asked of pools with one writer. */
static bool has_token(const struct lint_scene *s)
{
    return is_checked_by(s, s->section, "tcp-check") &&
           (lint_expect(s, s->section, "string", NULL) != NULL || lint_expect(s, s->section, "rstring", NULL) != NULL);
}

/* A managed cluster's writer is always let go when nobody answers for it. */
static bool is_closed(const struct lint_scene *s) { return s->is_closed || s->pool_kind == LINT_WRITER_POOL; }

static bool lacks_token(struct lint_scene *s)
{
    const char *expected = lint_expect(s, s->section, "string", NULL);

    if (!is_closed(s) || (has_token(s) && lint_expect(s, s->section, "rstring", NULL) != NULL))
        return false;
    if (!is_checked_by(s, s->section, "tcp-check"))
        return lint_say(s, "no `option tcp-check`");
    return expected == NULL ? lint_say(s, "no `tcp-check expect string`")
                            : !text_is(expected, AGENT_TOKEN) && lint_say(s, "it expects '%.60s'", expected);
}

static bool cuts_when_frozen(struct lint_scene *s) { return !s->is_closed && has_token(s); }

static bool expects_a_pattern(struct lint_scene *s)
{
    const struct proxy_line *line = NULL;
    const char *pattern = lint_expect(s, s->section, "rstring", &line);

    return pattern != NULL && is_checked_by(s, s->section, "tcp-check") && lint_say_at(s, line, "'%.60s'", pattern);
}

/* ---- what it asks ---- */

static bool ends_with(const char *text, size_t length, const char *end)
{
    return length >= strlen(end) && memcmp(text + length - strlen(end), end, strlen(end)) == 0;
}

static bool asks_wrongly(struct lint_scene *s)
{
    const struct proxy_line *line = NULL;
    const char *text = has_token(s) ? lint_send(s, s->section, &line) : NULL;
    char both[200], server[200];

    if (!has_token(s))
        return false;
    if (text == NULL)
        return lint_say(s, "no `tcp-check send-lf`");
    const size_t length = strcspn(text, "\r\n");
    TEXT_SET(both, "%[be_name]/%[srv_name]");
    TEXT_FORMAT(server, "%s/%%[srv_name]", s->section->name);
    if (text_is(proxy_line_word(s->file, line, 1), "send-lf") && (ends_with(text, length, both) || ends_with(text, length, server)))
        return false;
    return lint_say_at(s, line, "`%s` '%.*s'", proxy_line_word(s->file, line, 1), (int)(length > 80 ? 80 : length), text);
}

static bool asks_without_name(struct lint_scene *s)
{
    const struct proxy_line *line = NULL;
    const char *text = has_token(s) ? lint_send(s, s->section, &line) : NULL;

    if (text == NULL || strchr(text, ' ') != NULL)
        return false;
    s->where = line;
    return true;
}

static bool checks_nothing(struct lint_scene *s)
{
    return has_token(s) && proxy_server_has(s->server, KEY_AGENT_CHECK) && !proxy_server_has(s->server, KEY_CHECK);
}

static bool is_unchecked(struct lint_scene *s)
{
    return !((s->pool_kind & LINT_ONE_WRITER) != 0 && has_token(s)) && !proxy_server_has(s->server, KEY_CHECK);
}

/* ---- whom it asks ---- */

static const struct proxy_line *connect_line(const struct lint_scene *s)
{
    const struct proxy_line *line = proxy_section_next(s->file, s->section, NULL, "tcp-check", "connect");

    return line != NULL ? line : s->section->head;
}

static bool says_door(struct lint_scene *s, const struct proxy_door *door)
{
    char text[CONFIG_TEXT_SIZE];

    proxy_door_text(door, text, sizeof text);
    return lint_say_at(s, connect_line(s), "%.100s", text);
}

static bool checks_one_node(struct lint_scene *s)
{
    struct proxy_door door;

    return has_token(s) && lint_check_door(s, s->server, &door) && lint_node_at(s, &door) >= 0 && says_door(s, &door);
}

static bool checks_the_server(struct lint_scene *s)
{
    struct proxy_door door, agent;

    if (!has_token(s) || !lint_check_door(s, s->server, &door) || lint_node_at(s, &door) >= 0)
        return false;
    if (lint_agent_door(s, s->server, &agent) && proxy_door_is_same(&agent, &door))
        return false;
    return (s->relay == NULL || !lint_section_listens(s, s->relay, &door)) && says_door(s, &door);
}

/* ---- how long it takes ---- */

static struct lint_patience reckoned(const struct lint_scene *s)
{
    const struct config *c = s->config;
    struct lint_patience p = { .inter_ms = c->check_inter_ms, .timeout_ms = c->check_timeout_ms,
                               .fall = s->pool_kind == LINT_WRITER_POOL ? config_cluster_fall(c) : c->check_fall };

    p.longest_ms = p.fall * (p.inter_ms + p.timeout_ms) + p.inter_ms;
    p.shortest_ms = (p.fall - 1) * p.inter_ms;
    return p;
}

static bool waits_longer(struct lint_scene *s)
{
    const struct lint_patience here = lint_patience(s, s->server), there = reckoned(s);

    if (!has_token(s) || !is_closed(s) || !proxy_server_has(s->server, KEY_CHECK) || here.longest_ms <= there.longest_ms)
        return false;
    return lint_say(s, "up to %lld ms: inter %lld, timeout check %lld, fall %lld; reckoned with %lld ms: %lld, %lld, %lld",
                    (long long)here.longest_ms, (long long)here.inter_ms, (long long)here.timeout_ms, (long long)here.fall,
                    (long long)there.longest_ms, (long long)there.inter_ms, (long long)there.timeout_ms, (long long)there.fall);
}

static bool waits_otherwise(struct lint_scene *s)
{
    const struct lint_patience here = lint_patience(s, s->server), there = reckoned(s);

    if (!has_token(s) || !is_closed(s) || !proxy_server_has(s->server, KEY_CHECK) || here.longest_ms > there.longest_ms ||
        (here.longest_ms == there.longest_ms && here.shortest_ms == there.shortest_ms))
        return false;
    return lint_say(s, "up to %lld ms, reckoned with %lld ms", (long long)here.longest_ms, (long long)there.longest_ms);
}

/* ---- the leader's HTTP check ---- */

/* `http-check send ... uri PATH`, or the older `option httpchk [METHOD] PATH`. */
static const char *http_path(const struct lint_scene *s)
{
    const struct proxy_line *option = s->section->setting[SETTING_CHECK], *line = NULL;

    while ((line = proxy_section_next(s->file, s->section, line, "http-check", "send")) != NULL) {
        for (int i = 2; i + 1 < line->word_count; i++) {
            if (text_is(proxy_line_word(s->file, line, i), "uri"))
                return proxy_line_word(s->file, line, i + 1);
        }
    }
    return proxy_line_word(s->file, option, option->word_count > 3 ? 3 : 2);
}

static bool does_not_ask_the_leader(struct lint_scene *s)
{
    static const char *const paths[] = { "/api/leader-check", "/api/routed-leader-check", "/health/leader" };

    if (!is_checked_by(s, s->section, "httpchk"))
        return lint_say(s, "no `option httpchk`");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char wanted[CONFIG_TEXT_SIZE + 32];
        TEXT_FORMAT(wanted, "%s%s", s->config->url_prefix, paths[i]);
        if (text_is(http_path(s), wanted))
            return false;
    }
    return lint_say(s, "it asks for '%.80s'", http_path(s));
}

static bool speaks_plain(struct lint_scene *s)
{
    return s->is_configured && s->config->http_uses_tls && !proxy_server_has(s->server, KEY_SSL) && lint_say(s, "UseSSL is true");
}

static bool speaks_tls(struct lint_scene *s)
{
    return s->is_configured && !s->config->http_uses_tls && proxy_server_has(s->server, KEY_SSL) &&
           lint_say_at(s, s->server->keys.at[KEY_SSL].line, "`%s`", proxy_server_value(s->file, s->server, KEY_SSL));
}

static const struct lint_rule rules[] = {
    { "token-missing", LINT_ERROR, LINT_POOL, LINT_ONE_WRITER, lacks_token,
      "has no token check: a HAProxy that reaches no node goes on sending to the old server for ever",
      "take over the lines `option tcp-check` to `tcp-check expect string fc-ok` that `firstchair haproxy-config` prints" },
    { "token-with-freeze", LINT_ERROR, LINT_POOL, LINT_BACKEND_POOL, cuts_when_frozen,
      "has a token check, which cuts the server off when no node answers, while SteeringTermOver is \"freeze\"",
      "take the check out, or set SteeringTermOver to \"closed\"" },
    { "token-rstring", LINT_ERROR, LINT_POOL, LINT_ONE_WRITER, expects_a_pattern,
      "expects a pattern, on which some builds of HAProxy crash when an answer is empty", "write `tcp-check expect string fc-ok`" },
    { "token-question", LINT_ERROR, LINT_POOL, LINT_ONE_WRITER, asks_wrongly,
      "does not ask for the server that it checks", "write `tcp-check send-lf \"%[env(HAPROXY_LOCALPEER)] %[be_name]/%[srv_name]\\n\"`" },
    { "token-nameless", LINT_WARNING, LINT_POOL, LINT_ONE_WRITER, asks_without_name,
      "asks for the token without saying which HAProxy asks", "write %[env(HAPROXY_LOCALPEER)] and a blank in front" },
    { "token-unchecked", LINT_ERROR, LINT_POOL_SERVER, LINT_ONE_WRITER, checks_nothing,
      "has no `check`, so its token is never asked for", "add `check`" },
    { "unchecked", LINT_WARNING, LINT_POOL_SERVER, LINT_ALL_POOLS, is_unchecked,
      "has no `check`: dead, it stays usable until an agent's answer says otherwise", "add `check`" },
    { "token-one-node", LINT_WARNING, LINT_POOL_SERVER, LINT_ONE_WRITER, checks_one_node,
      "asks one node for the token: that node's death cuts the server off", "let `tcp-check connect` go to the relay" },
    { "token-astray", LINT_ERROR, LINT_POOL_SERVER, LINT_ONE_WRITER, checks_the_server,
      "asks for the token where no node and no relay listens", "write `tcp-check connect addr ADDRESS port PORT` of the relay" },
    { "token-slow", LINT_ERROR, LINT_POOL_SERVER, LINT_ONE_WRITER, waits_longer,
      "is cut off later than the unfenced wait reckons with: two writers are possible until then",
      "write `inter`, `fall` and `timeout check` as `firstchair haproxy-config` prints them: by TokenCheckMilliseconds, TokenCheckFall and TokenCheckTimeoutMilliseconds" },
    { "token-pace", LINT_HINT, LINT_POOL_SERVER, LINT_ONE_WRITER, waits_otherwise,
      "is cut off sooner than firstchair's configuration says", "write the same in both, or less tolerance is left than is thought" },
    { "leader-check", LINT_ERROR, LINT_POOL, LINT_LEADER_POOL, does_not_ask_the_leader,
      "does not ask by HTTP who leads: a node that no longer does stays usable as long as its agent is silent",
      "write `option httpchk` and `http-check send meth GET uri /api/leader-check`, with URLPrefix in front" },
    { "leader-plain", LINT_ERROR, LINT_POOL_SERVER, LINT_LEADER_POOL, speaks_plain,
      "is spoken to in plain HTTP, while the nodes speak HTTPS", "take over `ssl verify ...` as `firstchair haproxy-config` prints it" },
    { "leader-tls", LINT_ERROR, LINT_POOL_SERVER, LINT_LEADER_POOL, speaks_tls,
      "is spoken to in HTTPS, while the nodes speak plain HTTP", "take `ssl` out, or set UseSSL on the nodes" },
};

const struct lint_table lint_check_rules = LINT_TABLE("Health checks", rules);
