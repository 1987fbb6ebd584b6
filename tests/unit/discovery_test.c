/* The calendar of looks: evenly spread, true to its period, bounded, patient with the dead, quick with what is urgent. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/rng.h"
#include "discover/discovery.h"

#define PERIOD_MS 5000

struct scene {
    struct room room;
    struct discovery d;
    struct fc_time now;
};

static struct discovery_setting setting_of(uint32_t limit)
{
    return (struct discovery_setting){ .period = fc_ms(PERIOD_MS), .limit = limit, .urgent_limit = 4, .dead_factor = 1.5,
                                       .dead_most = fc_ms(60000), .capacity = 100000 };
}

static struct scene *scene_open(uint32_t limit, uint32_t servers)
{
    struct scene *s = calloc(1, sizeof *s);
    const struct discovery_setting setting = setting_of(limit);
    s->room = room_of_libc();
    s->now.us = 1000000000;
    cr_assert(discovery_init(&s->d, &s->room, &setting));
    for (uint32_t i = 0; i < servers; i++)
        cr_assert(discovery_add(&s->d, i, s->now));
    return s;
}

static void scene_close(struct scene *s)
{
    discovery_done(&s->d);
    free(s);
}

static uint32_t begin(struct scene *s)
{
    struct fc_span late;
    return discovery_begin(&s->d, s->now, &late);
}

static void pass_ms(struct scene *s, int64_t ms) { s->now = fc_plus(s->now, fc_ms(ms)); }

/* All that is due is looked at and answers at once; how many that were. */
static uint32_t look(struct scene *s)
{
    uint32_t count = 0;
    for (uint32_t place = begin(s); place != DISCOVERY_NONE; place = begin(s)) {
        discovery_ended(&s->d, place, true, s->now);
        count++;
    }
    return count;
}

/* --- cadence --- */

Test(discovery, a_new_server_is_looked_at_at_once)
{
    struct scene *s = scene_open(10, 0);
    cr_expect(fc_is_never(discovery_wake_at(&s->d, s->now)));
    cr_assert(discovery_add(&s->d, 7, s->now));
    cr_expect_eq(discovery_wake_at(&s->d, s->now).us, s->now.us);
    cr_expect_eq(begin(s), 7);
    cr_expect_eq(begin(s), DISCOVERY_NONE);
    scene_close(s);
}

Test(discovery, each_server_is_looked_at_once_a_period_and_never_drifts)
{
    struct scene *s = scene_open(10, 1);
    struct fc_time last = FC_EVER;
    look(s);
    for (int i = 0; i < 100; i++) {
        const struct fc_time due = discovery_wake_at(&s->d, s->now);
        if (i > 0)
            cr_assert_eq(fc_since(last, due).us, PERIOD_MS * 1000, "look %d", i);
        last = due;
        s->now = fc_plus(due, fc_ms(37));            /* each time late, and it takes a while */
        cr_assert_eq(begin(s), 0);
        pass_ms(s, 400);
        discovery_ended(&s->d, 0, true, s->now);
    }
    scene_close(s);
}

Test(discovery, a_fleet_added_at_one_moment_is_spread_evenly_from_then_on)
{
    struct scene *s = scene_open(5000, 2000);
    uint32_t most = 0, least = UINT32_MAX, all = 0;
    cr_assert_eq(look(s), 2000);
    for (int i = 0; i < 80; i++) {                   /* the first ones come between half a period and one and a half */
        pass_ms(s, 100);
        look(s);
    }
    for (int i = 0; i < 100; i++) {                  /* two periods in steps of 100 ms: 40 servers each */
        pass_ms(s, 100);
        const uint32_t count = look(s);
        most = count > most ? count : most;
        least = count < least ? count : least;
        all += count;
    }
    cr_expect_eq(all, 4000);
    cr_expect_leq(most, 44);
    cr_expect_geq(least, 36);
    scene_close(s);
}

Test(discovery, a_look_longer_than_the_period_is_followed_by_the_next_place_of_the_grid)
{
    struct scene *s = scene_open(10, 1);
    look(s);
    s->now = discovery_wake_at(&s->d, s->now);
    const struct fc_time began = s->now;
    cr_assert_eq(begin(s), 0);
    pass_ms(s, 3 * PERIOD_MS + 100);
    cr_expect(fc_is_never(discovery_wake_at(&s->d, s->now)));
    discovery_ended(&s->d, 0, true, s->now);
    cr_expect_eq(fc_since(began, discovery_wake_at(&s->d, s->now)).us, 4 * PERIOD_MS * 1000);
    scene_close(s);
}

