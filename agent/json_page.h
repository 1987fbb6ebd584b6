/* JSON written from front to back into one growing buffer: no tree, so that ten thousand servers cost their own length. Integers are
 * exact. A text that is not UTF-8 is shown with U+FFFD in place of each wrong byte.
 *
 * Names and values come in their order; commas are put by the page. When memory is out the page notes it and takes no more. */
#ifndef FC_AGENT_JSON_PAGE_H
#define FC_AGENT_JSON_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_page {
    char *text;                      /* ends in a zero byte; NULL before the first */
    size_t length, size;
    bool is_short;                   /* memory was out: the text is not whole */
    bool wants_comma;
};

/* Begin with zeros. `name`: of the member of an object; NULL in an array and at the top. */
void page_open(struct json_page *page, const char *name, char bracket);          /* '{' or '[' */
void page_named_open(struct json_page *page, const char *text, char bracket);    /* under a name that is not ours: any text */
void page_close(struct json_page *page, char bracket);                           /* '}' or ']' */
void page_text(struct json_page *page, const char *name, const char *text);      /* NULL is the empty text */
void page_int(struct json_page *page, const char *name, int64_t value);
void page_uint(struct json_page *page, const char *name, uint64_t value);
void page_bool(struct json_page *page, const char *name, bool value);
void page_null(struct json_page *page, const char *name);
/* JSON that is there already; borrowed. */
void page_raw(struct json_page *page, const char *name, const char *json);

/* The text, from malloc, the caller's; NULL: memory was out. The page is empty again. */
char *page_take(struct json_page *page);
void page_drop(struct json_page *page);

#endif
