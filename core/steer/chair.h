/* The chair as this node knows it, fed by two events whatever the arbiter: CHAIR_GRANTED and CHAIR_REVOKED. */
#ifndef FC_STEER_CHAIR_H
#define FC_STEER_CHAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"
#include "core/event.h"
#include "model/decision.h"

enum chair_state { CHAIR_UNKNOWN = 0, CHAIR_SEATED, CHAIR_NOBODY, CHAIR_MOVING, CHAIR_STATE_COUNT };

struct chair {
    enum chair_state state;
    struct decision row;             /* the deciding row behind it */
    struct fc_time until;            /* the term: until when this node may speak of it; of what was known before, nothing is left */
    struct fc_time since;            /* of the present server and state */
    int64_t since_unix_ms;
};

void chair_init(struct chair *chair);
/* Returns true when state, server or epoch changed (not when only the term moved on). */
bool chair_hear(struct chair *chair, const struct event *event);
const char *chair_state_word(enum chair_state state);    /* "unknown", "seated", "nobody", "moving" */

#endif
