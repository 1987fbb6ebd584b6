/* A loss is not believed of this node alone: while a server that matters is lost to it, the other nodes are asked what they see.
 *
 * Every node asks, not only the leader: whoever takes the lease over finds the answers there. What they mean: servers_gone() where it
 * refuses, left.c where another node sees it. */
#include "steer/steering.h"

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

void gone_step(struct steering *st, struct steer_stage *stage)
{
    struct gone_search *search = &st->gone;
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

struct fc_time gone_wakes_at(const struct steering *st, const struct steer_stage *stage)
{
    return is_asked_about(st, stage) ? st->gone.ask_at : FC_NEVER;
}
