/* The operator's orders. The leader carries them out; a follower lays them into the store for the leader and waits for the
 * answer that the leader stores. What an operator was told "done" survives any single crash: it is stored first. */
#include "steer/steering.h"

#include <string.h>

#include "base/text.h"

#define STORED_ORDER_AGE_MS 60000    /* a stored order older than this is refused, not carried out by surprise */

static const struct verb_row *row_of(const struct order *order) { return &verb_table[order->verb]; }

static int pool_find(const struct steering *st, const char *name)
{
    for (int i = 0; i < st->pool_count; i++) {
        if (text_is(st->pools[i].name, name))
            return i;
    }
    return -1;
}

/* ---- each verb ---------------------------------------------------------------------------------------------------- */

static void order_switch(struct steering *st, struct steer_stage *stage, const struct order *order, const struct asker *asker)
{
    const char *name = order->verb == VERB_FAILBACK ? st->pools[st->backend].members[0].name : order->server;
    const int to = servers_by_name(stage->servers, name), from = st->facts.seated;
    struct fc_err err;
    char why[WHY_SIZE], waived[80];
    if (to < 0) {
        steer_reply(stage, asker, FC_NOT_FOUND, true, "pool %s has no server %s", order->pool, name);
    } else if (holds_find(&st->holds, order->pool, "") != NULL) {
        steer_reply(stage, asker, FC_REFUSED, true, "%s is paused; `resume %s` first", order->pool, order->pool);
    } else if (steer_hold_coming(st, "") != NULL) {
        steer_reply(stage, asker, FC_BUSY, true, "a pause by %s is being stored; ask again", steer_hold_coming(st, "")->by);
    } else if (st->move.step != STEP_NONE) {
        steer_reply(stage, asker, FC_BUSY, true, "the chair is being moved to %s (%s)", steer_server_name(stage, st->move.to),
                    move_step_word(st->move.step));
    } else if (to == from && st->finding->finding == SEAT_WELL) {
        steer_reply(stage, asker, FC_OK, true, "%s sits already (epoch %llu)%s", name,
                    (unsigned long long)st->chair.row.rank.epoch, order->is_forced ? "; there is nothing to force" : "");
    } else if (steer_may_seat(st, stage, to, order->is_forced, &err) != FC_OK) {
        steer_reply(stage, asker, err.code, true, "%s%s", err.text,
                    order->is_forced && err.code == FC_REFUSED ? "; `force` does not waive that" : "");
    } else if (st->chair.state != CHAIR_SEATED || from < 0 || !stage->servers->list[from].is_reachable) {
        steer_reply(stage, asker, FC_BUSY, true, "nobody sits in sight (%s); firstchair is at it", st->finding->because);
    } else {
        steer_waived_words(order->is_forced ? steer_waived(stage, to) : 0, waived, sizeof waived);
        TEXT_FORMAT(why, "%s by %s%s%s%s", order->verb == VERB_FAILBACK ? "failback" : "switch", asker->by,
                    order->is_forced ? ", forced" : "", waived[0] != '\0' ? " despite " : "", waived);
        move_begin(st, stage, to == from ? MOVE_RESEAT : MOVE_PLANNED, from, to, why, order->is_forced, order->limit_ms, asker);
    }
}

static void write_hold(struct steering *st, struct steer_stage *stage, const struct order *order, enum hold_kind kind,
                       const struct asker *asker)
{
    const struct hold *old = holds_row(&st->holds, order->pool, order->server);
    struct hold_in_flight *place = NULL;
    for (int i = 0; i < PENDING_MAX && place == NULL; i++) {
        if (st->writing_holds[i].deed_id == 0)
            place = &st->writing_holds[i];
    }
    if (place == NULL || (old == NULL && st->holds.count == HOLDS_MAX)) {
        steer_reply(stage, asker, FC_BUSY, true, "too many holds at one time (%d are kept)", HOLDS_MAX);
        return;
    }
    struct effect *effect = effects_add(stage->out, HOLD_WRITE);
    struct hold *hold = &effect->as.hold;
    effect->id = (*stage->next_id)++;
    effect->until = stage->leadership->until;
    TEXT_SET(hold->pool, order->pool);
    TEXT_SET(hold->server, order->server);
    hold->kind = kind;
    hold->epoch = stage->leadership->epoch;
    hold->seq = old != NULL && old->epoch >= hold->epoch ? old->seq + 1 : 1;
    if (old != NULL && old->epoch > hold->epoch)
        hold->epoch = old->epoch;
    hold->since_unix_ms = stage->unix_ms;
    TEXT_SET(hold->by, asker->by);
    TEXT_SET(hold->why, order->because);
    effect->server = stage->leadership->place;
    place->deed_id = effect->id;
    place->hold = *hold;
    place->asker = *asker;
}

