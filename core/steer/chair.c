/* One function changes the chair's state. An older epoch than the known one changes nothing. */
#include "steer/chair.h"

#include <string.h>

#include "base/text.h"

void chair_init(struct chair *chair)
{
    memset(chair, 0, sizeof *chair);
    chair->until = FC_EVER;
    chair->since = FC_EVER;
}

const char *chair_state_word(enum chair_state state)
{
    switch (state) {
    case CHAIR_UNKNOWN: return "unknown";
    case CHAIR_SEATED: return "seated";
    case CHAIR_NOBODY: return "nobody";
    case CHAIR_MOVING: return "moving";
    case CHAIR_STATE_COUNT: break;
    }
    return "unknown";
}

bool chair_hear(struct chair *chair, const struct event *event)
{
    const struct decision *row = &event->as.chair.decision;
    if (chair->state != CHAIR_UNKNOWN && rank_compare(&row->rank, &chair->row.rank) < 0)
        return false;
    const enum chair_state state = event->type == CHAIR_REVOKED          ? CHAIR_MOVING
                                   : row->rank.server[0] == '\0'         ? CHAIR_NOBODY
                                                                         : CHAIR_SEATED;
    const bool moved = state != chair->state || !text_is(row->rank.server, chair->row.rank.server) ||
                       !text_is(row->successor, chair->row.successor);
    const bool is_news = moved || row->rank.epoch != chair->row.rank.epoch;
    if (moved) {
        chair->since = event->at;
        chair->since_unix_ms = event->unix_ms;
    }
    chair->state = state;
    chair->row = *row;
    chair->until = is_news ? event->as.chair.until : fc_later(chair->until, event->as.chair.until);
    return is_news;
}
