/* Read what steering knows and say it. The tables that decide are read here as well, never repeated. */
#include "steer/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const kind_words[EXPLAIN_KIND_COUNT] = {
    [EXPLAIN_LEADER] = "leader", [EXPLAIN_CHAIR] = "chair", [EXPLAIN_ANSWER] = "answer",
    [EXPLAIN_PROXY] = "haproxy", [EXPLAIN_ORDER] = "order", [EXPLAIN_PLAN] = "plan",
};

const char *explain_kind_word(enum explain_kind kind)
{
    return (unsigned)kind < EXPLAIN_KIND_COUNT ? kind_words[kind] : "unknown";
}

/* ---- filling ------------------------------------------------------------------------------------------------------ */

void explain_begin(struct explanation *e, enum explain_kind kind, const char *subject)
{
    memset(e, 0, sizeof *e);
    e->kind = kind;
    TEXT_SET(e->subject, subject);
}

void explain_input(struct explanation *e, int64_t age_ms, const char *name, const char *format, ...)
{
    va_list args;
    if (e->input_count == EXPLAIN_INPUTS_MAX) {
        e->is_cut = true;
        return;
    }
    struct explain_input *input = &e->inputs[e->input_count++];
    TEXT_SET(input->name, name);
    input->age_ms = age_ms;
    va_start(args, format);
    vsnprintf(input->value, sizeof input->value, format, args);
    va_end(args);
}

void explain_instead(struct explanation *e, const char *what, const char *format, ...)
{
    va_list args;
    if (e->alternative_count == EXPLAIN_ALTERNATIVES_MAX) {
        e->is_cut = true;
        return;
    }
    struct explain_alternative *instead = &e->alternatives[e->alternative_count++];
    TEXT_SET(instead->what, what);
    va_start(args, format);
    vsnprintf(instead->why_not, sizeof instead->why_not, format, args);
    va_end(args);
}

void explain_change(struct explanation *e, const char *format, ...)
{
    va_list args;
    if (e->change_count == EXPLAIN_CHANGES_MAX) {
        e->is_cut = true;
        return;
    }
    va_start(args, format);
    vsnprintf(e->changes[e->change_count++], sizeof e->changes[0], format, args);
    va_end(args);
}

static int64_t age_ms(struct fc_time then, struct fc_time now) { return fc_is_ever(then) ? -1 : fc_span_ms(fc_since(then, now)); }
static int64_t left_ms(struct fc_time until, struct fc_time now) { return fc_before(now, until) ? fc_span_ms(fc_since(now, until)) : 0; }
static const char *yes(bool is_true) { return is_true ? "yes" : "no"; }
static const char *chair_pool(const struct steering *st) { return st->pools[st->backend].name; }

/* ---- servers as inputs -------------------------------------------------------------------------------------------- */

static void say_replica(const struct replica_look *replica, char *to, size_t size)
{
    if (!replica->is_configured)
        text_copy(to, size, "replicates from nobody");
    else if (replica->sql != THREAD_RUNNING || replica->io != THREAD_RUNNING)
        text_format(to, size, "replication of %s: fetching %s, applying %s%s%s", replica->master, thread_state_word(replica->io),
                    thread_state_word(replica->sql), replica->error[0] != '\0' ? ": " : "", replica->error);
    else if (replica->lag_ms < 0)
        text_format(to, size, "replicates from %s, lag unknown", replica->master);
    else
        text_format(to, size, "replicates from %s, %lld ms behind%s", replica->master, (long long)replica->lag_ms,
                    replica_is_drained(replica) ? ", nothing left to apply" : "");
}

static void add_server(struct explanation *e, const struct steering *st, const struct steer_stage *stage, int server)
{
    const struct server_state *s = &stage->servers->list[server];
    const struct hold *hold = steer_hold_on(st, s->name);
    const int64_t age = s->has_been_seen ? age_ms(s->seen_at, stage->now) : -1;
    char replica[360];
    say_replica(&s->look.replica, replica, sizeof replica);
    if (stage->servers->looks_at_none)
        explain_input(e, -1, s->name, "not looked at by a witness%s", !servers_is_open(stage->servers, server) ? "" : "; told that it sits and is open");
    else if (s->is_reachable)
        explain_input(e, age, s->name, "answers, %s, %s", s->look.is_read_only ? "read_only" : "writable", replica);
    else if (!s->has_been_seen)
        explain_input(e, -1, s->name, "%s%s%s%s", s->has_answered ? "never seen, lost: " : "not looked at yet",
                      s->has_answered ? loss_word(s->loss) : "", s->has_answered ? ": " : "", s->has_answered ? s->loss_text : "");
    else
        explain_input(e, age, s->name, "lost (%s): %s; last seen %s", loss_word(s->loss), s->loss_text,
                      s->look.is_read_only ? "read_only" : "writable");
    if (hold != NULL)
        explain_input(e, stage->unix_ms - hold->since_unix_ms, "held out", "%s is in %s by %s%s%s", s->name, hold_kind_word(hold->kind),
                      hold->by, hold->why[0] != '\0' ? ": " : "", hold->why);
    if (s->trouble[0] != '\0')
        explain_input(e, -1, "tables", "%s does not have firstchair's tables: %s", s->name, s->trouble);
}

