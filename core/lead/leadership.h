/* Leadership: may this node act? Fed by three events whatever their source (lease row, raft): LEASE_GRANTED, LEASE_DENIED,
 * STORE_SILENT. The edges are a table (leadership_states.c); an event without a row changes nothing and is counted. */
#ifndef FC_LEAD_LEADERSHIP_H
#define FC_LEAD_LEADERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/moment.h"
#include "core/effect.h"
#include "core/event.h"

enum leadership_state { FOLLOWING = 0, LEADING, SUSPENDED, LEADERSHIP_STATE_COUNT };

struct leadership {
    enum leadership_state state;
    uint64_t epoch;
    struct fc_time until;            /* end of the own lease while LEADING */
    int place;                       /* server of the store on which the lease lies; -1 = none */
    char leader[NODE_NAME_SIZE];     /* name without mark; "" = nobody known */
    char why[WHY_SIZE];
    struct fc_time since;            /* of the present state and leader */
    int64_t since_unix_ms;           /* the same by the wall clock as it was then */
    struct fc_time confirmed_at;     /* when the store last confirmed anything about leadership */
    uint64_t refused_count;          /* events without an edge */
};

struct leadership_edge {
    enum leadership_state from;
    enum event_type on;
    enum leadership_state to;
    const char *said;                /* the note on the way; NULL = silent (nothing changes for people) */
};

extern const struct leadership_edge leadership_edges[];
extern const size_t leadership_edge_count;

void leadership_init(struct leadership *leadership);
/* Takes LEASE_GRANTED, LEASE_DENIED, STORE_SILENT. Returns true when state, leader or epoch changed; says it by a NOTE. */
bool leadership_hear(struct leadership *leadership, const struct event *event, const char *own_name, struct effects *effects);
/* Asked at the decision and again at the deed: leading, and the lease has not run out at `now`. */
bool leadership_may_act(const struct leadership *leadership, struct fc_time now);
const char *leadership_state_word(enum leadership_state state);

#endif
