/* One short conversation with a neighbour: connect, say one line, read the answer until it ends, close. For HAProxy's runtime
 * sockets and for other nodes' agent-check ports. Bounded in time and bytes; never blocks; one callback, later. */
#ifndef FC_AGENT_TALK_H
#define FC_AGENT_TALK_H

#include <stddef.h>

#include "backends/host.h"
#include "base/err.h"

struct talk;

/* code FC_OK: the other side closed after `length` bytes. FC_TIMEOUT, FC_UNREACHABLE: text says why; bytes may be partial. */
typedef void talk_done(void *owner, enum fc_code code, const char *bytes, size_t length, const char *text);

/* address: a unix path (begins with '/') or numeric "host:port". `said` is copied. NULL when it cannot even begin (err says
 * why; then `done` is not called). answer_max: what is longer is cut and taken as the end. */
struct talk *talk_open(const struct host *host, const char *address, const char *said, size_t length, size_t answer_max,
                       int limit_ms, talk_done *done, void *owner, struct fc_err *err);
/* Ends it without a callback. NULL is fine. Not needed after the callback: it frees itself. */
void talk_close(struct talk *talk);

#endif
