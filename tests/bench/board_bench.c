/* How many agent-checks a second the listener answers, beside the barest responder that could be written.
 *
 * Three processes: this one asks, one runs our listener and board, one is barest_responder (its binary lies next to ours).
 * Slices of the two alternate, so that what else the machine does falls on both alike. Each check is a connection of its
 * own: connect, send, read one line, reset, as HAProxy does it. Allocations are counted in the listener's process by
 * malloc and its kin being ours. Usage: board_bench [seconds]; prints lines of "name value unit". */
#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <libgen.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/doors/agent_listener.h"
#include "agent/doors/board.h"

#define REQUEST "lb1 fc_backend/db1\n"
#define ANSWER "up ready 100% # fc-ok e=9 primary\n"
#define AT_ONCE 16             /* checks under way in the slices that measure the rate */
#define SLOW_COUNT 1000
#define CROWD_COUNT 1500
#define AT_THE_DOOR 900                /* what the listener's backlog takes while it is stopped */
#define SLICE_NS 250000000
#define PACE 2000              /* checks a second, due whether or not the ones before were answered */
#define PACED_MOST 256         /* under way at one time; when so many wait, the pace is lost and said so */
#define SAMPLES_MAX 2000000

/* ---- counted allocations: the listener's process is a fork of this program, so these are its malloc and kin too ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

struct shared { uint64_t allocations; int port; };
static struct shared *shared;          /* set in both processes; counted only where is_counting */
static int is_counting;

