/* Readings of servers: one, many, those with a trouble, a tag, a lock. */
#include "agent/fleet_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/below.h"
#include "judge/problems.h"

/* ---- writing ---- */

void say_list(struct fleet_asked *asked, struct fleet_said *said, struct fleet_list *list)
{
    if (asked->sliced != NULL && list->count > FLEET_SLICE && !list->is_short) {
        asked->sliced->list = *list;
        asked->sliced->is_begun = true;
        page_open(&asked->sliced->page, NULL, '[');
        return;
    }
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; i < list->count && !said->page.is_short; i++)
        fleet_json_instance(&said->page, NULL, &asked->reader, list->ids[i]);
    page_close(&said->page, ']');
    said->page.is_short = said->page.is_short || list->is_short;
    fleet_list_done(list);
}

void say_key_of(struct fleet_asked *asked, struct fleet_said *said, member_id id)
{
    const struct instance_key key = topology_key(asked->picture->topology, id);
    fleet_json_key(&said->page, NULL, &key);
}

/* ---- one and many ---- */

enum fc_code read_instance(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id id;
    const enum fc_code code = meant_known(asked, 0, &id, err);
    if (code == FC_OK)
        fleet_json_instance(&said->page, NULL, &asked->reader, id);
    return code;
}

/* Of somebody unknown there are none, and that is no error. */
enum fc_code read_replicas(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct server_meant server;
    struct fleet_list list = { 0 };
    const enum fc_code code = meant_server(asked, 0, &server, err);
    if (code != FC_OK)
        return code;
    if (server.id != MEMBER_NONE)
        fleet_list_replicas(&list, asked->picture, server.id);
    say_list(asked, said, &list);
    return FC_OK;
}

enum fc_code read_all(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    (void)err;
    fleet_list_pick(&list, asked->picture, MEMBER_NONE, NULL, NULL);
    fleet_list_by_place(&list, asked->picture);
    say_list(asked, said, &list);
    return FC_OK;
}

static bool has_number(const char *text, uint64_t number)
{
    uint64_t asked;
    return text_to_u64(text, strlen(text), &asked) && asked == number;
}

static bool has_in_it(const char *text, const char *sought)
{
    return text != NULL && strstr(text, sought) != NULL;
}

static bool is_found(const struct picture *picture, member_id id, const void *asked)
{
    const char *sought = asked;
    const struct member *m = topology_member(picture->topology, id);
    const struct instance_seen *seen = m->kept.seen;
    char key[FLEET_KEY_SIZE] = "", cluster[FLEET_KEY_SIZE] = "";
    topology_key_text(picture->topology, id, key, sizeof key);
    topology_key_text(picture->topology, m->head, cluster, sizeof cluster);
    return has_in_it(key, sought) || has_in_it(cluster, sought) || has_in_it(fleet_alias(picture, m->head), sought) ||
           has_number(sought, m->port) ||
           (seen != NULL && (has_in_it(seen->version_text, sought) || has_in_it(seen->version_comment, sought) ||
                             has_number(sought, seen->server_id)));
}

enum fc_code read_search(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    char sought[FLEET_NAME_SIZE];
    if (asked->parameter_count > 0 ? !TEXT_SET(sought, asked->parameter[0]) : !meant_text(asked, "s", sought, sizeof sought, err))
        return fc_fail(err, FC_BAD_INPUT, "a search has at most %d bytes", FLEET_NAME_SIZE - 1);
    fleet_list_pick(&list, asked->picture, MEMBER_NONE, is_found, sought);
    fleet_list_by_place(&list, asked->picture);
    say_list(asked, said, &list);
    return FC_OK;
}

static bool fits_pattern(const struct picture *picture, member_id id, const void *asked)
{
    char key[FLEET_KEY_SIZE] = "";
    topology_key_text(picture->topology, id, key, sizeof key);
    return pattern_is_match(asked, key);
}

