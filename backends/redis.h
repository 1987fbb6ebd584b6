/* Redis: shows what this node knows to dashboards and scripts. A mirror, never a memory: nothing is ever read back for a
 * decision, and a Redis that is down, hung, full, flushed or wrong delays nothing; it only misses something.
 *
 * What stands there (PREFIX is RedisPrefix):
 *   PREFIXnode/NAME   JSON of the node, SET with a life of RedisTTLSeconds: a node that stops disappears
 *   PREFIXpool/NAME   JSON of the pool as the node with the highest (epoch, seq) sees it, the same life
 *   PREFIXchannel     PUBLISH of every event as JSON
 *   PREFIXevents      stream of the same events: XADD MAXLEN ~ RedisStreamMax; fields epoch, seq, json
 * Older never overwrites newer: a small script compares on the server. A pool's key is refused where (epoch, seq) is lower than
 * what stands there; several nodes write it, so seq must be comparable among them (counted from the wall clock's
 * milliseconds, say). A node's key is refused only where the same process (JSON field "token") has written a higher seq.
 *
 * Nothing blocks: names are resolved by a worker, every queue is bounded (below), a command that is not answered within
 * REDIS_COMMAND_LIMIT_MS ends the session, and the next one is tried after 0.2 s, doubling to 5 s. Keys are not queued while
 * there is no session: `wants_all` is called as soon as there is one, and every third of the TTL. Events are queued, and the
 * oldest fall out first.
 *
 * The process must ignore SIGPIPE (hiredis writes with write(2)). All calls come from the loop's thread. */
#ifndef FC_BACKENDS_REDIS_H
#define FC_BACKENDS_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/host.h"
#include "base/err.h"
#include "core/config.h"

#define REDIS_COMMAND_LIMIT_MS 1000       /* connect, greeting, and each command */
#define REDIS_REST_FIRST_MS 200
#define REDIS_REST_LAST_MS 5000
#define REDIS_IN_FLIGHT_MAX 256           /* commands sent and not answered */
#define REDIS_WAITING_MAX 256             /* messages not sent yet */
#define REDIS_TEXT_MAX 65536              /* bytes of JSON waiting, and again as many in flight; also the longest message */

enum redis_kind { REDIS_NODE, REDIS_POOL, REDIS_EVENT };

struct redis_message {
    enum redis_kind kind;
    const char *name;                     /* node or pool; not used for events */
    const char *json;                     /* an object with "epoch" and "seq", and a node's with "token"; no secret */
    uint64_t epoch, seq;                  /* below 2^53, the same as in json */
};

struct redis_listener {
    void *owner;
    void (*wants_all)(void *owner);                                      /* publish every current key now */
    void (*changed)(void *owner, bool is_ready, const char *text);       /* once per change; may be NULL */
};

struct redis_state {                      /* for status and metrics */
    bool is_ready;
    uint64_t connected;                   /* sessions that became ready */
    uint64_t stored, refused_older, published;
    uint64_t dropped;                     /* fell out of the full queue, or were too long */
    uint64_t lost;                        /* commands whose answer never came */
    uint64_t errors;                      /* error answers */
    char text[200];                       /* what is wrong, or ""; never with the password */
};

struct redis;

/* Connects in the background. FC_BAD_CONFIG when RedisAddress is neither a unix path nor host:port. `token` is this
 * process's, as in the node's JSON. Neither wants_all nor changed is called from within. */
enum fc_code redis_open(const struct host *host, const struct config *config, const char *token,
                        const struct redis_listener *listener, struct redis **ret, struct fc_err *err);
/* Not from within a callback. NULL is fine. */
void redis_close(struct redis *redis);
/* Takes over what may change without a restart: RedisTTLSeconds and RedisStreamMax. */
void redis_reload(struct redis *redis, const struct config *config);
/* Copies the texts. Always returns at once; what does not fit is counted, not reported. */
void redis_publish(struct redis *redis, const struct redis_message *messages, int count);
const struct redis_state *redis_state(const struct redis *redis);

#endif
