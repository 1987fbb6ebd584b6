/* The effective configuration: presets, typed setting by the table, and the rules that need more than one key.
 *
 * Checks are small functions in one list, read downwards; each names the key, its value, and what would be right. */
#include "core/config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define INT_EXACT 9007199254740992.0     /* 2^53: beyond it a JSON number is not an exact integer */

/* ---- fields by key ---- */

static void *field(struct config *config, const struct config_key *key) { return (char *)config + key->offset; }

static const void *field_of(const struct config *config, const struct config_key *key)
{
    return (const char *)config + key->offset;
}

enum fc_code config_wrong_type(const struct config_key *key, const char *given, struct fc_err *err)
{
    static const char *const wanted[] = {
        [CONFIG_BOOL] = "true or false, without quotes",
        [CONFIG_INT] = "a whole number, without quotes",
        [CONFIG_REAL] = "a number, without quotes",
        [CONFIG_TEXT] = "a text in quotes",
        [CONFIG_QUERY] = "a text in quotes",
        [CONFIG_LIST] = "a list of texts, as in [\"a\", \"b\"]",
        [CONFIG_MANY] = "a list of texts, as in [\"a\", \"b\"]",
        [CONFIG_MAP] = "an object of texts, as in {\"a\": \"b\"}",
    };
    return fc_fail(err, FC_BAD_CONFIG, "%s is %s; it must be %s", key->name, given, wanted[key->type]);
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

static enum fc_code text_accept(const struct config_key *key, char to[CONFIG_TEXT_SIZE], const char *value,
                                struct fc_err *err)
{
    if (!is_printable(value))
        return fc_fail(err, FC_BAD_CONFIG, "%s has a control character in it; it must be one line of plain text", key->name);
    if (strlen(value) >= CONFIG_TEXT_SIZE)
        return fc_fail(err, FC_BAD_CONFIG, "%s has %zu bytes; at most %d fit", key->name, strlen(value), CONFIG_TEXT_SIZE - 1);
    text_copy(to, CONFIG_TEXT_SIZE, value);
    return FC_OK;
}

enum fc_code config_set_bool(struct config *config, const struct config_key *key, bool value, struct fc_err *err)
{
    if (key->type != CONFIG_BOOL)
        return config_wrong_type(key, value ? "true" : "false", err);
    *(bool *)field(config, key) = value;
    return FC_OK;
}

enum fc_code config_set_int(struct config *config, const struct config_key *key, double value, struct fc_err *err)
{
    char given[48];

    TEXT_FORMAT(given, "the number %.17g", value);
    if (key->type != CONFIG_INT || !(value > -INT_EXACT && value < INT_EXACT) || (double)(int64_t)value != value)
        return config_wrong_type(key, given, err);
    if ((int64_t)value < key->least || (int64_t)value > key->most)
        return fc_fail(err, FC_BAD_CONFIG, "%s is %" PRId64 "; it must be from %" PRId64 " to %" PRId64, key->name,
                       (int64_t)value, key->least, key->most);
    *(int *)field(config, key) = (int)value;
    return FC_OK;
}

enum fc_code config_set_real(struct config *config, const struct config_key *key, double value, struct fc_err *err)
{
    char given[48];

    TEXT_FORMAT(given, "the number %.17g", value);
    if (key->type != CONFIG_REAL)
        return config_wrong_type(key, given, err);
    if (!(value >= (double)key->least && value <= (double)key->most))
        return fc_fail(err, FC_BAD_CONFIG, "%s is %g; it must be from %" PRId64 " to %" PRId64, key->name, value, key->least, key->most);
    *(double *)field(config, key) = value;
    return FC_OK;
}

/* Line breaks and tabs become blanks; so does the semicolon at the end. What has another one in it is more than one statement. */
static enum fc_code query_accept(const struct config_key *key, config_query to, const char *value, struct fc_err *err)
{
    size_t length = strlen(value);

