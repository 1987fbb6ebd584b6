/* The grammar of orders: one row a verb, one small parser a shape of operands.
 *
 * Accepts leniently (any case for verbs, "POOL SERVER" for "POOL/SERVER", "--force" for "force") and refuses the rest with a
 * sentence that helps: what was not understood, and how the verb is used. Never reads past the length given. */
#include "act/orders.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

const struct verb_row verb_table[VERB_COUNT] = {
    [VERB_STATUS] = { "status", "status", "The whole picture of this node.", "status", false, false },
    [VERB_POOLS] = { "pools", "pools", "Each pool: who sits, since when, and what its servers are told.", "pools",
                     false, false },
    [VERB_EVENTS] = { "events", "events [COUNT]", "What happened lately, oldest first.", "events 20", false, false },
    [VERB_EXPLAIN] = { "explain", "explain [POOL[/SERVER] | leader | HAPROXY | ORDER]",
                       "Why things are as they are: the rule, its inputs, what else could be and why it is not, what would change "
                       "it. Of an order: what would happen, without giving it.",
                       "explain switch fc_backend db2", false, false },
    [VERB_PLAN] = { "plan", "plan [POOL]", "What would be done about the chair next, step by step, or how far the move is.",
                    "plan fc_backend", false, false },
    [VERB_HISTORY] = { "history", "history [COUNT] [SUBJECT] [since TIME] [before ID]",
                       "What the store remembers, oldest first: moves, hand-overs, orders, holds, strays. SUBJECT is a pool or "
                       "`leader`; TIME is 90s, 15m, 2h, 3d ago or 2026-01-31T12:00:00Z.",
                       "history 50 fc_backend since 2h", false, false },
    [VERB_VERIFY] = { "verify-backends", "verify-backends",
                      "Checks now what the mode needs on each server of the pair, and compares their decision tables.",
                      "verify-backends", false, false },
    [VERB_SWITCH] = { "switch", "switch POOL [to] SERVER [force] [within SECONDS]",
                      "Seats another server: revoke, fence, catch up, open, grant. Force waives the rules that stand against it and the wait "
                      "for the catch-up; the answer names which, and what may be lost. It never skips the fence.",
                      "switch fc_backend to db2 within 10", true, true },
    [VERB_FAILBACK] = { "failback", "failback POOL", "Seats the preferred server of the pool again.", "failback fc_backend",
                        true, true },
    [VERB_MAINT] = { "maint", "maint POOL/SERVER [because TEXT]",
                     "Keeps a server that does not sit out of the chair. Refused for the one that sits: switch first.",
                     "maint fc_backend/db2 because disk swap", true, true },
    [VERB_DOWN] = { "down", "down POOL/SERVER [because TEXT]", "As maint, in HAProxy's word.", "down fc_backend/db2 because new disk",
                    true, true },
    [VERB_DRAIN] = { "drain", "drain POOL/SERVER [because TEXT]",
                     "As maint; HAProxy lets sessions that exist come to their end.", "drain fc_backend/db2", true, true },
    [VERB_READY] = { "ready", "ready POOL/SERVER", "Removes the operator's hold from a server. It never seats one.",
                     "ready fc_backend/db2", true, true },
    [VERB_UP] = { "up", "up POOL/SERVER", "As ready: no order makes a second server of the pool usable.", "up fc_backend/db2", true, true },
    [VERB_WEIGHT] = { "weight", "weight POOL/SERVER PERCENT",
                      "Of a server in a pool with one writer: more than 0 removes the operator's hold, as ready; there is nothing to share, "
                      "so everything else is refused.",
                      "weight fc_backend/db2 100", true, true },
    [VERB_PAUSE] = { "pause", "pause POOL [because TEXT]",
                     "HAProxy keeps what it has: the pool is answered neutral and nothing moves.",
                     "pause fc_backend because network work", true, true },
    [VERB_RESUME] = { "resume", "resume POOL", "Ends the pause.", "resume fc_backend", true, true },
    [VERB_YIELD] = { "yield", "yield [[to] NODE] [from NODE]",
                     "The leader gives its lease back and does not stand again for a while. With raft its successor can be named. "
                     "With `from` only if that node leads.", "yield",
                     true, true },
    [VERB_RAFT_ADD] = { "raft-add", "raft-add NODE@HOST:PORT",
                        "Takes a node with an empty RaftDataDir into the raft group, as a learner: it is given the log and does not vote.",
                        "raft-add fc4@10.0.9.4:10008", true, true },
    [VERB_RAFT_PROMOTE] = { "raft-promote", "raft-promote NODE", "Makes a learner that has caught up a voter.", "raft-promote fc4", true, true },
    [VERB_RAFT_REMOVE] = { "raft-remove", "raft-remove NODE",
                           "Removes a member of the raft group, alive or not. Refused for the one that leads, and where too few would be left.",
                           "raft-remove fc2", true, true },
    [VERB_RAFT_BACKUP] = { "raft-backup", "raft-backup",
                           "What all nodes hold in common, as a text for `firstchair raft-restore`; `firstchairctl --to FILE` keeps it.",
                           "raft-backup", false, false },
};

