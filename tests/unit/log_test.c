/* Scenes of the log: lines as people and machines read them, and a reader that does not read. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/log.h"
#include "base/text.h"

#define AT 1700000000123

static int ends[2];                       /* what is read, what is written */
static struct log out;

static void stage_open(void)
{
    cr_assert_eq(pipe(ends), 0);
    log_init(&out, ends[1], NOTE_INFO);
}

static void stage_close(void) { close(ends[0]), close(ends[1]); }

static const char *read_all(void)
{
    static char text[128 * 1024];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const ssize_t length = read(ends[0], text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

TestSuite(log, .init = stage_open, .fini = stage_close);

Test(log, a_note_is_one_line_with_its_moment_level_subject_and_epoch)
{
    log_note(&out, AT, NOTE_ALARM, "fc_backend", 9, "nobody sits");
    cr_assert_str_eq(read_all(), "2023-11-14T22:13:20.123Z ALARM fc_backend e=9 nobody sits\n");
}

Test(log, what_is_not_there_is_not_invented)
{
    log_note(&out, AT, NOTE_INFO, "", 0, "started");
    cr_assert_str_eq(read_all(), "2023-11-14T22:13:20.123Z INFO - started\n");
}

Test(log, lower_levels_stay_out_until_they_are_wanted)
{
    log_note(&out, AT, NOTE_DEBUG, "x", 0, "quiet");
    cr_assert_str_eq(read_all(), "");
    out.least = NOTE_DEBUG;
    log_note(&out, AT, NOTE_DEBUG, "x", 0, "loud");
    cr_assert_str_eq(read_all(), "2023-11-14T22:13:20.123Z DEBUG x loud\n");
}

Test(log, a_note_cannot_pretend_to_be_two_lines)
{
    log_note(&out, AT, NOTE_INFO, "a\nb", 0, "c\r\nALARM \x1b[31m\x7f");
    cr_assert_str_eq(read_all(), "2023-11-14T22:13:20.123Z INFO a.b c..ALARM .[31m.\n");
}

Test(log, a_long_text_is_cut_and_still_ends_its_line)
{
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    log_note(&out, AT, NOTE_INFO, "x", 0, text);
    const char *line = read_all();
    cr_assert_leq(strlen(line), 1024);
    cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

Test(log, the_process_speaks_at_this_moment)
{
    log_say(&out, NOTE_WARNING, "config", "%s has %d", "Nodes", 3);
    cr_assert(strstr(read_all(), "Z WARNING config Nodes has 3\n") != NULL);
}

Test(log, a_reader_that_does_not_read_costs_lines_and_never_time, .timeout = 10)
{
    for (int i = 0; i < 3000; i++)
        log_note(&out, AT, NOTE_INFO, "x", 0, "a line that nobody reads, some sixty bytes of it");
    cr_assert_gt(out.lost, 0);
    read_all();
    log_note(&out, AT, NOTE_INFO, "x", 0, "back");
    const char *text = read_all();
    cr_assert(strstr(text, "lines were lost here: nobody read them in time\n") != NULL, "%s", text);
    cr_assert(strstr(text, " back\n") != NULL);
    cr_assert_eq(out.lost_untold, 0);
}

Test(log, a_socket_that_is_full_does_not_hold_us_either, .timeout = 10)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    log_init(&out, pair[1], NOTE_INFO);
    for (int i = 0; i < 10000; i++)
        log_note(&out, AT, NOTE_INFO, "x", 0, "a line that nobody reads, some sixty bytes of it");
    cr_assert_gt(out.lost, 0);
    close(pair[0]), close(pair[1]);
}
