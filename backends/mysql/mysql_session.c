/* One session, as a small machine over Connector/C's *_start and *_cont calls.
 *
 *   CLOSED -> RESOLVING -> CONNECTING -> SETTLING -> IDLE <-> QUERYING
 *
 * Any failure leads to CLOSED and, when a query is under way, to its one answer. Operations of the library are walked by
 * drive(): start or continue, then either wait for the descriptor or finish and begin the next one. An operation that
 * finishes within mysql_session_query() is put off to the timer, so that no answer comes from within. */
#include "backends/mysql/mysql_session.h"

#include <assert.h>
#include <errmsg.h>
#include <errno.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/sql_statements.h"
#include "base/text.h"

#define RECONNECT_PAUSE_MS 20        /* between two connects of one session, so that a refusing port costs no CPU */
#define NAME_KEPT_MS 60000           /* how long resolved addresses are used */
#define ADDRESSES_MAX 4              /* of one name; after a failed connect the next one is tried */
#define PACKET_MAX (1ul << 20)       /* a server that sends more in one packet is not believed */
#define READ_MAX (64ul << 20)        /* more in one read is no length */
#define ANSWER_BYTES_MAX (512u << 10)    /* all of one answer; a look has some 20 kB. The library loses what it had begun to keep */
#define SETTLING_CAPABILITIES 2      /* sets of the first round trip: two of settings, then these */
#define SETTLING_GRANTS 3
#define SETTLING_USE 4
#define START (-1)
#define IDLE_STACK 1024              /* of an idle session: nothing runs on it */
#define INSECURE_TRANSPORT 3159      /* ER_SECURE_TRANSPORT_REQUIRED of both families; the header has it for one */

enum state { CLOSED, RESOLVING, CONNECTING, SETTLING, IDLE, QUERYING };
enum operation { OP_CONNECT, OP_QUERY, OP_NEXT, OP_FETCH };

/* Exported by Connector/C 3 (libmariadb_3), declared in a header that is not installed: called after each read from a server. */
int ma_pvio_register_callback(my_bool is_new, void (*read_or_written)(int mode, MYSQL *mysql, const unsigned char *bytes, size_t length));

struct name_job {
    struct mysql_session *session;   /* NULL: closed meanwhile */
    char name[ADDRESS_SIZE];
    char ip[ADDRESSES_MAX][64];
    int ip_count;
    char error[96];
};

struct mysql_session {
    const struct host *host;
    struct mysql_session_setting setting;
    mysql_session_ended *ended;
    void *owner;
    enum state state;
    struct host_timer *timer;
    struct host_watch *watch;
    int watch_fd;

    char name[ADDRESS_SIZE];         /* host of the address, and what it was resolved to */
    char ip[ADDRESSES_MAX][64];
    int ip_count, ip_next;
    int port;
    struct fc_time ip_until;
    struct name_job *job;

    MYSQL *mysql;
    MYSQL_RES *result;
    enum operation operation;
    int waiting;                     /* MYSQL_WAIT_* wanted by the operation under way */
    bool is_finish_due;              /* the operation is done; the rest of it goes on from the timer */
    struct fc_time library_until;    /* the library's own time-out */
    int error;                       /* out places of the operations: they must outlive the call */
    MYSQL *connected;
    MYSQL_ROW row;
    struct fc_time connect_at;       /* not earlier */
    struct fc_time dial_until;       /* CONNECTING: then it is begun anew, if nobody has answered */
    struct fc_time connect_until;    /* not later, connect, greeting and first round trip done */
    uint64_t received;               /* bytes since the query or the connect began */
    bool is_flooded;

    bool has_query;
    char *text;
    size_t length;
    struct fc_time deadline, sent_at;
    mysql_session_answered *answered;
    void *answer_owner;
    struct mysql_rows rows;
    int done_count;

    char settling[2048];             /* the first round trip of a connection */
    size_t settling_length;
    struct mysql_server_kind kind;
    bool has_database;
    bool stays;                      /* it is not connected again */
};

static void drive(struct mysql_session *s, int status);
static void connect_or_resolve(struct mysql_session *s);

static struct fc_time now_of(const struct mysql_session *s) { return s->host->now(s->host->agent); }

/* --- losing, answering -------------------------------------------------------------------------------------------- */

static void unwatch(struct mysql_session *s)
{
    s->host->unwatch(s->watch);
    s->watch = NULL;
    s->watch_fd = -1;
}

/* Bytes that the kernel still holds are sent again for minutes: after a cut has healed they would arrive. So a connection is
 * dissolved, not shut, when they must not; the peer then learns of its end by its own keepalive if no reset reaches it. */
static void cut(int fd, bool takes_back)
{
    const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
    if (takes_back)
        connect(fd, &nowhere, sizeof nowhere);
    else
        shutdown(fd, SHUT_RDWR);
}

