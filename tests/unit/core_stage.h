/* A stage for scenes of the core: one node, its pair of servers, and a clock that stands still unless a scene moves it.
 * The stage plays the lease's part: a deed that ends well tells the core what the lease would tell. */
#ifndef FC_CORE_STAGE_H
#define FC_CORE_STAGE_H

#include "core/core.h"
#include "core/status.h"

struct stage {
    struct core *core;
    struct config config;
    struct effects *effects;         /* of everything since the last deed that ended, or since stage_forget */
    struct fc_time now;
    int64_t wall_step_ms;            /* by so much has the wall clock been stepped */
    uint64_t epoch, ticket;
    struct decision row;
    bool leads;
    const char *fc2_says;            /* when asked what it sees of a server: NULL = "refused"; "sees it", "saw it" (before the loss),
                                      * "silent", "ended", "denied", "mute" (cannot be asked), "nothing" (not yet) */
    char said[256];                  /* the last answer to an order */
    bool is_final;
    struct server_look looks[STORE_SERVERS_MAX];
};

/* servers: "db1 db2". seated: its name, open, with this node leading; "" = a first start, nobody leads, all closed. */
struct stage stage_open(const char *servers, const char *seated);
/* The same with keys of the configuration: "FailbackAfterSeconds=60 HAProxyInstances=px1=10.0.5.1:9999". */
struct stage stage_open_with(const char *servers, const char *seated, const char *keys);
void stage_close(struct stage *stage);
void stage_reload(struct stage *stage, const char *keys);
void stage_stop(struct stage *stage);                                        /* a graceful stop is asked for */
void stage_forget(struct stage *stage);                                      /* what was asked so far is of no interest */
/* This node leads from now on (in a new epoch). */
void stage_lead(struct stage *stage);
void stage_lose_lease(struct stage *stage, const char *event);      /* "denied" or "silent" */
void stage_order(struct stage *stage, const char *text);
/* A look at this server: words like "read_only=1", "open", "behind", "broken", "torn" (fetching stopped by an error of the network), "unconfigured", "io=connecting" (and it is refused; "silently": it is not). */
void stage_report(struct stage *stage, const char *server, const char *words);
void stage_lost(struct stage *stage, const char *server, const char *how);   /* "ended", "refused", "silent" (it took the connection), "out of reach" (it did not) */
/* A check of its settings has ended with these (server: 0 the first). */
void stage_checked(struct stage *stage, int server, const struct server_settings *settings);
/* The deed under way ends: "intend", "fence", "catch-up", "seat", "open", "hold", "resume"; how: "ok", "ok: a remark", "timeout", "refused", "unreachable", "denied". */
void stage_deed(struct stage *stage, const char *deed, const char *how);
/* So far this server has fetched its master's log. */
void stage_fetched(struct stage *stage, const char *server, const char *file, uint64_t offset);
/* The log of a server that was replaced unfenced is read: so many transactions of clients. */
void stage_found_alone(struct stage *stage, uint32_t transactions, const char *first, const char *last);
/* Several of them, one after another, each ending well: "catch-up intend fence". */
void stage_deeds(struct stage *stage, const char *deeds);
/* Openings that many stories share. Out of sight: two silent looks in a row. Dead: its session ends, it refuses connections, and
 * the other one's replication finds nobody. */
void stage_out_of_sight(struct stage *stage, const char *server);
void stage_dies(struct stage *stage, const char *server);
void stage_pass(struct stage *stage, int64_t ms);                            /* time passes, and the timer rings */
void stage_finds_moving(struct stage *stage, const char *from, const char *to);   /* a half moved chair is found */
void stage_finds_seated(struct stage *stage, const char *server, const char *why);   /* another leader has seated it, and it is open */

/* An HAProxy's own view is read back: "db1 usable, db2 not"; it has 3 sessions on each and does not say how old it is. "no db2": it
 * does not know that server. */
void stage_proxy(struct stage *stage, const char *proxy, const char *words);
/* The same of one that sends nowhere, has so many sessions on each server, and is so old (-1 = does not say). */
void stage_proxy_idle(struct stage *stage, const char *proxy, int sessions, int64_t uptime_ms);
/* A node's board tells of one asker of the old server: two answers in time, the earlier so many ms ago (-1 = none), in this epoch. */
void stage_misled(struct stage *stage, const char *node, const char *asker, int64_t age_ms);   /* told that the old one is first */
void stage_asked(struct stage *stage, const char *node, const char *asker, int64_t earlier_ms, uint64_t epoch);
void stage_proxy_lost(struct stage *stage, const char *proxy);
/* The store shows an order that node fc2 laid there so many seconds ago; or the leader's answer ("done", "refused") to ours. */
void stage_finds_order(struct stage *stage, const char *text, int64_t age_s);
void stage_finds_answer(struct stage *stage, const char *state, const char *text);

/* What a DBA would see: "db1 first, db2 resting"; also "leaving", "waiting", "paused", "unknown". */
void stage_shows(struct stage *stage, const char *wanted);
/* The deeds asked for since the last question: "intend db1 > db2", "fence db1", "" ... in their order, with commas. */
void stage_asks(struct stage *stage, const char *wanted);
/* The latest deed asked for that has a bound, and its bound: "fence 500" in ms. */
void stage_limits(struct stage *stage, const char *wanted);
/* So many effects of this kind among them: stage_counts(&s, "PROXY_PUSH", 1). */
void stage_counts(struct stage *stage, const char *effect, int wanted);
/* What the board says of POOL/SERVER: "rest: db1 sits"; and from so many ms on, if nothing is renewed: "rest" or "neutral". */
void stage_hears(struct stage *stage, const char *server, const char *wanted);
void stage_hears_late(struct stage *stage, const char *server, int64_t after_ms, const char *wanted);
const struct answer *stage_answer(const struct stage *stage, const char *server);
const struct status *stage_status(const struct stage *stage);                /* valid until the next call */
void stage_notes(struct stage *stage, const char *part);                     /* the latest event for people contains this */
void stage_closes_order(struct stage *stage, const char *state, const char *part);   /* the answer stored for a follower */
/* A line of history of this kind was asked to be stored, and contains this; or none was. */
void stage_records(struct stage *stage, const char *kind, const char *part);
void stage_records_no(struct stage *stage, const char *kind);
/* What the fleet knows now of a server, in all pools of managed clusters that have it. Words: "open" (the preset: closed), "replica", "ring",
 * "replicas=2", "lag=3", "unfetching", "stopped", "lost", "gone" (lost, by its replicas too). */
void stage_fleet(struct stage *stage, const char *server, const char *words);
void stage_finds(struct stage *stage, const char *finding);
void stage_says(struct stage *stage, const char *part);                      /* the last answer contains this */

#endif