/* What the other nodes told of a server that is lost here. */
static void add_sights(struct explanation *e, const struct steer_stage *stage, int server)
{
    const struct server_state *s = &stage->servers->list[server];
    if (s->has_answered && !s->is_reachable) {
        char share[160];
        const struct accord accord = servers_accord(stage->servers, server, stage->now);
        accord_say(&accord, stage->servers->consent, share, sizeof share);
        explain_input(e, age_ms(s->lost_at, stage->now), "agreement", "%s", share);
        explain_input(e, age_ms(s->failed_at, stage->now), stage->node, "has lost %s: %s", s->name, loss_word(s->loss));
    }
    for (int i = 0; s->has_answered && !s->is_reachable && i < stage->servers->other_count; i++) {
        const struct sight *sight = &s->sights[i];
        if (sight->state == SIGHT_TOLD)
            explain_input(e, age_ms(sight->at, stage->now), stage->servers->others[i], "%s %s%s%s", sight->loss == LOSS_NONE ? "sees" : "has lost",
                          s->name, sight->loss == LOSS_NONE ? "" : ": ", sight->loss == LOSS_NONE ? "" : loss_word(sight->loss));
        else
            explain_input(e, sight->state != SIGHT_UNKNOWN ? age_ms(sight->at, stage->now) : -1, stage->servers->others[i], "%s",
                          sight->state == SIGHT_NONE ? "is a witness: it looks at no server" : sight->state == SIGHT_MUTE ? "could not be asked what it sees" : "has not told yet what it sees");
    }
}

/* May it be seated by order, and how good a successor would it be? */
static void add_candidate(struct explanation *e, const struct steering *st, const struct steer_stage *stage, int server,
                          const char *otherwise)
{
    const struct server_state *s = &stage->servers->list[server];
    struct fc_err err = { .code = FC_OK };
    if (steer_may_seat(st, stage, server, false, &err) != FC_OK)
        explain_instead(e, s->name, "%s", err.text);
    else
        explain_instead(e, s->name, "it could sit (as a successor %d of 3: %s): %s", steer_score(s),
                        steer_score(s) == 3 ? "it replicates and has applied all that it fetched" : "it has more to apply", otherwise);
}

/* ---- moves -------------------------------------------------------------------------------------------------------- */

static void add_steps(struct explanation *e, const struct move *move, enum move_step at)
{
    struct move planned = *move;       /* the old server's end is known as soon as it is fenced */
    if ((int)at < STEP_CATCH_UP && !move_leaves_out(move, STEP_FENCE))
        planned.has_position = true;
    for (int step = STEP_APPROACH; step < STEP_COUNT; step++) {
        const bool is_out = move_leaves_out(&planned, (enum move_step)step);
        struct explain_step *s = &e->steps[e->step_count++];
        s->word = move_step_word((enum move_step)step);
        s->state = step == (int)at ? "now" : step < (int)at ? (is_out ? "left out" : "done") : is_out ? "left out" : "to come";
        s->failure = is_out ? "" : move_needs(move, (enum move_step)step) == NEEDED ? "its failure ends the move" : "its failure is borne";
    }
}

static void add_move(struct explanation *e, const struct steering *st, const struct steer_stage *stage)
{
    const struct move *move = &st->move;
    explain_input(e, age_ms(move->started_at, stage->now), "move", "%s, from %s to %s%s: %s", move_plans[move->kind].word,
                  steer_server_name(stage, move->from), steer_server_name(stage, move->to), move->is_forced ? ", forced" : "", move->why);
    explain_input(e, age_ms(move->step_at, stage->now), "step", "%s%s", move_step_word(move->step),
                  move->deed_id != 0 ? ", its result is awaited" : "");
    explain_input(e, -1, "fenced", "%s%s", yes(move->is_fenced), move->is_stale ? "; the new one may lack writes (stale)" : "");
    if (move_plans[move->kind].to_position)
        explain_input(e, -1, "bound", "%lld ms left of %u", (long long)left_ms(move->deadline, stage->now), move->limit_ms);
    if (move->step == STEP_WAIT) {
        char awaited[200];
        heard_awaited(&st->heard, stage->config, awaited, sizeof awaited);
        explain_input(e, -1, "still awaited", "%s", awaited);
        explain_change(e, "%s could not be fenced: the wait ends in %lld ms at the latest, or when it is fenced, or found gone, or when every "
                       "HAProxy has shown that it has heard", steer_server_name(stage, move->from),
                       (long long)left_ms(move->wait_until, stage->now));
    }
    add_steps(e, move, move->step);
}

