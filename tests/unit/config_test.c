/* The table of keys checks itself; values are typed and bounded; rules of more than one key say what is right. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/config.h"
#include "core/config_docs.h"

static struct config config;
static struct fc_err err;

static void given(const char *name, const char *value)
{
    const struct config_key *key = config_key_find(name);

    cr_assert_not_null(key, "%s", name);
    cr_assert_eq(config_set_text(&config, key, value, &err), FC_OK);
}

static void given_number(const char *name, double value)
{
    cr_assert_eq(config_set_int(&config, config_key_find(name), value, &err), FC_OK);
}

static void given_item(const char *name, const char *value)
{
    cr_assert_eq(config_add_item(&config, config_key_find(name), value, &err), FC_OK);
}

static void refused(const char *with)
{
    cr_assert_eq(config_check(&config, &err), FC_BAD_CONFIG);
    cr_expect_not_null(strstr(err.text, with), "%s", err.text);
}

static void refused_as(enum fc_code code, const char *sentence)
{
    cr_expect_eq(code, FC_BAD_CONFIG);
    cr_expect_str_eq(err.text, sentence);
}

static void accepted(void) { cr_expect_eq(config_check(&config, &err), FC_OK, "%s", err.text); }

static void fresh(void) { config_preset(&config); }

static void fresh_pair(void)
{
    fresh();
    given_item("BackendServers", "db1=10.0.1.1:3306");
    given_item("BackendServers", "db2=10.0.1.2:3306");
    given("MySQLOrchestratorUser", "store");
    given("BackendFenceUser", "fence");
}

/* ---- the witness ---- */

static void fresh_witness(void)
{
    fresh();
    given("Role", "witness");
    given_item("BackendServers", "db1=10.0.1.1:3306");
    given_item("BackendServers", "db2=10.0.1.2:3306");
    cr_assert_eq(config_set_bool(&config, config_key_find("RaftEnabled"), true, &err), FC_OK);
    given("RaftDataDir", "/var/lib/firstchair/raft");
    for (int i = 1; i <= 3; i++) {
        char item[32];
        TEXT_FORMAT(item, "fc%d=10.0.9.%d:10008", i, i);
        given_item("RaftNodes", item);
    }
}

Test(config, a_witness_needs_raft_and_no_account)
{
    fresh_witness();
    accepted();
    fresh_witness();
    given("Role", "arbiter");
    refused("Role is 'arbiter'; it must be \"node\" or \"witness\"");
    fresh_witness();
    config.raft_nodes.count = 2;
    refused("Role is 'witness'; that needs RaftEnabled and at least three RaftNodes");
    fresh_witness();
    config.raft_enabled = false;
    refused("Role is 'witness'; that needs RaftEnabled");
    fresh_witness();
    given("MySQLOrchestratorHost", "10.0.1.9");
    refused("Role is 'witness' and MySQLOrchestratorHost is '10.0.1.9'; a witness has no store");
    fresh_witness();
    given("BackendDB", "sqlite");
    refused("Role is 'witness' and BackendDB is 'sqlite'");
    fresh_witness();
    config.backend_servers.count = 0;
    accepted();
}

Test(config, a_witness_keeps_no_account_that_stands_in_its_file)
{
    fresh_witness();
    given("MySQLOrchestratorUser", "store");
    given("MySQLOrchestratorPassword", "secret");
    given("BackendFenceUser", "fence");
    given("BackendFencePassword", "secret");
    given("MySQLTopologyUser", "look");
    given("MySQLTopologyPassword", "secret");
    accepted();
    cr_expect_str_empty(config.mysql_user);
    cr_expect_str_empty(config.mysql_password);
    cr_expect_str_empty(config.fence_password);
    cr_expect_str_empty(config.topology_user);
    cr_expect_str_empty(config.topology_password);
}

/* ---- the table ---- */

