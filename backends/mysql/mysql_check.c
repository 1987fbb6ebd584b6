/* Rows to settings. Then the two deeds that only people wait for: CHECK, and COMPARE, which hands its rows on as they are. */
#include "backends/mysql/mysql_check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backends/compare.h"
#include "backends/mysql/mysql_deed.h"
#include "base/text.h"

#define UPTIME_MAX_S INT64_C(4000000000)     /* a hundred years: what says more is no uptime */
#define CLOCK_MAX_MS INT64_C(4102444800000)  /* the year 2100 */

enum sql_name mysql_check_statement(enum check_set set, const struct mysql_server_kind *kind)
{
    switch (set) {
    case CHECK_CLOCK: return SQL_CLOCK_READ;
    case CHECK_UPTIME: return SQL_UPTIME_READ;
    case CHECK_GRANTS: return SQL_SERVER_GRANTS;
    case CHECK_SETTINGS: return SQL_SETTINGS_READ;
    case CHECK_ACCOUNTS: return kind->is_mariadb ? SQL_ACCOUNTS_READ : SQL_ACCOUNTS_READ_MYSQL;
    case CHECK_POSITION: return mysql_position_statement(kind);
    case CHECK_REPLICA: return mysql_replica_statement(kind);
    case CHECK_BOOT: return mysql_boot_statement(kind);
    case CHECK_SET_COUNT: break;
    }
    return SQL_NOTHING;
}

/* ---- variables ---------------------------------------------------------------------------------------------------- */

static const char *variable(const struct mysql_rows *rows, const char *name)
{
    for (uint32_t i = 0; name[0] != '\0' && i < mysql_rows_count(rows, CHECK_SETTINGS); i++) {
        const char *value = mysql_rows_cell(rows, CHECK_SETTINGS, i, 1);
        if (text_is_nocase(mysql_rows_cell(rows, CHECK_SETTINGS, i, 0), name))
            return value == NULL ? "" : value;
    }
    return NULL;
}

static void set(struct server_settings *s, enum setting setting, const char *value)
{
    TEXT_SET(s->value[setting], value);
    text_make_plain(s->value[setting]);
}

static void fold_variables(const struct mysql_rows *rows, struct server_settings *s)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *value = variable(rows, setting_rows[i].mariadb);
        if (value == NULL)
            value = variable(rows, setting_rows[i].mysql);
        if (value != NULL)
            set(s, (enum setting)i, value);
    }
    if (text_is_nocase(s->value[SETTING_TIME_ZONE], "SYSTEM")) {
        const char *zone = variable(rows, "system_time_zone");
        set(s, SETTING_TIME_ZONE, zone == NULL ? "" : zone);
    }
}

/* ---- lists that become one text ----------------------------------------------------------------------------------- */

static void add(struct server_settings *s, enum setting setting, const char *before, const char *text)
{
    char *to = s->value[setting];
    const size_t length = strlen(to), size = sizeof s->value[setting];
    text_format(to + length, size - length, "%s%s%s", length == 0 ? "" : ", ", before, text);
    text_make_plain(to);
}

static void none_if_empty(struct server_settings *s, enum setting setting)
{
    if (s->value[setting][0] == '\0')
        set(s, setting, SETTING_NONE);
}

/* ---- privileges --------------------------------------------------------------------------------------------------- */

struct privilege { bool is_of_mariadb, is_of_schema; const char *names[3]; };     /* any of the names will do */

static const struct privilege privileges[] = {
    { true,  false, { "READ_ONLY ADMIN", "READ ONLY ADMIN" } },
    { true,  false, { "CONNECTION ADMIN" } },
    { true,  false, { "PROCESS" } },
    { true,  false, { "BINLOG MONITOR", "REPLICATION CLIENT" } },
    { true,  false, { "SLAVE MONITOR", "REPLICA MONITOR" } },
    { false, false, { "SYSTEM_VARIABLES_ADMIN", "SUPER" } },
    { false, false, { "CONNECTION_ADMIN", "SUPER" } },
    { false, false, { "SYSTEM_USER" } },
    { false, false, { "PROCESS" } },
    { false, false, { "REPLICATION CLIENT" } },
    { false, false, { "REPLICATION SLAVE" } },      /* SHOW BINLOG EVENTS: what a server took alone */
    { true,  true,  { "SELECT" } }, { true,  true,  { "INSERT" } }, { true,  true,  { "UPDATE" } }, { true,  true,  { "CREATE" } },
    { false, true,  { "SELECT" } }, { false, true,  { "INSERT" } }, { false, true,  { "UPDATE" } }, { false, true,  { "CREATE" } },
};

