/* Every failure code and structure warning, each from the facts that make it; and the table against the list it was written from. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "judge/analysis.h"

#define MASTER .is_master = true
#define SEEN .is_last_check_valid = true
#define PARTLY .is_partly_seen = true
#define NOBODY .replicas = 0
#define N(all, good, running) .replicas = (all), .valid = (good), .replicating = (running)

struct scene {
    const char *story;
    struct analysis_facts facts;
    struct analysis_policy policy;
    const char *finding;             /* as `replication-analysis` prints it */
};

/* What a DBA would say of each. One row of the rules at least is hit by each, and each is hit by one at least (below). */
static const struct scene scenes[] = {
    { "all is well", { MASTER, SEEN, N(3, 3, 3), .mariadb_gtid = 3, .logging = 3 }, { 0 }, "" },
    { "a leaf that replicates", { SEEN, .depth = 1 }, { 0 }, "" },

    { "lost, and nobody replicates from it", { MASTER, NOBODY }, { 0 }, "DeadMasterWithoutReplicas" },
    { "lost, and its replicas lost it", { MASTER, N(1, 1, 0), .failing_to_connect = 1 }, { 0 }, "DeadMaster" },
    { "answers the greeting only, and its replicas lost it", { MASTER, PARTLY, N(1, 1, 0) }, { 0 }, "DeadMaster" },
    { "the whole rack is lost", { MASTER, N(3, 0, 0), .mariadb_gtid = 0, .logging = 3, .has_pseudo_gtid = true }, { 0 },
      "DeadMasterAndReplicas" },
    { "lost with one replica, the others lost it", { MASTER, N(3, 2, 0), .mariadb_gtid = 2, .logging = 3 }, { 0 },
      "DeadMasterAndSomeReplicas" },
    { "its replicas think that they replicate, and all fall behind",
      { MASTER, N(2, 2, 2), .mariadb_gtid = 2, .logging = 2, .prompt = 2, .prompt_lagging = 2, .lagging = 2 }, { 0 },
      "UnreachableMasterWithLaggingReplicas" },
    { "the same beside one that is late on purpose",
      { MASTER, N(2, 2, 2), .mariadb_gtid = 2, .logging = 2, .delayed = 1, .prompt = 1, .prompt_lagging = 1 }, { 0 },
      "UnreachableMasterWithLaggingReplicas" },
    { "all are late on purpose, which says nothing",
      { MASTER, N(2, 2, 2), .mariadb_gtid = 2, .logging = 2, .delayed = 2, .lagging = 2 }, { 0 }, "UnreachableMaster" },
    { "only we have lost it", { MASTER, N(1, 1, 1) }, { 0 }, "UnreachableMaster" },
    { "half seen, and one replica of two has lost it too",
      { MASTER, PARTLY, N(2, 2, 1), .failing_to_connect = 1, .mariadb_gtid = 2, .logging = 2 }, { 0 }, "UnreachableMaster" },
    { "half seen, and all its replicas are fine: noise", { MASTER, PARTLY, N(1, 1, 1) }, { 0 }, "" },

    { "nobody acknowledges, for a moment", { MASTER, SEEN, N(1, 1, 1), .has_semi_sync = true, .is_semi_sync_on = true,
                                             .semi_sync_wanted = 1 }, { 0 }, "LockedSemiSyncMasterHypothesis" },
    { "nobody acknowledges, and the log stands still", { MASTER, SEEN, N(1, 1, 1), .has_semi_sync = true, .is_semi_sync_on = true,
                                             .semi_sync_wanted = 1, .is_stuck = true }, { 0 }, "LockedSemiSyncMaster" },
    { "more acknowledge than are wanted", { MASTER, SEEN, N(1, 1, 1), .has_semi_sync = true, .is_semi_sync_on = true,
                                             .semi_sync_wanted = 1, .semi_sync_clients = 2 },
      { .wants_exact_semi_sync = true }, "MasterWithTooManySemiSyncReplicas" },
    { "more acknowledge, and nobody minds", { MASTER, SEEN, N(1, 1, 1), .has_semi_sync = true, .is_semi_sync_on = true,
                                             .semi_sync_wanted = 1, .semi_sync_clients = 2 }, { 0 }, "" },
    { "it stopped waiting", { MASTER, SEEN, N(1, 1, 1), .has_semi_sync = true, .semi_sync_wanted = 1 }, { 0 },
      "NotEnoughValidSemiSyncReplicasStructureWarning" },
    { "read_only, and wanted writeable", { MASTER, SEEN, N(1, 1, 1), .is_read_only = true }, { .wants_writeable_master = true },
      "NoWriteableMasterStructureWarning, NoWriteableMasterStructureWarning" },
    { "read_only, and left so", { MASTER, SEEN, N(1, 1, 1), .is_read_only = true }, { 0 }, "NoWriteableMasterStructureWarning" },
    { "the only replica stopped", { MASTER, SEEN, N(1, 1, 0) }, { 0 }, "MasterSingleReplicaNotReplicating" },
    { "the only replica is lost", { MASTER, SEEN, N(1, 0, 0) }, { 0 }, "MasterSingleReplicaDead" },
    { "all replicas stopped", { MASTER, SEEN, N(2, 2, 0), .mariadb_gtid = 2, .logging = 2 }, { 0 },
      "AllMasterReplicasNotReplicating" },
    { "one stopped, one lost", { MASTER, SEEN, N(2, 1, 0), .mariadb_gtid = 1, .logging = 2 }, { 0 },
      "AllMasterReplicasNotReplicatingOrDead" },
    { "all replicas lost", { MASTER, SEEN, N(2, 0, 0), .has_pseudo_gtid = true, .logging = 2 }, { 0 }, "AllMasterReplicasDead" },

    { "a co-master is lost to the other", { .is_co_master = true, N(1, 1, 0), .failing_to_connect = 1 }, { 0 }, "DeadCoMaster" },
    { "a co-master and one of its replicas", { .is_co_master = true, N(2, 1, 0) }, { 0 }, "DeadCoMasterAndSomeReplicas" },
    { "only we have lost the co-master", { .is_co_master = true, N(1, 1, 1) }, { 0 }, "UnreachableCoMaster" },
    { "nobody replicates from a co-master", { .is_co_master = true, SEEN, N(1, 1, 0) }, { 0 }, "AllCoMasterReplicasNotReplicating" },

    { "an intermediate master and its replica agree", { .depth = 1, N(1, 1, 0), .failing_to_connect = 1 }, { 0 },
      "DeadIntermediateMasterWithSingleReplicaFailingToConnect" },
    { "an intermediate master, its replica stopped", { .depth = 1, N(1, 1, 0) }, { 0 }, "DeadIntermediateMasterWithSingleReplica" },
    { "an intermediate master of two", { .depth = 1, N(2, 2, 0) }, { 0 }, "DeadIntermediateMaster" },
    { "an intermediate master and one of two", { .depth = 1, N(2, 1, 0) }, { 0 }, "DeadIntermediateMasterAndSomeReplicas" },
    { "an intermediate master and all it had", { .depth = 1, N(2, 0, 0) }, { 0 }, "DeadIntermediateMasterAndReplicas" },
    { "an intermediate master whose replicas fall behind",
      { .depth = 1, N(2, 2, 1), .prompt = 2, .prompt_lagging = 2 }, { 0 }, "UnreachableIntermediateMasterWithLaggingReplicas" },
    { "only we have lost the intermediate master", { .depth = 1, N(2, 2, 2) }, { 0 }, "UnreachableIntermediateMaster" },
    { "an intermediate master that only we reach", { .depth = 1, SEEN, N(2, 1, 0), .failing_to_connect = 1 }, { 0 },
      "AllIntermediateMasterReplicasFailingToConnectOrDead" },
    { "an intermediate master whose replicas stopped", { .depth = 1, SEEN, N(1, 1, 0), .failing_to_connect = 1 }, { 0 },
      "AllIntermediateMasterReplicasNotReplicating" },
    { "an intermediate master whose replicas are lost", { .depth = 1, SEEN, N(2, 0, 0) }, { 0 }, "AllIntermediateMasterReplicasDead" },

    { "a binlog server that cannot connect", { SEEN, .depth = 1, .is_binlog_server = true, .is_failing_to_connect = true }, { 0 },
      "BinlogServerFailingToConnectToMaster" },
    { "a replica below the master that cannot connect", { SEEN, .depth = 1, .is_failing_to_connect = true }, { 0 },
      "FirstTierReplicaFailingToConnectToMaster" },
    { "one further down: its master is judged by its own replicas", { SEEN, .depth = 2, .is_failing_to_connect = true }, { 0 }, "" },

    { "a lost group member whose replicas lost it", { MASTER, .is_group_member = true, N(1, 1, 0) }, { 0 },
      "DeadReplicationGroupMemberWithReplicas" },
    { "a lost group member without replicas is the group's affair", { MASTER, .is_group_member = true }, { 0 }, "" },

    { "nobody logs", { MASTER, SEEN, N(2, 2, 2), .oracle_gtid = 2 }, { 0 }, "NoLoggingReplicasStructureWarning" },
    { "no common way to repoint", { MASTER, SEEN, N(2, 2, 2), .oracle_gtid = 1, .mariadb_gtid = 1, .logging = 2 }, { 0 },
      "NoFailoverSupportStructureWarning" },
    { "all below binlog servers", { MASTER, SEEN, N(2, 2, 2), .binlog_servers = 2, .logging = 2 }, { 0 }, "" },
    { "statement and mixed", { MASTER, SEEN, N(2, 2, 2), .mariadb_gtid = 2, .logging = 2, .logging_statement = 1, .logging_mixed = 1 },
      { 0 }, "StatementAndMixedLoggingReplicasStructureWarning" },
    { "statement and row", { MASTER, SEEN, N(2, 2, 2), .mariadb_gtid = 2, .logging = 2, .logging_statement = 1, .logging_row = 1 },
      { 0 }, "StatementAndRowLoggingReplicasStructureWarning" },
    { "mixed and row", { MASTER, SEEN, N(2, 2, 2), .mariadb_gtid = 2, .logging = 2, .logging_mixed = 1, .logging_row = 1 }, { 0 },
      "MixedAndRowLoggingReplicasStructureWarning" },
    { "two major versions", { MASTER, SEEN, N(2, 2, 2), .mariadb_gtid = 2, .logging = 2, .logging_major_versions = 2 }, { 0 },
      "MultipleMajorVersionsLoggingReplicasStructureWarning" },
    { "gtid_mode differs below an intermediate master", { .depth = 1, SEEN, N(1, 1, 1), .gtid_mode = "ON", .least_gtid_mode = "OFF",
                                                          .most_gtid_mode = "ON" }, { 0 }, "DifferentGTIDModesStructureWarning" },
    { "a replica below an intermediate master is errant", { .depth = 1, SEEN, N(1, 1, 1), .errant = 1 }, { 0 },
      "ErrantGTIDStructureWarning" },
    { "a server that was failed over from is back and writeable", { MASTER, SEEN, .is_former_master = true, .is_downtimed = true },
      { 0 }, "FormerMasterWriteableStructureWarning" },
    { "a ring of three", { SEEN, N(1, 1, 1), .ring = 3 }, { 0 }, "RingReplicationStructureWarning" },
    { "two masters above it", { SEEN, .depth = 1, .is_multi_source = true }, { 0 }, "MultiSourceReplicationStructureWarning" },
    { "lost and errant", { MASTER, N(1, 1, 0), .errant = 1 }, { 0 }, "DeadMaster, ErrantGTIDStructureWarning" },
};
#define SCENE_COUNT (sizeof scenes / sizeof scenes[0])