Test(config, no_name_or_field_stands_twice)
{
    for (size_t i = 0; i < config_key_count; i++) {
        for (size_t j = 0; j < i; j++) {
            cr_expect_not(text_is_nocase(config_keys[i].name, config_keys[j].name), "%s", config_keys[i].name);
            cr_expect_neq(config_keys[i].offset, config_keys[j].offset, "%s %s", config_keys[i].name, config_keys[j].name);
        }
        for (size_t j = 0; j < config_known_count; j++)
            cr_expect_not(text_is_nocase(config_keys[i].name, config_known[j].name), "%s", config_keys[i].name);
    }
    for (size_t i = 0; i < config_known_count; i++) {
        for (size_t j = 0; j < i; j++)
            cr_expect_not(text_is_nocase(config_known[i].name, config_known[j].name), "%s", config_known[i].name);
    }
}

Test(config, every_field_has_a_key)
{
    size_t size = 0;

    for (size_t i = 0; i < config_key_count; i++) {
        switch (config_keys[i].type) {
        case CONFIG_BOOL: size += sizeof(bool); break;
        case CONFIG_INT: size += sizeof(int); break;
        case CONFIG_REAL: size += sizeof(double); break;
        case CONFIG_TEXT: size += sizeof(config_text); break;
        case CONFIG_QUERY: size += sizeof(config_query); break;
        case CONFIG_MAP: size += sizeof(struct config_map); break;
        case CONFIG_MANY: size += sizeof(struct config_many); break;
        case CONFIG_LIST: size += sizeof(struct config_list); break;
        }
    }
    cr_expect_leq(size, sizeof config);
    cr_expect_lt(sizeof config - size, 48, "padding only: %zu bytes of struct config have no key", sizeof config - size);
}

Test(config, every_row_says_what_it_means_and_its_preset_is_within_its_bounds)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        uint64_t preset = 0;
        cr_expect_gt(strlen(key->meaning), 5, "%s", key->name);
        cr_expect_gt(strlen(key->room), 2, "%s", key->name);
        cr_expect_eq(key->meaning[strlen(key->meaning) - 1], '.', "%s", key->name);
        cr_expect_null(strchr(key->meaning, '|'), "%s would break its row in the page", key->name);
        if (key->type == CONFIG_INT) {
            cr_expect(text_to_u64(key->preset, strlen(key->preset), &preset), "%s", key->name);
            cr_expect((int64_t)preset >= key->least && (int64_t)preset <= key->most && key->most <= INT32_MAX, "%s", key->name);
        }
    }
}

Test(config, the_presets_are_a_configuration_that_runs)
{
    fresh();
    accepted();
    cr_expect_str_eq(config.backend_db, "sqlite");
    cr_expect_str_eq(config.sqlite3_data_file, "/var/lib/firstchair/firstchair.db");
    cr_expect_eq(config.poll_ms, 200);
    cr_expect_eq(config.lease_ms, 2000);
    cr_expect_eq(config.haproxy_push, true);
    cr_expect_str_eq(config_many_next(&config.power_auth_users, NULL), "*");
    cr_expect_not(config_has_pair(&config));
}

Test(config, names_are_found_without_regard_to_case_and_near_ones_are_hinted)
{
    cr_expect_str_eq(config_key_find("leasemilliseconds")->name, "LeaseMilliseconds");
    cr_expect_null(config_key_find("Lease"));
    cr_expect(config_key_is_known("RaftEnabled"));
    cr_expect(config_key_is_known("databaselessmode__EXPERIMENTAL"));
    cr_expect_not(config_key_is_known("NoSuchKey"));
    cr_expect_str_eq(config_key_nearest("LeaseMiliseconds"), "LeaseMilliseconds");
    cr_expect_str_eq(config_key_nearest("BackendServer"), "BackendServers");
    cr_expect_null(config_key_nearest("SomethingElseAltogether"));
    cr_expect_null(config_key_nearest(""));
    cr_expect_null(config_key_nearest("a name that is longer than any key of ours could ever be, by far and then some"));
}

