/* Moving the chair: a plan (table) plus steps. One step is handed out, its result is waited for, the next is handed out.
 * Every step may be repeated, because any may be cut off half way: the next leader finds the intent and goes on.
 *
 *   approach > intend (revoke) > fence > catch up > wait > seat > open        spec/steering.md 5 */
#include "steer/steering.h"

#include <string.h>

#include "base/text.h"

#define APPROACH_LIMIT_MS 3000       /* before anything is revoked: let the new server come close, or say so */
#define RELAY_LIMIT_MS 10000         /* applying what was already fetched from a server that is gone */
#define END_LIMIT_MS 3000            /* the old one was out of sight and could be fenced after all: up to its end, but nobody sits */
#define FORCED_LIMIT_MS 100          /* by `force` the catch-up is not waited for; but what is on its way already is not given away */
#define CONFIRM_MS 500               /* how long the answer waits for the row to be read back on the other servers */
#define CONFIRM_LOOK_MS 10
#define ASK_AGAIN_MS 100             /* while a revoke is being heard: the boards are asked who was told */
#define FENCE_AGAIN_MS 500           /* while waiting for an unfenced server: look whether it can be fenced after all */

const struct move_plan move_plans[MOVE_KIND_COUNT] = {
    /*                              none   approach intend  fence   catch up wait    seat    open     to the old one's end */
    { MOVE_PLANNED, "planned",    { NEVER, NEEDED,  NEEDED, NEEDED, NEEDED,  NEVER,  NEEDED, NEEDED }, true },
    { MOVE_GONE,    "gone",       { NEVER, NEVER,   NEEDED, NEVER,  TRIED,   NEVER,  NEEDED, NEEDED }, false },
    { MOVE_SILENT,  "silent",     { NEVER, NEVER,   NEEDED, TRIED,  TRIED,   NEEDED, NEEDED, NEEDED }, false },
    { MOVE_FIRST,   "first",      { NEVER, NEVER,   NEEDED, NEEDED, NEVER,   NEVER,  NEEDED, NEEDED }, false },
    { MOVE_RESEAT,  "reseat",     { NEVER, NEVER,   NEEDED, NEVER,  NEVER,   NEVER,  NEEDED, NEEDED }, false },
    { MOVE_BACK,    "back",       { NEVER, NEVER,   NEEDED, NEVER,  NEVER,   NEVER,  NEEDED, NEEDED }, false },
};

static const char *const step_words[STEP_COUNT] = {
    [STEP_NONE] = "none", [STEP_APPROACH] = "approach", [STEP_INTEND] = "intend", [STEP_FENCE] = "fence",
    [STEP_CATCH_UP] = "catch-up", [STEP_WAIT] = "wait", [STEP_SEAT] = "seat", [STEP_OPEN] = "open",
};

const char *move_step_word(enum move_step step)
{
    return (unsigned)step < STEP_COUNT ? step_words[step] : "unknown";
}

struct fc_span move_unfenced_wait(const struct config *c)
{
    return (struct fc_span){ heard_terms(c).us + heard_check(c).us + heard_leavings(c).us };
}

static const char *subject(const struct steering *st)
{
    return st->backend >= 0 ? st->pools[st->backend].name : "chair";
}

static struct effect *deed(struct steering *st, struct steer_stage *stage, enum effect_type type, int server)
{
    struct effect *effect = effects_add(stage->out, type);
    effect->id = st->move.deed_id = (*stage->next_id)++;
    effect->server = server;
    effect->until = stage->leadership->until;
    return effect;
}

static void ask_catch_up(struct steering *st, struct steer_stage *stage, bool has_position,
                         const struct log_position *position, uint32_t limit_ms)
{
    struct effect *effect = deed(st, stage, CATCH_UP, st->move.to);
    effect->as.catch_up.has_position = has_position;
    effect->as.catch_up.limit_ms = limit_ms;
    if (has_position)
        effect->as.catch_up.position = *position;
}

