/* One buffer that doubles. */
#include "agent/json_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 4096u

static bool has_room(struct json_page *page, size_t more)
{
    size_t size = page->size == 0 ? FIRST_SIZE : page->size;
    if (page->is_short)
        return false;
    while (size - page->length <= more)
        size *= 2;
    if (size == page->size)
        return true;
    char *text = realloc(page->text, size);
    if (text == NULL) {
        page->is_short = true;
        return false;
    }
    page->text = text;
    page->size = size;
    return true;
}

static void put(struct json_page *page, const char *bytes, size_t length)
{
    if (!has_room(page, length))
        return;
    memcpy(page->text + page->length, bytes, length);
    page->length += length;
    page->text[page->length] = '\0';
}

/* ---- texts ---- */

/* Bytes of the character that begins here; 0: it is none (RFC 3629). */
static size_t character_length(const unsigned char *at)
{
    static const struct { unsigned char mask, is, first_least, first_most; size_t length; } kinds[] = {
        { 0x80, 0x00, 0x00, 0xff, 1 }, { 0xff, 0xe0, 0xa0, 0xbf, 3 }, { 0xff, 0xed, 0x80, 0x9f, 3 }, { 0xff, 0xf0, 0x90, 0xbf, 4 },
        { 0xff, 0xf4, 0x80, 0x8f, 4 }, { 0xfe, 0xc0, 0x00, 0x00, 0 }, { 0xe0, 0xc0, 0x80, 0xbf, 2 }, { 0xf0, 0xe0, 0x80, 0xbf, 3 },
        { 0xfc, 0xf0, 0x80, 0xbf, 4 },
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if ((at[0] & kinds[k].mask) != kinds[k].is)
            continue;
        if (kinds[k].length > 1 && (at[1] < kinds[k].first_least || at[1] > kinds[k].first_most))
            return 0;
        for (size_t i = 2; i < kinds[k].length; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return 0;
        }
        return kinds[k].length;
    }
    return 0;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_odd(struct json_page *page, unsigned char c)
{
    static const struct { unsigned char c; const char *as; } shorts[] = {
        { '"', "\\\"" }, { '\\', "\\\\" }, { '\n', "\\n" }, { '\r', "\\r" }, { '\t', "\\t" },
    };
    char text[8];
    for (size_t i = 0; i < sizeof shorts / sizeof shorts[0]; i++) {
        if (shorts[i].c == c) {
            put(page, shorts[i].as, 2);
            return;
        }
    }
    snprintf(text, sizeof text, "\\u%04x", c);
    put(page, text, 6);
}

static void put_text(struct json_page *page, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    put(page, "\"", 1);
    while (*at != '\0') {
        const unsigned char *from = at;
        while (is_plain(*at))
            at++;
        put(page, (const char *)from, (size_t)(at - from));
        if (*at == '\0')
            break;
        const size_t length = *at < 0x80 ? 0 : character_length(at);
        if (*at < 0x80)
            put_odd(page, *at);
        else
            put(page, length > 0 ? (const char *)at : "\xef\xbf\xbd", length > 0 ? length : 3);
        at += length > 0 ? length : 1;
    }
    put(page, "\"", 1);
}

/* ---- values ---- */

static void begin(struct json_page *page, const char *name)
{
    if (page->wants_comma)
        put(page, ",", 1);
    if (name != NULL) {
        put(page, "\"", 1);
        put(page, name, strlen(name));           /* names are ours: plain */
        put(page, "\":", 2);
    }
    page->wants_comma = true;
}

void page_open(struct json_page *page, const char *name, char bracket)
{
    begin(page, name);
    put(page, &bracket, 1);
    page->wants_comma = false;
}

void page_named_open(struct json_page *page, const char *text, char bracket)
{
    begin(page, NULL);
    put_text(page, text);
    put(page, ":", 1);
    put(page, &bracket, 1);
    page->wants_comma = false;
}

void page_close(struct json_page *page, char bracket)
{
    put(page, &bracket, 1);
    page->wants_comma = true;
}

void page_raw(struct json_page *page, const char *name, const char *json)
{
    begin(page, name);
    put(page, json, strlen(json));
}

void page_text(struct json_page *page, const char *name, const char *text)
{
    begin(page, name);
    put_text(page, text == NULL ? "" : text);
}

void page_int(struct json_page *page, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    page_raw(page, name, text);
}

void page_uint(struct json_page *page, const char *name, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    page_raw(page, name, text);
}

void page_bool(struct json_page *page, const char *name, bool value) { page_raw(page, name, value ? "true" : "false"); }
void page_null(struct json_page *page, const char *name) { page_raw(page, name, "null"); }

char *page_take(struct json_page *page)
{
    char *text = page->is_short ? NULL : page->text;
    if (page->is_short)
        free(page->text);
    *page = (struct json_page){ 0 };
    return text;
}

void page_drop(struct json_page *page)
{
    free(page->text);
    *page = (struct json_page){ 0 };
}
