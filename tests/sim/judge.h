/* What must hold after every step, and what must hold in the end.
 *
 * When an overlap of two leaders or two usable writable servers is allowed (arbitration `local`, spec/steering.md 2):
 *   only while what one server logs does not reach the other (their link is cut, one is frozen or down, replication is
 *   stopped or late), or within WATCH + 2 x PROBE + POLL after that ended: so long may a node act on what it saw before.
 * An unfenced grant says so in the row's mark; as long as a row carries that mark, the old server may still be writable. */
#ifndef FC_SIM_JUDGE_H
#define FC_SIM_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

struct world;

#define EPOCHS_MAX 4096

struct epoch_fact { int8_t server, node; };      /* 0 = not seen yet */

struct judge {
    int64_t apart_until;             /* an overlap is allowed before this moment */
    int64_t by_hand_until;           /* somebody opened a server by hand: it may take so long until it is fenced */
    bool was_writable[2];
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