static void ask_intend(struct steering *st, struct steer_stage *stage)
{
    struct effect *effect = deed(st, stage, INTEND, st->move.to);
    effect->as.intend.from = st->move.from;
    effect->as.intend.to = st->move.to;
    effect->as.intend.intent_id = st->move.intent_id;
    effect->as.intend.limit_ms = st->move.limit_ms;
    effect->as.intend.is_forced = st->move.is_forced;
    TEXT_SET(effect->as.intend.why, st->move.why);
}

static uint32_t left_ms(struct fc_time deadline, struct fc_time now)
{
    const int64_t left = fc_span_ms(fc_since(now, deadline));
    return left < 1 ? 1 : (uint32_t)left;
}

/* A planned move keeps to its own bound in every step; the others serve availability and take what each step needs. */
static uint32_t limit_of(const struct move *move, uint32_t most_ms, struct fc_time now)
{
    const uint32_t left = left_ms(move->deadline, now);
    return move->kind == MOVE_PLANNED && left < most_ms ? left : most_ms;
}

static void ask_fence(struct steering *st, struct steer_stage *stage)
{
    struct effect *effect = deed(st, stage, FENCE, st->move.from);
    effect->as.fence.limit_ms = limit_of(&st->move, (uint32_t)stage->config->fence_timeout_ms, stage->now);
}

/* Seated instead of a lost one, without having caught up to its end: was it close behind when that was lost? */
static bool may_lack_writes(const struct move *move, const struct steer_stage *stage)
{
    if (move->from < 0 || move->has_position || (move->kind != MOVE_GONE && move->kind != MOVE_SILENT))
        return false;
    return !server_was_following(&stage->servers->list[move->to], &stage->servers->list[move->from], stage->servers->gap,
                                 (int64_t)stage->config->max_seat_lag_seconds * 1000);
}

/* From when on writes may be missing: when it was last seen to follow, less what it was behind then. 0 = never seen to. */
static int64_t stale_since(const struct steer_stage *stage, int server)
{
    const struct server_state *s = &stage->servers->list[server];
    if (!s->has_followed)
        return 0;
    return stage->unix_ms - fc_span_ms(fc_since(s->followed_at, stage->now)) - (s->followed_lag_ms > 0 ? s->followed_lag_ms : 0);
}

static void ask_seat(struct steering *st, struct steer_stage *stage)
{
    struct effect *effect = deed(st, stage, SEAT, st->move.to);
    const bool is_unfenced = st->move.kind == MOVE_SILENT && !st->move.is_fenced;
    if (!st->move.is_stale && may_lack_writes(&st->move, stage)) {
        st->move.is_stale = true;
        steer_note(stage, NOTE_ALARM, subject(st), stage->leadership->epoch,
                   "%s was not seen to follow %s closely when that was lost: it is seated marked stale",
                   steer_server_name(stage, st->move.to), steer_server_name(stage, st->move.from));
    }
    effect->as.seat.to = st->move.to;
    mark_write(is_unfenced, st->move.is_stale, stale_since(stage, st->move.to), effect->as.seat.mark);
    TEXT_SET(st->move.mark, effect->as.seat.mark);
    TEXT_SET(effect->as.seat.why, st->move.why);
    if (is_unfenced)
        fetched_to_write(effect->as.seat.why, &stage->servers->list[st->move.to].look.replica.read);
}

static void ask_open(struct steering *st, struct steer_stage *stage)
{
    struct effect *effect = deed(st, stage, OPEN, st->move.to);
    effect->as.open.epoch = stage->leadership->epoch;
    TEXT_SET(effect->as.open.identity, stage->servers->list[st->move.to].look.identity);
}

/* A server that is back may be fenced in the midst of it: what was fetched gets its time once for the whole move. */
static uint32_t catch_up_limit(struct move *move, struct fc_time now)
{
    if (move->is_forced)
        return limit_of(move, FORCED_LIMIT_MS, now);
    if (move_plans[move->kind].to_position)
        return left_ms(move->deadline, now);
    if (move->has_position)
        return END_LIMIT_MS;
    if (!move->is_applying) {
        move->is_applying = true;
        move->apply_until = fc_plus(now, fc_ms(RELAY_LIMIT_MS));
    }
    return left_ms(move->apply_until, now);
}

