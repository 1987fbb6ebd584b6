/* A clock lent to rooms that ask loop_now(), so that a test can let a term run out without waiting for it. */
#ifndef FC_TESTS_LENT_CLOCK_H
#define FC_TESTS_LENT_CLOCK_H

#include <stdint.h>

/* From now on the lent clock is ahead of CLOCK_BOOTTIME by this much more. */
void lent_clock_forward(int64_t ms);

#endif
