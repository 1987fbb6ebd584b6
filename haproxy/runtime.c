/* HAProxy's stats socket: what we push, and its own view read back.
 *
 * Measured on HAProxy 2.6.12 with the file that proxy_config.c prints (agent 200 ms, token check 300 ms fall 5):
 *  - the reply has one '\n' for each command that was taken. A new connection passed 1.1 to 1.8 ms after the line was sent, from
 *    maint, from DOWN by the token check and from DOWN (agent); an unseating ended the old session in 0.2 to 5 ms through
 *    on-marked-down. In 2 s of polls that say the same afterwards no connection went wrong (5 seatings, 6 unseatings).
 *  - `state ready` must come before `health up`: leaving maint sets the health check one failure away from down (1 of 5), and
 *    `health up` then gives it its full patience, so that one late token does not end fresh sessions.
 *  - `disabled` servers keep bit 4 of srv_admin_state for ever (they show 4 while they serve, 5 in maint): it is a mark of
 *    the configuration, no hold. Usable therefore means no bit except 4.
 *  - last_agt keeps the last poll's words after a push: the epoch read back is what HAProxy was told by a board. */
#include "haproxy/runtime.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"

/* ---- what is pushed ---- */

/* In order, each after "set server POOL/SERVER "; NULL ends. A bare "weight" gets the answer's percent. */
#define PUSH_MOST 4
static const char *const push_words[POOL_KIND_COUNT][VOICE_COUNT][PUSH_MOST + 1] = {
    [POOL_BACKEND] = { [VOICE_FIRST] = { "state ready", "agent up", "health up", "weight 100%" },
                       [VOICE_REST] = { "state maint", "agent down" } },
    [POOL_WRITER] = { [VOICE_FIRST] = { "state ready", "agent up", "health up", "weight 100%" },
                      [VOICE_REST] = { "state maint", "agent down" } },
    [POOL_LEADER] = { [VOICE_FIRST] = { "agent up", "health up" }, [VOICE_REST] = { "agent down" } },
    /* a reader's health is HAProxy's own to judge: no "health up" */
    [POOL_READER] = { [VOICE_REST] = { "state maint", "agent down" },
                      [VOICE_READ] = { "weight", "state ready", "agent up" },
                      [VOICE_LATE] = { "state drain", "weight 100%", "agent up" },
                      [VOICE_BROKEN] = { "agent down", "state ready", "weight 100%" } },
};

static bool push_one(const char *pool, const char *server, const char *word, unsigned weight, bool is_first, char *to,
                     size_t size, size_t *length)
{
    char weighted[24];

    if (text_is(word, "weight")) {
        TEXT_FORMAT(weighted, "weight %u%%", weight < 1 ? 1 : weight > 100 ? 100 : weight);
        word = weighted;
    }
    if (!text_format(to + *length, size - *length, "%sset server %s/%s %s", is_first ? "" : "; ", pool, server, word))
        return false;
    *length += strlen(to + *length);
    return true;
}

size_t runtime_push_format(const char *pool, const char *server, const struct answer *answer, char *to, size_t size)
{
    size_t length = 0;

    if (size == 0)
        return 0;
    to[0] = '\0';
    /* a name with a blank or ';' in it would be another command */
    if (!text_is_name(pool, strlen(pool)) || !text_is_name(server, strlen(server)) ||
        (unsigned)answer->kind >= POOL_KIND_COUNT || (unsigned)answer->voice >= VOICE_COUNT)
        return 0;
    const char *const *words = push_words[answer->kind][answer->voice];
    if (words[0] == NULL)
        return 0;
    for (int i = 0; words[i] != NULL; i++) {
        if (!push_one(pool, server, words[i], answer->weight_percent, i == 0, to, size, &length)) {
            to[0] = '\0';
            return 0;
        }
    }
    if (length + 2 > size) {
        to[0] = '\0';
        return 0;
    }
    to[length++] = '\n';
    to[length] = '\0';
    return length;
}

size_t runtime_look_format(const char *pool, char *to, size_t size)
{
    /* 4 = servers only, -1 = all of them */
    if (size == 0 || !text_is_name(pool, strlen(pool)) ||
        !text_format(to, size, "show info; show servers state %s; show stat %s 4 -1\n", pool, pool))
        return 0;
    return strlen(to);
}

