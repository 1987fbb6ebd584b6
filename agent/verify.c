/* Asks every server at once, waits for all, compares twice when something differs, and writes the report. */
#include "agent/verify.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status_json.h"
#include "backends/compare.h"
#include "base/text.h"

struct verification {
    struct verify_port port;
    struct servers servers;
    struct needs needs;
    struct host_timer *timer;
    int open_count;                  /* results not yet heard */
    int round;                       /* of the reading under way */
    bool is_checked[STORE_SERVERS_MAX], is_denied[STORE_SERVERS_MAX];
    char trouble[STORE_SERVERS_MAX][200];        /* why it was not checked, or not looked at */
    bool is_read[2][STORE_SERVERS_MAX];
    bool lacks_tables[STORE_SERVERS_MAX];
    char unread[STORE_SERVERS_MAX][200];         /* why its tables were not read */
    struct mysql_rows rows[2][STORE_SERVERS_MAX];
    struct comparison compared[STORE_SERVERS_MAX];       /* with the first server that was read */
};

/* ---- asking -------------------------------------------------------------------------------------------------------- */

static void ask(struct verification *v, enum store_deed deed, int server)
{
    const struct store_request request = {
        .deed = deed, .id = v->port.mark, .server = server, .limit_ms = VERIFY_LIMIT_MS,
    };
    v->open_count++;
    store_ask(v->port.store, &request);
}

static void ask_tables(struct verification *v)
{
    for (int i = 0; i < v->servers.count; i++) {
        if (v->round == 0 || v->is_read[0][i])
            ask(v, STORE_COMPARE, i);
    }
}

static void read_again(void *owner)
{
    struct verification *v = owner;
    v->round = 1;
    ask_tables(v);
}

struct verification *verify_begin(const struct verify_port *port, const struct servers *servers, const struct needs *known)
{
    struct verification *v = calloc(1, sizeof *v);
    if (v == NULL)
        return NULL;
    v->port = *port;
    v->servers = *servers;
    v->timer = port->host->timer(port->host->agent, read_again, v);
    if (v->timer == NULL) {
        free(v);
        return NULL;
    }
    if (known != NULL)
        v->needs = *known;
    else
        needs_init(&v->needs, servers->count);
    for (int i = 0; i < servers->count; i++) {
        if (port->asks_looks)
            ask(v, STORE_LOOK, i);
        else if (!servers->list[i].is_reachable)
            TEXT_SET(v->trouble[i], servers->list[i].loss_text);
        ask(v, STORE_CHECK, i);
    }
    ask_tables(v);
    return v;
}

void verify_drop(struct verification *v)
{
    if (v == NULL)
        return;
    v->port.host->untimer(v->timer);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < STORE_SERVERS_MAX; i++)
            mysql_rows_done(&v->rows[round][i]);
    }
    free(v);
}

/* ---- comparing ----------------------------------------------------------------------------------------------------- */

static int first_read(const struct verification *v)
{
    for (int i = 0; i < v->servers.count; i++) {
        if (v->is_read[v->round][i])
            return i;
    }
    return -1;
}

/* Returns how much differs. */
static int compare_all(struct verification *v)
{
    const int left = first_read(v);
    int count = 0;
    for (int i = left + 1; left >= 0 && i < v->servers.count; i++) {
        const struct reading first = { &v->rows[0][left], &v->rows[0][i] }, later = { &v->rows[1][left], &v->rows[1][i] };
        if (!v->is_read[v->round][i])
            continue;
        compare_rows(first, v->round == 0 ? NULL : &later, &v->compared[i]);
        count += v->compared[i].count;
    }
    return count;
}

/* ---- the report ---------------------------------------------------------------------------------------------------- */

static void add_text(cJSON *to, const char *name, const char *text)
{
    cJSON_AddItemToObject(to, name, json_text(text));
}

static void add_servers(const struct verification *v, cJSON *to)
{
    cJSON *list = cJSON_AddArrayToObject(to, "servers");
    for (int i = 0; i < v->servers.count; i++) {
        cJSON *server = cJSON_CreateObject();
        add_text(server, "name", v->servers.list[i].name);
        add_text(server, "address", v->servers.list[i].address);
        cJSON_AddBoolToObject(server, "is_checked", v->is_checked[i]);
        add_text(server, "text", v->trouble[i]);
        cJSON_AddItemToArray(list, server);
    }
}

