/* haproxy.cfg read as HAProxy reads it. What HAProxy 2.6.12 makes of each quoting was read from its own messages. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/proxy_door.h"
#include "haproxy/proxy_file.h"
#include "haproxy/proxy_words.h"

/* ---- words ---- */

/* The words with '|' between them; '^' behind one in which HAProxy puts the environment. */
static void reads(const char *line, const char *wanted)
{
    struct proxy_words words;
    char bytes[256], told[512] = "";

    proxy_words_read(line, strlen(line), bytes, &words);
    cr_expect_null(words.trouble, "%s: %s", line, words.trouble);
    cr_expect_leq(words.used, strlen(line) + 1);
    for (int i = 0; i < words.count; i++)
        text_format(told + strlen(told), sizeof told - strlen(told), "%s%s%s", i == 0 ? "" : "|", words.word[i].text,
                    words.word[i].expands ? "^" : "");
    cr_expect_str_eq(told, wanted, "'%s' gives '%s'", line, told);
}

Test(proxy_file, blanks_part_words_and_a_sharp_ends_the_line)
{
    reads("", "");
    reads("  # all of it", "");
    reads("\tserver  db1\t10.0.1.1:3306 ", "server|db1|10.0.1.1:3306");
    reads("ab#c d", "ab");
    reads("a \"b # c\" 'd # e' \\# f", "a|b # c|d # e|#|f");
    reads("a b\r\n", "a|b");
}

Test(proxy_file, quotes_and_backslashes_are_haproxys)
{
    reads("aa\\\"b", "aa\"b");
    reads("\"aa\\\"b\"", "aa\"b");
    reads("aa\\'b \"aa\\'b\"", "aa'b|aa'b");
    reads("'aa\\$b c\\n'", "aa\\$b c\\n");
    reads("\"ab\\ c\\#\" a\\ b", "ab c#|a b");
    reads("a\"\"b \"\" c", "ab||c");
    reads("ab,c\\,", "ab,c\\,");
    reads("dae\\", "dae\\");
    reads("\\x41\\x7a a\\\\b", "Az|a\\b");
    reads("\"a\\nb\" c\\td", "a\nb|c\td");
    reads("\"it's\" 'say \"x\"'", "it's|say \"x\"");
}

Test(proxy_file, the_environment_is_only_in_double_quotes)
{
    reads("\"$HAPROXY_LOCALPEER a/b\"", "$HAPROXY_LOCALPEER a/b^");
    reads("x\"${HOME}\"y", "x${HOME}y^");
    reads("$HOME '$HOME' \"\\$HOME\" \"$ 5\"", "$HOME|$HOME|$HOME|$ 5");
}

static void is_trouble(const char *line, size_t length)
{
    struct proxy_words words;
    char bytes[512];

    proxy_words_read(line, length, bytes, &words);
    cr_expect_not_null(words.trouble, "%s", line);
}

Test(proxy_file, what_haproxy_refuses_is_trouble)
{
    char long_line[2 * 65 + 1];

    is_trouble("a \"b", 4);
    is_trouble("a 'b\"", 5);
    is_trouble("\\x4", 3);
    is_trouble("\\x00", 4);
    is_trouble("\\xg1", 4);
    for (int i = 0; i < 65; i++)
        memcpy(long_line + 2 * i, "a ", 2);
    is_trouble(long_line, 130);
}

Test(proxy_file, a_nul_ends_the_line)
{
    struct proxy_words words;
    char bytes[16];

    proxy_words_read("dae\0mon x", 9, bytes, &words);
    cr_expect_eq(words.count, 1);
    cr_expect_str_eq(words.word[0].text, "dae");
}

/* ---- sections and what is in force ---- */

static struct proxy_file *file;

static enum fc_code add(const char *text, struct fc_err *err)
{
    if (file == NULL) {
        file = malloc(sizeof *file);
        cr_assert_not_null(file);
        proxy_file_open(file);
    }
    return proxy_file_add(file, "test.cfg", text, strlen(text), err);
}

static void file_close(void)
{
    free(file);
    file = NULL;
}

static const struct proxy_server *server(const char *name)
{
    for (int i = 0; i < file->server_count; i++) {
        if (text_is(file->servers[i].name, name))
            return &file->servers[i];
    }
    cr_assert(false, "no server %s", name);
    return NULL;
}

