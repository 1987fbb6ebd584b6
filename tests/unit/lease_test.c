/* The lease as seen by one node: what it writes, and when it says that it leads. */
#include <criterion/criterion.h>
#include <string.h>

#include "backends/lease.h"
#include "base/text.h"

struct scene {
    struct lease lease;
    struct fc_time now;
    int asked;
    struct store_request request;
    enum event_type said;            /* of LEASE_GRANTED, LEASE_DENIED, STORE_SILENT: the last one */
    struct event chair, ended;
    struct event granted;            /* the last LEASE_GRANTED */
    int looks, took_ms;              /* took_ms: a look is under way for so long */
    struct fc_time wakes_at;
    const char *owner, *stamp;       /* of active_node on both servers, when it is no node of ours */
};

static void on_ask(void *host, const struct store_request *request)
{
    struct scene *s = host;
    s->asked++;
    s->request = *request;
}

static void on_say(void *host, const struct event *event)
{
    struct scene *s = host;
    if (event->type == CHAIR_GRANTED || event->type == CHAIR_REVOKED)
        s->chair = *event;
    else if (event->type == DEED_ENDED)
        s->ended = *event;
    else
        s->said = event->type;
    if (event->type == LEASE_GRANTED)
        s->granted = *event;
}

static void on_look(void *host, int server)
{
    (void)server;
    ((struct scene *)host)->looks++;
}

static void on_wake(void *host, struct fc_time at)
{
    ((struct scene *)host)->wakes_at = at;
}

static void begin(struct scene *s)
{
    struct lease_settings settings = { .node = "fc1~aaaa", .lease_ms = 2000, .renew_ms = 400, .drift_percent = 10,
                                       .term_ms = 1500, .probe_timeout_ms = 500, .server_count = 2, .has_chair = true };
    const struct lease_port port = { s, on_ask, on_say, on_look, on_wake };
    memset(s, 0, sizeof *s);
    s->said = EVENT_TYPE_COUNT;
    s->now.us = 1000000;
    lease_init(&s->lease, &settings, &port, s->now);
    lease_stand(&s->lease, true, s->now);
}

static void pass(struct scene *s, int64_t ms)
{
    s->now = fc_plus(s->now, fc_ms(ms));
    lease_woken(&s->lease, s->now);
}

static void sees_row(struct scene *s, int server, const struct decision *row)
{
    static struct server_look look;
    memset(&look, 0, sizeof look);
    look.has_schema = row != NULL;
    look.is_read_only = server != 0;
    TEXT_SET(look.identity, server == 0 ? "uid:a/1" : "uid:b/2");
    TEXT_SET(look.foreign_owner, s->owner);
    TEXT_SET(look.foreign_stamp, s->stamp);
    if (row != NULL)
        look.lease = *row;
    lease_saw(&s->lease, server, &look, fc_plus(s->now, (struct fc_span){ -fc_ms(s->took_ms).us }), s->now);
}

static void sees(struct scene *s, int server, uint64_t epoch, uint64_t seq, const char *node)
{
    struct decision row = { .rank = { .epoch = epoch, .seq = seq } };
    TEXT_SET(row.rank.server, "uid:a/1");
    TEXT_SET(row.rank.node, node);
    sees_row(s, server, &row);
}

static void commands(struct scene *s, enum effect_type type, uint64_t id, int from, int to)
{
    struct effect effect = { .type = type, .id = id, .server = to, .until = FC_NEVER };
    if (type == INTEND) {
        effect.as.intend.from = from;
        effect.as.intend.to = to;
        effect.as.intend.intent_id = id;
        TEXT_SET(effect.as.intend.why, "the scene says so");
    } else if (type == SEAT) {
        effect.as.seat.to = to;
    } else {
        effect.as.give_back.pause_ms = 5000;
    }
    lease_command(&s->lease, &effect, s->now);
}

static void wrote(struct scene *s, enum fc_code code, int64_t after_ms)
{
    struct store_result result = { .deed = s->request.deed, .id = s->request.id, .server = s->request.server, .code = code };
    result.sent_at = s->now;
    result.stored = s->request.row;
    s->now = fc_plus(s->now, fc_ms(after_ms));
    lease_wrote(&s->lease, &result, s->now);
}

static void leads(struct scene *s)
{
    begin(s);
    sees(s, 0, 7, 0, "");
    sees(s, 1, 7, 0, "");
    wrote(s, FC_OK, 1);
    cr_assert_eq(s->said, LEASE_GRANTED);
}