Test(discovery, lateness_is_told)
{
    struct scene *s = scene_open(10, 1);
    struct fc_span late;
    look(s);
    s->now = fc_plus(discovery_wake_at(&s->d, s->now), fc_ms(123));
    cr_assert_eq(discovery_begin(&s->d, s->now, &late), 0);
    cr_expect_eq(fc_span_ms(late), 123);
    scene_close(s);
}

/* --- bounds --- */

Test(discovery, no_more_than_the_limit_is_under_way)
{
    struct scene *s = scene_open(3, 10);
    for (int i = 0; i < 3; i++)
        cr_expect_neq(begin(s), DISCOVERY_NONE);
    cr_expect_eq(begin(s), DISCOVERY_NONE);
    cr_expect(fc_is_never(discovery_wake_at(&s->d, s->now)), "nothing to wake for until one ends");
    discovery_ended(&s->d, 0, true, s->now);
    cr_expect_eq(begin(s), 3);
    scene_close(s);
}

Test(discovery, beyond_its_capacity_servers_are_refused_and_counted)
{
    struct scene *s = scene_open(3, 0);
    struct discovery_setting small = setting_of(3);
    small.capacity = 2;
    discovery_set(&s->d, &small);
    cr_expect(discovery_add(&s->d, 0, s->now));
    cr_expect(discovery_add(&s->d, 1, s->now));
    cr_expect(discovery_add(&s->d, 1, s->now));
    cr_expect_not(discovery_add(&s->d, 2, s->now));
    cr_expect_eq(s->d.refused_count, 1);
    discovery_remove(&s->d, 0);
    cr_expect(discovery_add(&s->d, 2, s->now));
    scene_close(s);
}

Test(discovery, settings_outside_their_bounds_are_refused)
{
    struct room room = room_of_libc();
    struct discovery d;
    struct discovery_setting one = setting_of(1), none = setting_of(4), quick = setting_of(4), less = setting_of(4);
    none.period = fc_ms(0);
    quick.dead_factor = 0.5;
    less.dead_most = fc_ms(PERIOD_MS - 1);
    cr_expect_not(discovery_init(&d, &room, &one));
    cr_expect_not(discovery_init(&d, &room, &none));
    cr_expect_not(discovery_init(&d, &room, &quick));
    cr_expect_not(discovery_init(&d, &room, &less));
}

Test(discovery, a_calendar_that_adds_nobody_reserves_nothing)
{
    struct scene *s = scene_open(50, 500);
    look(s);
    const uint64_t reserved = s->room.reserved_count;
    for (int i = 0; i < 1000; i++) {
        pass_ms(s, 50);
        look(s);
        discovery_urge(&s->d, (uint32_t)i % 500);
    }
    cr_expect_eq(s->room.reserved_count, reserved);
    scene_close(s);
}

/* --- the dead --- */

static int64_t wait_after_failure_ms(struct scene *s)
{
    s->now = discovery_wake_at(&s->d, s->now);
    cr_assert_eq(begin(s), 0);
    discovery_ended(&s->d, 0, false, s->now);
    return fc_span_ms(fc_since(s->now, discovery_wake_at(&s->d, s->now)));
}

Test(discovery, a_dead_server_is_left_alone_for_longer_and_longer)
{
    struct scene *s = scene_open(10, 1);
    look(s);
    cr_expect_eq(wait_after_failure_ms(s), 5000);
    cr_expect_eq(wait_after_failure_ms(s), 7500);
    cr_expect_eq(wait_after_failure_ms(s), 11250);
    for (int i = 0; i < 10; i++)
        wait_after_failure_ms(s);
    cr_expect_eq(wait_after_failure_ms(s), 60000);
    s->now = discovery_wake_at(&s->d, s->now);
    cr_assert_eq(begin(s), 0);
    discovery_ended(&s->d, 0, true, s->now);      /* it is back: the full pace at once */
    cr_expect_leq(fc_span_ms(fc_since(s->now, discovery_wake_at(&s->d, s->now))), PERIOD_MS + PERIOD_MS / 2);
    scene_close(s);
}

