/* Preloaded: what the program has reserved and not given back, in bytes, written twice a second into the eight bytes of the file FC_HEAP_FILE.
 * Resident memory says less of growth: a heap that was once full is touched again page by page for as long as an hour. */
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BETWEEN_US 500000

typedef size_t allocated(void);

static _Atomic uint64_t *told;

static uint64_t in_use(void)
{
    allocated *by_sanitizer = (allocated *)dlsym(RTLD_DEFAULT, "__sanitizer_get_current_allocated_bytes");
    const struct mallinfo2 info = mallinfo2();
    return by_sanitizer != NULL ? by_sanitizer() : info.uordblks + info.hblkhd;
}

static void *tell(void *none)
{
    for (;;) {
        *told = in_use();
        usleep(BETWEEN_US);
    }
    return none;
}

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("FC_HEAP_FILE");
    const int fd = name == NULL ? -1 : open(name, O_RDWR | O_CLOEXEC);
    void *place = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pthread_t thread;
    sigset_t all, before;
    if (fd >= 0)
        close(fd);
    if (place == MAP_FAILED)
        return;
    told = place;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);      /* the program's signals are the program's */
    pthread_create(&thread, NULL, tell, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
