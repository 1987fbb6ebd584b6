/* The deeds on a server of the pair: fence it, catch up, open it, and lay its schema.
 *
 * Fence: the leader's row is left there, so that the server itself refuses an opening or a claim that was decided on an older
 * one; then read_only is set, because only then can no new session write; the sessions of before are ended, and counted until
 * none is left. Setting it hangs behind running statements and locked tables; after a quarter of the bound a second
 * session ends the clients while the first one hangs. A bound that passes leaves the server as closed as it has become.
 *
 * A fence that comes late, to a server that sits by now, is refused by that server: the statement asks its row. Where the row
 * cannot be asked with it (locked, no table), it is read right before, and what cannot be read keeps no fence. */
#include "backends/mysql/mysql_deed.h"

#include <inttypes.h>
#include <mysqld_error.h>
#include <string.h>

#include "base/text.h"

#define KNIFE_PAUSE_MS 50            /* between two rounds of ending sessions while read_only hangs */
#define COUNT_STATEMENTS 3           /* read_only, sessions, log position: the last three of every counting round trip */
#define STILL_US 50000               /* a fetching thread that has brought nothing for so long has nothing to bring */
#define TORN_US 250000               /* as long must a half transaction stand still before it is taken for what it is */

/* --- fence -------------------------------------------------------------------------------------------------------- */

static void fence_set(struct deed *deed);
static void fence_set_plainly(struct deed *deed);
static void fence_count(struct deed *deed);
static void fence_kill(struct deed *deed);
static void knife_round(struct deed *deed);
static void row_look(struct deed *deed);

void fence_done(struct fencing *fencing, const struct host *host)
{
    mysql_session_close(fencing->knife);
    fencing->knife = NULL;
    host->untimer(fencing->quarter);
    fencing->quarter = NULL;
}

static void add_sessions(struct deed *deed)
{
    struct sql_values accounts = { 0 };
    sql_values_text(&accounts, deed_user(deed, LANE_STORE));
    sql_values_text(&accounts, deed_user(deed, LANE_FENCE));
    deed_text_add_values(deed, SQL_SESSIONS_READ, &accounts);
}

static void add_count(struct deed *deed)
{
    deed_text_add(deed, SQL_READ_ONLY_READ);
    add_sessions(deed);
    deed_text_add(deed, mysql_position_statement(deed_kind(deed)));
}

/* Fills the ids that are to be ended, and returns how many sessions there are that may have begun before read_only. */
static int fold_sessions(struct deed *deed, const struct mysql_rows *rows, int set)
{
    struct fencing *f = &deed->fencing;
    const bool is_patient = fc_since(deed->begun, deed_now(deed)).us < fc_since(deed->begun, deed->deadline).us / 2;
    const uint32_t count = mysql_rows_count(rows, set);
    int left = 0;

    f->id_count = 0;
    f->ended_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t id = mysql_rows_number(rows, set, i, 0);
        const bool is_ended = text_is(mysql_rows_cell(rows, set, i, 2), "Killed");
        if (!f->is_marked && id > f->youngest)
            f->youngest = id;
        /* An ended one that rolls back for long can commit nothing: it is not waited for until the bound. */
        if (id <= f->youngest && (!is_ended || is_patient))
            left++;
        if (!is_ended && f->id_count < KILLS_MAX)
            f->ids[f->id_count++] = id;
    }
    f->is_marked = true;
    f->left = left;
    deed->result.sessions_left = left;
    return left;
}

static void fence_late(struct deed *deed)
{
    if (deed->fencing.is_marked)
        deed_fail(deed, FC_TIMEOUT, "read_only is on, and %d client sessions have not ended within %" PRIu32 " ms",
                  deed->fencing.left, deed->request.limit_ms);
    else
        deed_fail(deed, FC_TIMEOUT, "read_only could not be set within %" PRIu32 " ms: statements of %d client sessions "
                  "still run", deed->request.limit_ms, deed->fencing.left);
}

