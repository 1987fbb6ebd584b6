/* Scenes of raft's thread: three nodes over real sockets and directories. */
#include <criterion/criterion.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "backends/quorum/held.h"
#include "base/text.h"
#include "quorum_stage.h"

static struct stage s;

static void open_three(void) { stage_open(&s, 3); }
static void close_all(void)
{
    stage_close(&s);
    cr_assert_eq(s.two_leaders, 0, "two nodes could act at one moment, %d times", s.two_leaders);
}

static bool somebody_leads(struct stage *stage) { return stage_leader(stage) >= 0; }

static int old_leader;
static bool another_leads(struct stage *stage)
{
    const int leader = stage_leader(stage);
    return leader >= 0 && leader != old_leader;
}

static int wanted_holds;
static bool all_have_the_holds(struct stage *stage)
{
    for (int i = 0; i < stage->count; i++) {
        if (stage->nodes[i].quorum != NULL && stage->nodes[i].state.hold_count != wanted_holds)
            return false;
    }
    return true;
}

TestSuite(quorum, .init = open_three, .fini = close_all, .timeout = 120);

Test(quorum, three_that_start_at_once_agree_on_one_leader)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    const int leader = stage_leader(&s);
    stage_run_ms(&s, 500);
    cr_assert_eq(s.nodes[leader].view.elections_won, 1);
}

Test(quorum, entries_of_leader_and_followers_are_applied_everywhere_once)
{
    char server[16];
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    for (int i = 0; i < 30; i++) {
        snprintf(server, sizeof server, "db%d", i);
        stage_hold(&s, i % 3, server, "work");
    }
    wanted_holds = 30;
    stage_until(&s, all_have_the_holds);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(s.nodes[i].applied, 30);
    cr_assert_eq(memcmp(s.nodes[0].state.holds, s.nodes[1].state.holds, sizeof s.nodes[0].state.holds), 0);
}

Test(quorum, another_leads_after_the_leader_is_gone_and_it_comes_back_as_a_follower)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    old_leader = stage_leader(&s);
    stage_hold(&s, old_leader, "db1", "before");
    wanted_holds = 1;
    stage_until(&s, all_have_the_holds);
    stage_stop(&s, old_leader);
    stage_until(&s, another_leads);
    stage_hold(&s, stage_leader(&s), "db2", "while it was away");
    wanted_holds = 2;
    stage_until(&s, all_have_the_holds);
    stage_start(&s, old_leader);
    stage_until(&s, all_have_the_holds);
    cr_assert_neq(stage_leader(&s), old_leader);
}

static int asked_node;
static bool it_has_ended(struct stage *stage) { return stage->nodes[asked_node].ended > 0; }
static bool it_has_failed(struct stage *stage) { return stage->nodes[asked_node].failed > 0; }
static bool it_is_out(struct stage *stage) { return stage->nodes[asked_node].view.role == QUORUM_OUT; }
static bool it_is_silent(struct stage *stage) { return fc_is_ever(stage->nodes[asked_node].view.until); }
static bool third_leads(struct stage *stage) { return stage_leader(stage) == asked_node; }

/* Asked again where the named node was not given the processor in time: the leader then goes on. */
static bool yields_to_the_next(struct stage *stage)
{
    stage_until(stage, somebody_leads);
    old_leader = asked_node = stage_leader(stage);
    stage->nodes[old_leader].ended = 0;
    cr_assert(quorum_yield(stage->nodes[old_leader].quorum, 77, (old_leader + 1) % 3, 1000));
    stage_until(stage, it_has_ended);
    cr_assert_eq(stage->nodes[old_leader].last.number, 77);
    return stage->nodes[old_leader].last.code == FC_OK;
}

Test(quorum, a_leader_that_yields_to_a_named_node_has_stopped_before_that_one_starts)
{
    stage_start_all(&s);
    cr_assert(yields_to_the_next(&s) || yields_to_the_next(&s) || yields_to_the_next(&s), "%s", s.nodes[old_leader].last.text);
    asked_node = (old_leader + 1) % 3;
    stage_until(&s, third_leads);
}

Test(quorum, a_leader_without_others_keeps_what_it_has_when_asked_to_yield)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    asked_node = stage_leader(&s);
    cr_assert(quorum_yield(s.nodes[asked_node].quorum, 5, asked_node, 1000));
    stage_until(&s, it_has_ended);
    cr_assert_eq(s.nodes[asked_node].last.code, FC_REFUSED);
    stage_until(&s, third_leads);
}

/* ---- a witness: the third node ---- */