/* ---- words ---- */

struct words { const char *at, *end; };

struct word { const char *text; size_t length; };

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }
static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static struct word peek(const struct words *words)
{
    const char *from = words->at;
    while (from < words->end && is_blank(*from))
        from++;
    const char *to = from;
    while (to < words->end && !is_blank(*to))
        to++;
    return (struct word){ from, (size_t)(to - from) };
}

static struct word take(struct words *words)
{
    const struct word word = peek(words);
    words->at = word.text + word.length;
    return word;
}

static bool word_is(struct word word, const char *text)
{
    char copy[16];
    return word.length == strlen(text) && text_copy_bytes(copy, sizeof copy, word.text, word.length) &&
           text_is_nocase(copy, text);   /* the length first: a zero byte within a word does not end it */
}

static bool take_if(struct words *words, const char *text)
{
    if (!word_is(peek(words), text))
        return false;
    take(words);
    return true;
}

/* A word as it may be said back: short, and nothing in it that disturbs a terminal or a protocol. */
struct echo { char text[40]; };

static struct echo echo_of(struct word word)
{
    struct echo echo;
    text_copy_bytes(echo.text, sizeof echo.text, word.text, word.length);
    text_make_plain(echo.text);
    return echo;
}

/* ---- failures ---- */

static enum fc_code misused(const struct order *order, const char *what, struct fc_err *err)
{
    return fc_fail(err, FC_BAD_INPUT, "%s: %s; usage: %s", verb_table[order->verb].word, what,
                   verb_table[order->verb].usage);
}

static enum fc_code misplaced(const struct order *order, struct word word, struct fc_err *err)
{
    return fc_fail(err, FC_BAD_INPUT, "%s: '%s' is not understood here; usage: %s", verb_table[order->verb].word,
                   echo_of(word).text, verb_table[order->verb].usage);
}

static enum fc_code at_end(const struct order *order, struct words *words, struct fc_err *err)
{
    const struct word rest = peek(words);
    return rest.length == 0 ? FC_OK : misplaced(order, rest, err);
}

/* ---- operands ---- */

static enum fc_code name_into(const struct order *order, const char *what, struct word word, char to[64], struct fc_err *err)
{
    if (!text_is_name(word.text, word.length))
        return fc_fail(err, FC_BAD_INPUT, "%s: '%s' cannot be the name of a %s: 1 to 63 letters, digits, '.', '_' or '-'; "
                       "usage: %s", verb_table[order->verb].word, echo_of(word).text, what, verb_table[order->verb].usage);
    text_copy_bytes(to, 64, word.text, word.length);
    return FC_OK;
}

/* POOL or POOL/SERVER in one word. */
static enum fc_code target_into(struct order *order, struct word word, struct fc_err *err)
{
    const char *slash = memchr(word.text, '/', word.length);
    const size_t pool_length = slash == NULL ? word.length : (size_t)(slash - word.text);
    const enum fc_code code = name_into(order, "pool", (struct word){ word.text, pool_length }, order->pool, err);

    if (code != FC_OK || slash == NULL)
        return code;
    return name_into(order, "server", (struct word){ slash + 1, word.length - pool_length - 1 }, order->server, err);
}

static enum fc_code take_pool(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);

    if (word.length == 0)
        return misused(order, "the pool is missing", err);
    return name_into(order, "pool", word, order->pool, err);
}

static enum fc_code take_target(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);

    if (word.length == 0)
        return misused(order, "the pool and the server are missing", err);
    const enum fc_code code = target_into(order, word, err);
    if (code != FC_OK || order->server[0] != '\0')
        return code;
    const struct word second = peek(words);
    if (second.length == 0 || word_is(second, "because"))
        return misused(order, "the server is missing", err);
    return name_into(order, "server", take(words), order->server, err);
}

