/* Threads for what blocks (names, SQLite, files). The only file of ours with threads beside raft's own.
 *
 * A job is a pointer that changes hands: given on the loop's thread, worked on by one worker that touches only what the job
 * holds, and handed back on the loop's thread. At most job_max jobs are given and not yet handed back at one time. */
#ifndef FC_AGENT_WORKERS_H
#define FC_AGENT_WORKERS_H

#include <ev.h>
#include <stdbool.h>

#include "backends/host.h"
#include "base/err.h"

struct workers;

enum fc_code workers_open(struct ev_loop *loop, int thread_count, int job_max, struct workers **ret, struct fc_err *err);
/* Waits for jobs under way and hands them back, then those not begun, without having been worked on: whoever asked has been
 * closed by then and only frees what the job holds. NULL is fine. */
void workers_close(struct workers *workers);
/* False when job_max jobs are out, or when closing: then nothing happens to the job. */
bool workers_give(struct workers *workers, host_work *work, host_worked *worked, void *job);

#endif
