/* See quorum_chair.h. A state machine between two queues: raft's, by which decisions come, and the pair's, to which they are told. */
#include "backends/quorum/quorum_chair.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NEWS_SHARE 16                /* of the term: a term that moves on is told again after so much of it */

enum chair_command { NO_COMMAND = 0, INTEND_IN_LOG, SEAT_IN_LOG, SEAT_ON_SERVER };

struct chair_server {
    bool has_answered, is_reachable, has_row, is_read_only;
    char identity[IDENTITY_SIZE];
    struct decision row;             /* as its table has it */
    struct fc_time lost_at;          /* FC_EVER while it is in sight */
    struct fc_time behind_since;     /* since when its table has been seen with a lower row than the log's; FC_EVER: it is not */
    struct foreign_owner foreign;
};

struct quorum_chair {
    const struct host *host;
    struct quorum *quorum;
    struct quorum_settings settings;
    struct quorum_chair_settings own;
    struct quorum_chair_port port;
    struct quorum_lead lead;
    struct chair_server servers[STORE_SERVERS_MAX];

    struct decision decided;         /* the chair, as far as the log was heard */
    uint64_t held_term;              /* raft's term in which an own row was laid into the log; 0 none */

    uint64_t tried_epoch;            /* the highest that was ever proposed, also what was not heard of */
    uint64_t tried_seq, tried_in;    /* the same of seq, in the epoch of `decided` at the time */
    uint64_t next_number, proposing; /* number of the entry on its way; 0 none */
    uint64_t proposed_term;
    bool is_taking;                  /* it is the row by which this node begins to lead */

    enum chair_command command;
    struct effect wanted;

    uint64_t next_id, writing;       /* of the row on its way to a server; 0 none */
    struct decision written;
    int writing_to;
    struct fc_time writing_since, next_write_at;

    struct hold pause;               /* of the pool, as any server's table shows it */
    struct decision told_of;         /* the chair of which, and in which term, */
    uint64_t told_term;
    struct chair_words told;         /* these words were told */

    struct decision said;
    struct chair_words said_words;
    struct fc_time said_until;
    bool has_said;
};

static void consider(struct quorum_chair *q);

static struct fc_time now_of(const struct quorum_chair *q) { return q->host->now(q->host->agent); }

static bool is_own(const struct quorum_chair *q, const struct decision *row) { return text_is(row->rank.node, q->settings.node); }

static bool holds(const struct quorum_chair *q)
{
    return q->held_term != 0 && q->held_term == q->lead.view.term && is_own(q, &q->decided) &&
           quorum_lead_is_elected(&q->lead, now_of(q));
}

static int server_of(const struct quorum_chair *q, const char *identity)
{
    for (int i = 0; identity[0] != '\0' && i < q->own.server_count; i++) {
        if (text_is(q->servers[i].identity, identity))
            return i;
    }
    return -1;
}

/* The same, and a server that was never seen when the identity can be no other's (servers_named): who has just started is as patient with it. */
static int seated_of(const struct quorum_chair *q)
{
    const int known = server_of(q, q->decided.rank.server);
    int unseen = -1, unseen_count = 0;
    for (int i = 0; i < q->own.server_count; i++) {
        if (q->servers[i].identity[0] == '\0') {
            unseen = i;
            unseen_count++;
        }
    }
    return known >= 0 || q->decided.rank.server[0] == '\0' || unseen_count != 1 ? known : unseen;
}

static int first_in_sight(const struct quorum_chair *q)
{
    for (int i = 0; i < q->own.server_count; i++) {
        if (q->servers[i].is_reachable && q->servers[i].has_row)
            return i;
    }
    return -1;
}

