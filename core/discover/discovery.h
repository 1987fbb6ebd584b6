/* When each server of a fleet is looked at: a calendar, pure and bounded. It knows servers by their place (a dense number, the
 * topology's id) and nothing else of them.
 *
 *   Each has a fixed phase within the period, places apart by the golden ratio: so any number of servers is spread evenly, the
 *   true period is the one configured, and a restart does not bunch them.
 *   What is urged (an analysis wants to know, a session ended) goes first, beyond the bound of the others, at most once a second
 *   a server; after a calm once more a tenth behind it, for a server that is asked in the same moment as it loses its master does not know
 *   that yet. Urged while its probe is under way, it is looked at once more behind it: that probe began before the news.
 *   A server that does not answer is left alone for longer and longer, unless it is watched (a master, or an analysis looks at
 *   it); those that do not answer never take more than half of the places, so that they delay nobody who does.
 *
 * Cost: log n a step, besides walking over those that are urged again within their second. Memory: doubles, from the room lent; a
 * step that adds no server reserves nothing. */
#ifndef FC_DISCOVER_DISCOVERY_H
#define FC_DISCOVER_DISCOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"
#include "base/room.h"

#define DISCOVERY_URGE_GAP_MS 1000     /* spec/discovery.md 12: at most once a second a server */
#define DISCOVERY_URGE_SOON_MS 100     /* behind the first urged look after two such gaps of calm */
#define DISCOVERY_NONE UINT32_MAX

struct discovery_setting {
    struct fc_span period;             /* InstancePollSeconds */
    uint32_t limit;                    /* probes under way at one time: DiscoveryMaxConcurrency, at least 2 */
    uint32_t urgent_limit;             /* so many more for what is urged */
    uint32_t dead_limit;               /* of `limit`, for servers that did not answer: DeadInstanceDiscoveryMaxConcurrency; 0 = half */
    double dead_factor;                /* DeadInstancePollSecondsMultiplyFactor, 1 or more: n-th wait = period * factor^(n-1) */
    struct fc_span dead_most;          /* DeadInstancePollSecondsMax */
    uint32_t capacity;                 /* servers: DiscoveryQueueCapacity; more are refused */
};

enum discovery_stage { STAGE_ABSENT = 0, STAGE_WAITING, STAGE_UNDER_WAY };

struct discovery_place {
    enum discovery_stage stage;
    bool is_watched, is_urged;         /* urged and not begun since */
    bool urged_twice;                  /* not the first since a calm: the next urged look waits for the whole gap */
    bool began_dead, began_urgent;     /* of the probe under way: whose bound it counts against */
    uint32_t failures;                 /* in a row */
    uint32_t at;                       /* in its heap, while waiting there */
    uint32_t next_urged;
    struct fc_time due, urged_at;      /* urged_at: last begun as urged */
};

struct discovery_heap { uint32_t *places; uint32_t count; };

struct discovery {
    struct room *room;
    struct discovery_setting setting;
    struct discovery_place *places;
    uint32_t place_count;              /* slots there are */
    uint32_t known;                    /* servers in them */
    struct discovery_heap living, dead;
    uint32_t first_urged, last_urged;
    uint32_t under_way, dead_under_way, urgent_under_way;
    uint64_t begun_count, urged_count, refused_count;
};

/* False: a setting outside its bounds. Nothing is reserved yet; the room is borrowed. */
bool discovery_init(struct discovery *discovery, struct room *room, const struct discovery_setting *setting);
void discovery_done(struct discovery *discovery);
/* A new setting (reload): due moments come closer or move away with the next look. Capacity is never below what is there. */
void discovery_set(struct discovery *discovery, const struct discovery_setting *setting);

/* A new server is due at once. True also when it is there already. False: capacity or memory. */
bool discovery_add(struct discovery *discovery, uint32_t place, struct fc_time now);
/* A probe under way is forgotten too: its end is then not to be told. */
void discovery_remove(struct discovery *discovery, uint32_t place);
/* Watched servers are always looked at in the full period. */
void discovery_watch(struct discovery *discovery, uint32_t place, bool is_watched, struct fc_time now);
void discovery_urge(struct discovery *discovery, uint32_t place);

/* The next one to be looked at now, under way from here on; DISCOVERY_NONE: nothing is due, or a bound is reached. `late`: how
 * long after it was due (0 for what was urged). */
uint32_t discovery_begin(struct discovery *discovery, struct fc_time now, struct fc_span *late);
void discovery_ended(struct discovery *discovery, uint32_t place, bool has_answered, struct fc_time now);
/* When discovery_begin() may have something next; FC_NEVER: when a probe ends, or something is added or urged. */
struct fc_time discovery_wake_at(const struct discovery *discovery, struct fc_time now);

#endif