    if (length >= CONFIG_QUERY_SIZE)
        return fc_fail(err, FC_BAD_CONFIG, "%s has %zu bytes; at most %d fit", key->name, length, CONFIG_QUERY_SIZE - 1);
    memset(to, 0, CONFIG_QUERY_SIZE);
    memcpy(to, value, length);
    while (length > 0 && strchr(" \t\r\n;", to[length - 1]) != NULL)
        to[--length] = '\0';
    for (size_t i = 0; i < length; i++) {
        if (strchr("\t\r\n", to[i]) != NULL)
            to[i] = ' ';
    }
    if (!is_printable(to))
        return fc_fail(err, FC_BAD_CONFIG, "%s has a control character in it; it must be one statement of plain text", key->name);
    if (strchr(to, ';') != NULL || strstr(to, "--") != NULL || strchr(to, '#') != NULL)
        return fc_fail(err, FC_BAD_CONFIG, "%s has ';', '#' or '--' in it; it must be one statement without comments", key->name);
    return FC_OK;
}

/* ---- texts one behind the other ---- */

static const char *behind(const char *text) { return text + strlen(text) + 1; }

static bool append(char *texts, int size, int *length, const char *text)
{
    const int wanted = (int)strlen(text) + 1;
    if (wanted > size - *length)
        return false;
    memcpy(texts + *length, text, (size_t)wanted);
    *length += wanted;
    return true;
}

const char *config_many_next(const struct config_many *many, const char *at)
{
    const char *next = at == NULL ? many->text : behind(at);
    return next < many->text + many->length ? next : NULL;
}

const char *config_map_next(const struct config_map *map, const char *at, const char **value)
{
    const char *next = at == NULL ? map->text : behind(behind(at));
    if (next >= map->text + map->length)
        return NULL;
    *value = behind(next);
    return next;
}

static void map_remove(struct config_map *map, const char *name)
{
    const char *value;
    for (const char *at = config_map_next(map, NULL, &value); at != NULL; at = config_map_next(map, at, &value)) {
        if (!text_is(at, name))
            continue;
        char *from = map->text + (at - map->text);
        const char *rest = behind(value);
        const size_t left = (size_t)(map->text + map->length - rest);
        map->length -= (int)(rest - from);
        map->count--;
        memmove(from, rest, left);
        return;
    }
}

enum fc_code config_map_set(struct config *config, const struct config_key *key, const char *name, const char *value, struct fc_err *err)
{
    config_text accepted_name, accepted_value;
    if (key->type != CONFIG_MAP)
        return config_wrong_type(key, "an object", err);
    enum fc_code code = text_accept(key, accepted_name, name, err);
    if (code == FC_OK)
        code = text_accept(key, accepted_value, value, err);
    if (code != FC_OK)
        return code;
    struct config_map *map = field(config, key);
    map_remove(map, accepted_name);
    const int before = map->length;
    if (map->count < CONFIG_MAP_MAX && append(map->text, CONFIG_MAP_SIZE, &map->length, accepted_name) &&
        append(map->text, CONFIG_MAP_SIZE, &map->length, accepted_value)) {
        map->count++;
        return FC_OK;
    }
    map->length = before;
    return fc_fail(err, FC_BAD_CONFIG, "%s is too long: at most %d entries fit, and %d bytes in all", key->name, CONFIG_MAP_MAX, CONFIG_MAP_SIZE);
}

enum fc_code config_set_text(struct config *config, const struct config_key *key, const char *value, struct fc_err *err)
{
    if (key->type == CONFIG_QUERY)
        return query_accept(key, field(config, key), value, err);
    if (key->type != CONFIG_TEXT)
        return config_wrong_type(key, "a text", err);
    return text_accept(key, field(config, key), value, err);
}

bool config_key_is_list(const struct config_key *key) { return key->type == CONFIG_LIST || key->type == CONFIG_MANY; }

static enum fc_code add_to_many(struct config_many *many, const struct config_key *key, const char *value, struct fc_err *err)
{
    config_text accepted;
    const enum fc_code code = text_accept(key, accepted, value, err);
    if (code != FC_OK)
        return code;
    if (!append(many->text, CONFIG_MANY_SIZE, &many->length, accepted))
        return fc_fail(err, FC_BAD_CONFIG, "%s is too long: %d bytes in all fit", key->name, CONFIG_MANY_SIZE);
    many->count++;
    return FC_OK;
}

enum fc_code config_add_item(struct config *config, const struct config_key *key, const char *value, struct fc_err *err)
{
    if (key->type == CONFIG_MANY)
        return add_to_many(field(config, key), key, value, err);
    if (key->type != CONFIG_LIST)
        return config_wrong_type(key, "a list", err);
    struct config_list *list = field(config, key);
    if (list->count == LIST_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "%s has more than %d items; at most %d fit", key->name, LIST_MAX, LIST_MAX);
    const enum fc_code code = text_accept(key, list->item[list->count], value, err);
    if (code == FC_OK)
        list->count++;
    return code;
}

static size_t size_of(enum config_type type);

void config_clear_list(struct config *config, const struct config_key *key)
{
    assert(config_key_is_list(key));
    memset(field(config, key), 0, size_of(key->type));
}

static void preset_one(struct config *config, const struct config_key *key)
{
    uint64_t number = 0;
    enum fc_code code = FC_OK;

    switch (key->type) {
    case CONFIG_BOOL:
        code = config_set_bool(config, key, text_is(key->preset, "true"), NULL);
        break;
    case CONFIG_INT:
        code = text_to_u64(key->preset, strlen(key->preset), &number) ? FC_OK : FC_INTERNAL;
        if (code == FC_OK)
            code = config_set_int(config, key, (double)number, NULL);
        break;
    case CONFIG_REAL:
        code = text_to_u64(key->preset, strlen(key->preset), &number) ? FC_OK : FC_INTERNAL;
        if (code == FC_OK)
            code = config_set_real(config, key, (double)number, NULL);
        break;
    case CONFIG_TEXT:
    case CONFIG_QUERY:
        code = config_set_text(config, key, key->preset, NULL);
        break;
    case CONFIG_MAP:
        break;
    case CONFIG_LIST:                           /* "" or one item */
    case CONFIG_MANY:
        if (key->preset[0] != '\0')
            code = config_add_item(config, key, key->preset, NULL);
        break;
    }
    assert(code == FC_OK);
    (void)code;
}

void config_preset(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < config_key_count; i++)
        preset_one(config, &config_keys[i]);
}

static size_t size_of(enum config_type type)
{
    switch (type) {
    case CONFIG_BOOL: return sizeof(bool);
    case CONFIG_INT: return sizeof(int);
    case CONFIG_REAL: return sizeof(double);
    case CONFIG_TEXT: return sizeof(config_text);
    case CONFIG_QUERY: return sizeof(config_query);
    case CONFIG_LIST: return sizeof(struct config_list);
    case CONFIG_MANY: return sizeof(struct config_many);
    case CONFIG_MAP: return sizeof(struct config_map);
    }
    return 0;
}