/* The name of a schema in a grant: `a_b` and, where _ would be a wildcard, `a\_b`. */
static bool is_on_schema(const char *on, const char *database)
{
    const char *at = on + 1;
    if (on[0] != '`')
        return false;
    for (; *database != '\0'; database++, at++) {
        if (*at == '\\')
            at++;
        if (*at != *database || *at == '\0')
            return false;
    }
    return text_begins(at, "`.* ");
}

/* Is the name one of "SELECT, INSERT, READ_ONLY ADMIN"? */
static bool is_listed(const char *list, size_t length, const char *name)
{
    const size_t name_length = strlen(name);
    for (const char *at = list; at < list + length;) {
        const char *end = memchr(at, ',', (size_t)(list + length - at));
        const size_t size = (size_t)((end == NULL ? list + length : end) - at);
        if (size == name_length && strncasecmp(at, name, size) == 0)
            return true;
        at += size + (end == NULL ? 0 : 1);
        while (end != NULL && at < list + length && *at == ' ')
            at++;
    }
    return false;
}

/* SUPER was all of these once; MariaDB 10.11 took READ_ONLY ADMIN out of it. */
static bool is_granted_by(const char *grant, const struct privilege *privilege, const char *database, bool super_is_all)
{
    const char *on = text_begins(grant, "GRANT ") ? strstr(grant, " ON ") : NULL;
    if (on == NULL || (!text_begins(on + 4, "*.* ") && !(privilege->is_of_schema && is_on_schema(on + 4, database))))
        return false;
    const char *list = grant + 6;
    const size_t length = (size_t)(on - list);
    if (is_listed(list, length, "ALL PRIVILEGES") || (super_is_all && !privilege->is_of_schema && is_listed(list, length, "SUPER")))
        return true;
    for (int i = 0; i < 3 && privilege->names[i] != NULL; i++) {
        if (is_listed(list, length, privilege->names[i]))
            return true;
    }
    return false;
}

static bool super_is_all(const struct mysql_server_kind *kind)
{
    char *end;
    const unsigned long major = strtoul(kind->version, &end, 10), minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    return kind->is_mariadb && (major < 10 || (major == 10 && minor < 11));
}

static void fold_grants(const struct mysql_rows *rows, const struct mysql_server_kind *kind, const char *database,
                        struct server_settings *s)
{
    for (size_t p = 0; p < sizeof privileges / sizeof privileges[0]; p++) {
        bool is_granted = false;
        if (privileges[p].is_of_mariadb != kind->is_mariadb)
            continue;
        for (uint32_t i = 0; !is_granted && i < mysql_rows_count(rows, CHECK_GRANTS); i++) {
            const char *grant = mysql_rows_cell(rows, CHECK_GRANTS, i, 0);
            is_granted = grant != NULL && is_granted_by(grant, &privileges[p], database, super_is_all(kind));
        }
        if (!is_granted)
            add(s, SETTING_FENCE_LACKS, privileges[p].names[0], privileges[p].is_of_schema ? " on the schema" : " on *.*");
    }
    none_if_empty(s, SETTING_FENCE_LACKS);
}

/* 'user'@'localhost' comes through the server's own socket only: its administrators, not a client that HAProxy lets in. */
static bool is_of_localhost(const char *grantee)
{
    static const char end[] = "@'localhost'";
    const size_t length = strlen(grantee);
    return length >= sizeof end - 1 && text_is(grantee + length - (sizeof end - 1), end);
}