static void order_hold(struct steering *st, struct steer_stage *stage, const struct order *order, const struct asker *asker)
{
    static const enum hold_kind kinds[VERB_COUNT] = {
        [VERB_DOWN] = HOLD_MAINT, [VERB_UP] = HOLD_NONE, [VERB_WEIGHT] = HOLD_NONE,
        [VERB_MAINT] = HOLD_MAINT, [VERB_DRAIN] = HOLD_DRAIN, [VERB_READY] = HOLD_NONE,
        [VERB_PAUSE] = HOLD_PAUSE, [VERB_RESUME] = HOLD_NONE,
    };
    const enum hold_kind kind = kinds[order->verb];
    const bool is_for_pool = order->verb == VERB_PAUSE || order->verb == VERB_RESUME;
    if (!is_for_pool && pool_member_find(&st->pools[st->backend], order->server) < 0) {
        steer_reply(stage, asker, FC_NOT_FOUND, true, "pool %s has no server %s", order->pool, order->server);
    } else if (kind != HOLD_NONE && !is_for_pool && st->facts.seated >= 0 &&
               text_is(steer_server_name(stage, st->facts.seated), order->server)) {
        steer_reply(stage, asker, FC_REFUSED, true, "%s sits; `switch %s` to another server first", order->server, order->pool);
    } else if (kind != HOLD_NONE && !is_for_pool && st->move.step != STEP_NONE &&
               text_is(steer_server_name(stage, st->move.to), order->server)) {
        steer_reply(stage, asker, FC_BUSY, true, "%s is being seated", order->server);
    } else if (kind == HOLD_PAUSE && (st->move.step != STEP_NONE || st->chair.state == CHAIR_MOVING)) {
        steer_reply(stage, asker, FC_BUSY, true, "the chair is being moved, nobody sits at this moment; pause after that");
    } else if (order->verb == VERB_WEIGHT && (order->weight_percent == 0 || holds_find(&st->holds, order->pool, order->server) == NULL)) {
        steer_reply(stage, asker, FC_REFUSED, true, "one server of %s sits and gets everything, so a weight of %d%% changes nothing; %s", order->pool,
                    order->weight_percent, order->weight_percent == 0 ? "`down` takes a server out, `switch` seats another one" : "`switch` seats another one");
    } else if (kind == HOLD_NONE && holds_find(&st->holds, order->pool, order->server) == NULL) {
        steer_reply(stage, asker, FC_OK, true, "%s%s%s has no hold", order->pool, is_for_pool ? "" : "/", order->server);
    } else {
        write_hold(st, stage, order, kind, asker);
    }
}

void steer_give_back(struct steering *st, struct steer_stage *stage, const char *to, const struct asker *asker)
{
    struct effect *effect = effects_add(stage->out, GIVE_BACK);
    effect->id = st->yield_deed = (*stage->next_id)++;
    effect->until = stage->leadership->until;
    effect->as.give_back.pause_ms = (uint32_t)stage->config->yield_pause_ms;
    TEXT_SET(effect->as.give_back.to, to);
    st->yielding = *asker;
}

static void order_yield(struct steering *st, struct steer_stage *stage, const struct order *order, const struct asker *asker)
{
    if (order->from[0] != '\0' && !text_is(order->from, stage->node)) {
        steer_reply(stage, asker, FC_OK, true, "%s leads, no more %s", stage->node, order->from);
        return;
    }
    if (text_is(order->server, stage->node)) {
        steer_reply(stage, asker, FC_OK, true, "%s leads already", stage->node);
        return;
    }
    if (st->move.step != STEP_NONE || st->chair.state == CHAIR_MOVING || st->yield_deed != 0) {
        steer_reply(stage, asker, FC_BUSY, true, "%s", st->yield_deed != 0 ? "it is being given back already"
                                                                         : "the chair is being moved; yield after that");
        return;
    }
    steer_give_back(st, stage, order->server, asker);
}