/* The same, and the maximum behind the take is written and read back: nothing is under way. */
static void leads_quietly(struct scene *s)
{
    leads(s);
    wrote(s, FC_OK, 1);
    cr_assert_eq(s->lease.writing, 0);
}

/* The seated server's chair is being moved to the second one; the intent stands on both. */
static void moves_to_the_second(struct scene *s)
{
    leads_quietly(s);
    sees_row(s, 0, &s->request.row);
    sees_row(s, 1, &s->request.row);
    commands(s, INTEND, 41, 0, 1);
    wrote(s, FC_OK, 1);
    sees_row(s, 1, &s->request.row);
    wrote(s, FC_OK, 1);
    cr_assert_eq(s->ended.as.ended.id, 41);
    cr_assert_eq(s->ended.as.ended.code, FC_OK);
}

Test(lease, a_free_lease_is_taken_at_once_but_not_before_every_server_was_asked)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "");
    cr_expect_eq(s.asked, 0);
    sees(&s, 1, 7, 3, "");
    cr_expect_eq(s.asked, 1);
    cr_expect_eq(s.request.deed, STORE_TAKE);
    cr_expect_eq(s.request.row.rank.epoch, 8);
    cr_expect_neq(s.said, LEASE_GRANTED, "nothing is granted before it is written");
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.said, LEASE_GRANTED);
}

Test(lease, somebody_elses_lease_is_watched_for_lease_and_margin)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.said, LEASE_DENIED);
    pass(&s, 2100);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 0);
    pass(&s, 150);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 1);
    cr_expect_eq(s.request.deed, STORE_TAKE);
}

Test(lease, a_renewal_seen_on_one_server_starts_the_watch_again)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    pass(&s, 2000);
    sees(&s, 1, 7, 4, "fc2~bbbb");
    pass(&s, 500);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 4, "fc2~bbbb");
    cr_expect_eq(s.asked, 0);
}

Test(lease, who_does_not_see_all_servers_lets_the_others_go_first)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    lease_lost(&s.lease, 1, s.now);
    pass(&s, 2300);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 0);
    pass(&s, 400);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 1);
}

Test(lease, a_holder_stops_a_margin_before_anybody_may_take_over)
{
    struct scene s;
    leads(&s);
    pass(&s, 1795);
    cr_expect_eq(s.said, LEASE_GRANTED);
    pass(&s, 10);
    cr_expect_eq(s.said, STORE_SILENT);
}

Test(lease, a_renewal_confirmed_too_late_does_not_let_it_act)
{
    struct scene s;
    leads(&s);
    pass(&s, 1);
    cr_assert_eq(s.request.deed, STORE_RENEW);
    s.said = EVENT_TYPE_COUNT;
    wrote(&s, FC_OK, 1900);
    cr_expect_eq(s.said, STORE_SILENT);
}

Test(lease, a_higher_decision_ends_it_wherever_it_is_found)
{
    struct scene s;
    leads(&s);
    sees(&s, 1, 9, 0, "fc2~bbbb");
    cr_expect_eq(s.said, LEASE_DENIED);
}

Test(lease, a_take_written_under_a_higher_decision_is_not_a_lease)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "");
    sees(&s, 1, 7, 3, "");
    cr_assert_eq(s.request.deed, STORE_TAKE);
    sees(&s, 1, 9, 0, "fc2~bbbb");
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.said, LEASE_DENIED);
}

Test(lease, a_take_is_followed_by_a_maximum_at_once)
{
    struct scene s;
    leads(&s);
    cr_expect_eq(s.asked, 2);
    cr_expect_eq(s.request.deed, STORE_RENEW);
    cr_expect_eq(s.request.row.rank.seq, 1);
}

Test(lease, who_gives_it_back_stops_acting_before_it_is_written)
{
    struct scene s;
    struct effect effect = { .type = GIVE_BACK, .id = 42, .until = FC_NEVER };
    leads(&s);
    wrote(&s, FC_OK, 1);
    effect.as.give_back.pause_ms = 5000;
    lease_command(&s.lease, &effect, s.now);
    cr_expect_eq(s.said, LEASE_DENIED);
    cr_expect_str_eq(s.request.row.rank.node, "");
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.ended.as.ended.id, 42);
    cr_expect_eq(s.ended.as.ended.code, FC_OK);
}

