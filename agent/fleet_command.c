/* The table of commands: a template of the question, and a form of the answer. In a template $I is the instance as host/port, $H the
 * hint (the alias if there is one, else the instance as typed), both this host where none was given; $J and $K are the same without that,
 * for what is not to be done by forgetting a word. $D the destination; $o owner, $r reason, $u duration, $t tag, $l pool, $n host name,
 * $R rule, $p pattern, $s pattern or else the instance's text, $q statement, $i the instance's text, each percent-encoded; [...] is left
 * out when its value was not given. */
#include "agent/fleet_command.h"

#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config_file.h"
#include "agent/fleet_forms.h"
#include "agent/fleet_offline.h"
#include "base/text.h"
#include "model/instance.h"

#define TIMEOUT_MS 60000              /* longer than a node waits for an order about its fleet */
#define LEADER_CHECK_MS 1000          /* of each address, where several are named; as orchestrator's client */
#define PATH_SIZE 8192
#define INSTANCE_SIZE (INSTANCE_HOST_MAX + 16)      /* [HOST]:PORT */
#define KNOCK_MS 5000                 /* for the node of this host, before the store is read instead */

struct command {
    const char *word;
    const char *path;
    enum fleet_form form;
    const char *meaning;
};

static const struct command commands[] = {
    { "clusters", "/api/clusters-info", FORM_CLUSTER_NAMES, "names of all clusters" },
    { "clusters-alias", "/api/clusters-info", FORM_CLUSTER_ALIASES, "names and aliases of all clusters" },
    { "all-clusters-masters", "/api/masters", FORM_KEYS, "the writable master of each cluster" },
    { "all-instances", "/api/all-instances", FORM_KEYS, "all servers" },
    { "bulk-instances", "/api/bulk-instances", FORM_KEYS, "all servers by name" },
    { "bulk-promotion-rules", "/api/bulk-promotion-rules", FORM_RULES, "promotion rules that were registered" },
    { "search", "/api/search?s=$s", FORM_KEYS, "servers with this text in name, cluster, alias or version" },
    { "find", "/api/find?pattern=$p", FORM_KEYS, "servers whose host:port fits a pattern" },
    { "topology", "/api/topology/$H", FORM_TEXT, "a cluster as a tree; with --pattern as it was in the newest snapshot whose moment fits" },
    { "topology-tabulated", "/api/topology-tabulated/$H", FORM_TEXT, "a cluster as a table" },
    { "topology-tags", "/api/topology-tags/$H", FORM_TEXT, "a cluster as a tree with tags" },
    { "instance", "/api/instance/$I", FORM_KEY, "the server itself; an error when it is not known" },
    { "which-instance", "/api/instance/$I", FORM_KEY, "the same" },
    { "instance-status", "/api/topology/$I", FORM_STATUS, "its line of the tree, without the name" },
    { "which-master", "/api/instance/$I", FORM_MASTER_KEY, "its master; nothing when it has none" },
    { "which-replicas", "/api/instance-replicas/$I", FORM_KEYS, "those that replicate from it" },
    { "which-broken-replicas", "/api/instance-replicas/$I", FORM_BROKEN_KEYS, "those of them that have stopped with an error" },
    { "which-cluster", "/api/cluster-info/$H", FORM_CLUSTER_NAME, "the name of its cluster" },
    { "which-cluster-alias", "/api/cluster-info/$H", FORM_CLUSTER_ALIAS, "the alias of its cluster" },
    { "which-cluster-domain", "/api/cluster-info/$H", FORM_CLUSTER_DOMAIN, "the domain of its cluster" },
    { "which-heuristic-domain-instance", "/api/heuristic-domain-instance/$H", FORM_KEYS, "who took its domain over last; nothing when nobody did" },
    { "which-cluster-master", "/api/master/$H", FORM_KEY, "the master of the cluster" },
    { "which-cluster-instances", "/api/cluster/$H", FORM_KEYS, "servers of the cluster" },
    { "which-cluster-osc-replicas", "/api/cluster-osc-replicas/$H", FORM_KEYS, "replicas whose lag stands for the cluster's" },
    { "which-cluster-osc-running-replicas", "/api/cluster-osc-replicas/$H", FORM_RUNNING_KEYS, "those of them that replicate" },
    { "which-cluster-gh-ost-replicas", "/api/cluster-gh-ost-replicas/$H", FORM_KEYS, "replicas fit for gh-ost" },
    { "get-cluster-heuristic-lag", "/api/cluster-info/$H", FORM_CLUSTER_LAG, "the largest lag of those that stand for the cluster" },
    { "which-heuristic-cluster-pool-instances", "/api/heuristic-cluster-pool-instances/$H[/$l]", FORM_KEYS, "its servers in a pool" },
    { "which-downtimed-instances", "/api/downtimed[/$H]", FORM_KEYS, "downtimed servers" },
    { "downtimed", "/api/downtimed[/$H]", FORM_KEYS, "the same" },
    { "which-lost-in-recovery", "/api/downtimed", FORM_LOST_KEYS, "servers that a recovery has lost" },
    { "dominant-dc", "/api/masters", FORM_DATA_CENTER, "the data center of most masters" },
    { "is-replicating", "/api/instance/$I", FORM_RUNNING_KEY, "itself when both threads run" },
    { "is-replication-stopped", "/api/instance/$I", FORM_STOPPED_KEY, "itself when both threads stand" },
    { "which-gtid-errant", "/api/instance/$I", FORM_ERRANT, "transactions that its master does not have" },
    { "locate-gtid-errant", "/api/locate-gtid-errant/$I", FORM_LINES, "its binary logs in which those stand" },
    { "can-replicate-from", "/api/can-replicate-from/$I/$D", FORM_KEY_OR_NOTHING, "the destination when it may" },
    { "can-replicate-from-gtid", "/api/can-replicate-from-gtid/$I/$D", FORM_KEY_OR_NOTHING, "the same by GTID" },
    { "replication-analysis", "/api/replication-analysis", FORM_ANALYSES, "what is wrong" },
    { "get-candidate-replica", "/api/get-candidate-replica/$I", FORM_KEY, "refused: no recoveries in this version" },
    { "submit-masters-to-kv-stores", "/api/submit-masters-to-kv-stores[/$H]", FORM_LINES, "refused: no key-value stores in this version" },
    { "check-global-recoveries", "/api/check-global-recoveries", FORM_SWITCH, "whether they are disabled: `OK: Global recoveries disabled: true`" },
    { "tags", "/api/tags/$I", FORM_LINES, "its tags" },
    { "tag-value", "/api/tag-value/$I?tag=$t", FORM_TEXT, "the value of a tag" },
    { "tagged", "/api/tagged?tag=$t", FORM_KEYS, "servers with all of these tags" },
    { "in-maintenance", "/api/in-maintenance/$I", FORM_TEXT, "itself when somebody works on it" },
    { "restart-replica-statements", "/api/restart-replica-statements/$I?q=$q", FORM_LINES, "a statement between those that stop and start replication" },
    { "cluster-pool-instances", "/api/cluster-pool-instances", FORM_POOL_ROWS, "servers in pools: cluster, alias, pool, server" },
    { "active-nodes", "/api/health", FORM_NODES, "nodes that this one knows to be there" },
    { "raft-leader-hostname", "/api/health", FORM_LEADER, "the leader's name" },
    { "show-unresolve-hosts", "/api/hostname-unresolve", FORM_RESOLVED, "names that stand for hosts" },
    { "show-resolve-hosts", "/api/hostname-resolve-cache", FORM_RESOLVED, "names that were resolved" },
    { "discover", "/api/discover/$I", FORM_KEY, "look at a server now, then at its neighbours" },
    { "async-discover", "/api/async-discover/$I", FORM_KEY, "the same, without waiting for it" },
    { "refresh", "/api/refresh/$I", FORM_KEY, "look at a known server now" },
    { "forget", "/api/forget/$J", FORM_KEY, "forget a server" },
    { "forget-cluster", "/api/forget-cluster/$K", FORM_NOTHING, "forget all servers of a cluster" },
    { "resolve", "/api/resolve/$J", FORM_KEY, "its name, after a connection to it" },
    { "begin-downtime", "/api/begin-downtime/$I/$o/$r[/$u]", FORM_KEY, "what is wrong with it is expected" },
    { "end-downtime", "/api/end-downtime/$I", FORM_KEY, "it counts again" },
    { "begin-maintenance", "/api/begin-maintenance/$I/$o/$r[/$u]", FORM_KEY, "lock it for an owner" },
    { "end-maintenance", "/api/end-maintenance/$I", FORM_KEY, "unlock it" },
    { "register-candidate", "/api/register-candidate/$I/$R", FORM_KEY, "how gladly it is promoted" },
    { "tag", "/api/tag/$I?tag=$t", FORM_KEY, "give it a tag" },
    { "untag", "/api/untag/$I?tag=$t", FORM_KEYS, "take a tag off it" },
    { "untag-all", "/api/untag-all?tag=$t", FORM_KEYS, "take NAME=VALUE off all servers" },
    { "submit-pool-instances", "/api/submit-pool-instances/$l?instances=$i", FORM_NOTHING, "who is in a pool from now on" },
    { "register-hostname-unresolve", "/api/register-hostname-unresolve/$I/$n", FORM_KEY, "the name that stands for it" },
    { "deregister-hostname-unresolve", "/api/deregister-hostname-unresolve/$I", FORM_KEY, "its own name again" },
    { "reset-hostname-resolve-cache", "/api/reset-hostname-resolve-cache", FORM_NOTHING, "resolve all names anew" },
    { "snapshot-topologies", "/api/snapshot-topologies", FORM_TEXT, "keep who replicates from whom" },
    { "ack-all-recoveries", "/api/ack-all-recoveries?comment=$r", FORM_MESSAGE, "all recoveries were seen by a person" },
    { "ack-cluster-recoveries", "/api/ack-recovery/cluster/$H?comment=$r", FORM_MESSAGE, "those of a cluster" },
    { "ack-instance-recoveries", "/api/ack-recovery/instance/$I?comment=$r", FORM_MESSAGE, "those of a server" },
    { "raft-leader", "/api/raft-leader", FORM_TEXT, "the leader's address" },
    { "raft-health", "/api/raft-health", FORM_TEXT, "healthy, or an error" },
    { "api", "$P", FORM_RAW, "what the node answers to a path" },
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* What each topology command means with --pattern. */
static const struct command topology_of_the_past = { "topology", "/api/topology-history/$H?pattern=$p", FORM_DATED, "" };

/* orchestrator's older word for a replica is understood: which-slaves. */
static const struct command *find(const char *word)
{
    char newer[64];
    const char *old = strstr(word, "slave");
    if (old != NULL)
        TEXT_FORMAT(newer, "%.*sreplica%s", (int)(old - word), word, old + 5);
    else
        TEXT_SET(newer, word);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (text_is(commands[i].word, newer))
            return &commands[i];
    }
    return NULL;
}

