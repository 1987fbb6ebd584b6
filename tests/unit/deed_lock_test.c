/* The lock before a deed on a managed cluster: its verdicts, and two thousand histories of three leaders who follow each other, sleep between a
 * check and what they send, and lose sessions, at servers that keep MySQL's rules. */
#include "lead/deed_lock.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/rng.h"

#define MS(n) ((struct fc_time){ (n) * 1000 })
#define LIMIT MS(2000)

static struct deed_lock lock;
static struct deed_lock_server servers[8];

static void begin(int count, int target) { deed_lock_begin(&lock, servers, count, target, LIMIT); }
static void hear(int server, enum deed_lock_word word, uint64_t holder) { deed_lock_hear(&lock, server, word, holder, MS(10), FC_NEVER); }

static void given(const char *list)
{
    for (; *list != '\0'; list++)
        hear(*list - '0', DEED_LOCK_GIVEN, 0);
}

Test(deed_lock, permits_when_everybody_in_sight_has_given_it)
{
    begin(3, 1);
    given("02");
    cr_expect_eq(lock.verdict, DEED_LOCK_AWAITED);
    given("1");
    cr_expect_eq(lock.verdict, DEED_LOCK_PERMITS);
    for (int i = 0; i < 3; i++)
        cr_expect(deed_lock_permits(&lock, i, MS(11), FC_NEVER));
    cr_expect_not(deed_lock_permits(&lock, 1, MS(11), MS(11)), "a lease that is over");
}

Test(deed_lock, leaves_out_who_does_not_answer_when_enough_hold_it)
{
    begin(5, 1);
    given("012");
    cr_expect_eq(lock.verdict, DEED_LOCK_AWAITED, "two are still being asked");
    const struct fc_time rest = deed_lock_wakes_at(&lock, FC_NEVER);
    cr_expect_eq(rest.us, MS(10 + DEED_LOCK_REST_MS).us);
    deed_lock_tick(&lock, rest, FC_NEVER);
    cr_expect_eq(lock.verdict, DEED_LOCK_PERMITS);
    cr_expect_not(deed_lock_permits(&lock, 3, rest, FC_NEVER), "no deed goes where the lock is not held");
    hear(3, DEED_LOCK_GIVEN, 0);
    cr_expect_not(deed_lock_permits(&lock, 3, rest, FC_NEVER), "nor where it came too late");
}

Test(deed_lock, refuses_without_the_server_that_it_is_about_and_without_a_majority)
{
    begin(3, 1);
    given("02");
    hear(1, DEED_LOCK_GONE, 0);
    cr_expect_eq(lock.verdict, DEED_LOCK_REFUSED);
    cr_expect(strstr(lock.because, "the server that it is about") != NULL, "%s", lock.because);

    begin(4, 1);
    given("1");
    hear(0, DEED_LOCK_GONE, 0);
    cr_expect_eq(lock.verdict, DEED_LOCK_AWAITED);
    hear(2, DEED_LOCK_GONE, 0);
    cr_expect_eq(lock.verdict, DEED_LOCK_REFUSED);
    cr_expect(strstr(lock.because, "too few") != NULL, "%s", lock.because);
}

Test(deed_lock, the_server_that_it_is_about_is_waited_for_as_long_as_there_is_time)
{
    begin(3, 1);
    given("02");
    deed_lock_tick(&lock, MS(10 + DEED_LOCK_REST_MS), FC_NEVER);
    cr_expect_eq(lock.verdict, DEED_LOCK_AWAITED);
    given("1");
    cr_expect_eq(lock.verdict, DEED_LOCK_PERMITS);
}

Test(deed_lock, time_is_bounded_and_half_is_not_more_than_half)
{
    begin(4, 1);
    given("01");
    deed_lock_tick(&lock, MS(1999), FC_NEVER);
    cr_expect_eq(lock.verdict, DEED_LOCK_AWAITED);
    deed_lock_tick(&lock, LIMIT, FC_NEVER);
    cr_expect_eq(lock.verdict, DEED_LOCK_REFUSED);
}

Test(deed_lock, ends_a_holder_and_gives_up_on_one_who_keeps_coming_back)
{
    begin(1, 0);
    for (uint64_t i = 1; i <= DEED_LOCK_ENDS_MAX; i++) {
        hear(0, DEED_LOCK_TAKEN, 40 + i);
        cr_assert(servers[0].state == DEED_LOCK_ENDING && servers[0].holder == 40 + i);
        hear(0, DEED_LOCK_TAKEN, 0);
        cr_assert_eq(servers[0].state, DEED_LOCK_TAKING);
    }
    hear(0, DEED_LOCK_TAKEN, 99);
    cr_expect_eq(lock.verdict, DEED_LOCK_REFUSED);
}

