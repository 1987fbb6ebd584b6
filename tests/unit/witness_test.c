/* Scenes of a witness: one node that looks at no server. What it says of the pair is what raft's log and the leader told it; what it was
 * not told, it does not say. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/core.h"
#include "core/core_explain.h"
#include "core/status.h"

static struct room room;
static struct core *core;
static struct config config;
static struct effects *effects;
static struct fc_time now;
static int looks, registrations, asks;               /* effects that a witness must never have */
static char said[256];

static void feed(struct event *event)
{
    event->at = now;
    event->unix_ms = 1790000000000 + now.us / 1000;
    effects_clear(effects);
    core_step(core, event, effects);
    for (int i = 0; i < effects->count; i++) {
        const enum effect_type type = effects->list[i].type;
        looks += type == LOOK || type == CHECK || type == PREPARE;
        registrations += type == REGISTER || type == RECORD || type == ORDER_LAY;
        asks += type == SIGHTS_LOOK || type == FENCE || type == INTEND || type == SEAT || type == OPEN;
        if (type == ORDER_REPLY)
            TEXT_SET(said, effects->list[i].as.reply.text);
    }
}

static void pass(int64_t ms)
{
    struct event event = { .type = WOKEN };
    now = fc_plus(now, fc_ms(ms));
    feed(&event);
}

static void open_witness(void)
{
    room = room_of_libc();
    now = (struct fc_time){ 1000000000 };
    looks = registrations = asks = 0;
    said[0] = '\0';
    config_preset(&config);
    TEXT_SET(config.role, "witness");
    config.raft_enabled = true;
    config.nodes.count = config.backend_servers.count = 2;
    TEXT_SET(config.nodes.item[0], "fc1=10.0.9.1:3000/9377");
    TEXT_SET(config.nodes.item[1], "fc3=10.0.9.3:3000/9377");
    TEXT_SET(config.backend_servers.item[0], "db1=10.0.1.1:3306");
    TEXT_SET(config.backend_servers.item[1], "db2=10.0.1.2:3306");
    core = core_new(&room);
    effects = calloc(1, sizeof *effects);
    struct event event = { .type = STARTED };
    event.as.started.config = &config;
    event.as.started.node = "fc3~aaaa";
    event.as.started.seed = 3;
    feed(&event);
}

static void close_witness(void)
{
    core_free(core);
    free(effects);
}

/* The chair of the log, and what its leader says of it: seat NULL = nothing. */
static void chair(enum event_type type, uint64_t epoch, const char *identity, const char *seat, bool is_open, const char *paused_by)
{
    struct event event = { .type = type };
    struct decision *row = &event.as.chair.decision;
    row->rank.epoch = epoch;
    row->phase = type == CHAIR_REVOKED ? PHASE_MOVING : PHASE_SEATED;
    TEXT_SET(row->rank.server, identity);
    TEXT_SET(row->rank.node, "fc1~bbbb");
    TEXT_SET(row->why, "first in the configuration");
    event.as.chair.until = fc_plus(now, fc_ms(1500));
    if (seat != NULL) {
        event.as.chair.words = (struct chair_words){ .is_known = true, .is_open = is_open };
        TEXT_SET(event.as.chair.words.seat, seat);
        TEXT_SET(event.as.chair.words.paused_by, paused_by);
    }
    feed(&event);
}

static void led_by(const char *leader)
{
    struct event event = { .type = LEASE_DENIED };
    TEXT_SET(event.as.denied.leader, leader);
    TEXT_SET(event.as.denied.why, "another node leads");
    feed(&event);
}

static void hears(int server, const char *wanted)
{
    const struct answer *answer = &core->steering.pools[0].members[server].answer;
    char told[160];
    TEXT_FORMAT(told, "%s: %s", voice_word(fc_before(now, answer->until) ? answer->voice : answer->late), answer->reason);
    cr_expect_str_eq(told, wanted);
}

TestSuite(witness, .init = open_witness, .fini = close_witness);

Test(witness, it_says_who_sits_as_it_was_told_and_looks_at_no_server)
{
    led_by("fc1");
    hears(0, "neutral: starting, looking at the world");
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "");
    hears(0, "first: db1 sits");
    hears(1, "rest: db1 sits");
    cr_expect_eq(core->steering.voice_until.us, fc_plus(now, fc_ms(1500)).us, "it has a voice for as long as the term");
    for (int i = 0; i < 20; i++)
        pass(500);
    cr_expect_eq(looks + registrations + asks, 0, "%d looks, %d rows, %d deeds", looks, registrations, asks);
}

