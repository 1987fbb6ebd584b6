/* The pump's side: queues, the picture, the thread's life. */
#include "backends/quorum/quorum_inside.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define CLOSE_WAIT_SECONDS 3

struct fc_span quorum_lease(const struct quorum_settings *settings) { return fc_ms((int64_t)settings->election_ms * 3 / 4); }

const char *quorum_role_word(enum quorum_role role)
{
    switch (role) {
    case QUORUM_STARTING: return "starting";
    case QUORUM_ALONE: return "alone";
    case QUORUM_FOLLOWER: return "follower";
    case QUORUM_CANDIDATE: return "candidate";
    case QUORUM_LEADER: return "leader";
    case QUORUM_OUT: return "out";
    }
    return "unknown";
}

/* The same clock as the pump's: moments cross the queues. */
struct fc_time quorum_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (struct fc_time){ (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 };
}

static void ring(struct quorum *q)
{
    const uint64_t one = 1;
    if (write(q->event_fd, &one, sizeof one) != (ssize_t)sizeof one && errno != EAGAIN)
        return;                                            /* it is rung already when its counter is full */
}

/* ---- the thread's side of the queues ------------------------------------------------------------------------------ */

bool quorum_told_take(struct quorum *q, struct told *ret)
{
    pthread_mutex_lock(&q->lock);
    const bool has_one = q->told_count > 0;
    if (has_one) {
        *ret = q->told[q->told_head];
        q->told_head = (q->told_head + 1) % TOLD_MAX;
        q->told_count--;
    }
    pthread_mutex_unlock(&q->lock);
    return has_one;
}

void quorum_say(struct quorum *q, const char *sentence)
{
    pthread_mutex_lock(&q->lock);
    if (q->said_count < 4)
        TEXT_SET(q->said[q->said_count++], sentence);
    pthread_mutex_unlock(&q->lock);
    ring(q);
}

void quorum_hear(struct quorum *q, const struct quorum_heard *heard)
{
    pthread_mutex_lock(&q->lock);
    const bool is_entry_of_others = heard->kind == QUORUM_APPLIED && heard->number == 0;
    /* Places are kept for what a waiter hangs on: those are bounded by the proposals. */
    const int most = is_entry_of_others ? QUORUM_HEARD_MAX - QUORUM_PROPOSALS_MAX - 8 : QUORUM_HEARD_MAX;
    struct heard_item *item = q->heard_count < most && !(is_entry_of_others && q->must_hand_over) ? malloc(sizeof *item) : NULL;
    if (item != NULL) {
        *item = (struct heard_item){ .heard = *heard };
        *(q->heard_first == NULL ? &q->heard_first : &q->heard_last->next) = item;
        q->heard_last = item;
        q->heard_count++;
    } else {
        q->must_hand_over = true;
    }
    pthread_mutex_unlock(&q->lock);
    ring(q);
}

void quorum_hear_state(struct quorum *q, const struct shared_state *state)
{
    struct shared_state *copy = malloc(sizeof *copy);
    pthread_mutex_lock(&q->lock);
    if (copy != NULL) {
        *copy = *state;
        free(q->handed_over);
        q->handed_over = copy;
        q->handed_over_after = q->heard_count;
        q->must_hand_over = false;
    } else {
        q->must_hand_over = true;                          /* tried again at the next beat */
    }
    pthread_mutex_unlock(&q->lock);
    ring(q);
}

void quorum_show(struct quorum *q, const struct quorum_view *view)
{
    pthread_mutex_lock(&q->lock);
    q->view = *view;
    pthread_mutex_unlock(&q->lock);
    ring(q);
}

uint64_t quorum_member_id(const char *name) { return raft_digest(name, 0); }

/* ---- the pump's side ---------------------------------------------------------------------------------------------- */

