/* Where the fleet's statements go: a SQLite file (on a worker thread) or MySQL (a session of its own, so that nothing that
 * matters waits behind them). One text at a time; exactly one answer each, later, never from within. */
#ifndef FC_BACKENDS_FLEET_LINK_H
#define FC_BACKENDS_FLEET_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/fleet/fleet_sql.h"
#include "backends/host.h"
#include "backends/mysql/mysql_rows.h"
#include "base/err.h"
#include "core/config.h"

struct fleet_answer {
    enum fc_code code;               /* FC_OK, FC_STORE: it said no; FC_BUSY: not now, it is read only; FC_UNREACHABLE, FC_TIMEOUT, FC_NO_MEMORY */
    bool is_of_rows;                 /* FC_STORE because of what a row holds: another row would be taken */
    bool is_too_long;                /* more came back than is ever kept: to be asked in smaller parts */
    char text[200];                  /* the sentence when code is not FC_OK */
    const struct mysql_rows *rows;   /* borrowed for the call; a set a statement */
};
typedef void fleet_answered(void *owner, const struct fleet_answer *answer);

struct fleet_link;
struct fleet_link_class {
    /* `text` is borrowed for the call. To a SQLite file it is one transaction. */
    void (*ask)(struct fleet_link *link, const struct fleet_text *text, bool writes, int limit_ms, fleet_answered *answered, void *owner);
    enum fleet_dialect (*dialect)(const struct fleet_link *link);    /* of MySQL: known once something was answered */
    void (*turn)(struct fleet_link *link, int server);               /* not while something is asked */
    void (*close)(struct fleet_link *link);                          /* an answer that is still to come is dropped */
};
struct fleet_link { const struct fleet_link_class *class; };

enum fc_code fleet_link_sqlite(const struct host *host, const char *path, struct fleet_link **ret, struct fc_err *err);
enum fc_code fleet_link_mysql(const struct host *host, const struct config *config, struct fleet_link **ret, struct fc_err *err);

#endif
