/* A stage for scenes of the core: one node, its pair of servers, and a clock that stands still unless a scene moves it.
 * The stage plays the lease's part: a deed that ends well tells the core what the lease would tell. */
#ifndef FC_CORE_STAGE_H
#define FC_CORE_STAGE_H

#include "core/core.h"

struct stage {
    struct core *core;
    struct config config;
    struct effects *effects;         /* of everything since the last stage_asks or stage_asks_nothing */
    struct fc_time now;
    uint64_t epoch, ticket;
    struct decision row;
    bool leads;
    char said[256];                  /* the last answer to an order */
    bool is_final;
    struct server_look looks[STORE_SERVERS_MAX];
};

/* servers: "db1 db2". seated: its name, open, with this node leading; "" = a first start, nobody leads, all closed. */
struct stage stage_open(const char *servers, const char *seated);
void stage_close(struct stage *stage);
/* This node leads from now on (in a new epoch). */
void stage_lead(struct stage *stage);
void stage_lose_lease(struct stage *stage, const char *event);      /* "denied" or "silent" */
void stage_order(struct stage *stage, const char *text);
/* A look at this server: words like "read_only=1", "open", "behind", "broken", "unconfigured", "io=connecting". */
void stage_report(struct stage *stage, const char *server, const char *words);
void stage_lost(struct stage *stage, const char *server, const char *how);   /* "ended", "refused", "silent" */
/* The deed under way ends: "intend", "fence", "catch-up", "seat", "open", "hold"; how: "ok", "timeout", "refused", "unreachable". */
void stage_deed(struct stage *stage, const char *deed, const char *how);
void stage_pass(struct stage *stage, int64_t ms);                            /* time passes, and the timer rings */
void stage_finds_moving(struct stage *stage, const char *from, const char *to);   /* a half moved chair is found */

/* What a DBA would see: "db1 first, db2 resting"; also "leaving", "waiting", "paused", "unknown". */
void stage_shows(struct stage *stage, const char *wanted);
/* The deeds asked for since the last question: "intend db1 > db2", "fence db1", "" ... in their order, with commas. */
void stage_asks(struct stage *stage, const char *wanted);
void stage_finds(struct stage *stage, const char *finding);
void stage_says(struct stage *stage, const char *part);                      /* the last answer contains this */

#endif
