/* Scenes of the arbiter `quorum`. Raft under it is this file: its functions stand in the place of quorum.c's, and the log is a list in
 * which what is proposed waits until a scene lets it be applied. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "backends/quorum/quorum_chair.h"
#include "base/text.h"

#define TERM_MS 1500
#define ME "fc1~000001"

static struct quorum_port port;                  /* by which the chair hears raft */
static struct shared_entry proposed;             /* the entry on its way */
static uint64_t proposed_number;                 /* 0: none */
static struct fc_time clock_now;
static struct quorum_chair *chair;
static struct leader_source source;
static struct quorum_view view;
static struct decision in_log;                   /* the chair as raft's thread has it */
static struct event granted, denied, seat, ended;/* the last of each kind */
static int grants, denials, ends;
static struct store_request written;             /* to a server, last */
static int writes;
static struct rank told_of;                      /* the chair that the last words were about */
static struct chair_words told;
static int tellings;

enum fc_code quorum_open(const struct host *host, const struct quorum_settings *settings, const struct quorum_port *given,
                         struct quorum **ret, struct fc_err *err)
{
    (void)host, (void)settings, (void)err;
    port = *given;
    *ret = NULL;
    return FC_OK;
}
bool quorum_propose(struct quorum *q, uint64_t number, const struct shared_entry *entry, uint32_t limit_ms)
{
    (void)q, (void)limit_ms;
    cr_assert_eq(proposed_number, 0, "one after the other");
    proposed = *entry;
    proposed_number = number;
    return true;
}
void quorum_stand(struct quorum *q, bool stands) { (void)q, (void)stands; }
bool quorum_yield(struct quorum *q, uint64_t number, int to, uint32_t pause_ms)
{
    (void)q, (void)number, (void)to, (void)pause_ms;
    return true;
}
bool quorum_snapshot(struct quorum *q, uint64_t number)
{
    (void)q, (void)number;
    return true;
}
bool quorum_change_members(struct quorum *q, uint64_t number, enum member_change change, const char *name, const char *address)
{
    (void)q, (void)number, (void)change, (void)name, (void)address;
    return true;
}
bool quorum_tell_words(struct quorum *q, const struct rank *rank, const struct chair_words *words)
{
    (void)q;
    told_of = *rank;
    told = *words;
    tellings++;
    return true;
}
void quorum_hand_over(struct quorum *q) { (void)q; }
void quorum_close(struct quorum *q) { (void)q; }
struct fc_span quorum_lease(const struct quorum_settings *settings) { return fc_ms(settings->election_ms * 3 / 4); }

static struct fc_time now(void *agent)
{
    (void)agent;
    return clock_now;
}

static void ask(void *owner, const struct store_request *request)
{
    (void)owner;
    written = *request;
    writes++;
}

static void say(void *owner, const struct event *event)
{
    (void)owner;
    if (event->type == LEASE_GRANTED) {
        granted = *event;
        grants++;
    } else if (event->type == LEASE_DENIED || event->type == STORE_SILENT) {
        denied = *event;
        denials++;
    } else if (event->type == DEED_ENDED) {
        ended = *event;
        ends++;
    } else {
        seat = *event;
    }
}

static void note(void *owner, const char *sentence) { (void)owner, (void)sentence; }

static const struct quorum_chair_settings own = { .term_ms = TERM_MS, .probe_timeout_ms = 500, .renew_ms = 500, .watch = { 2200000 },
                                                  .server_count = 2, .pool = "fc_backend", .names = { "db1", "db2" } };

static bool is_witness;                          /* the next one that is opened */

static void open_chair(void)
{
    static int agent;
    static const struct host host = { .agent = &agent, .now = now };
    const struct quorum_settings settings = { .is_witness = is_witness, .node = ME, .member_count = 3, .election_ms = 500,
                                              .members = { { .name = "fc1" }, { .name = "fc2" }, { .name = "fc3" } } };
    const struct quorum_chair_port to = { .ask = ask, .say = say, .note = note };
    struct fc_err err = { .code = FC_OK };
    clock_now = (struct fc_time){ 1000000000 };
    cr_assert_eq(quorum_chair_open(&host, &settings, &own, &to, &chair, &err), FC_OK, "%s", err.text);
    source = quorum_chair_as_source(chair);
    view = (struct quorum_view){ .leader = -1, .until = FC_EVER, .voiced_at = FC_EVER };
    for (int i = 0; i < 3; i++)
        TEXT_SET(view.roster.places[i].name, settings.members[i].name);
}