Test(deed_lock, nobody_is_ended_by_a_node_whose_lease_is_over)
{
    begin(3, 1);
    deed_lock_hear(&lock, 1, DEED_LOCK_TAKEN, 41, MS(10), MS(10));
    cr_expect_neq(servers[1].state, DEED_LOCK_ENDING);
    cr_expect_eq(lock.verdict, DEED_LOCK_REFUSED);
    cr_expect(fc_is_never(deed_lock_wakes_at(&lock, MS(10))));
}

Test(deed_lock, ends_when_the_session_on_its_server_ends_and_stays_ended)
{
    begin(3, 1);
    given("012");
    hear(0, DEED_LOCK_GONE, 0);
    cr_expect(lock.verdict == DEED_LOCK_PERMITS && deed_lock_permits(&lock, 1, MS(11), FC_NEVER) && !deed_lock_permits(&lock, 0, MS(11), FC_NEVER));
    hear(1, DEED_LOCK_GONE, 0);
    cr_expect_eq(lock.verdict, DEED_LOCK_OVER);
    hear(1, DEED_LOCK_GIVEN, 0);
    cr_expect(lock.verdict == DEED_LOCK_OVER && !deed_lock_permits(&lock, 1, MS(11), FC_NEVER));
}

/* --- histories -------------------------------------------------------------------------------------------------------------------- */

#define LEADERS 3
#define SERVERS 5
#define SESSIONS (LEADERS * SERVERS)
#define ON_THE_WAY 64

/* What a leader has decided to send, however late it goes. A deed and all others go through the leader's one session on that server. */
enum said { ASK, END_AND_ASK, DEED };
struct message { bool is_there; int leader, server; enum said said; uint64_t holder; };
struct reply { bool is_there; int leader, server; enum deed_lock_word word; uint64_t holder; };

static struct world {
    struct fc_rng rng;
    int64_t now_ms;
    int leading;                                       /* one at a time by the time of the world; the leases of older ones are over */
    struct { struct deed_lock lock; struct deed_lock_server servers[SERVERS]; bool is_begun; int64_t lease_ms; } leaders[LEADERS];
    struct { bool is_alive, is_ending; } sessions[LEADERS][SERVERS];      /* is_ending: killed, and still at what it had begun */
    int owner[SERVERS];                                /* of the lock on that server; -1 nobody */
    int newest_deed[SERVERS];                          /* the newest leader who has changed this server */
    struct message sent[ON_THE_WAY];
    struct reply replies[ON_THE_WAY];
    int deeds, ended, permits;
} w;

static struct fc_time may_act_until(int leader) { return MS(w.leaders[leader].lease_ms); }
static uint32_t chance(uint32_t of) { return (uint32_t)rng_below(&w.rng, of); }

static void send(int leader, int server, enum said said, uint64_t holder)
{
    for (int i = 0; i < ON_THE_WAY; i++) {
        if (!w.sent[i].is_there) {
            w.sent[i] = (struct message){ true, leader, server, said, holder };
            return;
        }
    }
}

static void reply(int leader, int server, enum deed_lock_word word, uint64_t holder)
{
    for (int i = 0; i < ON_THE_WAY; i++) {
        if (!w.replies[i].is_there) {
            w.replies[i] = (struct reply){ true, leader, server, word, holder };
            return;
        }
    }
    cr_assert(false, "too many replies");
}

/* The session's number on its server is its leader's, from 1. */
static void end_session(int leader, int server)
{
    if (!w.sessions[leader][server].is_alive)
        return;
    w.sessions[leader][server].is_alive = false;
    if (w.owner[server] == leader)
        w.owner[server] = -1;
    reply(leader, server, DEED_LOCK_GONE, 0);
}

static void deed_is_done(int leader, int server)
{
    cr_assert_eq(w.owner[server], leader, "a deed on a server whose lock somebody else has");
    cr_assert_geq(leader, w.newest_deed[server], "leader %d changed server %d after leader %d had", leader, server, w.newest_deed[server]);
    w.newest_deed[server] = leader;
    w.deeds++;
}

static void arrive(const struct message *m)
{
    if (!w.sessions[m->leader][m->server].is_alive || w.sessions[m->leader][m->server].is_ending)
        return;
    if (m->said == DEED) {
        deed_is_done(m->leader, m->server);
        return;
    }
    if (m->said == END_AND_ASK && w.sessions[m->holder - 1][m->server].is_alive) {
        cr_assert_lt((int)m->holder - 1, m->leader, "an older leader ends a newer one");
        w.sessions[m->holder - 1][m->server].is_ending = true;
        w.ended++;
    }
    if (w.owner[m->server] < 0)
        w.owner[m->server] = m->leader;
    reply(m->leader, m->server, w.owner[m->server] == m->leader ? DEED_LOCK_GIVEN : DEED_LOCK_TAKEN, (uint64_t)w.owner[m->server] + 1);
}