/* Drops the handle without waiting. Whatever is half read of a result must not be read on: its handle is taken away. */
static void drop_handle(struct mysql_session *s, bool is_orderly)
{
    unwatch(s);
    if (s->result != NULL) {
        s->result->handle = NULL;
        mysql_free_result(s->result);
        s->result = NULL;
    }
    if (s->mysql != NULL) {
        const int fd = (int)mysql_get_socket(s->mysql);
        if (!is_orderly && fd >= 0)
            cut(fd, s->setting.takes_back && s->state == QUERYING);
        mysql_close(s->mysql);
        s->mysql = NULL;
    }
    s->waiting = 0;
    s->is_finish_due = false;
    s->library_until = FC_NEVER;
    s->state = CLOSED;
}

static void answer(struct mysql_session *s, struct session_answer *with)
{
    mysql_session_answered *answered = s->answered;
    assert(s->has_query);
    with->sent_at = s->sent_at;
    with->rows = &s->rows;
    with->done_count = s->done_count;
    s->has_query = false;
    free(s->text);
    s->text = NULL;
    s->host->timer_stop(s->timer);
    answered(s->answer_owner, with);      /* may begin the next query, or close us: nothing is touched after it */
}

/* Has the server's kernel not even answered? */
static bool is_unanswered(const struct mysql_session *s)
{
    struct tcp_info tcp;
    socklen_t size = sizeof tcp;
    if (s->state != CONNECTING)
        return s->state == CLOSED || s->state == RESOLVING;
    const int fd = s->mysql == NULL ? -1 : (int)mysql_get_socket(s->mysql);
    return fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &size) != 0 || tcp.tcpi_state == TCP_SYN_SENT ||
           tcp.tcpi_state == TCP_CLOSE;
}

/* Between the connect and its end a server can hang as well: then the kernel has connected us, and nobody greets. */
static enum probe_phase phase_of(const struct mysql_session *s, unsigned number)
{
    const bool has_connected = number != 0 && number != CR_CONN_HOST_ERROR && number != CR_CONNECTION_ERROR &&
                               number != CR_UNKNOWN_HOST;
    switch (s->state) {
    case RESOLVING:
        return PROBE_RESOLVING;
    case CONNECTING:
        return has_connected || !is_unanswered(s) ? PROBE_GREETING : PROBE_CONNECTING;
    case CLOSED:
        return PROBE_CONNECTING;
    case SETTLING:
        return PROBE_GREETING;
    case QUERYING:
        return PROBE_READING;
    case IDLE:
        return PROBE_IDLE;
    }
    return PROBE_CONNECTING;
}

static void lose(struct mysql_session *s, enum fc_code code, enum loss loss, unsigned number, const char *why)
{
    struct session_answer with = { .code = code, .loss = loss, .error_number = number, .phase = phase_of(s, number) };
    with.is_unconnected = loss == LOSS_SILENT && is_unanswered(s);
    TEXT_FORMAT(with.text, "%s: %s", s->setting.label, why);
    text_make_plain(with.text);
    if (s->state == CONNECTING)
        s->ip_next = (s->ip_next + 1) % ADDRESSES_MAX;
    drop_handle(s, false);
    s->connect_at = fc_plus(now_of(s), fc_ms(RECONNECT_PAUSE_MS));
    if (s->has_query)
        answer(s, &with);
    else if (s->ended != NULL)
        s->ended(s->owner, loss, with.text);
}

static const struct { unsigned number; enum loss loss; } number_losses[] = {
    { CR_SERVER_GONE_ERROR, LOSS_ENDED },   { CR_SERVER_LOST, LOSS_ENDED },
    { CR_SERVER_LOST_EXTENDED, LOSS_ENDED }, { ER_SERVER_SHUTDOWN, LOSS_ENDED },
    { ER_CONNECTION_KILLED, LOSS_ENDED },   { ER_ACCESS_DENIED_ERROR, LOSS_DENIED },
    { ER_DBACCESS_DENIED_ERROR, LOSS_DENIED }, { ER_HOST_NOT_PRIVILEGED, LOSS_DENIED },
    { ER_HOST_IS_BLOCKED, LOSS_DENIED },    { ER_ACCESS_DENIED_NO_PASSWORD_ERROR, LOSS_DENIED },
    { ER_TABLEACCESS_DENIED_ERROR, LOSS_DENIED }, { INSECURE_TRANSPORT, LOSS_DENIED }, { ER_SPECIFIC_ACCESS_DENIED_ERROR, LOSS_DENIED },
    { CR_AUTH_PLUGIN_CANNOT_LOAD, LOSS_DENIED }, { CR_AUTH_PLUGIN_ERR, LOSS_DENIED },
};

/* The system's error stands at the end of the library's sentence: "... (111)". */
static int system_error_of(const char *text)
{
    const char *open = strrchr(text, '(');
    return open == NULL ? 0 : (int)strtol(open + 1, NULL, 10);
}

