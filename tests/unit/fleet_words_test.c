/* Orders about the fleet as words: which words an order says, one after the other, and what its asker is told. The store is this file. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "agent/fleet_rows.h"
#include "agent/fleet_words.h"
#include "base/text.h"

static struct room room;
static struct names names;
static struct overrides overrides;
static struct server_pools pools;
static struct fleet_memory memory;
static struct fleet_words *words;
static struct store_request asked;
static int asked_count, done_count;
static uint64_t done_ticket;
static enum fc_code done_code;
static char said[1000];              /* "tag db1 owner=anna; " in the order in which they were durable */
static const struct fleet_speaker speaker = { .unix_s = 1800000000, .number = 77, .node = "fc1", .token = "t" };

static void ask(void *owner, const struct store_request *request)
{
    (void)owner;
    asked = *request;
    asked_count++;
}

static void stands(void *owner, const struct fleet_row *row, bool takes_back)
{
    const size_t length = strlen(said);
    (void)owner;
    text_format(said + length, sizeof said - length, "%s%s %s; ", takes_back ? "no " : "", fleet_tables[row->table].name, fleet_text(row, 0));
}

static void done(void *owner, uint64_t ticket, enum fc_code code, const char *text)
{
    (void)owner, (void)text;
    done_count++;
    done_ticket = ticket;
    done_code = code;
}

static void open_all(void)
{
    const struct fleet_words_port port = { NULL, ask, stands, done };
    room = room_of_libc();
    cr_assert(names_init(&names, &room));
    overrides_init(&overrides, &room, &names);
    server_pools_init(&pools, &room, &names);
    memory = (struct fleet_memory){ .overrides = &overrides, .pools = &pools };
    words = fleet_words_new(&port);
}

static void close_all(void)
{
    fleet_words_free(words);
    server_pools_done(&pools);
    overrides_done(&overrides);
    names_done(&names);
}

TestSuite(fleet_words, .init = open_all, .fini = close_all);

static struct fleet_order order_of(enum fleet_verb verb, const char *host, const char *name, const char *text)
{
    struct fleet_order order = { .verb = verb, .port = 3306, .seconds = 60 };
    TEXT_SET(order.host, host);
    TEXT_SET(order.name, name);
    TEXT_SET(order.text, text);
    return order;
}

static enum fc_code say(const struct fleet_order *order, uint64_t ticket)
{
    struct fc_err err;
    return fleet_words_say(words, ticket, order, &memory, &speaker, &err);
}

/* The store answers what was asked last. */
static void answer(enum fc_code code)
{
    const struct store_result result = { .deed = STORE_WORD, .id = asked.id, .code = code };
    fleet_words_heard(words, &result);
}

Test(fleet_words, an_order_is_done_when_its_word_is_durable)
{
    const struct fleet_order order = order_of(FLEET_BEGIN_DOWNTIME, "db1", "anna", "disk");
    struct fleet_row row;
    cr_assert_eq(say(&order, 5), FC_OK);
    cr_assert_eq(asked_count, 1);
    cr_assert_eq(asked.deed, STORE_WORD);
    cr_assert_eq(fleet_word_row(&asked.word, &row), FC_OK);
    cr_expect_str_eq(fleet_text(&row, database_instance_downtime_owner), "anna");
    cr_expect_eq(fleet_number(&row, database_instance_downtime_end_timestamp), 1800000060);
    cr_expect_eq(done_count, 0);
    answer(FC_OK);
    cr_expect_eq(done_count, 1);
    cr_expect_eq(done_ticket, 5);
    cr_expect_eq(done_code, FC_OK);
    cr_expect_str_eq(said, "database_instance_downtime db1; ");
}

Test(fleet_words, what_the_store_does_not_take_does_not_count)
{
    const struct fleet_order order = order_of(FLEET_TAG, "db1", "owner", "anna");
    say(&order, 5);
    answer(FC_REFUSED);
    cr_expect_eq(done_code, FC_REFUSED);
    cr_expect_str_eq(said, "");
    answer(FC_OK);                                        /* an answer that nobody waits for */
    cr_expect_eq(done_count, 1);
}