static int place_of(const struct quorum_chair *q)
{
    const int seated = seated_of(q), other = first_in_sight(q);
    if (seated < 0)
        return other;
    const struct chair_server *s = &q->servers[seated];
    if (s->is_reachable || other < 0 || fc_since(s->lost_at, now_of(q)).us < q->own.watch.us)
        return seated;
    return other;
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

static struct fc_time chair_until(const struct quorum_chair *q)
{
    if (rank_compare(&q->lead.view.voiced, &q->decided.rank) != 0)
        return FC_EVER;                                    /* what raft's thread has applied is not heard here yet */
    return fc_plus(q->lead.view.voiced_at, fc_ms(q->own.term_ms));
}

static bool words_differ(const struct chair_words *a, const struct chair_words *b)
{
    return a->is_known != b->is_known || a->is_open != b->is_open || !text_is(a->seat, b->seat) || !text_is(a->paused_by, b->paused_by);
}

static void say_chair(struct quorum_chair *q)
{
    const struct decision *now = &q->decided, *said = &q->said;
    const struct chair_words *words = &q->lead.view.words;
    const bool is_behind = rank_compare(&q->lead.view.voiced, &now->rank) != 0;
    if (now->rank.epoch == 0 || (q->settings.is_witness && is_behind && q->has_said && decision_is_same_seat(now, said)))
        return;                                            /* the words for it come with the next picture, in a moment */
    const struct fc_time until = chair_until(q);
    const bool is_news = !q->has_said || rank_compare(&now->rank, &said->rank) != 0 || now->phase != said->phase ||
                         (q->settings.is_witness && !is_behind && words_differ(words, &q->said_words));
    if (!is_news && fc_since(q->said_until, until).us < fc_ms(q->own.term_ms / NEWS_SHARE).us)
        return;
    q->said = *now;
    q->has_said = true;
    q->said_until = until;
    struct event event = { .type = now->phase == PHASE_MOVING ? CHAIR_REVOKED : CHAIR_GRANTED };
    event.as.chair.decision = *now;
    event.as.chair.until = until;
    q->said_words = (struct chair_words){ 0 };
    if (q->settings.is_witness && !is_behind)
        q->said_words = event.as.chair.words = *words;
    q->port.say(q->port.owner, &event);
}

static void end_command(struct quorum_chair *q, enum fc_code code, const char *text)
{
    const struct effect effect = q->wanted;
    if (q->command == NO_COMMAND)
        return;
    q->command = NO_COMMAND;
    quorum_lead_end(&q->lead, &effect, code, text);
}

/* What a witness cannot see. Known from the first look at the server that sits on, and until the chair is moved. */
static void tell_words(struct quorum_chair *q)
{
    const int seat = server_of(q, q->decided.rank.server);
    struct chair_words words = { 0 };
    if (q->decided.phase == PHASE_SEATED && seat >= 0) {
        words.is_known = true;
        words.is_open = !q->servers[seat].is_read_only;
        TEXT_SET(words.seat, q->own.names[seat]);
        if (q->pause.kind != HOLD_NONE)
            TEXT_SET(words.paused_by, q->pause.by);
    }
    if (q->told_term == q->lead.view.term && rank_compare(&q->told_of.rank, &q->decided.rank) == 0 && !words_differ(&words, &q->told))
        return;
    if (!quorum_tell_words(q->quorum, &q->decided.rank, &words))
        return;
    q->told_term = q->lead.view.term;
    q->told_of = q->decided;
    q->told = words;
}

/* ---- into the log ------------------------------------------------------------------------------------------------- */

/* Above what is known and what was tried: an entry that was given up may come all the same, and one rank is one decision. */
static uint64_t next_epoch(const struct quorum_chair *q, uint64_t known) { return (q->tried_epoch > known ? q->tried_epoch : known) + 1; }

static uint64_t next_seq(const struct quorum_chair *q)
{
    const struct rank *rank = &q->decided.rank;
    return (q->tried_in == rank->epoch && q->tried_seq > rank->seq ? q->tried_seq : rank->seq) + 1;
}

static bool propose(struct quorum_chair *q, const struct decision *row)
{
    const struct store_request request = { .deed = STORE_TAKE, .row = *row, .old = q->decided };
    struct shared_entry entry;
    if (row->rank.epoch > q->tried_epoch)
        q->tried_epoch = row->rank.epoch;
    if (row->rank.epoch == q->decided.rank.epoch && (q->tried_in != row->rank.epoch || row->rank.seq > q->tried_seq)) {
        q->tried_in = row->rank.epoch;
        q->tried_seq = row->rank.seq;
    }
    q->proposing = ++q->next_number;
    q->proposed_term = q->lead.view.term;
    shared_entry_of(&request, q->settings.node, q->proposing, &entry);
    if (!quorum_propose(q->quorum, q->proposing, &entry, 2 * (uint32_t)q->settings.election_ms)) {
        q->proposing = 0;
        return false;
    }
    return true;
}

/* The highest rank that any table of the pair shows: before raft decided there, another arbiter may have. */
static const struct decision *highest_row(const struct quorum_chair *q)
{
    const struct decision *best = NULL;
    for (int i = 0; i < q->own.server_count; i++) {
        const struct chair_server *s = &q->servers[i];
        if (s->has_row && (best == NULL || rank_compare(&s->row.rank, &best->rank) > 0))
            best = &s->row;
    }
    return best;
}

static bool is_beyond(const struct quorum_chair *q, const struct decision *row)
{
    return row != NULL && !is_own(q, row) && row->rank.epoch >= q->decided.rank.epoch && rank_compare(&row->rank, &q->decided.rank) != 0;
}

static bool all_have_answered(const struct quorum_chair *q)
{
    for (int i = 0; i < q->own.server_count; i++) {
        if (!q->servers[i].has_answered)
            return false;
    }
    return true;
}

static bool foreign_lives(const struct quorum_chair *q)
{
    for (int i = 0; i < q->own.server_count; i++) {
        if (q->servers[i].is_reachable && foreign_is_alive(&q->servers[i].foreign, now_of(q)))
            return true;
    }
    return false;
}

/* The first row of a leadership: the same chair, one epoch higher than anything that is known. */
static void take(struct quorum_chair *q)
{
    const struct decision *highest = highest_row(q);
    struct decision row = q->decided;
    if (!all_have_answered(q) || first_in_sight(q) < 0)
        return;                                            /* nothing could be done with it; another node may see more */
    if (row.rank.epoch == 0 && highest != NULL)
        row = *highest;
    if (highest != NULL && highest->rank.epoch > row.rank.epoch)
        row.rank.epoch = highest->rank.epoch;
    row.rank.epoch = next_epoch(q, row.rank.epoch);
    row.rank.seq = 0;
    TEXT_SET(row.rank.node, q->settings.node);
    q->is_taking = propose(q, &row);
}

/* ---- onto a server ------------------------------------------------------------------------------------------------ */

static void write_row(struct quorum_chair *q, int server)
{
    struct store_request request = { .deed = STORE_RENEW, .id = ++q->next_id, .server = server, .row = q->decided };
    request.limit_ms = (uint32_t)q->own.probe_timeout_ms;
    /* Who is to sit is closed until it is opened, whatever an older look said: `store` is refused there. */
    request.by_fence = q->servers[server].is_read_only || q->command == SEAT_ON_SERVER;
    q->writing = request.id;
    q->written = request.row;
    q->writing_to = server;
    q->writing_since = now_of(q);
    q->port.ask(q->port.owner, &request);
}

static void look_who_is_behind(struct quorum_chair *q)
{
    for (int i = 0; i < q->own.server_count; i++) {
        struct chair_server *s = &q->servers[i];
        if (!s->is_reachable || !s->has_row || rank_compare(&s->row.rank, &q->decided.rank) >= 0)
            s->behind_since = FC_EVER;
        else if (fc_is_ever(s->behind_since))
            s->behind_since = now_of(q);
    }
}

/* The server that sits, or the other one when replication has not brought it the row for long: it was lost there. -1: none. */
static int who_is_behind(const struct quorum_chair *q)
{
    const int place = place_of(q);
    if (place >= 0 && !fc_is_ever(q->servers[place].behind_since))
        return place;
    for (int i = 0; i < q->own.server_count; i++) {
        if (!fc_is_ever(q->servers[i].behind_since) && fc_since(q->servers[i].behind_since, now_of(q)).us >= q->own.watch.us)
            return i;
    }
    return -1;
}

/* Servers show who sits, and by whom: for other tools, and so that what was decided before is refused there. */
static void keep_the_tables_up(struct quorum_chair *q)
{
    const int behind = who_is_behind(q);
    if (behind >= 0 && place_of(q) >= 0 && q->writing == 0 && q->command != SEAT_ON_SERVER && q->decided.phase == PHASE_SEATED &&
        fc_reached(q->next_write_at, now_of(q)))
        write_row(q, behind);
}

static void wrote(void *self, const struct store_result *result, struct fc_time now)
{
    struct quorum_chair *q = self;
    if (result->id != q->writing)
        return;
    const bool is_there = result->code == FC_OK && rank_compare(&result->stored.rank, &q->written.rank) == 0;
    /* A row that was on its way when the seat came into the log seats nobody. */
    const bool is_seat = q->command == SEAT_ON_SERVER && q->writing_to == q->wanted.as.seat.to &&
                         rank_compare(&q->written.rank, &q->decided.rank) == 0;
    q->writing = 0;
    q->next_write_at = fc_plus(now, fc_ms(q->own.renew_ms));
    if (result->code == FC_OK || result->code == FC_REFUSED) {
        q->servers[result->server].row = result->stored;
        q->servers[result->server].has_row = true;
    }
    if (is_seat && is_there)
        end_command(q, FC_OK, "");
    else if (is_seat && (result->code == FC_OK || result->code == FC_REFUSED))
        end_command(q, FC_REFUSED, "the server's table has a higher row");
    else if (is_seat)
        end_command(q, result->code, result->text);
    consider(q);
}

/* ---- the core's orders -------------------------------------------------------------------------------------------- */

static void begin_intend(struct quorum_chair *q)
{
    const struct chair_server *to = &q->servers[q->wanted.as.intend.to];
    struct decision row = q->decided;
    q->command = INTEND_IN_LOG;
    if (!to->is_reachable || !to->has_row) {
        end_command(q, FC_UNREACHABLE, "the server to be seated does not answer or has no schema");
        return;
    }
    row.rank.seq = next_seq(q);
    row.phase = PHASE_MOVING;
    row.intent_id = q->wanted.as.intend.intent_id;
    row.limit_ms = q->wanted.as.intend.limit_ms;
    TEXT_SET(row.why, q->wanted.as.intend.why);
    TEXT_SET(row.successor, to->identity);
    row.mark[0] = '\0';
    if (!propose(q, &row))
        end_command(q, FC_BUSY, "raft's queue is full");
}

static void begin_seat(struct quorum_chair *q)
{
    struct decision row = q->decided;
    q->command = SEAT_IN_LOG;
    row.rank.epoch = next_epoch(q, row.rank.epoch);
    row.rank.seq = 0;
    row.phase = PHASE_SEATED;
    row.successor[0] = '\0';
    row.intent_id = 0;
    row.limit_ms = 0;
    TEXT_SET(row.rank.server, q->servers[q->wanted.as.seat.to].identity);
    TEXT_SET(row.why, q->wanted.as.seat.why);
    TEXT_SET(row.mark, q->wanted.as.seat.mark);
    if (!propose(q, &row))
        end_command(q, FC_BUSY, "raft's queue is full");
}

static void command(void *self, const struct effect *effect, struct fc_time now)
{
    struct quorum_chair *q = self;
    const bool is_busy = q->command != NO_COMMAND || q->proposing != 0;
    if (effect->type == MEMBERS) {
        quorum_lead_change_members(&q->lead, effect);
    } else if (effect->type == GIVE_BACK) {                /* an intent is in the log: the next leader finishes it */
        quorum_lead_give_back(&q->lead, effect, now);
    } else if (is_busy || !holds(q) || fc_reached(effect->until, now)) {
        quorum_lead_end(&q->lead, effect, is_busy ? FC_BUSY : FC_NOT_LEADER, is_busy ? "another decision is being written" : "the lease is over");
    } else {
        q->wanted = *effect;
        if (effect->type == INTEND)
            begin_intend(q);
        else
            begin_seat(q);
    }
    consider(q);
}

/* ---- what raft brings --------------------------------------------------------------------------------------------- */

/* An entry of ours has had its place in the log. */
static void entry_ended(struct quorum_chair *q, bool stands)
{
    q->proposing = 0;
    if (q->is_taking) {
        q->is_taking = false;
        if (stands)
            q->held_term = q->proposed_term;
        return;
    }
    if (q->command == NO_COMMAND || q->command == SEAT_ON_SERVER)
        return;
    if (!stands) {
        end_command(q, FC_REFUSED, "somebody else decided first");
    } else if (q->command == INTEND_IN_LOG) {
        end_command(q, FC_OK, "");
    } else if (!holds(q)) {
        end_command(q, FC_NOT_LEADER, "the lease was over when it was in the log");
    } else {
        q->command = SEAT_ON_SERVER;                       /* waits for a row that is on its way */
        if (q->writing == 0)
            write_row(q, q->wanted.as.seat.to);
    }
}

static void heard(void *owner, const struct quorum_heard *heard)
{
    struct quorum_chair *q = owner;
    switch (heard->kind) {
    case QUORUM_APPLIED:
        if (heard->entry.deed == STORE_TAKE) {
            if (heard->stands)                             /* by the log alone: not every entry before it is heard (quorum.h: STATE) */
                q->decided = heard->entry.row;
            if (heard->number != 0 && heard->number == q->proposing)
                entry_ended(q, heard->stands);
        }
        break;
    case QUORUM_FAILED:
        if (heard->number == q->proposing) {               /* it may come all the same: then the chair says so */
            q->proposing = 0;
            q->is_taking = false;
            end_command(q, heard->code, heard->text);
        }
        break;
    case QUORUM_STATE:
        q->decided = heard->state->chair;
        quorum_lead_heard_state(&q->lead, heard->state);
        break;
    case QUORUM_ENDED:
        quorum_lead_ended(&q->lead, heard);
        break;
    }
    consider(q);
}

static void changed(void *owner, const struct quorum_view *view)
{
    struct quorum_chair *q = owner;
    q->lead.view = *view;
    consider(q);
}

/* ---- facts of the pair -------------------------------------------------------------------------------------------- */

static void saw(void *self, int server, const struct server_look *look, struct fc_time sent_at, struct fc_time now)
{
    struct quorum_chair *q = self;
    struct chair_server *s = &q->servers[server];
    (void)now;
    s->has_answered = s->is_reachable = true;
    s->lost_at = FC_EVER;
    s->is_read_only = look->is_read_only;
    s->has_row = look->has_schema;
    if (s->has_row)
        s->row = look->lease;
    TEXT_SET(s->identity, look->identity);
    for (int i = 0; i < look->hold_count; i++) {
        const struct hold *hold = &look->holds[i];
        if (hold->server[0] == '\0' && text_is(hold->pool, q->own.pool) && (q->pause.pool[0] == '\0' || hold_compare(hold, &q->pause) > 0))
            q->pause = *hold;
    }
    foreign_saw(&s->foreign, look, sent_at);
    consider(q);
}

static void lost(void *self, int server, struct fc_time now)
{
    struct quorum_chair *q = self;
    struct chair_server *s = &q->servers[server];
    if (s->is_reachable || !s->has_answered)
        s->lost_at = now;
    s->has_answered = true;
    s->is_reachable = false;
    consider(q);
}

static void stand(void *self, bool stands, struct fc_time now)
{
    struct quorum_chair *q = self;
    (void)now;
    quorum_stand(q->quorum, stands);
}

static const struct decision *row(void *self)
{
    const struct quorum_chair *q = self;
    return holds(q) ? &q->decided : NULL;
}

/* ---- what to do now ----------------------------------------------------------------------------------------------- */

static void consider(struct quorum_chair *q)
{
    const struct fc_time now = now_of(q);
    const bool is_elected = quorum_lead_is_elected(&q->lead, now), has_foreign = foreign_lives(q);
    if (!holds(q))
        end_command(q, FC_NOT_LEADER, "the lease is over");
    if (q->writing != 0 && fc_since(q->writing_since, now).us > fc_ms(3 * (int64_t)q->own.probe_timeout_ms).us) {
        q->writing = 0;                                    /* its late result finds another id */
        if (q->command == SEAT_ON_SERVER && q->writing_to == q->wanted.as.seat.to)
            end_command(q, FC_TIMEOUT, "the server did not answer");
    }
    if (q->command == SEAT_ON_SERVER && q->writing == 0)
        write_row(q, q->wanted.as.seat.to);
    if (is_elected && !has_foreign && !q->settings.is_witness && q->proposing == 0 && q->command == NO_COMMAND && (!holds(q) || is_beyond(q, highest_row(q))))
        take(q);
    look_who_is_behind(q);
    if (holds(q)) {
        keep_the_tables_up(q);
        tell_words(q);
    }
    const struct quorum_lead_own own = { .is_fit = holds(q) && !has_foreign, .epoch = q->decided.rank.epoch, .place = place_of(q) };
    quorum_lead_consider(&q->lead, &own, now);
    say_chair(q);
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

static void said(void *owner, const char *sentence)
{
    struct quorum_chair *q = owner;
    q->port.note(q->port.owner, sentence);
}

static void say(void *owner, const struct event *event)
{
    struct quorum_chair *q = owner;
    q->port.say(q->port.owner, event);
}

enum fc_code quorum_chair_open(const struct host *host, const struct quorum_settings *settings, const struct quorum_chair_settings *own,
                               const struct quorum_chair_port *port, struct quorum_chair **ret, struct fc_err *err)
{
    struct quorum_chair *q = calloc(1, sizeof *q);
    if (q == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    const struct quorum_port quorum_port = { .owner = q, .heard = heard, .changed = changed, .say = said };
    q->host = host;
    q->settings = *settings;
    q->own = *own;
    q->port = *port;
    q->next_write_at = q->said_until = FC_EVER;
    for (int i = 0; i < STORE_SERVERS_MAX; i++)
        q->servers[i].lost_at = q->servers[i].behind_since = q->servers[i].foreign.changed_at = FC_EVER;
    quorum_lead_init(&q->lead, &q->settings, q, say);
    const enum fc_code code = quorum_open(host, settings, &quorum_port, &q->quorum, err);
    if (code != FC_OK) {
        free(q);
        return code;
    }
    q->lead.quorum = q->quorum;
    *ret = q;
    return FC_OK;
}

void quorum_chair_close(struct quorum_chair *q)
{
    if (q == NULL)
        return;
    quorum_close(q->quorum);
    free(q);
}

struct leader_source quorum_chair_as_source(struct quorum_chair *q)
{
    return (struct leader_source){ .self = q, .saw = saw, .lost = lost, .wrote = wrote, .stand = stand, .command = command, .row = row };
}

void quorum_chair_retime(struct quorum_chair *q, const struct quorum_chair_settings *own) { q->own = *own; }
const struct quorum_view *quorum_chair_view(const struct quorum_chair *q) { return &q->lead.view; }
const struct quorum_settings *quorum_chair_quorum_settings(const struct quorum_chair *q) { return &q->settings; }

bool quorum_chair_backup(struct quorum_chair *q, void (*done)(void *, enum fc_code, const char *, const char *), void *owner)
{
    return quorum_lead_backup(&q->lead, done, owner);
}

bool quorum_chair_snapshot(struct quorum_chair *q, void (*done)(void *, enum fc_code, const char *), void *owner)
{
    return quorum_lead_snapshot(&q->lead, done, owner);
}
