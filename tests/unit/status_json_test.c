/* The picture as JSON: what a client reads back, and that the page of fields is printed from the same tables. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status_json.h"
#include "base/text.h"

static struct status status;         /* large: not on the stack */

static void fill(void)
{
    memset(&status, 0, sizeof status);
    status.seq = 9007199254740993u;      /* 2^53 + 1: lost if it went through a double */
    status.unix_ms = 1795387263123;
    status.epoch = 9;
    status.store_age_ms = -1;
    TEXT_SET(status.node, "fc1");
    TEXT_SET(status.leadership, "leading");
    status.server_count = 2;
    TEXT_SET(status.servers[0].name, "db1");
    status.servers[0].has_been_seen = true;
    status.servers[0].age_ms = 15;
    status.servers[0].look.replica.is_configured = true;
    status.servers[0].look.replica.io = THREAD_CONNECTING;
    status.servers[0].look.replica.lag_ms = -1;
    status.servers[0].look.lease.rank.epoch = 9;
    status.servers[0].look.hold_count = 1;
    status.servers[0].look.holds[0].kind = HOLD_MAINT;
    TEXT_SET(status.servers[1].name, "db2");
    status.servers[1].loss = LOSS_SILENT;
    status.servers[1].age_ms = -1;
    status.pool_count = 1;
    TEXT_SET(status.pools[0].name, "fc_backend");
    status.pools[0].epoch = 8;
    status.pools[0].server_count = 1;
    status.pools[0].servers[0].answer.voice = VOICE_FIRST;
    status.pools[0].servers[0].view_count = 1;
    status.pools[0].servers[0].views[0].drift_ms = 1200;
    status.event_count = 3;
    for (int i = 0; i < 3; i++)
        status.events[i].seq = (uint64_t)i + 1;
    status.events[2].level = NOTE_ALARM;
    TEXT_SET(status.events[2].text, "db1 \"lost\"\n\xff\xc3\xa9");
}

static bool has(const char *text, const char *part) { return strstr(text, part) != NULL; }

#define SHOWS(text, part) cr_assert(has(text, part), "'%s' is not in %s", part, text)

static char *checked(char *text)
{
    cr_assert_neq(text, NULL);
    cJSON *tree = cJSON_Parse(text);
    cr_assert_neq(tree, NULL, "no JSON: %s", text);
    cJSON_Delete(tree);
    return text;
}

TestSuite(status_json, .init = fill);

Test(status_json, shows_words_and_ages_and_both_forms_of_a_moment)
{
    char *text = checked(status_json_print(&status));
    SHOWS(text, "{\"seq\":9007199254740993,\"time\":\"2026-11-22T22:41:03.123Z\",\"time_unix_ms\":1795387263123,"
                "\"node\":\"fc1\"");
    SHOWS(text, "\"leader_since\":null,\"leader_since_unix_ms\":null");
    SHOWS(text, "\"store_age_ms\":null");
    SHOWS(text, "\"is_configured\":true,\"io\":\"connecting\"");
    SHOWS(text, "\"lag_ms\":null");
    SHOWS(text, "\"kind\":\"maint\"");
    SHOWS(text, "\"voice\":\"first\"");
    SHOWS(text, "\"drift_ms\":1200");
    free(text);
}

Test(status_json, a_server_never_seen_has_no_look)
{
    char *text = checked(status_json_print(&status));
    cJSON *tree = cJSON_Parse(text);
    const cJSON *servers = cJSON_GetObjectItem(tree, "servers");
    cr_assert_eq(cJSON_GetArraySize(servers), 2);
    cr_assert(cJSON_IsObject(cJSON_GetObjectItem(cJSON_GetArrayItem(servers, 0), "look")));
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetArrayItem(servers, 1), "look")));
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetArrayItem(servers, 1), "age_ms")));
    cJSON_Delete(tree);
    free(text);
}

Test(status_json, bytes_that_are_no_utf8_cannot_break_the_answer)
{
    char *text = checked(status_json_event("fc1", &status.events[2]));
    SHOWS(text, "\"level\":\"alarm\"");
    SHOWS(text, "\"text\":\"db1 \\\"lost\\\"\\n?\xc3\xa9\",\"node\":\"fc1\"");
    free(text);
}