static bool witness_was_elected(struct stage *stage) { return stage->nodes[2].view.elections_won > 0; }
static bool witness_is_elected(struct stage *stage) { return stage->nodes[2].view.role == QUORUM_LEADER; }
static bool a_node_leads(struct stage *stage) { return stage_leader(stage) == 0 || stage_leader(stage) == 1; }

Test(quorum, a_witness_that_is_elected_hands_over_within_a_second)
{
    s.witness = 3;
    stage_start_all(&s);
    stage_until(&s, a_node_leads);
    for (int i = 0; i < 2; i++)                            /* who may not stand leaves it to the witness */
        quorum_stand(s.nodes[i].quorum, false);
    asked_node = stage_leader(&s);
    const int other = 1 - asked_node;
    stage_stop(&s, asked_node);
    stage_until(&s, witness_was_elected);
    stage_run_ms(&s, 3 * STAGE_ELECTION_MS);
    stage_until(&s, witness_is_elected);                   /* still, or anew where this machine was slow: nobody else may */
    quorum_stand(s.nodes[other].quorum, true);
    const struct fc_time since = s.host->now(s.host->agent);
    stage_until(&s, a_node_leads);
    cr_assert_eq(stage_leader(&s), other);
    cr_expect_lt(fc_since(since, s.host->now(s.host->agent)).us, 3 * 1000000, "%lld us", (long long)fc_since(since, s.host->now(s.host->agent)).us);
}

Test(quorum, nobody_yields_to_a_witness)
{
    s.witness = 3;
    stage_start_all(&s);
    stage_until(&s, a_node_leads);
    asked_node = old_leader = stage_leader(&s);
    s.nodes[asked_node].ended = 0;
    cr_assert(quorum_yield(s.nodes[asked_node].quorum, 5, 2, 1000));
    stage_until(&s, it_has_ended);
    cr_assert_eq(s.nodes[asked_node].last.code, FC_UNREACHABLE);
    cr_assert_not_null(strstr(s.nodes[asked_node].last.text, "witness"), "%s", s.nodes[asked_node].last.text);
}

static bool words_are_there(struct stage *stage)
{
    return stage->nodes[2].view.words.is_known && stage->nodes[2].view.words.is_open;
}
static bool words_are_gone(struct stage *stage) { return !stage->nodes[2].view.words.is_known; }

static void chair_in_log(int node, uint64_t epoch, enum phase phase)
{
    struct store_request request = { .deed = STORE_TAKE, .old = s.nodes[node].state.chair, .row = s.nodes[node].state.chair };
    struct shared_entry entry;
    request.row.rank.epoch = epoch;
    request.row.phase = phase;
    TEXT_SET(request.row.rank.server, "uid:a");
    TEXT_SET(request.row.rank.node, s.nodes[node].name);
    TEXT_SET(request.row.successor, phase == PHASE_MOVING ? "uid:b" : "");
    shared_entry_of(&request, s.nodes[node].name, s.nodes[node].next_number, &entry);
    cr_assert(quorum_propose(s.nodes[node].quorum, s.nodes[node].next_number++, &entry, 2000));
}
static uint64_t wanted_epoch;
static bool all_have_the_chair(struct stage *stage)
{
    int count = 0;
    for (int i = 0; i < 3; i++)
        count += stage->nodes[i].view.voiced.epoch == wanted_epoch;
    return count == 3;
}

Test(quorum, what_the_leader_says_of_the_chair_reaches_all_and_ends_when_the_chair_moves)
{
    const struct chair_words words = { .is_known = true, .is_open = true, .seat = "db1", .paused_by = "ann@test" };
    s.witness = 3;
    stage_start_all(&s);
    stage_until(&s, a_node_leads);
    const int leader = stage_leader(&s);
    chair_in_log(leader, wanted_epoch = 1, PHASE_SEATED);
    stage_until(&s, all_have_the_chair);
    struct rank other = s.nodes[leader].view.voiced;
    other.epoch++;
    cr_assert(quorum_tell_words(s.nodes[leader].quorum, &other, &words));
    stage_run_ms(&s, STAGE_ELECTION_MS);
    cr_assert_not(words_are_there(&s), "they are of another chair");
    cr_assert(quorum_tell_words(s.nodes[leader].quorum, &s.nodes[leader].view.voiced, &words));
    stage_until(&s, words_are_there);
    cr_assert_str_eq(s.nodes[2].view.words.seat, "db1");
    cr_assert_str_eq(s.nodes[2].view.words.paused_by, "ann@test");
    chair_in_log(leader, wanted_epoch = 2, PHASE_MOVING);
    stage_until(&s, all_have_the_chair);
    stage_until(&s, words_are_gone);
}

