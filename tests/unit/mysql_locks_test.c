/* The lock before a deed, on three real servers: who has it, how it passes to the next leader, and what comes too late. */
#include "backends/mysql/mysql_locks.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "private_mariadb.h"

#define SERVERS 3
#define TARGET 1

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    mariadb_template_make();
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    mariadb_template_remove();
}

/* One leader: a loop of its own, so that it can be another process as well. */
struct leader {
    struct pump pump;
    struct mysql_locks *locks;
    struct mysql_lock *lock;
    enum deed_lock_verdict verdict;
    char sentence[400];
    bool is_deposed;
    int sleeps_at;                   /* the so-manieth time that it asks its lease from now on, it stops itself: 3 is right before a deed is sent */
    bool has_answer;
    enum fc_code code;
    char answer[200];
};

static struct mariadb servers[SERVERS];

static void open_servers(void)
{
    for (int i = 0; i < SERVERS; i++) {
        mariadb_open(&servers[i], i + 1);
        mariadb_do(&servers[i], "set session sql_log_bin = 0; create user topo@127.0.0.1 identified by 't';"
                                "grant read_only admin, slave monitor on *.* to topo@127.0.0.1");
    }
}

static void close_servers(void)
{
    for (int i = 0; i < SERVERS; i++)
        mariadb_close(&servers[i]);
}

static struct fc_time may_act(void *owner)
{
    struct leader *l = owner;
    const struct host *host = pump_host(&l->pump);
    const struct fc_time until = l->is_deposed ? FC_EVER : fc_plus(host->now(host->agent), fc_ms(60000));
    if (l->sleeps_at > 0 && --l->sleeps_at == 0)
        raise(SIGSTOP);
    return until;
}

static void told(void *owner, enum deed_lock_verdict verdict, const char *sentence)
{
    struct leader *l = owner;
    l->verdict = verdict;
    TEXT_SET(l->sentence, sentence);
}

static void leader_open_with(struct leader *l, bool has_mixed_tls)
{
    struct mysql_locks_setting setting = { .connect_limit = fc_ms(3000), .answer_limit = fc_ms(3000),
                                           .tls = { .is_mixed = has_mixed_tls, .skips_verifying = true } };
    *l = (struct leader){ 0 };
    pump_open(&l->pump, 1);
    TEXT_SET(setting.user, "topo");
    TEXT_SET(setting.password, "t");
    l->locks = mysql_locks_open(pump_host(&l->pump), &setting);
    cr_assert_not_null(l->locks);
}

static void leader_open(struct leader *l) { leader_open_with(l, false); }

static void leader_close(struct leader *l)
{
    mysql_lock_end(l->lock);
    mysql_locks_close(l->locks);
    pump_close(&l->pump);
}

static enum fc_code begin(struct leader *l, struct fc_err *err)
{
    const struct host *host = pump_host(&l->pump);
    struct instance_key keys[SERVERS];
    for (int i = 0; i < SERVERS; i++)
        keys[i] = (struct instance_key){ "127.0.0.1", (uint16_t)servers[i].port };
    const struct mysql_lock_wish wish = {
        .servers = keys, .count = SERVERS, .target = TARGET, .until = fc_plus(host->now(host->agent), fc_ms(8000)), .why = "promotes m2",
        .may_act = may_act, .told = told, .owner = l,
    };
    struct mysql_lock *lock = NULL;
    const enum fc_code code = mysql_lock_begin(l->locks, &wish, &lock, err);
    if (code == FC_OK)
        l->lock = lock;
    return code;
}

static bool is_told(void *owner) { return ((struct leader *)owner)->verdict != DEED_LOCK_AWAITED; }
static bool is_over(void *owner) { return ((struct leader *)owner)->verdict == DEED_LOCK_OVER; }
static bool has_lost_the_first(void *owner) { return mysql_lock_loss(((struct leader *)owner)->lock, 0)[0] != '\0'; }
static bool has_answer(void *owner) { return ((struct leader *)owner)->has_answer; }

static enum deed_lock_verdict take(struct leader *l)
{
    struct fc_err err;
    cr_assert_eq(begin(l, &err), FC_OK);
    cr_assert(pump_until(&l->pump, is_told, l, 12000), "nothing is told");
    return l->verdict;
}

