/* Rows to an observation. What a column becomes stands in tables; old and new spellings stand side by side, and each is
 * accepted from any server. Columns are searched from where the last one was found: the tables are in the servers' order. */
#include "backends/mysql/mysql_probe_fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum shape {
    AS_TEXT, AS_U16, AS_U32, AS_U64,
    AS_SECONDS,                      /* int64_t; NULL or no number: -1 */
    AS_COUNT,                        /* int64_t; NULL or no number: 0 */
    AS_FLAG,                         /* bool: ON, YES, 1 */
    AS_IO, AS_SQL,                   /* enum thread_state */
    AS_GTID_USE,                     /* MariaDB's Using_Gtid */
    AS_AUTO_POSITION,                /* Oracle's Auto_Position: GTID_AUTO_POSITION when 1 */
    AS_FILTER,                       /* bool: some text is there */
};

struct conversion { const char *name, *other; enum shape shape; size_t offset; };

static uint64_t number_of(const char *text, uint64_t most)
{
    uint64_t number = 0;
    if (text == NULL || !text_to_u64(text, strlen(text), &number))
        return 0;
    return number > most ? most : number;
}

static int64_t seconds_of(const char *text, int64_t otherwise)
{
    uint64_t number = 0;
    if (text == NULL || !text_to_u64(text, strlen(text), &number) || number > INT64_MAX)
        return otherwise;
    return (int64_t)number;
}

static bool is_on(const char *text)
{
    return text != NULL && (text_is_nocase(text, "ON") || text_is_nocase(text, "YES") || text_is(text, "1"));
}

static enum thread_state thread_of(const char *text, bool may_connect)
{
    if (text != NULL && text_is_nocase(text, "Yes"))
        return THREAD_RUNNING;
    if (text == NULL || text[0] == '\0' || text_is_nocase(text, "No"))
        return THREAD_STOPPED;
    return may_connect ? THREAD_CONNECTING : THREAD_STOPPED;      /* Connecting, Preparing */
}

static enum gtid_use gtid_use_of(const char *text)
{
    if (text_is_nocase(text, "Slave_Pos"))
        return GTID_SLAVE_POS;
    return text_is_nocase(text, "Current_Pos") ? GTID_CURRENT_POS : GTID_UNUSED;
}

#define PUT(type, value) (*(type *)place = (value))
static void convert(const struct conversion *c, const char *text, void *row)
{
    void *place = (char *)row + c->offset;
    switch (c->shape) {
    case AS_TEXT:
        PUT(const char *, text == NULL ? "" : text);
        return;
    case AS_U16:
        PUT(uint16_t, (uint16_t)number_of(text, UINT16_MAX));
        return;
    case AS_U32:
        PUT(uint32_t, (uint32_t)number_of(text, UINT32_MAX));
        return;
    case AS_U64:
        PUT(uint64_t, number_of(text, UINT64_MAX));
        return;
    case AS_SECONDS:
        PUT(int64_t, seconds_of(text, -1));
        return;
    case AS_COUNT:
        PUT(int64_t, seconds_of(text, 0));
        return;
    case AS_FLAG:
        PUT(bool, is_on(text));
        return;
    case AS_IO:
        PUT(enum thread_state, thread_of(text, true));
        return;
    case AS_SQL:
        PUT(enum thread_state, thread_of(text, false));
        return;
    case AS_GTID_USE:
        PUT(enum gtid_use, gtid_use_of(text));
        return;
    case AS_AUTO_POSITION:
        if (is_on(text))
            PUT(enum gtid_use, GTID_AUTO_POSITION);
        return;
    case AS_FILTER:
        PUT(bool, *(bool *)place || (text != NULL && text[0] != '\0'));
        return;
    }
}

/* --- columns ------------------------------------------------------------------------------------------------------ */

static int column_near(const struct mysql_rows *rows, int set, const char *name, int near)
{
    const int count = mysql_rows_columns(rows, set);
    for (int i = 0; i < count; i++) {
        const int column = (near + i) % count;
        if (text_is_nocase(mysql_rows_column_name(rows, set, column), name))
            return column;
    }
    return -1;
}

