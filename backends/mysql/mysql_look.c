/* Rows to facts. Column names are looked up, never counted; MySQL 8 and MariaDB names stand side by side in one table. */
#include "backends/mysql/mysql_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* --- which statements --------------------------------------------------------------------------------------------- */

static enum sql_name facts_statement(const struct mysql_server_kind *kind)
{
    if (!kind->has_gtid)
        return SQL_SERVER_FACTS_PLAIN;
    return kind->is_mariadb ? SQL_SERVER_FACTS_MARIADB : SQL_SERVER_FACTS_MYSQL;
}

enum sql_name mysql_position_statement(const struct mysql_server_kind *kind)
{
    return kind->is_new_log_name ? SQL_LOG_POSITION_NEW : SQL_LOG_POSITION;
}

enum sql_name mysql_replica_statement(const struct mysql_server_kind *kind)
{
    if (kind->is_mariadb)
        return SQL_REPLICA_STATUS_ALL;
    return kind->is_new_names ? SQL_REPLICA_STATUS_NEW : SQL_REPLICA_STATUS_OLD;
}

enum sql_name mysql_boot_statement(const struct mysql_server_kind *kind)
{
    if (kind->is_mariadb)
        return SQL_BOOT_READ_ONLY;
    return kind->is_new_names ? SQL_BOOT_READ_ONLY_MYSQL : SQL_NOTHING;
}

int mysql_look_server_count(const struct look_shape *shape)
{
    return (shape->has_replication ? 3 : 1) + (shape->has_boot ? 1 : 0);
}

int mysql_look_statements(const struct look_shape *shape, enum sql_name to[LOOK_STATEMENTS_MAX])
{
    int count = 0;
    to[count++] = facts_statement(shape->kind);
    if (shape->has_replication) {
        to[count++] = mysql_position_statement(shape->kind);
        to[count++] = mysql_replica_statement(shape->kind);
    }
    if (shape->has_boot)
        to[count++] = mysql_boot_statement(shape->kind);
    if (shape->has_use)
        to[count++] = SQL_DATABASE_USE;
    to[count++] = SQL_LEASE_READ;
    to[count++] = SQL_HOLDS_READ;
    to[count++] = SQL_ORDERS_READ;
    to[count++] = SQL_ACTIVE_NODE_READ;
    return count;
}

/* --- replication -------------------------------------------------------------------------------------------------- */

void mysql_fold_boot(const struct mysql_rows *rows, int set, char *to, size_t size)
{
    const char *origin = mysql_rows_named(rows, set, 0, "origin"), *value = mysql_rows_named(rows, set, 0, "value");
    to[0] = '\0';
    if (origin == NULL || value == NULL || text_is_nocase(origin, "SQL") || text_is_nocase(origin, "DYNAMIC"))
        return;
    text_copy(to, size, value);
    text_make_plain(to);
}

void mysql_fold_position(const struct mysql_rows *rows, int set, struct log_position *ret)
{
    const char *file = mysql_rows_named(rows, set, 0, "File");
    *ret = (struct log_position){ 0 };
    if (file == NULL)
        return;
    TEXT_SET(ret->file, file);
    ret->offset = mysql_rows_number(rows, set, 0, mysql_rows_column(rows, set, "Position"));
}

enum replica_column {
    R_CHANNEL, R_HOST, R_PORT, R_IO, R_SQL, R_LAG, R_READ_FILE, R_READ_AT, R_DONE_FILE, R_DONE_AT, R_IO_ERROR, R_SQL_ERROR,
    R_APPLIER, R_IO_ERRNO, R_COUNT
};

static const struct { const char *old, *new; } replica_names[R_COUNT] = {
    [R_CHANNEL]   = { "Connection_name", "Channel_Name" },
    [R_HOST]      = { "Master_Host", "Source_Host" },
    [R_PORT]      = { "Master_Port", "Source_Port" },
    [R_IO]        = { "Slave_IO_Running", "Replica_IO_Running" },
    [R_SQL]       = { "Slave_SQL_Running", "Replica_SQL_Running" },
    [R_LAG]       = { "Seconds_Behind_Master", "Seconds_Behind_Source" },
    [R_READ_FILE] = { "Master_Log_File", "Source_Log_File" },
    [R_READ_AT]   = { "Read_Master_Log_Pos", "Read_Source_Log_Pos" },
    [R_DONE_FILE] = { "Relay_Master_Log_File", "Relay_Source_Log_File" },
    [R_DONE_AT]   = { "Exec_Master_Log_Pos", "Exec_Source_Log_Pos" },
    [R_IO_ERROR]  = { "Last_IO_Error", "Last_IO_Error" },
    [R_SQL_ERROR] = { "Last_SQL_Error", "Last_SQL_Error" },
    [R_IO_ERRNO]  = { "Last_IO_Errno", "Last_IO_Errno" },
    [R_APPLIER]   = { "Slave_SQL_Running_State", "Replica_SQL_Running_State" },
};