static void close_chair(void) { quorum_chair_close(chair); }

static void pass(int ms) { clock_now = fc_plus(clock_now, fc_ms(ms)); }

static void show(void)
{
    view.voiced = in_log.rank;
    port.changed(port.owner, &view);
}

static void look(int server, bool is_read_only, const struct decision *row)
{
    struct server_look seen = { .is_read_only = is_read_only, .has_schema = true };
    TEXT_FORMAT(seen.identity, "id-%d", server + 1);
    if (row != NULL)
        seen.lease = *row;
    source.saw(source.self, server, &seen, clock_now, clock_now);
}

/* What was proposed, or what somebody else has, is applied. */
static void applied(const struct shared_entry *entry, uint64_t number)
{
    struct quorum_heard heard = { .kind = QUORUM_APPLIED, .number = number, .entry = *entry };
    proposed_number = 0;
    heard.stands = shared_chair_apply(&in_log, entry);
    port.heard(port.owner, &heard);
    show();
}

static void log_takes_it(void)
{
    const struct shared_entry entry = proposed;
    cr_assert_neq(proposed_number, 0, "nothing was proposed");
    applied(&entry, proposed_number);
}

static void elected(void)
{
    view.role = QUORUM_LEADER;
    view.term++;
    view.leader = 0;
    view.is_ready = true;
    view.until = fc_plus(clock_now, fc_ms(375));
    view.voiced_at = clock_now;
    show();
}

/* fc1 leads, db1 sits in epoch 1, both are in sight. */
static void leads_and_db1_sits(void)
{
    const struct decision row = { .rank = { .epoch = 1, .server = "id-1", .node = "fc2~000009" } };
    look(0, false, &row);
    look(1, true, &row);
    elected();
    log_takes_it();
    source.wrote(source.self, &(struct store_result){ .deed = STORE_RENEW, .id = written.id, .code = FC_OK, .stored = written.row }, clock_now);
    cr_assert_eq(grants, 1);
}

static void intend(int to)
{
    struct effect effect = { .type = INTEND, .id = 7, .server = to, .until = FC_NEVER };
    effect.as.intend.to = to;
    effect.as.intend.intent_id = 77;
    source.command(source.self, &effect, clock_now);
}

static void seat_it(int to)
{
    struct effect effect = { .type = SEAT, .id = 8, .server = to, .until = FC_NEVER };
    effect.as.seat.to = to;
    source.command(source.self, &effect, clock_now);
}

static void server_answers(enum fc_code code, struct decision stored)
{
    const struct store_result result = { .deed = STORE_RENEW, .id = written.id, .server = written.server, .code = code, .text = "no",
                                         .stored = stored };
    source.wrote(source.self, &result, clock_now);
}

TestSuite(quorum_chair, .init = open_chair, .fini = close_chair);

Test(quorum_chair, whom_raft_elects_leads_only_when_a_row_of_its_own_is_in_the_log)
{
    const struct decision row = { .rank = { .epoch = 4, .server = "id-1", .node = "fc2~000009" } };
    look(0, false, &row);
    elected();
    cr_assert_eq(proposed_number, 0, "db2 has not answered yet: what it shows may be higher");
    look(1, true, &row);
    cr_assert_eq(proposed.row.rank.epoch, 5);
    cr_assert_str_eq(proposed.row.rank.server, "id-1", "the chair that the servers show is taken over");
    cr_assert_eq(grants, 0);
    log_takes_it();
    cr_assert_eq(grants, 1);
    cr_assert_eq(granted.as.lease.epoch, 5);
    cr_assert_eq(granted.as.lease.place, 0);
    cr_assert_eq(seat.type, CHAIR_GRANTED);
    cr_assert_str_eq(seat.as.chair.decision.rank.node, ME);
    cr_assert_eq(written.deed, STORE_RENEW, "and the server is told by whom it sits");
    cr_assert_eq(written.row.rank.epoch, 5);
}

