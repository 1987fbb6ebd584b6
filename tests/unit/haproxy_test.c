/* The words between HAProxy and us. What HAProxy itself makes of each line was read back from HAProxy 2.6.12; the replies
 * below are its own, cut to the columns' first rows only where a scene needs it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/agent_answer.h"
#include "haproxy/agent_request.h"
#include "haproxy/proxy_config.h"
#include "haproxy/asked.h"
#include "haproxy/sight.h"
#include "haproxy/runtime.h"

/* ---- answers ---- */

static struct answer answer_of(enum pool_kind kind, enum voice voice, uint64_t epoch, const char *reason)
{
    struct answer answer = { .kind = kind, .voice = voice, .epoch = epoch, .weight_percent = 80, .late = VOICE_REST };

    TEXT_SET(answer.reason, reason);
    return answer;
}

static void says(struct answer answer, int late, const char *wanted)
{
    char line[AGENT_LINE_SIZE];
    const size_t length = agent_answer_format(&answer, late, line);

    cr_expect_str_eq(line, wanted);
    cr_expect_eq(length, strlen(wanted));
}

Test(haproxy, the_one_who_sits_is_named_with_the_token)
{
    says(answer_of(POOL_BACKEND, VOICE_FIRST, 9, "primary"), 0, "up ready 100% # fc-ok e=9 primary\n");
    says(answer_of(POOL_WRITER, VOICE_FIRST, 9, "primary"), 0, "up ready 100% # fc-ok e=9 primary\n");
    says(answer_of(POOL_LEADER, VOICE_FIRST, 9, "leader"), 0, "up # fc-ok e=9 leader\n");
    says(answer_of(POOL_BACKEND, VOICE_FIRST, 0, ""), 0, "up ready 100% # fc-ok\n");
}

Test(haproxy, the_others_rest)
{
    says(answer_of(POOL_BACKEND, VOICE_REST, 9, "replica of db1"), 0, "down maint # e=9 replica of db1\n");
    says(answer_of(POOL_LEADER, VOICE_REST, 9, "follower"), 0, "down # e=9 follower\n");
    says(answer_of(POOL_WRITER, VOICE_REST, 0, ""), 0, "down maint\n");
}

Test(haproxy, who_does_not_know_says_so_and_changes_nothing)
{
    says(answer_of(POOL_BACKEND, VOICE_NEUTRAL, 9, "starting"), 0, "fc-unknown # starting\n");
    says(answer_of(POOL_LEADER, VOICE_READ, 9, "no such voice here"), 0, "fc-unknown # no such voice here\n");
    says(answer_of(POOL_READER, VOICE_FIRST, 9, "no such voice here"), 0, "fc-unknown # no such voice here\n");
}

Test(haproxy, readers_are_weighed_drained_or_taken_out)
{
    struct answer idle = answer_of(POOL_READER, VOICE_READ, 0, "");

    says(answer_of(POOL_READER, VOICE_READ, 9, "lag 3s"), 0, "up ready 80% # e=9 lag 3s\n");
    says(answer_of(POOL_READER, VOICE_LATE, 9, "lag 95s"), 0, "up drain 100% # e=9 lag 95s\n");
    says(answer_of(POOL_READER, VOICE_BROKEN, 9, "sql thread stopped"), 0, "down ready 100% # e=9 sql thread stopped\n");
    idle.weight_percent = 0;              /* 0 % would be a drain that nobody asked for */
    says(idle, 0, "up ready 1%\n");
    idle.weight_percent = 255;
    says(idle, 0, "up ready 100%\n");
}

Test(haproxy, past_the_term_nobody_is_named_first)
{
    struct answer answer = answer_of(POOL_BACKEND, VOICE_FIRST, 9, "primary");

    says(answer, 1, "down maint # e=9 term over\n");
    answer.late = VOICE_NEUTRAL;
    says(answer, 1, "fc-unknown # term over\n");
    answer.late = VOICE_FIRST;            /* a mistake of ours must not become a second writer */
    says(answer, 1, "down maint # e=9 term over\n");
}