void config_reload(struct config *running, const struct config *fresh)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (!key->is_fixed)
            memcpy((char *)running + key->offset, (const char *)fresh + key->offset, size_of(key->type));
    }
}

/* ---- names ---- */

const struct config_key *config_key_find(const char *name)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (text_is(config_keys[i].name, name))
            return &config_keys[i];
    }
    for (size_t i = 0; i < config_key_count; i++) {
        if (text_is_nocase(config_keys[i].name, name))
            return &config_keys[i];
    }
    return NULL;
}

bool config_key_is_known(const char *name)
{
    for (size_t i = 0; i < config_known_count; i++) {
        if (text_is_nocase(config_known[i].name, name))
            return true;
    }
    return config_key_find(name) != NULL;
}

#define HINT_MAX 64                    /* longer names get no hint; no key is that long */

static int lower(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c; }

/* Letters to insert, remove or change, without regard to case. Both texts are shorter than HINT_MAX. */
static int letters_apart(const char *a, const char *b)
{
    int row[HINT_MAX + 1];
    const int width = (int)strlen(b);

    for (int j = 0; j <= width; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= width; j++) {
            const int changed = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            const int shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = changed < shorter ? changed : shorter;
        }
    }
    return row[width];
}

static void nearer(const char *name, const char *candidate, int *best, const char **ret)
{
    const int apart = strlen(candidate) < HINT_MAX ? letters_apart(name, candidate) : HINT_MAX;

    if (apart < *best) {
        *best = apart;
        *ret = candidate;
    }
}

const char *config_key_nearest(const char *name)
{
    const size_t length = strnlen(name, HINT_MAX);
    const char *found = NULL;
    int best = 2 + (int)length / 6;          /* a hint further off than this is noise */

    if (length == 0 || length >= HINT_MAX)
        return NULL;
    for (size_t i = 0; i < config_key_count; i++)
        nearer(name, config_keys[i].name, &best, &found);
    for (size_t i = 0; i < config_known_count; i++)
        nearer(name, config_known[i].name, &best, &found);
    return found;
}

/* ---- composed items ---- */

bool address_split(const char *address, char *host, size_t host_size, int *port)
{
    const char *colon = strrchr(address, ':');
    const char *from = address;
    uint64_t number = 0;

    if (colon == NULL || !text_to_u64(colon + 1, strlen(colon + 1), &number) || number > 65535)
        return false;
    size_t length = (size_t)(colon - address);
    if (length > 0 && from[0] == '[') {                       /* [v6] */
        if (length < 3 || from[length - 1] != ']')
            return false;
        from++;
        length -= 2;
    } else if (memchr(from, ':', length) != NULL) {           /* a bare v6 address: which colon is the port's? */
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)from[i] <= ' ' || from[i] == '/' || from[i] == '[' || from[i] == ']')
            return false;
    }
    if (!text_copy_bytes(host, host_size, from, length))
        return false;
    *port = (int)number;
    return true;
}

static enum fc_code item_name(const char *item, char name[NODE_NAME_SIZE], const char **rest, struct fc_err *err)
{
    const char *equals = strchr(item, '=');

    if (equals == NULL || !text_is_name(item, (size_t)(equals - item)))
        return fc_fail(err, FC_BAD_CONFIG,
                       "'%s' must be name=address, the name 1 to 63 letters, digits, '.', '_' or '-'", item);
    text_copy_bytes(name, NODE_NAME_SIZE, item, (size_t)(equals - item));
    *rest = equals + 1;
    return FC_OK;
}

enum fc_code named_address_parse(const char *item, struct named_address *ret, struct fc_err *err)
{
    struct named_address parsed;
    char host[ADDRESS_SIZE];
    const char *address;
    int port;

    if (item_name(item, parsed.name, &address, err) != FC_OK)
        return FC_BAD_CONFIG;
    const bool is_path = address[0] == '/';
    if (!is_path && (!address_split(address, host, sizeof host, &port) || host[0] == '\0' || port == 0))
        return fc_fail(err, FC_BAD_CONFIG, "'%s' must be name=host:port or name=/path", item);
    if (!TEXT_SET(parsed.address, address))
        return fc_fail(err, FC_BAD_CONFIG, "the address in '%s' must be shorter than %d bytes", item, ADDRESS_SIZE);
    *ret = parsed;
    return FC_OK;
}

enum fc_code node_address_parse(const char *item, struct node_address *ret, struct fc_err *err)
{
    struct node_address parsed;
    char http[ADDRESS_SIZE];
    const char *address;
    uint64_t agent_port = 0;

    if (item_name(item, parsed.name, &address, err) != FC_OK)
        return FC_BAD_CONFIG;
    const char *slash = strchr(address, '/');
    if (slash == NULL || !text_copy_bytes(http, sizeof http, address, (size_t)(slash - address)) ||
        !address_split(http, parsed.host, sizeof parsed.host, &parsed.http_port) || parsed.host[0] == '\0' ||
        parsed.http_port == 0 || !text_to_u64(slash + 1, strlen(slash + 1), &agent_port) || agent_port == 0 ||
        agent_port > 65535)
        return fc_fail(err, FC_BAD_CONFIG, "'%s' must be name=host:port/agentport, as in fc1=10.0.9.1:3000/9377", item);
    parsed.agent_port = (int)agent_port;
    *ret = parsed;
    return FC_OK;
}

int config_other_nodes(const struct config *config, const char *own_name, struct node_address ret[NODES_MAX])
{
    int count = 0;
    for (int i = 0; i < config->nodes.count && count < NODES_MAX; i++)
        count += node_address_parse(config->nodes.item[i], &ret[count], NULL) == FC_OK && !text_is(ret[count].name, own_name);
    return count;
}

