/* Each rule of the lint has the smallest change to the printed haproxy.cfg that breaks it, and is heard at its line; the printed
 * file itself breaks none. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/lint.h"
#include "haproxy/proxy_config.h"

static struct config home;
static struct proxy_file *file;
static struct lint *lint;
static char sheet[32768];

static void set_list(const char *key, const char *item)
{
    cr_assert_eq(config_add_item(&home, config_key_find(key), item, NULL), FC_OK, "%s", item);
}

static void home_open(void)
{
    config_preset(&home);
    set_list("Nodes", "fc1=10.0.9.1:3000/9377");
    set_list("Nodes", "fc2=10.0.9.2:3000/9377");
    set_list("BackendServers", "db1=10.0.1.1:3306");
    set_list("BackendServers", "db2=10.0.1.2:3306");
    set_list("HAProxyInstances", "lb1=/run/haproxy/admin.sock");
    TEXT_SET(home.haproxy_door_script, "/etc/haproxy/door.lua");
    TEXT_SET(home.mysql_user, "store");
    TEXT_SET(home.fence_user, "fence");
    cr_assert_eq(config_check(&home, NULL), FC_OK);
}

static void print_sheet(void)
{
    struct fc_err err = { 0 };

    cr_assert_eq(proxy_config_print(&home, sheet, sizeof sheet, &err), FC_OK, "%s", err.text);
}

static void lint_sheet(void)
{
    struct fc_err err = { 0 };

    free(file);
    free(lint);
    file = malloc(sizeof *file);
    lint = calloc(1, sizeof *lint);
    cr_assert(file != NULL && lint != NULL);
    proxy_file_open(file);
    cr_assert_eq(proxy_file_add(file, "haproxy.cfg", sheet, strlen(sheet), &err), FC_OK, "%s", err.text);
    lint_run(file, &home, lint);
}

static void close_all(void)
{
    free(file);
    free(lint);
    file = NULL;
    lint = NULL;
}

/* Replaces every `from` by `to`; at least one must be there. "" as `from`: `to` is added at the end. */
static void edit(const char *from, const char *to)
{
    static char result[sizeof sheet];
    const char *at = sheet, *found;
    size_t length = 0;

    cr_assert(from[0] == '\0' || strstr(sheet, from) != NULL, "'%s' is not in the printed file", from);
    while (from[0] != '\0' && (found = strstr(at, from)) != NULL) {
        length += (size_t)snprintf(result + length, sizeof result - length, "%.*s%s", (int)(found - at), at, to);
        at = found + strlen(from);
    }
    length += (size_t)snprintf(result + length, sizeof result - length, "%s%s", at, from[0] == '\0' ? to : "");
    cr_assert_lt(length, sizeof result);
    text_copy(sheet, sizeof sheet, result);
}

/* "word word ", each once, in the order of their lines; all of them when `severity` is LINT_SEVERITY_COUNT. */
static void words_of(char *to, size_t size)
{
    char word[64];

    to[0] = '\0';
    for (int i = 0; i < lint->finding_count; i++) {
        TEXT_FORMAT(word, "%s ", lint->findings[i].rule->word);
        if (strstr(to, word) == NULL)
            text_format(to + strlen(to), size - strlen(to), "%s", word);
    }
}

static const char *first_text(const char *word)
{
    static char text[1024];

    for (int i = 0; i < lint->finding_count; i++) {
        if (text_is(lint->findings[i].rule->word, word)) {
            cr_expect(lint_finding_text(&lint->findings[i], "haproxy.cfg", text, sizeof text));
            return text;
        }
    }
    return "";
}

/* ---- nothing to say ---- */

static void nothing_is_found(void)
{
    char words[512];

    print_sheet();
    lint_sheet();
    words_of(words, sizeof words);
    cr_expect_str_eq(words, "");
    close_all();
}

