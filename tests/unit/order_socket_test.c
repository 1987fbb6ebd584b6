/* Scenes at the order socket: who asks, what is heard, and clients that misbehave. The desk is a lent one. */
#include <criterion/criterion.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "act/orders.h"
#include "agent/doors/order_socket.h"
#include "base/text.h"

static struct ev_loop *loop;
static struct config *config;
static struct status *picture;
static struct order_socket *door;
static struct fc_err err;
static char folder[64];

/* ---- the lent desk: remembers what it was asked, answers when told ---- */

static struct { char text[ORDER_TEXT_MAX + 1], by[64]; bool may_change; desk_reply *reply; void *waiter; } asked;
static int orders_given, orders_forgotten;
static bool is_full_up;              /* the desk takes no more */

static uint64_t desk_order(void *daemon, const char *text, size_t length, const char *by, bool may_change,
                           desk_reply *reply, void *waiter)
{
    (void)daemon;
    text_copy_bytes(asked.text, sizeof asked.text, text, length);
    TEXT_SET(asked.by, by);
    asked.may_change = may_change;
    asked.reply = reply;
    asked.waiter = waiter;
    return is_full_up ? 0 : (uint64_t)++orders_given;
}

static void desk_forget(void *daemon, uint64_t ticket)
{
    (void)daemon;
    cr_assert_leq(ticket, (uint64_t)orders_given);
    orders_forgotten++;
}

static const struct status *desk_status(void *daemon)
{
    (void)daemon;
    return picture;
}

static desk_report *report_to;
static void *report_whom;

static uint64_t desk_verify(void *daemon, desk_report *reply, void *waiter)
{
    (void)daemon;
    report_to = reply;
    report_whom = waiter;
    return is_full_up ? 0 : (uint64_t)++orders_given;
}

static enum fc_code desk_explain(void *daemon, const struct order *order, const char *by, bool may_change, char **json,
                                 struct fc_err *failure)
{
    (void)daemon;
    if (text_is(order->pool, "nowhere"))
        return fc_fail(failure, FC_NOT_FOUND, "nothing here is called 'nowhere'");
    cr_assert(asprintf(json, "{\"about\":\"%s%s\",\"by\":%s,\"may\":%s}", order->pool, order->about, by[0] != '\0' ? "true" : "false",
                       may_change ? "true" : "false") > 0);
    return FC_OK;
}

static uint64_t desk_history(void *daemon, const struct order *order, desk_report *reply, void *waiter)
{
    (void)daemon;
    if (text_is(order->pool, "busy"))
        return 0;
    report_to = reply;
    report_whom = waiter;
    return (uint64_t)++orders_given;
}

static struct desk desk = { .order = desk_order, .verify = desk_verify, .forget = desk_forget, .status = desk_status, .explain = desk_explain,
                            .history = desk_history };

/* ---- the stage ---- */

static void stage_open(void)
{
    TEXT_SET(folder, "/tmp/firstchair-orders-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    config = calloc(1, sizeof *config);
    picture = calloc(1, sizeof *picture);
    config_preset(config);
    TEXT_FORMAT(config->order_socket, "%s/order.sock", folder);
    picture->pool_count = 1;
    TEXT_SET(picture->node, "fc1");
    TEXT_SET(picture->pools[0].name, "fc_backend");
    picture->pools[0].server_count = 1;
    TEXT_SET(picture->pools[0].servers[0].name, "db1");
    desk.config = config;
    loop = ev_loop_new(0);
    cr_assert_eq(order_socket_open(loop, &desk, &door, &err), FC_OK, "%s", err.text);
}

static void stage_close(void)
{
    order_socket_close(door);
    ev_loop_destroy(loop);
    free(config);
    free(picture);
    rmdir(folder);
}

TestSuite(order_socket, .init = stage_open, .fini = stage_close, .timeout = 30);

static int visit(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    TEXT_SET(address.sun_path, config->order_socket);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text) { cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text)); }

static void settle(void)
{
    for (int i = 0; i < 20; i++)
        ev_run(loop, EVRUN_NOWAIT);
}

/* The next line, without its end; "(closed)" when the door has closed the connection. */
static const char *hear(int fd)
{
    static char line[1 << 20];
    size_t length = 0;

    for (int turns = 0; turns < 200000; turns++) {
        struct pollfd readable = { .fd = fd, .events = POLLIN };
        ev_run(loop, EVRUN_NOWAIT);
        if (poll(&readable, 1, 1) == 0)
            continue;
        const ssize_t got = recv(fd, line + length, 1, MSG_DONTWAIT);
        if (got <= 0)
            return "(closed)";
        if (line[length] == '\n') {
            line[length] = '\0';
            return line;
        }
        length++;
    }
    return "(silence)";
}