static enum loss loss_of(unsigned number, const char *text)
{
    if (number == CR_CONN_HOST_ERROR || number == CR_CONNECTION_ERROR) {
        const int error = system_error_of(text);
        return error == ECONNREFUSED ? LOSS_REFUSED : error == ECONNRESET || error == EPIPE ? LOSS_ENDED : LOSS_SILENT;
    }
    for (size_t i = 0; i < sizeof number_losses / sizeof number_losses[0]; i++) {
        if (number_losses[i].number == number)
            return number_losses[i].loss;
    }
    return LOSS_BROKEN;
}

/* Is the connection still good after this error? The client's own numbers, and a server that says farewell, mean no. */
static bool is_statement_error(unsigned number)
{
    const bool is_client = (number >= CR_MIN_ERROR && number <= 2999) || (number >= CER_MIN_ERROR && number <= 5999);
    return number != 0 && !is_client && number != ER_SERVER_SHUTDOWN && number != ER_CONNECTION_KILLED;
}

static void lose_by_library(struct mysql_session *s)
{
    const unsigned number = mysql_errno(s->mysql);
    char why[160];
    if (s->is_flooded) {
        lose(s, FC_UNREACHABLE, LOSS_BROKEN, 0, "its answer is larger than any that we ask for");
        return;
    }
    TEXT_FORMAT(why, "%s (%u)", number == 0 ? "the protocol was broken" : mysql_error(s->mysql), number);
    lose(s, FC_UNREACHABLE, loss_of(number, mysql_error(s->mysql)), number, why);
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

static bool is_connecting(const struct mysql_session *s)
{
    return s->has_query && (s->state == RESOLVING || s->state == CONNECTING || s->state == SETTLING);
}

static void set_timer(struct mysql_session *s)
{
    struct fc_time at = FC_NEVER;
    if (s->is_finish_due)
        at = FC_EVER;
    if (s->has_query)
        at = fc_earlier(at, s->deadline);
    if (s->has_query && s->state == CLOSED)
        at = fc_earlier(at, s->connect_at);
    if (s->state == CONNECTING)
        at = fc_earlier(at, s->dial_until);
    if (is_connecting(s))
        at = fc_earlier(at, s->connect_until);
    at = fc_earlier(at, s->library_until);
    if (fc_is_never(at))
        s->host->timer_stop(s->timer);
    else
        s->host->timer_set(s->timer, fc_is_ever(at) ? now_of(s) : at);
}

static void on_ready(void *owner, int ready);

static void watch(struct mysql_session *s, int wanted)
{
    const int fd = (int)mysql_get_socket(s->mysql);
    if (s->watch != NULL && fd == s->watch_fd) {
        s->host->watch_change(s->watch, wanted);
        return;
    }
    unwatch(s);
    if (fd >= 0) {
        s->watch = s->host->watch(s->host->agent, fd, wanted, on_ready, s);
        s->watch_fd = fd;
    }
}

static void wait_for(struct mysql_session *s, int waiting)
{
    s->waiting = waiting;
    s->library_until = FC_NEVER;
    if ((waiting & MYSQL_WAIT_TIMEOUT) != 0)
        s->library_until = fc_plus(now_of(s), fc_ms(mysql_get_timeout_value_ms(s->mysql)));
    watch(s, ((waiting & MYSQL_WAIT_READ) != 0 ? HOST_READ : 0) | ((waiting & MYSQL_WAIT_WRITE) != 0 ? HOST_WRITE : 0));
    set_timer(s);
}

/* --- what the server is ------------------------------------------------------------------------------------------- */

static const char *variable(const struct mysql_rows *rows, const char *name)
{
    for (uint32_t i = 0; i < mysql_rows_count(rows, SETTLING_CAPABILITIES); i++) {
        if (text_is_nocase(mysql_rows_cell(rows, SETTLING_CAPABILITIES, i, 0), name))
            return mysql_rows_cell(rows, SETTLING_CAPABILITIES, i, 1);
    }
    return NULL;
}

/* server_uuid is the server's own. MariaDB's server_uid tells machine and port apart, server_id the members of one
 * replication from each other (images of one machine share the first), so both together. */
static void read_identity(struct mysql_server_kind *kind, const struct mysql_rows *rows)
{
    const char *uuid = variable(rows, "server_uuid"), *uid = variable(rows, "server_uid");
    const char *id = variable(rows, "server_id"), *name = variable(rows, "hostname");
    uint64_t number = 0;
    if (uid == NULL)
        uid = variable(rows, "feedback_server_uid");
    if (id != NULL && text_to_u64(id, strlen(id), &number))
        kind->server_id = (uint32_t)number;
    if (uuid != NULL && uuid[0] != '\0')
        TEXT_SET(kind->identity, uuid);
    else if (uid != NULL && uid[0] != '\0')
        TEXT_FORMAT(kind->identity, "%.60s:%u", uid, kind->server_id);
    else
        TEXT_FORMAT(kind->identity, "id:%u:%.50s", kind->server_id, name == NULL ? "" : name);
    text_make_plain(kind->identity);
}

/* Privileges are told by name, and those on everything alone matter here. */
static void read_grant(struct mysql_server_kind *kind, const char *grant)
{
    const char *on = strstr(grant, " ON *.* ");
    char privileges[1024];
    if (on == NULL)
        return;
    text_copy_bytes(privileges, sizeof privileges, grant, (size_t)(on - grant));
    const bool is_all = strstr(privileges, "ALL PRIVILEGES") != NULL;
    kind->sees_all_sessions |= is_all || strstr(privileges, "PROCESS") != NULL;
    kind->is_above_read_only |= is_all || strstr(privileges, "SUPER") != NULL ||
                                strstr(privileges, "READ_ONLY ADMIN") != NULL ||
                                strstr(privileges, "READ ONLY ADMIN") != NULL ||
                                (!kind->is_mariadb && strstr(privileges, "CONNECTION_ADMIN") != NULL);
}

static void read_kind(struct mysql_session *s)
{
    struct mysql_server_kind *kind = &s->kind;
    const char *version = variable(&s->rows, "version");
    unsigned major = 0, minor = 0, patch = 0;

    *kind = (struct mysql_server_kind){ 0 };
    TEXT_SET(kind->version, version == NULL ? mysql_get_server_info(s->mysql) : version);
    text_make_plain(kind->version);
    kind->is_mariadb = strstr(kind->version, "MariaDB") != NULL || variable(&s->rows, "gtid_binlog_pos") != NULL;
    char *end = kind->version;
    major = (unsigned)strtoul(end, &end, 10);
    minor = *end == '.' ? (unsigned)strtoul(end + 1, &end, 10) : 0;
    patch = *end == '.' ? (unsigned)strtoul(end + 1, &end, 10) : 0;
    const unsigned long number = major * 10000ul + minor * 100 + patch;
    kind->is_new_names = !kind->is_mariadb && number >= 80022;
    kind->is_new_log_name = !kind->is_mariadb && number >= 80200;
    kind->has_gtid = variable(&s->rows, kind->is_mariadb ? "gtid_binlog_pos" : "gtid_executed") != NULL;
    kind->session_id = mysql_thread_id(s->mysql);
    kind->has_super_read_only = variable(&s->rows, "super_read_only") != NULL;
    read_identity(kind, &s->rows);
    for (uint32_t i = 0; i < mysql_rows_count(&s->rows, SETTLING_GRANTS); i++) {
        const char *grant = mysql_rows_cell(&s->rows, SETTLING_GRANTS, i, 0);
        if (grant != NULL)
            read_grant(kind, grant);
    }
}

/* --- the round trips ---------------------------------------------------------------------------------------------- */

static bool write_settling(struct mysql_session *s)
{
    char *to = s->settling;
    const size_t size = sizeof s->settling;
    static const enum sql_name names[] = {
        SQL_SESSION_SETTINGS, SQL_SERVER_CAPABILITIES, SQL_SERVER_GRANTS, SQL_DATABASE_USE,
    };
    size_t length = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sql_values values = { 0 };
        if (names[i] == SQL_DATABASE_USE && s->setting.database[0] == '\0')
            continue;
        if (names[i] == SQL_DATABASE_USE)
            sql_values_database(&values, s->setting.database);
        const size_t more = sql_fill(names[i], &values, to + length, size - length);
        if (more == 0 || length + more + 2 > size)
            return false;
        length += more;
        to[length++] = ';';
    }
    to[length - 1] = '\0';
    s->settling_length = length - 1;
    return true;
}

