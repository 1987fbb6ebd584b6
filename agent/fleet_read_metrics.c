/* Figures as orchestrator's dashboards ask for them: samples of the last seconds, or what they amount to. Of looks the latest one at each server
 * is told, because no other is kept. */
#include "agent/fleet_inside.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/fleet_samples.h"
#include "base/text.h"

#define SECONDS_MAX (10 * 366 * 86400)

/* ---- what is asked ---- */

/* The last parameter of the path. The queue, where one is named, is one of two: ours is one. */
static enum fc_code take_seconds(const struct fleet_asked *asked, int64_t *ret, struct fc_err *err)
{
    const char *text = asked->parameter[asked->parameter_count - 1];
    uint64_t seconds;
    if (!text_to_u64(text, strlen(text), &seconds) || seconds == 0 || seconds > SECONDS_MAX)
        return fc_fail(err, FC_BAD_INPUT, "'%.32s' is no number of seconds", text);
    if (asked->parameter_count > 1 && !text_is(asked->parameter[0], "DEFAULT") && !text_is(asked->parameter[0], "DEADINSTANCES"))
        return fc_fail(err, FC_BAD_INPUT, "there is no queue '%.64s': DEFAULT or DEADINSTANCES", asked->parameter[0]);
    *ret = (int64_t)seconds;
    return FC_OK;
}

/* ---- numbers ---- */

struct series { double *list; size_t count, capacity; bool is_short; };

static void add(struct series *s, double value)
{
    if (s->count == s->capacity) {
        double *larger = realloc(s->list, (s->capacity * 2 + 64) * sizeof *larger);
        s->is_short = s->is_short || larger == NULL;
        if (larger == NULL)
            return;
        s->list = larger;
        s->capacity = s->capacity * 2 + 64;
    }
    s->list[s->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static void sort(struct series *s)
{
    if (s->count > 0)
        qsort(s->list, s->count, sizeof *s->list, by_value);
}

static double mean(const struct series *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->count; i++)
        sum += s->list[i];
    return s->count == 0 ? 0 : sum / (double)s->count;
}

/* Of a sorted series; 0 of an empty one. */
static double at_share(const struct series *s, double share)
{
    return s->count == 0 ? 0 : s->list[(size_t)((double)(s->count - 1) * share)];
}

static void put_real(struct json_page *page, const char *name, double value)
{
    char text[32];
    TEXT_FORMAT(text, "%.6f", value);
    page_raw(page, name, text);
}

static void put_named(struct json_page *page, const char *before, const char *word, const char *behind, double value)
{
    char name[96];
    TEXT_FORMAT(name, "%s%s%s", before, word, behind);
    put_real(page, name, value);
}

/* RFC 3339, as real time values are told. */
static void put_time(struct json_page *page, const char *name, int64_t unix_ms)
{
    const time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    char text[48] = "0001-01-01T00:00:00Z", whole[32];
    if (unix_ms > 0 && gmtime_r(&seconds, &parts) != NULL && strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &parts) > 0)
        TEXT_FORMAT(text, "%s.%03dZ", whole, (int)(unix_ms % 1000));
    page_text(page, name, text);
}

/* ---- looks ---- */

struct look_told { int64_t unix_ms; double seconds; bool is_seen; };

/* The latest look at it, when it ended within the time. */
static bool latest_look(const struct picture *picture, member_id id, int64_t seconds, struct look_told *ret)
{
    const struct member *m = topology_member(picture->topology, id);
    if (m->kind != MEMBER_KNOWN || fc_is_ever(m->checked_at))
        return false;
    const int64_t ago_ms = fc_span_ms(fc_since(m->checked_at, picture->now));
    *ret = (struct look_told){ picture->unix_ms - ago_ms, 0, m->is_seen };
    if (m->is_seen && m->kept.seen != NULL)
        ret->seconds = (double)fc_since(m->kept.seen->sent_at, m->kept.seen->seen_at).us / 1e6;
    return ago_ms <= seconds * 1000;
}

enum fc_code read_looks(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    struct look_told look;
    int64_t seconds = 0;
    const enum fc_code code = take_seconds(asked, &seconds, err);
    if (code != FC_OK)
        return code;
    page_open(&said->page, NULL, '[');
    for (member_id id = 0; id < picture->topology->count; id++) {
        if (!latest_look(picture, id, seconds, &look))
            continue;
        const struct instance_key key = topology_key(picture->topology, id);
        page_open(&said->page, NULL, '{');
        put_time(&said->page, "Timestamp", look.unix_ms);
        page_text(&said->page, "Hostname", key.host);
        page_uint(&said->page, "Port", key.port);
        put_real(&said->page, "BackendLatencySeconds", 0);          /* no look waits for the store */
        put_real(&said->page, "InstanceLatencySeconds", look.seconds);
        put_real(&said->page, "TotalLatencySeconds", look.seconds);
        if (look.is_seen)
            page_null(&said->page, "Err");
        else
            page_text(&said->page, "Err", "not seen");
        page_close(&said->page, '}');
    }
    page_close(&said->page, ']');
    return FC_OK;
}