Test(analysis, every_scene_is_found_and_every_row_of_the_tables_is_hit)
{
    int rule_hits[64] = { 0 }, structure_hits[STRUCTURE_WARNING_COUNT] = { 0 };
    cr_assert_lt(analysis_rule_count, 64u);
    for (size_t i = 0; i < SCENE_COUNT; i++) {
        const struct analysis found = analysis_judge(&scenes[i].facts, &scenes[i].policy, false);
        char text[512];
        cr_expect(analysis_text(&found, text, sizeof text));
        cr_expect_str_eq(text, scenes[i].finding, "%s: found '%s'", scenes[i].story, text);
        rule_hits[found.rule - analysis_rules]++;
        for (int k = 0; k < STRUCTURE_WARNING_COUNT; k++)
            structure_hits[k] += found.structure >> k & 1;
    }
    for (size_t i = 0; i < analysis_rule_count; i++)
        cr_expect_gt(rule_hits[i], 0, "no scene hits rule %zu (%s)", i, analysis_codes[analysis_rules[i].code].word);
    for (int i = 0; i < STRUCTURE_WARNING_COUNT; i++)
        cr_expect_gt(structure_hits[i], 0, "no scene hits %s", structure_rules[i].word);
}

Test(analysis, every_code_has_a_row_a_word_of_its_own_a_sentence_and_a_rule_that_finds_it)
{
    for (int i = 0; i < ANALYSIS_CODE_COUNT; i++) {
        const struct analysis_code_row *row = &analysis_codes[i];
        bool is_found = false;
        cr_assert_eq(row->code, (enum analysis_code)i);
        cr_expect(strlen(row->word) > 0 && strlen(row->description) > 0);
        for (int k = 0; k < i; k++)
            cr_expect_str_neq(row->word, analysis_codes[k].word);
        for (size_t k = 0; k < analysis_rule_count; k++)
            is_found = is_found || analysis_rules[k].code == row->code;
        cr_expect(is_found, "%s", row->word);
    }
}

