/* The only clock and the only event loop.
 *
 * Moments are CLOCK_BOOTTIME, which goes on while the machine sleeps; libev's own timers count the monotonic clock, which
 * does not. So timers stand in a heap of ours, and one timerfd of that very clock carries the earliest: after a suspend it
 * is due at once, and no step of the wall clock touches it. It is armed right before the loop sleeps, at most once a turn. */
#include "agent/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/workers.h"

struct host_watch {
    struct ev_io io;
    int events;
    struct ev_loop *ev;
    host_ready *ready;
    void *owner;
};

#define NOT_SET SIZE_MAX

struct host_timer {
    struct loop *loop;
    host_tick *tick;
    void *owner;
    struct fc_time at;
    size_t place;                        /* in the heap; NOT_SET when not running */
};

struct loop {
    struct ev_loop *ev;
    struct host host;
    struct workers *workers;
    struct ev_io alarm;                  /* the timerfd */
    struct ev_prepare before_sleep;
    struct fc_time armed_at;             /* what the timerfd is set to; FC_NEVER = nothing */
    struct host_timer **heap;            /* earliest first; room for every timer that exists */
    size_t running, timers, room;
    bool is_stopping;
};

/* ---- clocks ---- */

static int64_t clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct fc_time loop_now(struct ev_loop *loop)
{
    (void)loop;
    return (struct fc_time){ clock_us(CLOCK_BOOTTIME) };
}

int64_t loop_unix_ms(void) { return clock_us(CLOCK_REALTIME) / 1000; }

static struct fc_time host_now(void *agent) { return loop_now(((struct loop *)agent)->ev); }

static int64_t host_unix_ms(void *agent)
{
    (void)agent;
    return loop_unix_ms();
}

/* ---- descriptors ---- */

static void on_ready(struct ev_loop *ev, struct ev_io *io, int revents)
{
    struct host_watch *watch = io->data;
    (void)ev;
    watch->ready(watch->owner, ((revents & EV_READ) != 0 ? HOST_READ : 0) | ((revents & EV_WRITE) != 0 ? HOST_WRITE : 0));
}

static void watch_change(struct host_watch *watch, int wanted)
{
    const int events = ((wanted & HOST_READ) != 0 ? EV_READ : 0) | ((wanted & HOST_WRITE) != 0 ? EV_WRITE : 0);
    if (events == watch->events)
        return;                              /* libev would tell the kernel all the same */
    watch->events = events;
    ev_io_stop(watch->ev, &watch->io);
    ev_io_set(&watch->io, watch->io.fd, events);
    if (events != 0)
        ev_io_start(watch->ev, &watch->io);
}

static struct host_watch *watch_open(void *agent, int fd, int wanted, host_ready *ready, void *owner)
{
    struct loop *loop = agent;
    struct host_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    watch->ev = loop->ev;
    watch->ready = ready;
    watch->owner = owner;
    ev_io_init(&watch->io, on_ready, fd, 0);
    watch->io.data = watch;
    watch_change(watch, wanted);
    return watch;
}

static void watch_close(struct host_watch *watch)
{
    if (watch == NULL)
        return;
    ev_io_stop(watch->ev, &watch->io);
    free(watch);
}

/* ---- timers ---- */

static void heap_set(struct loop *loop, size_t place, struct host_timer *timer)
{
    loop->heap[place] = timer;
    timer->place = place;
}