static void enter(struct steering *st, struct steer_stage *stage, enum move_step step)
{
    struct move *move = &st->move;
    move->step = step;
    move->step_at = stage->now;
    move->deed_id = 0;
    switch (step) {
    case STEP_APPROACH:
        ask_catch_up(st, stage, true, &stage->servers->list[move->from].look.written,
                     limit_of(move, APPROACH_LIMIT_MS, stage->now));
        break;
    case STEP_INTEND:
        ask_intend(st, stage);
        break;
    case STEP_FENCE:
        ask_fence(st, stage);
        break;
    case STEP_CATCH_UP:
        move->fence_at = fc_plus(stage->now, fc_ms(FENCE_AGAIN_MS));
        ask_catch_up(st, stage, move->has_position, &move->position, catch_up_limit(move, stage->now));
        break;
    case STEP_WAIT:
        move->wait_until = heard_until(&st->heard, stage->config);
        move->fence_at = fc_plus(stage->now, fc_ms(FENCE_AGAIN_MS));
        break;
    case STEP_SEAT:
        ask_seat(st, stage);
        break;
    case STEP_OPEN:
        ask_open(st, stage);
        break;
    case STEP_NONE:
    case STEP_COUNT:
        break;
    }
}

bool move_is_ordered(const struct move *move) { return move->asker.ticket != 0 || move->asker.order_id != 0; }

enum need move_needs(const struct move *move, enum move_step step)
{
    const enum need need = move_plans[move->kind].need[step];
    return step == STEP_CATCH_UP && need == NEEDED && move->is_forced ? TRIED : need;
}

bool move_leaves_out(const struct move *move, enum move_step step)
{
    const struct move_plan *plan = &move_plans[move->kind];
    if (plan->need[step] == NEVER)
        return true;
    if (step == STEP_FENCE)
        return move->from < 0 || move->from == move->to;
    if (step == STEP_APPROACH)
        return move->is_forced;
    if (step == STEP_CATCH_UP)
        return plan->to_position && !move->has_position;
    if (step == STEP_WAIT)
        return move->is_fenced;
    return false;
}

/* shown: servers on which the row was read back; 0 = not known. */
static void answer_asker(struct steering *st, struct steer_stage *stage, int shown)
{
    struct confirming *c = &st->confirming;
    const int all = stage->servers->count;
    if (shown == all)
        steer_reply(stage, &c->asker, c->code, true, "%s", c->text);
    else
        steer_reply(stage, &c->asker, c->code, true, "%s; durable on %d of %d", c->text, shown > 0 ? shown : 1, all);
    c->is_waiting = false;
}

/* What an operator was told "done" survives any single crash (spec/steering.md 7.2). */
void move_confirm(struct steering *st, struct steer_stage *stage)
{
    struct confirming *c = &st->confirming;
    int shown = 0, reachable = 0;
    if (!c->is_waiting)
        return;
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        shown += s->is_reachable && s->look.has_schema && s->look.lease.rank.epoch >= c->epoch;
        reachable += s->is_reachable && s->look.has_schema;
    }
    if (shown == stage->servers->count || (shown == reachable && shown > 0) || fc_reached(c->deadline, stage->now)) {
        answer_asker(st, stage, shown);
    } else if (fc_reached(c->look_at, stage->now)) {
        c->look_at = fc_plus(stage->now, fc_ms(CONFIRM_LOOK_MS));
        for (int i = 0; i < stage->servers->count; i++) {
            if (stage->servers->list[i].is_reachable && stage->servers->list[i].look.lease.rank.epoch < c->epoch)
                effects_add(stage->out, LOOK)->server = i;
        }
    }
}

/* What was not assured, and what that may have lost. */
static void loss_of(const struct move *move, const struct steer_stage *stage, char *to, size_t size)
{
    const int64_t since_ms = mark_stale_since_ms(move->mark);
    const char *old = steer_server_name(stage, move->from);
    to[0] = '\0';
    if (mark_is_stale(move->mark) && since_ms > 0)
        text_format(to, size, "; marked %s: what %s wrote in the last %lld s may be missing", move->mark, old,
                    (long long)((stage->unix_ms - since_ms + 999) / 1000));
    else if (mark_is_stale(move->mark))
        text_format(to, size, "; marked %s: it was never seen to follow %s, whose writes may be missing", move->mark, old);
    else if (move->mark[0] != '\0')
        text_format(to, size, "; marked %s", move->mark);
    else if (move->is_forced)
        text_format(to, size, "; %snothing is lost: it had applied all", move->waived != 0 ? "" : "force was not needed, ");
}

