/* Scenes of the loop: what it lends to the backends keeps its promises, and workers hand every job back once. */
#include <criterion/criterion.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/loop.h"

#define PAST(ms) fc_plus(host->now(host->agent), fc_ms(-(ms)))
#define IN(ms) fc_plus(host->now(host->agent), fc_ms(ms))

static struct loop *loop;
static const struct host *host;
static char seen[64];

static void stage_open_with(int workers, int jobs)
{
    struct fc_err err = { 0 };
    cr_assert_eq(loop_open(workers, jobs, &loop, &err), FC_OK, "%s", err.text);
    host = loop_host(loop);
    seen[0] = '\0';
    alarm(20);                                        /* a loop that never stops fails here */
}

static void stage_open(void) { stage_open_with(2, 8); }
static void stage_close(void) { loop_close(loop); }

static void note(const char *what) { strncat(seen, what, sizeof seen - strlen(seen) - 1); }
static void tick_note(void *owner) { note(owner); }

static void tick_note_and_stop(void *owner)
{
    note(owner);
    loop_stop(loop);
}

static struct host_timer *timer_that(host_tick *tick, const char *word)
{
    return host->timer(host->agent, tick, (void *)word);
}

TestSuite(loop, .init = stage_open, .fini = stage_close);

Test(loop, timers_fire_in_the_order_of_their_moments_whatever_the_order_of_setting)
{
    struct host_timer *c = timer_that(tick_note_and_stop, "c");
    struct host_timer *a = timer_that(tick_note, "a");
    struct host_timer *b = timer_that(tick_note, "b");

    host->timer_set(c, IN(30));
    host->timer_set(a, IN(10));
    host->timer_set(b, IN(20));
    loop_run(loop);
    cr_assert_str_eq(seen, "abc");
    host->untimer(a), host->untimer(b), host->untimer(c);
}

Test(loop, a_timer_never_fires_before_its_moment)
{
    struct host_timer *timer = timer_that(tick_note_and_stop, "x");
    const struct fc_time at = IN(25);

    host->timer_set(timer, at);
    loop_run(loop);
    cr_assert(fc_reached(at, host->now(host->agent)));
    host->untimer(timer);
}

Test(loop, a_moment_in_the_past_is_due_at_once)
{
    struct host_timer *timer = timer_that(tick_note_and_stop, "x");

    host->timer_set(timer, PAST(100000));
    loop_run(loop);
    host->timer_set(timer, FC_EVER);
    loop_run(loop);
    cr_assert_str_eq(seen, "xx");
    host->untimer(timer);
}

Test(loop, a_stopped_a_replaced_and_a_never_timer_do_not_fire)
{
    struct host_timer *stopped = timer_that(tick_note, "stopped ");
    struct host_timer *replaced = timer_that(tick_note_and_stop, "replaced");
    struct host_timer *never = timer_that(tick_note, "never ");

    host->timer_set(stopped, IN(1));
    host->timer_stop(stopped);
    host->timer_set(replaced, IN(1));
    host->timer_set(replaced, IN(30));
    host->timer_set(never, IN(1));
    host->timer_set(never, FC_NEVER);
    loop_run(loop);
    cr_assert_str_eq(seen, "replaced");
    host->untimer(stopped), host->untimer(replaced), host->untimer(never), host->untimer(NULL);
}

static struct host_timer *victim;

static void tick_frees_the_victim(void *owner)
{
    (void)owner;
    host->untimer(victim);
    note("freed ");
}

Test(loop, a_tick_may_free_a_timer_that_is_due_as_well)
{
    struct host_timer *first = host->timer(host->agent, tick_frees_the_victim, NULL);
    struct host_timer *last = timer_that(tick_note_and_stop, "last");

    victim = timer_that(tick_note, "victim ");
    host->timer_set(first, PAST(3));
    host->timer_set(victim, PAST(2));
    host->timer_set(last, PAST(1));
    loop_run(loop);
    cr_assert_str_eq(seen, "freed last");
    host->untimer(first), host->untimer(last);
}

static struct host_timer *restless;
static int restless_count;

static void tick_again_at_once(void *owner)
{
    (void)owner;
    restless_count++;
    host->timer_set(restless, PAST(10));
}

Test(loop, a_timer_that_is_always_due_does_not_keep_the_others_waiting)
{
    struct host_timer *other = timer_that(tick_note_and_stop, "other");

    restless_count = 0;
    restless = host->timer(host->agent, tick_again_at_once, NULL);
    host->timer_set(restless, PAST(10));
    host->timer_set(other, IN(20));
    loop_run(loop);
    cr_assert_str_eq(seen, "other");
    cr_assert_gt(restless_count, 1);
    host->untimer(restless), host->untimer(other);
}

static struct fc_time last_tick;
static int tick_left;

