/* What the mode needs: a pair that is as it should be has no finding; each rule is broken once, found with its sentence on the
 * right server, and gone when it is mended. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "core_stage.h"
#include "judge/needs.h"

struct pair { struct servers servers; struct needs needs; struct server_settings settings[2]; struct fc_time now; };

static const struct { enum setting setting; const char *of[2]; } well[] = {
    { SETTING_LOG_BIN, { "ON", "ON" } },           { SETTING_BINLOG_FORMAT, { "STATEMENT", "STATEMENT" } },
    { SETTING_SERVER_ID, { "1", "2" } },           { SETTING_GTID_DOMAIN, { "1", "2" } },
    { SETTING_GTID_STRICT, { "ON", "ON" } },       { SETTING_LOG_UPDATES, { "ON", "ON" } },
    { SETTING_SYNC_BINLOG, { "1", "1" } },         { SETTING_FLUSH_LOG, { "1", "1" } },
    { SETTING_RELAY_RECOVERY, { "ON", "ON" } },    { SETTING_ISOLATION, { "REPEATABLE-READ", "SERIALIZABLE" } },
    { SETTING_INCREMENT, { "2", "2" } },           { SETTING_OFFSET, { "1", "2" } },
    { SETTING_NET_TIMEOUT, { "2", "10" } },        { SETTING_SQL_MODE, { "STRICT_ALL_TABLES", "STRICT_ALL_TABLES" } },
    { SETTING_TIME_ZONE, { "UTC", "UTC" } },       { SETTING_EXEC_MODE, { "STRICT", "STRICT" } },
    { SETTING_SKIP_ERRORS, { "OFF", "OFF" } },     { SETTING_EVENT_SCHEDULER, { "OFF", "DISABLED" } },
    { SETTING_BOOT_READ_ONLY, { "ON", "ON" } },    { SETTING_FENCE_LOGIN, { "none", "none" } },
    { SETTING_FENCE_LACKS, { "none", "none" } },   { SETTING_ABOVE_READ_ONLY, { "none", "none" } },
    { SETTING_BINLOG_FILTER, { "none", "none" } }, { SETTING_REPLICATION, { "running", "running" } },
    { SETTING_REPLICATES_FROM, { "2", "1" } },     { SETTING_REPLICA_FILTER, { "none", "none" } },
    { SETTING_CONNECT_RETRY, { "1", "1" } },       { SETTING_USES_GTID, { "No", "No" } },
    { SETTING_RETRY_COUNT, { "none", "0" } },
    { SETTING_CLOCK, { "+0.001 s", "-0.001 s" } },
};

static struct pair pair_as_it_should_be(void)
{
    struct pair p = { .now = { 1000000000 } };
    p.servers.count = 2;
    p.servers.has_chair = true;
    for (int i = 0; i < 2; i++) {
        TEXT_FORMAT(p.servers.list[i].name, "db%d", i + 1);
        p.servers.list[i].is_reachable = true;
        TEXT_FORMAT(p.settings[i].identity, "uid:%d", i + 1);
        p.settings[i].uptime_s = 500;
        p.settings[i].is_mariadb = true;
        p.settings[i].clock_error_ms = 2;
        for (size_t k = 0; k < sizeof well / sizeof well[0]; k++)
            TEXT_SET(p.settings[i].value[well[k].setting], well[k].of[i]);
    }
    needs_init(&p.needs, 2);
    return p;
}

static void read_both(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        needs_read(&p->needs, i, &p->settings[i], p->now);
    needs_judge(&p->needs, &p->servers);
}

static size_t rule_named(const char *word)
{
    size_t r = 0;
    while (r < need_rule_count && !text_is(need_rules[r].word, word))
        r++;
    cr_assert_lt(r, need_rule_count, "no rule %s", word);
    return r;
}

static bool is_missing(const struct pair *p, int server, const char *word)
{
    return (p->needs.list[server].missing >> rule_named(word) & 1) != 0;
}

static void set_to(struct pair *p, int server, enum setting setting, const char *value)
{
    TEXT_SET(p->settings[server].value[setting], value);
}

struct breach {
    const char *word;
    enum setting setting;
    const char *value;               /* of db2 */
    uint64_t on;                     /* servers that are found: bit 0 db1, bit 1 db2 */
    const char *sentence;            /* db2's */
};

