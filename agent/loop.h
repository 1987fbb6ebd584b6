/* The only clock and the only event loop (libev). It lends descriptors, timers and worker jobs to the backends. */
#ifndef FC_AGENT_LOOP_H
#define FC_AGENT_LOOP_H

#include <ev.h>
#include <stdint.h>

#include "backends/host.h"
#include "base/err.h"

struct loop;

/* worker_count threads for what blocks (names, SQLite, files), a queue of at most job_max jobs. */
enum fc_code loop_open(int worker_count, int job_max, struct loop **ret, struct fc_err *err);
void loop_close(struct loop *loop);          /* waits for jobs under way; hands back those not begun as they are */
struct ev_loop *loop_ev(struct loop *loop);
const struct host *loop_host(struct loop *loop);
void loop_run(struct loop *loop);            /* until loop_stop */
void loop_stop(struct loop *loop);

struct fc_time loop_now(struct ev_loop *loop);   /* CLOCK_BOOTTIME, read anew at each call */
int64_t loop_unix_ms(void);

#endif
