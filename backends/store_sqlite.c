/* The store in one SQLite file: for one node, or for several processes on one host that share the file.
 *
 * There is no server that could be opened, fenced or waited for: the file is writable for whoever may open it. So the chair's
 * deeds (FENCE, CATCH_UP, OPEN) are done at once, and what stands between two leaders is the row alone, under SQLite's lock.
 *
 * SQLite blocks, so each request is one job on a worker, one at a time, in the order asked; the loop's side only keeps the
 * queue and the bounds. A disk that hangs holds one worker and nothing else: the asker hears FC_TIMEOUT, and the job's late
 * result is dropped. What a person or another leader was told lies on the disk before they are told (takeover, holds,
 * orders); the cadence of renewals and registrations does not wait for the disk: after a power failure there is no lease to
 * keep on that host. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backends/fleet/fleet_sql.h"
#include "backends/sqlite_file.h"
#include "backends/store.h"
#include "base/text.h"

#ifndef FC_VERSION
#define FC_VERSION "unknown"
#endif

#define LIMIT_PRESET_MS 500              /* of a request that names none: BackendProbeTimeoutMilliseconds' default */
#define QUEUE_MAX 64
#define TIDY_EVERY_MS 60000
#define AGAIN_MS 5                       /* when the workers' queue was full */

struct errand {
    struct errand *next;
    struct store_request request;
    struct store_result result;          /* begun by the loop, ended by the worker */
    struct fc_time deadline;
    int busy_ms;                         /* how long a lock may be waited for */
    bool tidies;
};

struct line { struct errand *first, *last; int count; };

struct sqlite_store {
    struct store store;
    const struct host *host;
    struct host_timer *timer;
    struct line waiting;
    struct line ended;                   /* results that need no worker, heard at the next tick */
    struct errand *running;              /* the worker's, as are `file`, `look`, `history` and `is_in_history`, until it is handed back */
    bool running_is_told;                /* it took too long: the asker has heard so */
    bool is_hearing, is_closed;
    struct fc_time tidied_at;
    char node[NODE_NAME_SIZE];

    struct sqlite_file *file;
    struct server_look look;
    struct history_rows history;
    bool is_in_history;                  /* this process's line in node_health_history is written */
};

/* ---- the worker's side: deeds ---- */

struct deed {                            /* one transaction under way */
    struct sqlite_store *s;
    struct errand *errand;
    struct store_result *result;
    struct fc_err err;
    int row_count;                       /* of the last statement */
    bool is_strange;                     /* a row that cannot be: the file is not what we wrote */
};

static enum fc_code run(struct deed *deed, enum sql_name name, sqlite_row *on_row, void *to)
{
    struct sql_values values;
    sql_values_of(name, &deed->errand->request, &values);
    if (name == SQL_ORDERS_READ)
        sql_values_text(&values, deed->s->node);
    if (name == SQL_DEPLOYMENT_LAY)
        sql_values_text(&values, "firstchair " FC_VERSION);
    return sqlite_file_run(deed->s->file, name, &values, on_row, to, &deed->result->loss, &deed->err);
}

#define WORDS(row, column, array) sqlite_column_words((row), (column), (array), sizeof(array))

static void on_decision(void *to, sqlite3_stmt *row)
{
    struct decision *d = to;
    char phase[16];

    d->rank.epoch = sqlite_column_number(row, 0);
    d->rank.seq = sqlite_column_number(row, 1);
    WORDS(row, 2, d->rank.server);
    WORDS(row, 3, d->rank.node);
    WORDS(row, 4, phase);
    WORDS(row, 5, d->successor);
    d->intent_id = sqlite_column_number(row, 6);
    d->limit_ms = (uint32_t)sqlite_column_number(row, 7);
    WORDS(row, 8, d->why);
    WORDS(row, 9, d->mark);
    if (!phase_from_word(phase, &d->phase))
        d->phase = PHASE_COUNT;           /* not sound */
}

static void read_hold(struct hold *h, sqlite3_stmt *row)
{
    char kind[16];
    WORDS(row, 0, h->pool);
    WORDS(row, 1, h->server);
    WORDS(row, 2, kind);
    h->epoch = sqlite_column_number(row, 3);
    h->seq = sqlite_column_number(row, 4);
    h->since_unix_ms = sqlite3_column_int64(row, 5);
    WORDS(row, 6, h->by);
    WORDS(row, 7, h->why);
    if (!hold_kind_from_word(kind, &h->kind))
        h->kind = HOLD_MAINT;             /* of a later version: who does not know it keeps out */
}

