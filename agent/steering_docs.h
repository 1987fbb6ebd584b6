/* The tables of docs/steering.md, printed from those that decide: findings, answers, moves and their steps, bars. */
#ifndef FC_AGENT_STEERING_DOCS_H
#define FC_AGENT_STEERING_DOCS_H

#include <stdio.h>

void steering_docs_print(FILE *to);

#endif
