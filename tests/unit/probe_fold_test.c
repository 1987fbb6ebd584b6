/* What servers that are not at hand say of themselves, as their manuals print it: dialects, spellings, lists of replicas. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "backends/mysql/mysql_probe_fold.h"
#include "base/text.h"

struct scene {
    struct mysql_rows rows;
    struct part_sets sets;
    struct probe_scratch scratch;
    struct instance_seen seen;
};

static struct scene *scene_open(const char *host)
{
    struct scene *s = calloc(1, sizeof *s);
    for (int i = 0; i < PART_COUNT; i++)
        s->sets.of[i] = -1;
    s->seen.key = (struct instance_key){ host, 3306 };
    return s;
}

static void scene_close(struct scene *s)
{
    mysql_rows_done(&s->rows);
    probe_scratch_done(&s->scratch);
    free(s);
}

/* A result set as text: names in the first line, cells apart by '|', "-" for NULL. */
static void answer(struct scene *s, enum probe_part part, const char *text)
{
    char lines[4000];
    uint32_t columns = 0;
    TEXT_SET(lines, text);
    s->sets.of[part] = s->rows.set_count;
    char *line_rest = NULL, *cell_rest = NULL;
    for (char *line = strtok_r(lines, "\n", &line_rest); line != NULL; line = strtok_r(NULL, "\n", &line_rest)) {
        const bool is_names = columns == 0;
        for (const char *c = line; is_names && *c != '\0'; c++)
            columns += *c == '|';
        if (is_names)
            cr_assert(mysql_rows_begin_set(&s->rows, ++columns));
        for (char *cell = line; cell != NULL; cell = cell_rest) {
            cell_rest = strchr(cell, '|');
            const size_t length = cell_rest == NULL ? strlen(cell) : (size_t)(cell_rest - cell);
            cell[length] = '\0';
            cell_rest = cell_rest == NULL ? NULL : cell_rest + 1;
            if (is_names)
                cr_assert(mysql_rows_add_name(&s->rows, cell));
            else
                cr_assert(mysql_rows_add_cell(&s->rows, strcmp(cell, "-") == 0 ? NULL : cell, length));
        }
        if (!is_names)
            mysql_rows_end_row(&s->rows);
    }
}

static const struct instance_seen *fold(struct scene *s)
{
    cr_assert(mysql_probe_fold(&s->rows, &s->sets, &s->scratch, &s->seen));
    return &s->seen;
}

#define MYSQL_84                                                                                                      \
    "Variable_name|Value\nversion|8.4.3\nversion_comment|MySQL Community Server - GPL\nserver_id|7\n"                  \
    "server_uuid|3e11fa47-71ca-11e1-9e33-c80aa9429562\nread_only|ON\nsuper_read_only|ON\nlog_bin|ON\nlog_replica_updates|ON\n" \
    "gtid_mode|ON\nenforce_gtid_consistency|ON\ngtid_executed|3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5\nsync_binlog|1\n" \
    "innodb_flush_log_at_trx_commit|1\nreport_host|-\n"

/* --- which statement ---------------------------------------------------------------------------------------------- */

Test(probe_fold, each_version_is_asked_in_its_own_words)
{
    cr_expect_eq(dialect_statement(PART_REPLICATION, true, 100600), SQL_REPLICA_STATUS_ALL);
    cr_expect_eq(dialect_statement(PART_REPLICATION, true, 110802), SQL_REPLICA_STATUS_ALL);
    cr_expect_eq(dialect_statement(PART_REPLICATION, false, 50744), SQL_REPLICA_STATUS_OLD);
    cr_expect_eq(dialect_statement(PART_REPLICATION, false, 80009), SQL_REPLICA_STATUS_OLD);
    cr_expect_eq(dialect_statement(PART_REPLICATION, false, 80022), SQL_REPLICA_STATUS_NEW);
    cr_expect_eq(dialect_statement(PART_REPLICATION, false, 90100), SQL_REPLICA_STATUS_NEW);
    cr_expect_eq(dialect_statement(PART_LOG_POSITION, true, 110802), SQL_LOG_POSITION);
    cr_expect_eq(dialect_statement(PART_LOG_POSITION, false, 80100), SQL_LOG_POSITION);
    cr_expect_eq(dialect_statement(PART_LOG_POSITION, false, 80400), SQL_LOG_POSITION_NEW);
    cr_expect_eq(dialect_statement(PART_REPLICA_LIST, false, 80400), SQL_REPLICA_LIST_NEW);
    cr_expect_eq(dialect_statement(PART_DUMP_THREADS, false, 80021), SQL_DUMP_THREADS);
    cr_expect_eq(dialect_statement(PART_DUMP_THREADS, false, 80022), SQL_DUMP_THREADS_NEW);
    cr_expect_eq(dialect_statement(PART_CREDENTIALS, true, 101100), NO_STATEMENT);
    cr_expect_eq(dialect_statement(PART_GROUP, false, 50744), NO_STATEMENT);
    cr_expect_eq(dialect_statement(PART_GROUP, false, 80400), SQL_GROUP_MEMBERS);
}