/* By the row of this server it sits, and that was decided after this fence. */
static bool fence_is_late(const struct deed *deed, const struct decision *stored)
{
    const struct rank *decided = &deed->request.row.rank;
    return decided->node[0] != '\0' && stored->phase == PHASE_SEATED && stored->rank.epoch > decided->epoch &&
           text_is(stored->rank.server, deed_kind(deed)->identity);
}

/* True when it was, and the deed is over. */
static bool fence_is_refused(struct deed *deed, const struct mysql_rows *rows, int set)
{
    if (!mysql_fold_lease(rows, set, &deed->result.stored) || !fence_is_late(deed, &deed->result.stored))
        return false;
    deed_fail(deed, FC_REFUSED, "this server sits since epoch %" PRIu64 ", by a later decision than this fence of epoch %" PRIu64
              ": it is left as it is", deed->result.stored.rank.epoch, deed->request.row.rank.epoch);
    return true;
}

static void fence_counted(struct deed *deed, const struct session_answer *answer)
{
    const int first = answer->done_count - COUNT_STATEMENTS;

    if (answer->code == FC_STORE && (answer->error_number == ER_LOCK_WAIT_TIMEOUT || deed->fencing.is_asking_row)) {
        deed->fencing.is_asking_row = false;
        fence_set(deed);
        return;
    }
    if (answer->code == FC_TIMEOUT) {
        deed->result.loss = answer->loss;
        fence_late(deed);
        return;
    }
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    if (deed->fencing.is_asking_row && fence_is_refused(deed, answer->rows, first - 1))
        return;
    deed->fencing.is_asking_row = false;                   /* it is closed: what comes counts only */
    fence_done(&deed->fencing, deed_host(deed));
    if (mysql_rows_number(answer->rows, first, 0, 0) != 1) {
        deed_fail(deed, FC_STORE, "read_only was set and does not read back as set: somebody else sets it too");
        return;
    }
    if (!deed_kind(deed)->sees_all_sessions) {
        deed->result.loss = LOSS_DENIED;
        deed_fail(deed, FC_STORE, "read_only is on, but '%.40s' lacks PROCESS: whose sessions are left cannot be seen",
                  deed_user(deed, LANE_FENCE));
        return;
    }
    if (fold_sessions(deed, answer->rows, first + 1) == 0) {
        mysql_fold_position(answer->rows, first + 2, &deed->result.position);
        if (deed->fencing.is_row_in_doubt)
            row_look(deed);
        else
            deed_done(deed);
        return;
    }
    if (deed->fencing.id_count > 0)
        fence_kill(deed);
    else
        deed_later(deed, 1000, fence_count);
}

static void fence_count(struct deed *deed)
{
    if (fc_reached(deed->deadline, deed_now(deed))) {
        fence_late(deed);
        return;
    }
    deed_text_begin(deed);
    add_count(deed);
    deed_send(deed, fence_counted);
}

/* Killing takes a session a moment; the pauses grow so that a stubborn one costs little. */
static void fence_recount(struct deed *deed)
{
    static const int64_t pauses_us[] = { 300, 500, 1000, 2000, 5000 };
    const int last = (int)(sizeof pauses_us / sizeof pauses_us[0]) - 1;
    const int round = deed->fencing.rounds < last ? deed->fencing.rounds : last;
    deed->fencing.rounds++;
    deed_later(deed, pauses_us[round], fence_count);
}

