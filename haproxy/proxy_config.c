/* A complete haproxy.cfg from firstchair's own configuration, with the reason beside each choice.
 *
 * Facts and numbers: spec/haproxy-agent-check.md 6 to 8. What this file refuses: to print a name or address that HAProxy
 * would read as something else (blank, quote, '#', '\\'), because a line that means something else steers wrongly. */
#include "haproxy/proxy_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct sheet {
    char *to;
    size_t size, length;
    bool is_cut;
};

__attribute__((format(printf, 2, 3))) static void say(struct sheet *sheet, const char *format, ...)
{
    va_list args;

    if (sheet->is_cut)
        return;
    va_start(args, format);
    const int wanted = vsnprintf(sheet->to + sheet->length, sheet->size - sheet->length, format, args);
    va_end(args);
    if (wanted < 0 || (size_t)wanted >= sheet->size - sheet->length)
        sheet->is_cut = true;
    else
        sheet->length += (size_t)wanted;
}

/* ---- what a bind line offers, seen from a check of the same HAProxy ---- */

struct door {
    bool is_unix;
    char path[CONFIG_TEXT_SIZE];
    char host[ADDRESS_SIZE];
    int port;
};

/* "host:port", ":port", "*:port", "[v6]:port", "/path", "unix@/path". Any address becomes the loopback of its family. */
static enum fc_code door_parse(const char *key, const char *value, struct door *ret, struct fc_err *err)
{
    struct door door = { .is_unix = false };
    const char *path = text_begins(value, "unix@") ? value + strlen("unix@") : value;

    if (path[0] == '/') {
        door.is_unix = true;
        TEXT_SET(door.path, path);
    } else if (!address_split(value, door.host, sizeof door.host, &door.port) || door.port == 0) {
        return fc_fail(err, FC_BAD_CONFIG, "%s is '%s'; it must be host:port, :port, /path or unix@/path", key, value);
    }
    if (text_is(door.host, "") || text_is(door.host, "*") || text_is(door.host, "0.0.0.0"))
        TEXT_SET(door.host, "127.0.0.1");
    if (text_is(door.host, "::"))
        TEXT_SET(door.host, "::1");
    *ret = door;
    return FC_OK;
}

/* Only bytes that HAProxy's reader takes as they are. */
static enum fc_code check_plain(const char *key, const char *value, struct fc_err *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/@*[]=+,~%";

    if (value[strspn(value, plain)] != '\0')
        return fc_fail(err, FC_BAD_CONFIG, "%s is '%s'; for haproxy.cfg it must be letters, digits and ._-:/@*[]=+,~%% only",
                       key, value);
    return FC_OK;
}

static enum fc_code check_all_plain(const struct config *config, struct fc_err *err)
{
    const struct { const char *key, *value; } texts[] = {
        { "HAProxySocket", config->haproxy_socket }, { "HAProxyStateFile", config->haproxy_state_file },
        { "BackendListen", config->backend_listen }, { "LeaderListen", config->leader_listen },
        { "RelayListen", config->relay_listen },     { "URLPrefix", config->url_prefix },
        { "BackendPool", config->backend_pool },     { "LeaderPool", config->leader_pool },
        { "ClusterRelayListen", config->cluster_relay_listen }, { "SSLCAFile", config->http_ca_file },
    };
    const struct { const char *key; const struct config_list *list; } lists[] = {
        { "Nodes", &config->nodes },                   { "BackendServers", &config->backend_servers },
        { "ClusterServers", &config->cluster_servers }, { "WriterPools", &config->writer_pools },
        { "ReaderPools", &config->reader_pools },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (check_plain(texts[i].key, texts[i].value, err) != FC_OK)
            return FC_BAD_CONFIG;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (int k = 0; k < lists[i].list->count; k++) {
            if (check_plain(lists[i].key, lists[i].list->item[k], err) != FC_OK)
                return FC_BAD_CONFIG;
        }
    }
    if (check_plain("HAProxyDoorScript", config->haproxy_door_script, err) != FC_OK)
        return FC_BAD_CONFIG;
    if (config->haproxy_socket[0] != '/' || config->haproxy_state_file[0] != '/')
        return fc_fail(err, FC_BAD_CONFIG, "HAProxySocket is '%s' and HAProxyStateFile is '%s'; both must be whole paths",
                       config->haproxy_socket, config->haproxy_state_file);
    return FC_OK;
}

/* ---- sections ---- */

