/* Lines to one descriptor, without ever waiting for who reads it.
 *
 * A pipe or a terminal is asked first (poll), and a line stays below PIPE_BUF, which a pipe that says "ready" takes whole. A
 * socket (journald) is written to with MSG_DONTWAIT. A file takes what it gets. */
#include "agent/log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/loop.h"
#include "agent/status_json.h"
#include "base/text.h"

#define LINE_SIZE 1024             /* below PIPE_BUF (4096); a note's text has 240 bytes */

static const char *const level_words[] = {
    [NOTE_DEBUG] = "DEBUG", [NOTE_INFO] = "INFO", [NOTE_WARNING] = "WARNING", [NOTE_ALARM] = "ALARM",
};

void log_init(struct log *log, int fd, enum note_level least)
{
    struct stat what;
    *log = (struct log){ .fd = fd, .least = least };
    log->is_socket = fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
}

static bool write_now(const struct log *log, const char *line, size_t length)
{
    struct pollfd ready = { .fd = log->fd, .events = POLLOUT };

    if (log->is_socket)
        return send(log->fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
    if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0)
        return false;
    return write(log->fd, line, length) == (ssize_t)length;
}

static void make_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '.';
    }
}

static bool write_line(const struct log *log, int64_t unix_ms, enum note_level level, const char *subject, uint64_t epoch,
                       const char *text)
{
    char at[RFC3339_SIZE], age[32] = "", line[LINE_SIZE];

    rfc3339_of_unix_ms(unix_ms, at);
    if (epoch != 0)
        TEXT_FORMAT(age, " e=%" PRIu64, epoch);
    text_format(line, sizeof line - 1, "%s %s %s%s %s", at, level_words[level], subject[0] == '\0' ? "-" : subject, age,
                text);
    make_one_line(line);
    const size_t length = strlen(line);
    line[length] = '\n';
    return write_now(log, line, length + 1);
}

static void tell_lost(struct log *log, int64_t unix_ms)
{
    char text[80];

    if (log->lost_untold == 0)
        return;
    TEXT_FORMAT(text, "%" PRIu64 " lines were lost here: nobody read them in time", log->lost_untold);
    if (write_line(log, unix_ms, NOTE_WARNING, "log", 0, text))
        log->lost_untold = 0;
}

void log_note(struct log *log, int64_t unix_ms, enum note_level level, const char *subject, uint64_t epoch, const char *text)
{
    if (level < log->least)
        return;
    tell_lost(log, unix_ms);
    if (log->lost_untold == 0 && write_line(log, unix_ms, level, subject, epoch, text))
        return;
    log->lost++;
    log->lost_untold++;
}

void log_say(struct log *log, enum note_level level, const char *subject, const char *format, ...)
{
    char text[LINE_SIZE / 2];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_note(log, loop_unix_ms(), level, subject, 0, text);
}
