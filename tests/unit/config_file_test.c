/* Scenes of the configuration file: what an operator writes, what comes of it, and the one sentence when it cannot be used. */
#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config_file.h"
#include "base/text.h"

static char folder[64], path[128];
static struct config *config;
static struct config_warnings *warnings;
static struct fc_err err;

static void stage_open(void)
{
    TEXT_SET(folder, "/tmp/firstchair-config-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    TEXT_FORMAT(path, "%s/fc.json", folder);
    config = calloc(1, sizeof *config);
    warnings = calloc(1, sizeof *warnings);
}

static int remove_one(const char *name, const struct stat *seen, int kind, struct FTW *place)
{
    (void)seen, (void)kind, (void)place;
    return remove(name);
}

static void stage_close(void)
{
    cr_assert_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    free(config);
    free(warnings);
}

TestSuite(config_file, .init = stage_open, .fini = stage_close);

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(name, "w");
    cr_assert(file != NULL);
    fputs(text, file);
    fclose(file);
    cr_assert_eq(chmod(name, mode), 0);
}

static enum fc_code load(const char *text)
{
    write_file(path, text, 0600);
    err.text[0] = '\0';
    return config_file_load(path, config, warnings, &err);
}

#define LOADS(json) cr_assert_eq(load(json), FC_OK, "%s", err.text)
#define FAILS(json, part) \
    do { cr_assert_eq(load(json), FC_BAD_CONFIG); cr_assert(strstr(err.text, part) != NULL, "%s", err.text); } while (0)
#define WARNS(part) cr_assert(has_warning(part), "%s", warnings->text[0])

static bool has_warning(const char *part)
{
    for (int i = 0; i < warnings->count; i++) {
        if (strstr(warnings->text[i], part) != NULL)
            return true;
    }
    return false;
}

Test(config_file, an_empty_object_is_the_presets)
{
    LOADS("{}");
    cr_assert_str_eq(config->listen_address, ":3000");
    cr_assert_str_eq(config->backend_db, "sqlite");
    cr_assert_eq(warnings->count, 0);
    cr_assert_str_eq(warnings->read_from, path);
}

Test(config_file, every_type_is_taken)
{
    LOADS("{ \"Debug\": true, \"TermMilliseconds\": 1700, \"NodeName\": \"fc1\", \"OrderUsers\": [\"anna\", \"1001\"] }");
    cr_assert(config->debug);
    cr_assert_eq(config->term_ms, 1700);
    cr_assert_str_eq(config->node_name, "fc1");
    cr_assert_eq(config->order_users.count, 2);
    cr_assert_str_eq(config->order_users.item[1], "1001");
}

Test(config_file, keys_are_found_in_any_case_and_null_keeps_the_preset)
{
    LOADS("{ \"listenaddress\": \":3001\", \"StatusEndpoint\": null }");
    cr_assert_str_eq(config->listen_address, ":3001");
    cr_assert_str_eq(config->status_endpoint, "/api/status");
}

Test(config_file, a_list_replaces_its_preset)
{
    LOADS("{ \"PowerAuthUsers\": [\"anna\"] }");
    cr_assert_eq(config->power_auth_users.count, 1);
    cr_assert_str_eq(config_many_next(&config->power_auth_users, NULL), "anna");
}

Test(config_file, a_parse_error_says_line_and_column)
{
    FAILS("{\n  \"Debug\": true,\n}\n", "fc.json, line 3, near column 2: this is not JSON");
    FAILS("{\n  // a remark\n}\n", "line 2, near column 4");
    FAILS("", "line 1, near column 1");
    FAILS("{} x", "line 1, near column 4");
    FAILS("[1]", "is no JSON object; it must begin with '{'");
}

Test(config_file, a_zero_byte_is_found)
{
    static const char bytes[] = "{ \"Debug\": \0true }";
    cr_assert_eq(config_file_apply(bytes, sizeof bytes - 1, "f", config, NULL, warnings, &err), FC_BAD_CONFIG);
    cr_assert(strstr(err.text, "f, line 1, near column 12") != NULL, "%s", err.text);
}