Test(lease, who_is_to_lead_next_cannot_be_named_here)
{
    struct scene s;
    struct effect effect = { .type = GIVE_BACK, .id = 42, .until = FC_NEVER };
    leads(&s);
    wrote(&s, FC_OK, 1);
    TEXT_SET(effect.as.give_back.to, "fc2");
    lease_command(&s.lease, &effect, s.now);
    cr_expect_eq(s.ended.as.ended.id, 42);
    cr_expect_eq(s.ended.as.ended.code, FC_REFUSED);
    cr_expect_eq(s.said, LEASE_GRANTED, "it leads on");
}

Test(lease, a_restarted_node_does_not_take_its_old_lease_for_its_own)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc1~0ld0");
    sees(&s, 1, 7, 3, "fc1~0ld0");
    cr_expect_eq(s.asked, 0);
    cr_expect_eq(s.said, LEASE_DENIED);
}

Test(lease, the_chair_is_told_with_a_term_that_ends)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.chair.type, CHAIR_GRANTED);
    cr_expect_eq(fc_since(s.now, s.chair.as.chair.until).us, 1500000);
}

/* ---- winning it ---- */

Test(lease, the_watch_is_lease_and_margin_to_the_millisecond)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    pass(&s, 2199);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 0);
    pass(&s, 1);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 0, "on the second server it is not known to have stood still so long");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 1);
    cr_expect_eq(s.request.row.rank.epoch, 8);
    cr_expect_eq(s.request.old.rank.epoch, 7);
    cr_expect_eq(s.request.old.rank.seq, 3);
}

/* While a look was under way the holder renewed: from then on it acts for 1800 ms, whenever the look was sent. */
Test(lease, the_watch_begins_when_the_look_has_come_back_that_showed_the_turn)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 2, "fc2~bbbb");
    sees(&s, 1, 7, 2, "fc2~bbbb");
    s.took_ms = 450;
    pass(&s, 450);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    s.took_ms = 0;
    pass(&s, 1800);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 0);
    pass(&s, 400);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 1);
}

Test(lease, time_alone_without_a_fresh_look_wins_nothing)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    pass(&s, 60000);
    cr_expect_eq(s.asked, 0);
}

Test(lease, of_two_who_take_it_the_second_is_refused_and_follows)
{
    struct scene s;
    struct store_result lost = { .deed = STORE_TAKE, .code = FC_REFUSED };
    begin(&s);
    sees(&s, 0, 7, 3, "");
    sees(&s, 1, 7, 3, "");
    lost.id = s.request.id;
    lost.sent_at = s.now;
    lost.stored.rank.epoch = 8;
    TEXT_SET(lost.stored.rank.node, "fc2~bbbb");
    lease_wrote(&s.lease, &lost, s.now);
    cr_expect_eq(s.said, LEASE_DENIED);
    cr_expect_not(s.lease.holds);
    cr_expect_eq(s.asked, 1);
}

Test(lease, servers_without_tables_have_no_lease_to_take)
{
    struct scene s;
    begin(&s);
    sees_row(&s, 0, NULL);
    sees_row(&s, 1, NULL);
    pass(&s, 60000);
    sees_row(&s, 0, NULL);
    sees_row(&s, 1, NULL);
    cr_expect_eq(s.asked, 0);
    cr_expect_eq(s.said, EVENT_TYPE_COUNT, "nothing is known, so nothing is said");
}

Test(lease, the_first_row_of_a_new_house_is_taken_for_epoch_one)
{
    struct scene s;
    struct decision zero = { .rank.epoch = 0 };
    begin(&s);
    sees_row(&s, 0, &zero);
    sees_row(&s, 1, &zero);
    cr_expect_eq(s.request.deed, STORE_TAKE);
    cr_expect_eq(s.request.row.rank.epoch, 1);
    cr_expect_str_eq(s.request.row.rank.node, "fc1~aaaa");
    cr_expect_str_eq(s.request.row.rank.server, "", "who sits is the core's to say");
}

Test(lease, who_does_not_stand_takes_nothing)
{
    struct scene s;
    begin(&s);
    lease_stand(&s.lease, false, s.now);
    sees(&s, 0, 7, 3, "");
    sees(&s, 1, 7, 3, "");
    cr_expect_eq(s.asked, 0);
    lease_stand(&s.lease, true, s.now);
    cr_expect_eq(s.asked, 1);
}