/* The length of the UTF-8 sequence at `at`, 0 when it is none, is overlong, or is a control character. */
static size_t plain_character(const unsigned char *at, size_t left)
{
    static const uint32_t least[] = { 0, 0x20, 0xa0, 0x800, 0x10000 };
    const size_t size = at[0] < 0x80 ? 1 : at[0] >= 0xf0 && at[0] < 0xf8 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc0 ? 2 : 0;

    if (size == 0 || at[0] >= 0xf8 || size > left || at[0] == 0x7f)
        return 0;
    uint32_t value = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3fu);
    }
    const bool is_surrogate = value >= 0xd800 && value < 0xe000;
    return value >= least[size] && value <= 0x10ffff && !is_surrogate ? size : 0;
}

static enum fc_code take_because(struct order *order, struct words *words, struct fc_err *err)
{
    if (peek(words).length == 0)
        return FC_OK;
    if (!take_if(words, "because"))
        return misplaced(order, peek(words), err);
    const char *from = peek(words).text;
    size_t length = (size_t)(words->end - from);
    while (length > 0 && is_blank(from[length - 1]))
        length--;
    if (length == 0)
        return misused(order, "'because' stands without its text", err);
    if (length >= sizeof order->because)
        return fc_fail(err, FC_BAD_INPUT, "%s: the text after 'because' has %zu bytes; at most %zu fit",
                       verb_table[order->verb].word, length, sizeof order->because - 1);
    for (size_t i = 0, size; i < length; i += size) {
        size = plain_character((const unsigned char *)from + i, length - i);
        if (size == 0)
            return misused(order, "the text after 'because' must be one line of plain UTF-8", err);
    }
    text_copy_bytes(order->because, sizeof order->because, from, length);
    return FC_OK;
}

/* ---- shapes ---- */

static enum fc_code parse_nothing(struct order *order, struct words *words, struct fc_err *err)
{
    return at_end(order, words, err);
}

#define EVENTS_ASKED_MAX 10000           /* far more than are kept */

static enum fc_code parse_count(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);
    uint64_t count = 0;

    if (word.length > 0 && (!text_to_u64(word.text, word.length, &count) || count == 0 || count > EVENTS_ASKED_MAX))
        return fc_fail(err, FC_BAD_INPUT, "%s: '%s' must be a number from 1 to %d; usage: %s",
                       verb_table[order->verb].word, echo_of(word).text, EVENTS_ASKED_MAX, verb_table[order->verb].usage);
    order->count = (int)count;
    return at_end(order, words, err);
}

static enum fc_code parse_maybe_target(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);
    enum fc_code code = FC_OK;

    if (word.length > 0)
        code = target_into(order, word, err);
    const struct word second = peek(words);
    if (code == FC_OK && order->server[0] == '\0' && second.length > 0)
        code = name_into(order, "server", take(words), order->server, err);
    return code == FC_OK ? at_end(order, words, err) : code;
}

static enum fc_code parse_pool(struct order *order, struct words *words, struct fc_err *err)
{
    const enum fc_code code = take_pool(order, words, err);
    return code == FC_OK ? at_end(order, words, err) : code;
}

static enum fc_code parse_pool_because(struct order *order, struct words *words, struct fc_err *err)
{
    const enum fc_code code = take_pool(order, words, err);
    return code == FC_OK ? take_because(order, words, err) : code;
}

static enum fc_code parse_target(struct order *order, struct words *words, struct fc_err *err)
{
    const enum fc_code code = take_target(order, words, err);
    return code == FC_OK ? at_end(order, words, err) : code;
}

static enum fc_code parse_weight(struct order *order, struct words *words, struct fc_err *err)
{
    const enum fc_code code = take_target(order, words, err);
    if (code != FC_OK)
        return code;
    const struct word word = take(words);
    const size_t unit = word.length > 1 && word.text[word.length - 1] == '%' ? 1 : 0;
    uint64_t percent;
    if (word.length == 0)
        return misused(order, "the weight is missing", err);
    if (!text_to_u64(word.text, word.length - unit, &percent) || percent > 100)
        return fc_fail(err, FC_BAD_INPUT, "weight: '%s' must be a percentage from 0 to 100; usage: %s", echo_of(word).text,
                       verb_table[order->verb].usage);
    order->weight_percent = (int)percent;
    return at_end(order, words, err);
}

