/* Commands about the fleet: what each asks, and what is printed of the answer. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fleet_command.h"
#include "base/text.h"
#include "fleet_stage.h"

TestSuite(fleet_command, .init = fleet_stage_open, .fini = fleet_stage_close);

#define WORDS_MAX 24

static struct fleet_options options;
static struct fc_err err;
static char words[1024];

/* Words are separated by blanks; '_' stands for a blank within one. */
static enum fc_code parse(const char *line)
{
    char *argv[WORDS_MAX] = { (char *)"firstchair" }, *rest = words;
    int argc = 1;
    TEXT_SET(words, line);
    for (char *word = strsep(&rest, " "); word != NULL && argc < WORDS_MAX; word = strsep(&rest, " ")) {
        for (char *c = word; *c != '\0'; c++)
            *c = *c == '_' ? ' ' : *c;
        argv[argc++] = word;
    }
    cr_expect(fleet_command_is_meant(argc, argv), "%s", line);
    return fleet_options_parse(argc, argv, &options, &err);
}

static const char *asks(const char *line)
{
    static char path[2048];
    if (parse(line) != FC_OK || fleet_command_path(&options, 3306, path, sizeof path, &err) != FC_OK)
        return err.text;
    return path;
}

static char *said, *trouble;
static int exit_code;

/* Asks the stage, and prints what it answers. */
static const char *prints(const char *line)
{
    static char all[8192];
    size_t said_size, trouble_size;
    const char *path = asks(line);
    cr_assert_eq(path[0], '/', "%s: %s", line, path);
    const char *body = stage_ask("%s", path);
    cr_assert_not_null(body, "%s: no route %s", line, path);
    FILE *to = open_memstream(&said, &said_size), *other = open_memstream(&trouble, &trouble_size);
    exit_code = fleet_command_print(&options, body, to, other);
    fclose(to);
    fclose(other);
    TEXT_FORMAT(all, "%s%s", said, trouble);
    free(said);
    free(trouble);
    return all;
}

Test(fleet_command, options_are_taken_as_orchestrator_and_its_client_take_them)
{
    cr_expect_str_eq(asks("-c which-replicas -i db1:3307"), "/api/instance-replicas/db1/3307");
    cr_expect_str_eq(asks("cli -c which-replicas -i db1"), "/api/instance-replicas/db1/3306");
    cr_expect_str_eq(asks("-c which-slaves --instance=db1"), "/api/instance-replicas/db1/3306");
    cr_expect_str_eq(asks("-quiet -c topology -alias main -i db1"), "/api/topology/main");
    cr_expect_str_eq(asks("-c topology -i [2001:db8::1]:3306"), "/api/topology/%5B2001:db8::1%5D:3306");
    cr_expect_str_eq(asks("-c instance -i [2001:db8::1]:3306"), "/api/instance/2001:db8::1/3306");
    cr_expect_str_eq(asks("-c begin-downtime -i db1 -o amy -r disk/fan_is_loud"), "/api/begin-downtime/db1/3306/amy/disk%2Ffan%20is%20loud");
    cr_expect_str_eq(asks("-c begin-downtime -i db1 --owner amy --reason why --duration 2h"), "/api/begin-downtime/db1/3306/amy/why/2h");
    cr_expect_str_eq(asks("-c begin-maintenance -i db1 -o amy -r why -u 5h"), "/api/begin-maintenance/db1/3306/amy/why/5h");
    cr_expect_str_eq(asks("-c begin-maintenance -i db1 -o amy -r why"), "/api/begin-maintenance/db1/3306/amy/why");
    cr_expect_str_eq(asks("-c register-candidate -i db1"), "/api/register-candidate/db1/3306/prefer");
    cr_expect_str_eq(asks("-c register-candidate -i db1 -promotion-rule neutral"), "/api/register-candidate/db1/3306/neutral");
    cr_expect_str_eq(asks("-c search -pattern 8.0"), "/api/search?s=8.0");
    cr_expect_str_eq(asks("-c search -i db1"), "/api/search?s=db1");
    cr_expect_str_eq(asks("-c submit-pool-instances --pool web -i db1:3306,db2"), "/api/submit-pool-instances/web?instances=db1:3306,db2");
    cr_expect_str_eq(asks("-c locate-gtid-errant -i db1"), "/api/locate-gtid-errant/db1/3306");
    cr_expect_str_eq(asks("-c get-candidate-slave -i db1"), "/api/get-candidate-replica/db1/3306");
    cr_expect_str_eq(asks("-c submit-masters-to-kv-stores"), "/api/submit-masters-to-kv-stores");
    cr_expect_str_eq(asks("-c downtimed"), "/api/downtimed");
    cr_expect_str_eq(asks("-c downtimed -a main"), "/api/downtimed/main");
    cr_expect_str_eq(asks("-c find --pattern ^db[0-9]+"), "/api/find?pattern=%5Edb%5B0-9%5D%2B");
    cr_expect_str_eq(asks("-c topology-tags -i db1 --pattern 2026-01"), "/api/topology-history/db1?pattern=2026-01");
    cr_expect_str_eq(asks("-c api -P clusters-info"), "/api/clusters-info");
    cr_expect_str_eq(asks("-c api --path /api/clusters"), "/api/clusters");
}