static void answer_of(const struct move *move, const struct steer_stage *stage, int64_t took_ms, const char *loss, char *to, size_t size)
{
    char waived[80], despite[120] = "";
    const char *name = steer_server_name(stage, move->to);
    steer_waived_words(move->waived, waived, sizeof waived);
    if (move->waived != 0)
        TEXT_FORMAT(despite, ", forced despite %s", waived);
    else if (move->is_forced && move->is_stale)
        TEXT_SET(despite, ", forced without the catch-up");
    if (move->kind == MOVE_BACK)
        text_format(to, size, "%s sits again: %s", name, move->why);
    else
        text_format(to, size, "%s sits (epoch %llu) after %lld ms%s%s", name, (unsigned long long)stage->leadership->epoch,
                    (long long)took_ms, despite, loss);
}

static void record_move(const struct steering *st, struct steer_stage *stage, int64_t took_ms, const char *tries, const char *loss)
{
    const struct move *move = &st->move;
    char text[RECORD_TEXT_SIZE];
    TEXT_FORMAT(text, "%s > %s: %s (%s, %lld ms%s)%s", steer_server_name(stage, move->from), steer_server_name(stage, move->to), move->why,
                move_plans[move->kind].word, (long long)took_ms, tries, loss);
    const char *seen = strlen(text) + sizeof "; seen: " + strlen(move->seen) <= sizeof text ? move->seen : move->share;
    steer_record(stage, "move", subject(st), stage->leadership->epoch, "%s%s%s", text, seen[0] != '\0' ? "; seen: " : "", seen);
}

static void finish(struct steering *st, struct steer_stage *stage)
{
    struct move *move = &st->move;
    char loss[160], tries[64] = "";
    const int64_t took_ms = fc_span_ms(fc_since(move->started_at, stage->now));
    const char *to = steer_server_name(stage, move->to);
    const uint64_t epoch = stage->leadership->epoch;
    const bool is_repeated = move->kind == MOVE_BACK && st->retry.is_repeated && !move_is_ordered(move);
    const int failures = move->kind == MOVE_BACK ? 0 : retry_worked(st);
    if (failures > 0)
        TEXT_FORMAT(tries, ", after %d tries that failed", failures);
    st->moves++;
    loss_of(move, stage, loss, sizeof loss);
    steer_note(stage, is_repeated ? NOTE_DEBUG : NOTE_INFO, subject(st), epoch, "%s sits: %s (%s move from %s, %lld ms%s)%s", to, move->why,
               move_plans[move->kind].word, steer_server_name(stage, move->from), (long long)took_ms, tries, loss);
    if (!is_repeated)
        record_move(st, stage, took_ms, tries, loss);
    if (move_is_ordered(move)) {
        struct confirming *c = &st->confirming;
        if (c->is_waiting)
            answer_asker(st, stage, 0);
        *c = (struct confirming){ .is_waiting = true, .asker = move->asker, .epoch = epoch, .look_at = stage->now,
                                  .deadline = fc_plus(stage->now, fc_ms(CONFIRM_MS)),
                                  .code = move->kind == MOVE_BACK ? FC_REFUSED : FC_OK };
        answer_of(move, stage, took_ms, loss, c->text, sizeof c->text);
    }
    memset(move, 0, sizeof *move);
    heard_end(&st->heard);
}

static bool is_retry(const struct steering *st) { return st->retry.failures > 0 && !move_is_ordered(&st->move); }

