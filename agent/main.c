/* firstchair: one program, a few commands, each a row of a table. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/analysis_docs.h"
#include "agent/config_file.h"
#include "agent/daemon.h"
#include "agent/discover_command.h"
#include "agent/doors/http.h"
#include "agent/fleet_command.h"
#include "agent/lint_files.h"
#include "agent/metrics.h"
#include "agent/recorder.h"
#include "agent/restore_command.h"
#include "agent/status_json.h"
#include "agent/steering_docs.h"
#include "agent/verify.h"
#include "base/text.h"
#include "core/config_docs.h"
#include "haproxy/door_script.h"
#include "haproxy/proxy_config.h"

#define HAPROXY_CONFIG_SIZE (64 * 1024)
#define ARGUMENTS_MAX 8

struct options {
    const char *config;              /* --config FILE; NULL = the usual places */
    const char *from;                /* --from FILE; NULL = none */
    const char *argument;            /* what follows the command; NULL = nothing */
    const char *arguments[ARGUMENTS_MAX];
    int argument_count;
    bool shows_effects, is_json, is_tabulated, is_debug, wants_help, wants_version;
};

typedef int command(const struct options *options);

struct command_row {
    const char *word;
    command *run;
    int arguments;                   /* how many it takes at most */
    const char *usage;
    const char *meaning;
};

static int failed(const struct fc_err *err)
{
    fprintf(stderr, "firstchair: %s\n", err->text);
    return fc_code_table[err->code].exit_code;
}

/* `checks_all`: also what only a node that starts would find, and says how it was. */
static struct config *load(const struct options *options, bool checks_all, struct fc_err *err)
{
    struct config *config = calloc(1, sizeof *config);
    struct config_warnings *warnings = calloc(1, sizeof *warnings);
    if (config == NULL || warnings == NULL) {
        fc_fail(err, FC_NO_MEMORY, "out of memory");
    } else if (config_file_load(options->config, config, warnings, err) == FC_OK && (!checks_all || http_door_check(config, err) == FC_OK)) {
        for (int i = 0; i < warnings->count; i++)
            fprintf(stderr, "firstchair: warning: %s\n", warnings->text[i]);
        if (checks_all)
            printf("%s: good, %d warning%s\n", warnings->read_from[0] == '\0' ? "no file, presets only" : warnings->read_from,
                   warnings->count, warnings->count == 1 ? "" : "s");
        free(warnings);
        return config;
    }
    free(config);
    free(warnings);
    return NULL;
}

static int serve(const struct options *options)
{
    struct fc_err err = { .code = FC_INTERNAL };
    struct config *config = load(options, false, &err);
    struct daemon *daemon = NULL;
    if (config == NULL)
        return failed(&err);
    config->debug = config->debug || options->is_debug;          /* until a reload: then it is as the file says */
    if (daemon_open(options->config, config, &daemon, &err) != FC_OK) {
        free(config);
        return failed(&err);
    }
    daemon_run(daemon);
    daemon_close(daemon);
    return 0;
}

static int check_config(const struct options *options)
{
    struct fc_err err = { .code = FC_INTERNAL };
    struct config *config = load(options, true, &err);
    if (config == NULL)
        return failed(&err);
    free(config);
    return 0;
}

static int haproxy_config(const struct options *options)
{
    struct fc_err err = { .code = FC_INTERNAL };
    struct config *config = load(options, false, &err);
    char *text = malloc(HAPROXY_CONFIG_SIZE);
    int exit_code = 0;
    if (config == NULL || text == NULL)
        exit_code = failed(&err);
    else if (options->argument != NULL && text_is(options->argument, "door.lua"))
        fputs(proxy_door_script, stdout);
    else if (proxy_config_print(config, text, HAPROXY_CONFIG_SIZE, &err) != FC_OK)
        exit_code = failed(&err);
    else
        fputs(text, stdout);
    free(text);
    free(config);
    return exit_code;
}

static int lint_haproxy(const struct options *options)
{
    struct fc_err err = { .code = FC_INTERNAL };
    if (options->argument_count == 0) {
        fprintf(stderr, "firstchair: lint-haproxy needs the haproxy.cfg, or several in the order of HAProxy's -f\n");
        return fc_code_table[FC_BAD_INPUT].exit_code;
    }
    struct config *config = load(options, false, &err);
    if (config == NULL)
        return failed(&err);
    const enum fc_code code = lint_files(config, options->arguments, options->argument_count, &err);
    free(config);
    return code == FC_OK || code == FC_FINDINGS ? fc_code_table[code].exit_code : failed(&err);
}

static int dump_config(const struct options *options)
{
    struct fc_err err = { .code = FC_INTERNAL };
    struct config *config = load(options, false, &err);
    if (config == NULL)
        return failed(&err);
    config_file_dump(config, stdout);
    free(config);
    return 0;
}