static const struct breach breaches[] = {
    { "log-bin", SETTING_LOG_BIN, "OFF", 2, "db2 writes no binary log, so what it takes never reaches db1" },
    { "server-id", SETTING_SERVER_ID, "1", 3, "db2 and db1 both have server_id 1" },
    { "replicates-from", SETTING_REPLICATES_FROM, "77", 2, "db2 replicates from the server with server_id 77" },
    { "fence-login", SETTING_FENCE_LOGIN, "access denied", 2, "cannot be used on db2: access denied" },
    { "fence-privileges", SETTING_FENCE_LACKS, "PROCESS on *.*", 2, "on db2 what it lacks (docs/accounts.md): PROCESS on *.*" },
    { "replication", SETTING_REPLICATION, "stopped: Duplicate entry", 2, "db2 does not replicate from db1; mend this and START SLAVE there: stopped: Duplicate" },
    { "binlog-format", SETTING_BINLOG_FORMAT, "ROW", 2, "db2 logs in ROW" },
    { "gtid-domain", SETTING_GTID_DOMAIN, "1", 3, "db2 and db1 both number their transactions in gtid_domain_id 1" },
    { "log-slave-updates", SETTING_LOG_UPDATES, "OFF", 2, "set log_slave_updates" },
    { "sync-binlog", SETTING_SYNC_BINLOG, "0", 2, "db2 has sync_binlog 0" },
    { "flush-log", SETTING_FLUSH_LOG, "2", 2, "db2 has innodb_flush_log_at_trx_commit 2" },
    { "boot-read-only", SETTING_BOOT_READ_ONLY, "OFF", 2, "db2 starts writable" },
    { "isolation", SETTING_ISOLATION, "READ-COMMITTED", 2, "db2 has the isolation READ-COMMITTED" },
    { "exec-mode", SETTING_EXEC_MODE, "IDEMPOTENT", 2, "db2 has slave_exec_mode IDEMPOTENT" },
    { "skip-errors", SETTING_SKIP_ERRORS, "1062", 2, "passes over replication errors 1062" },
    { "binlog-filter", SETTING_BINLOG_FILTER, "Binlog_Ignore_DB=x", 2, "db2 leaves writes out of its log, so they never reach db1; take out of its option file: Binlog_Ignore_DB=x" },
    { "replica-filter", SETTING_REPLICA_FILTER, "Replicate_Do_DB=a", 2, "db2 does not apply all that db1 sends; take out the filter Replicate_Do_DB=a" },
    { "relay-log-recovery", SETTING_RELAY_RECOVERY, "OFF", 2, "set relay_log_recovery" },
    { "gtid-strict", SETTING_GTID_STRICT, "OFF", 2, "set gtid_strict_mode = ON" },
    { "auto-increment", SETTING_INCREMENT, "1", 2, "db2 has auto_increment_increment 1" },
    { "auto-increment-offset", SETTING_OFFSET, "1", 3, "db2 and db1 both have auto_increment_offset 1" },
    { "connect-retry", SETTING_CONNECT_RETRY, "60", 2, "db2 tries only each 60 s to reach db1" },
    { "retry-count", SETTING_RETRY_COUNT, "10", 2, "db2 gives up for good after 10 attempts to reach db1" },
    { "net-timeout", SETTING_NET_TIMEOUT, "11", 2, "db2 notices a silent db1 only after 11 s" },
    { "sql-mode", SETTING_SQL_MODE, "", 0, "" },
    { "sql-mode", SETTING_SQL_MODE, "ANSI", 3, "db2 and db1 have different sql_mode" },
    { "time-zone", SETTING_TIME_ZONE, "CET", 3, "db2 is in the time zone CET, db1 in UTC" },
    { "event-scheduler", SETTING_EVENT_SCHEDULER, "ON", 2, "db2 has event_scheduler ON" },
    { "above-read-only", SETTING_ABOVE_READ_ONLY, "'app'@'%'", 2, "take SUPER and READ ONLY ADMIN away from 'app'@'%'" },
};