enum fc_code read_find(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    struct pattern *pattern = NULL;
    char text[PATTERN_LENGTH_MAX + 1];
    if (!meant_text(asked, "pattern", text, sizeof text, err))
        return FC_BAD_INPUT;
    if (pattern_compile("pattern", text, &pattern, err) != FC_OK)
        return err->code = FC_BAD_INPUT;
    fleet_list_pick(&list, asked->picture, MEMBER_NONE, fits_pattern, pattern);
    fleet_list_by_key(&list, asked->picture);
    say_list(asked, said, &list);
    pattern_free(pattern);
    return FC_OK;
}

enum fc_code read_bulk_keys(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    (void)err;
    fleet_list_pick(&list, asked->picture, MEMBER_NONE, NULL, NULL);
    fleet_list_by_key(&list, asked->picture);
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; i < list.count; i++)
        say_key_of(asked, said, list.ids[i]);
    page_close(&said->page, ']');
    said->page.is_short = said->page.is_short || list.is_short;
    fleet_list_done(&list);
    return FC_OK;
}

static struct instance_key key_of(const struct overrides *overrides, const struct override *row)
{
    return (struct instance_key){ names_text(overrides->names, row->host), row->port };
}

enum fc_code read_bulk_rules(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct overrides *overrides = asked->picture->overrides;
    char until[FLEET_MOMENT_SIZE], since[FLEET_MOMENT_SIZE];
    (void)err;
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; i < overrides->count; i++) {
        const struct override *row = &overrides->list[i];
        if (!row->has_rule || fc_reached(row->rule_until, asked->picture->now))
            continue;
        fleet_moment_text(asked->picture, row->rule_until, until);
        fleet_moment_text(asked->picture, row->rule_since, since);
        page_open(&said->page, NULL, '{');
        page_text(&said->page, "Hostname", key_of(overrides, row).host);
        page_uint(&said->page, "Port", row->port);
        page_text(&said->page, "PromotionRule", promotion_rule_word(row->rule));
        page_text(&said->page, "LastSuggestedString", since);
        page_text(&said->page, "PromotionRuleExpiry", until);
        page_close(&said->page, '}');
    }
    page_close(&said->page, ']');
    return FC_OK;
}

/* ---- troubles and downtime ---- */

static bool has_problem(const struct picture *picture, member_id id, const void *asked)
{
    const struct fleet *fleet = picture->fleet;
    static const struct traits no_traits;
    const struct problem_view view = { topology_member(picture->topology, id), id < fleet->capacity ? &fleet->traits[id] : &no_traits,
                                       &fleet->policy, picture->now };
    (void)asked;
    return problems_of(&view) != 0 && !fleet_is_downtimed(picture, id) &&
           !host_filters_fit_host(picture->problems_ignored, topology_key(picture->topology, id).host);
}

static enum fc_code read_picked(struct fleet_asked *asked, struct fleet_said *said, member_id head, fleet_test *test, const void *of)
{
    struct fleet_list list = { 0 };
    fleet_list_pick(&list, asked->picture, head, test, of);
    fleet_list_by_key(&list, asked->picture);
    say_list(asked, said, &list);
    return FC_OK;
}

/* Of a cluster that is none there are none. */
enum fc_code read_problems(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const member_id head = asked->parameter_count == 0 ? MEMBER_NONE : meant_cluster_named(asked->picture, asked->parameter[0]);
    (void)err;
    if (asked->parameter_count > 0 && head == MEMBER_NONE) {
        page_raw(&said->page, NULL, "[]");
        return FC_OK;
    }
    return read_picked(asked, said, head, has_problem, NULL);
}

static bool is_downtimed(const struct picture *picture, member_id id, const void *asked)
{
    (void)asked;
    return fleet_is_downtimed(picture, id);
}

enum fc_code read_downtimed(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head = MEMBER_NONE;
    const enum fc_code code = asked->parameter_count == 0 ? FC_OK : meant_cluster_here(asked, &head, err);
    return code == FC_OK ? read_picked(asked, said, head, is_downtimed, NULL) : code;
}

/* ---- tags ---- */