/* Begins what the query is for: after the connect is settled, or on a session that stands. */
static void begin_query(struct mysql_session *s)
{
    s->state = QUERYING;
    s->operation = OP_QUERY;
    s->done_count = 0;
    mysql_rows_clear(&s->rows);
    s->sent_at = now_of(s);
}

/* The library runs an operation on a stack of its own, 60 kB, and keeps that for as long as the session stands. Setting the option again is
 * how it is given another one, which it refuses while an operation is suspended. */
static void take_stack(struct mysql_session *s, bool is_for_work)
{
    const size_t small = IDLE_STACK;
    if (s->setting.is_one_of_many)
        mysql_options(s->mysql, MYSQL_OPT_NONBLOCK, is_for_work ? NULL : &small);
    if (s->setting.is_one_of_many && !is_for_work)
        mysql_options(s->mysql, MYSQL_OPT_CONNECT_ATTR_RESET, NULL);      /* the server has them, and 8 kB are free */
}

static void begin_idle(struct mysql_session *s)
{
    take_stack(s, false);
    s->state = IDLE;
    s->waiting = 0;
    s->library_until = FC_NEVER;
    watch(s, HOST_READ);
}

/* The whole round trip is done (number 0), or a statement failed and the session still stands. True: go on driving. */
static bool end_round_trip(struct mysql_session *s, unsigned number)
{
    struct session_answer with = { .code = number == 0 ? FC_OK : FC_STORE, .error_number = number, .phase = PROBE_READING };

    if (s->state == SETTLING) {
        const bool is_use = s->done_count == SETTLING_USE;
        if (number != 0 && !(is_use && (number == ER_BAD_DB_ERROR || number == ER_DBACCESS_DENIED_ERROR))) {
            lose_by_library(s);
            return false;
        }
        s->has_database = number == 0;
        read_kind(s);
        if (!s->has_query) {
            begin_idle(s);
            return false;
        }
        begin_query(s);
        return true;
    }
    if (number != 0) {
        TEXT_FORMAT(with.text, "%s: %s (%u)", s->setting.label, mysql_error(s->mysql), number);
        text_make_plain(with.text);
    }
    begin_idle(s);
    answer(s, &with);
    return false;
}

