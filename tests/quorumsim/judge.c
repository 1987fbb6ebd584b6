/* What must hold, asked after every step, by true time and without a rule of the code under test; but for one: whoever may act, a
 * majority of promises as they stand in the nodes must reach as far. That one shows a lease that is too long before two overlap. */
#include "quorumsim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ROUNDING_US 5                    /* of clocks that are turned into true time */
#define DIGEST_EVERY 8                   /* entries; a digest of the whole state costs more than the step */

void judge_init(struct judge *j) { memset(j, 0, sizeof *j); }

void judge_break(struct world *w, const char *rule, const char *format, ...)
{
    va_list arguments;
    if (w->judge.rule != NULL)
        return;
    w->judge.rule = rule;
    va_start(arguments, format);
    vsnprintf(w->judge.broken, sizeof w->judge.broken, format, arguments);
    va_end(arguments);
}

static uint64_t digest(const uint8_t *bytes, size_t length)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    return sum == 0 ? 1 : sum;
}

/* ---- who may act -------------------------------------------------------------------------------------------------- */

static bool may_act(const struct machine *m) { return m->is_up && m->permitted_until > m->world->now; }

/* Who is not there gives no vote, and promises a whole lease when it comes back. */
static bool stands_still_until(const struct machine *m, int64_t until)
{
    if (m->consensus == NULL || !m->consensus->is_running || m->consensus->is_out)
        return true;
    return machine_true(m, m->consensus->promise.until) >= until - ROUNDING_US;
}

static void judge_promises(struct world *w, const struct machine *m)
{
    int still = 0;
    for (int i = 0; i < w->node_count; i++)
        still += stands_still_until(&w->nodes[i], m->permitted_until);
    if (still <= w->node_count / 2)
        judge_break(w, "a majority promises", "n%d may act for %" PRId64 " us more, and only %d of %d promised to stand still so long", m->place + 1,
                    m->permitted_until - w->now, still, w->node_count);
}

static void judge_permissions(struct world *w)
{
    const struct machine *first = NULL;
    for (int i = 0; i < w->node_count; i++) {
        const struct machine *m = &w->nodes[i];
        if (!may_act(m))
            continue;
        if (first != NULL)
            judge_break(w, "one may act", "n%d and n%d may act at the same time", first->place + 1, i + 1);
        first = m;
        judge_promises(w, m);
        if (m->consensus->state.entries < w->judge.acknowledged)
            judge_break(w, "who acts knows all", "n%d may act and has applied %" PRIu64 " entries, and somebody was told of number %" PRIu64, i + 1,
                        m->consensus->state.entries, w->judge.acknowledged);
        if (w->is_healed && w->led_at == 0) {
            w->led_at = w->now;
            world_tell(w, i, "leads again");
        }
    }
}

static void judge_terms(struct world *w)
{
    for (int i = 0; i < w->node_count; i++) {
        const struct machine *m = &w->nodes[i];
        if (m->consensus == NULL || !m->consensus->is_running || raft_state(&m->consensus->raft) != RAFT_LEADER)
            continue;
        int8_t *leader = &w->judge.leader_of[m->consensus->raft.current_term % TERMS_MAX];
        if (*leader != 0 && *leader != i + 1)
            judge_break(w, "one leader a term", "n%d and n%d lead in term %llu", *leader, i + 1, m->consensus->raft.current_term);
        *leader = (int8_t)(i + 1);
    }
}

static void judge_lost(struct world *w)
{
    for (int i = 0; i < w->node_count; i++) {
        const struct machine *m = &w->nodes[i];
        if (m->is_wiped && m->consensus != NULL && m->consensus->is_running)
            judge_break(w, "who forgot stays out", "n%d takes part with an empty directory, and it had taken part before", i + 1);
    }
}

void judge_step(struct world *w)
{
    judge_permissions(w);
    judge_terms(w);
    judge_lost(w);
}

void judge_shown(struct machine *m, const struct quorum_view *view)
{
    if (fc_is_ever(view->until))
        return;                                            /* the pump may not have heard it yet: what it was permitted stands */
    const int64_t until = machine_true(m, view->until);
    if (until > m->permitted_until)
        m->permitted_until = until;
}

/* ---- what is applied ---------------------------------------------------------------------------------------------- */

static struct canon_entry *canon_at(struct machine *m)
{
    const uint64_t place = m->consensus->state.entries;
    if (place < CANON_MAX)
        return &m->world->judge.canon[place];
    judge_break(m->world, "bounded", "more entries than the judge can hold");
    return &m->world->judge.canon[0];
}

