/* The log: one line a note, on standard error, where the service manager keeps it. Secrets never come here.
 *
 *   2026-11-22T22:41:03.123Z WARNING fc_backend e=9 db2 is 12 s behind
 *
 * Writing never waits: a reader that does not read costs the line, not the loop. Lost lines are counted, and told as soon as
 * there is room. SIGPIPE must be ignored by the process. Used from the loop's thread only. */
#ifndef FC_AGENT_LOG_H
#define FC_AGENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/effect.h"

struct log {
    int fd;                        /* borrowed */
    bool is_socket;
    enum note_level least;         /* what is below is not written */
    uint64_t lost;                 /* lines, since the start */
    uint64_t lost_untold;          /* of these, not yet mentioned in the log */
};

/* Where to, and from which level. Never sets the descriptor non-blocking: it may be shared with other processes. */
void log_init(struct log *log, int fd, enum note_level least);
/* subject "" is written as "-", epoch 0 not at all; control bytes become '.'. */
void log_note(struct log *log, int64_t unix_ms, enum note_level level, const char *subject, uint64_t epoch, const char *text);
/* The same, at this moment and formatted, for the process's own remarks. */
void log_say(struct log *log, enum note_level level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
