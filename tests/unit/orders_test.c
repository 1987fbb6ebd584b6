/* Scenes of the grammar: what an operator types, what is understood, and what is said when it is not. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "act/orders.h"
#include "base/text.h"

/* The order as one line that a person can judge, or the sentence of its refusal. */
static const char *heard_bytes(const char *text, size_t length)
{
    static char line[512];
    struct order order;
    struct fc_err err = { 0 };

    if (order_parse(text, length, &order, &err) != FC_OK) {
        TEXT_FORMAT(line, "%s: %s", fc_code_word(err.code), err.text);
        return line;
    }
    TEXT_FORMAT(line, "%s pool=%s server=%s%s limit=%u count=%d because=%s", verb_table[order.verb].word, order.pool,
                order.server, order.is_forced ? " forced" : "", order.limit_ms, order.count, order.because);
    return line;
}

static const char *heard(const char *text) { return heard_bytes(text, strlen(text)); }

#define HEARS(text, expected) cr_assert_str_eq(heard(text), expected)
#define SAYS(text, part) cr_assert(strstr(heard(text), part) != NULL, "'%s' was answered: %s", text, heard(text))

Test(orders, reading_verbs_need_no_operand)
{
    HEARS("status", "status pool= server= limit=0 count=0 because=");
    HEARS("pools", "pools pool= server= limit=0 count=0 because=");
    HEARS("events", "events pool= server= limit=0 count=0 because=");
    HEARS("explain", "explain pool= server= limit=0 count=0 because=");
    HEARS("yield", "yield pool= server= limit=0 count=0 because=");
}

Test(orders, explain_takes_a_pool_and_perhaps_a_server)
{
    HEARS("explain fc_backend", "explain pool=fc_backend server= limit=0 count=0 because=");
    HEARS("explain fc_backend/db1", "explain pool=fc_backend server=db1 limit=0 count=0 because=");
    HEARS("explain fc_backend db1", "explain pool=fc_backend server=db1 limit=0 count=0 because=");
}

static const struct order *parsed(const char *text)
{
    static struct order order;
    struct fc_err err = { .code = FC_OK };
    cr_assert_eq(order_parse(text, strlen(text), &order, &err), FC_OK, "%s: %s", text, err.text);
    return &order;
}

Test(orders, explain_of_an_order_keeps_it_and_checks_it)
{
    cr_assert_str_eq(parsed("explain  switch fc_backend to db2  force ")->about, "switch fc_backend to db2  force");
    cr_assert_str_eq(parsed("explain yield")->about, "yield");
    cr_assert_str_eq(parsed("explain fc_backend")->about, "");
    SAYS("explain switch fc_backend", "switch: the server is missing");
    SAYS("explain maint p/s because", "'because' stands without its text");
}

Test(orders, plan_takes_a_pool_or_none)
{
    HEARS("plan", "plan pool= server= limit=0 count=0 because=");
    HEARS("plan fc_backend", "plan pool=fc_backend server= limit=0 count=0 because=");
    SAYS("plan a b", "'b' is not understood here");
}

Test(orders, history_takes_a_number_a_subject_and_a_time_in_any_order)
{
    HEARS("history", "history pool= server= limit=0 count=0 because=");
    HEARS("history 50 fc_backend", "history pool=fc_backend server= limit=0 count=50 because=");
    HEARS("history fc_backend 50", "history pool=fc_backend server= limit=0 count=50 because=");
    cr_assert_eq(parsed("history since 90s")->since_unix_ms, -90000);
    cr_assert_eq(parsed("history since 2H 5")->since_unix_ms, -7200000);
    cr_assert_eq(parsed("history since 3d")->since_unix_ms, -259200000);
    cr_assert_eq(parsed("history since 1971-01-01")->since_unix_ms, 31536000000);
    cr_assert_eq(parsed("history since 2024-02-29T12:30:05Z")->since_unix_ms, 1709209805000);
    cr_assert_eq(parsed("history since 2026-01-31t12:00")->since_unix_ms, 1769860800000);
    cr_assert_eq(parsed("history before 7331")->before, 7331);
}

Test(orders, a_time_that_is_none_is_refused)
{
    SAYS("history since", "'since' stands without its time");
    SAYS("history since yesterday", "since 'yesterday' must be 90s");
    SAYS("history since 2025-02-29", "since '2025-02-29' must be");
    SAYS("history since 2025-13-01", "must be");
    SAYS("history since 2025-01-01T24:00", "must be");
    SAYS("history since 2025/01/01", "must be");
    SAYS("history since 0s", "must be");
    SAYS("history since 99999999d", "must be");
    SAYS("history 0", "must be a number from 1 to 200");
    SAYS("history 201", "must be a number from 1 to 200");
    SAYS("history before x", "must be the id of a line");
    SAYS("history before 9007199254740992", "must be the id of a line");
    SAYS("history a b", "'b' is not understood here");
}

