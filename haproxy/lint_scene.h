/* What a rule of the lint sees, and the questions that several rules ask. Only for the files lint*.c. */
#ifndef FC_HAPROXY_LINT_SCENE_H
#define FC_HAPROXY_LINT_SCENE_H

#include "haproxy/lint.h"
#include "haproxy/proxy_door.h"

extern const struct lint_table lint_process_rules, lint_pool_rules, lint_agent_rules, lint_check_rules, lint_relay_rules;
#define LINT_TABLE(heading, rules) { heading, rules, sizeof(rules) / sizeof(rules)[0] }

struct lint_cluster {                         /* a pool of a managed cluster */
    int kind;                                 /* LINT_WRITER_POOL, LINT_READER_POOL */
    const struct proxy_section *section;      /* NULL when the file has none */
    int member_count;
    struct named_address members[CLUSTER_SERVERS_MAX];
    char name[NODE_NAME_SIZE];
};

struct lint_scene {
    const struct config *config;
    const struct proxy_file *file;
    struct node_address nodes[NODES_MAX];
    struct named_address servers[LIST_MAX];
    int node_count, server_count;
    bool is_configured;                       /* Nodes are named: names and addresses can be compared */
    const struct proxy_section *pool[2];      /* the backend's and the leader's; NULL when the file has none */
    struct lint_cluster clusters[CLUSTER_POOLS_MAX];
    int cluster_count;
    const struct proxy_section *relay;        /* where the checks of the backend pool go; NULL when not in this file */
    bool is_closed;                           /* SteeringTermOver */

    /* what is asked about now */
    int order;                                /* of the rule, among all */
    int pool_kind;                            /* LINT_BACKEND_POOL, LINT_LEADER_POOL, ...; 0 */
    const struct lint_cluster *cluster;       /* when it is one's pool; else NULL */
    const struct proxy_section *section;
    const struct proxy_server *server;
    /* what a rule may say beside its answer */
    const struct proxy_line *where;           /* a better line than the section's or the server's own */
    char detail[160];
};

/* Each returns true, so that a rule ends with it. */
bool lint_say(struct lint_scene *scene, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool lint_say_at(struct lint_scene *scene, const struct proxy_line *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Milliseconds of a word of the server, or `preset` when it is not there or cannot be read. */
int64_t lint_server_ms(const struct lint_scene *scene, const struct proxy_server *server, enum proxy_key key, int64_t preset);
int64_t lint_server_number(const struct lint_scene *scene, const struct proxy_server *server, enum proxy_key key, int64_t preset);
/* Word `index` of the statement in force; NULL when nothing is said. */
const char *lint_setting(const struct lint_scene *scene, const struct proxy_section *section, enum proxy_setting setting, int index);

/* Where this server's agent is asked. False when that cannot be read. */
bool lint_agent_door(const struct lint_scene *scene, const struct proxy_server *server, struct proxy_door *ret);
/* Where the first `tcp-check connect` of the server's section goes. */
bool lint_check_door(const struct lint_scene *scene, const struct proxy_server *server, struct proxy_door *ret);
/* The node that listens for agent checks there; -1 when none. */
int lint_node_at(const struct lint_scene *scene, const struct proxy_door *door);
int lint_node_named(const struct lint_scene *scene, const char *name);
/* Among the servers that the pool asked about has; -1 none. */
int lint_server_named(const struct lint_scene *scene, const char *name);
int lint_server_count(const struct lint_scene *scene);
const struct named_address *lint_server(const struct lint_scene *scene, int index);
/* Is the section one of firstchair's pools? */
bool lint_is_pool(const struct lint_scene *scene, const struct proxy_section *section);
/* The section that listens there with servers behind it; NULL none. */
const struct proxy_section *lint_relay_at(const struct lint_scene *scene, const struct proxy_door *door);
/* Does the frontend or listen bind there? */
bool lint_section_listens(const struct lint_scene *scene, const struct proxy_section *section, const struct proxy_door *door);
/* The agent asks firstchair: by where it asks, or by what. */
bool lint_asks_us(const struct lint_scene *scene, const struct proxy_server *server);

/* The pattern of the section's `tcp-check expect KIND PATTERN` line; NULL when there is none. */
const char *lint_expect(const struct lint_scene *scene, const struct proxy_section *section, const char *kind,
                        const struct proxy_line **line);
/* The data of the first `tcp-check send` or `send-lf`; NULL when none. */
const char *lint_send(const struct lint_scene *scene, const struct proxy_section *section, const struct proxy_line **line);

/* How long the check of this server may go on passing nobody, and how soon it can give up. Defaults of HAProxy: inter 2 s, fall 3,
 * and without `timeout check` the interval is the time-out (measured). */
struct lint_patience { int64_t inter_ms, timeout_ms, fall, longest_ms, shortest_ms; };
struct lint_patience lint_patience(const struct lint_scene *scene, const struct proxy_server *server);

#endif
