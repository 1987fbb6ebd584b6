/* A disk that takes its time, by LD_PRELOAD: FC_DISK_DELAY names a file of eight bytes, how many milliseconds each call that makes
 * something durable is to last at least. It may be changed under the running program; what waits already ends when the time is over
 * by the new value.
 *
 * Raft's log is written by io_submit on files opened with O_DSYNC. Asked not to wait (RWF_NOWAIT) a slow disk says EAGAIN, and the
 * library goes to its threads, as it does where the kernel cannot promise; its terms and votes are made durable on its own thread. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 20

typedef int sync_file(int file);
typedef long call_kernel(long number, ...);

static const volatile int64_t *delay_ms;

__attribute__((constructor)) static void open_delay(void)
{
    const char *path = getenv("FC_DISK_DELAY");
    const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return;
    void *memory = mmap(NULL, sizeof *delay_ms, PROT_READ, MAP_SHARED, file, 0);
    delay_ms = memory == MAP_FAILED ? NULL : memory;
    close(file);
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static void take_time(void)
{
    const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };

    for (int64_t waited = 0; delay_ms != NULL && waited < *delay_ms; waited += LOOK_MS)
        nanosleep(&look, NULL);
}

int fsync(int file)
{
    take_time();
    return ((sync_file *)next("fsync"))(file);
}

int fdatasync(int file)
{
    take_time();
    return ((sync_file *)next("fdatasync"))(file);
}

static int would_wait(long count, struct iocb *const *calls)
{
    for (long i = 0; i < count; i++) {
        if ((calls[i]->aio_rw_flags & RWF_NOWAIT) != 0)
            return 1;
    }
    return 0;
}

long syscall(long number, ...)
{
    long word[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        word[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_io_submit && delay_ms != NULL && *delay_ms > 0) {
        if (would_wait(word[1], (struct iocb *const *)word[2])) {
            errno = EAGAIN;
            return -1;
        }
        take_time();
    }
    return ((call_kernel *)next("syscall"))(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}
