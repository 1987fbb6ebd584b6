/* Tables and sentences for people. One small grid aligns columns; everything else reads the JSON and says it.
 *
 * Colour is never the only carrier of a meaning: the word stands there as well. */
#include "agent/ctl/ctl_tables.h"

#include "agent/ctl/ctl_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- reading ---- */

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text == NULL ? "" : text;
}

static bool is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

#define EXACT_MAX 9007199254740992.0     /* 2^53 */

/* null and what is no number are `otherwise`. */
static int64_t number_of(const cJSON *object, const char *name, int64_t otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item) || !(item->valuedouble > -EXACT_MAX && item->valuedouble < EXACT_MAX))
        return otherwise;
    return (int64_t)item->valuedouble;
}

static const cJSON *list_of(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const cJSON *named(const cJSON *list, const char *field, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (text_is(text_of(item, field), name))
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

static struct span age_of(const cJSON *object, const char *name) { return span_of(number_of(object, name, -1)); }

/* From a moment of the wall clock to the picture's; "" when there is none. */
static struct span since_of(const cJSON *status, const cJSON *object, const char *name)
{
    const int64_t then = number_of(object, name, 0), now = number_of(status, "time_unix_ms", 0);
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

static void print_node(FILE *to, const cJSON *status, struct ctl_style style)
{
    const bool leads = is_true(status, "leads");
    const char *leader = text_of(status, "leader");
    const struct span since = since_of(status, status, "leader_since_unix_ms");

    print_coloured(to, style, STRONG, text_of(status, "node"));
    fprintf(to, " %s, %s", text_of(status, "version"), text_of(status, "leadership"));
    if (leads)
        fprintf(to, " (epoch %" PRId64 ", lease %s left)", number_of(status, "epoch", 0),
                age_of(status, "lease_left_ms").text);
    else if (leader[0] != '\0')
        fprintf(to, "; %s leads (epoch %" PRId64 ")", leader, number_of(status, "epoch", 0));
    else
        print_coloured(to, style, BAD, "; nobody is known to lead");
    if (since.text[0] != '\0')
        fprintf(to, ", since %s", since.text);
    fprintf(to, "%s%s%s\n", text_of(status, "leader_why")[0] == '\0' ? "" : ": ", text_of(status, "leader_why"),
            is_true(status, "is_stopping") ? " (it is stopping)" : "");
    fprintf(to, "store: %s, ", text_of(status, "store"));
    print_coloured(to, style, is_true(status, "store_is_reachable") ? GOOD : BAD,
                   is_true(status, "store_is_reachable") ? "answers" : "does not answer");
    fprintf(to, ", last confirmed %s%s; arbitration: %s\n", age_of(status, "store_age_ms").text,
            number_of(status, "store_age_ms", -1) < 0 ? "" : " ago", text_of(status, "arbitration"));
    if (text_of(status, "notice")[0] != '\0') {
        print_coloured(to, style, DOUBTFUL, "notice: ");
        fprintf(to, "%s\n", text_of(status, "notice"));
    }
}

/* ---- servers of the store ---- */

static void replication_text(const cJSON *look, char *to, size_t size)
{
    const cJSON *replica = list_of(look, "replica");
    const int64_t lag = number_of(replica, "lag_ms", -1);

    if (!is_true(replica, "is_configured")) {
        text_copy(to, size, "none");
        return;
    }
    const bool is_running = text_is(text_of(replica, "io"), "running") && text_is(text_of(replica, "sql"), "running");
    if (is_running && lag >= 0)
        text_format(to, size, "running, %s behind", span_of(lag).text);
    else if (is_running)
        text_copy(to, size, "running, lag unknown");
    else
        text_format(to, size, "fetching %s, applying %s", text_of(replica, "io"), text_of(replica, "sql"));
}

static void put_server(struct grid *grid, const cJSON *server)
{
    const cJSON *look = list_of(server, "look");
    const cJSON *written = list_of(look, "written");
    const bool is_reachable = is_true(server, "is_reachable"), is_read_only = is_true(look, "is_read_only");
    char text[CELL_SIZE];

    put(grid, STRONG, text_of(server, "name"));
    put(grid, PLAIN, text_of(server, "address"));
    if (is_reachable)
        TEXT_FORMAT(text, "answers, %s ago", age_of(server, "age_ms").text);
    else if (number_of(server, "age_ms", -1) < 0)
        TEXT_FORMAT(text, "never seen (%s)", text_of(server, "loss"));
    else
        TEXT_FORMAT(text, "lost (%s), last seen %s ago", text_of(server, "loss"), age_of(server, "age_ms").text);
    put(grid, is_reachable ? GOOD : BAD, text);
    put(grid, PLAIN, is_true(server, "is_seated") ? "sits" : "-");
    if (!cJSON_IsObject(look)) {
        for (int i = 0; i < 3; i++)
            put(grid, FAINT, "unknown");
        return;
    }
    const bool is_odd = is_read_only == is_true(server, "is_seated");
    put(grid, is_odd && !is_true(look, "is_fixed_writable") ? DOUBTFUL : PLAIN, is_read_only ? "read only" : "writable");
    replication_text(look, text, sizeof text);
    put(grid, text_begins(text, "fetching") ? BAD : PLAIN, text);
    if (text_of(written, "file")[0] != '\0')
        TEXT_FORMAT(text, "%s:%" PRId64, text_of(written, "file"), number_of(written, "offset", 0));
    else
        TEXT_SET(text, "");
    put(grid, FAINT, text);
}

static void print_servers(FILE *to, const cJSON *status, struct ctl_style style)
{
    static const char *const heads[] = { "SERVER", "ADDRESS", "STATE", "SITS", "WRITES", "REPLICATION", "LOG AT", NULL };
    struct grid grid = grid_of(heads);
    const cJSON *server;

    cJSON_ArrayForEach(server, list_of(status, "servers"))
        put_server(&grid, server);
    grid_print(to, &grid, style);
    cJSON_ArrayForEach(server, list_of(status, "servers")) {
        const char *error = text_of(list_of(list_of(server, "look"), "replica"), "error");
        if (!is_true(server, "is_reachable") && text_of(server, "loss_text")[0] != '\0')
            fprintf(to, "  %s: %s\n", text_of(server, "name"), text_of(server, "loss_text"));
        else if (text_of(server, "trouble")[0] != '\0')
            fprintf(to, "  %s does not have firstchair's tables: %s\n", text_of(server, "name"), text_of(server, "trouble"));
        if (error[0] != '\0')
            fprintf(to, "  %s does not replicate: %s\n", text_of(server, "name"), error);
    }
}

/* ---- pools ---- */

static const struct { const char *mark, *sentence; } marks[] = {
    { "unfenced", "unfenced: the old server could not be reached, it may have taken writes for a while" },
    { "stale", "stale: it was not up to date when it was seated, writes of the old server may be missing" },
};

void ctl_pool_sentence(FILE *to, const cJSON *status, const cJSON *pool)
{
    const char *state = text_of(pool, "state"), *seated = text_of(pool, "seated"), *why = text_of(pool, "why");
    const struct span since = since_of(status, pool, "since_unix_ms");
    const char *from = text_of(pool, "move_from"), *awaits = text_of(pool, "move_awaits");

    if (text_is(state, "moving") || is_true(pool, "is_moving"))
        fprintf(to, "moving from %s to %s, step %s for %s%s%s", from[0] == '\0' ? "nobody" : from, text_of(pool, "move_to"),
                text_of(pool, "move_step"), age_of(pool, "move_age_ms").text, awaits[0] == '\0' ? "" : ", waiting: ", awaits);
    else if (text_is(state, "seated"))
        fputs(seated[0] == '\0' ? "a server that is not configured here" : seated, to);
    else
        fputs(text_is(state, "nobody") ? "nobody" : "not known yet who", to);
    if (!text_is(state, "moving") && !is_true(pool, "is_moving"))
        fputs(" sits", to);
    fprintf(to, " (epoch %" PRId64 "%s%s)", number_of(pool, "epoch", 0), since.text[0] == '\0' ? "" : ", since ", since.text);
    if (why[0] != '\0')
        fprintf(to, ": %s", why);
    if (is_true(pool, "is_paused"))
        fputs("; paused by an operator", to);
}

static enum colour colour_of_pool(const cJSON *pool)
{
    const char *state = text_of(pool, "state");
    if (text_is(state, "seated") && !is_true(pool, "is_moving"))
        return text_of(pool, "mark")[0] == '\0' && !is_true(pool, "is_paused") ? GOOD : DOUBTFUL;
    return text_is(state, "nobody") ? BAD : DOUBTFUL;
}

static const struct { const char *voice, *word; enum colour colour; } voices[] = {
    { "first", "sits", GOOD },          { "rest", "rests", PLAIN },           { "neutral", "nothing", DOUBTFUL },
    { "read", "reads", GOOD },          { "late", "too far behind", DOUBTFUL }, { "broken", "broken", BAD },
};

static void put_intent(struct grid *grid, const cJSON *server)
{
    const bool is_within = is_true(server, "is_within_term");
    const char *voice = text_of(server, is_within ? "voice" : "voice_past_term");
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
    const char *hold = text_of(server, "hold");
    char text[CELL_SIZE];

    if (text_is(hold, "none") || hold[0] == '\0') {
        put(grid, PLAIN, "");
        return;
    }
    TEXT_FORMAT(text, "%s by %s%s%s", hold, text_of(server, "hold_by"), text_of(server, "hold_why")[0] == '\0' ? "" : ": ",
                text_of(server, "hold_why"));
    put(grid, DOUBTFUL, text);
}

static void put_view(struct grid *grid, const cJSON *view)
{
    const int64_t sessions = number_of(view, "sessions", -1), drift = number_of(view, "drift_ms", 0);
    const bool is_usable = is_true(view, "is_usable");
    char text[CELL_SIZE], count[32] = "", against[64] = "";

    if (!is_true(view, "is_known")) {
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

    cJSON_ArrayForEach(server, list_of(pool, "servers")) {
        put(&grid, STRONG, text_of(server, "name"));
        put(&grid, PLAIN, text_of(server, "address"));
        put_intent(&grid, server);
        TEXT_FORMAT(epoch, "%" PRId64, number_of(server, "epoch", 0));
        put(&grid, PLAIN, text_is(epoch, "0") ? "" : epoch);
        put(&grid, PLAIN, text_of(server, "reason"));
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

    if (cJSON_GetArraySize(list_of(status, "proxies")) == 0)
        return;
    cJSON_ArrayForEach(server, list_of(pool, "servers")) {
        if (columns < COLUMNS_MAX - 1)
            heads[columns++] = text_of(server, "name");
    }
    heads[columns] = "READ BACK";
    struct grid grid = grid_of(heads);
    cJSON_ArrayForEach(proxy, list_of(status, "proxies")) {
        char text[CELL_SIZE];
        int left = columns - 1;
        put(&grid, STRONG, text_of(proxy, "name"));
        cJSON_ArrayForEach(server, list_of(pool, "servers")) {
            if (left-- > 0)
                put_view(&grid, named(list_of(server, "views"), "proxy", text_of(proxy, "name")));
        }
        TEXT_FORMAT(text, "%s%s%s", is_true(proxy, "is_reachable") ? "" : "does not answer, ", age_of(proxy, "age_ms").text,
                    number_of(proxy, "age_ms", -1) < 0 ? "" : " ago");
        put(&grid, is_true(proxy, "is_reachable") ? FAINT : BAD, text);
    }
    grid_print(to, &grid, style);
}

/* The writes that the old server took while nobody could fence it. */
static void print_alone(FILE *to, const cJSON *pool)
{
    const char *server = text_of(pool, "alone_server"), *first = text_of(pool, "alone_first");
    if (server[0] == '\0')
        return;
    fprintf(to, "  %s took %s%" PRId64 " transactions alone", server, is_true(pool, "alone_is_more") ? "at least " : "",
            number_of(pool, "alone_transactions", 0));
    if (first[0] != '\0')
        fprintf(to, ", %s to %s", first, text_of(pool, "alone_last"));
    fprintf(to, ", in its log from %s to %s\n", text_of(pool, "alone_from"), text_of(pool, "alone_to"));
}

static void print_pool_head(FILE *to, const cJSON *status, const cJSON *pool, struct ctl_style style)
{
    char *sentence = NULL;
    size_t size;
    FILE *memory = open_memstream(&sentence, &size);

    print_coloured(to, style, STRONG, text_of(pool, "name"));
    fprintf(to, " (%s): ", text_of(pool, "kind"));
    if (memory != NULL) {
        ctl_pool_sentence(memory, status, pool);
        if (fclose(memory) == 0)
            print_coloured(to, style, colour_of_pool(pool), sentence);
        free(sentence);
    }
    fputc('\n', to);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strstr(text_of(pool, "mark"), marks[i].mark) != NULL) {
            fputs("  ", to);
            print_coloured(to, style, DOUBTFUL, marks[i].sentence);
            fputc('\n', to);
        }
    }
    print_alone(to, pool);
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

    cJSON_ArrayForEach(pool, list_of(status, "pools")) {
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
    int skip = count <= 0 ? 0 : cJSON_GetArraySize(list_of(status, "events")) - count;

    cJSON_ArrayForEach(event, list_of(status, "events")) {
        enum colour colour = PLAIN;
        char epoch[32];
        if (skip-- > 0)
            continue;
        for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
            if (text_is(colours[i].level, text_of(event, "level")))
                colour = colours[i].colour;
        }
        put(&grid, FAINT, text_of(event, "at"));
        put(&grid, colour, text_of(event, "level"));
        put(&grid, PLAIN, text_of(event, "subject"));
        TEXT_FORMAT(epoch, "%" PRId64, number_of(event, "epoch", 0));
        put(&grid, PLAIN, text_is(epoch, "0") ? "" : epoch);
        put(&grid, colour, text_of(event, "text"));
    }
    if (grid.cells <= grid.columns)
        fputs("  nothing has been noted yet\n", to);
    grid_print(to, &grid, style);
}

/* ---- status and watch ---- */

static void print_counts(FILE *to, const cJSON *status)
{
    fprintf(to, "since its start: %" PRId64 " orders, %" PRId64 " moves (%" PRId64 " failed)",
            number_of(status, "orders", 0), number_of(status, "moves", 0), number_of(status, "moves_failed", 0));
    if (number_of(status, "notes_dropped", 0) > 0)
        fprintf(to, ", %" PRId64 " notes without room", number_of(status, "notes_dropped", 0));
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

/* ---- explain ---- */

static const struct { const char *kind, *rule; } rules[] = {
    { "backend", "One server sits at most. The chair is sticky: it moves when the server that sits is lost, or by order. The "
                 "first one listed is preferred when nobody sits." },
    { "leader", "The node that leads and may act is told to HAProxy as up, every other one as down." },
    { "writer", "The writeable master of the cluster sits, nobody else." },
    { "reader", "Every replica fit to read is offered, weighted by its lag." },
};

static void explain_inputs(FILE *to, const cJSON *server)
{
    const cJSON *look = list_of(server, "look");
    const cJSON *replica = list_of(look, "replica");
    char text[CELL_SIZE];

    fprintf(to, "    %s ", text_of(server, "name"));
    if (is_true(server, "is_reachable"))
        fprintf(to, "answered %s ago", age_of(server, "age_ms").text);
    else
        fprintf(to, "is lost (%s%s%s)", text_of(server, "loss"), text_of(server, "loss_text")[0] == '\0' ? "" : ": ",
                text_of(server, "loss_text"));
    if (!cJSON_IsObject(look)) {
        fputs("; it was never seen.\n", to);
        return;
    }
    replication_text(look, text, sizeof text);
    fprintf(to, "; %s %s; replication: %s", is_true(server, "is_reachable") ? "it is" : "it was last seen",
            is_true(look, "is_read_only") ? "read only" : "writable", text);
    if (is_true(replica, "is_configured"))
        fprintf(to, " %s", text_of(replica, "master"));
    if (text_of(replica, "error")[0] != '\0')
        fprintf(to, " (%s)", text_of(replica, "error"));
    fputs(".\n", to);
    if (text_of(server, "trouble")[0] != '\0')
        fprintf(to, "      It does not have firstchair's tables: %s.\n", text_of(server, "trouble"));
    if (text_of(look, "foreign_owner")[0] != '\0')
        fprintf(to, "      Another tool holds active_node there: %s, seen %s.\n", text_of(look, "foreign_owner"),
                text_of(look, "foreign_stamp"));
}

static void explain_view(FILE *to, const cJSON *view)
{
    const int64_t sessions = number_of(view, "sessions", -1), drift = number_of(view, "drift_ms", 0);

    fprintf(to, "    %s ", text_of(view, "proxy"));
    if (!is_true(view, "is_known")) {
        fputs(number_of(view, "age_ms", -1) < 0 ? "has not been read back.\n"
                                                : "does not know it: print its file again (`firstchair haproxy-config`).\n", to);
        return;
    }
    fprintf(to, "%s it", is_true(view, "is_usable") ? "sends traffic to" : "sends no traffic to");
    if (sessions >= 0)
        fprintf(to, " (%" PRId64 " session%s)", sessions, sessions == 1 ? "" : "s");
    fprintf(to, ", calls it '%s'", text_of(view, "status"));
    if (number_of(view, "epoch", 0) > 0)
        fprintf(to, ", last heard epoch %" PRId64, number_of(view, "epoch", 0));
    fprintf(to, "; read back %s ago.", age_of(view, "age_ms").text);
    if (drift > 0)
        fprintf(to, " This has contradicted our word for %s.", span_of(drift).text);
    fputc('\n', to);
}

static void explain_server(FILE *to, const cJSON *server, struct ctl_style style)
{
    const char *hold = text_of(server, "hold");
    const bool is_held = hold[0] != '\0' && !text_is(hold, "none");
    const cJSON *view;
    struct grid told = { .columns = 1 };

    fputs("  Server ", to);
    print_coloured(to, style, STRONG, text_of(server, "name"));
    fprintf(to, " (%s)\n", text_of(server, "address"));
    put_intent(&told, server);
    fprintf(to, "    HAProxy is told: %s", told.cells > 0 ? told.list[0].text : "");
    free(told.list);
    if (number_of(server, "epoch", 0) > 0)
        fprintf(to, ", epoch %" PRId64, number_of(server, "epoch", 0));
    fprintf(to, "%s%s.\n", text_of(server, "reason")[0] == '\0' ? "" : ", because ", text_of(server, "reason"));
    if (!is_true(server, "is_within_term"))
        fputs("    This node's term for the answer is over: it may not say more.\n", to);
    if (is_held)
        fprintf(to, "    Hold: %s by %s%s%s.\n", hold, text_of(server, "hold_by"),
                text_of(server, "hold_why")[0] == '\0' ? "" : ", because ", text_of(server, "hold_why"));
    else
        fputs("    No operator holds it.\n", to);
    cJSON_ArrayForEach(view, list_of(server, "views"))
        explain_view(to, view);
}

static void explain_pool(FILE *to, const cJSON *status, const cJSON *pool, const char *only, struct ctl_style style)
{
    const cJSON *server;

    print_pool_head(to, status, pool, style);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (text_is(rules[i].kind, text_of(pool, "kind")))
            fprintf(to, "  Rule: %s\n", rules[i].rule);
    }
    if (text_is(text_of(pool, "kind"), "backend")) {
        fputs("  Inputs:\n", to);
        cJSON_ArrayForEach(server, list_of(status, "servers")) {
            if (only[0] == '\0' || text_is(only, text_of(server, "name")))
                explain_inputs(to, server);
        }
    }
    cJSON_ArrayForEach(server, list_of(pool, "servers")) {
        if (only[0] == '\0' || text_is(only, text_of(server, "name")))
            explain_server(to, server, style);
    }
}

void ctl_print_explain(FILE *to, const cJSON *status, const char *pool_name, const char *server, struct ctl_style style)
{
    const cJSON *pool;

    print_node(to, status, style);
    cJSON_ArrayForEach(pool, list_of(status, "pools")) {
        if (pool_name[0] != '\0' && !text_is(pool_name, text_of(pool, "name")))
            continue;
        fputc('\n', to);
        explain_pool(to, status, pool, server, style);
    }
}
