/* A queue with one line at a time under way, and a few askers whose answers are gathered from every server in sight. */
#include "agent/historian.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status_json.h"
#include "base/text.h"

#define AGAIN_MS 1000                /* after a line that could not be stored */
#define WRITE_LIMIT_MS 2000
#define READ_LIMIT_MS 3000
#define REFUSED_MAX 60               /* a server that answers and will not take this one line: it must not stop the others for ever */

struct asked {
    bool is_used;
    uint64_t ticket;                 /* 0 = whoever asked went away */
    uint64_t request_id;             /* of its readings */
    desk_report *reply;
    void *waiter;
    struct history_wanted wanted;
    int open;                        /* servers that have not answered yet */
    bool has_answered[STORE_SERVERS_MAX];
    char trouble[STORE_SERVERS_MAX][160];
    struct history_rows *rows;       /* one for each server */
};

struct historian {
    const struct host *host;
    const struct store *store;
    struct historian_port port;
    struct log *log;
    char node[NODE_NAME_SIZE];
    struct host_timer *again, *answer;
    uint64_t next_id, writing;       /* id of the request under way; 0 = none */
    int head, count, refusals;
    bool has_complained;
    struct history_row queue[HISTORIAN_QUEUE_MAX];
    struct asked asks[HISTORIAN_ASKS_MAX];
};

/* ---- in ----------------------------------------------------------------------------------------------------------- */

static void drop_first(struct historian *h)
{
    h->head = (h->head + 1) % HISTORIAN_QUEUE_MAX;
    h->count--;
    h->refusals = 0;
}

static void give_up(struct historian *h, const char *why)
{
    const struct history_row *line = &h->queue[h->head];
    log_say(h->log, NOTE_WARNING, "history", "a line is given up, %s: %s %s: %s", why, line->kind, line->subject, line->text);
    drop_first(h);
}

static void write_next(struct historian *h)
{
    struct store_request request = { .deed = STORE_HISTORY, .limit_ms = WRITE_LIMIT_MS };
    if (h->writing != 0 || h->count == 0)
        return;
    request.server = h->port.place(h->port.owner, &request.by_fence);
    if (request.server < 0) {
        h->host->timer_set(h->again, fc_plus(h->host->now(h->host->agent), fc_ms(AGAIN_MS)));
        return;
    }
    request.id = h->writing = h->next_id++;
    request.history = h->queue[h->head];
    h->port.ask(h->port.owner, &request);
}

static void again(void *owner) { write_next(owner); }

void historian_record(struct historian *h, const struct history_row *line)
{
    if (h->count == HISTORIAN_QUEUE_MAX) {
        give_up(h, "too many wait for the store");
        h->writing = 0;                                    /* it may have been the one under way: its answer is not ours any more */
    }
    h->queue[(h->head + h->count++) % HISTORIAN_QUEUE_MAX] = *line;
    write_next(h);
}

static void written(struct historian *h, const struct store_result *result)
{
    if (result->id != h->writing)
        return;
    h->writing = 0;
    if (result->code == FC_OK) {
        if (h->has_complained)
            log_say(h->log, NOTE_INFO, "history", "lines are stored again");
        h->has_complained = false;
        drop_first(h);
        write_next(h);
        return;
    }
    if (!h->has_complained)
        log_say(h->log, NOTE_WARNING, "history", "a line could not be stored, it is tried again: %s", result->text);
    h->has_complained = true;
    if (result->code == FC_STORE && ++h->refusals >= REFUSED_MAX)
        give_up(h, "the store will not take it");
    h->host->timer_set(h->again, fc_plus(h->host->now(h->host->agent), fc_ms(AGAIN_MS)));
}

int historian_waiting(const struct historian *h) { return h->count; }

/* ---- out: merging ------------------------------------------------------------------------------------------------- */

struct merged { const struct history_row *line; unsigned on; };      /* on: a bit a server */

static bool is_wanted(const struct history_row *line, const struct history_wanted *wanted)
{
    return (wanted->before == 0 || line->id < wanted->before) && line->unix_ms >= wanted->since_unix_ms &&
           (wanted->subject[0] == '\0' || text_is(line->subject, wanted->subject));
}

static int by_id(const void *left, const void *right)
{
    const uint64_t a = ((const struct merged *)left)->line->id, b = ((const struct merged *)right)->line->id;
    return a > b ? -1 : a < b;
}