/* All that have the property, in their order, joined by a blank. */
static const char *codes_that(bool (*have_it)(const struct analysis_code_row *row))
{
    static char text[2048];
    text[0] = '\0';
    for (int i = 0; i < ANALYSIS_CODE_COUNT; i++) {
        if (have_it(&analysis_codes[i]))
            text_format(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] == '\0' ? "" : " ", analysis_codes[i].word);
    }
    return text;
}

static bool waits(const struct analysis_code_row *row) { return row->waits_for_grace; }
static bool is_moot(const struct analysis_code_row *row) { return row->is_moot_when_downtimed; }
static bool is_silent(const struct analysis_code_row *row) { return !row->is_detected; }
static bool restarts_io(const struct analysis_code_row *row) { return row->emergency == EMERGENCY_RESTART_IO; }
static bool saves_master(const struct analysis_code_row *row) { return row->recovery == RECOVERY_DEAD_MASTER; }
static bool saves_intermediate(const struct analysis_code_row *row) { return row->recovery == RECOVERY_DEAD_INTERMEDIATE_MASTER; }

Test(analysis, what_the_codes_lead_to_is_what_is_written)
{
    cr_expect_str_eq(codes_that(waits), "DeadMaster DeadMasterAndSomeReplicas LockedSemiSyncMaster");
    cr_expect_str_eq(codes_that(is_silent), "NoProblem LockedSemiSyncMasterHypothesis");
    cr_expect_str_eq(codes_that(restarts_io),
                     "UnreachableMasterWithLaggingReplicas UnreachableIntermediateMasterWithLaggingReplicas");
    cr_expect_str_eq(codes_that(saves_master), "DeadMaster DeadMasterAndSomeReplicas");
    cr_expect_str_eq(codes_that(saves_intermediate),
                     "DeadIntermediateMasterWithSingleReplicaFailingToConnect DeadIntermediateMasterWithSingleReplica "
                     "DeadIntermediateMaster DeadIntermediateMasterAndSomeReplicas "
                     "AllIntermediateMasterReplicasFailingToConnectOrDead");
    cr_expect_str_eq(codes_that(is_moot),
                     "MasterSingleReplicaNotReplicating MasterSingleReplicaDead AllMasterReplicasNotReplicating "
                     "AllMasterReplicasNotReplicatingOrDead AllMasterReplicasDead AllCoMasterReplicasNotReplicating "
                     "DeadIntermediateMasterWithSingleReplicaFailingToConnect DeadIntermediateMasterWithSingleReplica "
                     "DeadIntermediateMasterAndSomeReplicas DeadIntermediateMasterAndReplicas "
                     "AllIntermediateMasterReplicasFailingToConnectOrDead AllIntermediateMasterReplicasNotReplicating "
                     "AllIntermediateMasterReplicasDead");
}