/* ---- the chair ---------------------------------------------------------------------------------------------------- */

static const struct { size_t rule, fact; const char *name; } fact_columns[] = {
#define COLUMN(field, name) { offsetof(struct seat_rule, field), offsetof(struct seat_facts, field), name }
    COLUMN(looked, "every server was looked at"),
    COLUMN(moving, "the row says that the chair is being moved"),
    COLUMN(named, "the row names who sits"),
    COLUMN(seen, "the seated server answers"),
    COLUMN(gone, "its process is gone, and all who can look agree"),
    COLUMN(asked, "it refuses us, and another node has not yet told what it sees"),
    COLUMN(elsewhere, "the lease lies on another server"),
    COLUMN(shared, "enough of the nodes have lost it, or too few can be asked and none sees it"),
    COLUMN(open, "the seated server is writable"),
    COLUMN(other_open, "another server is writable"),
#undef COLUMN
};
#define FACT_COLUMNS (sizeof fact_columns / sizeof fact_columns[0])

static enum fact fact_at(const void *base, size_t offset)
{
    enum fact fact;
    memcpy(&fact, (const char *)base + offset, sizeof fact);
    return fact;
}

static void add_facts(struct explanation *e, const struct seat_facts *facts)
{
    for (size_t i = 0; i < FACT_COLUMNS; i++)
        explain_input(e, -1, fact_columns[i].name, "%s", yes(fact_at(facts, fact_columns[i].fact) == YES));
}

/* The rows above the one that fitted: the first fact of each that did not. */
static void add_other_findings(struct explanation *e, const struct steering *st)
{
    for (const struct seat_rule *rule = seat_rules; rule < st->finding; rule++) {
        for (size_t i = 0; i < FACT_COLUMNS; i++) {
            const enum fact wanted = fact_at(rule, fact_columns[i].rule);
            if (wanted == ANY || wanted == fact_at(&st->facts, fact_columns[i].fact))
                continue;
            explain_instead(e, rule->word, "%s: not so, it wants '%s' to be %s", rule->because, fact_columns[i].name, yes(wanted == YES));
            break;
        }
    }
}

static void add_row(struct explanation *e, const struct steering *st, const struct steer_stage *stage)
{
    const struct decision *row = &st->chair.row;
    char mark[MARK_SIZE] = "";
    if (st->chair.state == CHAIR_UNKNOWN)
        return;
    mark_words(row->mark, mark, sizeof mark);
    explain_input(e, age_ms(st->chair.since, stage->now), "deciding row", "epoch %llu seq %llu, %s, led by %s, sits %s%s%s%s%s",
                  (unsigned long long)row->rank.epoch, (unsigned long long)row->rank.seq, phase_word(row->phase),
                  row->rank.node[0] != '\0' ? row->rank.node : "nobody",
                  steer_server_name(stage, servers_named(stage->servers, row->rank.server)),
                  row->successor[0] != '\0' ? ", successor " : "",
                  row->successor[0] != '\0' ? steer_server_name(stage, servers_named(stage->servers, row->successor)) : "",
                  mark[0] != '\0' ? ", marked " : "", mark);
    explain_input(e, -1, "why this one", "%s", row->why[0] != '\0' ? row->why : "nobody has sat yet");
}

static void chair_verdict(struct explanation *e, const struct steering *st, const struct steer_stage *stage)
{
    const struct chair *chair = &st->chair;
    const char *seated = steer_server_name(stage, servers_named(stage->servers, chair->row.rank.server));
    const struct hold *pause = holds_find(&st->holds, chair_pool(st), "");
    const char *paused = pause != NULL ? "; paused by " : "", *by = pause != NULL ? pause->by : "";
    if (st->move.step != STEP_NONE)
        TEXT_FORMAT(e->verdict, "the chair is being moved from %s to %s by this node: step %s", steer_server_name(stage, st->move.from),
                    steer_server_name(stage, st->move.to), move_step_word(st->move.step));
    else if (chair->state == CHAIR_MOVING)
        TEXT_FORMAT(e->verdict, "the chair is being moved from %s to %s%s%s", seated,
                    steer_server_name(stage, servers_named(stage->servers, chair->row.successor)), paused, by);
    else if (chair->state == CHAIR_SEATED)
        TEXT_FORMAT(e->verdict, "%s sits%s%s", text_is(seated, "nobody") ? "a server that is not configured here" : seated, paused, by);
    else
        TEXT_FORMAT(e->verdict, "%s%s%s", chair->state == CHAIR_NOBODY ? "nobody sits" : "not known yet", paused, by);
}

