/* From observations to verdicts: told scenes, errant transactions, what time does alone, and that only what changed is judged. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "judge/fleet.h"
#include "scarce_room.h"

static struct room room;
static struct topology topology;
static struct overrides said;
static struct fleet fleet;
static struct analysis_policy policy;
static int64_t seconds;              /* the scene's clock */

static void open_all(void)
{
    room = room_of_libc();
    policy = analysis_policy_preset;
    seconds = 100;
    cr_assert(topology_init(&topology, &room, 100000));
    overrides_init(&said, &room, &topology.names);
    cr_assert(fleet_init(&fleet, &room, &topology, &said, &policy));
}

static void close_all(void)
{
    fleet_done(&fleet);
    overrides_done(&said);
    topology_done(&topology);
}

TestSuite(fleet, .init = open_all, .fini = close_all);

static struct fc_time now(void)
{
    return (struct fc_time){ seconds * 1000000 };
}

/* What a server says; begins as a MariaDB 10.11 that logs what it applies. */
struct tells {
    struct instance_seen seen;
    struct channel_seen channels[2];
};

static struct tells tells(const char *host, const char *master)
{
    struct tells t = { .seen = { .key = { host, 3306 }, .flavour = FLAVOUR_MARIADB, .version = 101106, .has_log = true, .relogs = true,
                                 .binlog_format = "MIXED", .server_id = (uint32_t)(host[0] - 'a' + 1) } };
    for (int i = 0; i < 2; i++)
        t.channels[i] = (struct channel_seen){ .name = "", .master = { master, 3306 }, .gtid_use = GTID_SLAVE_POS, .io = THREAD_RUNNING,
                                               .sql = THREAD_RUNNING };
    t.seen.channel_count = master != NULL;
    return t;
}

static member_id hear(struct tells t)
{
    member_id id;
    t.seen.channels = t.channels;
    t.seen.seen_at = now();
    cr_assert_eq(topology_saw(&topology, &t.seen, NULL, &id, NULL), FC_OK);
    cr_assert(fleet_looked(&fleet, id, now()));
    return id;
}

static void say(const char *host, const char *master)
{
    hear(tells(host, master));
}

static member_id member(const char *host)
{
    const struct instance_key key = { host, 3306 };
    const member_id id = topology_find(&topology, &key);
    cr_assert_neq(id, MEMBER_NONE, "%s", host);
    return id;
}

static void lose(const char *host)
{
    topology_missed(&topology, member(host), false, now());
    cr_assert(fleet_looked(&fleet, member(host), now()));
}

/* Running, but its master is lost to it. */
static void cannot_connect(const char *host, const char *master)
{
    struct tells t = tells(host, master);
    t.channels[0].io = THREAD_CONNECTING;
    t.channels[0].io_error_number = 2003;
    hear(t);
}

static const char *finding(const char *host)
{
    static char text[512];
    fleet_judge(&fleet, now());
    const struct analysis *found = fleet_analysis(&fleet, member(host));
    if (found == NULL)
        return "no entry";
    analysis_text(found, text, sizeof text);
    return text;
}

static void three_servers(void)
{
    say("a", NULL);
    say("b", "a");
    say("c", "a");
}

Test(fleet, a_master_is_dead_when_we_and_its_replicas_have_lost_it)
{
    three_servers();
    cr_expect_str_eq(finding("a"), "");
    lose("a");
    cr_expect_str_eq(finding("a"), "UnreachableMaster");
    cannot_connect("b", "a");
    cr_expect_str_eq(finding("a"), "UnreachableMaster");
    cr_expect_str_eq(finding("b"), "FirstTierReplicaFailingToConnectToMaster");
    cannot_connect("c", "a");
    cr_expect_str_eq(finding("a"), "DeadMaster");
    cr_expect(fleet_analysis(&fleet, member("a"))->is_actionable);
    say("a", NULL);
    say("b", "a");
    say("c", "a");
    cr_expect_str_eq(finding("a"), "");
}

