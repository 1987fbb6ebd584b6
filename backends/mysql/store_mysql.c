/* The store on MySQL or MariaDB: a master-master pair (`BackendServers`), each server spoken to directly, or one address
 * (`MySQLOrchestratorHost`), which may be a proxy's.
 *
 * A server of the pair has five lanes: looks and writes by the store account, the fence account's, and two more of that
 * account: for catching up, which takes its time, and for checks, which nothing waits for. One address has one lane for everything: behind a proxy two sessions could
 * end at different servers. Each lane does its deeds in order, one round trip at a time; every deed has a bound that counts
 * from when it was asked. Results come from timers and descriptors only, never from within store_ask(). A callback must not
 * close the store. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/mysql/mysql_deed.h"
#include "base/text.h"

#define LATE_MAX 1024                /* refusals not yet delivered: four full steps of the core */
#define SEEN_PAUSE_MS 5              /* between two questions whether the other server shows a row */
#define WARM_PAUSE_MS 1000           /* between two tries to open the fence session ahead of need */
#define TIDY_PAUSE_MS 60000
#define ERROR_NO_TABLE 1146
#define ERROR_NO_DATABASE 1049
#define ERROR_NO_DATABASE_CHOSEN 1046

struct late { enum store_deed deed; uint64_t id; int server; enum fc_code code; const char *text; };

/* A row was written and read back on one server: is it seen on the others? */
struct durable {
    struct store_mysql *store;
    struct durable *next;
    struct store_request request;
    struct store_result result;
    struct fc_time deadline;
    struct host_timer *timer;
    struct deed *probes[STORE_SERVERS_MAX];
    bool is_settled[STORE_SERVERS_MAX];      /* seen, or given up */
};

struct store_mysql {
    struct store store;
    struct host host;
    char node[NODE_NAME_SIZE];
    config_text database, store_user, fence_user;
    struct mysql_store_tls tls;
    int probe_timeout_ms;
    struct lane lanes[STORE_SERVERS_MAX][LANE_COUNT];
    bool lacks_lease[STORE_SERVERS_MAX];     /* the last look found no lease row: the next writer lays it */
    bool is_registered[STORE_SERVERS_MAX];   /* node_health_history has this process */
    struct fc_time tidied_at, warm_at[STORE_SERVERS_MAX];
    struct server_look look;                 /* one at a time: lent for the call of heard */
    struct history_rows history;             /* the same */
    char peers[STORE_SERVERS_MAX][STORE_SERVERS_MAX][ADDRESS_SIZE];
    struct durable *durables;
    struct host_timer *late_timer;
    struct late late[LATE_MAX];
    int late_count;
};

static void lane_set_timer(struct lane *lane);
static void lane_add(struct lane *lane, struct deed *deed);
static void durable_begin(struct deed *deed);
static void durable_probed(struct deed *deed, bool is_seen, bool is_lost);

/* --- what a deed may ask for -------------------------------------------------------------------------------------- */

struct fc_time deed_now(const struct deed *deed)
{
    const struct host *host = &deed->lane->store->host;
    return host->now(host->agent);
}

const struct host *deed_host(const struct deed *deed) { return &deed->lane->store->host; }
const struct mysql_server_kind *deed_kind(const struct deed *deed) { return mysql_session_kind(deed->lane->session); }

const char *deed_user(const struct deed *deed, enum lane_kind kind)
{
    return kind == LANE_FENCE ? deed->lane->store->fence_user : deed->lane->store->store_user;
}

const char *deed_database(const struct deed *deed) { return deed->lane->store->database; }

void deed_shape(const struct deed *deed, struct look_shape *ret)
{
    const struct store_mysql *store = deed->lane->store;
    *ret = (struct look_shape){
        .kind = deed_kind(deed), .has_replication = store->store.has_chair,
        .has_boot = store->store.has_chair && deed->lane->is_new && mysql_boot_statement(deed_kind(deed)) != SQL_NOTHING,
        .has_use = !mysql_session_has_database(deed->lane->session),
        .peer_count = store->store.server_count - 1, .peers = store->peers[deed->lane->server],
    };
}

void deed_text_begin(struct deed *deed)
{
    deed->length = 0;
    deed->fits = true;
}

void deed_text_add_values(struct deed *deed, enum sql_name name, const struct sql_values *values)
{
    size_t more;
    if (deed->length > 0 && deed->length < sizeof deed->text)
        deed->text[deed->length++] = ';';
    more = sql_fill(name, values, deed->text + deed->length, sizeof deed->text - deed->length);
    deed->fits &= more > 0;
    deed->length += more;
}

void deed_text_add_bytes(struct deed *deed, const char *bytes, size_t length)
{
    if (deed->length > 0 && deed->length < sizeof deed->text)
        deed->text[deed->length++] = ';';
    deed->fits &= length > 0 && length < sizeof deed->text - deed->length;
    if (deed->fits) {
        memcpy(deed->text + deed->length, bytes, length);
        deed->length += length;
    }
}