static enum need_verdict verdict_of(const struct verification *v, int server, size_t rule)
{
    const struct server_needs *n = &v->needs.list[server];
    return (n->missing >> rule & 1) != 0 ? NEED_MISSING : (n->unknown >> rule & 1) != 0 ? NEED_UNKNOWN : NEED_GOOD;
}

/* Missing on one server is missing; well only where it is known of all. */
static enum need_verdict whole_verdict(const struct verification *v, size_t rule)
{
    enum need_verdict whole = NEED_GOOD;
    for (int i = 0; i < v->servers.count; i++) {
        const enum need_verdict one = verdict_of(v, i, rule);
        if (one == NEED_MISSING)
            return NEED_MISSING;
        whole = one == NEED_UNKNOWN ? NEED_UNKNOWN : whole;
    }
    return whole;
}

static void say(const struct verification *v, int server, size_t rule, cJSON *texts)
{
    char text[NEED_TEXT_SIZE];
    if (verdict_of(v, server, rule) == NEED_MISSING)
        need_sentence(&v->needs, &v->servers, server, rule, text, sizeof text);
    else
        need_unread_sentence(&v->needs, &v->servers, server, rule, text, sizeof text);
    if (text[0] != '\0' && (v->is_checked[server] || verdict_of(v, server, rule) == NEED_MISSING))
        cJSON_AddItemToArray(texts, json_text(text));
}

static cJSON *need_report(const struct verification *v, size_t rule)
{
    cJSON *need = cJSON_CreateObject();
    add_text(need, "word", need_rules[rule].word);
    add_text(need, "severity", need_severity_word(need_rules[rule].severity));
    add_text(need, "wanted", need_rules[rule].wanted);
    add_text(need, "verdict", need_verdict_word(whole_verdict(v, rule)));
    cJSON *values = cJSON_AddArrayToObject(need, "values"), *verdicts = cJSON_AddArrayToObject(need, "verdicts");
    cJSON *texts = cJSON_AddArrayToObject(need, "texts");
    for (int i = 0; i < v->servers.count; i++) {
        const bool is_known = v->is_checked[i] || verdict_of(v, i, rule) == NEED_MISSING;
        cJSON_AddItemToArray(values, json_text(is_known ? v->needs.list[i].settings.value[need_rules[rule].setting] : ""));
        cJSON_AddItemToArray(verdicts, json_text(need_verdict_word(verdict_of(v, i, rule))));
        say(v, i, rule, texts);
    }
    return need;
}

static cJSON *differences_report(const struct comparison *compared)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < compared->count; i++) {
        const struct difference *d = &compared->list[i];
        cJSON *one = cJSON_CreateObject();
        add_text(one, "table", d->table);
        add_text(one, "key", d->key);
        add_text(one, "column", d->column);
        cJSON_AddItemToObject(one, "left", d->is_on_left ? json_text(d->left) : cJSON_CreateNull());
        cJSON_AddItemToObject(one, "right", d->is_on_right ? json_text(d->right) : cJSON_CreateNull());
        cJSON_AddItemToArray(list, one);
    }
    return list;
}

/* Before the first node has started there is nothing to compare: nothing to mend either. */
static bool are_new(const struct verification *v)
{
    int count = 0;
    for (int i = 0; i < v->servers.count; i++)
        count += v->lacks_tables[i];
    return count == v->servers.count;
}