Test(fleet, each_change_of_a_finding_is_kept_with_the_counts_that_explain_it)
{
    three_servers();
    cr_expect_str_eq(finding("a"), "");
    cr_expect_eq(fleet.change_count, 0u, "the first finding is no change");
    seconds = 107;
    lose("a");
    finding("a");
    cannot_connect("b", "a");
    cannot_connect("c", "a");
    finding("a");
    char text[256];
    cr_assert_eq(fleet.change_count, 2u, "leaves have no entries in it");
    cr_expect(fleet_change_text(fleet_change(&fleet, 1), text, sizeof text));
    cr_expect_str_eq(text, "a:3306: NoProblem -> UnreachableMaster, 2 replicas, 2 valid, 2 replicating, 0 failing, 0 lagging, 0 downtimed");
    fleet_change_text(fleet_change(&fleet, 2), text, sizeof text);
    cr_expect_str_eq(text, "a:3306: UnreachableMaster -> DeadMaster, 2 replicas, 2 valid, 0 replicating, 2 failing, 0 lagging, 0 downtimed");
    cr_expect_eq(fleet_change(&fleet, 2)->at.us, now().us);
    cr_expect_null(fleet_change(&fleet, 3));
    cr_expect_null(fleet_change(&fleet, 0));
}

/* As a start finds them: known from rows, the master as it was told last. */
static void are_recalled(enum analysis_code told)
{
    const char *const hosts[] = { "a", "b", "c" };
    three_servers();
    for (int i = 0; i < 3; i++)
        fleet_await_look(&fleet, member(hosts[i]));
    fleet_recall_told(&fleet, member("a"), told);
    finding("a");
    seconds++;
}

Test(fleet, what_was_told_before_a_start_is_not_told_again)
{
    are_recalled(ANALYSIS_DEAD_MASTER);
    lose("a");
    cr_expect_str_eq(finding("a"), "UnreachableMaster", "its replicas are still as they were before");
    cannot_connect("b", "a");
    finding("a");
    cannot_connect("c", "a");
    cr_expect_str_eq(finding("a"), "DeadMaster");
    cr_expect_eq(fleet.change_count, 0u);
    cannot_connect("c", "a");
    say("c", "a");
    cr_expect_str_eq(finding("a"), "UnreachableMaster");
    cr_assert_eq(fleet.change_count, 1u, "from here on it is told as ever");
    cr_expect_eq(fleet_change(&fleet, 1)->was, ANALYSIS_DEAD_MASTER);
}

Test(fleet, what_has_changed_since_before_a_start_is_told_when_all_were_looked_at)
{
    are_recalled(ANALYSIS_DEAD_MASTER);
    say("a", NULL);
    say("b", "a");
    finding("a");
    cr_expect_eq(fleet.change_count, 0u);
    say("c", "a");
    finding("a");
    cr_assert_eq(fleet.change_count, 1u);
    cr_expect_eq(fleet_change(&fleet, 1)->was, ANALYSIS_DEAD_MASTER);
    cr_expect_eq(fleet_change(&fleet, 1)->is, ANALYSIS_NO_PROBLEM);
}

Test(fleet, a_look_that_hangs_makes_a_master_unseen_before_it_is_given_up)
{
    three_servers();
    finding("a");
    topology_attempted(&topology, member("a"), now());
    fleet_looked(&fleet, member("a"), now());
    cr_expect_eq(fleet_judge(&fleet, now()).us, now().us + 1000000, "ReasonableInstanceCheckSeconds");
    cr_expect_str_eq(finding("a"), "");
    seconds++;
    cr_expect_str_eq(finding("a"), "UnreachableMaster", "nobody told anything: time alone");
    say("a", NULL);
    cr_expect_str_eq(finding("a"), "");
    cr_expect(fc_is_never(fleet_judge(&fleet, now())) || fleet_judge(&fleet, now()).us > now().us);
}