Test(haproxy, a_reason_cannot_smuggle_a_token_an_epoch_or_a_second_line)
{
    says(answer_of(POOL_BACKEND, VOICE_REST, 9, "fc-ok and fc-okfc-ok"), 0, "down maint # e=9 fc.ok and fc.okfc.ok\n");
    says(answer_of(POOL_BACKEND, VOICE_NEUTRAL, 9, "fc-voice"), 0, "fc-unknown # fc.voice\n");
    says(answer_of(POOL_BACKEND, VOICE_REST, 0, "e=77"), 0, "down maint # e.77\n");
    says(answer_of(POOL_BACKEND, VOICE_REST, 0, "a;b\nup ready # \xc3\xa4"), 0, "down maint # a.b.up ready . ..\n");
}

Test(haproxy, every_answer_there_is_fits_and_has_the_token_only_when_it_may)
{
    for (int kind = 0; kind < POOL_KIND_COUNT; kind++) {
        for (int voice = 0; voice < VOICE_COUNT; voice++) {
            struct answer answer = answer_of((enum pool_kind)kind, (enum voice)voice, UINT64_MAX,
                                             "fc-ok 7890123456789012345678901234567890123456789012345");
            char line[AGENT_LINE_SIZE];
            const size_t length = agent_answer_format(&answer, 0, line);
            cr_expect_lt(length, (size_t)AGENT_LINE_SIZE);
            cr_expect_eq(line[length - 1], '\n');
            cr_expect_eq(strcspn(line, "\n"), length - 1);
            cr_expect_eq(strstr(line, AGENT_TOKEN) != NULL, voice == VOICE_FIRST && kind != POOL_READER);
        }
    }
}

/* ---- requests ---- */

static void asks(const char *bytes, bool is_over, enum agent_request_state state, const char *wanted)
{
    struct agent_request request;
    char told[256] = "";

    cr_expect_eq(agent_request_parse(bytes, strlen(bytes), is_over, &request), state, "'%s'", bytes);
    if (state != AGENT_REQUEST_READY)
        return;
    TEXT_FORMAT(told, "%s asks %s%s%s%s", request.asker, request.is_voice ? "voice" : "", request.pool,
                request.is_voice ? "" : "/", request.server);
    cr_expect_str_eq(told, wanted);
}

Test(haproxy, a_check_asks_with_or_without_its_name)
{
    asks("lb1 fc_backend/db1\n", false, AGENT_REQUEST_READY, "lb1 asks fc_backend/db1");
    asks("fc_backend/db1\r\nlater bytes", false, AGENT_REQUEST_READY, " asks fc_backend/db1");
    asks("  lb1\t fc_backend/db1 \n", false, AGENT_REQUEST_READY, "lb1 asks fc_backend/db1");
    asks("voice\n", false, AGENT_REQUEST_READY, " asks voice");
    asks("lb1 voice\n", false, AGENT_REQUEST_READY, "lb1 asks voice");
}

Test(haproxy, a_line_without_end_waits_until_the_caller_says_it_is_over)
{
    asks("lb1 fc_backend/d", false, AGENT_REQUEST_PARTIAL, "");
    asks("", false, AGENT_REQUEST_PARTIAL, "");
    asks("lb1 fc_backend/db1", true, AGENT_REQUEST_READY, "lb1 asks fc_backend/db1");
}

Test(haproxy, what_is_no_request_is_refused)
{
    asks("\n", false, AGENT_REQUEST_BAD, "");
    asks("", true, AGENT_REQUEST_BAD, "");
    asks("fc_backend\n", false, AGENT_REQUEST_BAD, "");
    asks("/db1\n", false, AGENT_REQUEST_BAD, "");
    asks("fc_backend/\n", false, AGENT_REQUEST_BAD, "");
    asks("a/b/c\n", false, AGENT_REQUEST_BAD, "");
    asks("GET /db1 HTTP/1.1\r\n", false, AGENT_REQUEST_BAD, "");
    asks("\x16\x03\x01", false, AGENT_REQUEST_BAD, "");
    asks("p\xc3\xb6/db1\n", false, AGENT_REQUEST_BAD, "");
}

Test(haproxy, a_request_has_a_longest_length)
{
    char bytes[AGENT_REQUEST_MAX + 1];
    struct agent_request request;

    memset(bytes, 'a', sizeof bytes);
    cr_expect_eq(agent_request_parse(bytes, AGENT_REQUEST_MAX - 1, false, &request), AGENT_REQUEST_PARTIAL);
    cr_expect_eq(agent_request_parse(bytes, AGENT_REQUEST_MAX, false, &request), AGENT_REQUEST_BAD);
    bytes[AGENT_REQUEST_MAX] = '\n';
    cr_expect_eq(agent_request_parse(bytes, sizeof bytes, false, &request), AGENT_REQUEST_BAD);
}