static void read_order(struct stored_order *o, sqlite3_stmt *row)
{
    char state[16];
    o->id = sqlite_column_number(row, 0);
    WORDS(row, 1, state);
    WORDS(row, 2, o->text);
    WORDS(row, 3, o->by);
    WORDS(row, 4, o->node);
    WORDS(row, 5, o->answer);
    if (!order_state_from_word(state, &o->state))
        o->state = ORDER_REFUSED;
}

static void on_hold(void *to, sqlite3_stmt *row)
{
    struct server_look *look = to;
    if (look->hold_count < HOLDS_MAX)
        read_hold(&look->holds[look->hold_count++], row);
}

static void on_order(void *to, sqlite3_stmt *row)
{
    struct server_look *look = to;
    if (look->order_count < ORDERS_MAX)
        read_order(&look->orders[look->order_count++], row);
}

/* hostname, token, last_seen_active */
static void on_active_node(void *to, sqlite3_stmt *row)
{
    struct server_look *look = to;
    char token[129];
    WORDS(row, 1, token);
    if (token[0] == '\0' || text_begins(token, SQL_TOKEN_MARK))
        return;
    WORDS(row, 0, look->foreign_owner);
    WORDS(row, 2, look->foreign_stamp);
}

static void on_table(void *to, sqlite3_stmt *row)
{
    int *count = to;
    char name[64];
    WORDS(row, 0, name);
    for (int i = SQL_CREATE_FIRST; i <= SQL_CREATE_LAST; i++)
        *count += text_is(name, sql_statements[i].table);
}

static bool has_decision(const struct decision *d) { return (unsigned)d->phase < PHASE_COUNT && decision_is_sound(d); }

static enum fc_code do_look(struct deed *deed)
{
    struct server_look *look = &deed->s->look;
    int tables = 0;
    enum fc_code code = run(deed, SQL_TABLES, on_table, &tables);

    memset(look, 0, sizeof *look);
    TEXT_SET(look->identity, "sqlite");   /* there is never another server in this store */
    TEXT_FORMAT(look->version, "SQLite %s", sqlite3_libversion());
    look->is_fixed_writable = true;
    look->replica.lag_ms = -1;
    look->has_schema = tables == SQL_CREATE_LAST - SQL_CREATE_FIRST + 1;
    if (code != FC_OK || !look->has_schema)
        return code;
    look->lease.phase = PHASE_COUNT;
    code = run(deed, SQL_LEASE_READ, on_decision, &look->lease);
    if (code == FC_OK && !has_decision(&look->lease)) {
        /* Without a row PREPARE is still to come; a strange one nobody may decide by. */
        if (look->lease.rank.epoch != 0 || look->lease.rank.node[0] != '\0')
            deed->is_strange = true;
        look->has_schema = false;
        memset(&look->lease, 0, sizeof look->lease);
    }
    if (code == FC_OK)
        code = run(deed, SQL_HOLDS_READ, on_hold, look);
    if (code == FC_OK)
        code = run(deed, SQL_ORDERS_READ, on_order, look);
    if (code == FC_OK)
        code = run(deed, SQL_ACTIVE_NODE_READ, on_active_node, look);
    if (code == FC_OK && deed->is_strange) {
        deed->result->loss = LOSS_BROKEN;
        return fc_fail(&deed->err, FC_STORE, "store '%.120s': the row 'lease' of firstchair_decision cannot be understood",
                       deed->s->store.address[0]);
    }
    return code;
}

static enum fc_code do_prepare(struct deed *deed)
{
    static const enum sql_name rest[] = { SQL_NORMALISE_ACTIVE_NODE, SQL_NORMALISE_NODE_HEALTH,
                                          SQL_NORMALISE_NODE_HEALTH_HISTORY, SQL_LEASE_LAY, SQL_DEPLOYMENT_LAY };
    enum fc_code code = FC_OK;
    for (int i = SQL_CREATE_FIRST; i <= SQL_CREATE_LAST && code == FC_OK; i++)
        code = run(deed, (enum sql_name)i, NULL, NULL);
    for (size_t i = 0; i < sizeof rest / sizeof rest[0] && code == FC_OK; i++)
        code = run(deed, rest[i], NULL, NULL);
    return code;
}

