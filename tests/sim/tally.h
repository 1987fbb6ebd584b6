/* What a run has reached, printed: how often each state, how fast chairs heal, which moves came how far. */
#ifndef FC_SIM_TALLY_H
#define FC_SIM_TALLY_H

#include <stdbool.h>
#include <stdint.h>

struct tally;

int tally_states_reached(const struct tally *tally);
int64_t tally_heal_ms(const struct tally *tally, int percent);      /* 100: the longest */
void tally_add(struct tally *tally, const struct tally *more);
void tally_print(const struct tally *tally);
/* Every combination of chair, leadership, step and finding: how often, and which were never reached. */
void tally_print_states(const struct tally *tally);

#endif