Test(haproxy, a_host_name_longer_than_ours_still_gets_its_answer)
{
    asks("a234567890123456789012345678901234567890123456789012345678901234 fc_backend/db1\n", false, AGENT_REQUEST_READY,
         "a23456789012345678901234567890123456789012345678901234567890123 asks fc_backend/db1");
}

/* ---- pushes ---- */

static void pushes(enum pool_kind kind, enum voice voice, const char *wanted)
{
    const struct answer answer = answer_of(kind, voice, 9, "why");
    char line[512] = "untouched";
    const size_t length = runtime_push_format("p", "s", &answer, line, sizeof line);

    cr_expect_str_eq(line, wanted);
    cr_expect_eq(length, strlen(wanted));
}

Test(haproxy, a_push_does_at_once_what_the_answer_says)
{
    pushes(POOL_BACKEND, VOICE_FIRST, "set server p/s state ready; set server p/s agent up; set server p/s health up; "
                                      "set server p/s weight 100%\n");
    pushes(POOL_BACKEND, VOICE_REST, "set server p/s state maint; set server p/s agent down\n");
    pushes(POOL_LEADER, VOICE_FIRST, "set server p/s agent up; set server p/s health up\n");
    pushes(POOL_LEADER, VOICE_REST, "set server p/s agent down\n");
    pushes(POOL_READER, VOICE_READ, "set server p/s weight 80%; set server p/s state ready; set server p/s agent up\n");
    pushes(POOL_BACKEND, VOICE_NEUTRAL, "");
    pushes(POOL_LEADER, VOICE_LATE, "");
}

Test(haproxy, a_push_is_whole_or_nothing_and_no_name_becomes_a_command)
{
    const struct answer answer = answer_of(POOL_BACKEND, VOICE_REST, 9, "why");
    const char *whole = "set server p/s state maint; set server p/s agent down\n";
    char line[128];

    cr_expect_eq(runtime_push_format("p", "s", &answer, line, strlen(whole)), 0);
    cr_expect_eq(runtime_push_format("p", "s", &answer, line, strlen(whole) + 1), strlen(whole));
    cr_expect_eq(runtime_push_format("p; shutdown sessions server p", "s", &answer, line, sizeof line), 0);
    cr_expect_eq(runtime_push_format("p", "s\n", &answer, line, sizeof line), 0);
    cr_expect_eq(runtime_look_format("p q", line, sizeof line), 0);
    cr_expect_eq(runtime_look_format("p", line, sizeof line), strlen("show info; show servers state p; show stat p 4 -1\n"));
    cr_expect_str_eq(line, "show info; show servers state p; show stat p 4 -1\n");
}

/* ---- the view read back ---- */

#define INFO "Name: HAProxy\nUptime_sec: 12\nnode: lb1\n\n"
#define STATE_HEAD "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight\n"
#define STATE_ROWS "4 fc_backend 10 db1 127.0.0.1 2 4 100 100\n4 fc_backend 20 db2 127.0.0.1 0 5 100 100\n\n"
#define STAT_HEAD "# pxname,svname,scur,status,check_status,last_agt,agent_status,\n"
#define STAT_ROWS \
    "fc_backend,db1,3,UP,* L7OK,\"via agent : up (fc-ok e=12 first, \"\"the\"\" one)\",L7OK,\n" \
    "fc_backend,db2,0,MAINT,,via agent : down (e=11 rest),L7STS,\n\n"

static struct proxy_server_view views[4];
static int view_count;
static int64_t view_uptime_ms;

static enum fc_code look(const char *reply, struct fc_err *err)
{
    char whole[4096];

    TEXT_FORMAT(whole, "%s%s", INFO, reply);
    return runtime_look_parse(whole, strlen(whole), views, 4, &view_count, &view_uptime_ms, err);
}