Test(fleet, a_downtime_that_ends_is_seen_without_another_look)
{
    const struct instance_key a = { "a", 3306 };
    three_servers();
    cr_assert_eq(overrides_begin_downtime(&said, &a, "eve", "disk", now(), (struct fc_time){ 160000000 }, NULL), FC_OK);
    fleet_looked(&fleet, member("a"), now());
    lose("a");
    finding("a");
    cr_expect(fleet_analysis(&fleet, member("a"))->is_skippable);
    cr_expect_eq(fleet_judge(&fleet, now()).us, 160000000);
    seconds = 160;
    fleet_judge(&fleet, now());
    cr_expect_not(fleet_analysis(&fleet, member("a"))->is_skippable);
}

Test(fleet, a_server_in_maintenance_has_no_entry_until_it_ends)
{
    const struct instance_key a = { "a", 3306 };
    three_servers();
    lose("a");
    cr_assert_eq(overrides_begin_maintenance(&said, &a, "eve", "move", now(), FC_NEVER, NULL), FC_OK);
    fleet_looked(&fleet, member("a"), now());
    cr_expect_str_eq(finding("a"), "no entry");
    cr_assert_eq(overrides_end_maintenance(&said, &a, NULL), FC_OK);
    fleet_looked(&fleet, member("a"), now());
    cr_expect_str_eq(finding("a"), "UnreachableMaster");
}

Test(fleet, downtimed_replicas_do_not_call_for_help_and_are_not_errant)
{
    const struct instance_key b = { "b", 3306 };
    say("a", NULL);
    say("b", "a");
    overrides_begin_downtime(&said, &b, "eve", "rebuild", now(), FC_NEVER, NULL);
    lose("b");
    cr_expect_str_eq(finding("a"), "MasterSingleReplicaDead");
    cr_expect(fleet_analysis(&fleet, member("a"))->is_replicas_downtimed);
}

Test(fleet, nobody_acts_while_the_io_threads_are_being_restarted)
{
    say("a", NULL);
    cannot_connect("b", "a");
    lose("a");
    cr_expect_str_eq(finding("a"), "DeadMaster");
    fleet_grant_grace(&fleet, member("a"), (struct fc_time){ (seconds + 5) * 1000000 });
    finding("a");
    cr_expect_not(fleet_analysis(&fleet, member("a"))->is_actionable);
    seconds += 5;
    finding("a");
    cr_expect(fleet_analysis(&fleet, member("a"))->is_actionable);
}

Test(fleet, a_server_that_was_never_seen_is_not_acted_on)
{
    cannot_connect("b", "a");
    const struct instance_key a = { "a", 3306 };
    cr_assert_eq(topology_add(&topology, &a, NULL, NULL), FC_OK);
    fleet_looked(&fleet, member("a"), now());
    cr_expect_str_eq(finding("a"), "no entry", "no look has ended yet");
    lose("a");
    cr_expect_str_eq(finding("a"), "DeadMaster");
    cr_expect_not(fleet_analysis(&fleet, member("a"))->is_actionable, "it may be anything");
}

Test(fleet, a_master_whose_replication_could_not_be_read_is_not_acted_on)
{
    struct tells a = tells("a", NULL);
    a.seen.missing = READING_BIT(READING_REPLICATION);
    hear(a);
    cannot_connect("b", "a");
    lose("a");
    cr_expect_str_eq(finding("a"), "DeadMaster");
    cr_expect_not(fleet_analysis(&fleet, member("a"))->is_actionable);
}

/* Acknowledgements are lacking; its log ends at `offset`. */
static void lacks_acknowledgement(uint64_t offset)
{
    struct tells a = tells("a", NULL);
    a.seen.semi_sync = (struct semi_sync_seen){ .is_available = true, .is_master_enabled = true, .is_master_active = true };
    a.seen.written = (struct coordinates){ "bin.000001", offset };
    hear(a);
}

Test(fleet, a_semi_sync_master_of_mariadb_is_locked_when_its_log_stands_still_since_it_lacks_replicas)
{
    say("b", "a");
    lacks_acknowledgement(100);
    cr_expect_str_eq(finding("a"), "LockedSemiSyncMasterHypothesis", "MariaDB tells no count to wait for: it is one");
    seconds += 9;
    lacks_acknowledgement(200);
    seconds += 9;
    lacks_acknowledgement(200);
    cr_expect_str_eq(finding("a"), "LockedSemiSyncMasterHypothesis", "it has moved 9 seconds ago");
    seconds += 1;
    cr_expect_str_eq(finding("a"), "LockedSemiSyncMaster");
}

