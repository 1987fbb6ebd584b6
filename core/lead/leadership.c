/* The walker over leadership_edges, and the one question that everybody asks: may this node act? */
#include "lead/leadership.h"

#include <string.h>

#include "base/text.h"

void leadership_init(struct leadership *leadership)
{
    memset(leadership, 0, sizeof *leadership);
    leadership->until = FC_EVER;
    leadership->confirmed_at = FC_EVER;
    leadership->place = -1;
}

const char *leadership_state_word(enum leadership_state state)
{
    switch (state) {
    case FOLLOWING: return "following";
    case LEADING: return "leading";
    case SUSPENDED: return "suspended";
    case LEADERSHIP_STATE_COUNT: break;
    }
    return "unknown";
}

bool leadership_may_act(const struct leadership *leadership, struct fc_time now)
{
    return leadership->state == LEADING && fc_before(now, leadership->until);
}

static const struct leadership_edge *edge_for(enum leadership_state from, enum event_type on)
{
    for (size_t i = 0; i < leadership_edge_count; i++) {
        if (leadership_edges[i].from == from && leadership_edges[i].on == on)
            return &leadership_edges[i];
    }
    return NULL;
}

static void note(struct effects *effects, enum note_level level, uint64_t epoch, const char *said, const char *why)
{
    struct effect *effect = effects_add(effects, NOTE);
    effect->as.note.level = level;
    effect->as.note.epoch = epoch;
    TEXT_SET(effect->as.note.subject, "leader");
    TEXT_FORMAT(effect->as.note.text, "%s%s%s", said, why[0] == '\0' ? "" : ": ", why);
}

bool leadership_hear(struct leadership *l, const struct event *event, const char *own_name, struct effects *effects)
{
    const struct leadership_edge *edge = edge_for(l->state, event->type);
    if (edge == NULL) {
        l->refused_count++;
        return false;
    }
    const enum leadership_state from = l->state;
    const uint64_t old_epoch = l->epoch;
    char old_leader[NODE_NAME_SIZE], why[WHY_SIZE] = "";
    TEXT_SET(old_leader, l->leader);
    if (event->type == LEASE_GRANTED) {
        l->until = event->as.lease.until;
        l->epoch = event->as.lease.epoch;
        l->place = event->as.lease.place;
        TEXT_SET(l->leader, own_name);
    } else {
        l->until = FC_EVER;
        if (event->as.denied.epoch > l->epoch)
            l->epoch = event->as.denied.epoch;
        node_name_of(event->as.denied.leader, l->leader, sizeof l->leader);
        TEXT_SET(why, event->as.denied.why);
    }
    if (event->type != STORE_SILENT)
        l->confirmed_at = event->at;
    l->state = edge->to;
    const bool is_new_leader = !text_is(old_leader, l->leader);
    const bool is_news = from != l->state || is_new_leader || old_epoch != l->epoch;
    if (from != l->state || is_new_leader) {
        l->since = event->at;
        l->since_unix_ms = event->unix_ms;
        TEXT_SET(l->why, why);
    }
    if (edge->said != NULL)
        note(effects, edge->to == SUSPENDED ? NOTE_ALARM : NOTE_INFO, l->epoch, edge->said, why);
    else if (is_new_leader && l->leader[0] != '\0')
        note(effects, NOTE_INFO, l->epoch, "now leads", l->leader);
    return is_news;
}