Test(discovery, a_watched_server_keeps_its_pace_although_it_is_dead)
{
    struct scene *s = scene_open(10, 1);
    look(s);
    for (int i = 0; i < 8; i++)
        wait_after_failure_ms(s);
    discovery_watch(&s->d, 0, true, s->now);
    cr_expect_leq(fc_span_ms(fc_since(s->now, discovery_wake_at(&s->d, s->now))), PERIOD_MS + PERIOD_MS / 2);
    cr_expect_eq(wait_after_failure_ms(s), 5000);
    cr_expect_eq(wait_after_failure_ms(s), 5000);
    discovery_watch(&s->d, 0, false, s->now);
    cr_expect_geq(wait_after_failure_ms(s), 30000);
    scene_close(s);
}

Test(discovery, the_dead_take_half_of_the_places_and_delay_nobody_who_answers)
{
    struct scene *s = scene_open(4, 20);
    for (int i = 0; i < 5; i++) {                    /* 0..9 are dead */
        uint32_t held[4];
        for (int n = 0; n < 4; n++)
            held[n] = begin(s);
        for (int n = 0; n < 4; n++)
            discovery_ended(&s->d, held[n], held[n] >= 10, s->now);
    }
    pass_ms(s, 20 * PERIOD_MS);
    uint32_t dead = 0, living = 0;
    for (uint32_t place = begin(s); place != DISCOVERY_NONE; place = begin(s)) {
        dead += place < 10;                          /* and these hang for ever */
        living += place >= 10;
        if (place >= 10)
            discovery_ended(&s->d, place, true, s->now);
    }
    cr_expect_eq(dead, 2);
    cr_expect_eq(living, 10);
    scene_close(s);
}

/* --- urged --- */

Test(discovery, what_is_urged_goes_first_and_beyond_the_limit)
{
    struct scene *s = scene_open(2, 5);
    look(s);
    pass_ms(s, 2 * PERIOD_MS);
    begin(s);
    begin(s);
    cr_assert_eq(begin(s), DISCOVERY_NONE);
    for (uint32_t place = 0; place < 5; place++) {
        if (s->d.places[place].stage == STAGE_WAITING) {
            discovery_urge(&s->d, place);
            cr_expect_eq(discovery_wake_at(&s->d, s->now).us, s->now.us);
            cr_expect_eq(begin(s), place);
            break;
        }
    }
    scene_close(s);
}

Test(discovery, what_is_urged_again_and_again_is_looked_at_once_a_second)
{
    struct scene *s = scene_open(2, 1);
    look(s);
    const uint64_t before = s->d.begun_count;
    for (int i = 0; i < 300; i++) {                  /* three seconds */
        discovery_urge(&s->d, 0);
        look(s);
        pass_ms(s, 10);
    }
    cr_expect_leq(s->d.begun_count - before, 5);     /* at once, after a tenth, and once a second behind it */
    cr_expect_geq(s->d.begun_count - before, 4);
    scene_close(s);
}

Test(discovery, what_is_urged_after_a_calm_is_looked_at_again_a_tenth_of_a_second_later)
{
    struct scene *s = scene_open(2, 1);
    look(s);
    for (int calm = 0; calm < 2; calm++) {
        pass_ms(s, 2 * DISCOVERY_URGE_GAP_MS);
        look(s);                                      /* what was urged last, in the round before */
        pass_ms(s, 2 * DISCOVERY_URGE_GAP_MS);
        const uint64_t before = s->d.urged_count;
        for (int ms = 0; ms <= 1000; ms += 10) {
            discovery_urge(&s->d, 0);
            look(s);
            cr_expect_eq(s->d.urged_count - before, ms < 100 ? 1 : 2, "%d ms", ms);
            pass_ms(s, 10);
        }
    }
    scene_close(s);
}