/* RENEW and TAKE: what was read back decides. */
static enum fc_code do_write_row(struct deed *deed)
{
    const struct store_request *request = &deed->errand->request;
    struct decision *stored = &deed->result->stored;

    enum fc_code code = run(deed, SQL_LEASE_LAY, NULL, NULL);
    if (code == FC_OK)
        code = run(deed, request->deed == STORE_TAKE ? SQL_LEASE_TAKE : SQL_LEASE_RENEW, NULL, NULL);
    if (code == FC_OK)
        code = run(deed, SQL_LEASE_READ, on_decision, stored);
    if (code != FC_OK)
        return code;
    if (rank_compare(&stored->rank, &request->row.rank) == 0 && stored->phase == request->row.phase)
        return FC_OK;
    return fc_fail(&deed->err, FC_REFUSED, "another row stands: epoch %llu, seq %llu, led by '%s'",
                   (unsigned long long)stored->rank.epoch, (unsigned long long)stored->rank.seq, stored->rank.node);
}

static enum fc_code do_hold(struct deed *deed)
{
    const struct hold *wanted = &deed->errand->request.hold;
    struct server_look *look = &deed->s->look;

    look->hold_count = 0;
    enum fc_code code = run(deed, SQL_HOLD_LAY, NULL, NULL);
    if (code == FC_OK)
        code = run(deed, SQL_HOLD_RAISE, NULL, NULL);
    if (code == FC_OK)
        code = run(deed, SQL_HOLD_READ, on_hold, look);
    if (code != FC_OK)
        return code;
    const struct hold *stored = &look->holds[0];
    deed->result->durable_count = look->hold_count == 1 && stored->epoch == wanted->epoch && stored->seq == wanted->seq &&
                                  stored->kind == wanted->kind;
    return deed->result->durable_count == 1 ? FC_OK
                                            : fc_fail(&deed->err, FC_REFUSED, "a newer hold stands on '%s/%s'", wanted->pool,
                                                      wanted->server);
}

static enum fc_code do_order(struct deed *deed)
{
    const struct store_request *request = &deed->errand->request;
    struct server_look *look = &deed->s->look;
    const bool lays = request->deed == STORE_ORDER_LAY;

    look->order_count = 0;
    enum fc_code code = run(deed, lays ? SQL_ORDER_LAY : SQL_ORDER_CLOSE, NULL, NULL);
    if (code == FC_OK)
        code = run(deed, SQL_ORDER_READ, on_order, look);
    if (code != FC_OK)
        return code;
    const struct stored_order *stored = &look->orders[0];
    if (look->order_count == 0)
        return fc_fail(&deed->err, FC_NOT_FOUND, "there is no order %llu", (unsigned long long)request->order.id);
    const bool is_ours = lays ? text_is(stored->text, request->order.text) && text_is(stored->node, request->order.node)
                              : stored->state == request->order.state;
    deed->result->durable_count = is_ours;
    if (is_ours)
        return FC_OK;
    return lays ? fc_fail(&deed->err, FC_REFUSED, "order %llu is another one", (unsigned long long)request->order.id)
                : fc_fail(&deed->err, FC_REFUSED, "order %llu is already closed: %s",
                          (unsigned long long)request->order.id, order_state_word(stored->state));
}

static enum fc_code do_register(struct deed *deed)
{
    enum fc_code code = run(deed, SQL_NODE_HEALTH_RAISE, NULL, NULL);
    if (code == FC_OK && !deed->s->is_in_history)
        code = run(deed, SQL_NODE_HEALTH_HISTORY_LAY, NULL, NULL);
    if (code == FC_OK && deed->errand->request.registration.leads)
        code = run(deed, SQL_ACTIVE_NODE_RAISE, NULL, NULL);
    if (code == FC_OK && deed->errand->tidies)
        code = run(deed, SQL_TIDY_NODE_HEALTH, NULL, NULL);
    if (code == FC_OK && deed->errand->tidies)
        code = run(deed, SQL_TIDY_ORDERS, NULL, NULL);
    if (code == FC_OK && deed->errand->tidies)
        code = run(deed, SQL_TIDY_HISTORY, NULL, NULL);
    return code;
}

