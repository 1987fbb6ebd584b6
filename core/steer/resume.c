/* A replica whose fetching was stopped by an error of the way there goes on where it was, once it is told to: nothing in its log is
 * wrong. MariaDB does not do it by itself, and a pair that no longer replicates has no successor. The leader has it done by a
 * procedure that the owner of the servers laid there (docs/accounts.md); where there is none, people are told. An error of what stands
 * in the log is never passed over: that needs a human. */
#include "steer/steering.h"

#include "base/text.h"

#define FIRST_AGAIN_MS 500
#define DOUBLINGS 7                  /* the seventh would be more than */
#define MOST_AGAIN_MS 60000
#define HELPLESS_AGAIN_MS 60000
#define CALM_MS 60000                /* running for so long: the next stop is a new one */

static int64_t pause_ms(const struct resuming *r)
{
    return r->is_helpless ? HELPLESS_AGAIN_MS : r->tries >= DOUBLINGS ? MOST_AGAIN_MS : (int64_t)FIRST_AGAIN_MS << r->tries;
}

static void note_running(struct resuming *r, const struct steer_stage *stage)
{
    if (fc_is_ever(r->ran_since))
        r->ran_since = stage->now;
    if (fc_since(r->ran_since, stage->now).us > fc_ms(CALM_MS).us)
        r->tries = 0;
    r->is_told = r->is_helpless = false;
}

static void begin(struct resuming *r, struct steer_stage *stage, int server)
{
    struct effect *effect = effects_add(stage->out, RESUME);
    effect->id = r->deed_id = (*stage->next_id)++;
    effect->server = server;
    effect->until = stage->leadership->until;
    r->again_at = fc_plus(stage->now, fc_ms(pause_ms(r)));
    r->tries++;
}

void resume_step(struct steering *st, struct steer_stage *stage)
{
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        struct resuming *r = &st->resuming[i];
        if (s->is_reachable && s->look.replica.io == THREAD_RUNNING)
            note_running(r, stage);
        else
            r->ran_since = FC_EVER;
        if (s->is_reachable && s->look.replica.is_torn && r->deed_id == 0 && fc_reached(r->again_at, stage->now) && steer_may_act(stage))
            begin(r, stage, i);
    }
}

void resume_hear(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    for (int i = 0; i < stage->servers->count; i++) {
        struct resuming *r = &st->resuming[i];
        const char *name = steer_server_name(stage, i);
        if (event->as.ended.id == 0 || event->as.ended.id != r->deed_id)
            continue;
        r->deed_id = 0;
        if (event->as.ended.code == FC_OK) {
            steer_note(stage, NOTE_WARNING, name, st->chair.row.rank.epoch, "its fetching had stopped by an error of the network and was begun again: %s",
                       stage->servers->list[i].look.replica.error);
            steer_record(stage, "resume", name, st->chair.row.rank.epoch, "its fetching had stopped by an error of the network and was begun again");
            effects_add(stage->out, LOOK)->server = i;
        } else if (event->as.ended.code == FC_NOT_FOUND) {
            r->is_helpless = true;
            r->again_at = fc_plus(stage->now, fc_ms(pause_ms(r)));
            if (!r->is_told)
                steer_note(stage, NOTE_ALARM, name, st->chair.row.rank.epoch,
                           "its fetching has stopped by an error of the network, and there is no procedure firstchair_resume to begin it again "
                           "(docs/accounts.md): START SLAVE IO_THREAD there");
            r->is_told = true;
        }
        return;
    }
}

struct fc_time resume_wakes_at(const struct steering *st, const struct steer_stage *stage)
{
    struct fc_time next = FC_NEVER;
    for (int i = 0; i < stage->servers->count && steer_may_act(stage); i++) {
        const struct server_state *s = &stage->servers->list[i];
        if (s->is_reachable && s->look.replica.is_torn && st->resuming[i].deed_id == 0)
            next = fc_earlier(next, st->resuming[i].again_at);
    }
    return next;
}