Test(lint, the_printed_file_has_no_finding_whatever_is_configured)
{
    home_open();
    nothing_is_found();
    home.haproxy_door_script[0] = '\0';
    nothing_is_found();
    home.hold_the_door_ms = 0;
    nothing_is_found();
    home_open();
    TEXT_SET(home.relay_listen, "/run/relay.sock");
    TEXT_SET(home.url_prefix, "/chair");
    nothing_is_found();
    home_open();
    TEXT_SET(home.relay_listen, ":9378");
    TEXT_SET(home.steering_term_over, "freeze");
    nothing_is_found();
    home_open();
    home.check_fall = 2;
    home.check_inter_ms = 400;
    home.agent_inter_ms = 2000;
    home.check_timeout_ms = 3000;
    home.hard_stop_seconds = 60;
    nothing_is_found();
}

Test(lint, the_printed_file_of_a_shared_store_has_no_finding)
{
    home_open();
    config_clear_list(&home, config_key_find("BackendServers"));
    TEXT_SET(home.mysql_host, "10.0.1.1");
    nothing_is_found();
}

Test(lint, without_a_configuration_only_that_is_said)
{
    char words[512];

    home_open();
    print_sheet();
    config_preset(&home);
    lint_sheet();
    words_of(words, sizeof words);
    cr_expect_str_eq(words, "not-configured ");
    close_all();
}

Test(lint, the_same_in_other_words_has_no_finding)
{
    char words[512];

    home_open();
    print_sheet();
    edit("balance first", "\"balance\" 'first' # as it should be");
    edit("agent-inter 200ms", "agent-inter 200");
    edit("hard-stop-after 10s", "hard-stop-after 9000");
    edit("  option forwardfor           # a node must not take a far client for a near one (orders without a name)\n",
         "  no option forwardfor\n  option forwardfor except 127.0.0.0/8\n");
    edit("  server db1 10.0.1.1:3306", "  server db1 ipv4@10.0.1.1:3306");
    edit("\nbackend fc_backend\n", "\ndefaults quick from plain\n  option redispatch\ndefaults plain2\nbackend fc_backend from plain\n");
    edit("defaults\n", "defaults plain\n");
    edit("frontend fc_leader_in\n", "frontend fc_leader_in from plain\n");
    edit("\nbackend fc_leader\n", "\nbackend fc_leader from plain\n");
    edit("  default-server disabled check", "  default-server check no-check disabled enabled disabled check");
    edit("option httpchk\n", "option httpchk GET /api/leader-check\n");
    edit("  http-check send meth GET uri /api/leader-check\n", "");
    lint_sheet();
    words_of(words, sizeof words);
    cr_expect_str_eq(words, "", "%s", lint->finding_count > 0 ? first_text(lint->findings[0].rule->word) : "");
    close_all();
}

/* ---- each rule ---- */

struct bad {
    const char *words;               /* all that is heard of it, in the order of lines */
    const char *from, *to;           /* the change to the printed file */
    const char *set, *value;         /* a key of firstchair's configuration that is changed after printing; NULL none */
};

#define ASKS "agent-send \"$HAPROXY_LOCALPEER fc_backend/db1\\n\""
#define CHECKED "check inter 300ms fall 5 rise 1"

