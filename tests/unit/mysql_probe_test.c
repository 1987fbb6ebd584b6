/* Probes of real, private servers (MariaDB's; others by `./test other-servers`) in the shapes that replication has, each observation
 * compared with what the server says to a root client; and servers that are killed, frozen, locked or tell only a part. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/mysql/mysql_probe.h"
#include "base/text.h"
#include "private_dialect.h"
#include "private_mariadb.h"

#define SERVERS_MAX 6
#define PATIENCE_MS 60000            /* for what comes soon on a machine that has time */

struct heard {
    struct fleet *fleet;
    struct instance_kept kept;
    int seen_count, lost_count;
    struct instance_lost lost;
    char lost_text[320];
    double lost_ms;
};

struct fleet {
    struct pump pump;
    struct host host;                /* the pump's, with a clock that can be put forward */
    struct room room;
    struct mysql_prober *prober;
    int count;
    struct mariadb servers[SERVERS_MAX];
    struct mysql_probe *probes[SERVERS_MAX];
    struct heard heard[SERVERS_MAX];
};

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

/* --- the stage ---------------------------------------------------------------------------------------------------- */

static struct fc_span ahead;
static const struct host *real_host;

static struct fc_time now_ahead(void *agent) { return fc_plus(real_host->now(agent), ahead); }

static void timer_set_ahead(struct host_timer *timer, struct fc_time at)
{
    real_host->timer_set(timer, fc_plus(at, (struct fc_span){ -ahead.us }));
}

static void on_seen(void *owner, const struct instance_seen *seen)
{
    struct heard *heard = owner;
    heard->seen_count++;
    cr_assert(instance_keep(&heard->fleet->room, &heard->kept, seen));
}

static void on_lost(void *owner, const struct instance_lost *lost)
{
    struct heard *heard = owner;
    heard->lost_count++;
    heard->lost = *lost;
    heard->lost_ms = now_ms();
    TEXT_SET(heard->lost_text, lost->text);
}

static void prober_open(struct fleet *f, const char *user, const char *password, int limit_ms)
{
    struct mysql_prober_setting setting = { .connect_limit = fc_ms(limit_ms), .read_limit = fc_ms(limit_ms) };
    TEXT_SET(setting.user, user);
    TEXT_SET(setting.password, password);
    f->prober = mysql_prober_open(&f->host, &setting, on_seen, on_lost);
    cr_assert_not_null(f->prober);
    for (int i = 0; i < f->count; i++) {
        const struct instance_key key = { "127.0.0.1", (uint16_t)f->servers[i].port };
        f->probes[i] = mysql_probe_open(f->prober, &key, &f->heard[i]);
        cr_assert_not_null(f->probes[i]);
    }
}

static void prober_close(struct fleet *f)
{
    for (int i = 0; i < f->count; i++)
        mysql_probe_close(f->probes[i]);
    mysql_prober_close(f->prober);
}

/* What MySQL asks for besides (docs/support.md). */
static void grant_readings(struct mariadb *server, const char *account)
{
    char sql[500];
    TEXT_FORMAT(sql, "set session sql_log_bin = 0; grant select on performance_schema.replication_group_members to %s@127.0.0.1; "
                     "grant select on performance_schema.processlist to %s@127.0.0.1; "
                     "grant select on mysql.slave_master_info to %s@127.0.0.1; set session sql_log_bin = 1", account, account, account);
    if (server_is_mysql())
        mariadb_do(server, sql);
}

static struct fleet *fleet_open_with(int count, const char *more)
{
    struct fleet *f = calloc(1, sizeof *f);
    f->count = count;
    f->room = room_of_libc();
    pump_open(&f->pump, 1);
    real_host = pump_host(&f->pump);
    f->host = *real_host;
    f->host.now = now_ahead;
    f->host.timer_set = timer_set_ahead;
    for (int i = 0; i < count; i++) {
        f->heard[i].fleet = f;
        mariadb_open_with(&f->servers[i], i + 1, more);
        mariadb_do(&f->servers[i],
                   "set session sql_log_bin = 0; create user topo@127.0.0.1 identified by 't'; create user poor@127.0.0.1 "
                   "identified by 'p'; grant replication master admin, slave monitor, binlog monitor, process on *.* to "
                   "topo@127.0.0.1; set session sql_log_bin = 1");
        grant_readings(&f->servers[i], "topo");
    }
    prober_open(f, "topo", "t", PATIENCE_MS);
    return f;
}

