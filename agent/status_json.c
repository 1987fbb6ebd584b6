/* The picture as JSON, from one table per struct: a row is a field, where it stands, how it is shown and what it means.
 *
 * The same tables print the documentation, so a field cannot be shown and not be written down. A short walker turns a struct
 * into a cJSON tree; whatever fails on the way is lack of memory, and then the whole answer is dropped. */
#include "agent/status_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

enum shown {
    SHOWN_TEXT,          /* char array */
    SHOWN_BOOL,
    SHOWN_INT,           /* int */
    SHOWN_U8, SHOWN_U32, SHOWN_U64,
    SHOWN_AGE,           /* int64_t milliseconds; negative is null */
    SHOWN_UNIX,          /* int64_t wall clock in ms: a text and a number; 0 is null */
    SHOWN_WORD,          /* an enumeration, by `word` */
    SHOWN_PART,          /* one struct, by `rows` */
    SHOWN_PART_IF,       /* the same, or null when the bool at `count` is false */
    SHOWN_LIST,          /* `stride` bytes each, as many as the int at `count` says, by `rows` */
};

struct field {
    const char *name;
    enum shown as;
    size_t offset;
    const struct field *rows;
    size_t count, stride;
    const char *(*word)(const void *value);
    const char *meaning;
};

/* ---- words ---- */

static const char *const level_words[] = {
    [NOTE_DEBUG] = "debug", [NOTE_INFO] = "info", [NOTE_WARNING] = "warning", [NOTE_ALARM] = "alarm",
};

const char *note_level_word(enum note_level level)
{
    return (size_t)level < sizeof level_words / sizeof *level_words ? level_words[level] : "unknown";
}

static const char *word_of_level(const void *value) { return note_level_word(*(const enum note_level *)value); }
static const char *word_of_need(const void *value) { return *(const char *const *)value; }
static const char *word_of_severity(const void *value) { return need_severity_word(*(const enum need_severity *)value); }
static const char *word_of_loss(const void *value) { return loss_word(*(const enum loss *)value); }
static const char *word_of_thread(const void *value) { return thread_state_word(*(const enum thread_state *)value); }
static const char *word_of_hold(const void *value) { return hold_kind_word(*(const enum hold_kind *)value); }
static const char *word_of_order(const void *value) { return order_state_word(*(const enum order_state *)value); }
static const char *word_of_phase(const void *value) { return phase_word(*(const enum phase *)value); }
static const char *word_of_kind(const void *value) { return pool_kind_word(*(const enum pool_kind *)value); }
static const char *word_of_voice(const void *value) { return voice_word(*(const enum voice *)value); }

/* ---- tables ---- */

#define FIELD(type, member, as, meaning) { #member, SHOWN_##as, offsetof(struct type, member), NULL, 0, 0, NULL, meaning }
#define NAMED(type, name, member, as, meaning) { name, SHOWN_##as, offsetof(struct type, member), NULL, 0, 0, NULL, meaning }
#define WORD(type, name, member, word, meaning) { name, SHOWN_WORD, offsetof(struct type, member), NULL, 0, 0, word, meaning }
#define PART(type, member, rows, meaning) { #member, SHOWN_PART, offsetof(struct type, member), rows, 0, 0, NULL, meaning }
#define LIST(type, member, counter, rows, meaning)                                                             \
    { #member, SHOWN_LIST, offsetof(struct type, member), rows, offsetof(struct type, counter),                \
      sizeof(((struct type *)0)->member[0]), NULL, meaning }
#define END { NULL, SHOWN_TEXT, 0, NULL, 0, 0, NULL, NULL }

static const struct field event_fields[] = {
    FIELD(status_event, seq, U64, "number of the event at this node; rises"),
    NAMED(status_event, "at", unix_ms, UNIX, "when it was noted"),
    WORD(status_event, "level", level, word_of_level, "`debug`, `info`, `warning` or `alarm`"),
    FIELD(status_event, subject, TEXT, "what it is about: a pool, server, node or proxy"),
    FIELD(status_event, epoch, U64, "the epoch at that time; 0 = none"),
    FIELD(status_event, text, TEXT, "one sentence"),
    END
};

