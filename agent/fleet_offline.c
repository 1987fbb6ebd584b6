/* A keeper of a fleet on a loop of its own, which is stopped when the store was read, and again when a page has come. */
#include "agent/fleet_offline.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/doors/http_path.h"
#include "agent/fleet_answer.h"
#include "agent/fleet_keeper.h"
#include "agent/fleet_pages.h"
#include "agent/loop.h"
#include "base/text.h"

#define QUERY_SIZE 8192

struct offline {
    struct loop *loop;
    const struct host *host;
    struct log log;
    struct room room;
    struct core *core;                 /* without pools: nobody is steered */
    struct fleet_keeper *keeper;
    struct host_timer *bound;
    bool is_over;
    enum fc_code code;
    char sentence[320];
    char *page;                        /* of the store, as JSON from malloc */
    char query[QUERY_SIZE];
};

/* ---- where ------------------------------------------------------------------------------------------------------------- */

static bool is_sqlite(const struct config *config) { return text_is(config->backend_db, "sqlite"); }

bool fleet_offline_has_store(const struct config *config)
{
    return !text_is(config->role, "witness") && (!is_sqlite(config) || access(config->sqlite3_data_file, F_OK) == 0);
}

void fleet_offline_place(const struct config *config, char *to, size_t size)
{
    if (is_sqlite(config))
        text_copy(to, size, config->sqlite3_data_file);
    else if (config_has_pair(config))
        text_copy(to, size, "BackendServers");
    else
        text_format(to, size, "%.200s:%d", config->mysql_host, config->mysql_port);
}

/* ---- the loop ---------------------------------------------------------------------------------------------------------- */

static void on_late(void *owner) { loop_stop(((struct offline *)owner)->loop); }

static void stop(struct offline *o, enum fc_code code, const char *sentence)
{
    o->is_over = true;
    o->code = code;
    TEXT_SET(o->sentence, sentence);
    loop_stop(o->loop);
}

static void was_read(void *owner, enum fc_code code, const char *sentence) { stop(owner, code, sentence); }

static void on_page(void *waiter, enum fc_code code, const char *text, const char *json)
{
    struct offline *o = waiter;
    o->page = json == NULL ? NULL : strdup(json);
    stop(o, code, text);
}

static enum fc_code wait(struct offline *o, struct fc_err *err)
{
    o->is_over = false;
    o->host->timer_set(o->bound, fc_plus(o->host->now(o->host->agent), fc_ms(FLEET_OFFLINE_MS)));
    loop_run(o->loop);
    o->host->timer_stop(o->bound);
    if (!o->is_over)
        return fc_fail(err, FC_TIMEOUT, "the store does not answer within %d s", FLEET_OFFLINE_MS / 1000);
    return o->code == FC_OK ? FC_OK : fc_fail(err, o->code, "%s", o->sentence);
}

static void ask_nobody(void *owner, const struct store_request *request) { (void)owner, (void)request; }
static void feed_nobody(void *owner, struct event *event) { (void)owner, (void)event; }