/* ---- typed values ---- */

Test(config, a_value_of_another_type_is_refused_by_name)
{
    fresh();
    cr_expect_eq(config_set_text(&config, config_key_find("ReadOnly"), "true", &err), FC_BAD_CONFIG);
    cr_expect_str_eq(err.text, "ReadOnly is a text; it must be true or false, without quotes");
    cr_expect_eq(config_set_bool(&config, config_key_find("LeaseMilliseconds"), true, &err), FC_BAD_CONFIG);
    cr_expect_eq(config_set_int(&config, config_key_find("Debug"), 1, &err), FC_BAD_CONFIG);
    cr_expect_eq(config_set_text(&config, config_key_find("Nodes"), "fc1", &err), FC_BAD_CONFIG);
    cr_expect_eq(config_add_item(&config, config_key_find("NodeName"), "fc1", &err), FC_BAD_CONFIG);
}

Test(config, numbers_are_whole_and_within_bounds)
{
    const struct config_key *key = config_key_find("BackendPollMilliseconds");

    fresh();
    cr_expect_eq(config_set_int(&config, key, 19, &err), FC_BAD_CONFIG);
    cr_expect_str_eq(err.text, "BackendPollMilliseconds is 19; it must be from 20 to 60000");
    cr_expect_eq(config_set_int(&config, key, 20, &err), FC_OK);
    cr_expect_eq(config_set_int(&config, key, 20.5, &err), FC_BAD_CONFIG);
    cr_expect_eq(config_set_int(&config, key, -1, &err), FC_BAD_CONFIG);
    cr_expect_eq(config_set_int(&config, key, 1e300, &err), FC_BAD_CONFIG);
    cr_expect_eq(config_set_int(&config, key, __builtin_nan(""), &err), FC_BAD_CONFIG);
    cr_expect_eq(config.poll_ms, 20, "a refused value changes nothing");
}

Test(config, texts_are_one_line_and_not_too_long)
{
    char longest[CONFIG_TEXT_SIZE + 1];

    fresh();
    cr_expect_eq(config_set_text(&config, config_key_find("RedisPrefix"), "a\nb", &err), FC_BAD_CONFIG);
    memset(longest, 'x', sizeof longest);
    longest[CONFIG_TEXT_SIZE] = '\0';
    cr_expect_eq(config_set_text(&config, config_key_find("RedisPrefix"), longest, &err), FC_BAD_CONFIG);
    longest[CONFIG_TEXT_SIZE - 1] = '\0';
    cr_expect_eq(config_set_text(&config, config_key_find("RedisPrefix"), longest, &err), FC_OK);
}

Test(config, a_list_has_a_last_place)
{
    fresh();
    for (int i = 0; i < LIST_MAX; i++)
        given_item("OrderUsers", "someone");
    cr_expect_eq(config_add_item(&config, config_key_find("OrderUsers"), "one more", &err), FC_BAD_CONFIG);
    config_clear_list(&config, config_key_find("OrderUsers"));
    cr_expect_eq(config.order_users.count, 0);
}

Test(config, a_list_that_grows_with_the_site_holds_a_thousand_names)
{
    char name[64];
    const char *at = NULL;
    fresh();
    for (int i = 0; i < 1000; i++) {
        TEXT_FORMAT(name, "db%d.fra.example.com:3306", i);
        given_item("DiscoverySeeds", name);
    }
    cr_expect_eq(config.discovery_seeds.count, 1000);
    for (int i = 0; i < 1000; i++)
        at = config_many_next(&config.discovery_seeds, at);
    cr_expect_str_eq(at, "db999.fra.example.com:3306");
    cr_expect_null(config_many_next(&config.discovery_seeds, at));
    enum fc_code code = FC_OK;
    for (int i = 0; i < 1000 && code == FC_OK; i++)
        code = config_add_item(&config, config_key_find("DiscoverySeeds"), name, &err);
    refused_as(code, "DiscoverySeeds is too long: 32768 bytes in all fit");
    config_clear_list(&config, config_key_find("DiscoverySeeds"));
    cr_expect_null(config_many_next(&config.discovery_seeds, NULL));
}

