/* Tables as Markdown. What they mean is written around them in docs/steering.md; ./test docs compares. */
#include "agent/steering_docs.h"

#include "steer/steering.h"

static const char *fact_word(enum fact fact)
{
    switch (fact) {
    case NO: return "no";
    case YES: return "yes";
    case ANY: break;
    }
    return "-";
}

static void print_findings(FILE *to)
{
    fputs("| finding | looked | moving | named | seen | gone | asked | elsewhere | shared | open | other open | because | the leader then |\n"
          "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n", to);
    for (size_t i = 0; i < seat_rule_count; i++) {
        const struct seat_rule *r = &seat_rules[i];
        const enum fact facts[] = { r->looked, r->moving, r->named, r->seen, r->gone, r->asked, r->elsewhere, r->shared, r->open, r->other_open };
        fprintf(to, "| `%s` |", r->word);
        for (size_t k = 0; k < sizeof facts / sizeof facts[0]; k++)
            fprintf(to, " %s |", fact_word(facts[k]));
        fprintf(to, " %s | %s |\n", r->because, steer_decisions[r->finding]);
    }
}

static const char *need_word(const struct move_plan *plan, enum move_step step)
{
    static const char *const words[] = { [NEVER] = "-", [TRIED] = "tried", [NEEDED] = "must" };
    if (step != STEP_CATCH_UP || plan->need[step] == NEVER)
        return words[plan->need[step]];
    return plan->to_position ? "must: to the old one's end" : "tried: what was fetched";
}

static void print_moves(FILE *to)
{
    fputs("| kind |", to);
    for (int step = STEP_APPROACH; step < STEP_COUNT; step++)
        fprintf(to, " %s |", move_step_word((enum move_step)step));
    fputs("\n|---|", to);
    for (int step = STEP_APPROACH; step < STEP_COUNT; step++)
        fputs("---|", to);
    for (int kind = 0; kind < MOVE_KIND_COUNT; kind++) {
        fprintf(to, "\n| `%s` |", move_plans[kind].word);
        for (int step = STEP_APPROACH; step < STEP_COUNT; step++)
            fprintf(to, " %s |", need_word(&move_plans[kind], (enum move_step)step));
    }
    fputc('\n', to);
}

static void print_answers(FILE *to)
{
    fputs("| pool | rule | voice | because |\n|---|---|---|---|\n", to);
    for (int i = 0; i < ANSWER_RULE_COUNT; i++)
        fprintf(to, "| %s | `%s` | %s | %s |\n", pool_kind_word(answer_rules[i].kind), answer_rules[i].word,
                voice_word(answer_rules[i].voice), answer_rules[i].because);
}

static void print_cluster_answers(FILE *to)
{
    fputs("| pool | rule | voice | because |\n|---|---|---|---|\n", to);
    for (int i = 0; i < CLUSTER_RULE_COUNT; i++)
        fprintf(to, "| %s | `%s` | %s | %s |\n", pool_kind_word(cluster_rules[i].kind), cluster_rules[i].word,
                voice_word(cluster_rules[i].voice), cluster_rules[i].because);
}

static void print_bars(FILE *to)
{
    fputs("| nothing is decided while |\n|---|\n", to);
    for (int i = BAR_NONE + 1; i < BAR_COUNT; i++)
        fprintf(to, "| %s |\n", steer_bar_sentences[i]);
    fputs("\n| no failback while |\n|---|\n", to);
    for (int i = FAILBACK_DUE + 1; i < FAILBACK_BAR_COUNT; i++)
        fprintf(to, "| %s |\n", failback_bar_sentences[i]);
}

static void print_waivable(FILE *to)
{
    fputs("| `force` waives | that |\n|---|---|\n", to);
    for (int i = 0; i < WAIVABLE_RULE_COUNT; i++)
        fprintf(to, "| `%s` | %s |\n", waivable_rules[i].word, waivable_rules[i].because);
}

void steering_docs_print(FILE *to)
{
    print_findings(to);
    fputc('\n', to);
    print_moves(to);
    fputc('\n', to);
    print_answers(to);
    fputc('\n', to);
    print_cluster_answers(to);
    fputc('\n', to);
    print_bars(to);
    fputc('\n', to);
    print_waivable(to);
}
