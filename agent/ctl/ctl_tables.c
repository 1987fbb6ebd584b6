/* Tables and sentences for people. One small grid aligns columns; everything else reads the JSON and says it.
 *
 * Colour is never the only carrier of a meaning: the word stands there as well. */
#include "agent/ctl/ctl_tables.h"
#include "agent/ctl/ctl_read.h"

#include "agent/ctl/ctl_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- reading ---- */

static const cJSON *named(const cJSON *list, const char *field, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (text_is(ctl_text(item, field), name))
            return item;
    }
    return NULL;
}

void ctl_make_plain(cJSON *json)
{
    cJSON *item;

    if (cJSON_IsString(json)) {
        for (unsigned char *c = (unsigned char *)json->valuestring; *c != '\0'; c++) {
            const bool is_c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;   /* the other way to write an escape */
            if (is_c1)
                c[1] = '.';
            if (is_c1 || *c < ' ' || *c == 0x7f)
                *c = '.';
        }
    }
    cJSON_ArrayForEach(item, json)
        ctl_make_plain(item);
}

/* ---- spans ---- */

void ctl_span_text(int64_t ms, char *to, size_t size)
{
    const int64_t s = ms / 1000;

    if (ms < 0)
        text_copy(to, size, "never");
    else if (ms < 10000)
        text_format(to, size, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
    else if (s < 120)
        text_format(to, size, "%" PRId64 " s", s);
    else if (s < 3600)
        text_format(to, size, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else if (s < 86400)
        text_format(to, size, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
    else
        text_format(to, size, "%" PRId64 " d %" PRId64 " h", s / 86400, s % 86400 / 3600);
}

struct span { char text[40]; };

static struct span span_of(int64_t ms)
{
    struct span span;
    ctl_span_text(ms, span.text, sizeof span.text);
    return span;
}

static struct span age_of(const cJSON *object, const char *name) { return span_of(ctl_number(object, name, -1)); }

/* From a moment of the wall clock to the picture's; "" when there is none. */
static struct span since_of(const cJSON *status, const cJSON *object, const char *name)
{
    const int64_t then = ctl_number(object, name, 0), now = ctl_number(status, "time_unix_ms", 0);
    struct span none = { "" };
    return then == 0 ? none : span_of(now > then ? now - then : 0);
}

/* ---- colours ---- */

enum colour { PLAIN = 0, GOOD, BAD, DOUBTFUL, FAINT, STRONG };

static const char *const colour_codes[] = {
    [PLAIN] = "", [GOOD] = "\x1b[32m", [BAD] = "\x1b[31m", [DOUBTFUL] = "\x1b[33m", [FAINT] = "\x1b[2m", [STRONG] = "\x1b[1m",
};

static void print_coloured(FILE *to, struct ctl_style style, enum colour colour, const char *text)
{
    if (style.has_colour && colour != PLAIN)
        fprintf(to, "%s%s\x1b[0m", colour_codes[colour], text);
    else
        fputs(text, to);
}

/* ---- the grid ---- */

#define COLUMNS_MAX 12
#define CELL_SIZE 128

struct cell { char text[CELL_SIZE]; enum colour colour; };

struct grid { int columns, cells, room; struct cell *list; };

static void put(struct grid *grid, enum colour colour, const char *text)
{
    if (grid->cells == grid->room) {
        const int room = grid->room == 0 ? 64 : grid->room * 2;
        struct cell *list = realloc(grid->list, (size_t)room * sizeof *list);
        if (list == NULL)
            return;                      /* a shorter table; the sentences are still there */
        grid->list = list;
        grid->room = room;
    }
    struct cell *cell = &grid->list[grid->cells++];
    text_copy(cell->text, CELL_SIZE, text[0] == '\0' ? "-" : text);
    cell->colour = colour;
}

static struct grid grid_of(const char *const *heads)
{
    struct grid grid = { 0 };
    for (; heads[grid.columns] != NULL; grid.columns++)
        put(&grid, FAINT, heads[grid.columns]);
    return grid;
}

static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Prints and empties the grid; one without rows prints nothing. */
static void grid_print(FILE *to, struct grid *grid, struct ctl_style style)
{
    int widths[COLUMNS_MAX] = { 0 };

    if (grid->cells <= grid->columns)
        grid->cells = 0;
    for (int i = 0; i < grid->cells; i++) {
        const int width = width_of(grid->list[i].text), column = i % grid->columns;
        widths[column] = width > widths[column] ? width : widths[column];
    }
    for (int i = 0; i < grid->cells; i++) {
        const int column = i % grid->columns;
        const bool is_last = column == grid->columns - 1;
        fputs(column == 0 ? "  " : "", to);
        print_coloured(to, style, grid->list[i].colour, grid->list[i].text);
        if (is_last)
            fputc('\n', to);
        else
            fprintf(to, "%*s", widths[column] - width_of(grid->list[i].text) + 2, "");
    }
    free(grid->list);
    *grid = (struct grid){ 0 };
}

/* ---- the node ---- */

static void print_store(FILE *to, const cJSON *status, struct ctl_style style)
{
    fprintf(to, "store: %s, ", ctl_text(status, "store"));
    print_coloured(to, style, ctl_is_true(status, "store_is_reachable") ? GOOD : BAD,
                   ctl_is_true(status, "store_is_reachable") ? "answers" : "does not answer");
    fprintf(to, ", last confirmed %s%s; arbitration: %s\n", age_of(status, "store_age_ms").text,
            ctl_number(status, "store_age_ms", -1) < 0 ? "" : " ago", ctl_text(status, "arbitration"));
}

static void print_node(FILE *to, const cJSON *status, struct ctl_style style)
{
    const bool leads = ctl_is_true(status, "leads");
    const char *leader = ctl_text(status, "leader");
    const struct span since = since_of(status, status, "leader_since_unix_ms");

    print_coloured(to, style, STRONG, ctl_text(status, "node"));
    fprintf(to, " %s, %s", ctl_text(status, "version"), ctl_text(status, "leadership"));
    if (leads)
        fprintf(to, " (epoch %" PRId64 ", lease %s left)", ctl_number(status, "epoch", 0),
                age_of(status, "lease_left_ms").text);
    else if (leader[0] != '\0')
        fprintf(to, "; %s leads (epoch %" PRId64 ")", leader, ctl_number(status, "epoch", 0));
    else
        print_coloured(to, style, BAD, "; nobody is known to lead");
    if (since.text[0] != '\0')
        fprintf(to, ", since %s", since.text);
    fprintf(to, "%s%s%s\n", ctl_text(status, "leader_why")[0] == '\0' ? "" : ": ", ctl_text(status, "leader_why"),
            ctl_is_true(status, "is_stopping") ? " (it is stopping)" : "");
    if (text_is(ctl_text(status, "role"), "witness"))
        fprintf(to, "witness only; arbitration: %s\n", ctl_text(status, "arbitration"));
    else
        print_store(to, status, style);
    if (ctl_text(status, "notice")[0] != '\0') {
        print_coloured(to, style, DOUBTFUL, "notice: ");
        fprintf(to, "%s\n", ctl_text(status, "notice"));
    }
}

/* ---- servers of the store ---- */

static void replication_text(const cJSON *look, char *to, size_t size)
{
    const cJSON *replica = ctl_part(look, "replica");
    const int64_t lag = ctl_number(replica, "lag_ms", -1);

    if (!ctl_is_true(replica, "is_configured")) {
        text_copy(to, size, "none");
        return;
    }
    const bool is_running = text_is(ctl_text(replica, "io"), "running") && text_is(ctl_text(replica, "sql"), "running");
    if (is_running && lag >= 0)
        text_format(to, size, "running, %s behind", span_of(lag).text);
    else if (is_running)
        text_copy(to, size, "running, lag unknown");
    else
        text_format(to, size, "fetching %s, applying %s", ctl_text(replica, "io"), ctl_text(replica, "sql"));
}

static void put_server(struct grid *grid, const cJSON *server)
{
    const cJSON *look = ctl_part(server, "look");
    const cJSON *written = ctl_part(look, "written");
    const bool is_reachable = ctl_is_true(server, "is_reachable"), is_read_only = ctl_is_true(look, "is_read_only");
    char text[CELL_SIZE];

    put(grid, STRONG, ctl_text(server, "name"));
    put(grid, PLAIN, ctl_text(server, "address"));
    if (is_reachable)
        TEXT_FORMAT(text, "answers, %s ago", age_of(server, "age_ms").text);
    else if (ctl_number(server, "age_ms", -1) < 0 && text_is(ctl_text(server, "loss"), "none"))
        TEXT_SET(text, "not looked at");
    else if (ctl_number(server, "age_ms", -1) < 0)
        TEXT_FORMAT(text, "never seen (%s)", ctl_text(server, "loss"));
    else
        TEXT_FORMAT(text, "lost (%s), last seen %s ago", ctl_text(server, "loss"), age_of(server, "age_ms").text);
    put(grid, is_reachable ? GOOD : text_is(text, "not looked at") ? PLAIN : BAD, text);
    put(grid, PLAIN, ctl_is_true(server, "is_seated") ? "sits" : "-");
    if (!cJSON_IsObject(look)) {
        for (int i = 0; i < 3; i++)
            put(grid, FAINT, "unknown");
        return;
    }
    const bool is_odd = is_read_only == ctl_is_true(server, "is_seated");
    put(grid, is_odd && !ctl_is_true(look, "is_fixed_writable") ? DOUBTFUL : PLAIN, is_read_only ? "read only" : "writable");
    replication_text(look, text, sizeof text);
    put(grid, text_begins(text, "fetching") ? BAD : PLAIN, text);
    if (ctl_text(written, "file")[0] != '\0')
        TEXT_FORMAT(text, "%s:%" PRId64, ctl_text(written, "file"), ctl_number(written, "offset", 0));
    else
        TEXT_SET(text, "");
    put(grid, FAINT, text);
}

static void print_servers(FILE *to, const cJSON *status, struct ctl_style style)
{
    static const char *const heads[] = { "SERVER", "ADDRESS", "STATE", "SITS", "WRITES", "REPLICATION", "LOG AT", NULL };
    struct grid grid = grid_of(heads);
    const cJSON *server;

    cJSON_ArrayForEach(server, ctl_part(status, "servers"))
        put_server(&grid, server);
    grid_print(to, &grid, style);
    cJSON_ArrayForEach(server, ctl_part(status, "servers")) {
        const char *error = ctl_text(ctl_part(ctl_part(server, "look"), "replica"), "error");
        if (!ctl_is_true(server, "is_reachable") && ctl_text(server, "loss_text")[0] != '\0')
            fprintf(to, "  %s: %s\n", ctl_text(server, "name"), ctl_text(server, "loss_text"));
        else if (ctl_text(server, "trouble")[0] != '\0')
            fprintf(to, "  %s does not have firstchair's tables: %s\n", ctl_text(server, "name"), ctl_text(server, "trouble"));
        if (error[0] != '\0')
            fprintf(to, "  %s does not replicate: %s\n", ctl_text(server, "name"), error);
    }
}

/* ---- pools ---- */

static const struct { const char *mark, *sentence; } marks[] = {
    { "unfenced", "unfenced: the old server could not be reached, it may have taken writes for a while" },
    { "stale", "stale: it was not up to date when it was seated, writes of the old server may be missing" },
};

void ctl_pool_sentence(FILE *to, const cJSON *status, const cJSON *pool)
{
    const char *state = ctl_text(pool, "state"), *seated = ctl_text(pool, "seated"), *why = ctl_text(pool, "why");
    const struct span since = since_of(status, pool, "since_unix_ms");
    const char *from = ctl_text(pool, "move_from"), *awaits = ctl_text(pool, "move_awaits");

    if (text_is(state, "moving") || ctl_is_true(pool, "is_moving"))
        fprintf(to, "moving from %s to %s, step %s for %s%s%s", from[0] == '\0' ? "nobody" : from, ctl_text(pool, "move_to"),
                ctl_text(pool, "move_step"), age_of(pool, "move_age_ms").text, awaits[0] == '\0' ? "" : ", waiting: ", awaits);
    else if (text_is(state, "seated"))
        fputs(seated[0] == '\0' ? "a server that is not configured here" : seated, to);
    else
        fputs(text_is(state, "nobody") ? "nobody" : "not known yet who", to);
    if (!text_is(state, "moving") && !ctl_is_true(pool, "is_moving"))
        fputs(" sits", to);
    fprintf(to, " (epoch %" PRId64 "%s%s)", ctl_number(pool, "epoch", 0), since.text[0] == '\0' ? "" : ", since ", since.text);
    if (why[0] != '\0')
        fprintf(to, ": %s", why);
    if (ctl_is_true(pool, "is_paused"))
        fputs("; paused by an operator", to);
}

static enum colour colour_of_pool(const cJSON *pool)
{
    const char *state = ctl_text(pool, "state");
    if (text_is(state, "seated") && !ctl_is_true(pool, "is_moving"))
        return ctl_text(pool, "mark")[0] == '\0' && !ctl_is_true(pool, "is_paused") ? GOOD : DOUBTFUL;
    return text_is(state, "nobody") ? BAD : DOUBTFUL;
}

static const struct { const char *voice, *word; enum colour colour; } voices[] = {
    { "first", "sits", GOOD },          { "rest", "rests", PLAIN },           { "neutral", "nothing", DOUBTFUL },
    { "read", "reads", GOOD },          { "late", "too far behind", DOUBTFUL }, { "broken", "broken", BAD },
};

static void put_intent(struct grid *grid, const cJSON *server)
{
    const bool is_within = ctl_is_true(server, "is_within_term");
    const char *voice = ctl_text(server, is_within ? "voice" : "voice_past_term");
    char text[CELL_SIZE];

    for (size_t i = 0; i < sizeof voices / sizeof voices[0]; i++) {
        if (!text_is(voices[i].voice, voice))
            continue;
        TEXT_FORMAT(text, "%s%s", voices[i].word, is_within ? "" : " (term over)");
        put(grid, voices[i].colour, text);
        return;
    }
    put(grid, DOUBTFUL, voice);
}

static void put_hold(struct grid *grid, const cJSON *server)
{
    const char *hold = ctl_text(server, "hold");
    char text[CELL_SIZE];

    if (text_is(hold, "none") || hold[0] == '\0') {
        put(grid, PLAIN, "");
        return;
    }
    TEXT_FORMAT(text, "%s by %s%s%s", hold, ctl_text(server, "hold_by"), ctl_text(server, "hold_why")[0] == '\0' ? "" : ": ",
                ctl_text(server, "hold_why"));
    put(grid, DOUBTFUL, text);
}

static void put_view(struct grid *grid, const cJSON *view)
{
    const int64_t sessions = ctl_number(view, "sessions", -1), drift = ctl_number(view, "drift_ms", 0);
    const bool is_usable = ctl_is_true(view, "is_usable");
    char text[CELL_SIZE], count[32] = "", against[64] = "";

    if (!ctl_is_true(view, "is_known")) {
        put(grid, FAINT, "unknown");
        return;
    }
    if (sessions >= 0)
        TEXT_FORMAT(count, ", %" PRId64 " session%s", sessions, sessions == 1 ? "" : "s");
    if (drift > 0)
        TEXT_FORMAT(against, ", against our word for %s", span_of(drift).text);
    TEXT_FORMAT(text, "%s%s%s", is_usable ? "sends" : "does not send", count, against);
    put(grid, drift > 0 ? BAD : is_usable ? GOOD : PLAIN, text);
}

static void print_pool_servers(FILE *to, const cJSON *pool, struct ctl_style style)
{
    static const char *const heads[] = { "SERVER", "ADDRESS", "TOLD", "EPOCH", "REASON", "HOLD", NULL };
    struct grid grid = grid_of(heads);
    const cJSON *server;
    char epoch[32];

    cJSON_ArrayForEach(server, ctl_part(pool, "servers")) {
        put(&grid, STRONG, ctl_text(server, "name"));
        put(&grid, PLAIN, ctl_text(server, "address"));
        put_intent(&grid, server);
        TEXT_FORMAT(epoch, "%" PRId64, ctl_number(server, "epoch", 0));
        put(&grid, PLAIN, text_is(epoch, "0") ? "" : epoch);
        put(&grid, PLAIN, ctl_text(server, "reason"));
        put_hold(&grid, server);
    }
    grid_print(to, &grid, style);
}

/* What each HAProxy really does: a row an HAProxy, a column a server. */
static void print_views(FILE *to, const cJSON *status, const cJSON *pool, struct ctl_style style)
{
    const char *heads[COLUMNS_MAX + 1] = { "HAPROXY" };
    const cJSON *server, *proxy;
    int columns = 1;

    if (cJSON_GetArraySize(ctl_part(status, "proxies")) == 0)
        return;
    cJSON_ArrayForEach(server, ctl_part(pool, "servers")) {
        if (columns < COLUMNS_MAX - 1)
            heads[columns++] = ctl_text(server, "name");
    }
    heads[columns] = "READ BACK";
    struct grid grid = grid_of(heads);
    cJSON_ArrayForEach(proxy, ctl_part(status, "proxies")) {
        char text[CELL_SIZE];
        int left = columns - 1;
        put(&grid, STRONG, ctl_text(proxy, "name"));
        cJSON_ArrayForEach(server, ctl_part(pool, "servers")) {
            if (left-- > 0)
                put_view(&grid, named(ctl_part(server, "views"), "proxy", ctl_text(proxy, "name")));
        }
        TEXT_FORMAT(text, "%s%s%s", ctl_is_true(proxy, "is_reachable") ? "" : "does not answer, ", age_of(proxy, "age_ms").text,
                    ctl_number(proxy, "age_ms", -1) < 0 ? "" : " ago");
        put(&grid, ctl_is_true(proxy, "is_reachable") ? FAINT : BAD, text);
    }
    grid_print(to, &grid, style);
}

/* The writes that the old server took while nobody could fence it. */
static void print_alone(FILE *to, const cJSON *pool)
{
    const char *server = ctl_text(pool, "alone_server"), *first = ctl_text(pool, "alone_first");
    if (server[0] == '\0')
        return;
    fprintf(to, "  %s took %s%" PRId64 " transactions alone", server, ctl_is_true(pool, "alone_is_more") ? "at least " : "",
            ctl_number(pool, "alone_transactions", 0));
    if (first[0] != '\0')
        fprintf(to, ", %s to %s", first, ctl_text(pool, "alone_last"));
    fprintf(to, ", in its log from %s to %s\n", ctl_text(pool, "alone_from"), ctl_text(pool, "alone_to"));
}

static void print_second_writer(FILE *to, const cJSON *pool)
{
    if (ctl_text(pool, "second_writer")[0] != '\0')
        fprintf(to, "  %s is writable as well%s\n", ctl_text(pool, "second_writer"),
                ctl_is_true(pool, "is_paused") ? ": the pool is paused, so nobody is fenced; clients may write to both" : "");
}

static void print_pool_head(FILE *to, const cJSON *status, const cJSON *pool, struct ctl_style style)
{
    char *sentence = NULL;
    size_t size;
    FILE *memory = open_memstream(&sentence, &size);

    print_coloured(to, style, STRONG, ctl_text(pool, "name"));
    fprintf(to, " (%s): ", ctl_text(pool, "kind"));
    if (memory != NULL) {
        ctl_pool_sentence(memory, status, pool);
        if (fclose(memory) == 0)
            print_coloured(to, style, colour_of_pool(pool), sentence);
        free(sentence);
    }
    fputc('\n', to);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strstr(ctl_text(pool, "mark"), marks[i].mark) != NULL) {
            fputs("  ", to);
            print_coloured(to, style, DOUBTFUL, marks[i].sentence);
            fputc('\n', to);
        }
    }
    print_alone(to, pool);
    print_second_writer(to, pool);
}

static void print_pool(FILE *to, const cJSON *status, const cJSON *pool, struct ctl_style style)
{
    print_pool_head(to, status, pool, style);
    print_pool_servers(to, pool, style);
    print_views(to, status, pool, style);
}

void ctl_print_pools(FILE *to, const cJSON *status, struct ctl_style style)
{
    const cJSON *pool;
    const char *between = "";

    cJSON_ArrayForEach(pool, ctl_part(status, "pools")) {
        fputs(between, to);
        print_pool(to, status, pool, style);
        between = "\n";
    }
}

/* ---- events ---- */

void ctl_print_events(FILE *to, const cJSON *status, int count, struct ctl_style style)
{
    static const char *const heads[] = { "AT", "LEVEL", "SUBJECT", "EPOCH", "TEXT", NULL };
    static const struct { const char *level; enum colour colour; } colours[] = {
        { "alarm", BAD }, { "warning", DOUBTFUL }, { "debug", FAINT },
    };
    struct grid grid = grid_of(heads);
    const cJSON *event;
    int skip = count <= 0 ? 0 : cJSON_GetArraySize(ctl_part(status, "events")) - count;

    cJSON_ArrayForEach(event, ctl_part(status, "events")) {
        enum colour colour = PLAIN;
        char epoch[32];
        if (skip-- > 0)
            continue;
        for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
            if (text_is(colours[i].level, ctl_text(event, "level")))
                colour = colours[i].colour;
        }
        put(&grid, FAINT, ctl_text(event, "at"));
        put(&grid, colour, ctl_text(event, "level"));
        put(&grid, PLAIN, ctl_text(event, "subject"));
        TEXT_FORMAT(epoch, "%" PRId64, ctl_number(event, "epoch", 0));
        put(&grid, PLAIN, text_is(epoch, "0") ? "" : epoch);
        put(&grid, colour, ctl_text(event, "text"));
    }
    if (grid.cells <= grid.columns)
        fputs("  nothing has been noted yet\n", to);
    grid_print(to, &grid, style);
}

/* ---- status and watch ---- */

static void print_counts(FILE *to, const cJSON *status)
{
    fprintf(to, "since its start: %" PRId64 " orders, %" PRId64 " moves (%" PRId64 " failed)",
            ctl_number(status, "orders", 0), ctl_number(status, "moves", 0), ctl_number(status, "moves_failed", 0));
    if (ctl_number(status, "notes_dropped", 0) > 0)
        fprintf(to, ", %" PRId64 " notes without room", ctl_number(status, "notes_dropped", 0));
    fputc('\n', to);
}

void ctl_print_status(FILE *to, const cJSON *status, struct ctl_style style)
{
    print_node(to, status, style);
    print_counts(to, status);
    fputc('\n', to);
    print_servers(to, status, style);
    ctl_print_needs(to, status, style);
    fputc('\n', to);
    ctl_print_pools(to, status, style);
}

#define WATCHED_EVENTS 6

void ctl_print_watch(FILE *to, const cJSON *status, struct ctl_style style)
{
    print_node(to, status, style);
    print_servers(to, status, style);
    ctl_print_needs(to, status, style);
    ctl_print_pools(to, status, style);
    fputc('\n', to);
    ctl_print_events(to, status, WATCHED_EVENTS, style);
}
