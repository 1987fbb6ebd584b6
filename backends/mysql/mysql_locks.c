/* Answers only note what was heard and set the timer; everything is sent, closed and told from there, so that no answer is told from within a call
 * and no session is closed under the rows that somebody is reading. */
#include "backends/mysql/mysql_locks.h"

#include <assert.h>
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "backends/sql_statements.h"
#include "base/text.h"

#define ASK_SIZE 512

struct mysql_locks {
    const struct host *host;
    struct mysql_locks_setting setting;
    struct mysql_lock *first;
};

enum doing { NOTHING, ASKING, KEEPING, AT_A_DEED };

struct lock_session {
    struct mysql_lock *lock;
    int place;
    struct instance_key key;
    char host_name[INSTANCE_HOST_MAX + 1];
    struct mysql_session *session;
    enum doing doing;
    bool is_asked;                   /* in this state of its server */
    char loss[200];
    /* a deed: under way, or waiting for the session to be free */
    char *text;
    size_t length;
    struct fc_time deadline;
    mysql_session_answered *answered;
    void *answer_owner;
};

struct mysql_lock {
    struct mysql_locks *locks;
    struct mysql_lock *next;
    struct mysql_lock_wish wish;     /* without its servers */
    char why[MYSQL_LOCK_WHY_MAX];
    struct deed_lock state;
    struct deed_lock_server *states;
    struct lock_session *sessions;
    struct host_timer *timer;
    enum deed_lock_verdict told;
    struct fc_time keep_at;
    bool *is_gone;                   /* of the tick that is under way; set when somebody ends the lock from within what is told there */
};

static struct fc_time now_of(const struct mysql_lock *lock) { return lock->locks->host->now(lock->locks->host->agent); }
static struct fc_time may_act_until(const struct mysql_lock *lock) { return lock->wish.may_act(lock->wish.owner); }
static void at_once(struct mysql_lock *lock) { lock->locks->host->timer_set(lock->timer, now_of(lock)); }

/* --- sessions ----------------------------------------------------------------------------------------------------- */

static void hear(struct lock_session *s, enum deed_lock_word word, uint64_t holder, const char *why)
{
    struct mysql_lock *lock = s->lock;
    const enum deed_lock_state before = lock->states[s->place].state;
    deed_lock_hear(&lock->state, s->place, word, holder, now_of(lock), may_act_until(lock));
    s->is_asked = false;
    if (lock->states[s->place].state == DEED_LOCK_LOST && before != DEED_LOCK_LOST)
        TEXT_SET(s->loss, why);
    at_once(lock);
}

static void on_ended(void *owner, enum loss loss, const char *text)
{
    (void)loss;
    hear(owner, DEED_LOCK_GONE, 0, text);
}

static struct mysql_session *session_open(struct lock_session *s)
{
    const struct mysql_locks *locks = s->lock->locks;
    struct mysql_session_setting setting = { .connect_limit = locks->setting.connect_limit, .tls = locks->setting.tls, .takes_back = true };
    instance_key_text(&s->key, setting.label, sizeof setting.label);
    instance_key_text(&s->key, setting.address, sizeof setting.address);
    TEXT_SET(setting.user, locks->setting.user);
    TEXT_SET(setting.password, locks->setting.password);
    struct mysql_session *session = mysql_session_open(locks->host, &setting, on_ended, s);
    explicit_bzero(setting.password, sizeof setting.password);
    return session;
}

static size_t add(char *to, size_t at, size_t size, enum sql_name name, const struct sql_values *values)
{
    const size_t more = at + 1 < size ? sql_fill(name, values, to + at + (at > 0 ? 1 : 0), size - at - 1) : 0;
    assert(more > 0);                /* the statements are ours, and short */
    if (at > 0)
        to[at] = ';';
    return at + more + (at > 0 ? 1 : 0);
}

/* --- asking for the lock ------------------------------------------------------------------------------------------ */