static struct fleet *fleet_open(int count) { return fleet_open_with(count, ""); }

static void fleet_close(struct fleet *f)
{
    prober_close(f);
    for (int i = 0; i < f->count; i++) {
        instance_release(&f->room, &f->heard[i].kept);
        mariadb_close(&f->servers[i]);
    }
    pump_close(&f->pump);
    free(f);
}

static void account_change(struct fleet *f, const char *user, const char *password, int limit_ms)
{
    prober_close(f);
    prober_open(f, user, password, limit_ms);
}

static bool is_over(void *owner)
{
    return !mysql_probe_is_busy(owner);
}

/* One probe of a server, until its word is heard. */
static const struct instance_seen *probe(struct fleet *f, int i)
{
    cr_assert(mysql_probe_start(f->probes[i]));
    cr_assert_not(mysql_probe_start(f->probes[i]), "one at a time");
    cr_assert(pump_until(&f->pump, is_over, f->probes[i], PATIENCE_MS * 3));
    return f->heard[i].kept.seen;
}

static const struct instance_seen *probe_sees(struct fleet *f, int i)
{
    const int seen = f->heard[i].seen_count;
    probe(f, i);
    cr_assert_eq(f->heard[i].seen_count, seen + 1, "server %d is lost: %s", i, f->heard[i].lost_text);
    return f->heard[i].kept.seen;
}

static const struct instance_lost *probe_loses(struct fleet *f, int i)
{
    const int lost = f->heard[i].lost_count;
    probe(f, i);
    cr_assert_eq(f->heard[i].lost_count, lost + 1, "server %d is seen", i);
    return &f->heard[i].lost;
}

static void replicate(struct fleet *f, int replica, int master, const char *channel, const char *with)
{
    mariadb_replicate(&f->servers[replica], &f->servers[master], channel, with);
}

static int count_of(const char *text, const char *what)
{
    int count = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}

/* --- the server's own words --------------------------------------------------------------------------------------- */

/* One column of the n-th row of a statement, as root hears it; "NULL" for NULL. */
static const char *word(struct mariadb *server, const char *words, unsigned n, const char *name)
{
    static char text[4000];
    char *sql = dialect_of(words), *column = dialect_of(name);
    cr_assert_eq(mysql_query(server->root, sql), 0, "%s: %s", sql, mysql_error(server->root));
    MYSQL_RES *rows = mysql_store_result(server->root);
    MYSQL_ROW row = NULL;
    for (unsigned i = 0; i <= n; i++)
        row = mysql_fetch_row(rows);
    cr_assert_not_null(row, "%s has no row %u", sql, n);
    bool is_there = false;
    for (unsigned i = 0; i < mysql_num_fields(rows); i++) {
        if (text_is_nocase(mysql_fetch_field_direct(rows, i)->name, column)) {
            TEXT_SET(text, row[i] == NULL ? "NULL" : row[i]);
            is_there = true;
        }
    }
    cr_assert(is_there, "%s has no column %s", sql, column);
    mysql_free_result(rows);
    free(sql);
    free(column);
    return text;
}

static unsigned rows_of(struct mariadb *server, const char *words)
{
    char *sql = dialect_of(words);
    cr_assert_eq(mysql_query(server->root, sql), 0, "%s: %s", sql, mysql_error(server->root));
    MYSQL_RES *rows = mysql_store_result(server->root);
    const unsigned count = (unsigned)mysql_num_rows(rows);
    mysql_free_result(rows);
    free(sql);
    return count;
}

/* Has all that was fetched been applied, on every channel? A MySQL's place goes on behind a heartbeat, a moment after its states. */
static bool is_level(struct mariadb *server)
{
    const unsigned channels = rows_of(server, "show all slaves status");
    for (unsigned n = 0; n < channels; n++) {
        char read[32];
        TEXT_SET(read, word(server, "show all slaves status", n, "Read_Master_Log_Pos"));
        if (!text_is(word(server, "show all slaves status", n, "Exec_Master_Log_Pos"), read))
            return false;
    }
    return true;
}