Test(config, a_map_holds_a_thousand_entries_and_the_last_word_for_each)
{
    const struct config_key *key = config_key_find("ClusterNameToAlias");
    char name[64], alias[32], text[256];
    const char *value = NULL;
    fresh();
    for (int i = 0; i < CONFIG_MAP_MAX; i++) {
        TEXT_FORMAT(name, "^db%d[.]fra[.]example", i);
        TEXT_FORMAT(alias, "shop%d", i);
        cr_assert_eq(config_map_set(&config, key, name, alias, &err), FC_OK);
    }
    refused_as(config_map_set(&config, key, "one more", "x", &err), "ClusterNameToAlias is too long: at most 1024 entries fit, and 65536 bytes in all");
    cr_expect_eq(config_map_set(&config, key, "^db0[.]fra[.]example", "first", &err), FC_OK);
    cr_expect_eq(config.cluster_aliases.count, CONFIG_MAP_MAX);
    cr_expect_str_eq(config_map_next(&config.cluster_aliases, NULL, &value), "^db1[.]fra[.]example");
    cr_expect_str_eq(value, "shop1");
    fresh();
    for (int i = 0; i < 3; i++) {
        TEXT_FORMAT(name, "c%d", i);
        config_map_set(&config, key, name, "x", &err);
    }
    config_map_set(&config, key, "c1", "a longer one", &err);
    config_value_text(&config, key, text, sizeof text);
    cr_expect_str_eq(text, "{\"c0\": \"x\", \"c2\": \"x\", \"c1\": \"a longer one\"}");
}

Test(config, values_are_shown_as_json_and_secrets_are_not)
{
    char text[128];

    fresh();
    given("HTTPAuthPassword", "open sesame");
    given("RedisPrefix", "a\"b\\");
    given_item("OrderUsers", "anna");
    given_item("OrderUsers", "1000");
    config_value_text(&config, config_key_find("HTTPAuthPassword"), text, sizeof text);
    cr_expect_str_eq(text, "\"(set)\"");
    config_value_text(&config, config_key_find("RedisPassword"), text, sizeof text);
    cr_expect_str_eq(text, "\"\"");
    config_value_text(&config, config_key_find("RedisPrefix"), text, sizeof text);
    cr_expect_str_eq(text, "\"a\\\"b\\\\\"");
    config_value_text(&config, config_key_find("OrderUsers"), text, sizeof text);
    cr_expect_str_eq(text, "[\"anna\", \"1000\"]");
    config_value_text(&config, config_key_find("LeaseMilliseconds"), text, sizeof text);
    cr_expect_str_eq(text, "2000");
    config_value_text(&config, config_key_find("HAProxyPush"), text, sizeof text);
    cr_expect_str_eq(text, "true");
    config_value_text(&config, config_key_find("OrderUsers"), text, 5);
    cr_expect_str_eq(text, "[\"an");
}

/* ---- composed items ---- */

static void splits(const char *address, const char *wanted_host, int wanted_port)
{
    char host[ADDRESS_SIZE];
    int port = 0;

    cr_expect(address_split(address, host, sizeof host, &port), "%s", address);
    cr_expect_str_eq(host, wanted_host);
    cr_expect_eq(port, wanted_port);
}

Test(config, addresses_are_split_at_the_port)
{
    char host[ADDRESS_SIZE];
    int port;

    splits("10.0.0.1:3306", "10.0.0.1", 3306);
    splits(":3000", "", 3000);
    splits("[fd00::1]:3000", "fd00::1", 3000);
    splits("db1.example:0", "db1.example", 0);
    cr_expect_not(address_split("db1", host, sizeof host, &port));
    cr_expect_not(address_split("fd00::1:3000", host, sizeof host, &port));
    cr_expect_not(address_split("db1:65536", host, sizeof host, &port));
    cr_expect_not(address_split("db1:", host, sizeof host, &port));
    cr_expect_not(address_split("a b:1", host, sizeof host, &port));
    cr_expect_not(address_split("[]:1", host, sizeof host, &port));
}