enum consent config_consent(const struct config *config, int nodes)
{
    for (int i = CONSENT_NONE; i < CONSENT_COUNT; i++) {
        if (text_is(config->failure_detection_quorum, consent_word((enum consent)i)))
            return (enum consent)i;
    }
    return nodes >= 3 ? CONSENT_MAJORITY : CONSENT_NONE;
}

void node_agent_address(const struct node_address *node, char to[ADDRESS_SIZE])
{
    text_format(to, ADDRESS_SIZE, strchr(node->host, ':') != NULL ? "[%s]:%d" : "%s:%d", node->host, node->agent_port);
}

bool address_with_port(const char *address, int default_port, char *to, size_t size)
{
    char host[ADDRESS_SIZE];
    int port = default_port;
    const char *colon = strrchr(address, ':');
    const bool has_port = colon != NULL && colon[1] != '\0' && strchr(colon, ']') == NULL;

    if (has_port ? !address_split(address, host, sizeof host, &port) || port == 0 : !text_copy(host, sizeof host, address))
        return false;
    if (!has_port && host[0] == '[') {                     /* "[v6]" */
        const size_t length = strlen(host);
        if (length < 4 || host[length - 1] != ']')
            return false;
        return text_format(to, size, "%s:%d", host, port);
    }
    return host[0] != '\0' && text_format(to, size, strchr(host, ':') != NULL ? "[%s]:%d" : "%s:%d", host, port);
}

enum fc_code raft_node_parse(const char *item, int default_port, struct named_address *ret, struct fc_err *err)
{
    struct named_address parsed;
    const char *equals = strchr(item, '=');
    const char *address = equals == NULL ? item : equals + 1;
    const size_t length = equals == NULL ? strcspn(item, ":") : (size_t)(equals - item);

    if (!text_is_name(item, length) || !text_copy_bytes(parsed.name, sizeof parsed.name, item, length))
        return fc_fail(err, FC_BAD_CONFIG, "RaftNodes has '%s'; it must be name=host:port, as in fc1=10.0.9.1:10008", item);
    if (!address_with_port(address, default_port, parsed.address, sizeof parsed.address))
        return fc_fail(err, FC_BAD_CONFIG, "RaftNodes has '%s'; its address must be host or host:port", item);
    *ret = parsed;
    return FC_OK;
}

bool config_is_witness(const struct config *config) { return text_is(config->role, "witness"); }

bool config_has_pair(const struct config *config) { return config->backend_servers.count > 0; }

/* ---- rules of more than one key ---- */

static bool is_one_of(const char *value, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (text_is(value, *words))
            return true;
    }
    return false;
}

static enum fc_code check_http(struct config *config, struct fc_err *err)
{
    static const char *const methods[] = { "", "basic", "multi", "proxy", NULL };
    char *prefix = config->url_prefix;
    char *method = config->authentication_method;
    char trimmed[CONFIG_TEXT_SIZE];
    size_t end = strlen(prefix);
    size_t begin = strspn(prefix, "/");

    while (end > begin && prefix[end - 1] == '/')
        end--;
    TEXT_FORMAT(trimmed, "%.*s", (int)(end - begin), prefix + begin);
    if (trimmed[0] == '\0')
        prefix[0] = '\0';
    else if (!text_format(prefix, CONFIG_TEXT_SIZE, "/%s", trimmed))
        return fc_fail(err, FC_BAD_CONFIG, "URLPrefix is too long; it must be at most %d bytes", CONFIG_TEXT_SIZE - 2);
    if (config->status_endpoint[0] != '/')
        return fc_fail(err, FC_BAD_CONFIG, "StatusEndpoint is '%s'; it must begin with '/'", config->status_endpoint);

    for (char *c = method; *c != '\0'; c++)
        *c = (char)lower(*c);
    if (!is_one_of(method, methods))
        return fc_fail(err, FC_BAD_CONFIG,
                       "AuthenticationMethod is '%s'; this version knows \"basic\", \"multi\", \"proxy\" and \"\" for none",
                       method);
    if ((text_is(method, "basic") || text_is(method, "multi")) &&
        (config->http_auth_user[0] == '\0' || config->http_auth_password[0] == '\0'))
        return fc_fail(err, FC_BAD_CONFIG,
                       "AuthenticationMethod is '%s' without HTTPAuthUser and HTTPAuthPassword; both must be set, "
                       "or everybody could write", method);
    if (text_is(method, "proxy") && config->auth_user_header[0] == '\0')
        return fc_fail(err, FC_BAD_CONFIG,
                       "AuthenticationMethod is 'proxy' with an empty AuthUserHeader; it must name the header of the user");
    return FC_OK;
}

static enum fc_code check_https(struct config *config, struct fc_err *err)
{
    if (config->http_wants_certificate && !config->http_uses_tls)
        return fc_fail(err, FC_BAD_CONFIG, "UseMutualTLS is true while UseSSL is false; nobody can show a certificate in plain HTTP: set both, "
                       "or none");
    if (config->http_uses_tls && (config->http_certificate_file[0] == '\0' || config->http_key_file[0] == '\0'))
        return fc_fail(err, FC_BAD_CONFIG, "UseSSL is true without %s; SSLCertFile and SSLPrivateKeyFile must name the certificate and its key",
                       config->http_certificate_file[0] == '\0' ? "SSLCertFile" : "SSLPrivateKeyFile");
    if (config->http_wants_certificate && config->http_ca_file[0] == '\0')
        return fc_fail(err, FC_BAD_CONFIG, "UseMutualTLS is true without SSLCAFile; it must name the authorities of the clients' certificates");
    return FC_OK;
}