Test(fleet_words, a_pool_is_said_by_member_and_who_left_it_is_taken_out)
{
    const struct instance_key before[] = { { "db1", 3306 }, { "db2", 3306 } }, after[] = { { "db2", 3306 }, { "db3", 3306 } };
    struct fleet_order order = order_of(FLEET_SUBMIT_POOL, "", "web", "");
    cr_assert_eq(server_pools_submit(&pools, "web", before, 2, FC_EVER, FC_NEVER, NULL), FC_OK);
    order.keys = after;
    order.key_count = 2;
    cr_assert_eq(say(&order, 5), FC_OK);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(done_count, 0);
        answer(FC_OK);
    }
    cr_expect_eq(done_count, 1);
    cr_expect_str_eq(said, "database_instance_pool db2; database_instance_pool db3; no database_instance_pool db1; ");
}

Test(fleet_words, untag_all_names_each_server_that_has_the_tag_with_this_value)
{
    struct fleet_order order = order_of(FLEET_UNTAG_ALL, "", "owner", "anna");
    order.has_value = true;
    overrides_tag(&overrides, &(struct instance_key){ "db1", 3306 }, "owner", "anna", NULL);
    overrides_tag(&overrides, &(struct instance_key){ "db2", 3306 }, "owner", "berta", NULL);
    overrides_tag(&overrides, &(struct instance_key){ "db3", 3306 }, "owner", "anna", NULL);
    cr_assert_eq(say(&order, 5), FC_OK);
    answer(FC_OK);
    answer(FC_OK);
    cr_expect_str_eq(said, "no database_instance_tags db1; no database_instance_tags db3; ");
}

Test(fleet_words, what_says_nothing_to_a_store_is_said_at_once)
{
    struct fleet_order order = order_of(FLEET_UNTAG, "db1", "owner", "");
    cr_expect_eq(say(&order, 5), FC_NOT_FOUND, "it has no such tag");
    order.verb = FLEET_RESET_RESOLVE_CACHE;
    cr_expect_eq(say(&order, 5), FC_NOT_FOUND);
    cr_expect_eq(asked_count, 0);
}

Test(fleet_words, orders_under_way_are_bounded)
{
    const struct fleet_order order = order_of(FLEET_TAG, "db1", "owner", "anna");
    for (uint64_t i = 1; i <= FLEET_SAYINGS_MAX; i++)
        cr_assert_eq(say(&order, i), FC_OK);
    cr_expect_eq(say(&order, 99), FC_BUSY);
    answer(FC_OK);
    cr_expect_eq(say(&order, 99), FC_OK);
}

Test(fleet_words, every_order_that_is_remembered_has_its_words)
{
    for (int verb = 0; verb < FLEET_VERB_COUNT; verb++) {
        struct fleet_order order = order_of((enum fleet_verb)verb, "db1", "name", "text");
        TEXT_SET(order.subject, "db1:3306");
        overrides_tag(&overrides, &(struct instance_key){ "db1", 3306 }, "name", "text", NULL);
        order.keys = &(const struct instance_key){ "db1", 3306 };
        order.key_count = 1;
        const enum fc_code code = say(&order, 5);
        const bool is_of_servers = verb == FLEET_DISCOVER || verb == FLEET_ASYNC_DISCOVER || verb == FLEET_FORGET || verb == FLEET_FORGET_CLUSTER;
        const bool is_said = is_of_servers || (fleet_verbs[verb].is_of_memory && verb != FLEET_RESET_RESOLVE_CACHE);
        cr_expect_eq(code, is_said ? FC_OK : FC_NOT_FOUND, "%s", fleet_verbs[verb].word);
    }
}