Test(config, items_have_a_name_and_an_address)
{
    struct named_address named;
    struct node_address node;

    cr_assert_eq(named_address_parse("lb1=/run/haproxy/admin.sock", &named, &err), FC_OK);
    cr_expect_str_eq(named.name, "lb1");
    cr_expect_str_eq(named.address, "/run/haproxy/admin.sock");
    cr_expect_eq(named_address_parse("10.0.1.1:3306", &named, &err), FC_BAD_CONFIG);
    cr_expect_eq(named_address_parse("db1=10.0.1.1", &named, &err), FC_BAD_CONFIG);
    cr_expect_eq(named_address_parse("db 1=10.0.1.1:3306", &named, &err), FC_BAD_CONFIG);
    cr_expect_eq(named_address_parse("db1=:3306", &named, &err), FC_BAD_CONFIG);

    cr_assert_eq(node_address_parse("fc1=10.0.9.1:3000/9377", &node, &err), FC_OK);
    cr_expect_str_eq(node.host, "10.0.9.1");
    cr_expect_eq(node.http_port, 3000);
    cr_expect_eq(node.agent_port, 9377);
    cr_expect_eq(node_address_parse("fc1=10.0.9.1:3000", &node, &err), FC_BAD_CONFIG);
    cr_expect_eq(node_address_parse("fc1=10.0.9.1/9377", &node, &err), FC_BAD_CONFIG);
    cr_expect_eq(node_address_parse("fc1=10.0.9.1:3000/99999", &node, &err), FC_BAD_CONFIG);
}

/* ---- rules of more than one key ---- */

Test(config, https_needs_its_files_and_certificates_need_https)
{
    fresh();
    cr_assert_eq(config_set_bool(&config, config_key_find("UseMutualTLS"), true, &err), FC_OK);
    refused("UseMutualTLS is true while UseSSL is false");
    cr_assert_eq(config_set_bool(&config, config_key_find("UseSSL"), true, &err), FC_OK);
    refused("UseSSL is true without SSLCertFile");
    given("SSLCertFile", "/etc/firstchair/node.pem");
    refused("UseSSL is true without SSLPrivateKeyFile");
    given("SSLPrivateKeyFile", "/etc/firstchair/node-key.pem");
    refused("UseMutualTLS is true without SSLCAFile");
    given("SSLCAFile", "/etc/firstchair/authorities.pem");
    accepted();
}

Test(config, the_prefix_is_put_right)
{
    fresh();
    given("URLPrefix", "//orc/x/");
    accepted();
    cr_expect_str_eq(config.url_prefix, "/orc/x");
    accepted();
    cr_expect_str_eq(config.url_prefix, "/orc/x", "checking twice changes nothing");
    given("URLPrefix", "/");
    accepted();
    cr_expect_str_eq(config.url_prefix, "");
}

Test(config, authentication_without_a_credential_is_refused)
{
    fresh();
    given("AuthenticationMethod", "Basic");
    refused("HTTPAuthUser");
    given("HTTPAuthUser", "anna");
    refused("HTTPAuthPassword");
    given("HTTPAuthPassword", "x");
    accepted();
    given("AuthenticationMethod", "oauth");
    refused("AuthenticationMethod is 'oauth'");
    given("AuthenticationMethod", "proxy");
    given("AuthUserHeader", "");
    refused("AuthUserHeader");
}