Test(config_file, a_wrong_type_names_key_value_and_what_is_right)
{
    FAILS("{ \"Debug\": \"true\" }", "Debug is the text \"true\"; it must be true or false, without quotes");
    FAILS("{ \"TermMilliseconds\": 1.5 }", "TermMilliseconds is the number 1.5; it must be a whole number");
    FAILS("{ \"TermMilliseconds\": true }", "TermMilliseconds is true; it must be a whole number");
    FAILS("{ \"NodeName\": 5 }", "NodeName is the number 5; it must be a text in quotes");
    FAILS("{ \"NodeName\": [\"a\"] }", "NodeName is a list; it must be a text in quotes");
    FAILS("{ \"Nodes\": \"a\" }", "Nodes is one text; it must be a list of texts");
    FAILS("{ \"Nodes\": [1] }", "it must be a list of texts");
    FAILS("{ \"Nodes\": {} }", "Nodes is an object; it must be a list of texts");
}

Test(config_file, a_value_out_of_bounds_names_them)
{
    FAILS("{ \"MySQLOrchestratorPort\": 70000 }", "MySQLOrchestratorPort is 70000; it must be from 1 to 65535");
}

Test(config_file, no_sentence_shows_a_secret)
{
    FAILS("{ \"RedisPassword\": [\"geheim\"] }", "RedisPassword is something else");
    cr_assert(strstr(err.text, "geheim") == NULL);
    FAILS("{ \"RedisPassword\": 4711 }", "RedisPassword");
    FAILS("{ \"RedisPassword\": \"geheim\\n\" }", "RedisPassword has a control character");
    cr_assert(strstr(err.text, "geheim") == NULL);
}

Test(config_file, unknown_keys_are_warned_of_with_the_nearest_name)
{
    LOADS("{ \"ListenAdress\": \":1\", \"Qqqqqqqqqqq\": 1, \"WebMessage\": \"\", \"_comment\": {} }");
    WARNS("there is no key 'ListenAdress'; the nearest is ListenAddress");
    WARNS("there is no key 'Qqqqqqqqqqq'");
    WARNS("WebMessage has no effect: ");
}

Test(config_file, a_doubled_key_is_warned_of_and_the_last_one_counts)
{
    LOADS("{ \"NodeName\": \"a\", \"nodename\": \"b\" }");
    cr_assert_str_eq(config->node_name, "b");
    WARNS("NodeName stands there more than once; the last one counts");
}

Test(config_file, warnings_beyond_their_room_are_counted)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    for (int i = 0; i < CONFIG_WARNINGS_MAX + 5; i++)
        fprintf(file, "%s\"_x%d\": 1", i == 0 ? "{ " : ", ", i);
    fputs(" }", file);
    fclose(file);
    LOADS(text);
    cr_assert_eq(warnings->count, CONFIG_WARNINGS_MAX);
    cr_assert_eq(warnings->dropped, 5);
    free(text);
}

Test(config_file, variables_of_the_environment_are_put_in_anywhere_in_a_string)
{
    setenv("FC_TEST_HOST", "db.example", 1);
    setenv("FC_TEST_EMPTY", "", 1);
    LOADS("{ \"RedisAddress\": \"${FC_TEST_HOST}:6379\", \"RedisPassword\": \"a${FC_TEST_EMPTY}b$${c}$d\","
          "  \"OrderUsers\": [\"x${FC_TEST_HOST}\"] }");
    cr_assert_str_eq(config->redis_address, "db.example:6379");
    cr_assert_str_eq(config->redis_password, "ab${c}$d");
    cr_assert_str_eq(config->order_users.item[0], "xdb.example");
}

Test(config_file, a_variable_that_is_not_set_stops_the_start)
{
    unsetenv("FC_TEST_NONE");
    FAILS("{ \"RedisPassword\": \"${FC_TEST_NONE}\" }",
          "RedisPassword needs the variable FC_TEST_NONE of the environment, which is not set");
    FAILS("{ \"RedisPassword\": \"${FC_TEST\" }", "a ${ that is no ${NAME}");
    FAILS("{ \"RedisPassword\": \"${}\" }", "a ${ that is no ${NAME}");
}