Test(witness, without_a_word_for_a_term_it_says_that_nobody_may_be_used)
{
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "");
    pass(1501);
    hears(0, "rest: db1 sits");
}

Test(witness, a_chair_that_moves_is_followed_and_what_was_told_before_counts_no_more)
{
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "");
    chair(CHAIR_REVOKED, 6, "uid:a", NULL, false, "");
    hears(0, "rest: moving");
    chair(CHAIR_GRANTED, 7, "uid:a", NULL, false, "");           /* given back: the same server, and nobody has said that it is open */
    hears(0, "rest: witness, not told yet who sits");
    chair(CHAIR_GRANTED, 7, "uid:a", "db1", false, "");
    hears(0, "rest: not open yet");
    chair(CHAIR_GRANTED, 7, "uid:a", "db1", true, "");
    hears(0, "first: db1 sits");
}

Test(witness, a_server_that_it_was_not_configured_to_know_is_never_another_one)
{
    chair(CHAIR_GRANTED, 5, "uid:c", "db3", true, "");
    hears(0, "rest: witness, not told yet who sits");
    hears(1, "rest: witness, not told yet who sits");
}

Test(witness, a_paused_pool_is_paused_here_too)
{
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "ann@test");
    hears(0, "neutral: paused by ann@test");
    cr_expect(core->steering.pools[0].members[0].answer.keeps_token, "the one that is open keeps its sessions");
    cr_expect_not(core->steering.pools[0].members[1].answer.keeps_token);
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "");
    hears(0, "first: db1 sits");
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "bob@test");
    hears(0, "neutral: paused by bob@test");
}

Test(witness, it_takes_no_order_and_names_who_does)
{
    struct event event = { .type = ORDER_GIVEN };
    led_by("fc1");
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "");
    event.as.order.ticket = 1;
    event.as.order.text = "switch fc_backend db2";
    event.as.order.length = strlen(event.as.order.text);
    event.as.order.may_change = true;
    TEXT_SET(event.as.order.by, "ann@test");
    feed(&event);
    cr_expect_str_eq(said, "this is a witness, which reaches no server and takes no orders: give it to fc1");
    cr_expect_eq(looks + registrations + asks, 0);
}

Test(witness, it_finds_nothing_wrong_where_it_sees_nothing)
{
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "");
    pass(60000);
    cr_expect_eq(core->steering.finding->finding, SEAT_NOT_LOOKED);
    cr_expect_eq(asks, 0);
    static struct status status;
    core_status(core, now, 0, &status);
    cr_expect_str_eq(status.role, "witness");
    cr_expect(text_begins(status.notice, "witness only"), "%s", status.notice);
    cr_expect_str_eq(status.store_word, "none");
    cr_expect_eq(status.servers[0].need_count + status.servers[1].need_count, 0);
    cr_expect_not(status.servers[0].is_reachable || status.servers[0].has_been_seen);
    cr_expect_str_eq(status.pools[0].seated, "db1");
}

Test(witness, it_explains_the_chair_by_what_it_was_told)
{
    static struct explanation e;
    led_by("fc1");
    chair(CHAIR_GRANTED, 5, "uid:a", "db1", true, "");
    const struct steer_stage stage = core_stage(core, now, 0);
    explain_chair(&core->steering, &stage, &e);
    cr_expect_str_eq(e.rule, "witness");
    cr_expect(strstr(e.verdict, "db1 sits") != NULL, "%s", e.verdict);
    cr_expect_eq(e.alternative_count, 0, "no server is called unfit by who has not seen it");
    cr_expect(strstr(e.changes[0], "ask fc1") != NULL, "%s", e.changes[0]);
}

Test(witness, without_a_pair_it_says_who_leads)
{
    core_free(core);                                       /* the suite's own, with a pair */
    config.backend_servers.count = 0;
    core = core_new(&room);
    struct event event = { .type = STARTED };
    event.as.started.config = &config;
    event.as.started.node = "fc3~aaaa";
    feed(&event);
    led_by("fc1");
    cr_expect_eq(core->steering.pool_count, 1);
    cr_expect_str_eq(core->steering.pools[0].members[1].answer.reason, "follower of fc1");
    pass(5000);
    cr_expect_eq(looks + registrations + asks, 0);
}
