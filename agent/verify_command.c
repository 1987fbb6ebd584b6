/* `firstchair verify-backends`: a loop and a store of its own for as long as the question takes. */
#include "agent/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/ctl/ctl_report.h"
#include "agent/loop.h"
#include "base/text.h"

#define MARK 1

struct asking {
    struct loop *loop;
    struct verification *verification;
    bool is_json;
    enum fc_code code;
};

static void heard(void *owner, const struct store_result *result)
{
    struct asking *asking = owner;
    if (asking->verification != NULL && result->id == MARK)
        verify_heard(asking->verification, result);
}

static void session_ended(void *owner, int server, enum loss loss, const char *text)
{
    (void)owner;
    (void)server;
    (void)loss;
    (void)text;      /* the question under way on it tells the same */
}

static void done(void *owner, enum fc_code code, const char *report)
{
    struct asking *asking = owner;
    cJSON *json = report == NULL ? NULL : cJSON_Parse(report);
    asking->verification = NULL;
    ctl_make_plain(json);
    asking->code = json == NULL ? FC_NO_MEMORY : code;
    if (json != NULL && asking->is_json)
        puts(report);
    else if (json != NULL)
        ctl_print_report(stdout, json, (struct ctl_style){ .has_colour = false });
    else
        fputs("firstchair: out of memory\n", stderr);
    cJSON_Delete(json);
    loop_stop(asking->loop);
}

static void servers_of(const struct store *store, struct servers *ret)
{
    *ret = (struct servers){ .count = store->server_count, .has_chair = true };
    for (int i = 0; i < store->server_count; i++) {
        TEXT_SET(ret->list[i].name, store->name[i]);
        TEXT_SET(ret->list[i].address, store->address[i]);
    }
}

static enum fc_code ask(struct asking *asking, const struct config *config, struct fc_err *err)
{
    struct store *store = NULL;
    struct servers servers;
    const struct host *host = loop_host(asking->loop);
    const enum fc_code code = store_mysql_open(host, config, "verify", heard, session_ended, asking, &store, err);
    if (code != FC_OK)
        return code;
    const struct verify_port port = { .host = host, .store = store, .mark = MARK, .asks_looks = true, .done = done, .owner = asking };
    servers_of(store, &servers);
    asking->verification = verify_begin(&port, &servers, NULL);
    if (asking->verification == NULL) {
        store_close(store);
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    }
    loop_run(asking->loop);
    verify_drop(asking->verification);
    store_close(store);
    return FC_OK;
}

int verify_command(const struct config *config, bool is_json)
{
    struct asking asking = { .is_json = is_json };
    struct fc_err err = { .code = FC_OK };
    enum fc_code code = config_has_pair(config)
                            ? loop_open(1, 8, &asking.loop, &err)
                            : fc_fail(&err, FC_REFUSED, "verify-backends is about the pair that BackendServers names; there is none");
    if (code == FC_OK) {
        code = ask(&asking, config, &err);
        loop_close(asking.loop);
    }
    if (code != FC_OK)
        fprintf(stderr, "firstchair: %s\n", err.text);
    return fc_code_table[code == FC_OK ? asking.code : code].exit_code;
}