Test(fleet, co_masters_a_ring_and_several_masters_are_told_apart)
{
    say("a", "b");
    say("b", "a");
    lose("a");
    cannot_connect("b", "a");
    cr_expect_str_eq(finding("a"), "DeadCoMaster");
    say("c", "e");
    say("d", "c");
    say("e", "d");
    cr_expect_str_eq(finding("d"), "RingReplicationStructureWarning");
    struct tells f = tells("f", "a");
    f.seen.channel_count = 2;
    f.channels[1].name = "other";
    f.channels[1].master.host = "d";
    hear(f);
    cr_expect_str_eq(finding("f"), "MultiSourceReplicationStructureWarning");
}

Test(fleet, a_former_master_that_comes_back_writeable_is_named)
{
    const struct instance_key a = { "a", 3306 };
    say("a", NULL);
    overrides_begin_downtime(&said, &a, "firstchair", DOWNTIME_LOST_IN_RECOVERY, now(), FC_NEVER, NULL);
    fleet_looked(&fleet, member("a"), now());
    cr_expect_str_eq(finding("a"), "FormerMasterWriteableStructureWarning");
    struct tells closed = tells("a", NULL);
    closed.seen.is_read_only = true;
    hear(closed);
    cr_expect_str_eq(finding("a"), "NoWriteableMasterStructureWarning");
}

Test(fleet, lag_beyond_the_threshold_counts_and_delay_on_purpose_excuses_it)
{
    say("a", NULL);
    struct tells b = tells("b", "a"), c = tells("c", "a");
    b.channels[0].lag_s = 11;
    c.channels[0].lag_s = 3600;
    c.channels[0].delay_s = 3600;
    hear(b);
    hear(c);
    lose("a");
    cr_expect_str_eq(finding("a"), "UnreachableMasterWithLaggingReplicas");
    const struct analysis_facts facts = fleet_facts(&fleet, member("a"));
    cr_expect(facts.lagging == 2 && facts.delayed == 1 && facts.prompt == 1 && facts.prompt_lagging == 1);
    b.channels[0].lag_s = 10;
    hear(b);
    cr_expect_str_eq(finding("a"), "UnreachableMaster");
}

Test(fleet, formats_versions_and_gtid_modes_of_replicas_are_compared)
{
    say("a", NULL);
    struct tells b = tells("b", "a"), c = tells("c", "a");
    b.seen.version = 101105;
    b.seen.binlog_format = "STATEMENT";
    hear(b);
    hear(c);
    cr_expect_str_eq(finding("a"), "StatementAndMixedLoggingReplicasStructureWarning");
    c.seen.version = 110402;
    c.seen.binlog_format = "STATEMENT";
    hear(c);
    cr_expect_str_eq(finding("a"), "MultipleMajorVersionsLoggingReplicasStructureWarning");
    c.seen.version = 101102;
    c.seen.gtid.mode = "ON";
    hear(c);
    cr_expect_str_eq(finding("a"), "DifferentGTIDModesStructureWarning");
    c.seen.relogs = b.seen.relogs = false;
    c.seen.gtid.mode = "";
    hear(b);
    hear(c);
    cr_expect_str_eq(finding("a"), "NoLoggingReplicasStructureWarning");
}

Test(fleet, policy_that_is_reloaded_judges_anew)
{
    struct tells a = tells("a", NULL);
    a.seen.is_read_only = true;
    hear(a);
    say("b", "a");
    cr_expect_str_eq(finding("a"), "NoWriteableMasterStructureWarning");
    policy.wants_writeable_master = true;
    fleet_set_policy(&fleet, &policy, now());
    cr_expect_str_eq(finding("a"), "NoWriteableMasterStructureWarning, NoWriteableMasterStructureWarning");
}

