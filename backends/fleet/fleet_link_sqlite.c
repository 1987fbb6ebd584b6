/* A connection of its own to the file: its transactions are short, and the lease's wait for them like for any other process's. */
#include <stdlib.h>
#include <string.h>

#include "backends/fleet/fleet_link.h"
#include "backends/sqlite_file.h"
#include "base/text.h"

#define NO_WORKER_MS 20              /* all places of the workers are taken */

struct link_sqlite {
    struct fleet_link link;
    const struct host *host;
    struct sqlite_file *file;
    struct host_timer *timer;        /* when the workers had no place */
    fleet_answered *answered;
    void *owner;
    struct fleet_text text;          /* our own: who asked may be gone while the worker still reads it */
    bool writes;
    int busy_ms;
    bool is_running, is_closed;
    struct mysql_rows rows;
    bool is_full;
    struct fleet_answer answer;
};

/* ---- on the worker ---------------------------------------------------------------------------------------------------- */

static void on_set(void *to, sqlite3_stmt *statement)
{
    struct link_sqlite *l = to;
    const int count = sqlite3_column_count(statement);
    l->is_full |= !mysql_rows_begin_set(&l->rows, (uint32_t)count);
    for (int i = 0; i < count && !l->is_full; i++)
        l->is_full |= !mysql_rows_add_name(&l->rows, sqlite3_column_name(statement, i));
}

static void on_row(void *to, sqlite3_stmt *row)
{
    struct link_sqlite *l = to;
    for (int i = 0; i < sqlite3_column_count(row) && !l->is_full; i++) {
        const char *text = (const char *)sqlite3_column_text(row, i);
        l->is_full |= !mysql_rows_add_cell(&l->rows, text, text == NULL ? 0 : strlen(text));
    }
    if (!l->is_full)
        mysql_rows_end_row(&l->rows);
}

static void perform(void *job)
{
    struct link_sqlite *l = job;
    struct fc_err err = { 0 };
    enum loss loss = LOSS_NONE;
    enum sqlite_no why = SQLITE_NO_FILE;

    enum fc_code code = l->text.is_short ? fc_fail(&err, FC_NO_MEMORY, "out of memory")
                                         : sqlite_file_begin(l->file, l->writes ? SQLITE_WRITES : SQLITE_READS, l->busy_ms, &loss, &err);
    if (code == FC_OK) {
        const struct sqlite_texts texts = { l->text.bytes, on_set, on_row, l };
        code = sqlite_file_run_texts(l->file, &texts, &why, &loss, &err);
        code = sqlite_file_end(l->file, code, &loss, &err);
    }
    l->answer.code = code == FC_STORE && loss == LOSS_SILENT ? FC_TIMEOUT : code;
    l->answer.is_of_rows = code == FC_STORE && why == SQLITE_NO_ROW;
    if (code == FC_OK && l->is_full) {
        l->answer = (struct fleet_answer){ .code = FC_STORE, .is_too_long = true };
        TEXT_SET(err.text, "its answer is larger than any that we ask for");
    }
    if (l->answer.code != FC_OK) {
        TEXT_SET(l->answer.text, err.text);
        text_make_plain(l->answer.text);
    }
}

/* ---- on the loop ------------------------------------------------------------------------------------------------------ */

static void link_free(struct link_sqlite *l)
{
    sqlite_file_free(l->file);
    mysql_rows_done(&l->rows);
    fleet_text_done(&l->text);
    free(l);
}

static void worked(void *job)
{
    struct link_sqlite *l = job;
    fleet_answered *answered = l->answered;
    l->is_running = false;
    if (l->is_closed) {
        link_free(l);
        return;
    }
    l->answered = NULL;
    l->answer.rows = &l->rows;
    answered(l->owner, &l->answer);
}

static void begin(void *owner)
{
    struct link_sqlite *l = owner;
    mysql_rows_clear(&l->rows);
    l->is_full = false;
    l->answer = (struct fleet_answer){ 0 };
    l->is_running = l->host->work(l->host->agent, perform, worked, l);
    if (!l->is_running)
        l->host->timer_set(l->timer, fc_plus(l->host->now(l->host->agent), fc_ms(NO_WORKER_MS)));
}

static void ask(struct fleet_link *link, const struct fleet_text *text, bool writes, int limit_ms, fleet_answered *answered, void *owner)
{
    struct link_sqlite *l = (struct link_sqlite *)link;
    fleet_text_clear(&l->text);
    fleet_text_add(&l->text, text->bytes, text->length);
    l->writes = writes;
    l->busy_ms = limit_ms * 3 / 4;
    l->answered = answered;
    l->owner = owner;
    begin(l);
}

static enum fleet_dialect dialect(const struct fleet_link *link)
{
    (void)link;
    return FLEET_SQLITE;
}

static void turn(struct fleet_link *link, int server)
{
    (void)link;
    (void)server;
}

static void close_link(struct fleet_link *link)
{
    struct link_sqlite *l = (struct link_sqlite *)link;
    l->host->untimer(l->timer);
    l->is_closed = true;
    if (!l->is_running)
        link_free(l);
}

static const struct fleet_link_class sqlite_class = { ask, dialect, turn, close_link };

enum fc_code fleet_link_sqlite(const struct host *host, const char *path, struct fleet_link **ret, struct fc_err *err)
{
    struct link_sqlite *l = calloc(1, sizeof *l);
    if (l == NULL)
        return fc_fail(err, FC_NO_MEMORY, "store '%s': out of memory", path);
    l->link.class = &sqlite_class;
    l->host = host;
    l->file = sqlite_file_new(path);
    l->timer = host->timer(host->agent, begin, l);
    if (l->file == NULL || l->timer == NULL) {
        host->untimer(l->timer);
        link_free(l);
        return fc_fail(err, FC_NO_MEMORY, "store '%s': out of memory", path);
    }
    *ret = &l->link;
    return FC_OK;
}