/* Both threads of every channel run, and wait for more. */
static void wait_replicating(struct fleet *f, int replica)
{
    const char *fetches = server_is_mysql() ? "Waiting for source to send event" : "Waiting for master to send event";
    const char *applies = server_is_mysql() ? "Replica has read all relay log" : "Slave has read all relay log";
    const int told = server_is_mysql() ? 1 : 2;      /* MariaDB: SQL_State and SQL_Running_State */
    char rows[20000];
    for (int i = 0; i < 3000; i++) {
        mariadb_query(&f->servers[replica], "show all slaves status", rows, sizeof rows);
        const int channels = count_of(rows, "\n");
        if (channels > 0 && count_of(rows, fetches) == channels && count_of(rows, applies) == told * channels &&
            is_level(&f->servers[replica]))
            return;
        pump_for(&f->pump, 20);
    }
    cr_assert_fail("server %d does not replicate: %s", replica, rows);
}

struct claim { const char *column; char text[2000]; };

static struct claim says(const char *column, const char *text)
{
    struct claim claim = { .column = column };
    TEXT_SET(claim.text, text);
    return claim;
}

static struct claim counts(const char *column, long long number)
{
    struct claim claim = { .column = column };
    TEXT_FORMAT(claim.text, "%lld", number);
    return claim;
}

static struct claim maybe(const char *column, int64_t number)
{
    return number < 0 ? says(column, "NULL") : counts(column, number);
}

static struct claim yes(const char *column, bool is_so) { return says(column, is_so ? "Yes" : "No"); }

static const char *thread_word(enum thread_state state)
{
    return state == THREAD_RUNNING ? "Yes" : state == THREAD_CONNECTING ? "Connecting" : "No";
}

static const char *use_word(enum gtid_use use)
{
    return use == GTID_SLAVE_POS ? "Slave_Pos" : use == GTID_CURRENT_POS ? "Current_Pos" : "No";
}

#define COUNT(claims) (sizeof(claims) / sizeof(claims)[0])

static unsigned server_version(struct mariadb *server) { return version_number(word(server, "select version() as version", 0, "version")); }

static void channel_claims_hold(struct mariadb *server, const struct channel_seen *c, unsigned n, const struct claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_expect_str_eq(claims[i].text, word(server, "show all slaves status", n, claims[i].column), "server %d, channel '%s', %s",
                         server->id, c->name, claims[i].column);
}

/* The server's row of a channel; rows come in the order of names, the default one first, in both. */
static void channel_is_as_told(struct mariadb *server, const struct channel_seen *c, unsigned n)
{
    const struct claim claims[] = {
        says("Connection_name", c->name), says("Master_Host", c->master.host), counts("Master_Port", c->master.port),
        says("Master_User", c->user), says("Slave_IO_State", c->io_state), says("Slave_SQL_Running_State", c->sql_state),
        says("Slave_IO_Running", thread_word(c->io)), says("Slave_SQL_Running", thread_word(c->sql)),
        says("Master_Log_File", c->read.file), counts("Read_Master_Log_Pos", (long long)c->read.offset),
        says("Relay_Master_Log_File", c->applied.file), counts("Exec_Master_Log_Pos", (long long)c->applied.offset),
        says("Relay_Log_File", c->relay.file), counts("Relay_Log_Pos", (long long)c->relay.offset),
        counts("Last_IO_Errno", c->io_error_number), says("Last_IO_Error", c->io_error),
        counts("Last_SQL_Errno", c->sql_error_number), says("Last_SQL_Error", c->sql_error),
        maybe("Seconds_Behind_Master", c->lag_s), counts("SQL_Delay", c->delay_s), maybe("SQL_Remaining_Delay", c->delay_left_s),
        counts("Connect_Retry", c->connect_retry_s), counts("Master_Server_Id", c->master_server_id),
        yes("Master_SSL_Allowed", c->tls.is_allowed), yes("Master_SSL_Verify_Server_Cert", c->tls.verifies_server),
        says("Master_SSL_CA_File", c->tls.ca_file), says("Master_SSL_CA_Path", c->tls.ca_path),
        says("Master_SSL_Cert", c->tls.certificate), says("Master_SSL_Cipher", c->tls.cipher), says("Master_SSL_Key", c->tls.key),
        says("Master_SSL_Crl", c->tls.crl), says("Master_SSL_Crlpath", c->tls.crl_path),
    };
    const struct claim of_mariadb[] = {
        says("Using_Gtid", use_word(c->gtid_use)), says("Gtid_IO_Pos", c->gtid_received), says("Parallel_Mode", c->parallel_mode),
        says("Replicate_Do_Domain_Ids", c->do_domains), says("Replicate_Ignore_Domain_Ids", c->ignore_domains),
    };
    const struct claim of_mysql[] = {
        counts("Auto_Position", c->gtid_use == GTID_AUTO_POSITION), says("Retrieved_Gtid_Set", c->gtid_received),
        says("Source_UUID", c->master_uuid), says("Source_TLS_Version", c->tls.versions), says("Source_public_key_path", c->tls.public_key_path),
        counts("Get_Source_public_key", c->tls.gets_public_key),
    };
    channel_claims_hold(server, c, n, claims, COUNT(claims));
    if (server_is_mysql())
        channel_claims_hold(server, c, n, of_mysql, COUNT(of_mysql));
    else
        channel_claims_hold(server, c, n, of_mariadb, COUNT(of_mariadb));
}