static enum fc_code check_listeners(struct config *config, struct fc_err *err)
{
    const struct { const char *name, *value; } addresses[] = {
        { "ListenAddress", config->listen_address }, { "AgentListenAddress", config->agent_listen_address },
    };
    char host[ADDRESS_SIZE];
    int port;

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        if (addresses[i].value[0] != '\0' && !address_split(addresses[i].value, host, sizeof host, &port))
            return fc_fail(err, FC_BAD_CONFIG, "%s is '%s'; it must be host:port, [v6]:port or :port", addresses[i].name,
                           addresses[i].value);
    }
    if (config->redis_address[0] != '\0' && config->redis_address[0] != '/' &&
        (!address_split(config->redis_address, host, sizeof host, &port) || host[0] == '\0'))
        return fc_fail(err, FC_BAD_CONFIG, "RedisAddress is '%s'; it must be host:port or a path that begins with '/'",
                       config->redis_address);
    return FC_OK;
}

static enum fc_code check_fixed_ports(struct config *config, struct fc_err *err)
{
    for (int i = 0; i < config->agent_fixed_ports.count; i++) {
        const char *item = config->agent_fixed_ports.item[i];
        const char *equals = strchr(item, '=');
        const char *slash = equals == NULL ? NULL : strchr(equals, '/');
        uint64_t port = 0;
        if (slash == NULL || !text_to_u64(item, (size_t)(equals - item), &port) || port == 0 || port > 65535 ||
            !text_is_name(equals + 1, (size_t)(slash - equals - 1)) || !text_is_name(slash + 1, strlen(slash + 1)))
            return fc_fail(err, FC_BAD_CONFIG, "AgentFixedPorts has '%s'; it must be port=pool/server, as in "
                           "9401=fc_backend/db1", item);
    }
    return FC_OK;
}

/* What belongs to a store is refused: who gives it believes that there is one. Accounts may stand in a file that all nodes share; here
 * nobody holds them. */
static enum fc_code check_role(struct config *config, struct fc_err *err)
{
    static const char *const roles[] = { "node", "witness", NULL };
    config_text *const accounts[] = {
        &config->mysql_user, &config->mysql_password, &config->mysql_credentials_file, &config->fence_user, &config->fence_password,
        &config->fence_credentials_file, &config->topology_user, &config->topology_password, &config->topology_credentials_file,
    };
    const struct { const char *name, *value; } stores[] = {
        { "BackendDB", config->backend_db }, { "MySQLOrchestratorHost", config->mysql_host },
    };

    if (!is_one_of(config->role, roles))
        return fc_fail(err, FC_BAD_CONFIG, "Role is '%s'; it must be \"node\" or \"witness\"", config->role);
    if (!config_is_witness(config))
        return FC_OK;
    if (!config->raft_enabled || config->raft_nodes.count < 3)
        return fc_fail(err, FC_BAD_CONFIG, "Role is 'witness'; that needs RaftEnabled and at least three RaftNodes, of which it is one");
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        if (stores[i].value[0] != '\0')
            return fc_fail(err, FC_BAD_CONFIG, "Role is 'witness' and %s is '%s'; a witness has no store: one of them must go", stores[i].name,
                           stores[i].value);
    }
    for (size_t i = 0; i < sizeof accounts / sizeof accounts[0]; i++)
        memset(*accounts[i], 0, sizeof *accounts[i]);
    memset(&config->discovery_seeds, 0, sizeof config->discovery_seeds);
    return FC_OK;
}

static enum fc_code check_store(struct config *config, struct fc_err *err)
{
    static const char *const words[] = { "mysql", "sqlite", "sqlite3", NULL };
    const bool has_mysql = config_has_pair(config) || config->mysql_host[0] != '\0';

    if (config_is_witness(config))
        return FC_OK;
    if (config->backend_db[0] == '\0')
        text_copy(config->backend_db, CONFIG_TEXT_SIZE, has_mysql ? "mysql" : "sqlite");
    if (!is_one_of(config->backend_db, words))
        return fc_fail(err, FC_BAD_CONFIG, "BackendDB is '%s'; it must be \"mysql\" or \"sqlite\"", config->backend_db);
    if (text_is(config->backend_db, "sqlite3"))
        text_copy(config->backend_db, CONFIG_TEXT_SIZE, "sqlite");
    if (text_is(config->backend_db, "mysql")) {
        if (!has_mysql)
            return fc_fail(err, FC_BAD_CONFIG,
                           "BackendDB is 'mysql' without a server; BackendServers or MySQLOrchestratorHost must be set");
        if (config->mysql_database[0] == '\0')
            return fc_fail(err, FC_BAD_CONFIG, "MySQLOrchestratorDatabase is empty; it must name the schema of the store");
        return FC_OK;
    }
    if (config_has_pair(config))
        return fc_fail(err, FC_BAD_CONFIG,
                       "BackendDB is 'sqlite' while BackendServers names MySQL servers; one of them must go");
    if (config->sqlite3_data_file[0] == '\0')
        return fc_fail(err, FC_BAD_CONFIG, "SQLite3DataFile is empty; it must name a file, or \":memory:\"");
    return FC_OK;
}

