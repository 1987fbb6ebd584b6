/* Scenes at the doors: real sockets on loopback, the loop run until something has happened, with a bound. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/doors/agent_listener.h"
#include "base/text.h"
#include "lent_clock.h"

#define FIRST "up ready 100% # fc-ok e=9 primary\n"
#define BOUND_MS 5000
#define SILENCE_MS 20

struct scene {
    struct ev_loop *loop;
    ev_timer beat;                  /* lets the loop return now and then, so that a bound can be looked at */
    struct config config;
    struct board *board;
    struct agent_listener *listener;
    char folder[64];
    char said[512];
};

static void on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

/* Nothing is open yet: the test may still change the configuration. */
static struct scene *scene_prepare(void)
{
    struct scene *s = calloc(1, sizeof *s);
    const struct answer answer = { .kind = POOL_WRITER, .voice = VOICE_FIRST, .epoch = 9, .reason = "primary",
                                   .late = VOICE_REST, .until = fc_plus(loop_now(NULL), fc_ms(3600000)) };
    s->loop = ev_loop_new(EVFLAG_AUTO);
    ev_timer_init(&s->beat, on_beat, 0.002, 0.002);
    ev_timer_start(s->loop, &s->beat);
    s->board = board_new(8, 8);
    cr_assert(board_show(s->board, "rw", "m1", &answer));
    TEXT_SET(s->config.agent_listen_address, "127.0.0.1:0");
    s->config.agent_clients_max = 64;
    TEXT_SET(s->folder, "/tmp/fc-doors-XXXXXX");
    cr_assert_not_null(mkdtemp(s->folder));
    return s;
}

static enum fc_code scene_try(struct scene *s, struct fc_err *err)
{
    return agent_listener_open(s->loop, &s->config, s->board, &s->listener, err);
}

static struct scene *scene_start(struct scene *s)
{
    struct fc_err err = { .code = FC_OK };
    cr_assert_eq(scene_try(s, &err), FC_OK, "%s", err.text);
    return s;
}

static struct scene *scene_open(void) { return scene_start(scene_prepare()); }

static void scene_close(struct scene *s)
{
    agent_listener_close(s->listener);
    board_free(s->board);
    ev_timer_stop(s->loop, &s->beat);
    ev_loop_destroy(s->loop);
    cr_expect_eq(rmdir(s->folder), 0, "the socket file must be gone");
    free(s);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct agent_listener_counters counted(const struct scene *s) { return agent_listener_counters(s->listener); }

#define RUN_UNTIL(s, state)                                                          \
    do {                                                                             \
        const int64_t end_ms = now_ms() + BOUND_MS;                                  \
        while (!(state)) {                                                           \
            cr_assert_lt(now_ms(), end_ms, "never came true: %s", #state);           \
            ev_run((s)->loop, EVRUN_ONCE);                                           \
        }                                                                            \
    } while (0)

static int knock_from(const char *source, int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in from = { .sin_family = AF_INET };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    inet_pton(AF_INET, source, &from.sin_addr);
    cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0, "connect: %s", strerror(errno));
    return fd;
}

static int knock(const struct scene *s) { return knock_from("127.0.0.1", agent_listener_port(s->listener)); }

static int knock_unix(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    TEXT_SET(to.sun_path, path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0, "connect: %s", strerror(errno));
    return fd;
}

static int say(int fd, const char *bytes, size_t length)
{
    cr_assert_eq(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
    return fd;
}

#define SAY(fd, text) say((fd), (text), sizeof(text) - 1)

/* Runs the loop until the other side closes; what it said until then. "(reset)" at the end when it was a reset. */
static const char *hear(struct scene *s, int fd)
{
    size_t length = 0;
    ssize_t got = -1;
    const int64_t end_ms = now_ms() + BOUND_MS;
    for (;;) {
        cr_assert_lt(now_ms(), end_ms, "the listener never closed");
        got = recv(fd, s->said + length, sizeof s->said - 16 - length, MSG_DONTWAIT);
        if (got > 0)
            length += (size_t)got;
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            break;
        else
            ev_run(s->loop, EVRUN_ONCE);
    }
    text_copy(s->said + length, sizeof s->said - length, got < 0 ? "(reset)" : "");
    close(fd);
    return s->said;
}

static int free_port(void)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof own;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&own, size), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    close(fd);
    return ntohs(own.sin_port);
}