Test(orders, switch_takes_its_small_words_in_any_order_and_case)
{
    HEARS("switch p db2", "switch pool=p server=db2 limit=0 count=0 because=");
    HEARS("switch p to db2", "switch pool=p server=db2 limit=0 count=0 because=");
    HEARS("switch p/db2", "switch pool=p server=db2 limit=0 count=0 because=");
    HEARS("Switch p TO db2 FORCE within 10", "switch pool=p server=db2 forced limit=10000 count=0 because=");
    HEARS("switch p to db2 within 10s --force", "switch pool=p server=db2 forced limit=10000 count=0 because=");
    HEARS("\t switch   p\tdb2  ", "switch pool=p server=db2 limit=0 count=0 because=");
}

Test(orders, names_keep_their_case)
{
    HEARS("resume Fc_Backend", "resume pool=Fc_Backend server= limit=0 count=0 because=");
}

Test(orders, because_takes_the_rest_of_the_line)
{
    HEARS("maint p/db2 because disk  swap, for Anna ", "maint pool=p server=db2 limit=0 count=0 because=disk  swap, for Anna");
    HEARS("drain p db2 because x", "drain pool=p server=db2 limit=0 count=0 because=x");
    HEARS("pause p because", "bad-input: pause: 'because' stands without its text; usage: pause POOL [because TEXT]");
    HEARS("pause p because \xd0\xb4\xd0\xb8\xd1\x81\xd0\xba",
          "pause pool=p server= limit=0 count=0 because=\xd0\xb4\xd0\xb8\xd1\x81\xd0\xba");
}

Test(orders, because_refuses_what_would_break_a_line_or_a_document)
{
    SAYS("pause p because a\nb", "plain UTF-8");
    SAYS("pause p because \x1b[31m", "plain UTF-8");
    SAYS("pause p because \xff", "plain UTF-8");
    SAYS("pause p because \xc0\xaf", "plain UTF-8");
    SAYS("pause p because \xed\xa0\x80", "plain UTF-8");
    SAYS("pause p because \xe2\x82", "plain UTF-8");
    SAYS("pause p because \xc2\x9b", "plain UTF-8");
}

Test(orders, because_has_a_bound)
{
    char text[WHY_SIZE + 32] = "pause p because ";
    const size_t before = strlen(text);

    memset(text + before, 'x', WHY_SIZE - 1);
    cr_assert(strncmp(heard(text), "pause pool=p", 12) == 0);
    text[before + WHY_SIZE - 1] = 'x';
    SAYS(text, "at most 127 fit");
}

Test(orders, an_incomplete_order_says_what_is_missing_and_the_usage)
{
    HEARS("switch", "bad-input: switch: the pool and the server are missing; usage: "
                    "switch POOL [to] SERVER [force] [within SECONDS]");
    SAYS("switch p", "the server is missing");
    SAYS("switch p to", "the server is missing");
    SAYS("switch p db2 within", "without its seconds");
    SAYS("failback", "the pool is missing");
    SAYS("maint p", "the server is missing");
    SAYS("maint p because tired", "the server is missing");
    SAYS("ready", "usage: ready POOL/SERVER");
}

Test(orders, too_much_is_refused_and_named)
{
    SAYS("status now", "'now' is not understood here; usage: status");
    SAYS("switch p db2 db3", "'db3' is not understood here");
    SAYS("switch p db2 force force", "'force' is not understood here");
    SAYS("switch p db2 within 5 within 6", "'within' is not understood here");
    SAYS("maint p/db2 tired", "'tired' is not understood here");
    SAYS("ready p/db2 because fine", "'because' is not understood here");
}

Test(orders, bounds_of_numbers_are_named)
{
    SAYS("events 0", "a number from 1 to 10000");
    SAYS("events 10001", "a number from 1 to 10000");
    SAYS("events -3", "a number from 1 to 10000");
    SAYS("switch p db2 within 0", "1 to 3600 seconds");
    SAYS("switch p db2 within 3601", "1 to 3600 seconds");
    SAYS("switch p db2 within s", "1 to 3600 seconds");
    SAYS("switch p db2 within 99999999999999999999", "1 to 3600 seconds");
}

Test(orders, bad_names_are_refused)
{
    SAYS("explain p/", "cannot be the name of a server");
    SAYS("explain /db1", "cannot be the name of a pool");
    SAYS("explain a/b/c", "cannot be the name of a server");
    SAYS("resume -p", "cannot be the name of a pool");
    SAYS("resume 'p'", "cannot be the name of a pool");
}