/* ---- keeping it ---- */

Test(lease, it_is_renewed_at_its_cadence_and_each_renewal_is_one_higher)
{
    struct scene s;
    leads_quietly(&s);
    const int asked = s.asked;
    pass(&s, 398);
    cr_expect_eq(s.asked, asked);
    pass(&s, 1);
    cr_expect_eq(s.asked, asked + 1);
    cr_expect_eq(s.request.deed, STORE_RENEW);
    cr_expect_eq(s.request.server, 0);
    cr_expect_eq(s.request.row.rank.epoch, 8);
    cr_expect_eq(s.request.row.rank.seq, 2);
}

Test(lease, its_term_counts_from_before_the_renewal_was_sent)
{
    struct scene s;
    leads_quietly(&s);
    pass(&s, 399);
    const struct fc_time sent_at = s.now;
    wrote(&s, FC_OK, 300);
    cr_expect_eq(fc_since(sent_at, s.granted.as.lease.until).us, fc_ms(1800).us);
    cr_expect_eq(s.granted.as.lease.place, 0);
}

Test(lease, the_holder_is_silent_four_hundred_ms_before_anybody_may_take_over)
{
    struct scene s;
    leads_quietly(&s);
    const struct fc_time until = s.granted.as.lease.until;
    cr_expect_eq(lease_watch_span(&s.lease.settings).us, fc_ms(2200).us);
    cr_expect_eq(fc_since(s.lease.confirmed_at, until).us, fc_ms(1800).us);
    pass(&s, fc_span_ms(fc_since(s.now, until)) - 1);
    cr_expect_eq(s.said, LEASE_GRANTED);
    pass(&s, 1);
    cr_expect_eq(s.said, STORE_SILENT);
}

Test(lease, after_a_silence_a_confirmed_renewal_leads_again_in_the_same_epoch)
{
    struct scene s;
    leads_quietly(&s);
    pass(&s, 1900);
    cr_assert_eq(s.said, STORE_SILENT);
    wrote(&s, FC_OK, 5);
    cr_expect_eq(s.said, LEASE_GRANTED);
    cr_expect_eq(s.granted.as.lease.epoch, 8);
}

/* Both servers were out of sight for longer than a watch; the place comes back first. */
static void comes_back_to_its_place(struct scene *s)
{
    leads_quietly(s);
    lease_lost(&s->lease, 0, s->now);
    lease_lost(&s->lease, 1, s->now);
    pass(s, 5000);
    cr_assert_eq(s->said, STORE_SILENT);
    sees_row(s, 0, &s->lease.mine);
}

Test(lease, a_holder_that_was_blind_looks_at_the_other_server_before_it_leads_again)
{
    struct scene s;
    comes_back_to_its_place(&s);
    const int asked = s.asked;
    pass(&s, 900);
    sees_row(&s, 0, &s.lease.mine);
    cr_expect_eq(s.asked, asked);
    sees(&s, 1, 9, 0, "fc2~bbbb");
    cr_expect_eq(s.asked, asked);
    cr_expect_eq(s.said, LEASE_DENIED);
}

Test(lease, a_holder_that_was_blind_waits_a_watch_for_a_server_that_stays_away)
{
    struct scene s;
    comes_back_to_its_place(&s);
    const int asked = s.asked;
    pass(&s, 2599);
    sees_row(&s, 0, &s.lease.mine);
    cr_expect_eq(s.asked, asked);
    pass(&s, 1);
    sees_row(&s, 0, &s.lease.mine);
    cr_expect_eq(s.asked, asked + 1);
    wrote(&s, FC_OK, 5);
    cr_expect_eq(s.said, LEASE_GRANTED);
}

Test(lease, a_contender_that_was_blind_waits_a_watch_for_a_server_that_stays_away)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    sees(&s, 1, 7, 3, "fc2~bbbb");
    lease_lost(&s.lease, 0, s.now);
    lease_lost(&s.lease, 1, s.now);
    pass(&s, 5000);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    pass(&s, 2599);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 0);
    pass(&s, 1);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    cr_expect_eq(s.asked, 1);
}