static const struct command *meant(const struct fleet_options *options)
{
    const struct command *command = options->command == NULL ? NULL : find(options->command);
    return command != NULL && options->pattern != NULL && text_begins(command->word, "topology") ? &topology_of_the_past : command;
}

/* ---- words of the command line ---- */

static const struct option { const char *words[3]; size_t at; const char *letter, *what; } options_known[] = {
#define OPTION(field, letter, what, ...) { { __VA_ARGS__ }, offsetof(struct fleet_options, field), letter, what }
    OPTION(command, NULL, "a command", "c", "command"), OPTION(config, NULL, "the configuration file", "config"),
    OPTION(instance, "iIHJKs", "an instance: -i HOST:PORT", "i", "instance"),
    OPTION(destination, "D", "a destination: -d HOST:PORT", "d", "s", "destination"), OPTION(alias, NULL, "an alias", "a", "alias"),
    OPTION(owner, "o", "an owner: --owner NAME", "o", "owner"), OPTION(reason, "r", "a reason: --reason TEXT", "r", "reason"),
    OPTION(duration, "u", "a duration: --duration 10m", "u", "duration"),
    OPTION(pattern, "p", "a pattern: --pattern REGEX", "pattern"), OPTION(pool, "l", "a pool: --pool NAME", "l", "pool"),
    OPTION(hostname, "n", "a host name: --hostname NAME", "H", "hostname"), OPTION(tag, "t", "a tag: --tag NAME=VALUE", "t", "tag"),
    OPTION(rule, "R", "a promotion rule: --promotion-rule prefer", "R", "promotion-rule"),
    OPTION(statement, "q", "a statement: --statement SQL", "q", "statement", "query"),
    OPTION(api, NULL, "the API's address", "U", "api"), OPTION(auth, NULL, "user:password", "b", "auth"),
    OPTION(header, NULL, "a header: --headers-auth NAME:VALUE", "e", "headers-auth"),
    OPTION(path, "P", "a path: --path clusters", "P", "path"), OPTION(port, NULL, "the preset port", "port"),
#undef OPTION
};
#define OPTION_COUNT (sizeof options_known / sizeof options_known[0])