static void fence_killed(struct deed *deed, const struct session_answer *answer)
{
    struct fencing *f = &deed->fencing;
    if (answer->code == FC_OK) {
        fence_recount(deed);
        return;
    }
    if (answer->code == FC_TIMEOUT) {
        fence_late(deed);
        return;
    }
    if (answer->code == FC_STORE && answer->error_number == ER_KILL_DENIED_ERROR) {
        deed->result.loss = LOSS_DENIED;
        deed_fail(deed, FC_STORE, "the fence account '%.40s' lacks %s: it cannot end the sessions of others", deed_user(deed, LANE_FENCE),
                  deed_kind(deed)->is_mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN, or SYSTEM_USER for those that have it");
        return;
    }
    if (answer->code != FC_STORE || answer->error_number != ER_NO_SUCH_THREAD) {
        deed_fail_by(deed, answer);
        return;
    }
    f->ended_count += answer->done_count + 1;      /* that one has gone by itself; what stood behind it was not run */
    if (f->ended_count < f->id_count)
        fence_kill(deed);
    else
        fence_recount(deed);
}

static void add_kills(struct deed *deed)
{
    const struct fencing *f = &deed->fencing;
    deed_text_begin(deed);
    for (int i = f->ended_count; i < f->id_count; i++) {
        struct sql_values id = { 0 };
        sql_values_number(&id, f->ids[i]);
        deed_text_add_values(deed, SQL_SESSION_END, &id);
    }
}

static void fence_kill(struct deed *deed)
{
    add_kills(deed);
    deed_send(deed, fence_killed);
}

static void add_asking_row(struct deed *deed, enum sql_name name)
{
    struct sql_values values = { 0 };
    sql_values_number(&values, deed->request.row.rank.epoch);
    sql_values_text(&values, deed_kind(deed)->identity);
    deed_text_add_values(deed, name, &values);
}

static void fence_set_asking_row(struct deed *deed)
{
    add_asking_row(deed, SQL_READ_ONLY_ON_GUARDED);
    if (deed_kind(deed)->has_super_read_only)
        add_asking_row(deed, SQL_SUPER_READ_ONLY_ON_GUARDED);
    deed_text_add(deed, SQL_LEASE_READ);
    add_count(deed);
    deed_send(deed, fence_counted);
}

static void row_asked(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code == FC_TIMEOUT)
        fence_late(deed);
    else if (answer->code != FC_OK && answer->code != FC_STORE)
        deed_fail_by(deed, answer);
    else if (answer->code != FC_OK || !fence_is_refused(deed, answer->rows, 0))
        fence_set_plainly(deed);
}

/* Again and again, as long as somebody's locks keep it from being set. */
static void fence_set(struct deed *deed)
{
    if (fc_reached(deed->deadline, deed_now(deed))) {
        fence_late(deed);
        return;
    }
    deed_text_begin(deed);
    if (deed->fencing.is_asking_row) {
        fence_set_asking_row(deed);
    } else {
        deed_text_add(deed, SQL_LEASE_READ);
        deed_send(deed, row_asked);
    }
}

static void fence_set_plainly(struct deed *deed)
{
    deed_text_begin(deed);
    deed_text_add(deed, SQL_READ_ONLY_ON);
    if (deed_kind(deed)->has_super_read_only)
        deed_text_add(deed, SQL_SUPER_READ_ONLY_ON);
    add_count(deed);
    deed_send(deed, fence_counted);
}

/* While the first session hangs. Its failures are not the deed's: the next round tries again. */
static void knife_tick(void *owner)
{
    knife_round(owner);
}

static void knife_rest(struct deed *deed)
{
    const struct host *host = deed_host(deed);
    host->timer_set(deed->fencing.quarter, fc_plus(deed_now(deed), fc_ms(KNIFE_PAUSE_MS)));
}

static void knife_cut(void *owner, const struct session_answer *answer)
{
    (void)answer;
    knife_rest(owner);
}

static void knife_counted(void *owner, const struct session_answer *answer)
{
    struct deed *deed = owner;
    struct fencing *f = &deed->fencing;
    if (answer->code == FC_OK) {
        f->youngest = UINT64_MAX;      /* read_only is not on yet: everybody counts */
        fold_sessions(deed, answer->rows, 0);
        f->is_marked = false;
        f->youngest = 0;
    }
    if (answer->code != FC_OK || f->id_count == 0) {
        knife_rest(deed);
        return;
    }
    add_kills(deed);
    mysql_session_query(f->knife, deed->text, deed->length, deed->deadline, knife_cut, deed);
}

