/* What HAProxy hears: prepared when the verdict changes, with its term. Always the whole state, never a word of the past.
 * spec/steering.md 5 to 7, words: spec/haproxy-agent-check.md 6. */
#include "steer/steering.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

/* Read downwards: the first row that fits is the answer. `not` says what was true instead, for those who ask why not. */
const struct answer_rule answer_rules[ANSWER_RULE_COUNT] = {
    [ANSWER_PAUSED]     = { POOL_BACKEND, VOICE_NEUTRAL, "paused", "an operator has paused the pool: HAProxy keeps what it has",
                            "nobody has paused the pool" },
    [ANSWER_STARTING]   = { POOL_BACKEND, VOICE_NEUTRAL, "starting",
                            "this node has not yet seen the chair, every server and every HAProxy",
                            "this node has looked at the chair, every server and every HAProxy" },
    [ANSWER_MOVING]     = { POOL_BACKEND, VOICE_REST, "moving", "the chair is being moved: nobody sits until that is done",
                            "the chair is not being moved" },
    [ANSWER_NOBODY]     = { POOL_BACKEND, VOICE_REST, "nobody", "nobody sits, or one that is not configured here",
                            "somebody sits" },
    [ANSWER_UNTOLD]     = { POOL_BACKEND, VOICE_REST, "untold", "somebody sits, and this witness has not been told yet which of its servers that is",
                            "it is known which server sits" },
    [ANSWER_HELD]       = { POOL_BACKEND, VOICE_REST, "held", "another server sits, and an operator holds this one out",
                            "no operator holds this one out beside another that sits" },
    [ANSWER_OTHER_SITS] = { POOL_BACKEND, VOICE_REST, "other-sits", "one server sits at most, and it is another one",
                            "it is the one that sits" },
    [ANSWER_NOT_OPEN]   = { POOL_BACKEND, VOICE_REST, "not-open", "it sits and is still read_only", "it is open" },
    [ANSWER_FIRST]      = { POOL_BACKEND, VOICE_FIRST, "first", "it sits and is open", "" },
    [ANSWER_OTHER_NODE] = { POOL_LEADER, VOICE_NEUTRAL, "other-node", "each node is asked about itself",
                            "it is this node" },
    [ANSWER_LEADS]      = { POOL_LEADER, VOICE_FIRST, "leads", "this node leads, and its lease has not run out",
                            "this node holds no lease that is in force" },
    [ANSWER_SUSPENDED]  = { POOL_LEADER, VOICE_REST, "suspended", "this node led, and the store is silent: it may not act",
                            "this node has not lost the store while it led" },
    [ANSWER_LEADERLESS] = { POOL_LEADER, VOICE_REST, "leaderless", "nobody leads", "somebody leads" },
    [ANSWER_FOLLOWS]    = { POOL_LEADER, VOICE_REST, "follows", "another node leads", "" },
};

static enum answer_case case_for_backend(const struct steering *st, const struct steer_stage *stage, int member)
{
    const struct pool *pool = &st->pools[st->backend];
    const int seated = servers_named(stage->servers, st->chair.row.rank.server);
    if (holds_find(&st->holds, pool->name, "") != NULL)
        return ANSWER_PAUSED;
    if (st->chair.state == CHAIR_UNKNOWN || !stage->has_looked)
        return ANSWER_STARTING;
    if (st->chair.state == CHAIR_MOVING)
        return ANSWER_MOVING;
    if (st->chair.state == CHAIR_NOBODY || (seated < 0 && !stage->servers->looks_at_none))
        return ANSWER_NOBODY;
    if (seated < 0)
        return ANSWER_UNTOLD;
    if (seated != member)
        return holds_find(&st->holds, pool->name, pool->members[member].name) != NULL ? ANSWER_HELD : ANSWER_OTHER_SITS;
    return servers_is_open(stage->servers, seated) ? ANSWER_FIRST : ANSWER_NOT_OPEN;
}

enum answer_case answer_case_of_leader(const struct steer_stage *stage)
{
    const struct leadership *l = stage->leadership;
    if (steer_may_act(stage))
        return ANSWER_LEADS;
    if (l->state == SUSPENDED)
        return ANSWER_SUSPENDED;
    return l->leader[0] == '\0' || text_is(l->leader, stage->node) ? ANSWER_LEADERLESS : ANSWER_FOLLOWS;
}

static enum answer_case case_for_leader(const struct steer_stage *stage, const struct pool *pool, int member)
{
    /* each node is asked for itself (spec/steering.md 7.5) */
    return text_is(pool->members[member].name, stage->node) ? answer_case_of_leader(stage) : ANSWER_OTHER_NODE;
}

enum answer_case answer_case_of(const struct steering *st, const struct steer_stage *stage, int pool, int member)
{
    assert(!pool_is_of_cluster(&st->pools[pool]));
    return pool == st->backend ? case_for_backend(st, stage, member) : case_for_leader(stage, &st->pools[pool], member);
}

/* Hands off: HAProxy keeps what it has, and whichever server is open may be used, also one that the operator opens; a witness sees none
 * of them, and knows of the one that sits. */