/* Of orchestrator's command line; they change nothing here. */
static const char *const switches[] = { "quiet", "verbose", "debug", "stack", "noop", "strict", "ignore-raft-setup", "skip-unresolve",
                                        "skip-unresolve-check", "skip-continuous-registration", "skip-binlog-search", "cli" };

static const char *bare(const char *argument)
{
    return argument[0] != '-' ? NULL : argument[1] == '-' ? argument + 2 : argument + 1;
}

static bool is_word(const char *given, const char *word)
{
    const size_t length = strcspn(given, "=");
    return strlen(word) == length && strncmp(given, word, length) == 0;
}

static const struct option *option_of(const char *given)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        for (int k = 0; k < 3 && options_known[i].words[k] != NULL; k++) {
            if (is_word(given, options_known[i].words[k]))
                return &options_known[i];
        }
    }
    return NULL;
}

static bool is_switch(const char *given)
{
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (is_word(given, switches[i]))
            return true;
    }
    return false;
}

bool fleet_command_is_meant(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *given = bare(argv[i]);
        if (given != NULL && (is_word(given, "c") || is_word(given, "command")))
            return true;
    }
    return argc > 1 && text_is(argv[1], "cli");
}

static const char **place_of(struct fleet_options *options, const struct option *option)
{
    return (const char **)((char *)options + option->at);
}