Test(haproxy, the_view_names_who_serves_and_what_it_was_told)
{
    cr_assert_eq(look(STATE_HEAD STATE_ROWS STAT_HEAD STAT_ROWS, NULL), FC_OK);
    cr_assert_eq(view_count, 2);
    cr_expect_eq(view_uptime_ms, 12000);

    cr_expect_str_eq(views[0].pool, "fc_backend");
    cr_expect_str_eq(views[0].server, "db1");
    cr_expect(views[0].is_usable, "bit 4 is a mark of the configuration");
    cr_expect_eq(views[0].current_sessions, 3);
    cr_expect_str_eq(views[0].status, "UP");
    cr_expect_str_eq(views[0].check_status, "* L7OK");
    cr_expect_str_eq(views[0].agent_status, "L7OK");
    cr_expect_str_eq(views[0].last_agent, "via agent : up (fc-ok e=12 first, \"the\" one)");
    cr_expect_eq(views[0].epoch, 12);

    cr_expect_not(views[1].is_usable);
    cr_expect_eq(views[1].admin_state, 5);
    cr_expect_eq(views[1].epoch, 11);
}

Test(haproxy, columns_are_found_by_name_wherever_they_stand)
{
    cr_assert_eq(look("1\n# srv_uweight new srv_admin_state srv_op_state srv_name be_name\n50 x 0 1 a p\n\n"
                      "# status,svname,new,pxname,last_agt,agent_status,check_status,scur\nUP 1/2,a,\"x,\n\",p,,,,\n\n", NULL),
                 FC_OK);
    cr_expect_str_eq(views[0].server, "a");
    cr_expect_eq(views[0].user_weight, 50);
    cr_expect(views[0].is_usable, "starting is usable");
    cr_expect_str_eq(views[0].status, "UP 1/2");
    cr_expect_eq(views[0].current_sessions, -1);
}

Test(haproxy, an_epoch_counts_only_where_we_write_it)
{
    cr_assert_eq(look(STATE_HEAD STATE_ROWS STAT_HEAD "fc_backend,db1,0,UP,,via agent : up (lag e=5),L7OK,\n"
                      "fc_backend,db2,0,UP,,agent reports an error : e=5,CHECKED,\n\n", NULL), FC_OK);
    cr_expect_eq(views[0].epoch, 0);
    cr_expect_eq(views[1].epoch, 0);
}

static bool is_unusable_row(const char *row)
{
    char reply[1024];

    TEXT_FORMAT(reply, "%s%s\n\n%s\n", STATE_HEAD, row, STAT_HEAD);
    cr_assert_eq(look(reply, NULL), FC_OK);
    return !views[0].is_usable;
}

Test(haproxy, usable_means_up_with_weight_and_without_a_hold)
{
    cr_expect_not(is_unusable_row("4 p 10 a 127.0.0.1 2 0 100 100"));
    cr_expect(is_unusable_row("4 p 10 a 127.0.0.1 0 0 100 100"), "stopped");
    cr_expect(is_unusable_row("4 p 10 a 127.0.0.1 3 0 100 100"), "stopping");
    cr_expect(is_unusable_row("4 p 10 a 127.0.0.1 2 1 100 100"), "maint");
    cr_expect(is_unusable_row("4 p 10 a 127.0.0.1 2 12 100 100"), "drain");
    cr_expect(is_unusable_row("4 p 10 a 127.0.0.1 2 0 0 100"), "no weight");
}

Test(haproxy, what_haproxy_refuses_is_quoted)
{
    struct fc_err err = { 0 };

    cr_expect_eq(look("Can't find backend.\n\nNo such proxy.\n\n", &err), FC_NOT_FOUND);
    cr_expect_str_eq(err.text, "HAProxy does not show its servers: 'Can't find backend.'");
    cr_expect_eq(look("Permission denied\n\n", &err), FC_BAD_INPUT);
    cr_expect_eq(look("1\n# be_name srv_name\n\n", &err), FC_BAD_INPUT);
    cr_expect_eq(look(STATE_HEAD "4 p 10 a 127.0.0.1 two 0 1 1\n\n" STAT_HEAD "\n", &err), FC_BAD_INPUT);
    cr_expect_eq(look(STATE_HEAD STATE_ROWS "# pxname,svname\n\n", &err), FC_BAD_INPUT);
    cr_expect_eq(view_count, 0);
}

Test(haproxy, a_reply_cut_anywhere_is_never_taken_for_a_whole_one)
{
    const char *reply = INFO STATE_HEAD STATE_ROWS STAT_HEAD STAT_ROWS;

    for (size_t length = 0; length < strlen(reply); length++) {
        char *cut = malloc(length + 1);       /* its own memory, so that the sanitizer sees a step beyond */
        memcpy(cut, reply, length);
        cr_expect_eq(runtime_look_parse(cut, length, views, 4, &view_count, &view_uptime_ms, NULL), FC_BAD_INPUT, "cut at %zu",
                     length);
        free(cut);
    }
}