static const struct bad bads[] = {
    { "no-pool unknown-pool", "backend fc_", "backend my_", NULL, NULL },
    { "one-pool unknown-pool", "\nbackend fc_leader\n", "\nbackend fc_else\n", NULL, NULL },
    { "one-pool unknown-pool", "\nbackend fc_backend\n", "\nbackend backend\n", NULL, NULL },
    { "conditions", "  mode http\n  bind", ".if defined(X)\n  mode http\n.endif\n  bind", NULL, NULL },
    { "hard-stop-missing", "  hard-stop-after", "  # hard-stop-after", NULL, NULL },
    { "hard-stop-longer", "hard-stop-after 10s", "hard-stop-after 10001", NULL, NULL },
    { "hard-stop-longer", "hard-stop-after 10s", "hard-stop-after 1d", NULL, NULL },
    { "spread-checks", "global\n", "global\n  spread-checks 5\n", NULL, NULL },
    { "localpeer-unknown", "global\n", "global\n  localpeer lb9\n", NULL, NULL },
    { "socket-missing", "stats socket /run/haproxy/admin.sock", "stats socket /run/other.sock", NULL, NULL },
    { "socket-level", "mode 660 level admin", "mode 660 level operator", NULL, NULL },
    { "state-not-loaded", "  load-server-state-from-file global\n", "", NULL, NULL },
    { "state-not-loaded", "  server-state-file", "  # server-state-file", NULL, NULL },
    { "state-not-loaded", "\nbackend fc_leader\n", "\nbackend fc_leader\n  no load-server-state-from-file\n", NULL, NULL },
    { "polls-may-drift", "  max-spread-checks 10 ", "  # ", NULL, NULL },
    { "door-open", "  tcp-request content lua.firstchair_hold fc_leader 2000\n", "", NULL, NULL },
    { "door-script-not-loaded", "  lua-load /etc/haproxy/door.lua\n", "", NULL, NULL },
    { "door-late", "  tcp-request content lua.firstchair_hold fc_leader 2000\n",
      "  tcp-request content accept if { nbsrv(fc_leader) gt 0 } or WAIT_END\n", NULL, NULL },
    { "door-delay", "inspect-delay 3000ms", "inspect-delay 2s", NULL, NULL },
    { "door-delay", "  tcp-request inspect-delay 3000ms\n", "", NULL, NULL },
    { "door-pool", "firstchair_hold fc_leader", "firstchair_hold fc_backend", NULL, NULL },
    { "unknown-pool", "", "\nbackend old\n  server db1 10.0.3.1:3306 check agent-check agent-inter 200ms agent-addr 127.0.0.1 agent-port 9378 "
      "agent-send \"$HAPROXY_LOCALPEER old/db1\\n\"\n", NULL, NULL },
    { "server-missing unknown-server agent-send-target", "  server db2 ", "  server db3 ", NULL, NULL },
    { "server-missing", "  server fc2 10.0.9.2:3000", "  # server fc2", NULL, NULL },
    { "server-address", "10.0.1.2:3306", "10.0.1.3:3306", NULL, NULL },
    { "server-address", "10.0.9.2:3000", "10.0.9.2:80", NULL, NULL },
    { "server-address-not-compared", "10.0.1.2:3306", "db2.example.com:3306", NULL, NULL },
    { "beside-the-pool", "", "\nlisten reads\n  bind :3307\n  server a 10.0.1.2:3306 check\n", NULL, NULL },
    { "no-agent-check", "10.0.1.1:3306 id 10 agent-check " ASKS, "10.0.1.1:3306 id 10", NULL, NULL },
    { "not-disabled", "default-server disabled check", "default-server check", NULL, NULL },
    { "not-disabled", "  server db1 10.0.1.1:3306", "  server db1 10.0.1.1:3306 enabled", NULL, NULL },
    { "leader-disabled", "default-server check inter 500ms", "default-server disabled check inter 500ms", NULL, NULL },
    { "sessions-live-on", "agent-port 9378 on-marked-down shutdown-sessions", "agent-port 9378", NULL, NULL },
    { "writer-maxconn", "default-server disabled", "default-server maxconn 100 disabled", NULL, NULL },
    { "weight-zero", "rise 1 weight 100 agent-inter 200ms agent-addr", "rise 1 weight 0 agent-inter 200ms agent-addr", NULL, NULL },
    { "weight-small", "rise 1 weight 100 agent-inter 200ms agent-addr", "rise 1 agent-inter 200ms agent-addr", NULL, NULL },
    { "weight-small", "rise 1 weight 100 agent-inter 200ms agent-addr", "rise 1 weight 1 agent-inter 200ms agent-addr", NULL, NULL },
    { "writer-sticky", "\nbackend fc_backend\n", "\nbackend fc_backend\n  stick-table type ip size 1k\n  stick on src\n", NULL, NULL },
    { "writer-sticky", "\nbackend fc_backend\n", "\nbackend fc_backend\n  dynamic-cookie-key secret\n", NULL, NULL },
    { "writer-sticky", "  load-server-state", "  cookie SRV insert dynamic\n  load-server-state", NULL, NULL },
    { "writer-redispatch", "  load-server-state", "  option redispatch\n  load-server-state", NULL, NULL },
    { "balance", "\nbackend fc_leader\n  mode http\n  balance first\n", "\nbackend fc_leader\n  mode http\n", NULL, NULL },
    { "balance", "\nbackend fc_leader\n  mode http\n  balance first\n", "\nbackend fc_leader\n  mode http\n  balance leastconn\n", NULL, NULL },
    { "pool-mode", "\nbackend fc_backend\n  mode tcp\n", "\nbackend fc_backend\n  mode http\n", NULL, NULL },
    { "forwardfor", "  option forwardfor ", "  # ", NULL, NULL },
    { "agent-send-missing", "id 10 agent-check " ASKS, "id 10 agent-check", NULL, NULL },
    { "agent-send-mixed", "", "\nlisten other\n  bind :3307\n  server a 10.0.3.2:3306 check agent-check agent-port 99\n", NULL, NULL },
    { "agent-send-unended", ASKS, "agent-send \"$HAPROXY_LOCALPEER fc_backend/db1\"", NULL, NULL },
    { "agent-send-literal", ASKS, "agent-send '$HAPROXY_LOCALPEER fc_backend/db1\\n'", NULL, NULL },
    { "agent-send-literal", ASKS, "agent-send $HAPROXY_LOCALPEER\\ fc_backend/db1\\n", NULL, NULL },
    { "agent-send-form", ASKS, "agent-send \"$HAPROXY_LOCALPEER db1\\n\"", NULL, NULL },
    { "agent-send-form", ASKS, "agent-send \"$HAPROXY_LOCALPEER voice\\n\"", NULL, NULL },
    { "agent-send-target", ASKS, "agent-send \"$HAPROXY_LOCALPEER fc_backend/db2\\n\"", NULL, NULL },
    { "agent-send-target", ASKS, "agent-send \"$HAPROXY_LOCALPEER fc_leader/fc1\\n\"", NULL, NULL },
    { "agent-send-nameless", ASKS, "agent-send \"fc_backend/db1\\n\"", NULL, NULL },
    { "agent-send-name", ASKS, "agent-send \"lb7 fc_backend/db1\\n\"", NULL, NULL },
    { "agent-host-name", "agent-addr 127.0.0.1", "agent-addr localhost", NULL, NULL },
    { "agent-one-node", "agent-addr 127.0.0.1 agent-port 9378", "agent-addr 10.0.9.1 agent-port 9377", NULL, NULL },
    { "agent-astray", "agent-addr 127.0.0.1 agent-port 9378", "agent-addr 127.0.0.1 agent-port 9999", NULL, NULL },
    { "agent-other-node", "agent-check agent-port 9377", "agent-check agent-port 9376", NULL, NULL },
    { "agent-other-node", "agent-check agent-port 9377", "agent-check agent-addr 10.0.9.3 agent-port 9377", NULL, NULL },
    { "agent-several agent-one-node", ASKS, "agent-addr 10.0.9.1 agent-port 9377 " ASKS, NULL, NULL },
    { "agent-inter", "agent-inter 200ms agent-addr", "agent-inter 500ms agent-addr", NULL, NULL },
    { "token-missing", "  option tcp-check\n  timeout check 100ms\n", "  option mysql-check\n  timeout check 100ms\n", NULL, NULL },
    { "token-missing", "  tcp-check expect string fc-ok\n", "", NULL, NULL },
    { "token-missing", "  tcp-check expect string fc-ok\n", "  tcp-check expect string ok\n", NULL, NULL },
    { "token-with-freeze", "", "\n", "SteeringTermOver", "freeze" },
    { "token-rstring", "expect string fc-ok", "expect rstring ^up.*fc-ok", NULL, NULL },
    { "token-question", "%[be_name]/%[srv_name]", "%[be_name]/db1", NULL, NULL },
    { "token-question token-nameless", "tcp-check send-lf \"%[env(HAPROXY_LOCALPEER)] %[be_name]/%[srv_name]\\n\"",
      "tcp-check send \"fc_backend/db1\\n\"", NULL, NULL },
    { "token-nameless", "%[env(HAPROXY_LOCALPEER)] ", "", NULL, NULL },
    { "token-unchecked", "default-server disabled " CHECKED, "default-server disabled", NULL, NULL },
    { "unchecked", "default-server check inter 500ms fall 1 rise 1", "default-server", NULL, NULL },
    { "token-one-node", "tcp-check connect addr 127.0.0.1 port 9378", "tcp-check connect addr 10.0.9.1 port 9377", NULL, NULL },
    { "token-astray", "tcp-check connect addr 127.0.0.1 port 9378", "tcp-check connect", NULL, NULL },
    { "token-slow", "  timeout check 100ms\n", "", NULL, NULL },
    { "token-slow", "disabled check inter 300ms fall 5", "disabled check inter 300ms fall 6", NULL, NULL },
    { "token-slow", "disabled check inter 300ms", "disabled check inter 300ms fastinter 1s", NULL, NULL },
    { "token-pace", "  timeout check 100ms\n", "  timeout check 50ms\n", NULL, NULL },
    { "relay-slow token-pace", "disabled check inter 300ms fall 5", "disabled check inter 300ms fall 4", NULL, NULL },
    { "leader-check", "  option httpchk\n", "  # option httpchk\n", NULL, NULL },
    { "leader-check", "uri /api/leader-check", "uri /", NULL, NULL },
    { "leader-check", "", "\n", "URLPrefix", "/chair" },
    { "leader-tls", "10.0.9.2:3000 id 20", "10.0.9.2:3000 id 20 ssl verify none", NULL, NULL },
    { "leader-plain", "", "\n", "UseSSL", "true" },
    { "relay-mode", "listen firstchair_agents\n  mode tcp\n", "listen firstchair_agents\n  mode http\n", NULL, NULL },
    { "relay-voice", "  tcp-check expect string fc-voice\n", "", NULL, NULL },
    { "relay-voice", "tcp-check send \"voice\\n\"", "tcp-check send \"voices\\n\"", NULL, NULL },
    { "relay-voice", "  tcp-check send \"voice\\n\"\n", "", NULL, NULL },
    { "relay-balance", "  balance first\n  option redispatch 1         #", "  balance roundrobin\n  option redispatch 1 #", NULL, NULL },
    { "relay-redispatch", "  option redispatch 1         #", "  #", NULL, NULL },
    { "relay-lacks-node", "  server fc2 10.0.9.2:9377 id 20\n", "", NULL, NULL },
    { "relay-lacks-node relay-unknown-node", "  server fc2 10.0.9.2:9377 id 20\n", "  server fc2 10.0.9.2:9999 id 20\n", NULL, NULL },
    { "relay-unknown-node", "  server fc2 10.0.9.2:9377 id 20\n", "  server fc2 10.0.9.2:9377\n  server x 10.0.9.9:9377\n", NULL, NULL },
    { "relay-unchecked", "default-server check inter 119ms fall 2", "default-server", NULL, NULL },
    { "relay-slow", "inter 119ms", "inter 130ms", NULL, NULL },
    { "relay-slow", "  timeout check 119ms\n", "  timeout check 1s\n", NULL, NULL },
    { "relay-wrapped", "10.0.9.2:9377 id 20", "10.0.9.2:9377 id 20 send-proxy", NULL, NULL },
    { "relay-wrapped", "10.0.9.2:9377 id 20", "10.0.9.2:9377 id 20 ssl verify none", NULL, NULL },
};