static void order_members(struct steering *st, struct steer_stage *stage, const struct order *order, const struct asker *asker)
{
    static const enum member_change changes[VERB_COUNT] = {
        [VERB_RAFT_ADD] = MEMBER_ADD, [VERB_RAFT_PROMOTE] = MEMBER_PROMOTE, [VERB_RAFT_REMOVE] = MEMBER_REMOVE,
    };
    if (!stage->config->raft_enabled) {
        steer_reply(stage, asker, FC_REFUSED, true, "raft is not in use here");
        return;
    }
    if (st->members_deed != 0) {
        steer_reply(stage, asker, FC_BUSY, true, "another change of the members is under way; one at a time");
        return;
    }
    struct effect *effect = effects_add(stage->out, MEMBERS);
    effect->id = st->members_deed = (*stage->next_id)++;
    effect->until = stage->leadership->until;
    effect->as.members.change = changes[order->verb];
    TEXT_SET(effect->as.members.name, order->server);
    TEXT_SET(effect->as.members.address, order->address);
    st->changing_members = *asker;
}

static bool is_about_members(enum verb verb) { return verb == VERB_RAFT_ADD || verb == VERB_RAFT_PROMOTE || verb == VERB_RAFT_REMOVE; }

/* `text`: the order as it was given. */
static void carry_out(struct steering *st, struct steer_stage *stage, const struct order *order, const char *text, size_t length,
                      const struct asker *asker)
{
    const int pool = order->pool[0] == '\0' ? -1 : pool_find(st, order->pool);
    struct asker recorded = *asker;
    TEXT_SET(recorded.pool, order->pool[0] == '\0' ? "leader" : order->pool);
    text_copy_bytes(recorded.order, sizeof recorded.order, text, length);
    asker = &recorded;
    st->orders++;
    if (order->verb == VERB_YIELD) {
        order_yield(st, stage, order, asker);
    } else if (is_about_members(order->verb)) {
        order_members(st, stage, order, asker);
    } else if (pool < 0) {
        steer_reply(stage, asker, FC_NOT_FOUND, true, "there is no pool %s here%s%s", order->pool,
                    st->backend >= 0 ? "; the pool with a chair is " : "", st->backend >= 0 ? st->pools[st->backend].name : "");
    } else if (pool_is_of_cluster(&st->pools[pool])) {
        steer_reply(stage, asker, FC_REFUSED, true, "%s follows what is seen of its cluster, and takes no orders: change the servers themselves",
                    order->pool);
    } else if (pool != st->backend) {
        steer_reply(stage, asker, FC_REFUSED, true, "%s follows the leadership; `yield` hands it over", order->pool);
    } else if (order->verb == VERB_SWITCH || order->verb == VERB_FAILBACK) {
        order_switch(st, stage, order, asker);
    } else {
        order_hold(st, stage, order, asker);
    }
}

/* ---- given at a door ---------------------------------------------------------------------------------------------- */

static uint64_t new_order_id(struct steer_stage *stage)
{
    return ((uint64_t)stage->unix_ms << ORDER_ID_CHANCE_BITS | rng_below(stage->rng, 1 << ORDER_ID_CHANCE_BITS)) &
           ((UINT64_C(1) << 53) - 1);
}