struct replica_row { const struct mysql_rows *rows; int set; uint32_t row; int column[R_COUNT]; };

static const char *replica_text(const struct replica_row *from, enum replica_column column)
{
    const char *text = mysql_rows_cell(from->rows, from->set, from->row, from->column[column]);
    return text == NULL ? "" : text;
}

static void find_columns(struct replica_row *row)
{
    for (int i = 0; i < R_COUNT; i++) {
        row->column[i] = mysql_rows_column(row->rows, row->set, replica_names[i].old);
        if (row->column[i] < 0)
            row->column[i] = mysql_rows_column(row->rows, row->set, replica_names[i].new);
    }
    /* MySQL 5.7 has the old names, and this one new. */
    if (row->column[R_CHANNEL] < 0)
        row->column[R_CHANNEL] = mysql_rows_column(row->rows, row->set, replica_names[R_CHANNEL].new);
}

static void master_address(const struct replica_row *row, char *to, size_t size)
{
    const char *host = replica_text(row, R_HOST);
    text_format(to, size, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, replica_text(row, R_PORT));
}

/* Several channels: the one from another server of ours; else the default one; else the first. */
static uint32_t choose_channel(struct replica_row *row, const struct look_shape *shape)
{
    const uint32_t count = mysql_rows_count(row->rows, row->set);
    uint32_t chosen = 0;
    bool has_default = false;
    for (row->row = 0; row->row < count; row->row++) {
        char address[ADDRESS_SIZE];
        master_address(row, address, sizeof address);
        for (int i = 0; i < shape->peer_count; i++) {
            if (text_is(address, shape->peers[i]))
                return row->row;
        }
        if (!has_default && replica_text(row, R_CHANNEL)[0] == '\0') {
            chosen = row->row;
            has_default = true;
        }
    }
    return chosen;
}

static enum thread_state thread_state_of(const char *word)
{
    if (text_is_nocase(word, "Yes"))
        return THREAD_RUNNING;
    return text_is_nocase(word, "No") || word[0] == '\0' ? THREAD_STOPPED : THREAD_CONNECTING;   /* Connecting, Preparing */
}

#define CANNOT_CONNECT "2003"         /* CR_CONN_HOST_ERROR, with the system's own error in the text */

/* The last attempt found nobody listening: "... (111 \"Connection refused\")", "... (111)". Other words of it are no proof. */
static bool was_refused(const struct replica_row *row)
{
    char errno_shown[16];
    TEXT_FORMAT(errno_shown, "(%d", ECONNREFUSED);
    const char *at = text_is(replica_text(row, R_IO_ERRNO), CANNOT_CONNECT) ? strstr(replica_text(row, R_IO_ERROR), errno_shown) : NULL;
    return at != NULL && (at[strlen(errno_shown)] == ')' || at[strlen(errno_shown)] == ' ');
}

/* Ended by what came over the network, not by what stands in the log: an event whose checksum is wrong (1743), which MariaDB then
 * tells as "could not queue event from master" (1595). A server that is frozen or cut off in the moment of reconnecting does it: the
 * client library connects anew by itself, and what had been agreed about checksums is gone with the old connection. */
static bool was_torn(const struct replica_row *row)
{
    const char *number = replica_text(row, R_IO_ERRNO);
    return text_is(number, "1595") || text_is(number, "1743");
}

static uint64_t number_of(const char *text)
{
    uint64_t number = 0;
    return text_to_u64(text, strlen(text), &number) ? number : 0;
}

static int64_t lag_of(const char *seconds)
{
    uint64_t number = 0;
    if (!text_to_u64(seconds, strlen(seconds), &number))
        return -1;
    return number > INT64_MAX / 1000 ? INT64_MAX : (int64_t)number * 1000;
}