Test(orders, a_misspelt_verb_gets_the_nearest_one)
{
    HEARS("swich p db2", "bad-input: 'swich' is not an order; the nearest is: "
                         "switch POOL [to] SERVER [force] [within SECONDS]");
    SAYS("Statsu", "the nearest is: status");
    SAYS("abracadabra", "orders are status, pools");
}

Test(orders, haproxys_own_words_are_orders_too)
{
    HEARS("up p/db2", "up pool=p server=db2 limit=0 count=0 because=");
    HEARS("down p db2 because disks", "down pool=p server=db2 limit=0 count=0 because=disks");
    HEARS("weight p/db2 50%", "weight pool=p server=db2 limit=0 count=0 because=");
    SAYS("weight p/db2", "the weight is missing");
    SAYS("weight p/db2 101", "must be a percentage from 0 to 100");
    SAYS("weight p/db2 %", "must be a percentage from 0 to 100");
    SAYS("up p/db2 100", "'100' is not understood here");
}

Test(orders, nothing_and_garbage_get_one_sentence)
{
    SAYS("", "the order is empty");
    SAYS("   \t ", "the order is empty");
    SAYS("\x01\x02;rm", "'...rm' is not an order");
    cr_assert(strstr(heard_bytes("status\0pools", 12), "is not an order") != NULL);
}

Test(orders, a_very_long_line_is_refused_by_its_length)
{
    static char text[ORDER_TEXT_MAX + 1];

    memset(text, ' ', sizeof text);
    memcpy(text, "status", 6);
    cr_assert(strncmp(heard_bytes(text, ORDER_TEXT_MAX), "status pool=", 12) == 0);
    cr_assert(strstr(heard_bytes(text, ORDER_TEXT_MAX + 1), "at most 1024 are read") != NULL);
}

Test(orders, a_refusal_leaves_the_callers_order_alone)
{
    struct order order = { .verb = VERB_YIELD, .pool = "kept" };

    cr_assert_eq(order_parse("switch p", 8, &order, NULL), FC_BAD_INPUT);
    cr_assert(order.verb == VERB_YIELD && text_is(order.pool, "kept"));
}

Test(orders, the_table_of_verbs_is_whole_and_its_examples_are_understood)
{
    for (int i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *row = &verb_table[i];
        struct order order;
        cr_assert(row->word != NULL && row->usage != NULL && row->meaning != NULL);
        cr_assert(text_begins(row->usage, row->word) && text_begins(row->example, row->word));
        cr_assert_eq(order_parse(row->example, strlen(row->example), &order, NULL), FC_OK, "%s", row->example);
        cr_assert_eq((int)order.verb, i);
        cr_assert(row->changes || !row->leader_only, "%s", row->word);
        for (int j = 0; j < i; j++)
            cr_assert_str_neq(row->word, verb_table[j].word);
    }
}

Test(orders, a_yield_may_name_its_successor_and_who_is_to_yield)
{
    HEARS("yield fc2", "yield pool= server=fc2 limit=0 count=0 because=");
    HEARS("yield to fc2 from fc1", "yield pool= server=fc2 limit=0 count=0 because=");
    cr_assert_str_eq(parsed("yield to fc2 from fc1")->from, "fc1");
    cr_assert_str_eq(parsed("yield from fc1")->server, "");
    SAYS("yield to", "'to' stands without its node");
    SAYS("yield fc2 from", "'from' stands without its node");
    SAYS("yield fc2 fc3", "fc3");
}

Test(orders, a_member_of_the_raft_group_is_added_with_its_address_and_named_afterwards)
{
    HEARS("raft-add fc4@10.0.9.4:10008", "raft-add pool= server=fc4 limit=0 count=0 because=");
    cr_assert_str_eq(parsed("raft-add fc4@[fd00::4]:10008")->address, "[fd00::4]:10008");
    HEARS("raft-promote fc4", "raft-promote pool= server=fc4 limit=0 count=0 because=");
    HEARS("raft-remove fc4", "raft-remove pool= server=fc4 limit=0 count=0 because=");
    SAYS("raft-add", "the node and its address are missing");
    SAYS("raft-add fc4", "the address is missing: NODE@HOST:PORT");
    SAYS("raft-add fc4@10.0.9.4", "must be HOST:PORT");
    SAYS("raft-add fc4@:10008", "must be HOST:PORT");
    SAYS("raft-add fc4@a@b:1", "must be HOST:PORT");
    SAYS("raft-add @10.0.9.4:10008", "cannot be the name of a node");
    SAYS("raft-promote", "the node is missing");
    SAYS("raft-remove fc4 fc5", "'fc5' is not understood here");
}