static void add_item(struct config_list *list, const char *text) { TEXT_SET(list->item[list->count++], text); }

static void reset_and_close(int fd)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

/* ---- how long a request has lain there ---- */

static int64_t prompt_age(const struct scene *s)
{
    struct asked_row rows[ASKED_ROWS_MAX];
    cr_assert_eq(board_asked(s->board, "rw", "m1", loop_now(s->loop), rows), 1);
    return rows[0].prompt_age_ms[0];
}

Test(agent_listener, what_lay_in_the_queue_of_a_node_that_stood_still_is_not_answered_in_time)
{
    struct scene *s = scene_open();
    const struct timespec stands_still = { .tv_nsec = 80000000 };
    board_prompt_limit(s->board, 50);
    const int fd = SAY(knock(s), "lb1 rw/m1\n");
    nanosleep(&stands_still, NULL);
    cr_expect_str_eq(hear(s, fd), FIRST);
    cr_expect_eq(prompt_age(s), -1);
    board_prompt_limit(s->board, BOUND_MS);
    cr_expect_str_eq(hear(s, SAY(knock(s), "lb1 rw/m1\n")), FIRST);
    cr_expect_geq(prompt_age(s), 0);
    scene_close(s);
}

/* ---- the line ---- */

Test(agent_listener, a_line_with_newline_is_answered_and_the_connection_closed)
{
    struct scene *s = scene_open();
    cr_expect_str_eq(hear(s, SAY(knock(s), "lb1 rw/m1\n")), FIRST);
    cr_expect_eq(counted(s).answered, 1);
    cr_expect_eq(counted(s).open, 0);
    scene_close(s);
}

Test(agent_listener, a_line_with_carriage_return_is_answered)
{
    struct scene *s = scene_open();
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\r")), FIRST);
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\r\n")), FIRST);
    scene_close(s);
}

Test(agent_listener, a_line_without_end_is_answered_after_twenty_milliseconds_of_silence)
{
    struct scene *s = scene_open();
    const int64_t before_ms = now_ms();
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1")), FIRST);
    cr_expect_geq(now_ms() - before_ms, 19);
    cr_expect_lt(now_ms() - before_ms, 900, "that was the end of its life, not of its silence");
    scene_close(s);
}

Test(agent_listener, a_line_without_end_that_comes_late_is_answered_after_its_silence_as_well)
{
    struct scene *s = scene_open();
    const int fd = knock(s);
    RUN_UNTIL(s, counted(s).open == 1);            /* accepted with nothing to read yet */
    const int64_t before_ms = now_ms();
    cr_expect_str_eq(hear(s, SAY(fd, "rw/m1")), FIRST);
    cr_expect_lt(now_ms() - before_ms, 800, "that was the end of its life, not of its silence");
    scene_close(s);
}

Test(agent_listener, a_loop_that_was_held_up_hears_the_rest_before_it_calls_a_line_over)
{
    struct scene *s = scene_open();
    const int fd = SAY(knock(s), "lb1 rw");
    RUN_UNTIL(s, counted(s).open == 1);
    SAY(fd, "/m1\n");
    const int64_t held_until_ms = now_ms() + 3 * SILENCE_MS;
    while (now_ms() < held_until_ms)               /* the loop is busy elsewhere: timer and bytes are due together */
        continue;
    cr_expect_str_eq(hear(s, fd), FIRST);
    scene_close(s);
}

