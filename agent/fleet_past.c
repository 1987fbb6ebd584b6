/* A search: SEEKING (a row of the next older snapshot) --> FINDING (the server in it; not there: SEEKING) --> TAKING (its cluster) --> told. */
#include "agent/fleet_past.h"

#include <stdlib.h>
#include <string.h>

#include "agent/fleet_answer.h"
#include "agent/fleet_json.h"
#include "agent/json_page.h"
#include "backends/pattern.h"
#include "base/text.h"
#include "judge/past.h"

#define AT(column) database_instance_topology_history_##column

enum stage { SEEKING, FINDING, TAKING };

struct search {
    struct fleet_pasts *pasts;
    struct fleet_store *store;
    uint64_t ticket;                   /* 0: free */
    desk_report *reply;                /* NULL: who asked went away */
    void *waiter;
    struct fleet_page_asked asked;
    struct pattern *pattern;
    enum stage stage;
    struct fc_time until;
    int looked_at;
    uint64_t moment;                   /* of the snapshot; 0: none yet */
    bool is_last, is_found, is_short;  /* there is no older one; what was asked for is there; memory was short */
    char cluster[FLEET_KEY_SIZE];
    struct past_server *servers;       /* their texts are of malloc */
    uint32_t count, room_for;
};

struct fleet_pasts {
    const struct host *host;
    struct host_timer *timer;          /* for those that have no store */
    struct room room;
    struct search list[FLEET_PASTS_MAX];
};

/* ---- telling ---------------------------------------------------------------------------------------------------------- */

static void leave(struct search *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        free((void *)s->servers[i].key.host);
        free((void *)s->servers[i].master.host);
    }
    free(s->servers);
    pattern_free(s->pattern);
    *s = (struct search){ .pasts = s->pasts };
}

static char *tree_of(struct search *s)
{
    struct room *room = &s->pasts->room;
    const size_t length = past_print(s->servers, s->count, room, NULL, 0);
    char *text = length == 0 ? NULL : malloc(length + 1);
    if (text != NULL)
        past_print(s->servers, s->count, room, text, length + 1);
    return text;
}

/* NULL: no memory. */
static char *answer_of(struct search *s)
{
    char moment[FLEET_MOMENT_SIZE], message[96];
    unsigned status;
    char *tree = s->is_short ? NULL : tree_of(s);
    struct json_page page = { 0 };
    if (tree == NULL)
        return NULL;
    fleet_unix_text((int64_t)s->moment, moment);
    TEXT_FORMAT(message, "Topology of %s UTC", moment);
    page_text(&page, NULL, tree);
    free(tree);
    char *details = page_take(&page);
    char *text = details == NULL ? NULL : fleet_answer_enveloped(message, details, &status);
    free(details);
    return text;
}

static void tell(struct search *s, enum fc_code code, const char *sentence)
{
    desk_report *reply = s->reply;
    void *waiter = s->waiter;
    char *text = code == FC_OK ? answer_of(s) : NULL;
    leave(s);
    if (reply != NULL)
        reply(waiter, code == FC_OK && text == NULL ? FC_NO_MEMORY : code, code == FC_OK && text == NULL ? "out of memory" : sentence, text);
    free(text);
}

static void tell_none(struct search *s)
{
    struct fc_err err;
    const char *pattern = s->asked.pattern;
    fc_fail(&err, FC_NOT_FOUND, "no snapshot%s%.64s%s has %.100s:%u among its servers%s", pattern[0] == '\0' ? "" : " that fits '", pattern,
            pattern[0] == '\0' ? "" : "'", s->asked.equal, s->asked.port,
            s->looked_at == 0 ? ": there is none at all; SnapshotTopologiesIntervalHours or snapshot-topologies takes them" : "");
    if (s->looked_at == FLEET_PAST_SNAPSHOTS_MAX)
        fc_fail(&err, FC_NOT_FOUND, "none of the newest %d snapshots fits", FLEET_PAST_SNAPSHOTS_MAX);
    tell(s, err.code, err.text);
}

/* ---- asking ----------------------------------------------------------------------------------------------------------- */

static void seek_on(struct search *s, const struct fleet_row *row)
{
    char seconds[24], moment[FLEET_MOMENT_SIZE];
    s->moment = (uint64_t)fleet_number(row, AT(snapshot_unix_timestamp));
    s->is_last = false;
    s->looked_at++;
    TEXT_FORMAT(seconds, "%llu", (unsigned long long)s->moment);
    fleet_unix_text((int64_t)s->moment, moment);
    s->is_found = s->asked.pattern[0] == '\0' || pattern_is_match(s->pattern, moment) || pattern_is_match(s->pattern, seconds);
}

static void find_on(struct search *s, const struct fleet_row *row)
{
    if (fleet_number(row, AT(port)) == s->asked.port)
        s->is_found = TEXT_SET(s->cluster, fleet_text(row, AT(cluster_name)));
}

static bool make_room(struct search *s)
{
    const uint32_t more = s->room_for == 0 ? 64 : 2 * s->room_for;
    struct past_server *servers = s->count < s->room_for ? s->servers : realloc(s->servers, more * sizeof *servers);
    if (servers == NULL)
        return false;
    if (s->count == s->room_for)
        s->room_for = more;
    s->servers = servers;
    return true;
}

