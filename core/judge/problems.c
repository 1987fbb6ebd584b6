/* The table of problems and the two words that every listing of servers shows. */
#include "judge/problems.h"

#include <inttypes.h>

#include "base/text.h"

#define RECENT_POLLS 5                       /* not looked at for so many periods is not recently */

static const struct channel_seen *channel_of(const struct problem_view *view)
{
    return view->member->kept.seen == NULL ? NULL : instance_channel(view->member->kept.seen);
}

static bool is_invalid(const struct problem_view *view)
{
    return !view->member->is_seen;
}

static bool is_not_recent(const struct problem_view *view)
{
    return fc_span_ms(fc_since(view->member->checked_at, view->now)) > RECENT_POLLS * view->policy->poll_ms;
}

static bool is_not_replicating(const struct problem_view *view)
{
    const struct channel_seen *channel = channel_of(view);
    return channel != NULL && channel->io != THREAD_ABSENT && channel->sql != THREAD_ABSENT && !channel_is_running(channel);
}

static bool is_late(const struct problem_view *view)
{
    const struct channel_seen *channel = channel_of(view);
    if (channel == NULL || channel->lag_s < 0)
        return false;
    const int64_t beyond = channel->lag_s - channel->delay_s;
    return (beyond < 0 ? -beyond : beyond) * 1000 > view->policy->reasonable_lag_ms;
}

static bool is_errant(const struct problem_view *view)
{
    return trait_is(view->traits, TRAIT_ERRANT);
}

static bool is_member_not_online(const struct problem_view *view)
{
    const struct instance_seen *seen = view->member->kept.seen;
    return seen != NULL && !text_is(seen->group_name, "") && !text_is(seen->group_state, "ONLINE");
}

static bool is_degraded(const struct problem_view *view)
{
    return view->member->kept.seen != NULL && (view->member->kept.seen->missing & ~READINGS_BY_CHOICE) != 0;
}

static bool is_multi_source(const struct problem_view *view)
{
    return trait_is(view->traits, TRAIT_MULTI_SOURCE);
}

static bool is_looped(const struct problem_view *view)
{
    return view->member->is_looped;
}

const struct problem_row problem_rows[PROBLEM_COUNT] = {
    { PROBLEM_LAST_CHECK_INVALID, "last_check_invalid", true, is_invalid, "the last look at it failed" },
    { PROBLEM_NOT_RECENTLY_CHECKED, "not_recently_checked", true, is_not_recent, "it was not looked at for five periods" },
    { PROBLEM_NOT_REPLICATING, "not_replicating", true, is_not_replicating, "it is a replica, and a thread of it does not run" },
    { PROBLEM_REPLICATION_LAG, "replication_lag", true, is_late, "its lag is not its delay, by more than is reasonable" },
    { PROBLEM_ERRANT_GTID, "errant_gtid", false, is_errant, "it has transactions that its master does not have" },
    { PROBLEM_GROUP_MEMBER_NOT_ONLINE, "group_replication_member_not_online", false, is_member_not_online,
      "its replication group does not count on it" },
    { PROBLEM_DEGRADED_PROBE, "degraded_probe", false, is_degraded, "something of it could not be read, a missing privilege perhaps" },
    { PROBLEM_MULTI_SOURCE, "multi_source", false, is_multi_source, "it replicates from several masters" },
    { PROBLEM_REPLICATES_FROM_ITSELF, "replicates_from_itself", false, is_looped, "its master is itself" },
};

uint32_t problems_of(const struct problem_view *view)
{
    uint32_t found = 0;
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem_row *row = &problem_rows[i];
        if (!(row->is_first_only && found != 0) && row->fits(view))
            found |= 1u << row->problem;
    }
    return found;
}

/* Fit to be moved: lag, less a delay on purpose, below what maintenance bears. Unknown is not. */
static bool is_close(const struct channel_seen *channel, const struct analysis_policy *policy)
{
    if (channel->lag_s < 0)
        return false;
    const int64_t beyond = channel->lag_s - channel->delay_s;
    return (channel->delay_s > 0 && beyond < 0 ? -beyond : beyond) * 1000 <= policy->maintenance_lag_ms;
}

bool problems_is_recent(const struct problem_view *view)
{
    return !is_not_recent(view);
}

bool problems_is_looked_at(const struct problem_view *view)
{
    return !is_invalid(view) && !is_not_recent(view);
}

const char *problems_status_word(const struct problem_view *view)
{
    const struct channel_seen *channel = channel_of(view);
    if (is_invalid(view))
        return "invalid";
    if (is_not_recent(view))
        return "unchecked";
    if (channel == NULL)
        return "ok";
    if (!channel_is_running(channel))
        return "nonreplicating";
    return is_close(channel, view->policy) ? "ok" : "lag";
}

static bool is_detached(const struct problem_view *view)
{
    const struct instance_seen *seen = view->member->kept.seen;
    return seen != NULL && seen->channel_count > 0 && seen->channels[0].master.host != NULL &&
           text_begins(seen->channels[0].master.host, "//");
}

void problems_lag_word(const struct problem_view *view, char *to, size_t size)
{
    const struct channel_seen *channel = channel_of(view);
    if (is_detached(view))
        text_copy(to, size, "detached");
    else if (is_invalid(view) || is_not_recent(view))
        text_copy(to, size, "unknown");
    else if (channel == NULL)
        text_copy(to, size, "0s");
    else if (!channel_is_running(channel) || channel->lag_s < 0)
        text_copy(to, size, "null");
    else
        text_format(to, size, "%" PRId64 "s", channel->lag_s);
}