void mysql_fold_replica(const struct mysql_rows *rows, int set, const struct look_shape *shape, struct replica_look *ret)
{
    struct replica_row row = { .rows = rows, .set = set };
    *ret = (struct replica_look){ .lag_ms = -1 };
    if (mysql_rows_count(rows, set) == 0)
        return;
    find_columns(&row);
    row.row = choose_channel(&row, shape);
    if (replica_text(&row, R_HOST)[0] == '\0')
        return;
    ret->is_configured = true;
    ret->io = thread_state_of(replica_text(&row, R_IO));
    ret->is_refused = ret->io == THREAD_CONNECTING && was_refused(&row);
    ret->sql = text_is_nocase(replica_text(&row, R_SQL), "Yes") ? THREAD_RUNNING : THREAD_STOPPED;
    ret->is_torn = ret->io == THREAD_STOPPED && ret->sql == THREAD_RUNNING && was_torn(&row);
    ret->lag_ms = lag_of(replica_text(&row, R_LAG));
    master_address(&row, ret->master, sizeof ret->master);
    TEXT_SET(ret->read.file, replica_text(&row, R_READ_FILE));
    ret->read.offset = number_of(replica_text(&row, R_READ_AT));
    TEXT_SET(ret->applied.file, replica_text(&row, R_DONE_FILE));
    ret->applied.offset = number_of(replica_text(&row, R_DONE_AT));
    TEXT_SET(ret->error, replica_text(&row, replica_text(&row, R_SQL_ERROR)[0] != '\0' ? R_SQL_ERROR : R_IO_ERROR));
    text_make_plain(ret->error);
}

uint32_t mysql_replica_row(const struct mysql_rows *rows, int set, const struct look_shape *shape)
{
    struct replica_row row = { .rows = rows, .set = set };
    find_columns(&row);
    return choose_channel(&row, shape);
}

bool mysql_fold_applier_waits(const struct mysql_rows *rows, int set, const struct look_shape *shape)
{
    struct replica_row row = { .rows = rows, .set = set };
    if (mysql_rows_count(rows, set) == 0)
        return false;
    find_columns(&row);
    row.row = choose_channel(&row, shape);
    const char *state = replica_text(&row, R_APPLIER);
    return text_begins(state, "Slave has read all relay log") || text_begins(state, "Replica has read all relay log");
}

/* "bin.000012" -> 12; a name without a number is 0. */
static uint64_t file_number(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot == NULL ? 0 : number_of(dot + 1);
}

bool mysql_position_has_reached(const struct log_position *reached, const struct log_position *wanted)
{
    if (reached->file[0] == '\0')
        return false;
    if (text_is(reached->file, wanted->file))
        return reached->offset >= wanted->offset;
    return file_number(reached->file) > file_number(wanted->file);
}

/* --- our tables --------------------------------------------------------------------------------------------------- */

static void copy_cell(const struct mysql_rows *rows, int set, uint32_t row, const char *name, char *to, size_t size)
{
    text_copy(to, size, mysql_rows_named(rows, set, row, name));
}
#define CELL(name, field) copy_cell(rows, set, row, name, field, sizeof field)
#define CELL_NUMBER(name) mysql_rows_number(rows, set, row, mysql_rows_column(rows, set, name))

bool mysql_fold_lease(const struct mysql_rows *rows, int set, struct decision *ret)
{
    const uint32_t row = 0;
    char word[16];
    *ret = (struct decision){ 0 };
    if (mysql_rows_count(rows, set) == 0)
        return false;
    ret->rank.epoch = CELL_NUMBER("epoch");
    ret->rank.seq = CELL_NUMBER("seq");
    CELL("server", ret->rank.server);
    CELL("node", ret->rank.node);
    CELL("phase", word);
    if (!phase_from_word(word, &ret->phase))
        ret->phase = PHASE_COUNT;      /* decision_is_sound() says no */
    CELL("successor", ret->successor);
    ret->intent_id = CELL_NUMBER("intent_id");
    const uint64_t limit_ms = CELL_NUMBER("limit_ms");
    ret->limit_ms = limit_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)limit_ms;
    CELL("why", ret->why);
    CELL("mark", ret->mark);
    return true;
}

bool mysql_fold_hold(const struct mysql_rows *rows, int set, uint32_t row, struct hold *ret)
{
    char word[17];
    *ret = (struct hold){ 0 };
    if (row >= mysql_rows_count(rows, set))
        return false;
    CELL("kind", word);
    if (!hold_kind_from_word(word, &ret->kind))
        ret->kind = HOLD_KIND_COUNT;
    CELL("pool", ret->pool);
    CELL("server", ret->server);
    ret->epoch = CELL_NUMBER("epoch");
    ret->seq = CELL_NUMBER("seq");
    ret->since_unix_ms = (int64_t)(CELL_NUMBER("since_unix_ms") & INT64_MAX);
    CELL("set_by", ret->by);
    CELL("why", ret->why);
    return true;
}