Test(probe_fold, every_reading_has_a_statement_for_every_version_that_has_it)
{
    static const unsigned versions[] = { 50700, 80000, 80100, 80400, 90100 };
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        for (enum probe_part part = 0; part < PART_GROUP; part++)
            cr_expect_neq(dialect_statement(part, false, versions[i]), NO_STATEMENT, "%s of %u", part_word(part), versions[i]);
    }
    unsigned readings = 0;
    for (enum probe_part part = 0; part < PART_COUNT; part++)
        readings |= part_readings(part);
    cr_expect_eq(readings, READING_BIT(READING_COUNT) - 1);
}

Test(probe_fold, the_names_of_variables_fit_and_are_names)
{
    char names[VARIABLE_NAMES_SIZE], sql[8000];
    struct sql_values values = { 0 };
    variables_names(UINT64_MAX, names);
    const char *last = variable_name(variables_count() - 1);
    cr_expect_str_eq(names + strlen(names) - strlen(last), last);
    sql_values_names(&values, 'v', names);
    cr_expect_gt(sql_fill(SQL_VARIABLES_READ, &values, sql, sizeof sql), 0);
    cr_expect_eq(strncmp(sql, "select @@global.version as version, @@global.", 45), 0, "%s", sql);
}

Test(probe_fold, what_is_no_name_is_not_sent)
{
    static const char *const names[] = { "", " ", "a ", "a  b", "a,b", "a;drop", "a'" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char sql[200];
        struct sql_values values = { 0 };
        sql_values_names(&values, 'v', names[i]);
        cr_expect_eq(sql_fill(SQL_VARIABLES_READ, &values, sql, sizeof sql), 0, "'%s'", names[i]);
    }
}

/* --- what is understood ------------------------------------------------------------------------------------------- */

Test(probe_fold, mysql_84_with_its_new_names_is_understood)
{
    struct scene *s = scene_open("db1");
    answer(s, PART_VARIABLES, MYSQL_84 "rpl_semi_sync_source_enabled|ON\nrpl_semi_sync_source_wait_for_replica_count|2\n"
                              "rpl_semi_sync_source_timeout|10000\nrpl_semi_sync_replica_enabled|OFF\n");
    answer(s, PART_STATUS, "Variable_name|Value\nRpl_semi_sync_source_clients|1\nRpl_semi_sync_source_status|ON\nUptime|77\n");
    answer(s, PART_LOG_POSITION, "File|Position|Binlog_Do_DB|Binlog_Ignore_DB|Executed_Gtid_Set\nbinlog.000003|157|||\n");
    answer(s, PART_REPLICATION,
           "Replica_IO_State|Source_Host|Source_User|Source_Port|Source_Log_File|Read_Source_Log_Pos|Relay_Source_Log_File|"
           "Replica_IO_Running|Replica_SQL_Running|Exec_Source_Log_Pos|Source_SSL_Allowed|Seconds_Behind_Source|Source_UUID|"
           "Retrieved_Gtid_Set|Auto_Position|Channel_Name|Source_TLS_Version|Get_Source_public_key|SQL_Delay|SQL_Remaining_Delay\n"
           "Connecting to source|db9|repl|3306|binlog.000009|4|binlog.000008|Connecting|Yes|99|Yes|-|u9|set|1|east|TLSv1.3|1|0|-\n"
           "Waiting|db8|repl|3307|binlog.000001|5|binlog.000001|Yes|Yes|5|No|3|u8||0||||60|12\n");
    const struct instance_seen *seen = fold(s);
    cr_expect_eq(seen->flavour, FLAVOUR_MYSQL);
    cr_expect_eq(seen->version, 80403);
    cr_expect(seen->is_super_read_only && seen->relogs && seen->is_durable && seen->gtid.is_enforced);
    cr_expect_str_eq(seen->report_host, "");
    cr_expect_eq(seen->semi_sync.wait_count, 2);
    cr_expect_eq(seen->semi_sync.clients, 1);
    cr_expect(seen->semi_sync.has_new_master_names && seen->semi_sync.has_new_replica_names && seen->semi_sync.is_master_active);
    cr_expect_eq(seen->uptime_s, 77);
    cr_expect_str_eq(seen->written.file, "binlog.000003");
    cr_assert_eq(seen->channel_count, 2);
    cr_expect_str_eq(seen->channels[0].master.host, "db8");      /* the default one first */
    cr_expect_eq(seen->channels[0].gtid_use, GTID_UNUSED);
    cr_expect_eq(seen->channels[0].delay_left_s, 12);
    cr_expect_eq(seen->channels[1].gtid_use, GTID_AUTO_POSITION);
    cr_expect_eq(seen->channels[1].io, THREAD_CONNECTING);
    cr_expect_eq(seen->channels[1].lag_s, -1);
    cr_expect_eq(seen->channels[1].applied.offset, 99);
    cr_expect(seen->channels[1].tls.is_allowed && seen->channels[1].tls.gets_public_key);
    cr_expect_str_eq(seen->channels[1].tls.versions, "TLSv1.3");
    scene_close(s);
}

