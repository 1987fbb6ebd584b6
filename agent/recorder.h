/* The event log on disk (RecordFile): what the core was told, for `firstchair replay`. Written by the workers in batches, so
 * that a slow disk never holds up the loop; a batch that does not fit any more is dropped and the log says so by ending. */
#ifndef FC_AGENT_RECORDER_H
#define FC_AGENT_RECORDER_H

#include "backends/host.h"
#include "base/err.h"
#include "core/effect.h"
#include "core/event.h"

struct recorder;

enum fc_code recorder_open(const struct host *host, const char *path, struct recorder **ret, struct fc_err *err);
void recorder_write(struct recorder *recorder, const struct event *event);     /* NULL is fine: nothing is recorded */
/* What the core answered, folded into the digest that the log's replay must print again. */
void recorder_answered(struct recorder *recorder, const struct effects *effects);
/* Says the digest and the number of events, for the last line of the process's log. */
void recorder_tell(const struct recorder *recorder, char *to, size_t size);
void recorder_stop(struct recorder *recorder);       /* no more batches; before the loop is closed. NULL is fine */
void recorder_close(struct recorder *recorder);      /* writes what waits; after the workers have ended. NULL is fine */

/* `firstchair replay FILE`: feeds a fresh core and prints notes and effects. Returns an exit code. */
int recorder_replay(const char *path, int shows_effects);

#endif