/* Names and addresses of a list of name=address items: each once. */
static enum fc_code check_named(const char *key, const struct config_list *list, int most, bool may_be_path,
                                struct fc_err *err)
{
    struct named_address seen[LIST_MAX];
    struct fc_err inner = { 0 };

    if (list->count > most)
        return fc_fail(err, FC_BAD_CONFIG, "%s has %d items; at most %d are possible", key, list->count, most);
    for (int i = 0; i < list->count; i++) {
        if (named_address_parse(list->item[i], &seen[i], &inner) != FC_OK)
            return fc_fail(err, FC_BAD_CONFIG, "%s: %s", key, inner.text);
        if (!may_be_path && seen[i].address[0] == '/')
            return fc_fail(err, FC_BAD_CONFIG, "%s has '%s'; it must be name=host:port", key, list->item[i]);
        for (int j = 0; j < i; j++) {
            if (text_is_nocase(seen[i].name, seen[j].name) || text_is_nocase(seen[i].address, seen[j].address))
                return fc_fail(err, FC_BAD_CONFIG, "%s has '%s' and '%s'; each name and each address must stand there once",
                               key, list->item[j], list->item[i]);
        }
    }
    return FC_OK;
}

static enum fc_code check_pair(struct config *config, struct fc_err *err)
{
    if (!config_has_pair(config))
        return FC_OK;
    const enum fc_code code = check_named("BackendServers", &config->backend_servers, STORE_SERVERS_MAX, false, err);
    if (code != FC_OK)
        return code;
    if (config->backend_servers.count < 2)
        return fc_fail(err, FC_BAD_CONFIG, "BackendServers has one server, '%s'; it must have two or more, or use "
                       "MySQLOrchestratorHost for a single one", config->backend_servers.item[0]);
    if (config_is_witness(config))
        return FC_OK;
    if (config->mysql_user[0] == '\0' && config->mysql_credentials_file[0] == '\0')
        return fc_fail(err, FC_BAD_CONFIG, "BackendServers is set without a store account; MySQLOrchestratorUser or "
                       "MySQLOrchestratorCredentialsConfigFile must be set");
    if (config->fence_user[0] == '\0' && config->fence_credentials_file[0] == '\0')
        return fc_fail(err, FC_BAD_CONFIG, "BackendServers is set without a fence account; BackendFenceUser or "
                       "BackendFenceCredentialsConfigFile must be set");
    if (config->fence_user[0] != '\0' && text_is(config->fence_user, config->mysql_user))
        return fc_fail(err, FC_BAD_CONFIG, "BackendFenceUser and MySQLOrchestratorUser are both '%s'; they must be two "
                       "accounts, because read_only does not bind the fence's", config->fence_user);
    return FC_OK;
}

static enum fc_code check_raft_nodes(struct config *config, struct fc_err *err)
{
    struct named_address seen[RAFT_NODES_MAX];

    if (config->raft_nodes.count > RAFT_NODES_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "RaftNodes has %d nodes; at most %d are possible", config->raft_nodes.count, RAFT_NODES_MAX);
    for (int i = 0; i < config->raft_nodes.count; i++) {
        if (raft_node_parse(config->raft_nodes.item[i], config->raft_port, &seen[i], err) != FC_OK)
            return FC_BAD_CONFIG;
        for (int j = 0; j < i; j++) {
            if (text_is_nocase(seen[i].name, seen[j].name) || text_is_nocase(seen[i].address, seen[j].address))
                return fc_fail(err, FC_BAD_CONFIG, "RaftNodes has '%s' and '%s'; each name and each address must stand there once",
                               config->raft_nodes.item[j], config->raft_nodes.item[i]);
        }
    }
    return FC_OK;
}

static enum fc_code check_raft(struct config *config, struct fc_err *err)
{
    char address[ADDRESS_SIZE];

    if (!config->raft_enabled)
        return FC_OK;
    if (config->raft_data_dir[0] != '/')
        return fc_fail(err, FC_BAD_CONFIG, "RaftDataDir is '%s'; with RaftEnabled it must be an absolute path", config->raft_data_dir);
    if (strlen(config->raft_data_dir) > 200)
        return fc_fail(err, FC_BAD_CONFIG, "RaftDataDir is longer than 200 bytes");
    if (!address_with_port(config->raft_bind, config->raft_port, address, sizeof address))
        return fc_fail(err, FC_BAD_CONFIG, "RaftBind is '%s'; it must be host or host:port", config->raft_bind);
    if (config->raft_advertise[0] != '\0' && !address_with_port(config->raft_advertise, config->raft_port, address, sizeof address))
        return fc_fail(err, FC_BAD_CONFIG, "RaftAdvertise is '%s'; it must be host or host:port", config->raft_advertise);
    if (!text_is_name(config->raft_cluster_name, strlen(config->raft_cluster_name)))
        return fc_fail(err, FC_BAD_CONFIG, "RaftClusterName is '%s'; it must be 1 to 63 letters, digits, '.', '_' or '-'",
                       config->raft_cluster_name);
    return check_raft_nodes(config, err);
}

static enum fc_code check_steering(struct config *config, struct fc_err *err)
{
    static const char *const arbitrations[] = { "auto", "local", "quorum", NULL };
    static const char *const term_overs[] = { "closed", "freeze", NULL };
    static const char *const quorums[] = { "auto", "none", "any", "majority", NULL };