void deed_text_add(struct deed *deed, enum sql_name name)
{
    struct sql_values values;
    sql_values_of(name, &deed->request, &values);
    deed_text_add_values(deed, name, &values);
}

void deed_text_add_use(struct deed *deed, enum sql_name name)
{
    struct sql_values values = { 0 };
    sql_values_database(&values, deed->lane->store->database);
    deed_text_add_values(deed, name, &values);
}

static void on_answer(void *owner, const struct session_answer *answer)
{
    struct deed *deed = owner;
    deed->result.sent_at = answer->sent_at;
    deed->step(deed, answer);
}

void deed_send_until(struct deed *deed, struct fc_time until, deed_step *step)
{
    assert(deed->fits);      /* every text is bounded by the sizes of the request's fields */
    deed->step = step;
    mysql_session_query(deed->lane->session, deed->text, deed->length, until, on_answer, deed);
}

void deed_send(struct deed *deed, deed_step *step) { deed_send_until(deed, deed->deadline, step); }

static void deed_tick(void *owner)
{
    struct deed *deed = owner;
    deed->again(deed);
}

void deed_later(struct deed *deed, int64_t pause_us, void (*again)(struct deed *deed))
{
    const struct host *host = deed_host(deed);
    if (deed->timer == NULL)
        deed->timer = host->timer(host->agent, deed_tick, deed);
    if (deed->timer == NULL) {
        deed_fail(deed, FC_NO_MEMORY, "out of memory");
        return;
    }
    deed->again = again;
    host->timer_set(deed->timer, fc_earlier(fc_plus(deed_now(deed), (struct fc_span){ pause_us }), deed->deadline));
}

/* --- the end of a deed -------------------------------------------------------------------------------------------- */

static void deed_free(struct deed *deed)
{
    if (deed == NULL)
        return;
    fence_done(&deed->fencing, deed_host(deed));
    deed_host(deed)->untimer(deed->timer);
    free(deed);
}

/* The session whose end says something about the server: the one that looks go through. */
static bool is_standing(const struct lane *lane)
{
    return lane->kind == (lane->store->store.has_chair ? LANE_LOOK : LANE_STORE);
}

static bool is_of_store_account(enum lane_kind kind)
{
    return kind == LANE_STORE || kind == LANE_LOOK;
}

/* The callback may ask for more, so the lane is free before it is called. */
void deed_done(struct deed *deed)
{
    struct lane *lane = deed->lane;
    struct store_mysql *store = lane->store;
    const struct store_result result = deed->result;
    const bool is_ours = deed->is_warm_up || deed->durable != NULL;

    if (lane->current == deed)
        lane->current = NULL;
    if (deed->durable != NULL)
        durable_probed(deed, result.durable_count > 0, result.code != FC_OK);
    deed_free(deed);
    if ((lane->kind == LANE_FOLLOW || lane->kind == LANE_CHECK) && lane->current == NULL && lane->waiting_count == 0)
        mysql_session_drop(lane->session);
    if (result.loss == LOSS_DENIED)      /* a server reads an account's privileges at the login: a grant needs a new one */
        mysql_session_drop(lane->session);
    lane_set_timer(lane);
    if (is_standing(lane) && result.loss == LOSS_ENDED && (is_ours || result.deed != STORE_LOOK))
        store->store.session_ended(store->store.listener, lane->server, result.loss, result.text);
    if (!is_ours)
        store->store.heard(store->store.listener, &result);
}

void deed_fail(struct deed *deed, enum fc_code code, const char *format, ...)
{
    va_list args;
    deed->result.code = code;
    va_start(args, format);
    vsnprintf(deed->result.text, sizeof deed->result.text, format, args);
    va_end(args);
    deed_done(deed);
}

/* The last two deny the fence what it is for: to end a session of another account, to write in spite of read_only. */
static enum loss loss_of_statement(unsigned number, enum lane_kind kind)
{
    static const unsigned denials[] = { 1044, 1045, 1142, 1143, 1227, 1370, 1095, 1290 };
    const size_t count = sizeof denials / sizeof denials[0] - (is_of_store_account(kind) ? 2 : 0);
    for (size_t i = 0; i < count; i++) {
        if (denials[i] == number)
            return LOSS_DENIED;
    }
    return LOSS_BROKEN;
}

void deed_fail_by(struct deed *deed, const struct session_answer *answer)
{
    deed->result.loss = answer->loss;
    deed->result.is_unconnected = answer->is_unconnected;
    if (answer->code == FC_STORE)
        deed->result.loss = loss_of_statement(answer->error_number, deed->lane->kind);
    deed_fail(deed, answer->code, "%s", answer->text);
}