static size_t write_question(const struct lock_session *s, char *to, size_t size)
{
    const struct deed_lock_server *state = &s->lock->states[s->place];
    const bool ends = state->state == DEED_LOCK_ENDING;
    struct sql_values take = { 0 }, name = { 0 }, number = { 0 };
    sql_values_text(&name, DEED_LOCK_NAME);
    sql_values_text(&take, DEED_LOCK_NAME);
    sql_values_number(&take, ends ? MYSQL_LOCK_WAIT_SECONDS : 0);
    sql_values_number(&number, ends ? state->holder : MYSQL_LOCK_PATIENCE_SECONDS);
    size_t length = add(to, 0, size, ends ? SQL_SESSION_END : SQL_SESSION_PATIENCE, &number);
    length = add(to, length, size, SQL_DEED_LOCK_TAKE, &take);
    return add(to, length, size, SQL_DEED_LOCK_HOLDER, &name);
}

static void hear_question(struct lock_session *s, const struct session_answer *answer)
{
    const struct mysql_rows *rows = answer->rows;
    if (answer->code == FC_STORE && answer->error_number == ER_NO_SUCH_THREAD) {
        hear(s, DEED_LOCK_TAKEN, 0, "");                     /* it ended before we could end it */
    } else if (mysql_session_turns_to_tls(s->session, answer)) {
        s->is_asked = false;
        at_once(s->lock);
    } else if (answer->code != FC_OK) {
        hear(s, DEED_LOCK_GONE, 0, answer->text);
    } else if (mysql_rows_number(rows, 1, 0, 0) == 1) {
        mysql_session_stay(s->session);
        hear(s, DEED_LOCK_GIVEN, 0, "");
    } else {
        hear(s, DEED_LOCK_TAKEN, mysql_rows_number(rows, 2, 0, 0), "somebody else takes its lock again and again");
    }
}

static void deed_ends(struct lock_session *s, const struct session_answer *answer)
{
    mysql_session_answered *answered = s->answered;
    free(s->text);
    s->text = NULL;
    s->answered = NULL;
    answered(s->answer_owner, answer);        /* may end the lock: nothing is touched after it */
}

static void on_answer(void *owner, const struct session_answer *answer)
{
    struct lock_session *s = owner;
    const enum doing done = s->doing;
    s->doing = NOTHING;
    if (done == ASKING) {
        hear_question(s, answer);
        return;
    }
    if (answer->loss != LOSS_NONE)
        hear(s, DEED_LOCK_GONE, 0, answer->text);
    at_once(s->lock);
    if (done == AT_A_DEED)
        deed_ends(s, answer);
}

static void say(struct lock_session *s, enum doing doing, const char *text, size_t length, struct fc_time deadline)
{
    s->doing = doing;
    mysql_session_query(s->session, text, length, deadline, on_answer, s);
}

/* --- what is to be done ------------------------------------------------------------------------------------------- */

static struct fc_time answer_until(const struct lock_session *s) { return fc_plus(now_of(s->lock), s->lock->locks->setting.answer_limit); }

static void ask(struct lock_session *s)
{
    char text[ASK_SIZE];
    const size_t length = write_question(s, text, sizeof text);
    s->is_asked = true;
    say(s, ASKING, text, length, answer_until(s));
}

static void refuse_deed(struct lock_session *s)
{
    struct session_answer answer = { .code = FC_REFUSED, .phase = PROBE_READING };
    static const struct mysql_rows none;
    answer.rows = &none;
    TEXT_FORMAT(answer.text, "%.80s:%u: nothing was sent: %s", s->host_name, s->key.port,
                s->loss[0] != '\0' ? s->loss : s->lock->state.because[0] != '\0' ? s->lock->state.because : "the lock is not held there");
    deed_ends(s, &answer);
}