Test(analysis, every_structure_warning_stands_in_its_place_and_ends_as_one)
{
    for (int i = 0; i < STRUCTURE_WARNING_COUNT; i++) {
        const char *word = structure_rules[i].word, *end = "StructureWarning";
        cr_assert_eq(structure_rules[i].warning, (enum structure_warning)i);
        cr_assert_gt(strlen(word), strlen(end));
        cr_expect_str_eq(word + strlen(word) - strlen(end), end);
        cr_expect_gt(strlen(structure_rules[i].description), 0u);
    }
}

Test(analysis, every_column_and_value_that_a_rule_names_is_there)
{
    for (size_t i = 0; i < analysis_rule_count; i++) {
        for (int column = 0; column < FACT_COLUMN_COUNT; column++) {
            for (int bit = 0; bit < 8; bit++) {
                if (analysis_rules[i].wants[column] >> bit & 1)
                    cr_expect(bit < FACT_VALUES_MAX && fact_columns[column].values[bit] != NULL, "rule %zu, %s", i,
                              fact_columns[column].word);
            }
        }
    }
}

Test(analysis, only_what_a_recovery_understands_is_actionable)
{
    struct analysis_facts dead = { MASTER, N(1, 1, 0) };
    cr_expect(analysis_judge(&dead, &analysis_policy_preset, false).is_actionable);
    cr_expect_not(analysis_judge(&dead, &analysis_policy_preset, true).is_actionable, "its IO threads are just being restarted");
    dead.is_multi_source = true;
    cr_expect_not(analysis_judge(&dead, &analysis_policy_preset, false).is_actionable, "which master was lost is not known");

    const struct analysis_facts unreachable = { MASTER, N(1, 1, 1) };
    cr_expect_not(analysis_judge(&unreachable, &analysis_policy_preset, false).is_actionable);
    const struct analysis_facts intermediate = { N(1, 1, 0) };
    cr_expect(analysis_judge(&intermediate, &analysis_policy_preset, true).is_actionable, "no grace holds this one");
}