Test(fleet_words, who_leaves_a_pool_takes_nobody_along)
{
    const struct instance_key both[] = { { "db1", 3306 }, { "db2", 3306 } };
    const struct both_clocks clocks = { { 5000000 }, 1800000000000 };
    const struct fc_time until = { 600000000 };
    struct instance_key key;
    struct fleet_row row = fleet_row_of(FLEET_database_instance_pool);
    memory.pool_life = fc_ms(60000);
    cr_assert_eq(server_pools_submit(&pools, "web", both, 2, clocks.now, until, NULL), FC_OK);
    fleet_set_text(&row, database_instance_pool_hostname, "db1");
    fleet_set_number(&row, database_instance_pool_port, 3306);
    fleet_set_text(&row, database_instance_pool_pool, "web");
    cr_assert(fleet_word_take(&memory, &row, true, &clocks, &key));       /* found to be gone: there is nothing but its key */
    cr_expect_not(server_pools_have(&pools, "web", &both[0], clocks.now));
    cr_expect(server_pools_have(&pools, "web", &both[1], clocks.now));
    cr_expect(server_pools_have(&pools, "web", &both[1], (struct fc_time){ 599000000 }), "as long as it was to");
}

static bool take(const struct fleet_row *row, bool is_gone, int64_t unix_s)
{
    const struct both_clocks clocks = { { 5000000 }, unix_s * 1000 };
    struct instance_key key;
    return fleet_word_take(&memory, row, is_gone, &clocks, &key);
}

/* Columns of downtime and of maintenance differ; both have no end. */
static struct fleet_row row_without_end(enum fleet_table_name table, int host, int port, int active, int end, int owner, int reason)
{
    struct fleet_row row = fleet_row_of(table);
    fleet_set_text(&row, host, "db1");
    fleet_set_number(&row, port, 3306);
    fleet_set_number(&row, active, 1);
    fleet_set_null(&row, end);
    fleet_set_text(&row, owner, "anna");
    fleet_set_text(&row, reason, "disk");
    return row;
}

Test(fleet_words, what_has_no_end_holds_until_it_is_taken_back)
{
    const struct instance_key db1 = { "db1", 3306 };
    const struct fc_time later = { 5000000 + INT64_C(86400) * 365 * 1000000 };
    struct fleet_row down = row_without_end(FLEET_database_instance_downtime, database_instance_downtime_hostname,
                                            database_instance_downtime_port, database_instance_downtime_downtime_active,
                                            database_instance_downtime_end_timestamp, database_instance_downtime_owner,
                                            database_instance_downtime_reason);
    struct fleet_row lock = row_without_end(FLEET_database_instance_maintenance, database_instance_maintenance_hostname,
                                            database_instance_maintenance_port, database_instance_maintenance_maintenance_active,
                                            database_instance_maintenance_end_timestamp, database_instance_maintenance_owner,
                                            database_instance_maintenance_reason);
    cr_assert(take(&down, false, 1800000000) && take(&lock, false, 1800000000));
    cr_expect(override_is_downtimed(overrides_of(&overrides, &db1), later));
    cr_expect(override_is_in_maintenance(overrides_of(&overrides, &db1), later));
    fleet_set_null(&down, database_instance_downtime_downtime_active);
    fleet_set_null(&lock, database_instance_maintenance_maintenance_active);
    cr_assert(take(&down, false, 1800000000) && take(&lock, false, 1800000000));
    cr_expect_null(overrides_of(&overrides, &db1));
}

Test(fleet_words, another_tools_tag_may_have_blanks_in_its_name_and_is_taken_off_again)
{
    const struct instance_key db1 = { "db1", 3306 };
    struct fleet_row row = fleet_row_of(FLEET_database_instance_tags);
    fleet_set_text(&row, database_instance_tags_hostname, "db1");
    fleet_set_number(&row, database_instance_tags_port, 3306);
    fleet_set_text(&row, database_instance_tags_tag_name, "owned by");
    fleet_set_text(&row, database_instance_tags_tag_value, "anna");
    cr_assert(take(&row, false, 1800000000));
    cr_expect_str_eq(override_tag(&overrides, overrides_of(&overrides, &db1), "owned by"), "anna");
    cr_assert(take(&row, true, 1800000000));
    cr_expect_null(overrides_of(&overrides, &db1));
}