static bool end_by_error(struct mysql_session *s)
{
    const unsigned number = mysql_errno(s->mysql);
    if (is_statement_error(number))
        return end_round_trip(s, number);
    lose_by_library(s);
    return false;
}

static bool next_result(struct mysql_session *s)
{
    s->done_count++;
    if (!mysql_more_results(s->mysql))
        return end_round_trip(s, 0);
    s->operation = OP_NEXT;
    return true;
}

static bool begin_result(struct mysql_session *s)
{
    const unsigned columns = mysql_field_count(s->mysql);
    bool fits = mysql_rows_begin_set(&s->rows, columns);

    if (fits && columns == 0)
        return next_result(s);
    s->result = mysql_use_result(s->mysql);
    if (s->result == NULL)
        return end_by_error(s);
    const MYSQL_FIELD *fields = mysql_fetch_fields(s->result);
    for (unsigned i = 0; fits && i < columns; i++)
        fits = mysql_rows_add_name(&s->rows, fields[i].name);
    if (!fits) {
        lose(s, FC_UNREACHABLE, LOSS_BROKEN, 0, "its answer is larger than any that we ask for");
        return false;
    }
    s->operation = OP_FETCH;
    return true;
}

static bool take_row(struct mysql_session *s)
{
    if (s->row == NULL) {
        const bool is_whole = mysql_errno(s->mysql) == 0;
        if (!is_whole)
            s->result->handle = NULL;      /* nothing more is read of it */
        mysql_free_result(s->result);
        s->result = NULL;
        return is_whole ? next_result(s) : end_by_error(s);
    }
    const unsigned columns = mysql_num_fields(s->result);
    const unsigned long *lengths = mysql_fetch_lengths(s->result);
    for (unsigned i = 0; i < columns; i++) {
        if (!mysql_rows_add_cell(&s->rows, s->row[i], s->row[i] == NULL ? 0 : lengths[i])) {
            lose(s, FC_UNREACHABLE, LOSS_BROKEN, 0, "its answer is larger than any that we ask for");
            return false;
        }
    }
    mysql_rows_end_row(&s->rows);
    return true;
}

static bool settle(struct mysql_session *s)
{
    if (s->connected == NULL) {
        lose_by_library(s);
        return false;
    }
    if (!write_settling(s)) {
        lose(s, FC_BAD_CONFIG, LOSS_BROKEN, 0, "the name of the schema is too long");
        return false;
    }
    begin_query(s);
    s->state = SETTLING;
    return true;
}

/* The operation under way is done. True: s->operation is the next one, to be started. */
static bool finish_operation(struct mysql_session *s)
{
    switch (s->operation) {
    case OP_CONNECT:
        return settle(s);
    case OP_QUERY:
        return s->error != 0 ? end_by_error(s) : begin_result(s);
    case OP_NEXT:
        return s->error > 0 ? end_by_error(s) : s->error < 0 ? end_round_trip(s, 0) : begin_result(s);
    case OP_FETCH:
        return take_row(s);
    }
    return false;
}

static _Thread_local struct mysql_session *reading;        /* whose operation is started or continued at this moment */

/* The library reads on for as long as a server sends, and keeps what it tells of its columns, however much that is. So the
 * bytes of an answer are counted at each read, and past the bound the connection is cut under the library's feet. */
static void count_read(int mode, MYSQL *mysql, const unsigned char *bytes, size_t length)
{
    struct mysql_session *s = reading;
    (void)bytes;
    if (mode != 0 || length > READ_MAX || s == NULL || s->mysql != mysql)
        return;                                            /* a failed read has the length -1 */
    s->received += length;
    if (s->received > ANSWER_BYTES_MAX) {
        s->is_flooded = true;
        cut((int)mysql_get_socket(mysql), true);
    }
}