Test(lease, a_write_that_was_never_answered_is_given_up_and_its_late_result_is_not_believed)
{
    struct scene s;
    leads(&s);
    struct store_result late = { .deed = s.request.deed, .id = s.request.id, .code = FC_OK, .sent_at = s.now, .stored = s.request.row };
    const int asked = s.asked;
    pass(&s, 1500);
    cr_expect_eq(s.asked, asked);
    pass(&s, 1);
    cr_expect_eq(s.asked, asked + 1);
    s.said = EVENT_TYPE_COUNT;
    lease_wrote(&s.lease, &late, s.now);
    cr_expect_eq(s.said, EVENT_TYPE_COUNT);
}

Test(lease, an_own_write_that_landed_unheard_is_where_it_goes_on_from)
{
    struct scene s;
    leads_quietly(&s);
    pass(&s, 399);
    const struct decision landed = s.request.row;
    wrote(&s, FC_TIMEOUT, 1);
    sees_row(&s, 0, &landed);
    pass(&s, 100);
    cr_expect_eq(s.request.row.rank.seq, landed.rank.seq + 1);
}

Test(lease, an_older_look_that_comes_late_changes_nothing)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    s.now.us -= 1000;
    sees(&s, 0, 9, 0, "fc3~cccc");
    cr_expect_eq(s.lease.best.rank.epoch, 7);
}

/* ---- somebody else's tools ---- */

Test(lease, a_foreign_owner_that_is_seen_to_live_is_stood_down_before)
{
    struct scene s;
    leads_quietly(&s);
    s.owner = "orc1";
    s.stamp = "10:00:00";
    sees_row(&s, 0, &s.request.row);
    cr_expect_eq(s.said, LEASE_GRANTED, "a stamp that was never seen to change may be from last year");
    s.stamp = "10:00:01";
    pass(&s, 100);
    sees_row(&s, 0, &s.request.row);
    cr_expect_eq(s.said, LEASE_DENIED);
    const int asked = s.asked;
    pass(&s, 3000);
    cr_expect_eq(s.asked, asked);
}

Test(lease, a_foreign_owner_that_stopped_is_forgotten_after_six_seconds)
{
    struct scene s;
    begin(&s);
    s.owner = "orc1";
    s.stamp = "10:00:00";
    sees(&s, 0, 7, 3, "");
    s.stamp = "10:00:01";
    sees(&s, 0, 7, 3, "");
    sees(&s, 1, 7, 3, "");
    cr_expect_eq(s.asked, 0);
    pass(&s, 5999);
    cr_expect_eq(s.asked, 0);
    pass(&s, 1);
    cr_expect_eq(s.asked, 1);
}

Test(lease, the_rank_of_a_write_that_was_not_heard_of_is_not_given_to_another_decision)
{
    struct scene s;
    leads_quietly(&s);
    pass(&s, 399);
    const uint64_t tried = s.request.row.rank.seq;
    wrote(&s, FC_TIMEOUT, 1);
    commands(&s, INTEND, 41, 0, 1);
    cr_expect_eq(s.request.row.phase, PHASE_MOVING);
    cr_expect_eq(s.request.row.rank.seq, tried + 1, "one rank is one decision, wherever it has landed");
}

/* ---- moving the chair ---- */

Test(lease, an_intent_is_written_where_the_lease_lies_and_then_seen_on_the_other_server)
{
    struct scene s;
    leads_quietly(&s);
    sees_row(&s, 0, &s.request.row);
    sees_row(&s, 1, &s.request.row);
    commands(&s, INTEND, 41, 0, 1);
    cr_expect_eq(s.request.deed, STORE_RENEW);
    cr_expect_eq(s.request.server, 0);
    cr_expect_eq(s.request.row.phase, PHASE_MOVING);
    cr_expect_str_eq(s.request.row.successor, "uid:b/2");
    const int looks = s.looks;
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.chair.type, CHAIR_REVOKED);
    cr_expect_gt(s.looks, looks, "the other server is asked at once whether it shows it");
    cr_expect_neq(s.ended.as.ended.id, 41);
    sees_row(&s, 1, &s.request.row);
    cr_expect_eq(s.request.deed, STORE_TAKE);
    cr_expect_eq(s.request.server, 1);
    cr_expect(s.request.by_fence, "the other server is read_only");
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.ended.as.ended.id, 41);
    cr_expect_eq(s.ended.as.ended.code, FC_OK);
    cr_expect_eq(s.granted.as.lease.place, 1, "the lease has moved along");
}

