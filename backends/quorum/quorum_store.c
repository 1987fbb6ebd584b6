/* A store in front of a store. */
#include "backends/quorum/quorum_store.h"

#include <stdlib.h>
#include <string.h>

#include "backends/quorum/quorum_lead.h"
#include "base/text.h"

#define APPLY_MARK (UINT64_C(1) << 61)   /* of requests to the private store by which an entry is applied: no deed has so high an id */
#define APPLY_LIMIT_MS 2000
#define APPLY_AGAIN_MS 300

struct waiting {                         /* one request that went to the log */
    uint64_t number;                     /* 0: free */
    uint64_t id;
    enum store_deed deed;
    int server;
    struct fc_time sent_at;
    bool is_over;                        /* answered at the next tick, as `code` and `text` say */
    enum fc_code code;
    char text[160];
};

struct job { struct job *next; uint64_t number; struct store_request request; };

#define ASKED_MAX (2 * SHARED_ORDERS_MAX)

struct asked { int count; uint64_t ids[ASKED_MAX]; };      /* orders that wait, as the log has it */

enum under_way { A_JOB, A_ROW, AN_OLD_ROW };      /* the oldest job; a row of `whole`; a row of one that was replaced since */

enum left_out { NOTHING_LEFT_OUT, LEFT_OUT, WHOLE_ASKED };      /* entries for which there was no room; the state that holds them is asked for */

struct quorum_store {
    struct store store;
    struct store_class class;            /* words as the private store's */
    const struct host *host;
    struct host_timer *soon, *again;
    struct store *below;
    struct quorum *quorum;
    struct quorum_settings settings;
    struct quorum_store_port port;
    uint64_t next_number, next_apply, applying;      /* applying: id of the request under way; 0 none */
    enum under_way under_way;            /* what it is; jobs and a whole state may come meanwhile */
    struct waiting waiting[QUORUM_STORE_WAITING_MAX];

    struct job *first_job, *last_job;
    int job_count;
    struct shared_state *whole;          /* to be applied row by row when the queue is empty; NULL none */
    int whole_at;
    enum left_out left_out;
    bool is_failing;
    struct asked asked;
    bool must_sweep;                     /* a whole state was taken: orders that wait in the private store only were answered meanwhile */
    struct server_look look;             /* what the private store shows, without those */

    struct quorum_lead lead;
    bool has_caught_up;
    uint64_t caught_up_term;
};

static struct fc_time now_of(const struct quorum_store *q) { return q->host->now(q->host->agent); }

/* ---- answers ------------------------------------------------------------------------------------------------------ */

static struct waiting *waiting_numbered(struct quorum_store *q, uint64_t number)
{
    for (int i = 0; i < QUORUM_STORE_WAITING_MAX; i++) {
        if (number != 0 && q->waiting[i].number == number)
            return &q->waiting[i];
    }
    return NULL;
}

static void answer(struct quorum_store *q, struct waiting *w, enum fc_code code, const char *text)
{
    struct store_result result = { .deed = w->deed, .id = w->id, .server = w->server, .code = code, .sent_at = w->sent_at };
    result.durable_count = code == FC_OK ? q->store.server_count : 0;
    TEXT_SET(result.text, text);
    w->number = 0;
    q->store.heard(q->store.listener, &result);
}

static void answer_soon(struct quorum_store *q, struct waiting *w, enum fc_code code, const char *text)
{
    w->is_over = true;
    w->code = code;
    TEXT_SET(w->text, text);
    q->host->timer_set(q->soon, now_of(q));
}

static void soon(void *owner)
{
    struct quorum_store *q = owner;
    for (int i = 0; i < QUORUM_STORE_WAITING_MAX; i++) {
        struct waiting w = q->waiting[i];
        if (w.number != 0 && w.is_over) {
            q->waiting[i].number = 0;
            answer(q, &w, w.code, w.text);
        }
    }
}

