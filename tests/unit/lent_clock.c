/* loop_now() for tests that do not link agent/loop.c: CLOCK_BOOTTIME, and as far ahead of it as the test has asked for. */
#include "lent_clock.h"

#include <time.h>

#include "agent/doors/agent_listener.h"

static int64_t ahead_us;

struct fc_time loop_now(struct ev_loop *loop)
{
    struct timespec now;
    (void)loop;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (struct fc_time){ (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + ahead_us };
}

void lent_clock_forward(int64_t ms)
{
    ahead_us += ms * 1000;
}