Test(agent_listener, a_line_without_end_is_over_when_the_client_shuts_its_side)
{
    struct scene *s = scene_open();
    const int fd = SAY(knock(s), "rw/m1");
    shutdown(fd, SHUT_WR);
    cr_expect_str_eq(hear(s, fd), FIRST);
    scene_close(s);
}

Test(agent_listener, a_line_that_comes_byte_by_byte_is_put_together)
{
    struct scene *s = scene_open();
    const char line[] = "lb1 rw/m1\n";
    const int fd = knock(s);
    for (size_t i = 0; i < sizeof line - 1; i++) {
        say(fd, line + i, 1);
        ev_run(s->loop, EVRUN_NOWAIT);
    }
    cr_expect_str_eq(hear(s, fd), FIRST);
    cr_expect_eq(counted(s).answered, 1);
    scene_close(s);
}

Test(agent_listener, what_follows_the_line_is_ignored)
{
    struct scene *s = scene_open();
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\nGET / HTTP/1.1\n\n")), FIRST);
    scene_close(s);
}

Test(agent_listener, a_line_of_a_megabyte_is_told_off_and_the_client_hears_it)
{
    struct scene *s = scene_open();
    static char flood[1 << 16];
    const int fd = knock(s);
    memset(flood, 'a', sizeof flood);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 16; i++) {
        (void)!send(fd, flood, sizeof flood, MSG_NOSIGNAL | MSG_DONTWAIT);
        ev_run(s->loop, EVRUN_NOWAIT);
    }
    shutdown(fd, SHUT_WR);
    cr_expect(text_begins(hear(s, fd), "fc-bad-request # "), "%s", s->said);
    cr_expect_null(strstr(s->said, "(reset)"), "a reset must not overtake the line");
    cr_expect_eq(counted(s).dropped_bad, 1);
    cr_expect_eq(board_counters(s->board).bad_request, 1);
    scene_close(s);
}

Test(agent_listener, binary_bytes_zero_bytes_and_nonsense_are_told_off)
{
    struct scene *s = scene_open();
    cr_expect(text_begins(hear(s, SAY(knock(s), "\x16\x03\x01\x02")), "fc-bad-request # "), "%s", s->said);
    cr_expect(text_begins(hear(s, SAY(knock(s), "rw/m1\0\n")), "fc-bad-request # "), "%s", s->said);
    cr_expect(text_begins(hear(s, SAY(knock(s), "GET / HTTP/1.1\r\n")), "fc-bad-request # "), "%s", s->said);
    cr_expect(text_begins(hear(s, SAY(knock(s), "nonsense")), "fc-bad-request # "), "%s", s->said);
    cr_expect_eq(counted(s).dropped_bad, 4);
    cr_expect_eq(counted(s).answered, 0);
    scene_close(s);
}

/* ---- the term ---- */

Test(agent_listener, past_the_term_the_late_line_is_given)
{
    struct scene *s = scene_open();
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\n")), FIRST);
    lent_clock_forward(3600000);
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\n")), "down maint # e=9 term over\n");
    scene_close(s);
}

Test(agent_listener, the_voice_is_given_only_inside_the_term)
{
    struct scene *s = scene_open();
    board_voice(s->board, fc_plus(loop_now(s->loop), fc_ms(60000)));
    cr_expect_str_eq(hear(s, SAY(knock(s), "lb1 voice\n")), "fc-voice # within its term\n");
    lent_clock_forward(60000);
    cr_expect_str_eq(hear(s, SAY(knock(s), "lb1 voice\n")), "fc-mute # no valid term\n");
    scene_close(s);
}

Test(agent_listener, an_unknown_target_is_named)
{
    struct scene *s = scene_open();
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m7\n")), "fc-no-such-target # rw/m7\n");
    scene_close(s);
}

/* ---- clients that misbehave ---- */

