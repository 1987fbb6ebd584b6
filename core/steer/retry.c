/* An automatic move that fails is tried again, ever more seldom, and said once.
 *
 * As long as the picture is the one in which the failed move was begun, trying again brings the same: the pause doubles. A look, a
 * check or a hold that changes the picture is news, and the next try comes after the least pause. An operator's order never waits
 * for any of this, and its failure is always said: it has an asker. */
#include "steer/steering.h"

#include <string.h>

#include "base/text.h"

#define PAUSE_LEAST_MS 500
#define PAUSE_MOST_MS 8000           /* nobody may be sitting meanwhile: what no look shows (a full disk) is met again this soon */

/* ---- the picture -------------------------------------------------------------------------------------------------- */

static uint64_t mixed(uint64_t sum, uint64_t value) { return (sum ^ value) * UINT64_C(1099511628211); }

static uint64_t mixed_text(uint64_t sum, const char *text)
{
    for (; *text != '\0'; text++)
        sum = mixed(sum, (unsigned char)*text);
    return sum;
}

/* What a move is decided by, without what always moves (positions, lag, ages, epochs). */
uint64_t retry_picture(const struct steering *st, const struct steer_stage *stage)
{
    uint64_t sum = mixed(UINT64_C(14695981039346656037), (uint64_t)st->finding->finding);
    for (int i = 0; i < stage->servers->count; i++) {
        const struct server_state *s = &stage->servers->list[i];
        sum = mixed(sum, (uint64_t)s->is_reachable << 1 | s->look.is_read_only);
        sum = mixed(sum, s->is_reachable ? LOSS_NONE : (uint64_t)s->loss);
        sum = mixed_text(sum, s->look.identity);
        sum = mixed(sum, (uint64_t)s->look.has_schema << 16 | (uint64_t)s->look.replica.io << 8 | (uint64_t)s->look.replica.sql);
        sum = mixed(sum, i < stage->needs->count ? stage->needs->list[i].missing : 0);
        sum = mixed(sum, steer_hold_on(st, s->name) != NULL);
    }
    return sum;
}

/* ---- what was said ------------------------------------------------------------------------------------------------ */

/* The same sentence with other numbers in it (a position, an age) is no other reason. */
static bool is_same_but_numbers(const char *a, const char *b)
{
    static const char digits[] = "0123456789";
    for (;;) {
        a += strspn(a, digits);
        b += strspn(b, digits);
        if (*a != *b)
            return false;
        if (*a++ == '\0')
            return true;
        b++;
    }
}

/* ---- failing and working ------------------------------------------------------------------------------------------ */

bool retry_failed(struct steering *st, const struct steer_stage *stage, const struct move *move, const char *reason)
{
    struct retry *retry = &st->retry;
    retry->failed_at = stage->now;
    if (move_is_ordered(move) || !steer_may_act(stage)) {             /* asked for, or not the move's own failure */
        st->not_before = fc_later(st->not_before, fc_plus(stage->now, fc_ms(PAUSE_LEAST_MS)));
        return true;
    }
    const bool is_same_picture = retry->failures > 0 && retry->picture == move->picture;
    const bool is_news = !retry->is_said || !is_same_but_numbers(retry->reason, reason);
    retry->pause_ms = !is_same_picture ? PAUSE_LEAST_MS : retry->pause_ms * 2 < PAUSE_MOST_MS ? retry->pause_ms * 2 : PAUSE_MOST_MS;
    retry->picture = move->picture;
    retry->failures++;
    retry->is_said = true;
    retry->is_repeated = !is_news;
    TEXT_SET(retry->reason, reason);
    st->not_before = fc_plus(stage->now, fc_ms(retry->pause_ms));
    return is_news;
}

int retry_worked(struct steering *st)
{
    const int failures = st->retry.failures;
    memset(&st->retry, 0, sizeof st->retry);
    st->not_before = FC_EVER;
    return failures;
}

void retry_step(struct steering *st, const struct steer_stage *stage)
{
    struct retry *retry = &st->retry;
    if (retry->failures == 0 || st->move.step != STEP_NONE || fc_reached(st->not_before, stage->now) ||
        retry->picture == retry_picture(st, stage))
        return;
    retry->pause_ms = PAUSE_LEAST_MS;
    st->not_before = fc_plus(retry->failed_at, fc_ms(PAUSE_LEAST_MS));
}