static void answered(void *owner, const struct session_answer *answer)
{
    struct leader *l = owner;
    l->has_answer = true;
    l->code = answer->code;
    TEXT_SET(l->answer, answer->text);
}

/* Says it, and waits for the answer: its code. */
static enum fc_code say(struct leader *l, int server, const char *sql)
{
    const struct host *host = pump_host(&l->pump);
    struct fc_err err;
    l->has_answer = false;
    const enum fc_code code = mysql_lock_say(l->lock, server, sql, strlen(sql), fc_plus(host->now(host->agent), fc_ms(8000)), answered, l, &err);
    if (code != FC_OK)
        return code;
    cr_assert(pump_until(&l->pump, has_answer, l, 10000), "no answer");
    return l->code;
}

static void shows(int server, const char *sql, const char *expected)
{
    char rows[256];
    mariadb_query(&servers[server], sql, rows, sizeof rows);
    cr_expect_str_eq(rows, expected, "server %d, %s", server, sql);
}

#define HOLDER "select is_used_lock('" DEED_LOCK_NAME "') is not null"

Test(mysql_locks, a_lock_is_taken_deeds_go_through_it_and_it_is_given_back)
{
    struct leader l;
    open_servers();
    leader_open(&l);
    cr_assert_eq(take(&l), DEED_LOCK_PERMITS, "%s", l.sentence);
    cr_expect_str_eq(l.sentence, "the lock is held on 3 of 3 servers");
    for (int i = 0; i < SERVERS; i++)
        shows(i, HOLDER, "1\n");
    cr_expect_eq(say(&l, TARGET, "set global read_only = 0"), FC_OK);
    shows(TARGET, "select @@global.read_only", "0\n");
    cr_expect_eq(say(&l, TARGET, "no such statement"), FC_STORE);
    cr_expect_eq(say(&l, TARGET, "set global read_only = 1"), FC_OK, "a refused statement ends nothing");

    struct fc_err err;
    struct leader same = l;
    cr_expect_eq(begin(&same, &err), FC_BUSY, "the node itself, once more");
    cr_expect(strstr(err.text, "is being changed by this node: it promotes m2") != NULL, "%s", err.text);

    mysql_lock_end(l.lock);
    l.lock = NULL;
    l.verdict = DEED_LOCK_AWAITED;
    cr_expect_eq(take(&l), DEED_LOCK_PERMITS, "%s", l.sentence);
    leader_close(&l);
    close_servers();
}

Test(mysql_locks, the_next_leader_ends_who_has_it_and_what_that_one_says_is_not_heard)
{
    struct leader first, second;
    open_servers();
    leader_open(&first);
    leader_open(&second);
    cr_assert_eq(take(&first), DEED_LOCK_PERMITS, "%s", first.sentence);
    cr_assert_eq(take(&second), DEED_LOCK_PERMITS, "%s", second.sentence);
    cr_expect_eq(say(&second, TARGET, "set global read_only = 0"), FC_OK);

    /* The first has not looked at its sockets yet: it still believes that it may. */
    cr_expect_eq(mysql_lock_state(first.lock)->verdict, DEED_LOCK_PERMITS);
    cr_expect_neq(say(&first, TARGET, "set global read_only = 1"), FC_OK);
    shows(TARGET, "select @@global.read_only", "0\n");
    cr_assert(pump_until(&first.pump, is_over, &first, 5000));
    cr_expect(strstr(first.sentence, "the lock is lost") != NULL, "%s", first.sentence);
    cr_expect_eq(say(&first, 0, "do 0"), FC_REFUSED);
    leader_close(&first);
    leader_close(&second);
    close_servers();
}