Test(agent_listener, a_thousand_silent_clients_do_not_delay_the_others_and_are_gone_after_a_second)
{
    enum { SILENT = 1000 };
    struct scene *s = scene_prepare();
    int fds[SILENT];
    const struct rlimit limit = { 4096, 4096 };
    setrlimit(RLIMIT_NOFILE, &limit);
    s->config.agent_clients_max = 2 * SILENT;
    scene_start(s);
    const int64_t before_ms = now_ms();
    for (int i = 0; i < SILENT; i++) {
        fds[i] = knock(s);
        if (i % 16 == 0)
            ev_run(s->loop, EVRUN_NOWAIT);
    }
    RUN_UNTIL(s, counted(s).accepted == SILENT);
    if (now_ms() - before_ms < 900)            /* on a machine this slow the first ones have gone already */
        cr_expect_eq(counted(s).open, SILENT);
    for (int i = 0; i < 50; i++)
        cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\n")), FIRST);
    RUN_UNTIL(s, counted(s).open == 0);
    cr_expect_eq(counted(s).dropped_slow, SILENT);
    cr_expect_eq(counted(s).answered, 50);
    cr_expect_str_eq(hear(s, fds[0]), "");
    for (int i = 1; i < SILENT; i++)
        close(fds[i]);
    scene_close(s);
}

Test(agent_listener, a_client_that_dribbles_has_one_second_in_all)
{
    struct scene *s = scene_open();
    const int fd = knock(s);
    const int64_t before_ms = now_ms();
    int64_t said_ms = 0, longest_pause_ms = 0;
    while (counted(s).dropped_slow + counted(s).dropped_bad == 0) {
        cr_assert_lt(now_ms() - before_ms, BOUND_MS);
        if (now_ms() - said_ms >= 8) {             /* 256 blanks would take two seconds */
            if (said_ms > 0 && now_ms() - said_ms > longest_pause_ms)
                longest_pause_ms = now_ms() - said_ms;
            said_ms = now_ms();
            (void)!send(fd, " ", 1, MSG_NOSIGNAL);
        }
        ev_run(s->loop, EVRUN_ONCE);
    }
    if (now_ms() - said_ms > longest_pause_ms)
        longest_pause_ms = now_ms() - said_ms;
    if (longest_pause_ms < SILENCE_MS - 4) {       /* a busy machine may have kept us silent for too long */
        cr_expect_eq(counted(s).dropped_slow, 1);
        cr_expect_lt(now_ms() - before_ms, 1500);
    }
    close(fd);
    scene_close(s);
}

Test(agent_listener, clients_that_reset_at_any_moment_are_survived)
{
    struct scene *s = scene_open();
    reset_and_close(knock(s));
    reset_and_close(SAY(knock(s), "rw/m1\n"));
    RUN_UNTIL(s, counted(s).accepted + counted(s).reset >= 2 && counted(s).open == 0);

    const int half = SAY(knock(s), "rw/");
    RUN_UNTIL(s, counted(s).open == 1);
    const uint64_t before = counted(s).reset;
    reset_and_close(half);
    RUN_UNTIL(s, counted(s).open == 0);
    cr_expect_eq(counted(s).reset, before + 1);
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\n")), FIRST);
    scene_close(s);
}

Test(agent_listener, a_client_that_says_nothing_and_leaves_is_counted_as_gone)
{
    struct scene *s = scene_open();
    close(knock(s));
    RUN_UNTIL(s, counted(s).reset == 1);
    cr_expect_eq(counted(s).open, 0);
    scene_close(s);
}

Test(agent_listener, when_all_slots_are_taken_the_oldest_goes_and_whoever_is_quick_needs_none)
{
    struct scene *s = scene_prepare();
    int fds[5];
    s->config.agent_clients_max = 4;
    scene_start(s);
    for (int i = 0; i < 4; i++)
        fds[i] = knock(s);
    RUN_UNTIL(s, counted(s).open == 4);

    /* Spoken before it is accepted, so the line is there at once. */
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\n")), FIRST);
    cr_expect_eq(counted(s).dropped_full, 0);

    fds[4] = knock(s);
    RUN_UNTIL(s, counted(s).dropped_full == 1);
    cr_expect_eq(counted(s).open, 4);
    cr_expect_str_eq(hear(s, fds[0]), "");
    SAY(fds[1], "rw/m1\n");
    cr_expect_str_eq(hear(s, fds[1]), FIRST, "the second oldest is still heard");
    for (int i = 2; i < 5; i++)
        close(fds[i]);
    scene_close(s);
}