Test(quorum, a_leader_that_lost_its_majority_stops_acting_and_says_so_to_who_asks)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    asked_node = stage_leader(&s);
    stage_stop(&s, (asked_node + 1) % 3);
    stage_run_ms(&s, 50);
    stage_stop(&s, (asked_node + 2) % 3);
    stage_run_ms(&s, STAGE_ELECTION_MS);
    cr_assert_neq(stage_leader(&s), asked_node, "its lease is over");
    stage_until(&s, it_is_silent);
    stage_start(&s, (asked_node + 2) % 3);
    stage_until(&s, somebody_leads);
}

Test(quorum, an_entry_without_a_majority_is_refused_in_its_time)
{
    stage_start(&s, 0);
    stage_start(&s, 1);
    asked_node = 0;
    struct store_request request = { .deed = STORE_HISTORY, .history = { .id = 5, .kind = "note", .text = "nobody hears it" } };
    struct shared_entry entry;
    shared_entry_of(&request, s.nodes[0].name, 1, &entry);
    cr_assert(quorum_propose(s.nodes[0].quorum, 1, &entry, 300));
    stage_until(&s, it_has_failed);
    cr_assert_eq(s.nodes[0].last.code, FC_NOT_LEADER);
    cr_assert_eq(stage_leader(&s), -1, "of three all must have met once before the first two may decide");
    cr_assert_eq(s.nodes[0].view.role, QUORUM_STARTING);
    stage_start(&s, 2);
    stage_until(&s, somebody_leads);
}

Test(quorum, a_node_whose_directory_was_emptied_takes_no_part_and_says_why)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    asked_node = (stage_leader(&s) + 1) % 3;
    stage_hold(&s, stage_leader(&s), "db1", "before");
    wanted_holds = 1;
    stage_until(&s, all_have_the_holds);
    stage_stop(&s, asked_node);
    stage_wipe(&s, asked_node);
    stage_start(&s, asked_node);
    stage_until(&s, it_is_out);
    cr_assert_not_null(strstr(s.nodes[asked_node].view.why, "its data directory is empty"), "%s", s.nodes[asked_node].view.why);
    stage_run_ms(&s, 2 * STAGE_ELECTION_MS);
    cr_assert_geq(stage_leader(&s), 0, "the other two go on");
}

Test(quorum, a_directory_of_another_node_is_not_used)
{
    struct fc_err err = { .code = FC_OK };
    struct birth birth;
    char dir[96];
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    stage_stop(&s, 0);
    snprintf(dir, sizeof dir, "%s/0", s.dir);
    cr_assert_eq(birth_open(dir, "fc9", true, &birth, &err), FC_BAD_CONFIG);
    cr_assert_not_null(strstr(err.text, "belongs to node 'fc1', and this is node 'fc9'"), "%s", err.text);
    cr_assert_eq(birth_open(dir, "fc1", false, &birth, &err), FC_STORE, "a member without a log forgot what it voted");
}

Test(quorum, what_was_acknowledged_is_there_after_all_have_been_restarted)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    stage_hold(&s, 0, "db1", "before");
    stage_hold(&s, 1, "db2", "before");
    wanted_holds = 2;
    stage_until(&s, all_have_the_holds);
    for (int i = 0; i < 3; i++)
        stage_stop(&s, i);
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    stage_until(&s, all_have_the_holds);
}

Test(quorum, a_node_that_was_long_away_is_given_the_whole_state)
{
    char server[16];
    s.snapshot_entries = 40;
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    asked_node = (stage_leader(&s) + 1) % 3;
    stage_stop(&s, asked_node);
    wanted_holds = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(server, sizeof server, "db%d", i);
        stage_hold(&s, stage_leader(&s), server, "while it was away");
        if (i % 10 == 9) {
            wanted_holds = i + 1;
            stage_until(&s, all_have_the_holds);
        }
    }
    stage_start(&s, asked_node);
    stage_until(&s, all_have_the_holds);
    cr_assert_geq(s.nodes[asked_node].states, 1, "by a snapshot");
    cr_assert_gt(s.nodes[asked_node].view.snapshot_index, 0);
}

Test(quorum, a_snapshot_is_taken_when_asked_for)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    asked_node = stage_leader(&s);
    stage_hold(&s, asked_node, "db1", "before");
    wanted_holds = 1;
    stage_until(&s, all_have_the_holds);
    cr_assert(quorum_snapshot(s.nodes[asked_node].quorum, 9));
    stage_until(&s, it_has_ended);
    cr_assert_eq(s.nodes[asked_node].last.code, FC_OK, "%s", s.nodes[asked_node].last.text);
}

