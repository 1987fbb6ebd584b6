/* Each node counts once, by what it told last. */
#include "model/testimony.h"

#include "base/text.h"

#define SAME_END_MS 50               /* nodes hear of the same end within this: a look sent so much before our own loss counts */

enum said sight_said(const struct sight *sight, struct fc_time lost_at)
{
    if (sight->state == SIGHT_UNKNOWN)
        return SAID_NOTHING;
    if (sight->state == SIGHT_NONE)
        return SAID_NOBODY;
    const bool is_of_before = fc_before(fc_plus(sight->at, fc_ms(SAME_END_MS)), lost_at);
    if (is_of_before)
        return sight->state == SIGHT_MUTE || sight->loss == LOSS_NONE || sight->loss == LOSS_ENDED ? SAID_NOTHING : SAID_BEFORE;
    if (sight->state == SIGHT_MUTE)
        return SAID_MUTE;
    switch (sight->loss) {
    case LOSS_NONE:    return SAID_SEEN;
    case LOSS_ENDED:   return SAID_NOTHING;                /* it is about to ask whether the process is gone */
    case LOSS_REFUSED: return SAID_REFUSED;
    case LOSS_SILENT:  return SAID_SILENT;
    case LOSS_DENIED:
    case LOSS_BROKEN:
    case LOSS_COUNT:   break;
    }
    return SAID_ALIVE;
}

struct testimony testimony_count(const struct sight *sights, int other_count, struct fc_time lost_at)
{
    struct testimony t = { 0 };
    for (int i = 0; i < other_count; i++)
        t.by[sight_said(&sights[i], lost_at)]++;
    t.nodes = other_count + 1 - t.by[SAID_NOBODY];
    return t;
}

const char *consent_word(enum consent consent)
{
    static const char *const words[CONSENT_COUNT] = { [CONSENT_NONE] = "none", [CONSENT_ANY] = "any", [CONSENT_MAJORITY] = "majority" };
    return (unsigned)consent < CONSENT_COUNT ? words[consent] : "unknown";
}

int consent_needs(enum consent consent, int nodes)
{
    switch (consent) {
    case CONSENT_ANY:      return nodes < 2 ? nodes : 2;
    case CONSENT_MAJORITY: return nodes / 2 + 1;
    case CONSENT_NONE:
    case CONSENT_COUNT: break;
    }
    return 1;
}

struct accord accord_judge(enum consent consent, const struct testimony *t, bool is_over)
{
    struct accord a = { .nodes = t->nodes, .needed = consent_needs(consent, t->nodes), .seen = t->by[SAID_SEEN],
                        .lost = 1 + t->by[SAID_BEFORE] + t->by[SAID_SILENT] + t->by[SAID_REFUSED] + t->by[SAID_ALIVE],
                        .mute = t->by[SAID_MUTE] + (is_over ? t->by[SAID_NOTHING] : 0), .awaited = is_over ? 0 : t->by[SAID_NOTHING] };
    if (a.lost >= a.needed)
        a.verdict = ACCORD_REACHED;
    else if (a.lost + a.awaited >= a.needed)
        a.verdict = ACCORD_AWAITED;
    else
        a.verdict = a.seen > 0 ? ACCORD_REFUSED : ACCORD_UNHEARD;
    return a;
}

bool accord_permits(const struct accord *accord)
{
    return accord->verdict == ACCORD_REACHED || accord->verdict == ACCORD_UNHEARD;
}

void accord_say(const struct accord *a, enum consent consent, char *to, size_t size)
{
    char seen[32] = "", mute[40] = "", awaited[40] = "";
    if (a->seen > 0)
        TEXT_FORMAT(seen, ", %d see%s it", a->seen, a->seen == 1 ? "s" : "");
    if (a->mute > 0)
        TEXT_FORMAT(mute, ", %d could not be asked", a->mute);
    if (a->awaited > 0)
        TEXT_FORMAT(awaited, ", %d not told yet", a->awaited);
    text_format(to, size, "%d of %d nodes ha%s lost it%s%s%s; FailureDetectionQuorum %s wants %d", a->lost, a->nodes,
                a->lost == 1 ? "s" : "ve", seen, mute, awaited, consent_word(consent), a->needed);
}