/* Fills one row by a table. `columns` remembers where each was found, for the rows behind it; -2 is not searched yet. */
static void convert_row(const struct mysql_rows *rows, int set, uint32_t row, const struct conversion *table, int count,
                        int *columns, void *to)
{
    int near = 0;
    for (int i = 0; i < count; i++) {
        if (columns[i] == -2)
            columns[i] = column_near(rows, set, table[i].name, near);
        if (columns[i] == -1 && table[i].other != NULL)
            columns[i] = column_near(rows, set, table[i].other, near);
        if (columns[i] < 0)
            continue;
        near = columns[i] + 1;
        convert(&table[i], mysql_rows_cell(rows, set, row, columns[i]), to);
    }
}

#define COLUMNS_OF(table) ((int)(sizeof table / sizeof table[0]))
static void forget_columns(int *columns, int count)
{
    for (int i = 0; i < count; i++)
        columns[i] = -2;
}

/* --- replication -------------------------------------------------------------------------------------------------- */

#define CHANNEL(field) offsetof(struct channel_seen, field)

/* A shape that is not there leaves the field as it began. Gtid_IO_Pos and Retrieved_Gtid_Set never stand together. */
static const struct conversion channel_table[] = {
    { "Connection_name", "Channel_Name", AS_TEXT, CHANNEL(name) },
    { "Slave_IO_State", "Replica_IO_State", AS_TEXT, CHANNEL(io_state) },
    { "Master_Host", "Source_Host", AS_TEXT, CHANNEL(master.host) },
    { "Master_User", "Source_User", AS_TEXT, CHANNEL(user) },
    { "Master_Port", "Source_Port", AS_U16, CHANNEL(master.port) },
    { "Connect_Retry", NULL, AS_COUNT, CHANNEL(connect_retry_s) },
    { "Master_Log_File", "Source_Log_File", AS_TEXT, CHANNEL(read.file) },
    { "Read_Master_Log_Pos", "Read_Source_Log_Pos", AS_U64, CHANNEL(read.offset) },
    { "Relay_Log_File", NULL, AS_TEXT, CHANNEL(relay.file) },
    { "Relay_Log_Pos", NULL, AS_U64, CHANNEL(relay.offset) },
    { "Relay_Master_Log_File", "Relay_Source_Log_File", AS_TEXT, CHANNEL(applied.file) },
    { "Slave_IO_Running", "Replica_IO_Running", AS_IO, CHANNEL(io) },
    { "Slave_SQL_Running", "Replica_SQL_Running", AS_SQL, CHANNEL(sql) },
    { "Replicate_Do_DB", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Replicate_Ignore_DB", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Replicate_Do_Table", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Replicate_Ignore_Table", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Replicate_Wild_Do_Table", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Replicate_Wild_Ignore_Table", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Exec_Master_Log_Pos", "Exec_Source_Log_Pos", AS_U64, CHANNEL(applied.offset) },
    { "Master_SSL_Allowed", "Source_SSL_Allowed", AS_FLAG, CHANNEL(tls.is_allowed) },
    { "Master_SSL_CA_File", "Source_SSL_CA_File", AS_TEXT, CHANNEL(tls.ca_file) },
    { "Master_SSL_CA_Path", "Source_SSL_CA_Path", AS_TEXT, CHANNEL(tls.ca_path) },
    { "Master_SSL_Cert", "Source_SSL_Cert", AS_TEXT, CHANNEL(tls.certificate) },
    { "Master_SSL_Cipher", "Source_SSL_Cipher", AS_TEXT, CHANNEL(tls.cipher) },
    { "Master_SSL_Key", "Source_SSL_Key", AS_TEXT, CHANNEL(tls.key) },
    { "Seconds_Behind_Master", "Seconds_Behind_Source", AS_SECONDS, CHANNEL(lag_s) },
    { "Master_SSL_Verify_Server_Cert", "Source_SSL_Verify_Server_Cert", AS_FLAG, CHANNEL(tls.verifies_server) },
    { "Last_IO_Errno", NULL, AS_U32, CHANNEL(io_error_number) },
    { "Last_IO_Error", NULL, AS_TEXT, CHANNEL(io_error) },
    { "Last_SQL_Errno", NULL, AS_U32, CHANNEL(sql_error_number) },
    { "Last_SQL_Error", NULL, AS_TEXT, CHANNEL(sql_error) },
    { "Master_Server_Id", "Source_Server_Id", AS_U32, CHANNEL(master_server_id) },
    { "Master_UUID", "Source_UUID", AS_TEXT, CHANNEL(master_uuid) },
    { "Master_SSL_Crl", "Source_SSL_Crl", AS_TEXT, CHANNEL(tls.crl) },
    { "Master_SSL_Crlpath", "Source_SSL_Crlpath", AS_TEXT, CHANNEL(tls.crl_path) },
    { "Using_Gtid", NULL, AS_GTID_USE, CHANNEL(gtid_use) },
    { "Gtid_IO_Pos", "Retrieved_Gtid_Set", AS_TEXT, CHANNEL(gtid_received) },
    { "Auto_Position", NULL, AS_AUTO_POSITION, CHANNEL(gtid_use) },
    { "Replicate_Do_Domain_Ids", NULL, AS_TEXT, CHANNEL(do_domains) },
    { "Replicate_Do_Domain_Ids", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Replicate_Ignore_Domain_Ids", NULL, AS_TEXT, CHANNEL(ignore_domains) },
    { "Replicate_Ignore_Domain_Ids", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Parallel_Mode", NULL, AS_TEXT, CHANNEL(parallel_mode) },
    { "SQL_Delay", NULL, AS_COUNT, CHANNEL(delay_s) },
    { "SQL_Remaining_Delay", NULL, AS_SECONDS, CHANNEL(delay_left_s) },
    { "Slave_SQL_Running_State", "Replica_SQL_Running_State", AS_TEXT, CHANNEL(sql_state) },
    { "Replicate_Rewrite_DB", NULL, AS_FILTER, CHANNEL(has_filters) },
    { "Master_TLS_Version", "Source_TLS_Version", AS_TEXT, CHANNEL(tls.versions) },
    { "Master_public_key_path", "Source_public_key_path", AS_TEXT, CHANNEL(tls.public_key_path) },
    { "Get_master_public_key", "Get_Source_public_key", AS_FLAG, CHANNEL(tls.gets_public_key) },
    { "tls_ciphersuites", "Source_TLS_Ciphersuites", AS_TEXT, CHANNEL(tls.cipher_suites) },
};

static void fold_channels(const struct mysql_rows *rows, int set, struct probe_scratch *scratch, struct instance_seen *seen)
{
    const uint32_t count = mysql_rows_count(rows, set);
    const uint32_t kept = count < INSTANCE_CHANNELS_MAX ? count : INSTANCE_CHANNELS_MAX;
    int columns[COLUMNS_OF(channel_table)];

    forget_columns(columns, COLUMNS_OF(channel_table));
    seen->channels = scratch->channels;
    seen->channel_count = kept;
    for (uint32_t row = 0; row < kept; row++) {
        scratch->channels[row] = (struct channel_seen){ .lag_s = -1, .delay_left_s = -1 };
        convert_row(rows, set, row, channel_table, COLUMNS_OF(channel_table), columns, &scratch->channels[row]);
        if (scratch->channels[row].name == NULL || scratch->channels[row].name[0] == '\0') {
            const struct channel_seen ours = scratch->channels[row];      /* the default one first */
            memmove(&scratch->channels[1], &scratch->channels[0], row * sizeof ours);
            scratch->channels[0] = ours;
        }
    }
}

/* --- variables ---------------------------------------------------------------------------------------------------- */

#define SEEN(field) offsetof(struct instance_seen, field)
#define SEMI(field) offsetof(struct instance_seen, semi_sync.field)

static const struct conversion variable_table[] = {
    { "version", NULL, AS_TEXT, SEEN(version_text) },
    { "version_comment", NULL, AS_TEXT, SEEN(version_comment) },
    { "hostname", NULL, AS_TEXT, SEEN(host_name) },
    { "report_host", NULL, AS_TEXT, SEEN(report_host) },
    { "report_port", NULL, AS_U16, SEEN(report_port) },
    { "server_id", NULL, AS_U32, SEEN(server_id) },
    { "server_uuid", "server_uid", AS_TEXT, SEEN(server_uuid) },
    { "read_only", NULL, AS_FLAG, SEEN(is_read_only) },
    { "super_read_only", NULL, AS_FLAG, SEEN(is_super_read_only) },
    { "offline_mode", NULL, AS_FLAG, SEEN(is_offline) },
    { "log_bin", NULL, AS_FLAG, SEEN(has_log) },
    { "log_slave_updates", "log_replica_updates", AS_FLAG, SEEN(relogs) },
    { "binlog_format", NULL, AS_TEXT, SEEN(binlog_format) },
    { "binlog_row_image", NULL, AS_TEXT, SEEN(binlog_row_image) },
    { "gtid_mode", NULL, AS_TEXT, SEEN(gtid.mode) },
    { "gtid_executed", NULL, AS_TEXT, SEEN(gtid.executed) },
    { "gtid_purged", NULL, AS_TEXT, SEEN(gtid.purged) },
    { "enforce_gtid_consistency", NULL, AS_FLAG, SEEN(gtid.is_enforced) },
    { "gtid_domain_id", NULL, AS_U32, SEEN(gtid.domain) },
    { "gtid_strict_mode", NULL, AS_FLAG, SEEN(gtid.is_strict) },
    { "gtid_slave_pos", NULL, AS_TEXT, SEEN(gtid.slave_position) },
    { "gtid_binlog_pos", NULL, AS_TEXT, SEEN(gtid.binlog_position) },
    { "gtid_current_pos", NULL, AS_TEXT, SEEN(gtid.current_position) },
    { "gtid_binlog_state", NULL, AS_TEXT, SEEN(gtid.binlog_state) },
    { "rpl_semi_sync_master_enabled", "rpl_semi_sync_source_enabled", AS_FLAG, SEMI(is_master_enabled) },
    { "rpl_semi_sync_master_timeout", "rpl_semi_sync_source_timeout", AS_U64, SEMI(timeout_ms) },
    { "rpl_semi_sync_master_wait_for_slave_count", "rpl_semi_sync_source_wait_for_replica_count", AS_U32, SEMI(wait_count) },
    { "rpl_semi_sync_master_wait_no_slave", "rpl_semi_sync_source_wait_no_replica", AS_FLAG, SEMI(waits_without_replicas) },
    { "rpl_semi_sync_master_wait_point", "rpl_semi_sync_source_wait_point", AS_TEXT, SEMI(wait_point) },
    { "rpl_semi_sync_slave_enabled", "rpl_semi_sync_replica_enabled", AS_FLAG, SEMI(is_replica_enabled) },
    { "group_replication_single_primary_mode", NULL, AS_FLAG, SEEN(is_single_primary) },
};
static const struct conversion status_table[] = {
    { "Uptime", NULL, AS_U64, SEEN(uptime_s) },
    { "Rpl_semi_sync_master_status", "Rpl_semi_sync_source_status", AS_FLAG, SEMI(is_master_active) },
    { "Rpl_semi_sync_master_clients", "Rpl_semi_sync_source_clients", AS_U32, SEMI(clients) },
    { "Rpl_semi_sync_slave_status", "Rpl_semi_sync_replica_status", AS_FLAG, SEMI(is_replica_active) },
};

/* SHOW ... VARIABLES or STATUS: rows of name and value. Else SELECT: one row, a column each. */
static bool is_of_names(const struct mysql_rows *rows, int set)
{
    return text_is_nocase(mysql_rows_column_name(rows, set, 0), "Variable_name");
}

/* `at`: where to begin searching, and where it was found. False: it is not there. */
static bool find_variable(const struct mysql_rows *rows, int set, const char *name, int *at, const char **value)
{
    if (!is_of_names(rows, set)) {
        const int column = column_near(rows, set, name, *at);
        *value = mysql_rows_cell(rows, set, 0, column);
        *at = column < 0 ? *at : column + 1;
        return column >= 0;
    }
    const int count = (int)mysql_rows_count(rows, set);
    for (int i = 0; i < count; i++) {
        const int row = (*at + i) % count;
        if (text_is_nocase(mysql_rows_cell(rows, set, (uint32_t)row, 0), name)) {
            *value = mysql_rows_cell(rows, set, (uint32_t)row, 1);
            *at = row + 1;
            return true;
        }
    }
    return false;
}

const char *mysql_probe_variable(const struct mysql_rows *rows, int set, const char *name)
{
    const char *value = NULL;
    int at = 0;
    return find_variable(rows, set, name, &at, &value) ? value : NULL;
}

uint64_t mysql_probe_variables(const struct mysql_rows *rows, int set)
{
    uint64_t found = 0;
    const char *value;
    int at = 0;
    for (int i = 0; i < variables_count(); i++)
        found |= (uint64_t)find_variable(rows, set, variable_name(i), &at, &value) << i;
    return found;
}

static void fold_variables(const struct mysql_rows *rows, int set, const struct conversion *table, int count,
                           struct instance_seen *seen)
{
    const char *value = NULL;
    int at = 0;
    for (int i = 0; i < count; i++) {
        if (find_variable(rows, set, table[i].name, &at, &value) ||
            (table[i].other != NULL && find_variable(rows, set, table[i].other, &at, &value)))
            convert(&table[i], value, seen);
    }
}

static enum flavour flavour_of(const struct instance_seen *seen)
{
    if (strstr(seen->version_text, "maxscale") != NULL)
        return FLAVOUR_MAXSCALE;
    if (strstr(seen->version_text, "MariaDB") != NULL || seen->gtid.binlog_state != NULL)
        return FLAVOUR_MARIADB;
    if (seen->version_comment != NULL && strstr(seen->version_comment, "Percona") != NULL)
        return FLAVOUR_PERCONA;
    return FLAVOUR_MYSQL;
}

static bool has_variable(const struct mysql_rows *rows, int set, const char *name)
{
    const char *value;
    int at = 0;
    return find_variable(rows, set, name, &at, &value);
}

static void fold_semi_sync(const struct mysql_rows *rows, int set, struct instance_seen *seen)
{
    struct semi_sync_seen *semi = &seen->semi_sync;
    semi->has_new_master_names = has_variable(rows, set, "rpl_semi_sync_source_enabled");
    semi->has_new_replica_names = has_variable(rows, set, "rpl_semi_sync_replica_enabled");
    semi->is_available = semi->has_new_master_names || semi->has_new_replica_names ||
                         has_variable(rows, set, "rpl_semi_sync_master_enabled") ||
                         has_variable(rows, set, "rpl_semi_sync_slave_enabled");
    if (semi->is_master_enabled && semi->wait_count == 0)
        semi->wait_count = 1;        /* MariaDB waits for one and has no variable for it */
}

static bool fold_settings(const struct mysql_rows *rows, int set, struct instance_seen *seen)
{
    fold_variables(rows, set, variable_table, COLUMNS_OF(variable_table), seen);
    if (seen->version_text == NULL || seen->version_text[0] == '\0')
        return false;
    seen->version = version_number(seen->version_text);
    seen->flavour = flavour_of(seen);
    const char *uid = mysql_probe_variable(rows, set, "feedback_server_uid");
    if ((seen->server_uuid == NULL || seen->server_uuid[0] == '\0') && uid != NULL)
        seen->server_uuid = uid;
    seen->is_durable = text_is(mysql_probe_variable(rows, set, "sync_binlog"), "1") &&
                       text_is(mysql_probe_variable(rows, set, "innodb_flush_log_at_trx_commit"), "1");
    fold_semi_sync(rows, set, seen);
    return true;
}

/* --- replicas ----------------------------------------------------------------------------------------------------- */

static const struct conversion replica_table[] = {
    { "Server_id", NULL, AS_U32, offsetof(struct replica_listed, server_id) },
    { "Host", NULL, AS_TEXT, offsetof(struct replica_listed, key.host) },
    { "User", NULL, AS_TEXT, offsetof(struct replica_listed, user) },
    { "Port", NULL, AS_U16, offsetof(struct replica_listed, key.port) },
    { "Slave_UUID", "Replica_UUID", AS_TEXT, offsetof(struct replica_listed, uuid) },
};

bool mysql_probe_lacks_hosts(const struct mysql_rows *rows, int set)
{
    for (uint32_t row = 0; row < mysql_rows_count(rows, set); row++) {
        if (text_is(mysql_rows_named(rows, set, row, "Host"), ""))
            return true;
    }
    return false;
}

static bool make_room(struct probe_scratch *scratch, uint32_t replicas, size_t text)
{
    if (replicas > scratch->replica_room) {
        struct replica_listed *more = realloc(scratch->replicas, replicas * sizeof *more);
        if (more == NULL)
            return false;
        scratch->replicas = more;
        scratch->replica_room = replicas;
    }
    if (text > scratch->text_room) {
        char *more = realloc(scratch->texts, text);
        if (more == NULL)
            return false;
        scratch->texts = more;
        scratch->text_room = text;
    }
    scratch->text_size = 0;
    return true;
}

void probe_scratch_done(struct probe_scratch *scratch)
{
    free(scratch->replicas);
    free(scratch->texts);
    scratch->replicas = NULL;
    scratch->texts = NULL;
    scratch->replica_room = 0;
    scratch->text_room = 0;
}

static void add_replica(struct probe_scratch *scratch, struct instance_seen *seen, const struct replica_listed *one)
{
    const bool is_own = instance_key_is_same(&one->key, &seen->key) || (one->server_id != 0 && one->server_id == seen->server_id);
    if (!is_own && seen->replica_count < scratch->replica_room)
        scratch->replicas[seen->replica_count++] = *one;
}

static void fold_registered(const struct mysql_rows *rows, int set, struct probe_scratch *scratch, struct instance_seen *seen)
{
    int columns[COLUMNS_OF(replica_table)];
    forget_columns(columns, COLUMNS_OF(replica_table));
    for (uint32_t row = 0; row < mysql_rows_count(rows, set); row++) {
        struct replica_listed one = { .how = LISTED_REGISTERED };
        convert_row(rows, set, row, replica_table, COLUMNS_OF(replica_table), columns, &one);
        add_replica(scratch, seen, &one);
    }
}

/* "db3:41234" -> "db3", in the scratch's own memory. A thread over the local socket has no port; it stays as it is. */
static const char *host_of(struct probe_scratch *scratch, const char *cell)
{
    const char *colon = strrchr(cell, ':');
    const size_t length = colon == NULL ? strlen(cell) : (size_t)(colon - cell);
    char *place = scratch->texts + scratch->text_size;
    text_copy_bytes(place, scratch->text_room - scratch->text_size, cell, length);
    scratch->text_size += length + 1;
    return place;
}

/* One entry a host: the threads of one host cannot be told apart by what is seen of them. Sorted by the statement. */
static void fold_threads(const struct mysql_rows *rows, int set, struct probe_scratch *scratch, struct instance_seen *seen)
{
    const uint32_t registered = seen->replica_count;
    for (uint32_t row = 0; row < mysql_rows_count(rows, set); row++) {
        const char *cell = mysql_rows_named(rows, set, row, "host"), *user = mysql_rows_named(rows, set, row, "user");
        const struct replica_listed one = {
            .key.host = host_of(scratch, cell == NULL ? "" : cell), .how = LISTED_THREAD, .user = user == NULL ? "" : user,
        };
        const bool is_known = seen->replica_count > registered &&
                              text_is(scratch->replicas[seen->replica_count - 1].key.host, one.key.host);
        if (one.key.host[0] != '\0' && !is_known)
            add_replica(scratch, seen, &one);
    }
    if (seen->replica_count != registered + 1)
        return;
    const struct replica_listed *only = &scratch->replicas[registered];
    bool has_completed = false;
    for (uint32_t i = 0; i < registered; i++) {
        struct replica_listed *one = &scratch->replicas[i];
        if (!text_is(one->key.host, ""))
            continue;
        one->key.host = only->key.host;
        one->how |= LISTED_THREAD;
        has_completed = true;
    }
    if (has_completed)
        seen->replica_count = registered;      /* the thread is those */
}

static size_t text_bytes(const struct mysql_rows *rows, int set, const char *name)
{
    size_t bytes = 1;
    for (uint32_t row = 0; row < mysql_rows_count(rows, set); row++) {
        const char *cell = mysql_rows_named(rows, set, row, name);
        bytes += cell == NULL ? 1 : strlen(cell) + 1;
    }
    return bytes;
}

static bool fold_replicas(const struct mysql_rows *rows, const struct part_sets *sets, struct probe_scratch *scratch,
                          struct instance_seen *seen)
{
    const int registered = sets->of[PART_REPLICA_LIST], threads = sets->of[PART_DUMP_THREADS];
    const uint32_t count = mysql_rows_count(rows, registered) + mysql_rows_count(rows, threads);
    if (count == 0)
        return true;
    if (!make_room(scratch, count < INSTANCE_REPLICAS_MAX ? count : INSTANCE_REPLICAS_MAX, text_bytes(rows, threads, "host")))
        return false;
    fold_registered(rows, registered, scratch, seen);
    fold_threads(rows, threads, scratch, seen);
    seen->replicas = scratch->replicas;
    return true;
}

/* --- group -------------------------------------------------------------------------------------------------------- */

static const struct conversion member_table[] = {
    { "member_id", NULL, AS_TEXT, offsetof(struct member_seen, uuid) },
    { "member_host", NULL, AS_TEXT, offsetof(struct member_seen, key.host) },
    { "member_port", NULL, AS_U16, offsetof(struct member_seen, key.port) },
    { "member_state", NULL, AS_TEXT, offsetof(struct member_seen, state) },
    { "member_role", NULL, AS_TEXT, offsetof(struct member_seen, role) },
};

static void fold_group(const struct mysql_rows *rows, const struct part_sets *sets, struct probe_scratch *scratch,
                       struct instance_seen *seen)
{
    const int set = sets->of[PART_GROUP];
    const char *name = mysql_probe_variable(rows, sets->of[PART_VARIABLES], "group_replication_group_name");
    int columns[COLUMNS_OF(member_table)];

    forget_columns(columns, COLUMNS_OF(member_table));
    seen->members = scratch->members;
    for (uint32_t row = 0; row < mysql_rows_count(rows, set) && seen->member_count < INSTANCE_MEMBERS_MAX; row++) {
        struct member_seen *one = &scratch->members[seen->member_count];
        *one = (struct member_seen){ 0 };
        convert_row(rows, set, row, member_table, COLUMNS_OF(member_table), columns, one);
        if (text_is(one->uuid, "") || text_is(one->state, "OFFLINE"))
            continue;
        seen->member_count++;
        if (text_is_nocase(one->uuid, seen->server_uuid)) {
            seen->group_name = name == NULL ? "" : name;
            seen->group_state = one->state;
            seen->group_role = one->role;
        }
    }
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

bool mysql_probe_fold(const struct mysql_rows *rows, const struct part_sets *sets, struct probe_scratch *scratch,
                      struct instance_seen *seen)
{
    const int position = sets->of[PART_LOG_POSITION], account = sets->of[PART_CREDENTIALS];
    if (!fold_settings(rows, sets->of[PART_VARIABLES], seen))
        return false;
    fold_variables(rows, sets->of[PART_STATUS], status_table, COLUMNS_OF(status_table), seen);
    fold_channels(rows, sets->of[PART_REPLICATION], scratch, seen);
    if (mysql_rows_count(rows, position) > 0) {
        seen->written.file = mysql_rows_named(rows, position, 0, "File");
        seen->written.offset = number_of(mysql_rows_named(rows, position, 0, "Position"), UINT64_MAX);
    }
    seen->has_replication_password = mysql_rows_number(rows, account, 0, 0) > 0;
    fold_group(rows, sets, scratch, seen);
    return fold_replicas(rows, sets, scratch, seen);
}
