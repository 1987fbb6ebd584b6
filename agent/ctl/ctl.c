/* firstchairctl: gives an order to a firstchair of this machine and shows the answer.
 *
 * The words after the options are the order, in the grammar of core/act/orders.h, checked here before anybody is asked.
 * `watch` is the one verb of its own: the picture, again and again. Exit codes are those of base/err.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "act/orders.h"
#include "agent/ctl/ctl_report.h"
#include "agent/ctl/ctl_tables.h"
#include "agent/ctl/ctl_talk.h"
#include "base/text.h"

#define SOCKET_PRESET "/run/firstchair/order.sock"
#define SOCKETS_MAX 9
#define LOOK_TIMEOUT_MS 10000            /* a picture is copied from memory: ten seconds is a dead daemon */
#define ORDER_TIMEOUT_MS 120000          /* longer than a move may take */
#define VERIFY_TIMEOUT_MS 20000          /* the servers are asked twice, within 5 s each */
#define WATCH_TIMEOUT_MS 1000            /* a silent node must not hold the picture of the others */

struct wish {
    const char *sockets[SOCKETS_MAX];
    int socket_count;
    int timeout_ms;                      /* 0 = the verb's own */
    bool is_json, is_once, is_watch, wants_help, wants_version;
    char text[ORDER_TEXT_MAX + 1];       /* the order */
    const char *to;                      /* raft-backup: the file; NULL = printed */
    struct order order;
    struct ctl_style style;
};

/* ---- help ---- */

static void print_help(void)
{
    puts("firstchairctl: orders for firstchair, and what it sees\n\n"
         "usage: firstchairctl [--socket PATH] [--json] [--timeout SECONDS] VERB ...\n\nverbs:");
    for (int i = 0; i < VERB_COUNT; i++)
        printf("  %s\n      %s\n      example: firstchairctl %s\n", verb_table[i].usage, verb_table[i].meaning,
               verb_table[i].example);
    puts("  watch\n      The live picture: who sits and why, who leads, what each HAProxy does, replication, events.\n"
         "      Several --socket show several nodes. --once shows it once.\n"
         "      example: firstchairctl --socket /run/fc1/order.sock --socket /run/fc2/order.sock watch\n\n"
         "options, before or after the verb:\n"
         "  --socket PATH      the daemon's order socket; else $FIRSTCHAIR_SOCKET, else " SOCKET_PRESET "\n"
         "  --json             the answer as the daemon gave it, one JSON document a line\n"
         "  --timeout SECONDS  how long to wait for the answer; an order that has begun goes on\n"
         "  --once             watch: one picture\n"
         "  --to FILE          raft-backup: where it is kept (0600), whole or not at all; else it is printed\n"
         "  --help, --version\n\nexit codes:");
    for (int i = 0; i < FC_CODE_COUNT; i++)
        printf("  %2d  %-12s %s\n", fc_code_table[i].exit_code, fc_code_table[i].word, fc_code_table[i].meaning);
}

static int fail(const struct fc_err *err)
{
    fprintf(stderr, "firstchairctl: %s: %s\n", fc_code_word(err->code), err->text);
    return fc_code_table[err->code].exit_code;
}

/* ---- what is wished ---- */

static enum fc_code add_word(struct wish *wish, const char *word, struct fc_err *err)
{
    const size_t used = strlen(wish->text);

    if (!text_format(wish->text + used, sizeof wish->text - used, "%s%s", used == 0 ? "" : " ", word))
        return fc_fail(err, FC_BAD_INPUT, "the order is too long; at most %d bytes are read", ORDER_TEXT_MAX);
    return FC_OK;
}

static enum fc_code take_timeout(struct wish *wish, const char *value, struct fc_err *err)
{
    uint64_t seconds;

    if (!text_to_u64(value, strlen(value), &seconds) || seconds == 0 || seconds > 86400)
        return fc_fail(err, FC_BAD_INPUT, "--timeout must be 1 to 86400 seconds");
    wish->timeout_ms = (int)seconds * 1000;
    return FC_OK;
}

static enum fc_code take_socket(struct wish *wish, const char *value, struct fc_err *err)
{
    if (wish->socket_count == SOCKETS_MAX)
        return fc_fail(err, FC_BAD_INPUT, "--socket may be given %d times", SOCKETS_MAX);
    wish->sockets[wish->socket_count++] = value;
    return FC_OK;
}

