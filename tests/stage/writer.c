/* The writing client of ./run and of the tests: numbered rows, one a statement, as fast as asked, and an honest log of each.
 *
 * A number that the server has certainly not written (refused, read_only) is sent again until it is acknowledged; one whose outcome
 * is unknown (the session died on the way) is sent again only with --retry-unknown, and then "present" says that it was there.
 * The table's key is (client, n), so a doubled write cannot hide. Under STATEMENT replication @@server_id may not stand in a
 * write: it is read once per session.
 *
 * With --tally it keeps 16 counters as maxima instead: a row that two servers may raise, and a late replay does not lower.
 *
 * Log, one line each:  MICROSECONDS VERDICT N SERVER_ID LATENCY_US ERRNO   (CLOCK_REALTIME at the answer)
 * Verdicts: session, nosession, ok, present, failed, unknown. */
#include <errno.h>
#include <getopt.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <errmsg.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Longer than HAProxy holds the door, so that a held connection is not given up by the client. */
#define SILENCE_SECONDS 10
#define RETRY_PAUSE_MS 2
#define TALLY_SLOTS 16

struct writer {
    const char *defaults_file, *host, *client;
    unsigned port;
    int64_t interval_us, retry_us, count;
    unsigned silence_seconds;
    bool is_fresh, retries_unknown, is_tally;
    FILE *log;
    MYSQL *session;
    unsigned long server_id;
};

static volatile sig_atomic_t is_over;

static void stop_writing(int number)
{
    (void)number;
    is_over = 1;
}

static int64_t now_us(clockid_t clock)
{
    struct timespec at;

    clock_gettime(clock, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void pause_us(int64_t span)
{
    struct timespec left = { span / 1000000, span % 1000000 * 1000 };

    if (span > 0)
        nanosleep(&left, NULL);
}

static void note(const struct writer *writer, const char *verdict, int64_t n, int64_t began_us, unsigned error)
{
    fprintf(writer->log, "%lld %s %lld %lu %lld %u\n", (long long)now_us(CLOCK_REALTIME), verdict, (long long)n, writer->server_id,
            (long long)(now_us(CLOCK_MONOTONIC) - began_us), error);
}

static void session_close(struct writer *writer)
{
    if (writer->session != NULL)
        mysql_close(writer->session);
    writer->session = NULL;
    writer->server_id = 0;
}

static bool server_id_read(struct writer *writer)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    bool is_read = false;

    if (mysql_query(writer->session, "SELECT @@global.server_id") != 0)
        return false;
    result = mysql_store_result(writer->session);
    if (result == NULL)
        return false;
    row = mysql_fetch_row(result);
    if (row != NULL && row[0] != NULL) {
        writer->server_id = strtoul(row[0], NULL, 10);
        is_read = true;
    }
    mysql_free_result(result);
    return is_read;
}

static bool session_open(struct writer *writer, int64_t n)
{
    const unsigned silence = writer->silence_seconds;
    my_bool no = 0;
    unsigned protocol = MYSQL_PROTOCOL_TCP;
    int64_t began_us = now_us(CLOCK_MONOTONIC);

    if (writer->session != NULL)
        return true;
    writer->session = mysql_init(NULL);
    if (writer->session == NULL)
        return false;
    mysql_options(writer->session, MYSQL_READ_DEFAULT_FILE, writer->defaults_file);
    mysql_options(writer->session, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(writer->session, MYSQL_OPT_RECONNECT, &no);
    mysql_options(writer->session, MYSQL_OPT_CONNECT_TIMEOUT, &silence);
    mysql_options(writer->session, MYSQL_OPT_READ_TIMEOUT, &silence);
    mysql_options(writer->session, MYSQL_OPT_WRITE_TIMEOUT, &silence);
    if (mysql_real_connect(writer->session, writer->host, NULL, NULL, NULL, writer->port, NULL, 0) != NULL &&
        server_id_read(writer)) {
        note(writer, "session", n, began_us, 0);
        return true;
    }
    note(writer, "nosession", n, began_us, mysql_errno(writer->session));
    session_close(writer);
    return false;
}

/* Whether the session itself died, so that nobody told us what became of the statement. */
static bool outcome_is_unknown(unsigned error)
{
    return error == CR_SERVER_LOST || error == CR_SERVER_GONE_ERROR || error == CR_MALFORMED_PACKET || error == CR_UNKNOWN_ERROR
           || error == ER_SERVER_SHUTDOWN || error == ER_CONNECTION_KILLED || error == ER_QUERY_INTERRUPTED;
}

static void statement_of(const struct writer *writer, int64_t n, char *to, size_t size)
{
    if (writer->is_tally)
        snprintf(to, size, "INSERT INTO app.tally (client, slot, n) VALUES ('%s', %lld, %lld) ON DUPLICATE KEY UPDATE "
                 "n = GREATEST(n, VALUES(n))", writer->client, (long long)(n % TALLY_SLOTS), (long long)n);
    else
        snprintf(to, size, "INSERT INTO app.t (client, n, sent_us) VALUES ('%s', %lld, %lld)", writer->client, (long long)n,
                 (long long)now_us(CLOCK_REALTIME));
}

/* Sends row n once. True when n is settled and the next number is due. */
static bool row_write(struct writer *writer, int64_t n)
{
    char statement[160];
    int64_t began_us;
    unsigned error;

    if (!session_open(writer, n)) {
        pause_us(writer->retry_us);
        return false;
    }
    statement_of(writer, n, statement, sizeof statement);
    began_us = now_us(CLOCK_MONOTONIC);
    error = mysql_query(writer->session, statement) == 0 ? 0 : mysql_errno(writer->session);
    if (error == 0 || error == ER_DUP_ENTRY) {
        note(writer, error == 0 ? "ok" : "present", n, began_us, error);
        if (writer->is_fresh)
            session_close(writer);
        return true;
    }
    note(writer, outcome_is_unknown(error) ? "unknown" : "failed", n, began_us, error);
    session_close(writer);
    if (!outcome_is_unknown(error))
        pause_us(writer->retry_us);
    return outcome_is_unknown(error) && !writer->retries_unknown;
}

static void write_rows(struct writer *writer)
{
    int64_t due_us = now_us(CLOCK_MONOTONIC);

    for (int64_t n = 1; !is_over && (writer->count == 0 || n <= writer->count); n++) {
        while (!row_write(writer, n) && !is_over)
            continue;
        due_us += writer->interval_us;
        int64_t left_us = due_us - now_us(CLOCK_MONOTONIC);
        if (left_us < 0)
            due_us -= left_us;       /* late: the pace goes on from here, without a burst */
        else
            pause_us(left_us);
    }
    session_close(writer);
}

static long number_of(const char *text, long least, long most)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno != 0 || *text == '\0' || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "writer: '%s' is not a number from %ld to %ld\n", text, least, most);
        exit(2);
    }
    return value;
}

