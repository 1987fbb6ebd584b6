/* Bounded text: copies that cannot overrun, comparisons that take NULL, numbers that are checked. */
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool text_copy_bytes(char *to, size_t size, const char *from, size_t length)
{
    assert(to != NULL && size > 0);
    const size_t kept = length < size ? length : size - 1;
    if (kept > 0)
        memmove(to, from, kept);
    to[kept] = '\0';
    return kept == length;
}

bool text_copy(char *to, size_t size, const char *from)
{
    return text_copy_bytes(to, size, from, from == NULL ? 0 : strlen(from));
}

bool text_format(char *to, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int wanted = vsnprintf(to, size, format, args);
    va_end(args);
    return wanted >= 0 && (size_t)wanted < size;
}

bool text_is(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool text_is_nocase(const char *a, const char *b)
{
    a = a == NULL ? "" : a;
    b = b == NULL ? "" : b;
    if (lower(*a) != lower(*b))       /* so most that differ are told apart */
        return false;
    if (strcmp(a, b) == 0)            /* most that are the same, and quicker */
        return true;
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        if (lower(*a) != lower(*b))
            return false;
    }
    return *a == *b;
}

bool text_begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool text_to_u64(const char *text, size_t length, uint64_t *ret)
{
    uint64_t value = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_is_name(const char *text, size_t length)
{
    if (length == 0 || length > 63 || !is_alnum(text[0]))
        return false;
    for (size_t i = 1; i < length; i++) {
        if (!is_alnum(text[i]) && text[i] != '.' && text[i] != '_' && text[i] != '-')
            return false;
    }
    return true;
}

void text_make_plain(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~' || *text == ';')
            *text = '.';
    }
}