static int start_operation(struct mysql_session *s)
{
    switch (s->operation) {
    case OP_CONNECT:
        return mysql_real_connect_start(&s->connected, s->mysql, s->ip[s->ip_next % s->ip_count], s->setting.user,
                                        s->setting.password, NULL, (unsigned)s->port, NULL,
                                        CLIENT_MULTI_STATEMENTS | CLIENT_FOUND_ROWS);
    case OP_QUERY:
        s->received = 0;
        return s->state == SETTLING
                   ? mysql_real_query_start(&s->error, s->mysql, s->settling, (unsigned long)s->settling_length)
                   : mysql_real_query_start(&s->error, s->mysql, s->text, (unsigned long)s->length);
    case OP_NEXT:
        return mysql_next_result_start(&s->error, s->mysql);
    case OP_FETCH:
        return mysql_fetch_row_start(&s->row, s->result);
    }
    return 0;
}

static int continue_operation(struct mysql_session *s, int status)
{
    switch (s->operation) {
    case OP_CONNECT:
        return mysql_real_connect_cont(&s->connected, s->mysql, status);
    case OP_QUERY:
        return mysql_real_query_cont(&s->error, s->mysql, status);
    case OP_NEXT:
        return mysql_next_result_cont(&s->error, s->mysql, status);
    case OP_FETCH:
        return mysql_fetch_row_cont(&s->row, s->result, status);
    }
    return 0;
}

static int operate(struct mysql_session *s, int status)
{
    reading = s;
    const int waiting = status == START ? start_operation(s) : continue_operation(s, status);
    reading = NULL;
    return waiting;
}

/* finish_operation() may have closed the session (through the answer) when it says false: nothing is touched then. */
static void drive(struct mysql_session *s, int status)
{
    for (;;) {
        const int waiting = operate(s, status);
        if (waiting != 0) {
            wait_for(s, waiting);
            return;
        }
        if (!finish_operation(s))
            return;
        status = START;
    }
}

/* Starts the first operation of a query or connect; what is done at once is finished from the timer. */
static void begin_operation(struct mysql_session *s)
{
    const int waiting = operate(s, START);
    if (waiting != 0) {
        wait_for(s, waiting);
        return;
    }
    s->waiting = 0;
    s->is_finish_due = true;
    set_timer(s);
}

/* --- idle: is the other side still there? ------------------------------------------------------------------------- */

static void look_at_idle(struct mysql_session *s)
{
    char byte;
    const ssize_t got = recv(s->watch_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    /* A server that speaks unasked says that it shuts down or has ended us: both are farewells. */
    lose(s, FC_UNREACHABLE, LOSS_ENDED, 0, "the server has ended the session");
}

static void on_ready(void *owner, int ready)
{
    struct mysql_session *s = owner;
    int status = ((ready & HOST_READ) != 0 ? MYSQL_WAIT_READ : 0) | ((ready & HOST_WRITE) != 0 ? MYSQL_WAIT_WRITE : 0);

    if (s->state == IDLE) {
        look_at_idle(s);
        return;
    }
    status &= s->waiting;
    if (status != 0)
        drive(s, status);
}

/* --- connecting --------------------------------------------------------------------------------------------------- */

static void resolve_on_worker(void *owner)
{
    struct name_job *job = owner;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    const int error = getaddrinfo(job->name, NULL, &hints, &found);
    for (const struct addrinfo *a = found; a != NULL && job->ip_count < ADDRESSES_MAX; a = a->ai_next) {
        char *ip = job->ip[job->ip_count];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, ip, sizeof job->ip[0], NULL, 0, NI_NUMERICHOST) == 0)
            job->ip_count++;
    }
    if (job->ip_count == 0)
        TEXT_FORMAT(job->error, "the name cannot be resolved: %s", gai_strerror(error));
    if (found != NULL)
        freeaddrinfo(found);
}

static void resolved(void *owner)
{
    struct name_job *job = owner;
    struct mysql_session *s = job->session;
    if (s != NULL) {
        s->job = NULL;
        if (s->state == RESOLVING)
            s->state = CLOSED;
        if (job->ip_count > 0) {
            memcpy(s->ip, job->ip, sizeof s->ip);
            s->ip_count = job->ip_count;
            s->ip_until = fc_plus(now_of(s), fc_ms(NAME_KEPT_MS));
        }
        if (s->has_query && s->state == CLOSED && job->ip_count == 0)
            lose(s, FC_UNREACHABLE, LOSS_SILENT, 0, job->error);
        else if (s->has_query && s->state == CLOSED)
            connect_or_resolve(s);
    }
    free(job);
}

static bool is_numeric(const char *name)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };
    struct addrinfo *found = NULL;
    const int error = getaddrinfo(name, NULL, &hints, &found);
    if (found != NULL)
        freeaddrinfo(found);
    return error == 0;
}