Test(haproxy, more_servers_than_asked_for_are_left_out)
{
    const char *reply = INFO STATE_HEAD STATE_ROWS STAT_HEAD STAT_ROWS;

    cr_assert_eq(runtime_look_parse(reply, strlen(reply), views, 1, &view_count, &view_uptime_ms, NULL), FC_OK);
    cr_expect_eq(view_count, 1);
}

Test(haproxy, a_process_that_does_not_say_how_old_it_is_may_be_new)
{
    const char *reply = "Name: HAProxy\nUptime_sec: soon\n\n" STATE_HEAD STATE_ROWS STAT_HEAD STAT_ROWS;

    cr_assert_eq(runtime_look_parse(reply, strlen(reply), views, 4, &view_count, &view_uptime_ms, NULL), FC_OK);
    cr_expect_eq(view_uptime_ms, -1);
}

/* ---- who asked ---- */

Test(haproxy, who_asked_is_told_and_read_back)
{
    const struct asked_row rows[2] = {
        { .name = "lb one", .source = "10.0.0.1", .epoch = 9, .age_ms = 12, .first_age_ms = 400, .prompt_age_ms = { 12, 212 } },
        { .source = "unix", .age_ms = 0, .first_age_ms = -1, .prompt_age_ms = { -1, -1 } },
    };
    struct asked_row back[ASKED_ROWS_MAX];
    char told[ASKED_ANSWER_SIZE];
    int count = 0;

    cr_expect_eq(asked_format(rows, 2, told, sizeof told), strlen(told));
    cr_expect_str_eq(told, "fc-askers 2\nlb_one 10.0.0.1 9 12 400 12 212\n- unix 0 0 - - -\n");
    cr_assert_eq(asked_parse(told, strlen(told), back, &count, NULL), FC_OK);
    cr_assert_eq(count, 2);
    cr_expect_str_eq(back[0].name, "lb_one");
    cr_expect_eq(back[0].first_age_ms, 400);
    cr_expect_eq(back[0].prompt_age_ms[1], 212);
    cr_expect_str_eq(back[1].name, "");
    cr_expect_eq(back[1].prompt_age_ms[0], -1);
}

Test(haproxy, who_asked_must_be_told_wholly)
{
    static const char *const bad[] = {
        "", "fc-askers", "fc-askers \n", "fc-askers 1\n", "fc-askers 17\n", "fc-askers 0\nx", "fc-no-such-target # a/b\n",
        "fc-askers 1\nlb1 10.0.0.1 9 1 1 1\n", "fc-askers 1\nlb1 10.0.0.1 9 1 1 1 1 1\n", "fc-askers 1\nlb1 10.0.0.1 9 - 1 1 1\n",
        "fc-askers 1\nlb1 10.0.0.1 -9 1 1 1 1\n", "fc-askers 1\nlb1  9 1 1 1 1\n", "fc-askers 1\nlb1 10.0.0.1 9 1 1 1 1",
    };
    struct asked_row rows[ASKED_ROWS_MAX];
    struct fc_err err;
    int count;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(asked_parse(bad[i], strlen(bad[i]), rows, &count, &err), FC_BAD_INPUT, "%s", bad[i]);
        cr_expect_eq(count, 0);
    }
}

/* ---- the printed haproxy.cfg (that HAProxy accepts it is tried with the real one) ---- */

static struct config home;
static char sheet[16384];

static void home_open(void)
{
    config_preset(&home);
    cr_assert_eq(config_add_item(&home, config_key_find("Nodes"), "fc1=10.0.9.1:3000/9377", NULL), FC_OK);
    cr_assert_eq(config_add_item(&home, config_key_find("Nodes"), "fc2=[fd00::2]:3000/9377", NULL), FC_OK);
    cr_assert_eq(config_add_item(&home, config_key_find("BackendServers"), "db1=10.0.1.1:3306", NULL), FC_OK);
    cr_assert_eq(config_add_item(&home, config_key_find("BackendServers"), "db2=10.0.1.2:3306", NULL), FC_OK);
    TEXT_SET(home.mysql_user, "store");
    TEXT_SET(home.fence_user, "fence");
    cr_assert_eq(config_check(&home, NULL), FC_OK);
}

