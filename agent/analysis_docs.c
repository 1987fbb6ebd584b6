/* Tables as Markdown. A rule is printed as the conditions that it names; a column that it does not name is not printed. */
#include "agent/analysis_docs.h"

#include "judge/analysis.h"

static void print_values(FILE *to, const struct fact_column_row *column, unsigned wanted)
{
    bool is_first = true;
    for (int bit = 0; bit < FACT_VALUES_MAX; bit++) {
        if (wanted >> bit & 1) {
            fprintf(to, "%s%s", is_first ? "" : " or ", column->values[bit]);
            is_first = false;
        }
    }
}

static void print_wants(FILE *to, const uint8_t *wants)
{
    bool is_first = true;
    for (int column = 0; column < FACT_COLUMN_COUNT; column++) {
        if (wants[column] == 0)
            continue;
        fprintf(to, "%s%s: ", is_first ? "" : "; ", fact_columns[column].word);
        print_values(to, &fact_columns[column], wants[column]);
        is_first = false;
    }
    if (is_first)
        fputs("always", to);
}

static void print_columns(FILE *to)
{
    fputs("## Facts\n\nCounted once for a server and those that replicate from it; a rule asks for values of them.\n\n"
          "| fact | values | of what |\n|---|---|---|\n", to);
    for (int column = 0; column < FACT_COLUMN_COUNT; column++) {
        fprintf(to, "| %s | ", fact_columns[column].word);
        for (int bit = 0; bit < FACT_VALUES_MAX && fact_columns[column].values[bit] != NULL; bit++)
            fprintf(to, "%s%s", bit == 0 ? "" : ", ", fact_columns[column].values[bit]);
        fprintf(to, " | %s |\n", fact_columns[column].meaning);
    }
}

static void print_rules(FILE *to)
{
    fputs("\n## Rules\n\nRead downwards; the first that fits is the finding, one for each server.\n\n"
          "| # | finding | when |\n|---|---|---|\n", to);
    for (size_t i = 0; i < analysis_rule_count; i++) {
        fprintf(to, "| %zu | `%s` | ", i + 1, analysis_codes[analysis_rules[i].code].word);
        print_wants(to, analysis_rules[i].wants);
        fputs(" |\n", to);
    }
}

static void print_codes(FILE *to)
{
    fputs("\n## Findings\n\nHooks get the sentence as the failure's description. Looked at again: at once, before the next poll. Moot: not "
          "told when all replicas are downtimed. After grace: not acted on while the IO threads of the replicas are being restarted.\n\n"
          "| finding | meaning | detection hooks | recovery | looked at again | moot | after grace |\n|---|---|---|---|---|---|---|\n", to);
    for (int i = 0; i < ANALYSIS_CODE_COUNT; i++) {
        const struct analysis_code_row *row = &analysis_codes[i];
        fprintf(to, "| `%s` | %s | %s | %s | %s | %s | %s |\n", row->word, row->description, row->is_detected ? "yes" : "-",
                analysis_recovery_word(row->recovery), analysis_emergency_word(row->emergency),
                row->is_moot_when_downtimed ? "yes" : "-", row->waits_for_grace ? "yes" : "-");
    }
}

static void print_structure(FILE *to)
{
    fputs("\n## Structure warnings\n\nEvery one that fits is told, beside the finding.\n\n| warning | when | meaning |\n|---|---|---|\n", to);
    for (int i = 0; i < STRUCTURE_WARNING_COUNT; i++) {
        fprintf(to, "| `%s` | ", structure_rules[i].word);
        print_wants(to, structure_rules[i].wants);
        fprintf(to, " | %s |\n", structure_rules[i].description);
    }
}

static void print_difference(FILE *to, const char *word, const char *what, const char *beyond)
{
    if (beyond != NULL)
        fprintf(to, "| `%s` | %s | %s |\n", word, what, beyond);
}

static void print_differences(FILE *to)
{
    fputs("\n## Where this differs from orchestrator\n\n| name | what | how |\n|---|---|---|\n", to);
    for (int i = 0; i < ANALYSIS_CODE_COUNT; i++)
        print_difference(to, analysis_codes[i].word, "what it leads to", analysis_codes[i].beyond);
    for (size_t i = 0; i < analysis_rule_count; i++)
        print_difference(to, analysis_codes[analysis_rules[i].code].word, "condition", analysis_rules[i].beyond);
    for (int i = 0; i < STRUCTURE_WARNING_COUNT; i++)
        print_difference(to, structure_rules[i].word, "structure", structure_rules[i].beyond);
}

void analysis_docs_print(FILE *to)
{
    fputs("# Analysis\n\nPrinted from the tables in core/judge/facts.h and core/judge/analysis_rules.c: what is found in a replication "
          "topology, from which facts, and what that leads to. Names are orchestrator's..\n\n", to);
    print_columns(to);
    print_rules(to);
    print_codes(to);
    print_structure(to);
    print_differences(to);
}