static void resolve(struct mysql_session *s)
{
    s->state = RESOLVING;
    set_timer(s);
    if (s->job != NULL)
        return;      /* an earlier query asked already and ran out of time */
    s->job = calloc(1, sizeof *s->job);
    if (s->job != NULL) {
        s->job->session = s;
        TEXT_SET(s->job->name, s->name);
        if (s->host->work(s->host->agent, resolve_on_worker, resolved, s->job))
            return;
        free(s->job);
        s->job = NULL;
    }
    lose(s, FC_BUSY, LOSS_SILENT, 0, "no worker is free to resolve the name");
}

static const char *file_or_none(const char *name) { return name == NULL || name[0] == '\0' ? NULL : name; }

void mysql_store_tls_of(const struct config *config, struct mysql_store_tls *ret)
{
    TEXT_SET(ret->ca_file, config->store_ca_file);
    TEXT_SET(ret->certificate_file, config->store_certificate_file);
    TEXT_SET(ret->key_file, config->store_key_file);
    ret->tls = (struct mysql_tls){ .is_on = config->store_uses_tls, .skips_verifying = config->store_tls_skips_verifying,
                                   .ca_file = ret->ca_file, .certificate_file = ret->certificate_file, .key_file = ret->key_file };
}

struct mysql_tls mysql_topology_tls(const struct config *config)
{
    return (struct mysql_tls){ .is_on = config->topology_always_tls, .is_mixed = config->topology_mixed_tls,
                               .skips_verifying = config->topology_tls_skips_verifying, .ca_file = config->topology_ca_file,
                               .certificate_file = config->topology_certificate_file, .key_file = config->topology_key_file };
}

static void insist_on_tls(MYSQL *mysql, const struct mysql_tls *tls)
{
    const my_bool on = 1, verifies = !tls->skips_verifying;
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &on);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies);
    mysql_options(mysql, MYSQL_OPT_SSL_CA, file_or_none(tls->ca_file));
    mysql_options(mysql, MYSQL_OPT_SSL_CERT, file_or_none(tls->certificate_file));
    mysql_options(mysql, MYSQL_OPT_SSL_KEY, file_or_none(tls->key_file));
}

static MYSQL *handle_new(struct mysql_session *s)
{
    static bool counts_reads;
    MYSQL *mysql = mysql_init(NULL);
    const my_bool off = 0;
    const unsigned protocol = MYSQL_PROTOCOL_TCP, infile = 0;
    const unsigned long packet = PACKET_MAX;
    if (mysql == NULL)
        return NULL;
    if (!counts_reads)
        counts_reads = ma_pvio_register_callback(1, count_read) == 0;      /* one for all sessions of the process */
    mysql_options(mysql, MYSQL_OPT_NONBLOCK, 0);
    mysql_options(mysql, MYSQL_OPT_RECONNECT, &off);
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &infile);       /* no server reads our files */
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH,            /* none that sends the password readable */
                  "mysql_native_password,client_ed25519,caching_sha2_password");
    mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "firstchair");
    if (s->setting.tls.is_on)
        insist_on_tls(mysql, &s->setting.tls);
    return mysql;
}

static void connect_or_resolve(struct mysql_session *s)
{
    const struct fc_time now = now_of(s);

    s->sent_at = now;
    if (s->stays) {
        lose(s, FC_UNREACHABLE, LOSS_ENDED, 0, "the session has ended, and is not made anew");
        return;
    }
    if (!fc_reached(s->connect_at, now)) {
        set_timer(s);
        return;
    }
    if (s->state == CLOSED && fc_is_never(s->connect_until) && s->setting.connect_limit.us > 0)
        s->connect_until = fc_plus(now, s->setting.connect_limit);
    if (!fc_before(now, s->ip_until) && !is_numeric(s->name)) {
        resolve(s);
        return;
    }
    if (!fc_before(now, s->ip_until)) {
        TEXT_SET(s->ip[0], s->name);
        s->ip_count = 1;
    }
    s->mysql = handle_new(s);
    s->received = 0;
    s->is_flooded = false;
    if (s->mysql == NULL) {
        lose(s, FC_NO_MEMORY, LOSS_SILENT, 0, "out of memory");
        return;
    }
    s->state = CONNECTING;
    s->dial_until = s->setting.dial_ms > 0 ? fc_plus(now, fc_ms(s->setting.dial_ms)) : FC_NEVER;
    s->operation = OP_CONNECT;
    s->connected = NULL;
    begin_operation(s);
}

/* One that was answered goes on. */
static void dial_again(struct mysql_session *s)
{
    if (!is_unanswered(s)) {
        s->dial_until = FC_NEVER;
        set_timer(s);
        return;
    }
    s->ip_next = (s->ip_next + 1) % ADDRESSES_MAX;
    drop_handle(s, false);
    connect_or_resolve(s);
}

