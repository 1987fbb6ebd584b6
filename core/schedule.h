/* What is due by the clock alone: looks at the servers, read-backs of the proxies, registration, the schema. */
#ifndef FC_CORE_SCHEDULE_H
#define FC_CORE_SCHEDULE_H

#include "core/core.h"

void schedule_start(struct core *core);
/* Takes the event's consequences for the timetable: a look that ended, a server that was lost. */
void schedule_hear(struct core *core, const struct event *event);
/* The settings of this server are to be read at the next step, not at their usual time. */
void schedule_check(struct core *core, int server);
/* Emits what is due at core->now and one WAKE_AT for the next moment. */
void schedule_step(struct core *core, struct effects *effects);

#endif