static void has(const char *name, enum proxy_key key, const char *wanted)
{
    const char *value = proxy_server_value(file, server(name), key);

    cr_expect_str_eq(value == NULL ? "-" : value, wanted, "%s", name);
}

Test(proxy_file, a_server_has_what_defaults_default_server_and_its_line_say)
{
    cr_assert_eq(add("defaults\n default-server inter 1s fall 5\n"
                     "backend a\n server s1 h:1 fall 6\n default-server inter 2s check disabled\n server s2 h:2 cookie check\n"
                     " server s3 h:3 no-check enabled\n"
                     "backend b\n server s4 h:4\n", NULL), FC_OK);
    has("s1", KEY_INTER, "1s");
    has("s1", KEY_FALL, "6");
    has("s1", KEY_CHECK, "-");
    has("s2", KEY_INTER, "2s");
    has("s2", KEY_CHECK, "check");
    has("s2", KEY_COOKIE, "check");
    has("s3", KEY_CHECK, "-");
    has("s3", KEY_DISABLED, "-");
    has("s4", KEY_INTER, "1s");
    has("s4", KEY_DISABLED, "-");
    cr_expect_eq(server("s2")->keys.at[KEY_INTER].line->number, 5);
    file_close();
}

static const char *mode(const char *backend)
{
    const struct proxy_section *section = proxy_file_backend(file, backend);

    return section == NULL || section->setting[SETTING_MODE] == NULL ? "-" : proxy_line_word(file, section->setting[SETTING_MODE], 1);
}

Test(proxy_file, defaults_hold_until_the_next_ones_or_by_name)
{
    cr_assert_eq(add("backend none\ndefaults one\n mode tcp\n option redispatch\ndefaults two from one\n no option redispatch\n"
                     "backend by_place\ndefaults three\n mode http\nbackend by_name from one\nbackend by_chain from two\n"
                     "backend last\n mode health\n mode log\n", NULL), FC_OK);
    cr_expect_str_eq(mode("none"), "-");
    cr_expect_str_eq(mode("by_place"), "tcp");
    cr_expect_null(proxy_file_backend(file, "by_place")->setting[SETTING_REDISPATCH]);
    cr_expect_not_null(proxy_file_backend(file, "by_name")->setting[SETTING_REDISPATCH]);
    cr_expect_str_eq(mode("by_chain"), "tcp");
    cr_expect_null(proxy_file_backend(file, "by_chain")->setting[SETTING_REDISPATCH]);
    cr_expect_str_eq(mode("last"), "log");
    file_close();
}

Test(proxy_file, rules_of_checks_come_from_the_defaults_unless_there_are_own_ones)
{
    cr_assert_eq(add("defaults\n tcp-check connect\n tcp-check expect string x\nbackend a\nbackend b\n tcp-check expect string y\n",
                     NULL), FC_OK);
    const struct proxy_line *line = proxy_section_next(file, proxy_file_backend(file, "a"), NULL, "tcp-check", "expect");
    cr_assert_not_null(line);
    cr_expect_str_eq(proxy_line_word(file, line, 3), "x");
    cr_expect_null(proxy_section_next(file, proxy_file_backend(file, "b"), NULL, "tcp-check", "connect"));
    line = proxy_section_next(file, proxy_file_backend(file, "b"), NULL, "tcp-check", "expect");
    cr_assert_not_null(line);
    cr_expect_str_eq(proxy_line_word(file, line, 3), "y");
    cr_expect_null(proxy_section_next(file, proxy_file_backend(file, "b"), line, "tcp-check", "expect"));
    file_close();
}

Test(proxy_file, several_files_are_read_as_one_and_peers_are_no_servers)
{
    cr_assert_eq(add("global\n spread-checks 3\npeers p\n server x 10.0.0.1:1\ndefaults\n mode tcp\n", NULL), FC_OK);
    cr_assert_eq(add("global\n hard-stop-after 5s\nbackend a\n", NULL), FC_OK);
    cr_expect_eq(file->server_count, 0);
    cr_expect_str_eq(mode("a"), "tcp");
    cr_expect_not_null(file->global.setting[SETTING_SPREAD]);
    cr_expect_eq(file->global.setting[SETTING_HARD_STOP]->file, 1);
    cr_expect_eq(file->global.setting[SETTING_HARD_STOP]->number, 2);
    file_close();
}

