/* A search: LISTING (what it has, which logs) --> READING (how one log begins, then the next older one) --> told, from the timer. */
#include "agent/fleet_errant.h"

#include <stdlib.h>
#include <string.h>

#include "agent/fleet_answer.h"
#include "agent/json_page.h"
#include "backends/mysql/mysql_session.h"
#include "backends/sql_statements.h"
#include "base/text.h"
#include "judge/errant_logs.h"

#define STATEMENT_SIZE 1024
#define SAID_SIZE (INSTANCE_HOST_MAX + 16)

enum listing_set { LISTED_STATE, LISTED_LOGS };      /* the state first: all of it stands in logs that are listed then */

struct search {
    struct fleet_errants *errants;
    uint64_t ticket;                   /* 0: free */
    desk_report *reply;
    void *waiter;
    char said[SAID_SIZE];              /* host:port */
    bool is_mariadb, is_ended;
    char *errant, *masters;            /* of the room, copies of what was seen */
    struct mysql_session *session;
    struct host_timer *timer;          /* the bound; once it has ended, who asked is told from it */
    struct fc_time until;
    struct mysql_rows listed;
    struct errant_logs logs;
    uint32_t next;                     /* logs that are still to be read: of those listed, the first so many */
    uint32_t read_count, found_count;
    uint32_t found[FLEET_ERRANT_LOGS_MAX];
    struct fc_err err;                 /* FC_OK: found */
};

struct fleet_errants {
    const struct host *host;
    const struct config *config;
    struct room room;
    struct search list[FLEET_ERRANTS_MAX];
};

static struct fc_time now_of(const struct fleet_errants *e) { return e->host->now(e->host->agent); }

/* ---- telling ---------------------------------------------------------------------------------------------------------- */

static void leave(struct search *s)
{
    struct fleet_errants *e = s->errants;
    mysql_session_close(s->session);
    e->host->untimer(s->timer);
    mysql_rows_done(&s->listed);
    errant_logs_done(&s->logs);
    room_release(&e->room, s->errant);
    room_release(&e->room, s->masters);
    *s = (struct search){ .errants = e };
}

static const char *log_name(const struct search *s, uint32_t log)
{
    const char *name = mysql_rows_cell(&s->listed, LISTED_LOGS, log, 0);
    return name == NULL ? "" : name;
}

static char *answer_of(const struct search *s)
{
    struct json_page page = { 0 };
    unsigned status;
    page_open(&page, NULL, '[');
    for (uint32_t i = s->found_count; i > 0; i--)
        page_text(&page, NULL, log_name(s, s->found[i - 1]));
    page_close(&page, ']');
    char *names = page_take(&page);
    const char *message = errant_logs_is_covered(&s->logs) ? "Errant transactions located"
                                                           : "Errant transactions located; more stood in logs that were purged";
    char *text = names == NULL ? NULL : fleet_answer_enveloped(message, names, &status);
    free(names);
    return text;
}

static void tell(struct search *s)
{
    desk_report *reply = s->reply;
    void *waiter = s->waiter;
    struct fc_err err = s->err;
    char *text = err.code == FC_OK ? answer_of(s) : NULL;
    if (err.code == FC_OK && text == NULL)
        fc_fail(&err, FC_NO_MEMORY, "out of memory");
    leave(s);
    reply(waiter, err.code, err.text, text);
    free(text);
}

/* Nobody is told from within: neither who asks just now, nor in the middle of the session's answer. */
static void end(struct search *s)
{
    s->is_ended = true;
    s->errants->host->timer_set(s->timer, now_of(s->errants));
}

static void on_timer(void *owner)
{
    struct search *s = owner;
    if (!s->is_ended)
        fc_fail(&s->err, FC_TIMEOUT, "%s: its binary logs were not read within %d s", s->said, FLEET_ERRANT_MS / 1000);
    tell(s);
}

/* ---- reading the logs -------------------------------------------------------------------------------------------------- */

static void on_beginning(void *owner, const struct session_answer *answer);

static void read_next(struct search *s)
{
    struct sql_values values = { 0 };
    char text[STATEMENT_SIZE];
    sql_values_text(&values, log_name(s, s->next - 1));
    const size_t length = sql_fill(SQL_LOG_BEGINNING, &values, text, sizeof text);
    if (length > 0) {
        mysql_session_query(s->session, text, length, s->until, on_beginning, s);
        return;
    }
    fc_fail(&s->err, FC_REFUSED, "%s: a binary log has too long a name", s->said);
    end(s);
}