static bool printed_has(const char *line)
{
    struct fc_err err = { 0 };

    cr_assert_eq(proxy_config_print(&home, sheet, sizeof sheet, &err), FC_OK, "%s", err.text);
    return strstr(sheet, line) != NULL;
}

Test(haproxy, the_printed_pool_opens_nobody_at_boot_and_asks_for_the_token)
{
    home_open();
    cr_expect(printed_has("default-server disabled check inter 300ms fall 5 rise 1 weight 100 agent-inter 200ms agent-addr "
                          "127.0.0.1 agent-port 9378 on-marked-down shutdown-sessions\n"));
    cr_expect(printed_has("  tcp-check send-lf \"%[env(HAPROXY_LOCALPEER)] %[be_name]/%[srv_name]\\n\"\n"
                          "  tcp-check expect string fc-ok\n"));
    cr_expect(printed_has("  server db1 10.0.1.1:3306 id 10 agent-check agent-send "
                          "\"$HAPROXY_LOCALPEER fc_backend/db1\\n\"\n"));
    cr_expect(printed_has("  server fc2 [fd00::2]:9377 id 20\n"), "the relay");
    cr_expect(printed_has("  server fc2 [fd00::2]:3000 id 20 agent-check agent-port 9377 agent-send "
                          "\"$HAPROXY_LOCALPEER fc_leader/fc2\\n\"\n"), "the leader pool");
}

Test(haproxy, under_use_ssl_the_leader_pool_is_asked_over_tls_and_the_agents_are_not)
{
    home_open();
    cr_expect_not(printed_has(" ssl "));
    home.http_uses_tls = true;
    cr_expect(printed_has("agent-inter 200ms on-marked-down shutdown-sessions ssl verify none\n  # verify none:"));
    cr_expect_not(printed_has(" crt "));
    TEXT_SET(home.http_ca_file, "/etc/firstchair/authorities.pem");
    home.http_wants_certificate = true;
    cr_expect(printed_has("shutdown-sessions ssl verify required ca-file /etc/firstchair/authorities.pem crt /etc/haproxy/firstchair.pem\n  # crt:"));
    cr_expect(printed_has("  server fc2 [fd00::2]:9377 id 20\n"), "the relay");
    TEXT_SET(home.http_ca_file, "/etc/first chair.pem");
    cr_expect_eq(proxy_config_print(&home, sheet, sizeof sheet, NULL), FC_BAD_CONFIG);
}

Test(haproxy, pools_of_a_managed_cluster_ask_the_node_that_leads)
{
    home_open();
    cr_expect_not(printed_has("firstchair_leader_agents"), "nobody asks for it");
    TEXT_SET(home.topology_user, "topo");
    cr_assert_eq(config_add_item(&home, config_key_find("ClusterServers"), "main/m1=10.0.2.1:3306", NULL), FC_OK);
    cr_assert_eq(config_add_item(&home, config_key_find("ClusterServers"), "other/o1=10.0.3.1:3306", NULL), FC_OK);
    cr_assert_eq(config_add_item(&home, config_key_find("WriterPools"), "main_rw=main@127.0.0.1:3307", NULL), FC_OK);
    cr_assert_eq(config_add_item(&home, config_key_find("ReaderPools"), "main_ro=main@127.0.0.1:3308", NULL), FC_OK);
    cr_assert_eq(config_check(&home, NULL), FC_OK);
    cr_expect(printed_has("  tcp-check send-lf \"fc_leader/%[srv_name]\\n\"\n  tcp-check expect string fc-ok\n"));
    cr_expect(printed_has("default-server disabled check inter 300ms fall 18 rise 1 weight 100 agent-inter 200ms agent-addr 127.0.0.1 agent-port 9379 "
                          "on-marked-down shutdown-sessions\n  server m1 10.0.2.1:3306 id 10 agent-check"));
    cr_expect(printed_has("balance leastconn"));
    cr_expect_not(printed_has("10.0.3.1"), "of another cluster, which has no pool");
    TEXT_SET(home.cluster_relay_listen, "/run/relay.sock");
    cr_expect_eq(proxy_config_print(&home, sheet, sizeof sheet, NULL), FC_BAD_CONFIG);
}

Test(haproxy, freeze_prints_no_token_check)
{
    home_open();
    TEXT_SET(home.steering_term_over, "freeze");
    cr_expect_not(printed_has("expect string fc-ok"));
    TEXT_SET(home.relay_listen, "/run/relay.sock");
    cr_expect_eq(proxy_config_print(&home, sheet, sizeof sheet, NULL), FC_BAD_CONFIG);
}