static void knife_round(struct deed *deed)
{
    struct fencing *f = &deed->fencing;
    if (f->knife == NULL)
        f->knife = mysql_session_twin(deed->lane->session);
    if (f->knife == NULL || fc_reached(deed->deadline, deed_now(deed)))
        return;
    deed_text_begin(deed);
    add_sessions(deed);
    mysql_session_query(f->knife, deed->text, deed->length, deed->deadline, knife_counted, deed);
}

static struct fc_time quarter_from(const struct deed *deed, struct fc_time moment)
{
    return fc_earlier(fc_plus(moment, (struct fc_span){ fc_since(deed->begun, deed->deadline).us / 4 }), deed->deadline);
}

static void fence_close(struct deed *deed)
{
    const struct host *host = deed_host(deed);
    struct fencing *f = &deed->fencing;
    f->quarter = host->timer(host->agent, knife_tick, deed);
    if (f->quarter == NULL) {
        deed_fail(deed, FC_NO_MEMORY, "out of memory");
        return;
    }
    host->timer_set(f->quarter, quarter_from(deed, deed_now(deed)));
    fence_set(deed);
}

/* --- the row that a fence leaves ----------------------------------------------------------------------------------- */

/* The fence counts all the same: it is read_only that closes a server. */
static void row_is_lacking(struct deed *deed, const char *why)
{
    TEXT_FORMAT(deed->result.text, "it is fenced, but a late opening would not be refused: its row could not be written: %.110s", why);
}

static bool row_stands(struct deed *deed, const struct mysql_rows *rows, int set)
{
    return mysql_fold_lease(rows, set, &deed->result.stored) &&
           rank_compare(&deed->result.stored.rank, &deed->request.row.rank) >= 0;
}

static void row_looked(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code != FC_OK || !row_stands(deed, answer->rows, 0))
        row_is_lacking(deed, answer->code != FC_OK ? answer->text : "it took too long");
    deed_done(deed);
}

static void row_look(struct deed *deed)
{
    deed_text_begin(deed);
    deed_text_add(deed, SQL_LEASE_READ);
    deed_send(deed, row_looked);
}

/* Whether it was still there does not matter. */
static void row_session_ended(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code == FC_OK || answer->code == FC_STORE)
        fence_close(deed);
    else
        deed_fail_by(deed, answer);
}

/* What hangs in a commit (a full disk, a replica that does not acknowledge) would keep read_only waiting too. */
static void row_end_session(struct deed *deed)
{
    struct sql_values id = { 0 };
    sql_values_number(&id, deed->fencing.row_session_id);
    deed_text_begin(deed);
    deed_text_add_values(deed, SQL_SESSION_END, &id);
    deed_send(deed, row_session_ended);
}

static void row_left(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code == FC_TIMEOUT) {
        deed->fencing.is_row_in_doubt = true;
        row_end_session(deed);
        return;
    }
    if (answer->code != FC_OK && answer->code != FC_STORE) {
        deed_fail_by(deed, answer);
        return;
    }
    if (answer->code == FC_OK && fence_is_refused(deed, answer->rows, answer->done_count - 1))
        return;
    if (answer->code != FC_OK)
        row_is_lacking(deed, answer->text);
    else if (!row_stands(deed, answer->rows, answer->done_count - 1))
        row_is_lacking(deed, "there is none to be raised");
    deed->fencing.is_asking_row = true;
    fence_close(deed);
}

void fence_begin(struct deed *deed)
{
    if (deed->request.row.rank.node[0] == '\0') {
        fence_close(deed);
        return;
    }
    deed->fencing.row_session_id = deed_kind(deed)->session_id;
    deed_text_begin(deed);
    deed_text_add_row(deed, SQL_LEASE_RENEW);
    deed_send_until(deed, quarter_from(deed, deed_now(deed)), row_left);
}

/* --- open --------------------------------------------------------------------------------------------------------- */

static bool row_seats(const struct decision *stored, const struct decision *wanted)
{
    return stored->phase == PHASE_SEATED && stored->rank.epoch == wanted->rank.epoch &&
           text_is(stored->rank.server, wanted->rank.server) && text_is(stored->rank.node, wanted->rank.node);
}