enum fc_code read_tags(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct overrides *overrides = asked->picture->overrides;
    struct server_meant server;
    char text[FLEET_NAME_SIZE + FLEET_TEXT_SIZE];
    const enum fc_code code = meant_server(asked, 0, &server, err);
    if (code != FC_OK)
        return code;
    const struct override *row = overrides_of(overrides, &(struct instance_key){ server.host, server.port });
    page_open(&said->page, NULL, '[');
    for (int i = 0; row != NULL && i < row->tag_count; i++) {
        TEXT_FORMAT(text, "%s=%s", names_text(overrides->names, row->tags[i].name), names_text(overrides->names, row->tags[i].value));
        page_text(&said->page, NULL, text);
    }
    page_close(&said->page, ']');
    return FC_OK;
}

enum fc_code read_tag_value(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct server_meant server;
    struct tag_meant tag;
    enum fc_code code = meant_server(asked, 0, &server, err);
    if (code == FC_OK)
        code = meant_tag_here(asked, 2, &tag, err);
    if (code != FC_OK)
        return code;
    const struct overrides *overrides = asked->picture->overrides;
    const char *value = override_tag(overrides, overrides_of(overrides, &(struct instance_key){ server.host, server.port }), tag.name);
    if (value == NULL)
        return fc_fail(err, FC_NOT_FOUND, "%s:%u has no tag '%.64s'", server.host, server.port, tag.name);
    page_text(&said->page, NULL, value);
    return FC_OK;
}

#define TAGS_ASKED_MAX 16

/* A comma list; all of them must fit. */
static enum fc_code take_tags(char *text, struct tag_meant *tags, int *count, struct fc_err *err)
{
    char *rest = text;
    *count = 0;
    for (char *one = strsep(&rest, ","); one != NULL; one = strsep(&rest, ",")) {
        if (one[strspn(one, " ")] == '\0')
            continue;
        if (*count == TAGS_ASKED_MAX)
            return fc_fail(err, FC_BAD_INPUT, "at most %d tags are asked for at one time", TAGS_ASKED_MAX);
        const enum fc_code code = meant_tag(one, true, &tags[(*count)++], err);
        if (code != FC_OK)
            return code;
    }
    return *count > 0 ? FC_OK : fc_fail(err, FC_BAD_INPUT, "which tag? ?tag=NAME, NAME=VALUE, ~NAME, ~NAME=VALUE, or several with commas");
}

enum fc_code read_tagged(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct overrides *overrides = asked->picture->overrides;
    struct tag_meant *tags = calloc(TAGS_ASKED_MAX, sizeof *tags);
    char text[2 * FLEET_TEXT_SIZE];
    int count = 0;
    enum fc_code code = tags == NULL ? fc_fail(err, FC_NO_MEMORY, "out of memory") : FC_OK;
    if (code == FC_OK && !meant_text(asked, "tag", text, sizeof text, err))
        code = FC_BAD_INPUT;
    if (code == FC_OK)
        code = take_tags(text, tags, &count, err);
    if (code == FC_OK) {
        page_open(&said->page, NULL, '[');
        for (uint32_t i = 0; i < overrides->count; i++) {
            const struct instance_key key = key_of(overrides, &overrides->list[i]);
            bool fits = overrides->list[i].tag_count > 0;
            for (int k = 0; k < count && fits; k++)
                fits = tag_fits(overrides, &overrides->list[i], &tags[k]);
            if (fits)
                fleet_json_key(&said->page, NULL, &key);
        }
        page_close(&said->page, ']');
    }
    free(tags);
    return code;
}

/* ---- maintenance ---- */

uint32_t fleet_maintenance_id(const struct picture *picture, const struct override *override)
{
    const struct instance_key key = key_of(picture->overrides, override);
    char text[FLEET_KEY_SIZE] = "";
    instance_key_text(&key, text, sizeof text);
    return names_hash(text, strlen(text)) & INT32_MAX;
}