/* What would move the chair, by itself or by order. */
static void add_chair_changes(struct explanation *e, const struct steering *st, const struct steer_stage *stage)
{
    const enum steer_bar bar = steer_bar(st, stage);
    struct fc_span left;
    if (bar == BAR_PAUSED)
        explain_change(e, "`resume %s` ends the pause: until then nothing moves by itself", chair_pool(st));
    else if (bar == BAR_RETRY_PAUSE)
        explain_change(e, "%s: %lld ms left%s%s", steer_bar_sentences[bar], (long long)left_ms(st->not_before, stage->now),
                       st->retry.failures > 0 ? "; last: " : "", st->retry.failures > 0 ? st->retry.reason : "");
    else if (bar == BAR_NOT_LEADING)
        explain_change(e, "this node does not lead: %s%s decides", stage->leadership->leader[0] != '\0' ? "" : "whoever leads next",
                       stage->leadership->leader);
    else if (bar != BAR_NONE && bar != BAR_MOVING)
        explain_change(e, "%s", steer_bar_sentences[bar]);
    if (st->finding->finding == SEAT_WELL && st->facts.seated > 0) {
        const enum failback_bar failback = failback_bar(st, stage, &left);
        if (left.us > 0)
            explain_change(e, "failback to %s: %s, %lld ms left", st->pools[st->backend].members[0].name,
                           failback_bar_sentences[failback], (long long)fc_span_ms(left));
        else
            explain_change(e, "failback to %s: %s", st->pools[st->backend].members[0].name, failback_bar_sentences[failback]);
    }
    for (int i = 0; st->move.step == STEP_NONE && i < stage->servers->count; i++) {
        if (i != st->facts.seated && steer_may_seat(st, stage, i, false, NULL) == FC_OK)
            explain_change(e, "`switch %s %s` would seat %s", chair_pool(st), stage->servers->list[i].name,
                           stage->servers->list[i].name);
    }
}

/* What it judges of servers that it has never seen would be said from ignorance: it judges nothing. */
static void explain_chair_as_told(const struct steering *st, const struct steer_stage *stage, struct explanation *e)
{
    TEXT_SET(e->rule, "witness");
    TEXT_SET(e->because, "this node is a witness only: it says what raft's log and the leader tell it, and judges no server");
    add_row(e, st, stage);
    for (int i = 0; i < stage->servers->count; i++)
        add_server(e, st, stage, i);
    explain_change(e, "a move of the chair by the leader; ask %s what it sees and would do",
                   stage->leadership->leader[0] != '\0' ? stage->leadership->leader : "a node");
}

void explain_chair(const struct steering *st, const struct steer_stage *stage, struct explanation *e)
{
    explain_begin(e, EXPLAIN_CHAIR, chair_pool(st));
    chair_verdict(e, st, stage);
    e->since_unix_ms = st->chair.since_unix_ms;
    if (stage->servers->looks_at_none) {
        explain_chair_as_told(st, stage, e);
        return;
    }
    TEXT_SET(e->rule, st->finding->word);
    TEXT_SET(e->because, st->finding->because);
    add_row(e, st, stage);
    if (st->move.step != STEP_NONE)
        add_move(e, st, stage);
    explain_input(e, -1, "what the leader does about it", "%s", steer_decisions[st->finding->finding]);
    for (int i = 0; i < stage->servers->count; i++)
        add_server(e, st, stage, i);
    if (st->facts.seated >= 0)
        add_sights(e, stage, st->facts.seated);
    if (steer_second_writer(st, stage) >= 0)
        explain_input(e, -1, "two writers", "%s is writable as well%s", steer_server_name(stage, steer_second_writer(st, stage)),
                      holds_find(&st->holds, chair_pool(st), "") != NULL ? ": the pool is paused, so nobody is fenced, and clients may write to both" : "");
    if (st->retry.failures > 0)
        explain_input(e, age_ms(st->retry.failed_at, stage->now), "failed tries", "%d, the next after %d ms: %s", st->retry.failures,
                      st->retry.pause_ms, st->retry.reason);
    add_facts(e, &st->facts);
    for (int i = 0; i < stage->servers->count; i++) {
        if (i != st->facts.seated)
            add_candidate(e, st, stage, i, st->facts.seated >= 0 ? "but the chair stays where it is while nothing is wrong there"
                                                                 : "nobody else sits");
    }
    add_other_findings(e, st);
    add_chair_changes(e, st, stage);
}