static void variable_claims_hold(struct mariadb *server, const struct claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char sql[200];
        TEXT_FORMAT(sql, "select @@global.%s as %s", claims[i].column, claims[i].column);
        cr_expect_str_eq(claims[i].text, word(server, sql, 0, claims[i].column), "server %d, %s", server->id, claims[i].column);
    }
}

static void variables_are_as_told(struct mariadb *server, const struct instance_seen *seen)
{
    const struct claim claims[] = {
        says("version", seen->version_text), says("version_comment", seen->version_comment), says("hostname", seen->host_name),
        counts("report_port", seen->report_port), counts("server_id", seen->server_id),
        counts("read_only", seen->is_read_only), counts("log_bin", seen->has_log), counts("log_slave_updates", seen->relogs),
        says("binlog_format", seen->binlog_format), says("binlog_row_image", seen->binlog_row_image),
        counts("rpl_semi_sync_master_enabled", seen->semi_sync.is_master_enabled),
        counts("rpl_semi_sync_slave_enabled", seen->semi_sync.is_replica_enabled),
        counts("rpl_semi_sync_master_timeout", (long long)seen->semi_sync.timeout_ms),
        counts("rpl_semi_sync_master_wait_no_slave", seen->semi_sync.waits_without_replicas),
        says("rpl_semi_sync_master_wait_point", seen->semi_sync.wait_point),
    };
    const struct claim of_mariadb[] = {
        counts("gtid_domain_id", seen->gtid.domain), counts("gtid_strict_mode", seen->gtid.is_strict),
        says("gtid_slave_pos", seen->gtid.slave_position), says("gtid_binlog_pos", seen->gtid.binlog_position),
        says("gtid_current_pos", seen->gtid.current_position), says("gtid_binlog_state", seen->gtid.binlog_state),
    };
    const struct claim of_mysql[] = {
        says("server_uuid", seen->server_uuid), says("gtid_mode", seen->gtid.mode), says("gtid_executed", seen->gtid.executed),
        says("gtid_purged", seen->gtid.purged), says("enforce_gtid_consistency", seen->gtid.is_enforced ? "ON" : "OFF"),
        counts("super_read_only", seen->is_super_read_only), counts("offline_mode", seen->is_offline),
        counts("rpl_semi_sync_source_wait_for_replica_count", seen->semi_sync.wait_count),
    };
    variable_claims_hold(server, claims, COUNT(claims));
    if (server_is_mysql())
        variable_claims_hold(server, of_mysql, COUNT(of_mysql));
    else
        variable_claims_hold(server, of_mariadb, COUNT(of_mariadb));
    if (!server_is_mysql() && server_version(server) >= 101100)      /* earlier ones have none */
        variable_claims_hold(server, (struct claim[]){ says("server_uid", seen->server_uuid) }, 1);
}