static enum fc_code parse_target_because(struct order *order, struct words *words, struct fc_err *err)
{
    const enum fc_code code = take_target(order, words, err);
    return code == FC_OK ? take_because(order, words, err) : code;
}

/* "switch fc_backend db2" behind `explain`: checked as it would be if it were given, and kept as it stands. */
static enum fc_code parse_about(struct order *order, struct words *words, struct fc_err *err)
{
    struct order asked;
    const char *from = peek(words).text;
    size_t length = (size_t)(words->end - from);
    while (length > 0 && is_blank(from[length - 1]))
        length--;
    if (length >= sizeof order->about)
        return fc_fail(err, FC_BAD_INPUT, "explain: the order has %zu bytes; at most %zu are read", length, sizeof order->about - 1);
    const enum fc_code code = order_parse(from, length, &asked, err);
    if (code == FC_OK)
        text_copy_bytes(order->about, sizeof order->about, from, length);
    return code;
}

static enum fc_code parse_explain(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = peek(words);
    for (int i = 0; i < VERB_COUNT; i++) {
        if (verb_table[i].changes && word_is(word, verb_table[i].word))
            return parse_about(order, words, err);
    }
    return parse_maybe_target(order, words, err);
}

static enum fc_code parse_plan(struct order *order, struct words *words, struct fc_err *err)
{
    return peek(words).length == 0 ? FC_OK : parse_pool(order, words, err);
}

/* ---- moments ---- */

#define AGO_MAX_SECONDS (366 * 86400ull)     /* far longer than history is kept */

static bool ago_of(struct word word, int64_t *ret)
{
    static const struct { char unit; uint64_t seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    uint64_t count;
    if (word.length < 2 || word.length > 9 || !text_to_u64(word.text, word.length - 1, &count) || count == 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (lower(word.text[word.length - 1]) == units[i].unit && count * units[i].seconds <= AGO_MAX_SECONDS) {
            *ret = -(int64_t)(count * units[i].seconds * 1000);
            return true;
        }
    }
    return false;
}

static int64_t days_before(int64_t year, int64_t month, int64_t day)       /* since 1970-01-01, Gregorian */
{
    const int64_t y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* "2026-01-31", "2026-01-31T12:00", "2026-01-31T12:00:00", with or without a Z: UTC. */
static bool moment_of(struct word word, int64_t *ret)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint64_t part[6] = { 0 };
    const size_t length = word.length > 0 && lower(word.text[word.length - 1]) == 'z' ? word.length - 1 : word.length;
    int at = 0;
    if (length != 10 && length != 16 && length != 19)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char c = word.text[i];
        if (form[i] == 'd' ? c < '0' || c > '9' : lower(c) != lower(form[i]))
            return false;
        at += form[i] != 'd';
        if (form[i] == 'd')
            part[at] = part[at] * 10 + (uint64_t)(c - '0');
    }
    const bool is_leap = part[0] % 4 == 0 && (part[0] % 100 != 0 || part[0] % 400 == 0);
    if (part[0] < 1971 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
        part[2] > (uint64_t)month_days[part[1] - 1] + (part[1] == 2 && is_leap ? 1 : 0) || part[3] > 23 || part[4] > 59 || part[5] > 59)
        return false;
    *ret = ((days_before((int64_t)part[0], (int64_t)part[1], (int64_t)part[2]) * 24 + (int64_t)part[3]) * 60 + (int64_t)part[4]) * 60000 +
           (int64_t)part[5] * 1000;
    return true;
}

static enum fc_code take_since(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);
    if (word.length == 0)
        return misused(order, "'since' stands without its time", err);
    if (!ago_of(word, &order->since_unix_ms) && !moment_of(word, &order->since_unix_ms))
        return fc_fail(err, FC_BAD_INPUT, "%s: since '%s' must be 90s, 15m, 2h, 3d or 2026-01-31T12:00:00Z; usage: %s",
                       verb_table[order->verb].word, echo_of(word).text, verb_table[order->verb].usage);
    return FC_OK;
}

