/* A wall clock that can be stepped under a running program, by LD_PRELOAD: FC_CLOCK_STEP names a file of eight bytes, the seconds to
 * add. Only CLOCK_REALTIME is changed, as an administrator would: timers and the clocks that count from boot go on.
 *
 * Not libfaketime: version 0.9.10 moves absolute timerfds of every clock by the step (tried: one on CLOCK_BOOTTIME does not ring),
 * which no kernel does. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef int read_clock(clockid_t clock, struct timespec *ret);

static const volatile int64_t *step_s;
static read_clock *real_clock;

__attribute__((constructor)) static void open_step(void)
{
    const char *path = getenv("FC_CLOCK_STEP");
    const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);

    real_clock = (read_clock *)dlsym(RTLD_NEXT, "clock_gettime");
    if (file < 0)
        return;
    void *memory = mmap(NULL, sizeof *step_s, PROT_READ, MAP_SHARED, file, 0);
    step_s = memory == MAP_FAILED ? NULL : memory;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    if (real_clock == NULL)
        real_clock = (read_clock *)dlsym(RTLD_NEXT, "clock_gettime");
    const int result = real_clock(clock, ret);

    if (result == 0 && step_s != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        ret->tv_sec += *step_s;
    return result;
}