Test(discovery, urged_while_under_way_it_is_looked_at_once_more)
{
    struct scene *s = scene_open(2, 1);
    cr_assert_eq(begin(s), 0);
    discovery_urge(&s->d, 0);
    cr_expect_eq(begin(s), DISCOVERY_NONE);
    pass_ms(s, 30);
    discovery_ended(&s->d, 0, true, s->now);
    cr_expect_eq(discovery_wake_at(&s->d, s->now).us, s->now.us);
    cr_expect_eq(begin(s), 0);
    discovery_ended(&s->d, 0, true, s->now);
    cr_expect_eq(begin(s), DISCOVERY_NONE);
    scene_close(s);
}

Test(discovery, an_urged_look_answers_for_a_dead_server_too)
{
    struct scene *s = scene_open(2, 1);
    look(s);
    for (int i = 0; i < 10; i++)
        wait_after_failure_ms(s);
    discovery_urge(&s->d, 0);
    cr_expect_eq(begin(s), 0);
    discovery_ended(&s->d, 0, true, s->now);
    cr_expect_eq(s->d.places[0].failures, 0);
    scene_close(s);
}

Test(discovery, who_is_forgotten_under_way_leaves_its_place)
{
    struct scene *s = scene_open(2, 3);
    cr_assert_eq(begin(s), 0);
    cr_assert_eq(begin(s), 1);
    discovery_remove(&s->d, 0);
    cr_expect_eq(begin(s), 2);
    discovery_ended(&s->d, 0, true, s->now);         /* late: nobody knows it any more */
    cr_expect_eq(s->d.under_way, 2);
    discovery_urge(&s->d, 1);
    discovery_remove(&s->d, 1);
    discovery_remove(&s->d, 2);
    cr_expect_eq(s->d.known, 0);
    cr_expect_eq(s->d.under_way, 0);
    cr_expect(fc_is_never(discovery_wake_at(&s->d, s->now)));
    scene_close(s);
}

/* --- anything, in any order --- */

static void is_whole(const struct scene *s)
{
    const struct discovery *d = &s->d;
    uint32_t under_way = 0, waiting = 0, known = 0;
    for (uint32_t i = 0; i < d->place_count; i++) {
        const struct discovery_place *p = &d->places[i];
        known += p->stage != STAGE_ABSENT;
        under_way += p->stage == STAGE_UNDER_WAY;
        waiting += p->stage == STAGE_WAITING;
        if (p->stage == STAGE_WAITING) {
            const struct discovery_heap *heap = p->failures > 0 && !p->is_watched ? &d->dead : &d->living;
            cr_assert_lt(p->at, heap->count);
            cr_assert_eq(heap->places[p->at], i);
            cr_assert(p->at == 0 || d->places[heap->places[(p->at - 1) / 2]].due.us <= p->due.us);
        }
    }
    cr_assert_eq(known, d->known);
    cr_assert_eq(waiting, d->living.count + d->dead.count);
    cr_assert_eq(under_way, d->under_way + d->urgent_under_way);
    cr_assert_leq(d->under_way, d->setting.limit);
    cr_assert_leq(d->urgent_under_way, d->setting.urgent_limit);
    cr_assert_leq(d->dead_under_way, d->setting.limit / 2);
}

Test(discovery, whatever_happens_its_tables_agree_and_nobody_is_forgotten)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct scene *s = scene_open(6, 0);
        struct fc_rng rng = { seed };
        for (int i = 0; i < 600; i++) {
            const uint32_t place = (uint32_t)rng_below(&rng, 40);
            switch (rng_below(&rng, 8)) {
            case 0:
                discovery_add(&s->d, place, s->now);
                break;
            case 1:
                discovery_remove(&s->d, place);
                break;
            case 2:
                discovery_watch(&s->d, place, rng_below(&rng, 2) == 0, s->now);
                break;
            case 3:
                discovery_urge(&s->d, place);
                break;
            case 4:
            case 5:
                begin(s);
                break;
            case 6:
                discovery_ended(&s->d, place, rng_below(&rng, 3) != 0, s->now);
                break;
            default:
                pass_ms(s, (int64_t)rng_below(&rng, 2000));
            }
            is_whole(s);
        }
        for (uint32_t place = 0; place < 40; place++)
            discovery_ended(&s->d, place, true, s->now);
        pass_ms(s, 70000);
        const uint64_t before = s->d.begun_count;
        look(s);
        cr_assert_eq(s->d.begun_count - before, s->d.known, "seed %llu", (unsigned long long)seed);
        scene_close(s);
    }
}