/* False: the lock is gone, ended by who was told. */
static bool do_deed(struct lock_session *s)
{
    const bool *is_gone = s->lock->is_gone;
    if (deed_lock_permits(&s->lock->state, s->place, now_of(s->lock), may_act_until(s->lock)))
        say(s, AT_A_DEED, s->text, s->length, s->deadline);
    else
        refuse_deed(s);
    return !*is_gone;
}

static bool perform(struct lock_session *s, bool keeps)
{
    const char *nothing = sql_statements[SQL_NOTHING].mysql;
    const enum deed_lock_state state = s->lock->states[s->place].state;
    const bool is_over = s->lock->state.verdict == DEED_LOCK_REFUSED || s->lock->state.verdict == DEED_LOCK_OVER;
    if ((state == DEED_LOCK_LOST || is_over) && s->session != NULL && s->doing != AT_A_DEED) {
        mysql_session_close(s->session);      /* the server gives the lock free */
        s->session = NULL;
        s->doing = NOTHING;
    }
    if (s->text != NULL && s->doing == NOTHING)
        return do_deed(s);
    if (s->session == NULL || s->doing != NOTHING)
        return true;
    if ((state == DEED_LOCK_TAKING || state == DEED_LOCK_ENDING) && !s->is_asked)
        ask(s);
    else if (state == DEED_LOCK_HELD && keeps)
        say(s, KEEPING, nothing, strlen(nothing), answer_until(s));
    return true;
}

static void tell(struct mysql_lock *lock)
{
    static const char *const beginnings[DEED_LOCK_VERDICT_COUNT] = {
        [DEED_LOCK_AWAITED] = "", [DEED_LOCK_PERMITS] = "the lock is held", [DEED_LOCK_REFUSED] = "the lock is not obtained",
        [DEED_LOCK_OVER] = "the lock is lost",
    };
    const struct lock_session *target = &lock->sessions[lock->state.target];
    char sentence[400];
    lock->told = lock->state.verdict;
    TEXT_FORMAT(sentence, "%s on %d of %d servers%s%s%s%s", beginnings[lock->told], lock->state.by[DEED_LOCK_HELD], lock->state.count,
                lock->state.because[0] == '\0' ? "" : ": ", lock->state.because, target->loss[0] == '\0' ? "" : " - ", target->loss);
    lock->wish.told(lock->wish.owner, lock->told, sentence);      /* may end it: nothing is touched after it */
}

static void tick(void *owner)
{
    struct mysql_lock *lock = owner;
    const struct fc_time now = now_of(lock);
    const bool keeps = fc_reached(lock->keep_at, now);
    bool is_gone = false;

    deed_lock_tick(&lock->state, now, may_act_until(lock));
    if (keeps)
        lock->keep_at = fc_plus(now, fc_ms(MYSQL_LOCK_KEEP_MS));
    lock->is_gone = &is_gone;
    for (int i = 0; i < lock->state.count; i++) {
        if (!perform(&lock->sessions[i], keeps))
            return;
    }
    lock->is_gone = NULL;
    lock->locks->host->timer_set(lock->timer, fc_earlier(lock->keep_at, deed_lock_wakes_at(&lock->state, may_act_until(lock))));
    if (lock->state.verdict != lock->told)
        tell(lock);
}

/* --- the contract ------------------------------------------------------------------------------------------------- */

struct mysql_locks *mysql_locks_open(const struct host *host, const struct mysql_locks_setting *setting)
{
    struct mysql_locks *locks = calloc(1, sizeof *locks);
    if (locks != NULL)
        *locks = (struct mysql_locks){ .host = host, .setting = *setting };
    return locks;
}

void mysql_locks_close(struct mysql_locks *locks)
{
    if (locks == NULL)
        return;
    assert(locks->first == NULL);
    explicit_bzero(locks->setting.password, sizeof locks->setting.password);
    free(locks);
}

static bool is_same(const struct lock_session *s, const struct instance_key *key)
{
    return s->key.port == key->port && text_is_nocase(s->host_name, key->host);
}

