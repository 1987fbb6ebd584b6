/* Rules about the whole process: `global`, state over reloads, the runtime socket, and the frontends that hold the door. */
#include <string.h>

#include "base/text.h"
#include "haproxy/lint_scene.h"

static bool has_pool(const struct lint_scene *s) { return s->pool[0] != NULL || s->pool[1] != NULL; }

static bool has_no_pool(struct lint_scene *s)
{
    return !has_pool(s) && lint_say(s, "no backend or listen '%s' or '%s'", s->config->backend_pool, s->config->leader_pool);
}

static bool lacks_one_pool(struct lint_scene *s)
{
    const bool wants_backend = s->server_count > 0 || !s->is_configured;

    if (!has_pool(s))
        return false;
    if (s->pool[0] == NULL && wants_backend)
        return lint_say(s, "no backend or listen '%s'", s->config->backend_pool);
    if (s->pool[1] == NULL)
        return lint_say(s, "no backend or listen '%s'", s->config->leader_pool);
    for (int i = 0; i < s->cluster_count; i++) {
        if (s->clusters[i].section == NULL)
            return lint_say(s, "no backend or listen '%s'", s->clusters[i].name);
    }
    return false;
}

static bool is_alone(struct lint_scene *s) { return !s->is_configured; }

static bool has_conditions(struct lint_scene *s)
{
    s->where = s->file->condition;
    return s->where != NULL;
}

/* ---- global ---- */

static bool lacks_hard_stop(struct lint_scene *s)
{
    return s->pool[0] != NULL && s->file->global.setting[SETTING_HARD_STOP] == NULL;
}

static bool stops_late(struct lint_scene *s)
{
    const struct proxy_line *line = s->file->global.setting[SETTING_HARD_STOP];
    int64_t ms;

    return s->pool[0] != NULL && line != NULL && proxy_time_ms(proxy_line_word(s->file, line, 1), &ms) &&
           ms > (int64_t)s->config->hard_stop_seconds * 1000 &&
           lint_say_at(s, line, "%s, reckoned with %ds", proxy_line_word(s->file, line, 1), s->config->hard_stop_seconds);
}

static bool spreads_checks(struct lint_scene *s)
{
    const struct proxy_line *line = s->file->global.setting[SETTING_SPREAD];

    return has_pool(s) && line != NULL && !text_is(proxy_line_word(s->file, line, 1), "0") &&
           lint_say_at(s, line, "%s %%", proxy_line_word(s->file, line, 1));
}

/* Is the name that an HAProxy asks by one of HAProxyInstances? True when those are not told. */
static bool is_expected_asker(const struct lint_scene *s, const char *name)
{
    struct named_address instance;

    for (int i = 0; i < s->config->haproxy_instances.count; i++) {
        if (named_address_parse(s->config->haproxy_instances.item[i], &instance, NULL) == FC_OK && text_is(instance.name, name))
            return true;
    }
    return s->config->haproxy_instances.count == 0;
}

static bool has_unknown_localpeer(struct lint_scene *s)
{
    const struct proxy_line *line = s->file->global.setting[SETTING_LOCALPEER];

    return line != NULL && !is_expected_asker(s, proxy_line_word(s->file, line, 1)) &&
           lint_say_at(s, line, "'%s'", proxy_line_word(s->file, line, 1));
}

/* ---- the runtime socket ---- */

static bool is_instance(const struct lint_scene *s, const char *address)
{
    struct named_address instance;
    struct proxy_door bound, asked;

    for (int i = 0; i < s->config->haproxy_instances.count && proxy_door_read(address, &bound); i++) {
        if (named_address_parse(s->config->haproxy_instances.item[i], &instance, NULL) == FC_OK &&
            proxy_door_read(instance.address, &asked) && proxy_door_leads_to(&asked, &bound))
            return true;
    }
    return false;
}

/* The `stats socket` line that firstchair's configuration names; NULL when none. */
static const struct proxy_line *find_socket(const struct lint_scene *s)
{
    for (int i = 0; i < s->file->line_count; i++) {
        const struct proxy_line *line = &s->file->lines[i];
        if (line->section != NULL && line->section->kind == PROXY_GLOBAL && text_is(proxy_line_word(s->file, line, 0), "stats") &&
            text_is(proxy_line_word(s->file, line, 1), "socket") && is_instance(s, proxy_line_word(s->file, line, 2)))
            return line;
    }
    return NULL;
}

static bool lacks_socket(struct lint_scene *s)
{
    return s->config->haproxy_instances.count > 0 && find_socket(s) == NULL &&
           lint_say(s, "the first one is '%s'", s->config->haproxy_instances.item[0]);
}