Test(quorum_chair, a_chair_moves_by_an_intent_a_seat_and_the_row_on_the_new_server)
{
    leads_and_db1_sits();
    intend(1);
    cr_assert_eq(proposed.row.phase, PHASE_MOVING);
    cr_assert_str_eq(proposed.row.successor, "id-2");
    cr_assert_eq(ends, 0);
    log_takes_it();
    cr_assert_eq(ends, 1);
    cr_assert_eq(ended.as.ended.deed, DEED_INTEND);
    cr_assert_eq(ended.as.ended.code, FC_OK);
    cr_assert_eq(seat.type, CHAIR_REVOKED);
    writes = 0;
    seat_it(1);
    cr_assert_eq(proposed.row.rank.epoch, 3);
    log_takes_it();
    cr_assert_eq(ends, 1, "not before db2 has the row: opening it asks that row");
    cr_assert_eq(writes, 1);
    cr_assert_eq(written.server, 1);
    cr_assert(written.by_fence, "it is read_only");
    server_answers(FC_OK, written.row);
    cr_assert_eq(ended.as.ended.deed, DEED_SEAT);
    cr_assert_eq(ended.as.ended.code, FC_OK);
    cr_assert_eq(granted.as.lease.epoch, 3);
    cr_assert_str_eq(seat.as.chair.decision.rank.server, "id-2");
}

static void log_gives_it_up(void)
{
    const struct quorum_heard heard = { .kind = QUORUM_FAILED, .number = proposed_number, .code = FC_TIMEOUT, .text = "not confirmed in time" };
    proposed_number = 0;
    port.heard(port.owner, &heard);
}

Test(quorum_chair, the_rank_of_what_was_given_up_is_given_to_nothing_else_also_when_a_higher_epoch_was_tried_since)
{
    leads_and_db1_sits();
    intend(1);
    log_takes_it();
    intend(0);
    const uint64_t tried = proposed.row.rank.seq;
    log_gives_it_up();
    seat_it(1);
    const uint64_t epoch = proposed.row.rank.epoch;
    log_gives_it_up();
    intend(0);
    cr_expect_eq(proposed.row.rank.seq, tried + 1, "it may come all the same");
    log_gives_it_up();
    seat_it(1);
    cr_expect_eq(proposed.row.rank.epoch, epoch + 1);
}

Test(quorum_chair, a_seat_whose_server_does_not_take_the_row_has_failed)
{
    leads_and_db1_sits();
    intend(1);
    log_takes_it();
    seat_it(1);
    log_takes_it();
    server_answers(FC_UNREACHABLE, (struct decision){ 0 });
    cr_assert_eq(ended.as.ended.code, FC_UNREACHABLE);
}

Test(quorum_chair, a_row_that_was_on_its_way_before_the_seat_does_not_end_it)
{
    const struct decision lost = { .rank = { .epoch = 0 } };
    leads_and_db1_sits();
    look(1, true, &lost);
    pass(2200);
    view.until = fc_plus(clock_now, fc_ms(375));
    show();
    cr_assert_eq(written.server, 1, "the row of before is on its way to db2");
    intend(1);
    log_takes_it();
    seat_it(1);
    log_takes_it();
    const int ended_before = ends;
    server_answers(FC_OK, written.row);
    cr_assert_eq(ends, ended_before, "db2 does not know yet that it sits");
    cr_assert_eq(written.row.rank.epoch, 3);
    server_answers(FC_OK, written.row);
    cr_assert_eq(ended.as.ended.deed, DEED_SEAT);
    cr_assert_eq(ended.as.ended.code, FC_OK);
}

Test(quorum_chair, of_two_decisions_over_the_same_row_the_second_is_refused)
{
    leads_and_db1_sits();
    intend(1);
    const struct shared_entry mine = proposed;
    const uint64_t number = proposed_number;
    struct shared_entry theirs = { .deed = STORE_TAKE, .row = in_log, .old = in_log.rank };
    theirs.row.rank.epoch++;
    TEXT_SET(theirs.row.rank.node, "fc3~000003");
    applied(&theirs, 0);
    cr_assert_neq(ends, 0);
    cr_assert_eq(ended.as.ended.code, FC_NOT_LEADER, "another row stands: what this node wanted is over");
    proposed_number = 0;
    applied(&mine, number);
    cr_assert_eq(in_log.phase, PHASE_SEATED, "and its entry changes nothing");
    cr_assert_str_eq(in_log.rank.node, "fc3~000003");
}

Test(quorum_chair, an_own_entry_behind_one_that_was_not_heard_does_not_stand)
{
    leads_and_db1_sits();
    intend(1);
    const struct shared_entry mine = proposed;
    struct shared_entry theirs = { .deed = STORE_TAKE, .row = in_log, .old = in_log.rank };
    theirs.row.rank.epoch++;
    TEXT_SET(theirs.row.rank.node, "fc3~000003");
    shared_chair_apply(&in_log, &theirs);                  /* the queue was full: the whole state follows */
    applied(&mine, proposed_number);
    cr_assert_eq(ended.as.ended.code, FC_REFUSED);
    cr_assert_eq(seat.type, CHAIR_GRANTED, "nothing is being moved");
}