Test(mysql_locks, a_holder_in_the_middle_of_a_statement_has_ended_before_the_next_begins)
{
    struct leader first, second;
    struct fc_err err;
    open_servers();
    mariadb_do(&servers[TARGET], "set global read_only = 0; create database d; create table d.t (a int) engine = innodb; insert into d.t values (1);"
                                 "grant all on d.* to topo@127.0.0.1; lock tables d.t write");
    leader_open(&first);
    leader_open(&second);
    cr_assert_eq(take(&first), DEED_LOCK_PERMITS, "%s", first.sentence);
    const char *sql = "update d.t set a = 2";
    const struct host *host = pump_host(&first.pump);
    cr_assert_eq(mysql_lock_say(first.lock, TARGET, sql, strlen(sql), fc_plus(host->now(host->agent), fc_ms(9000)), answered, &first, &err), FC_OK);
    mariadb_comes_to_show(&servers[TARGET], &first.pump, "select count(*) from information_schema.processlist "
                          "where info = 'update d.t set a = 2' and state like 'Waiting for table%'", "1\n");
    cr_assert_not(first.has_answer);
    cr_assert_eq(take(&second), DEED_LOCK_PERMITS, "%s", second.sentence);
    mariadb_do(&servers[TARGET], "unlock tables");
    cr_assert(pump_until(&first.pump, has_answer, &first, 9000));
    cr_expect_neq(first.code, FC_OK);
    shows(TARGET, "select a from d.t", "1\n");
    leader_close(&first);
    leader_close(&second);
    close_servers();
}

/* Another process: it takes the lock, says so, and then decides a deed and stops before it sends it. */
static void sleeper(pid_t parent, int tell)
{
    struct leader l;
    prctl(PR_SET_PDEATHSIG, SIGKILL);                                            /* nobody else would wake it */
    if (getppid() != parent)
        _exit(4);
    leader_open(&l);
    if (take(&l) != DEED_LOCK_PERMITS)
        _exit(1);
    if (write(tell, "p", 1) != 1)
        _exit(2);
    l.sleeps_at = 3;
    const enum fc_code first = say(&l, TARGET, "set global read_only = 1");      /* the stop is in it */
    const enum fc_code second = say(&l, TARGET, "set global read_only = 1");     /* and when it has noticed */
    _exit(first == FC_OK || second == FC_OK ? 3 : 0);
}

Test(mysql_locks, a_leader_that_sleeps_between_its_check_and_its_deed_wakes_up_too_late)
{
    struct leader second;
    int pipe_of[2], status = 0;
    char byte;
    open_servers();
    cr_assert_eq(pipe(pipe_of), 0);
    const pid_t parent = getpid(), child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        sleeper(parent, pipe_of[1]);
    struct pollfd wait_for = { pipe_of[0], POLLIN, 0 };
    cr_assert_eq(poll(&wait_for, 1, 15000), 1);
    cr_assert_eq(read(pipe_of[0], &byte, 1), 1);
    cr_assert_eq(waitpid(child, &status, WUNTRACED), child);
    cr_assert(WIFSTOPPED(status), "it does not sleep: status %d", status);

    leader_open(&second);
    cr_assert_eq(take(&second), DEED_LOCK_PERMITS, "%s", second.sentence);
    cr_expect_eq(say(&second, TARGET, "set global read_only = 0"), FC_OK);
    kill(child, SIGCONT);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "its deed was taken: %d", WEXITSTATUS(status));
    shows(TARGET, "select @@global.read_only", "0\n");
    leader_close(&second);
    close(pipe_of[0]);
    close(pipe_of[1]);
    close_servers();
}

Test(mysql_locks, one_frozen_server_of_three_is_left_out_and_two_are_too_many)
{
    struct leader l;
    open_servers();
    leader_open(&l);
    program_freeze(servers[2].pid);
    const double begun = now_ms();
    cr_assert_eq(take(&l), DEED_LOCK_PERMITS, "%s", l.sentence);
    cr_expect_lt(now_ms() - begun, 2500, "who does not answer is not waited for to the end");
    cr_expect_str_eq(l.sentence, "the lock is held on 2 of 3 servers");
    cr_expect_eq(say(&l, 2, "do 0"), FC_REFUSED);
    cr_expect_eq(say(&l, TARGET, "do 0"), FC_OK);
    mysql_lock_end(l.lock);
    l.lock = NULL;

    program_freeze(servers[0].pid);
    l.verdict = DEED_LOCK_AWAITED;
    cr_expect_eq(take(&l), DEED_LOCK_REFUSED, "%s", l.sentence);
    cr_expect(strstr(l.sentence, "too few servers") != NULL, "%s", l.sentence);
    mariadb_comes_to_show(&servers[TARGET], &l.pump, HOLDER, "0\n");
    leader_close(&l);
    close_servers();
}