Test(haproxy, the_relay_may_be_a_unix_socket_and_the_door_may_be_open)
{
    home_open();
    TEXT_SET(home.relay_listen, "/run/relay.sock");
    home.hold_the_door_ms = 0;
    cr_expect(printed_has("tcp-check connect addr unix@/run/relay.sock\n"));
    cr_expect(printed_has(" addr unix@/run/relay.sock agent-port 1 on-marked-down shutdown-sessions\n"));
    cr_expect_not(printed_has("inspect-delay"));
}

Test(haproxy, a_value_that_haproxy_would_read_otherwise_is_not_printed)
{
    struct fc_err err = { 0 };

    home_open();
    TEXT_SET(home.haproxy_socket, "/run/a b\nglobal");
    cr_expect_eq(proxy_config_print(&home, sheet, sizeof sheet, &err), FC_BAD_CONFIG);
    cr_expect_not_null(strstr(err.text, "HAProxySocket"));
    home_open();
    home.nodes.count = 0;
    cr_expect_eq(proxy_config_print(&home, sheet, sizeof sheet, &err), FC_BAD_CONFIG);
    home_open();
    cr_expect_eq(proxy_config_print(&home, sheet, 500, &err), FC_BAD_INPUT);
    cr_expect_eq(proxy_config_print(&home, sheet, 0, &err), FC_BAD_INPUT);
}

/* ---- what another node sees ---- */

Test(haproxy, what_a_node_sees_is_told_and_read_back)
{
    char told[SIGHT_ANSWER_SIZE];
    enum loss loss = LOSS_COUNT;
    int64_t age_us = -1;

    cr_expect_eq(sight_format(LOSS_REFUSED, 250, told), strlen("fc-sight refused 250\n"));
    cr_expect_str_eq(told, "fc-sight refused 250\n");
    cr_assert_eq(sight_parse(told, strlen(told), &loss, &age_us, NULL), FC_OK);
    cr_expect(loss == LOSS_REFUSED && age_us == 250);
    sight_format(LOSS_NONE, 0, told);
    cr_assert_eq(sight_parse(told, strlen(told), &loss, &age_us, NULL), FC_OK);
    cr_expect(loss == LOSS_NONE && age_us == 0);
}

Test(haproxy, a_witness_says_that_it_never_looks)
{
    char told[SIGHT_ANSWER_SIZE];
    enum loss loss;
    int64_t age_us;
    const size_t length = sight_format_witness(told);
    cr_expect_str_eq(told, "fc-sight witness\n");
    cr_expect(sight_is_witness(told, length) && !sight_is_witness(told, length - 1) && !sight_is_witness("fc-sight -\n", 11));
    cr_expect_eq(sight_parse(told, length, &loss, &age_us, NULL), FC_BAD_INPUT, "an older node takes it for one that cannot look");
}

Test(haproxy, what_says_nothing_of_a_server_is_no_sight)
{
    static const char *const answers[] = {
        "", "fc-sight ", "fc-sight -\n", "fc-sight refused\n", "fc-sight refused 1", "fc-sight refused -1\n", "fc-sight gone 1\n",
        "fc-sight refused 1 2\n", "fc-no-such-target # a/b\n", "fc-sight refused 99999999999999999\n", "fc-sight refuse 1\n",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        enum loss loss = LOSS_COUNT;
        int64_t age_us = -7;
        struct fc_err err = { .code = FC_OK };
        cr_expect_eq(sight_parse(answers[i], strlen(answers[i]), &loss, &age_us, &err), FC_BAD_INPUT, "%s", answers[i]);
        cr_expect(loss == LOSS_COUNT && age_us == -7 && err.text[0] != '\0');
    }
}

Test(haproxy, another_node_asks_what_is_seen)
{
    struct agent_request request;
    const char asked[] = "fc2 sight fc_backend/db1\n";
    cr_assert_eq(agent_request_parse(asked, strlen(asked), false, &request), AGENT_REQUEST_READY);
    cr_expect(request.is_for_sight && !request.is_for_askers);
    cr_expect_str_eq(request.server, "db1");
    cr_expect_eq(agent_request_parse("fc2 sight voice\n", 16, false, &request), AGENT_REQUEST_BAD);
}