Test(needs, a_mysql_has_no_domains_and_nothing_is_unknown_of_them)
{
    struct pair p = pair_as_it_should_be();
    set_to(&p, 0, SETTING_GTID_DOMAIN, "");
    set_to(&p, 1, SETTING_GTID_DOMAIN, "");
    p.settings[1].is_mariadb = false;
    read_both(&p);
    cr_expect_eq(p.needs.list[0].unknown >> rule_named("gtid-domain") & 1, 1, "a MariaDB has one that was not read");
    cr_expect_eq(p.needs.list[1].unknown >> rule_named("gtid-domain") & 1, 0);
    cr_expect_not(is_missing(&p, 1, "gtid-domain"));
    set_to(&p, 1, SETTING_LOG_BIN, "");
    read_both(&p);
    cr_expect_eq(p.needs.list[1].unknown >> rule_named("gtid-domain") & 1, 1, "it was not read at all");
}

Test(needs, a_pair_as_it_should_be_has_no_finding_and_nothing_unknown)
{
    struct pair p = pair_as_it_should_be();
    read_both(&p);
    for (int i = 0; i < 2; i++) {
        for (size_t r = 0; r < need_rule_count; r++) {
            cr_expect_eq(p.needs.list[i].missing >> r & 1, 0, "db%d misses %s", i + 1, need_rules[r].word);
            cr_expect_eq(p.needs.list[i].unknown >> r & 1, 0, "%s is not known of db%d", need_rules[r].word, i + 1);
        }
        cr_expect_eq(needs_refusal(&p.needs, i), -1);
    }
}

Test(needs, each_rule_is_found_on_its_servers_alone_with_its_sentence_and_is_gone_when_mended)
{
    for (size_t b = 0; b < sizeof breaches / sizeof breaches[0]; b++) {
        const struct breach *breach = &breaches[b];
        struct pair p = pair_as_it_should_be();
        char mended[SETTING_TEXT_SIZE], text[NEED_TEXT_SIZE];
        TEXT_SET(mended, p.settings[1].value[breach->setting]);
        set_to(&p, 1, breach->setting, breach->value);
        read_both(&p);
        for (int i = 0; i < 2; i++) {
            const bool is_followed_too = i == 0 && text_is(breach->word, "server-id");     /* db1's master is no longer "2" */
            const uint64_t wanted = (breach->on >> i & 1) << rule_named(breach->word) |
                                    (uint64_t)is_followed_too << rule_named("replicates-from");
            cr_expect_eq(p.needs.list[i].missing, wanted, "%s '%s' on db%d: %llx", breach->word, breach->value, i + 1,
                         (unsigned long long)p.needs.list[i].missing);
        }
        need_sentence(&p.needs, &p.servers, 1, rule_named(breach->word), text, sizeof text);
        cr_expect(strstr(text, breach->sentence) != NULL, "%s: %s", breach->word, text);
        set_to(&p, 1, breach->setting, mended);
        read_both(&p);
        cr_expect_eq(p.needs.list[0].missing | p.needs.list[1].missing, 0, "%s stays", breach->word);
    }
}