static const struct field position_fields[] = {
    FIELD(log_position, file, TEXT, "binary log"),
    FIELD(log_position, offset, U64, "byte in it"),
    END
};

static const struct field replica_fields[] = {
    FIELD(replica_look, is_configured, BOOL, "the server is told to replicate"),
    WORD(replica_look, "io", io, word_of_thread, "fetching thread; `connecting` = its master is lost to it"),
    WORD(replica_look, "sql", sql, word_of_thread, "applying thread"),
    FIELD(replica_look, lag_ms, AGE, "how far behind its master; null = unknown"),
    FIELD(replica_look, master, TEXT, "host:port it replicates from"),
    PART(replica_look, read, position_fields, "how far its master's log is fetched"),
    PART(replica_look, applied, position_fields, "how far its master's log is applied"),
    FIELD(replica_look, error, TEXT, "last replication error"),
    END
};

static const struct field decision_fields[] = {
    NAMED(decision, "epoch", rank.epoch, U64, "age of the chair"),
    NAMED(decision, "seq", rank.seq, U64, "renewals within the epoch"),
    NAMED(decision, "server", rank.server, TEXT, "identity of the server that sits (or sat, while moving)"),
    NAMED(decision, "node", rank.node, TEXT, "node that leads, with the mark of its process"),
    WORD(decision, "phase", phase, word_of_phase, "`seated` or `moving`"),
    FIELD(decision, successor, TEXT, "identity of the server that is to sit; only while moving"),
    FIELD(decision, intent_id, U64, "number of the move; 0 = none"),
    FIELD(decision, limit_ms, U32, "the move's bound in time"),
    FIELD(decision, why, TEXT, "why this server sits or the chair moves"),
    FIELD(decision, mark, TEXT, "what the seating could not assure, as stored: words of `unfenced` and `stale@SECONDS`"),
    END
};

static const struct field hold_fields[] = {
    FIELD(hold, pool, TEXT, "pool"),
    FIELD(hold, server, TEXT, "server; empty = the whole pool"),
    WORD(hold, "kind", kind, word_of_hold, "what is held"),
    FIELD(hold, epoch, U64, "rank of the hold"),
    FIELD(hold, seq, U64, "rank of the hold within the epoch"),
    NAMED(hold, "since", since_unix_ms, UNIX, "when it was ordered"),
    FIELD(hold, by, TEXT, "who ordered it"),
    FIELD(hold, why, TEXT, "the reason given"),
    END
};

static const struct field order_fields[] = {
    FIELD(stored_order, id, U64, "number of the order"),
    WORD(stored_order, "state", state, word_of_order, "asked, done or refused"),
    FIELD(stored_order, text, TEXT, "the order"),
    FIELD(stored_order, by, TEXT, "who gave it, and at which node"),
    FIELD(stored_order, node, TEXT, "node that waits for the answer"),
    FIELD(stored_order, answer, TEXT, "the answer"),
    END
};

static const struct field look_fields[] = {
    FIELD(server_look, identity, TEXT, "the server's own identity"),
    FIELD(server_look, version, TEXT, "its version"),
    FIELD(server_look, server_id, U32, "its server_id"),
    FIELD(server_look, is_read_only, BOOL, "read_only as read"),
    FIELD(server_look, is_fixed_writable, BOOL, "no server that is opened or fenced (SQLite, a proxy's address)"),
    FIELD(server_look, has_schema, BOOL, "our tables are there"),
    PART(server_look, written, position_fields, "end of its own log"),
    FIELD(server_look, gtid, TEXT, "its GTID set, cut when long"),
    PART(server_look, replica, replica_fields, "its replication"),
    PART(server_look, lease, decision_fields, "the deciding row as stored there"),
    LIST(server_look, holds, hold_count, hold_fields, "holds as stored there"),
    LIST(server_look, orders, order_count, order_fields, "orders as stored there"),
    FIELD(server_look, foreign_owner, TEXT, "another tool that holds `active_node`; empty = none"),
    FIELD(server_look, foreign_stamp, TEXT, "when that tool was last seen, as it wrote it"),
    END
};

