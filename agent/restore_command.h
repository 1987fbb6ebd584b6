/* `firstchair raft-restore --from FILE`: a kept state (quorum/state_text.h) becomes a new raft group of this node alone. */
#ifndef FC_AGENT_RESTORE_COMMAND_H
#define FC_AGENT_RESTORE_COMMAND_H

#include "core/config.h"

/* Returns an exit code. The node must be stopped and RaftDataDir empty; it is made whole or not at all. */
int restore_command(const struct config *config, const char *file);

#endif