static void take_on(struct search *s, const struct fleet_row *row)
{
    if (s->is_short || !make_room(s)) {
        s->is_short = true;
        return;
    }
    struct past_server *server = &s->servers[s->count++];
    *server = (struct past_server){ { strdup(fleet_text(row, AT(hostname))), (uint16_t)fleet_number(row, AT(port)) },
                                    { strdup(fleet_text(row, AT(master_host))), (uint16_t)fleet_number(row, AT(master_port)) } };
    s->is_short = server->key.host == NULL || server->master.host == NULL;
}

static void on_row(void *owner, const struct fleet_row *row)
{
    static void (*const takes[])(struct search *, const struct fleet_row *) = { [SEEKING] = seek_on, [FINDING] = find_on, [TAKING] = take_on };
    struct search *s = owner;
    takes[s->stage](s, row);
}

static void on_done(void *owner, enum fc_code code, const char *sentence);

static bool ask(struct search *s, enum stage stage)
{
    static const struct { int column, limit; } questions[] = {
        [SEEKING] = { -1, 1 }, [FINDING] = { AT(hostname), FLEET_PAGE_LIMIT_MAX }, [TAKING] = { AT(cluster_name), FLEET_PAGE_LIMIT_MAX },
    };
    const bool is_in_one = stage != SEEKING;
    const struct fleet_page page = { .table = FLEET_database_instance_topology_history, .from = is_in_one ? s->moment : 0,
                                     .before = is_in_one ? s->moment + 1 : s->moment, .limit = questions[stage].limit,
                                     .equal_column = questions[stage].column, .equal = stage == FINDING ? s->asked.equal : s->cluster,
                                     .owner = s, .row = on_row, .done = on_done };
    s->stage = stage;
    s->is_found = false;
    s->is_last = stage == SEEKING;
    return fleet_store_page(s->store, &page);
}

static void go_on(struct search *s, enum stage stage)
{
    if (!ask(s, stage))
        tell(s, FC_BUSY, "too many ask the store at one time; ask again");
}

static void on_done(void *owner, enum fc_code code, const char *sentence)
{
    struct search *s = owner;
    if (code != FC_OK || s->reply == NULL)
        tell(s, code, sentence);
    else if (fc_reached(s->until, s->pasts->host->now(s->pasts->host->agent)))
        tell(s, FC_TIMEOUT, "the snapshots were not read in time");
    else if (s->stage == TAKING)
        tell(s, FC_OK, "");
    else if (s->stage == FINDING && s->is_found)
        go_on(s, TAKING);
    else if (s->stage == SEEKING && s->is_found)
        go_on(s, FINDING);
    else if (s->is_last || s->moment <= 1 || s->looked_at == FLEET_PAST_SNAPSHOTS_MAX)
        tell_none(s);
    else
        go_on(s, SEEKING);
}

/* ---- life ------------------------------------------------------------------------------------------------------------- */

static void on_tick(void *owner)
{
    struct fleet_pasts *pasts = owner;
    for (int i = 0; i < FLEET_PASTS_MAX; i++) {
        if (pasts->list[i].ticket != 0 && pasts->list[i].store == NULL)
            tell_none(&pasts->list[i]);
    }
}

struct fleet_pasts *fleet_pasts_new(const struct host *host)
{
    struct fleet_pasts *pasts = calloc(1, sizeof *pasts);
    if (pasts == NULL)
        return NULL;
    pasts->host = host;
    pasts->room = room_of_libc();
    pasts->timer = host->timer(host->agent, on_tick, pasts);
    for (int i = 0; i < FLEET_PASTS_MAX; i++)
        pasts->list[i].pasts = pasts;
    if (pasts->timer == NULL) {
        free(pasts);
        return NULL;
    }
    return pasts;
}

void fleet_pasts_free(struct fleet_pasts *pasts)
{
    if (pasts == NULL)
        return;
    for (int i = 0; i < FLEET_PASTS_MAX; i++)
        leave(&pasts->list[i]);
    pasts->host->untimer(pasts->timer);
    free(pasts);
}

/* An empty pattern fits every moment. */
static bool begin(struct search *s)
{
    struct fc_err err;
    if (s->asked.pattern[0] != '\0' && pattern_compile("pattern", s->asked.pattern, &s->pattern, &err) != FC_OK)
        return false;
    if (s->store != NULL)
        return ask(s, SEEKING);
    s->pasts->host->timer_set(s->pasts->timer, s->pasts->host->now(s->pasts->host->agent));
    return true;
}

bool fleet_pasts_ask(struct fleet_pasts *pasts, struct fleet_store *store, const struct fleet_page_asked *asked, uint64_t ticket,
                     desk_report *reply, void *waiter)
{
    for (int i = 0; i < FLEET_PASTS_MAX; i++) {
        struct search *s = &pasts->list[i];
        if (s->ticket != 0)
            continue;
        *s = (struct search){ .pasts = pasts, .store = store, .ticket = ticket, .reply = reply, .waiter = waiter, .asked = *asked,
                              .until = fc_plus(pasts->host->now(pasts->host->agent), fc_ms(FLEET_PAST_MS)) };
        if (begin(s))
            return true;
        leave(s);
        return false;
    }
    return false;
}

void fleet_pasts_drop(struct fleet_pasts *pasts, uint64_t ticket)
{
    for (int i = 0; i < FLEET_PASTS_MAX; i++) {
        if (ticket != 0 && pasts->list[i].ticket == ticket)
            pasts->list[i].reply = NULL;
    }
}