Test(config, the_store_follows_from_what_is_named)
{
    fresh();
    given("MySQLOrchestratorHost", "10.0.0.5");
    accepted();
    cr_expect_str_eq(config.backend_db, "mysql");
    fresh_pair();
    accepted();
    cr_expect_str_eq(config.backend_db, "mysql");
    fresh();
    given("BackendDB", "sqlite3");
    accepted();
    cr_expect_str_eq(config.backend_db, "sqlite");
    given("BackendDB", "postgres");
    refused("BackendDB is 'postgres'");
    given("BackendDB", "mysql");
    refused("BackendServers or MySQLOrchestratorHost");
    fresh_pair();
    given("BackendDB", "sqlite");
    refused("one of them must go");
    fresh();
    given("SQLite3DataFile", "");
    refused("SQLite3DataFile");
}

Test(config, a_pair_needs_two_servers_and_two_accounts)
{
    fresh();
    given_item("BackendServers", "db1=10.0.1.1:3306");
    refused("two or more");
    fresh_pair();
    given("BackendFenceUser", "");
    refused("BackendFenceUser");
    given("BackendFenceCredentialsConfigFile", "/etc/firstchair/fence.cnf");
    accepted();
    fresh_pair();
    given("MySQLOrchestratorUser", "");
    refused("MySQLOrchestratorUser");
    fresh_pair();
    given("BackendFenceUser", "store");
    refused("two accounts");
}

static void fresh_cluster(void)
{
    fresh();
    given("MySQLTopologyUser", "topo");
    given_item("ClusterServers", "main/m1=10.0.2.1:3306");
    given_item("ClusterServers", "main/m2=[fd00::2]:3306");
    given_item("WriterPools", "main_rw=main@127.0.0.1:3307");
    given_item("ReaderPools", "main_ro=main@:3308");
}

Test(config, a_cluster_s_pools_have_servers_and_names_of_their_own)
{
    fresh_cluster();
    accepted();
    given("MySQLTopologyUser", "");
    refused("MySQLTopologyUser");
    fresh_cluster();
    given_item("WriterPools", "other_rw=other@127.0.0.1:3309");
    refused("ClusterServers has no server of 'other'");
    fresh_cluster();
    given_item("ReaderPools", "main_rw=main@127.0.0.1:3309");
    refused("called 'main_rw' too");
    fresh_cluster();
    given_item("ReaderPools", "fc_leader=main@127.0.0.1:3309");
    refused("called 'fc_leader' too");
    fresh_cluster();
    given_item("ReaderPools", "main_ro2=main");
    refused("pool=cluster@host:port");
    fresh_cluster();
    given_item("ClusterServers", "m3=10.0.2.3:3306");
    refused("cluster/name=host:port");
    fresh_cluster();
    given_item("ClusterServers", "main/m1=10.0.2.3:3306");
    refused("must stand there once");
    fresh_cluster();
    given_item("ClusterServers", "other/o1=10.0.2.1:3306");
    refused("must stand there once");
}

Test(config, a_cluster_has_so_many_servers_and_pools_and_no_more)
{
    char item[64];
    fresh_cluster();
    for (int i = 3; i <= CLUSTER_SERVERS_MAX + 1; i++) {
        TEXT_FORMAT(item, "main/m%d=10.0.2.%d:3306", i, i);
        given_item("ClusterServers", item);
    }
    refused("more than 9 servers of 'main'");
    fresh_cluster();
    for (int i = 3; i <= CLUSTER_POOLS_MAX + 1; i++) {
        TEXT_FORMAT(item, "p%d=main@127.0.0.1:%d", i, 4000 + i);
        given_item("ReaderPools", item);
    }
    refused("at most 8");
}

Test(config, the_token_check_of_a_writer_outlasts_a_change_of_leaders)
{
    fresh();
    cr_expect_eq(config_cluster_fall(&config), 18, "2 x 2000 + 1000 ms, each 300 ms, and two more");
    given_number("TokenCheckFall", 40);
    cr_expect_eq(config_cluster_fall(&config), 40);
}

