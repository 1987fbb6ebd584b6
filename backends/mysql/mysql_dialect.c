/* The dialects, as built from the servers' manuals and, for MariaDB 10.11, from the server itself (docs/support.md). */
#include "backends/mysql/mysql_dialect.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

enum dialect { MARIADB = 1, MYSQL = 2, EITHER = MARIADB | MYSQL };      /* MYSQL: Percona's servers too */

static const struct {
    enum probe_part part;
    enum dialect dialect;
    unsigned from, below;            /* versions as numbers; 0: no bound */
    enum sql_name statement;
} dialects[] = {
    { PART_VARIABLES,    EITHER,  0,     0,     SQL_VARIABLES_READ },
    { PART_STATUS,       EITHER,  0,     0,     SQL_STATUS_READ },
    { PART_REPLICATION,  MARIADB, 0,     0,     SQL_REPLICA_STATUS_ALL },      /* the plain one hides named connections */
    { PART_REPLICATION,  MYSQL,   0,     80022, SQL_REPLICA_STATUS_OLD },
    { PART_REPLICATION,  MYSQL,   80022, 0,     SQL_REPLICA_STATUS_NEW },
    { PART_LOG_POSITION, MARIADB, 0,     0,     SQL_LOG_POSITION },
    { PART_LOG_POSITION, MYSQL,   0,     80200, SQL_LOG_POSITION },
    { PART_LOG_POSITION, MYSQL,   80200, 0,     SQL_LOG_POSITION_NEW },
    { PART_REPLICA_LIST, MARIADB, 0,     0,     SQL_REPLICA_LIST },
    { PART_REPLICA_LIST, MYSQL,   0,     80022, SQL_REPLICA_LIST },
    { PART_REPLICA_LIST, MYSQL,   80022, 0,     SQL_REPLICA_LIST_NEW },
    { PART_DUMP_THREADS, MARIADB, 0,     0,     SQL_DUMP_THREADS },
    { PART_DUMP_THREADS, MYSQL,   0,     80022, SQL_DUMP_THREADS },
    { PART_DUMP_THREADS, MYSQL,   80022, 0,     SQL_DUMP_THREADS_NEW },
    { PART_CREDENTIALS,  MYSQL,   50600, 0,     SQL_REPLICATION_ACCOUNT },
    { PART_GROUP,        MYSQL,   80002, 0,     SQL_GROUP_MEMBERS },           /* member_role since then */
};

static const struct { const char *word; unsigned readings; const char *needs; } parts[PART_COUNT] = {
    [PART_VARIABLES]    = { "variables",    READING_BIT(READING_SETTINGS), NULL },
    [PART_STATUS]       = { "status",       READING_BIT(READING_UPTIME) | READING_BIT(READING_SEMI_SYNC), NULL },
    [PART_REPLICATION]  = { "replication",  READING_BIT(READING_REPLICATION), NULL },
    [PART_LOG_POSITION] = { "log-position", READING_BIT(READING_LOG_POSITION), NULL },
    [PART_REPLICA_LIST] = { "replica-list", READING_BIT(READING_REPLICA_LIST), NULL },
    [PART_DUMP_THREADS] = { "dump-threads", READING_BIT(READING_DUMP_THREADS), NULL },
    [PART_CREDENTIALS]  = { "credentials",  READING_BIT(READING_CREDENTIALS), NULL },
    [PART_GROUP]        = { "group",        READING_BIT(READING_GROUP), "group_replication_group_name" },
};

/* Every variable of PART_VARIABLES in any dialect; mysql_probe_fold.c says what it becomes. */
static const char *const variables[] = {
    "version", "version_comment", "hostname", "report_host", "report_port", "server_id", "server_uuid", "server_uid",
    "feedback_server_uid", "read_only", "super_read_only", "offline_mode", "log_bin", "log_slave_updates", "log_replica_updates",
    "binlog_format", "binlog_row_image", "sync_binlog", "innodb_flush_log_at_trx_commit",
    "gtid_mode", "gtid_executed", "gtid_purged", "enforce_gtid_consistency",
    "gtid_domain_id", "gtid_strict_mode", "gtid_slave_pos", "gtid_binlog_pos", "gtid_current_pos", "gtid_binlog_state",
    "rpl_semi_sync_master_enabled", "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_timeout", "rpl_semi_sync_source_timeout",
    "rpl_semi_sync_master_wait_for_slave_count", "rpl_semi_sync_source_wait_for_replica_count",
    "rpl_semi_sync_master_wait_no_slave", "rpl_semi_sync_source_wait_no_replica",
    "rpl_semi_sync_master_wait_point", "rpl_semi_sync_source_wait_point",
    "rpl_semi_sync_slave_enabled", "rpl_semi_sync_replica_enabled",
    "group_replication_group_name", "group_replication_single_primary_mode",
};
#define VARIABLES ((int)(sizeof variables / sizeof variables[0]))
_Static_assert(sizeof variables / sizeof variables[0] <= VARIABLES_MAX, "one bit a variable");

unsigned part_readings(enum probe_part part) { return parts[part].readings; }
const char *part_word(enum probe_part part) { return (unsigned)part < PART_COUNT ? parts[part].word : "nothing"; }
const char *dialect_needs(enum probe_part part) { return parts[part].needs; }

enum sql_name dialect_statement(enum probe_part part, bool is_mariadb, unsigned version)
{
    const enum dialect own = is_mariadb ? MARIADB : MYSQL;
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        if (dialects[i].part == part && (dialects[i].dialect & own) != 0 && version >= dialects[i].from &&
            (dialects[i].below == 0 || version < dialects[i].below))
            return dialects[i].statement;
    }
    return NO_STATEMENT;
}

int variables_count(void) { return VARIABLES; }

const char *variable_name(int variable)
{
    assert(variable >= 0 && variable < VARIABLES);
    return variables[variable];
}

void variables_names(uint64_t found, char to[VARIABLE_NAMES_SIZE])
{
    size_t length = 0;
    to[0] = '\0';
    for (int i = 0; i < VARIABLES; i++) {
        if ((found >> i & 1) == 0)
            continue;
        text_format(to + length, VARIABLE_NAMES_SIZE - length, length == 0 ? "%s" : " %s", variables[i]);
        length += strlen(to + length);
    }
}