static void fold_accounts(const struct mysql_rows *rows, const char *fence, struct server_settings *s)
{
    char own[80];
    bool sees_others = false;
    TEXT_FORMAT(own, "'%.64s'@", fence);
    for (uint32_t i = 0; i < mysql_rows_count(rows, CHECK_ACCOUNTS); i++) {
        const char *grantee = mysql_rows_named(rows, CHECK_ACCOUNTS, i, "grantee");
        if (grantee == NULL || text_begins(grantee, own))
            continue;
        sees_others = true;
        if (text_is(mysql_rows_named(rows, CHECK_ACCOUNTS, i, "is_above"), "1") && !is_of_localhost(grantee))
            add(s, SETTING_ABOVE_READ_ONLY, "", grantee);
    }
    if (sees_others)
        none_if_empty(s, SETTING_ABOVE_READ_ONLY);
}

/* ---- the log and replication -------------------------------------------------------------------------------------- */

static void fold_filters(const struct mysql_rows *rows, int set_index, uint32_t row, const char *const *columns,
                         enum setting setting, struct server_settings *s)
{
    for (; *columns != NULL; columns++) {
        const char *value = mysql_rows_named(rows, set_index, row, *columns);
        char before[48];
        TEXT_FORMAT(before, "%s=", *columns);
        if (value != NULL && value[0] != '\0')
            add(s, setting, before, value);
    }
    none_if_empty(s, setting);
}

static const char *first_named(const struct mysql_rows *rows, uint32_t row, const char *old, const char *new)
{
    const char *value = mysql_rows_named(rows, CHECK_REPLICA, row, old);
    if (value == NULL)
        value = mysql_rows_named(rows, CHECK_REPLICA, row, new);
    return value == NULL ? "" : value;
}

static void fold_replication_state(const struct replica_look *replica, struct server_settings *s)
{
    const char *state = replica->sql != THREAD_RUNNING || replica->io == THREAD_STOPPED ? "stopped"
                        : replica->io == THREAD_RUNNING                                 ? "running"
                                                                                        : "connecting";
    TEXT_FORMAT(s->value[SETTING_REPLICATION], "%s%s%s", state, replica->error[0] == '\0' ? "" : ": ", replica->error);
    if (text_is(state, "running"))       /* an error of the past may still stand there */
        set(s, SETTING_REPLICATION, state);
}