Test(config, servers_stand_once)
{
    fresh_pair();
    given_item("BackendServers", "DB1=10.0.1.3:3306");
    refused("once");
    fresh_pair();
    given_item("BackendServers", "db3=10.0.1.1:3306");
    refused("once");
    fresh_pair();
    given_item("BackendServers", "db3=/run/mysqld.sock");
    refused("name=host:port");
    fresh_pair();
    given_item("BackendServers", "db3=10.0.1.3:3306");
    given_item("BackendServers", "db4=10.0.1.4:3306");
    accepted();
    given_item("BackendServers", "db5=10.0.1.5:3306");
    refused("at most 4");
}

Test(config, a_majority_is_asked_of_three_nodes_and_nobody_of_two)
{
    struct config keys;
    config_preset(&keys);
    cr_expect_eq(config_consent(&keys, 1), CONSENT_NONE);
    cr_expect_eq(config_consent(&keys, 2), CONSENT_NONE, "a dead one could not be outvoted");
    cr_expect_eq(config_consent(&keys, 3), CONSENT_MAJORITY);
    TEXT_SET(keys.failure_detection_quorum, "any");
    cr_expect_eq(config_consent(&keys, 3), CONSENT_ANY);
    TEXT_SET(keys.failure_detection_quorum, "none");
    cr_expect_eq(config_consent(&keys, 3), CONSENT_NONE);
    TEXT_SET(keys.failure_detection_quorum, "majority");
    cr_expect_eq(config_consent(&keys, 2), CONSENT_MAJORITY);
}

Test(config, steering_words_are_known_words)
{
    fresh();
    given("SteeringArbitration", "quorum");
    refused("at least three RaftNodes");
    given("SteeringArbitration", "chance");
    refused("SteeringArbitration is 'chance'");
    fresh();
    given("SteeringTermOver", "open");
    refused("SteeringTermOver is 'open'");
    fresh();
    given("FailureDetectionQuorum", "most");
    refused("FailureDetectionQuorum is 'most'; it must be \"auto\", \"majority\", \"any\" or \"none\"");
    fresh();
    given("LeaderPool", "fc_backend");
    refused("two names");
    given("LeaderPool", "a b");
    refused("LeaderPool");
}

Test(config, this_node_is_one_of_the_nodes)
{
    fresh();
    given_item("Nodes", "fc1=10.0.9.1:3000/9377");
    given_item("Nodes", "fc2=10.0.9.2:3000/9377");
    accepted();
    given("NodeName", "fc3");
    refused("NodeName is 'fc3'");
    given("NodeName", "fc2");
    accepted();
    given_item("Nodes", "fc3=10.0.9.2:3001/9377");
    refused("once");
}

Test(config, times_stand_in_their_order)
{
    fresh();
    given_number("LeaseRenewMilliseconds", 1000);
    refused("LeaseRenewMilliseconds is 1000; it must be less than half of LeaseMilliseconds (2000)");
    fresh();
    given_number("BackendProbeTimeoutMilliseconds", 2000);
    refused("BackendProbeTimeoutMilliseconds");
    fresh();
    given_number("BackendPollMilliseconds", 5000);
    refused("BackendPollMilliseconds");
    fresh();
    given_number("TermMilliseconds", 1801);
    refused("it must be at most 1800");
    given_number("TermMilliseconds", 1800);
    accepted();
    given_number("TermMilliseconds", 400);
    refused("LeaseRenewMilliseconds");
    fresh();
    given_number("AgentInterMilliseconds", 1500);
    refused("AgentInterMilliseconds");
    fresh();
    given_number("TokenCheckFall", 2);
    refused("TokenCheckFall");
}