Test(config_file, what_a_variable_holds_is_not_expanded_again)
{
    setenv("FC_TEST_TEXT", "${HOME}", 1);
    LOADS("{ \"RedisPassword\": \"${FC_TEST_TEXT}\" }");
    cr_assert_str_eq(config->redis_password, "${HOME}");
}

Test(config_file, a_named_file_must_exist_and_be_a_file)
{
    cr_assert_eq(config_file_load("/nonexistent/fc.json", config, warnings, &err), FC_BAD_CONFIG);
    cr_assert(strstr(err.text, "/nonexistent/fc.json cannot be read") != NULL, "%s", err.text);
    cr_assert_eq(config_file_load(folder, config, warnings, &err), FC_BAD_CONFIG);
    cr_assert(strstr(err.text, "is not a regular file") != NULL, "%s", err.text);
}

Test(config_file, without_a_name_later_files_override_earlier_ones_key_by_key)
{
    cr_assert_eq(chdir(folder), 0);
    cr_assert_eq(mkdir("conf", 0700), 0);
    write_file("conf/firstchair.conf.json", "{ \"NodeName\": \"a\", \"Debug\": true }", 0600);
    write_file("firstchair.conf.json", "{ \"NodeName\": \"b\" }", 0600);
    cr_assert_eq(config_file_load(NULL, config, warnings, &err), FC_OK, "%s", err.text);
    cr_assert_str_eq(config->node_name, "b");
    cr_assert(config->debug);
    cr_assert(strstr(warnings->read_from, "conf/firstchair.conf.json, firstchair.conf.json") != NULL);
    cr_assert_eq(chdir("/"), 0);
}

Test(config_file, an_installation_of_orchestrator_is_taken_over_and_ours_wins_once_it_is_there)
{
    cr_assert_eq(chdir(folder), 0);
    write_file("orchestrator.conf.json", "{ \"NodeName\": \"theirs\" }", 0600);
    cr_assert_eq(config_file_load(NULL, config, warnings, &err), FC_OK, "%s", err.text);
    cr_assert_str_eq(config->node_name, "theirs");
    write_file("firstchair.conf.json", "{ \"NodeName\": \"ours\" }", 0600);
    cr_assert_eq(config_file_load(NULL, config, warnings, &err), FC_OK, "%s", err.text);
    cr_assert_str_eq(config->node_name, "ours");
    cr_assert(strstr(warnings->read_from, "orchestrator") == NULL);
    cr_assert_eq(chdir("/"), 0);
}

Test(config_file, a_broken_file_leaves_the_old_configuration_alone)
{
    LOADS("{ \"NodeName\": \"kept\" }");
    FAILS("{ \"NodeName\": \"new\", \"Debug\": 3 }", "Debug");
    cr_assert_str_eq(config->node_name, "kept");
    FAILS("{ \"NodeName\": \"new\", \"LeaderPool\": \"fc_backend\" }", "LeaderPool");
    cr_assert_str_eq(config->node_name, "kept");
}

Test(config_file, a_removed_key_goes_back_to_its_preset)
{
    LOADS("{ \"Debug\": true }");
    LOADS("{}");
    cr_assert_not(config->debug);
}

Test(config_file, a_secret_that_everybody_may_read_is_warned_of)
{
    setenv("FC_TEST_SECRET", "x", 1);
    LOADS("{ \"RedisPassword\": \"geheim\" }");
    cr_assert_eq(warnings->count, 0);
    write_file(path, "{ \"RedisPassword\": \"geheim\" }", 0644);
    cr_assert_eq(config_file_load(path, config, warnings, &err), FC_OK);
    WARNS("holds a password and everybody on this machine may read it");
    write_file(path, "{ \"RedisPassword\": \"${FC_TEST_SECRET}\", \"Debug\": true }", 0644);
    cr_assert_eq(config_file_load(path, config, warnings, &err), FC_OK);
    cr_assert_eq(warnings->count, 0);
}

Test(config_file, credentials_files_override_user_and_password)
{
    char file[160], text[512];
    TEXT_FORMAT(file, "%s/my.cnf", folder);
    write_file(file, "[mysqld]\nport=1\n[client]\nuser = fc\npassword='p#w'\n", 0640);
    TEXT_FORMAT(text, "{ \"MySQLOrchestratorUser\": \"old\", \"MySQLOrchestratorCredentialsConfigFile\": \"%s\" }", file);
    LOADS(text);
    cr_assert_str_eq(config->mysql_user, "fc");
    cr_assert_str_eq(config->mysql_password, "p#w");
    cr_assert_eq(warnings->count, 0);
    chmod(file, 0644);
    LOADS(text);
    WARNS("my.cnf holds a password and everybody");
}