Test(fleet_command, what_is_missing_or_unknown_is_said_in_one_sentence)
{
    cr_expect_str_eq(asks("-c which-replicas"), "which-replicas needs an instance: -i HOST:PORT");
    cr_expect_str_eq(asks("-c which-replicas -i db1:none"), "'db1:none' is no HOST:PORT");
    cr_expect_str_eq(asks("-c search"), "search needs an instance: -i HOST:PORT");
    cr_expect_str_eq(asks("-c tag -i db1"), "tag needs a tag: --tag NAME=VALUE");
    cr_expect_str_eq(asks("-c can-replicate-from -i db1"), "can-replicate-from needs a destination: -d HOST:PORT");
    cr_expect_str_eq(asks("-c relocate-everything"), "there is no command 'relocate-everything'; `firstchair -c help` lists them");
    cr_expect_str_eq(asks("-c clusters --nonsense"), "'--nonsense' is not understood; `firstchair -c help` lists the commands");
    cr_expect_str_eq(asks("-c clusters -i"), "-i needs a value");
}

static const char *asks_here(const char *line)
{
    static char path[2048];
    if (parse(line) != FC_OK)
        return err.text;
    options.own_host = "here";
    return fleet_command_path(&options, 3306, path, sizeof path, &err) == FC_OK ? path : err.text;
}

Test(fleet_command, without_an_instance_this_host_is_meant_but_not_by_what_forgets)
{
    cr_expect_str_eq(asks_here("-c which-replicas"), "/api/instance-replicas/here/3306");
    cr_expect_str_eq(asks_here("-c which-cluster"), "/api/cluster-info/here");
    cr_expect_str_eq(asks_here("-c which-cluster -a main"), "/api/cluster-info/main");
    cr_expect_str_eq(asks_here("-c which-replicas -i db1"), "/api/instance-replicas/db1/3306");
    cr_expect_str_eq(asks_here("-c downtimed"), "/api/downtimed");
    cr_expect_str_eq(asks_here("-c forget"), "forget needs an instance: -i HOST:PORT");
    cr_expect_str_eq(asks_here("-c forget-cluster"), "forget-cluster needs an instance: -i HOST:PORT");
    cr_expect_str_eq(asks_here("-c resolve"), "resolve needs an instance: -i HOST:PORT");
    cr_expect_str_eq(asks_here("-c submit-pool-instances -l web"), "submit-pool-instances needs an instance: -i HOST:PORT");
    cr_expect_str_eq(asks_here("-c can-replicate-from -d db2"), "/api/can-replicate-from/here/3306/db2/3306");
}

/* What each turn of a command asks, with a blank behind. */
static const char *asks_each(const char *line)
{
    static char all[2048];
    char instance[64], path[512];
    struct fleet_options one;
    all[0] = '\0';
    if (parse(line) != FC_OK)
        return err.text;
    for (const char *rest = NULL; fleet_options_next(&options, &rest, instance, sizeof instance, &one);) {
        const bool is_path = fleet_command_path(&one, 3306, path, sizeof path, &err) == FC_OK;
        text_format(all + strlen(all), sizeof all - strlen(all), "%s ", is_path ? path : err.text);
    }
    return all;
}

