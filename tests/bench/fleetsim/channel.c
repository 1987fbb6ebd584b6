#include "channel.h"

#include <stdio.h>
#include <string.h>

#define TEXT(name, size) { "", "", "", name, "", 45, size, 253, 1, 39 }
#define INT(name, size) { "", "", "", name, "", 63, size, 3, 161, 0 }
#define BIG(name, size) { "", "", "", name, "", 63, size, 8, 161, 0 }
#define FRACTION(name, size) { "", "", "", name, "", 63, size, 5, 129, 3 }

enum what {
    FIXED = 0, SQL_STATE, SQL_STATE_NOW, IO_STATE, MASTER_HOST, MASTER_PORT, MASTER_ID, FETCHED, APPLIED, RELAY, RELAY_SPACE, IO_RUNNING,
    SQL_RUNNING, LAG, IO_NUMBER, IO_TEXT, SQL_NUMBER, SQL_TEXT, GTID_FETCHED, GTID_APPLIED, TRANSACTIONS, EVENTS, NOTHING,
};

static const struct { struct column column; const char *text; enum what what; } cells[] = {
    { TEXT("Connection_name", 768), "", FIXED }, { TEXT("Slave_SQL_State", 120), NULL, SQL_STATE },
    { TEXT("Slave_IO_State", 120), NULL, IO_STATE }, { TEXT("Master_Host", 3064), NULL, MASTER_HOST },
    { TEXT("Master_User", 1540), "repl", FIXED }, { INT("Master_Port", 7), NULL, MASTER_PORT }, { INT("Connect_Retry", 10), "1", FIXED },
    { TEXT("Master_Log_File", 2048), "bin.000001", FIXED }, { BIG("Read_Master_Log_Pos", 10), NULL, FETCHED },
    { TEXT("Relay_Log_File", 2048), "relay.000002", FIXED }, { BIG("Relay_Log_Pos", 10), NULL, RELAY },
    { TEXT("Relay_Master_Log_File", 2048), "bin.000001", FIXED }, { TEXT("Slave_IO_Running", 12), NULL, IO_RUNNING },
    { TEXT("Slave_SQL_Running", 12), NULL, SQL_RUNNING }, { TEXT("Replicate_Do_DB", 80), "", FIXED },
    { TEXT("Replicate_Ignore_DB", 80), "", FIXED }, { TEXT("Replicate_Do_Table", 80), "", FIXED },
    { TEXT("Replicate_Ignore_Table", 92), "", FIXED }, { TEXT("Replicate_Wild_Do_Table", 96), "", FIXED },
    { TEXT("Replicate_Wild_Ignore_Table", 112), "", FIXED }, { INT("Last_Errno", 4), NULL, SQL_NUMBER },
    { TEXT("Last_Error", 80), NULL, SQL_TEXT }, { INT("Skip_Counter", 10), "0", FIXED }, { BIG("Exec_Master_Log_Pos", 10), NULL, APPLIED },
    { BIG("Relay_Log_Space", 10), NULL, RELAY_SPACE }, { TEXT("Until_Condition", 24), "None", FIXED },
    { TEXT("Until_Log_File", 2048), "", FIXED }, { BIG("Until_Log_Pos", 10), "0", FIXED }, { TEXT("Master_SSL_Allowed", 28), "No", FIXED },
    { TEXT("Master_SSL_CA_File", 2048), "", FIXED }, { TEXT("Master_SSL_CA_Path", 2048), "", FIXED },
    { TEXT("Master_SSL_Cert", 2048), "", FIXED }, { TEXT("Master_SSL_Cipher", 2048), "", FIXED }, { TEXT("Master_SSL_Key", 2048), "", FIXED },
    { BIG("Seconds_Behind_Master", 10), NULL, LAG }, { TEXT("Master_SSL_Verify_Server_Cert", 12), "No", FIXED },
    { INT("Last_IO_Errno", 4), NULL, IO_NUMBER }, { TEXT("Last_IO_Error", 80), NULL, IO_TEXT }, { INT("Last_SQL_Errno", 4), NULL, SQL_NUMBER },
    { TEXT("Last_SQL_Error", 80), NULL, SQL_TEXT }, { TEXT("Replicate_Ignore_Server_Ids", 2048), "", FIXED },
    { INT("Master_Server_Id", 8), NULL, MASTER_ID }, { TEXT("Master_SSL_Crl", 2048), "", FIXED }, { TEXT("Master_SSL_Crlpath", 2048), "", FIXED },
    { TEXT("Using_Gtid", 44), "Slave_Pos", FIXED }, { TEXT("Gtid_IO_Pos", 120), NULL, GTID_FETCHED },
    { TEXT("Replicate_Do_Domain_Ids", 2048), "", FIXED }, { TEXT("Replicate_Ignore_Domain_Ids", 2048), "", FIXED },
    { TEXT("Parallel_Mode", 48), "optimistic", FIXED }, { INT("SQL_Delay", 10), "0", FIXED }, { INT("SQL_Remaining_Delay", 8), NULL, NOTHING },
    { TEXT("Slave_SQL_Running_State", 80), NULL, SQL_STATE_NOW }, { BIG("Slave_DDL_Groups", 20), "0", FIXED },
    { BIG("Slave_Non_Transactional_Groups", 20), "0", FIXED }, { BIG("Slave_Transactional_Groups", 20), NULL, TRANSACTIONS },
    { TEXT("Replicate_Rewrite_DB", 92), "", FIXED }, { INT("Retried_transactions", 10), "0", FIXED },
    { BIG("Max_relay_log_size", 10), "1073741824", FIXED }, { INT("Executed_log_entries", 10), NULL, EVENTS },
    { INT("Slave_received_heartbeats", 10), "1", FIXED }, { FRACTION("Slave_heartbeat_period", 10), "1.000", FIXED },
    { TEXT("Gtid_Slave_Pos", 20), NULL, GTID_APPLIED },
};
#define CELLS ((int)(sizeof cells / sizeof cells[0]))