/* ---- orders that wait ---------------------------------------------------------------------------------------------- */

static int asked_place(const struct asked *asked, uint64_t id)
{
    for (int i = 0; i < asked->count; i++) {
        if (asked->ids[i] == id)
            return i;
    }
    return -1;
}

static void asked_take(struct asked *asked, const struct stored_order *order)
{
    const int place = asked_place(asked, order->id);
    if (order->state == ORDER_ASKED && place < 0) {
        if (asked->count == ASKED_MAX) {                   /* more than are held in common: the oldest is one that fell out */
            int oldest = 0;
            for (int i = 1; i < asked->count; i++)
                oldest = asked->ids[i] < asked->ids[oldest] ? i : oldest;
            asked->ids[oldest] = asked->ids[--asked->count];
        }
        asked->ids[asked->count++] = order->id;
    } else if (order->state != ORDER_ASKED && place >= 0) {
        asked->ids[place] = asked->ids[--asked->count];
    }
}

static void asked_take_all(struct asked *asked, const struct shared_state *state)
{
    asked->count = 0;
    for (int i = 0; i < state->order_count; i++)
        asked_take(asked, &state->orders[i]);
}

/* ---- applying to the private store -------------------------------------------------------------------------------- */

static void consider(struct quorum_store *q);

static void apply_next(struct quorum_store *q)
{
    struct store_request request;
    if (q->applying != 0)
        return;
    if (q->job_count > 0) {
        request = q->first_job->request;
        q->under_way = A_JOB;
    } else if (q->left_out == LEFT_OUT) {
        q->left_out = WHOLE_ASKED;                         /* before the call: it is heard of later, never within */
        quorum_hand_over(q->quorum);
        return;
    } else if (q->whole == NULL) {
        return;
    } else if (!shared_state_row(q->whole, q->whole_at, &request)) {
        free(q->whole);
        q->whole = NULL;
        q->must_sweep = true;
        q->port.look(q->port.owner, 0);
        consider(q);
        return;
    } else {
        q->under_way = A_ROW;
    }
    q->applying = request.id = APPLY_MARK | ++q->next_apply;
    request.server = 0;
    request.limit_ms = APPLY_LIMIT_MS;
    store_ask(q->below, &request);
}

static void again(void *owner) { apply_next(owner); }

/* NULL: too many wait. */
static struct job *add_job(struct quorum_store *q)
{
    struct job *job = q->job_count < QUORUM_STORE_QUEUE_MAX ? calloc(1, sizeof *job) : NULL;
    if (job == NULL)
        return NULL;
    *(q->first_job == NULL ? &q->first_job : &q->last_job->next) = job;
    q->last_job = job;
    q->job_count++;
    return job;
}

static void drop_first_job(struct quorum_store *q)
{
    struct job *job = q->first_job;
    q->first_job = job->next;
    q->job_count--;
    free(job);
}

static void one_is_done(struct quorum_store *q)
{
    if (q->under_way == A_JOB) {
        if (q->first_job->request.deed == STORE_WORD && q->port.said != NULL)
            q->port.said(q->port.owner, &q->first_job->request.word);
        drop_first_job(q);
        if (q->job_count == 0)
            q->port.look(q->port.owner, 0);
    } else if (q->under_way == A_ROW) {
        q->whole_at++;
    }
    apply_next(q);
    consider(q);
}

/* REFUSED is an answer: a newer row stands. Anything else is the private store's trouble, and is tried again. */
static void applied(struct quorum_store *q, const struct store_result *result)
{
    const bool is_done = result->code == FC_OK || result->code == FC_REFUSED;
    struct waiting *w = q->under_way == A_JOB ? waiting_numbered(q, q->first_job->number) : NULL;
    if (result->id != q->applying)
        return;
    q->applying = 0;
    if (w != NULL)
        answer(q, w, result->code == FC_REFUSED ? FC_REFUSED : FC_OK, result->code == FC_REFUSED ? result->text : "");
    if (is_done) {
        if (q->is_failing)
            q->port.note(q->port.owner, "raft: the private store takes what is decided again");
        q->is_failing = false;
        one_is_done(q);
        return;
    }
    if (!q->is_failing) {
        char text[320];
        TEXT_FORMAT(text, "raft: the private store does not take what is decided, it is tried again: %s", result->text);
        q->port.note(q->port.owner, text);
    }
    q->is_failing = true;
    q->host->timer_set(q->again, fc_plus(now_of(q), fc_ms(APPLY_AGAIN_MS)));
}