/* --- look --------------------------------------------------------------------------------------------------------- */

static void warm_the_fence(struct store_mysql *store, int server);

bool deed_lacks_schema(const struct session_answer *answer)
{
    const unsigned number = answer->error_number;
    return answer->code == FC_STORE && (number == ERROR_NO_TABLE || number == ERROR_NO_DATABASE || number == ERROR_NO_DATABASE_CHOSEN);
}

static void looked(struct deed *deed, const struct session_answer *answer)
{
    struct store_mysql *store = deed->lane->store;
    struct look_shape shape;
    struct fc_err err;
    const int server = deed->lane->server;

    deed_shape(deed, &shape);
    const int server_count = mysql_look_server_count(&shape);
    const bool lacks_schema = deed_lacks_schema(answer) &&
                              answer->done_count >= server_count;
    if (answer->code != FC_OK && !lacks_schema) {
        deed_fail_by(deed, answer);
        return;
    }
    if (mysql_look_fold(answer->rows, &shape, !lacks_schema, &store->look, &err) != FC_OK) {
        deed->result.loss = LOSS_BROKEN;
        deed_fail(deed, err.code, "%s (%s): %s", store->store.name[server], store->store.address[server], err.text);
        return;
    }
    if (shape.has_use && answer->done_count > server_count)
        mysql_session_note_database(deed->lane->session);
    store->lacks_lease[server] = store->look.has_schema &&
                                 mysql_rows_count(answer->rows, server_count + (shape.has_use ? 1 : 0)) == 0;
    deed->result.look = &store->look;
    deed->lane->is_new = false;
    if (store->store.has_chair)
        warm_the_fence(store, server);
    deed_done(deed);
}

static void look_begin(struct deed *deed)
{
    enum sql_name names[LOOK_STATEMENTS_MAX];
    struct look_shape shape;
    deed_shape(deed, &shape);
    const int count = mysql_look_statements(&shape, names);

    deed_text_begin(deed);
    for (int i = 0; i < count; i++) {
        struct sql_values values = { 0 };
        if (names[i] == SQL_DATABASE_USE)
            sql_values_database(&values, deed->lane->store->database);
        if (names[i] == SQL_ORDERS_READ)
            sql_values_text(&values, deed->lane->store->node);
        deed_text_add_values(deed, names[i], &values);
    }
    deed_send(deed, looked);
}

/* --- the deciding row --------------------------------------------------------------------------------------------- */

/* Reads the row that came back last. RENEW: the stored row is ours or a greater one. TAKE: it is ours. */
static void lease_written(struct deed *deed, const struct session_answer *answer)
{
    struct store_result *result = &deed->result;
    const struct decision *row = &deed->request.row;

    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    if (!mysql_fold_lease(answer->rows, answer->done_count - 1, &result->stored)) {
        deed->lane->store->lacks_lease[deed->lane->server] = true;
        deed_fail(deed, FC_REFUSED, "%s has no lease row: it is laid at the next try",
                  deed->lane->store->store.name[deed->lane->server]);
        return;
    }
    if (rank_compare(&result->stored.rank, &row->rank) == 0 && result->stored.phase == row->phase) {
        deed_done(deed);
        return;
    }
    deed_fail(deed, FC_REFUSED, "the row of '%s' at epoch %llu stands", result->stored.rank.node,
              (unsigned long long)result->stored.rank.epoch);
}

void deed_text_add_row(struct deed *deed, enum sql_name name)
{
    bool lacks = false;
    for (int i = 0; i < deed->lane->store->store.server_count; i++)
        lacks |= deed->lane->store->lacks_lease[i];
    if (deed->lane->kind == LANE_FENCE && deed_kind(deed)->has_super_read_only)
        deed_text_add(deed, SQL_SUPER_READ_ONLY_OFF);
    if (lacks)      /* on whichever server: what is laid here is laid there too */
        deed_text_add(deed, SQL_LEASE_LAY);
    deed_text_add(deed, name);
    deed_text_add(deed, SQL_LEASE_READ);
}

static void lease_begin(struct deed *deed)
{
    deed_text_begin(deed);
    deed_text_add_row(deed, deed->request.deed == STORE_TAKE ? SQL_LEASE_TAKE : SQL_LEASE_RENEW);
    deed_send(deed, lease_written);
}

/* --- holds and orders: written here, seen everywhere -------------------------------------------------------------- */

static bool hold_is_stored(const struct mysql_rows *rows, int set, const struct hold *hold, bool *is_higher)
{
    struct hold stored;
    if (!mysql_fold_hold(rows, set, 0, &stored))
        return false;
    if (stored.epoch == hold->epoch && stored.seq == hold->seq && stored.since_unix_ms == hold->since_unix_ms &&
        stored.kind == hold->kind)
        return true;
    *is_higher = hold_compare(&stored, hold) > 0;
    return *is_higher;
}

