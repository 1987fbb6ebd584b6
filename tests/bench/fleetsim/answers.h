/* What a simulated server says to a statement: MariaDB 10.11's columns, with values of the fleet. tests/integration/fleetsim_test.py
 * compares it with a real one, column by column and cell by cell. */
#ifndef FLEETSIM_ANSWERS_H
#define FLEETSIM_ANSWERS_H

#include "fleet.h"
#include "packets.h"

#define USER_TEXT 64

struct asker { char user[USER_TEXT]; const char *host; uint32_t session; };

struct answer_counts { uint64_t round_trips, statements, unknown, probes; };      /* probes: that asked for replication's state */
extern struct answer_counts answer_counts;

/* The different texts that were asked, the first HEARD_MAX of them; NULL behind the last. */
#define HEARD_MAX 16
const char *answer_heard(int which);

/* All statements of one COM_QUERY; `text` is not changed. The first that fails ends the rest. */
void answer_query(const struct fleet *fleet, const struct server *server, const struct asker *asker, const char *text, size_t length,
                  int64_t now_ms, struct packets *to);
void answer_greeting(const struct fleet *fleet, const struct asker *asker, struct packets *to);

#endif
