/* Counts into columns. The thresholds are the policy's; what the values mean together is in judge/analysis_rules.c. */
#include "judge/facts.h"

#include <assert.h>

#include "base/text.h"

const struct fact_column_row fact_columns[FACT_COLUMN_COUNT] = {
#define X(name, word, meaning, ...) [FACT_##name] = { word, meaning, { __VA_ARGS__ } },
    FACT_COLUMNS(X)
#undef X
};

const struct analysis_policy analysis_policy_preset = {
    .poll_ms = 5000, .reasonable_check_ms = 1000, .reasonable_lag_ms = 10000, .locked_semi_sync_ms = 0,
    .maintenance_lag_ms = 20000,
};

static uint8_t yes_no(bool is_true)
{
    return is_true ? FACT_IS_YES : FACT_IS_NO;
}

/* How many of the whole: none, some, all. None of none is none. */
static uint8_t share(int part, int whole)
{
    if (part == 0)
        return FACT_IS_NONE;
    return part < whole ? FACT_IS_SOME : FACT_IS_ALL;
}

static uint8_t none_one_many(int count)
{
    if (count == 0)
        return FACT_IS_NONE;
    return count == 1 ? FACT_IS_ONE : FACT_IS_MANY;
}

static uint8_t seen(const struct analysis_facts *f)
{
    if (f->is_last_check_valid)
        return FACT_IS_WELL;
    return f->is_partly_seen ? FACT_IS_PARTLY : FACT_IS_LOST;
}

static uint8_t semi_sync(const struct analysis_facts *f)
{
    if (!f->has_semi_sync || f->semi_sync_wanted == 0)
        return FACT_IS_OFF;
    if (f->semi_sync_clients < f->semi_sync_wanted)
        return f->is_semi_sync_on ? FACT_IS_SHORT : FACT_IS_DROPPED;
    return f->is_semi_sync_on && f->semi_sync_clients > f->semi_sync_wanted ? FACT_IS_SURPLUS : FACT_IS_ENOUGH;
}

static bool all_valid_are(int count, const struct analysis_facts *f)
{
    return f->valid > 0 && count == f->valid;
}

static bool has_positions(const struct analysis_facts *f)
{
    return all_valid_are(f->oracle_gtid, f) || all_valid_are(f->mariadb_gtid, f) || all_valid_are(f->binlog_servers, f) ||
           f->has_pseudo_gtid;
}

static bool modes_differ(const struct analysis_facts *f)
{
    return f->replicas > 0 && (!text_is(f->gtid_mode, f->least_gtid_mode) || !text_is(f->gtid_mode, f->most_gtid_mode));
}

static bool is_part(int part, int whole)
{
    return part >= 0 && part <= whole;
}

bool facts_are_sound(const struct analysis_facts *f)
{
    const int of_all[] = { f->valid, f->downtimed, f->lagging, f->delayed, f->logging, f->semi_sync_replicas, f->errant };
    const int of_valid[] = { f->replicating, f->failing_to_connect, f->prompt, f->oracle_gtid, f->mariadb_gtid, f->binlog_servers };
    const int of_logging[] = { f->logging_statement, f->logging_mixed, f->logging_row, f->logging_major_versions };
    bool sound = f->replicas >= 0 && is_part(f->prompt_lagging, f->prompt);
    for (size_t i = 0; i < sizeof of_all / sizeof of_all[0]; i++)
        sound = sound && is_part(of_all[i], f->replicas);
    for (size_t i = 0; i < sizeof of_valid / sizeof of_valid[0]; i++)
        sound = sound && is_part(of_valid[i], f->valid);
    for (size_t i = 0; i < sizeof of_logging / sizeof of_logging[0]; i++)
        sound = sound && is_part(of_logging[i], f->logging);
    return sound && f->semi_sync_wanted >= 0 && f->semi_sync_clients >= 0 && f->ring >= 0 && f->depth >= 0;
}

struct fact_row facts_columns(const struct analysis_facts *f, const struct analysis_policy *policy)
{
    assert(facts_are_sound(f));
    return (struct fact_row){ .is = {
        [FACT_ROLE] = f->is_master ? FACT_IS_MASTER : FACT_IS_REPLICA,
        [FACT_CO] = yes_no(f->is_co_master),
        [FACT_MEMBER] = yes_no(f->is_group_member),
        [FACT_SEEN] = seen(f),
        [FACT_REPLICAS] = none_one_many(f->replicas),
        [FACT_VALID] = share(f->valid, f->replicas),
        [FACT_REPLICATING] = f->replicating == 0 ? FACT_IS_NONE : FACT_IS_SOME,
        [FACT_FAILING] = share(f->failing_to_connect, f->valid),
        [FACT_LAGGING] = yes_no(f->prompt > 0 && f->prompt_lagging == f->prompt),
        [FACT_SEMI_SYNC] = semi_sync(f),
        [FACT_STUCK] = yes_no(f->is_stuck),
        [FACT_READ_ONLY] = yes_no(f->is_read_only),
        [FACT_EXACT] = yes_no(policy->wants_exact_semi_sync),
        [FACT_WRITEABLE] = yes_no(policy->wants_writeable_master),
        [FACT_BINLOG_SERVER] = yes_no(f->is_binlog_server),
        [FACT_FIRST_TIER] = yes_no(f->depth == 1),
        [FACT_DEAF] = yes_no(f->is_failing_to_connect),
        [FACT_LOGGING] = f->logging == 0 ? FACT_IS_NONE : FACT_IS_SOME,
        [FACT_POSITIONS] = yes_no(has_positions(f)),
        [FACT_STATEMENT] = yes_no(f->logging_statement > 0),
        [FACT_MIXED] = yes_no(f->logging_mixed > 0),
        [FACT_ROW] = yes_no(f->logging_row > 0),
        [FACT_VERSIONS] = yes_no(f->logging_major_versions > 1),
        [FACT_MODES] = yes_no(modes_differ(f)),
        [FACT_ERRANT] = yes_no(f->errant > 0),
        [FACT_FORMER] = yes_no(f->is_former_master),
        [FACT_RING] = yes_no(f->ring > 2),
        [FACT_SOURCES] = yes_no(f->is_multi_source),
    } };
}