static void say_global(struct sheet *sheet, const struct config *config)
{
    char door_load[CONFIG_TEXT_SIZE + 160] = "";

    if (config->haproxy_door_script[0] != '\0' && config->hold_the_door_ms > 0)
        TEXT_FORMAT(door_load,
                    ".if " PROXY_CONFIG_CONDITION "\n"
                    "  tune.lua.bool-sample-conversion normal   # it warns when nobody has chosen\n"
                    ".endif\n"
                    "  lua-load %s\n",
                    config->haproxy_door_script);
    say(sheet,
        "# Printed by `firstchair haproxy-config` from firstchair's own configuration: change it there and print again.\n"
        "#\n"
        "# State over reloads: whoever reloads writes the state file just before, HAProxy itself never does. For systemd:\n"
        "#   ExecReload=/bin/sh -c 'echo \"show servers state\" | socat -t 2 stdio unix-connect:%s > %s'\n"
        "#   (in front of the ExecReload lines that are there)\n"
        "# It is read at a cold start too, however old, and would open the server that sat then. So a cold start empties it\n"
        "# down to its version line (a missing or quite empty file makes HAProxy warn, `haproxy -c` too):\n"
        "#   ExecStartPre=/bin/sh -c 'echo 1 > %s'\n\n",
        config->haproxy_socket, config->haproxy_state_file, config->haproxy_state_file);
    say(sheet,
        "global\n"
        "  stats socket %s mode 660 level admin expose-fd listeners   # firstchair reads the view back and pushes here\n"
        "  server-state-file %s\n"
        "  max-spread-checks 10        # ms: polls of all servers in phase, so that a flip has no hole and no overlap\n"
        "  hard-stop-after %ds         # a process left behind by a reload asks nobody: its sessions end by then\n%s\n"
        "defaults\n"
        "  load-server-state-from-file global\n"
        "  timeout connect 1s\n"
        "  timeout client 1h\n"
        "  timeout server 1h\n\n",
        config->haproxy_socket, config->haproxy_state_file, config->hard_stop_seconds, door_load);
}

/* The relay leaves a silent node within fall x (inter + timeout) + inter = 2 x (i + i) + i. That must be less than half of
 * the shortest time after which the token check gives up, (fall - 1) x inter: so i is a tenth of it, and one less. */
#define RELAY_FALL 2
static int relay_inter_ms(const struct config *config)
{
    const int patience_ms = (config->check_fall - 1) * config->check_inter_ms;
    const int inter_ms = patience_ms / 10 - 1;

    return inter_ms > 250 ? 250 : inter_ms;
}

static void say_bind_address(struct sheet *sheet, const char *host, int port)
{
    say(sheet, strchr(host, ':') != NULL ? "[%s]:%d" : "%s:%d", host, port);
}

static void say_relay_start(struct sheet *sheet, const char *name, const char *listen)
{
    say(sheet,
        "listen %s\n"
        "  mode tcp\n"
        "  bind %s\n"
        "  balance first\n"
        "  option redispatch 1         # a node that refuses costs one more try, not an answer\n"
        "  retries 1\n"
        "  timeout connect 150ms\n"
        "  timeout client 1s\n"
        "  timeout server 1s\n",
        name, listen);
}

static void say_relay_nodes(struct sheet *sheet, const struct config *config, const struct node_address *nodes, int count)
{
    say(sheet, "  default-server check inter %dms fall %d rise 1 on-marked-down shutdown-sessions\n", relay_inter_ms(config), RELAY_FALL);
    for (int i = 0; i < count; i++) {
        say(sheet, "  server %s ", nodes[i].name);
        say_bind_address(sheet, nodes[i].host, nodes[i].agent_port);
        say(sheet, " id %d\n", (i + 1) * 10);
    }
    say(sheet, "\n");
}

static void say_relay(struct sheet *sheet, const struct config *config, const struct node_address *nodes, int count)
{
    const int inter_ms = relay_inter_ms(config);

    say(sheet,
        "# One voice for all checks of %s: the first node that has a valid term. A node says fc-voice only inside its\n"
        "# term; a silent or cut-off one is left after %d ms at most, before the token check below loses patience.\n",
        config->backend_pool, RELAY_FALL * (inter_ms + inter_ms) + inter_ms);
    say_relay_start(sheet, "firstchair_agents", config->relay_listen);
    say(sheet,
        "  timeout check %dms\n"
        "  option tcp-check\n"
        "  tcp-check connect\n"
        "  tcp-check send \"voice\\n\"\n"
        "  tcp-check expect string fc-voice\n",
        inter_ms);
    say_relay_nodes(sheet, config, nodes, count);
}