Test(status_json, overlong_surrogate_and_cut_characters_become_question_marks)
{
    static const char *const wrong[] = { "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xf0\x82\x82\xac" };
    static const char *const cured[] = { "??", "???", "????", "??", "?", "????" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cJSON *string = json_text(wrong[i]);
        cr_assert_str_eq(string->valuestring, cured[i]);
        cJSON_Delete(string);
    }
    cJSON *euro = json_text("\xe2\x82\xac \xf0\x9f\x8e\xbb");
    cr_assert_str_eq(euro->valuestring, "\xe2\x82\xac \xf0\x9f\x8e\xbb");
    cJSON_Delete(euro);
}

Test(status_json, the_parts_for_redis_carry_seq_epoch_and_node)
{
    char *node = checked(status_json_node(&status));
    char *pool = checked(status_json_pool(&status, 0));
    char *event = checked(status_json_event("fc1", &status.events[0]));
    SHOWS(node, "\"epoch\":9");
    cr_assert_not(has(node, "\"servers\""));
    SHOWS(pool, "{\"seq\":9007199254740993,\"node\":\"fc1\",");
    SHOWS(pool, "\"epoch\":8,");
    SHOWS(event, "{\"seq\":1,");
    SHOWS(event, "\"epoch\":0,");
    free(node);
    free(pool);
    free(event);
}

Test(status_json, lists_of_events_are_the_latest_oldest_first)
{
    char *two = checked(status_json_events(&status, 2));
    char *all = checked(status_json_events(&status, 99));
    char *none = checked(status_json_events(&status, 0));
    cr_assert(text_begins(two, "[{\"seq\":2,"));
    SHOWS(two, "{\"seq\":3,");
    cr_assert(text_begins(all, "[{\"seq\":1,"));
    cr_assert_str_eq(none, "[]");
    free(two);
    free(all);
    free(none);
}

Test(status_json, an_empty_picture_is_json_with_empty_lists)
{
    memset(&status, 0, sizeof status);
    char *text = checked(status_json_print(&status));
    SHOWS(text, "\"servers\":[],\"pools\":[],\"proxies\":[],\"events\":[]");
    free(text);
}

Test(status_json, a_full_list_of_the_longest_events_is_whole)
{
    status.event_count = STATUS_EVENTS_MAX;
    for (int i = 0; i < STATUS_EVENTS_MAX; i++)
        memset(status.events[i].text, '"', sizeof status.events[i].text - 1);
    char *text = checked(status_json_events(&status, STATUS_EVENTS_MAX));
    cr_assert_gt(strlen(text), (size_t)STATUS_EVENTS_MAX * 2 * (sizeof status.events[0].text - 1));
    free(text);
}

Test(status_json, moments_are_written_in_utc_with_milliseconds)
{
    char text[RFC3339_SIZE];
    rfc3339_of_unix_ms(0, text);
    cr_assert_str_eq(text, "1970-01-01T00:00:00.000Z");
    rfc3339_of_unix_ms(-1, text);
    cr_assert_str_eq(text, "1969-12-31T23:59:59.999Z");
    rfc3339_of_unix_ms(INT64_MAX, text);
    cr_assert_str_eq(text, "0001-01-01T00:00:00.000Z");
}

Test(status_json, the_page_names_every_field_of_an_answer)
{
    char *page = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&page, &size);
    status_json_docs_print(to);
    fclose(to);
    status.events[2].text[0] = '\0';
    char *text = checked(status_json_print(&status));
    for (const char *at = strchr(text, '"'); at != NULL; ) {
        const char *end = strchr(at + 1, '"');
        cr_assert_neq(end, NULL);
        if (end[1] == ':') {
            char row[80];
            TEXT_FORMAT(row, "| `%.*s` |", (int)(end - at - 1), at + 1);
            SHOWS(page, row);
        }
        at = strchr(end + 1, '"');
    }
    free(text);
    free(page);
}
