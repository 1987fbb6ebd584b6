/* More than one writable server in a paused pool: the operator's own, so nobody is fenced; but it is told, each time it begins. */
#include "steer/steering.h"

#include "base/text.h"

/* As last seen; with those that are in sight only, or with all. */
static int count_writable(const struct steer_stage *stage, bool is_in_sight)
{
    int count = 0;
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        count += s->has_been_seen && !s->look.is_read_only && (s->is_reachable || !is_in_sight);
    }
    return count;
}

int steer_second_writer(const struct steering *st, const struct steer_stage *stage)
{
    int beside = -1;
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        if (i != st->facts.seated && s->is_reachable && !s->look.is_read_only)
            beside = i;
    }
    return count_writable(stage, true) > 1 ? beside : -1;
}

static void tell_begin(const struct steering *st, struct steer_stage *stage, int beside, const struct hold *pause)
{
    const char *name = steer_server_name(stage, beside), *pool = st->pools[st->backend].name;
    steer_note(stage, NOTE_ALARM, pool, st->chair.row.rank.epoch,
               "%s is writable beside %s, and the pool is paused by %s: nobody is fenced, clients may write to both; close one, or `resume %s`",
               name, steer_server_name(stage, st->facts.seated), pause->by, pool);
    if (steer_may_act(stage))
        steer_record(stage, "stray", pool, st->chair.row.rank.epoch, "%s is writable beside %s and is left so: the pool is paused by %s", name,
                     steer_server_name(stage, st->facts.seated), pause->by);
}

void writers_step(struct steering *st, struct steer_stage *stage)
{
    const struct hold *pause = holds_find(&st->holds, st->pools[st->backend].name, "");
    const int second = steer_second_writer(st, stage);
    /* One that is out of sight may still be writable: nothing is said to have ended by that. */
    const bool are_over = count_writable(stage, false) < 2;
    if (!st->has_told_writers && pause != NULL && second >= 0) {
        st->has_told_writers = true;
        tell_begin(st, stage, second, pause);
    } else if (st->has_told_writers && (pause == NULL || are_over)) {
        st->has_told_writers = false;
        steer_note(stage, NOTE_INFO, st->pools[st->backend].name, st->chair.row.rank.epoch, "%s",
                   are_over ? "one server at most is writable again" : "the pause has ended: a second writable server is fenced");
    }
}