static void say_frontend(struct sheet *sheet, const struct config *config, const char *pool, const char *mode,
                         const char *listen)
{
    say(sheet, "frontend %s_in\n  mode %s\n  bind %s\n", pool, mode, listen);
    if (text_is(mode, "http"))
        say(sheet, "  timeout client 30s\n");
    if (config->hold_the_door_ms > 0 && config->haproxy_door_script[0] != '\0')
        say(sheet,
            "  # hold the door: while nobody sits, a new connection waits, and is let in at once when somebody does\n"
            "  tcp-request inspect-delay %dms\n"
            "  tcp-request content lua.firstchair_hold %s %d\n",
            config->hold_the_door_ms + 1000, pool, config->hold_the_door_ms);
    else if (config->hold_the_door_ms > 0)
        say(sheet,
            "  # hold the door: while nobody sits, a new connection waits instead of failing (for the whole delay: HAProxy does\n"
            "  # not look again; HAProxyDoorScript lets it in at once)\n"
            "  tcp-request inspect-delay %dms\n"
            "  tcp-request content accept if { nbsrv(%s) gt 0 } or WAIT_END\n",
            config->hold_the_door_ms, pool);
    say(sheet, "  default_backend %s\n\n", pool);
}

/* `agent-addr` takes no unix path, `addr` does (for both checks; the token check has its own); the port is then any. */
static void say_agent_door(struct sheet *sheet, const struct door *door)
{
    if (door->is_unix)
        say(sheet, " addr unix@%s agent-port 1", door->path);
    else
        say(sheet, " agent-addr %s agent-port %d", door->host, door->port);
}

static void say_token_check(struct sheet *sheet, const struct config *config, const struct door *relay)
{
    say(sheet,
        "  # Token check: the lease at HAProxy. It asks what the agent asks, and passes only on the holder's token; an HAProxy\n"
        "  # that reaches no node any more cuts the server off by itself. `string`, not `rstring`: that crashes some builds.\n"
        "  option tcp-check\n"
        "  timeout check %dms\n"
        "  tcp-check connect",
        config->check_timeout_ms);
    if (relay->is_unix)
        say(sheet, " addr unix@%s", relay->path);
    else
        say(sheet, strchr(relay->host, ':') != NULL ? " addr [%s] port %d" : " addr %s port %d", relay->host, relay->port);
    say(sheet,
        "\n"
        "  tcp-check send-lf \"%%[env(HAPROXY_LOCALPEER)] %%[be_name]/%%[srv_name]\\n\"\n"
        "  tcp-check expect string fc-ok\n");
}

static void say_backend_pool(struct sheet *sheet, const struct config *config, const struct door *relay,
                             const struct named_address *servers, int count)
{
    const bool is_closed = text_is(config->steering_term_over, "closed");

    say_frontend(sheet, config, config->backend_pool, "tcp", config->backend_listen);
    say(sheet,
        "# At most one server is usable. `disabled`: at boot nobody sits until the answer says `ready`; the others are in maint,\n"
        "# which survives a reload. No redispatch and no maxconn: nothing may spill to a second writer.\n"
        "backend %s\n"
        "  mode tcp\n"
        "  balance first\n"
        "  retries 0                   # a refused client is told at once: HAProxy 3.0.11 never ends one whose server leaves between tries\n"
        "  timeout connect 3s          # instead: one lost packet is sent again by the kernel after 1 s\n",
        config->backend_pool);
    if (is_closed)
        say_token_check(sheet, config, relay);
    else
        say(sheet,
            "  # SteeringTermOver is \"freeze\": no token check. The health check is a plain connect to the server; when all nodes\n"
            "  # are gone the last word stays, and only read_only on the old server keeps a second writer out.\n"
            "  timeout check %dms\n",
            config->check_timeout_ms);
    say(sheet, "  default-server disabled check inter %dms fall %d rise 1 weight 100 agent-inter %dms", config->check_inter_ms,
        config->check_fall, config->agent_inter_ms);
    say_agent_door(sheet, relay);
    say(sheet, " on-marked-down shutdown-sessions\n");
    for (int i = 0; i < count; i++)
        say(sheet, "  server %s %s id %d agent-check agent-send \"$HAPROXY_LOCALPEER %s/%s\\n\"\n", servers[i].name,
            servers[i].address, (i + 1) * 10, config->backend_pool, servers[i].name);
    say(sheet, "\n");
}

/* ---- pools of managed clusters ---- */

static void say_cluster_relay(struct sheet *sheet, const struct config *config, const struct node_address *nodes, int count)
{
    say(sheet,
        "# The checks of managed clusters go to the node that leads: each is asked about itself, and only that one has the token.\n");
    say_relay_start(sheet, "firstchair_leader_agents", config->cluster_relay_listen);
    say(sheet,
        "  timeout check %dms\n"
        "  option tcp-check\n"
        "  tcp-check connect\n"
        "  tcp-check send-lf \"%s/%%[srv_name]\\n\"\n"
        "  tcp-check expect string fc-ok\n",
        relay_inter_ms(config), config->leader_pool);
    say_relay_nodes(sheet, config, nodes, count);
}