static void advance(struct steering *st, struct steer_stage *stage)
{
    for (int step = (int)st->move.step + 1; step < STEP_COUNT; step++) {
        if (move_leaves_out(&st->move, (enum move_step)step))
            continue;
        if (step == STEP_INTEND)
            steer_note(stage, is_retry(st) ? NOTE_DEBUG : NOTE_INFO, subject(st), stage->leadership->epoch, "moving from %s to %s: %s",
                       steer_server_name(stage, st->move.from), steer_server_name(stage, st->move.to), st->move.why);
        enter(st, stage, (enum move_step)step);
        if (st->move.asker.ticket != 0)
            steer_reply(stage, &st->move.asker, FC_OK, false, "%s", move_step_word((enum move_step)step));
        return;
    }
    finish(st, stage);
}

/* What was seen when it was decided: the server may be back before the move is recorded. */
static void say_seen(struct move *move, const struct steer_stage *stage)
{
    move->seen[0] = move->share[0] = '\0';
    if (move->from < 0 || (move->kind != MOVE_GONE && move->kind != MOVE_SILENT))
        return;
    gone_say_seen(stage, move->from, move->seen, sizeof move->seen);
    gone_say_share(stage, move->from, move->share, sizeof move->share);
}

enum fc_code move_begin(struct steering *st, struct steer_stage *stage, enum move_kind kind, int from, int to,
                        const char *why, bool is_forced, uint32_t limit_ms, const struct asker *asker)
{
    struct move *move = &st->move;
    if (move->step != STEP_NONE)
        return FC_BUSY;
    memset(move, 0, sizeof *move);
    move->kind = kind;
    move->from = from;
    move->to = to;
    move->is_forced = is_forced;
    move->limit_ms = limit_ms != 0 ? limit_ms : (uint32_t)stage->config->move_limit_ms;
    move->started_at = stage->now;
    move->deadline = fc_plus(stage->now, fc_ms(move->limit_ms));
    move->intent_id = (*stage->next_id)++;
    move->is_fenced = kind != MOVE_SILENT;
    move->waived = is_forced ? steer_waived(stage, to) : 0;
    move->picture = retry_picture(st, stage);
    TEXT_SET(move->why, why);
    say_seen(move, stage);
    if (asker != NULL)
        move->asker = *asker;
    advance(st, stage);
    return FC_OK;
}

/* The move ends without a new seat; the row says what is true, and the next judgement decides what to do. */
void move_abandon(struct steering *st, struct steer_stage *stage, const char *why)
{
    struct move *move = &st->move;
    if (move->step == STEP_NONE)
        return;
    char reason[240];
    TEXT_FORMAT(reason, "%s > %s stopped at %s: %s", steer_server_name(stage, move->from), steer_server_name(stage, move->to),
                move_step_word(move->step), why);
    const bool is_news = retry_failed(st, stage, move, reason);
    st->moves_failed++;
    steer_note(stage, is_news ? NOTE_ALARM : NOTE_DEBUG, subject(st), stage->leadership->epoch, "the move from %s to %s stopped at %s: %s",
               steer_server_name(stage, move->from), steer_server_name(stage, move->to), move_step_word(move->step), why);
    if (is_news)
        steer_record(stage, "move-failed", subject(st), stage->leadership->epoch, "%s", reason);
    steer_reply(stage, &move->asker, FC_REFUSED, true, "stopped at %s: %s", move_step_word(move->step), why);
    memset(move, 0, sizeof *move);
    heard_end(&st->heard);
}

/* A planned move that cannot be finished: the old server gets the chair back, at a higher epoch, and the asker hears why. */
static void turn_back(struct steering *st, struct steer_stage *stage, const char *why)
{
    struct move *move = &st->move;
    const struct asker asker = move->asker;
    const int from = move->from;
    char text[WHY_SIZE];
    if (from < 0 || !stage->servers->list[from].is_reachable) {
        move_abandon(st, stage, why);
        return;
    }
    TEXT_FORMAT(text, "given back at %s: %s", move_step_word(move->step), why);
    const bool is_news = retry_failed(st, stage, move, text);
    st->moves_failed++;
    steer_note(stage, is_news ? NOTE_WARNING : NOTE_DEBUG, subject(st), stage->leadership->epoch, "%s", text);
    memset(move, 0, sizeof *move);
    heard_end(&st->heard);
    move_begin(st, stage, MOVE_BACK, from, from, text, false, 0, &asker);
}

