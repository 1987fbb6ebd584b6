/* The first chair: judged at every event, moved by its leader only. What each finding leads to is one table below; how a
 * move is carried out is move.c; what HAProxy hears of it is answers.c. */
#include "steer/steering.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define STRAY_FENCE_MS 1000          /* a writable server beside the seated one is fenced, again at most this often */
#define STRAY_AGAIN_MS 60000         /* one that stays writable is recorded once, and again after it was away for so long */
#define CLOSE_AGAIN_MS 2000          /* an answer that the store has not shown for so long is written again */
#define FINISHING "finishing: "      /* before the reason of a move that somebody else began */
#define FAILBACK_WHY "failback to the preferred server"    /* without an order; `failback by NAME` is one */

/* ---- shared ------------------------------------------------------------------------------------------------------- */

void steer_note(struct steer_stage *stage, enum note_level level, const char *subject, uint64_t epoch, const char *format, ...)
{
    struct effect *effect = effects_add(stage->out, NOTE);
    va_list args;
    effect->as.note.level = level;
    effect->as.note.epoch = epoch;
    TEXT_SET(effect->as.note.subject, subject);
    va_start(args, format);
    vsnprintf(effect->as.note.text, sizeof effect->as.note.text, format, args);
    va_end(args);
}

void steer_record(struct steer_stage *stage, const char *kind, const char *subject, uint64_t epoch, const char *format, ...)
{
    struct effect *effect = effects_add(stage->out, RECORD);
    va_list args;
    effect->as.record.id = ((uint64_t)stage->unix_ms << 12 | rng_below(stage->rng, 4096)) & ((UINT64_C(1) << 53) - 1);
    effect->as.record.unix_ms = stage->unix_ms;
    effect->as.record.epoch = epoch;
    TEXT_SET(effect->as.record.kind, kind);
    TEXT_SET(effect->as.record.subject, subject);
    va_start(args, format);
    vsnprintf(effect->as.record.text, sizeof effect->as.record.text, format, args);
    va_end(args);
}

void steer_close_order(struct steer_stage *stage, struct closed_order *closed)
{
    struct effect *effect = effects_add(stage->out, ORDER_CLOSE);
    effect->as.order = closed->order;
    closed->again_at = fc_plus(stage->now, fc_ms(CLOSE_AGAIN_MS));
}

void steer_reply(struct steer_stage *stage, const struct asker *asker, enum fc_code code, bool is_final, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (asker->ticket != 0) {
        struct effect *effect = effects_add(stage->out, ORDER_REPLY);
        effect->as.reply.ticket = asker->ticket;
        effect->as.reply.code = code;
        effect->as.reply.is_final = is_final;
        TEXT_SET(effect->as.reply.text, text);
    } else if (asker->order_id != 0 && is_final) {
        struct closed_order *closed = &stage->closed->list[stage->closed->count++ % CLOSED_MAX];
        closed->order = (struct stored_order){ .id = asker->order_id, .state = code == FC_OK ? ORDER_DONE : ORDER_REFUSED };
        TEXT_SET(closed->order.text, asker->order_text);
        TEXT_SET(closed->order.by, asker->by);
        TEXT_SET(closed->order.node, asker->order_node);
        TEXT_SET(closed->order.answer, text);
        steer_close_order(stage, closed);
    }
    if (is_final && asker->order[0] != '\0')
        steer_record(stage, "order", asker->pool, stage->leadership->epoch, "%s: %s: %s%s", asker->by, asker->order,
                     code == FC_OK ? "" : "refused: ", text);
}

const char *steer_server_name(const struct steer_stage *stage, int server)
{
    return server < 0 ? "nobody" : stage->servers->list[server].name;
}

bool steer_may_act(const struct steer_stage *stage)
{
    return leadership_may_act(stage->leadership, stage->now);
}

const struct hold *steer_hold_on(const struct steering *st, const char *server_name)
{
    return st->backend < 0 ? NULL : holds_find(&st->holds, st->pools[st->backend].name, server_name);
}