/* An order whose answer was never applied here, because the whole state came in its place, must not be carried out when this node leads. */
static void sweep(struct quorum_store *q, const struct stored_order *stale)
{
    struct job *job = add_job(q);
    if (job == NULL)
        return;                                            /* the next look shows it again */
    job->request = (struct store_request){ .deed = STORE_ORDER_CLOSE, .order = *stale };
    job->request.order.state = ORDER_REFUSED;
    TEXT_SET(job->request.order.answer, "it was answered while this node was away; the other nodes have the answer");
}

/* What waits is what the log says: an answer that is decided and not yet in the private store counts. */
static void look_came(struct quorum_store *q, const struct store_result *result)
{
    struct store_result shown = *result;
    const bool may_sweep = q->must_sweep && quorum_store_unapplied(q) == 0;
    int kept = 0;
    q->look = *result->look;
    for (int i = 0; i < result->look->order_count; i++) {
        const struct stored_order *order = &result->look->orders[i];
        const bool is_stale = order->state == ORDER_ASKED && asked_place(&q->asked, order->id) < 0;
        if (!is_stale)
            q->look.orders[kept++] = *order;
        else if (may_sweep)
            sweep(q, order);
    }
    if (may_sweep && kept == q->look.order_count)
        q->must_sweep = false;
    q->look.order_count = kept;
    shown.look = &q->look;
    q->store.heard(q->store.listener, &shown);
    apply_next(q);
}

static void below_heard(void *owner, const struct store_result *result)
{
    struct quorum_store *q = owner;
    if ((result->id & APPLY_MARK) != 0 && shared_is_wanted(&(struct store_request){ .deed = result->deed }))
        applied(q, result);
    else if (result->deed == STORE_LOOK && result->look != NULL)
        look_came(q, result);
    else
        q->store.heard(q->store.listener, result);
}

static void below_ended(void *owner, int server, enum loss loss, const char *text)
{
    struct quorum_store *q = owner;
    if (q->store.session_ended != NULL)
        q->store.session_ended(q->store.listener, server, loss, text);
}

/* ---- what the quorum says ----------------------------------------------------------------------------------------- */

static void entry_came(struct quorum_store *q, const struct quorum_heard *heard)
{
    struct waiting *w = waiting_numbered(q, heard->number);
    if (heard->entry.deed == STORE_TAKE)
        return;                                            /* there is no chair here: no pair */
    if (heard->entry.deed == STORE_ORDER_LAY || heard->entry.deed == STORE_ORDER_CLOSE)
        asked_take(&q->asked, &heard->entry.order);
    struct job *job = add_job(q);
    if (job == NULL) {
        /* Cannot be while the private store works; the whole state is asked for when there is room again. */
        if (w != NULL)
            answer(q, w, FC_OK, "");
        if (q->left_out == NOTHING_LEFT_OUT)
            q->port.note(q->port.owner, "raft: too much waits for the private store; it is given the whole state when it has taken that");
        q->left_out = LEFT_OUT;
        return;
    }
    job->number = heard->number;
    shared_entry_request(&heard->entry, &job->request);
    apply_next(q);
}