/* Which pairs were compared; where a server's tables were not read, why. Returns false when some was not. */
static bool add_comparisons(const struct verification *v, cJSON *to)
{
    cJSON *list = cJSON_AddArrayToObject(to, "comparisons");
    const int left = first_read(v) < 0 ? 0 : first_read(v);
    bool are_all_done = true;
    for (int i = 0; i < v->servers.count; i++) {
        const bool is_done = v->is_read[v->round][i] && v->is_read[v->round][left];
        if (i == left)
            continue;
        cJSON *one = cJSON_CreateObject();
        add_text(one, "left", v->servers.list[left].name);
        add_text(one, "right", v->servers.list[i].name);
        cJSON_AddBoolToObject(one, "is_done", is_done);
        add_text(one, "text", is_done ? "" : v->unread[i][0] != '\0' ? v->unread[i] : v->unread[left]);
        cJSON_AddItemToObject(one, "differences", differences_report(&v->compared[i]));
        cJSON_AddNumberToObject(one, "more", v->compared[i].more);
        cJSON_AddItemToArray(list, one);
        are_all_done = are_all_done && is_done;
    }
    return are_all_done || are_new(v);
}

static enum fc_code code_of(const struct verification *v, bool is_compared, int differences)
{
    bool is_missing = !is_compared || differences > 0;
    for (int i = 0; i < v->servers.count; i++) {
        if (!v->is_checked[i] && !v->is_denied[i])
            return FC_UNREACHABLE;
        is_missing = is_missing || v->needs.list[i].missing != 0 || v->trouble[i][0] != '\0';
    }
    return is_missing ? FC_FINDINGS : FC_OK;
}

static void finish(struct verification *v, int differences)
{
    const struct verify_port port = v->port;
    cJSON *report = cJSON_CreateObject();
    needs_judge(&v->needs, &v->servers);
    cJSON_AddNullToObject(report, "verdict");
    add_servers(v, report);
    cJSON *needs = cJSON_AddArrayToObject(report, "needs");
    for (size_t r = 0; r < need_rule_count; r++)
        cJSON_AddItemToArray(needs, need_report(v, r));
    const enum fc_code code = code_of(v, add_comparisons(v, report), differences);
    cJSON_ReplaceItemInObject(report, "verdict",
                              json_text(code == FC_OK ? "well" : code == FC_FINDINGS ? "to-mend" : "unreachable"));
    char *text = cJSON_PrintUnformatted(report);
    cJSON_Delete(report);
    verify_drop(v);
    port.done(port.owner, text == NULL ? FC_NO_MEMORY : code, text);
    cJSON_free(text);
}

/* ---- hearing ------------------------------------------------------------------------------------------------------- */

static void hear_look(struct verification *v, const struct store_result *result)
{
    v->servers.list[result->server].is_reachable = result->code == FC_OK;
    if (result->code != FC_OK)
        TEXT_SET(v->trouble[result->server], result->text);
}

static void hear_check(struct verification *v, const struct store_result *result)
{
    const int i = result->server;
    const struct fc_time now = v->port.host->now(v->port.host->agent);
    v->is_checked[i] = result->code == FC_OK;
    v->is_denied[i] = result->loss == LOSS_DENIED;
    if (result->code == FC_OK)
        needs_read(&v->needs, i, result->settings, now);
    else if (result->loss == LOSS_DENIED)
        needs_denied(&v->needs, i, result->text, now);
    else if (v->trouble[i][0] == '\0')
        TEXT_SET(v->trouble[i], result->text);
}

static void hear_tables(struct verification *v, const struct store_result *result)
{
    const int i = result->server;
    v->is_read[v->round][i] = result->code == FC_OK && mysql_rows_copy(&v->rows[v->round][i], result->rows);
    v->lacks_tables[i] = result->code == FC_NOT_FOUND;
    if (!v->is_read[v->round][i])
        TEXT_SET(v->unread[i], result->code == FC_OK ? "out of memory" : result->text);
}

void verify_heard(struct verification *v, const struct store_result *result)
{
    assert(v->open_count > 0);
    v->open_count--;
    if (result->deed == STORE_LOOK)
        hear_look(v, result);
    else if (result->deed == STORE_CHECK)
        hear_check(v, result);
    else
        hear_tables(v, result);
    if (v->open_count > 0)
        return;
    const int differences = compare_all(v);
    const struct host *host = v->port.host;
    if (differences > 0 && v->round == 0)
        host->timer_set(v->timer, fc_plus(host->now(host->agent), fc_ms(VERIFY_AGAIN_MS)));
    else
        finish(v, differences);
}