static void put_looks(struct json_page *page, const char *before, struct series *s, const char *behind)
{
    sort(s);
    const struct { const char *word; double value; } figures[] = {
        { "Mean", mean(s) }, { "Max", at_share(s, 1) }, { "Median", at_share(s, 0.5) }, { "P95", at_share(s, 0.95) },
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        put_named(page, before, figures[i].word, behind, figures[i].value);
}

enum fc_code read_looks_together(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    static const char *const latencies[] = { "TotalSeconds", "BackendSeconds", "InstanceSeconds" };
    const struct picture *picture = asked->picture;
    struct series good = { 0 }, none = { 0 }, backend = { 0 };
    struct look_told look;
    int64_t seconds = 0, first = 0, last = 0;
    uint64_t failed = 0;
    const enum fc_code code = take_seconds(asked, &seconds, err);
    if (code != FC_OK)
        return code;
    for (member_id id = 0; id < picture->topology->count; id++) {
        if (!latest_look(picture, id, seconds, &look))
            continue;
        first = first == 0 || look.unix_ms < first ? look.unix_ms : first;
        last = look.unix_ms > last ? look.unix_ms : last;
        failed += !look.is_seen;
        if (look.is_seen)
            add(&good, look.seconds);
    }
    page_open(&said->page, NULL, '{');
    put_time(&said->page, "FirstSeen", first);
    put_time(&said->page, "LastSeen", last);
    page_uint(&said->page, "CountDistinctInstanceKeys", good.count + failed);
    page_uint(&said->page, "CountDistinctOkInstanceKeys", good.count);
    page_uint(&said->page, "CountDistinctFailedInstanceKeys", failed);
    page_uint(&said->page, "FailedDiscoveries", failed);
    page_uint(&said->page, "SuccessfulDiscoveries", good.count);
    for (size_t i = 0; i < sizeof latencies / sizeof latencies[0]; i++) {
        put_looks(&said->page, "", i == 1 ? &backend : &good, latencies[i]);
        put_looks(&said->page, "Failed", &none, latencies[i]);
    }
    page_close(&said->page, '}');
    said->page.is_short = said->page.is_short || good.is_short;
    free(good.list);
    return FC_OK;
}

/* ---- the queue ---- */

/* Samples of the last seconds, the oldest first: the first one's number; `count` is one behind the last. */
static uint64_t first_second(const struct fleet_asked *asked, int64_t seconds, uint64_t *count)
{
    const struct fleet_samples *samples = asked->picture->samples;
    *count = samples == NULL ? 0 : samples->second_count;
    uint64_t at = *count;
    while (at > 0 && *count - at < FLEET_SECONDS_MAX &&
           samples->seconds[(at - 1) % FLEET_SECONDS_MAX].unix_ms >= asked->picture->unix_ms - seconds * 1000)
        at--;
    return at;
}

/* Of the queue of dead servers nothing is counted apart: it is always empty. */
static struct fleet_second second_at(const struct fleet_asked *asked, uint64_t at)
{
    const bool is_dead = asked->parameter_count > 1 && text_is(asked->parameter[0], "DEADINSTANCES");
    return is_dead ? (struct fleet_second){ 0 } : asked->picture->samples->seconds[at % FLEET_SECONDS_MAX];
}

enum fc_code read_queue(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    int64_t seconds = 0;
    uint64_t count;
    const enum fc_code code = take_seconds(asked, &seconds, err);
    if (code != FC_OK)
        return code;
    page_open(&said->page, NULL, '[');
    for (uint64_t at = first_second(asked, seconds, &count); at < count; at++) {
        const struct fleet_second second = second_at(asked, at);
        page_open(&said->page, NULL, '{');
        page_uint(&said->page, "Active", second.active);
        page_uint(&said->page, "Queued", second.queued);
        page_close(&said->page, '}');
    }
    page_close(&said->page, ']');
    return FC_OK;
}

static void put_entries(struct json_page *page, const char *which, struct series *s)
{
    sort(s);
    put_named(page, which, "MinEntries", "", at_share(s, 0));
    put_named(page, which, "MeanEntries", "", mean(s));
    put_named(page, which, "MedianEntries", "", at_share(s, 0.5));
    put_named(page, which, "P95Entries", "", at_share(s, 0.95));
    put_named(page, which, "MaxEntries", "", at_share(s, 1));
}

enum fc_code read_queue_together(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct series active = { 0 }, queued = { 0 };
    int64_t seconds = 0;
    uint64_t count;
    const enum fc_code code = take_seconds(asked, &seconds, err);
    if (code != FC_OK)
        return code;
    for (uint64_t at = first_second(asked, seconds, &count); at < count; at++) {
        add(&active, second_at(asked, at).active);
        add(&queued, second_at(asked, at).queued);
    }
    page_open(&said->page, NULL, '{');
    put_entries(&said->page, "Active", &active);
    put_entries(&said->page, "Queued", &queued);
    page_close(&said->page, '}');
    said->page.is_short = said->page.is_short || active.is_short || queued.is_short;
    free(active.list);
    free(queued.list);
    return FC_OK;
}

/* ---- statements of the store; route->which: only those that write rows ---- */

static uint64_t first_statement(const struct fleet_asked *asked, int64_t seconds, uint64_t *count)
{
    const struct fleet_samples *samples = asked->picture->samples;
    *count = samples == NULL ? 0 : samples->statement_count;
    uint64_t at = *count;
    while (at > 0 && *count - at < FLEET_STATEMENTS_MAX &&
           samples->statements[(at - 1) % FLEET_STATEMENTS_MAX].unix_ms >= asked->picture->unix_ms - seconds * 1000)
        at--;
    return at;
}

static const struct fleet_statement *statement_at(const struct fleet_asked *asked, uint64_t at)
{
    const struct fleet_statement *statement = &asked->picture->samples->statements[at % FLEET_STATEMENTS_MAX];
    return asked->route->which == FLEET_STATEMENTS_THAT_WRITE && !statement->writes ? NULL : statement;
}

enum fc_code read_statements(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const bool is_write = asked->route->which == FLEET_STATEMENTS_THAT_WRITE;
    int64_t seconds = 0;
    uint64_t count;
    const enum fc_code code = take_seconds(asked, &seconds, err);
    if (code != FC_OK)
        return code;
    page_open(&said->page, NULL, '[');
    for (uint64_t at = first_statement(asked, seconds, &count); at < count; at++) {
        const struct fleet_statement *s = statement_at(asked, at);
        if (s == NULL)
            continue;
        page_open(&said->page, NULL, '{');
        put_time(&said->page, "Timestamp", s->unix_ms);
        if (is_write)
            page_int(&said->page, "Instances", s->rows);
        page_int(&said->page, "WaitLatency", 0);                    /* no statement waits for another's */
        page_int(&said->page, is_write ? "WriteLatency" : "ExecuteLatency", s->took_us * 1000);
        if (!is_write && s->is_good)
            page_null(&said->page, "Err");
        else if (!is_write)
            page_text(&said->page, "Err", "failed");
        page_close(&said->page, '}');
    }
    page_close(&said->page, ']');
    return FC_OK;
}

static void put_figures(struct json_page *page, const char *behind, struct series *s)
{
    sort(s);
    put_named(page, "Max", behind, "", at_share(s, 1));
    put_named(page, "Mean", behind, "", mean(s));
    put_named(page, "Median", behind, "", at_share(s, 0.5));
    put_named(page, "P95", behind, "", at_share(s, 0.95));
}

enum fc_code read_statements_together(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const bool is_write = asked->route->which == FLEET_STATEMENTS_THAT_WRITE;
    struct series rows = { 0 }, none = { 0 }, took = { 0 };
    int64_t seconds = 0, total = 0;
    uint64_t count;
    const enum fc_code code = take_seconds(asked, &seconds, err);
    if (code != FC_OK)
        return code;
    for (uint64_t at = first_statement(asked, seconds, &count); at < count; at++) {
        const struct fleet_statement *s = statement_at(asked, at);
        if (s == NULL)
            continue;
        total += s->rows;
        add(&rows, s->rows);
        add(&took, (double)s->took_us / 1e6);
    }
    page_open(&said->page, NULL, '{');
    if (is_write) {
        page_int(&said->page, "InstanceWriteBufferSize", FLEET_BATCH_ROWS);
        page_int(&said->page, "InstanceFlushIntervalMilliseconds", asked->picture->flush_ms);
        page_int(&said->page, "CountInstances", total);
        put_figures(&said->page, "Instances", &rows);
    } else {
        page_uint(&said->page, "Count", took.count);
    }
    put_figures(&said->page, is_write ? "WriteSeconds" : "LatencySeconds", &took);
    put_figures(&said->page, "WaitSeconds", &none);
    page_close(&said->page, '}');
    said->page.is_short = said->page.is_short || rows.is_short || took.is_short;
    free(rows.list);
    free(took.list);
    return FC_OK;
}