static bool order_is_stored(const struct mysql_rows *rows, int set, const struct store_request *request, bool *is_other)
{
    const char *state = mysql_rows_named(rows, set, 0, "state");
    *is_other = false;
    if (state == NULL || (request->deed == STORE_ORDER_CLOSE && text_is(state, order_state_word(ORDER_ASKED))))
        return false;
    *is_other = request->deed == STORE_ORDER_CLOSE && !text_is(state, order_state_word(request->order.state));
    return true;
}

static bool is_stored(const struct mysql_rows *rows, int set, const struct store_request *request, bool *is_other)
{
    *is_other = false;
    if (request->deed == STORE_WORD)
        return word_is_stored(rows, set, request);
    return request->deed == STORE_HOLD ? hold_is_stored(rows, set, &request->hold, is_other)
                                       : order_is_stored(rows, set, request, is_other);
}

void deed_is_written(struct deed *deed)
{
    deed->result.durable_count = 1;
    durable_begin(deed);
}

static void row_written(struct deed *deed, const struct session_answer *answer)
{
    bool is_other = false;
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    if (!is_stored(answer->rows, answer->done_count - 1, &deed->request, &is_other)) {
        deed_fail(deed, deed->request.deed == STORE_ORDER_CLOSE ? FC_NOT_FOUND : FC_STORE,
                  "the row is not there after it was written");
        return;
    }
    if (is_other) {
        deed_fail(deed, FC_REFUSED, deed->request.deed == STORE_HOLD ? "a later change of this hold is already stored"
                                                                     : "the order is already closed");
        return;
    }
    deed_is_written(deed);
}

static void row_begin(struct deed *deed)
{
    deed_text_begin(deed);
    switch (deed->request.deed) {
    case STORE_HOLD:
        deed_text_add(deed, SQL_HOLD_LAY);
        deed_text_add(deed, SQL_HOLD_RAISE);
        deed_text_add(deed, SQL_HOLD_READ);
        break;
    case STORE_ORDER_LAY:
        deed_text_add(deed, SQL_ORDER_LAY);
        deed_text_add(deed, SQL_ORDER_READ);
        break;
    case STORE_ORDER_CLOSE:
        deed_text_add(deed, SQL_ORDER_CLOSE);
        deed_text_add(deed, SQL_ORDER_READ);
        break;
    case STORE_LOOK: case STORE_PREPARE: case STORE_RENEW: case STORE_TAKE: case STORE_FENCE: case STORE_CATCH_UP:
    case STORE_OPEN: case STORE_REGISTER: case STORE_HISTORY: case STORE_HISTORY_READ: case STORE_CHECK: case STORE_COMPARE:
    case STORE_ALONE: case STORE_RESUME: case STORE_WORD: case STORE_DEED_COUNT:
        assert(false);
    }
    deed_send(deed, row_written);
}

static void row_seen(struct deed *deed, const struct session_answer *answer)
{
    bool is_other = false;
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    deed->result.durable_count = is_stored(answer->rows, 0, &deed->request, &is_other) ? 1 : 0;
    deed_done(deed);
}

static void probe_begin(struct deed *deed)
{
    if (deed->request.deed == STORE_WORD) {
        word_probe_begin(deed, row_seen);
        return;
    }
    deed_text_begin(deed);
    deed_text_add(deed, deed->request.deed == STORE_HOLD ? SQL_HOLD_READ : SQL_ORDER_READ);
    deed_send(deed, row_seen);
}

/* --- rows for other tools ----------------------------------------------------------------------------------------- */

static void noted(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    if (deed->request.deed == STORE_REGISTER)
        deed->lane->store->is_registered[deed->lane->server] = true;
    deed_done(deed);
}

static void register_begin(struct deed *deed)
{
    struct store_mysql *store = deed->lane->store;
    const bool leads = deed->request.registration.leads;
    deed_text_begin(deed);
    deed_text_add(deed, SQL_NODE_HEALTH_RAISE);
    if (!store->is_registered[deed->lane->server])
        deed_text_add(deed, SQL_NODE_HEALTH_HISTORY_LAY);
    if (leads)
        deed_text_add(deed, SQL_ACTIVE_NODE_RAISE);
    if (leads && fc_reached(fc_plus(store->tidied_at, fc_ms(TIDY_PAUSE_MS)), deed->begun)) {
        store->tidied_at = deed->begun;
        deed_text_add(deed, SQL_TIDY_NODE_HEALTH);
        deed_text_add(deed, SQL_TIDY_ORDERS);
        deed_text_add(deed, SQL_TIDY_HISTORY);
    }
    deed_send(deed, noted);
}