Test(lease, a_fence_is_lent_the_row_that_was_confirmed_last_and_nobody_elses)
{
    struct scene s;
    leads_quietly(&s);
    sees_row(&s, 0, &s.request.row);
    sees_row(&s, 1, &s.request.row);
    commands(&s, INTEND, 41, 0, 1);
    const struct decision intent = s.request.row;
    cr_expect_eq(lease_row(&s.lease)->phase, PHASE_SEATED, "not confirmed yet");
    wrote(&s, FC_OK, 1);
    cr_expect_eq(lease_row(&s.lease)->phase, PHASE_MOVING);
    cr_expect_eq(rank_compare(&lease_row(&s.lease)->rank, &intent.rank), 0);

    struct decision higher = intent;
    higher.rank.epoch += 7;
    TEXT_SET(higher.rank.node, "fc2~bbbb");
    sees_row(&s, 1, &higher);
    cr_expect_null(lease_row(&s.lease), "it has lost the lease: it leaves nothing of its own");
}

Test(lease, an_intent_that_does_not_arrive_is_told_to_stand_on_one_server)
{
    struct scene s;
    leads_quietly(&s);
    sees_row(&s, 0, &s.request.row);
    sees_row(&s, 1, &s.request.row);
    commands(&s, INTEND, 41, 0, 1);
    wrote(&s, FC_OK, 1);
    pass(&s, 400);
    wrote(&s, FC_OK, 1);
    pass(&s, 400);
    wrote(&s, FC_OK, 1);
    pass(&s, 400);
    wrote(&s, FC_OK, 1);
    cr_expect_neq(s.ended.as.ended.id, 41, "and the lease is renewed meanwhile");
    pass(&s, 400);
    cr_expect_eq(s.ended.as.ended.id, 41);
    cr_expect_eq(s.ended.as.ended.code, FC_TIMEOUT);
}

Test(lease, by_force_an_intent_that_does_not_arrive_is_written_on_the_other_server_in_a_new_epoch)
{
    struct scene s;
    leads_quietly(&s);
    sees_row(&s, 0, &s.request.row);
    sees_row(&s, 1, &s.request.row);
    struct effect effect = { .type = INTEND, .id = 41, .server = 1, .until = FC_NEVER };
    effect.as.intend.to = 1;
    effect.as.intend.is_forced = true;
    lease_command(&s.lease, &effect, s.now);
    wrote(&s, FC_OK, 1);
    for (int i = 0; i < 3; i++) {                          /* it is renewed while the other server is watched */
        pass(&s, 400);
        wrote(&s, FC_OK, 1);
    }
    pass(&s, 400);
    cr_expect_eq(s.request.deed, STORE_TAKE);
    cr_expect_eq(s.request.server, 1);
    cr_expect_eq(s.request.row.rank.epoch, 9);
    cr_expect_eq(s.request.row.phase, PHASE_MOVING);
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.ended.as.ended.id, 41);
    cr_expect_eq(s.ended.as.ended.code, FC_OK);
    cr_expect_eq(s.granted.as.lease.place, 1, "the lease has moved along");
}

Test(lease, when_the_seated_server_is_lost_the_epoch_is_raised_on_the_other_at_once)
{
    struct scene s;
    leads_quietly(&s);
    sees_row(&s, 0, &s.request.row);
    sees_row(&s, 1, &s.request.row);
    lease_lost(&s.lease, 0, s.now);
    commands(&s, INTEND, 41, 0, 1);
    cr_expect_eq(s.request.deed, STORE_TAKE);
    cr_expect_eq(s.request.server, 1);
    cr_expect_eq(s.request.row.rank.epoch, 9);
    cr_expect_eq(s.request.row.phase, PHASE_MOVING);
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.ended.as.ended.code, FC_OK);
    cr_expect_eq(s.granted.as.lease.place, 1);
    cr_expect_eq(s.granted.as.lease.epoch, 9);
}

Test(lease, no_intent_for_a_server_that_does_not_answer)
{
    struct scene s;
    leads_quietly(&s);
    lease_lost(&s.lease, 1, s.now);
    commands(&s, INTEND, 41, 0, 1);
    cr_expect_eq(s.ended.as.ended.id, 41);
    cr_expect_eq(s.ended.as.ended.code, FC_UNREACHABLE);
}

