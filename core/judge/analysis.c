/* The walker: facts into columns, columns against rows. Everything that could differ from case to case stands in the tables. */
#include "judge/analysis.h"

#include <string.h>

#include "base/text.h"

static bool fits(const uint8_t *wants, const struct fact_row *row)
{
    for (int column = 0; column < FACT_COLUMN_COUNT; column++) {
        if (wants[column] != 0 && (wants[column] & row->is[column]) == 0)
            return false;
    }
    return true;
}

/* Structures that no recovery understands: what it would do is not known, so it does nothing. */
#define NOT_TO_BE_ACTED_ON ((1u << STRUCTURE_RING) | (1u << STRUCTURE_MULTI_SOURCE))

struct analysis analysis_judge(const struct analysis_facts *facts, const struct analysis_policy *policy, bool is_in_grace)
{
    const struct fact_row row = facts_columns(facts, policy);
    const struct analysis_rule *rule = analysis_rules;
    while (rule < analysis_rules + analysis_rule_count - 1 && !fits(rule->wants, &row))
        rule++;

    struct analysis found = { .code = rule->code, .rule = rule, .is_downtimed = facts->is_downtimed };
    for (int i = 0; i < STRUCTURE_WARNING_COUNT; i++)
        found.structure |= fits(structure_rules[i].wants, &row) ? 1u << i : 0;

    const struct analysis_code_row *code = &analysis_codes[found.code];
    found.is_replicas_downtimed = code->is_moot_when_downtimed && facts->replicas == facts->downtimed;
    found.is_skippable = found.is_downtimed || found.is_replicas_downtimed;
    found.is_actionable = code->recovery != RECOVERY_NONE && !(is_in_grace && code->waits_for_grace) && !facts->is_never_seen &&
                          (found.structure & NOT_TO_BE_ACTED_ON) == 0;
    return found;
}

bool analysis_is_told(const struct analysis *analysis, struct analysis_asked asked, bool is_ignored)
{
    if (is_ignored || (analysis->is_skippable && !asked.downtimed))
        return false;
    return asked.no_problem || analysis->code != ANALYSIS_NO_PROBLEM || analysis->structure != 0;
}

bool analysis_is_worth_an_entry(const struct analysis_facts *facts)
{
    return !facts->is_last_check_valid || facts->is_failing_to_connect || facts->replicas > 0;
}

int analysis_order(const struct analysis_facts *a, bool is_head_a, const struct analysis_facts *b, bool is_head_b)
{
    if (a->is_master != b->is_master)
        return a->is_master ? -1 : 1;
    if (is_head_a != is_head_b)
        return is_head_a ? -1 : 1;
    return (a->replicas < b->replicas) - (a->replicas > b->replicas);
}

static bool append(char *to, size_t size, const char *word)
{
    const size_t length = strlen(to);
    return text_format(to + length, size - length, "%s%s", length == 0 ? "" : ", ", word);
}

bool analysis_text(const struct analysis *analysis, char *to, size_t size)
{
    bool fitted = text_copy(to, size, analysis->code == ANALYSIS_NO_PROBLEM ? "" : analysis_codes[analysis->code].word);
    for (int i = 0; i < STRUCTURE_WARNING_COUNT; i++) {
        if (analysis->structure & 1u << i)
            fitted = append(to, size, structure_rules[i].word) && fitted;
    }
    return fitted;
}

const char *analysis_type_word(const struct analysis_facts *facts)
{
    if (facts->is_co_master)
        return "co-master";
    if (facts->is_group_member)
        return "group-member";
    return facts->is_master ? "master" : "intermediate-master";
}

/* Names that stand in history and are found by no rule any more. */
static const struct { const char *word; enum analysis_code code; } old_names[] = {
    { "UnreachableMasterWithStaleReplicas", ANALYSIS_UNREACHABLE_MASTER_WITH_LAGGING_REPLICAS },
    { "MasterWithoutReplicas", ANALYSIS_NO_PROBLEM },
    { "AllMasterReplicasStale", ANALYSIS_ALL_MASTER_REPLICAS_NOT_REPLICATING },
};

bool analysis_code_find(const char *word, enum analysis_code *ret)
{
    for (size_t i = 0; i < ANALYSIS_CODE_COUNT; i++) {
        if (text_is(word, analysis_codes[i].word)) {
            *ret = analysis_codes[i].code;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof old_names / sizeof old_names[0]; i++) {
        if (text_is(word, old_names[i].word)) {
            *ret = old_names[i].code;
            return true;
        }
    }
    return false;
}

const char *analysis_recovery_word(enum analysis_recovery recovery)
{
    static const char *const words[RECOVERY_KIND_COUNT] = {
        "-", "dead master", "dead co-master", "dead intermediate master", "semi-sync", "set writeable", "relocate to another member",
    };
    return words[recovery];
}

const char *analysis_emergency_word(enum analysis_emergency emergency)
{
    static const char *const words[EMERGENCY_KIND_COUNT] = {
        "-", "it", "its master", "it and its replicas", "restart its replicas' IO threads",
    };
    return words[emergency];
}