static void history_begin(struct deed *deed)
{
    deed_text_begin(deed);
    deed_text_add(deed, SQL_HISTORY_LAY);
    deed_send(deed, noted);
}

static void history_was_read(struct deed *deed, const struct session_answer *answer)
{
    struct history_rows *history = &deed->lane->store->history;
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    mysql_fold_history(answer->rows, answer->done_count - 1, history);
    deed->result.history = history;
    deed_done(deed);
}

static void history_read_begin(struct deed *deed)
{
    deed_text_begin(deed);
    if (!mysql_session_has_database(deed->lane->session))
        deed_text_add_use(deed, SQL_DATABASE_USE);
    deed_text_add(deed, SQL_HISTORY_READ);
    deed_send(deed, history_was_read);
}

#define NO_SUCH_PROCEDURE 1305
#define MAY_NOT_CALL 1370

static void resumed(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code != FC_OK && (answer->error_number == NO_SUCH_PROCEDURE || answer->error_number == MAY_NOT_CALL))
        deed_fail(deed, FC_NOT_FOUND, "%s", answer->text);
    else
        noted(deed, answer);
}

static void resume_begin(struct deed *deed)
{
    deed_text_begin(deed);
    if (!mysql_session_has_database(deed->lane->session))
        deed_text_add_use(deed, SQL_DATABASE_USE);
    deed_text_add(deed, SQL_REPLICA_RESUME);
    deed_send(deed, resumed);
}

/* --- the deeds ---------------------------------------------------------------------------------------------------- */

enum by { BY_LOOK, BY_STORE, BY_FENCE, BY_FOLLOW, BY_CHECK, BY_REQUEST };

static const struct { enum by by; bool is_of_chair; void (*begin)(struct deed *deed); } deeds[STORE_DEED_COUNT] = {
    /*                      session      a pair's  first step      */
    [STORE_LOOK]        = { BY_LOOK,     false,    look_begin },
    [STORE_PREPARE]     = { BY_FENCE,    false,    prepare_begin },
    [STORE_RENEW]       = { BY_REQUEST,  false,    lease_begin },
    [STORE_TAKE]        = { BY_REQUEST,  false,    lease_begin },
    [STORE_FENCE]       = { BY_FENCE,    true,     fence_begin },
    [STORE_CATCH_UP]    = { BY_FOLLOW,   true,     catch_up_begin },
    [STORE_OPEN]        = { BY_FENCE,    true,     open_begin },
    [STORE_HOLD]        = { BY_REQUEST,  false,    row_begin },
    [STORE_ORDER_LAY]   = { BY_REQUEST,  false,    row_begin },
    [STORE_ORDER_CLOSE] = { BY_REQUEST,  false,    row_begin },
    [STORE_REGISTER]    = { BY_STORE,    false,    register_begin },
    [STORE_HISTORY]     = { BY_REQUEST,  false,    history_begin },
    [STORE_HISTORY_READ] = { BY_CHECK,   false,    history_read_begin },
    [STORE_WORD]        = { BY_STORE,    false,    word_begin },
    [STORE_CHECK]       = { BY_CHECK,    true,     check_begin },
    [STORE_COMPARE]     = { BY_CHECK,    true,     compare_begin },
    [STORE_ALONE]       = { BY_CHECK,    true,     alone_begin },
    [STORE_RESUME]      = { BY_CHECK,    true,     resume_begin },
};

static enum lane_kind lane_kind_of(const struct store_mysql *store, const struct store_request *request)
{
    const enum by by = deeds[request->deed].by;
    if (!store->store.has_chair || by == BY_STORE)
        return LANE_STORE;
    if (by == BY_REQUEST)
        return request->by_fence ? LANE_FENCE : LANE_STORE;
    return by == BY_LOOK ? LANE_LOOK : by == BY_FOLLOW ? LANE_FOLLOW : by == BY_CHECK ? LANE_CHECK : LANE_FENCE;
}

/* The session stands. The promise of read_only rests on the store's account being bound by it. */
static void deed_begin(struct deed *deed)
{
    const struct store_mysql *store = deed->lane->store;
    if (store->store.has_chair && is_of_store_account(deed->lane->kind) && deed_kind(deed)->is_above_read_only) {
        deed->result.loss = LOSS_DENIED;
        deed_fail(deed, FC_STORE, "%s: the store's account '%s' may write in spite of read_only: take SUPER and READ ONLY "
                  "ADMIN away from it", store->store.name[deed->lane->server], store->store_user);
        return;
    }
    if (deed->is_warm_up)
        deed_done(deed);
    else if (deed->durable != NULL)
        probe_begin(deed);
    else
        deeds[deed->request.deed].begin(deed);
}

static void connected(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    deed->lane->is_new = true;
    deed_begin(deed);
}

/* --- lanes -------------------------------------------------------------------------------------------------------- */