/* The value of "--name VALUE" or "--name=VALUE"; NULL when the argument is another one or the value is missing. */
static const char *value_of(const char *name, char **args, int *at)
{
    const size_t length = strlen(name);

    if (strncmp(args[*at], name, length) != 0)
        return NULL;
    if (args[*at][length] == '=')
        return args[*at] + length + 1;
    return args[*at][length] == '\0' && args[*at + 1] != NULL ? args[++*at] : NULL;
}

static enum fc_code take_option(struct wish *wish, char **args, int *at, bool *was_option, struct fc_err *err)
{
    const struct { const char *name; bool *flag; } flags[] = {
        { "--json", &wish->is_json }, { "--once", &wish->is_once },
        { "--help", &wish->wants_help }, { "-h", &wish->wants_help }, { "--version", &wish->wants_version },
    };
    const char *value;

    *was_option = true;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (text_is(args[*at], flags[i].name)) {
            *flags[i].flag = true;
            return FC_OK;
        }
    }
    if ((value = value_of("--socket", args, at)) != NULL)
        return take_socket(wish, value, err);
    if ((value = value_of("--timeout", args, at)) != NULL)
        return take_timeout(wish, value, err);
    if ((value = value_of("--to", args, at)) != NULL) {
        wish->to = value;
        return FC_OK;
    }
    *was_option = false;
    if (args[*at][0] == '-' && !text_is(args[*at], "--force"))
        return fc_fail(err, FC_BAD_INPUT, "'%.60s' is no option here, or lacks its value; see firstchairctl --help", args[*at]);
    return FC_OK;
}

/* Options stand anywhere before `because`; from there on every word belongs to its text. */
static enum fc_code read_arguments(struct wish *wish, char **args, struct fc_err *err)
{
    bool is_text = false;

    for (int i = 1; args[i] != NULL; i++) {
        bool was_option = false;
        enum fc_code code = is_text ? FC_OK : take_option(wish, args, &i, &was_option, err);
        if (code == FC_OK && !was_option)
            code = add_word(wish, args[i], err);
        if (code != FC_OK)
            return code;
        is_text = is_text || text_is_nocase(args[i], "because");
    }
    return FC_OK;
}

static enum fc_code check_wish(struct wish *wish, struct fc_err *err)
{
    const char *from_environment = getenv("FIRSTCHAIR_SOCKET");

    if (wish->socket_count == 0)
        wish->sockets[wish->socket_count++] = from_environment != NULL && from_environment[0] != '\0' ? from_environment
                                                                                                     : SOCKET_PRESET;
    wish->is_watch = text_is_nocase(wish->text, "watch");
    if (wish->is_watch)
        return FC_OK;
    if (wish->socket_count > 1)
        return fc_fail(err, FC_BAD_INPUT, "several --socket are for watch; an order goes to one node, which hands it on");
    const enum fc_code code = order_parse(wish->text, strlen(wish->text), &wish->order, err);
    if (code == FC_OK && wish->to != NULL && wish->order.verb != VERB_RAFT_BACKUP)
        return fc_fail(err, FC_BAD_INPUT, "--to is for raft-backup");
    return code;
}

/* ---- one order ---- */

static bool print_lines(FILE *to, const cJSON *lines)
{
    const cJSON *line;
    bool is_good = true;
    cJSON_ArrayForEach(line, lines)
        is_good = fprintf(to, "%s\n", cJSON_IsString(line) ? line->valuestring : "") > 0 && is_good;
    return is_good;
}

/* Whole or not at all: written beside, synced, renamed into place. */
static enum fc_code keep_backup(const char *path, const cJSON *lines, struct fc_err *err)
{
    char fresh[4096];
    if (!TEXT_FORMAT(fresh, "%s.new", path))
        return fc_fail(err, FC_BAD_INPUT, "the name of the file is too long");
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fc_fail(err, FC_STORE, "cannot write '%s': %s", fresh, strerror(errno));
    FILE *to = fdopen(fd, "w");
    const bool is_written = to != NULL && fchmod(fd, 0600) == 0 && print_lines(to, lines) && fflush(to) == 0 && fsync(fd) == 0;
    const int why = errno;
    if (to == NULL)
        close(fd);
    else
        fclose(to);
    if (is_written && rename(fresh, path) == 0)
        return FC_OK;
    const enum fc_code code = fc_fail(err, FC_STORE, "cannot write '%s': %s", path, strerror(is_written ? errno : why));
    unlink(fresh);
    return code;
}