static bool has_weak_socket(struct lint_scene *s)
{
    const struct proxy_line *line = find_socket(s);

    for (int i = 3; line != NULL && i + 1 < line->word_count; i++) {
        if (text_is(proxy_line_word(s->file, line, i), "level") && text_is(proxy_line_word(s->file, line, i + 1), "admin"))
            return false;
    }
    s->where = line;
    return line != NULL;
}

/* ---- state and phase of the pools ---- */

static bool loads_no_state(struct lint_scene *s)
{
    const char *from = lint_setting(s, s->section, SETTING_LOAD_STATE, 1);

    if (from == NULL || text_is(from, "none"))
        return true;
    return text_is(from, "global") && s->file->global.setting[SETTING_STATE_FILE] == NULL &&
           lint_say_at(s, s->section->setting[SETTING_LOAD_STATE], "`global` without `server-state-file`");
}

static int64_t longest_agent_inter_ms(const struct lint_scene *s)
{
    int64_t longest = 0;

    for (int i = 0; i < s->section->server_count; i++) {
        const struct proxy_server *server = &s->file->servers[s->section->first_server + i];
        const int64_t ms = lint_server_ms(s, server, KEY_AGENT_INTER, 2000);
        longest = proxy_server_has(server, KEY_AGENT_CHECK) && ms > longest ? ms : longest;
    }
    return longest;
}

#define PHASE_MS 100                 /* more apart than this is seen by clients: a hole or an overlap at each flip */
#define SLOW_POLL_MS 1000            /* from here on the hole is in the order of the poll (measured: 1003 ms at 2 s) */

static bool are_polls_apart(const struct lint_scene *s)
{
    const char *most = lint_setting(s, &s->file->global, SETTING_MAX_SPREAD, 1);
    int64_t ms;

    return most == NULL || (proxy_time_ms(most, &ms) && (ms == 0 || ms > PHASE_MS));
}

static bool is_out_of_phase(struct lint_scene *s)
{
    const int64_t inter_ms = longest_agent_inter_ms(s);

    return inter_ms >= SLOW_POLL_MS && are_polls_apart(s) && lint_say(s, "every %lld ms", (long long)inter_ms);
}

static bool may_be_out_of_phase(struct lint_scene *s)
{
    const int64_t inter_ms = longest_agent_inter_ms(s);

    return inter_ms > 0 && inter_ms < SLOW_POLL_MS && are_polls_apart(s);
}

/* ---- the doors of the pools ---- */

static const struct proxy_line *find_script(const struct lint_scene *s)
{
    const struct proxy_line *line = NULL;

    while ((line = proxy_section_next(s->file, s->section, line, "tcp-request", "content")) != NULL) {
        if (text_is(proxy_line_word(s->file, line, 2), "lua.firstchair_hold"))
            return line;
    }
    return NULL;
}

/* `accept if { nbsrv(POOL) gt 0 } or WAIT_END`, in whatever order. */
static const struct proxy_line *find_wait(const struct lint_scene *s)
{
    const struct proxy_line *line = NULL;

    while ((line = proxy_section_next(s->file, s->section, line, "tcp-request", "content")) != NULL) {
        for (int i = 2; i < line->word_count; i++) {
            if (text_begins(proxy_line_word(s->file, line, i), "nbsrv"))
                return line;
        }
    }
    return NULL;
}

static bool lets_fail(struct lint_scene *s)
{
    return s->config->hold_the_door_ms > 0 && find_script(s) == NULL && find_wait(s) == NULL &&
           lint_say(s, "HoldTheDoorMilliseconds is %d", s->config->hold_the_door_ms);
}

static bool lacks_script(struct lint_scene *s)
{
    s->where = find_script(s);
    return s->where != NULL && s->file->global.setting[SETTING_LUA] == NULL;
}

static bool holds_late(struct lint_scene *s)
{
    s->where = find_wait(s);
    return s->where != NULL && find_script(s) == NULL && s->config->haproxy_door_script[0] != '\0';
}

static bool cuts_the_hold(struct lint_scene *s)
{
    const struct proxy_line *script = find_script(s);
    const char *delay = lint_setting(s, s->section, SETTING_INSPECT_DELAY, 2);
    int64_t delay_ms = 0, hold_ms;

    if (script == NULL || !proxy_time_ms(proxy_line_word(s->file, script, 4), &hold_ms))
        return false;
    return (delay == NULL || !proxy_time_ms(delay, &delay_ms) || delay_ms <= hold_ms) &&
           lint_say_at(s, script, "delay %s, hold %lld ms", delay == NULL ? "none" : delay, (long long)hold_ms);
}

static bool waits_for_another(struct lint_scene *s)
{
    const struct proxy_line *script = find_script(s);
    const char *leads_to = lint_setting(s, s->section, SETTING_DEFAULT_BACKEND, 1);
    const char *pool = s->pool_kind == LINT_BACKEND_POOL ? s->config->backend_pool : s->config->leader_pool;

    return script != NULL && (leads_to == NULL || text_is(leads_to, pool)) &&
           !text_is(proxy_line_word(s->file, script, 3), pool) &&
           lint_say_at(s, script, "it waits for '%s'", proxy_line_word(s->file, script, 3));
}