static void on_history(void *to, sqlite3_stmt *row)
{
    struct history_rows *rows = to;
    if (rows->count == HISTORY_ROWS_MAX)
        return;
    struct history_row *h = &rows->list[rows->count++];
    h->id = sqlite_column_number(row, 0);
    h->unix_ms = sqlite3_column_int64(row, 1);
    WORDS(row, 2, h->kind);
    WORDS(row, 3, h->subject);
    h->epoch = sqlite_column_number(row, 4);
    WORDS(row, 5, h->node);
    WORDS(row, 6, h->text);
}

static enum fc_code do_history_read(struct deed *deed)
{
    deed->s->history.count = 0;
    return run(deed, SQL_HISTORY_READ, on_history, &deed->s->history);
}

static void on_no_set(void *to, sqlite3_stmt *statement)
{
    (void)to;
    (void)statement;
}

static void on_stands(void *to, sqlite3_stmt *row) { *(int64_t *)to = sqlite3_column_int64(row, 0); }

static enum fc_code run_word(struct deed *deed, const struct fleet_row *row, bool makes_table, int64_t *stands, enum sqlite_no *why)
{
    struct fleet_text text = { 0 };
    fleet_sql_word(&text, FLEET_SQLITE, row, deed->errand->request.word.takes_back, makes_table);
    const struct sqlite_texts texts = { text.bytes, on_no_set, on_stands, stands };
    const enum fc_code code = text.is_short ? fc_fail(&deed->err, FC_NO_MEMORY, "out of memory")
                                            : sqlite_file_run_texts(deed->s->file, &texts, why, &deed->result->loss, &deed->err);
    fleet_text_done(&text);
    return code;
}

static enum fc_code do_word(struct deed *deed)
{
    const struct fleet_word *word = &deed->errand->request.word;
    enum sqlite_no why = SQLITE_NO_FILE;
    struct fleet_row row;
    int64_t stands = -1;

    if (fleet_word_row(word, &row) != FC_OK)
        return fc_fail(&deed->err, FC_REFUSED, "what was said cannot be understood");
    enum fc_code code = run_word(deed, &row, false, &stands, &why);
    if (code == FC_STORE && why == SQLITE_NO_STATEMENT)
        code = run_word(deed, &row, true, &stands, &why);
    if (code == FC_STORE && why != SQLITE_NO_FILE)
        return FC_REFUSED;                /* the same word will not be taken the next time either; err says why */
    if (code != FC_OK)
        return code;
    deed->result->loss = LOSS_NONE;
    deed->result->durable_count = word->takes_back ? stands == 0 : stands > 0;
    return deed->result->durable_count == 1
               ? FC_OK
               : fc_fail(&deed->err, FC_REFUSED, "something newer stands in '%s', or another one's lock", fleet_tables[row.table].name);
}

static enum fc_code do_history(struct deed *deed) { return run(deed, SQL_HISTORY_LAY, NULL, NULL); }

struct deed_row {
    enum fc_code (*perform)(struct deed *deed);    /* NULL: a chair's deed, nothing to do */
    enum sqlite_care care;
};

static const struct deed_row deed_table[STORE_DEED_COUNT] = {
    [STORE_LOOK]        = { do_look,      SQLITE_READS },
    [STORE_PREPARE]     = { do_prepare,   SQLITE_WRITES_FOR_GOOD },
    [STORE_RENEW]       = { do_write_row, SQLITE_WRITES },
    [STORE_TAKE]        = { do_write_row, SQLITE_WRITES_FOR_GOOD },
    [STORE_FENCE]       = { NULL,         SQLITE_READS },
    [STORE_CATCH_UP]    = { NULL,         SQLITE_READS },
    [STORE_OPEN]        = { NULL,         SQLITE_READS },
    [STORE_HOLD]        = { do_hold,      SQLITE_WRITES_FOR_GOOD },
    [STORE_ORDER_LAY]   = { do_order,     SQLITE_WRITES_FOR_GOOD },
    [STORE_ORDER_CLOSE] = { do_order,     SQLITE_WRITES_FOR_GOOD },
    [STORE_REGISTER]    = { do_register,  SQLITE_WRITES },
    [STORE_HISTORY]     = { do_history,   SQLITE_WRITES },
    [STORE_HISTORY_READ] = { do_history_read, SQLITE_READS },
    [STORE_WORD]        = { do_word,      SQLITE_WRITES_FOR_GOOD },
    [STORE_CHECK]       = { NULL,         SQLITE_READS },
    [STORE_COMPARE]     = { NULL,         SQLITE_READS },
    [STORE_ALONE]       = { NULL,         SQLITE_READS },
    [STORE_RESUME]      = { NULL,         SQLITE_READS },
};