enum fc_code fleet_options_parse(int argc, char **argv, struct fleet_options *ret, struct fc_err *err)
{
    *ret = (struct fleet_options){ .command = NULL };
    for (int i = 1; i < argc; i++) {
        const char *given = bare(argv[i]), *equals = given == NULL ? NULL : strchr(given, '=');
        const struct option *option = given == NULL ? NULL : option_of(given);
        if (option != NULL && equals != NULL)
            *place_of(ret, option) = equals + 1;
        else if (option != NULL && i + 1 < argc)
            *place_of(ret, option) = argv[++i];
        else if (option != NULL)
            return fc_fail(err, FC_BAD_INPUT, "%s needs a value", argv[i]);
        else if (given == NULL ? !text_is(argv[i], "cli") : !is_switch(given))
            return fc_fail(err, FC_BAD_INPUT, "'%.64s' is not understood; `firstchair -c help` lists the commands", argv[i]);
    }
    return FC_OK;
}

/* ---- the question ---- */

struct writing { char *to; size_t size, length; bool is_cut; };

static void add(struct writing *w, const char *text)
{
    if (!w->is_cut && !text_copy(w->to + w->length, w->size - w->length, text))
        w->is_cut = true;
    w->length += strlen(w->to + w->length);
}

static void add_encoded(struct writing *w, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~:,";
    for (; *text != '\0'; text++) {
        char one[4] = { *text };
        if (strchr(plain, *text) == NULL)
            TEXT_FORMAT(one, "%%%02X", (unsigned char)*text);
        add(w, one);
    }
}

/* host/port */
static bool add_server(struct writing *w, const char *text, int default_port)
{
    const char *host;
    size_t length;
    uint16_t port;
    char name[INSTANCE_HOST_MAX + 1], number[16];
    if (text == NULL || !instance_key_parse(text, strlen(text), (uint16_t)default_port, &host, &length, &port) ||
        !text_copy_bytes(name, sizeof name, host, length))
        return false;
    add_encoded(w, name);
    TEXT_FORMAT(number, "/%u", port);
    add(w, number);
    return true;
}

static const char *value_of(const struct fleet_options *options, char letter, const char **what)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (options_known[i].letter == NULL || strchr(options_known[i].letter, letter) == NULL)
            continue;
        *what = options_known[i].what;
        return *(const char *const *)((const char *)options + options_known[i].at);
    }
    return NULL;
}

/* What stands for a letter, or what is meant where nothing was given. */
static const char *meant_value(const struct fleet_options *options, char letter, bool is_optional, const char **what)
{
    const char *value = value_of(options, letter, what);
    if ((letter == 'H' || letter == 'K') && options->alias != NULL)
        return options->alias;
    if (letter == 's' && options->pattern != NULL)
        return options->pattern;
    if (value == NULL && letter == 'R')
        return "prefer";
    return value == NULL && !is_optional && (letter == 'I' || letter == 'H') ? options->own_host : value;
}

/* One letter of the template. False: its value is missing, and `what` says which. */
static bool add_letter(struct writing *w, const struct fleet_options *options, char letter, bool is_optional, int default_port, const char **what)
{
    const char *value = meant_value(options, letter, is_optional, what);
    if (letter == 'I' || letter == 'J' || letter == 'D')
        return add_server(w, value, default_port);
    if (value == NULL)
        return false;
    if (letter == 'P') {                             /* it is a path already: not encoded */
        value += value[0] == '/';
        add(w, text_begins(value, "api/") ? "/" : "/api/");
        add(w, value);
        return true;
    }
    add_encoded(w, value);
    return true;
}

