#include "answers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "channel.h"

#define TEXT(name, size) { "", "", "", name, "", 45, size, 253, 1, 39 }
#define INT(name, size) { "", "", "", name, "", 63, size, 3, 161, 0 }
#define BIG(name, size) { "", "", "", name, "", 63, size, 8, 161, 0 }
#define OF_SCHEMA(table, of, name, org, size) { "information_schema", table, of, name, org, 45, size, 253, 4097, 0 }
#define COUNT(table) ((int)(sizeof table / sizeof table[0]))
#define MORE 8
#define STATEMENT_SIZE 4096
#define VALUE_TEXT 160
#define PARSE_ERROR 1064

struct answer_counts answer_counts;

struct asked {
    const struct fleet *fleet;
    const struct server *server;
    const struct asker *asker;
    const char *text;
    int64_t now_ms;
    uint64_t applied;
    struct packets *to;
};

/* --- variables ---------------------------------------------------------------------------------------------------- */

/* How SELECT @@global tells it; SHOW tells all as text, and flags as ON and OFF. */
enum shape { WORD, NUMBER, FLAG };
enum from {
    AS_IT_STANDS = 0, VERSION, COMMENT, HOST_NAME, HOST, PORT, ID, UID, DOMAIN_ID, READ_ONLY, SLAVE_POS, BINLOG_POS, BINLOG_STATE, UPTIME,
};

/* In the order in which SHOW tells them. */
static const struct variable { const char *name; enum shape shape; const char *text; enum from from; } variables[] = {
    { "binlog_format", WORD, "STATEMENT", AS_IT_STANDS }, { "binlog_row_image", WORD, "FULL", AS_IT_STANDS },
    { "gtid_binlog_pos", WORD, NULL, BINLOG_POS }, { "gtid_binlog_state", WORD, NULL, BINLOG_STATE },
    { "gtid_current_pos", WORD, NULL, BINLOG_POS }, { "gtid_domain_id", NUMBER, NULL, DOMAIN_ID },
    { "gtid_slave_pos", WORD, NULL, SLAVE_POS }, { "gtid_strict_mode", FLAG, "1", AS_IT_STANDS }, { "hostname", WORD, NULL, HOST_NAME },
    { "innodb_flush_log_at_trx_commit", NUMBER, "1", AS_IT_STANDS }, { "log_bin", FLAG, "1", AS_IT_STANDS },
    { "log_slave_updates", FLAG, "1", AS_IT_STANDS }, { "read_only", FLAG, NULL, READ_ONLY }, { "report_host", WORD, NULL, HOST },
    { "report_port", NUMBER, NULL, PORT }, { "rpl_semi_sync_master_enabled", FLAG, "0", AS_IT_STANDS },
    { "rpl_semi_sync_master_timeout", NUMBER, "10000", AS_IT_STANDS }, { "rpl_semi_sync_master_wait_no_slave", FLAG, "1", AS_IT_STANDS },
    { "rpl_semi_sync_master_wait_point", WORD, "AFTER_COMMIT", AS_IT_STANDS }, { "rpl_semi_sync_slave_enabled", FLAG, "0", AS_IT_STANDS },
    { "server_id", NUMBER, NULL, ID }, { "server_uid", WORD, NULL, UID }, { "sync_binlog", NUMBER, "1", AS_IT_STANDS },
    { "version", WORD, NULL, VERSION }, { "version_comment", WORD, NULL, COMMENT },
};
static const struct variable states[] = {
    { "Rpl_semi_sync_master_clients", NUMBER, "0", AS_IT_STANDS }, { "Rpl_semi_sync_master_status", FLAG, "0", AS_IT_STANDS },
    { "Rpl_semi_sync_slave_status", FLAG, "0", AS_IT_STANDS }, { "Uptime", NUMBER, NULL, UPTIME },
};

/* 28 characters, as the real ones have; not the same of any two. */
static void put_uid(uint32_t id, char to[VALUE_TEXT])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t mixed = id;
    for (int i = 0; i < 27; i++) {
        mixed = mixed * 6364136223846793005u + 1442695040888963407u;
        to[i] = letters[mixed >> 58];
    }
    snprintf(to + 19, VALUE_TEXT - 19, "%08x=", id);
}