const struct hold *steer_hold_coming(const struct steering *st, const char *server_name)
{
    for (int i = 0; i < PENDING_MAX && st->backend >= 0; i++) {
        const struct hold_in_flight *h = &st->writing_holds[i];
        if (h->deed_id != 0 && h->hold.kind != HOLD_NONE && text_is(h->hold.pool, st->pools[st->backend].name) &&
            text_is(h->hold.server, server_name))
            return &h->hold;
    }
    return NULL;
}

/* ---- pools -------------------------------------------------------------------------------------------------------- */

static void add_backend_pool(struct steering *st, const struct config *config)
{
    struct pool *pool = &st->pools[st->pool_count];
    struct named_address item;
    TEXT_SET(pool->name, config->backend_pool);
    pool->kind = POOL_BACKEND;
    for (int i = 0; i < config->backend_servers.count && pool->count < STORE_SERVERS_MAX; i++) {
        if (named_address_parse(config->backend_servers.item[i], &item, NULL) != FC_OK)
            continue;                                      /* config_check refused such a file */
        TEXT_SET(pool->members[pool->count].name, item.name);
        TEXT_SET(pool->members[pool->count].address, item.address);
        pool->count++;
    }
    st->backend = st->pool_count++;
}

static void add_leader_pool(struct steering *st, const struct config *config, const char *node)
{
    struct pool *pool = &st->pools[st->pool_count++];
    struct node_address item;
    TEXT_SET(pool->name, config->leader_pool);
    pool->kind = POOL_LEADER;
    for (int i = 0; i < config->nodes.count && pool->count < STEER_MEMBERS_MAX; i++) {
        if (node_address_parse(config->nodes.item[i], &item, NULL) != FC_OK)
            continue;
        TEXT_SET(pool->members[pool->count].name, item.name);
        TEXT_FORMAT(pool->members[pool->count].address, "%s:%d", item.host, item.http_port);
        pool->count++;
    }
    if (pool->count == 0)                                  /* a node alone speaks for itself */
        TEXT_SET(pool->members[pool->count++].name, node);
}

static void add_cluster_pools(struct steering *st, const struct config_list *list, enum pool_kind kind, const struct config *config)
{
    struct cluster_pool_item item;
    struct cluster_server_item server;
    for (int p = 0; p < list->count && st->pool_count < STEER_POOLS_MAX; p++) {
        if (cluster_pool_parse(list->item[p], &item, NULL) != FC_OK)
            continue;
        struct pool *pool = &st->pools[st->pool_count];
        TEXT_SET(pool->name, item.name);
        pool->kind = kind;
        for (int i = 0; i < config->cluster_servers.count && pool->count < STEER_MEMBERS_MAX; i++) {
            if (cluster_server_parse(config->cluster_servers.item[i], &server, NULL) != FC_OK || !text_is(server.cluster, item.cluster))
                continue;
            TEXT_SET(pool->members[pool->count].name, server.name);
            TEXT_SET(pool->members[pool->count].address, server.address);
            pool->count++;
        }
        cluster_init(&st->clusters[st->pool_count++]);
    }
}

void steering_init(struct steering *st, const struct config *config, const char *node)
{
    memset(st, 0, sizeof *st);
    chair_init(&st->chair);
    st->backend = -1;
    st->preferred_fit_since = FC_EVER;
    st->not_before = FC_EVER;
    st->voice_until = FC_EVER;
    for (int i = 0; i < STORE_SERVERS_MAX; i++)
        st->resuming[i].again_at = st->resuming[i].ran_since = FC_EVER;
    st->alone.again_at = st->gone.ask_at = st->left.since = FC_EVER;
    st->gone.server = -1;
    for (int i = 0; i < STORE_SERVERS_MAX; i++)
        st->stray_fence_at[i] = FC_EVER;
    if (config_has_pair(config))
        add_backend_pool(st, config);
    add_leader_pool(st, config, node);
    add_cluster_pools(st, &config->writer_pools, POOL_WRITER, config);
    add_cluster_pools(st, &config->reader_pools, POOL_READER, config);
    st->finding = &seat_rules[0];
}

/* ---- hearing ------------------------------------------------------------------------------------------------------ */

static const char *without_finishing(const char *why)
{
    return text_begins(why, FINISHING) ? why + sizeof FINISHING - 1 : why;
}

