/* N threads, one lock, two rings: jobs to begin, and jobs to hand back. An ev_async wakes the loop for the second.
 *
 * Both rings have job_max places and a job stands in at most one of them, so neither can overflow: the count of jobs that
 * are out is checked once, when a job is given. Signals stay with the loop's thread. */
#include "agent/workers.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct task { host_work *work; host_worked *worked; void *job; };

struct ring { struct task *tasks; int size, first, count; };

struct workers {
    struct ev_loop *loop;
    struct ev_async handed_back;
    pthread_mutex_t lock;                /* guards everything below */
    pthread_cond_t something_to_do;
    struct ring to_begin, to_hand_back;
    int out;                             /* given and not yet handed back */
    bool is_closing;
    int thread_count;                    /* as many as were started */
    pthread_t threads[];
};

static void ring_put(struct ring *ring, struct task task)
{
    assert(ring->count < ring->size);
    ring->tasks[(ring->first + ring->count) % ring->size] = task;
    ring->count++;
}

static bool ring_take(struct ring *ring, struct task *ret)
{
    if (ring->count == 0)
        return false;
    *ret = ring->tasks[ring->first];
    ring->first = (ring->first + 1) % ring->size;
    ring->count--;
    return true;
}

/* ---- on the workers' threads ---- */

static bool wait_for_task(struct workers *workers, struct task *ret)
{
    pthread_mutex_lock(&workers->lock);
    while (!workers->is_closing && workers->to_begin.count == 0)
        pthread_cond_wait(&workers->something_to_do, &workers->lock);
    const bool has_task = !workers->is_closing && ring_take(&workers->to_begin, ret);
    pthread_mutex_unlock(&workers->lock);
    return has_task;
}

static void *work_until_closed(void *arg)
{
    struct workers *workers = arg;
    struct task task;

    while (wait_for_task(workers, &task)) {
        task.work(task.job);
        pthread_mutex_lock(&workers->lock);
        ring_put(&workers->to_hand_back, task);
        pthread_mutex_unlock(&workers->lock);
        ev_async_send(workers->loop, &workers->handed_back);
    }
    return NULL;
}

/* ---- on the loop's thread ---- */

static bool take_finished(struct workers *workers, struct task *ret)
{
    pthread_mutex_lock(&workers->lock);
    const bool has_task = ring_take(&workers->to_hand_back, ret);
    workers->out -= has_task;
    pthread_mutex_unlock(&workers->lock);
    return has_task;
}

static void hand_back_all(struct workers *workers)
{
    struct task task;

    while (take_finished(workers, &task))
        task.worked(task.job);
}

static void on_handed_back(struct ev_loop *loop, struct ev_async *async, int revents)
{
    (void)loop;
    (void)revents;
    hand_back_all(async->data);
}

bool workers_give(struct workers *workers, host_work *work, host_worked *worked, void *job)
{
    assert(work != NULL && worked != NULL);
    pthread_mutex_lock(&workers->lock);
    const bool is_taken = !workers->is_closing && workers->out < workers->to_begin.size;
    if (is_taken) {
        ring_put(&workers->to_begin, (struct task){ work, worked, job });
        workers->out++;
        pthread_cond_signal(&workers->something_to_do);
    }
    pthread_mutex_unlock(&workers->lock);
    return is_taken;
}

static enum fc_code start_threads(struct workers *workers, int thread_count, struct fc_err *err)
{
    sigset_t all, before;
    int error = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (workers->thread_count < thread_count && error == 0) {
        error = pthread_create(&workers->threads[workers->thread_count], NULL, work_until_closed, workers);
        workers->thread_count += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return fc_fail(err, FC_INTERNAL, "worker thread %d of %d: %s", workers->thread_count + 1, thread_count,
                       strerror(error));
    return FC_OK;
}

enum fc_code workers_open(struct ev_loop *loop, int thread_count, int job_max, struct workers **ret, struct fc_err *err)
{
    assert(thread_count > 0 && job_max > 0);
    struct workers *workers = calloc(1, sizeof *workers + (size_t)thread_count * sizeof workers->threads[0]);
    if (workers == NULL)
        return fc_fail(err, FC_NO_MEMORY, "workers: out of memory");
    workers->loop = loop;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->something_to_do, NULL);
    ev_async_init(&workers->handed_back, on_handed_back);
    workers->handed_back.data = workers;
    ev_async_start(loop, &workers->handed_back);
    workers->to_begin = (struct ring){ .tasks = calloc((size_t)job_max, sizeof(struct task)), .size = job_max };
    workers->to_hand_back = (struct ring){ .tasks = calloc((size_t)job_max, sizeof(struct task)), .size = job_max };
    const bool has_rings = workers->to_begin.tasks != NULL && workers->to_hand_back.tasks != NULL;
    const enum fc_code code = has_rings ? start_threads(workers, thread_count, err)
                                        : fc_fail(err, FC_NO_MEMORY, "workers: out of memory");
    if (code != FC_OK) {
        workers_close(workers);
        return code;
    }
    *ret = workers;
    return FC_OK;
}

void workers_close(struct workers *workers)
{
    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->is_closing = true;
    pthread_cond_broadcast(&workers->something_to_do);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    hand_back_all(workers);              /* a job is freed by its `worked`, be it done or not */
    for (struct task task; ring_take(&workers->to_begin, &task);)
        task.worked(task.job);
    ev_async_stop(workers->loop, &workers->handed_back);
    pthread_cond_destroy(&workers->something_to_do);
    pthread_mutex_destroy(&workers->lock);
    free(workers->to_begin.tasks);
    free(workers->to_hand_back.tasks);
    free(workers);
}
