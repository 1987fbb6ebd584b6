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
    int looks;
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
}

static void on_look(void *host, int server)
{
    (void)server;
    ((struct scene *)host)->looks++;
}

static void on_wake(void *host, struct fc_time at)
{
    (void)host;
    (void)at;
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

static void sees(struct scene *s, int server, uint64_t epoch, uint64_t seq, const char *node)
{
    static struct server_look look;
    memset(&look, 0, sizeof look);
    look.has_schema = true;
    TEXT_SET(look.identity, server == 0 ? "uid:a/1" : "uid:b/2");
    look.lease.rank.epoch = epoch;
    look.lease.rank.seq = seq;
    TEXT_SET(look.lease.rank.server, "uid:a/1");
    TEXT_SET(look.lease.rank.node, node);
    lease_saw(&s->lease, server, &look, s->now, s->now);
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
    effect.as.give_back_pause_ms = 5000;
    lease_command(&s.lease, &effect, s.now);
    cr_expect_eq(s.said, LEASE_DENIED);
    cr_expect_str_eq(s.request.row.rank.node, "");
    wrote(&s, FC_OK, 1);
    cr_expect_eq(s.ended.as.ended.id, 42);
    cr_expect_eq(s.ended.as.ended.code, FC_OK);
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
