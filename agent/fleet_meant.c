/* From words to servers, clusters and tags. Accepts what people type (a host without port, a part of a name), says exactly what it
 * could not find. */
#include "agent/fleet_inside.h"

#include <string.h>

#include "base/text.h"

bool meant_text(const struct fleet_asked *asked, const char *name, char *to, size_t size, struct fc_err *err)
{
    to[0] = '\0';
    if (asked->argument == NULL || asked->argument(asked->lender, name, to, size))
        return true;
    fc_fail(err, FC_BAD_INPUT, "%s must be a text of at most %zu bytes", name, size - 1);
    return false;
}

/* ---- servers ---- */

static bool take_port(const char *text, uint16_t *ret)
{
    uint64_t port;
    if (!text_to_u64(text, strlen(text), &port) || port == 0 || port > UINT16_MAX)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* A host as the API takes it: what instance_key_parse() takes without brackets and port. */
static bool take_host(const char *text, char *to, size_t size)
{
    const char *host;
    size_t length;
    uint16_t port;
    const bool is_bracketed = text[0] == '[';
    return instance_key_parse(text, strlen(text), 1, &host, &length, &port) && length + (is_bracketed ? 2 : 0) == strlen(text) &&
           text_copy_bytes(to, size, host, length) && !text_is(to, "_");
}

enum fc_code meant_server(const struct fleet_asked *asked, int parameter, struct server_meant *ret, struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    const char *host = asked->parameter[parameter], *port = asked->parameter[parameter + 1];
    if (!take_port(port, &ret->port))
        return fc_fail(err, FC_BAD_INPUT, "'%.32s' is no port: 1 to 65535", port);
    if (!take_host(host, ret->host, sizeof ret->host))
        return fc_fail(err, FC_BAD_INPUT, "'%.64s' is no host name of at most %d bytes", host, INSTANCE_HOST_MAX);
    const char *other = picture->resolved == NULL ? "" : host_names_of(picture->resolved, ret->host, picture->now);
    if (other[0] != '\0')
        TEXT_SET(ret->host, other);
    ret->id = aliases_find_server(picture->topology, &(struct instance_key){ ret->host, ret->port });
    if (ret->id != MEMBER_NONE)
        TEXT_SET(ret->host, topology_key(picture->topology, ret->id).host);
    return FC_OK;
}

enum fc_code meant_known(const struct fleet_asked *asked, int parameter, member_id *ret, struct fc_err *err)
{
    struct server_meant server;
    const enum fc_code code = meant_server(asked, parameter, &server, err);
    if (code != FC_OK)
        return code;
    *ret = server.id;
    return server.id != MEMBER_NONE ? FC_OK : fc_fail(err, FC_NOT_FOUND, "there is no known server '%s:%u'", server.host, server.port);
}

/* ---- clusters ---- */

member_id meant_cluster_named(const struct picture *picture, const char *name)
{
    char own[FLEET_KEY_SIZE];
    const member_id head = aliases_find_cluster(picture->aliases, picture->topology, name);
    return head != MEMBER_NONE && topology_key_text(picture->topology, head, own, sizeof own) && text_is(own, name) ? head : MEMBER_NONE;
}

/* A hint without a port, where the preset port is another than 3306. */
static member_id find_with_port(const struct picture *picture, const char *hint)
{
    const char *host;
    size_t length;
    uint16_t port;
    char text[INSTANCE_HOST_MAX + 1], whole[FLEET_KEY_SIZE];
    struct instance_key key = { text, 0 };
    if (!instance_key_parse(hint, strlen(hint), picture->default_port, &host, &length, &port) || length != strlen(hint) ||
        !text_copy_bytes(text, sizeof text, host, length))
        return MEMBER_NONE;
    key.port = port;
    return instance_key_text(&key, whole, sizeof whole) ? aliases_find_cluster(picture->aliases, picture->topology, whole) : MEMBER_NONE;
}

enum fc_code meant_cluster(const struct picture *picture, const char *hint, member_id *ret, struct fc_err *err)
{
    *ret = aliases_find_cluster(picture->aliases, picture->topology, hint);
    if (*ret == MEMBER_NONE && picture->default_port != 0)
        *ret = find_with_port(picture, hint);
    return *ret != MEMBER_NONE ? FC_OK : fc_fail(err, FC_NOT_FOUND, "no cluster is known by '%.96s': not by name, alias or member", hint);
}

enum fc_code meant_cluster_here(const struct fleet_asked *asked, member_id *ret, struct fc_err *err)
{
    if (asked->parameter_count < 2)
        return meant_cluster(asked->picture, asked->parameter[0], ret, err);
    const enum fc_code code = meant_known(asked, 0, ret, err);
    if (code == FC_OK)
        *ret = topology_member(asked->picture->topology, *ret)->head;
    return code;
}

/* ---- tags ---- */

#define BLANKS " \t\r\n"

/* Without the blanks around it. False: it does not fit. */
static bool copy_trimmed(char *to, size_t size, const char *from, size_t length)
{
    for (; length > 0 && strchr(BLANKS, from[0]) != NULL; from++)
        length--;
    while (length > 0 && strchr(BLANKS, from[length - 1]) != NULL)
        length--;
    return text_copy_bytes(to, size, from, length);
}

enum fc_code meant_tag(const char *text, bool may_negate, struct tag_meant *ret, struct fc_err *err)
{
    const char *begin = text + strspn(text, BLANKS);
    *ret = (struct tag_meant){ .is_negated = begin[0] == '~' || begin[0] == '!' };
    const char *name = begin + ret->is_negated, *equals = strchr(name, '=');
    const size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
    if (ret->is_negated && !may_negate)
        return fc_fail(err, FC_BAD_INPUT, "'%.64s': a tag is meant, not its absence", text);
    if (!copy_trimmed(ret->name, sizeof ret->name, name, length) || !tag_name_is_good(ret->name))
        return fc_fail(err, FC_BAD_INPUT, "'%.64s' is no tag: NAME or NAME=VALUE, the name of at most %d bytes", text, FLEET_NAME_SIZE - 1);
    ret->has_value = equals != NULL;
    if (equals != NULL && !copy_trimmed(ret->value, sizeof ret->value, equals + 1, strlen(equals + 1)))
        return fc_fail(err, FC_BAD_INPUT, "tag '%.64s': its value has more than %d bytes", ret->name, OVERRIDE_TEXT_MAX);
    return FC_OK;
}

bool tag_fits(const struct overrides *overrides, const struct override *override, const struct tag_meant *tag)
{
    const char *value = override_tag(overrides, override, tag->name);
    const bool has_value = value != NULL && text_is(value, tag->value);
    if (!tag->is_negated)
        return value != NULL && (!tag->has_value || has_value);
    return tag->has_value ? value != NULL && !has_value : value == NULL;
}

enum fc_code meant_tag_here(const struct fleet_asked *asked, int parameter, struct tag_meant *ret, struct fc_err *err)
{
    char text[FLEET_NAME_SIZE + FLEET_TEXT_SIZE];
    if (asked->parameter_count > parameter)
        text_copy(text, sizeof text, asked->parameter[parameter]);
    else if (!meant_text(asked, "tag", text, sizeof text, err))
        return FC_BAD_INPUT;
    enum fc_code code = meant_tag(text, false, ret, err);
    if (code != FC_OK || asked->parameter_count <= parameter + 1)
        return code;
    ret->has_value = true;
    return TEXT_SET(ret->value, asked->parameter[parameter + 1])
               ? FC_OK : fc_fail(err, FC_BAD_INPUT, "tag '%.64s': its value has more than %d bytes", ret->name, OVERRIDE_TEXT_MAX);
}