/* All lines of all sources, newest first, the same id once. Returns their number; at most `limit` of them count. */
static int merge(const struct historian *h, const struct asked *a, struct merged *to)
{
    int count = 0, kept = 0;
    for (int s = 0; s < h->store->server_count; s++) {
        for (int i = 0; i < a->rows[s].count; i++)
            to[count++] = (struct merged){ &a->rows[s].list[i], 1u << s };
    }
    for (int i = 0; i < h->count; i++) {
        const struct history_row *line = &h->queue[(h->head + i) % HISTORIAN_QUEUE_MAX];
        if (is_wanted(line, &a->wanted))
            to[count++] = (struct merged){ line, 0 };
    }
    qsort(to, (size_t)count, sizeof *to, by_id);
    for (int i = 0; i < count; i++) {
        if (kept > 0 && to[kept - 1].line->id == to[i].line->id)
            to[kept - 1].on |= to[i].on;
        else
            to[kept++] = to[i];
    }
    return kept;
}

static bool add(cJSON *object, const char *name, cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static cJSON *names_of(const struct historian *h, unsigned on)
{
    cJSON *names = cJSON_CreateArray();
    for (int s = 0; names != NULL && s < h->store->server_count; s++) {
        if ((on >> s & 1) != 0 && !cJSON_AddItemToArray(names, json_text(h->store->name[s]))) {
            cJSON_Delete(names);
            return NULL;
        }
    }
    return names;
}

static cJSON *line_of(const struct historian *h, const struct merged *m, unsigned asked)
{
    const struct history_row *line = m->line;
    char at[RFC3339_SIZE];
    cJSON *json = cJSON_CreateObject();
    rfc3339_of_unix_ms(line->unix_ms, at);
    if (json != NULL && add(json, "id", json_unsigned(line->id)) && add(json, "at", cJSON_CreateString(at)) &&
        add(json, "at_unix_ms", cJSON_CreateNumber((double)line->unix_ms)) &&
        add(json, "epoch", json_unsigned(line->epoch)) && add(json, "node", json_text(line->node)) &&
        add(json, "kind", json_text(line->kind)) && add(json, "subject", json_text(line->subject)) &&
        add(json, "text", json_text(line->text)) && add(json, "on", names_of(h, m->on)) &&
        add(json, "is_on_all", cJSON_CreateBool((m->on & asked) == asked && m->on != 0)))
        return json;
    cJSON_Delete(json);
    return NULL;
}

static cJSON *servers_of(const struct historian *h, const struct asked *a)
{
    cJSON *list = cJSON_CreateArray();
    for (int s = 0; list != NULL && s < h->store->server_count; s++) {
        cJSON *server = cJSON_CreateObject();
        if (server == NULL || !add(server, "name", json_text(h->store->name[s])) ||
            !add(server, "has_answered", cJSON_CreateBool(a->has_answered[s])) || !add(server, "text", json_text(a->trouble[s])) ||
            !cJSON_AddItemToArray(list, server)) {
            cJSON_Delete(server);
            cJSON_Delete(list);
            return NULL;
        }
    }
    return list;
}

static cJSON *lines_of(const struct historian *h, const struct merged *merged, int count, unsigned asked)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; list != NULL && i < count; i++) {
        cJSON *line = line_of(h, &merged[i], asked);
        if (line == NULL || !cJSON_AddItemToArray(list, line)) {
            cJSON_Delete(line);
            cJSON_Delete(list);
            return NULL;
        }
    }
    return list;
}