enum fc_code fleet_command_path(const struct fleet_options *options, int default_port, char *to, size_t size, struct fc_err *err)
{
    const struct command *command = meant(options);
    struct writing w = { .to = to, .size = size };
    size_t optional_from = 0;
    bool is_optional = false, is_given = true;
    const char *what = "";
    if (command == NULL)
        return fc_fail(err, FC_BAD_INPUT, "there is no command '%.64s'; `firstchair -c help` lists them",
                       options->command == NULL ? "" : options->command);
    to[0] = '\0';
    for (const char *c = command->path; *c != '\0'; c++) {
        const char one[2] = { *c, '\0' };
        if (*c == '[') {
            is_optional = is_given = true;
            optional_from = w.length;
        } else if (*c == ']') {
            is_optional = false;
            if (!is_given)
                to[w.length = optional_from] = '\0';
        } else if (*c != '$') {
            add(&w, one);
        } else if (!add_letter(&w, options, *++c, is_optional, default_port, &what)) {
            const char *value = meant_value(options, *c, is_optional, &what);
            is_given = false;
            if (!is_optional && value != NULL)
                return fc_fail(err, FC_BAD_INPUT, "'%.64s' is no HOST:PORT", value);
            if (!is_optional)
                return fc_fail(err, FC_BAD_INPUT, "%s needs %s", command->word, what);
        }
    }
    return w.is_cut ? fc_fail(err, FC_BAD_INPUT, "that is too long for a question") : FC_OK;
}

/* ---- several instances ---- */

#define BETWEEN ", \t\n"

/* Is one instance asked about? Not where all of -i is one word of the question, or an alias stands for it. */
static bool is_about_one(const struct fleet_options *options)
{
    const struct command *command = meant(options);
    return options->instance != NULL && command != NULL &&
           (strstr(command->path, "$I") != NULL || strstr(command->path, "$J") != NULL ||
            (options->alias == NULL && (strstr(command->path, "$H") != NULL || strstr(command->path, "$K") != NULL)));
}

bool fleet_options_next(const struct fleet_options *all, const char **rest, char *one, size_t size, struct fleet_options *ret)
{
    const bool is_first = *rest == NULL, is_split = is_about_one(all);
    const char *from = is_first ? (is_split ? all->instance : "") : *rest;
    from += strspn(from, BETWEEN);
    const size_t length = strcspn(from, BETWEEN);
    if (!is_first && length == 0)
        return false;
    *ret = *all;
    *rest = from + length;
    if (is_split && text_copy_bytes(one, size, from, length))
        ret->instance = one;
    return true;
}

/* ---- all of it ---- */

int fleet_command_print(const struct fleet_options *options, const char *body, FILE *to, FILE *trouble)
{
    const struct command *command = meant(options);
    return command == NULL ? fc_code_table[FC_BAD_INPUT].exit_code :
        fleet_form_print(command->form, options->instance != NULL ? options->instance : options->own_host, body, to, trouble);
}

/* The node of this host's own configuration. */
static enum fc_code own_endpoint(const struct config *config, struct ask_endpoint *ret, struct fc_err *err)
{
    int port = 0;
    *ret = (struct ask_endpoint){ .host = "" };
    TEXT_SET(ret->prefix, config->url_prefix);
    if (config->listen_socket[0] != '\0') {
        TEXT_SET(ret->socket, config->listen_socket);
        return FC_OK;
    }
    if (!address_split(config->listen_address, ret->host, sizeof ret->host, &port))
        return fc_fail(err, FC_BAD_INPUT, "where is a node? --api http://HOST:PORT or https://HOST:PORT");
    if (ret->host[0] == '\0' || text_is(ret->host, "0.0.0.0") || text_is(ret->host, "::"))
        TEXT_SET(ret->host, "127.0.0.1");
    TEXT_FORMAT(ret->port, "%d", port);
    ret->trust.is_tls = ret->trust.is_own = config->http_uses_tls;
    return FC_OK;
}

static void take_trust(const struct config *config, struct ask_trust *ret)
{
    ret->is_blind = config->http_tls_skips_verifying;
    TEXT_SET(ret->authorities, config->http_ca_file);
    TEXT_SET(ret->certificate, config->http_certificate_file);
    TEXT_SET(ret->key, config->http_key_file);
}

static const char *named_api(const struct fleet_options *options)
{
    const char *url = options->api != NULL ? options->api : getenv("ORCHESTRATOR_API");
    return url == NULL || url[strspn(url, " ")] == '\0' ? NULL : url;
}