static void failback_count_one(struct steering *st, struct fc_time at)
{
    st->failbacks[st->failback_count++ % FAILBACKS_MAX] = at;
}

/* To a witness: it reads no hold, and is told of the one that changes what it answers. */
static void hear_pause(struct steering *st, const char *by, int64_t unix_ms)
{
    struct hold pause = { .kind = by[0] != '\0' ? HOLD_PAUSE : HOLD_NONE, .epoch = 1, .since_unix_ms = unix_ms };
    const struct hold *known = holds_row(&st->holds, st->pools[st->backend].name, "");
    if (known == NULL ? by[0] == '\0' : known->kind == pause.kind && text_is(known->by, by))
        return;
    TEXT_SET(pause.pool, st->pools[st->backend].name);
    TEXT_SET(pause.by, by);
    pause.seq = known == NULL ? 1 : known->seq + 1;
    holds_merge(&st->holds, &pause);
}

/* The row tells every node of every failback, so that a change of leader does not begin to count anew. */
static void hear_chair(struct steering *st, const struct steer_stage *stage, const struct event *event)
{
    const struct chair_words *words = &event->as.chair.words;
    if (stage->servers->looks_at_none && words->is_known)
        hear_pause(st, words->paused_by, event->unix_ms);
    const bool was_failback = text_begins(without_finishing(st->chair.row.why), FAILBACK_WHY);
    chair_hear(&st->chair, event);
    if (st->move.step == STEP_NONE && !was_failback && text_begins(without_finishing(st->chair.row.why), FAILBACK_WHY))
        failback_count_one(st, event->at);                 /* somebody else's: one's own is counted when it is begun */
}

static void hear_look(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    const struct server_look *look = event->as.seen.look;
    for (int i = 0; i < look->hold_count; i++)
        holds_merge(&st->holds, &look->holds[i]);
    command_stored(st, stage, look);
}

void steering_hear(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    switch (event->type) {
    case SERVER_SEEN:
        hear_look(st, stage, event);
        break;
    case CHAIR_GRANTED:
    case CHAIR_REVOKED:
        if (st->backend >= 0)
            hear_chair(st, stage, event);
        break;
    case DEED_ENDED:
        move_hear(st, stage, event);
        alone_hear(st, stage, event);
        resume_hear(st, stage, event);
        command_deed_ended(st, stage, event);
        break;
    case PROXY_SEEN:
    case ASKERS_SEEN:
        heard_hear(&st->heard, stage->config, event, stage->node);
        break;
    case ORDER_GIVEN:
        command_given(st, stage, event);
        break;
    case LEASE_DENIED:
    case STORE_SILENT:
        if (st->move.step != STEP_NONE)
            move_abandon(st, stage, "the lease was lost; the next leader finishes it or gives the chair back");
        break;
    case FLEET_SEEN:
        cluster_hear(st, event);
        break;
    case STARTED:
    case WOKEN:
    case RELOADED:
    case STOP_ASKED:
    case SIGHT_SEEN:
    case SERVER_LOST:
    case SERVER_CHECKED:
    case LEASE_GRANTED:
    case PROXY_LOST:
    case EVENT_TYPE_COUNT:
        break;
    }
}

/* ---- deciding ----------------------------------------------------------------------------------------------------- */

int steer_score(const struct server_state *server)
{
    return (server->look.replica.is_configured ? 2 : 0) + (replica_is_drained(&server->look.replica) ? 1 : 0);
}