Test(mysql_locks, a_server_that_restarts_takes_the_right_to_change_it_away)
{
    struct leader l;
    open_servers();
    leader_open(&l);
    cr_assert_eq(take(&l), DEED_LOCK_PERMITS, "%s", l.sentence);
    mariadb_restart(&servers[0]);
    cr_assert(pump_until(&l.pump, has_lost_the_first, &l, 5000));
    cr_expect_eq(l.verdict, DEED_LOCK_PERMITS, "two of three, and the one that it is about");
    cr_expect_eq(say(&l, 0, "do 0"), FC_REFUSED);
    mariadb_restart(&servers[TARGET]);
    cr_assert(pump_until(&l.pump, is_over, &l, 5000));
    cr_expect_eq(say(&l, TARGET, "do 0"), FC_REFUSED, "the session is not made anew");
    mariadb_comes_to_show(&servers[TARGET], &l.pump, "select count(*) from information_schema.processlist where user = 'topo'", "0\n");
    leader_close(&l);
    close_servers();
}

Test(mysql_locks, a_node_that_has_lost_its_lease_takes_and_ends_nothing)
{
    struct leader first, second;
    open_servers();
    leader_open(&first);
    leader_open(&second);
    cr_assert_eq(take(&first), DEED_LOCK_PERMITS, "%s", first.sentence);
    second.is_deposed = true;
    cr_expect_eq(take(&second), DEED_LOCK_REFUSED);
    cr_expect(strstr(second.sentence, "does not lead") != NULL, "%s", second.sentence);
    cr_expect_eq(say(&first, TARGET, "do 0"), FC_OK);
    first.is_deposed = true;
    cr_expect_eq(say(&first, TARGET, "do 0"), FC_REFUSED);
    leader_close(&first);
    leader_close(&second);
    close_servers();
}

Test(mysql_locks, a_refused_password_is_told_in_the_servers_words)
{
    struct leader l;
    open_servers();
    mariadb_do(&servers[TARGET], "set session sql_log_bin = 0; alter user topo@127.0.0.1 identified by 'other'");
    leader_open(&l);
    cr_assert_eq(take(&l), DEED_LOCK_REFUSED);
    cr_expect(strstr(l.sentence, "Access denied") != NULL, "%s", l.sentence);
    leader_close(&l);
    close_servers();
}

/* The server has a certificate from now on, and lets the account in by TLS alone. */
static void demand_tls(struct mariadb *server)
{
    char certificate[FOLDER_SIZE + 16], key[FOLDER_SIZE + 16], settings[FOLDER_SIZE + 16];
    TEXT_FORMAT(certificate, "%s/cert.pem", server->folder);
    TEXT_FORMAT(key, "%s/key.pem", server->folder);
    TEXT_FORMAT(settings, "%s/my.cnf", server->folder);
    const char *const words[] = { "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=m", "-keyout", key,
                                  "-out", certificate, NULL };
    cr_assert_eq(program_run(server->folder, "mysql", words), 0);
    FILE *to = fopen(settings, "a");
    cr_assert_not_null(to);
    fprintf(to, "ssl_cert=%s\nssl_key=%s\n", certificate, key);
    fclose(to);
    mariadb_restart(server);
    mariadb_do(server, "set session sql_log_bin = 0; alter user topo@127.0.0.1 require ssl");
}

Test(mysql_locks, a_server_that_lets_the_account_in_by_tls_alone_is_locked_over_tls_as_it_is_looked_at)
{
    struct leader l;
    open_servers();
    demand_tls(&servers[TARGET]);
    leader_open(&l);
    cr_expect_eq(take(&l), DEED_LOCK_REFUSED, "without");
    leader_close(&l);
    leader_open_with(&l, true);
    cr_assert_eq(take(&l), DEED_LOCK_PERMITS, "%s", l.sentence);
    cr_expect_str_eq(l.sentence, "the lock is held on 3 of 3 servers");
    cr_expect_eq(say(&l, TARGET, "do 0"), FC_OK);
    leader_close(&l);
    close_servers();
}