static enum fc_code take_before(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);
    if (!text_to_u64(word.text, word.length, &order->before) || order->before == 0 || order->before >= UINT64_C(1) << 53)
        return fc_fail(err, FC_BAD_INPUT, "%s: before '%s' must be the id of a line of history; usage: %s",
                       verb_table[order->verb].word, echo_of(word).text, verb_table[order->verb].usage);
    return FC_OK;
}

static enum fc_code parse_history(struct order *order, struct words *words, struct fc_err *err)
{
    enum fc_code code = FC_OK;
    uint64_t count;
    while (code == FC_OK && peek(words).length > 0) {
        const struct word word = peek(words);
        if (order->since_unix_ms == 0 && take_if(words, "since")) {
            code = take_since(order, words, err);
        } else if (order->before == 0 && take_if(words, "before")) {
            code = take_before(order, words, err);
        } else if (order->count == 0 && text_to_u64(word.text, word.length, &count)) {
            if (count == 0 || count > HISTORY_ASKED_MAX)
                return fc_fail(err, FC_BAD_INPUT, "%s: '%s' must be a number from 1 to %d; usage: %s", verb_table[order->verb].word,
                               echo_of(word).text, HISTORY_ASKED_MAX, verb_table[order->verb].usage);
            order->count = (int)count;
            take(words);
        } else if (order->pool[0] == '\0') {
            code = name_into(order, "subject", take(words), order->pool, err);
        } else {
            code = misplaced(order, word, err);
        }
    }
    return code;
}

#define LIMIT_MAX_SECONDS 3600           /* a chair empty for longer than an hour is no switch any more */

static enum fc_code take_limit(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);
    const size_t unit = word.length > 1 && (word.text[word.length - 1] | 0x20) == 's' ? 1 : 0;
    uint64_t seconds;

    if (word.length == 0)
        return misused(order, "'within' stands without its seconds", err);
    if (!text_to_u64(word.text, word.length - unit, &seconds) || seconds == 0 || seconds > LIMIT_MAX_SECONDS)
        return fc_fail(err, FC_BAD_INPUT, "%s: within '%s' must be 1 to %d seconds; usage: %s", verb_table[order->verb].word,
                       echo_of(word).text, LIMIT_MAX_SECONDS, verb_table[order->verb].usage);
    order->limit_ms = (uint32_t)seconds * 1000;
    return FC_OK;
}

static enum fc_code parse_switch(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word target = take(words);
    enum fc_code code;

    if (target.length == 0)
        return misused(order, "the pool and the server are missing", err);
    if ((code = target_into(order, target, err)) != FC_OK)
        return code;
    if (order->server[0] == '\0') {
        take_if(words, "to");
        const struct word server = take(words);
        if (server.length == 0)
            return misused(order, "the server is missing", err);
        if ((code = name_into(order, "server", server, order->server, err)) != FC_OK)
            return code;
    }
    while (peek(words).length > 0) {
        if (!order->is_forced && (take_if(words, "force") || take_if(words, "--force")))
            order->is_forced = true;
        else if (order->limit_ms == 0 && take_if(words, "within"))
            code = take_limit(order, words, err);
        else
            return misplaced(order, peek(words), err);
        if (code != FC_OK)
            return code;
    }
    return FC_OK;
}

static enum fc_code parse_yield(struct order *order, struct words *words, struct fc_err *err)
{
    enum fc_code code = FC_OK;
    while (code == FC_OK && peek(words).length > 0) {
        if (order->from[0] == '\0' && take_if(words, "from")) {
            code = peek(words).length == 0 ? misused(order, "'from' stands without its node", err)
                                           : name_into(order, "node", take(words), order->from, err);
        } else if (order->server[0] == '\0') {
            take_if(words, "to");
            code = peek(words).length == 0 ? misused(order, "'to' stands without its node", err)
                                           : name_into(order, "node", take(words), order->server, err);
        } else {
            code = misplaced(order, peek(words), err);
        }
    }
    return code;
}

static enum fc_code parse_member(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);
    if (word.length == 0)
        return misused(order, "the node is missing", err);
    const enum fc_code code = name_into(order, "node", word, order->server, err);
    return code == FC_OK ? at_end(order, words, err) : code;
}