/* With a managed cluster's pools, main_rw and main_ro. */
static const struct bad cluster_bads[] = {
    { "one-pool unknown-pool", "\nbackend main_rw\n", "\nbackend main\n", NULL, NULL },
    { "cluster-relay", "fc_leader/%[srv_name]", "fc_leader/fc1", NULL, NULL },
    { "server-missing", "  server m2 10.0.2.2:3306 id 20 agent-check agent-send \"$HAPROXY_LOCALPEER main_ro/m2\\n\"\n", "", NULL, NULL },
    { "unknown-server", "  server m1 10.0.2.1:3306 id 10 agent-check agent-send \"$HAPROXY_LOCALPEER main_rw/m1\\n\"\n",
      "  server m1 10.0.2.1:3306 id 10 agent-check agent-send \"$HAPROXY_LOCALPEER main_rw/m1\\n\"\n"
      "  server m9 10.0.2.9:3306 id 90 agent-check agent-send \"$HAPROXY_LOCALPEER main_rw/m9\\n\"\n", NULL, NULL },
    { "server-address", "server m1 10.0.2.1:3306 id 10 agent-check agent-send \"$HAPROXY_LOCALPEER main_ro",
      "server m1 10.0.2.7:3306 id 10 agent-check agent-send \"$HAPROXY_LOCALPEER main_ro", NULL, NULL },
    { "agent-send-target", "LOCALPEER main_ro/m1", "LOCALPEER main_rw/m1", NULL, NULL },
    { "not-disabled", "default-server disabled check inter 300ms fall 18", "default-server check inter 300ms fall 18", NULL, NULL },
    { "token-slow", "inter 300ms fall 18", "inter 300ms fall 30", NULL, NULL },
    { "token-pace", "inter 300ms fall 18", "inter 300ms fall 5", NULL, NULL },
};

