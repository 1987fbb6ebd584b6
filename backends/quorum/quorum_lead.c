/* See quorum_lead.h. */
#include "backends/quorum/quorum_lead.h"

#include <stdlib.h>

#include "backends/quorum/state_text.h"
#include "base/text.h"

#define MEMBERS_MARK (UINT64_C(1) << 59)
#define SNAPSHOT_MARK (UINT64_C(1) << 60)      /* of numbers under which a snapshot's end is told: no deed has so high an id */

void quorum_lead_init(struct quorum_lead *q, const struct quorum_settings *settings, void *owner,
                      void (*say)(void *owner, const struct event *event))
{
    *q = (struct quorum_lead){ .settings = settings, .owner = owner, .say = say, .said_leader = -1, .said_place = -1,
                               .said_until = FC_EVER };
    q->view = (struct quorum_view){ .leader = -1, .until = FC_EVER, .voiced_at = FC_EVER };
}

void quorum_lead_end(const struct quorum_lead *q, const struct effect *effect, enum fc_code code, const char *text)
{
    struct event event = { .type = DEED_ENDED };
    event.as.ended.deed = effect->type == INTEND ? DEED_INTEND : effect->type == SEAT ? DEED_SEAT
                          : effect->type == MEMBERS ? DEED_MEMBERS : DEED_GIVE_BACK;
    event.as.ended.id = effect->id;
    event.as.ended.server = effect->server;
    event.as.ended.code = code;
    event.as.ended.is_durable_on_all = code == FC_OK;
    TEXT_SET(event.as.ended.text, text);
    q->say(q->owner, &event);
}

static void say_denied(struct quorum_lead *q, enum event_type type, uint64_t epoch, const char *why)
{
    struct event event = { .type = type };
    event.as.denied.epoch = epoch;
    if (type == LEASE_DENIED && q->view.leader >= 0 && q->view.leader != q->settings->own)
        TEXT_SET(event.as.denied.leader, q->view.roster.places[q->view.leader].name);
    TEXT_SET(event.as.denied.why, why);
    q->leads = q->leads && type == STORE_SILENT;
    q->is_silent = type == STORE_SILENT;
    q->said_term = q->view.term;
    q->said_epoch = epoch;
    q->said_leader = q->view.leader;
    q->said_until = FC_EVER;
    q->has_said = true;
    q->say(q->owner, &event);
}

static void say_granted(struct quorum_lead *q, const struct quorum_lead_own *own)
{
    struct event event = { .type = LEASE_GRANTED };
    event.as.lease.epoch = q->said_epoch = own->epoch;
    event.as.lease.place = q->said_place = own->place;
    event.as.lease.until = q->said_until = q->view.until;
    q->leads = q->has_said = true;
    q->is_silent = false;
    q->said_term = q->view.term;
    q->said_leader = q->settings->own;
    q->say(q->owner, &event);
}

static bool is_leader(const struct quorum_lead *q) { return q->view.role == QUORUM_LEADER || q->view.role == QUORUM_ALONE; }

bool quorum_lead_is_elected(const struct quorum_lead *q, struct fc_time now)
{
    return is_leader(q) && q->view.is_ready && !q->is_yielding && !fc_reached(q->view.until, now);
}

static const char *why_not(const struct quorum_lead *q)
{
    if (q->view.why[0] != '\0')
        return q->view.why;
    if (q->view.role == QUORUM_STARTING)
        return "the nodes have not all met yet";
    if (q->view.leader >= 0 && q->view.leader != q->settings->own)
        return "another node leads";
    if (q->view.role == QUORUM_LEADER && q->settings->is_witness)
        return "witness only: it was elected, keeps the chairs as they are, and hands leadership to a node";
    return q->view.role == QUORUM_LEADER ? "what was decided before is being applied" : "no majority of the nodes agrees on a leader";
}

/* A pong each few milliseconds need not be told: an eighth of the lease later is. */
static bool is_news(const struct quorum_lead *q, const struct quorum_lead_own *own)
{
    return !q->leads || q->is_silent || q->said_term != q->view.term || q->said_epoch != own->epoch || q->said_place != own->place ||
           fc_since(q->said_until, q->view.until).us > quorum_lease(q->settings).us / 8;
}