static int verify_backends(const struct options *options)
{
    struct fc_err err = { .code = FC_INTERNAL };
    struct config *config = load(options, false, &err);
    if (config == NULL)
        return failed(&err);
    const int exit_code = verify_command(config, options->is_json);
    free(config);
    return exit_code;
}

static int discover(const struct options *options)
{
    struct fc_err err = { .code = FC_INTERNAL };
    struct config *config = load(options, false, &err);
    if (config == NULL)
        return failed(&err);
    const int exit_code = discover_command(config, options->arguments, options->argument_count, options->is_tabulated);
    free(config);
    return exit_code;
}

static int raft_restore(const struct options *options)
{
    struct fc_err err = { .code = FC_INTERNAL };
    if (options->from == NULL) {
        fprintf(stderr, "firstchair: raft-restore needs --from FILE, as `firstchairctl raft-backup --to FILE` made it\n");
        return fc_code_table[FC_BAD_INPUT].exit_code;
    }
    struct config *config = load(options, false, &err);
    if (config == NULL)
        return failed(&err);
    const int exit_code = restore_command(config, options->from);
    free(config);
    return exit_code;
}

static int replay(const struct options *options)
{
    if (options->argument == NULL) {
        fprintf(stderr, "firstchair: replay needs the file that RecordFile names\n");
        return fc_code_table[FC_BAD_INPUT].exit_code;
    }
    return recorder_replay(options->argument, options->shows_effects);
}

static void print_config_docs(FILE *to)
{
    const size_t length = config_docs_print(NULL, 0);
    char *text = malloc(length + 1);
    if (text == NULL)
        return;
    config_docs_print(text, length + 1);
    fputs(text, to);
    free(text);
}

static void print_exit_codes(FILE *to)
{
    fprintf(to, "# Exit codes\n\nPrinted from the table in core/base/err.c; `firstchair` and `firstchairctl` use the same. The word "
                "stands in JSON answers.\n\n| exit | word | meaning |\n|---|---|---|\n");
    for (int i = 0; i < FC_CODE_COUNT; i++)
        fprintf(to, "| %d | %s | %s |\n", fc_code_table[i].exit_code, fc_code_table[i].word, fc_code_table[i].meaning);
}

static void print_orders(FILE *to)
{
    fprintf(to, "# Orders\n\nPrinted from the table in core/act/orders.c: one grammar for `firstchairctl`, the order socket and HTTP.\n\n"
                "| order | meaning | changes something | example |\n|---|---|---|---|\n");
    for (int i = 0; i < VERB_COUNT; i++)
        fprintf(to, "| `%s` | %s | %s | `%s` |\n", verb_table[i].usage, verb_table[i].meaning,
                verb_table[i].changes ? "yes" : "no", verb_table[i].example);
}

/* The reference pages, each printed by the table that it describes. */
static const struct { const char *name; void (*print)(FILE *to); } pages[] = {
    { "configuration", print_config_docs },   { "exit-codes", print_exit_codes },    { "orders", print_orders },
    { "http-routes", http_routes_print },     { "metrics", metrics_docs_print },     { "status-json", status_json_docs_print },
    { "haproxy-lint", lint_docs_print },      { "steering", steering_docs_print },
    { "analysis", analysis_docs_print },      { "commands", fleet_command_docs_print },
};

static int print_docs(const struct options *options)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (options->argument != NULL && text_is(options->argument, pages[i].name)) {
            pages[i].print(stdout);
            return 0;
        }
    }
    fprintf(stderr, "firstchair: print-docs needs one of:");
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        fprintf(stderr, " %s", pages[i].name);
    fprintf(stderr, "\n");
    return fc_code_table[FC_BAD_INPUT].exit_code;
}

static const struct command_row commands[] = {
    { "serve", serve, 0, "serve [--config FILE]", "run a node in the foreground; the log goes to standard error" },
    { "http", serve, 0, "http [--config FILE]", "the same, by the name that orchestrator's users know" },
    { "check-config", check_config, 0, "check-config [--config FILE]", "read the configuration and say what is wrong with it" },
    { "dump-config", dump_config, 0, "dump-config [--config FILE]", "print the effective configuration, without secrets" },
    { "haproxy-config", haproxy_config, 1, "haproxy-config [--config FILE] [door.lua]",
      "print the haproxy.cfg for the pools, or the small script that holds the door while a chair moves" },
    { "verify-backends", verify_backends, 0, "verify-backends [--config FILE] [--json]",
      "check what the mode needs on each server of the pair, and compare the decision tables" },
    { "lint-haproxy", lint_haproxy, ARGUMENTS_MAX, "lint-haproxy [--config FILE] HAPROXYFILE...",
      "say what in an existing haproxy.cfg makes the steering wrong, slow or blind" },
    { "discover", discover, ARGUMENTS_MAX, "discover [--config FILE] [--tabulated] [SEED...]",
      "look at the servers named and at everybody who replicates with them, and print their clusters" },
    { "raft-restore", raft_restore, 0, "raft-restore [--config FILE] --from FILE",
      "make a new raft group of this node alone from a kept state; the node is stopped, RaftDataDir empty" },
    { "replay", replay, 1, "replay [--effects] FILE", "feed a recorded event log (RecordFile) to a fresh core" },
    { "print-docs", print_docs, 1, "print-docs PAGE", "print a reference page from its table" },
};