Test(lease, a_seat_raises_the_epoch_over_the_very_row_of_the_intent)
{
    struct scene s;
    moves_to_the_second(&s);
    wrote(&s, FC_OK, 1);
    commands(&s, SEAT, 42, 0, 1);
    cr_expect_eq(s.request.deed, STORE_TAKE);
    cr_expect_eq(s.request.row.rank.epoch, 9);
    cr_expect_eq(s.request.row.phase, PHASE_SEATED);
    cr_expect_str_eq(s.request.row.rank.server, "uid:b/2");
    cr_expect_str_eq(s.request.row.successor, "");
    cr_expect_eq(s.request.old.rank.seq, s.lease.mine.rank.seq);
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.ended.as.ended.id, 42);
    cr_expect_eq(s.chair.type, CHAIR_GRANTED);
    cr_expect_str_eq(s.chair.as.chair.decision.rank.server, "uid:b/2");
}

/* A fence closed it a moment ago. */
Test(lease, the_row_of_a_seat_is_written_by_the_fences_account_whatever_an_older_look_said)
{
    struct scene s;
    moves_to_the_second(&s);
    wrote(&s, FC_OK, 1);
    s.lease.servers[1].is_read_only = false;
    commands(&s, SEAT, 42, 0, 1);
    cr_assert(s.request.server == 1 && s.request.row.phase == PHASE_SEATED);
    cr_expect(s.request.by_fence);
}

Test(lease, a_seat_where_the_row_has_changed_is_refused_and_somebody_else_leads)
{
    struct scene s;
    moves_to_the_second(&s);
    wrote(&s, FC_OK, 1);
    commands(&s, SEAT, 42, 0, 1);
    struct store_result refused = { .deed = STORE_TAKE, .id = s.request.id, .server = 1, .code = FC_REFUSED, .sent_at = s.now };
    refused.stored.rank.epoch = 12;
    TEXT_SET(refused.stored.rank.node, "fc2~bbbb");
    lease_wrote(&s.lease, &refused, s.now);
    cr_expect_eq(s.ended.as.ended.id, 42);
    cr_expect_eq(s.ended.as.ended.code, FC_NOT_LEADER);
    cr_expect_eq(s.said, LEASE_DENIED);
}

Test(lease, no_seat_where_the_lease_does_not_lie)
{
    struct scene s;
    leads_quietly(&s);
    commands(&s, SEAT, 42, 0, 1);
    cr_expect_eq(s.ended.as.ended.code, FC_INTERNAL);
}

/* ---- commands that are refused ---- */

Test(lease, one_command_at_a_time)
{
    struct scene s;
    leads_quietly(&s);
    sees_row(&s, 1, &s.request.row);
    commands(&s, INTEND, 41, 0, 1);
    commands(&s, INTEND, 43, 0, 1);
    cr_expect_eq(s.ended.as.ended.id, 43);
    cr_expect_eq(s.ended.as.ended.deed, DEED_INTEND);
    cr_expect_eq(s.ended.as.ended.code, FC_BUSY);
}

Test(lease, a_command_waits_for_a_renewal_that_is_under_way)
{
    struct scene s;
    leads(&s);
    sees_row(&s, 1, &s.request.old);
    commands(&s, INTEND, 41, 0, 1);
    cr_expect_eq(s.request.row.phase, PHASE_SEATED);
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.request.row.phase, PHASE_MOVING);
}

Test(lease, no_command_without_a_lease)
{
    struct scene s;
    begin(&s);
    commands(&s, GIVE_BACK, 44, 0, -1);
    cr_expect_eq(s.ended.as.ended.id, 44);
    cr_expect_eq(s.ended.as.ended.code, FC_NOT_LEADER);
}

Test(lease, no_command_after_its_own_bound)
{
    struct scene s;
    struct effect effect = { .type = GIVE_BACK, .id = 45 };
    leads_quietly(&s);
    effect.until = s.now;
    lease_command(&s.lease, &effect, s.now);
    cr_expect_eq(s.ended.as.ended.id, 45);
    cr_expect_eq(s.ended.as.ended.code, FC_NOT_LEADER);
    cr_expect(s.lease.holds);
}

Test(lease, a_command_under_way_ends_when_the_lease_does)
{
    struct scene s;
    leads_quietly(&s);
    sees_row(&s, 1, &s.request.row);
    commands(&s, INTEND, 41, 0, 1);
    sees(&s, 1, 20, 0, "fc2~bbbb");
    cr_expect_eq(s.ended.as.ended.id, 41);
    cr_expect_eq(s.ended.as.ended.code, FC_NOT_LEADER);
    cr_expect_eq(s.said, LEASE_DENIED);
}

