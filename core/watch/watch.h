/* A fleet as a running node keeps it: who is known, when each is looked at, what it is called, what is wrong, what was said of it.
 *
 *      events  ->  picture, calendar, verdicts  ->  effects
 *      named, saw, lost, resolved, recalled,        look at a server, leave it, look up a name,
 *      said, forgotten, woken                       store a row, drop a row, tell people
 *
 * Everything here is a function of the events and their moments: no clock, no socket, so a fleet can be simulated and replayed.
 * After each event the performer (agent/survey.c) takes effects with watch_next() until there are none, and wakes the watch at
 * watch_wake_at(). An event costs what it changes; what concerns everybody (sweeping, aliases) is spread over turns of the clock.
 *
 * Names. A server is known by the key under which it was named until it tells another name (MySQLHostnameResolveMethod, else
 * HostnameResolveMethod). That name is looked at as well, and taken only when the same server answers there; a name that leads nowhere, or
 * to somebody else, is not taken. So every key leads to its server, and two servers with one name do not become one. Whoever names the
 * server as before is understood, as long as the replica's master has the server id that it had then. */
#ifndef FC_WATCH_WATCH_H
#define FC_WATCH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/moment.h"
#include "discover/discovery.h"
#include "judge/aliases.h"
#include "judge/fleet.h"
#include "model/classification.h"
#include "model/host_names.h"
#include "model/overrides.h"
#include "model/server_pools.h"
#include "model/topology.h"
#include "watch/called.h"

#define WATCH_SERVERS_MAX 200000u     /* known and named together */
#define WATCH_FORGOTTEN_MAX 1024      /* keys that are not taken up again for a while; beyond it the oldest is */
#define WATCH_ALARMED_MAX 256         /* servers whose analysis is looked into each second; beyond it at the poll's pace */
#define WATCH_NOTES_MAX 32            /* sentences between two calls of watch_next(); more are counted */
#define WATCH_TURN_MS 1000            /* between two turns of the clock */
#define WATCH_SWEEP_TURNS 60          /* in so many turns everybody is gone over once */
#define WATCH_UNNAMED_PERIODS 12      /* never seen, and named by nobody for so long: forgotten */
#define WATCH_FORGOTTEN_PERIODS 3     /* spec/discovery.md 13: a forgotten key is not taken up again for so long */

enum watch_filter { FILTER_SERVER = 0, FILTER_REPLICA, FILTER_MASTER, FILTER_USER, FILTER_OWN_NAME, FILTER_ANALYSIS, FILTER_COUNT };
/* What backends/pattern.h matches. FILTER_ANALYSIS: of whom no change is told. FILTER_USER: the replication account is in `host`; FILTER_OWN_NAME: the name that a server tells. */
struct watch_filters {
    bool (*fits)(void *lender, enum watch_filter filter, const struct instance_key *key);     /* NULL: nothing is filtered */
    void *lender;
};

enum own_name { OWN_NAME_NONE = 0, OWN_NAME_HOST, OWN_NAME_REPORT_HOST };     /* MySQLHostnameResolveMethod */

struct watch_setting {
    struct discovery_setting calendar;
    struct analysis_policy policy;
    struct fc_span forget_after;      /* UnseenInstanceForgetHours; 0: never */
    enum own_name own_name;
    bool asks_names;                  /* HostnameResolveMethod cname or ip: names are looked up where the server tells none */
    struct fc_span name_life;         /* ExpiryHostnameResolvesMinutes: a name that was not taken is tried again after so long */
    struct watch_filters filters;
    const struct classifier *classifier;          /* NULL: nothing is classified. Borrowed, as long as the setting stands */
};

enum watch_effect_type { WATCH_NOTHING = 0, WATCH_LOOK, WATCH_RESOLVE, WATCH_ROW, WATCH_GONE, WATCH_NOTE };

enum watch_note { WATCH_TELLS = 0, WATCH_WARNS, WATCH_ALARMS };

struct watch_effect {
    enum watch_effect_type type;
    member_id id;                     /* GONE: of a slot that may be another's by now */
    struct instance_key key;          /* borrowed until the next call of any function here */
    bool is_changed;                  /* ROW: more than its moments */
    enum watch_note level;
    const char *text;                 /* NOTE: one sentence; borrowed likewise */
    const struct fleet_change *change;            /* NOTE: of a finding that changed; else NULL */
};

struct watch_place;                   /* what is kept beside a slot of the topology */
struct watch_line { struct watch_step *list; uint32_t first, count, capacity; };
struct forgotten { name_id host; uint16_t port; struct fc_time until; };

#define WATCH_LATE_BOUNDS 12
extern const int64_t watch_late_bounds_us[WATCH_LATE_BOUNDS];      /* rising */

struct watch_counts {
    uint64_t looks_seen, looks_lost;              /* looks that ended */
    uint64_t late_us;                             /* of all scheduled looks together */
    int64_t late_most_us, late_most_before_us;    /* of the present sweep and of the last whole one */
    uint64_t late_within[WATCH_LATE_BOUNDS + 1];  /* scheduled looks later than the bound before and not than this one; the last: than all */
    uint64_t forgotten, filtered, refused, notes_dropped;
};