static void heard(int leader, int server, enum deed_lock_word word, uint64_t holder)
{
    struct deed_lock *l = &w.leaders[leader].lock;
    const enum deed_lock_verdict before = l->verdict;
    deed_lock_hear(l, server, word, holder, MS(w.now_ms), may_act_until(leader));
    if (before == DEED_LOCK_AWAITED && l->verdict == DEED_LOCK_PERMITS)
        w.permits++;
    if (l->servers[server].state == DEED_LOCK_LOST || l->verdict == DEED_LOCK_REFUSED || l->verdict == DEED_LOCK_OVER) {
        for (int i = 0; i < SERVERS; i++) {
            if (l->servers[i].state == DEED_LOCK_LOST || l->verdict != DEED_LOCK_PERMITS)
                w.sessions[leader][i].is_ending = w.sessions[leader][i].is_alive;      /* given back, sooner or later */
        }
    } else if (l->servers[server].state == DEED_LOCK_TAKING) {
        send(leader, server, ASK, 0);
    } else if (l->servers[server].state == DEED_LOCK_ENDING) {
        send(leader, server, END_AND_ASK, l->servers[server].holder);
    }
}

static void take_lead(int leader)
{
    w.leading = leader;
    w.leaders[leader].is_begun = true;
    w.leaders[leader].lease_ms = w.now_ms + 200 + chance(2000);
    deed_lock_begin(&w.leaders[leader].lock, w.leaders[leader].servers, SERVERS, (int)chance(SERVERS), MS(w.now_ms + 1000));
    for (int i = 0; i < SERVERS; i++) {
        w.sessions[leader][i].is_alive = true;
        send(leader, i, ASK, 0);
    }
}

/* Several deeds are decided while the lease lasts; when they are sent is the business of chance. */
static void decide_deeds(int leader)
{
    for (int i = 0; i < SERVERS; i++) {
        if (w.leaders[leader].is_begun && deed_lock_permits(&w.leaders[leader].lock, i, MS(w.now_ms), may_act_until(leader)) && chance(3) == 0)
            send(leader, i, DEED, 0);
    }
}

static void deliver(void)
{
    const int slot = (int)chance(ON_THE_WAY);
    if (w.sent[slot].is_there && chance(w.sent[slot].leader == w.leading ? 2 : 12) == 0) {
        const struct message m = w.sent[slot];
        w.sent[slot].is_there = false;
        arrive(&m);
    }
    const int other = (int)chance(ON_THE_WAY);
    if (w.replies[other].is_there) {
        const struct reply r = w.replies[other];
        w.replies[other].is_there = false;
        heard(r.leader, r.server, r.word, r.holder);
    }
}

static void one_step(void)
{
    const int leader = (int)chance(LEADERS), server = (int)chance(SERVERS);
    w.now_ms += chance(12);
    for (int i = 0; i < 16; i++)
        deliver();
    if (w.sessions[leader][server].is_ending && chance(4) == 0)
        end_session(leader, server);
    if (chance(200) == 0)
        end_session(leader, server);
    if (w.leaders[leader].is_begun) {
        deed_lock_tick(&w.leaders[leader].lock, MS(w.now_ms), may_act_until(leader));
        decide_deeds(leader);
    }
    if (w.leading + 1 < LEADERS && w.now_ms >= w.leaders[w.leading].lease_ms)
        take_lead(w.leading + 1);
}

/* What permits is held where it matters, and by nobody else who may still send. */
static void judge(void)
{
    for (int l = 0; l < LEADERS; l++) {
        const struct deed_lock *lock_of = &w.leaders[l].lock;
        if (!w.leaders[l].is_begun || lock_of->verdict != DEED_LOCK_PERMITS)
            continue;
        int held = 0;
        for (int i = 0; i < SERVERS; i++)
            held += lock_of->servers[i].state == DEED_LOCK_HELD ? 1 : 0;
        cr_assert(held > SERVERS / 2 && lock_of->servers[lock_of->target].state == DEED_LOCK_HELD);
    }
}

Test(deed_lock, in_two_thousand_histories_no_deed_of_an_older_leader_comes_after_one_of_a_newer)
{
    int deeds = 0, ended = 0, permits = 0;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        memset(&w, 0, sizeof w);
        w.rng = (struct fc_rng){ seed };
        memset(w.owner, -1, sizeof w.owner);
        memset(w.newest_deed, -1, sizeof w.newest_deed);
        take_lead(0);
        for (int step = 0; step < 1000; step++) {
            one_step();
            judge();
        }
        deeds += w.deeds;
        ended += w.ended;
        permits += w.permits;
    }
    cr_assert(deeds > 20000 && ended > 1000 && permits > 1000, "%d deeds, %d holders ended, %d permits: too little happens", deeds, ended, permits);
}
