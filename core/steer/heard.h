/* Who has heard a revoke: how long an old server that could not be fenced may still be written to through an HAProxy.
 *
 * spec/steering.md 5.5. From the revoke on, three things must be over, on every HAProxy:
 *   terms     no node answers with the old server's token any more (the longest term outstanding);
 *   check     an HAProxy that hears no node cuts the server off by its own token check;
 *   leavings  a process that a reload left behind asks nobody and keeps its sessions until hard-stop-after.
 * Waiting for their sum is always right. It ends earlier when every HAProxy has shown, after the terms, that it has heard: by
 * its own view (unusable, no session, for as long as two polls take, and its process older than any leavings), or by two
 * answers in a row that it was given in time. A node that still calls the old server first takes that back: it sees that server
 * and not the new one. All must be known for that: HAProxyInstances names them; whoever else asked lately counts too. */
#ifndef FC_STEER_HEARD_H
#define FC_STEER_HEARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"
#include "core/config.h"
#include "core/event.h"

#define HEARD_MAX 24

enum heard_by { HEARD_NOT = 0, HEARD_SERVED, HEARD_VIEW };

struct heard_asker {
    char name[64], source[64];       /* source "" = named by HAProxyInstances, any address */
    int proxy;                       /* index in HAProxyInstances; -1 = only remembered */
    enum heard_by by;
    struct fc_time at;               /* moment to which what it has shown refers */
    int64_t uptime_ms;               /* HEARD_VIEW: of its process then; -1 unknown */
    struct fc_time calm_since;       /* since when each view has shown it out of use; FC_EVER: the last one did not */
    struct fc_time misled_at;        /* when a node last called the old server first to it; FC_EVER: none has */
    bool was_seen;                   /* its view was read since the revoke */
    bool is_usable;                  /* the view: it still sends new connections */
    int sessions;                    /* the view: sessions left on the old server; -1 unknown */
};

struct heard {
    bool is_listening;               /* between a revoke and the end of its move */
    char pool[64], server[64];       /* the old server */
    uint64_t epoch;                  /* of the revoke */
    struct fc_time revoked_at, look_at;
    bool has_own;                    /* this node's own board was read since */
    bool is_full;                    /* more askers than fit: nobody can say that all have heard */
    int count;
    struct heard_asker askers[HEARD_MAX];
};

/* The three spans, each with the drift that a clock is allowed (LeaseDriftPercent). */
struct fc_span heard_terms(const struct config *config);
struct fc_span heard_check(const struct config *config);
struct fc_span heard_leavings(const struct config *config);

void heard_begin(struct heard *heard, const struct config *config, const char *pool, const char *server, uint64_t epoch,
                 struct fc_time now);
void heard_end(struct heard *heard);
/* PROXY_SEEN and ASKERS_SEEN; own_name: this node. */
void heard_hear(struct heard *heard, const struct config *config, const struct event *event, const char *own_name);
/* From when on the old server is written to through no HAProxy any more. Falls as they show that they have heard; never
 * before the terms are over, never after the whole sum. */
struct fc_time heard_until(const struct heard *heard, const struct config *config);
/* One sentence for people: who is still waited for. */
void heard_awaited(const struct heard *heard, const struct config *config, char *to, size_t size);

#endif