/* ---- what is read back ---- */

struct cursor {
    const char *at, *end;
};

struct span {
    const char *at;
    size_t length;
};

/* The next line without its '\n'. False at the end, and for a last line that is not finished. */
static bool next_line(struct cursor *cursor, struct span *ret)
{
    const char *newline = cursor->at < cursor->end ? memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at)) : NULL;

    if (newline == NULL)
        return false;
    *ret = (struct span){ cursor->at, (size_t)(newline - cursor->at) };
    cursor->at = newline + 1;
    return true;
}

/* Words between blanks ("show servers state"). */
static bool next_word(struct cursor *line, struct span *ret)
{
    while (line->at < line->end && *line->at == ' ')
        line->at++;
    ret->at = line->at;
    while (line->at < line->end && *line->at != ' ')
        line->at++;
    ret->length = (size_t)(line->at - ret->at);
    return ret->length > 0;
}

/* One CSV field, decoded and cut into `to`. Returns false when there is no further field in this line. */
static bool next_field(struct cursor *line, bool *is_more, char *to, size_t size)
{
    size_t length = 0;
    bool is_quoted = false;

    if (!*is_more)
        return false;
    *is_more = false;
    for (; line->at < line->end; line->at++) {
        const char c = *line->at;
        if (c == '"') {
            const bool is_doubled = is_quoted && line->at + 1 < line->end && line->at[1] == '"';
            if (!is_doubled) {
                is_quoted = !is_quoted;
                continue;
            }
            line->at++;
        } else if (c == ',' && !is_quoted) {
            line->at++;
            *is_more = true;
            break;
        }
        if (length + 1 < size)
            to[length++] = c;
    }
    to[length] = '\0';
    text_make_plain(to);
    return true;
}

static bool span_is(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.at, text, span.length) == 0;
}

static bool to_int(struct span span, int *ret)
{
    uint64_t number = 0;

    if (!text_to_u64(span.at, span.length, &number) || number > INT_MAX)
        return false;
    *ret = (int)number;
    return true;
}

static enum fc_code fail_with_line(struct fc_err *err, enum fc_code code, const char *what, struct span line)
{
    char quoted[100];

    text_copy_bytes(quoted, sizeof quoted, line.at, line.length);
    text_make_plain(quoted);
    return fc_fail(err, code, "%s: '%s'", what, quoted);
}

static enum fc_code fail_cut(struct fc_err *err)
{
    return fc_fail(err, FC_BAD_INPUT, "HAProxy's reply is cut short");
}

/* "show servers state": wanted columns, by their place in the line; -1 = not there. */
enum state_column { STATE_POOL, STATE_SERVER, STATE_OP, STATE_ADMIN, STATE_WEIGHT, STATE_COLUMN_COUNT };
static const char *const state_columns[STATE_COLUMN_COUNT] = {
    [STATE_POOL] = "be_name", [STATE_SERVER] = "srv_name", [STATE_OP] = "srv_op_state", [STATE_ADMIN] = "srv_admin_state",
    [STATE_WEIGHT] = "srv_uweight",
};

static bool state_header(struct span line, int places[STATE_COLUMN_COUNT])
{
    struct cursor words = { line.at, line.at + line.length };
    struct span word;
    int found = 0;

    if (!next_word(&words, &word) || !span_is(word, "#"))
        return false;
    for (int place = 0; next_word(&words, &word); place++) {
        for (int i = 0; i < STATE_COLUMN_COUNT; i++) {
            if (span_is(word, state_columns[i])) {
                places[i] = place;
                found |= 1 << i;
            }
        }
    }
    return found == (1 << STATE_COLUMN_COUNT) - 1;
}