static const struct lint_rule rules[] = {
    { "no-pool", LINT_ERROR, LINT_FILE, 0, has_no_pool,
      "has none of firstchair's pools", "name the backend as BackendPool or LeaderPool says, or print it: `firstchair haproxy-config`" },
    { "one-pool", LINT_HINT, LINT_FILE, 0, lacks_one_pool,
      "has only one of firstchair's pools", "nothing, if the other one is not wanted here" },
    { "not-configured", LINT_HINT, LINT_FILE, 0, is_alone,
      "was read without firstchair's own Nodes, so no name, no address and no socket was compared",
      "give the nodes' configuration: --config FILE" },
    { "conditions", LINT_HINT, LINT_FILE, 0, has_conditions,
      "has blocks of `.if`, which are read here as if all of them were true", "read the findings inside of them with that in mind" },
    { "hard-stop-missing", LINT_ERROR, LINT_FILE, 0, lacks_hard_stop,
      "lets the process that a reload leaves behind keep its sessions for ever, while a move counts on their end",
      "write `hard-stop-after` in `global`, with the time of HAProxyHardStopSeconds" },
    { "hard-stop-longer", LINT_ERROR, LINT_FILE, 0, stops_late,
      "lets the process that a reload leaves behind keep its sessions longer than a move waits for",
      "make `hard-stop-after` as short as HAProxyHardStopSeconds, or that as long on all nodes" },
    { "spread-checks", LINT_WARNING, LINT_FILE, 0, spreads_checks,
      "spreads the polls at random, so that servers of one pool learn of a move at different times", "take `spread-checks` out" },
    { "localpeer-unknown", LINT_WARNING, LINT_FILE, 0, has_unknown_localpeer,
      "gives this HAProxy a name that is not one of HAProxyInstances", "give both the same name" },
    { "socket-missing", LINT_WARNING, LINT_FILE, 0, lacks_socket,
      "has no `stats socket` that HAProxyInstances names, so firstchair neither sees what HAProxy does nor can push",
      "write `stats socket PATH mode 660 level admin` in `global`, with the path that HAProxyInstances has" },
    { "socket-level", LINT_WARNING, LINT_FILE, 0, has_weak_socket,
      "offers its `stats socket` without `level admin`, so that pushes are refused", "add `level admin`" },
    { "state-not-loaded", LINT_WARNING, LINT_POOL, LINT_BOTH_POOLS, loads_no_state,
      "forgets at a reload who sits, so nobody is usable until all have answered",
      "write `server-state-file` in `global`, `load-server-state-from-file global` in `defaults`, and let the reload write the file" },
    { "polls-out-of-phase", LINT_WARNING, LINT_POOL, LINT_BOTH_POOLS, is_out_of_phase,
      "polls its servers seldom and out of phase: each move has about a poll with no usable server or with two",
      "write `max-spread-checks 10` in `global`, and a shorter `agent-inter`" },
    { "polls-may-drift", LINT_HINT, LINT_POOL, LINT_BOTH_POOLS, may_be_out_of_phase,
      "polls its servers out of phase, so that a move has a short hole", "write `max-spread-checks 10` in `global`" },
    { "door-open", LINT_HINT, LINT_DOOR, LINT_BOTH_POOLS | LINT_WRITER_POOL, lets_fail,
      "closes a new connection at once while nobody sits, instead of holding it", "take over the lines that `firstchair haproxy-config` prints" },
    { "door-script-not-loaded", LINT_ERROR, LINT_DOOR, LINT_BOTH_POOLS | LINT_WRITER_POOL, lacks_script,
      "uses the script that holds the door without loading it", "write `lua-load /path/door.lua` in `global`" },
    { "door-late", LINT_HINT, LINT_DOOR, LINT_BOTH_POOLS | LINT_WRITER_POOL, holds_late,
      "holds a new connection for the whole delay, because HAProxy does not look again when somebody sits",
      "use the script that HAProxyDoorScript names: `tcp-request content lua.firstchair_hold`" },
    { "door-delay", LINT_WARNING, LINT_DOOR, LINT_BOTH_POOLS | LINT_WRITER_POOL, cuts_the_hold,
      "has an `inspect-delay` that ends before the script's own limit", "make `inspect-delay` a second longer than the script's milliseconds" },
    { "door-pool", LINT_ERROR, LINT_DOOR, LINT_BOTH_POOLS | LINT_WRITER_POOL, waits_for_another,
      "waits at the door for another pool than its own", "name the pool to which this frontend leads" },
};

const struct lint_table lint_process_rules = LINT_TABLE("The process and its doors", rules);
