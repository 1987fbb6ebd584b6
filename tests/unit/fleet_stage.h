/* A fleet described in words, and questions to it as they come in a path: no socket, no server. */
#ifndef FC_TESTS_FLEET_STAGE_H
#define FC_TESTS_FLEET_STAGE_H

#include "agent/fleet_answer.h"

struct described {                   /* what a server says; begins as a MariaDB 10.11 that logs what it applies */
    struct instance_seen seen;
    struct channel_seen channel;
};

struct fleet_stage {
    struct room room;
    struct topology topology;
    struct overrides overrides;
    struct classifications classifications;
    struct aliases aliases;
    struct fleet fleet;
    struct server_pools pools;
    struct host_names resolved, unresolved;
    struct classifier classifier;
    struct picture picture;
    struct fleet_order ordered;      /* the last one that was given */
    unsigned status;                 /* of the last answer */
    char *body;
};
extern struct fleet_stage fleet_stage;

/* At 2026-11-23 08:00:00 UTC: db1.example -> db2.example -> db4.example, db1.example -> db3.example. */
void fleet_stage_open(void);
void fleet_stage_close(void);
void fleet_stage_empty(void);        /* without a server */

struct described describe(const char *host, const char *master);       /* master NULL: none */
member_id stage_saw(struct described *described);
void stage_saw_plain(const char *host, const char *master);
void stage_lost(const char *host);
void stage_later(int64_t ms);
/* Aliases are chosen and everybody is judged. */
void stage_judge(void);

/* The answer to a path with its query, as a client would send it; an order is carried out in memory. NULL: no such route. */
const char *stage_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Members of the answer, by a path as in ".Details.Key.Port" or "[0].Key.Hostname", as unformatted JSON; "" when it is not there. */
const char *stage_part(const char *path);
/* Hosts of a list of instances or keys, without ".example", joined by blanks. */
const char *stage_hosts(const char *path);

#endif