static struct deed *lane_take(struct lane *lane, int place)
{
    struct deed *deed = lane->waiting[place];
    lane->waiting_count--;
    memmove(&lane->waiting[place], &lane->waiting[place + 1],
            sizeof lane->waiting[0] * (size_t)(lane->waiting_count - place));
    return deed;
}

static void lane_set_timer(struct lane *lane)
{
    const struct host *host = &lane->store->host;
    struct fc_time at = FC_NEVER;
    if (lane->current == NULL && lane->waiting_count > 0)
        at = host->now(host->agent);
    for (int i = 0; i < lane->waiting_count; i++)
        at = fc_earlier(at, lane->waiting[i]->deadline);
    if (fc_is_never(at))
        host->timer_stop(lane->timer);
    else
        host->timer_set(lane->timer, at);
}

static void lane_start(struct lane *lane)
{
    struct deed *deed = lane_take(lane, 0);
    lane->current = deed;
    lane_set_timer(lane);
    if (mysql_session_is_connected(lane->session)) {
        deed_begin(deed);
        return;
    }
    deed_text_begin(deed);      /* what to say depends on what the server is */
    deed_text_add(deed, SQL_NOTHING);
    deed_send(deed, connected);
}

static void lane_tick(void *owner)
{
    struct lane *lane = owner;
    const struct fc_time now = lane->store->host.now(lane->store->host.agent);
    for (int i = 0; i < lane->waiting_count; i++) {
        if (fc_reached(lane->waiting[i]->deadline, now)) {
            struct deed *deed = lane_take(lane, i);
            deed->result.loss = LOSS_SILENT;
            deed_fail(deed, FC_TIMEOUT, "%s: the deed before it took the whole bound",
                      lane->store->store.name[lane->server]);
            return;      /* deed_done() has set the timer again */
        }
    }
    if (lane->current == NULL && lane->waiting_count > 0)
        lane_start(lane);
    else
        lane_set_timer(lane);
}

static void lane_add(struct lane *lane, struct deed *deed)
{
    assert(lane->waiting_count < LANE_DEEDS_MAX);
    lane->waiting[lane->waiting_count++] = deed;
    lane_set_timer(lane);
}

static struct deed *deed_new(struct lane *lane, const struct store_request *request)
{
    struct deed *deed = calloc(1, sizeof *deed);
    const struct store_mysql *store = lane->store;
    if (deed == NULL)
        return NULL;
    deed->lane = lane;
    deed->request = *request;
    deed->begun = store->host.now(store->host.agent);
    deed->deadline = fc_plus(deed->begun, fc_ms(request->limit_ms > 0 ? (int64_t)request->limit_ms : store->probe_timeout_ms));
    deed->result = (struct store_result){
        .deed = request->deed, .id = request->id, .server = lane->server, .sent_at = deed->begun,
    };
    return deed;
}

/* The fence must not begin with a connect. So its session is opened while nothing is urgent. */
static void warm_the_fence(struct store_mysql *store, int server)
{
    struct lane *lane = &store->lanes[server][LANE_FENCE];
    const struct store_request request = { .deed = STORE_DEED_COUNT, .server = server };
    const struct fc_time now = store->host.now(store->host.agent);

    if (lane->current != NULL || lane->waiting_count > 0 || mysql_session_is_connected(lane->session) ||
        !fc_reached(store->warm_at[server], now))
        return;
    struct deed *deed = deed_new(lane, &request);
    if (deed == NULL)
        return;
    store->warm_at[server] = fc_plus(now, fc_ms(WARM_PAUSE_MS));
    deed->is_warm_up = true;
    lane_add(lane, deed);
}

/* --- durable: is it on the others too? ---------------------------------------------------------------------------- */

static void durable_free(struct durable *durable)
{
    struct durable **link = &durable->store->durables;
    while (*link != NULL && *link != durable)
        link = &(*link)->next;
    if (*link != NULL)
        *link = durable->next;
    for (int i = 0; i < STORE_SERVERS_MAX; i++) {
        if (durable->probes[i] != NULL) {
            durable->probes[i]->durable = NULL;      /* nobody waits for it any more */
            durable->probes[i]->is_warm_up = true;
        }
    }
    durable->store->host.untimer(durable->timer);
    free(durable);
}