    if (!is_one_of(config->steering_arbitration, arbitrations))
        return fc_fail(err, FC_BAD_CONFIG, "SteeringArbitration is '%s'; it must be \"auto\", \"quorum\" or \"local\"",
                       config->steering_arbitration);
    if (text_is(config->steering_arbitration, "quorum") && (!config->raft_enabled || config->raft_nodes.count < 3))
        return fc_fail(err, FC_BAD_CONFIG, "SteeringArbitration is 'quorum'; that needs RaftEnabled and at least three RaftNodes");
    if (text_is(config->steering_arbitration, "local") && config->raft_enabled && config_has_pair(config))
        return fc_fail(err, FC_BAD_CONFIG, "SteeringArbitration is 'local', and RaftEnabled with BackendServers is the quorum: one of them must go");
    if (!is_one_of(config->failure_detection_quorum, quorums))
        return fc_fail(err, FC_BAD_CONFIG, "FailureDetectionQuorum is '%s'; it must be \"auto\", \"majority\", \"any\" or \"none\"",
                       config->failure_detection_quorum);
    if (!is_one_of(config->steering_term_over, term_overs))
        return fc_fail(err, FC_BAD_CONFIG, "SteeringTermOver is '%s'; it must be \"closed\" or \"freeze\"",
                       config->steering_term_over);
    const struct { const char *name, *value; } pools[] = {
        { "BackendPool", config->backend_pool }, { "LeaderPool", config->leader_pool },
    };
    for (size_t i = 0; i < 2; i++) {
        if (!text_is_name(pools[i].value, strlen(pools[i].value)))
            return fc_fail(err, FC_BAD_CONFIG, "%s is '%s'; it must be 1 to 63 letters, digits, '.', '_' or '-'",
                           pools[i].name, pools[i].value);
    }
    if (text_is(config->backend_pool, config->leader_pool))
        return fc_fail(err, FC_BAD_CONFIG, "BackendPool and LeaderPool are both '%s'; they must be two names",
                       config->backend_pool);
    return FC_OK;
}

static enum fc_code check_nodes(struct config *config, struct fc_err *err)
{
    struct node_address nodes[NODES_MAX];
    struct fc_err inner = { 0 };
    bool has_own = false;

    if (config->node_name[0] != '\0' && !text_is_name(config->node_name, strlen(config->node_name)))
        return fc_fail(err, FC_BAD_CONFIG, "NodeName is '%s'; it must be 1 to 63 letters, digits, '.', '_' or '-'",
                       config->node_name);
    if (config->nodes.count > NODES_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "Nodes has %d items; at most %d are possible", config->nodes.count, NODES_MAX);
    for (int i = 0; i < config->nodes.count; i++) {
        if (node_address_parse(config->nodes.item[i], &nodes[i], &inner) != FC_OK)
            return fc_fail(err, FC_BAD_CONFIG, "Nodes: %s", inner.text);
        has_own = has_own || text_is(nodes[i].name, config->node_name);
        for (int j = 0; j < i; j++) {
            if (text_is_nocase(nodes[i].name, nodes[j].name) ||
                (text_is_nocase(nodes[i].host, nodes[j].host) &&
                 (nodes[i].http_port == nodes[j].http_port || nodes[i].agent_port == nodes[j].agent_port)))
                return fc_fail(err, FC_BAD_CONFIG, "Nodes has '%s' and '%s'; each name and each address must stand there "
                               "once", config->nodes.item[j], config->nodes.item[i]);
        }
    }
    if (config->nodes.count > 0 && config->node_name[0] != '\0' && !has_own)
        return fc_fail(err, FC_BAD_CONFIG, "NodeName is '%s', which is not in Nodes; Nodes must name every node, this one too",
                       config->node_name);
    return check_named("HAProxyInstances", &config->haproxy_instances, PROXIES_MAX, true, err);
}

/* The order of time bounds: a renewal that fails once costs nothing, and a term is over before anybody else may take over. */
static enum fc_code check_times(struct config *config, struct fc_err *err)
{
    const int sure_ms = (int)((int64_t)config->lease_ms * (100 - config->drift_percent) / 100);

    if ((int64_t)config->lease_renew_ms * 2 >= config->lease_ms)
        return fc_fail(err, FC_BAD_CONFIG, "LeaseRenewMilliseconds is %d; it must be less than half of LeaseMilliseconds "
                       "(%d)", config->lease_renew_ms, config->lease_ms);
    if (config->probe_timeout_ms >= config->lease_ms)
        return fc_fail(err, FC_BAD_CONFIG, "BackendProbeTimeoutMilliseconds is %d; it must be less than LeaseMilliseconds "
                       "(%d)", config->probe_timeout_ms, config->lease_ms);
    if (config->poll_ms >= config->lease_ms)
        return fc_fail(err, FC_BAD_CONFIG, "BackendPollMilliseconds is %d; it must be less than LeaseMilliseconds (%d)",
                       config->poll_ms, config->lease_ms);
    if (config->term_ms > sure_ms)
        return fc_fail(err, FC_BAD_CONFIG, "TermMilliseconds is %d; it must be at most %d, LeaseMilliseconds (%d) less "
                       "LeaseDriftPercent (%d)", config->term_ms, sure_ms, config->lease_ms, config->drift_percent);
    if (config->term_ms <= config->lease_renew_ms)
        return fc_fail(err, FC_BAD_CONFIG, "TermMilliseconds is %d; it must be more than LeaseRenewMilliseconds (%d), or "
                       "the term ends between two renewals", config->term_ms, config->lease_renew_ms);
    if (config->term_ms <= config->agent_inter_ms)
        return fc_fail(err, FC_BAD_CONFIG, "TermMilliseconds is %d; it must be more than AgentInterMilliseconds (%d), or "
                       "HAProxy is told of it too late", config->term_ms, config->agent_inter_ms);
    return FC_OK;
}

