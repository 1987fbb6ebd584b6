/* Pools: what one HAProxy backend needs to know, with the holds that operators laid on it. */
#ifndef FC_STEER_POOL_H
#define FC_STEER_POOL_H

#include <stdbool.h>

#include "core/config.h"
#include "model/look.h"
#include "steer/answer.h"

#define STEER_POOLS_MAX (2 + CLUSTER_POOLS_MAX)
#define STEER_MEMBERS_MAX NODES_MAX

struct pool_member {
    char name[64];
    char address[ADDRESS_SIZE];
    struct answer answer;            /* what the board says now */
    bool has_answer;
    int64_t since_unix_ms;           /* when the board began to say this (wall clock; shown, never decided upon) */
};

struct pool {
    char name[64];
    enum pool_kind kind;
    int count;
    struct pool_member members[STEER_MEMBERS_MAX];
};

struct holds {
    int count;
    struct hold list[HOLDS_MAX];
};

/* Merges a stored hold: the higher rank wins. Returns true when something changed. False as well when the table is full. */
bool holds_merge(struct holds *holds, const struct hold *hold);
/* The hold in force on pool/server ("" = on the pool); NULL when none (released ones do not count). */
const struct hold *holds_find(const struct holds *holds, const char *pool, const char *server);
/* The stored row, released or not; NULL when there never was one. */
const struct hold *holds_row(const struct holds *holds, const char *pool, const char *server);

/* Of a managed cluster: a writer's or readers'. */
static inline bool pool_is_of_cluster(const struct pool *pool) { return pool->kind == POOL_WRITER || pool->kind == POOL_READER; }

int pool_member_find(const struct pool *pool, const char *name);      /* -1 = none */

#endif
