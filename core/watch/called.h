/* By which key a server is known that somebody calls otherwise: "db1.old:3306" is "db1:3306". Learned from looks (the two answered as
 * one server), held until a look shows that it is so no more. Rows are few beside a fleet, sorted; asking is a binary search. */
#ifndef FC_WATCH_CALLED_H
#define FC_WATCH_CALLED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/room.h"
#include "model/instance.h"
#include "model/names.h"

#define CALLED_MAX 262144u            /* more names than servers there may be; beyond it nothing is learned */

struct called_row { name_id host, is; uint16_t port; };     /* host:port is the server is:port */

struct called {
    struct room *room;
    struct names *names;              /* borrowed */
    struct called_row *list;          /* sorted by host, port */
    uint32_t count, capacity;
};

void called_init(struct called *called, struct room *room, struct names *names);
void called_done(struct called *called);                 /* before the names */

/* The key under which it is known, borrowed until the next change; `key` itself when nothing was learned of it. */
struct instance_key called_is(const struct called *called, const struct instance_key *key);
/* False: no memory, or the bound. */
bool called_learn(struct called *called, const struct instance_key *key, const char *is);
void called_forget(struct called *called, const struct instance_key *key);

#endif