static void lay_for_the_leader(struct steering *st, struct steer_stage *stage, const struct event *event, const struct order *order,
                               const struct asker *asker)
{
    struct pending_order *place = NULL;
    for (int i = 0; i < PENDING_MAX && place == NULL; i++) {
        if (st->pending[i].order_id == 0)
            place = &st->pending[i];
    }
    if (stage->leadership->leader[0] == '\0' || text_is(stage->leadership->leader, stage->node)) {
        steer_reply(stage, asker, FC_NOT_LEADER, true, "nobody leads at this moment (%s); ask again",
                    stage->leadership->why[0] != '\0' ? stage->leadership->why : "no lease");
        return;
    }
    if (place == NULL || event->as.order.length >= sizeof ((struct stored_order *)0)->text) {
        steer_reply(stage, asker, FC_BUSY, true, "%s", place == NULL ? "too many orders wait for the leader"
                                                                    : "too long to be handed to the leader");
        return;
    }
    struct effect *effect = effects_add(stage->out, ORDER_LAY);
    effect->id = (*stage->next_id)++;
    effect->as.order.id = new_order_id(stage);
    text_copy_bytes(effect->as.order.text, sizeof effect->as.order.text, event->as.order.text, event->as.order.length);
    /* Its successor may see it before its answer, and must not yield on. */
    if (order->verb == VERB_YIELD && order->from[0] == '\0')
        text_format(effect->as.order.text + event->as.order.length, sizeof effect->as.order.text - event->as.order.length, " from %s",
                    stage->leadership->leader);
    TEXT_SET(effect->as.order.by, asker->by);
    TEXT_SET(effect->as.order.node, stage->node);
    place->ticket = asker->ticket;
    place->order_id = effect->as.order.id;
    place->deed_id = effect->id;
    place->deadline = fc_plus(stage->now, fc_ms((int64_t)stage->config->move_limit_ms + 10000));
    steer_reply(stage, asker, FC_OK, false, "handed to %s, who leads", stage->leadership->leader);
}

void command_given(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    struct asker asker = { .ticket = event->as.order.ticket };
    struct order order;
    struct fc_err err;
    TEXT_SET(asker.by, event->as.order.by);
    if (order_parse(event->as.order.text, event->as.order.length, &order, &err) != FC_OK)
        steer_reply(stage, &asker, err.code, true, "%s", err.text);
    else if (!row_of(&order)->changes)
        steer_reply(stage, &asker, FC_BAD_INPUT, true, "`%s` only reads; the door answers it", row_of(&order)->word);
    else if (!event->as.order.may_change)
        steer_reply(stage, &asker, FC_NOT_ALLOWED, true, "%s may look, not change: root, the service's own user and OrderUsers may",
                    asker.by);
    else if (stage->servers->looks_at_none)
        steer_reply(stage, &asker, FC_REFUSED, true, "this is a witness, which reaches no server and takes no orders: give it to %s",
                    stage->leadership->leader[0] != '\0' ? stage->leadership->leader : "a node");
    else if (steer_may_act(stage))
        carry_out(st, stage, &order, event->as.order.text, event->as.order.length, &asker);
    else
        lay_for_the_leader(st, stage, event, &order, &asker);
}

/* ---- through the store -------------------------------------------------------------------------------------------- */

static bool was_taken_up(struct steering *st, uint64_t id)
{
    const int kept = (int)(sizeof st->executed / sizeof st->executed[0]);
    for (int i = 0; i < kept && i < st->executed_count; i++) {
        if (st->executed[i] == id)
            return true;
    }
    st->executed[st->executed_count % kept] = id;
    st->executed_count++;
    return false;
}

/* Answered by this node, and the store does not show it: the write was lost. An unanswered order would bar those after it. */
static bool was_answered(struct steering *st, struct steer_stage *stage, uint64_t id)
{
    for (int i = 0; i < CLOSED_MAX && i < st->closed.count; i++) {
        struct closed_order *closed = &st->closed.list[i];
        if (closed->order.id != id)
            continue;
        if (fc_reached(closed->again_at, stage->now))
            steer_close_order(stage, closed);
        return true;
    }
    return false;
}

static void take_up(struct steering *st, struct steer_stage *stage, const struct stored_order *stored)
{
    struct asker asker = { .order_id = stored->id };
    struct order order;
    struct fc_err err;
    const int64_t age_ms = stage->unix_ms - (int64_t)(stored->id >> ORDER_ID_CHANCE_BITS);
    if (was_answered(st, stage, stored->id) || was_taken_up(st, stored->id))
        return;
    TEXT_SET(asker.by, stored->by);
    TEXT_SET(asker.order_text, stored->text);
    TEXT_SET(asker.order_node, stored->node);
    if (age_ms > STORED_ORDER_AGE_MS || age_ms < -STORED_ORDER_AGE_MS)
        steer_reply(stage, &asker, FC_REFUSED, true, "the order is dated %lld s %s by the clock of %s, who leads: give it again; "
                    "if it is refused again, set the clocks right or give it to %s itself",
                    (long long)((age_ms < 0 ? -age_ms : age_ms) / 1000), age_ms < 0 ? "ahead" : "ago", stage->node, stage->node);
    else if (order_parse(stored->text, strlen(stored->text), &order, &err) != FC_OK)
        steer_reply(stage, &asker, err.code, true, "%s", err.text);
    else
        carry_out(st, stage, &order, stored->text, strlen(stored->text), &asker);
}