struct watch {
    struct room *room;
    struct watch_setting setting;
    struct topology topology;
    struct overrides overrides;       /* this and the next three: what people and tools said; watch_said() after a change */
    struct server_pools pools;
    struct host_names resolved, unresolved;       /* a name and the one that it was found to be; a host and its virtual name */
    struct classifications classifications;
    struct aliases aliases;
    struct fleet fleet;
    struct discovery calendar;
    struct called called;

    struct watch_place *places;       /* by member_id */
    uint32_t place_capacity;
    uint32_t unlooked;                /* known, and no look at them has ended yet */
    struct watch_line rows, gone, names, under_way;
    struct forgotten forgotten[WATCH_FORGOTTEN_MAX];
    uint32_t forgotten_count;
    member_id alarmed[WATCH_ALARMED_MAX];
    uint32_t alarmed_count;
    uint64_t change_told;             /* of the fleet's changes */
    struct { enum watch_note level; char text[400]; } notes[WATCH_NOTES_MAX];
    uint32_t note_first, note_count;
    char told[400];

    struct fc_time now;               /* of the event under way, for those who are called back */
    struct fc_time turn_due, judge_due, aliases_due, overrides_due;
    member_id sweep_at;
    uint32_t sweep_turn;
    bool is_resting;                  /* another node looks: nothing is begun */
    bool is_recalling;                /* rows of the store are coming: nothing is judged or begun */
    struct watch_counts counts;
};

/* False: no memory, or a setting outside its bounds. The room is borrowed. */
bool watch_init(struct watch *watch, struct room *room, const struct watch_setting *setting);
void watch_done(struct watch *watch);
/* A reload. Everybody is judged anew; whom a filter fits from now on is let go. */
void watch_set(struct watch *watch, const struct watch_setting *setting, struct fc_time now);

/* ---- events ---- */

/* Somebody names a server. It is looked at now. A seed is kept and looked at for as long as it takes to see it; what an operator names and nobody
 * sees is let go like what a server names. `ret` may be NULL. FC_BAD_INPUT; FC_REFUSED: a filter; FC_BUSY: the bound; FC_NO_MEMORY. */
enum watch_namer { NAMED_BY_OPERATOR, NAMED_AS_SEED };
enum fc_code watch_named(struct watch *watch, const struct instance_key *key, enum watch_namer by, struct fc_time now, member_id *ret,
                         struct fc_err *err);
/* A look came back. `detected` (answers of the Detect queries) may be NULL. Of a server that was forgotten meanwhile: nothing happens. */
void watch_saw(struct watch *watch, const struct instance_seen *seen, const struct detected *detected, struct fc_time now);
/* A look was lost; or, in the phase IDLE, a session ended between two looks. */
void watch_lost(struct watch *watch, const struct instance_lost *lost, struct fc_time now);
/* The name of a host, as it was looked up; "" or NULL: there is none. */
void watch_resolved(struct watch *watch, const struct instance_key *key, const char *name, struct fc_time now);
/* What an operator or a tool said of a server has changed (watch->overrides is theirs to change). */
void watch_said(struct watch *watch, const struct instance_key *key, struct fc_time now);
bool watch_knows(const struct watch *watch, const struct instance_key *key);
/* Look at it now. False: nobody knows it. */
bool watch_urge(struct watch *watch, const struct instance_key *key);
/* Dropped, and not taken up from others for three periods. FC_NOT_FOUND, FC_NO_MEMORY. */
enum fc_code watch_forget(struct watch *watch, const struct instance_key *key, struct fc_time now, struct fc_err *err);
void watch_woken(struct watch *watch, struct fc_time now);

/* Rows of the store, between begin and end; nothing is judged meanwhile. One that is older than what was seen here is passed over. */
struct watch_recalled {
    struct instance_key key;
    const struct instance_seen *seen;      /* NULL: it was never seen. Its seen_at is the last good look's */
    bool is_partly_seen;
    struct fc_time checked_at;             /* the last look ended; FC_EVER: none */
};
void watch_recall_begin(struct watch *watch);
/* Outside begin and end: one row that came later. */
enum fc_code watch_recall(struct watch *watch, const struct watch_recalled *row, struct fc_time now, struct fc_err *err);
void watch_recall_end(struct watch *watch, struct fc_time now);

/* Another node looks (true): looks under way are given up, everybody is left. False: everybody is due now. */
void watch_rest(struct watch *watch, bool is_resting, struct fc_time now);

/* ---- effects ---- */

/* The next thing to do, WATCH_NOTHING when there is none; false then. */
bool watch_next(struct watch *watch, struct fc_time now, struct watch_effect *ret);
/* FC_NEVER: nothing is due by time alone. */
struct fc_time watch_wake_at(const struct watch *watch, struct fc_time now);

/* Nobody waits for a first look: all that is known was looked at once. */
bool watch_is_quiet(const struct watch *watch);

#endif
