/* Connects, sends one line, reads lines until one has a code. Everything is bounded by one deadline and one size. */
#include "agent/ctl/ctl_talk.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/ctl/ctl_tables.h"
#include "base/text.h"

#define ANSWER_MAX (16u << 20)           /* a whole picture has some 100 kB */

struct talk {
    const char *path;
    int fd;
    int timeout_ms;
    int64_t deadline_ms;
    char *bytes;
    size_t length, room;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum fc_code refuse_connect(const char *path, struct fc_err *err)
{
    if (errno == EACCES || errno == EPERM)
        return fc_fail(err, FC_NOT_ALLOWED, "you may not open %s; it is open to root and to the daemon's user and group", path);
    if (errno == ENOENT || errno == ECONNREFUSED)
        return fc_fail(err, FC_UNREACHABLE, "no firstchair listens at %s; is the daemon running (systemctl status firstchair)? "
                       "Another socket is named by --socket PATH or FIRSTCHAIR_SOCKET", path);
    return fc_fail(err, FC_UNREACHABLE, "%s cannot be opened: %s", path, strerror(errno));
}

static enum fc_code connect_to(struct talk *talk, struct fc_err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (!TEXT_SET(address.sun_path, talk->path))
        return fc_fail(err, FC_BAD_INPUT, "the path of the socket is too long; at most %zu bytes fit",
                       sizeof address.sun_path - 1);
    talk->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (talk->fd < 0)
        return fc_fail(err, FC_INTERNAL, "socket: %s", strerror(errno));
    if (connect(talk->fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return refuse_connect(talk->path, err);
    return FC_OK;
}

static enum fc_code wait_for(struct talk *talk, short events, struct fc_err *err)
{
    struct pollfd ready = { .fd = talk->fd, .events = events };

    for (;;) {
        const int64_t left = talk->deadline_ms - now_ms();
        const int count = poll(&ready, 1, left < 0 ? 0 : (int)left);
        if (count > 0)
            return FC_OK;
        if (count == 0)
            return fc_fail(err, FC_TIMEOUT, "%s gave no answer within %d ms; an order that has begun goes on: look with "
                           "'status' and 'events'", talk->path, talk->timeout_ms);
        if (errno != EINTR)
            return fc_fail(err, FC_INTERNAL, "poll: %s", strerror(errno));
    }
}

static enum fc_code send_all(struct talk *talk, const char *text, size_t length, struct fc_err *err)
{
    while (length > 0) {
        const enum fc_code code = wait_for(talk, POLLOUT, err);
        if (code != FC_OK)
            return code;
        const ssize_t sent = send(talk->fd, text, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EPIPE)
            return FC_OK;                /* it may have said why before it closed: that is read next */
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return fc_fail(err, FC_UNREACHABLE, "%s: %s", talk->path, strerror(errno));
        text += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
    return FC_OK;
}

static bool make_room(struct talk *talk)
{
    if (talk->length + 4096 <= talk->room)
        return true;
    const size_t room = talk->room == 0 ? 16384 : talk->room * 2;
    char *bytes = room > ANSWER_MAX ? NULL : realloc(talk->bytes, room);
    if (bytes == NULL)
        return false;
    talk->bytes = bytes;
    talk->room = room;
    return true;
}

/* One line from malloc, without its end. */
static enum fc_code read_line(struct talk *talk, char **ret, struct fc_err *err)
{
    size_t searched = 0;

    for (;;) {
        char *newline = searched == talk->length ? NULL : memchr(talk->bytes + searched, '\n', talk->length - searched);
        if (newline != NULL) {
            *ret = strndup(talk->bytes, (size_t)(newline - talk->bytes));
            talk->length -= (size_t)(newline + 1 - talk->bytes);
            memmove(talk->bytes, newline + 1, talk->length);
            return *ret != NULL ? FC_OK : fc_fail(err, FC_NO_MEMORY, "out of memory");
        }
        searched = talk->length;
        if (!make_room(talk))
            return fc_fail(err, FC_NO_MEMORY, "the answer of %s is larger than can be held", talk->path);
        const enum fc_code code = wait_for(talk, POLLIN, err);
        if (code != FC_OK)
            return code;
        const ssize_t got = recv(talk->fd, talk->bytes + talk->length, talk->room - talk->length, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return fc_fail(err, FC_UNREACHABLE, "%s closed the connection before it answered; the daemon may be stopping",
                           talk->path);
        talk->length += got > 0 ? (size_t)got : 0;
    }
}

static bool code_from_word(const char *word, enum fc_code *ret)
{
    for (int i = 0; word != NULL && i < FC_CODE_COUNT; i++) {
        if (text_is(fc_code_table[i].word, word)) {
            *ret = (enum fc_code)i;
            return true;
        }
    }
    return false;
}

static enum fc_code read_answer(struct talk *talk, ctl_progress *progress, void *owner, struct ctl_answer *ret,
                                struct fc_err *err)
{
    for (;;) {
        struct ctl_answer answer = { .code = FC_OK };
        const enum fc_code code = read_line(talk, &answer.line, err);
        if (code != FC_OK)
            return code;
        answer.json = cJSON_Parse(answer.line);
        ctl_make_plain(answer.json);
        const cJSON *step = cJSON_GetObjectItemCaseSensitive(answer.json, "progress");
        if (cJSON_IsString(step)) {
            progress(owner, answer.line, step->valuestring);
            ctl_answer_done(&answer);
            continue;
        }
        if (code_from_word(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer.json, "code")), &answer.code)) {
            *ret = answer;
            return FC_OK;
        }
        ctl_answer_done(&answer);
        return fc_fail(err, FC_BAD_INPUT, "%s answers, and not as a firstchair does; is it the order socket?", talk->path);
    }
}

enum fc_code ctl_ask(const char *path, const char *order, int timeout_ms, ctl_progress *progress, void *owner,
                     struct ctl_answer *ret, struct fc_err *err)
{
    struct talk talk = { .path = path, .fd = -1, .timeout_ms = timeout_ms, .deadline_ms = now_ms() + timeout_ms };

    enum fc_code code = connect_to(&talk, err);
    if (code == FC_OK)
        code = send_all(&talk, order, strlen(order), err);
    if (code == FC_OK)
        code = send_all(&talk, "\n", 1, err);
    if (code == FC_OK)
        code = read_answer(&talk, progress, owner, ret, err);
    if (talk.fd >= 0)
        close(talk.fd);
    free(talk.bytes);
    return code;
}

void ctl_answer_done(struct ctl_answer *answer)
{
    free(answer->line);
    cJSON_Delete(answer->json);
    *answer = (struct ctl_answer){ .code = FC_OK };
}