/* All that could be found was found, or the reason why no more can be. */
static bool is_done(struct search *s)
{
    if (errant_logs_is_covered(&s->logs) || s->next == 0) {
        if (s->found_count == 0)
            fc_fail(&s->err, FC_REFUSED, "%s: its errant transactions stand in none of its binary logs: those logs were purged", s->said);
        return true;
    }
    if (s->read_count < FLEET_ERRANT_LOGS_MAX)
        return false;
    fc_fail(&s->err, FC_REFUSED, "%s: not all of its errant transactions stand in the newest %d of its %u binary logs; older ones are not read",
            s->said, FLEET_ERRANT_LOGS_MAX, mysql_rows_count(&s->listed, LISTED_LOGS));
    return true;
}

static void go_on(struct search *s)
{
    if (is_done(s))
        end(s);
    else
        read_next(s);
}

/* False: the reason is noted. What the server says no to is shown as it says it, behind its name, with which a session's sentence begins. */
static bool has_come(struct search *s, const struct session_answer *answer)
{
    const size_t name = text_begins(answer->text, s->said) ? strlen(s->said) : 0;
    const char *why = answer->text + name + (name > 0 ? strspn(answer->text + name, ": ") : 0);
    if (answer->code == FC_OK)
        return true;
    if (answer->code == FC_STORE)
        fc_fail(&s->err, FC_REFUSED, "%s says no: %s", s->said, why);
    else
        fc_fail(&s->err, answer->code, "%s does not answer: %s", s->said, why);
    return false;
}

/* NULL: none of the log's first events tells it. */
static const char *beginning_in(const struct mysql_rows *rows)
{
    for (uint32_t i = 0; i < mysql_rows_count(rows, 0); i++) {
        const char *type = mysql_rows_named(rows, 0, i, "Event_type"), *told = mysql_rows_named(rows, 0, i, "Info");
        if (text_is(type, "Gtid_list") || text_is(type, "Previous_gtids"))
            return told == NULL ? "" : told;
    }
    return NULL;
}

static void on_beginning(void *owner, const struct session_answer *answer)
{
    struct search *s = owner;
    if (!has_come(s, answer)) {
        end(s);
        return;
    }
    const uint32_t log = s->next - 1;
    const char *beginning = beginning_in(answer->rows);
    const enum errant_log found = beginning == NULL ? ERRANT_LOG_UNKNOWN : errant_logs_next(&s->logs, beginning);
    if (found == ERRANT_LOG_UNKNOWN) {
        fc_fail(&s->err, FC_REFUSED, "%s: how its binary log '%.80s' begins is not understood", s->said, log_name(s, log));
        end(s);
        return;
    }
    if (found == ERRANT_LOG_WITH)
        s->found[s->found_count++] = log;
    s->next--;
    s->read_count++;
    go_on(s);
}

/* ---- listing them ------------------------------------------------------------------------------------------------------ */

static void list(struct search *s);

static void on_listed(void *owner, const struct session_answer *answer)
{
    struct search *s = owner;
    if (mysql_session_turns_to_tls(s->session, answer)) {
        list(s);
        return;
    }
    if (!has_come(s, answer)) {
        end(s);
        return;
    }
    mysql_session_take_rows(s->session, &s->listed);
    const char *has = mysql_rows_cell(&s->listed, LISTED_STATE, 0, 0);
    if (!errant_logs_begin(&s->logs, &s->errants->room, s->is_mariadb, s->errant, s->masters, has == NULL ? "" : has)) {
        fc_fail(&s->err, FC_REFUSED, "%s: its GTIDs are not understood", s->said);
        end(s);
        return;
    }
    s->next = mysql_rows_count(&s->listed, LISTED_LOGS);
    go_on(s);
}

static void list(struct search *s)
{
    char text[STATEMENT_SIZE];
    const enum sql_name state = s->is_mariadb ? SQL_LOG_STATE_MARIADB : SQL_LOG_STATE_MYSQL;
    TEXT_FORMAT(text, "%s; %s", sql_statements[state].mysql, sql_statements[SQL_LOG_NAMES].mysql);
    mysql_session_query(s->session, text, strlen(text), s->until, on_listed, s);
}

/* ---- asking ------------------------------------------------------------------------------------------------------------ */

