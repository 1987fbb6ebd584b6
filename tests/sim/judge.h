/* What must hold after every step, and what must hold in the end.
 *
 * When an overlap of two leaders or two usable writable servers is allowed (arbitration `local`, spec/steering.md 2):
 *   - while what one server logs does not reach the other within 150 ms (their link is cut, one is down or frozen, its
 *     replication is stopped, connecting or late), and for one look (poll + probe time-out) after that;
 *   - while a node cannot reach a server or is frozen, but then no longer than one look: two contenders who see different servers may
 *     both win, and replication tells them.
 * An unfenced grant says so in the row's mark: as long as a row carries it, the old server may still be writable. A server
 * opened by hand has five seconds. */
#ifndef FC_SIM_JUDGE_H
#define FC_SIM_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

struct world;

#define EPOCHS_MAX 4096
#define JUDGE_UNANSWERED "an order has no answer"     /* the last thing that may lack: somebody sits, all agree */

struct epoch_fact { int8_t server, node; };      /* 0 = not seen yet */

struct judge {
    int64_t apart_until;             /* an overlap is allowed before this moment */
    int64_t blind_until;             /* some node could not reach some server */
    int64_t by_hand_until;           /* somebody opened a server by hand: it may take so long until it is fenced */
    int leader;                      /* who last acted alone, 1 is fc1 */
    uint64_t handovers;
    struct epoch_fact facts[EPOCHS_MAX];
    int64_t overlap_us, longest_overlap_us;
    int64_t last_at;
    int acked_at_quiet[2];
};

void judge_init(struct world *world);
void judge_step(struct world *world);
/* The whole picture is quiet: one leads, the same one sits everywhere, open, usable at each proxy, rows equal. */
bool judge_is_quiet(const struct world *world, char *why, int why_size);
void judge_end(struct world *world);
void judge_opened(struct world *world, int node, int server);
void violate(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
