/* What HAProxy hears: prepared when the verdict changes, with its term. Always the whole state, never a word of the past.
 * spec/steering.md 5 to 7, words: spec/haproxy-agent-check.md 6. */
#include "steer/steering.h"

#include <string.h>

#include "base/text.h"

static void answer_for_backend(const struct steering *st, const struct steer_stage *stage, int member, struct answer *a)
{
    const struct pool *pool = &st->pools[st->backend];
    const struct chair *chair = &st->chair;
    const int seated = servers_named(stage->servers, chair->row.rank.server);
    const struct hold *pause = holds_find(&st->holds, pool->name, "");
    const struct hold *hold = holds_find(&st->holds, pool->name, pool->members[member].name);
    a->until = chair->until;
    a->late = text_is(stage->config->steering_term_over, "freeze") ? VOICE_NEUTRAL : VOICE_REST;
    a->epoch = chair->row.rank.epoch;
    if (pause != NULL) {
        /* Hands off: HAProxy keeps what it has, and whichever server is open may be used, also one that the operator opens. */
        const struct server_state *s = &stage->servers->list[member];
        a->voice = a->late = VOICE_NEUTRAL;
        a->keeps_token = s->is_reachable && !s->look.is_read_only;
        a->until = a->keeps_token ? fc_plus(s->seen_at, fc_ms(stage->config->term_ms)) : FC_NEVER;
        TEXT_FORMAT(a->reason, "paused by %s", pause->by);
    } else if (chair->state == CHAIR_UNKNOWN || !stage->has_looked) {
        a->voice = VOICE_NEUTRAL;
        a->until = FC_NEVER;
        a->epoch = 0;
        TEXT_SET(a->reason, "starting, looking at the world");
    } else if (chair->state == CHAIR_MOVING) {
        const int to = servers_named(stage->servers, chair->row.successor);
        a->voice = VOICE_REST;
        TEXT_FORMAT(a->reason, "moving to %s", steer_server_name(stage, to));
    } else if (chair->state == CHAIR_NOBODY || seated < 0) {
        a->voice = VOICE_REST;
        TEXT_SET(a->reason, "nobody sits");
    } else if (seated != member) {
        a->voice = VOICE_REST;
        if (hold != NULL)
            TEXT_FORMAT(a->reason, "%s by %s", hold_kind_word(hold->kind), hold->by);
        else
            TEXT_FORMAT(a->reason, "%s sits", steer_server_name(stage, seated));
    } else if (stage->servers->list[seated].look.is_read_only) {
        a->voice = VOICE_REST;
        TEXT_SET(a->reason, "not open yet");
    } else {
        a->voice = VOICE_FIRST;
        TEXT_FORMAT(a->reason, "%s sits%s%s", steer_server_name(stage, seated), chair->row.mark[0] == '\0' ? "" : ", ",
                    chair->row.mark);
    }
}

static void answer_for_leader(const struct steering *st, const struct steer_stage *stage, const struct pool *pool, int member,
                              struct answer *a)
{
    const struct leadership *l = stage->leadership;
    (void)st;
    a->late = VOICE_REST;
    a->until = FC_NEVER;
    a->epoch = l->epoch;
    if (!text_is(pool->members[member].name, stage->node)) {
        a->voice = VOICE_NEUTRAL;                          /* each node is asked for itself (spec/steering.md 7.5) */
        a->epoch = 0;
        TEXT_SET(a->reason, "answers for itself");
    } else if (steer_may_act(stage)) {
        a->voice = VOICE_FIRST;
        a->until = l->until;
        TEXT_SET(a->reason, "leader");
    } else {
        a->voice = VOICE_REST;
        if (l->state == SUSPENDED)
            TEXT_SET(a->reason, "suspended, the store is silent");
        else if (l->leader[0] == '\0' || text_is(l->leader, stage->node))
            TEXT_SET(a->reason, "nobody leads");
        else
            TEXT_FORMAT(a->reason, "follower of %s", l->leader);
    }
}

static bool says_the_same(const struct answer *a, const struct answer *b)
{
    return a->voice == b->voice && a->epoch == b->epoch && a->late == b->late && a->keeps_token == b->keeps_token && a->weight_percent == b->weight_percent &&
           text_is(a->reason, b->reason);
}

/* Returns true when another voice is to be heard than before. */
static bool show(struct steer_stage *stage, struct pool *pool, int member, const struct answer *answer)
{
    struct pool_member *m = &pool->members[member];
    const bool is_same = m->has_answer && says_the_same(&m->answer, answer);
    const bool is_other_voice = !m->has_answer || m->answer.voice != answer->voice;
    if (is_same && m->answer.until.us == answer->until.us)
        return false;
    struct effect *effect = effects_add(stage->out, is_same ? ANSWER_EXTEND : ANSWER_SHOW);
    TEXT_SET(effect->as.show.pool, pool->name);
    TEXT_SET(effect->as.show.server, m->name);
    effect->as.show.answer = *answer;
    m->answer = *answer;
    m->has_answer = true;
    return is_other_voice;
}

static void prepare_voice(struct steering *st, struct steer_stage *stage)
{
    const struct fc_time until = st->backend >= 0 ? (stage->has_looked ? st->chair.until : FC_EVER)
                                                  : fc_plus(stage->leadership->confirmed_at, fc_ms(stage->config->term_ms));
    if (until.us == st->voice_until.us)
        return;
    st->voice_until = until;
    effects_add(stage->out, VOICE_EXTEND)->until = until;
}

void answers_prepare(struct steering *st, struct steer_stage *stage)
{
    for (int p = 0; p < st->pool_count; p++) {
        struct pool *pool = &st->pools[p];
        bool push = false;
        for (int i = 0; i < pool->count; i++) {
            struct answer answer;
            memset(&answer, 0, sizeof answer);
            answer.kind = pool->kind;
            if (p == st->backend)
                answer_for_backend(st, stage, i, &answer);
            else
                answer_for_leader(st, stage, pool, i, &answer);
            push = show(stage, pool, i, &answer) || push;
        }
        if (push && p == st->backend && steer_may_act(stage) && stage->config->haproxy_push) {
            struct effect *effect = effects_add(stage->out, PROXY_PUSH);
            TEXT_SET(effect->as.show.pool, pool->name);
        }
        if (push)
            effects_add(stage->out, PUBLISH);
    }
    prepare_voice(st, stage);
}