static bool state_row(struct span line, const int places[STATE_COLUMN_COUNT], struct proxy_server_view *ret)
{
    struct cursor words = { line.at, line.at + line.length };
    struct span word, wanted[STATE_COLUMN_COUNT] = { { NULL, 0 } };

    for (int place = 0; next_word(&words, &word); place++) {
        for (int i = 0; i < STATE_COLUMN_COUNT; i++) {
            if (places[i] == place)
                wanted[i] = word;
        }
    }
    memset(ret, 0, sizeof *ret);
    ret->current_sessions = -1;
    for (int i = 0; i < STATE_COLUMN_COUNT; i++) {
        if (wanted[i].at == NULL)
            return false;
    }
    text_copy_bytes(ret->pool, sizeof ret->pool, wanted[STATE_POOL].at, wanted[STATE_POOL].length);
    text_copy_bytes(ret->server, sizeof ret->server, wanted[STATE_SERVER].at, wanted[STATE_SERVER].length);
    text_make_plain(ret->pool);
    text_make_plain(ret->server);
    return to_int(wanted[STATE_OP], &ret->op_state) && to_int(wanted[STATE_ADMIN], &ret->admin_state) &&
           to_int(wanted[STATE_WEIGHT], &ret->user_weight);
}

#define ADMIN_CONFIGURED_MAINT 4        /* the mark that `disabled` in the configuration leaves; no hold */

static bool view_is_usable(const struct proxy_server_view *view)
{
    return (view->admin_state & ~ADMIN_CONFIGURED_MAINT) == 0 && (view->op_state == 1 || view->op_state == 2) &&
           view->user_weight > 0;
}

static enum fc_code parse_states(struct cursor *reply, struct proxy_server_view *rows, int most, int *count,
                                 struct fc_err *err)
{
    int places[STATE_COLUMN_COUNT];
    struct proxy_server_view row;
    uint64_t version = 0;
    struct span line;

    if (!next_line(reply, &line))
        return fail_cut(err);
    if (!text_to_u64(line.at, line.length, &version)) {
        static const char absent[] = "Can't find backend";
        const bool is_absent = line.length >= strlen(absent) && memcmp(line.at, absent, strlen(absent)) == 0;
        return fail_with_line(err, is_absent ? FC_NOT_FOUND : FC_BAD_INPUT, "HAProxy does not show its servers", line);
    }
    if (!next_line(reply, &line))
        return fail_cut(err);
    if (!state_header(line, places))
        return fail_with_line(err, FC_BAD_INPUT, "HAProxy's server states lack a column that is needed", line);
    while (next_line(reply, &line)) {
        if (line.length == 0)
            return FC_OK;
        if (!state_row(line, places, &row))
            return fail_with_line(err, FC_BAD_INPUT, "HAProxy shows a server state that cannot be read", line);
        row.is_usable = view_is_usable(&row);
        if (*count < most)
            rows[(*count)++] = row;
    }
    return fail_cut(err);
}

/* "show stat": the same by name, as real CSV. */
enum stat_column { STAT_POOL, STAT_SERVER, STAT_SESSIONS, STAT_STATUS, STAT_CHECK, STAT_AGENT, STAT_LAST, STAT_COLUMN_COUNT };
static const char *const stat_columns[STAT_COLUMN_COUNT] = {
    [STAT_POOL] = "pxname", [STAT_SERVER] = "svname", [STAT_SESSIONS] = "scur", [STAT_STATUS] = "status",
    [STAT_CHECK] = "check_status", [STAT_AGENT] = "agent_status", [STAT_LAST] = "last_agt",
};

/* As a line, except that a newline inside quotes does not end it. */
static bool next_record(struct cursor *cursor, struct span *ret)
{
    bool is_quoted = false;

    for (const char *c = cursor->at; c < cursor->end; c++) {
        if (*c == '"')
            is_quoted = !is_quoted;
        if (*c == '\n' && !is_quoted) {
            *ret = (struct span){ cursor->at, (size_t)(c - cursor->at) };
            cursor->at = c + 1;
            return true;
        }
    }
    return false;
}

static bool stat_header(struct span line, int places[STAT_COLUMN_COUNT])
{
    struct cursor fields = { line.at + 2, line.at + line.length };
    char name[64];
    bool is_more = true;
    int found = 0;

    if (line.length < 2 || memcmp(line.at, "# ", 2) != 0)
        return false;
    for (int place = 0; next_field(&fields, &is_more, name, sizeof name); place++) {
        for (int i = 0; i < STAT_COLUMN_COUNT; i++) {
            if (text_is(name, stat_columns[i])) {
                places[i] = place;
                found |= 1 << i;
            }
        }
    }
    return found == (1 << STAT_COLUMN_COUNT) - 1;
}