static void durable_tick(void *owner)
{
    struct durable *durable = owner;
    struct store_mysql *store = durable->store;
    const struct fc_time now = store->host.now(store->host.agent);
    bool is_open = false;

    for (int i = 0; i < store->store.server_count; i++) {
        struct lane *lane = &store->lanes[i][LANE_STORE];
        is_open |= !durable->is_settled[i];
        if (durable->is_settled[i] || durable->probes[i] != NULL || lane->waiting_count == LANE_DEEDS_MAX)
            continue;
        struct deed *probe = deed_new(lane, &durable->request);
        if (probe == NULL)
            continue;
        probe->deadline = fc_plus(now, fc_ms(store->probe_timeout_ms));
        probe->durable = durable;
        durable->probes[i] = probe;
        lane_add(lane, probe);
    }
    if (is_open && !fc_reached(durable->deadline, now)) {
        store->host.timer_set(durable->timer, fc_earlier(fc_plus(now, fc_ms(SEEN_PAUSE_MS)), durable->deadline));
        return;
    }
    const struct store_result result = durable->result;
    durable_free(durable);
    store->store.heard(store->store.listener, &result);
}

static void durable_probed(struct deed *deed, bool is_seen, bool is_lost)
{
    struct durable *durable = deed->durable;
    const int server = deed->lane->server;
    durable->probes[server] = NULL;
    durable->is_settled[server] |= is_seen || is_lost;
    durable->result.durable_count += is_seen ? 1 : 0;
    if (is_seen || is_lost)
        durable->store->host.timer_set(durable->timer, durable->store->host.now(durable->store->host.agent));
}

/* Takes the place of the deed, so that its lane is free for others while the row travels. */
static void durable_begin(struct deed *deed)
{
    struct store_mysql *store = deed->lane->store;
    struct durable *durable = store->store.server_count > 1 ? calloc(1, sizeof *durable) : NULL;
    struct host_timer *timer = durable == NULL ? NULL : store->host.timer(store->host.agent, durable_tick, durable);

    if (timer == NULL) {
        free(durable);
        deed_done(deed);
        return;
    }
    *durable = (struct durable){
        .store = store, .next = store->durables, .request = deed->request, .result = deed->result,
        .deadline = deed->deadline, .timer = timer,
    };
    durable->is_settled[deed->lane->server] = true;
    store->durables = durable;
    store->host.timer_set(timer, deed_now(deed));
    deed->is_warm_up = true;      /* its result is the durable's to tell */
    deed_done(deed);
}

/* --- the contract ------------------------------------------------------------------------------------------------- */

static void late_tick(void *owner)
{
    struct store_mysql *store = owner;
    struct late late = store->late[0];
    struct store_result result = { .deed = late.deed, .id = late.id, .server = late.server, .code = late.code };

    store->late_count--;
    memmove(&store->late[0], &store->late[1], sizeof late * (size_t)store->late_count);
    if (store->late_count > 0)
        store->host.timer_set(store->late_timer, store->host.now(store->host.agent));
    result.sent_at = store->host.now(store->host.agent);
    TEXT_SET(result.text, late.text);
    store->store.heard(store->store.listener, &result);
}

static void refuse_later(struct store_mysql *store, const struct store_request *request, enum fc_code code, const char *text)
{
    assert(store->late_count < LATE_MAX);
    store->late[store->late_count++] = (struct late){
        .deed = request->deed, .id = request->id, .server = request->server, .code = code, .text = text,
    };
    store->host.timer_set(store->late_timer, store->host.now(store->host.agent));
}

static void ask(struct store *base, const struct store_request *request)
{
    struct store_mysql *store = (struct store_mysql *)base;
    assert((unsigned)request->deed < STORE_DEED_COUNT && request->server >= 0 && request->server < base->server_count);
    struct lane *lane = &store->lanes[request->server][lane_kind_of(store, request)];

    if (deeds[request->deed].is_of_chair && !base->has_chair) {
        refuse_later(store, request, FC_REFUSED, "this store is one address: no server of it is opened or fenced");
        return;
    }
    if (lane->waiting_count == LANE_DEEDS_MAX) {
        refuse_later(store, request, FC_BUSY, "too many deeds wait for this server");
        return;
    }
    struct deed *deed = deed_new(lane, request);
    if (deed == NULL)
        refuse_later(store, request, FC_NO_MEMORY, "out of memory");
    else
        lane_add(lane, deed);
}

static void lane_done(struct lane *lane)
{
    if (lane->store == NULL)
        return;
    for (int i = 0; i < lane->waiting_count; i++)
        deed_free(lane->waiting[i]);
    mysql_session_close(lane->session);
    deed_free(lane->current);
    lane->store->host.untimer(lane->timer);
}

static void store_mysql_close(struct store *base)
{
    struct store_mysql *store = (struct store_mysql *)base;
    while (store->durables != NULL)
        durable_free(store->durables);
    for (int i = 0; i < STORE_SERVERS_MAX; i++) {
        for (int kind = 0; kind < LANE_COUNT; kind++)
            lane_done(&store->lanes[i][kind]);
    }
    store->host.untimer(store->late_timer);
    free(store);
}

static const struct store_class mysql_class = { .word = "mysql", .ask = ask, .close = store_mysql_close };