enum fc_code read_maintenance(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct overrides *overrides = asked->picture->overrides;
    char begin[FLEET_MOMENT_SIZE];
    (void)err;
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; i < overrides->count; i++) {
        const struct override *row = &overrides->list[i];
        const struct instance_key key = key_of(overrides, row);
        if (!override_is_in_maintenance(row, asked->picture->now))
            continue;
        fleet_moment_text(asked->picture, row->maintenance.begin, begin);
        page_open(&said->page, NULL, '{');
        page_uint(&said->page, "MaintenanceId", fleet_maintenance_id(asked->picture, row));
        fleet_json_key(&said->page, "Key", &key);
        page_text(&said->page, "BeginTimestamp", begin);
        page_int(&said->page, "SecondsElapsed", fc_span_ms(fc_since(row->maintenance.begin, asked->picture->now)) / 1000);
        page_bool(&said->page, "IsActive", true);
        page_text(&said->page, "Owner", names_text(overrides->names, row->maintenance.owner));
        page_text(&said->page, "Reason", names_text(overrides->names, row->maintenance.reason));
        page_close(&said->page, '}');
    }
    page_close(&said->page, ']');
    return FC_OK;
}

enum fc_code read_in_maintenance(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct server_meant server;
    char text[FLEET_KEY_SIZE] = "";
    const enum fc_code code = meant_server(asked, 0, &server, err);
    if (code != FC_OK)
        return code;
    const struct instance_key key = { server.host, server.port };
    const bool is_held = override_is_in_maintenance(overrides_of(asked->picture->overrides, &key), asked->picture->now);
    if (is_held)
        instance_key_text(&key, text, sizeof text);
    TEXT_SET(said->message, is_held ? "true" : "false");
    page_text(&said->page, NULL, text);
    return FC_OK;
}

/* ---- what may be done ---- */

enum fc_code read_can_replicate(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct below_asked pair = { .topology = asked->picture->topology, .room = asked->reader.desk.room,
                                .policy = &asked->picture->fleet->policy, .by_gtid = asked->route->which != 0 };
    enum fc_code code = meant_known(asked, 0, &pair.replica, err);
    if (code == FC_OK)
        code = meant_known(asked, 2, &pair.master, err);
    if (code == FC_OK)
        code = below_check(&pair, err);
    if (code == FC_OK)
        say_key_of(asked, said, pair.master);
    return code;
}

/* ---- statements that somebody else is to execute ---- */

/* From 8.4 on MySQL knows "slave" no more; "replica" it has known since 8.0.22. */
static const char *replica_word(const struct instance_seen *seen)
{
    return seen->flavour != FLAVOUR_MARIADB && seen->version >= 80022 ? "replica" : "slave";
}

static const char *threads_word(const struct channel_seen *channel)
{
    const bool reads = channel->io == THREAD_RUNNING, applies = channel->sql == THREAD_RUNNING;
    return reads && applies ? "" : reads ? " io_thread" : applies ? " sql_thread" : NULL;
}

static void put_statement(struct fleet_said *said, const char *first, const char *second, const char *third)
{
    char text[FLEET_STATEMENT_SIZE + 64];
    TEXT_FORMAT(text, "%s%s%s;", first, second, third);
    page_text(&said->page, NULL, text);
}

/* ?q=: in between what runs of replication is stopped, and begun again. Nothing is executed. */
enum fc_code read_restart_statements(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    char statement[FLEET_STATEMENT_SIZE];
    member_id id;
    const enum fc_code code = meant_known(asked, 0, &id, err);
    if (code != FC_OK)
        return code;
    if (!meant_text(asked, "q", statement, sizeof statement, err))
        return FC_BAD_INPUT;
    for (size_t end = strlen(statement); end > 0 && (statement[end - 1] == ';' || statement[end - 1] == ' '); end--)
        statement[end - 1] = '\0';
    if (statement[0] == '\0')
        return fc_fail(err, FC_BAD_INPUT, "which statement? ?q=TEXT");
    const struct instance_seen *seen = topology_member(asked->picture->topology, id)->kept.seen;
    const struct channel_seen *channel = seen == NULL ? NULL : instance_channel(seen);
    const char *threads = channel == NULL ? NULL : threads_word(channel), *word = seen == NULL ? "" : replica_word(seen);
    page_open(&said->page, NULL, '[');
    if (threads != NULL)
        put_statement(said, "stop ", word, threads);
    put_statement(said, statement, "", "");
    if (threads != NULL)
        put_statement(said, "start ", word, threads);
    page_close(&said->page, ']');
    return FC_OK;
}