void quorum_lead_consider(struct quorum_lead *q, const struct quorum_lead_own *own, struct fc_time now)
{
    if (quorum_lead_is_elected(q, now) && own->is_fit) {
        if (is_news(q, own))
            say_granted(q, own);
        return;
    }
    if (q->leads && is_leader(q) && q->said_term == q->view.term && !q->is_yielding) {
        if (!q->is_silent && fc_reached(q->said_until, now))
            say_denied(q, STORE_SILENT, own->epoch, "no majority of the nodes has confirmed this leader in time");
        return;
    }
    /* The epoch of a new leader is known later than its name. */
    if (q->leads || !q->has_said || q->said_term != q->view.term || q->said_leader != q->view.leader || q->said_epoch < own->epoch)
        say_denied(q, LEASE_DENIED, own->epoch, q->is_yielding ? "the lease is given back" : why_not(q));
}

/* -2: there is no such member; -1: whoever is best. */
static int named_member(const struct quorum_lead *q, const char *name)
{
    if (name[0] == '\0')
        return -1;
    const int at = roster_by_name(&q->view.roster, name);
    return at >= 0 && q->view.roster.places[at].role == ROSTER_VOTER ? at : -2;
}

void quorum_lead_give_back(struct quorum_lead *q, const struct effect *effect, struct fc_time now)
{
    const int to = named_member(q, effect->as.give_back.to);
    if (to == -2) {
        quorum_lead_end(q, effect, FC_NOT_FOUND, "the group has no voter of this name");
        return;
    }
    if (to == q->settings->own) {
        quorum_lead_end(q, effect, FC_OK, "it leads already");
        return;
    }
    if (!q->leads || q->is_silent || q->is_yielding || fc_reached(effect->until, now)) {
        quorum_lead_end(q, effect, q->is_yielding ? FC_BUSY : FC_NOT_LEADER,
                        q->is_yielding ? "it is being given back already" : "the lease is over");
        return;
    }
    q->is_yielding = true;
    q->yield_id = effect->id;
    say_denied(q, LEASE_DENIED, q->said_epoch, "the lease is given back");
    if (!quorum_yield(q->quorum, effect->id, to, effect->as.give_back.pause_ms)) {
        q->is_yielding = false;
        quorum_lead_end(q, effect, FC_BUSY, "raft's queue is full");
    }
}

bool quorum_lead_snapshot(struct quorum_lead *q, void (*done)(void *, enum fc_code, const char *), void *owner)
{
    if (q->snapshot_done != NULL || !quorum_snapshot(q->quorum, SNAPSHOT_MARK))
        return false;
    q->snapshot_done = done;
    q->snapshot_owner = owner;
    return true;
}

void quorum_lead_change_members(struct quorum_lead *q, const struct effect *effect)
{
    if (!q->leads || q->is_yielding || q->members_id != 0) {
        quorum_lead_end(q, effect, q->leads ? FC_BUSY : FC_NOT_LEADER, q->leads ? "something else is under way" : "the lease is over");
        return;
    }
    q->members_id = effect->id;
    if (!quorum_change_members(q->quorum, MEMBERS_MARK, effect->as.members.change, effect->as.members.name, effect->as.members.address)) {
        q->members_id = 0;
        quorum_lead_end(q, effect, FC_BUSY, "raft's queue is full");
    }
}

bool quorum_lead_backup(struct quorum_lead *q, void (*done)(void *, enum fc_code, const char *, const char *), void *owner)
{
    if (q->backup_done != NULL || q->view.role == QUORUM_STARTING || q->view.role == QUORUM_OUT)
        return false;
    q->backup_done = done;
    q->backup_owner = owner;
    quorum_hand_over(q->quorum);
    return true;
}

void quorum_lead_heard_state(struct quorum_lead *q, const struct shared_state *state)
{
    void (*done)(void *, enum fc_code, const char *, const char *) = q->backup_done;
    if (done == NULL)
        return;
    char *text = state_text_make(state, q->settings->node, q->view.applied_index);
    q->backup_done = NULL;
    done(q->backup_owner, text == NULL ? FC_NO_MEMORY : FC_OK, text == NULL ? "out of memory" : "", text);
    free(text);
}

void quorum_lead_ended(struct quorum_lead *q, const struct quorum_heard *heard)
{
    if ((heard->number & SNAPSHOT_MARK) != 0) {
        void (*done)(void *, enum fc_code, const char *) = q->snapshot_done;
        q->snapshot_done = NULL;
        if (done != NULL)
            done(q->snapshot_owner, heard->code, heard->text);
        return;
    }
    if (heard->number == MEMBERS_MARK) {
        const struct effect members = { .type = MEMBERS, .id = q->members_id };
        q->members_id = 0;
        quorum_lead_end(q, &members, heard->code, heard->text);
        return;
    }
    const struct effect effect = { .type = GIVE_BACK, .id = q->yield_id };
    q->is_yielding = false;
    quorum_lead_end(q, &effect, heard->code, heard->text);
}