static const struct field need_fields[] = {
    WORD(status_need, "word", word, word_of_need, "the requirement: `log-bin`, `binlog-format` ...; `firstchairctl verify-backends` lists all"),
    WORD(status_need, "severity", severity, word_of_severity,
         "`warning`, `alarm`, or `refuse` = no order seats this server without `force`"),
    FIELD(status_need, text, TEXT, "what is, and how to mend it"),
    END
};

static const struct field server_fields[] = {
    FIELD(status_server, name, TEXT, "name in the configuration"),
    FIELD(status_server, address, TEXT, "its address"),
    FIELD(status_server, is_reachable, BOOL, "the last look has succeeded"),
    FIELD(status_server, has_been_seen, BOOL, "some look has succeeded since the start"),
    FIELD(status_server, is_seated, BOOL, "it sits"),
    WORD(status_server, "loss", loss, word_of_loss, "how it was lost"),
    FIELD(status_server, loss_text, TEXT, "the same as a sentence"),
    FIELD(status_server, trouble, TEXT, "why our tables could not be laid there; empty = nothing known"),
    FIELD(status_server, age_ms, AGE, "age of the last successful look; null = never"),
    FIELD(status_server, settings_age_ms, AGE, "age of the last check of what this mode needs of it; null = never"),
    LIST(status_server, needs, need_count, need_fields, "what this mode needs and is missing there; empty = nothing"),
    { "look", SHOWN_PART_IF, offsetof(struct status_server, look), look_fields,
      offsetof(struct status_server, has_been_seen), 0, NULL, "what the last successful look saw; null = never" },
    END
};

static const struct field view_fields[] = {
    FIELD(status_view, proxy, TEXT, "name of the HAProxy"),
    FIELD(status_view, is_known, BOOL, "read back at least once"),
    FIELD(status_view, is_usable, BOOL, "it sends traffic there"),
    FIELD(status_view, epoch, U64, "epoch of the last answer it heard; 0 = unknown"),
    FIELD(status_view, sessions, INT, "its sessions there now; -1 = unknown"),
    FIELD(status_view, status, TEXT, "HAProxy's own word"),
    FIELD(status_view, last_agent, TEXT, "the last answer it heard"),
    FIELD(status_view, age_ms, AGE, "age of the read-back; null = never"),
    FIELD(status_view, drift_ms, AGE, "for how long it has contradicted the intent; 0 = agrees"),
    END
};

static const struct field pool_server_fields[] = {
    FIELD(status_pool_server, name, TEXT, "server's name in the pool"),
    FIELD(status_pool_server, address, TEXT, "its address"),
    WORD(status_pool_server, "voice", answer.voice, word_of_voice,
         "the intent: `first` sits, `rest` does not, `read`, `late`, `broken` for readers, `neutral` = nothing is said"),
    NAMED(status_pool_server, "weight_percent", answer.weight_percent, U8, "for `read` only"),
    NAMED(status_pool_server, "epoch", answer.epoch, U64, "epoch in the answer; 0 = none shown"),
    NAMED(status_pool_server, "reason", answer.reason, TEXT, "reason in the answer"),
    WORD(status_pool_server, "voice_past_term", answer.late, word_of_voice, "what is said once the term is over"),
    FIELD(status_pool_server, is_within_term, BOOL, "this node may say it now"),
    WORD(status_pool_server, "hold", hold, word_of_hold, "an operator's hold"),
    FIELD(status_pool_server, hold_by, TEXT, "who ordered the hold"),
    FIELD(status_pool_server, hold_why, TEXT, "the reason given"),
    LIST(status_pool_server, views, view_count, view_fields, "what each HAProxy really does with it"),
    END
};