static char *copy(struct room *room, const char *text)
{
    const size_t size = text == NULL ? 1 : strlen(text) + 1;
    char *own = room_reserve(room, size);
    if (own != NULL)
        text_copy(own, size, text == NULL ? "" : text);
    return own;
}

/* What is errant there by the last look; the picture may be another one when the server has answered. */
static enum fc_code note_errant(struct search *s, const struct picture *picture, const struct instance_key *key)
{
    struct room *room = &s->errants->room;
    struct errant_desk desk = { .room = room };
    const struct topology *t = picture->topology;
    const member_id id = topology_find(t, key);
    const struct member *m = id == MEMBER_NONE ? NULL : topology_member(t, id);
    if (m == NULL || m->kept.seen == NULL)
        return fc_fail(&s->err, FC_NOT_FOUND, "%s was never seen", s->said);
    s->is_mariadb = m->kept.seen->flavour == FLAVOUR_MARIADB;
    s->errant = errant_text(&desk, t, id);
    errant_desk_done(&desk);
    if (s->errant == NULL)
        return fc_fail(&s->err, FC_REFUSED, "locate-gtid-errant will not operate on %s: no errant transactions are known of it", s->said);
    const struct instance_seen *master = topology_member(t, m->master)->kept.seen;
    s->masters = copy(room, s->is_mariadb && master != NULL ? master->gtid.current_position : "");
    return s->masters != NULL ? FC_OK : fc_fail(&s->err, FC_NO_MEMORY, "out of memory");
}

static enum fc_code open_session(struct search *s)
{
    const struct config *config = s->errants->config;
    struct mysql_session_setting with = {
        .connect_limit = fc_ms(config->mysql_connect_timeout_seconds * INT64_C(1000)),
        .tls = mysql_topology_tls(config),
    };
    TEXT_SET(with.label, s->said);
    TEXT_SET(with.address, s->said);
    TEXT_SET(with.user, config->topology_user);
    TEXT_SET(with.password, config->topology_password);
    s->session = mysql_session_open(s->errants->host, &with, NULL, NULL);
    explicit_bzero(with.password, sizeof with.password);
    return s->session != NULL ? FC_OK : fc_fail(&s->err, FC_NO_MEMORY, "out of memory");
}

static void begin(struct search *s, const struct picture *picture, const struct instance_key *key)
{
    instance_key_text(key, s->said, sizeof s->said);
    s->until = fc_plus(now_of(s->errants), fc_ms(FLEET_ERRANT_MS));
    if (s->errants->config->topology_user[0] == '\0')
        fc_fail(&s->err, FC_REFUSED, "MySQLTopologyUser is not set: this node asks no servers");
    else if (note_errant(s, picture, key) == FC_OK && open_session(s) == FC_OK) {
        s->errants->host->timer_set(s->timer, s->until);
        list(s);
        return;
    }
    end(s);
}

bool fleet_errants_ask(struct fleet_errants *e, const struct picture *picture, const struct instance_key *key, uint64_t ticket, desk_report *reply,
                       void *waiter)
{
    for (int i = 0; i < FLEET_ERRANTS_MAX; i++) {
        struct search *s = &e->list[i];
        if (s->ticket != 0)
            continue;
        *s = (struct search){ .errants = e, .ticket = ticket, .reply = reply, .waiter = waiter };
        s->timer = e->host->timer(e->host->agent, on_timer, s);
        if (s->timer == NULL) {
            s->ticket = 0;
            return false;
        }
        begin(s, picture, key);
        return true;
    }
    return false;
}

void fleet_errants_drop(struct fleet_errants *e, uint64_t ticket)
{
    for (int i = 0; ticket != 0 && i < FLEET_ERRANTS_MAX; i++) {
        if (e->list[i].ticket == ticket)
            leave(&e->list[i]);
    }
}

struct fleet_errants *fleet_errants_new(const struct host *host, const struct config *config)
{
    struct fleet_errants *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    *e = (struct fleet_errants){ .host = host, .config = config, .room = room_of_libc() };
    for (int i = 0; i < FLEET_ERRANTS_MAX; i++)
        e->list[i].errants = e;
    return e;
}

void fleet_errants_free(struct fleet_errants *e)
{
    for (int i = 0; e != NULL && i < FLEET_ERRANTS_MAX; i++) {
        if (e->list[i].ticket != 0)
            leave(&e->list[i]);
    }
    free(e);
}