static enum fc_code show_backup(const struct wish *wish, const cJSON *lines, struct fc_err *err)
{
    if (wish->to == NULL)
        return print_lines(stdout, lines) && fflush(stdout) == 0 ? FC_OK : fc_fail(err, FC_STORE, "cannot write: %s", strerror(errno));
    const enum fc_code code = keep_backup(wish->to, lines, err);
    if (code == FC_OK)
        printf("kept in %s\n", wish->to);
    return code;
}

static void show_progress(void *owner, const char *line, const char *text)
{
    const struct wish *wish = owner;
    printf("%s%s\n", wish->is_json ? "" : "... ", wish->is_json ? line : text);
    fflush(stdout);
}

static void show_picture(const struct wish *wish, const cJSON *status)
{
    switch (wish->order.verb) {
    case VERB_STATUS:
        ctl_print_status(stdout, status, wish->style);
        break;
    case VERB_POOLS:
        ctl_print_pools(stdout, status, wish->style);
        break;
    case VERB_EVENTS:
        ctl_print_events(stdout, status, wish->order.count, wish->style);
        break;
    case VERB_EXPLAIN: case VERB_PLAN: case VERB_HISTORY: case VERB_VERIFY:
    case VERB_SWITCH: case VERB_FAILBACK: case VERB_MAINT: case VERB_DOWN: case VERB_UP: case VERB_WEIGHT: case VERB_DRAIN: case VERB_READY: case VERB_PAUSE:
    case VERB_RESUME: case VERB_YIELD:
    case VERB_RAFT_ADD: case VERB_RAFT_PROMOTE: case VERB_RAFT_REMOVE: case VERB_RAFT_BACKUP: case VERB_COUNT:
        break;                           /* they are answered by a document of their own, or a sentence */
    }
}

static void show_answer(const struct wish *wish, const struct ctl_answer *answer)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(answer->json, "status");
    const cJSON *report = cJSON_GetObjectItemCaseSensitive(answer->json, "report");
    const cJSON *explain = cJSON_GetObjectItemCaseSensitive(answer->json, "explain");
    const cJSON *history = cJSON_GetObjectItemCaseSensitive(answer->json, "history");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer->json, "text"));

    if (wish->is_json)
        puts(answer->line);
    else if (report != NULL)
        ctl_print_report(stdout, report, wish->style);
    else if (answer->code != FC_OK)
        fprintf(stderr, "firstchairctl: %s: %s\n", fc_code_word(answer->code), text == NULL ? "" : text);
    else if (status != NULL)
        show_picture(wish, status);
    else if (explain != NULL)
        ctl_print_explain(stdout, explain, wish->style);
    else if (history != NULL)
        ctl_print_history(stdout, history, wish->style);
    else
        puts(text == NULL ? "done" : text);
}

/* What the answer means for the exit code. */
static enum fc_code take_answer(const struct wish *wish, const struct ctl_answer *answer, struct fc_err *err)
{
    const cJSON *backup = cJSON_GetObjectItemCaseSensitive(answer->json, "backup");
    if (answer->code == FC_OK && cJSON_IsArray(backup) && !wish->is_json)
        return show_backup(wish, backup, err);
    show_answer(wish, answer);
    return answer->code;
}

static int give_order(struct wish *wish)
{
    const bool changes = verb_table[wish->order.verb].changes;
    const int usual_ms = changes ? ORDER_TIMEOUT_MS + (int)wish->order.limit_ms : wish->order.verb == VERB_VERIFY ? VERIFY_TIMEOUT_MS
                                                                                       : LOOK_TIMEOUT_MS;
    struct ctl_answer answer = { .code = FC_OK };
    struct fc_err err = { .code = FC_OK };

    if (ctl_ask(wish->sockets[0], wish->text, wish->timeout_ms > 0 ? wish->timeout_ms : usual_ms, show_progress, wish,
                &answer, &err) != FC_OK)
        return fail(&err);
    const enum fc_code code = take_answer(wish, &answer, &err);
    const int exit_code = code != answer.code ? fail(&err) : fc_code_table[code].exit_code;
    ctl_answer_done(&answer);
    return exit_code;
}