void command_stored(struct steering *st, struct steer_stage *stage, const struct server_look *look)
{
    for (int i = 0; i < look->order_count; i++) {
        const struct stored_order *stored = &look->orders[i];
        if (stored->state == ORDER_ASKED) {
            if (steer_may_act(stage))
                take_up(st, stage, stored);
            continue;
        }
        for (int k = 0; k < PENDING_MAX; k++) {
            struct pending_order *p = &st->pending[k];
            if (p->order_id == 0 || p->order_id != stored->id)
                continue;
            const struct asker asker = { .ticket = p->ticket };
            steer_reply(stage, &asker, stored->state == ORDER_DONE ? FC_OK : FC_REFUSED, true, "%s", stored->answer);
            memset(p, 0, sizeof *p);
        }
    }
}

static void hold_ended(struct steering *st, struct steer_stage *stage, struct hold_in_flight *h, const struct event *event)
{
    const char *what = h->hold.server[0] != '\0' ? h->hold.server : h->hold.pool;
    const struct asker asker = h->asker;
    const int servers = stage->servers->count;
    if (event->as.ended.code != FC_OK) {
        steer_reply(stage, &asker, event->as.ended.code, true, "not stored: %s", event->as.ended.text);
    } else {
        holds_merge(&st->holds, &h->hold);
        steer_note(stage, NOTE_INFO, h->hold.pool, stage->leadership->epoch, "%s: %s by %s%s%s", what,
                   h->hold.kind == HOLD_NONE ? "hold ended" : hold_kind_word(h->hold.kind), h->hold.by,
                   h->hold.why[0] != '\0' ? ": " : "", h->hold.why);
        steer_record(stage, "hold", h->hold.pool, stage->leadership->epoch, "%s: %s by %s", what, hold_kind_word(h->hold.kind),
                     h->hold.by);
        steer_reply(stage, &asker, FC_OK, true, "%s: %s%s", what,
                    h->hold.kind == HOLD_NONE ? "ready" : hold_kind_word(h->hold.kind),
                    event->as.ended.is_durable_on_all || servers < 2 ? "" : " (durable on 1 of 2)");
    }
    memset(h, 0, sizeof *h);
}

void command_deed_ended(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    const uint64_t id = event->as.ended.id;
    if (id == 0)
        return;
    for (int i = 0; i < PENDING_MAX; i++) {
        if (st->writing_holds[i].deed_id == id)
            hold_ended(st, stage, &st->writing_holds[i], event);
        struct pending_order *p = &st->pending[i];
        if (p->order_id != 0 && p->deed_id == id && event->as.ended.code != FC_OK) {
            const struct asker asker = { .ticket = p->ticket };
            steer_reply(stage, &asker, event->as.ended.code, true, "could not be handed to the leader: %s", event->as.ended.text);
            memset(p, 0, sizeof *p);
        }
    }
    if (st->yield_deed == id) {
        if (event->as.ended.code == FC_OK)
            steer_reply(stage, &st->yielding, FC_OK, true, "the lease is given back; another node leads in a moment");
        else
            steer_reply(stage, &st->yielding, event->as.ended.code, true, "not given back: %s", event->as.ended.text);
        st->yield_deed = 0;
    }
    if (st->members_deed == id) {
        steer_reply(stage, &st->changing_members, event->as.ended.code, true, "%s", event->as.ended.text);
        st->members_deed = 0;
    }
}

void command_expire(struct steering *st, struct steer_stage *stage)
{
    for (int i = 0; i < PENDING_MAX; i++) {
        struct pending_order *p = &st->pending[i];
        if (p->order_id == 0 || !fc_reached(p->deadline, stage->now))
            continue;
        const struct asker asker = { .ticket = p->ticket };
        steer_reply(stage, &asker, FC_TIMEOUT, true, "the leader has not answered; `status` shows what is true");
        memset(p, 0, sizeof *p);
    }
}
