/* A session towards a server that is out of reach. The unreachable one is a listening socket whose queue is full: the kernel lets
 * further connects fall, as a dead link does, until there is room again. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/mysql/mysql_session.h"
#include "base/text.h"
#include "private_server.h"

#define DIAL_MS 100

struct stage {
    struct pump pump;
    struct mysql_session *session;
    int door, port, fillers[2];
    bool has_answer;
    struct session_answer answer;
};

static int socket_of(bool is_door, int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)*port) };
    socklen_t size = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (is_door ? 0 : SOCK_NONBLOCK), 0);
    cr_assert_geq(fd, 0);
    if (!is_door) {
        connect(fd, (const struct sockaddr *)&at, sizeof at);
        return fd;
    }
    cr_assert_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(fd, 0), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void fill(struct stage *s)
{
    for (int i = 0; i < 2; i++)
        s->fillers[i] = socket_of(false, &s->port);
}

static struct stage *stage_open(int dial_ms)
{
    static struct stage stage;
    struct mysql_session_setting setting = { .dial_ms = dial_ms };
    stage = (struct stage){ 0 };
    pump_open(&stage.pump, 1);
    stage.door = socket_of(true, &stage.port);
    TEXT_FORMAT(setting.address, "127.0.0.1:%d", stage.port);
    TEXT_SET(setting.label, "db1");
    TEXT_SET(setting.user, "nobody");
    stage.session = mysql_session_open(pump_host(&stage.pump), &setting, NULL, &stage);
    cr_assert_not_null(stage.session);
    return &stage;
}

static void stage_close(struct stage *s)
{
    mysql_session_close(s->session);
    pump_close(&s->pump);
    for (int i = 0; i < 2; i++)
        close(s->fillers[i]);
    close(s->door);
}

static void answered(void *owner, const struct session_answer *answer)
{
    struct stage *s = owner;
    s->answer = *answer;
    s->has_answer = true;
}

static bool has_answer(void *owner) { return ((struct stage *)owner)->has_answer; }

static void ask(struct stage *s, int limit_ms)
{
    const struct host *host = pump_host(&s->pump);
    mysql_session_query(s->session, "do 0", 4, fc_plus(host->now(host->agent), fc_ms(limit_ms)), answered, s);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert_not_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Everything that waits at the door is let in; how many those were. */
static int let_in(struct stage *s)
{
    struct timeval moment = { .tv_usec = 1000 };
    int count = 0;
    setsockopt(s->door, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    for (int fd = accept(s->door, NULL, NULL); fd >= 0; fd = accept(s->door, NULL, NULL)) {
        close(fd);
        count++;
    }
    return count;
}

static bool somebody_came(void *owner) { return let_in(owner) > 0; }

/* The kernel asks at 0, 1 and 3 s. There is room from 1.4 s on. */
static double came_after_ms(int dial_ms)
{
    struct stage *s = stage_open(dial_ms);
    fill(s);
    ask(s, 10000);
    pump_for(&s->pump, 1400);
    cr_assert_not(s->has_answer, "%s", s->answer.text);
    const double room = now_ms();
    for (int i = 0; i < 2; i++)
        close(s->fillers[i]);
    s->fillers[0] = s->fillers[1] = -1;
    let_in(s);
    cr_assert(pump_until(&s->pump, somebody_came, s, 9000));
    const double passed = now_ms() - room;
    stage_close(s);
    return passed;
}

Test(mysql_session, a_server_that_is_back_is_found_long_before_the_kernel_would_ask_again)
{
    const double anew = came_after_ms(DIAL_MS), by_the_kernel = came_after_ms(0);
    cr_expect_lt(anew, by_the_kernel / 2, "after %.0f ms, and the kernel alone after %.0f ms", anew, by_the_kernel);
}

Test(mysql_session, connects_begun_anew_keep_one_descriptor_and_end_with_the_bound)
{
    struct stage *s = stage_open(DIAL_MS);
    fill(s);
    ask(s, 1000);
    pump_for(&s->pump, DIAL_MS / 2);
    const int first = open_descriptors();
    pump_for(&s->pump, 5 * DIAL_MS);
    cr_expect_eq(open_descriptors(), first);
    cr_assert(pump_until(&s->pump, has_answer, s, 9000));
    cr_expect_eq(s->answer.code, FC_TIMEOUT);
    cr_expect_eq(s->answer.loss, LOSS_SILENT);
    cr_expect(s->answer.is_unconnected, "nothing was left behind");
    stage_close(s);
}

Test(mysql_session, a_server_that_takes_the_connection_and_says_nothing_is_not_dialled_again)
{
    struct stage *s = stage_open(DIAL_MS);
    ask(s, 800);
    cr_assert(pump_until(&s->pump, has_answer, s, 9000));
    cr_expect_eq(s->answer.code, FC_TIMEOUT);
    cr_expect_eq(s->answer.loss, LOSS_SILENT);
    cr_expect_not(s->answer.is_unconnected, "it keeps what it took until it wakes");
    cr_expect_eq(let_in(s), 1);
    stage_close(s);
}

Test(mysql_session, a_refusal_is_told_at_once_and_is_no_silence)
{
    struct stage *s = stage_open(DIAL_MS);
    close(s->door);
    const double asked = now_ms();
    ask(s, 5000);
    cr_assert(pump_until(&s->pump, has_answer, s, 4000));
    cr_expect_lt(now_ms() - asked, 2500);
    cr_expect_eq(s->answer.loss, LOSS_REFUSED);
    cr_expect_not(s->answer.is_unconnected);
    stage_close(s);
}