Test(quorum_chair, an_epoch_that_a_server_shows_is_gone_beyond)
{
    leads_and_db1_sits();
    const struct decision other = { .rank = { .epoch = 40, .server = "id-1", .node = "orc~1" } };
    look(0, false, &other);
    cr_assert_eq(proposed.row.rank.epoch, 41);
    log_takes_it();
    cr_assert_eq(granted.as.lease.epoch, 41);
}

Test(quorum_chair, a_term_counts_from_when_the_chair_was_last_confirmed_and_only_for_that_chair)
{
    leads_and_db1_sits();
    pass(200);
    view.voiced_at = fc_plus(clock_now, fc_ms(-20));
    view.until = fc_plus(clock_now, fc_ms(375));
    show();
    cr_assert_eq(seat.as.chair.until.us, fc_plus(view.voiced_at, fc_ms(TERM_MS)).us);
    const struct fc_time until = seat.as.chair.until;
    pass(200);
    view.voiced_at = clock_now;
    view.voiced = in_log.rank;
    view.voiced.seq++;                                     /* raft's thread is further than what was heard here */
    port.changed(port.owner, &view);
    cr_assert_eq(seat.as.chair.until.us, until.us);
}

Test(quorum_chair, a_follower_says_who_sits_and_leads_nothing)
{
    struct shared_entry theirs = { .deed = STORE_TAKE, .row = { .rank = { .epoch = 1, .server = "id-1", .node = "fc3~000003" } } };
    view.role = QUORUM_FOLLOWER;
    view.leader = 2;
    view.term = 1;
    view.voiced_at = clock_now;
    show();
    applied(&theirs, 0);
    cr_assert_eq(seat.type, CHAIR_GRANTED);
    cr_assert_str_eq(seat.as.chair.decision.rank.server, "id-1");
    cr_assert_eq(seat.as.chair.until.us, fc_plus(clock_now, fc_ms(TERM_MS)).us);
    cr_assert_eq(grants, 0);
    cr_assert_str_eq(denied.as.denied.leader, "fc3");
    cr_assert_null(source.row(source.self), "a fence of its own would leave nothing");
}

/* ---- a witness, and what it is told ---- */

static void pause_is_seen(enum hold_kind kind, uint64_t seq)
{
    struct server_look seen = { .has_schema = true, .hold_count = 1, .lease = in_log };
    TEXT_SET(seen.identity, "id-1");
    seen.holds[0] = (struct hold){ .pool = "fc_backend", .kind = kind, .epoch = 1, .seq = seq, .by = "ann@test" };
    source.saw(source.self, 0, &seen, clock_now, clock_now);
}

Test(quorum_chair, who_leads_tells_what_others_cannot_see_of_the_chair_once_for_each_change)
{
    leads_and_db1_sits();
    cr_assert_eq(tellings, 1);
    cr_assert_eq(told_of.epoch, in_log.rank.epoch);
    cr_assert(told.is_known && told.is_open);
    cr_assert_str_eq(told.seat, "db1");
    look(0, false, &in_log);
    show();
    cr_assert_eq(tellings, 1, "nothing has changed");
    look(0, true, &in_log);
    cr_assert(tellings == 2 && !told.is_open);
    look(0, false, &in_log);
    pause_is_seen(HOLD_PAUSE, 1);
    cr_assert_str_eq(told.paused_by, "ann@test");
    pause_is_seen(HOLD_NONE, 2);
    cr_assert_str_empty(told.paused_by);
    intend(1);
    log_takes_it();
    cr_assert_not(told.is_known, "nobody sits");
}

static void open_as_witness(void)
{
    close_chair();                                         /* the suite's own has been opened before */
    is_witness = true;
    open_chair();
}

static void somebody_sits(uint64_t epoch, const char *server)
{
    struct shared_entry theirs = { .deed = STORE_TAKE, .old = in_log.rank, .row = { .rank = { .epoch = epoch, .node = "fc3~000003" } } };
    TEXT_SET(theirs.row.rank.server, server);
    applied(&theirs, 0);
}