Test(analysis, a_downtimed_server_is_told_to_those_who_ask_for_it)
{
    const struct analysis_facts facts = { MASTER, N(1, 1, 0), .is_downtimed = true };
    const struct analysis found = analysis_judge(&facts, &analysis_policy_preset, false);
    cr_expect(found.is_skippable && found.is_downtimed);
    cr_expect_not(analysis_is_told(&found, (struct analysis_asked){ .no_problem = true }, false));
    cr_expect(analysis_is_told(&found, (struct analysis_asked){ .downtimed = true }, false));
    cr_expect_not(analysis_is_told(&found, (struct analysis_asked){ .downtimed = true, .no_problem = true }, true), "ignored");
}

Test(analysis, downtimed_replicas_make_only_findings_about_replicas_moot)
{
    struct analysis_facts facts = { MASTER, SEEN, N(2, 2, 0), .mariadb_gtid = 2, .logging = 2, .downtimed = 2 };
    cr_expect(analysis_judge(&facts, &analysis_policy_preset, false).is_replicas_downtimed);
    facts.downtimed = 1;
    cr_expect_not(analysis_judge(&facts, &analysis_policy_preset, false).is_skippable);
    facts.downtimed = 2;
    facts.is_last_check_valid = false;
    cr_expect_not(analysis_judge(&facts, &analysis_policy_preset, false).is_skippable, "a dead master stays one");
}

Test(analysis, no_problem_is_told_to_those_who_ask_for_it)
{
    const struct analysis_facts facts = { MASTER, SEEN, N(1, 1, 1) };
    const struct analysis found = analysis_judge(&facts, &analysis_policy_preset, false);
    cr_expect_not(analysis_is_told(&found, (struct analysis_asked){ .downtimed = true }, false));
    cr_expect(analysis_is_told(&found, (struct analysis_asked){ .no_problem = true }, false));
}

Test(analysis, entries_are_of_the_interesting_masters_first)
{
    const struct analysis_facts leaf = { SEEN, .depth = 1 }, deaf = { SEEN, .is_failing_to_connect = true }, lost = { .depth = 1 };
    const struct analysis_facts one = { MASTER, SEEN, N(1, 1, 1) }, two = { MASTER, SEEN, N(2, 2, 2) }, below = { SEEN, N(9, 9, 9) };
    cr_expect_not(analysis_is_worth_an_entry(&leaf));
    cr_expect(analysis_is_worth_an_entry(&deaf) && analysis_is_worth_an_entry(&lost) && analysis_is_worth_an_entry(&one));
    cr_expect_lt(analysis_order(&one, false, &below, true), 0, "a master before others");
    cr_expect_lt(analysis_order(&one, true, &two, false), 0, "the head of a cluster before other masters");
    cr_expect_lt(analysis_order(&two, true, &one, true), 0, "more replicas before fewer");
    cr_expect_eq(analysis_order(&two, true, &two, true), 0);
}