static enum fc_code take_auth(const struct fleet_options *options, const struct config *config, struct ask_endpoint *ret, struct fc_err *err)
{
    const char *user = getenv("ORCHESTRATOR_AUTH_USER"), *password = getenv("ORCHESTRATOR_AUTH_PASSWORD");
    const char *header = options->header != NULL ? options->header : getenv("ORCHESTRATOR_AUTH_USER_HEADER");
    take_trust(config, &ret->trust);
    if (options->auth != NULL)
        TEXT_SET(ret->auth, options->auth);
    else if (user != NULL)
        TEXT_FORMAT(ret->auth, "%s:%s", user, password == NULL ? "" : password);
    else if (config->http_auth_user[0] != '\0' && ret->auth[0] == '\0')
        TEXT_FORMAT(ret->auth, "%s:%s", config->http_auth_user, config->http_auth_password);
    return header == NULL || header[0] == '\0' ? FC_OK : ask_header_of(header, ret, err);
}

static enum fc_code named_endpoint(const struct fleet_options *options, const struct config *config, const char *url, size_t length,
                                   struct ask_endpoint *ret, struct fc_err *err)
{
    char one[ASK_URL_SIZE];
    if (!text_copy_bytes(one, sizeof one, url, length))
        return fc_fail(err, FC_BAD_INPUT, "an address of more than %d bytes", ASK_URL_SIZE - 1);
    const enum fc_code code = ask_endpoint_of(one, ret, err);
    return code == FC_OK ? take_auth(options, config, ret, err) : code;
}

static bool leads(const struct ask_endpoint *endpoint)
{
    char *body = NULL;
    int status = 0;
    const bool is_heard = ask_node(endpoint, "/api/leader-check", LEADER_CHECK_MS, &body, &status, &(struct fc_err){ .code = FC_OK }) == FC_OK;
    free(body);
    return is_heard && status == 200;
}

/* Of several addresses the first that leads, as orchestrator's client has it; one alone is not asked. */
static enum fc_code endpoint_of_names(const struct fleet_options *options, const struct config *config, const char *urls, struct ask_endpoint *ret,
                                      struct fc_err *err)
{
    const char *from = urls + strspn(urls, " ");
    const size_t first = strcspn(from, " ");
    if (from[first + strspn(from + first, " ")] == '\0')
        return named_endpoint(options, config, from, first, ret, err);
    for (size_t length = first; length > 0; from += length + strspn(from + length, " "), length = strcspn(from, " ")) {
        const enum fc_code code = named_endpoint(options, config, from, length, ret, err);
        if (code != FC_OK || leads(ret))
            return code;
    }
    return fc_fail(err, FC_UNREACHABLE, "none of the nodes that were named says that it leads");
}

static enum fc_code endpoint_of(const struct fleet_options *options, const struct config *config, struct ask_endpoint *ret,
                                struct fc_err *err)
{
    const char *urls = named_api(options);
    if (urls != NULL)
        return endpoint_of_names(options, config, urls, ret, err);
    const enum fc_code code = own_endpoint(config, ret, err);
    return code == FC_OK ? take_auth(options, config, ret, err) : code;
}

static const char *own_user(void)
{
    const struct passwd *own = getpwuid(getuid());
    return own == NULL ? "unknown" : own->pw_name;
}

static int fail(const struct fc_err *err)
{
    fprintf(stderr, "firstchair: %s\n", err->text);
    return fc_code_table[err->code].exit_code;
}

/* Nobody listens at the address of this host's own configuration: what the store says is told, and that it is so. */
static enum fc_code ask_store(struct config *config, const struct ask_endpoint *endpoint, const char *path, char **body, struct fc_err *err)
{
    char node[192], place[256], why[sizeof err->text];
    ask_name(endpoint, node, sizeof node);
    fleet_offline_place(config, place, sizeof place);
    if (!fleet_offline_has_store(config))
        return fc_fail(err, FC_UNREACHABLE, "no node answers at %s, and there is no store to be read (%s)", node, place);
    const enum fc_code code = fleet_offline_ask(config, path, body, err);
    if (code == FC_OK) {
        fprintf(stderr, "firstchair: no node answers at %s: read from the store (%s)\n", node, place);
        return FC_OK;
    }
    TEXT_SET(why, err->text);
    return fc_fail(err, code, "no node answers at %s: %s", node, why);
}