Test(fleet_command, several_instances_are_asked_about_one_after_the_other)
{
    cr_expect_str_eq(asks_each("-c which-master -i db1:3307,db2"), "/api/instance/db1/3307 /api/instance/db2/3306 ");
    cr_expect_str_eq(asks_each("-c which-master -i ,db1,_db2_"), "/api/instance/db1/3306 /api/instance/db2/3306 ");
    cr_expect_str_eq(asks_each("-c forget -i db1,db2"), "/api/forget/db1/3306 /api/forget/db2/3306 ");
    cr_expect_str_eq(asks_each("-c which-cluster -i db1,db2"), "/api/cluster-info/db1 /api/cluster-info/db2 ");
    cr_expect_str_eq(asks_each("-c which-cluster -a main -i db1,db2"), "/api/cluster-info/main ");
    cr_expect_str_eq(asks_each("-c submit-pool-instances -l web -i db1,db2"), "/api/submit-pool-instances/web?instances=db1,db2 ");
    cr_expect_str_eq(asks_each("-c clusters"), "/api/clusters-info ");
    cr_expect_str_eq(asks_each("-c which-master -i ,"), "'' is no HOST:PORT ");
    cr_expect_str_eq(asks_each("-c forget"), "forget needs an instance: -i HOST:PORT ");
}

Test(fleet_command, servers_are_printed_one_a_line)
{
    cr_expect_str_eq(prints("-c all-instances"), "db1.example:3306\ndb2.example:3306\ndb3.example:3306\ndb4.example:3306\n");
    cr_expect_str_eq(prints("-c which-replicas -i db1"), "db2.example:3306\ndb3.example:3306\n");
    cr_expect_str_eq(prints("-c which-replicas -i db3"), "");
    cr_expect_str_eq(prints("-c which-instance -i db3"), "db3.example:3306\n");
    cr_expect_str_eq(prints("-c which-master -i db4"), "db2.example:3306\n");
    cr_expect_str_eq(prints("-c which-master -i db1"), "");
    cr_expect_str_eq(prints("-c search -i db4"), "db4.example:3306\n");
    cr_expect_str_eq(prints("-c all-clusters-masters"), "db1.example:3306\n");
    cr_expect_eq(exit_code, 0);
    cr_expect_str_eq(prints("-c which-instance -i nobody"), "firstchair: there is no known server 'nobody:3306'\n");
    cr_expect_eq(exit_code, 1);
}

Test(fleet_command, clusters_are_printed_by_name_alias_and_lag)
{
    stage_ask("/api/set-cluster-alias/db1.example:3306?alias=main");
    cr_expect_str_eq(prints("-c clusters"), "db1.example:3306\n");
    cr_expect_str_eq(prints("-c clusters-alias"), "db1.example:3306\tmain\n");
    cr_expect_str_eq(prints("-c which-cluster -i db4"), "db1.example:3306\n");
    cr_expect_str_eq(prints("-c which-cluster-alias -i db4"), "main\n");
    cr_expect_str_eq(prints("-c which-cluster-master -a main"), "db1.example:3306\n");
    cr_expect_str_eq(prints("-c get-cluster-heuristic-lag -a main"), "0\n");
    cr_expect_str_eq(prints("-c which-cluster-osc-running-replicas -a main"), "db2.example:3306\ndb4.example:3306\ndb3.example:3306\n");
    cr_expect_str_eq(prints("-c topology -a main"), "db1.example:3306     [0s,ok,10.11.6-MariaDB-log,rw,ROW,>>]\n"
                                                    "+ db2.example:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\n"
                                                    "  + db4.example:3306 [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\n"
                                                    "+ db3.example:3306   [0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\n");
    cr_expect_str_eq(prints("-c instance-status -i db4.example:3306"), "[0s,ok,10.11.6-MariaDB-log,ro,ROW,>>,GTID]\n");
    cr_expect_str_eq(prints("-c which-cluster -i nobody"), "firstchair: no cluster is known by 'nobody': not by name, alias or member\n");
}