void judge_state(struct machine *m)
{
    static uint8_t bytes[SHARED_STATE_SIZE];
    size_t length = 0;
    struct canon_entry *canon = canon_at(m);
    if (shared_state_encode(&m->consensus->state, bytes, sizeof bytes, &length) != FC_OK) {
        judge_break(m->world, "a state is told", "n%d cannot encode its state", m->place + 1);
        return;
    }
    const uint64_t sum = digest(bytes, length);
    if (canon->state != 0 && canon->state != sum)
        judge_break(m->world, "the same state", "n%d has another state after %" PRIu64 " entries than a node before it", m->place + 1,
                    m->consensus->state.entries);
    canon->state = sum;
}

static void judge_first(struct machine *m, const struct shared_entry *entry)
{
    const struct judge *j = &m->world->judge;
    for (const struct canon_entry *other = j->canon; other < j->canon + CANON_MAX; other++) {
        if (other->number == entry->number && other->number != 0 && text_is(other->issuer, entry->issuer))
            judge_break(m->world, "once", "%s's entry %" PRIu64 " is applied at %td and again at %" PRIu64, entry->issuer, entry->number,
                        other - j->canon, m->consensus->state.entries);
    }
}

static void judge_applied(struct machine *m, const struct shared_entry *entry)
{
    uint8_t bytes[SHARED_ENTRY_SIZE];
    size_t length = 0;
    struct canon_entry *canon = canon_at(m);
    shared_entry_encode(entry, bytes, sizeof bytes, &length);
    const uint64_t sum = digest(bytes, length);
    if (canon->entry != 0 && canon->entry != sum)
        judge_break(m->world, "the same order", "n%d applies another entry at %" PRIu64 " than a node before it", m->place + 1,
                    m->consensus->state.entries);
    if (canon->entry == 0) {
        judge_first(m, entry);
        canon->entry = sum;
        canon->number = entry->number;
        TEXT_SET(canon->issuer, entry->issuer);
        m->world->tally->entries++;
    }
    if (m->consensus->state.entries % DIGEST_EVERY == 0)
        judge_state(m);
}

void judge_heard(struct machine *m, const struct quorum_heard *heard)
{
    struct world *w = m->world;
    const bool is_failure = heard->kind == QUORUM_FAILED || (heard->kind == QUORUM_ENDED && heard->code != FC_OK);
    if (heard->kind == QUORUM_APPLIED)
        judge_applied(m, &heard->entry);
    if (heard->kind == QUORUM_APPLIED && heard->number != 0 && m->consensus->state.entries > w->judge.acknowledged)
        w->judge.acknowledged = m->consensus->state.entries;
    if (heard->kind == QUORUM_APPLIED && heard->number != 0 && (heard->number != heard->entry.number || !text_is(heard->entry.issuer, m->settings.node)))
        judge_break(w, "each is answered once", "n%d answers its %" PRIu64 " by %s's entry %" PRIu64, m->place + 1, heard->number, heard->entry.issuer,
                    heard->entry.number);
    if (is_failure && heard->text[0] == '\0')
        judge_break(w, "a sentence", "n%d gives up %" PRIu64 " and does not say why", m->place + 1, heard->number);
    if (heard->kind == QUORUM_FAILED && m->last_number != 0 && heard->number >= m->last_number)
        judge_break(w, "healed", "n%d gives up %" PRIu64 " long after all was well again: %s", m->place + 1, heard->number, heard->text);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static bool takes_part(const struct machine *m) { return m->consensus != NULL && m->consensus->is_running && !m->consensus->is_out; }

void judge_end(struct world *w)
{
    uint64_t most = 0;
    if (w->led_at == 0)
        judge_break(w, "healed", "nobody may act %" PRId64 " ms after all was well again", (w->now - w->healed_at) / 1000);
    for (int i = 0; i < w->node_count; i++) {
        if (takes_part(&w->nodes[i]) && w->nodes[i].consensus->state.entries > most)
            most = w->nodes[i].consensus->state.entries;
    }
    if (most < w->judge.acknowledged)
        judge_break(w, "nothing is lost", "somebody was told of entry %" PRIu64 ", and the nodes have applied %" PRIu64, w->judge.acknowledged, most);
    for (int i = 0; i < w->node_count; i++) {
        struct machine *m = &w->nodes[i];
        if (!m->may_stay_out && !takes_part(m))
            judge_break(w, "healed", "n%d takes no part after all was well again: %s", i + 1, m->view.why);
        if (m->outstanding_count > 0)
            judge_break(w, "each is answered once", "n%d waits for %" PRIu64 " for ever", i + 1, m->outstanding[0].number);
        if (!takes_part(m))
            continue;
        judge_state(m);
        if (m->consensus->state.entries < most)
            judge_break(w, "healed", "n%d has applied %" PRIu64 " entries and another node %" PRIu64, i + 1, m->consensus->state.entries, most);
    }
}