static void clusters_open(void)
{
    home_open();
    TEXT_SET(home.topology_user, "topo");
    set_list("ClusterServers", "main/m1=10.0.2.1:3306");
    set_list("ClusterServers", "main/m2=10.0.2.2:3306");
    set_list("WriterPools", "main_rw=main@127.0.0.1:3307");
    set_list("ReaderPools", "main_ro=main@127.0.0.1:3308");
    cr_assert_eq(config_check(&home, NULL), FC_OK);
}

static void meets(const struct bad *bad, void (*open)(void))
{
    char words[512], wanted[256];

    open();
    print_sheet();
    edit(bad->from, bad->to);
    if (bad->set != NULL && text_is(bad->value, "true"))
        cr_assert_eq(config_set_bool(&home, config_key_find(bad->set), true, NULL), FC_OK);
    else if (bad->set != NULL)
        cr_assert_eq(config_set_text(&home, config_key_find(bad->set), bad->value, NULL), FC_OK);
    lint_sheet();
    words_of(words, sizeof words);
    TEXT_FORMAT(wanted, "%s ", bad->words);
    cr_expect_str_eq(words, wanted, "'%s' for '%s' gives '%s', not '%s'", bad->to, bad->from, words, wanted);
    close_all();
}

Test(lint, each_bad_file_is_heard_of_with_nothing_else)
{
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++)
        meets(&bads[i], home_open);
    for (size_t i = 0; i < sizeof cluster_bads / sizeof cluster_bads[0]; i++)
        meets(&cluster_bads[i], clusters_open);
}

