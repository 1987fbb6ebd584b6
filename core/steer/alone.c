/* After an unfenced seating: once the old server is back and closed, its log is read from where the new one had fetched it.
 * What clients wrote there alone is told, kept in the history and shown until the chair moves again. */
#include "steer/steering.h"

#include <string.h>

#include "base/text.h"

#define TRIES_MAX 5
#define AGAIN_MS 3000
#define LIMIT_MS 10000

static const char *subject(const struct steering *st) { return st->pools[st->backend].name; }

/* The one whose log the seated server had been fetching. */
static int old_server(const struct steering *st, const struct steer_stage *stage)
{
    const struct servers *servers = stage->servers;
    const int seated = st->facts.seated;
    if (seated < 0)
        return -1;
    for (int i = 0; i < servers->count; i++) {
        if (i != seated && (servers->count == 2 || text_is(servers->list[i].address, servers->list[seated].look.replica.master)))
            return i;
    }
    return -1;
}

static bool is_to_be_read(const struct steering *st, const struct steer_stage *stage, int old, struct log_position *from)
{
    const struct alone_search *search = &st->alone;
    const struct server_state *s = old < 0 ? NULL : &stage->servers->list[old];
    return s != NULL && st->chair.state == CHAIR_SEATED && steer_may_act(stage) && st->move.step == STEP_NONE &&
           mark_is_unfenced(st->chair.row.mark) && fetched_to_read(st->chair.row.why, from) &&
           !(search->is_done && text_is(search->seated, st->chair.row.rank.server) && search->from.offset == from->offset &&
             text_is(search->from.file, from->file)) &&
           search->deed_id == 0 && fc_reached(search->again_at, stage->now) && s->is_reachable && s->look.is_read_only &&
           fc_before(st->chair.since, s->seen_at);
}

void alone_step(struct steering *st, struct steer_stage *stage)
{
    struct alone_search *search = &st->alone;
    struct log_position from;
    if (st->backend < 0)
        return;
    const int old = old_server(st, stage);
    if (old >= 0 && search->is_done && stage->servers->list[old].is_reachable && !stage->servers->list[old].look.is_read_only)
        search->is_done = false;                           /* open again: what it takes now is to be found as well */
    if (!is_to_be_read(st, stage, old, &from))
        return;
    if (!text_is(search->seated, st->chair.row.rank.server) || search->is_done)
        search->tries = 0;
    search->is_done = false;
    search->server = old;
    search->from = from;
    search->again_at = fc_plus(stage->now, fc_ms(AGAIN_MS));
    TEXT_SET(search->seated, st->chair.row.rank.server);
    struct effect *effect = effects_add(stage->out, ALONE);
    effect->id = search->deed_id = (*stage->next_id)++;
    effect->server = old;
    effect->until = stage->leadership->until;
    effect->as.alone.position = from;
    effect->as.alone.limit_ms = LIMIT_MS;
}

static void tell(struct steering *st, struct steer_stage *stage)
{
    const struct alone_search *search = &st->alone;
    const struct alone *found = &search->found;
    const char *name = steer_server_name(stage, search->server);
    char text[240], range[160] = "";
    if (found->first[0] != '\0')
        TEXT_FORMAT(range, " (%s to %s)", found->first, found->last);
    if (found->transactions == 0 && !found->is_more)
        TEXT_FORMAT(text, "%s took no write of a client alone: its log from %s:%llu to %s:%llu", name, search->from.file,
                    (unsigned long long)search->from.offset, found->end.file, (unsigned long long)found->end.offset);
    else
        TEXT_FORMAT(text, "%s took %s%u transactions alone%s: its log from %s:%llu to %s:%llu, server_id %u", name,
                    found->is_more ? "at least " : "", found->transactions, range, search->from.file,
                    (unsigned long long)search->from.offset, found->end.file, (unsigned long long)found->end.offset,
                    stage->servers->list[search->server].look.server_id);
    steer_note(stage, found->transactions > 0 || found->is_more ? NOTE_ALARM : NOTE_INFO, subject(st), st->chair.row.rank.epoch, "%s",
               text);
    steer_record(stage, "alone", subject(st), st->chair.row.rank.epoch, "%s", text);
}

void alone_hear(struct steering *st, struct steer_stage *stage, const struct event *event)
{
    struct alone_search *search = &st->alone;
    if (event->as.ended.id == 0 || event->as.ended.id != search->deed_id)
        return;
    search->deed_id = 0;
    if (event->as.ended.code == FC_OK) {
        search->is_done = true;
        search->found = event->as.ended.alone;
        search->found_unix_ms = stage->unix_ms;
        tell(st, stage);
    } else if (++search->tries >= TRIES_MAX) {
        search->is_done = true;
        memset(&search->found, 0, sizeof search->found);
        search->found.is_more = true;
        search->found.end = stage->servers->list[search->server].look.written;
        search->found_unix_ms = stage->unix_ms;
        steer_note(stage, NOTE_WARNING, subject(st), st->chair.row.rank.epoch, "the log of %s cannot be read: %s",
                   steer_server_name(stage, search->server), event->as.ended.text);
        tell(st, stage);
    }
}