Test(fleet_command, no_is_printed_as_nothing)
{
    struct described stopped = describe("db4.example", "db2.example");
    stopped.channel.io = stopped.channel.sql = THREAD_STOPPED;
    stopped.channel.sql_error = "disk full";
    stage_saw(&stopped);
    stage_judge();
    cr_expect_str_eq(prints("-c is-replicating -i db3"), "db3.example:3306\n");
    cr_expect_str_eq(prints("-c is-replicating -i db4"), "");
    cr_expect_eq(exit_code, 0);
    cr_expect_str_eq(prints("-c is-replication-stopped -i db4"), "db4.example:3306\n");
    cr_expect_str_eq(prints("-c is-replication-stopped -i db3"), "");
    cr_expect_str_eq(prints("-c which-broken-replicas -i db2"), "db4.example:3306\n");
    cr_expect_str_eq(prints("-c can-replicate-from -i db4 -d db1"), "db1.example:3306\n");
    cr_expect_str_eq(prints("-c can-replicate-from -i db2 -d db4"), "");
    cr_expect_eq(exit_code, 0);
    cr_expect_str_eq(prints("-c in-maintenance -i db2"), "");
    cr_expect_str_eq(prints("-c which-gtid-errant -i db2"), "\n");
}

Test(fleet_command, what_was_said_is_printed_back)
{
    cr_expect_str_eq(prints("-c begin-downtime -i db2 -o amy -r disk"), "db2.example:3306\n");
    cr_expect_str_eq(prints("-c which-downtimed-instances"), "db2.example:3306\n");
    cr_expect_str_eq(prints("-c which-lost-in-recovery"), "");
    cr_expect_str_eq(prints("-c tag -i db2 -t role=main"), "db2.example:3306\n");
    cr_expect_str_eq(prints("-c tags -i db2"), "role=main\n");
    cr_expect_str_eq(prints("-c tag-value -i db2 -t role"), "main\n");
    cr_expect_str_eq(prints("-c tagged -t role"), "db2.example:3306\n");
    cr_expect_str_eq(prints("-c untag -i db2 -t role"), "db2.example:3306\n");
    cr_expect_str_eq(prints("-c submit-pool-instances -l web -i db2,db3"), "");
    cr_expect_str_eq(prints("-c which-heuristic-cluster-pool-instances -i db1 -l web"), "db2.example:3306\ndb3.example:3306\n");
    cr_expect_str_eq(prints("-c register-candidate -i db2 --promotion-rule prefer"), "db2.example:3306\n");
    cr_expect_str_eq(prints("-c bulk-promotion-rules"), "db2.example:3306 prefer\n");
    cr_expect_str_eq(prints("-c async-discover -i new.example"), "new.example:3306\n");
    cr_expect_str_eq(prints("-c begin-maintenance -i db3 -o amy -r why -u 5h"), "db3.example:3306\n");
    cr_expect_str_eq(prints("-c register-candidate -i db3"), "db3.example:3306\n");
    cr_expect_str_eq(prints("-c bulk-promotion-rules"), "db2.example:3306 prefer\ndb3.example:3306 prefer\n");
    cr_expect_str_eq(prints("-c search -pattern db3"), "db3.example:3306\n");
    cr_expect_str_eq(prints("-c check-global-recoveries"), "OK: Global recoveries disabled: true\n");
}

Test(fleet_command, an_analysis_is_one_line_with_its_warnings)
{
    stage_lost("db2.example");
    struct described lost = describe("db4.example", "db2.example");
    lost.channel.io = THREAD_CONNECTING;
    lost.channel.io_error_number = 2003;
    stage_saw(&lost);
    stage_judge();
    cr_expect_str_eq(prints("-c replication-analysis"),
                     "db2.example:3306 (cluster db1.example:3306): DeadIntermediateMasterWithSingleReplicaFailingToConnect\n");
}

Test(fleet_command, an_answer_that_is_none_is_an_error)
{
    FILE *nowhere = fopen("/dev/null", "w");
    parse("-c clusters");
    cr_expect_neq(fleet_command_print(&options, "<html>", nowhere, nowhere), 0);
    cr_expect_neq(fleet_command_print(&options, "", nowhere, nowhere), 0);
    parse("-c show-resolve-hosts");
    cr_expect_eq(fleet_command_print(&options, "[{\"Object\":\"a list where names are expected\"}]", nowhere, nowhere), 0);
    fclose(nowhere);
}