/* Whom to seat instead of the lost one. Fit beats unfit, close beats far, then the order of the configuration: never a tie. */
static int successor_choose(const struct steering *st, const struct steer_stage *stage, int except)
{
    int best = -1, best_score = -1;
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        if (i == except || steer_may_seat(st, stage, i, true, NULL) != FC_OK)
            continue;
        const int score = steer_score(s);
        if (score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

static void begin(struct steering *st, struct steer_stage *stage, enum move_kind kind, int from, int to, const char *why)
{
    move_begin(st, stage, kind, from, to, why, false, 0, NULL);
}

/* Said and recorded when it is found, and again when it was away for a while. */
static void tell_stray(struct steering *st, struct steer_stage *stage, int stray, int seated)
{
    const struct server_state *s = &stage->servers->list[stray];
    const bool is_news = fc_is_ever(st->stray_fence_at[stray]) ||
                         fc_since(st->stray_fence_at[stray], stage->now).us >= fc_ms(STRAY_AGAIN_MS).us;
    st->stray_fence_at[stray] = stage->now;
    if (is_news)
        steer_record(stage, "stray", st->pools[st->backend].name, stage->leadership->epoch,
                     "%s was writable beside %s and is fenced; its log ends at %s:%llu", s->name,
                     steer_server_name(stage, seated), s->look.written.file, (unsigned long long)s->look.written.offset);
}

static void decide_empty(struct steering *st, struct steer_stage *stage)
{
    int to = st->facts.other_open_at;                      /* exactly one is open: it is what clients use today */
    const bool was_open = to >= 0;
    for (int i = 0; to < 0 && i < stage->servers->count; i++) {
        if (steer_may_seat(st, stage, i, true, NULL) == FC_OK)
            to = i;
    }
    if (to < 0)
        return;
    int stray = -1;
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        if (i != to && s->is_reachable && !s->look.is_read_only)
            stray = i;
    }
    if (stray >= 0) {
        steer_note(stage, NOTE_ALARM, st->pools[st->backend].name, stage->leadership->epoch,
                   "%s and %s are both writable and nobody sits: %s is fenced, %s is seated; clients may have written to both",
                   steer_server_name(stage, to), steer_server_name(stage, stray), steer_server_name(stage, stray),
                   steer_server_name(stage, to));
        tell_stray(st, stage, stray, to);
    }
    begin(st, stage, MOVE_FIRST, stray, to, was_open ? "the one open server at the first start" : "first in the configuration");
}

static void decide_lost(struct steering *st, struct steer_stage *stage, enum move_kind kind)
{
    const int to = successor_choose(st, stage, st->facts.seated);
    char why[WHY_SIZE];
    if (to < 0)
        return;                                            /* nobody to seat: the status says so, and time may bring one */
    TEXT_FORMAT(why, "%s is %s", steer_server_name(stage, st->facts.seated), kind == MOVE_GONE ? "gone" : "out of sight");
    begin(st, stage, kind, st->facts.seated, to, why);
}

/* The bound of an intent, counted from when this node first saw it: no clock of another machine is believed. */
static bool is_overdue(const struct chair *chair, struct fc_time now)
{
    return chair->row.limit_ms > 0 && fc_since(chair->since, now).us >= fc_ms(chair->row.limit_ms).us;
}

/* An intent without anybody at work on it: finish it, or, when its time is over and the old server lives, give the chair back. */
static void decide_half_moved(struct steering *st, struct steer_stage *stage)
{
    const struct decision *row = &st->chair.row;
    const int from = st->facts.seated;
    const int to = servers_named(stage->servers, row->successor);
    const bool from_lives = from >= 0 && stage->servers->list[from].is_reachable;
    char why[WHY_SIZE];
    if (!from_lives && from >= 0 && servers_gone(stage->servers, from) == GONE_ASKED)
        return;                                            /* all have told in a moment, or cannot */
    if (!from_lives && from >= 0 && !servers_agree_on_gone(stage->servers, from) && left_holds_back(st, stage))
        return;
    TEXT_FORMAT(why, FINISHING "%s", without_finishing(row->why));
    if (from_lives && is_overdue(&st->chair, stage->now)) {
        begin(st, stage, MOVE_BACK, from, from, "given back: the time of the move is over");
    } else if (to >= 0 && steer_may_seat(st, stage, to, !from_lives, NULL) == FC_OK && to != from) {
        const enum move_kind kind = from < 0                                            ? MOVE_FIRST
                                    : from_lives                                        ? MOVE_PLANNED
                                    : servers_agree_on_gone(stage->servers, from)         ? MOVE_GONE
                                                                                        : MOVE_SILENT;
        begin(st, stage, kind, from, to, why);
    } else if (from_lives) {
        begin(st, stage, MOVE_BACK, from, from, "given back: the move could not be finished");
    } else if (from < 0) {
        decide_empty(st, stage);
    } else {
        decide_lost(st, stage, servers_agree_on_gone(stage->servers, from) ? MOVE_GONE : MOVE_SILENT);
    }
}

/* One that resists is fenced each second, and told at the first fence, the second, the fourth, the eighth. */
static void note_stray(struct steering *st, struct steer_stage *stage, int stray)
{
    const int fences = ++st->stray_fences[stray];
    const char *name = steer_server_name(stage, stray), *pool = st->pools[st->backend].name;
    if (fences == 1)
        steer_note(stage, NOTE_ALARM, pool, stage->leadership->epoch, "%s is writable and does not sit: fencing it", name);
    else if ((fences & (fences - 1)) == 0)
        steer_note(stage, NOTE_ALARM, pool, stage->leadership->epoch, "%s is still writable and does not sit: fence number %d", name, fences);
}

/* Who fenced it tells that it is over. */
static void end_strays(struct steering *st, struct steer_stage *stage)
{
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        const bool is_closed = s->is_reachable && s->look.is_read_only;
        if (st->stray_fences[i] == 0 || (steer_may_act(stage) && !is_closed && i != st->facts.seated))
            continue;
        if (steer_may_act(stage) && is_closed)
            steer_note(stage, NOTE_INFO, st->pools[st->backend].name, stage->leadership->epoch, "%s is closed now", s->name);
        st->stray_fences[i] = 0;
    }
}

