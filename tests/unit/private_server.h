/* What scenes with real servers need: an own folder that goes away again, a program that is started in it and ended by its
 * process id, a free port, and the real loop, driven until something is true or the time is up. */
#ifndef FC_TESTS_PRIVATE_SERVER_H
#define FC_TESTS_PRIVATE_SERVER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/loop.h"

#define FOLDER_SIZE 64

/* Creates it below TMPDIR or /tmp, 0700. A short path: unix sockets go in there. */
void folder_open(char folder[FOLDER_SIZE]);
void folder_close(const char *folder);                  /* removes it with everything in it */

/* Starts a program; its output goes to FOLDER/output. It ends with this process, whatever happens, unless it changes its user:
 * so the user is changed before it begins. `user` NULL: ours. Otherwise the folder becomes that user's, when we are root. */
pid_t program_start(const char *folder, const char *user, const char *const words[]);
void program_end(pid_t *pid);                           /* SIGKILL, and waits; 0 is fine; sets 0 */
void program_freeze(pid_t pid);                         /* SIGSTOP, and waits until all its threads stand still */
int program_run(const char *folder, const char *user, const char *const words[]);   /* to its end: the exit status */

int free_port(void);                                    /* of 127.0.0.1; free a moment ago */

struct pump { struct loop *loop; struct ev_timer beat; };

void pump_open(struct pump *pump, int workers);
void pump_close(struct pump *pump);
const struct host *pump_host(const struct pump *pump);
/* Runs the loop until claim(owner) is true. False when it is not within limit_ms. */
bool pump_until(struct pump *pump, bool (*claim)(void *owner), void *owner, int limit_ms);
void pump_for(struct pump *pump, int ms);
double now_ms(void);

#endif