void mysql_fold_history(const struct mysql_rows *rows, int set, struct history_rows *ret)
{
    ret->count = 0;
    for (uint32_t row = 0; row < mysql_rows_count(rows, set) && ret->count < HISTORY_ROWS_MAX; row++) {
        struct history_row *line = &ret->list[ret->count];
        *line = (struct history_row){ .id = CELL_NUMBER("event_id"), .epoch = CELL_NUMBER("epoch") };
        line->unix_ms = (int64_t)(CELL_NUMBER("unix_ms") & INT64_MAX);
        CELL("kind", line->kind);
        CELL("subject", line->subject);
        CELL("node", line->node);
        CELL("message", line->text);
        if (line->id > 0 && line->id < UINT64_C(1) << 53)
            ret->count++;
    }
}

static void fold_holds(const struct mysql_rows *rows, int set, struct server_look *look)
{
    for (uint32_t row = 0; look->hold_count < HOLDS_MAX && mysql_fold_hold(rows, set, row, &look->holds[look->hold_count]); row++) {
        if (look->holds[look->hold_count].kind != HOLD_KIND_COUNT)      /* of a later version: not ours to judge */
            look->hold_count++;
    }
}

static void fold_orders(const struct mysql_rows *rows, int set, struct server_look *look)
{
    for (uint32_t row = 0; row < mysql_rows_count(rows, set) && look->order_count < ORDERS_MAX; row++) {
        struct stored_order *order = &look->orders[look->order_count];
        char word[17];
        *order = (struct stored_order){ 0 };
        CELL("state", word);
        if (!order_state_from_word(word, &order->state))
            continue;
        order->id = CELL_NUMBER("order_id");
        CELL("order_text", order->text);
        CELL("asked_by", order->by);
        CELL("node", order->node);
        CELL("answer", order->answer);
        look->order_count++;
    }
}

static void fold_active_node(const struct mysql_rows *rows, int set, struct server_look *look)
{
    const char *owner = mysql_rows_named(rows, set, 0, "hostname"), *token = mysql_rows_named(rows, set, 0, "token");
    if (owner == NULL || owner[0] == '\0' || (token != NULL && text_begins(token, SQL_TOKEN_MARK)))
        return;
    TEXT_SET(look->foreign_owner, owner);
    text_make_plain(look->foreign_owner);
    TEXT_SET(look->foreign_stamp, mysql_rows_named(rows, set, 0, "last_seen_active"));
}

static enum fc_code fold_schema(const struct mysql_rows *rows, int set, struct server_look *look, struct fc_err *err)
{
    look->has_schema = true;
    mysql_fold_lease(rows, set, &look->lease);
    if (!decision_is_sound(&look->lease))
        return fc_fail(err, FC_STORE, "the row 'lease' of firstchair_decision is not one that firstchair writes");
    fold_holds(rows, set + 1, look);
    fold_orders(rows, set + 2, look);
    fold_active_node(rows, set + 3, look);
    return FC_OK;
}

enum fc_code mysql_look_fold(const struct mysql_rows *rows, const struct look_shape *shape, bool has_schema,
                             struct server_look *ret, struct fc_err *err)
{
    const int server_count = mysql_look_server_count(shape);
    *ret = (struct server_look){ .is_fixed_writable = !shape->has_replication, .replica.lag_ms = -1 };
    TEXT_SET(ret->identity, shape->kind->identity);
    TEXT_SET(ret->version, shape->kind->version);
    const char *read_only = mysql_rows_named(rows, 0, 0, "read_only");
    if (read_only == NULL)
        return fc_fail(err, FC_STORE, "the server does not tell its read_only");
    ret->is_read_only = !text_is(read_only, "0") && !text_is_nocase(read_only, "OFF");
    ret->server_id = (uint32_t)mysql_rows_number(rows, 0, 0, mysql_rows_column(rows, 0, "server_id"));
    TEXT_SET(ret->gtid, mysql_rows_named(rows, 0, 0, "gtid"));
    text_make_plain(ret->gtid);
    if (shape->has_replication) {
        mysql_fold_position(rows, 1, &ret->written);
        mysql_fold_replica(rows, 2, shape, &ret->replica);
    }
    if (shape->has_boot)
        mysql_fold_boot(rows, server_count - 1, ret->boot_read_only, sizeof ret->boot_read_only);
    return has_schema ? fold_schema(rows, server_count + (shape->has_use ? 1 : 0), ret, err) : FC_OK;
}