static void say_cluster_servers(struct sheet *sheet, const struct config *config, const struct cluster_pool_item *pool)
{
    struct cluster_server_item server;
    int id = 0;
    for (int i = 0; i < config->cluster_servers.count; i++) {
        if (cluster_server_parse(config->cluster_servers.item[i], &server, NULL) == FC_OK && text_is(server.cluster, pool->cluster))
            say(sheet, "  server %s %s id %d agent-check agent-send \"$HAPROXY_LOCALPEER %s/%s\\n\"\n", server.name, server.address,
                id += 10, pool->name, server.name);
    }
    say(sheet, "\n");
}

static void say_writer_pool(struct sheet *sheet, const struct config *config, const struct door *relay, const struct cluster_pool_item *pool)
{
    say_frontend(sheet, config, pool->name, "tcp", pool->listen);
    say(sheet,
        "# The writeable master of %s, and nobody else. As in the pool of the pair: `disabled`, no redispatch, no maxconn.\n"
        "backend %s\n"
        "  mode tcp\n"
        "  balance first\n"
        "  retries 0\n"
        "  timeout connect 3s\n",
        pool->cluster, pool->name);
    say_token_check(sheet, config, relay);
    say(sheet,
        "  # `fall`: a change of leaders (%d ms) must cost no session\n"
        "  default-server disabled check inter %dms fall %d rise 1 weight 100 agent-inter %dms",
        config->lease_ms, config->check_inter_ms, config_cluster_fall(config), config->agent_inter_ms);
    say_agent_door(sheet, relay);
    say(sheet, " on-marked-down shutdown-sessions\n");
    say_cluster_servers(sheet, config, pool);
}

static void say_reader_pool(struct sheet *sheet, const struct config *config, const struct door *relay, const struct cluster_pool_item *pool)
{
    say(sheet, "frontend %s_in\n  mode tcp\n  bind %s\n  default_backend %s\n\n", pool->name, pool->listen, pool->name);
    say(sheet,
        "# Who is fit to read in %s, weighed by lag. Late ones are drained: what runs there may end. A dead one is found by the plain check.\n"
        "backend %s\n"
        "  mode tcp\n"
        "  balance leastconn\n"
        "  option redispatch 1\n"
        "  retries 2\n"
        "  timeout check 1s\n"
        "  default-server check inter 1s fall 3 rise 2 weight 100 agent-inter %dms agent-addr %s agent-port %d\n",
        pool->cluster, pool->name, config->agent_inter_ms, relay->host, relay->port);
    say_cluster_servers(sheet, config, pool);
}

static enum fc_code say_clusters(struct sheet *sheet, const struct config *config, const struct node_address *nodes, struct fc_err *err)
{
    struct cluster_pool_item pool;
    struct door relay;
    enum fc_code code = FC_OK;
    if (config->writer_pools.count + config->reader_pools.count == 0)
        return FC_OK;
    if ((code = door_parse("ClusterRelayListen", config->cluster_relay_listen, &relay, err)) != FC_OK)
        return code;
    if (relay.is_unix)
        return fc_fail(err, FC_BAD_CONFIG, "ClusterRelayListen is '%s'; it must be host:port, because the readers' plain health check would go "
                       "to the same unix path", config->cluster_relay_listen);
    say_cluster_relay(sheet, config, nodes, config->nodes.count);
    for (int i = 0; i < config->writer_pools.count && code == FC_OK; i++) {
        if ((code = cluster_pool_parse(config->writer_pools.item[i], &pool, err)) == FC_OK)
            say_writer_pool(sheet, config, &relay, &pool);
    }
    for (int i = 0; i < config->reader_pools.count && code == FC_OK; i++) {
        if ((code = cluster_pool_parse(config->reader_pools.item[i], &pool, err)) == FC_OK)
            say_reader_pool(sheet, config, &relay, &pool);
    }
    return code;
}

/* How HAProxy speaks to the nodes' HTTP under UseSSL: requests and checks alike. The agent's connection knows no TLS. */
static void say_tls(struct sheet *sheet, const struct config *config)
{
    if (!config->http_uses_tls)
        return;
    if (config->http_ca_file[0] != '\0' && !config->http_tls_skips_verifying)
        say(sheet, " ssl verify required ca-file %s", config->http_ca_file);
    else
        say(sheet, " ssl verify none");
    if (config->http_wants_certificate)
        say(sheet, " crt " PROXY_CONFIG_CERTIFICATE);
}