static enum fc_code open_all(struct offline *o, struct config *config, struct fc_err *err)
{
    const struct fleet_keeper_port port = { .owner = o, .ask = ask_nobody, .feed = feed_nobody, .was_read = was_read };
    if (config->topology_user[0] == '\0')
        TEXT_SET(config->topology_user, "nobody");       /* nobody is looked at: any account does */
    enum fc_code code = loop_open(2, 64, &o->loop, err);
    if (code != FC_OK)
        return code;
    o->host = loop_host(o->loop);
    o->room = room_of_libc();
    o->core = core_new(&o->room);
    o->bound = o->host->timer(o->host->agent, on_late, o);
    log_init(&o->log, STDERR_FILENO, NOTE_ALARM);
    if (o->core == NULL || o->bound == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    struct fleet_keeper_port placed = port;
    placed.core = o->core;
    return fleet_keeper_open(o->host, config, &placed, &o->log, "", "", &o->keeper, err);
}

static void close_all(struct offline *o)
{
    fleet_keeper_close(o->keeper);
    if (o->host != NULL)
        o->host->untimer(o->bound);
    core_free(o->core);
    if (o->loop != NULL)
        loop_close(o->loop);
    free(o->page);
    free(o);
}

/* Of a pair each server holds all of it: the first that can be read. */
static enum fc_code read_store(struct offline *o, const struct config *config, struct fc_err *err)
{
    const int count = config_has_pair(config) ? config->backend_servers.count : 1;
    enum fc_code code = FC_UNREACHABLE;
    for (int i = 0; i < count && code != FC_OK; i++) {
        fleet_keeper_read(o->keeper, i);
        code = wait(o, err);
    }
    return code;
}

/* ---- the question ------------------------------------------------------------------------------------------------------- */

/* name=value&name=value */
static bool argument(void *lender, const char *name, char *to, size_t size)
{
    const struct offline *o = lender;
    const size_t length = strlen(name);
    to[0] = '\0';
    for (const char *at = o->query; *at != '\0'; at += strcspn(at, "&") + (at[strcspn(at, "&")] == '&')) {
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return http_text_decode(at + length + 1, strcspn(at + length + 1, "&"), to, size);
    }
    return true;
}

static enum fc_code answer_page(struct offline *o, struct fleet_asked *asked, char **body, struct fc_err *err)
{
    struct fleet_page_asked page;
    unsigned status;
    enum fc_code code = fleet_page_meant(asked, &page, err);
    if (code == FC_OK && !fleet_keeper_page(o->keeper, &page, 1, on_page, o))
        code = fc_fail(err, FC_BUSY, "the store cannot be asked now");
    if (code == FC_OK)
        code = wait(o, err);
    if (code == FC_NOT_FOUND || code == FC_BAD_INPUT) {
        *body = fleet_answer_error(err, &status);          /* as a node says it */
    } else if (code == FC_OK) {
        *body = o->page;
        o->page = NULL;
    } else {
        return code;
    }
    return *body != NULL ? FC_OK : fc_fail(err, FC_NO_MEMORY, "out of memory");
}

static enum fc_code answer(struct offline *o, struct fleet_asked *asked, char **body, struct fc_err *err)
{
    unsigned status;
    asked->picture = fleet_keeper_picture(o->keeper);
    if (asked->route->paging != NULL)
        return answer_page(o, asked, body, err);
    *body = fleet_answer_read(asked, &status);
    return *body != NULL ? FC_OK : fc_fail(err, FC_NO_MEMORY, "out of memory");
}

static enum fc_code find(struct offline *o, const char *path, struct http_path *split, struct fleet_asked *asked, struct fc_err *err)
{
    const size_t length = strcspn(path, "?");
    *asked = (struct fleet_asked){ .argument = argument, .lender = o };
    if (!TEXT_SET(o->query, path[length] == '?' ? path + length + 1 : "") || !http_path_split(path, length, split))
        return fc_fail(err, FC_BAD_INPUT, "the question is too long, or cannot be read");
    if (fleet_route_find(split, asked) == NULL)
        return fc_fail(err, FC_REFUSED, "only a running node can answer that");
    if (asked->route->make != NULL)
        return fc_fail(err, FC_REFUSED, "%s is an order, which a running node does: start one, or name it by --api",
                       fleet_verbs[asked->route->verb].word);
    if (asked->route->paging != NULL && asked->route->paging->by == PAGED_LOGS)
        return fc_fail(err, FC_REFUSED, "that is asked of the server itself, which a running node does: start one, or name it by --api");
    return FC_OK;
}

enum fc_code fleet_offline_ask(struct config *config, const char *path, char **body, struct fc_err *err)
{
    struct offline *o = calloc(1, sizeof *o);
    struct http_path *split = malloc(sizeof *split);
    struct fleet_asked asked;
    *body = NULL;
    if (o == NULL || split == NULL) {
        free(o);
        free(split);
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    }
    enum fc_code code = find(o, path, split, &asked, err);
    if (code == FC_OK)
        code = open_all(o, config, err);
    if (code == FC_OK)
        code = read_store(o, config, err);
    if (code == FC_OK)
        code = answer(o, &asked, body, err);
    close_all(o);
    free(split);
    return code;
}