static void time_out(struct mysql_session *s)
{
    static const char *const doing[] = {
        [CLOSED] = "connecting", [RESOLVING] = "resolving the name", [CONNECTING] = "connecting",
        [SETTLING] = "the first round trip", [IDLE] = "waiting", [QUERYING] = "the answer",
    };
    char why[96];
    TEXT_FORMAT(why, "%s took longer than the bound", doing[s->state]);
    lose(s, FC_TIMEOUT, LOSS_SILENT, 0, why);
}

static void tick(void *owner)
{
    struct mysql_session *s = owner;
    const struct fc_time now = now_of(s);

    if (s->is_finish_due) {
        s->is_finish_due = false;
        if (finish_operation(s))
            drive(s, START);
    } else if ((s->has_query && fc_reached(s->deadline, now)) || (is_connecting(s) && fc_reached(s->connect_until, now))) {
        time_out(s);
    } else if (s->has_query && s->state == CLOSED && fc_reached(s->connect_at, now)) {
        connect_or_resolve(s);
    } else if (s->state == CONNECTING && fc_reached(s->dial_until, now)) {
        dial_again(s);
    } else if (fc_reached(s->library_until, now)) {
        drive(s, MYSQL_WAIT_TIMEOUT);
    } else {
        set_timer(s);
    }
}

/* --- the contract ------------------------------------------------------------------------------------------------- */

struct mysql_session *mysql_session_open(const struct host *host, const struct mysql_session_setting *setting,
                                         mysql_session_ended *ended, void *owner)
{
    struct mysql_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (struct mysql_session){
        .host = host, .setting = *setting, .ended = ended, .owner = owner, .state = CLOSED, .watch_fd = -1,
        .library_until = FC_NEVER, .connect_at = FC_EVER, .connect_until = FC_NEVER, .ip_until = FC_EVER, .dial_until = FC_NEVER,
    };
    s->timer = host->timer(host->agent, tick, s);
    if (s->timer == NULL || !address_split(setting->address, s->name, sizeof s->name, &s->port)) {
        mysql_session_close(s);
        return NULL;
    }
    return s;
}

struct mysql_session *mysql_session_twin(const struct mysql_session *s)
{
    return mysql_session_open(s->host, &s->setting, NULL, NULL);
}

void mysql_session_close(struct mysql_session *s)
{
    if (s == NULL)
        return;
    drop_handle(s, s->state == IDLE);
    s->host->untimer(s->timer);
    if (s->job != NULL)
        s->job->session = NULL;      /* it frees itself when it comes back */
    free(s->text);
    mysql_rows_done(&s->rows);
    explicit_bzero(s->setting.password, sizeof s->setting.password);
    free(s);
}

void mysql_session_query(struct mysql_session *s, const char *text, size_t length, struct fc_time deadline,
                         mysql_session_answered *answered, void *owner)
{
    assert(!s->has_query && !s->is_finish_due);
    free(s->text);
    s->text = strndup(text, length);
    s->length = s->text == NULL ? 0 : length;      /* an empty query is answered by an error of the server */
    s->has_query = true;
    s->deadline = deadline;
    s->connect_until = FC_NEVER;
    s->answered = answered;
    s->answer_owner = owner;
    s->done_count = 0;
    mysql_rows_clear(&s->rows);
    if (s->state == IDLE) {
        take_stack(s, true);
        begin_query(s);
        begin_operation(s);
    } else if (s->state == CLOSED) {
        s->sent_at = now_of(s);
        s->connect_at = fc_later(s->connect_at, s->sent_at);      /* from the timer, never from within */
        set_timer(s);
    } else {
        set_timer(s);
    }
}

void mysql_session_stay(struct mysql_session *s)
{
    assert(mysql_session_is_connected(s));
    s->stays = true;
}

void mysql_session_use_tls(struct mysql_session *s, bool is_on) { s->setting.tls.is_on = is_on; }

bool mysql_session_turns_to_tls(struct mysql_session *s, const struct session_answer *answer)
{
    const bool turns = s->setting.tls.is_mixed && !s->setting.tls.is_on && answer->loss == LOSS_DENIED;
    if (turns)
        mysql_session_use_tls(s, true);
    return turns;
}

void mysql_session_take_rows(struct mysql_session *s, struct mysql_rows *to)
{
    assert(!s->has_query);
    *to = s->rows;
    s->rows = (struct mysql_rows){ 0 };
}

bool mysql_session_is_busy(const struct mysql_session *s) { return s->has_query; }
bool mysql_session_is_connected(const struct mysql_session *s) { return s->state == IDLE || s->state == QUERYING; }
const struct mysql_server_kind *mysql_session_kind(const struct mysql_session *s) { return &s->kind; }
bool mysql_session_has_database(const struct mysql_session *s) { return s->has_database; }

void mysql_session_note_database(struct mysql_session *s) { s->has_database = true; }

void mysql_session_drop(struct mysql_session *s)
{
    if (s->state == IDLE)
        drop_handle(s, true);
}