static void decide_stray(struct steering *st, struct steer_stage *stage)
{
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        if (i == st->facts.seated || !s->is_reachable || s->look.is_read_only)
            continue;
        if (!fc_is_ever(st->stray_fence_at[i]) && fc_since(st->stray_fence_at[i], stage->now).us < fc_ms(STRAY_FENCE_MS).us)
            continue;
        struct effect *effect = effects_add(stage->out, FENCE);
        effect->server = i;
        effect->until = stage->leadership->until;
        effect->as.fence.limit_ms = (uint32_t)stage->config->fence_timeout_ms;
        note_stray(st, stage, i);
        tell_stray(st, stage, i, st->facts.seated);
    }
}

static int failbacks_in_the_last_hour(const struct steering *st, struct fc_time now)
{
    int count = 0;
    for (int i = 0; i < st->failback_count && i < FAILBACKS_MAX; i++) {
        if (fc_since(st->failbacks[i], now).us < fc_ms(3600000).us)
            count++;
    }
    return count;
}

/* The clock of a failback starts again at each loss, also at one that is seen while following or paused. */
static void watch_preferred(struct steering *st, const struct steer_stage *stage)
{
    const bool fit = steer_may_seat(st, stage, 0, false, NULL) == FC_OK && replica_is_drained(&stage->servers->list[0].look.replica);
    if (!fit)
        st->preferred_fit_since = FC_EVER;
    else if (fc_is_ever(st->preferred_fit_since))
        st->preferred_fit_since = stage->now;
}

const char *const failback_bar_sentences[FAILBACK_BAR_COUNT] = {
    [FAILBACK_DUE] = "it is due",
    [FAILBACK_OFF] = "FailbackAfterSeconds is 0: the chair goes back by order only",
    [FAILBACK_AT_HOME] = "the preferred server sits",
    [FAILBACK_NOT_FIT] = "the preferred server is not fit to sit, or has not applied all that it fetched",
    [FAILBACK_AGAINST_ORDER] = "an operator's switch put the chair where it is",
    [FAILBACK_FIT_TOO_SHORT] = "the preferred server has not been fit for FailbackAfterSeconds yet",
    [FAILBACK_DWELL] = "the chair has not dwelt where it is for ChairDwellMilliseconds yet",
    [FAILBACK_TOO_OFTEN] = "FailbackMaxPerHour is reached",
};

static bool is_early(struct fc_time since, struct fc_span wanted, struct fc_time now, struct fc_span *left)
{
    const struct fc_span passed = fc_since(since, now);
    if (passed.us >= wanted.us)
        return false;
    left->us = wanted.us - passed.us;
    return true;
}