static void perform(void *job)
{
    struct sqlite_store *s = job;
    struct errand *errand = s->running;
    struct store_result *result = &errand->result;
    const struct deed_row *row = &deed_table[errand->request.deed];
    struct deed deed = { .s = s, .errand = errand, .result = result };

    enum fc_code code = sqlite_file_begin(s->file, row->care, errand->busy_ms, &result->loss, &deed.err);
    if (code == FC_OK) {
        const enum fc_code so_far = row->perform(&deed);
        code = sqlite_file_end(s->file, so_far, &result->loss, &deed.err);
    }
    result->code = code;
    if (code == FC_OK && errand->request.deed == STORE_REGISTER)
        s->is_in_history = true;
    if (code == FC_OK && errand->request.deed == STORE_LOOK)
        result->look = &s->look;
    if (code == FC_OK && errand->request.deed == STORE_HISTORY_READ)
        result->history = &s->history;
    if (code != FC_OK) {
        result->durable_count = 0;
        TEXT_SET(result->text, deed.err.text);
        text_make_plain(result->text);
    }
}

/* ---- the loop's side: the queue and the bounds ---- */

static void line_put(struct line *line, struct errand *errand)
{
    errand->next = NULL;
    if (line->first == NULL)
        line->first = errand;
    else
        line->last->next = errand;
    line->last = errand;
    line->count++;
}

static struct errand *line_take(struct line *line)
{
    struct errand *errand = line->first;
    if (errand != NULL) {
        line->first = errand->next;
        line->count--;
    }
    return errand;
}

static void line_done(struct line *line)
{
    for (struct errand *errand = line_take(line); errand != NULL; errand = line_take(line))
        free(errand);
}

static struct fc_time now_of(const struct sqlite_store *s) { return s->host->now(s->host->agent); }

static void store_free(struct sqlite_store *s)
{
    sqlite_file_free(s->file);
    free(s);
}

static void set_timer(struct sqlite_store *s)
{
    struct fc_time at = FC_NEVER;
    if (s->running != NULL && !s->running_is_told)
        at = s->running->deadline;
    for (const struct errand *e = s->waiting.first; e != NULL; e = e->next)
        at = fc_earlier(at, e->deadline);
    if (s->running == NULL && s->waiting.first != NULL)            /* the workers had no place */
        at = fc_earlier(at, fc_plus(now_of(s), fc_ms(AGAIN_MS)));
    if (s->ended.first != NULL)
        at = now_of(s);
    if (fc_is_never(at))
        s->host->timer_stop(s->timer);
    else
        s->host->timer_set(s->timer, at);
}

static void worked(void *job);

static void start_next(struct sqlite_store *s)
{
    if (s->running != NULL || s->waiting.first == NULL)
        return;
    struct errand *errand = s->waiting.first;
    const struct fc_time now = now_of(s);
    const int64_t left_ms = fc_span_ms(fc_since(now, errand->deadline));
    errand->result.sent_at = now;
    errand->busy_ms = left_ms < 2 ? 1 : (int)(left_ms * 3 / 4);   /* "locked" is said before the time is up */
    s->running = errand;
    s->running_is_told = false;
    if (s->host->work(s->host->agent, perform, worked, s))
        line_take(&s->waiting);
    else
        s->running = NULL;
}

/* The listener may close the store; then nothing of it is touched any more. */
static void hear(struct sqlite_store *s, const struct store_result *result)
{
    if (!s->is_closed)
        s->store.heard(s->store.listener, result);
}

static void hear_too_late(struct sqlite_store *s, const struct errand *errand)
{
    struct store_result result = { .deed = errand->request.deed, .id = errand->request.id, .server = errand->request.server,
                                   .code = FC_TIMEOUT, .loss = LOSS_SILENT, .sent_at = errand->result.sent_at };
    TEXT_FORMAT(result.text, "store '%.120s': not done within its bound", s->store.address[0]);
    hear(s, &result);
}

static void hear_waiting_that_are_late(struct sqlite_store *s, struct fc_time now)
{
    struct line kept = { 0 }, late = { 0 };
    for (struct errand *e = line_take(&s->waiting); e != NULL; e = line_take(&s->waiting))
        line_put(fc_reached(e->deadline, now) ? &late : &kept, e);
    s->waiting = kept;
    for (struct errand *e = line_take(&late); e != NULL; e = line_take(&late)) {
        hear_too_late(s, e);
        free(e);
    }
}