/* The old server of a planned move has died on the way: go on as if it had been found dead. */
static void change_kind(struct steering *st, struct steer_stage *stage)
{
    struct move *move = &st->move;
    move->kind = servers_agree_on_gone(stage->servers, move->from) ? MOVE_GONE : MOVE_SILENT;
    move->is_fenced = move->kind == MOVE_GONE;
    move->has_position = false;
    say_seen(move, stage);
    steer_note(stage, NOTE_WARNING, subject(st), stage->leadership->epoch, "%s was lost during the move; going on",
               steer_server_name(stage, move->from));
    advance(st, stage);
}

static void fence_failed(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    struct move *move = &st->move;
    if (event->as.ended.code == FC_REFUSED) {
        move_abandon(st, stage, event->as.ended.text);     /* it sits by a later decision: this move is of the past */
    } else if (move->kind == MOVE_SILENT) {
        advance(st, stage);                                /* the wait takes the fence's place */
    } else if (event->as.ended.code == FC_UNREACHABLE) {
        servers_lost(stage->servers, move->from, LOSS_ENDED, event->as.ended.text, stage->now, stage->now);
        change_kind(st, stage);
    } else {
        turn_back(st, stage, event->as.ended.text);
    }
}

static void catch_up_failed(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    const struct server_state *old = st->move.from < 0 ? NULL : &stage->servers->list[st->move.from];
    if (!st->move.is_forced && st->move.kind == MOVE_SILENT && st->move.has_position && (old->is_reachable || old->loss == LOSS_SILENT)) {
        turn_back(st, stage, event->as.ended.text);        /* it was found alive, and has what the new one lacks */
    } else if (move_needs(&st->move, STEP_CATCH_UP) == TRIED) {
        st->move.is_stale = true;
        steer_note(stage, NOTE_ALARM, subject(st), stage->leadership->epoch, "%s is seated without all that %s: %s",
                   steer_server_name(stage, st->move.to), st->move.has_position ? "the old one wrote" : "it fetched", event->as.ended.text);
        advance(st, stage);
    } else {
        turn_back(st, stage, event->as.ended.text);
    }
}

static void step_failed(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    switch (st->move.step) {
    case STEP_FENCE:
        fence_failed(st, stage, event);
        break;
    case STEP_CATCH_UP:
        catch_up_failed(st, stage, event);
        break;
    case STEP_INTEND:
        if (event->as.ended.code == FC_TIMEOUT ||
            (st->move.kind == MOVE_PLANNED && st->chair.state == CHAIR_MOVING && event->as.ended.code != FC_NOT_LEADER))
            turn_back(st, stage, event->as.ended.text);    /* revoked already: somebody must sit again */
        else
            move_abandon(st, stage, event->as.ended.text);
        break;
    case STEP_APPROACH:
    case STEP_SEAT:
    case STEP_OPEN:
        move_abandon(st, stage, event->as.ended.text);
        break;
    case STEP_NONE:
    case STEP_WAIT:
    case STEP_COUNT:
        break;
    }
}

static void fence_read_back(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    st->move.is_fenced = st->move.has_position = true;
    st->move.position = event->as.ended.position;
    servers_read_back(stage->servers, st->move.from, true, stage->now);
    if (event->as.ended.text[0] != '\0')
        steer_note(stage, NOTE_WARNING, subject(st), stage->leadership->epoch, "%s: %s", steer_server_name(stage, st->move.from),
                   event->as.ended.text);
}

void move_hear(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    struct move *move = &st->move;
    if (move->step == STEP_NONE || event->as.ended.id == 0 || event->as.ended.id != move->deed_id)
        return;
    move->deed_id = 0;
    if (move->step == STEP_WAIT) {                         /* a fence tried again while waiting */
        if (event->as.ended.code == FC_OK) {
            fence_read_back(st, stage, event);
            move->is_stale = false;
            enter(st, stage, STEP_CATCH_UP);               /* now its end is known: nothing need be lost */
        } else if (event->as.ended.code == FC_REFUSED) {
            move_abandon(st, stage, event->as.ended.text);
        }
        return;
    }
    if (event->as.ended.code != FC_OK) {
        step_failed(st, stage, event);
        return;
    }
    if (move->step == STEP_INTEND && move->from >= 0 && move->from != move->to) {
        heard_begin(&st->heard, stage->config, subject(st), steer_server_name(stage, move->from), stage->leadership->epoch,
                    stage->now);
    } else if (move->step == STEP_FENCE) {
        fence_read_back(st, stage, event);
    } else if (move->step == STEP_OPEN) {
        servers_read_back(stage->servers, move->to, false, stage->now);
    }
    advance(st, stage);
}