enum failback_bar failback_bar(const struct steering *st, const struct steer_stage *stage, struct fc_span *left)
{
    const struct config *config = stage->config;
    left->us = 0;
    if (config->failback_after_seconds <= 0)
        return FAILBACK_OFF;
    if (st->facts.seated == 0)
        return FAILBACK_AT_HOME;
    if (fc_is_ever(st->preferred_fit_since))
        return FAILBACK_NOT_FIT;
    if (text_begins(without_finishing(st->chair.row.why), "switch"))
        return FAILBACK_AGAINST_ORDER;
    if (is_early(st->preferred_fit_since, fc_ms((int64_t)config->failback_after_seconds * 1000), stage->now, left))
        return FAILBACK_FIT_TOO_SHORT;
    if (is_early(st->chair.since, fc_ms(config->dwell_ms), stage->now, left))
        return FAILBACK_DWELL;
    return failbacks_in_the_last_hour(st, stage->now) >= config->failback_max_per_hour ? FAILBACK_TOO_OFTEN : FAILBACK_DUE;
}

static void decide_failback(struct steering *st, struct steer_stage *stage)
{
    struct fc_span left;
    if (failback_bar(st, stage, &left) != FAILBACK_DUE)
        return;
    failback_count_one(st, stage->now);
    begin(st, stage, MOVE_PLANNED, st->facts.seated, 0, FAILBACK_WHY);
}

/* An operator's switch stays the reason over a restart of its server: no failback may act against it. */
static const char *why_reseated(const struct steering *st)
{
    const char *why = without_finishing(st->chair.row.why);
    return text_begins(why, "switch") ? why : "it was found closed and is opened again";
}

static void decide(struct steering *st, struct steer_stage *stage)
{
    switch (st->finding->finding) {
    case SEAT_HALF_MOVED:
        decide_half_moved(st, stage);
        break;
    case SEAT_EMPTY:
        decide_empty(st, stage);
        break;
    case SEAT_GONE:
        decide_lost(st, stage, MOVE_GONE);
        break;
    case SEAT_OUT_OF_SIGHT:
        if (!left_holds_back(st, stage))
            decide_lost(st, stage, MOVE_SILENT);
        break;
    case SEAT_CONTESTED:
        left_holds_back(st, stage);                        /* for what it does about it: the lease is given back, once */
        break;
    case SEAT_ELSEWHERE:
        if (st->facts.other_open_at >= 0)
            begin(st, stage, MOVE_FIRST, -1, st->facts.other_open_at, "switched by hand: it was found open, the other closed");
        break;
    case SEAT_CLOSED:
        begin(st, stage, MOVE_RESEAT, st->facts.seated, st->facts.seated, why_reseated(st));
        break;
    case SEAT_STRAY:
        decide_stray(st, stage);
        break;
    case SEAT_WELL:
        decide_failback(st, stage);
        break;
    case SEAT_NOT_LOOKED:
    case SEAT_DOUBTFUL:
    case SEAT_FINDING_COUNT:
        break;
    }
}

/* The same for people, in the order of the findings. */
const char *const steer_decisions[SEAT_FINDING_COUNT] = {
    [SEAT_NOT_LOOKED] = "nothing: it looks first",
    [SEAT_HALF_MOVED] = "finishes the move; or gives the chair back, when its time is over or its new server cannot sit, and the old one lives",
    [SEAT_EMPTY] = "a move of the kind first: to the one open server, else to the first of the configuration that can sit",
    [SEAT_GONE] = "a move of the kind gone, to the best successor",
    [SEAT_OUT_OF_SIGHT] = "gives the lease back, once, when another node sees it; else a move of the kind silent, to the best successor",
    [SEAT_CONTESTED] = "gives the lease back, once, when another node sees it; nothing is moved while too few nodes have lost it",
    [SEAT_DOUBTFUL] = "nothing: it looks again; the lease runs out there if nobody sees it",
    [SEAT_ELSEWHERE] = "a move of the kind first, to the open one: the operator's own switch is followed",
    [SEAT_CLOSED] = "a move of the kind reseat: it is opened again",
    [SEAT_STRAY] = "fences the other one, again each second while it stays writable",
    [SEAT_WELL] = "nothing; a failback when it is due",
};

/* A look that was sent before the chair last changed says nothing about the present seat; that a process is gone is asked again
 * by who has slept since. */
