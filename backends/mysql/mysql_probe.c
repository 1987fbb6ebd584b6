/* One probe as a small machine: compose what is still wanted, ask, note what came and what failed, until nothing is left. */
#include "backends/mysql/mysql_probe.h"

#include <assert.h>
#include <ctype.h>
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "backends/mysql/mysql_dialect.h"
#include "backends/mysql/mysql_probe_fold.h"
#include "backends/sql_statements.h"
#include "base/text.h"

#define TEXT_SIZE 16384              /* all parts together take 4 KB, each of the operator's queries 1 KB at most */
#define PART_QUERY PART_COUNT        /* the first of the operator's queries: they come behind all parts of ours */
#define PARTS_ALL (PART_COUNT + PROBE_QUERIES)
_Static_assert(PARTS_ALL <= 32, "a bit each");

struct mysql_prober {
    const struct host *host;
    struct mysql_prober_setting setting;
    mysql_probe_seen *seen;
    mysql_probe_lost *lost;
    struct probe_scratch scratch;
    struct detected detected;
    int probe_count;
};

struct aside { struct fc_time until; bool is_denied; char *why; };     /* why: NULL out of memory */

struct mysql_probe {
    struct mysql_prober *prober;
    void *owner;
    struct mysql_session *session;
    char host_name[INSTANCE_HOST_MAX + 1];
    struct instance_key key;
    bool uses_tls;                   /* turned to: of mixed TLS */

    uint64_t variables;              /* that this connection's server has; 0: not known yet */
    bool needs_threads;              /* the list of replicas was not enough when last read */
    struct fc_time connected_at;
    struct aside aside[PARTS_ALL];   /* until FC_EVER: not set aside */

    bool is_busy, has_retried_tls;
    struct fc_time begun, deadline;
    int round_trips;
    unsigned asked, done;            /* parts, of this probe */
    int order[PARTS_ALL];            /* enum probe_part, or a query */
    int order_count;                 /* of the round trip under way */
    struct part_sets sets;
    int query_sets[PROBE_QUERIES];
    struct mysql_rows rows;          /* of earlier round trips of this probe: only when it is split */
};

static void on_answer(void *owner, const struct session_answer *answer);
static void tell_nonsense(struct mysql_probe *p, const struct session_answer *answer, const char *what);

static struct fc_time now_of(const struct mysql_probe *p) { return p->prober->host->now(p->prober->host->agent); }

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void end(struct mysql_probe *p)
{
    p->is_busy = false;
    mysql_rows_done(&p->rows);
}

static void tell_lost(struct mysql_probe *p, const struct session_answer *answer, bool has_answered)
{
    const struct instance_lost lost = {
        .key = p->key, .loss = answer->loss, .phase = answer->phase, .has_answered = has_answered,
        .error_number = answer->error_number, .text = answer->text, .sent_at = p->begun, .lost_at = now_of(p),
    };
    end(p);
    p->prober->lost(p->owner, &lost);      /* may close us: nothing is touched after it */
}

static unsigned version_of(const struct mysql_probe *p) { return version_number(mysql_session_kind(p->session)->version); }

static const char *query_of(const struct mysql_probe *p, int part)
{
    const char *query = p->prober->setting.queries[part - PART_QUERY];
    return query == NULL ? "" : query;
}

static int *set_of(struct mysql_probe *p, int part)
{
    return part < PART_QUERY ? &p->sets.of[part] : &p->query_sets[part - PART_QUERY];
}

static void keep_aside(struct mysql_probe *p, int part, bool is_denied, const char *why)
{
    free(p->aside[part].why);
    p->aside[part] = (struct aside){ .until = fc_plus(now_of(p), fc_ms(PROBE_ASIDE_MS)), .is_denied = is_denied, .why = strdup(why) };
}

static bool has_needed(const struct mysql_probe *p, enum probe_part part)
{
    const char *needed = dialect_needs(part);
    for (int i = 0; needed != NULL && i < variables_count(); i++) {
        if (text_is(variable_name(i), needed))
            return (p->variables >> i & 1) != 0;
    }
    return needed == NULL;
}