static const struct field pool_fields[] = {
    FIELD(status_pool, name, TEXT, "name of the pool"),
    WORD(status_pool, "kind", kind, word_of_kind, "`backend`, `leader`, `writer` or `reader`"),
    FIELD(status_pool, state, TEXT, "`unknown`, `seated`, `moving` or `nobody`"),
    FIELD(status_pool, seated, TEXT, "the server that sits; empty = nobody"),
    FIELD(status_pool, epoch, U64, "age of the chair"),
    FIELD(status_pool, why, TEXT, "why it is so"),
    FIELD(status_pool, mark, TEXT, "what the seating could not assure: ``, `unfenced`, `stale`, `unfenced stale`"),
    NAMED(status_pool, "stale_since", stale_since_unix_ms, UNIX, "marked stale: from when on writes may be missing; null = not, or not known"),
    FIELD(status_pool, alone_server, TEXT, "replaced unfenced and seen again since: whose log was read for writes that it took alone; empty = none"),
    FIELD(status_pool, alone_from, TEXT, "read from here (so far the seated one had fetched it)"),
    FIELD(status_pool, alone_to, TEXT, "read up to here"),
    FIELD(status_pool, alone_transactions, U32, "transactions of clients found there"),
    FIELD(status_pool, alone_is_more, BOOL, "there may be more: a bound was met, or the log could not be read"),
    FIELD(status_pool, alone_first, TEXT, "GTID of the first of them"),
    FIELD(status_pool, alone_last, TEXT, "GTID of the last of them"),
    NAMED(status_pool, "since", since_unix_ms, UNIX, "when this node saw the present state begin"),
    FIELD(status_pool, is_paused, BOOL, "an operator has paused the pool"),
    FIELD(status_pool, second_writer, TEXT, "a server that is writable beside another one; in a paused pool it is told, not fenced; empty = none"),
    FIELD(status_pool, failed_tries, U32, "automatic moves that have failed one after another; the next is tried after a pause"),
    FIELD(status_pool, is_moving, BOOL, "the chair is on its way"),
    FIELD(status_pool, move_from, TEXT, "from this server"),
    FIELD(status_pool, move_to, TEXT, "to this server"),
    FIELD(status_pool, move_step, TEXT, "the step under way"),
    FIELD(status_pool, move_age_ms, AGE, "since the move began"),
    FIELD(status_pool, move_awaits, TEXT, "an old server that could not be fenced is waited for: who has not shown that it has heard"),
    LIST(status_pool, servers, server_count, pool_server_fields, "its servers"),
    END
};

static const struct field proxy_fields[] = {
    FIELD(status_proxy, name, TEXT, "name of the HAProxy"),
    FIELD(status_proxy, address, TEXT, "its runtime socket"),
    FIELD(status_proxy, is_reachable, BOOL, "it answers"),
    FIELD(status_proxy, age_ms, AGE, "age of the last read-back; null = never"),
    FIELD(status_proxy, text, TEXT, "why it does not answer"),
    END
};