static void opened(struct deed *deed, const struct session_answer *answer)
{
    const char *read_only = mysql_rows_cell(answer->rows, 1, 0, 0);
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    mysql_fold_lease(answer->rows, 2, &deed->result.stored);
    if (text_is(read_only, "0"))
        deed_done(deed);
    else
        deed_fail(deed, FC_REFUSED, "the row changed in between: the server stays closed");
}

/* The guard in the statement closes a server that the row does not name. A late order of ours must not close a server that
 * sits by right, so the row is read before; the guard is for what changes in between. */
static void open_seen(struct deed *deed, const struct session_answer *answer)
{
    struct decision *stored = &deed->result.stored;
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    if (!mysql_fold_lease(answer->rows, 0, stored) || !row_seats(stored, &deed->request.row)) {
        deed_fail(deed, FC_REFUSED, "the row on this server is at epoch %" PRIu64 ", %s '%.60s': it is not opened",
                  stored->rank.epoch, phase_word(stored->phase), stored->rank.server);
        return;
    }
    deed_text_begin(deed);
    deed_text_add(deed, SQL_READ_ONLY_OFF_GUARDED);
    deed_text_add(deed, SQL_READ_ONLY_READ);
    deed_text_add(deed, SQL_LEASE_READ);
    deed_send(deed, opened);
}

void open_begin(struct deed *deed)
{
    const char *identity = deed_kind(deed)->identity;
    if (!text_is(identity, deed->request.row.rank.server)) {
        deed_fail(deed, FC_REFUSED, "this server is '%.70s', the row is to seat '%.70s'", identity,
                  deed->request.row.rank.server);
        return;
    }
    deed_text_begin(deed);
    deed_text_add(deed, SQL_LEASE_READ);
    deed_send(deed, open_seen);
}

/* --- catch up ----------------------------------------------------------------------------------------------------- */

static void catch_up_look(struct deed *deed);

static void catch_up_late(struct deed *deed)
{
    const struct replica_look *r = &deed->catching_up.replica;
    const struct log_position *wanted = deed->request.has_position ? &deed->request.position : &r->read;
    deed_fail(deed, FC_TIMEOUT, "applied up to %s:%" PRIu64 ", wanted %s:%" PRIu64 ", fetched %s:%" PRIu64 " (fetching %s)",
              r->applied.file, r->applied.offset, wanted->file, wanted->offset, r->read.file, r->read.offset,
              thread_state_word(r->io));
}

/* Nothing of what was fetched waits. A running fetcher may be about to bring more: it has to stand still for a while. A
 * fetcher that lost its master in the middle of a transaction leaves the beginning of it behind, which is never applied. */
static bool everything_is_applied(struct deed *deed, const struct replica_look *r, bool applier_waits)
{
    const int64_t still_us = fc_since(deed->catching_up.unchanged_since, deed_now(deed)).us;
    if (log_position_is_same(&r->read, &r->applied))
        return r->io != THREAD_RUNNING || still_us >= STILL_US;
    return r->io != THREAD_RUNNING && applier_waits && still_us >= TORN_US;
}

static void catch_up_seen(struct deed *deed, const struct session_answer *answer)
{
    struct catching_up *c = &deed->catching_up;
    struct look_shape shape;
    struct replica_look seen;

    if (answer->code == FC_TIMEOUT && c->polls > 0) {
        catch_up_late(deed);
        return;
    }
    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    deed_shape(deed, &shape);
    mysql_fold_replica(answer->rows, 0, &shape, &seen);
    if (c->polls++ == 0 || !log_position_is_same(&seen.read, &c->replica.read) ||
        !log_position_is_same(&seen.applied, &c->replica.applied))
        c->unchanged_since = deed_now(deed);
    c->replica = seen;
    if (!seen.is_configured) {
        deed_fail(deed, FC_STORE, "this server is not a replica");
        return;
    }
    const bool is_waiting = mysql_fold_applier_waits(answer->rows, 0, &shape) && mysql_rows_count(answer->rows, 1) == 0;
    const bool is_reached = deed->request.has_position
                                ? mysql_position_has_reached(&seen.applied, &deed->request.position)
                                : seen.sql == THREAD_RUNNING &&
                                      everything_is_applied(deed, &seen, is_waiting);
    if (is_reached)
        deed_done(deed);
    else if (seen.sql != THREAD_RUNNING)
        deed_fail(deed, FC_STORE, "the applier is stopped: %s", seen.error[0] != '\0' ? seen.error : "without an error");
    else
        deed_later(deed, c->polls < 20 ? 1000 : 5000, catch_up_look);
}

