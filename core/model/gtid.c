/* Reading, ordering and subtracting GTIDs. Sets are kept sorted and merged, so that every question is one walk over both. */
#include "model/gtid.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct reader { const char *at, *end; };

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && is_blank(*r->at))
        r->at++;
}

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool take_number(struct reader *r, uint64_t most, uint64_t *ret)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return text_to_u64(from, (size_t)(r->at - from), ret) && *ret <= most;
}

static size_t count_of(const char *text, size_t length, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == c;
    return count;
}

/* --- MariaDB ------------------------------------------------------------------------------------------------------ */

size_t gtid_places_bound(const char *text, size_t length) { return count_of(text, length, ',') + 1; }

static bool take_place(struct reader *r, struct gtid_place *to)
{
    uint64_t domain = 0, server = 0;
    skip_blanks(r);
    if (!take_number(r, UINT32_MAX, &domain) || !take(r, '-') || !take_number(r, UINT32_MAX, &server) || !take(r, '-') ||
        !take_number(r, UINT64_MAX, &to->sequence))
        return false;
    to->domain = (uint32_t)domain;
    to->server = (uint32_t)server;
    skip_blanks(r);
    return true;
}

bool gtid_places_parse(const char *text, size_t length, struct gtid_place *to, size_t room, size_t *count)
{
    struct reader r = { text, text + length };
    size_t found = 0;
    skip_blanks(&r);
    while (r.at < r.end) {
        if (found == room || !take_place(&r, &to[found]))
            return false;
        found++;
        if (r.at < r.end && (!take(&r, ',') || r.at == r.end))
            return false;
    }
    *count = found;
    return true;
}

const struct gtid_place *gtid_places_of(const struct gtid_place *places, size_t count, uint32_t domain)
{
    const struct gtid_place *highest = NULL;
    for (size_t i = 0; i < count; i++) {
        if (places[i].domain == domain && (highest == NULL || places[i].sequence > highest->sequence))
            highest = &places[i];
    }
    return highest;
}

bool gtid_places_reach(const struct gtid_place *a, size_t a_count, const struct gtid_place *b, size_t b_count)
{
    for (size_t i = 0; i < b_count; i++) {
        const struct gtid_place *own = gtid_places_of(a, a_count, b[i].domain);
        if (b[i].sequence > 0 && (own == NULL || own->sequence < b[i].sequence))
            return false;
    }
    return true;
}

/* --- Oracle: reading ---------------------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool gtid_source_parse(const char *text, size_t length, uint8_t to[16])
{
    int filled = 0;
    if (length != 36)
        return false;
    for (size_t i = 0; i < 36;) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i++] != '-')
                return false;
            continue;
        }
        const int high = digit_of(text[i]), low = digit_of(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[filled++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return true;
}

size_t gtid_set_bound(const char *text, size_t length) { return count_of(text, length, ':'); }

static int source_compare(const struct gtid_interval *a, const struct gtid_interval *b)
{
    const int order = memcmp(a->source, b->source, sizeof a->source);
    return order != 0 ? order : strcmp(a->tag, b->tag);
}

static int interval_compare(const struct gtid_interval *a, const struct gtid_interval *b)
{
    const int order = source_compare(a, b);
    return order != 0 ? order : (a->first > b->first) - (a->first < b->first);
}

static bool take_tag(struct reader *r, char tag[GTID_TAG_MAX + 1])
{
    const char *from = r->at;
    while (r->at < r->end && (digit_of(*r->at) >= 0 || *r->at == '_' || (*r->at >= 'a' && *r->at <= 'z') ||
                              (*r->at >= 'A' && *r->at <= 'Z')))
        r->at++;
    const size_t length = (size_t)(r->at - from);
    if (length > GTID_TAG_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        tag[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] - 'A' + 'a' : from[i]);
    tag[length] = '\0';
    return length > 0;
}

static bool take_interval(struct reader *r, struct gtid_interval *to)
{
    if (!take_number(r, INT64_MAX, &to->first) || to->first == 0)
        return false;
    to->last = to->first;
    skip_blanks(r);
    if (take(r, '-')) {
        skip_blanks(r);
        if (!take_number(r, INT64_MAX, &to->last) || to->last < to->first)
            return false;
        skip_blanks(r);
    }
    return true;
}

/* uuid:interval[:interval...][:tag:interval...]... A tag without an interval behind it is malformed. */
static bool take_entry(struct reader *r, struct gtid_set *set)
{
    struct gtid_interval entry = { .tag = "" };
    bool has_interval = false;
    skip_blanks(r);
    if (r->end - r->at < 36 || !gtid_source_parse(r->at, 36, entry.source))
        return false;
    r->at += 36;
    skip_blanks(r);
    while (take(r, ':')) {
        skip_blanks(r);
        if (r->at < r->end && (*r->at < '0' || *r->at > '9')) {
            if ((!has_interval && entry.tag[0] != '\0') || !take_tag(r, entry.tag))
                return false;
            has_interval = false;
            skip_blanks(r);
            continue;
        }
        if (set->count == set->room || !take_interval(r, &entry))
            return false;
        set->list[set->count++] = entry;
        has_interval = true;
    }
    return has_interval;
}

/* --- Oracle: order ------------------------------------------------------------------------------------------------ */

static void swap(struct gtid_interval *a, struct gtid_interval *b)
{
    const struct gtid_interval kept = *a;
    *a = *b;
    *b = kept;
}

static void sift(struct gtid_interval *list, size_t from, size_t count)
{
    for (size_t child = 2 * from + 1; child < count; from = child, child = 2 * from + 1) {
        if (child + 1 < count && interval_compare(&list[child], &list[child + 1]) < 0)
            child++;
        if (interval_compare(&list[from], &list[child]) >= 0)
            return;
        swap(&list[from], &list[child]);
    }
}