/* The relay must find a silent node in less than half the time in which the token check gives up (steering.md 7.4). */
static enum fc_code check_token_check(struct config *config, struct fc_err *err)
{
    const int64_t patience_ms = (int64_t)(config->check_fall - 1) * config->check_inter_ms;

    if (patience_ms < 400)
        return fc_fail(err, FC_BAD_CONFIG, "TokenCheckFall is %d and TokenCheckMilliseconds is %d; (fall - 1) x milliseconds "
                       "must be at least 400, or the relay cannot leave a silent node in time", config->check_fall,
                       config->check_inter_ms);
    return FC_OK;
}

static enum fc_code check_fleet(struct config *config, struct fc_err *err)
{
    static const char *const methods[] = { "none", "default", "cname", "ip", NULL };
    static const char *const own_names[] = { "", "none", "default", "hostname", "@@hostname", "report_host", "@@report_host", NULL };

    if (!is_one_of(config->resolve_method, methods))
        return fc_fail(err, FC_BAD_CONFIG, "HostnameResolveMethod is '%s'; it must be \"none\", \"default\", \"cname\" or \"ip\"",
                       config->resolve_method);
    if (!is_one_of(config->mysql_resolve_method, own_names))
        return fc_fail(err, FC_BAD_CONFIG, "MySQLHostnameResolveMethod is '%s'; it must be \"none\", \"@@hostname\" or \"@@report_host\"",
                       config->mysql_resolve_method);
    if (config->dead_poll_seconds_max < config->instance_poll_seconds)
        return fc_fail(err, FC_BAD_CONFIG, "DeadInstancePollSecondsMax is %d; it must be at least InstancePollSeconds (%d)",
                       config->dead_poll_seconds_max, config->instance_poll_seconds);
    if (config->lag_query[0] != '\0' && config->lag_query_old[0] != '\0' && !text_is(config->lag_query, config->lag_query_old))
        return fc_fail(err, FC_BAD_CONFIG, "ReplicationLagQuery and SlaveLagQuery differ; they are two names of one key: one of them must go");
    if (config->lag_query[0] == '\0')
        text_copy(config->lag_query, CONFIG_QUERY_SIZE, config->lag_query_old);
    config->lag_query_old[0] = '\0';
    return FC_OK;
}

enum fc_code config_check(struct config *config, struct fc_err *err)
{
    static enum fc_code (*const checks[])(struct config *, struct fc_err *) = {
        check_http, check_https, check_listeners, check_fixed_ports, check_role, check_store, check_pair, check_raft, check_steering, check_nodes,
        check_times, check_token_check, check_fleet, config_check_clusters,
    };

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const enum fc_code code = checks[i](config, err);
        if (code != FC_OK)
            return code;
    }
    return FC_OK;
}

/* ---- values as JSON text ---- */

struct json {
    char *to;
    size_t size, length;
};

static void json_byte(struct json *json, char c)
{
    if (json->length + 1 < json->size) {
        json->to[json->length++] = c;
        json->to[json->length] = '\0';
    }
}

static void json_quote(struct json *json, const char *text)
{
    json_byte(json, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            json_byte(json, '\\');
        json_byte(json, *text);              /* control bytes were refused when the value was set */
    }
    json_byte(json, '"');
}

static void json_between(struct json *json, bool is_between)
{
    if (!is_between)
        return;
    json_byte(json, ',');
    json_byte(json, ' ');
}

static void json_list(struct json *json, const struct config_list *list)
{
    for (int i = 0; i < list->count; i++) {
        json_between(json, i > 0);
        json_quote(json, list->item[i]);
    }
}

static void json_many(struct json *json, const struct config_many *many)
{
    for (const char *at = config_many_next(many, NULL); at != NULL; at = config_many_next(many, at)) {
        json_between(json, at != many->text);
        json_quote(json, at);
    }
}

static void json_map(struct json *json, const struct config_map *map)
{
    const char *value;
    for (const char *at = config_map_next(map, NULL, &value); at != NULL; at = config_map_next(map, at, &value)) {
        json_between(json, at != map->text);
        json_quote(json, at);
        json_byte(json, ':');
        json_byte(json, ' ');
        json_quote(json, value);
    }
}

void config_value_text(const struct config *config, const struct config_key *key, char *to, size_t size)
{
    struct json json = { to, size, 0 };
    const void *value = field_of(config, key);

    assert(size > 0);
    to[0] = '\0';
    switch (key->type) {
    case CONFIG_BOOL:
        text_format(to, size, "%s", *(const bool *)value ? "true" : "false");
        break;
    case CONFIG_INT:
        text_format(to, size, "%d", *(const int *)value);
        break;
    case CONFIG_REAL:
        text_format(to, size, "%g", *(const double *)value);
        break;
    case CONFIG_TEXT:
    case CONFIG_QUERY:
        if (key->is_secret && ((const char *)value)[0] != '\0')
            value = "(set)";
        json_quote(&json, value);
        break;
    case CONFIG_MAP:
        json_byte(&json, '{');
        json_map(&json, value);
        json_byte(&json, '}');
        break;
    case CONFIG_LIST:
    case CONFIG_MANY:
        json_byte(&json, '[');
        if (key->type == CONFIG_LIST)
            json_list(&json, value);
        else
            json_many(&json, value);
        json_byte(&json, ']');
        break;
    }
}