/* ---- an answer ---------------------------------------------------------------------------------------------------- */

static void add_answer_inputs(struct explanation *e, const struct steering *st, const struct steer_stage *stage, int member)
{
    const struct hold *pause = holds_find(&st->holds, chair_pool(st), "");
    explain_input(e, age_ms(st->chair.since, stage->now), "chair", "%s", chair_state_word(st->chair.state));
    explain_input(e, -1, "this node has looked everywhere", "%s", yes(stage->has_looked));
    if (pause != NULL)
        explain_input(e, stage->unix_ms - pause->since_unix_ms, "paused", "by %s%s%s", pause->by,
                      pause->why[0] != '\0' ? ": " : "", pause->why);
    add_row(e, st, stage);
    add_server(e, st, stage, member);
}

static void add_answer_changes(struct explanation *e, const struct steering *st, const struct steer_stage *stage,
                               enum answer_case which, int member)
{
    const char *pool = st->backend >= 0 ? chair_pool(st) : "", *name;
    struct fc_err err = { .code = FC_OK };
    switch (which) {
    case ANSWER_PAUSED:
        explain_change(e, "`resume %s` ends the pause", pool);
        break;
    case ANSWER_STARTING:
        explain_change(e, "the first look at the chair, at every server and at every HAProxy (or its failure)");
        break;
    case ANSWER_UNTOLD:
        explain_change(e, "the leader's next word about the chair: it comes with its next ping");
        break;
    case ANSWER_MOVING:
    case ANSWER_NOBODY:
        explain_change(e, "the end of the move, or the next one: see `plan %s`", pool);
        break;
    case ANSWER_HELD:
    case ANSWER_OTHER_SITS:
        name = st->pools[st->backend].members[member].name;
        if (which == ANSWER_HELD)
            explain_change(e, "`ready %s/%s` ends the hold; it then rests like any other", pool, name);
        if (stage->servers->looks_at_none)
            explain_change(e, "a move of the chair by the leader: a witness sees no server and moves nothing");
        else if (steer_may_seat(st, stage, member, false, &err) == FC_OK)
            explain_change(e, "`switch %s %s` would seat it", pool, name);
        else
            explain_change(e, "`switch %s %s` would be refused: %s", pool, name, err.text);
        break;
    case ANSWER_NOT_OPEN:
        explain_change(e, "it is found open: the leader opens it by a move of the kind reseat, unless one is under way");
        break;
    case ANSWER_FIRST:
        explain_change(e, "the loss of this server, or `switch %s` to another one", pool);
        break;
    case ANSWER_OTHER_NODE:
        explain_change(e, "nothing here: the node that it names says it itself");
        break;
    case ANSWER_LEADS: case ANSWER_SUSPENDED: case ANSWER_LEADERLESS: case ANSWER_FOLLOWS: case ANSWER_RULE_COUNT:
        explain_change(e, "a change of the leadership: see `explain leader`");
        break;
    }
}

/* Rows of the same kind of pool above the one that fitted. */
static void add_other_answers(struct explanation *e, enum answer_case which)
{
    for (int i = 0; i < (int)which; i++) {
        if (answer_rules[i].kind == answer_rules[which].kind)
            explain_instead(e, answer_rules[i].word, "%s", answer_rules[i].not);
    }
}