Test(fleet, a_forgotten_server_leaves_nothing_to_the_next_in_its_place)
{
    const struct instance_key a = { "a", 3306 };
    say("a", NULL);
    lose("a");
    cr_expect_str_eq(finding("a"), "DeadMasterWithoutReplicas");
    topology_forget(&topology, &a);
    fleet_judge(&fleet, now());
    say("z", NULL);
    cr_expect_str_eq(finding("z"), "");
    cr_expect_eq(fleet.change_count, 0u);
}

/* ---- memory that runs out ---- */

Test(fleet, without_memory_it_judges_later_and_loses_nothing)
{
    static struct room scarce;       /* outlives the test: the fleet is closed behind it */
    scarce = scarce_room(&room);
    fleet_done(&fleet);
    for (int most = 0; most < 4; most++) {
        lent = most;
        cr_expect_not(fleet_init(&fleet, &scarce, &topology, &said, &policy), "it needs more than %d reservations", most);
    }
    lent = 4;
    cr_assert(fleet_init(&fleet, &scarce, &topology, &said, &policy));
    say("a", NULL);
    char host[16];
    struct fc_err err;
    for (int i = 0; i < 1000 && topology.capacity == fleet.capacity; i++) {
        snprintf(host, sizeof host, "s%03d", i);
        const struct instance_key key = { host, 3306 };
        cr_assert_eq(topology_add(&topology, &key, NULL, &err), FC_OK);
    }
    lent = 0;
    cr_expect_not(fleet_looked(&fleet, member(host), now()));
    cr_expect_eq(fleet_judge(&fleet, now()).us, now().us + 1000000);
    cr_expect_null(fleet_analysis(&fleet, member(host)));
    lent = 10;
    topology_missed(&topology, member(host), false, now());
    cr_expect(fleet_looked(&fleet, member(host), now()));
    fleet_judge(&fleet, now());
    cr_expect_eq(fleet_analysis(&fleet, member(host))->code, ANALYSIS_DEAD_MASTER_WITHOUT_REPLICAS);
    cr_expect_eq(fleet_analysis(&fleet, member("a"))->code, ANALYSIS_NO_PROBLEM, "what was known is still there");
}

/* ---- connecting ---- */

static bool fails(enum thread_state io, unsigned number, const char *text)
{
    const struct channel_seen channel = { .io = io, .sql = THREAD_RUNNING, .io_error_number = number, .io_error = text };
    return channel_is_failing_to_connect(&channel);
}

Test(fleet, failing_to_connect_is_known_by_its_number_and_by_old_and_new_words)
{
    cr_expect(fails(THREAD_CONNECTING, 2003, ""));
    cr_expect(fails(THREAD_STOPPED, 1045, NULL));
    cr_expect(fails(THREAD_CONNECTING, 0, "Fehler beim Verbinden"), "connecting, and something is wrong");
    cr_expect(fails(THREAD_STOPPED, 0, "error connecting to master 'r@a:3306' - retry-time: 60"));
    cr_expect(fails(THREAD_STOPPED, 0, "Error reconnecting to source; error reconnecting to source 'r@a:3306'"));
    cr_expect_not(fails(THREAD_RUNNING, 2003, "error connecting to master"), "an error of before");
    cr_expect_not(fails(THREAD_CONNECTING, 0, ""), "it has just begun");
    cr_expect_not(fails(THREAD_STOPPED, 1236, "Got fatal error 1236 from master when reading data"), "it connected");
    const struct channel_seen stopped = { .io = THREAD_STOPPED, .sql = THREAD_STOPPED, .io_error_number = 2003 };
    cr_expect_not(channel_is_failing_to_connect(&stopped), "stopped by hand");
    cr_expect_not(channel_is_failing_to_connect(NULL));
}

/* ---- errant transactions ---- */