Test(agent_listener, a_flood_beyond_the_slots_leaves_room_for_those_who_ask)
{
    enum { FLOOD = 300 };
    struct scene *s = scene_prepare();
    int fds[FLOOD];
    s->config.agent_clients_max = 16;
    scene_start(s);
    for (int i = 0; i < FLOOD; i++)
        fds[i] = knock(s);
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\n")), FIRST);
    RUN_UNTIL(s, counted(s).accepted == FLOOD + 1);
    cr_expect_leq(counted(s).open, 16);
    cr_expect_eq(counted(s).dropped_full + counted(s).dropped_slow + counted(s).open, FLOOD);
    for (int i = 0; i < FLOOD; i++)
        close(fds[i]);
    scene_close(s);
}

Test(agent_listener, without_a_free_descriptor_the_quick_are_answered_and_the_loop_does_not_race)
{
    struct scene *s = scene_open();
    const struct rlimit limit = { 64, 64 };
    int last = -1;
    const int quick = SAY(knock(s), "rw/m1\n"), silent = knock(s), next = SAY(knock(s), "rw/m1\n");
    setrlimit(RLIMIT_NOFILE, &limit);
    while ((last = dup(quick)) >= 0)
        continue;
    cr_assert_eq(errno, EMFILE);

    RUN_UNTIL(s, counted(s).accepted == 3);
    cr_expect_str_eq(hear(s, quick), FIRST);
    cr_expect_str_eq(hear(s, next), FIRST);
    cr_expect_eq(counted(s).no_descriptor, 3);
    cr_expect_eq(counted(s).open, 0);

    const unsigned turns = ev_iteration(s->loop);
    const int64_t end_ms = now_ms() + 100;
    while (now_ms() < end_ms)
        ev_run(s->loop, EVRUN_ONCE);
    cr_expect_lt(ev_iteration(s->loop) - turns, 100u, "only the test's own 2 ms beat turns the loop");
    close(silent);
    scene_close(s);
}

/* ---- sources ---- */

Test(agent_listener, by_default_loopback_is_allowed_on_both_families)
{
    struct scene *s = scene_prepare();
    TEXT_SET(s->config.agent_listen_address, ":0");
    scene_start(s);
    cr_expect_str_eq(hear(s, SAY(knock(s), "lb1 rw/m1\n")), FIRST);

    struct board_asker asker;
    cr_assert_eq(board_askers(s->board, &asker, 1), 1);
    cr_expect_str_eq(asker.source, "127.0.0.1", "also when it came to the socket of both families");
    scene_close(s);
}

Test(agent_listener, a_source_outside_the_list_is_closed_unanswered_and_counted)
{
    struct scene *s = scene_prepare();
    add_item(&s->config.agent_allowed_sources, "127.0.0.2");
    add_item(&s->config.agent_allowed_sources, "127.1.0.0/16");
    add_item(&s->config.agent_allowed_sources, "fd00::/8");
    scene_start(s);
    const int port = agent_listener_port(s->listener);
    cr_expect_null(strstr(hear(s, SAY(knock_from("127.0.0.1", port), "rw/m1\n")), "up"), "%s", s->said);
    cr_expect_eq(counted(s).refused_source, 1);
    cr_expect_str_eq(hear(s, SAY(knock_from("127.0.0.2", port), "rw/m1\n")), FIRST);
    cr_expect_str_eq(hear(s, SAY(knock_from("127.1.255.9", port), "rw/m1\n")), FIRST);
    cr_expect_null(strstr(hear(s, SAY(knock_from("127.2.0.1", port), "rw/m1\n")), "up"), "%s", s->said);
    cr_expect_eq(counted(s).refused_source, 2);
    cr_expect_eq(counted(s).answered, 2);
    scene_close(s);
}