static void is_as_told(struct fleet *f, int i)
{
    struct mariadb *server = &f->servers[i];
    const struct instance_seen *seen = probe_sees(f, i);
    cr_expect_eq(seen->missing, 0, "server %d: %s", server->id, seen->trouble);
    cr_expect_eq(seen->flavour, server_is_mysql() ? FLAVOUR_MYSQL : FLAVOUR_MARIADB);
    cr_expect_eq(seen->version, server_version(server));
    cr_expect_str_eq(seen->written.file, word(server, "show master status", 0, "File"));
    const struct claim offset = counts("Position", (long long)seen->written.offset);
    cr_expect_str_eq(offset.text, word(server, "show master status", 0, "Position"));
    variables_are_as_told(server, seen);
    cr_expect_str_eq(word(server, "show global status like 'Rpl_semi_sync_master_status'", 0, "Value"),
                     seen->semi_sync.is_master_active ? "ON" : "OFF");
    cr_expect_str_eq(word(server, "show global status like 'Rpl_semi_sync_slave_status'", 0, "Value"),
                     seen->semi_sync.is_replica_active ? "ON" : "OFF");
    const struct claim clients = counts("Value", seen->semi_sync.clients);
    cr_expect_str_eq(clients.text, word(server, "show global status like 'Rpl_semi_sync_master_clients'", 0, "Value"));
    cr_expect_eq(seen->channel_count, rows_of(server, "show all slaves status"), "server %d", server->id);
    for (uint32_t n = 0; n < seen->channel_count; n++)
        channel_is_as_told(server, &seen->channels[n], n);
    cr_expect_eq(seen->replica_count, rows_of(server, "show slave hosts"), "server %d", server->id);
}

/* Is a server of the fleet among the replicas, with its own address? */
static bool lists(const struct instance_seen *seen, const struct mariadb *replica)
{
    const struct instance_key key = { "127.0.0.1", (uint16_t)replica->port };
    for (uint32_t i = 0; i < seen->replica_count; i++) {
        if (instance_key_is_same(&seen->replicas[i].key, &key) && seen->replicas[i].server_id == (uint32_t)replica->id)
            return true;
    }
    return false;
}

/* --- shapes of replication ---------------------------------------------------------------------------------------- */

Test(mysql_probe, a_master_and_five_replicas_are_seen_as_they_say_themselves)
{
    struct fleet *f = fleet_open(6);
    struct mariadb *master = &f->servers[0];
    const char *by_place = "master_use_gtid = no, master_log_file = 'bin.000001', master_log_pos = 4";
    mariadb_do(master, "set global read_only = 0; set global rpl_semi_sync_master_enabled = 1; create database app; "
                       "create table app.t (id int primary key) engine=InnoDB; insert into app.t values (1)");
    mariadb_do(&f->servers[4], "set global rpl_semi_sync_slave_enabled = 1");
    replicate(f, 1, 0, "", "master_use_gtid = slave_pos");
    replicate(f, 2, 0, "", by_place);
    replicate(f, 3, 0, "", "master_use_gtid = slave_pos, master_delay = 3600");
    replicate(f, 4, 0, "", "master_use_gtid = current_pos");
    if (server_is_mysql()) {
        replicate(f, 5, 0, "east", "master_use_gtid = slave_pos");
        mariadb_do(&f->servers[5], "stop replica for channel 'east'; change replication filter replicate_ignore_db = (nothing) for channel 'east'; "
                                   "start replica for channel 'east'");
    } else {
        replicate(f, 5, 0, "east", "master_use_gtid = slave_pos, do_domain_ids = (1, 7)");
    }
    for (int i = 1; i < 6; i++) {
        if (i != 3)
            wait_replicating(f, i);
    }
    for (int i = 0; i < 6; i++)
        is_as_told(f, i);

    const struct instance_seen *seen = f->heard[0].kept.seen;
    for (int i = 1; i < 6; i++)
        cr_expect(lists(seen, &f->servers[i]), "replica %d is not listed", i);
    cr_expect_eq(seen->semi_sync.wait_count, 1);
    cr_expect_eq(seen->semi_sync.clients, 1);
    cr_expect_not(instance_is_replica(seen));
    cr_expect_eq(f->heard[2].kept.seen->channels[0].gtid_use, GTID_UNUSED);
    cr_expect_eq(f->heard[3].kept.seen->channels[0].delay_s, 3600);
    cr_expect_eq(f->heard[4].kept.seen->channels[0].gtid_use, server_is_mysql() ? GTID_AUTO_POSITION : GTID_CURRENT_POS);
    cr_expect_str_eq(f->heard[5].kept.seen->channels[0].name, "east");
    cr_expect(f->heard[5].kept.seen->channels[0].has_filters);
    cr_expect_not(f->heard[1].kept.seen->channels[0].has_filters);

    for (int i = 0; i < 6; i++) {
        probe_sees(f, i);
        cr_expect_eq(mysql_probe_round_trips(f->probes[i]), 1, "server %d takes %d round trips", i, mysql_probe_round_trips(f->probes[i]));
    }
    fleet_close(f);
}

