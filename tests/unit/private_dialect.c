/* MariaDB's words and MySQL's (8.4 and later: the old ones are gone there), longer ones before what they begin with. */
#include "private_dialect.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const struct { const char *mariadb, *mysql; } words[] = {
    { "show all slaves status", "show replica status" },
    { "show slave status", "show replica status" },
    { "show slave hosts", "show replicas" },
    { "show master status", "show binary log status" },
    { "stop all slaves", "stop replica" },
    { "stop slave", "stop replica" },
    { "start slave", "start replica" },
    { "reset slave", "reset replica" },
    { "read_only admin, connection admin, process, binlog monitor, slave monitor",
      "system_variables_admin, connection_admin, system_user, replication slave, replication client, process" },
    { "read_only admin, slave monitor", "system_variables_admin, replication client" },
    { "replication master admin, slave monitor, binlog monitor, process", "replication client, replication slave, process" },
    { "binlog monitor, slave monitor", "replication client" },
    { "slave monitor, process", "replication client, process" },
    { "master_use_gtid = slave_pos", "source_auto_position = 1" },
    { "master_use_gtid = current_pos", "source_auto_position = 1" },
    { "master_use_gtid = no", "source_auto_position = 0" },
    { "master_log_file =", "source_log_file =" },
    { "master_log_pos =", "source_log_pos =" },
    { "master_delay =", "source_delay =" },
    { "rpl_semi_sync_master_wait_no_slave", "rpl_semi_sync_source_wait_no_replica" },
    { "rpl_semi_sync_master", "rpl_semi_sync_source" },
    { "rpl_semi_sync_slave", "rpl_semi_sync_replica" },
    /* columns of SHOW REPLICA STATUS */
    { "Connection_name", "Channel_Name" },
    { "Relay_Master_Log_File", "Relay_Source_Log_File" },
    { "Exec_Master_Log_Pos", "Exec_Source_Log_Pos" },
    { "Read_Master_Log_Pos", "Read_Source_Log_Pos" },
    { "Seconds_Behind_Master", "Seconds_Behind_Source" },
    { "Slave_IO_", "Replica_IO_" },
    { "Slave_SQL_", "Replica_SQL_" },
    { "Master_Host", "Source_Host" },
    { "Master_Port", "Source_Port" },
    { "Master_User", "Source_User" },
    { "Master_Log_File", "Source_Log_File" },
    { "Master_Server_Id", "Source_Server_Id" },
    { "Master_SSL_", "Source_SSL_" },
};
#define WORDS (sizeof words / sizeof words[0])

bool server_is_mysql(void)
{
    const char *family = getenv("FC_SERVER_FAMILY");
    return family != NULL && text_is(family, "mysql");
}

/* Where a statement of the fleet's own tables has such a word as the name of a column, it stays. */
static bool is_of_the_server(const char *statement)
{
    static const char *const own[] = { "insert", "replace", "update", "delete", "alter", "create table" };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strncasecmp(statement, own[i], strlen(own[i])) == 0)
            return false;
    }
    return strcasestr(statement, "database_instance") == NULL;
}

char *dialect_of(const char *from)
{
    const size_t size = strlen(from) * 2 + 64;      /* the longest change is shorter than twice */
    char *to = malloc(size);
    size_t length = 0;
    cr_assert_not_null(to);
    text_copy(to, size, from);
    if (!server_is_mysql() || !is_of_the_server(from))
        return to;
    while (*from != '\0') {
        size_t i = 0;
        while (i < WORDS && strncasecmp(from, words[i].mariadb, strlen(words[i].mariadb)) != 0)
            i++;
        text_copy_bytes(to + length, size - length, i < WORDS ? words[i].mysql : from, i < WORDS ? strlen(words[i].mysql) : 1);
        length += i < WORDS ? strlen(words[i].mysql) : 1;
        from += i < WORDS ? strlen(words[i].mariadb) : 1;
    }
    to[length] = '\0';
    return to;
}

void dialect_replicate(char *to, size_t size, int port, const char *channel, const char *with)
{
    const char *comma = with[0] == '\0' ? "" : ", ";
    if (!server_is_mysql()) {
        text_format(to, size, "change master '%s' to master_host = '127.0.0.1', master_port = %d, master_user = 'repl', master_password = 'r', "
                              "master_connect_retry = 1, master_heartbeat_period = 1%s%s; start slave '%s'", channel, port, comma, with, channel);
        return;
    }
    /* The key that the password is sent under, on a line without TLS, is asked for; and ten attempts, the preset, are soon over. */
    char *said = dialect_of(with);
    text_format(to, size, "change replication source to source_host = '127.0.0.1', source_port = %d, source_user = 'repl', "
                          "source_password = 'r', source_connect_retry = 1, source_heartbeat_period = 1, source_retry_count = 0, get_source_public_key = 1%s%s "
                          "for channel '%s'; start replica for channel '%s'", port, comma, said, channel, channel);
    free(said);
}