/* Does this server have the part, and is it of use now? The threads are only asked for when the list is not enough. */
static bool is_wanted(const struct mysql_probe *p, int part)
{
    if (part >= PART_QUERY)
        return query_of(p, part)[0] != '\0';
    if (dialect_statement(part, mysql_session_kind(p->session)->is_mariadb, version_of(p)) == NO_STATEMENT || !has_needed(p, part))
        return false;
    return part != PART_DUMP_THREADS || p->needs_threads;
}

/* Without PROCESS a server shows an account its own threads alone, and says no word about it. */
static void note_blindness(struct mysql_probe *p, const struct instance_seen *seen)
{
    const unsigned bit = PART_BIT(PART_DUMP_THREADS);
    bool has_thread = false;
    for (uint32_t i = 0; i < seen->replica_count; i++)
        has_thread |= (seen->replicas[i].how & LISTED_THREAD) != 0;
    if ((p->done & bit) == 0 || mysql_session_kind(p->session)->sees_all_sessions || has_thread)
        return;
    p->done &= ~bit;
    keep_aside(p, PART_DUMP_THREADS, true, "dump-threads: PROCESS is missing, the sessions of others are not shown");
}

static void mark_missing(const struct mysql_probe *p, struct instance_seen *seen)
{
    for (int part = 0; part < PARTS_ALL; part++) {
        const unsigned readings = part < PART_QUERY ? part_readings((enum probe_part)part) : 0;
        if (!is_wanted(p, part))
            continue;
        seen->wanted |= readings;
        if ((p->done & PART_BIT(part)) != 0)
            continue;
        seen->missing |= readings;
        seen->denied |= p->aside[part].is_denied ? readings : 0;
        if (seen->trouble[0] == '\0' && p->aside[part].why != NULL)
            seen->trouble = p->aside[part].why;
    }
}

/* One row, one column; what is something else is no answer. */
static const char *answer_of(const struct mysql_probe *p, const struct mysql_rows *rows, int query)
{
    const int set = p->query_sets[query];
    const bool is_answer = set >= 0 && mysql_rows_count(rows, set) == 1 && mysql_rows_columns(rows, set) == 1;
    return is_answer ? mysql_rows_cell(rows, set, 0, 0) : NULL;
}

/* It stands in the place of Seconds_Behind_Master; of who has no master too. */
static void read_lag(struct mysql_probe *p, const char *lag, struct instance_seen *seen)
{
    if (lag == NULL || (!isdigit((unsigned char)lag[0]) && lag[0] != '-'))
        return;
    const struct channel_seen *counts = instance_channel(seen);
    const long long told = strtoll(lag, NULL, 10), lag_s = told < 0 ? 0 : told;       /* a fraction is left out */
    if (counts != NULL) {
        p->prober->scratch.channels[counts - seen->channels].lag_s = lag_s;
        return;
    }
    seen->has_told_lag = true;
    seen->told_lag_s = lag_s;
}

static void read_queries(struct mysql_probe *p, const struct mysql_rows *rows, struct instance_seen *seen)
{
    for (int i = 0; i < CLASSIFIED_COUNT; i++)
        p->prober->detected.answer[i] = answer_of(p, rows, i);
    read_lag(p, answer_of(p, rows, PROBE_QUERY_LAG), seen);
}

static void tell_seen(struct mysql_probe *p, const struct mysql_rows *rows)
{
    struct instance_seen seen = { .key = p->key, .trouble = "", .sent_at = p->begun, .seen_at = now_of(p) };
    if (!mysql_probe_fold(rows, &p->sets, &p->prober->scratch, &seen)) {
        tell_nonsense(p, &(struct session_answer){ 0 }, "names no version");
        return;
    }
    note_blindness(p, &seen);
    mark_missing(p, &seen);
    read_queries(p, rows, &seen);
    p->is_busy = false;
    p->prober->seen(p->owner, &seen);      /* may close us or begin the next one: nothing is touched after it */
}

/* --- what is asked ------------------------------------------------------------------------------------------------ */

static size_t add_variables(const struct mysql_probe *p, char *to, size_t size)
{
    char names[VARIABLE_NAMES_SIZE];
    struct sql_values values = { 0 };
    const bool is_known = p->variables != 0;
    variables_names(is_known ? p->variables : UINT64_MAX, names);
    sql_values_names(&values, is_known ? 'v' : 'l', names);
    return sql_fill(is_known ? SQL_VARIABLES_READ : SQL_VARIABLES_FIND, &values, to, size);
}