Test(mysql_probe, co_masters_and_a_chain_with_two_sources_are_seen_as_they_say_themselves)
{
    struct fleet *f = fleet_open(3);
    mariadb_do(&f->servers[0], "set global read_only = 0; create database app");
    mariadb_pair(&f->servers[0], &f->servers[1]);
    /* MySQL knows by the GTID what came the other way; MariaDB is told which channel brings it. */
    replicate(f, 2, 1, "", server_is_mysql() ? "master_use_gtid = slave_pos" : "master_use_gtid = slave_pos, ignore_domain_ids = (1)");
    replicate(f, 2, 0, "direct", server_is_mysql() ? "master_use_gtid = slave_pos" : "master_use_gtid = slave_pos, do_domain_ids = (1)");
    for (int i = 0; i < 3; i++)
        wait_replicating(f, i);
    mariadb_catch_up(&f->servers[0], &f->servers[2]);
    for (int i = 0; i < 3; i++)
        wait_replicating(f, i);
    for (int i = 0; i < 3; i++)
        is_as_told(f, i);

    cr_expect_eq(f->heard[0].kept.seen->channels[0].master.port, f->servers[1].port);
    cr_expect_eq(f->heard[1].kept.seen->channels[0].master.port, f->servers[0].port);
    cr_expect(lists(f->heard[1].kept.seen, &f->servers[2]));
    cr_expect_eq(instance_channel_count(f->heard[2].kept.seen), 2);
    cr_expect_str_eq(f->heard[2].kept.seen->channels[0].name, "");

    mariadb_do(&f->servers[2], server_is_mysql() ? "stop replica; reset replica all for channel 'direct'" : "stop all slaves; reset slave 'direct' all");
    const struct instance_seen *seen = probe_sees(f, 2);
    cr_expect_eq(seen->channel_count, 1);
    cr_expect_eq(seen->channels[0].io, THREAD_STOPPED);
    cr_expect_eq(seen->channels[0].lag_s, -1);
    fleet_close(f);
}

#define GROUP "aaaaaaaa-1111-2222-3333-444444444444"

static void group_begin(struct fleet *f, int ports[2])
{
    for (int i = 0; i < 2; i++)
        ports[i] = free_port();
    for (int i = 0; i < 2; i++) {
        char sql[800];
        TEXT_FORMAT(sql, "set global binlog_format = 'ROW'; set global group_replication_group_name = '" GROUP "'; "
                         "set global group_replication_local_address = '127.0.0.1:%d'; "
                         "set global group_replication_group_seeds = '127.0.0.1:%d,127.0.0.1:%d'; "
                         "set global group_replication_recovery_get_public_key = 1; set global group_replication_bootstrap_group = %d; "
                         "change replication source to source_user = 'repl', source_password = 'r' for channel 'group_replication_recovery'; "
                         "start group_replication; set global group_replication_bootstrap_group = 0", ports[i], ports[0], ports[1], i == 0);
        mariadb_do(&f->servers[i], sql);
    }
}

#define MEMBERS "select member_id, member_host, member_port, member_state, member_role " \
                "from performance_schema.replication_group_members order by member_id"

static void members_are_as_told(struct mariadb *server, const struct instance_seen *seen)
{
    cr_expect_eq(seen->missing, 0, "server %d: %s", server->id, seen->trouble);
    cr_expect_str_eq(seen->group_name, GROUP);
    cr_expect(seen->is_single_primary);
    cr_assert_eq(seen->member_count, rows_of(server, MEMBERS));
    for (uint32_t n = 0; n < seen->member_count; n++) {
        const struct member_seen *one = &seen->members[n];
        const struct claim claims[] = {
            says("member_id", one->uuid), says("member_host", one->key.host), counts("member_port", one->key.port),
            says("member_state", one->state), says("member_role", one->role),
        };
        for (size_t i = 0; i < COUNT(claims); i++)
            cr_expect_str_eq(claims[i].text, word(server, MEMBERS, n, claims[i].column), "server %d, %s", server->id, claims[i].column);
        if (text_is(one->uuid, seen->server_uuid)) {
            cr_expect_str_eq(seen->group_state, one->state);
            cr_expect_str_eq(seen->group_role, one->role);
        }
    }
}