static void answer_paused(const struct steer_stage *stage, const struct chair *chair, int member, struct answer *a)
{
    const struct server_state *s = &stage->servers->list[member];
    const bool is_witness = stage->servers->looks_at_none;
    a->late = VOICE_NEUTRAL;
    a->keeps_token = (is_witness || s->is_reachable) && servers_is_open(stage->servers, member);
    a->until = !a->keeps_token ? FC_NEVER : is_witness ? chair->until : fc_plus(s->seen_at, fc_ms(stage->config->term_ms));
}

static void answer_for_backend(const struct steering *st, const struct steer_stage *stage, int member, struct answer *a)
{
    const struct pool *pool = &st->pools[st->backend];
    const struct chair *chair = &st->chair;
    const struct hold *pause = holds_find(&st->holds, pool->name, "");
    const struct hold *hold = holds_find(&st->holds, pool->name, pool->members[member].name);
    const char *seated = steer_server_name(stage, servers_named(stage->servers, chair->row.rank.server));
    const enum answer_case which = case_for_backend(st, stage, member);
    a->voice = answer_rules[which].voice;
    a->until = chair->until;
    a->late = text_is(stage->config->steering_term_over, "freeze") ? VOICE_NEUTRAL : VOICE_REST;
    a->epoch = chair->row.rank.epoch;
    if (which == ANSWER_PAUSED) {
        answer_paused(stage, chair, member, a);
        TEXT_FORMAT(a->reason, "paused by %s", pause->by);
    } else if (which == ANSWER_STARTING) {
        a->until = FC_NEVER;
        a->epoch = 0;
        TEXT_SET(a->reason, "starting, looking at the world");
    } else if (which == ANSWER_MOVING) {
        const int to = servers_named(stage->servers, chair->row.successor);
        TEXT_FORMAT(a->reason, "moving%s%s", to < 0 && stage->servers->looks_at_none ? "" : " to ",
                    to < 0 && stage->servers->looks_at_none ? "" : steer_server_name(stage, to));
    } else if (which == ANSWER_NOBODY) {
        TEXT_SET(a->reason, "nobody sits");
    } else if (which == ANSWER_UNTOLD) {
        TEXT_SET(a->reason, "witness, not told yet who sits");
    } else if (which == ANSWER_HELD) {
        TEXT_FORMAT(a->reason, "%s by %s", hold_kind_word(hold->kind), hold->by);
    } else if (which == ANSWER_NOT_OPEN) {
        TEXT_SET(a->reason, "not open yet");
    } else {
        char words[MARK_SIZE] = "";
        if (which == ANSWER_FIRST)
            mark_words(chair->row.mark, words, sizeof words);
        TEXT_FORMAT(a->reason, "%s sits%s%s", seated, words[0] != '\0' ? ", " : "", words);
    }
}

static void answer_for_leader(const struct steer_stage *stage, const struct pool *pool, int member, struct answer *a)
{
    const struct leadership *l = stage->leadership;
    const enum answer_case which = case_for_leader(stage, pool, member);
    a->voice = answer_rules[which].voice;
    a->late = VOICE_REST;
    a->until = which == ANSWER_LEADS ? l->until : FC_NEVER;
    a->epoch = which == ANSWER_OTHER_NODE ? 0 : l->epoch;
    if (which == ANSWER_OTHER_NODE)
        TEXT_SET(a->reason, "answers for itself");
    else if (which == ANSWER_LEADS)
        TEXT_SET(a->reason, "leader");
    else if (which == ANSWER_SUSPENDED)
        TEXT_SET(a->reason, "suspended, the store is silent");
    else if (which == ANSWER_LEADERLESS)
        TEXT_SET(a->reason, "nobody leads");
    else
        TEXT_FORMAT(a->reason, "follower of %s", l->leader);
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
    if (!is_same)
        m->since_unix_ms = stage->unix_ms;
    m->answer = *answer;
    m->has_answer = true;
    return is_other_voice;
}

/* It would take out of service who sits, because it saw it closed and then no more: whoever still sees it is to be asked. */
static bool knows_no_better(const struct steering *st, const struct steer_stage *stage)
{
    const int seated = st->facts.seated;
    return st->chair.state == CHAIR_SEATED && seated >= 0 && !stage->servers->list[seated].is_reachable &&
           stage->servers->list[seated].look.is_read_only;
}

static struct fc_time voice_until(const struct steering *st, const struct steer_stage *stage)
{
    if (st->backend < 0)
        return fc_plus(stage->leadership->confirmed_at, fc_ms(stage->config->term_ms));
    return stage->has_looked && !knows_no_better(st, stage) ? st->chair.until : FC_EVER;
}

static void prepare_voice(struct steering *st, struct steer_stage *stage)
{
    const struct fc_time until = voice_until(st, stage);
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
            if (pool_is_of_cluster(pool))
                cluster_answer(st, stage, p, i, &answer);
            else if (p == st->backend)
                answer_for_backend(st, stage, i, &answer);
            else
                answer_for_leader(stage, pool, i, &answer);
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