static size_t add_part(const struct mysql_probe *p, int part, char *to, size_t size)
{
    if (part >= PART_QUERY)
        return text_copy(to, size, query_of(p, part)) ? strlen(to) : 0;
    if (part == PART_VARIABLES)
        return add_variables(p, to, size);
    return sql_fill(dialect_statement((enum probe_part)part, mysql_session_kind(p->session)->is_mariadb, version_of(p)), NULL, to, size);
}

static bool is_due(const struct mysql_probe *p, int part)
{
    return (p->asked & PART_BIT(part)) == 0 && is_wanted(p, part) && fc_is_ever(p->aside[part].until);
}

/* Until a connection is made, nothing is known of the server: then the variables alone are asked for, which every one has. */
static size_t compose(struct mysql_probe *p, char text[TEXT_SIZE])
{
    size_t length = 0;
    p->order_count = 0;
    for (int part = 0; part < PARTS_ALL; part++) {
        const bool is_first = p->variables == 0;
        if (is_first ? part != PART_VARIABLES : !is_due(p, part))
            continue;
        const size_t more = add_part(p, part, text + length, TEXT_SIZE - length - 1);
        assert(more > 0);
        length += more;
        text[length++] = ';';
        p->order[p->order_count++] = part;
        p->asked |= PART_BIT(part);
    }
    return length == 0 ? 0 : length - 1;
}

static void ask(struct mysql_probe *p, const char *text, size_t length)
{
    p->round_trips++;
    mysql_session_query(p->session, text, length, p->deadline, on_answer, p);
}

/* --- what came ---------------------------------------------------------------------------------------------------- */

static bool keep_set(struct mysql_rows *to, const struct mysql_rows *from, int set)
{
    const int columns = mysql_rows_columns(from, set);
    bool fits = mysql_rows_begin_set(to, (uint32_t)columns);
    for (int i = 0; fits && i < columns; i++)
        fits = mysql_rows_add_name(to, mysql_rows_column_name(from, set, i));
    for (uint32_t row = 0; fits && row < mysql_rows_count(from, set); row++) {
        for (int i = 0; fits && i < columns; i++) {
            const char *cell = mysql_rows_cell(from, set, row, i);
            fits = mysql_rows_add_cell(to, cell, cell == NULL ? 0 : strlen(cell));
        }
        if (fits)
            mysql_rows_end_row(to);
    }
    return fits;
}

/* The next question overwrites the session's rows: what came so far is kept. */
static bool keep_sets(struct mysql_probe *p, const struct session_answer *answer)
{
    for (int i = 0; i < answer->done_count && i < p->order_count; i++) {
        *set_of(p, p->order[i]) = p->rows.set_count;
        if (!keep_set(&p->rows, answer->rows, i))
            return false;
    }
    return true;
}

static void set_aside(struct mysql_probe *p, int part, const struct session_answer *answer)
{
    static const unsigned denials[] = {
        ER_SPECIFIC_ACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR,
        ER_ACCESS_DENIED_ERROR,
    };
    const char *word = part < PART_QUERY ? part_word((enum probe_part)part) : part - PART_QUERY == PROBE_QUERY_LAG ? "ReplicationLagQuery"
                                                                                             : classified_rows[part - PART_QUERY].query_key;
    bool is_denied = false;
    char why[240];
    for (size_t i = 0; i < sizeof denials / sizeof denials[0]; i++)
        is_denied |= answer->error_number == denials[i];
    TEXT_FORMAT(why, "%s: %s", word, answer->text);
    keep_aside(p, part, is_denied, why);
}

/* What is known once the list of replicas is read, or cannot be. */
static void note_replica_list(struct mysql_probe *p, const struct session_answer *answer, int done)
{
    for (int i = 0; i < done; i++) {
        if (p->order[i] == PART_REPLICA_LIST)
            p->needs_threads = mysql_probe_lacks_hosts(answer->rows, i);
    }
    if (!fc_is_ever(p->aside[PART_REPLICA_LIST].until))
        p->needs_threads = true;
}