void explain_answer(const struct steering *st, const struct steer_stage *stage, int pool, int member, struct explanation *e)
{
    const struct pool_member *m = &st->pools[pool].members[member];
    const bool is_of_cluster = pool_is_of_cluster(&st->pools[pool]);
    const enum answer_case which = is_of_cluster ? ANSWER_RULE_COUNT : answer_case_of(st, stage, pool, member);
    const struct cluster_rule *rule = &cluster_rules[is_of_cluster ? st->clusters[pool].cases[member] : 0];
    const bool is_within = fc_before(stage->now, m->answer.until);
    char subject[ORDER_SAID_SIZE + 64];
    TEXT_FORMAT(subject, "%.60s/%.60s", st->pools[pool].name, m->name);
    explain_begin(e, EXPLAIN_ANSWER, subject);
    if (!m->has_answer)
        TEXT_SET(e->verdict, "nothing has been said yet");
    else if (is_within)
        TEXT_FORMAT(e->verdict, "%s: %s", voice_word(m->answer.voice), m->answer.reason);
    else
        TEXT_FORMAT(e->verdict, "%s: term over (before: %s)", voice_word(m->answer.late), m->answer.reason);
    e->since_unix_ms = m->since_unix_ms;
    TEXT_SET(e->rule, !is_within ? "term-over" : is_of_cluster ? rule->word : answer_rules[which].word);
    TEXT_SET(e->because, is_within ? (is_of_cluster ? rule->because : answer_rules[which].because)
                                   : "nothing has confirmed it for so long that this node may not say it any more");
    if (m->answer.epoch != 0)
        explain_input(e, -1, "epoch", "%llu", (unsigned long long)m->answer.epoch);
    if (!fc_is_never(m->answer.until))
        explain_input(e, -1, "term", "%lld ms left, then %s", (long long)left_ms(m->answer.until, stage->now), voice_word(m->answer.late));
    if (is_of_cluster) {
        explain_cluster(st, stage, pool, member, e);
        return;
    }
    if (pool == st->backend)
        add_answer_inputs(e, st, stage, member);
    else
        explain_input(e, -1, "leadership", "%s%s%s", leadership_state_word(stage->leadership->state),
                      stage->leadership->leader[0] != '\0' ? ", led by " : ", nobody is known to lead", stage->leadership->leader);
    add_other_answers(e, which);
    if (!is_within)
        explain_change(e, "a look that confirms the chair again begins a new term");
    add_answer_changes(e, st, stage, which, member);
}

/* ---- the leadership ----------------------------------------------------------------------------------------------- */

static void add_leader_changes(struct explanation *e, const struct steer_stage *stage, enum answer_case which)
{
    const struct config *c = stage->config;
    const struct leadership *l = stage->leadership;
    if (which == ANSWER_LEADS) {
        explain_change(e, "the lease runs out in %lld ms unless the store confirms its renewal (each %d ms)",
                       (long long)left_ms(l->until, stage->now), c->lease_renew_ms);
        explain_change(e, "`yield` gives the lease back; this node does not stand again for %d ms", c->yield_pause_ms);
    } else if (which == ANSWER_SUSPENDED) {
        explain_change(e, "the store answers again before another node has taken over");
    } else if (stage->servers->looks_at_none) {
        explain_change(e, "witness only: this node never leads; it votes, and what it is elected to it hands to a node at once");
    } else {
        explain_change(e, "this node takes over after it has watched the lease stand still for %d ms (LeaseMilliseconds and LeaseDriftPercent) "
                       "on every server in sight, or at once when it was given back", c->lease_ms + c->lease_ms * c->drift_percent / 100);
    }
}

void explain_leader(const struct steering *st, const struct steer_stage *stage, struct explanation *e)
{
    const struct leadership *l = stage->leadership;
    const enum answer_case which = answer_case_of_leader(stage);
    explain_begin(e, EXPLAIN_LEADER, "leader");
    if (which == ANSWER_LEADS)
        TEXT_FORMAT(e->verdict, "%s (this node) leads", stage->node);
    else if (which == ANSWER_FOLLOWS)
        TEXT_FORMAT(e->verdict, "%s leads; %s (this node) follows", l->leader, stage->node);
    else
        TEXT_FORMAT(e->verdict, "%s", which == ANSWER_SUSPENDED ? "this node led and may not act: the store is silent" : "nobody is known to lead");
    e->since_unix_ms = l->since_unix_ms;
    TEXT_SET(e->rule, answer_rules[which].word);
    TEXT_SET(e->because, answer_rules[which].because);
    explain_input(e, -1, "state", "%s%s%s", leadership_state_word(l->state), l->why[0] != '\0' ? ": " : "", l->why);
    explain_input(e, -1, "epoch", "%llu", (unsigned long long)l->epoch);
    if (stage->servers->looks_at_none)
        explain_input(e, -1, "role", "witness only: it votes and answers HAProxy, and looks at no server");
    if (left_to_another(st, stage))
        explain_input(e, age_ms(st->left.since, stage->now), "left to another", "%s sees %s, and this node does not: it does not stand for the lease",
                      stage->servers->others[st->left.node], steer_server_name(stage, st->facts.seated));
    explain_input(e, age_ms(l->confirmed_at, stage->now), "last confirmed by the store", "%s",
                  fc_is_ever(l->confirmed_at) ? "never" : "a renewal or a look at another's");
    if (l->state == LEADING)
        explain_input(e, -1, "lease", "on %s, %lld ms left", steer_server_name(stage, l->place), (long long)left_ms(l->until, stage->now));
    for (int i = 0; i < stage->servers->count; i++)
        add_server(e, st, stage, i);
    add_other_answers(e, which);
    add_leader_changes(e, stage, which);
}

