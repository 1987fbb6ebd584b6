/* From a story that breaks a rule to the shortest one that still breaks the same rule. */
#ifndef FC_SIM_SHRINK_H
#define FC_SIM_SHRINK_H

#include <stdbool.h>

struct run_options;
struct script;
struct world;

/* Runs the options' story; when it breaks, leaves out lines, first by halves and then one by one, and shortens how long faults
 * last, as long as the same rule breaks. False when the story breaks nothing. `runs` counts the stories told. */
bool shrink(struct world *world, const struct run_options *options, struct script *ret, int *runs);

#endif