static void note_done(struct mysql_probe *p, const struct session_answer *answer)
{
    /* Of a session that was lost before it read, the count is of something else. */
    const int done = answer->loss != LOSS_NONE && answer->phase != PROBE_READING ? 0 : answer->done_count;
    for (int i = 0; i < p->order_count; i++) {
        if (i < done)
            p->done |= PART_BIT(p->order[i]);
        else if (i > done)
            p->asked &= ~PART_BIT(p->order[i]);      /* it was not reached */
    }
    if (done < p->order_count && answer->code == FC_STORE)
        set_aside(p, p->order[done], answer);
    if (p->variables == 0 && (p->done & PART_BIT(PART_VARIABLES)) != 0)
        p->variables = mysql_probe_variables(answer->rows, 0);
    note_replica_list(p, answer, done);
}

static void begin_round(struct mysql_probe *p)
{
    char text[TEXT_SIZE];
    const size_t length = compose(p, text);
    ask(p, text, length);
}

/* The session is lost. What hung while the variables came back is set aside, so that the next probe sees the server. */
static void on_loss(struct mysql_probe *p, const struct session_answer *answer)
{
    const bool has_answered = (p->done & PART_BIT(PART_VARIABLES)) != 0;
    if (mysql_session_turns_to_tls(p->session, answer)) {
        p->has_retried_tls = p->uses_tls = true;
        p->asked = p->done = 0;
        begin_round(p);
        return;
    }
    if (p->uses_tls && !has_answered && (p->has_retried_tls || answer->loss == LOSS_DENIED)) {      /* it was not that: plain again next time */
        p->uses_tls = false;
        mysql_session_use_tls(p->session, false);
    }
    if (has_answered && answer->code == FC_TIMEOUT && answer->phase == PROBE_READING && answer->done_count < p->order_count)
        set_aside(p, p->order[answer->done_count], answer);
    p->variables = 0;
    tell_lost(p, answer, has_answered || answer->phase == PROBE_READING);
}

static bool has_more(const struct mysql_probe *p)
{
    for (int part = 0; part < PARTS_ALL; part++) {
        if (is_due(p, part))
            return true;
    }
    return false;
}

static void tell_nonsense(struct mysql_probe *p, const struct session_answer *answer, const char *what)
{
    struct session_answer nonsense = { .loss = LOSS_BROKEN, .phase = PROBE_READING, .error_number = answer->error_number };
    TEXT_FORMAT(nonsense.text, "%s:%u %s%s%s", p->key.host, p->key.port, what, answer->text[0] == '\0' ? "" : ": ", answer->text);
    mysql_session_drop(p->session);
    p->variables = 0;
    tell_lost(p, &nonsense, true);
}

static void on_answer(void *owner, const struct session_answer *answer)
{
    struct mysql_probe *p = owner;
    const bool was_unknown = p->variables == 0;
    struct mysql_rows rows;

    note_done(p, answer);
    if (answer->loss != LOSS_NONE) {
        on_loss(p, answer);
        return;
    }
    if (p->variables == 0) {             /* a proxy, or something else that speaks the protocol */
        tell_nonsense(p, answer, "does not tell its variables");
        return;
    }
    p->connected_at = was_unknown ? now_of(p) : p->connected_at;
    const bool goes_on = has_more(p);
    if (!goes_on && p->rows.set_count == 0) {      /* the usual way: one round trip, nothing is copied */
        for (int i = 0; i < answer->done_count; i++)
            *set_of(p, p->order[i]) = i;
        mysql_session_take_rows(p->session, &rows);
        tell_seen(p, &rows);
        mysql_rows_done(&rows);
        return;
    }
    if (!keep_sets(p, answer)) {
        tell_nonsense(p, answer, "says more than is believed");
        return;
    }
    if (goes_on) {
        begin_round(p);
        return;
    }
    rows = p->rows;
    p->rows = (struct mysql_rows){ 0 };
    tell_seen(p, &rows);
    mysql_rows_done(&rows);
}

/* --- sessions that end by themselves ------------------------------------------------------------------------------ */

static void on_ended(void *owner, enum loss loss, const char *text)
{
    struct mysql_probe *p = owner;
    const struct fc_time now = now_of(p);
    const struct instance_lost lost = { .key = p->key, .loss = loss, .phase = PROBE_IDLE, .text = text, .sent_at = now, .lost_at = now };
    assert(!p->is_busy);
    p->variables = 0;
    p->prober->lost(p->owner, &lost);
}

/* --- the contract ------------------------------------------------------------------------------------------------- */