/* Does `b` hold what its master `a` lacks? Positions of MariaDB; server a has id 1, b has 2, c has 3. */
static bool errant_places(const char *own, const char *master)
{
    struct tells a = tells("a", NULL), b = tells("b", "a");
    a.seen.gtid.current_position = master;
    b.seen.gtid.binlog_position = own;
    hear(a);
    hear(b);
    return strstr(finding("a"), "ErrantGTID") != NULL;
}

Test(fleet, on_mariadb_what_neither_the_master_nor_those_above_it_wrote_is_errant)
{
    cr_expect_not(errant_places("0-1-10", "0-1-10"));
    cr_expect_not(errant_places("0-1-9", "0-1-10"), "behind");
    cr_expect_not(errant_places("0-1-12", "0-1-10"), "the master was seen a moment earlier");
    cr_expect(errant_places("0-2-11", "0-1-10"), "written on the replica");
    cr_expect(errant_places("0-2-10", "0-1-10"), "another transaction of that number");
    cr_expect(errant_places("0-3-11", "0-2-10"), "of a master of before, and never came here");
    cr_expect(errant_places("0-1-10,7-2-1", "0-1-10"), "in a domain that the master does not know");
    cr_expect_not(errant_places("0-1-10,7-1-1", "0-1-10"), "the same, by the master");
    cr_expect_not(errant_places("", "0-1-10"));
    cr_expect_not(errant_places("what", "0-1-10"), "not understood is not errant");
}

Test(fleet, what_a_co_master_writes_itself_is_not_errant)
{
    struct tells a = tells("a", "b"), b = tells("b", "a");
    a.seen.gtid.current_position = a.seen.gtid.binlog_position = "0-1-10";
    b.seen.gtid.current_position = b.seen.gtid.binlog_position = "0-2-11";
    hear(a);
    hear(b);
    hear(a);
    cr_expect_str_eq(finding("a"), "");
    cr_expect_str_eq(finding("b"), "");
}

#define UUID_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID_B "4e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID_G "5e11fa47-71ca-11e1-9e33-c80aa9429562"

static bool errant_sets(const char *own, const char *master)
{
    struct tells a = tells("a", NULL), b = tells("b", "a");
    a.seen.flavour = b.seen.flavour = FLAVOUR_MYSQL;
    a.channels[0].gtid_use = b.channels[0].gtid_use = GTID_AUTO_POSITION;
    a.seen.server_uuid = UUID_A;
    b.seen.server_uuid = UUID_B;
    b.seen.group_name = UUID_G;
    b.seen.group_state = "OFFLINE";
    a.seen.gtid.executed = master;
    b.seen.gtid.executed = own;
    hear(a);
    hear(b);
    return strstr(finding("a"), "ErrantGTID") != NULL;
}

Test(fleet, on_mysql_what_is_left_of_the_replicas_set_is_errant)
{
    cr_expect_not(errant_sets(UUID_A ":1-10", UUID_A ":1-10"));
    cr_expect_not(errant_sets(UUID_A ":1-12", UUID_A ":1-10"), "the master was seen a moment earlier");
    cr_expect(errant_sets(UUID_A ":1-10," UUID_B ":1", UUID_A ":1-10"), "written on the replica");
    cr_expect_not(errant_sets(UUID_A ":1-10," UUID_B ":1-2", UUID_A ":1-10," UUID_B ":1-2"), "which was a master once");
    cr_expect(errant_sets(UUID_B ":1-3", UUID_B ":1-2"));
    cr_expect_not(errant_sets(UUID_A ":1-10," UUID_G ":1-5", UUID_A ":1-10"), "of its group");
    cr_expect_not(errant_sets("", UUID_A ":1-10"));
    cr_expect_not(errant_sets("what", UUID_A ":1-10"));
}

/* ---- only what changed is judged ---- */

static const char *numbered(int i)
{
    static char text[2][16];
    static int turn;
    char *to = text[turn++ % 2];
    snprintf(to, sizeof text[0], "s%05d", i);
    return to;
}