struct seen {
    const struct fleet *fleet;
    const struct server *server, *master;
    bool is_fetching, is_seeking, is_applying;
    uint64_t fetched, applied;
};

static const char *sql_state(const struct seen *s)
{
    if (!s->is_applying)
        return "";
    return s->fetched > s->applied ? "Reading event from the relay log" : "Slave has read all relay log; waiting for more updates";
}

static const char *io_state(const struct seen *s)
{
    return s->is_fetching ? "Waiting for master to send event" : s->is_seeking ? "Reconnecting after a failed master event read" : "";
}

static void put_io_error(const struct seen *s, struct packets *to)
{
    char text[300] = "";
    if (s->is_seeking)
        snprintf(text, sizeof text, "error reconnecting to master 'repl@%s:%u' - retry-time: 1  maximum-retries: 100000  message: "
                 "Can't connect to server on '%s' (111 \"Connection refused\")", s->master->host, s->fleet->port, s->master->host);
    put_word(to, text);
}

static void put_sql_error(const struct seen *s, struct packets *to)
{
    char text[300] = "";
    if (s->server->is_broken)
        snprintf(text, sizeof text, "Error 'Duplicate entry '1' for key 'PRIMARY'' on query. Default database: 'app'. "
                 "Query: 'insert into app.t values (1)'");
    put_word(to, text);
}

static void put_lag(const struct seen *s, struct packets *to)
{
    if (!s->is_fetching || !s->is_applying)
        put_row_null(to);
    else
        put_row_number(to, (uint64_t)s->server->lag_ms / 1000);
}

static void put_gtid(const struct seen *s, uint64_t transactions, struct packets *to)
{
    char text[GTID_TEXT];
    fleet_gtid(s->server, transactions, text);
    put_word(to, text);
}

static void put_cell(const struct seen *s, enum what what, struct packets *to)
{
    switch (what) {
    case FIXED:
    case NOTHING:
        put_row_null(to);
        return;
    case SQL_STATE:
    case SQL_STATE_NOW:
        put_word(to, sql_state(s));
        return;
    case IO_STATE:
        put_word(to, io_state(s));
        return;
    case MASTER_HOST:
        put_word(to, s->master->host);
        return;
    case MASTER_PORT:
        put_row_number(to, s->fleet->port);
        return;
    case MASTER_ID:
        put_row_number(to, s->master->server_id);
        return;
    case FETCHED:
    case RELAY:
    case RELAY_SPACE:
        put_row_number(to, fleet_offset(s->fetched));
        return;
    case APPLIED:
        put_row_number(to, fleet_offset(s->applied));
        return;
    case IO_RUNNING:
        put_word(to, s->is_fetching ? "Yes" : s->is_seeking ? "Connecting" : "No");
        return;
    case SQL_RUNNING:
        put_word(to, s->is_applying ? "Yes" : "No");
        return;
    case LAG:
        put_lag(s, to);
        return;
    case IO_NUMBER:
        put_row_number(to, s->is_seeking ? 2003 : 0);
        return;
    case IO_TEXT:
        put_io_error(s, to);
        return;
    case SQL_NUMBER:
        put_row_number(to, s->server->is_broken ? 1062 : 0);
        return;
    case SQL_TEXT:
        put_sql_error(s, to);
        return;
    case GTID_FETCHED:
        put_gtid(s, s->fetched, to);
        return;
    case GTID_APPLIED:
        put_gtid(s, s->applied, to);
        return;
    case TRANSACTIONS:
    case EVENTS:
        put_row_number(to, s->applied);
        return;
    }
}

void channel_answer(const struct fleet *fleet, const struct server *server, int64_t now_ms, struct packets *to)
{
    struct seen s = { .fleet = fleet, .server = server, .master = fleet_master(fleet, server), .is_fetching = fleet_is_fetching(fleet, server),
                      .is_applying = server->applies && !server->is_broken, .fetched = fleet_fetched(fleet, server, now_ms),
                      .applied = fleet_applied(fleet, server, now_ms) };
    s.is_seeking = server->fetches && !s.is_fetching;
    put_column_count(to, CELLS);
    for (int i = 0; i < CELLS; i++)
        put_column(to, &cells[i].column);
    put_end(to);
    if (s.master == NULL)
        return;
    packet_begin(to);
    for (int i = 0; i < CELLS; i++) {
        if (cells[i].text != NULL)
            put_word(to, cells[i].text);
        else
            put_cell(&s, cells[i].what, to);
    }
    packet_end(to);
}