/* ---- scenes ---- */

Test(order_socket, an_order_goes_to_the_desk_with_who_gave_it_and_its_answer_comes_back)
{
    const int fd = visit();

    say(fd, "switch fc_backend to db2\n");
    settle();
    cr_assert_eq(orders_given, 1);
    cr_assert_str_eq(asked.text, "switch fc_backend to db2");
    cr_assert(asked.may_change);
    cr_assert(strstr(asked.by, "@socket") != NULL, "%s", asked.by);
    cr_assert_eq(order_socket_waiting(door), 1);
    asked.reply(asked.waiter, FC_OK, "fencing db1", false);
    cr_assert_str_eq(hear(fd), "{\"progress\":\"fencing db1\"}");
    asked.reply(asked.waiter, FC_OK, "db2 sits", true);
    cr_assert_str_eq(hear(fd), "{\"code\":\"ok\",\"text\":\"db2 sits\"}");
    cr_assert_eq(order_socket_waiting(door), 0);
    close(fd);
}

Test(order_socket, a_refusal_comes_back_with_its_word)
{
    const int fd = visit();

    say(fd, "maint fc_backend/db1\n");
    settle();
    asked.reply(asked.waiter, FC_REFUSED, "db1 sits; \"switch\" first", true);
    cr_assert_str_eq(hear(fd), "{\"code\":\"refused\",\"text\":\"db1 sits; \\\"switch\\\" first\"}");
    close(fd);
}

Test(order_socket, looking_needs_no_desk_order)
{
    const int fd = visit();

    say(fd, "status\npools\nevents 3\n");
    for (int i = 0; i < 3; i++)
        cr_assert(text_begins(hear(fd), "{\"code\":\"ok\",\"status\":{"));
    cr_assert_eq(orders_given, 0);
    close(fd);
}

Test(order_socket, explain_is_answered_at_once_with_its_document_or_a_sentence)
{
    const int fd = visit();

    say(fd, "explain switch fc_backend db2\nplan fc_backend\nexplain nowhere\nexplain switch fc_backend\n");
    cr_assert_str_eq(hear(fd), "{\"code\":\"ok\",\"explain\":{\"about\":\"switch fc_backend db2\",\"by\":true,\"may\":true}}");
    cr_assert_str_eq(hear(fd), "{\"code\":\"ok\",\"explain\":{\"about\":\"fc_backend\",\"by\":true,\"may\":true}}");
    cr_assert_str_eq(hear(fd), "{\"code\":\"not-found\",\"text\":\"nothing here is called 'nowhere'\"}");
    cr_assert(strstr(hear(fd), "the server is missing") != NULL);
    cr_assert_eq(orders_given, 0);
    close(fd);
}

Test(order_socket, history_waits_for_the_store_and_the_next_order_for_it)
{
    const int fd = visit();

    say(fd, "history 3\nhistory busy\n");
    settle();
    cr_assert_eq(orders_given, 1);
    report_to(report_whom, FC_OK, "", "{\"lines\":[]}");
    cr_assert_str_eq(hear(fd), "{\"code\":\"ok\",\"history\":{\"lines\":[]}}");
    cr_assert(strstr(hear(fd), "too many wait for such an answer") != NULL);
    say(fd, "history\n");
    settle();
    report_to(report_whom, FC_UNREACHABLE, "no server of the store answers", NULL);
    cr_assert_str_eq(hear(fd), "{\"code\":\"unreachable\",\"text\":\"no server of the store answers\"}");
    close(fd);
}

Test(order_socket, orders_on_one_connection_are_answered_one_after_another)
{
    const int fd = visit();

    say(fd, "resume fc_backend\r\nyield\nbogus\n");
    settle();
    cr_assert_eq(orders_given, 1);
    cr_assert_str_eq(asked.text, "resume fc_backend");
    asked.reply(asked.waiter, FC_OK, "one", true);
    cr_assert_str_eq(hear(fd), "{\"code\":\"ok\",\"text\":\"one\"}");
    settle();
    cr_assert_eq(orders_given, 2);
    asked.reply(asked.waiter, FC_OK, "two", true);
    cr_assert_str_eq(hear(fd), "{\"code\":\"ok\",\"text\":\"two\"}");
    cr_assert(strstr(hear(fd), "'bogus' is not an order") != NULL);
    close(fd);
}