Test(proxy_file, trouble_names_file_and_line)
{
    struct fc_err err = { 0 };

    cr_expect_eq(add("global\n\n daemon \"x\n", &err), FC_BAD_INPUT);
    cr_expect_str_eq(err.text, "test.cfg:3: a quote is not closed; `haproxy -c` refuses the file too");
    file_close();
}

static void is_too_much(const char *line, int times)
{
    const size_t length = strlen(line);
    char *text = malloc(length * (size_t)times + 1);
    struct fc_err err = { 0 };

    cr_assert_not_null(text);
    for (int i = 0; i < times; i++)
        memcpy(text + length * (size_t)i, line, length + 1);
    cr_expect_eq(add(text, &err), FC_BAD_INPUT, "%s", line);
    cr_expect_not_null(strstr(err.text, "more than"), "%s", err.text);
    free(text);
    file_close();
}

Test(proxy_file, everything_has_a_bound)
{
    is_too_much("a\n", PROXY_LINES_MAX + 1);
    is_too_much("a a a a a a a a\n", PROXY_WORDS_MAX / 8 + 1);
    is_too_much("backend x\n", PROXY_SECTIONS_MAX + 1);
    is_too_much("# 89012345\n", PROXY_BYTES_MAX / 10);
    cr_assert_eq(add("backend x\n", NULL), FC_OK);
    is_too_much("server a b\n", PROXY_SERVERS_MAX + 1);
    for (int i = 0; i < PROXY_FILES_MAX; i++)
        cr_expect_eq(add("\n", NULL), FC_OK);
    cr_expect_eq(add("\n", NULL), FC_BAD_INPUT);
    file_close();
}

/* ---- times and addresses ---- */

static void lasts(const char *text, int64_t wanted)
{
    int64_t ms = -1;

    cr_expect_eq(proxy_time_ms(text, &ms), wanted >= 0, "%s", text);
    cr_expect_eq(ms, wanted, "%s", text);
}

Test(proxy_file, times_are_milliseconds_unless_they_say_otherwise)
{
    lasts("100", 100);
    lasts("100ms", 100);
    lasts("1500us", 2);
    lasts("2s", 2000);
    lasts("1m", 60000);
    lasts("1h", 3600000);
    lasts("1d", 86400000);
    lasts("", -1);
    lasts("-1", -1);
    lasts("1y", -1);
    lasts("2147483647d", -1);
    lasts("99999999999", -1);
}

static void leads(const char *asked, const char *bound, bool wanted)
{
    struct proxy_door a, b;

    cr_assert(proxy_door_read(asked, &a) && proxy_door_read(bound, &b));
    cr_expect_eq(proxy_door_leads_to(&a, &b), wanted, "%s to %s", asked, bound);
}

Test(proxy_file, an_address_leads_to_whom_listens_there)
{
    struct proxy_door door;

    leads("127.0.0.1:9378", "127.0.0.1:9378", true);
    leads("127.0.0.1:9378", ":9378", true);
    leads("127.0.0.1:9378", "*:9378", true);
    leads("[::1]:9378", "[::]:9378", true);
    leads("localhost:9378", "127.0.0.1:9378", true);
    leads("127.0.0.1:9378", "127.0.0.1:9377", false);
    leads("127.0.0.1:9378", "10.0.0.1:9378", false);
    leads("unix@/run/a.sock", "/run/a.sock", true);
    leads("unix@/run/a.sock", "/run/b.sock", false);
    leads("/run/a.sock", ":9378", false);
    cr_expect_not(proxy_door_read("fd@3", &door));
    cr_expect_not(proxy_door_read("abns@x", &door));
    cr_expect(proxy_door_read("ipv4@10.0.0.1:80", &door) && text_is(door.host, "10.0.0.1") && door.port == 80);
    cr_expect(proxy_host_is_number("10.0.0.1") && proxy_host_is_number("fd00::1") && !proxy_host_is_number("db1"));
}