static const struct field node_fields[] = {
    FIELD(status, seq, U64, "rises with every change worth publishing"),
    NAMED(status, "time", unix_ms, UNIX, "when the picture was taken"),
    FIELD(status, node, TEXT, "the node that says all this"),
    FIELD(status, role, TEXT, "`node` or `witness`"),
    FIELD(status, token, TEXT, "of its process: new at each start"),
    FIELD(status, version, TEXT, "of its program"),
    FIELD(status, leadership, TEXT, "`following`, `leading` or `suspended`"),
    FIELD(status, leads, BOOL, "it may act at this very moment"),
    FIELD(status, leader, TEXT, "who leads as far as this node knows; empty = nobody known"),
    FIELD(status, epoch, U64, "epoch of the deciding row"),
    FIELD(status, lease_left_ms, AGE, "of its own lease; 0 when it does not lead"),
    NAMED(status, "leader_since", leader_since_unix_ms, UNIX, "since when the leader leads"),
    FIELD(status, leader_why, TEXT, "why it is so"),
    FIELD(status, store_is_reachable, BOOL, "at least one server of the store answers"),
    FIELD(status, store_age_ms, AGE, "age of the last confirmation by the store; null = never"),
    NAMED(status, "store", store_word, TEXT, "`sqlite` or `mysql`; `none` on a witness"),
    FIELD(status, arbitration, TEXT, "`local`, `quorum` or `none`"),
    FIELD(status, notice, TEXT, "what this arbitration cannot promise"),
    FIELD(status, is_stopping, BOOL, "a graceful stop is under way"),
    FIELD(status, steps, U64, "steps of the core since the start"),
    FIELD(status, orders, U64, "orders taken since the start"),
    FIELD(status, moves, U64, "moves of a chair since the start"),
    FIELD(status, moves_failed, U64, "moves that did not reach their aim"),
    FIELD(status, notes_dropped, U64, "notes that found no room"),
    END
};

static const struct field list_fields[] = {
    LIST(status, servers, server_count, server_fields, "servers of the store"),
    LIST(status, pools, pool_count, pool_fields, "pools, as HAProxy hears of them"),
    LIST(status, proxies, proxy_count, proxy_fields, "the HAProxy instances"),
    LIST(status, events, event_count, event_fields, "the latest events, oldest first"),
    END
};

/* ---- the walker ---- */

/* Length of the UTF-8 character at `at`, or 0 when it is none. Overlong forms, surrogates and what lies beyond U+10FFFF are
 * refused by the bounds of the second byte. */
