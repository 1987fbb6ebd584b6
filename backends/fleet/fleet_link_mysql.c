/* One session as the store's account for each server of the store; only that of the present turn is used, and it alone stays open. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backends/fleet/fleet_link.h"
#include "backends/mysql/mysql_session.h"
#include "base/text.h"

struct link_mysql {
    struct fleet_link link;
    const struct host *host;
    struct mysql_session *sessions[STORE_SERVERS_MAX];
    struct mysql_store_tls tls;
    int server_count, server;
    fleet_answered *answered;
    void *owner;
};

/* The server says no to what stands in the row: not to us, not for now, not to the statement. */
static bool is_of_rows(unsigned number)
{
    static const unsigned numbers[] = {
        1048 /* not null */, 1062 /* duplicate key */, 1264 /* out of range */, 1265 /* cut */, 1292 /* no such moment */,
        1366 /* no such text in this character set */, 1406 /* too long */, 3819, 4025 /* a check */,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i] == number)
            return true;
    }
    return false;
}

static bool lacks_database(unsigned number) { return number == 1046 || number == 1049; }

/* It says no because it is not open yet, or not any more: tried again, unlike what it says no to for good. */
static bool is_not_open(unsigned number) { return number == 1290 || number == 1836 || number == 1792; }

static void on_answer(void *owner, const struct session_answer *said)
{
    struct link_mysql *l = owner;
    struct fleet_answer answer = { .code = said->code, .rows = said->rows };
    answer.is_of_rows = said->code == FC_STORE && is_of_rows(said->error_number);
    answer.is_too_long = strstr(said->text, "larger than any") != NULL;
    TEXT_SET(answer.text, said->text);
    if (said->code == FC_STORE && is_not_open(said->error_number))
        answer.code = FC_BUSY;
    if (said->code == FC_STORE && lacks_database(said->error_number))     /* whoever makes it: the next connect uses it */
        mysql_session_drop(l->sessions[l->server]);
    fleet_answered *answered = l->answered;
    l->answered = NULL;
    answered(l->owner, &answer);
}

static void ask(struct fleet_link *link, const struct fleet_text *text, bool writes, int limit_ms, fleet_answered *answered, void *owner)
{
    struct link_mysql *l = (struct link_mysql *)link;
    (void)writes;
    assert(l->answered == NULL);
    l->answered = answered;
    l->owner = owner;
    mysql_session_query(l->sessions[l->server], text->bytes, text->length, fc_plus(l->host->now(l->host->agent), fc_ms(limit_ms)), on_answer,
                        l);
}

static enum fleet_dialect dialect(const struct fleet_link *link)
{
    const struct link_mysql *l = (const struct link_mysql *)link;
    return mysql_session_kind(l->sessions[l->server])->is_mariadb ? FLEET_MARIADB : FLEET_MYSQL;
}

static void turn(struct fleet_link *link, int server)
{
    struct link_mysql *l = (struct link_mysql *)link;
    assert(l->answered == NULL && server >= 0 && server < l->server_count);
    if (server != l->server && mysql_session_is_connected(l->sessions[l->server]))
        mysql_session_drop(l->sessions[l->server]);
    l->server = server;
}

static void close_link(struct fleet_link *link)
{
    struct link_mysql *l = (struct link_mysql *)link;
    for (int i = 0; i < l->server_count; i++)
        mysql_session_close(l->sessions[i]);
    free(l);
}

static const struct fleet_link_class mysql_class = { ask, dialect, turn, close_link };

static enum fc_code open_session(struct link_mysql *l, const struct config *config, int server, struct fc_err *err)
{
    struct mysql_session_setting setting = { .connect_limit = fc_ms((int64_t)config->mysql_connect_timeout_seconds * 1000) };
    struct named_address named = { 0 };
    setting.tls = l->tls.tls;
    if (config_has_pair(config)) {
        const enum fc_code code = named_address_parse(config->backend_servers.item[server], &named, err);
        if (code != FC_OK)
            return code;
        TEXT_SET(setting.address, named.address);
    } else {
        TEXT_FORMAT(setting.address, strchr(config->mysql_host, ':') != NULL ? "[%.100s]:%d" : "%.100s:%d", config->mysql_host,
                    config->mysql_port);
    }
    TEXT_SET(setting.user, config->mysql_user);
    TEXT_SET(setting.password, config->mysql_password);
    TEXT_SET(setting.database, config->mysql_database);
    TEXT_FORMAT(setting.label, "the store's fleet (%s) as '%.20s'", setting.address, setting.user);
    l->sessions[server] = mysql_session_open(l->host, &setting, NULL, l);
    explicit_bzero(setting.password, sizeof setting.password);
    return l->sessions[server] != NULL ? FC_OK : fc_fail(err, FC_BAD_CONFIG, "'%s' is no address, or memory is out", setting.address);
}

enum fc_code fleet_link_mysql(const struct host *host, const struct config *config, struct fleet_link **ret, struct fc_err *err)
{
    struct link_mysql *l = calloc(1, sizeof *l);
    enum fc_code code = FC_OK;
    if (l == NULL)
        return fc_fail(err, FC_NO_MEMORY, "the store's fleet: out of memory");
    l->link.class = &mysql_class;
    l->host = host;
    mysql_store_tls_of(config, &l->tls);
    l->server_count = config_has_pair(config) ? config->backend_servers.count : 1;
    for (int i = 0; i < l->server_count && code == FC_OK; i++)
        code = open_session(l, config, i, err);
    if (code != FC_OK) {
        close_link(&l->link);
        return code;
    }
    *ret = &l->link;
    return FC_OK;
}
