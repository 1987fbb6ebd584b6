/* What operators are told: of HAProxies that are out of sight, lack a server or contradict the board, and of what an unfenced
 * server took alone. Judged by the notes and records themselves: each trouble once when it begins, once when it is over. */
#ifndef FC_SIM_JUDGE_SAID_H
#define FC_SIM_JUDGE_SAID_H

#include <stdbool.h>
#include <stdint.h>

#include "core/effect.h"
#include "core/event.h"
#include "sim/net.h"

struct world;

#define JUDGE_UNTOLD "what was written alone is not told"

/* What one process has said of each HAProxy and not taken back. */
struct judged_sayings { uint32_t life; bool is_lost[SIM_PROXIES], lacks[SIM_PROXIES]; };

struct judge_said {
    struct judged_sayings nodes[SIM_NODES_MAX];
    int64_t contradicts_since[SIM_PROXIES];      /* the board of the one node that leads and could push; -1 = does not */
    int leader[SIM_PROXIES];
    int64_t looked_at;
    int alone_from[SIM_SERVERS];     /* place in its log from which on it was left alone by an unfenced grant; -1 = was not */
    int64_t alone_told[SIM_SERVERS]; /* the most transactions that were told since */
};

void judge_said_init(struct judge_said *said);
void judge_note(struct world *world, int node, const char *subject, const char *text);
void judge_record(struct world *world, const char *kind, const char *text);
void judge_view(struct world *world, int node, const struct event *event);     /* PROXY_SEEN, PROXY_LOST, when it was heard */
void judge_drift(struct world *world);           /* after every happening */
void judge_left_alone(struct world *world, int old);
/* Of the present seating, if it is an unfenced one: has everything that the old server wrote alone been told? */
bool judge_is_told(const struct world *world);

#endif