/* Only a server that could not be fenced makes it matter who has heard. */
static void ask_who_has_heard(struct steering *st, struct steer_stage *stage)
{
    struct heard *heard = &st->heard;
    if (!heard->is_listening || st->move.is_fenced || !fc_reached(heard->look_at, stage->now))
        return;
    heard->look_at = fc_plus(stage->now, fc_ms(ASK_AGAIN_MS));
    struct effect *effect = effects_add(stage->out, ASKERS_LOOK);
    TEXT_SET(effect->as.askers.pool, heard->pool);
    TEXT_SET(effect->as.askers.server, heard->server);
}

static void end_unfenced_wait(struct steering *st, struct steer_stage *stage)
{
    const struct move *move = &st->move;
    const int64_t waited_ms = fc_span_ms(fc_since(st->heard.revoked_at, stage->now));
    const bool is_whole = waited_ms >= fc_span_ms(move_unfenced_wait(stage->config));
    steer_note(stage, NOTE_ALARM, subject(st), stage->leadership->epoch, "%s could not be fenced; %s is seated %lld ms after the revoke: %s",
               steer_server_name(stage, move->from), steer_server_name(stage, move->to), (long long)waited_ms,
               is_whole ? "the whole wait" : "every HAProxy has shown that it has heard");
    advance(st, stage);
}

/* Found while the new one applies what it has fetched, so before the wait looks for it. A dead one that is back and open: its option
 * file was to keep it closed; from now on it is one that lives, with all that follows. A silent one that is back still takes
 * writes, open or not yet looked at: until it is fenced the new one applies those too, and comes to no end. */
static void fence_the_returned(struct steering *st, struct steer_stage *stage)
{
    struct move *move = &st->move;
    const struct server_state *old = move->from < 0 ? NULL : &stage->servers->list[move->from];
    if (move->step != STEP_CATCH_UP || old == NULL || move->from == move->to || !old->is_reachable)
        return;
    if (move->kind == MOVE_GONE && !old->look.is_read_only) {
        steer_note(stage, NOTE_ALARM, subject(st), stage->leadership->epoch,
                   "%s is back and writable: it is fenced before %s is seated; read_only is missing in its option file", old->name,
                   steer_server_name(stage, move->to));
        move->kind = MOVE_SILENT;
        move->is_fenced = false;
        enter(st, stage, STEP_FENCE);
    } else if (move->kind == MOVE_SILENT && !move->is_fenced && fc_reached(move->fence_at, stage->now)) {
        enter(st, stage, STEP_FENCE);
    }
}

void move_drive(struct steering *st, struct steer_stage *stage)
{
    struct move *move = &st->move;
    if (move->step == STEP_NONE)
        return;
    if (!steer_may_act(stage)) {
        move_abandon(st, stage, "this node leads no more; the next leader finishes it or gives the chair back");
        return;
    }
    fence_the_returned(st, stage);
    ask_who_has_heard(st, stage);
    if (move->step != STEP_WAIT)
        return;
    const struct server_state *old = move->from < 0 ? NULL : &stage->servers->list[move->from];
    move->wait_until = heard_until(&st->heard, stage->config);
    if (old != NULL && servers_agree_on_gone(stage->servers, move->from)) {
        move->is_fenced = true;
        advance(st, stage);
    } else if (fc_reached(move->wait_until, stage->now)) {
        end_unfenced_wait(st, stage);
    } else if (old != NULL && old->is_reachable && move->deed_id == 0 && fc_reached(move->fence_at, stage->now)) {
        ask_fence(st, stage);
        move->fence_at = fc_plus(stage->now, fc_ms(FENCE_AGAIN_MS));
    }
}
