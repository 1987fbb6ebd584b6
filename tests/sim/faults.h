/* What goes wrong: one table of faults, each with its word, what it wants to know, how it begins and how it ends. A fault is a
 * line of a script (script.h); chance of the seed writes such lines too, so every story can be told again without it. */
#ifndef FC_SIM_FAULTS_H
#define FC_SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/script.h"

struct world;

#define OTHER_ARBITER "old~1"        /* who led before raft did */

struct fault_row {
    const char *word;
    const char *wants;               /* a, b: parties; s: one side; n: amount; d: it ends; t: text */
    int weight;                      /* of chance; 0 = never drawn */
    void (*begin)(struct world *world, const struct fault *fault);
    void (*end)(struct world *world, const struct fault *fault);     /* NULL: nothing to undo */
    const char *meaning;
};

extern const struct fault_row fault_rows[FAULT_KIND_COUNT];

/* Resolves roles and begins it; what can end is undone after fault->for_us, or when everything heals. */
void fault_begin(struct world *world, const struct fault *fault);
void faults_end(struct world *world, int undo);
void faults_heal_all(struct world *world);
void order_give(struct world *world, int node, const char *text, int expected);

/* draw.c: one fault, or an order, by chance of the seed. Roles are drawn as the parties that they are at this moment. */
struct fault fault_draw(struct world *world);
struct fault order_draw(struct world *world);

/* The parties and roles of one side of a split, as bits: "fc1,seated,lb1". Negative: one of them is none. */
int fault_side(const char *text);

/* Who that is at this moment; -1 when nobody is. Groups (nodes, everybody) are not resolved. */
int party_resolve(const struct world *world, int party);

#endif
