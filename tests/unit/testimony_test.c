/* What other nodes say of a lost server, and when enough of them agree. */
#include "model/testimony.h"

#include <criterion/criterion.h>

#define LOST_AT ((struct fc_time){ 10000000 })

static struct sight told(enum loss loss, int64_t at_ms) { return (struct sight){ SIGHT_TOLD, loss, { at_ms * 1000 } }; }
static struct sight mute(int64_t at_ms) { return (struct sight){ SIGHT_MUTE, LOSS_NONE, { at_ms * 1000 } }; }

static struct accord accord_of(enum consent consent, const struct sight *sights, int count, bool is_over)
{
    const struct testimony t = testimony_count(sights, count, LOST_AT);
    return accord_judge(consent, &t, is_over);
}

Test(testimony, each_sight_is_worth_what_it_says_of_the_time_since_the_loss)
{
    const struct { struct sight sight; enum said said; } rows[] = {
        { { .state = SIGHT_UNKNOWN }, SAID_NOTHING },
        { told(LOSS_NONE, 9900), SAID_NOTHING },   { told(LOSS_NONE, 9960), SAID_SEEN },      { told(LOSS_NONE, 10001), SAID_SEEN },
        { told(LOSS_ENDED, 9900), SAID_NOTHING },  { told(LOSS_ENDED, 10001), SAID_NOTHING }, { told(LOSS_REFUSED, 10001), SAID_REFUSED },
        { told(LOSS_REFUSED, 9000), SAID_BEFORE }, { told(LOSS_SILENT, 9000), SAID_BEFORE },  { told(LOSS_SILENT, 10001), SAID_SILENT },
        { told(LOSS_DENIED, 10001), SAID_ALIVE },  { told(LOSS_BROKEN, 10001), SAID_ALIVE },  { mute(10001), SAID_MUTE },
        { mute(9000), SAID_NOTHING },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(sight_said(&rows[i].sight, LOST_AT), rows[i].said, "row %zu", i);
}

Test(testimony, each_share_needs_so_many)
{
    const struct { enum consent consent; int nodes, needs; } rows[] = {
        { CONSENT_NONE, 1, 1 }, { CONSENT_NONE, 5, 1 },     { CONSENT_ANY, 1, 1 },      { CONSENT_ANY, 2, 2 },      { CONSENT_ANY, 5, 2 },
        { CONSENT_MAJORITY, 1, 1 }, { CONSENT_MAJORITY, 2, 2 }, { CONSENT_MAJORITY, 3, 2 }, { CONSENT_MAJORITY, 4, 3 }, { CONSENT_MAJORITY, 5, 3 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(consent_needs(rows[i].consent, rows[i].nodes), rows[i].needs, "row %zu", i);
}

/* One row: what fc2 to fc5 say, by share. */
#define REFUSED told(LOSS_REFUSED, 10001)
#define SILENT told(LOSS_SILENT, 10001)
#define SEES told(LOSS_NONE, 10001)
#define SAW told(LOSS_NONE, 9000)
#define MUTE mute(10001)

Test(testimony, five_nodes_agree_wait_contradict_or_cannot_be_asked)
{
    const struct { struct sight sights[4]; enum accord_state none, any, majority; } rows[] = {
        { { REFUSED, SILENT, SEES, SEES },    ACCORD_REACHED, ACCORD_REACHED, ACCORD_REACHED },
        { { REFUSED, SEES, SEES, SEES },      ACCORD_REACHED, ACCORD_REACHED, ACCORD_REFUSED },
        { { SEES, SEES, SEES, SEES },         ACCORD_REACHED, ACCORD_REFUSED, ACCORD_REFUSED },
        { { REFUSED, SAW, SEES, SEES },       ACCORD_REACHED, ACCORD_REACHED, ACCORD_AWAITED },
        { { SAW, SAW, SAW, SAW },             ACCORD_REACHED, ACCORD_AWAITED, ACCORD_AWAITED },
        { { MUTE, MUTE, MUTE, MUTE },         ACCORD_REACHED, ACCORD_UNHEARD, ACCORD_UNHEARD },
        { { MUTE, MUTE, MUTE, SEES },         ACCORD_REACHED, ACCORD_REFUSED, ACCORD_REFUSED },
        { { REFUSED, SILENT, MUTE, MUTE },    ACCORD_REACHED, ACCORD_REACHED, ACCORD_REACHED },
        { { REFUSED, MUTE, MUTE, MUTE },      ACCORD_REACHED, ACCORD_REACHED, ACCORD_UNHEARD },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(accord_of(CONSENT_NONE, rows[i].sights, 4, false).verdict, rows[i].none, "row %zu", i);
        cr_expect_eq(accord_of(CONSENT_ANY, rows[i].sights, 4, false).verdict, rows[i].any, "row %zu", i);
        cr_expect_eq(accord_of(CONSENT_MAJORITY, rows[i].sights, 4, false).verdict, rows[i].majority, "row %zu", i);
    }
}

Test(testimony, who_does_not_tell_for_too_long_is_one_that_cannot_be_asked)
{
    const struct sight sights[2] = { SAW, MUTE };
    const struct accord early = accord_of(CONSENT_MAJORITY, sights, 2, false), late = accord_of(CONSENT_MAJORITY, sights, 2, true);
    cr_expect(early.verdict == ACCORD_AWAITED && !accord_permits(&early));
    cr_expect(late.verdict == ACCORD_UNHEARD && accord_permits(&late));
    cr_expect(late.mute == 2 && late.awaited == 0 && late.lost == 1);
}

Test(testimony, a_node_alone_agrees_with_itself)
{
    const struct accord alone = accord_of(CONSENT_MAJORITY, NULL, 0, false);
    cr_expect(alone.verdict == ACCORD_REACHED && alone.needed == 1 && alone.nodes == 1);
}

Test(testimony, the_count_is_told_in_words)
{
    const struct sight sights[4] = { SEES, MUTE, SAW, SILENT };
    const struct accord accord = accord_of(CONSENT_MAJORITY, sights, 4, false);
    char text[160];
    accord_say(&accord, CONSENT_MAJORITY, text, sizeof text);
    cr_expect_str_eq(text, "2 of 5 nodes have lost it, 1 sees it, 1 could not be asked, 1 not told yet; FailureDetectionQuorum majority wants 3");
}