Test(fleet, thousands_of_looks_that_say_the_same_judge_nobody)
{
    const int count = 3000;
    say("s00000", NULL);
    for (int i = 1; i < count; i++)
        say(numbered(i), i <= 10 ? "s00000" : numbered(1 + i % 10));
    fleet_judge(&fleet, now());
    const uint64_t judged = fleet.judged;
    cr_expect_leq(judged, (uint64_t)count);
    seconds += 5;
    for (int i = 1; i < count; i++)
        say(numbered(i), i <= 10 ? "s00000" : numbered(1 + i % 10));
    fleet_judge(&fleet, now());
    cr_expect_eq(fleet.judged, judged);
    lose("s02000");
    fleet_judge(&fleet, now());
    cr_expect_eq(fleet.judged, judged + 2, "it and its master");
    const uint64_t visits = topology.visits;
    for (int i = 11; i < count; i++)
        cannot_connect(numbered(i), numbered(1 + i % 10));
    fleet_judge(&fleet, now());
    cr_expect_leq(fleet.judged, judged + 2 + (uint64_t)count, "ten masters once each, and the replicas");
    cr_expect_eq(topology.visits, visits, "no link has changed");
}

static struct tells drawn(struct fc_rng *rng, int i, int count)
{
    struct tells t = tells(numbered(i), rng_below(rng, 5) == 0 ? NULL : numbered((int)rng_below(rng, (uint64_t)count)));
    t.channels[0].io = (enum thread_state)(1 + rng_below(rng, 3));
    t.channels[0].sql = rng_below(rng, 4) == 0 ? THREAD_STOPPED : THREAD_RUNNING;
    t.channels[0].io_error_number = rng_below(rng, 2) ? 2003 : 0;
    t.channels[0].lag_s = (int64_t)rng_below(rng, 20);
    t.seen.is_read_only = rng_below(rng, 2) == 0;
    t.seen.relogs = rng_below(rng, 3) > 0;
    t.seen.binlog_format = rng_below(rng, 2) ? "ROW" : "MIXED";
    return t;
}

/* Judged anew from nothing, everybody says what the verdict that was kept up to date says. */
static void agree_with_a_fresh_judgement(int round)
{
    for (member_id id = 0; id < topology.count; id++) {
        const struct member *m = topology_member(&topology, id);
        if (m->kind != MEMBER_KNOWN || fc_is_ever(m->checked_at))
            continue;
        const struct analysis_facts facts = fleet_facts(&fleet, id);
        const struct analysis fresh = analysis_judge(&facts, &policy, false), *kept = fleet_analysis(&fleet, id);
        cr_assert_not_null(kept);
        cr_assert(facts_are_sound(&facts));
        cr_assert_eq(kept->code, fresh.code, "round %d: %s, anew %s", round, analysis_codes[kept->code].word,
                     analysis_codes[fresh.code].word);
        cr_assert_eq(kept->structure, fresh.structure, "round %d", round);
        cr_assert_eq(kept->is_skippable, fresh.is_skippable);
    }
}

Test(fleet, verdicts_kept_up_to_date_are_those_of_judging_everybody_anew)
{
    struct fc_rng rng = { 3 };
    for (int round = 0; round < 3000; round++) {
        const int count = 12, i = (int)rng_below(&rng, (uint64_t)count);
        const struct instance_key key = { numbered(i), 3306 };
        const member_id id = topology_find(&topology, &key);
        seconds += (int64_t)rng_below(&rng, 3);
        const uint64_t kind = rng_below(&rng, 10);
        if (kind == 0)
            topology_forget(&topology, &key);
        else if (kind == 1 && overrides_begin_downtime(&said, &key, "eve", "x", now(), fc_plus(now(), fc_ms(3000)), NULL) == FC_OK &&
                 id != MEMBER_NONE)
            fleet_looked(&fleet, id, now());
        else if (kind < 4 && id != MEMBER_NONE && topology_member(&topology, id)->kind == MEMBER_KNOWN)
            lose(key.host);
        else if (kind >= 4)
            hear(drawn(&rng, i, count));
        if (rng_below(&rng, 3) == 0) {
            fleet_judge(&fleet, now());
            agree_with_a_fresh_judgement(round);
        }
    }
}
