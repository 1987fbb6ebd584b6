/* What the agent lends to the backends: the clock, descriptors to watch, timers, and a thread for what blocks.
 * Backends own no loop. The simulator lends false ones. All calls are made from, and come back on, the loop's thread. */
#ifndef FC_BACKENDS_HOST_H
#define FC_BACKENDS_HOST_H

#include <stdbool.h>

#include "base/moment.h"

#define HOST_READ 1
#define HOST_WRITE 2

struct host_watch;      /* one descriptor, owned by who asked */
struct host_timer;      /* one timer, owned by who asked */

typedef void host_ready(void *owner, int ready);            /* HOST_READ | HOST_WRITE */
typedef void host_tick(void *owner);
typedef void host_work(void *job);                          /* on a worker thread: touches only what the job holds */
typedef void host_worked(void *job);                        /* back on the loop's thread */

struct host {
    void *agent;
    struct fc_time (*now)(void *agent);
    int64_t (*unix_ms)(void *agent);                        /* wall clock, for timestamps that people read */
    struct host_watch *(*watch)(void *agent, int fd, int wanted, host_ready *ready, void *owner);
    void (*watch_change)(struct host_watch *watch, int wanted);
    void (*unwatch)(struct host_watch *watch);              /* NULL is fine; before the descriptor is closed */
    struct host_timer *(*timer)(void *agent, host_tick *tick, void *owner);   /* not running yet */
    void (*timer_set)(struct host_timer *timer, struct fc_time at);           /* one shot; replaces the earlier moment */
    void (*timer_stop)(struct host_timer *timer);
    void (*untimer)(struct host_timer *timer);              /* NULL is fine */
    /* False when the bounded queue of jobs is full: then `worked` is not called. */
    bool (*work)(void *agent, host_work *work, host_worked *worked, void *job);
};

#endif
