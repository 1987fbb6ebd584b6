/* From a story that breaks a rule to a shorter one that still breaks the same rule. */
#ifndef FC_QUORUMSIM_SHORTEN_H
#define FC_QUORUMSIM_SHORTEN_H

#include <stdbool.h>

struct plot;
struct world;

/* Leaves out lines, first by halves and then one by one, as long as the same rule breaks. False when nothing breaks. */
bool shorten(struct world *world, struct plot *plot, int *runs);

#endif