static void count_one(void)
{
    if (is_counting)
        __atomic_fetch_add(&shared->allocations, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size) { count_one(); return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { count_one(); return __libc_calloc(count, size); }
void *realloc(void *block, size_t size) { count_one(); return __libc_realloc(block, size); }

/* ---- time ---- */

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now = { 0, 0 };
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct fc_time loop_now(struct ev_loop *loop)
{
    (void)loop;
    return (struct fc_time){ clock_ns(CLOCK_BOOTTIME) / 1000 };
}

static void fail(const char *what)
{
    fprintf(stderr, "board_bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- those who answer ---- */

struct responder {
    const char *name;
    pid_t pid;
    int port;
    clockid_t cpu;
    int64_t wall_ns, cpu_ns;
    uint64_t answered;
};

static void run_listener(int ready_fd)
{
    static struct config config = { .agent_listen_address = "127.0.0.1:0", .agent_clients_max = 2048 };
    const struct answer answer = { .kind = POOL_BACKEND, .voice = VOICE_FIRST, .epoch = 9, .reason = "primary",
                                   .until = fc_plus(loop_now(NULL), fc_ms(3600000)), .late = VOICE_REST };
    struct ev_loop *loop = ev_default_loop(0);
    struct board *board = board_new(64, 256);
    struct agent_listener *listener;
    struct fc_err err;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (board == NULL || !board_show(board, "fc_backend", "db1", &answer) ||
        agent_listener_open(loop, &config, board, &listener, &err) != FC_OK)
        _exit(1);
    shared->port = agent_listener_port(listener);
    is_counting = 1;
    (void)!write(ready_fd, "", 1);
    ev_run(loop, 0);
    _exit(0);
}

static void listener_start(struct responder *r)
{
    int ready[2];
    char byte;
    if (pipe(ready) != 0 || (r->pid = fork()) < 0)
        fail("fork");
    if (r->pid == 0)
        run_listener(ready[1]);
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        fail("the listener did not open");
    close(ready[0]);
    r->port = shared->port;
}

static void barest_start(struct responder *r, const char *folder)
{
    int from[2], to[2];
    char path[4096], number[16] = "";
    snprintf(path, sizeof path, "%s/barest_responder", folder);
    if (pipe(from) != 0 || pipe(to) != 0 || (r->pid = fork()) < 0)
        fail("fork");
    if (r->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl(path, path, ANSWER, (char *)NULL);
        _exit(127);
    }
    close(from[1]);
    close(to[0]);                                /* to[1] stays open for as long as it is to serve */
    if (read(from[0], number, sizeof number - 1) <= 0)
        fail(path);
    close(from[0]);
    r->port = (int)strtol(number, NULL, 10);
}

/* ---- the one who asks ---- */

struct samples { uint32_t *us; size_t count; };

static int knock(int port)
{
    const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        fail("connect");
    return fd;
}

static int check_start(int port)
{
    const int fd = knock(port);
    if (send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) < 0)
        fail("send");
    return fd;
}

static void check_end(int fd)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    char said[256];
    const ssize_t got = recv(fd, said, sizeof said, 0);
    if (got != sizeof ANSWER - 1 || memcmp(said, ANSWER, sizeof ANSWER - 1) != 0) {
        fprintf(stderr, "board_bench: wrong answer: %.*s\n", got > 0 ? (int)got : 0, said);
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

static void sample(struct samples *to, int64_t ns)
{
    if (to != NULL && to->count < SAMPLES_MAX)
        to->us[to->count++] = (uint32_t)(ns / 1000);
}

/* Keeps `at_once` checks under way for one slice. */
static void slice(struct responder *r, int at_once, struct samples *to)
{
    struct pollfd waiting[AT_ONCE];
    int64_t since[AT_ONCE];
    const int64_t begin = clock_ns(CLOCK_MONOTONIC), cpu_begin = clock_ns(r->cpu), end = begin + SLICE_NS;
    int open = 0;
    for (; open < at_once; open++) {
        since[open] = clock_ns(CLOCK_MONOTONIC);
        waiting[open] = (struct pollfd){ check_start(r->port), POLLIN, 0 };
    }
    while (open > 0) {
        if (poll(waiting, (nfds_t)at_once, 5000) <= 0)
            fail("no answer within 5 s");
        for (int i = 0; i < at_once; i++) {
            if (waiting[i].fd < 0 || waiting[i].revents == 0)
                continue;
            check_end(waiting[i].fd);
            const int64_t now = clock_ns(CLOCK_MONOTONIC);
            sample(to, now - since[i]);
            r->answered++;
            since[i] = now;
            waiting[i].fd = now < end ? check_start(r->port) : -1;
            open -= waiting[i].fd < 0;
        }
    }
    r->wall_ns += clock_ns(CLOCK_MONOTONIC) - begin;
    r->cpu_ns += clock_ns(r->cpu) - cpu_begin;
}

static int compare_us(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_latency(const char *name, const char *how, struct samples *s)
{
    if (s->count == 0)
        return;
    qsort(s->us, s->count, sizeof *s->us, compare_us);
    printf("%s_%s_p50 %u us\n", name, how, s->us[s->count / 2]);
    printf("%s_%s_p99 %u us\n", name, how, s->us[s->count * 99 / 100]);
    s->count = 0;
}

static struct samples samples_new(void)
{
    const struct samples s = { calloc(SAMPLES_MAX, sizeof(uint32_t)), 0 };
    if (s.us == NULL)
        fail("samples");
    return s;
}

/* Both responders on the last core and the asker on the first: else the scheduler's choice for each process, which stays
 * as it fell, weighs more than what is measured. */
static void pin(pid_t pid, int core)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    sched_setaffinity(pid, sizeof cores, &cores);
}

/* ---- what is measured ---- */

static double per_second(const struct responder *r) { return (double)r->answered * 1e9 / (double)r->wall_ns; }
static double cpu_us_each(const struct responder *r) { return (double)r->cpu_ns / 1e3 / (double)r->answered; }

static void forget(struct responder *r)
{
    r->answered = 0;
    r->wall_ns = r->cpu_ns = 0;
}

static void measure(struct responder r[2], int at_once, const char *how, int rounds)
{
    struct samples s[2] = { samples_new(), samples_new() };
    forget(&r[0]);
    forget(&r[1]);
    const uint64_t allocations = __atomic_load_n(&shared->allocations, __ATOMIC_RELAXED);
    for (int i = 0; i < 2 * rounds; i++) {
        const int who = (i + i / 2) % 2;           /* 0 1 1 0 0 1 1 0: neither is always the first */
        slice(&r[who], at_once, &s[who]);
    }
    for (int who = 0; who < 2; who++) {
        printf("%s_%s_rate %.0f answers/s\n", r[who].name, how, per_second(&r[who]));
        printf("%s_%s_cpu %.2f us/answer\n", r[who].name, how, cpu_us_each(&r[who]));
        print_latency(r[who].name, how, &s[who]);
        free(s[who].us);
    }
    printf("ratio_%s_rate %.3f board/barest\n", how, per_second(&r[0]) / per_second(&r[1]));
    printf("ratio_%s_cpu %.3f barest/board\n", how, cpu_us_each(&r[1]) / cpu_us_each(&r[0]));
    printf("board_%s_allocations %llu in %llu answers\n", how,
           (unsigned long long)(__atomic_load_n(&shared->allocations, __ATOMIC_RELAXED) - allocations),
           (unsigned long long)r[0].answered);
}

/* A check is due every 1/PACE s, and its time runs from then: a listener that stops for a moment is charged for all who came.
 * Returns how many were due and could not even begin, because PACED_MOST were waiting. */
static uint64_t paced_slice(struct responder *r, int64_t span_ns, struct samples *to)
{
    struct pollfd waiting[PACED_MOST];
    int64_t due_at[PACED_MOST];
    const int64_t begin = clock_ns(CLOCK_MONOTONIC), step = 1000000000 / PACE;
    int64_t next = begin;
    uint64_t lost = 0;
    int open = 0;
    while (open > 0 || next < begin + span_ns) {
        int64_t now = clock_ns(CLOCK_MONOTONIC);
        for (; next <= now && next < begin + span_ns; next += step) {
            if (open == PACED_MOST) {
                lost++;
                continue;
            }
            due_at[open] = next;
            waiting[open++] = (struct pollfd){ check_start(r->port), POLLIN, 0 };
        }
        const int64_t rest = next - clock_ns(CLOCK_MONOTONIC);
        const struct timespec patience = { 0, next >= begin + span_ns ? 500000000 : rest > 0 ? rest : 0 };
        if (ppoll(waiting, (nfds_t)open, &patience, NULL) < 0)
            fail("poll");
        for (int i = open - 1; i >= 0; i--) {
            if (waiting[i].revents == 0)
                continue;
            check_end(waiting[i].fd);
            sample(to, clock_ns(CLOCK_MONOTONIC) - due_at[i]);
            r->answered++;
            waiting[i] = waiting[--open];
            due_at[i] = due_at[open];
        }
    }
    return lost;
}

static void measure_paced(struct responder *r, int seconds)
{
    struct samples s = samples_new();
    char how[64];
    snprintf(how, sizeof how, "at_%d_a_second", PACE);
    forget(r);
    const uint64_t lost = paced_slice(r, (int64_t)seconds * 1000000000, &s);
    print_latency(r->name, how, &s);
    printf("%s_%s_answered %llu in %d s, %llu could not begin\n", r->name, how, (unsigned long long)r->answered, seconds,
           (unsigned long long)lost);
    free(s.us);
}

/* They connect and stay silent. The listener gives them one second, so a new thousand comes for each slice. */
static void slow_slice(struct responder *r, int at_once, struct samples *to)
{
    static int slow[SLOW_COUNT];
    for (int i = 0; i < SLOW_COUNT; i++)
        slow[i] = knock(r->port);
    slice(r, at_once, to);
    for (int i = 0; i < SLOW_COUNT; i++)
        close(slow[i]);
}

static void measure_beside_slow(struct responder *board, int rounds)
{
    struct samples s = samples_new();
    const uint64_t allocations = __atomic_load_n(&shared->allocations, __ATOMIC_RELAXED);
    forget(board);
    for (int i = 0; i < rounds; i++)
        slow_slice(board, 1, &s);
    print_latency("board", "beside_1000_slow", &s);
    free(s.us);
    printf("board_beside_1000_slow_allocations %llu in %llu answers\n",
           (unsigned long long)(__atomic_load_n(&shared->allocations, __ATOMIC_RELAXED) - allocations),
           (unsigned long long)board->answered);
}

/* libev's tables double as they meet more at one time, and never shrink. A stopped listener that wakes to a crowd larger
 * than any that comes later, at the door and leaving, has seen the last of that. */
static void crowd(const struct responder *r)
{
    static int fds[CROWD_COUNT];
    kill(r->pid, SIGSTOP);
    for (int i = 0; i < CROWD_COUNT; i++) {
        if (i == AT_THE_DOOR)
            kill(r->pid, SIGCONT);
        fds[i] = knock(r->port);
    }
    check_end(check_start(r->port));               /* in line behind them: they have been let in */
    kill(r->pid, SIGSTOP);
    for (int i = 0; i < CROWD_COUNT; i++)
        close(fds[i]);
    kill(r->pid, SIGCONT);
    const int fd = knock(r->port);                 /* and without an end of line, so that a timer has rung once, too */
    if (send(fd, REQUEST, sizeof REQUEST - 2, MSG_NOSIGNAL) < 0)
        fail("send");
    check_end(fd);
}

int main(int argc, char **argv)
{
    char own[4096] = "";
    struct responder r[2] = { { .name = "board" }, { .name = "barest" } };
    const struct rlimit files = { 8192, 8192 };
    const long asked = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
    const int seconds = asked < 3 ? 3 : asked > 600 ? 600 : (int)asked;
    const int rounds = seconds * 2 / 3;            /* a third of the time for each of the three measurements below */
    setrlimit(RLIMIT_NOFILE, &files);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || readlink("/proc/self/exe", own, sizeof own - 1) < 0)
        fail("start");
    listener_start(&r[0]);
    barest_start(&r[1], dirname(own));
    pin(0, 0);
    for (int who = 0; who < 2; who++) {
        if (clock_getcpuclockid(r[who].pid, &r[who].cpu) != 0)
            fail("cpu clock");
        pin(r[who].pid, (int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
        if (who == 0)
            crowd(&r[who]);
        slice(&r[who], AT_ONCE, NULL);             /* warm, and the crowd's last have left by then */
    }
    measure(r, AT_ONCE, "16_at_once", rounds);
    measure(r, 1, "one_by_one", rounds);
    for (int who = 0; who < 2; who++)
        measure_paced(&r[who], seconds < 9 ? 3 : seconds / 3);
    measure_beside_slow(&r[0], seconds < 6 ? 2 : seconds / 3);
    for (int who = 0; who < 2; who++) {
        kill(r[who].pid, SIGKILL);
        waitpid(r[who].pid, NULL, 0);
    }
    return 0;
}
