/* What goes wrong, by chance of the seed: one table of faults, each with how it begins; most end by themselves. After
 * faults_heal_all nothing is wrong any more. */
#ifndef FC_SIM_FAULTS_H
#define FC_SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

struct world;

void faults_begin_one(struct world *world);
void faults_end(struct world *world, int undo);
void faults_heal_all(struct world *world);
void order_give(struct world *world, int node, const char *text);

#endif