static const char *value_of(const struct asked *a, const struct variable *v, char to[VALUE_TEXT])
{
    const struct server *s = a->server;
    to[0] = '\0';
    switch (v->from) {
    case AS_IT_STANDS:
        return v->text;
    case VERSION:
        return a->fleet->version;
    case COMMENT:
        return a->fleet->comment;
    case HOST_NAME:
        return a->fleet->host_name;
    case HOST:
        return s->host;
    case PORT:
        snprintf(to, VALUE_TEXT, "%u", a->fleet->port);
        return to;
    case ID:
        snprintf(to, VALUE_TEXT, "%u", s->server_id);
        return to;
    case UID:
        put_uid(s->server_id, to);
        return to;
    case DOMAIN_ID:
        snprintf(to, VALUE_TEXT, "%u", s->domain);
        return to;
    case READ_ONLY:
        return s->is_read_only ? "1" : "0";
    case SLAVE_POS:
        if (s->master != NO_MASTER)
            fleet_gtid(s, a->applied, to);
        return to;
    case BINLOG_POS:
        fleet_gtid(s, a->applied, to);
        return to;
    case BINLOG_STATE:
        fleet_gtid_state(s, a->applied, to);
        return to;
    case UPTIME:
        snprintf(to, VALUE_TEXT, "%lld", (long long)(a->now_ms - s->started_ms) / 1000);
        return to;
    }
    return to;
}

/* Is 'NAME' among the names that were asked for? */
static bool is_asked(const char *text, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = strcasestr(text, name); at != NULL; at = strcasestr(at + 1, name)) {
        if (at > text && at[-1] == '\'' && at[length] == '\'')
            return true;
    }
    return false;
}

static void show_variables(const struct asked *a, const struct variable *list, int count, const struct column columns[2])
{
    char value[VALUE_TEXT];
    put_columns(a->to, columns, 2);
    for (int i = 0; i < count; i++) {
        if (!is_asked(a->text, list[i].name))
            continue;
        const char *text = value_of(a, &list[i], value);
        packet_begin(a->to);
        put_word(a->to, list[i].name);
        put_word(a->to, list[i].shape != FLAG ? text : text[0] == '1' ? "ON" : "OFF");
        packet_end(a->to);
    }
    put_end(a->to);
}

static void answer_variables(const struct asked *a)
{
    static const struct column columns[] = {
        OF_SCHEMA("SESSION_VARIABLES", "SESSION_VARIABLES", "Variable_name", "VARIABLE_NAME", 256),
        OF_SCHEMA("SESSION_VARIABLES", "SESSION_VARIABLES", "Value", "VARIABLE_VALUE", 16384),
    };
    show_variables(a, variables, COUNT(variables), columns);
}

static void answer_states(const struct asked *a)
{
    static const struct column columns[] = {
        OF_SCHEMA("SESSION_STATUS", "SESSION_STATUS", "Variable_name", "VARIABLE_NAME", 256),
        OF_SCHEMA("SESSION_STATUS", "SESSION_STATUS", "Value", "VARIABLE_VALUE", 16384),
    };
    show_variables(a, states, COUNT(states), columns);
}

/* The variables that SELECT @@global.A AS A, ... names; -1 for one that there is not. */
static int read_names(const char *text, int named[COUNT(variables)], char unknown[64])
{
    int count = 0;
    for (const char *at = strcasestr(text, "@@global."); at != NULL; at = strcasestr(at, "@@global.")) {
        at += strlen("@@global.");
        const size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
        int i = 0;
        while (i < COUNT(variables) && (strlen(variables[i].name) != length || strncmp(variables[i].name, at, length) != 0))
            i++;
        if (i == COUNT(variables) || count == COUNT(variables)) {
            snprintf(unknown, 64, "%.*s", (int)(length < 60 ? length : 60), at);
            return -1;
        }
        named[count++] = i;
    }
    return count;
}

static void put_selected_column(struct packets *to, const struct variable *v, const char *text)
{
    struct column column = { "", "", "", v->name, "", 63, 21, 8, 160, 0 };
    if (v->shape == WORD)
        column = (struct column){ "", "", "", v->name, "", 45, (uint32_t)strlen(text) * 4, 253, 0, 39 };
    if (v->shape == FLAG)
        column = (struct column){ "", "", "", v->name, "", 63, 1, 8, 128, 0 };
    put_column(to, &column);
}

