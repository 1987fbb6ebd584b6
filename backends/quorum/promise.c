/* See promise.h: the rules are there. */
#include "backends/quorum/promise.h"

void promise_init(struct promise *promise, struct fc_span lease, struct fc_time now)
{
    *promise = (struct promise){ .until = fc_plus(now, lease) };
}

bool promise_give(struct promise *promise, uint64_t leader, uint64_t term, uint64_t number, uint64_t own_term, struct fc_span lease,
                  struct fc_time now)
{
    if (own_term > term || promise->term > term || (promise->term == term && promise->leader != leader))
        return false;                                      /* a later leader may have my vote already */
    promise->asked = promise->term == term && promise->asked > number ? promise->asked : number;
    promise->leader = leader;
    promise->term = term;
    promise->until = fc_later(promise->until, fc_plus(now, lease));
    return true;
}

bool promise_release(struct promise *promise, uint64_t leader, uint64_t term, uint64_t number, struct fc_time now)
{
    if (promise->leader != leader || promise->term != term || number < promise->asked)
        return false;
    promise->until = now;
    return true;
}

bool promise_lets_vote(const struct promise *promise, struct fc_time now) { return fc_reached(promise->until, now); }

struct fc_time confirmed_until(const struct fc_time *sent_at, int voters, struct fc_span lease, int drift_percent)
{
    const int majority = voters / 2 + 1;
    struct fc_time base = FC_EVER;
    for (int i = 0; i < voters; i++) {
        int as_late = 0;
        for (int j = 0; j < voters; j++)
            as_late += !fc_before(sent_at[j], sent_at[i]);
        if (as_late >= majority)
            base = fc_later(base, sent_at[i]);
    }
    return fc_plus(base, (struct fc_span){ lease.us / 100 * (100 - drift_percent) });
}