static size_t utf8_length(const unsigned char *at)
{
    unsigned char least = 0x80, most = 0xbf;
    size_t length;

    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        length = 2;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        length = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        length = 4;
    else
        return 0;
    if (at[0] == 0xe0) least = 0xa0;
    if (at[0] == 0xed) most = 0x9f;
    if (at[0] == 0xf0) least = 0x90;
    if (at[0] == 0xf4) most = 0x8f;
    if (at[1] < least || at[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    return length;
}

cJSON *json_text(const char *text)
{
    char *clean = strdup(text);
    if (clean == NULL)
        return NULL;
    for (char *at = clean; *at != '\0'; ) {
        const size_t length = utf8_length((const unsigned char *)at);
        if (length == 0)
            *at = '?';
        at += length == 0 ? 1 : length;
    }
    cJSON *string = cJSON_CreateString(clean);
    free(clean);
    return string;
}

void rfc3339_of_unix_ms(int64_t unix_ms, char to[RFC3339_SIZE])
{
    const int64_t ms = (unix_ms % 1000 + 1000) % 1000;
    const time_t seconds = (time_t)((unix_ms - ms) / 1000);
    struct tm parts;
    char date[24];

    if (gmtime_r(&seconds, &parts) == NULL || parts.tm_year > 8099 || parts.tm_year < -1900) {
        text_copy(to, RFC3339_SIZE, "0001-01-01T00:00:00.000Z");
        return;
    }
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    text_format(to, RFC3339_SIZE, "%s.%03dZ", date, (int)ms);
}

/* Whole numbers go out as text, so that none of their digits is lost in a double. */
static cJSON *json_whole(int64_t number)
{
    char text[32];
    TEXT_FORMAT(text, "%" PRId64, number);
    return cJSON_CreateRaw(text);
}

cJSON *json_unsigned(uint64_t number)
{
    char text[32];
    TEXT_FORMAT(text, "%" PRIu64, number);
    return cJSON_CreateRaw(text);
}

/* Takes the item over, also when it cannot be added. */
static bool put(cJSON *object, const char *name, cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool put_unix(cJSON *object, const char *name, int64_t unix_ms)
{
    char text[RFC3339_SIZE], number_name[64];

    TEXT_FORMAT(number_name, "%s_unix_ms", name);
    if (unix_ms == 0)
        return put(object, name, cJSON_CreateNull()) && put(object, number_name, cJSON_CreateNull());
    rfc3339_of_unix_ms(unix_ms, text);
    return put(object, name, cJSON_CreateString(text)) && put(object, number_name, json_whole(unix_ms));
}

static bool put_fields(cJSON *object, const void *from, const struct field *rows);

static cJSON *json_part(const void *from, const struct field *rows)
{
    cJSON *object = cJSON_CreateObject();
    if (object != NULL && !put_fields(object, from, rows)) {
        cJSON_Delete(object);
        object = NULL;
    }
    return object;
}

static cJSON *json_list(const char *first, int count, size_t stride, const struct field *rows)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; array != NULL && i < count; i++) {
        cJSON *item = json_part(first + (size_t)i * stride, rows);
        if (item == NULL || !cJSON_AddItemToArray(array, item)) {
            cJSON_Delete(item);
            cJSON_Delete(array);
            array = NULL;
        }
    }
    return array;
}

static cJSON *json_field(const char *from, const struct field *row)
{
    const void *at = from + row->offset;

    switch (row->as) {
    case SHOWN_TEXT: return json_text(at);
    case SHOWN_BOOL: return cJSON_CreateBool(*(const bool *)at);
    case SHOWN_INT: return json_whole(*(const int *)at);
    case SHOWN_U8: return json_unsigned(*(const uint8_t *)at);
    case SHOWN_U32: return json_unsigned(*(const uint32_t *)at);
    case SHOWN_U64: return json_unsigned(*(const uint64_t *)at);
    case SHOWN_AGE: return *(const int64_t *)at < 0 ? cJSON_CreateNull() : json_whole(*(const int64_t *)at);
    case SHOWN_WORD: return json_text(row->word(at));
    case SHOWN_PART: return json_part(at, row->rows);
    case SHOWN_PART_IF: return *(const bool *)(from + row->count) ? json_part(at, row->rows) : cJSON_CreateNull();
    case SHOWN_LIST: return json_list(at, *(const int *)(from + row->count), row->stride, row->rows);
    case SHOWN_UNIX: break;          /* two members: see put_unix */
    }
    return NULL;
}

static bool put_fields(cJSON *object, const void *from, const struct field *rows)
{
    for (const struct field *row = rows; row->name != NULL; row++) {
        const bool is_put = row->as == SHOWN_UNIX
            ? put_unix(object, row->name, *(const int64_t *)((const char *)from + row->offset))
            : put(object, row->name, json_field(from, row));
        if (!is_put)
            return false;
    }
    return true;
}

/* Takes the tree over. */
static char *print_and_free(cJSON *tree)
{
    char *text = tree == NULL ? NULL : cJSON_PrintUnformatted(tree);
    cJSON_Delete(tree);
    return text;
}

/* ---- the answers ---- */

char *status_json_print(const struct status *status)
{
    cJSON *tree = json_part(status, node_fields);
    if (tree != NULL && !put_fields(tree, status, list_fields)) {
        cJSON_Delete(tree);
        tree = NULL;
    }
    return print_and_free(tree);
}

char *status_json_node(const struct status *status)
{
    return print_and_free(json_part(status, node_fields));
}

char *status_json_pool(const struct status *status, int pool)
{
    assert(pool >= 0 && pool < status->pool_count);
    cJSON *tree = cJSON_CreateObject();
    if (tree != NULL && (!put(tree, "seq", json_unsigned(status->seq)) || !put(tree, "node", json_text(status->node)) ||
                         !put_unix(tree, "time", status->unix_ms) ||
                         !put_fields(tree, &status->pools[pool], pool_fields))) {
        cJSON_Delete(tree);
        tree = NULL;
    }
    return print_and_free(tree);
}

char *status_json_event(const char *node, const struct status_event *event)
{
    cJSON *tree = json_part(event, event_fields);
    if (tree != NULL && !put(tree, "node", json_text(node))) {
        cJSON_Delete(tree);
        tree = NULL;
    }
    return print_and_free(tree);
}

char *status_json_pools(const struct status *status)
{
    return print_and_free(json_list((const char *)status->pools, status->pool_count, sizeof status->pools[0], pool_fields));
}

char *status_json_events(const struct status *status, int most)
{
    const int count = most >= 0 && most < status->event_count ? most : status->event_count;
    const struct status_event *first = status->events + (status->event_count - count);
    return print_and_free(json_list((const char *)first, count, sizeof *first, event_fields));
}

/* ---- docs/status-json.md ---- */

struct chapter { const char *title; const struct field *rows; };

static const struct chapter chapters[] = {
    { "Node (top level, and `status_json_node`)", node_fields },
    { "Lists (top level only)", list_fields },
    { "Server of the store: `servers[]`", server_fields },
    { "Look: `servers[].look`", look_fields },
    { "Replication: `servers[].look.replica`", replica_fields },
    { "Position in a log: `written`, `read`, `applied`", position_fields },
    { "Deciding row: `servers[].look.lease`", decision_fields },
    { "Hold: `servers[].look.holds[]`", hold_fields },
    { "Stored order: `servers[].look.orders[]`", order_fields },
    { "Pool: `pools[]`", pool_fields },
    { "Server of a pool: `pools[].servers[]`", pool_server_fields },
    { "View of an HAProxy: `pools[].servers[].views[]`", view_fields },
    { "HAProxy: `proxies[]`", proxy_fields },
    { "Event: `events[]`", event_fields },
};

static const char *type_of_field(const struct field *row)
{
    switch (row->as) {
    case SHOWN_TEXT: case SHOWN_WORD: return "text";
    case SHOWN_BOOL: return "true or false";
    case SHOWN_INT: case SHOWN_U8: case SHOWN_U32: case SHOWN_U64: return "number";
    case SHOWN_AGE: return "milliseconds or null";
    case SHOWN_UNIX: return "RFC 3339 text or null";
    case SHOWN_PART: return "object";
    case SHOWN_PART_IF: return "object or null";
    case SHOWN_LIST: return "list";
    }
    return "";
}

void status_json_docs_print(FILE *to)
{
    fputs("# The picture as JSON\n\n"
          "Printed from the tables of `agent/status_json.c`. Answered by `firstchairctl --json status`, "
          "`/api/steering/status` and, in parts, by Redis.\n\n"
          "Everything is copied from memory and carries its age. An age that does not exist is `null`. Each moment of the "
          "wall clock comes twice: `x` as RFC 3339 text (UTC) and `x_unix_ms` as a number. New fields may be added; none "
          "changes its meaning.\n\n"
          "A pool in Redis or at `/api/steering/pool/NAME` also has `seq`, `node` and `time` of the picture that it is "
          "taken from; an event in Redis also has `node`.\n", to);
    for (size_t i = 0; i < sizeof chapters / sizeof *chapters; i++) {
        fprintf(to, "\n## %s\n\n| field | type | meaning |\n|---|---|---|\n", chapters[i].title);
        for (const struct field *row = chapters[i].rows; row->name != NULL; row++) {
            fprintf(to, "| `%s` | %s | %s |\n", row->name, type_of_field(row), row->meaning);
            if (row->as == SHOWN_UNIX)
                fprintf(to, "| `%s_unix_ms` | milliseconds since 1970 or null | the same as a number |\n", row->name);
        }
    }
}