static void print_help(FILE *to)
{
    fprintf(to, "firstchair %s: keeps one MySQL/MariaDB server in the first chair, and tells HAProxy which.\n\n", FC_VERSION);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(to, "  firstchair %-44s %s\n", commands[i].usage, commands[i].meaning);
    fprintf(to, "  firstchair %-44s %s\n", "-c COMMAND [-i HOST:PORT] ...", "ask a running node about its fleet; -c help lists the commands");
    fprintf(to, "\n  firstchair --version | --help\n\n"
                "Flags have one or two dashes and stand before or behind the command; --debug lets serve log more.\n\n"
                "Examples:\n"
                "  firstchair serve --config /etc/firstchair.conf.json\n"
                "  firstchair haproxy-config --config /etc/firstchair.conf.json > /etc/haproxy/haproxy.cfg\n"
                "  firstchairctl status\n\n"
                "Exit codes: 0 done, 2 bad input or configuration, 13 something to mend; the whole table: firstchair print-docs exit-codes\n");
}

static int unknown_word(const char *word)
{
    fprintf(stderr, "firstchair: '%s' is not understood; `firstchair --help` lists the commands\n", word);
    return fc_code_table[FC_BAD_INPUT].exit_code;
}

/* ---- the command line: flags, with one dash or two, stand anywhere ---- */

static const struct { const char *word; size_t at; } switches[] = {
    { "effects", offsetof(struct options, shows_effects) },   { "json", offsetof(struct options, is_json) },
    { "tabulated", offsetof(struct options, is_tabulated) },  { "debug", offsetof(struct options, is_debug) },
    { "help", offsetof(struct options, wants_help) },         { "h", offsetof(struct options, wants_help) },
    { "version", offsetof(struct options, wants_version) },
};

/* Of orchestrator's command line: what they ask for is so anyway. -noop and -discovery=false are not, and not understood. */
static const char *const let_be[] = { "quiet", "verbose", "stack", "discovery", "enable-database-update", "ignore-raft-setup", "skip-unresolve",
                                      "skip-unresolve-check", "skip-continuous-registration", "skip-binlog-search" };

static bool take_switch(const char *word, struct options *options)
{
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (!text_is(word, switches[i].word))
            continue;
        *(bool *)((char *)options + switches[i].at) = true;
        return true;
    }
    for (size_t i = 0; i < sizeof let_be / sizeof let_be[0]; i++) {
        if (text_is(word, let_be[i]))
            return true;
    }
    return false;
}

/* `next`: what follows, NULL nothing. Returns how many arguments were taken; 0: not understood. */
static int take_flag(const char *argument, const char *next, struct options *options)
{
    const char *word = argument + (argument[1] == '-' ? 2 : 1), *equals = strchr(word, '=');
    const size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
    const bool is_config = length == strlen("config") && text_begins(word, "config"), is_from = length == strlen("from") && text_begins(word, "from");
    const char *value = equals != NULL ? equals + 1 : next;
    if ((is_config || is_from) && value != NULL) {
        *(is_config ? &options->config : &options->from) = value;
        return equals != NULL ? 1 : 2;
    }
    return take_switch(word, options) ? 1 : 0;
}

static const struct command_row *command_of(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (text_is(word, commands[i].word))
            return &commands[i];
    }
    return NULL;
}

/* The first that is not understood; NULL: all are. */
static const char *take_words(int argc, char **argv, struct options *options, const struct command_row **chosen)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            const int taken = take_flag(argv[i], i + 1 < argc ? argv[i + 1] : NULL, options);
            if (taken == 0)
                return argv[i];
            i += taken - 1;
        } else if (*chosen == NULL && text_is(argv[i], "help")) {
            options->wants_help = true;
        } else if (*chosen == NULL) {
            *chosen = command_of(argv[i]);
            if (*chosen == NULL && !options->wants_help)
                return argv[i];
        } else if (options->argument_count < (*chosen)->arguments) {
            options->arguments[options->argument_count++] = argv[i];
            options->argument = options->arguments[0];
        } else {
            return argv[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct command_row *chosen = NULL;
    struct options options = { 0 };
    if (fleet_command_is_meant(argc, argv))
        return fleet_command(argc, argv);
    const char *unknown = take_words(argc, argv, &options, &chosen);
    if (options.wants_help) {
        print_help(stdout);
        return 0;
    }
    if (options.wants_version) {
        printf("firstchair %s\n", FC_VERSION);
        return 0;
    }
    if (unknown != NULL)
        return unknown_word(unknown);
    if (chosen == NULL) {
        print_help(stderr);
        return fc_code_table[FC_BAD_INPUT].exit_code;
    }
    return chosen->run(&options);
}
