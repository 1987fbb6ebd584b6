/* docs/analysis.md, printed from the tables that judge: codes, the rules that find them, structure warnings, differences. */
#ifndef FC_AGENT_ANALYSIS_DOCS_H
#define FC_AGENT_ANALYSIS_DOCS_H

#include <stdio.h>

void analysis_docs_print(FILE *to);

#endif