static enum fc_code check_own(const struct mysql_locks *locks, const struct mysql_lock_wish *wish, struct fc_err *err)
{
    for (const struct mysql_lock *other = locks->first; other != NULL; other = other->next) {
        for (int i = 0; i < other->state.count; i++) {
            for (int j = 0; j < wish->count; j++) {
                if (is_same(&other->sessions[i], &wish->servers[j]))
                    return fc_fail(err, FC_BUSY, "%s:%u is being changed by this node: it %s", other->sessions[i].host_name,
                                   other->sessions[i].key.port, other->why);
            }
        }
    }
    return FC_OK;
}

static bool open_sessions(struct mysql_lock *lock, const struct instance_key *servers)
{
    for (int i = 0; i < lock->wish.count; i++) {
        struct lock_session *s = &lock->sessions[i];
        s->lock = lock;
        s->place = i;
        TEXT_SET(s->host_name, servers[i].host);
        s->key = (struct instance_key){ s->host_name, servers[i].port };
        s->session = session_open(s);
        if (s->session == NULL)
            return false;
    }
    return true;
}

enum fc_code mysql_lock_begin(struct mysql_locks *locks, const struct mysql_lock_wish *wish, struct mysql_lock **ret, struct fc_err *err)
{
    const enum fc_code code = check_own(locks, wish, err);
    if (code != FC_OK)
        return code;
    struct mysql_lock *lock = calloc(1, sizeof *lock);
    if (lock == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    *lock = (struct mysql_lock){ .locks = locks, .wish = *wish, .next = locks->first };
    locks->first = lock;
    lock->wish.servers = NULL;
    TEXT_SET(lock->why, wish->why);
    lock->states = calloc((size_t)wish->count, sizeof *lock->states);
    lock->sessions = calloc((size_t)wish->count, sizeof *lock->sessions);
    lock->timer = locks->host->timer(locks->host->agent, tick, lock);
    if (lock->states == NULL || lock->sessions == NULL || lock->timer == NULL || !open_sessions(lock, wish->servers)) {
        mysql_lock_end(lock);
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    }
    deed_lock_begin(&lock->state, lock->states, wish->count, wish->target, wish->until);
    lock->keep_at = fc_plus(now_of(lock), fc_ms(MYSQL_LOCK_KEEP_MS));
    at_once(lock);
    *ret = lock;
    return FC_OK;
}

void mysql_lock_end(struct mysql_lock *lock)
{
    if (lock == NULL)
        return;
    if (lock->is_gone != NULL)
        *lock->is_gone = true;
    struct mysql_lock **at = &lock->locks->first;
    while (*at != lock)
        at = &(*at)->next;
    *at = lock->next;
    for (int i = 0; lock->sessions != NULL && i < lock->wish.count; i++) {
        mysql_session_close(lock->sessions[i].session);
        free(lock->sessions[i].text);
    }
    lock->locks->host->untimer(lock->timer);
    free(lock->sessions);
    free(lock->states);
    free(lock);
}

enum fc_code mysql_lock_say(struct mysql_lock *lock, int server, const char *text, size_t length, struct fc_time deadline,
                            mysql_session_answered *answered, void *owner, struct fc_err *err)
{
    struct lock_session *s = &lock->sessions[server];
    assert(server >= 0 && server < lock->state.count && s->answered == NULL);
    if (!deed_lock_permits(&lock->state, server, now_of(lock), may_act_until(lock)))
        return fc_fail(err, FC_REFUSED, "%s:%u: nothing was sent: %s", s->host_name, s->key.port, s->loss[0] != '\0' ? s->loss : "the lock is not held there");
    s->text = strndup(text, length);
    if (s->text == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    s->length = length;
    s->deadline = deadline;
    s->answered = answered;
    s->answer_owner = owner;
    at_once(lock);
    return FC_OK;
}

const struct deed_lock *mysql_lock_state(const struct mysql_lock *lock) { return &lock->state; }
const char *mysql_lock_loss(const struct mysql_lock *lock, int server) { return lock->sessions[server].loss; }