Test(needs, no_rule_is_left_out_of_these_scenes)
{
    for (size_t r = 0; r < need_rule_count; r++) {
        bool is_broken = text_is(need_rules[r].word, "clock");       /* has a scene of its own */
        for (size_t b = 0; b < sizeof breaches / sizeof breaches[0]; b++)
            is_broken = is_broken || (breaches[b].on != 0 && text_is(breaches[b].word, need_rules[r].word));
        cr_expect(is_broken, "%s is never broken", need_rules[r].word);
        for (size_t k = 0; k < r; k++)
            cr_expect_str_neq(need_rules[r].word, need_rules[k].word);
    }
}

Test(needs, a_clock_is_a_finding_only_where_it_is_surely_too_far_off)
{
    struct pair p = pair_as_it_should_be();
    const struct { int64_t skew_ms, error_ms; bool is_found; } cases[] = {
        { 2000, 0, false }, { 2001, 0, true }, { -2001, 0, true }, { 2500, 500, false }, { 2501, 500, true }, { 99999, -1, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        p.settings[0].clock_skew_ms = cases[i].skew_ms;
        p.settings[0].clock_error_ms = cases[i].error_ms;
        read_both(&p);
        cr_expect_eq(is_missing(&p, 0, "clock"), cases[i].is_found, "%lld", (long long)cases[i].skew_ms);
    }
}

Test(needs, a_server_that_was_never_read_has_no_finding)
{
    struct pair p = pair_as_it_should_be();
    set_to(&p, 0, SETTING_LOG_BIN, "OFF");
    set_to(&p, 0, SETTING_SERVER_ID, "2");
    needs_read(&p.needs, 0, &p.settings[0], p.now);
    needs_judge(&p.needs, &p.servers);
    cr_expect(is_missing(&p, 0, "log-bin"));
    cr_expect_not(is_missing(&p, 0, "server-id"), "the other's is not known");
    cr_expect_not(is_missing(&p, 0, "replicates-from"), "the other's is not known");
    cr_expect_eq(p.needs.list[1].missing, 0);
}

Test(needs, what_a_server_started_with_stays_known_until_it_starts_again)
{
    struct pair p = pair_as_it_should_be();
    set_to(&p, 0, SETTING_BOOT_READ_ONLY, "OFF");
    read_both(&p);
    cr_expect(is_missing(&p, 0, "boot-read-only"));
    set_to(&p, 0, SETTING_BOOT_READ_ONLY, "");             /* firstchair has set read_only: SET GLOBAL hides it */
    p.now = fc_plus(p.now, fc_ms(60000));
    p.settings[0].uptime_s += 60;
    read_both(&p);
    cr_expect(is_missing(&p, 0, "boot-read-only"), "it is remembered");
    p.now = fc_plus(p.now, fc_ms(60000));
    p.settings[0].uptime_s = 5;                            /* started again, and opened before it was read */
    read_both(&p);
    cr_expect_not(is_missing(&p, 0, "boot-read-only"), "of this life nothing is known");
    cr_expect_eq(p.needs.list[0].unknown >> rule_named("boot-read-only") & 1, 1);
}

Test(needs, what_a_look_saw_right_after_a_start_holds_although_the_fence_came_before_the_check)
{
    struct pair p = pair_as_it_should_be();
    struct server_look look = { .boot_read_only = "OFF" };
    TEXT_SET(look.identity, p.settings[1].identity);
    set_to(&p, 1, SETTING_BOOT_READ_ONLY, "");             /* hidden by the fence */
    p.settings[1].uptime_s = 3;
    needs_saw_boot(&p.needs, 1, &look, p.now);
    read_both(&p);
    cr_expect(is_missing(&p, 1, "boot-read-only"));
    p.now = fc_plus(p.now, fc_ms(60000));
    read_both(&p);                                         /* three seconds old again: another life, not looked into */
    cr_expect_not(is_missing(&p, 1, "boot-read-only"));
    TEXT_SET(look.identity, "another server at this address");
    needs_saw_boot(&p.needs, 1, &look, p.now);
    read_both(&p);
    cr_expect_not(is_missing(&p, 1, "boot-read-only"));
}

Test(needs, a_replica_that_seeks_a_lost_master_is_not_at_fault)
{
    struct pair p = pair_as_it_should_be();
    set_to(&p, 1, SETTING_REPLICATION, "connecting: error connecting to master");
    read_both(&p);
    cr_expect(is_missing(&p, 1, "replication"), "db1 answers us, so db2 should reach it");
    p.servers.list[0].is_reachable = false;
    read_both(&p);
    cr_expect_not(is_missing(&p, 1, "replication"));
}

Test(needs, relay_logs_need_no_recovery_where_replication_asks_by_gtid)
{
    struct pair p = pair_as_it_should_be();
    set_to(&p, 0, SETTING_RELAY_RECOVERY, "OFF");
    set_to(&p, 0, SETTING_USES_GTID, "Slave_Pos");
    read_both(&p);
    cr_expect_not(is_missing(&p, 0, "relay-log-recovery"));
}

Test(needs, a_denied_fence_account_is_a_refusal_and_what_was_known_stays)
{
    struct pair p = pair_as_it_should_be();
    char text[NEED_TEXT_SIZE];
    read_both(&p);
    needs_denied(&p.needs, 1, "Access denied for user 'fence'", p.now);
    needs_judge(&p.needs, &p.servers);
    cr_assert_eq(needs_refusal(&p.needs, 1), (int)rule_named("fence-login"));
    need_sentence(&p.needs, &p.servers, 1, rule_named("fence-login"), text, sizeof text);
    cr_expect(strstr(text, "cannot be used on db2: Access denied") != NULL, "%s", text);
    cr_expect_eq(p.needs.list[1].missing, UINT64_C(1) << rule_named("fence-login"));
}

/* ---- what the core makes of them ----------------------------------------------------------------------------------- */


Test(needs, a_server_is_checked_when_it_is_seen_again_and_then_at_its_period)
{
    struct pair p = pair_as_it_should_be();
    struct stage s = stage_open_with("db1 db2", "db1", "BackendCheckSeconds=60");
    for (int i = 0; i < 2; i++) {
        TEXT_SET(p.settings[i].identity, s.looks[i].identity);
        stage_checked(&s, i, &p.settings[i]);
    }
    stage_forget(&s);
    stage_pass(&s, 1000);
    stage_counts(&s, "CHECK", 0);
    for (int i = 0; i < 60; i++) {
        stage_pass(&s, 1000);
        stage_report(&s, "db1", "open");
        stage_report(&s, "db2", "");
        if (i == 56)
            stage_forget(&s);
    }
    stage_counts(&s, "CHECK", 2);
    for (int i = 0; i < 2; i++)
        stage_checked(&s, i, &p.settings[i]);
    stage_lost(&s, "db2", "ended");
    stage_forget(&s);
    stage_report(&s, "db2", "");
    stage_counts(&s, "CHECK", 1);
    stage_close(&s);
}

Test(needs, a_deed_that_its_server_refused_has_it_checked_at_once_and_then_not_too_often)
{
    struct pair p = pair_as_it_should_be();
    struct stage s = stage_open_with("db1 db2", "db1", "BackendCheckSeconds=60");
    for (int i = 0; i < 2; i++) {
        TEXT_SET(p.settings[i].identity, s.looks[i].identity);
        stage_checked(&s, i, &p.settings[i]);
    }
    stage_pass(&s, 6000);
    stage_report(&s, "db1", "open");
    stage_report(&s, "db2", "");
    for (int i = 0; i < 2; i++) {
        stage_forget(&s);
        stage_order(&s, "switch fc_backend to db2 force");
        stage_deed(&s, "intend", "refused");
        stage_pass(&s, 1);
        stage_counts(&s, "CHECK", i == 0 ? 1 : 0);
        stage_checked(&s, 1, &p.settings[1]);
        stage_pass(&s, 600);
        stage_report(&s, "db1", "open");
        stage_report(&s, "db2", "");
    }
    stage_close(&s);
}

Test(needs, what_bars_an_order_is_looked_at_again_soon_because_somebody_mends_it)
{
    struct pair p = pair_as_it_should_be();
    struct stage s = stage_open_with("db1 db2", "db1", "BackendCheckSeconds=60");
    for (int i = 0; i < 2; i++)
        TEXT_SET(p.settings[i].identity, s.looks[i].identity);
    set_to(&p, 1, SETTING_LOG_BIN, "OFF");
    stage_checked(&s, 0, &p.settings[0]);
    stage_checked(&s, 1, &p.settings[1]);
    stage_forget(&s);
    stage_pass(&s, 5000);
    stage_counts(&s, "CHECK", 1);
    set_to(&p, 1, SETTING_LOG_BIN, "ON");
    stage_checked(&s, 1, &p.settings[1]);
    stage_forget(&s);
    stage_pass(&s, 6000);
    stage_counts(&s, "CHECK", 0);
    stage_close(&s);
}

Test(needs, a_finding_is_said_when_it_appears_and_when_it_is_gone_not_at_each_check)
{
    struct pair p = pair_as_it_should_be();
    struct stage s = stage_open("db1 db2", "db1");
    stage_checked(&s, 0, &p.settings[0]);
    stage_checked(&s, 1, &p.settings[1]);
    set_to(&p, 1, SETTING_SYNC_BINLOG, "0");
    stage_forget(&s);
    stage_checked(&s, 1, &p.settings[1]);
    stage_notes(&s, "db2 has sync_binlog 0");
    stage_counts(&s, "NOTE", 1);
    stage_checked(&s, 1, &p.settings[1]);
    stage_counts(&s, "NOTE", 1);
    const struct status *status = stage_status(&s);
    cr_assert_eq(status->servers[1].need_count, 1);
    cr_expect_str_eq(status->servers[1].needs[0].word, "sync-binlog");
    cr_expect_eq(status->servers[0].need_count, 0);
    set_to(&p, 1, SETTING_SYNC_BINLOG, "1");
    stage_checked(&s, 1, &p.settings[1]);
    stage_notes(&s, "sync-binlog is well now");
    stage_close(&s);
}

Test(needs, an_order_does_not_seat_a_server_that_would_break_the_promise_but_force_does)
{
    struct pair p = pair_as_it_should_be();
    struct stage s = stage_open("db1 db2", "db1");
    set_to(&p, 1, SETTING_LOG_BIN, "OFF");
    stage_checked(&s, 0, &p.settings[0]);
    stage_checked(&s, 1, &p.settings[1]);
    stage_order(&s, "switch fc_backend to db2");
    stage_says(&s, "db2 writes no binary log");
    stage_says(&s, "force");
    stage_forget(&s);
    stage_order(&s, "switch fc_backend to db2 force");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}

Test(needs, an_alarm_stands_in_no_orders_way)
{
    struct pair p = pair_as_it_should_be();
    struct stage s = stage_open("db1 db2", "db1");
    set_to(&p, 1, SETTING_BINLOG_FORMAT, "ROW");
    stage_checked(&s, 0, &p.settings[0]);
    stage_checked(&s, 1, &p.settings[1]);
    stage_forget(&s);
    stage_order(&s, "switch fc_backend to db2");
    stage_asks(&s, "catch-up db2");
    stage_close(&s);
}

Test(needs, the_chair_is_not_left_empty_for_any_finding)
{
    struct pair p = pair_as_it_should_be();
    struct stage s = stage_open("db1 db2", "db1");
    set_to(&p, 1, SETTING_LOG_BIN, "OFF");
    set_to(&p, 1, SETTING_SERVER_ID, "1");
    stage_checked(&s, 0, &p.settings[0]);
    stage_checked(&s, 1, &p.settings[1]);
    stage_forget(&s);
    stage_dies(&s, "db1");
    stage_asks(&s, "intend db1 > db2");
    stage_close(&s);
}