/* ---- trying ------------------------------------------------------------------------------------------------------- */

/* A copy that may be changed. A follower tries as the leader would, judging by what this node sees. */
static struct steer_stage try_begin(const struct steering *st, const struct steer_stage *stage, bool as_leader,
                                    struct explain_room *room)
{
    struct steer_stage copy = *stage;
    room->steering = *st;
    room->servers = *stage->servers;
    room->leadership = *stage->leadership;
    room->rng = *stage->rng;
    room->next_id = *stage->next_id;
    effects_clear(&room->effects);
    if (as_leader && !steer_may_act(stage)) {
        const int seated = servers_named(stage->servers, st->chair.row.rank.server);
        room->leadership.state = LEADING;
        room->leadership.until = FC_NEVER;
        room->leadership.epoch = st->chair.row.rank.epoch;
        room->leadership.place = seated;
        TEXT_SET(room->leadership.leader, stage->node);
    }
    copy.servers = &room->servers;
    copy.leadership = &room->leadership;
    copy.rng = &room->rng;
    copy.next_id = &room->next_id;
    copy.out = &room->effects;
    copy.closed = &room->steering.closed;
    return copy;
}

static const struct effect *effect_find(const struct explain_room *room, enum effect_type type)
{
    for (int i = 0; i < room->effects.count; i++) {
        if (room->effects.list[i].type == type && (type != ORDER_REPLY || room->effects.list[i].as.reply.is_final))
            return &room->effects.list[i];
    }
    return NULL;
}

static void say_move(struct explanation *e, const struct steer_stage *stage, const struct move *move)
{
    TEXT_FORMAT(e->verdict, "would move the chair from %s to %s: %s", steer_server_name(stage, move->from), steer_server_name(stage, move->to),
                move->why);
    TEXT_SET(e->rule, move_plans[move->kind].word);
    explain_input(e, -1, "bound", "%u ms", move->limit_ms);
    add_steps(e, move, STEP_NONE);
}

static void give(struct explain_room *room, struct steer_stage *stage, const char *text, const char *by, bool may_change)
{
    struct event event = { .type = ORDER_GIVEN, .at = stage->now, .unix_ms = stage->unix_ms };
    event.as.order.ticket = 1;
    event.as.order.text = text;
    event.as.order.length = strlen(text);
    event.as.order.may_change = may_change;
    TEXT_SET(event.as.order.by, by);
    command_given(&room->steering, stage, &event);
}

static void order_verdict(struct explanation *e, const struct steering *st, const struct steer_stage *stage,
                          const struct explain_room *room)
{
    const struct effect *reply = effect_find(room, ORDER_REPLY), *hold = effect_find(room, HOLD_WRITE), *members = effect_find(room, MEMBERS);
    if (reply != NULL) {
        e->code = reply->as.reply.code;
        TEXT_SET(e->rule, fc_code_word(e->code));
        TEXT_FORMAT(e->verdict, e->code == FC_OK ? "nothing would be done: %s" : "would be refused: %s", reply->as.reply.text);
    } else if (st->move.step == STEP_NONE && room->steering.move.step != STEP_NONE) {
        say_move(e, stage, &room->steering.move);
    } else if (hold != NULL) {
        TEXT_SET(e->rule, "hold");
        TEXT_FORMAT(e->verdict, "would store for %s%s%s: %s", hold->as.hold.pool, hold->as.hold.server[0] != '\0' ? "/" : "",
                    hold->as.hold.server, hold->as.hold.kind == HOLD_NONE ? "no hold any more" : hold_kind_word(hold->as.hold.kind));
    } else if (members != NULL) {
        static const char *const what[] = { [MEMBER_ADD] = "take in as a learner", [MEMBER_PROMOTE] = "make a voter", [MEMBER_REMOVE] = "remove" };
        TEXT_SET(e->rule, "members");
        TEXT_FORMAT(e->verdict, "would %s: %s, if raft's thread finds nothing against it", what[members->as.members.change], members->as.members.name);
    } else {
        TEXT_SET(e->rule, "yield");
        TEXT_FORMAT(e->verdict, "would give the lease back; this node would not stand again for %d ms", stage->config->yield_pause_ms);
    }
}