static bool looks_are_newer_than_the_chair(const struct steering *st, const struct steer_stage *stage)
{
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        if (s->is_reachable && fc_before(s->seen_at, st->chair.since))
            return false;
        if (server_is_gone(s) && fc_since(s->failed_at, stage->now).us > fc_ms(2 * stage->config->poll_ms + stage->config->probe_timeout_ms).us)
            return false;
    }
    return true;
}

const char *const steer_bar_sentences[BAR_COUNT] = {
    [BAR_NONE] = "nothing",
    [BAR_NO_CHAIR] = "this store has no chair: nobody is seated here",
    [BAR_MOVING] = "a move is under way",
    [BAR_NOT_LEADING] = "this node does not lead: the leader decides",
    [BAR_UNKNOWN] = "the deciding row has not been seen yet",
    [BAR_PAUSED] = "an operator has paused the pool",
    [BAR_RETRY_PAUSE] = "a move has failed; it is tried again after a pause, at once when what is seen changes",
    [BAR_OLD_LOOKS] = "a server has not been looked at since the chair last changed, or since this node slept",
    [BAR_OTHER_EPOCH] = "the row of this node's own epoch has not been seen yet",
};

enum steer_bar steer_bar(const struct steering *st, const struct steer_stage *stage)
{
    if (st->backend < 0)
        return BAR_NO_CHAIR;
    if (st->move.step != STEP_NONE)
        return BAR_MOVING;
    if (!steer_may_act(stage))
        return BAR_NOT_LEADING;
    if (st->chair.state == CHAIR_UNKNOWN)
        return BAR_UNKNOWN;
    if (holds_find(&st->holds, st->pools[st->backend].name, "") != NULL)
        return BAR_PAUSED;
    if (!fc_reached(st->not_before, stage->now))
        return BAR_RETRY_PAUSE;
    if (!looks_are_newer_than_the_chair(st, stage))
        return BAR_OLD_LOOKS;
    return st->chair.row.rank.epoch == stage->leadership->epoch ? BAR_NONE : BAR_OTHER_EPOCH;
}

void steering_step(struct steering *st, struct steer_stage *stage)
{
    command_expire(st, stage);
    if (st->backend >= 0) {
        st->facts = seat_facts_count(stage->servers, &st->chair.row, stage->leadership->place, stage->now);
        st->finding = seat_judge(&st->facts);
        watch_preferred(st, stage);
        writers_step(st, stage);
        retry_step(st, stage);
        move_drive(st, stage);
        gone_step(st, stage);
        left_step(st, stage);
        if (steer_bar(st, stage) == BAR_NONE)
            decide(st, stage);
        end_strays(st, stage);
        alone_step(st, stage);
        resume_step(st, stage);
        move_confirm(st, stage);
    }
    cluster_step(st, stage);
    answers_prepare(st, stage);
}

struct fc_time steering_wakes_at(const struct steering *st, const struct steer_stage *stage)
{
    struct fc_time next = FC_NEVER;
    next = fc_earlier(next, gone_wakes_at(st, stage));
    next = fc_earlier(next, resume_wakes_at(st, stage));
    next = fc_earlier(next, left_wakes_at(st, stage));
    next = fc_earlier(next, cluster_wakes_at(st, stage));
    if (st->move.step == STEP_WAIT)
        next = fc_earlier(next, fc_before(stage->now, st->move.fence_at) ? fc_earlier(st->move.fence_at, st->move.wait_until)
                                                                         : st->move.wait_until);
    if (st->move.step != STEP_NONE)
        next = fc_earlier(next, stage->leadership->until);
    if (st->confirming.is_waiting)
        next = fc_earlier(next, fc_earlier(st->confirming.look_at, st->confirming.deadline));
    if (st->heard.is_listening && !st->move.is_fenced)
        next = fc_earlier(next, st->heard.look_at);
    if (!fc_is_ever(st->not_before) && fc_before(stage->now, st->not_before))
        next = fc_earlier(next, st->not_before);
    for (int i = 0; i < PENDING_MAX; i++) {
        if (st->pending[i].order_id != 0)
            next = fc_earlier(next, st->pending[i].deadline);
    }
    return next;
}