static void tick_in_order(void *owner)
{
    struct fc_time *at = owner;
    cr_assert(!fc_before(*at, last_tick), "a later timer came first");
    last_tick = *at;
    if (--tick_left == 0)
        loop_stop(loop);
}

Test(loop, two_hundred_timers_with_some_stopped_in_between_keep_their_order)
{
    static struct host_timer *timers[200];
    static struct fc_time at[200];
    uint32_t chance = 7;

    last_tick = FC_EVER;
    tick_left = 0;
    for (int i = 0; i < 200; i++) {
        chance = chance * 1664525u + 1013904223u;
        at[i] = PAST(1 + (int)((chance >> 8) % 5000));
        timers[i] = host->timer(host->agent, tick_in_order, &at[i]);
        host->timer_set(timers[i], at[i]);
    }
    for (int i = 0; i < 200; i += 3)
        host->timer_stop(timers[i]);
    for (int i = 0; i < 200; i++)
        tick_left += i % 3 != 0;
    loop_run(loop);
    cr_assert_eq(tick_left, 0);
    for (int i = 0; i < 200; i++)
        host->untimer(timers[i]);
}

static int ready_seen;

static void on_ready(void *owner, int ready)
{
    (void)owner;
    ready_seen = ready;
    loop_stop(loop);
}

Test(loop, a_watch_says_what_is_ready_and_only_what_was_wanted)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    struct host_watch *writable = host->watch(host->agent, fds[1], HOST_WRITE, on_ready, NULL);
    struct host_watch *readable = host->watch(host->agent, fds[0], HOST_READ, on_ready, NULL);

    loop_run(loop);
    cr_assert_eq(ready_seen, HOST_WRITE);
    host->watch_change(writable, 0);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    loop_run(loop);
    cr_assert_eq(ready_seen, HOST_READ);
    host->unwatch(readable), host->unwatch(writable), host->unwatch(NULL);
    close(fds[0]), close(fds[1]);
}

/* ---- workers ---- */

struct job { int answer; bool is_back; };

static int jobs_left;
static atomic_bool may_go_on;

static void count_slowly(void *arg)
{
    struct job *job = arg;
    job->answer = 42;
}

static void take_back(void *arg)
{
    struct job *job = arg;
    job->is_back = true;
    if (--jobs_left == 0)
        loop_stop(loop);
}

static void wait_until_told(void *arg)
{
    while (!atomic_load(&may_go_on))
        usleep(500);
    count_slowly(arg);
}

Test(loop, every_job_is_worked_on_and_handed_back_once)
{
    struct job jobs[8] = { { 0 } };

    jobs_left = 8;
    for (int i = 0; i < 8; i++)
        cr_assert(host->work(host->agent, count_slowly, take_back, &jobs[i]));
    loop_run(loop);
    for (int i = 0; i < 8; i++)
        cr_assert(jobs[i].answer == 42 && jobs[i].is_back);
}

Test(loop, a_full_queue_says_no_and_has_room_again_when_jobs_are_back)
{
    struct job jobs[9] = { { 0 } };

    atomic_store(&may_go_on, false);
    jobs_left = 8;
    for (int i = 0; i < 8; i++)
        cr_assert(host->work(host->agent, wait_until_told, take_back, &jobs[i]));
    cr_assert_not(host->work(host->agent, count_slowly, take_back, &jobs[8]));
    atomic_store(&may_go_on, true);
    loop_run(loop);
    cr_assert_not(jobs[8].is_back);
    jobs_left = 1;
    cr_assert(host->work(host->agent, count_slowly, take_back, &jobs[8]));
    loop_run(loop);
    cr_assert(jobs[8].is_back);
}

static void start_and_finish_later(void *arg)
{
    struct job *job = arg;
    atomic_store(&may_go_on, true);      /* now the job is under way */
    usleep(20000);
    job->answer = 42;
}

Test(loop, closing_waits_for_the_job_under_way_and_hands_back_the_others_as_they_are)
{
    struct job first = { 0 }, second = { 0 };

    loop_close(loop);
    stage_open_with(1, 4);               /* one worker: the second job stands behind the first */
    atomic_store(&may_go_on, false);
    jobs_left = 9;
    cr_assert(host->work(host->agent, start_and_finish_later, take_back, &first));
    cr_assert(host->work(host->agent, count_slowly, take_back, &second));
    while (!atomic_load(&may_go_on))
        usleep(500);
    loop_close(loop);
    loop = NULL;
    cr_assert(first.answer == 42 && first.is_back);
    cr_assert(second.answer == 0 && second.is_back);
}

Test(loop, a_stop_before_the_run_is_not_lost)
{
    loop_stop(loop);
    loop_run(loop);                      /* returns; the alarm of the stage says so if not */
}