Test(agent_listener, a_list_applies_to_mapped_addresses_as_well)
{
    struct scene *s = scene_prepare();
    TEXT_SET(s->config.agent_listen_address, ":0");
    add_item(&s->config.agent_allowed_sources, "127.0.0.2/32");
    scene_start(s);
    const int port = agent_listener_port(s->listener);
    cr_expect_str_eq(hear(s, SAY(knock_from("127.0.0.2", port), "rw/m1\n")), FIRST);
    cr_expect_null(strstr(hear(s, SAY(knock_from("127.0.0.3", port), "rw/m1\n")), "up"));
    scene_close(s);
}

Test(agent_listener, names_among_nodes_and_proxies_are_passed_over_without_a_lookup)
{
    struct scene *s = scene_prepare();
    add_item(&s->config.nodes, "fc1=10.0.9.1:3000/9377");
    add_item(&s->config.nodes, "fc2=a.name.invalid:3000/9377");
    add_item(&s->config.haproxy_instances, "lb1=10.0.9.5:9999");
    add_item(&s->config.haproxy_instances, "lb2=/run/haproxy/admin.sock");
    scene_start(s);
    cr_expect_str_eq(hear(s, SAY(knock(s), "rw/m1\n")), FIRST);
    scene_close(s);
}

Test(agent_listener, a_network_that_cannot_be_read_is_named)
{
    const char *bad[] = { "10.0.0.0/33", "::/129", "10.0.0", "lb1.example", "10.0.0.0/", "/8", "10.0.0.0/8x" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct scene *s = scene_prepare();
        struct fc_err err;
        add_item(&s->config.agent_allowed_sources, bad[i]);
        cr_assert_eq(scene_try(s, &err), FC_BAD_CONFIG, "%s", bad[i]);
        cr_expect_not_null(strstr(err.text, bad[i]), "%s", err.text);
        scene_close(s);
    }
}

/* ---- other doors ---- */

Test(agent_listener, a_fixed_port_answers_before_a_word_is_said)
{
    struct scene *s = scene_prepare();
    char item[64];
    const int port = free_port();
    TEXT_FORMAT(item, "%d=rw/m1", port);
    add_item(&s->config.agent_fixed_ports, item);
    scene_start(s);
    cr_expect_str_eq(hear(s, knock_from("127.0.0.1", port)), FIRST);
    cr_expect_str_eq(hear(s, SAY(knock_from("127.0.0.1", port), "lb1 rw/m1\n")), FIRST, "whatever is said there");

    board_forget(s->board, "rw", "m1");
    cr_expect_str_eq(hear(s, knock_from("127.0.0.1", port)), "fc-no-such-target # rw/m1\n");
    RUN_UNTIL(s, counted(s).open == 0);
    cr_expect_eq(counted(s).dropped_slow, 0);
    scene_close(s);
}

Test(agent_listener, a_fixed_port_may_have_its_own_address)
{
    struct scene *s = scene_prepare();
    char item[64];
    const int port = free_port();
    TEXT_FORMAT(item, "127.0.0.1:%d=rw/m1", port);
    s->config.agent_listen_address[0] = '\0';
    add_item(&s->config.agent_fixed_ports, item);
    scene_start(s);
    cr_expect_eq(agent_listener_port(s->listener), 0);
    cr_expect_str_eq(hear(s, knock_from("127.0.0.1", port)), FIRST);
    scene_close(s);
}