static char *print(const struct historian *h, const struct asked *a, struct merged *merged)
{
    const int all = merge(h, a, merged), count = all < (int)a->wanted.limit ? all : (int)a->wanted.limit;
    unsigned asked = 0;
    for (int s = 0; s < h->store->server_count; s++)
        asked |= a->has_answered[s] ? 1u << s : 0;
    cJSON *json = cJSON_CreateObject();
    char *text = NULL;
    if (json != NULL && add(json, "node", json_text(h->node)) &&
        add(json, "time_unix_ms", cJSON_CreateNumber((double)h->host->unix_ms(h->host->agent))) &&
        add(json, "servers", servers_of(h, a)) && add(json, "lines", lines_of(h, merged, count, asked)) &&
        add(json, "next_before", count == (int)a->wanted.limit ? json_unsigned(merged[count - 1].line->id) : cJSON_CreateNull()))
        text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

/* ---- out: asking -------------------------------------------------------------------------------------------------- */

static void done(struct asked *a)
{
    free(a->rows);
    memset(a, 0, sizeof *a);
}

static void answer_one(struct historian *h, struct asked *a)
{
    struct merged *merged = calloc((size_t)h->store->server_count * HISTORY_ROWS_MAX + HISTORIAN_QUEUE_MAX, sizeof *merged);
    char *text = merged == NULL ? NULL : print(h, a, merged);
    desk_report *reply = a->reply;
    void *waiter = a->waiter;
    const bool is_awaited = a->ticket != 0;
    bool has_any = false;
    for (int s = 0; s < h->store->server_count; s++)
        has_any = has_any || a->has_answered[s];
    char trouble[200];
    TEXT_FORMAT(trouble, "no server of the store answers%s%s", a->trouble[0][0] != '\0' ? ": " : "", a->trouble[0]);
    done(a);
    if (is_awaited && text != NULL && (has_any || h->count > 0))
        reply(waiter, FC_OK, "", text);
    else if (is_awaited)
        reply(waiter, text == NULL ? FC_NO_MEMORY : FC_UNREACHABLE, text == NULL ? "out of memory" : trouble, NULL);
    cJSON_free(text);
    free(merged);
}

/* From the loop, never from within who asked. */
static void answer_due(void *owner)
{
    struct historian *h = owner;
    for (int i = 0; i < HISTORIAN_ASKS_MAX; i++) {
        if (h->asks[i].is_used && h->asks[i].open == 0)
            answer_one(h, &h->asks[i]);
    }
}

static void read_back(struct historian *h, const struct store_result *result)
{
    for (int i = 0; i < HISTORIAN_ASKS_MAX; i++) {
        struct asked *a = &h->asks[i];
        if (!a->is_used || a->request_id != result->id)
            continue;
        a->has_answered[result->server] = result->code == FC_OK;
        if (result->code == FC_OK)
            a->rows[result->server] = *result->history;
        else
            TEXT_SET(a->trouble[result->server], result->text);
        if (--a->open == 0)
            h->host->timer_set(h->answer, h->host->now(h->host->agent));
    }
}

void historian_heard(struct historian *h, const struct store_result *result)
{
    if (result->deed == STORE_HISTORY)
        written(h, result);
    else
        read_back(h, result);
}

bool historian_ask(struct historian *h, uint64_t ticket, const struct history_wanted *wanted, desk_report *reply, void *waiter)
{
    struct asked *a = NULL;
    for (int i = 0; i < HISTORIAN_ASKS_MAX && a == NULL; i++)
        a = h->asks[i].is_used ? NULL : &h->asks[i];
    struct history_rows *rows = a == NULL ? NULL : calloc((size_t)h->store->server_count, sizeof *rows);
    if (rows == NULL)
        return false;
    *a = (struct asked){ .is_used = true, .ticket = ticket, .request_id = h->next_id++, .reply = reply, .waiter = waiter,
                         .wanted = *wanted, .rows = rows };
    for (int s = 0; s < h->store->server_count; s++) {
        const struct store_request request = { .deed = STORE_HISTORY_READ, .id = a->request_id, .server = s, .limit_ms = READ_LIMIT_MS,
                                               .wanted = *wanted };
        if (!h->port.is_in_sight(h->port.owner, s)) {
            TEXT_SET(a->trouble[s], "it does not answer at this moment");
            continue;
        }
        a->open++;
        h->port.ask(h->port.owner, &request);
    }
    if (a->open == 0)
        h->host->timer_set(h->answer, h->host->now(h->host->agent));
    return true;
}

void historian_forget(struct historian *h, uint64_t ticket)
{
    for (int i = 0; ticket != 0 && i < HISTORIAN_ASKS_MAX; i++) {
        if (h->asks[i].ticket == ticket)
            h->asks[i].ticket = 0;
    }
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

struct historian *historian_new(const struct host *host, const struct store *store, const struct historian_port *port, struct log *log,
                                const char *node)
{
    struct historian *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->host = host;
    h->store = store;
    h->port = *port;
    h->log = log;
    h->next_id = 1;
    TEXT_SET(h->node, node);
    h->again = host->timer(host->agent, again, h);
    h->answer = host->timer(host->agent, answer_due, h);
    if (h->again == NULL || h->answer == NULL) {
        historian_free(h);
        return NULL;
    }
    return h;
}

void historian_free(struct historian *h)
{
    if (h == NULL)
        return;
    while (h->count > 0)
        give_up(h, "the process ends");
    for (int i = 0; i < HISTORIAN_ASKS_MAX; i++)
        done(&h->asks[i]);
    h->host->untimer(h->again);
    h->host->untimer(h->answer);
    free(h);
}