/* The address that would be asked, as orchestrator's client shows it. */
static int print_api(const struct fleet_options *options, const struct config *config)
{
    struct ask_endpoint endpoint;
    struct fc_err err = { .code = FC_INTERNAL };
    char name[192];
    if (endpoint_of(options, config, &endpoint, &err) != FC_OK)
        return fail(&err);
    ask_name(&endpoint, name, sizeof name);
    printf("%s%s%s/api\n", endpoint.host[0] == '\0' ? "unix:" : endpoint.trust.is_tls ? "https://" : "http://", name, endpoint.prefix);
    return 0;
}

/* What the door itself says, before anybody has looked at the question. */
static void refused_outright(const struct ask_endpoint *endpoint, int status, const char *body, struct fc_err *err)
{
    char name[192];
    ask_name(endpoint, name, sizeof name);
    if (status == 401 && !text_begins(body, "Not Authorized: "))
        fc_fail(err, FC_NOT_ALLOWED, "the node wants a name: --auth USER:PASSWORD");
    else
        fc_fail(err, status == 401 ? FC_NOT_ALLOWED : FC_BAD_INPUT, "the node at %s: %.*s", name, (int)strcspn(body, "\r\n"), body);
}

static int ask_and_print(const struct fleet_options *options, struct config *config)
{
    static char path[PATH_SIZE];
    struct ask_endpoint endpoint;
    struct fc_err err = { .code = FC_INTERNAL };
    char *body = NULL;
    int status = 0;
    uint64_t port = 0;
    if (options->port != NULL && (!text_to_u64(options->port, strlen(options->port), &port) || port == 0 || port > UINT16_MAX)) {
        fc_fail(&err, FC_BAD_INPUT, "'%.16s' is no port", options->port);
        return fail(&err);
    }
    if (fleet_command_path(options, port != 0 ? (int)port : config->default_instance_port, path, sizeof path, &err) != FC_OK ||
        endpoint_of(options, config, &endpoint, &err) != FC_OK)
        return fail(&err);
    const bool reads_store = named_api(options) == NULL && !ask_is_there(&endpoint, KNOCK_MS);
    const enum fc_code code = reads_store ? ask_store(config, &endpoint, path, &body, &err)
                                          : ask_node(&endpoint, path, TIMEOUT_MS, &body, &status, &err);
    if (code != FC_OK)
        return fail(&err);
    if (status == 401 || (status == 400 && body[0] != '{')) {
        refused_outright(&endpoint, status, body, &err);
        free(body);
        return fail(&err);
    }
    const int exit_code = fleet_command_print(options, body, stdout, stderr);
    free(body);
    return exit_code;
}

/* One after the other; the first that fails is the last. */
static int ask_each(const struct fleet_options *options, struct config *config)
{
    char instance[INSTANCE_SIZE];
    struct fleet_options one;
    int exit_code = 0;
    for (const char *rest = NULL; exit_code == 0 && fleet_options_next(options, &rest, instance, sizeof instance, &one);)
        exit_code = ask_and_print(&one, config);
    return exit_code;
}

/* ---- what nobody is asked about ---- */

static int dump_config(const struct fleet_options *options, const struct config *config)
{
    (void)options;
    config_file_dump(config, stdout);
    return 0;
}

static int redeploy(const struct fleet_options *options, const struct config *config)
{
    (void)options, (void)config;
    puts("nothing is done now: a node that starts brings the schema of its store up to date");
    return 0;
}

static int refuse_continuous(const struct fleet_options *options, const struct config *config)
{
    struct fc_err err = { .code = FC_INTERNAL };
    (void)options, (void)config;
    fc_fail(&err, FC_BAD_INPUT, "continuous is what a node does: `firstchair serve`");
    return fail(&err);
}

static const struct own_command { const char *word; int (*run)(const struct fleet_options *options, const struct config *config); const char *meaning; }
own_commands[] = {
    { "which-api", print_api, "the address that is asked" },
    { "dump-config", dump_config, "the effective configuration, without secrets" },
    { "redeploy-internal-db", redeploy, "that nothing is done now: a node that starts brings the schema of its store up to date" },
    { "continuous", refuse_continuous, "refused: `firstchair serve` is what looks at the fleet" },
};
#define OWN_COMMAND_COUNT (sizeof own_commands / sizeof own_commands[0])

static const struct own_command *own_command_of(const struct fleet_options *options)
{
    for (size_t i = 0; i < OWN_COMMAND_COUNT; i++) {
        if (options->command != NULL && text_is(options->command, own_commands[i].word))
            return &own_commands[i];
    }
    return NULL;
}

