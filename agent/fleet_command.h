/* `firstchair -c COMMAND -i HOST:PORT ...`: orchestrator's commands that read, and those that only touch the store. A running node is
 * asked by its API; what it answers is printed as orchestrator's own command line prints it. One row a command.
 *
 * Exit: 0 done (also for "no": nothing is printed), 1 the node says ERROR, else as docs/exit-codes.md. */
#ifndef FC_AGENT_FLEET_COMMAND_H
#define FC_AGENT_FLEET_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/fleet_ask.h"
#include "base/err.h"
#include "core/config.h"

struct fleet_options {
    const char *command, *config;
    const char *instance, *destination, *alias, *owner, *reason, *duration, *pattern, *pool, *hostname, *tag, *rule, *statement;
    const char *api, *auth, *header, *path, *port;
    const char *own_host;              /* meant where no instance is given; NULL: an instance is a must */
};

/* Is this the command line of such a command? */
bool fleet_command_is_meant(int argc, char **argv);
enum fc_code fleet_options_parse(int argc, char **argv, struct fleet_options *ret, struct fc_err *err);
/* The next of several instances of -i, each with all the other options; *rest is NULL at first. `one` is where its name is kept.
 * False: that was the last. A command that is about no single instance has one turn. */
bool fleet_options_next(const struct fleet_options *all, const char **rest, char *one, size_t size, struct fleet_options *ret);
/* The path with its query that a command asks, from its row's template. FC_BAD_INPUT: no such command, or something is missing. */
enum fc_code fleet_command_path(const struct fleet_options *options, int default_port, char *to, size_t size, struct fc_err *err);
/* What is printed of the answer (JSON), and the exit code. Asked for an unknown command: FC_BAD_INPUT's. */
int fleet_command_print(const struct fleet_options *options, const char *body, FILE *to, FILE *trouble);
/* All of it. */
int fleet_command(int argc, char **argv);
void fleet_command_help(FILE *to);
/* docs/commands.md. */
void fleet_command_docs_print(FILE *to);

#endif