static void group_is_seen(void)
{
    struct fleet *f = fleet_open_with(2, "plugin_load_add=group_replication.so\nreport_host=127.0.0.1\n");
    int ports[2];
    group_begin(f, ports);
    mariadb_comes_to_show(&f->servers[1], &f->pump, "select count(*) from performance_schema.replication_group_members where member_state = 'ONLINE'",
                          "2\n");
    for (int i = 0; i < 2; i++)
        members_are_as_told(&f->servers[i], probe_sees(f, i));
    cr_expect_str_eq(f->heard[0].kept.seen->group_role, "PRIMARY");
    cr_expect_str_eq(f->heard[1].kept.seen->group_role, "SECONDARY");
    cr_expect(f->heard[1].kept.seen->is_super_read_only);
    fleet_close(f);
}

static void no_group_is_asked_for(void)
{
    struct fleet *f = fleet_open(1);
    const struct instance_seen *seen = probe_sees(f, 0);
    cr_expect_eq(seen->wanted & READING_BIT(READING_GROUP), 0);
    cr_expect(text_is(seen->group_name, "") && seen->member_count == 0);
    fleet_close(f);
}

Test(mysql_probe, members_of_a_group_are_seen_as_they_say_themselves_and_a_mariadb_is_in_none)
{
    if (server_is_mysql())
        group_is_seen();
    else
        no_group_is_asked_for();
}

Test(mysql_probe, a_replica_whose_master_is_gone_says_so_itself)
{
    struct fleet *f = fleet_open(2);
    replicate(f, 1, 0, "", "master_use_gtid = slave_pos");
    wait_replicating(f, 1);
    mariadb_kill(&f->servers[0]);
    const struct instance_seen *seen = NULL;
    for (int i = 0; i < 600; i++) {
        seen = probe_sees(f, 1);
        if (seen->channels[0].io_error_number != 0)
            break;
        pump_for(&f->pump, 50);
    }
    cr_expect_eq(seen->channels[0].io, THREAD_CONNECTING);
    cr_expect_eq(seen->channels[0].sql, THREAD_RUNNING);
    cr_expect_neq(seen->channels[0].io_error_number, 0);
    channel_is_as_told(&f->servers[1], &seen->channels[0], 0);
    fleet_close(f);
}

/* --- broken servers ----------------------------------------------------------------------------------------------- */

static bool is_told_of_a_loss(void *owner)
{
    return ((const struct heard *)owner)->lost_count > 0;
}

Test(mysql_probe, a_killed_server_is_known_by_the_end_of_its_session_and_then_refused)
{
    struct fleet *f = fleet_open(1);
    probe_sees(f, 0);
    mariadb_kill(&f->servers[0]);
    cr_assert(pump_until(&f->pump, is_told_of_a_loss, &f->heard[0], PATIENCE_MS), "the kernel's word is not passed on");
    cr_expect_eq(f->heard[0].lost.phase, PROBE_IDLE);
    cr_expect_eq(f->heard[0].lost.loss, LOSS_ENDED);

    const struct instance_lost *lost = probe_loses(f, 0);
    cr_expect_eq(lost->loss, LOSS_REFUSED);
    cr_expect_eq(lost->phase, PROBE_CONNECTING);
    cr_expect_not(lost->has_answered);
    fleet_close(f);
}

Test(mysql_probe, a_frozen_server_is_lost_within_the_bounds_and_seen_again_when_it_thaws)
{
    struct fleet *f = fleet_open(1);
    account_change(f, "topo", "t", 2000);
    probe_sees(f, 0);
    program_freeze(f->servers[0].pid);
    double begun = now_ms();
    const struct instance_lost *lost = probe_loses(f, 0);
    cr_expect_eq(lost->loss, LOSS_SILENT);
    cr_expect_eq(lost->phase, PROBE_READING);
    cr_expect_geq(f->heard[0].lost_ms - begun, 1900);
    cr_expect_leq(f->heard[0].lost_ms - begun, 2000 + 4000, "%.0f ms", f->heard[0].lost_ms - begun);

    begun = now_ms();      /* the kernel still connects us, and nobody greets */
    lost = probe_loses(f, 0);
    cr_expect_eq(lost->loss, LOSS_SILENT);
    cr_expect_eq(lost->phase, PROBE_GREETING);
    cr_expect_not(lost->has_answered);
    cr_expect_leq(f->heard[0].lost_ms - begun, 2000 + 4000, "%.0f ms", f->heard[0].lost_ms - begun);

    kill(f->servers[0].pid, SIGCONT);
    account_change(f, "topo", "t", PATIENCE_MS);
    probe_sees(f, 0);
    fleet_close(f);
}

