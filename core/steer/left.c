/* Leadership is left to a node that sees the server that sits, while this one does not.
 *
 * Who cannot reach it alone would have to move the chair without a fence, while all that clients feel is well. So as long as another
 * node says that it sees that server, this one does not stand for the lease; and one whose lease lies on the other server already gives
 * it back, once. Not for ever: a node that sees the server and still does not lead has a reason, and then the chair is moved as if
 * nobody saw it. A server that is dead or frozen is seen by nobody, and nothing of this applies (ADR 22). */
#include "steer/steering.h"

#include "base/text.h"

#define ASKS_FIRST_MS 400            /* from the loss on, until all have told or could not be asked: two questions, one lost look */
#define LEFT_WATCHES 2               /* so many watches of a lease: one is over before the other takes it, one is for what hinders it */

static int64_t fresh_ms(const struct config *c) { return 2 * (int64_t)c->poll_ms + c->probe_timeout_ms + GONE_AGAIN_MOST_MS; }

static struct fc_span left_span(const struct config *c)
{
    return fc_ms(LEFT_WATCHES * ((int64_t)c->lease_ms + (int64_t)c->lease_ms * c->drift_percent / 100));
}

static int who_sees_it(const struct steering *st, const struct steer_stage *stage)
{
    const int server = st->facts.seated;
    if (server < 0 || stage->servers->list[server].is_reachable || !stage->servers->list[server].has_answered)
        return -1;
    return servers_seen_by(stage->servers, server, fc_ms(fresh_ms(stage->config)), stage->now);
}

static bool another_leads(const struct steer_stage *stage)
{
    return stage->leadership->leader[0] != '\0' && !text_is(stage->leadership->leader, stage->node);
}

/* Once in each epoch, by who leads or led. */
static void say_left(struct steering *st, struct steer_stage *stage)
{
    struct left *left = &st->left;
    if (stage->leadership->state == FOLLOWING || left->said_epoch == left->epoch)
        return;
    left->said_epoch = left->epoch;
    steer_note(stage, NOTE_WARNING, st->pools[st->backend].name, left->epoch,
               "%s is lost here, and %s sees it: leadership is left to a node that does, for %lld ms at most",
               steer_server_name(stage, st->facts.seated), stage->servers->others[left->node],
               (long long)fc_span_ms(left_span(stage->config)));
}

void left_step(struct steering *st, struct steer_stage *stage)
{
    struct left *left = &st->left;
    const int node = who_sees_it(st, stage);
    if (node < 0) {
        left->since = FC_EVER;
        return;
    }
    /* Another one has taken over: should it be lost too, whoever still sees the server is let go first again. Raft says when it leads no
     * more, so there the time counts from then: votes go to anybody who stands, also to one that does not see the server. */
    const bool is_anew = another_leads(stage) && (left->epoch != stage->leadership->epoch || stage->config->raft_enabled);
    const bool is_on = !fc_is_ever(left->since);
    left->epoch = stage->leadership->epoch;
    left->node = node;
    if (is_on && !is_anew)
        return;
    left->since = stage->now;
    left->has_given_back = false;
    say_left(st, stage);
}

static struct fc_time left_until(const struct steering *st, const struct steer_stage *stage)
{
    return fc_is_ever(st->left.since) ? FC_EVER : fc_plus(st->left.since, left_span(stage->config));
}

bool left_to_another(const struct steering *st, const struct steer_stage *stage)
{
    return !fc_is_ever(st->left.since) && !fc_reached(left_until(st, stage), stage->now);
}

static struct fc_time asks_until(const struct steering *st, const struct steer_stage *stage)
{
    return fc_plus(stage->servers->list[st->facts.seated].lost_at, fc_ms(ASKS_FIRST_MS));
}

static bool asks_first(const struct steering *st, const struct steer_stage *stage)
{
    return servers_await_sights(stage->servers, st->facts.seated) && !fc_reached(asks_until(st, stage), stage->now);
}

bool left_holds_back(struct steering *st, struct steer_stage *stage)
{
    if (asks_first(st, stage) || st->yield_deed != 0)
        return true;
    if (!left_to_another(st, stage) || st->left.has_given_back)
        return false;
    st->left.has_given_back = true;
    steer_give_back(st, stage, "", &(struct asker){ 0 });
    return true;
}

struct fc_time left_wakes_at(const struct steering *st, const struct steer_stage *stage)
{
    struct fc_time next = left_to_another(st, stage) ? left_until(st, stage) : FC_NEVER;
    if (st->facts.seated >= 0 && !stage->servers->list[st->facts.seated].is_reachable && asks_first(st, stage))
        next = fc_earlier(next, asks_until(st, stage));
    return next;
}