Test(order_socket, the_answer_is_no_place_to_give_the_next_order)
{
    const int fd = visit();

    say(fd, "yield\nyield\n");
    settle();
    asked.reply(asked.waiter, FC_OK, "one", true);      /* within a step of the daemon */
    cr_assert_eq(orders_given, 1);
    settle();
    cr_assert_eq(orders_given, 2);
    close(fd);
}

Test(order_socket, garbage_gets_one_clear_sentence_and_the_connection_goes_on)
{
    const int fd = visit();

    say(fd, "\x01\x02{}\xff\nstatus\n");
    cr_assert(text_begins(hear(fd), "{\"code\":\"bad-input\",\"text\":"));
    cr_assert(text_begins(hear(fd), "{\"code\":\"ok\",\"status\":"));
    close(fd);
}

Test(order_socket, an_endless_line_is_answered_once_and_what_follows_is_understood)
{
    static char text[5000];
    const int fd = visit();

    memset(text, 'x', sizeof text - 1);
    say(fd, text);
    say(fd, " tail\nstatus\n");
    cr_assert_str_eq(hear(fd), "{\"code\":\"bad-input\",\"text\":\"the order is too long; at most 1024 bytes are read\"}");
    cr_assert(text_begins(hear(fd), "{\"code\":\"ok\",\"status\":"));
    close(fd);
}

Test(order_socket, a_sender_that_has_finished_still_hears_everything_and_then_the_end)
{
    const int fd = visit();

    say(fd, "pause fc_backend\nstatus");
    shutdown(fd, SHUT_WR);
    settle();
    asked.reply(asked.waiter, FC_OK, "paused", true);
    cr_assert_str_eq(hear(fd), "{\"code\":\"ok\",\"text\":\"paused\"}");
    cr_assert(text_begins(hear(fd), "{\"code\":\"ok\",\"status\":"));
    cr_assert_str_eq(hear(fd), "(closed)");
    close(fd);
}

Test(order_socket, an_asker_that_went_away_does_not_disturb_the_answer)
{
    const int fd = visit();

    say(fd, "yield\n");
    settle();
    close(fd);
    settle();
    asked.reply(asked.waiter, FC_OK, "still working", false);
    settle();
    if (orders_forgotten == 0)
        asked.reply(asked.waiter, FC_OK, "done", true);
    settle();
    cr_assert_eq(order_socket_waiting(door), 0);
}

Test(order_socket, closing_the_door_forgets_the_orders_under_way)
{
    const int fd = visit();

    say(fd, "yield\n");
    settle();
    order_socket_close(door);
    door = NULL;
    cr_assert_eq(orders_forgotten, 1);
    cr_assert_neq(access(config->order_socket, F_OK), 0);
    cr_assert_str_eq(hear(fd), "(closed)");
    close(fd);
}

Test(order_socket, the_longest_idle_client_makes_room_and_waiting_ones_keep_theirs)
{
    int fds[65];

    fds[0] = visit();
    say(fds[0], "yield\n");
    settle();
    for (int i = 1; i < 65; i++) {
        fds[i] = visit();
        settle();
    }
    cr_assert_str_eq(hear(fds[1]), "(closed)");
    asked.reply(asked.waiter, FC_OK, "kept", true);
    cr_assert_str_eq(hear(fds[0]), "{\"code\":\"ok\",\"text\":\"kept\"}");
    say(fds[64], "status\n");
    cr_assert(text_begins(hear(fds[64]), "{\"code\":\"ok\""));
    for (int i = 0; i < 65; i++)
        close(fds[i]);
}

Test(order_socket, when_all_clients_wait_the_next_one_is_told)
{
    int fds[65];

    for (int i = 0; i < 64; i++) {
        fds[i] = visit();
        say(fds[i], "yield\n");
        settle();
    }
    fds[64] = visit();
    cr_assert(text_begins(hear(fds[64]), "{\"code\":\"busy\","));
    cr_assert_str_eq(hear(fds[64]), "(closed)");
    for (int i = 0; i < 65; i++)
        close(fds[i]);
}

Test(order_socket, a_reader_that_stalls_does_not_make_us_hold_more_than_one_answer)
{
    const int fd = visit();

    for (int i = 0; i < 20000 && send(fd, "status\n", 7, MSG_DONTWAIT | MSG_NOSIGNAL) == 7; i++)
        ev_run(loop, EVRUN_NOWAIT);
    settle();
    cr_assert_lt(send(fd, "status\n", 7, MSG_DONTWAIT | MSG_NOSIGNAL), 7, "the kernel should hold what is sent ahead");
    const int other = visit();
    say(other, "status\n");
    cr_assert(text_begins(hear(other), "{\"code\":\"ok\""));
    close(other);
    close(fd);
}