Test(quorum_chair, a_witness_that_is_elected_takes_nothing_and_says_why, .init = open_as_witness)
{
    somebody_sits(1, "id-1");
    elected();
    cr_assert_eq(proposed_number, 0);
    cr_assert_eq(grants, 0);
    cr_assert_str_empty(denied.as.denied.leader, "it leads nothing");
    cr_assert_not_null(strstr(denied.as.denied.why, "witness only"), "%s", denied.as.denied.why);
    cr_assert_eq(writes, 0);
    cr_assert_eq(tellings, 0);
}

Test(quorum_chair, a_witness_hears_who_sits_with_the_words_of_that_chair, .init = open_as_witness)
{
    view.role = QUORUM_FOLLOWER;
    view.leader = 2;
    somebody_sits(1, "id-1");
    cr_assert_not(seat.as.chair.words.is_known);
    view.words = (struct chair_words){ .is_known = true, .is_open = true, .seat = "db1" };
    show();
    cr_assert_str_eq(seat.as.chair.words.seat, "db1");
    view.words.is_open = false;
    show();
    cr_assert_not(seat.as.chair.words.is_open, "said at once, not when the term moves on");
    const uint64_t before = seat.as.chair.decision.rank.epoch;
    struct shared_entry theirs = { .deed = STORE_TAKE, .old = in_log.rank, .row = in_log };
    theirs.row.rank.epoch++;
    const struct quorum_heard heard = { .kind = QUORUM_APPLIED, .entry = theirs, .stands = true };
    shared_chair_apply(&in_log, &theirs);
    port.heard(port.owner, &heard);
    cr_assert_eq(seat.as.chair.decision.rank.epoch, before, "another leader, the same seat: it waits for the picture that has the words");
    show();
    cr_assert_eq(seat.as.chair.decision.rank.epoch, before + 1);
    cr_assert_str_eq(seat.as.chair.words.seat, "db1");
}

Test(quorum_chair, the_place_moves_when_the_server_that_sits_was_out_of_sight_for_the_whole_watch)
{
    leads_and_db1_sits();
    source.lost(source.self, 0, clock_now);
    pass(2199);
    view.until = fc_plus(clock_now, fc_ms(375));
    show();
    cr_assert_eq(granted.as.lease.place, 0);
    pass(1);
    show();
    cr_assert_eq(granted.as.lease.place, 1);
    look(0, false, &in_log);
    cr_assert_eq(granted.as.lease.place, 0);
}

Test(quorum_chair, a_foreign_orchestrator_that_lives_is_stood_down_before)
{
    leads_and_db1_sits();
    struct server_look seen = { .has_schema = true, .identity = "id-1", .foreign_owner = "orc7", .foreign_stamp = "1" };
    seen.lease = in_log;
    source.saw(source.self, 0, &seen, clock_now, clock_now);
    TEXT_SET(seen.foreign_stamp, "2");
    pass(400);
    source.saw(source.self, 0, &seen, clock_now, clock_now);
    cr_assert_eq(denied.type, STORE_SILENT);
}

Test(quorum_chair, a_row_that_the_other_server_has_lost_is_written_there_when_replication_does_not_bring_it)
{
    const struct decision lost = { .rank = { .epoch = 0 } };
    leads_and_db1_sits();
    writes = 0;
    look(0, false, &in_log);
    look(1, true, &lost);
    pass(2199);
    view.until = fc_plus(clock_now, fc_ms(375));
    show();
    cr_assert_eq(writes, 0, "what db1 was told is on its way to db2 for all that is known");
    pass(1);
    show();
    cr_assert_eq(writes, 1);
    cr_assert_eq(written.server, 1);
    cr_assert(written.by_fence, "it is read_only");
    cr_assert_eq(written.row.rank.epoch, in_log.rank.epoch);
}

Test(quorum_chair, without_a_majority_what_was_begun_is_over_and_the_fence_leaves_no_row)
{
    leads_and_db1_sits();
    cr_assert_not_null(source.row(source.self));
    intend(1);
    pass(400);
    show();
    cr_assert_eq(ended.as.ended.code, FC_NOT_LEADER);
    cr_assert_eq(denied.type, STORE_SILENT);
    cr_assert_null(source.row(source.self));
}

Test(quorum_chair, elected_again_it_lays_a_new_row_before_it_leads)
{
    leads_and_db1_sits();
    view.role = QUORUM_FOLLOWER;
    view.until = FC_EVER;
    view.leader = 1;
    show();
    elected();
    cr_assert_eq(proposed.row.rank.epoch, 3);
    cr_assert_eq(grants, 1);
    log_takes_it();
    cr_assert_eq(grants, 2);
    cr_assert_eq(granted.as.lease.epoch, 3);
}