Test(analysis, words_of_older_history_are_understood)
{
    enum analysis_code code;
    cr_expect(analysis_code_find("DeadMaster", &code) && code == ANALYSIS_DEAD_MASTER);
    cr_expect(analysis_code_find("UnreachableMasterWithStaleReplicas", &code) &&
              code == ANALYSIS_UNREACHABLE_MASTER_WITH_LAGGING_REPLICAS);
    cr_expect_not(analysis_code_find("deadmaster", &code));
    cr_expect_not(analysis_code_find("", &code));
}

Test(analysis, a_text_that_does_not_fit_says_so_and_ends)
{
    const struct analysis_facts facts = { MASTER, N(1, 1, 0), .errant = 1 };
    const struct analysis found = analysis_judge(&facts, &analysis_policy_preset, false);
    char text[16];
    cr_expect_not(analysis_text(&found, text, sizeof text));
    cr_expect_lt(strlen(text), sizeof text);
}

Test(analysis, the_type_is_the_most_particular_one)
{
    const struct analysis_facts co = { MASTER, .is_co_master = true, .is_group_member = true }, member = { .is_group_member = true };
    const struct analysis_facts master = { MASTER }, other = { 0 };
    cr_expect_str_eq(analysis_type_word(&co), "co-master");
    cr_expect_str_eq(analysis_type_word(&member), "group-member");
    cr_expect_str_eq(analysis_type_word(&master), "master");
    cr_expect_str_eq(analysis_type_word(&other), "intermediate-master");
}

/* The decision list as orchestrator's users know it, written out a second time, by counts. Where ours differs it says so. */
static const char *by_the_list(const struct analysis_facts *f, const struct analysis_policy *p)
{
    const bool m = f->is_master, co = f->is_co_master, ok = f->is_last_check_valid, ps = f->is_partly_seen;
    const int n = f->replicas, v = f->valid, vr = f->replicating, fc = f->failing_to_connect, w = f->semi_sync_wanted;
    const int c = f->semi_sync_clients;
    const bool semi = m && f->has_semi_sync && f->is_semi_sync_on && w > 0;
    const bool all_lag = f->prompt > 0 && f->prompt_lagging == f->prompt;      /* ours; the list: lag = n and del < n */
    if (f->is_group_member)
        return !ok && n > 0 && vr == 0 ? "DeadReplicationGroupMemberWithReplicas" : "NoProblem";
    if (m && !ok && n == 0) return "DeadMasterWithoutReplicas";
    if (m && !ok && v == n && vr == 0) return "DeadMaster";
    if (m && !ok && n > 0 && v == 0 && vr == 0) return "DeadMasterAndReplicas";
    if (m && !ok && v < n && v > 0 && vr == 0) return "DeadMasterAndSomeReplicas";
    if (m && !ok && all_lag && vr > 0) return "UnreachableMasterWithLaggingReplicas";
    if (m && !ok && !ps && v > 0 && vr > 0) return "UnreachableMaster";
    if (m && !ok && ps && fc > 0 && v > 0 && vr > 0) return "UnreachableMaster";
    if (semi && c < w) return f->is_stuck ? "LockedSemiSyncMaster" : "LockedSemiSyncMasterHypothesis";
    if (p->wants_exact_semi_sync && semi && c > w) return "MasterWithTooManySemiSyncReplicas";
    if (m && ok && f->is_read_only && vr > 0 && p->wants_writeable_master) return "NoWriteableMasterStructureWarning";
    if (m && ok && n == 1 && v == n && vr == 0) return "MasterSingleReplicaNotReplicating";
    if (m && ok && n == 1 && v == 0) return "MasterSingleReplicaDead";
    if (m && ok && n > 1 && v == n && vr == 0) return "AllMasterReplicasNotReplicating";
    if (m && ok && n > 1 && v < n && v > 0 && vr == 0) return "AllMasterReplicasNotReplicatingOrDead";
    if (m && ok && n > 1 && v == 0) return "AllMasterReplicasDead";             /* ours */
    if (co && !ok && n > 0 && v == n && vr == 0) return "DeadCoMaster";
    if (co && !ok && v < n && v > 0 && vr == 0) return "DeadCoMasterAndSomeReplicas";
    if (co && !ok && !ps && v > 0 && vr > 0) return "UnreachableCoMaster";
    if (co && ok && n > 0 && vr == 0) return "AllCoMasterReplicasNotReplicating";
    if (!m && !ok && n == 1 && v == n && fc == n && vr == 0) return "DeadIntermediateMasterWithSingleReplicaFailingToConnect";
    if (!m && !ok && n == 1 && v == n && vr == 0) return "DeadIntermediateMasterWithSingleReplica";
    if (!m && !ok && n > 1 && v == n && vr == 0) return "DeadIntermediateMaster";
    if (!m && !ok && v < n && v > 0 && vr == 0) return "DeadIntermediateMasterAndSomeReplicas";
    if (!m && !ok && n > 0 && v == 0) return "DeadIntermediateMasterAndReplicas";
    if (!m && !ok && all_lag && vr > 0) return "UnreachableIntermediateMasterWithLaggingReplicas";
    if (!m && !ok && !ps && v > 0 && vr > 0) return "UnreachableIntermediateMaster";
    if (!m && ok && n > 1 && vr == 0 && fc > 0 && fc == v) return "AllIntermediateMasterReplicasFailingToConnectOrDead";
    if (!m && ok && n > 0 && v > 0 && vr == 0) return "AllIntermediateMasterReplicasNotReplicating";
    if (!m && ok && n > 0 && v == 0) return "AllIntermediateMasterReplicasDead";             /* ours */
    if (f->is_binlog_server && f->is_failing_to_connect) return "BinlogServerFailingToConnectToMaster";
    if (f->depth == 1 && f->is_failing_to_connect) return "FirstTierReplicaFailingToConnectToMaster";
    return "NoProblem";
}