/* ---- giving it back ---- */

Test(lease, a_row_that_moves_the_chair_keeps_its_leader_and_the_lease_is_left_to_run_out)
{
    struct scene s;
    moves_to_the_second(&s);
    wrote(&s, FC_OK, 1);
    const int asked = s.asked;
    commands(&s, GIVE_BACK, 46, 0, -1);
    cr_expect_eq(s.ended.as.ended.id, 46);
    cr_expect_eq(s.ended.as.ended.code, FC_OK);
    cr_expect_eq(s.asked, asked, "a row without a leader would be taken for damage by every node");
    cr_expect_not(s.lease.holds);
    cr_expect_eq(s.said, LEASE_DENIED);
}

Test(lease, every_row_that_is_written_is_one_that_a_look_accepts)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 0, "");
    sees(&s, 1, 7, 0, "");
    cr_expect(decision_is_sound(&s.request.row));          /* the take */
    wrote(&s, FC_OK, 1);
    cr_expect(decision_is_sound(&s.request.row));          /* the renewal behind it */
    moves_to_the_second(&s);
    cr_expect(decision_is_sound(&s.request.row));          /* the intent */
    wrote(&s, FC_OK, 1);
    commands(&s, SEAT, 42, 0, 1);
    cr_expect(decision_is_sound(&s.request.row));          /* the seat */
    wrote(&s, FC_OK, 1);
    wrote(&s, FC_OK, 1);
    commands(&s, GIVE_BACK, 46, 0, -1);
    cr_expect(decision_is_free(&s.request.row));           /* the lease given back */
    cr_expect(decision_is_sound(&s.request.row));
}

Test(lease, who_gave_it_back_lets_others_go_first_for_its_pause)
{
    struct scene s;
    leads_quietly(&s);
    commands(&s, GIVE_BACK, 46, 0, -1);
    wrote(&s, FC_OK, 1);
    const struct decision free_row = s.request.row;
    const int asked = s.asked;
    sees_row(&s, 0, &free_row);
    sees_row(&s, 1, &free_row);
    pass(&s, 4998);
    cr_expect_eq(s.asked, asked);
    pass(&s, 1);
    cr_expect_eq(s.asked, asked + 1);
    cr_expect_eq(s.request.deed, STORE_TAKE);
}

/* ---- the chair as it is told ---- */

Test(lease, an_open_seated_server_renews_the_term_of_the_chair_by_each_look)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    pass(&s, 1000);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    cr_expect_eq(fc_since(s.now, s.chair.as.chair.until).us, fc_ms(1500).us);
}

Test(lease, a_look_at_the_other_server_renews_no_term)
{
    struct scene s;
    begin(&s);
    sees(&s, 0, 7, 3, "fc2~bbbb");
    pass(&s, 1000);
    sees(&s, 1, 7, 3, "fc2~bbbb");
    cr_expect_eq(fc_since(s.now, s.chair.as.chair.until).us, fc_ms(500).us);
}

Test(lease, a_single_store_has_no_chair_to_tell)
{
    struct scene s;
    begin(&s);
    s.lease.settings.has_chair = false;
    s.lease.settings.server_count = 1;
    sees(&s, 0, 7, 3, "");
    cr_expect_eq(s.request.deed, STORE_TAKE);
    cr_expect_str_eq(s.request.row.rank.server, "uid:a/1");
    cr_expect_not(s.request.by_fence);
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.said, LEASE_GRANTED);
    cr_expect_not(s.lease.has_said_chair);
}

Test(lease, it_asks_to_be_woken_in_the_future_and_before_its_term_ends)
{
    struct scene s;
    leads_quietly(&s);
    cr_expect(fc_before(s.now, s.wakes_at));
    cr_expect_not(fc_before(s.granted.as.lease.until, s.wakes_at));
}

Test(lease, a_reload_changes_times_and_nothing_else)
{
    struct scene s;
    leads_quietly(&s);
    struct lease_settings other = s.lease.settings;
    other.renew_ms = 100;
    TEXT_SET(other.node, "fc9~9999");
    other.server_count = 1;
    lease_retime(&s.lease, &other);
    cr_expect_eq(s.lease.settings.renew_ms, 100);
    cr_expect_str_eq(s.lease.settings.node, "fc1~aaaa");
    cr_expect_eq(s.lease.settings.server_count, 2);
}