int fleet_command(int argc, char **argv)
{
    struct fleet_options options;
    struct fc_err err = { .code = FC_INTERNAL };
    char own_host[INSTANCE_HOST_MAX + 1] = "";
    if (fleet_options_parse(argc, argv, &options, &err) != FC_OK)
        return fail(&err);
    if (options.command != NULL && text_is(options.command, "help")) {
        fleet_command_help(stdout);
        return 0;
    }
    options.owner = options.owner != NULL ? options.owner : own_user();
    options.instance = options.instance != NULL ? options.instance : getenv("ORCHESTRATOR_INSTANCE");
    options.own_host = gethostname(own_host, sizeof own_host - 1) == 0 ? own_host : NULL;
    struct config *config = calloc(1, sizeof *config);
    struct config_warnings *warnings = calloc(1, sizeof *warnings);
    int exit_code;
    if (config == NULL || warnings == NULL) {
        fc_fail(&err, FC_NO_MEMORY, "out of memory");
        exit_code = fail(&err);
    } else if (config_file_load(options.config, config, warnings, &err) != FC_OK) {
        exit_code = fail(&err);
    } else {
        const struct own_command *own = own_command_of(&options);
        exit_code = own != NULL ? own->run(&options, config) : ask_each(&options, config);
    }
    free(config);
    free(warnings);
    return exit_code;
}

void fleet_command_help(FILE *to)
{
    fputs("firstchair -c COMMAND [-i HOST:PORT] [-a ALIAS] [-d HOST:PORT] [-o OWNER] [-r REASON] [-u DURATION] [-t TAG] [-l POOL]\n"
          "           [-R RULE] [-H HOSTNAME] [--pattern REGEX] [--api URL] [--auth USER:PASSWORD] [--config FILE]\n\n", to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-40s %s\n", commands[i].word, commands[i].meaning);
    for (size_t i = 0; i < OWN_COMMAND_COUNT; i++)
        fprintf(to, "  %-40s %s\n", own_commands[i].word, own_commands[i].meaning);
}

void fleet_command_docs_print(FILE *to)
{
    fputs("# Commands about the fleet\n\n"
          "Printed from the table in `agent/fleet_command.c`. `firstchair -c COMMAND` asks, in this order:\n\n"
          "1. the node of `--api http://HOST:PORT` or `https://HOST:PORT` ([https.md](https.md)), or of the environment's ORCHESTRATOR_API. Named so, it is the only one asked. Of several "
          "addresses with blanks between them the first whose `leader-check` says 200 within a second.\n"
          "2. the node of this host's configuration (`--config FILE`; `ListenAddress` or `ListenSocket`).\n"
          "3. where nobody listens there, the store of that configuration itself: it is opened (file, MySQL, or the first server of the pair that "
          "can be read), read once, and closed; nothing is made or written, nobody is looked at, and a line on standard error says so. What is "
          "read there is as old as its rows. Orders are refused: a running node does them, and knows who leads. With raft it is this node's own "
          "store.\n\n"
          "It prints what orchestrator's command prints: one item a line, nothing for \"no\". Exit: 0 done, 1 the question was refused by the node "
          "or has no answer (its sentence is on standard error), else as docs/exit-codes.md: 4 an order where no node runs, 9 the store cannot be "
          "read, 10 neither node nor store. Options may have one or two dashes, and `=` or a blank before their value; "
          "`slave` in a command is taken for `replica`. Who is asking: `--auth USER:PASSWORD` (ORCHESTRATOR_AUTH_USER, ORCHESTRATOR_AUTH_PASSWORD; else "
          "HTTPAuthUser), and for a proxy that authenticates one header, `--headers-auth NAME:VALUE` (ORCHESTRATOR_AUTH_USER_HEADER).\n\n"
          "`I`: an instance, `-i HOST[:PORT]`. `H`: a hint, the alias (`-a`) if given, else the instance. Without either this host is meant, with "
          "`DefaultInstancePort`; not by `J` and `K`, the same for what must not be done by forgetting a word. Several instances, with commas or "
          "blanks between them: the command runs for one after the other, and ends with the first that fails. `D`: a destination, `-d`. "
          "`s`: `--pattern`, else the instance. `R`: a promotion rule, `prefer` if none is given.\n\n"
          "| command | asks | prints |\n|---|---|---|\n", to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "| `%s` | `%s` | %s |\n", commands[i].word, commands[i].path, commands[i].meaning);
    for (size_t i = 0; i < OWN_COMMAND_COUNT; i++)
        fprintf(to, "| `%s` | nobody | %s |\n", own_commands[i].word, own_commands[i].meaning);
}
