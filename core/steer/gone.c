/* A loss is not believed of this node alone: while a server that matters is lost to it, the other nodes are asked what they see.
 *
 * Every node asks, not only the leader: whoever takes the lease over finds the answers there. What they mean: servers_gone() where it
 * refuses, left.c where another node sees it, and whether enough of them have lost it (FailureDetectionQuorum, ADR 27). */
#include "steer/steering.h"

#include <string.h>

#include "base/text.h"

#define AGAIN_LEAST_MS 10            /* each question has the other node look at once: the second answer is nearly always enough */
/* The old server of the move under way, else the one that sits: what is concluded from its end opens another one. */
static int whom(const struct steering *st)
{
    return st->move.step != STEP_NONE ? st->move.from : st->facts.seated;
}

static bool is_asked_about(const struct steering *st, const struct steer_stage *stage)
{
    const int server = whom(st);
    if (server < 0 || stage->servers->other_count == 0)
        return false;
    const struct server_state *s = &stage->servers->list[server];
    return s->has_answered && !s->is_reachable && s->loss != LOSS_ENDED;      /* ended: the next look tells what that means */
}

/* After this a node that has not told is waited for no more. */
static struct fc_time patience_ends(const struct steering *st, const struct steer_stage *stage)
{
    return fc_plus(stage->servers->list[whom(st)].lost_at, stage->servers->patience);
}

struct fc_time gone_wakes_at(const struct steering *st, const struct steer_stage *stage)
{
    if (!is_asked_about(st, stage))
        return FC_NEVER;
    return fc_reached(patience_ends(st, stage), stage->now) ? st->gone.ask_at : fc_earlier(st->gone.ask_at, patience_ends(st, stage));
}

static bool add_sight(const struct steer_stage *stage, int node, const struct server_state *s, char *to, size_t size)
{
    const struct sight *sight = &s->sights[node];
    const char *name = stage->servers->others[node];
    const size_t used = strlen(to);
    if (sight->state != SIGHT_TOLD)
        return text_format(to + used, size - used, ", %s %s", name, sight->state == SIGHT_MUTE   ? "mute"
                                                                    : sight->state == SIGHT_NONE ? "witness"
                                                                                                 : "not told");
    return text_format(to + used, size - used, ", %s %s %lld ms", name, sight->loss == LOSS_NONE ? "sees it" : loss_word(sight->loss),
                       (long long)fc_span_ms(fc_since(sight->at, stage->now)));
}

void gone_say_share(const struct steer_stage *stage, int server, char *to, size_t size)
{
    const struct accord a = servers_accord(stage->servers, server, stage->now);
    text_format(to, size, "%d of %d have lost it, %d see it, %d mute; %s wants %d", a.lost, a.nodes, a.seen, a.mute,
                consent_word(stage->servers->consent), a.needed);
}

bool gone_say_seen(const struct steer_stage *stage, int server, char *to, size_t size)
{
    const struct servers *all = stage->servers;
    const struct server_state *s = &all->list[server];
    const struct accord accord = servers_accord(all, server, stage->now);
    char share[40];
    bool fits = text_format(to, size, "%s %s %lld ms", stage->node, loss_word(s->loss), (long long)fc_span_ms(fc_since(s->failed_at, stage->now)));
    for (int i = 0; i < all->other_count; i++)
        fits = fits && add_sight(stage, i, s, to, size);
    TEXT_FORMAT(share, "; %s %d of %d", consent_word(all->consent), accord.needed, accord.nodes);
    fits = fits && text_copy(to + strlen(to), size - strlen(to), share);
    if (!fits)
        gone_say_share(stage, server, to, size);
    return fits;
}

/* Said once in an epoch: nothing is moved, and why. */
static void say_contested(struct steering *st, struct steer_stage *stage)
{
    struct gone_search *search = &st->gone;
    char seen[SEEN_SIZE], what[160];
    if (st->finding->finding != SEAT_CONTESTED || !steer_may_act(stage))
        return;
    const struct accord accord = servers_accord(stage->servers, st->facts.seated, stage->now);
    if (accord.verdict != ACCORD_REFUSED || (search->is_told && search->told_epoch == stage->leadership->epoch))
        return;
    search->is_told = true;
    search->told_epoch = stage->leadership->epoch;
    accord_say(&accord, stage->servers->consent, what, sizeof what);
    gone_say_seen(stage, st->facts.seated, seen, sizeof seen);
    steer_note(stage, NOTE_ALARM, st->pools[st->backend].name, stage->leadership->epoch, "%s is lost here and not replaced: %s",
               steer_server_name(stage, st->facts.seated), what);
    steer_record(stage, "contested", st->pools[st->backend].name, stage->leadership->epoch, "%s is lost here and not replaced (%s)",
                 steer_server_name(stage, st->facts.seated), seen);
}

void gone_step(struct steering *st, struct steer_stage *stage)
{
    struct gone_search *search = &st->gone;
    say_contested(st, stage);
    if (!is_asked_about(st, stage))
        return;
    const struct fc_time lost_at = stage->servers->list[whom(st)].lost_at;
    const bool is_news = search->server != whom(st) || search->lost_at.us != lost_at.us;
    if (!is_news && !fc_reached(search->ask_at, stage->now))
        return;
    search->again_ms = is_news ? AGAIN_LEAST_MS : search->again_ms * 2 < GONE_AGAIN_MOST_MS ? search->again_ms * 2 : GONE_AGAIN_MOST_MS;
    search->server = whom(st);
    search->lost_at = lost_at;
    search->ask_at = fc_plus(stage->now, fc_ms(search->again_ms));
    effects_add(stage->out, SIGHTS_LOOK)->server = search->server;
}