Test(order_socket, the_file_is_for_user_and_group_only)
{
    struct stat what;

    cr_assert_eq(stat(config->order_socket, &what), 0);
    cr_assert_eq(what.st_mode & 0777, 0660);
}

Test(order_socket, a_living_door_is_not_taken_over)
{
    struct order_socket *second = NULL;

    cr_assert_eq(order_socket_open(loop, &desk, &second, &err), FC_BUSY);
    cr_assert(strstr(err.text, "another process listens already") != NULL);
    cr_assert_eq(access(config->order_socket, F_OK), 0);
}

Test(order_socket, what_a_killed_process_left_is_replaced_and_anything_else_is_not)
{
    struct order_socket *second = NULL;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char path[sizeof address.sun_path];

    TEXT_FORMAT(path, "%s/old.sock", folder);
    TEXT_SET(address.sun_path, path);
    TEXT_SET(config->order_socket, path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    cr_assert_eq(order_socket_open(loop, &desk, &second, &err), FC_OK, "%s", err.text);
    order_socket_close(second);
    fclose(fopen(path, "w"));
    cr_assert_eq(order_socket_open(loop, &desk, &second, &err), FC_BAD_CONFIG);
    cr_assert(strstr(err.text, "something stands that is no socket") != NULL);
    cr_assert_eq(unlink(path), 0);
}

Test(order_socket, a_user_that_does_not_exist_stops_the_start)
{
    struct order_socket *second = NULL;

    TEXT_FORMAT(config->order_socket, "%s/second.sock", folder);
    config->order_users.count = 1;
    TEXT_SET(config->order_users.item[0], "no-such-user-here");
    cr_assert_eq(order_socket_open(loop, &desk, &second, &err), FC_BAD_CONFIG);
    cr_assert(strstr(err.text, "OrderUsers has 'no-such-user-here'") != NULL);
}

#define STRANGER 54321

static int visit_as_stranger(void)
{
    cr_assert_eq(chmod(folder, 0755), 0);
    cr_assert_eq(chmod(config->order_socket, 0666), 0);
    cr_assert_eq(seteuid(STRANGER), 0);
    const int fd = visit();
    cr_assert_eq(seteuid(0), 0);
    return fd;
}

Test(order_socket, a_stranger_may_look_and_has_no_authority)
{
    if (geteuid() != 0)
        cr_skip_test("only root can pretend to be somebody else");
    const int fd = visit_as_stranger();

    say(fd, "status\n");
    cr_assert(text_begins(hear(fd), "{\"code\":\"ok\",\"status\":"));
    say(fd, "yield\n");
    settle();
    cr_assert_not(asked.may_change);
    cr_assert_str_eq(asked.by, "uid54321@socket");
    close(fd);
}

Test(order_socket, a_listed_number_has_authority)
{
    if (geteuid() != 0)
        cr_skip_test("only root can pretend to be somebody else");
    order_socket_close(door);
    config->order_users.count = 1;
    TEXT_SET(config->order_users.item[0], "54321");
    cr_assert_eq(order_socket_open(loop, &desk, &door, &err), FC_OK, "%s", err.text);
    const int fd = visit_as_stranger();
    say(fd, "yield\n");
    settle();
    cr_assert(asked.may_change);
    cr_assert_str_eq(asked.by, "54321@socket");
    close(fd);
}

Test(order_socket, a_report_is_asked_for_and_comes_in_one_line_with_its_code)
{
    const int fd = visit();
    say(fd, "verify-backends\n");
    settle();
    cr_assert(report_to != NULL);
    report_to(report_whom, FC_FINDINGS, "", "{\"verdict\":\"to-mend\"}");
    cr_expect_str_eq(hear(fd), "{\"code\":\"findings\",\"report\":{\"verdict\":\"to-mend\"}}");
    say(fd, "verify-backends\n");
    settle();
    report_to(report_whom, FC_REFUSED, "there is no pair here", NULL);
    cr_expect_str_eq(hear(fd), "{\"code\":\"refused\",\"text\":\"there is no pair here\"}");
    close(fd);
}

Test(order_socket, a_desk_that_takes_no_more_is_answered_at_once)
{
    const int fd = visit();
    is_full_up = true;
    say(fd, "yield\nverify-backends\n");
    cr_expect(strstr(hear(fd), "\"code\":\"busy\"") != NULL);
    cr_expect(strstr(hear(fd), "\"code\":\"busy\"") != NULL);
    close(fd);
}
