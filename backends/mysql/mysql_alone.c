/* What a server that was replaced unfenced wrote alone: its binary log from a position on, batch by batch, up to where it ended
 * when this was asked for. Only what the server itself wrote counts (Server_id), not what it has replicated since.
 *
 * SHOW BINLOG EVENTS tells texts of statements; none of them is kept or shown. Bounded in events, files and time: past a
 * bound, or when a batch cannot be had, the count says "at least". */
#include "backends/mysql/mysql_deed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define EVENTS_MAX 50000
#define FILES_MAX 32

enum log_set { LOG_END, LOG_EVENTS };

/* Tables that firstchair writes itself, besides those named firstchair_. */
static const char *const own_tables[] = { "firstchair_", "active_node", "node_health", "orchestrator_db_deployments" };

static void ask_batch(struct deed *deed);

static bool is_own_statement(const char *info)
{
    for (size_t i = 0; i < sizeof own_tables / sizeof own_tables[0]; i++) {
        if (strstr(info, own_tables[i]) != NULL)
            return true;
    }
    return false;
}

/* The transaction before is over: whose was it? */
static void close_transaction(struct counting *c)
{
    struct alone *alone = &c->alone;
    if (!c->is_in_transaction)
        return;
    c->is_in_transaction = false;
    if (c->is_own) {
        alone->own++;
        return;
    }
    alone->transactions++;
    if (c->gtid[0] == '\0')
        return;
    if (alone->first[0] == '\0')
        TEXT_SET(alone->first, c->gtid);
    TEXT_SET(alone->last, c->gtid);
}

/* "BEGIN GTID 0-1-55", "GTID 0-1-56 ..."; MySQL: "SET @@SESSION.GTID_NEXT= 'uuid:55'". */
static void gtid_of(const char *info, char *to, size_t size)
{
    const char *at = strstr(info, "GTID ");
    const char *quote = strchr(info, '\'');
    if (at != NULL)
        text_copy_bytes(to, size, at + strlen("GTID "), strcspn(at + strlen("GTID "), " "));
    else if (quote != NULL && strstr(info, "ANONYMOUS") == NULL)
        text_copy_bytes(to, size, quote + 1, strcspn(quote + 1, "'"));
    else
        to[0] = '\0';
    text_make_plain(to);
}

static void count_event(struct counting *c, const char *type, const char *info, bool is_by_itself)
{
    if (strstr(type, "Gtid") != NULL && strstr(type, "list") == NULL && strstr(type, "Previous") == NULL) {
        close_transaction(c);
        c->is_in_transaction = is_by_itself;
        c->is_own = false;
        gtid_of(info, c->gtid, sizeof c->gtid);
    } else if (c->is_in_transaction && is_own_statement(info)) {
        c->is_own = true;
    }
}

static void finish_count(struct deed *deed)
{
    struct counting *c = &deed->counting;
    close_transaction(c);
    c->alone.end = c->at;
    deed->result.alone = c->alone;
    deed_done(deed);
}

/* "bin.000003" > "bin.000004", as servers count. False when it does not end in digits. */
static bool next_file(char file[FILE_SIZE])
{
    char *dot = strrchr(file, '.');
    uint64_t number;
    if (dot == NULL || !text_to_u64(dot + 1, strlen(dot + 1), &number))
        return false;
    const int width = (int)strlen(dot + 1);
    char digits[24];
    TEXT_FORMAT(digits, "%0*" PRIu64, width, number + 1);
    return text_copy(dot + 1, FILE_SIZE - (size_t)(dot + 1 - file), digits);
}

static void count_batch(struct counting *c, const struct mysql_rows *rows, uint32_t server_id)
{
    const uint32_t count = mysql_rows_count(rows, LOG_EVENTS);
    const int id = mysql_rows_column(rows, LOG_EVENTS, "Server_id"), end = mysql_rows_column(rows, LOG_EVENTS, "End_log_pos");
    for (uint32_t i = 0; i < count; i++) {
        const char *type = mysql_rows_named(rows, LOG_EVENTS, i, "Event_type");
        const char *info = mysql_rows_named(rows, LOG_EVENTS, i, "Info");
        const uint64_t next = mysql_rows_number(rows, LOG_EVENTS, i, end);
        count_event(c, type == NULL ? "" : type, info == NULL ? "" : info,
                    mysql_rows_number(rows, LOG_EVENTS, i, id) == server_id);
        if (next > c->at.offset)
            c->at.offset = next;
        c->event_count++;
    }
    c->is_file_done = count < LOG_EVENTS_BATCH;
}

static void batch_heard(struct deed *deed, const struct session_answer *answer)
{
    struct counting *c = &deed->counting;
    if (answer->code != FC_OK && (c->event_count == 0 || answer->code != FC_STORE)) {
        if (c->event_count == 0) {
            deed_fail_by(deed, answer);
            return;
        }
        c->alone.is_more = true;
        finish_count(deed);
        return;
    }
    if (answer->code == FC_OK) {
        if (c->end.file[0] == '\0')
            mysql_fold_position(answer->rows, LOG_END, &c->end);
        count_batch(c, answer->rows, deed_kind(deed)->server_id);
    }
    const bool is_at_end = text_is(c->at.file, c->end.file) && (c->is_file_done || c->at.offset >= c->end.offset);
    if (answer->code != FC_OK || c->event_count >= EVENTS_MAX || c->file_count >= FILES_MAX) {
        c->alone.is_more = true;
        finish_count(deed);
    } else if (is_at_end) {
        finish_count(deed);
    } else {
        if (c->is_file_done) {
            if (!next_file(c->at.file)) {
                c->alone.is_more = true;
                finish_count(deed);
                return;
            }
            c->at.offset = 4;                              /* behind the magic of each file */
            c->file_count++;
        }
        ask_batch(deed);
    }
}

static void ask_batch(struct deed *deed)
{
    struct sql_values values = { 0 };
    deed_text_begin(deed);
    deed_text_add(deed, deed_kind(deed)->is_new_log_name ? SQL_LOG_POSITION_NEW : SQL_LOG_POSITION);
    sql_values_text(&values, deed->counting.at.file);
    sql_values_number(&values, deed->counting.at.offset);
    deed_text_add_values(deed, SQL_LOG_EVENTS, &values);
    deed_send(deed, batch_heard);
}

void alone_begin(struct deed *deed)
{
    memset(&deed->counting, 0, sizeof deed->counting);
    deed->counting.at = deed->request.position;
    if (deed->counting.at.offset < 4)
        deed->counting.at.offset = 4;
    ask_batch(deed);
}