Test(agent_listener, what_cannot_be_listened_on_is_named)
{
    struct fc_err err;
    struct scene *s = scene_prepare();
    TEXT_SET(s->config.agent_listen_address, "localhost:0");
    cr_expect_eq(scene_try(s, &err), FC_BAD_CONFIG);
    cr_expect_not_null(strstr(err.text, "localhost"), "%s", err.text);

    TEXT_SET(s->config.agent_listen_address, "127.0.0.1:0");
    add_item(&s->config.agent_fixed_ports, "9401=m1");
    cr_expect_eq(scene_try(s, &err), FC_BAD_CONFIG);
    cr_expect_not_null(strstr(err.text, "9401=m1"), "%s", err.text);

    struct scene *other = scene_open();
    s->config.agent_fixed_ports.count = 0;
    TEXT_FORMAT(s->config.agent_listen_address, "127.0.0.1:%d", agent_listener_port(other->listener));
    cr_expect_eq(scene_try(s, &err), FC_UNREACHABLE);
    scene_close(other);
    scene_close(s);
}

Test(agent_listener, the_unix_socket_answers_and_goes_with_its_listener)
{
    struct scene *s = scene_prepare();
    struct stat made;
    TEXT_FORMAT(s->config.agent_listen_socket, "%s/agent.sock", s->folder);
    umask(0077);
    scene_start(s);
    cr_assert_eq(stat(s->config.agent_listen_socket, &made), 0);
    cr_expect_eq(made.st_mode & 0777, 0660);
    cr_expect_str_eq(hear(s, SAY(knock_unix(s->config.agent_listen_socket), "lb1 rw/m1\n")), FIRST);

    struct board_asker asker;
    cr_assert_eq(board_askers(s->board, &asker, 1), 1);
    cr_expect_str_eq(asker.source, "unix");
    scene_close(s);
}

Test(agent_listener, a_stale_socket_is_replaced_a_living_one_and_a_file_are_not)
{
    struct fc_err err;
    struct scene *s = scene_prepare(), *second = scene_prepare();
    struct sockaddr_un stale = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    TEXT_FORMAT(s->config.agent_listen_socket, "%s/agent.sock", s->folder);
    TEXT_SET(stale.sun_path, s->config.agent_listen_socket);
    cr_assert_eq(bind(fd, (struct sockaddr *)&stale, sizeof stale), 0);
    close(fd);
    scene_start(s);
    cr_expect_str_eq(hear(s, SAY(knock_unix(s->config.agent_listen_socket), "rw/m1\n")), FIRST);

    TEXT_SET(second->config.agent_listen_socket, s->config.agent_listen_socket);
    cr_expect_eq(scene_try(second, &err), FC_BUSY);
    cr_expect_eq(access(stale.sun_path, F_OK), 0, "the living one keeps its file");

    TEXT_FORMAT(second->config.agent_listen_socket, "%s/file", second->folder);
    close(open(second->config.agent_listen_socket, O_CREAT | O_WRONLY, 0600));
    cr_expect_eq(scene_try(second, &err), FC_BAD_CONFIG);
    cr_expect_eq(unlink(second->config.agent_listen_socket), 0, "the file is still there");
    scene_close(second);
    scene_close(s);
}

Test(agent_listener, a_socket_that_somebody_else_has_put_there_meanwhile_is_left_alone)
{
    struct scene *s = scene_prepare();
    char path[CONFIG_TEXT_SIZE];
    TEXT_FORMAT(path, "%s/agent.sock", s->folder);
    TEXT_SET(s->config.agent_listen_socket, path);
    scene_start(s);
    cr_assert_eq(unlink(path), 0);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    agent_listener_close(s->listener);
    s->listener = NULL;
    cr_expect_eq(unlink(path), 0);
    scene_close(s);
}

Test(agent_listener, closing_takes_waiting_clients_along)
{
    struct scene *s = scene_open();
    const int fd = SAY(knock(s), "rw/");
    RUN_UNTIL(s, counted(s).open == 1);
    agent_listener_close(s->listener);
    s->listener = NULL;
    cr_expect_null(strstr(hear(s, fd), "up"));
    scene_close(s);
}