static void fold_replica(const struct mysql_rows *rows, const struct look_shape *shape, struct server_settings *s)
{
    static const char *const filters[] = {
        "Replicate_Do_DB", "Replicate_Ignore_DB", "Replicate_Do_Table", "Replicate_Ignore_Table", "Replicate_Wild_Do_Table",
        "Replicate_Wild_Ignore_Table", "Replicate_Ignore_Server_Ids", "Replicate_Do_Domain_Ids", "Replicate_Ignore_Domain_Ids",
        "Replicate_Rewrite_DB", NULL,
    };
    struct replica_look replica;
    mysql_fold_replica(rows, CHECK_REPLICA, shape, &replica);
    if (!replica.is_configured) {
        set(s, SETTING_REPLICATION, SETTING_NONE);
        return;
    }
    const uint32_t row = mysql_replica_row(rows, CHECK_REPLICA, shape);
    fold_replication_state(&replica, s);
    const char *master_id = first_named(rows, row, "Master_Server_Id", "Source_Server_Id");
    set(s, SETTING_REPLICATES_FROM, text_is(master_id, "0") ? "" : master_id);     /* 0: it has not reached it yet */
    set(s, SETTING_CONNECT_RETRY, first_named(rows, row, "Connect_Retry", "Connect_Retry"));
    const char *attempts = first_named(rows, row, "Master_Retry_Count", "Source_Retry_Count");
    set(s, SETTING_RETRY_COUNT, attempts[0] == '\0' ? SETTING_NONE : attempts);
    set(s, SETTING_USES_GTID, first_named(rows, row, "Using_Gtid", "Auto_Position"));
    fold_filters(rows, CHECK_REPLICA, row, filters, SETTING_REPLICA_FILTER, s);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static void fold_clock(const struct mysql_rows *rows, struct check_times times, struct server_settings *s)
{
    const uint64_t theirs = mysql_rows_number(rows, CHECK_CLOCK, 0, mysql_rows_column(rows, CHECK_CLOCK, "unix_ms"));
    const int64_t took = times.heard_unix_ms - times.asked_unix_ms;
    if (theirs == 0 || theirs > (uint64_t)CLOCK_MAX_MS || took < 0 || took > 60000)      /* our own clock was set meanwhile */
        return;
    s->clock_skew_ms = (int64_t)theirs - (times.asked_unix_ms + took / 2);
    s->clock_error_ms = took / 2 + 1;
    TEXT_FORMAT(s->value[SETTING_CLOCK], "%+.3f s (error %.3f s)", (double)s->clock_skew_ms / 1000.0,
                (double)s->clock_error_ms / 1000.0);
}

bool mysql_check_fold(const struct mysql_rows *rows, int set_count, const struct look_shape *shape, const char *fence,
                      const char *database, struct check_times times, struct server_settings *ret)
{
    static const char *const log_filters[] = { "Binlog_Do_DB", "Binlog_Ignore_DB", NULL };
    memset(ret, 0, sizeof *ret);
    ret->uptime_s = ret->clock_error_ms = -1;
    ret->is_mariadb = shape->kind->is_mariadb;
    TEXT_SET(ret->identity, shape->kind->identity);
    if (set_count <= CHECK_SETTINGS)
        return false;
    const uint64_t uptime = mysql_rows_number(rows, CHECK_UPTIME, 0, 1);
    if (mysql_rows_count(rows, CHECK_UPTIME) > 0 && uptime <= (uint64_t)UPTIME_MAX_S)
        ret->uptime_s = (int64_t)uptime;
    fold_clock(rows, times, ret);
    set(ret, SETTING_FENCE_LOGIN, SETTING_NONE);
    fold_grants(rows, shape->kind, database, ret);
    fold_variables(rows, ret);
    if (set_count > CHECK_ACCOUNTS)
        fold_accounts(rows, fence, ret);
    if (set_count > CHECK_POSITION)
        fold_filters(rows, CHECK_POSITION, 0, log_filters, SETTING_BINLOG_FILTER, ret);
    if (set_count > CHECK_REPLICA)
        fold_replica(rows, shape, ret);
    if (set_count > CHECK_BOOT)
        mysql_fold_boot(rows, CHECK_BOOT, ret->value[SETTING_BOOT_READ_ONLY], sizeof ret->value[SETTING_BOOT_READ_ONLY]);
    return true;
}

/* ---- the deeds ---------------------------------------------------------------------------------------------------- */

static void checked(struct deed *deed, const struct session_answer *answer)
{
    const struct host *host = deed_host(deed);
    const struct check_times times = { deed->asked_unix_ms, host->unix_ms(host->agent) };
    struct server_settings settings;
    struct look_shape shape;
    deed_shape(deed, &shape);
    const bool came_back = answer->code == FC_OK || answer->code == FC_STORE;
    if (!came_back || !mysql_check_fold(answer->rows, answer->done_count, &shape, deed_user(deed, LANE_FENCE),
                                        deed_database(deed), times, &settings)) {
        deed_fail_by(deed, answer);
        return;
    }
    deed->result.settings = &settings;      /* heard within deed_done() */
    deed_done(deed);
}

void check_begin(struct deed *deed)
{
    const struct host *host = deed_host(deed);
    deed_text_begin(deed);
    for (int i = 0; i < CHECK_SET_COUNT; i++)
        deed_text_add(deed, mysql_check_statement((enum check_set)i, deed_kind(deed)));
    deed->asked_unix_ms = host->unix_ms(host->agent);
    deed_send(deed, checked);
}

static void compared(struct deed *deed, const struct session_answer *answer)
{
    if (deed_lacks_schema(answer)) {
        deed_fail(deed, FC_NOT_FOUND, "firstchair's tables are not there yet");
        return;
    }
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    deed->result.rows = answer->rows;
    deed_done(deed);
}

void compare_begin(struct deed *deed)
{
    deed_text_begin(deed);
    for (int i = 0; i < compare_table_count; i++)
        deed_text_add(deed, compare_tables[i].statement);
    deed_send(deed, compared);
}