Test(lint, the_printed_pools_of_managed_clusters_have_no_finding)
{
    clusters_open();
    nothing_is_found();
    TEXT_SET(home.steering_term_over, "freeze");
    nothing_is_found();
    clusters_open();
    config_clear_list(&home, config_key_find("BackendServers"));
    TEXT_SET(home.mysql_host, "10.0.1.1");
    nothing_is_found();
}

Test(lint, the_printed_leader_pool_of_https_has_no_finding)
{
    home_open();
    home.http_uses_tls = home.http_wants_certificate = true;
    nothing_is_found();
    TEXT_SET(home.http_ca_file, "/etc/firstchair/authorities.pem");
    nothing_is_found();
}

Test(lint, slow_polls_out_of_phase_are_more_than_a_hint)
{
    char words[512];

    home_open();
    home.agent_inter_ms = 2000;
    print_sheet();
    edit("  max-spread-checks 10 ", "  # ");
    lint_sheet();
    words_of(words, sizeof words);
    cr_expect_str_eq(words, "polls-out-of-phase ");
    edit("global\n", "global\n  max-spread-checks 500\n");
    lint_sheet();
    words_of(words, sizeof words);
    cr_expect_str_eq(words, "polls-out-of-phase ");
    close_all();
}

Test(lint, a_template_in_a_pool_is_heard_of)
{
    char words[512];

    home_open();
    print_sheet();
    edit("  server db2 10.0.1.2:3306 id 20", "  server-template db 2 db.example.com:3306");
    lint_sheet();
    words_of(words, sizeof words);
    cr_expect_not_null(strstr(words, "server-template "), "%s", words);
    close_all();
}