/* It is kept in the log, and shown. */
static bool is_plain_address(const char *address)
{
    return address[strspn(address, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:[]")] == '\0';
}

static enum fc_code parse_new_member(struct order *order, struct words *words, struct fc_err *err)
{
    const struct word word = take(words);
    const char *at = memchr(word.text, '@', word.length);
    char host[ADDRESS_SIZE];
    int port = 0;

    if (word.length == 0)
        return misused(order, "the node and its address are missing", err);
    if (at == NULL)
        return misused(order, "the address is missing: NODE@HOST:PORT", err);
    const size_t name_length = (size_t)(at - word.text);
    const enum fc_code code = name_into(order, "node", (struct word){ word.text, name_length }, order->server, err);
    if (code != FC_OK)
        return code;
    if (!text_copy_bytes(order->address, sizeof order->address, at + 1, word.length - name_length - 1) ||
        !is_plain_address(order->address) || !address_split(order->address, host, sizeof host, &port) || host[0] == '\0' || port == 0)
        return misused(order, "the address must be HOST:PORT", err);
    return at_end(order, words, err);
}

typedef enum fc_code parse_operands(struct order *order, struct words *words, struct fc_err *err);

static parse_operands *const operands_of[VERB_COUNT] = {
    [VERB_STATUS] = parse_nothing, [VERB_POOLS] = parse_nothing, [VERB_EVENTS] = parse_count,
    [VERB_EXPLAIN] = parse_explain, [VERB_PLAN] = parse_plan, [VERB_HISTORY] = parse_history, [VERB_VERIFY] = parse_nothing,
    [VERB_SWITCH] = parse_switch, [VERB_FAILBACK] = parse_pool,
    [VERB_DOWN] = parse_target_because, [VERB_UP] = parse_target, [VERB_WEIGHT] = parse_weight,
    [VERB_MAINT] = parse_target_because, [VERB_DRAIN] = parse_target_because, [VERB_READY] = parse_target,
    [VERB_PAUSE] = parse_pool_because, [VERB_RESUME] = parse_pool, [VERB_YIELD] = parse_yield,
    [VERB_RAFT_ADD] = parse_new_member, [VERB_RAFT_PROMOTE] = parse_member, [VERB_RAFT_REMOVE] = parse_member, [VERB_RAFT_BACKUP] = parse_nothing,
};

/* ---- the verb ---- */

/* Letters to insert, remove or change. Both are short: the longest verb has fifteen letters. */
static int letters_apart(struct word given, const char *verb)
{
    int row[16];
    const int width = (int)strlen(verb);

    assert(width < 16);
    for (int j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; i <= given.length; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (int j = 1; j <= width; j++) {
            const int changed = diagonal + (lower(given.text[i - 1]) != verb[j - 1]);
            const int shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = changed < shorter ? changed : shorter;
        }
    }
    return row[width];
}

static enum fc_code unknown_verb(struct word word, struct fc_err *err)
{
    int best = 3;                        /* further off than two letters is another word */
    const struct verb_row *nearest = NULL;

    for (int i = 0; i < VERB_COUNT && word.length < 16; i++) {
        const int apart = letters_apart(word, verb_table[i].word);
        if (apart < best) {
            best = apart;
            nearest = &verb_table[i];
        }
    }
    if (nearest != NULL)
        return fc_fail(err, FC_BAD_INPUT, "'%s' is not an order; the nearest is: %s", echo_of(word).text, nearest->usage);
    return fc_fail(err, FC_BAD_INPUT, "'%s' is not an order; orders are status, pools, events, explain, plan, history, "
                   "verify-backends, switch, failback, maint, down, drain, ready, up, weight, pause, resume, yield, raft-add, raft-promote, raft-remove and raft-backup", echo_of(word).text);
}

enum fc_code order_parse(const char *text, size_t length, struct order *ret, struct fc_err *err)
{
    struct words words = { text, text + length };
    struct order order = { .verb = VERB_COUNT };

    if (length > ORDER_TEXT_MAX)
        return fc_fail(err, FC_BAD_INPUT, "the order has %zu bytes; at most %d are read", length, ORDER_TEXT_MAX);
    const struct word word = take(&words);
    if (word.length == 0)
        return fc_fail(err, FC_BAD_INPUT, "the order is empty; for example: %s", verb_table[VERB_STATUS].example);
    for (int i = 0; i < VERB_COUNT; i++) {
        if (word_is(word, verb_table[i].word))
            order.verb = (enum verb)i;
    }
    if (order.verb == VERB_COUNT)
        return unknown_verb(word, err);
    const enum fc_code code = operands_of[order.verb](&order, &words, err);
    if (code == FC_OK)
        *ret = order;
    return code;
}