static void state_came(struct quorum_store *q, const struct shared_state *state)
{
    quorum_lead_heard_state(&q->lead, state);
    struct shared_state *copy = malloc(sizeof *copy);
    asked_take_all(&q->asked, state);
    if (copy == NULL) {
        q->left_out = LEFT_OUT;                            /* asked for again */
        apply_next(q);
        return;
    }
    if (q->left_out == WHOLE_ASKED)
        q->left_out = NOTHING_LEFT_OUT;
    *copy = *state;
    free(q->whole);
    q->whole = copy;
    q->whole_at = 0;
    if (q->under_way == A_ROW)
        q->under_way = AN_OLD_ROW;
    apply_next(q);
}

static void quorum_heard_it(void *owner, const struct quorum_heard *heard)
{
    struct quorum_store *q = owner;
    struct waiting *w;
    switch (heard->kind) {
    case QUORUM_APPLIED:
        entry_came(q, heard);
        break;
    case QUORUM_FAILED:
        if ((w = waiting_numbered(q, heard->number)) != NULL)
            answer(q, w, heard->code, heard->text);
        break;
    case QUORUM_STATE:
        state_came(q, heard->state);
        break;
    case QUORUM_ENDED:
        quorum_lead_ended(&q->lead, heard);
        break;
    }
}

/* ---- leadership --------------------------------------------------------------------------------------------------- */

static bool is_caught_up(struct quorum_store *q)
{
    if (!q->has_caught_up || q->caught_up_term != q->lead.view.term) {
        q->caught_up_term = q->lead.view.term;
        q->has_caught_up = quorum_store_unapplied(q) == 0;
    }
    return q->has_caught_up;
}

static void consider(struct quorum_store *q)
{
    const struct fc_time now = now_of(q);
    const struct quorum_lead_own own = { .is_fit = quorum_lead_is_elected(&q->lead, now) && is_caught_up(q), .epoch = q->lead.view.term };
    quorum_lead_consider(&q->lead, &own, now);
}

static void say(void *owner, const struct event *event)
{
    struct quorum_store *q = owner;
    q->port.say(q->port.owner, event);
}

static void quorum_changed(void *owner, const struct quorum_view *view)
{
    struct quorum_store *q = owner;
    q->lead.view = *view;
    consider(q);
}

static void quorum_said(void *owner, const char *sentence)
{
    struct quorum_store *q = owner;
    q->port.note(q->port.owner, sentence);
}

static void no_fact(void *self, int server, const struct server_look *look, struct fc_time sent_at, struct fc_time now)
{
    (void)self, (void)server, (void)look, (void)sent_at, (void)now;
}

static void no_loss(void *self, int server, struct fc_time now) { (void)self, (void)server, (void)now; }

static const struct decision *no_row(void *self)
{
    (void)self;
    return NULL;
}

static void no_write(void *self, const struct store_result *result, struct fc_time now) { (void)self, (void)result, (void)now; }

static void stand(void *self, bool stands, struct fc_time now)
{
    struct quorum_store *q = self;
    (void)now;
    quorum_stand(q->quorum, stands);
}

static void command(void *self, const struct effect *effect, struct fc_time now)
{
    struct quorum_store *q = self;
    if (effect->type == MEMBERS)
        quorum_lead_change_members(&q->lead, effect);
    else if (effect->type == GIVE_BACK)
        quorum_lead_give_back(&q->lead, effect, now);
    else
        quorum_lead_end(&q->lead, effect, FC_REFUSED, "there is no chair here");
}

/* ---- as a store --------------------------------------------------------------------------------------------------- */

static uint32_t limit_of(const struct quorum_store *q, const struct store_request *request)
{
    /* Time for another leader to be found is part of it. */
    const uint32_t least = 5 * (uint32_t)q->settings.election_ms;
    return request->limit_ms > least ? request->limit_ms : least;
}