Test(lint, every_rule_has_a_bad_file_a_word_of_its_own_and_a_way_out)
{
    static const char *const elsewhere[] = { "server-template", "not-configured", "polls-out-of-phase", "cluster-relay" };

    for (size_t t = 0; t < lint_table_count; t++) {
        for (size_t i = 0; i < lint_tables[t]->count; i++) {
            const struct lint_rule *rule = &lint_tables[t]->rules[i];
            bool is_tried = false;
            int namesakes = 0;
            for (size_t k = 0; k < sizeof elsewhere / sizeof elsewhere[0]; k++)
                is_tried = is_tried || text_is(rule->word, elsewhere[k]);
            for (size_t k = 0; k < sizeof bads / sizeof bads[0]; k++) {
                const char *at = strstr(bads[k].words, rule->word);
                const char end = at == NULL ? 'x' : at[strlen(rule->word)];
                is_tried = is_tried || (at != NULL && (end == ' ' || end == '\0') && (at == bads[k].words || at[-1] == ' '));
            }
            for (size_t u = 0; u < lint_table_count; u++) {
                for (size_t k = 0; k < lint_tables[u]->count; k++)
                    namesakes += text_is(lint_tables[u]->rules[k].word, rule->word);
            }
            cr_expect(is_tried, "%s has no bad file", rule->word);
            cr_expect_eq(namesakes, 1, "%s", rule->word);
            cr_expect(strlen(rule->finding) > 10 && strlen(rule->mend) > 5, "%s", rule->word);
            cr_expect_eq(rule->pools != 0, rule->scope == LINT_POOL || rule->scope == LINT_POOL_SERVER || rule->scope == LINT_DOOR,
                         "%s", rule->word);
        }
    }
}

/* ---- how it is said ---- */

Test(lint, a_finding_names_file_line_server_reason_and_way_out)
{
    home_open();
    print_sheet();
    edit("10.0.1.2:3306", "10.0.1.3:3306");
    lint_sheet();
    int line = 1;
    for (const char *at = sheet; at < strstr(sheet, "  server db2 "); at++)
        line += *at == '\n';
    char wanted[512];
    TEXT_FORMAT(wanted, "haproxy.cfg:%d: error: fc_backend/db2 has another address than in firstchair's configuration: one server is "
                "steered, another gets the traffic ('10.0.1.3:3306', firstchair has 10.0.1.2:3306); write the same address in both "
                "[server-address]", line);
    cr_expect_str_eq(first_text("server-address"), wanted);
    cr_expect_eq(lint->counts[LINT_ERROR], 1);
    close_all();
}

Test(lint, a_wrong_default_server_line_is_said_once)
{
    home_open();
    print_sheet();
    edit("default-server disabled", "default-server maxconn 100 disabled");
    lint_sheet();
    cr_expect_eq(lint->finding_count, 1);
    edit("maxconn 100 ", "");
    edit("id 10 agent-check agent-send", "id 10 maxconn 5 agent-check agent-send");
    edit("id 20 agent-check agent-send", "id 20 maxconn 6 agent-check agent-send");
    lint_sheet();
    cr_expect_eq(lint->finding_count, 2);
    close_all();
}

Test(lint, findings_past_the_bound_are_counted)
{
    home_open();
    print_sheet();
    for (int i = 0; i < 600; i++) {
        char server[64];
        TEXT_FORMAT(server, "  server x%d 10.0.1.1:3306\n", i);
        if (i == 0)
            edit("", "\nlisten reads\n  bind :3307\n");
        edit("", server);
    }
    lint_sheet();
    cr_expect_eq(lint->finding_count, LINT_FINDINGS_MAX);
    cr_expect_eq(lint->dropped, 600 - LINT_FINDINGS_MAX);
    cr_expect_eq(lint->counts[LINT_HINT], 600);
    close_all();
}

Test(lint, what_stands_in_the_file_is_said_in_one_plain_line)
{
    home_open();
    print_sheet();
    edit("server db2 10.0.1.2:3306", "server db2 '\x1b[2J;\xc3\xa4'");
    lint_sheet();
    for (int i = 0; i < lint->finding_count; i++)
        cr_expect_eq(strcspn(lint->findings[i].detail, "\x1b;\xc3"), strlen(lint->findings[i].detail));
    cr_expect_gt(lint->finding_count, 0);
    close_all();
}