static void answer_selected(const struct asked *a)
{
    int named[COUNT(variables)];
    char unknown[64], said[100], values[COUNT(variables)][VALUE_TEXT];
    const char *texts[COUNT(variables)];
    const int count = read_names(a->text, named, unknown);
    if (count <= 0) {
        snprintf(said, sizeof said, "Unknown system variable '%s'", unknown);
        put_error(a->to, 1193, "HY000", said);
        return;
    }
    put_column_count(a->to, count);
    for (int i = 0; i < count; i++) {
        texts[i] = value_of(a, &variables[named[i]], values[i]);
        put_selected_column(a->to, &variables[named[i]], texts[i]);
    }
    put_end(a->to);
    packet_begin(a->to);
    for (int i = 0; i < count; i++)
        put_word(a->to, texts[i]);
    packet_end(a->to);
    put_end(a->to);
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void answer_set(const struct asked *a)
{
    /* Its tracker of system variables tells autocommit, whenever it was named. */
    static const char tracked[] = "\0\x10\0\x0e\nautocommit\2ON";
    const bool is_tracked = strcasestr(a->text, "autocommit") != NULL;
    put_ok(a->to, is_tracked ? tracked : "", is_tracked ? sizeof tracked - 1 : 0);
}

static void answer_grants(const struct asked *a)
{
    char name[128], text[300];
    snprintf(name, sizeof name, "Grants for %s@%s", a->asker->user, a->asker->host);
    const struct column column = TEXT(name, 4096);
    snprintf(text, sizeof text, "GRANT PROCESS, BINLOG MONITOR, REPLICATION MASTER ADMIN, SLAVE MONITOR ON *.* TO `%s`@`%s` "
             "IDENTIFIED BY PASSWORD '*0000000000000000000000000000000000000000'", a->asker->user, a->asker->host);
    put_columns(a->to, &column, 1);
    packet_begin(a->to);
    put_word(a->to, text);
    packet_end(a->to);
    put_end(a->to);
}

static void answer_channels(const struct asked *a)
{
    answer_counts.probes++;
    channel_answer(a->fleet, a->server, a->now_ms, a->to);
    put_end(a->to);
}

static void answer_log(const struct asked *a)
{
    static const struct column columns[] = { TEXT("File", 2048), BIG("Position", 20), TEXT("Binlog_Do_DB", 1020), TEXT("Binlog_Ignore_DB", 1020) };
    put_columns(a->to, columns, COUNT(columns));
    packet_begin(a->to);
    put_word(a->to, "bin.000001");
    put_row_number(a->to, fleet_offset(a->applied));
    put_word(a->to, "");
    put_word(a->to, "");
    packet_end(a->to);
    put_end(a->to);
}

static const struct server *replica_from(const struct asked *a, uint32_t index)
{
    while (index != NO_MASTER && !fleet_is_fetching(a->fleet, &a->fleet->servers[index]))
        index = a->fleet->servers[index].next_replica;
    return index == NO_MASTER ? NULL : &a->fleet->servers[index];
}

static void answer_replicas(const struct asked *a)
{
    static const struct column columns[] = { INT("Server_id", 10), TEXT("Host", 80), INT("Port", 7), INT("Master_id", 10) };
    put_columns(a->to, columns, COUNT(columns));
    for (const struct server *r = replica_from(a, a->server->first_replica); r != NULL; r = replica_from(a, r->next_replica)) {
        packet_begin(a->to);
        put_row_number(a->to, r->server_id);
        put_word(a->to, r->host);
        put_row_number(a->to, a->fleet->port);
        put_row_number(a->to, a->server->server_id);
        packet_end(a->to);
    }
    put_end(a->to);
}

static void answer_threads(const struct asked *a)
{
    static const struct column columns[] = { OF_SCHEMA("processlist", "PROCESSLIST", "user", "USER", 512),
                                             OF_SCHEMA("processlist", "PROCESSLIST", "host", "HOST", 256) };
    char host[ADDRESS_TEXT + 8];
    put_columns(a->to, columns, COUNT(columns));
    for (const struct server *r = replica_from(a, a->server->first_replica); r != NULL; r = replica_from(a, r->next_replica)) {
        snprintf(host, sizeof host, "%s:%u", r->host, 40000 + r->index % 20000);
        packet_begin(a->to);
        put_word(a->to, "repl");
        put_word(a->to, host);
        packet_end(a->to);
    }
    put_end(a->to);
}

static const struct { const char *begins; void (*answer)(const struct asked *a); } statements[] = {
    { "select @@global.", answer_selected }, { "show global status where", answer_states }, { "show all slaves status", answer_channels },
    { "show master status", answer_log }, { "show slave hosts", answer_replicas }, { "show global variables where", answer_variables },
    { "show grants", answer_grants }, { "select user, host from information_schema.processlist where command in ('Binlog Dump'", answer_threads },
    { "set ", answer_set }, { "do ", answer_set },
};

static bool answer_one(const struct asked *a)
{
    char said[200];
    answer_counts.statements++;
    for (int i = 0; i < COUNT(statements); i++) {
        if (strncasecmp(a->text, statements[i].begins, strlen(statements[i].begins)) != 0)
            continue;
        const size_t before = a->to->length;
        statements[i].answer(a);
        return a->to->bytes[before + PACKET_HEAD] != 0xff;
    }
    answer_counts.unknown++;
    snprintf(said, sizeof said, "a simulated server does not know this: %.120s", a->text);
    put_error(a->to, PARSE_ERROR, "42000", said);
    return false;
}

/* The end of the statement that begins here: a ';' outside of quotes, or all. */
static const char *end_of(const char *at, const char *end)
{
    for (bool is_quoted = false; at < end; at++) {
        is_quoted ^= *at == '\'';
        if (*at == ';' && !is_quoted)
            break;
    }
    return at;
}

static char *heard[HEARD_MAX];

const char *answer_heard(int which) { return which < HEARD_MAX ? heard[which] : NULL; }

static void note_heard(const char *text, size_t length)
{
    for (int i = 0; i < HEARD_MAX; i++) {
        if (heard[i] == NULL) {
            heard[i] = strndup(text, length);
            return;
        }
        if (strlen(heard[i]) == length && memcmp(heard[i], text, length) == 0)
            return;
    }
}

void answer_query(const struct fleet *fleet, const struct server *server, const struct asker *asker, const char *text, size_t length,
                  int64_t now_ms, struct packets *to)
{
    char statement[STATEMENT_SIZE];
    const struct asked a = { .fleet = fleet, .server = server, .asker = asker, .text = statement, .now_ms = now_ms,
                             .applied = fleet_applied(fleet, server, now_ms), .to = to };
    const char *at = text, *const end = text + length;
    answer_counts.round_trips++;
    note_heard(text, length);
    do {
        while (at < end && isspace((unsigned char)*at))
            at++;
        const char *next = end_of(at, end);
        snprintf(statement, sizeof statement, "%.*s", (int)(next - at), at);
        to->status = (uint16_t)(next < end ? 2 | MORE : 2);
        if (!answer_one(&a))
            return;
        at = next + 1;
    } while (at < end);
}

void answer_greeting(const struct fleet *fleet, const struct asker *asker, struct packets *to)
{
    const uint32_t can = 0x81fff7fe;      /* what MariaDB 10.11 says without TLS */
    packets_clear(to, 0);
    packet_begin(to);
    put_number(to, 10, 1);
    put_bytes(to, "5.5.5-", 6);
    put_bytes(to, fleet->version, strlen(fleet->version) + 1);
    put_number(to, asker->session, 4);
    put_bytes(to, "abcdefgh", 9);         /* the seed of a password that nobody checks */
    put_number(to, can & 0xffff, 2);
    put_number(to, 8, 1);
    put_number(to, 2, 2);
    put_number(to, can >> 16, 2);
    put_number(to, 21, 1);
    put_bytes(to, "\0\0\0\0\0\0", 6);
    put_number(to, 29, 4);                /* progress, bulk, extended and cached metadata */
    put_bytes(to, "ijklmnopqrst", 13);
    put_bytes(to, "mysql_native_password", 22);
    packet_end(to);
}