static void on_session_ended(void *owner, enum loss loss, const char *text)
{
    struct lane *lane = owner;
    struct store *base = &lane->store->store;
    if (is_standing(lane))
        base->session_ended(base->listener, lane->server, loss, text);
}

static bool lane_open(struct store_mysql *store, int server, enum lane_kind kind, const struct config *config)
{
    struct lane *lane = &store->lanes[server][kind];
    struct mysql_session_setting setting = { 0 };
    const bool is_fence = !is_of_store_account(kind);

    TEXT_SET(setting.address, store->store.address[server]);
    TEXT_SET(setting.user, is_fence ? config->fence_user : config->mysql_user);
    TEXT_SET(setting.password, is_fence ? config->fence_password : config->mysql_password);
    TEXT_SET(setting.database, config->mysql_database);
    setting.tls = store->tls.tls;
    setting.takes_back = is_fence;
    setting.dial_ms = config->probe_timeout_ms / 2;        /* a network that needs longer for one way and back cannot be probed within that */
    TEXT_FORMAT(setting.label, "%s (%s) as '%.20s'", store->store.name[server], setting.address, setting.user);
    lane->store = store;
    lane->server = server;
    lane->kind = kind;
    lane->timer = store->host.timer(store->host.agent, lane_tick, lane);
    lane->session = mysql_session_open(&store->host, &setting, on_session_ended, lane);
    explicit_bzero(setting.password, sizeof setting.password);
    return lane->timer != NULL && lane->session != NULL;
}

static enum fc_code read_servers(struct store_mysql *store, const struct config *config, struct fc_err *err)
{
    struct store *base = &store->store;
    base->has_chair = config_has_pair(config);
    base->server_count = base->has_chair ? config->backend_servers.count : 1;
    if (base->server_count > STORE_SERVERS_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "BackendServers: at most %d servers", STORE_SERVERS_MAX);
    if (!base->has_chair) {
        TEXT_SET(base->name[0], "store");
        TEXT_FORMAT(base->address[0], strchr(config->mysql_host, ':') != NULL ? "[%.100s]:%d" : "%.100s:%d",
                    config->mysql_host, config->mysql_port);
        return FC_OK;
    }
    for (int i = 0; i < base->server_count; i++) {
        struct named_address server;
        const enum fc_code code = named_address_parse(config->backend_servers.item[i], &server, err);
        if (code != FC_OK)
            return code;
        TEXT_SET(base->name[i], server.name);
        TEXT_SET(base->address[i], server.address);
    }
    return FC_OK;
}

static void name_peers(struct store_mysql *store)
{
    for (int i = 0; i < store->store.server_count; i++) {
        for (int j = 0, count = 0; j < store->store.server_count; j++) {
            if (j != i)
                TEXT_SET(store->peers[i][count++], store->store.address[j]);
        }
    }
}

static enum fc_code open_lanes(struct store_mysql *store, const struct config *config, struct fc_err *err)
{
    mysql_store_tls_of(config, &store->tls);
    for (int i = 0; i < store->store.server_count; i++) {
        for (int kind = 0; kind < (store->store.has_chair ? LANE_COUNT : LANE_STORE + 1); kind++) {
            if (!lane_open(store, i, (enum lane_kind)kind, config))
                return fc_fail(err, FC_BAD_CONFIG, "store server '%s': '%s' is no address, or memory is out",
                               store->store.name[i], store->store.address[i]);
        }
    }
    return FC_OK;
}

enum fc_code store_mysql_open(const struct host *host, const struct config *config, const char *node, store_heard *heard,
                              store_session_ended *session_ended, void *listener, struct store **ret, struct fc_err *err)
{
    struct store_mysql *store = calloc(1, sizeof *store);
    enum fc_code code;

    if (store == NULL)
        return fc_fail(err, FC_NO_MEMORY, "the store: out of memory");
    store->store = (struct store){
        .class = &mysql_class, .heard = heard, .session_ended = session_ended, .listener = listener,
    };
    store->host = *host;
    store->tidied_at = FC_EVER;
    store->probe_timeout_ms = config->probe_timeout_ms;
    for (int i = 0; i < STORE_SERVERS_MAX; i++)
        store->warm_at[i] = FC_EVER;
    TEXT_SET(store->node, node);
    TEXT_SET(store->database, config->mysql_database);
    TEXT_SET(store->store_user, config->mysql_user);
    TEXT_SET(store->fence_user, config->fence_user);
    store->late_timer = host->timer(host->agent, late_tick, store);
    code = store->late_timer == NULL ? fc_fail(err, FC_NO_MEMORY, "the store: out of memory")
                                     : read_servers(store, config, err);
    if (code == FC_OK) {
        name_peers(store);
        code = open_lanes(store, config, err);
    }
    if (code != FC_OK) {
        store_mysql_close(&store->store);
        return code;
    }
    *ret = &store->store;
    return FC_OK;
}