Test(probe_fold, percona_and_maxscale_are_told_apart)
{
    struct scene *s = scene_open("db1");
    answer(s, PART_VARIABLES, "version|version_comment\n5.7.44-48-log|Percona Server (GPL), Release 48\n");
    cr_expect_eq(fold(s)->flavour, FLAVOUR_PERCONA);
    cr_expect_eq(s->seen.version, 50744);
    scene_close(s);
    s = scene_open("db1");
    answer(s, PART_VARIABLES, "version\n10.5.3 22.08.1-maxscale\n");
    cr_expect_eq(fold(s)->flavour, FLAVOUR_MAXSCALE);
    scene_close(s);
}

Test(probe_fold, a_server_without_a_version_is_none)
{
    struct scene *s = scene_open("db1");
    answer(s, PART_VARIABLES, "Variable_name|Value\nserver_id|7\n");
    cr_expect_not(mysql_probe_fold(&s->rows, &s->sets, &s->scratch, &s->seen));
    scene_close(s);
}

Test(probe_fold, a_group_is_told_by_its_members)
{
    struct scene *s = scene_open("db1");
    answer(s, PART_VARIABLES, MYSQL_84 "group_replication_group_name|grp\ngroup_replication_single_primary_mode|ON\n");
    answer(s, PART_GROUP, "member_id|member_host|member_port|member_state|member_role\n"
                          "3e11fa47-71ca-11e1-9e33-c80aa9429562|db1|3306|ONLINE|SECONDARY\nother|db2|3306|ONLINE|PRIMARY\n"
                          "third|db3|3306|OFFLINE|\n");
    const struct instance_seen *seen = fold(s);
    cr_expect_eq(seen->member_count, 2);
    cr_expect_str_eq(seen->group_name, "grp");
    cr_expect_str_eq(seen->group_role, "SECONDARY");
    cr_expect(seen->is_single_primary);
    scene_close(s);
}

Test(probe_fold, replicas_that_report_no_host_are_completed_when_all_threads_come_from_one)
{
    struct scene *s = scene_open("db1");
    answer(s, PART_VARIABLES, MYSQL_84);
    answer(s, PART_REPLICA_LIST, "Server_Id|Host|Port|Source_Id|Replica_UUID\n8||3307|7|u8\n9||3308|7|u9\n7|db1|3306|7|own\n");
    answer(s, PART_DUMP_THREADS, "user|host\nrepl|db2:41000\nrepl|db2:41001\n");
    cr_expect(mysql_probe_lacks_hosts(&s->rows, s->sets.of[PART_REPLICA_LIST]));
    const struct instance_seen *seen = fold(s);
    cr_assert_eq(seen->replica_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        cr_expect_str_eq(seen->replicas[i].key.host, "db2");
        cr_expect_eq(seen->replicas[i].how, LISTED_REGISTERED | LISTED_THREAD);
    }
    scene_close(s);
}

Test(probe_fold, replicas_that_report_no_host_stay_without_when_threads_come_from_two)
{
    struct scene *s = scene_open("db1");
    answer(s, PART_VARIABLES, MYSQL_84);
    answer(s, PART_REPLICA_LIST, "Server_Id|Host|Port|Source_Id|Replica_UUID\n8||3307|7|u8\n9||3308|7|u9\n");
    answer(s, PART_DUMP_THREADS, "user|host\nrepl|db2:41000\nrepl|db3:41001\n");
    const struct instance_seen *seen = fold(s);
    cr_assert_eq(seen->replica_count, 4);
    cr_expect_str_eq(seen->replicas[0].key.host, "");
    cr_expect_eq(seen->replicas[0].key.port, 3307);
    cr_expect_str_eq(seen->replicas[3].key.host, "db3");
    cr_expect_eq(seen->replicas[3].key.port, 0);
    scene_close(s);
}