Test(config, addresses_that_cannot_be_are_refused)
{
    fresh();
    given("AgentListenAddress", "9377");
    refused("AgentListenAddress is '9377'");
    given("AgentListenAddress", "");
    accepted();
    given("RedisAddress", "redis");
    refused("RedisAddress");
    given("RedisAddress", "/run/redis.sock");
    accepted();
    given_item("AgentFixedPorts", "9401=fc_backend");
    refused("AgentFixedPorts");
    fresh();
    given_item("AgentFixedPorts", "9401=fc_backend/db1");
    accepted();
    given_item("HAProxyInstances", "lb1");
    refused("HAProxyInstances");
}

/* ---- the page ---- */

Test(config, the_page_has_every_key_once)
{
    static char page[65536];
    char row[128];

    const size_t length = config_docs_print(page, sizeof page);
    cr_assert_lt(length, sizeof page);
    cr_expect_eq(strlen(page), length);
    cr_expect_eq(config_docs_print(NULL, 0), length);
    for (size_t i = 0; i < config_key_count; i++) {
        TEXT_FORMAT(row, "\n| `%s` | ", config_keys[i].name);
        const char *at = strstr(page, row);
        cr_assert_not_null(at, "%s", config_keys[i].name);
        cr_expect_null(strstr(at + 1, row), "%s", config_keys[i].name);
    }
    cr_expect_not_null(strstr(page, "| `LeaseMilliseconds` | number, 100 to 3600000 | `2000` | at start | "));
    page[100] = 'x';
    cr_expect_eq(config_docs_print(page, 100), length);
    cr_expect_eq(strlen(page), 99);
    cr_expect_eq(page[100], 'x');
}

static enum fc_code raft_checked(const char *node_a, const char *node_b, const char *dir)
{
    struct config c;
    config_preset(&c);
    c.raft_enabled = true;
    snprintf(c.raft_data_dir, sizeof c.raft_data_dir, "%s", dir);
    snprintf(c.raft_nodes.item[0], sizeof c.raft_nodes.item[0], "%s", node_a);
    snprintf(c.raft_nodes.item[1], sizeof c.raft_nodes.item[1], "%s", node_b);
    c.raft_nodes.count = 2;
    return config_check(&c, &err);
}

#define RAFT_REFUSES(a, b, dir, part) \
    cr_expect(raft_checked(a, b, dir) == FC_BAD_CONFIG && strstr(err.text, part) != NULL, "%s", err.text)

Test(config, raft_needs_a_directory_and_each_node_once)
{
    cr_expect_eq(raft_checked("fc1=10.0.0.1", "fc2=10.0.0.2:7000", "/var/lib/x"), FC_OK, "%s", err.text);
    RAFT_REFUSES("fc1=10.0.0.1", "fc2=10.0.0.2", "here", "RaftDataDir is 'here'");
    RAFT_REFUSES("fc1=10.0.0.1", "FC1=10.0.0.2", "/x", "each name and each address must stand there once");
    RAFT_REFUSES("fc1=10.0.0.1", "fc2=10.0.0.1:10008", "/x", "each name and each address must stand there once");
    RAFT_REFUSES("fc1=10.0.0.1", "fc 2=10.0.0.2", "/x", "it must be name=host:port");
    RAFT_REFUSES("fc1=10.0.0.1", "fc2=10.0.0.2:0", "/x", "its address must be host or host:port");
}

Test(config, a_node_of_raft_has_a_name_and_an_address_with_a_port)
{
    struct named_address node;
    static const struct { const char *item, *name, *address; } rows[] = {
        { "fc1=10.0.0.1", "fc1", "10.0.0.1:10008" }, { "fc1=10.0.0.1:7", "fc1", "10.0.0.1:7" }, { "fc3", "fc3", "fc3:10008" },
        { "fc3:9", "fc3", "fc3:9" }, { "fc1=[::1]:7", "fc1", "[::1]:7" }, { "fc1=[::1]", "fc1", "[::1]:10008" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(raft_node_parse(rows[i].item, 10008, &node, &err), FC_OK, "%s: %s", rows[i].item, err.text);
        cr_expect_str_eq(node.name, rows[i].name);
        cr_expect_str_eq(node.address, rows[i].address);
    }
}