static void catch_up_look(struct deed *deed)
{
    if (fc_reached(deed->deadline, deed_now(deed))) {
        catch_up_late(deed);
        return;
    }
    deed_text_begin(deed);
    deed_text_add(deed, mysql_replica_statement(deed_kind(deed)));
    deed_text_add(deed, deed_kind(deed)->is_mariadb ? SQL_APPLIERS_READ : SQL_APPLIERS_READ_MYSQL);
    deed_send(deed, catch_up_seen);
}

void catch_up_begin(struct deed *deed)
{
    catch_up_look(deed);
}

/* --- the schema --------------------------------------------------------------------------------------------------- */

static void prepared(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code != FC_OK)
        deed_fail_by(deed, answer);
    else if (!mysql_fold_lease(answer->rows, answer->done_count - 1, &deed->result.stored))
        deed_fail(deed, FC_STORE, "the lease row is not there after it was laid");
    else
        deed_done(deed);
}

static bool has_table(const struct mysql_rows *rows, int set, const char *table)
{
    for (uint32_t i = 0; i < mysql_rows_count(rows, set); i++) {
        if (text_is_nocase(mysql_rows_cell(rows, set, i, 0), table))
            return true;
    }
    return false;
}

static void catalogue_seen(struct deed *deed, const struct session_answer *answer)
{
    struct sql_values version = { 0 };
    const int set = answer->done_count - 1;

    if (answer->code != FC_OK) {
        deed_fail_by(deed, answer);
        return;
    }
    mysql_session_note_database(deed->lane->session);
    deed_text_begin(deed);
    if (deed->lane->kind == LANE_FENCE && deed_kind(deed)->has_super_read_only)
        deed_text_add(deed, SQL_SUPER_READ_ONLY_OFF);
    for (int name = SQL_CREATE_FIRST; name <= SQL_CREATE_LAST; name++) {
        if (!has_table(answer->rows, set, sql_statements[name].table))
            deed_text_add(deed, (enum sql_name)name);
    }
    sql_values_text(&version, "firstchair " FC_VERSION);
    deed_text_add_values(deed, SQL_DEPLOYMENT_LAY, &version);
    deed_text_add(deed, SQL_LEASE_LAY);
    deed_text_add(deed, SQL_LEASE_READ);
    deed_send(deed, prepared);
}

static void schema_seen(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code != FC_STORE || answer->error_number != ER_BAD_DB_ERROR) {
        catalogue_seen(deed, answer);
        return;
    }
    deed_text_begin(deed);
    deed_text_add_use(deed, SQL_DATABASE_CREATE);
    deed_text_add_use(deed, SQL_DATABASE_USE);
    deed_text_add(deed, SQL_TABLES);
    deed_send(deed, catalogue_seen);
}

/* A fence that could not see the sessions would call an open server closed: better said at the start. */
void prepare_begin(struct deed *deed)
{
    if (deed->lane->kind == LANE_FENCE && !deed_kind(deed)->sees_all_sessions) {
        deed->result.loss = LOSS_DENIED;
        deed_fail(deed, FC_STORE, "the fence account '%.40s' lacks PROCESS: it cannot see the sessions that it has to end",
                  deed_user(deed, LANE_FENCE));
        return;
    }
    deed_text_begin(deed);
    deed_text_add_use(deed, SQL_DATABASE_USE);
    deed_text_add(deed, SQL_TABLES);
    deed_send(deed, schema_seen);
}
