/* `firstchair discover [SEED...]`. */
#ifndef FC_AGENT_DISCOVER_COMMAND_H
#define FC_AGENT_DISCOVER_COMMAND_H

#include <stdbool.h>

#include "core/config.h"

/* The exit code. 0 seeds: those of the configuration. Findings: some server was not seen. */
int discover_command(const struct config *config, const char *const *seeds, int count, bool is_tabulated);

#endif