Test(config_file, a_credentials_file_that_cannot_be_used_stops_the_start)
{
    char file[160], text[512];
    FAILS("{ \"BackendFenceCredentialsConfigFile\": \"/nonexistent\" }",
          "BackendFenceCredentialsConfigFile: /nonexistent cannot be read");
    TEXT_FORMAT(file, "%s/my.cnf", folder);
    write_file(file, "[mysql]\nuser=x\n", 0600);
    TEXT_FORMAT(text, "{ \"BackendFenceCredentialsConfigFile\": \"%s\" }", file);
    FAILS(text, "there is no 'user' and no 'password' under [client]");
}

static struct config *loaded(const char *text)
{
    struct config *copy = calloc(1, sizeof *copy);
    LOADS(text);
    *copy = *config;
    return copy;
}

Test(config_file, changes_that_need_a_restart_are_listed_and_others_are_not)
{
    char names[256];
    struct config *before = loaded("{ \"Debug\": true, \"ListenAddress\": \":1\", \"RedisPassword\": \"a\" }");
    struct config *same = loaded("{ \"Debug\": false, \"ListenAddress\": \":1\", \"RedisPassword\": \"a\" }");
    struct config *now = loaded("{ \"ListenAddress\": \":2\", \"SQLite3DataFile\": \"/x\", \"RedisPassword\": \"a\" }");

    cr_assert_eq(config_file_changes(before, same, names, sizeof names), 0);
    cr_assert_str_eq(names, "");
    cr_assert_eq(config_file_changes(before, now, names, sizeof names), 2);
    cr_assert_str_eq(names, "ListenAddress, SQLite3DataFile");
    cr_assert_eq(config_file_changes(before, now, names, 10), 2);
    cr_assert_str_eq(names, "ListenAdd");
    free(before), free(same), free(now);
}

/* ---- credentials ---- */

static const char *read_credentials(const char *text)
{
    static char line[700];
    struct credentials credentials = { 0 };

    if (credentials_parse(text, strlen(text), &credentials, &err) != FC_OK)
        return err.text;
    TEXT_FORMAT(line, "%s|%s", credentials.has_user ? credentials.user : "-",
                credentials.has_password ? credentials.password : "-");
    return line;
}

Test(config_file, an_option_file_is_read_as_the_mysql_client_reads_it)
{
    cr_assert_str_eq(read_credentials("[client]\nuser=a\npassword=b\n"), "a|b");
    cr_assert_str_eq(read_credentials("\r\n; x\n# y\n!include /z\n [client] \r\n user = a \r\n password = b c # d\r\n"), "a|b c");
    cr_assert_str_eq(read_credentials("[client]\nuser=\"a b\" # x\npassword='x#\"y'"), "a b|x#\"y");
    cr_assert_str_eq(read_credentials("[client]\npassword=a\\\\b\\sc\\xd\\\"\n"), "-|a\\b c\\xd\"");
    cr_assert_str_eq(read_credentials("[client]\nUser=a\ncompress\nssl-ca=/x\n[mysql]\nuser=b\n"), "a|-");
    cr_assert_str_eq(read_credentials("[client]\npassword=\n"), "-|");
    cr_assert_str_eq(read_credentials("user=a\npassword=b\n"), "there is no 'user' and no 'password' under [client]");
}

Test(config_file, a_broken_option_file_names_the_line_and_nothing_of_its_text)
{
    char text[400] = "[client]\npassword=";
    cr_assert_str_eq(read_credentials("[client]\nuser=a\npassword='b\n"),
                     "line 3: the value has an opening quote and no closing one");
    cr_assert_str_eq(read_credentials("[client]\npassword='b'c\n"), "line 2: something stands behind the closing quote");
    memset(text + strlen(text), 'x', 300);
    cr_assert_str_eq(read_credentials(text), "line 2: the value is too long");
}