Test(mysql_probe, a_wrong_password_is_a_denial_by_a_living_server)
{
    struct fleet *f = fleet_open(1);
    account_change(f, "topo", "wrong-secret", PATIENCE_MS);
    const struct instance_lost *lost = probe_loses(f, 0);
    cr_expect_eq(lost->loss, LOSS_DENIED);
    cr_expect_eq(lost->phase, PROBE_GREETING);
    cr_expect_eq(lost->error_number, 1045);
    cr_expect_null(strstr(f->heard[0].lost_text, "wrong-secret"));
    fleet_close(f);
}

Test(mysql_probe, what_is_not_permitted_is_marked_and_read_once_it_is_granted)
{
    const unsigned denied = READING_BIT(READING_REPLICATION) | READING_BIT(READING_LOG_POSITION) | READING_BIT(READING_REPLICA_LIST) |
                            READING_BIT(READING_DUMP_THREADS) | (server_is_mysql() ? READING_BIT(READING_CREDENTIALS) : 0);
    struct fleet *f = fleet_open(1);
    account_change(f, "poor", "p", PATIENCE_MS);
    for (int i = 0; i < 2; i++) {
        const struct instance_seen *seen = probe_sees(f, 0);
        cr_expect_eq(seen->missing, denied);
        cr_expect_eq(seen->denied, denied);
        cr_expect_not_null(strstr(seen->trouble, server_is_mysql() ? "REPLICATION CLIENT" : "SLAVE MONITOR"), "%s", seen->trouble);
        cr_expect_eq(seen->server_id, 1);
        cr_expect(seen->is_read_only);
    }
    cr_expect_eq(mysql_probe_round_trips(f->probes[0]), 1, "what was refused is not asked for again");

    mariadb_do(&f->servers[0], "grant replication master admin, slave monitor, binlog monitor, process on *.* to poor@127.0.0.1");
    grant_readings(&f->servers[0], "poor");
    cr_expect_eq(probe_sees(f, 0)->missing, denied);      /* a session keeps the privileges it began with */
    ahead = fc_ms(PROBE_ASIDE_MS + 1);
    is_as_told(f, 0);
    fleet_close(f);
}

Test(mysql_probe, without_the_list_the_threads_tell_hosts_alone)
{
    struct fleet *f = fleet_open(2);
    replicate(f, 1, 0, "", "master_use_gtid = slave_pos");
    wait_replicating(f, 1);
    const struct instance_seen *seen = probe_sees(f, 0);
    cr_assert_eq(seen->replica_count, 1);
    /* MySQL tells no host of a replica that has no report_host: its thread completes it. */
    cr_expect_eq(seen->replicas[0].how, LISTED_REGISTERED | (server_is_mysql() ? LISTED_THREAD : 0));
    cr_expect(lists(seen, &f->servers[1]));

    mariadb_do(&f->servers[0], server_is_mysql() ? "revoke replication slave on *.* from topo@127.0.0.1"
                                                 : "revoke replication master admin on *.* from topo@127.0.0.1");
    account_change(f, "topo", "t", PATIENCE_MS);
    seen = probe_sees(f, 0);                               /* the threads alone: a host whose port nobody tells */
    cr_expect_eq(seen->missing, READING_BIT(READING_REPLICA_LIST));
    cr_assert_eq(seen->replica_count, 1);
    cr_expect_str_eq(seen->replicas[0].key.host, "127.0.0.1");
    cr_expect_eq(seen->replicas[0].key.port, 0);
    cr_expect_eq(seen->replicas[0].how, LISTED_THREAD);
    cr_expect_str_eq(seen->replicas[0].user, "repl");
    fleet_close(f);
}