/* Servers print sets in order, so the walk is usually all there is; a heap needs neither memory nor luck for the rest. */
static void sort(struct gtid_interval *list, size_t count)
{
    size_t sorted = 1;
    while (sorted < count && interval_compare(&list[sorted - 1], &list[sorted]) <= 0)
        sorted++;
    if (sorted >= count)
        return;
    for (size_t i = count / 2; i > 0; i--)
        sift(list, i - 1, count);
    for (size_t i = count - 1; i > 0; i--) {
        swap(&list[0], &list[i]);
        sift(list, 0, i);
    }
}

static void merge(struct gtid_set *set)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct gtid_interval *last = kept == 0 ? NULL : &set->list[kept - 1];
        if (last != NULL && source_compare(last, &set->list[i]) == 0 && set->list[i].first <= last->last + 1)
            last->last = set->list[i].last > last->last ? set->list[i].last : last->last;
        else
            set->list[kept++] = set->list[i];
    }
    set->count = kept;
}

bool gtid_set_parse(const char *text, size_t length, struct gtid_set *set)
{
    struct reader r = { text, text + length };
    set->count = 0;
    for (skip_blanks(&r); r.at < r.end; skip_blanks(&r)) {
        if (!take_entry(&r, set))
            return false;
        if (r.at < r.end && !take(&r, ','))
            return false;
    }
    sort(set->list, set->count);
    merge(set);
    return true;
}

/* --- Oracle: questions -------------------------------------------------------------------------------------------- */

static bool put(struct gtid_set *to, const struct gtid_interval *like, uint64_t first, uint64_t last)
{
    if (to->count == to->room)
        return false;
    to->list[to->count] = *like;
    to->list[to->count].first = first;
    to->list[to->count].last = last;
    to->count++;
    return true;
}

/* What is left of one interval. `from` moves on to the first of b that may touch the next interval of a. */
static bool put_rest(const struct gtid_interval *one, const struct gtid_set *b, size_t *from, struct gtid_set *to)
{
    uint64_t first = one->first;
    size_t i = *from;
    while (i < b->count) {
        const int order = source_compare(&b->list[i], one);
        if (order > 0 || (order == 0 && b->list[i].first > one->last))
            break;
        if (order == 0 && b->list[i].last >= first) {
            if (b->list[i].first > first && !put(to, one, first, b->list[i].first - 1))
                return false;
            first = b->list[i].last + 1;
            if (first > one->last)
                break;                   /* it may reach into the next interval of a as well */
        }
        i++;
    }
    *from = i;
    return first > one->last || put(to, one, first, one->last);
}

bool gtid_set_subtract(const struct gtid_set *a, const struct gtid_set *b, struct gtid_set *to)
{
    size_t from = 0;
    to->count = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (!put_rest(&a->list[i], b, &from, to))
            return false;
    }
    return true;
}

bool gtid_set_contains(const struct gtid_set *a, const struct gtid_set *b)
{
    size_t at = 0;
    for (size_t i = 0; i < b->count; i++) {
        while (at < a->count && (source_compare(&a->list[at], &b->list[i]) < 0 ||
                                 (source_compare(&a->list[at], &b->list[i]) == 0 && a->list[at].last < b->list[i].first)))
            at++;
        if (at == a->count || source_compare(&a->list[at], &b->list[i]) != 0 || a->list[at].first > b->list[i].first ||
            a->list[at].last < b->list[i].last)
            return false;
    }
    return true;
}

bool gtid_set_is_same(const struct gtid_set *a, const struct gtid_set *b)
{
    return a->count == b->count && gtid_set_contains(a, b) && gtid_set_contains(b, a);
}

void gtid_set_remove_source(struct gtid_set *set, const uint8_t source[16])
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (memcmp(set->list[i].source, source, 16) != 0)
            set->list[kept++] = set->list[i];
    }
    set->count = kept;
}

uint64_t gtid_set_count(const struct gtid_set *set)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (__builtin_add_overflow(sum, set->list[i].last - set->list[i].first + 1, &sum))
            return UINT64_MAX;
    }
    return sum;
}

struct writer { char *to; size_t size, length; bool fits; };

static void write_text(struct writer *w, const char *text)
{
    w->fits = w->fits && text_copy(w->to + w->length, w->size - w->length, text);
    if (w->fits)
        w->length += strlen(text);
}

static void write_source(struct writer *w, const uint8_t source[16])
{
    char text[40];
    char *to = text;
    for (int i = 0; i < 16; i++)
        to += snprintf(to, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", source[i]);
    write_text(w, text);
}

static void write_interval(struct writer *w, const struct gtid_interval *one)
{
    char text[48];
    if (one->first == one->last)
        TEXT_FORMAT(text, ":%llu", (unsigned long long)one->first);
    else
        TEXT_FORMAT(text, ":%llu-%llu", (unsigned long long)one->first, (unsigned long long)one->last);
    write_text(w, text);
}

bool gtid_set_write(const struct gtid_set *set, char *to, size_t size)
{
    struct writer w = { to, size, 0, size > 0 };
    if (size > 0)
        to[0] = '\0';
    for (size_t i = 0; i < set->count; i++) {
        const struct gtid_interval *one = &set->list[i], *before = i == 0 ? NULL : &set->list[i - 1];
        const bool is_new = before == NULL || memcmp(before->source, one->source, 16) != 0;
        if (is_new) {
            write_text(&w, before == NULL ? "" : ",");
            write_source(&w, one->source);
        }
        if (one->tag[0] != '\0' && (is_new || !text_is(before->tag, one->tag))) {
            write_text(&w, ":");
            write_text(&w, one->tag);
        }
        write_interval(&w, one);
    }
    return w.fits;
}