/* ---- watch ---- */

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

/* Adds the section of one node; FC_OK when it answered. */
static enum fc_code watch_node(const struct wish *wish, const char *path, FILE *to)
{
    struct ctl_answer answer = { .code = FC_OK };
    struct fc_err err = { .code = FC_OK };
    const int timeout_ms = wish->timeout_ms > 0 ? wish->timeout_ms : WATCH_TIMEOUT_MS;

    if (ctl_ask(path, "status", timeout_ms, show_progress, (void *)wish, &answer, &err) != FC_OK) {
        fprintf(to, "%s\n", err.text);
        return err.code;
    }
    const enum fc_code code = answer.code;
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(answer.json, "status");
    if (wish->is_json)
        fprintf(to, "%s\n", answer.line);
    else if (status != NULL)
        ctl_print_watch(to, status, wish->style);
    ctl_answer_done(&answer);
    return code;
}

/* On a terminal the new picture is written over the old one, line by line, and cut to the window: nothing flickers. */
static void show_frame(const char *frame, bool is_live)
{
    struct winsize window = { 0 };
    int line = 0;

    if (!is_live) {
        fputs(frame, stdout);
        fflush(stdout);
        return;
    }
    const bool has_size = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 1;
    fputs("\x1b[H", stdout);
    for (const char *at = frame; *at != '\0' && (!has_size || line < window.ws_row - 1); line++) {
        const char *end = strchrnul(at, '\n');
        printf("%.*s\x1b[0m\x1b[K\n", (int)(end - at), at);
        at = *end == '\0' ? end : end + 1;
    }
    fputs("\x1b[J", stdout);
    fflush(stdout);
}

static enum fc_code draw(const struct wish *wish, bool is_live)
{
    char *frame = NULL;
    size_t size;
    FILE *to = open_memstream(&frame, &size);
    enum fc_code worst = FC_OK;

    if (to == NULL)
        return FC_NO_MEMORY;
    for (int i = 0; i < wish->socket_count; i++) {
        if (!wish->is_json && wish->socket_count > 1)
            fprintf(to, "%s---- %s ----\n", i == 0 ? "" : "\n", wish->sockets[i]);
        const enum fc_code code = watch_node(wish, wish->sockets[i], to);
        worst = code == FC_OK ? worst : code;
    }
    if (fclose(to) == 0)
        show_frame(frame, is_live);
    free(frame);
    return worst;
}

static int watch(const struct wish *wish)
{
    const bool is_live = !wish->is_once && !wish->is_json && isatty(STDOUT_FILENO);
    const struct sigaction quietly = { .sa_handler = interrupt };
    struct timespec second = { .tv_sec = 1 };

    if (wish->is_once)
        return fc_code_table[draw(wish, false)].exit_code;
    sigaction(SIGINT, &quietly, NULL);
    sigaction(SIGTERM, &quietly, NULL);
    if (is_live)
        fputs("\x1b[2J\x1b[?7l\x1b[?25l", stdout);       /* clear; long lines are cut; no cursor */
    while (!is_interrupted && !ferror(stdout)) {
        draw(wish, is_live);
        nanosleep(&second, NULL);
    }
    if (is_live)
        fputs("\x1b[?7h\x1b[?25h\n", stdout);
    return fc_code_table[FC_OK].exit_code;
}

int main(int argc, char **argv)
{
    static struct wish wish;
    struct fc_err err = { .code = FC_OK };
    const char *no_colour = getenv("NO_COLOR");

    if (argc < 1 || read_arguments(&wish, argv, &err) != FC_OK)
        return fail(&err);
    if (wish.wants_help || wish.wants_version) {
        if (wish.wants_help)
            print_help();
        else
            puts("firstchairctl " FC_VERSION);
        return 0;
    }
    if (wish.text[0] == '\0') {
        fc_fail(&err, FC_BAD_INPUT, "which order? For example: firstchairctl status, firstchairctl watch, or firstchairctl --help");
        return fail(&err);
    }
    if (check_wish(&wish, &err) != FC_OK)
        return fail(&err);
    wish.style.has_colour = isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
    return wish.is_watch ? watch(&wish) : give_order(&wish);
}