static void say_tls_why(struct sheet *sheet, const struct config *config)
{
    if (!config->http_uses_tls)
        return;
    if (config->http_ca_file[0] == '\0' || config->http_tls_skips_verifying)
        say(sheet, "  # verify none: whoever answers at a node's address is believed; with SSLCAFile, and without SSLSkipVerify, it is verified.\n");
    if (config->http_wants_certificate)
        say(sheet, "  # crt: this HAProxy's own certificate and key in one file, as SSLCAFile and SSLValidOUs want it. Whoever comes through here\n"
                   "  # comes with it: let the frontend ask for theirs.\n");
}

static void say_leader_pool(struct sheet *sheet, const struct config *config, const struct node_address *nodes, int count)
{
    say_frontend(sheet, config, config->leader_pool, "http", config->leader_listen);
    say(sheet,
        "# Each node speaks for itself: a dead node fails both checks. The HTTP check is the lease, the agent the quick word.\n"
        "backend %s\n"
        "  mode http\n"
        "  balance first\n"
        "  option forwardfor           # a node must not take a far client for a near one (orders without a name)\n"
        "  option httpchk\n"
        "  http-check send meth GET uri %s/api/leader-check\n"
        "  http-check expect status 200\n"
        "  option redispatch 1\n"
        "  retries 2\n"
        "  timeout check 500ms\n"
        "  timeout server 30s\n"
        "  default-server check inter 500ms fall 1 rise 1 weight 100 agent-inter %dms on-marked-down shutdown-sessions",
        config->leader_pool, config->url_prefix, config->agent_inter_ms);
    say_tls(sheet, config);
    say(sheet, "\n");
    say_tls_why(sheet, config);
    for (int i = 0; i < count; i++) {
        say(sheet, "  server %s ", nodes[i].name);
        say_bind_address(sheet, nodes[i].host, nodes[i].http_port);
        say(sheet, " id %d agent-check agent-port %d agent-send \"$HAPROXY_LOCALPEER %s/%s\\n\"\n", (i + 1) * 10,
            nodes[i].agent_port, config->leader_pool, nodes[i].name);
    }
}

/* ---- the whole ---- */

enum fc_code proxy_config_print(const struct config *config, char *to, size_t size, struct fc_err *err)
{
    struct sheet sheet = { to, size, 0, size == 0 };
    struct node_address nodes[NODES_MAX];
    struct named_address servers[LIST_MAX];
    struct door relay, other;
    enum fc_code code;

    if (config->nodes.count == 0)
        return fc_fail(err, FC_BAD_CONFIG, "Nodes is empty; it must name every node, or HAProxy has nobody to ask");
    if (config->nodes.count > NODES_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "Nodes has %d items; at most %d are possible", config->nodes.count, NODES_MAX);
    if ((code = check_all_plain(config, err)) != FC_OK ||
        (code = door_parse("RelayListen", config->relay_listen, &relay, err)) != FC_OK ||
        (code = door_parse("BackendListen", config->backend_listen, &other, err)) != FC_OK ||
        (code = door_parse("LeaderListen", config->leader_listen, &other, err)) != FC_OK)
        return code;
    if (relay.is_unix && text_is(config->steering_term_over, "freeze"))
        return fc_fail(err, FC_BAD_CONFIG, "RelayListen is '%s' while SteeringTermOver is \"freeze\"; it must be host:port, "
                       "because the plain health check would go to the same unix path", config->relay_listen);
    for (int i = 0; i < config->nodes.count; i++) {
        if ((code = node_address_parse(config->nodes.item[i], &nodes[i], err)) != FC_OK)
            return code;
    }
    for (int i = 0; i < config->backend_servers.count; i++) {
        if ((code = named_address_parse(config->backend_servers.item[i], &servers[i], err)) != FC_OK)
            return code;
    }

    say_global(&sheet, config);
    if (config_has_pair(config)) {
        say_relay(&sheet, config, nodes, config->nodes.count);
        say_backend_pool(&sheet, config, &relay, servers, config->backend_servers.count);
    } else {
        say(&sheet, "# BackendServers is empty: no pool of MySQL servers, and no relay for it.\n\n");
    }
    if ((code = say_clusters(&sheet, config, nodes, err)) != FC_OK)
        return code;
    say_leader_pool(&sheet, config, nodes, config->nodes.count);
    if (sheet.is_cut)
        return fc_fail(err, FC_BAD_INPUT, "the printed configuration is longer than %zu bytes", size);
    return FC_OK;
}