/* HAProxy tells our line as "via agent : up (fc-ok e=9 why)": the epoch is ours only at the place where we write it. */
static uint64_t epoch_told(const char *last_agent)
{
    const char *at = strchr(last_agent, '(');
    uint64_t epoch = 0;

    if (at == NULL)
        return 0;
    at++;
    if (text_begins(at, "fc-ok "))
        at += strlen("fc-ok ");
    if (!text_begins(at, "e=") || !text_to_u64(at + 2, strspn(at + 2, "0123456789"), &epoch))
        return 0;
    return epoch;
}

static bool stat_row(struct span line, const int places[STAT_COLUMN_COUNT], struct proxy_server_view *rows, int count)
{
    struct cursor fields = { line.at, line.at + line.length };
    char field[128], wanted[STAT_COLUMN_COUNT][sizeof field];
    bool is_more = true;
    int found = 0;

    for (int place = 0; next_field(&fields, &is_more, field, sizeof field); place++) {
        for (int i = 0; i < STAT_COLUMN_COUNT; i++) {
            if (places[i] == place) {
                TEXT_SET(wanted[i], field);
                found |= 1 << i;
            }
        }
    }
    if (found != (1 << STAT_COLUMN_COUNT) - 1)
        return false;
    for (int i = 0; i < count; i++) {
        if (!text_is(rows[i].pool, wanted[STAT_POOL]) || !text_is(rows[i].server, wanted[STAT_SERVER]))
            continue;
        if (!to_int((struct span){ wanted[STAT_SESSIONS], strlen(wanted[STAT_SESSIONS]) }, &rows[i].current_sessions))
            rows[i].current_sessions = -1;
        TEXT_SET(rows[i].status, wanted[STAT_STATUS]);
        TEXT_SET(rows[i].check_status, wanted[STAT_CHECK]);
        TEXT_SET(rows[i].agent_status, wanted[STAT_AGENT]);
        TEXT_SET(rows[i].last_agent, wanted[STAT_LAST]);
        rows[i].epoch = epoch_told(rows[i].last_agent);
    }
    return true;
}

static enum fc_code parse_stats(struct cursor *reply, struct proxy_server_view *rows, int count, struct fc_err *err)
{
    int places[STAT_COLUMN_COUNT];
    struct span line;

    if (!next_record(reply, &line))
        return fail_cut(err);
    if (!stat_header(line, places))
        return fail_with_line(err, FC_BAD_INPUT, "HAProxy's statistics lack a column that is needed", line);
    while (next_record(reply, &line)) {
        if (line.length == 0)
            return FC_OK;
        if (!stat_row(line, places, rows, count))
            return fail_with_line(err, FC_BAD_INPUT, "HAProxy's statistics have a line that cannot be read", line);
    }
    return fail_cut(err);
}

/* "show info": "Name: value" lines up to an empty one. */
static enum fc_code parse_info(struct cursor *reply, int64_t *uptime_ms, struct fc_err *err)
{
    static const char uptime[] = "Uptime_sec: ";
    struct span line;
    uint64_t seconds;

    *uptime_ms = -1;
    while (next_line(reply, &line)) {
        if (line.length == 0)
            return FC_OK;
        if (memchr(line.at, ':', line.length) == NULL)
            return fail_with_line(err, FC_BAD_INPUT, "HAProxy does not tell about itself", line);
        if (line.length >= strlen(uptime) && memcmp(line.at, uptime, strlen(uptime)) == 0 &&
            text_to_u64(line.at + strlen(uptime), line.length - strlen(uptime), &seconds) && seconds < INT64_MAX / 1000)
            *uptime_ms = (int64_t)seconds * 1000;
    }
    return fail_cut(err);
}

enum fc_code runtime_look_parse(const char *bytes, size_t length, struct proxy_server_view *rows, int most, int *count,
                                int64_t *uptime_ms, struct fc_err *err)
{
    struct cursor reply = { bytes, bytes + length };
    int seen = 0;

    enum fc_code code = parse_info(&reply, uptime_ms, err);
    if (code == FC_OK)
        code = parse_states(&reply, rows, most, &seen, err);
    if (code == FC_OK)
        code = parse_stats(&reply, rows, seen, err);
    *count = code == FC_OK ? seen : 0;
    return code;
}