static void end_hearing(struct sqlite_store *s)
{
    s->is_hearing = false;
    if (s->is_closed) {
        if (s->running == NULL)
            store_free(s);
        return;
    }
    start_next(s);
    set_timer(s);
}

static void on_tick(void *owner)
{
    struct sqlite_store *s = owner;
    const struct fc_time now = now_of(s);

    s->is_hearing = true;
    for (int left = s->ended.count; left > 0 && s->ended.first != NULL; left--) {
        struct errand *errand = line_take(&s->ended);
        hear(s, &errand->result);
        free(errand);
    }
    if (s->running != NULL && !s->running_is_told && fc_reached(s->running->deadline, now)) {
        s->running_is_told = true;
        hear_too_late(s, s->running);
    }
    hear_waiting_that_are_late(s, now);
    end_hearing(s);
}

static void worked(void *job)
{
    struct sqlite_store *s = job;
    struct errand *errand = s->running;

    s->running = NULL;
    s->is_hearing = true;
    if (!s->running_is_told)
        hear(s, &errand->result);
    free(errand);
    end_hearing(s);
}

static bool is_due_to_tidy(struct sqlite_store *s, const struct store_request *request)
{
    const struct fc_time now = now_of(s);
    if (request->deed != STORE_REGISTER || !request->registration.leads ||
        fc_span_ms(fc_since(s->tidied_at, now)) < TIDY_EVERY_MS)
        return false;
    s->tidied_at = now;
    return true;
}

static void end_at_once(struct sqlite_store *s, struct errand *errand, enum fc_code code, const char *text)
{
    errand->result.code = code;
    errand->result.sent_at = now_of(s);
    TEXT_SET(errand->result.text, text);
    line_put(&s->ended, errand);
}

static void ask(struct store *store, const struct store_request *request)
{
    struct sqlite_store *s = (struct sqlite_store *)store;
    struct errand *errand = calloc(1, sizeof *errand);
    const uint32_t limit_ms = request->limit_ms != 0 ? request->limit_ms : LIMIT_PRESET_MS;

    assert(request->server == 0 && (unsigned)request->deed < STORE_DEED_COUNT && !s->is_closed);
    if (errand == NULL)
        abort();                          /* a promise of exactly one result cannot be kept without memory for it */
    errand->request = *request;
    errand->deadline = fc_plus(now_of(s), fc_ms(limit_ms));
    errand->tidies = is_due_to_tidy(s, request);
    errand->result = (struct store_result){ .deed = request->deed, .id = request->id, .server = request->server };
    if (deed_table[request->deed].perform == NULL)
        end_at_once(s, errand, FC_OK, "");
    else if (s->waiting.count >= QUEUE_MAX)
        end_at_once(s, errand, FC_BUSY, "too many requests to the store are waiting");
    else
        line_put(&s->waiting, errand);
    if (s->is_hearing)
        return;                           /* end_hearing goes on */
    start_next(s);
    set_timer(s);
}

static void close_store(struct store *store)
{
    struct sqlite_store *s = (struct sqlite_store *)store;

    s->is_closed = true;
    s->host->untimer(s->timer);
    line_done(&s->waiting);
    line_done(&s->ended);
    if (s->running == NULL && !s->is_hearing)
        store_free(s);
}

static const struct store_class sqlite_class = { .word = "sqlite", .ask = ask, .close = close_store };

enum fc_code store_sqlite_open(const struct host *host, const char *path, const char *node, store_heard *heard, void *listener,
                               struct store **ret, struct fc_err *err)
{
    assert(heard != NULL);
    struct sqlite_store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fc_fail(err, FC_NO_MEMORY, "store '%s': out of memory", path);
    s->store = (struct store){ .class = &sqlite_class, .server_count = 1, .heard = heard, .listener = listener };
    s->host = host;
    s->tidied_at = FC_EVER;
    TEXT_SET(s->store.address[0], path);
    TEXT_SET(s->store.name[0], "store");
    node_name_of(node, s->node, sizeof s->node);
    s->file = sqlite_file_new(path);
    s->timer = s->file == NULL ? NULL : host->timer(host->agent, on_tick, s);
    if (s->timer == NULL) {
        store_free(s);
        return fc_fail(err, FC_NO_MEMORY, "store '%s': out of memory", path);
    }
    *ret = &s->store;
    return FC_OK;
}