Test(fleet_command, what_a_node_says_does_not_steer_the_terminal)
{
    char *printed = NULL;
    size_t size;
    FILE *to = open_memstream(&printed, &size);
    parse("-c replication-analysis");
    fleet_command_print(&options, "{\"Code\":\"OK\",\"Details\":[{\"Analysis\":\"Dead\\u001b[2JMaster\",\"StructureAnalysis\":[\"\\u001b]0;x\"]}]}", to, to);
    fclose(to);
    cr_expect_not_null(strstr(printed, "Master"), "it is said: %s", printed);
    cr_expect_null(strchr(printed, 0x1b));
    free(printed);
    to = open_memstream(&printed, &size);
    parse("-c instance-status -i db1:3306");
    fleet_command_print(&options, "{\"Code\":\"OK\",\"Details\":\"+ db1:3306   [0s,ok,8.0\\u001b[2J,rw]\"}", to, to);
    fclose(to);
    cr_expect_str_eq(printed, "[0s,ok,8.0.[2J,rw]\n");
    free(printed);
}

Test(fleet_command, a_header_for_a_proxy_goes_with_the_request)
{
    struct ask_endpoint at = { .host = "fc1", .prefix = "/x" };
    char request[512];
    cr_assert(ask_request(&at, "/api/clusters", request, sizeof request));
    cr_expect_str_eq(request, "GET /x/api/clusters HTTP/1.0\r\nHost: fc1\r\nAccept: application/json\r\n\r\n");
    cr_assert_eq(ask_header_of("X-Forwarded-User: amy lee", &at, &err), FC_OK);
    TEXT_SET(at.auth, "amy:secret");
    cr_assert(ask_request(&at, "/api/clusters", request, sizeof request));
    cr_expect_str_eq(request, "GET /x/api/clusters HTTP/1.0\r\nHost: fc1\r\nAuthorization: Basic YW15OnNlY3JldA==\r\nX-Forwarded-User: amy lee\r\n"
                              "Accept: application/json\r\n\r\n");
    cr_expect_eq(ask_header_of("X-User: amy\r\nX-Admin: yes", &at, &err), FC_BAD_INPUT);
    cr_expect_eq(ask_header_of("X User: amy", &at, &err), FC_BAD_INPUT);
    cr_expect_eq(ask_header_of("amy", &at, &err), FC_BAD_INPUT);
    cr_expect_eq(ask_header_of(":amy", &at, &err), FC_BAD_INPUT);
    parse("-c clusters -e X-User:amy");
    cr_expect_str_eq(options.header, "X-User:amy");
}

Test(fleet_command, an_address_of_a_node_is_read_as_clients_write_it)
{
    struct ask_endpoint at;
    cr_expect_eq(ask_endpoint_of("http://fc1:3000/api/", &at, &err), FC_OK);
    cr_expect(text_is(at.host, "fc1") && text_is(at.port, "3000") && text_is(at.prefix, ""));
    cr_expect_eq(ask_endpoint_of("http://amy:secret@[2001:db8::1]/fc/", &at, &err), FC_OK);
    cr_expect(text_is(at.host, "2001:db8::1") && text_is(at.port, "80") && text_is(at.prefix, "/fc") && text_is(at.auth, "amy:secret"));
    cr_expect_not(at.trust.is_tls);
    cr_expect_eq(ask_endpoint_of("https://fc1/api", &at, &err), FC_OK);
    cr_expect(at.trust.is_tls && text_is(at.host, "fc1") && text_is(at.port, "443") && text_is(at.prefix, ""));
    cr_expect_eq(ask_endpoint_of("ftp://amy:secret@fc1:3000", &at, &err), FC_BAD_INPUT);
    cr_expect(strstr(err.text, "secret") == NULL && strstr(err.text, "fc1:3000") != NULL, "%s", err.text);
    cr_expect_eq(ask_endpoint_of("http://", &at, &err), FC_BAD_INPUT);
    cr_expect_eq(ask_endpoint_of("http:/" "/[2001:db8::1", &at, &err), FC_BAD_INPUT);
}