/* Which servers could be named instead, and what `force` would change. */
static void add_order_alternatives(struct explanation *e, const struct steering *st, const struct steer_stage *stage,
                                   const struct order *order)
{
    const int to = servers_by_name(stage->servers, order->server);
    if (order->verb != VERB_SWITCH || st->backend < 0 || !text_is(order->pool, chair_pool(st)))
        return;
    for (int i = 0; i < stage->servers->count; i++) {
        if (i != to && i != st->facts.seated)
            add_candidate(e, st, stage, i, "it was not named");
    }
    if (to < 0 || order->is_forced)
        return;
    const bool is_fit = steer_may_seat(st, stage, to, false, NULL) == FC_OK;
    char waived[80];
    steer_waived_words(steer_waived(stage, to), waived, sizeof waived);
    struct fc_err err = { .code = FC_OK };
    if (steer_may_seat(st, stage, to, true, &err) != FC_OK)
        explain_instead(e, "force", "it would not help: %s", err.text);
    else
        explain_instead(e, "force", is_fit ? "not needed: no rule stands against %s; it would not wait for the catch-up, and lose what was not applied"
                                           : "it would seat %s despite %s, and lose what that lacks", order->server, waived);
}

void explain_order(const struct steering *st, const struct steer_stage *stage, const char *text, const char *by, bool may_change,
                   struct explain_room *room, struct explanation *e)
{
    struct steer_stage copy = try_begin(st, stage, false, room);
    struct order order;
    explain_begin(e, EXPLAIN_ORDER, text);
    give(room, &copy, text, by, may_change);
    if (effect_find(room, ORDER_REPLY) == NULL && !steer_may_act(stage)) {
        explain_input(e, -1, "handed on", "to %s, who leads; what follows is judged by what this node sees", stage->leadership->leader);
        copy = try_begin(st, stage, true, room);
        give(room, &copy, text, by, may_change);
    }
    order_verdict(e, st, stage, room);
    TEXT_SET(e->because, "tried on a copy of what this node knows, by the code that carries orders out");
    for (int i = 0; st->backend >= 0 && i < stage->servers->count; i++)
        add_server(e, st, stage, i);
    if (order_parse(text, strlen(text), &order, NULL) == FC_OK)
        add_order_alternatives(e, st, stage, &order);
    if (st->move.step != STEP_NONE && e->code == FC_BUSY)
        explain_change(e, "the end of the move that is under way: see `plan`");
}

static void plan_verdict(struct explanation *e, const struct steering *st, const struct steer_stage *stage,
                         const struct explain_room *room)
{
    const struct effect *fence = effect_find(room, FENCE);
    const enum steer_bar bar = steer_bar(st, stage);
    if (room->steering.move.step != STEP_NONE)
        say_move(e, stage, &room->steering.move);
    else if (fence != NULL)
        TEXT_FORMAT(e->verdict, "would fence %s: it is writable and does not sit", steer_server_name(stage, fence->server));
    else if (effect_find(room, GIVE_BACK) != NULL)
        TEXT_FORMAT(e->verdict, "would give the lease back: %s sees %s, and this node does not", stage->servers->others[room->steering.left.node],
                    steer_server_name(stage, st->facts.seated));
    else if (bar != BAR_NONE && bar != BAR_NOT_LEADING)
        TEXT_FORMAT(e->verdict, "nothing now: %s", steer_bar_sentences[bar]);
    else
        TEXT_FORMAT(e->verdict, "nothing: %s", st->finding->finding == SEAT_WELL ? "who sits is well" : "there is nobody to seat, or nothing to be done yet");
}

void explain_plan(const struct steering *st, const struct steer_stage *stage, struct explain_room *room, struct explanation *e)
{
    explain_begin(e, EXPLAIN_PLAN, chair_pool(st));
    TEXT_SET(e->rule, st->finding->word);
    TEXT_SET(e->because, st->finding->because);
    if (st->move.step != STEP_NONE) {
        chair_verdict(e, st, stage);
        e->since_unix_ms = stage->unix_ms - age_ms(st->move.started_at, stage->now);
        add_move(e, st, stage);
    } else {
        struct steer_stage copy = try_begin(st, stage, true, room);
        steering_step(&room->steering, &copy);
        plan_verdict(e, st, stage, room);
        if (!steer_may_act(stage))
            explain_input(e, -1, "who decides", "%s; this is what this node would do in its place, by what it sees",
                          stage->leadership->leader[0] != '\0' ? stage->leadership->leader : "whoever leads next");
    }
    for (int i = 0; i < stage->servers->count; i++)
        add_server(e, st, stage, i);
    add_chair_changes(e, st, stage);
}