/* Its newest snapshot's bytes are changed in the midst: ours end in their checksum. */
static void damage_snapshot(int node)
{
    char pattern[128];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/%d/log/snapshot-*[0-9]", s.dir, node);
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "%s", pattern);
    FILE *file = fopen(found.gl_pathv[found.gl_pathc - 1], "r+b");
    cr_assert_not_null(file);
    fseek(file, 40, SEEK_SET);
    fputc(0x5a, file);
    fclose(file);
    globfree(&found);
}

Test(quorum, a_node_whose_newest_snapshot_is_damaged_takes_no_part_and_says_why)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    asked_node = stage_leader(&s);
    stage_hold(&s, asked_node, "db1", "before");
    wanted_holds = 1;
    stage_until(&s, all_have_the_holds);
    cr_assert(quorum_snapshot(s.nodes[asked_node].quorum, 9));
    stage_until(&s, it_has_ended);
    stage_stop(&s, asked_node);
    damage_snapshot(asked_node);
    stage_start(&s, asked_node);
    stage_until(&s, it_is_out);
    cr_assert_not_null(strstr(s.nodes[asked_node].view.why, "checksum is wrong"), "%s", s.nodes[asked_node].view.why);
    stage_until(&s, somebody_leads);
    cr_assert_neq(stage_leader(&s), asked_node, "the other two go on");
}

Test(quorum, one_node_alone_leads_at_once)
{
    s.count = s.founders = 1;
    stage_start(&s, 0);
    stage_until(&s, somebody_leads);
    stage_hold(&s, 0, "db1", "alone");
    wanted_holds = 1;
    stage_until(&s, all_have_the_holds);
    cr_assert_eq(s.nodes[0].view.role, QUORUM_ALONE);
}

/* ---- a log that lost its end -------------------------------------------------------------------------------------- */

static void confirm_more_than_there_is(int node, uint64_t more)
{
    struct fc_err err = { .code = FC_OK };
    struct held held;
    char dir[96];
    snprintf(dir, sizeof dir, "%s/%d", s.dir, node);
    cr_assert_eq(held_open(dir, &held, &err), FC_OK, "%s", err.text);
    cr_assert_gt(held_index(&held), 0, "what was confirmed is marked");
    held_set(&held, held_index(&held) + more);
    held_close(&held);
}

static bool it_is_whole(struct stage *stage)
{
    const struct stage_node *node = &stage->nodes[asked_node];
    return node->view.role == QUORUM_FOLLOWER && node->view.applied_index > 0 && node->view.why[0] == '\0';
}

Test(quorum, a_node_whose_log_lost_its_end_neither_votes_nor_stands_until_a_leader_gave_it_back)
{
    stage_start_all(&s);
    stage_until(&s, somebody_leads);
    asked_node = (stage_leader(&s) + 1) % 3;
    stage_hold(&s, stage_leader(&s), "db1", "before");
    wanted_holds = 1;
    stage_until(&s, all_have_the_holds);
    for (int i = 0; i < 3; i++)
        stage_stop(&s, i);
    confirm_more_than_there_is(asked_node, 3);
    stage_start(&s, asked_node);
    stage_start(&s, (asked_node + 1) % 3);
    stage_run_ms(&s, 5 * STAGE_ELECTION_MS);
    cr_assert_eq(stage_leader(&s), -1, "the only other one has no majority without its vote");
    cr_assert_gt(s.nodes[asked_node].view.votes_withheld, 0);
    cr_assert_not_null(strstr(s.nodes[asked_node].view.why, "its disk lost what it had called durable"), "%s", s.nodes[asked_node].view.why);
    stage_start(&s, (asked_node + 2) % 3);
    stage_until(&s, somebody_leads);
    cr_assert_neq(stage_leader(&s), asked_node);
    for (int i = 0; i < 3; i++)
        stage_hold(&s, stage_leader(&s), "db2", "entries of another leader");
    stage_until(&s, it_is_whole);
}

Test(quorum, a_mark_of_what_was_confirmed_that_is_not_ours_is_not_overwritten)
{
    struct fc_err err = { .code = FC_OK };
    struct held held;
    char path[96];
    char page[8192] = "something else";
    snprintf(path, sizeof path, "%s/held", s.dir);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(page, 1, sizeof page, file), sizeof page);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(held_open(s.dir, &held, &err), FC_STORE);
    cr_assert_not_null(strstr(err.text, "/held' cannot be understood"), "%s", err.text);
    cr_assert_eq(held_index(&held), 0);
    cr_assert_eq(remove(path), 0);
    cr_assert_eq(held_open(s.dir, &held, &err), FC_OK, "%s", err.text);
    held_set(&held, 4711);
    held_close(&held);
    cr_assert_eq(held_open(s.dir, &held, &err), FC_OK, "%s", err.text);
    cr_assert_eq(held_index(&held), 4711);
    held_close(&held);
}
