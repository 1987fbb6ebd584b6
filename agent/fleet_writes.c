/* Orders out of paths, and what is told when they are done. */
#include "agent/fleet_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define PRESET_SECONDS 600            /* a downtime or maintenance without a duration; orchestrator's intended ten minutes */
#define LIST_SIZE (12 * 1024)         /* of a pool's servers as text: less than what a request may have */

/* ---- words ---- */

/* 30s, 10m, 2h, 1d, 1w. */
static bool take_duration(const char *text, int64_t *ret)
{
    static const struct { char unit; int64_t seconds; } units[] = {
        { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
    };
    const size_t length = strlen(text);
    uint64_t count;
    for (size_t i = 0; length > 1 && i < sizeof units / sizeof units[0]; i++) {
        if (text[length - 1] != units[i].unit)
            continue;
        if (!text_to_u64(text, length - 1, &count) || count > INT32_MAX)
            return false;
        *ret = (int64_t)count * units[i].seconds;
        return true;
    }
    return false;
}

static enum fc_code take_server(struct fleet_asked *asked, struct fleet_order *order, bool must_be_known, struct fc_err *err)
{
    struct server_meant server;
    const enum fc_code code = meant_server(asked, 0, &server, err);
    if (code != FC_OK)
        return code;
    if (must_be_known && server.id == MEMBER_NONE)
        return fc_fail(err, FC_NOT_FOUND, "there is no known server '%s:%u'", server.host, server.port);
    TEXT_SET(order->host, server.host);
    order->port = server.port;
    return FC_OK;
}

static enum fc_code take_name(const char *what, const char *from, char *to, size_t size, struct fc_err *err)
{
    return text_copy(to, size, from) ? FC_OK : fc_fail(err, FC_BAD_INPUT, "%s has at most %zu bytes", what, size - 1);
}

/* ---- orders ---- */

enum fc_code make_plain(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    (void)asked, (void)order, (void)err;
    return FC_OK;
}

enum fc_code make_server(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    return take_server(asked, order, order->verb == FLEET_FORGET || order->verb == FLEET_REFRESH, err);
}

enum fc_code make_forget_cluster(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    member_id head;
    const enum fc_code code = meant_cluster_here(asked, &head, err);
    if (code == FC_OK)
        topology_key_text(asked->picture->topology, head, order->subject, sizeof order->subject);
    return code;
}

enum fc_code make_downtime(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    enum fc_code code = take_server(asked, order, false, err);
    order->seconds = PRESET_SECONDS;
    if (code == FC_OK)
        code = take_name("an owner", asked->parameter[2], order->name, sizeof order->name, err);
    if (code == FC_OK)
        code = take_name("a reason", asked->parameter[3], order->text, sizeof order->text, err);
    if (code == FC_OK && asked->parameter_count > 4 && !take_duration(asked->parameter[4], &order->seconds))
        code = fc_fail(err, FC_BAD_INPUT, "'%.32s' is no duration: a number and s, m, h, d or w", asked->parameter[4]);
    return code;
}

enum fc_code make_maintenance(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    return make_downtime(asked, order, err);
}

/* By the number of a lock, or by its server. */
enum fc_code make_end_maintenance(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    const struct overrides *overrides = asked->picture->overrides;
    uint64_t number;
    if (asked->parameter_count > 1)
        return take_server(asked, order, false, err);
    if (!text_to_u64(asked->parameter[0], strlen(asked->parameter[0]), &number))
        return fc_fail(err, FC_BAD_INPUT, "'%.32s' is no number of a maintenance", asked->parameter[0]);
    for (uint32_t i = 0; i < overrides->count; i++) {
        const struct override *row = &overrides->list[i];
        if (!override_is_in_maintenance(row, asked->picture->now) || fleet_maintenance_id(asked->picture, row) != number)
            continue;
        TEXT_SET(order->host, names_text(overrides->names, row->host));
        order->port = row->port;
        return FC_OK;
    }
    return fc_fail(err, FC_NOT_FOUND, "there is no maintenance %.32s", asked->parameter[0]);
}

enum fc_code make_candidate(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    const enum fc_code code = take_server(asked, order, false, err);
    return code == FC_OK ? promotion_rule_parse(asked->parameter[2], false, &order->rule, err) : code;
}

static enum fc_code take_tag(struct fleet_asked *asked, int parameter, struct fleet_order *order, struct fc_err *err)
{
    struct tag_meant tag;
    const enum fc_code code = meant_tag_here(asked, parameter, &tag, err);
    if (code != FC_OK)
        return code;
    TEXT_SET(order->name, tag.name);
    TEXT_SET(order->text, tag.value);
    order->has_value = tag.has_value;
    return FC_OK;
}

enum fc_code make_tag(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    const enum fc_code code = take_server(asked, order, false, err);
    return code == FC_OK ? take_tag(asked, 2, order, err) : code;
}

enum fc_code make_untag(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    return make_tag(asked, order, err);
}

enum fc_code make_untag_all(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    return take_tag(asked, 0, order, err);
}

enum fc_code make_alias(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    if (!meant_text(asked, "alias", order->name, sizeof order->name, err))
        return FC_BAD_INPUT;
    return take_name("a cluster's name", asked->parameter[0], order->subject, sizeof order->subject, err);
}

static enum fc_code take_member(struct fleet_asked *asked, const char *text, struct instance_key *key, char host[INSTANCE_HOST_MAX + 1],
                                struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    const char *from;
    size_t length;
    if (!instance_key_parse(text, strlen(text), picture->default_port, &from, &length, &key->port) ||
        !text_copy_bytes(host, INSTANCE_HOST_MAX + 1, from, length))
        return fc_fail(err, FC_BAD_INPUT, "'%.64s' is no server: HOST:PORT", text);
    key->host = host;
    const member_id id = picture->is_pool_exact ? MEMBER_NONE : aliases_find_server(picture->topology, key);
    if (id != MEMBER_NONE)
        text_copy(host, INSTANCE_HOST_MAX + 1, topology_key(picture->topology, id).host);
    return FC_OK;
}

/* Keys and their names are one block, so that who frees the keys frees all. */
static enum fc_code take_members(struct fleet_asked *asked, char *list, struct fleet_order *order, struct fc_err *err)
{
    uint32_t most = 1;
    char *rest = list;
    for (const char *c = list; *c != '\0'; c++)
        most += *c == ',' || *c == ' ';
    struct instance_key *keys = calloc(most, sizeof *keys + INSTANCE_HOST_MAX + 1);
    char *hosts = keys == NULL ? NULL : (char *)(keys + most);
    if (keys == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    order->keys = keys;
    for (char *one = strsep(&rest, ", "); one != NULL; one = strsep(&rest, ", ")) {
        const uint32_t at = order->key_count;
        if (one[0] == '\0')
            continue;
        const enum fc_code code = take_member(asked, one, &keys[at], hosts + at * (size_t)(INSTANCE_HOST_MAX + 1), err);
        if (code != FC_OK)
            return code;
        order->key_count++;
    }
    return FC_OK;
}

enum fc_code make_pool(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    enum fc_code code = take_name("a pool's name", asked->parameter[0], order->name, sizeof order->name, err);
    char *list = code == FC_OK ? malloc(LIST_SIZE) : NULL;
    if (code != FC_OK)
        return code;
    if (list == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    code = meant_text(asked, "instances", list, LIST_SIZE, err) ? take_members(asked, list, order, err) : FC_BAD_INPUT;
    free(list);
    return code;
}

enum fc_code make_unresolve(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    const enum fc_code code = take_server(asked, order, false, err);
    if (code != FC_OK || asked->parameter_count < 3)
        return code;
    return take_name("a host name", asked->parameter[2], order->name, sizeof order->name, err);
}

enum fc_code make_ack(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    member_id head;
    enum fc_code code = FC_OK;
    uint64_t number;
    order->ack = (enum ack_scope)asked->route->which;
    if (!meant_text(asked, "comment", order->text, sizeof order->text, err))
        return FC_BAD_INPUT;
    switch (order->ack) {
    case ACK_ALL:
        break;
    case ACK_CLUSTER:
        code = meant_cluster(asked->picture, asked->parameter[0], &head, err);
        if (code == FC_OK) {                   /* after a failover the name is another one, and the alias is as it was */
            topology_key_text(asked->picture->topology, head, order->subject, sizeof order->subject);
            aliases_text(asked->picture->aliases, asked->picture->topology, head, order->name, sizeof order->name);
        }
        break;
    case ACK_INSTANCE:
        code = take_server(asked, order, false, err);
        break;
    case ACK_ID:
        if (!text_to_u64(asked->parameter[0], strlen(asked->parameter[0]), &number))
            return fc_fail(err, FC_BAD_INPUT, "'%.32s' is no number of a recovery", asked->parameter[0]);
        code = take_name("a number", asked->parameter[0], order->subject, sizeof order->subject, err);
        break;
    case ACK_UID:
        code = take_name("a UID", asked->parameter[0], order->subject, sizeof order->subject, err);
        break;
    }
    return code;
}

/* ---- what is told ---- */

enum fc_code read_nothing(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    (void)asked, (void)err;
    page_null(&said->page, NULL);
    return FC_OK;
}

static enum fc_code say_server(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct server_meant server;
    const enum fc_code code = meant_server(asked, 0, &server, err);
    if (code == FC_OK)
        fleet_json_key(&said->page, NULL, &(struct instance_key){ server.host, server.port });
    return code;
}

enum fc_code read_server_key(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    return say_server(asked, said, err);
}

/* {"Key": KEY}: clients read Details.Key here. */
enum fc_code read_wrapped_key(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    page_open(&said->page, NULL, '{');
    struct server_meant server;
    const enum fc_code code = meant_server(asked, 0, &server, err);
    if (code == FC_OK)
        fleet_json_key(&said->page, "Key", &(struct instance_key){ server.host, server.port });
    page_close(&said->page, '}');
    return code;
}

enum fc_code read_parameter(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    (void)err;
    page_text(&said->page, NULL, asked->parameter[0]);
    return FC_OK;
}

enum fc_code read_cluster_name(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head;
    char name[FLEET_KEY_SIZE];
    const enum fc_code code = meant_cluster_here(asked, &head, err);
    if (code != FC_OK)
        return code;
    topology_key_text(asked->picture->topology, head, name, sizeof name);
    page_text(&said->page, NULL, name);
    return FC_OK;
}

enum fc_code read_comment(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    char text[FLEET_TEXT_SIZE];
    if (!meant_text(asked, "comment", text, sizeof text, err))
        return FC_BAD_INPUT;
    page_text(&said->page, NULL, text);
    return FC_OK;
}

enum fc_code read_number(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    uint64_t number;
    if (!text_to_u64(asked->parameter[0], strlen(asked->parameter[0]), &number))
        return fc_fail(err, FC_BAD_INPUT, "'%.32s' is no number", asked->parameter[0]);
    page_uint(&said->page, NULL, number);
    return FC_OK;
}

enum fc_code read_reply(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    (void)err;
    page_text(&said->page, NULL, asked->reply);
    return FC_OK;
}

enum fc_code read_untagged(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct overrides *overrides = asked->picture->overrides;
    struct server_meant server;
    struct tag_meant tag;
    enum fc_code code = meant_server(asked, 0, &server, err);
    if (code == FC_OK)
        code = meant_tag_here(asked, 2, &tag, err);
    if (code != FC_OK)
        return code;
    const struct instance_key key = { server.host, server.port };
    page_open(&said->page, NULL, '[');
    if (tag_fits(overrides, overrides_of(overrides, &key), &tag))
        fleet_json_key(&said->page, NULL, &key);
    page_close(&said->page, ']');
    return FC_OK;
}

enum fc_code read_untagged_all(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct overrides *overrides = asked->picture->overrides;
    struct tag_meant tag;
    const enum fc_code code = meant_tag_here(asked, 0, &tag, err);
    if (code != FC_OK)
        return code;
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; i < overrides->count; i++) {
        const struct instance_key key = { names_text(overrides->names, overrides->list[i].host), overrides->list[i].port };
        if (tag_fits(overrides, &overrides->list[i], &tag))
            fleet_json_key(&said->page, NULL, &key);
    }
    page_close(&said->page, ']');
    return FC_OK;
}
