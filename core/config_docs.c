/* docs/configuration.md from the table: one heading per room, one row per key, then the keys that are accepted and do nothing. */
#include "core/config_docs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "core/config.h"

struct page {
    char *to;
    size_t size, length;         /* length: needed, may be beyond size */
};

__attribute__((format(printf, 2, 3))) static void say(struct page *page, const char *format, ...)
{
    const bool has_room = page->length < page->size;
    va_list args;

    va_start(args, format);
    const int wanted = vsnprintf(has_room ? page->to + page->length : NULL, has_room ? page->size - page->length : 0, format,
                                 args);
    va_end(args);
    page->length += wanted > 0 ? (size_t)wanted : 0;
}

static const char *type_word(const struct config_key *key)
{
    switch (key->type) {
    case CONFIG_BOOL: return "true or false";
    case CONFIG_INT: return "number";
    case CONFIG_REAL: return "number";
    case CONFIG_TEXT: return key->is_secret ? "text, never shown" : "text";
    case CONFIG_QUERY: return "one statement";
    case CONFIG_LIST:
    case CONFIG_MANY: return "list of texts";
    case CONFIG_MAP: return "object of texts";
    }
    return "";
}

static void say_preset(struct page *page, const struct config_key *key)
{
    switch (key->type) {
    case CONFIG_BOOL:
    case CONFIG_INT:
    case CONFIG_REAL:
        say(page, "`%s`", key->preset);
        break;
    case CONFIG_MAP:
        say(page, "`{}`");
        break;
    case CONFIG_TEXT:
    case CONFIG_QUERY:
        say(page, "`\"%s\"`", key->preset);
        break;
    case CONFIG_LIST:
    case CONFIG_MANY:
        say(page, key->preset[0] == '\0' ? "`[%s]`" : "`[\"%s\"]`", key->preset);
        break;
    }
}

static void say_key(struct page *page, const struct config_key *key)
{
    say(page, "| `%s` | %s", key->name, type_word(key));
    if (key->type == CONFIG_INT || key->type == CONFIG_REAL)
        say(page, ", %" PRId64 " to %" PRId64, key->least, key->most);
    else if (key->type == CONFIG_LIST)
        say(page, ", at most %" PRId64, key->most);
    else if (key->type == CONFIG_MANY)
        say(page, ", at most %d KiB in all", CONFIG_MANY_SIZE / 1024);
    else if (key->type == CONFIG_MAP)
        say(page, ", at most %d, %d KiB in all", CONFIG_MAP_MAX, CONFIG_MAP_SIZE / 1024);
    say(page, " | ");
    say_preset(page, key);
    say(page, " | %s | %s |\n", key->is_fixed ? "at start" : "reload", key->meaning);
}

static void say_known(struct page *page)
{
    say(page, "\n## Accepted without effect\n\n"
              "Keys of orchestrator's files that load, are named in the log once, and change nothing in this version.\n\n"
              "| Key | Why |\n|---|---|\n");
    for (size_t i = 0; i < config_known_count; i++)
        say(page, "| `%s` | %s |\n", config_known[i].name, config_known[i].note);
}

size_t config_docs_print(char *to, size_t size)
{
    struct page page = { to, size, 0 };
    const char *room = "";

    say(&page, "# Configuration\n\n"
               "One JSON object. Names are matched without regard to case; an unknown name is a warning with a hint, a wrong "
               "value is an error\nthat names the key, the value and what would be right. \"at start\" = read once; a reload "
               "says that a restart is needed.\n"
               "This page is printed by the program from its own table of keys.\n");
    for (size_t i = 0; i < config_key_count; i++) {
        if (!text_is(room, config_keys[i].room)) {
            room = config_keys[i].room;
            say(&page, "\n## %s\n\n| Key | Type | Default | Read | Meaning |\n|---|---|---|---|---|\n", room);
        }
        say_key(&page, &config_keys[i]);
    }
    say_known(&page);
    return page.length;
}
