/* One check of what the home mode needs of a server: which statements, and how their rows become server_settings.
 * Folding is a function of rows: tests call it with rows of their own. */
#ifndef FC_BACKENDS_MYSQL_CHECK_H
#define FC_BACKENDS_MYSQL_CHECK_H

#include <stdint.h>

#include "backends/mysql/mysql_look.h"
#include "backends/mysql/mysql_rows.h"
#include "backends/sql_statements.h"
#include "model/settings.h"

/* In the order of the statements. Those that a missing privilege can refuse come last: what came before them is a check
 * already, and the grants tell what is missing. */
enum check_set {
    CHECK_CLOCK, CHECK_UPTIME, CHECK_GRANTS, CHECK_SETTINGS, CHECK_ACCOUNTS, CHECK_POSITION, CHECK_REPLICA, CHECK_BOOT,
    CHECK_SET_COUNT
};

struct check_times { int64_t asked_unix_ms, heard_unix_ms; };      /* of our wall clock, around the round trip */

enum sql_name mysql_check_statement(enum check_set set, const struct mysql_server_kind *kind);
/* `set_count`: statements that succeeded; the values of the others stay unknown. `fence`: the account's user, `database`: the schema.
 * False when not even the grants and the settings came back. */
bool mysql_check_fold(const struct mysql_rows *rows, int set_count, const struct look_shape *shape, const char *fence,
                      const char *database, struct check_times times, struct server_settings *ret);

#endif