struct mysql_prober *mysql_prober_open(const struct host *host, const struct mysql_prober_setting *setting, mysql_probe_seen *seen,
                                       mysql_probe_lost *lost)
{
    struct mysql_prober *prober = calloc(1, sizeof *prober);
    assert(setting->connect_limit.us > 0 && setting->read_limit.us > 0);
    if (prober == NULL)
        return NULL;
    prober->host = host;
    prober->setting = *setting;
    prober->seen = seen;
    prober->lost = lost;
    return prober;
}

void mysql_prober_close(struct mysql_prober *prober)
{
    if (prober == NULL)
        return;
    assert(prober->probe_count == 0);
    probe_scratch_done(&prober->scratch);
    explicit_bzero(prober->setting.password, sizeof prober->setting.password);
    free(prober);
}

static struct mysql_session *session_of(struct mysql_probe *p)
{
    const struct mysql_prober_setting *setting = &p->prober->setting;
    struct mysql_session_setting with = { .connect_limit = setting->connect_limit, .tls = setting->tls, .is_one_of_many = true };
    const bool is_v6 = strchr(p->host_name, ':') != NULL;
    TEXT_FORMAT(with.label, is_v6 ? "[%.80s]:%u" : "%.80s:%u", p->host_name, p->key.port);
    instance_key_text(&p->key, with.address, sizeof with.address);
    TEXT_SET(with.user, setting->user);
    TEXT_SET(with.password, setting->password);
    struct mysql_session *session = mysql_session_open(p->prober->host, &with, on_ended, p);
    explicit_bzero(with.password, sizeof with.password);
    return session;
}

struct mysql_probe *mysql_probe_open(struct mysql_prober *prober, const struct instance_key *key, void *owner)
{
    struct mysql_probe *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    *p = (struct mysql_probe){ .prober = prober, .owner = owner, .connected_at = FC_EVER };
    TEXT_SET(p->host_name, key->host);
    p->key = (struct instance_key){ p->host_name, key->port };
    for (int part = 0; part < PARTS_ALL; part++)
        p->aside[part].until = FC_EVER;
    p->session = session_of(p);
    if (p->session == NULL) {
        free(p);
        return NULL;
    }
    prober->probe_count++;
    return p;
}

void mysql_probe_close(struct mysql_probe *p)
{
    if (p == NULL)
        return;
    mysql_session_close(p->session);
    mysql_rows_done(&p->rows);
    for (int part = 0; part < PARTS_ALL; part++)
        free(p->aside[part].why);
    p->prober->probe_count--;
    free(p);
}

/* What was set aside is tried again over a new connection, which has the privileges of now; an operator's query over the same one. */
static bool takes_up_again(struct mysql_probe *p)
{
    bool any = false;
    for (int part = 0; part < PARTS_ALL; part++) {
        struct aside *aside = &p->aside[part];
        if (fc_is_ever(aside->until) || !fc_reached(aside->until, p->begun))
            continue;
        free(aside->why);
        *aside = (struct aside){ .until = FC_EVER };
        any |= part < PART_QUERY;
    }
    return any;
}

static bool is_outlived(const struct mysql_probe *p)
{
    const int64_t life_us = p->prober->setting.connection_life.us;
    return life_us > 0 && !fc_is_ever(p->connected_at) && fc_since(p->connected_at, p->begun).us >= life_us;
}

bool mysql_probe_start(struct mysql_probe *p)
{
    const struct mysql_prober_setting *setting = &p->prober->setting;
    if (p->is_busy)
        return false;
    p->begun = now_of(p);
    if (takes_up_again(p) || is_outlived(p)) {
        mysql_session_drop(p->session);
        p->variables = 0;
    }
    p->is_busy = true;
    p->has_retried_tls = false;
    p->deadline = fc_plus(p->begun, (struct fc_span){ setting->read_limit.us + (p->variables == 0 ? setting->connect_limit.us : 0) });
    p->round_trips = 0;
    p->asked = p->done = 0;
    for (int part = 0; part < PARTS_ALL; part++)
        *set_of(p, part) = -1;
    begin_round(p);
    return true;
}

const struct detected *mysql_prober_detected(const struct mysql_prober *prober) { return &prober->detected; }

bool mysql_probe_is_busy(const struct mysql_probe *p) { return p->is_busy; }
int mysql_probe_round_trips(const struct mysql_probe *p) { return p->round_trips; }