/* In the order of the log: a state holds all that was heard before it, and nothing of what was heard after. Then it is *state, the caller's. */
static struct heard_item *take_heard(struct quorum *q, struct shared_state **state)
{
    struct heard_item *item = NULL;
    pthread_mutex_lock(&q->lock);
    if (q->handed_over != NULL && q->handed_over_after == 0) {
        *state = q->handed_over;
        q->handed_over = NULL;
    } else if (q->heard_first != NULL) {
        item = q->heard_first;
        q->heard_first = item->next;
        q->handed_over_after -= q->handed_over != NULL;
        q->heard_count--;
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

/* The picture is taken before what was heard is: everything that it claims is applied is then among what is heard now. */
static void rung(void *owner, int ready)
{
    struct quorum *q = owner;
    struct heard_item *item;
    uint64_t count;
    char said[4][QUORUM_SENTENCE_SIZE];
    (void)ready;
    if (read(q->event_fd, &count, sizeof count) != (ssize_t)sizeof count)
        return;
    pthread_mutex_lock(&q->lock);
    const struct quorum_view view = q->view;
    const int said_count = q->said_count;
    memcpy(said, q->said, sizeof said);
    q->said_count = 0;
    pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < said_count; i++)
        q->port.say(q->port.owner, said[i]);
    struct shared_state *state = NULL;
    while ((item = take_heard(q, &state)) != NULL || state != NULL) {
        const struct quorum_heard whole = { .kind = QUORUM_STATE, .state = state };
        q->port.heard(q->port.owner, item != NULL ? &item->heard : &whole);
        free(item);
        free(state);
        state = NULL;
    }
    q->port.changed(q->port.owner, &view);
}

static bool tell(struct quorum *q, const struct told *told)
{
    pthread_mutex_lock(&q->lock);
    const int most = told->kind == TOLD_PROPOSE ? QUORUM_PROPOSALS_MAX : TOLD_MAX;
    const bool has_room = q->told_count < most && !q->is_loop_gone;
    if (has_room) {
        q->told[(q->told_head + q->told_count++) % TOLD_MAX] = *told;
        uv_async_send(&q->wake);
    }
    pthread_mutex_unlock(&q->lock);
    return has_room;
}

bool quorum_propose(struct quorum *q, uint64_t number, const struct shared_entry *entry, uint32_t limit_ms)
{
    struct told told = { .kind = TOLD_PROPOSE, .number = number, .limit_ms = limit_ms };
    return shared_entry_encode(entry, told.bytes, sizeof told.bytes, &told.length) == FC_OK && tell(q, &told);
}

void quorum_stand(struct quorum *q, bool stands)
{
    const struct told told = { .kind = TOLD_STAND, .to = stands };
    tell(q, &told);
}

bool quorum_yield(struct quorum *q, uint64_t number, int to, uint32_t pause_ms)
{
    const struct told told = { .kind = TOLD_YIELD, .number = number, .to = to, .limit_ms = pause_ms };
    return tell(q, &told);
}

bool quorum_snapshot(struct quorum *q, uint64_t number)
{
    const struct told told = { .kind = TOLD_SNAPSHOT, .number = number };
    return tell(q, &told);
}

bool quorum_change_members(struct quorum *q, uint64_t number, enum member_change change, const char *name, const char *address)
{
    struct told told = { .kind = TOLD_MEMBERS, .number = number, .to = (int)change };
    TEXT_SET(told.name, name);
    TEXT_SET(told.address, address);
    return tell(q, &told);
}

bool quorum_tell_words(struct quorum *q, const struct rank *rank, const struct chair_words *words)
{
    const struct told told = { .kind = TOLD_WORDS, .rank = *rank, .words = *words };
    return tell(q, &told);
}

void quorum_hand_over(struct quorum *q)
{
    pthread_mutex_lock(&q->lock);
    q->must_hand_over = true;
    pthread_mutex_unlock(&q->lock);
}

static void quorum_free(struct quorum *q)
{
    q->host->unwatch(q->watch);
    if (q->event_fd >= 0)
        close(q->event_fd);
    pthread_mutex_destroy(&q->lock);
    free(q->handed_over);
    for (struct heard_item *item = q->heard_first, *next; item != NULL; item = next) {
        next = item->next;
        free(item);
    }
    free(q);
}

static enum fc_code start_thread(struct quorum *q, struct fc_err *err)
{
    sigset_t all, old;
    sigfillset(&all);                                      /* signals are the pump's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    const int code = pthread_create(&q->thread, NULL, quorum_inside_run, q);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    q->has_thread = code == 0;
    return code == 0 ? FC_OK : fc_fail(err, FC_INTERNAL, "cannot start raft's thread: %s", strerror(code));
}

enum fc_code quorum_open(const struct host *host, const struct quorum_settings *settings, const struct quorum_port *port,
                         struct quorum **ret, struct fc_err *err)
{
    struct quorum *q = calloc(1, sizeof *q);
    if (q == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    q->host = host;
    q->settings = *settings;
    q->port = *port;
    pthread_mutex_init(&q->lock, NULL);
    q->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (q->event_fd >= 0)
        q->watch = host->watch(host->agent, q->event_fd, HOST_READ, rung, q);
    enum fc_code code = q->watch == NULL ? fc_fail(err, FC_NO_MEMORY, "no descriptor for raft's queue") : FC_OK;
    if (code == FC_OK)
        code = quorum_inside_open(q, err);
    if (code == FC_OK)
        code = start_thread(q, err);
    if (code != FC_OK) {
        quorum_free(q);
        return code;
    }
    *ret = q;
    return FC_OK;
}

void quorum_close(struct quorum *q)
{
    struct timespec until;
    const struct told told = { .kind = TOLD_END };
    if (q == NULL)
        return;
    tell(q, &told);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_WAIT_SECONDS;
    if (q->has_thread && pthread_timedjoin_np(q->thread, NULL, &until) != 0) {
        pthread_detach(q->thread);
        q->host->unwatch(q->watch);
        return;                                            /* it still uses its memory */
    }
    quorum_free(q);
}