static bool options_read(struct writer *writer, int argc, char **argv)
{
    static const struct option options[] = {
        { "defaults-file", required_argument, NULL, 'd' }, { "port", required_argument, NULL, 'p' },
        { "host", required_argument, NULL, 'h' },          { "retry-ms", required_argument, NULL, 't' },
        { "silence-seconds", required_argument, NULL, 's' },
        { "client", required_argument, NULL, 'c' }, { "interval-ms", required_argument, NULL, 'i' },
        { "count", required_argument, NULL, 'n' }, { "log", required_argument, NULL, 'l' },
        { "fresh", no_argument, NULL, 'f' }, { "retry-unknown", no_argument, NULL, 'r' },
        { "tally", no_argument, NULL, 'm' }, { NULL, 0, NULL, 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            writer->defaults_file = optarg;
        else if (option == 'h')
            writer->host = optarg;
        else if (option == 't')
            writer->retry_us = 1000 * number_of(optarg, 0, 60000);
        else if (option == 's')
            writer->silence_seconds = (unsigned)number_of(optarg, 1, 3600);
        else if (option == 'p')
            writer->port = (unsigned)number_of(optarg, 1, 65535);
        else if (option == 'c' && strspn(optarg, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(optarg) && strlen(optarg) <= 32)
            writer->client = optarg;
        else if (option == 'i')
            writer->interval_us = 1000 * number_of(optarg, 0, 60000);
        else if (option == 'n')
            writer->count = number_of(optarg, 0, 1000000000);
        else if (option == 'l')
            writer->log = fopen(optarg, "a");
        else if (option == 'f')
            writer->is_fresh = true;
        else if (option == 'r')
            writer->retries_unknown = true;
        else if (option == 'm')
            writer->is_tally = true;
        else
            return false;
    }
    return optind == argc && writer->defaults_file != NULL && writer->port != 0 && writer->client != NULL && writer->log != NULL;
}

int main(int argc, char **argv)
{
    struct writer writer = { .interval_us = 10000, .retry_us = 1000 * RETRY_PAUSE_MS, .silence_seconds = SILENCE_SECONDS,
                             .log = stdout };
    struct sigaction stop = { .sa_handler = stop_writing };

    if (!options_read(&writer, argc, argv)) {
        fputs("usage: writer --defaults-file FILE [--host HOST] --port PORT --client NAME [--interval-ms N] [--count N] "
              "[--fresh] [--retry-unknown] [--tally] [--retry-ms N] [--silence-seconds N] [--log FILE]\n", stderr);
        return 2;
    }
    setvbuf(writer.log, NULL, _IOLBF, BUFSIZ);      /* whole lines: others read the log while it grows */
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    if (mysql_library_init(0, NULL, NULL) != 0)
        return 1;
    write_rows(&writer);
    mysql_library_end();
    return fclose(writer.log) == 0 ? 0 : 1;
}