static void ask(struct store *store, const struct store_request *request)
{
    struct quorum_store *q = (struct quorum_store *)store;
    struct shared_entry entry;
    if (!shared_is_wanted(request)) {
        store_ask(q->below, request);
        return;
    }
    for (int i = 0; i < QUORUM_STORE_WAITING_MAX; i++) {
        struct waiting *w = &q->waiting[i];
        if (w->number != 0)
            continue;
        *w = (struct waiting){ .number = ++q->next_number, .id = request->id, .deed = request->deed, .server = request->server,
                               .sent_at = now_of(q) };
        shared_entry_of(request, q->settings.node, w->number, &entry);
        if (!quorum_propose(q->quorum, w->number, &entry, limit_of(q, request)))
            answer_soon(q, w, FC_BUSY, "too many entries are on their way to the log");
        return;
    }
    q->port.note(q->port.owner, "raft: more requests wait for the log than are counted; one is lost");
}

static void close_store(struct store *store)
{
    struct quorum_store *q = (struct quorum_store *)store;
    quorum_close(q->quorum);
    store_close(q->below);
    q->host->untimer(q->soon);
    q->host->untimer(q->again);
    free(q->whole);
    while (q->first_job != NULL)
        drop_first_job(q);
    free(q);
}

struct store *quorum_store_as_store(struct quorum_store *q) { return &q->store; }

struct leader_source quorum_store_as_source(struct quorum_store *q)
{
    return (struct leader_source){ .self = q, .saw = no_fact, .lost = no_loss, .wrote = no_write, .stand = stand, .command = command,
                                   .row = no_row };
}

const struct quorum_view *quorum_store_view(const struct quorum_store *q) { return &q->lead.view; }
const struct quorum_settings *quorum_store_settings(const struct quorum_store *q) { return &q->settings; }
int quorum_store_unapplied(const struct quorum_store *q)
{
    return q->job_count + (q->whole != NULL || q->left_out != NOTHING_LEFT_OUT);
}

bool quorum_store_snapshot(struct quorum_store *q, void (*done)(void *, enum fc_code, const char *), void *owner)
{
    return quorum_lead_snapshot(&q->lead, done, owner);
}

bool quorum_store_backup(struct quorum_store *q, void (*done)(void *, enum fc_code, const char *, const char *), void *owner)
{
    return quorum_lead_backup(&q->lead, done, owner);
}

static void take_faces(struct quorum_store *q)
{
    q->class = (struct store_class){ .word = q->below->class->word, .ask = ask, .close = close_store };
    q->store.class = &q->class;
    q->store.server_count = q->below->server_count;
    memcpy(q->store.address, q->below->address, sizeof q->store.address);
    memcpy(q->store.name, q->below->name, sizeof q->store.name);
}

enum fc_code quorum_store_open(const struct host *host, const struct quorum_settings *settings, quorum_store_below *open_below,
                               const struct quorum_store_port *port, store_heard *heard, store_session_ended *session_ended, void *listener,
                               struct quorum_store **ret, struct fc_err *err)
{
    struct quorum_store *q = calloc(1, sizeof *q);
    if (q == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    const struct quorum_port quorum_port = { .owner = q, .heard = quorum_heard_it, .changed = quorum_changed, .say = quorum_said };
    q->host = host;
    q->settings = *settings;
    q->port = *port;
    quorum_lead_init(&q->lead, &q->settings, q, say);
    q->store.heard = heard;
    q->store.session_ended = session_ended;
    q->store.listener = listener;
    q->soon = host->timer(host->agent, soon, q);
    q->again = host->timer(host->agent, again, q);
    enum fc_code code = q->soon == NULL || q->again == NULL ? fc_fail(err, FC_NO_MEMORY, "out of memory") : FC_OK;
    if (code == FC_OK)
        code = open_below(port->owner, below_heard, below_ended, q, &q->below, err);
    if (code == FC_OK)
        code = quorum_open(host, settings, &quorum_port, &q->quorum, err);
    q->lead.quorum = q->quorum;
    if (code != FC_OK) {
        close_store(&q->store);
        return code;
    }
    take_faces(q);
    *ret = q;
    return FC_OK;
}