static int up_to(struct fc_rng *rng, int most)
{
    return (int)rng_below(rng, (uint64_t)most + 1);
}

static bool coin(struct fc_rng *rng)
{
    return rng_below(rng, 2) == 1;
}

static struct analysis_facts drawn(struct fc_rng *rng)
{
    struct analysis_facts f = { .is_master = coin(rng), .is_co_master = coin(rng), .is_last_check_valid = coin(rng),
                                .is_partly_seen = coin(rng), .is_failing_to_connect = coin(rng), .is_binlog_server = coin(rng),
                                .is_read_only = coin(rng), .is_stuck = coin(rng), .is_group_member = up_to(rng, 9) == 0,
                                .has_semi_sync = coin(rng), .is_semi_sync_on = coin(rng), .semi_sync_wanted = up_to(rng, 2),
                                .semi_sync_clients = up_to(rng, 3), .depth = up_to(rng, 3), .replicas = up_to(rng, 4) };
    f.valid = up_to(rng, f.replicas);
    f.replicating = coin(rng) ? 0 : up_to(rng, f.valid);
    f.failing_to_connect = up_to(rng, f.valid);
    f.prompt = up_to(rng, f.valid);
    f.prompt_lagging = up_to(rng, f.prompt);
    return f;
}

Test(analysis, the_table_says_what_the_list_says_for_any_facts)
{
    struct fc_rng rng = { 20260101 };
    for (int i = 0; i < 200000; i++) {
        const struct analysis_facts facts = drawn(&rng);
        const struct analysis_policy policy = { .wants_exact_semi_sync = coin(&rng), .wants_writeable_master = coin(&rng) };
        const char *word = analysis_codes[analysis_judge(&facts, &policy, false).code].word, *wanted = by_the_list(&facts, &policy);
        cr_assert(text_is(word, wanted), "round %d: %s, the list says %s", i, word, wanted);
    }
}

Test(analysis, counts_that_cannot_be_are_not_sound)
{
    cr_expect(facts_are_sound(&(struct analysis_facts){ N(2, 2, 2), .prompt = 2, .prompt_lagging = 2 }));
    cr_expect_not(facts_are_sound(&(struct analysis_facts){ N(1, 2, 0) }));
    cr_expect_not(facts_are_sound(&(struct analysis_facts){ N(2, 1, 2) }));
    cr_expect_not(facts_are_sound(&(struct analysis_facts){ N(-1, 0, 0) }));
    cr_expect_not(facts_are_sound(&(struct analysis_facts){ N(2, 2, 0), .prompt = 1, .prompt_lagging = 2 }));
    cr_expect_not(facts_are_sound(&(struct analysis_facts){ N(2, 2, 0), .logging = 1, .logging_row = 2 }));
}
