/* Folders, programs and the loop, for scenes. Every failure here fails the scene at once. */
#include "private_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

void folder_open(char folder[FOLDER_SIZE])
{
    const char *above = getenv("TMPDIR");
    if (above == NULL || strlen(above) > 30)             /* a socket's path has 107 bytes */
        above = "/tmp";
    text_format(folder, FOLDER_SIZE, "%s/fcXXXXXX", above);
    cr_assert_not_null(mkdtemp(folder), "no folder in %s", above);
}

static int remove_one(const char *path, const struct stat *seen, int kind, struct FTW *place)
{
    (void)seen;
    (void)kind;
    (void)place;
    return remove(path);
}

void folder_close(const char *folder) { nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static void become(const char *folder, const struct passwd *user, const char *const words[], pid_t parent)
{
    char output[FOLDER_SIZE + 16];
    TEXT_FORMAT(output, "%s/output", folder);
    const int fd = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    if (user != NULL && (chown(folder, user->pw_uid, user->pw_gid) != 0 || setgroups(0, NULL) != 0 ||
                         setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);     /* forgotten by the kernel at a change of user */
    if (getppid() == parent)
        execvp(words[0], (char *const *)words);
    _exit(127);
}

/* The database servers refuse to run as root; on a machine that has only their programs, `mysql` is no account. */
static const struct passwd *account_of(const char *user)
{
    const struct passwd *found = getpwnam(user);
    return found != NULL ? found : getpwnam("nobody");
}

pid_t program_start(const char *folder, const char *user, const char *const words[])
{
    const struct passwd *found = user != NULL && geteuid() == 0 ? account_of(user) : NULL;
    const pid_t parent = getpid();
    const pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0)
        become(folder, found, words, parent);
    return pid;
}

void program_freeze(pid_t pid)
{
    int status = 0;
    kill(pid, SIGSTOP);
    cr_assert_eq(waitpid(pid, &status, WUNTRACED), pid);
    cr_assert(WIFSTOPPED(status));
}

void program_end(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        waitpid(*pid, NULL, 0);
    }
    *pid = 0;
}

int program_run(const char *folder, const char *user, const char *const words[])
{
    int status = -1;
    const pid_t pid = program_start(folder, user, words);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(fd, (struct sockaddr *)&address, size) == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void on_beat(struct ev_loop *ev, struct ev_timer *timer, int revents)
{
    (void)ev;
    (void)timer;
    (void)revents;
}

void pump_open(struct pump *pump, int workers)
{
    struct fc_err err = { 0 };
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(loop_open(workers, 16, &pump->loop, &err), FC_OK, "%s", err.text);
    ev_timer_init(&pump->beat, on_beat, 0.005, 0.005);   /* so that a claim about the world outside is asked now and then */
    ev_timer_start(loop_ev(pump->loop), &pump->beat);
}

void pump_close(struct pump *pump)
{
    ev_timer_stop(loop_ev(pump->loop), &pump->beat);
    loop_close(pump->loop);
}

const struct host *pump_host(const struct pump *pump) { return loop_host(pump->loop); }

bool pump_until(struct pump *pump, bool (*claim)(void *owner), void *owner, int limit_ms)
{
    const double limit = now_ms() + limit_ms;
    while (!claim(owner)) {
        if (now_ms() > limit)
            return false;
        ev_run(loop_ev(pump->loop), EVRUN_ONCE);
    }
    return true;
}

static bool never(void *owner)
{
    (void)owner;
    return false;
}

void pump_for(struct pump *pump, int ms) { pump_until(pump, never, NULL, ms); }
