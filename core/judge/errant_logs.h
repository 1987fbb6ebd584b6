/* In which binary logs of a server do its errant transactions stand? A log says at its beginning what all logs before it held (MySQL's
 * Previous_gtids event, MariaDB's Gtid_list), so an errant transaction stands in a log when it is not in what that one begins with and is in
 * what the next one begins with, or in what the server has, if it is the last. Logs are told from the newest to the oldest.
 *
 * Of MariaDB, whose lists have the last sequence of each domain and server: of what the server that wrote last in a domain wrote there past
 * the master's place. */
#ifndef FC_JUDGE_ERRANT_LOGS_H
#define FC_JUDGE_ERRANT_LOGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/room.h"
#include "model/gtid.h"

struct errant_trail;

struct errant_logs {                     /* begin with zeros */
    struct room *room;
    bool is_mariadb;
    struct errant_trail *trails;         /* MariaDB */
    size_t trail_count;
    struct gtid_interval *errant_list, *missing_list;
    struct gtid_set errant, missing;     /* MySQL: all of them; those that stand in no log older than the one told last */
};

/* `errant` as errant_text() prints it; `masters`: the master's position (of MariaDB only); `last`: what the server has now, of MariaDB
 * gtid_binlog_state. False: not to be understood, or no memory. errant_logs_done() in both cases. */
bool errant_logs_begin(struct errant_logs *logs, struct room *room, bool is_mariadb, const char *errant, const char *masters, const char *last);
void errant_logs_done(struct errant_logs *logs);

enum errant_log { ERRANT_LOG_WITHOUT = 0, ERRANT_LOG_WITH, ERRANT_LOG_UNKNOWN };
/* The next older log begins with this (MariaDB's with or without its brackets). Unknown: not to be understood, or no memory. */
enum errant_log errant_logs_next(struct errant_logs *logs, const char *beginning);
/* No log older than the one told last holds any. */
bool errant_logs_is_covered(const struct errant_logs *logs);

#endif