static void heap_rise(struct loop *loop, size_t place, struct host_timer *timer)
{
    while (place > 0 && fc_before(timer->at, loop->heap[(place - 1) / 2]->at)) {
        heap_set(loop, place, loop->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    heap_set(loop, place, timer);
}

static void heap_sink(struct loop *loop, size_t place, struct host_timer *timer)
{
    for (size_t child = 2 * place + 1; child < loop->running; child = 2 * place + 1) {
        if (child + 1 < loop->running && fc_before(loop->heap[child + 1]->at, loop->heap[child]->at))
            child++;
        if (!fc_before(loop->heap[child]->at, timer->at))
            break;
        heap_set(loop, place, loop->heap[child]);
        place = child;
    }
    heap_set(loop, place, timer);
}

static void timer_stop(struct host_timer *timer)
{
    struct loop *loop = timer->loop;
    const size_t place = timer->place;

    if (place == NOT_SET)
        return;
    timer->place = NOT_SET;
    struct host_timer *last = loop->heap[--loop->running];
    if (last == timer)
        return;
    heap_sink(loop, place, last);        /* one of the two moves it, if any */
    heap_rise(loop, last->place, last);
}

static void timer_set(struct host_timer *timer, struct fc_time at)
{
    struct loop *loop = timer->loop;

    timer_stop(timer);
    timer->at = at;
    if (fc_is_never(at))
        return;
    heap_rise(loop, loop->running++, timer);
}

static struct host_timer *timer_new(void *agent, host_tick *tick, void *owner)
{
    struct loop *loop = agent;

    if (loop->timers == loop->room) {
        const size_t room = loop->room == 0 ? 32 : loop->room * 2;
        struct host_timer **heap = realloc(loop->heap, room * sizeof(struct host_timer *));
        if (heap == NULL)
            return NULL;
        loop->heap = heap;
        loop->room = room;
    }
    struct host_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return NULL;
    *timer = (struct host_timer){ .loop = loop, .tick = tick, .owner = owner, .place = NOT_SET };
    loop->timers++;
    return timer;
}

static void timer_free(struct host_timer *timer)
{
    if (timer == NULL)
        return;
    timer_stop(timer);
    timer->loop->timers--;
    free(timer);
}

/* Timers set anew by a tick wait for the next turn, so that one that is always due cannot keep the loop from its sockets. */
static void on_alarm(struct ev_loop *ev, struct ev_io *io, int revents)
{
    struct loop *loop = io->data;
    const struct fc_time now = loop_now(ev);
    uint64_t expirations;
    (void)revents;

    if (read(io->fd, &expirations, sizeof expirations) < 0 && errno == EAGAIN)
        return;
    loop->armed_at = FC_NEVER;
    for (size_t left = loop->running; left > 0 && loop->running > 0; left--) {
        struct host_timer *first = loop->heap[0];
        if (!fc_reached(first->at, now))
            break;
        timer_stop(first);
        first->tick(first->owner);       /* may free it */
    }
}

static void arm_alarm(struct ev_loop *ev, struct ev_prepare *prepare, int revents)
{
    struct loop *loop = prepare->data;
    const struct fc_time earliest = loop->running == 0 ? FC_NEVER : loop->heap[0]->at;
    const int64_t us = fc_is_never(earliest) ? 0 : earliest.us < 1 ? 1 : earliest.us;   /* 0 disarms */
    const struct itimerspec when = { .it_value = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 } };
    (void)ev;
    (void)revents;

    if (!fc_before(earliest, loop->armed_at))
        return;                              /* too early at most: then it is armed anew, which is cheaper than with each turn */
    loop->armed_at = earliest;
    const int result = timerfd_settime(loop->alarm.fd, TFD_TIMER_ABSTIME, &when, NULL);
    assert(result == 0);
    (void)result;
}

/* ---- workers ---- */

static bool work(void *agent, host_work *begin, host_worked *worked, void *job)
{
    return workers_give(((struct loop *)agent)->workers, begin, worked, job);
}

/* ---- life ---- */

static const struct host lent = {
    .now = host_now, .unix_ms = host_unix_ms,
    .watch = watch_open, .watch_change = watch_change, .unwatch = watch_close,
    .timer = timer_new, .timer_set = timer_set, .timer_stop = timer_stop, .untimer = timer_free,
    .work = work,
};

static enum fc_code loop_fill(struct loop *loop, int worker_count, int job_max, struct fc_err *err)
{
    loop->ev = ev_loop_new(EVFLAG_AUTO);
    if (loop->ev == NULL)
        return fc_fail(err, FC_INTERNAL, "event loop: libev finds no way to wait on this system");
    const int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return fc_fail(err, FC_INTERNAL, "event loop: timerfd: %s", strerror(errno));
    ev_io_init(&loop->alarm, on_alarm, fd, EV_READ);
    loop->alarm.data = loop;
    ev_io_start(loop->ev, &loop->alarm);
    ev_prepare_init(&loop->before_sleep, arm_alarm);
    loop->before_sleep.data = loop;
    ev_prepare_start(loop->ev, &loop->before_sleep);
    return workers_open(loop->ev, worker_count, job_max, &loop->workers, err);
}

enum fc_code loop_open(int worker_count, int job_max, struct loop **ret, struct fc_err *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return fc_fail(err, FC_NO_MEMORY, "event loop: out of memory");
    loop->host = lent;
    loop->host.agent = loop;
    loop->armed_at = FC_NEVER;
    loop->alarm.fd = -1;
    const enum fc_code code = loop_fill(loop, worker_count, job_max, err);
    if (code != FC_OK) {
        loop_close(loop);
        return code;
    }
    *ret = loop;
    return FC_OK;
}

void loop_close(struct loop *loop)
{
    if (loop == NULL)
        return;
    workers_close(loop->workers);
    assert(loop->timers == 0);           /* whoever asked for a timer gives it back first */
    if (loop->alarm.fd >= 0) {
        ev_prepare_stop(loop->ev, &loop->before_sleep);
        ev_io_stop(loop->ev, &loop->alarm);
        close(loop->alarm.fd);
    }
    if (loop->ev != NULL)
        ev_loop_destroy(loop->ev);
    free(loop->heap);
    free(loop);
}

struct ev_loop *loop_ev(struct loop *loop) { return loop->ev; }

const struct host *loop_host(struct loop *loop) { return &loop->host; }

void loop_run(struct loop *loop)
{
    if (!loop->is_stopping)
        ev_run(loop->ev, 0);
    loop->is_stopping = false;
}

void loop_stop(struct loop *loop)
{
    loop->is_stopping = true;            /* also when it comes before loop_run */
    ev_break(loop->ev, EVBREAK_ALL);
}
